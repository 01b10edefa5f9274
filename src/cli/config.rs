//! The command line of `stillin config`. Its options are what can be set beside the command line, for all verbs: a
//! setting is one because this verb takes it.

use super::{FailOn, Reading, duration, page_or_json_word, pool_and_scheme, span};
use chrono::TimeDelta;
use clap::Args;
use std::time::Duration;
use stillin_parsers::exchange::Scheme;
use stillin_reports::Output;

/// `stillin config`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Config {
    /// Life of an idle token (UserTokenTTL of the Exchange servers)
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration)]
    pub ttl: TimeDelta,
    /// Allowance for replication and clock skew after a change
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub slack: TimeDelta,
    /// What a pool lets clients log on with, where the logs do not tell (repeatable)
    #[arg(long, value_name = "POOL=SCHEME", value_parser = pool_and_scheme)]
    pub auth: Vec<(&'static str, Scheme)>,
    /// `analyze`: exit with status 3 if there is such a finding
    #[arg(long, value_name = "WHAT")]
    pub fail_on: Option<FailOn>,
    /// How to read the sources
    #[command(flatten)]
    pub reading: Reading,
    /// `recycle`: wait that long between two servers
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub pause: TimeDelta,
    /// `recycle`: recycle no pool again within that time
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub cooldown: TimeDelta,
    /// `recycle`: time that one command may take; then it is killed
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub timeout: TimeDelta,
    /// `verify`: for how long to watch
    #[arg(long = "for", value_name = "DURATION", default_value = "30m", value_parser = span)]
    pub within: Duration,
    /// `verify`: how often to look whether a log has grown
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = span)]
    pub every: Duration,
    /// `terminal` or `json`
    #[arg(short, long, value_name = "FORMAT", default_value = "terminal", value_parser = page_or_json_word)]
    pub format: Output,
}

const HELP: &str = "\
A flag overrides a variable of the environment, that overrides the file, and that the default. The
file is the one of --config, else of STILLIN_CONFIG, else stillin.toml in the current folder. Its
keys are the flags with `_` for `-`, and a variable is STILLIN_ and the key: STILLIN_FAIL_ON.
A list, as of --auth, is one of TOML, or has commas in a variable, and replaces what it overrides.";
