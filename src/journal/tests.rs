//! Journals as they are left behind, by runs that ended and by runs that were killed.

use super::*;
use std::path::PathBuf;
use stillin_reports::report::Tool;

fn at(minute: u32) -> DateTime<Utc> {
    let text = format!("2026-03-02T10:{minute:02}:00Z");
    DateTime::parse_from_rfc3339(&text).unwrap().to_utc()
}

fn opened(run: &str) -> Event {
    Event::Opened(Opened {
        at: at(0),
        run: run.to_owned(),
        operator: "FABRIKAM\\helpdesk".to_owned(),
        host: "EX01".to_owned(),
        tool: Tool { name: "stillin", version: "0.1.0".to_owned() },
        plan: PlanFile {
            path: "report.json".to_owned(),
            sha256: format!("sha-of-{run}"),
            report_sha256: None,
        },
        via: "local".to_owned(),
    })
}

fn begun(step: u64, pool: &str) -> Event {
    Event::Begun(Begun {
        at: at(1),
        run: "r".to_owned(),
        step,
        server: "EX01".to_owned(),
        pool: pool.to_owned(),
        action: if pool.is_empty() { Action::Iisreset } else { Action::Recycle },
        command: vec!["appcmd".to_owned(), "recycle".to_owned()],
        workers: vec![1234],
    })
}

fn ended(step: u64, pool: &str, outcome: Outcome) -> Event {
    Event::Ended(Ended {
        at: at(2),
        run: "r".to_owned(),
        step,
        server: "EX01".to_owned(),
        pool: pool.to_owned(),
        outcome,
        exit: Some(0),
        output: "\"pool\" successfully recycled\n".to_owned(),
        workers: Some(vec![5678]),
    })
}

/// A journal in a folder of its own.
fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.jsonl");
    (folder, path)
}

fn write(path: &Path, events: impl IntoIterator<Item = Event>) {
    let (_, mut writer) = open(path).unwrap();
    events.into_iter().for_each(|event| writer.append(event).unwrap());
}

fn error_of(text: &str) -> String {
    format!("{:#}", parse(text.as_bytes()).unwrap_err())
}

#[test]
fn what_is_written_is_read() {
    let (_folder, path) = file();
    let skipped = Event::Skipped(Skipped {
        at: at(3),
        run: "r".to_owned(),
        step: 3,
        server: "EX02".to_owned(),
        pool: "MSExchangeOWAAppPool".to_owned(),
        reason: "this is EX01".to_owned(),
    });
    let closed = Event::Closed(Closed { at: at(4), run: "r".to_owned() });
    let sync = "MSExchangeSyncAppPool";
    write(
        &path,
        [
            opened("r"),
            begun(1, sync),
            ended(1, sync, Outcome::Done),
            begun(2, "P"),
            ended(2, "P", Outcome::Failed),
            skipped,
            closed,
        ],
    );
    let journal = read(&path).unwrap();
    let [first, second] = journal.steps() else { panic!("{journal:?}") };
    assert_eq!((first.step, first.pool.as_str(), first.line), (1, sync, 2));
    assert_eq!((first.begun_at, first.ended_at), (at(1), Some(at(2))));
    assert_eq!((&first.workers_before, &first.workers_after), (&vec![1234], &Some(vec![5678])));
    assert_eq!(first.plan_sha256, "sha-of-r");
    assert_eq!((first.state(), second.state()), (State::Done, State::Failed));
    assert!(journal.torn_lines().is_empty());
}

/// The form is a promise: other programs read it.
#[test]
fn form() {
    let (_folder, path) = file();
    write(&path, [opened("r"), begun(1, "P"), ended(1, "P", Outcome::TimedOut)]);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            r#"{"schema":"stillin/journal/1","event":"opened","at":"2026-03-02T10:00:00Z","run":"r","operator":"FABRIKAM\\helpdesk","host":"EX01","tool":{"name":"stillin","version":"0.1.0"},"plan":{"path":"report.json","sha256":"sha-of-r"},"via":"local"}"#,
            r#"{"event":"begun","at":"2026-03-02T10:01:00Z","run":"r","step":1,"server":"EX01","pool":"P","action":"recycle","command":["appcmd","recycle"],"workers":[1234]}"#,
            r#"{"event":"ended","at":"2026-03-02T10:02:00Z","run":"r","step":1,"server":"EX01","pool":"P","outcome":"timed_out","exit":0,"output":"\"pool\" successfully recycled\n","workers":[5678]}"#,
        ]
    );
}

#[test]
fn states() {
    let check = |events: &[Event], expect: &[State]| {
        let (_folder, path) = file();
        write(&path, events.iter().cloned());
        let states: Vec<State> =
            read(&path).unwrap().steps().iter().map(StepRecord::state).collect();
        assert_eq!(states, expect, "{events:?}");
    };
    check(&[opened("r")], &[]);
    check(&[opened("r"), begun(1, "P")], &[State::Uncertain]);
    let late = ended(1, "P", Outcome::TimedOut);
    check(&[opened("r"), begun(1, "P"), late], &[State::Uncertain]);
    let unproven = ended(1, "P", Outcome::Unproven);
    check(&[opened("r"), begun(1, "P"), unproven], &[State::Uncertain]);
    let again = [opened("r"), begun(1, "P"), opened("s"), begun(1, "P")];
    check(&again, &[State::Uncertain, State::Uncertain]);
    let done = ended(1, "P", Outcome::Done);
    check(&[again.as_slice(), &[done]].concat(), &[State::Uncertain, State::Done]);
}

#[test]
fn a_restart_of_iis_covers_every_pool_of_its_server() {
    let (_folder, path) = file();
    write(&path, [opened("r"), begun(1, ""), begun(2, "MSExchangeSyncAppPool")]);
    let journal = read(&path).unwrap();
    let check = |index: usize, server: &str, pool: &str, expect: bool| {
        assert_eq!(journal.steps()[index].covers(server, pool), expect, "{server} {pool}");
    };
    check(0, "EX01", "MSExchangeOWAAppPool", true);
    check(0, "EX02", "MSExchangeOWAAppPool", false);
    check(1, "ex01.fabrikam.example", "msexchangesyncapppool", true);
    check(1, "EX01", "MSExchangeOWAAppPool", false);
}

/// Killed while writing, at every byte: it can be read, and the next run goes on behind it.
#[test]
fn torn_anywhere() {
    let (folder, path) = file();
    write(&path, [opened("r"), begun(1, "P"), ended(1, "P", Outcome::Done)]);
    let whole = fs::read(&path).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|&place| whole[place] == b'\n').collect();
    // Every write waits for the disk, so of the places inside a line only some.
    let is_near = |length: usize| ends.iter().any(|end| end.abs_diff(length) <= 1);
    for length in (0..=whole.len()).filter(|&length| length % 17 == 0 || is_near(length)) {
        let torn = folder.path().join("torn.jsonl");
        fs::write(&torn, &whole[..length]).unwrap();
        let before = read(&torn).unwrap();
        // A line without its line end is whole.
        let expect = match length {
            length if length >= ends[2] => Some(State::Done),
            length if length >= ends[1] => Some(State::Uncertain),
            _ => None,
        };
        assert_eq!(before.steps().first().map(StepRecord::state), expect, "{length}");
        let is_torn = length > 0 && !ends.iter().any(|end| (*end..=end + 1).contains(&length));
        assert_eq!(before.torn_lines().len(), usize::from(is_torn), "{length}");
        write(&torn, [opened("s"), begun(2, "Q")]);
        let after = read(&torn).unwrap();
        assert_eq!(after.steps()[..before.steps().len()], *before.steps(), "{length}");
        let last = after.steps().last().unwrap();
        assert_eq!((last.pool.as_str(), last.plan_sha256.as_str()), ("Q", "sha-of-s"), "{length}");
        assert_eq!(after.torn_lines(), before.torn_lines(), "{length}");
    }
}

/// Killed while writing, and the next run as well, while it said that it begins.
#[test]
fn torn_twice() {
    let (folder, path) = file();
    write(&path, [opened("r"), begun(1, "P")]);
    let whole = fs::read(&path).unwrap();
    let end = whole.iter().position(|byte| *byte == b'\n').unwrap();
    let torn = folder.path().join("torn.jsonl");
    for length in (end + 2..whole.len() - 1).step_by(13) {
        for next in (1..end).step_by(17) {
            let text = [&whole[..length], b"\n", &whole[..next]].concat();
            fs::write(&torn, text).unwrap();
            assert_eq!(read(&torn).unwrap().torn_lines(), [2, 3], "{length} {next}");
            write(&torn, [opened("s"), begun(2, "Q")]);
            let journal = read(&torn).unwrap();
            assert_eq!(journal.torn_lines(), [2, 3], "{length} {next}");
            assert_eq!(journal.steps().len(), 1, "{length} {next}");
        }
    }
}

/// After a power cut there may be NUL bytes where something was being written.
#[test]
fn torn_and_filled() {
    let (folder, path) = file();
    write(&path, [opened("r"), begun(1, "P"), ended(1, "P", Outcome::Done)]);
    let whole = fs::read(&path).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|&place| whole[place] == b'\n').collect();
    let torn = folder.path().join("torn.jsonl");
    for (length, nuls) in (1..=whole.len()).step_by(13).chain(ends).zip([1, 2, 4096].iter().cycle())
    {
        fs::write(&torn, [&whole[..length], &vec![0; *nuls]].concat()).unwrap();
        let before = read(&torn).unwrap();
        assert_eq!(before.torn_lines().len(), 1, "{length} {nuls}");
        // Only what has its end is believed.
        let n_whole = whole[..length].iter().filter(|byte| **byte == b'\n').count();
        let expect = [None, None, Some(State::Uncertain), Some(State::Done)][n_whole];
        assert_eq!(before.steps().first().map(StepRecord::state), expect, "{length} {nuls}");
        write(&torn, [opened("s"), begun(2, "Q")]);
        let after = read(&torn).unwrap();
        assert_eq!(after.torn_lines(), before.torn_lines(), "{length} {nuls}");
        assert_eq!(after.steps().last().unwrap().pool, "Q", "{length} {nuls}");
    }
    // In the middle of a run they are damage, and alone they are nobody's.
    let text = fs::read_to_string(&path).unwrap();
    let [opening, begin, end] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    for text in
        [format!("{opening}\n{begin}\0\n{end}\n"), format!("{opening}\n\0\0\n"), "\0\0".into()]
    {
        fs::write(&torn, &text).unwrap();
        assert!(read(&torn).is_err(), "{text:?}");
    }
}

/// A report and its plan alone are one plan.
#[test]
fn a_plan_and_its_report() {
    let (_folder, path) = file();
    let Event::Opened(mut of_plan) = opened("plan") else { unreachable!() };
    of_plan.plan.report_sha256 = Some("sha-of-r".to_owned());
    write(&path, [opened("r"), begun(1, "P"), Event::Opened(of_plan), begun(1, "P")]);
    let journal = read(&path).unwrap();
    let plans: Vec<&str> = journal.steps().iter().map(|step| step.plan_sha256.as_str()).collect();
    assert_eq!(plans, ["sha-of-r"; 2]);
}

#[test]
fn what_is_no_journal_is_refused() {
    let check = |text: &str, expect: &str| {
        let error = error_of(text);
        assert!(error.starts_with(expect), "{text:?}: {error}");
    };
    check("{\"schema\": \"stillin/report/1\"}\n", "no journal of stillin (stillin/journal/1)");
    check("{\"schema\":\"stillin/journal/2\",\"event\":\"opened\"}\n", "no journal of stillin");
    check("#Fields: date time\n", "no journal of stillin");
    let (_folder, path) = file();
    write(&path, [opened("r"), begun(1, "P"), ended(1, "P", Outcome::Done)]);
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let [opening, begin, end] = lines[..] else { panic!("{whole}") };
    check(&format!("{opening}\nscribble\n{begin}\n"), "line 2 is not understood (");
    check(&format!("{opening}\n\n{begin}\n"), "line 2 is not understood (");
    // What has its end was whole once: it may have been the `begun` of something that was done.
    let damaged = &begin[..begin.len() - 9];
    check(&format!("{opening}\n{damaged}\n"), "line 2 is not understood (");
    let scratched = begin.replace(":1,", ":\0,");
    check(&format!("{opening}\n{scratched}\n{opening}\n"), "line 2 is not understood (");
    check(&format!("{opening}\n{scratched}"), "line 2 is not understood (");
    check(&format!("{opening}\n{damaged}\n{begin}"), "line 2 is not understood (");
    check(&format!("{opening}\n{end}\n"), "line 2 ends what was not begun");
    check(&format!("{opening}\n{begin}\n{end}\n{end}\n"), "line 4 ends what was not begun");
    let other = opening.replace("journal/1", "journal/2");
    check(&format!("{opening}\n{other}\n"), "line 2 is of another schema");
}

#[test]
fn only_one_run_at_a_time() {
    let (folder, path) = file();
    let (_, first) = open(&path).unwrap();
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("another run is at work"), "{error}");
    drop(first);
    open(&path).unwrap();
    assert!(open(folder.path()).is_err(), "a folder is no journal");
}

/// Nothing is written to a file that is something else.
#[test]
fn other_files_are_spared() {
    let (_folder, path) = file();
    for text in ["#Fields: date time", "{\"schema\":\"stillin/report/1\"", "x"] {
        fs::write(&path, text).unwrap();
        assert!(open(&path).is_err(), "{text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}
