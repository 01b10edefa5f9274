//! Times and words of the report to JSON, and back.

use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer, Error};

use crate::report::Word;

/// Every word that a field of the report can hold (DESIGN.md sections 3 and 4).
const WORDS: &[Word] = &[
    crate::report::SCHEMA,
    crate::plan::SCHEMA,
    "stillin",
    // Kinds of sources, and what a Security log covers.
    "iis-w3c",
    "httperr",
    "http-proxy",
    "ews-log",
    "mapi-log",
    "evtx",
    "event-xml",
    "event-json",
    "event-csv",
    "ad-csv",
    "ldif",
    "repl-metadata",
    "change-list",
    "iis-config",
    "logons",
    // Their encodings.
    "utf-8",
    "utf-8-bom",
    "utf-16le",
    "utf-16be",
    "ansi",
    "binary",
    // Kinds of changes, and how well their time is known.
    "disabled",
    "enabled",
    "deleted",
    "password_changed",
    "password_reset",
    "password_set",
    "expired",
    "locked_out",
    "unlocked",
    "renamed",
    "created",
    "exact",
    "at_latest",
    // Protocols.
    "eas",
    "ews",
    "rpc",
    "mapi",
    "owa",
    "ecp",
    "oab",
    "autodiscover",
    "powershell",
    "rest",
    "other",
    // Classes.
    "in_flight",
    "within_slack",
    "refused",
    "cached_token",
    "other_auth",
    "ambiguous",
    "new_logon",
    "unexplained",
    // How sure it is.
    "no",
    "possible",
    "likely",
    "certain",
    // Mailboxes that are disabled by design.
    "linked",
    "shared",
    "room",
    "equipment",
    "system",
    // States; `expired` and `refused` are above.
    "open",
    "recycled",
    "unknown",
    // Actions.
    "recycle",
];

fn known<E: Error>(text: &str) -> Result<Word, E> {
    WORDS
        .iter()
        .copied()
        .find(|word| *word == text)
        .ok_or_else(|| E::custom(format!("`{text}` is no word of {}", crate::report::SCHEMA)))
}

fn instant<E: Error>(text: &str) -> Result<DateTime<Utc>, E> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|_| E::custom(format!("`{text}` is no time")))
}

/// A word.
pub mod word {
    use super::*;
    use serde::Serializer;

    /// As it is.
    pub fn serialize<S: Serializer>(word: &Word, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(word)
    }

    /// One that is known.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Word, D::Error> {
        known(&String::deserialize(from)?)
    }
}

/// A word, or none.
pub mod maybe_word {
    use super::*;
    use serde::{Serialize, Serializer};

    /// As it is.
    pub fn serialize<S: Serializer>(word: &Option<Word>, to: S) -> Result<S::Ok, S::Error> {
        word.serialize(to)
    }

    /// One that is known.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Word>, D::Error> {
        Option::<String>::deserialize(from)?.map(|text| known(&text)).transpose()
    }
}

/// A time.
pub mod time {
    use super::*;
    use serde::Serializer;

    /// As RFC 3339, in UTC.
    pub fn serialize<S: Serializer>(time: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&crate::report::rfc3339(time))
    }

    /// From RFC 3339.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DateTime<Utc>, D::Error> {
        instant(&String::deserialize(from)?)
    }
}

/// A time, or none.
pub mod maybe_time {
    use super::*;
    use serde::{Serialize, Serializer};

    /// As RFC 3339, in UTC.
    pub fn serialize<S: Serializer>(
        time: &Option<DateTime<Utc>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        time.as_ref().map(crate::report::rfc3339).serialize(to)
    }

    /// From RFC 3339.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        Option::<String>::deserialize(from)?.map(|text| instant(&text)).transpose()
    }
}
