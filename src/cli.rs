//! The command line: what the user typed, validated, nothing done yet.

mod config;
mod nightly;
mod recycle;

pub use config::Config;
pub use nightly::{History, Listing, Nightly, Status};
pub use recycle::Recycle;

use crate::config::Unsaid;

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;
use stillin_parsers::exchange::{self, Scheme};
use stillin_parsers::time::{DateOrder, LocalTime, Zone};
use stillin_reports::{Output, Rows, schema};

/// Who is still in? Finds every request that Exchange served after the account was cut off.
#[derive(Debug, Parser)]
// The name is given, or help would say `stillin.exe` on Windows.
#[command(name = "stillin", bin_name = "stillin", version, max_term_width = 100)]
pub struct Cli {
    /// Settings for what is not said here (see `stillin config`); else STILLIN_CONFIG, else stillin.toml if it is here
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Read web logs and change evidence, and report who was served after a change that should have ended it
    Analyze(Analyze),
    /// Tell one finding of a report as a case: the change, the requests around it line by line, and what is missing
    Explain(Explain),
    /// Say of every file what it is, what is in it and what was refused: the answer to "why is it empty?"
    Inspect(Inspect),
    /// Recycle the pools that the plan of a report names, one server at a time, and write down what was done
    Recycle(Recycle),
    /// Say whether access is over since the steps of a plan were carried out, or which request says that it is not
    Verify(Verify),
    /// Print what is in force beside the command line (environment, file, defaults), and where each value comes from
    Config(Config),
    /// Print the JSON Schema of an output: of the report, if nothing else is named
    Schema {
        /// Of what.
        #[arg(default_value = "report", value_parser = schema_word)]
        of: String,
    },
    /// Do it every night: read what is new, judge everything, write the reports, remember what was found
    Nightly(Nightly),
    /// List what the nights have found
    History(History),
    /// Print the completion script of a shell
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// `stillin analyze`
#[derive(Debug, Clone, Args)]
#[command(after_help = ANALYZE_HELP)]
pub struct Analyze {
    /// Files, folders, globs or `-`: IIS logs, event logs, directory exports, all in one place if you like
    #[arg(required_unless_present = "local", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Read this server's own logs as well, where Windows and Exchange keep them: IIS, HTTPERR, HttpProxy, events
    #[arg(long)]
    pub local: bool,
    /// Write the report to a file (repeatable); the format is told by the name: .html, .json, .txt, .md, .xlsx;
    /// findings or exposure as .csv, .parquet or .jsonl; timeline.jsonl, ecs.jsonl; plan.json, or a script of the plan,
    /// .ps1, .cmd or .yml; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Vec<PathBuf>,
    /// Format of outputs whose name does not tell it: terminal, json, html, xlsx, markdown, findings-csv, exposure-csv (or
    /// -parquet, -jsonl), timeline, ecs, plan, powershell, appcmd or ansible
    #[arg(short, long, value_name = "FORMAT", value_parser = output_word)]
    pub format: Option<Output>,
    /// Write every classed request to a file: .jsonl, .csv or .parquet; `-` is stdout, as JSONL
    #[arg(long, value_name = "FILE")]
    pub requests: Option<PathBuf>,
    /// Look at these accounts only (repeatable): SID, UPN, DOMAIN\sam, SMTP address or sam
    #[arg(long, value_name = "NAME")]
    pub account: Vec<String>,
    /// Leave out requests that ended before (RFC 3339, or a date; UTC)
    #[arg(long, value_name = "TIME", value_parser = utc)]
    pub since: Option<DateTime<Utc>>,
    /// Leave out requests that ended after (RFC 3339, or a date: its end; UTC)
    #[arg(long, value_name = "TIME", value_parser = utc_end)]
    pub until: Option<DateTime<Utc>>,
    /// Life of an idle token (UserTokenTTL of the Exchange servers)
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration)]
    pub ttl: TimeDelta,
    /// Allowance for replication and clock skew after a change
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub slack: TimeDelta,
    /// What a pool lets clients log on with, where the logs do not tell (repeatable): basic, forms, windows or
    /// basic+windows
    #[arg(long, value_name = "POOL=SCHEME", value_parser = pool_and_scheme)]
    pub auth: Vec<(&'static str, Scheme)>,
    /// Exit with status 3 if there is such a finding
    #[arg(long, value_name = "WHAT")]
    pub fail_on: Option<FailOn>,
    /// Write pseudonyms for names, SIDs, addresses and devices, under the key in this file (32 bytes or more), so that
    /// what is written can leave the house; messages stay in clear
    #[arg(long, value_name = "KEYFILE")]
    pub pseudonymize: Option<PathBuf>,
    /// How to read the sources
    #[command(flatten)]
    pub reading: Reading,
}

/// `stillin explain`
#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_HELP)]
pub struct Explain {
    /// A report that `analyze -o` wrote as JSON
    #[arg(value_name = "REPORT.json")]
    pub report: PathBuf,
    /// The finding, as in the report: f3; without it all are listed
    #[arg(value_name = "FINDING", value_parser = finding)]
    pub finding: Option<u64>,
    /// Folder that the paths in the report are below; without it, the current one
    #[arg(long, value_name = "FOLDER")]
    pub root: Option<PathBuf>,
    /// What a pool lets clients log on with, where the logs do not tell (repeatable): basic, forms, windows or
    /// basic+windows
    #[arg(long, value_name = "POOL=SCHEME", value_parser = pool_and_scheme)]
    pub auth: Vec<(&'static str, Scheme)>,
    /// Write the case to a file; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How to read the sources: what `analyze` was told then has to be said again
    #[command(flatten)]
    pub reading: Reading,
}

/// `stillin inspect`
#[derive(Debug, Args)]
pub struct Inspect {
    /// Files, folders, globs or `-`
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// `terminal` or `json`
    #[arg(short, long, value_name = "FORMAT", default_value = "terminal", value_parser = page_or_json_word)]
    pub format: Output,
    /// How to read the sources
    #[command(flatten)]
    pub reading: Reading,
}

/// `stillin verify`
#[derive(Debug, Args)]
#[command(after_help = VERIFY_HELP)]
pub struct Verify {
    /// The report whose plan was carried out, or that plan, as JSON
    #[arg(long, value_name = "REPORT.json")]
    pub plan: PathBuf,
    /// A journal of `recycle` (repeatable): that of each operator
    #[arg(long, value_name = "FILE")]
    pub journal: Vec<PathBuf>,
    /// Files, folders, globs or `-`: the logs since, event logs of the servers, and what else analyze was given
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Write the verdict to a file (repeatable): .json or .txt; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Vec<PathBuf>,
    /// Format of outputs whose extension does not tell it: `terminal` or `json`
    #[arg(short, long, value_name = "FORMAT", value_parser = page_or_json_word)]
    pub format: Option<Output>,
    /// Check again as the logs grow, until everything is proven or something failed
    #[arg(long)]
    pub watch: bool,
    /// For how long to watch
    #[arg(long = "for", value_name = "DURATION", default_value = "30m", value_parser = span, requires = "watch")]
    pub within: Duration,
    /// How often to look whether a log has grown
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = span, requires = "watch")]
    pub every: Duration,
    /// How to read the sources
    #[command(flatten)]
    pub reading: Reading,
}

/// How sources are read, the same for every verb.
#[derive(Debug, Clone, Args)]
pub struct Reading {
    /// Zone of times that have none, as in CSV exports and repadmin: `+02:00`, `Europe/Berlin`, `UTC`
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<Zone>,
    /// Order of day, month and year in dates with slashes: dmy, mdy or ymd
    #[arg(long, value_name = "ORDER")]
    pub date_order: Option<DateOrder>,
    /// Server of logs that neither a column nor a folder names
    #[arg(long, value_name = "NAME")]
    pub server: Option<String>,
    /// Hash of every source in the report
    #[arg(long, value_name = "HASH", default_value = "sha256")]
    pub hash: HashWord,
    /// Threads to use, up to 1024; 0 is one for each core
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=1024))]
    pub threads: u16,
    /// Colour in the terminal; NO_COLOR is honoured
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Say nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
    /// What the command line did not say.
    #[arg(skip)]
    pub unsaid: Unsaid,
}

impl Analyze {
    /// The arguments with which `inspect` reads: the same reading, and nothing asked for.
    pub fn for_inspect(paths: &[PathBuf], reading: &Reading) -> Analyze {
        Analyze {
            paths: paths.to_vec(),
            local: false,
            output: Vec::new(),
            format: None,
            requests: None,
            account: Vec::new(),
            since: None,
            until: None,
            ttl: TimeDelta::minutes(15),
            slack: TimeDelta::seconds(60),
            auth: Vec::new(),
            fail_on: None,
            pseudonymize: None,
            reading: reading.clone(),
        }
    }
}

impl Verb {
    /// How this verb reads sources, if it reads any.
    pub fn reading_mut(&mut self) -> Option<&mut Reading> {
        match self {
            Verb::Analyze(args) => Some(&mut args.reading),
            Verb::Explain(args) => Some(&mut args.reading),
            Verb::Inspect(args) => Some(&mut args.reading),
            Verb::Verify(args) => Some(&mut args.reading),
            Verb::Config(args) => Some(&mut args.reading),
            // The settings of the nights say it.
            Verb::Nightly(_) | Verb::History(_) => None,
            Verb::Recycle(_) | Verb::Schema { .. } | Verb::Completions { .. } | Verb::Man => None,
        }
    }
}

impl Reading {
    /// How times without a zone are to be understood.
    pub fn local(&self) -> LocalTime {
        LocalTime { zone: self.tz, date_order: self.date_order }
    }
}

/// `--fail-on`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A path whose token may be alive now
    Open,
    /// Any residual access
    Residual,
}

/// `--hash`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HashWord {
    /// SHA-256
    Sha256,
    /// No hash
    None,
}

/// `--color`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal only
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

const ANALYZE_HELP: &str = "\
Exit status:
  0  the report was written, from every source
  1  it was written, but some source was unreadable or partly refused
  2  no report
  3  there is a finding that --fail-on asks for

Examples:
  stillin analyze evidence/
  stillin analyze logs/EX01 dc1.evtx -o report.json --requests requests.parquet
  stillin analyze evidence/ -o report.json -o plan.ps1
  wevtutil qe Security /f:xml | stillin analyze C:\\inetpub\\logs\\LogFiles -";

const EXPLAIN_HELP: &str = "\
The sources that the report lists are read again, if they are what they were (by SHA-256); else
the case is told from the report alone. --tz, --date-order, --server and --auth are not in the
report: give them again if analyze was given them.

Exit status:
  0  the case was told in full, or the findings were listed
  1  it was told, but not in full, or the sources are judged differently now
  2  no case";

const VERIFY_HELP: &str = "\
The rules (--ttl, --slack, --auth) are those of the plan.

Exit status:
  0  everything is proven, or nothing contradicts it as far as the logs reach
  2  no verdict
  3  somebody was served again, a step was not carried out, or the logs cannot tell

Examples:
  stillin verify --plan report.json --journal journal.jsonl evidence/
  stillin verify --plan report.json --watch --for 30m C:\\inetpub\\logs\\LogFiles\\W3SVC1";

fn finding(text: &str) -> Result<u64, String> {
    let number = text.strip_prefix(['f', 'F']).unwrap_or(text);
    number.parse().map_err(|_| "say f3, or 3".into())
}

fn schema_word(word: &str) -> Result<String, String> {
    let words: Vec<_> = schema::words().collect();
    let is_known = words.contains(&word);
    is_known.then(|| word.to_owned()).ok_or_else(|| format!("one of {}", words.join(", ")))
}

fn output_word(word: &str) -> Result<Output, String> {
    Output::from_word(word).ok_or_else(|| {
        let words: Vec<_> = Output::WORDS.iter().map(|(word, _)| *word).collect();
        format!("one of {}", words.join(", "))
    })
}

fn page_or_json_word(word: &str) -> Result<Output, String> {
    let output = Output::from_word(word);
    let fits = output.filter(|output| matches!(output, Output::Terminal | Output::Json));
    fits.ok_or_else(|| "one of terminal, json".into())
}

fn duration(text: &str) -> Result<TimeDelta, String> {
    TimeDelta::from_std(span(text)?).map_err(|error| error.to_string())
}

/// A span of time of at most so many days.
pub fn duration_of(text: &str, most_days: i64) -> Result<TimeDelta, String> {
    let wrong = |error| format!("{error}; say 400d");
    has_unit(text, 'd')?;
    let span = humantime::parse_duration(text).map_err(|error| wrong(error.to_string()))?;
    let span = TimeDelta::from_std(span).map_err(|error| wrong(error.to_string()))?;
    match span <= TimeDelta::days(most_days) {
        true => Ok(span),
        false => Err(format!("longer than {most_days} days")),
    }
}

fn span(text: &str) -> Result<Duration, String> {
    const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);
    has_unit(text, 'm')?;
    let span =
        humantime::parse_duration(text).map_err(|error| format!("{error}; say 15m, 900s or 1h"))?;
    if span > YEAR { Err("longer than a year".into()) } else { Ok(span) }
}

/// A bare number may be meant as minutes or as seconds, and a token that lives for 15 seconds acquits everybody. Of 0
/// both are the same.
fn has_unit(text: &str, unit: char) -> Result<(), String> {
    let number = text.trim();
    let is_bare = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    match is_bare && number.bytes().any(|byte| byte != b'0') {
        true if unit == 'd' => Err(format!("has no unit; write {number}d for days")),
        true => Err(format!("has no unit; write {number}m for minutes, or {number}s for seconds")),
        false => Ok(()),
    }
}

/// A rule that a report was made under, as a span of time; the error says why it can be none.
pub fn rule(seconds: i64) -> Result<TimeDelta, String> {
    let span = TimeDelta::try_seconds(seconds);
    let span = span.filter(|span| (TimeDelta::zero()..=TimeDelta::days(366)).contains(span));
    span.ok_or_else(|| format!("no rule that a report can have: {seconds} s"))
}

/// What `--auth` says.
pub fn pool_and_scheme(text: &str) -> Result<(&'static str, Scheme), String> {
    let (pool, word) = text.split_once('=').ok_or("say POOL=SCHEME")?;
    let pools = exchange::pools();
    let known =
        pools.iter().find(|known| !known.is_empty() && known.eq_ignore_ascii_case(pool.trim()));
    let known = known.ok_or_else(|| {
        let names: Vec<_> = pools.iter().copied().collect();
        format!("`{pool}` is no pool of an Exchange front end; one of {}", names.join(", "))
    })?;
    let scheme = Scheme::from_word(word.trim()).ok_or_else(|| {
        let words: Vec<_> = Scheme::WORDS.iter().map(|(_, word)| *word).collect();
        format!("`{word}` is no scheme; one of {}", words.join(", "))
    })?;
    Ok((known, scheme))
}

fn utc(text: &str) -> Result<DateTime<Utc>, String> {
    let is_date = text.len() == 10;
    let time = if is_date { format!("{text}T00:00:00Z") } else { text.to_owned() };
    DateTime::parse_from_rfc3339(&time)
        .map(|time| time.to_utc())
        .map_err(|_| "say a date, 2026-03-02, or a time, 2026-03-02T08:00:00Z".into())
}

fn utc_end(text: &str) -> Result<DateTime<Utc>, String> {
    let time = utc(text)?;
    let is_date = text.len() == 10;
    Ok(if is_date { time + TimeDelta::days(1) - TimeDelta::seconds(1) } else { time })
}

/// What `--requests` is written as.
pub fn rows_of(path: &std::path::Path) -> Option<Rows> {
    if path.as_os_str() == "-" {
        return Some(Rows::Jsonl);
    }
    Rows::from_extension(path.extension()?.to_str()?)
}
