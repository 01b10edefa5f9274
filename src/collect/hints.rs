//! What web logs tell of the end of workers: requests that HTTP.sys abandoned, pools that went away (DOMAIN.md 1.7).

use stillin_parsers::exchange::{Ended, has_pool, restart_hint};
use stillin_parsers::w3c::Line;

/// A line that tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The pool, as HTTP.sys names its queue.
    pub pool: String,
    /// The whole pool went away; else a worker, or a mere request of it.
    pub is_sure: bool,
    /// When, seconds since 1970.
    pub seconds: i64,
    /// Line in the log.
    pub line: u64,
}

/// The hint of a line of HTTPERR; those of one second and pool are one.
pub fn hint(line: &Line<'_>, before: &[Hint]) -> Option<Hint> {
    let (ended, pool) = restart_hint(line)?;
    // What attackers typed is no pool, and the other pools of a server do not matter.
    let pool = str::from_utf8(pool).ok().filter(|pool| has_pool(pool))?;
    let is_sure = ended == Ended::Pool;
    let is_told = |told: &&Hint| told.seconds == line.seconds && told.is_sure == is_sure;
    let known = before.iter().rev().take(8).filter(is_told).any(|told| told.pool == pool);
    let hint = Hint { pool: pool.to_owned(), is_sure, seconds: line.seconds, line: line.number };
    (!known).then_some(hint)
}
