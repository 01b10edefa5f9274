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
