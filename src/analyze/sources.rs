//! What was read of a source to how the report and `inspect` describe it.

use super::Run;
use crate::input::{Encoding, Stored};
use chrono::DateTime;
use stillin_parsers::event::Pos;
use stillin_parsers::kind::Kind;
use stillin_reports::report;

/// The first rejects of a source with their places, and the number of all.
pub fn rejects(run: &Run<'_>, index: usize) -> (Vec<(Pos, String)>, u64) {
    if let Some(log) = run.collected.logs.get(&index) {
        let first = log.tally.rejects.iter();
        let first = first.map(|(line, reason)| (Pos::Line(*line), reason.to_string())).collect();
        return (first, log.tally.rejected);
    }
    let Some(evidence) = run.evidence.get(&index) else { return (Vec::new(), 0) };
    let first = evidence.rejects.iter().map(|reject| (reject.pos, reject.reason.to_string()));
    (first.collect(), evidence.tally.rejected)
}

/// What is known of the bytes of a source that was read.
fn stored<'a>(run: &'a Run<'_>, index: usize) -> Option<&'a Stored> {
    let log = run.collected.logs.get(&index).and_then(|log| log.stored.as_ref());
    log.or_else(|| run.evidence.get(&index).and_then(|evidence| evidence.stored.as_ref()))
}

/// Why a source was not read, or not to its end.
pub fn error(run: &Run<'_>, index: usize) -> Option<String> {
    let not_opened = run.evidence.get(&index).and_then(|evidence| evidence.error.clone());
    let not_opened = not_opened.or_else(|| run.collected.errors.get(&index).cloned());
    let damage = stored(run, index).and_then(|stored| stored.damage.clone());
    run.files[index].problem.clone().or(not_opened).or(damage)
}

/// A source as the report and `inspect` describe it.
pub fn source(run: &Run<'_>, index: usize) -> report::Source {
    let file = &run.files[index];
    let log = run.collected.logs.get(&index);
    let evidence = run.evidence.get(&index);
    let stored = stored(run, index);
    let time = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let span = log.and_then(|log| log.tally.span).map(|(from, to)| (time(from), time(to)));
    let span = span.or(evidence.and_then(|e| e.tally.first.zip(e.tally.last)));
    let (first_rejects, rejected) = rejects(run, index);
    report::Source {
        path: file.source.path.clone(),
        kind: file.kind.word(),
        server: run.collected.server_of_log.get(&index).cloned(),
        bytes: stored.map_or(file.bytes, |stored| stored.bytes),
        sha256: stored.and_then(|stored| stored.sha256.clone()),
        records: log
            .map(|log| log.tally.requests + log.tally.rejected)
            .or(evidence.map(|e| e.tally.records))
            .unwrap_or(0),
        rejected,
        repaired: log.map_or(0, |log| log.tally.repaired),
        nul_runs: log.map_or(0, |log| log.tally.nul_runs),
        noise: log.map_or(0, |log| log.noise),
        back_end: run.collected.doubles.get(&(index as u32)).copied().unwrap_or(0),
        copied: run.collected.copied.get(&(index as u32)).copied().unwrap_or(0),
        first: span.map(|(first, _)| first),
        last: span.map(|(_, last)| last),
        encoding: None,
        columns: None,
        rejects: first_rejects
            .into_iter()
            .map(|(pos, reason)| report::Reject { pos: pos.number(), reason })
            .collect(),
        error: error(run, index),
    }
}

/// A source with what only `inspect` says.
pub fn inspected(run: &Run<'_>, index: usize) -> report::Source {
    let file = &run.files[index];
    let columns = match (run.collected.logs.get(&index), run.evidence.get(&index)) {
        (Some(log), _) => log.columns.clone(),
        (None, Some(evidence)) => evidence.columns.clone(),
        (None, None) => Vec::new(),
    };
    report::Source {
        encoding: file.encoding.map(|encoding| encoding_word(encoding, file.kind)),
        columns: Some(columns),
        ..source(run, index)
    }
}

/// The word of an encoding in `inspect`.
fn encoding_word(encoding: Encoding, kind: Kind) -> &'static str {
    match encoding {
        _ if kind == Kind::Evtx => "binary",
        Encoding::Utf8 => "utf-8",
        Encoding::Utf8Bom => "utf-8-bom",
        Encoding::Utf16Le => "utf-16le",
        Encoding::Utf16Be => "utf-16be",
        Encoding::Bytes => "ansi",
    }
}
