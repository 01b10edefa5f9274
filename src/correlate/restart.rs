//! When the workers of each pool ended, and their tokens with them.

use chrono::{DateTime, Utc};
use stillin_parsers::event::Pos;

/// What was restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The application pool.
    Pool,
    /// All of IIS.
    Iis,
    /// The server.
    Machine,
}

/// A moment at which the worker of a pool ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    /// When.
    pub at: DateTime<Utc>,
    /// An event says so. Else it is a hint: requests that HTTP.sys abandoned, another process id (DOMAIN.md 6.1), or,
    /// of all of IIS, a header that was written again, at some time after `at` (1.1).
    pub is_sure: bool,
    /// What was restarted.
    pub scope: Scope,
    /// Index of the source that tells of it.
    pub source: u32,
    /// Where in the source.
    pub pos: Pos,
}

/// Restarts by pool; one of IIS or the server stands with every pool of that server.
#[derive(Debug, Clone, Default)]
pub struct Restarts {
    pools: Vec<Vec<Restart>>,
}

impl Restarts {
    /// Takes the restarts of each pool, by the pool's index.
    ///
    /// # Panics
    /// If those of a pool are not in order of time.
    pub fn new(pools: Vec<Vec<Restart>>) -> Self {
        let is_sorted = |list: &Vec<Restart>| list.is_sorted_by_key(|restart| restart.at);
        assert!(pools.iter().all(is_sorted), "restarts must come in order of time");
        Restarts { pools }
    }

    /// Whether none is known.
    pub(super) fn is_empty(&self) -> bool {
        self.pools.iter().all(Vec::is_empty)
    }

    /// The restarts of a pool from `from` on, in order.
    pub fn since(&self, pool: u32, from: DateTime<Utc>) -> &[Restart] {
        let list = self.pools.get(pool as usize).map_or(&[][..], Vec::as_slice);
        &list[list.partition_point(|restart| restart.at < from)..]
    }

    /// The restarts of a pool before `until`, in order.
    pub(super) fn before(&self, pool: u32, until: DateTime<Utc>) -> &[Restart] {
        let list = self.pools.get(pool as usize).map_or(&[][..], Vec::as_slice);
        &list[..list.partition_point(|restart| restart.at < until)]
    }
}
