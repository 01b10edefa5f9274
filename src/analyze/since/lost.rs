//! The sources that may tell of access and were not understood, or not to their end: whoever was served may stand there.

use super::super::{Run, sources};
use crate::collect::log::Log;
use crate::collect::named;
use crate::collect::names::host_name;
use crate::read::{File, NOT_RECOGNISED};
use crate::source;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::net::IpAddr;
use stillin_parsers::kind::{Kind, OfRequests};
use stillin_reports::report::Evidence;

/// A log of which something was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The source.
    pub path: String,
    /// Its server, if anything tells it.
    pub server: Option<String>,
    /// Whatever was lost is older; it may be of any time where nothing tells.
    pub until: Option<DateTime<Utc>>,
    /// Whatever was lost stands before the next line.
    pub line: Option<u64>,
}

impl Lost {
    /// Nothing that was lost can be later than this.
    pub fn is_before(&self, end: DateTime<Utc>, place: &Evidence) -> bool {
        self.until.is_some_and(|until| until < end)
            || (self.path == place.path && self.line.is_some_and(|line| line < place.line))
    }
}

/// Whether a name is none: the server is told by an address, or not at all.
pub fn is_nameless(server: &str) -> bool {
    server.parse::<IpAddr>().is_ok() || server.starts_with("UNKNOWN (")
}

/// What was lost, in the order of the sources.
pub fn lost(run: &Run<'_>) -> Vec<Lost> {
    let logs = || run.files.iter().filter(|file| is_of_requests(file.kind));
    let folders: BTreeSet<&str> = logs().map(|file| folder(&file.source.path)).collect();
    let mut all = Vec::new();
    for (index, file) in run.files.iter().enumerate() {
        let log = run.collected.logs.get(&index);
        let known = run.collected.server_of_log.get(&index).cloned();
        let by_user = run.args.reading.server.as_deref();
        let server = known.or_else(|| named(file, by_user)).map(|server| host_name(&server));
        let lost = |until: Option<i64>, line| Lost {
            path: file.source.path.clone(),
            server: server.clone(),
            until: until.and_then(|until| DateTime::from_timestamp(until, 0)),
            line,
        };
        if file.kind == Kind::Unknown {
            all.extend(may_be_log(file, &folders).then(|| lost(None, None)));
        } else if !is_of_requests(file.kind) {
            continue;
        } else if sources::error(run, index).is_some() || log.is_none() {
            all.push(lost(None, None));
        } else if let Some(log) = log {
            // Whoever reached the back end had passed a front end, which has it in a log of its own.
            let is_of_back_end = !log.presence.is_empty()
                && log.presence.keys().all(|(_, is_back_end)| *is_back_end);
            let rejected = rejected(log).filter(|_| !is_of_back_end);
            all.extend(rejected.map(|(line, after)| lost(after, Some(line))));
            all.extend(log.blind_until.map(|until| lost(Some(until + 1), None)));
        }
    }
    all
}

fn is_of_requests(kind: Kind) -> bool {
    matches!(kind, Kind::IisW3c | Kind::HttpProxy)
}

fn folder(path: &str) -> &str {
    path.rsplit_once(['/', '\\']).map_or("", |(folder, _)| folder)
}

/// The last line that was rejected, and the first entry behind it. A line without an end is being written.
fn rejected(log: &Log) -> Option<(u64, Option<i64>)> {
    let has_end = |(line, _): &&(u64, Option<i64>)| *line <= log.tally.line_ends;
    log.tally.last_rejects.iter().rfind(has_end).copied()
}

/// Endings of what nobody writes logs into, and whole names of it.
const NO_LOGS: [&str; 27] = [
    "txt",
    "md",
    "csv",
    "json",
    "xml",
    "html",
    "htm",
    "ini",
    "config",
    "ps1",
    "cmd",
    "xlsx",
    "pdf",
    "sha256",
    "sha1",
    "md5",
    "sfv",
    "asc",
    "sig",
    "lnk",
    "db",
    "doc",
    "docx",
    "ds_store",
    "sha256sums",
    "md5sums",
    "readme",
];
/// Endings of packed files and of archives, whether they are read here or not.
const PACKED: [&str; 9] = ["gz", "tgz", "zst", "zip", "tar", "7z", "rar", "xz", "bz2"];

/// Whether a file of unknown kind, or one that cannot be opened, may be a log of requests: by its look, or in a folder of
/// such logs, unless it is named as none would be.
fn may_be_log(file: &File, folders: &BTreeSet<&str>) -> bool {
    let path = file.source.path.as_str();
    let name = path.strip_prefix(folder(path)).unwrap_or(path).trim_start_matches(['/', '\\']);
    let ending = name.rsplit_once('.').map_or(name, |(_, ending)| ending).to_ascii_lowercase();
    let problem = file.problem.as_deref().unwrap_or_default();
    // What nothing could be unpacked of may hold anything, wherever it lies.
    if PACKED.contains(&ending.as_str()) && !problem.starts_with(NOT_RECOGNISED) {
        return true;
    }
    let is_among = source::is_in_site_folder(path) || folders.contains(folder(path));
    match file.of_requests {
        OfRequests::Yes => true,
        OfRequests::Perhaps => is_among && !NO_LOGS.contains(&ending.as_str()),
        OfRequests::No => false,
    }
}
