//! Replication metadata, CSV and repadmin text, to facts.

use super::*;

const HEADER: &str =
    "Loc.USN   Originating DSA  Org.USN  Org.Time/Date   Ver Attribute\n=======  ====\n";
const ROW: &str = "  40961   Site One\\DC1     40961 2026-03-02 14:00:00    5 userAccountControl\n";
const ADA: &str = "C:\\>repadmin /showobjmeta * \"CN=Ada,DC=fabrikam,DC=example\"\n";

fn banner(controller: &str) -> String {
    format!("\nRepadmin: running command /showobjmeta against full DC {controller}\n\n1 entries.\n")
}

/// The accounts of the facts, or `!`.
fn check(text: &str, expect: &[&str]) {
    let local = LocalTime { zone: "UTC".parse().ok(), date_order: None };
    let mut told = Vec::new();
    let tally = facts(text.as_bytes(), &local, &mut |item| {
        told.push(match item {
            Ok(Fact::UserAccountControlSet { account, .. }) => {
                account.distinguished_name.or(account.guid).or(account.sid).unwrap_or_default()
            }
            Ok(_) => "other".to_owned(),
            Err(_) => "!".to_owned(),
        });
    });
    assert_eq!(told, expect, "{text}");
    assert_eq!(tally.records, tally.told + tally.of_no_interest + tally.rejected);
}

#[test]
fn whose_metadata() {
    let dn = "CN=Ada,DC=fabrikam,DC=example";
    let (dc1, dc2) = (banner("dc1"), banner("dc2"));
    check(&format!("{ADA}{dc1}{HEADER}{ROW}"), &[dn]);
    check(&format!("{ADA}{dc1}{HEADER}{ROW}{dc2}{HEADER}{ROW}"), &[dn, dn]);
    // The same controller again: another object, whose name is not told.
    check(&format!("{ADA}{dc1}{HEADER}{ROW}{dc1}{HEADER}{ROW}"), &[dn, "!"]);
    check(&format!("{ADA}{HEADER}{ROW}\n1 entries.\n{HEADER}{ROW}"), &[dn, "!"]);
    check(&format!("{dc1}{HEADER}{ROW}"), &["!"]);
    check(&format!("Object: {dn}\n{dc1}{HEADER}{ROW}"), &[dn]);
    check(&format!("# \"{dn}\"\n{dc1}{HEADER}{ROW}"), &[dn]);
    check(&format!("repadmin /showobjmeta dc1 {dn}\n{HEADER}{ROW}"), &[dn]);
    check(&format!("repadmin /showobjmeta dc1 $dn\n{HEADER}{ROW}"), &["!"]);
    check(
        &format!("{ADA}{HEADER}{ROW}C:\\>repadmin /showobjmeta dc1 %DN%\n{HEADER}{ROW}"),
        &[dn, "!"],
    );
    check(&format!("repadmin /showobjmeta dc1 \"CN=J?rgen,DC=fabrikam\"\n{HEADER}{ROW}"), &["!"]);
    let guid = "04030201-0605-0807-090a-0b0c0d0e0f10";
    check(&format!("repadmin /showobjmeta dc1 \"<GUID={guid}>\"\n{HEADER}{ROW}"), &[guid]);
    check(
        &format!("repadmin /showobjmeta dc1 \"<SID=S-1-5-21-1-2-3-4>\"\n{HEADER}{ROW}"),
        &["S-1-5-21-1-2-3-4"],
    );
}

#[test]
fn rows() {
    let check_row = |row: &str, expect: &[&str]| check(&format!("{ADA}{HEADER}{row}\n"), expect);
    check_row("1 dc1 1 2026-03-02 14:00:00 5 cn", &[]);
    check_row("1 dc1 1 2026-03-02 25:00:00 5 cn", &[]);
    check_row("1 dc1 1 2026-03-02 25:00:00 5 userAccountControl", &["!"]);
    check_row("1 1 2026-03-02 14:00:00 5 userAccountControl", &["!"]);
    check_row("x dc1 1 2026-03-02 14:00:00 5 userAccountControl", &["!"]);
    check_row("1 dc1 1 2026-03-02 14:00:00 v userAccountControl", &["!"]);
    check_row("14:00:00 5 userAccountControl", &["!"]);
    check_row(
        "1 dc1 1 2026-03-02 14:00:00 2 unicodePwd\n1 dc1 1 2026-03-02 14:00:00 2 ntPwdHistory",
        &["other"],
    );
    check_row(
        "1 dc1 1 2026-03-02 14:00:00 2 groupType\n1 dc1 1 2026-03-02 14:00:00 2 sAMAccountName",
        &[],
    );
}

#[test]
fn links_are_of_no_interest() {
    let links = "1 entries.\nType    Attribute     Last Mod Time   Originating DSA  Loc.USN\n\
        =======\n        Distinguished Name\n\
        PRESENT  manager 2021-09-14 16:00:00 S\\DC1 1 1 1\n        CN=Bob,DC=fabrikam,DC=example\n";
    let dn = "CN=Ada,DC=fabrikam,DC=example";
    check(&format!("{ADA}{HEADER}{ROW}{links}{}{HEADER}{ROW}", banner("dc2")), &[dn, dn]);
}

#[test]
fn rows_that_change_no_password() {
    let head = "AttributeName,AttributeValue,LastOriginatingChangeTime,Object,Version\n";
    let dn = "\"CN=Ada,DC=fabrikam,DC=example\"";
    check(&format!("{head}pwdLastSet,0,2026-03-02 14:00:00,{dn},3\n"), &[]);
    check(&format!("{head}pwdLastSet,,2026-03-02 14:00:00,{dn},3\n"), &["other"]);
    check(&format!("{head}unicodePwd,,2026-03-02 14:00:00,,3\n"), &["!"]);
    // A computer, whatever it is called.
    let host = format!("dNSHostName,ex01.fabrikam.example,2026-03-02 14:00:00,{dn},1\n");
    check(&format!("{head}unicodePwd,,2026-03-02 14:00:00,{dn},3\n{host}"), &[]);
    check(
        &format!("{head}userAccountControl,512,2026-03-02 14:00:00,{dn},3\n"),
        &["CN=Ada,DC=fabrikam,DC=example", "other"],
    );
    check(&format!("{head}userAccountControl,many,2026-03-02 14:00:00,{dn},3\n"), &["!"]);
}
