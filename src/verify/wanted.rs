//! A plan to what to look for: its accounts and their changes as facts, its steps, and the paths of its findings.

use crate::account::named;
use crate::change::{Told, Voice};
use crate::collect::names::{host_name, is_one_host};
use crate::correlate::Ground;
use crate::words;
use crate::workers::Pool;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::event::{self, ChangeKind, Fact, Identity, Pos, Precision};
use stillin_parsers::exchange;
use stillin_reports::plan::{self, Reason};
use stillin_reports::report::{self, Client, Report, Rules, Word};

/// What a plan says has to be looked at.
pub struct Wanted {
    /// The rules it was made under.
    pub rules: Rules,
    /// Its steps.
    pub steps: Vec<Step>,
    /// The findings that they are for, and those that may go on though no step is for them.
    pub findings: Vec<Finding>,
    /// Their accounts, by name and by change.
    pub facts: Vec<Told>,
    /// How far the logs of each server reached when the plan was made; nothing where a plan stands alone.
    pub known_until: BTreeMap<String, DateTime<Utc>>,
    /// The report is there, not the plan alone.
    pub is_report: bool,
    /// SHA-256 of the report, where a plan alone tells it.
    pub report_sha256: Option<String>,
}

impl Wanted {
    /// How far the logs of a server reached when the plan was made; of one that the plan did not know, those of all.
    pub fn until(&self, server: &str) -> Option<DateTime<Utc>> {
        self.known_until.get(server).or(self.known_until.values().max()).copied()
    }

    /// The account got another password.
    pub fn has_new_password(&self, account: &str) -> bool {
        let of = |identity: &Identity| {
            let Identity { domain, sam_account_name, user_principal_name, .. } = identity;
            [domain, sam_account_name, user_principal_name].map(Clone::clone)
        };
        let account = of(&named(account));
        self.facts.iter().any(|told| match &told.fact {
            Fact::Change(change) => change.kind.sets_password() && of(&change.account) == account,
            _ => false,
        })
    }
}

/// A step of the plan.
pub struct Step {
    /// Its number.
    pub number: u64,
    /// The server, as the plan spells it.
    pub server: String,
    /// What is recycled.
    pub pool: Pool,
    /// How.
    pub action: Word,
    /// Whom it evicts.
    pub accounts: Vec<String>,
    /// The findings that it is for.
    pub why: Vec<String>,
}

/// A finding that is judged.
pub struct Finding {
    /// Id, account, kind and time of the change.
    pub reason: Reason,
    /// The line of the fact that tells its change.
    pub line: u64,
    /// Names to look for.
    pub names: Vec<String>,
    /// Its paths, by place and name.
    pub paths: Vec<Path>,
    /// Names of which it is not sure whose they are: of anybody, or of these clients.
    pub doubts: Vec<(String, Option<Vec<Client>>)>,
}

/// Where a finding had access.
#[derive(Debug, Clone)]
pub struct Path {
    /// Server and pool.
    pub pool: Pool,
    /// The name as logged; any, where a plan stands alone.
    pub name: Option<String>,
    /// Protocol word.
    pub protocol: Option<Word>,
    /// The end of its last access.
    pub last: Option<DateTime<Utc>>,
    /// Who used it.
    pub clients: Vec<Client>,
    /// It was not known to be over.
    pub may_go_on: bool,
    /// It ended by a refusal.
    pub is_refused: bool,
    /// Some of it used no cached token, so that no recycle ends it.
    pub is_other_auth: bool,
}

/// Reads a report or a plan; the error says what is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Wanted, String> {
    let plan = plan::read(bytes)?;
    if plan.rules.pseudonyms.is_some() {
        return Err("its names are pseudonyms, which no log knows; verify a report, or its plan, that was made without \
                    --pseudonymize".into());
    }
    let report = stillin_reports::read(bytes).ok();
    let mut reasons = plan.findings;
    let left = report.as_ref().map(|report| left(report, &reasons)).unwrap_or_default();
    reasons.extend(left);
    if plan.plan.is_empty() && reasons.is_empty() {
        return Err("its plan has no step, so there is nothing to verify".into());
    }
    let steps: Vec<Step> = plan.plan.into_iter().map(step).collect::<Result<_, _>>()?;
    for step in &steps {
        let is_another = |other: &&Step| {
            other.pool.0 == step.pool.0 && !is_one_host(&other.server, &step.server)
        };
        if let Some(other) = steps.iter().find(is_another) {
            return Err(format!(
                "steps {} and {} are for {} and {}, which logs do not tell apart; verify the plan of each domain by itself",
                step.number, other.number, step.server, other.server
            ));
        }
    }
    let mut facts = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let mut lines: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in &reasons {
        let is_new = known.insert(&finding.account);
        if let Some(report) = report.as_ref().filter(|_| is_new) {
            of_report(report, &finding.account, &mut facts, &mut lines);
        }
        if !lines.contains_key(finding.id.as_str()) {
            lines.insert(&finding.id, of_reason(finding, &mut facts));
        }
    }
    let whole = |id: &str| {
        let findings = report.iter().flat_map(|report| &report.findings);
        findings.into_iter().find(|finding| finding.id == id)
    };
    let findings = reasons
        .iter()
        .map(|reason| finding(reason.clone(), lines[reason.id.as_str()], whole(&reason.id)));
    Ok(Wanted {
        rules: plan.rules,
        findings: findings.collect(),
        known_until: match &report {
            Some(report) => known_until(report),
            None => of_steps(&steps, plan.as_of),
        },
        is_report: report.is_some(),
        report_sha256: plan.report_sha256,
        steps,
        facts,
    })
}

fn step(step: report::Step) -> Result<Step, String> {
    let report::Step { step: number, server, pool, action, accounts, why, .. } = step;
    let front_end = front_end_pool(&pool)
        .ok_or_else(|| format!("step {number}: `{pool}` is no pool of an Exchange front end"))?;
    let pool = (host_name(&server), front_end);
    Ok(Step { number, server, pool, action, accounts, why })
}

/// The name of a front-end pool as it is known here.
fn front_end_pool(pool: &str) -> Option<&'static str> {
    let mut pools = exchange::pools().into_iter();
    pools.find(|known| !known.is_empty() && known.eq_ignore_ascii_case(pool))
}

/// Findings that may go on, though no step ends them.
fn left(report: &Report, reasons: &[Reason]) -> Vec<Reason> {
    let is_judged = |id: &String| reasons.iter().any(|reason| reason.id == *id);
    let may_go_on = |finding: &&report::Finding| finding.paths.iter().any(may_go_on);
    let findings = report.findings.iter().filter(|finding| !is_judged(&finding.id));
    findings.filter(may_go_on).map(Reason::of).collect()
}

fn may_go_on(path: &report::Path) -> bool {
    matches!(path.state, "open" | "unknown")
}

/// A plan alone tells how far all of its logs reached.
fn of_steps(steps: &[Step], as_of: Option<DateTime<Utc>>) -> BTreeMap<String, DateTime<Utc>> {
    steps.iter().filter_map(|step| Some((step.pool.0.clone(), as_of?))).collect()
}

fn known_until(report: &Report) -> BTreeMap<String, DateTime<Utc>> {
    let mut until: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
    let of_requests = |kind: Word| matches!(kind, "iis-w3c" | "http-proxy");
    for coverage in report.coverage.iter().filter(|coverage| of_requests(coverage.kind)) {
        let to = report.rules.until.map_or(coverage.to, |until| until.min(coverage.to));
        let known = until.entry(host_name(&coverage.server)).or_insert(to);
        *known = to.max(*known);
    }
    until
}

/// Everything that the report tells of an account by its names and changes, and which of it each finding is.
fn of_report<'a>(
    report: &'a Report,
    account: &str,
    facts: &mut Vec<Told>,
    lines: &mut BTreeMap<&'a str, u64>,
) {
    let findings: Vec<&report::Finding> =
        report.findings.iter().filter(|finding| finding.account == account).collect();
    for change in report.changes.iter().filter(|change| change.account == account) {
        let Some(kind) = ChangeKind::from_word(change.kind) else { continue };
        let line = facts.len() as u64 + 1;
        let own = findings.iter().filter(|finding| finding.change == change.id);
        let sid = change.sid.as_deref();
        let told = event::Change {
            pos: Pos::Line(line),
            time: change.at,
            precision: match change.precision {
                "exact" => Precision::Exact,
                _ => Precision::AtLatest,
            },
            kind: restored(kind, change, &findings),
            account: identity(account, account, sid),
            actor: change.actor.clone(),
        };
        let voice = voice(report, change);
        // Two sources of the report contradict each other.
        facts.extend(change.disputed_until.map(|time| {
            let fact = Fact::Change(event::Change { time, ..told.clone() });
            Told { source: 1, voice: voice.max(Voice::List), fact }
        }));
        facts.push(Told { source: 0, voice, fact: Fact::Change(told) });
        for finding in own {
            lines.insert(&finding.id, line);
            let names: BTreeSet<&str> =
                finding.paths.iter().map(|path| path.name.as_str()).collect();
            facts.extend(names.into_iter().map(|name| named_so(name, account, sid, line)));
        }
    }
}

/// What put off an expiry is told as an enable as well. A disable that was seen to be in effect later was not ended by it.
fn restored(
    kind: ChangeKind,
    change: &report::Change,
    findings: &[&report::Finding],
) -> ChangeKind {
    let lasted = |finding: &&&report::Finding| {
        matches!(finding.kind, "disabled" | "deleted")
            && finding.at < change.at
            && finding.paths.iter().any(|path| may_go_on(path) && path.last > change.at)
    };
    let is_exact = change.precision == "exact";
    match kind == ChangeKind::Enabled && is_exact && findings.iter().any(|f| lasted(&f)) {
        true => ChangeKind::Prolonged,
        false => kind,
    }
}

/// What a plan alone tells of a finding.
fn of_reason(reason: &Reason, facts: &mut Vec<Told>) -> u64 {
    let line = facts.len() as u64 + 1;
    let fact = Fact::Change(event::Change {
        pos: Pos::Line(line),
        time: reason.at,
        precision: Precision::Exact,
        kind: ChangeKind::from_word(reason.kind).unwrap_or(ChangeKind::Disabled),
        account: identity(&reason.account, &reason.account, None),
        actor: None,
    });
    facts.push(Told { source: 0, voice: Voice::Event, fact });
    line
}

fn named_so(name: &str, account: &str, sid: Option<&str>, line: u64) -> Told {
    let fact = Fact::Account {
        pos: Pos::Line(line),
        account: identity(name, account, sid),
        enabled: None,
        changed: None,
        expires: None,
        mailbox: None,
    };
    Told { source: 0, voice: Voice::State, fact }
}

/// The best kind of source that told a change.
fn voice(report: &Report, change: &report::Change) -> Voice {
    let kind = |path: &str| report.sources.iter().find(|source| source.path == path);
    let voices = change.evidence.iter().filter_map(|evidence| kind(&evidence.path));
    let voice = |source: &report::Source| match source.kind {
        "change-list" => Voice::List,
        "ad-csv" | "ldif" | "repl-metadata" => Voice::State,
        _ => Voice::Event,
    };
    voices.map(voice).min().unwrap_or(Voice::Event)
}

/// An account under one of its names. That they are one account's, which the report knows from sources that are not here,
/// is said by a GUID that is none.
fn identity(name: &str, account: &str, sid: Option<&str>) -> Identity {
    let sid = sid.map(str::to_owned);
    let guid = Some(format!("{account} {}", sid.as_deref().unwrap_or_default()));
    Identity { sid, guid, ..named(name) }
}

fn finding(reason: Reason, line: u64, whole: Option<&report::Finding>) -> Finding {
    let all = whole.map_or(&[][..], |finding| &finding.paths);
    let names: BTreeSet<&str> =
        all.iter().map(|path| path.name.as_str()).chain([reason.account.as_str()]).collect();
    let names = names.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let doubts = all.iter().filter_map(doubt).collect();
    Finding { line, names, paths: paths(all), doubts, reason }
}

/// Whose requests these are was not known, and need not be seen in the logs that are here.
fn doubt(path: &report::Path) -> Option<(String, Option<Vec<Client>>)> {
    let says = |ground| path.why.iter().any(|why| why == words::of_ground(ground));
    let name = path.name.to_lowercase();
    let is_others = says(Ground::UsersDisagree) || says(Ground::OtherSid);
    match (says(Ground::SharedName), is_others) {
        (true, _) => Some((name, None)),
        (false, true) => Some((name, Some(path.clients.clone()))),
        (false, false) => None,
    }
}

/// Paths by place and name: the report parts what is certain from what is not.
fn paths(all: &[report::Path]) -> Vec<Path> {
    let mut paths: BTreeMap<(Pool, String), Path> = BTreeMap::new();
    for path in all {
        let pool = (host_name(&path.server), front_end_pool(&path.pool).unwrap_or_default());
        let here = paths.entry((pool.clone(), path.name.to_lowercase())).or_insert_with(|| Path {
            pool,
            name: Some(path.name.clone()),
            protocol: Some(path.protocol),
            last: None,
            clients: Vec::new(),
            may_go_on: false,
            is_refused: true,
            is_other_auth: false,
        });
        here.last = here.last.max(Some(path.last));
        here.clients.extend(path.clients.iter().cloned());
        here.may_go_on |= may_go_on(path);
        here.is_refused &= path.state == "refused";
        here.is_other_auth |= path.class == "other_auth";
    }
    paths.into_values().collect()
}

#[cfg(test)]
mod tests;
