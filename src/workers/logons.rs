//! Logons of type 8 by worker processes, to those of watched accounts, and to the times in which a server's Security log
//! would show one: an export may hold events of interest only, so other logons around are what proves it.

use crate::account::{AccountId, Accounts, Resolution};
use crate::collect::book::Table;
use crate::collect::minutes::Presence;
use crate::collect::names::host_name;
use crate::readings::pack::pack_struct;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use stillin_parsers::event::{Identity, Logon, LogonResult, Pos};
use stillin_parsers::exchange::Refusal;

/// The logons of a source, each name written once: a Security log has as many as there were cache misses.
#[derive(Debug, Default)]
pub struct Logons {
    list: Vec<Entry>,
    identities: Table<Identity>,
    computers: Table<String>,
    /// When logons were written, those of probes too, by computer.
    presence: BTreeMap<u32, Presence>,
}

/// One logon under a name.
#[derive(Debug, Clone, Copy)]
struct Entry {
    at: DateTime<Utc>,
    who: u32,
    computer: u32,
    address: Option<IpAddr>,
    refusal: Option<Refusal>,
    pos: Pos,
}

pack_struct! {
    Logons { list, identities, computers, presence }
    Entry { at, who, computer, address, refusal, pos }
}

/// A logon, wherever it is told.
type What<'a> = (DateTime<Utc>, &'a Identity, &'a String, Option<IpAddr>, Option<Refusal>);

/// One logon of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OfAccount {
    /// When.
    pub at: DateTime<Utc>,
    /// Server.
    pub server: String,
    /// The client, as the worker saw it.
    pub address: Option<IpAddr>,
    /// Why it failed.
    pub refusal: Option<Refusal>,
    /// Where its source tells of it.
    pub pos: Pos,
}

impl Logons {
    /// Takes a logon.
    pub fn take(&mut self, logon: Logon) {
        let computer = logon.computer.as_deref().map(host_name).unwrap_or_default();
        let computer = self.computers.number(computer);
        let presence = self.presence.entry(computer).or_default();
        presence.saw(logon.time.timestamp());
        presence.probes.insert(logon.time.timestamp().div_euclid(60));
        let refusal = match logon.result {
            LogonResult::Succeeded => None,
            LogonResult::Refused(refusal) => Some(refusal),
            LogonResult::Technical => return,
        };
        let Some(account) = logon.account else { return };
        let who = self.identities.number(*account);
        let (at, address, pos) = (logon.time, logon.address, logon.pos);
        self.list.push(Entry { at, who, computer, address, refusal, pos });
    }

    /// Takes those of another part of the source.
    pub fn absorb(&mut self, other: Logons) {
        let identities = self.identities.absorb(other.identities);
        let computers = self.computers.absorb(other.computers);
        for (computer, presence) in other.presence {
            self.presence.entry(computers[computer as usize]).or_default().extend(&presence);
        }
        self.list.extend(other.list.into_iter().map(|entry| Entry {
            who: identities[entry.who as usize],
            computer: computers[entry.computer as usize],
            ..entry
        }));
    }

    /// Those that another export of the log does not hold.
    pub fn without(&self, other: &Logons) -> Logons {
        let told: BTreeSet<_> = other.list.iter().map(|entry| other.what(entry)).collect();
        let mut rest = Logons::default();
        for entry in self.list.iter().filter(|entry| !told.contains(&self.what(entry))) {
            let who = rest.identities.number(self.identities.get(entry.who).clone());
            let computer = rest.computers.number(self.computers.get(entry.computer).clone());
            rest.list.push(Entry { who, computer, ..*entry });
        }
        for (&computer, presence) in &self.presence {
            let computer = self.computers.get(computer);
            let theirs = other.computers.place(computer).and_then(|own| other.presence.get(&own));
            if !theirs.is_some_and(|theirs| presence.minutes.are_in(&theirs.minutes)) {
                let computer = rest.computers.number(computer.clone());
                rest.presence.insert(computer, presence.clone());
            }
        }
        rest
    }

    /// Whether it shows nothing, not even that logons were logged.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && self.presence.is_empty()
    }

    /// All of an entry but its place.
    fn what<'a>(&'a self, entry: &Entry) -> What<'a> {
        let Entry { at, who, computer, address, refusal, .. } = *entry;
        (at, self.identities.get(who), self.computers.get(computer), address, refusal)
    }

    /// Who logged on or tried to, when, on which server, and whether it succeeded.
    pub fn each<'a>(
        &'a self,
        fallback: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Identity, DateTime<Utc>, String, bool)> {
        self.list.iter().map(move |entry| {
            let server = self.server(entry.computer, fallback);
            (self.identities.get(entry.who), entry.at, server, entry.refusal.is_none())
        })
    }

    fn of_account(&self, entry: &Entry, fallback: Option<&str>) -> OfAccount {
        let Entry { at, address, refusal, pos, .. } = *entry;
        OfAccount { at, server: self.server(entry.computer, fallback), address, refusal, pos }
    }

    fn server(&self, computer: u32, fallback: Option<&str>) -> String {
        let told = self.computers.get(computer);
        if told.is_empty() { fallback.map(host_name).unwrap_or_default() } else { told.clone() }
    }
}

/// The logons of watched accounts, each account's in order of time. What was typed under a name that several accounts
/// bear, or that no source ties to one, may be any of theirs. `fallback` is the server of events that do not tell theirs.
pub fn of_accounts<'a>(
    sources: impl Iterator<Item = &'a Logons>,
    accounts: &Accounts,
    watched: &BTreeSet<AccountId>,
    fallback: Option<&str>,
) -> BTreeMap<AccountId, Vec<OfAccount>> {
    let mut by_account: BTreeMap<AccountId, Vec<OfAccount>> = BTreeMap::new();
    for logons in sources {
        let whose: Vec<Vec<AccountId>> =
            logons.identities.iter().map(|who| whose(who, accounts)).collect();
        for entry in &logons.list {
            for id in whose[entry.who as usize].iter().filter(|id| watched.contains(id)) {
                by_account.entry(*id).or_default().push(logons.of_account(entry, fallback));
            }
        }
    }
    for list in by_account.values_mut() {
        list.sort();
        // The log of a server may lie there twice.
        list.dedup_by(|a, b| {
            let what = |l: &OfAccount| (l.at, l.address, l.refusal);
            what(a) == what(b) && a.server == b.server
        });
    }
    by_account
}

/// The logons under names that no source ties to anybody.
pub fn of_strangers<'a>(
    sources: impl Iterator<Item = &'a Logons>,
    accounts: &Accounts,
    fallback: Option<&str>,
) -> Vec<OfAccount> {
    sources
        .flat_map(|logons| {
            let identities = logons.identities.iter();
            let is_stranger: Vec<bool> =
                identities.map(|who| whose(who, accounts).is_empty()).collect();
            let entries = logons.list.iter();
            let strange = entries.filter(move |entry| is_stranger[entry.who as usize]);
            strange.map(|entry| logons.of_account(entry, fallback))
        })
        .collect()
}

/// The accounts that an identity may be: by SID if it has one that is known, else by its names.
fn whose(identity: &Identity, accounts: &Accounts) -> Vec<AccountId> {
    let sid = identity.sid.clone().map(|sid| accounts.resolve(&sid, None));
    let sam = identity.sam_account_name.as_deref();
    let qualified = identity.domain.as_deref().zip(sam).map(|(d, sam)| format!("{d}\\{sam}"));
    let names = identity.user_principal_name.clone().or(qualified);
    let name = names.as_deref().or(sam).unwrap_or_default();
    let ids = match sid.filter(|found| *found != Resolution::Nobody) {
        Some(found) => found,
        None => accounts.resolve(name, None),
    };
    match ids {
        Resolution::One(id) => vec![id],
        Resolution::Ambiguous(ids) => ids,
        Resolution::Nobody => accounts.namesakes(name),
    }
}

/// When each server's Security log wrote logons.
pub fn presence<'a>(
    sources: impl Iterator<Item = &'a Logons>,
    fallback: Option<&str>,
) -> BTreeMap<String, Presence> {
    let mut by_server: BTreeMap<String, Presence> = BTreeMap::new();
    for logons in sources {
        for (&computer, presence) in &logons.presence {
            by_server.entry(logons.server(computer, fallback)).or_default().extend(presence);
        }
    }
    by_server
}
