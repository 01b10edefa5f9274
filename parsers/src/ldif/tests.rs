//! LDIF text to facts, and what is refused.

use super::*;

#[test]
fn lines() {
    let check = |text: &str, expect: Option<(&str, &str, Form, &str)>| {
        let read = line(text.as_bytes()).ok().map(|(_, read)| read);
        let expect =
            expect.map(|(a, o, form, raw)| (a.as_bytes(), o.as_bytes(), form, raw.as_bytes()));
        assert_eq!(read, expect, "{text}");
    };
    check("cn: Ada", Some(("cn", "", Form::Plain, "Ada")));
    check("cn:Ada: x", Some(("cn", "", Form::Plain, "Ada: x")));
    check("cn:", Some(("cn", "", Form::Plain, "")));
    check("cn::  QWRh", Some(("cn", "", Form::Base64, "QWRh")));
    check("photo:< file:///x", Some(("photo", "", Form::Url, "file:///x")));
    check("cert;binary;x:: AA==", Some(("cert", "binary;x", Form::Base64, "AA==")));
    check("1.2.840: x", Some(("1.2.840", "", Form::Plain, "x")));
    for bad in ["", "cn", ": x", " cn: x", "c n: x", "ü: x", "cn;x"] {
        check(bad, None);
    }
}

#[test]
fn folds_and_comments() {
    let check = |text: &str, expect: &[(u64, &str)]| {
        let mut lines = Unfolded::new(text.as_bytes());
        let all: Vec<_> = std::iter::from_fn(|| lines.next())
            .map(|line| (line.number, String::from_utf8(line.text.into_owned()).unwrap()))
            .collect();
        let expect: Vec<_> = expect.iter().map(|(n, text)| (*n, (*text).to_owned())).collect();
        assert_eq!(all, expect, "{text:?}");
    };
    check("a: 1\n 2\r\n 3\nb: 4", &[(1, "a: 123"), (4, "b: 4")]);
    check("# x\n folded\na: 1\n", &[(3, "a: 1")]);
    check("a:  1\n  2\n", &[(1, "a:  1 2")]);
    check("\n x\n", &[(1, ""), (2, " x")]);
    check("a: 1\r\n\r\n\n", &[(1, "a: 1"), (2, ""), (3, "")]);
    check("", &[]);
}

#[test]
fn kinds() {
    for (head, expect) in [
        ("dn: CN=Ada\n", true),
        ("version: 1\r\n\r\n# x\r\n y\r\ndn:: QQ==\r\n", true),
        ("# record 1\ndn: CN=Ada\n", true),
        ("\n\nDN: CN=Ada", true),
        ("DN,objectClass\n", false),
        ("#Software: x\ndn: y\n", false),
        ("cn: Ada\ndn: x\n", false),
        (
            "dn: CN=Ada,DC=x\n\nLoc.USN  Originating DSA Org.USN Org.Time/Date Ver Attribute\n",
            false,
        ),
        ("", false),
    ] {
        assert_eq!(sniff(head.as_bytes()), expect, "{head}");
    }
}

/// Records and rejected, and the reasons.
fn check(text: &str, expect: (u64, u64), reasons: &[&str]) {
    let mut told = Vec::new();
    let tally = facts(text.as_bytes(), &mut |item| {
        told.extend(item.err().map(|reject| format!("{}: {}", reject.pos.number(), reject.reason)));
    });
    assert_eq!((tally.records, tally.rejected), expect, "{text}");
    assert_eq!(tally.records, tally.told + tally.of_no_interest + tally.rejected);
    assert_eq!(told, reasons, "{text}");
}

#[test]
fn records() {
    const ADA: &str = "dn: CN=Ada\nsAMAccountName: ada\n";
    check(&format!("version: 1\n{ADA}"), (1, 0), &[]);
    check("version: 1\n\n", (0, 0), &[]);
    check(&format!("{ADA}\n{ADA}"), (2, 0), &[]);
    check(&format!("{ADA}{ADA}"), (1, 1), &["1: line 3: a second dn; a blank line is missing"]);
    check(&format!("{ADA}changetype: delete\n\n{ADA}changetype: modrdn\nnewrdn: x\n"), (2, 0), &[]);
    check("dn: CN=Ada\nchangetype: modify\nreplace: x\nx: 1\n-\n", (1, 0), &[]);
    check(&format!("{ADA}whenCreated: soon\n"), (1, 1), &["1: `soon` is no time"]);
    check(
        &format!("{ADA}objectSid:: ***\njpegPhoto:: ***\n"),
        (1, 1),
        &["1: line 3: objectsid is no base64"],
    );
    check(&format!("{ADA}jpegPhoto:: ***\n"), (1, 0), &[]);
    check(
        &format!("{ADA}msDS-ReplAttributeMetaData;binary:: AAAA\n"),
        (1, 1),
        &["1: msDS-ReplAttributeMetaData;binary is not read; export it without ;binary"],
    );
    check(&format!("{ADA}\nsearch: 2\nresult: 0 Success\n\nref: ldap://x\n"), (1, 0), &[]);
    check(
        "search: 2\nresult: 32 No such object\n",
        (1, 1),
        &["1: the search ended with `32 No such object`: entries are missing; export again"],
    );
}
