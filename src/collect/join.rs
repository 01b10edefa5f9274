//! Rows of HttpProxy to the W3C rows of the same requests, one to one: by the id that the front end wrote into both
//! (DOMAIN.md 2.6), else by server, account, protocol and time. What has no twin is a request in its own right.

use super::book::{Access, Book, Other, Place};
use super::clients;
use crate::account::{AccountId, Accounts, Resolution};
use crate::correlate::Contradiction;
use chrono::TimeDelta;
use hashbrown::HashMap;
use std::collections::{BTreeMap, BTreeSet};

/// Both logs write the end of the request, W3C by the second.
const NEAR: TimeDelta = TimeDelta::seconds(3);

/// How the rows of HttpProxy were taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Joined {
    /// Rows with a twin in W3C.
    pub pairs: u64,
    /// Requests in their own right.
    pub alone: u64,
    /// Twins that name different users.
    pub contradicted: u64,
}

/// The lines of W3C, each with its rows: a line of several bearers of a name is several rows.
struct Lines<'a> {
    /// Indexes of the rows, line by line.
    rows: Vec<Vec<usize>>,
    /// Lines by id, where one was logged.
    by_id: HashMap<u128, Vec<usize>>,
    is_taken: Vec<bool>,
    accesses: &'a [Access],
}

/// A row of HttpProxy, and what is known of it where it is not a watched account's.
#[derive(Clone, Copy)]
struct Proxied<'a> {
    row: &'a Access,
    other: Option<&'a Other>,
}

/// Joins the rows of HttpProxy, those of watched accounts and those that W3C says are, to the rows of W3C. Returns the
/// ambiguous names of W3C as well whose requests are one account's by their ids.
pub fn join(book: &mut Book, accounts: &Accounts) -> (Joined, BTreeSet<(AccountId, u32)>) {
    let (own, mut w3c): (Vec<Access>, Vec<Access>) =
        std::mem::take(&mut book.accesses).into_iter().partition(|access| access.is_proxied);
    let others = std::mem::take(&mut book.others);
    let of_others = others.iter().map(|other| Proxied { row: &other.row, other: Some(other) });
    let proxied: Vec<Proxied<'_>> =
        own.iter().map(|row| Proxied { row, other: None }).chain(of_others).collect();
    // Refusals without a name have an id as well: their requests were not served.
    let named = w3c.len();
    w3c.append(&mut book.nameless);
    let mut lines = Lines::new(&w3c);
    let mut joined = Joined::default();
    let mut twins: Vec<Option<usize>> =
        proxied.iter().map(|proxied| lines.by_id(proxied.row, book)).collect();
    lines.by_time(&proxied, &mut twins, named, book);
    let rows_of_line = lines.rows;
    let (mut dropped, mut alone, mut ties) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
    let mut typed = TypedKeys::new(book);
    for (Proxied { row, other }, twin) in proxied.into_iter().zip(twins) {
        let Some(line) = twin else {
            let own = other.is_none().then_some(*row);
            joined.alone += own.iter().len() as u64;
            alone.extend(own);
            continue;
        };
        let of_line = &rows_of_line[line];
        let accesses: Vec<&Access> = of_line.iter().map(|&n| &w3c[n]).collect();
        let name = row.name.map(|name| book.texts.get(name).as_str()).unwrap_or_default();
        let contradiction = contradiction(row, other, name, &accesses, accounts);
        joined.pairs += 1;
        joined.contradicted += u64::from(contradiction.is_some());
        if contradiction.is_none() && other.is_none() {
            typed.saw(row, &accesses);
            ties.extend(accesses.iter().filter_map(|line| tie(row, line)));
        }
        if contradiction.is_some() && other.is_none() {
            // The other user's request as well, perhaps.
            alone.push(Access { contradiction, twin: Some(place(accesses[0])), ..*row });
        }
        let row = Access { contradiction, ..*row };
        if contradiction.is_none() && other.is_some_and(|other| other.is_bearers) {
            let is_others =
                |n: &usize| w3c[*n].is_ambiguous && !accounts.may_be_any_bearer(w3c[*n].account);
            dropped.extend(of_line.iter().copied().filter(is_others));
        }
        let owner = other.is_none().then_some(row.account);
        marry(&row, owner, of_line, &mut w3c, &mut dropped, |access| {
            if accounts.may_be_any_bearer(access.account) {
                return false;
            }
            let name = access.name.map(|name| book.texts.get(name).as_str());
            let bearers = name.map(|name| accounts.resolve(name, Some(access.end)));
            let is_by_id = row.request_id != 0 && row.request_id == access.request_id;
            // By the time alone it may be the request of a bearer whom nobody watches.
            of_line.len() > 1 || is_by_id && matches!(bearers, Some(Resolution::Ambiguous(_)))
        });
    }
    for row in alone.iter_mut().filter(|row| row.contradiction.is_none()) {
        row.key = typed.key_of(row);
    }
    book.nameless = w3c.split_off(named);
    let mut n = 0..;
    w3c.retain(|_| !n.next().is_some_and(|n| dropped.contains(&n)));
    book.accesses = w3c;
    book.accesses.extend(alone);
    (joined, ties)
}

/// The name of a line that was served, and whose it is by the id of the request.
fn tie(row: &Access, line: &Access) -> Option<(AccountId, u32)> {
    let is_by_id = row.request_id != 0 && row.request_id == line.request_id;
    let is_served = row.refusal.is_none() && line.refusal.is_none();
    let is_settled = !row.is_ambiguous && line.is_ambiguous;
    Some((row.account, line.name.filter(|_| is_by_id && is_served && is_settled)?))
}

/// How a row contradicts a line on whose the request is, if it does.
fn contradiction(
    row: &Access,
    other: Option<&Other>,
    name: &str,
    of_line: &[&Access],
    accounts: &Accounts,
) -> Option<Contradiction> {
    let has_strange_sid = other.is_some_and(|other| other.strange_sid.is_some());
    let is_else =
        |access: &&Access| is_somebody_else(accounts, access.account, name, has_strange_sid);
    let agrees = match other {
        None => of_line.iter().any(|a| a.account == row.account || a.name.is_none()),
        // A name that nobody knows may be the same account's.
        Some(other) if !other.is_known => !of_line.iter().all(is_else),
        // Of the bearers of the name that one.
        Some(other) => other.is_bearers && of_line.iter().all(|access| access.is_ambiguous),
    };
    let bears_name = |id: &AccountId| of_line.iter().any(|access| access.account == *id);
    let is_its_name = match accounts.resolve(name, Some(row.end)) {
        Resolution::One(id) => bears_name(&id),
        Resolution::Ambiguous(ids) => ids.iter().any(bears_name),
        Resolution::Nobody => false,
    };
    let by_sid = if is_its_name { Contradiction::OtherSid } else { Contradiction::OtherUser };
    (!agrees).then_some(by_sid)
}

/// The keys under which the clients of a key of HttpProxy were seen in W3C. The front end resolves the name, but a token
/// hangs on what was typed: a client that typed one name wherever W3C shows it typed it where W3C has ended, too.
struct TypedKeys {
    identities: Vec<u32>,
    keys: BTreeMap<(AccountId, u32, u32), BTreeSet<u32>>,
}

impl TypedKeys {
    fn new(book: &Book) -> Self {
        TypedKeys { identities: clients::identities(book), keys: BTreeMap::new() }
    }

    fn who(&self, row: &Access) -> (AccountId, u32, u32) {
        (row.account, row.key, self.identities[row.client as usize])
    }

    fn saw(&mut self, row: &Access, of_line: &[&Access]) {
        let named = of_line.iter().find(|access| access.name.is_some());
        self.keys.entry(self.who(row)).or_default().extend(named.map(|access| access.key));
    }

    fn key_of(&self, row: &Access) -> u32 {
        let only = |keys: &BTreeSet<u32>| keys.first().filter(|_| keys.len() == 1).copied();
        self.keys.get(&self.who(row)).and_then(only).unwrap_or(row.key)
    }
}

/// Whether a user whom the evidence does not know cannot be this account: the SID is another one, or the name is
/// another one in the same domain.
fn is_somebody_else(accounts: &Accounts, id: AccountId, name: &str, has_strange_sid: bool) -> bool {
    let has_sid = accounts.list.get(id).is_some_and(|account| account.sid.is_some());
    has_strange_sid && has_sid || accounts.is_another_at_home(name, id)
}

/// Tells the rows of a line what HttpProxy says of the request, whose it is to it: `None` is nobody who is watched.
/// `is_shared` says whether a row is ambiguous because several accounts bear its name.
fn marry(
    row: &Access,
    owner: Option<AccountId>,
    of_line: &[usize],
    w3c: &mut [Access],
    dropped: &mut BTreeSet<usize>,
    is_shared: impl Fn(&Access) -> bool,
) {
    for &n in of_line {
        let access = &mut w3c[n];
        // A request that IIS refused was authenticated by nothing.
        if access.refusal.is_none() {
            access.auth = row.auth;
        }
        access.twin = Some(place(row));
        // HttpProxy tells when it began, where W3C lacks the column.
        let is_by_id = row.request_id != 0 && row.request_id == access.request_id;
        if is_by_id && !access.is_start_known && row.is_start_known && row.start <= access.end {
            (access.start, access.is_start_known) = (row.start, true);
        }
        if row.contradiction.is_some() {
            access.contradiction = row.contradiction;
        } else if owner.is_some() && !row.is_ambiguous && access.is_ambiguous && is_shared(access) {
            // Of several bearers of the name, that one.
            match Some(access.account) == owner {
                true => access.is_ambiguous = false,
                false => _ = dropped.insert(n),
            }
        }
    }
}

fn place(access: &Access) -> Place {
    Place { source: access.source, line: access.line }
}

impl<'a> Lines<'a> {
    fn new(accesses: &'a [Access]) -> Self {
        let mut rows: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
        for (n, access) in accesses.iter().enumerate() {
            rows.entry(place(access)).or_default().push(n);
        }
        let rows: Vec<Vec<usize>> = rows.into_values().collect();
        let mut by_id: HashMap<u128, Vec<usize>> = HashMap::new();
        for (line, of_line) in rows.iter().enumerate() {
            let access = &accesses[of_line[0]];
            if access.request_id != 0 && !access.is_back_end {
                by_id.entry(access.request_id).or_default().push(line);
            }
        }
        Lines { is_taken: vec![false; rows.len()], rows, by_id, accesses }
    }

    /// The line with the id of a row. A client can write an id of its own into the query, so the rest has to fit.
    fn by_id(&mut self, row: &Access, book: &Book) -> Option<usize> {
        let lines = self.by_id.get(&row.request_id).filter(|_| row.request_id != 0)?;
        let fits = |line: &&usize| {
            let access = &self.accesses[self.rows[**line][0]];
            !self.is_taken[**line] && is_near(access, row) && is_same_server(access, row, book)
        };
        let line = *lines.iter().find(fits)?;
        self.is_taken[line] = true;
        Some(line)
    }

    /// Lines without an id, each to the nearest row of the same account, or under its name, that is left.
    fn by_time(
        &mut self,
        proxied: &[Proxied<'_>],
        twins: &mut [Option<usize>],
        named: usize,
        book: &Book,
    ) {
        let protocol = |access: &Access| book.keys.get(access.key).protocol;
        let mut free: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (line, of_line) in self.rows.iter().enumerate() {
            let is_free = !self.is_taken[line] && of_line[0] < named;
            for access in of_line.iter().map(|&n| &self.accesses[n]).filter(|_| is_free) {
                if access.request_id == 0 && !access.is_back_end {
                    free.entry((access.account, protocol(access))).or_default().push(line);
                }
            }
        }
        let end_of = |line: usize| self.accesses[self.rows[line][0]].end;
        free.values_mut().for_each(|lines| lines.sort_by_key(|&line| (end_of(line), line)));
        let is_named = |proxied: &Proxied<'_>| proxied.other.is_none_or(|other| other.is_named);
        let without_twin = proxied.iter().zip(twins).filter(|(_, twin)| twin.is_none());
        for (Proxied { row, .. }, twin) in without_twin.filter(|(proxied, _)| is_named(proxied)) {
            let Some(lines) = free.get(&(row.account, protocol(row))) else { continue };
            let from = lines.partition_point(|&line| end_of(line) < row.end - NEAR);
            let near = lines[from..].iter().take_while(|&&line| end_of(line) <= row.end + NEAR);
            let fits = |line: &&usize| {
                let access = &self.accesses[self.rows[**line][0]];
                !self.is_taken[**line]
                    && access.refusal.is_some() == row.refusal.is_some()
                    && is_same_server(access, row, book)
                    && is_same_client(access, row, book)
            };
            if let Some(&line) =
                near.filter(fits).min_by_key(|&&line| (end_of(line) - row.end).abs())
            {
                self.is_taken[line] = true;
                *twin = Some(line);
            }
        }
    }
}

fn is_near(a: &Access, b: &Access) -> bool {
    (a.end - b.end).abs() <= NEAR
}

fn is_same_server(a: &Access, b: &Access, book: &Book) -> bool {
    book.keys.get(a.key).server == book.keys.get(b.key).server
}

/// By device where both tell one; the addresses may differ behind a proxy.
fn is_same_client(a: &Access, b: &Access, book: &Book) -> bool {
    let device = |access: &Access| book.clients.get(access.client).device.as_str();
    device(a) == device(b) || device(a).is_empty() || device(b).is_empty()
}
