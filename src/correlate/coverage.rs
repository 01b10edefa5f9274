//! What the logs of each server can speak about.

use chrono::{DateTime, Utc};

/// Span and holes of one server's request logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// First entry.
    pub from: DateTime<Utc>,
    /// Last entry.
    pub to: DateTime<Utc>,
    /// Holes: last entry before, first entry after.
    pub gaps: Vec<(DateTime<Utc>, DateTime<Utc>)>,
}

/// Coverage by server index.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// One a server, `None` where no log of it was supplied.
    pub servers: Vec<Option<Span>>,
}

impl Coverage {
    /// The span of a server.
    pub fn of(&self, server: u32) -> Option<&Span> {
        self.servers.get(server as usize)?.as_ref()
    }

    /// Whether the server's log has a hole between two instants, or does not reach back to the first:
    /// requests may have been served there that nobody can see.
    pub fn is_blind(&self, server: u32, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        let Some(span) = self.of(server) else { return true };
        span.from > from
            || span.gaps.iter().any(|&(gap_from, gap_to)| gap_from < to && from < gap_to)
    }

    /// Whether the server's log speaks about all of the time between two instants.
    pub fn covers(&self, server: u32, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        !self.is_blind(server, from, to) && self.of(server).is_some_and(|span| to <= span.to)
    }
}
