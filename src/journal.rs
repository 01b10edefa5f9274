//! What `recycle` did, to lines that outlive it, and back: one JSON object a line, only ever appended, each on the disk
//! before the next thing is done. So whatever ends a run, the next one knows which steps are done, and which may be.

mod event;

pub use event::{Action, Begun, Closed, Ended, Event, Opened, Outcome, PlanFile, Skipped};

use crate::analyze::outputs::not_writable;
use crate::collect::names::is_one_host;
use crate::input::refused;
use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The schema of every run in a journal.
pub const SCHEMA: &str = "stillin/journal/1";

/// How the first line of a journal begins.
const HEAD: &[u8] = b"{\"schema\":\"stillin/journal/1\",";

/// How every other line begins.
const EVENT: &[u8] = b"{\"event\":\"";

/// A line: an event, and in those that open a run the schema.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
    #[serde(flatten)]
    event: Event,
}

/// What is known of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Done.
    Done,
    /// Not done.
    Failed,
    /// Begun, and not known to have done it.
    Uncertain,
}

/// One command that was begun, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRecord {
    /// The run, by its own name.
    pub run: String,
    /// The step, in the plan of that run.
    pub step: u64,
    /// Server.
    pub server: String,
    /// Pool; empty for all pools of the server.
    pub pool: String,
    /// What was done.
    pub action: Action,
    /// SHA-256 of the report of that run, or of the plan if it tells of none.
    pub plan_sha256: String,
    /// Just before it ran.
    pub begun_at: DateTime<Utc>,
    /// After it, unless the run was killed before.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Workers before.
    pub workers_before: Vec<u32>,
    /// Workers after, if they could be listed.
    pub workers_after: Option<Vec<u32>>,
    /// Line of the journal where it begins.
    pub line: u64,
}

/// Whether the old workers are gone, or another one is there: the proof of a recycle (DOMAIN.md 6.4). `iisreset` overlaps
/// nothing, so that all must be gone. A recycle starts no worker where there was none: one that is there now may have been
/// there before, and not been listed.
pub fn is_changed(action: Action, before: &[u32], after: &[u32]) -> bool {
    let are_gone = before.iter().all(|id| !after.contains(id));
    match action {
        Action::Iisreset => are_gone,
        Action::Recycle if before.is_empty() => after.is_empty(),
        Action::Recycle => are_gone || after.iter().any(|id| !before.contains(id)),
    }
}

impl StepRecord {
    /// What is known of it.
    pub fn state(&self) -> State {
        match self.outcome {
            Some(Outcome::Done) => State::Done,
            Some(Outcome::Failed) => State::Failed,
            Some(Outcome::TimedOut | Outcome::Unproven) | None => State::Uncertain,
        }
    }

    /// Whether it ends the tokens of that pool, if it is done.
    pub fn covers(&self, server: &str, pool: &str) -> bool {
        let is_pool = self.pool.is_empty() || self.pool.eq_ignore_ascii_case(pool);
        is_one_host(&self.server, server) && is_pool
    }
}

/// A journal as it was read.
#[derive(Debug, Default)]
pub struct Journal {
    records: Vec<StepRecord>,
    torn: Vec<u64>,
    is_cut_short: bool,
}

impl Journal {
    /// Every command that was begun, in order.
    pub fn steps(&self) -> &[StepRecord] {
        &self.records
    }

    /// Lines that were being written when a run was killed. Whatever they were to say had not been done
    /// (a command is begun only after its line is whole) or is told as uncertain.
    pub fn torn_lines(&self) -> &[u64] {
        &self.torn
    }
}

/// Reads a journal.
pub fn read(path: &Path) -> anyhow::Result<Journal> {
    let name = path.display();
    let bytes = fs::read(path).map_err(refused).with_context(|| format!("cannot read {name}"))?;
    parse(&bytes).with_context(|| name.to_string())
}

/// Lines to what they tell.
fn parse(bytes: &[u8]) -> anyhow::Result<Journal> {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    // NUL bytes alone may be anybody's.
    let begin = if first.starts_with(b"\0") { first } else { without_nuls(first) };
    if !(begin.starts_with(HEAD) || HEAD.starts_with(begin)) {
        bail!("no journal of stillin ({SCHEMA})");
    }
    let mut journal = Journal {
        is_cut_short: !bytes.ends_with(b"\n") && !bytes.is_empty(),
        ..Journal::default()
    };
    let mut plan_sha256 = String::new();
    let mut unread: Vec<(u64, serde_json::Error)> = Vec::new();
    let lines = bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n');
    for (number, text) in (1..).zip(lines).filter(|_| !bytes.is_empty()) {
        let line = serde_json::from_slice::<Line>(text);
        let is_opening = matches!(&line, Ok(Line { event: Event::Opened(_), .. }));
        // What a killed run left unfinished is followed by nothing, or by the next run, of which the same is true.
        if is_opening {
            journal.torn.extend(unread.drain(..).map(|(torn, _)| torn));
        } else if let (Ok(_), Some((torn, error))) = (&line, unread.first()) {
            bail!(not_understood(*torn, error));
        }
        match line {
            Ok(Line { schema, .. }) if is_opening && schema.as_deref() != Some(SCHEMA) => {
                bail!("line {number} is of another schema than {SCHEMA}")
            }
            Ok(line) => journal.take(number, line.event, &mut plan_sha256)?,
            Err(error) if is_piece(text) => unread.push((number, error)),
            Err(error) => bail!(not_understood(number, &error)),
        }
    }
    // A line that has its end was whole once, and what it told may have been begun.
    match unread.first() {
        Some((number, error)) if !journal.is_cut_short => {
            bail!(not_understood(*number, error))
        }
        _ => journal.torn.extend(unread.iter().map(|(torn, _)| torn)),
    }
    Ok(journal)
}

fn not_understood(line: u64, error: &serde_json::Error) -> String {
    format!(
        "line {line} is not understood ({error}); was it edited? look which workers the pools have now, and repair that \
         line: another journal would not know what was done"
    )
}

/// Whether it is how a line of this program begins, and no more. After a power cut the file may be longer than what
/// was written to it, and ends in NUL bytes: no command had begun for such a line, for it was never said to be on the disk.
fn is_piece(text: &[u8]) -> bool {
    let written = without_nuls(text);
    let begins = |with: &[u8]| written.starts_with(with) || with.starts_with(written);
    let is_cut = match serde_json::from_slice::<IgnoredAny>(written) {
        Ok(_) => written.len() < text.len(),
        Err(error) => error.is_eof(),
    };
    !text.is_empty() && is_cut && (begins(HEAD) || begins(EVENT))
}

/// What was written before the file ended in NUL bytes.
fn without_nuls(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &text[..end]
}

impl Journal {
    fn take(&mut self, line: u64, event: Event, plan_sha256: &mut String) -> anyhow::Result<()> {
        match event {
            Event::Opened(opened) => *plan_sha256 = opened.plan.identity().to_owned(),
            Event::Begun(begun) => self.records.push(StepRecord {
                run: begun.run,
                step: begun.step,
                server: begun.server,
                pool: begun.pool,
                action: begun.action,
                plan_sha256: plan_sha256.clone(),
                begun_at: begun.at,
                ended_at: None,
                outcome: None,
                workers_before: begun.workers,
                workers_after: None,
                line,
            }),
            Event::Ended(ended) => {
                // One command at a time: it is the last one that was begun.
                let last = self.records.last_mut().filter(|record| {
                    record.outcome.is_none()
                        && (record.step, &record.server, &record.pool)
                            == (ended.step, &ended.server, &ended.pool)
                });
                let last = last.with_context(|| {
                    format!("line {line} ends what was not begun; was it edited?")
                })?;
                last.ended_at = Some(ended.at);
                last.outcome = Some(ended.outcome);
                last.workers_after = ended.workers;
            }
            Event::Skipped(_) | Event::Closed(_) => {}
        }
        Ok(())
    }
}

/// A journal that one run, and no other, appends to.
#[derive(Debug)]
pub struct Writer {
    name: String,
    file: File,
    /// The last line has no end yet. It gets it with the next one, so that a piece with an end is followed by something.
    is_cut_short: bool,
    /// A line could not be written, or not to its end: nothing that comes behind it could be trusted.
    is_broken: bool,
    /// Locked as long as it is open, and unlocked by the system whatever ends the run.
    _guard: File,
}

/// Opens a journal to append to it, or makes one, and reads what it holds. Only one run can have it open.
pub fn open(path: &Path) -> anyhow::Result<(Journal, Writer)> {
    let name = path.display().to_string();
    let cannot = || format!("cannot write {name}");
    let is_new = !path.exists();
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
        .map_err(not_writable)
        .with_context(cannot)?;
    if !file.metadata().with_context(cannot)?.is_file() {
        bail!("{name}: is no file; a journal has to be kept");
    }
    let guard = guard(path, &file).with_context(cannot)?;
    lock(&guard, &name)?;
    if is_new {
        keep_name(path).with_context(cannot)?;
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
    let journal = parse(&bytes).with_context(|| name.clone())?;
    let writer =
        Writer { name, file, is_cut_short: journal.is_cut_short, is_broken: false, _guard: guard };
    Ok((journal, writer))
}

/// Keeps other runs away. A run that was killed while it began a command may live on in that for an instant, with its lock.
fn lock(file: &File, name: &str) -> anyhow::Result<()> {
    const TRIES: u32 = 20;
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50)),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {name}"));
            }
        }
    }
    bail!("{name}: another run is at work with this journal; wait until it is over")
}

/// Whether another run is at work with a journal: what it has begun is not known yet.
pub fn is_at_work(path: &Path) -> bool {
    let lock = if cfg!(windows) { beside(path) } else { path.to_owned() };
    let is_locked = |file: File| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    File::open(lock).is_ok_and(is_locked)
}

/// The file that stands for a journal where it cannot be locked itself.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// What is locked: the journal itself.
#[cfg(not(windows))]
fn guard(_path: &Path, file: &File) -> std::io::Result<File> {
    file.try_clone()
}

/// What is locked: a file beside the journal, because a lock keeps readers out on Windows, and `verify --watch` reads.
#[cfg(windows)]
fn guard(path: &Path, _file: &File) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).open(beside(path))
}

/// A new file outlives a power cut only when its folder was written as well.
#[cfg(unix)]
fn keep_name(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// NTFS writes names by itself, and has no folders that could be flushed.
#[cfg(not(unix))]
fn keep_name(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

impl Writer {
    /// Appends an event; when it returns, the event is on the disk.
    pub fn append(&mut self, event: Event) -> anyhow::Result<()> {
        if self.is_broken {
            bail!(
                "{}: nothing more is written to it, because a line of it could not be",
                self.name
            );
        }
        let schema = matches!(event, Event::Opened(_)).then(|| SCHEMA.to_owned());
        let mut line = if self.is_cut_short { vec![b'\n'] } else { Vec::new() };
        serde_json::to_writer(&mut line, &Line { schema, event })?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        self.is_cut_short = false;
        self.is_broken = written.is_err();
        written.with_context(|| format!("cannot write {}", self.name))
    }
}

#[cfg(test)]
mod tests;
