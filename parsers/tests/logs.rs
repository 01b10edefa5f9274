//! Every sample of a log, and every real log where the folder of real files is there, with what it is
//! taken for and what becomes of its lines.

mod pinned;

use pinned::{Pinned, counted, folder, misfits, names, read, real};
use stillin_parsers::kind::Kind;
use stillin_parsers::w3c::{self, Column, Line, State};

/// Packed, or not in UTF-8 without a mark: the parsers never see these bytes.
const DECODED_ELSEWHERE: &[&str] = &[
    "logs.zip",
    "u_ex260302.log.gz",
    "u_ex260302.log.zst",
    "utf16be.log",
    "utf16le.log",
    "utf8-bom.log",
];

const IIS: Kind = Kind::IisW3c;
const NO_FIELDS: &str = "1: data before any #Fields line; is the head of the file cut off?";

#[rustfmt::skip]
const SAMPLES: &[Pinned] = &[
    ("ansi-cp1252.log",                IIS,           [ 6, 2, 4, 0, 0, 0, 0], ""),
    ("base64-eas.log",                 IIS,           [ 7, 3, 4, 0, 0, 0, 0], ""),
    ("broken-utf8.log",                IIS,           [ 7, 3, 4, 0, 0, 0, 0], ""),
    ("central-logging.log",            IIS,           [ 7, 3, 4, 0, 0, 0, 0], ""),
    ("cut-in-the-middle.log",          IIS,           [ 9, 2, 4, 0, 3, 0, 0], NO_FIELDS),
    ("empty.log",                      Kind::Unknown, [ 0, 0, 0, 0, 0, 0, 0], ""),
    ("fields-end-in-blank.log",        IIS,           [ 7, 3, 4, 0, 0, 0, 0], ""),
    ("fields-in-other-order.log",      IIS,           [ 6, 2, 4, 0, 0, 0, 0], ""),
    ("firewall.log",                   Kind::Unknown, [ 5, 1, 4, 0, 0, 0, 0], ""),
    ("header-only.log",                IIS,           [ 4, 0, 4, 0, 0, 0, 0], ""),
    ("hostile-text.log",               IIS,           [10, 6, 4, 0, 0, 0, 0], ""),
    ("httperr.log",                    Kind::Httperr, [ 7, 3, 4, 0, 0, 0, 0], ""),
    ("iis-native.log",                 Kind::Unknown, [ 2, 0, 0, 0, 2, 0, 0], NO_FIELDS),
    ("ipv6-zone.log",                  IIS,           [ 7, 3, 4, 0, 0, 0, 0], ""),
    ("line-of-64-kib.log",             IIS,           [ 7, 2, 4, 0, 1, 0, 0], "6: 6 values for 15 fields (#Fields at line 4)"),
    ("milliseconds.log",               IIS,           [ 7, 3, 4, 0, 0, 0, 0], ""),
    ("mixed-line-ends.log",            IIS,           [10, 4, 4, 2, 0, 0, 0], ""),
    ("ncsa.log",                       Kind::Unknown, [ 2, 0, 0, 0, 2, 0, 0], NO_FIELDS),
    ("no-date-at-all.log",             IIS,           [ 4, 0, 3, 0, 1, 0, 0], "4: date is missing"),
    ("no-date-column.log",             IIS,           [11, 3, 8, 0, 0, 0, 0], ""),
    ("no-fields.log",                  Kind::Unknown, [ 3, 0, 0, 0, 3, 0, 0], NO_FIELDS),
    ("no-last-newline.log",            IIS,           [ 7, 3, 4, 0, 0, 0, 0], ""),
    ("no-status.log",                  IIS,           [ 6, 2, 4, 0, 0, 0, 0], ""),
    ("no-username.log",                IIS,           [ 6, 2, 4, 0, 0, 0, 0], ""),
    ("nul-run-at-end.log",             IIS,           [ 7, 3, 4, 0, 0, 0, 1], ""),
    ("nul-run-in-a-line.log",          IIS,           [11, 2, 8, 0, 1, 0, 1], "6: 6 values for 15 fields (#Fields at line 4)"),
    ("nul-run.log",                    IIS,           [13, 5, 8, 0, 0, 0, 1], ""),
    ("only-nul.log",                   Kind::Unknown, [ 0, 0, 0, 0, 0, 0, 1], ""),
    ("quoted-advanced-logging.log",    IIS,           [ 6, 2, 4, 0, 0, 0, 0], ""),
    ("quoted-times.log",               IIS,           [ 7, 3, 4, 0, 0, 0, 0], ""),
    ("space-in-query.log",             IIS,           [ 7, 2, 4, 0, 1, 1, 0], "7: 17 values for 15 fields (#Fields at line 4)"),
    ("tabs.log",                       IIS,           [ 7, 3, 4, 0, 0, 0, 0], ""),
    ("time-going-backwards.log",       IIS,           [ 9, 5, 4, 0, 0, 0, 0], ""),
    ("too-few-values.log",             IIS,           [ 9, 2, 4, 1, 2, 0, 0], "6: 13 values for 15 fields (#Fields at line 4)"),
    ("two-blanks-before-username.log", IIS,           [ 6, 2, 4, 0, 0, 1, 0], ""),
    ("two-fields-headers.log",         IIS,           [13, 5, 8, 0, 0, 0, 0], ""),
    ("unknown-columns.log",            IIS,           [ 6, 2, 4, 0, 0, 0, 0], ""),
    ("win32-above-u32.log",            IIS,           [ 7, 3, 4, 0, 0, 0, 0], ""),
    ("wrong-status.log",               IIS,           [ 7, 1, 4, 0, 2, 0, 0], "5: sc-status is no number"),
    ("wrong-times.log",                IIS,           [12, 2, 4, 0, 6, 0, 0], "6: `2026-03-02 25:00:01` is no time"),
    ("x-forwarded-for.log",            IIS,           [ 7, 3, 4, 0, 0, 0, 0], ""),
];

/// The same of the real files, by their path below the folder of real IIS logs.
#[rustfmt::skip]
const REAL: &[Pinned] = &[
    ("plaso/iis10.log",                   IIS,           [  5,   1,   4,   0,   0,   0,   0], ""),
    ("plaso/iis10_cookies.log",           IIS,           [  7,   3,   4,   0,   0,   0,   0], ""),
    ("plaso/iis10_edge_cases.log",        IIS,           [ 19,  15,   4,   0,   0,   6,   0], ""),
    ("plaso/iis6.log",                    IIS,           [ 16,  12,   4,   0,   0,   0,   0], ""),
    ("plaso/iis7_owa.log",                IIS,           [  5,   3,   2,   0,   0,   0,   0], ""),
    ("plaso/iis7_sqli.log",               IIS,           [  6,   2,   4,   0,   0,   0,   0], ""),
    ("plaso/iis_without_date.log",        IIS,           [ 15,  11,   4,   0,   0,   0,   0], ""),
    ("lnav/logfile_w3c.0.log",            IIS,           [  5,   1,   4,   0,   0,   0,   0], ""),
    ("lnav/logfile_w3c.1.log",            IIS,           [  7,   1,   6,   0,   0,   0,   0], ""),
    ("lnav/logfile_w3c.2.log",            IIS,           [ 22,  14,   8,   0,   0,   0,   0], ""),
    ("lnav/logfile_w3c.3.log",            IIS,           [ 10,   0,   4,   3,   3,   0,   0], "8: time (UTC) is missing"),
    ("lnav/logfile_w3c.4.log",            IIS,           [  6,   1,   4,   0,   1,   0,   0], "6: sc-status is no number"),
    ("lnav/logfile_w3c.5.log",            IIS,           [  2,   0,   1,   0,   1,   0,   0], "2: 17 values for 6 fields (#Fields at line 1)"),
    ("lnav/logfile_w3c.6.log",            IIS,           [  5,   1,   4,   0,   0,   0,   0], ""),
    ("lnav/logfile_w3c_big.0.log",        IIS,           [254, 210,  44,   0,   0,   0,   0], ""),
    ("brianary-scripts/ex010320.log",     Kind::Unknown, [  2,   0,   0,   0,   2,   0,   0], NO_FIELDS),
    ("brianary-scripts/ex031118.log",     IIS,           [  8,   0,   4,   0,   4,   0,   0], "5: time (UTC) is missing"),
    ("brianary-scripts/ex960101.log",     IIS,           [  6,   5,   1,   0,   0,   0,   0], ""),
    ("brianary-scripts/pf040903.log",     Kind::Unknown, [  9,   4,   4,   1,   0,   0,   0], ""),
    ("brianary-scripts/u_ex100815.log",   IIS,           [ 56,  16,  40,   0,   0,   0,   0], ""),
    ("brianary-scripts/u_ex160110.log",   IIS,           [128,  28, 100,   0,   0,   0,   0], ""),
];

fn tally(log: &[u8]) -> pinned::Counts {
    let mut n_lines = 0;
    let (tally, _) = w3c::scan(log, &State::default(), |_, _| n_lines += 1);
    counted(&tally, n_lines)
}

#[test]
fn every_sample_is_what_it_is_pinned_as() {
    assert_eq!(misfits(&folder("iis"), SAMPLES, tally), Vec::<String>::new());
}

/// Line, time, name, status, win32 status and time-taken, `?` where there is no such column or no number in it.
fn shown(line: &Line<'_>) -> String {
    let text = |column| line.value(column).map_or("?".into(), String::from_utf8_lossy);
    let number = |column| line.number_in(column).map_or("?".to_owned(), |n| n.to_string());
    format!(
        "{} {} {} {} {} {}",
        line.number,
        line.time().format("%m-%d %T%.f"),
        text(Column::CsUsername),
        number(Column::ScStatus),
        number(Column::ScWin32Status),
        number(Column::TimeTaken)
    )
}

fn check_values(name: &str, expect: &[&str]) {
    let mut lines = Vec::new();
    w3c::scan(&read(&folder("iis").join(name)), &State::default(), |_, line| {
        lines.push(shown(line))
    });
    assert_eq!(lines, expect, "{name}");
}

#[test]
fn values_stand_where_they_belong() {
    check_values(
        "two-fields-headers.log",
        &[
            r"5 03-02 08:00:01 FABRIKAM\ada 200 0 240",
            r"6 03-02 08:15:02 FABRIKAM\ada 200 0 890000",
            r"7 03-02 08:15:04 FABRIKAM\bob 200 0 240",
            r"12 03-02 08:20:00 FABRIKAM\ada 200 0 ?",
            r"13 03-02 08:21:30 FABRIKAM\bob 401 1326 ?",
        ],
    );
    check_values(
        "quoted-times.log",
        &[
            r"5 03-02 08:00:01 FABRIKAM\ada 200 0 240",
            r"6 03-02 08:00:09 FABRIKAM\ada 200 0 241",
            r"7 03-02 08:47:30 FABRIKAM\bob 401 1326 64",
        ],
    );
    check_values(
        "fields-in-other-order.log",
        &[r"5 03-02 08:00:01 FABRIKAM\ada 200 0 240", r"6 03-02 08:00:02 FABRIKAM\bob 401 1326 31"],
    );
    check_values(
        "no-date-column.log",
        &[
            r"5 03-02 23:59:58 FABRIKAM\ada 200 ? ?",
            "6 03-02 23:59:59 - 200 ? ?",
            r"11 03-03 00:00:02 FABRIKAM\ada 200 ? ?",
        ],
    );
    check_values(
        "quoted-advanced-logging.log",
        &[
            r"5 03-02 08:00:01.125 FABRIKAM\ada 200 0 240",
            r"6 03-02 08:00:02.500 FABRIKAM\bob van Dam 200 0 64",
        ],
    );
    check_values(
        "mixed-line-ends.log",
        &[
            r"5 03-02 08:00:01 FABRIKAM\ada 200 0 240",
            r"6 03-02 08:15:02 FABRIKAM\ada 200 0 890000",
            r"9 03-02 08:15:04 FABRIKAM\bob 200 0 240",
            r"10 03-02 08:16:00 FABRIKAM\ada 200 0 240",
        ],
    );
    check_values(
        "two-blanks-before-username.log",
        &[r"5 03-02 08:00:01 FABRIKAM\ada 200 0 15", r"6 03-02 08:00:02 FABRIKAM\ada 200 0 240"],
    );
    check_values(
        "space-in-query.log",
        &[r"5 03-02 08:00:01 FABRIKAM\ada 200 0 240", r"6 03-02 08:00:02 FABRIKAM\ada 200 0 240"],
    );
    check_values(
        "win32-above-u32.log",
        &[
            "5 03-02 08:00:01 - 401 2148074254 240",
            "6 03-02 08:00:02 - 401 214784354254 240",
            "7 03-02 08:00:03 - 401 ? 240",
        ],
    );
    check_values(
        "central-logging.log",
        &[
            r"5 03-02 08:00:01 FABRIKAM\ada 200 0 240",
            r"6 03-02 08:00:02 FABRIKAM\ada 200 0 240",
            r"7 03-02 08:00:02 FABRIKAM\ada 200 0 231",
        ],
    );
}

#[test]
fn every_sample_has_a_row() {
    let pinned = SAMPLES.iter().map(|row| row.0);
    let mut rows: Vec<_> = pinned.chain(DECODED_ELSEWHERE.iter().copied()).collect();
    rows.sort();
    assert_eq!(names(&folder("iis")), rows);
}

#[test]
fn real_logs_are_what_they_are_pinned_as() {
    let Some(folder) = real("iis") else { return };
    assert_eq!(misfits(&folder, REAL, tally), Vec::<String>::new());
    let plaso = REAL.iter().filter(|row| row.0.starts_with("plaso/"));
    assert_eq!(plaso.map(|row| row.2[1]).sum::<u64>(), 47);
}
