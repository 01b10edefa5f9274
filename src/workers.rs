//! What the servers' own events and logs tell of their worker processes, to what the correlator takes: when the workers
//! of a pool ended, and who had to log on.

pub mod logons;

use crate::collect::book::Table;
use crate::collect::hints::Hint;
use crate::collect::names::host_name;
use crate::correlate::{self, Restarts, Scope};
use chrono::DateTime;
use stillin_parsers::event::{Pos, Restart, Restarted};

/// A server and a front-end pool of it.
pub type Pool = (String, &'static str);

/// The restarts of each pool, by its number. `fallback` is the server of events that do not tell theirs.
pub fn restarts(
    told: &[(usize, Restart)],
    hints: &[(String, usize, Hint)],
    fallback: Option<&str>,
    pools: &Table<Pool>,
) -> Restarts {
    let mut by_pool: Vec<Vec<correlate::Restart>> = vec![Vec::new(); pools.iter().count()];
    for (source, restart) in told {
        let computer = restart.computer.as_deref().or(fallback).map(host_name);
        let (scope, named) = match &restart.what {
            Restarted::Pool(pool) => (Scope::Pool, Some(pool.as_str())),
            Restarted::Iis => (Scope::Iis, None),
            Restarted::Machine => (Scope::Machine, None),
        };
        let is_meant = |(server, pool): &Pool| {
            computer.as_ref() == Some(server)
                && named.is_none_or(|named| named.eq_ignore_ascii_case(pool))
        };
        let at = restart.time;
        let (source, pos) = (*source as u32, restart.pos);
        let restart = correlate::Restart { at, is_sure: true, scope, source, pos };
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
