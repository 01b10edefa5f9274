//! One path of a finding and what the logs have of it since to a state (DESIGN.md 3, DOMAIN.md 7.3). Pure: no I/O,
//! no clock.

use crate::analyze::HELD_BACK;
use crate::analyze::since::{Lost, Use};
use crate::correlate::coverage::Span;
use crate::correlate::{Class, DRAIN, LONGEST_REQUEST, Residual};
use chrono::{DateTime, TimeDelta, Utc};
use stillin_parsers::event::ChangeKind;
use stillin_parsers::exchange::Refusal;
use stillin_reports::report::Client;

/// What became of a path, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Served again.
    Failed,
    /// Nothing tells that the worker was restarted.
    NotRecycled,
    /// The logs do not reach far enough, or have a hole.
    NoCoverage,
    /// Not served since, as far as the logs reach.
    NoContradiction,
    /// Refused since.
    Proven,
}

impl State {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            State::Failed => "failed",
            State::NotRecycled => "not_recycled",
            State::NoCoverage => "no_coverage",
            State::NoContradiction => "no_contradiction",
            State::Proven => "proven",
        }
    }
}

/// What is known of a path before its requests are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Path<'a> {
    /// A step of the plan recycles its pool.
    pub is_in_step: bool,
    /// When its pool was recycled, if that is known.
    pub recycled: Option<DateTime<Utc>>,
    /// The first time that anything gives for it, where clocks differ.
    pub recycled_from: Option<DateTime<Utc>>,
    /// Without that, access counts from then on: in a step, when the last other pool of its finding was recycled and the
    /// old worker must have been gone; else from where the logs of the plan ended.
    pub otherwise: Option<DateTime<Utc>>,
    /// That is where the logs of the plan ended.
    pub is_by_logs: bool,
    /// What the finding is about.
    pub kind: Option<ChangeKind>,
    /// Its account got another password as well.
    pub has_new_password: bool,
    /// Its last access when the plan was made.
    pub last: Option<DateTime<Utc>>,
    /// Who used it until then.
    pub clients: &'a [Client],
    /// What the logs can speak about there.
    pub span: Option<&'a Span>,
    /// The present, where logs are watched as they grow.
    pub now: Option<DateTime<Utc>>,
    /// What of its server's logs since then was not understood, or not read.
    pub lost: &'a [&'a Lost],
}

/// When what was served counts as access.
#[derive(Debug, Clone, Copy)]
pub struct Begin {
    /// Whatever began later.
    pub since: DateTime<Utc>,
    /// Whatever ended later, whenever it began.
    gone: DateTime<Utc>,
}

impl Path<'_> {
    /// From when on access counts, if that is known.
    pub fn begin(&self) -> Option<Begin> {
        let begin = |since, longest| Begin { since, gone: since + longest };
        match (self.recycled, self.otherwise) {
            // The worker of before is told to end when the new one is there, which may take as long.
            (Some(at), _) => Some(begin(at + DRAIN, DRAIN)),
            // None of the plan's logs can have what ended after them.
            (None, Some(at)) if self.is_by_logs => Some(begin(at, TimeDelta::zero())),
            (None, at) => at.map(|at| begin(at, LONGEST_REQUEST)),
        }
    }
}

impl Path<'_> {
    /// Nothing that was lost of the logs can be later.
    fn is_behind_what_was_lost(&self, refusal: &Use) -> bool {
        self.lost.iter().all(|lost| lost.is_before(refusal.end, &refusal.place))
    }
}

impl Begin {
    /// It counts.
    pub fn is_since(&self, request: &Use) -> bool {
        (request.is_start_known && self.since < request.start) || self.gone < request.end
    }

    /// It ended since, but the log does not tell when it began.
    fn may_be_since(&self, request: &Use) -> bool {
        !request.is_start_known && self.since < request.end
    }
}

/// Why the logs cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blind {
    /// No log of that server.
    NoLog,
    /// It begins too late.
    Begins(DateTime<Utc>),
    /// It has a hole.
    Hole(DateTime<Utc>, DateTime<Utc>),
    /// It is too fresh to tell until then.
    Until(DateTime<Utc>),
    /// It has lines that were not understood, or was not read to its end.
    PartlyRead,
    /// It does not tell when requests began.
    NoStart,
}

/// What became of a path, and the requests that say so.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// State.
    pub state: State,
    /// From when on access counts.
    pub since: Option<DateTime<Utc>>,
    /// As far as the logs can tell.
    pub until: Option<DateTime<Utc>>,
    /// Why they cannot.
    pub blind: Option<Blind>,
    /// Access that should not have been.
    pub accesses: Vec<&'a Use>,
    /// Access that may have been right: by the new password, or by somebody else of that name.
    pub unclear: Vec<&'a Use>,
    /// Access after a new logon with the new password.
    pub anew: Vec<&'a Use>,
    /// Access that began while the old worker may still have lived, which is neither.
    pub drained: Vec<&'a Use>,
    /// The first refusal after all of that which says that no token was found.
    pub refusal: Option<&'a Use>,
    /// The last such refusal while the old worker may still have lived, which is no proof.
    pub drained_refusal: Option<&'a Use>,
    /// Somebody was refused since, though nothing follows from it.
    pub is_refused_otherwise: bool,
}

/// Judges a path. `uses` are its requests in order of end.
pub fn judge<'a>(path: &Path<'_>, uses: &[&'a Use]) -> Verdict<'a> {
    let begin = path.begin();
    let since = begin.map(|begin| begin.since);
    let pick = |is_it: &dyn Fn(&Use) -> bool| -> Vec<&'a Use> {
        let served = uses.iter().copied().filter(|request| request.refusal.is_none());
        served.filter(|request| is_it(request)).collect()
    };
    let is_since = |request: &Use| begin.is_some_and(|begin| begin.is_since(request));
    let may_be =
        |request: &Use| is_since(request) || begin.is_some_and(|begin| begin.may_be_since(request));
    let is_access = |request: &Use| request.residual > Residual::No;
    let is_grave = |request: &Use| is_since(request) && request.residual >= Residual::Likely;
    let accesses = pick(&is_grave);
    let unclear = pick(&|request| may_be(request) && is_access(request) && !is_grave(request));
    let anew = pick(&|request| may_be(request) && request.class == Class::NewLogon);
    let recycled_from = path.recycled_from.min(path.recycled).or(path.recycled);
    let is_draining =
        |request: &Use| recycled_from.is_some_and(|at| at <= request.start) && !may_be(request);
    let drained = pick(&|request| is_draining(request) && is_access(request));
    let [refusal, drained_refusal] = refusals(path, uses);
    let has_no_start = unclear.iter().any(|request| !request.is_start_known);
    let blind = blind(path, since).or(has_no_start.then_some(Blind::NoStart));
    // Where anybody may have been served by a token of before, a refusal tells of another one.
    let is_proof = |refusal: &Use| path.is_behind_what_was_lost(refusal) && unclear.is_empty();
    let state = if !accesses.is_empty() {
        State::Failed
    } else if since.is_none() || (path.is_in_step && path.recycled.is_none()) {
        State::NotRecycled
    } else if path.recycled.is_some() && refusal.is_some_and(is_proof) {
        State::Proven
    } else if blind.is_some() {
        State::NoCoverage
    } else {
        State::NoContradiction
    };
    let until = path.span.map(|span| seen_until(span, path.now));
    Verdict {
        state,
        since,
        until,
        blind,
        accesses,
        unclear,
        anew,
        drained,
        refusal,
        drained_refusal,
        is_refused_otherwise: uses
            .iter()
            .any(|request| request.refusal.is_some() && may_be(request)),
    }
}

/// The first refusal after every access that says that no token was found: where the pool was recycled, by the new
/// worker; and the last one that may be the old worker's.
fn refusals<'a>(path: &Path<'_>, uses: &[&'a Use]) -> [Option<&'a Use>; 2] {
    let place = |request: &Use| (request.end, request.order);
    let is_access = |request: &&&Use| request.refusal.is_none() && request.residual > Residual::No;
    let last = uses.iter().filter(is_access).map(|request| place(request)).max();
    // Whoever was turned down with the right password had no token to find. A wrong password says that only of the old
    // one, so after a password change, and of a client that was served before, for anybody can send one, as anybody can
    // send a name that is no more, and whatever Windows tells without asking for the password; the end of a session says it
    // of nobody, what was typed into a form says it of no client, and an account that Exchange itself blocks
    // (456) may have a token all the same.
    let was_served = |client: &Client| {
        let mut in_logs = uses.iter().filter(is_access);
        path.clients.iter().any(|known| is_same(known, client))
            || in_logs.any(|request| is_same(&request.client, client))
    };
    let ends_it = |request: &Use| {
        request.refusal.is_some_and(|refusal| {
            let is_of_token = !refusal.may_be_session_end()
                && !matches!(refusal, Refusal::Blocked | Refusal::OwaForm);
            let is_gone = refusal == Refusal::NoSuchUser && path.kind == Some(ChangeKind::Deleted);
            let tells_of_client =
                is_gone || refusal == Refusal::Restricted || (path.has_new_password && is_of_token);
            (refusal.proves_right_password() && refusal != Refusal::Restricted)
                || (tells_of_client && was_served(&request.client))
        })
    };
    let is_after = |request: &Use| {
        last.is_none_or(|last| last < place(request))
            && path.last.is_none_or(|last| last < request.end)
    };
    let is_new = |request: &Use| path.recycled.is_none_or(|at| at + DRAIN < request.start);
    let is_drained =
        |request: &Use| !is_new(request) && path.recycled.is_some_and(|at| at <= request.start);
    // What reached the back end had passed the front end, where the token is.
    let is_of_front_end = |request: &Use| !request.is_back_end;
    // Whoever bears the name now may have been turned down, as where the account was made anew.
    let is_its = |request: &Use| is_of_front_end(request) && !request.may_be_anothers;
    let counts = |request: &&Use| is_its(request) && is_after(request) && ends_it(request);
    let after = || uses.iter().copied().filter(counts);
    let is_new = |request: &&Use| is_new(request);
    let proof = after().filter(is_new).find(|request| path.is_behind_what_was_lost(request));
    [proof.or(after().find(is_new)), after().rfind(|request| is_drained(request))]
}

/// The same device; of those without one, the same address and user agent.
pub fn is_same(a: &Client, b: &Client) -> bool {
    match a.device.is_some() || b.device.is_some() {
        true => a.device == b.device,
        false => a.ip.is_some() && (&a.user_agent, &a.ip) == (&b.user_agent, &b.ip),
    }
}

/// Until when every line must have been written.
fn seen_until(span: &Span, now: Option<DateTime<Utc>>) -> DateTime<Utc> {
    now.map_or(span.to, |now| span.to.min(now - HELD_BACK))
}

/// Why the logs cannot tell that nobody was served.
fn blind(path: &Path<'_>, since: Option<DateTime<Utc>>) -> Option<Blind> {
    let since = since?;
    let Some(span) = path.span else { return Some(Blind::NoLog) };
    if span.from > since {
        return Some(Blind::Begins(span.from));
    }
    if span.to < since + HELD_BACK || seen_until(span, path.now) < since {
        return Some(Blind::Until(since + HELD_BACK));
    }
    let hole = span.gaps.iter().find(|(_, to)| since < *to);
    let hole = hole.map(|&(from, to)| Blind::Hole(from, to));
    hole.or((!path.lost.is_empty()).then_some(Blind::PartlyRead))
}

#[cfg(test)]
mod tests;
