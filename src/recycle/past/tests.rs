//! What was done before, and what may be done after it.

use super::*;
use crate::cli::{Cli, Verb};
use clap::Parser;

fn args(words: &str) -> Recycle {
    let line = format!("stillin recycle --plan p.json {words}");
    let cli = Cli::try_parse_from(line.split_whitespace()).unwrap();
    let Verb::Recycle(args) = cli.verb else { panic!("{line}") };
    args
}

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_445_600 + minute * 60, 0).unwrap()
}

/// Something that was begun at that minute, and took none.
fn record(minute: i64, pool: &str, outcome: Option<Outcome>) -> StepRecord {
    StepRecord {
        run: "r".to_owned(),
        step: 1,
        server: "EX01".to_owned(),
        pool: pool.to_owned(),
        action: if pool.is_empty() { Action::Iisreset } else { Action::Recycle },
        plan_sha256: "this".to_owned(),
        begun_at: at(minute),
        ended_at: outcome.map(|_| at(minute)),
        outcome,
        workers_before: vec![1234],
        workers_after: None,
        line: 2,
    }
}

fn task(pool: &str) -> Task {
    Task {
        step: 1,
        server: "EX01".to_owned(),
        pool: pool.to_owned(),
        action: if pool.is_empty() { Action::Iisreset } else { Action::Recycle },
        accounts: Vec::new(),
        other_users: 0,
        why: Vec::new(),
        standing: Standing::Go,
    }
}

const DONE: Option<Outcome> = Some(Outcome::Done);
const FAILED: Option<Outcome> = Some(Outcome::Failed);
const UNPROVEN: Option<Outcome> = Some(Outcome::Unproven);
const LATE: Option<Outcome> = Some(Outcome::TimedOut);

/// The first word of the standing, at minute 60.
fn check(task_pool: &str, past: &[StepRecord], plan: &str, words: &str, expect: &str) {
    let standing = standing(&task(task_pool), past, plan, &args(words), at(60));
    let word = format!("{standing:?}");
    assert!(word.starts_with(expect), "{task_pool} {past:?} {words}: {word}");
}

#[test]
fn nothing_before() {
    check("P", &[], "this", "", "Go");
    check("P", &[record(59, "Q", DONE)], "this", "", "Go");
    let elsewhere = StepRecord { server: "EX02".to_owned(), ..record(59, "P", DONE) };
    check("P", &[elsewhere], "this", "", "Go");
}

#[test]
fn done_before() {
    check("P", &[record(0, "P", DONE)], "this", "", "Done");
    check("P", &[record(59, "P", DONE)], "this", "", "Done");
    // Another plan saw it open again; but not at once.
    check("P", &[record(0, "P", DONE)], "other", "", "Go");
    check("P", &[record(51, "P", DONE)], "other", "", "Refused(\"recycled 9 min ago");
    check("P", &[record(50, "P", DONE)], "other", "", "Go");
    check("P", &[record(59, "P", DONE)], "other", "--cooldown 0", "Go");
    check("P", &[record(0, "P", DONE)], "this", "--again 1", "Go");
    check("P", &[record(59, "P", DONE)], "this", "--again 1", "Refused");
    check("P", &[record(61, "P", DONE)], "other", "", "Refused(\"recycled in the future");
    // A failure after it neither undoes it nor makes it older.
    let again = [record(55, "P", DONE), record(56, "P", FAILED)];
    check("P", &again, "this", "", "Done");
    check("P", &again, "other", "", "Refused");
    // Nor does what another plan did.
    let other = StepRecord { plan_sha256: "other".to_owned(), ..record(1, "P", DONE) };
    check("P", &[record(0, "P", DONE), other], "this", "", "Done");
}

#[test]
fn not_known() {
    for outcome in [None, LATE, UNPROVEN] {
        for plan in ["this", "other"] {
            check("P", &[record(0, "P", outcome)], plan, "", "Uncertain");
            check("P", &[record(59, "P", outcome)], plan, "--again 1", "Go");
            check("P", &[record(0, "P", outcome)], plan, "--again 2", "Uncertain");
        }
        check("P", &[record(0, "P", outcome), record(1, "P", DONE)], "this", "", "Done");
        check("P", &[record(0, "P", DONE), record(1, "P", outcome)], "this", "", "Uncertain");
    }
    check("P", &[record(59, "P", FAILED)], "this", "", "Go");
    check("P", &[record(0, "P", LATE), record(1, "P", FAILED)], "this", "", "Uncertain");
}

#[test]
fn restarts_of_iis() {
    check("P", &[record(0, "", DONE)], "this", "", "Done");
    check("P", &[record(59, "", DONE)], "other", "", "Refused");
    check("P", &[record(0, "", None)], "this", "", "Uncertain");
    // A pool is less than a server, but its users were put out lately.
    check("", &[record(0, "P", DONE)], "this", "", "Go");
    check("", &[record(0, "P", None)], "this", "", "Go");
    check("", &[record(59, "P", DONE)], "this", "", "Refused");
    check("", &[record(0, "", DONE)], "this", "", "Done");
}
