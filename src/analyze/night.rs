//! Sources of which some were read on an earlier night to a report.

use super::{Run, assemble, clear, hash, judged, notes, timeline};
use crate::analyze::since::Beside;
use crate::cli::Analyze;
use crate::messages::Messages;
use crate::pseudonymize::{Key, Pseudonyms};
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

/// What is made of the report.
pub struct Wanted<'a> {
    /// What of the report is told.
    pub told: &'a dyn Fn(&Report) -> anyhow::Result<Report>,
    /// Whether an output needs its details.
    pub has_details: bool,
    /// The key of the pseudonyms under which it is told, and names that the state knows beside the sources.
    pub key: Option<(Key, BTreeSet<String>)>,
}

/// A report, and what outputs are made of.
pub struct Judged {
    /// The report, in clear.
    pub report: Report,
    /// Its details, as they are told.
    pub details: Details,
    /// What is told of it under pseudonyms.
    pub hidden: Option<Report>,
}

/// Reads and judges sources that were found before, as far as they are not known from an earlier night.
pub fn report_of(
    args: &Analyze,
    files: Vec<File>,
    problems: Vec<String>,
    readings: &Readings,
    messages: &Messages,
    wanted: Wanted<'_>,
) -> anyhow::Result<Judged> {
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
    let Wanted { told, has_details, key } = wanted;
    let pseudonyms = key.map(|(key, names)| {
        let mut clear = clear::clear(&run, &report);
        clear.names.extend(names);
        Pseudonyms::new(key, &run.directory.accounts, &clear)
    });
    let mut details = Details::default();
    let mut hidden = None;
    if has_details || pseudonyms.is_some() {
        let told = told(&report)?;
        let left_out = left_out(&report, &told);
        let told = match &pseudonyms {
            Some(pseudonyms) => pseudonyms.report(told),
            None => told,
        };
        if has_details {
            details = self::details(&run, &told, &left_out, pseudonyms.as_ref());
        }
        hidden = pseudonyms.is_some().then_some(told);
    }
    Ok(Judged { report, details, hidden })
}

/// Accounts of which nothing is told.
fn left_out(report: &Report, told: &Report) -> BTreeSet<String> {
    let accounts = |report: &Report| -> BTreeSet<String> {
        report.findings.iter().map(|finding| finding.account.clone()).collect()
    };
    let told_of = accounts(told);
    accounts(report).difference(&told_of).cloned().collect()
}

/// Details of what is told of a report: without the accounts that are left out of it.
fn details(
    run: &Run<'_>,
    told: &Report,
    left_out: &BTreeSet<String>,
    pseudonyms: Option<&Pseudonyms<'_>>,
) -> Details {
    let rows = assemble::rows(run, Order::Place).filter(|row| !left_out.contains(&row.account));
    let timelines = timeline::timelines(run, told);
    match pseudonyms {
        None => Details { timelines, requests: rows.collect() },
        Some(pseudonyms) => Details {
            timelines: pseudonyms.timelines(timelines),
            requests: rows.map(|row| pseudonyms.row(row)).collect(),
        },
    }
}
