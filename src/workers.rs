//! What the servers' own events and logs tell of their worker processes, to what the correlator takes: when the workers
//! of a pool ended, and who had to log on.

pub mod logons;

use crate::collect::book::Table;
use crate::collect::hints::Hint;
use crate::collect::names::host_name;
use crate::correlate::{self, DRAIN, Restarts, Scope};
use chrono::{DateTime, TimeDelta};
use stillin_parsers::event::{Pos, Restart, Restarted};

/// A server and a front-end pool of it.
pub type Pool = (String, &'static str);

/// A restart that an event tells of.
pub struct Told {
    /// Index of the source.
    pub source: usize,
    /// The restart.
    pub restart: Restart,
    /// It may be another server's: the logs have the same short name, with another domain behind it.
    pub may_be_anothers: bool,
}

/// Events of one recycle are as close.
const CLOSE: TimeDelta = TimeDelta::seconds(1);

/// The restarts of each pool, by its number. `fallback` is the server of events that do not tell theirs.
pub fn restarts(
    told: &[Told],
    hints: &[(String, usize, Hint)],
    fallback: Option<&str>,
    pools: &Table<Pool>,
) -> Restarts {
    let mut by_pool: Vec<Vec<correlate::Restart>> = vec![Vec::new(); pools.iter().count()];
    for Told { source, restart, may_be_anothers } in told {
        let computer = restart.computer.as_deref().or(fallback).map(host_name);
        let (scope, named) = match &restart.what {
            Restarted::Pool(pool) => (Scope::Pool, Some(pool.as_str())),
            Restarted::Iis => (Scope::Iis, None),
            Restarted::Machine => (Scope::Machine, None),
            Restarted::Kept(_) => continue,
        };
        let is_sure = !may_be_anothers && !has_failed(restart, told);
        let is_meant = |(server, pool): &Pool| {
            computer.as_ref() == Some(server)
                && named.is_none_or(|named| named.eq_ignore_ascii_case(pool))
        };
        let at = restart.time;
        let (source, pos) = (*source as u32, restart.pos);
        let restart = correlate::Restart { at, is_sure, scope, source, pos };
        by_pool
            .iter_mut()
            .zip(pools.iter())
            .filter(|(_, pool)| is_meant(pool))
            .for_each(|(list, _)| list.push(restart));
    }
    for (server, source, hint) in hints {
        let Some(at) = DateTime::from_timestamp(hint.seconds, 0) else { continue };
        let scope = if hint.pool.is_some() { Scope::Pool } else { Scope::Iis };
        let is_sure = hint.is_sure;
        let (source, pos) = (*source as u32, Pos::Line(hint.line));
        let restart = correlate::Restart { at, is_sure, scope, source, pos };
        let is_meant = |(of, pool): &Pool| {
            let named = hint.pool.as_ref();
            of == server && named.is_none_or(|named| named.eq_ignore_ascii_case(pool))
        };
        by_pool
            .iter_mut()
            .zip(pools.iter())
            .filter(|(_, pool)| is_meant(pool))
            .for_each(|(list, _)| list.push(restart));
    }
    for list in &mut by_pool {
        list.sort_by_key(|r| (r.at, !r.is_sure, r.scope, r.source, r.pos));
        // The System log of a server may lie there twice, as may the events of one restart.
        list.dedup_by_key(|r| (r.at, r.is_sure, r.scope));
    }
    Restarts::new(by_pool)
}

/// Whether WAS says that it could not do what the event says was asked for. 5079 to 5081 tell that all workers of a pool are
/// to be recycled, not that they were; 5070 tells of the last such request before it that some of them at least were not.
/// A worker that is named has ended, or asked for it itself.
fn has_failed(asked: &Restart, told: &[Told]) -> bool {
    let Restarted::Pool(pool) = &asked.what else { return false };
    let is_here = |other: &Restart, named: &String| {
        named.eq_ignore_ascii_case(pool)
            && other.computer.as_deref().map(host_name) == asked.computer.as_deref().map(host_name)
    };
    let is_failure = |other: &&Restart| {
        let is_its = matches!(&other.what, Restarted::Kept(named) if is_here(other, named));
        is_its && (asked.time - CLOSE..=asked.time + DRAIN).contains(&other.time)
    };
    let is_between = |failure: &Restart| {
        let between = asked.time + CLOSE..failure.time;
        told.iter().map(|told| &told.restart).any(|other| {
            matches!(&other.what, Restarted::Pool(named) if is_here(other, named))
                && between.contains(&other.time)
        })
    };
    let mut all = told.iter().map(|told| &told.restart);
    asked.process_id.is_none() && all.any(|other| is_failure(&other) && !is_between(other))
}
