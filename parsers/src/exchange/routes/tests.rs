//! A line per row of the URL table of DOMAIN.md 2.1, and for the back end.

use super::*;

/// Every row of the URL table of DOMAIN.md 2.1, and what hostile or careless clients make of
/// it.
#[test]
fn stems_lead_to_their_pools() {
    #[rustfmt::skip]
    let table: &[(&str, Protocol, Scheme, &str, &str)] = &[
        ("/Microsoft-Server-ActiveSync/default.eas", Eas, Basic, "MSExchangeSyncAppPool", "MSExchangeSyncAppPool"),
        ("/Microsoft-Server-ActiveSync", Eas, Basic, "MSExchangeSyncAppPool", "MSExchangeSyncAppPool"),
        ("/microsoft-server-activesync/Proxy/default.eas", Eas, Basic, "MSExchangeSyncAppPool", "MSExchangeSyncAppPool"),
        ("/EWS/Exchange.asmx", Ews, Windows, "MSExchangeServicesAppPool", "MSExchangeServicesAppPool"),
        ("/EWS/mrsproxy.svc", Ews, Windows, "MSExchangeServicesAppPool", "MSExchangeServicesAppPool"),
        ("/ews/exchange.asmx/s/GetUserPhoto", Ews, Windows, "MSExchangeServicesAppPool", "MSExchangeServicesAppPool"),
        ("/rpc/rpcproxy.dll", Rpc, BasicAndWindows, "MSExchangeRpcProxyFrontEndAppPool", "MSExchangeRpcProxyAppPool"),
        ("/rpcwithcert/rpcproxy.dll", Rpc, BasicAndWindows, "MSExchangeRpcProxyFrontEndAppPool", "MSExchangeRpcProxyAppPool"),
        ("/mapi/emsmdb/", Mapi, Windows, "MSExchangeMapiFrontEndAppPool", "MSExchangeMapiMailboxAppPool"),
        ("/mapi/nspi/", Mapi, Windows, "MSExchangeMapiFrontEndAppPool", "MSExchangeMapiAddressBookAppPool"),
        ("/mapi/healthcheck.htm", Mapi, Windows, "MSExchangeMapiFrontEndAppPool", ""),
        ("/owa/", Owa, Forms, "MSExchangeOWAAppPool", "MSExchangeOWAAppPool"),
        ("/owa/service.svc", Owa, Forms, "MSExchangeOWAAppPool", "MSExchangeOWAAppPool"),
        ("/owa/auth/logon.aspx", Owa, Forms, "MSExchangeOWAAppPool", "MSExchangeOWAAppPool"),
        ("/owa/auth.owa", Owa, Forms, "MSExchangeOWAAppPool", "MSExchangeOWAAppPool"),
        ("/exchange/ada/Inbox/", Owa, Forms, "MSExchangeOWAAppPool", "MSExchangeOWAAppPool"),
        ("/exchweb/bin/auth/owaauth.dll", Owa, Forms, "MSExchangeOWAAppPool", "MSExchangeOWAAppPool"),
        ("/public", Owa, Forms, "MSExchangeOWAAppPool", "MSExchangeOWAAppPool"),
        ("/owa/calendar/ada@fabrikam.example/Calendar/calendar.ics", Owa, Unknown, "MSExchangeOWACalendarAppPool", "MSExchangeOWACalendarAppPool"),
        ("/owa/calendars", Owa, Forms, "MSExchangeOWAAppPool", "MSExchangeOWAAppPool"),
        ("/ecp/", Ecp, Forms, "MSExchangeECPAppPool", "MSExchangeECPAppPool"),
        ("/ecp/ReportingWebService/Reporting.svc", Ecp, Unknown, "MSExchangeReportingWebServiceAppPool", "MSExchangeReportingWebServiceAppPool"),
        ("/OAB/ec72003d-f96d-4aa7-9297-f6b8790094a8/oab.xml", Oab, Windows, "MSExchangeOABAppPool", "MSExchangeOABAppPool"),
        ("/Autodiscover/Autodiscover.xml", Autodiscover, BasicAndWindows, "MSExchangeAutodiscoverAppPool", "MSExchangeAutodiscoverAppPool"),
        ("/autodiscover/autodiscover.json/v1.0/a@b", Autodiscover, BasicAndWindows, "MSExchangeAutodiscoverAppPool", "MSExchangeAutodiscoverAppPool"),
        ("/PowerShell", Powershell, Unknown, "MSExchangePowerShellFrontEndAppPool", "MSExchangePowerShellAppPool"),
        ("/PowerShell-LiveID/", Powershell, Unknown, "MSExchangePowerShellLiveIDFrontEndAppPool", "MSExchangePowerShellLiveIDAppPool"),
        ("/api/v1.0/$metadata", Rest, Windows, "MSExchangeRestFrontEndAppPool", "MSExchangeRestAppPool"),
        ("/PushNotifications/service.svc", Other, Unknown, "MSExchangePushNotificationsAppPool", "MSExchangePushNotificationsAppPool"),
        ("/xrop/", Other, Unknown, "MSExchangeXRopAppPool", "MSExchangeXRopAppPool"),
        ("/psws/service.svc", Other, Unknown, "MSExchangePSWSFrontEndAppPool", "MSExchangePSWSAppPool"),
        ("/Encryption/", Other, Unknown, "MSExchangeEncryptionAppPool", "MSExchangeEncryptionAppPool"),
        ("/OutlookService/", Other, Unknown, "MSExchangeOutlookServiceAppPool", "MSExchangeOutlookServiceAppPool"),
        ("//OWA//Service.svc/", Owa, Forms, "MSExchangeOWAAppPool", "MSExchangeOWAAppPool"),
        ("/owa2/", Other, Unknown, "", ""),
        ("/rpcproxy.dll", Other, Unknown, "", ""),
        ("/rancertloc/logoff.aspx", Other, Unknown, "", ""),
        ("/", Other, Unknown, "", ""),
        ("-", Other, Unknown, "", ""),
        ("", Other, Unknown, "", ""),
    ];
    for &(stem, protocol, scheme, pool, back_end_pool) in table {
        let expect = Route { protocol, pool, back_end_pool, scheme };
        assert_eq!(route(stem.as_bytes()), expect, "{stem}");
    }
    assert_eq!(route(b"/owa/\xff\xfe").protocol, Owa);
}

/// No row is shadowed: each is the answer to its own stem, upper case and slashes included.
#[test]
fn every_row_is_reached() {
    for row in ROUTES {
        let stem = format!("//{}/", row.0.to_ascii_uppercase());
        assert_eq!(route(stem.as_bytes()).pool, row.3, "{stem}");
        assert_eq!(route(stem.as_bytes()).protocol, row.1, "{stem}");
    }
}

#[test]
fn a_pool_has_one_default_scheme() {
    for (pool, expect) in [
        ("MSExchangeSyncAppPool", Basic),
        ("MSExchangeRPCProxyFrontEndAppPool", BasicAndWindows),
        ("MSExchangeAutodiscoverAppPool", BasicAndWindows),
        ("MSExchangeOWAAppPool", Forms),
        ("msexchangeecpapppool", Forms),
        ("MSExchangeServicesAppPool", Windows),
        ("MSExchangeMAPIFrontEndAppPool", Windows),
        ("MSExchangeOABAppPool", Windows),
        ("MSExchangePowerShellFrontEndAppPool", Unknown),
        ("DefaultAppPool", Unknown),
    ] {
        assert_eq!(default_scheme(pool), expect, "{pool}");
    }
    assert_eq!(default_scheme(""), Unknown);
    // Rows that share a pool agree, or the lookup by pool would depend on their order.
    for row in ROUTES {
        assert_eq!(default_scheme(row.3), row.2, "{}", row.0);
    }
}

#[test]
fn schemes_have_words() {
    for (word, scheme, has) in [
        ("basic", Some(Basic), (true, false)),
        ("FORMS", Some(Forms), (true, false)),
        ("Basic+Windows", Some(BasicAndWindows), (true, true)),
        ("windows", Some(Windows), (false, true)),
        ("", None, (false, false)),
        ("ntlm", None, (false, false)),
    ] {
        assert_eq!(Scheme::from_word(word), scheme, "{word}");
        let scheme = scheme.unwrap_or(Unknown);
        assert_eq!((scheme.has_basic(), scheme.has_windows()), has, "{word}");
        assert!(scheme == Unknown || scheme.word().eq_ignore_ascii_case(word));
    }
    assert_eq!(Unknown.word(), "");
}

#[test]
fn what_a_pool_serves() {
    let check = |pool, expect: &[Protocol]| {
        assert_eq!(protocols(pool).into_iter().collect::<Vec<_>>(), expect, "{pool}");
    };
    check("msexchangesyncapppool", &[Eas]);
    check("MSExchangeMapiFrontEndAppPool", &[Mapi]);
    check("DefaultAppPool", &[]);
}

#[test]
fn the_back_end_is_told_by_port_then_site_then_stem() {
    let eas = "/Microsoft-Server-ActiveSync/default.eas";
    let proxy = "/Microsoft-Server-ActiveSync/Proxy/default.eas";
    for (s_port, s_sitename, cs_uri_stem, expect) in [
        (Some(444), "W3SVC1", "/EWS/Exchange.asmx", true),
        (Some(81), "-", "/rpc/rpcproxy.dll", true),
        (Some(443), "W3SVC2", eas, false),
        (Some(80), "", eas, false),
        (Some(443), "W3SVC1", proxy, true),
        (Some(8443), "W3SVC2", eas, true),
        (Some(8443), "W3SVC1", eas, false),
        (None, "w3svc2", eas, true),
        (None, "Exchange+Back+End", eas, true),
        (None, "W3SVC22", eas, false),
        (None, "-", proxy, true),
        (None, "-", "/owa/proxy/", false),
        (None, "", eas, false),
    ] {
        let got = is_back_end(s_port, s_sitename.as_bytes(), cs_uri_stem.as_bytes());
        assert_eq!(got, expect, "{s_port:?} {s_sitename} {cs_uri_stem}");
    }
}
