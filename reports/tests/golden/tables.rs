//! The findings of every story as CSV, Parquet and JSON lines, read back: each is the report again.

use std::io;
use std::path::{Path, PathBuf};

use polars::prelude::*;
use serde_json::Value;
use stillin_reports::plan::Plan;
use stillin_reports::report::Report;
use stillin_reports::table::{Column, Holds};
use stillin_reports::{Content, Output, Style, Tabular, exposure, findings, read, write};

use crate::story;

fn reports() -> Vec<(PathBuf, Report)> {
    let mut reports = vec![
        (PathBuf::from("story"), story::story()),
        (PathBuf::from("hostile"), story::hostile()),
        (PathBuf::from("empty"), story::empty()),
    ];
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/scenarios")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("expected.json") {
                let report = read(&std::fs::read(&path).unwrap()).unwrap();
                reports.push((path, report));
            }
        }
    }
    assert!(reports.len() > 20, "{}", reports.len());
    reports
}

fn written(report: &Report, output: Output) -> Vec<u8> {
    let mut out = Vec::new();
    let plan = Plan::of(report);
    write(Content::of(report, &plan), output, Style::default(), &mut out).unwrap();
    out
}

fn lines(report: &Report, output: Output) -> Vec<Value> {
    let text = String::from_utf8(written(report, output)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A field of a line as a cell has it: a list is JSON.
fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn micros(value: &Value) -> Option<i64> {
    let time: chrono::DateTime<chrono::Utc> = value.as_str()?.parse().unwrap();
    Some(time.timestamp_micros())
}

fn check(name: &Path, report: &Report, of: fn(Tabular) -> Output, columns: &[Column]) -> usize {
    let lines = lines(report, of(Tabular::Jsonl));
    for line in &lines {
        assert_eq!(line.as_object().unwrap().len(), columns.len(), "{}", name.display());
    }

    let out = written(report, of(Tabular::Csv));
    let mut csv = csv::Reader::from_reader(out.as_slice());
    let header: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    assert_eq!(csv.headers().unwrap(), header, "{}", name.display());
    let records: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), lines.len(), "{}", name.display());
    for (record, line) in records.iter().zip(&lines) {
        for (found, (column, holds)) in record.iter().zip(columns) {
            let expected = cell(&line[column]).unwrap_or_default();
            if *holds != Holds::Number {
                let begins = found.chars().next().unwrap_or(' ');
                assert!(!"=+-@\t\r\n＝＋－＠".contains(begins), "{column}: {found:?}");
            }
            let found = if found == expected { found } else { found.strip_prefix('\'').unwrap() };
            assert_eq!(found, expected, "{} {column}", name.display());
        }
    }

    let out = written(report, of(Tabular::Parquet));
    let frame = ParquetReader::new(io::Cursor::new(out)).finish().unwrap();
    let names: Vec<&str> = frame.get_column_names().iter().map(|name| name.as_str()).collect();
    assert_eq!(names, header, "{}", name.display());
    assert_eq!(frame.height(), lines.len(), "{}", name.display());
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    for (column, holds) in columns {
        let series = frame.column(column).unwrap();
        let expected = match holds {
            Holds::Text => DataType::String,
            Holds::Number => DataType::Int64,
            Holds::Time => utc.clone(),
        };
        assert_eq!(series.dtype(), &expected, "{} {column}", name.display());
        for (at, line) in lines.iter().enumerate() {
            let field = &line[column];
            match (series.get(at).unwrap(), holds) {
                (AnyValue::Null, _) => assert!(field.is_null(), "{} {column}", name.display()),
                (
                    AnyValue::Datetime(found, ..) | AnyValue::DatetimeOwned(found, ..),
                    Holds::Time,
                ) => {
                    assert_eq!(Some(found), micros(field), "{} {column}", name.display());
                }
                (AnyValue::Int64(found), Holds::Number) => {
                    assert_eq!(Some(found), field.as_i64(), "{} {column}", name.display());
                }
                (found, _) => {
                    let found = found.get_str().map(str::to_owned);
                    assert_eq!(found, cell(field), "{} {column}", name.display());
                }
            }
        }
    }
    lines.len()
}

#[test]
fn every_table_of_every_story() {
    let (mut n_paths, mut n_exposures) = (0, 0);
    for (name, report) in reports() {
        let n = check(&name, &report, Output::Findings, &findings::COLUMNS);
        let paths: usize = report.findings.iter().map(|finding| finding.paths.len()).sum();
        assert_eq!(n, paths, "{}", name.display());
        n_paths += n;
        n_exposures += check(&name, &report, Output::Exposure, &exposure::COLUMNS);
    }
    assert!(n_paths > 30 && n_exposures > 30, "{n_paths} {n_exposures}");
}

/// Where a finding has one path, or the last of several, exposure says of it what the finding does.
#[test]
fn exposure_lasts_as_long_as_the_finding() {
    let mut n_compared = 0;
    for (name, report) in reports() {
        let rows = exposure::rows(&report);
        for finding in report.findings.iter().filter(|finding| finding.exposure_seconds > 0) {
            let own = |other: &&stillin_reports::report::Finding| other.account == finding.account;
            // An account with one finding, and paths that are all as sure as it is.
            let is_alone = report.findings.iter().filter(own).count() == 1;
            let is_sure = finding.paths.iter().all(|path| path.residual == finding.residual);
            if is_alone && is_sure {
                let longest = rows.iter().filter(|row| row.account == finding.account);
                let longest = longest.map(|row| row.lasted_seconds).max().unwrap();
                // What lies before the change by another clock counts as nothing here.
                if longest > 0 {
                    assert_eq!(longest, finding.exposure_seconds, "{}", name.display());
                    n_compared += 1;
                }
            }
        }
    }
    assert!(n_compared > 15, "{n_compared}");
}
