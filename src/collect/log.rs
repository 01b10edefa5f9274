//! One log to what is kept of it: chunks read at the same time, brought together in order.

use super::access::{Desk, Seen, may_be_nameless_refusal};
use super::book::Book;
use super::clients::SESSION;
use super::copies::FirstRequest;
use super::minutes::Presence;
use super::names::{Names, Sort, logged_host_name};
use super::seats::{Seats, seat};
use super::watch::{Meant, Watch, decode};
use crate::input::{Body, HEAD, Hash, Map, Opened, Stored, Stream};
use chrono::{DateTime, Utc};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::io::Read;
use stillin_parsers::event::Reason;
use stillin_parsers::w3c::scan::REJECTS_KEPT;
use stillin_parsers::w3c::{self, Column, Line, State, Tally};

/// Bytes read as one task.
const CHUNK: usize = 4 << 20;
/// How many times its packed size a log has, about.
const PACKED: u64 = 12;

/// What a scan is after, the same for every line.
pub struct Wanted<'a> {
    /// Whose requests.
    pub watch: &'a Watch<'a>,
    /// Requests that ended before are not kept.
    pub from: Option<DateTime<Utc>>,
    /// Requests that ended after are not kept.
    pub until: Option<DateTime<Utc>>,
    /// Nameless refusals that ended before cannot matter.
    pub nameless_from: Option<DateTime<Utc>>,
    /// Called with the number of bytes read.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// One log, read.
#[derive(Debug, Default)]
pub struct Log {
    /// What became of its lines; rejects have their line in the file.
    pub tally: Tally,
    /// Column names of the last `#Fields`.
    pub columns: Vec<String>,
    /// Columns that a verdict needs and some `#Fields` lacks.
    pub missing: Vec<&'static str>,
    /// No `#Fields` names both `cs-username` and `sc-status`: the log says nothing of who was served.
    pub is_blind: bool,
    /// Requests of probes and machine accounts.
    pub noise: u64,
    /// Rows of watched accounts.
    pub book: Book,
    /// When it had entries, by `s-computername`; empty where the log has no such column.
    pub presence: BTreeMap<String, Presence>,
    /// `s-ip`s with their number of lines, as far as changes of it were seen.
    pub addresses: BTreeMap<String, u64>,
    /// Names that may be a watched account's and cannot be tied to it, with their number of requests.
    pub namesakes: BTreeMap<String, u64>,
    /// Where strangers sat.
    pub seats: Seats,
    /// What tells copies of one log.
    pub first_request: Option<FirstRequest>,
    /// Size, hash and damage of the source.
    pub stored: Option<Stored>,
}

/// What every chunk of a log is read with.
#[derive(Clone, Copy)]
struct Scan<'a> {
    wanted: &'a Wanted<'a>,
    seats: &'a Seats,
    /// Where strangers sat before that cannot matter; seconds since 1970.
    seats_from: i64,
}

/// What one chunk gave, and what it was read with.
struct Piece {
    assumed: State,
    next: State,
    tally: Tally,
    scanned: Scanned,
    book: Book,
}

/// Reads an opened W3C log to its end.
pub fn read(opened: Opened, hash: Hash, wanted: &Wanted<'_>) -> Log {
    let (guess, first_request) = first_look(&opened.head);
    let is_packed = matches!(opened.body, Body::Stream(_));
    let log_bytes = opened.stored_bytes.saturating_mul(if is_packed { PACKED } else { 1 });
    let seats = Seats::new(log_bytes);
    let seats_from = match wanted.nameless_from {
        Some(from) if !wanted.watch.is_empty() => (from - SESSION).timestamp(),
        _ => i64::MAX,
    };
    let scan = Scan { wanted, seats: &seats, seats_from };
    let log = match opened.body {
        Body::Mapped(map) => read_map(&map, hash, &guess, &scan),
        Body::Stream(stream) => read_stream(stream, &guess, &scan),
    };
    Log { first_request, seats, ..log }
}

/// The columns that hold after the first lines, which mostly hold for the whole file, and the first request.
fn first_look(head: &[u8]) -> (State, Option<FirstRequest>) {
    let is_whole = head.len() < HEAD;
    let lines = match memchr::memrchr(b'\n', head) {
        Some(at) if !is_whole => &head[..at],
        _ => head,
    };
    let mut first = None;
    let (_, state) = w3c::scan(lines, &State::default(), |_, line| {
        first.get_or_insert((line.number, line.seconds));
    });
    let request = |(line, seconds): (u64, i64)| {
        let text = lines.split(|&byte| byte == b'\n').nth(usize::try_from(line - 1).ok()?)?;
        Some(FirstRequest { line, seconds, text: text.trim_ascii().to_vec() })
    };
    (state, first.and_then(request))
}

fn read_map(map: &Map, hash: Hash, guess: &State, scan: &Scan<'_>) -> Log {
    let text: &[u8] = map;
    let chunks = w3c::chunks(text, CHUNK);
    let offsets: Vec<usize> = chunks
        .iter()
        .scan(0, |at, chunk| {
            let start = *at;
            *at += chunk.len();
            Some(start)
        })
        .collect();
    let parse = || {
        let pieces: Vec<Piece> = chunks
            .par_iter()
            .zip(&offsets)
            .enumerate()
            .map_init(
                || scan.names(),
                |names, (n, (chunk, &offset))| {
                    let assumed = if n == 0 { State::default() } else { guess.clone() };
                    let piece = read_chunk(chunk, assumed, scan, names);
                    map.release(offset..offset + chunk.len());
                    piece
                },
            )
            .collect();
        let mut gatherer = Gatherer::default();
        for (piece, chunk) in pieces.into_iter().zip(&chunks) {
            gatherer.take(piece, chunk, scan);
        }
        gatherer.finish()
    };
    let (mut log, sha256) = match hash {
        Hash::None => (parse(), None),
        Hash::Sha256 => rayon::join(parse, || map.sha256().ok()),
    };
    log.stored = Some(Stored { bytes: map.stored().len() as u64, sha256, damage: map.damage() });
    log
}

/// A stream is read block by block, as many at a time as there are threads.
fn read_stream(mut stream: Stream, guess: &State, scan: &Scan<'_>) -> Log {
    let mut gatherer = Gatherer::default();
    let mut rest = Vec::new();
    let mut is_first = true;
    loop {
        let mut blocks = Vec::new();
        let mut is_done = false;
        while blocks.len() < rayon::current_num_threads() && !is_done {
            let before = rest.len();
            // An error ends the text; the stream remembers it as its damage.
            is_done =
                matches!((&mut stream).take(CHUNK as u64).read_to_end(&mut rest), Ok(0) | Err(_))
                    || rest.len() == before;
            let cut = if is_done {
                rest.len()
            } else {
                memchr::memrchr(b'\n', &rest).map_or(0, |at| at + 1)
            };
            let tail = rest.split_off(cut);
            let block = std::mem::replace(&mut rest, tail);
            if !block.is_empty() {
                blocks.push(block);
            }
        }
        let start = gatherer.state.clone();
        let pieces: Vec<Piece> = blocks
            .par_iter()
            .enumerate()
            .map_init(
                || scan.names(),
                |names, (n, block)| {
                    let assumed = match n {
                        0 => start.clone(),
                        _ if is_first => guess.clone(),
                        _ => start.clone(),
                    };
                    read_chunk(block, assumed, scan, names)
                },
            )
            .collect();
        for (piece, block) in pieces.into_iter().zip(&blocks) {
            gatherer.take(piece, block, scan);
        }
        is_first = false;
        if is_done {
            break;
        }
    }
    let mut log = gatherer.finish();
    log.stored = Some(stream.finish());
    log
}

fn read_chunk(chunk: &[u8], assumed: State, scan: &Scan<'_>, names: &mut Names<'_>) -> Piece {
    let mut scanned = Scanned::default();
    let (tally, next) =
        w3c::scan(chunk, &assumed, |name, line| scanned.line(name, line, scan, names));
    (scan.wanted.progress)(chunk.len() as u64);
    let book = std::mem::take(&mut scanned.desk).into_book();
    Piece { assumed, next, tally, scanned, book }
}

impl<'a> Scan<'a> {
    fn names(&self) -> Names<'a> {
        Names::new(self.wanted.watch)
    }
}

/// Brings pieces together in the order of the file.
#[derive(Default)]
struct Gatherer {
    log: Log,
    state: State,
    /// A NUL run at the end of a chunk is a hole until the next entry.
    open_holes: bool,
    last_entry: Option<i64>,
    /// Some `#Fields` names what a verdict needs.
    sees: bool,
}

impl Gatherer {
    fn take(&mut self, piece: Piece, chunk: &[u8], scan: &Scan<'_>) {
        let piece = if piece.assumed.reads_like(&self.state) {
            piece
        } else {
            // Rare: the columns changed in an earlier chunk.
            let quiet = Wanted { progress: &|_| (), ..*scan.wanted };
            let scan = Scan { wanted: &quiet, ..*scan };
            read_chunk(chunk, self.state.clone(), &scan, &mut scan.names())
        };
        let lines_before = self.log.tally.line_ends;
        self.take_tally(piece.tally, lines_before);
        let Scanned { presence, addresses, namesakes, noise, .. } = piece.scanned;
        self.log.book.absorb(piece.book, lines_before);
        for (server, seen) in presence {
            self.log.presence.entry(server).or_default().extend(&seen);
        }
        let addresses = addresses.into_iter().map(|(address, n)| (decode(&address), n)).collect();
        for (into, from) in
            [(&mut self.log.addresses, addresses), (&mut self.log.namesakes, namesakes)]
        {
            let from: BTreeMap<String, u64> = from;
            from.into_iter().for_each(|(name, n)| *into.entry(name).or_default() += n);
        }
        self.log.noise += noise;
        let local = piece.next.fields_line > 0;
        let fields_line = match local {
            true => piece.next.fields_line + lines_before,
            false => self.state.fields_line,
        };
        self.state = State { fields_line, ..piece.next };
    }

    fn take_tally(&mut self, tally: Tally, lines_before: u64) {
        let sum = &mut self.log.tally;
        sum.lines += tally.lines;
        sum.requests += tally.requests;
        sum.directives += tally.directives;
        sum.blank += tally.blank;
        sum.rejected += tally.rejected;
        sum.repaired += tally.repaired;
        sum.nul_runs += tally.nul_runs;
        sum.line_ends += tally.line_ends;
        for (line, reason) in tally.rejects {
            if sum.rejects.len() < REJECTS_KEPT {
                let place = self.state.fields_line;
                sum.rejects.push((line + lines_before, in_file(reason, lines_before, place)));
            }
        }
        for (_, layout) in tally.layouts {
            let needed = [
                ("cs-username", Column::CsUsername),
                ("sc-status", Column::ScStatus),
                ("time-taken", Column::TimeTaken),
            ];
            for (name, column) in needed {
                if layout.place(column).is_none() && !self.log.missing.contains(&name) {
                    self.log.missing.push(name);
                }
            }
            let sees = |column| layout.place(column).is_some();
            self.sees |= sees(Column::CsUsername) && sees(Column::ScStatus);
            self.log.columns.clone_from(&layout.names);
        }
        if let Some((from, to)) = tally.span {
            let (a, b) = sum.span.unwrap_or((from, to));
            sum.span = Some((a.min(from), b.max(to)));
        }
        let first_entry = tally.ends.map(|(first, _)| first);
        if let (true, Some(after)) = (self.open_holes, first_entry) {
            sum.holes.push((self.last_entry, Some(after)));
            self.open_holes = false;
        }
        for (before, after) in tally.holes {
            let before = before.or(self.last_entry);
            match (before, after) {
                (Some(_), Some(_)) => sum.holes.push((before, after)),
                (_, None) => self.open_holes = true,
                (None, Some(_)) => sum.holes.push((None, after)),
            }
        }
        self.last_entry = tally.ends.map(|(_, last)| last).or(self.last_entry);
    }

    fn finish(self) -> Log {
        let mut log = self.log;
        log.is_blind = !self.sees;
        if self.open_holes {
            log.tally.holes.push((self.last_entry, None));
        }
        for presence in log.presence.values_mut() {
            for hole in &log.tally.holes {
                match *hole {
                    (Some(before), Some(after)) => _ = presence.holes.insert((before, after)),
                    (Some(before), None) => _ = presence.holes_after.insert(before),
                    (None, Some(after)) => _ = presence.holes_before.insert(after),
                    (None, None) => {}
                }
            }
        }
        log
    }
}

/// A reason with the line of `#Fields` as it stands in the file.
fn in_file(reason: Reason, lines_before: u64, inherited: u64) -> Reason {
    match reason {
        Reason::FieldCount { want, got, fields_line } => {
            let fields_line = if fields_line == 0 { inherited } else { fields_line + lines_before };
            Reason::FieldCount { want, got, fields_line }
        }
        other => other,
    }
}

/// What the lines of one chunk gave.
#[derive(Default)]
struct Scanned {
    desk: Desk,
    /// By host name; few, and mostly one.
    presence: Vec<(String, Presence)>,
    /// `s-ip`s; few.
    addresses: Vec<(Vec<u8>, u64)>,
    namesakes: BTreeMap<String, u64>,
    noise: u64,
    /// `s-computername` and second of the line before, so that neighbours cost nothing.
    server: Vec<u8>,
    second: Option<i64>,
    /// Index of that server's presence.
    host: usize,
    /// The last minute in which a probe was noted, and where.
    probe: Option<(usize, i64)>,
}

impl Scanned {
    /// Every data line of every log comes through here.
    #[inline(always)]
    fn line(&mut self, name: &[u8], line: &Line<'_>, scan: &Scan<'_>, names: &mut Names<'_>) {
        let server = line.value(Column::SComputername).unwrap_or_default();
        if self.second != Some(line.seconds)
            || (self.server.len(), server.len()) != (0, 0) && self.server != server
        {
            self.moved(server, line);
        }
        if matches!(name, b"-" | b"") {
            if may_be_nameless_refusal(line) {
                self.nameless(line, scan.wanted);
            }
            return;
        }
        match names.sort(name) {
            Sort::Stranger => sit(line, scan),
            Sort::Noise => self.noise(line),
            Sort::Watched => self.watched(name, line, scan, names),
        }
    }

    /// Another second, or another server: notes when, where and at which address. Once a second or so,
    /// so the sets are touched only when the minute or the address changes.
    #[inline(never)]
    fn moved(&mut self, server: &[u8], line: &Line<'_>) {
        if self.server != server || self.second.is_none() {
            self.server = server.to_vec();
            let host = logged_host_name(server);
            let hosts = &mut self.presence;
            self.host = hosts.iter().position(|(name, _)| *name == host).unwrap_or_else(|| {
                hosts.push((host, Presence::default()));
                hosts.len() - 1
            });
        }
        let minute = line.seconds.div_euclid(60);
        let is_new = self.second.is_none_or(|second| second.div_euclid(60) != minute);
        self.second = Some(line.seconds);
        let (_, presence) = &mut self.presence[self.host];
        presence.saw(line.seconds, is_new || presence.span.is_none());
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

    #[cold]
    fn noise(&mut self, line: &Line<'_>) {
        self.noise += 1;
        let minute = line.seconds.div_euclid(60);
        if self.probe != Some((self.host, minute)) {
            self.probe = Some((self.host, minute));
            self.presence[self.host].1.probes.insert(minute);
        }
    }

    #[cold]
    fn nameless(&mut self, line: &Line<'_>, wanted: &Wanted<'_>) {
        if wanted.watch.is_empty() || wanted.nameless_from.is_none_or(|from| line.time() < from) {
            return;
        }
        let seen = Seen::new(line);
        if seen.is_refusal() && is_within(line, wanted) {
            let access = seen.write(&self.server, &mut self.desk);
            self.desk.nameless.push(access);
        }
    }

    #[cold]
    fn watched(&mut self, name: &[u8], line: &Line<'_>, scan: &Scan<'_>, names: &mut Names<'_>) {
        let (ids, is_ambiguous) = match names.meant(name, line) {
            Meant::Nobody => return sit(line, scan),
            Meant::One(id) => (&[*id][..], false),
            Meant::Ambiguous(ids) => (ids.as_slice(), true),
            Meant::Namesake(_) => {
                if self.namesakes.len() < 1000 {
                    *self.namesakes.entry(decode(name)).or_default() += 1;
                }
                sit(line, scan);
                return;
            }
        };
        let seen = Seen::new(line);
        if !seen.counts() || !is_within(line, scan.wanted) {
            return;
        }
        let access = seen.write(&self.server, &mut self.desk);
        for &account in ids {
            self.desk.accesses.push(super::book::Access { account, is_ambiguous, ..access });
        }
    }
}

/// A stranger was served, so a refusal at that seat may be the stranger's.
#[inline(always)]
fn sit(line: &Line<'_>, scan: &Scan<'_>) {
    if line.seconds >= scan.seats_from && matches!(line.sc_status(), [b'2' | b'3', ..]) {
        let (c_ip, cs_user_agent) = line.address_and_agent();
        scan.seats.insert(seat(c_ip, cs_user_agent));
    }
}

fn is_within(line: &Line<'_>, wanted: &Wanted<'_>) -> bool {
    let time = line.time();
    wanted.from.is_none_or(|from| time >= from) && wanted.until.is_none_or(|until| time <= until)
}
