//! A report and its judged requests to a workbook of Excel: a summary, then a sheet for each kind of thing, with real
//! times, filters and a header that stays.
//!
//! Text is written as text and nothing is ever written as a formula or a link: Excel computes no cell of text,
//! whatever it begins with, so nothing has to be put before it (DESIGN.md section 5, rule 5).

mod cells;
mod tables;

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, Utc};
use rust_xlsxwriter::{DocProperties, Workbook, Worksheet, XlsxError};

use crate::report::{Report, RequestRow, SCHEMA};
use crate::rows;
use crate::table::Table;
use cells::Formats;

/// Rows of a sheet below its header.
const ROWS: u32 = 1_048_575;

/// Writes the workbook.
pub fn write(
    report: &Report,
    requests: impl Iterator<Item = RequestRow>,
    to: &mut (dyn Write + Send),
) -> io::Result<()> {
    let mut to = Kept { to, error: None };
    // The rows of requests wait in a temporary file, and the library panics where that cannot be written.
    let written = catch_unwind(AssertUnwindSafe(|| workbook(report, requests, ROWS, &mut to)));
    match (to.error.take(), written) {
        (Some(error), _) => return Err(error),
        (None, Ok(written)) => written.map_err(io_error)?,
        (None, Err(_)) => {
            return Err(io::Error::other("no room for temporary files; free some, or set TMPDIR"));
        }
    }
    to.flush()
}

/// Keeps the first error for itself: the archive that is left half written prints it to stderr in words of its own.
struct Kept<'a> {
    to: &'a mut (dyn Write + Send),
    error: Option<io::Error>,
}

impl Write for Kept<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.error.is_some() {
            true => Ok(bytes.len()),
            false => match self.to.write(bytes) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    self.error = Some(error);
                    Ok(bytes.len())
                }
                other => other,
            },
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.error.is_some() { Ok(()) } else { self.to.flush() }
    }
}

fn workbook(
    report: &Report,
    requests: impl Iterator<Item = RequestRow>,
    most_rows: u32,
    to: &mut (dyn Write + Send),
) -> Result<(), XlsxError> {
    let mut workbook = Workbook::new();
    // The same report gives the same bytes: the time of its making would not.
    let properties = DocProperties::new()
        .set_title("Residual access")
        .set_subject(SCHEMA)
        .set_author(report.tool.name)
        .set_creation_datetime(&as_of(report));
    workbook.set_properties(&properties);
    let formats = Formats::new();
    let mut of_requests = workbook.new_worksheet_with_constant_memory()?;
    let left_out = self::requests(&mut of_requests, &formats, requests, most_rows)?;
    let summary = summary(report, &formats, left_out)?;
    workbook.push_worksheet(summary);
    workbook.push_worksheet(sheet("Findings", &tables::findings(report), &formats)?);
    workbook.push_worksheet(sheet("Paths", &tables::paths(report), &formats)?);
    workbook.push_worksheet(of_requests);
    workbook.push_worksheet(sheet("Changes", &tables::changes(report), &formats)?);
    workbook.push_worksheet(sheet("Coverage", &tables::coverage(report), &formats)?);
    workbook.push_worksheet(sheet("Sources", &tables::sources(report), &formats)?);
    workbook.save_to_writer(to)
}

/// How far the logs reach, for a date of the file.
fn as_of(report: &Report) -> DateTime<Utc> {
    let ends = report.coverage.iter().map(|coverage| coverage.to);
    ends.chain(report.changes.iter().map(|change| change.at)).max().unwrap_or_default()
}

/// A table as a sheet.
fn sheet(name: &str, table: &Table<'_>, formats: &Formats) -> Result<Worksheet, XlsxError> {
    let mut sheet = Worksheet::new();
    cells::head(&mut sheet, name, table.columns, formats)?;
    // More findings than a sheet has rows were never met; what Excel cannot hold is said.
    let fits = table.rows.len().min(ROWS as usize - 1);
    let mut at = 0;
    for row in table.rows.iter().take(fits) {
        at += 1;
        cells::row(&mut sheet, at, row, formats)?;
    }
    if fits < table.rows.len() {
        at += 1;
        let note = format!("{} more are left out; the JSON has all", table.rows.len() - fits);
        cells::note(&mut sheet, at, &note, formats)?;
    }
    sheet.autofilter(0, 0, at, last_column(table.columns.len()))?;
    Ok(sheet)
}

/// The requests, streamed; how many do not fit.
fn requests(
    sheet: &mut Worksheet,
    formats: &Formats,
    requests: impl Iterator<Item = RequestRow>,
    most_rows: u32,
) -> Result<u64, XlsxError> {
    cells::head(sheet, "Requests", &rows::TYPED, formats)?;
    let (mut at, mut left_out) = (0, 0_u64);
    let mut requests = requests.peekable();
    while let Some(request) = requests.next() {
        // The last row is kept for what does not fit.
        if at + 1 == most_rows && requests.peek().is_some() {
            left_out = 1 + requests.count() as u64;
            at += 1;
            cells::note(sheet, at, &does_not_fit(left_out), formats)?;
            break;
        }
        at += 1;
        cells::row(sheet, at, &rows::cells(&request), formats)?;
    }
    sheet.autofilter(0, 0, at, last_column(rows::TYPED.len()))?;
    Ok(left_out)
}

fn does_not_fit(left_out: u64) -> String {
    format!("{left_out} more requests do not fit in a sheet; --requests writes all of them")
}

/// The first sheet: what has to be read.
fn summary(report: &Report, formats: &Formats, left_out: u64) -> Result<Worksheet, XlsxError> {
    let mut sheet = Worksheet::new();
    sheet.set_name("Summary")?.set_landscape().set_print_fit_to_pages(1, 0);
    for (column, width) in [30, 30, 34, 22, 22, 22, 14, 14, 14, 22, 22, 16].into_iter().enumerate()
    {
        sheet.set_column_width(u16::try_from(column).unwrap_or_default(), width)?;
    }
    let mut blocks = tables::summary(report);
    if left_out > 0 {
        blocks.push(tables::said("Requests", &does_not_fit(left_out)));
    }
    let mut at = 0;
    for block in &blocks {
        if !block.heading.is_empty() {
            at += u32::from(at > 0);
            cells::heading(&mut sheet, at, block.heading, formats)?;
            at += 1;
        }
        if !block.columns.is_empty() {
            cells::header(&mut sheet, at, block.columns, formats)?;
            at += 1;
        }
        for row in &block.rows {
            if at >= ROWS {
                return Ok(sheet);
            }
            cells::row(&mut sheet, at, row, formats)?;
            at += 1;
        }
    }
    Ok(sheet)
}

fn last_column(columns: usize) -> u16 {
    u16::try_from(columns).unwrap_or(1).saturating_sub(1)
}

fn io_error(error: XlsxError) -> io::Error {
    match error {
        XlsxError::IoError(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
