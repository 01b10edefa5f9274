//! What `verify` found out: as a page, and as JSON.

use stillin_reports::plan::Reason;
use stillin_reports::report::{ChangeEvidence, Client, Coverage, Evidence, Gap, Tool};
use stillin_reports::verify::{Access, Finding, Input, Path, Refusal, Rules, SCHEMA, Step, Verify};
use stillin_reports::{Output, Style, verify_page};

use crate::story::{self, HOSTILE, at};
use crate::{golden, harmless};

const EX01: &str = "since/EX01/W3SVC1/u_ex260302.log";
const EX02: &str = "since/EX02/W3SVC1/u_ex260302.log";

fn phone() -> Client {
    Client {
        device: Some("ApplDN6KR2XYZ".into()),
        user_agent: None,
        ip: Some("203.0.113.7".into()),
    }
}

fn access(class: &'static str, residual: &'static str, lines: &[u64]) -> Option<Access> {
    Some(Access {
        requests: lines.len() as u64 + 3,
        first: at("2026-03-02T18:12:00Z"),
        last: at("2026-03-02T18:20:00Z"),
        class,
        residual,
        client: phone(),
        evidence: lines.iter().map(|&line| Evidence { path: EX02.into(), line }).collect(),
    })
}

fn step(step: u64, server: &str, state: &'static str) -> Step {
    Step {
        step,
        server: server.into(),
        pool: "MSExchangeSyncAppPool".into(),
        action: "recycle",
        accounts: vec!["FABRIKAM\\ada".into()],
        why: vec!["f1".into()],
        state,
        recycled: None,
        evidence: vec![],
        notes: vec![],
    }
}

fn path(server: &str, state: &'static str) -> Path {
    Path {
        server: server.into(),
        pool: "MSExchangeSyncAppPool".into(),
        protocol: Some("eas"),
        name: Some("FABRIKAM\\ada".into()),
        step: None,
        state,
        since: Some(at("2026-03-02T18:11:31Z")),
        until: Some(at("2026-03-02T18:30:00Z")),
        too_fresh_until: None,
        access: None,
        unclear: None,
        new_logon: None,
        refusal: None,
        why: vec![],
    }
}

/// One of three servers is proven, one was left out, and one cannot be told yet.
fn verify() -> Verify {
    let place = |pos| ChangeEvidence { path: "journal.jsonl".into(), pos };
    let refusal = Refusal {
        at: at("2026-03-02T18:12:05Z"),
        reason: "account disabled".into(),
        client: phone(),
        evidence: Evidence { path: EX01.into(), line: 42 },
    };
    let sentences = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let (from, to) = (at("2026-03-02T18:00:00Z"), at("2026-03-02T18:30:00Z"));
    let gaps = vec![Gap { from: at("2026-03-02T18:14:00Z"), to: at("2026-03-02T18:26:00Z") }];
    Verify {
        schema: SCHEMA,
        tool: Tool { name: "stillin", version: "0.1.0".into() },
        plan: Input { path: "report.json".into(), sha256: "9f86d081".into() },
        journals: vec![Input { path: "journal.jsonl".into(), sha256: "60303ae2".into() }],
        rules: Rules { ttl_seconds: 900, slack_seconds: 60, drain_seconds: 90, flush_seconds: 60 },
        state: "failed",
        steps: vec![
            Step {
                recycled: Some(at("2026-03-02T18:10:01Z")),
                evidence: vec![place(2)],
                ..step(1, "EX01", "proven")
            },
            Step { notes: sentences(&["the attempt failed"]), ..step(2, "EX02", "not_recycled") },
            step(3, "EX03", "no_coverage"),
        ],
        findings: vec![Finding {
            reason: Reason {
                id: "f1".into(),
                account: "FABRIKAM\\ada".into(),
                kind: "password_reset",
                at: at("2026-03-02T17:00:00Z"),
                residual: "likely",
            },
            state: "failed",
            names: sentences(&["FABRIKAM\\ada", "ada@fabrikam.example"]),
            paths: vec![
                Path {
                    step: Some(1),
                    refusal: Some(refusal),
                    new_logon: access("new_logon", "no", &[47]),
                    why: sentences(&["refused"]),
                    ..path("EX01", "proven")
                },
                Path {
                    access: access("cached_token", "likely", &[7, 31]),
                    unclear: access("ambiguous", "possible", &[9]),
                    why: sentences(&["nothing tells that its pool was recycled", "and so on"]),
                    ..path("EX02", "failed")
                },
                Path {
                    name: None,
                    protocol: None,
                    too_fresh_until: Some(at("2026-03-02T18:31:00Z")),
                    ..path("EX03", "no_coverage")
                },
            ],
        }],
        coverage: vec![Coverage {
            server: "EX01".into(),
            kind: "iis-w3c",
            protocol: None,
            from,
            to,
            gaps,
        }],
        sources: vec![story::source(EX01, "iis-w3c"), story::source(EX02, "iis-w3c")],
        notes: sentences(&["EX04: no log of it"]),
    }
}

fn page(verify: &Verify, style: Style) -> String {
    String::from_utf8(verify_page(verify, Output::Terminal, style).unwrap()).unwrap()
}

#[test]
fn in_every_form() {
    golden("verify.txt", page(&verify(), Style::default()).as_bytes());
    golden("verify.json", &verify_page(&verify(), Output::Json, Style::default()).unwrap());
}

/// What is unclear is counted, whatever else is good.
#[test]
fn the_first_sentence_counts_what_is_unclear() {
    let check = |state: &'static str, expect: &str| {
        let mut verify = verify();
        verify.state = state;
        verify.findings[0].state = state;
        let page = page(&verify, Style { color: false, width: 200 });
        let first = page.lines().next().unwrap_or_default();
        assert!(first.starts_with(expect), "{first}");
    };
    check(
        "no_contradiction",
        "Nobody was served since who should not be, as far as can be told: 4 requests are unclear, so nothing proves that \
         access is over: FABRIKAM\\ada.",
    );
    check(
        "no_coverage",
        "The logs cannot tell yet whether access is over: FABRIKAM\\ada. 4 requests are unclear.",
    );
}

#[test]
fn the_first_sentence() {
    let check = |state: &'static str, expect: &str| {
        let mut verify = verify();
        verify.state = state;
        verify.findings[0].state = state;
        verify.findings[0].paths.iter_mut().for_each(|path| path.unclear = None);
        verify.steps.iter_mut().for_each(|step| step.state = state);
        let page = page(&verify, Style { color: false, width: 200 });
        assert_eq!(page.lines().next(), Some(expect), "{state}");
    };
    check(
        "proven",
        "Access is over: FABRIKAM\\ada was refused since. But see below for what would make it surer.",
    );
    check(
        "no_contradiction",
        "Nobody was served since who should not be, as far as the logs reach; but without a refusal nothing proves \
         that access is over: FABRIKAM\\ada. But see below for what would make it surer.",
    );
    check(
        "failed",
        "FABRIKAM\\ada was served again (since/EX02/W3SVC1/u_ex260302.log:7): access is not over.",
    );
    check("not_recycled", "Nothing tells that any step was carried out.");
    check("no_coverage", "The logs cannot tell yet whether access is over: FABRIKAM\\ada.");
}

#[test]
fn a_source_that_was_not_read_whole_is_told_first() {
    let mut verify = verify();
    verify.sources[0].rejected = 1;
    let page = page(&verify, Style { color: false, width: 200 });
    assert!(page.lines().next().unwrap().ends_with("1 source was not read whole: see below."));
}

#[test]
fn hostile_text_steers_nothing() {
    let text = || HOSTILE.to_owned();
    let mut verify = verify();
    verify.notes = vec![text()];
    for step in &mut verify.steps {
        (step.server, step.pool) = (text(), text());
        (step.accounts, step.notes) = (vec![text()], vec![text()]);
        step.evidence.iter_mut().for_each(|evidence| evidence.path = text());
    }
    for finding in &mut verify.findings {
        (finding.reason.id, finding.reason.account) = (text(), text());
        finding.names = vec![text()];
        for path in &mut finding.paths {
            (path.server, path.pool, path.name) = (text(), text(), Some(text()));
            path.why = vec![text()];
            for access in [&mut path.access, &mut path.unclear].into_iter().flatten() {
                access.client =
                    Client { device: Some(text()), user_agent: Some(text()), ip: Some(text()) };
                access.evidence.iter_mut().for_each(|evidence| evidence.path = text());
            }
        }
    }
    for color in [false, true] {
        let page = page(&verify, Style { color, width: 100 });
        harmless(&page, color);
        assert!(page.contains("\\x1b[2J"), "{page}");
    }
}
