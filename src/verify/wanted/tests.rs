//! Plans to what to look for.

use super::*;
use serde_json::{Value, json};

/// A report with one step, one finding and one path under each name.
fn report(names: &[&str], why: &str) -> Value {
    let path = |name: &&str| {
        json!({
            "server": "ex01.fabrikam.example", "pool": "msexchangesyncapppool", "protocol": "eas", "name": name,
            "class": "cached_token", "residual": "certain", "state": "open", "first": "2026-03-02T09:05:00Z",
            "last": "2026-03-02T09:50:00Z", "requests": 3, "data_requests": 0,
            "clients": [{"device": "ApplDNQX7K2M0F17"}], "why": [why], "evidence": []
        })
    };
    json!({
        "schema": "stillin/report/1", "tool": {"name": "stillin", "version": env!("CARGO_PKG_VERSION")},
        "rules": {"ttl_seconds": 900, "slack_seconds": 60}, "sources": [],
        "coverage": [{"server": "EX01", "kind": "iis-w3c", "from": "2026-03-02T08:00:00Z",
                      "to": "2026-03-02T09:55:00Z", "gaps": []}],
        "changes": [
            {"id": "c1", "account": "FABRIKAM\\ada", "sid": "S-1-5-21-1004336348-1177238915-682003330-1104",
             "kind": "disabled", "at": "2026-03-02T09:00:00Z", "precision": "exact", "evidence": []},
            {"id": "c2", "account": "FABRIKAM\\ada", "sid": "S-1-5-21-1004336348-1177238915-682003330-1104",
             "kind": "enabled", "at": "2026-03-02T09:30:00Z", "precision": "exact", "evidence": []},
            {"id": "c3", "account": "FABRIKAM\\bob", "kind": "disabled", "at": "2026-03-02T09:00:00Z",
             "precision": "exact", "evidence": []}
        ],
        "findings": [{"id": "f1", "change": "c1", "account": "FABRIKAM\\ada", "kind": "disabled",
                      "at": "2026-03-02T09:00:00Z", "residual": "certain", "first": "2026-03-02T09:05:00Z",
                      "last": "2026-03-02T09:50:00Z", "exposure_seconds": 3000, "requests": 3,
                      "paths": names.iter().map(path).collect::<Vec<_>>()}],
        "plan": [{"step": 1, "server": "ex01.fabrikam.example", "pool": "msexchangesyncapppool", "action": "recycle",
                  "accounts": ["FABRIKAM\\ada"], "other_users": 0, "why": ["f1"]}],
        "advice": [], "notes": []
    })
}

fn wanted(report: &Value) -> Result<Wanted, String> {
    read(&serde_json::to_vec(report).unwrap())
}

#[test]
fn names_and_places_are_those_of_logs() {
    let wanted = wanted(&report(&["ada@fabrikam.example", "FABRIKAM\\Ada"], "")).unwrap();
    let pool = ("EX01".to_owned(), "MSExchangeSyncAppPool");
    assert_eq!(wanted.steps[0].pool, pool);
    let finding = &wanted.findings[0];
    assert_eq!(finding.paths.len(), 2);
    assert!(finding.paths.iter().all(|path| path.pool == pool && path.may_go_on));
    assert_eq!(finding.names, ["FABRIKAM\\Ada", "FABRIKAM\\ada", "ada@fabrikam.example"]);
    assert_eq!(wanted.known_until["EX01"].to_string(), "2026-03-02 09:55:00 UTC");
}

/// All names and changes of the finding's account are one account's, and nobody else's are told.
#[test]
fn facts_are_of_one_account() {
    let wanted = wanted(&report(&["ada@contoso.example", "OTHER\\ada"], "")).unwrap();
    let directory = crate::change::merge(&wanted.facts);
    assert_eq!(directory.accounts.list.len(), 1);
    for name in ["FABRIKAM\\ada", "ada@contoso.example", "OTHER\\ada"] {
        let found = directory.accounts.resolve(name, None);
        assert_eq!(found, crate::account::Resolution::One(0), "{name}");
    }
    assert_eq!(
        directory.changes[0].evidence.first(),
        Some(&(0, Pos::Line(wanted.findings[0].line)))
    );
}

/// The report tells an expiry that was put off as an enable; while the disable was seen to last it was no more than that.
#[test]
fn a_disable_that_lasted_was_not_ended() {
    let kinds = |report: &Value| -> Vec<ChangeKind> {
        let facts = wanted(report).unwrap().facts.into_iter();
        facts
            .filter_map(|told| match told.fact {
                Fact::Change(change) => Some(change.kind),
                _ => None,
            })
            .collect()
    };
    let mut told = report(&["FABRIKAM\\ada"], "");
    assert_eq!(kinds(&told), [ChangeKind::Disabled, ChangeKind::Prolonged]);
    told["changes"][1]["at"] = json!("2026-03-02T08:30:00Z");
    assert_eq!(kinds(&told), [ChangeKind::Disabled, ChangeKind::Enabled]);
}

/// Sources of the report that put the change at different times do so still.
#[test]
fn disputes_stay() {
    let mut told = report(&["FABRIKAM\\ada"], "");
    told["changes"][0]["disputed_until"] = json!("2026-03-02T09:20:00Z");
    let wanted = wanted(&told).unwrap();
    let directory = crate::change::merge(&wanted.facts);
    let change = &directory.changes[0];
    assert!(change.evidence.contains(&(0, Pos::Line(wanted.findings[0].line))));
    assert_eq!(change.at.to_string(), "2026-03-02 09:00:00 UTC");
    let until = change.disputed_until.map(|until| until.to_string());
    assert_eq!(until.as_deref(), Some("2026-03-02 09:20:00 UTC"));
    assert_eq!(directory.changes.len(), 2, "the other one is the enable: {:?}", directory.changes);
}

#[test]
fn doubts_stay() {
    let doubts = |why| wanted(&report(&["Ada"], why)).unwrap().findings.remove(0).doubts;
    assert_eq!(doubts(""), []);
    assert_eq!(doubts(words::of_ground(Ground::SharedName)), [("ada".to_owned(), None)]);
    let client = Client { device: Some("ApplDNQX7K2M0F17".into()), user_agent: None, ip: None };
    let disagree = words::of_ground(Ground::UsersDisagree);
    assert_eq!(doubts(disagree), [("ada".to_owned(), Some(vec![client]))]);
}

#[test]
fn what_is_no_plan_is_refused() {
    let refused = |change: &dyn Fn(&mut Value), expect: &str| {
        let mut report = report(&["ada"], "");
        change(&mut report);
        let error = wanted(&report).err().unwrap_or_default();
        assert!(error.contains(expect), "{error}");
    };
    let nothing = |report: &mut Value| {
        (report["plan"], report["findings"]) = (json!([]), json!([]));
    };
    refused(&nothing, "nothing to verify");
    let pool = |report: &mut Value| report["plan"][0]["pool"] = json!("x\" & calc");
    refused(&pool, "no finding of step 1 of the plan tells of that pool");
    let both = |report: &mut Value| {
        pool(report);
        report["findings"][0]["paths"][0]["pool"] = json!("x\" & calc");
    };
    refused(&both, "`x\" & calc` is no pool");
    refused(&|report| report["schema"] = json!("stillin/report/2"), "neither a report");
    refused(&|report| report["tool"]["version"] = json!("99.0.0"), "newer");
}
