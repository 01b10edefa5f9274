//! One chunk of a log to what it gave: every data line of every log comes through here.

use super::access::{Seen, is_back_end, may_be_nameless_refusal};
use super::blocks::{Chunk, Room};
use super::book::Access;
use super::desk::{Desk, is_same};
use super::gather::lock;
use super::hints::{self, Hint};
use super::log::Met;
use super::minutes::Presence;
use super::names::{Names, Sort, logged_host_name};
use super::proxy::MOST_TARGETS;
use super::seats::{Seats, Spare, seat_of};
use super::sheet::{Numbers, Sheet};
use super::watch::{Meant, Watch, decode};
use crate::readings::Readings;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use stillin_parsers::vectors::Vectors;
use stillin_parsers::w3c::{Column, Line, Scanner, State, TakeLine, Tally};

/// What a scan is after, the same for every line.
pub struct Wanted<'a> {
    /// Whose requests.
    pub watch: &'a Watch<'a>,
    /// Requests that ended before are not kept.
    pub from: Option<DateTime<Utc>>,
    /// Requests that ended after are not kept.
    pub until: Option<DateTime<Utc>>,
    /// Rows are to be joined to those of HttpProxy.
    pub wants_ids: bool,
    /// Nameless refusals that ended before cannot matter.
    pub nameless_from: Option<DateTime<Utc>>,
    /// Called with the number of bytes read.
    pub progress: &'a (dyn Fn(u64) + Sync),
    /// What was read before, and where this reading is kept.
    pub readings: Option<&'a Readings>,
}

impl Wanted<'_> {
    /// Whether a request that ended then may matter.
    pub fn is_within(&self, end: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| end >= from) && self.until.is_none_or(|until| end <= until)
    }
}

/// What every chunk of a log is read with.
#[derive(Clone, Copy)]
pub struct Scan<'a> {
    /// What the whole run is after.
    pub wanted: &'a Wanted<'a>,
    /// For where strangers sat.
    pub spare: &'a Spare,
    /// Where strangers sat before that cannot matter; seconds since 1970.
    pub seats_from: i64,
    /// What the processor has for the work.
    pub vectors: Vectors,
}

/// What one chunk gave, and what it was read with.
pub struct Piece {
    /// The columns it was read with.
    pub assumed: State,
    /// The columns it leaves to the next one.
    pub next: State,
    /// What became of its lines, counted from its own first.
    pub tally: Tally,
    /// What else its lines gave.
    pub scanned: Scanned,
    /// Rows of watched accounts.
    pub sheet: Sheet,
    /// What the numbers on it are in the book.
    pub numbers: Arc<Mutex<Numbers>>,
}

/// What a thread keeps from chunk to chunk.
pub struct Bench<'a> {
    names: Names<'a>,
    room: Room,
    desk: Desk,
    numbers: Arc<Mutex<Numbers>>,
    /// Rows of the chunk before: the next one has about as many.
    n_rows: usize,
}

/// Reads a chunk with the columns that it is assumed to begin with.
pub fn read_chunk(
    chunk: &Chunk<'_>,
    assumed: State,
    scan: &Scan<'_>,
    bench: &mut Bench<'_>,
) -> Piece {
    let mut scanned = Scanned { seats: scan.spare.take(), ..Scanned::default() };
    let Bench { names, room, desk, numbers, n_rows } = bench;
    if lock(numbers).is_spoilt {
        (*desk, *numbers) = Default::default();
    }
    desk.accesses.reserve(*n_rows);
    let mut scanner = Scanner::new(&assumed);
    let mut reading = Reading { scanned: &mut scanned, scan, names, desk };
    chunk.each_block(room, |block, is_last| scanner.read(block, is_last, &mut reading));
    let (tally, next) = scanner.finish();
    scanned.end();
    (scan.wanted.progress)(chunk.len() as u64);
    *n_rows = desk.accesses.len();
    let (sheet, numbers) = (desk.take_sheet(), numbers.clone());
    Piece { assumed, next, tally, scanned, sheet, numbers }
}

/// What takes the lines of a chunk.
struct Reading<'a, 'w> {
    scanned: &'a mut Scanned,
    scan: &'a Scan<'a>,
    names: &'a mut Names<'w>,
    desk: &'a mut Desk,
}

impl TakeLine for Reading<'_, '_> {
    /// Every data line of every log comes through here.
    #[inline(always)]
    fn line(&mut self, cs_username: &[u8], line: &Line<'_>) {
        self.scanned.line(cs_username, line, self.scan, self.names, self.desk);
    }
}

impl<'a> Scan<'a> {
    /// For a thread's first chunk.
    pub fn bench(&self) -> Bench<'a> {
        Bench {
            names: Names::new(self.wanted.watch),
            room: Room::default(),
            desk: Desk::default(),
            numbers: Arc::default(),
            n_rows: 0,
        }
    }
}

/// A host name, and whether the lines are those of its back end.
pub type Host = (String, bool);

/// What the lines of one chunk gave.
#[derive(Default)]
pub struct Scanned {
    /// When each host had entries; mostly there is one.
    presence: Vec<Presence>,
    place_of_host: BTreeMap<Host, usize>,
    /// `s-ip`s with their number of lines; few.
    pub addresses: Vec<(Vec<u8>, u64)>,
    /// Names that may be a watched account's, with their number of requests.
    pub namesakes: BTreeMap<String, u64>,
    /// Requests of probes and machine accounts.
    pub noise: u64,
    /// What hints at restarts.
    pub hints: Vec<Hint>,
    /// Other servers that requests of watched accounts went through, as logged.
    pub targets: BTreeSet<Vec<u8>>,
    /// `s-computername` and second of the line before, so that neighbours cost nothing.
    server: Vec<u8>,
    second: Option<i64>,
    /// Index of that server's presence.
    host: usize,
    /// The same by `s-computername` as logged, for front end and back end.
    hosts: BTreeMap<Vec<u8>, [Option<usize>; 2]>,
    /// That of the server of the line before.
    ends: [Option<usize>; 2],
    /// Time of the last line that tells who was served, and of the first after it that does not.
    sighted: Option<i64>,
    blind_since: Option<i64>,
    /// Where strangers sat.
    pub seats: Seats,
    /// The last stranger's seat, on its way.
    seat: Option<u64>,
    /// The last minute in which an entry was noted, and where.
    minute: Option<(usize, i64)>,
    /// The last minute in which a probe was noted, and where.
    probe: Option<(usize, i64)>,
    /// Names that were looked at more closely.
    pub met: Met,
}

impl Scanned {
    #[inline(always)]
    fn line(
        &mut self,
        name: &[u8],
        line: &Line<'_>,
        scan: &Scan<'_>,
        names: &mut Names<'_>,
        desk: &mut Desk,
    ) {
        let server = line.value(Column::SComputername).unwrap_or_default();
        let is_other_server = !is_same(&self.server, server);
        if self.second != Some(line.seconds) || is_other_server {
            let copy = *line;
            self.moved(is_other_server.then_some(server), &copy);
        }
        if matches!(name, b"-" | b"") {
            let copy = *line;
            return self.without_name(&copy, scan.wanted, desk);
        }
        match names.sort(name) {
            Sort::Stranger => self.sit(line, scan),
            Sort::Noise => self.noise(line.seconds),
            Sort::Watched => {
                let copy = *line;
                self.watched(name, &copy, scan, names, desk);
            }
        }
    }

    #[inline(never)]
    fn without_name(&mut self, line: &Line<'_>, wanted: &Wanted<'_>, desk: &mut Desk) {
        if may_be_nameless_refusal(line) {
            self.nameless(line, wanted, desk);
        }
        if line.layout.is_httperr() {
            self.hints.extend(hints::hint(line, &self.hints));
        }
    }

    /// Another second, or another server: notes when, where and at which address.
    #[inline(never)]
    fn moved(&mut self, other_server: Option<&[u8]>, line: &Line<'_>) {
        self.second = Some(line.seconds);
        if let Some(server) = other_server {
            self.server.clear();
            self.server.extend_from_slice(server);
            self.ends = self.hosts.get(server).copied().unwrap_or_default();
        }
        let is_back_end = is_back_end(line);
        let known = self.ends[usize::from(is_back_end)];
        self.host = known.unwrap_or_else(|| self.new_host(is_back_end));
        self.see(line);
        let address = line.value(Column::SIp).unwrap_or_default();
        let known = self.addresses.iter().position(|(known, _)| *known == address);
        match known {
            Some(known) => self.addresses[known].1 += 1,
            None if !matches!(address, b"" | b"-") && self.addresses.len() < 64 => {
                self.addresses.push((address.to_vec(), 1));
            }
            None => {}
        }
    }

    /// Index of a host by a spelling of its name that is new here.
    fn new_host(&mut self, is_back_end: bool) -> usize {
        let host = (logged_host_name(&self.server), is_back_end);
        let index = *self.place_of_host.entry(host).or_insert_with(|| {
            self.presence.push(Presence::default());
            self.presence.len() - 1
        });
        self.ends[usize::from(is_back_end)] = Some(index);
        self.hosts.insert(self.server.clone(), self.ends);
        index
    }

    /// Notes that the server's log has an entry here. Lines without a name or a status tell nothing of who was
    /// served: where they stand the log has a hole.
    fn see(&mut self, line: &Line<'_>) {
        let presence = &mut self.presence[self.host];
        let has = |column| line.layout.place(column).is_some();
        let tells = has(Column::CsUsername) && has(Column::ScStatus);
        if !tells && !line.layout.is_httperr() {
            self.blind_since.get_or_insert(line.seconds);
            return;
        }
        if let Some(since) = self.blind_since.take() {
            presence.holes.insert((self.sighted.unwrap_or(since), line.seconds));
            if self.sighted.is_none() {
                presence.holes_before.insert(since);
            }
        }
        self.sighted = Some(line.seconds);
        let minute = Some((self.host, line.seconds.div_euclid(60)));
        if self.minute == minute {
            presence.saw_again(line.seconds);
        } else {
            self.minute = minute;
            presence.saw(line.seconds);
        }
    }

    /// When each host had entries, by host.
    pub fn take_presence(&mut self) -> impl Iterator<Item = (Host, Presence)> {
        let mut presence = std::mem::take(&mut self.presence);
        let hosts = std::mem::take(&mut self.place_of_host);
        hosts.into_iter().map(move |(host, place)| (host, std::mem::take(&mut presence[place])))
    }

    /// The chunk is over; what lies blind at its end, or all of it, is a hole that reaches into its neighbours.
    fn end(&mut self) {
        self.seat.take().into_iter().for_each(|seat| self.seats.insert(seat));
        let Some((since, presence)) = self.blind_since.zip(self.presence.get_mut(self.host)) else {
            return;
        };
        match self.sighted {
            Some(before) => _ = presence.holes_after.insert(before),
            None => {
                let last = self.second.unwrap_or(since);
                presence.holes_before.insert(since);
                presence.holes.insert((since, last));
                presence.holes_after.insert(last);
            }
        }
    }

    /// A stranger was here, served or not, so a refusal at that seat may be the stranger's.
    #[inline(always)]
    fn sit(&mut self, line: &Line<'_>, scan: &Scan<'_>) {
        if line.seconds >= scan.seats_from {
            let seat = seat_of(line, scan.vectors);
            self.seats.expect(seat);
            if let Some(seat) = self.seat.replace(seat) {
                self.seats.insert(seat);
            }
        }
    }

    #[cold]
    fn noise(&mut self, seconds: i64) {
        self.noise += 1;
        let minute = seconds.div_euclid(60);
        if self.probe != Some((self.host, minute)) {
            self.probe = Some((self.host, minute));
            self.presence[self.host].probes.insert(minute);
        }
    }

    #[cold]
    fn nameless(&mut self, line: &Line<'_>, wanted: &Wanted<'_>, desk: &mut Desk) {
        let time = line.time();
        if wanted.watch.is_empty() || wanted.nameless_from.is_none_or(|from| time < from) {
            return;
        }
        let seen = Seen::new(line, desk.route(line));
        if seen.is_refusal() && wanted.is_within(time) {
            let access = seen.write(time, &self.server, wanted.wants_ids, desk);
            desk.nameless.push(access);
        }
    }

    #[cold]
    fn watched(
        &mut self,
        name: &[u8],
        line: &Line<'_>,
        scan: &Scan<'_>,
        names: &mut Names<'_>,
        desk: &mut Desk,
    ) {
        if scan.wanted.readings.is_some() {
            self.met.take(name, None);
        }
        let time = line.time();
        let meant = names.meant(name, || time);
        let meant = scan.wanted.watch.by_then(meant, time);
        let (ids, is_ambiguous) = match &meant {
            Meant::Nobody => return self.sit(line, scan),
            Meant::One(id) => (&[*id][..], false),
            Meant::Ambiguous(ids) => (ids.as_slice(), true),
            Meant::Namesake(_) => {
                // Whoever is refused may have typed any name there is.
                let mut is_served = || Seen::new(line, desk.route(line)).is_served();
                if self.namesakes.len() < 1000 && is_served() {
                    *self.namesakes.entry(decode(name)).or_default() += 1;
                }
                self.sit(line, scan);
                return;
            }
        };
        let seen = Seen::new(line, desk.route(line));
        if !seen.counts() || !scan.wanted.is_within(time) {
            return;
        }
        let room = MOST_TARGETS.saturating_sub(self.targets.len());
        self.targets.extend(seen.servers().take(room));
        let access = seen.write(time, &self.server, scan.wanted.wants_ids, desk);
        if let (true, &[id]) = (access.is_back_end, ids)
            && let Meant::Ambiguous(ids) = scan.wanted.watch.with_master(id)
        {
            let access = Access { is_ambiguous: true, ..access };
            desk.accesses.extend(ids.into_iter().map(|account| Access { account, ..access }));
            return;
        }
        for &account in ids {
            desk.accesses.push(Access { account, is_ambiguous, ..access });
        }
    }
}
