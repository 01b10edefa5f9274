//! The findings of a report folded by account, server and pool: how long, how often, and whether it goes on.
//! Folded here and not by polars, whose grouping needs its lazy engine, half as much again of code to compile.

use std::collections::BTreeMap;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::fields::{Residual, Time};
use crate::findings::changes;
use crate::report::{Report, Word};
use crate::table::{Cell, Column, Holds, Table, number, text};
use crate::verdict::rank;

/// What one account did on one pool of a server after it was cut off.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Exposure<'a> {
    /// The account.
    pub account: &'a str,
    /// Server.
    pub server: &'a str,
    /// Front-end application pool.
    pub pool: &'a str,
    /// Findings that have a path there.
    pub findings: u64,
    /// Paths there: spellings of the name, and grades of certainty.
    pub paths: u64,
    /// Paths there that may go on now.
    pub open_paths: u64,
    /// The gravest residual of them; the other numbers count all of them, also those that are less sure.
    #[serde(with = "Residual")]
    pub residual: Word,
    /// Residual requests, also those that are less sure than `residual`; `requests` of a finding leaves these out.
    pub requests: u64,
    /// Those that moved mailbox data, as far as the log tells.
    pub data_requests: u64,
    /// End of the first residual access.
    #[serde(with = "Time")]
    pub first: DateTime<Utc>,
    /// End of the last residual access, be it less sure than `residual`.
    #[serde(with = "Time")]
    pub last: DateTime<Utc>,
    /// From the change to the last residual access there, however sure, the longest of its findings: since the latest time that a
    /// source gives, less what the clock of the server was ahead, as in `exposure_seconds` of a finding.
    pub lasted_seconds: i64,
}

/// The columns, in the order of the fields of [`Exposure`].
pub const COLUMNS: [Column; 12] = [
    ("account", Holds::Text),
    ("server", Holds::Text),
    ("pool", Holds::Text),
    ("findings", Holds::Number),
    ("paths", Holds::Number),
    ("open_paths", Holds::Number),
    ("residual", Holds::Text),
    ("requests", Holds::Number),
    ("data_requests", Holds::Number),
    ("first", Holds::Time),
    ("last", Holds::Time),
    ("lasted_seconds", Holds::Number),
];

/// One row for each account, server and pool, in order of these.
pub fn rows(report: &Report) -> Vec<Exposure<'_>> {
    let mut rows: BTreeMap<(&str, &str, &str), Exposure<'_>> = BTreeMap::new();
    let changes = changes(report);
    for finding in &report.findings {
        let mut counted: Vec<(&str, &str)> = Vec::new();
        let change = changes.get(finding.change.as_str());
        let since = change.and_then(|change| change.disputed_until).unwrap_or(finding.at);
        for path in &finding.paths {
            let place = (path.server.as_str(), path.pool.as_str());
            let lasted = (path.last - since).num_seconds() - ahead(report, &path.server);
            let row = rows.entry((&finding.account, place.0, place.1)).or_insert(Exposure {
                account: &finding.account,
                server: place.0,
                pool: place.1,
                findings: 0,
                paths: 0,
                open_paths: 0,
                residual: path.residual,
                requests: 0,
                data_requests: 0,
                first: path.first,
                last: path.last,
                lasted_seconds: 0,
            });
            if !counted.contains(&place) {
                counted.push(place);
                row.findings += 1;
            }
            row.paths += 1;
            row.open_paths += u64::from(path.state == "open");
            if rank(path.residual) > rank(row.residual) {
                row.residual = path.residual;
            }
            row.requests += path.requests;
            row.data_requests += path.data_requests;
            row.first = row.first.min(path.first);
            row.last = row.last.max(path.last);
            row.lasted_seconds = row.lasted_seconds.max(lasted);
        }
    }
    rows.into_values().collect()
}

/// What the clock of a server is ahead of any domain controller, seconds.
fn ahead(report: &Report, server: &str) -> i64 {
    let clocks = report.clocks.iter().filter(|clock| clock.server.eq_ignore_ascii_case(server));
    clocks.filter_map(|clock| clock.ahead_seconds).max().unwrap_or(0).max(0)
}

/// The rows as a table.
pub fn table(report: &Report) -> Table<'_> {
    Table { columns: &COLUMNS, rows: rows(report).into_iter().map(cells).collect() }
}

fn cells(row: Exposure<'_>) -> Vec<Cell<'_>> {
    vec![
        text(row.account),
        text(row.server),
        text(row.pool),
        number(row.findings),
        number(row.paths),
        number(row.open_paths),
        text(row.residual),
        number(row.requests),
        number(row.data_requests),
        Cell::Time(row.first),
        Cell::Time(row.last),
        Cell::Number(row.lasted_seconds),
    ]
}

/// Writes the rows as JSON lines.
pub fn jsonl(report: &Report, to: &mut dyn Write) -> io::Result<()> {
    crate::json::lines(rows(report), to)
}
