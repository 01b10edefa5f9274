//! Rows of change lists to facts, and what is refused.

use super::*;

#[test]
fn headers() {
    for (header, expect) in [
        ("time,account,change", true),
        ("Actor;CHANGE;Time;Account\n", true),
        ("time\taccount\tchange\tactor\tformer", true),
        ("time,account,change,actor,ticket,comment", true),
        ("time,acount,chagne,actor", true),
        ("when,account,change", true),
        ("path,line,account,change,time", false),
        ("time,amount,balance", false),
        ("", false),
    ] {
        assert_eq!(sniff(header.as_bytes()), expect, "{header}");
    }
}

#[test]
fn names_of_every_kind() {
    let check = |name: &str, expect: Identity| assert_eq!(identity(name), Ok(expect), "{name}");
    let some = |text: &str| Some(text.to_owned());
    let none = Identity::default;
    check("S-1-5-21-1-2-3-1104", Identity { sid: some("S-1-5-21-1-2-3-1104"), ..none() });
    check(
        "FABRIKAM\\ada",
        Identity { domain: some("FABRIKAM"), sam_account_name: some("ada"), ..none() },
    );
    check(".\\ada", Identity { sam_account_name: some("ada"), ..none() });
    check("ada", Identity { sam_account_name: some("ada"), ..none() });
    check("S-Ada", Identity { sam_account_name: some("S-Ada"), ..none() });
    check(
        "ada@fabrikam.example",
        Identity { user_principal_name: some("ada@fabrikam.example"), ..none() },
    );
    check(
        "smtp:ada@fabrikam.example",
        Identity { smtp: vec!["ada@fabrikam.example".into()], ..none() },
    );
    let dn = "CN=Ada,DC=fabrikam,DC=example";
    check(
        dn,
        Identity { domain: some("fabrikam.example"), distinguished_name: some(dn), ..none() },
    );
    let guid = "04030201-0605-0807-090a-0b0c0d0e0f10";
    check(guid, Identity { guid: some(guid), ..none() });
    // Sixteen letters are a name, not the bytes of a GUID; nor are those of a SID.
    check("sixteen_letters_", Identity { sam_account_name: some("sixteen_letters_"), ..none() });
    for bad in ["FABRIKAM\\", "j?rgen", "fabrikam.example/Staff/Ada", "CN=Ada", "a\\b\\c", "=cmd|x"]
    {
        let reason = identity(bad).unwrap_err().to_string();
        assert!(reason.contains("names no account; write a SID"), "{reason}");
    }
}

#[test]
fn words() {
    assert_eq!(kind("Password Reset"), Ok(ChangeKind::PasswordReset));
    assert_eq!(kind("locked-out"), Ok(ChangeKind::LockedOut));
    let check = |word: &str, cure: &str| {
        let reason = kind(word).unwrap_err().to_string();
        assert!(reason.contains(cure), "{reason}");
    };
    check("disable", "did you mean disabled?");
    check("delted", "did you mean deleted?");
    check("pasword_reset", "did you mean password_reset?");
    check("left the company", "write one of disabled, enabled, deleted, ");
    check("x", "write one of ");
}

#[test]
fn slips_of_the_pen() {
    for (a, b, expect) in [
        ("account", "account", 0),
        ("acount", "Account ", 1),
        ("chagne", "change", 1),
        ("", "abc", 3),
        ("abc", "", 3),
        ("kitten", "sitting", 3),
        ("ä", "a", 1),
    ] {
        assert_eq!(distance(a, b), expect, "{a} {b}");
    }
}
