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
        let names = look.remembered(Slot::Census, question, || look_into(&look, &asks));
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
    ask.from.timestamp() <= until && from <= ask.until.timestamp()
}

/// For each ask the names as logged.
type Names = Vec<HashSet<Vec<u8>>>;

fn look_into(look: &Look<'_>, asks: &[&Ask]) -> Vec<BTreeSet<String>> {
    let is_timely = |span| asks.iter().any(|ask| overlaps(ask, span));
    let each = |entry: Entry<'_>, names: &mut Names| {
        names.resize_with(asks.len(), HashSet::new);
        take(entry, look.server, asks, names);
    };
    let both = |mut all: Names, mut more: Names| {
        if all.len() < more.len() {
            std::mem::swap(&mut all, &mut more);
        }
        all.iter_mut().zip(more).for_each(|(all, more)| all.extend(more));
        all
    };
    let names = again::look(look, &is_timely, &each, &both);
    let lower =
        |names: &HashSet<Vec<u8>>| names.iter().map(|name| decode(name).to_lowercase()).collect();
    let mut names: Vec<BTreeSet<String>> = names.par_iter().map(lower).collect();
    names.resize_with(asks.len(), BTreeSet::new);
    names
}

fn take(entry: Entry<'_>, server: Option<&str>, asks: &[&Ask], names: &mut Names) {
    let (name, seconds) = (entry.name(), entry.seconds());
    if matches!(name, b"" | b"-") {
        return;
    }
    let is_in_time =
        |ask: &Ask| ask.from.timestamp() <= seconds && seconds <= ask.until.timestamp();
    let mut route = None;
    for (ask, names) in asks.iter().zip(names) {
        if !is_in_time(ask) || names.contains(name) {
            continue;
        }
        let route = *route.get_or_insert_with(|| entry.route());
        let is_there = ask.pool == route.pool
            && server.map_or_else(|| ask.server == entry.server(), |server| ask.server == server);
        if is_there && exchange::noise(name, b"", b"", b"").is_none() && entry.is_served(route) {
            names.insert(name.to_vec());
        }
    }
}
