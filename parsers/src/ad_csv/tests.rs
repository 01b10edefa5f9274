//! Rows of directory exports as CSV to facts, and what is refused.

use super::*;
use crate::event::{Fact, Pos, Precision};

#[test]
fn tables_of_accounts_and_others() {
    for (header, expect) in [
        ("SamAccountName,Enabled", true),
        ("\"samaccountname\";\"ENABLED\"\r\n", true),
        (
            "#TYPE Microsoft.ActiveDirectory.Management.ADUser\n\"DistinguishedName\",\"whenChanged\"\n",
            true,
        ),
        ("DN,objectClass,cn\n", true),
        ("SID\tpwdLastSet\n", true),
        ("SamAccountName,Name", false),
        ("Enabled,Name", false),
        ("SamAccountName,whenChanged,ExchangeGuid", false),
        ("SamAccountName,AccountDisabled,ExchangeGuid,WhenMailboxCreated", true),
        ("PrimarySmtpAddress,RecipientTypeDetails", true),
        ("Alias,RecipientTypeDetails", false),
        ("SamAccountName,RecipientTypeDetails,EventId", false),
        ("", false),
    ] {
        assert_eq!(sniff(header.as_bytes()), expect, "{header}");
    }
}

#[test]
fn hex_of_csvde() {
    assert_eq!(binary("X'0aFF'"), Some(vec![10, 255]));
    assert_eq!(binary("X''"), Some(vec![]));
    for plain in ["X'0'", "X'0g'", "X'00", "0aff", "X'é'", ""] {
        assert_eq!(binary(plain), None, "{plain}");
    }
}

/// Words, times and precisions of the changes.
fn changes(text: &str, local: &LocalTime) -> Vec<String> {
    let mut told = Vec::new();
    let tally = facts(text.as_bytes(), local, &mut |item| match item {
        Ok(Fact::Change(change)) => {
            let bound = if change.precision == Precision::Exact { "" } else { "<= " };
            told.push(format!("{} {bound}{}", change.kind.word(), change.time.format("%FT%T%.fZ")));
        }
        Ok(_) => {}
        Err(reject) => told.push(format!("! {}", reject.reason)),
    });
    assert_eq!(tally.records, tally.told + tally.of_no_interest + tally.rejected);
    told
}

#[test]
fn the_zone_that_filetimes_give_away() {
    let none = LocalTime::default();
    // Bob's row gives the zone away, Ada's needs it.
    let text = "SamAccountName,Enabled,PasswordLastSet,pwdLastSet,whenChanged\n\
        ada,False,,0,8/1/2025 12:00:00 PM\n\
        bob,True,7/1/2025 2:30:00 PM,133958466002500000,\n";
    assert_eq!(
        changes(text, &none),
        ["disabled <= 2025-08-01T10:00:00Z", "password_set 2025-07-01T12:30:00.250Z"]
    );
    // The zone of a machine that gives away its summer only: in winter it may be at +02:00 or at
    // +01:00, or at +00:00.
    let winter = text.replace("8/1/2025", "1/8/2026");
    let told = changes(&winter, &none);
    assert_eq!(told.len(), 2);
    assert!(*told[0] >= *"disabled <= 2026-01-08T11:00:00Z", "{told:?}");

    // Two machines: each row stands for itself, and a row that gives nothing away is not read.
    let two =
        format!("{text}carol,False,7/1/2025 5:30:00 AM,133958466002500000,8/1/2025 12:00:00 PM\n");
    let told = changes(&two, &none);
    assert!(told[0].starts_with("! 2025-08-01 12:00:00 has no zone"), "{told:?}");
    assert!(told[3].starts_with("disabled <= 2025-08-01T19:00:00Z"), "{told:?}");
}

#[test]
fn columns_of_one_moment() {
    let utc = LocalTime { zone: "UTC".parse().ok(), date_order: None };
    // A spreadsheet ate the number; the text of the same moment is still there.
    let eaten = "SamAccountName,pwdLastSet,PasswordLastSet\nada,1.34E+17,2026-02-05 14:12:44\n";
    assert_eq!(changes(eaten, &utc), ["password_set 2026-02-05T14:12:44Z"]);
    // `whenChanged` of an account that is not cut off is not looked at.
    let enabled = "SamAccountName,Enabled,whenChanged\nada,True,nonsense\nbob,False,nonsense\n";
    assert_eq!(changes(enabled, &utc), ["! `nonsense` is no time"]);
}

#[test]
fn parts_begin_where_rows_do() {
    // With times, which are all looked at first, and without, where only lines are counted.
    part_by_part(
        "SamAccountName,Enabled,PasswordLastSet,pwdLastSet",
        ",True,7/1/2025 2:30:00 PM,133958466002500000",
        ",\"",
    );
    part_by_part("SamAccountName,Enabled", ",True", "");
}

/// Rows under a header, the header again, and more rows, of which the last one is none.
fn part_by_part(header: &str, cells: &str, odd: &str) {
    let row = |n: usize| format!("user{n}{cells}");
    for n in [PART - 2, PART - 1, PART, PART + 1, 3 * PART] {
        for between in
            ["", "\r\n\r\n", "\u{feff}", "#TYPE Microsoft.ActiveDirectory.Management.ADUser\r\n"]
        {
            let rows: Vec<String> = (0..n).map(row).collect();
            let more: Vec<String> = (n..n + 5).map(row).collect();
            let text = format!(
                "{header}\r\n{}\r\n{between}{header}\r\n{}\r\nnobody{odd}\r\n",
                rows.join("\r\n"),
                more.join("\r\n")
            );
            let mut names = Vec::new();
            let mut rejects = Vec::new();
            let tally = facts(text.as_bytes(), &LocalTime::default(), &mut |item| match item {
                Ok(Fact::Account { account, .. }) => names.extend(account.sam_account_name),
                Ok(_) => {}
                Err(reject) => rejects.push(reject.pos),
            });
            let expect: Vec<String> = (0..n + 5).map(|n| format!("user{n}")).collect();
            assert_eq!(names, expect, "{n} {between:?}");
            assert_eq!((tally.records, tally.rejected), (n as u64 + 6, 1), "{n} {between:?}");
            assert_eq!(rejects, [Pos::Line(text.lines().count() as u64)], "{n} {between:?}");
        }
    }
}
