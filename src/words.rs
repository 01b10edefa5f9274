//! Why a path has its class and residual, for and against, in the report's words.

use crate::case::{Path, State};
use crate::collect::book::Key;
use crate::correlate::{Class, Rules, Speaks};
use chrono::TimeDelta;
use stillin_parsers::event::{ChangeKind, Precision};
use stillin_parsers::exchange::{Refusal, Scheme};

/// One sentence for each thing that speaks for or against.
pub fn why(
    path: &Path,
    key: &Key,
    kind: ChangeKind,
    precision: Precision,
    rules: &Rules,
) -> Vec<String> {
    let mut why = vec![of_class(path.class, &path.speaks, kind, rules)];
    if precision == Precision::AtLatest {
        why.push(
            "the change was made then or before: access may have gone on for longer than told here"
                .into(),
        );
    }
    why.extend(of_speaks(&path.speaks).into_iter().map(str::to_owned));
    if key.scheme == Scheme::Windows {
        why.push(
            "the scheme is not in the log; this pool takes Windows authentication by default, so that a Kerberos \
             ticket or an NTLM connection may have served instead of a cached token"
                .into(),
        );
    }
    why.push(of_state(path, rules));
    why
}

fn of_class(class: Class, speaks: &Speaks, kind: ChangeKind, rules: &Rules) -> String {
    let ttl = span(rules.ttl);
    match class {
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
        Class::Ambiguous if speaks.shared_name => {
            "the name alone does not say whose requests these are".into()
        }
        Class::Ambiguous => format!(
            "a pause of more than {ttl}, or a stretch that no log shows, lies between it and the requests before the \
             change: whether the token lived on cannot be told"
        ),
        Class::Unexplained => format!(
            "a cached token does not explain it: none is seen in use from before the change without a pause of more \
             than {}",
            span(rules.ttl * 2)
        ),
        Class::InFlight | Class::Refused | Class::NewLogon => String::new(),
    }
}

fn of_speaks(speaks: &Speaks) -> Vec<&'static str> {
    let all = [
        (
            speaks.refused_at_last,
            "for: the client was refused its password afterwards; with the new one it would not have been",
        ),
        (
            speaks.refused_elsewhere,
            "for: the client was refused at another server or pool afterwards",
        ),
        (
            speaks.session_ended,
            "for: the browser was sent to the logon page afterwards; against: it may have been logged off",
        ),
        (
            speaks.refused_unsaid,
            "for: the client was refused afterwards; against: the log does not say for what, or not for sure that \
             it was this client",
        ),
        (
            speaks.start_unknown,
            "against: the log has no time-taken here: the request may have begun before the change",
        ),
        (
            speaks.reset_within_the_hour,
            "for: somebody else had reset the password less than an hour before",
        ),
        (speaks.shared_name, "against: several accounts bear the name as it is logged"),
        (
            speaks.maybe_enabled,
            "against: another source says that the account was enabled again, then or before",
        ),
    ];
    all.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text).collect()
}

fn of_state(path: &Path, rules: &Rules) -> String {
    let time = |access: &crate::collect::book::Access| access.end.format("%F %T UTC");
    match (path.state, &path.refused) {
        (State::Refused, Some(refused)) => {
            let reason = refused.refusal.map_or("", refusal_word);
            let status = status(refused.sc_status, refused.sc_substatus);
            format!("ended: refused at {} ({status}, {reason})", time(refused))
        }
        (State::Open, _) => {
            format!("the log ends less than {} after the last request", span(rules.ttl))
        }
        (State::Unknown, _) => "the log does not show what came after the last request".into(),
        _ => match path.restored {
            Some(at) => {
                format!("ended: the account was enabled again at {}", at.format("%F %T UTC"))
            }
            None => {
                format!("ended: idle for more than {} after {}", span(rules.ttl), time(&path.last))
            }
        },
    }
}

/// `401.1`, or `440` where the log has no substatus.
pub fn status(sc_status: u16, sc_substatus: Option<u16>) -> String {
    match sc_substatus {
        Some(substatus) => format!("{sc_status}.{substatus}"),
        None => sc_status.to_string(),
    }
}

fn refusal_word(refusal: Refusal) -> &'static str {
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
