//! The same bytes for any number of threads: on logs large enough to be cut into many chunks, for
//! every output. And what is written does not hang on where the run is told to write it.

use crate::generate;
use crate::support::{Folder, contents, files_under, run, stillin};
use std::fs;
use std::path::Path;

/// Logs and evidence of a few busy days, made anew; the same arguments make the same bytes.
pub fn generated(out: &Path, words: &[&str]) {
    let out = ["--out", out.to_str().unwrap()];
    generate::run(out.iter().chain(words).map(ToString::to_string)).unwrap();
}

/// The outputs of a run, with their names.
fn outputs(folder: &Path, words: &[&str]) -> Vec<(String, Vec<u8>)> {
    let out = Folder::new();
    let mut outputs = Vec::new();
    for rows in ["q.jsonl", "q.csv", "q.parquet"] {
        let mut command = stillin();
        command.current_dir(folder).arg("analyze").args(words);
        command.arg("-o").arg(out.join("r.json")).arg("-o").arg(out.join("r.txt"));
        command.arg("--requests").arg(out.join(rows));
        let ran = run(&mut command, b"");
        assert_eq!(ran.status, 0, "{words:?}: {}", ran.stderr);
        for name in ["r.json", "r.txt", rows] {
            outputs.push((format!("{name} beside {rows}"), fs::read(out.join(name)).unwrap()));
        }
    }
    outputs
}

#[test]
fn any_threads() {
    let folder = Folder::new();
    // Each log is longer than two chunks, and its columns change in the second one or the third.
    let arguments = ["--size", "20MiB", "--servers", "2", "--days", "1", "--users", "400"];
    generated(folder.path(), &[&arguments[..], &["--watched", "60", "--header-change"]].concat());
    let one = outputs(folder.path(), &["iis", "ad", "--threads", "1"]);
    let rows = one.iter().find(|(name, _)| name.starts_with("q.csv")).unwrap();
    let n_rows = rows.1.iter().filter(|&&byte| byte == b'\n').count();
    assert!(n_rows > 200, "only {n_rows} classed requests");
    let runs: [&[&str]; 4] = [
        &["iis", "ad", "--threads", "2"],
        &["iis", "ad", "--threads", "8"],
        &["ad", "iis/EX02", "iis/EX01", "--threads", "3"],
        &["iis", "ad", "--threads", "8"],
    ];
    for words in runs {
        for ((name, expected), (_, got)) in one.iter().zip(outputs(folder.path(), words)) {
            assert!(*expected == got, "{name}: other bytes with {words:?}");
        }
    }
}

const MIB: usize = 1 << 20;

/// What `#Fields` says, and with another column, and without the date.
fn heads() -> [String; 3] {
    let narrow = "#Fields: date time cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
                  cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken\r\n";
    let wide = narrow.replace("c-ip", "c-ip cs-host");
    let undated = narrow.replace("date time", "time");
    [narrow.to_owned(), wide, undated]
}

/// A day's log whose columns change where it has that length: to one of the three of [`heads`].
fn changing_log(n_lines: u64, changes: &[(usize, usize)]) -> String {
    let heads = heads();
    let mut log = format!("#Date: 2026-03-01 00:00:00\r\n{}", heads[0]);
    let mut rest = changes.iter().peekable();
    let mut head = 0;
    for n in 0..n_lines {
        if let Some((_, next)) = rest.next_if(|(from, _)| log.len() > *from) {
            head = *next;
            log.push_str(if head == 1 { "#Date: 2026-03-02 08:00:00\r\n" } else { "" });
            log.push_str(&heads[head]);
        }
        let second = n * 86_399 / n_lines;
        let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
        let day = if head == 2 { "" } else { "2026-03-02 " };
        let host = if head == 1 { "mail.fabrikam.example " } else { "" };
        let user = if n % 400 == 0 { "ada".to_owned() } else { format!("user{}", n % 700) };
        log.push_str(&format!(
            "{day}{h:02}:{m:02}:{s:02} POST /Microsoft-Server-ActiveSync/default.eas \
             Cmd=Sync&User={user}&DeviceId=Dev{n:06}&DeviceType=iPhone&CorrelationID=<empty>; 443 \
             FABRIKAM\\{user} 203.0.113.{} {host}Apple-iPhone14C5/2104.52 200 0 0 15\r\n",
            n % 250
        ));
    }
    assert!(rest.next().is_none(), "{} bytes", log.len());
    log
}

fn write_change(folder: &Path) {
    let change =
        "time,account,change,actor\r\n2026-02-28T06:00:00Z,FABRIKAM\\ada,disabled,admin\r\n";
    fs::write(folder.join("changes.csv"), change).unwrap();
}

/// Columns that change and come back, and entries without a date: what was read under a wrong guess is read again, and which
/// thread had read what before is chance.
#[test]
fn any_threads_where_columns_change() {
    let half = MIB / 2;
    let log =
        changing_log(150_000, &[(9 * MIB, 1), (13 * MIB, 0), (22 * MIB, 2), (22 * MIB + half, 0)]);
    let folder = Folder::new();
    fs::write(folder.join("u_ex260302.log"), log).unwrap();
    write_change(folder.path());
    let one = outputs(folder.path(), &["u_ex260302.log", "changes.csv", "--threads", "1"]);
    for threads in ["2", "4", "8"] {
        let got = outputs(folder.path(), &["u_ex260302.log", "changes.csv", "--threads", threads]);
        for ((name, expected), (_, got)) in one.iter().zip(got) {
            assert!(*expected == got, "{name}: other bytes with {threads} threads");
        }
    }
}

/// Under the columns that a chunk was wrongly thought to begin with, the only user of an address is a stranger there.
#[test]
fn who_sits_where_is_not_asked_of_wrong_columns() {
    let head = &heads()[0];
    let mut log = format!("#Date: 2026-03-02 00:00:00\r\n{head}");
    let n_lines = 50_000;
    for n in 0..n_lines {
        if n == n_lines / 2 {
            log.push_str(&head.replace("s-port cs-username", "cs-username s-port"));
        }
        let second = n as u64 * 86_399 / n_lines as u64;
        let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
        let (user, c_ip) = match n % 400 {
            399 => ("ada".to_owned(), "198.51.100.9".to_owned()),
            _ => (format!("user{}", n % 700), format!("203.0.113.{}", n % 250)),
        };
        let mut values = ["443".to_owned(), format!("FABRIKAM\\{user}")];
        if n >= n_lines / 2 {
            values.reverse();
        }
        let status = if n == n_lines - 1 { "401 1 1326" } else { "200 0 0" };
        log.push_str(&format!(
            "2026-03-02 {h:02}:{m:02}:{s:02} POST /EWS/Exchange.asmx \
             &CorrelationID=<empty>;&cafeReqId=00000000-0000-4000-8000-{n:012}; {} {c_ip} \
             MacOutlook/16.78.23100802+(Intelx64+Mac+OS+X+Version+14.1) {status} 15\r\n",
            values.join(" ")
        ));
    }
    assert!(log.len() > 10 * MIB, "{} bytes", log.len());
    let folder = Folder::new();
    fs::write(folder.join("u_ex260302.log"), log).unwrap();
    let change =
        "time,account,change,actor\r\n2026-03-02T01:00:00Z,FABRIKAM\\ada,password_reset,admin\r\n";
    fs::write(folder.join("changes.csv"), change).unwrap();
    for threads in ["1", "2", "8"] {
        let mut command = stillin();
        command.current_dir(folder.path()).args(["analyze", "u_ex260302.log", "changes.csv"]);
        let ran = run(command.args(["--threads", threads]), b"");
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains("FABRIKAM\\ada"), "{}", ran.stdout);
        assert!(!ran.stderr.contains("several users"), "{}", ran.stderr);
    }
}

/// How many other users a recycle would hit, as the plan says.
fn other_users(log: &str, name: &str) -> Option<u64> {
    let folder = Folder::new();
    fs::write(folder.join("u_ex260302.log"), log).unwrap();
    write_change(folder.path());
    let mut command = stillin();
    command.current_dir(folder.path()).args(["analyze", "u_ex260302.log", "changes.csv"]);
    let ran = run(command.args(["-o", "r.json"]), b"");
    assert_eq!(ran.status, 0, "{name}: {}", ran.stderr);
    let report = fs::read_to_string(folder.join("r.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    report["plan"][0]["other_users"].as_u64()
}

/// Whom else a recycle would hit is asked of the last minutes of a log, which may stand under other columns than its first.
#[test]
fn other_users_are_counted_under_the_columns_that_hold() {
    let alike = other_users(&changing_log(60_000, &[]), "columns that never change");
    assert!(alike > Some(300), "{alike:?}");
    let changed = other_users(&changing_log(60_000, &[(5 * MIB, 1)]), "one more column");
    assert_eq!(changed, alike);
    let near_the_end = changing_log(60_000, &[]).len() - 30_000;
    let back = changing_log(60_000, &[(5 * MIB, 1), (near_the_end, 0)]);
    assert_eq!(other_users(&back, "one more column for some hours"), alike);
    let undated = changing_log(60_000, &[(0, 2)]);
    let (first, second) = undated.split_at(5 * MIB + undated[5 * MIB..].find('\n').unwrap() + 1);
    let of_two_days = format!("{first}#Date: 2026-03-02 00:00:00\r\n{second}");
    assert_eq!(other_users(&of_two_days, "two days without dates"), alike);
}

/// Two logs of a day put together, the later one first: its last minutes lie amid the lines.
#[test]
fn other_users_are_counted_where_lines_are_in_no_order() {
    let log = changing_log(60_000, &[]);
    let lines = log.find("2026-03-02").unwrap();
    let evening = log.find("2026-03-02 21:").unwrap();
    let put_together = [&log[..lines], &log[evening..], &log[lines..evening]].concat();
    let alike = other_users(&log, "a log in order");
    assert!(alike > Some(300), "{alike:?}");
    assert_eq!(other_users(&put_together, "the evening first"), alike);
}

#[test]
fn http_proxy_logs_lie_beside_the_same_w3c_logs() {
    let (alone, beside) = (Folder::new(), Folder::new());
    let small = ["--days", "1", "--users", "90", "--watched", "9"];
    generated(alone.path(), &[&small[..], &["--size", "1MiB"]].concat());
    let proxied = ["--size", "4608KiB", "--http-proxy"];
    generated(beside.path(), &[&small[..], &proxied].concat());
    let all = contents(beside.path());
    for (name, bytes) in contents(alone.path()) {
        assert!(all[&name] == bytes, "{}", name.display());
    }

    let logs = files_under(&beside.join("httpproxy"));
    assert!(logs.len() > 2 * 7 * 23, "{} logs", logs.len());
    for log in logs {
        let text = fs::read_to_string(&log).unwrap();
        let name = log.file_name().unwrap().to_str().unwrap();
        let protocol = log.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let rows: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(!rows.is_empty(), "{name}");
        for row in rows {
            let digits: String = row.chars().filter(char::is_ascii_digit).take(10).collect();
            assert_eq!(name, format!("HttpProxy_{digits}-1.LOG"), "{row}");
            assert_eq!(row.split(',').nth(7), Some(protocol), "{row}");
        }
    }
}
