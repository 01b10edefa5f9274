//! A report to JSON: exactly its serialisation, two spaces a level, and a newline at the end. And back.

use std::io::{self, BufWriter, Write};

use serde::{Deserialize, Serialize};

use crate::report::{Report, SCHEMA};

/// Writes any of the report's types.
pub fn write<T: Serialize>(value: &T, to: &mut dyn Write) -> io::Result<()> {
    let mut to = BufWriter::new(to);
    serde_json::to_writer_pretty(&mut to, value)?;
    to.write_all(b"\n")?;
    to.flush()
}

/// Writes things as JSON, one a line.
pub fn lines<T: Serialize>(
    things: impl IntoIterator<Item = T>,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut to = BufWriter::new(to);
    for thing in things {
        serde_json::to_writer(&mut to, &thing)?;
        to.write_all(b"\n")?;
    }
    to.flush()
}

/// Reads what [`write()`] wrote; the error says what it is instead.
pub fn read(bytes: &[u8]) -> Result<Report, String> {
    #[derive(Deserialize)]
    struct Any {
        schema: String,
    }
    match serde_json::from_slice(bytes) {
        Ok(Any { schema }) if schema == SCHEMA => {}
        _ => return Err(format!("no report of stillin ({SCHEMA})")),
    }
    serde_json::from_slice(bytes).map_err(|error| format!("a report that is not whole: {error}"))
}
