//! Rows of HttpProxy to the W3C rows of the same requests, one to one: by the id that the front end wrote into both
//! (DOMAIN.md 2.6), else by server, account, protocol and time. What has no twin is a request in its own right.

use super::book::{Access, Book, Other, Place};
use super::clients;
use crate::account::{AccountId, Accounts};
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

/// Joins the rows of HttpProxy, those of watched accounts and those that W3C says are, to the rows of W3C.
pub fn join(book: &mut Book, accounts: &Accounts) -> Joined {
    let (proxied, mut w3c): (Vec<Access>, Vec<Access>) =
        std::mem::take(&mut book.accesses).into_iter().partition(|access| access.is_proxied);
    let others = std::mem::take(&mut book.others);
    // Refusals without a name have an id as well: their requests were not served.
    let named = w3c.len();
    w3c.append(&mut book.nameless);
    let mut lines = Lines::new(&w3c);
    let mut joined = Joined::default();
    let mut twins: Vec<Option<usize>> = proxied.iter().map(|row| lines.by_id(row, book)).collect();
    lines.by_time(&proxied, &mut twins, named, book);
    let other_twins: Vec<Option<usize>> =
        others.iter().map(|other| lines.by_id(&other.row, book)).collect();
    let rows_of_line = lines.rows;
    let mut dropped = BTreeSet::new();
    let pairs: Vec<(&Access, Option<&[usize]>)> = proxied
        .iter()
        .zip(twins)
        .map(|(row, twin)| (row, twin.map(|line| rows_of_line[line].as_slice())))
        .collect();
    let alone = take_own(&pairs, book, &mut w3c, &mut dropped, &mut joined);
    for (other, twin) in others.iter().zip(other_twins) {
        let Some(line) = twin else { continue };
        let is_contradicted =
            take_other(other, &rows_of_line[line], (book, accounts), &mut w3c, &mut dropped);
        joined.pairs += 1;
        joined.contradicted += u64::from(is_contradicted);
    }
    book.nameless = w3c.split_off(named);
    let mut n = 0..;
    w3c.retain(|_| !n.next().is_some_and(|n| dropped.contains(&n)));
    book.accesses = w3c;
    book.accesses.extend(alone);
    joined
}

/// Joins the rows of watched accounts, each with the rows of its line if it has a twin; returns those that are requests in
/// their own right.
fn take_own(
    pairs: &[(&Access, Option<&[usize]>)],
    book: &Book,
    w3c: &mut [Access],
    dropped: &mut BTreeSet<usize>,
    joined: &mut Joined,
) -> Vec<Access> {
    let identities = clients::identities(book);
    let who = |row: &Access| (row.account, row.key, identities[row.client as usize]);
    // The front end resolves the name, but a token hangs on what was typed: a client that typed one name wherever W3C
    // shows it typed it where W3C has ended, too.
    let mut typed: BTreeMap<_, BTreeSet<u32>> = BTreeMap::new();
    let mut alone = Vec::new();
    for &(row, of_line) in pairs {
        let Some(of_line) = of_line else {
            joined.alone += 1;
            alone.push(*row);
            continue;
        };
        joined.pairs += 1;
        match marry(row, Some(row.account), of_line, w3c, dropped) {
            Agreement::Same => {
                let named = of_line.iter().map(|&n| &w3c[n]).find(|a| a.name.is_some());
                typed.entry(who(row)).or_default().extend(named.map(|access| access.key));
            }
            // The other user's request as well, perhaps.
            Agreement::Other => {
                joined.contradicted += 1;
                let twin = Some(place(&w3c[of_line[0]]));
                alone.push(Access { is_contradicted: true, twin, ..*row });
            }
        }
    }
    for row in alone.iter_mut().filter(|row| !row.is_contradicted) {
        row.key = typed.get(&who(row)).and_then(only).unwrap_or(row.key);
    }
    alone
}

fn only(keys: &BTreeSet<u32>) -> Option<u32> {
    keys.first().filter(|_| keys.len() == 1).copied()
}

/// Tells the rows of a line that the request is somebody's who is not watched, and returns whether that contradicts them.
fn take_other(
    other: &Other,
    of_line: &[usize],
    (book, accounts): (&Book, &Accounts),
    w3c: &mut [Access],
    dropped: &mut BTreeSet<usize>,
) -> bool {
    let mut owners = of_line.iter().map(|&n| w3c[n].account);
    let name = other.row.name.map(|name| book.texts.get(name).as_str()).unwrap_or_default();
    let is_contradicted = other.row.is_contradicted
        || owners.all(|id| is_somebody_else(accounts, id, name, other.has_strange_sid));
    let row = Access { is_contradicted, ..other.row };
    marry(&row, None, of_line, w3c, dropped);
    is_contradicted
}

/// Whether a user whom the evidence does not know cannot be this account: the SID is another one, or the name is
/// another one in the same domain.
fn is_somebody_else(accounts: &Accounts, id: AccountId, name: &str, has_strange_sid: bool) -> bool {
    let Some(account) = accounts.list.get(id) else { return false };
    let knows_sam = account.domain.is_some() && !account.sam_account_names.is_empty();
    let is_of_its_domain = || {
        name.split_once('\\').is_some_and(|(domain, _)| accounts.domain(domain) == account.domain)
    };
    has_strange_sid && account.sid.is_some() || knows_sam && is_of_its_domain()
}

/// Whether two rows of one request are of one account.
enum Agreement {
    Same,
    Other,
}

/// Tells the rows of a line what HttpProxy says of the request, whose it is to it: `None` is nobody who is watched.
fn marry(
    row: &Access,
    owner: Option<AccountId>,
    of_line: &[usize],
    w3c: &mut [Access],
    dropped: &mut BTreeSet<usize>,
) -> Agreement {
    let is_same = |access: &Access| Some(access.account) == owner;
    let agrees = match owner {
        Some(_) => of_line.iter().any(|&n| is_same(&w3c[n]) || w3c[n].name.is_none()),
        // A name that nobody knows may be the same account's.
        None => !row.is_contradicted,
    };
    for &n in of_line {
        let access = &mut w3c[n];
        // A request that IIS refused was authenticated by nothing.
        if access.refusal.is_none() {
            access.auth = row.auth;
        }
        access.twin = Some(place(row));
        if !agrees {
            access.is_contradicted = true;
        } else if owner.is_some() && !row.is_ambiguous && access.is_ambiguous && of_line.len() > 1 {
            // Of several bearers of the name, that one.
            match is_same(access) {
                true => access.is_ambiguous = false,
                false => _ = dropped.insert(n),
            }
        }
    }
    if agrees { Agreement::Same } else { Agreement::Other }
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

    /// Lines without an id, each to the nearest row of the same account that is left.
    fn by_time(
        &mut self,
        proxied: &[Access],
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
        for (row, twin) in proxied.iter().zip(twins).filter(|(_, twin)| twin.is_none()) {
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
