//! A second look at the last minutes of a few logs: how many other users a recycle would hit.

use super::access::Seen;
use super::names::logged_host_name;
use super::watch::decode;
use crate::input::{Body, Hash};
use crate::read::File;
use chrono::{DateTime, Utc};
use hashbrown::HashSet;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use stillin_parsers::exchange::{self, Outcome, Route, proxied};
use stillin_parsers::exchange_log::{self, Row};
use stillin_parsers::kind::Kind;
use stillin_parsers::w3c::{self, Line};

/// What to look for on one server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ask {
    /// Server.
    pub server: String,
    /// Front-end pool.
    pub pool: &'static str,
    /// Which kind of log to ask.
    pub kind: Kind,
    /// Only requests that ended then or later.
    pub from: DateTime<Utc>,
    /// Only requests that ended then or before.
    pub until: DateTime<Utc>,
}

/// Names, in lower case, that were served there.
pub type Answers = BTreeMap<Ask, BTreeSet<String>>;

/// A log to look into.
pub struct Look<'a> {
    /// The log.
    pub file: &'a File,
    /// Its server, where it has only one; else `s-computername` decides.
    pub server: Option<&'a str>,
    /// Its first and last entry, seconds since 1970.
    pub span: (i64, i64),
}

/// Bytes read as one task.
const CHUNK: usize = 4 << 20;
/// Logs are in order of time but for seconds.
const DISORDER: i64 = 60;

/// Reads the logs again, as far as anything is asked of them. What cannot be opened again is not counted.
pub fn census(looks: Vec<Look<'_>>, asks: &BTreeSet<Ask>) -> Answers {
    let answers = looks.into_par_iter().map(|look| {
        let is_asked = |ask: &&Ask| {
            look.file.kind == ask.kind
                && look.server.is_none_or(|server| server == ask.server)
                && overlaps(ask, look.span)
        };
        let asks: Vec<&Ask> = asks.iter().filter(is_asked).collect();
        if asks.is_empty() { Answers::new() } else { look_into(&look, &asks) }
    });
    answers.reduce(Answers::new, together)
}

fn together(mut all: Answers, more: Answers) -> Answers {
    for (ask, names) in more {
        all.entry(ask).or_default().extend(names);
    }
    all
}

fn overlaps(ask: &Ask, (from, until): (i64, i64)) -> bool {
    ask.from.timestamp() <= until + DISORDER && from - DISORDER <= ask.until.timestamp()
}

fn look_into(look: &Look<'_>, asks: &[&Ask]) -> Answers {
    let Ok(opened) = look.file.open(Hash::None) else { return Answers::new() };
    let start = Columns::of(look.file.kind);
    let read = |text: &[u8], columns: &Columns, answers: &mut Answers| {
        let mut known = vec![HashSet::new(); asks.len()];
        columns.scan(text, |entry| answer(entry, look.server, asks, &mut known, answers)).1
    };
    match opened.body {
        Body::Mapped(map) => {
            let text: &[u8] = &map;
            let guess = start.scan(&opened.head, |_| ()).1;
            let chunk = |chunk: &[u8]| {
                let mut answers = Answers::new();
                if is_timely(chunk, &guess, asks) {
                    read(chunk, &guess, &mut answers);
                    // To give pages back interrupts every core: only for what was read whole.
                    let start = chunk.as_ptr() as usize - text.as_ptr() as usize;
                    map.release(start..start + chunk.len());
                }
                answers
            };
            let chunks = w3c::chunks(text, CHUNK).into_par_iter();
            chunks.map(chunk).reduce(Answers::new, together)
        }
        Body::Stream(mut stream) => {
            let (mut answers, mut text) = (Answers::new(), Vec::new());
            let mut columns = start;
            loop {
                let took = (&mut stream).take(CHUNK as u64).read_to_end(&mut text);
                let is_done = matches!(took, Ok(0) | Err(_));
                let cut = match memchr::memrchr(b'\n', &text) {
                    _ if is_done => text.len(),
                    at => at.map_or(0, |at| at + 1),
                };
                let rest = text.split_off(cut);
                columns = read(&text, &columns, &mut answers);
                text = rest;
                if is_done {
                    return answers;
                }
            }
        }
    }
}

/// Whether the first or last lines of a chunk leave room for what is asked.
fn is_timely(chunk: &[u8], guess: &Columns, asks: &[&Ask]) -> bool {
    const EDGE: usize = 8 << 10;
    let head = &chunk[..chunk.len().min(EDGE)];
    let tail = &chunk[chunk.len().saturating_sub(EDGE)..];
    let tail = memchr::memchr(b'\n', tail).map_or(tail, |at| &tail[at + 1..]);
    let span = |text: &[u8]| guess.scan(text, |_| ()).0;
    match (span(head), span(tail)) {
        (Some((from, _)), Some((_, until))) => asks.iter().any(|ask| overlaps(ask, (from, until))),
        _ => true,
    }
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

    /// Calls `each` with every entry; first and last of them, and the columns that the text leaves to the next.
    fn scan(&self, text: &[u8], mut each: impl FnMut(Entry<'_>)) -> (Option<(i64, i64)>, Columns) {
        match self {
            Columns::Web(state) => {
                let (tally, next) = w3c::scan(text, state, |_, line| each(Entry::Web(line)));
                (tally.span, Columns::Web(next))
            }
            Columns::Proxy(state) => {
                let (tally, next) = exchange_log::scan(text, state, |row| each(Entry::Proxy(row)));
                (tally.span, Columns::Proxy(next))
            }
        }
    }
}

/// An entry of a log of either kind.
#[derive(Clone, Copy)]
enum Entry<'a> {
    Web(&'a Line<'a>),
    Proxy(&'a Row<'a>),
}

impl<'a> Entry<'a> {
    fn name(self) -> &'a [u8] {
        match self {
            Entry::Web(line) => line.value(w3c::Column::CsUsername).unwrap_or_default(),
            Entry::Proxy(row) => proxied::user(row).unwrap_or_default(),
        }
    }

    fn seconds(self) -> i64 {
        match self {
            Entry::Web(line) => line.seconds,
            Entry::Proxy(row) => row.seconds,
        }
    }

    fn server(self) -> String {
        logged_host_name(match self {
            Entry::Web(line) => line.value(w3c::Column::SComputername).unwrap_or_default(),
            Entry::Proxy(row) => row.text(exchange_log::Column::ServerHostName),
        })
    }

    fn route(self) -> Route {
        match self {
            Entry::Web(line) => {
                exchange::route(line.value(w3c::Column::CsUriStem).unwrap_or_default())
            }
            Entry::Proxy(row) => proxied::route(row),
        }
    }

    fn is_served(self, route: Route) -> bool {
        match self {
            Entry::Web(line) => Seen::new(line, route).is_served(),
            Entry::Proxy(row) => proxied::outcome(row) == Outcome::Served,
        }
    }
}

/// `known` holds for each ask the names as logged that need no second look.
fn answer(
    entry: Entry<'_>,
    server: Option<&str>,
    asks: &[&Ask],
    known: &mut [HashSet<Vec<u8>>],
    answers: &mut Answers,
) {
    let (name, seconds) = (entry.name(), entry.seconds());
    if matches!(name, b"" | b"-") {
        return;
    }
    let is_in_time =
        |ask: &Ask| ask.from.timestamp() <= seconds && seconds <= ask.until.timestamp();
    let mut route = None;
    for (ask, known) in asks.iter().zip(known) {
        if !is_in_time(ask) || known.contains(name) {
            continue;
        }
        let route = *route.get_or_insert_with(|| entry.route());
        let is_there = ask.pool == route.pool
            && server.map_or_else(|| ask.server == entry.server(), |server| ask.server == server);
        if is_there && exchange::noise(name, b"", b"", b"").is_none() && entry.is_served(route) {
            known.insert(name.to_vec());
            answers.entry((*ask).clone()).or_default().insert(decode(name).to_lowercase());
        }
    }
}
