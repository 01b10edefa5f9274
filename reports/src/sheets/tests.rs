//! A sheet that is full says so; the same report gives the same bytes.

use super::*;
use crate::fields::Class;

fn rows(n: u64) -> impl Iterator<Item = RequestRow> {
    let time: DateTime<Utc> = "2026-03-02T09:00:00Z".parse().unwrap();
    (0..n).map(move |line| RequestRow {
        path: "u_ex260302.log".into(),
        line,
        server: "EX01".into(),
        pool: "MSExchangeSyncAppPool".into(),
        protocol: "eas",
        account: "FABRIKAM\\ada".into(),
        change: "c1".into(),
        kind: "disabled",
        start: time,
        end: time,
        status: "200.0".into(),
        win32: None,
        name: "=1+1".into(),
        client_ip: String::new(),
        device: "http://evil.example".into(),
        user_agent: "x".repeat(40_000),
        command: String::new(),
        auth: String::new(),
        class: Class::WORDS[0],
        residual: "no",
    })
}

fn left_out(n: u64, most_rows: u32) -> u64 {
    let mut workbook = Workbook::new();
    let mut sheet = workbook.new_worksheet_with_constant_memory().unwrap();
    let left_out = requests(&mut sheet, &Formats::new(), rows(n), most_rows).unwrap();
    workbook.push_worksheet(sheet);
    workbook.save_to_buffer().unwrap();
    left_out
}

#[test]
fn what_does_not_fit_is_counted() {
    assert_eq!(left_out(0, 10), 0);
    assert_eq!(left_out(10, 10), 0);
    // The last row is the note.
    assert_eq!(left_out(11, 10), 2);
    assert_eq!(left_out(25, 10), 16);
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

fn report() -> Report {
    let text = include_str!("../../../samples/scenarios/leaver/expected.json");
    crate::read(text.as_bytes()).unwrap()
}

#[test]
fn what_is_excluded_stands_on_the_first_sheet() {
    let mut report = report();
    report.findings.clear();
    let texts = |report: &Report| -> Vec<String> {
        let blocks = tables::summary(report);
        let cells = blocks.into_iter().flat_map(|block| block.rows).flatten();
        cells.map(|cell| format!("{cell:?}")).collect()
    };
    let has = |report: &Report, what: &str| texts(report).iter().any(|text| text.contains(what));
    assert!(has(&report, "No residual access after") && !has(&report, "excluded"));
    report.excluded = 2;
    assert!(has(&report, "No residual access beyond 2 excluded findings after"));
    assert!(has(&report, "Findings that are excluded"));
}

#[test]
fn a_full_disk_is_an_error() {
    assert!(write(&report(), rows(3), &mut Full).is_err());
}

#[test]
fn same_report_same_bytes() {
    let written = || {
        let mut out = Vec::new();
        write(&report(), rows(100), &mut out).unwrap();
        out
    };
    let once = written();
    assert!(once.starts_with(b"PK"));
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert!(once == written());
}

/// A disk that is full at any place is one error, and no panic.
#[test]
fn a_full_disk() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let n = bytes.len().min(self.0);
            self.0 -= n;
            if n == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(n) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let report = report();
    for room in [0, 1, 100, 4000] {
        let error = write(&report, std::iter::empty(), &mut Full(room)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{room}");
    }
}
