//! One line per row of the 401 table of DOMAIN.md 1.6, and per disguise of 2.4.

use super::*;
use Outcome::*;

const ADA: &str = "FABRIKAM\\ada";

fn status(sc_status: u16, sc_substatus: u16, sc_win32_status: u64) -> Status {
    let (sub, win32) = (Some(sc_substatus), Some(sc_win32_status));
    Status { sc_status, sc_substatus: sub, sc_win32_status: win32 }
}

/// An EAS request, whose stem and query say nothing of the outcome.
fn eas(name: &str, status: Status) -> Outcome {
    let stem = b"/Microsoft-Server-ActiveSync/default.eas";
    outcome(Protocol::Eas, name.as_bytes(), b"POST", stem, b"Cmd=Sync", status)
}

#[test]
fn a_401_says_why() {
    for (named, sub, win32, expect) in [
        (false, 2, 5, Challenge),
        (false, 2, 0, Challenge),
        (true, 2, 5, Challenge),
        (false, 1, 2148074254, Challenge),
        (false, 1, 2148074252, Refused(Refusal::Unknown)),
        (true, 1, 2148074252, Refused(Refusal::Unknown)),
        (false, 1, 2148074248, Technical),
        (false, 1, 2148074310, Technical),
        (false, 1, 2148074244, Technical),
        (false, 1, 2148074257, Technical),
        (false, 1, 2148074273, Technical),
        (false, 1, 2148074274, Technical),
        (true, 1, 1326, Refused(Refusal::WrongPassword)),
        (true, 1, 1331, Refused(Refusal::Disabled)),
        (true, 1, 1327, Refused(Refusal::Restricted)),
        (true, 1, 1328, Refused(Refusal::Restricted)),
        (true, 1, 1329, Refused(Refusal::Restricted)),
        (true, 1, 1330, Refused(Refusal::PasswordExpired)),
        (true, 1, 1907, Refused(Refusal::MustChange)),
        (true, 1, 1909, Refused(Refusal::LockedOut)),
        (true, 1, 1793, Refused(Refusal::Expired)),
        (true, 1, 1311, Technical),
        (true, 1, 1722, Technical),
        (true, 1, 1789, Technical),
        (true, 1, 1786, Technical),
        (true, 1, 1385, Refused(Refusal::Restricted)),
        (true, 1, 1317, Refused(Refusal::NoSuchUser)),
        (true, 1, 1332, Refused(Refusal::NoSuchUser)),
        (true, 1, 1396, Technical),
        (true, 1, 50, Technical),
        (true, 1, 87, Technical),
        (true, 1, 1, Technical),
        (true, 1, 3221225581, Refused(Refusal::Unknown)),
        (true, 1, 3221225586, Refused(Refusal::Disabled)),
        (true, 1, 64, Refused(Refusal::Unknown)),
        (true, 1, 5, Refused(Refusal::Unknown)),
        (false, 1, 0, NotAuthenticated),
        (false, 1, 214784354254, NotAuthenticated),
        (true, 0, 0, Refused(Refusal::Unknown)),
        (true, 0, 64, Refused(Refusal::Unknown)),
        (false, 0, 0, NotAuthenticated),
        (true, 3, 5, Other),
        (true, 4, 0, Other),
        (true, 5, 0, Other),
        (true, 7, 0, Other),
        (true, 501, 0, Other),
    ] {
        let name = if named { ADA } else { "-" };
        assert_eq!(eas(name, status(401, sub, win32)), expect, "{name} 401.{sub} {win32}");
    }
}

#[test]
fn a_401_without_all_columns_says_what_it_can() {
    for (name, sub, win32, expect) in [
        (ADA, None, Some(1331), Refused(Refusal::Disabled)),
        ("-", None, Some(2148074254), Challenge),
        ("-", None, Some(5), Challenge),
        ("-", None, Some(2148074252), Refused(Refusal::Unknown)),
        (ADA, None, None, Refused(Refusal::Unknown)),
        ("-", None, None, NotAuthenticated),
        ("-", Some(2), None, Challenge),
        (ADA, Some(1), None, Refused(Refusal::Unknown)),
        ("", Some(1), None, NotAuthenticated),
    ] {
        let status = Status { sc_status: 401, sc_substatus: sub, sc_win32_status: win32 };
        assert_eq!(eas(name, status), expect, "{name} {sub:?} {win32:?}");
    }
}

#[test]
fn a_name_without_401_was_served() {
    for (name, sc_status, win32, expect) in [
        (ADA, 200, 0, Served),
        (ADA, 200, 64, Served),
        (ADA, 200, 1236, Served),
        (ADA, 200, 995, Served),
        (ADA, 207, 0, Served),
        (ADA, 302, 0, Served),
        (ADA, 304, 0, Served),
        (ADA, 403, 5, Served),
        (ADA, 404, 2, Served),
        (ADA, 449, 0, Served),
        (ADA, 451, 0, Served),
        (ADA, 500, 0, Served),
        (ADA, 502, 0, Served),
        (ADA, 503, 0, Served),
        (ADA, 507, 0, Served),
        (ADA, 0, 0, Other),
        (ADA, 456, 0, Refused(Refusal::Blocked)),
        (ADA, 457, 0, Refused(Refusal::PasswordExpired)),
        ("-", 200, 0, NotAuthenticated),
        ("", 200, 0, NotAuthenticated),
        ("-", 403, 64, NotAuthenticated),
        ("-", 503, 0, NotAuthenticated),
        ("-", 0, 0, NotAuthenticated),
    ] {
        assert_eq!(eas(name, status(sc_status, 0, win32)), expect, "{name} {sc_status}");
    }
    // 440 is a word of the forms module only.
    assert_eq!(eas(ADA, status(440, 0, 0)), Served);
}

#[test]
fn owa_and_ecp_disguise_refusals() {
    let back = "url=https%3a%2f%2fmail.fabrikam.example%2fowa%2f";
    let ecp = "url=https%3a%2f%2fmail.fabrikam.example%2fecp%2f";
    #[rustfmt::skip]
    let table: &[(&str, &str, &str, &str, u16, Outcome)] = &[
        // A session at work.
        (ADA, "POST", "/owa/service.svc", "action=GetItem&EP=1&CorrelationID=<empty>;&cafeReqId=4;", 200, Served),
        (ADA, "GET", "/owa/", "-", 200, Served),
        (ADA, "GET", "/ecp/DDI/DDIService.svc/GetList", "schema=Inbox", 200, Served),
        (ADA, "POST", "/owa/service.svc", "action=GetItem", 500, Served),
        (ADA, "POST", "/owa/service.svc", "action=GetItem&LogoffReason=NoCookiesPost", 200, Served),
        (ADA, "POST", "/owa/service.svc", "action=GetItem&reason=2", 200, Served),
        // Evicted, or a stranger: the log marks both alike.
        ("-", "GET", "/owa/", "&CorrelationID=<empty>;&LogoffReason=NoCookiesGetOrE14AuthPost", 302, Refused(Refusal::OwaNoSession)),
        (ADA, "GET", "/owa/", "&LogoffReason=NoCookiesGetOrE14AuthPost", 302, Refused(Refusal::OwaNoSession)),
        ("-", "POST", "/owa/service.svc", "action=FindItem&LogoffReason=NoCookiesPost&cafeReqId=5;", 440, Refused(Refusal::OwaNoSession)),
        ("-", "PROPFIND", "/owa/", "LogoffReason=NoCookiesPROPFIND", 440, Refused(Refusal::OwaNoSession)),
        ("-", "POST", "/owa/ev.owa2", "ns=PendingRequest", 440, Refused(Refusal::OwaNoSession)),
        (ADA, "POST", "/ecp/DDI/DDIService.svc/GetList", "-", 440, Refused(Refusal::OwaNoSession)),
        // The cookie ran out.
        ("-", "POST", "/owa/ev.owa2", "ns=PendingRequest&LogoffReason=LoginTimeoutPost&cafeReqId=6;", 440, Refused(Refusal::OwaTimeout)),
        ("-", "GET", "/owa/", "&LogoffReason=LoginTimeoutGet", 302, Refused(Refusal::OwaTimeout)),
        // The client cannot hide the server's mark behind one of its own.
        ("-", "GET", "/owa/", "LogoffReason=LoginTimeoutGet&LogoffReason=NoCookiesGetOrE14AuthPost", 302, Refused(Refusal::OwaNoSession)),
        // The logon page says why it is shown.
        ("-", "GET", "/owa/auth/logon.aspx", &format!("{back}&reason=2"), 200, Refused(Refusal::Owa)),
        (ADA, "GET", "/owa/auth/logon.aspx", &format!("replaceCurrent=1&reason=2&{back}"), 200, Refused(Refusal::Owa)),
        ("-", "GET", "/exchweb/bin/auth/owalogon.asp", "url=https://mail/exchange&reason=2", 200, Refused(Refusal::Owa)),
        ("-", "GET", "/owa/auth/logon.aspx", &format!("{ecp}&reason=2"), 200, Refused(Refusal::OwaNoSession)),
        ("-", "GET", "/owa/", "reason=2", 302, Refused(Refusal::Owa)),
        ("-", "GET", "/owa/auth/logon.aspx", &format!("{back}&reason=0"), 200, Other),
        ("-", "GET", "/owa/auth/logon.aspx", &format!("{back}&reason=1"), 200, Other),
        ("-", "GET", "/owa/auth/logon.aspx", &format!("{back}&reason=3"), 200, Other),
        ("-", "GET", "/owa/auth/logon.aspx", &format!("{back}&reason=4"), 200, Other),
        ("-", "GET", "/owa/auth/logon.aspx", &format!("{back}&reason=21"), 200, Other),
        ("-", "GET", "/owa/auth/logon.aspx", "url=https%3a%2f%2fmail%2f%3freason%3d2", 200, Other),
        // The logon itself.
        ("-", "POST", "/owa/auth.owa", "&CorrelationID=<empty>;", 302, Other),
        (ADA, "POST", "/owa/auth.owa", "&CorrelationID=<empty>;", 302, Other),
        (ADA, "POST", "/owa/auth/owaauth.dll", "-", 302, Other),
        (ADA, "POST", "/owa/auth.owa", "&LogoffReason=NoCookiesGetOrE14AuthPost", 302, Refused(Refusal::OwaForm)),
        ("-", "GET", "/owa/auth/expiredpassword.aspx", back, 200, Refused(Refusal::PasswordExpired)),
        ("-", "POST", "/owa/auth/expiredpassword.aspx", back, 200, Other),
        // No access: pages and pictures that everybody gets, redirects to who knows where.
        (ADA, "GET", "/owa/auth/logon.aspx", "-", 200, Other),
        (ADA, "GET", "/owa/auth/15.1.2375/themes/resources/favicon.ico", "-", 200, Other),
        (ADA, "GET", "/owa/prem/15.1.2375.7/scripts/boot.worldwide.0.mouse.js", "-", 200, Other),
        (ADA, "GET", "/ecp/15.1.2375.7/themes/default/x.PNG", "-", 304, Other),
        (ADA, "GET", "/owa/", "-", 302, Other),
        (ADA, "GET", "/exchange/ada/Inbox/photo.jpg", "-", 200, Served),
        (ADA, "GET", "/owa/js", "-", 200, Served),
        // Integrated authentication is not rewritten.
        ("-", "GET", "/owa/integrated/", "-", 401, NotAuthenticated),
    ];
    for &(name, method, stem, query, sc_status, expect) in table {
        let protocol = super::super::route(stem.as_bytes()).protocol;
        let got = outcome(
            protocol,
            name.as_bytes(),
            method.as_bytes(),
            stem.as_bytes(),
            query.as_bytes(),
            status(sc_status, 0, 0),
        );
        assert_eq!(got, expect, "{name} {method} {stem} {query} {sc_status}");
    }
}

#[test]
fn what_a_refusal_says_of_the_password() {
    use Refusal as R;
    for (refusal, wrong, maybe_wrong, right, session) in [
        (R::WrongPassword, true, true, false, false),
        (R::Disabled, false, false, true, false),
        (R::Expired, false, false, true, false),
        (R::PasswordExpired, false, false, true, false),
        (R::MustChange, false, false, true, false),
        (R::LockedOut, false, false, false, false),
        (R::NoSuchUser, false, false, false, false),
        (R::Restricted, false, false, true, false),
        (R::Unknown, false, true, false, false),
        (R::Owa, false, true, false, false),
        (R::OwaForm, false, true, false, false),
        (R::OwaNoSession, false, false, false, true),
        (R::OwaTimeout, false, false, false, true),
        (R::Blocked, false, false, false, false),
    ] {
        assert_eq!(refusal.proves_wrong_password(), wrong, "{refusal:?}");
        assert_eq!(refusal.suggests_wrong_password(), maybe_wrong, "{refusal:?}");
        assert_eq!(refusal.proves_right_password(), right, "{refusal:?}");
        assert_eq!(refusal.may_be_session_end(), session, "{refusal:?}");
        assert!(!refusal.word().is_empty());
    }
}

proptest::proptest! {
    /// Of what is served without a name, a line that is passed over is no refusal.
    #[test]
    fn no_page_that_refuses_is_passed_over(
        stem in "(/owa|/ecp|/OWA)(/auth)?/(logon|expiredpassword|ExpiredPassword|x)\\.(aspx|ASPX|asp)",
        query in "(url=https://x/ecp|reason=[0-3]|Reason=2|&){0,5}",
        sc_status in proptest::sample::select(vec![200u16, 206, 302, 404]),
        protocol in proptest::sample::select(vec![Protocol::Owa, Protocol::Ecp]),
    ) {
        let of_status = status(sc_status, 0, 0);
        let told = outcome(protocol, b"-", b"GET", stem.as_bytes(), query.as_bytes(), of_status);
        let is_refusal = matches!(told, Refused(_)) && sc_status != 302;
        proptest::prop_assert!(!is_refusal || page_may_refuse(stem.as_bytes(), query.as_bytes()));
    }
}
