//! What was read, and what it can speak about, as the report tells it.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Word;
use crate::fields::{MaybeEncoding, MaybeProtocol, MaybeTime, SourceKind, Time};

/// One file, member of an archive, or stream.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// As the user named it, with `/`; a member of an archive follows `!`.
    pub path: String,
    /// Kind word of DESIGN.md section 4.
    #[serde(with = "SourceKind")]
    pub kind: Word,
    /// The server it speaks of, for logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Bytes as stored.
    pub bytes: u64,
    /// SHA-256 of the bytes as stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Requests or records, rejected ones included.
    pub records: u64,
    /// Lines or records that were not understood.
    pub rejected: u64,
    /// Lines understood after a rule was applied (a space in `cs-uri-query`).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repaired: u64,
    /// Runs of NUL bytes, each a hole in the log.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub nul_runs: u64,
    /// Requests of probes and machine accounts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub noise: u64,
    /// Back-end requests set aside because the front end's log was supplied.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub back_end: u64,
    /// Requests set aside because they stand in a copy of a log that was supplied as well.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub copied: u64,
    /// Earliest record.
    #[serde(with = "MaybeTime")]
    pub first: Option<DateTime<Utc>>,
    /// Latest record.
    #[serde(with = "MaybeTime")]
    pub last: Option<DateTime<Utc>>,
    /// `utf-8`, `utf-8-bom`, `utf-16le`, `utf-16be`, `ansi`, `binary`; with `inspect` only.
    #[serde(with = "MaybeEncoding", default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Word>,
    /// Column or attribute names; with `inspect` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// The first rejects with place and reason (all of them are counted in `rejected`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejects: Vec<Reject>,
    /// Why it was not read, or not to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// One piece that was not understood.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Reject {
    /// Line, or record number for EVTX.
    pub pos: u64,
    /// Why, in words.
    pub reason: String,
}

/// What one server's sources of one kind can speak about.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Server name.
    pub server: String,
    /// Kind word; `logons` for the logons by worker processes in the Security log.
    #[serde(with = "SourceKind")]
    pub kind: Word,
    /// Protocol word, for HttpProxy, which has a log for each.
    #[serde(with = "MaybeProtocol", default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Word>,
    /// First entry.
    #[serde(with = "Time")]
    pub from: DateTime<Utc>,
    /// Last entry.
    #[serde(with = "Time")]
    pub to: DateTime<Utc>,
    /// Holes in between.
    pub gaps: Vec<Gap>,
}

/// A hole in a log.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// Last entry before it.
    #[serde(with = "Time")]
    pub from: DateTime<Utc>,
    /// First entry after it.
    #[serde(with = "Time")]
    pub to: DateTime<Utc>,
}

/// How the clock of a server stands to that of a domain controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// Server.
    pub server: String,
    /// Domain controller.
    pub controller: String,
    /// Logons that both have.
    pub pairs: u64,
    /// By so much the server is ahead (the median of the pairs); missing where they do not agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead_seconds: Option<i64>,
    /// Median distance of the pairs from that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread_seconds: Option<i64>,
}
