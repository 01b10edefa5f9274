//! Exports of evidence that were replaced under their names, to what of them counts on beside the new ones.
//!
//! A Security log that is exported night by night rolls on, and an export of all users has no row of who was deleted. What
//! only an older one told counts on as a source `NAME (until DATE)`, until a newer one tells it or it is as old as
//! `retention`.

mod rest;
mod rows;

use super::gone;
use super::sources::{Seen, Tonight};
use crate::input::Hash;
use crate::read::{self, Evidence};
use crate::readings::pack::{packed, unpacked};
use crate::readings::{Fetch, Kept, Slot};
use chrono::{DateTime, Utc};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::time::LocalTime;

/// Reads the exports that replaced others, and puts beside each what still counts of the older ones. `kept` are the
/// readings of sources by their number. Returns what is to be told of new ones that are of no use.
pub fn settle(
    sources: &mut Vec<Tonight>,
    (kept, fetch): (&BTreeMap<i64, Vec<Kept>>, &Fetch),
    local: &LocalTime,
    hash: Hash,
    now: DateTime<Utc>,
) -> Vec<String> {
    let last_of = |id: i64| -> Option<Evidence> {
        let kept = kept.get(&id)?.iter().find(|kept| kept.slot == Slot::Evidence)?;
        unpacked(&kept.value.bytes(fetch)?)
    };
    let mut told = Vec::new();
    let mut replaced: Vec<Replaced> = Vec::new();
    let new = sources.par_iter_mut().enumerate();
    let new = new.filter(|(_, source)| source.before.is_some());
    let read: Vec<(usize, Evidence)> = new
        .map(|(index, source)| {
            // What lay elsewhere before is known.
            let known = source.known.and_then(last_of);
            (index, known.unwrap_or_else(|| read::evidence(&mut source.file, hash, local)))
        })
        .collect();
    for (index, evidence) in read {
        let source = &mut sources[index];
        let Some((id, before)) = source.before.take() else { continue };
        let last = last_of(id);
        match (fault(&evidence, last.as_ref()), last) {
            (Some(fault), Some(last)) if last.fault().is_none() => {
                told.push(format!(
                    "{}: {fault}; what was read of it before counts on: put a whole export there",
                    source.file.source.path
                ));
                source.take_for(id, before);
            }
            (fault, last) => {
                // An error is told by whoever reads it again.
                if fault.is_none() && source.known.is_none() {
                    source.fresh.extend(reading(&packed(&evidence)));
                }
                let old = last.map(|last| (id, before, last));
                replaced.push(Replaced { path: source.file.source.path.clone(), evidence, old });
            }
        }
    }
    keep_rests(sources, replaced, &last_of, now);
    told
}

/// Puts beside the new exports what counts on of those that they replaced, tonight and before.
fn keep_rests(
    sources: &mut Vec<Tonight>,
    replaced: Vec<Replaced>,
    last_of: &dyn Fn(i64) -> Option<Evidence>,
    now: DateTime<Utc>,
) {
    let mut names: BTreeSet<String> =
        sources.iter().map(|source| source.file.source.path.clone()).collect();
    for Replaced { path, evidence, old } in replaced {
        sources.retain_mut(|source| {
            let is_older = source.gone_since.is_some()
                && !gone::is_log(source.file.kind)
                && gone::name_of_before(&source.file.source.path) == Some(path.as_str());
            let older = source.known.filter(|_| is_older).and_then(last_of);
            older.is_none_or(|older| source.keep_rest(older, &evidence))
        });
        let Some((id, before, last)) = old else { continue };
        let name = gone::name(&path, now, &names);
        // It is not what it was any more, and must not be taken for that again.
        let before = Seen { is_rest: true, ..before };
        let mut source = gone::gone(id, (name.clone(), now), &before);
        if source.keep_rest(last, &evidence) {
            names.insert(name);
            sources.push(source);
        }
    }
    sources.sort_by(|a, b| a.file.source.path.cmp(&b.file.source.path));
}

/// An export that replaced another one.
struct Replaced {
    path: String,
    evidence: Evidence,
    /// The other one: its number, what was seen of it, and what it told.
    old: Option<(i64, Seen, Evidence)>,
}

impl Tonight {
    /// Keeps of what a source told what counts on beside a newer one; `false` if nothing does.
    fn keep_rest(&mut self, told: Evidence, newer: &Evidence) -> bool {
        let before = packed(&told);
        let Some(rest) = rest::rest(told, newer, self.file.kind) else { return false };
        let rest = packed(&rest);
        // What is as it was need not be written again.
        if rest != before {
            self.fresh = reading(&rest).into_iter().collect();
        }
        true
    }
}

/// A reading of evidence, for this night and the next ones.
fn reading(evidence: &[u8]) -> Option<Kept> {
    Kept::of(Slot::Evidence, Vec::new(), evidence)
}

/// Why evidence is of no use: for itself, or beside what lay there before.
fn fault(evidence: &Evidence, last: Option<&Evidence>) -> Option<String> {
    let tells = |evidence: &Evidence| evidence.tally.records > evidence.tally.rejected;
    let is_worse = last.is_some_and(|last| tells(last) && !tells(evidence));
    let nothing = is_worse.then(|| {
        let why = evidence.rejects.first().map(|reject| format!(" ({})", reject.reason));
        format!("holds no record that is understood{}", why.unwrap_or_default())
    });
    evidence.fault().or(nothing)
}

#[cfg(test)]
mod tests;
