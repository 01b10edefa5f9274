//! Tables: rows of cells to CSV and to Parquet. What a column is called and holds is said once, for every format.

use std::borrow::Cow;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use polars::prelude::*;

use crate::csv;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Empty,
    /// Text, of a log or of ours.
    Text(Cow<'a, str>),
    /// A whole number.
    Number(i64),
    /// A time.
    Time(DateTime<Utc>),
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Text.
    Text,
    /// Whole numbers.
    Number,
    /// Times.
    Time,
}

/// The name of a column, and what it holds.
pub type Column = (&'static str, Holds);

/// Rows under columns.
#[derive(Debug)]
pub struct Table<'a> {
    /// Its columns.
    pub columns: &'a [Column],
    /// A cell for each column in each row.
    pub rows: Vec<Vec<Cell<'a>>>,
}

/// A cell of text.
pub fn text<'a>(text: impl Into<Cow<'a, str>>) -> Cell<'a> {
    Cell::Text(text.into())
}

/// A cell of text that may be missing.
pub fn maybe_text(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Empty, |text| Cell::Text(text.into()))
}

/// A cell of a number. What no table of these formats can hold is its largest number.
pub fn number(n: u64) -> Cell<'static> {
    Cell::Number(i64::try_from(n).unwrap_or(i64::MAX))
}

/// A cell of a time that may be missing.
pub fn maybe_time(time: Option<DateTime<Utc>>) -> Cell<'static> {
    time.map_or(Cell::Empty, Cell::Time)
}

/// Things as JSON in one cell: neither a separator nor a quote in them is taken for anything else.
pub fn json<T: serde::Serialize>(things: &T) -> io::Result<Cell<'static>> {
    Ok(Cell::Text(serde_json::to_string(things)?.into()))
}

impl Table<'_> {
    /// Writes it as CSV with a header, harmless where a spreadsheet opens it.
    pub fn csv(&self, to: &mut dyn Write) -> io::Result<()> {
        let mut to = ::csv::Writer::from_writer(to);
        let header = self.columns.iter().map(|(name, _)| *name);
        to.write_record(header).map_err(csv::io_error)?;
        for row in &self.rows {
            csv::record(&mut to, row)?;
        }
        to.flush()
    }

    /// Writes it as Parquet, with times as timestamps in UTC.
    pub fn parquet(&self, to: &mut dyn Write) -> io::Result<()> {
        let columns = self.columns.iter().enumerate().map(|(i, column)| self.column(i, *column));
        let frame = DataFrame::new(self.rows.len(), columns.collect());
        let polars_error = |error: PolarsError| io::Error::other(error.to_string());
        let mut frame = frame.map_err(polars_error)?;
        // On the caller's thread: polars' own pool would only wait for it.
        let writer = ParquetWriter::new(to).set_parallel(false);
        writer.finish(&mut frame).map(|_| ()).map_err(polars_error)
    }

    fn column(&self, index: usize, (name, holds): Column) -> polars::prelude::Column {
        let cells = || self.rows.iter().map(|row| row.get(index).unwrap_or(&Cell::Empty));
        let number = |cell: &Cell| match cell {
            Cell::Number(n) => Some(*n),
            Cell::Time(time) => Some(time.timestamp_micros()),
            Cell::Empty | Cell::Text(_) => None,
        };
        let numbers = || cells().map(number).collect::<Int64Chunked>().with_name(name.into());
        match holds {
            Holds::Number => numbers().into_column(),
            Holds::Time => {
                numbers().into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column()
            }
            Holds::Text => {
                let text = |cell: &'_ Cell| match cell {
                    Cell::Text(text) => Some(text.to_string()),
                    _ => None,
                };
                polars::prelude::Column::new(name.into(), cells().map(text).collect::<Vec<_>>())
            }
        }
    }
}
