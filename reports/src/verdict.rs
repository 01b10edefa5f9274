//! A report to one verdict: who was still served, whether that goes on, or why it cannot be said.
//! "No residual access" is claimed only as far as the coverage carries it (DESIGN.md section 3).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::page::Ink;
use crate::read::read_whole;
use crate::report::{Change, Report};
use crate::text::{count, minute, number, safe};

/// Kinds of change that end access.
const CUTS: [&str; 6] =
    ["disabled", "deleted", "expired", "password_changed", "password_reset", "password_set"];

/// Kinds of source that tell of requests.
const WEB_LOGS: [&str; 2] = ["iis-w3c", "http-proxy"];

/// Servers that the verdict names before it says "and 3 more".
const SERVERS: usize = 5;

/// The one sentence that must be read, or two.
pub fn verdict(report: &Report) -> (Ink, String) {
    let (ink, text) = of_findings(report);
    let by_design = report.by_design.len() as u64;
    if by_design == 0 {
        return (ink, text);
    }
    let accounts = count(by_design, "account", "accounts");
    let (are, were) = if by_design == 1 { ("is", "was") } else { ("are", "were") };
    let ink = if ink == Ink::Good { Ink::Doubt } else { ink };
    let text = format!(
        "{text} {accounts} that {are} disabled by design {were} met in the logs: see below."
    );
    (ink, text)
}

fn of_findings(report: &Report) -> (Ink, String) {
    if report.findings.iter().any(|finding| rank(finding.residual) > 0) {
        let (ink, text) = served(report);
        let left_out = excluded(report).map(|n| format!(" Left out: {n}, see below."));
        (ink, text + &left_out.unwrap_or_default())
    } else {
        let (ink, mut text) = not_served(report);
        // Whoever is excluded was served: nothing is clear, however well the others stand.
        let left_out = excluded(report);
        let ink = if left_out.is_some() { Ink::Doubt } else { ink };
        let is_told = |n: &String| text.contains(n.as_str());
        let untold = left_out.filter(|n| !is_told(n));
        if let Some(n) = &untold {
            text += &format!(" Left out: {n}, see below.");
        }
        let partly = report.sources.iter().filter(|source| !read_whole(source)).count();
        if partly > 0 {
            text += &format!(
                " {} not read whole: see below.",
                count(partly as u64, "source was", "sources were")
            );
        }
        if !report.notes.is_empty() && untold.is_none() {
            text += " But see below for what would make it surer.";
        }
        if !report.findings.is_empty() {
            text += &format!(
                " {} could not be judged: see below.",
                count(report.findings.len() as u64, "change", "changes")
            );
            return (Ink::Doubt, text);
        }
        (if partly > 0 || !report.notes.is_empty() { Ink::Doubt } else { ink }, text)
    }
}

/// What was found, and is left out of the report, or was found on an earlier night and cannot be judged on this one.
pub fn excluded(report: &Report) -> Option<String> {
    let of = |n: u64, one: &str, many: &str| (n > 0).then(|| count(n, one, many));
    let excluded = of(report.excluded, "excluded finding", "excluded findings");
    let undecided = of(
        report.undecided,
        "case that cannot be judged any more",
        "cases that cannot be judged any more",
    );
    match (excluded, undecided) {
        (Some(excluded), Some(undecided)) => Some(format!("{excluded} and {undecided}")),
        (one, other) => one.or(other),
    }
}

/// How grave: 3 certain, 2 likely, 1 possible, 0 none.
pub fn rank(residual: &str) -> u8 {
    match residual {
        "certain" => 3,
        "likely" => 2,
        "possible" => 1,
        _ => 0,
    }
}

/// Whether it goes on, of one account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Now {
    Over,
    /// Nobody knows, of access that is less sure than the account's surest, which is over.
    RestUnknown,
    Unknown,
    /// It may, by access that is less sure than the account's surest.
    MaybeOpen,
    Open,
}

fn served(report: &Report) -> (Ink, String) {
    let mut accounts: BTreeMap<&str, (u8, Now)> = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| rank(finding.residual) > 0) {
        let entry = accounts.entry(&finding.account).or_insert((0, Now::Over));
        entry.0 = entry.0.max(rank(finding.residual));
    }
    for finding in report.findings.iter().filter(|finding| rank(finding.residual) > 0) {
        let Some((surest, now)) = accounts.get_mut(finding.account.as_str()) else { continue };
        for path in &finding.paths {
            // What is less sure must neither make what is certain look open, nor be forgotten.
            *now = (*now).max(match (path.state, rank(path.residual) < *surest) {
                ("open", false) => Now::Open,
                ("open", true) => Now::MaybeOpen,
                ("expired" | "refused" | "recycled", _) => Now::Over,
                (_, false) => Now::Unknown,
                (_, true) => Now::RestUnknown,
            });
        }
    }
    let graded = |grade: u8| accounts.values().filter(|(rank, _)| *rank == grade).count() as u64;
    let now = |state: Now| accounts.values().filter(|(_, now)| *now == state).count() as u64;
    let all = accounts.len() as u64;
    let (certain, likely, possible) = (graded(3), graded(2), graded(1));

    let (first, adverb) = match (certain, likely) {
        (0, 0) => (possible, "possibly "),
        (0, _) => (likely, "probably "),
        _ => (certain, ""),
    };
    let were = |n: u64| if n == 1 { "was" } else { "were" };
    let they = if first == 1 { "it" } else { "they" };
    let mut text = format!(
        "{} {} {adverb}served after {they} {} cut off",
        count(first, "account", "accounts"),
        were(first),
        were(first),
    );
    if certain > 0 && likely > 0 {
        text += &format!(", {} more probably", number(likely));
    }
    if certain + likely > 0 && possible > 0 {
        text += &format!(", {} more possibly", number(possible));
    }
    // A client that may hold the new password may be served because of it.
    let can = if accounts.values().any(|state| *state == (3, Now::Open)) { "can" } else { "may" };
    text += &match (now(Now::Open), all) {
        (0, _) => ".".to_owned(),
        (1, 1) => format!("; it {can} be right now."),
        (open, all) if open == all => format!("; all of them {can} be right now."),
        (open, _) => format!("; {} of them {can} be right now.", number(open)),
    };
    text += &match (now(Now::MaybeOpen), all) {
        (0, _) => String::new(),
        (1, 1) => " Whether it goes on is not certain: it may be served right now.".to_owned(),
        (maybe, _) if maybe == all => {
            " Whether it goes on is not certain: all of them may be served right now.".to_owned()
        }
        (maybe, _) => format!(
            " Whether it goes on is not certain for {} of them: {} may be served right now.",
            number(maybe),
            if maybe == 1 { "it" } else { "they" }
        ),
    };
    let goes_on = now(Now::Open) + now(Now::MaybeOpen);
    let (unknown, of_rest) = (now(Now::Unknown), now(Now::RestUnknown));
    text += &match (unknown + of_rest, goes_on) {
        (0, 0) => " As far as the logs reach, that has ended.".to_owned(),
        (0, _) => String::new(),
        (_, 0) if unknown == 0 => {
            " As far as the logs reach, what is sure of that has ended; whether the rest has is unknown.".to_owned()
        }
        (unknown, _) if unknown == all => " Whether that has ended is unknown.".to_owned(),
        (unknown, _) => {
            format!(" For {} of them it is unknown whether that has ended.", number(unknown))
        }
    };
    (if certain > 0 { Ink::Bad } else { Ink::Doubt }, text)
}

fn not_served(report: &Report) -> (Ink, String) {
    let doubt = |text: &str| (Ink::Doubt, text.to_owned());
    if report.sources.is_empty() {
        return doubt("Nothing was read, so nothing can be said.");
    }
    let end = report.coverage.iter().map(|coverage| coverage.to).max();
    // An expiry to come is no change yet.
    let has_come = |c: &&Change| c.kind != "expired" || end.is_none_or(|end| c.at <= end);
    let cuts = report.changes.iter().filter(|c| CUTS.contains(&c.kind));
    let cuts: Vec<&Change> = cuts.filter(has_come).collect();
    if cuts.is_empty() {
        return doubt(
            "No change that cuts an account off was found, so it cannot be said who was served after one.",
        );
    }
    let changes = count(cuts.len() as u64, "change", "changes");
    let reach = reach(report);
    if reach.is_empty() && report.coverage.iter().any(|c| WEB_LOGS.contains(&c.kind)) {
        return doubt(&format!(
            "{changes}, but no log has an entry in the time that was asked for: it cannot be said who was served.",
        ));
    }
    if reach.is_empty() {
        return (
            Ink::Doubt,
            match report.sources.iter().any(|source| WEB_LOGS.contains(&source.kind)) {
                true => format!(
                    "{changes}, but no log that tells who was served: it cannot be said who was afterwards."
                ),
                false => {
                    format!(
                        "{changes}, but no web log: it cannot be said who was served afterwards."
                    )
                }
            },
        );
    }
    let (mut whole, mut dark) = (0_u64, 0_u64);
    for change in &cuts {
        if reach.values().all(|(from, to)| *from <= change.at && change.at < *to) {
            whole += 1;
        } else if reach.values().all(|(_, to)| *to <= change.at) {
            dark += 1;
        }
    }
    let partly = cuts.len() as u64 - whole - dark;
    if whole + partly == 0 {
        return (
            Ink::Doubt,
            format!(
                "{changes}, but the logs end before ({}): \
                 it cannot be said who was served afterwards.",
                ends(&reach)
            ),
        );
    }
    let judged = whole + partly;
    let of = match (judged, dark) {
        (1, 0) => "the one change".to_owned(),
        (_, 0) => format!("any of {changes}"),
        _ => format!("{} of {changes}", number(judged)),
    };
    let beyond = excluded(report).map(|n| format!(" beyond {n}")).unwrap_or_default();
    let mut text = format!(
        "No residual access{beyond} after {of}, as far as the logs reach ({}).",
        ends(&reach)
    );
    if dark > 0 {
        text += &format!(" {} came after the logs end: nothing can be said there.", number(dark));
    }
    if partly > 0 {
        text += &format!(
            " {} covered only in part: the logs of some server begin later or end sooner.",
            match (judged, partly) {
                (1, _) => "It is".to_owned(),
                (_, 1) => "1 of them is".to_owned(),
                _ => format!("{} of them are", number(partly)),
            }
        );
    }
    let first = cuts.iter().map(|change| change.at).min();
    let gaps = report
        .coverage
        .iter()
        .filter(|coverage| WEB_LOGS.contains(&coverage.kind))
        .flat_map(|coverage| &coverage.gaps)
        .filter(|gap| first.is_some_and(|first| gap.to > first))
        .count();
    if gaps > 0 {
        text += &format!(" The logs have {}: see below.", count(gaps as u64, "gap", "gaps"));
    }
    (if dark + partly + gaps as u64 == 0 { Ink::Good } else { Ink::Doubt }, text)
}

/// First and last entry of each server's web logs, as far as they were looked at.
fn reach(report: &Report) -> BTreeMap<&str, (DateTime<Utc>, DateTime<Utc>)> {
    let mut reach = BTreeMap::new();
    for coverage in report.coverage.iter().filter(|coverage| WEB_LOGS.contains(&coverage.kind)) {
        let span = reach.entry(coverage.server.as_str()).or_insert((coverage.from, coverage.to));
        *span = (span.0.min(coverage.from), span.1.max(coverage.to));
    }
    for (from, to) in reach.values_mut() {
        *from = report.rules.since.map_or(*from, |since| since.max(*from));
        *to = report.rules.until.map_or(*to, |until| until.min(*to));
    }
    reach.retain(|_, (from, to)| from <= to);
    reach
}

fn ends(reach: &BTreeMap<&str, (DateTime<Utc>, DateTime<Utc>)>) -> String {
    let mut words: Vec<String> = reach
        .iter()
        .take(SERVERS)
        .map(|(server, (_, to))| format!("{} until {}", safe(server), minute(to)))
        .collect();
    if reach.len() > SERVERS {
        words.push(format!("and {} more", number((reach.len() - SERVERS) as u64)));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests;
