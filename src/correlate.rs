//! One account's changes and requests to a class for every request (DESIGN.md section 3). Pure: no I/O, no clock.
//!
//! Requests come in order of start. What is kept is the open chains and the runs of clients; a class goes out
//! with the request, and the residual of its run when nothing can change it any more.

mod auth;
mod chain;
pub mod coverage;
mod effect;
mod ground;
mod judge;
mod logon;
mod restart;
mod run;

pub use auth::Auth;
pub use chain::DRAIN;
pub use effect::{Clock, Cut, Effect};
pub use ground::{Ground, Speaks};
pub use logon::{Logon, Logons, Strangers};
pub use restart::{Restart, Restarts, Scope};
pub use run::Run;

use chain::{Chains, Lineage};
use chrono::{DateTime, TimeDelta, Utc};
use coverage::Coverage;
use effect::Timeline;
use judge::{Served, judge};
use logon::{Ahead, Heard};
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
    /// Server and front-end pool, an index into the restarts.
    pub pool: u32,
    /// Device, or user agent and address.
    pub client: u32,
    /// It is a device, which tells its name: no other can be taken for it.
    pub is_device: bool,
    /// Number of the address it came from, as in [`Logon::address`].
    pub address: Option<u32>,
    /// Served, or refused for that reason.
    pub refusal: Option<Refusal>,
    /// A refusal that is this client's by its address and user agent alone: one without a name, or one where others
    /// were seen with both.
    pub is_claimed: bool,
    /// Several accounts bear the name.
    pub is_ambiguous: bool,
    /// Another log says that it was another user's.
    pub contradiction: Option<Contradiction>,
    /// How it was authenticated.
    pub auth: Auth,
}

/// How the front end's own log contradicts the web log on whose a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contradiction {
    /// It names another user.
    OtherUser,
    /// It tells a SID that is not the account's, whatever the name.
    OtherSid,
}

/// No client waits longer for an answer: a Ping lasts 59 minutes at most (DOMAIN.md 1.4, 2.2).
pub const LONGEST_REQUEST: TimeDelta = TimeDelta::hours(1);

/// Classes of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the table of DESIGN.md section 3
pub enum Class {
    InFlight,
    WithinSlack,
    Refused,
    CachedToken,
    OtherAuth,
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
            Class::OtherAuth => "other_auth",
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

/// What a refusal at the end of a client's run says of a request in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearing {
    /// It makes its residual graver, up to this: where a log is blind, never certain.
    UpTo(Residual),
    /// It contradicts the evidence that the request was a new logon.
    Contradicts,
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
    /// The run it belongs to, for password changes, and what the end of that may say of it.
    pub run: Option<(usize, Bearing)>,
    /// What speaks for and against.
    pub speaks: Speaks,
}

/// What there is to judge by, beside changes and requests.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What the web logs can speak about.
    pub coverage: &'a Coverage,
    /// When workers ended.
    pub restarts: &'a Restarts,
    /// The account's logons.
    pub logons: Logons<'a>,
    /// By server, an index into the coverage, how far its clock is off; one that is not known is not off.
    pub clocks: &'a [Clock],
}

impl Classed {
    fn refused(request: usize, change: usize, speaks: Speaks) -> Self {
        let (class, residual) = (Class::Refused, Residual::No);
        Classed { request, change, class, residual, run: None, speaks }
    }

    /// Before the change by the clock of a server that is behind, and after it and the slack by that of the domain
    /// controllers, or the same of its end and a clock that is ahead: that must not accuse, for it is an estimate, and not
    /// acquit either.
    fn by_clock(request: usize, change: usize, speaks: Speaks) -> Self {
        let (class, residual) = (Class::WithinSlack, Residual::Possible);
        Classed { request, change, class, residual, run: None, speaks }
    }

    /// The same, if the account may have been enabled again by then.
    pub fn perhaps_enabled(self) -> Self {
        let residual = self.residual.min(Residual::Possible);
        Classed { residual, speaks: self.speaks.and(Ground::MaybeEnabled.into()), ..self }
    }
}

/// Classes every request whose end is at or after the change in effect; `emit` gets them in order.
/// The runs say how grave the requests of a client were, seen from its end: see [`settle`].
///
/// # Panics
/// If the requests are not in order of start, or the cuts, restarts or logons not in order of time: a verdict on
/// them would be wrong.
pub fn correlate(
    cuts: &[Cut],
    requests: impl IntoIterator<Item = Request>,
    evidence: &Evidence<'_>,
    rules: &Rules,
    mut emit: impl FnMut(Classed),
) -> Vec<Run> {
    let timeline = Timeline::new(cuts);
    let no_restarts = Restarts::default();
    let mut chains = Chains::new(evidence.coverage, evidence.restarts, rules.ttl);
    // What restarts and schemes make of a request is believed only as long as its client does not contradict it.
    // As long as there is neither a restart nor a request without a token, it says the same.
    let mut unaided = (!evidence.restarts.is_empty())
        .then(|| Chains::new(evidence.coverage, &no_restarts, rules.ttl));
    let mut heard = Heard::new(&evidence.logons);
    let mut runs = Runs::default();
    let mut latest = DateTime::<Utc>::MIN_UTC;
    let mut requests = Ahead::new(requests.into_iter());
    let mut places = 0..;
    while let Some((request, soon)) = requests.next()
        && let Some(index) = places.next()
    {
        assert!(latest <= request.start, "requests must come in order of start");
        latest = request.start;
        heard.hear(&request, soon);
        let clock = evidence.clocks.get(request.server as usize).copied().unwrap_or_default();
        let allowed = rules.slack + clock.behind;
        let effect = timeline.in_effect(request.start, request.end, allowed);
        let effect = effect.map(|effect| effect.by(clock));
        let coming = timeline.made_by_then(request.start, clock.behind, rules.slack);
        if let Some(refusal) = request.refusal {
            // Of a password that is about to be set, by the clock of the server, it may be the first sign.
            let is_of_next = timeline.sets_password_within(request.start, allowed);
            let accuser = effect.as_ref().filter(|_| !is_of_next);
            let speaks = runs.refused(&request, refusal, accuser);
            let coming = coming.map(|(change, _)| change);
            if let Some(change) = effect.map(|effect| effect.change).or(coming) {
                emit(Classed::refused(index, change, speaks));
            }
            continue;
        }
        let change = effect.map(|effect| (effect.earliest, effect.latest));
        let uses_token = !request.auth.uses_no_token();
        if !uses_token {
            unaided.get_or_insert_with(|| chains.clone());
        }
        let token = uses_token.then(|| chains.serve(&request, change));
        let unaided = unaided.as_mut().map(|unaided| unaided.serve(&request, change)).or(token);
        let unaided = unaided.map_or(Lineage::After, |token| token.lineage);
        let classed = effect.as_ref().map(|effect| {
            let asked = heard.of(&request, effect, rules);
            let is_seen = !evidence.coverage.is_blind(request.server, effect.at, request.start);
            let served =
                Served { request: &request, effect, token, unaided, asked, is_seen, clock };
            judge(&served, index, rules, &mut runs)
        });
        let guilty = classed.filter(|classed| classed.residual > Residual::No);
        let by_clock_behind = coming.map(|(change, is_over)| {
            let over = if is_over { Ground::EnabledSoonAfter.into() } else { Speaks::default() };
            Classed::by_clock(index, change, over.and(Ground::ClockBehind.into()))
        });
        let over = timeline.over_since(request.start, clock.ahead);
        let by_clock_ahead = over
            .map(|change| Classed::by_clock(index, change, Ground::EnabledShortlyBefore.into()));
        let by_clock = by_clock_behind.or(by_clock_ahead);
        if let Some(classed) = guilty.or(by_clock).or(classed) {
            emit(classed);
        }
    }
    runs.finish()
}

/// The request as it is judged from the end of its run.
pub fn settle(classed: Classed, runs: &[Run]) -> Classed {
    let Some((run, bearing)) = classed.run else { return classed };
    let Some(run) = runs.get(run) else { return classed };
    match bearing {
        Bearing::UpTo(most) => Classed {
            residual: classed.residual.max(run.residual.min(most)),
            speaks: classed.speaks.and(run.speaks),
            ..classed
        },
        Bearing::Contradicts if run.residual == Residual::Certain => Classed {
            class: Class::Ambiguous,
            residual: Residual::Possible,
            speaks: classed.speaks.and(run.speaks),
            ..classed
        },
        Bearing::Contradicts => classed,
    }
}

#[cfg(test)]
mod tests;
