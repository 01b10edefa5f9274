//! One line of a log to one row of the book.

use super::book::{Access, Book, Client, Key};
use super::watch::decode;
use chrono::TimeDelta;
use stillin_parsers::exchange::{self, Outcome, Route, Status};
use stillin_parsers::w3c::{Column, Line};

/// What a line says before it is known whose it is.
pub struct Seen<'a> {
    line: &'a Line<'a>,
    route: Route,
    outcome: Outcome,
    status: Status,
}

impl<'a> Seen<'a> {
    /// Reads the columns that decide whether the line counts.
    pub fn new(line: &'a Line<'a>) -> Self {
        let text = |column| line.value(column).unwrap_or_default();
        let number = |column| line.number_in(column).and_then(|n| u16::try_from(n).ok());
        let route = exchange::route(text(Column::CsUriStem));
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

    /// The row, for account 0 until the caller says whose it is.
    pub fn write(&self, server: &str, book: &mut Book) -> Access {
        let line = self.line;
        let text = |column| line.value(column).unwrap_or_default();
        let present = |column| line.present(column).map(decode).unwrap_or_default();
        let (stem, query) = (text(Column::CsUriStem), text(Column::CsUriQuery));
        let method = text(Column::CsMethod);
        let protocol = self.route.protocol;
        let name = line.present(Column::CsUsername).map(decode);
        let device = exchange::device_id(protocol, query);
        let client = Client {
            device: device.map(|device| decode(&device)).unwrap_or_default(),
            user_agent: present(Column::CsUserAgent),
            c_ip: present(Column::CIp),
        };
        let key = Key {
            server: server.to_owned(),
            pool: self.route.pool,
            protocol,
            scheme: self.route.scheme,
            name: name.as_deref().unwrap_or_default().to_lowercase(),
        };
        let command = decode(exchange::command(protocol, method, stem, query));
        let end = line.time();
        let taken = line.number_in(Column::TimeTaken).and_then(|ms| i64::try_from(ms).ok());
        let start = taken
            .and_then(TimeDelta::try_milliseconds)
            .and_then(|taken| end.checked_sub_signed(taken))
            .unwrap_or(end);
        let s_port = line.number_in(Column::SPort).and_then(|port| u16::try_from(port).ok());
        Access {
            account: 0,
            is_ambiguous: false,
            source: 0,
            line: line.number,
            start,
            end,
            key: book.keys.number(key),
            client: book.clients.number(client),
            name: name.map(|name| book.texts.number(name)),
            command: book.texts.number(command),
            refusal: match self.outcome {
                Outcome::Refused(refusal) => Some(refusal),
                _ => None,
            },
            moved_data: exchange::moves_data(protocol, method, stem, query, self.status.sc_status)
                .moved(),
            is_back_end: exchange::is_back_end(s_port, text(Column::SSitename), stem),
            sc_status: self.status.sc_status,
            sc_substatus: self.status.sc_substatus,
            sc_win32_status: self.status.sc_win32_status,
        }
    }
}

/// Whether a line without a name can be a refusal at all: told by its status alone, for every such line.
pub fn may_be_nameless_refusal(line: &Line<'_>) -> bool {
    match line.value(Column::ScStatus) {
        Some(b"440" | b"302") => true,
        Some(b"401") => !matches!(line.value(Column::ScSubstatus), Some(b"2")),
        // OWA's logon page, called with the reason of the refusal.
        Some(b"200") => line
            .value(Column::CsUriStem)
            .is_some_and(|stem| stem.len() >= 10 && stem.ends_with(b".aspx")),
        _ => false,
    }
}
