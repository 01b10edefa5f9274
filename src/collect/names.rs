//! A name as logged to what a scan does with its line: the path of every line, so a few nanoseconds must do.

use super::watch::{Meant, Watch, decode};
use chrono::{DateTime, Utc};
use hashbrown::HashMap;
use stillin_parsers::exchange;
use stillin_parsers::vectors::{LocalPart, Vectors};

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
    vectors: Vectors,
    /// Index into the meanings. Only looked up, never walked.
    known: HashMap<Vec<u8>, usize>,
    meanings: Vec<Meant>,
    last: Meant,
}

impl<'a> Names<'a> {
    /// For one log, or a part of it.
    pub fn new(watch: &'a Watch<'a>) -> Self {
        Names {
            watch,
            vectors: Vectors::best(),
            known: HashMap::new(),
            meanings: Vec::new(),
            last: Meant::Nobody,
        }
    }

    /// What to do with a line of this name.
    #[inline(always)]
    pub fn sort(&mut self, cs_username: &[u8]) -> Sort {
        let local_part = LocalPart::of(cs_username, self.vectors);
        if local_part.may_be_noise(cs_username)
            && exchange::noise(cs_username, b"", b"", b"").is_some()
        {
            self.noise_or_watched(&local_part, cs_username)
        } else if self.watch.may_mean(&local_part) {
            Sort::Watched
        } else {
            Sort::Stranger
        }
    }

    /// A user object can be named like a computer: what the evidence tells of wins over the shape of the name.
    fn noise_or_watched(&self, local_part: &LocalPart, cs_username: &[u8]) -> Sort {
        let is_watched = self.watch.may_mean(local_part) && self.watch.may_be_watched(cs_username);
        if is_watched { Sort::Watched } else { Sort::Noise }
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

/// Whether two names may be one server's: logs and folders mostly have the short name, events the full one. Two full names
/// are those of two servers unless they are the same: `EX01` of one domain is not `EX01` of another.
pub fn is_one_host(a: &str, b: &str) -> bool {
    let full = |name: &str| name.trim().trim_end_matches('.').to_uppercase();
    let is_full = |name: &str| name.contains('.');
    let (long_a, long_b) = (full(a), full(b));
    host_name(a) == host_name(b) && (!is_full(&long_a) || !is_full(&long_b) || long_a == long_b)
}

/// [`host_name`] of a value of `s-computername`.
pub fn logged_host_name(s_computername: &[u8]) -> String {
    host_name(&decode(s_computername))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::build;
    use chrono::{DateTime, Utc};
    use std::collections::BTreeMap;
    use stillin_parsers::event::Identity;

    #[test]
    fn one_server_or_two() {
        for (a, b, expect) in [
            ("EX01", "ex01", true),
            ("EX01", "ex01.fabrikam.example", true),
            ("ex01.fabrikam.example", "EX01.FABRIKAM.EXAMPLE.", true),
            (" ex01.fabrikam.example", "EX01", true),
            ("EX01.fabrikam.example", "EX01.contoso.example", false),
            ("EX01.fabrikam.example", "EX02.fabrikam.example", false),
            ("EX01", "EX02", false),
            ("10.0.0.11", "10.0.0.11", true),
            ("10.0.0.11", "10.0.0.12", false),
            ("fe80::1", "fe80::2", false),
        ] {
            assert_eq!((is_one_host(a, b), is_one_host(b, a)), (expect, expect), "{a} {b}");
        }
    }

    #[test]
    fn whoever_is_watched_is_no_noise_by_the_shape_of_the_name() {
        let account = |domain: &str, sam: &str, sid: &str| Identity {
            domain: Some(domain.to_owned()),
            sam_account_name: Some(sam.to_owned()),
            sid: Some(sid.to_owned()),
            ..Identity::default()
        };
        let identities = [
            account("FABRIKAM", "svc$", "S-1-5-21-1-2-3-1104"),
            account("CONTOSO", "db$", "S-1-5-21-7-8-9-1105"),
        ];
        let (accounts, ids) = build(&identities.iter().collect::<Vec<_>>(), &[]);
        let watch = Watch::new(&accounts, BTreeMap::from([(ids[0], DateTime::<Utc>::MIN_UTC)]));
        let mut names = Names::new(&watch);
        for (name, expect) in [
            ("FABRIKAM\\SVC$", Sort::Watched),
            ("svc$", Sort::Watched),
            ("svc$@corp.example", Sort::Watched),
            ("CONTOSO\\svc$", Sort::Noise),
            ("CONTOSO\\db$", Sort::Noise),
            ("FABRIKAM\\EX01$", Sort::Noise),
            ("FABRIKAM\\HealthMailbox83d6781", Sort::Noise),
        ] {
            assert_eq!(names.sort(name.as_bytes()), expect, "{name}");
        }
    }
}
