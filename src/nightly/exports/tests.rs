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

fn sid(sid: &str, identity: Identity) -> Identity {
    Identity { sid: Some(sid.to_owned()), ..identity }
}

/// What of an enabled account counts on beside a row of another identity.
fn beside(old: &Identity, new: &Identity) -> Vec<Fact> {
    kept(vec![state(old.clone(), Some(true))], vec![state(new.clone(), None)], Kind::AdCsv)
}

#[test]
fn names_are_never_forgotten() {
    let ada = who(Some("FABRIKAM"), "ada", "ada@corp.example");
    let first = sid("S-1-5-21-1-2-3-1104", ada.clone());
    // The new export has all of it.
    assert_eq!(beside(&ada, &who(Some("fabrikam"), "ADA", "Ada@Corp.example")), []);
    assert_eq!(beside(&first, &first), []);
    // It names her, and one of her names is not told any more.
    let moved = who(Some("FABRIKAM"), "ada", "ada@new.example");
    for (old, new) in [(&ada, moved.clone()), (&first, sid("S-1-5-21-1-2-3-1104", moved))] {
        assert_eq!(beside(old, &new), [state(old.clone(), None)]);
    }
    // It names somebody else, be it somebody to whom a name of hers passed on.
    let others = [
        who(Some("CONTOSO"), "ada", "ada@contoso.example"),
        sid("S-1-5-21-1-2-3-1105", ada.clone()),
        sid(
            "S-1-5-21-1-2-3-1106",
            Identity { smtp: vec!["ada@corp.example".into()], ..Identity::default() },
        ),
    ];
    for other in others {
        assert_eq!(beside(&first, &other), [state(first.clone(), Some(true))], "{other:?}");
    }
}

#[test]
fn a_password_that_was_set_is_an_act() {
    let ada = || who(Some("FABRIKAM"), "ada", "");
    let set = |minute| match change(ChangeKind::PasswordSet, ada(), 2) {
        Fact::Change(change) => Fact::Change(Change { time: at(minute), ..change }),
        fact => fact,
    };
    let old = || vec![set(1), set(2)];
    let new = |minute| vec![state(ada(), Some(true)), set(minute)];
    assert_eq!(kept(old(), new(2), Kind::AdCsv), [set(1)]);
    assert_eq!(kept(old(), new(3), Kind::AdCsv), old());
}

#[test]
fn what_was_until_then() {
    let ada = || who(Some("FABRIKAM"), "ada", "");
    let ends = [ChangeKind::Disabled, ChangeKind::Deleted, ChangeKind::Expired];
    let ends = ends.map(|kind| change(kind, ada(), 2));
    let flags =
        Fact::UserAccountControlSet { pos: Pos::Line(2), time: at(1), account: ada(), version: 7 };
    let old = || -> Vec<Fact> { ends.iter().cloned().chain([flags.clone()]).collect() };
    // Not named, or enabled again.
    let lasts = [ChangeKind::PasswordSet, ChangeKind::Created].map(|kind| change(kind, ada(), 2));
    let all = || lasts.iter().cloned().chain(old()).collect();
    assert_eq!(kept(all(), Vec::new(), Kind::ReplMetadata), lasts);
    assert_eq!(kept(old(), vec![state(ada(), Some(true))], Kind::AdCsv), []);
    for (enabled, still) in [(Some(false), None), (Some(true), Some(true)), (None, None)] {
        let left = kept(vec![state(ada(), enabled)], Vec::new(), Kind::AdCsv);
        assert_eq!(left, [state(ada(), still)]);
    }
    // And that is over since then.
    let on = |minute| Fact::Account {
        pos: Pos::Line(2),
        account: ada(),
        enabled: Some(true),
        changed: Some(at(minute)),
        expires: None,
        mailbox: None,
    };
    assert_eq!(kept(old(), vec![on(60)], Kind::AdCsv), ends[..1]);
    assert_eq!(kept(old(), vec![on(7)], Kind::AdCsv), []);
    // Disabled still: since then at the latest.
    let later = |kind| match change(kind, ada(), 3) {
        Fact::Change(change) => Fact::Change(Change { time: at(60), ..change }),
        fact => fact,
    };
    let still = vec![state(ada(), Some(false)), later(ChangeKind::Disabled)];
    assert_eq!(kept(old(), still, Kind::AdCsv), ends[..1]);
    assert_eq!(kept(old(), vec![later(ChangeKind::Deleted)], Kind::AdCsv), ends[1..2]);
}

#[test]
fn an_expiry_that_was_put_off() {
    let ada = || who(Some("FABRIKAM"), "ada", "");
    let row = |changed: Option<i64>, expires: Option<i64>| Fact::Account {
        pos: Pos::Line(2),
        account: ada(),
        enabled: None,
        changed: changed.map(at),
        expires: Some(expires.map(at)),
        mailbox: None,
    };
    let expired = change(ChangeKind::Expired, ada(), 2);
    let old = || vec![row(Some(1), Some(7)), expired.clone()];
    assert_eq!(kept(old(), vec![row(Some(60), None)], Kind::AdCsv), old());
    // Which of them is the newer one cannot be told, or it is the same.
    assert_eq!(kept(old(), vec![row(None, None)], Kind::AdCsv), []);
    assert_eq!(kept(old(), vec![row(Some(60), Some(7))], Kind::AdCsv), []);
}
