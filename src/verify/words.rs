//! Why a path is in its state, and what the reader has to know beside it, in sentences.

use super::judge::{self, Blind, State, Verdict, is_same};
use super::recycled::{Attempted, Recycled};
use super::wanted::{Path, Wanted};
use crate::analyze::since::{Enabled, Since, Use, is_nameless};
use crate::correlate::{Class, Residual};
use crate::words::refusal_word;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use stillin_parsers::event::ChangeKind;
use stillin_parsers::exchange::Auth;
use stillin_reports::text;

fn instant(time: &DateTime<Utc>) -> String {
    text::time(time).replace(text::TIE, " ")
}

/// Why a request was refused.
pub fn reason(request: &Use) -> &'static str {
    request.refusal.map(refusal_word).unwrap_or_default()
}

/// Why a path is in its state. `recycled` is there only if its pool is known to have been.
pub fn why(
    path: &Path,
    asked: &judge::Path<'_>,
    is_in_step: bool,
    recycled: Option<&Recycled>,
    verdict: &Verdict<'_>,
    uses: &[&Use],
) -> Vec<String> {
    let mut why = Vec::new();
    match (recycled, is_in_step) {
        (Some(_), _) => {}
        (None, true) => why.push("nothing tells that its pool was recycled".to_owned()),
        (None, false) => why.push("no step of the plan recycles its pool".to_owned()),
    }
    match verdict.state {
        State::Failed => why.extend(failed(path, verdict, recycled)),
        State::NotRecycled => why.push(last_access(path, uses)),
        State::NoCoverage => why.extend(verdict.blind.map(|blind| of_blind(blind, path))),
        State::NoContradiction => {
            let until = verdict.until.as_ref().map(instant).unwrap_or_default();
            why.push(match verdict.unclear.len() {
                0 => format!("nobody was served since who should not be, until {until}"),
                n => format!(
                    "nobody was served since who should not be, as far as can be told, until {until}: {n} request(s) are unclear"
                ),
            });
            let is_silent = verdict.refusal.or(verdict.drained_refusal).is_none();
            if is_silent && verdict.anew.is_empty() && verdict.unclear.is_empty() {
                let but = match verdict.is_refused_otherwise {
                    true => "who was refused proves nothing",
                    false => "nobody was refused either, and silence proves nothing",
                };
                why.push(format!("{but}: let the client try, and verify again"));
            }
        }
        State::Proven => {}
    }
    if let (n @ 1.., Some(since)) = (verdict.drained.len(), &verdict.since) {
        why.push(format!(
            "{n} request(s) before {} count neither way: the worker of before may have served them",
            instant(since)
        ));
    }
    why.extend(unclear(asked, verdict));
    why.extend(anew(asked, verdict));
    if let Some(request) = verdict.drained_refusal.filter(|_| verdict.refusal.is_none()) {
        why.push(format!(
            "refused: {}, {}; but so soon after the recycle that it proves nothing: let the client try again",
            instant(&request.end),
            reason(request)
        ));
    }
    if let Some(request) = verdict.refusal {
        let since =
            if verdict.state == State::Failed { "but refused since then" } else { "refused" };
        let but = match verdict.state {
            State::NoContradiction | State::NotRecycled => {
                "; but without a recycle that is no proof: a worker may still hold a token"
            }
            _ => "",
        };
        why.push(format!("{since}: {}, {}{but}", instant(&request.end), reason(request)));
        let is_known = path.clients.is_empty()
            || path.clients.iter().any(|client| is_same(client, &request.client));
        if verdict.state == State::Proven && !is_known {
            why.push(
                "that was another client than those that were served before, which have not been heard since: the \
                 account is shut, as far as Windows tells it only to whoever has the password"
                    .to_owned(),
            );
        }
    }
    why
}

/// What logged on anew did so by the new password, where nothing but a password logs on.
fn anew(asked: &judge::Path<'_>, verdict: &Verdict<'_>) -> Option<String> {
    let is_by_password = |request: &&Use| match request.auth {
        Auth::Basic | Auth::Forms => true,
        Auth::None => matches!(request.protocol, "eas" | "owa" | "ecp"),
        _ => false,
    };
    let sets_password = asked.kind.is_some_and(ChangeKind::sets_password);
    (!verdict.anew.is_empty()).then(|| {
        match sets_password && verdict.anew.iter().all(is_by_password) {
            true => "whoever was served since must have sent the new password".to_owned(),
            false => "whoever was served since logged on anew, it seems, be it with a password or by Windows \
                      authentication"
                .to_owned(),
        }
    })
}

/// Why what is unclear may have been right.
fn unclear(asked: &judge::Path<'_>, verdict: &Verdict<'_>) -> Option<String> {
    let doubtful = |request: &&&Use| request.residual < Residual::Likely;
    let unsure: Vec<&&Use> = verdict.unclear.iter().filter(doubtful).collect();
    let may_be_enabled = unsure.iter().any(|request| request.may_be_enabled);
    let may_be_another =
        unsure.iter().any(|request| !request.may_be_enabled && request.is_start_known);
    let has_no_start = verdict.unclear.iter().any(|request| !request.is_start_known);
    let reasons: Vec<&str> = [
        (may_be_enabled, "because the account was perhaps enabled again by then"),
        (!unsure.is_empty() && asked.has_new_password, "with the new password"),
        (may_be_another, "to another person of that name"),
        (has_no_start, "as a request that began before the change or the recycle"),
    ]
    .into_iter()
    .filter_map(|(holds, reason)| holds.then_some(reason))
    .collect();
    let (last, others) = reasons.split_last()?;
    let others = if others.is_empty() { String::new() } else { others.join(", ") + ", or " };
    Some(format!("what is unclear may have been served by right: {others}{last}"))
}

fn failed(path: &Path, verdict: &Verdict<'_>, recycled: Option<&Recycled>) -> Vec<String> {
    let Some(first) = verdict.accesses.first() else { return Vec::new() };
    let mut why = Vec::new();
    let by = match first.auth {
        Auth::None | Auth::Other => "Kerberos, NTLM or OAuth",
        auth => auth.word(),
    };
    if first.class == Class::OtherAuth || path.is_other_auth {
        why.push(format!(
            "by {by}, it seems: there is no cached token then, and no recycle ends it; see what the report advises"
        ));
    } else if recycled.is_some() {
        why.push(
            "the token of before is gone with its worker: look for a Kerberos ticket or an NTLM connection, a domain \
             controller that has not heard of the change, or a recycle that did not do what it said"
                .to_owned(),
        );
        if recycled.is_some_and(|recycled| !recycled.is_by_event) {
            why.push(
                "the time of the recycle is by the clock of whoever wrote it down: add the System log of the server, \
                 which has it by its own"
                    .to_owned(),
            );
        }
    }
    if is_nameless(&path.pool.0) {
        why.push(
            "nothing tells of which server that log is, so no step is known to be for it: put it into a folder with the \
             name of its server, or say --server"
                .to_owned(),
        );
    }
    if let Some(again) = recycled.and_then(|recycled| recycled.again.as_ref()) {
        let (at, place) = (instant(&again.at), &again.place);
        why.push(format!("restarted again at {at} ({}:{})", place.path, place.pos));
    }
    why
}

/// An account was enabled again, or made anew.
pub fn enabled(enabled: &Enabled) -> String {
    let place = match enabled.place.path.is_empty() {
        true => "as the report has it".to_owned(),
        false => format!("{}:{}", enabled.place.path, enabled.place.pos),
    };
    let what = if enabled.is_new {
        "an account of that name was made"
    } else {
        "the account was enabled again"
    };
    let at = match enabled.is_at_latest {
        true => format!("by {} at the latest", instant(&enabled.at)),
        false => instant(&enabled.at),
    };
    match &enabled.until {
        None => format!("{what} {at} ({place}): being served since then is right"),
        Some(until) => format!(
            "{what} {at} ({place}), and taken away once more {}: being served in between is right",
            instant(until)
        ),
    }
}

/// A server whose logs leave room for a token that nobody sees.
pub fn unseen(
    server: &str,
    until: &DateTime<Utc>,
    account: &str,
    idle_until: &DateTime<Utc>,
) -> String {
    format!(
        "{server}: the logs of the report end at {}, when a token of {account} from before the change may have been alive \
         there, and no log goes on from then until {}: add it",
        instant(until),
        instant(idle_until)
    )
}

/// A server of which the report knew nothing, and whose log begins when all was done.
pub fn begins_late(server: &str, from: &DateTime<Utc>) -> String {
    format!(
        "{server}: the report had no log of it, and this one begins only at {}, after the recycle: whoever was served there \
         before is not seen",
        instant(from)
    )
}

/// The last access that is known: in the logs, else when the plan was made.
fn last_access(path: &Path, uses: &[&Use]) -> String {
    let is_access = |request: &&&Use| request.refusal.is_none() && request.residual > Residual::No;
    let last = uses.iter().rfind(is_access);
    match (last, path.last) {
        (Some(last), known) if known.is_none_or(|known| known < last.end) => {
            let place = &last.place;
            format!("last served {} ({}:{})", instant(&last.end), place.path, place.line)
        }
        (_, Some(known)) => {
            format!("last served {}, when the plan was made", instant(&known))
        }
        (_, None) => "nobody was seen being served".to_owned(),
    }
}

fn of_blind(blind: Blind, path: &Path) -> String {
    let server = &path.pool.0;
    match blind {
        Blind::NoLog => format!("no log of {server}: add its W3SVC1 folder"),
        Blind::Begins(from) => {
            format!("the log of {server} begins only at {}: add the one before it", instant(&from))
        }
        Blind::Hole(from, to) => format!(
            "the log of {server} has a hole from {} to {}: whoever was served is not seen",
            instant(&from),
            instant(&to)
        ),
        Blind::PartlyRead => format!(
            "a log of {server} has lines that were not understood, or was not read to its end, see below: they may tell of \
             access"
        ),
        Blind::NoStart => format!(
            "a log of {server} does not tell when requests began (no time-taken), so those that are unclear may be access"
        ),
        Blind::Until(until) => format!(
            "the log of {server} is too fresh to tell until {}: IIS holds lines back for up to a minute; add what it \
             writes until then",
            instant(&until)
        ),
    }
}

/// What else is known of a step.
pub fn of_step(recycled: &Recycled) -> Vec<String> {
    let attempt = recycled.attempt.as_ref().map(|attempt| {
        let place = format!("{}:{}", attempt.place.path, attempt.place.pos);
        let what = match attempt.outcome {
            Attempted::Failed => "failed",
            Attempted::SameWorker => "changed nothing: its worker is still the same",
            Attempted::Unproven => "ended, and nothing shows that it did anything",
            Attempted::Unknown => "was begun, and nothing tells how it ended",
        };
        format!("the attempt of {} {what} ({place})", instant(&attempt.at))
    });
    let clocks = recycled.clocks_differ.map(|later| {
        let which = if later < TimeDelta::zero() { "earlier" } else { "later" };
        format!(
            "its event is {} seconds {which} than the journal has it: the clocks differ, or it is of another recycle; the \
             event counts, which has the clock of the logs",
            later.num_seconds().abs()
        )
    });
    let kept = recycled.kept.as_ref().map(|kept| {
        format!(
            "WAS says that a recycle of it failed {} ({}:{}): a worker of before may have gone on",
            instant(&kept.at),
            kept.place.path,
            kept.place.pos
        )
    });
    attempt.into_iter().chain(clocks).chain(kept).collect()
}

/// What is not judged, and what cannot be known.
pub fn notes(wanted: &Wanted, since: &Since) -> Vec<String> {
    let mut notes = Vec::new();
    if !wanted.is_report {
        notes.push(
            "a plan alone tells neither under which names the accounts were served nor by whom: give the report itself, \
             or a directory export"
                .to_owned(),
        );
    }
    let seen: BTreeSet<&String> = since.coverage.iter().map(|coverage| &coverage.server).collect();
    let missing: Vec<&str> = wanted
        .known_until
        .keys()
        .filter(|server| !seen.contains(server))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        notes.push(format!(
            "{}: the report had logs of it, and here is none: whoever is served there is not seen",
            missing.join(", ")
        ));
    }
    let is_new =
        |server: &&&String| is_nameless(server) && !wanted.known_until.contains_key(**server);
    let nameless: Vec<&str> = seen.iter().filter(is_new).map(|server| server.as_str()).collect();
    if !missing.is_empty() && !nameless.is_empty() {
        notes.push(format!(
            "{}: nothing tells of which server that log is: put it into a folder named after the server, or say --server",
            nameless.join(", ")
        ));
    }
    notes
}
