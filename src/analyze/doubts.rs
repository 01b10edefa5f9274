//! Rows whose name may be another account's than the one it was resolved to: said to be ambiguous, never guessed.

use super::fronts::Fronts;
use crate::account::{Account, AccountId, Accounts, local_part};
use crate::case::OLDEST_TOKEN;
use crate::collect::Collected;
use crate::collect::book::{Access, Book, Key};
use crate::correlate::Contradiction;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::kind::Kind;

/// What is told of a bare sam that several accounts bear may be any one's; their own names are theirs all the same.
pub fn sole_bearers(collected: &mut Collected, accounts: &Accounts) {
    let may_be_any = |id: &AccountId| accounts.may_be_any_bearer(*id);
    if !(0..accounts.list.len()).any(|id| may_be_any(&id)) {
        return;
    }
    let Book { accesses, texts, .. } = &mut collected.book;
    for access in accesses.iter_mut().filter(|access| access.is_ambiguous && !access.is_proxied) {
        // The master of a linked mailbox is another doubt.
        let has_master = accounts.list[access.account].master.is_some();
        let is_own = !has_master && !may_be_any(&access.account);
        let Some(name) = access.name.filter(|_| is_own) else { continue };
        if accounts.is_sole_bearer(access.account, texts.get(name), access.end) {
            access.is_ambiguous = false;
        }
    }
}

/// An account whose domain no source tells, met under the names of two domains, may be either's; and so may a name
/// without a domain that is met with another domain as well. Met is who was served: a stranger who is refused can have
/// typed any domain, and is somebody else unless that one is met.
pub fn homeless(collected: &mut Collected, accounts: &Accounts) {
    let names = collected.logs.values().flat_map(|log| log.namesakes.keys());
    let elsewhere: BTreeSet<String> =
        names.map(|name| local_part(&name.to_lowercase()).to_owned()).collect();
    let is_homeless = |account: &Account| account.domain.is_none() && account.is_bare();
    if elsewhere.is_empty() && !accounts.list.iter().any(is_homeless) {
        return;
    }
    let Book { accesses, keys, .. } = &mut collected.book;
    let home_of_key: Vec<Option<String>> = keys.iter().map(Key::home).collect();
    let mut homes: BTreeMap<AccountId, BTreeSet<&str>> = BTreeMap::new();
    for access in &*accesses {
        let home = home_of_key[access.key as usize].as_deref();
        let is_met = is_homeless(&accounts.list[access.account]) && access.refusal.is_none();
        if let (true, Some(home)) = (is_met, home) {
            homes.entry(access.account).or_default().insert(home);
        }
    }
    let is_elsewhere: Vec<bool> = keys
        .iter()
        .zip(&home_of_key)
        .map(|(key, home)| home.is_none() && elsewhere.contains(&key.name))
        .collect();
    for access in accesses {
        let home = home_of_key[access.key as usize].as_deref();
        let is_doubtful = homes
            .get(&access.account)
            .is_some_and(|homes| homes.len() > 1 || home.is_some_and(|home| !homes.contains(home)));
        access.is_ambiguous |= is_doubtful || is_elsewhere[access.key as usize];
    }
}

/// Once HttpProxy shows another SID under a name of the account, two accounts bear its names: what only W3C has of them may
/// be either's.
pub fn shared_since(collected: &mut Collected) {
    let mut shared: BTreeMap<AccountId, DateTime<Utc>> = BTreeMap::new();
    for (strange, (_, first)) in &collected.strange {
        let since = shared.entry(strange.account).or_insert(*first);
        *since = (*since).min(*first);
    }
    if shared.is_empty() {
        return;
    }
    for access in &mut collected.book.accesses {
        let is_late = shared.get(&access.account).is_some_and(|since| *since <= access.end);
        access.is_ambiguous |= is_late && !access.is_proxied && access.twin.is_none();
    }
}

/// Where no source tells the SID of an account and HttpProxy has several under its names, several accounts bear them, and
/// any request may be any one's.
pub fn several_sids(collected: &mut Collected) {
    let Collected { book, sids, .. } = collected;
    let is_doubtful = |id: &AccountId| sids.get(id).is_some_and(|sids| sids.len() > 1);
    if !sids.keys().any(is_doubtful) {
        return;
    }
    for access in book.accesses.iter_mut().filter(|access| is_doubtful(&access.account)) {
        access.is_ambiguous = true;
        if access.is_proxied || access.twin.is_some() {
            access.contradiction = access.contradiction.or(Some(Contradiction::OtherSid));
        }
    }
}

/// After a rename the old name can be given to somebody else. Until a token cached under it must be gone, it is still
/// this account's; later it may be either's.
pub fn former(collected: &mut Collected, accounts: &Accounts, ttl: TimeDelta) {
    let Collected { book: Book { accesses, keys, .. }, presence, .. } = collected;
    // Before its log begins a token may have been used that nobody sees.
    let log_from = |key: u32| {
        let of_server = presence.get(&(keys.get(key).server.clone(), Kind::IisW3c));
        of_server.and_then(|presence| DateTime::from_timestamp(presence.span?.0, 0))
    };
    let renamed = |access: &Access| {
        let former = &accounts.list[access.account].former;
        former.get(local_part(&keys.get(access.key).name)).copied()
    };
    if accounts.list.iter().all(|account| account.former.is_empty()) {
        return;
    }
    let mut late: Vec<(DateTime<Utc>, &mut Access)> = accesses
        .iter_mut()
        .filter_map(|access| Some((renamed(access)?, access)))
        .filter(|(_, access)| access.refusal.is_none())
        .collect();
    late.sort_by_key(|(_, access)| (access.key, access.start, access.source, access.line));
    let mut token: BTreeMap<u32, DateTime<Utc>> = BTreeMap::new();
    for (renamed, access) in late {
        let key = access.key;
        let gone = token
            .entry(key)
            .or_insert_with(|| log_from(key).map_or(renamed, |from| from.max(renamed)) + ttl * 2);
        match access.start <= *gone {
            true => *gone = (*gone).max(access.end + ttl * 2),
            false => access.is_ambiguous = true,
        }
    }
}

/// Under the name of a deleted account another one was made. A token of the deleted one can be used on under it, until it
/// must be gone: what comes later is the other one's alone.
pub fn passed_on(collected: &mut Collected, accounts: &Accounts, fronts: &Fronts, ttl: TimeDelta) {
    if accounts.list.iter().all(|account| account.deleted.is_none()) {
        return;
    }
    let Book { accesses, keys, .. } = &mut collected.book;
    let mut since: BTreeMap<(AccountId, u32), Option<DateTime<Utc>>> = BTreeMap::new();
    let mut shared: Vec<(DateTime<Utc>, usize)> = Vec::new();
    for (n, access) in accesses.iter().enumerate() {
        if accounts.list[access.account].deleted.is_none() || access.refusal.is_some() {
            continue;
        }
        let passed_on = since
            .entry((access.account, access.key))
            .or_insert_with(|| accounts.passed_on(access.account, &keys.get(access.key).name));
        shared.extend(passed_on.map(|since| (since, n)));
    }
    shared.sort_by_key(|&(_, n)| {
        let access = &accesses[n];
        (access.account, access.key, access.start, access.source, access.line)
    });
    let mut used: BTreeMap<(AccountId, u32), DateTime<Utc>> = BTreeMap::new();
    let mut gone = BTreeSet::new();
    for (since, n) in shared {
        let access = &accesses[n];
        let deleted = accounts.list[access.account].deleted.unwrap_or(since);
        // One that was used before that and not since is gone by the time that the name is passed on, or soon after.
        let last = used.entry((access.account, access.key)).or_insert(deleted - ttl * 2);
        let server = fronts.index_of(keys.get(access.key));
        let lives = access.start <= *last + ttl * 2
            || access.start <= *last + OLDEST_TOKEN
                && fronts.coverage.is_blind(server, *last, access.start);
        if lives || access.start < since || !access.is_ambiguous {
            *last = (*last).max(access.end);
        } else {
            gone.insert(n);
        }
    }
    if gone.is_empty() {
        return;
    }
    let mut n = 0..;
    accesses.retain(|_| !n.next().is_some_and(|n| gone.contains(&n)));
}
