//! Attributes to facts: names, flags, times, metadata.

use super::*;
use crate::time::LocalTime;

#[test]
fn domains_of_dns() {
    let check = |dn: &str, expect: Option<&str>| {
        assert_eq!(names::dns_domain(dn).as_deref(), expect, "{dn}")
    };
    check("CN=Ada,OU=Staff,DC=Fabrikam,dc=example", Some("fabrikam.example"));
    check("CN=Lovelace\\, Ada,DC=fabrikam,DC=example", Some("fabrikam.example"));
    check("CN=\"x,DC=evil\",DC=fabrikam, DC=example", Some("fabrikam.example"));
    check("CN=x\\,DC=evil,DC=fabrikam", Some("fabrikam"));
    check("DC=zone,CN=MicrosoftDNS,DC=fabrikam,DC=example", Some("fabrikam.example"));
    check("CN=Ada,O=Fabrikam", None);
    check("", None);
    check("ü=,,\\", None);
    check("DC=Über,DC=Example", Some("über.example"));
    check("DC=example", Some("example"));
    check("DC=a,DC=,DC=b", Some("a..b"));
    check("DC=", Some(""));
    check("CN=x,", None);
}

#[test]
fn dns_and_other_names() {
    for (text, expect) in [
        ("CN=Ada,DC=fabrikam,DC=example", true),
        ("DC=example", true),
        ("CN=Ada", false),
        ("FABRIKAM\\ada", false),
        ("a b=c,DC=example", false),
        ("=,DC=example", false),
    ] {
        assert_eq!(names::is_dn(text), expect, "{text}");
    }
}

#[test]
fn sids() {
    let bytes = |count: u8, parts: &[u32]| {
        let mut value = vec![1, count, 0, 0, 0, 0, 0, 5];
        parts.iter().for_each(|part| value.extend(part.to_le_bytes()));
        value
    };
    let check =
        |value: &[u8], expect: Option<&str>| assert_eq!(names::sid(value).as_deref(), expect);
    check(&bytes(5, &[21, 1, 2, 3, 1104]), Some("S-1-5-21-1-2-3-1104"));
    check(&bytes(1, &[18]), Some("S-1-5-18"));
    check(&bytes(5, &[21, 1, 2, 3]), None);
    check(&bytes(16, &[0; 16]), None);
    check(b" s-1-5-21-1-2-3-1104 ", Some("S-1-5-21-1-2-3-1104"));
    check(b"S-1-5-21-1-2-3-x", None);
    check(b"S-1-", None);
    check(b"", None);
}

#[test]
fn guids() {
    let expect = Some("04030201-0605-0807-090a-0b0c0d0e0f10".to_owned());
    assert_eq!(names::guid(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]), expect);
    assert_eq!(names::guid(b"{04030201-0605-0807-090A-0B0C0D0E0F10}"), expect);
    for bad in [&b""[..], b"04030201", b"0403020g-0605-0807-090a-0b0c0d0e0f10", &[0; 17]] {
        assert_eq!(names::guid(bad), None);
    }
}

#[test]
fn noise() {
    let account =
        |sam: &str| Identity { sam_account_name: Some(sam.to_owned()), ..Identity::default() };
    for name in ["HealthMailbox83d6781", "SM_0123456789abcdef0"] {
        assert!(names::is_noise(&account(name)), "{name}");
    }
    for name in ["ada", "SM_Smith", "hidden$", "Ü", ""] {
        assert!(!names::is_noise(&account(name)), "{name}");
    }
    let probe = "SystemMailbox{1f05a927-89c0-4725-adca-4527114196a1}@fabrikam.example".to_owned();
    assert!(names::is_noise(&Identity { user_principal_name: Some(probe), ..Identity::default() }));
}

/// Attributes in, account and words of the facts out.
fn check(attributes: &[(&str, &str)], expect: &[&str]) {
    let mut object = Object::default();
    let clock = Clock::new(LocalTime::default());
    let mut unread = None;
    for (attribute, value) in attributes {
        unread =
            unread.or(take(&mut object, &attribute.to_lowercase(), value.as_bytes(), &clock).err());
    }
    let (mut tally, mut words) = (Tally::default(), Vec::new());
    tell(object, Pos::Line(1), unread, &mut tally, &mut |item| {
        words.push(match item {
            Ok(Fact::Change(change)) => format!("{} {:?}", change.kind.word(), change.precision),
            Ok(Fact::Account { account, enabled, .. }) => {
                format!("{:?} {}", enabled, account.smtp.join(" "))
            }
            Ok(Fact::Linked { master, .. }) => format!("linked to {:?}", master.sid),
            Ok(Fact::UserAccountControlSet { version, .. }) => format!("uac {version}"),
            Ok(Fact::AccountExpiresSet { .. }) => "accountExpires written".to_owned(),
            Ok(
                Fact::Restart(_) | Fact::Logon(_) | Fact::Validation(_) | Fact::VirtualDirectory(_),
            ) => {
                panic!("a directory does not say that")
            }
            Err(reject) => format!("! {}", reject.reason),
        });
    });
    assert_eq!(words, expect, "{attributes:?}");
    assert_eq!(tally.records, 1);
    assert_eq!(tally.told + tally.of_no_interest + tally.rejected, 1, "{attributes:?}");
    assert_eq!(tally.of_no_interest == 1, expect.is_empty(), "{attributes:?}");
}

const ADA: (&str, &str) = ("sAMAccountName", "ada");
const CHANGED: (&str, &str) = ("whenChanged", "20260302130000.0Z");

#[test]
fn state() {
    check(&[ADA, ("userAccountControl", "66050"), CHANGED], &["Some(false) ", "disabled AtLatest"]);
    check(&[ADA, ("userAccountControl", "66048"), CHANGED], &["Some(true) "]);
    check(&[ADA, ("enabled", "False"), CHANGED], &["Some(false) ", "disabled AtLatest"]);
    // The SAM bits of event 4738 are others: 0x1 disables there, and is a script here.
    check(&[ADA, ("userAccountControl", "513"), CHANGED], &["Some(true) "]);
    check(&[ADA, ("enabled", "False")], &["Some(false) "]);
    check(
        &[ADA, ("enabled", "Falsch"), CHANGED],
        &["None ", "! Enabled is neither True nor False"],
    );
    check(&[ADA, ("pwdLastSet", "0")], &["None "]);
    check(&[ADA, ("pwdLastSet", "-1"), ("accountExpires", "9223372036854775807")], &["None "]);
    check(&[ADA, ("pwdLastSet", "134147743645310000")], &["None ", "password_set Exact"]);
    check(&[ADA, ("isDeleted", "TRUE"), CHANGED], &["None ", "deleted AtLatest"]);
    check(&[ADA, ("objectSid", "garbage")], &["None ", "! objectSid is not one"]);
}

#[test]
fn state_of_exchange() {
    check(&[ADA, ("accountDisabled", "True"), CHANGED], &["Some(false) ", "disabled AtLatest"]);
    check(&[ADA, ("accountDisabled", "False")], &["Some(true) "]);
    check(
        &[ADA, ("accountDisabled", "Wahr")],
        &["None ", "! AccountDisabled is neither True nor False"],
    );
    check(&[ADA, ("userAccountControl", "AccountDisabled, NormalAccount")], &["Some(false) "]);
    check(&[ADA, ("userAccountControl", "NormalAccount, DoNotExpirePassword")], &["Some(true) "]);
    check(&[ADA, ("userAccountControl", "x")], &["None ", "! userAccountControl is no number"]);
    // A collection that was exported as its type, and one that was not.
    check(&[ADA, ("objectClass", "System.Collections.ArrayList")], &["None "]);
    check(&[ADA, ("objectClass", "{top, person, organizationalPerson, user}")], &["None "]);
    check(&[ADA, ("objectClass", "{top, group}")], &[]);
    check(&[ADA, ("msExchRecipientTypeDetails", "MailUniversalSecurityGroup")], &[]);
    check(
        &[("mail", "info@fabrikam.example"), ("msExchRecipientTypeDetails", "4")],
        &["None info@fabrikam.example"],
    );
}

#[test]
fn whose() {
    check(&[("mail", "ada@fabrikam.example")], &[]);
    check(&[("objectClass", "user")], &["! a name of the account is missing"]);
    check(
        &[("objectClass", "user"), ("sAMAccountName", "j?rgen")],
        &["! the names hold `?` where letters were; export again with -Encoding UTF8"],
    );
    check(&[ADA, ("objectClass", "contact")], &[]);
    check(&[ADA, ("objectClass", "user"), ("objectClass", "computer")], &[]);
    check(&[ADA, ("objectClass", "top;person;organizationalPerson;user")], &["None "]);
    check(&[ADA, ("objectClass", "msDS-GroupManagedServiceAccount")], &[]);
    check(&[ADA, ("userAccountControl", "4096")], &[]);
    // A `$` makes no computer, the object has to say so.
    let hidden = [("sAMAccountName", "x$"), ("enabled", "False"), CHANGED];
    check(&hidden, &["Some(false) ", "disabled AtLatest"]);
    check(&[&hidden[..], &[("objectClass", "computer")]].concat(), &[]);
    check(&[&hidden[..], &[("userAccountControl", "4098")]].concat(), &[]);
    check(&[&hidden[..], &[("userAccountControl", "2080")]].concat(), &[]);
    check(
        &[
            ADA,
            ("mail", "Ada@fabrikam.example"),
            ("proxyAddresses", "SMTP:ada@fabrikam.example,smtp:a@x.example sip:b@x.example"),
        ],
        &["None Ada@fabrikam.example a@x.example"],
    );
    let lost = "Microsoft.ActiveDirectory.Management.ADPropertyValueCollection";
    check(&[ADA, ("proxyAddresses", lost)], &["None "]);
}

fn xml(attribute: &str, version: &str, time: &str) -> String {
    format!(
        "<DS_REPL_ATTR_META_DATA>\n\t<pszAttributeName>{attribute}</pszAttributeName>\n\t<dwVersion>{version}</dwVersion>\n\t\
         <ftimeLastOriginatingChange>{time}</ftimeLastOriginatingChange>\n</DS_REPL_ATTR_META_DATA>\n\0"
    )
}

#[test]
fn replication_metadata() {
    const META: &str = "msDS-ReplAttributeMetaData";
    const T: &str = "2026-03-02T13:00:00Z";
    let (uac, password) = (xml("userAccountControl", "5", T), xml("unicodePwd", "2", T));
    let (all, only_pwd) =
        (format!("{uac}{password}"), xml("pwdLastSet", "2", "2026-03-02T13:00:00"));
    check(&[ADA, (META, &uac)], &["None ", "uac 5"]);
    check(&[ADA, (META, &uac), ("userAccountControl", "512")], &["Some(true) ", "uac 5"]);
    check(
        &[ADA, (META, &all), ("userAccountControl", "514"), CHANGED],
        &["Some(false) ", "disabled Exact", "password_set Exact"],
    );
    // "Must change at next logon" and its revocation set pwdLastSet, not the password.
    check(
        &[ADA, (META, &password), ("pwdLastSet", "134147743645310000")],
        &["None ", "password_set Exact"],
    );
    check(
        &[ADA, (META, &xml("unicodePwd", "1", T)), ("pwdLastSet", "134147743645310000")],
        &["None "],
    );
    check(
        &[ADA, (META, &only_pwd), ("pwdLastSet", "134147743645310000")],
        &["None ", "password_set Exact"],
    );
    check(&[ADA, (META, &xml("sAMAccountName", "1", T))], &["None "]);
    let renamed = format!("{}{}", xml("sAMAccountName", "2", T), xml("userPrincipalName", "2", T));
    check(&[ADA, (META, &renamed)], &["None ", "renamed Exact"]);
    check(
        &[ADA, ("isDeleted", "TRUE"), (META, &xml("isDeleted", "1", T))],
        &["None ", "deleted Exact"],
    );
    check(&[ADA, (META, &xml("isDeleted", "2", T))], &["None "]);
    // It was enabled when it was deleted: that undoes no deletion.
    check(
        &[ADA, ("isDeleted", "TRUE"), ("userAccountControl", "512"), CHANGED],
        &["None ", "deleted AtLatest"],
    );
    check(&[ADA, (META, &xml("userAccountControl", "3", "1601-01-01T00:00:00Z"))], &["None "]);

    for (bad, reason) in [
        ("<DS_REPL_ATTR_META_DATA><pszAttributeName>x", "msDS-ReplAttributeMetaData is cut short"),
        ("garbage", "msDS-ReplAttributeMetaData is no XML"),
        ("<DS_REPL_ATTR_META_DATA></DS_REPL_ATTR_META_DATA>", "pszAttributeName is missing"),
        (&xml("x", "many", T), "dwVersion is no number"),
        (&xml("x", "1", "yesterday"), "`yesterday` is no time"),
    ] {
        check(&[ADA, (META, bad)], &["None ", &format!("! {reason}")]);
    }
}
