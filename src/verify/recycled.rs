//! What the journal and the servers' own events tell of a pool to when it was recycled. Pure.

use super::journals::Record;
use crate::analyze::since::Restart;
use crate::correlate::DRAIN;
use crate::journal::{self, Outcome, StepRecord};
use chrono::{DateTime, TimeDelta, Utc};
use stillin_reports::report::ChangeEvidence;

/// What there is to tell it by.
pub struct Told<'a> {
    /// What the journals have of the pool, in order.
    pub records: &'a [&'a Record],
    /// SHA-256 of the plan.
    pub plan_sha256: &'a str,
    /// Restarts that events tell of, in order.
    pub restarts: &'a [Restart],
    /// Recycles that failed, by what events tell, in order.
    pub kept: &'a [Restart],
    /// The last access that was known when the plan was made.
    pub last: Option<DateTime<Utc>>,
    /// How far the logs reached when the plan was made.
    pub known_until: Option<DateTime<Utc>>,
    /// Allowance for clocks.
    pub slack: TimeDelta,
}

/// So far the clock of a server may be from that of whoever recycled it.
const CLOCKS: TimeDelta = TimeDelta::minutes(10);

/// When a pool was recycled, and what tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recycled {
    /// When; none if nothing tells of it.
    pub at: Option<DateTime<Utc>>,
    /// The earliest time that the journal or an event gives for it.
    pub from: Option<DateTime<Utc>>,
    /// What tells of it.
    pub places: Vec<ChangeEvidence>,
    /// An event of the server is among that, so that its time is by the clock of the logs.
    pub is_by_event: bool,
    /// The last attempt on record that is not known to have succeeded.
    pub attempt: Option<Attempt>,
    /// It was restarted again later.
    pub again: Option<Restart>,
    /// An event says that it failed, for some of the workers at least.
    pub kept: Option<Restart>,
    /// So much later than the journal the event of it is, or earlier if negative, where that is more than a moment.
    pub clocks_differ: Option<TimeDelta>,
}

/// A command of which it is not known that it did what it was to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: DateTime<Utc>,
    /// What is known of it.
    pub outcome: Attempted,
    /// Where the journal has it.
    pub place: ChangeEvidence,
}

/// What is known of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempted {
    /// It failed.
    Failed,
    /// The worker of before is there, and no other.
    SameWorker,
    /// It ended, and nothing shows that it did anything.
    Unproven,
    /// It was begun, and nobody knows how it ended.
    Unknown,
}

/// The journal tells what was meant to cut this plan's access, so it goes first; the event of the same recycle, which is the
/// nearest one that a command leaves, has the clock of the server, which is that of its logs, and then counts. Without a
/// journal it is the first restart since the plan was made. A restart that comes later changes nothing: what was served
/// between the two was served in spite of the first.
pub fn recycled(told: &Told<'_>) -> Recycled {
    let is_of_plan = |record: &&&Record| {
        record.step.plan_sha256 == told.plan_sha256
            || told.last.is_none_or(|last| last < record.step.begun_at)
    };
    let records = || told.records.iter().filter(is_of_plan);
    let done = records().rfind(|record| is_done(&record.step));
    let attempt = records().next_back().filter(|record| !is_done(&record.step));
    let attempt = attempt.map(|record| Attempt {
        at: record.step.begun_at,
        outcome: attempted(&record.step),
        place: record.place(),
    });
    let (mut at, mut places, event) = match done {
        Some(done) => {
            let ended = done.step.ended_at.unwrap_or(done.step.begun_at);
            let begun = done.step.begun_at;
            let distance = |r: &Restart| (begun - r.at).max(r.at - ended).max(TimeDelta::zero());
            // One that the plan's logs reach beyond, by the clock of the same server, was before the plan.
            let is_of_it = |r: &&Restart| {
                r.is_by_command
                    && distance(r) <= CLOCKS
                    && (begun <= r.at || told.known_until.is_none_or(|until| until < r.at))
            };
            let event = told.restarts.iter().filter(is_of_it).min_by_key(|r| distance(r));
            // Of its end the command knows more than what asked for it.
            let is_between = event.is_none_or(|event| begun <= event.at && event.at <= ended);
            (Some(ended).filter(|_| is_between), vec![done.place()], event)
        }
        None => {
            let until = told.known_until;
            let event = told.restarts.iter().find(|r| until.is_some_and(|until| until < r.at));
            (None, Vec::new(), event)
        }
    };
    let ended = done.map(|done| done.step.ended_at.unwrap_or(done.step.begun_at));
    let from = ended.into_iter().chain(event.map(|event| event.at)).min();
    at = at.max(event.map(|event| event.at));
    places.extend(event.map(|event| event.place.clone()));
    let again = told.restarts.iter().find(|r| at.is_some_and(|at| at + DRAIN < r.at)).cloned();
    let later = done.and_then(|done| Some(event?.at - done.step.ended_at?));
    let clocks_differ = later.filter(|later| later.abs() > DRAIN.max(told.slack));
    let is_of_it = |r: &&Restart| at.is_some_and(|at| (r.at - at).abs() <= DRAIN);
    let kept = told.kept.iter().find(is_of_it).cloned();
    Recycled { at, from, places, is_by_event: event.is_some(), attempt, again, kept, clocks_differ }
}

/// It says that it did what it was to do, and the workers do not say otherwise.
pub fn is_done(record: &StepRecord) -> bool {
    record.outcome == Some(Outcome::Done) && !keeps_its_worker(record)
}

/// The workers do not show that those of before are gone, or going.
fn keeps_its_worker(record: &StepRecord) -> bool {
    let after = record.workers_after.as_deref();
    after.is_some_and(|after| !journal::is_changed(record.action, &record.workers_before, after))
}

fn attempted(record: &StepRecord) -> Attempted {
    match record.outcome {
        Some(Outcome::Failed) => Attempted::Failed,
        Some(_) if keeps_its_worker(record) && !record.workers_before.is_empty() => {
            Attempted::SameWorker
        }
        Some(Outcome::TimedOut) | None => Attempted::Unknown,
        Some(_) => Attempted::Unproven,
    }
}

#[cfg(test)]
mod tests;
