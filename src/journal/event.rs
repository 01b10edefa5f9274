//! What stands in a journal: the events of a run, as they are written, and what they say.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use stillin_reports::fields::Time;
use stillin_reports::report::Tool;

/// Something that a run of `recycle` did, or did not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run begins.
    Opened(Opened),
    /// A command is about to run.
    Begun(Begun),
    /// It ended, or was ended.
    Ended(Ended),
    /// A step was not begun.
    Skipped(Skipped),
    /// A run ends by itself.
    Closed(Closed),
}

/// Who runs what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// When.
    #[serde(with = "Time")]
    pub at: DateTime<Utc>,
    /// The run, by its own name.
    pub run: String,
    /// The user who ran it.
    pub operator: String,
    /// The computer it runs on.
    pub host: String,
    /// The program.
    pub tool: Tool,
    /// The plan it follows.
    pub plan: PlanFile,
    /// `--via`
    pub via: String,
}

/// A file that holds a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFile {
    /// As the user named it.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// SHA-256 of the report that it is the plan of, if it is no report itself and tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_sha256: Option<String>,
}

impl PlanFile {
    /// What a report and its plan alone have in common.
    pub fn identity(&self) -> &str {
        self.report_sha256.as_ref().unwrap_or(&self.sha256)
    }
}

/// A command that is about to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// When.
    #[serde(with = "Time")]
    pub at: DateTime<Utc>,
    /// The run.
    pub run: String,
    /// Number of the step in the plan; of several that one `iisreset` does, the first.
    pub step: u64,
    /// Server.
    pub server: String,
    /// Pool; empty for all pools of the server.
    pub pool: String,
    /// What is done.
    pub action: Action,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Process ids of the workers.
    pub workers: Vec<u32>,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    #[serde(with = "Time")]
    pub at: DateTime<Utc>,
    /// The run.
    pub run: String,
    /// The step.
    pub step: u64,
    /// Server.
    pub server: String,
    /// Pool; empty for all pools of the server.
    pub pool: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Exit status, if it ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// The beginning of what it printed.
    pub output: String,
    /// Process ids of the workers afterwards, if they could be listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<Vec<u32>>,
}

/// A step that was not begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// When.
    #[serde(with = "Time")]
    pub at: DateTime<Utc>,
    /// The run.
    pub run: String,
    /// The step.
    pub step: u64,
    /// Server.
    pub server: String,
    /// Pool; empty for all pools of the server.
    pub pool: String,
    /// Why.
    pub reason: String,
}

/// A run ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// When.
    #[serde(with = "Time")]
    pub at: DateTime<Utc>,
    /// The run.
    pub run: String,
}

/// What is done to end tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Recycle one pool: only its tokens go
    Recycle,
    /// Restart IIS on the server: everybody is cut off
    Iisreset,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It says that it did what it was to do.
    Done,
    /// It says that it did not.
    Failed,
    /// It took too long and was killed: it may have done it.
    TimedOut,
    /// It says that it did what it was to do, but the workers do not show it.
    Unproven,
}
