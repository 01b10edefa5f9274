//! Rows of `--requests` in each format, read back.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use polars::prelude::*;
use serde_json::Value;
use stillin_reports::report::{RequestRow, rfc3339};
use stillin_reports::{COLUMNS, RowWriter, Rows};

use crate::golden;
use crate::story::{self, HOSTILE};

/// A file in memory that can be looked at after it was given away, with the largest piece written.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn written(format: Rows, rows: &[RequestRow]) -> Vec<u8> {
    let file = Shared::default();
    let mut writer = RowWriter::new(format, Box::new(file.clone())).unwrap();
    for row in rows {
        writer.row(row).unwrap();
    }
    writer.finish().unwrap();
    file.0.lock().unwrap().clone()
}

fn json(row: &RequestRow) -> Value {
    serde_json::to_value(row).unwrap()
}

#[test]
fn columns_are_the_fields_in_their_order() {
    let row = serde_json::to_string(&story::rows()[0]).unwrap();
    let mut rest = row.as_str();
    for column in COLUMNS {
        let at = rest.find(&format!("\"{column}\":")).expect(column);
        assert!(at <= 1 || rest[..at].ends_with(','), "{column} in {row}");
        rest = &rest[at + column.len() + 3..];
    }
    assert_eq!(json(&story::rows()[0]).as_object().unwrap().len(), COLUMNS.len());
}

#[test]
fn jsonl() {
    let rows = story::rows();
    let out = written(Rows::Jsonl, &rows);
    golden("rows.jsonl", &out);
    let lines: Vec<&[u8]> = out.strip_suffix(b"\n").unwrap().split(|b| *b == b'\n').collect();
    assert_eq!(lines.len(), rows.len());
    for (line, row) in lines.iter().zip(&rows) {
        assert_eq!(serde_json::from_slice::<Value>(line).unwrap(), json(row));
    }
    assert_eq!(serde_json::from_slice::<Value>(lines[2]).unwrap()["win32"], Value::Null);
    assert_eq!(written(Rows::Jsonl, &[]), b"");
}

#[test]
fn csv_reads_back() {
    let rows = story::rows();
    let out = written(Rows::Csv, &rows);
    golden("rows.csv", &out);
    let mut reader = csv::Reader::from_reader(out.as_slice());
    assert_eq!(reader.headers().unwrap(), COLUMNS.as_slice());
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), rows.len());
    for (record, row) in records.iter().zip(&rows) {
        let row = json(row);
        for (cell, column) in record.iter().zip(COLUMNS) {
            let begins = cell.chars().next().unwrap_or(' ');
            assert!(!"=+-@\t\r".contains(begins), "{column}: {cell:?}");
            let value = match &row[column] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                number => number.to_string(),
            };
            assert_eq!(cell.strip_prefix('\'').unwrap_or(cell), value, "{column}");
        }
    }
    let name = COLUMNS.iter().position(|column| *column == "name").unwrap();
    assert_eq!(records[1][name], format!("'{HOSTILE}"));
    assert_eq!(written(Rows::Csv, &[]), format!("{}\n", COLUMNS.join(",")).into_bytes());
}

fn frame(bytes: Vec<u8>) -> DataFrame {
    ParquetReader::new(io::Cursor::new(bytes)).finish().unwrap()
}

#[test]
fn parquet_reads_back() {
    let rows = story::rows();
    let frame = frame(written(Rows::Parquet, &rows));
    let names: Vec<&str> = frame.get_column_names().iter().map(|name| name.as_str()).collect();
    assert_eq!(names, COLUMNS);
    assert_eq!(frame.height(), rows.len());
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    for column in COLUMNS {
        let series = frame.column(column).unwrap();
        match column {
            "line" | "win32" => assert_eq!(series.dtype(), &DataType::UInt64),
            "start" | "end" => assert_eq!(series.dtype(), &utc),
            _ => assert_eq!(series.dtype(), &DataType::String),
        }
        for (i, row) in rows.iter().enumerate() {
            let expect = match column {
                "start" => {
                    AnyValue::Datetime(row.start.timestamp_micros(), TimeUnit::Microseconds, None)
                }
                "end" => {
                    AnyValue::Datetime(row.end.timestamp_micros(), TimeUnit::Microseconds, None)
                }
                "line" => AnyValue::UInt64(row.line),
                "win32" => row.win32.map_or(AnyValue::Null, AnyValue::UInt64),
                _ => AnyValue::StringOwned(json(row)[column].as_str().unwrap().into()),
            };
            match (series.get(i).unwrap(), expect) {
                (
                    AnyValue::Datetime(got, TimeUnit::Microseconds, _),
                    AnyValue::Datetime(want, ..),
                ) => {
                    assert_eq!(got, want, "{column} {i}")
                }
                (got, want) => assert_eq!(got, want, "{column} {i}"),
            }
        }
    }
    assert_eq!(frame.column("win32").unwrap().null_count(), 1);
}

#[test]
fn parquet_without_rows_has_its_columns() {
    let frame = frame(written(Rows::Parquet, &[]));
    assert_eq!((frame.height(), frame.width()), (0, COLUMNS.len()));
}

#[test]
fn parquet_is_written_in_row_groups_and_in_order() {
    let file = Shared::default();
    let mut writer = RowWriter::new(Rows::Parquet, Box::new(file.clone())).unwrap();
    let mut row = story::rows().remove(0);
    let mut before_the_end = 0;
    for line in 0..150_000 {
        row.line = line;
        writer.row(&row).unwrap();
        before_the_end = file.0.lock().unwrap().len();
    }
    // Two full groups are out already: memory holds one at most.
    assert!(before_the_end > 10_000, "{before_the_end}");
    writer.finish().unwrap();
    let bytes = file.0.lock().unwrap().clone();
    let mut reader = ParquetReader::new(io::Cursor::new(bytes.clone()));
    let groups = &reader.get_metadata().unwrap().row_groups;
    let sizes: Vec<usize> = groups.iter().map(|group| group.num_rows()).collect();
    assert_eq!(sizes, [65_536, 65_536, 18_928]);
    let frame = frame(bytes);
    let lines = frame.column("line").unwrap().u64().unwrap();
    assert!(lines.into_no_null_iter().eq(0..150_000));
}

#[test]
fn parquet_groups_are_bounded_by_bytes_too() {
    let mut row = story::rows().remove(0);
    row.user_agent = "x".repeat(64 * 1024);
    let bytes = written(Rows::Parquet, &vec![row; 1_100]);
    let mut reader = ParquetReader::new(io::Cursor::new(bytes));
    let groups = &reader.get_metadata().unwrap().row_groups;
    assert_eq!(groups.len(), 3);
}

/// A disk that is full.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error() {
    for (word, format) in Rows::WORDS {
        let result = RowWriter::new(*format, Box::new(Full)).and_then(|mut writer| {
            writer.row(&story::rows()[0])?;
            writer.finish()
        });
        let error = result.expect_err(word);
        let kept = error.kind() == io::ErrorKind::StorageFull;
        assert!(kept || *format == Rows::Parquet, "{word}: {error:?}");
    }
}

#[test]
fn times_are_written_alike_everywhere() {
    let row = &story::rows()[0];
    assert_eq!(rfc3339(&row.start), "2026-03-02T08:47:11.020Z");
    assert_eq!(rfc3339(&row.end), "2026-03-02T09:02:11Z");
}
