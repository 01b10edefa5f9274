//! A report and the exclusions to the report without those accounts, and what is said of them.

use super::findings::{names, sids};
use super::settings::Exclude;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use stillin_reports::report::Report;

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
        report.notes.push(match day <= *until {
            true => format!(
                "{account}: left out until {until} ({reason}): {} finding(s), which are told again then",
                of_it.len()
            ),
            false => format!(
                "{account}: was left out until {until} ({reason}); its findings are told again, so take it out of the \
                 settings or set another day"
            ),
        });
        if day <= *until {
            out.extend(of_it);
        }
    }
    if out.is_empty() {
        return report;
    }
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
