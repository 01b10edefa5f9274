//! What lies there tonight, and what the state knows, to which is which: the same, moved or packed since, new, or gone.

use super::settings::Settings;
use super::state::{Known, State};
use super::{again, gone};
use crate::input::{self, Encoding, Hash, Packing, Stored};
use crate::messages::Messages;
use crate::read::{self, File, Start};
use crate::readings::Kept;
use crate::readings::pack::{pack_struct, unpacked};
use crate::source::{self, Origin, Problem, Source};
use chrono::{DateTime, Utc};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use stillin_parsers::kind::Kind;

/// What was seen of a source when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Size of the file.
    pub size: u64,
    /// When it was written last, nanoseconds since 1970.
    pub modified: i64,
    /// The SHA-256 of how its text begins.
    pub head: String,
    /// How long its text is, where that is told without reading it.
    pub text_bytes: Option<u64>,
    /// What it is.
    pub kind: Kind,
    /// How its text is encoded.
    pub encoding: Option<Encoding>,
    /// What it is packed with.
    pub packing: Packing,
    /// Size as stored.
    pub bytes: u64,
    /// Time of its first entry.
    pub first_entry: Option<DateTime<Utc>>,
    /// Its server, where the settings name one.
    pub server: Option<String>,
    /// NUL bytes at its end, which a writer may put there and write over later.
    pub padding: u64,
    /// What it is as stored, as far as it was read whole.
    pub stored: Option<Stored>,
    /// It could not be read to its end.
    pub is_damaged: bool,
    /// Only what of it counts on beside a newer one is kept.
    pub is_rest: bool,
}

pack_struct! {
    Seen {
        size, modified, head, text_bytes, kind, encoding, packing, bytes, first_entry, server, padding, stored,
        is_damaged, is_rest,
    }
}

/// A source of tonight.
pub struct Tonight {
    /// The source.
    pub file: File,
    /// What was seen of it; `None` where it cannot be read.
    pub seen: Option<Seen>,
    /// The source of the state that it is, under the same name or another one.
    pub known: Option<i64>,
    /// Since when it is gone.
    pub gone_since: Option<DateTime<Utc>>,
    /// What lay there under its name when it was read last, and is replaced: evidence, of which a whole export replaces
    /// the last one.
    pub before: Option<(i64, Seen)>,
    /// What was read of it before everything else.
    pub fresh: Vec<Kept>,
}

impl Tonight {
    /// It is of no use, and what lay there before stands for it.
    pub fn take_for(&mut self, id: i64, before: Seen) {
        (self.file.kind, self.file.encoding) = (before.kind, before.encoding);
        self.file.bytes = before.bytes;
        self.file.is_gone = true;
        (self.known, self.seen) = (Some(id), Some(before));
    }
}

/// Everything that is read tonight.
pub struct Found {
    /// The sources, in order.
    pub sources: Vec<Tonight>,
    /// What was named and cannot be read.
    pub problems: Vec<String>,
    /// Whether all of it is as it was on the last night.
    pub is_unchanged: bool,
}

/// Finds the sources.
pub fn find(
    settings: &Settings,
    state: &State,
    now: DateTime<Utc>,
    hash: Hash,
    messages: &Messages,
) -> anyhow::Result<Found> {
    let (sources, problems) = source::sources(&settings.analyze.paths);
    let sources = without_own(sources, settings);
    let (sources, more) = input::expand(sources);
    let problems: Vec<Problem> = problems.into_iter().chain(more).collect();
    let (mut files, _) = read::look_closely(sources, hash, true);
    name_servers(&mut files, settings);
    let (known, lost) = known(state)?;
    let of_path: BTreeMap<&str, &(Known, Seen)> =
        known.iter().map(|known| (known.0.path.as_str(), known)).collect();
    let tonight = |file: File| {
        let seen = see(&file);
        let same = seen.as_ref().and_then(|seen| {
            let (known, before) = of_path.get(file.source.path.as_str())?;
            let is_same = known.gone_since.is_none() && is_same(seen, before);
            is_same.then(|| (known.id, before.stored.clone()))
        });
        let (known, stored) = same.map_or((None, None), |(id, stored)| (Some(id), stored));
        let seen = seen.map(|seen| Seen { stored, ..seen });
        let fresh = Vec::new();
        Tonight { file, seen, known, gone_since: None, before: None, fresh }
    };
    let mut tonight: Vec<Tonight> = files.into_par_iter().map(tonight).collect();
    let left: BTreeSet<i64> = tonight.iter().filter_map(|source| source.known).collect();
    let orphans: Vec<&(Known, Seen)> =
        known.iter().filter(|(known, _)| !left.contains(&known.id)).collect();
    let whole: Vec<&(Known, Seen)> =
        orphans.iter().filter(|(_, seen)| !seen.is_rest).copied().collect();
    let superseded = again::follow(&mut tonight, &whole, hash);
    let oldest = now - settings.retention;
    let (are_gone, mut told) = gone::keep(&mut tonight, &orphans, &superseded, oldest, now);
    let n_there = tonight.iter().filter(|source| source.gone_since.is_none()).count();
    told.extend(gone::servers(&tonight, &problems, now));
    told.extend(lost);
    let problems: Vec<String> = problems.iter().map(ToString::to_string).chain(told).collect();
    problems.iter().for_each(|problem| messages.partial(problem));
    for Tonight { file, .. } in &tonight {
        if let Some(problem) = &file.problem {
            messages.partial(&format!("{}: {problem}", file.source.path));
        }
    }
    let is_unchanged = are_gone && n_there == left.len();
    tonight.sort_by(|a, b| a.file.source.path.cmp(&b.file.source.path));
    Ok(Found { sources: tonight, problems, is_unchanged })
}

/// The state and what `nightly` writes are no evidence, wherever they lie.
fn without_own(sources: Vec<Source>, settings: &Settings) -> Vec<Source> {
    let state = settings.state.file_name().map(|name| name.to_string_lossy().into_owned());
    let is_own = |source: &Source| {
        let name = source.fs_path.file_name().map(|name| name.to_string_lossy().into_owned());
        let beside = name.zip(state.as_ref()).is_some_and(|(name, state)| {
            name.strip_prefix(state.as_str())
                .is_some_and(|rest| ["", "-wal", "-shm", "-journal", ".lock"].contains(&rest))
        });
        beside && same_folder(&source.fs_path, &settings.state)
    };
    sources.into_iter().filter(|source| !is_own(source)).collect()
}

fn same_folder(a: &Path, b: &Path) -> bool {
    let folder = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()
    };
    folder(a).is_some() && folder(a) == folder(b)
}

/// Tells each log the server that the settings name for it.
fn name_servers(files: &mut [File], settings: &Settings) {
    let mut servers: BTreeMap<std::path::PathBuf, String> = BTreeMap::new();
    for server in &settings.servers {
        let (sources, _) = source::sources(&server.logs);
        let paths = sources.into_iter().filter_map(|source| fs::canonicalize(source.fs_path).ok());
        paths.for_each(|path| _ = servers.entry(path).or_insert_with(|| server.name.clone()));
    }
    for file in files {
        let path = fs::canonicalize(&file.source.fs_path).ok();
        file.server = path.and_then(|path| servers.get(&path).cloned());
    }
}

/// What the state knows, and what is to be told of what is lost.
type Memory = (Vec<(Known, Seen)>, Vec<String>);

/// That. What another version wrote may not be understood: it is read again, if it is still there.
fn known(state: &State) -> anyhow::Result<Memory> {
    let (mut all, mut lost) = (Vec::new(), Vec::new());
    for known in state.sources()? {
        match unpacked(&known.seen) {
            Some(seen) => all.push((known, seen)),
            None if known.gone_since.is_some() => lost.push(format!(
                "{}: is gone, and what another version read of it is of no use; it is left out",
                known.path
            )),
            None => {}
        }
    }
    Ok((all, lost))
}

fn see(file: &File) -> Option<Seen> {
    let metadata = fs::metadata(&file.source.fs_path).ok()?;
    let Start { head, packing, text_bytes } = file.start.clone()?;
    let modified = metadata.modified().ok().map(DateTime::<Utc>::from);
    Some(Seen {
        size: metadata.len(),
        modified: modified.and_then(|time| time.timestamp_nanos_opt()).unwrap_or_default(),
        head,
        text_bytes,
        kind: file.kind,
        encoding: file.encoding,
        packing,
        bytes: file.bytes,
        first_entry: file.first_entry,
        server: file.server.clone(),
        padding: match packing == Packing::Plain && matches!(file.source.origin, Origin::File) {
            true => input::zeros_at_end(&file.source.fs_path).unwrap_or_default(),
            false => 0,
        },
        stored: None,
        is_damaged: false,
        is_rest: false,
    })
}

/// Nobody wrote to it.
fn is_same(now: &Seen, before: &Seen) -> bool {
    let looked = |seen: &Seen| Seen { stored: None, is_damaged: false, ..seen.clone() };
    looked(now) == looked(before)
}
