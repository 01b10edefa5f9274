//! One served request to its class and residual.

use super::chain::{Lineage, Token};
use super::logon::Asked;
use super::run::Runs;
use super::{
    Auth, Bearing, Class, Classed, Clock, Contradiction, Effect, Ground, LONGEST_REQUEST, Request,
    Residual, Rules, Speaks,
};
use chrono::{DateTime, TimeDelta, Utc};
use stillin_parsers::event::ChangeKind;

/// What is known of a served request.
pub(super) struct Served<'a> {
    pub(super) request: &'a Request,
    pub(super) effect: &'a Effect,
    /// Its token; `None` where the scheme uses none.
    pub(super) token: Option<Token>,
    /// What its lineage would be, were no restart and no scheme known.
    pub(super) unaided: Lineage,
    /// What the logons say.
    pub(super) asked: Asked,
    /// The web log speaks of all of the time since the change: no refusal and no logon can have gone unseen.
    pub(super) is_seen: bool,
    /// How far the clock of the server may be off.
    pub(super) clock: Clock,
}

/// For so long after a change domain controllers take the old password over NTLM, and so for Basic
/// (`OldPasswordAllowedPeriod`, KB 906305, DOMAIN.md 4.4).
const OLD_PASSWORD_TAKEN: TimeDelta = TimeDelta::hours(1);

/// Somebody who has changed the own password gives it to the own devices within that time (DOMAIN.md 7.4).
const SELF_SERVICE: TimeDelta = TimeDelta::minutes(10);

/// Class and residual by themselves, and what the end of the client's run may make of them.
struct Verdict {
    class: Class,
    residual: Residual,
    speaks: Speaks,
    bearing: Option<Bearing>,
}

/// Class and residual of one served request.
pub(super) fn judge(served: &Served<'_>, index: usize, rules: &Rules, runs: &mut Runs) -> Classed {
    let Served { request, effect, .. } = served;
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
    let was_refused = |since| {
        effect.kind.sets_password()
            && runs.had_to_log_on_anew(request, since)
            && !runs.takes_turns(request, effect)
    };
    let is_new = was_refused(effect.at);
    // By another clock the refusal came after the change.
    let is_perhaps_new = was_refused(effect.earliest - rules.slack);
    let slack_ends = effect.at + rules.slack;
    if request.start < slack_ends + served.clock.ahead && !is_new {
        (classed.class, classed.residual) = (Class::WithinSlack, Residual::Possible);
        let is_before = request.start < effect.at + served.clock.ahead;
        let grounds = [
            (is_before || request.start >= slack_ends, Ground::ClockAhead),
            (effect.is_disputed, Ground::TimesDisagree),
        ];
        for (_, ground) in grounds.into_iter().filter(|(holds, _)| *holds) {
            classed.speaks = classed.speaks.and(ground.into());
        }
        return classed;
    }
    let verdict = match effect.kind.disables() {
        true => while_disabled(served, runs),
        false => after_password(served, runs),
    };
    (classed.class, classed.residual) = (verdict.class, verdict.residual);
    classed.speaks = verdict.speaks;
    classed.run = verdict.bearing.map(|bearing| (runs.join(request, effect, bearing), bearing));
    if classed.residual != Residual::No {
        restrain(&mut classed, request, effect, rules);
        if is_perhaps_new {
            classed.speaks = classed.speaks.and(Ground::RefusedShortlyBefore.into());
            (classed.residual, classed.run) = (Residual::Possible, None);
        }
    }
    classed
}

/// What makes any residual no more than possible.
fn restrain(classed: &mut Classed, request: &Request, effect: &Effect, rules: &Rules) {
    let may_be_in_flight =
        !request.is_start_known && request.start < effect.latest + LONGEST_REQUEST;
    let is_too_early = effect.is_disputed && request.start < effect.latest + rules.slack;
    let grounds = [
        (request.is_ambiguous, Ground::SharedName),
        (request.contradiction == Some(Contradiction::OtherUser), Ground::UsersDisagree),
        (request.contradiction == Some(Contradiction::OtherSid), Ground::OtherSid),
        (may_be_in_flight, Ground::StartUnknown),
        (effect.may_be_over, Ground::MaybeEnabled),
        (effect.ends_soon, Ground::EnabledSoonAfter),
        (is_too_early, Ground::TimesDisagree),
    ];
    for (_, ground) in grounds.into_iter().filter(|(holds, _)| *holds) {
        classed.speaks = classed.speaks.and(ground.into());
        (classed.residual, classed.run) = (Residual::Possible, None);
    }
    if request.is_ambiguous || request.contradiction.is_some() {
        classed.class = Class::Ambiguous;
    }
}

/// Whoever is served while disabled is residual access: only why is the question.
fn while_disabled(served: &Served<'_>, runs: &Runs) -> Verdict {
    let was_shut_out = runs.was_shut_out(served.request, served.effect);
    let class = match &served.token {
        None => Class::OtherAuth,
        Some(_) if was_shut_out => Class::Unexplained,
        Some(token) => match token.lineage {
            Lineage::Before => Class::CachedToken,
            Lineage::Pause | Lineage::Blind => Class::Ambiguous,
            Lineage::After => Class::Unexplained,
        },
    };
    let speaks = served.token.map_or(Speaks::default(), |token| token.speaks);
    Verdict { class, residual: Residual::Certain, speaks, bearing: None }
}

/// A served request after a password change: with the old password, or with the new one?
fn after_password(served: &Served<'_>, runs: &mut Runs) -> Verdict {
    let Served { request, effect, token, asked, .. } = served;
    if runs.takes_turns(request, effect) {
        return Verdict::of(Class::Ambiguous).with(Some(Ground::ByTurns));
    }
    if runs.had_to_log_on_anew(request, effect.at) {
        let verdict = Verdict::of(Class::NewLogon);
        return if request.is_device { verdict } else { verdict.bears(Bearing::Contradicts) };
    }
    let Some(token) = token else {
        let is_taken =
            request.auth.may_be_ntlm() && request.start < effect.latest + OLD_PASSWORD_TAKEN;
        let ground = is_taken.then_some(Ground::OldPasswordTaken);
        return Verdict::of(Class::OtherAuth).with(ground);
    };
    let is_unasked = asked.never && request.auth.is_token_alone();
    let goes_on = matches!(token.lineage, Lineage::Before | Lineage::Pause);
    let perhaps = asked.perhaps.filter(|_| goes_on).map(|_| Ground::LogonPerhaps);
    let verdict = match last_asked(served, token, runs) {
        Some(_) if is_unasked => Verdict::contradicted_by_logons(),
        Some(at) if at < effect.latest + OLD_PASSWORD_TAKEN => old_password_taken(served, at, runs),
        Some(_) => Verdict::of(Class::NewLogon).bears(Bearing::Contradicts),
        None if perhaps.is_some() => {
            by_lineage(served, token, false, runs).at_most(Residual::Likely).with(perhaps)
        }
        None => by_lineage(served, token, is_unasked, runs),
    };
    if verdict.class == Class::NewLogon {
        runs.log_on_anew(request);
    }
    match verdict.residual {
        Residual::Possible => with_actor(verdict, request, effect, token),
        _ => verdict,
    }
}

/// When restarts and logons say that the password was asked for last, be it by the client or by any other.
/// Of what may be a Kerberos ticket they say nothing.
fn last_asked(served: &Served<'_>, token: &Token, runs: &mut Runs) -> Option<DateTime<Utc>> {
    if served.request.auth == Auth::MayBeWindows {
        return None;
    }
    let is_after = token.lineage == Lineage::After;
    // A pause would have ended the chain as well.
    let is_ended_anyway = served.unaided == Lineage::After;
    let restarted = token.oldest.filter(|_| is_after && token.is_restarted && !is_ended_anyway);
    // Where no token is left from before, somebody has logged on: by that logon at the latest.
    let perhaps = served.asked.perhaps.filter(|_| is_after);
    let logged_on = runs.asked(served.request, served.effect, served.asked.at.max(perhaps));
    let is_of_token = |at: &DateTime<Utc>| token.oldest.is_none_or(|oldest| oldest <= *at);
    restarted.max(logged_on.filter(|at| !is_ended_anyway || is_of_token(at)))
}

/// The password was asked for so soon after the change that it may have been the old one. Behind a logon a refusal
/// proves nothing: the password may have been mistyped since (DESIGN.md 3).
fn old_password_taken(served: &Served<'_>, at: DateTime<Utc>, runs: &mut Runs) -> Verdict {
    // If the change was made at its earliest, it was the new one, and no refusal later says what was before it.
    if at >= served.effect.at + OLD_PASSWORD_TAKEN {
        runs.log_on_anew(served.request);
    }
    runs.logged_on(served.request, at);
    let verdict = Verdict::of(Class::Ambiguous).bears(Bearing::UpTo(Residual::Likely));
    verdict.with(Some(Ground::OldPasswordTaken))
}

fn by_lineage(served: &Served<'_>, token: &Token, is_unasked: bool, runs: &mut Runs) -> Verdict {
    let most = if served.is_seen { Residual::Certain } else { Residual::Likely };
    let up_to_likely = Bearing::UpTo(Residual::Likely);
    let may_be_windows = served.request.auth == Auth::MayBeWindows;
    let verdict = match token.lineage {
        Lineage::Before => Verdict::of(Class::CachedToken).bears(Bearing::UpTo(most)),
        Lineage::Pause => Verdict::of(Class::Ambiguous).bears(Bearing::UpTo(most)),
        Lineage::Blind => {
            return Verdict { speaks: token.speaks, ..Verdict::of(Class::Ambiguous) }
                .bears(up_to_likely);
        }
        // The token is gone, so the password was asked for: unless a Windows logon never had a token there.
        Lineage::After if may_be_windows => {
            return Verdict::of(Class::Ambiguous).bears(up_to_likely);
        }
        Lineage::After if is_unasked => return Verdict::contradicted_by_logons(),
        Lineage::After if served.unaided == Lineage::After => {
            // When its chain began, at the latest.
            return match token.oldest {
                Some(at) if at < served.effect.latest + OLD_PASSWORD_TAKEN => {
                    old_password_taken(served, at, runs)
                }
                _ => Verdict::of(Class::NewLogon),
            };
        }
        Lineage::After => return Verdict::of(Class::NewLogon).bears(Bearing::Contradicts),
    };
    match is_unasked {
        true => Verdict { residual: most, ..verdict }.with(Some(Ground::NoLogon)),
        false => verdict,
    }
}

/// Who changed the password speaks for the one or the other, where the client goes on from before.
fn with_actor(verdict: Verdict, request: &Request, effect: &Effect, token: &Token) -> Verdict {
    let since = request.start - effect.at;
    if !token.is_client_known {
        verdict
    } else if effect.is_reset_by_other
        && since < TimeDelta::hours(1)
        && verdict.class == Class::CachedToken
        && !verdict.speaks.has(Ground::LogonPerhaps)
    {
        let ground = Some(Ground::ResetWithinTheHour);
        Verdict { residual: Residual::Likely, ..verdict }.with(ground)
    } else if effect.kind == ChangeKind::PasswordChanged && since < SELF_SERVICE {
        verdict.with(Some(Ground::ChangedByUser))
    } else {
        verdict
    }
}

impl Verdict {
    /// A class after a password change with the residual it has by itself.
    fn of(class: Class) -> Self {
        let residual = match class {
            Class::NewLogon => Residual::No,
            _ => Residual::Possible,
        };
        Verdict { class, residual, speaks: Speaks::default(), bearing: None }
    }

    /// The token from before is gone, and no logon is on record: one of the two is not so.
    fn contradicted_by_logons() -> Self {
        let verdict = Verdict::of(Class::Ambiguous).bears(Bearing::UpTo(Residual::Likely));
        verdict.with(Some(Ground::NoLogonAllTheSame))
    }

    /// What the end of the run says of it weighs no more than that.
    fn at_most(self, most: Residual) -> Self {
        let bearing = self.bearing.map(|bearing| match bearing {
            Bearing::UpTo(residual) => Bearing::UpTo(residual.min(most)),
            Bearing::Contradicts => Bearing::Contradicts,
        });
        Verdict { bearing, ..self }
    }

    fn bears(self, bearing: Bearing) -> Self {
        Verdict { bearing: Some(bearing), ..self }
    }

    fn with(self, ground: Option<Ground>) -> Self {
        let speaks = ground.map_or(self.speaks, |ground| self.speaks.and(ground.into()));
        Verdict { speaks, ..self }
    }
}
