//! One log of the back end of EWS or MAPI to what the front end does not know: what a request wanted, with whose rights,
//! and which worker process answered it (DOMAIN.md 3.2). No row of it is a request in its own right.

use super::blocks::Room;
use super::ids::Ids;
use super::log::{Log, Met};
use super::minutes::Presence;
use super::names::{Names, Sort, logged_host_name};
use super::rows::{self, Reader};
use super::watch::{Meant, Watch, decode};
use crate::input::{Hash, Opened};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use stillin_parsers::exchange::{back_end, request_id};
use stillin_parsers::exchange_log::{Column, Row};

/// What a reading of these logs is after.
pub struct Asked<'a> {
    /// Whose requests.
    pub watch: &'a Watch<'a>,
    /// Whether a request that ended then may matter.
    pub is_within: &'a (dyn Fn(DateTime<Utc>) -> bool + Sync),
    /// Ids of the requests that are kept.
    pub ids: &'a Ids,
    /// Called with the number of bytes read.
    pub progress: &'a (dyn Fn(u64) + Sync),
    /// The reading is to be kept.
    pub is_kept: bool,
}

/// One log, read.
#[derive(Default)]
pub struct BackEndLog {
    /// What it has in common with other logs.
    pub log: Log,
    /// When it had entries, by server.
    pub presence: BTreeMap<String, Presence>,
    /// What requests that are kept wanted, by id.
    pub operations: BTreeMap<u128, String>,
    /// Requests with the rights of a watched account by somebody else.
    pub impersonated: BTreeMap<Impersonation, u64>,
    /// First and last row of each worker process, by server: seconds since 1970 and line.
    pub workers: BTreeMap<(String, u64), Worker>,
}

/// Who acted as whom, as logged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Impersonation {
    /// Who logged on.
    pub user: String,
    /// Whose rights were used.
    pub acted_as: String,
}

/// When a worker process answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Worker {
    /// First row, seconds since 1970.
    pub first: i64,
    /// Its line.
    pub line: u64,
    /// Last row.
    pub last: i64,
}

/// Kept of one log: what attackers typed must not fill the memory.
const MOST: usize = 1000;

/// Reads an opened log to its end.
pub fn read(opened: Opened, hash: Hash, asked: &Asked<'_>) -> BackEndLog {
    let mut log = BackEndLog::default();
    let reader = Reader {
        bench: &|| (Names::new(asked.watch), Room::default()),
        chunk: &|chunk, state, (names, room): &mut (Names<'_>, Room)| {
            let mut scanned = Scanned::default();
            let (tally, next) =
                rows::scan(chunk, state, room, |row| scanned.row(row, asked, names));
            (tally, next, scanned)
        },
        progress: asked.progress,
    };
    let read = rows::read(opened, hash, &reader, &mut |scanned: Scanned, lines_before| {
        log.take(scanned, lines_before);
    });
    let rows::Read { columns, is_uniform, first_request, .. } = read;
    let tally = read.sum.finish(log.presence.values_mut());
    let stored = Some(read.stored);
    log.log = Log { tally, columns, is_uniform, first_request, stored, ..log.log };
    log
}

impl BackEndLog {
    fn take(&mut self, scanned: Scanned, lines_before: u64) {
        self.log.noise += scanned.noise;
        self.log.met.absorb(scanned.met);
        for (server, seen) in scanned.presence {
            self.presence.entry(logged_host_name(&server)).or_default().extend(&seen);
        }
        self.operations.extend(scanned.operations);
        for (who, n) in scanned.impersonated {
            *self.impersonated.entry(who).or_default() += n;
        }
        for ((server, process_id), worker) in scanned.workers {
            let worker = Worker { line: worker.line + lines_before, ..worker };
            let key = (logged_host_name(&server), process_id);
            self.workers.entry(key).and_modify(|known| known.extend(&worker)).or_insert(worker);
        }
    }
}

impl Worker {
    /// Takes over what was seen elsewhere.
    pub fn extend(&mut self, other: &Worker) {
        if other.first < self.first {
            (self.first, self.line) = (other.first, other.line);
        }
        self.last = self.last.max(other.last);
    }
}

#[derive(Default)]
struct Scanned {
    presence: BTreeMap<Vec<u8>, Presence>,
    noise: u64,
    operations: BTreeMap<u128, String>,
    impersonated: BTreeMap<Impersonation, u64>,
    workers: BTreeMap<(Vec<u8>, u64), Worker>,
    second: Option<i64>,
    met: Met,
}

impl Scanned {
    fn row(&mut self, row: &Row<'_>, asked: &Asked<'_>, names: &mut Names<'_>) {
        if self.second != Some(row.seconds) {
            self.moved(row);
        }
        let user = back_end::user(row).unwrap_or_default();
        if names.sort(user) == Sort::Noise {
            self.noise += 1;
            return;
        }
        let id = request_id(row.text(Column::RequestId)).unwrap_or(0);
        if asked.ids.has(id, row.seconds) {
            let operation = back_end::operation(row).map(decode).unwrap_or_default();
            self.operations.insert(id, operation);
        }
        if let Some(acted_as) = back_end::acted_as(row)
            && names.sort(acted_as) == Sort::Watched
            && (asked.is_within)(row.time())
            && self.may_be_watched(acted_as, row, asked, names)
            && self.impersonated.len() < MOST
        {
            let who = Impersonation { user: decode(user), acted_as: decode(acted_as) };
            *self.impersonated.entry(who).or_default() += 1;
        }
    }

    /// Whether the rights are those of an account that is watched by then.
    #[cold]
    fn may_be_watched(
        &mut self,
        acted_as: &[u8],
        row: &Row<'_>,
        asked: &Asked<'_>,
        names: &mut Names<'_>,
    ) -> bool {
        if asked.is_kept {
            self.met.take(acted_as, None);
        }
        let time = row.time();
        let meant = asked.watch.by_then(names.meant(acted_as, || time), time);
        matches!(meant, Meant::One(_) | Meant::Ambiguous(_))
    }

    /// Another second: notes that the log has an entry, and whose worker wrote it.
    #[inline(never)]
    fn moved(&mut self, row: &Row<'_>) {
        self.second = Some(row.seconds);
        let server = row.text(Column::ServerHostName);
        self.presence.entry(server.to_vec()).or_default().saw(row.seconds);
        let Some(process_id) = back_end::process_id(row) else { return };
        let worker = Worker { first: row.seconds, line: row.number, last: row.seconds };
        let key = (server.to_vec(), process_id);
        if self.workers.len() < MOST || self.workers.contains_key(&key) {
            self.workers.entry(key).and_modify(|known| known.extend(&worker)).or_insert(worker);
        }
    }
}
