//! The command lines of `stillin nightly` and `stillin history`.

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `stillin nightly`
#[derive(Debug, Clone, Args)]
#[command(after_help = NIGHTLY_HELP)]
pub struct Nightly {
    /// The settings: which logs, which evidence, where reports go; else STILLIN_CONFIG, else stillin.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Write pseudonyms for names, SIDs, addresses and devices into the reports, under the key in this file (32 bytes or
    /// more); the state, `history` and messages stay in clear
    #[arg(long, value_name = "KEYFILE")]
    pub pseudonymize: Option<PathBuf>,
    /// Say nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
    /// The time of the run, for tests
    #[arg(long, value_name = "TIME", value_parser = super::utc, hide = true)]
    pub now: Option<DateTime<Utc>>,
}

/// `stillin history`
#[derive(Debug, Clone, Args)]
#[command(after_help = HISTORY_HELP)]
pub struct History {
    /// The settings of `nightly`, which name its state; else STILLIN_CONFIG, else stillin.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The state itself, instead of settings that name it
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub state: Option<PathBuf>,
    /// Findings of these accounts only (repeatable): DOMAIN\sam as in reports, or a SID
    #[arg(long, value_name = "NAME")]
    pub account: Vec<String>,
    /// Findings with this status only
    #[arg(long, value_name = "STATUS")]
    pub status: Option<Status>,
    /// Findings that were seen then or later (RFC 3339, or a date; UTC)
    #[arg(long, value_name = "TIME", value_parser = super::utc)]
    pub since: Option<DateTime<Utc>>,
    /// How to list them
    #[arg(short, long, value_name = "FORMAT", default_value = "terminal")]
    pub format: Listing,
}

/// How a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Status {
    /// Seen in the last run for the first time, and open
    New,
    /// Access may go on
    Open,
    /// Access ended
    Closed,
    /// Access ended, and then the last run saw it again
    Recurred,
}

impl Status {
    /// Every status with its word.
    pub const WORDS: [(Status, &'static str); 4] = [
        (Status::New, "new"),
        (Status::Open, "open"),
        (Status::Closed, "closed"),
        (Status::Recurred, "recurred"),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(status, _)| *status == self).map_or("", |(_, word)| word)
    }

    /// The status of a word.
    pub fn from_word(word: &str) -> Option<Status> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(status, _)| *status)
    }

    /// Whether access may go on.
    pub fn is_open(self) -> bool {
        self != Status::Closed
    }
}

/// `stillin history --format`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Listing {
    /// A table
    Terminal,
    /// JSON
    Json,
    /// CSV
    Csv,
}

const NIGHTLY_HELP: &str = "\
Only what has changed since the last night is read. The report is that of `analyze` over
everything that was ever read, as far as it is kept (retention).

Exit status:
  0  the reports were written, from every source
  1  they were written, but some source was unreadable, partly refused, or is gone tonight
  2  no report; the state and the last reports are as they were
  3  there is a finding that fail_on asks for

Examples:
  stillin nightly --config stillin.toml
  stillin history --config stillin.toml --status open";

const HISTORY_HELP: &str = "\
Examples:
  stillin history --config stillin.toml --status open
  stillin history --state stillin-state.db --account 'FABRIKAM\\ada' --format csv";
