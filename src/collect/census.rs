//! A second look at a few stretches of the logs, for what concerns others: how many other users a recycle
//! hits, and whether strangers sat where a refusal without a name was met.

use super::access::Seen;
use super::log::host_name;
use super::watch::{Filter, decode};
use crate::input::{Body, Hash};
use crate::read::File;
use chrono::{DateTime, Utc};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use stillin_parsers::exchange;
use stillin_parsers::w3c::{self, Column, Line, State};

/// What to look for on one server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ask {
    /// Front-end pool.
    pub pool: &'static str,
    /// Only requests that ended then or later.
    pub from: DateTime<Utc>,
    /// Only requests that ended then or before.
    pub until: DateTime<Utc>,
    /// Only this client: `c-ip` and `cs(User-Agent)` as logged, and the device. A device counts where it has
    /// that address.
    pub client: Option<(String, String, String)>,
}

/// Names, in lower case, that were served where it was asked for: by server and ask.
pub type Answers = BTreeMap<(String, Ask), BTreeSet<String>>;

/// A log to look into, and what is asked of its server.
pub struct Look<'a> {
    /// The log.
    pub file: &'a mut File,
    /// Its server, where it has only one; else `s-computername` decides.
    pub server: Option<String>,
    /// What is asked, by server.
    pub asks: &'a BTreeMap<String, BTreeSet<Ask>>,
}

/// Reads the logs again, as far as anything is asked of them. What cannot be opened again is not counted.
pub fn census(looks: Vec<Look<'_>>) -> Answers {
    let answers: Vec<Answers> = looks.into_par_iter().map(look).collect();
    let mut all = Answers::new();
    for (ask, names) in answers.into_iter().flatten() {
        all.entry(ask).or_default().extend(names);
    }
    all
}

fn look(look: Look<'_>) -> Answers {
    let concerned = look.server.as_ref().is_none_or(|server| look.asks.contains_key(server));
    let opened = concerned.then(|| look.file.open(Hash::None));
    let Some(Ok(opened)) = opened else { return Answers::new() };
    let server = look.server.as_deref();
    let concerned =
        look.asks.iter().filter(|(name, _)| server.is_none_or(|server| server == *name));
    let indexes: Vec<Index<'_>> =
        concerned.map(|(server, asks)| Index::new(server, asks)).collect();
    let indexes = indexes.as_slice();
    match opened.body {
        Body::Mapped(map) => {
            let text: &[u8] = &map;
            let guess = w3c::scan(&opened.head, &State::default(), |_, _| ()).1;
            let parts: Vec<Answers> = w3c::chunks(text, 4 << 20)
                .into_par_iter()
                .map(|chunk| {
                    let start = chunk.as_ptr() as usize - text.as_ptr() as usize;
                    map.populate(start..start + chunk.len());
                    let answers = part(chunk, &guess, server, indexes);
                    map.release(start..start + chunk.len());
                    answers
                })
                .collect();
            let mut all = Answers::new();
            for (ask, names) in parts.into_iter().flatten() {
                all.entry(ask).or_default().extend(names);
            }
            all
        }
        Body::Stream(mut stream) => {
            let mut text = Vec::new();
            let mut all = Answers::new();
            let mut state = State::default();
            loop {
                let read = (&mut stream).take(4 << 20).read_to_end(&mut text);
                let is_done = matches!(read, Ok(0) | Err(_));
                let cut = if is_done {
                    text.len()
                } else {
                    memchr::memrchr(b'\n', &text).map_or(0, |at| at + 1)
                };
                let rest = text.split_off(cut);
                let mut answers = Answers::new();
                state = w3c::scan(&text, &state, |name, line| {
                    answer(name, line, server, indexes, &mut answers);
                })
                .1;
                for (ask, names) in answers {
                    all.entry(ask).or_default().extend(names);
                }
                text = rest;
                if is_done {
                    return all;
                }
            }
        }
    }
}

/// A chunk, if its first or last lines are in the time that is asked for: logs are in order but for seconds.
fn part(chunk: &[u8], guess: &State, server: Option<&str>, indexes: &[Index<'_>]) -> Answers {
    let mut answers = Answers::new();
    let edge = 32 << 10;
    let head = &chunk[..chunk.len().min(edge)];
    let tail = &chunk[chunk.len().saturating_sub(edge)..];
    let tail = memchr::memchr(b'\n', tail).map_or(tail, |at| &tail[at + 1..]);
    let span = |text: &[u8]| w3c::scan(text, guess, |_, _| ()).0.span;
    if let (Some((from, _)), Some((_, until))) = (span(head), span(tail)) {
        let slack = 60;
        let asks = |index: &'_ Index<'_>| {
            let of_clients = index.by_address.values().flatten();
            index.all.iter().chain(of_clients).any(|ask| {
                ask.from.timestamp() <= until + slack && from - slack <= ask.until.timestamp()
            })
        };
        let is_asked = indexes.iter().any(asks);
        if !is_asked {
            return answers;
        }
    }
    w3c::scan(chunk, guess, |name, line| answer(name, line, server, indexes, &mut answers));
    answers
}

/// What is asked of one server, ready to be held against every line.
struct Index<'a> {
    server: &'a str,
    /// Asks about everybody: the last minutes of a log.
    all: Vec<&'a Ask>,
    /// Asks about a client, by its `c-ip`.
    by_address: BTreeMap<&'a [u8], Vec<&'a Ask>>,
    /// Bits at the hashes of those addresses.
    filter: Filter,
}

impl<'a> Index<'a> {
    fn new(server: &'a str, asks: &'a BTreeSet<Ask>) -> Self {
        let mut by_address: BTreeMap<&[u8], Vec<&Ask>> = BTreeMap::new();
        let mut all = Vec::new();
        for ask in asks {
            match &ask.client {
                Some((c_ip, ..)) => by_address.entry(c_ip.as_bytes()).or_default().push(ask),
                None => all.push(ask),
            }
        }
        let mut filter = Filter::new(by_address.len());
        by_address.keys().for_each(|address| filter.set(hash(address)));
        Index { server, all, by_address, filter }
    }

    /// The asks that a line may answer. Nearly every line answers none, and is known to in a few nanoseconds.
    #[inline]
    fn asked(&self, line: &Line<'_>) -> Vec<&'a Ask> {
        let address = match self.by_address.is_empty() {
            true => b"",
            false => line.value(Column::CIp).unwrap_or_default(),
        };
        let of_client = match self.filter.get(hash(address)) {
            true => self.by_address.get(address).map(Vec::as_slice).unwrap_or_default(),
            false => &[],
        };
        let is_timely = |ask: &&&Ask| {
            ask.from.timestamp() <= line.seconds && line.seconds <= ask.until.timestamp()
        };
        self.all.iter().chain(of_client).filter(is_timely).copied().collect()
    }
}

fn hash(text: &[u8]) -> u64 {
    text.iter().fold(0, |hash: u64, &byte| {
        (hash.rotate_left(5) ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}

fn answer(
    name: &[u8],
    line: &Line<'_>,
    server: Option<&str>,
    indexes: &[Index<'_>],
    answers: &mut Answers,
) {
    if matches!(name, b"" | b"-") {
        return;
    }
    let logged;
    let server = match server {
        Some(server) => server,
        None => {
            logged = host_name(&decode(line.value(Column::SComputername).unwrap_or_default()));
            &logged
        }
    };
    let index = match indexes {
        [only] if only.server.len() == server.len() && only.server == server => only,
        several => match several.iter().find(|index| index.server == server) {
            Some(index) => index,
            None => return,
        },
    };
    let asked = index.asked(line);
    if !asked.is_empty() && exchange::noise(name, b"", b"", b"").is_none() {
        answer_all(name, line, server, &asked, answers);
    }
}

#[cold]
fn answer_all(name: &[u8], line: &Line<'_>, server: &str, asked: &[&Ask], answers: &mut Answers) {
    let text = |column| line.value(column).unwrap_or_default();
    let (stem, query) = (text(Column::CsUriStem), text(Column::CsUriQuery));
    let route = exchange::route(stem);
    let fits = |ask: &&&Ask| {
        ask.pool == route.pool
            && ask.client.as_ref().is_none_or(|(_, user_agent, device)| {
                let same_device = !device.is_empty()
                    && exchange::device_id(route.protocol, query)
                        .is_some_and(|id| decode(&id) == *device);
                same_device || decode(text(Column::CsUserAgent)) == *user_agent
            })
    };
    let fitting: Vec<&Ask> = asked.iter().filter(fits).copied().collect();
    if fitting.is_empty() || !Seen::new(line).is_served() {
        return;
    }
    let name = decode(name).to_lowercase();
    for ask in fitting {
        answers.entry((server.to_owned(), ask.clone())).or_default().insert(name.clone());
    }
}
