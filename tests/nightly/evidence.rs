//! Exports that are replaced by others that tell less: what they told is not over because of that, and it is said.

use super::{history, nightly, report, settings, statuses};
use crate::support::Folder;
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

fn text(folder: &Folder) -> String {
    let text = fs::read_to_string(folder.join("report.txt")).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
    let outputs = "outputs = [\"report.json\", \"report.txt\"]\nchanges = [\"ad\", \"logs\"]\n";
    folder.write("stillin.toml", format!("fail_on = \"open\"\n[nightly]\n{outputs}"));
    folder
}

/// Who was deleted stands in no export any more; her phone goes on all the same.
#[test]
fn an_export_without_the_leaver_ends_nothing() {
    let folder = by_upn();
    let ran = nightly(&folder, "2026-03-03");
    assert_eq!(ran.status, 3, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("2026-03-03: 1 open, 1 new, 0 closed; "), "{}", ran.stdout);
    let other = row("bob", "S-1-5-21-1004336348-1177238915-682003330-1105");
    folder.write("ad/users.csv", format!("{HEAD}\n{other}\n"));
    for day in ["2026-03-04", "2026-03-05"] {
        let ran = nightly(&folder, day);
        assert!(ran.stdout.contains(": 1 open, 0 new, 0 closed; "), "{}", ran.stdout);
        assert_eq!(ran.status, 3, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("FABRIKAM\\ada: disabled at 2026-03-02T09:00:00.250Z was open")
        );
        let text = text(&folder);
        // On the other server she was refused, which is judged.
        let head = "1 account was served after it was cut off. As far as the logs reach, that has ended. Left out: 1 case \
            that cannot be judged any more, see below.";
        assert!(text.starts_with(head), "{text}");
        assert_eq!(statuses(&folder), [("FABRIKAM\\ada".to_owned(), "open".to_owned())]);
    }
}

/// A Security log is exported under one name night by night, and the change has rolled out of it.
#[test]
fn a_change_that_no_export_tells_any_more_is_told_by_us() {
    let folder = by_upn();
    // Refused, so that it is over.
    let log = fs::read_to_string(folder.join(LOG)).unwrap();
    let end = log.lines().filter(|line| line.contains("adal@")).count() / 2;
    let mut n = 0;
    let early: Vec<&str> = log
        .lines()
        .filter(|line| {
            n += usize::from(line.contains("adal@"));
            n <= end || !line.contains("adal@")
        })
        .collect();
    folder.write(LOG, early.join("\r\n") + "\r\n");
    fs::remove_dir_all(folder.join("logs/iis/EX02")).unwrap();
    nightly(&folder, "2026-03-03");
    let later = "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider \
        Name='Microsoft-Windows-Security-Auditing'/><EventID>4725</EventID><Keywords>0x8020000000000000</Keywords>\
        <TimeCreated SystemTime='2026-03-02T09:50:00Z'/><EventRecordID>99</EventRecordID><Channel>Security</Channel>\
        <Computer>DC1.fabrikam.example</Computer></System><EventData><Data Name='TargetUserName'>bob</Data>\
        <Data Name='TargetDomainName'>FABRIKAM</Data>\
        <Data Name='TargetSid'>S-1-5-21-1004336348-1177238915-682003330-1105</Data></EventData></Event>\n";
    folder.write("ad/dc1-security.xml", later);
    for day in ["2026-03-04", "2026-03-05"] {
        let ran = nightly(&folder, day);
        assert!(ran.status == 1 || ran.status == 3, "{}", ran.stderr);
        let told = "FABRIKAM\\ada: disabled at 2026-03-02T09:00:00.250Z was known, and no source tells it tonight";
        assert_eq!(ran.stderr.matches(told).count(), 1, "{}", ran.stderr);
        let notes = report(&folder.join("report.json"))["notes"].clone();
        assert!(
            notes.as_array().unwrap().iter().any(|note| note.as_str().unwrap().starts_with(told))
        );
        let text = text(&folder);
        assert!(text.contains("that cannot be judged any more"), "{text}");
    }
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
