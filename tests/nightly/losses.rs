//! Files that are emptied, damaged, cut short or written over, servers that are gone, outputs that cannot be put in place:
//! nothing that was found is lost by it, and it is said.

use super::{
    LIST, is_same, leaver, night_is_analyze, nightly, read_of, report, settings, statuses,
};
use crate::support::{Folder, run, stillin};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::fs;
use std::io::Write;

const LOG: &str = "logs/iis/EX01/W3SVC1/u_ex260302.log";
const KEPT: &str = "logs/iis/EX01/W3SVC1/u_ex260302.log (until 2026-03-04)";

pub fn findings(folder: &Folder) -> Value {
    report(&folder.join("report.json"))["findings"].clone()
}

/// Where two files hold a line, the first of them has it.
pub fn without_places(of: &Value) -> Value {
    match of {
        Value::Array(list) => list.iter().map(without_places).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(key, _)| !["path", "line"].contains(&key.as_str()));
            fields.map(|(key, value)| (key.clone(), without_places(value))).collect()
        }
        value => value.clone(),
    }
}

pub fn paths(folder: &Folder) -> Vec<String> {
    let report = report(&folder.join("report.json"));
    let sources = report["sources"].as_array().unwrap().iter();
    sources.map(|source| source["path"].as_str().unwrap().to_owned()).collect()
}

/// A head of its own, and the last probe, which says that the server goes on.
fn begun_anew(text: &str) -> String {
    let last = text.lines().rfind(|line| line.contains("HealthMailbox")).unwrap();
    let head: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
    let head = head.join("\n").replace("#Date: 2026-03-02 08", "#Date: 2026-03-02 10");
    format!("{head}\n{last}\n")
}

/// What stands in a log under its name, whatever was made of it, does not undo what was read.
#[test]
fn a_log_that_is_written_over_counts_on() {
    let folder = leaver("");
    let text = fs::read_to_string(folder.join(LOG)).unwrap();
    nightly(&folder, "2026-03-03");
    let found = findings(&folder);
    assert_eq!(found.as_array().unwrap().len(), 1);
    let half = text[..text.len() / 2].rfind('\n').unwrap() + 1;
    let anew = begun_anew(&text);
    let mut damaged = text.clone().into_bytes();
    damaged[half..half + 4000].fill(0);
    let others: [&[u8]; 3] = [anew.as_bytes(), &text.as_bytes()[..half], &damaged];
    for other in others {
        let folder = leaver("");
        nightly(&folder, "2026-03-03");
        folder.write(LOG, other);
        let ran = nightly(&folder, "2026-03-04");
        assert!(ran.stdout.starts_with("2026-03-04: 1 open, 0 new, 0 closed; "), "{}", ran.stdout);
        assert_eq!(ran.status, 1, "{}", ran.stderr);
        let told = format!(
            "{LOG}: does not begin with what was read of it before: that counts on as `{KEPT}`"
        );
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
        let notes = report(&folder.join("report.json"))["notes"].clone();
        assert!(notes[0].as_str().unwrap().starts_with(&told), "{notes}");
        is_same("findings", &without_places(&found), &without_places(&findings(&folder)));
        assert!(paths(&folder).contains(&KEPT.to_owned()));
        let ran = nightly(&folder, "2026-03-05");
        assert!(ran.stdout.contains("1 open, 0 new, 0 closed; 0 of 3 files"), "{}", ran.stdout);
        // A line that is cut by the damage is told every night.
        let status = i32::from(other.contains(&0));
        assert_eq!(ran.status, status, "{}", ran.stderr);
        // The copy of a rotation comes late: it is what was kept, and counts once.
        folder.write(format!("{LOG}.1"), &text);
        let ran = nightly(&folder, "2026-03-06");
        assert_eq!((ran.status, read_of(&ran.stdout)), (status, (0, 4)), "{}", ran.stderr);
        is_same("findings", &without_places(&found), &without_places(&findings(&folder)));
        assert!(!paths(&folder).contains(&KEPT.to_owned()));
    }
}

/// Rotated by a copy and a truncation, the copy where the logs are: every line counts once.
#[test]
fn copied_and_truncated() {
    let folder = leaver("");
    let text = fs::read_to_string(folder.join(LOG)).unwrap();
    let half = text[..text.len() / 2].rfind('\n').unwrap() + 1;
    folder.write(LOG, &text[..half]);
    nightly(&folder, "2026-03-03");
    folder.write(format!("{LOG}.1"), &text);
    folder.write(LOG, begun_anew(&text));
    let ran = night_is_analyze(&folder, "2026-03-04", &[]);
    assert_eq!((ran.status, read_of(&ran.stdout)), (0, (2, 4)), "{}", ran.stderr);
}

/// Some writers fill a log with NULs and write over them: it is the same log, and grew.
#[test]
fn nuls_that_are_written_over() {
    for bytes in [16_000, 100_000] {
        let folder = leaver("");
        let text = fs::read_to_string(folder.join(LOG)).unwrap();
        let half = text[..text.len() / 2].rfind('\n').unwrap() + 1;
        let filled = |text: &str| {
            let mut filled = text.as_bytes().to_vec();
            filled.resize(filled.len().max(bytes), 0);
            filled
        };
        folder.write(LOG, filled(&text[..half]));
        night_is_analyze(&folder, "2026-03-03", &[]);
        folder.write(LOG, filled(&text));
        let ran = night_is_analyze(&folder, "2026-03-04", &[]);
        assert_eq!(read_of(&ran.stdout), (1, 3), "{}", ran.stderr);
        folder.write(LOG, &text);
        let ran = night_is_analyze(&folder, "2026-03-05", &[]);
        assert_eq!(read_of(&ran.stdout), (1, 3), "{}", ran.stderr);
    }
}

fn packed(text: &str) -> Vec<u8> {
    let mut to = GzEncoder::new(Vec::new(), Compression::default());
    to.write_all(text.as_bytes()).unwrap();
    to.finish().unwrap()
}

/// A packed log, and the name under which it lies instead of the plain one.
fn packed_log(folder: &Folder) -> (Vec<u8>, String) {
    let log = packed(&fs::read_to_string(folder.join(LOG)).unwrap());
    fs::remove_file(folder.join(LOG)).unwrap();
    (log, format!("{LOG}.gz"))
}

/// A night that comes while a log is copied reads what is there, and the next one the whole.
#[test]
fn a_packed_log_that_is_copied_just_then() {
    let folder = leaver("");
    let (log, name) = packed_log(&folder);
    for (day, bytes) in [("2026-03-03", log.len() / 2), ("2026-03-04", log.len() * 3 / 4)] {
        folder.write(&name, &log[..bytes]);
        let ran = night_is_analyze(&folder, day, &[]);
        assert_eq!(ran.status, 1, "{}", ran.stderr);
    }
    let cut = findings(&folder);
    folder.write(&name, &log);
    let ran = night_is_analyze(&folder, "2026-03-05", &[]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    let last = |found: &Value| found[0]["last"].as_str().unwrap().to_owned();
    assert!(last(&cut) < last(&findings(&folder)));
}

/// What was read of a packed log counts on while it is damaged, and it is the same log when it is put back.
#[test]
fn a_packed_log_that_is_damaged_counts_on() {
    let folder = leaver("");
    let (log, name) = packed_log(&folder);
    folder.write(&name, &log);
    night_is_analyze(&folder, "2026-03-03", &[]);
    let found = findings(&folder);
    let mut damaged = log.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0);
    for (n, bytes) in [&log[..middle], &damaged].into_iter().enumerate() {
        folder.write(&name, bytes);
        for day in [4, 5] {
            let ran = nightly(&folder, &format!("2026-0{}-0{day}", n + 3));
            assert!(ran.stdout.contains(": 1 open, 0 new, 0 closed; 0 of "), "{}", ran.stdout);
            let told = format!(
                "{name}: is damaged; what was read of it before counts on: put the file back"
            );
            assert_eq!((ran.status, ran.stderr.matches(&told).count()), (1, 1), "{}", ran.stderr);
            is_same("findings", &found, &findings(&folder));
        }
    }
    folder.write(&name, &log);
    let ran = night_is_analyze(&folder, "2026-04-06", &[]);
    assert_eq!((ran.status, read_of(&ran.stdout)), (0, (0, 3)), "{}", ran.stderr);
}

/// What could be read of a damaged log counts on when it is gone.
#[test]
fn a_damaged_log_that_is_gone() {
    let folder = leaver("");
    let (log, name) = packed_log(&folder);
    folder.write(&name, &log[..log.len() / 2]);
    nightly(&folder, "2026-03-03");
    let found = findings(&folder);
    assert_eq!(found.as_array().unwrap().len(), 1);
    fs::remove_file(folder.join(name)).unwrap();
    for day in ["2026-03-04", "2026-03-05"] {
        let ran = nightly(&folder, day);
        assert!(ran.stdout.contains("1 open, 0 new, 0 closed; 0 of "), "{}", ran.stdout);
        is_same(day, &found, &findings(&folder));
    }
}

#[test]
fn a_log_that_is_emptied_counts_on() {
    let folder = leaver("");
    let text = fs::read_to_string(folder.join(LOG)).unwrap();
    nightly(&folder, "2026-03-03");
    let found = findings(&folder);
    folder.write(LOG, "");
    for day in ["2026-03-04", "2026-03-05"] {
        let ran = nightly(&folder, day);
        assert!(ran.stdout.contains(": 1 open, 0 new, 0 closed; 0 of "), "{}", ran.stdout);
        assert_eq!(ran.status, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("{LOG}: ")), "{}", ran.stderr);
        assert!(ran.stderr.contains("what was read of it before counts on"), "{}", ran.stderr);
        is_same(day, &found, &findings(&folder));
    }
    folder.write(LOG, text);
    let ran = night_is_analyze(&folder, "2026-03-06", &[]);
    assert_eq!((ran.status, read_of(&ran.stdout)), (0, (0, 3)), "{}", ran.stderr);
}

/// An export that is emptied or damaged does not undo what it told.
#[test]
fn evidence_that_is_damaged_counts_on() {
    let ada = "2026-03-02T09:00:00Z,FABRIKAM\\ada,disabled,FABRIKAM\\helpdesk\n";
    let list = format!("{LIST}{ada}");
    let head = LIST.lines().next().unwrap();
    for damaged in ["", "\0\0\0\0", "nothing that anybody knows\n", head] {
        let folder = Folder::new();
        folder.copy("samples/scenarios/leaver/iis", "logs/iis");
        folder.write("ad/list.csv", &list);
        settings(&folder, "", "");
        assert_eq!(nightly(&folder, "2026-03-03").status, 0);
        let found = findings(&folder);
        folder.write("ad/list.csv", damaged);
        for day in ["2026-03-04", "2026-03-05"] {
            let ran = nightly(&folder, day);
            assert!(ran.stdout.contains("2 open, 0 new, 0 closed; "), "{damaged}: {}", ran.stdout);
            assert_eq!(ran.status, 1, "{damaged}: {}", ran.stderr);
            let told = "what was read of it before counts on: put ";
            assert!(ran.stderr.contains(told), "{damaged}: {}", ran.stderr);
            is_same(day, &found, &findings(&folder));
        }
        folder.write("ad/list.csv", &list);
        let ran = night_is_analyze(&folder, "2026-03-06", &[]);
        assert_eq!(ran.status, 0, "{damaged}: {}", ran.stderr);
    }
}

/// An export without the change says nothing of it: what is open stays so, and the trend has no end of it.
#[test]
fn what_nobody_can_judge_stays_open() {
    let ada = "2026-03-02T09:00:00Z,FABRIKAM\\ada,disabled,FABRIKAM\\helpdesk\n";
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/iis", "logs/iis");
    folder.write("ad/list.csv", format!("{LIST}{ada}"));
    settings(&folder, "", "retention = \"20d\"");
    nightly(&folder, "2026-03-03");
    folder.write("ad/list.csv", LIST);
    for day in ["2026-03-04", "2026-03-05"] {
        let ran = nightly(&folder, day);
        assert!(ran.stdout.contains("2 open, 0 new, 0 closed; "), "{}", ran.stdout);
        assert_eq!(ran.status, 1, "{}", ran.stderr);
        let told = "FABRIKAM\\ada: disabled at 2026-03-02T09:00:00Z was open, and tonight's sources do not speak of it";
        assert_eq!(ran.stderr.matches(told).count(), 1, "{}", ran.stderr);
        assert_eq!(statuses(&folder)[0], ("FABRIKAM\\ada".to_owned(), "open".to_owned()));
        let text = fs::read(folder.join("report.json")).unwrap();
        let report: Value = serde_json::from_slice(&text).unwrap();
        assert!(report["notes"][0].as_str().unwrap().starts_with(told));
        let weeks = report["trend"].as_array().unwrap();
        assert_eq!((&weeks[0]["open"], &weeks[0]["closed"]), (&2.into(), &0.into()));
    }
    settings(&folder, "fail_on = \"open\"", "retention = \"20d\"");
    assert_eq!(nightly(&folder, "2026-03-06").status, 3);
    // After so long it is forgotten, and closed by nobody.
    nightly(&folder, "2026-03-30");
    assert_eq!(statuses(&folder), [("FABRIKAM\\bob".to_owned(), "open".to_owned())]);
}

/// Nothing is known to the state that no report told: the next night tells it again.
#[test]
fn an_output_that_cannot_be_put_in_place() {
    let folder = leaver("");
    let config = fs::read_to_string(folder.join("stillin.toml")).unwrap();
    let outputs = "outputs = [\"report.json\", \"other.txt\"]";
    folder.write("stillin.toml", config.replace("outputs = [\"report.json\"]", outputs));
    fs::create_dir(folder.join("other.txt")).unwrap();
    let refused = |day: &str| {
        let ran = nightly(&folder, day);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("cannot write other.txt"), "{}", ran.stderr);
    };
    refused("2026-03-03");
    assert!(!folder.join("report.json").exists());
    assert_eq!(statuses(&folder), []);
    folder.write("report.json", "of before");
    refused("2026-03-04");
    assert_eq!(fs::read(folder.join("report.json")).unwrap(), b"of before");
    fs::remove_dir(folder.join("other.txt")).unwrap();
    let ran = nightly(&folder, "2026-03-05");
    assert!(ran.stdout.starts_with("2026-03-05: 1 open, 1 new, 0 closed"), "{}", ran.stdout);
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().starts_with(".stillin-")));
}

/// The folder of the settings has signs of a date in its name, which are none.
#[test]
fn a_folder_with_a_percent_sign() {
    let folder = Folder::new();
    let place = "of %Y and 100%";
    folder.copy("samples/scenarios/leaver/iis", format!("{place}/logs"));
    folder.copy("samples/scenarios/leaver/ad", format!("{place}/ad"));
    let config = "[nightly]\noutputs = [\"%Y/report.json\"]\nchanges = [\"ad\", \"logs\"]\n";
    folder.write(format!("{place}/stillin.toml"), config);
    let mut command = stillin();
    command.current_dir(folder.path()).args(["nightly", "--now", "2026-03-03", "--config"]);
    let ran = run(command.arg(format!("{place}/stillin.toml")), b"");
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(folder.join(format!("{place}/2026/report.json")).exists(), "{}", ran.stdout);
}

/// A server below a folder that is named, of which nothing is there any more, is told for a while.
#[test]
fn a_server_that_is_gone() {
    let folder = leaver("");
    nightly(&folder, "2026-03-03");
    let found = findings(&folder);
    fs::remove_dir_all(folder.join("logs/iis/EX02")).unwrap();
    let told = "EX02: none of its 1 logs is there tonight (they lay in logs/iis/EX02/W3SVC1)";
    for (day, status) in [("2026-03-04", 1), ("2026-03-05", 1), ("2026-03-30", 0)] {
        let ran = nightly(&folder, day);
        assert_eq!(
            (ran.status, ran.stderr.contains(told)),
            (status, status == 1),
            "{}",
            ran.stderr
        );
        is_same(day, &found, &findings(&folder));
    }
}

#[test]
fn settings_that_name_the_wrong_places() {
    for (more, told) in [
        ("state = \"ad\"", "ad: is a folder; name a file in it for the state"),
        ("state = \"ad/dc1-security.xml\"", "is damaged, or no state of stillin"),
        ("outputs = [\"a.json\", \"./a.json\"]", "./a.json: is named as an output twice"),
        (
            "state = \"a.json\"\noutputs = [\"./a.json\"]",
            "./a.json: is the state; no report is written there",
        ),
        ("state = \"\"", "stillin.toml:2: is empty; name a file"),
        (
            "outputs = [\"a.foo\"]",
            "stillin.toml:2: `a.foo`: the name tells no format; name it .html, .json",
        ),
        ("state = 3", "stillin.toml:2: a number stands where a text is wanted; correct it"),
        ("outputs = [1]", "stillin.toml:2: a number stands where a text is wanted; correct it"),
        ("outputs = [\"a.json\", \"ad/../a.json\"]", "ad/../a.json: is named as an output twice"),
    ] {
        let folder = leaver("");
        let outputs = if more.contains("outputs") { "" } else { "outputs = [\"report.json\"]\n" };
        folder.write(
            "stillin.toml",
            format!("[nightly]\n{more}\n{outputs}changes = [\"ad\", \"logs\"]\n"),
        );
        let ran = nightly(&folder, "2026-03-03");
        assert_eq!(ran.status, 2, "{more}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{more}: {}", ran.stderr);
        let beside = ["ad.lock", "ad/dc1-security.xml.lock", "a.json", "report.json"];
        assert!(beside.iter().all(|name| !folder.join(name).exists()), "{more}");
    }
}

/// No report is written over what is read, whatever it is called.
#[test]
fn an_output_that_is_an_input() {
    let log = "logs/iis/EX01/W3SVC1/x.json";
    let patterns = [
        ("ad/events.json", ""),
        (log, ""),
        ("./ad/../ad/events.json", ""),
        ("%Y/../ad/events.json", "2026"),
    ];
    for (output, below) in patterns {
        let folder = leaver("");
        fs::rename(folder.join("ad/dc1-security.xml"), folder.join("ad/events.json")).unwrap();
        fs::rename(folder.join(LOG), folder.join(log)).unwrap();
        fs::create_dir_all(folder.join(below)).unwrap();
        let before = ["ad/events.json", log].map(|name| fs::read(folder.join(name)).unwrap());
        nightly(&folder, "2026-03-03");
        let config = fs::read_to_string(folder.join("stillin.toml")).unwrap();
        folder.write("stillin.toml", config.replace("report.json", output));
        let ran = nightly(&folder, "2026-03-04");
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        assert!(
            ran.stderr.ends_with("is also an input; no report is written there\n"),
            "{}",
            ran.stderr
        );
        assert_eq!(
            before,
            ["ad/events.json", log].map(|name| fs::read(folder.join(name)).unwrap())
        );
    }
}

/// A state that may only be read, in a folder of the same kind, is listed all the same.
#[cfg(unix)] // Windows has other rights.
#[test]
fn a_state_that_may_only_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = leaver("");
    nightly(&folder, "2026-03-03");
    let set = |name: &str, mode| {
        let path = folder.join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    set("stillin-state.db", 0o444);
    set(".", 0o555);
    let ran = super::history(&folder, &["--format", "json"]);
    set(".", 0o755);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("FABRIKAM\\\\ada"), "{}", ran.stdout);
}

/// A new week in which nothing happened: what is made of single requests is a copy.
#[test]
fn a_quiet_week_is_cheap() {
    let folder = leaver("");
    let config = fs::read_to_string(folder.join("stillin.toml")).unwrap();
    let outputs = "outputs = [\"report.json\", \"report.html\", \"report.xlsx\"]";
    folder.write("stillin.toml", config.replace("outputs = [\"report.json\"]", outputs));
    nightly(&folder, "2026-03-03");
    nightly(&folder, "2026-03-04");
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let before = ["report.json", "report.html", "report.xlsx"].map(read);
    // The log is not there, so whoever copies does not read it.
    for day in ["2026-03-09", "2026-03-16", "2026-12-21"] {
        let ran = nightly(&folder, day);
        assert!(ran.stdout.contains("; 0 of 3 files"), "{}", ran.stdout);
        assert_eq!(before, ["report.json", "report.html", "report.xlsx"].map(read), "{day}");
    }
    // A copy that somebody edited is none, though it is as long and as old.
    let path = folder.join("report.html");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let mut edited = before[1].clone();
    *edited.last_mut().unwrap() = b'!';
    fs::write(&path, &edited).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(modified).unwrap();
    // Windows replaces no file that is open.
    drop(file);
    assert_eq!(nightly(&folder, "2026-12-22").status, 0);
    assert_eq!(read("report.html"), before[1]);
}
