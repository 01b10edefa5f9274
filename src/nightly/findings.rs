//! Tonight's findings and those of before to how each of them stands: new, open, closed, recurred.

use super::judged::{self, is_cleared, is_judged};
use super::settings::Exclude;
use super::trend::Step;
use crate::case::State as PathState;
use crate::cli::Status;
use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Connection, Transaction, params};
use std::collections::{BTreeMap, BTreeSet};
use stillin_reports::report::{Finding, Report};

/// A finding as the state keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// What tells it from all others: the account, the kind and the time of the change.
    pub key: String,
    /// Whose.
    pub account: String,
    /// Its SID, where a source tells it.
    pub sid: Option<String>,
    /// Kind of the change.
    pub kind: String,
    /// Time of the change.
    pub at: DateTime<Utc>,
    /// How it stands.
    pub status: Status,
    /// Left out of the verdict.
    pub is_excluded: bool,
    /// How sure it is.
    pub residual: String,
    /// End of the first residual access.
    pub first: DateTime<Utc>,
    /// End of the last residual access.
    pub last: DateTime<Utc>,
    /// For how long it lasted.
    pub exposure_seconds: i64,
    /// Its servers and pools.
    pub pools: Vec<String>,
    /// The night that saw it first.
    pub first_seen: DateTime<Utc>,
    /// The last night that saw it.
    pub last_seen: DateTime<Utc>,
    /// The night that saw it end.
    pub closed_at: Option<DateTime<Utc>>,
}

impl Past {
    /// Whether it is that account's: by the SID where both are known, else by the name.
    pub fn is_of(&self, account: &str, sid: Option<&str>) -> bool {
        match (self.sid.as_deref(), sid) {
            (Some(own), Some(other)) => own == other,
            _ => self.account.eq_ignore_ascii_case(account),
        }
    }
}

/// What a night changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Access may go on.
    pub open: u64,
    /// Seen for the first time.
    pub new: u64,
    /// Access ended since the last night.
    pub closed: u64,
    /// Access ended before, and was seen again.
    pub recurred: u64,
}

/// Whether access may go on.
pub fn is_open(finding: &Finding) -> bool {
    finding.paths.iter().any(|path| path.state == PathState::Open.word())
}

/// How everything stands after tonight.
#[derive(Debug, Default)]
pub struct After {
    /// Every finding.
    pub all: Vec<Past>,
    /// What changed.
    pub counts: Counts,
    /// What stays open because nobody could tell; without what is left out of the verdict.
    pub unjudged: Vec<Past>,
    /// Old keys of findings, and their new ones.
    pub renamed: Vec<(String, String)>,
}

/// That. `changes` are the keys of those that were known before; what nobody could judge since `oldest` is given up.
pub fn after(
    before: Vec<Past>,
    report: &Report,
    changes: &BTreeMap<String, judged::Known>,
    excludes: &[Exclude],
    (oldest, now): (DateTime<Utc>, DateTime<Utc>),
) -> After {
    let mut all: BTreeMap<String, Past> =
        before.into_iter().map(|past| (past.key.clone(), past)).collect();
    let sids = sids(report);
    let renamed = carry_on(&mut all, report, &sids);
    let (mut counts, mut unjudged) = (Counts::default(), Vec::new());
    let mut stay_open = |past: &mut Past, counts: &mut Counts| {
        past.status = Status::Open;
        past.is_excluded =
            is_excluded(excludes, now.date_naive(), &past.account, past.sid.as_deref());
        if !past.is_excluded {
            counts.open += 1;
            unjudged.push(past.clone());
        }
    };
    let is_unjudged = |past: &Past| past.status.is_open() && !is_judged(past, report, changes);
    let mut seen = BTreeSet::new();
    for finding in &report.findings {
        let sid = sids.get(finding.change.as_str()).map(|sid| (*sid).to_owned());
        let key = key(finding, sid.as_deref());
        // Where it was served may be out of sight, though the rest of it is not.
        let pools = pools(finding);
        let lacks = |past: &Past| past.pools.iter().any(|pool| !pools.contains(pool));
        let is_lost =
            |past: &Past| past.status.is_open() && lacks(past) && !is_cleared(past, report);
        let is_doubtful = !is_open(finding)
            && all.get(&key).is_some_and(|past| is_unjudged(past) || is_lost(past));
        if is_doubtful && let Some(past) = all.get_mut(&key).filter(|past| oldest <= past.last_seen)
        {
            stay_open(past, &mut counts);
            seen.insert(key);
            continue;
        }
        let known = all.get(&key);
        let status = match (known.map(|past| past.status), is_open(finding)) {
            (None, true) => Status::New,
            (Some(Status::Closed), true) => Status::Recurred,
            (Some(_), true) => Status::Open,
            (_, false) => Status::Closed,
        };
        let is_excluded = is_excluded(excludes, now.date_naive(), &finding.account, sid.as_deref());
        let ended = known.is_none_or(|past| past.status != Status::Closed);
        let closed_at = match status {
            // Nobody knows when, after so long.
            Status::Closed if is_doubtful => None,
            Status::Closed if ended => Some(now),
            Status::Closed => known.and_then(|past| past.closed_at),
            _ => None,
        };
        if !is_excluded {
            counts.open += u64::from(status.is_open());
            counts.new += u64::from(known.is_none());
            counts.closed += u64::from(status == Status::Closed && ended && !is_doubtful);
            counts.recurred += u64::from(status == Status::Recurred);
        }
        let past = Past {
            account: finding.account.clone(),
            sid,
            kind: finding.kind.to_owned(),
            at: finding.at,
            status,
            is_excluded,
            residual: finding.residual.to_owned(),
            first: finding.first,
            last: finding.last,
            exposure_seconds: finding.exposure_seconds,
            pools,
            first_seen: known.map_or(now, |past| past.first_seen),
            last_seen: now,
            closed_at,
            key: key.clone(),
        };
        seen.insert(key.clone());
        all.insert(key, past);
    }
    // What the evidence does not bear out any more is over as well, where it speaks of it at all.
    for past in all.values_mut().filter(|past| !seen.contains(&past.key)) {
        if is_unjudged(past) || past.status.is_open() && !is_cleared(past, report) {
            stay_open(past, &mut counts);
        } else if past.status != Status::Closed {
            counts.closed += u64::from(!past.is_excluded);
            (past.status, past.closed_at) = (Status::Closed, Some(now));
        }
    }
    After { all: all.into_values().collect(), counts, unjudged, renamed }
}

/// What tells a change, and its finding, from all others.
pub fn key_of(account: &str, sid: Option<&str>, kind: &str, at: DateTime<Utc>) -> String {
    let account = account.to_lowercase();
    format!("{} {kind} {}", sid.unwrap_or(&account), at.to_rfc3339())
}

fn key(finding: &Finding, sid: Option<&str>) -> String {
    key_of(&finding.account, sid, finding.kind, finding.at)
}

/// Findings of which tonight's evidence knows the time or the account better go on under their new keys. Returns the old
/// keys and the new ones.
fn carry_on(
    all: &mut BTreeMap<String, Past>,
    report: &Report,
    sids: &BTreeMap<&str, &str>,
) -> Vec<(String, String)> {
    let sid_of = |finding: &Finding| sids.get(finding.change.as_str()).copied();
    let keys: BTreeSet<String> =
        report.findings.iter().map(|finding| key(finding, sid_of(finding))).collect();
    let mut renamed = Vec::new();
    for finding in &report.findings {
        let (sid, new) = (sid_of(finding), key(finding, sid_of(finding)));
        if all.contains_key(&new) {
            continue;
        }
        let is_it = |past: &&Past| {
            past.is_of(&finding.account, sid)
                && past.kind == finding.kind
                && !keys.contains(&past.key)
                && past.first <= finding.last
                && finding.first <= past.last
        };
        let same = all.values().filter(is_it).max_by_key(|past| past.last_seen);
        let Some(old) = same.map(|past| past.key.clone()) else { continue };
        if let Some(past) = all.remove(&old) {
            all.insert(new.clone(), Past { key: new.clone(), at: finding.at, ..past });
            renamed.push((old, new));
        }
    }
    renamed
}

/// The SIDs of accounts, by the ids of their changes.
pub fn sids(report: &Report) -> BTreeMap<&str, &str> {
    let changes = report.changes.iter();
    changes.filter_map(|change| Some((change.id.as_str(), change.sid.as_deref()?))).collect()
}

/// Whether an account is left out on a day.
pub fn is_excluded(excludes: &[Exclude], day: NaiveDate, account: &str, sid: Option<&str>) -> bool {
    excludes.iter().any(|exclude| day <= exclude.until && names(exclude, account, sid))
}

/// Whether that account is meant.
pub fn names(exclude: &Exclude, account: &str, sid: Option<&str>) -> bool {
    let is = |name: &str| name.eq_ignore_ascii_case(&exclude.account);
    is(account) || sid.is_some_and(is)
}

fn pools(finding: &Finding) -> Vec<String> {
    let pools: BTreeSet<String> =
        finding.paths.iter().map(|path| format!("{}/{}", path.server, path.pool)).collect();
    pools.into_iter().collect()
}

/// Every finding of the state, by key.
pub fn read(db: &Connection) -> rusqlite::Result<Vec<Past>> {
    let mut all = db.prepare(
        "select key, account, sid, kind, at, status, is_excluded, residual, first, last, exposure_seconds, pools, \
         first_seen, last_seen, closed_at from finding order by key",
    )?;
    let rows = all.query_map([], |row| {
        let time = |column| -> rusqlite::Result<DateTime<Utc>> {
            let text: String = row.get(column)?;
            Ok(text.parse().unwrap_or_default())
        };
        let closed: Option<String> = row.get(14)?;
        let pools: String = row.get(11)?;
        let status: String = row.get(5)?;
        Ok(Past {
            key: row.get(0)?,
            account: row.get(1)?,
            sid: row.get(2)?,
            kind: row.get(3)?,
            at: time(4)?,
            status: Status::from_word(&status).unwrap_or(Status::Open),
            is_excluded: row.get(6)?,
            residual: row.get(7)?,
            first: time(8)?,
            last: time(9)?,
            exposure_seconds: row.get(10)?,
            pools: pools.lines().map(str::to_owned).collect(),
            first_seen: time(12)?,
            last_seen: time(13)?,
            closed_at: closed.and_then(|text| text.parse().ok()),
        })
    })?;
    rows.collect()
}

/// What came to stand otherwise tonight.
pub fn steps(
    before: &[Past],
    after: &[Past],
    renamed: &[(String, String)],
    now: DateTime<Utc>,
) -> Vec<Step> {
    let new_key = |key: &str| renamed.iter().find(|(old, _)| old == key).map(|(_, new)| new);
    let known: BTreeMap<&str, &Past> = before
        .iter()
        .map(|past| (new_key(&past.key).unwrap_or(&past.key).as_str(), past))
        .collect();
    let is_new =
        |past: &&Past| known.get(past.key.as_str()).is_none_or(|was| was.status != past.status);
    let step = |past: &Past| Step { finding: past.key.clone(), at: now, status: past.status };
    after.iter().filter(is_new).map(step).collect()
}

/// Writes how everything stands, and what changed tonight.
pub fn write(
    to: &Transaction<'_>,
    (before, after): (&[Past], &[Past]),
    renamed: &[(String, String)],
    (oldest, now): (DateTime<Utc>, DateTime<Utc>),
) -> rusqlite::Result<()> {
    let known: BTreeMap<&str, &Past> =
        before.iter().map(|past| (past.key.as_str(), past)).collect();
    for past in after {
        let was = known.get(past.key.as_str());
        if was == Some(&past) {
            continue;
        }
        to.execute(
            "insert into finding values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
             on conflict (key) do update set account = ?2, sid = ?3, status = ?6, is_excluded = ?7, residual = ?8, \
             first = ?9, last = ?10, exposure_seconds = ?11, pools = ?12, last_seen = ?14, closed_at = ?15",
            params![
                past.key,
                past.account,
                past.sid,
                past.kind,
                past.at.to_rfc3339(),
                past.status.word(),
                past.is_excluded,
                past.residual,
                past.first.to_rfc3339(),
                past.last.to_rfc3339(),
                past.exposure_seconds,
                past.pools.join("\n"),
                past.first_seen.to_rfc3339(),
                past.last_seen.to_rfc3339(),
                past.closed_at.map(|at| at.to_rfc3339()),
            ],
        )?;
    }
    for (old, new) in renamed {
        to.execute("update step set finding = ?2 where finding = ?1", [old, new])?;
        to.execute("delete from finding where key = ?1", [old])?;
    }
    for Step { finding, at, status } in steps(before, after, renamed, now) {
        to.execute(
            "insert into step values (?1, ?2, ?3)",
            params![finding, at.to_rfc3339(), status.word()],
        )?;
    }
    // What was open long ago and is so still was seen tonight; what nobody could judge for so long is not closed, but
    // forgotten.
    to.execute(
        "delete from finding where last_seen < ?1 and (status <> 'closed' or closed_at < ?1)",
        [oldest.to_rfc3339()],
    )?;
    Ok(())
}

/// Writes the changes that were seen tonight.
pub fn write_changes(
    to: &Transaction<'_>,
    report: &Report,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let mut insert = to.prepare(
        "insert into change values (?1, ?2, ?3, ?4, ?5, ?5) on conflict (key) do update set last_seen = ?5",
    )?;
    let now = now.to_rfc3339();
    for change in &report.changes {
        let key = key_of(&change.account, change.sid.as_deref(), change.kind, change.at);
        let at = change.at.to_rfc3339();
        insert.execute(params![key, change.account, change.kind, at, now])?;
    }
    Ok(())
}
