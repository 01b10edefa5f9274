//! Names met in a log to what they mean, each judged once: the path of every line.

use super::watch::{Meant, Watch, decode};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use std::hash::BuildHasher;
use stillin_parsers::exchange;
use stillin_parsers::w3c::Line;

/// What a scan does with the line of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Nobody who is watched.
    Stranger,
    /// A probe, a computer, a service.
    Noise,
    /// A watched account, or one that may be; see [`Names::meant`].
    Watched,
}

/// Names kept with their sort; a name that does not fit is judged at every line.
const SLOTS: usize = 2048;
/// Bytes of the longest of them: a slot is one line of the cache.
const LONGEST: usize = 62;

/// One name and its sort. No name is empty, so an empty slot is like none.
#[derive(Clone, Copy)]
struct Slot {
    name: [u8; LONGEST],
    len: u8,
    sort: Sort,
}

/// The names that were met. What attackers typed cannot make it grow.
pub struct Names<'a> {
    watch: &'a Watch<'a>,
    slots: Vec<Slot>,
    /// Watched names. Only looked up, never walked.
    known: HashMap<Vec<u8>, Meant>,
    last: Meant,
}

impl<'a> Names<'a> {
    /// For the names of one log, or a part of it.
    pub fn new(watch: &'a Watch<'a>) -> Self {
        let empty = Slot { name: [0; LONGEST], len: 0, sort: Sort::Stranger };
        let slots = vec![empty; SLOTS];
        Names { watch, slots, known: HashMap::new(), last: Meant::Nobody }
    }

    /// What to do with a line of this name.
    #[inline(always)]
    pub fn sort(&mut self, cs_username: &[u8], line: &Line<'_>) -> Sort {
        let place = FixedState::default().hash_one(cs_username) as usize % SLOTS;
        let slot = &self.slots[place];
        match slot.name.get(..usize::from(slot.len)) {
            Some(name) if name == cs_username => slot.sort,
            _ => self.judge(cs_username, line, place),
        }
    }

    #[cold]
    #[inline(never)]
    fn judge(&mut self, cs_username: &[u8], line: &Line<'_>, place: usize) -> Sort {
        let sort = if exchange::noise(cs_username, b"", b"", b"").is_some() {
            Sort::Noise
        } else if !self.watch.may_mean(cs_username) {
            Sort::Stranger
        } else if self.watch.depends_on_time(cs_username) {
            Sort::Watched
        } else {
            match self.watch.meant(cs_username, line) {
                Meant::Nobody => Sort::Stranger,
                _ => Sort::Watched,
            }
        };
        if let Some(room) = self.slots[place].name.get_mut(..cs_username.len()) {
            room.copy_from_slice(cs_username);
            // Fits: there is room for no more than `LONGEST`.
            self.slots[place].len = cs_username.len() as u8;
            self.slots[place].sort = sort;
        }
        sort
    }

    /// As [`Watch::meant`], remembered where the time of the line cannot matter.
    pub fn meant(&mut self, cs_username: &[u8], line: &Line<'_>) -> &Meant {
        if !self.known.contains_key(cs_username) {
            let meant = self.watch.meant(cs_username, line);
            if self.watch.depends_on_time(cs_username) || self.known.len() > 10_000 {
                self.last = meant;
                return &self.last;
            }
            self.known.insert(cs_username.to_vec(), meant);
        }
        self.known.get(cs_username).unwrap_or(&Meant::Nobody)
    }
}

/// The short host name in capitals, so that `ex01.fabrikam.example` and `EX01` are one server.
pub fn host_name(name: &str) -> String {
    let is_address = name.parse::<std::net::IpAddr>().is_ok() || name.contains(':');
    let short = if is_address { name } else { name.split('.').next().unwrap_or(name) };
    let short = short.trim().to_uppercase();
    if short == "-" { String::new() } else { short }
}

/// [`host_name`] of a value of `s-computername`.
pub fn logged_host_name(s_computername: &[u8]) -> String {
    host_name(&decode(s_computername))
}
