//! Sources of which some were read on an earlier night to a report.

use super::{assemble, hash, judged, notes};
use crate::analyze::since::Beside;
use crate::cli::Analyze;
use crate::messages::Messages;
use crate::read::File;
use crate::readings::Readings;
use stillin_reports::report::Report;

/// Reads and judges sources that were found before, as far as they are not known from an earlier night.
pub fn report_of(
    args: &Analyze,
    files: Vec<File>,
    problems: Vec<String>,
    readings: &Readings,
    messages: &Messages,
) -> anyhow::Result<Report> {
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
    Ok(assemble::report(&run))
}
