//! Request logs to the rows of watched accounts, the tallies, and when each server's logs had entries.
//!
//! Changes are read first, so that memory follows the watched accounts and not the size of the logs.

pub mod access;
pub mod again;
pub mod back_end;
pub mod blocks;
pub mod book;
pub mod census;
pub mod chunk;
pub mod clients;
pub mod copies;
pub mod desk;
pub mod exchange;
pub mod gather;
pub mod hints;
pub mod ids;
pub mod join;
pub mod log;
pub mod minutes;
pub mod names;
pub mod proxy;
pub mod rows;
pub mod seats;
pub mod sheet;
pub mod tally;
pub mod typed;
pub mod watch;

use crate::account::AccountId;
use crate::input::Hash;
use crate::read::{File, is_web_log};
use crate::readings::question::{Asking, Reading};
use crate::source;
use back_end::Impersonation;
use book::{Book, Key};
use chrono::{DateTime, Utc};
use chunk::Wanted;
use copies::FirstRequest;
use hints::Hint;
use join::Joined;
use log::Log;
use minutes::Presence;
use names::host_name;
use proxy::Front;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::kind::Kind;

/// Everything that the logs gave.
#[derive(Default)]
pub struct Collected {
    /// Rows of all logs; their source is an index into the files.
    pub book: Book,
    /// By server and kind of log, when there were entries.
    pub presence: BTreeMap<(String, Kind), Presence>,
    /// Servers of which logs of the back end were read.
    pub back_ends: BTreeSet<String>,
    /// Each log by the index of its file, without its rows.
    pub logs: BTreeMap<usize, Log>,
    /// For each log its server, where the log has only one.
    pub server_of_log: BTreeMap<usize, String>,
    /// For each log that begins like another one, that one.
    pub originals: BTreeMap<u32, u32>,
    /// Rows of such a log that the other one has as well, and that are counted there.
    pub copied: BTreeMap<u32, u64>,
    /// For each log that could not be read at all, why.
    pub errors: BTreeMap<usize, String>,
    /// By server and protocol, when HttpProxy had entries.
    pub fronts: BTreeMap<Front, Presence>,
    /// Names that HttpProxy ties to the SID of a watched account, with the file and line that first does.
    pub learned: BTreeMap<(AccountId, String), (usize, u64)>,
    /// Their number, and when the first of them ended.
    pub strange: BTreeMap<Strange, (u64, DateTime<Utc>)>,
    /// SIDs that HttpProxy has under the names of accounts of which no source tells one.
    pub sids: BTreeMap<AccountId, BTreeSet<String>>,
    /// Servers that requests were passed on to, or came from, by name or address.
    pub targets: BTreeSet<String>,
    /// Back-end rows of each source whose requests the front end logged too.
    pub doubles: BTreeMap<u32, u64>,
    /// How the rows of HttpProxy were taken.
    pub joined: Joined,
    /// Names of W3C whose requests HttpProxy ties to one account, each an index into the texts.
    pub ties: BTreeSet<(AccountId, u32)>,
    /// Requests with the rights of a watched account by somebody else, with the file that first tells.
    pub impersonated: BTreeMap<Impersonation, (usize, u64)>,
    /// What hints at restarts, with the server and the file.
    pub hints: Vec<(String, usize, Hint)>,
}

/// Requests of HttpProxy under a name of a watched account, with another SID than its, which no account of the evidence
/// has: the account was made again under the name, or the name is another forest's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Strange {
    /// Whose name it is by all that is known.
    pub account: AccountId,
    /// The name as logged.
    pub name: String,
    /// The SID as logged.
    pub sid: String,
}

/// Reads all logs, file beside file and chunk beside chunk. `server` names the server of logs that
/// neither a column nor a folder names.
pub fn collect(
    files: &mut [File],
    hash: Hash,
    server: Option<&str>,
    wanted: &Wanted<'_>,
) -> Collected {
    let mut collected = Collected::default();
    let asking = Asking::new(wanted, None);
    let read = read_all(files, is_web_log, &mut collected, asking.as_ref(), |file| {
        Ok(log::read(file.open(hash)?, hash, wanted))
    });
    let names = names(&read, files, server);
    for (index, log) in read {
        collected.take(index, log, files[index].kind, &names[&index]);
    }
    collected.originals = {
        let first = |(index, log): (&usize, &Log)| Some((*index, log.first_request.clone()?));
        copies::originals(collected.logs.iter().filter_map(first), &names)
    };
    collected.copied = copies::drop_copies(&mut collected.book, &collected.originals);
    // Front end and back end of one request count once, whichever log of the front end has it; after that the logs of
    // Exchange's back ends may say what it wanted.
    if wanted.wants_ids {
        exchange::read_proxies(&mut collected, files, hash, server, wanted);
    }
    collected.doubles = clients::drop_doubles(&mut collected.book);
    if wanted.wants_ids {
        exchange::read_back_ends(&mut collected, files, hash, server, wanted);
    }
    collected
}

/// The logs of one kind, read beside each other, or known from before; what could not be read is among the errors of
/// `collected`.
fn read_all<T: Reading + Send>(
    files: &mut [File],
    is_asked: impl Fn(Kind) -> bool + Sync + Send,
    collected: &mut Collected,
    asking: Option<&Asking<'_>>,
    read: impl Fn(&mut File) -> anyhow::Result<T> + Sync + Send,
) -> Vec<(usize, T)> {
    let read: Vec<_> = files
        .par_iter_mut()
        .enumerate()
        .filter(|(_, file)| is_asked(file.kind))
        .map(|(index, file)| {
            let log = match asking {
                Some(asking) => asking.log(index, file.bytes, || read(file)),
                None => read(file),
            };
            (index, log)
        })
        .collect();
    let mut whole = Vec::new();
    for (index, log) in read {
        match log {
            Ok(log) => whole.push((index, log)),
            Err(error) => _ = collected.errors.insert(index, format!("{error:#}")),
        }
    }
    whole
}

/// For each log the server of the lines that do not name one themselves. A copy that lies anywhere has the name of its
/// twin that lies in the folder of a server.
fn names(read: &[(usize, Log)], files: &[File], server: Option<&str>) -> BTreeMap<usize, String> {
    let logs = || read.iter().map(|(index, log)| (*index, log));
    let named = |index: usize| named(&files[index], server);
    let mut twins: BTreeMap<&FirstRequest, BTreeSet<String>> = BTreeMap::new();
    for (index, log) in logs() {
        if let (Some(first), Some(name)) = (&log.first_request, named(index)) {
            twins.entry(first).or_default().insert(host_name(&name));
        }
    }
    // The address of a server whose name is known names the logs that lie elsewhere.
    let mut at: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (index, log) in logs() {
        if let (Some(address), Some(name)) = (main_address(&log.addresses), named(index)) {
            at.entry(address).or_default().insert(host_name(&name));
        }
    }
    let only = |names: &BTreeSet<String>| names.first().filter(|_| names.len() == 1).cloned();
    let by_twin = |log: &Log| only(twins.get(log.first_request.as_ref()?)?);
    let by_address = |log: &Log| only(at.get(&main_address(&log.addresses)?)?);
    let name = |index: usize, log: &Log| {
        let named = named(index).map(|name| host_name(&name));
        let known = named.or_else(|| by_twin(log)).or_else(|| by_address(log));
        known.unwrap_or_else(|| unnamed_server(&files[index], log))
    };
    logs().map(|(index, log)| (index, name(index, log))).collect()
}

/// The server of a source by its folder, by what the user says of it, or by what the user says of all. The folder first:
/// to take two servers for one would accuse wrongly.
pub fn named(file: &File, server: Option<&str>) -> Option<String> {
    let by_folder = source::server_of(&file.source.path);
    by_folder.or_else(|| file.server.clone()).or(server.map(str::to_owned))
}

impl Collected {
    fn take(&mut self, index: usize, mut log: Log, kind: Kind, server: &str) {
        let name = |own: String| if own.is_empty() { server.to_owned() } else { own };
        let mut book = std::mem::take(&mut log.book);
        book.keys = book.keys.map(|key| Key { server: name(key.server.clone()), ..key });
        let rows = book.accesses.par_iter_mut().chain(&mut book.nameless);
        rows.for_each(|access| access.source = index as u32);
        self.book.absorb(book);
        let presence = std::mem::take(&mut log.presence);
        let is_front_end = presence.keys().any(|(_, is_back_end)| !is_back_end);
        let mut servers: Vec<String> = Vec::new();
        for ((server, is_back_end), seen) in presence {
            let server = name(server);
            // The back end's log says nothing of what the front end served.
            if is_back_end && kind == Kind::IisW3c {
                self.back_ends.insert(server.clone());
            } else {
                self.presence.entry((server.clone(), kind)).or_default().extend(&seen);
            }
            servers.push(server);
        }
        servers.dedup();
        // Of several servers it is not IIS that wrote the log.
        if let [server] = servers.as_slice() {
            self.server_of_log.insert(index, server.clone());
            let repeats = log.repeats.iter().filter(|_| is_front_end);
            let hints = repeats.filter_map(|repeat| repeat.hint(&log.tally.holes));
            self.hints.extend(hints.map(|hint| (server.clone(), index, hint)));
        }
        self.targets.append(&mut log.targets);
        let hints = std::mem::take(&mut log.hints).into_iter();
        self.hints.extend(hints.map(|hint| (server.to_owned(), index, hint)));
        self.logs.insert(index, log);
    }
}

/// The server of a log that neither `s-computername`, a folder above `W3SVC<n>` nor `--server` names: its address.
fn unnamed_server(file: &File, log: &Log) -> String {
    // Logs of one folder are one server's; two folders may be two servers, and chains must not cross.
    main_address(&log.addresses)
        .unwrap_or_else(|| format!("UNKNOWN ({})", folder(&file.source.path)))
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

/// The address most lines were served at; a loopback or link-local one only if there is no other.
fn main_address(addresses: &BTreeMap<String, u64>) -> Option<String> {
    let is_local = |address: &str| {
        let address = address.to_ascii_lowercase();
        address.starts_with("127.") || address == "::1" || address.starts_with("fe80:")
    };
    let rank = |(address, n): &(&String, &u64)| {
        (!is_local(address), **n, std::cmp::Reverse((*address).clone()))
    };
    addresses.iter().max_by_key(rank).map(|(address, _)| address.clone())
}
