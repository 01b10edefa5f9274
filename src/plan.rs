//! Findings to what to recycle, and to what to do where a recycle is not the cure. Pure.

use crate::case::{Path, State};
use crate::collect::book::Key;
use crate::correlate::{Auth, Class, Residual};
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::event::ChangeKind;
use stillin_parsers::exchange::Scheme;
use stillin_reports::report::{Advice, Step};

/// A path with what the plan needs of its finding.
pub struct Planned<'a> {
    /// Id of the finding.
    pub finding: &'a str,
    /// The account.
    pub account: &'a str,
    /// Kind of the change.
    pub kind: ChangeKind,
    /// Server, pool, scheme.
    pub key: &'a Key,
    /// The path.
    pub path: &'a Path,
}

/// One step for each pool of each server that may hold a token now, one server after the other.
/// How many other users each step hits is for the caller to count.
pub fn steps(paths: &[Planned<'_>]) -> Vec<Step> {
    #[derive(Default)]
    struct Reasons<'a> {
        accounts: BTreeSet<&'a str>,
        findings: Vec<&'a str>,
    }
    let mut pools: BTreeMap<(&str, &'static str), Reasons<'_>> = BTreeMap::new();
    for planned in paths.iter().filter(|planned| is_cut_by_recycle(planned)) {
        let place = (planned.key.server.as_str(), planned.key.pool);
        let reasons = pools.entry(place).or_default();
        reasons.accounts.insert(planned.account);
        if !reasons.findings.contains(&planned.finding) {
            reasons.findings.push(planned.finding);
        }
    }
    (1..)
        .zip(pools)
        .map(|(step, ((server, pool), reasons))| Step {
            step,
            server: server.to_owned(),
            pool: pool.to_owned(),
            action: "recycle",
            accounts: reasons.accounts.into_iter().map(str::to_owned).collect(),
            other_users: 0,
            why: reasons.findings.into_iter().map(str::to_owned).collect(),
        })
        .collect()
}

/// Open, on a front-end pool that is known, and perhaps by a cached token.
fn is_cut_by_recycle(planned: &Planned<'_>) -> bool {
    let path = planned.path;
    path.state == State::Open
        && path.may_hang_on_token()
        && !planned.key.pool.is_empty()
        && !path.is_back_end
}

/// Keys with a token that a recycle is planned for.
pub fn keys<'a>(paths: &'a [Planned<'a>]) -> impl Iterator<Item = &'a Key> {
    paths.iter().filter(|planned| is_cut_by_recycle(planned)).map(|planned| planned.key)
}

/// What a recycle does not do, for each path it concerns; the same sentence only once for each server and account.
pub fn advice(paths: &[Planned<'_>]) -> Vec<Advice> {
    let mut said: BTreeSet<(String, String, &'static str, String)> = BTreeSet::new();
    for planned in paths {
        for text in advice_for(planned) {
            let place = (planned.key.server.clone(), planned.account.to_owned());
            said.insert((place.0, place.1, planned.path.class.word(), text.to_owned()));
        }
    }
    let advice = |(server, account, class, text)| Advice { server, account, class, text };
    said.into_iter().map(advice).collect()
}

fn advice_for(planned: &Planned<'_>) -> Vec<&'static str> {
    let path = planned.path;
    let may_be_alive = matches!(path.state, State::Open | State::Unknown);
    if !path.may_hang_on_token() {
        return if may_be_alive { advice_for_schemes(path, planned.kind) } else { Vec::new() };
    }
    let mut texts = Vec::new();
    let may_be_ticket = planned.key.scheme == Scheme::Windows
        && path.schemes.contains(&Auth::MayBeWindows)
        && may_be_alive;
    if path.is_back_end {
        texts.push(
            "logged by the back end only: the front end whose pool holds the token is not among the logs; add the \
             logs of all front ends (site 1)",
        );
    } else if planned.key.pool.is_empty() {
        texts.push("the URL is none of Exchange's: find the application pool behind it on the server itself");
    } else if may_be_ticket {
        texts.push(
            "clients of this pool log on with Kerberos or NTLM unless Basic was switched on there: a recycle ends \
             cached Basic tokens and open connections, but not a Kerberos ticket, which lives up to 10 hours; switch \
             the protocol off for the mailbox as well (Set-CASMailbox)",
        );
    } else if path.schemes.contains(&Auth::MayBeBoth) && may_be_alive {
        texts.push(
            "clients of this pool may log on with Kerberos or NTLM instead of Basic: a recycle ends cached Basic \
             tokens and open connections, but not a Kerberos ticket, which lives up to 10 hours; switch the protocol \
             off for the mailbox as well (Set-CASMailbox)",
        );
    }
    let is_recycled = path.restart.is_some_and(|restart| restart.is_sure);
    if path.state == State::Unknown && !is_recycled {
        texts.push("the logs do not reach far enough to say whether it goes on: add newer or missing logs, or recycle to be sure");
    }
    if path.residual < Residual::Certain && planned.kind.sets_password() && may_be_alive {
        texts.push(
            "the client may have been given the new password: ask before you accuse; a recycle makes it prove itself",
        );
    }
    if path.class == Class::Unexplained {
        texts.push(
            "no cached token explains this access: look for a Kerberos ticket or NTLM connection, a domain \
             controller that had not heard of the change, an enable that no source tells, or a missing log",
        );
    }
    texts
}

/// What cuts access that no recycle cuts (DOMAIN.md 5.2, 5.3).
fn advice_for_schemes(path: &Path, kind: ChangeKind) -> Vec<&'static str> {
    let mut texts = Vec::new();
    for scheme in &path.schemes {
        texts.push(match scheme {
            Auth::Kerberos => {
                "Kerberos: no recycle ends it; a ticket that the client holds serves for up to 10 hours, whatever \
                 becomes of the account"
            }
            Auth::Ntlm => {
                "NTLM: there is no cached token; an open connection goes on until it is closed: close it at the load \
                 balancer or the firewall"
            }
            Auth::Negotiate => {
                "Negotiate is Kerberos or NTLM: no recycle ends a Kerberos ticket, which serves for up to 10 hours; \
                 an NTLM connection goes on until it is closed, at the load balancer or the firewall"
            }
            Auth::Bearer => {
                "bearer token (OAuth): no recycle ends it; revoke the sessions of the user in Entra ID; the access \
                 token that the client holds serves for another 60 to 90 minutes"
            }
            Auth::Other => {
                "Basic is off in this pool, so there is no cached token and no recycle ends it: a Kerberos ticket \
                 serves for up to 10 hours, an NTLM connection until it is closed, at the load balancer or the \
                 firewall, a bearer token (OAuth) for 60 to 90 minutes"
            }
            _ => continue,
        });
    }
    texts.push(
        "switch the protocol off for the mailbox (Set-CASMailbox) and block the device: Exchange heeds that within \
         20 minutes or so, whatever the client logs on with",
    );
    if path.residual < Residual::Certain && kind.sets_password() {
        texts.push("the client may have been given the new password: ask before you accuse");
    }
    texts
}

#[cfg(test)]
mod tests;
