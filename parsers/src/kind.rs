//! What a file is, told from its first bytes, never from its name.

use std::fmt;

/// The kinds of source that are told apart (DESIGN.md section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// IIS log in W3C extended format.
    IisW3c,
    /// HTTP.sys error log.
    Httperr,
    /// Exchange HttpProxy log.
    HttpProxy,
    /// Exchange EWS back-end log.
    EwsLog,
    /// Exchange MapiHttp back-end log.
    MapiLog,
    /// Windows event log, binary.
    Evtx,
    /// Windows events as XML, with or without a root.
    EventXml,
    /// Windows events as JSON or JSON lines, of any known shipper.
    EventJson,
    /// Windows events as CSV (EvtxECmd).
    EventCsv,
    /// `Get-ADUser`, `Search-ADAccount` or `csvde`.
    AdCsv,
    /// `ldifde`, `ldapsearch`, `ldbsearch`.
    Ldif,
    /// `repadmin /showobjmeta`, `Get-ADReplicationAttributeMetadata`.
    ReplMetadata,
    /// CSV with the columns `time,account,change,actor`.
    ChangeList,
    /// `applicationHost.config`.
    IisConfig,
    /// None of these.
    Unknown,
}

impl Kind {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Kind::IisW3c => "iis-w3c",
            Kind::Httperr => "httperr",
            Kind::HttpProxy => "http-proxy",
            Kind::EwsLog => "ews-log",
            Kind::MapiLog => "mapi-log",
            Kind::Evtx => "evtx",
            Kind::EventXml => "event-xml",
            Kind::EventJson => "event-json",
            Kind::EventCsv => "event-csv",
            Kind::AdCsv => "ad-csv",
            Kind::Ldif => "ldif",
            Kind::ReplMetadata => "repl-metadata",
            Kind::ChangeList => "change-list",
            Kind::IisConfig => "iis-config",
            Kind::Unknown => "unknown",
        }
    }

    /// Tells of account changes.
    pub fn is_change_evidence(self) -> bool {
        matches!(
            self,
            Kind::Evtx
                | Kind::EventXml
                | Kind::EventJson
                | Kind::EventCsv
                | Kind::AdCsv
                | Kind::Ldif
                | Kind::ReplMetadata
                | Kind::ChangeList
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Tells what a text is from its first bytes (up to 64 KiB, decoded).
///
/// The directives of a log come first: no client can write a line of its own into one, while what clients
/// sent may look like anything.
pub fn sniff(head: &[u8]) -> Kind {
    if crate::evtx::sniff(head) {
        return Kind::Evtx;
    }
    if let Some(kind) = sniff_log(head) {
        return kind;
    }
    type Test = fn(&[u8]) -> bool;
    let tests: [(Test, Kind); 8] = [
        (crate::application_host::sniff, Kind::IisConfig),
        (crate::xml::sniff, Kind::EventXml),
        (crate::json::sniff, Kind::EventJson),
        (crate::event_csv::sniff, Kind::EventCsv),
        (crate::change_list::sniff, Kind::ChangeList),
        (crate::repl_metadata::sniff, Kind::ReplMetadata),
        (crate::ad_csv::sniff, Kind::AdCsv),
        (crate::ldif::sniff, Kind::Ldif),
    ];
    tests.into_iter().find(|(test, _)| test(head)).map_or(Kind::Unknown, |(_, kind)| kind)
}

/// W3C logs and the logs of Exchange itself, by their directives or by their header row.
fn sniff_log(head: &[u8]) -> Option<Kind> {
    use crate::exchange_log::layout::{Layout, is_bare_header};
    let lines = || {
        let lines = head.split(|&byte| byte == b'\n' || byte == 0);
        lines.map(|line| line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii())
    };
    let directive = |name: &[u8]| {
        let is_it = |line: &&[u8]| {
            line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        lines().find(is_it).and_then(|line| line.get(name.len()..)).map(<[u8]>::trim_ascii)
    };
    let header = lines().find(|line| is_bare_header(line)).or(directive(b"#Fields:"))?;
    if is_bare_header(header) {
        let log_type = directive(b"#Log-type:").map(<[u8]>::to_ascii_lowercase);
        return match (log_type.as_deref(), Layout::parse(header).kind()) {
            (Some(b"httpproxy logs"), _) => Some(Kind::HttpProxy),
            (Some(b"ews logs"), _) => Some(Kind::EwsLog),
            (Some(b"mapihttp logs" | b"mapi http logs"), _) => Some(Kind::MapiLog),
            // Without a word of Exchange it may be any table with that column.
            (None, Kind::Unknown) => None,
            (_, kind) => Some(kind),
        };
    }
    let layout = crate::w3c::Layout::parse(header);
    if layout.is_httperr() {
        Some(Kind::Httperr)
    } else if layout.is_web() {
        Some(Kind::IisW3c)
    } else {
        Some(Kind::Unknown)
    }
}

/// Whether a text of unknown kind may tell of requests: surely, perhaps, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfRequests {
    /// It has the look of a log of requests.
    Yes,
    /// It has no look of anything.
    Perhaps,
    /// It has that of something else, or holds nothing.
    No,
}

/// Whether a text of unknown kind may be a log of requests.
pub fn is_of_requests(head: &[u8]) -> OfRequests {
    match why_unknown(head) {
        BARE_W3C | IIS_NATIVE | NCSA => OfRequests::Yes,
        OTHER_W3C | UNKNOWN => OfRequests::Perhaps,
        _ => OfRequests::No,
    }
}

const OTHER_W3C: &str = "a W3C log, but not of web requests: no cs-method, no cs-uri-stem";
const IIS_NATIVE: &str = "IIS native format, whose times have no zone; log in W3C format instead";
const BARE_W3C: &str = "lines as IIS writes them, but no #Fields line says what they hold; put the log's own #Fields line in front";
const NCSA: &str = "perhaps an NCSA log, which has no win32 status; log in W3C format instead";
const UNKNOWN: &str = "none of the known kinds";

/// Why a text of unknown kind is not read, and what to do, where that can be told.
pub fn why_unknown(head: &[u8]) -> &'static str {
    let text = head.trim_ascii();
    let starts = |start: &[u8]| {
        text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    };
    let lines = || text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let w3c = lines().any(|line| line.starts_with(b"#Fields:"));
    if text.is_empty() {
        "empty"
    } else if starts(b"#Log-type:") || lines().any(|line| line.starts_with(b"#Log-type:")) {
        "a log of Exchange that tells nothing of access or of account changes"
    } else if w3c {
        OTHER_W3C
    } else if starts(b"#TYPE System.Diagnostics.Eventing") {
        "events exported without their data; export with wevtutil qe Security /f:xml instead"
    } else if is_iis_native(text) {
        IIS_NATIVE
    } else if is_bare_w3c(text) {
        BARE_W3C
    } else if lines().next().is_some_and(is_ncsa) {
        NCSA
    } else {
        UNKNOWN
    }
}

/// `203.0.113.7, user, 03/02/26, 7:55:20, W3SVC1, …`
fn is_iis_native(text: &[u8]) -> bool {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let cells: Vec<&[u8]> = line.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).collect();
    cells.len() >= 15 && cells.get(4).is_some_and(|cell| cell.starts_with(b"W3SVC"))
}

/// `203.0.113.7 - ada [02/Mar/2026:07:55:20 +0100] "GET /owa/ HTTP/1.1" 200 57`
fn is_ncsa(line: &[u8]) -> bool {
    let opened = line.iter().position(|&byte| byte == b'[').and_then(|at| line.get(at + 1..));
    opened.and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit)
        && line.windows(3).any(|part| part == b"] \"")
}

/// A date, a time and many values in the first line.
fn is_bare_w3c(text: &[u8]) -> bool {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let values: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
    let shape = |value: Option<&&[u8]>, separator: u8, len: usize| {
        value.is_some_and(|value| {
            value.len() == len && value.iter().all(|&b| b.is_ascii_digit() || b == separator)
        })
    };
    values.len() >= 8 && shape(values.first(), b'-', 10) && shape(values.get(1), b':', 8)
}
