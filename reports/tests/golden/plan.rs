//! The plan by itself: as JSON, and back.

use stillin_reports::plan::{Plan, read};
use stillin_reports::report::{Report, Step};

use crate::golden;
use crate::story::{self, HOSTILE};

/// The story with a second step for a second finding.
pub fn two_steps() -> Report {
    let mut report = story::story();
    report.plan.push(Step {
        step: 2,
        server: "EX02".into(),
        pool: "MSExchangeRpcProxyFrontEndAppPool".into(),
        action: "recycle",
        accounts: vec!["FABRIKAM\\ada".into(), "FABRIKAM\\brandt".into()],
        other_users: 1,
        why: vec!["f1".into(), "f2".into()],
    });
    report
}

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).unwrap();
    text.push(b'\n');
    text
}

#[test]
fn golden_files() {
    golden("plan.json", &json(&Plan::of(&two_steps())));
    golden("plan-hostile.json", &json(&Plan::of(&story::hostile())));
    golden("plan-empty.json", &json(&Plan::of(&story::empty())));
}

/// Findings without a step are no part of it.
#[test]
fn only_findings_of_its_steps() {
    let ids = |report: &Report| -> Vec<String> {
        Plan::of(report).findings.into_iter().map(|finding| finding.id).collect()
    };
    assert_eq!(ids(&story::story()), ["f1"]);
    assert_eq!(ids(&two_steps()), ["f1", "f2"]);
}

#[test]
fn a_plan_and_the_report_it_is_of_are_read_alike() {
    for report in [two_steps(), story::hostile(), story::empty()] {
        let plan = json(&Plan::of(&report));
        assert_eq!(json(&read(&plan).unwrap()), plan);
        assert_eq!(json(&read(&json(&report)).unwrap()), plan);
    }
    let with_hash = Plan { report_sha256: Some("9f86".into()), ..Plan::of(&two_steps()) };
    assert_eq!(read(&json(&with_hash)).unwrap().report_sha256.as_deref(), Some("9f86"));
}

#[test]
fn hostile_text_comes_back_as_it_was() {
    let plan = read(&json(&Plan::of(&story::hostile()))).unwrap();
    let step = &plan.plan[0];
    for text in [&step.server, &step.pool, &step.accounts[0], &plan.findings[0].account] {
        assert_eq!(text, HOSTILE);
    }
}

/// What is acted on has to be understood in full.
#[test]
fn what_is_no_plan_is_said_to_be_none() {
    let plan = String::from_utf8(json(&Plan::of(&two_steps()))).unwrap();
    let report = String::from_utf8(json(&two_steps())).unwrap();
    let check = |text: &str, expect: &str| {
        let error = read(text.as_bytes()).unwrap_err();
        assert!(error.starts_with(expect), "{text}: {error}");
    };
    let neither = "neither a report (stillin/report/1) nor a plan (stillin/plan/1) of stillin";
    for text in ["", "[]", "{}", "{\"schema\": 1}", &plan[..plan.len() / 2]] {
        check(text, neither);
    }
    for whole in [&plan, &report] {
        check(&whole.replace("/1\"", "/2\""), neither);
        let version = |version: &str| whole.replace("\"version\": \"0.1.0\"", version);
        for newer in newer_versions() {
            let expect = format!("written by stillin {newer}, which is newer than this one (");
            check(&version(&format!("\"version\": \"{newer}\"")), &expect);
        }
        for none in ["", "one", "0.1", "0.1.0.0", "-0.1.0"] {
            let expect = format!("`{none}` is no version of stillin");
            check(&version(&format!("\"version\": \"{none}\"")), &expect);
        }
        check(&version("\"v\": 1"), "`` is no version of stillin");
        check(
            &whole.replace("\"step\": 2", "\"step\": 1"),
            "step 1 of the plan stands where step 2",
        );
        check(
            &whole.replace("\"step\": 1", "\"step\": 0"),
            "step 0 of the plan stands where step 1",
        );
        let nobody = whole.replace("        \"f2\"", "        \"f9\"");
        check(&nobody, "step 2 of the plan is for f9, which it does not have");
    }
    check(
        &plan.replace("\"recycle\"", "\"iisreset\""),
        "a plan that is not whole: `iisreset` is no word",
    );
    check(&report.replace("\"recycle\"", "\"x\""), "a report that is not whole: `x` is no word");
    check(
        "{\"schema\": \"stillin/plan/1\", \"tool\": {\"version\": \"0.1.0\"}}",
        "a plan that is not whole",
    );
}

/// A step that nothing stands behind is one that somebody put there.
#[test]
fn steps_for_nothing_and_nobody() {
    let check = |report: &Report, expect: &str| {
        let error = read(&json(report)).unwrap_err();
        assert!(error.contains(expect), "{error}");
    };
    let with = |change: fn(&mut Step)| {
        let mut report = two_steps();
        change(&mut report.plan[1]);
        report
    };
    let elsewhere = "no finding of step 2 of the plan tells of that pool";
    check(&with(|step| step.server = "EX01".into()), elsewhere);
    check(&with(|step| step.pool = "MSExchangeOWAAppPool".into()), elsewhere);
    check(&with(|step| step.why = vec!["f1".into()]), elsewhere);
    check(&with(|step| step.why.clear()), "step 2 of the plan is for nobody");
    check(&with(|step| step.accounts.clear()), "step 2 of the plan is for nobody");
    let plan = Plan::of(&with(|step| step.why.clear()));
    assert!(read(&json(&plan)).unwrap_err().contains("step 2 of the plan is for nobody"));
}

/// Old logs of one server are not made new by a line of another, or by one that is ahead.
#[test]
fn as_old_as_the_oldest_of_its_logs() {
    let mut report = two_steps();
    let oldest = report.coverage[1].to;
    report.coverage[0].to += chrono::TimeDelta::days(9);
    assert_eq!(Plan::of(&report).as_of, Some(oldest));
    report.plan.pop();
    assert_eq!(Plan::of(&report).as_of, Some(report.coverage[0].to));
    report.coverage.remove(0);
    assert_eq!(Plan::of(&report).as_of, None);
}

/// Versions that come after this one, whichever it is.
fn newer_versions() -> Vec<String> {
    let ours = env!("CARGO_PKG_VERSION").split('.').map(|n| n.parse().unwrap());
    let [major, minor, patch]: [u64; 3] = ours.collect::<Vec<_>>().try_into().unwrap();
    vec![
        format!("{major}.{minor}.{}", patch + 1),
        format!("{major}.{}.0", minor + 10),
        format!("{}.0.0-rc.1", major + 1),
    ]
}

#[test]
fn a_plan_of_an_older_version_is_read() {
    let plan = String::from_utf8(json(&Plan::of(&two_steps()))).unwrap();
    for older in ["0.0.9", "0.1.0-beta", "0.1.0+local"] {
        let text = plan.replace("\"version\": \"0.1.0\"", &format!("\"version\": \"{older}\""));
        assert_eq!(read(text.as_bytes()).unwrap().tool.version, older);
    }
}
