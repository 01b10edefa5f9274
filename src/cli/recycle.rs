//! The command line of `stillin recycle`.

use super::duration;
use crate::journal::Action;
use crate::recycle::via::Via;
use chrono::TimeDelta;
use clap::Args;
use std::path::PathBuf;

/// `stillin recycle`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Recycle {
    /// A report or a plan that `analyze -o` wrote as JSON
    #[arg(long, value_name = "FILE")]
    pub plan: PathBuf,
    /// Do it; without this nothing is done, and what would be is printed
    #[arg(long)]
    pub execute: bool,
    /// Do not ask before each server
    #[arg(long)]
    pub yes: bool,
    /// How the servers are reached: local, winrm, or command:TEMPLATE
    #[arg(long, value_name = "HOW", default_value = "local", value_parser = Via::parse)]
    pub via: Via,
    /// Where every step is written down, before and after
    #[arg(long, value_name = "FILE", default_value = "stillin-journal.jsonl")]
    pub journal: PathBuf,
    /// Wait that long between two servers
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub pause: TimeDelta,
    /// Recycle no pool again within that time
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub cooldown: TimeDelta,
    /// Time that one command may take; then it is killed
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub timeout: TimeDelta,
    /// Act on no plan whose logs end longer ago [default: 24h]; has to be said where the plan does not tell
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub max_age: Option<TimeDelta>,
    /// Take these steps of the plan only (repeatable)
    #[arg(long, value_name = "N")]
    pub step: Vec<u64>,
    /// Take the steps of these servers only (repeatable)
    #[arg(long, value_name = "NAME")]
    pub server: Vec<String>,
    /// Allow a pool that is none of Exchange's front ends (repeatable)
    #[arg(long, value_name = "NAME")]
    pub pool: Vec<String>,
    /// Take a step again that is done, or of which it is not known (repeatable)
    #[arg(long, value_name = "N")]
    pub again: Vec<u64>,
    /// What is done to each server of the plan
    #[arg(long, value_name = "ACTION", default_value = "recycle")]
    pub action: Action,
}

const HELP: &str = "\
--via command:TEMPLATE is split into words at blanks (quotes keep a word together) before anything
is put in, and run without a shell. {server} stands for the server, the word {args} for the
arguments of appcmd, each a word of its own, {program} for appcmd or iisreset:
  stillin recycle --plan report.json --via \"command:ssh -o BatchMode=yes admin@{server} appcmd {args}\"

Exit status:
  0  every step is done; without --execute: could be
  1  something was skipped, or is not known to be done
  2  nothing was done, because something is wrong
  3  a step failed; nothing was touched after it";
