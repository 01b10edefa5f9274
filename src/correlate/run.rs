//! Runs: what one client did after a password change, judged from how it ended.
//!
//! The old and the new password can be in use side by side under one name, so only a client tells them apart:
//! a client that had been given the new password would not have been refused with the old one.

use super::{Effect, Request, Residual};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use stillin_parsers::exchange::Refusal;

/// What speaks for and against a residual, in the report's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Speaks {
    /// The password was reset by somebody else less than an hour before.
    pub reset_within_the_hour: bool,
    /// The client's run ended in a refusal of its password.
    pub refused_at_last: bool,
    /// The client was refused at another server or pool.
    pub refused_elsewhere: bool,
    /// The browser session was ended, which may or may not have been for the password.
    pub session_ended: bool,
    /// The client, or another one at its address, was refused; why, the log does not say.
    pub refused_unsaid: bool,
    /// The log does not tell when the request began.
    pub start_unknown: bool,
    /// The log does not show whether the token was idle long enough to be flushed.
    pub hole: bool,
    /// Several accounts bear the name.
    pub shared_name: bool,
    /// The account was enabled again at some unknown time before.
    pub maybe_enabled: bool,
}

impl Speaks {
    /// All that either says.
    pub fn and(self, other: Speaks) -> Speaks {
        Speaks {
            reset_within_the_hour: self.reset_within_the_hour || other.reset_within_the_hour,
            refused_at_last: self.refused_at_last || other.refused_at_last,
            refused_elsewhere: self.refused_elsewhere || other.refused_elsewhere,
            session_ended: self.session_ended || other.session_ended,
            refused_unsaid: self.refused_unsaid || other.refused_unsaid,
            start_unknown: self.start_unknown || other.start_unknown,
            hole: self.hole || other.hole,
            shared_name: self.shared_name || other.shared_name,
            maybe_enabled: self.maybe_enabled || other.maybe_enabled,
        }
    }
}

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
    /// When its password was last refused.
    refused: Option<DateTime<Utc>>,
    /// When it was last told that the account is disabled, expired or gone.
    shut_out: Option<DateTime<Utc>>,
}

/// All runs of one account.
#[derive(Default)]
pub(super) struct Runs {
    list: Vec<Run>,
    clients: BTreeMap<(u32, u32), Client>,
}

/// What a refusal says of the password that the client sent.
#[derive(PartialEq)]
enum Sent {
    Wrong,
    PerhapsWrong,
    Unknown,
}

impl Runs {
    /// The run of a client's residual request, begun with it if need be.
    pub(super) fn join(&mut self, request: &Request, effect: &Effect) -> usize {
        let client = self.clients.entry((request.key, request.client)).or_default();
        if let Some((change, run)) = client.open
            && change == effect.change
        {
            return run;
        }
        self.list.push(Run { residual: Residual::Possible, speaks: Speaks::default() });
        client.open = Some((effect.change, self.list.len() - 1));
        self.list.len() - 1
    }

    /// The client was refused its password after the change: what it is served since, it is served for the new one.
    pub(super) fn had_to_log_on_anew(&self, request: &Request, effect: &Effect) -> bool {
        let client = self.clients.get(&(request.key, request.client));
        client.and_then(|client| client.refused).is_some_and(|refused| refused >= effect.at)
    }

    /// The client was told that the account is off, so no token served it any more.
    pub(super) fn was_shut_out(&self, request: &Request, effect: &Effect) -> bool {
        let client = self.clients.get(&(request.key, request.client));
        client.and_then(|client| client.shut_out).is_some_and(|at| at >= effect.at)
    }

    /// Takes a refusal into account.
    pub(super) fn refused(
        &mut self,
        request: &Request,
        refusal: Refusal,
        effect: &Effect,
    ) -> Speaks {
        let sent = password_sent(refusal, request.is_claimed);
        let here = (request.key, request.client);
        let mut speaks = Speaks::default();
        for (&at, client) in &mut self.clients {
            let Some((change, run)) = client.open.filter(|_| at.1 == request.client) else {
                continue;
            };
            // A refusal by a disabled account, or for another, later password, says nothing of this one.
            if change != effect.change || sent == Sent::Unknown {
                continue;
            }
            let (residual, why) = if at != here {
                (Residual::Likely, Speaks { refused_elsewhere: true, ..Speaks::default() })
            } else if sent == Sent::Wrong {
                (Residual::Certain, Speaks { refused_at_last: true, ..Speaks::default() })
            } else if refusal.may_be_session_end() {
                (Residual::Likely, Speaks { session_ended: true, ..Speaks::default() })
            } else {
                (Residual::Likely, Speaks { refused_unsaid: true, ..Speaks::default() })
            };
            if let Some(run) = self.list.get_mut(run) {
                run.residual = run.residual.max(residual);
                run.speaks = run.speaks.and(why);
            }
            speaks = speaks.and(why);
            client.open = None;
        }
        let client = self.clients.entry(here).or_default();
        if sent == Sent::Wrong && request.start >= effect.at {
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

/// A disabled, expired or restricted account is told so only if the password was right (DOMAIN.md 1.6), so those
/// refusals do not say that it was the old one. OWA's 440 and 302 without `reason=2` say that there was no
/// session any more: turned down, or logged off. Where the reason is not logged, or it is not sure who was refused,
/// the password may have been wrong.
fn password_sent(refusal: Refusal, is_claimed: bool) -> Sent {
    let is_wrong = refusal.proves_wrong_password() || refusal == Refusal::Owa;
    if is_wrong && !is_claimed {
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
