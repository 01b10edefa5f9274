//! Acts as several sources tell them, and the changes they come to.

use super::*;
use stillin_parsers::event::{self, Identity};

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_400_000 + minute * 60, 0).unwrap()
}

fn ada() -> Identity {
    Identity { sam_account_name: Some("ada".into()), ..Identity::default() }
}

/// One letter a fact: `D10` disabled at minute 10, `e` enabled, `r`/`c`/`s` password reset, changed, set;
/// `~` before it: at the latest; `!` before it: directory state; `+20`/`-20` says enabled or not at minute 20;
/// `u15` flags written.
fn told(facts: &[&str]) -> Vec<Told> {
    facts
        .iter()
        .enumerate()
        .map(|(source, text)| {
            let is_state = text.contains('!');
            let precision = if text.contains('~') { Precision::AtLatest } else { Precision::Exact };
            let text = text.trim_start_matches(['!', '~']);
            let (letter, minute) = text.split_at(1);
            let (pos, time) = (Pos::Line(1), at(minute.parse().unwrap()));
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
                "+" | "-" => Fact::Account {
                    expires: None,
                    pos,
                    account: ada(),
                    enabled: Some(letter == "+"),
                    changed: Some(time),
                },
                "u" => Fact::UserAccountControlSet { pos, time, account: ada(), version: 3 },
                other => panic!("{other}"),
            };
            Told { source, is_state, fact }
        })
        .collect()
}

/// Each change as kind, minute, `~` if at the latest, and sources.
fn check(facts: &[&str], expect: &[&str]) {
    let directory = merge(&told(facts));
    let got: Vec<_> = directory
        .changes
        .iter()
        .map(|c| {
            let about = if c.precision == Precision::AtLatest { "~" } else { "" };
            let sources: Vec<_> = c.evidence.iter().map(|(s, _)| s.to_string()).collect();
            format!(
                "{about}{} {} {}",
                c.kind.word(),
                (c.at - at(0)).num_minutes(),
                sources.join(",")
            )
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
    check(&["D10", "!D40", "!~D90"], &["disabled 10 0,1,2"]);
    check(&["!~D90", "!D40"], &["disabled 40 0,1"]);
    check(&["!~D90", "!~D60"], &["~disabled 60 0,1"]);
    // Disabled, enabled, and then found disabled: there was a second disable.
    check(&["D10", "e20", "!~D90"], &["disabled 10 0", "enabled 20 1", "~disabled 90 2"]);
    // Two events are two acts, even if the enable between them was not logged.
    check(&["D10", "D40"], &["disabled 10 0", "disabled 40 1"]);
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
