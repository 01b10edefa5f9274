//! The report: what is promised to others. The only types that are serialised, and their one order of
//! fields; what was written can be read back.

mod request;
mod sources;
mod trend;

pub use request::RequestRow;
pub use sources::{Clock, Coverage, Gap, Reject, Source};
pub use trend::Week;

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fields::{
    Action, ChangeKind, Class, Mailbox, MaybeTime, Precision, Protocol, ReportSchema, Residual,
    State, Time, ToolName,
};

/// The schema that `Report` follows.
pub const SCHEMA: &str = "stillin/report/1";

/// A word of a closed list.
pub type Word = &'static str;

/// A time as the report writes it: RFC 3339, UTC, fractions only where the evidence has them.
pub fn rfc3339(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Everything that one run found out.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Always [`SCHEMA`].
    #[serde(with = "ReportSchema")]
    pub schema: Word,
    /// The program that wrote it.
    pub tool: Tool,
    /// The rules in force.
    pub rules: Rules,
    /// What was read, sorted by path.
    pub sources: Vec<Source>,
    /// What the sources can speak about.
    pub coverage: Vec<Coverage>,
    /// Every change, by time.
    pub changes: Vec<Change>,
    /// Residual access, the gravest first.
    pub findings: Vec<Finding>,
    /// How many findings the settings of `nightly` left out, each of which a note names: the others are not all there is.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub excluded: u64,
    /// How many findings and changes of earlier nights nobody can judge by tonight's sources, each of which a note names.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub undecided: u64,
    /// Requests under the names of accounts that are disabled by design: no finding, but to be known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_design: Vec<ByDesign>,
    /// How the clocks of servers stand to those of domain controllers, where logons that both have tell it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<Clock>,
    /// What to recycle, in order.
    pub plan: Vec<Step>,
    /// What a recycle does not cut, and what else to know.
    pub advice: Vec<Advice>,
    /// What stands between the reader and certainty: one sentence each, with the cure.
    pub notes: Vec<String>,
    /// How findings came and went, week by week; only in what `nightly` writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trend: Vec<Week>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What `inspect` found out.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Inspection<'a> {
    /// What was looked at, sorted by path.
    pub sources: &'a [Source],
}

/// Name and version of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `stillin`
    #[serde(with = "ToolName")]
    pub name: Word,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program: its packages have one version.
    pub fn this() -> Tool {
        Tool { name: "stillin", version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// The rules a report was made under.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Rules {
    /// Life of an idle token, seconds (`UserTokenTTL`).
    pub ttl_seconds: i64,
    /// Allowance for replication and clock skew, seconds.
    pub slack_seconds: i64,
    /// Requests that ended before were not looked at.
    #[serde(with = "MaybeTime", default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Requests that ended after were not looked at.
    #[serde(with = "MaybeTime", default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Only these accounts were looked at; empty is all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
    /// What pools were said to let clients log on with, `POOL=SCHEME`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub auth: Vec<String>,
    /// What else it was judged by that the command line did not say: `tz=+02:00 (stillin.toml:3)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<String>,
    /// Names, SIDs, addresses and devices are pseudonyms, and under which key: `key-3f9a1c2b77d0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudonyms: Option<String>,
}

/// One change with all its evidence.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// `c1`, `c2`, … in order of time.
    pub id: String,
    /// `DOMAIN\sam`, or the best name known.
    pub account: String,
    /// SID, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Kind of change, a word of DESIGN.md section 3.
    #[serde(with = "ChangeKind")]
    pub kind: Word,
    /// When.
    #[serde(with = "Time")]
    pub at: DateTime<Utc>,
    /// `exact` or `at_latest`.
    #[serde(with = "Precision")]
    pub precision: Word,
    /// The latest time that a source gives, where sources contradict each other; `at` is the earliest.
    #[serde(with = "MaybeTime", default, skip_serializing_if = "Option::is_none")]
    pub disputed_until: Option<DateTime<Utc>>,
    /// By whom, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Every record that tells of it.
    pub evidence: Vec<ChangeEvidence>,
}

/// A record that tells of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeEvidence {
    /// Source.
    pub path: String,
    /// Line, or record number for EVTX.
    pub pos: u64,
}

/// One account and one change with residual access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// `f1`, `f2`, …
    pub id: String,
    /// Id of the change.
    pub change: String,
    /// The account.
    pub account: String,
    /// Kind of the change.
    #[serde(with = "ChangeKind")]
    pub kind: Word,
    /// Time of the change.
    #[serde(with = "Time")]
    pub at: DateTime<Utc>,
    /// `certain`, `likely`, `possible`.
    #[serde(with = "Residual")]
    pub residual: Word,
    /// End of the first residual access that is as sure as the finding; `paths` have what is less sure as well.
    #[serde(with = "Time")]
    pub first: DateTime<Utc>,
    /// End of the last residual access that is as sure as the finding.
    #[serde(with = "Time")]
    pub last: DateTime<Utc>,
    /// `last` minus `at`; less where sources put the change later, or the clock of the server was ahead.
    pub exposure_seconds: i64,
    /// Residual requests that are as sure as the finding: less than those of `paths` together where some are less sure.
    pub requests: u64,
    /// One per server, pool, spelling of the name and grade of certainty: those that are less sure than the finding too.
    pub paths: Vec<Path>,
}

/// One chain key of a finding: server, front-end pool, spelling of the name as logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Path {
    /// Server.
    pub server: String,
    /// Front-end application pool.
    pub pool: String,
    /// Protocol word.
    #[serde(with = "Protocol")]
    pub protocol: Word,
    /// The name as logged.
    pub name: String,
    /// Class of its gravest requests.
    #[serde(with = "Class")]
    pub class: Word,
    /// Gravest residual.
    #[serde(with = "Residual")]
    pub residual: Word,
    /// `open`, `expired`, `refused`, `recycled`, `unknown`.
    #[serde(with = "State")]
    pub state: Word,
    /// End of the first residual access.
    #[serde(with = "Time")]
    pub first: DateTime<Utc>,
    /// End of the last residual access.
    #[serde(with = "Time")]
    pub last: DateTime<Utc>,
    /// Residual requests.
    pub requests: u64,
    /// Those that moved mailbox data, as far as the log tells.
    pub data_requests: u64,
    /// Who used it.
    pub clients: Vec<Client>,
    /// Why this class and residual, for and against, a sentence each.
    pub why: Vec<String>,
    /// First and last residual access, and what ended it.
    pub evidence: Vec<Evidence>,
}

/// One client of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    /// EAS `DeviceId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// `cs(User-Agent)` as logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// `c-ip` as logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
}

/// One account that is disabled by design, and what was served under its names since.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ByDesign {
    /// The account.
    pub account: String,
    /// SID, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Kind of its mailbox: `linked`, `shared`, `room`, `equipment`, `system`.
    #[serde(with = "Mailbox")]
    pub mailbox: Word,
    /// Id of the disable.
    pub change: String,
    /// Time of the disable.
    #[serde(with = "Time")]
    pub at: DateTime<Utc>,
    /// End of the first request since.
    #[serde(with = "Time")]
    pub first: DateTime<Utc>,
    /// End of the last one.
    #[serde(with = "Time")]
    pub last: DateTime<Utc>,
    /// Requests since.
    pub requests: u64,
    /// One per server, pool and spelling of the name.
    pub paths: Vec<Seen>,
    /// Why it is no finding, and what would make it one, a sentence each.
    pub why: Vec<String>,
}

/// Requests under one server, front-end pool and spelling of the name, without a verdict.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// Server.
    pub server: String,
    /// Front-end application pool.
    pub pool: String,
    /// Protocol word.
    #[serde(with = "Protocol")]
    pub protocol: Word,
    /// The name as logged.
    pub name: String,
    /// End of the first request.
    #[serde(with = "Time")]
    pub first: DateTime<Utc>,
    /// End of the last one.
    #[serde(with = "Time")]
    pub last: DateTime<Utc>,
    /// Requests.
    pub requests: u64,
    /// Those that moved mailbox data, as far as the log tells.
    pub data_requests: u64,
    /// Who sent them.
    pub clients: Vec<Client>,
    /// First and last of them, and a refusal after that.
    pub evidence: Vec<Evidence>,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Source.
    pub path: String,
    /// Line.
    pub line: u64,
}

/// One pool to recycle on one server.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// From 1; one server at a time.
    pub step: u64,
    /// Server.
    pub server: String,
    /// Pool.
    pub pool: String,
    /// `recycle`
    #[serde(with = "Action")]
    pub action: Word,
    /// Accounts whose tokens it evicts.
    pub accounts: Vec<String>,
    /// Other users active on that pool at the end of coverage, who will log on again.
    pub other_users: u64,
    /// Ids of findings.
    pub why: Vec<String>,
}

/// What to do where a recycle is not the cure, or not all of it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Advice {
    /// Server.
    pub server: String,
    /// Account.
    pub account: String,
    /// Class of the access.
    #[serde(with = "Class")]
    pub class: Word,
    /// What to do, and why.
    pub text: String,
}
