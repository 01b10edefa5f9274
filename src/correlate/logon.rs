//! Logons of the account by the servers' workers: each one a token that was not in the cache (DOMAIN.md 4.1).

use super::coverage::Coverage;
use super::{Effect, Request, Rules};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, VecDeque};
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
    /// Logons under names that may be the account's, for lack of evidence of what a server calls it.
    pub strangers: Option<&'a Strangers>,
}

/// Logons under names that no source ties to anybody.
#[derive(Debug, Clone, Default)]
pub struct Strangers(BTreeMap<(u32, At), Vec<DateTime<Utc>>>);

impl Strangers {
    /// Takes them, in any order.
    pub fn new(list: impl IntoIterator<Item = Logon>) -> Self {
        let mut places: BTreeMap<_, Vec<DateTime<Utc>>> = BTreeMap::new();
        for logon in list.into_iter().filter(|logon| logon.refusal.is_none()) {
            for at in At::noted(logon.address) {
                places.entry((logon.server, at)).or_default().push(logon.at);
            }
        }
        places.values_mut().for_each(|times| times.sort());
        Strangers(places)
    }

    /// Whether any came from where a request did, between two instants.
    fn came(&self, request: &Request, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        let places = At::sought(request.address).map(|at| (request.server, at));
        let mut times = places.iter().filter_map(|place| self.0.get(place));
        times.any(|times| {
            times.get(times.partition_point(|at| *at < from)).is_some_and(|at| *at <= to)
        })
    }
}

/// A logon is written while its request is under way: this long after the request began at most.
const LAG: TimeDelta = TimeDelta::seconds(5);

/// Where a logon came from, and where a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum At {
    /// From any address.
    Anywhere,
    /// It is not told.
    Untold,
    Address(u32),
}

impl At {
    /// Where something from that address is noted.
    fn noted(address: Option<u32>) -> [At; 2] {
        [At::Anywhere, address.map_or(At::Untold, At::Address)]
    }

    /// Where it is sought what may be from that address.
    fn sought(address: Option<u32>) -> [At; 2] {
        address.map_or([At::Anywhere; 2], |address| [At::Address(address), At::Untold])
    }
}

/// Requests in order of start, each with those that follow soon after.
pub(super) struct Ahead<I> {
    stream: I,
    soon: VecDeque<Request>,
}

impl<I: Iterator<Item = Request>> Ahead<I> {
    pub(super) fn new(stream: I) -> Self {
        Ahead { stream, soon: VecDeque::new() }
    }

    /// The next one; what follows within the time that a logon lags behind its request is at hand then.
    pub(super) fn next(&mut self) -> Option<(Request, &VecDeque<Request>)> {
        let request = match self.soon.pop_front() {
            Some(request) => request,
            None => self.stream.next()?,
        };
        while self.soon.back().is_none_or(|last| last.start <= request.start + LAG) {
            let Some(next) = self.stream.next() else { break };
            self.soon.push_back(next);
        }
        Some((request, &self.soon))
    }
}

/// Which clients were seen somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    One(u32),
    Several,
}

/// The logons up to the request at hand.
pub(super) struct Heard<'a> {
    to_come: std::iter::Peekable<std::slice::Iter<'a, Logon>>,
    /// There are none at all, as is the rule.
    is_deaf: bool,
    coverage: &'a Coverage,
    strangers: Option<&'a Strangers>,
    /// The latest of each server and client, where it is known whose it was.
    own: BTreeMap<(u32, u32), DateTime<Utc>>,
    /// The latest of each server and address of which it is not.
    unclaimed: BTreeMap<(u32, At), DateTime<Utc>>,
    /// The clients of each server and address.
    seen: BTreeMap<(u32, At), Seen>,
    /// The latest of each server.
    latest_of_server: BTreeMap<u32, DateTime<Utc>>,
}

/// What the logons say of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// The latest logon since the change that was this client's.
    pub(super) at: Option<DateTime<Utc>>,
    /// The latest one that may have been this client's, or that of another one at its address.
    pub(super) perhaps: Option<DateTime<Utc>>,
    /// Every logon on this server since the change is on record, and the account has none.
    pub(super) never: bool,
}

impl<'a> Heard<'a> {
    pub(super) fn new(logons: &Logons<'a>) -> Self {
        let is_sorted = logons.list.is_sorted_by_key(|logon| logon.at);
        assert!(is_sorted, "logons must come in order of time");
        Heard {
            to_come: logons.list.iter().peekable(),
            is_deaf: logons.list.is_empty(),
            coverage: logons.coverage,
            strangers: logons.strangers,
            own: BTreeMap::new(),
            unclaimed: BTreeMap::new(),
            seen: BTreeMap::new(),
            latest_of_server: BTreeMap::new(),
        }
    }

    /// Takes the logons up to a request, each with the client whose request began when it was written: behind one
    /// address another device of the account may have logged on.
    pub(super) fn hear(&mut self, request: &Request, soon: &VecDeque<Request>) {
        if self.is_deaf {
            return;
        }
        if may_log_on(request) {
            for at in At::noted(request.address) {
                let client = Seen::One(request.client);
                let seen = self.seen.entry((request.server, at)).or_insert(client);
                *seen = if *seen == client { client } else { Seen::Several };
            }
        }
        let until = request.start + LAG;
        while let Some(logon) = self.to_come.next_if(|logon| logon.at <= until) {
            if logon.refusal.is_some() {
                continue;
            }
            self.latest_of_server.insert(logon.server, logon.at);
            let under_way = std::iter::once(request)
                .chain(soon)
                .take_while(|request| request.start <= logon.at);
            let mut clients =
                under_way.filter(|request| logon.may_be_of(request)).map(|request| request.client);
            let client = clients.next();
            let is_of_several = clients.any(|other| Some(other) != client);
            if let Some(client) = client.filter(|_| !is_of_several) {
                self.own.insert((logon.server, client), logon.at);
                continue;
            }
            for place in At::noted(logon.address).map(|at| (logon.server, at)) {
                self.unclaimed.insert(place, logon.at);
                if is_of_several {
                    self.seen.insert(place, Seen::Several);
                }
            }
        }
    }

    /// What the logons say of a request; requests come in order of start.
    pub(super) fn of(&self, request: &Request, effect: &Effect, rules: &Rules) -> Asked {
        if self.is_deaf {
            let never = self.never(request, effect, rules, None);
            return Asked { at: None, perhaps: None, never };
        }
        let server = request.server;
        let sought = At::sought(request.address).map(|at| (server, at));
        let own = self.own.get(&(server, request.client)).copied();
        let unclaimed = sought.iter().filter_map(|at| self.unclaimed.get(at)).max().copied();
        let is_alone = sought
            .iter()
            .filter_map(|at| self.seen.get(at))
            .all(|seen| *seen == Seen::One(request.client));
        let (at, perhaps) = if is_alone { (own.max(unclaimed), None) } else { (own, unclaimed) };
        let is_since = |at: &DateTime<Utc>| *at >= effect.earliest;
        let never = self.never(request, effect, rules, self.latest_of_server.get(&server));
        Asked { at: at.filter(is_since), perhaps: perhaps.filter(is_since), never }
    }

    /// Whether the account surely logged on nowhere on the server since the change; `latest` is when it did there at last.
    fn never(
        &self,
        request: &Request,
        effect: &Effect,
        rules: &Rules,
        latest: Option<&DateTime<Utc>>,
    ) -> bool {
        if !effect.is_exact || self.coverage.of(request.server).is_none() {
            return false;
        }
        // A logon within the slack before the change may have been one after it.
        let since = effect.earliest - rules.slack;
        let until = request.start + LAG;
        let is_stranger = |list: &Strangers| list.came(request, since, until);
        latest.is_none_or(|at| *at < since)
            && self.coverage.covers(request.server, since, until)
            && !self.strangers.is_some_and(is_stranger)
    }
}

/// It was let in, by a scheme that makes such logons.
fn may_log_on(request: &Request) -> bool {
    request.refusal.is_none() && !request.auth.uses_no_token()
}

impl Logon {
    /// Of a request that begins shortly before it. One of which it is not known when it began may be any other.
    fn may_be_of(&self, request: &Request) -> bool {
        let is_from_there =
            self.address.is_none() || request.address.is_none() || self.address == request.address;
        self.server == request.server
            && is_from_there
            && request.is_start_known
            && may_log_on(request)
    }
}
