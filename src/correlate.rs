//! One account's changes and requests to a class for every request (DESIGN.md section 3). Pure: no I/O, no clock.
//!
//! Requests come in order of start. What is kept is the open chains and the runs of clients; a class goes out
//! with the request, and the residual of its run when nothing can change it any more.

mod chain;
pub mod coverage;
mod effect;
mod run;

pub use effect::{Cut, Effect};
pub use run::{Run, Speaks};

use chain::{Chains, Lineage, Token};
use chrono::{DateTime, TimeDelta, Utc};
use coverage::Coverage;
use effect::Timeline;
use run::Runs;
use stillin_parsers::exchange::Refusal;

/// The rules a verdict is made under.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Life of an idle token; each use starts it anew (KB 3035228).
    pub ttl: TimeDelta,
    /// Allowance for replication and clock skew.
    pub slack: TimeDelta,
}

impl Default for Rules {
    fn default() -> Self {
        Rules { ttl: TimeDelta::minutes(15), slack: TimeDelta::seconds(60) }
    }
}

/// What the verdict needs to know of one request.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// `end` minus time-taken: when it was authenticated.
    pub start: DateTime<Utc>,
    /// Time of the entry.
    pub end: DateTime<Utc>,
    /// The log tells how long the request took; else it may have begun up to an hour before its end.
    pub is_start_known: bool,
    /// Server and front-end pool and spelling of the name: what a token hangs on.
    pub key: u32,
    /// Server, an index into the coverage.
    pub server: u32,
    /// Device, or user agent and address.
    pub client: u32,
    /// Served, or refused for that reason.
    pub refusal: Option<Refusal>,
    /// A refusal without a name, given to this client by its address and user agent alone.
    pub is_claimed: bool,
    /// Several accounts bear the name.
    pub is_ambiguous: bool,
    /// The pool's virtual directory takes Windows authentication by default, and the scheme is not logged.
    pub may_be_windows: bool,
}

/// No client waits longer for an answer: a Ping lasts 59 minutes at most (DOMAIN.md 1.4, 2.2).
const LONGEST_REQUEST: TimeDelta = TimeDelta::hours(1);

/// Classes of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the table of DESIGN.md section 3
pub enum Class {
    InFlight,
    WithinSlack,
    Refused,
    CachedToken,
    Ambiguous,
    NewLogon,
    Unexplained,
}

impl Class {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Class::InFlight => "in_flight",
            Class::WithinSlack => "within_slack",
            Class::Refused => "refused",
            Class::CachedToken => "cached_token",
            Class::Ambiguous => "ambiguous",
            Class::NewLogon => "new_logon",
            Class::Unexplained => "unexplained",
        }
    }
}

/// How sure it is that a request should not have been served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Residual {
    No,
    Possible,
    Likely,
    Certain,
}

impl Residual {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Residual::No => "no",
            Residual::Possible => "possible",
            Residual::Likely => "likely",
            Residual::Certain => "certain",
        }
    }
}

/// One classed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classed {
    /// Its place in the stream, from 0.
    pub request: usize,
    /// The change in effect, an index into the cuts.
    pub change: usize,
    /// Its class.
    pub class: Class,
    /// Its residual, as far as it is known by itself; that of its run may be graver.
    pub residual: Residual,
    /// The run it belongs to, for password changes.
    pub run: Option<usize>,
    /// What speaks for and against.
    pub speaks: Speaks,
}

/// Classes every request whose end is at or after the change in effect; `emit` gets them in order.
/// The runs say how grave the requests of a client were, seen from its end.
///
/// # Panics
/// If the requests are not in order of start, or the cuts not in order of time: a verdict on them would be wrong.
pub fn correlate(
    cuts: &[Cut],
    requests: impl IntoIterator<Item = Request>,
    coverage: &Coverage,
    rules: &Rules,
    mut emit: impl FnMut(Classed),
) -> Vec<Run> {
    let timeline = Timeline::new(cuts);
    let mut chains = Chains::new(coverage, rules.ttl);
    let mut runs = Runs::default();
    let mut latest = DateTime::<Utc>::MIN_UTC;
    for (index, request) in requests.into_iter().enumerate() {
        assert!(latest <= request.start, "requests must come in order of start");
        latest = request.start;
        let effect = timeline.in_effect(request.start, request.end);
        if let Some(refusal) = request.refusal {
            if let Some(effect) = effect {
                let speaks = runs.refused(&request, refusal, &effect);
                let (class, residual) = (Class::Refused, Residual::No);
                emit(Classed {
                    request: index,
                    change: effect.change,
                    class,
                    residual,
                    run: None,
                    speaks,
                });
            }
            continue;
        }
        let token = chains.serve(&request, effect.map(|effect| effect.at));
        if let Some(effect) = effect {
            let classed = judge(&request, index, &effect, token, rules, &mut runs);
            emit(classed);
        }
    }
    runs.finish()
}

/// The residual of a request, seen from the end of its run.
pub fn residual(classed: &Classed, runs: &[Run]) -> Residual {
    match classed.run.and_then(|run| runs.get(run)) {
        Some(run) => classed.residual.max(run.residual),
        None => classed.residual,
    }
}

/// Class and residual of one served request.
fn judge(
    request: &Request,
    index: usize,
    effect: &Effect,
    token: Token,
    rules: &Rules,
    runs: &mut Runs,
) -> Classed {
    let lineage = token.lineage;
    let mut classed = Classed {
        request: index,
        change: effect.change,
        class: Class::InFlight,
        residual: Residual::No,
        run: None,
        speaks: Speaks::default(),
    };
    if request.start < effect.at {
        return classed;
    }
    let is_new = effect.kind.sets_password() && runs.had_to_log_on_anew(request, effect);
    if request.start < effect.at + rules.slack && !is_new {
        (classed.class, classed.residual) = (Class::WithinSlack, Residual::Possible);
        return classed;
    }
    if effect.kind.disables() {
        (classed.class, classed.residual) = match lineage {
            _ if runs.was_shut_out(request, effect) => (Class::Unexplained, Residual::Certain),
            Lineage::Before => (Class::CachedToken, Residual::Certain),
            Lineage::Unsure => (Class::Ambiguous, Residual::Certain),
            Lineage::After => (Class::Unexplained, Residual::Certain),
        };
    } else {
        (classed.class, classed.residual) = judge_password(request, effect, lineage, runs);
        if classed.residual != Residual::No {
            let first_hour =
                effect.is_reset_by_other && request.start < effect.at + TimeDelta::hours(1);
            if first_hour && classed.class == Class::CachedToken && token.is_client_known {
                classed.residual = Residual::Likely;
                classed.speaks.reset_within_the_hour = true;
            }
            classed.run = Some(runs.join(request, effect));
        }
    }
    classed.speaks.hole = lineage == Lineage::Unsure;
    if request.is_ambiguous && classed.residual != Residual::No {
        classed.speaks.shared_name = true;
        (classed.class, classed.residual, classed.run) =
            (Class::Ambiguous, Residual::Possible, None);
    }
    let may_be_in_flight = !request.is_start_known && request.start < effect.at + LONGEST_REQUEST;
    if may_be_in_flight && classed.residual != Residual::No {
        classed.speaks.start_unknown = true;
        (classed.residual, classed.run) = (Residual::Possible, None);
    }
    if effect.may_be_over && classed.residual != Residual::No {
        classed.speaks.maybe_enabled = true;
        (classed.residual, classed.run) = (Residual::Possible, None);
    }
    classed
}

/// A served request after a password change: with the old password, or with the new one?
fn judge_password(
    request: &Request,
    effect: &Effect,
    lineage: Lineage,
    runs: &Runs,
) -> (Class, Residual) {
    if runs.had_to_log_on_anew(request, effect) {
        return (Class::NewLogon, Residual::No);
    }
    match lineage {
        Lineage::Before => (Class::CachedToken, Residual::Possible),
        Lineage::Unsure => (Class::Ambiguous, Residual::Possible),
        // The token is gone, so the password was asked for: unless a Windows logon never had a token there.
        Lineage::After if request.may_be_windows => (Class::Ambiguous, Residual::Possible),
        Lineage::After => (Class::NewLogon, Residual::No),
    }
}

#[cfg(test)]
mod tests;
