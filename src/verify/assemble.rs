//! What is known since a plan to the verdict on each step and finding, as it is reported.

use super::journals::Record;
use super::judge::{self, Blind, State, Verdict, judge};
use super::recycled::{Recycled, Told, recycled};
use super::wanted::{Finding, Path, Step};
use super::{Known, words};
use crate::analyze::since::{Lost, Use, is_nameless};
use crate::analyze::{HELD_BACK, pool_word};
use crate::correlate::{DRAIN, Residual};
use crate::workers::Pool;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::event::ChangeKind;
use stillin_reports::report::{self as source, Evidence, Tool};
use stillin_reports::verify as report;

/// When each pool was recycled.
type Recycles = BTreeMap<Pool, Recycled>;

/// The whole verdict.
pub fn verify(known: Known<'_>, notes: Vec<String>) -> report::Verify {
    let wanted = &known.task.wanted;
    let recycles: Recycles =
        known.task.pools().into_iter().map(|pool| (pool.clone(), known.recycle(&pool))).collect();
    let findings: Vec<(report::Finding, Vec<(Pool, State)>)> =
        wanted.findings.iter().map(|finding| of_finding(&known, &recycles, finding)).collect();
    let steps: Vec<(report::Step, State)> =
        wanted.steps.iter().map(|step| of_step(step, &recycles, &findings)).collect();
    let states = findings.iter().flat_map(|(_, paths)| paths).map(|(_, state)| *state);
    let states = states.chain(steps.iter().map(|(_, state)| *state));
    let no_coverage = State::NoCoverage.word();
    let is_lost = findings.iter().any(|(finding, _)| finding.state == no_coverage);
    // What was named and is not there may be the log that says otherwise.
    let unseen = unseen(&known);
    let is_missing = !known.since.problems.is_empty() || !unseen.is_empty() || is_lost;
    let notes: Vec<String> = notes.into_iter().chain(elsewhere(&known, &recycles)).collect();
    let missing = is_missing.then_some(State::NoCoverage);
    let rules = &wanted.rules;
    report::Verify {
        schema: report::SCHEMA,
        tool: Tool::this(),
        plan: known.task.plan.clone(),
        rules: report::Rules {
            ttl_seconds: rules.ttl_seconds,
            slack_seconds: rules.slack_seconds,
            drain_seconds: DRAIN.num_seconds(),
            flush_seconds: HELD_BACK.num_seconds(),
        },
        state: states.chain(missing).min().unwrap_or(State::NoCoverage).word(),
        steps: steps.into_iter().map(|(step, _)| step).collect(),
        findings: findings.into_iter().map(|(finding, _)| finding).collect(),
        journals: known.journals.inputs,
        coverage: known.since.coverage,
        sources: known.since.sources,
        notes: known.since.notes.into_iter().chain(notes).chain(unseen).collect(),
    }
}

/// Servers on which a token of before may have been used where no log shows it: those of the plan were over too soon to
/// say, and the new ones do not go on from there.
fn unseen(known: &Known<'_>) -> Vec<String> {
    let wanted = &known.task.wanted;
    let mut sentences = BTreeSet::new();
    for finding in &wanted.findings {
        let idle_until = finding.reason.at + known.task.arguments.ttl;
        for (server, &until) in wanted.known_until.iter().filter(|(_, until)| **until < idle_until)
        {
            // Of a path that was refused it is not asked whether there is a log, and the other pools may have had a token.
            let is_judged = |path: &Path| path.may_go_on || !path.is_refused;
            let mut here = finding.paths.iter().filter(|path| path.pool.0 == *server);
            let has_path = here.any(is_judged);
            let goes_on = |log: &source::Coverage| {
                let is_hole = |gap: &source::Gap| until < gap.to && gap.from < idle_until;
                log.server == *server
                    && matches!(log.kind, "iis-w3c" | "http-proxy")
                    && log.from <= until + HELD_BACK
                    && idle_until <= log.to
                    && !log.gaps.iter().any(is_hole)
            };
            if !has_path && !known.since.coverage.iter().any(goes_on) {
                sentences.insert(words::unseen(
                    server,
                    &until,
                    &finding.reason.account,
                    &idle_until,
                ));
            }
        }
    }
    sentences.into_iter().collect()
}

/// Servers of which only the new logs tell, and only since their beginning.
fn elsewhere(known: &Known<'_>, recycles: &Recycles) -> Vec<String> {
    let wanted = &known.task.wanted;
    let Some(last) = recycles.values().filter_map(|recycled| recycled.at).max() else {
        return Vec::new();
    };
    let is_new = |log: &&source::Coverage| {
        matches!(log.kind, "iis-w3c" | "http-proxy")
            && wanted.is_report
            && !wanted.known_until.contains_key(&log.server)
    };
    let mut begins: BTreeMap<&str, DateTime<Utc>> = BTreeMap::new();
    for log in known.since.coverage.iter().filter(is_new) {
        let from = begins.entry(&log.server).or_insert(log.from);
        *from = log.from.min(*from);
    }
    let late = begins.iter().filter(|(_, from)| last + DRAIN < **from);
    late.map(|(server, from)| words::begins_late(server, from)).collect()
}

impl Known<'_> {
    /// Nothing tells the name of that server, nor does the plan know it so.
    fn is_nameless(&self, server: &str) -> bool {
        let wanted = &self.task.wanted;
        let is_known = wanted.known_until.contains_key(server)
            || wanted.steps.iter().any(|step| step.pool.0 == server);
        is_nameless(server) && !is_known
    }

    /// When a pool was recycled.
    fn recycle(&self, pool: &Pool) -> Recycled {
        let wanted = &self.task.wanted;
        let of_step = wanted.steps.iter().find(|step| step.pool == *pool);
        let server = of_step.map_or(&pool.0, |step| &step.server);
        let is_of_pool = |record: &&Record| record.step.covers(server, pool.1);
        let records: Vec<&Record> = self.journals.records.iter().filter(is_of_pool).collect();
        let paths = wanted.findings.iter().flat_map(|finding| &finding.paths);
        let changes = wanted.findings.iter().map(|finding| finding.reason.at).min();
        let last = paths.filter(|path| path.pool == *pool).filter_map(|path| path.last).max();
        let known_until = wanted.known_until.get(&pool.0).copied();
        recycled(&Told {
            records: &records,
            // As the journal knows it: a plan is that of its report.
            plan_sha256: wanted.report_sha256.as_ref().unwrap_or(&self.task.plan.sha256),
            restarts: self.since.restarts.get(pool).map_or(&[][..], Vec::as_slice),
            kept: self.since.kept.get(pool).map_or(&[][..], Vec::as_slice),
            last: last.or(known_until).or(changes),
            known_until,
            slack: self.task.arguments.slack,
        })
    }
}

fn of_finding(
    known: &Known<'_>,
    recycles: &Recycles,
    finding: &Finding,
) -> (report::Finding, Vec<(Pool, State)>) {
    let wanted = &known.task.wanted;
    let is_for = |step: &&Step| step.why.contains(&finding.reason.id);
    let steps: Vec<&Step> = wanted.steps.iter().filter(is_for).collect();
    let at = |pool: &Pool| recycles.get(pool).and_then(|recycled| recycled.at);
    let others = steps.iter().filter_map(|step| at(&step.pool)).max().map(|at| at + DRAIN);
    let is_own = |pool: &Pool| steps.iter().any(|step| step.pool == *pool);
    let basis = |pool: &Pool| {
        let recycled = recycles.get(pool);
        // What it is not known where it was served may have been served where a step ends it, and before it did.
        let may_be_own = is_own(pool) || (known.is_nameless(&pool.0) && !steps.is_empty());
        let by_logs = wanted.until(&pool.0).filter(|_| !may_be_own);
        judge::Path {
            is_in_step: is_own(pool),
            recycled: recycled.and_then(|recycled| recycled.at),
            recycled_from: recycled.and_then(|recycled| recycled.from),
            otherwise: by_logs.or(others),
            is_by_logs: by_logs.is_some(),
            span: known.since.spans.get(pool),
            now: known.now,
            ..judge::Path::default()
        }
    };
    let is_since =
        |request: &Use| basis(&request.pool).begin().is_some_and(|begin| begin.is_since(request));
    let uses = uses(known, finding);
    let is_seen = |pool: &Pool| known.since.spans.contains_key(pool);
    let paths: Vec<(report::Path, Pool, State)> = paths(finding, &steps, &uses, is_since, is_seen)
        .into_iter()
        .map(|path| {
            let step = wanted.steps.iter().find(|step| step.pool == path.pool);
            let name = path.name.as_ref().map(|name| name.to_lowercase());
            let is_here = |request: &&Use| {
                request.pool == path.pool && name.as_ref().is_none_or(|name| request.name == *name)
            };
            let here: Vec<&Use> = uses.iter().filter(is_here).collect();
            let basis = basis(&path.pool);
            let since = basis.begin().map(|begin| begin.since);
            let lost = lost(known, &path.pool.0, since);
            let asked = judge::Path {
                kind: ChangeKind::from_word(finding.reason.kind),
                has_new_password: wanted.has_new_password(&finding.reason.account),
                last: path.last,
                clients: &path.clients,
                lost: &lost,
                ..basis
            };
            let verdict = judge(&asked, &here);
            let recycled = recycles.get(&path.pool).filter(|recycled| recycled.at.is_some());
            let mut why = words::why(&path, &asked, step.is_some(), recycled, &verdict, &here);
            why.extend(enabled(known, finding));
            (of_path(&path, step, &verdict, why), path.pool, verdict.state)
        })
        .collect();
    let states: Vec<(Pool, State)> =
        paths.iter().map(|(_, pool, state)| (pool.clone(), *state)).collect();
    // Of another server's log that nobody could read whole it may be that it tells of access there.
    let is_judged = |server: &str| states.iter().any(|(pool, _)| pool.0 == server);
    let is_unseen = known.since.lost.iter().any(|one| {
        let Some(server) = one.server.as_ref().filter(|of| !known.is_nameless(of)) else {
            return false;
        };
        let begin = || basis(&(server.clone(), "")).begin().map(|begin| begin.since);
        !is_judged(server) && lost(known, server, begin()).contains(&one)
    });
    let unseen = is_unseen.then_some(State::NoCoverage);
    let all = states.iter().map(|(_, state)| *state).chain(unseen);
    let state = all.min().unwrap_or(State::NoCoverage);
    let finding = report::Finding {
        reason: finding.reason.clone(),
        state: state.word(),
        names: finding.names.clone(),
        paths: paths.into_iter().map(|(path, ..)| path).collect(),
    };
    (finding, states)
}

/// That an account was enabled again: who is served since is no intruder, and is not listed.
fn enabled(known: &Known<'_>, finding: &Finding) -> Option<String> {
    let (account, _) = known.since.told.get(&finding.line)?;
    let disables = ChangeKind::from_word(finding.reason.kind)?.disables();
    let all = known.since.enabled.get(account).filter(|_| disables)?;
    all.iter().find(|enabled| enabled.at > finding.reason.at).map(words::enabled)
}

/// What was lost of the logs of a server, and may be of the time when access counts. Where nothing tells of which server a
/// log is, it may be of any.
fn lost<'a>(known: &'a Known<'_>, server: &str, since: Option<DateTime<Utc>>) -> Vec<&'a Lost> {
    let is_since =
        |lost: &&Lost| lost.until.is_none_or(|until| since.is_none_or(|since| since < until));
    let may_be_its = |lost: &&Lost| match &lost.server {
        Some(of) if !known.is_nameless(of) => of == server,
        _ => true,
    };
    known.since.lost.iter().filter(is_since).filter(may_be_its).collect()
}

/// The requests that bear on a finding: under its own change, a later one, or one that takes the account away; and every
/// refusal. Where it was not known whose they are, it is no better known now.
fn uses(known: &Known<'_>, finding: &Finding) -> Vec<Use> {
    let Some(&(account, change)) = known.since.told.get(&finding.line) else { return Vec::new() };
    let bears = |request: &&Use| {
        request.account == account
            && (request.change == change
                || request.change_at >= finding.reason.at
                || request.disables
                || request.refusal.is_some())
    };
    let is_doubtful = |request: &Use| {
        finding.doubts.iter().any(|(name, clients)| {
            let is_of =
                |clients: &Vec<_>| clients.iter().any(|c| judge::is_same(c, &request.client));
            *name == request.name && clients.as_ref().is_none_or(is_of)
        })
    };
    let restrained = |request: &Use| match is_doubtful(request) {
        true => Use { residual: request.residual.min(Residual::Possible), ..request.clone() },
        false => request.clone(),
    };
    known.since.uses.iter().filter(bears).map(restrained).collect()
}

/// The paths to be judged: those that may have gone on, one at least for each step, others that were used since, and
/// those of which there is no log, unless a refusal had ended them.
fn paths(
    finding: &Finding,
    steps: &[&Step],
    uses: &[Use],
    is_since: impl Fn(&Use) -> bool,
    is_seen: impl Fn(&Pool) -> bool,
) -> Vec<Path> {
    let counts = |path: &&Path| path.may_go_on || !(path.is_refused || is_seen(&path.pool));
    let mut paths: Vec<Path> = finding.paths.iter().filter(counts).cloned().collect();
    for step in steps {
        if !paths.iter().any(|path| path.pool == step.pool) {
            let here = finding.paths.iter().filter(|path| path.pool == step.pool);
            let here: Vec<Path> = here.cloned().collect();
            paths.extend(if here.is_empty() { vec![anybody(&step.pool)] } else { here });
        }
    }
    let is_access = |request: &&Use| {
        request.refusal.is_none() && request.residual > Residual::No && is_since(request)
    };
    let mut known: BTreeSet<(Pool, String)> = BTreeSet::new();
    for request in uses.iter().filter(is_access) {
        let is_listed = |path: &Path| {
            let name = path.name.as_ref().map(|name| name.to_lowercase());
            path.pool == request.pool && name.is_none_or(|name| name == request.name)
        };
        let is_new = known.insert((request.pool.clone(), request.name.clone()));
        if !is_new || paths.iter().any(is_listed) {
            continue;
        }
        let before = finding.paths.iter().find(|path| is_listed(path)).cloned();
        paths.push(before.unwrap_or_else(|| Path {
            name: Some(request.logged.clone()),
            protocol: Some(request.protocol),
            ..anybody(&request.pool)
        }));
    }
    paths.sort_by_key(|path| {
        (path.pool.clone(), path.name.as_ref().map(|name| name.to_lowercase()))
    });
    paths
}

/// A path of which nothing but its place is known.
fn anybody(pool: &Pool) -> Path {
    Path {
        pool: pool.clone(),
        name: None,
        protocol: None,
        last: None,
        clients: Vec::new(),
        may_go_on: true,
        is_refused: false,
        is_other_auth: false,
    }
}

fn of_path(
    path: &Path,
    step: Option<&Step>,
    verdict: &Verdict<'_>,
    why: Vec<String>,
) -> report::Path {
    report::Path {
        server: path.pool.0.clone(),
        pool: pool_word(path.pool.1).to_owned(),
        protocol: path.protocol,
        name: path.name.clone(),
        step: step.map(|step| step.number),
        state: verdict.state.word(),
        since: verdict.since,
        until: verdict.until,
        too_fresh_until: match verdict.blind {
            Some(Blind::Until(until)) => Some(until),
            _ => None,
        },
        access: access(&verdict.accesses),
        unclear: access(&verdict.unclear),
        new_logon: access(&verdict.anew),
        refusal: verdict.refusal.map(|request| report::Refusal {
            at: request.end,
            reason: words::reason(request).to_owned(),
            client: request.client.clone(),
            evidence: request.place.clone(),
        }),
        why,
    }
}

fn access(uses: &[&Use]) -> Option<report::Access> {
    let (first, last) = (uses.first()?, uses.last()?);
    let mut evidence: Vec<Evidence> = vec![first.place.clone()];
    evidence.extend(Some(last.place.clone()).filter(|place| *place != first.place));
    Some(report::Access {
        requests: uses.len() as u64,
        first: first.end,
        last: last.end,
        class: first.class.word(),
        residual: uses.iter().map(|request| request.residual).max()?.word(),
        client: first.client.clone(),
        evidence,
    })
}

/// A step that nothing tells to have been done proves nothing by silence; else it is as good as its worst path.
fn of_step(
    step: &Step,
    recycles: &Recycles,
    findings: &[(report::Finding, Vec<(Pool, State)>)],
) -> (report::Step, State) {
    let none = Recycled::default();
    let recycled = recycles.get(&step.pool).unwrap_or(&none);
    let own = findings.iter().filter(|(finding, _)| step.why.contains(&finding.reason.id));
    let here = own.flat_map(|(_, paths)| paths).filter(|(pool, _)| *pool == step.pool);
    let worst = here.map(|(_, state)| *state).min().unwrap_or(State::NoCoverage);
    let state = match worst {
        _ if recycled.at.is_none() => State::NotRecycled,
        worst => worst,
    };
    let reported = report::Step {
        step: step.number,
        server: step.pool.0.clone(),
        pool: step.pool.1.to_owned(),
        action: step.action,
        accounts: step.accounts.clone(),
        why: step.why.clone(),
        state: state.word(),
        recycled: recycled.at,
        evidence: recycled.places.clone(),
        notes: words::of_step(recycled),
    };
    (reported, state)
}
