//! Findings to what to recycle, and to what to do where a recycle is not the cure. Pure.

use crate::case::{Path, State};
use crate::collect::book::Key;
use crate::correlate::{Class, Residual};
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
    let mut pools: BTreeMap<(&str, &'static str), (BTreeSet<&str>, Vec<&str>)> = BTreeMap::new();
    for planned in paths.iter().filter(|planned| is_cut_by_recycle(planned)) {
        let place = (planned.key.server.as_str(), planned.key.pool);
        let (accounts, why) = pools.entry(place).or_default();
        accounts.insert(planned.account);
        if !why.contains(&planned.finding) {
            why.push(planned.finding);
        }
    }
    let step = |(number, ((server, pool), (accounts, why))): (usize, ((&str, &'static str), _))| {
        let (accounts, why): (BTreeSet<&str>, Vec<&str>) = (accounts, why);
        Step {
            step: number as u64 + 1,
            server: server.to_owned(),
            pool: pool.to_owned(),
            action: "recycle",
            accounts: accounts.into_iter().map(str::to_owned).collect(),
            other_users: 0,
            why: why.into_iter().map(str::to_owned).collect(),
        }
    };
    pools.into_iter().enumerate().map(step).collect()
}

/// Open, on a front-end pool that is known.
fn is_cut_by_recycle(planned: &Planned<'_>) -> bool {
    planned.path.state == State::Open && !planned.key.pool.is_empty() && !planned.path.is_back_end
}

/// Places a recycle is planned for: server and pool.
pub fn pools<'a>(paths: &'a [Planned<'a>]) -> BTreeSet<(String, &'static str)> {
    let cut = paths.iter().filter(|planned| is_cut_by_recycle(planned));
    cut.map(|planned| (planned.key.server.clone(), planned.key.pool)).collect()
}

/// What a recycle does not do, for each path it concerns; the same sentence only once for each server and account.
pub fn advice(paths: &[Planned<'_>]) -> Vec<Advice> {
    let mut said: BTreeMap<(String, String, &'static str, String), ()> = BTreeMap::new();
    for planned in paths {
        for text in advice_for(planned) {
            let place = (planned.key.server.clone(), planned.account.to_owned());
            said.insert((place.0, place.1, planned.path.class.word(), text.to_owned()), ());
        }
    }
    let advice = |(server, account, class, text)| Advice { server, account, class, text };
    said.into_keys().map(advice).collect()
}

fn advice_for(planned: &Planned<'_>) -> Vec<&'static str> {
    let path = planned.path;
    let mut texts = Vec::new();
    let may_be_alive = matches!(path.state, State::Open | State::Unknown);
    if path.is_back_end {
        texts.push(
            "logged by the back end only: the front end whose pool holds the token is not among the logs; add the \
             logs of all front ends (site 1)",
        );
    } else if planned.key.pool.is_empty() {
        texts.push("the URL is none of Exchange's: find the application pool behind it on the server itself");
    } else if may_be_alive && planned.key.scheme == Scheme::Windows {
        texts.push(
            "clients of this pool log on with Kerberos or NTLM unless Basic was switched on there: a recycle ends \
             cached Basic tokens and open connections, but not a Kerberos ticket, which lives up to 10 hours; switch \
             the protocol off for the mailbox as well (Set-CASMailbox)",
        );
    }
    if path.state == State::Unknown {
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
