//! A log that lies there, and those that were read before, to which of them it is: grown, moved, copied or packed since.

use super::sources::{Seen, Tonight};
use super::state::Known;
use crate::input::{self, Body, HEAD, Hash, Packing, Stored};
use crate::read::File;
use crate::source::Origin;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Finds the logs that were moved, copied or packed, which keep their readings, and those that grew on under any name, of
/// which the readings are worth nothing any more. Returns the latter.
pub fn follow(tonight: &mut [Tonight], orphans: &[&(Known, Seen)], hash: Hash) -> BTreeSet<i64> {
    let mut superseded = BTreeSet::new();
    let mut heirs: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    if orphans.is_empty() {
        return superseded;
    }
    for (index, source) in tonight.iter().enumerate().filter(|(_, source)| source.known.is_none()) {
        let Some(seen) = &source.seen else { continue };
        let head = || source.file.open(Hash::None).map(|opened| opened.head).unwrap_or_default();
        let mut first: Option<Vec<u8>> = None;
        for (known, before) in orphans.iter().filter(|(_, before)| before.kind == seen.kind) {
            if completes(source, seen, (known, before)) {
                superseded.insert(known.id);
            } else if before.head == seen.head && before.text_bytes == seen.text_bytes {
                heirs.entry(known.id).or_default().push(index);
            } else if begins(seen, before, || first.get_or_insert_with(head).clone())
                && is_no_shorter(seen, before)
                && holds_all(&source.file, seen, before)
            {
                superseded.insert(known.id);
            }
        }
    }
    for (known, before) in orphans {
        let Some(list) = heirs.get(&known.id) else { continue };
        // Of two copies nobody knows which is the old one.
        let heir = match list.as_slice() {
            &[heir] if heirs.values().filter(|list| list.contains(&heir)).count() == 1 => heir,
            _ => {
                let holds = |&index: &usize| holds_all_of(&tonight[index], before);
                superseded.extend(list.iter().any(holds).then_some(known.id));
                continue;
            }
        };
        let as_it_was = match (&tonight[heir].seen, before.text_bytes) {
            (Some(seen), Some(_)) => as_it_was(&tonight[heir].file, seen, before, hash),
            _ => None,
        };
        let source = &mut tonight[heir];
        match (as_it_was, source.seen.as_mut()) {
            (Some(stored), Some(seen)) => {
                seen.stored = stored;
                source.known = Some(known.id);
            }
            // It is read again, and holds all that was read.
            _ => superseded.extend(holds_all_of(source, before).then_some(known.id)),
        }
    }
    superseded
}

/// Whether a file is one that was damaged, as where it was read while it was copied, and is whole by now, or at least more
/// of it.
fn completes(source: &Tonight, seen: &Seen, (known, before): (&Known, &Seen)) -> bool {
    let is_same_file = known.path == source.file.source.path && before.size <= seen.size;
    before.is_damaged
        && (before.first_entry == seen.first_entry || is_same_file && before.first_entry.is_none())
        && (before.head == seen.head || is_same_file)
        && (before.size <= seen.size || unpacks(&source.file).is_some())
}

/// Whether the packed file under a name is the one that was read whole, and is damaged by now.
pub fn is_damaged_since(source: &Tonight, before: &Seen) -> bool {
    let is_it = |seen: &Seen| {
        let is_as_old = seen.first_entry.is_some() && seen.first_entry == before.first_entry;
        is_as_old || seen.head == before.head
    };
    let may_be = |seen: &Seen| seen.packing != Packing::Plain && !before.is_damaged && is_it(seen);
    source.seen.as_ref().is_some_and(may_be) && unpacks(&source.file).is_none()
}

/// Whether a text begins as another one did, but for the NULs at the end of that one.
fn begins(now: &Seen, before: &Seen, head: impl FnOnce() -> Vec<u8>) -> bool {
    let Some(bytes) = before.text_bytes else { return before.head == now.head };
    let length = bytes.min(HEAD as u64);
    let own = bytes.saturating_sub(before.padding).min(length);
    if own == HEAD as u64 {
        return before.head == now.head;
    }
    let mut text = head();
    if text.len() < own as usize {
        return false;
    }
    text.resize(own as usize, 0);
    text.resize(length as usize, 0);
    input::sha256(&text) == before.head
}

fn is_no_shorter(now: &Seen, before: &Seen) -> bool {
    let own = |seen: &Seen| Some(seen.text_bytes?.saturating_sub(seen.padding));
    own(before).zip(own(now)).is_none_or(|(before, now)| before <= now)
}

fn holds_all_of(source: &Tonight, before: &Seen) -> bool {
    source.seen.as_ref().is_some_and(|seen| holds_all(&source.file, seen, before))
}

/// Whether all that was read of a plain file still stands at its beginning. Of what is packed, or was read without its
/// hash, nobody can tell more than how it begins, and that it is whole and as long.
fn holds_all(file: &File, now: &Seen, before: &Seen) -> bool {
    if now.packing != Packing::Plain {
        return unpacks(file).is_some_and(|length| before.text_bytes.is_none_or(|n| n <= length));
    }
    let is_plain = |seen: &Seen| seen.packing == Packing::Plain;
    let stored = before.stored.as_ref().filter(|_| is_plain(now) && is_plain(before));
    let known = stored.and_then(|stored| Some((stored.bytes, stored.sha256.as_ref()?)));
    let Some((bytes, sha256)) = known.filter(|_| matches!(file.source.origin, Origin::File)) else {
        return true;
    };
    // What was written between the look and the reading is no padding.
    let padding = if bytes == before.size { before.padding } else { 0 };
    let first = input::sha256_of_first(&file.source.fs_path, bytes - padding.min(bytes), padding);
    first.is_ok_and(|first| first.as_ref() == Some(sha256))
}

/// The length of a packed text, if it is not damaged.
fn unpacks(file: &File) -> Option<u64> {
    let Body::Stream(mut text) = file.open(Hash::None).ok()?.body else { return None };
    let length = io::copy(&mut text, &mut io::sink()).ok()?;
    text.finish().damage.is_none().then_some(length)
}

/// What a log is as stored, if it is one that was read before under another name, or without being packed.
fn as_it_was(file: &File, now: &Seen, before: &Seen, hash: Hash) -> Option<Option<Stored>> {
    let is_renamed = now.packing == before.packing && now.size == before.size;
    if is_renamed && now.modified == before.modified {
        return Some(before.stored.clone());
    }
    if !matches!(file.source.origin, Origin::File) {
        return None;
    }
    // Written anew without being packed: only all of it tells that it is the same.
    if now.packing == Packing::Plain {
        let stored = before.stored.clone().filter(|stored| {
            let is_as_long = stored.bytes == now.size && now.padding == before.padding;
            is_renamed && is_as_long && stored.sha256.is_some()
        })?;
        return holds_all(file, now, before).then_some(Some(stored));
    }
    input::stored(&file.source.fs_path, hash).ok().map(Some)
}
