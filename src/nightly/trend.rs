//! How findings stood, night by night, to weeks.

use super::findings::Past;
use crate::cli::Status;
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use rusqlite::Connection;
use std::collections::BTreeMap;
use stillin_reports::report::Week;

/// Weeks that are told.
const WEEKS: usize = 26;

/// When a finding came to stand as it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Key of the finding.
    pub finding: String,
    /// The night.
    pub at: DateTime<Utc>,
    /// How it stands since.
    pub status: Status,
}

/// Every step of the state, in order.
pub fn steps(db: &Connection) -> rusqlite::Result<Vec<Step>> {
    let mut all = db.prepare("select finding, at, status from step order by at, finding")?;
    let rows = all.query_map([], |row| {
        let (at, status): (String, String) = (row.get(1)?, row.get(2)?);
        Ok(Step {
            finding: row.get(0)?,
            at: at.parse().unwrap_or_default(),
            status: Status::from_word(&status).unwrap_or(Status::Open),
        })
    })?;
    rows.collect()
}

/// The weeks from the first finding to the last one in which something changed, the last ones of many.
pub fn weeks(findings: &[Past], steps: &[Step], now: DateTime<Utc>) -> Vec<Week> {
    let told: BTreeMap<&str, &Past> = findings
        .iter()
        .filter(|past| !past.is_excluded)
        .map(|past| (past.key.as_str(), past))
        .collect();
    let Some(first) = told.values().map(|past| past.first_seen).min() else { return Vec::new() };
    let monday = |time: DateTime<Utc>| {
        let day = time.date_naive();
        day - TimeDelta::days(day.weekday().num_days_from_monday().into())
    };
    let mut mondays = Vec::new();
    let mut day = monday(first);
    while day <= monday(now) {
        mondays.push(day);
        day += TimeDelta::days(7);
    }
    let of = |from: NaiveDate| {
        let is_in = |time: DateTime<Utc>| monday(time) == from;
        let mut open: BTreeMap<&str, bool> = BTreeMap::new();
        for step in steps.iter().filter(|step| monday(step.at) <= from) {
            if told.contains_key(step.finding.as_str()) {
                open.insert(&step.finding, step.status.is_open());
            }
        }
        let closed = told.values().filter(|past| past.closed_at.is_some_and(is_in));
        let mut times: Vec<i64> = closed.map(|past| past.exposure_seconds).collect();
        times.sort_unstable();
        Week {
            monday: from.to_string(),
            new: told.values().filter(|past| is_in(past.first_seen)).count() as u64,
            closed: times.len() as u64,
            open: open.values().filter(|is_open| **is_open).count() as u64,
            median_seconds: of_hundred(&times, 50),
            p95_seconds: of_hundred(&times, 95),
            worst_seconds: times.last().copied(),
        }
    };
    let mut weeks: Vec<Week> = mondays.into_iter().map(of).collect();
    // Of a week in which nothing changed the last one tells all; so outputs of before still hold in it.
    while let [.., before, last] = weeks.as_slice()
        && (last.new, last.closed, last.open) == (0, 0, before.open)
    {
        weeks.pop();
    }
    weeks.split_off(weeks.len().saturating_sub(WEEKS))
}

/// The smallest value that so many of a hundred do not exceed.
fn of_hundred(sorted: &[i64], n: usize) -> Option<i64> {
    let rank = (sorted.len() * n).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests;
