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
