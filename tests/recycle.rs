//! `recycle --execute` against the stand-in for appcmd: killed at any instant, two at once, and slow.

use crate::support::{Folder, Ran, appcmd, run, spawn, stillin};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SYNC: &str = "MSExchangeSyncAppPool";
const OWA: &str = "MSExchangeOWAAppPool";

/// The steps of the plan, in order.
const STEPS: [(u64, &str, &str); 3] = [(1, "EX01", SYNC), (2, "EX01", OWA), (3, "EX02", SYNC)];

/// A folder with a plan of three steps on two servers, and their state.
fn folder(sleep: u64) -> Folder {
    let folder = Folder::new();
    let step = |(step, server, pool): &(u64, &str, &str)| {
        json!({"step": step, "server": server, "pool": pool, "action": "recycle", "accounts": ["FABRIKAM\\ada"],
               "other_users": 2, "why": ["f1"]})
    };
    let plan = json!({
        "schema": "stillin/plan/1", "tool": {"name": "stillin", "version": "0.1.0"},
        "rules": {"ttl_seconds": 900, "slack_seconds": 60},
        "findings": [{"id": "f1", "account": "FABRIKAM\\ada", "kind": "disabled", "at": "2026-03-02T09:00:00Z",
                      "residual": "certain"}],
        "plan": STEPS.iter().map(step).collect::<Vec<_>>(),
    });
    folder.write("plan.json", plan.to_string());
    let pool = |worker: u64| json!({"state": "Started", "workers": [worker], "recycles": 0});
    let state = json!({"sleep": sleep, "servers": {
        "EX01": {"next": 5000, "pools": {SYNC: pool(1234), OWA: pool(1300)}},
        "EX02": {"next": 7000, "pools": {SYNC: pool(2234)}},
    }});
    folder.write("iis.json", state.to_string());
    folder
}

/// `recycle` in that folder, with more words.
fn recycle(folder: &Folder, words: &str) -> Command {
    let via = format!("command:\"{}\" --server {{server}} {{args}}", appcmd().display());
    let mut command = stillin();
    command.current_dir(folder.path()).env("APPCMD_STATE", folder.join("iis.json"));
    command.args([
        "recycle",
        "--max-age",
        "365d",
        "--plan",
        "plan.json",
        "--pause",
        "0",
        "--cooldown",
        "0",
        "--via",
        &via,
    ]);
    command.args(words.split_whitespace());
    command
}

/// How often the pool of a step was recycled, by the stand-in's own count.
fn count(folder: &Folder, (_, server, pool): (u64, &str, &str)) -> u64 {
    let state: Value = serde_json::from_slice(&fs::read(folder.join("iis.json")).unwrap()).unwrap();
    state["servers"][server]["pools"][pool]["recycles"].as_u64().unwrap()
}

/// What a run says of a step.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Told {
    /// Done by this run, or by one before.
    Done,
    /// Perhaps.
    Uncertain,
}

fn told(ran: &Ran, (step, server, pool): (u64, &str, &str)) -> Told {
    let now = ran.stdout.contains(&format!("step {step}  {server}  {pool}  done"));
    let before = ran.stderr.contains(&format!("step {step}  {server}  {pool}: done at "));
    let uncertain = ran.stderr.contains(&format!("step {step}  {server}  {pool}: not known: "));
    match (now, before, uncertain) {
        (true, false, false) | (false, true, false) => Told::Done,
        (false, false, true) => Told::Uncertain,
        _ => panic!("step {step} is not explained, or twice: {ran:?}"),
    }
}

#[test]
fn killed_at_any_instant() {
    let n_kills = std::env::var("STILLIN_KILLS").map_or(20, |n| n.parse().unwrap());
    let whole = folder(5);
    let started = Instant::now();
    assert_eq!(run(&mut recycle(&whole, "--execute --yes"), b"").status, 0);
    let length = started.elapsed();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut n_uncertain, mut n_done_before) = (0, 0);
    for kill in 0..n_kills {
        // xorshift: the same instants in every run, as far as an instant is the same.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let instant = length.mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64);
        let folder = folder(5);
        let mut command = recycle(&folder, "--execute --yes");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = spawn(&mut command);
        std::thread::sleep(instant);
        child.kill().unwrap();
        child.wait().unwrap();
        let second = run(&mut recycle(&folder, "--execute --yes"), b"");
        // The command of the killed run lives on without it, for as long as it likes.
        std::thread::sleep(Duration::from_millis(100));
        let place = format!("kill {kill} after {instant:?}: {second:?}");
        let tolds = STEPS.map(|step| told(&second, step));
        for (step, told) in STEPS.into_iter().zip(tolds) {
            let n = count(&folder, step);
            assert!(n == 1 || (told == Told::Uncertain && n == 0), "{step:?} {n} times: {place}");
        }
        let uncertain: Vec<u64> =
            (1..).zip(tolds).filter(|(_, told)| *told == Told::Uncertain).map(|(n, _)| n).collect();
        assert_eq!(second.status, i32::from(!uncertain.is_empty()), "{place}");
        n_uncertain += uncertain.len();
        n_done_before += second.stderr.matches(": done at ").count();
        repeat(&folder, &uncertain, &place);
    }
    // Else the instants hit nothing of interest.
    assert!(
        n_kills < 20 || (n_uncertain > 0 && n_done_before > 0),
        "{n_uncertain} {n_done_before}"
    );
    let what =
        format!("{n_kills} kills: {n_uncertain} steps were uncertain, {n_done_before} were done\n");
    std::io::stderr().write_all(what.as_bytes()).unwrap();
}

/// What is not known is repeated when that is said, and only that.
fn repeat(folder: &Folder, uncertain: &[u64], place: &str) {
    let before = STEPS.map(|step| count(folder, step));
    let again: String = uncertain.iter().map(|step| format!(" --again {step}")).collect();
    let third = run(&mut recycle(folder, &format!("--execute --yes{again}")), b"");
    assert_eq!(third.status, 0, "{third:?} after {place}");
    for (step, before) in STEPS.into_iter().zip(before) {
        let expect = before + u64::from(uncertain.contains(&step.0));
        assert_eq!(count(folder, step), expect, "{step:?}: {third:?} after {place}");
    }
    let fourth = run(&mut recycle(folder, ""), b"");
    assert_eq!(fourth.status, 0, "{fourth:?} after {place}");
    assert!(fourth.stdout.starts_with("Nothing would be done.\n"), "{fourth:?} after {place}");
}

/// Two at once on one journal: the second one does nothing.
#[test]
fn two_at_once() {
    let folder = folder(700);
    let mut command = recycle(&folder, "--execute --yes");
    let mut first = spawn(command.stdin(Stdio::null()).stdout(Stdio::null()));
    let until = Instant::now() + Duration::from_secs(20);
    let journal = folder.join("stillin-journal.jsonl");
    while fs::metadata(&journal).map_or(0, |meta| meta.len()) == 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    let second = run(&mut recycle(&folder, "--execute --yes"), b"");
    assert_eq!(second.status, 2, "{second:?}");
    assert!(second.stderr.contains("another run is at work with this journal"), "{second:?}");
    let dry = run(&mut recycle(&folder, ""), b"");
    assert_eq!(dry.status, 1, "{dry:?}");
    assert!(dry.stderr.contains("another run is at work with this journal"), "{dry:?}");
    first.kill().unwrap();
    first.wait().unwrap();
    // The first one is gone, and its lock with it.
    let third = run(&mut recycle(&folder, ""), b"");
    assert_ne!(third.status, 2, "{third:?}");
}

/// A command that hangs is killed, the step is not known, and nothing is touched after it.
#[test]
fn hanging() {
    let folder = folder(0);
    let path = folder.join("iis.json");
    let mut state: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    state["servers"]["EX01"]["fails"] = json!({"recycle": "hang"});
    folder.write("iis.json", state.to_string());
    let started = Instant::now();
    let ran = run(&mut recycle(&folder, "--execute --yes --timeout 2s"), b"");
    assert!(started.elapsed() < Duration::from_secs(30), "{ran:?}");
    assert_eq!(ran.status, 3, "{ran:?}");
    let expect = "stillin: step 1  EX01  MSExchangeSyncAppPool: took longer than 2 s and was killed; it may have been \
                  done all the same\n";
    assert!(ran.stderr.starts_with(expect), "{ran:?}");
    assert!(
        ran.stderr
            .contains("step 3  EX02  MSExchangeSyncAppPool: not begun, because step 1 failed"),
        "{ran:?}"
    );
    let journal = fs::read_to_string(folder.join("stillin-journal.jsonl")).unwrap();
    assert!(journal.contains("\"outcome\":\"timed_out\""), "{journal}");
    assert_eq!(STEPS.map(|step| count(&folder, step)), [0, 0, 0]);
    let second = run(&mut recycle(&folder, ""), b"");
    assert!(
        second.stdout.contains("it took too long and was killed; it had worker 1234 then"),
        "{second:?}"
    );
}

/// Ctrl-C while a command is at work: that comes to its end and is written down, and nothing is begun after it. A second one
/// ends the run at once, and the next one tells what may be done.
#[cfg(unix)]
#[test]
fn interrupted() {
    for (n_signals, status) in [(1, Some(1)), (2, Some(130))] {
        let folder = folder(400);
        let mut command = recycle(&folder, "--execute --yes");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = spawn(&mut command);
        let journal = folder.join("stillin-journal.jsonl");
        let until = Instant::now() + Duration::from_secs(60);
        let has_begun =
            || fs::read_to_string(&journal).is_ok_and(|text| text.contains("\"begun\""));
        while !has_begun() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        for _ in 0..n_signals {
            let id = child.id().to_string();
            assert!(Command::new("kill").args(["-s", "INT", &id]).status().unwrap().success());
            std::thread::sleep(Duration::from_millis(50));
        }
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let complained = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), status, "{said}{complained}");
        let text = fs::read_to_string(&journal).unwrap();
        assert_eq!(text.matches("\"begun\"").count(), 1, "{text}");
        if n_signals == 1 {
            assert!(said.starts_with("step 1  EX01  MSExchangeSyncAppPool  done; "), "{said}");
            let left = "not begun, because the run was stopped by Ctrl-C";
            assert_eq!(complained.matches(left).count(), 2, "{complained}");
            assert_eq!(text.matches(left).count(), 2, "{text}");
            assert!(text.lines().last().unwrap().contains("\"closed\""), "{text}");
            assert_eq!(STEPS.map(|step| count(&folder, step)), [1, 0, 0]);
        }
        let second = run(&mut recycle(&folder, ""), b"");
        let expect = if n_signals == 1 { "done at " } else { "not known: " };
        let line = second.stdout.lines().chain(second.stderr.lines()).find(|l| l.contains(expect));
        assert!(
            line.is_some_and(|line| line.contains("step 1") || line.contains("EX01")),
            "{second:?}"
        );
    }
}
