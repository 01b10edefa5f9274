//! One finding as a case, and the list of them.

use chrono::TimeDelta;
use stillin_reports::case::Case;
use stillin_reports::chain::{Chain, Event, Line, Request};
use stillin_reports::report::{ChangeEvidence, Client, Report};
use stillin_reports::{Style, case_list, case_page};

use crate::story::{self, HOSTILE, at};
use crate::{golden, harmless};

fn place(path: &str, pos: u64) -> ChangeEvidence {
    ChangeEvidence { path: path.into(), pos }
}

/// A request every `minutes` from a given time on.
fn requests(from: &str, minutes: i64, n: usize) -> impl Iterator<Item = Line> {
    let from = at(from);
    (0..n).map(move |i| {
        let start = from + TimeDelta::minutes(minutes * i as i64);
        Line::Request(Request {
            start: Some(start),
            end: start + TimeDelta::seconds(1),
            is_refused: false,
            status: "200.0".into(),
            client: i % 2,
            command: if i == 0 { "Sync" } else { "Ping" }.into(),
            verdict: (i > 0).then_some(("cached_token", "certain")),
            place: place("iis/EX01/W3SVC1/u_ex260302.log", i as u64 + 10),
            auth: (i % 3 == 0).then_some("basic"),
            twin: (i % 3 == 0).then(|| place("proxy/EX01/u_ex260302.log", i as u64)),
            contradiction: (i == 3).then_some("the two logs name different users"),
        })
    })
}

fn event(time: &str, text: &str, until: Option<&str>) -> Line {
    let place = Some(place("dc1.evtx", 88_213));
    let (at, until) = (at(time), until.map(at));
    Line::Event(Event { at, until, text: text.into(), place, is_the_change: false })
}

fn chain(lines: Vec<Line>) -> Chain {
    let client = |device: &str| Client { device: Some(device.into()), user_agent: None, ip: None };
    Chain {
        server: "EX01".into(),
        pool: "MSExchangeSyncAppPool".into(),
        protocol: "eas",
        name: "FABRIKAM\\ada".into(),
        clients: vec![client("ApplDN6KR2XYZ"), client("androidc1")],
        lines,
    }
}

fn case(report: &Report, chains: Vec<Chain>) -> Case<'_> {
    Case {
        report,
        finding: &report.findings[0],
        told: vec![Some((at("2026-03-02T09:00:09Z"), "at_latest")), None],
        caveats: vec!["told from memory".into()],
        chains,
        otherwise: vec!["pigs flew".into()],
        missing: vec!["the logs of the moon".into()],
    }
}

#[test]
fn pauses_holes_and_days() {
    let report = story::story();
    let mut lines: Vec<Line> = requests("2026-03-02T23:20:00Z", 20, 3).collect();
    lines.push(event("2026-03-03T00:10:00Z", "a hole", Some("2026-03-03T02:00:00Z")));
    lines.extend(requests("2026-03-03T02:10:00Z", 45, 2));
    lines.push(event("2026-03-03T03:10:00Z", "the pool was recycled", None));
    let text = case_page(&case(&report, vec![chain(lines)]), Style::default());
    golden("case.txt", text.as_bytes());
}

#[test]
fn a_long_chain_is_cut_and_says_so() {
    let report = story::story();
    let whole = requests("2026-03-02T08:00:00Z", 2, 60).collect();
    let style = Style { color: false, width: 200 };
    let page = case_page(&case(&report, vec![chain(whole)]), style);
    assert!(!page.contains("… "), "{page}");
    let mut long: Vec<Line> = requests("2026-03-02T08:00:00Z", 2, 40).collect();
    long.push(event("2026-03-02T09:20:00Z", "the pool was recycled", None));
    long.extend(requests("2026-03-02T10:00:00Z", 2, 60));
    let page = case_page(&case(&report, vec![chain(long)]), style);
    let cut = "… 50 requests and 1 other line between, the longest pause 41 min 59 s;";
    assert!(page.contains(cut), "{page}");
}

#[test]
fn hostile_text_steers_nothing() {
    let report = story::hostile();
    let text = || HOSTILE.to_owned();
    for color in [false, true] {
        let mut lines: Vec<Line> = requests("2026-03-02T08:00:00Z", 2, 3).collect();
        for line in &mut lines {
            if let Line::Request(request) = line {
                (request.command, request.status) = (text(), text());
                request.place.path = text();
            }
        }
        lines.push(event("2026-03-02T09:10:00Z", HOSTILE, None));
        let mut chain = chain(lines);
        (chain.server, chain.pool, chain.name) = (text(), text(), text());
        chain.clients[0] =
            Client { device: Some(text()), user_agent: Some(text()), ip: Some(text()) };
        let mut case = case(&report, vec![chain]);
        case.caveats = vec![text()];
        case.otherwise = vec![text()];
        case.missing = vec![text()];
        let style = Style { color, width: 100 };
        for page in [case_page(&case, style), case_list(&report, HOSTILE, style)] {
            harmless(&page, color);
            assert!(page.contains("\\x1b[2J"), "{page}");
        }
    }
}

#[test]
fn the_list() {
    golden("cases.txt", case_list(&story::story(), "r.json", Style::default()).as_bytes());
    let none = case_list(&story::empty(), "r.json", Style::default());
    assert_eq!(none, "Cases of r.json: 0 findings\n");
}
