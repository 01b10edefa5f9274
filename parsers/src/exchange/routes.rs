//! `cs-uri-stem` to protocol, application pools and the authentication the pool expects
//! unless an administrator changed it: the one table of DOMAIN.md 2.1.

use super::{Protocol, segments};
use Protocol::*;
use Scheme::*;
use std::collections::BTreeSet;

/// How clients of a pool log on (DOMAIN.md 2.1, last paragraph).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Basic alone (EAS): a token is cached.
    Basic,
    /// Forms, which are Basic behind the front end: a token is cached.
    Forms,
    /// Basic beside Negotiate and NTLM (RPC, Autodiscover): a token can be cached.
    BasicAndWindows,
    /// Negotiate or NTLM by default; Basic, and with it a cached token, only if an administrator
    /// allowed it.
    Windows,
    /// Certificates, server to server, anonymous, or not known.
    Unknown,
}

impl Scheme {
    /// Every scheme with its word in reports and in `--auth`.
    pub const WORDS: &'static [(Scheme, &'static str)] = &[
        (Basic, "basic"),
        (Forms, "forms"),
        (Windows, "windows"),
        (BasicAndWindows, "basic+windows"),
    ];

    /// The word in reports; none where nothing is known.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(scheme, _)| *scheme == self).map_or("", |(_, word)| word)
    }

    /// The scheme of a word, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, w)| w.eq_ignore_ascii_case(word)).map(|(scheme, _)| *scheme)
    }

    /// Basic is among it, be it behind forms: IIS caches tokens.
    pub fn has_basic(self) -> bool {
        matches!(self, Basic | Forms | BasicAndWindows)
    }

    /// Negotiate and NTLM are among it.
    pub fn has_windows(self) -> bool {
        matches!(self, Windows | BasicAndWindows)
    }
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
    ("microsoft-server-activesync", Eas,          Basic,           SYNC,         SYNC),
    ("ews",                         Ews,          Windows,         SERVICES,     SERVICES),
    ("rpc",                         Rpc,          BasicAndWindows, RPC_FRONT,    RPC_BACK),
    ("rpcwithcert",                 Rpc,          BasicAndWindows, RPC_FRONT,    RPC_BACK),
    ("mapi",                        Mapi,         Windows,         MAPI_FRONT,   ""),
    ("mapi/emsmdb",                 Mapi,         Windows,         MAPI_FRONT,   MAPI_MAILBOX),
    ("mapi/nspi",                   Mapi,         Windows,         MAPI_FRONT,   MAPI_BOOK),
    ("owa",                         Owa,          Forms,           OWA,          OWA),
    ("owa/calendar",                Owa,          Unknown,         CALENDAR,     CALENDAR),
    ("exchange",                    Owa,          Forms,           OWA,          OWA),
    ("exchweb",                     Owa,          Forms,           OWA,          OWA),
    ("public",                      Owa,          Forms,           OWA,          OWA),
    ("ecp",                         Ecp,          Forms,           ECP,          ECP),
    ("ecp/reportingwebservice",     Ecp,          Unknown,         REPORTING,    REPORTING),
    ("oab",                         Oab,          Windows,         OAB,          OAB),
    ("autodiscover",                Autodiscover, BasicAndWindows, AUTODISCOVER, AUTODISCOVER),
    ("powershell",                  Powershell,   Unknown,         SHELL_FRONT,  SHELL_BACK),
    ("powershell-liveid",           Powershell,   Unknown,         LIVE_FRONT,   LIVE_BACK),
    ("api",                         Rest,         Windows,         REST_FRONT,   REST_BACK),
    ("pushnotifications",           Other,        Unknown,         PUSH,         PUSH),
    ("xrop",                        Other,        Unknown,         XROP,         XROP),
    ("psws",                        Other,        Unknown,         PSWS_FRONT,   PSWS_BACK),
    ("encryption",                  Other,        Unknown,         ENCRYPTION,   ENCRYPTION),
    ("outlookservice",              Other,        Unknown,         OUTLOOK,      OUTLOOK),
];

/// Where a stem leads; [`Protocol::Other`] with empty pools where the table does not know it.
pub fn route(cs_uri_stem: &[u8]) -> Route {
    let mut best = ("", Other, Unknown, "", "");
    let first = segments(cs_uri_stem).next().and_then(|s| s.first()).map(u8::to_ascii_lowercase);
    for row in ROUTES {
        // The first letter rules out nearly every row.
        let may_fit = row.0.len() > best.0.len() && row.0.as_bytes().first() == first.as_ref();
        if may_fit && is_under(cs_uri_stem, row.0) {
            best = *row;
        }
    }
    let (_, protocol, scheme, pool, back_end_pool) = best;
    Route { protocol, pool, back_end_pool, scheme }
}

/// `/Microsoft-Server-ActiveSync/Proxy[/default.eas]`: only a front end asks for it. The last word first: it is the one that
/// hardly any stem has.
fn is_proxied(cs_uri_stem: &[u8]) -> bool {
    const SITE: &[u8] = b"microsoft-server-activesync";
    let Some((site, below)) = segment(cs_uri_stem, SITE.len()) else { return false };
    segment(below, 5).is_some_and(|(page, _)| page.eq_ignore_ascii_case(b"proxy"))
        && site.eq_ignore_ascii_case(SITE)
}

/// The first segment of a stem, if it has that length, and what follows it.
fn segment(cs_uri_stem: &[u8], len: usize) -> Option<(&[u8], &[u8])> {
    let mut rest = cs_uri_stem;
    while let Some((b'/', after)) = rest.split_first() {
        rest = after;
    }
    let (segment, after) = rest.split_at_checked(len)?;
    matches!(after.first(), None | Some(b'/')).then_some((segment, after))
}

/// The stem is `path` or lies below it.
fn is_under(cs_uri_stem: &[u8], path: &str) -> bool {
    let mut rest = cs_uri_stem;
    path.split('/').all(|want| {
        let Some((found, after)) = segment(rest, want.len()) else { return false };
        rest = after;
        found.eq_ignore_ascii_case(want.as_bytes())
    })
}

/// How clients of a front-end pool log on by default; the spelling of pool names varies in case.
pub fn default_scheme(pool: &str) -> Scheme {
    let row = ROUTES.iter().find(|row| row.3.eq_ignore_ascii_case(pool));
    row.map_or(Unknown, |row| row.2)
}

/// Exchange's front-end pools, each once.
pub fn pools() -> BTreeSet<&'static str> {
    ROUTES.iter().map(|row| row.3).collect()
}

/// The protocols that a front-end pool serves.
pub fn protocols(pool: &str) -> BTreeSet<Protocol> {
    let rows = ROUTES.iter().filter(|row| row.3.eq_ignore_ascii_case(pool));
    rows.map(|row| row.1).collect()
}

/// Whether it is one of Exchange's front-end pools.
pub fn has_pool(pool: &str) -> bool {
    !pool.is_empty() && ROUTES.iter().any(|row| row.3.eq_ignore_ascii_case(pool))
}

/// The request was logged by the back end, so the front end has it too (DOMAIN.md 2.6).
///
/// The port decides where it is one of Exchange's own; else the site; else the stem that a proxying
/// front end calls. The site comes second because sites that were created anew have other numbers.
pub fn is_back_end(s_port: Option<u16>, s_sitename: &[u8], cs_uri_stem: &[u8]) -> bool {
    match s_port {
        Some(444 | 81) => return true,
        // CAS-to-CAS proxying of 2007 and 2010 uses 443, too: there the stem alone tells.
        Some(443 | 80) => return is_proxied(cs_uri_stem),
        _ => {}
    }
    s_sitename.eq_ignore_ascii_case(b"W3SVC2")
        || s_sitename.eq_ignore_ascii_case(b"Exchange+Back+End")
        || s_sitename.eq_ignore_ascii_case(b"Exchange Back End")
        || is_proxied(cs_uri_stem)
}

#[cfg(test)]
mod tests;
