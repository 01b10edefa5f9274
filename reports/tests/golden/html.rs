//! The page: what stands in it without a script, what its script draws from, and that no text can act.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::Value;
use stillin_reports::plan::Plan;
use stillin_reports::report::{Report, Week};
use stillin_reports::timeline::{Mark, Run, Spell, Timeline, Timelines, What};
use stillin_reports::{Content, Output, Style, write};

use crate::golden;
use crate::story::{self, HOSTILE};

fn page(report: &Report, timelines: &Timelines) -> String {
    let mut out = Vec::new();
    let plan = Plan::of(report);
    let content = Content { timelines: &|| timelines.clone(), ..Content::of(report, &plan) };
    write(content, Output::Html, Style::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The texts between two others, the first time they occur.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to}")).0
}

fn data(page: &str) -> &str {
    between(page, r#"<script type="application/json" id="data">"#, "</script>")
}

/// The page without its style and script, which are files of their own.
fn without_fixed(page: &str) -> String {
    let (style, script) =
        (between(page, "<style>", "</style>"), between(page, "</script>\n<script>", "</script>"));
    let policy = between(page, r#"<meta http-equiv="Content-Security-Policy" content=""#, "\">");
    page.replace(style, "…").replace(script, "…").replace(policy, "…")
}

/// A timeline for the first path of every finding.
fn timelines(report: &Report) -> Timelines {
    let list = report.findings.iter().map(|finding| {
        let (from, to) = (finding.at - TimeDelta::hours(1), finding.last + TimeDelta::hours(1));
        let run = |minute: i64, verdict| Run {
            from: finding.at + TimeDelta::minutes(minute),
            to: finding.at + TimeDelta::minutes(minute + 1),
            requests: 3,
            data_requests: 1,
            verdict,
        };
        Timeline {
            finding: finding.id.clone(),
            paths: vec![0],
            from,
            to,
            runs: vec![run(-20, None), run(5, Some(("cached_token", "certain")))],
            marks: vec![Mark {
                at: finding.at,
                what: What::TheChange,
                text: finding.account.clone(),
                times: 1,
                place: None,
            }],
            log: None,
            holes: vec![],
            quoted: vec![],
            left_out: 0,
            marks_left_out: 0,
        }
    });
    let spell = |at| Spell { at, requests: 41, data_requests: 7 };
    Timelines {
        list: list.collect(),
        spells: report.findings.iter().map(|f| spell(f.last)).take(1).collect(),
    }
}

#[test]
fn golden_pages() {
    let story = story::story();
    golden("story.html", without_fixed(&page(&story, &timelines(&story))).as_bytes());
    golden("empty.html", without_fixed(&page(&story::empty(), &Timelines::default())).as_bytes());
}

/// The first finding of the story, of which the certain access ended and one that is only possible did not.
fn possibly_open() -> Report {
    let mut report = story::story();
    report.findings.truncate(1);
    let finding = &mut report.findings[0];
    finding.residual = "certain";
    finding.paths.truncate(1);
    (finding.paths[0].residual, finding.paths[0].state) = ("certain", "refused");
    let mut lesser = finding.paths[0].clone();
    (lesser.class, lesser.residual, lesser.state) = ("ambiguous", "possible", "open");
    finding.paths.push(lesser);
    report
}

#[test]
fn what_only_may_be_open_is_neither_open_nor_over() {
    let report = possibly_open();
    let page = page(&report, &timelines(&report));
    assert!(between(&page, "<h1", "</h1>").contains("not certain: it may be served right now"));
    let tile = "<li class=\"doubt\"><b>1</b> <span>finding may be open</span>";
    assert!(page.contains(tile), "{}", between(&page, "<ul class=\"tiles\">", "</ul>"));
    let open = between(&page, "<ul class=\"open\">", "</ul>");
    assert!(open.contains("<span class=\"badge doubt\">may be: possible</span>"), "{open}");
    let row = between(&page, "<table class=\"list\"", "</table>");
    assert!(row.contains("<span class=\"badge doubt\">may be open</span>"), "{row}");
    assert!(data(&page).contains("\"may be open\""));
    assert!(!page.contains("ended: refused"));

    let mut ticket = Vec::new();
    write(
        Content::of(&report, &Plan::of(&report)),
        Output::Markdown,
        Style::default(),
        &mut ticket,
    )
    .unwrap();
    let ticket = String::from_utf8(ticket).unwrap();
    assert!(ticket.contains("| possibly, on 1 path |"), "{ticket}");
}

#[test]
fn columns_are_as_fine_as_the_story_is_short() {
    let report = story::story();
    let by = |hours| {
        let spell = |at| Spell { at, requests: 1, data_requests: 0 };
        let (from, to) = (report.findings[0].at, report.findings[0].at + TimeDelta::hours(hours));
        let spells = vec![spell(from), spell(to)];
        let page = page(&report, &Timelines { list: vec![], spells });
        between(&page, "Requests after the change, by ", " <small>").to_owned()
    };
    let words = [1, 12, 40, 90, 24 * 90].map(by);
    assert_eq!(words, ["5 minutes", "10 minutes", "half hour", "hour", "day"]);
}

#[test]
fn a_band_is_as_sure_as_the_requests_that_make_it() {
    let report = story::story();
    let mut timelines = timelines(&report);
    timelines.list.truncate(1);
    let run = timelines.list[0].runs[0].clone();
    let of = |verdict| Run { verdict, ..run.clone() };
    timelines.list[0].runs = vec![
        of(None),
        of(Some(("within_slack", "no"))),
        of(Some(("cached_token", "certain"))),
        of(Some(("ambiguous", "possible"))),
        of(Some(("unexplained", "likely"))),
        of(Some(("other_auth", "certain"))),
        of(Some(("new_logon", "no"))),
    ];
    let page = page(&report, &timelines);
    let data: Value = serde_json::from_str(data(&page)).unwrap();
    let runs = data["findings"][0]["lines"][0]["runs"].as_array().unwrap();
    let tokens: Vec<i64> = runs.iter().map(|run| run[6].as_i64().unwrap()).collect();
    assert_eq!(tokens, [1, 1, 1, 2, 2, 0, 0]);
}

#[test]
fn the_policy_lets_its_own_style_and_script_alone_act() {
    let page = page(&story::story(), &Timelines::default());
    let policy = between(&page, r#"<meta http-equiv="Content-Security-Policy" content=""#, "\">");
    assert!(policy.starts_with("default-src &#39;none&#39;; style-src &#39;sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(policy.matches("sha256-").count(), 2, "{policy}");
    // Nothing leads out of the page: a name of the picture language, and that is all.
    for outside in ["http:", "https:", "//cdn", "@import", "url(", " src="] {
        let found: Vec<&str> =
            page.match_indices(outside).map(|(at, _)| &page[at..at + 40]).collect();
        let is_harmless = |text: &&str| {
            text.starts_with("http://www.w3.org/2000/svg\"") || text.starts_with("url(#")
        };
        assert!(found.iter().all(is_harmless), "{outside}: {found:?}");
    }
}

/// What is aimed at pages, beside what is aimed at everything.
const AIMED: &str = "</script><script>alert(1)</script><!--]]></style><svg/onload=alert(1)>javascript:alert(1)\
    <a href='javascript:x'>&lt;&#x3c;\u{2029}";

#[test]
fn hostile_text_is_text() {
    let mut report = story::hostile();
    report.findings[0].account = AIMED.to_owned();
    report.findings[0].paths[0].server = AIMED.to_owned();
    report.notes.push(AIMED.to_owned());
    report.findings[0].paths[0].why.push("x".repeat(64 << 10));
    let hostile = page(&report, &timelines(&report));
    let plain = page(&story::story(), &timelines(&story::story()));
    // As many elements that can act as without hostile text, outside of the data and inside.
    for what in
        ["<script", "</script", "<img", "<iframe", "<svg/", "<!--", "<a href='", "</style", "]]>"]
    {
        let (n, expect) = (hostile.matches(what).count(), plain.matches(what).count());
        assert_eq!(n, expect, "{what}");
    }
    let data = data(&hostile);
    for what in ["<", ">", "&", "\u{2028}", "\u{2029}"] {
        assert!(!data.contains(what), "{what:?} in the data");
    }
    for char in hostile.chars().filter(|char| *char != '\n') {
        let steers = matches!(char, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!char.is_control() && !steers, "{char:?} in the page");
    }
    // It is all there for a reader, what steers as escapes, and what is too long is said to be cut.
    let value: Value = serde_json::from_str(data).unwrap();
    let texts: Vec<&str> =
        value["texts"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for text in [HOSTILE, AIMED] {
        let shown = stillin_reports::text::safe(text);
        assert!(texts.iter().any(|text| text.contains(&shown)), "{shown}");
    }
    assert!(texts.iter().any(|text| text.ends_with("…(+65,236 characters)")));
}

#[test]
fn the_trend_is_drawn_where_there_is_one() {
    let mut report = story::story();
    assert!(!page(&report, &Timelines::default()).contains(r#"id="trend""#));
    report.trend = (0..3)
        .map(|n| Week {
            monday: format!("2026-03-{:02}", 2 + 7 * n),
            new: n,
            closed: 1,
            open: 4 - n,
            median_seconds: Some(5_400),
            p95_seconds: None,
            worst_seconds: Some(90_000),
        })
        .collect();
    let page = page(&report, &Timelines::default());
    let chart = between(&page, r#"aria-labelledby="trend">"#, "</svg>");
    assert_eq!(chart.matches("<g ").count(), 3);
    assert!(chart.contains("week of 2026-03-09: 3 open, 1 new, 1 closed"), "{chart}");
    // The latest week comes first in the table.
    assert!(page.contains("<tr><td>2026-03-16</td><td>2</td><td>1</td><td>2</td><td>1\u{a0}h\u{a0}30\u{a0}min</td><td>–</td>"));
}

#[test]
fn five_thousand_findings_are_quick_and_bounded() {
    let mut report = story::story();
    let finding = report.findings[0].clone();
    report.findings = (1..=5_000)
        .map(|n| {
            let mut finding = finding.clone();
            finding.id = format!("f{n}");
            finding.account = format!("FABRIKAM\\user{n}");
            finding.paths = vec![finding.paths[0].clone(); if n == 1 { 100 } else { 4 }];
            finding
        })
        .collect();
    let timelines = timelines(&report);
    let begin = Instant::now();
    let page = page(&report, &timelines);
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(10), "took {took:?}");
    assert!(page.len() < 20 << 20, "{} bytes", page.len());
    let value: Value = serde_json::from_str(data(&page)).unwrap();
    let first = &value["findings"][0];
    assert_eq!((first["paths"].as_array().unwrap().len(), &first["more"]), (30, &Value::from(70)));
    assert_eq!(page.matches("<tr><td>f").count(), 5_000);
    assert_eq!(value["findings"][4_999]["id"], "f5000");
}
