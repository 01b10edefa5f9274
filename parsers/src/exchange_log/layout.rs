//! A header of a log of Exchange, behind `#Fields:` or bare, to the places of the columns that matter.

use super::cells;
use crate::kind::Kind;
use crate::lines;

/// Columns that the program looks at, whatever place they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is the column of that name
pub enum Column {
    DateTime,
    RequestId,
    ClientRequestId,
    Protocol,
    UrlStem,
    AuthenticationType,
    IsAuthenticated,
    AuthenticatedUser,
    AnchorMailbox,
    UserAgent,
    ClientIpAddress,
    ServerHostName,
    HttpStatus,
    Method,
    TargetServer,
    RoutingHint,
    TotalRequestTime,
    UrlQuery,
    GenericInfo,
    FrontEndServer,
    SoapAction,
    ImpersonatedUser,
    StartTime,
    ProcessId,
    RequestType,
    MapiRequestId,
    Upn,
    AuthenticatedUserEmail,
}

/// Number of columns in [`Column`].
const COLUMNS: usize = 28;

/// Names of the columns as logged; builds spell them in different cases, and the first spelling that a log uses wins.
const NAMES: &[(&str, Column)] = &[
    ("DateTime", Column::DateTime),
    ("RequestId", Column::RequestId),
    ("ClientRequestId", Column::ClientRequestId),
    ("Protocol", Column::Protocol),
    ("UrlStem", Column::UrlStem),
    ("AuthenticationType", Column::AuthenticationType),
    ("IsAuthenticated", Column::IsAuthenticated),
    ("AuthenticatedUser", Column::AuthenticatedUser),
    ("AnchorMailbox", Column::AnchorMailbox),
    ("UserAgent", Column::UserAgent),
    ("ClientIpAddress", Column::ClientIpAddress),
    ("ClientIP", Column::ClientIpAddress),
    ("ServerHostName", Column::ServerHostName),
    ("HttpStatus", Column::HttpStatus),
    ("HttpStatusCode", Column::HttpStatus),
    ("Method", Column::Method),
    ("TargetServer", Column::TargetServer),
    ("RoutingHint", Column::RoutingHint),
    ("TotalRequestTime", Column::TotalRequestTime),
    ("TotalRequestLatency", Column::TotalRequestTime),
    ("UrlQuery", Column::UrlQuery),
    ("GenericInfo", Column::GenericInfo),
    ("FrontEndServer", Column::FrontEndServer),
    ("SourceCafeServer", Column::FrontEndServer),
    ("SoapAction", Column::SoapAction),
    ("ImpersonatedUser", Column::ImpersonatedUser),
    ("StartTime", Column::StartTime),
    ("ProcessId", Column::ProcessId),
    ("RequestType", Column::RequestType),
    ("MapiRequestId", Column::MapiRequestId),
    ("UPN", Column::Upn),
    ("AuthenticatedUserEmail", Column::AuthenticatedUserEmail),
];

/// One header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// Column names as logged.
    pub names: Vec<String>,
    places: [Option<usize>; COLUMNS],
    /// The same without a name that is empty: builds of 2013 print `TargetServer,,TargetServerVersion`, and their
    /// rows have nothing there, not even a comma (published rows of 15.0.516).
    narrow: Option<Box<Layout>>,
}

impl Layout {
    /// Reads a header, with or without `#Fields:` before it.
    pub fn parse(header: &[u8]) -> Layout {
        let header = after_fields(header).unwrap_or(header).trim_ascii();
        let names: Vec<String> = header
            .split(|&byte| byte == b',')
            .map(|name| String::from_utf8_lossy(cells::unquoted(name.trim_ascii())).into_owned())
            .collect();
        let mut layout = Layout::of(names);
        let empty = layout.names.iter().position(String::is_empty);
        if let Some(empty) = empty.filter(|&at| at + 1 < layout.len()) {
            let mut names = layout.names.clone();
            names.remove(empty);
            layout.narrow = Some(Box::new(Layout::of(names)));
        }
        layout
    }

    fn of(names: Vec<String>) -> Layout {
        let places = lines::places(&names, NAMES, |column| column as usize);
        Layout { names, places, narrow: None }
    }

    /// Place of a column, from 0.
    #[inline]
    pub fn place(&self, column: Column) -> Option<usize> {
        self.places.get(column as usize).copied().flatten()
    }

    /// Number of columns.
    #[inline]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether the header names nothing.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The columns of a row with that many cells, if they fit.
    #[inline(always)]
    pub(super) fn fitting(&self, n_cells: usize) -> Option<&Layout> {
        if n_cells == self.len() {
            return Some(self);
        }
        self.narrow.as_deref().filter(|narrow| narrow.len() == n_cells)
    }

    /// Which log has such columns; [`Kind::Unknown`]: none that tells of access.
    ///
    /// The back end of Autodiscover logs `SoapAction` as well, but impersonates nobody.
    pub fn kind(&self) -> Kind {
        let has = |column| self.place(column).is_some();
        if !has(Column::DateTime) {
            Kind::Unknown
        } else if has(Column::UrlStem) && has(Column::AnchorMailbox) {
            Kind::HttpProxy
        } else if has(Column::SoapAction) && has(Column::ImpersonatedUser) {
            Kind::EwsLog
        } else if has(Column::MapiRequestId) {
            Kind::MapiLog
        } else {
            Kind::Unknown
        }
    }
}

/// A line that says what the columns are: `#Fields:`, or a row whose first cell is `DateTime` (DOMAIN.md 3.1).
pub fn is_header(line: &[u8]) -> bool {
    is_bare_header(line) || after_fields(line).is_some()
}

/// A header without `#Fields:`.
pub fn is_bare_header(line: &[u8]) -> bool {
    let first = line.split(|&byte| byte == b',').next().unwrap_or_default();
    cells::unquoted(first.trim_ascii()).eq_ignore_ascii_case(b"DateTime")
        && first.len() < line.len()
}

fn after_fields(line: &[u8]) -> Option<&[u8]> {
    let (head, rest) = line.split_at_checked(b"#Fields:".len())?;
    head.eq_ignore_ascii_case(b"#Fields:").then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_columns_in_any_order_and_case() {
        let layout = Layout::parse(
            b"#Fields: datetime,\"HTTPSTATUS\", AuthenticatedUser ,BackendStatus\r\n",
        );
        assert_eq!(layout.names, ["datetime", "HTTPSTATUS", "AuthenticatedUser", "BackendStatus"]);
        assert_eq!(layout.place(Column::HttpStatus), Some(1));
        assert_eq!(layout.place(Column::AuthenticatedUser), Some(2));
        assert_eq!(layout.place(Column::UrlStem), None);
        assert_eq!(layout.fitting(4), Some(&layout));
        assert_eq!(layout.fitting(3), None);
        let layout = Layout::parse(b"DateTime,HttpStatusCode,ClientIP,HttpStatus");
        assert_eq!(layout.place(Column::HttpStatus), Some(3));
        assert_eq!(layout.place(Column::ClientIpAddress), Some(2));
    }

    #[test]
    fn an_empty_name_may_have_no_cell() {
        let layout = Layout::parse(b"DateTime,TargetServer,,TargetServerVersion,UrlQuery");
        assert_eq!(layout.place(Column::UrlQuery), Some(4));
        assert_eq!(layout.fitting(4).unwrap().place(Column::UrlQuery), Some(3));
        assert_eq!(layout.fitting(4).unwrap().place(Column::TargetServer), Some(1));
        // A comma at the end of the header is no column at all.
        assert_eq!(Layout::parse(b"DateTime,HttpStatus,").fitting(2), None);
    }

    #[test]
    fn tells_headers_and_logs_by_their_columns() {
        for (line, expect) in [
            ("#Fields: DateTime,UrlStem,AnchorMailbox", Some(Kind::HttpProxy)),
            ("\"DateTime\",\"AnchorMailbox\",\"UrlStem\"", Some(Kind::HttpProxy)),
            ("datetime,SoapAction,ImpersonatedUser", Some(Kind::EwsLog)),
            ("DateTime,FrontEndServer,SoapAction,RedirectType", Some(Kind::Unknown)),
            ("DateTime,MapiRequestId", Some(Kind::MapiLog)),
            ("DateTime,Cmdlet", Some(Kind::Unknown)),
            ("#fields: TimeStamp,UrlStem,AnchorMailbox", Some(Kind::Unknown)),
            ("TimeStamp,ServerName", None),
            ("DateTime", None),
            ("2026-03-02T08:00:00.000Z,DateTime", None),
            ("", None),
        ] {
            let line = line.as_bytes();
            let kind = is_header(line).then(|| Layout::parse(line).kind());
            assert_eq!(kind, expect, "{}", String::from_utf8_lossy(line));
        }
    }
}
