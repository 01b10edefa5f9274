//! Logons of the account by the servers' workers: each one a token that was not in the cache (DOMAIN.md 4.1).

use super::coverage::Coverage;
use super::{Effect, Request, Rules};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use stillin_parsers::exchange::Refusal;

/// A logon of type 8 by `w3wp.exe` under the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logon {
    /// When.
    pub at: DateTime<Utc>,
    /// Server, an index into the coverage.
    pub server: u32,
    /// Number of the client's address, as in [`Request::address`].
    pub address: Option<u32>,
    /// Why it failed. A failed one judges nothing here: the web log has it as a 401 with the client that sent it.
    pub refusal: Option<Refusal>,
}

/// One account's logons and what the servers' Security logs can speak about.
#[derive(Debug, Clone, Copy)]
pub struct Logons<'a> {
    /// In order of time.
    pub list: &'a [Logon],
    /// Spans within which a server's Security log would show a logon.
    pub coverage: &'a Coverage,
}

/// A logon is written while its request is under way: this long after the request began at most.
const LAG: TimeDelta = TimeDelta::seconds(5);

/// The logons up to the request at hand.
pub(super) struct Heard<'a> {
    to_come: std::iter::Peekable<std::slice::Iter<'a, Logon>>,
    coverage: &'a Coverage,
    /// The latest of each server and address.
    latest: BTreeMap<(u32, Option<u32>), DateTime<Utc>>,
    /// The latest of each server.
    latest_of_server: BTreeMap<u32, DateTime<Utc>>,
}

/// What the logons say of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// The latest logon since the change that may have been this client's.
    pub(super) at: Option<DateTime<Utc>>,
    /// Every logon on this server since the change is on record, and the account has none.
    pub(super) never: bool,
}

impl<'a> Heard<'a> {
    pub(super) fn new(logons: &Logons<'a>) -> Self {
        let is_sorted = logons.list.is_sorted_by_key(|logon| logon.at);
        assert!(is_sorted, "logons must come in order of time");
        Heard {
            to_come: logons.list.iter().peekable(),
            coverage: logons.coverage,
            latest: BTreeMap::new(),
            latest_of_server: BTreeMap::new(),
        }
    }

    /// What the logons say of a request; requests come in order of start.
    pub(super) fn of(&mut self, request: &Request, effect: &Effect, rules: &Rules) -> Asked {
        let until = request.start + LAG;
        while let Some(logon) = self.to_come.next_if(|logon| logon.at <= until) {
            if logon.refusal.is_none() {
                self.latest.insert((logon.server, logon.address), logon.at);
                self.latest_of_server.insert(logon.server, logon.at);
            }
        }
        let server = request.server;
        let of_server = self.latest_of_server.get(&server).copied();
        let at = match request.address {
            Some(_) => {
                let of = |address| self.latest.get(&(server, address)).copied();
                of(request.address).max(of(None))
            }
            None => of_server,
        };
        // A logon within the slack before the change may have been one after it.
        let since = effect.earliest - rules.slack;
        let is_none = of_server.is_none_or(|at| at < since);
        let never = is_none && effect.is_exact && self.coverage.covers(server, since, until);
        Asked { at: at.filter(|at| *at >= effect.earliest), never }
    }
}
