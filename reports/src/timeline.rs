//! The requests around each finding to what a picture of them needs: runs of requests, what happened between them, and
//! what no log shows. A report has no single requests, so this stands beside it; it is bounded, however long the logs are.

use chrono::{DateTime, Utc};

use crate::chain::Request;
use crate::report::{ChangeEvidence, Gap, Word};

/// What the pages of a report draw.
#[derive(Debug, Clone, Default)]
pub struct Timelines {
    /// By finding, and within it by the order of its paths.
    pub list: Vec<Timeline>,
    /// Residual requests of all findings by spells of [`SPELL`], those that have some, in order.
    pub spells: Vec<Spell>,
}

/// How long a spell is, seconds.
pub const SPELL: i64 = 300;

/// The residual requests that ended in one spell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spell {
    /// Its first instant.
    pub at: DateTime<Utc>,
    /// Requests.
    pub requests: u64,
    /// Those that moved mailbox data, as far as the log tells.
    pub data_requests: u64,
}

/// The requests of a finding under one server, pool and spelling of the name.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// Id of the finding.
    pub finding: String,
    /// Which of the finding's paths it shows: several, where some of the requests are surer than others.
    pub paths: Vec<usize>,
    /// Where it begins.
    pub from: DateTime<Utc>,
    /// Where it ends.
    pub to: DateTime<Utc>,
    /// What was served, in order of time.
    pub runs: Vec<Run>,
    /// What else happened, in order of time.
    pub marks: Vec<Mark>,
    /// First and last entry of the server's log; none where there is no log of it.
    pub log: Option<Gap>,
    /// Holes in that log.
    pub holes: Vec<Gap>,
    /// The requests that the evidence of the paths names.
    pub quoted: Vec<Request>,
    /// Requests that are not in the runs, because there were too many.
    pub left_out: u64,
    /// The same of what else happened.
    pub marks_left_out: u64,
}

/// Requests that followed each other closely and were judged alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// When the first of them began.
    pub from: DateTime<Utc>,
    /// When the last of them ended.
    pub to: DateTime<Utc>,
    /// How many.
    pub requests: u64,
    /// Those that moved mailbox data, as far as the log tells.
    pub data_requests: u64,
    /// Class and residual; none before the change.
    pub verdict: Option<(Word, Word)>,
}

/// What a mark stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The change of the finding.
    TheChange,
    /// Another change of the account.
    Change,
    /// The client was turned down.
    Refusal,
    /// The worker ended, and its tokens with it.
    Restart,
    /// Something hints at that.
    Hint,
    /// The password was asked for.
    Logon,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// When, for the first time.
    pub at: DateTime<Utc>,
    /// What.
    pub what: What,
    /// In words.
    pub text: String,
    /// How often, in close succession.
    pub times: u64,
    /// Where that stands.
    pub place: Option<ChangeEvidence>,
}
