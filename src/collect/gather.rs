//! The pieces of a log to the log, in the order of the file.

use super::blocks::Chunk;
use super::book::Book;
use super::chunk::{Host, Piece, Scan, Scanned, Wanted, read_chunk};
use super::copies::FirstRequest;
use super::minutes::Presence;
use super::seats::Seats;
use super::watch::decode;
use crate::input::Stored;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use stillin_parsers::event::Reason;
use stillin_parsers::w3c::scan::REJECTS_KEPT;
use stillin_parsers::w3c::{Column, State, Tally};

/// One log, read.
#[derive(Debug, Default)]
pub struct Log {
    /// What became of its lines; rejects have their line in the file.
    pub tally: Tally,
    /// Column names of the last `#Fields`.
    pub columns: Vec<String>,
    /// Columns that a verdict needs and some `#Fields` lacks.
    pub missing: Vec<&'static str>,
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
    /// What tells copies of one log.
    pub first_request: Option<FirstRequest>,
    /// Size, hash and damage of the source.
    pub stored: Option<Stored>,
}

/// Brings pieces together in the order of the file.
#[derive(Default)]
pub struct Gatherer {
    log: Log,
    /// The columns that the next piece begins with.
    pub state: State,
    /// A NUL run at the end of a chunk is a hole until the next entry.
    open_holes: bool,
    last_entry: Option<i64>,
}

impl Gatherer {
    /// Reads chunks at the same time, each with the columns it is guessed to begin with, and takes them in order.
    pub fn take_all(&mut self, chunks: &[Chunk<'_>], guesses: Vec<State>, scan: &Scan<'_>) {
        let benches = Mutex::new(Vec::new());
        let read = |chunk: &Chunk<'_>, guess: State| {
            // What a thread keeps costs more to make than to hand on.
            let mut bench = lock(&benches).pop().unwrap_or_else(|| scan.bench());
            let piece = read_chunk(chunk, guess, scan, &mut bench);
            lock(&benches).push(bench);
            piece
        };
        // Pieces wait here for those before them; whoever brings the next one takes what can be taken.
        let waiting = Mutex::new((self, 0, BTreeMap::new()));
        chunks.par_iter().zip(guesses).enumerate().for_each(|(n, (chunk, guess))| {
            let piece = read(chunk, guess);
            let (gatherer, next, pieces) = &mut *lock(&waiting);
            pieces.insert(n, piece);
            while let Some(piece) = pieces.remove(next) {
                gatherer.take(piece, &chunks[*next], scan);
                *next += 1;
            }
        });
    }

    /// Takes the next piece, and reads it again if it was read with other columns than it has.
    fn take(&mut self, piece: Piece, chunk: &Chunk<'_>, scan: &Scan<'_>) {
        let piece = if piece.assumed.reads_like(&self.state) {
            piece
        } else {
            // Rare: the columns changed in an earlier chunk.
            let quiet = Wanted { progress: &|_| (), ..*scan.wanted };
            let scan = Scan { wanted: &quiet, ..*scan };
            read_chunk(chunk, self.state.clone(), &scan, &mut scan.bench())
        };
        let lines_before = self.log.tally.line_ends;
        self.take_tally(piece.tally, lines_before);
        let mut scanned = piece.scanned;
        for (host, seen) in scanned.take_presence() {
            self.log.presence.entry(host).or_default().extend(&seen);
        }
        let Scanned { addresses, namesakes, noise, .. } = scanned;
        self.log.book.absorb(piece.book, lines_before);
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

    /// The log, when all pieces are in.
    pub fn finish(self) -> Log {
        let mut log = self.log;
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
