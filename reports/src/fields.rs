//! Times and words of the report to JSON, and back; and what a schema says of them. Each is named in `with` of a field,
//! where serde and schemars both look.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};

use crate::report::{Word, rfc3339};

fn known<E: Error>(text: &str, words: &[Word]) -> Result<Word, E> {
    let word = words.iter().copied().find(|word| *word == text);
    word.ok_or_else(|| E::custom(format!("`{text}` is no word of {}", crate::report::SCHEMA)))
}

fn instant<E: Error>(text: &str) -> Result<DateTime<Utc>, E> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|_| E::custom(format!("`{text}` is no time")))
}

/// A closed list of words (DESIGN.md sections 3 and 4).
macro_rules! words {
    ($name:ident, $doc:literal: $($word:expr),+) => {
        #[doc = $doc]
        pub struct $name;

        impl $name {
            /// All of them.
            pub const WORDS: &[Word] = &[$($word),+];

            /// As it is.
            pub fn serialize<S: Serializer>(word: &Word, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(word)
            }

            /// One that is known.
            pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Word, D::Error> {
                known(&String::deserialize(from)?, Self::WORDS)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                Self::WORDS.len() == 1
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                match Self::WORDS {
                    [word] => json_schema!({ "const": word }),
                    words => json_schema!({ "description": $doc, "type": "string", "enum": words }),
                }
            }
        }
    };
}

/// A word of a closed list, or none.
macro_rules! maybe_words {
    ($maybe:ident, $name:ident, $doc:literal) => {
        #[doc = $doc]
        pub struct $maybe;

        impl $maybe {
            /// As it is.
            pub fn serialize<S: Serializer>(word: &Option<Word>, to: S) -> Result<S::Ok, S::Error> {
                word.serialize(to)
            }

            /// One that is known.
            pub fn deserialize<'de, D: Deserializer<'de>>(
                from: D,
            ) -> Result<Option<Word>, D::Error> {
                let text = Option::<String>::deserialize(from)?;
                text.map(|text| known(&text, $name::WORDS)).transpose()
            }
        }

        impl JsonSchema for $maybe {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($maybe).into()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                generator.subschema_for::<Option<$name>>()
            }
        }
    };
}

words!(ReportSchema, "The schema of a report.": crate::report::SCHEMA);
words!(PlanSchema, "The schema of a plan.": crate::plan::SCHEMA);
words!(VerifySchema, "The schema of what `verify` found out.": crate::verify::SCHEMA);
words!(ToolName, "The name of the program.": "stillin");
words!(SourceKind, "Kind of a source; `logons` is what a Security log covers.":
    "iis-w3c", "httperr", "http-proxy", "ews-log", "mapi-log", "evtx", "event-xml", "event-json", "event-csv",
    "ad-csv", "ldif", "repl-metadata", "change-list", "iis-config", "logons", "unknown");
words!(Encoding, "Encoding of a source.": "utf-8", "utf-8-bom", "utf-16le", "utf-16be", "ansi", "binary");
words!(ChangeKind, "Kind of a change.":
    "disabled", "enabled", "deleted", "password_changed", "password_reset", "password_set", "expired", "locked_out",
    "unlocked", "renamed", "created");
words!(Precision, "How well the time of a change is known: it was then, or then at the latest.": "exact", "at_latest");
words!(Protocol, "Protocol of the client.":
    "eas", "ews", "rpc", "mapi", "owa", "ecp", "oab", "autodiscover", "powershell", "rest", "other");
words!(Class, "Why a request was served, or was not.":
    "in_flight", "within_slack", "refused", "cached_token", "other_auth", "ambiguous", "new_logon", "unexplained");
words!(Residual, "How sure it is that it should not have been served.": "no", "possible", "likely", "certain");
words!(Mailbox, "Kind of a mailbox whose account is disabled by design.": "linked", "shared", "room", "equipment", "system");
words!(ConfigSchema, "The schema of what `config` prints.": crate::settings::SCHEMA);
words!(SettingFrom, "Where a value comes from.": "flag", "environment", "file", "default");
words!(State, "Whether access may go on.": "open", "expired", "refused", "recycled", "unknown");
words!(Action, "What a step of a plan does.": "recycle");
words!(Verified, "Whether access is over, as `verify` says it.":
    "proven", "no_contradiction", "failed", "not_recycled", "no_coverage");
maybe_words!(MaybeProtocol, Protocol, "Protocol of the client, or none.");
maybe_words!(MaybeEncoding, Encoding, "Encoding of a source, or none.");

/// A time, as RFC 3339 in UTC.
pub struct Time;

impl Time {
    /// As RFC 3339, in UTC.
    pub fn serialize<S: Serializer>(time: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&rfc3339(time))
    }

    /// From RFC 3339.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DateTime<Utc>, D::Error> {
        instant(&String::deserialize(from)?)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "RFC 3339, in UTC; fractions only where the evidence has them.",
            "type": "string",
            "format": "date-time",
            "pattern": "Z$",
        })
    }
}

/// A time, or none.
pub struct MaybeTime;

impl MaybeTime {
    /// As RFC 3339, in UTC.
    pub fn serialize<S: Serializer>(
        time: &Option<DateTime<Utc>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        time.as_ref().map(rfc3339).serialize(to)
    }

    /// From RFC 3339.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        Option::<String>::deserialize(from)?.map(|text| instant(&text)).transpose()
    }
}

impl JsonSchema for MaybeTime {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "MaybeTime".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Option<Time>>()
    }
}
