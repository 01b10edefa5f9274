//! One row of HttpProxy, the front end's own log, to what it says of an account: who, by which scheme, whether served,
//! since when, from where (DOMAIN.md 3.1). Route, command and device of a row are those of a W3C line.

use super::address;
use super::auth::Auth;
use super::outcome::{self, Outcome, Status};
use super::routes::{self, Route};
use super::{Noise, Protocol, is_absent, strip_prefix};
use crate::exchange_log::scan::instant;
use crate::exchange_log::{Column, Row};

/// A request that took longer has a wrong time: a channel of Outlook Anywhere is renewed every hour or so.
const LONGEST: i64 = 24 * 3_600_000;

/// The account that was authenticated, as the front end resolved it: `DOMAIN\sam` for Windows, else what the token says.
#[inline]
pub fn user<'a>(row: &Row<'a>) -> Option<&'a [u8]> {
    if !row.text(Column::IsAuthenticated).eq_ignore_ascii_case(b"true") {
        return None;
    }
    row.value(Column::AuthenticatedUser).filter(|name| !is_absent(name))
}

/// The scheme by which [`user`] logged on. The cell is the scheme that was offered, whether it was taken or not.
pub fn auth(row: &Row<'_>) -> Auth {
    match user(row) {
        Some(_) => Auth::of(row.text(Column::AuthenticationType)),
        None => Auth::None,
    }
}

/// What the row says of the account.
///
/// A logon that IIS turned down is anonymous here and says nothing of anybody; only W3C has its name and reason. A 401
/// to somebody who was authenticated came from behind the logon.
pub fn outcome(row: &Row<'_>) -> Outcome {
    let (user, sc_status) = (user(row), status(row));
    let Some(sc_status) = sc_status else { return Outcome::Other };
    if sc_status == 401 {
        return if user.is_some() { Outcome::Other } else { Outcome::NotAuthenticated };
    }
    outcome::outcome_of(
        route(row).protocol,
        user.unwrap_or_default(),
        row.text(Column::Method),
        row.text(Column::UrlStem),
        query(row),
        || logoff_reason(row),
        Status { sc_status, sc_substatus: None, sc_win32_status: None },
    )
}

/// `HttpStatus`; `None` where the request was broken off before there was one.
pub fn status(row: &Row<'_>) -> Option<u16> {
    u16::try_from(row.number_in(Column::HttpStatus)?).ok()
}

/// Why the forms module let nobody in, in the words that W3C has for it (DOMAIN.md 2.4): here they stand in
/// `GenericInfo`, and what looks like them in the query is the client's own text.
fn logoff_reason<'a>(row: &Row<'a>) -> Option<&'a [u8]> {
    let info = |key| generic_info(row, key);
    if info("LoginTimeout").is_some() {
        Some(b"LoginTimeout")
    } else {
        info("NoCookies").map(|_| &b"NoCookies"[..])
    }
}

/// Where the stem leads; where that is unknown, what `Protocol` says.
pub fn route(row: &Row<'_>) -> Route {
    let by_stem = routes::route(row.text(Column::UrlStem));
    if by_stem.protocol != Protocol::Other || !by_stem.pool.is_empty() {
        return by_stem;
    }
    let word = row.text(Column::Protocol);
    const STEMS: &[(&str, &str)] = &[
        ("Eas", "Microsoft-Server-ActiveSync"),
        ("RpcHttp", "rpc"),
        ("OwaCalendar", "owa/calendar"),
        ("ReportingWebService", "ecp/reportingwebservice"),
        ("Rest", "api"),
    ];
    let stem = STEMS.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(word));
    routes::route(stem.map_or(word, |(_, stem)| stem.as_bytes()))
}

/// The query as W3C has it, but for what the server appends there.
pub fn query<'a>(row: &Row<'a>) -> &'a [u8] {
    let query = row.text(Column::UrlQuery);
    query.strip_prefix(b"?").unwrap_or(query)
}

/// Whether no person made the request.
pub fn noise(row: &Row<'_>) -> Option<Noise> {
    let (agent, stem) = (row.text(Column::UserAgent), row.text(Column::UrlStem));
    super::noise(user(row).unwrap_or_default(), agent, client_ip(row), stem)
}

/// Milliseconds from the begin of the request to its end, which is the time of the row; `None`: not known.
pub fn time_taken(row: &Row<'_>) -> Option<u64> {
    let begin = generic_info(row, "BeginRequest").or_else(|| row.present(Column::StartTime));
    let taken = match begin {
        Some(begin) => {
            let (seconds, nanos) = instant(begin)?;
            let milliseconds = |nanos: u32| i64::from(nanos / 1_000_000);
            (row.seconds - seconds) * 1000 + milliseconds(row.nanos) - milliseconds(nanos)
        }
        None => i64::try_from(row.number_in(Column::TotalRequestTime)?).ok()?,
    };
    (0..=LONGEST).contains(&taken).then(|| u64::try_from(taken).ok())?
}

/// The value of the first `key=` of `GenericInfo`; the front end writes its own before what comes from elsewhere.
fn generic_info<'a>(row: &Row<'a>, key: &str) -> Option<&'a [u8]> {
    let pieces = row.text(Column::GenericInfo).split(|&byte| byte == b';');
    pieces.filter_map(|piece| piece.strip_prefix(key.as_bytes())?.strip_prefix(b"=")).next()
}

/// The SID of [`user`].
///
/// `AnchorMailbox` says whose mailbox is meant, which may be somebody else's: a client can name a SID in a header.
/// Only where the front end took the anchor from the logon itself is it the user's own.
pub fn own_sid<'a>(row: &Row<'a>) -> Option<&'a str> {
    let hint = row.text(Column::RoutingHint);
    // `-NoDatabase` and the like may follow.
    let is_own = ["WindowsIdentity", "CommonAccessToken-Windows"]
        .iter()
        .any(|logon| strip_prefix(hint, logon).is_some_and(|rest| matches!(rest, [] | [b'-', ..])));
    user(row).filter(|_| is_own)?;
    let sid = row.text(Column::AnchorMailbox).strip_prefix(b"Sid~")?;
    let sid = str::from_utf8(sid).ok()?;
    is_account_sid(sid).then_some(sid)
}

/// `S-1-5-21-…`: three numbers of a domain and one of an account.
fn is_account_sid(sid: &str) -> bool {
    let Some(numbers) = sid.as_bytes().strip_prefix(b"S-1-5-21-") else { return false };
    let (mut n_numbers, mut n_digits) = (1, 0);
    for byte in numbers {
        match byte {
            b'0'..=b'9' => n_digits += 1,
            b'-' if n_digits > 0 => (n_numbers, n_digits) = (n_numbers + 1, 0),
            _ => return false,
        }
        if n_digits > 10 {
            return false;
        }
    }
    n_numbers == 4 && n_digits > 0
}

/// The address of the client, without a port: of its `X-Forwarded-For`, where there is one.
pub fn client_ip<'a>(row: &Row<'a>) -> &'a [u8] {
    // Of several the first; the commas between them were made blanks.
    address::first(row.text(Column::ClientIpAddress))
}

/// `UserAgent` of a row and `cs(User-Agent)` of a W3C line are one text: Exchange writes a blank for each comma, IIS a
/// `+` for each blank.
pub fn is_same_agent(user_agent: &[u8], cs_user_agent: &[u8]) -> bool {
    if is_absent(user_agent) || is_absent(cs_user_agent) {
        return is_absent(user_agent) && is_absent(cs_user_agent);
    }
    let blank = |byte: &u8| if matches!(byte, b',' | b'+') { b' ' } else { *byte };
    user_agent.len() == cs_user_agent.len()
        && user_agent.iter().map(blank).eq(cs_user_agent.iter().map(blank))
}

#[cfg(test)]
mod tests;
