//! What a journal says of a task: done before, or not known, or too lately. Pure.

use super::task::{Standing, Task};
use crate::cli::Recycle;
use crate::journal::{Action, Outcome, State, StepRecord};
use chrono::{DateTime, TimeDelta, Utc};
use stillin_reports::report::rfc3339;

/// What a task may do, after what was done before.
pub fn standing(
    task: &Task,
    past: &[StepRecord],
    plan_sha256: &str,
    args: &Recycle,
    now: DateTime<Utc>,
) -> Standing {
    let is_wanted_again = args.again.contains(&task.step);
    // A failure undoes nothing of what was done before it, and clears up nothing.
    let known =
        || past.iter().filter(|record| covers(record, task) && record.state() != State::Failed);
    if !is_wanted_again {
        let last = known().next_back().filter(|record| record.state() == State::Uncertain);
        if let Some(last) = last {
            return Standing::Uncertain(uncertain(last, task.step));
        }
        // Another plan may have seen the pool open again since.
        let is_done = |record: &&StepRecord| {
            record.state() == State::Done && record.plan_sha256 == plan_sha256
        };
        if let Some(done) = known().rfind(is_done) {
            return Standing::Done(format!(
                "done at {} (line {} of the journal); --again {} does it again",
                rfc3339(&end(done)),
                done.line,
                task.step
            ));
        }
    }
    let lately =
        past.iter().filter(|record| is_disturbed(record, task) && record.state() == State::Done);
    let lately = lately.map(|record| (now - end(record), record)).min_by_key(|(ago, _)| *ago);
    match lately {
        Some((ago, record)) if ago < args.cooldown => Standing::Refused(format!(
            "recycled {} (line {} of the journal); wait until {} after that, or say another --cooldown",
            match ago < TimeDelta::zero() {
                true => "in the future, by the clock".to_owned(),
                false => format!("{} ago", super::span(ago)),
            },
            record.line,
            super::span(args.cooldown),
        )),
        _ => Standing::Go,
    }
}

/// Whether what was done is what the task is to do, or more.
fn covers(record: &StepRecord, task: &Task) -> bool {
    let is_enough = record.action == Action::Iisreset || task.action == Action::Recycle;
    is_enough && record.covers(&task.server, &task.pool)
}

/// Whether what was done put out users whom the task would put out again.
fn is_disturbed(record: &StepRecord, task: &Task) -> bool {
    let pool = if task.pool.is_empty() { &record.pool } else { &task.pool };
    record.covers(&task.server, pool)
}

fn end(record: &StepRecord) -> DateTime<Utc> {
    record.ended_at.unwrap_or(record.begun_at)
}

fn uncertain(record: &StepRecord, step: u64) -> String {
    let how = match (record.outcome, &record.workers_after) {
        (None, _) => "never ended, because the run was killed",
        (Some(Outcome::Unproven), Some(_)) => "was said to be done, but no worker changed",
        (Some(Outcome::Unproven), None) => "was said to be done, but the workers were not seen",
        (Some(_), _) => "took too long and was killed",
    };
    let workers = match record.workers_before.as_slice() {
        [] => "it had no worker then".to_owned(),
        workers => format!("it had {} then", super::workers_in_words(workers)),
    };
    format!(
        "not known: begun at {} (line {} of the journal), it {how}; {workers}: look whether that is gone, and repeat it \
         with --again {step} if not",
        rfc3339(&record.begun_at),
        record.line,
    )
}

#[cfg(test)]
mod tests;
