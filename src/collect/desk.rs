//! Where rows are written, for one chunk of a log or several: texts are looked up by their bytes, and only what is new is
//! made.

use super::book::{Access, Client, Key, Other, Table};
use super::names::logged_host_name;
use super::sheet::Sheet;
use super::watch::decode;
use hashbrown::{HashMap, HashTable};
use stillin_parsers::exchange::{self, Protocol, Route};
use stillin_parsers::vectors::Vectors;
use stillin_parsers::w3c::{Column, Line};

/// Where a thread writes rows, chunk by chunk: a number means the same on all of its sheets.
#[derive(Debug, Default)]
pub struct Desk {
    texts: Table<Vec<u8>>,
    /// Number of the empty text.
    empty: Option<u32>,
    keys: Table<(u32, &'static str, Protocol, exchange::Scheme, u32)>,
    clients: Clients,
    /// How many of the texts, keys and clients stand on sheets.
    handed_on: [usize; 3],
    /// Where stems lead; only looked up, never walked.
    routes: HashMap<Vec<u8>, Route>,
    /// Rows of watched accounts.
    pub accesses: Vec<Access>,
    /// Refusals without a name.
    pub nameless: Vec<Access>,
    /// Rows of HttpProxy that may contradict W3C.
    pub others: Vec<Other>,
}

/// Stems of which a desk remembers where they lead: those of Exchange are few, those of attackers are not.
const MOST_ROUTES: usize = 1000;

impl Desk {
    /// Where the line's `cs-uri-stem` leads.
    pub fn route(&mut self, line: &Line<'_>) -> Route {
        let stem = line.value(Column::CsUriStem).unwrap_or_default();
        if let Some(route) = self.routes.get(stem) {
            return *route;
        }
        let route = exchange::route(stem);
        if self.routes.len() >= MOST_ROUTES {
            self.routes.clear();
        }
        self.routes.insert(stem.to_vec(), route);
        route
    }

    /// Number of a text.
    pub fn text(&mut self, text: &[u8]) -> u32 {
        match (self.empty, text.is_empty()) {
            // To compare nothing with nothing is slow on some processors (see `is_same`), and it comes often.
            (Some(empty), true) => empty,
            (None, true) => *self.empty.insert(self.texts.number(Vec::new())),
            _ => self.texts.number_of(text, <[u8]>::to_vec),
        }
    }

    /// Number of what a token hangs on.
    pub fn key(&mut self, server: &[u8], route: &Route, name: Option<u32>) -> u32 {
        let server = self.text(server);
        let name = name.unwrap_or_else(|| self.text(b""));
        self.keys.number((server, route.pool, route.protocol, route.scheme, name))
    }

    /// Number of a client; `seat` tells that of its address and user agent.
    pub fn client(&mut self, told: ClientTexts<'_>, seat: impl FnOnce(Vectors) -> u64) -> u32 {
        self.clients.number(told, seat(self.clients.vectors))
    }

    /// The rows since the sheet before, with every text decoded that no sheet had.
    pub fn take_sheet(&mut self) -> Sheet {
        let key = |&(server, pool, protocol, scheme, name): &(u32, _, _, _, u32)| Key {
            server: logged_host_name(self.texts.get(server)),
            pool,
            protocol,
            scheme,
            name: decode(self.texts.get(name)).to_lowercase(),
        };
        let [texts, keys, clients] = self.handed_on;
        let sheet = Sheet {
            texts: self.texts.iter().skip(texts).map(|text| decode(text)).collect(),
            keys: self.keys.iter().skip(keys).map(key).collect(),
            clients: self.clients.list.iter().skip(clients).map(Logged::client).collect(),
            accesses: std::mem::take(&mut self.accesses),
            nameless: std::mem::take(&mut self.nameless),
            others: std::mem::take(&mut self.others),
        };
        let lengths = [sheet.texts.len(), sheet.keys.len(), sheet.clients.len()];
        self.handed_on.iter_mut().zip(lengths).for_each(|(before, more)| *before += more);
        sheet
    }
}

/// What a line tells of its client, as logged.
#[derive(Debug, Clone, Copy)]
pub struct ClientTexts<'a> {
    /// `DeviceId`, or `ClientId`.
    pub device: &'a [u8],
    /// `cs(User-Agent)`
    pub user_agent: &'a [u8],
    /// `c-ip`
    pub c_ip: &'a [u8],
    /// The address that `X-Forwarded-For` tells.
    pub forwarded: &'a [u8],
}

/// Clients by all that lines tell of them at once: one look for a row instead of one for each text.
#[derive(Debug)]
struct Clients {
    vectors: Vectors,
    list: Vec<Logged>,
    /// Only looked up, never walked.
    index: HashTable<u32>,
}

impl Default for Clients {
    fn default() -> Self {
        Clients { vectors: Vectors::best(), list: Vec::new(), index: HashTable::new() }
    }
}

impl Clients {
    fn number(&mut self, told: ClientTexts<'_>, seat: u64) -> u32 {
        let Clients { vectors, list, index } = self;
        // An empty text may lie nowhere, and a masked load from there is slow, though it loads nothing.
        let of = |text: &[u8]| if text.is_empty() { 0 } else { vectors.hash(text) };
        let hash = seat ^ of(told.device).rotate_left(32) ^ of(told.forwarded).rotate_left(16);
        let is_it = |&number: &u32| list[number as usize].is(told);
        if let Some(&number) = index.find(hash, is_it) {
            return number;
        }
        let number = list.len() as u32;
        list.push(Logged::new(told, seat, hash));
        index.insert_unique(hash, number, |&number| list[number as usize].hash);
        number
    }
}

/// A client as logged: its texts, one behind the other.
#[derive(Debug)]
struct Logged {
    texts: Vec<u8>,
    /// Where all but the last of them end.
    ends: [usize; 3],
    seat: u64,
    hash: u64,
}

impl Logged {
    fn new(told: ClientTexts<'_>, seat: u64, hash: u64) -> Self {
        let ClientTexts { device, user_agent, c_ip, forwarded } = told;
        let texts = [device, user_agent, c_ip, forwarded].concat();
        let user_agent_ends = device.len() + user_agent.len();
        let ends = [device.len(), user_agent_ends, user_agent_ends + c_ip.len()];
        Logged { texts, ends, seat, hash }
    }

    fn texts(&self) -> ClientTexts<'_> {
        let [a, b, c] = self.ends;
        let (device, user_agent) = (&self.texts[..a], &self.texts[a..b]);
        ClientTexts { device, user_agent, c_ip: &self.texts[b..c], forwarded: &self.texts[c..] }
    }

    fn is(&self, told: ClientTexts<'_>) -> bool {
        let ClientTexts { device, user_agent, c_ip, forwarded } = self.texts();
        is_same(c_ip, told.c_ip)
            && is_same(device, told.device)
            && is_same(user_agent, told.user_agent)
            && is_same(forwarded, told.forwarded)
    }

    fn client(&self) -> Client {
        let ClientTexts { device, user_agent, c_ip, forwarded } = self.texts();
        Client {
            device: decode(device),
            user_agent: decode(user_agent),
            c_ip: decode(c_ip),
            forwarded: decode(forwarded),
            seat: self.seat,
        }
    }
}

/// To compare nothing with nothing is a call that costs as much as the rest of the line on some processors, and most logs
/// have no such column.
#[inline(always)]
pub fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && (a.is_empty() || a == b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::seats::seat;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_client_is_all_that_a_line_tells_of_it(
            told in prop::collection::vec(["[ab]{0,2}", "[ab]{0,2}", "[12]{0,2}", "[12]{0,1}"], 1..40),
        ) {
            let mut clients = Clients::default();
            let texts = |told: &[String; 4]| told.clone().map(String::into_bytes);
            let mut plain: Table<[Vec<u8>; 4]> = Table::default();
            for told in told.iter().map(texts) {
                let [device, user_agent, c_ip, forwarded] = &told;
                let texts_of_line = ClientTexts { device, user_agent, c_ip, forwarded };
                let seat = seat(c_ip, user_agent, Vectors::best());
                let number = clients.number(texts_of_line, seat);
                prop_assert_eq!(number, plain.number(told.clone()));
                let client = clients.list[number as usize].client();
                let back = [client.device, client.user_agent, client.c_ip, client.forwarded];
                prop_assert_eq!(texts(&back), told);
            }
        }
    }
}
