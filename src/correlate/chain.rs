//! Chains: runs of served requests so close together that one cached token can have served them all.

use super::Request;
use super::coverage::Coverage;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// How the token behind a request relates to the change in effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lineage {
    /// The chain began before the change: the token can be from then.
    Before,
    /// Only if it outlived a gap between one and two TTLs, or was used while the log was blind.
    Unsure,
    /// A token from before the change would have been flushed.
    After,
}

/// What is known of the token behind a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    /// Where it comes from.
    pub(super) lineage: Lineage,
    /// The client was served under the key before the change.
    pub(super) is_client_known: bool,
}

struct Chain {
    /// Start of its first request.
    start: DateTime<Utc>,
    /// Start of the first chain that this one may go on with; `None` if that lies where no log reaches.
    origin: Option<DateTime<Utc>>,
    /// Latest end of a request.
    last_end: DateTime<Utc>,
}

/// The open chains of one account, one a key.
pub(super) struct Chains<'a> {
    coverage: &'a Coverage,
    ttl: TimeDelta,
    open: BTreeMap<u32, Chain>,
    /// By key and client, start of the first request.
    clients: BTreeMap<(u32, u32), DateTime<Utc>>,
}

impl<'a> Chains<'a> {
    pub(super) fn new(coverage: &'a Coverage, ttl: TimeDelta) -> Self {
        Chains { coverage, ttl, open: BTreeMap::new(), clients: BTreeMap::new() }
    }

    /// Adds a served request to its chain and says where its token comes from, seen from `change`.
    pub(super) fn serve(&mut self, request: &Request, change: Option<DateTime<Utc>>) -> Token {
        let start = request.start;
        let chain = match self.open.remove(&request.key) {
            Some(chain) if start - chain.last_end <= self.ttl => chain,
            Some(chain) if self.may_go_on(request, chain.last_end) => Chain { start, ..chain },
            Some(_) => Chain { start, origin: Some(start), last_end: request.end },
            None => {
                let blind = self.coverage.is_blind(request.server, start - self.ttl * 2, start);
                Chain { start, origin: (!blind).then_some(start), last_end: request.end }
            }
        };
        let lineage = match change {
            Some(change) if chain.start < change => Lineage::Before,
            Some(change) if chain.origin.is_none_or(|origin| origin < change) => Lineage::Unsure,
            _ => Lineage::After,
        };
        let last_end = chain.last_end.max(request.end);
        self.open.insert(request.key, Chain { last_end, ..chain });
        let first = *self.clients.entry((request.key, request.client)).or_insert(start);
        Token { lineage, is_client_known: change.is_some_and(|change| first < change) }
    }

    /// An idle entry lives between one and two TTLs (DOMAIN.md 5.1); a blind log proves no idleness at all.
    fn may_go_on(&self, request: &Request, last_end: DateTime<Utc>) -> bool {
        let unknown =
            if request.is_start_known { TimeDelta::zero() } else { super::LONGEST_REQUEST };
        request.start - last_end <= self.ttl * 2 + unknown
            || self.coverage.is_blind(request.server, last_end, request.start)
    }
}
