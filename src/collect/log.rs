//! One W3C log to what is kept of it.

use super::blocks::{self, Chunk};
use super::book::Book;
use super::chunk::{Host, Piece, Scan, Wanted, read_chunk};
use super::clients::SESSION;
use super::copies::FirstRequest;
use super::gather::{self, Gather, in_order, lock};
use super::hints::{Hint, Repeat};
use super::minutes::Presence;
use super::names::logged_host_name;
use super::proxy::MOST_TARGETS;
use super::seats::{Seats, Spare};
use super::tally::{Counted, Sum};
use super::watch::decode;
use crate::input::{Body, Hash, Opened, Stored};
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::lines::Header;
use stillin_parsers::vectors::Vectors;
use stillin_parsers::w3c::{self, Column, State};

/// How many times its packed size a log has, about.
const PACKED: u64 = 12;

/// One log, read.
#[derive(Debug, Default)]
pub struct Log {
    /// What became of its lines; rejects have their line in the file.
    pub tally: Counted,
    /// Column names of the last header.
    pub columns: Vec<String>,
    /// Every chunk of it reads as its first lines do: no header says otherwise, and entries tell their day themselves.
    pub is_uniform: bool,
    /// Columns that a verdict needs and some header lacks.
    pub missing: Vec<&'static str>,
    /// Time of the last entry that does not tell who was served, for want of a column; seconds since 1970.
    pub blind_until: Option<i64>,
    /// Whoever was served is not told by the columns of the last header.
    pub is_blind: bool,
    /// Requests of probes and machine accounts.
    pub noise: u64,
    /// Rows of watched accounts.
    pub book: Book,
    /// When it had entries that tell who was served, by `s-computername`; empty where the log has no such column.
    pub presence: BTreeMap<Host, Presence>,
    /// `s-ip`s with their number of lines, as far as changes of it were seen.
    pub addresses: BTreeMap<String, u64>,
    /// Names that may be a watched account's and cannot be tied to it, with their number of requests.
    pub namesakes: BTreeMap<String, u64>,
    /// Where strangers sat.
    pub seats: Seats,
    /// What hints at restarts.
    pub hints: Vec<Hint>,
    /// Headers that were written again.
    pub repeats: Vec<Repeat>,
    /// Other servers that requests of watched accounts went through, as logged.
    pub targets: BTreeSet<String>,
    /// What tells copies of one log.
    pub first_request: Option<FirstRequest>,
    /// Size, hash and damage of the source.
    pub stored: Option<Stored>,
    /// Names that were looked at more closely; only where the reading is to be kept.
    pub met: Met,
}

/// Names that were not passed over at once, be they a watched account's or not, each with the SID beside it.
#[derive(Debug, Default)]
pub struct Met {
    /// The names, decoded.
    pub names: BTreeSet<(String, Option<String>)>,
    /// There were more: what attackers typed must not fill the memory.
    pub is_cut: bool,
}

impl Met {
    /// Takes a name.
    pub fn take(&mut self, name: &[u8], sid: Option<&str>) {
        const MOST: usize = 5000;
        let met = (decode(name), sid.map(str::to_owned));
        if self.names.len() < MOST || self.names.contains(&met) {
            self.names.insert(met);
        } else {
            self.is_cut = true;
        }
    }

    /// Takes those of another piece.
    pub fn absorb(&mut self, other: Met) {
        self.is_cut |= other.is_cut;
        self.names.extend(other.names);
    }
}

/// Columns that a verdict needs.
pub const NEEDED: [(&str, Column); 3] = [
    ("cs-username", Column::CsUsername),
    ("sc-status", Column::ScStatus),
    ("time-taken", Column::TimeTaken),
];

/// Reads an opened W3C log to its end.
pub fn read(opened: Opened, hash: Hash, wanted: &Wanted<'_>) -> Log {
    let (guess, first_request) = first_look(&opened.head);
    let is_packed = matches!(opened.body, Body::Stream(_));
    let log_bytes = opened.stored_bytes.saturating_mul(if is_packed { PACKED } else { 1 });
    let spare = Spare::new(log_bytes);
    let seats_from = match wanted.nameless_from {
        Some(from) if !wanted.watch.is_empty() => (from - SESSION).timestamp(),
        _ => i64::MAX,
    };
    let scan = Scan { wanted, spare: &spare, seats_from, vectors: Vectors::best() };
    let is_uniform = guess.tells_the_day();
    let log = Log { is_uniform, seats: spare.take(), ..Log::default() };
    let (sum, state) = (Sum::default(), State::default());
    let mut gatherer = Gatherer { scan, guess: &guess, log, sum, state };
    let stored = gather::read(opened.body, hash, &mut gatherer, &guess);
    let Gatherer { mut log, sum, .. } = gatherer;
    let is_blind_to_the_end = log.is_blind;
    log.tally = sum.finish(log.presence.values_mut());
    if is_blind_to_the_end {
        log.blind_until = log.tally.span.map(|(_, to)| to);
    }
    Log { first_request, stored: Some(stored), ..log }
}

/// The columns that hold after the first lines, and the first request.
fn first_look(head: &[u8]) -> (State, Option<FirstRequest>) {
    let lines = blocks::whole_lines(head);
    let mut first = None;
    let (_, state) = w3c::scan(lines, &State::default(), |_, line| {
        first.get_or_insert((line.number, line.seconds));
    });
    (state, first.and_then(|(line, seconds)| FirstRequest::of(lines, line, seconds)))
}

/// Brings pieces together in the order of the file.
struct Gatherer<'a> {
    scan: Scan<'a>,
    /// What holds after the first lines.
    guess: &'a State,
    log: Log,
    sum: Sum,
    /// The columns that the next piece begins with.
    state: State,
}

impl Gather for Gatherer<'_> {
    type State = State;

    fn state(&self) -> State {
        self.state.clone()
    }

    fn take_all(&mut self, chunks: &[Chunk<'_>], guesses: Vec<State>) {
        let scan = self.scan;
        in_order(
            chunks.len(),
            || scan.bench(),
            |n, bench| read_chunk(&chunks[n], guesses[n].clone(), &scan, bench),
            |n, piece| self.take(piece, &chunks[n]),
        );
    }
}

impl Gatherer<'_> {
    /// Takes the next piece, and reads it again if it was read with other columns than it has.
    fn take(&mut self, piece: Piece, chunk: &Chunk<'_>) {
        let is_assumed_right = piece.assumed.reads_like(&self.state);
        let mut piece = if is_assumed_right && !lock(&piece.numbers).is_spoilt {
            piece
        } else {
            // Rare: the columns changed in an earlier chunk.
            lock(&piece.numbers).is_spoilt = true;
            // As it would have been read: whether a desk is spoilt is chance.
            let state = if is_assumed_right { &piece.assumed } else { &self.state };
            self.scan.spare.give_back(piece.scanned.seats);
            let quiet = Wanted { progress: &|_| (), ..*self.scan.wanted };
            let scan = Scan { wanted: &quiet, ..self.scan };
            read_chunk(chunk, state.clone(), &scan, &mut scan.bench())
        };
        let lines_before = self.sum.line_ends();
        let sheet = std::mem::take(&mut piece.sheet);
        self.log.book.copy_in(sheet, &mut lock(&piece.numbers), lines_before);
        if let Some((first, _)) = piece.tally.ends {
            let repeats = self.log.repeats.iter_mut().rev();
            repeats.take_while(|repeat| repeat.between.1.is_none()).for_each(|repeat| {
                repeat.between.1 = Some(first);
            });
        }
        let mut before = self.state.layout.clone();
        for Header { line, layout, between } in self.sum.take(piece.tally, self.state.fields_line) {
            if self.log.is_blind {
                self.log.blind_until = self.log.blind_until.max(between.0);
            }
            self.header(&layout);
            self.log.is_uniform &= self.guess.layout.as_ref() == Some(&layout);
            if before.as_ref() == Some(&layout) && !layout.is_httperr() {
                self.log.repeats.push(Repeat { line, between });
            }
            before = Some(layout);
        }
        let mut scanned = piece.scanned;
        self.log.seats.absorb(&scanned.seats);
        self.scan.spare.give_back(std::mem::take(&mut scanned.seats));
        for (host, seen) in scanned.take_presence() {
            self.log.presence.entry(host).or_default().extend(&seen);
        }
        let hints = scanned.hints.into_iter();
        self.log.hints.extend(hints.map(|hint| Hint { line: hint.line + lines_before, ..hint }));
        let room = MOST_TARGETS.saturating_sub(self.log.targets.len());
        let targets = scanned.targets.iter().map(|name| logged_host_name(name));
        self.log.targets.extend(targets.take(room));
        let addresses = scanned.addresses.into_iter().map(|(address, n)| (decode(&address), n));
        for (into, from) in [
            (&mut self.log.addresses, addresses.collect()),
            (&mut self.log.namesakes, scanned.namesakes),
        ] {
            let from: BTreeMap<String, u64> = from;
            from.into_iter().for_each(|(name, n)| *into.entry(name).or_default() += n);
        }
        self.log.noise += scanned.noise;
        self.log.met.absorb(scanned.met);
        let fields_line = match piece.next.fields_line {
            0 => self.state.fields_line,
            own => own + lines_before,
        };
        self.state = State { fields_line, ..piece.next };
    }

    fn header(&mut self, layout: &w3c::Layout) {
        for (name, column) in NEEDED {
            if layout.place(column).is_none() && !self.log.missing.contains(&name) {
                self.log.missing.push(name);
            }
        }
        let tells = |column| layout.place(column).is_some();
        let is_told = tells(Column::CsUsername) && tells(Column::ScStatus);
        self.log.is_blind = !is_told && !layout.is_httperr();
        self.log.columns.clone_from(&layout.names);
    }
}
