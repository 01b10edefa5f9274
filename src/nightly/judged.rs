//! A finding of before, which tonight's report does not bear out, to whether the report could have: only then is it over.

use super::findings::Past;
use rusqlite::Connection;
use std::collections::BTreeSet;
use stillin_parsers::kind::Kind;
use stillin_reports::report::{Coverage, Report, rfc3339};

/// The keys of all changes that earlier nights knew, which are those of their findings.
pub fn changes(db: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    let mut all = db.prepare("select key from change")?;
    all.query_map([], |row| row.get(0))?.collect()
}

/// Whether tonight's evidence speaks of the change, and the logs of all its servers of the time of the access.
pub fn is_judged(past: &Past, report: &Report, known: &BTreeSet<String>) -> bool {
    knows_change(past, report, known)
        && past.pools.iter().all(|pool| {
            let server = pool.split('/').next().unwrap_or_default();
            let own = report.coverage.iter().filter(|coverage| coverage.server == server);
            own.into_iter().any(|coverage| is_covered(past, coverage))
        })
}

/// The change itself, or the same with another time that nobody knew before.
fn knows_change(past: &Past, report: &Report, known: &BTreeSet<String>) -> bool {
    report.changes.iter().any(|change| {
        let is_own = match (&past.sid, &change.sid) {
            (Some(own), Some(other)) => own == other,
            _ => past.account.eq_ignore_ascii_case(&change.account),
        };
        let who = change.sid.clone().unwrap_or_else(|| change.account.to_lowercase());
        let key = || format!("{who} {} {}", change.kind, change.at.to_rfc3339());
        is_own && past.kind == change.kind && (past.at == change.at || !known.contains(&key()))
    })
}

fn is_covered(past: &Past, coverage: &Coverage) -> bool {
    let is_of_requests = [Kind::IisW3c, Kind::HttpProxy].map(Kind::word).contains(&coverage.kind);
    let is_in_gap = coverage.gaps.iter().any(|gap| gap.from < past.first && past.last < gap.to);
    is_of_requests && coverage.from <= past.last && past.first <= coverage.to && !is_in_gap
}

/// What is said of one that could not be judged.
pub fn doubt(past: &Past) -> String {
    format!(
        "{}: {} at {} was open, and tonight's sources do not speak of it any more, so nobody can tell that it ended: it \
         stays open; put back the logs and exports that told it, or leave the account out with [[nightly.exclude]]",
        past.account,
        past.kind.replace('_', " "),
        rfc3339(&past.at)
    )
}
