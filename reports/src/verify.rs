//! What `verify` found out: whether access is over, step by step and finding by finding, as JSON and for a reader.

mod page;

pub use page::page;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::fields::{
    Action, Class, MaybeProtocol, MaybeTime, Residual, Time, Verified, VerifySchema,
};
use crate::plan::Reason;
use crate::report::{ChangeEvidence, Client, Coverage, Evidence, Source, Tool, Word};

/// The schema that `Verify` follows.
pub const SCHEMA: &str = "stillin/verify/1";

/// Everything that one run found out.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Verify {
    /// Always [`SCHEMA`].
    #[serde(with = "VerifySchema")]
    pub schema: Word,
    /// The program that wrote it.
    pub tool: Tool,
    /// The report or plan that was followed.
    pub plan: Input,
    /// The journals of `recycle`, as they were named.
    pub journals: Vec<Input>,
    /// The rules in force.
    pub rules: Rules,
    /// The gravest state of all.
    #[serde(with = "Verified")]
    pub state: Word,
    /// The steps of the plan.
    pub steps: Vec<Step>,
    /// The findings that they are for.
    pub findings: Vec<Finding>,
    /// What the logs can speak about.
    pub coverage: Vec<Coverage>,
    /// What was read, sorted by path.
    pub sources: Vec<Source>,
    /// What stands between the reader and certainty: one sentence each, with the cure.
    pub notes: Vec<String>,
}

/// A file that is no source.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Input {
    /// As the user named it.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// The rules that it was verified under.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Rules {
    /// Life of an idle token, seconds.
    pub ttl_seconds: i64,
    /// Allowance for replication and clock skew, seconds.
    pub slack_seconds: i64,
    /// For so long after a recycle the old worker may serve what it has begun, seconds.
    pub drain_seconds: i64,
    /// So late a line may be written, seconds.
    pub flush_seconds: i64,
}

/// A step of the plan.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Step {
    /// Its number.
    pub step: u64,
    /// Server.
    pub server: String,
    /// Pool.
    pub pool: String,
    /// What was to be done.
    #[serde(with = "Action")]
    pub action: Word,
    /// Whom it was to evict.
    pub accounts: Vec<String>,
    /// The findings that it is for.
    pub why: Vec<String>,
    /// `proven`, `no_contradiction`, `failed`, `not_recycled`, `no_coverage`.
    #[serde(with = "Verified")]
    pub state: Word,
    /// When it was done, if that is known.
    #[serde(with = "MaybeTime", skip_serializing_if = "Option::is_none")]
    pub recycled: Option<DateTime<Utc>>,
    /// What tells of that: a line of the journal, an event.
    pub evidence: Vec<ChangeEvidence>,
    /// What else is known of it, a sentence each.
    pub notes: Vec<String>,
}

/// A finding of the plan.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Finding {
    /// What the plan says of it.
    #[serde(flatten)]
    pub reason: Reason,
    /// The gravest state of its paths; `no_coverage` at best where a log that was not read whole may tell of another one.
    #[serde(with = "Verified")]
    pub state: Word,
    /// Names that were looked for.
    pub names: Vec<String>,
    /// Paths that may have been open, and others that were used since.
    pub paths: Vec<Path>,
}

/// A server, pool and name of a finding.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Path {
    /// Server.
    pub server: String,
    /// Front-end application pool.
    pub pool: String,
    /// Protocol word.
    #[serde(with = "MaybeProtocol", skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Word>,
    /// The name as logged; any, where the plan tells none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The step that recycles its pool, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// A word as in [`Step::state`].
    #[serde(with = "Verified")]
    pub state: Word,
    /// From when on access counts: when the old worker must have been gone.
    #[serde(with = "MaybeTime", skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Until when the log of the server tells.
    #[serde(with = "MaybeTime", skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Until when the log is too fresh to tell.
    #[serde(with = "MaybeTime", skip_serializing_if = "Option::is_none")]
    pub too_fresh_until: Option<DateTime<Utc>>,
    /// Access since that should not have been.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// Access since that may have been right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unclear: Option<Access>,
    /// Access since with the new password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_logon: Option<Access>,
    /// The refusal after all of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// Why this state, a sentence each.
    pub why: Vec<String>,
}

/// Requests that were served.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Access {
    /// How many.
    pub requests: u64,
    /// End of the first.
    #[serde(with = "Time")]
    pub first: DateTime<Utc>,
    /// End of the last.
    #[serde(with = "Time")]
    pub last: DateTime<Utc>,
    /// Class of the first.
    #[serde(with = "Class")]
    pub class: Word,
    /// The gravest residual.
    #[serde(with = "Residual")]
    pub residual: Word,
    /// Who sent the first.
    pub client: Client,
    /// The first and the last.
    pub evidence: Vec<Evidence>,
}

/// A request that was refused.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Refusal {
    /// When.
    #[serde(with = "Time")]
    pub at: DateTime<Utc>,
    /// Why, in words.
    pub reason: String,
    /// Who sent it.
    pub client: Client,
    /// Where it stands.
    pub evidence: Evidence,
}
