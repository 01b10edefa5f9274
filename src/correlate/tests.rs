//! Small stories, and what must not change a verdict.

use super::coverage::Span;
use super::*;
use proptest::prelude::*;
use stillin_parsers::event::{ChangeKind, Precision};

fn minute(minute: f64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_400_000 + (minute * 60.0) as i64, 0).unwrap()
}

/// `D100` disabled at minute 100, `X` expired, `G` deleted (gone), `E` enabled (`e` at the latest), `P` prolonged,
/// `N` created anew, `R` reset, `C` changed by the user.
fn cuts(text: &str) -> Vec<Cut> {
    text.split_whitespace()
        .map(|word| {
            let (letter, at) = word.split_at(1);
            let kind = match letter {
                "D" => ChangeKind::Disabled,
                "X" => ChangeKind::Expired,
                "P" => ChangeKind::Prolonged,
                "G" => ChangeKind::Deleted,
                "N" => ChangeKind::Created,
                "E" | "e" => ChangeKind::Enabled,
                "R" => ChangeKind::PasswordReset,
                "C" => ChangeKind::PasswordChanged,
                other => panic!("{other}"),
            };
            let precision = if letter == "e" { Precision::AtLatest } else { Precision::Exact };
            let is_reset_by_other = kind == ChangeKind::PasswordReset;
            Cut { kind, at: minute(at.parse().unwrap()), precision, is_reset_by_other }
        })
        .collect()
}

/// `90+5` a request from minute 90 to 95; after it `x` wrong password, `d` told disabled, `t` timed out,
/// `u` refused for a reason that is not told, `k1` key 1, `c1` client 1, `w` perhaps Windows authentication,
/// `?` a shared name, `~` a start that is not known, `a` claimed by its address.
fn requests(text: &str) -> Vec<Request> {
    let mut list: Vec<_> = text.split_whitespace().map(request).collect();
    list.sort_by_key(|r| r.start);
    list
}

fn request(word: &str) -> Request {
    let end_of_number = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
    let (start, marks) = word.split_at(end_of_number);
    let start: f64 = start.parse().unwrap();
    let taken: f64 = match marks.strip_prefix('+') {
        Some(rest) => rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap(),
        None => 0.0,
    };
    let after = |mark: char| {
        let digit = marks.split_once(mark).and_then(|(_, rest)| rest.chars().next());
        digit.and_then(|digit| digit.to_digit(10)).unwrap_or(0)
    };
    let refusal = [
        ('x', Refusal::WrongPassword),
        ('d', Refusal::Disabled),
        ('t', Refusal::OwaTimeout),
        ('n', Refusal::OwaNoSession),
        ('u', Refusal::Unknown),
    ]
    .into_iter()
    .find(|(mark, _)| marks.contains(*mark))
    .map(|(_, refusal)| refusal);
    Request {
        start: minute(start),
        end: minute(start + taken),
        key: after('k'),
        server: 0,
        client: after('c'),
        is_start_known: !marks.contains('~'),
        refusal,
        is_claimed: marks.contains('a'),
        is_ambiguous: marks.contains('?'),
        may_be_windows: marks.contains('w'),
    }
}

fn covered(gaps: &[(f64, f64)]) -> Coverage {
    let gaps = gaps.iter().map(|&(from, to)| (minute(from), minute(to))).collect();
    Coverage { servers: vec![Some(Span { from: minute(-1000.0), to: minute(10_000.0), gaps })] }
}

fn judge(cuts: &[Cut], requests: &[Request], coverage: &Coverage) -> Vec<(usize, Class, Residual)> {
    let mut classed = Vec::new();
    let rules = Rules::default();
    let runs = correlate(cuts, requests.iter().copied(), coverage, &rules, |c| classed.push(c));
    classed.into_iter().map(|c| (c.request, c.class, residual(&c, &runs))).collect()
}

fn check_covered(changes: &str, story: &str, coverage: &Coverage, expect: &str) {
    let requests = requests(story);
    let got: Vec<_> = judge(&cuts(changes), &requests, coverage)
        .into_iter()
        .map(|(at, class, residual)| {
            let start = (requests[at].start - minute(0.0)).num_minutes();
            format!("{start}:{}/{}", class.word(), residual.word())
        })
        .collect();
    assert_eq!(
        got.join(" "),
        expect.split_whitespace().collect::<Vec<_>>().join(" "),
        "{changes} | {story}"
    );
}

fn check(changes: &str, story: &str, expect: &str) {
    check_covered(changes, story, &covered(&[]), expect);
}

#[test]
fn a_phone_goes_on_after_a_disable() {
    check(
        "D100",
        "80 90 99+5 100.5 110 124 125x",
        "99:in_flight/no 100:within_slack/possible
        110:cached_token/certain 124:cached_token/certain 125:refused/no",
    );
}

#[test]
fn gaps_end_chains() {
    check(
        "D100",
        "90 105 121 140",
        "105:cached_token/certain 121:ambiguous/certain 140:ambiguous/certain",
    );
    check("D100", "90 140", "140:unexplained/certain");
    check("D100", "140", "140:unexplained/certain");
    // The TTL runs from the end of a long request.
    check("D100", "60+60 134", "60:in_flight/no 134:cached_token/certain");
    // Chains of other keys do not help.
    check("D100", "90k1 95k1 103k2", "103:unexplained/certain");
}

#[test]
fn told_disabled_and_served_again_is_unexplained() {
    check(
        "D100",
        "95 105 110d 112",
        "105:cached_token/certain 110:refused/no 112:unexplained/certain",
    );
}

#[test]
fn a_blind_log_proves_no_idleness() {
    check_covered("D100", "90 200", &covered(&[(92.0, 199.0)]), "200:ambiguous/certain");
    check_covered("R100", "90 200", &covered(&[(92.0, 199.0)]), "200:ambiguous/possible");
    let late = Coverage {
        servers: vec![Some(Span { from: minute(119.0), to: minute(300.0), gaps: vec![] })],
    };
    check_covered("R100", "120", &late, "120:ambiguous/possible");
}

#[test]
fn an_old_password_is_proven_by_the_refusal_at_the_end() {
    check(
        "C100",
        "90 105 110 115x 116",
        "105:cached_token/certain 110:cached_token/certain
        115:refused/no 116:new_logon/no",
    );
    check("C100", "90 105 110", "105:cached_token/possible 110:cached_token/possible");
    // A reset by somebody else: likely within the hour.
    check("R100", "90 105 118 131 144 157 170", "105:cached_token/likely 118:cached_token/likely
        131:cached_token/likely 144:cached_token/likely 157:cached_token/likely 170:cached_token/possible");
    // The refusal of one client says nothing of another one's password.
    check(
        "C100",
        "90c1 91c2 105c1 106c2 107c2x",
        "105:cached_token/possible 106:cached_token/certain
        107:refused/no",
    );
    // Refused elsewhere: likely.
    check("C100", "90k1 105k1 106k2x", "105:cached_token/likely 106:refused/no");
    // A session that ended is no proof, and being told «disabled» takes the right password.
    check("C100", "90 105 110t", "105:cached_token/likely 110:refused/no");
    check("C100", "90 105 110d", "105:cached_token/possible 110:refused/no");
}

#[test]
fn a_refusal_after_a_second_change_says_nothing_of_the_first() {
    check("C100 C200", "90 105 201x", "105:cached_token/possible 201:refused/no");
    check("C100 D200", "90 105 201x", "105:cached_token/possible 201:refused/no");
}

#[test]
fn the_new_password_is_believed() {
    check("C100", "90 101x 102 110", "101:refused/no 102:new_logon/no 110:new_logon/no");
    check("C100", "60 140 150", "140:new_logon/no 150:new_logon/no");
    check("C100", "90 117 130", "117:ambiguous/possible 130:ambiguous/possible");
    // A gap proves nothing where the client may never have had a cached token.
    check("C100", "60 140w", "140:ambiguous/possible");
}

#[test]
fn a_flap_restores_and_an_older_password_change_counts_again() {
    check("D100 E150", "95 110 155", "110:cached_token/certain");
    check("R50 D100 E150", "40 110 200", "110:unexplained/certain 200:new_logon/no");
    check("D100 e150", "95 110 155", "110:cached_token/possible");
    check("D100 R110", "95 105 112", "105:cached_token/certain 112:cached_token/certain");
    check("R90 D100", "80 95 105", "95:cached_token/likely 105:cached_token/certain");
}

#[test]
fn a_shared_name_is_never_certain() {
    check("D100", "90? 105? 140?", "105:ambiguous/possible 140:ambiguous/possible");
}

#[test]
fn disabled_and_expired_end_apart() {
    let all = "80 90 100 110 120 130 140 150 160";
    // Prolonged, but still disabled.
    check(
        "D95 X96 P125",
        all,
        "100:cached_token/certain 110:cached_token/certain 120:cached_token/certain 130:cached_token/certain 140:cached_token/certain 150:cached_token/certain 160:cached_token/certain",
    );
    // Enabled, but still expired.
    check(
        "D95 X105 E115",
        "90 100 110 120 130",
        "100:cached_token/certain 110:cached_token/certain 120:cached_token/certain 130:cached_token/certain",
    );
    check("X95 P115", "90 100 120", "100:cached_token/certain");
    // A list that says enabled after an expiry means that it is over.
    check("X95 E115", "90 100 120", "100:cached_token/certain");
    // The name is another account's.
    check("G95 N115", "90 100 120", "100:cached_token/certain");
}

#[test]
fn what_began_while_disabled_is_residual_though_a_second_disable_came_meanwhile() {
    check("D100 E130 D160", "90 105+60", "105:cached_token/certain");
}

#[test]
fn a_start_that_is_not_known_may_lie_before_the_change() {
    check(
        "D100",
        "95 110~ 159~ 161~",
        "110:cached_token/possible 159:ambiguous/possible 161:ambiguous/certain",
    );
    check("R100", "95~ 140~ 180~", "140:ambiguous/possible 180:ambiguous/possible");
}

#[test]
fn a_refusal_for_an_unknown_reason_or_of_perhaps_another_client_proves_nothing() {
    check(
        "C100",
        "95 110 115u 116",
        "110:cached_token/likely 115:refused/no 116:cached_token/possible",
    );
    check(
        "C100",
        "95 110 115xa 116",
        "110:cached_token/likely 115:refused/no 116:cached_token/possible",
    );
    check(
        "C100",
        "95 110 115n 116",
        "110:cached_token/likely 115:refused/no 116:cached_token/possible",
    );
    check("C100", "95 110 115x 116", "110:cached_token/certain 115:refused/no 116:new_logon/no");
}

#[test]
fn a_client_that_came_after_a_reset_may_have_the_new_password() {
    check("R100", "95c1 104c1 108c2", "104:cached_token/likely 108:cached_token/possible");
}

#[test]
#[expect(clippy::should_panic_without_expect)]
#[should_panic]
fn order_is_asserted() {
    let backwards = [request("20"), request("10")];
    correlate(&cuts("D5"), backwards, &covered(&[]), &Rules::default(), |_| {});
}

fn any_request() -> impl Strategy<Value = Request> {
    (0..400u32, 0..30u32, 0..3u32, 0..3u32, 0..6u32).prop_map(
        |(start, taken, key, client, kind)| Request {
            start: minute(f64::from(start)),
            end: minute(f64::from(start + taken)),
            is_start_known: true,
            is_claimed: false,
            key,
            server: 0,
            client,
            refusal: match kind {
                0 => Some(Refusal::WrongPassword),
                1 => Some(Refusal::Disabled),
                _ => None,
            },
            is_ambiguous: false,
            may_be_windows: key == 2,
        },
    )
}

fn any_cuts() -> impl Strategy<Value = Vec<Cut>> {
    proptest::collection::vec(
        (0..400u32, prop_oneof![Just('D'), Just('E'), Just('R'), Just('C')]),
        0..4,
    )
    .prop_map(|list| {
        let mut list = list;
        list.sort();
        cuts(&list.iter().map(|(at, kind)| format!("{kind}{at} ")).collect::<String>())
    })
}

proptest! {
    #[test]
    fn shifting_all_times_changes_nothing(
        mut list in proptest::collection::vec(any_request(), 0..40), cuts in any_cuts(), days in -300..300i64
    ) {
        list.sort_by_key(|r| r.start);
        let before = judge(&cuts, &list, &covered(&[]));
        let by = TimeDelta::days(days);
        let cuts: Vec<_> = cuts.into_iter().map(|c| Cut { at: c.at + by, ..c }).collect();
        let list: Vec<_> =
            list.into_iter().map(|r| Request { start: r.start + by, end: r.end + by, ..r }).collect();
        let span = Span { from: minute(-1000.0) + by, to: minute(10_000.0) + by, gaps: vec![] };
        let coverage = Coverage { servers: vec![Some(span)] };
        prop_assert_eq!(before, judge(&cuts, &list, &coverage));
    }

    #[test]
    fn other_keys_of_other_clients_change_no_class_of_a_disabled_account(
        mut list in proptest::collection::vec(any_request(), 0..40), at in 0..400u32
    ) {
        list.sort_by_key(|r| r.start);
        let cuts = cuts(&format!("D{at}"));
        let all = judge(&cuts, &list, &covered(&[]));
        let kept: Vec<_> = (0..list.len()).filter(|&i| list[i].key == 0).collect();
        let alone: Vec<_> = kept.iter().map(|&i| list[i]).collect();
        let alone: Vec<_> = judge(&cuts, &alone, &covered(&[]))
            .into_iter().map(|(i, class, residual)| (kept[i], class, residual)).collect();
        let all: Vec<_> = all.into_iter().filter(|(i, ..)| list[*i].key == 0).collect();
        prop_assert_eq!(all, alone);
    }

    #[test]
    fn whoever_is_served_while_disabled_is_residual(
        mut list in proptest::collection::vec(any_request(), 0..40), at in 0..400u32
    ) {
        list.sort_by_key(|r| r.start);
        let cuts = cuts(&format!("D{at}"));
        let slack = Rules::default().slack;
        for (i, _, residual) in judge(&cuts, &list, &covered(&[])) {
            let served_late = list[i].refusal.is_none() && list[i].start >= cuts[0].at + slack;
            prop_assert_eq!(residual == Residual::Certain, served_late);
        }
    }

    #[test]
    fn a_blind_log_never_makes_a_verdict_graver_than_certain_knowledge_would(
        mut list in proptest::collection::vec(any_request(), 0..40), cuts in any_cuts(), from in 0..400u32
    ) {
        list.sort_by_key(|r| r.start);
        let gaps = [(f64::from(from), f64::from(from + 60))];
        let seeing = judge(&cuts, &list, &covered(&[]));
        let blind = judge(&cuts, &list, &covered(&gaps));
        prop_assert_eq!(seeing.len(), blind.len());
        for ((_, _, a), (_, b_class, b)) in seeing.into_iter().zip(blind) {
            // A hole may raise doubt, never certainty.
            prop_assert!(b <= a || b_class == Class::Ambiguous || b_class == Class::CachedToken || b == a);
            prop_assert!(!(a == Residual::No && b == Residual::Certain && b_class != Class::Ambiguous));
        }
    }
}
