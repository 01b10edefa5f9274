//! When the logs had entries to what they can speak about: of a server whose W3C logs were supplied, those say, and where
//! they have ended, the logs of HttpProxy, each for its own protocol; of another server HttpProxy alone.

use crate::collect::Collected;
use crate::collect::book::Key;
use crate::collect::minutes::Presence;
use crate::correlate::coverage::{Coverage, Span};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use stillin_parsers::exchange::Protocol;
use stillin_parsers::kind::Kind;

/// HTTP.sys writes what it holds back within a minute (DOMAIN.md 1.3).
pub const HELD_BACK: TimeDelta = TimeDelta::minutes(1);

/// What the logs can speak about, by the index that requests are judged with.
#[derive(Default)]
pub struct Fronts {
    /// Servers with W3C logs, in order; the first ones of the coverage.
    pub servers: Vec<String>,
    /// Where those with the same index can speak.
    pub coverage: Coverage,
    /// The server of each index.
    pub server_of: Vec<String>,
    by_server: BTreeMap<String, u32>,
    by_protocol: BTreeMap<(String, Protocol), u32>,
}

impl Fronts {
    /// Out of what was collected, up to the end of what was looked at.
    pub fn new(collected: &Collected, until: Option<DateTime<Utc>>) -> Self {
        let mut fronts = Fronts::default();
        let logs = collected.presence.iter().filter(|((_, kind), _)| *kind == Kind::IisW3c);
        for ((server, _), presence) in logs {
            if let Some(span) = span(presence, until) {
                let index = fronts.push(server, span);
                fronts.servers.push(server.clone());
                fronts.by_server.insert(server.clone(), index);
            }
        }
        for ((server, protocol), presence) in &collected.fronts {
            let Some(proxied) = span(presence, until) else { continue };
            let span = match fronts.by_server.contains_key(server) {
                false => Some(proxied),
                true => fronts.web(server).and_then(|web| gone_on(web, proxied)),
            };
            if let Some(span) = span {
                let index = fronts.push(server, span);
                fronts.by_protocol.insert((server.clone(), *protocol), index);
            }
        }
        fronts
    }

    fn push(&mut self, server: &str, span: Span) -> u32 {
        self.coverage.servers.push((span.from <= span.to).then_some(span));
        self.server_of.push(server.to_owned());
        self.server_of.len() as u32 - 1
    }

    /// The index of a key; none of any coverage where no log of it was supplied.
    pub fn index_of(&self, key: &Key) -> u32 {
        let by_protocol = self.by_protocol.get(&(key.server.clone(), key.protocol));
        by_protocol.or_else(|| self.by_server.get(&key.server)).copied().unwrap_or(u32::MAX)
    }

    /// What the W3C logs of a server speak about by themselves.
    pub fn web(&self, server: &str) -> Option<&Span> {
        self.coverage.of(*self.by_server.get(server)?)
    }

    /// What the logs can speak about of a server's pool, which serves these protocols.
    pub fn span_of(&self, server: &str, protocols: &[Protocol]) -> Option<&Span> {
        let of_protocol = |protocol| self.by_protocol.get(&(server.to_owned(), protocol));
        let by_protocol = protocols.iter().find_map(|&protocol| of_protocol(protocol));
        self.coverage.of(*by_protocol.or_else(|| self.by_server.get(server))?)
    }

    /// Every index of a server.
    pub fn indexes_of<'a>(&'a self, server: &'a str) -> impl Iterator<Item = u32> + 'a {
        (0..).zip(&self.server_of).filter(move |(_, of)| *of == server).map(|(index, _)| index)
    }

    /// What sources by server can speak about, with these indexes.
    pub fn coverage_of(&self, presence: &BTreeMap<String, Presence>) -> Coverage {
        let of = |server: &String| span(presence.get(server)?, None);
        Coverage { servers: self.server_of.iter().map(of).collect() }
    }
}

/// What a web log speaks about, longer by what HttpProxy does after its end, if that goes on. HttpProxy has whoever was
/// served, so its silence is that of a token too; whom IIS turned down it has not (DOMAIN.md 3.1). Before the end the web
/// log alone says where it has holes: what went unseen there may have been a refusal.
fn gone_on(web: &Span, proxied: Span) -> Option<Span> {
    if proxied.to <= web.to {
        return None;
    }
    let between = (web.to, proxied.from.max(web.to));
    let later = proxied.gaps.into_iter().map(|(from, to)| (from.max(web.to), to));
    let gaps =
        web.gaps.iter().copied().chain([between]).chain(later).filter(|(from, to)| from < to);
    Some(Span { to: proxied.to, gaps: gaps.collect(), ..*web })
}

fn span(presence: &Presence, until: Option<DateTime<Utc>>) -> Option<Span> {
    let (from, to) = presence.span?;
    let time = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let to = until.map_or(time(to), |until| until.min(time(to)));
    Some(Span { from: time(from), to, gaps: presence.gaps() })
}
