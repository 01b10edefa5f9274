//! The watchlist: which user names a scan stops at.

use crate::account::{AccountId, Accounts, Resolution};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::vectors::{LocalPart, Vectors};

/// The accounts to look for, and a filter that tells almost every other name in a few nanoseconds.
pub struct Watch<'a> {
    accounts: &'a Accounts,
    watched: BTreeSet<AccountId>,
    /// Those, and with a linked mailbox its master, and the other way round: they share names. Before that time a request
    /// of the account is a stranger's. By account, as every row is asked for it.
    since: Vec<Option<DateTime<Utc>>>,
    /// All local parts by which a log could mean a watched account, and bits at their hashes.
    parts: BTreeMap<String, BTreeSet<AccountId>>,
    filter: Filter,
}

/// Whose name it is, as far as the watchlist cares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Meant {
    /// No watched account.
    #[default]
    Nobody,
    /// That one.
    One(AccountId),
    /// Several accounts bear the name, these watched ones among them.
    Ambiguous(Vec<AccountId>),
    /// A watched account has that local part, but under another domain, or one that no source ties to it.
    Namesake(Vec<AccountId>),
}

impl Meant {
    /// An account whose name it is, or may be.
    pub fn first(&self) -> Option<AccountId> {
        match self {
            Meant::One(id) => Some(*id),
            Meant::Ambiguous(ids) => ids.first().copied(),
            Meant::Nobody | Meant::Namesake(_) => None,
        }
    }
}

impl<'a> Watch<'a> {
    /// A watchlist of `watched`, each from a time on: what they did long before they were cut off says as little as what
    /// others do.
    pub fn new(accounts: &'a Accounts, watched: BTreeMap<AccountId, DateTime<Utc>>) -> Self {
        let linked = accounts.list.iter().enumerate();
        let pairs = linked.filter_map(|(id, account)| Some([id, account.master?]));
        let mut since = vec![None; accounts.list.len()];
        watched.iter().for_each(|(&id, &at)| since[id] = Some(at));
        for pair in pairs {
            let of_pair = pair.iter().filter_map(|id| watched.get(id)).min();
            for (id, of_pair) in pair.into_iter().zip([of_pair; 2]) {
                let Some(of_pair) = of_pair else { continue };
                since[id] = since[id].into_iter().chain([*of_pair]).min();
            }
        }
        let watched: BTreeSet<AccountId> = watched.into_keys().collect();
        let mut parts: BTreeMap<String, BTreeSet<AccountId>> = BTreeMap::new();
        let looked_for = since.iter().enumerate().filter(|(_, since)| since.is_some());
        for (id, _) in looked_for {
            for part in accounts.local_parts(id) {
                parts.entry(part).or_default().insert(id);
            }
        }
        let mut filter = Filter::new(parts.len() * 2);
        let vectors = Vectors::best();
        for part in parts.keys() {
            for spelling in [part.clone(), part.replace(' ', "+")] {
                filter.set(LocalPart::of(spelling.as_bytes(), vectors).hash().unwrap_or_default());
            }
        }
        Watch { accounts, watched, since, parts, filter }
    }

    /// The accounts and their names.
    pub fn accounts(&self) -> &'a Accounts {
        self.accounts
    }

    /// Whether rows of an account are kept.
    pub fn has(&self, id: AccountId) -> bool {
        self.since(id).is_some()
    }

    /// From when on its requests are an account's own.
    pub fn since(&self, id: AccountId) -> Option<DateTime<Utc>> {
        self.since.get(id).copied().flatten()
    }

    /// Whether a request of an account at that time is the account's own.
    pub fn is_since(&self, id: AccountId, time: DateTime<Utc>) -> bool {
        self.since(id).is_none_or(|since| since <= time)
    }

    /// Every local part that is looked for, and from when on.
    pub fn parts(&self) -> impl Iterator<Item = (&str, DateTime<Utc>)> {
        self.parts.iter().filter_map(|(part, ids)| {
            let since = ids.iter().filter_map(|&id| self.since(id)).min()?;
            Some((part.as_str(), since))
        })
    }

    /// What a name means at that time: of watched accounts those that are watched by then.
    pub fn by_then(&self, meant: &Meant, time: DateTime<Utc>) -> Meant {
        let by_then = |ids: &[AccountId]| -> Vec<AccountId> {
            ids.iter().copied().filter(|&id| self.is_since(id, time)).collect()
        };
        match meant {
            Meant::Nobody => Meant::Nobody,
            Meant::One(id) if self.is_since(*id, time) => Meant::One(*id),
            Meant::One(_) => Meant::Nobody,
            Meant::Ambiguous(ids) => match by_then(ids) {
                ids if ids.is_empty() => Meant::Nobody,
                ids => Meant::Ambiguous(ids),
            },
            Meant::Namesake(ids) => match by_then(ids) {
                ids if ids.is_empty() => Meant::Nobody,
                ids => Meant::Namesake(ids),
            },
        }
    }

    /// Whose a row can be that is said to be the account's by what did not hear the client itself: the back end, or a
    /// log of Exchange without a SID. Of a linked mailbox it may be the master's (see `case::design`).
    pub fn with_master(&self, id: AccountId) -> Meant {
        match self.accounts.list.get(id).and_then(|account| account.master) {
            _ if !self.has(id) => Meant::Nobody,
            Some(master) => Meant::Ambiguous(vec![id, master]),
            None => Meant::One(id),
        }
    }

    /// Whether nobody is watched.
    pub fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    /// Whether a name may be a watched one, by its local part; a no is sure.
    #[inline(always)]
    pub fn may_mean(&self, local_part: &LocalPart) -> bool {
        local_part.hash().is_none_or(|hash| self.filter.get(hash))
    }

    /// Whether a name is a watched account's, or may be at some time.
    pub fn may_be_watched(&self, cs_username: &[u8]) -> bool {
        let name = decode(cs_username);
        match self.accounts.resolve(&name, None) {
            Resolution::One(id) => self.has(id),
            Resolution::Ambiguous(ids) => ids.into_iter().any(|id| self.has(id)),
            Resolution::Nobody => {
                let could_be = |&id: &AccountId| self.accounts.could_be(&name, id);
                let namesakes = self.accounts.namesakes(&name).into_iter();
                namesakes.filter(|id| self.watched.contains(id)).any(|id| could_be(&id))
            }
        }
    }

    /// Whose name it is, in a line of that time.
    pub fn meant(&self, cs_username: &[u8], time: impl FnOnce() -> DateTime<Utc>) -> Meant {
        let name = decode(cs_username);
        match self.accounts.resolve(&name, None) {
            Resolution::One(id) => self.meant_or_master(id, &name),
            Resolution::Ambiguous(_) => self.meant_then(&name, time()),
            Resolution::Nobody => {
                let namesakes = self.accounts.namesakes(&name);
                let watched: Vec<_> =
                    namesakes.into_iter().filter(|id| self.watched.contains(id)).collect();
                let could_be: Vec<_> = watched
                    .iter()
                    .copied()
                    .filter(|&id| self.accounts.could_be(&name, id))
                    .collect();
                match (watched.is_empty(), could_be.is_empty()) {
                    (true, _) => Meant::Nobody,
                    (false, true) => Meant::Namesake(watched),
                    (false, false) => Meant::Ambiguous(could_be),
                }
            }
        }
    }

    /// Whether a name is borne by several accounts, of which not all may have existed at a time.
    pub fn depends_on_time(&self, cs_username: &[u8]) -> bool {
        matches!(self.accounts.resolve(&decode(cs_username), None), Resolution::Ambiguous(_))
    }

    /// Of several bearers, those that existed at the time.
    fn meant_then(&self, name: &str, time: DateTime<Utc>) -> Meant {
        let ids = match self.accounts.resolve(name, Some(time)) {
            Resolution::Nobody => return Meant::Nobody,
            Resolution::One(id) => return self.meant_or_master(id, name),
            Resolution::Ambiguous(ids) => ids,
        };
        let kept: Vec<_> = ids.into_iter().filter(|id| self.has(*id)).collect();
        if kept.is_empty() { Meant::Nobody } else { Meant::Ambiguous(kept) }
    }

    /// The master of a linked mailbox may log on with a UPN or an address of that, but not with its `DOMAIN\sam`.
    fn meant_or_master(&self, id: AccountId, name: &str) -> Meant {
        match self.accounts.is_own_name(name, id) {
            true if self.has(id) => Meant::One(id),
            true => Meant::Nobody,
            false => self.with_master(id),
        }
    }
}

/// A logged text for the eye: UTF-8, or else Windows-1252, in which every byte is something.
pub fn decode(bytes: &[u8]) -> String {
    // Copied first: a log may change while it is looked at (see `input::Map`).
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|error| {
        encoding_rs::WINDOWS_1252.decode_without_bom_handling(error.as_bytes()).0.into_owned()
    })
}

/// A set of hashes that may say yes wrongly, never no; small, so that it stays in the first-level cache.
pub struct Filter {
    /// Three bits of one word for each hash.
    words: Vec<u64>,
}

impl Filter {
    /// Room for `n` hashes, at about one wrong yes in a thousand.
    pub fn new(n: usize) -> Self {
        Filter { words: vec![0; (n / 2).next_power_of_two().clamp(64, 1 << 20)] }
    }

    /// Whether the hash may be in the set.
    #[inline]
    pub fn get(&self, hash: u64) -> bool {
        let (word, bits) = self.place(hash);
        self.words[word] & bits == bits
    }

    /// Adds a hash.
    pub fn set(&mut self, hash: u64) {
        let (word, bits) = self.place(hash);
        self.words[word] |= bits;
    }

    #[inline]
    fn place(&self, hash: u64) -> (usize, u64) {
        let bits = [0, 6, 12].iter().fold(0, |bits, by| bits | 1 << (hash >> by & 63));
        ((hash >> 32) as usize & (self.words.len() - 1), bits)
    }
}
