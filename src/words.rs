//! Why a path has its class and residual, for and against, in the report's words.

mod mailbox;

pub use mailbox::{by_design, of_mailbox};

use crate::case::{Path, State};
use crate::collect::book::Key;
use crate::correlate::{Auth, Class, Contradiction, Ground, Rules, Scope};
use crate::schemes::Setting;
use chrono::TimeDelta;
use stillin_parsers::event::{ChangeKind, Precision};
use stillin_parsers::exchange::{Refusal, Scheme};

/// One sentence for each thing that speaks for or against. `restart` is the place that tells of the path's restart,
/// `setting` who says what its pool lets clients log on with.
pub fn why(
    path: &Path,
    key: &Key,
    kind: ChangeKind,
    precision: Precision,
    rules: &Rules,
    restart: Option<&str>,
    setting: Option<&str>,
) -> Vec<String> {
    let mut why = vec![of_class(path, kind, rules)];
    if precision == Precision::AtLatest {
        why.push(
            "the change was made then or before: access may have gone on for longer than told here"
                .into(),
        );
    }
    why.extend(path.speaks.grounds().map(|ground| of_ground(ground).to_owned()));
    if key.scheme == Scheme::Windows && path.schemes.contains(&Auth::MayBeWindows) {
        why.push(
            "the scheme is not in the log; this pool takes Windows authentication by default, so that a Kerberos \
             ticket or an NTLM connection may have served instead of a cached token"
                .into(),
        );
    }
    why.extend(of_setting(path, setting.unwrap_or_default()));
    let place = restart.unwrap_or_default();
    why.push(of_state(path, rules, place));
    why.extend(of_hint(path, place));
    why
}

fn of_class(path: &Path, kind: ChangeKind, rules: &Rules) -> String {
    let ttl = span(rules.ttl);
    let has = |ground| path.speaks.has(ground);
    match path.class {
        Class::WithinSlack if has(Ground::ClockBehind) => {
            "began before the change by the clock of the server, which is not that of the change".into()
        }
        Class::WithinSlack if has(Ground::EnabledShortlyBefore) => {
            "began after the account was enabled again by the clock of the server, which is not that of the change".into()
        }
        Class::WithinSlack => format!(
            "began less than {} after the change: replication or clocks may explain it",
            span(rules.slack)
        ),
        Class::CachedToken if kind.disables() => {
            format!(
                "went on from before the change without a pause longer than {ttl}: the token cached then served it"
            )
        }
        Class::CachedToken => format!(
            "went on from before the change without a pause longer than {ttl}: the token of the old password can have \
             served it"
        ),
        Class::OtherAuth => format!(
            "logged on with {}: no cached token of IIS is involved",
            schemes(path).collect::<Vec<_>>().join(" or ")
        ),
        Class::Ambiguous if has(Ground::UsersDisagree) => {
            "W3C and HttpProxy name different users for the same request".into()
        }
        Class::Ambiguous if has(Ground::OtherSid) => {
            "HttpProxy names another SID than the account's for the same request".into()
        }
        Class::Ambiguous if has(Ground::SharedName) => {
            "the name alone does not say whose requests these are".into()
        }
        Class::Ambiguous
            if has(Ground::RefusedAllTheSame)
                || has(Ground::NoLogonAllTheSame)
                || has(Ground::ByTurns) =>
        {
            "whether it was the old password or the new one cannot be told".into()
        }
        Class::Ambiguous if has(Ground::OldPasswordTaken) => {
            "the password was asked for anew, but too soon after the change to tell the old one from the new one".into()
        }
        Class::Ambiguous if has(Ground::BegunBetween) => {
            "whether it went on from before the change cannot be told: when that was is not known well enough".into()
        }
        Class::Ambiguous if has(Ground::Drained) || has(Ground::RestartHinted) => {
            "went on from before the change, but perhaps through a restart of the worker: whether the token lived on \
             cannot be told"
                .into()
        }
        Class::Ambiguous => format!(
            "a pause of more than {ttl}, or a stretch that no log shows, lies between it and the requests before the \
             change: whether the token lived on cannot be told"
        ),
        Class::Unexplained => format!(
            "a cached token does not explain it: between it and what was served before the change, if anything was, \
             lies a pause of more than {}, a restart of the worker, or a refusal that shows that no token was left",
            span(rules.ttl * 2)
        ),
        Class::InFlight | Class::Refused | Class::NewLogon => String::new(),
    }
}

/// Where the log does not tell the scheme, what the pool lets clients log on with has to do.
fn of_setting(path: &Path, whence: &str) -> Option<String> {
    let Setting { scheme, .. } = path.setting?;
    let is_inferred = |scheme: &Auth| {
        matches!(scheme, Auth::Other | Auth::MayBeToken | Auth::MayBeBoth | Auth::MayBeWindows)
    };
    let takes = match scheme {
        Scheme::Basic => "Basic only",
        Scheme::Forms => "forms only",
        Scheme::BasicAndWindows => "Basic as well as Kerberos and NTLM",
        Scheme::Windows => "Kerberos and NTLM, not Basic",
        Scheme::Unknown => "neither Basic nor Kerberos and NTLM",
    };
    path.schemes.iter().any(is_inferred).then(|| {
        format!(
            "the scheme is not in the log; by {whence} clients of this pool can log on with {takes}"
        )
    })
}

/// What a ground says for or against.
pub fn of_ground(ground: Ground) -> &'static str {
    match ground {
        Ground::RefusedAtLast => {
            "for: the client was refused its password afterwards; with the new one it would not have been"
        }
        Ground::RefusedElsewhere => {
            "for: the client was refused at another server or pool afterwards"
        }
        Ground::SessionEnded => {
            "for: the browser was sent to the logon page afterwards; against: it may have been logged off"
        }
        Ground::RefusedUnsaid => {
            "for: the client was refused afterwards; against: the log does not say for what, or not for sure that \
             it was this client"
        }
        Ground::NoLogon => {
            "for: the Security log of the server has no logon of the account since the change; a new password would \
             have needed one"
        }
        Ground::StartUnknown => {
            "against: the log has no time-taken here: the request may have begun before the change"
        }
        Ground::ResetWithinTheHour => {
            "for: somebody else had reset the password less than an hour before"
        }
        Ground::ChangedByUser => {
            "against: the user had changed the password a few minutes before, and may have given this device the new \
             one"
        }
        Ground::OldPasswordTaken => {
            "for: in the first hour after a change, domain controllers take the old password as well over NTLM \
             (OldPasswordAllowedPeriod); against: it may have been the new one"
        }
        Ground::LogonPerhaps => {
            "against: the account has logged on since from the same address, be it this client or another one there"
        }
        Ground::Drained => {
            "against: the worker had been restarted less than 90 s before: the old one may have served it to its end"
        }
        Ground::RestartHinted => {
            "against: something hints at a restart of the worker in between, which would have ended the token"
        }
        Ground::RefusedAllTheSame => {
            "against: the evidence disagrees: by the restarts and logons on record the client had logged on anew, \
             and yet it was refused its password afterwards"
        }
        Ground::ByTurns => {
            "against: served and refused by turns, it may be two clients that look the same, one with the old password \
             and one with the new"
        }
        Ground::NoLogonAllTheSame => {
            "against: the evidence disagrees: the token from before the change was gone, and yet the Security log \
             of the server has no logon of the account since"
        }
        Ground::SharedName => {
            "against: the name as it is logged may be another account's: several bear it, or no source ties it to this one \
             alone"
        }
        Ground::UsersDisagree => "against: the other log says that the request was another user's",
        Ground::OtherSid => {
            "against: by its SID the request is, or may be, another account's: one that was made again under the name, or the \
             master account of a linked mailbox"
        }
        Ground::MaybeEnabled => {
            "against: another source says that the account was enabled again, then or before"
        }
        Ground::TimesDisagree => {
            "against: sources put the change at different times, and this came before the latest of them"
        }
        Ground::BegunBetween => {
            "against: it went on from requests that were perhaps before the change, perhaps after it"
        }
        Ground::ClockBehind => {
            "for: the clock of the server is behind the domain controllers' by so much that it began after the change"
        }
        Ground::RefusedShortlyBefore => {
            "against: the client was refused its password so shortly before the change that by other clocks it was \
             after it; then it has been served for the new one since"
        }
        Ground::EnabledSoonAfter => {
            "against: the account was enabled again so shortly after that replication or clocks may have had it so before"
        }
        Ground::EnabledShortlyBefore => {
            "for: the clock of the server is ahead of the domain controllers' by so much that it began before the account \
             was enabled again"
        }
        Ground::ClockAhead => {
            "against: the clock of the server is ahead of the domain controllers' by so much that it may have begun \
             before the change, or little after it"
        }
    }
}

/// How the two logs of a request contradict each other, beside it.
pub fn contradiction(contradiction: Contradiction) -> &'static str {
    match contradiction {
        Contradiction::OtherUser => "the two logs name different users",
        Contradiction::OtherSid => "HttpProxy names another SID",
    }
}

/// Names of the schemes that use no token.
fn schemes(path: &Path) -> impl Iterator<Item = &'static str> {
    path.schemes.iter().filter(|scheme| scheme.uses_no_token()).map(|scheme| match scheme {
        Auth::Ntlm => "NTLM",
        Auth::Negotiate => "Negotiate (Kerberos or NTLM)",
        Auth::Kerberos => "Kerberos",
        Auth::Bearer => "a bearer token (OAuth)",
        _ => "a scheme that is neither Basic nor forms, which are off",
    })
}

fn of_state(path: &Path, rules: &Rules, place: &str) -> String {
    let time = |access: &crate::collect::book::Access| access.end.format("%F %T UTC");
    let life = span(path.life(rules));
    match (path.state, &path.refused) {
        (State::Refused, Some(refused)) => {
            let reason = refused.refusal.map_or("", refusal_word);
            let status = status(refused.sc_status, refused.sc_substatus);
            format!("ended: refused at {} ({status}, {reason})", time(refused))
        }
        (State::Recycled, _) => {
            let Some(restart) = &path.restart else { return String::new() };
            let what = of_restart(restart.scope);
            format!("ended: {what} at {} ({place})", restart.at.format("%F %T UTC"))
        }
        (State::Open, _) => format!("the log ends less than {life} after the last request"),
        (State::Unknown, _) if path.may_hang_on_ticket() => match &path.restart {
            Some(restart) if restart.is_sure => format!(
                "{} at {} ({place}), which ends a cached token, but not a Kerberos ticket: that lives up to 10 hours",
                of_restart(restart.scope),
                restart.at.format("%F %T UTC")
            ),
            _ => "the log does not show whether it goes on: a Kerberos ticket, if it was one, lives up to 10 hours".into(),
        },
        (State::Unknown, _) => "the log does not show what came after the last request".into(),
        _ => match path.restored {
            Some(at) => {
                format!("ended: the account was enabled again at {}", at.format("%F %T UTC"))
            }
            None => {
                format!("ended: idle for more than {life} after {}", time(&path.goes_on))
            }
        },
    }
}

/// What was restarted, as a sentence.
pub fn of_restart(scope: Scope) -> &'static str {
    match scope {
        Scope::Pool => "the pool was recycled",
        Scope::Iis => "IIS was restarted",
        Scope::Machine => "the server was restarted",
    }
}

/// A hint ends nothing, but whoever reads the rest has to know it.
fn of_hint(path: &Path, place: &str) -> Option<String> {
    let hint = path.restart.filter(|restart| !restart.is_sure && path.state != State::Refused)?;
    let at = hint.at.format("%F %T UTC");
    Some(match hint.scope {
        Scope::Iis => format!(
            "the log was begun anew, some time after {at} ({place}), which hints at a restart of IIS, but nothing says \
             so for sure"
        ),
        _ => format!(
            "something hints at a restart of the worker after that, at {at} ({place}), but nothing says so for sure"
        ),
    })
}

/// What hints at a restart, and of what, as an event among others.
pub fn of_hinted(scope: Scope) -> &'static str {
    match scope {
        Scope::Iis => "after this the log was begun anew, which hints at a restart of IIS",
        _ => "something hints at a restart of the worker",
    }
}

/// `401.1`, or `440` where the log has no substatus.
pub fn status(sc_status: u16, sc_substatus: Option<u16>) -> String {
    match sc_substatus {
        Some(substatus) => format!("{sc_status}.{substatus}"),
        None => sc_status.to_string(),
    }
}

/// Why somebody was refused.
pub fn refusal_word(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::WrongPassword => "wrong password",
        Refusal::Disabled => "account disabled",
        Refusal::Expired => "account expired",
        Refusal::PasswordExpired => "password expired",
        Refusal::MustChange => "password must be changed",
        Refusal::LockedOut => "account locked out",
        Refusal::NoSuchUser => "no such user",
        Refusal::Restricted => "logon restricted",
        Refusal::Unknown => "logon denied",
        Refusal::Owa => "sent back to the logon page: logon denied",
        Refusal::OwaForm => "logon denied in the logon form",
        Refusal::OwaNoSession => "sent back to the logon page",
        Refusal::OwaTimeout => "session timed out",
        Refusal::Blocked => "account blocked",
    }
}

/// `15 min`, `90 s`, `2 h`.
pub fn span(delta: TimeDelta) -> String {
    match delta.num_seconds() {
        seconds if seconds % 3600 == 0 && seconds > 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 && seconds > 60 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
