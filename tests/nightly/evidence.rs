//! Exports that are replaced by others that tell less: what they told is not over because of that, and it is said.

use super::losses::{findings, paths, without_places};
use super::{LIST, history, is_same, leaver, nightly, report, settings, statuses};
use crate::support::{Folder, run, stillin};
use serde_json::Value;
use std::fs;

const SID: &str = "S-1-5-21-1004336348-1177238915-682003330-1104";
const LOG: &str = "logs/iis/EX01/W3SVC1/u_ex260302.log";
const HEAD: &str =
    r#""DistinguishedName","Enabled","ObjectClass","SamAccountName","SID","UserPrincipalName""#;

fn row(sam: &str, sid: &str) -> String {
    format!(
        r#""CN={sam},OU=Staff,DC=fabrikam,DC=example","False","user","{sam}","{sid}","{sam}l@corp.example""#
    )
}

/// One 4725 of a domain controller.
fn disable(sam: &str, rid: u32, time: &str) -> String {
    format!(
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider \
        Name='Microsoft-Windows-Security-Auditing'/><EventID>4725</EventID><Keywords>0x8020000000000000</Keywords>\
        <TimeCreated SystemTime='2026-03-02T{time}Z'/><EventRecordID>99</EventRecordID><Channel>Security</Channel>\
        <Computer>DC1.fabrikam.example</Computer></System><EventData><Data Name='TargetUserName'>{sam}</Data>\
        <Data Name='TargetDomainName'>FABRIKAM</Data>\
        <Data Name='TargetSid'>S-1-5-21-1004336348-1177238915-682003330-{rid}</Data></EventData></Event>\n"
    )
}

/// The leaver, whose clients send a UPN that only an export ties to her.
fn by_upn() -> Folder {
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/iis", "logs/iis");
    folder.copy("samples/scenarios/leaver/ad", "ad");
    let log = fs::read_to_string(folder.join(LOG)).unwrap();
    folder.write(LOG, log.replace("FABRIKAM\\ada", "adal@corp.example"));
    let other = row("bob", "S-1-5-21-1004336348-1177238915-682003330-1105");
    folder.write("ad/users.csv", format!("{HEAD}\n{}\n{other}\n", row("ada", SID)));
    let outputs = "outputs = [\"report.json\"]\nchanges = [\"ad\", \"logs\"]\n";
    folder.write("stillin.toml", format!("fail_on = \"open\"\n[nightly]\n{outputs}"));
    folder
}

/// Who was deleted stands in no export any more; her phone goes on all the same, and is known by what the last export told.
#[test]
fn an_export_without_the_leaver_ends_nothing() {
    let folder = by_upn();
    let log = fs::read_to_string(folder.join(LOG)).unwrap();
    let half = log[..log.len() / 2].rfind('\n').unwrap() + 1;
    folder.write(LOG, &log[..half]);
    let ran = nightly(&folder, "2026-03-03");
    assert_eq!(ran.status, 3, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("2026-03-03: 1 open, 1 new, 0 closed; "), "{}", ran.stdout);
    let found = findings(&folder);
    let other = row("bob", "S-1-5-21-1004336348-1177238915-682003330-1105");
    folder.write("ad/users.csv", format!("{HEAD}\n{other}\n"));
    for (day, read) in [("2026-03-04", 1), ("2026-03-05", 0)] {
        let ran = nightly(&folder, day);
        let line = format!("{day}: 1 open, 0 new, 0 closed; {read} of 4 files read; ");
        assert!(ran.stdout.starts_with(&line), "{}", ran.stdout);
        assert_eq!((ran.status, ran.stderr.contains("\\ada")), (3, false), "{}", ran.stderr);
        is_same(day, &found, &findings(&folder));
        assert!(paths(&folder).contains(&"ad/users.csv (until 2026-03-04)".to_owned()));
        let mut explain = stillin();
        explain.current_dir(folder.path()).args(["explain", "report.json", "f1"]);
        let told = "ad/users.csv (until 2026-03-04): was replaced under its name, and only the state of `nightly` holds";
        assert!(run(&mut explain, b"").stderr.contains(told));
        assert_eq!(statuses(&folder), [("FABRIKAM\\ada".to_owned(), "open".to_owned())]);
    }
    // What she does afterwards is found as well.
    folder.write(LOG, &log);
    nightly(&folder, "2026-03-06");
    let last = |found: &Value| found[0]["last"].as_str().unwrap().to_owned();
    assert!(last(&found) < last(&findings(&folder)));
    // She may still come under a name that the new export does not tell any more.
    let found = findings(&folder);
    let moved = row("ada", SID).replace("adal@", "ada.moved@");
    folder.write("ad/users.csv", format!("{HEAD}\n{other}\n{moved}\n"));
    nightly(&folder, "2026-03-07");
    is_same("findings", &found, &findings(&folder));
    let whole = row("ada", SID);
    folder.write("ad/users.csv", format!("{HEAD}\n{whole}\n{other}\n"));
    nightly(&folder, "2026-03-08");
    let untold: Vec<String> =
        paths(&folder).into_iter().filter(|path| path.contains("(until ")).collect();
    // Of the last one, the name that only it told.
    assert_eq!(untold, ["ad/users.csv (until 2026-03-08)"]);
    is_same("findings", &found, &findings(&folder));
}

/// An export that comes back as it was is what lies there, and not the rest of itself.
#[test]
fn an_export_that_comes_back() {
    let folder = leaver("");
    let whole = fs::read_to_string(folder.join("ad/dc1-security.xml")).unwrap();
    let list = format!(
        "{}\n2026-03-02T09:00:00Z,FABRIKAM\\ada,disabled,FABRIKAM\\helpdesk\n",
        LIST.lines().next().unwrap()
    );
    nightly(&folder, "2026-03-03");
    let found = findings(&folder);
    let others = [disable("zed", 1199, "09:50:00"), list, disable("zed", 1199, "09:51:00")];
    for (n, other) in others.iter().enumerate() {
        folder.write("ad/dc1-security.xml", other);
        nightly(&folder, &format!("2026-03-{:02}", 2 * n + 4));
        folder.write("ad/dc1-security.xml", &whole);
        nightly(&folder, &format!("2026-03-{:02}", 2 * n + 5));
        is_same("findings", &found, &findings(&folder));
    }
    // What only others told counts on; the list is taken back, and the log itself stands once.
    let kept: Vec<String> =
        paths(&folder).into_iter().filter(|path| path.starts_with("ad/")).collect();
    let name = "ad/dc1-security.xml";
    let until = |day: &str| format!("{name} (until 2026-03-{day})");
    assert_eq!(kept, [name.to_owned(), until("05"), until("09")]);
    // Moved over another one.
    folder.write("ad/other.xml", disable("zed", 1199, "09:52:00"));
    nightly(&folder, "2026-03-10");
    fs::rename(folder.join("ad/other.xml"), folder.join(name)).unwrap();
    let ran = nightly(&folder, "2026-03-11");
    assert!(ran.stdout.contains("1 open, 0 new, 0 closed; 0 of 3 files read"), "{}", ran.stdout);
    is_same("findings", &without_places(&found), &without_places(&findings(&folder)));
}

/// Times of events are UTC, and what another version read is better than nothing.
#[test]
fn events_that_rolled_out_hang_on_no_zone_and_no_version() {
    for words in ["tz = \"+02:00\"", ""] {
        let folder = leaver("");
        nightly(&folder, "2026-03-03");
        let found = findings(&folder);
        folder.write("ad/dc1-security.xml", disable("zed", 1199, "09:50:00"));
        if words.is_empty() {
            let db = rusqlite::Connection::open(folder.join("stillin-state.db")).unwrap();
            db.execute("update meta set value = x'00' where key = 'format'", []).unwrap();
        }
        settings(&folder, words, "");
        for day in ["2026-03-04", "2026-03-05"] {
            let ran = nightly(&folder, day);
            assert!(ran.stdout.contains(": 1 open, 0 new, 0 closed; "), "{}", ran.stderr);
            assert_eq!(ran.status, 0, "{}", ran.stderr);
            is_same(day, &without_places(&found), &without_places(&findings(&folder)));
        }
    }
}

/// A Security log is exported under one name night by night, and rolls on: what comes out is what comes out of all exports.
#[test]
fn a_log_of_events_that_rolls_on() {
    let folder = leaver("");
    let first = fs::read_to_string(folder.join("ad/dc1-security.xml")).unwrap();
    let exports = [first, disable("bob", 1105, "09:50:00"), disable("eve", 1106, "09:55:00")];
    for (n, export) in exports.iter().enumerate() {
        folder.write("ad/dc1-security.xml", export);
        let ran = nightly(&folder, &format!("2026-03-0{}", n + 3));
        assert_eq!((ran.status, ran.stderr.contains("\\ada")), (0, false), "{}", ran.stderr);
        folder.write(format!("all/{n}.xml"), export);
    }
    let report = report(&folder.join("report.json"));
    let mut analyze = stillin();
    analyze.current_dir(folder.path()).args(["analyze", "logs", "all", "-o", "whole.json"]);
    assert_eq!(run(&mut analyze, b"").status, 0);
    let whole = super::report(&folder.join("whole.json"));
    for what in ["changes", "findings"] {
        let bare = |report: &Value| without_places(&report[what]);
        assert!(!report[what].as_array().unwrap().is_empty());
        is_same(what, &bare(&whole), &bare(&report));
    }
    let kept = ["ad/dc1-security.xml", "ad/dc1-security.xml (until 2026-03-04)"];
    assert_eq!(&paths(&folder)[..2], kept);
    assert_eq!(paths(&folder)[2], "ad/dc1-security.xml (until 2026-03-05)");
    // An export that has all of it again takes the place of all of them.
    let events = exports.iter().map(|export| export.as_str());
    folder.write("ad/dc1-security.xml", events.collect::<String>());
    let ran = nightly(&folder, "2026-03-06");
    assert_eq!((ran.status, ran.stderr.contains("\\ada")), (0, false), "{}", ran.stderr);
    assert!(!paths(&folder).iter().any(|path| path.contains("(until ")), "{:?}", paths(&folder));
    is_same("findings", &without_places(&findings(&folder)), &without_places(&report["findings"]));
}

/// That somebody is disabled may be undone by the time that the export does not name her any more; nobody is accused by
/// it, and it is said.
#[test]
fn who_was_disabled_may_be_enabled_by_now() {
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/iis", "logs/iis");
    let head = r#""Enabled","SamAccountName","SID","whenChanged""#;
    let row = format!(r#""False","ada","{SID}","2026-03-02T09:00:00Z""#);
    let other =
        r#""True","bob","S-1-5-21-1004336348-1177238915-682003330-1105","2026-01-02T09:00:00Z""#;
    folder.write("ad/disabled.csv", format!("{head}\n{row}\n{other}\n"));
    settings(&folder, "", "");
    let ran = nightly(&folder, "2026-03-03");
    assert!(ran.stdout.starts_with("2026-03-03: 1 open, 1 new, 0 closed; "), "{}", ran.stdout);
    folder.write("ad/disabled.csv", format!("{head}\n{other}\n"));
    let ran = nightly(&folder, "2026-03-04");
    assert!(ran.stdout.starts_with("2026-03-04: 1 open, 0 new, 0 closed; "), "{}", ran.stdout);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains(
            "ada: disabled at 2026-03-02T09:00:00Z was open, and tonight's sources do not speak of it any more"
        ),
        "{}",
        ran.stderr
    );
    assert_eq!(findings(&folder), serde_json::json!([]));
}

/// But where the new export says since when she is enabled, all of it is known.
#[test]
fn who_is_enabled_since() {
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/iis", "logs/iis");
    let users = |enabled: &str, changed: &str| {
        format!(
            "\"Enabled\",\"SamAccountName\",\"SID\",\"whenChanged\"\n\"{enabled}\",\"ada\",\"{SID}\",\"{changed}\"\n"
        )
    };
    settings(&folder, "", "");
    for (day, text) in [
        ("03", users("False", "2026-03-02T09:00:00Z")),
        ("04", users("True", "2026-03-02T09:40:00Z")),
    ] {
        folder.write("ad/users.csv", &text);
        folder.write(format!("all/{day}.csv"), &text);
        let ran = nightly(&folder, &format!("2026-03-{day}"));
        assert_eq!((ran.status, ran.stderr.contains("was open")), (0, false), "{}", ran.stderr);
    }
    let mut analyze = stillin();
    analyze.current_dir(folder.path()).args(["analyze", "logs", "all", "-o", "whole.json"]);
    assert_eq!(run(&mut analyze, b"").status, 0);
    let (whole, report) = (report(&folder.join("whole.json")), report(&folder.join("report.json")));
    assert_eq!(whole["changes"].as_array().unwrap().len(), 2);
    for what in ["changes", "findings"] {
        is_same(what, &without_places(&whole[what]), &without_places(&report[what]));
    }
    assert!(report.get("undecided").is_none());
}

/// An enable of before the disable ends nothing.
#[test]
fn who_was_enabled_before() {
    let folder = by_upn();
    let events = fs::read_to_string(folder.join("ad/dc1-security.xml")).unwrap();
    let before = disable("ada", 1104, "08:00:00").replace(">4725<", ">4722<");
    folder.write("ad/dc1-security.xml", before + &events);
    let config = fs::read_to_string(folder.join("stillin.toml")).unwrap();
    folder.write("stillin.toml", config + "retention = \"2d\"\n");
    let ran = nightly(&folder, "2026-03-03");
    assert!(ran.stdout.starts_with("2026-03-03: 1 open, 1 new, 0 closed; "), "{}", ran.stdout);
    // Nothing ties the UPN to her any more.
    fs::remove_file(folder.join("ad/users.csv")).unwrap();
    for day in ["2026-03-04", "2026-03-05", "2026-03-06", "2026-03-07"] {
        let ran = nightly(&folder, day);
        assert!(ran.stdout.contains(": 1 open, 0 new, 0 closed; "), "{}", ran.stdout);
        assert_eq!(ran.status, 3, "{}", ran.stderr);
    }
}

/// Who strikes a line out of a list takes it back; what rested on it cannot be judged any more, which is said until somebody
/// says that it is to be left out.
#[test]
fn a_line_that_is_struck_out_of_a_list() {
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/iis", "logs/iis");
    let ada = "2026-03-02T09:00:00Z,FABRIKAM\\ada,disabled,FABRIKAM\\helpdesk\n";
    // Nobody came as zoe.
    let zoe = ada.replace("\\ada", "\\zoe");
    folder.write("ad/list.csv", format!("{LIST}{ada}{zoe}"));
    settings(&folder, "", "");
    nightly(&folder, "2026-03-03");
    folder.write("ad/list.csv", LIST);
    let told = [
        "FABRIKAM\\ada: disabled at 2026-03-02T09:00:00Z was open, and tonight's sources do not speak of it any more",
        "FABRIKAM\\zoe: disabled at 2026-03-02T09:00:00Z was known, and no source tells it tonight",
    ];
    for day in ["2026-03-04", "2026-03-05"] {
        let ran = nightly(&folder, day);
        assert_eq!(ran.status, 1, "{}", ran.stderr);
        let report = report(&folder.join("report.json"));
        assert_eq!(report["undecided"], 2);
        for told in told {
            assert_eq!(ran.stderr.matches(told).count(), 1, "{}", ran.stderr);
            let is_told = |note: &Value| note.as_str().unwrap().starts_with(told);
            assert!(report["notes"].as_array().unwrap().iter().any(is_told), "{report}");
        }
    }
    let exclude = |name: &str| {
        format!(
            "[[nightly.exclude]]\naccount = 'FABRIKAM\\{name}'\nreason = \"a slip\"\nuntil = 2027-01-01\n"
        )
    };
    settings(&folder, "", &["ada", "zoe"].map(exclude).concat());
    let ran = nightly(&folder, "2026-03-06");
    assert_eq!((ran.status, ran.stderr.contains(": disabled")), (0, false), "{}", ran.stderr);
}

/// Local times of exports hang on `tz`; what was read of logs that are gone does not.
#[test]
fn another_zone_leaves_the_logs() {
    let folder = leaver("");
    nightly(&folder, "2026-03-03");
    let found = findings(&folder);
    fs::remove_file(folder.join(LOG)).unwrap();
    settings(&folder, "tz = \"UTC\"", "");
    let ran = nightly(&folder, "2026-03-04");
    assert!(ran.stdout.contains("1 open, 0 new, 0 closed; 0 of 2 files read"), "{}", ran.stdout);
    is_same("findings", &found, &findings(&folder));
}

/// First by a list, then by the event, which knows the second and the SID: one finding, and not one that ended.
#[test]
fn what_is_known_better_is_no_other_finding() {
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/iis", "logs/iis");
    let list = "time,account,change,actor\n2026-03-02T09:00:04Z,FABRIKAM\\ada,disabled,x\n";
    folder.write("ad/list.csv", list);
    settings(&folder, "", "");
    let ran = nightly(&folder, "2026-03-03");
    assert!(ran.stdout.starts_with("2026-03-03: 1 open, 1 new, 0 closed; "), "{}", ran.stdout);
    folder.copy("samples/scenarios/leaver/ad", "ad");
    fs::remove_file(folder.join("ad/list.csv")).unwrap();
    folder.write("ad/list.csv", list.replace("09:00:04", "09:00:03"));
    let ran = nightly(&folder, "2026-03-04");
    assert!(ran.stdout.starts_with("2026-03-04: 1 open, 0 new, 0 closed; "), "{}", ran.stdout);
    assert_eq!(statuses(&folder), [("FABRIKAM\\ada".to_owned(), "open".to_owned())]);
    let told = history(&folder, &["--format", "csv"]).stdout;
    assert_eq!((told.lines().count(), told.contains("2026-03-03")), (2, true), "{told}");
}

/// What is left of a state after a disk was full, or a copy failed, is no new one.
#[test]
fn an_empty_state_is_not_begun_anew() {
    let folder = by_upn();
    nightly(&folder, "2026-03-03");
    folder.write("stillin-state.db", "");
    let ran = nightly(&folder, "2026-03-04");
    assert_eq!(ran.status, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("is damaged, or no state of stillin"), "{}", ran.stderr);
    assert_eq!(fs::read(folder.join("stillin-state.db")).unwrap(), b"");
}
