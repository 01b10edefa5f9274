//! One line of a log to one row of the book.

use super::book::Access;
use super::desk::{ClientTexts, Desk};
use super::seats::seat_of;
use chrono::{DateTime, TimeDelta, Utc};
use stillin_parsers::eas;
use stillin_parsers::exchange::{self, Auth, Outcome, Protocol, Route, Status};
use stillin_parsers::w3c::{Column, Line};

/// What a line says before it is known whose it is.
pub struct Seen<'a> {
    line: &'a Line<'a>,
    cs_method: &'a [u8],
    cs_uri_stem: &'a [u8],
    cs_uri_query: &'a [u8],
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
        let (cs_method, cs_uri_stem) = (text(Column::CsMethod), text(Column::CsUriStem));
        let cs_uri_query = text(Column::CsUriQuery);
        let outcome = exchange::outcome(
            route.protocol,
            text(Column::CsUsername),
            cs_method,
            cs_uri_stem,
            cs_uri_query,
            status,
        );
        Seen { line, cs_method, cs_uri_stem, cs_uri_query, route, outcome, status }
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
        let query = self.cs_uri_query;
        let is_server_s =
            || self.is_back_end() || self.is_served() && exchange::cafe_req_id(query).is_none();
        let field = Some(query).filter(|_| self.route.protocol == Protocol::Eas);
        let field = field.and_then(eas::log_field).filter(|_| is_server_s());
        field.into_iter().flat_map(|field| field.servers())
    }

    fn is_back_end(&self) -> bool {
        is_back_end_by(self.line, self.cs_uri_stem)
    }

    /// The row, for account 0 until the caller says whose it is; `end` is the time of the line.
    pub fn write(
        &self,
        end: DateTime<Utc>,
        server: &[u8],
        wants_ids: bool,
        desk: &mut Desk,
    ) -> Access {
        let Seen { line, cs_method: method, cs_uri_stem: stem, cs_uri_query: query, .. } = *self;
        let protocol = self.route.protocol;
        let device = exchange::device_id(protocol, query).unwrap_or_default();
        let command = exchange::command(protocol, method, stem, query);
        let taken = line.number_in(Column::TimeTaken).and_then(|ms| i64::try_from(ms).ok());
        let (start, is_start_known) = begin(end, taken);
        let status = self.status;
        let moved = exchange::moves_data(protocol, command, method, stem, query, status.sc_status);
        let name = line.present(Column::CsUsername).map(|name| desk.text(name));
        let forwarded = line.present(Column::XForwardedFor).and_then(exchange::forwarded);
        let client = ClientTexts {
            device: &device,
            user_agent: line.present(Column::CsUserAgent).unwrap_or_default(),
            c_ip: line.present(Column::CIp).unwrap_or_default(),
            forwarded: forwarded.unwrap_or_default(),
        };
        Access {
            account: 0,
            is_ambiguous: false,
            source: 0,
            line: line.number,
            start,
            is_start_known,
            end,
            key: desk.key(server, &self.route, name),
            client: desk.client(client, |vectors| seat_of(line, vectors)),
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
            is_back_end: self.is_back_end(),
            sc_status: status.sc_status,
            sc_substatus: status.sc_substatus,
            sc_win32_status: status.sc_win32_status,
        }
    }
}

/// Whether a line is one of the back end's log.
pub fn is_back_end(line: &Line<'_>) -> bool {
    is_back_end_by(line, line.value(Column::CsUriStem).unwrap_or_default())
}

fn is_back_end_by(line: &Line<'_>, cs_uri_stem: &[u8]) -> bool {
    match line.value(Column::SPort) {
        // That of nearly every line, and there the site decides nothing.
        Some(b"443") => exchange::is_back_end(Some(443), b"", cs_uri_stem),
        _ => {
            let port = line.number_in(Column::SPort).and_then(|port| u16::try_from(port).ok());
            let site = line.value(Column::SSitename).unwrap_or_default();
            exchange::is_back_end(port, site, cs_uri_stem)
        }
    }
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

/// Whether a line without a name can be a refusal at all: told by its status, and where that is a success by a look at its
/// page, for every such line.
pub fn may_be_nameless_refusal(line: &Line<'_>) -> bool {
    match line.value(Column::ScStatus) {
        Some(b"440" | b"302") => true,
        // SEC_E_NO_CREDENTIALS: a handshake that has only begun, as every one does.
        Some(b"401") => {
            !matches!(line.value(Column::ScSubstatus), Some(b"2"))
                && !matches!(line.value(Column::ScWin32Status), Some(b"2148074254"))
        }
        // OWA's logon page, called with the reason of the refusal, or the page of an expired password.
        Some(b"200") => {
            let value = |column| line.value(column).unwrap_or_default();
            let stem = value(Column::CsUriStem);
            stem.len() >= 10
                && stem.ends_with(b".aspx")
                && exchange::page_may_refuse(stem, value(Column::CsUriQuery))
        }
        _ => false,
    }
}
