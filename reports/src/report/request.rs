//! A judged request, as `--requests` writes it.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::Word;
use crate::fields::{ChangeKind, Class, Protocol, Residual, Time};

/// One classed request: a row of `--requests`. A text that the log does not have is empty, `""`, and never left out.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RequestRow {
    /// Source.
    pub path: String,
    /// Line.
    pub line: u64,
    /// Server.
    pub server: String,
    /// Front-end pool.
    pub pool: String,
    /// Protocol word.
    #[serde(with = "Protocol")]
    pub protocol: Word,
    /// Account.
    pub account: String,
    /// Id of the change in effect.
    pub change: String,
    /// Kind of that change.
    #[serde(with = "ChangeKind")]
    pub kind: Word,
    /// `end` minus time-taken.
    #[serde(with = "Time")]
    pub start: DateTime<Utc>,
    /// Time of the entry.
    #[serde(with = "Time")]
    pub end: DateTime<Utc>,
    /// `sc-status` and `sc-substatus`, `401.1`; the status alone where there is no substatus column.
    pub status: String,
    /// `sc-win32-status`
    pub win32: Option<u64>,
    /// `cs-username` as logged; empty where the log has none.
    pub name: String,
    /// `c-ip`; empty where the log has none.
    pub client_ip: String,
    /// EAS `DeviceId`; empty where the request names none.
    pub device: String,
    /// `cs(User-Agent)`; empty where the log has none.
    pub user_agent: String,
    /// EAS command, OWA action, RPC verb …; empty where there is none.
    pub command: String,
    /// Authentication scheme, empty where it is not known; `basic?` is the default of the virtual directory.
    pub auth: String,
    /// Class of DESIGN.md section 3.
    #[serde(with = "Class")]
    pub class: Word,
    /// `certain`, `likely`, `possible`, `no`.
    #[serde(with = "Residual")]
    pub residual: Word,
}
