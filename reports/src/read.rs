//! A report to the last part of the summary: what was read and how far it reaches, and what was
//! not read. Nothing is lost silently (DESIGN.md section 5, rule 1).

use std::collections::BTreeMap;

use crate::Style;
use crate::page::{Ink, Span, line, pad, width};
use crate::report::{Clock, Coverage, Report, Source};
use crate::terminal::{entry, heading, more, names};
use crate::text::{count, duration, number, safe, time};

/// Servers and kinds that are shown.
const COVERAGE: usize = 50;
/// Gaps of one of them.
const GAPS: usize = 5;
/// Sources not read whole, and notes, that are shown, each.
const SOURCES: usize = 20;
/// Rejects of one source.
const REJECTS: usize = 5;

/// Counts of each kind of source, changes, rules, and the reach of each server's logs.
pub fn what_was_read(out: &mut String, style: Style, report: &Report) {
    heading(out, style, "What was read", 0, 0);
    sources(out, style, &report.sources);
    line(out, style, (2, 4), &[(Ink::Plain, changes(report))]);
    line(out, style, (2, 4), &[(Ink::Plain, rules(report))]);
    clocks(out, style, report);
    coverage(out, style, &report.coverage);
}

/// Counts of each kind of source.
pub(crate) fn sources(out: &mut String, style: Style, sources: &[Source]) {
    let mut kinds: BTreeMap<&str, Tally> = BTreeMap::new();
    for source in sources {
        kinds.entry(source.kind).or_default().add(source);
    }
    let rows: Vec<[String; 3]> = kinds
        .iter()
        .map(|(kind, tally)| {
            [
                safe(kind),
                count(tally.sources, "source", "sources"),
                count(tally.records, "record", "records"),
            ]
        })
        .collect();
    let wide = |i: usize| rows.iter().map(|row| width(&row[i])).max().unwrap_or(0);
    for (row, tally) in rows.iter().zip(kinds.values()) {
        let [kind, sources, records] = row;
        let cells = format!(
            "{}  {}  {}{}",
            pad(kind, wide(0)),
            pad(sources, wide(1)),
            records,
            tally.beside()
        );
        line(out, style, (2, 4), &[(Ink::Plain, cells)]);
    }
    if sources.is_empty() {
        line(out, style, (2, 4), &[(Ink::Doubt, "nothing".to_owned())]);
    }
}

/// How the clock of a server stands, in words.
pub(crate) fn of_clock(clock: &Clock) -> Span {
    let (server, controller) = (safe(&clock.server), safe(&clock.controller));
    let pairs = count(clock.pairs, "logon that both have", "logons that both have");
    let (ink, words) = match clock.ahead_seconds {
        None => (Ink::Doubt, format!("may be any: {pairs} do not agree")),
        Some(0) => (Ink::Plain, format!("is that of {controller}, by {pairs}")),
        Some(ahead) => {
            let side = if ahead > 0 { "ahead of" } else { "behind" };
            let by = duration(ahead.saturating_abs());
            (Ink::Doubt, format!("is {by} {side} {controller}, by {pairs}: allowed for as well"))
        }
    };
    let against = if clock.ahead_seconds.is_none() {
        format!(" against {controller}")
    } else {
        String::new()
    };
    (ink, format!("the clock of {server}{against} {words}"))
}

/// How the clocks stand, and what follows from it.
fn clocks(out: &mut String, style: Style, report: &Report) {
    let shown = report.clocks.len().min(COVERAGE);
    for clock in &report.clocks[..shown] {
        line(out, style, (2, 4), &[of_clock(clock)]);
    }
    more(out, style, 2, shown, report.clocks.len());
}

/// What one kind of source came to; also of one source alone.
#[derive(Default)]
pub(crate) struct Tally {
    sources: u64,
    records: u64,
    rejected: u64,
    repaired: u64,
    nul_runs: u64,
    noise: u64,
    back_end: u64,
    copied: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, source: &Source) {
        self.sources += 1;
        // The numbers may come from anywhere: a sum too large is shown as the largest.
        let add = |sum: &mut u64, n: u64| *sum = sum.saturating_add(n);
        add(&mut self.records, source.records);
        add(&mut self.rejected, source.rejected);
        add(&mut self.repaired, source.repaired);
        add(&mut self.nul_runs, source.nul_runs);
        add(&mut self.noise, source.noise);
        add(&mut self.back_end, source.back_end);
        add(&mut self.copied, source.copied);
    }

    /// What is to be said beside the number of records, in brackets; nothing, mostly.
    pub(crate) fn beside(&self) -> String {
        let words: Vec<String> = [
            (self.rejected, "rejected", "rejected"),
            (self.repaired, "repaired", "repaired"),
            (self.nul_runs, "run of NUL bytes", "runs of NUL bytes"),
            (self.noise, "by probes", "by probes"),
            (self.back_end, "back-end double", "back-end doubles"),
            (self.copied, "in a copy", "in copies"),
        ]
        .into_iter()
        .filter(|(n, ..)| *n > 0)
        .map(|(n, one, many)| count(n, one, many))
        .collect();
        if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
    }
}

/// How many changes of which kind.
pub(crate) fn changes(report: &Report) -> String {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for change in &report.changes {
        *kinds.entry(change.kind).or_default() += 1;
    }
    let words: Vec<String> = kinds
        .iter()
        .map(|(kind, n)| format!("{} {}", number(*n), safe(kind).replace('_', " ")))
        .collect();
    let all = count(report.changes.len() as u64, "change", "changes");
    if words.is_empty() { all } else { format!("{all}: {}", words.join(", ")) }
}

/// The rules in force, in words.
pub(crate) fn rules(report: &Report) -> String {
    let rules = &report.rules;
    let mut words = format!(
        "an idle token lives {}; {} allowed for replication and clocks",
        duration(rules.ttl_seconds),
        duration(rules.slack_seconds)
    );
    if let Some(since) = &rules.since {
        words += &format!("; only since {}", time(since));
    }
    if let Some(until) = &rules.until {
        words += &format!("; only until {}", time(until));
    }
    if !rules.accounts.is_empty() {
        words += &format!("; only of {}", names(&rules.accounts));
    }
    if !rules.auth.is_empty() {
        words += &format!("; as told, {}", names(&rules.auth));
    }
    if !rules.settings.is_empty() {
        words += &format!("; beside the command line, {}", names(&rules.settings));
    }
    words
}

/// The reach of each server's logs.
pub(crate) fn coverage(out: &mut String, style: Style, coverage: &[Coverage]) {
    let all = coverage.len();
    let shown = &coverage[..all.min(COVERAGE)];
    let wide = |text: fn(&Coverage) -> String| {
        shown.iter().map(|coverage| width(&text(coverage))).max().unwrap_or(0)
    };
    let kind = |coverage: &Coverage| match coverage.protocol {
        Some(protocol) => format!("{} {protocol}", safe(coverage.kind)),
        None => safe(coverage.kind),
    };
    let (servers, kinds) = (wide(|c| safe(&c.server)), wide(kind));
    for coverage in shown {
        let mut spans: Vec<Span> = vec![
            (Ink::Strong, format!("{}  ", pad(&safe(&coverage.server), servers))),
            (Ink::Plain, format!("{}  ", pad(&kind(coverage), kinds))),
            (Ink::Plain, format!("{} to {}", time(&coverage.from), time(&coverage.to))),
        ];
        let gaps = coverage.gaps.len();
        if gaps > 0 {
            let mut words: Vec<String> = coverage
                .gaps
                .iter()
                .take(GAPS)
                .map(|gap| format!("{} to {}", time(&gap.from), time(&gap.to)))
                .collect();
            if gaps > GAPS {
                words.push(format!("and {} more", number((gaps - GAPS) as u64)));
            }
            let n = count(gaps as u64, "gap", "gaps");
            spans.push((Ink::Doubt, format!("; {n}: {}", words.join(", "))));
        }
        line(out, style, (2, 2 + servers + 2), &spans);
    }
    more(out, style, 2, shown.len(), all);
}

/// Whether nothing of a source is missing, be it that it was not understood or not there.
pub(crate) fn read_whole(source: &Source) -> bool {
    source.error.is_none() && source.rejected == 0 && source.nul_runs == 0
}

/// Notes, and every source that was not read whole, with the first places.
pub fn what_was_not(out: &mut String, style: Style, sources: &[Source], notes: &[String]) {
    let partly: Vec<&Source> = sources.iter().filter(|source| !read_whole(source)).collect();
    if !notes.is_empty() {
        let shown = notes.len().min(SOURCES);
        heading(out, style, "What would make it surer", shown, notes.len());
        for note in notes.iter().take(shown) {
            line(out, style, (2, 4), &[(Ink::Plain, safe(note))]);
        }
        more(out, style, 2, shown, notes.len());
    }
    if !partly.is_empty() {
        let shown = partly.len().min(SOURCES);
        heading(out, style, "What was not read, or not whole", shown, partly.len());
        for source in partly.iter().take(shown) {
            let mut words = String::new();
            if source.rejected > 0 {
                words += &format!(
                    "  {} of {} rejected",
                    number(source.rejected),
                    number(source.records)
                );
            }
            if source.nul_runs > 0 {
                let holes = count(source.nul_runs, "hole", "holes");
                words += &format!("  {holes} (NUL bytes)");
            }
            line(out, style, (2, 4), &[(Ink::Faint, safe(&source.path)), (Ink::Doubt, words)]);
            if let Some(error) = &source.error {
                entry(out, style, 4, "error", vec![(Ink::Bad, safe(error))]);
            }
            rejects(out, style, 4, source, REJECTS);
        }
        more(out, style, 2, shown, partly.len());
    }
}

/// The first rejects of a source, by place. A source keeps the first only, but counts them all.
pub(crate) fn rejects(
    out: &mut String,
    style: Style,
    indent: usize,
    source: &Source,
    limit: usize,
) {
    let unit = if source.kind == "evtx" { "record" } else { "line" };
    for (i, reject) in source.rejects.iter().take(limit).enumerate() {
        let spans = vec![
            (Ink::Faint, format!("{unit} {}", reject.pos)),
            (Ink::Plain, format!(": {}", safe(&reject.reason))),
        ];
        entry(out, style, indent, if i == 0 { "rejects" } else { "" }, spans);
    }
    let shown = source.rejects.len().min(limit) as u64;
    let all = source.rejected.max(source.rejects.len() as u64);
    if shown > 0 && all > shown {
        let words = format!("… and {} more", number(all - shown));
        entry(out, style, indent, "", vec![(Ink::Plain, words)]);
    }
}
