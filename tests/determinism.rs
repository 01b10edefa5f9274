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
    let arguments = ["--size", "12MiB", "--servers", "2", "--days", "2", "--users", "400"];
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
