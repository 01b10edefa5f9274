//! What `inspect` says of sources.

use serde_json::Value;
use stillin_reports::report::Source;
use stillin_reports::{Style, inspect_json, inspect_terminal};

use crate::{golden, harmless, story};

fn sources() -> Vec<Source> {
    let mut sources = story::story().sources;
    for source in &mut sources {
        source.encoding = Some("utf-8");
    }
    sources[0].encoding = Some("binary");
    let fields = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
                  cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken";
    sources[2].columns = Some(fields.split(' ').map(str::to_owned).collect());
    sources
}

fn drawn(sources: &[Source], color: bool) -> String {
    let mut out = Vec::new();
    inspect_terminal(sources, Style { color, width: 100 }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn terminal() {
    golden("inspect.txt", drawn(&sources(), false).as_bytes());
    golden("inspect-color.txt", drawn(&sources(), true).as_bytes());
    assert_eq!(drawn(&[], false), "No source was found.\n");
}

#[test]
fn hostile_text_steers_nothing() {
    let sources = story::hostile().sources;
    for color in [false, true] {
        let text = drawn(&sources, color);
        harmless(&text, color);
        assert!(text.contains("\\x1b[2J"), "{text}");
    }
}

#[test]
fn json() {
    let mut out = Vec::new();
    inspect_json(&sources(), &mut out).unwrap();
    golden("inspect.json", &out);
    let json: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(json.as_object().unwrap().len(), 1);
    assert_eq!(json["sources"][2]["columns"][7], "cs-username");
    assert_eq!(json["sources"][3]["rejects"][0]["pos"], 1_042);
    let mut out = Vec::new();
    inspect_json(&[], &mut out).unwrap();
    assert_eq!(out, b"{\n  \"sources\": []\n}\n");
}
