//! Weeks of findings that come and go.

use super::*;

fn at(day: &str) -> DateTime<Utc> {
    format!("{day}T04:00:00Z").parse().unwrap()
}

/// A finding that was seen first on a day, and ended on another one after so many seconds.
fn past(key: &str, first_seen: &str, closed: Option<(&str, i64)>) -> Past {
    let (first_seen, closed_at) = (at(first_seen), closed.map(|(day, _)| at(day)));
    Past {
        key: key.into(),
        account: key.into(),
        sid: None,
        kind: "disabled".into(),
        at: first_seen,
        status: if closed.is_some() { Status::Closed } else { Status::Open },
        is_excluded: false,
        residual: "certain".into(),
        first: first_seen,
        last: first_seen,
        exposure_seconds: closed.map_or(1, |(_, seconds)| seconds),
        pools: Vec::new(),
        first_seen,
        last_seen: first_seen,
        closed_at,
    }
}

fn steps_of(findings: &[Past]) -> Vec<Step> {
    let step = |past: &Past, at, status| Step { finding: past.key.clone(), at, status };
    let of = |past: &Past| {
        let end = past.closed_at.map(|at| step(past, at, Status::Closed));
        [step(past, past.first_seen, Status::New)].into_iter().chain(end).collect::<Vec<_>>()
    };
    let mut steps: Vec<Step> = findings.iter().flat_map(of).collect();
    steps.sort_by_key(|step| step.at);
    steps
}

fn counts(findings: &[Past], now: &str) -> Vec<(String, u64, u64, u64)> {
    let weeks = weeks(findings, &steps_of(findings), at(now)).into_iter();
    weeks.map(|week| (week.monday, week.new, week.closed, week.open)).collect()
}

#[test]
fn findings_come_and_go() {
    // The second and the ninth of March 2026 are Mondays.
    let findings = [
        past("a", "2026-03-02", Some(("2026-03-10", 60))),
        past("b", "2026-03-08", None),
        past("c", "2026-03-09", Some(("2026-03-09", 20))),
    ];
    let first = ("2026-03-02".to_owned(), 2, 0, 2);
    let second = ("2026-03-09".to_owned(), 1, 2, 1);
    assert_eq!(counts(&findings, "2026-03-10"), [first.clone(), second.clone()]);
    // A week in which nothing changes is not told, however many there are.
    assert_eq!(counts(&findings, "2026-08-01"), [first, second]);
    assert_eq!(counts(&[], "2026-03-10"), []);
}

#[test]
fn quiet_weeks_between_are_told_and_excluded_findings_are_not() {
    let mut findings = vec![past("a", "2026-03-02", None), past("b", "2026-03-17", None)];
    let weeks = counts(&findings, "2026-03-20");
    let opened: Vec<_> = weeks.iter().map(|(_, new, _, open)| (*new, *open)).collect();
    assert_eq!(opened, [(1, 1), (0, 1), (1, 2)]);
    findings[1].is_excluded = true;
    assert_eq!(counts(&findings, "2026-03-20"), [("2026-03-02".to_owned(), 1, 0, 1)]);
}

#[test]
fn no_more_than_half_a_year() {
    let many: Vec<Past> = (0..40)
        .map(|n| {
            let day = at("2026-01-05") + TimeDelta::days(7 * n);
            past(&n.to_string(), &day.date_naive().to_string(), None)
        })
        .collect();
    let weeks = counts(&many, "2026-12-31");
    assert_eq!((weeks.len(), weeks[0].3), (WEEKS, 15));
}

#[test]
fn times_to_cut_off() {
    let ended = |seconds: &[i64]| {
        let past = |(n, &seconds): (usize, &i64)| {
            past(&n.to_string(), "2026-03-02", Some(("2026-03-03", seconds)))
        };
        let findings: Vec<Past> = seconds.iter().enumerate().map(past).collect();
        let weeks = weeks(&findings, &steps_of(&findings), at("2026-03-04"));
        (weeks[0].median_seconds, weeks[0].p95_seconds, weeks[0].worst_seconds)
    };
    assert_eq!(ended(&[7]), (Some(7), Some(7), Some(7)));
    assert_eq!(ended(&[3, 1, 2]), (Some(2), Some(3), Some(3)));
    let hundred: Vec<i64> = (1..=100).collect();
    assert_eq!(ended(&hundred), (Some(50), Some(95), Some(100)));
    assert_eq!(of_hundred(&[], 50), None);
}
