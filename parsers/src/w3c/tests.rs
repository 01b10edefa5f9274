//! Logs with everything that can be wrong with them, and what becomes of their lines.

use super::*;
use crate::event::Reason;
use proptest::prelude::*;

const HEAD: &str = "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n\
    #Date: 2026-03-02 08:00:00\r\n#Fields: date time cs-uri-query s-port cs-username c-ip sc-status\r\n";

fn read(log: &[u8]) -> (Tally, Vec<String>) {
    let mut seen = Vec::new();
    let (tally, _) = scan(log, &State::default(), |_, line| seen.push(shown(line)));
    assert_eq!(tally.lines, tally.requests + tally.directives + tally.blank + tally.rejected);
    (tally, seen)
}

fn shown(line: &Line<'_>) -> String {
    let name = String::from_utf8_lossy(line.value(Column::CsUsername).unwrap_or(b""));
    let query = String::from_utf8_lossy(line.value(Column::CsUriQuery).unwrap_or(b""));
    format!("{}|{}|{name}|{query}", line.number, line.time().format("%d %T%.f"))
}

fn check(lines: &str, expect: &[&str]) -> Tally {
    let (tally, seen) = read(format!("{HEAD}{lines}").as_bytes());
    assert_eq!(seen, expect, "{lines:?}");
    tally
}

#[test]
fn finds_name_status_address_and_agent_in_any_order() {
    for (columns, lines) in [
        (
            "date time cs-username c-ip cs(User-Agent) cs(Referer) sc-status",
            &[
                ("FAB\\ada 203.0.113.7 Outlook - 200", Some("203.0.113.7 Outlook")),
                ("\"F a\" ::1 \"an agent\" - 401", None),
                ("ada ::1 \"agent\" - 200", None),
                ("ada \"::1\" agent - 200", None),
                ("ada ::1  - 200", None),
                ("ada  agent - 200", None),
                ("- - - - 302", Some("- -")),
            ][..],
        ),
        ("date time cs-username c-ip sc-status cs(User-Agent)", &[("ada ::1 200 x", None)]),
        (
            "date time cs-username sc-status c-ip cs(User-Agent)",
            &[("ada 200 ::1 x", Some("::1 x"))],
        ),
        ("date time sc-status cs(User-Agent) c-ip cs-username", &[("200 x ::1 ada", None)]),
        ("date time c-ip sc-status", &[("::1 200", None)]),
        ("date time cs-username c-ip cs(User-Agent)", &[("ada ::1 x", Some("::1 x"))]),
    ] {
        let text = lines.iter().map(|(line, _)| format!("2026-03-02 08:00:00 {line}\r\n"));
        let log = format!("#Fields: {columns}\r\n{}", text.collect::<String>());
        let mut expect = lines.iter();
        scan(log.as_bytes(), &State::default(), |name, line| {
            let value = |column| line.value(column).unwrap_or_default();
            assert_eq!(name, value(Column::CsUsername), "{columns}");
            assert_eq!(line.sc_status(), value(Column::ScStatus), "{columns}");
            let side_by_side =
                line.address_and_agent().map(|text| std::str::from_utf8(text).unwrap());
            assert_eq!(side_by_side, expect.next().unwrap().1, "{columns}");
        });
        assert_eq!(expect.next(), None, "{columns}");
    }
}

#[test]
fn reads_plain_lines() {
    let tally = check(
        "2026-03-02 08:00:01 a=b 443 FAB\\ada 203.0.113.7 200\r\n2026-03-02 08:00:02 - 443 - ::1 401",
        &["5|02 08:00:01|FAB\\ada|a=b", "6|02 08:00:02|-|-"],
    );
    assert_eq!((tally.requests, tally.directives, tally.rejected), (2, 4, 0));
    let second = tally.span.unwrap().0;
    assert_eq!(tally.span, Some((second, second + 1)));
}

#[test]
fn repairs_a_blank_in_the_query() {
    let tally = check(
        "2026-03-02 08:00:01 q=x y  z 443 ada 203.0.113.7 200\r\n",
        &["5|02 08:00:01|ada|q=x y  z"],
    );
    assert_eq!((tally.repaired, tally.rejected), (1, 0));
    let tally =
        check("2026-03-02 08:00:01 - 443  ada 203.0.113.7 200\r\n", &["5|02 08:00:01|ada|-"]);
    assert_eq!(tally.repaired, 1);
    // The port would be no number: nothing is guessed.
    assert_eq!(
        check("2026-03-02 08:00:01 - 443 ada lovelace 203.0.113.7 200\r\n", &[]).rejected,
        1
    );
}

#[test]
fn refuses_with_place_and_reason() {
    let tally =
        check("2026-03-02 08:00:01 - 443\r\n2026-02-30 08:00:01 - 443 ada ::1 200\r\n", &[]);
    assert_eq!(
        tally.rejects,
        [
            (5, Reason::FieldCount { want: 7, got: 4, fields_line: 4 }),
            (6, Reason::BadTime("2026-02-30 08:00:01".into())),
        ]
    );
    let (tally, _) = read(b"2026-03-02 08:00:01 - 443 ada ::1 200\n");
    assert_eq!(tally.rejects, [(1, Reason::NoFields)]);
    assert_eq!(check("2026-03-02 08:00:01 - 443 ada ::1 OK!\r\n", &[]).rejected, 1);
}

#[test]
fn follows_a_new_fields_line() {
    check(
        "#Fields: time date cs-username sc-status\r\n08:00:01 2026-03-03 ada 200\r\n",
        &["6|03 08:00:01|ada|"],
    );
}

#[test]
fn takes_the_day_from_date_where_there_is_no_column() {
    let (_, seen) = read(
        b"#Date: 2026-03-02 08:00:00\n#Fields: time cs-username sc-status\n08:00:01 ada 200\n\
          #Date: 2026-03-03 00:00:00\n00:00:01 ada 200\n",
    );
    assert_eq!(seen, ["3|02 08:00:01|ada|", "5|03 00:00:01|ada|"]);
}

#[test]
fn reads_tabs_and_quotes() {
    let (tally, seen) = read(
        b"#Fields: date\ttime\tcs-username\tsc-status\n2026-03-02\t08:00:01\tada b\t200\n\
          #Fields: date time cs-username cs-uri-query sc-status\n\
          \"2026-03-02\" \"08:00:01.250\" \"ada\" \"x \"\"y\"\" z\" 200\n",
    );
    assert_eq!(seen, ["2|02 08:00:01|ada b|", "4|02 08:00:01.250|ada|x \"\"y\"\" z"]);
    assert_eq!((tally.rejected, tally.repaired), (0, 0));
}

#[test]
fn a_time_is_read_wherever_it_ends() {
    for (head, lines, expect) in [
        (
            "date time cs-username",
            &["\"2026-03-02\" \"09:15:02\" a", "\"2026-03-02\" \"09:47:30\" b"][..],
            &["2|02 09:15:02|a|", "3|02 09:47:30|b|"][..],
        ),
        (
            "date time cs-username",
            &["\"2026-03-02\" 09:15:02 a", "\"2026-03-02\" 09:15:08 b", "2026-03-02 09:15:09 c"],
            &["2|02 09:15:02|a|", "3|02 09:15:08|b|", "4|02 09:15:09|c|"],
        ),
        (
            "date time cs-username",
            &["2026-03-02 09:15:02 a", "2026-03-02 09:15:59 b", "2026-03-02 09:15:01 c"],
            &["2|02 09:15:02|a|", "3|02 09:15:59|b|", "4|02 09:15:01|c|"],
        ),
        (
            "date time",
            &["2026-03-02 09:15:02", "2026-03-02 09:15:05"],
            &["2|02 09:15:02||", "3|02 09:15:05||"],
        ),
    ] {
        for end in ["\n", "\r\n"] {
            let log = format!("#Fields: {head}{end}{}{end}", lines.join(end));
            let (tally, seen) = read(log.as_bytes());
            assert_eq!(
                (seen, tally.rejected),
                (expect.iter().map(|s| s.to_string()).collect(), 0),
                "{log}"
            );
        }
    }
    for wrong in ["2026-03-02 09:15:60 b", "2026-03-02 09:15:0x b", "2026-03-02 09:15:5/ b"] {
        let (tally, seen) = read(
            format!("#Fields: date time cs-username\n2026-03-02 09:15:02 a\n{wrong}\n").as_bytes(),
        );
        assert_eq!((seen.len(), tally.rejected), (1, 1), "{wrong}");
    }
    let junk = b"#Fields: date time\r\n2026-03-02 09:15:02\r\n2026-03-02 09:15:05\rjunk\n";
    assert_eq!(read(junk).0.rejected, 1);
}

#[test]
fn reads_on_behind_nul_runs() {
    let log = format!(
        "2026-03-02 08:00:01 - 443 ada ::1 200\r\n{}{HEAD}2026-03-02 08:10:00 - 443 bob ::1 200\r\n",
        "\0".repeat(70_000)
    );
    let tally = check(&log, &["5|02 08:00:01|ada|-", "10|02 08:10:00|bob|-"]);
    assert_eq!((tally.nul_runs, tally.rejected), (1, 0));
    let (from, to) = tally.holes[0];
    assert_eq!(to.unwrap() - from.unwrap(), 599);
}

#[test]
fn reads_lines_of_64_kib_and_refuses_endless_ones() {
    let long = "x".repeat(65_000);
    let tally = check(
        &format!("2026-03-02 08:00:01 {long} 443 ada ::1 200\r\n"),
        &[&format!("5|02 08:00:01|ada|{long}")],
    );
    assert_eq!(tally.rejected, 0);
    let endless = "y".repeat(3 << 20);
    let tally = check(
        &format!("{endless}\n2026-03-02 08:00:02 - 443 bob ::1 200\r\n"),
        &["6|02 08:00:02|bob|-"],
    );
    assert_eq!(tally.rejected, 1);
}

#[test]
fn keeps_bytes_that_are_no_utf8() {
    let log = [HEAD.as_bytes(), b"2026-03-02 08:00:01 - 443 m\xfcller ::1 200\r\n"].concat();
    let mut names = Vec::new();
    scan(&log, &State::default(), |_, line| {
        names.push(line.value(Column::CsUsername).unwrap().to_vec());
    });
    assert_eq!(names, [b"m\xfcller".to_vec()]);
}

/// Lines as a log may hold them, sound or broken.
fn any_line() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..60u32, 0..4u32).prop_map(|(s, n)| format!("2026-03-02 08:00:{s:02} q 443 user{n} ::1 200\r\n")),
        1 => Just("2026-03-02 08:00:09 a b 443 ada ::1 200\n".into()),
        1 => Just("#Fields: time date cs-username sc-status\r\n".into()),
        1 => Just("08:00:07 2026-03-02 eve 200\n".into()),
        1 => Just("\0\0\0".into()),
        1 => Just("\r\n".into()),
        1 => "[ -~]{0,40}\n",
    ]
}

proptest! {
    #[test]
    fn nothing_is_lost_in_any_bytes(log in proptest::collection::vec(any::<u8>(), 0..600)) {
        read(&log);
        read(&[HEAD.as_bytes(), &log].concat());
    }

    #[test]
    fn cuts_do_not_matter(lines in proptest::collection::vec(any_line(), 0..60), size in 1usize..400) {
        let log = format!("{HEAD}{}", lines.concat());
        let (whole, seen) = read(log.as_bytes());
        let mut state = State::default();
        let (mut sum, mut pieces, mut line_ends) = (Tally::default(), Vec::new(), 0);
        for chunk in chunks(log.as_bytes(), size) {
            let (tally, next) = scan(chunk, &state, |_, line| {
                let name = String::from_utf8_lossy(line.value(Column::CsUsername).unwrap_or(b""));
                let query = String::from_utf8_lossy(line.value(Column::CsUriQuery).unwrap_or(b""));
                pieces.push(format!("{}|{}|{name}|{query}", line.number + line_ends, line.time().format("%d %T%.f")));
            });
            state = next;
            line_ends += tally.line_ends;
            sum.lines += tally.lines;
            sum.rejected += tally.rejected;
            sum.nul_runs += tally.nul_runs;
        }
        prop_assert_eq!(seen, pieces);
        prop_assert_eq!((whole.lines, whole.rejected, whole.nul_runs, whole.line_ends),
            (sum.lines, sum.rejected, sum.nul_runs, line_ends));
    }

    #[test]
    fn blocks_do_not_matter(lines in proptest::collection::vec(any_line(), 0..60), size in 1usize..200) {
        let log = format!("{HEAD}{}", lines.concat());
        let (whole, seen) = read(log.as_bytes());
        let (tally, pieces) = read_in_blocks(log.as_bytes(), size);
        prop_assert_eq!(seen, pieces);
        prop_assert_eq!((whole.lines, whole.rejected, whole.nul_runs, whole.line_ends),
            (tally.lines, tally.rejected, tally.nul_runs, tally.line_ends));
    }
}

/// As whoever has room for a block only: what is not taken stands before the next bytes.
fn read_in_blocks(log: &[u8], size: usize) -> (Tally, Vec<String>) {
    let (mut scanner, mut seen, mut held) =
        (Scanner::new(&State::default()), Vec::new(), Vec::new());
    let mut rest = log;
    loop {
        let (block, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        held.extend_from_slice(block);
        let taken = scanner
            .read(&held, rest.is_empty(), &mut |_: &[u8], line: &Line<'_>| seen.push(shown(line)));
        held.drain(..taken);
        if rest.is_empty() {
            return (scanner.finish().0, seen);
        }
    }
}

#[test]
fn endless_lines_come_in_blocks_as_well() {
    let line = "2026-03-02 08:00:02 - 443 bob ::1 200\r\n";
    for (endless, blank) in [("y", 0), ("\0", 1)] {
        let log = format!("{HEAD}{}\n{line}", endless.repeat(5 << 20));
        let (whole, expect) = read(log.as_bytes());
        let (tally, seen) = read_in_blocks(log.as_bytes(), 512 << 10);
        assert_eq!((&seen, tally.blank), (&expect, blank));
        assert_eq!(tally.rejects, whole.rejects);
        assert_eq!((tally.line_ends, tally.nul_runs), (whole.line_ends, whole.nul_runs));
    }
}

#[test]
fn headers_stand_between_entries() {
    let line = |second| format!("2026-03-02 08:00:{second} ada 200\n");
    let fields = "#Fields: date time cs-username sc-status\n";
    let log = [fields, &line("01"), &line("02"), fields, fields, &line("02"), fields].concat();
    let (tally, _) = scan(log.as_bytes(), &State::default(), |_, _| ());
    let second = |seconds: i64| seconds.rem_euclid(60);
    let between =
        |(before, after): (Option<i64>, Option<i64>)| (before.map(second), after.map(second));
    let headers: Vec<_> = tally.layouts.iter().map(|h| (h.line, between(h.between))).collect();
    let expect = [
        (1, (None, Some(1))),
        (4, (Some(2), Some(2))),
        (5, (Some(2), Some(2))),
        (7, (Some(2), None)),
    ];
    assert_eq!(headers, expect);
}
