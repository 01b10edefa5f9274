//! Outputs for other tools: golden files of the story, and hostile text that stays text.

use stillin_reports::plan::Plan;
use stillin_reports::report::{Report, RequestRow};
use stillin_reports::{Content, Order, Output, Requests, Style, Tabular, write};

use crate::story::{self, HOSTILE};
use crate::{golden, harmless};

fn written(report: &Report, rows: &[RequestRow], output: Output) -> Vec<u8> {
    let plan = Plan::of(report);
    let requests = |order: Order| -> Requests<'_> {
        let mut rows = rows.to_vec();
        if order == Order::Time {
            rows.sort_by_key(|row| row.end);
        }
        Box::new(rows.into_iter())
    };
    let content = Content { requests: &requests, ..Content::of(report, &plan) };
    let mut out = Vec::new();
    write(content, output, Style::default(), &mut out).unwrap();
    out
}

const TEXTS: &[(&str, Output)] = &[
    ("findings.csv", Output::Findings(Tabular::Csv)),
    ("findings.jsonl", Output::Findings(Tabular::Jsonl)),
    ("exposure.csv", Output::Exposure(Tabular::Csv)),
    ("exposure.jsonl", Output::Exposure(Tabular::Jsonl)),
    ("timeline.jsonl", Output::Timeline),
    ("ecs.jsonl", Output::Ecs),
    ("ticket.md", Output::Markdown),
];

#[test]
fn as_expected() {
    for (name, output) in TEXTS {
        golden(&format!("story-{name}"), &written(&story::story(), &story::rows()[..1], *output));
        golden(&format!("hostile-{name}"), &written(&story::hostile(), &story::rows(), *output));
        golden(&format!("empty-{name}"), &written(&story::empty(), &[], *output));
    }
}

/// Whoever reads only the first sentence learns that something was left out.
#[test]
fn no_all_clear_where_findings_are_excluded() {
    let mut report = story::story();
    report.findings.clear();
    report.excluded = 2;
    for output in [Output::Terminal, Output::Markdown, Output::Html, Output::Json] {
        let text = String::from_utf8(written(&report, &[], output)).unwrap().replace('\u{a0}', " ");
        let expect = match output {
            Output::Json => "\"excluded\": 2",
            _ => "No residual access beyond 2 excluded findings",
        };
        assert!(text.contains(expect), "{output:?}: {text}");
        if output == Output::Html {
            assert!(!text.contains(">No access was found<"), "{text}");
            assert!(
                text.contains("<title>stillin: no findings beyond 2 excluded findings<"),
                "{text}"
            );
            assert!(text.contains("beyond 2 excluded findings</"), "{text}");
        }
    }
}

/// Everything that reads lines reads these: each is an object of its own, in which the text is what it was.
#[test]
fn lines_are_objects() {
    for (name, output) in TEXTS.iter().filter(|(name, _)| name.ends_with(".jsonl")) {
        let out = written(&story::hostile(), &story::rows(), *output);
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let n = lines.iter().filter(|line| holds(line, HOSTILE)).count();
        assert!(n >= 1 && n + 2 >= lines.len(), "{name}: {n} of {}", lines.len());
    }
}

fn holds(value: &serde_json::Value, text: &str) -> bool {
    match value {
        serde_json::Value::String(found) => found == text,
        serde_json::Value::Array(items) => items.iter().any(|item| holds(item, text)),
        serde_json::Value::Object(fields) => fields.values().any(|field| holds(field, text)),
        _ => false,
    }
}

#[test]
fn moments_are_in_order_of_time() {
    let text =
        String::from_utf8(written(&story::story(), &story::rows(), Output::Timeline)).unwrap();
    let mut last = i64::MIN;
    let mut n_requests = 0;
    for line in text.lines() {
        let moment: serde_json::Value = serde_json::from_str(line).unwrap();
        let at = moment["timestamp"].as_i64().unwrap();
        assert!(at >= last, "{line}");
        last = at;
        let told: chrono::DateTime<chrono::Utc> =
            moment["datetime"].as_str().unwrap().parse().unwrap();
        assert_eq!(told.timestamp_micros(), at);
        n_requests += u64::from(moment["data_type"] == "stillin:request");
    }
    assert_eq!(n_requests, 3);
}

/// No text of a log is markup, and nothing steers whoever shows it.
#[test]
fn a_ticket_holds_text_in_code_spans_alone() {
    let text = String::from_utf8(written(&story::hostile(), &[], Output::Markdown)).unwrap();
    harmless(&text, false);
    let outside: String = text.lines().map(|line| without_code(line) + "\n").collect();
    for sign in ["<", "](", "@", "://", "cmd|", "img", "alert", "\\x1b", "gpj"] {
        assert!(!outside.contains(sign), "{sign} in {outside}");
    }
    // Every row of the table has its eight cells.
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 4);
    for row in rows {
        assert_eq!(row.matches('|').count(), 9, "{row}");
    }
}

/// A line without its code spans, as CommonMark finds them: a run of backticks up to the next run of that length.
fn without_code(line: &str) -> String {
    let run = |text: &str| text.chars().take_while(|c| *c == '`').count();
    let (mut out, mut rest) = (String::new(), line);
    while let Some(at) = rest.find('`') {
        out += &rest[..at];
        rest = &rest[at..];
        let length = run(rest);
        let inside = &rest[length..];
        let mut from = 0;
        let end = loop {
            let at = from + inside[from..].find('`').unwrap_or_else(|| panic!("open: {line}"));
            let found = run(&inside[at..]);
            if found == length {
                break at;
            }
            from = at + found;
        };
        rest = &inside[end + length..];
    }
    out + rest
}
