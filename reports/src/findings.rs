//! The findings of a report as rows, one a path: to JSON lines, CSV and Parquet.

use std::collections::BTreeMap;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::fields::{ChangeKind, Class, MaybeTime, Precision, Protocol, Residual, State, Time};
use crate::report::{Change, Client, Evidence, Finding, Path, Report, Word};
use crate::table::{Cell, Column, Holds, Table, json, maybe_text, maybe_time, number, text};

/// One path of a finding, with what is known of the finding and its change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FindingRow<'a> {
    /// Id of the finding.
    pub finding: &'a str,
    /// Id of the change.
    pub change: &'a str,
    /// The account.
    pub account: &'a str,
    /// SID, where known.
    pub sid: Option<&'a str>,
    /// Kind of the change.
    #[serde(with = "ChangeKind")]
    pub kind: Word,
    /// Time of the change.
    #[serde(with = "Time")]
    pub at: DateTime<Utc>,
    /// `exact` or `at_latest`.
    #[serde(with = "Precision")]
    pub precision: Word,
    /// The latest time that a source gives, where sources contradict each other.
    #[serde(with = "MaybeTime")]
    pub disputed_until: Option<DateTime<Utc>>,
    /// By whom, where known.
    pub actor: Option<&'a str>,
    /// How sure the finding is.
    #[serde(with = "Residual")]
    pub finding_residual: Word,
    /// How long the finding lasted; the same in each of its rows.
    pub exposure_seconds: i64,
    /// Server.
    pub server: &'a str,
    /// Front-end application pool.
    pub pool: &'a str,
    /// Protocol word.
    #[serde(with = "Protocol")]
    pub protocol: Word,
    /// The name as logged.
    pub name: &'a str,
    /// Class of its gravest requests.
    #[serde(with = "Class")]
    pub class: Word,
    /// How sure the path is.
    #[serde(with = "Residual")]
    pub residual: Word,
    /// Whether it may go on.
    #[serde(with = "State")]
    pub state: Word,
    /// End of the first residual access.
    #[serde(with = "Time")]
    pub first: DateTime<Utc>,
    /// End of the last residual access.
    #[serde(with = "Time")]
    pub last: DateTime<Utc>,
    /// Residual requests.
    pub requests: u64,
    /// Those that moved mailbox data, as far as the log tells.
    pub data_requests: u64,
    /// Who used it.
    pub clients: &'a [Client],
    /// Why this class and residual, a sentence each.
    pub why: &'a [String],
    /// First and last residual access, and what ended it.
    pub evidence: &'a [Evidence],
}

/// The columns, in the order of the fields of [`FindingRow`].
pub const COLUMNS: [Column; 25] = [
    ("finding", Holds::Text),
    ("change", Holds::Text),
    ("account", Holds::Text),
    ("sid", Holds::Text),
    ("kind", Holds::Text),
    ("at", Holds::Time),
    ("precision", Holds::Text),
    ("disputed_until", Holds::Time),
    ("actor", Holds::Text),
    ("finding_residual", Holds::Text),
    ("exposure_seconds", Holds::Number),
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
    ("clients", Holds::Text),
    ("why", Holds::Text),
    ("evidence", Holds::Text),
];

/// The paths of all findings, in the order of the report.
pub fn rows(report: &Report) -> Vec<FindingRow<'_>> {
    let changes = changes(report);
    let of = |finding: &Finding| changes.get(finding.change.as_str()).copied();
    let pairs = report.findings.iter().flat_map(|finding| {
        let change = of(finding);
        finding.paths.iter().map(move |path| row(finding, change, path))
    });
    pairs.collect()
}

/// The changes of a report by their ids.
pub fn changes(report: &Report) -> BTreeMap<&str, &Change> {
    report.changes.iter().map(|change| (change.id.as_str(), change)).collect()
}

fn row<'a>(finding: &'a Finding, change: Option<&'a Change>, path: &'a Path) -> FindingRow<'a> {
    FindingRow {
        finding: &finding.id,
        change: &finding.change,
        account: &finding.account,
        sid: change.and_then(|change| change.sid.as_deref()),
        kind: finding.kind,
        at: finding.at,
        precision: change.map_or("at_latest", |change| change.precision),
        disputed_until: change.and_then(|change| change.disputed_until),
        actor: change.and_then(|change| change.actor.as_deref()),
        finding_residual: finding.residual,
        exposure_seconds: finding.exposure_seconds,
        server: &path.server,
        pool: &path.pool,
        protocol: path.protocol,
        name: &path.name,
        class: path.class,
        residual: path.residual,
        state: path.state,
        first: path.first,
        last: path.last,
        requests: path.requests,
        data_requests: path.data_requests,
        clients: &path.clients,
        why: &path.why,
        evidence: &path.evidence,
    }
}

/// The rows as a table; what is a list is JSON in its cell.
pub fn table(report: &Report) -> io::Result<Table<'_>> {
    let rows = rows(report).into_iter().map(cells).collect::<io::Result<_>>()?;
    Ok(Table { columns: &COLUMNS, rows })
}

fn cells(row: FindingRow<'_>) -> io::Result<Vec<Cell<'_>>> {
    // Taken apart by name, so that a new field does not compile until it has its cell.
    let FindingRow {
        finding,
        change,
        account,
        sid,
        kind,
        at,
        precision,
        disputed_until,
        actor,
        finding_residual,
        exposure_seconds,
        server,
        pool,
        protocol,
        name,
        class,
        residual,
        state,
        first,
        last,
        requests,
        data_requests,
        clients,
        why,
        evidence,
    } = row;
    Ok(vec![
        text(finding),
        text(change),
        text(account),
        maybe_text(sid),
        text(kind),
        Cell::Time(at),
        text(precision),
        maybe_time(disputed_until),
        maybe_text(actor),
        text(finding_residual),
        Cell::Number(exposure_seconds),
        text(server),
        text(pool),
        text(protocol),
        text(name),
        text(class),
        text(residual),
        text(state),
        Cell::Time(first),
        Cell::Time(last),
        number(requests),
        number(data_requests),
        json(&clients)?,
        json(&why)?,
        json(&evidence)?,
    ])
}

/// Writes the rows as JSON lines.
pub fn jsonl(report: &Report, to: &mut dyn Write) -> io::Result<()> {
    crate::json::lines(rows(report), to)
}
