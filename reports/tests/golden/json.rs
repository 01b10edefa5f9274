//! The report as JSON.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use stillin_reports::plan::Plan;
use stillin_reports::report::Report;
use stillin_reports::timeline::Timelines;
use stillin_reports::{Output, Style, read, write};

use crate::golden;
use crate::story::{self, HOSTILE};

fn written(report: &Report) -> Vec<u8> {
    let mut out = Vec::new();
    write(
        report,
        &Plan::of(report),
        &Timelines::default(),
        Output::Json,
        Style::default(),
        &mut out,
    )
    .unwrap();
    out
}

#[test]
fn golden_files() {
    golden("story.json", &written(&story::story()));
    golden("hostile.json", &written(&story::hostile()));
    golden("empty.json", &written(&story::empty()));
}

#[test]
fn reads_back_as_the_contract_says() {
    let out = written(&story::story());
    assert!(out.ends_with(b"}\n"));
    let json: Value = serde_json::from_slice(&out).unwrap();
    // The order is the golden file's to hold: whether serde_json keeps it is up to what else is built with it.
    let keys: BTreeSet<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let expect = [
        "schema", "tool", "rules", "sources", "coverage", "changes", "findings", "plan", "advice",
        "notes",
    ];
    assert_eq!(keys, BTreeSet::from(expect));
    assert_eq!(json["schema"], "stillin/report/1");
    assert_eq!(json["findings"][0]["at"], "2026-03-02T09:00:05.123Z");
    assert_eq!(json["findings"][0]["last"], "2026-03-02T17:58:40Z");
    assert_eq!(json["findings"][0]["exposure_seconds"], 32_314);
    assert_eq!(json["findings"][0]["paths"][0]["clients"][0]["device"], "ApplDN6KR2XYZ");
    assert_eq!(json["findings"][1]["paths"][0]["clients"][0].get("device"), None);
    assert_eq!(json["sources"][1]["first"], Value::Null);
    assert_eq!(json["sources"][0].get("encoding"), None);
    assert_eq!(json["rules"].get("since"), None);
    assert_eq!(json["plan"][0]["other_users"], 112);
}

#[test]
fn hostile_text_comes_back_as_it_was() {
    let json: Value = serde_json::from_slice(&written(&story::hostile())).unwrap();
    for pointer in [
        "/sources/0/path",
        "/sources/0/error",
        "/sources/0/columns/0",
        "/sources/3/rejects/0/reason",
        "/coverage/0/server",
        "/changes/0/account",
        "/changes/0/actor",
        "/findings/0/account",
        "/findings/0/paths/0/name",
        "/findings/0/paths/0/clients/0/user_agent",
        "/findings/0/paths/0/why/0",
        "/findings/0/paths/0/evidence/0/path",
        "/plan/0/accounts/0",
        "/advice/0/text",
        "/notes/0",
    ] {
        assert_eq!(json.pointer(pointer), Some(&Value::from(HOSTILE)), "{pointer}");
    }
}

#[test]
fn comes_back_whole() {
    for report in [story::story(), story::hostile(), story::empty()] {
        let out = written(&report);
        let back = read(&out).unwrap();
        assert_eq!(String::from_utf8(written(&back)), String::from_utf8(out));
    }
}

/// The list of words that can be read back holds every word that is written.
#[test]
fn every_story_comes_back_whole() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/scenarios")];
    let mut n_reports = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("expected.json") {
                let bytes = std::fs::read(&path).unwrap();
                let report = read(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                assert!(written(&report) == bytes, "{}", path.display());
                n_reports += 1;
            }
        }
    }
    assert!(n_reports > 20, "{n_reports} reports");
}

#[test]
fn what_is_no_report_is_said_to_be_none() {
    let check = |text: &str, expect: &str| {
        let error = read(text.as_bytes()).unwrap_err();
        assert!(error.starts_with(expect), "{text}: {error}");
    };
    let none = "no report of stillin (stillin/report/1)";
    check("", none);
    check("[]", none);
    check("{\"schema\": 1}", none);
    check("{\"schema\": \"stillin/report/2\"}", none);
    check("{\"schema\": \"stillin/report/1\"}", "a report that is not whole: missing field `tool`");
    let whole = String::from_utf8(written(&story::story())).unwrap();
    check(&whole.replace("\"open\"", "\"ajar\""), "a report that is not whole: `ajar` is no word");
    check(
        &whole.replace("2026-03-02T09:00:05.123Z", "now"),
        "a report that is not whole: `now` is",
    );
    check(&whole[..whole.len() / 2], none);
}
