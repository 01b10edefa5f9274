//! Rows of HttpProxy that found no twin, to the names under which W3C has the same requests: those that the clients typed
//! (DOMAIN.md 1.5, 2.6).

use super::access::Seen;
use super::again::{self, Entry, Look};
use super::book::{Access, Book};
use super::names::logged_host_name;
use super::watch::decode;
use crate::readings::Slot;
use crate::readings::pack::packed;
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::exchange::proxied::is_same_agent;
use stillin_parsers::exchange::{self, Auth};
use stillin_parsers::kind::Kind;
use stillin_parsers::w3c::{Column, Line};

/// By the id of a request, the names that W3C has for it, in lower case.
pub type Typed = BTreeMap<u128, BTreeSet<String>>;

/// Both logs write the end of the request, W3C by the second.
const NEAR: i64 = 3;

/// What is asked of a log: the id, the time, the protocol and the client of a request.
type Row = (u128, i64, String, (String, String));

/// The rows by id, and the seconds in which W3C may have them. Only looked up, never walked.
struct Sought<'a> {
    rows: HashMap<u128, &'a Access>,
    seconds: HashSet<i64>,
    span: (i64, i64),
    book: &'a Book,
}

/// Looks for the requests in the web logs of their servers. Whoever logs on with a token of OAuth has no name there.
pub fn names(book: &Book, looks: Vec<Look<'_>>) -> Typed {
    let is_sought = |access: &&Access| {
        access.is_proxied
            && access.twin.is_none()
            && access.request_id != 0
            && access.refusal.is_none()
            && !access.is_ambiguous
            && access.auth != Auth::Bearer
    };
    let mut by_server: BTreeMap<&str, Vec<&Access>> = BTreeMap::new();
    for access in book.accesses.iter().filter(is_sought) {
        by_server.entry(&book.keys.get(access.key).server).or_default().push(access);
    }
    let sought: BTreeMap<&str, Sought<'_>> =
        by_server.into_iter().map(|(server, rows)| (server, Sought::new(&rows, book))).collect();
    let of_look = |look: &Look<'_>| {
        let of_server = |server: &str| sought.get(server);
        let is_timely = |span| match look.server {
            Some(server) => of_server(server).is_some_and(|sought| sought.overlaps(span)),
            None => sought.values().any(|sought| sought.overlaps(span)),
        };
        let each = |entry: Entry<'_>, typed: &mut Typed| {
            let (name, Entry::Web(line)) = (entry.name(), entry) else { return };
            let logged = || logged_host_name(line.value(Column::SComputername).unwrap_or_default());
            let sought = match look.server {
                Some(server) => of_server(server),
                None => of_server(&logged()),
            };
            if let Some(id) = sought.and_then(|sought| sought.id(name, line)) {
                typed.entry(id).or_default().insert(decode(name).to_lowercase());
            }
        };
        let question = || {
            let of_look =
                sought.iter().filter(|(server, _)| look.server.is_none_or(|own| own == **server));
            let mut rows: Vec<_> =
                of_look.flat_map(|(_, sought)| sought.within(look.span)).collect();
            rows.sort_unstable();
            packed(&rows)
        };
        match look.file.kind == Kind::IisW3c && is_timely(look.span) {
            true => look.remembered(Slot::Typed, question, || {
                again::look(look, &is_timely, &each, &together)
            }),
            false => Typed::new(),
        }
    };
    looks.par_iter().map(of_look).reduce(Typed::new, together)
}

fn together(mut all: Typed, more: Typed) -> Typed {
    for (id, names) in more {
        all.entry(id).or_default().extend(names);
    }
    all
}

impl<'a> Sought<'a> {
    fn new(rows: &[&'a Access], book: &'a Book) -> Self {
        let seconds = || rows.iter().map(|row| row.end.timestamp());
        let from = seconds().min().unwrap_or(i64::MAX).saturating_sub(NEAR);
        let to = seconds().max().unwrap_or(i64::MIN).saturating_add(NEAR);
        Sought {
            rows: rows.iter().map(|row| (row.request_id, *row)).collect(),
            seconds: seconds().flat_map(|second| second - NEAR..=second + NEAR).collect(),
            span: (from, to),
            book,
        }
    }

    /// Everything that a log of that time is asked for, row by row.
    fn within(&self, (from, to): (i64, i64)) -> impl Iterator<Item = Row> {
        let rows = self.rows.values().filter(move |row| {
            let end = row.end.timestamp();
            from - NEAR <= end && end <= to + NEAR
        });
        rows.map(|row| {
            let client = self.book.clients.get(row.client);
            let protocol = self.book.keys.get(row.key).protocol;
            let (device, user_agent) = (client.device.clone(), client.user_agent.clone());
            (row.request_id, row.end.timestamp(), protocol.word().to_owned(), (device, user_agent))
        })
    }

    fn overlaps(&self, (from, to): (i64, i64)) -> bool {
        self.span.0 <= to && from <= self.span.1
    }

    /// The id of the request, if it is one of the sought. A client can write an id of its own into the query, so the
    /// rest has to fit.
    fn id(&self, name: &[u8], line: &Line<'_>) -> Option<u128> {
        if matches!(name, b"" | b"-") || !self.seconds.contains(&line.seconds) {
            return None;
        }
        let text = |column| line.value(column).unwrap_or_default();
        let query = text(Column::CsUriQuery);
        let id = exchange::cafe_req_id(query)?;
        let row = self.rows.get(&id)?;
        let route = exchange::route(text(Column::CsUriStem));
        let client = self.book.clients.get(row.client);
        let device = exchange::device_id(route.protocol, query).unwrap_or_default();
        let s_port = line.number_in(Column::SPort).and_then(|port| u16::try_from(port).ok());
        let is_it = (row.end.timestamp() - line.seconds).abs() <= NEAR
            && route.protocol == self.book.keys.get(row.key).protocol
            && (device.is_empty() || client.device.is_empty() || *decode(&device) == client.device)
            && is_same_agent(client.user_agent.as_bytes(), text(Column::CsUserAgent))
            && !exchange::is_back_end(s_port, text(Column::SSitename), text(Column::CsUriStem))
            && exchange::noise(name, b"", b"", b"").is_none()
            && Seen::new(line, route).is_served();
        is_it.then_some(id)
    }
}
