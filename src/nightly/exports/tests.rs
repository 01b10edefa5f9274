//! What of an older export counts on.

use super::rest::rest;
use crate::read::Evidence;
use chrono::{DateTime, TimeDelta, Utc};
use stillin_parsers::event::{
    Change, ChangeKind, Fact, Identity, Logon, LogonResult, Pos, Precision, Restart, Restarted,
};
use stillin_parsers::kind::Kind;

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
}

fn who(domain: Option<&str>, sam: &str, upn: &str) -> Identity {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Identity {
        domain: domain.and_then(some),
        sam_account_name: some(sam),
        user_principal_name: some(upn),
        ..Identity::default()
    }
}

fn change(kind: ChangeKind, account: Identity, pos: u64) -> Fact {
    let (time, precision, actor) = (at(7), Precision::Exact, None);
    Fact::Change(Change { pos: Pos::Line(pos), time, precision, kind, account, actor })
}

fn state(account: Identity, enabled: Option<bool>) -> Fact {
    let pos = Pos::Line(2);
    Fact::Account { pos, account, enabled, changed: None, expires: None, mailbox: None }
}

fn of(facts: Vec<Fact>) -> Evidence {
    Evidence { facts, ..Evidence::default() }
}

fn kept(old: Vec<Fact>, new: Vec<Fact>, kind: Kind) -> Vec<Fact> {
    rest(of(old), &of(new), kind).map_or(Vec::new(), |rest| rest.facts)
}

#[test]
fn acts_that_rolled_out() {
    let ada = who(Some("FABRIKAM"), "ada", "");
    let old = vec![
        change(ChangeKind::Disabled, ada.clone(), 1),
        change(ChangeKind::Enabled, ada.clone(), 2),
    ];
    // The same act stands elsewhere by now.
    let new = vec![change(ChangeKind::Enabled, ada.clone(), 1)];
    assert_eq!(kept(old.clone(), new, Kind::EventXml), old[..1]);
    assert!(rest(of(old.clone()), &of(old.clone()), Kind::Evtx).is_none());
    assert!(rest(of(old), &of(Vec::new()), Kind::ChangeList).is_none());
}

#[test]
fn ends_of_workers_and_logons_that_rolled_out() {
    let restart = |minute| Restart {
        pos: Pos::Record(minute as u64),
        time: at(minute),
        computer: Some("EX01".into()),
        what: Restarted::Iis,
        process_id: None,
        is_by_command: true,
    };
    let logon = |minute, sam: &str| Logon {
        pos: Pos::Record(minute as u64),
        time: at(minute),
        computer: Some("EX01".into()),
        account: Some(Box::new(who(None, sam, ""))),
        result: LogonResult::Succeeded,
        address: None,
        process_id: None,
        package: None,
    };
    let evidence = |restarts: &[i64], logons: &[(i64, &str)]| {
        let mut evidence = Evidence::default();
        evidence.restarts.extend(restarts.iter().map(|&minute| restart(minute)));
        logons.iter().for_each(|&(minute, sam)| evidence.logons.take(logon(minute, sam)));
        evidence
    };
    let new = evidence(&[2, 3], &[(2, "bob"), (3, "ada")]);
    let rest = |old| rest(old, &new, Kind::Evtx);
    assert!(rest(evidence(&[2], &[(3, "ada")])).is_none());
    let left = rest(evidence(&[1, 2], &[(3, "ada")])).unwrap();
    assert_eq!((left.restarts, left.logons.is_empty()), (vec![restart(1)], true));
    let left = rest(evidence(&[2], &[(1, "bob"), (2, "bob"), (3, "bob")])).unwrap();
    let left: Vec<_> = left.logons.each(None).map(|(who, at, ..)| (who.clone(), at)).collect();
    let bob = who(None, "bob", "");
    assert_eq!(left, [(bob.clone(), at(1)), (bob, at(3))]);
}

#[test]
fn rows_of_accounts_that_the_new_export_does_not_name() {
    let ada = || who(Some("FABRIKAM"), "ada", "ada@corp.example");
    let old = || vec![state(ada(), None)];
    let named = [
        who(Some("fabrikam"), "ADA", ""),
        who(None, "ada", ""),
        who(Some("CONTOSO"), "zoe", "Ada@corp.example"),
        Identity { smtp: vec!["ada@corp.example".into()], ..Identity::default() },
    ];
    for account in named {
        assert_eq!(kept(old(), vec![state(account.clone(), None)], Kind::AdCsv), [], "{account:?}");
    }
    let other = who(Some("CONTOSO"), "ada", "ada@contoso.example");
    assert_eq!(kept(old(), vec![state(other, None)], Kind::Ldif), old());
}

#[test]
fn what_may_be_undone_by_now() {
    let ada = || who(Some("FABRIKAM"), "ada", "");
    let lasts = [ChangeKind::PasswordSet, ChangeKind::Created].map(|kind| change(kind, ada(), 2));
    let ends = [ChangeKind::Disabled, ChangeKind::Deleted, ChangeKind::Expired];
    let ends = ends.map(|kind| change(kind, ada(), 2));
    let flags =
        Fact::UserAccountControlSet { pos: Pos::Line(2), time: at(1), account: ada(), version: 7 };
    let old: Vec<Fact> = lasts.iter().chain(&ends).cloned().chain([flags]).collect();
    assert_eq!(kept(old, Vec::new(), Kind::ReplMetadata), lasts);
    for (enabled, still) in [(Some(false), None), (Some(true), Some(true)), (None, None)] {
        let left = kept(vec![state(ada(), enabled)], Vec::new(), Kind::AdCsv);
        assert_eq!(left, [state(ada(), still)]);
    }
}
