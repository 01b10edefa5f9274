//! A second look at the last minutes of a few logs: how many other users a recycle would hit.

use super::again::{self, Entry, Look};
use super::watch::decode;
use crate::readings::Slot;
use chrono::{DateTime, Utc};
use hashbrown::HashSet;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::exchange;
use stillin_parsers::kind::Kind;

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
        if asks.is_empty() {
            return Answers::new();
        }
        let question = || format!("{asks:?}").into_bytes();
        let names: Vec<BTreeSet<String>> = look.remembered(Slot::Census, question, || {
            let mut answers = look_into(&look, &asks);
            asks.iter().map(|ask| answers.remove(*ask).unwrap_or_default()).collect()
        });
        let answers = asks.into_iter().cloned().zip(names);
        answers.filter(|(_, names)| !names.is_empty()).collect()
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

/// What one chunk gave.
#[derive(Default)]
struct Counted {
    /// For each ask the names as logged that need no second look.
    known: Vec<HashSet<Vec<u8>>>,
    answers: Answers,
}

fn look_into(look: &Look<'_>, asks: &[&Ask]) -> Answers {
    let is_timely = |span| asks.iter().any(|ask| overlaps(ask, span));
    let each = |entry: Entry<'_>, counted: &mut Counted| {
        counted.known.resize_with(asks.len(), HashSet::new);
        answer(entry, look.server, asks, counted);
    };
    let both = |all: Counted, more: Counted| Counted {
        known: Vec::new(),
        answers: together(all.answers, more.answers),
    };
    again::look(look, &is_timely, &each, &both).answers
}

fn answer(entry: Entry<'_>, server: Option<&str>, asks: &[&Ask], counted: &mut Counted) {
    let (name, seconds) = (entry.name(), entry.seconds());
    if matches!(name, b"" | b"-") {
        return;
    }
    let is_in_time =
        |ask: &Ask| ask.from.timestamp() <= seconds && seconds <= ask.until.timestamp();
    let mut route = None;
    for (ask, known) in asks.iter().zip(&mut counted.known) {
        if !is_in_time(ask) || known.contains(name) {
            continue;
        }
        let route = *route.get_or_insert_with(|| entry.route());
        let is_there = ask.pool == route.pool
            && server.map_or_else(|| ask.server == entry.server(), |server| ask.server == server);
        if is_there && exchange::noise(name, b"", b"", b"").is_none() && entry.is_served(route) {
            known.insert(name.to_vec());
            counted.answers.entry((*ask).clone()).or_default().insert(decode(name).to_lowercase());
        }
    }
}
