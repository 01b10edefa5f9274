//! A report to its counts, each with the words that say what is counted.

use std::collections::{BTreeMap, BTreeSet};

use super::plain;
use crate::case;
use crate::page::Ink;
use crate::report::{Finding, Report};
use crate::text::{count, duration, number, safe};
use crate::verdict::{excluded, rank};

/// One count.
pub struct Tile {
    pub number: String,
    pub label: String,
    pub note: String,
    pub ink: &'static str,
}

/// The counts; `open` are the findings that may go on: by what is as sure as they are, and by what is less sure.
pub fn tiles(
    report: &Report,
    (open, maybe): (&[&Finding], &[&Finding]),
    of_verdict: Ink,
) -> Vec<Tile> {
    let mut tiles = vec![accounts(report, of_verdict)];
    if report.findings.is_empty() {
        return tiles;
    }
    tiles.push(of_open(report, open, maybe));
    let paths = || report.findings.iter().flat_map(|finding| &finding.paths);
    let requests: u64 = paths().map(|path| path.requests).sum();
    let counted: u64 = report.findings.iter().map(|finding| finding.requests).sum();
    let data: u64 = paths().map(|path| path.data_requests).sum();
    tiles.push(Tile {
        number: number(requests),
        label: one_or(requests, "request after the change", "requests after the change"),
        note: match requests.saturating_sub(counted) {
            0 => format!("{} moved mailbox data", number(data)),
            less => {
                format!(
                    "{} moved mailbox data; {} less sure than the finding",
                    number(data),
                    number(less)
                )
            }
        },
        ink: "plain",
    });
    // What is only possible must not outdo what is certain.
    let longest = report.findings.iter().max_by_key(|f| (rank(f.residual), f.exposure_seconds));
    tiles.extend(longest.map(|longest| Tile {
        number: plain(duration(longest.exposure_seconds)),
        label: "is the longest exposure".to_owned(),
        note: plain(safe(&longest.account)),
        ink: "plain",
    }));
    let servers: BTreeSet<&str> = report.plan.iter().map(|step| step.server.as_str()).collect();
    let steps = report.plan.len() as u64;
    tiles.push(Tile {
        number: number(steps),
        label: one_or(steps, "pool to recycle", "pools to recycle"),
        note: match steps {
            0 => "nothing that a recycle would cut".to_owned(),
            _ => format!("on {}", count(servers.len() as u64, "server", "servers")),
        },
        ink: "plain",
    });
    tiles
}

fn of_open(report: &Report, open: &[&Finding], maybe: &[&Finding]) -> Tile {
    let is_certain = open.iter().any(|finding| finding.residual == "certain");
    let unknown = report.findings.iter().filter(|finding| case::state(finding) == "unknown");
    let unknown = unknown.count() as u64;
    let (n, n_maybe) = (open.len() as u64, maybe.len() as u64);
    let more =
        if n_maybe > 0 { format!("{} more may be; ", number(n_maybe)) } else { String::new() };
    let (number_of, label, note, ink) = match (n, n_maybe) {
        (0, 0) if unknown > 0 => {
            let note = format!("of {} it is unknown", number(unknown));
            (0, one_or(0, "", "findings are open"), note, "doubt")
        }
        (0, 0) => {
            let note = "as far as the logs reach".to_owned();
            (0, one_or(0, "", "findings are open"), note, "good")
        }
        (0, _) => {
            let note = "not certain; access may go on as you read".to_owned();
            (n_maybe, one_or(n_maybe, "finding may be open", "findings may be open"), note, "doubt")
        }
        _ => {
            let sure = if is_certain { "" } else { "not certain; " };
            let note = format!("{more}{sure}access may go on as you read");
            let ink = if is_certain { "bad" } else { "doubt" };
            (n, one_or(n, "finding is open", "findings are open"), note, ink)
        }
    };
    Tile { number: number(number_of), label, note, ink }
}

fn one_or(n: u64, one: &str, several: &str) -> String {
    if n == 1 { one.to_owned() } else { several.to_owned() }
}

/// The accounts that were served, each by the surest of its findings; those that are sure as no others are come first,
/// as in the verdict.
fn accounts(report: &Report, of_verdict: Ink) -> Tile {
    let mut accounts: BTreeMap<&str, u8> = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| rank(finding.residual) > 0) {
        let best = accounts.entry(&finding.account).or_default();
        *best = rank(finding.residual).max(*best);
    }
    let graded = |grade: u8| accounts.values().filter(|rank| **rank == grade).count() as u64;
    let adverbs = [(3, "certainly"), (2, "probably"), (1, "possibly")];
    let sure = adverbs.into_iter().map(|(grade, adverb)| (graded(grade), adverb));
    let sure: Vec<(u64, &str)> = sure.filter(|(n, _)| *n > 0).collect();
    let Some(((n, adverb), others)) = sure.split_first() else {
        let known =
            if of_verdict == Ink::Good { "as far as the logs reach" } else { "as far as is known" };
        let note = excluded(report).map_or(known.to_owned(), |n| format!("beyond {}", plain(n)));
        let label = "accounts served after the change".to_owned();
        return Tile { number: number(0), label, note, ink: "plain" };
    };
    let adverb_of_first = if *adverb == "certainly" { "" } else { adverb };
    let label = [one_or(*n, "account", "accounts"), adverb_of_first.to_owned()].join(" ");
    let label = format!("{} served after the change", label.trim_end());
    let others: Vec<String> =
        others.iter().map(|(n, adverb)| format!("{} more {adverb}", number(*n))).collect();
    Tile {
        number: number(*n),
        label,
        note: if others.is_empty() { adverb.to_string() } else { others.join(", ") },
        ink: if *adverb == "certainly" { "bad" } else { "doubt" },
    }
}
