//! Small stories of one path to its state.

use super::*;
use crate::collect::book::Place;
use chrono::TimeDelta;
use proptest::prelude::*;
use stillin_parsers::exchange::Auth;
use stillin_reports::report::Evidence;

/// `10:12:00` or `10:12` of one day.
fn at(clock: &str) -> DateTime<Utc> {
    let clock = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
    format!("2026-03-02T{clock}Z").parse().unwrap()
}

fn phone(device: &str) -> Client {
    Client { device: Some(device.into()), user_agent: None, ip: None }
}

/// A request of a moment: a class, or `1331`, `1326` and so on; `*` is another phone.
fn a_use(line: u64, clock: &str, what: &str) -> Use {
    let refusal = match what.trim_end_matches('*') {
        "1331" => Some(Refusal::Disabled),
        "1326" => Some(Refusal::WrongPassword),
        "440" => Some(Refusal::OwaTimeout),
        "1317" => Some(Refusal::NoSuchUser),
        "1385" => Some(Refusal::Restricted),
        "456" => Some(Refusal::Blocked),
        _ => None,
    };
    let (class, residual) = match what.trim_end_matches('*') {
        "certain" => (Class::Unexplained, Residual::Certain),
        "likely" => (Class::CachedToken, Residual::Likely),
        "possible" => (Class::Ambiguous, Residual::Possible),
        "kerberos" => (Class::OtherAuth, Residual::Certain),
        "anew" => (Class::NewLogon, Residual::No),
        _ if refusal.is_some() => (Class::Refused, Residual::No),
        _ => panic!("{what}"),
    };
    let client = phone(if what.ends_with('*') { "stranger" } else { "own" });
    Use {
        account: 0,
        change: 0,
        disables: true,
        pool: ("EX01".into(), "MSExchangeSyncAppPool"),
        protocol: "eas",
        name: "ada".into(),
        logged: "ada".into(),
        start: at(clock),
        is_start_known: true,
        end: at(clock),
        refusal,
        class,
        may_be_enabled: false,
        residual,
        auth: Auth::None,
        client,
        order: Place { source: 0, line },
        place: Evidence { path: "u.log".into(), line },
        is_back_end: false,
        may_be_anothers: false,
        change_at: at("09:00"),
    }
}

/// `10:12 certain` and so on, in order of time.
fn uses(story: &[&str]) -> Vec<Use> {
    let one = |(line, text): (u64, &&str)| {
        let (clock, what) = text.split_once(' ').unwrap();
        a_use(line, clock, what)
    };
    (1..).zip(story).map(one).collect()
}

fn span(from: &str, to: &str, gaps: &[(&str, &str)]) -> Span {
    let gaps = gaps.iter().map(|(from, to)| (at(from), at(to))).collect();
    Span { from: at(from), to: at(to), gaps }
}

/// A step that was carried out at 10:00; the band is over at 10:01:30, the log reaches from 9 to 11.
fn check(story: &[&str], expect: State) {
    let (uses, span, clients) = (uses(story), span("09:00", "11:00", &[]), [phone("own")]);
    let path = Path {
        is_in_step: true,
        recycled: Some(at("10:00")),
        has_new_password: true,
        last: Some(at("09:50")),
        clients: &clients,
        span: Some(&span),
        ..Path::default()
    };
    let refs: Vec<&Use> = uses.iter().collect();
    assert_eq!(judge(&path, &refs).state, expect, "{story:?}");
}

#[test]
fn after_a_recycle() {
    use State::*;
    check(&[], NoContradiction);
    check(&["10:12 1331"], Proven);
    check(&["10:12 certain"], Failed);
    check(&["10:12 likely"], Failed);
    check(&["10:12 kerberos"], Failed);
    // Sooner or later does not matter, nor that it is over by now.
    check(&["10:12 1331", "10:20 certain"], Failed);
    check(&["10:12 certain", "10:20 1331"], Failed);
    // The drain band is neither.
    check(&["09:59 certain", "10:00:30 certain", "10:01:30 certain"], NoContradiction);
    check(&["10:01 1331"], NoContradiction);
    check(&["10:01:31 certain"], Failed);
    // A new password is no failure; whether it was new is unclear here, and no proof either.
    check(&["10:12 anew"], NoContradiction);
    check(&["10:12 1326", "10:13 anew"], Proven);
    check(&["10:12 possible"], NoContradiction);
    check(&["10:12 1326", "10:13 possible"], NoContradiction);
}

/// Anybody can send a wrong password; a session can time out; Exchange can block an account that has a token.
#[test]
fn what_refusal_proves_it() {
    use State::*;
    check(&["10:12 1331*"], Proven);
    check(&["10:12 1326"], Proven);
    check(&["10:12 1326*"], NoContradiction);
    check(&["10:12 440"], NoContradiction);
    check(&["10:12 456"], NoContradiction);
    // A client that was seen being served counts as one, but not by a new logon.
    check(&["09:55 certain*", "10:12 1326*"], Proven);
    check(&["10:05 anew*", "10:12 1326*"], NoContradiction);
}

/// Of a disabled account Windows says 1326 only to who has a wrong password, which says nothing of a token.
#[test]
fn what_refusal_proves_it_of_a_disabled_account() {
    let of = |what: &str, kind: ChangeKind| {
        let (uses, span, clients) = (uses(&[what]), span("09:00", "11:00", &[]), [phone("own")]);
        let path = Path {
            is_in_step: true,
            recycled: Some(at("10:00")),
            kind: Some(kind),
            clients: &clients,
            span: Some(&span),
            ..Path::default()
        };
        judge(&path, &uses.iter().collect::<Vec<_>>()).state
    };
    assert_eq!(of("10:12 1326", ChangeKind::Disabled), State::NoContradiction);
    assert_eq!(of("10:12 1331*", ChangeKind::Disabled), State::Proven);
    assert_eq!(of("10:12 1317", ChangeKind::Disabled), State::NoContradiction);
    assert_eq!(of("10:12 1317", ChangeKind::Deleted), State::Proven);
    assert_eq!(of("10:12 1317*", ChangeKind::Deleted), State::NoContradiction);
}

fn not_recycled(story: &[&str], is_in_step: bool, otherwise: Option<&str>, expect: State) {
    let (uses, span, clients) = (uses(story), span("09:00", "11:00", &[]), [phone("own")]);
    let (last, otherwise) = (Some(at("09:50")), otherwise.map(at));
    let path = Path {
        is_in_step,
        otherwise,
        last,
        clients: &clients,
        span: Some(&span),
        ..Path::default()
    };
    let refs: Vec<&Use> = uses.iter().collect();
    assert_eq!(judge(&path, &refs).state, expect, "{story:?} {is_in_step} {otherwise:?}");
}

#[test]
fn without_a_recycle() {
    use State::*;
    not_recycled(&[], true, None, NotRecycled);
    not_recycled(&["10:12 certain"], true, None, NotRecycled);
    // A refusal without a recycle is none: anybody can write one, and a worker of before may still hold a token.
    not_recycled(&["10:12 1331"], true, None, NotRecycled);
    not_recycled(&["10:12 1331"], true, Some("10:10"), NotRecycled);
    not_recycled(&["10:12 1331"], false, Some("10:10"), NoContradiction);
    not_recycled(&["10:12 1331", "10:20 certain"], true, None, NotRecycled);
    // The refusal has to come after what the report knew.
    not_recycled(&["09:40 1331"], true, None, NotRecycled);
    // The others are done, and here it goes on.
    not_recycled(&["10:12 certain"], true, Some("10:10"), Failed);
    not_recycled(&["10:09 certain"], true, Some("10:10"), NotRecycled);
    // No step is for it.
    not_recycled(&["10:12 certain"], false, Some("10:10"), Failed);
    not_recycled(&["10:09 certain"], false, Some("10:10"), NoContradiction);
    not_recycled(&[], false, None, NotRecycled);
}

fn covered(span: Option<&Span>, now: Option<&str>, expect: (State, Option<Blind>)) {
    let now = now.map(at);
    let recycled = Some(at("10:00"));
    let path = Path { is_in_step: true, recycled, span, now, ..Path::default() };
    let verdict = judge(&path, &[]);
    assert_eq!((verdict.state, verdict.blind), expect, "{span:?} {now:?}");
}

#[test]
fn what_the_log_can_tell() {
    use State::*;
    let until = Some(Blind::Until(at("10:02:30")));
    covered(None, None, (NoCoverage, Some(Blind::NoLog)));
    covered(Some(&span("09:00", "09:59", &[])), None, (NoCoverage, until));
    covered(Some(&span("09:00", "10:02:29", &[])), None, (NoCoverage, until));
    covered(Some(&span("09:00", "10:02:30", &[])), None, (NoContradiction, None));
    let late = span("10:30", "11:00", &[]);
    covered(Some(&late), None, (NoCoverage, Some(Blind::Begins(at("10:30")))));
    let before = span("09:00", "11:00", &[("09:10", "09:30")]);
    covered(Some(&before), None, (NoContradiction, None));
    let hole = span("09:00", "11:00", &[("09:59", "10:15")]);
    let blind = Some(Blind::Hole(at("09:59"), at("10:15")));
    covered(Some(&hole), None, (NoCoverage, blind));
    // Where the present is known, the last minute is not yet written.
    covered(Some(&span("09:00", "10:02:30", &[])), Some("10:02:29"), (NoCoverage, until));
    covered(Some(&span("09:00", "10:02:30", &[])), Some("10:02:31"), (NoContradiction, None));
}

#[test]
fn without_time_taken_a_request_may_be_an_old_one() {
    let of = |clock: &str| {
        let mut request = a_use(1, clock, "certain");
        request.is_start_known = false;
        let recycled = Some(at("10:00"));
        judge(&Path { recycled, ..Path::default() }, &[&request]).state
    };
    assert_eq!(of("10:02:30"), State::NoCoverage);
    // By then the worker of before was killed, whatever it was serving.
    assert_eq!(of("10:03:01"), State::Failed);
}

/// What is grave if it began since is not passed over because the log does not tell when it began.
#[test]
fn what_may_have_begun_since_is_not_good() {
    let (span, mut request) = (span("09:00", "11:00", &[]), a_use(1, "10:02:30", "certain"));
    request.is_start_known = false;
    let path = Path { recycled: Some(at("10:00")), span: Some(&span), ..Path::default() };
    let verdict = judge(&path, &[&request]);
    assert_eq!((verdict.state, verdict.blind), (State::NoCoverage, Some(Blind::NoStart)));
    // That somebody is refused later does not tell of what was before.
    let refusal = a_use(2, "10:12", "1331");
    assert_eq!(judge(&path, &[&request, &refusal]).state, State::NoCoverage);
}

/// A long poll that the plan's logs cannot have, because it ended after them.
#[test]
fn what_ended_after_the_plans_logs_counts() {
    let span = span("09:00", "11:00", &[]);
    let of = |is_by_logs, recycled: Option<&str>| {
        let request = Use { start: at("09:50"), ..a_use(1, "10:05", "certain") };
        let (recycled, otherwise) = (recycled.map(at), Some(at("09:57")));
        let path = Path { recycled, otherwise, is_by_logs, span: Some(&span), ..Path::default() };
        judge(&path, &[&request]).state
    };
    assert_eq!(of(true, None), State::Failed);
    assert_eq!(of(false, None), State::NoContradiction);
    // The worker of before outlived its recycle by more than it may.
    assert_eq!(of(true, Some("10:00")), State::Failed);
    assert_eq!(of(true, Some("10:03")), State::NoContradiction);
}

/// A refusal of the back end speaks against it: the front end had let the request pass.
#[test]
fn the_back_end_proves_nothing() {
    let span = span("09:00", "11:00", &[]);
    let of = |is_back_end| {
        let request = Use { is_back_end, ..a_use(1, "10:12", "1331") };
        let path = Path { recycled: Some(at("10:00")), span: Some(&span), ..Path::default() };
        judge(&path, &[&request]).state
    };
    assert_eq!([of(false), of(true)], [State::Proven, State::NoContradiction]);
}

/// A line that was not understood may be the one, unless a refusal came later.
#[test]
fn a_log_that_was_partly_read() {
    let span = span("09:00", "11:00", &[]);
    let of = |path: &str, until: Option<&str>, line: Option<u64>, story: &[&str]| {
        let until = until.map(at);
        let lost = Lost { path: path.into(), server: None, until, line };
        let uses = uses(story);
        let recycled = Some(at("10:00"));
        let lost = &[&lost][..];
        let path = Path { recycled, span: Some(&span), lost, ..Path::default() };
        judge(&path, &uses.iter().collect::<Vec<_>>()).state
    };
    use State::*;
    assert_eq!(of("other.log", None, None, &[]), NoCoverage);
    assert_eq!(of("other.log", None, None, &["10:12 1331"]), NoCoverage);
    assert_eq!(of("other.log", Some("10:11"), Some(9), &["10:12 1331"]), Proven);
    assert_eq!(of("other.log", Some("10:12"), Some(9), &["10:12 1331"]), NoCoverage);
    // A later one proves it.
    assert_eq!(of("other.log", Some("10:12"), None, &["10:10 1331", "10:13 1331"]), Proven);
    // Of one log its lines tell what came first.
    assert_eq!(of("u.log", None, Some(1), &["10:10 1331", "10:13 1331"]), Proven);
    assert_eq!(of("u.log", None, Some(2), &["10:10 1331", "10:13 1331"]), NoCoverage);
    assert_eq!(of("other.log", None, None, &["10:12 certain"]), Failed);
}

/// Two clients after a password reset: that one is refused tells nothing of the token of the other.
#[test]
fn what_is_unclear_forbids_a_proof() {
    use State::*;
    check(&["10:12 possible*", "10:20 1326"], NoContradiction);
    check(&["10:12 possible*", "10:20 1331"], NoContradiction);
    check(&["10:20 1326", "10:21 possible*"], NoContradiction);
    // Before the band is over it counts neither way.
    check(&["10:00:30 possible*", "10:20 1326"], Proven);
}

/// What Windows tells without asking for the password says something of the client that was served, and of no other.
#[test]
fn a_strangers_refusal_without_a_password() {
    use State::*;
    check(&["10:12 1385"], Proven);
    check(&["10:12 1385*"], NoContradiction);
    check(&["10:12 1331*"], Proven);
}

/// Within the hour of a change the log does not tell whether a request is an old one.
#[test]
fn what_may_be_old_is_no_all_clear() {
    let (span, mut request) = (span("09:00", "11:00", &[]), a_use(1, "10:02:30", "possible"));
    request.is_start_known = false;
    let path = Path { recycled: Some(at("10:00")), span: Some(&span), ..Path::default() };
    let verdict = judge(&path, &[&request]);
    assert_eq!((verdict.state, verdict.blind), (State::NoCoverage, Some(Blind::NoStart)));
}

/// By the journal at 10:00, by an event at 10:09: what was served between the two is told.
#[test]
fn between_two_clocks() {
    let (uses, span) = (uses(&["10:04 certain", "10:12 1331"]), span("09:00", "11:00", &[]));
    let [recycled, recycled_from] = ["10:09", "10:00"].map(|clock| Some(at(clock)));
    let path = Path { recycled, recycled_from, span: Some(&span), ..Path::default() };
    let refs: Vec<&Use> = uses.iter().collect();
    let verdict = judge(&path, &refs);
    assert_eq!((verdict.state, verdict.drained.len()), (State::Proven, 1));
}

proptest! {
    /// More log never makes good what had failed: not what comes later, nor that it reaches further.
    #[test]
    fn what_failed_stays_so(
        story in proptest::collection::vec((0_i64..7200, 0_usize..9), 0..12),
        cut in 0_i64..7200,
    ) {
        const WHAT: [&str; 9] =
            ["certain", "likely", "possible", "kerberos", "anew", "1331", "1326", "440", "1326*"];
        let mut story = story;
        story.sort_unstable();
        let all: Vec<Use> = (1..).zip(&story).map(|(line, &(second, what))| {
            let request = a_use(line, "09:30", WHAT[what]);
            let time = at("09:30") + TimeDelta::seconds(second);
            Use { start: time, end: time, ..request }
        }).collect();
        let state = |until: DateTime<Utc>| {
            let span = Span { from: at("09:00"), to: until, gaps: Vec::new() };
            let recycled = Some(at("10:00"));
            let path = Path { is_in_step: true, recycled, span: Some(&span), ..Path::default() };
            let seen: Vec<&Use> = all.iter().filter(|request| request.end <= until).collect();
            judge(&path, &seen).state
        };
        let before = state(at("09:30") + TimeDelta::seconds(cut));
        let after = state(at("11:30"));
        prop_assert!(before != State::Failed || after == State::Failed);
        prop_assert!(before != State::Proven || after != State::NoCoverage);
    }
}
