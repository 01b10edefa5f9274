//! `cs-uri-stem` to protocol, application pools and the authentication the pool expects
//! unless an administrator changed it: the one table of DOMAIN.md 2.1.

use super::{Protocol, segments};
use Protocol::*;
use Scheme::*;

/// How clients of a pool log on (DOMAIN.md 2.1, last paragraph).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Basic is on by default, alone (EAS) or beside Windows authentication (RPC, Autodiscover):
    /// a token can be cached.
    Basic,
    /// Forms, which are Basic behind the front end: a token is cached.
    Forms,
    /// Negotiate or NTLM by default; Basic, and with it a cached token, only if an administrator allowed it.
    Windows,
    /// Certificates, server to server, anonymous, or not known.
    Unknown,
}

/// Where a stem leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The client protocol.
    pub protocol: Protocol,
    /// Application pool of the front end, the one that caches tokens; empty: not known.
    pub pool: &'static str,
    /// Application pool behind it; empty: not known or none.
    pub back_end_pool: &'static str,
    /// How clients of the front-end pool log on by default.
    pub scheme: Scheme,
}

/// Stem, protocol, scheme, front-end pool, back-end pool. Names of Exchange 2013 and later;
/// before that RPC ran in `DefaultAppPool`.
type Row = (&'static str, Protocol, Scheme, &'static str, &'static str);

const SYNC: &str = "MSExchangeSyncAppPool";
const SERVICES: &str = "MSExchangeServicesAppPool";
const RPC_FRONT: &str = "MSExchangeRpcProxyFrontEndAppPool";
const RPC_BACK: &str = "MSExchangeRpcProxyAppPool";
const MAPI_FRONT: &str = "MSExchangeMapiFrontEndAppPool";
const MAPI_MAILBOX: &str = "MSExchangeMapiMailboxAppPool";
const MAPI_BOOK: &str = "MSExchangeMapiAddressBookAppPool";
const OWA: &str = "MSExchangeOWAAppPool";
const CALENDAR: &str = "MSExchangeOWACalendarAppPool";
const ECP: &str = "MSExchangeECPAppPool";
const REPORTING: &str = "MSExchangeReportingWebServiceAppPool";
const OAB: &str = "MSExchangeOABAppPool";
const AUTODISCOVER: &str = "MSExchangeAutodiscoverAppPool";
const SHELL_FRONT: &str = "MSExchangePowerShellFrontEndAppPool";
const SHELL_BACK: &str = "MSExchangePowerShellAppPool";
const LIVE_FRONT: &str = "MSExchangePowerShellLiveIDFrontEndAppPool";
const LIVE_BACK: &str = "MSExchangePowerShellLiveIDAppPool";
const REST_FRONT: &str = "MSExchangeRestFrontEndAppPool";
const REST_BACK: &str = "MSExchangeRestAppPool";
const PUSH: &str = "MSExchangePushNotificationsAppPool";
const XROP: &str = "MSExchangeXRopAppPool";
const PSWS_FRONT: &str = "MSExchangePSWSFrontEndAppPool";
const PSWS_BACK: &str = "MSExchangePSWSAppPool";
const ENCRYPTION: &str = "MSExchangeEncryptionAppPool";
const OUTLOOK: &str = "MSExchangeOutlookServiceAppPool";

/// The longest stem on a segment boundary wins.
#[rustfmt::skip]
static ROUTES: &[Row] = &[
    ("microsoft-server-activesync", Eas,          Basic,   SYNC,         SYNC),
    ("ews",                         Ews,          Windows, SERVICES,     SERVICES),
    ("rpc",                         Rpc,          Basic,   RPC_FRONT,    RPC_BACK),
    ("rpcwithcert",                 Rpc,          Basic,   RPC_FRONT,    RPC_BACK),
    ("mapi",                        Mapi,         Windows, MAPI_FRONT,   ""),
    ("mapi/emsmdb",                 Mapi,         Windows, MAPI_FRONT,   MAPI_MAILBOX),
    ("mapi/nspi",                   Mapi,         Windows, MAPI_FRONT,   MAPI_BOOK),
    ("owa",                         Owa,          Forms,   OWA,          OWA),
    ("owa/calendar",                Owa,          Unknown, CALENDAR,     CALENDAR),
    ("exchange",                    Owa,          Forms,   OWA,          OWA),
    ("exchweb",                     Owa,          Forms,   OWA,          OWA),
    ("public",                      Owa,          Forms,   OWA,          OWA),
    ("ecp",                         Ecp,          Forms,   ECP,          ECP),
    ("ecp/reportingwebservice",     Ecp,          Unknown, REPORTING,    REPORTING),
    ("oab",                         Oab,          Windows, OAB,          OAB),
    ("autodiscover",                Autodiscover, Basic,   AUTODISCOVER, AUTODISCOVER),
    ("powershell",                  Powershell,   Unknown, SHELL_FRONT,  SHELL_BACK),
    ("powershell-liveid",           Powershell,   Unknown, LIVE_FRONT,   LIVE_BACK),
    ("api",                         Rest,         Windows, REST_FRONT,   REST_BACK),
    ("pushnotifications",           Other,        Unknown, PUSH,         PUSH),
    ("xrop",                        Other,        Unknown, XROP,         XROP),
    ("psws",                        Other,        Unknown, PSWS_FRONT,   PSWS_BACK),
    ("encryption",                  Other,        Unknown, ENCRYPTION,   ENCRYPTION),
    ("outlookservice",              Other,        Unknown, OUTLOOK,      OUTLOOK),
];

/// Where a stem leads; [`Protocol::Other`] with empty pools where the table does not know it.
pub fn route(cs_uri_stem: &[u8]) -> Route {
    let mut best = ("", Other, Unknown, "", "");
    for row in ROUTES {
        if row.0.len() > best.0.len() && is_under(cs_uri_stem, row.0) {
            best = *row;
        }
    }
    let (_, protocol, scheme, pool, back_end_pool) = best;
    Route { protocol, pool, back_end_pool, scheme }
}

/// The stem is `path` or lies below it.
fn is_under(cs_uri_stem: &[u8], path: &str) -> bool {
    let mut segments = segments(cs_uri_stem);
    path.split('/')
        .all(|want| segments.next().is_some_and(|s| s.eq_ignore_ascii_case(want.as_bytes())))
}

/// How clients of a front-end pool log on by default; the spelling of pool names varies in case.
pub fn default_scheme(pool: &str) -> Scheme {
    let row = ROUTES.iter().find(|row| row.3.eq_ignore_ascii_case(pool));
    row.map_or(Unknown, |row| row.2)
}

/// The request was logged by the back end, so the front end has it too (DOMAIN.md 2.6).
///
/// The port decides where it is one of Exchange's own; else the site; else the stem that a proxying
/// front end calls. The site comes second because sites that were created anew have other numbers.
pub fn is_back_end(s_port: Option<u16>, s_sitename: &[u8], cs_uri_stem: &[u8]) -> bool {
    match s_port {
        Some(444 | 81) => return true,
        // CAS-to-CAS proxying of 2007 and 2010 uses 443, too: there the stem alone tells.
        Some(443 | 80) => return is_proxy_stem(cs_uri_stem),
        _ => {}
    }
    s_sitename.eq_ignore_ascii_case(b"W3SVC2")
        || s_sitename.eq_ignore_ascii_case(b"Exchange+Back+End")
        || s_sitename.eq_ignore_ascii_case(b"Exchange Back End")
        || is_proxy_stem(cs_uri_stem)
}

/// `/Microsoft-Server-ActiveSync/Proxy[/default.eas]`: only a front end asks for it.
fn is_proxy_stem(cs_uri_stem: &[u8]) -> bool {
    is_under(cs_uri_stem, "microsoft-server-activesync/proxy")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row of the URL table of DOMAIN.md 2.1, and what hostile or careless clients make of it.
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
            ("/rpc/rpcproxy.dll", Rpc, Basic, "MSExchangeRpcProxyFrontEndAppPool", "MSExchangeRpcProxyAppPool"),
            ("/rpcwithcert/rpcproxy.dll", Rpc, Basic, "MSExchangeRpcProxyFrontEndAppPool", "MSExchangeRpcProxyAppPool"),
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
            ("/Autodiscover/Autodiscover.xml", Autodiscover, Basic, "MSExchangeAutodiscoverAppPool", "MSExchangeAutodiscoverAppPool"),
            ("/autodiscover/autodiscover.json/v1.0/a@b", Autodiscover, Basic, "MSExchangeAutodiscoverAppPool", "MSExchangeAutodiscoverAppPool"),
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
            ("MSExchangeRPCProxyFrontEndAppPool", Basic),
            ("MSExchangeAutodiscoverAppPool", Basic),
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
}
