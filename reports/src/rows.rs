//! Classed requests to rows of JSON lines, CSV or Parquet, one at a time: memory does not follow
//! the number of rows.

use std::io::{self, BufWriter, Write};

use crate::report::RequestRow;
use crate::table::{Cell, Column, Holds, text};
use crate::{csv, parquet};

/// What `--requests` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// One JSON object a line.
    Jsonl,
    /// RFC 4180 with a header; cells that a spreadsheet would compute are neutralised.
    Csv,
    /// Parquet with times as timestamps in UTC.
    Parquet,
}

impl Rows {
    /// Every format with the word that names it on a command line.
    pub const WORDS: &'static [(&'static str, Rows)] =
        &[("jsonl", Rows::Jsonl), ("csv", Rows::Csv), ("parquet", Rows::Parquet)];

    /// The format that a word names.
    pub fn from_word(word: &str) -> Option<Rows> {
        Rows::WORDS.iter().find(|(name, _)| *name == word).map(|(_, rows)| *rows)
    }

    /// The format that the extension of a file asks for, in any case and without the dot.
    pub fn from_extension(extension: &str) -> Option<Rows> {
        match extension.to_ascii_lowercase().as_str() {
            "ndjson" => Some(Rows::Jsonl),
            word => Rows::from_word(word),
        }
    }
}

/// The columns in their order, which is the order of the fields of [`RequestRow`].
pub const TYPED: [Column; 20] = [
    ("path", Holds::Text),
    ("line", Holds::Number),
    ("server", Holds::Text),
    ("pool", Holds::Text),
    ("protocol", Holds::Text),
    ("account", Holds::Text),
    ("change", Holds::Text),
    ("kind", Holds::Text),
    ("start", Holds::Time),
    ("end", Holds::Time),
    ("status", Holds::Text),
    ("win32", Holds::Number),
    ("name", Holds::Text),
    ("client_ip", Holds::Text),
    ("device", Holds::Text),
    ("user_agent", Holds::Text),
    ("command", Holds::Text),
    ("auth", Holds::Text),
    ("class", Holds::Text),
    ("residual", Holds::Text),
];

/// Their names.
pub const COLUMNS: [&str; TYPED.len()] = {
    let (mut names, mut index) = ([""; TYPED.len()], 0);
    while index < TYPED.len() {
        names[index] = TYPED[index].0;
        index += 1;
    }
    names
};

/// A request as a row.
pub fn cells(row: &RequestRow) -> Vec<Cell<'_>> {
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
    vec![
        text(path),
        exact(*line),
        text(server),
        text(pool),
        text(*protocol),
        text(account),
        text(change),
        text(*kind),
        Cell::Time(*start),
        Cell::Time(*end),
        text(status),
        win32.map_or(Cell::Empty, exact),
        text(name),
        text(client_ip),
        text(device),
        text(user_agent),
        text(command),
        text(auth),
        text(*class),
        text(*residual),
    ]
}

/// A number of a log; as text where it is larger than any that a cell holds.
fn exact(n: u64) -> Cell<'static> {
    i64::try_from(n).map_or_else(|_| text(n.to_string()), Cell::Number)
}

/// Writes rows as they come; `finish` must be called, or the end of the file is missing.
pub struct RowWriter {
    sink: Sink,
}

enum Sink {
    Jsonl(BufWriter<Box<dyn Write + Send>>),
    Csv(Box<csv::Writer>),
    Parquet(Box<parquet::Writer>),
}

impl RowWriter {
    /// Begins a file of rows: the header is written, so that a file without rows is a file too.
    pub fn new(rows: Rows, to: Box<dyn Write + Send>) -> io::Result<RowWriter> {
        let sink = match rows {
            Rows::Jsonl => Sink::Jsonl(BufWriter::new(to)),
            Rows::Csv => Sink::Csv(Box::new(csv::begin(to)?)),
            Rows::Parquet => Sink::Parquet(Box::new(parquet::Writer::begin(to)?)),
        };
        Ok(RowWriter { sink })
    }

    /// Writes one row.
    pub fn row(&mut self, row: &RequestRow) -> io::Result<()> {
        match &mut self.sink {
            Sink::Jsonl(to) => {
                serde_json::to_writer(&mut *to, row)?;
                to.write_all(b"\n")
            }
            Sink::Csv(to) => csv::record(to, &cells(row)),
            Sink::Parquet(to) => to.row(row),
        }
    }

    /// Writes what is still held back, and the end of the file.
    pub fn finish(self) -> io::Result<()> {
        match self.sink {
            Sink::Jsonl(mut to) => to.flush(),
            Sink::Csv(mut to) => to.flush(),
            Sink::Parquet(to) => to.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_extensions() {
        for (word, rows) in Rows::WORDS {
            assert_eq!(Rows::from_word(word), Some(*rows));
            assert_eq!(Rows::from_extension(&word.to_uppercase()), Some(*rows));
        }
        assert_eq!(Rows::from_extension("ndjson"), Some(Rows::Jsonl));
        assert_eq!(Rows::from_extension("json"), None);
    }
}
