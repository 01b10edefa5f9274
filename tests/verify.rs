//! Verdicts of `verify` in many runs: no order and no number of threads changes them, more log makes nothing good that
//! had failed, and who watches sees the log grow.

use crate::support::{Folder, Ran, appcmd, run, spawn, stillin};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};

const FIELDS: &str = "#Fields: date time cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip sc-status \
                      sc-substatus sc-win32-status time-taken\r\n";

/// A request of the phone, or of Exchange's probe.
fn line(at: DateTime<Utc>, status: &str) -> String {
    let (name, device) = match status {
        "probe" => ("FABRIKAM\\HealthMailbox83d6781", "EASProbeDeviceId141"),
        _ => ("FABRIKAM\\ada", "ApplDNQX7K2M0F17"),
    };
    let status = if status == "probe" { "200 0 0" } else { status };
    format!(
        "{} POST /Microsoft-Server-ActiveSync/default.eas Cmd=Sync&DeviceId={device} 443 {name} 203.0.113.7 {status} \
         240\r\n",
        at.format("%Y-%m-%d %H:%M:%S")
    )
}

const SERVED: &str = "200 0 0";
const REFUSED: &str = "401 1 1331";
const EX01: &str = "since/EX01/W3SVC1/u_ex.log";

/// A story whose recycle was at `recycled`: the report of what came before it, and the journal.
struct Story {
    folder: Folder,
    recycled: DateTime<Utc>,
}

impl Story {
    fn new(recycled: DateTime<Utc>) -> Story {
        let story = Story { folder: Folder::new(), recycled };
        let changed = story.at(-30).to_rfc3339();
        story.folder.write(
            "before/changes.csv",
            format!("time,account,change,actor\r\n{changed},FABRIKAM\\ada,disabled,FABRIKAM\\helpdesk\r\n"),
        );
        let served = (-40..-4).step_by(4).map(|minute| line(story.at(minute), SERVED));
        let log = FIELDS.to_owned() + &served.collect::<String>() + &line(story.at(-3), "probe");
        story.folder.write("before/EX01/W3SVC1/u_ex.log", log);
        let ran = story.run(&["analyze", "before", "-q", "-o", "report.json"]);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        let stamp = recycled.to_rfc3339();
        let journal = [
            format!(
                "{{\"schema\":\"stillin/journal/1\",\"event\":\"opened\",\"at\":\"{stamp}\",\"run\":\"r\",\
                 \"operator\":\"helpdesk\",\"host\":\"ADM1\",\"tool\":{{\"name\":\"stillin\",\"version\":\"0.1.0\"}},\
                 \"plan\":{{\"path\":\"report.json\",\"sha256\":\"\"}},\"via\":\"winrm\"}}\n"
            ),
            format!(
                "{{\"event\":\"begun\",\"at\":\"{stamp}\",\"run\":\"r\",\"step\":1,\"server\":\"EX01\",\
                 \"pool\":\"MSExchangeSyncAppPool\",\"action\":\"recycle\",\"command\":[],\"workers\":[]}}\n"
            ),
            format!(
                "{{\"event\":\"ended\",\"at\":\"{stamp}\",\"run\":\"r\",\"step\":1,\"server\":\"EX01\",\
                 \"pool\":\"MSExchangeSyncAppPool\",\"outcome\":\"done\",\"exit\":0,\"output\":\"\"}}\n"
            ),
        ];
        story.folder.write("journal.jsonl", journal.concat());
        story
    }

    /// So many minutes after the recycle.
    fn at(&self, minute: i64) -> DateTime<Utc> {
        self.recycled + TimeDelta::minutes(minute)
    }

    fn run(&self, words: &[&str]) -> Ran {
        run(stillin().current_dir(self.folder.path()).args(words), b"")
    }

    fn verify(&self, paths: &[&str]) -> (i32, Value) {
        let words = [
            "verify",
            "--plan",
            "report.json",
            "--journal",
            "journal.jsonl",
            "-q",
            "--format",
            "json",
        ];
        let ran = self.run(&[&words[..], paths].concat());
        let verdict = serde_json::from_str(&ran.stdout);
        (ran.status, verdict.unwrap_or_else(|error| panic!("{error}: {}", ran.stderr)))
    }

    /// Writes a log since the recycle: minute and status, with a probe at the end.
    fn log(&self, name: &str, story: &[(i64, &str)]) {
        let lines = story.iter().map(|(minute, status)| line(self.at(*minute), status));
        self.folder.write(name, FIELDS.to_owned() + &lines.collect::<String>());
    }
}

fn noon() -> DateTime<Utc> {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

fn step(verdict: &Value) -> &str {
    verdict["steps"][0]["state"].as_str().unwrap()
}

#[test]
fn any_threads_any_order_and_what_was_known_before() {
    let story = Story::new(noon());
    story.log(EX01, &[(-2, SERVED), (3, REFUSED), (9, "probe")]);
    story.log("since/EX02/W3SVC1/u_ex.log", &[(-2, "probe"), (4, SERVED), (9, "probe")]);
    let (status, expected) = story.verify(&["since"]);
    assert_eq!((status, step(&expected)), (3, "proven"));
    assert_eq!(expected["findings"][0]["state"], "failed");
    let (ex01, ex02) = ("since/EX01", "since/EX02/W3SVC1/u_ex.log");
    for paths in
        [&[ex02, ex01][..], &[ex01, ex02, "--threads", "1"], &["since", "--threads", "8", ex02]]
    {
        assert_eq!(story.verify(paths), (3, expected.clone()), "{paths:?}");
    }
    // The sources of the report may lie there as well.
    let (_, whole) = story.verify(&["since", "before"]);
    assert_eq!(whole["findings"][0]["state"], "failed");
    assert_eq!(whole["steps"], expected["steps"]);
}

#[test]
fn more_log_makes_nothing_good() {
    let stories: [&[(i64, &str)]; 4] = [
        &[(-2, SERVED), (1, SERVED), (3, REFUSED), (6, SERVED), (9, REFUSED), (20, "probe")],
        &[(-2, "probe"), (2, SERVED), (4, REFUSED), (9, REFUSED), (20, "probe")],
        &[(-2, "probe"), (4, "probe"), (5, REFUSED), (8, "probe"), (20, "probe")],
        &[(-2, SERVED), (0, SERVED), (1, REFUSED), (4, "probe"), (30, SERVED), (60, REFUSED)],
    ];
    let expected = ["failed", "failed", "proven", "failed"];
    for (story_so_far, expected) in stories.into_iter().zip(expected) {
        let story = Story::new(noon());
        let mut states: Vec<String> = Vec::new();
        for cut in 1..=story_so_far.len() {
            story.log(EX01, &story_so_far[..cut]);
            states.push(step(&story.verify(&["since"]).1).to_owned());
        }
        let failed = states.iter().position(|state| state == "failed").unwrap_or(states.len());
        assert!(states[failed..].iter().all(|state| state == "failed"), "{states:?}");
        assert_eq!(states.last().map(String::as_str), Some(expected), "{states:?}");
        assert_eq!(states[0], "no_coverage", "{states:?}");
    }
}

/// What cannot be unpacked may hold anything; what is no log, and the log of an empty day, hold nothing.
#[test]
fn what_cannot_be_unpacked_is_no_all_clear() {
    let mut tar = vec![0; 512];
    tar[257..262].copy_from_slice(b"ustar");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&FIELDS.repeat(99).into_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    let empty = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let empty = empty.finish().unwrap();
    for (name, bytes, is_clear) in [
        ("since/EX02.tar", tar.as_slice(), false),
        ("since/EX02/W3SVC1/u_ex.log.gz", &packed[..12], false),
        ("since/u_ex.log.gz", &packed[..11], false),
        ("since/EX01/W3SVC1/u_ex2.log.gz", &empty, true),
        ("since/EX01/W3SVC1/SHA256SUMS", b"00ff  u_ex.log\n", true),
        ("since/EX01/W3SVC1/.DS_Store", b"\0\0\0\x01Bud1", true),
    ] {
        let story = Story::new(noon());
        story.log(EX01, &[(-2, "probe"), (5, REFUSED), (20, "probe")]);
        assert_eq!(story.verify(&["since"]).0, 0);
        story.folder.write(name, bytes);
        let (status, verdict) = story.verify(&["since"]);
        assert_eq!(status, if is_clear { 0 } else { 3 }, "{name}: {verdict}");
    }
}

/// A pool that recycles by schedule shortly before the operator does it, or after that, changes nothing.
#[test]
fn a_recycle_by_chance_is_not_the_operators() {
    for (minute, story_so_far, expected) in [
        (-8, [(-5, SERVED), (-2, SERVED), (4, REFUSED), (20, "probe")], "proven"),
        (8, [(-5, SERVED), (3, SERVED), (12, REFUSED), (20, "probe")], "failed"),
    ] {
        let story = Story::new(noon());
        story.log(EX01, &story_so_far);
        let event = |time: DateTime<Utc>| {
            format!(
                "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider \
                 Name='Microsoft-Windows-WAS'/><EventID>5076</EventID><TimeCreated SystemTime='{}'/>\
                 <EventRecordID>77</EventRecordID><Channel>System</Channel><Computer>EX01.fabrikam.example</Computer>\
                 </System><EventData><Data Name='AppPoolID'>MSExchangeSyncAppPool</Data>\
                 <Data Name='ProcessID'>4120</Data></EventData></Event>\n",
                time.to_rfc3339()
            )
        };
        story.folder.write("since/EX01-system.xml", event(story.at(minute)));
        let (_, verdict) = story.verify(&["since"]);
        assert_eq!(step(&verdict), expected, "{minute}: {verdict}");
    }
}

/// The whole way: a plan, a dry run, the recycle itself, the logs since, and a server that nobody thought of.
#[test]
fn from_the_plan_to_the_proof() {
    let story = Story::new(Utc::now());
    let pool = json!({"state": "Started", "workers": [4120], "recycles": 0});
    let servers = json!({"EX01": {"next": 5000, "pools": {"MSExchangeSyncAppPool": pool}}});
    story.folder.write("iis.json", json!({"sleep": 0, "servers": servers}).to_string());
    let via = format!("command:\"{}\" --server {{server}} {{args}}", appcmd().display());
    let recycle = |words: &[&str]| {
        let mut command = stillin();
        command.current_dir(story.folder.path()).env("APPCMD_STATE", story.folder.join("iis.json"));
        command.args([
            "recycle",
            "--plan",
            "report.json",
            "--journal",
            "done.jsonl",
            "--via",
            &via,
        ]);
        run(command.args(words), b"")
    };
    let verify = |words: &[&str]| {
        let all = ["verify", "--plan", "report.json", "--journal", "done.jsonl", "since", "-q"];
        story.run(&[&all[..], words].concat())
    };
    let dry = recycle(&[]);
    assert_eq!(dry.status, 0, "{}", dry.stderr);
    assert!(!story.folder.join("done.jsonl").exists());
    assert_eq!(verify(&[]).status, 2);
    let done = recycle(&["--execute", "--yes"]);
    assert_eq!(done.status, 0, "{}", done.stderr);
    story.log(EX01, &[(-2, SERVED), (3, REFUSED), (9, "probe")]);
    let proven = verify(&[]);
    assert_eq!(proven.status, 0, "{}{}", proven.stdout, proven.stderr);
    assert!(proven.stdout.starts_with("Access is over: "), "{}", proven.stdout);
    let left_out = "since/EX07/W3SVC1/u_ex.log";
    story.log(left_out, &[(-2, "probe"), (4, SERVED), (9, "probe")]);
    let failed = verify(&[]);
    assert_eq!(failed.status, 3, "{}{}", failed.stdout, failed.stderr);
    let expect = format!("FABRIKAM\\ada was served again ({left_out}:3): access is not over.");
    assert_eq!(failed.stdout.lines().next(), Some(expect.as_str()));
}

/// A run that watches, and what it says.
struct Watching {
    child: Child,
    said: BufReader<std::process::ChildStderr>,
}

impl Watching {
    fn begin(story: &Story, lasts: &str) -> Watching {
        let mut command = stillin();
        command.current_dir(story.folder.path()).args(["verify", "--plan", "report.json", "since"]);
        command.args(["--journal", "journal.jsonl", "--watch", "--every", "20ms", "--for", lasts]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn(&mut command);
        let said = BufReader::new(child.stderr.take().unwrap());
        Watching { child, said }
    }

    /// Waits until that is said.
    fn until(&mut self, what: &str) {
        let mut all = String::new();
        while self.said.read_line(&mut all).unwrap() > 0 {
            if all.lines().last().is_some_and(|line| line.contains(what)) {
                return;
            }
        }
        panic!("never said {what:?}:\n{all}");
    }

    fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }
}

/// What another program has open, Windows may hold for a moment.
fn at_last<T>(what: impl Fn() -> std::io::Result<T>) -> T {
    for _ in 0..500 {
        if let Ok(done) = what() {
            return done;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    what().unwrap()
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// A recycle of ten minutes ago, and a log of its server that reaches almost to the present.
fn now() -> Story {
    let story = Story::new(Utc::now() - TimeDelta::minutes(10));
    story.log(EX01, &[(-2, SERVED), (1, "probe")]);
    story
}

#[test]
fn who_watches_sees_the_log_grow() {
    for (status, code, words) in
        [(REFUSED, 0, "Access is over: "), (SERVED, 3, "FABRIKAM\\ada was served again (")]
    {
        let story = now();
        let mut watching = Watching::begin(&story, "60s");
        watching.until("step 1 (EX01 MSExchangeSyncAppPool) is no coverage");
        append(&story.folder.join(EX01), &line(story.at(4), "probe"));
        watching.until("step 1 (EX01 MSExchangeSyncAppPool) is no contradiction");
        // A line that is not yet whole is no line.
        let last = line(story.at(5), status);
        append(&story.folder.join(EX01), &last[..40]);
        append(&story.folder.join(EX01), &last[40..]);
        let (ended, page) = watching.end();
        assert_eq!(ended, Some(code), "{page}");
        assert!(page.starts_with(words), "{page}");
    }
}

#[test]
fn who_watches_follows_a_log_that_is_rotated_or_truncated() {
    let story = now();
    append(&story.folder.join(EX01), &line(story.at(4), "probe"));
    let mut watching = Watching::begin(&story, "60s");
    watching.until("is no contradiction");
    let log = story.folder.join(EX01);
    at_last(|| OpenOptions::new().write(true).open(&log)?.set_len(0));
    watching.until("is no coverage");
    story.log(EX01, &[(-2, SERVED), (4, "probe")]);
    watching.until("is no contradiction");
    at_last(|| fs::rename(&log, story.folder.join("since/EX01/W3SVC1/u_ex.1.log")));
    story.log(EX01, &[(5, "probe"), (6, REFUSED)]);
    let (ended, page) = watching.end();
    assert_eq!(ended, Some(0), "{page}");
    assert!(page.contains("u_ex.log:3"), "{page}");
}

#[test]
fn who_watches_in_vain_gets_the_last_verdict() {
    let story = now();
    append(&story.folder.join(EX01), &line(story.at(4), "probe"));
    let (ended, page) = Watching::begin(&story, "1s").end();
    assert_eq!(ended, Some(0), "{page}");
    assert!(page.starts_with("Nobody was served since who should not be"), "{page}");
}

/// What the last verdict was made from is gone: nothing good is known any more.
#[test]
fn who_watches_a_folder_that_goes_away_gets_nothing_good() {
    let story = now();
    append(&story.folder.join(EX01), &line(story.at(4), "probe"));
    let mut watching = Watching::begin(&story, "5s");
    watching.until("is no contradiction");
    at_last(|| fs::rename(story.folder.join("since"), story.folder.join("gone")));
    let (ended, page) = watching.end();
    assert_eq!(ended, Some(3), "{page}");
    assert!(page.starts_with("The logs cannot tell yet"), "{page}");
}

/// Before the step was carried out somebody was served where no step is; the log that says so goes away.
#[test]
fn who_watches_does_not_forget_what_failed() {
    let story = now();
    let (journal, away) = (story.folder.join("journal.jsonl"), story.folder.join("away.jsonl"));
    fs::rename(&journal, &away).unwrap();
    let other = "since/EX03/W3SVC1/u_ex.log";
    story.log(other, &[(-3, "probe"), (2, SERVED), (4, "probe")]);
    let mut watching = Watching::begin(&story, "60s");
    watching.until("f1 (FABRIKAM\\ada) is failed");
    at_last(|| fs::remove_file(story.folder.join(other)));
    at_last(|| fs::rename(&away, &journal));
    append(&story.folder.join(EX01), &line(story.at(4), REFUSED));
    let (ended, page) = watching.end();
    assert_eq!(ended, Some(3), "{page}");
    assert!(page.contains("u_ex.log:3 told that FABRIKAM\\ada was served again"), "{page}");
}

/// Ctrl-C ends the watch, not the verdict.
#[cfg(unix)]
#[test]
fn who_stops_watching_gets_the_verdict() {
    let story = now();
    let mut watching = Watching::begin(&story, "10m");
    watching.until("f1 (FABRIKAM\\ada) is no coverage");
    let id = watching.child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-s", "INT", &id]).status().unwrap();
    assert!(sent.success());
    watching.until("stopped by Ctrl-C: this is how it stands now");
    let (code, page) = watching.end();
    assert_eq!(code, Some(3), "{page}");
    assert!(page.contains("f1  FABRIKAM\\ada  no coverage"), "{page}");
}
