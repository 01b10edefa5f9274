//! What web logs tell of the end of workers: requests that HTTP.sys abandoned, pools that went away (DOMAIN.md 1.7), a
//! header that was written again (1.1).

use stillin_parsers::exchange::{Ended, has_pool, restart_hint};
use stillin_parsers::w3c::Line;

/// A line that tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The pool, as HTTP.sys names its queue; `None`: all of IIS.
    pub pool: Option<String>,
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
    let pool = String::from_utf8(pool.to_vec()).ok().filter(|pool| has_pool(pool))?;
    let is_sure = ended == Ended::Pool;
    let is_told = |told: &&Hint| told.seconds == line.seconds && told.is_sure == is_sure;
    let known =
        before.iter().rev().take(8).filter(is_told).any(|told| told.pool.as_ref() == Some(&pool));
    let hint = Hint { pool: Some(pool), is_sure, seconds: line.seconds, line: line.number };
    (!known).then_some(hint)
}

/// A header that says what the one before it says, and what stands around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// Line in the log.
    pub line: u64,
    /// The last entry before it and the first one after it, seconds since 1970.
    pub between: (Option<i64>, Option<i64>),
}

impl Repeat {
    /// HTTP.sys opens a log anew after a restart of IIS, but not after the recycle of a pool (DOMAIN.md 1.1). It does so
    /// at midnight, too, and behind NUL bytes the server went down, which the hole there tells of. The restart came
    /// after the entry before.
    pub fn hint(&self, holes: &[(Option<i64>, Option<i64>)]) -> Option<Hint> {
        let (Some(before), Some(after)) = self.between else { return None };
        let is_midday = before.div_euclid(DAY) == after.div_euclid(DAY);
        let is_hole = holes.iter().any(|(from, _)| *from == Some(before));
        let hint = Hint { pool: None, is_sure: false, seconds: before, line: self.line };
        (is_midday && !is_hole).then_some(hint)
    }
}

const DAY: i64 = 86_400;
