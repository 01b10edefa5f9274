//! Verdicts of small reports, made of `(account, residual, state)` and of spans.

use super::*;
use crate::report::{ByDesign, Coverage, Finding, Gap, Path, Rules, SCHEMA, Source, Tool};
use crate::text::TIE;

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(hour)
}

fn report() -> Report {
    Report {
        schema: SCHEMA,
        tool: Tool { name: "stillin", version: "0".into() },
        rules: Rules {
            ttl_seconds: 900,
            slack_seconds: 60,
            since: None,
            until: None,
            accounts: vec![],
            auth: vec![],
            settings: vec![],
            pseudonyms: None,
        },
        sources: vec![],
        coverage: vec![],
        changes: vec![],
        findings: vec![],
        excluded: 0,
        undecided: 0,
        by_design: vec![],
        clocks: vec![],
        plan: vec![],
        advice: vec![],
        notes: vec![],
        trend: vec![],
    }
}

fn source() -> Source {
    Source {
        path: "a.log".into(),
        kind: "iis-w3c",
        server: None,
        bytes: 1,
        sha256: None,
        records: 1,
        rejected: 0,
        repaired: 0,
        nul_runs: 0,
        noise: 0,
        back_end: 0,
        copied: 0,
        first: None,
        last: None,
        encoding: None,
        columns: None,
        rejects: vec![],
        error: None,
    }
}

fn found(paths: &[(&str, &'static str, &'static str)]) -> Report {
    let mut report = report();
    report.findings = paths
        .iter()
        .map(|(account, residual, state)| Finding {
            id: "f1".into(),
            change: "c1".into(),
            account: (*account).into(),
            kind: "disabled",
            at: at(0),
            residual,
            first: at(1),
            last: at(2),
            exposure_seconds: 7_200,
            requests: 1,
            paths: vec![Path {
                server: "EX01".into(),
                pool: "MSExchangeSyncAppPool".into(),
                protocol: "eas",
                name: (*account).into(),
                class: "cached_token",
                residual,
                state,
                first: at(1),
                last: at(2),
                requests: 1,
                data_requests: 0,
                clients: vec![],
                why: vec![],
                evidence: vec![],
            }],
        })
        .collect();
    report
}

#[test]
fn served() {
    let check = |paths: &[(&str, &'static str, &'static str)], ink: Ink, expect: &str| {
        check(&found(paths), ink, expect);
    };
    check(
        &[("a", "certain", "open")],
        Ink::Bad,
        "1 account was served after it was cut off; it can be right now.",
    );
    check(
        &[("a", "certain", "open"), ("b", "certain", "expired")],
        Ink::Bad,
        "2 accounts were served after they were cut off; 1 of them can be right now.",
    );
    check(
        &[("a", "certain", "open"), ("a", "possible", "refused")],
        Ink::Bad,
        "1 account was served after it was cut off; it can be right now.",
    );
    check(
        &[("a", "certain", "refused"), ("a", "possible", "open"), ("a", "possible", "unknown")],
        Ink::Bad,
        "1 account was served after it was cut off. \
         Whether it goes on is not certain: it may be served right now.",
    );
    check(
        &[("a", "possible", "open"), ("a", "certain", "expired"), ("b", "likely", "expired")],
        Ink::Bad,
        "1 account was served after it was cut off, 1 more probably. \
         Whether it goes on is not certain for 1 of them: it may be served right now.",
    );
    check(
        &[
            ("a", "certain", "open"),
            ("b", "certain", "refused"),
            ("b", "likely", "open"),
            ("c", "certain", "expired"),
            ("c", "possible", "unknown"),
        ],
        Ink::Bad,
        "3 accounts were served after they were cut off; 1 of them can be right now. \
         Whether it goes on is not certain for 1 of them: it may be served right now. \
         For 1 of them it is unknown whether that has ended.",
    );
    check(
        &[("a", "certain", "refused"), ("a", "possible", "unknown")],
        Ink::Bad,
        "1 account was served after it was cut off. \
         As far as the logs reach, what is sure of that has ended; whether the rest has is unknown.",
    );
    check(
        &[("a", "certain", "recycled"), ("b", "certain", "refused")],
        Ink::Bad,
        "2 accounts were served after they were cut off. As far as the logs reach, that has ended.",
    );
    check(
        &[("a", "certain", "unknown")],
        Ink::Bad,
        "1 account was served after it was cut off. Whether that has ended is unknown.",
    );
    check(
        &[("a", "certain", "open"), ("b", "certain", "unknown")],
        Ink::Bad,
        "2 accounts were served after they were cut off; 1 of them can be right now. \
         For 1 of them it is unknown whether that has ended.",
    );
    check(
        &[("a", "possible", "open"), ("b", "possible", "open")],
        Ink::Doubt,
        "2 accounts were possibly served after they were cut off; all of them may be right now.",
    );
    check(
        &[("a", "certain", "refused"), ("b", "possible", "open")],
        Ink::Bad,
        "1 account was served after it was cut off, 1 more possibly; 1 of them may be right now.",
    );
    check(
        &[("a", "likely", "expired")],
        Ink::Doubt,
        "1 account was probably served after it was cut off. \
         As far as the logs reach, that has ended.",
    );
    check(
        &[
            ("a", "certain", "open"),
            ("b", "likely", "expired"),
            ("c", "possible", "expired"),
            ("d", "possible", "expired"),
            ("e", "no", "open"),
        ],
        Ink::Bad,
        "1 account was served after it was cut off, 1 more probably, 2 more possibly; \
         1 of them can be right now.",
    );
}

/// A report without findings: hours of the changes, spans of the servers' logs.
fn quiet(changes: &[i64], spans: &[(&str, i64, i64)]) -> Report {
    let mut report = report();
    report.sources = vec![source()];
    report.changes = changes
        .iter()
        .map(|hour| Change {
            disputed_until: None,
            id: "c1".into(),
            account: "a".into(),
            sid: None,
            kind: "disabled",
            at: at(*hour),
            precision: "exact",
            actor: None,
            evidence: vec![],
        })
        .collect();
    report.coverage = spans
        .iter()
        .map(|(server, from, to)| Coverage {
            server: (*server).into(),
            kind: "iis-w3c",
            protocol: None,
            from: at(*from),
            to: at(*to),
            gaps: vec![],
        })
        .collect();
    report
}

fn check(report: &Report, ink: Ink, expect: &str) {
    let (got, text) = verdict(report);
    assert_eq!((got, text.replace(TIE, " ")), (ink, expect.to_owned()));
}

#[test]
fn nothing_to_go_by() {
    check(&report(), Ink::Doubt, "Nothing was read, so nothing can be said.");
    let none = "No change that cuts an account off was found, so it cannot be said who was served \
                after one.";
    check(&quiet(&[], &[("EX01", 0, 9)]), Ink::Doubt, none);
    let mut lock_out = quiet(&[1], &[("EX01", 0, 9)]);
    lock_out.changes[0].kind = "locked_out";
    check(&lock_out, Ink::Doubt, none);
    let mut to_come = quiet(&[12], &[("EX01", 0, 9)]);
    to_come.changes[0].kind = "expired";
    check(&to_come, Ink::Doubt, none);
    let no_log = "2 changes, but no log that tells who was served: it cannot be said who was \
                  afterwards.";
    check(&quiet(&[1, 2], &[]), Ink::Doubt, no_log);
    let mut no_web = quiet(&[1, 2], &[]);
    no_web.sources.iter_mut().for_each(|source| source.kind = "evtx");
    let no_web_log = "2 changes, but no web log: it cannot be said who was served afterwards.";
    check(&no_web, Ink::Doubt, no_web_log);
    let mut outside = quiet(&[1], &[("EX01", 0, 9)]);
    outside.rules.since = Some(at(10));
    check(
        &outside,
        Ink::Doubt,
        "1 change, but no log has an entry in the time that was asked for: it cannot be said who \
         was served.",
    );
    let mut logons = quiet(&[1, 2], &[("EX01", 0, 9)]);
    logons.coverage[0].kind = "evtx";
    check(&logons, Ink::Doubt, no_log);
    check(
        &quiet(&[12], &[("EX01", 0, 9)]),
        Ink::Doubt,
        "1 change, but the logs end before (EX01 until 1970-01-01 09:00 UTC): it cannot be said \
         who was served afterwards.",
    );
}

#[test]
fn claims_reach_as_far_as_the_coverage() {
    let ex01 = "(EX01 until 1970-01-01 09:00 UTC)";
    check(
        &quiet(&[1], &[("EX01", 0, 9)]),
        Ink::Good,
        &format!("No residual access after the one change, as far as the logs reach {ex01}."),
    );
    check(
        &quiet(&[1, 2, 3], &[("EX01", 0, 5), ("EX01", 4, 9)]),
        Ink::Good,
        &format!("No residual access after any of 3 changes, as far as the logs reach {ex01}."),
    );
    check(
        &quiet(&[1, 2, 12], &[("EX01", 0, 9)]),
        Ink::Doubt,
        &format!(
            "No residual access after 2 of 3 changes, as far as the logs reach {ex01}. \
             1 came after the logs end: nothing can be said there."
        ),
    );
    check(
        &quiet(&[1, 5], &[("EX01", 0, 9), ("EX02", 0, 4)]),
        Ink::Doubt,
        "No residual access after any of 2 changes, as far as the logs reach (EX01 until \
         1970-01-01 09:00 UTC, EX02 until 1970-01-01 04:00 UTC). 1 of them is covered only in \
         part: the logs of some server begin later or end sooner.",
    );
    check(
        &quiet(&[1], &[("EX01", 2, 9)]),
        Ink::Doubt,
        &format!(
            "No residual access after the one change, as far as the logs reach {ex01}. It is \
             covered only in part: the logs of some server begin later or end sooner."
        ),
    );
}

#[test]
fn holes_and_bad_sources_are_said() {
    let claim = "No residual access after the one change, as far as the logs reach (EX01 until \
                 1970-01-01 09:00 UTC).";
    let mut gap = quiet(&[3], &[("EX01", 0, 9)]);
    gap.coverage[0].gaps = vec![Gap { from: at(1), to: at(2) }];
    check(&gap, Ink::Good, claim); // before the change: of no matter
    gap.coverage[0].gaps.push(Gap { from: at(4), to: at(5) });
    check(&gap, Ink::Doubt, &format!("{claim} The logs have 1 gap: see below."));
    let mut bad = quiet(&[3], &[("EX01", 0, 9)]);
    bad.sources[0].rejected = 1;
    check(&bad, Ink::Doubt, &format!("{claim} 1 source was not read whole: see below."));
    bad.sources[0].rejected = 0;
    bad.sources[0].nul_runs = 1;
    check(&bad, Ink::Doubt, &format!("{claim} 1 source was not read whole: see below."));
    let mut unjudged = quiet(&[3], &[("EX01", 0, 9)]);
    unjudged.findings = found(&[("a", "no", "unknown")]).findings;
    check(&unjudged, Ink::Doubt, &format!("{claim} 1 change could not be judged: see below."));
}

#[test]
fn who_is_disabled_by_design_is_told_besides() {
    let mut report = quiet(&[3], &[("EX01", 0, 9)]);
    let linda = ByDesign {
        account: "linda".into(),
        sid: None,
        mailbox: "linked",
        change: "c1".into(),
        at: at(3),
        first: at(4),
        last: at(5),
        requests: 2,
        paths: vec![],
        why: vec![],
    };
    report.by_design = vec![linda.clone()];
    check(
        &report,
        Ink::Doubt,
        "No residual access after the one change, as far as the logs reach (EX01 until 1970-01-01 09:00 UTC). \
         1 account that is disabled by design was met in the logs: see below.",
    );
    let mut report = found(&[("a", "certain", "refused")]);
    report.by_design = vec![linda.clone(), linda];
    check(
        &report,
        Ink::Bad,
        "1 account was served after it was cut off. As far as the logs reach, that has ended. \
         2 accounts that are disabled by design were met in the logs: see below.",
    );
}

#[test]
fn what_is_excluded_is_no_all_clear() {
    let mut report = quiet(&[3], &[("EX01", 0, 9)]);
    report.excluded = 2;
    check(
        &report,
        Ink::Doubt,
        "No residual access beyond 2 excluded findings after the one change, as far as the logs reach \
         (EX01 until 1970-01-01 09:00 UTC).",
    );
    let mut report = found(&[("a", "certain", "refused")]);
    report.excluded = 1;
    check(
        &report,
        Ink::Bad,
        "1 account was served after it was cut off. As far as the logs reach, that has ended. \
         Left out: 1 excluded finding, see below.",
    );
}

#[test]
fn many_servers_are_cut() {
    let names: Vec<String> = (1..=9).map(|n| format!("EX0{n}")).collect();
    let spans: Vec<(&str, i64, i64)> = names.iter().map(|name| (name.as_str(), 0, 9)).collect();
    let (_, text) = verdict(&quiet(&[1], &spans));
    let text = text.replace(TIE, " ");
    assert!(text.ends_with("EX05 until 1970-01-01 09:00 UTC, and 4 more)."), "{text}");
}
