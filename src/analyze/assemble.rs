//! What a run found out to the report.

use super::{Run, by_design, fronts, sources};
use crate::account::{Resolution, local_part};
use crate::case::{Finding, OLDEST_TOKEN, Path, State};
use crate::change::Change;
use crate::clocks::{self, Offset, seconds};
use crate::collect::book::{Access, Book, Key, Place};
use crate::collect::census::{self, Ask};
use crate::collect::minutes::Presence;
use crate::plan::{self, Planned};
use crate::schemes::By;
use crate::words;
use chrono::{DateTime, TimeDelta, Utc};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::event::ChangeKind;
use stillin_parsers::exchange::Auth;
use stillin_parsers::kind::Kind;
use stillin_reports::Order;
use stillin_reports::report::{self, Report};

/// The report of a run. Looks into the logs once more, for the users that a recycle would hit.
pub fn report(run: &Run<'_>) -> Report {
    let ids = change_ids(run);
    let mut findings: Vec<(report::Finding, &Finding)> = run
        .cases
        .iter()
        .flat_map(|case| &case.findings)
        .map(|finding| (finding_of(run, finding, &ids), finding))
        .collect();
    findings.sort_by_cached_key(|(finding, _)| gravity(finding));
    for (number, (finding, _)) in findings.iter_mut().enumerate() {
        finding.id = format!("f{}", number + 1);
    }
    let mut planned: Vec<Planned<'_>> = Vec::new();
    for (finding, found) in &findings {
        planned.extend(found.paths.iter().map(|path| Planned {
            finding: &finding.id,
            account: &finding.account,
            kind: run.directory.changes[found.change].kind,
            key: run.collected.book.keys.get(path.key),
            path,
        }));
    }
    let asks = asks(run, plan::keys(&planned));
    let answers = census::census(super::looks(run), &asks);
    let steps = plan::steps(&planned);
    let plan = steps.into_par_iter().map(|step| with_others(run, step, &asks, &answers)).collect();
    let advice = plan::advice(&planned);
    Report {
        schema: report::SCHEMA,
        tool: report::Tool::this(),
        rules: report::Rules {
            ttl_seconds: run.args.ttl.num_seconds(),
            slack_seconds: run.args.slack.num_seconds(),
            since: run.args.since,
            until: run.args.until,
            accounts: run.args.account.clone(),
            auth: run
                .args
                .auth
                .iter()
                .map(|(pool, scheme)| format!("{pool}={}", scheme.word()))
                .collect(),
            settings: run.args.reading.unsaid.judging.clone(),
            pseudonyms: None,
        },
        sources: (0..run.files.len()).map(|index| sources::source(run, index)).collect(),
        coverage: coverage(run),
        changes: changes(run),
        advice,
        plan,
        findings: findings.into_iter().map(|(finding, _)| finding).collect(),
        excluded: 0,
        undecided: 0,
        by_design: by_design::by_design(run, &ids),
        clocks: clocks(run),
        notes: run.notes.clone(),
        trend: Vec::new(),
    }
}

/// What to ask the logs for each pool in the plan: who used it within the TTL before its log ends. W3C says so where it
/// reaches that far, else HttpProxy: never both, for they may spell one name in two ways.
fn asks<'a>(run: &Run<'_>, keys: impl Iterator<Item = &'a Key>) -> BTreeSet<Ask> {
    let mut ends: BTreeMap<(&str, &'static str), DateTime<Utc>> = BTreeMap::new();
    for key in keys {
        let Some(span) = run.fronts.coverage.of(run.fronts.index_of(key)) else { continue };
        let end = ends.entry((&key.server, key.pool)).or_insert(span.to);
        *end = span.to.max(*end);
    }
    let ask = |((server, pool), until): ((&str, &'static str), DateTime<Utc>)| {
        let is_web = run.fronts.web(server).is_some_and(|web| until - web.to <= fronts::HELD_BACK);
        let kind = if is_web { Kind::IisW3c } else { Kind::HttpProxy };
        let (server, from) = (server.to_owned(), until - run.args.ttl);
        Ask { server, pool, kind, from, until }
    };
    ends.into_iter().map(ask).collect()
}

fn with_others(
    run: &Run<'_>,
    step: report::Step,
    asks: &BTreeSet<Ask>,
    answers: &census::Answers,
) -> report::Step {
    let accounts = &run.directory.accounts;
    let evicted: BTreeSet<&str> = step.accounts.iter().map(String::as_str).collect();
    let list = accounts.list.iter().enumerate();
    let ids = list.filter(|(_, account)| evicted.contains(account.display.as_str()));
    let locals: BTreeSet<String> = ids.flat_map(|(id, _)| accounts.local_parts(id)).collect();
    // Whose a name is takes long to tell, and what stands in it rules nearly every name out.
    let may_be_evicted = |name: &str| {
        let is_odd = || name.contains('+') || name.matches(['\\', '@']).nth(1).is_some();
        locals.contains(local_part(name.trim())) || is_odd()
    };
    let is_evicted = |name: &&String| {
        may_be_evicted(name)
            && matches!(accounts.resolve(name, None), Resolution::One(id)
                if evicted.contains(accounts.list[id].display.as_str()))
    };
    let ask = asks.iter().find(|ask| ask.server == step.server && ask.pool == step.pool);
    let names = ask.and_then(|ask| answers.get(ask)).into_iter().flatten();
    let other_users = names.filter(|name| !is_evicted(name)).count() as u64;
    report::Step { other_users, ..step }
}

/// The gravest first: what is sure, then what is open, then what lasted longest.
fn gravity(finding: &report::Finding) -> impl Ord + use<> {
    let rank = ["certain", "likely", "possible"].iter().position(|word| *word == finding.residual);
    let is_open = finding.paths.iter().any(|path| path.state == State::Open.word());
    let exposure = std::cmp::Reverse(finding.exposure_seconds);
    (rank, !is_open, exposure, finding.account.to_lowercase(), finding.at, finding.kind)
}

/// `c1`, `c2`, … for each change that is reported, by its index.
pub(super) fn change_ids(run: &Run<'_>) -> Vec<String> {
    let mut reported = 0;
    let id = |change: &Change| {
        reported += usize::from(is_reported(run, change));
        format!("c{reported}")
    };
    run.directory.changes.iter().map(id).collect()
}

/// Directory state tells when every account was made and got its password: of those only what the logs can
/// speak about is worth a line.
fn is_reported(run: &Run<'_>, change: &Change) -> bool {
    if run.asked.as_ref().is_some_and(|asked| !asked.contains(&change.account)) {
        return false;
    }
    let is_routine = change.kind.sets_password() || change.kind == ChangeKind::Created;
    !is_routine || run.passwords_from.is_none_or(|from| change.at >= from - OLDEST_TOKEN)
}

fn changes(run: &Run<'_>) -> Vec<report::Change> {
    let reported = run.directory.changes.iter().filter(|change| is_reported(run, change));
    let change = |(number, change): (usize, &Change)| {
        let account = &run.directory.accounts.list[change.account];
        let evidence =
            |(source, pos): &(usize, stillin_parsers::event::Pos)| report::ChangeEvidence {
                path: run.files[*source].source.path.clone(),
                pos: pos.number(),
            };
        report::Change {
            id: format!("c{}", number + 1),
            account: account.display.clone(),
            sid: account.sid.clone(),
            kind: change.kind.word(),
            at: change.at,
            precision: change.precision.word(),
            disputed_until: change.disputed_until,
            actor: change.actor.clone(),
            evidence: change.evidence.iter().map(evidence).collect(),
        }
    };
    reported.enumerate().map(change).collect()
}

fn finding_of(run: &Run<'_>, finding: &Finding, change_ids: &[String]) -> report::Finding {
    let change = &run.directory.changes[finding.change];
    let mut paths: Vec<&Path> = finding.paths.iter().collect();
    sort_paths(run, &mut paths);
    let residual = paths.iter().map(|path| path.residual).max();
    // What is only possible must not lengthen what is certain.
    let sure: Vec<&&Path> = paths.iter().filter(|path| Some(path.residual) == residual).collect();
    let last = sure.iter().map(|path| path.last.end).max().unwrap_or(change.at);
    report::Finding {
        id: String::new(),
        change: change_ids[finding.change].clone(),
        account: run.directory.accounts.list[change.account].display.clone(),
        kind: change.kind.word(),
        at: change.at,
        residual: residual.map_or("no", |residual| residual.word()),
        first: sure.iter().map(|path| path.first.end).min().unwrap_or(change.at),
        last,
        exposure_seconds: exposure(run, change, &sure).num_seconds(),
        requests: sure.iter().map(|path| path.requests).sum(),
        paths: paths
            .iter()
            .map(|path| by_design::with_caveat(run, finding, path, path_of(run, change, path)))
            .collect(),
    }
}

/// How long somebody was served for at least: since the latest time that a source gives, by the clock of the server.
fn exposure(run: &Run<'_>, change: &Change, paths: &[&&Path]) -> TimeDelta {
    let latest = change.disputed_until.unwrap_or(change.at);
    let server = |path: &Path| &run.collected.book.keys.get(path.key).server;
    let ahead = |path: &Path| clocks::of_server(&run.offsets, server(path)).ahead;
    let surely = paths.iter().map(|path| path.last.end - latest - ahead(path)).max();
    let last = paths.iter().map(|path| path.last.end).max().unwrap_or(change.at);
    // Where all came before the change by the clock of a server that is behind, its offset makes the difference.
    let behind = |path: &Path| clocks::of_server(&run.offsets, server(path)).behind;
    let perhaps = paths.iter().map(|path| path.last.end - change.at + behind(path)).max();
    let positive = |span: &TimeDelta| *span > TimeDelta::zero();
    let by_own_clock = Some(last - change.at).filter(positive);
    surely.filter(positive).or(by_own_clock).or(perhaps).unwrap_or_default()
}

/// The gravest first, then those that may go on.
pub fn sort_paths(run: &Run<'_>, paths: &mut [&Path]) {
    let key = |path: &Path| run.collected.book.keys.get(path.key);
    paths.sort_by_key(|path| (std::cmp::Reverse(path.residual), path.state, key(path).clone()));
}

/// A client as the report shows it.
pub fn client(book: &Book, number: u32) -> report::Client {
    let client = book.clients.get(number);
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    report::Client {
        device: some(&client.device),
        user_agent: some(&client.user_agent),
        ip: some(client.address()),
    }
}

/// A path as a finding shows it.
pub fn path_of(run: &Run<'_>, change: &Change, path: &Path) -> report::Path {
    let book = &run.collected.book;
    let key = book.keys.get(path.key);
    let mut clients: Vec<report::Client> =
        path.clients.iter().map(|&number| client(book, number)).collect();
    clients.sort();
    let mut evidence: Vec<report::Evidence> = Vec::new();
    let accesses = [Some(&path.first), Some(&path.last), path.refused.as_ref()];
    for access in accesses.into_iter().flatten() {
        // Where two logs have the request, both are evidence.
        let own = Place { source: access.source, line: access.line };
        for Place { source, line } in [Some(own), access.twin].into_iter().flatten() {
            let path = run.files[source as usize].source.path.clone();
            let place = report::Evidence { path, line };
            if !evidence.contains(&place) {
                evidence.push(place);
            }
        }
    }
    let restart = path.restart.map(|restart| {
        let source = &run.files[restart.source as usize].source.path;
        (source, restart.pos)
    });
    if let Some((source, pos)) = restart.filter(|_| path.state == State::Recycled) {
        evidence.push(report::Evidence { path: source.clone(), line: pos.number() });
    }
    let restart = restart.map(|(source, pos)| format!("{source}{pos}"));
    let setting = path.setting.map(|setting| match setting.by {
        By::Option => "--auth",
        By::File(source) => &run.files[source].source.path,
        By::Logs => "what other requests show",
    });
    // What is allowed for on this server.
    let slack = run.args.slack + clocks::of_server(&run.offsets, &key.server).ahead;
    let rules = crate::correlate::Rules { ttl: run.args.ttl, slack };
    let restart = restart.as_deref();
    report::Path {
        server: key.server.clone(),
        pool: pool_word(key.pool).to_owned(),
        protocol: key.protocol.word(),
        name: path.first.name.map(|name| book.texts.get(name).clone()).unwrap_or_default(),
        class: path.class.word(),
        residual: path.residual.word(),
        state: path.state.word(),
        first: path.first.end,
        last: path.last.end,
        requests: path.requests,
        data_requests: path.data_requests,
        clients,
        why: words::why(path, key, change.kind, change.precision, &rules, restart, setting),
        evidence,
    }
}

/// The word of a pool.
pub fn pool_word(pool: &'static str) -> &'static str {
    if pool.is_empty() { "unknown" } else { pool }
}

fn clocks(run: &Run<'_>) -> Vec<report::Clock> {
    let clock = |offset: &Offset| report::Clock {
        server: offset.server.clone(),
        controller: offset.controller.clone(),
        pairs: offset.n_pairs as u64,
        ahead_seconds: offset.ahead.map(|(ahead, _)| seconds(ahead)),
        spread_seconds: offset.ahead.map(|(_, spread)| seconds(spread)),
    };
    run.offsets.iter().map(clock).collect()
}

/// What the logs of each server can speak about.
pub fn coverage(run: &Run<'_>) -> Vec<report::Coverage> {
    let time = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let of = |server: &str, kind: &'static str, protocol, presence: &Presence| {
        let (from, to) = presence.span?;
        let gaps = presence.gaps().into_iter().map(|(from, to)| report::Gap { from, to }).collect();
        let (from, to) = (time(from), time(to));
        Some(report::Coverage { server: server.to_owned(), kind, protocol, from, to, gaps })
    };
    let collected = &run.collected;
    let mut coverage: Vec<report::Coverage> = Vec::new();
    for ((server, kind), presence) in &collected.presence {
        coverage.extend(of(server, kind.word(), None, presence));
    }
    for ((server, protocol), presence) in &collected.fronts {
        coverage.extend(of(server, Kind::HttpProxy.word(), Some(protocol.word()), presence));
    }
    for (server, presence) in &run.logon_presence() {
        coverage.extend(of(server, "logons", None, presence));
    }
    coverage.sort_by(|a, b| (&a.server, a.kind, a.protocol).cmp(&(&b.server, b.kind, b.protocol)));
    coverage
}

/// Every classed request, in that order.
pub fn rows<'a>(run: &'a Run<'_>, order: Order) -> impl Iterator<Item = report::RequestRow> + 'a {
    let mut rows: Vec<_> = run
        .cases
        .iter()
        .flat_map(|case| case.rows.iter().map(move |row| (case.account, row)))
        .collect();
    let time = |access: &Access| (order == Order::Time).then_some(access.end);
    rows.sort_by_key(|(account, row)| {
        (time(&row.access), row.access.source, row.access.line, *account)
    });
    let ids = change_ids(run);
    rows.into_iter().map(move |(account, row)| {
        let book = &run.collected.book;
        let access: &Access = &row.access;
        let (key, client) = (book.keys.get(access.key), book.clients.get(access.client));
        report::RequestRow {
            path: run.files[access.source as usize].source.path.clone(),
            line: access.line,
            server: key.server.clone(),
            pool: pool_word(key.pool).to_owned(),
            protocol: key.protocol.word(),
            account: run.directory.accounts.list[account].display.clone(),
            change: ids[row.change].clone(),
            kind: run.directory.changes[row.change].kind.word(),
            start: access.start,
            end: access.end,
            status: words::status(access.sc_status, access.sc_substatus),
            win32: access.sc_win32_status,
            name: access.name.map(|name| book.texts.get(name).clone()).unwrap_or_default(),
            client_ip: client.address().clone(),
            device: client.device.clone(),
            user_agent: client.user_agent.clone(),
            command: book.texts.get(access.command).clone(),
            auth: match (access.auth, row.scheme.word()) {
                (Auth::None | Auth::Other, "") => String::new(),
                (Auth::None | Auth::Other, word) => format!("{word}?"),
                (known, _) => known.word().to_owned(),
            },
            class: row.class.word(),
            residual: row.residual.word(),
        }
    })
}
