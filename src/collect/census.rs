//! A second look at a few stretches of the logs, for what concerns others: how many other users a recycle
//! hits, and whether strangers sat where a refusal without a name was met.

use super::access::Seen;
use super::log::host_name;
use super::watch::decode;
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
    /// Only this client: `c-ip` and `cs(User-Agent)` as logged, and the device.
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
    let is_pipe = look.file.is_pipe();
    let opened = (concerned && !is_pipe).then(|| look.file.open(Hash::None));
    let Some(Ok(opened)) = opened else { return Answers::new() };
    let (server, asks) = (look.server.as_deref(), look.asks);
    match opened.body {
        Body::Mapped(map) => {
            let text: &[u8] = &map;
            let guess = w3c::scan(&opened.head, &State::default(), |_, _| ()).1;
            let parts: Vec<Answers> = w3c::chunks(text, 4 << 20)
                .into_par_iter()
                .map(|chunk| part(chunk, &guess, server, asks))
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
                    answer(name, line, server, asks, &mut answers)
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
fn part(
    chunk: &[u8],
    guess: &State,
    server: Option<&str>,
    asks: &BTreeMap<String, BTreeSet<Ask>>,
) -> Answers {
    let mut answers = Answers::new();
    let edge = 32 << 10;
    let head = &chunk[..chunk.len().min(edge)];
    let tail = &chunk[chunk.len().saturating_sub(edge)..];
    let tail = memchr::memchr(b'\n', tail).map_or(tail, |at| &tail[at + 1..]);
    let span = |text: &[u8]| w3c::scan(text, guess, |_, _| ()).0.span;
    if let (Some((from, _)), Some((_, until))) = (span(head), span(tail)) {
        let slack = 60;
        let of_server = asks.iter().filter(|(name, _)| server.is_none_or(|server| server == *name));
        let is_asked = of_server.flat_map(|(_, asks)| asks).any(|ask| {
            ask.from.timestamp() <= until + slack && from - slack <= ask.until.timestamp()
        });
        if !is_asked {
            return answers;
        }
    }
    w3c::scan(chunk, guess, |name, line| answer(name, line, server, asks, &mut answers));
    answers
}

fn answer(
    name: &[u8],
    line: &Line<'_>,
    server: Option<&str>,
    asks: &BTreeMap<String, BTreeSet<Ask>>,
    answers: &mut Answers,
) {
    if matches!(name, b"" | b"-") || exchange::noise(name, b"", b"", b"").is_some() {
        return;
    }
    let logged = || host_name(&decode(line.value(Column::SComputername).unwrap_or_default()));
    let own;
    let server = match server {
        Some(server) => server,
        None => {
            own = logged();
            &own
        }
    };
    let Some(asks) = asks.get(server) else { return };
    let time = line.time();
    let timely: Vec<&Ask> =
        asks.iter().filter(|ask| ask.from <= time && time <= ask.until).collect();
    if timely.is_empty() {
        return;
    }
    let text = |column| line.value(column).unwrap_or_default();
    let (stem, query) = (text(Column::CsUriStem), text(Column::CsUriQuery));
    let route = exchange::route(stem);
    let fits = |ask: &&&Ask| {
        ask.pool == route.pool
            && ask.client.as_ref().is_none_or(|(c_ip, user_agent, device)| {
                let same_device = !device.is_empty()
                    && exchange::device_id(route.protocol, query)
                        .is_some_and(|id| decode(&id) == *device);
                let same_seat = c_ip.as_bytes() == text(Column::CIp)
                    && decode(text(Column::CsUserAgent)) == *user_agent;
                same_device || same_seat
            })
    };
    let fitting: Vec<&Ask> = timely.iter().filter(fits).copied().collect();
    if fitting.is_empty() || !Seen::new(line).is_served() {
        return;
    }
    let name = decode(name).to_lowercase();
    for ask in fitting {
        answers.entry((server.to_owned(), ask.clone())).or_default().insert(name.clone());
    }
}
