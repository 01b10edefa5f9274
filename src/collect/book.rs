//! What is kept of requests: compact rows, with every text that repeats written once.

use crate::account::AccountId;
use crate::correlate::Contradiction;
use crate::readings::pack::Pack;
use chrono::{DateTime, Utc};
use hashbrown::{Equivalent, HashMap};
use std::hash::Hash;
use stillin_parsers::exchange::{Auth, Protocol, Refusal, Scheme};

/// What a cached token hangs on: a server, a front-end pool, and the name as it was spelt.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Server; empty until the log's own server is known.
    pub server: String,
    /// Front-end application pool; empty if the URL is none of Exchange's.
    pub pool: &'static str,
    /// Protocol.
    pub protocol: Protocol,
    /// How clients of the pool log on unless an administrator changed it.
    pub scheme: Scheme,
    /// The name in lower case.
    pub name: String,
}

impl Key {
    /// First label of the domain or UPN suffix that the name is qualified with.
    pub fn home(&self) -> Option<String> {
        let domain = match self.name.split_once('\\') {
            Some((domain, _)) => domain,
            None => self.name.rsplit_once('@')?.1,
        };
        domain.split('.').next().map(str::to_owned)
    }
}

/// Who sent a request, as far as a log tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client {
    /// EAS `DeviceId`, or OWA's `ClientId`; empty if none.
    pub device: String,
    /// `cs(User-Agent)`, empty if none.
    pub user_agent: String,
    /// `c-ip`, empty if none.
    pub c_ip: String,
    /// The address that `X-Forwarded-For` tells; empty if none.
    pub forwarded: String,
    /// Number of `c_ip` and `user_agent` (see `seats`).
    pub seat: u64,
}

impl Client {
    /// The address as it is shown: as far as it is known, that of the client and not that of a balancer.
    pub fn address(&self) -> &String {
        if self.forwarded.is_empty() { &self.c_ip } else { &self.forwarded }
    }
}

/// One request of a watched account.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    /// The account.
    pub account: AccountId,
    /// Other accounts bear the name as well.
    pub is_ambiguous: bool,
    /// Source index.
    pub source: u32,
    /// Line in the source.
    pub line: u64,
    /// `end` minus time-taken.
    pub start: DateTime<Utc>,
    /// The log tells `start`; else it is `end`.
    pub is_start_known: bool,
    /// Time of the entry.
    pub end: DateTime<Utc>,
    /// Index into the keys.
    pub key: u32,
    /// Index into the clients.
    pub client: u32,
    /// Index into the texts: the name as logged, `None` for a refusal without a name.
    pub name: Option<u32>,
    /// Index into the texts: EAS command, OWA action, RPC verb.
    pub command: u32,
    /// Served, or refused for that reason.
    pub refusal: Option<Refusal>,
    /// A refusal that is this client's by its address and user agent alone: one without a name, or one where others
    /// were seen with both.
    pub is_claimed: bool,
    /// By which scheme; `None` where no log tells.
    pub auth: Auth,
    /// The id that Exchange's front end gave the request; 0 where it is not known or not asked for.
    pub request_id: u128,
    /// The row itself stands in a log of HttpProxy.
    pub is_proxied: bool,
    /// Where HttpProxy has the same request.
    pub twin: Option<Place>,
    /// How HttpProxy contradicts W3C on whose it is.
    pub contradiction: Option<Contradiction>,
    /// Mailbox data moved, as far as the log tells.
    pub moved_data: bool,
    /// Logged by the back end.
    pub is_back_end: bool,
    /// `sc-status`
    pub sc_status: u16,
    /// `sc-substatus`
    pub sc_substatus: Option<u16>,
    /// `sc-win32-status`
    pub sc_win32_status: Option<u64>,
}

impl Access {
    /// A refusal under the name, but perhaps of another client.
    pub fn may_be_another_clients(&self) -> bool {
        self.is_claimed && self.name.is_some()
    }
}

#[cfg(test)]
impl Access {
    /// A request that was served in a moment, as a test begins with it.
    pub fn served(at: DateTime<Utc>) -> Access {
        Access {
            account: 0,
            is_ambiguous: false,
            source: 0,
            line: 1,
            start: at,
            is_start_known: true,
            end: at,
            key: 0,
            client: 0,
            name: None,
            command: 0,
            refusal: None,
            is_claimed: false,
            auth: Auth::None,
            request_id: 0,
            is_proxied: false,
            twin: None,
            contradiction: None,
            moved_data: false,
            is_back_end: false,
            sc_status: 200,
            sc_substatus: None,
            sc_win32_status: None,
        }
    }
}

/// A row of HttpProxy that is not a watched account's.
#[derive(Debug, Clone, Copy)]
pub struct Other {
    /// The row; its account is the one that the name means, where `is_named`.
    pub row: Access,
    /// Its name means a watched account, and the SID is another one.
    pub is_named: bool,
    /// It is that of an account that the evidence knows, by its SID or its name.
    pub is_known: bool,
    /// By its SID it is that of one of several accounts that bear its name.
    pub is_bearers: bool,
    /// Index into the texts: the SID of its user, where no account of the evidence has it.
    pub strange_sid: Option<u32>,
}

/// A line of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Source index.
    pub source: u32,
    /// Line.
    pub line: u64,
}

/// Rows and the texts they share.
#[derive(Debug, Default)]
pub struct Book {
    /// Keys by index.
    pub keys: Table<Key>,
    /// Clients by index.
    pub clients: Table<Client>,
    /// Other texts by index.
    pub texts: Table<String>,
    /// Requests of watched accounts.
    pub accesses: Vec<Access>,
    /// Refusals without a name, to be given to the client that was served there before.
    /// Their account is not known yet.
    pub nameless: Vec<Access>,
    /// Rows of HttpProxy of requests that W3C has under a watched name, or that are under one themselves, but that are
    /// not a watched account's here.
    pub others: Vec<Other>,
}

impl Book {
    fn is_empty(&self) -> bool {
        // Whatever has a row has a key.
        self.keys.list.is_empty() && self.texts.list.is_empty()
    }

    /// Takes over the rows of `other`.
    pub fn absorb(&mut self, other: Book) {
        if self.is_empty() && other.keys.is_distinct() {
            *self = other;
            return;
        }
        let keys = self.keys.absorb(other.keys);
        let clients = self.clients.absorb(other.clients);
        let texts = self.texts.absorb(other.texts);
        let renumber = |access: Access| Access {
            key: keys[access.key as usize],
            client: clients[access.client as usize],
            name: access.name.map(|name| texts[name as usize]),
            command: texts[access.command as usize],
            ..access
        };
        self.accesses.extend(other.accesses.into_iter().map(renumber));
        self.nameless.extend(other.nameless.into_iter().map(renumber));
        let others = other.others.into_iter();
        self.others.extend(others.map(|other| Other {
            row: renumber(other.row),
            strange_sid: other.strange_sid.map(|sid| texts[sid as usize]),
            ..other
        }));
    }
}

/// Values that repeat, each once, by index in the order of their first mention.
#[derive(Debug)]
pub struct Table<T> {
    list: Vec<T>,
    /// Only looked up, never walked: its order is nobody's.
    index: HashMap<T, u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { list: Vec::new(), index: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Table<T> {
    /// Index of a value.
    pub fn number(&mut self, value: T) -> u32 {
        if let Some(&number) = self.index.get(&value) {
            return number;
        }
        let number = self.list.len() as u32;
        self.list.push(value.clone());
        self.index.insert(value, number);
        number
    }

    /// Index of a value that need not be owned to be found.
    pub fn number_of<Q>(&mut self, value: &Q, own: impl FnOnce(&Q) -> T) -> u32
    where
        Q: Hash + Equivalent<T> + ?Sized,
    {
        match self.index.get(value) {
            Some(&number) => number,
            None => self.number(own(value)),
        }
    }

    /// Index of a value that was numbered before.
    pub fn place(&self, value: &T) -> Option<u32> {
        self.index.get(value).copied()
    }

    /// Value of an index.
    pub fn get(&self, number: u32) -> &T {
        &self.list[number as usize]
    }

    /// No value has two indexes, as some have where [`Self::map`] made one of two.
    fn is_distinct(&self) -> bool {
        self.index.len() == self.list.len()
    }

    /// All values.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.list.iter()
    }

    /// The same values, changed; indexes stay, even where two values become one.
    pub fn map(self, change: impl Fn(T) -> T) -> Table<T> {
        let list: Vec<T> = self.list.into_iter().map(change).collect();
        let index = list.iter().cloned().zip(0..).collect();
        Table { list, index }
    }

    /// Takes over other values; returns their new indexes.
    pub fn absorb(&mut self, other: Table<T>) -> Vec<u32> {
        other.list.into_iter().map(|value| self.number(value)).collect()
    }
}

impl<T: Clone + Eq + Hash + Pack> Pack for Table<T> {
    fn pack(&self, to: &mut Vec<u8>) {
        self.list.pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Table<T>> {
        let list: Vec<T> = Pack::unpack(from)?;
        let index = list.iter().cloned().zip(0..).collect();
        Some(Table { list, index })
    }
}
