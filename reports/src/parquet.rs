//! Rows to Parquet: columns of text, whole numbers and timestamps in UTC, in row groups of bounded
//! size, so that memory follows the row group and not the file.

use std::io::{self, BufWriter, Write};

use polars::prelude::*;

use crate::report::RequestRow;

/// A row group is full at this many rows …
const GROUP_ROWS: usize = 65_536;

/// … or at this many bytes of text: a user agent alone may have 64 KiB.
const GROUP_BYTES: usize = 32 << 20;

/// A Parquet file being written.
pub struct Writer {
    to: BatchedWriter<BufWriter<Box<dyn Write + Send>>>,
    group: Vec<RequestRow>,
    bytes: usize,
}

impl Writer {
    /// Begins a file; its schema does not depend on the rows.
    pub fn begin(to: Box<dyn Write + Send>) -> io::Result<Writer> {
        let schema = columns(&[]).map_err(io_error)?.schema().clone();
        let to = ParquetWriter::new(BufWriter::new(to))
            // On the caller's thread: polars' own pool would only wait for it.
            .set_parallel(false)
            .batched(&schema)
            .map_err(io_error)?;
        Ok(Writer { to, group: Vec::new(), bytes: 0 })
    }

    /// Takes one row, and writes a row group when it is full.
    pub fn row(&mut self, row: &RequestRow) -> io::Result<()> {
        self.bytes += size(row);
        self.group.push(row.clone());
        if self.group.len() >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.flush_group()?;
        }
        Ok(())
    }

    /// Writes the last row group and the footer.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush_group()?;
        self.to.finish().map_err(io_error)?; // flushes
        Ok(())
    }

    fn flush_group(&mut self) -> io::Result<()> {
        let group = columns(&self.group).map_err(io_error)?;
        self.to.write_batch(&group).map_err(io_error)?;
        self.group.clear();
        self.bytes = 0;
        Ok(())
    }
}

/// Bytes of a row's own text: names that the program itself gave are not counted.
fn size(row: &RequestRow) -> usize {
    [
        &row.path,
        &row.server,
        &row.pool,
        &row.account,
        &row.change,
        &row.status,
        &row.name,
        &row.client_ip,
        &row.device,
        &row.user_agent,
        &row.command,
        &row.auth,
    ]
    .iter()
    .map(|text| text.len())
    .sum()
}

/// Rows as columns, in the order of [`crate::COLUMNS`].
fn columns(rows: &[RequestRow]) -> PolarsResult<DataFrame> {
    let text = |name: &str, value: fn(&RequestRow) -> &str| {
        Column::new(name.into(), rows.iter().map(value).collect::<Vec<_>>())
    };
    let time = |name: &str, value: fn(&RequestRow) -> i64| {
        Int64Chunked::from_vec(name.into(), rows.iter().map(value).collect())
            .into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
            .into_column()
    };
    let columns = vec![
        text("path", |row| &row.path),
        Column::new("line".into(), rows.iter().map(|row| row.line).collect::<Vec<_>>()),
        text("server", |row| &row.server),
        text("pool", |row| &row.pool),
        text("protocol", |row| row.protocol),
        text("account", |row| &row.account),
        text("change", |row| &row.change),
        text("kind", |row| row.kind),
        time("start", |row| row.start.timestamp_micros()),
        time("end", |row| row.end.timestamp_micros()),
        text("status", |row| &row.status),
        Column::new("win32".into(), rows.iter().map(|row| row.win32).collect::<Vec<_>>()),
        text("name", |row| &row.name),
        text("client_ip", |row| &row.client_ip),
        text("device", |row| &row.device),
        text("user_agent", |row| &row.user_agent),
        text("command", |row| &row.command),
        text("auth", |row| &row.auth),
        text("class", |row| row.class),
        text("residual", |row| row.residual),
    ];
    DataFrame::new(rows.len(), columns)
}

/// Polars keeps only the words of an error of the disk.
fn io_error(error: PolarsError) -> io::Error {
    io::Error::other(error.to_string())
}
