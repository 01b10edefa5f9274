//! A report to the tables of a workbook. Lists stand in one cell, a line each.

use crate::case;
use crate::exposure;
use crate::findings;
use crate::report::{Client, Finding, Report};
use crate::table::{Cell, Column, Holds, Table, maybe_text, maybe_time, number, text};
use crate::text::{duration, plain};
use crate::verdict::verdict;

/// A part of the first sheet.
pub struct Block<'a> {
    /// The line above it.
    pub heading: &'static str,
    /// Its columns; none where its rows speak for themselves.
    pub columns: &'static [Column],
    /// Its rows.
    pub rows: Vec<Vec<Cell<'a>>>,
}

/// One line that is said under a heading.
pub fn said<'a>(heading: &'static str, line: &str) -> Block<'a> {
    Block { heading, columns: &[], rows: vec![vec![text(line.to_owned())]] }
}

const PLAN: [Column; 6] = [
    ("step", Holds::Number),
    ("server", Holds::Text),
    ("pool", Holds::Text),
    ("evicts", Holds::Text),
    ("other_users", Holds::Number),
    ("for", Holds::Text),
];
const ADVICE: [Column; 4] = [
    ("server", Holds::Text),
    ("account", Holds::Text),
    ("class", Holds::Text),
    ("what_to_do", Holds::Text),
];
const BY_DESIGN: [Column; 6] = [
    ("account", Holds::Text),
    ("mailbox", Holds::Text),
    ("change", Holds::Text),
    ("requests", Holds::Number),
    ("first", Holds::Time),
    ("last", Holds::Time),
];
const FINDINGS: [Column; 16] = [
    ("finding", Holds::Text),
    ("account", Holds::Text),
    ("sid", Holds::Text),
    ("kind", Holds::Text),
    ("at", Holds::Time),
    ("precision", Holds::Text),
    ("disputed_until", Holds::Time),
    ("actor", Holds::Text),
    ("residual", Holds::Text),
    ("first", Holds::Time),
    ("last", Holds::Time),
    ("exposure_seconds", Holds::Number),
    ("exposure", Holds::Text),
    ("requests", Holds::Number),
    ("paths", Holds::Number),
    ("open_paths", Holds::Number),
];
const PATHS: [Column; 19] = [
    ("finding", Holds::Text),
    ("account", Holds::Text),
    ("kind", Holds::Text),
    ("at", Holds::Time),
    ("server", Holds::Text),
    ("pool", Holds::Text),
    ("protocol", Holds::Text),
    ("name", Holds::Text),
    ("class", Holds::Text),
    ("residual", Holds::Text),
    ("state", Holds::Text),
    ("first", Holds::Time),
    ("last", Holds::Time),
    ("requests", Holds::Number),
    ("data_requests", Holds::Number),
    ("client_count", Holds::Number),
    ("clients", Holds::Text),
    ("why", Holds::Text),
    ("evidence", Holds::Text),
];
const CHANGES: [Column; 9] = [
    ("change", Holds::Text),
    ("account", Holds::Text),
    ("sid", Holds::Text),
    ("kind", Holds::Text),
    ("at", Holds::Time),
    ("precision", Holds::Text),
    ("disputed_until", Holds::Time),
    ("actor", Holds::Text),
    ("evidence", Holds::Text),
];
const COVERAGE: [Column; 6] = [
    ("server", Holds::Text),
    ("kind", Holds::Text),
    ("protocol", Holds::Text),
    ("what", Holds::Text),
    ("from", Holds::Time),
    ("to", Holds::Time),
];
const SOURCES: [Column; 15] = [
    ("path", Holds::Text),
    ("kind", Holds::Text),
    ("server", Holds::Text),
    ("bytes", Holds::Number),
    ("sha256", Holds::Text),
    ("records", Holds::Number),
    ("rejected", Holds::Number),
    ("repaired", Holds::Number),
    ("nul_runs", Holds::Number),
    ("noise", Holds::Number),
    ("back_end", Holds::Number),
    ("copied", Holds::Number),
    ("first", Holds::Time),
    ("last", Holds::Time),
    ("error", Holds::Text),
];

/// What the first sheet tells.
pub fn summary(report: &Report) -> Vec<Block<'_>> {
    let mut blocks = vec![said("", &plain(&verdict(report).1)), counts(report)];
    let steps = report.plan.iter().map(|step| {
        vec![
            number(step.step),
            text(&step.server),
            text(&step.pool),
            text(step.accounts.join("\n")),
            number(step.other_users),
            text(step.why.join(", ")),
        ]
    });
    blocks.push(block("Recycle now, one server at a time", &PLAN, steps.collect()));
    let exposure = exposure::table(report).rows;
    blocks.push(block("Exposure by account, server and pool", &exposure::COLUMNS, exposure));
    let advice = report.advice.iter().map(|advice| {
        vec![text(&advice.server), text(&advice.account), text(advice.class), text(&advice.text)]
    });
    blocks.push(block("What else to do", &ADVICE, advice.collect()));
    let by_design = report.by_design.iter().map(|account| {
        vec![
            text(&account.account),
            text(account.mailbox),
            text(&account.change),
            number(account.requests),
            Cell::Time(account.first),
            Cell::Time(account.last),
        ]
    });
    let heading = "Disabled by design, and met in the logs";
    blocks.push(block(heading, &BY_DESIGN, by_design.collect()));
    let notes = report.notes.iter().map(|note| vec![text(note)]);
    blocks.push(block("Notes", &[], notes.collect()));
    blocks.retain(|block| !block.rows.is_empty());
    blocks
}

fn block<'a>(
    heading: &'static str,
    columns: &'static [Column],
    rows: Vec<Vec<Cell<'a>>>,
) -> Block<'a> {
    Block { heading, columns, rows }
}

fn counts(report: &Report) -> Block<'_> {
    let graded = |word: &str| {
        number(report.findings.iter().filter(|finding| finding.residual == word).count() as u64)
    };
    let paths = || report.findings.iter().flat_map(|finding| &finding.paths);
    let open = paths().filter(|path| path.state == "open").count();
    let less_sure = report.findings.iter().map(|finding| case::open_paths(finding).1).sum();
    let mut rows = vec![
        vec![text("Findings"), number(report.findings.len() as u64)],
        vec![text("of them certain"), graded("certain")],
        vec![text("of them likely"), graded("likely")],
        vec![text("of them possible"), graded("possible")],
        vec![text("Paths"), number(paths().count() as u64)],
        vec![text("of them open now"), number(open as u64)],
        vec![text("of those, less sure than their finding"), number(less_sure)],
        vec![text("Changes"), number(report.changes.len() as u64)],
        vec![text("Sources"), number(report.sources.len() as u64)],
        vec![text("An idle token lives, seconds"), Cell::Number(report.rules.ttl_seconds)],
        vec![text("Allowed for clocks, seconds"), Cell::Number(report.rules.slack_seconds)],
        vec![text("Written by"), text(format!("{} {}", report.tool.name, report.tool.version))],
    ];
    if report.excluded > 0 {
        rows.insert(1, vec![text("Findings that are excluded"), number(report.excluded)]);
    }
    if report.undecided > 0 {
        rows.insert(
            1,
            vec![text("Cases that cannot be judged any more"), number(report.undecided)],
        );
    }
    Block { heading: "Counts", columns: &[], rows }
}

/// One row a finding.
pub fn findings(report: &Report) -> Table<'_> {
    let changes = findings::changes(report);
    let row = |finding: &'_ Finding| {
        let change = changes.get(finding.change.as_str());
        let open = finding.paths.iter().filter(|path| path.state == "open").count();
        vec![
            text(finding.id.clone()),
            text(finding.account.clone()),
            change.map_or(Cell::Empty, |change| maybe_text(change.sid.as_deref())),
            text(finding.kind),
            Cell::Time(finding.at),
            change.map_or(Cell::Empty, |change| text(change.precision)),
            maybe_time(change.and_then(|change| change.disputed_until)),
            change.map_or(Cell::Empty, |change| maybe_text(change.actor.as_deref())),
            text(finding.residual),
            Cell::Time(finding.first),
            Cell::Time(finding.last),
            Cell::Number(finding.exposure_seconds),
            text(plain(&duration(finding.exposure_seconds))),
            number(finding.requests),
            number(finding.paths.len() as u64),
            number(open as u64),
        ]
    };
    Table { columns: &FINDINGS, rows: report.findings.iter().map(row).collect() }
}

/// One row a path.
pub fn paths(report: &Report) -> Table<'_> {
    let row = |row: findings::FindingRow<'_>| {
        let evidence = row.evidence.iter().map(|line| format!("{}:{}", line.path, line.line));
        vec![
            text(row.finding.to_owned()),
            text(row.account.to_owned()),
            text(row.kind),
            Cell::Time(row.at),
            text(row.server.to_owned()),
            text(row.pool.to_owned()),
            text(row.protocol),
            text(row.name.to_owned()),
            text(row.class),
            text(row.residual),
            text(row.state),
            Cell::Time(row.first),
            Cell::Time(row.last),
            number(row.requests),
            number(row.data_requests),
            number(row.clients.len() as u64),
            text(lines(row.clients.iter().map(client))),
            text(lines(row.why.iter().cloned())),
            text(lines(evidence)),
        ]
    };
    Table { columns: &PATHS, rows: findings::rows(report).into_iter().map(row).collect() }
}

fn client(client: &Client) -> String {
    let parts = [&client.device, &client.ip, &client.user_agent];
    parts.into_iter().flatten().cloned().collect::<Vec<_>>().join("  ")
}

fn lines(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join("\n")
}

/// One row a change.
pub fn changes(report: &Report) -> Table<'_> {
    let rows = report.changes.iter().map(|change| {
        let evidence = change.evidence.iter().map(|place| format!("{}:{}", place.path, place.pos));
        vec![
            text(&change.id),
            text(&change.account),
            maybe_text(change.sid.as_deref()),
            text(change.kind),
            Cell::Time(change.at),
            text(change.precision),
            maybe_time(change.disputed_until),
            maybe_text(change.actor.as_deref()),
            text(lines(evidence)),
        ]
    });
    Table { columns: &CHANGES, rows: rows.collect() }
}

/// One row a log, and one for each of its holes.
pub fn coverage(report: &Report) -> Table<'_> {
    let mut rows = Vec::new();
    for log in &report.coverage {
        let row = |what: &'static str, from, to| {
            vec![
                text(&log.server),
                text(log.kind),
                maybe_text(log.protocol),
                text(what),
                Cell::Time(from),
                Cell::Time(to),
            ]
        };
        rows.push(row("log", log.from, log.to));
        rows.extend(log.gaps.iter().map(|gap| row("hole", gap.from, gap.to)));
    }
    Table { columns: &COVERAGE, rows }
}

/// One row a source.
pub fn sources(report: &Report) -> Table<'_> {
    let rows = report.sources.iter().map(|source| {
        vec![
            text(&source.path),
            text(source.kind),
            maybe_text(source.server.as_deref()),
            number(source.bytes),
            maybe_text(source.sha256.as_deref()),
            number(source.records),
            number(source.rejected),
            number(source.repaired),
            number(source.nul_runs),
            number(source.noise),
            number(source.back_end),
            number(source.copied),
            maybe_time(source.first),
            maybe_time(source.last),
            maybe_text(source.error.as_deref()),
        ]
    });
    Table { columns: &SOURCES, rows: rows.collect() }
}
