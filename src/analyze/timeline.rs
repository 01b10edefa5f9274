//! The requests around every finding to its timelines: what a page draws beside the report. Bounded, and only made where
//! a page is asked for.

use super::chain::{self, Logons, Window, own_place};
use super::{Run, assemble, judge};
use crate::account::AccountId;
use crate::case::{Case, Finding, Path, Row};
use crate::collect::book::{Access, Place, Table};
use crate::correlate::{Residual, Restarts};
use crate::words;
use crate::workers::Pool;
use chrono::{DateTime, TimeDelta, Utc};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use stillin_reports::chain::Event;
use stillin_reports::report::{Gap, Report, Word};
use stillin_reports::timeline::{Mark, Run as RunOf, SPELL, Spell, Timeline, Timelines, What};

/// Runs of all timelines together, about: beyond that a page would be slow to open.
const RUNS: usize = 400_000;
/// Runs of one timeline: no picture has room for more.
const MOST: usize = 600;
/// And as many in any case.
const LEAST: usize = 60;
/// Marks of one kind on a timeline.
const MARKS: usize = 60;
/// Requests closer than this are one run; more, where the timeline is so long that they would lie on each other.
const CLOSE: TimeDelta = TimeDelta::minutes(2);
/// How much from before the change is shown, at least and at most.
const LEAD: (TimeDelta, TimeDelta) = (TimeDelta::hours(1), TimeDelta::hours(12));

/// What is the same for all timelines.
struct Shared<'a> {
    run: &'a Run<'a>,
    pools: Table<Pool>,
    restarts: Restarts,
    logons: BTreeMap<AccountId, Logons>,
    /// The ids of findings, by account and change.
    ids: BTreeMap<&'a str, &'a str>,
    /// Ids of changes by their index.
    changes: &'a [String],
    most: usize,
}

/// A timeline for each key of every finding.
pub fn timelines(run: &Run<'_>, report: &Report) -> Timelines {
    let mut pools: Table<Pool> = Table::default();
    for key in run.collected.book.keys.iter() {
        pools.number((key.server.clone(), key.pool));
    }
    let accounts: BTreeSet<AccountId> =
        run.cases.iter().filter(|case| !case.findings.is_empty()).map(|c| c.account).collect();
    let keys = run.cases.iter().flat_map(|case| &case.findings).map(|found| keys(run, found).len());
    let number = keys.sum::<usize>().max(1);
    let shared = Shared {
        run,
        restarts: chain::restarts_of(run, &pools),
        pools,
        logons: chain::logons_of(run, &accounts),
        ids: report.findings.iter().map(|f| (f.change.as_str(), f.id.as_str())).collect(),
        changes: &assemble::change_ids(run),
        most: (RUNS / number).clamp(LEAST, MOST),
    };
    let accesses = judge::sorted(&run.collected.book.accesses);
    let accesses: Vec<&[Access]> = accesses.chunk_by(|a, b| a.account == b.account).collect();
    // In order of accounts, as they were judged.
    let rows_of = |account: AccountId| {
        let place = accesses.binary_search_by_key(&account, |rows| rows[0].account).ok();
        place.map_or(&[][..], |place| accesses[place])
    };
    let of_case = |case: &Case| of_case(&shared, case, rows_of(case.account));
    let mut list: Vec<Timeline> = run.cases.par_iter().flat_map_iter(of_case).collect();
    let order: BTreeMap<&str, usize> =
        report.findings.iter().map(|f| f.id.as_str()).zip(0..).collect();
    list.sort_by_key(|timeline| order.get(timeline.finding.as_str()).copied());
    Timelines { list, spells: spells(&shared) }
}

/// The keys of a finding with the places of their paths in the report's order.
fn keys(run: &Run<'_>, found: &Finding) -> Vec<(u32, Vec<usize>)> {
    let mut paths: Vec<&Path> = found.paths.iter().collect();
    assemble::sort_paths(run, &mut paths);
    let mut keys: Vec<(u32, Vec<usize>)> = Vec::new();
    for (index, path) in paths.into_iter().enumerate() {
        match keys.iter_mut().find(|(key, _)| *key == path.key) {
            Some((_, indexes)) => indexes.push(index),
            None => keys.push((path.key, vec![index])),
        }
    }
    keys
}

fn of_case(shared: &Shared<'_>, case: &Case, rows: &[Access]) -> Vec<Timeline> {
    if case.findings.is_empty() {
        return Vec::new();
    }
    let verdicts: BTreeMap<Place, &Row> =
        case.rows.iter().map(|row| (own_place(&row.access), row)).collect();
    let mut by_key: BTreeMap<u32, Vec<&Access>> = BTreeMap::new();
    for access in rows {
        by_key.entry(access.key).or_default().push(access);
    }
    let of_finding = |found: &Finding| -> Vec<Timeline> {
        let id = shared.ids.get(shared.changes[found.change].as_str());
        let Some(id) = id else { return Vec::new() };
        let of_key = |(key, paths): (u32, Vec<usize>)| {
            let all = by_key.get(&key).map_or(&[][..], Vec::as_slice);
            let timeline = timeline(shared, case, found, key, all, &verdicts);
            Timeline { finding: (*id).to_owned(), paths, ..timeline }
        };
        keys(shared.run, found).into_iter().map(of_key).collect()
    };
    case.findings.iter().flat_map(of_finding).collect()
}

fn timeline(
    shared: &Shared<'_>,
    case: &Case,
    found: &Finding,
    key: u32,
    all: &[&Access],
    verdicts: &BTreeMap<Place, &Row>,
) -> Timeline {
    let run = shared.run;
    let at = run.directory.changes[found.change].at;
    let paths = || found.paths.iter().filter(|path| path.key == key);
    let last = paths().map(|path| path.last.end).max().unwrap_or(at);
    let lead = ((last - at) / 4).clamp(LEAD.0, LEAD.1);
    let begin = at.checked_sub_signed(lead).unwrap_or(at);
    let is_near = |_: usize, access: &Access| access.end >= begin;
    let window = Window::new(run, found, key, all, verdicts, is_near);
    let shown = &all[window.rows.clone()];
    let step = step(&window, shared.most);
    let (runs, left_out) =
        runs(shown, verdicts, step.min(run.args.ttl.max(CLOSE)), step, shared.most);
    let (marks, marks_left_out) = marks(shared, case, found, key, shown, &window);
    let gap = |from, to| Gap { from, to };
    let is_within =
        |(from, to): &&(DateTime<Utc>, DateTime<Utc>)| *from <= window.to && window.from <= *to;
    Timeline {
        finding: String::new(),
        paths: Vec::new(),
        from: window.from,
        to: window.to,
        runs,
        marks,
        log: window.log.map(|log| gap(log.from, log.to)),
        holes: window
            .log
            .iter()
            .flat_map(|log| &log.gaps)
            .filter(is_within)
            .map(|&(from, to)| gap(from, to))
            .collect(),
        quoted: quoted(run, paths(), all, verdicts),
        left_out,
        marks_left_out,
    }
}

/// How long a run may be, so that what is left of the timeline's density can be seen.
fn step(window: &Window<'_>, most: usize) -> TimeDelta {
    let bins = i32::try_from(most / 3).unwrap_or(i32::MAX);
    ((window.to - window.from) / bins.max(1)).max(CLOSE)
}

/// What was served, request after request that was judged alike and came closely, and how many were too many.
fn runs(
    shown: &[&Access],
    verdicts: &BTreeMap<Place, &Row>,
    close: TimeDelta,
    step: TimeDelta,
    most: usize,
) -> (Vec<RunOf>, u64) {
    let mut open: BTreeMap<Option<(Word, Word)>, RunOf> = BTreeMap::new();
    let mut runs: Vec<RunOf> = Vec::new();
    for access in shown.iter().filter(|access| access.refusal.is_none()) {
        let row = verdicts.get(&own_place(access));
        let verdict = row.map(|row| (row.class.word(), row.residual.word()));
        let data = u64::from(access.moved_data);
        match open.get_mut(&verdict) {
            Some(run) if access.start - run.to <= close && access.start - run.from <= step => {
                run.to = run.to.max(access.end);
                run.requests += 1;
                run.data_requests += data;
            }
            _ => {
                let (from, to) = (access.start, access.end);
                let new = RunOf { from, to, requests: 1, data_requests: data, verdict };
                runs.extend(open.insert(verdict, new));
            }
        }
    }
    runs.extend(open.into_values());
    runs.sort_by_key(|run| (run.from, run.to, run.verdict));
    let mut left_out = 0;
    if runs.len() > most {
        // How it began and how it ended matters most.
        let (first, last) = (most / 3, most - most / 3);
        let end = runs.len() - last;
        left_out = runs.drain(first..end).map(|run| run.requests).sum();
    }
    (runs, left_out)
}

/// Refusals, changes, restarts and logons, and how many were too many.
fn marks(
    shared: &Shared<'_>,
    case: &Case,
    found: &Finding,
    number: u32,
    shown: &[&Access],
    window: &Window<'_>,
) -> (Vec<Mark>, u64) {
    let run = shared.run;
    let key = run.collected.book.keys.get(number);
    let pool = shared.pools.place(&(key.server.clone(), key.pool));
    let mark = |what: What| {
        move |event: Event| Mark {
            at: event.at,
            what: if event.is_the_change { What::TheChange } else { what },
            text: event.text,
            times: 1,
            place: event.place,
        }
    };
    let changes = chain::changes(run, case.account, found.change, window);
    let restarts = |is_sure| {
        let of = |pool| chain::restarts(run, &shared.restarts, pool, window, is_sure);
        pool.map(of).unwrap_or_default()
    };
    let logons = shared.logons.get(&case.account);
    let logons = logons.map(|logons| chain::logons_at(run, logons, &key.server, window));
    let mut left_out = 0;
    let mut marks = Vec::new();
    for list in [
        changes.into_iter().map(mark(What::Change)).collect(),
        refusals(run, shown),
        restarts(true).into_iter().map(mark(What::Restart)).collect::<Vec<Mark>>(),
        restarts(false).into_iter().map(mark(What::Hint)).collect(),
        logons.into_iter().flatten().map(mark(What::Logon)).collect(),
    ] {
        left_out += list.iter().skip(MARKS).map(|mark| mark.times).sum::<u64>();
        marks.extend(list.into_iter().take(MARKS));
    }
    marks.sort_by(|a, b| (a.at, a.what, &a.text).cmp(&(b.at, b.what, &b.text)));
    (marks, left_out)
}

fn refusals(run: &Run<'_>, shown: &[&Access]) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    let mut latest: Option<DateTime<Utc>> = None;
    for access in shown {
        let Some(refusal) = access.refusal else { continue };
        let status = words::status(access.sc_status, access.sc_substatus);
        let text = format!("refused: {} ({status})", words::refusal_word(refusal));
        let is_close = latest.is_some_and(|latest| access.start - latest <= CLOSE);
        latest = latest.max(Some(access.end));
        match marks.last_mut() {
            Some(mark) if is_close && mark.text == text => mark.times += 1,
            _ => {
                let place = Some(chain::at_line(run, own_place(access)));
                marks.push(Mark { at: access.end, what: What::Refusal, text, times: 1, place });
            }
        }
    }
    marks
}

/// The requests that the evidence of paths names.
fn quoted<'a>(
    run: &Run<'_>,
    paths: impl Iterator<Item = &'a Path>,
    all: &[&Access],
    verdicts: &BTreeMap<Place, &Row>,
) -> Vec<stillin_reports::chain::Request> {
    let named: BTreeSet<Place> = paths
        .flat_map(|path| [Some(&path.first), Some(&path.last), path.refused.as_ref()])
        .flatten()
        .map(own_place)
        .collect();
    let is_named = |access: &&&Access| named.contains(&own_place(access));
    all.iter()
        .filter(is_named)
        .map(|access| {
            // Which of the clients it was is not told here.
            chain::request(run, access, 0, verdicts.get(&own_place(access)).copied())
        })
        .collect()
}

/// Residual requests of all findings, by the spell in which they ended.
fn spells(shared: &Shared<'_>) -> Vec<Spell> {
    let mut spells: BTreeMap<DateTime<Utc>, (u64, u64)> = BTreeMap::new();
    let is_told = |found: &Finding| shared.ids.contains_key(shared.changes[found.change].as_str());
    let cases = shared.run.cases.iter().filter(|case| case.findings.iter().any(is_told));
    let rows = cases.flat_map(|case| &case.rows);
    for row in rows.filter(|row| row.residual > Residual::No) {
        let seconds = row.access.end.timestamp().div_euclid(SPELL) * SPELL;
        let begin = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        let (requests, data) = spells.entry(begin).or_default();
        *requests += 1;
        *data += u64::from(row.access.moved_data);
    }
    let spell = |(at, (requests, data_requests))| Spell { at, requests, data_requests };
    spells.into_iter().map(spell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(minutes: impl Iterator<Item = i64>) -> Vec<Access> {
        let at = |minute| DateTime::from_timestamp(minute * 60, 0).unwrap_or_default();
        let access = |(line, minute): (u64, i64)| Access { line, ..Access::served(at(minute)) };
        (1..).zip(minutes).map(access).collect()
    }

    /// Requests of each run, and those left out.
    fn runs_of(accesses: &[Access], close: i64, step: i64, most: usize) -> (Vec<u64>, u64) {
        let shown: Vec<&Access> = accesses.iter().collect();
        let minutes = TimeDelta::minutes;
        let (runs, left_out) = runs(&shown, &BTreeMap::new(), minutes(close), minutes(step), most);
        assert!(runs.is_sorted_by_key(|run| run.from));
        (runs.into_iter().map(|run| run.requests).collect(), left_out)
    }

    #[test]
    fn runs_are_no_longer_than_a_step_and_hold_every_request() {
        let accesses = served(0..600);
        assert_eq!(runs_of(&accesses, 2, 2, 600), (vec![3; 200], 0));
        assert_eq!(runs_of(&accesses, 15, 59, 600), (vec![60; 10], 0));
    }

    #[test]
    fn no_run_goes_over_a_pause_that_a_token_would_not_outlive() {
        let accesses = served([0, 10, 20, 36, 46].into_iter());
        assert_eq!(runs_of(&accesses, 15, 60, 600), (vec![3, 2], 0));
    }

    #[test]
    fn what_is_too_much_is_counted_and_the_ends_stay() {
        let accesses = served((0..1_000).map(|n| n * 60));
        let shown: Vec<&Access> = accesses.iter().collect();
        let minutes = TimeDelta::minutes;
        let (kept, left_out) = runs(&shown, &BTreeMap::new(), minutes(2), minutes(2), 60);
        assert_eq!((kept.len(), left_out), (60, 940));
        assert_eq!(kept.first().map(|run| run.from), accesses.first().map(|a| a.start));
        assert_eq!(kept.last().map(|run| run.to), accesses.last().map(|a| a.end));
    }
}
