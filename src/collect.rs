//! Request logs to the rows of watched accounts, the tallies, and when each server's logs had entries.
//!
//! Changes are read first, so that memory follows the watched accounts and not the size of the logs.

pub mod access;
pub mod book;
pub mod census;
pub mod clients;
pub mod log;
pub mod minutes;
pub mod watch;

use crate::input::Hash;
use crate::read::{File, is_web_log};
use crate::source;
use book::{Book, Key};
use log::{Log, Wanted, host_name};
use minutes::Presence;
use rayon::prelude::*;
use std::collections::BTreeMap;
use stillin_parsers::kind::Kind;

/// Everything that the logs gave.
#[derive(Default)]
pub struct Collected {
    /// Rows of all logs; their source is an index into the files.
    pub book: Book,
    /// By server and kind of log, when there were entries.
    pub presence: BTreeMap<(String, Kind), Presence>,
    /// Each log by the index of its file, without its rows.
    pub logs: BTreeMap<usize, Log>,
    /// For each log its server, where the log has only one.
    pub server_of_log: BTreeMap<usize, String>,
    /// For each log that could not be read at all, why.
    pub errors: BTreeMap<usize, String>,
}

/// Reads all logs, file beside file and chunk beside chunk. `server` names the server of logs that
/// neither a column nor a folder names.
pub fn collect(
    files: &mut [File],
    hash: Hash,
    server: Option<&str>,
    wanted: &Wanted<'_>,
) -> Collected {
    let read: Vec<_> = files
        .par_iter_mut()
        .enumerate()
        .filter(|(_, file)| is_web_log(file.kind))
        .map(|(index, file)| {
            let log = file.open(hash).map(|opened| log::read(opened, hash, wanted));
            (index, log)
        })
        .collect();
    let mut collected = Collected::default();
    for (index, log) in read {
        match log {
            Ok(log) => collected.take(index, log, &files[index], server),
            Err(error) => _ = collected.errors.insert(index, format!("{error:#}")),
        }
    }
    collected
}

impl Collected {
    fn take(&mut self, index: usize, mut log: Log, file: &File, server: Option<&str>) {
        let fallback = server_name(file, &log, server);
        let name = |server: String| if server.is_empty() { fallback.clone() } else { server };
        let mut book = std::mem::take(&mut log.book);
        book.keys = book.keys.map(|key| Key { server: name(key.server.clone()), ..key });
        for access in book.accesses.iter_mut().chain(&mut book.nameless) {
            access.source = index as u32;
        }
        self.book.absorb(book, 0);
        let presence = std::mem::take(&mut log.presence);
        let mut servers: Vec<String> = Vec::new();
        for (server, seen) in presence {
            let server = name(server);
            // A log that cannot say who was served covers nothing.
            if !log.is_blind || file.kind != Kind::IisW3c {
                self.presence.entry((server.clone(), file.kind)).or_default().extend(&seen);
            }
            servers.push(server);
        }
        servers.dedup();
        if let [server] = servers.as_slice() {
            self.server_of_log.insert(index, server.clone());
        }
        self.logs.insert(index, log);
    }
}

/// The server of a log without `s-computername`: the folder above `W3SVC<n>`, `--server`, else its address.
fn server_name(file: &File, log: &Log, server: Option<&str>) -> String {
    let named = source::server_of(&file.source.path).or(server.map(str::to_owned));
    match named {
        Some(name) => host_name(&name),
        // Logs of one folder are one server's; two folders may be two servers, and chains must not cross.
        None => main_address(&log.addresses).unwrap_or_else(|| {
            let folder = file.source.path.rsplit_once('/').map_or(".", |(folder, _)| folder);
            format!("UNKNOWN ({folder})")
        }),
    }
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
