//! The report as JSON.

use std::collections::BTreeSet;

use serde_json::Value;
use stillin_reports::report::Report;
use stillin_reports::{Output, Style, write};

use crate::golden;
use crate::story::{self, HOSTILE};

fn written(report: &Report) -> Vec<u8> {
    let mut out = Vec::new();
    write(report, Output::Json, Style::default(), &mut out).unwrap();
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
