//! Logs with everything that can be wrong with them, and what becomes of their rows.

use super::*;
use crate::event::Reason;
use proptest::prelude::*;

const FIELDS: &str = "DateTime,RequestId,IsAuthenticated,AuthenticatedUser,UserAgent,HttpStatus,TargetServer,UrlQuery";
const ROW: &str = "2026-03-02T08:00:01.250Z,r1,true,FAB\\ada,agent,200,ex01,?q";

fn shown(row: &Row<'_>) -> String {
    let text = |column| String::from_utf8_lossy(row.text(column));
    format!(
        "{}|{}|{}|{}|{}",
        row.number,
        row.time().format("%d %T%.f"),
        text(Column::AuthenticatedUser),
        text(Column::UserAgent),
        text(Column::UrlQuery),
    )
}

fn read(log: &[u8]) -> (Tally, Vec<String>) {
    let mut seen = Vec::new();
    let (tally, _) = scan(log, &State::default(), |row| seen.push(shown(row)));
    assert_eq!(tally.lines, tally.requests + tally.directives + tally.blank + tally.rejected);
    assert_eq!(tally.requests, seen.len() as u64);
    assert!(tally.repaired <= tally.requests);
    (tally, seen)
}

/// Under a header on line 1.
fn check(lines: &str, expect: &[&str]) -> Tally {
    let (tally, seen) = read(format!("#Fields: {FIELDS}\r\n{lines}").as_bytes());
    assert_eq!(seen, expect, "{lines:?}");
    tally
}

#[test]
fn reads_plain_rows() {
    let tally = check(
        "2026-03-02T08:00:01.250Z,r1,true,FAB\\ada,agent,200,ex01,?q\r\n\
         2026-03-02T08:00:02.5Z,r2,False,,,401,,\n2026-03-02T08:00:02Z,r3,,,,,,",
        &["2|02 08:00:01.250|FAB\\ada|agent|?q", "3|02 08:00:02.500|||", "4|02 08:00:02|||"],
    );
    assert_eq!((tally.requests, tally.directives, tally.rejected, tally.repaired), (3, 1, 0, 0));
    let second = tally.span.unwrap().0;
    assert_eq!(tally.span, Some((second, second + 1)));
}

#[test]
fn finds_headers_in_every_form() {
    let rest = "IsAuthenticated,AuthenticatedUser,UserAgent,HttpStatus,UrlQuery";
    for header in [
        format!(
            "#Software: Microsoft Exchange Server\r\n#Date: 2026-03-02T08:00:00Z\r\n#Fields: DateTime,{rest}"
        ),
        format!("DateTime,{rest}"),
        format!("\"DateTime\",{rest}"),
        format!("\u{feff}datetime,{rest}\r\n#Log-type: HttpProxy Logs\r\n#Fields: DateTime,{rest}"),
        format!("\u{feff}#fields:DateTime,{rest}\r\nDateTime,{rest}\r\n"),
        format!("DateTime,{rest}\r\n{ROW}\r\n\u{feff}#Fields: DateTime,{rest}"),
    ] {
        let (tally, seen) = read(
            format!("{header}\r\n2026-03-02T08:00:01Z,true,FAB\\ada,agent,200,?q\r\n").as_bytes(),
        );
        let names = &tally.layouts.last().unwrap().layout.names;
        assert_eq!(names.len(), 6, "{header}");
        let (_, seen) = seen.last().and_then(|row| row.split_once('|')).unwrap();
        assert_eq!(seen, "02 08:00:01|FAB\\ada|agent|?q", "{header}");
    }
}

#[test]
fn follows_a_new_header_and_keeps_a_repeated_one_once() {
    let tally = check(
        &format!(
            "{FIELDS}\r\n{ROW}\r\nDateTime,UserAgent,HttpStatus,AuthenticatedUser\r\n2026-03-02T08:00:02Z,x,200,bob\r\n"
        ),
        &["3|02 08:00:01.250|FAB\\ada|agent|?q", "5|02 08:00:02|bob|x|"],
    );
    assert_eq!(tally.layouts.iter().map(|header| header.line).collect::<Vec<_>>(), [1, 2, 4]);
    let [first, second, third] = &tally.layouts[..] else { panic!("{tally:?}") };
    assert!(std::sync::Arc::ptr_eq(&first.layout, &second.layout));
    assert!(first.layout != third.layout);
}

#[test]
fn a_row_that_is_cut_short_says_what_is_sure() {
    let tally = check(
        "2026-03-02T08:00:01Z,r1,true,FAB\\ada,agent,200,ex01\r\n\
         2026-03-02T08:00:01Z,r1,true,FAB\\ada,agent,200\r\n\
         2026-03-02T08:00:01Z,r1,true,FAB\\ad\r\n2026-03-02T08:0",
        &["2|02 08:00:01|FAB\\ada|agent|"],
    );
    assert_eq!((tally.requests, tally.repaired, tally.rejected), (1, 1, 3));
    let unfit = |got| Reason::FieldCount { want: 8, got, fields_line: 1 };
    assert_eq!(tally.rejects, [(3, unfit(6)), (4, unfit(4)), (5, unfit(1))]);
    // What may be cut itself is not told: the target server of the first row.
    let mut targets = Vec::new();
    let log = format!("{FIELDS}\n2026-03-02T08:00:01Z,r1,true,FAB\\ada,agent,200,ex0\n{ROW}\n");
    scan(log.as_bytes(), &State::default(), |row| {
        targets.push(row.text(Column::TargetServer).to_vec())
    });
    assert_eq!(targets, [b"".to_vec(), b"ex01".to_vec()]);
}

#[test]
fn a_stray_comma_costs_what_stands_behind_the_status() {
    // Behind the status, where it cannot be told what it moved.
    let tally = check(&format!("{ROW},more,\r\n"), &["2|02 08:00:01.250|FAB\\ada|agent|"]);
    assert_eq!((tally.requests, tally.repaired), (1, 1));
    for lines in [
        // In the user agent, in the name, before the flag: the status, or the flag, is none.
        "2026-03-02T08:00:01Z,r1,true,FAB\\ada,an,agent,200,ex01,?q\n",
        "2026-03-02T08:00:01Z,r1,true,FAB\\ada,lovelace,agent,200,ex01,?q\n",
        "2026-03-02T08:00:01Z,r,1,true,FAB\\ada,200,200,ex01,?q\n",
        // Two rows on one line.
        "2026-03-02T08:00:01Z,r1,true,FAB\\ada,agent,200,ex01,2026-03-02T08:00:01Z,r1,true,FAB\\bob,agent,200,ex01,?q,\n",
    ] {
        let tally = check(lines, &[]);
        assert_eq!(tally.rejected, 1, "{lines}");
    }
}

#[test]
fn an_empty_name_in_the_header_may_have_no_cell() {
    let (tally, seen) = read(
        b"DateTime,AuthenticatedUser,HttpStatus,TargetServer,,TargetServerVersion,UrlQuery\n\
          2026-03-02T08:00:01Z,ada,200,ex01,15.0,?q\n2026-03-02T08:00:01Z,bob,200,ex01,,15.0,?r\n\
          2026-03-02T08:00:01Z,\"eve\",200,ex01,15.0,?s\n",
    );
    assert_eq!(seen, ["2|02 08:00:01|ada||?q", "3|02 08:00:01|bob||?r", "4|02 08:00:01|eve||?s"]);
    assert_eq!((tally.repaired, tally.rejected), (2, 0));
}

#[test]
fn undoes_quotes_and_loses_one_line_where_one_is_left_open() {
    let tally = check(
        "2026-03-02T08:00:01Z,r1,true,FAB\\ada,\"an \"\"a\"\", b\",200,ex01,?q\n\
         2026-03-02T08:00:02Z,r1,true,FAB\\bob,\"open,200,ex01,?q\n\
         2026-03-02T08:00:03Z,r1,true,FAB\\eve,in\"ner,200,ex01,?q\n",
        &["2|02 08:00:01|FAB\\ada|an \"a\", b|?q", "4|02 08:00:03|FAB\\eve|in\"ner|?q"],
    );
    assert_eq!(tally.rejects, [(3, Reason::Format("a quote is not closed".into()))]);
}

#[test]
fn refuses_with_place_and_reason() {
    let tally = check(
        "2026-02-30T08:00:01Z,r1,true,FAB\\ada,agent,200,ex01,?q\n\
         2026-03-02T08:00:01,r1,true,FAB\\ada,agent,200,ex01,?q\n\
         2026-03-02 08:00:01Z,r1,true,FAB\\ada,agent,200,ex01,?q\n\
         2026-03-02T08:00:01Z,r1,true,FAB\\ada,agent,OK!,ex01,?q\n",
        &[],
    );
    let bad = |text: &str| Reason::BadTime(text.into());
    assert_eq!(
        tally.rejects,
        [
            (2, bad("2026-02-30T08:00:01Z")),
            // Nothing says that this is UTC.
            (3, bad("2026-03-02T08:00:01")),
            (4, bad("2026-03-02 08:00:01Z")),
            (5, Reason::BadNumber("HttpStatus")),
        ]
    );
    let (tally, _) = read(format!("{ROW}\n#Fields: TimeStamp,EventData\n{ROW},\n").as_bytes());
    let unfit = Reason::FieldCount { want: 2, got: 9, fields_line: 2 };
    assert_eq!(tally.rejects, [(1, Reason::NoFields), (3, unfit)]);
}

#[test]
fn reads_on_behind_nul_runs_and_endless_lines() {
    let later = ROW.replace("08:00:01.250", "08:10:00");
    let log = format!("{ROW}\r\n{}{FIELDS}\r\n{later}\r\n", "\0".repeat(70_000));
    let tally =
        check(&log, &["2|02 08:00:01.250|FAB\\ada|agent|?q", "4|02 08:10:00|FAB\\ada|agent|?q"]);
    assert_eq!((tally.nul_runs, tally.rejected), (1, 0));
    let (from, to) = tally.holes[0];
    assert_eq!(to.unwrap() - from.unwrap(), 599);
    let endless = "y,".repeat(1 << 20);
    let tally = check(&format!("{endless}\n{ROW}\n\n"), &["3|02 08:00:01.250|FAB\\ada|agent|?q"]);
    assert_eq!((tally.rejected, tally.blank), (1, 1));
    let long = "x".repeat(65_000);
    let row = ROW.replace("agent", &long);
    check(&format!("{row}\n"), &[&format!("2|02 08:00:01.250|FAB\\ada|{long}|?q")]);
}

/// Lines as a log may hold them, sound or broken.
fn any_line() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0..60u32, 0..4u32).prop_map(|(s, n)| format!("2026-03-02T08:00:{s:02}.{s:03}Z,r,true,user{n},a,200,t,?q\r\n")),
        1 => Just("2026-03-02T08:00:01Z,r,true,eve,\"a \"\"b\"\", c\",200,t,?q\n".into()),
        1 => Just("2026-03-02T08:00:01Z,r,true,eve,a,200,t\n".into()),
        1 => Just("2026-03-02T08:00:01Z,r,true,eve,a,200,t,?q,more\n".into()),
        1 => Just("2026-03-02T08:00:01Z,r,true,eve,\"a,200,t,?q\n".into()),
        1 => Just("\u{feff}DateTime,HttpStatus,UserAgent,AuthenticatedUser\n".into()),
        1 => Just("#Fields: DateTime,UserAgent,,AuthenticatedUser,UrlQuery\r\n".into()),
        1 => Just("2026-03-02T08:00:02Z,200,a,bob\n".into()),
        1 => Just("\0\0\0".into()),
        1 => Just("\r\n".into()),
        1 => "[ -~]{0,40}\n",
    ]
}

proptest! {
    #[test]
    fn nothing_is_lost_in_any_bytes(log in proptest::collection::vec(any::<u8>(), 0..600)) {
        read(&log);
        read(&[FIELDS.as_bytes(), b"\n", &log].concat());
    }

    #[test]
    fn nothing_is_lost_in_any_cells(
        cells in proptest::collection::vec(
            prop_oneof![
                Just(","), Just("\n"), Just("\""), Just("\0"), Just(ROW), Just(FIELDS), Just("#Fields: "),
                Just("200"), Just("true"), Just("2026-03-02T08:00:01Z"), Just("\u{feff}"), Just("x"),
            ], 0..120),
    ) {
        read(&[FIELDS.as_bytes(), b"\n", cells.concat().as_bytes()].concat());
    }

    #[test]
    fn cuts_do_not_matter(lines in proptest::collection::vec(any_line(), 0..60), size in 1usize..400) {
        let log = format!("#Fields: {FIELDS}\r\n{}", lines.concat());
        let (whole, seen) = read(log.as_bytes());
        let mut state = State::default();
        let (mut sum, mut pieces, mut line_ends) = (Tally::default(), Vec::new(), 0);
        for chunk in chunks(log.as_bytes(), size) {
            let (tally, next) = scan(chunk, &state, |row| {
                pieces.push(shown(&Row { number: row.number + line_ends, ..*row }));
            });
            state = next;
            line_ends += tally.line_ends;
            sum.lines += tally.lines;
            sum.rejected += tally.rejected;
            sum.repaired += tally.repaired;
            sum.nul_runs += tally.nul_runs;
        }
        prop_assert_eq!(seen, pieces);
        prop_assert_eq!(
            (whole.lines, whole.rejected, whole.repaired, whole.nul_runs, whole.line_ends),
            (sum.lines, sum.rejected, sum.repaired, sum.nul_runs, line_ends)
        );
    }
}
