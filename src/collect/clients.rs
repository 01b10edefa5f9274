//! Which requests come from one client, and whose a refusal without a name is.

use super::book::{Access, Book, Table};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// A forms session lives for a day at most (DOMAIN.md 2.4); what was served longer ago says nothing.
pub const SESSION: TimeDelta = TimeDelta::hours(24);

/// For each client of the book the number of its device, or where it has none, of its address and user agent.
pub fn identities(book: &Book) -> Vec<u32> {
    let mut known = Table::default();
    book.clients
        .iter()
        .map(|client| {
            let (agent, address) = match client.device.is_empty() {
                true => (client.user_agent.as_str(), client.c_ip.as_str()),
                false => ("", ""),
            };
            known.number((client.device.clone(), agent.to_owned(), address.to_owned()))
        })
        .collect()
}

/// Where a nameless refusal could belong: server, pool and device, or server, pool, address and user agent.
type Seat = (String, &'static str, String, String);

/// The seats of a row: by device, and by address and user agent.
fn seats(access: &Access, book: &Book) -> Vec<Seat> {
    let (key, client) = (book.keys.get(access.key), book.clients.get(access.client));
    let by_device = (!client.device.is_empty())
        .then(|| (key.server.clone(), key.pool, client.device.clone(), String::new()));
    let by_address = (key.server.clone(), key.pool, client.c_ip.clone(), client.user_agent.clone());
    by_device.into_iter().chain([by_address]).collect()
}

/// A nameless refusal that one watched account's client may have met, and the request that speaks for it.
pub struct Claim {
    /// The refusal.
    pub refusal: Access,
    /// The last request that was served to that client before, under a name.
    pub served: Access,
}

/// Finds for each nameless refusal the client that was served under a name there before, if under one account
/// of the book only. Whether strangers sat there too, the caller has to ask the log.
pub fn claims(book: &Book) -> Vec<Claim> {
    let mut served: BTreeMap<Seat, Vec<Access>> = BTreeMap::new();
    let nameless: BTreeSet<Seat> =
        book.nameless.iter().flat_map(|access| seats(access, book)).collect();
    for access in book.accesses.iter().filter(|access| access.refusal.is_none()) {
        for seat in seats(access, book).into_iter().filter(|seat| nameless.contains(seat)) {
            served.entry(seat).or_default().push(*access);
        }
    }
    served.values_mut().for_each(|list| list.sort_by_key(|a| (a.end, a.source, a.line)));
    let claim = |refusal: &Access| {
        let before = |list: &&Vec<Access>| list.first().is_some_and(|a| a.end <= refusal.end);
        let list = seats(refusal, book).iter().find_map(|seat| served.get(seat).filter(before))?;
        let until = list.partition_point(|access| access.end <= refusal.end);
        let recent: Vec<&Access> =
            list[..until].iter().filter(|access| refusal.end - access.end <= SESSION).collect();
        let last = **recent.last()?;
        let one_account = recent.iter().all(|a| a.account == last.account && !a.is_ambiguous);
        one_account.then_some(Claim { refusal: *refusal, served: last })
    };
    book.nameless.iter().filter_map(claim).collect()
}

/// Drops back-end rows of requests that the front end logged too, and returns how many of each source.
/// The back end's request lies within the front end's, give or take the second the log rounds to.
pub fn drop_doubles(accesses: &mut Vec<Access>, book: &Book) -> BTreeMap<u32, u64> {
    let mut front: Vec<Access> = accesses.iter().filter(|a| !a.is_back_end).copied().collect();
    front.sort_by_key(|access| access.start);
    let protocol = |access: &Access| book.keys.get(access.key).protocol;
    let second = TimeDelta::seconds(2);
    let is_double = |back: &Access| {
        let until = front.partition_point(|access| access.start <= back.start + second);
        front[..until]
            .iter()
            .rev()
            .take(200)
            .any(|access| access.end >= back.end - second && protocol(access) == protocol(back))
    };
    let mut dropped = BTreeMap::new();
    accesses.retain(|access| {
        let drop = access.is_back_end && is_double(access);
        if drop {
            *dropped.entry(access.source).or_default() += 1;
        }
        !drop
    });
    dropped
}
