//! Chains: runs of served requests so close together that one cached token can have served them all.

use super::coverage::Coverage;
use super::restart::Restarts;
use super::{Ground, LONGEST_REQUEST, Request, Speaks};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// How the token behind a request relates to the change in effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lineage {
    /// The chain began before the change: the token can be from then.
    Before,
    /// Only if it outlived a pause between one and two TTLs.
    Pause,
    /// Only if it was in use where no log shows it, or lived through a restart that is not sure or still under way.
    Blind,
    /// A token from before the change would have been flushed.
    After,
}

/// What is known of the token behind a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    /// Where it comes from.
    pub(super) lineage: Lineage,
    /// No token can be older, if that is known.
    pub(super) oldest: Option<DateTime<Utc>>,
    /// A restart is why.
    pub(super) is_restarted: bool,
    /// Why a restart is no end of the chain, where there is one.
    pub(super) speaks: Speaks,
    /// The client was served under the key before the change.
    pub(super) is_client_known: bool,
}

#[derive(Clone, Copy)]
struct Chain {
    /// Start of its first request.
    start: DateTime<Utc>,
    /// Start of the first chain that this one may go on with over pauses of up to two TTLs.
    over_pauses: DateTime<Utc>,
    /// The same over whatever cannot be seen as well; `None` if that lies where no log reaches.
    origin: Option<DateTime<Utc>>,
    /// A restart is why nothing older can be.
    is_restarted: bool,
    /// Start of its last request.
    last_start: DateTime<Utc>,
    /// Latest end of a request.
    last_end: DateTime<Utc>,
    /// Until when the old worker may live on after a restart, and how old a token of the new one can be.
    drain: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Restarts that did not end it.
    speaks: Speaks,
}

/// A worker that is recycled ends what it has begun, for so long at most (`shutdownTimeLimit`, DOMAIN.md 6.3).
pub const DRAIN: TimeDelta = TimeDelta::seconds(90);

/// The open chains of one account, one a key.
#[derive(Clone)]
pub(super) struct Chains<'a> {
    coverage: &'a Coverage,
    restarts: &'a Restarts,
    ttl: TimeDelta,
    /// By key; requests that another log gives to somebody else hang on another token.
    open: BTreeMap<(u32, bool), Chain>,
    /// By key and client, start of the first request.
    clients: BTreeMap<((u32, bool), u32), DateTime<Utc>>,
}

impl<'a> Chains<'a> {
    pub(super) fn new(coverage: &'a Coverage, restarts: &'a Restarts, ttl: TimeDelta) -> Self {
        Chains { coverage, restarts, ttl, open: BTreeMap::new(), clients: BTreeMap::new() }
    }

    /// Adds a served request to its chain and says where its token comes from, seen from the earliest and the latest
    /// time of the change.
    pub(super) fn serve(
        &mut self,
        request: &Request,
        change: Option<(DateTime<Utc>, DateTime<Utc>)>,
    ) -> Token {
        let start = request.start;
        let key = (request.key, request.contradiction.is_some());
        // That of somebody else may be the account's all the same; but the account's never hangs on somebody else's.
        let own = self.open.get(&(request.key, false));
        let before = own.into_iter().chain(self.open.get(&key)).max_by_key(|chain| chain.last_end);
        let chain = match before {
            Some(chain) => self.go_on(request, *chain),
            None => self.begin(request),
        };
        let lineage = match change {
            Some((earliest, _)) if chain.start < earliest => Lineage::Before,
            Some((earliest, _)) if chain.over_pauses < earliest => Lineage::Pause,
            Some((_, latest)) if chain.origin.is_none_or(|origin| origin < latest) => {
                Lineage::Blind
            }
            _ => Lineage::After,
        };
        let begun_between = |(earliest, latest)| {
            chain.origin.is_some_and(|origin| earliest <= origin && origin < latest)
        };
        let speaks = match lineage {
            Lineage::Blind if change.is_some_and(begun_between) => {
                chain.speaks.and(Ground::BegunBetween.into())
            }
            Lineage::Blind => chain.speaks,
            _ => Speaks::default(),
        };
        let (oldest, is_restarted) = (chain.origin, chain.is_restarted);
        let last_end = chain.last_end.max(request.end);
        self.open.insert(key, Chain { last_start: start, last_end, ..chain });
        let first = *self.clients.entry((key, request.client)).or_insert(start);
        let is_client_known = change.is_some_and(|(earliest, _)| first < earliest);
        Token { lineage, oldest, is_restarted, speaks, is_client_known }
    }

    /// Where no log shows what came before the first request, the token is at least none from before a restart.
    fn begin(&self, request: &Request) -> Chain {
        let start = request.start;
        if !self.coverage.is_blind(request.server, start - self.ttl * 2, start) {
            return Chain::new(request, Some(start), false);
        }
        let before = self.restarts.before(request.pool, earliest(request) - DRAIN);
        let sure = before.iter().rfind(|restart| restart.is_sure);
        Chain::new(request, sure.map(|restart| restart.at), sure.is_some())
    }

    /// The chain as the request finds it: the same, a doubtful one, or a new one.
    fn go_on(&self, request: &Request, chain: Chain) -> Chain {
        let start = request.start;
        let chain = chain.drained(earliest(request));
        let idle = start - chain.last_end;
        // An idle entry lives between one and two TTLs (DOMAIN.md 5.1); a blind log proves no idleness at all, and
        // what may have begun long before it ended proves none either.
        let unknown = start - earliest(request);
        let chain = if idle <= self.ttl {
            chain
        } else if idle <= self.ttl * 2 {
            Chain { start, ..chain }
        } else if idle <= self.ttl * 2 + unknown
            || self.coverage.is_blind(request.server, chain.last_end, start)
        {
            Chain { start, over_pauses: start, ..chain }
        } else {
            return Chain::new(request, Some(start), false);
        };
        self.through_restarts(request, chain)
    }

    /// A restart since the last use ends the chain, if it is sure and the old worker must be gone.
    fn through_restarts(&self, request: &Request, chain: Chain) -> Chain {
        let start = request.start;
        let restarts = self.restarts.since(request.pool, chain.last_start);
        let restarts = &restarts[..restarts.partition_point(|restart| restart.at < start)];
        if restarts.is_empty() {
            return chain;
        }
        let doubtful = Chain { start, over_pauses: start, ..chain };
        let Some(sure) = restarts.iter().rfind(|restart| restart.is_sure) else {
            return Chain { speaks: chain.speaks.and(Ground::RestartHinted.into()), ..doubtful };
        };
        // Somebody may have logged on since where no log shows it.
        let is_blind = self.coverage.is_blind(request.server, sure.at, start);
        let oldest = if is_blind { sure.at } else { earliest(request).max(sure.at) };
        let gone = sure.at + DRAIN;
        if gone < earliest(request) {
            return Chain::new(request, Some(oldest), true);
        }
        let speaks = chain.speaks.and(Ground::Drained.into());
        Chain { drain: Some((gone, oldest)), speaks, ..doubtful }
    }
}

impl Chain {
    fn new(request: &Request, origin: Option<DateTime<Utc>>, is_restarted: bool) -> Self {
        let Request { start, end, .. } = *request;
        let (over_pauses, last_start, last_end) = (start, start, end);
        let (drain, speaks) = (None, Speaks::default());
        Chain { start, over_pauses, origin, is_restarted, last_start, last_end, drain, speaks }
    }

    /// Once the old worker is gone, so are its tokens.
    fn drained(self, now: DateTime<Utc>) -> Self {
        match self.drain {
            Some((gone, oldest)) if gone < now => {
                let (origin, drain, speaks) = (Some(oldest), None, Speaks::default());
                Chain { origin, is_restarted: true, drain, speaks, ..self }
            }
            _ => self,
        }
    }
}

/// Without time-taken a request may have begun long before it ended.
fn earliest(request: &Request) -> DateTime<Utc> {
    match request.is_start_known {
        true => request.start,
        false => request.start - LONGEST_REQUEST,
    }
}
