//! What lies there tonight, and what the state knows, to which is which: the same, moved or packed since, new, or gone.

use super::settings::Settings;
use super::state::{Known, State};
use crate::input::{self, Encoding, HEAD, Hash, Packing, Stored};
use crate::messages::Messages;
use crate::read::{self, File, Start};
use crate::readings::pack::{pack_struct, unpacked};
use crate::source::{self, Origin, Source};
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
    /// What it is as stored, where it was moved or packed since it was read.
    pub stored: Option<Stored>,
}

pack_struct! {
    Seen {
        size, modified, head, text_bytes, kind, encoding, packing, bytes, first_entry, server, stored,
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
    let problems: Vec<String> = problems.iter().chain(&more).map(ToString::to_string).collect();
    problems.iter().for_each(|problem| messages.partial(problem));
    let (mut files, _) = read::look_closely(sources, hash, true);
    name_servers(&mut files, settings);
    for file in &files {
        if let Some(problem) = &file.problem {
            messages.partial(&format!("{}: {problem}", file.source.path));
        }
    }
    let known = known(state)?;
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
        Tonight { file, seen, known, gone_since: None }
    };
    let mut tonight: Vec<Tonight> = files.into_par_iter().map(tonight).collect();
    let n_same = tonight.iter().filter(|source| source.known.is_some()).count();
    let left: BTreeSet<i64> = tonight.iter().filter_map(|source| source.known).collect();
    let orphans: Vec<&(Known, Seen)> =
        known.iter().filter(|(known, _)| !left.contains(&known.id)).collect();
    let n_new = tonight.len() - n_same;
    let superseded = follow(&mut tonight, &orphans, hash);
    let n_known = tonight.iter().filter(|source| source.known.is_some()).count();
    let taken: BTreeSet<i64> = tonight.iter().filter_map(|source| source.known).collect();
    let paths: BTreeSet<String> =
        tonight.iter().map(|source| source.file.source.path.clone()).collect();
    let mut is_unchanged = n_new == 0 && n_known == n_same;
    for (known, seen) in orphans {
        let is_over = taken.contains(&known.id)
            || superseded.contains(&known.id)
            || paths.contains(&known.path)
            || known.gone_since.is_some_and(|since| since + settings.retention < now);
        is_unchanged &= known.gone_since.is_some() && !is_over;
        if !is_over {
            tonight.push(gone(known, seen, now));
        }
    }
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

fn known(state: &State) -> anyhow::Result<Vec<(Known, Seen)>> {
    let known = state.sources()?.into_iter();
    // What another version wrote is not understood: it is read again.
    Ok(known
        .filter_map(|known| Some((unpacked(&known.seen)?, known)))
        .map(|(s, k)| (k, s))
        .collect())
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
        stored: None,
    })
}

/// Nobody wrote to it.
fn is_same(now: &Seen, before: &Seen) -> bool {
    Seen { stored: None, ..now.clone() } == Seen { stored: None, ..before.clone() }
}

/// Finds the logs that were moved or packed, which keep their readings, and those that grew on under another name, of
/// which the readings are worth nothing any more. Returns the latter.
fn follow(tonight: &mut [Tonight], orphans: &[&(Known, Seen)], hash: Hash) -> BTreeSet<i64> {
    let mut superseded = BTreeSet::new();
    if orphans.is_empty() {
        return superseded;
    }
    let mut heirs: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (index, source) in tonight.iter().enumerate().filter(|(_, source)| source.known.is_none()) {
        let Some(seen) = &source.seen else { continue };
        let head = || source.file.open(Hash::None).map(|opened| opened.head).unwrap_or_default();
        let mut first: Option<Vec<u8>> = None;
        for (known, before) in orphans {
            if before.kind != seen.kind {
                continue;
            }
            if before.head == seen.head && before.text_bytes == seen.text_bytes {
                heirs.entry(known.id).or_default().push(index);
                continue;
            }
            // A log that grew begins with what it was.
            let begins = match before.text_bytes {
                Some(bytes) if bytes < HEAD as u64 => {
                    let head = first.get_or_insert_with(head);
                    let begin = head.get(..bytes as usize);
                    begin.is_some_and(|begin| input::sha256(begin) == before.head)
                }
                _ => before.head == seen.head,
            };
            let is_longer = before.text_bytes.zip(seen.text_bytes).is_none_or(|(a, b)| a < b);
            if begins && is_longer {
                superseded.insert(known.id);
            }
        }
    }
    for (known, before) in orphans {
        // Of two copies nobody knows which is the old one.
        let Some(&[heir]) = heirs.get(&known.id).map(Vec::as_slice) else { continue };
        let is_only = heirs.values().filter(|list| list.contains(&heir)).count() == 1;
        let source = &mut tonight[heir];
        let Some(seen) = source.seen.as_mut().filter(|_| is_only && before.text_bytes.is_some())
        else {
            continue;
        };
        if let Some(stored) = as_it_was(&source.file, seen, before, hash) {
            seen.stored = stored;
            source.known = Some(known.id);
        }
    }
    superseded
}

/// What a log is as stored, if it is one that was read before under another name, or without being packed.
fn as_it_was(file: &File, now: &Seen, before: &Seen, hash: Hash) -> Option<Option<Stored>> {
    let is_renamed = now.packing == before.packing && now.size == before.size;
    if is_renamed && now.modified == before.modified {
        return Some(before.stored.clone());
    }
    // Written anew without being packed: only all of it would tell that it is the same.
    if now.packing == Packing::Plain || !matches!(file.source.origin, Origin::File) {
        return None;
    }
    input::stored(&file.source.fs_path, hash).ok().map(Some)
}

/// A source that was there, and is not.
fn gone(known: &Known, seen: &Seen, now: DateTime<Utc>) -> Tonight {
    let path = known.path.clone();
    let mut file =
        File::unseen(Source { fs_path: path.clone().into(), path, origin: Origin::File });
    (file.kind, file.encoding, file.bytes) = (seen.kind, seen.encoding, seen.bytes);
    (file.first_entry, file.server) = (seen.first_entry, seen.server.clone());
    file.is_gone = true;
    let gone_since = Some(known.gone_since.unwrap_or(now));
    Tonight { file, seen: Some(seen.clone()), known: Some(known.id), gone_since }
}
