//! Sources to what they are, and change evidence to facts.

use crate::beside::is_left_over;
use crate::change::{Told, Voice};
use crate::clocks::Validations;
use crate::input::{self, Body, Encoding, Hash, Opened, Packing, Stored};
use crate::source::{Origin, Source};
use crate::workers::logons::Logons;
use chrono::{DateTime, Utc};
use rayon::prelude::*;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use stillin_parsers::ad_csv::Export;
use stillin_parsers::application_host::VirtualDirectory;
use stillin_parsers::event::{Fact, Reject, Restart, Validation};
use stillin_parsers::evidence::{self, Tally};
use stillin_parsers::kind::{self, Kind, OfRequests};
use stillin_parsers::time::LocalTime;
use stillin_parsers::w3c::scan::REJECTS_KEPT;
use stillin_parsers::windows::validations::Sought;
use stillin_parsers::{evtx, exchange_log, w3c};

/// A source and what its first bytes say of it.
pub struct File {
    /// The source.
    pub source: Source,
    /// What it is.
    pub kind: Kind,
    /// How its text is encoded; `None` if it could not be opened.
    pub encoding: Option<Encoding>,
    /// Size as stored.
    pub bytes: u64,
    /// Time of the first entry, for logs.
    pub first_entry: Option<DateTime<Utc>>,
    /// Why it cannot be used.
    pub problem: Option<String>,
    /// Whether it may tell of requests, where its kind is not known.
    pub of_requests: OfRequests,
    /// Its server, where the user names one for it.
    pub server: Option<String>,
    /// What tells it again on another night; only where that was asked for.
    pub start: Option<Start>,
    /// It was there on an earlier night, and is gone.
    pub is_gone: bool,
    /// What a pipe held: it can be read only once, and a log is looked into twice.
    kept: Option<fs::File>,
}

/// How a problem begins with a text of which nobody knows what it is.
pub const NOT_RECOGNISED: &str = "kind not recognised";

/// What tells a source again under another name, or packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The SHA-256 of how its text begins.
    pub head: String,
    /// What it is packed with.
    pub packing: Packing,
    /// How long its text is, where that is told without reading it.
    pub text_bytes: Option<u64>,
}

/// Opens every source and tells its kind. The program's own reports are left out and returned by themselves:
/// whoever writes them beside the evidence does not want them judged.
pub fn look(sources: Vec<Source>, hash: Hash) -> (Vec<File>, Vec<Source>) {
    look_closely(sources, hash, false)
}

/// The same; `is_to_be_known_again`: with what tells each of them again.
pub fn look_closely(
    sources: Vec<Source>,
    hash: Hash,
    is_to_be_known_again: bool,
) -> (Vec<File>, Vec<Source>) {
    let look = |source| look_at(source, hash, is_to_be_known_again);
    let looked: Vec<_> = sources.into_par_iter().map(look).collect();
    let (mut files, mut own) = (Vec::new(), Vec::new());
    for (file, is_own) in looked {
        match is_own {
            true => own.push(file.source),
            false => files.push(file),
        }
    }
    (files, own)
}

fn look_at(source: Source, hash: Hash, is_to_be_known_again: bool) -> (File, bool) {
    let mut file = File::unseen(source);
    let name = file.source.fs_path.file_name().map(|name| name.to_string_lossy());
    if input::is_own_workbook(&file.source) || name.is_some_and(|name| is_left_over(&name)) {
        return (file, true);
    }
    let opened = match file.keep().and_then(|()| file.open(hash)) {
        Ok(opened) => opened,
        Err(error) => {
            file.problem = Some(format!("{error:#}"));
            return (file, false);
        }
    };
    let is_own = is_own_output(&opened.head) || is_own_parquet(&file.source, &opened.head);
    file.kind = kind::sniff(&opened.head);
    file.of_requests = kind::is_of_requests(&opened.head);
    file.encoding = Some(opened.encoding);
    file.bytes = opened.stored_bytes;
    if is_to_be_known_again {
        file.start = Some(Start {
            head: input::sha256(&opened.head),
            packing: opened.packing,
            text_bytes: input::text_bytes(&file.source, &opened),
        });
    }
    file.problem = (file.kind == Kind::Unknown)
        .then(|| format!("{NOT_RECOGNISED}: {}; leave it out", kind::why_unknown(&opened.head)));
    let span = match file.kind {
        kind if is_web_log(kind) => {
            w3c::scan(&opened.head, &w3c::State::default(), |_, _| ()).0.span
        }
        Kind::HttpProxy => {
            exchange_log::scan(&opened.head, &exchange_log::State::default(), |_| ()).0.span
        }
        _ => None,
    };
    file.first_entry = span.and_then(|(from, _)| DateTime::from_timestamp(from, 0));
    // Packed, and without any text: that of an empty file, or a damage that begins before the first letter.
    if let (true, Body::Stream(text)) = (opened.head.is_empty(), opened.body)
        && let Some(damage) = text.damage_of_nothing()
    {
        file.problem = Some(format!("nothing of it can be unpacked: {damage}"));
    }
    (file, is_own)
}

/// Logs with the syntax of W3C.
pub fn is_web_log(kind: Kind) -> bool {
    matches!(kind, Kind::IisW3c | Kind::Httperr)
}

/// Logs of Exchange itself.
pub fn is_exchange_log(kind: Kind) -> bool {
    matches!(kind, Kind::HttpProxy | Kind::EwsLog | Kind::MapiLog)
}

/// Requests, findings or exposure in Parquet, by the names of the columns in its footer.
fn is_own_parquet(source: &Source, head: &[u8]) -> bool {
    const FOOTER: u64 = 16 << 10;
    let footer = || -> std::io::Result<Vec<u8>> {
        let mut file = fs::File::open(&source.fs_path)?;
        file.seek(SeekFrom::Start(file.metadata()?.len().saturating_sub(FOOTER)))?;
        let mut footer = Vec::new();
        file.take(FOOTER).read_to_end(&mut footer)?;
        Ok(footer)
    };
    let has = |footer: &[u8], text: &str| memchr::memmem::find(footer, text.as_bytes()).is_some();
    head.starts_with(b"PAR1")
        && matches!(source.origin, Origin::File)
        && footer().is_ok_and(|footer| {
            let tables = [
                ["client_ip", "user_agent", "residual"],
                ["finding_residual", "exposure_seconds", "data_requests"],
                ["open_paths", "lasted_seconds", "data_requests"],
            ];
            tables.iter().any(|columns| columns.iter().all(|column| has(&footer, column)))
        })
}

/// A report, a list of requests or a journal that this program wrote.
fn is_own_output(head: &[u8]) -> bool {
    let is_summary = |heading: &[u8]| memchr::memmem::find(head, heading).is_some();
    if is_summary(b"\n\nResidual access, the gravest first\n\nf1  ")
        || is_summary(b"\n\nWhat was read\n\n")
    {
        return true;
    }
    // A case that `explain` told, or the list of them.
    if (head.starts_with(b"Case f") && is_summary(b"\n\nThe change\n"))
        || (head.starts_with(b"Cases of ") && is_summary(b" finding"))
    {
        return true;
    }
    // A page.
    if head.starts_with(b"<!doctype html>\n<!-- stillin/report/1 -->\n") {
        return true;
    }
    // A script of the plan.
    let scripts = ["# stillin/plan/", "@rem stillin/plan/"];
    if scripts.iter().any(|first| head.starts_with(first.as_bytes())) {
        return true;
    }
    let start = &head[..head.len().min(300)];
    let has = |text: &str| memchr::memmem::find(start, text.as_bytes()).is_some();
    // A ticket, and what is a line or a row for each of something.
    let firsts = [
        "# Residual access, as stillin found it\n",
        "finding,change,account,sid,",
        "account,server,pool,findings,",
        "{\"finding\":\"f1\",\"change\":",
    ];
    if firsts.iter().any(|first| start.starts_with(first.as_bytes())) {
        return true;
    }
    (start.starts_with(b"{") && has("\"schema\"") && has("\"stillin/"))
        || (start.starts_with(b"{\"datetime\":") && has("\"data_type\":\"stillin:"))
        || (start.starts_with(b"{\"@timestamp\":") && has("\"module\":\"stillin\""))
        || (start.starts_with(b"{\"account\":") && is_summary(b"\"lasted_seconds\":"))
        || start.starts_with(b"path,line,server,pool,protocol,account,change,")
        || (start.starts_with(b"{\"path\":")
            && has("\"line\":")
            && has("\"server\":")
            && has("\"pool\":"))
}

impl File {
    /// A source of which nothing is known yet.
    pub fn unseen(source: Source) -> File {
        File {
            source,
            kind: Kind::Unknown,
            encoding: None,
            bytes: 0,
            first_entry: None,
            problem: None,
            of_requests: OfRequests::Perhaps,
            server: None,
            start: None,
            is_gone: false,
            kept: None,
        }
    }

    /// Whether it can be read only once.
    fn is_pipe(&self) -> bool {
        match self.source.origin {
            Origin::Stdin => true,
            Origin::File => fs::metadata(&self.source.fs_path).is_ok_and(|meta| !meta.is_file()),
            Origin::Member(_) => false,
        }
    }

    /// Reads a pipe to its end, into a nameless file.
    fn keep(&mut self) -> anyhow::Result<()> {
        if self.is_pipe() {
            self.kept = Some(input::keep(&self.source)?);
        }
        Ok(())
    }

    /// Opens the source, as often as it is asked for.
    pub fn open(&self, hash: Hash) -> anyhow::Result<Opened> {
        match &self.kept {
            _ if self.is_gone => anyhow::bail!("is gone"),
            Some(kept) => input::open_kept(kept, hash),
            None => input::open(&self.source, hash),
        }
    }
}

/// What became of one source of change evidence.
#[derive(Default)]
pub struct Evidence {
    /// Its facts of accounts, in order.
    pub facts: Vec<Fact>,
    /// Ends of worker processes.
    pub restarts: Vec<Restart>,
    /// Logons by worker processes.
    pub logons: Logons,
    /// Passwords that domain controllers checked.
    pub validations: Validations,
    /// What clients of front ends may log on with.
    pub directories: Vec<VirtualDirectory>,
    /// Counts.
    pub tally: Tally,
    /// The first rejects.
    pub rejects: Vec<Reject>,
    /// Column or attribute names, for `inspect`.
    pub columns: Vec<String>,
    /// Size, hash, damage.
    pub stored: Option<Stored>,
    /// Why it was not read at all.
    pub error: Option<String>,
}

/// Reads one source of change evidence.
pub fn evidence(file: &mut File, hash: Hash, local: &LocalTime) -> Evidence {
    let mut read = Evidence::default();
    let whole = match file.open(hash).and_then(|opened| Ok(opened.whole()?)) {
        Ok(whole) => whole,
        Err(error) => {
            read.error = Some(format!("{error:#}"));
            return read;
        }
    };
    let (stored, ()) = rayon::join(
        || whole.stored(hash),
        || match file.kind {
            Kind::Evtx => read_evtx(&whole, &mut read),
            Kind::AdCsv => read_ad_csv(&whole, local, &mut read),
            kind => {
                let mut sink = Evidence::default();
                let tally = evidence::facts(kind, &whole, local, &mut |told| sink.sort_out(told));
                read = Evidence { tally, ..sink };
            }
        },
    );
    read.columns = columns(file.kind, &whole);
    read.columns.extend(read.directories.iter().map(VirtualDirectory::to_string));
    // Once more, now that everything was read: the file may have shrunk behind the hash.
    let damage = stored.damage.clone().or_else(|| whole.stored(Hash::None).damage);
    read.stored = Some(Stored { damage, ..stored });
    read
}

/// Ranges of chunks, read at the same time and brought together in order.
fn read_evtx(bytes: &[u8], read: &mut Evidence) {
    const RANGE: usize = 64;
    let n_chunks = evtx::chunk_count(bytes);
    let starts: Vec<usize> = (0..n_chunks).step_by(RANGE).collect();
    let parts: Vec<_> = starts
        .into_par_iter()
        .map(|start| {
            let mut part = Evidence::default();
            let range = start..(start + RANGE).min(n_chunks);
            let tally = evtx::facts_of_chunks(bytes, range, &mut |told| part.sort_out(told));
            Evidence { tally, ..part }
        })
        .collect();
    read.absorb(parts);
}

/// The rows of a large export at the same time.
fn read_ad_csv(bytes: &[u8], local: &LocalTime, read: &mut Evidence) {
    let export = Export::open(bytes, local);
    let parts = (0..export.n_parts()).into_par_iter().map(|part| {
        let mut rows = Evidence::default();
        let tally = export.facts_of(part, &mut |told| rows.sort_out(told));
        Evidence { tally, ..rows }
    });
    read.absorb(parts.collect());
}

/// Reads an EVTX file once more, for the validations of logons that are sought.
pub fn validations(file: &File, sought: &Sought) -> anyhow::Result<Validations> {
    let whole = file.open(Hash::None)?.whole()?;
    let mut found = Validations::default();
    let chunks = 0..evtx::chunk_count(&whole);
    let parts: Vec<Vec<Validation>> = chunks
        .into_par_iter()
        .map(|chunk| {
            let mut part = Vec::new();
            evtx::validations_of_chunks(&whole, chunk..chunk + 1, sought, &mut |v| part.push(v));
            part
        })
        .collect();
    parts.into_iter().flatten().for_each(|validation| found.take(validation));
    Ok(found)
}

impl Evidence {
    /// Why it was not read, or not to its end.
    pub fn fault(&self) -> Option<String> {
        let damage = self.stored.as_ref().and_then(|stored| stored.damage.clone());
        self.error.clone().or(damage)
    }

    /// Takes over the parts of a source, in their order.
    fn absorb(&mut self, parts: Vec<Evidence>) {
        self.facts.reserve_exact(parts.iter().map(|part| part.facts.len()).sum());
        for part in parts {
            self.facts.extend(part.facts);
            self.restarts.extend(part.restarts);
            self.logons.absorb(part.logons);
            self.rejects.extend(part.rejects);
            self.tally.add(part.tally);
        }
        self.rejects.truncate(REJECTS_KEPT);
    }

    fn sort_out(&mut self, told: Result<Fact, Reject>) {
        match told {
            Ok(Fact::Logon(logon)) => self.logons.take(logon),
            Ok(Fact::Validation(validation)) => self.validations.take(validation),
            Ok(Fact::Restart(restart)) => self.restarts.push(restart),
            Ok(Fact::VirtualDirectory(directory)) => self.directories.push(directory),
            Ok(fact) => self.facts.push(fact),
            Err(reject) if self.rejects.len() < REJECTS_KEPT => self.rejects.push(reject),
            Err(_) => {}
        }
    }
}

fn columns(kind: Kind, bytes: &[u8]) -> Vec<String> {
    match kind {
        Kind::AdCsv | Kind::ChangeList | Kind::EventCsv => {
            stillin_parsers::csv::Table::open(bytes).columns
        }
        _ => Vec::new(),
    }
}

/// What kind of source tells something.
pub fn voice(kind: Kind) -> Voice {
    match kind {
        Kind::AdCsv | Kind::Ldif | Kind::ReplMetadata => Voice::State,
        Kind::ChangeList => Voice::List,
        _ => Voice::Event,
    }
}

/// The facts of a source, marked with where they come from.
pub fn told(facts: Vec<Fact>, source: usize, kind: Kind) -> impl Iterator<Item = Told> {
    let voice = voice(kind);
    facts.into_iter().map(move |fact| Told { source, voice, fact })
}
