//! Exchange's own logs to rows: HttpProxy beside W3C, and what the back ends know of the same requests.

use super::back_end::{self, BackEndLog, Worker};
use super::book::{Access, Book, Key, Table};
use super::chunk::Wanted;
use super::hints::Hint;
use super::ids::Ids;
use super::log::Log;
use super::names::host_name;
use super::proxy::{self, ProxyLog};
use super::{Collected, Strange, copies, folder, join, named, read_all};
use crate::input::Hash;
use crate::read::File;
use crate::readings::question::Asking;
use chrono::{DateTime, Utc};
use hashbrown::HashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use stillin_parsers::exchange::{self, Data, Protocol};
use stillin_parsers::kind::Kind;

/// Reads the logs of HttpProxy and joins their rows to those of W3C.
pub fn read_proxies(
    collected: &mut Collected,
    files: &mut [File],
    hash: Hash,
    server: Option<&str>,
    wanted: &Wanted<'_>,
) {
    let is_proxy = |kind| kind == Kind::HttpProxy;
    let ids = Ids::of(&collected.book);
    let has_any = files.iter().any(|file| is_proxy(file.kind));
    let accounts = Some(wanted.watch.accounts()).filter(|_| has_any);
    let asked = proxy::Asked {
        watch: wanted.watch,
        is_within: &|end| wanted.is_within(end),
        ids: &ids,
        sids: &accounts.map(proxy::sids).unwrap_or_default(),
        progress: wanted.progress,
        is_kept: wanted.readings.is_some(),
    };
    let asking = Asking::new(wanted, Some(&ids));
    let read = read_all(files, is_proxy, collected, asking.as_ref(), |file| {
        Ok(proxy::read(file.open(hash)?, hash, &asked))
    });
    for (index, log) in read {
        collected.take_proxy(index, log, &unnamed(&files[index], server));
    }
    let first_of = |(index, log): (&usize, &Log)| {
        is_proxy(files[*index].kind).then_some((*index, log.first_request.clone()?))
    };
    let originals =
        copies::originals(collected.logs.iter().filter_map(first_of), &collected.server_of_log);
    collected.copied.extend(copies::drop_copies(&mut collected.book, &originals));
    collected.originals.extend(originals);
    collected.adopt_names();
    collected.strange = strange(&collected.book);
    (collected.joined, collected.ties) = join::join(&mut collected.book, wanted.watch.accounts());
}

/// Requests under the names of watched accounts that carry another SID, which no source knows.
fn strange(book: &Book) -> BTreeMap<Strange, (u64, DateTime<Utc>)> {
    let mut strange = BTreeMap::new();
    for other in book.others.iter().filter(|other| other.is_named) {
        let Some(sid) = other.strange_sid else { continue };
        let text = |number: Option<u32>| number.map(|n| book.texts.get(n).clone());
        let name = text(other.row.name).unwrap_or_default();
        let sid = text(Some(sid)).unwrap_or_default();
        let (n, first) = strange
            .entry(Strange { account: other.row.account, name, sid })
            .or_insert((0, other.row.end));
        *n += 1;
        *first = other.row.end.min(*first);
    }
    strange
}

/// Reads the logs of the back ends, for what they add to rows that are kept.
pub fn read_back_ends(
    collected: &mut Collected,
    files: &mut [File],
    hash: Hash,
    server: Option<&str>,
    wanted: &Wanted<'_>,
) {
    let ids = Ids::of(&collected.book);
    let asked = back_end::Asked {
        watch: wanted.watch,
        is_within: &|end| wanted.is_within(end),
        ids: &ids,
        progress: wanted.progress,
        is_kept: wanted.readings.is_some(),
    };
    let asking = Asking::new(wanted, Some(&ids));
    let is_back_end = |kind| matches!(kind, Kind::EwsLog | Kind::MapiLog);
    let read = read_all(files, is_back_end, collected, asking.as_ref(), |file| {
        Ok(back_end::read(file.open(hash)?, hash, &asked))
    });
    let mut workers = Workers::new();
    for (index, log) in read {
        let file = &files[index];
        collected.take_back_end(index, log, file.kind, &unnamed(file, server), &mut workers);
    }
    collected.hints.extend(new_workers(&workers));
}

/// For each server that web logs know by its address or their folder only, the one that HttpProxy names for the same
/// requests.
fn names_of_unnamed(book: &Book) -> BTreeMap<String, String> {
    let server = |access: &Access| book.keys.get(access.key).server.as_str();
    let is_unnamed = |name: &str| name.parse::<IpAddr>().is_ok() || name.starts_with("UNKNOWN (");
    let rows = || book.accesses.iter().filter(|access| access.request_id != 0);
    let proxied: HashMap<u128, &str> = rows()
        .chain(book.others.iter().map(|other| &other.row))
        .filter(|access| access.is_proxied)
        .map(|access| (access.request_id, server(access)))
        .collect();
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for access in rows().filter(|access| !access.is_proxied && is_unnamed(server(access))) {
        if let Some(name) = proxied.get(&access.request_id) {
            names.entry(server(access)).or_default().insert(name);
        }
    }
    // A client can write an id of its own: where two names are told, neither is believed.
    let only = |(name, known): (&str, BTreeSet<&str>)| {
        (known.len() == 1).then(|| (name.to_owned(), known.into_iter().collect()))
    };
    names.into_iter().filter_map(only).collect()
}

/// The server of rows that do not name one.
fn unnamed(file: &File, server: Option<&str>) -> String {
    let unknown = || format!("UNKNOWN ({})", folder(&file.source.path));
    named(file, server).map_or_else(unknown, |name| host_name(&name))
}

/// The worker processes of EWS by server and process id, with the file that tells of the first row.
type Workers = BTreeMap<(String, u64), (usize, Worker)>;

/// Another process answers for the pool: the one before ended at some time before.
fn new_workers(workers: &Workers) -> Vec<(String, usize, Hint)> {
    let mut by_server: BTreeMap<&str, Vec<(usize, Worker)>> = BTreeMap::new();
    for ((server, _), worker) in workers {
        by_server.entry(server).or_default().push(*worker);
    }
    let mut hints = Vec::new();
    for (server, mut list) in by_server {
        list.sort_by_key(|(_, worker)| (worker.first, worker.last));
        for pair in list.windows(2) {
            let (before, (file, after)) = (pair[0].1, pair[1]);
            // Of a pool with several processes side by side none is another's successor.
            if before.last < after.first {
                let pool = Some(exchange::route(b"/ews").pool.to_owned());
                let (seconds, line) = (after.first, after.line);
                hints.push((server.to_owned(), file, Hint { pool, is_sure: false, seconds, line }));
            }
        }
    }
    hints
}

impl Collected {
    fn take_proxy(&mut self, index: usize, read: ProxyLog, server: &str) {
        let name = |own: String| if own.is_empty() { server.to_owned() } else { own };
        let ProxyLog { mut log, presence, learned, sids, targets } = read;
        for (account, sid) in sids {
            self.sids.entry(account).or_default().insert(sid);
        }
        let mut book = std::mem::take(&mut log.book);
        book.keys = book.keys.map(|key| Key { server: name(key.server.clone()), ..key });
        let others = book.others.iter_mut().map(|other| &mut other.row);
        for access in book.accesses.iter_mut().chain(others) {
            access.source = index as u32;
        }
        self.book.absorb(book);
        let mut servers: BTreeSet<String> = BTreeSet::new();
        for ((server, protocol), seen) in presence {
            let server = name(server);
            servers.insert(server.clone());
            self.fronts.entry((server, protocol)).or_default().extend(&seen);
        }
        self.only_server(index, servers);
        for (name, line) in learned {
            self.learned.entry(name).or_insert((index, line));
        }
        self.targets.extend(targets);
        self.logs.insert(index, log);
    }

    /// One server must not count as two: a web log that names no server has the name that HttpProxy has for the same
    /// requests.
    fn adopt_names(&mut self) {
        let names = names_of_unnamed(&self.book);
        if names.is_empty() {
            return;
        }
        let adopted = |name: String| names.get(&name).cloned().unwrap_or(name);
        let Book { keys, accesses, nameless, others, .. } = &mut self.book;
        let mut named = Table::default();
        let key = |key: &Key| Key { server: adopted(key.server.clone()), ..key.clone() };
        let numbers: Vec<u32> = keys.iter().map(|known| named.number(key(known))).collect();
        let others = others.iter_mut().map(|other| &mut other.row);
        for access in accesses.iter_mut().chain(nameless).chain(others) {
            access.key = numbers[access.key as usize];
        }
        *keys = named;
        for ((server, kind), seen) in std::mem::take(&mut self.presence) {
            self.presence.entry((adopted(server), kind)).or_default().extend(&seen);
        }
        self.back_ends = std::mem::take(&mut self.back_ends).into_iter().map(adopted).collect();
        for server in self.server_of_log.values_mut() {
            *server = adopted(std::mem::take(server));
        }
        for (server, ..) in &mut self.hints {
            *server = adopted(std::mem::take(server));
        }
    }

    fn take_back_end(
        &mut self,
        index: usize,
        read: BackEndLog,
        kind: Kind,
        server: &str,
        workers: &mut Workers,
    ) {
        let name = |own: String| if own.is_empty() { server.to_owned() } else { own };
        let mut servers: BTreeSet<String> = BTreeSet::new();
        for (server, seen) in read.presence {
            let server = name(server);
            servers.insert(server.clone());
            self.presence.entry((server, kind)).or_default().extend(&seen);
        }
        self.only_server(index, servers);
        for (who, n) in read.impersonated {
            self.impersonated.entry(who).or_insert((index, 0)).1 += n;
        }
        for ((server, process_id), worker) in read.workers {
            let (file, known) =
                workers.entry((name(server), process_id)).or_insert((index, worker));
            if worker.first < known.first {
                *file = index;
            }
            known.extend(&worker);
        }
        let Book { accesses, texts, keys, .. } = &mut self.book;
        for access in accesses.iter_mut().filter(|access| access.request_id != 0) {
            let Some(operation) = read.operations.get(&access.request_id) else { continue };
            if operation.is_empty() {
                continue;
            }
            access.command = texts.number(operation.clone());
            let protocol = keys.get(access.key).protocol;
            if protocol == Protocol::Ews && access.refusal.is_none() {
                let word = operation.as_str().into();
                let data = exchange::moves_data(protocol, word, b"", b"", b"", access.sc_status);
                access.moved_data |= matches!(data, Data::Mailbox | Data::Directory);
            }
        }
        self.logs.insert(index, read.log);
    }

    fn only_server(&mut self, index: usize, servers: BTreeSet<String>) {
        if let (Some(server), 1) = (servers.first(), servers.len()) {
            self.server_of_log.insert(index, server.clone());
        }
    }
}
