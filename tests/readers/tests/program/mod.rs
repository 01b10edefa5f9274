//! The built program, its stories, and a folder of one's own for what it writes.

// Each test takes what it needs of this.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The program, run in the root of the project.
pub fn stillin(args: &[&str]) -> std::process::Output {
    let built =
        root().join("target/release").join(format!("stillin{}", std::env::consts::EXE_SUFFIX));
    let program = std::env::var_os("STILLIN_PROGRAM").map_or(built, PathBuf::from);
    let output = Command::new(&program).args(args).current_dir(root()).output();
    output.unwrap_or_else(|error| panic!("{}: {error}; build it first", program.display()))
}

/// The stories of the samples, by the names of their folders.
pub fn stories() -> Vec<String> {
    fn find(folder: &Path, name: &str, stories: &mut Vec<String>) {
        if folder.join("expected.json").exists() {
            stories.push(name.to_owned());
            return;
        }
        let mut below: Vec<PathBuf> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        below.sort();
        for path in below.iter().filter(|path| path.is_dir()) {
            let part = path.file_name().unwrap().to_str().unwrap();
            let name = if name.is_empty() { part.to_owned() } else { format!("{name}/{part}") };
            find(path, &name, stories);
        }
    }
    let mut stories = Vec::new();
    find(&root().join("samples/scenarios"), "", &mut stories);
    assert!(stories.len() >= 20, "{stories:?}");
    stories
}

/// Everything that one run writes.
pub struct Written {
    folder: tempfile::TempDir,
}

/// The outputs that are asked for, besides the requests.
const OUTPUTS: [&str; 11] = [
    "report.json",
    "plan.json",
    "report.xlsx",
    "report.txt",
    "report.md",
    "findings.csv",
    "findings.jsonl",
    "exposure.csv",
    "exposure.jsonl",
    "timeline.jsonl",
    "ecs.jsonl",
];

/// Analyses a path, which is a folder of the project or a whole path, into every output.
pub fn analyze(path: &str) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = OUTPUTS.iter().map(|name| place(&folder, name)).collect();
    let requests = place(&folder, "requests.jsonl");
    let mut args = vec!["analyze", path, "-q", "--requests", &requests];
    // What `repadmin` prints has no zone, and nothing that gives it away.
    if path.ends_with("repadmin") {
        args.extend(["--tz", "UTC"]);
    }
    for name in &names {
        args.extend(["-o", name]);
    }
    let ran = stillin(&args);
    assert!(ran.status.success(), "{path}: {}", String::from_utf8_lossy(&ran.stderr));
    Written { folder }
}

fn place(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

impl Written {
    /// Where an output lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An output as text.
    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// An output as JSON.
    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    /// An output of lines as JSON.
    pub fn lines(&self, name: &str) -> Vec<Value> {
        let text = self.text(name);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The items of a list.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

/// Microseconds since 1970 of `2026-03-02T09:00:05.123Z`, by the days of the calendar.
pub fn time(text: &str) -> i64 {
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    // Days from civil, after Howard Hinnant.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = days * 86_400 + number(11..13) * 3_600 + number(14..16) * 60 + number(17..19);
    let fraction =
        text[19..].trim_start_matches('.').trim_end_matches("+00:00").trim_end_matches('Z');
    let fraction: i64 = format!("{fraction:0<6}")[..6].parse().unwrap();
    seconds * 1_000_000 + fraction
}
