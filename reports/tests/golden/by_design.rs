//! Accounts that are disabled by design, in the summary and as JSON.

use serde_json::Value;
use stillin_reports::plan::Plan;
use stillin_reports::report::*;
use stillin_reports::timeline::Timelines;
use stillin_reports::{Output, Style, write};

use crate::story::{self, HOSTILE, at};
use crate::{golden, harmless};

fn written(report: &Report, output: Output) -> Vec<u8> {
    let mut out = Vec::new();
    write(report, &Plan::of(report), &Timelines::default(), output, Style::default(), &mut out)
        .unwrap();
    out
}

/// Nothing but a linked mailbox; the account's disable is the story's at-latest one.
fn linked() -> Report {
    let mut report = story::story();
    let change = report.changes.iter().find(|change| change.precision == "at_latest").unwrap();
    let path = "iis/EX01/W3SVC1/u_ex260302.log";
    let client = Client { device: None, user_agent: Some("Mac OS X".into()), ip: None };
    let seen = Seen {
        server: "EX01".into(),
        pool: "MSExchangeServicesAppPool".into(),
        protocol: "ews",
        name: "linda@fabrikam.example".into(),
        first: at("2026-03-02T15:00:40Z"),
        last: at("2026-03-02T17:00:00Z"),
        requests: 1_204,
        data_requests: 31,
        clients: vec![client],
        evidence: [12, 4_711].map(|line| Evidence { path: path.into(), line }).to_vec(),
    };
    report.by_design = vec![ByDesign {
        account: "FABRIKAM\\linda".into(),
        sid: Some("S-1-5-21-1004336348-1177238915-682003330-1120".into()),
        mailbox: "linked",
        change: change.id.clone(),
        at: change.at,
        first: seen.first,
        last: seen.last,
        requests: seen.requests,
        paths: vec![seen],
        why: vec!["an account of another forest logs on".into()],
    }];
    report.findings.clear();
    report.plan.clear();
    report.advice.clear();
    report
}

fn hostile() -> Report {
    let mut report = Report { by_design: linked().by_design, ..story::hostile() };
    let bad = |text: &mut String| *text = HOSTILE.to_owned();
    for account in &mut report.by_design {
        bad(&mut account.account);
        account.sid = Some(HOSTILE.into());
        account.why.iter_mut().for_each(bad);
        for seen in &mut account.paths {
            [&mut seen.server, &mut seen.pool, &mut seen.name].into_iter().for_each(bad);
            for client in &mut seen.clients {
                client.user_agent = Some(HOSTILE.into());
            }
            seen.evidence.iter_mut().for_each(|evidence| bad(&mut evidence.path));
        }
    }
    report
}

#[test]
fn golden_files() {
    golden("by-design.json", &written(&linked(), Output::Json));
    golden("by-design.txt", &written(&linked(), Output::Terminal));
}

#[test]
fn hostile_text_steers_nothing_and_comes_back_as_json() {
    let text = String::from_utf8(written(&hostile(), Output::Terminal)).unwrap();
    assert!(text.contains("Disabled by design, and no finding\n"), "{text}");
    harmless(&text, false);
    let json: Value = serde_json::from_slice(&written(&hostile(), Output::Json)).unwrap();
    for pointer in ["account", "sid", "why/0", "paths/0/server", "paths/0/pool", "paths/0/name"] {
        let value = json.pointer(&format!("/by_design/0/{pointer}"));
        assert_eq!(value, Some(&Value::from(HOSTILE)), "{pointer}");
    }
}

#[test]
fn a_thousand_are_cut_short() {
    let mut report = linked();
    report.by_design = vec![report.by_design[0].clone(); 1_000];
    let text = String::from_utf8(written(&report, Output::Terminal)).unwrap();
    assert!(text.contains("1,000 accounts that are disabled by design were met"), "{text}");
    assert!(text.contains("Disabled by design, and no finding (20 of 1,000)\n"), "{text}");
    assert!(text.contains("… and 980 more; -o report.json has all\n"), "{text}");
    assert!(text.lines().count() < 400, "{} lines", text.lines().count());
}
