//! A report and the exclusions to the report without those accounts, and what is said of them.

use super::findings::{names, sids};
use super::settings::Exclude;
use crate::config;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use stillin_reports::report::Report;

/// Accounts that are named where one of them may be meant.
const MEANT: usize = 3;

/// Leaves out the findings of accounts that are excluded on that day, and says so.
pub fn without(mut report: Report, excludes: &[Exclude], day: NaiveDate) -> Report {
    let known = sids(&report).into_iter().map(|(id, sid)| (id.to_owned(), sid.to_owned()));
    let known: BTreeMap<String, String> = known.collect();
    let mut out: BTreeSet<String> = BTreeSet::new();
    for exclude in excludes {
        let of_it: BTreeSet<String> = report
            .findings
            .iter()
            .filter(|finding| {
                let sid = known.get(finding.change.as_str()).map(String::as_str);
                names(exclude, &finding.account, sid)
            })
            .map(|finding| finding.id.clone())
            .collect();
        let Exclude { account, reason, until } = exclude;
        let note = match day <= *until {
            true if of_it.is_empty() && !is_known(exclude, &report) => nobody(account, &report),
            true => format!(
                "{account}: left out until {until} ({reason}): {} finding(s), which are told again then",
                of_it.len()
            ),
            false => format!(
                "{account}: was left out until {until} ({reason}); its findings are told again, so take it out of the \
                 settings or set another day"
            ),
        };
        report.notes.push(note);
        if day <= *until {
            out.extend(of_it);
        }
    }
    if out.is_empty() {
        return report;
    }
    report.excluded = out.len() as u64;
    report.findings.retain(|finding| !out.contains(&finding.id));
    let told: BTreeSet<String> =
        report.findings.iter().map(|finding| finding.account.clone()).collect();
    for step in &mut report.plan {
        step.why.retain(|id| !out.contains(id));
        step.accounts.retain(|account| told.contains(account));
    }
    report.plan.retain(|step| !step.why.is_empty());
    for (step, number) in report.plan.iter_mut().zip(1..) {
        step.step = number;
    }
    report.advice.retain(|advice| told.contains(&advice.account));
    report
}

/// Whether anything tells of that account, under the name by which it is excluded.
fn is_known(exclude: &Exclude, report: &Report) -> bool {
    let mut changes = report.changes.iter();
    changes.any(|change| names(exclude, &change.account, change.sid.as_deref()))
}

/// What is said of an exclusion that excludes nobody, with the accounts that may be meant.
fn nobody(account: &str, report: &Report) -> String {
    let accounts: BTreeSet<&str> =
        report.changes.iter().map(|change| change.account.as_str()).collect();
    let own = local_part(account);
    let is_namesake = |known: &&&str| local_part(known) == own;
    let mut meant: Vec<&str> = accounts.iter().filter(is_namesake).copied().collect();
    if meant.is_empty() {
        let folded: Vec<String> = accounts.iter().map(|known| known.to_lowercase()).collect();
        let alike = config::meant(account, folded.iter().map(String::as_str));
        let is_alike = |known: &&&str| Some(known.to_lowercase().as_str()) == alike;
        meant.extend(accounts.iter().filter(is_alike));
    }
    let cure = match meant.as_slice() {
        [] => "say it as reports do, DOMAIN\\sam, or by its SID".to_owned(),
        some => {
            let some: Vec<String> =
                some.iter().take(MEANT).map(|name| format!("`{name}`")).collect();
            format!("did you mean {}?", some.join(" or "))
        }
    };
    format!(
        "{account}: is excluded, but no change is known of an account that is called so, so nothing is left out; {cure}"
    )
}

/// `ada` of `FABRIKAM\Ada` and of `ada@fabrikam.example`.
fn local_part(name: &str) -> String {
    let name = name.rsplit_once('\\').map_or(name, |(_, local)| local);
    name.split_once('@').map_or(name, |(local, _)| local).to_lowercase()
}

#[cfg(test)]
mod tests;
