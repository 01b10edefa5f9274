//! Cases that are data: `cmd/*.toml`, files and arguments to exit status, streams and written files.
//!
//! A case runs in a folder of its own. `[copy]` puts files and folders of the project there, by
//! target; `[files]` writes texts; `folders` makes folders. Then each `[[run]]` in turn: `args`,
//! `env`, `stdin`, and what is expected: `status`, `stdout`, `stderr`, `writes` (file to content).
//! `{appcmd}` in an argument or a variable is the stand-in for appcmd, `{host}` there, in a file and in what is expected
//! the name of this computer.
//! In expected text `[..]` is anything in a line, and a line `...` any lines; a stream that is not
//! named must be empty, but `stdout = "..."` allows anything.

use crate::support::{Folder, Ran, appcmd, files_under, host, name_of, root, run, stillin};
use std::fs;
use toml::{Table, Value};

/// What a case and a run may say; anything else is a slip of the pen.
const CASE: &[&str] = &["copy", "files", "folders", "run"];
const RUN: &[&str] = &["args", "env", "stdin", "status", "stdout", "stderr", "writes"];

#[test]
fn cases() {
    let only = std::env::var("STILLIN_CASE").unwrap_or_default();
    let mut wrong = Vec::new();
    let mut n_runs = 0;
    for path in files_under(&root().join("tests/cmd")) {
        let name = name_of(&path);
        if !name.contains(&only) {
            continue;
        }
        let case: Table = fs::read_to_string(&path).unwrap().parse().unwrap();
        known(&name, &case, CASE);
        let folder = Folder::new();
        prepare(&folder, &case);
        let runs = case["run"].as_array().unwrap();
        n_runs += runs.len();
        for (run, number) in runs.iter().zip(1..) {
            known(&name, run.as_table().unwrap(), RUN);
            let place = format!("{name}, run {number}");
            wrong.extend(check(&folder, run).into_iter().map(|what| format!("{place}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(n_runs > 60 || !only.is_empty(), "only {n_runs} runs");
}

fn known(name: &str, table: &Table, words: &[&str]) {
    let unknown = table.keys().find(|key| !words.contains(&key.as_str()));
    assert_eq!(unknown, None, "{name}");
}

fn table(value: &Value, key: &str) -> Table {
    value.get(key).map_or_else(Table::new, |table| table.as_table().unwrap().clone())
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).map_or("", |text| text.as_str().unwrap())
}

/// A text with what only this computer knows.
fn filled(text: &str) -> String {
    // Only where it is needed: to know them, other programs are asked.
    let fill = |text: String, place: &str, what: fn() -> String| match text.contains(place) {
        true => text.replace(place, &what()),
        false => text,
    };
    let text = fill(text.to_owned(), "{appcmd}", || appcmd().display().to_string());
    fill(text, "{host}", host)
}

fn prepare(folder: &Folder, case: &Table) {
    let case = &Value::Table(case.clone());
    table(case, "copy").iter().for_each(|(to, from)| folder.copy(from.as_str().unwrap(), to));
    for (name, content) in table(case, "files") {
        folder.write(name, filled(content.as_str().unwrap()));
    }
    for name in case.get("folders").into_iter().flat_map(|names| names.as_array().unwrap()) {
        fs::create_dir_all(folder.join(name.as_str().unwrap())).unwrap();
    }
}

/// Runs once; what differs from what is expected.
fn check(folder: &Folder, expected: &Value) -> Vec<String> {
    let mut command = stillin();
    command.current_dir(folder.path());
    let words = expected["args"].as_array().unwrap().iter();
    command.args(words.map(|word| filled(word.as_str().unwrap())));
    for (name, value) in table(expected, "env") {
        command.env(name, filled(value.as_str().unwrap()));
    }
    let Ran { status, stdout, stderr } = run(&mut command, text(expected, "stdin").as_bytes());
    let mut wrong = Vec::new();
    if expected["status"].as_integer() != Some(status.into()) {
        wrong.push(format!("status {status} instead of {:?}\n{stderr}", expected["status"]));
    }
    let mut compare = |what: &str, pattern: &str, got: &str| {
        let pattern = &filled(pattern);
        if !fits(&lines(pattern), &lines(got)) {
            wrong.push(format!("{what}\n--- expected\n{pattern}\n--- got\n{got}\n---"));
        }
    };
    compare("stdout", text(expected, "stdout"), &stdout);
    compare("stderr", text(expected, "stderr"), &stderr);
    for (name, pattern) in table(expected, "writes") {
        let got = fs::read_to_string(folder.join(&name));
        compare(&name, pattern.as_str().unwrap(), &got.unwrap_or("(not there)".into()));
    }
    wrong
}

fn lines(text: &str) -> Vec<&str> {
    text.trim_end_matches('\n').split('\n').collect()
}

/// Whether lines fit a pattern of lines.
fn fits(pattern: &[&str], got: &[&str]) -> bool {
    match (pattern.split_first(), got.split_first()) {
        (None, None) => true,
        (Some((&"...", rest)), _) => (0..=got.len()).any(|skipped| fits(rest, &got[skipped..])),
        (Some((first, rest)), Some((line, more))) => line_fits(first, line) && fits(rest, more),
        _ => false,
    }
}

fn line_fits(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once("[..]") else { return pattern == line };
    let Some(line) = line.strip_prefix(start) else { return false };
    let mut ends = line.char_indices().map(|(end, _)| end).chain([line.len()]);
    ends.any(|end| line_fits(rest, &line[end..]))
}

#[test]
fn patterns() {
    let check = |pattern, got, expect| assert_eq!(fits(&lines(pattern), &lines(got)), expect);
    check("a\nb", "a\nb\n", true);
    check("a\nb", "a\nc", false);
    check("a\n...\nc", "a\nc", true);
    check("a\n...\nc", "a\nx\ny\nc", true);
    check("a\n...", "b", false);
    check("", "a", false);
    check("x[..]z", "xyz", true);
    check("x[..]z", "xz", true);
    check("x[..]z", "xzy", false);
    check("[..]ö[..]", "aöb", true);
}
