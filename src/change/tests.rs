//! Acts as several sources tell them, and the changes they come to.

use super::*;
use stillin_parsers::event::{self, Identity};

fn at(minute: f64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_400_000 + (minute * 60.0) as i64, 0).unwrap()
}

fn ada() -> Identity {
    Identity { sam_account_name: Some("ada".into()), ..Identity::default() }
}

const MAILBOXES: [Mailbox; 6] = [
    Mailbox::User,
    Mailbox::Linked,
    Mailbox::Shared,
    Mailbox::Room,
    Mailbox::Equipment,
    Mailbox::System,
];

/// One letter a fact: `D10` disabled at minute 10, `e` enabled, `r`/`c`/`s` password reset, changed, set;
/// `~` before it: at the latest; `!` before it: directory state, `=` a list; `+20`/`-20` says enabled or not at minute 20;
/// `u15` flags written, `w15` `accountExpires` written; `g` deleted, `x` expired; `X60:20` says at minute 20 that it expires at minute 60, `N:20` that
/// it never does, `X60:` the first without a date of its own; `C0` created, `Mshared` has a shared mailbox. Each is of
/// its own source.
pub(super) fn told(facts: &[&str]) -> Vec<Told> {
    facts
        .iter()
        .enumerate()
        .map(|(source, text)| {
            let voice = match text.chars().next() {
                Some('!') => Voice::State,
                Some('=') => Voice::List,
                _ => Voice::Event,
            };
            let precision = if text.contains('~') { Precision::AtLatest } else { Precision::Exact };
            let text = text.trim_start_matches(['!', '=', '~']);
            let (letter, minute) = text.split_at(1);
            let (minute, dated) = minute.split_once(':').unwrap_or((minute, ""));
            let (pos, time) = (Pos::Line(1), at(minute.parse().unwrap_or(0.0)));
            let change = |kind| {
                Fact::Change(event::Change {
                    pos,
                    time,
                    precision,
                    kind,
                    account: ada(),
                    actor: None,
                })
            };
            let fact = match letter {
                "D" => change(ChangeKind::Disabled),
                "e" => change(ChangeKind::Enabled),
                "r" => change(ChangeKind::PasswordReset),
                "c" => change(ChangeKind::PasswordChanged),
                "s" => change(ChangeKind::PasswordSet),
                "g" => change(ChangeKind::Deleted),
                "x" => change(ChangeKind::Expired),
                "C" => change(ChangeKind::Created),
                "M" => Fact::Account {
                    expires: None,
                    pos,
                    account: ada(),
                    enabled: None,
                    changed: None,
                    mailbox: MAILBOXES.into_iter().find(|mailbox| mailbox.word() == minute),
                },
                "X" | "N" => Fact::Account {
                    expires: Some((letter == "X").then_some(time)),
                    pos,
                    account: ada(),
                    enabled: None,
                    changed: dated.parse().ok().map(at),
                    mailbox: None,
                },
                "+" | "-" => Fact::Account {
                    expires: None,
                    pos,
                    account: ada(),
                    enabled: Some(letter == "+"),
                    changed: Some(time),
                    mailbox: None,
                },
                "w" => Fact::AccountExpiresSet { pos, time, account: ada() },
                "u" => Fact::UserAccountControlSet { pos, time, account: ada(), version: 3 },
                other => panic!("{other}"),
            };
            Told { source, voice, fact }
        })
        .collect()
}

/// Each change as kind, minute (and `..` the latest, where it is disputed), `~` if at the latest, and sources.
fn check(facts: &[&str], expect: &[&str]) {
    let directory = merge(&told(facts));
    let got: Vec<_> = directory
        .changes
        .iter()
        .map(|c| {
            let about = if c.precision == Precision::AtLatest { "~" } else { "" };
            let sources: Vec<_> = c.evidence.iter().map(|(s, _)| s.to_string()).collect();
            let minute = |time: DateTime<Utc>| (time - at(0.0)).num_minutes();
            let until = c.disputed_until.map(|until| format!("..{}", minute(until)));
            let until = until.unwrap_or_default();
            format!("{about}{} {}{until} {}", c.kind.word(), minute(c.at), sources.join(","))
        })
        .collect();
    assert_eq!(got, expect, "{facts:?}");
}

#[test]
fn one_act_in_several_sources_is_one_change() {
    check(&["D10", "D10", "!D10"], &["disabled 10 0,1,2"]);
    check(&["!s10", "r10"], &["password_reset 10 0,1"]);
    check(&["r10", "c10"], &["password_changed 10 1", "password_reset 10 0"]);
    check(&["r10", "r20"], &["password_reset 10 0", "password_reset 20 1"]);
}

#[test]
fn state_that_is_older_news_joins_the_event() {
    check(&["D10", "!D2000", "!~D90"], &["disabled 10 0,1,2"]);
    check(&["!~D90", "!D40"], &["disabled 40 0,1"]);
    check(&["!~D90", "!~D60"], &["~disabled 60 0,1"]);
    // Disabled, enabled, and then found disabled: there was a second disable.
    check(&["D10", "e20", "!~D90"], &["disabled 10 0", "enabled 20 1", "~disabled 90 2"]);
    // Two events are two acts, even if the enable between them was not logged.
    check(&["D10", "D40"], &["disabled 10..40 0", "disabled 40 1"]);
}

#[test]
fn sources_that_put_one_act_at_different_times() {
    check(&["D10", "=D30"], &["disabled 10..30 0,1"]);
    check(&["D30", "=D10"], &["disabled 10..30 0,1"]);
    check(&["=D30", "=D10"], &["disabled 10..30 0,1"]);
    check(&["D10", "!D30"], &["disabled 10..30 0,1"]);
    check(&["D30", "!D10"], &["disabled 10..30 0,1"]);
    check(&["D10", "=D30", "!D20"], &["disabled 10..30 0,1,2"]);
    check(&["r10", "=r30"], &["password_reset 10..30 0,1"]);
    check(&["D10", "e100", "=e110"], &["disabled 10 0", "enabled 100..110 1,2"]);
    // The nearest one is meant.
    check(
        &["D10", "e20", "D110", "=D100"],
        &["disabled 10 0", "enabled 20 1", "disabled 100..110 2,3"],
    );
    // Flags written then, and a state that says which.
    check(&["D10", "!-50", "!u30"], &["disabled 10..30 0,2"]);
    check(&["D10", "!u30"], &["disabled 10 0"]);
    check(&["D10", "!-50", "!u3000"], &["disabled 10 0"]);
    // What rounds, or is known as then or before, contradicts nothing.
    check(&["D10", "=D10.05", "!D10.08"], &["disabled 10 0,1,2"]);
    check(&["D10", "!~D30"], &["disabled 10 0,1"]);
    // But if it was so before, it was not made so later.
    check(&["D30", "!~D10"], &["~disabled 10..30 1", "disabled 30 0"]);
}

#[test]
fn acts_that_are_several() {
    // A password can be set twice; a directory knows the last one.
    check(&["r10", "!s30"], &["password_reset 10 0", "password_set 30 1"]);
    check(&["r10", "r30"], &["password_reset 10 0", "password_reset 30 1"]);
    check(&["r10", "=c30"], &["password_reset 10 0", "password_changed 30 1"]);
    check(&["r10", "=r1500"], &["password_reset 10 0", "password_reset 1500 1"]);
    // Enabled in between, and something tells when.
    check(&["D10", "e20", "D30"], &["disabled 10 0", "enabled 20 1", "disabled 30 2"]);
    check(&["D10", "=e20", "=D30"], &["disabled 10 0", "enabled 20 1", "disabled 30 2"]);
    // Enabled in between, and nothing tells when: be it by events or further apart than any clock.
    check(&["D10", "D40", "D70"], &["disabled 10..70 0", "disabled 40 1", "disabled 70 2"]);
    check(&["D10", "=D3000"], &["disabled 10..3000 0", "disabled 3000 1"]);
    check(&["g10", "g40"], &["deleted 10..40 0", "deleted 40 1"]);
    check(&["g10", "C20", "g40"], &["deleted 10 0", "created 20 1", "deleted 40 2"]);
}

#[test]
fn metadata_and_state_together_tell_a_disable() {
    check(&["!-50", "!u30"], &["disabled 30 0,1"]);
    check(&["!u30"], &[]);
    check(&["!-50"], &[]);
    assert_eq!(merge(&told(&["!-50"])).disabled_since_unknown.len(), 1);
}

#[test]
fn a_later_enabled_state_contradicts() {
    check(&["D10", "!+50"], &["disabled 10 0", "~enabled 50 1"]);
    check(&["D10", "!+50", "!u30"], &["disabled 10 0", "~enabled 30 1,2"]);
    check(&["D10", "!+5"], &["disabled 10 0"]);
    check(&["D10", "e20", "!+50"], &["disabled 10 0", "enabled 20 1"]);
}

#[test]
fn what_was_undone_between_is_not_one_act() {
    // All within five seconds.
    check(&["e10", "D10.03", "e10.06"], &["enabled 10 0", "disabled 10 1", "enabled 10 2"]);
    check(&["D10", "e10.03", "D10.06"], &["disabled 10 0", "enabled 10 1", "disabled 10 2"]);
    check(&["D10", "D10.03", "e10.06"], &["disabled 10 0,1", "enabled 10 2"]);
}

#[test]
fn a_restored_account_is_not_deleted_for_ever() {
    check(&["g10", "!+50"], &["deleted 10 0", "~enabled 50 1"]);
    check(&["g10", "!+5"], &["deleted 10 0"]);
}

#[test]
fn flags_that_enabled_the_account_are_no_disable() {
    check(&["!-5", "!+50", "!u50"], &[]);
    assert_eq!(merge(&told(&["!-5", "!+50", "!u50"])).disabled_since_unknown.len(), 1);
    check(&["!-50", "!+5", "!u50"], &["disabled 50 0,2"]);
}

/// A source tells in order what came after what.
#[test]
fn changes_of_one_instant() {
    let mut told = told(&["=D10", "=e20", "=D20"]);
    for (line, told) in (1..).zip(&mut told) {
        told.source = 0;
        told.fact = told.fact.clone().at(Pos::Line(line));
    }
    let changes = merge(&told).changes;
    let kinds: Vec<ChangeKind> = changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Disabled, ChangeKind::Enabled, ChangeKind::Disabled]);
    assert!(changes.iter().all(|change| change.disputed_until.is_none()), "{changes:?}");
}

/// An event of source 0 at that line sets the expiry at some minute to another one.
fn set(line: u64, minute: f64, until: Option<f64>) -> impl Iterator<Item = Told> {
    let (pos, time, until) = (Pos::Line(line), at(minute), until.map(at));
    let bites = until.map(|until| {
        let (kind, time, account) = (ChangeKind::Expired, until.max(time), ada());
        let precision = Precision::Exact;
        Fact::Change(event::Change { pos, time, precision, kind, account, actor: None })
    });
    let facts = [Some(Fact::expiry(pos, ada(), time, until)), bites].into_iter().flatten();
    facts.map(|fact| Told { source: 0, voice: Voice::Event, fact })
}

fn minutes_of_expiries(told: &[Told]) -> Vec<i64> {
    let changes = merge(told).changes;
    let expired = changes.iter().filter(|change| change.kind == ChangeKind::Expired);
    expired.map(|change| (change.at - at(0.0)).num_minutes()).collect()
}

/// Put off in time, and set to the old date again when that had passed, as one event log tells and an export of afterwards.
#[test]
fn a_date_that_is_set_again_bites_then() {
    let events =
        set(1, 20.0, Some(60.0)).chain(set(2, 40.0, None)).chain(set(3, 120.0, Some(60.0)));
    let mut all: Vec<Told> = events.collect();
    assert_eq!(minutes_of_expiries(&all), [120]);
    all.extend(told(&["D-1", "!x60", "!X60:120"]).into_iter().skip(1));
    assert_eq!(minutes_of_expiries(&all), [120]);
}

/// A source can stand on one line.
#[test]
fn settings_of_one_place_are_told_apart() {
    for (later, expected) in [(None, vec![]), (Some(50.0), vec![50]), (Some(90.0), vec![90])] {
        let all: Vec<Told> = set(1, 20.0, Some(60.0)).chain(set(1, 40.0, later)).collect();
        assert_eq!(minutes_of_expiries(&all), expected, "{later:?}");
    }
    let set_back: Vec<Told> = set(1, 20.0, Some(60.0)).chain(set(1, 40.0, Some(30.0))).collect();
    assert_eq!(minutes_of_expiries(&set_back), [40]);
}

#[test]
fn an_expiry_to_come_hides_no_disable() {
    check(&["!-50", "!u30", "!x900", "!X900:40"], &["disabled 30 0,1", "expired 900 2"]);
}

#[test]
fn an_expiry_that_was_put_off_is_none() {
    check(&["!x60", "!X60:20"], &["expired 60 0"]);
    // Put off before it bit.
    check(&["!x60", "!X60:20", "!x900", "!X900:40"], &["expired 900 2"]);
    check(&["!x60", "!X60:20", "!N:40"], &[]);
    // Put off at some time before minute 80, perhaps after it had bitten.
    check(&["!x60", "!X60:20", "!N:80"], &["expired 60 0", "~enabled 80 2"]);
    // The other export is the older one.
    check(&["!x60", "!X60:40", "!N:20"], &["expired 60 0"]);
    check(&["!x60", "!X60:40", "!x900", "!X900:20"], &["expired 60 0"]);
    // An event of another source set another expiry, and nothing tells when.
    check(&["!x60", "!X60:20", "x900"], &["expired 900 2"]);
    check(&["x60", "x900"], &["expired 900 1"]);
    assert_eq!(merge(&told(&["x60", "x900"])).expiry_unknown.len(), 1);
    // Settings that events of several controllers tell.
    check(&["x60", "!X60:20", "!N:40"], &[]);
    check(&["x60", "!X60:20", "!N:80"], &["expired 60 0", "~enabled 80 2"]);
    check(&["x60", "!X60:20", "!N:80", "x900", "!X900:10"], &["expired 60 0", "~enabled 80 2"]);
    // A list tells no setting; what the directory says later is newer all the same.
    check(&["=x60", "!N:80"], &["expired 60 0", "~enabled 80 1"]);
    check(&["=x60", "!N:40"], &["expired 60 0"]);
    // The date was set when it had passed.
    check(&["!x60", "!X60:200", "!w120"], &["expired 120 0,2"]);
    check(&["!x60", "!X60:200", "!w40"], &["expired 60 0"]);
    check(&["!x60", "!X60:", "!w120"], &["expired 60..120 0,2"]);
    // Written again since, to whatever date.
    check(&["x60", "!X60:20", "!w120"], &["expired 60 0", "~enabled 120 2"]);
    // Nothing tells which is the newer one.
    check(&["!x60", "!X60:", "!N:40"], &[]);
    assert_eq!(merge(&told(&["!x60", "!X60:", "!N:40"])).expiry_unknown.len(), 1);
}
