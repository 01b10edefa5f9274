//! What one document holds, field by field, under the names and in the order in which it is written.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::fields::{MaybeTime, Time};
use crate::report::Word;

/// One document.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Document<'a> {
    /// End of the request; of a finding, its last residual access.
    #[serde(rename = "@timestamp", with = "Time")]
    pub timestamp: DateTime<Utc>,
    /// The version of ECS.
    pub ecs: Ecs,
    /// What happened.
    pub event: Event<'a>,
    /// In a sentence; characters that steer a terminal are shown as escapes.
    pub message: String,
    /// Whose account.
    pub user: User<'a>,
    /// The server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Named<'a>>,
    /// The front-end application pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Named<'a>>,
    /// Where the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Origin<'a>>,
    /// The device, where ActiveSync names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Device<'a>>,
    /// The program of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<UserAgent<'a>>,
    /// What was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Log<'a>>,
    /// The class, as the rule by which it was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// Everything by which documents of one thing are found.
    pub related: Related<'a>,
    /// Words to filter by.
    pub labels: Labels,
    /// What ECS has no field for.
    pub stillin: Own<'a>,
}

/// `ecs.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Ecs {
    /// `ecs.version`
    pub version: Word,
}

/// `event.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Event<'a> {
    /// `stillin`
    pub module: Word,
    /// `stillin.requests`, `stillin.findings`
    pub dataset: Word,
    /// `event`; `alert` for a finding.
    pub kind: Word,
    /// Words of ECS: `web`, `authentication`.
    pub category: &'static [Word],
    /// Words of ECS: `access`, `start`, `info`.
    #[serde(rename = "type")]
    pub types: &'static [Word],
    /// What the request wanted; of a finding `residual-access`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<&'a str>,
    /// Of a request: `success`, `failure`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Word>,
    /// Begin of the request; of a finding, its first residual access.
    #[serde(with = "Time")]
    pub start: DateTime<Utc>,
    /// Its end.
    #[serde(with = "Time")]
    pub end: DateTime<Utc>,
    /// From start to end, nanoseconds.
    pub duration: i64,
    /// Of a finding: 99 certain, 73 likely, 47 possible, as detection rules grade risk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<u8>,
}

/// `user.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct User<'a> {
    /// `sAMAccountName`, or what is known instead.
    pub name: &'a str,
    /// What stands before `\`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<&'a str>,
    /// SID, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
}

/// `host.name`, `service.name`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Named<'a> {
    /// Its name.
    pub name: &'a str,
}

/// `source.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Origin<'a> {
    /// As logged.
    pub address: &'a str,
    /// The same, where it is an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
}

/// `device.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Device<'a> {
    /// EAS `DeviceId`
    pub id: &'a str,
}

/// `user_agent.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct UserAgent<'a> {
    /// As logged.
    pub original: &'a str,
}

/// `http.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Http {
    /// `http.response.*`
    pub response: Response,
}

/// `http.response.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Response {
    /// `sc-status`
    pub status_code: u16,
}

/// `log.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Log<'a> {
    /// `log.file.*`
    pub file: LogFile<'a>,
}

/// `log.file.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct LogFile<'a> {
    /// The source, as in the report.
    pub path: &'a str,
}

/// `rule.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Rule {
    /// The class.
    pub name: Word,
    /// `stillin`
    pub ruleset: Word,
}

/// `related.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Related<'a> {
    /// Accounts, names as logged, SIDs.
    pub user: Vec<&'a str>,
    /// Servers.
    pub hosts: Vec<&'a str>,
    /// Addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ip: Vec<String>,
}

/// `labels.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Labels {
    /// How sure it is that it should not have been served.
    pub residual: Word,
    /// Kind of the change.
    pub change: Word,
}

/// `stillin.*`
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Own<'a> {
    /// Id of the finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<&'a str>,
    /// Id of the change.
    pub change: &'a str,
    /// Time of the change.
    #[serde(with = "MaybeTime", skip_serializing_if = "Option::is_none")]
    pub change_at: Option<DateTime<Utc>>,
    /// Who made the change, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<&'a str>,
    /// The account, as in the report.
    pub account: &'a str,
    /// The name as logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// Protocol word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Word>,
    /// Authentication scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<&'a str>,
    /// `sc-status` and `sc-substatus`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'a str>,
    /// `sc-win32-status`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub win32: Option<u64>,
    /// Line of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Of a finding: how long it lasted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure_seconds: Option<i64>,
    /// Of a finding: its requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Of a finding: its paths that may go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_paths: Option<u64>,
}
