//! `nightly`: many nights come to what one run over everything comes to, whatever happens to the files and the program.

mod evidence;
mod losses;
mod pseudonyms;

use crate::generate;
use crate::scenarios::{more, stories};
use crate::support::{Folder, Ran, files_under, root, run, spawn, stillin};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Settings that read two folders.
fn settings(folder: &Folder, more: &str, rest: &str) {
    let config = format!(
        "{more}\n[nightly]\noutputs = [\"report.json\"]\nchanges = [\"ad\", \"logs\"]\n{rest}\n"
    );
    folder.write("stillin.toml", config);
}

fn nightly(folder: &Folder, day: &str) -> Ran {
    run(stillin().current_dir(folder.path()).args(["nightly", "--now", day]), b"")
}

/// The report, without what `analyze` has not.
fn report(path: &Path) -> Value {
    let mut report: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    report.as_object_mut().unwrap().remove("trend");
    report
}

/// A night, and that its report is the one that `analyze` makes of the same files.
fn night_is_analyze(folder: &Folder, day: &str, words: &[&str]) -> Ran {
    let night = nightly(folder, day);
    assert!(night.status < 2, "{day}: {}", night.stderr);
    let mut analyze = stillin();
    analyze.current_dir(folder.path()).args(["analyze", "logs", "ad", "-o", "whole.json"]);
    let whole = run(analyze.args(words), b"");
    assert_eq!(night.status, whole.status, "{day}\n{}\n{}", night.stderr, whole.stderr);
    is_same(day, &report(&folder.join("whole.json")), &report(&folder.join("report.json")));
    fs::remove_file(folder.join("whole.json")).unwrap();
    night
}

fn is_same(what: &str, expected: &Value, got: &Value) {
    let text = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    let (expected, got) = (text(expected), text(got));
    let differs = expected.lines().zip(got.lines()).enumerate().find(|(_, (a, b))| a != b);
    assert!(expected == got, "{what}: {differs:?} of {} lines", expected.lines().count());
}

/// Every story, its files coming one each night, in several orders: logs before what says whom to look for in them, and
/// after it.
#[test]
fn files_that_come_one_by_one() {
    for story in stories() {
        let source = root().join("samples/scenarios").join(&story);
        let name =
            |file: &Path| file.strip_prefix(&source).unwrap().to_string_lossy().replace('\\', "/");
        let files: Vec<String> = files_under(&source).iter().map(|file| name(file)).collect();
        let files: Vec<&String> =
            files.iter().filter(|name| !name.starts_with("expected")).collect();
        let half = files.len() / 2;
        let mut orders = vec![files.clone(), files.iter().rev().copied().collect()];
        orders.push(files[half..].iter().chain(&files[..half]).copied().collect());
        // Wine takes a quarter of a second to start a program, and there are hundreds of nights.
        orders.truncate(if cfg!(windows) { 1 } else { orders.len() });
        for order in orders {
            let folder = Folder::new();
            let words = more(&story);
            settings(&folder, if words.is_empty() { "" } else { "tz = \"UTC\"" }, "");
            for place in ["logs", "ad"] {
                fs::create_dir_all(folder.join(place)).unwrap();
            }
            for (n, name) in order.iter().enumerate() {
                let place =
                    if name.starts_with("ad/") { (*name).clone() } else { format!("logs/{name}") };
                folder.write(&place, fs::read(source.join(name)).unwrap());
                // Both folders hold something only after a while: an empty one is told, the same by both.
                let day = format!("2026-12-{:02}", n + 1);
                // What the night's settings say, `analyze` takes from them as well.
                night_is_analyze(&folder, &day, &[]);
            }
            let last = nightly(&folder, "2026-12-31");
            assert!(last.stdout.contains("; 0 of "), "{story}: {}", last.stdout);
        }
    }
}

/// Where nothing changed, an output is a copy of the last one of its own kind, and of no other.
#[test]
fn a_copy_is_of_its_own_kind() {
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/iis", "logs");
    folder.copy("samples/scenarios/leaver/ad", "ad");
    let night = |outputs: &str| {
        let config = format!("[nightly]\noutputs = [{outputs}]\nchanges = [\"ad\", \"logs\"]\n");
        folder.write("stillin.toml", config);
        let ran = nightly(&folder, "2026-03-03");
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        ran.stdout
    };
    night("\"a/timeline.jsonl\", \"a/ecs.jsonl\"");
    assert!(night("\"b/timeline.jsonl\", \"b/ecs.jsonl\"").contains("; 0 of 3 files"));
    night("\"c/ecs.jsonl\", \"c/timeline.jsonl\"");
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    for name in ["timeline.jsonl", "ecs.jsonl"] {
        assert!(!read(&format!("a/{name}")).is_empty());
        for other in ["b", "c"] {
            assert_eq!(
                read(&format!("a/{name}")),
                read(&format!("{other}/{name}")),
                "{other}/{name}"
            );
        }
    }
}

/// Settings of the environment hold for a night as for every verb.
#[test]
fn the_environment_holds_for_a_night() {
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/iis", "logs");
    folder.copy("samples/scenarios/leaver/ad", "ad");
    settings(&folder, "cooldown = \"20m\"\nfail_on = \"open\"", "");
    let mut command = stillin();
    command.current_dir(folder.path()).args(["nightly", "--now", "2026-03-03"]);
    let ran = run(command.env("STILLIN_TTL", "20m").env("STILLIN_SLACK", "30s"), b"");
    assert_eq!(ran.status, 3, "{}", ran.stderr);
    let rules = &report(&folder.join("report.json"))["rules"];
    assert_eq!((&rules["ttl_seconds"], &rules["slack_seconds"]), (&1200.into(), &30.into()));
}

/// Two weeks of two servers.
struct Fortnight {
    folder: Folder,
    all: Folder,
    /// Each log of W3C and HttpProxy, with its server and the day of March.
    logs: Vec<(String, u32)>,
}

const NIGHTS: u32 = 14;
/// Under Wine only every third night comes: it takes a quarter of a second to start a program.
const STEP: usize = if cfg!(windows) { 3 } else { 1 };

impl Fortnight {
    fn new() -> Fortnight {
        let (folder, all) = (Folder::new(), Folder::new());
        let out = all.path().to_str().unwrap();
        let words = [
            "--out",
            out,
            "--size",
            "3MiB",
            "--days",
            "14",
            "--users",
            "90",
            "--watched",
            "14",
            "--http-proxy",
            "--seed",
            "7",
        ];
        generate::run(words.iter().map(ToString::to_string)).unwrap();
        let day = |name: &str| {
            let file = name.rsplit('/').next().unwrap();
            let digits: String = file.chars().filter(char::is_ascii_digit).collect();
            let digits = digits.strip_prefix("20").filter(|_| digits.len() > 8).unwrap_or(&digits);
            digits[4..6].parse().unwrap()
        };
        let names = files_under(all.path()).into_iter().map(|file| {
            file.strip_prefix(all.path()).unwrap().to_string_lossy().replace('\\', "/")
        });
        let logs: Vec<(String, u32)> = names
            .filter(|name| !name.starts_with("ad/"))
            .map(|name| (name.clone(), day(&name)))
            .collect();
        assert!(logs.len() > 50, "{logs:?}");
        settings(&folder, "", "retention = \"30d\"");
        fs::create_dir_all(folder.join("logs")).unwrap();
        Fortnight { folder, all, logs }
    }

    /// The first day of the logs.
    fn first_day(&self) -> u32 {
        self.logs.iter().map(|(_, day)| *day).min().unwrap()
    }

    /// Puts everything there as it is in a night: the log of the day is not whole yet, older ones are packed or moved, one
    /// server was down for three days.
    fn prepare(&self, night: u32) {
        let today = self.first_day() + night;
        for (name, day) in &self.logs {
            let is_late =
                name.contains("EX02") && (5..8).contains(&(day - self.first_day())) && night < 9;
            if *day > today || is_late {
                continue;
            }
            let text = fs::read(self.all.join(name)).unwrap();
            let place = format!("logs/{name}");
            let age = today - day;
            let is_w3c = name.starts_with("iis/");
            match age {
                0 if night + 1 < NIGHTS => {
                    let half =
                        text[..text.len() / 2].iter().rposition(|&b| b == b'\n').unwrap() + 1;
                    self.put(&place, &text[..half]);
                }
                3.. if is_w3c && name.contains("EX01") => {
                    self.put(&format!("{place}.gz"), &gzip(&text));
                    let _ = fs::remove_file(self.folder.join(&place));
                }
                2.. if is_w3c => {
                    let old = place.replace("logs/iis/", "logs/old/");
                    if !self.folder.join(&old).exists() {
                        self.put(&place, &text);
                        fs::create_dir_all(self.folder.join(&old).parent().unwrap()).unwrap();
                        fs::rename(self.folder.join(&place), self.folder.join(&old)).unwrap();
                    }
                }
                _ => self.put(&place, &text),
            }
        }
        let changes = fs::read_to_string(self.all.join("ad/changes.csv")).unwrap();
        let known: String = changes
            .lines()
            .filter(|line| line.starts_with("time") || day_of(line) <= today)
            .map(|line| format!("{line}\n"))
            .collect();
        self.put("ad/changes.csv", known.as_bytes());
        if night >= 2 {
            self.put("ad/users.csv", &fs::read(self.all.join("ad/users.csv")).unwrap());
        }
    }

    /// Writes a file, unless it is that already.
    fn put(&self, name: &str, content: &[u8]) {
        if fs::read(self.folder.join(name)).ok().as_deref() != Some(content) {
            self.folder.write(name, content);
        }
    }
}

fn day_of(line: &str) -> u32 {
    line.get(8..10).and_then(|day| day.parse().ok()).unwrap_or(0)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

/// How many files a night read, of how many.
fn read_of(line: &str) -> (u32, u32) {
    let text = line.split("; ").nth(1).unwrap();
    let numbers: Vec<u32> = text.split(' ').filter_map(|word| word.parse().ok()).collect();
    (numbers[0], numbers[1])
}

#[test]
fn fourteen_nights_are_one_run() {
    let fortnight = Fortnight::new();
    let (mut n_read, mut n_files) = (0, 0);
    for night in (0..NIGHTS).step_by(STEP) {
        fortnight.prepare(night);
        let day = format!("2026-04-{:02}", night + 1);
        let ran = night_is_analyze(&fortnight.folder, &day, &[]);
        let (read, of) = read_of(&ran.stdout);
        n_read += read;
        n_files = of;
    }
    // Each log of a day is read half and whole, and again where somebody is cut off the day after.
    assert!(n_read < n_files * 4, "{n_read} readings of {n_files} files");
    let last = nightly(&fortnight.folder, "2026-04-20");
    assert_eq!(read_of(&last.stdout).0, 0, "{}", last.stdout);
}

/// Somebody is cut off: what is read again are the logs since the day before, and no older ones.
#[test]
fn only_what_bears_on_it_is_read_again() {
    let fortnight = Fortnight::new();
    fortnight.prepare(NIGHTS);
    let folder = &fortnight.folder;
    let changes = fs::read_to_string(folder.join("ad/changes.csv")).unwrap();
    let last = changes.lines().map(day_of).max().unwrap();
    let before: Vec<&str> = changes.lines().filter(|line| day_of(line) < last).collect();
    folder.write("ad/changes.csv", before.join("\n"));
    night_is_analyze(folder, "2026-04-01", &[]);
    folder.write("ad/changes.csv", &changes);
    let ran = night_is_analyze(folder, "2026-04-02", &[]);
    let (read, of) = read_of(&ran.stdout);
    let late = fortnight.logs.iter().filter(|(_, day)| day + 1 >= last).count() as u32;
    assert!(1 < read && read <= late + 1, "{read} of {of} files, of which {late} end so late");
    assert!(late * 3 < of, "{late} of {of}");
}

/// Killed at any instant of any night: the next run knows nothing of it.
#[test]
fn killed_at_any_instant() {
    let n_kills = std::env::var("STILLIN_KILLS").ok().and_then(|text| text.parse().ok());
    let n_kills: u32 = n_kills.unwrap_or(20);
    let fortnight = Fortnight::new();
    let (mut seed, mut killed) = (0x9e37_79b9_u32, 0);
    let mut longest = Duration::from_millis(200);
    for night in (0..NIGHTS).step_by(STEP) {
        fortnight.prepare(night);
        let day = format!("2026-04-{:02}", night + 1);
        for _ in 0..n_kills.div_ceil(NIGHTS) {
            let mut command = stillin();
            command
                .current_dir(fortnight.folder.path())
                .args(["nightly", "--now", &day, "--quiet"]);
            let mut child = spawn(command.stdout(Stdio::null()).stderr(Stdio::null()));
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            std::thread::sleep(longest.mul_f64(f64::from(seed) / f64::from(u32::MAX)));
            killed += u32::from(child.try_wait().unwrap().is_none());
            let _ = child.kill();
            child.wait().unwrap();
        }
        let begun = Instant::now();
        night_is_analyze(&fortnight.folder, &day, &[]);
        // The other half is what `analyze` took.
        longest = begun.elapsed() / 2;
    }
    assert!(
        killed as usize * 4 * STEP > n_kills as usize,
        "only {killed} of {n_kills} were killed at work"
    );
    // What a killed run had begun to write is cleared away.
    let left = files_under(fortnight.folder.path());
    assert!(!left.iter().any(|file| file.to_string_lossy().contains(".stillin-")), "{left:?}");
}

/// A folder with one story and the settings that read it.
fn leaver(more: &str) -> Folder {
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/iis", "logs/iis");
    folder.copy("samples/scenarios/leaver/ad", "ad");
    settings(&folder, "", more);
    folder
}

fn history(folder: &Folder, words: &[&str]) -> Ran {
    let mut command = stillin();
    command.current_dir(folder.path()).args(["history", "--state", "stillin-state.db"]);
    run(command.args(words), b"")
}

fn statuses(folder: &Folder) -> Vec<(String, String)> {
    let ran = history(folder, &["--format", "json"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let list: Value = serde_json::from_str(&ran.stdout).unwrap();
    let text = |of: &Value, key: &str| of[key].as_str().unwrap().to_owned();
    let list = list["findings"].as_array().unwrap().iter();
    list.map(|of| (text(of, "account"), text(of, "status"))).collect()
}

/// The log of a server comes late: what was open, and closed, is open again.
#[test]
fn a_finding_comes_and_goes_and_comes_back() {
    let folder = leaver("");
    let log = "logs/iis/EX01/W3SVC1/u_ex260302.log";
    let text = fs::read_to_string(folder.join(log)).unwrap();
    let stands = |status: &str| vec![("FABRIKAM\\ada".to_owned(), status.to_owned())];
    let line = |ran: Ran| ran.stdout;
    assert!(
        line(nightly(&folder, "2026-03-03"))
            .starts_with("2026-03-03: 1 open, 1 new, 0 closed; 3 of 3 ")
    );
    assert_eq!(statuses(&folder), stands("new"));
    assert!(
        line(nightly(&folder, "2026-03-04"))
            .starts_with("2026-03-04: 1 open, 0 new, 0 closed; 0 of 3 ")
    );
    assert_eq!(statuses(&folder), stands("open"));
    // A day later nobody was served any more: the token is gone.
    let last = text.lines().rfind(|line| line.contains("HealthMailbox")).unwrap();
    let later = format!("{text}{}\n", last.replacen("2026-03-02 10", "2026-03-02 14", 1));
    folder.write(log, &later);
    assert!(
        line(nightly(&folder, "2026-03-05"))
            .starts_with("2026-03-05: 0 open, 0 new, 1 closed; 1 of 3 ")
    );
    assert_eq!(statuses(&folder), stands("closed"));
    // And then a log comes that was missing.
    let own = text.lines().rfind(|line| line.contains("ada") && line.contains(" 200 ")).unwrap();
    let late = text.lines().find(|line| line.starts_with("#Fields")).unwrap();
    let late = format!("#Software: Microsoft Internet Information Services 10.0\n{late}\n{own}\n");
    let late = late
        .replace("2026-03-02 10:02", "2026-03-02 13:59")
        .replace("2026-03-02 10:01", "2026-03-02 13:59");
    folder.write("logs/iis/EX01/W3SVC1/u_ex260302_x.log", &late);
    let ran = line(nightly(&folder, "2026-03-06"));
    assert!(ran.starts_with("2026-03-06: 1 open, 0 new, 1 recurred, 0 closed; 1 of 4 "), "{ran}");
    assert_eq!(statuses(&folder), stands("recurred"));
    let weeks: Value =
        serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap();
    assert_eq!(weeks["trend"][0]["monday"], "2026-03-02");
    assert_eq!(weeks["trend"][0]["new"], 1);
    assert_eq!(weeks["trend"][0]["open"], 1);
}

#[test]
fn what_is_gone_is_kept_until_retention() {
    let folder = leaver("retention = \"10d\"");
    nightly(&folder, "2026-03-03");
    let whole = report(&folder.join("report.json"));
    fs::remove_file(folder.join("logs/iis/EX01/W3SVC1/u_ex260302.log")).unwrap();
    // Of its server nothing else is there, which is told, and all that was read counts on.
    let told = "stillin: EX01: none of its 1 logs is there tonight";
    for day in ["2026-03-04", "2026-03-05", "2026-03-14"] {
        let ran = nightly(&folder, day);
        assert_eq!((ran.status, ran.stderr.starts_with(told)), (1, true), "{}", ran.stderr);
        let mut report = report(&folder.join("report.json"));
        report["notes"].as_array_mut().unwrap().remove(0);
        is_same(day, &whole, &report);
    }
    // What only it told is not closed by nobody's knowing of it.
    let ran = nightly(&folder, "2026-03-16");
    assert!(ran.stdout.starts_with("2026-03-16: 1 open, 0 new, 0 closed"), "{}", ran.stdout);
    assert_eq!(ran.stderr.matches("stays open").count(), 1, "{}", ran.stderr);
    let ran = nightly(&folder, "2026-03-30");
    assert!(ran.stdout.starts_with("2026-03-30: 0 open, 0 new, 0 closed"), "{}", ran.stdout);
    let listed = history(&folder, &["--format", "json"]).stdout;
    assert!(listed.contains("\"closed\"") && !listed.contains("closed_at"), "{listed}");
    // A folder that cannot be reached is said, and what was read there is kept.
    fs::rename(folder.join("logs"), folder.join("away")).unwrap();
    let ran = nightly(&folder, "2026-03-31");
    assert_eq!(
        (ran.status, ran.stderr.as_str()),
        (1, "stillin: logs: no such file or folder; check the spelling\n")
    );
    fs::rename(folder.join("away"), folder.join("logs")).unwrap();
    assert_eq!(nightly(&folder, "2026-04-01").status, 0);
}

#[test]
fn excluded_until_a_day() {
    let exclude =
        "[[nightly.exclude]]\naccount = 'fabrikam\\ADA'\nreason = \"known\"\nuntil = 2026-03-10\n";
    let folder = leaver(&format!("{exclude}\n"));
    let ran = nightly(&folder, "2026-03-10");
    let expect = "2026-03-10: 0 open, 0 new, 0 closed, 1 excluded;";
    assert_eq!((ran.status, &ran.stdout[..expect.len()]), (0, expect));
    let without = report(&folder.join("report.json"));
    assert_eq!(without["excluded"], 1);
    assert_eq!(without["findings"].as_array().unwrap().len(), 0);
    assert_eq!(without["plan"].as_array().unwrap().len(), 0);
    let note = without["notes"][0].as_str().unwrap();
    assert!(
        note.starts_with("fabrikam\\ADA: left out until 2026-03-10 (known): 1 finding(s)"),
        "{note}"
    );
    let ran = nightly(&folder, "2026-03-11");
    assert!(ran.stdout.starts_with("2026-03-11: 1 open"), "{}", ran.stdout);
    assert_eq!(report(&folder.join("report.json"))["findings"].as_array().unwrap().len(), 1);
}

/// The files of a folder but for the log of SQLite, which comes and goes.
fn bytes(folder: &Folder, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap()
}

#[test]
fn a_state_is_never_made_worse() {
    let folder = leaver("");
    nightly(&folder, "2026-03-03");
    let (state, before) = (bytes(&folder, "stillin-state.db"), bytes(&folder, "report.json"));
    let refused = |folder: &Folder, what: &str| {
        let ran = nightly(folder, "2026-03-04");
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(what) && ran.stderr.lines().count() == 1, "{}", ran.stderr);
        assert_eq!(bytes(folder, "report.json"), before);
    };
    for damaged in
        [&b"no database at all, but a text of some length"[..], &state[..100], &[0; 5000]]
    {
        folder.write("stillin-state.db", damaged);
        refused(&folder, "stillin: stillin-state.db: ");
        assert_eq!(bytes(&folder, "stillin-state.db"), damaged);
    }
    // Every page but the first is noise.
    let mut noise = state.clone();
    noise[4096..].iter_mut().for_each(|byte| *byte = byte.wrapping_mul(31).wrapping_add(7));
    folder.write("stillin-state.db", &noise);
    refused(&folder, "is damaged, or no state of stillin; move it away to begin anew");
    // `user_version` stands at byte 60 of the file.
    let mut newer = state.clone();
    newer[60..64].copy_from_slice(&9u32.to_be_bytes());
    folder.write("stillin-state.db", &newer);
    refused(&folder, "was written by a newer stillin (schema 9, this one knows 1)");
    let mut others = state.clone();
    others[68..72].copy_from_slice(&1u32.to_be_bytes());
    folder.write("stillin-state.db", &others);
    refused(&folder, "is a database of another program");
    folder.write("stillin-state.db", &state);
    assert_eq!(nightly(&folder, "2026-03-04").status, 0);
}

#[test]
fn two_at_once() {
    let folder = leaver("");
    nightly(&folder, "2026-03-03");
    let lock = fs::File::options().write(true).open(folder.join("stillin-state.db.lock")).unwrap();
    lock.lock().unwrap();
    let ran = nightly(&folder, "2026-03-04");
    assert_eq!(ran.status, 2);
    assert_eq!(
        ran.stderr,
        "stillin: stillin-state.db: another run is at work with this state; nothing is done here\n"
    );
    drop(lock);
    assert_eq!(nightly(&folder, "2026-03-04").status, 0);
}

/// The limit of a file's size is what a full disk is to a write: an error in the middle.
#[cfg(unix)] // Windows has no such limit.
#[test]
fn a_full_disk() {
    let folder = leaver("");
    nightly(&folder, "2026-03-03");
    let before = bytes(&folder, "report.json");
    let log = "logs/iis/EX01/W3SVC1/u_ex260302.log";
    let text = fs::read_to_string(folder.join(log)).unwrap();
    folder.write(log, format!("{text}{}\n", text.lines().last().unwrap()));
    let limited = |blocks: u32| {
        let mut command = std::process::Command::new("sh");
        let words = stillin();
        let program = words.get_program().to_string_lossy().into_owned();
        for (name, _) in words.get_envs() {
            command.env_remove(name);
        }
        let script =
            format!("ulimit -f {blocks}; trap '' XFSZ; exec '{program}' nightly --now 2026-03-04");
        run(command.current_dir(folder.path()).args(["-c", &script]), b"")
    };
    for blocks in [1, 8, 40, 66] {
        let ran = limited(blocks);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{blocks}: {}", ran.stderr);
        let is_told = ["stillin: stillin-state.db: ", "stillin: cannot write report.json: "];
        assert!(
            is_told.iter().any(|what| ran.stderr.starts_with(what)),
            "{blocks}: {}",
            ran.stderr
        );
        assert_eq!(bytes(&folder, "report.json"), before, "{blocks}");
    }
    assert_eq!(statuses(&folder)[0].1, "new");
    night_is_analyze(&folder, "2026-03-05", &[]);
}

#[cfg(unix)] // Windows has other rights.
#[test]
fn a_state_that_may_not_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let folder = leaver("");
    nightly(&folder, "2026-03-03");
    let state = folder.join("stillin-state.db");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o444)).unwrap();
    // Root may write everything.
    if fs::File::options().write(true).open(&state).is_ok() {
        return;
    }
    let ran = nightly(&folder, "2026-03-04");
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("cannot be written; run as a user who may"), "{}", ran.stderr);
}

const LIST: &str =
    "time,account,change,actor\n2026-03-02T09:00:00Z,FABRIKAM\\bob,disabled,FABRIKAM\\helpdesk\n";

/// A log is gone, and then somebody is cut off who may be in it: nobody can look again, and the report says so.
#[test]
fn what_is_gone_cannot_be_read_again() {
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/iis", "logs/iis");
    folder.write("ad/list.csv", LIST);
    settings(&folder, "", "");
    assert_eq!(nightly(&folder, "2026-03-03").status, 0);
    fs::remove_file(folder.join("logs/iis/EX01/W3SVC1/u_ex260302.log")).unwrap();
    assert_eq!(nightly(&folder, "2026-03-04").status, 1, "a server without a log");
    let ada = "2026-03-02T09:00:00Z,FABRIKAM\\ada,disabled,FABRIKAM\\helpdesk\n";
    folder.write("ad/list.csv", format!("{LIST}{ada}"));
    let note = "logs/iis/EX01/W3SVC1/u_ex260302.log: is gone, and was read when less was known of whom to look for";
    for day in ["2026-03-05", "2026-03-06"] {
        let ran = nightly(&folder, day);
        assert_eq!(ran.status, 1, "{day}");
        assert!(ran.stderr.contains(note), "{day}: {}", ran.stderr);
        let report = report(&folder.join("report.json"));
        let notes = report["notes"].as_array().unwrap();
        assert!(notes.iter().any(|of| of.as_str().unwrap().starts_with(note)), "{day}");
        let ada =
            report["findings"].as_array().unwrap().iter().find(|f| f["account"] == "FABRIKAM\\ada");
        let servers: Vec<&Value> =
            ada.unwrap()["paths"].as_array().unwrap().iter().map(|path| &path["server"]).collect();
        assert_eq!(servers, ["EX02"], "{day}");
    }
}

/// A log that was read while it was short, and lies packed under another name when it has grown, is the same log.
#[test]
fn a_log_that_grew_and_was_packed_counts_once() {
    let folder = leaver("");
    let (log, packed) = ("logs/iis/EX01/W3SVC1/u_ex260302.log", "logs/iis/EX01/W3SVC1/old.log.gz");
    let text = fs::read(folder.join(log)).unwrap();
    let half = text[..text.len() / 2].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    folder.write(log, &text[..half]);
    night_is_analyze(&folder, "2026-03-03", &[]);
    fs::remove_file(folder.join(log)).unwrap();
    folder.write(packed, gzip(&text));
    let ran = night_is_analyze(&folder, "2026-03-04", &[]);
    assert_eq!(read_of(&ran.stdout), (1, 3), "{}", ran.stdout);
    // Now it is only renamed, and then unpacked: known by its name the first time, read the second.
    fs::rename(folder.join(packed), folder.join("logs/iis/EX01/W3SVC1/older.log.gz")).unwrap();
    let ran = night_is_analyze(&folder, "2026-03-05", &[]);
    assert_eq!(read_of(&ran.stdout), (0, 3), "{}", ran.stdout);
}
