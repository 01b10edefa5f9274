//! A report to JSON: exactly its serialisation, two spaces a level, and a newline at the end.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

/// Writes any of the report's types.
pub fn write<T: Serialize>(value: &T, to: &mut dyn Write) -> io::Result<()> {
    let mut to = BufWriter::new(to);
    serde_json::to_writer_pretty(&mut to, value)?;
    to.write_all(b"\n")?;
    to.flush()
}
