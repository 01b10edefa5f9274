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
use stillin_parsers::exchange;
use stillin_parsers::w3c::{self, Column, Line, State};

/// What to look for on one server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ask {
    /// Server.
    pub server: String,
    /// Front-end pool.
    pub pool: &'static str,
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
            look.server.is_none_or(|server| server == ask.server) && overlaps(ask, look.span)
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
    let read = |text: &[u8], state: &State, answers: &mut Answers| {
        let mut known = vec![HashSet::new(); asks.len()];
        w3c::scan(text, state, |name, line| {
            answer(name, line, look.server, asks, &mut known, answers);
        })
        .1
    };
    match opened.body {
        Body::Mapped(map) => {
            let text: &[u8] = &map;
            let guess = w3c::scan(&opened.head, &State::default(), |_, _| ()).1;
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
            let mut state = State::default();
            loop {
                let took = (&mut stream).take(CHUNK as u64).read_to_end(&mut text);
                let is_done = matches!(took, Ok(0) | Err(_));
                let cut = match memchr::memrchr(b'\n', &text) {
                    _ if is_done => text.len(),
                    at => at.map_or(0, |at| at + 1),
                };
                let rest = text.split_off(cut);
                state = read(&text, &state, &mut answers);
                text = rest;
                if is_done {
                    return answers;
                }
            }
        }
    }
}

/// Whether the first or last lines of a chunk leave room for what is asked.
fn is_timely(chunk: &[u8], guess: &State, asks: &[&Ask]) -> bool {
    const EDGE: usize = 8 << 10;
    let head = &chunk[..chunk.len().min(EDGE)];
    let tail = &chunk[chunk.len().saturating_sub(EDGE)..];
    let tail = memchr::memchr(b'\n', tail).map_or(tail, |at| &tail[at + 1..]);
    let span = |text: &[u8]| w3c::scan(text, guess, |_, _| ()).0.span;
    match (span(head), span(tail)) {
        (Some((from, _)), Some((_, until))) => asks.iter().any(|ask| overlaps(ask, (from, until))),
        _ => true,
    }
}

/// `known` holds for each ask the names as logged that need no second look.
fn answer(
    name: &[u8],
    line: &Line<'_>,
    server: Option<&str>,
    asks: &[&Ask],
    known: &mut [HashSet<Vec<u8>>],
    answers: &mut Answers,
) {
    if matches!(name, b"" | b"-") {
        return;
    }
    let is_in_time =
        |ask: &Ask| ask.from.timestamp() <= line.seconds && line.seconds <= ask.until.timestamp();
    let mut route = None;
    let stem = || line.value(Column::CsUriStem).unwrap_or_default();
    let logged = || logged_host_name(line.value(Column::SComputername).unwrap_or_default());
    for (ask, known) in asks.iter().zip(known) {
        if !is_in_time(ask) || known.contains(name) {
            continue;
        }
        let route = *route.get_or_insert_with(|| exchange::route(stem()));
        let is_there = ask.pool == route.pool
            && server.map_or_else(|| ask.server == logged(), |server| ask.server == server);
        if is_there
            && exchange::noise(name, b"", b"", b"").is_none()
            && Seen::new(line, route).is_served()
        {
            known.insert(name.to_vec());
            answers.entry((*ask).clone()).or_default().insert(decode(name).to_lowercase());
        }
    }
}
