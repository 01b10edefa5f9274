//! Rows of HttpProxy and what they say.

use super::*;
use crate::exchange::{Refusal, command, device_id};
use crate::exchange_log::{State, scan};
use proptest::prelude::*;

/// Looks at a row with these cells.
fn with<T>(cells: &[(&str, &str)], look: impl Fn(&Row<'_>) -> T) -> T {
    let (names, values): (Vec<_>, Vec<_>) = cells.iter().copied().unzip();
    let log =
        format!("DateTime,{}\n2026-03-02T08:00:10.250Z,{}\n", names.join(","), values.join(","));
    let mut looked = None;
    let (tally, _) = scan(log.as_bytes(), &State::default(), |row| looked = Some(look(row)));
    looked.unwrap_or_else(|| panic!("{cells:?}: {tally:?}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn who_was_authenticated_and_how() {
    for (flag, name, scheme, expect) in [
        ("true", "FABRIKAM\\ada", "Basic", Some(Auth::Basic)),
        ("True", "FABRIKAM\\ada", "FBA", Some(Auth::Forms)),
        ("true", "ada@fabrikam.example", "Bearer", Some(Auth::Bearer)),
        // The scheme was offered, and that is all.
        ("false", "", "FBA", None),
        ("false", "FABRIKAM\\ada", "Basic", None),
        ("", "FABRIKAM\\ada", "Basic", None),
        ("true", "", "NTLM", None),
        ("true", "-", "NTLM", None),
    ] {
        let cells = [
            ("IsAuthenticated", flag),
            ("AuthenticatedUser", name),
            ("AuthenticationType", scheme),
        ];
        let got = with(&cells, |row| (user(row).map(text), auth(row)));
        let user = expect.map(|_| name.to_owned());
        assert_eq!(got, (user, expect.unwrap_or(Auth::None)), "{cells:?}");
    }
}

#[test]
fn what_a_row_says_of_the_account() {
    use Outcome::{NotAuthenticated, Other, Refused, Served};
    let post = "/owa/auth.owa";
    for (name, method, stem, query, info, status, expect) in [
        ("ada", "POST", "/EWS/Exchange.asmx", "", "", "200", Served),
        ("ada", "POST", "/EWS/Exchange.asmx", "", "", "500", Served),
        ("ada", "OPTIONS", "/Microsoft-Server-ActiveSync", "?Cmd=Options", "", "403", Served),
        // Authenticated, and turned down by what lies behind: nothing about the password.
        ("ada", "POST", "/EWS/Exchange.asmx", "", "", "401", Other),
        ("", "POST", "/EWS/Exchange.asmx", "", "", "401", NotAuthenticated),
        ("", "GET", "/ecp/x.application", "", "", "200", NotAuthenticated),
        ("ada", "POST", "/EWS/Exchange.asmx", "", "", "", Other),
        ("ada", "GET", "/owa/", "", "", "200", Served),
        ("ada", "GET", "/owa/", "", "", "302", Other),
        (
            "",
            "GET",
            "/owa/",
            "",
            "NoCookies=302 - GET/E14AuthPost",
            "302",
            Refused(Refusal::OwaNoSession),
        ),
        (
            "",
            "POST",
            "/owa/ev.owa2",
            "",
            "NoCookies=440 - POST",
            "440",
            Refused(Refusal::OwaNoSession),
        ),
        (
            "",
            "POST",
            "/owa/ev.owa2",
            "",
            "LoginTimeout=440 - POST",
            "440",
            Refused(Refusal::OwaTimeout),
        ),
        ("", "GET", "/owa/", "", "440 - GET/OEH", "440", Refused(Refusal::OwaNoSession)),
        ("", "POST", post, "", "NoCookies=302 - GET/E14AuthPost", "302", Refused(Refusal::OwaForm)),
        (
            "",
            "GET",
            "/owa/auth/logon.aspx",
            "?url=%2fowa&reason=2",
            "",
            "200",
            Refused(Refusal::Owa),
        ),
        // Marks of the client's own making.
        ("", "GET", "/owa/", "?LogoffReason=LoginTimeout", "", "302", Other),
        ("ada", "GET", "/owa/", "?LogoffReason=NoCookiesPost", "NoCookies=1", "200", Served),
        ("", "GET", "/ecp/", "", "XNoCookies=302 - GET", "302", Other),
    ] {
        let info = format!("BeginRequest=2026-03-02T08:00:10.240Z;CorrelationID=<empty>;{info};");
        let cells = [
            ("IsAuthenticated", if name.is_empty() { "false" } else { "true" }),
            ("AuthenticatedUser", name),
            ("Method", method),
            ("UrlStem", stem),
            ("UrlQuery", query),
            ("GenericInfo", &info),
            ("HttpStatus", status),
        ];
        assert_eq!(with(&cells, outcome), expect, "{cells:?}");
    }
    let no_status = [("IsAuthenticated", "true"), ("AuthenticatedUser", "ada")];
    assert_eq!(with(&no_status, outcome), Other);
}

#[test]
fn since_when() {
    for (info, total, expect) in [
        ("BeginRequest=2026-03-02T08:00:09.929Z;EndRequest=x", "7", Some(321)),
        ("BeginRequest=2026-03-02T08:00:10.250Z;", "7", Some(0)),
        ("BeginRequest=2026-03-01T08:00:10.250Z;", "7", Some(86_400_000)),
        // Published rows of 15.0.516.
        ("OnBeginRequest=0;", "396", Some(396)),
        ("", "396", Some(396)),
        ("", "", None),
        ("", "-1", None),
        ("", "86400001", None),
        ("", "99999999999999999999", None),
        // The first is the server's.
        (
            "BeginRequest=2026-03-02T08:00:10.249Z;X=1;BeginRequest=2026-03-02T07:00:00Z",
            "",
            Some(1),
        ),
        // Two that disagree are one too many.
        ("BeginRequest=2026-03-02T08:00:10.251Z;", "7", None),
        ("BeginRequest=2026-03-01T08:00:10.249Z;", "7", None),
        ("BeginRequest=soon;", "7", None),
    ] {
        let cells = [("GenericInfo", info), ("TotalRequestTime", total)];
        assert_eq!(with(&cells, time_taken), expect, "{cells:?}");
    }
    assert_eq!(with(&[("StartTime", "2026-03-02T08:00:10.000Z")], time_taken), Some(250));
    assert_eq!(with(&[("TotalRequestLatency", "250")], time_taken), Some(250));
}

#[test]
fn whose_sid() {
    let sid = "S-1-5-21-1004336348-1177238915-682003330-1104";
    for (anchor, hint, name, expect) in [
        (sid, "WindowsIdentity", "FABRIKAM\\ada", Some(sid)),
        (sid, "WindowsIdentity-NoDatabase", "FABRIKAM\\ada", Some(sid)),
        (sid, "CommonAccessToken-Windows", "FABRIKAM\\ada", Some(sid)),
        // Somebody else's mailbox, or nobody knows whose.
        (sid, "AnchorMailboxHeader-SID", "FABRIKAM\\ada", None),
        (sid, "WindowsIdentityX", "FABRIKAM\\ada", None),
        (sid, "", "FABRIKAM\\ada", None),
        (sid, "WindowsIdentity", "", None),
        ("S-1-5-18", "WindowsIdentity", "FABRIKAM\\ada", None),
        ("S-1-5-21-1-2-3", "WindowsIdentity", "FABRIKAM\\ada", None),
        ("S-1-5-21-1-2-3-4-5", "WindowsIdentity", "FABRIKAM\\ada", None),
        ("S-1-5-21-1-2--4", "WindowsIdentity", "FABRIKAM\\ada", None),
        ("S-1-5-21-1-2-3-x", "WindowsIdentity", "FABRIKAM\\ada", None),
        ("S-1-5-21-1-2-3-", "WindowsIdentity", "FABRIKAM\\ada", None),
        ("S-1-5-21--2-3-4", "WindowsIdentity", "FABRIKAM\\ada", None),
        ("S-1-5-21-", "WindowsIdentity", "FABRIKAM\\ada", None),
        ("S-1-5-21-1-2-3-12345678901", "WindowsIdentity", "FABRIKAM\\ada", None),
        (
            "S-1-5-21-1-2-3-1234567890",
            "WindowsIdentity",
            "FABRIKAM\\ada",
            Some("S-1-5-21-1-2-3-1234567890"),
        ),
    ] {
        let anchor = format!("Sid~{anchor}");
        let cells = [
            ("IsAuthenticated", "true"),
            ("AuthenticatedUser", name),
            ("AnchorMailbox", &anchor),
            ("RoutingHint", hint),
        ];
        let got = with(&cells, |row| own_sid(row).map(str::to_owned));
        assert_eq!(got.as_deref(), expect, "{cells:?}");
    }
}

#[test]
fn where_it_leads() {
    use Protocol::*;
    for (word, stem, protocol, pool) in [
        ("Eas", "/Microsoft-Server-ActiveSync/default.eas", Eas, "MSExchangeSyncAppPool"),
        ("Eas", "", Eas, "MSExchangeSyncAppPool"),
        ("RpcHttp", "/rpc", Rpc, "MSExchangeRpcProxyFrontEndAppPool"),
        ("RpcHttp", "", Rpc, "MSExchangeRpcProxyFrontEndAppPool"),
        ("mapi", "/", Mapi, "MSExchangeMapiFrontEndAppPool"),
        ("OwaCalendar", "", Owa, "MSExchangeOWACalendarAppPool"),
        ("PowerShell", "/powershell", Powershell, "MSExchangePowerShellFrontEndAppPool"),
        ("PowerShell-LiveId", "", Powershell, "MSExchangePowerShellLiveIDFrontEndAppPool"),
        ("Rest", "", Rest, "MSExchangeRestFrontEndAppPool"),
        ("Owa", "/ecp/", Ecp, "MSExchangeECPAppPool"),
        ("Sip", "/x", Other, ""),
    ] {
        let got = with(&[("Protocol", word), ("UrlStem", stem)], route);
        assert_eq!((got.protocol, got.pool), (protocol, pool), "{word} {stem}");
    }
    let cells = [("UrlQuery", "?Cmd=Sync&User=FABRIKAM%5Cada&DeviceId=ApplDN6&DeviceType=iPhone")];
    let got = with(&cells, |row| {
        let query = query(row);
        (command(Eas, b"POST", b"", query).to_string(), device_id(Eas, query).map(|id| text(&id)))
    });
    assert_eq!(got, ("Sync".to_owned(), Some("ApplDN6".to_owned())));
}

#[test]
fn from_where() {
    for (cell, expect) in [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:52312", "203.0.113.7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("fe80::1%3", "fe80::1%3"),
        ("::ffff:203.0.113.7", "::ffff:203.0.113.7"),
        ("203.0.113.7  198.51.100.4", "203.0.113.7"),
        ("", ""),
        (":", ""),
        ("[", ""),
    ] {
        assert_eq!(with(&[("ClientIpAddress", cell)], |row| text(client_ip(row))), expect);
    }
    for (user_agent, cs_user_agent, expect) in [
        ("(KHTML  like Gecko) A", "(KHTML,+like+Gecko)+A", true),
        ("a+b", "a+b", true),
        ("", "-", true),
        ("", "a", false),
        ("a", "-", false),
        ("Apple-iPhone14C5/2104", "Apple-iPhone14C5/2105", false),
    ] {
        let got = is_same_agent(user_agent.as_bytes(), cs_user_agent.as_bytes());
        assert_eq!(got, expect, "{user_agent}");
    }
}

#[test]
fn who_is_noise() {
    for (name, agent, address, expect) in [
        ("FABRIKAM\\HealthMailbox83d6781", "x", "203.0.113.7", Some(Noise::Probe)),
        ("FABRIKAM\\EX01$", "x", "203.0.113.7", Some(Noise::Machine)),
        ("FABRIKAM\\ada", "AMProbe/Local", "127.0.0.1", None),
        ("", "AMProbe/Local", "203.0.113.7", Some(Noise::Probe)),
        ("", "x", "127.0.0.1:443", Some(Noise::Loopback)),
    ] {
        let cells = [
            ("IsAuthenticated", if name.is_empty() { "false" } else { "true" }),
            ("AuthenticatedUser", name),
            ("UserAgent", agent),
            ("ClientIpAddress", address),
        ];
        assert_eq!(with(&cells, noise), expect, "{cells:?}");
    }
}

/// A cell that holds anything: pieces of real ones, and text.
fn cell() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[^,\"\r\n\0]{0,6}",
        prop::sample::select(vec![
            "true",
            "Sid~S-1-5-21-",
            "1-2-3-4",
            "WindowsIdentity",
            "BeginRequest=",
            "NoCookies=",
            "LoginTimeout=",
            "2026-03-02T08:00:10.250Z",
            "/owa/auth.owa",
            "/ecp",
            "?",
            "[",
            ":",
            "203.0.113.7",
            "Basic",
            ";",
            "RT:",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Nothing panics, and nobody is served without a name, by a 401, or by a redirect of the forms.
    #[test]
    fn any_cells_have_a_meaning(
        cells in prop::collection::vec(cell(), 11),
        status in prop::sample::select(vec!["", "200", "302", "401", "403", "440", "500"]),
    ) {
        let names = ["IsAuthenticated", "AuthenticatedUser", "AuthenticationType", "AnchorMailbox", "RoutingHint",
            "ClientIpAddress", "UserAgent", "UrlStem", "UrlQuery", "GenericInfo", "ClientRequestId"];
        let mut row: Vec<_> = names.into_iter().zip(cells.iter().map(String::as_str)).collect();
        row.push(("HttpStatus", status));
        with(&row, |row| {
            let served = outcome(row) == Outcome::Served;
            assert!(!served || (user(row).is_some() && auth(row) != Auth::None));
            assert!(!served || !["", "401"].contains(&status));
            assert!(!served || !route(row).protocol.uses_forms() || !["302", "440"].contains(&status));
            assert!(time_taken(row).is_none_or(|taken| taken <= 86_400_000));
            assert!(own_sid(row).is_none_or(|sid| sid.starts_with("S-1-5-21-")));
            let _ = (noise(row), client_ip(row), query(row), super::super::back_end::operation(row));
        });
    }
}
