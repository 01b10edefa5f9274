//! The summary.

use std::time::{Duration, Instant};

use stillin_reports::plan::Plan;
use stillin_reports::report::Report;
use stillin_reports::{Content, Output, Style, write};

use crate::{golden, harmless, story};

fn drawn(report: &Report, style: Style) -> String {
    let mut out = Vec::new();
    write(Content::of(report, &Plan::of(report)), Output::Terminal, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn check(name: &str, report: &Report, style: Style) -> String {
    let text = drawn(report, style);
    golden(name, text.as_bytes());
    harmless(&text, style.color);
    text
}

#[test]
fn story_plain_narrow_and_in_colour() {
    let report = story::story();
    let plain = check("story.txt", &report, Style::default());
    check("story-60.txt", &report, Style { width: 60, ..Style::default() });
    let color = check("story-color.txt", &report, Style { color: true, ..Style::default() });
    // Colour adds nothing but colour.
    let mut bare = color;
    for code in ["0", "1", "2", "31", "32", "33"] {
        bare = bare.replace(&format!("\x1b[{code}m"), "");
    }
    assert_eq!(bare, plain);
}

#[test]
fn no_line_is_wider_than_asked_for() {
    for width in [60, 80, 100, 200] {
        for line in drawn(&story::story(), Style { color: false, width }).lines() {
            let wide = line.chars().count();
            assert!(wide <= width, "{wide} > {width}: {line}");
        }
    }
}

#[test]
fn hostile_text_is_shown_and_steers_nothing() {
    let report = story::hostile();
    check("hostile.txt", &report, Style::default());
    check("hostile-color.txt", &report, Style { color: true, ..Style::default() });
}

#[test]
fn empty_report() {
    check("empty.txt", &story::empty(), Style::default());
}

#[test]
fn nothing_found() {
    let mut report = story::story();
    report.findings.clear();
    report.plan.clear();
    report.advice.clear();
    report.notes.clear();
    report.sources.retain(|source| source.error.is_none() && source.rejected == 0);
    report.sources.iter_mut().for_each(|source| source.nul_runs = 0);
    report.coverage.iter_mut().for_each(|coverage| coverage.gaps.clear());
    check("clear.txt", &report, Style::default());
}

#[test]
fn five_thousand_findings_are_quick_and_short() {
    let mut report = story::story();
    let (finding, step) = (report.findings[0].clone(), report.plan[0].clone());
    report.findings = (1..=5_000)
        .map(|n| {
            let mut finding = finding.clone();
            finding.id = format!("f{n}");
            finding.account = format!("FABRIKAM\\user{n}");
            finding.paths = vec![finding.paths[0].clone(); 30];
            finding
        })
        .collect();
    report.plan = (1..=500)
        .map(|n| {
            let mut step = step.clone();
            step.step = n;
            step.why = (1..=5_000).map(|n| format!("f{n}")).collect();
            step.accounts = (1..=5_000).map(|n| format!("FABRIKAM\\user{n}")).collect();
            step
        })
        .collect();
    let source = report.sources[3].clone();
    report.sources = vec![source; 5_000];
    let begin = Instant::now();
    let text = drawn(&report, Style { color: true, width: 100 });
    let took = begin.elapsed();
    // A fraction of a second where nothing else runs; what grows with the square of the findings takes minutes.
    assert!(took < Duration::from_secs(10), "took {took:?}");
    assert!(text.lines().count() < 4_000, "{} lines", text.lines().count());
    let expect =
        "5,000 accounts were served after they were cut off; all of them can be right now.";
    assert!(text.contains(expect), "{text}");
    assert!(text.contains("Residual access, the gravest first \x1b[0m(20 of 5,000)"));
    assert!(text.contains("… and 4,980 more; -o report.json has all"));
    assert!(text.contains("… and 20 more; -o report.json has all"));
    assert!(text.contains("… and 450 more; -o report.json has all"));
}
