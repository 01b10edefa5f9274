//! A report to the words of the page that stand there without a script: the verdict, counts, what to do, the table of
//! findings, and how far what was read reaches.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::chart::{self, Bars, Columns};
use super::reach::{of_coverage, of_partly, of_source, read};
use super::tiles::{Tile, tiles};
use super::{grade_ink, ink, plain, state_ink, state_word};
use crate::case;
use crate::page::Ink;
use crate::read::read_whole;
use crate::report::{Change, Finding, Path, Report, Week};
use crate::terminal::{doubt, names};
use crate::text::{count, duration, number, safe, time};
use crate::timeline::Timelines;
use crate::verdict::{excluded, rank, verdict};

/// Rows of a list that is none of findings.
const ROWS: usize = 500;
/// Findings that are named among what is open.
const OPEN: usize = 8;
/// Reasons, and findings of a step, that are named.
const PIECES: usize = 8;

/// Everything the template shows.
pub struct View {
    pub version: String,
    pub title: String,
    pub ink: &'static str,
    pub sign: &'static str,
    pub verdict: String,
    pub tiles: Vec<Tile>,
    pub open: Vec<Open>,
    pub more_open: String,
    pub steps: Vec<StepRow>,
    pub more_steps: String,
    pub advice: Vec<Advice>,
    pub bars: [Bars; 2],
    pub columns: [Columns; 2],
    pub weeks: Vec<[String; 7]>,
    pub findings: Vec<Row>,
    pub has_timelines: bool,
    pub kinds: Vec<String>,
    pub by_design: Vec<ByDesign>,
    pub notes: Vec<String>,
    pub partly: Vec<(String, Vec<String>)>,
    pub read: Vec<(String, bool)>,
    pub coverage: Vec<[String; 4]>,
    pub sources: Vec<[String; 5]>,
    pub more_sources: String,
}

/// One finding that may go on.
pub struct Open {
    pub id: String,
    pub account: String,
    pub grade: (String, &'static str),
    pub since: String,
}

/// One step of the plan.
pub struct StepRow {
    pub step: String,
    pub server: String,
    pub pool: String,
    pub accounts: String,
    pub others: String,
    pub why: Vec<String>,
    pub doubt: &'static str,
}

/// What to do, and for whom.
pub struct Advice {
    pub text: String,
    pub whom: String,
}

/// One row of the table of findings.
pub struct Row {
    pub id: String,
    pub account: String,
    pub kind: String,
    /// Day and time of day.
    pub at: [String; 2],
    pub grade: (String, &'static str),
    pub state: (&'static str, &'static str),
    pub exposure: String,
    /// Day and time of day.
    pub last: [String; 2],
    pub requests: String,
    pub data: String,
    pub places: String,
}

/// One account that is disabled by design.
pub struct ByDesign {
    pub account: String,
    pub mailbox: String,
    pub since: String,
    pub requests: String,
    pub why: Vec<String>,
}

impl View {
    /// Everything out of a report.
    pub fn of(report: &Report, timelines: &Timelines) -> View {
        let (of_verdict, words) = verdict(report);
        let of_state = |word: &str| -> Vec<&Finding> {
            report.findings.iter().filter(|finding| case::state(finding) == word).collect()
        };
        let (sure, maybe) = (of_state("open"), of_state(case::MAYBE_OPEN));
        let open: Vec<&Finding> = sure.iter().chain(&maybe).copied().collect();
        let kinds: BTreeSet<&str> = report.findings.iter().map(|finding| finding.kind).collect();
        let findings: BTreeMap<&str, &Finding> =
            report.findings.iter().map(|finding| (finding.id.as_str(), finding)).collect();
        View {
            version: plain(safe(&report.tool.version)),
            title: title(report),
            ink: ink(of_verdict),
            sign: match of_verdict {
                Ink::Bad => "Access was found",
                Ink::Good => "No access was found",
                _ => "Not certain",
            },
            verdict: plain(words),
            tiles: tiles(report, (&sure, &maybe), of_verdict),
            has_timelines: !timelines.list.is_empty(),
            open: open.iter().take(OPEN).map(|finding| of_open(finding)).collect(),
            more_open: more(open.len(), OPEN),
            steps: report.plan.iter().take(ROWS).map(|step| of_step(step, &findings)).collect(),
            more_steps: more(report.plan.len(), ROWS),
            advice: of_advice(report),
            bars: [chart::by_account(report), chart::by_pool(report)],
            columns: [chart::by_time(&timelines.spells), chart::trend(&report.trend)],
            weeks: report.trend.iter().rev().map(of_week).collect(),
            findings: report.findings.iter().map(of_finding).collect(),
            kinds: kinds.into_iter().map(case::kind).collect(),
            by_design: report
                .by_design
                .iter()
                .take(ROWS)
                .map(|account| {
                    let change = report.changes.iter().find(|change| change.id == account.change);
                    of_by_design(account, change)
                })
                .collect(),
            notes: report.notes.iter().take(ROWS).map(|note| plain(safe(note))).collect(),
            partly: report
                .sources
                .iter()
                .filter(|source| !read_whole(source))
                .take(ROWS)
                .map(of_partly)
                .collect(),
            read: read(report),
            coverage: report.coverage.iter().take(ROWS).map(of_coverage).collect(),
            sources: report.sources.iter().take(ROWS).map(of_source).collect(),
            more_sources: more(report.sources.len(), ROWS),
        }
    }
}

fn title(report: &Report) -> String {
    let beyond = excluded(report).map(|n| format!(" beyond {}", plain(n))).unwrap_or_default();
    match report.findings.len() as u64 {
        0 => format!("stillin: no findings{beyond}"),
        n => format!("stillin: {}{beyond}", count(n, "finding", "findings")),
    }
}

/// How many more there are; nothing if there are none.
fn more(all: usize, shown: usize) -> String {
    match all.saturating_sub(shown) as u64 {
        0 => String::new(),
        more => number(more),
    }
}

/// The same advice for many accounts stands once; each finding has its own.
fn of_advice(report: &Report) -> Vec<Advice> {
    let mut texts: Vec<&str> = Vec::new();
    let mut whom: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for advice in &report.advice {
        let of_text = whom.entry(&advice.text).or_default();
        if of_text.is_empty() {
            texts.push(&advice.text);
        }
        of_text.push(format!("{} at {}", advice.account, advice.server));
    }
    let advice = |text: &str| Advice {
        text: plain(safe(text)),
        whom: plain(names(whom.get(text).map_or(&[], Vec::as_slice))),
    };
    texts.into_iter().take(ROWS).map(advice).collect()
}

fn of_open(finding: &Finding) -> Open {
    let is_sure = case::state(finding) == "open";
    let open = || finding.paths.iter().filter(|path| path.state == "open");
    // How sure the finding is says nothing of what only may go on.
    let grade = match open().max_by_key(|path| rank(path.residual)) {
        Some(path) if !is_sure => (format!("may be: {}", path.residual), grade_ink(path.residual)),
        _ => (safe(finding.residual), grade_ink(finding.residual)),
    };
    let last = match open().map(|path| path.last).max() {
        Some(last) if !is_sure => format!("{}, but not for certain", time(&last)),
        _ => time(&finding.last),
    };
    Open {
        id: safe(&finding.id),
        account: plain(safe(&finding.account)),
        grade,
        since: plain(format!(
            "{} {}; last seen {last}",
            case::kind(finding.kind),
            time(&finding.at)
        )),
    }
}

fn of_step(step: &crate::report::Step, findings: &BTreeMap<&str, &Finding>) -> StepRow {
    StepRow {
        step: number(step.step),
        server: plain(safe(&step.server)),
        pool: plain(safe(&step.pool)),
        accounts: names(&step.accounts),
        others: match step.other_users {
            0 => "nobody else is active there".to_owned(),
            n => format!("{} will log on again", count(n, "other user", "others")),
        },
        why: step.why.iter().take(PIECES).map(|id| safe(id)).collect(),
        doubt: doubt(step, findings).unwrap_or_default(),
    }
}

/// Requests of a finding that moved mailbox data, of the paths that its number counts.
pub(super) fn moved(finding: &Finding) -> u64 {
    let counted = finding.paths.iter().filter(|path| path.residual == finding.residual);
    counted.map(|path| path.data_requests).sum()
}

/// The first server and pool of a finding, and how many more there are.
pub(super) fn place(finding: &Finding) -> String {
    let place = |path: &Path| format!("{} {}", safe(&path.server), safe(&path.pool));
    let places: BTreeSet<String> = finding.paths.iter().map(place).collect();
    let first = finding.paths.first().map(place).unwrap_or_default();
    match places.len().saturating_sub(1) as u64 {
        0 => first,
        more => format!("{first}, and {} more", number(more)),
    }
}

fn of_finding(finding: &Finding) -> Row {
    let state = case::state(finding);
    let data = moved(finding);
    Row {
        id: safe(&finding.id),
        account: plain(safe(&finding.account)),
        kind: case::kind(finding.kind),
        at: day_and_time(&finding.at),
        grade: (safe(finding.residual), grade_ink(finding.residual)),
        state: (state_word(state), state_ink(state, finding.residual)),
        exposure: plain(duration(finding.exposure_seconds)),
        last: day_and_time(&finding.last),
        requests: number(finding.requests),
        data: if data > 0 { format!("{} with data", number(data)) } else { String::new() },
        places: plain(place(finding)),
    }
}

fn day_and_time(at: &DateTime<Utc>) -> [String; 2] {
    [at.format("%F").to_string(), at.format("%T").to_string()]
}

fn of_by_design(account: &crate::report::ByDesign, change: Option<&Change>) -> ByDesign {
    let at_latest = change.is_some_and(|change| change.precision == "at_latest");
    ByDesign {
        account: plain(safe(&account.account)),
        mailbox: format!("{} mailbox", safe(account.mailbox)),
        since: plain(format!(
            "disabled {}{}",
            if at_latest { "at the latest " } else { "" },
            time(&account.at)
        )),
        requests: count(account.requests, "request", "requests"),
        why: account.why.iter().take(PIECES).map(|why| plain(safe(why))).collect(),
    }
}

fn of_week(week: &Week) -> [String; 7] {
    let span = |seconds: Option<i64>| seconds.map_or("–".to_owned(), |s| plain(duration(s)));
    [
        safe(&week.monday),
        number(week.new),
        number(week.closed),
        number(week.open),
        span(week.median_seconds),
        span(week.p95_seconds),
        span(week.worst_seconds),
    ]
}
