//! The state of `nightly` on the disk: what was read, what was found, what was reported last; one SQLite file, replaced
//! in one transaction.

use crate::readings::pack::{packed, unpacked};
use crate::readings::{Fetch, Kept, Left, Slot, Value};
use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, params};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The schema of the file.
const SCHEMA: i64 = 1;

/// What marks the file as ours: `stil`.
const APPLICATION: i64 = 0x7374_696c;

const TABLES: &str = "
create table meta (key text primary key, value blob not null) without rowid;
create table source (id integer primary key, path text not null unique, seen blob not null, gone_since text);
create table reading (id integer primary key, source integer not null references source on delete cascade,
    slot text not null, question blob not null, value blob not null);
create index reading_source on reading (source);
create table asked (digest text primary key, names blob not null) without rowid;
create table finding (key text primary key, account text not null, sid text, kind text not null, at text not null,
    status text not null, is_excluded integer not null, residual text not null, first text not null,
    last text not null, exposure_seconds integer not null, pools text not null, first_seen text not null,
    last_seen text not null, closed_at text) without rowid;
create table step (finding text not null references finding on delete cascade, at text not null, status text not null);
create table change (key text primary key, account text not null, kind text not null, at text not null,
    first_seen text not null, last_seen text not null) without rowid;
create table run (at text primary key, status integer not null, files integer not null, files_read integer not null,
    open integer not null, new integer not null, closed integer not null, milliseconds integer not null) without rowid;
";

/// The state, open, with nobody else at work with it.
pub struct State {
    name: String,
    db: Arc<Mutex<Connection>>,
    /// Locked as long as it is open, and unlocked by the system whatever ends the run.
    _lock: File,
}

/// A source as the state knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Number in the state.
    pub id: i64,
    /// As it was named.
    pub path: String,
    /// What was seen of it, packed.
    pub seen: Vec<u8>,
    /// Since when it is gone.
    pub gone_since: Option<DateTime<Utc>>,
}

/// Opens the state, or makes an empty one.
pub fn open(path: &Path) -> anyhow::Result<State> {
    let name = path.display().to_string();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        bail!("{name}: no such folder; make it first");
    }
    may_be_state(path, &name)?;
    let lock = lock(path, &name)?;
    if !path.exists() {
        make(path)?;
    }
    let db = Connection::open(path).map_err(|error| told(&name, error))?;
    prepare(&db, &name)?;
    Ok(State { name, db: Arc::new(Mutex::new(db)), _lock: lock })
}

/// Refuses what cannot be a state before anything is made beside it.
fn may_be_state(path: &Path, name: &str) -> anyhow::Result<()> {
    if path.is_dir() {
        bail!("{name}: is a folder; name a file in it for the state");
    }
    let mut first = Vec::new();
    // What is not there, or cannot be read, is told by whoever opens it.
    let read = File::open(path).and_then(|file| file.take(100).read_to_end(&mut first));
    let is_ours = || first.get(68..72) == Some(&(APPLICATION as u32).to_be_bytes()[..]);
    match first.as_slice() {
        [] if path.exists() && read.is_ok() => Err(damaged(name)),
        [] => Ok(()),
        _ if read.is_err() => Ok(()),
        [start @ .., _] if !start.starts_with(b"SQLite format 3\0") => Err(damaged(name)),
        _ if first.get(68..72).is_some_and(|id| id != [0; 4]) && !is_ours() => {
            bail!("{name}: is a database of another program; name another file")
        }
        _ => Ok(()),
    }
}

/// Opens the state to read what was found, which disturbs no run.
pub fn open_to_read(path: &Path) -> anyhow::Result<Connection> {
    let name = path.display().to_string();
    if !path.is_file() {
        bail!("{name}: no such file; `stillin nightly` makes it");
    }
    let open = |name_of: PathBuf, flags| {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(name_of, flags).map_err(|error| told(&name, error))?;
        db.busy_timeout(std::time::Duration::from_secs(5)).map_err(|error| told(&name, error))?;
        check(&db, &name)?;
        Ok(db)
    };
    let first = open(path.to_path_buf(), OpenFlags::SQLITE_OPEN_READ_WRITE);
    match first {
        // In a folder where nothing can be written SQLite has no place for what it keeps beside a file that may change.
        Err(_) if !has_journal(path) => {
            let as_it_is = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            let second = uri(path).map(|uri| open(uri.into(), as_it_is));
            second.filter(anyhow::Result::is_ok).unwrap_or(first)
        }
        _ => first,
    }
}

/// Whether a run is at work, or was killed: then the file itself is not the whole state.
fn has_journal(path: &Path) -> bool {
    let mut beside = path.as_os_str().to_owned();
    beside.push("-wal");
    std::fs::metadata(beside).is_ok_and(|metadata| metadata.len() > 0)
}

/// The name of a file that nobody writes to while it is read.
fn uri(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    let text = path.to_str()?.replace('\\', "/");
    let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Some(format!("file:{}{escaped}?immutable=1", if escaped.starts_with('/') { "" } else { "/" }))
}

/// Keeps other runs away.
fn lock(path: &Path, name: &str) -> anyhow::Result<File> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&beside);
    let file =
        file.with_context(|| format!("{name}: cannot write {} beside it", beside.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("{name}: another run is at work with this state; nothing is done here")
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("{name}: cannot lock {}", beside.display()))
        }
    }
}

fn damaged(name: &str) -> anyhow::Error {
    anyhow::anyhow!(
        "{name}: is damaged, or no state of stillin; move it away to begin anew, or put a copy back"
    )
}

/// What SQLite says, with the cure.
fn told(name: &str, error: rusqlite::Error) -> anyhow::Error {
    use rusqlite::ErrorCode::*;
    let cure = match error.sqlite_error_code() {
        Some(NotADatabase | DatabaseCorrupt) => {
            return damaged(name);
        }
        Some(ReadOnly | PermissionDenied | CannotOpen) => {
            return anyhow::anyhow!(
                "{name}: cannot be written; run as a user who may write the file and its folder"
            );
        }
        Some(DiskFull) => "the disk is full; make room, the state is as it was",
        Some(SystemIoFailure) => "the disk may be full or gone; the state is as it was",
        Some(DatabaseBusy | DatabaseLocked) => "another program holds it; try again",
        _ => "move it away to begin anew, or put a copy back",
    };
    anyhow::anyhow!("{name}: {error}; {cure}")
}

fn prepare(db: &Connection, name: &str) -> anyhow::Result<()> {
    let told = |error| told(name, error);
    check(db, name)?;
    if db.is_readonly("main").map_err(told)? {
        bail!("{name}: cannot be written; run as a user who may write the file and its folder");
    }
    let schema: i64 = db.query_row("pragma user_version", [], |row| row.get(0)).map_err(told)?;
    db.execute_batch(
        "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on",
    )
    .map_err(told)?;
    if schema == SCHEMA { Ok(()) } else { tables(db).map_err(told) }
}

/// Makes an empty state beside its place and puts it there as a whole: so an empty file is never one that was begun, and a
/// state that was lost is not taken for a new one.
fn make(path: &Path) -> anyhow::Result<()> {
    let name = path.display().to_string();
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // What a run left that was killed here.
    let _ = std::fs::remove_file(&beside);
    let made = Connection::open(&beside).and_then(|db| {
        tables(&db)?;
        db.close().map_err(|(_, error)| error)
    });
    made.map_err(|error| told(&name, error))?;
    std::fs::rename(&beside, path).with_context(|| format!("{name}: cannot be made"))
}

fn tables(db: &Connection) -> rusqlite::Result<()> {
    let begun = db.unchecked_transaction()?;
    begun.execute_batch(TABLES)?;
    begun.pragma_update(None, "application_id", APPLICATION)?;
    begun.pragma_update(None, "user_version", SCHEMA)?;
    begun.commit()
}

/// Whether the file is a state that this program knows.
fn check(db: &Connection, name: &str) -> anyhow::Result<()> {
    let number = |what| db.query_row(&format!("pragma {what}"), [], |row| row.get::<_, i64>(0));
    let told = |error| told(name, error);
    let (application, schema) =
        (number("application_id").map_err(told)?, number("user_version").map_err(told)?);
    let n_tables: i64 =
        db.query_row("select count(*) from sqlite_schema", [], |row| row.get(0)).map_err(told)?;
    if application != APPLICATION && (n_tables > 0 || schema != 0) {
        bail!("{name}: is a database of another program; name another file");
    }
    if schema > SCHEMA {
        bail!(
            "{name}: was written by a newer stillin (schema {schema}, this one knows {SCHEMA}); run that one, or move the \
             file away to begin anew"
        );
    }
    Ok(())
}

impl State {
    /// An error of the state in words.
    fn told(&self, error: rusqlite::Error) -> anyhow::Error {
        told(&self.name, error)
    }

    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> anyhow::Result<T> {
        let db = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        work(&db).map_err(|error| self.told(error))
    }

    /// A value by its key.
    pub fn meta(&self, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        self.with(|db| {
            db.query_row("select value from meta where key = ?1", [key], |row| row.get(0))
                .optional()
        })
    }

    /// Every source.
    pub fn sources(&self) -> anyhow::Result<Vec<Known>> {
        self.with(|db| {
            let mut all =
                db.prepare("select id, path, seen, gone_since from source order by path")?;
            let known = all.query_map([], |row| {
                let gone: Option<String> = row.get(3)?;
                let gone_since = gone.and_then(|text| text.parse().ok());
                Ok(Known { id: row.get(0)?, path: row.get(1)?, seen: row.get(2)?, gone_since })
            })?;
            known.collect()
        })
    }

    /// The readings of every source, without what they gave; the last one first.
    pub fn readings(&self) -> anyhow::Result<BTreeMap<i64, Vec<Kept>>> {
        self.with(|db| {
            let mut all =
                db.prepare("select source, id, slot, question from reading order by id desc")?;
            let mut rows = all.query([])?;
            let mut readings: BTreeMap<i64, Vec<Kept>> = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let word: String = row.get(2)?;
                let slot =
                    Slot::WORDS.iter().find(|(_, known)| *known == word).map(|(slot, _)| *slot);
                let Some(slot) = slot else { continue };
                let kept = Kept { slot, question: row.get(3)?, value: Value::Row(row.get(1)?) };
                readings.entry(row.get(0)?).or_default().push(kept);
            }
            Ok(readings)
        })
    }

    /// Sets of names that were looked for, by their digest.
    pub fn asked(&self) -> anyhow::Result<Asked> {
        let all: Vec<(String, Vec<u8>)> = self.with(|db| {
            let mut all = db.prepare("select digest, names from asked")?;
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })?;
        Ok(all
            .into_iter()
            .filter_map(|(digest, names)| Some((digest, unpacked(&names)?)))
            .collect())
    }

    /// Gets what a reading gave.
    pub fn fetch(&self) -> Fetch {
        let db = Arc::clone(&self.db);
        Box::new(move |row| {
            let db = db.lock().unwrap_or_else(PoisonError::into_inner);
            db.query_row("select value from reading where id = ?1", [row], |row| row.get(0)).ok()
        })
    }

    /// Replaces the state: all of it, or nothing. `last` is done when nothing but the end is left to do, and undoes all of
    /// it where it fails.
    pub fn replace(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
        last: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let db = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = db.unchecked_transaction().map_err(|error| self.told(error))?;
        work(&begun).map_err(|error| self.told(error))?;
        last()?;
        begun.commit().map_err(|error| self.told(error))
    }

    /// Reads findings and runs.
    pub fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> anyhow::Result<T> {
        self.with(work)
    }
}

/// Writes a value by its key.
pub fn set_meta(to: &Transaction<'_>, key: &str, value: &[u8]) -> rusqlite::Result<()> {
    to.execute("insert or replace into meta values (?1, ?2)", params![key, value]).map(|_| ())
}

/// Sets of names that were looked for, by their digest.
pub type Asked = BTreeMap<String, BTreeSet<String>>;

/// A source as the night leaves it.
#[derive(Debug)]
pub struct Next {
    /// The source of before that it is.
    pub from: Option<i64>,
    /// As it was named.
    pub path: String,
    /// What was seen of it, packed.
    pub seen: Vec<u8>,
    /// Since when it is gone.
    pub gone_since: Option<DateTime<Utc>>,
    /// Its readings.
    pub left: Left,
}

/// Replaces what is known of all sources; readings that nothing was asked of tonight are dropped.
pub fn set_sources(to: &Transaction<'_>, next: &[Next], asked: &Asked) -> rusqlite::Result<()> {
    let kept: BTreeSet<i64> = next.iter().flat_map(|source| &source.left.rows).copied().collect();
    let stays: BTreeSet<i64> = next.iter().filter_map(|source| source.from).collect();
    let ids = |what: &str| -> rusqlite::Result<Vec<i64>> {
        let mut all = to.prepare(what)?;
        all.query_map([], |row| row.get(0))?.collect()
    };
    for row in ids("select id from reading")?.into_iter().filter(|row| !kept.contains(row)) {
        to.execute("delete from reading where id = ?1", [row])?;
    }
    for id in ids("select id from source")?.into_iter().filter(|id| !stays.contains(id)) {
        to.execute("delete from source where id = ?1", [id])?;
    }
    // Two sources may have changed names.
    to.execute("update source set path = '?' || id", [])?;
    for Next { from, path, seen, gone_since, left } in next {
        let gone = gone_since.map(|time| time.to_rfc3339());
        let id = match from {
            Some(id) => {
                let set = "update source set path = ?1, seen = ?2, gone_since = ?3 where id = ?4";
                to.execute(set, params![path, seen, gone, id])?;
                *id
            }
            None => {
                let insert = "insert into source (path, seen, gone_since) values (?1, ?2, ?3)";
                to.execute(insert, params![path, seen, gone])?;
                to.last_insert_rowid()
            }
        };
        for kept in &left.fresh {
            let word = Slot::WORDS.iter().find(|(slot, _)| *slot == kept.slot);
            let (Some((_, word)), Value::Bytes(value)) = (word, &kept.value) else { continue };
            let insert =
                "insert into reading (source, slot, question, value) values (?1, ?2, ?3, ?4)";
            to.execute(insert, params![id, word, kept.question, value])?;
        }
    }
    set_asked(to, asked)
}

/// Writes the sets of names that readings still speak of.
fn set_asked(to: &Transaction<'_>, asked: &Asked) -> rusqlite::Result<()> {
    to.execute("delete from asked", [])?;
    for (digest, names) in asked {
        let is_spoken_of = to.query_row(
            "select exists (select 1 from reading where slot = 'log' and instr(question, cast(?1 as blob)) > 0)",
            [digest],
            |row| row.get::<_, bool>(0),
        )?;
        if is_spoken_of {
            to.execute("insert into asked values (?1, ?2)", params![digest, packed(names)])?;
        }
    }
    Ok(())
}
