//! Which requests come from one client, and whose a refusal without a name is.

use super::book::{Access, Book, Client, Place, Table};
use crate::account::AccountId;
use chrono::{DateTime, TimeDelta, Utc};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::exchange::Refusal;

/// A forms session lives for a day at most (DOMAIN.md 2.4); what was served longer ago says nothing.
pub const SESSION: TimeDelta = TimeDelta::hours(24);

/// For each client of the book the number of its device, or where it has none, of its addresses and user agent: that which
/// the connection came from, and that which a balancer tells. A client can write the latter itself, so it only tells apart
/// what the former does not.
pub fn identities(book: &Book) -> Vec<u32> {
    let mut known = Table::default();
    book.clients
        .iter()
        .map(|client| {
            let Client { device, user_agent, c_ip, forwarded, .. } = client;
            let seat = [user_agent, c_ip, forwarded];
            let by_seat = device.is_empty().then(|| seat.map(String::clone));
            known.number((device.clone(), by_seat))
        })
        .collect()
}

/// The refusals under a name that may be another client's of the same account, as indexes of rows: those of a client
/// without a device at whose address others were seen with the same user agent. Behind a balancer or a gateway an address is
/// nobody's (DOMAIN.md 7.7). `has_strangers` asks the logs of the server for those that are not in the book; they do not
/// know what a balancer tells.
pub fn crowded(
    book: &Book,
    identities: &[u32],
    has_strangers: impl Fn(&Access) -> bool,
) -> Vec<usize> {
    let is_asked = |access: &Access| {
        let refusal = access.refusal.filter(|refusal| !refusal.proves_right_password());
        refusal.is_some() && book.clients.get(access.client).device.is_empty()
    };
    if !book.accesses.iter().any(is_asked) {
        return Vec::new();
    }
    let identity = |access: &Access| identities[access.client as usize];
    // For each identity its owner, once it has one, and whether it has others as well.
    let mut owners: Vec<Option<(AccountId, bool)>> = vec![None; identities.len()];
    for access in book.accesses.iter().filter(|a| a.refusal.is_none() && !a.is_ambiguous) {
        let (owner, has_others) =
            owners[identity(access) as usize].get_or_insert((access.account, false));
        *has_others |= *owner != access.account;
    }
    let is_crowded = |access: &Access| {
        let is_forwarded = !book.clients.get(access.client).forwarded.is_empty();
        let has_others = owners[identity(access) as usize].is_some_and(|(_, others)| others);
        has_others || !is_forwarded && has_strangers(access)
    };
    let rows = book.accesses.iter().enumerate();
    let crowded = rows.filter(|(_, access)| is_asked(access) && is_crowded(access));
    crowded.map(|(row, _)| row).collect()
}

/// A browser asks for the page it is sent back to at once.
const REDIRECT: TimeDelta = TimeDelta::seconds(10);

/// A logon page that comes back for what was typed into it says no more than that. Logs write whole seconds: it may stand
/// before what it comes back for.
pub fn mark_typed(accesses: &mut [Access], identities: &[u32]) {
    let client = |access: &Access| (access.account, identities[access.client as usize]);
    let mut typed: BTreeMap<_, BTreeSet<DateTime<Utc>>> = BTreeMap::new();
    for access in accesses.iter().filter(|access| access.refusal == Some(Refusal::OwaForm)) {
        typed.entry(client(access)).or_default().insert(access.end);
    }
    if typed.is_empty() {
        return;
    }
    let is_typed = |access: &Access| {
        let near = access.end - REDIRECT..=access.end + TimeDelta::seconds(1);
        typed.get(&client(access)).is_some_and(|times| times.range(near).next().is_some())
    };
    for access in accesses.iter_mut().filter(|access| access.refusal == Some(Refusal::Owa)) {
        if is_typed(access) {
            access.refusal = Some(Refusal::OwaForm);
        }
    }
}

/// How far apart front end and back end write down the end of one request.
const NEAR: TimeDelta = TimeDelta::seconds(3);

/// Where a nameless refusal could belong: a server's pool, and a device or an address with a user agent there.
type Seat = (u32, u32);

/// The seats of rows, by number: texts are compared once a key and client, not once a row.
struct Seats {
    n_seats: usize,
    place_of_key: Vec<u32>,
    device_of_client: Vec<Option<u32>>,
    address_of_client: Vec<u32>,
}

impl Seats {
    fn new(book: &Book) -> Self {
        let (mut places, mut seats) = (Table::default(), Table::default());
        let device = |client: &Client| (client.device.clone(), String::new());
        let address = |client: &Client| (client.c_ip.clone(), format!("\n{}", client.user_agent));
        let place_of_key = book.keys.iter().map(|k| places.number((k.server.clone(), k.pool)));
        let place_of_key = place_of_key.collect();
        let device_of_client = book
            .clients
            .iter()
            .map(|client| (!client.device.is_empty()).then(|| seats.number(device(client))))
            .collect();
        let address_of_client = book.clients.iter().map(|c| seats.number(address(c))).collect();
        let n_seats = seats.iter().count();
        Seats { n_seats, place_of_key, device_of_client, address_of_client }
    }

    /// By device, and by address and user agent.
    fn of(&self, access: &Access) -> impl Iterator<Item = Seat> + use<> {
        let place = self.place_of_key[access.key as usize];
        let device = self.device_of_client[access.client as usize];
        let address = self.address_of_client[access.client as usize];
        device.into_iter().chain([address]).map(move |seat| (place, seat))
    }

    fn has_device(&self, access: &Access) -> bool {
        self.device_of_client[access.client as usize].is_some()
    }
}

/// A nameless refusal that one watched account's client may have met, and the request that speaks for it.
pub struct Claim {
    /// The refusal.
    pub refusal: Access,
    /// The last request that was served to that client before, under a name.
    pub served: Access,
    /// Both tell the same device; else address and user agent are the same, which others may share.
    pub is_by_device: bool,
}

/// A request that was served at a seat.
#[derive(Clone, Copy)]
struct Served<'a> {
    access: &'a Access,
    /// From here on up to it, all at the seat were one account's, and of no shared name.
    alike_from: usize,
}

/// Thousands of refusals may ask for the same stretch of requests, so it is looked through once.
fn in_order(list: &mut [Served<'_>]) {
    list.sort_by_key(|Served { access, .. }| (access.end, access.source, access.line));
    let mut before: Option<Served<'_>> = None;
    for (place, served) in list.iter_mut().enumerate() {
        served.alike_from = match before {
            _ if served.access.is_ambiguous => place + 1,
            Some(before) if before.access.account == served.access.account => before.alike_from,
            _ => place,
        };
        before = Some(*served);
    }
}

/// Finds for each nameless refusal the client that was served under a name there before, if under one account
/// of the book only. Whether strangers sat there too, the caller has to ask the log.
pub fn claims(book: &Book) -> Vec<Claim> {
    if book.nameless.is_empty() {
        return Vec::new();
    }
    let seats = Seats::new(book);
    let mut asked = Table::default();
    for seat in book.nameless.iter().flat_map(|access| seats.of(access)) {
        asked.number(seat);
    }
    // Most clients were never refused without a name: that a look at their number tells.
    let mut is_asked = vec![false; seats.n_seats];
    asked.iter().for_each(|&(_, seat)| is_asked[seat as usize] = true);
    let mut served: Vec<Vec<Served<'_>>> = vec![Vec::new(); asked.iter().count()];
    for access in book.accesses.iter().filter(|access| access.refusal.is_none()) {
        let places = seats.of(access).filter(|&(_, seat)| is_asked[seat as usize]);
        for place in places.filter_map(|seat| asked.place(&seat)) {
            served[place as usize].push(Served { access, alike_from: 0 });
        }
    }
    served.par_iter_mut().for_each(|list| in_order(list));
    let claim = |refusal: &Access| {
        let end = |served: &Served<'_>| served.access.end;
        let before = |list: &&Vec<Served<'_>>| list.first().is_some_and(|a| end(a) <= refusal.end);
        let has_device = seats.has_device(refusal);
        let mut lists = seats.of(refusal).enumerate();
        let list_of = |seat: Seat| Some(&served[asked.place(&seat)? as usize]);
        let (nth, list) =
            lists.find_map(|(nth, seat)| Some((nth, list_of(seat).filter(before)?)))?;
        let is_by_device = has_device && nth == 0;
        let until = list.partition_point(|served| end(served) <= refusal.end);
        let from = list.partition_point(|served| end(served) < refusal.end - SESSION);
        let last = list.get(from..until)?.last()?;
        let (last, one_account) = (*last.access, last.alike_from <= from);
        // Another device at the same address is another client, and so is another address behind the same balancer.
        let forwarded = |access: &Access| &book.clients.get(access.client).forwarded;
        let is_same_client = is_by_device
            || (!has_device || !seats.has_device(&last)) && forwarded(refusal) == forwarded(&last);
        let claim = Claim { refusal: *refusal, served: last, is_by_device };
        (one_account && is_same_client).then_some(claim)
    };
    book.nameless.iter().filter_map(claim).collect()
}

/// Drops back-end rows of requests that the front end logged too, and returns how many of each source.
/// Both end together, but for the second that logs round to and the way of the answer; each is taken once.
pub fn drop_doubles(book: &mut Book) -> BTreeMap<u32, u64> {
    let mut dropped = BTreeMap::new();
    if !book.accesses.iter().any(|access| access.is_back_end) {
        return dropped;
    }
    let (keys, clients, texts) = (&book.keys, &book.clients, &book.texts);
    let owner = |access: &Access| (access.account, keys.get(access.key).protocol);
    let place = |access: &Access| Place { source: access.source, line: access.line };
    let mut front: BTreeMap<_, Vec<(DateTime<Utc>, &Access, bool)>> = BTreeMap::new();
    for access in book.accesses.iter().filter(|access| !access.is_back_end) {
        front.entry(owner(access)).or_default().push((access.end, access, false));
    }
    front.values_mut().for_each(|list| list.sort_by_key(|(end, a, _)| (*end, a.source, a.line)));
    let is_pair = |front: &Access, back: &Access| {
        let device = |access: &Access| clients.get(access.client).device.as_str();
        let (a, b) = (device(front), device(back));
        front.refusal.is_some() == back.refusal.is_some()
            && texts.get(front.command).eq_ignore_ascii_case(texts.get(back.command))
            && (a == b || a.is_empty() || b.is_empty())
    };
    let mut doubles: BTreeSet<Place> = BTreeSet::new();
    let mut backs: Vec<&Access> = book.accesses.iter().filter(|a| a.is_back_end).collect();
    // In order of time nobody takes the one that a later row needs.
    backs.sort_by_key(|back| (back.end, place(back)));
    for back in backs {
        let list = front.get_mut(&owner(back));
        let twin = list.and_then(|list| {
            let from = list.partition_point(|(end, ..)| *end < back.end - NEAR);
            let mut near = list[from..].iter_mut().take_while(|(end, ..)| *end <= back.end + NEAR);
            near.find(|(_, front, is_taken)| !*is_taken && is_pair(front, back))
        });
        if twin.is_some_and(|(.., is_taken)| !std::mem::replace(is_taken, true)) {
            doubles.insert(place(back));
        }
    }
    // Of several bearers of the name it is then that of the front end's.
    book.accesses.retain(|access| !access.is_back_end || !doubles.contains(&place(access)));
    for Place { source, .. } in doubles {
        *dropped.entry(source).or_default() += 1;
    }
    dropped
}

#[cfg(test)]
mod tests;
