//! Events to facts, and what is refused.

use super::*;
use crate::event::{Fact, Restarted};

const ADA: &str = "S-1-5-21-1-2-3-1104";

pub(super) fn event(id: u32, data: &[(&str, &str)]) -> Event {
    let mut event = Event::new(Pos::Line(1), id);
    event.time = DateTime::from_timestamp(1_772_442_000, 0);
    event.outcome = Outcome::Success;
    event.provider = Some("Microsoft-Windows-Security-Auditing".to_owned());
    event.data = data.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    event
}

fn ada(id: u32, more: &[(&str, &str)]) -> Event {
    let who = [
        ("TargetUserName", "ada"),
        ("TargetDomainName", "FABRIKAM"),
        ("TargetSid", ADA),
        ("SubjectUserName", "helpdesk"),
        ("SubjectDomainName", "FABRIKAM"),
    ];
    event(id, &[&who[..], more].concat())
}

/// Kinds that an event tells, `name` for a fact that only names an account, whose workers ended, or its
/// reject.
pub(super) fn told(event: &Event) -> String {
    match facts(event, &mut Seen::default()) {
        Err(reason) => format!("reject: {reason}"),
        Ok(facts) => {
            let word = |fact: &Fact| match fact {
                Fact::Change(change) => change.kind.word().to_owned(),
                Fact::Restart(restart) => {
                    let what = match &restart.what {
                        Restarted::Pool(pool) => pool.clone(),
                        other => format!("{other:?}"),
                    };
                    let worker = restart.process_id.map(|id| format!(" {id}"));
                    what + &worker.unwrap_or_default()
                }
                Fact::Logon(logon) => format!("{:?}", logon.result),
                _ => "name".to_owned(),
            };
            facts.iter().map(word).collect::<Vec<_>>().join(" ")
        }
    }
}

#[test]
fn every_id_has_its_kind() {
    for (id, expect) in [
        (4720, "created"),
        (4722, "enabled"),
        (4723, "password_changed"),
        (4724, "password_reset"),
        (4725, "disabled"),
        (4726, "deleted"),
        (4738, ""),
        (4740, "locked_out"),
        (4767, "unlocked"),
        (4781, "reject: OldTargetUserName is missing"),
        (5136, "reject: AttributeLDAPDisplayName is missing"),
        (5141, "reject: ObjectClass is missing"),
        (5138, ""),
        (4624, ""),
        (0, ""),
    ] {
        assert_eq!(told(&ada(id, &[])), expect, "{id}");
    }
}

#[test]
fn what_changes_nothing() {
    let mut failure = ada(4724, &[]);
    failure.outcome = Outcome::Failure;
    assert_eq!(told(&failure), "");
    let mut unknown = ada(4724, &[]);
    unknown.outcome = Outcome::Unknown;
    assert_eq!(told(&unknown), "reject: Keywords is missing");
    // A disable is logged only when it succeeds.
    let mut unknown = ada(4725, &[]);
    unknown.outcome = Outcome::Unknown;
    assert_eq!(told(&unknown), "disabled");

    let mut other = ada(4725, &[]);
    other.provider = Some("Microsoft-Windows-TaskScheduler".to_owned());
    assert_eq!(told(&other), "");
    let mut other = ada(4725, &[]);
    (other.provider, other.channel) = (None, Some("Application".to_owned()));
    assert_eq!(told(&other), "");
    let mut timeless = ada(4725, &[]);
    timeless.time = None;
    assert_eq!(told(&timeless), "reject: TimeCreated is missing");
    timeless.bad_time = Some(Reason::BadTime("x".to_owned()));
    assert_eq!(told(&timeless), "reject: `x` is no time");

    for (name, expect) in [
        ("HealthMailbox3f5d2a1", ""),
        ("healthmailbox0659e34f2b9a4a0c8b4e6f7d8a9b0c1d", ""),
        ("SM_f628653781234ab0a", ""),
        ("SystemMailbox{1f05a927-4a8d-4b1e-8a6a-0c1d2e3f4a5b}", ""),
        ("extest_0123456789abc", ""),
        ("sm_jones", "disabled"),
        ("Migration.team", "disabled"),
        ("HealthMailboxOwner", "disabled"),
        ("", "reject: TargetUserName is missing"),
        ("-", "reject: TargetUserName is missing"),
    ] {
        assert_eq!(told(&event(4725, &[("TargetUserName", name)])), expect, "{name}");
    }
    // What is named like a computer is one where its flags say so.
    for (data, expect) in [
        (&[("TargetUserName", "hidden$")][..], "disabled"),
        (&[("TargetUserName", "hidden$"), ("NewUacValue", "0x11")], "disabled"),
        (&[("TargetUserName", "EX01$"), ("NewUacValue", "0x81")], ""),
        (&[("TargetUserName", "EX01$"), ("NewUacValue", "-"), ("OldUacValue", "0x2100")], ""),
        (&[("TargetUserName", "PARTNER$"), ("NewUacValue", "64")], ""),
        (&[("TargetUserName", "ada"), ("NewUacValue", "0x81")], "disabled"),
    ] {
        assert_eq!(told(&event(4725, data)), expect, "{data:?}");
    }
    let guests = [("TargetUserName", "Guests"), ("TargetSid", "S-1-5-32-546")];
    assert_eq!(told(&event(4725, &guests)), "");
}

#[test]
fn user_changed() {
    let check = |data: &[(&str, &str)], expect: &str| {
        assert_eq!(told(&ada(4738, data)), expect, "{data:?}");
    };
    check(&[("UserAccountControl", "%%2080")], "disabled");
    check(&[("UserAccountControl", "\n\t\t%%2080\n\t\t%%2084")], "disabled");
    check(&[("UserAccountControl", "\n\t\t%%2048\n\t\t%%2057")], "enabled");
    // 2089 is "don't expire password", and 0x2 is the LDAP bit, not the SAM bit.
    check(&[("UserAccountControl", "%%2089")], "");
    check(&[("OldUacValue", "0x10"), ("NewUacValue", "0x11")], "disabled");
    check(&[("OldUacValue", "0x11"), ("NewUacValue", "0x10")], "enabled");
    check(&[("OldUacValue", "0x11"), ("NewUacValue", "0x211")], "");
    check(&[("OldUacValue", "0x200"), ("NewUacValue", "0x202")], "");
    check(&[("OldUacValue", "-"), ("NewUacValue", "0x11")], "");
    check(&[("PasswordLastSet", "3/2/2026 10:05:10 AM")], "password_set");
    check(&[("PasswordLastSet", "%%1794")], "");
    check(&[("PasswordLastSet", "-")], "");
    // A member server fills in what did not change as well.
    let snapshot =
        [("SamAccountName", "ada"), ("PrimaryGroupId", "513"), ("PasswordLastSet", "1/1/2019")];
    check(&snapshot, "name");
    check(&[("AccountExpires", "3/2/2026 12:00:00 AM")], "");
    check(&[("UserPrincipalName", "ada@fabrikam.example")], "name");
    check(&[("SamAccountName", "%%1793")], "");
}

#[test]
fn accounts_and_actors() {
    let first = |event: &Event| facts(event, &mut Seen::default()).unwrap().remove(0);
    let Fact::Change(disabled) = first(&ada(4725, &[])) else { panic!() };
    assert_eq!(disabled.actor.as_deref(), Some("FABRIKAM\\helpdesk"));
    assert_eq!(disabled.account.sid.as_deref(), Some(ADA));
    assert_eq!(disabled.account.domain.as_deref(), Some("FABRIKAM"));
    assert_eq!(disabled.account.sam_account_name.as_deref(), Some("ada"));

    // The caller's computer, not a domain.
    let Fact::Change(locked) = first(&ada(4740, &[])) else { panic!() };
    assert_eq!(locked.account.domain, None);

    let Fact::Change(renamed) = first(&event(
        4781,
        &[
            ("OldTargetUserName", "ada"),
            ("NewTargetUserName", "ada.byron"),
            ("TargetSid", ADA),
            ("SubjectUserName", "-"),
        ],
    )) else {
        panic!()
    };
    assert_eq!(renamed.account.sam_account_name.as_deref(), Some("ada.byron"));
    assert_eq!(renamed.account.former_sam_account_names, ["ada"]);
    assert_eq!(renamed.actor, None);

    for (sid, expect) in [
        ("S-1-5-21-1-2-3-1104", Some("S-1-5-21-1-2-3-1104")),
        ("%{S-1-5-21-1-2-3-1104}", Some("S-1-5-21-1-2-3-1104")),
        ("S-1-5-18", None),
        ("S-1-0-0", None),
        ("S-1-5-21-=cmd|' /C calc'", None),
    ] {
        assert_eq!(account_sid(sid).as_deref(), expect);
    }
}

#[test]
fn positions_of_insertion_strings() {
    assert_eq!(positions(4725, 7).len(), 7);
    assert_eq!(positions(4738, 27).get(1), Some(&"TargetUserName"));
    assert_eq!(positions(4738, 27).last(), Some(&"LogonHours"));
    assert_eq!(positions(4720, 26).last(), Some(&"LogonHours"));
    assert_eq!(positions(5136, 15).last(), Some(&"OperationType"));
    assert_eq!(positions(5141, 15).last(), Some(&"ObjectClass"));
    assert_eq!(positions(4624, 21).len(), 20);
    assert_eq!(positions(4624, 21).get(17), Some(&"ProcessName"));
    assert_eq!(positions(4625, 21).last(), Some(&"IpPort"));
    assert_eq!(positions(5074, 3), ["ProcessID", "AppPoolID"]);
    assert_eq!(positions(5079, 1), ["AppPoolID"]);
    assert_eq!(positions(4688, 20), [""; 0]);
}

#[test]
fn keywords() {
    for (text, expect) in [
        ("0x8020000000000000", Outcome::Success),
        ("0x8010000000000000", Outcome::Failure),
        ("0x8020000090000000", Outcome::Success),
        ("-9214364837600034816", Outcome::Success),
        ("-9218868437227405312", Outcome::Failure),
        ("9232379236109516800", Outcome::Success),
        ("0x8000000000000000", Outcome::Unknown),
        ("Audit Success", Outcome::Success),
        ("AUDIT_FAILURE", Outcome::Failure),
        ("failure", Outcome::Failure),
        ("Überwachung gescheitert", Outcome::Unknown),
        ("", Outcome::Unknown),
        ("0xzz", Outcome::Unknown),
    ] {
        assert_eq!(outcome_of(text), expect, "{text}");
    }
}

/// A 5136 of ada, `+` for a value added.
fn attribute(op: &str, sign: char, name: &str, value: &str) -> Event {
    let kind = if sign == '+' { "%%14674" } else { "%%14675" };
    event(
        5136,
        &[
            ("OpCorrelationID", op),
            ("DSName", "fabrikam.example"),
            ("DSType", "%%14676"),
            ("ObjectDN", "CN=Ada,DC=fabrikam,DC=example"),
            ("ObjectGUID", "{9F1D1F3A-7C0B-4E58-9A55-0B6D0E6C2A11}"),
            ("ObjectClass", "user"),
            ("AttributeLDAPDisplayName", name),
            ("AttributeValue", value),
            ("OperationType", kind),
        ],
    )
}

#[test]
fn pairs_of_5136() {
    let check = |events: &[Event], expect: &str| {
        let word = |fact| match fact {
            Fact::Change(change) => format!("{} {:?}", change.kind.word(), change.precision),
            _ => "name".to_owned(),
        };
        let mut seen = Seen::default();
        let words = events.iter().flat_map(|event| facts(event, &mut seen).unwrap()).map(word);
        assert_eq!(words.collect::<Vec<_>>().join(", "), expect);
        // The newest event first, and the oldest, where the source may have either.
        for is_reversed in [false, true] {
            let (mut words, mut tally) = (Vec::new(), Tally::default());
            let mut seen = Seen::in_any_order();
            let mut sink = |fact: Result<Fact, Reject>| words.push(word(fact.unwrap()));
            let mut events = events.to_vec();
            if is_reversed {
                events.reverse();
            }
            for event in events {
                tell(Ok(event), &mut seen, &mut tally, &mut sink);
            }
            directory_service::tell_added(seen, &mut tally, &mut sink);
            let mut expected: Vec<&str> = expect.split(", ").filter(|e| !e.is_empty()).collect();
            expected.sort_unstable();
            words.sort_unstable();
            assert_eq!(words, expected, "{is_reversed}");
            assert_eq!(tally.records, tally.told + tally.of_no_interest);
        }
    };
    let uac = |op, sign, value| attribute(op, sign, "userAccountControl", value);
    check(&[uac("a", '-', "512"), uac("a", '+', "514")], "disabled Exact");
    check(&[uac("a", '-', "514"), uac("a", '+', "512")], "enabled Exact");
    check(&[uac("a", '-', "514"), uac("a", '+', "66050")], "");
    check(&[uac("a", '-', "512"), uac("a", '+', "66048")], "");
    check(&[uac("a", '-', "512")], "");
    // The other half is of another operation, or not there: only the state is known.
    check(&[uac("a", '-', "514"), uac("b", '+', "514")], "disabled AtLatest");
    check(&[uac("a", '+', "512")], "enabled AtLatest");
    check(
        &[uac("a", '-', "512"), uac("a", '+', "514"), uac("a", '+', "514")],
        "disabled Exact, disabled AtLatest",
    );

    let sam = |sign, value| attribute("s", sign, "sAMAccountName", value);
    check(&[sam('-', "ada"), sam('+', "ada.byron")], "renamed Exact");
    check(&[sam('+', "ada")], "name");
    // The class says user, whatever the name.
    check(&[sam('-', "ada"), sam('+', "ada$")], "renamed Exact");
    check(&[sam('-', "SM_0123456789abcdef0"), sam('+', "ada")], "");
    check(&[attribute("p", '+', "pwdLastSet", "0")], "");
    check(&[attribute("p", '+', "pwdLastSet", "133456789012345678")], "password_set Exact");
    check(&[attribute("p", '-', "pwdLastSet", "133456789012345678")], "");
    check(&[attribute("p", '+', "description", "disabled")], "");

    let mut lds = uac("a", '+', "514");
    lds.data.retain(|(name, _)| name != "DSType");
    lds.data.push(("DSType".to_owned(), "%%14677".to_owned()));
    check(&[lds], "");
    assert_eq!(told(&uac("a", '+', "x")), "reject: AttributeValue is no number");
}

#[test]
fn expiry() {
    let never = "9223372036854775807";
    // 2026-03-02T09:00:00Z is the time of every event here.
    let (past, ahead) = ("134167104000000000", "134194752000000000");
    let expires = |sign, value| attribute("e", sign, "accountExpires", value);
    let mut later = expires('+', never);
    later.time = later.time.map(|time| time + chrono::TimeDelta::days(1));
    let check = |events: &[Event], expect: &str| {
        let mut seen = Seen::default();
        let mut words = Vec::new();
        for event in events {
            words.extend(facts(event, &mut seen).unwrap().iter().map(|fact| match fact {
                Fact::Change(change) => {
                    format!("{} {}", change.kind.word(), change.time.date_naive())
                }
                Fact::Account { changed: Some(set), expires: Some(expires), .. } => {
                    let until = expires.map(|time| time.date_naive().to_string());
                    format!("{} set {}", until.as_deref().unwrap_or("never"), set.date_naive())
                }
                other => panic!("{other:?}"),
            }));
        }
        assert_eq!(words.join(", "), expect);
    };
    check(&[expires('+', past)], "2026-02-28 set 2026-03-02, expired 2026-03-02");
    check(&[expires('+', ahead)], "2026-04-01 set 2026-03-02, expired 2026-04-01");
    check(&[expires('+', never)], "never set 2026-03-02");
    check(&[expires('+', "0")], "never set 2026-03-02");
    check(&[expires('-', ahead)], "");
    // Whether it was put off in time, all evidence together tells.
    check(
        &[expires('+', ahead), later],
        "2026-04-01 set 2026-03-02, expired 2026-04-01, never set 2026-03-03",
    );
    check(
        &[expires('-', past), expires('+', ahead)],
        "2026-04-01 set 2026-03-02, enabled 2026-03-02, expired 2026-04-01",
    );
    // Written again as it was.
    check(&[expires('-', past), expires('+', past)], "2026-02-28 set 2026-03-02");
    assert_eq!(told(&expires('+', "soon")), "reject: AttributeValue is no number");
}
