//! Runs: what one client did after a password change, judged from how it ended.
//!
//! The old and the new password can be in use side by side under one name, so only a client tells them apart:
//! a client that had been given the new password would not have been refused with the old one.

use super::{Bearing, Effect, Ground, Request, Residual, Speaks};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use stillin_parsers::exchange::Refusal;

/// One client's residual requests under one key and one password change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// What its end says of all its requests.
    pub residual: Residual,
    /// Why.
    pub speaks: Speaks,
}

/// A client at a key, as far as its refusals tell.
#[derive(Default)]
struct Client {
    /// Its run under the change with that index.
    open: Option<(usize, usize)>,
    /// The same of requests that are held to be new logons, as long as nothing contradicts that.
    believed: Option<(usize, usize)>,
    /// When the password was last asked for, as far as logons on record tell.
    asked: Option<DateTime<Utc>>,
    /// By which logon its run is open.
    logged_on: Option<DateTime<Utc>>,
    /// When its password was last refused.
    refused: Option<DateTime<Utc>>,
    /// Under the change with that index it was refused, served and refused again: two clients look the same.
    takes_turns: Option<usize>,
    /// When it was last told that the account is disabled, expired or gone.
    shut_out: Option<DateTime<Utc>>,
}

/// All runs of one account.
#[derive(Default)]
pub(super) struct Runs {
    list: Vec<Run>,
    /// By client and key: one that guesses passwords from many addresses must not be sought among all others.
    clients: BTreeMap<(u32, u32), Client>,
}

/// What a refusal says of the password that the client sent.
#[derive(PartialEq)]
enum Sent {
    Wrong,
    PerhapsWrong,
    Unknown,
}

fn place(request: &Request) -> (u32, u32) {
    (request.client, request.key)
}

impl Runs {
    /// The run of a client's request, begun with it if need be.
    pub(super) fn join(&mut self, request: &Request, effect: &Effect, bearing: Bearing) -> usize {
        let client = self.clients.entry(place(request)).or_default();
        let slot = match bearing {
            Bearing::UpTo(_) => &mut client.open,
            Bearing::Contradicts => &mut client.believed,
        };
        if let Some((change, run)) = *slot
            && change == effect.change
        {
            return run;
        }
        self.list.push(Run { residual: Residual::Possible, speaks: Speaks::default() });
        *slot = Some((effect.change, self.list.len() - 1));
        self.list.len() - 1
    }

    /// With a new logon the run ends: a refusal later says nothing of the password before it (DESIGN.md 3).
    pub(super) fn log_on_anew(&mut self, request: &Request) {
        self.clients.entry(place(request)).or_default().open = None;
    }

    /// Behind another logon than the run began with it is another run.
    pub(super) fn logged_on(&mut self, request: &Request, at: DateTime<Utc>) {
        let client = self.clients.entry(place(request)).or_default();
        if client.logged_on.replace(at) != Some(at) {
            client.open = None;
        }
    }

    /// When the client last logged on after the change, as far as logons tell: a device keeps the password that it
    /// logged on with when its address changes.
    pub(super) fn asked(
        &mut self,
        request: &Request,
        effect: &Effect,
        at: Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        let client = self.clients.entry(place(request)).or_default();
        client.asked = client.asked.max(at);
        client.asked.filter(|asked| *asked >= effect.earliest)
    }

    /// The client was refused its password since then: what it is served after a change before that, it is served for
    /// the new one.
    pub(super) fn had_to_log_on_anew(&self, request: &Request, since: DateTime<Utc>) -> bool {
        let client = self.clients.get(&place(request));
        client.and_then(|client| client.refused).is_some_and(|refused| refused >= since)
    }

    /// What looks like one client was served behind a refusal, and refused again: which password it is served for cannot
    /// be told (DOMAIN.md 7.4).
    pub(super) fn takes_turns(&self, request: &Request, effect: &Effect) -> bool {
        let client = self.clients.get(&place(request));
        client.is_some_and(|client| client.takes_turns == Some(effect.change))
    }

    /// The client was told that the account is off, so no token served it any more.
    pub(super) fn was_shut_out(&self, request: &Request, effect: &Effect) -> bool {
        let client = self.clients.get(&place(request));
        client.and_then(|client| client.shut_out).is_some_and(|at| at >= effect.at)
    }

    /// Takes a refusal into account; it accuses of nothing but what was served since the change in effect.
    pub(super) fn refused(
        &mut self,
        request: &Request,
        refusal: Refusal,
        effect: Option<&Effect>,
    ) -> Speaks {
        let sent = password_sent(refusal, request.is_claimed);
        let here = place(request);
        let mut speaks = Speaks::default();
        let of_client = (request.client, u32::MIN)..=(request.client, u32::MAX);
        let same_client = self.clients.range_mut(of_client);
        for (&at, client) in same_client {
            let is_here = at == here;
            let (residual, why) = if !is_here {
                (Residual::Likely, Ground::RefusedElsewhere)
            } else if sent == Sent::Wrong && request.is_device {
                (Residual::Certain, Ground::RefusedAtLast)
            } else if refusal.may_be_session_end() {
                (Residual::Likely, Ground::SessionEnded)
            } else {
                // Two clients of one user may look the same, but for a device that tells its name.
                (Residual::Likely, Ground::RefusedUnsaid)
            };
            // A refusal by a disabled account, or for another, later password, says nothing of this one.
            let says = |(change, _): &mut (usize, usize)| {
                effect.is_some_and(|effect| *change == effect.change) && sent != Sent::Unknown
            };
            // What may have another reason contradicts no evidence.
            let contradicted = match is_here && sent == Sent::Wrong {
                true => client.believed.take_if(says),
                false => None,
            };
            if let Some((change, run)) = contradicted {
                let disagrees = if request.is_device {
                    Ground::RefusedAllTheSame
                } else {
                    client.takes_turns = Some(change);
                    Ground::ByTurns
                };
                settle(&mut self.list, run, Residual::Certain, disagrees);
                speaks = speaks.and(why.into());
            }
            if let Some((_, run)) = client.open.take_if(says) {
                settle(&mut self.list, run, residual, why);
                speaks = speaks.and(why.into());
            }
        }
        let client = self.clients.entry(here).or_default();
        if sent == Sent::Wrong {
            client.refused = Some(request.start);
        }
        if is_shut_out(refusal) && !request.is_claimed {
            client.shut_out = Some(request.start);
        }
        speaks
    }

    pub(super) fn finish(self) -> Vec<Run> {
        self.list
    }
}

/// What the end of a run says of it.
fn settle(list: &mut [Run], run: usize, residual: Residual, why: Ground) {
    if let Some(run) = list.get_mut(run) {
        run.residual = run.residual.max(residual);
        run.speaks = run.speaks.and(why.into());
    }
}

/// A disabled, expired or restricted account is told so only if the password was right (DOMAIN.md 1.6), so those
/// refusals do not say that it was the old one. OWA's 440 and 302 without `reason=2` say that there was no
/// session any more: turned down, or logged off. Where the reason is not logged, or it is not sure who was refused,
/// the password may have been wrong. What was typed into the logon form is not what a session was served for.
fn password_sent(refusal: Refusal, is_claimed: bool) -> Sent {
    let is_wrong = refusal.proves_wrong_password() || refusal == Refusal::Owa;
    if refusal == Refusal::OwaForm {
        Sent::Unknown
    } else if is_wrong && !is_claimed {
        Sent::Wrong
    } else if refusal.suggests_wrong_password() || refusal.may_be_session_end() {
        Sent::PerhapsWrong
    } else {
        Sent::Unknown
    }
}

fn is_shut_out(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::Disabled | Refusal::Expired | Refusal::NoSuchUser)
}
