//! The fixed reports: a story as it happens, the same with hostile text in every field, and an
//! empty one.

use chrono::{DateTime, Utc};
use stillin_reports::report::*;

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn empty() -> Report {
    Report {
        schema: SCHEMA,
        tool: Tool { name: "stillin", version: "0.1.0".into() },
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

pub fn source(path: &str, kind: &'static str) -> Source {
    Source {
        path: path.into(),
        kind,
        server: None,
        bytes: 1_234_567,
        sha256: Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into()),
        records: 5_012,
        rejected: 0,
        repaired: 0,
        nul_runs: 0,
        noise: 0,
        back_end: 0,
        copied: 0,
        first: Some(at("2026-03-01T00:00:01Z")),
        last: Some(at("2026-03-02T18:00:00Z")),
        encoding: None,
        columns: None,
        rejects: vec![],
        error: None,
    }
}

const EX01: &str = "iis/EX01/W3SVC1/u_ex260302.log";
const EX02: &str = "iis/EX02/W3SVC1/u_ex260302.log";

/// Two accounts of four changes: a phone of a leaver that is served on, and a password reset that
/// an old Outlook survived for a while.
pub fn story() -> Report {
    let mut report = empty();
    report.sources = vec![
        Source {
            records: 9,
            last: Some(at("2026-03-02T09:00:05.123Z")),
            ..source("ad/dc1-security.evtx", "evtx")
        },
        Source {
            records: 3,
            rejected: 1,
            first: None,
            last: None,
            rejects: vec![Reject { pos: 4, reason: "7 values for 9 columns".into() }],
            ..source("ad/leavers.csv", "ad-csv")
        },
        Source {
            server: Some("EX01".into()),
            records: 425_117,
            noise: 367_204,
            repaired: 12,
            nul_runs: 1,
            ..source(EX01, "iis-w3c")
        },
        Source {
            server: Some("EX02".into()),
            records: 388_020,
            noise: 301_555,
            back_end: 1_200,
            rejected: 1_207,
            rejects: (0..7)
                .map(|i| Reject {
                    pos: 1_042 + i,
                    reason: "15 values for 14 fields (#Fields at line 4)".into(),
                })
                .collect(),
            ..source(EX02, "iis-w3c")
        },
        Source {
            records: 0,
            first: None,
            last: None,
            sha256: None,
            error: Some("cannot be opened: permission denied".into()),
            ..source("iis/EX03/W3SVC1/u_ex260302.log", "unknown")
        },
    ];
    report.coverage = vec![
        Coverage {
            server: "EX01".into(),
            kind: "iis-w3c",
            protocol: None,
            from: at("2026-03-01T00:00:01Z"),
            to: at("2026-03-02T18:00:00Z"),
            gaps: vec![],
        },
        Coverage {
            server: "EX02".into(),
            kind: "iis-w3c",
            protocol: None,
            from: at("2026-03-01T00:00:04Z"),
            to: at("2026-03-02T17:59:58Z"),
            gaps: vec![Gap { from: at("2026-03-01T02:10:00Z"), to: at("2026-03-01T04:40:12Z") }],
        },
    ];
    let change = |n: u64, account: &str, kind: &'static str, time: &str| Change {
        disputed_until: None,
        id: format!("c{n}"),
        account: account.into(),
        sid: Some(format!("S-1-5-21-1004336348-1177238915-682003330-{}", 1100 + n)),
        kind,
        at: at(time),
        precision: "exact",
        actor: Some("FABRIKAM\\helpdesk".into()),
        evidence: vec![ChangeEvidence { path: "ad/dc1-security.evtx".into(), pos: 88_210 + n }],
    };
    report.changes = vec![
        change(1, "FABRIKAM\\ada", "disabled", "2026-03-02T09:00:05.123Z"),
        change(2, "FABRIKAM\\brandt", "password_reset", "2026-03-02T11:30:00Z"),
        change(3, "FABRIKAM\\chen", "deleted", "2026-03-02T12:00:00Z"),
        Change {
            disputed_until: None,
            precision: "at_latest",
            actor: None,
            evidence: vec![ChangeEvidence { path: "ad/leavers.csv".into(), pos: 2 }],
            ..change(4, "FABRIKAM\\dora", "disabled", "2026-03-02T15:00:00Z")
        },
    ];
    report.findings = vec![ada(), brandt()];
    report.plan = vec![Step {
        step: 1,
        server: "EX01".into(),
        pool: "MSExchangeSyncAppPool".into(),
        action: "recycle",
        accounts: vec!["FABRIKAM\\ada".into()],
        other_users: 112,
        why: vec!["f1".into()],
    }];
    report.advice = vec![Advice {
        server: "EX02".into(),
        account: "FABRIKAM\\ada".into(),
        class: "other_auth",
        text: "Kerberos tickets are not in the token cache: a recycle does not end this. They end \
               with the ticket, within 10 hours; closing the client's connections ends it sooner."
            .into(),
    }];
    report.notes = vec![
        "No logons were supplied for EX01: add its Security log to tell an old password from a new \
         one."
        .into(),
    ];
    report
}

fn ada() -> Finding {
    let path = Path {
        server: "EX01".into(),
        pool: "MSExchangeSyncAppPool".into(),
        protocol: "eas",
        name: "FABRIKAM\\ada".into(),
        class: "cached_token",
        residual: "certain",
        state: "open",
        first: at("2026-03-02T09:02:11Z"),
        last: at("2026-03-02T17:58:40Z"),
        requests: 1_041,
        data_requests: 37,
        clients: vec![Client {
            device: Some("ApplDN6KR2XYZ".into()),
            user_agent: Some("Apple-iPhone12C1/1801.65".into()),
            ip: Some("203.0.113.7".into()),
        }],
        why: vec![
            "The chain began 2026-03-02 06:12:44 UTC, before the change, and never paused for \
             longer than 14 min 2 s."
                .into(),
            "EX01 did not restart the worker in between.".into(),
        ],
        evidence: vec![
            Evidence { path: EX01.into(), line: 198_442 },
            Evidence { path: EX01.into(), line: 424_900 },
        ],
    };
    let other = Path {
        server: "EX02".into(),
        pool: "MSExchangeServicesAppPool".into(),
        protocol: "ews",
        class: "other_auth",
        state: "unknown",
        first: at("2026-03-02T09:20:00Z"),
        last: at("2026-03-02T09:20:00Z"),
        requests: 1,
        data_requests: 0,
        clients: vec![],
        why: vec!["The scheme was Negotiate: no token cache is involved.".into()],
        evidence: vec![Evidence { path: EX02.into(), line: 77 }],
        ..path.clone()
    };
    Finding {
        id: "f1".into(),
        change: "c1".into(),
        account: "FABRIKAM\\ada".into(),
        kind: "disabled",
        at: at("2026-03-02T09:00:05.123Z"),
        residual: "certain",
        first: path.first,
        last: path.last,
        exposure_seconds: 32_314,
        requests: 1_042,
        paths: vec![path, other],
    }
}

fn brandt() -> Finding {
    let path = Path {
        server: "EX02".into(),
        pool: "MSExchangeRpcProxyFrontEndAppPool".into(),
        protocol: "rpc",
        name: "brandt@fabrikam.example".into(),
        class: "cached_token",
        residual: "possible",
        state: "refused",
        first: at("2026-03-02T11:31:02Z"),
        last: at("2026-03-02T13:00:00Z"),
        requests: 40,
        data_requests: 0,
        clients: (1..=10)
            .map(|i| Client {
                device: None,
                user_agent: Some("MSRPC".into()),
                ip: Some(format!("198.51.100.{i}")),
            })
            .collect(),
        why: vec!["The client may have been given the new password unasked.".into()],
        evidence: vec![Evidence { path: EX02.into(), line: 250_001 }],
    };
    Finding {
        id: "f2".into(),
        change: "c2".into(),
        account: "FABRIKAM\\brandt".into(),
        kind: "password_reset",
        at: at("2026-03-02T11:30:00Z"),
        residual: "possible",
        first: path.first,
        last: path.last,
        exposure_seconds: 5_400,
        requests: 40,
        paths: vec![path],
    }
}

/// What an attacker would like to have in every field.
pub const HOSTILE: &str = "=cmd|' /C calc'!A0 <img src=x onerror=\"alert(1)\"> \x1b[2J\x1b]0;t\x07 \
    \u{202e}gpj\u{2066}\u{200f} \u{9b}31m \u{7f} \u{2028} \r\n,\t\0 'q' \"q\" 日本 é";

/// The story with hostile text in every field that can hold text of a log.
pub fn hostile() -> Report {
    let mut report = story();
    let bad = |text: &mut String| *text = HOSTILE.to_owned();
    report.changes[0].precision = "at_latest";
    report.rules.accounts = vec![HOSTILE.into()];
    for source in &mut report.sources {
        bad(&mut source.path);
        source.server = Some(HOSTILE.into());
        source.sha256 = Some(HOSTILE.into());
        source.error = Some(HOSTILE.into());
        source.encoding = Some("utf-16le");
        source.columns = Some(vec![HOSTILE.into(), "date".into()]);
        source.rejects.iter_mut().for_each(|reject| bad(&mut reject.reason));
    }
    report.coverage.iter_mut().for_each(|coverage| bad(&mut coverage.server));
    for change in &mut report.changes {
        bad(&mut change.account);
        change.sid = Some(HOSTILE.into());
        change.actor = Some(HOSTILE.into());
        change.evidence.iter_mut().for_each(|evidence| bad(&mut evidence.path));
    }
    for finding in &mut report.findings {
        bad(&mut finding.account);
        for path in &mut finding.paths {
            for text in [&mut path.server, &mut path.pool, &mut path.name] {
                bad(text);
            }
            for client in &mut path.clients {
                client.device = Some(HOSTILE.into());
                client.user_agent = Some(HOSTILE.into());
                client.ip = Some(HOSTILE.into());
            }
            path.why.iter_mut().for_each(bad);
            path.evidence.iter_mut().for_each(|evidence| bad(&mut evidence.path));
        }
    }
    for step in &mut report.plan {
        bad(&mut step.server);
        bad(&mut step.pool);
        step.accounts.iter_mut().for_each(bad);
    }
    for advice in &mut report.advice {
        for text in [&mut advice.server, &mut advice.account, &mut advice.text] {
            bad(text);
        }
    }
    report.notes.iter_mut().for_each(bad);
    report
}

/// Rows of `--requests`: a plain one, and one that is hostile in every text.
pub fn rows() -> Vec<RequestRow> {
    let plain = RequestRow {
        path: EX01.into(),
        line: 198_442,
        server: "EX01".into(),
        pool: "MSExchangeSyncAppPool".into(),
        protocol: "eas",
        account: "FABRIKAM\\ada".into(),
        change: "c1".into(),
        kind: "disabled",
        start: at("2026-03-02T08:47:11.020Z"),
        end: at("2026-03-02T09:02:11Z"),
        status: "200.0".into(),
        win32: Some(0),
        name: "FABRIKAM\\ada".into(),
        client_ip: "203.0.113.7".into(),
        device: "ApplDN6KR2XYZ".into(),
        user_agent: "Apple-iPhone12C1/1801.65".into(),
        command: "Ping".into(),
        auth: "basic?".into(),
        class: "cached_token",
        residual: "certain",
    };
    let bad = || HOSTILE.to_owned();
    let hostile = RequestRow {
        path: bad(),
        line: u64::MAX,
        server: bad(),
        pool: bad(),
        account: bad(),
        change: bad(),
        status: "401.1".into(),
        win32: Some(2_148_074_254),
        name: bad(),
        client_ip: bad(),
        device: bad(),
        user_agent: bad(),
        command: bad(),
        auth: bad(),
        class: "refused",
        residual: "no",
        ..plain.clone()
    };
    let bare = RequestRow {
        server: String::new(),
        status: String::new(),
        win32: None,
        name: "-ada".into(),
        device: String::new(),
        user_agent: "@x".into(),
        command: "\t=1".into(),
        auth: "+1".into(),
        start: at("1969-12-31T23:59:59.999Z"),
        ..plain.clone()
    };
    vec![plain, hostile, bare]
}
