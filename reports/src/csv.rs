//! Rows to CSV: quoted where RFC 4180 asks for it, and harmless where a spreadsheet opens it.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::COLUMNS;
use crate::report::rfc3339;
use crate::table::Cell;

/// A CSV file being written.
pub type Writer = csv::Writer<Box<dyn Write + Send>>;

/// Writes the header.
pub fn begin(to: Box<dyn Write + Send>) -> io::Result<Writer> {
    let mut to = csv::WriterBuilder::new().buffer_capacity(64 * 1024).from_writer(to);
    to.write_record(COLUMNS).map_err(io_error)?;
    Ok(to)
}

/// Writes one row, harmless where a spreadsheet opens it.
pub fn record<W: Write>(to: &mut csv::Writer<W>, cells: &[Cell<'_>]) -> io::Result<()> {
    let cells = cells.iter().map(|cell| match cell {
        Cell::Empty => Cow::Borrowed(""),
        Cell::Text(text) => harmless(text),
        // A minus before a number of ours computes nothing.
        Cell::Number(n) => n.to_string().into(),
        Cell::Time(time) => rfc3339(time).into(),
    });
    let cells: Vec<Cow<str>> = cells.collect();
    to.write_record(cells.iter().map(|cell| cell.as_bytes())).map_err(io_error)
}

/// One cell, as it stands between commas.
pub fn cell(text: &str) -> String {
    let text = harmless(text);
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.into_owned(),
    }
}

/// A cell that no spreadsheet computes: `=cmd|...` is text once an apostrophe stands before it
/// (DESIGN.md section 5, rule 5). Where a keyboard of East Asia is set up, the full-width signs begin a formula, too.
/// What has such an apostrophe already gets another one, so that one can always be taken off again.
pub fn harmless(cell: &str) -> Cow<'_, str> {
    match cell.trim_start_matches('\'').chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => {
            format!("'{cell}").into()
        }
        _ => cell.into(),
    }
}

/// The error itself where it is one of the disk or pipe: a broken pipe must stay one.
pub fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_harmless() {
        let check = |input: &str, expect: &str| assert_eq!(harmless(input), expect, "{input:?}");
        check("", "");
        check("ada", "ada");
        check("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0");
        check("+1", "'+1");
        check("-1", "'-1");
        check("@SUM(A1)", "'@SUM(A1)");
        check("\t=1", "'\t=1");
        check("\r=1", "'\r=1");
        check("'=1", "''=1");
        check("'ada'", "'ada'");
        check("＝1", "'＝1");
        check("＠x", "'＠x");
        check("a=1", "a=1");
    }
}
