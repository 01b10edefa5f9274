//! Rows to CSV: quoted where RFC 4180 asks for it, and harmless where a spreadsheet opens it.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::COLUMNS;
use crate::report::{RequestRow, rfc3339};

/// A CSV file being written.
pub type Writer = csv::Writer<Box<dyn Write + Send>>;

/// Writes the header.
pub fn begin(to: Box<dyn Write + Send>) -> io::Result<Writer> {
    let mut to = csv::WriterBuilder::new().buffer_capacity(64 * 1024).from_writer(to);
    to.write_record(COLUMNS).map_err(io_error)?;
    Ok(to)
}

/// Writes one row.
pub fn row(to: &mut Writer, row: &RequestRow) -> io::Result<()> {
    // Taken apart by name, so that a new field does not compile until it has its cell.
    let RequestRow {
        path,
        line,
        server,
        pool,
        protocol,
        account,
        change,
        kind,
        start,
        end,
        status,
        win32,
        name,
        client_ip,
        device,
        user_agent,
        command,
        auth,
        class,
        residual,
    } = row;
    let cells: [Cow<str>; COLUMNS.len()] = [
        harmless(path),
        line.to_string().into(),
        harmless(server),
        harmless(pool),
        harmless(protocol),
        harmless(account),
        harmless(change),
        harmless(kind),
        rfc3339(start).into(),
        rfc3339(end).into(),
        harmless(status),
        win32.map(|code| code.to_string()).unwrap_or_default().into(),
        harmless(name),
        harmless(client_ip),
        harmless(device),
        harmless(user_agent),
        harmless(command),
        harmless(auth),
        harmless(class),
        harmless(residual),
    ];
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
