//! What a request means on an Exchange server, as IIS and as Exchange log it: which protocol and
//! application pool its stem belongs to, whether it was served or refused, whether it is noise, and
//! what it did to the mailbox. The columns come as logged, as bytes (they may be no UTF-8), and are
//! compared without case.

mod address;
mod auth;
pub mod back_end;
mod command;
mod noise;
mod outcome;
pub mod proxied;
mod request_id;
mod restart_hint;
mod routes;

pub use address::forwarded;
pub use auth::Auth;
pub use command::{Data, command, device_id, is_known_command, moves_data};
pub use noise::{Noise, noise};
pub use outcome::{Outcome, Refusal, Status, outcome, page_may_refuse, refusal_of_status};
pub use request_id::{cafe_req_id, request_id};
pub use restart_hint::{Ended, restart_hint};
pub use routes::{Route, Scheme, default_scheme, has_pool, is_back_end, pools, protocols, route};

use crate::vectors::places;
use std::fmt;

/// The client protocols of Exchange (DOMAIN.md 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// ActiveSync.
    Eas,
    /// Exchange Web Services.
    Ews,
    /// Outlook Anywhere, RPC over HTTP.
    Rpc,
    /// MAPI over HTTP.
    Mapi,
    /// Outlook on the web, with its logon pages and its ancestors `/exchange` and `/public`.
    Owa,
    /// Exchange control panel, admin center.
    Ecp,
    /// Offline address book.
    Oab,
    /// Autodiscover.
    Autodiscover,
    /// Remote PowerShell.
    Powershell,
    /// REST.
    Rest,
    /// None of these.
    Other,
}

impl Protocol {
    /// Every protocol with its word in reports.
    pub const WORDS: &'static [(Protocol, &'static str)] = &[
        (Protocol::Eas, "eas"),
        (Protocol::Ews, "ews"),
        (Protocol::Rpc, "rpc"),
        (Protocol::Mapi, "mapi"),
        (Protocol::Owa, "owa"),
        (Protocol::Ecp, "ecp"),
        (Protocol::Oab, "oab"),
        (Protocol::Autodiscover, "autodiscover"),
        (Protocol::Powershell, "powershell"),
        (Protocol::Rest, "rest"),
        (Protocol::Other, "other"),
    ];

    /// The word in reports.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(protocol, _)| *protocol == self).map_or("", |(_, word)| word)
    }

    /// Forms-based authentication: refusals come disguised as 302 and 440 (DOMAIN.md 2.4).
    fn uses_forms(self) -> bool {
        matches!(self, Protocol::Owa | Protocol::Ecp)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The column holds nothing: `-`, as W3C writes it, or no text at all.
fn is_absent(value: &[u8]) -> bool {
    matches!(value, b"" | b"-")
}

/// The parts of a stem between slashes; doubled and trailing slashes leave no part.
fn segments(cs_uri_stem: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    cs_uri_stem.split(|&b| b == b'/').filter(|segment| !segment.is_empty())
}

/// What stands between the `&` of a query: at least one piece, which may be empty.
pub(crate) fn pieces(cs_uri_query: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut from, mut ands) = (Some(0), places(cs_uri_query, [b'&']));
    std::iter::from_fn(move || {
        let start = from?;
        let and = ands.next();
        from = and.map(|at| at + 1);
        cs_uri_query.get(start..and.unwrap_or(cs_uri_query.len()))
    })
}

/// The same from the last to the first: the server appends.
pub(crate) fn pieces_from_the_end(cs_uri_query: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(cs_uri_query);
    std::iter::from_fn(move || {
        let text = rest?;
        let and = memchr::memrchr(b'&', text);
        rest = and.and_then(|at| text.get(..at));
        text.get(and.map_or(0, |at| at + 1)..)
    })
}

/// The value of the first `key=` among the `&` pieces of a query, as logged.
fn query_value<'a>(cs_uri_query: &'a [u8], key: &str) -> Option<&'a [u8]> {
    query_values(cs_uri_query, key).next()
}

/// The values of every `key=` among the `&` pieces of a query; the server appends its own last.
fn query_values<'a>(cs_uri_query: &'a [u8], key: &str) -> impl Iterator<Item = &'a [u8]> {
    pieces(cs_uri_query).filter_map(move |piece| {
        let (name, rest) = piece.split_at_checked(key.len())?;
        let value = rest.strip_prefix(b"=")?;
        name.eq_ignore_ascii_case(key.as_bytes()).then_some(value)
    })
}

/// `text` begins with `prefix`, in any case.
fn starts_with(text: &[u8], prefix: &str) -> bool {
    strip_prefix(text, prefix).is_some()
}

/// What follows `prefix` in `text`, in any case.
fn strip_prefix<'a>(text: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix.as_bytes()).then_some(rest)
}

/// `text` holds `word`, in any case.
fn contains(text: &[u8], word: &str) -> bool {
    text.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_protocol_has_its_own_word() {
        let words: std::collections::BTreeSet<_> =
            Protocol::WORDS.iter().map(|(protocol, _)| protocol.word()).collect();
        assert_eq!(words.len(), 11);
        assert_eq!(Protocol::Eas.to_string(), "eas");
    }

    /// A column that holds anything: pieces of real ones, and bytes.
    fn column() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..12),
            prop::sample::select(vec![
                &b"/owa"[..],
                b"/auth/logon.aspx",
                b"/service.svc",
                b"/Microsoft-Server-ActiveSync/Proxy",
                b"/ews/exchange.asmx",
                b"&reason=2",
                b"&LogoffReason=",
                b"ClientId=;",
                b"SoapAction=m:",
                b"Cmd=Sync&Log=Srv:",
                b"\\HealthMailbox",
                b"fe80::1%",
            ])
            .prop_map(<[u8]>::to_vec),
        ];
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// Nothing panics, and the rules hold that no table can list: nobody is served without a
        /// name or by a 401, and nothing moves but in a 2xx.
        #[test]
        fn any_columns_have_a_meaning(
            name in column(),
            method in column(),
            stem in column(),
            query in column(),
            agent in column(),
            c_ip in column(),
            sc_status in prop::sample::select(vec![0, 200, 207, 302, 401, 403, 440, 449, 500]),
            sc_substatus in any::<Option<u16>>(),
            sc_win32_status in any::<Option<u64>>(),
        ) {
            let protocol = route(&stem).protocol;
            let status = Status { sc_status, sc_substatus, sc_win32_status };
            let outcome = outcome(protocol, &name, &method, &stem, &query, status);
            let served = outcome == Outcome::Served;
            prop_assert!(!served || (!is_absent(&name) && ![0, 401].contains(&sc_status)));
            prop_assert!(!served || !protocol.uses_forms() || ![302, 440].contains(&sc_status));
            let moved = moves_data(protocol, command(protocol, &method, &stem, &query), &method, &stem, &query, sc_status).moved();
            prop_assert!(!moved || (200..300).contains(&sc_status));
            prop_assert!(device_id(protocol, &query).is_none_or(|id| !id.is_empty()));
            let _ = (noise(&name, &agent, &c_ip, &stem), is_back_end(None, &name, &stem));
        }
    }

    proptest! {
        #[test]
        fn pieces_stand_between_ampersands(query in "[a&=]{0,20}") {
            let query = query.as_bytes();
            let plain: Vec<&[u8]> = query.split(|&byte| byte == b'&').collect();
            prop_assert_eq!(pieces(query).collect::<Vec<_>>(), plain.clone());
            let backwards: Vec<&[u8]> = plain.into_iter().rev().collect();
            prop_assert_eq!(pieces_from_the_end(query).collect::<Vec<_>>(), backwards);
        }
    }

    #[test]
    fn query_values_are_found_by_whole_name() {
        let query = b"xreason=1&REASON=2&&reason&reason=3&reasonable=4";
        assert_eq!(query_value(query, "reason"), Some(&b"2"[..]));
        assert_eq!(query_values(query, "reason").last(), Some(&b"3"[..]));
        assert_eq!(query_value(b"url=%3freason%3d2", "reason"), None);
        assert_eq!(query_value(b"", "reason"), None);
    }
}
