//! Journals and events to when a pool was recycled.

use super::*;
use crate::journal::{Action, Outcome};

fn at(clock: &str) -> DateTime<Utc> {
    format!("2026-03-02T{clock}Z").parse().unwrap()
}

fn workers(text: &str) -> Vec<u32> {
    text.split(',').filter_map(|worker| worker.parse().ok()).collect()
}

/// `10:00:00 10:00:05 done`, and the workers after it; the one of before is 4120.
fn record(line: u64, text: &str) -> Record {
    let words: Vec<&str> = text.split(' ').collect();
    let (ended_at, outcome) = match words[2] {
        "done" => (Some(at(words[1])), Some(Outcome::Done)),
        "failed" => (Some(at(words[1])), Some(Outcome::Failed)),
        "timed_out" => (Some(at(words[1])), Some(Outcome::TimedOut)),
        _ => (None, None),
    };
    let step = StepRecord {
        run: "r".into(),
        step: 1,
        server: "EX01".into(),
        pool: "MSExchangeSyncAppPool".into(),
        action: Action::Recycle,
        plan_sha256: "another".into(),
        begun_at: at(words[0]),
        ended_at,
        outcome,
        workers_before: vec![4120],
        workers_after: words.get(3).map(|after| workers(after)),
        line,
    };
    Record { step, path: "journal.jsonl".into() }
}

/// The last access was at 09:50, and the logs of the report reached until 09:55.
fn check(
    records: &[&str],
    events: &[&str],
    at_expected: Option<&str>,
    places: &[&str],
) -> Recycled {
    let records: Vec<Record> = (1..).zip(records).map(|(line, text)| record(line, text)).collect();
    let event = |(pos, clock): (u64, &&str)| Restart {
        at: at(clock.trim_end_matches('!')),
        place: ChangeEvidence { path: "system.xml".into(), pos },
        is_by_command: !clock.ends_with('!'),
    };
    let restarts: Vec<Restart> = (1..).zip(events).map(event).collect();
    let told = Told {
        records: &records.iter().collect::<Vec<_>>(),
        plan_sha256: "this",
        restarts: &restarts,
        kept: &[],
        last: Some(at("09:50:00")),
        known_until: Some(at("09:55:00")),
        slack: TimeDelta::seconds(60),
    };
    let found = recycled(&told);
    let got: Vec<String> =
        found.places.iter().map(|place| format!("{}:{}", place.path, place.pos)).collect();
    assert_eq!((found.at, got), (at_expected.map(at), places.iter().map(|&p| p.into()).collect()));
    found
}

/// Pools recycle by schedule and for want of memory as well: that is another recycle than the operator's.
#[test]
fn by_the_journal_and_not_by_chance() {
    let done = ["10:00:00 10:00:05 done"];
    for chance in ["09:57:00!", "10:02:00!", "10:08:00!"] {
        check(&done, &[chance], Some("10:00:05"), &["journal.jsonl:1"]);
    }
    let both = ["09:57:00!", "09:58:00"];
    check(&done, &both, Some("09:58:00"), &["journal.jsonl:1", "system.xml:2"]);
    check(&[], &["09:57:00!"], Some("09:57:00"), &["system.xml:1"]);
}

#[test]
fn by_the_journal() {
    check(&[], &[], None, &[]);
    check(&["10:00:00 10:00:05 done"], &[], Some("10:00:05"), &["journal.jsonl:1"]);
    // The last one that was done is meant.
    let two = ["10:00:00 10:00:05 done", "10:30:00 10:30:05 done"];
    check(&two, &[], Some("10:30:05"), &["journal.jsonl:2"]);
    // One of another plan, from before the last access.
    check(&["09:40:00 09:40:05 done"], &[], None, &[]);
}

#[test]
fn attempts_are_none() {
    let cases = [
        ("10:00:00 10:00:05 failed", Attempted::Failed),
        ("10:00:00 - killed", Attempted::Unknown),
        ("10:00:00 10:01:00 timed_out", Attempted::Unknown),
        ("10:00:00 10:00:05 done 4120", Attempted::SameWorker),
    ];
    for (text, outcome) in cases {
        let found = check(&[text], &[], None, &[]);
        assert_eq!(found.attempt.map(|attempt| attempt.outcome), Some(outcome), "{text}");
        // The event tells what the journal does not know.
        check(&[text], &["10:00:02"], Some("10:00:02"), &["system.xml:1"]);
    }
}

#[test]
fn by_events() {
    check(&[], &["09:52:00"], None, &[]);
    let found =
        check(&[], &["09:52:00", "10:00:03", "10:40:00"], Some("10:00:03"), &["system.xml:2"]);
    assert_eq!(found.again.map(|again| again.at), Some(at("10:40:00")));
}

/// The event counts, which has the clock of the logs; a restart of another time does not.
#[test]
fn by_both() {
    let done = ["10:00:00 10:00:05 done"];
    let both = ["journal.jsonl:1", "system.xml:1"];
    check(&done, &["10:00:03"], Some("10:00:05"), &both);
    check(&done, &["10:00:30"], Some("10:00:30"), &both);
    // The clock of the server is behind.
    check(&done, &["09:59:10"], Some("09:59:10"), &both);
    let found = check(&done, &["09:56:00"], Some("09:56:00"), &both);
    assert_eq!(found.clocks_differ, Some(TimeDelta::seconds(-245)));
    // The nearest one.
    let second = ["journal.jsonl:1", "system.xml:2"];
    check(&done, &["09:56:00", "10:02:00", "10:05:00"], Some("10:02:00"), &second);
    let alone = ["journal.jsonl:1"];
    // The logs of the plan reach beyond it.
    check(&done, &["09:54:00", "10:10:06"], Some("10:00:05"), &alone);
    // The clock of whoever recycled is behind.
    let found = check(&done, &["10:02:05"], Some("10:02:05"), &both);
    assert_eq!(found.clocks_differ, Some(TimeDelta::seconds(120)));
    assert_eq!(check(&done, &["10:00:30"], Some("10:00:30"), &both).clocks_differ, None);
}

/// A command that says it is done is not believed against its workers.
#[test]
fn workers_tell() {
    let place = ["journal.jsonl:1"];
    for after in ["5216", "4120,5216", "none"] {
        let text = format!("10:00:00 10:00:05 done {after}");
        check(&[&text], &[], Some("10:00:05"), &place);
    }
    check(&["10:00:00 10:00:05 done 4120"], &[], None, &[]);
}

/// `iisreset` overlaps nothing, and a recycle starts no worker where there was none.
#[test]
fn workers_that_are_not_known_to_be_new() {
    let done = |action, before: &[u32], after: &[u32]| {
        let step = record(1, "10:00:00 10:00:05 done").step;
        let (workers_before, workers_after) = (before.to_vec(), Some(after.to_vec()));
        is_done(&StepRecord { action, workers_before, workers_after, ..step })
    };
    assert!(done(Action::Iisreset, &[1, 7], &[9]));
    assert!(!done(Action::Iisreset, &[1, 7], &[1, 7, 9]));
    assert!(!done(Action::Iisreset, &[1, 7], &[7, 9]));
    assert!(done(Action::Iisreset, &[1, 7], &[]));
    assert!(done(Action::Recycle, &[1], &[1, 9]));
    assert!(done(Action::Recycle, &[], &[]));
    assert!(!done(Action::Recycle, &[], &[9]));
}

/// An event says soon after that it failed.
#[test]
fn a_recycle_that_is_said_to_have_failed() {
    let record = record(1, "10:00:00 10:00:05 done");
    let found = |clock: &str| {
        let place = ChangeEvidence { path: "system.xml".into(), pos: 1 };
        recycled(&Told {
            records: &[&record],
            plan_sha256: "this",
            restarts: &[],
            kept: &[Restart { at: at(clock), place, is_by_command: false }],
            last: None,
            known_until: None,
            slack: TimeDelta::seconds(60),
        })
        .kept
    };
    assert_eq!(found("10:00:08").map(|kept| kept.at), Some(at("10:00:08")));
    assert_eq!(found("10:05:00"), None);
}
