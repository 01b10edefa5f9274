//! Exclusions of accounts of which changes are known, and of others.

use super::*;
use serde_json::{Value, json};

fn change(id: &str, account: &str, sid: Option<&str>) -> Value {
    let mut change = json!({
        "id": id, "account": account, "kind": "disabled", "at": "2026-03-02T09:00:00Z",
        "precision": "exact", "evidence": []
    });
    if let Some(sid) = sid {
        change["sid"] = sid.into();
    }
    change
}

fn finding(id: &str, change: &str, account: &str) -> Value {
    json!({
        "id": id, "change": change, "account": account, "kind": "disabled",
        "at": "2026-03-02T09:00:00Z", "residual": "certain", "first": "2026-03-02T09:10:00Z",
        "last": "2026-03-02T09:20:00Z", "exposure_seconds": 1200, "requests": 2, "paths": []
    })
}

fn report() -> Report {
    let report = json!({
        "schema": "stillin/report/1",
        "tool": { "name": "stillin", "version": "0.1.0" },
        "rules": { "ttl_seconds": 900, "slack_seconds": 60 },
        "sources": [], "coverage": [],
        "changes": [
            change("c1", "FABRIKAM\\ada", Some("S-1-5-21-1-2-3-1104")),
            change("c2", "FABRIKAM\\bob", None),
            change("c3", "CONTOSO\\bob", None),
            change("c4", "FABRIKAM\\svc-scan", None)
        ],
        "findings": [finding("f1", "c1", "FABRIKAM\\ada"), finding("f2", "c2", "FABRIKAM\\bob")],
        "plan": [], "advice": [], "notes": []
    });
    stillin_reports::read(&serde_json::to_vec(&report).unwrap()).unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The report without an account, until the tenth.
fn told(account: &str, on: &str) -> Report {
    let exclude =
        Exclude { account: account.into(), reason: "known".into(), until: day("2026-03-10") };
    without(report(), &[exclude], day(on))
}

#[test]
fn what_is_left_out_is_counted() {
    let check = |account: &str, on: &str, expect: (u64, usize)| {
        let told = told(account, on);
        assert_eq!((told.excluded, told.findings.len()), expect, "{account}");
    };
    check("fabrikam\\ADA", "2026-03-10", (1, 1));
    check("S-1-5-21-1-2-3-1104", "2026-03-10", (1, 1));
    check("FABRIKAM\\ada", "2026-03-11", (0, 2));
    check("ada", "2026-03-10", (0, 2));
    // Two exclusions of one account leave it out once.
    let both = ["FABRIKAM\\ada", "S-1-5-21-1-2-3-1104"].map(|account| Exclude {
        account: account.into(),
        reason: "known".into(),
        until: day("2026-03-10"),
    });
    assert_eq!(without(report(), &both, day("2026-03-10")).excluded, 1);
}

#[test]
fn who_may_be_meant() {
    let check = |account: &str, expect: &str| {
        let told = told(account, "2026-03-10");
        assert_eq!(told.notes.len(), 1, "{account}");
        let note = &told.notes[0];
        assert!(note.starts_with(account) && note.ends_with(expect), "{account}: {note}");
    };
    check("ada", "so nothing is left out; did you mean `FABRIKAM\\ada`?");
    check("ADA@fabrikam.example", "did you mean `FABRIKAM\\ada`?");
    check("bob", "did you mean `CONTOSO\\bob` or `FABRIKAM\\bob`?");
    check("fabrikam\\svc-scam", "did you mean `FABRIKAM\\svc-scan`?");
    check("zebra", "say it as reports do, DOMAIN\\sam, or by its SID");
    // Of whom a change is known, but no finding.
    check("CONTOSO\\bob", "(known): 0 finding(s), which are told again then");
}
