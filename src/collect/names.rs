//! A name as logged to what a scan does with its line: the path of every line, so a few nanoseconds must do.

use super::parts::Parts;
use super::watch::{Meant, Watch, decode};
use chrono::{DateTime, Utc};
use hashbrown::HashMap;
use stillin_parsers::exchange;

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

/// Watched names that were met, so that each is resolved once.
pub struct Names<'a> {
    watch: &'a Watch<'a>,
    /// Index into the meanings. Only looked up, never walked.
    known: HashMap<Vec<u8>, usize>,
    meanings: Vec<Meant>,
    last: Meant,
}

impl<'a> Names<'a> {
    /// For one log, or a part of it.
    pub fn new(watch: &'a Watch<'a>) -> Self {
        Names { watch, known: HashMap::new(), meanings: Vec::new(), last: Meant::Nobody }
    }

    /// What to do with a line of this name.
    #[inline(always)]
    pub fn sort(&mut self, cs_username: &[u8]) -> Sort {
        let parts = Parts::of(cs_username);
        if parts.may_be_noise(cs_username) && exchange::noise(cs_username, b"", b"", b"").is_some()
        {
            Sort::Noise
        } else if self.watch.may_mean(&parts, cs_username) {
            Sort::Watched
        } else {
            Sort::Stranger
        }
    }

    /// As [`Watch::meant`], remembered where the time of the line cannot matter.
    pub fn meant(&mut self, cs_username: &[u8], time: impl FnOnce() -> DateTime<Utc>) -> &Meant {
        if let Some(&place) = self.known.get(cs_username) {
            return &self.meanings[place];
        }
        let meant = self.watch.meant(cs_username, time);
        // The filter lets a few strangers through; what attackers typed must not fill the memory.
        if self.watch.depends_on_time(cs_username) || self.known.len() > 10_000 {
            self.last = meant;
            return &self.last;
        }
        self.known.insert(cs_username.to_vec(), self.meanings.len());
        self.meanings.push(meant);
        self.meanings.last().unwrap_or(&self.last)
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
