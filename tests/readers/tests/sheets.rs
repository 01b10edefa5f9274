//! The workbook as a spreadsheet reads it: real times, text that is text, nothing computed, and the figures of the
//! report.

mod program;

use calamine::{Data, Range, Reader, Xlsx, open_workbook};
use program::{Written, analyze, list, stories};
use serde_json::Value;
use std::fs::File;
use std::io::BufReader;

const SHEETS: [&str; 7] =
    ["Summary", "Findings", "Paths", "Requests", "Changes", "Coverage", "Sources"];

type Book = Xlsx<BufReader<File>>;

fn book(written: &Written) -> Book {
    open_workbook(written.path("report.xlsx")).unwrap()
}

/// The rows below the header, by the name of their columns.
struct Rows(Range<Data>);

impl Rows {
    fn of(book: &mut Book, sheet: &str) -> Rows {
        Rows(book.worksheet_range(sheet).unwrap())
    }

    fn len(&self) -> usize {
        self.0.height() - 1
    }

    fn cell(&self, row: usize, column: &str) -> &Data {
        let header = self.0.rows().next().unwrap();
        let at = header.iter().position(|cell| cell.to_string() == column);
        let at = at.unwrap_or_else(|| panic!("no column {column} in {header:?}"));
        self.0.get((row + 1, at)).unwrap()
    }

    fn text(&self, row: usize, column: &str) -> String {
        match self.cell(row, column) {
            Data::String(text) => text.clone(),
            Data::Empty => String::new(),
            other => panic!("{column}: {other:?} is no text"),
        }
    }

    fn number(&self, row: usize, column: &str) -> f64 {
        match self.cell(row, column) {
            Data::Float(number) => *number,
            other => panic!("{column}: {other:?} is no number"),
        }
    }

    /// Microseconds since 1970 of a cell that Excel shows as a time.
    fn time(&self, row: usize, column: &str) -> i64 {
        match self.cell(row, column) {
            // A serial number of days holds a time to a few microseconds, and no log tells less than a millisecond.
            Data::DateTime(time) => ((time.as_f64() - 25_569.0) * 86_400e3).round() as i64 * 1_000,
            other => panic!("{column}: {other:?} is no time"),
        }
    }
}

fn micros(value: &Value) -> i64 {
    program::time(value.as_str().unwrap())
}

#[test]
fn every_story_is_told_as_in_the_report() {
    let mut n_requests = 0;
    for story in stories() {
        let written = analyze(&format!("samples/scenarios/{story}"));
        let (report, mut book) = (written.json("report.json"), book(&written));
        assert_eq!(book.sheet_names(), SHEETS, "{story}");
        for sheet in SHEETS {
            let formulas = book.worksheet_formula(sheet).unwrap();
            assert!(formulas.used_cells().next().is_none(), "{story} {sheet}: computes");
        }
        findings(&report, &mut book);
        n_requests += requests(&written.lines("requests.jsonl"), &mut book);
        changes(&report, &mut book);
        rest(&report, &mut book);
    }
    assert!(n_requests > 100, "{n_requests}");
}

fn findings(report: &Value, book: &mut Book) {
    let (rows, paths) = (Rows::of(book, "Findings"), Rows::of(book, "Paths"));
    let findings = list(&report["findings"]);
    assert_eq!(rows.len(), findings.len());
    let mut n_paths = 0;
    for (at, finding) in findings.iter().enumerate() {
        assert_eq!(rows.text(at, "Account"), finding["account"]);
        assert_eq!(rows.text(at, "Residual"), finding["residual"]);
        assert_eq!(rows.number(at, "Requests"), finding["requests"].as_f64().unwrap());
        let exposure = finding["exposure_seconds"].as_f64().unwrap();
        assert_eq!(rows.number(at, "Exposure seconds"), exposure);
        for (column, field) in
            [("At (UTC)", "at"), ("First (UTC)", "first"), ("Last (UTC)", "last")]
        {
            assert_eq!(rows.time(at, column), micros(&finding[field]), "{column}");
        }
        for path in list(&finding["paths"]) {
            assert_eq!(paths.text(n_paths, "Finding"), finding["id"]);
            for (column, field) in [("Server", "server"), ("Pool", "pool"), ("Name", "name")] {
                assert_eq!(paths.text(n_paths, column), path[field], "{column}");
            }
            assert_eq!(paths.number(n_paths, "Requests"), path["requests"].as_f64().unwrap());
            let lines = paths.text(n_paths, "Evidence");
            assert_eq!(lines.lines().count(), list(&path["evidence"]).len());
            n_paths += 1;
        }
    }
    assert_eq!(paths.len(), n_paths);
}

fn requests(lines: &[Value], book: &mut Book) -> usize {
    let rows = Rows::of(book, "Requests");
    assert_eq!(rows.len(), lines.len());
    for (at, line) in lines.iter().enumerate() {
        for (column, field) in [
            ("Path", "path"),
            ("Account", "account"),
            ("Name", "name"),
            ("Device", "device"),
            ("User agent", "user_agent"),
            ("Client IP", "client_ip"),
            ("Class", "class"),
            ("Status", "status"),
        ] {
            assert_eq!(rows.text(at, column), line[field], "{column}");
        }
        assert_eq!(rows.time(at, "Start (UTC)"), micros(&line["start"]));
        assert_eq!(rows.time(at, "End (UTC)"), micros(&line["end"]));
        assert_eq!(rows.number(at, "Line"), line["line"].as_f64().unwrap());
    }
    lines.len()
}

fn changes(report: &Value, book: &mut Book) {
    let rows = Rows::of(book, "Changes");
    let changes = list(&report["changes"]);
    assert_eq!(rows.len(), changes.len());
    for (at, change) in changes.iter().enumerate() {
        assert_eq!(rows.text(at, "Change"), change["id"]);
        assert_eq!(rows.text(at, "Account"), change["account"]);
        assert_eq!(rows.time(at, "At (UTC)"), micros(&change["at"]));
        let actor = change["actor"].as_str().unwrap_or_default();
        assert_eq!(rows.text(at, "Actor"), actor);
    }
}

fn rest(report: &Value, book: &mut Book) {
    let coverage = list(&report["coverage"]);
    let n_holes: usize = coverage.iter().map(|log| list(&log["gaps"]).len()).sum();
    assert_eq!(Rows::of(book, "Coverage").len(), coverage.len() + n_holes);
    let sources = Rows::of(book, "Sources");
    assert_eq!(sources.len(), list(&report["sources"]).len());
    for (at, source) in list(&report["sources"]).iter().enumerate() {
        assert_eq!(sources.text(at, "Path"), source["path"]);
        assert_eq!(sources.text(at, "SHA256"), source["sha256"]);
        assert_eq!(sources.number(at, "Records"), source["records"].as_f64().unwrap());
    }
    let summary = book.worksheet_range("Summary").unwrap();
    let count = |label: &str| {
        let mut rows = summary.rows().filter(|row| row[0] == Data::String(label.into()));
        match &rows.next().unwrap_or_else(|| panic!("no {label}"))[1] {
            Data::Float(number) => *number as usize,
            other => panic!("{label}: {other:?}"),
        }
    };
    assert_eq!(count("Findings"), list(&report["findings"]).len());
    assert_eq!(count("Changes"), list(&report["changes"]).len());
}
