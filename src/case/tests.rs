//! What becomes of a path.

use super::*;

use crate::collect::book::{Client, Key};
use crate::correlate::coverage::Span;
use crate::correlate::{Restart, Scope};
use crate::words;
use std::collections::BTreeSet;
use stillin_parsers::event::Pos;
use stillin_parsers::exchange::{Protocol, Refusal};

/// Minute 0 is nine o'clock.
fn minute(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_442_000, 0).unwrap() + TimeDelta::minutes(minute)
}

fn restart(at: i64, is_sure: bool) -> Restart {
    Restart { at: minute(at), is_sure, scope: Scope::Pool, source: 0, pos: Pos::Record(123) }
}

/// A book with one phone, and its requests; those that are negative were refused.
fn book(minutes: &[i64], refusal: Refusal) -> Book {
    let mut book = Book::default();
    let key = book.keys.number(Key {
        server: "EX01".into(),
        pool: "MSExchangeSyncAppPool",
        protocol: Protocol::Eas,
        scheme: Scheme::Basic,
        name: "fabrikam\\ada".into(),
    });
    let (user_agent, c_ip) = (String::new(), "203.0.113.7".into());
    let client = book.clients.number(Client {
        device: "A".into(),
        user_agent,
        c_ip,
        forwarded: String::new(),
        seat: 0,
    });
    let command = book.texts.number("Ping".into());
    let access = |(line, &at): (u64, &i64)| Access {
        line,
        key,
        client,
        command,
        refusal: (at < 0).then_some(refusal),
        ..Access::served(minute(at.abs()))
    };
    book.accesses = (1..).zip(minutes).map(access).collect();
    book
}

/// The one path of a phone whose owner was disabled at minute 0, where the log reaches to `to`.
fn path(minutes: &[i64], restarts: &[Restart], to: i64) -> (Path, String) {
    path_until(minutes, restarts, to, None)
}

/// The same where nothing later than `until` is looked at.
fn path_until(
    minutes: &[i64],
    restarts: &[Restart],
    to: i64,
    until: Option<i64>,
) -> (Path, String) {
    let changes = &[(0, ChangeKind::Disabled)];
    let (path, said) = paths(minutes, Refusal::Disabled, changes, restarts, to, until);
    (path[0].clone(), said)
}

/// The paths of one whose account changed so, and who was refused so, and what is said of the first.
fn paths(
    minutes: &[i64],
    refusal: Refusal,
    changes: &[(i64, ChangeKind)],
    restarts: &[Restart],
    to: i64,
    until: Option<i64>,
) -> (Vec<Path>, String) {
    let book = book(minutes, refusal);
    let change = |&(at, kind): &(i64, ChangeKind)| Change {
        account: 0,
        kind,
        at: minute(at),
        precision: Precision::Exact,
        disputed_until: None,
        actor: None,
        evidence: BTreeSet::new(),
    };
    let changes: Vec<Change> = changes.iter().map(change).collect();
    let span = Span { from: minute(-60), to: minute(to), gaps: Vec::new() };
    let rules = Rules::default();
    let world = World {
        accounts: &Accounts::default(),
        changes: &changes,
        by_design: &BTreeMap::new(),
        enabled_since_unknown: &BTreeMap::new(),
        book: &book,
        server_of_key: &[0],
        pool_of_key: &[0],
        address_of_client: &[None],
        identity_of_client: &[0],
        coverage: &Coverage { servers: vec![Some(span)] },
        restarts: &Restarts::new(vec![restarts.to_vec()]),
        logons: &BTreeMap::new(),
        strangers: &Strangers::default(),
        logon_coverage: &Coverage::default(),
        clocks: &[],
        settings: &[],
        rules,
        since: None,
        until: until.map(minute),
    };
    let all: Vec<usize> = (0..changes.len()).collect();
    let case = judge(0, &all, &book.accesses, &world);
    let paths = case.findings[0].paths.clone();
    let (kind, precision) = (ChangeKind::Disabled, Precision::Exact);
    let (key, at) = (book.keys.get(0), Some("ex01.evtx#123"));
    let why = words::why(&paths[0], key, kind, precision, &rules, at, None);
    (paths, why[1..].join("; "))
}

fn check(minutes: &[i64], restarts: &[Restart], to: i64, state: State, words: &str) {
    let (path, said) = path(minutes, restarts, to);
    assert_eq!((path.state, said.as_str()), (state, words), "{minutes:?} {restarts:?}");
}

#[test]
fn a_restart_after_the_last_access_closes_a_path() {
    let recycled = "ended: the pool was recycled at 2026-03-02 09:12:00 UTC (ex01.evtx#123)";
    check(&[5, 10], &[restart(12, true)], 20, State::Recycled, recycled);
    // The restart stands in another log, which may reach further than the web log.
    check(&[5, 10], &[restart(12, true)], 10, State::Recycled, recycled);
    check(&[5, 10], &[restart(11, false), restart(12, true)], 60, State::Recycled, recycled);
}

#[test]
fn a_restart_before_the_last_access_closes_nothing() {
    let open = "the log ends less than 15 min after the last request";
    check(&[5, 10], &[restart(10, true)], 20, State::Open, open);
    check(&[5, 10], &[restart(7, true)], 20, State::Open, open);
}

#[test]
fn a_restart_after_all_that_is_looked_at_closes_nothing() {
    let (recycled, hinted) = ([restart(12, true)], [restart(12, false)]);
    for (restarts, until, state) in
        [(&recycled, 11, State::Open), (&hinted, 11, State::Open), (&recycled, 12, State::Recycled)]
    {
        let (path, said) = path_until(&[5, 10], restarts, 11, Some(until));
        assert_eq!(path.state, state, "{until}: {said}");
        assert_eq!(path.restart.is_some(), until == 12, "{until}: {said}");
    }
}

#[test]
fn a_refusal_wins() {
    let refused = "ended: refused at 2026-03-02 09:15:00 UTC (200, account disabled)";
    check(&[5, 10, -15], &[restart(12, true)], 20, State::Refused, refused);
}

#[test]
fn a_hint_alone_closes_nothing() {
    let open = "the log ends less than 15 min after the last request; something hints at a restart of the worker \
                after that, at 2026-03-02 09:12:00 UTC (ex01.evtx#123), but nothing says so for sure";
    check(&[5, 10], &[restart(12, false)], 20, State::Open, open);
    let (path, _) = path(&[5, 10], &[restart(12, false)], 60);
    assert_eq!(path.state, State::Expired);
}

#[test]
fn a_wrong_password_ends_no_token_of_an_account_that_is_off() {
    use ChangeKind::{Deleted, Disabled, PasswordReset};
    let state = |refusal, changes: &[(i64, ChangeKind)]| {
        paths(&[5, 10, -15], refusal, changes, &[], 20, None).0[0].state
    };
    let wrong = Refusal::WrongPassword;
    assert_eq!(state(wrong, &[(0, Disabled)]), State::Open);
    assert_eq!(state(Refusal::Disabled, &[(0, Disabled)]), State::Refused);
    assert_eq!(state(Refusal::Unknown, &[(0, Disabled)]), State::Refused);
    // The password was set as well, or there is no account any more: then the client's own is the wrong one.
    assert_eq!(state(wrong, &[(0, Disabled), (1, PasswordReset)]), State::Refused);
    assert_eq!(state(wrong, &[(0, Disabled), (16, PasswordReset)]), State::Open);
    assert_eq!(state(wrong, &[(0, Deleted)]), State::Refused);
    // What is typed into a form is not what the session was served for.
    assert_eq!(state(Refusal::OwaForm, &[(0, Deleted)]), State::Open);
}
