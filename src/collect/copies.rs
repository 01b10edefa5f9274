//! A log that was supplied twice, whole or in part, to rows that count once: a copy in a backup folder, the packed
//! twin of a log, the state of a growing log an hour ago.

use super::book::{Access, Book};
use hashbrown::HashMap;
use std::collections::BTreeMap;

/// Where and as what the first request of a log stands: logs of which that is the same are one log, as far as they go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FirstRequest {
    /// Line.
    pub line: u64,
    /// Its time: a log without a `date` column repeats its lines day by day.
    pub seconds: i64,
    /// The line as logged.
    pub text: Vec<u8>,
}

impl FirstRequest {
    /// That at a line of the first lines of a log.
    pub fn of(lines: &[u8], line: u64, seconds: i64) -> Option<Self> {
        let text = lines.split(|&byte| byte == b'\n').nth(usize::try_from(line - 1).ok()?)?;
        Some(FirstRequest { line, seconds, text: text.trim_ascii().to_vec() })
    }
}

/// For each log that begins like an earlier one of its server, that one: both as indexes of files.
pub fn originals(
    logs: impl Iterator<Item = (usize, FirstRequest)>,
    servers: &BTreeMap<usize, String>,
) -> BTreeMap<u32, u32> {
    let mut known: BTreeMap<(FirstRequest, Option<&String>), u32> = BTreeMap::new();
    let mut originals = BTreeMap::new();
    for (index, first) in logs {
        let original = *known.entry((first, servers.get(&index))).or_insert(index as u32);
        if original != index as u32 {
            originals.insert(index as u32, original);
        }
    }
    originals
}

/// Drops rows of copies that the original has too; returns how many of each copy.
pub fn drop_copies(book: &mut Book, originals: &BTreeMap<u32, u32>) -> BTreeMap<u32, u64> {
    let mut dropped = BTreeMap::new();
    if originals.is_empty() {
        return dropped;
    }
    for rows in [&mut book.accesses, &mut book.nameless] {
        let of_copies = drop_rows(rows, |row| row, originals);
        of_copies.into_iter().for_each(|source| *dropped.entry(source).or_default() += 1);
    }
    // Not a watched account's rows, so not counted as such.
    drop_rows(&mut book.others, |other| &other.row, originals);
    dropped
}

/// The same for one table; returns the source of each dropped row.
fn drop_rows<T>(
    rows: &mut Vec<T>,
    row: impl Fn(&T) -> &Access,
    originals: &BTreeMap<u32, u32>,
) -> Vec<u32> {
    // In the order of the files, so that the first one keeps its row.
    rows.sort_by_key(|of| row(of).source);
    let (mut seen, mut own, mut last) = (HashMap::new(), HashMap::new(), None);
    let mut dropped = Vec::new();
    rows.retain(|of| {
        let row = row(of);
        let original = originals.get(&row.source).copied();
        let identity = identity(row, original.unwrap_or(row.source));
        if last.replace(row.source) != Some(row.source) {
            own.clear();
        }
        // Of rows that are the same in one log each is a request, and the first of them is the first in its copies. Not
        // by the line: where a log is damaged, what comes behind has other lines than in a whole copy.
        let (nth, most) = (own.entry(identity).or_insert(0), seen.entry(identity).or_insert(0));
        *nth += 1;
        let is_kept = *nth > *most;
        *most = (*most).max(*nth);
        // A row of several accounts is several rows of one source, and each has its own identity.
        let is_copy = !is_kept && original.is_some();
        dropped.extend(is_copy.then_some(row.source));
        !is_copy
    });
    dropped
}

/// Everything that two copies of a row share.
fn identity(row: &Access, original: u32) -> impl Copy + Eq + std::hash::Hash + use<> {
    let numbers = (row.account, row.key, row.client, row.name, row.command);
    let status = (row.sc_status, row.sc_substatus, row.sc_win32_status);
    (original, row.start, row.end, numbers, status)
}
