//! The journals of all operators to one record of what was begun. Each knows of its own runs only, and a copy may lie
//! beside the journal that it is of, whole or as it was before that went on.

use super::{as_input, read as bytes_of};
use crate::journal::{self, StepRecord};
use anyhow::bail;
use chrono::{DateTime, Utc};
use std::path::PathBuf;
use stillin_reports::report::ChangeEvidence;
use stillin_reports::verify::Input;

/// One command, and the journal that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The command.
    pub step: StepRecord,
    /// The journal, as the user named it.
    pub path: String,
}

impl Record {
    /// Where it stands.
    pub fn place(&self) -> ChangeEvidence {
        ChangeEvidence { path: self.path.clone(), pos: self.step.line }
    }
}

/// What all journals tell.
#[derive(Debug, Default)]
pub struct Journals {
    /// Every command that was begun, in order of time.
    pub records: Vec<Record>,
    /// Lines that were cut short, by journal.
    pub torn: Vec<(String, u64)>,
    /// The files.
    pub inputs: Vec<Input>,
}

/// Reads them. Who watches may be there before the first step, so that one is not there yet.
pub fn read(paths: &[PathBuf], is_watched: bool) -> anyhow::Result<Journals> {
    let mut journals = Journals::default();
    let mut records: Vec<(DateTime<Utc>, Record)> = Vec::new();
    for path in paths.iter().filter(|path| !is_watched || path.exists()) {
        let name = path.display().to_string();
        let journal = journal::read(path)?;
        journals.torn.extend(journal.torn_lines().iter().map(|line| (name.clone(), *line)));
        // Within a journal its own order holds, whatever happened to the clock.
        let mut latest = DateTime::<Utc>::MIN_UTC;
        for step in journal.steps() {
            latest = latest.max(step.begun_at);
            let record = Record { step: step.clone(), path: name.clone() };
            match records.iter_mut().map(|(_, known)| known).find(|known| is_same(known, &record)) {
                Some(known) => merge(known, record)?,
                None => records.push((latest, record)),
            }
        }
        journals.inputs.push(as_input(name, &bytes_of(path)?));
    }
    records.sort_by_key(|(at, _)| *at);
    journals.records = records.into_iter().map(|(_, record)| record).collect();
    Ok(journals)
}

/// The same command of the same run, in another file.
fn is_same(a: &Record, b: &Record) -> bool {
    let command = |record: &Record| {
        let StepRecord { run, step, server, pool, begun_at, .. } = record.step.clone();
        (run, step, server, pool, begun_at)
    };
    command(a) == command(b)
}

/// Two files of one command: one may not know yet how it ended; what both know is the same.
fn merge(known: &mut Record, other: Record) -> anyhow::Result<()> {
    let begun = |record: &Record| {
        let StepRecord { action, plan_sha256, workers_before, .. } = &record.step;
        (*action, plan_sha256.clone(), workers_before.clone())
    };
    let ended = |record: &Record| {
        let StepRecord { ended_at, outcome, workers_after, .. } = &record.step;
        (*ended_at, *outcome, workers_after.clone())
    };
    let are_at_odds = begun(known) != begun(&other)
        || (known.step.outcome.is_some()
            && other.step.outcome.is_some()
            && ended(known) != ended(&other));
    if are_at_odds {
        let (at, step) = (known.place(), &known.step);
        bail!(
            "{}:{} and {}:{} contradict each other: both tell of step {} of run {} ({} {}), and not the same; one of them \
             was edited or damaged, so find out which, and leave it out",
            at.path,
            at.pos,
            other.path,
            other.step.line,
            step.step,
            step.run,
            step.server,
            if step.pool.is_empty() { "all pools" } else { &step.pool },
        );
    }
    if known.step.outcome.is_none() {
        *known = other;
    }
    Ok(())
}
