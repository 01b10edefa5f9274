//! Plans that were written by this program, and plans that were not.

use super::*;
use crate::cli::{Cli, Verb};
use clap::Parser;
use stillin_reports::plan;

fn args(words: &str) -> Recycle {
    let line = format!("stillin recycle --plan p.json --via winrm {words}");
    let cli = Cli::try_parse_from(line.split_whitespace()).unwrap();
    let Verb::Recycle(args) = cli.verb else { panic!("{line}") };
    args
}

/// Server, pool, accounts, findings.
type Of<'a> = (&'a str, &'a str, &'a [&'a str], &'a [&'a str]);

/// A plan with such steps.
fn plan(steps: &[Of<'_>]) -> Plan {
    let mut findings = Vec::new();
    for (id, account) in [("f1", "FABRIKAM\\ada"), ("f2", "FABRIKAM\\bob")] {
        findings.push(serde_json::json!({
            "id": id, "account": account, "kind": "disabled", "at": "2026-03-02T09:00:00Z", "residual": "certain",
        }));
    }
    let step = |(number, (server, pool, accounts, why)): (usize, &Of<'_>)| {
        serde_json::json!({
            "step": number, "server": server, "pool": pool, "action": "recycle", "accounts": accounts,
            "other_users": number, "why": why,
        })
    };
    let plan = serde_json::json!({
        "schema": plan::SCHEMA, "tool": {"name": "stillin", "version": "0.1.0"},
        "rules": {"ttl_seconds": 900, "slack_seconds": 60}, "findings": findings,
        "plan": (1..).zip(steps).map(step).collect::<Vec<_>>(),
    });
    plan::read(plan.to_string().as_bytes()).unwrap()
}

const SYNC: &str = "MSExchangeSyncAppPool";
const OWA: &str = "MSExchangeOWAAppPool";
const ADA: (&[&str], &[&str]) = (&["FABRIKAM\\ada"], &["f1"]);
const BOTH: (&[&str], &[&str]) = (&["FABRIKAM\\ada", "FABRIKAM\\bob"], &["f1", "f2"]);

/// A step for Ada.
fn ada<'a>(server: &'a str, pool: &'a str) -> Of<'a> {
    (server, pool, ADA.0, ADA.1)
}

#[test]
fn what_was_asked_for() {
    let plan = plan(&[ada("EX01", SYNC), ada("EX02", SYNC), ("EX01", OWA, BOTH.0, BOTH.1)]);
    let check = |words: &str, expect: &[(u64, &str, &str)]| {
        let tasks = tasks(&plan, &args(words), "HERE").unwrap();
        let got = tasks.iter().map(|task| (task.step, task.server.as_str(), task.pool.as_str()));
        assert_eq!(got.collect::<Vec<_>>(), expect, "{words}");
        assert!(tasks.iter().all(|task| task.standing == Standing::Go), "{words}");
    };
    check("", &[(1, "EX01", SYNC), (3, "EX01", OWA), (2, "EX02", SYNC)]);
    check("--step 2 --step 3", &[(3, "EX01", OWA), (2, "EX02", SYNC)]);
    check("--server ex01.fabrikam.example", &[(1, "EX01", SYNC), (3, "EX01", OWA)]);
    check("--server EX01 --step 2", &[]);
    check("--action iisreset", &[(1, "EX01", ""), (2, "EX02", "")]);
    check("--action iisreset --step 3", &[(3, "EX01", "")]);
    let error = |words: &str| tasks(&plan, &args(words), "HERE").unwrap_err().to_string();
    assert_eq!(error("--step 4"), "--step 4: the plan has no such step; it has steps 1 to 3");
    assert_eq!(error("--again 0"), "--again 0: the plan has no such step; it has steps 1 to 3");
    assert_eq!(error("--server EX03"), "--server EX03: the plan has no step for it");
}

#[test]
fn a_restart_does_for_all_steps_of_a_server() {
    let plan = plan(&[ada("EX01", SYNC), ("EX01", OWA, BOTH.0, BOTH.1)]);
    let tasks = tasks(&plan, &args("--action iisreset"), "HERE").unwrap();
    let [task] = tasks.as_slice() else { panic!("{tasks:?}") };
    assert_eq!(task.accounts, BOTH.0);
    assert_eq!(task.why, BOTH.1);
    assert_eq!(task.other_users, 3);
}

#[test]
fn pools_come_from_a_fixed_list() {
    let check = |pool: &str, words: &str, expect: Option<&str>| {
        let tasks = tasks(&plan(&[ada("EX01", pool)]), &args(words), "HERE").unwrap();
        let reason = tasks[0].standing.reason();
        assert_eq!(reason.is_some(), expect.is_some(), "{pool:?}: {reason:?}");
        assert!(reason.unwrap_or_default().contains(expect.unwrap_or_default()), "{reason:?}");
    };
    check(SYNC, "", None);
    check("msexchangesyncapppool", "", None);
    check("DefaultAppPool", "", Some("none of Exchange's front-end pools"));
    check("DefaultAppPool", "--pool defaultapppool", None);
    check("DefaultAppPool", "--pool Other", Some("none of Exchange's"));
    // Nobody asks for the name of a pool then.
    check("DefaultAppPool", "--action iisreset", None);
    for hostile in [
        "",
        "a\"b",
        "a'b",
        "$(x)",
        "`x`",
        "a;b",
        "a&b",
        "a|b",
        "%PATH%",
        "a\nb",
        "a\0b",
        "-x",
        " x",
        "x ",
        "a\u{2019}b",
        "é",
        "../x",
        "a\\b",
        "a/b",
        "{args}",
    ] {
        check(hostile, "--pool x", Some("no name of a pool"));
    }
    check(&"x".repeat(256), "", Some("no name of a pool"));
}

#[test]
fn servers_that_no_command_may_hold() {
    let check = |server: &str, is_taken: bool| {
        for via in ["command:ssh {server} {args}", "winrm", "local"] {
            let mut args = args("");
            args.via = Via::parse(via).unwrap();
            let tasks = tasks(&plan(&[ada(server, SYNC)]), &args, server).unwrap();
            assert_eq!(tasks[0].standing == Standing::Go, is_taken, "{server} {via}");
        }
    };
    check("EX01", true);
    // ssh would make a command of the second word.
    check("EX01 reboot", false);
    check("EX01\treboot", false);
    check("EX-01_A.fabrikam.example", true);
    check("192.0.2.7", true);
    check("UNKNOWN (.)", false);
    check("EX 01", false);
    check("-oProxyCommand=x", false);
    check("EX01;x", false);
    check("EX01'", false);
    check("2001:db8::7", false);
    check("", false);
}

#[test]
fn a_plan_that_contradicts_itself() {
    let check = |steps: &[Of<'_>], expect: &str| {
        let error = tasks(&plan(steps), &args(""), "HERE").unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    check(&[("EX01", SYNC, ADA.0, BOTH.1)], "step 1 names other accounts than its findings");
    check(&[("EX01", SYNC, BOTH.0, ADA.1)], "step 1 names other accounts than its findings");
    let twice = [ada("EX01", SYNC), ada("ex01.fabrikam.example", "msexchangesyncapppool")];
    check(&twice, "step 2 names a pool that another step names as well");
}
