//! What was read of a report to the words of its last part: how far each log reaches, and what was not read whole.

use chrono::{DateTime, Utc};

use super::plain;
use crate::page::Ink;
use crate::read::{changes, of_clock, rules};
use crate::report::{Coverage, Report, Source};
use crate::text::{count, number, safe, time};

/// Clocks that are told.
const CLOCKS: usize = 500;
/// Rejects of one source, and gaps of one log.
const PIECES: usize = 8;

/// What was read, in sentences, and whether one is a doubt.
pub(super) fn read(report: &Report) -> Vec<(String, bool)> {
    let records: u64 = report.sources.iter().map(|source| source.records).sum();
    let sources = count(report.sources.len() as u64, "source", "sources");
    let mut read = vec![
        (format!("{sources} with {}", count(records, "record", "records")), false),
        (changes(report), false),
        (rules(report), false),
    ];
    read.extend(report.clocks.iter().take(CLOCKS).map(|clock| {
        let (ink, words) = of_clock(clock);
        (words, ink == Ink::Doubt)
    }));
    read.into_iter().map(|(words, is_doubt)| (plain(words), is_doubt)).collect()
}

fn span(from: &DateTime<Utc>, to: &DateTime<Utc>) -> String {
    format!("{} to {}", time(from), time(to))
}

/// Server, log, its reach and its holes.
pub(super) fn of_coverage(coverage: &Coverage) -> [String; 4] {
    let kind = match coverage.protocol {
        Some(protocol) => format!("{} {}", safe(coverage.kind), safe(protocol)),
        None => safe(coverage.kind),
    };
    let mut gaps: Vec<String> =
        coverage.gaps.iter().take(PIECES).map(|gap| span(&gap.from, &gap.to)).collect();
    if coverage.gaps.len() > PIECES {
        gaps.push(format!("{} more", number((coverage.gaps.len() - PIECES) as u64)));
    }
    let gaps = if gaps.is_empty() { "none".to_owned() } else { gaps.join("; ") };
    [safe(&coverage.server), kind, span(&coverage.from, &coverage.to), gaps].map(plain)
}

/// Path, kind, records, reach and hash.
pub(super) fn of_source(source: &Source) -> [String; 5] {
    let reach = source.first.as_ref().zip(source.last.as_ref());
    [
        safe(&source.path),
        safe(source.kind),
        number(source.records),
        reach.map(|(from, to)| span(from, to)).unwrap_or_default(),
        source.sha256.as_deref().map(safe).unwrap_or_default(),
    ]
    .map(plain)
}

/// A source that was not read whole, and why.
pub(super) fn of_partly(source: &Source) -> (String, Vec<String>) {
    let mut words = Vec::new();
    words.extend(source.error.as_deref().map(safe));
    if source.rejected > 0 {
        words.push(format!("{} of {} rejected", number(source.rejected), number(source.records)));
    }
    if source.nul_runs > 0 {
        words.push(count(source.nul_runs, "run of NUL bytes", "runs of NUL bytes"));
    }
    for reject in source.rejects.iter().take(PIECES) {
        words.push(format!("line {}: {}", reject.pos, safe(&reject.reason)));
    }
    (plain(safe(&source.path)), words.into_iter().map(plain).collect())
}
