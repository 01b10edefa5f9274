//! What was read, and is not there tonight as it was, to what counts on, and what is said of it.
//!
//! Nothing that was read is lost because a file is emptied, damaged, cut short or written over: of a log both count on,
//! what was read and what lies there now; of evidence the last export that can be read, and what only older ones tell
//! (`exports`).

use super::again;
use super::sources::{Seen, Tonight};
use super::state::Known;
use crate::read::{File, is_exchange_log, is_web_log};
use crate::source::{self, Origin, Problem, Source};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::kind::Kind;

/// For so long a server that is gone is told every night.
const TOLD: TimeDelta = TimeDelta::days(14);

/// Adds what counts on to what is read tonight. Returns whether all of that was so on the last night, and what is to be
/// told.
pub fn keep(
    tonight: &mut Vec<Tonight>,
    orphans: &[&(Known, Seen)],
    superseded: &BTreeSet<i64>,
    oldest: DateTime<Utc>,
    now: DateTime<Utc>,
) -> (bool, Vec<String>) {
    let mut there: BTreeMap<String, usize> = BTreeMap::new();
    for (index, source) in tonight.iter().enumerate() {
        there.insert(source.file.source.path.clone(), index);
    }
    let taken: BTreeSet<i64> = tonight.iter().filter_map(|source| source.known).collect();
    let mut names: BTreeSet<String> = there.keys().cloned().collect();
    names.extend(orphans.iter().map(|(known, _)| known.path.clone()));
    let (mut is_unchanged, mut told, mut kept) = (true, Vec::new(), Vec::new());
    let mut useless = BTreeSet::new();
    for (known, seen) in orphans {
        let is_forgotten = known.gone_since.is_some_and(|since| since < oldest);
        let index = there.get(&known.path).copied();
        // Of another export nobody knows yet what it is worth, be it one that lay elsewhere before.
        if let Some(here) = index.map(|index| &mut tonight[index])
            && !is_log(seen.kind)
            && !is_log(here.file.kind)
            && !taken.contains(&known.id)
            && problem(here).is_none()
        {
            here.before = Some((known.id, seen.clone()));
            is_unchanged = false;
            continue;
        }
        // Of a file of which nobody could tell what it is, nothing was read.
        let is_nothing = seen.kind == Kind::Unknown;
        if taken.contains(&known.id) || superseded.contains(&known.id) || is_forgotten || is_nothing
        {
            is_unchanged = false;
            continue;
        }
        let path = &known.path;
        let since = known.gone_since.unwrap_or(now);
        let mut source = gone(known.id, (path.clone(), since), seen);
        if let Some(index) = index.filter(|&index| tonight[index].known.is_none()) {
            let damage = || {
                let is_damaged = again::is_damaged_since(&tonight[index], seen);
                is_damaged.then(|| "is damaged".to_owned())
            };
            if let Some(problem) = problem(&tonight[index]).or_else(damage) {
                let problem = problem.trim_end_matches("; leave it out");
                told.push(format!(
                    "{path}: {problem}; what was read of it before counts on: put the file back"
                ));
                useless.insert(index);
            } else {
                let name = name(path, now, &names);
                told.push(format!(
                    "{path}: does not begin with what was read of it before: that counts on as `{name}`, and what the \
                     file holds now is a log of its own; keep copies of rotated logs where `logs` finds them, for what \
                     was written in between is not known"
                ));
                names.insert(name.clone());
                source.file.source.path = name;
                is_unchanged = false;
            }
        } else if index.is_some() {
            // What lies under its name is another log that was moved there.
            let name = name(path, now, &names);
            names.insert(name.clone());
            source.file.source.path = name;
            is_unchanged = false;
        }
        is_unchanged &= known.gone_since.is_some();
        kept.push(source);
    }
    let mut index = 0..;
    tonight.retain(|_| index.next().is_none_or(|index| !useless.contains(&index)));
    tonight.extend(kept);
    (is_unchanged, told)
}

/// Whether requests are read from it, and not evidence.
pub fn is_log(kind: Kind) -> bool {
    is_web_log(kind) || is_exchange_log(kind)
}

/// Why nothing can be read of a file.
fn problem(source: &Tonight) -> Option<String> {
    let unread = source.seen.is_none().then(|| "cannot be read".to_owned());
    source.file.problem.clone().or(unread)
}

/// A name that nothing else has, for what lay under a name until now.
pub fn name(path: &str, now: DateTime<Utc>, names: &BTreeSet<String>) -> String {
    let name = format!("{path} (until {})", now.date_naive());
    let more = (2..).map(|n: u64| format!("{path} (until {}, {n})", now.date_naive()));
    std::iter::once(name.clone()).chain(more).find(|name| !names.contains(name)).unwrap_or(name)
}

/// The name under which it lay, if that is one that [`name`] made.
pub fn name_of_before(name: &str) -> Option<&str> {
    let (path, rest) = name.rsplit_once(" (until ")?;
    let date = rest.strip_suffix(')')?.split(", ").next()?;
    date.parse::<NaiveDate>().is_ok().then_some(path)
}

/// A source that was there, and is not; its number, its name, and since when.
pub fn gone(id: i64, (path, since): (String, DateTime<Utc>), seen: &Seen) -> Tonight {
    let mut file =
        File::unseen(Source { fs_path: path.clone().into(), path, origin: Origin::File });
    (file.kind, file.encoding, file.bytes) = (seen.kind, seen.encoding, seen.bytes);
    (file.first_entry, file.server) = (seen.first_entry, seen.server.clone());
    file.is_gone = true;
    let (seen, gone_since) = (Some(seen.clone()), Some(since));
    Tonight { file, seen, known: Some(id), gone_since, before: None, fresh: Vec::new() }
}

/// Servers of which no log is there any more, though their folders were not named by themselves.
pub fn servers(tonight: &[Tonight], problems: &[Problem], now: DateTime<Utc>) -> Vec<String> {
    let logs = || tonight.iter().filter(|source| is_log(source.file.kind));
    let server = |source: &Tonight| {
        source::server_of(&source.file.source.path).or_else(|| source.file.server.clone())
    };
    let there: BTreeSet<String> =
        logs().filter(|source| source.gone_since.is_none()).filter_map(server).collect();
    let mut gone: BTreeMap<String, Vec<&Tonight>> = BTreeMap::new();
    for source in logs() {
        let server = server(source).filter(|server| !there.contains(server));
        server.into_iter().for_each(|server| gone.entry(server).or_default().push(source));
    }
    let is_news = |logs: &Vec<&Tonight>| {
        let since = logs.iter().filter_map(|source| source.gone_since).max();
        since.is_some_and(|since| now - since <= TOLD)
            && logs.iter().any(|source| !is_told(&source.file.source.path, problems))
    };
    let tell = |(server, logs): (String, Vec<&Tonight>)| {
        let folder = logs.first().map_or("", |source| {
            let path = source.file.source.path.as_str();
            path.rsplit_once('/').map_or(path, |(folder, _)| folder)
        });
        format!(
            "{server}: none of its {} logs is there tonight (they lay in {folder}); what was read of them counts on: check \
             the server, its share, and the settings",
            logs.len()
        )
    };
    gone.into_iter().filter(|(_, logs)| is_news(logs)).map(tell).collect()
}

/// Whether a folder above it, or the pattern that finds it, is told by itself.
fn is_told(path: &str, problems: &[Problem]) -> bool {
    problems.iter().any(|problem| {
        let below = path.strip_prefix(problem.path.trim_end_matches('/'));
        below.is_some_and(|rest| rest.starts_with(['/', '!']))
            || glob::Pattern::new(&problem.path).is_ok_and(|pattern| pattern.matches(path))
    })
}
