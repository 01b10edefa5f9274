//! A finding of before, which tonight's report does not bear out, to whether the report could have: only then is it over.

use super::findings::{self, Past, key_of};
use super::settings::Exclude;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rusqlite::Connection;
use std::collections::BTreeMap;
use stillin_parsers::kind::Kind;
use stillin_reports::report::{Coverage, Report, rfc3339};

/// Kinds of changes that cut somebody off.
const CUTS: [&str; 6] =
    ["disabled", "deleted", "expired", "password_changed", "password_reset", "password_set"];

/// Who corrects the time of a change is not further off.
const SAME: TimeDelta = TimeDelta::days(1);

/// A change as an earlier night knew it. Its key is that of its findings.
#[derive(Debug, Clone)]
pub struct Known {
    account: String,
    kind: String,
    at: DateTime<Utc>,
    last_seen: DateTime<Utc>,
}

/// All changes that earlier nights knew, by key.
pub fn changes(db: &Connection) -> rusqlite::Result<BTreeMap<String, Known>> {
    let mut all = db.prepare("select key, account, kind, at, last_seen from change")?;
    let rows = all.query_map([], |row| {
        let time = |column| -> rusqlite::Result<DateTime<Utc>> {
            let text: String = row.get(column)?;
            Ok(text.parse().unwrap_or_default())
        };
        let known =
            Known { account: row.get(1)?, kind: row.get(2)?, at: time(3)?, last_seen: time(4)? };
        Ok((row.get(0)?, known))
    })?;
    rows.collect()
}

/// Changes that cut an account off since `oldest`, and are told by no source tonight, not even as having come earlier:
/// whoever is served after one of them is not found any more. Without the accounts that are left out of the verdict on
/// that day, and without those of `doubts`, which are told by themselves.
pub fn forgotten(
    known: &BTreeMap<String, Known>,
    report: &Report,
    doubts: &[Past],
    (excludes, day): (&[Exclude], NaiveDate),
    oldest: DateTime<Utc>,
) -> Vec<String> {
    let sid_of = |key: &str| {
        let first = key.split(' ').next().unwrap_or_default();
        first.starts_with("S-1-").then(|| first.to_owned())
    };
    let is_told = |key: &str, past: &Known| {
        let sid = sid_of(key);
        report.changes.iter().any(|change| {
            let is_own = match (&sid, &change.sid) {
                (Some(own), Some(other)) => own == other,
                _ => local(&change.account) == local(&past.account),
            };
            is_own && change.kind == past.kind && change.at <= past.at + SAME
        })
    };
    // Passwords that were set long before all logs are in no report.
    let begin = report.coverage.iter().map(|coverage| coverage.from).min();
    let is_excluded = |key: &str, past: &Known| {
        findings::is_excluded(excludes, day, &past.account, sid_of(key).as_deref())
    };
    let is_cut = |past: &Known| {
        CUTS.contains(&past.kind.as_str())
            && oldest <= past.last_seen
            && oldest <= past.at
            && begin.is_some_and(|begin| begin <= past.at)
    };
    let is_doubted = |key: &String| doubts.iter().any(|doubt| doubt.key == *key);
    let lost = known.iter().filter(|(key, past)| {
        is_cut(past) && !is_told(key, past) && !is_excluded(key, past) && !is_doubted(key)
    });
    let lost = lost.map(|(_, past)| {
        format!(
            "{}: {} at {} was known, and no source tells it tonight, so that nobody who is served since then is found: keep \
             the export that told it among `changes`, write it into a list of changes, or leave the account out with \
             [[nightly.exclude]]",
            past.account,
            past.kind.replace('_', " "),
            rfc3339(&past.at)
        )
    });
    lost.collect()
}

/// The name without its domain, which may be known under another name by now.
fn local(account: &str) -> String {
    let name = account.rsplit_once('\\').map_or(account, |(_, name)| name);
    name.split_once('@').map_or(name, |(name, _)| name).to_lowercase()
}

/// Whether tonight's evidence speaks of the change, and the logs of all its servers of the time of the access.
pub fn is_judged(past: &Past, report: &Report, known: &BTreeMap<String, Known>) -> bool {
    knows_change(past, report, known)
        && past.pools.iter().all(|pool| {
            let server = pool.split('/').next().unwrap_or_default();
            let own = report.coverage.iter().filter(|coverage| coverage.server == server);
            own.into_iter().any(|coverage| is_covered(past, coverage))
        })
}

/// Whether something tells why a finding is none any more. Without that a name that no source ties to the account tonight,
/// as where a new export leaves out who was deleted, would look like the end of the access.
pub fn is_cleared(past: &Past, report: &Report) -> bool {
    // A client may turn out to have had the new password.
    let is_of_password = past.kind.starts_with("password");
    is_of_password
        || report.by_design.iter().any(|design| past.is_of(&design.account, None))
        || report.changes.iter().any(|change| {
            let is_own = past.is_of(&change.account, change.sid.as_deref());
            is_own && change.kind == "enabled" && past.at < change.at
        })
}

/// The change itself, or the same with an earlier time that nobody knew before: that it had happened by a later one says
/// nothing new.
fn knows_change(past: &Past, report: &Report, known: &BTreeMap<String, Known>) -> bool {
    report.changes.iter().any(|change| {
        let sid = change.sid.as_deref();
        let key = || key_of(&change.account, sid, change.kind, change.at);
        past.is_of(&change.account, sid)
            && past.kind == change.kind
            && (past.at == change.at || change.at < past.at && !known.contains_key(&key()))
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
