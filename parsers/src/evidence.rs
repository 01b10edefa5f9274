//! Change evidence of any kind to facts: one entrance for all exports.

use crate::event::{Fact, Reject};
use crate::kind::Kind;
use crate::time::LocalTime;
use chrono::{DateTime, Utc};

/// What became of the records of one source: `records = told + of_no_interest + rejected`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records read, whole or not.
    pub records: u64,
    /// Records that gave at least one fact.
    pub told: u64,
    /// Sound records that tell nothing of an account, a logon, a restart or a logon method.
    pub of_no_interest: u64,
    /// Records of passwords that a domain controller checked, of whatever interest.
    pub validations: u64,
    /// Records that were not understood.
    pub rejected: u64,
    /// Time of the earliest record, of whatever interest, where records have a time.
    pub first: Option<DateTime<Utc>>,
    /// Time of the latest record.
    pub last: Option<DateTime<Utc>>,
}

impl Tally {
    /// Widens the span of time.
    pub fn saw(&mut self, time: DateTime<Utc>) {
        self.first = Some(self.first.map_or(time, |t| t.min(time)));
        self.last = Some(self.last.map_or(time, |t| t.max(time)));
    }

    /// Adds what became of more records.
    pub fn add(&mut self, more: Tally) {
        self.records += more.records;
        self.told += more.told;
        self.of_no_interest += more.of_no_interest;
        self.validations += more.validations;
        self.rejected += more.rejected;
        [more.first, more.last].into_iter().flatten().for_each(|time| self.saw(time));
    }
}

/// Where facts and rejects go, in the order of the source.
pub type Sink<'a> = dyn FnMut(Result<Fact, Reject>) + 'a;

/// Reads a whole source of change evidence. `bytes` is decoded text (UTF-8, no BOM; other bytes are tolerated)
/// or an EVTX file. `local` says how times without a zone are to be understood.
pub fn facts(kind: Kind, bytes: &[u8], local: &LocalTime, sink: &mut Sink<'_>) -> Tally {
    match kind {
        Kind::Evtx => crate::evtx::facts(bytes, sink),
        Kind::EventXml => crate::xml::facts(bytes, sink),
        Kind::EventJson => crate::json::facts(bytes, local, sink),
        Kind::EventCsv => crate::event_csv::facts(bytes, local, sink),
        Kind::AdCsv => crate::ad_csv::facts(bytes, local, sink),
        Kind::Ldif => crate::ldif::facts(bytes, sink),
        Kind::ReplMetadata => crate::repl_metadata::facts(bytes, local, sink),
        Kind::ChangeList => crate::change_list::facts(bytes, local, sink),
        Kind::IisConfig => crate::application_host::facts(bytes, sink),
        Kind::IisW3c
        | Kind::Httperr
        | Kind::HttpProxy
        | Kind::EwsLog
        | Kind::MapiLog
        | Kind::Unknown => Tally::default(),
    }
}
