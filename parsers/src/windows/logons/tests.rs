//! 4624 and 4625 to logons, and what is none.

use super::super::tests::{event, told};
use super::*;
use crate::exchange::Refusal;

const ADA: &str = "S-1-5-21-1-2-3-1104";
const W3WP: &str = r"C:\Windows\System32\inetsrv\w3wp.exe";

/// A logon of ada by a worker, with other values where told.
fn by_worker(id: u32, other: &[(&str, &str)]) -> Event {
    let usual = [
        ("SubjectUserName", "EX01$"),
        ("TargetUserSid", ADA),
        ("TargetUserName", "ada"),
        ("TargetDomainName", "FABRIKAM"),
        ("LogonType", "8"),
        ("LogonProcessName", "Advapi  "),
        ("AuthenticationPackageName", "Negotiate"),
        ("LmPackageName", "-"),
        ("ProcessId", "0x00000000000019f0"),
        ("ProcessName", W3WP),
        ("IpAddress", "203.0.113.7"),
    ];
    let usual = usual.iter().filter(|(name, _)| !other.iter().any(|(n, _)| n == name));
    event(id, &usual.chain(other).copied().collect::<Vec<_>>())
}

fn logon(event: &Event) -> Logon {
    match super::told(event) {
        Some(Ok(facts)) => match facts.as_slice() {
            [Fact::Logon(logon)] => logon.clone(),
            _ => panic!("{facts:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn which_are_logons_of_workers() {
    for (other, expect) in [
        (&[][..], "Succeeded"),
        (&[("ProcessName", r"c:\WINDOWS\system32\INETSRV\W3WP.EXE")], "Succeeded"),
        (&[("ProcessName", "w3wp.exe")], "Succeeded"),
        (&[("LogonType", " 8 ")], "Succeeded"),
        (&[("LogonType", "3")], ""),
        (&[("LogonType", "NetworkCleartext")], "reject: LogonType is no number"),
        (&[("LogonType", "-")], "reject: LogonType is missing"),
        (&[("ProcessName", r"C:\Windows\System32\lsass.exe")], ""),
        (&[("ProcessName", r"C:\Temp\notw3wp.exe")], ""),
        (&[("ProcessName", r"C:\w3wp.exe\other.exe")], ""),
        (&[("ProcessName", "-"), ("LogonType", "-")], ""),
        (&[("TargetUserName", "-")], "Succeeded"),
    ] {
        assert_eq!(told(&by_worker(4624, other)), expect, "{other:?}");
    }
    let mut nameless = by_worker(4624, &[]);
    nameless.data.retain(|(name, _)| name != "TargetUserName");
    assert_eq!(told(&nameless), "reject: TargetUserName is missing");
    let mut other = by_worker(4624, &[]);
    other.provider = Some("Microsoft-Windows-TaskScheduler".to_owned());
    assert_eq!(told(&other), "");
    let mut timeless = by_worker(4624, &[]);
    timeless.time = None;
    assert_eq!(told(&timeless), "reject: TimeCreated is missing");
    assert_eq!(told(&by_worker(4634, &[])), "");
}

#[test]
fn why_refused() {
    use Refusal::*;
    for (status, sub_status, expect) in [
        ("0xc000006d", "0xc000006a", Ok(LogonResult::Refused(WrongPassword))),
        ("0xc000006d", "0xc0000064", Ok(LogonResult::Refused(NoSuchUser))),
        ("0xc000006e", "0xc0000072", Ok(LogonResult::Refused(Disabled))),
        ("0xc000006e", "0xC0000071", Ok(LogonResult::Refused(PasswordExpired))),
        ("0xc000006e", "0xc000006f", Ok(LogonResult::Refused(Restricted))),
        ("0xc0000193", "0x0", Ok(LogonResult::Refused(Expired))),
        ("0xc0000234", "0x0", Ok(LogonResult::Refused(LockedOut))),
        ("0xc0000224", "-", Ok(LogonResult::Refused(MustChange))),
        ("0xc000015b", "0x0", Ok(LogonResult::Refused(Restricted))),
        ("0xc000006d", "0x0", Ok(LogonResult::Refused(Unknown))),
        // .NET's numbers.
        ("-1073741715", "-1073741718", Ok(LogonResult::Refused(WrongPassword))),
        ("3221225581", "3221225586", Ok(LogonResult::Refused(Disabled))),
        ("0xc000005e", "0x0", Ok(LogonResult::Technical)),
        ("0xc000006d", "0xc0000133", Ok(LogonResult::Technical)),
        ("0xc000018d", "0xc000018d", Ok(LogonResult::Technical)),
        ("0xc0000413", "0x0", Ok(LogonResult::Technical)),
        // No NTSTATUS, though IIS logs it as a wrong password.
        ("1326", "0", Ok(LogonResult::Technical)),
        ("-", "-", Err(Reason::Missing("Status"))),
        ("soon", "", Err(Reason::Missing("Status"))),
    ] {
        let event = by_worker(4625, &[("Status", status), ("SubStatus", sub_status)]);
        assert_eq!(refusal(&event), expect, "{status} {sub_status}");
    }
}

#[test]
fn who() {
    let check = |name: &str, domain: &str, expect: Option<[Option<&str>; 3]>| {
        let event = by_worker(4624, &[("TargetUserName", name), ("TargetDomainName", domain)]);
        let account = logon(&event).account;
        let names = account.as_deref().map(|a| {
            [&a.domain, &a.sam_account_name, &a.user_principal_name].map(Option::as_deref)
        });
        assert_eq!(names, expect, "{domain} {name}");
        assert!(account.is_none_or(|a| a.sid.as_deref() == Some(ADA)));
    };
    check("ada", "FABRIKAM", Some([Some("FABRIKAM"), Some("ada"), None]));
    check("ada", "-", Some([None, Some("ada"), None]));
    check("ada@fabrikam.example", "", Some([None, None, Some("ada@fabrikam.example")]));
    check("CONTOSO\\ada", "FABRIKAM", Some([Some("CONTOSO"), Some("ada"), None]));
    check("HealthMailbox83d6781", "FABRIKAM", None);
    check("healthmailbox83d6781@fabrikam.example", "-", None);
    check("-", "-", None);
    check("FABRIKAM\\", "-", None);
    let refused = [("TargetUserSid", "S-1-0-0"), ("Status", "0xc000006d")];
    assert_eq!(logon(&by_worker(4625, &refused)).account.map(|a| a.sid), Some(None));
}

#[test]
fn from_where() {
    for (name, value, expect) in [
        ("IpAddress", "203.0.113.7", Some("203.0.113.7")),
        ("IpAddress", "::ffff:203.0.113.7", Some("203.0.113.7")),
        ("IpAddress", "fe80::1%12", Some("fe80::1")),
        ("IpAddress", "-", None),
        ("IpAddress", "LOCAL", None),
    ] {
        let address = logon(&by_worker(4624, &[(name, value)])).address;
        assert_eq!(address.map(|a| a.to_string()).as_deref(), expect, "{value}");
    }
    for (value, expect) in
        [("0x19f0", Some(6640)), ("6640", Some(6640)), ("0x0", None), ("?", None)]
    {
        assert_eq!(logon(&by_worker(4624, &[("ProcessId", value)])).process_id, expect, "{value}");
    }
    // NXLog: the process that wrote the event.
    let mut flat = by_worker(4624, &[]);
    flat.data.insert(0, ("ProcessID".to_owned(), "624".to_owned()));
    assert_eq!(logon(&flat).process_id, Some(6640));
    for (package, lm, expect) in [
        ("Negotiate", "-", Some(LogonPackage::Negotiate)),
        ("Negotiate", "NTLM V2", Some(LogonPackage::Ntlm)),
        ("Kerberos", "", Some(LogonPackage::Kerberos)),
        ("MICROSOFT_AUTHENTICATION_PACKAGE_V1_0", "-", Some(LogonPackage::Ntlm)),
        ("CloudAP", "-", None),
    ] {
        let event =
            by_worker(4624, &[("AuthenticationPackageName", package), ("LmPackageName", lm)]);
        assert_eq!(logon(&event).package, expect, "{package} {lm}");
    }
}

/// There may be millions.
#[test]
fn small() {
    assert!(size_of::<Logon>() <= 120, "{}", size_of::<Logon>());
}
