//! A second look at a log that was read before: its entries, as far as they are of a time that matters.

use super::access::Seen;
use super::blocks::{self, Chunk, EDGE, Room};
use super::names::logged_host_name;
use super::rows;
use crate::input::{Body, Hash, Map};
use crate::read::File;
use crate::readings::pack::Pack;
use crate::readings::{Readings, Slot};
use rayon::prelude::*;
use std::io::Read;
use std::ops::Range;
use stillin_parsers::exchange::{self, Outcome, Route, proxied};
use stillin_parsers::exchange_log::{self, Row};
use stillin_parsers::kind::Kind;
use stillin_parsers::lines::DISORDER;
use stillin_parsers::w3c::{self, Line};

/// A log to look into.
pub struct Look<'a> {
    /// The log.
    pub file: &'a File,
    /// Its server, where it has only one; else `s-computername` decides.
    pub server: Option<&'a str>,
    /// Its first and last entry, seconds since 1970.
    pub span: (i64, i64),
    /// Every chunk of it reads as its first lines do.
    pub is_uniform: bool,
    /// Its entries are in order of time, but for [`DISORDER`].
    pub is_ordered: bool,
    /// What earlier looks found, and which source it is there.
    pub readings: Option<(&'a Readings, usize)>,
}

impl Look<'_> {
    /// What a look finds, or found when it was for the same.
    pub fn remembered<T: Pack>(
        &self,
        slot: Slot,
        question: impl FnOnce() -> Vec<u8>,
        look: impl FnOnce() -> T,
    ) -> T {
        match self.readings {
            Some((known, index)) => known.recall(index, slot, &question(), |_| true, look),
            None => look(),
        }
    }
}

/// Bytes read as one task.
const CHUNK: usize = 4 << 20;

/// A chunk of which to read all takes no longer than to ask when it is.
const SMALL: usize = 1 << 20;

/// Gives `each` the entries of a log but for chunks whose first and last entry leave no room for what
/// `is_timely` asks for; what chunks gave is brought `together`. What cannot be opened again gives nothing.
pub fn look<T: Default + Send>(
    look: &Look<'_>,
    is_timely: &(dyn Fn((i64, i64)) -> bool + Sync),
    each: &(dyn Fn(Entry<'_>, &mut T) + Sync),
    together: &(dyn Fn(T, T) -> T + Sync),
) -> T {
    let Ok(opened) = look.file.open(Hash::None) else { return T::default() };
    let start = Columns::of(look.file.kind);
    let read = |chunk: &Chunk<'_>, columns: &Columns, room: &mut Room, given: &mut T| {
        columns.scan(chunk, room, |entry| each(entry, given)).1
    };
    match opened.body {
        Body::Mapped(map) => {
            if !look.is_uniform {
                // Only who reads all of it knows where it changes.
                let (mut given, mut room, mut columns) = (T::default(), Room::default(), start);
                for chunk in blocks::cut(&map, |_| CHUNK) {
                    columns = read(&Chunk::Mapped(&map, chunk), &columns, &mut room, &mut given);
                }
                return given;
            }
            let head = Chunk::Text(blocks::whole_lines(&opened.head));
            let guess = start.scan(&head, &mut Room::default(), |_| ()).1;
            let may_be_timely = |chunk: &Range<usize>| {
                chunk.len() <= SMALL
                    || !look.is_ordered
                    || edges(&map, chunk, &guess)
                        .is_none_or(|(from, to)| is_timely((from - DISORDER, to + DISORDER)))
            };
            let look_into = |room: &mut Room, chunk: Range<usize>| {
                let mut given = T::default();
                if may_be_timely(&chunk) {
                    let columns = if chunk.start == 0 { &start } else { &guess };
                    read(&Chunk::Mapped(&map, chunk), columns, room, &mut given);
                }
                given
            };
            let chunks = blocks::cut(&map, |_| CHUNK).into_par_iter();
            chunks.map_init(Room::default, look_into).reduce(T::default, together)
        }
        Body::Stream(mut stream) => {
            let (mut given, mut text) = (T::default(), Vec::new());
            let mut room = Room::default();
            let mut columns = start;
            loop {
                let took = (&mut stream).take(CHUNK as u64).read_to_end(&mut text);
                let is_done = matches!(took, Ok(0) | Err(_));
                let cut = match memchr::memrchr(b'\n', &text) {
                    _ if is_done => text.len(),
                    at => at.map_or(0, |at| at + 1),
                };
                let rest = text.split_off(cut);
                columns = read(&Chunk::Text(&text), &columns, &mut room, &mut given);
                text = rest;
                if is_done {
                    return given;
                }
            }
        }
    }
}

/// The times of the first and the last lines of a chunk.
fn edges(map: &Map, chunk: &Range<usize>, guess: &Columns) -> Option<(i64, i64)> {
    let mut room = [[0; EDGE]; 2];
    let [head, tail] = blocks::edges(map, chunk, &mut room);
    let tail = memchr::memchr(b'\n', tail).map_or(tail, |at| &tail[at + 1..]);
    let span = |text| guess.scan(&Chunk::Text(text), &mut Room::default(), |_| ()).0;
    Some((span(head)?.0, span(tail)?.1))
}

/// The columns of a log of either kind.
enum Columns {
    Web(w3c::State),
    Proxy(exchange_log::State),
}

impl Columns {
    fn of(kind: Kind) -> Columns {
        match kind {
            Kind::HttpProxy => Columns::Proxy(exchange_log::State::default()),
            _ => Columns::Web(w3c::State::default()),
        }
    }

    /// Calls `each` with every entry; first and last of them, and the columns that the chunk leaves to the next.
    fn scan(
        &self,
        chunk: &Chunk<'_>,
        room: &mut Room,
        mut each: impl FnMut(Entry<'_>),
    ) -> (Option<(i64, i64)>, Columns) {
        match self {
            Columns::Web(state) => {
                let mut scanner = w3c::Scanner::new(state);
                chunk.each_block(room, |block, is_last| {
                    scanner.read(block, is_last, &mut |_: &[u8], line: &Line<'_>| {
                        each(Entry::Web(line))
                    })
                });
                let (tally, next) = scanner.finish();
                (tally.span, Columns::Web(next))
            }
            Columns::Proxy(state) => {
                let (tally, next) = rows::scan(chunk, state, room, |row| each(Entry::Proxy(row)));
                (tally.span, Columns::Proxy(next))
            }
        }
    }
}

/// An entry of a log of either kind.
#[derive(Clone, Copy)]
pub enum Entry<'a> {
    /// A line of W3C.
    Web(&'a Line<'a>),
    /// A row of HttpProxy.
    Proxy(&'a Row<'a>),
}

impl<'a> Entry<'a> {
    /// The name, empty where there is none.
    pub fn name(self) -> &'a [u8] {
        match self {
            Entry::Web(line) => line.value(w3c::Column::CsUsername).unwrap_or_default(),
            Entry::Proxy(row) => proxied::user(row).unwrap_or_default(),
        }
    }

    /// When it ended, seconds since 1970.
    pub fn seconds(self) -> i64 {
        match self {
            Entry::Web(line) => line.seconds,
            Entry::Proxy(row) => row.seconds,
        }
    }

    /// The server that it names itself.
    pub fn server(self) -> String {
        logged_host_name(match self {
            Entry::Web(line) => line.value(w3c::Column::SComputername).unwrap_or_default(),
            Entry::Proxy(row) => row.text(exchange_log::Column::ServerHostName),
        })
    }

    /// Where it leads.
    pub fn route(self) -> Route {
        match self {
            Entry::Web(line) => {
                exchange::route(line.value(w3c::Column::CsUriStem).unwrap_or_default())
            }
            Entry::Proxy(row) => proxied::route(row),
        }
    }

    /// Whether it was served.
    pub fn is_served(self, route: Route) -> bool {
        match self {
            Entry::Web(line) => Seen::new(line, route).is_served(),
            Entry::Proxy(row) => proxied::outcome(row) == Outcome::Served,
        }
    }
}
