//! The status of a request to what it says of the account: served, refused and why, a challenge,
//! or nothing (DOMAIN.md 1.6; for OWA and ECP, which disguise refusals, 2.4).

use super::{Protocol, contains, is_absent, query_value, query_values, segments, starts_with};

/// The three status columns; a column the log lacks is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// `sc-status`
    pub sc_status: u16,
    /// `sc-substatus`
    pub sc_substatus: Option<u16>,
    /// `sc-win32-status`; logs hold codes above 32 bits, too.
    pub sc_win32_status: Option<u64>,
}

/// What a request says of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// A name, and the server took the credentials behind it: the token was valid when the request
    /// began. That is access in the sense of the token; whether data moved is
    /// [`super::moves_data`]'s to say. So a 403, 404, 500 or 503 with a name counts, though
    /// DOMAIN.md 1.6 calls them no statement: IIS answers 401 before Exchange can answer anything
    /// else (DESIGN.md 3).
    Served,
    /// The credentials, or the session, were turned down.
    Refused(Refusal),
    /// The first leg of a handshake: the client has not said who it is.
    Challenge,
    /// Authentication failed for a reason that is not the account's: no domain controller, bad
    /// token.
    Technical,
    /// No name and no refusal. OAuth requests look like this, too (DOMAIN.md 1.5).
    NotAuthenticated,
    /// Says nothing of the account, with a name or not: logon pages, static resources, redirects of
    /// OWA and ECP, requests without a status, 401s for another reason than the logon.
    Other,
}

/// Why credentials were turned down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// 1326
    WrongPassword,
    /// 1331
    Disabled,
    /// 1793
    Expired,
    /// 1330, or OWA's page for it, which also stands for 1907
    PasswordExpired,
    /// 1907
    MustChange,
    /// 1909
    LockedOut,
    /// 1317, 1332: deleted or renamed
    NoSuchUser,
    /// 1327, 1328, 1329, 1385: hours, workstation, policy, kind of logon
    Restricted,
    /// Turned down without a reason: 2148074252 (NTLM, Kerberos), 401.0 of Exchange's own modules
    Unknown,
    /// OWA or ECP sent credentials on and they were turned down: `reason=2`
    Owa,
    /// What somebody typed into the logon form of OWA or ECP was turned down; says nothing of any session's password.
    OwaForm,
    /// OWA or ECP sent the client to the logon page, or answered 440: turned down, or it had no
    /// cookie at all, or (ECP) the page was a 403 or 404. The log marks all of them alike.
    OwaNoSession,
    /// The forms cookie ran out; says nothing of the password.
    OwaTimeout,
    /// 456: the service blocks the account
    Blocked,
}

impl Refusal {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Refusal::WrongPassword => "wrong_password",
            Refusal::Disabled => "disabled",
            Refusal::Expired => "expired",
            Refusal::PasswordExpired => "password_expired",
            Refusal::MustChange => "must_change",
            Refusal::LockedOut => "locked_out",
            Refusal::NoSuchUser => "no_such_user",
            Refusal::Restricted => "restricted",
            Refusal::Unknown => "unknown",
            Refusal::Owa => "owa",
            Refusal::OwaForm => "owa_form",
            Refusal::OwaNoSession => "owa_no_session",
            Refusal::OwaTimeout => "owa_timeout",
            Refusal::Blocked => "blocked",
        }
    }

    /// The password was wrong. Of a name that no longer exists 1326 says so as well: whoever asks
    /// this after a password change knows that the account is there.
    pub fn proves_wrong_password(self) -> bool {
        self == Refusal::WrongPassword
    }

    /// The password may have been wrong; the log does not say (DOMAIN.md 1.6, 2.4).
    pub fn suggests_wrong_password(self) -> bool {
        matches!(self, Refusal::WrongPassword | Refusal::Unknown | Refusal::Owa | Refusal::OwaForm)
    }

    /// The password was right: Windows tells that an account is disabled, expired or restricted
    /// only to whoever sent the right one; to everybody else it says 1326. A lock-out it tells to
    /// all.
    pub fn proves_right_password(self) -> bool {
        matches!(
            self,
            Refusal::Disabled
                | Refusal::Expired
                | Refusal::PasswordExpired
                | Refusal::MustChange
                | Refusal::Restricted
        )
    }

    /// Only the session ended, as far as the log tells: no domain controller need have said no.
    pub fn may_be_session_end(self) -> bool {
        matches!(self, Refusal::OwaTimeout | Refusal::OwaNoSession)
    }
}

/// What a request says of the account.
pub fn outcome(
    protocol: Protocol,
    cs_username: &[u8],
    cs_method: &[u8],
    cs_uri_stem: &[u8],
    cs_uri_query: &[u8],
    status: Status,
) -> Outcome {
    // The server appends its mark after what the client sent.
    let logoff_reason = || query_values(cs_uri_query, "LogoffReason").last();
    outcome_of(protocol, cs_username, cs_method, cs_uri_stem, cs_uri_query, logoff_reason, status)
}

/// The same with the mark of the forms module, which each log has elsewhere, and which few requests are asked for.
pub(super) fn outcome_of<'a>(
    protocol: Protocol,
    cs_username: &[u8],
    cs_method: &[u8],
    cs_uri_stem: &[u8],
    cs_uri_query: &[u8],
    logoff_reason: impl FnOnce() -> Option<&'a [u8]>,
    status: Status,
) -> Outcome {
    let named = !is_absent(cs_username);
    match status.sc_status {
        401 => return unauthorized(named, status.sc_substatus, status.sc_win32_status),
        456 => return Outcome::Refused(Refusal::Blocked),
        457 => return Outcome::Refused(Refusal::PasswordExpired),
        _ => {}
    }
    if protocol.uses_forms()
        && let Some(outcome) =
            forms(cs_method, cs_uri_stem, cs_uri_query, logoff_reason, status.sc_status)
    {
        return outcome;
    }
    match (named, status.sc_status) {
        (false, _) => Outcome::NotAuthenticated,
        // The connection went away before there was an answer; the name is what the client claimed.
        (true, 0) => Outcome::Other,
        (true, _) => Outcome::Served,
    }
}

/// A 401 by substatus and win32 code; without the substatus column by the code alone.
fn unauthorized(named: bool, sc_substatus: Option<u16>, sc_win32_status: Option<u64>) -> Outcome {
    match sc_substatus {
        Some(2) => return Outcome::Challenge,
        Some(0 | 1) | None => {}
        // Access lists, filters, too many requests: behind or beside the logon.
        Some(_) => return Outcome::Other,
    }
    match sc_win32_status.map_or(Code::Nothing, code) {
        Code::Refusal(refusal) => Outcome::Refused(refusal),
        Code::Challenge => Outcome::Challenge,
        Code::Technical => Outcome::Technical,
        // Without the substatus this is the usual mark of 401.2.
        Code::Denied if sc_substatus.is_none() => Outcome::Challenge,
        // A failed Basic logon carries the name that was tried (DOMAIN.md 1.5).
        Code::Denied | Code::Nothing if named => Outcome::Refused(Refusal::Unknown),
        Code::Denied | Code::Nothing => Outcome::NotAuthenticated,
    }
}

/// What a win32 code says beside a 401.
enum Code {
    Refusal(Refusal),
    Challenge,
    Technical,
    /// `ERROR_ACCESS_DENIED`
    Denied,
    Nothing,
}

/// The table of DOMAIN.md 1.6, and the NTSTATUS spelling of the same reasons (4.3), which IIS logs
/// where the package did not translate it.
fn code(sc_win32_status: u64) -> Code {
    use Refusal::*;
    match sc_win32_status {
        1326 | 0xC000_006A => Code::Refusal(WrongPassword),
        1331 | 0xC000_0072 => Code::Refusal(Disabled),
        1793 | 0xC000_0193 => Code::Refusal(Expired),
        1330 | 0xC000_0071 => Code::Refusal(PasswordExpired),
        1907 | 0xC000_0224 => Code::Refusal(MustChange),
        1909 | 0xC000_0234 => Code::Refusal(LockedOut),
        1317 | 1332 | 0xC000_0064 => Code::Refusal(NoSuchUser),
        1327 | 1328 | 1329 | 1385 => Code::Refusal(Restricted),
        0xC000_006E | 0xC000_006F | 0xC000_0070 | 0xC000_015B => Code::Refusal(Restricted),
        // SEC_E_LOGON_DENIED and STATUS_LOGON_FAILURE: any of the above.
        0x8009_030C | 0xC000_006D => Code::Refusal(Unknown),
        // SEC_E_NO_CREDENTIALS: the handshake has only begun.
        0x8009_030E => Code::Challenge,
        // Every other SSPI code is about the token, the channel or the reach of an authority, not
        // the account: 0x80090304, 08, 11, 21, 22, 46, ...
        0x8009_0300..=0x8009_03FF => Code::Technical,
        // No domain controller, RPC, trusts, wrong target, STATUS_NO_LOGON_SERVERS.
        1311 | 1722 | 1786 | 1789 | 1396 | 0xC000_005E => Code::Technical,
        // Odd codes of modules.
        1 | 50 | 87 => Code::Technical,
        5 => Code::Denied,
        // 0, dropped connections (64, 995, 1236), and codes nobody has described.
        _ => Code::Nothing,
    }
}

/// Why Windows refused a logon, by the NTSTATUS of its event; none for reasons that are not the account's (no domain
/// controller, trusts, clocks) and for those that nobody has described (DOMAIN.md 4.1).
pub fn refusal_of_status(status: u64) -> Option<Refusal> {
    match code(status) {
        Code::Refusal(refusal) if status > 0xFFFF => Some(refusal),
        _ => None,
    }
}

/// OWA and ECP: what status, stem and marks in the query say; `None`: the general rule applies.
///
/// The forms module rewrites 401 into 302 (GET, the logon POST) or 440 and appends `LogoffReason=`.
/// Marks count only beside those: whoever is served could write them into the query himself.
fn forms<'a>(
    cs_method: &[u8],
    cs_uri_stem: &[u8],
    cs_uri_query: &[u8],
    logoff_reason: impl FnOnce() -> Option<&'a [u8]>,
    sc_status: u16,
) -> Option<Outcome> {
    let page = Page::of(cs_uri_stem);
    let refused = |refusal| Some(Outcome::Refused(refusal));
    match (sc_status, page) {
        (302 | 440, _) => {}
        // After the redirect: the browser asks for the page it was sent to.
        (_, Page::Logon) if query_value(cs_uri_query, "reason") == Some(b"2") => {
            return refused(if came_from_ecp(cs_uri_query) {
                Refusal::OwaNoSession
            } else {
                Refusal::Owa
            });
        }
        (_, Page::PasswordExpired) if cs_method.eq_ignore_ascii_case(b"GET") => {
            return refused(Refusal::PasswordExpired);
        }
        (_, Page::Mailbox) => return None,
        _ => return Some(Outcome::Other),
    }
    if let Some(mark) = logoff_reason() {
        return refused(if starts_with(mark, "LoginTimeout") {
            Refusal::OwaTimeout
        } else if page == Page::LogonPost {
            Refusal::OwaForm
        } else {
            Refusal::OwaNoSession
        });
    }
    match (sc_status, query_value(cs_uri_query, "reason")) {
        (440, _) => refused(Refusal::OwaNoSession),
        (_, Some(b"2")) => refused(Refusal::Owa),
        // The log does not hold the target. Older builds leave no mark, and the name of a failed
        // Basic logon is logged: this may be an eviction. Whoever is let in asks for more than a
        // redirect.
        _ => Some(Outcome::Other),
    }
}

/// Whether a page that is served can be one of OWA's that tell of a refusal, as [`outcome`] sees them. Of a stem that ends with
/// `.aspx` a no is sure.
pub fn page_may_refuse(cs_uri_stem: &[u8], cs_uri_query: &[u8]) -> bool {
    const EXPIRED: &[u8] = b"expiredpassword.aspx";
    let ending = cs_uri_stem.last_chunk::<{ EXPIRED.len() }>();
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case(EXPIRED))
        || query_value(cs_uri_query, "reason") == Some(b"2")
}

/// The stems of OWA and ECP that are not the mailbox.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Page {
    /// `/owa/auth/logon.aspx`
    Logon,
    /// `/owa/auth.owa`, `owaauth.dll`: answers 302 to right and to wrong passwords.
    LogonPost,
    /// `/owa/auth/expiredpassword.aspx`
    PasswordExpired,
    /// Anything else below `/owa/auth/`, scripts, styles and pictures
    Static,
    /// Everything else
    Mailbox,
}

impl Page {
    fn of(cs_uri_stem: &[u8]) -> Page {
        let is = |segment: &[u8], word: &str| segment.eq_ignore_ascii_case(word.as_bytes());
        let mut from_left = segments(cs_uri_stem);
        let first = from_left.next().unwrap_or_default();
        let second = from_left.next().unwrap_or_default();
        let last = segments(cs_uri_stem).next_back().unwrap_or_default();
        if is(last, "logon.aspx") || is(last, "owalogon.asp") {
            Page::Logon
        } else if is(second, "auth.owa") || is(last, "owaauth.dll") {
            Page::LogonPost
        } else if is(last, "expiredpassword.aspx") {
            Page::PasswordExpired
        } else if is(second, "auth") || is(first, "exchweb") {
            Page::Static
        } else if (is(first, "owa") || is(first, "ecp")) && is_static(last) {
            // Not below /exchange and /public: attachments have such names there.
            Page::Static
        } else {
            Page::Mailbox
        }
    }
}

/// The name ends like a script, style, font or picture of the user interface.
fn is_static(last: &[u8]) -> bool {
    const ENDINGS: &[&str] = &[
        "js", "css", "png", "gif", "jpg", "ico", "svg", "cur", "woff", "woff2", "ttf", "eot",
        "map", "manifest", "xap", "wav", "mp3",
    ];
    let mut parts = last.rsplit(|&b| b == b'.');
    let ending = parts.next().unwrap_or_default();
    parts.next().is_some()
        && ENDINGS.iter().any(|want| ending.eq_ignore_ascii_case(want.as_bytes()))
}

/// The logon page was reached from ECP, where a mere 403 or 404 is sent there with `reason=2`, too.
/// `url=` is plain, encoded or encoded twice.
fn came_from_ecp(cs_uri_query: &[u8]) -> bool {
    query_value(cs_uri_query, "url")
        .is_some_and(|url| contains(url, "2fecp") || contains(url, "/ecp"))
}

#[cfg(test)]
mod tests;
