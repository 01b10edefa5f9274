//! Sources of which some were read on an earlier night to a report.

use super::{Run, assemble, hash, judged, notes, timeline};
use crate::analyze::since::Beside;
use crate::cli::Analyze;
use crate::messages::Messages;
use crate::read::File;
use crate::readings::Readings;
use std::collections::BTreeSet;
use stillin_reports::Order;
use stillin_reports::report::{Report, RequestRow};
use stillin_reports::timeline::Timelines;

/// What a report does not hold and some outputs are made of.
#[derive(Debug, Default)]
pub struct Details {
    /// What a page draws.
    pub timelines: Timelines,
    /// The judged requests by source and line.
    pub requests: Vec<RequestRow>,
}

/// Reads and judges sources that were found before, as far as they are not known from an earlier night. `told` says what
/// of the report is told, where an output needs its details.
pub fn report_of(
    args: &Analyze,
    files: Vec<File>,
    problems: Vec<String>,
    readings: &Readings,
    messages: &Messages,
    told: Option<&dyn Fn(&Report) -> Report>,
) -> anyhow::Result<(Report, Details)> {
    messages.begin(files.iter().map(|file| file.bytes).sum());
    let beside = Beside { readings: Some(readings), ..Beside::default() };
    let mut run = judged(args, files, beside, hash(args.reading.hash), messages)?;
    let stale = readings.stale().into_iter().map(|index| {
        format!(
            "{}: is gone, and was read when less was known of whom to look for; what else it held is not in this report",
            run.files[index].source.path
        )
    });
    let stale: Vec<String> = stale.collect();
    stale.iter().for_each(|note| messages.partial(note));
    run.notes.splice(0..0, problems.into_iter().chain(stale));
    notes::say(&mut run, messages);
    let report = assemble::report(&run);
    let details = told.map(|told| details(&run, &report, &told(&report))).unwrap_or_default();
    Ok((report, details))
}

/// Details of what is told of a report: without the accounts that are left out of it.
fn details(run: &Run<'_>, report: &Report, told: &Report) -> Details {
    let accounts = |report: &Report| -> BTreeSet<String> {
        report.findings.iter().map(|finding| finding.account.clone()).collect()
    };
    let told_of = accounts(told);
    let left_out: BTreeSet<String> = accounts(report).difference(&told_of).cloned().collect();
    let rows = assemble::rows(run, Order::Place);
    Details {
        timelines: timeline::timelines(run, told),
        requests: rows.filter(|row| !left_out.contains(&row.account)).collect(),
    }
}
