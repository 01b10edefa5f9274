//! One line of a log to one row of the book.

use super::book::{Access, Book, Client, Key, Other, Table};
use super::names::logged_host_name;
use super::seats::seat;
use super::watch::decode;
use chrono::{DateTime, TimeDelta, Utc};
use hashbrown::HashMap;
use stillin_parsers::eas;
use stillin_parsers::exchange::{self, Auth, Outcome, Protocol, Route, Status};
use stillin_parsers::w3c::{Column, Line};

/// What a line says before it is known whose it is.
pub struct Seen<'a> {
    line: &'a Line<'a>,
    route: Route,
    outcome: Outcome,
    status: Status,
}

impl<'a> Seen<'a> {
    /// Reads the columns that decide whether the line counts; `route` is that of its `cs-uri-stem`.
    pub fn new(line: &'a Line<'a>, route: Route) -> Self {
        let text = |column| line.value(column).unwrap_or_default();
        let number = |column| line.number_in(column).and_then(|n| u16::try_from(n).ok());
        let status = Status {
            sc_status: number(Column::ScStatus).unwrap_or_default(),
            sc_substatus: number(Column::ScSubstatus),
            sc_win32_status: line.number_in(Column::ScWin32Status),
        };
        let outcome = exchange::outcome(
            route.protocol,
            text(Column::CsUsername),
            text(Column::CsMethod),
            text(Column::CsUriStem),
            text(Column::CsUriQuery),
            status,
        );
        Seen { line, route, outcome, status }
    }

    /// Served or refused; a challenge or a technical failure says nothing of the account.
    pub fn counts(&self) -> bool {
        matches!(self.outcome, Outcome::Served | Outcome::Refused(_))
    }

    /// Served.
    pub fn is_served(&self) -> bool {
        self.outcome == Outcome::Served
    }

    /// Refused.
    pub fn is_refusal(&self) -> bool {
        matches!(self.outcome, Outcome::Refused(_))
    }

    /// Other servers that had the request, as ActiveSync appends them to the query. To what carries the id of a front
    /// end of 2013 or later, or what was not served, nothing is appended there: it is the client's own text.
    pub fn servers(&self) -> impl Iterator<Item = Vec<u8>> + use<'a> {
        let text = |column| self.line.value(column).unwrap_or_default();
        let query = text(Column::CsUriQuery);
        let is_server_s =
            || is_back_end(self.line) || self.is_served() && exchange::cafe_req_id(query).is_none();
        let field = Some(query).filter(|_| self.route.protocol == Protocol::Eas);
        let field = field.and_then(eas::log_field).filter(|_| is_server_s());
        field.into_iter().flat_map(|field| field.servers())
    }

    /// The row, for account 0 until the caller says whose it is.
    pub fn write(&self, server: &[u8], wants_ids: bool, desk: &mut Desk) -> Access {
        let line = self.line;
        let text = |column| line.value(column).unwrap_or_default();
        let (stem, query) = (text(Column::CsUriStem), text(Column::CsUriQuery));
        let method = text(Column::CsMethod);
        let protocol = self.route.protocol;
        let device = exchange::device_id(protocol, query).unwrap_or_default();
        let command = exchange::command(protocol, method, stem, query);
        let end = line.time();
        let taken = line.number_in(Column::TimeTaken).and_then(|ms| i64::try_from(ms).ok());
        let (start, is_start_known) = begin(end, taken);
        let status = self.status;
        let moved = exchange::moves_data(protocol, command, method, stem, query, status.sc_status);
        let name = line.present(Column::CsUsername).map(|name| desk.text(name));
        Access {
            account: 0,
            is_ambiguous: false,
            source: 0,
            line: line.number,
            start,
            is_start_known,
            end,
            key: desk.key(server, &self.route, name),
            client: desk.client(
                &device,
                line.present(Column::CsUserAgent).unwrap_or_default(),
                line.present(Column::CIp).unwrap_or_default(),
                line.present(Column::XForwardedFor)
                    .and_then(exchange::forwarded)
                    .unwrap_or_default(),
            ),
            name,
            command: desk.text(command),
            refusal: match self.outcome {
                Outcome::Refused(refusal) => Some(refusal),
                _ => None,
            },
            is_claimed: false,
            auth: Auth::None,
            request_id: if wants_ids { exchange::cafe_req_id(query).unwrap_or(0) } else { 0 },
            is_proxied: false,
            twin: None,
            contradiction: None,
            moved_data: moved.moved(),
            is_back_end: is_back_end(line),
            sc_status: status.sc_status,
            sc_substatus: status.sc_substatus,
            sc_win32_status: status.sc_win32_status,
        }
    }
}

/// Whether a line is one of the back end's log.
pub fn is_back_end(line: &Line<'_>) -> bool {
    let s_port = line.number_in(Column::SPort).and_then(|port| u16::try_from(port).ok());
    let text = |column| line.value(column).unwrap_or_default();
    exchange::is_back_end(s_port, text(Column::SSitename), text(Column::CsUriStem))
}

/// When a request began that took so many milliseconds, and whether that is known.
pub fn begin(end: DateTime<Utc>, taken: Option<i64>) -> (DateTime<Utc>, bool) {
    let start = taken
        .and_then(TimeDelta::try_milliseconds)
        // No request lasts for a day: that is no time, and would make everything begin before a change.
        .filter(|taken| *taken <= TimeDelta::hours(24))
        .and_then(|taken| end.checked_sub_signed(taken));
    (start.unwrap_or(end), start.is_some())
}

/// Where rows of one chunk are written: texts are looked up by their bytes, and only what is new is made.
#[derive(Debug, Default)]
pub struct Desk {
    texts: Table<Vec<u8>>,
    /// Number of the empty text.
    empty: Option<u32>,
    keys: Table<(u32, &'static str, Protocol, exchange::Scheme, u32)>,
    clients: Table<[u32; 4]>,
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
        if self.routes.len() < MOST_ROUTES {
            self.routes.insert(stem.to_vec(), route);
        }
        route
    }

    /// Number of a text.
    pub fn text(&mut self, text: &[u8]) -> u32 {
        match (self.empty, text.is_empty()) {
            // To compare nothing with nothing is slow on some processors (see `chunk`), and it comes often.
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

    /// Number of a client.
    pub fn client(
        &mut self,
        device: &[u8],
        user_agent: &[u8],
        c_ip: &[u8],
        forwarded: &[u8],
    ) -> u32 {
        let client = [device, user_agent, c_ip, forwarded].map(|text| self.text(text));
        self.clients.number(client)
    }

    /// The rows as a book, with every text decoded.
    pub fn into_book(self) -> Book {
        let texts: Vec<String> = self.texts.iter().map(|text| decode(text)).collect();
        let text = |number: u32| texts[number as usize].clone();
        let mut book = Book::default();
        let key = |&(server, pool, protocol, scheme, name): &(u32, _, _, _, u32)| Key {
            server: logged_host_name(self.texts.get(server)),
            pool,
            protocol,
            scheme,
            name: text(name).to_lowercase(),
        };
        let logged: Vec<&[u8]> = self.texts.iter().map(Vec::as_slice).collect();
        let client = |&[device, user_agent, c_ip, forwarded]: &[u32; 4]| Client {
            device: text(device),
            user_agent: text(user_agent),
            c_ip: text(c_ip),
            forwarded: text(forwarded),
            seat: seat(logged[c_ip as usize], logged[user_agent as usize]),
        };
        let keys: Vec<u32> = self.keys.iter().map(|k| book.keys.number(key(k))).collect();
        let clients: Vec<u32> =
            self.clients.iter().map(|c| book.clients.number(client(c))).collect();
        // Only names and commands are asked for by number; the other texts stand in keys and clients.
        let mut numbers: Vec<Option<u32>> = vec![None; texts.len()];
        let mut number = |at: u32| {
            *numbers[at as usize]
                .get_or_insert_with(|| book.texts.number(texts[at as usize].clone()))
        };
        let renumber = |access: Access, number: &mut dyn FnMut(u32) -> u32| Access {
            key: keys[access.key as usize],
            client: clients[access.client as usize],
            name: access.name.map(&mut *number),
            command: number(access.command),
            ..access
        };
        let accesses = self.accesses.into_iter().map(|row| renumber(row, &mut number)).collect();
        let nameless = self.nameless.into_iter().map(|row| renumber(row, &mut number)).collect();
        let other = |other: Other| Other {
            row: renumber(other.row, &mut number),
            strange_sid: other.strange_sid.map(&mut number),
            ..other
        };
        let others = self.others.into_iter().map(other).collect();
        Book { accesses, nameless, others, ..book }
    }
}

/// Whether a line without a name can be a refusal at all: told by its status alone, for every such line.
pub fn may_be_nameless_refusal(line: &Line<'_>) -> bool {
    match line.value(Column::ScStatus) {
        Some(b"440" | b"302") => true,
        // SEC_E_NO_CREDENTIALS: a handshake that has only begun, as every one does.
        Some(b"401") => {
            !matches!(line.value(Column::ScSubstatus), Some(b"2"))
                && !matches!(line.value(Column::ScWin32Status), Some(b"2148074254"))
        }
        // OWA's logon page, called with the reason of the refusal.
        Some(b"200") => line
            .value(Column::CsUriStem)
            .is_some_and(|stem| stem.len() >= 10 && stem.ends_with(b".aspx")),
        _ => false,
    }
}
