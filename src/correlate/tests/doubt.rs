//! Times of a change that are not known well: sources that contradict each other, clocks that are off.

use super::properties::any_request;
use super::*;
use proptest::prelude::*;

#[test]
fn between_the_times_that_sources_give_it_is_possible() {
    let story = "90 100 105 110 120 121.5 130 140d";
    check(
        "D100..120",
        story,
        "100:within_slack/possible 105:cached_token/possible 110:cached_token/possible \
         120:cached_token/possible 121:cached_token/certain 130:cached_token/certain 140:refused/no",
    );
    // Refused later, and so surely with the old password; but perhaps before the change.
    check(
        "R100..120",
        "90 105 118 125 135 145x",
        "105:cached_token/possible 118:cached_token/possible 125:cached_token/certain \
         135:cached_token/certain 145:refused/no",
    );
}

#[test]
fn what_began_between_the_times_is_new_or_old() {
    check("R100..120", "50 110 125", "110:ambiguous/possible 125:ambiguous/possible");
    check("D100..120", "50 110 125", "110:ambiguous/possible 125:ambiguous/certain");
    check("R100..120", "50 125", "125:ambiguous/possible");
    check("R100..120", "50 185", "185:new_logon/no");
    // The logon of 110 may have been with the old password.
    check_told("R100", "90 105 200", &told("l105 s"), "105:ambiguous/possible 200:new_logon/no");
}

#[test]
fn enabled_then_or_then() {
    check(
        "D100 E130..150",
        "90 120 131 145 155",
        "120:ambiguous/certain 131:ambiguous/possible 145:ambiguous/possible",
    );
}

#[test]
fn shortly_before_it_is_enabled_again_it_may_be_so_already() {
    // 129.5 is within the slack; what began before and lasted until then was let in while disabled.
    check(
        "D100 E130",
        "90 105 120+10 128 129.5 131",
        "105:cached_token/certain 120:cached_token/certain 128:cached_token/certain \
         129:cached_token/possible",
    );
    // By a clock that is four minutes behind 130 is 126.
    check_told(
        "D100 E130",
        "90 105 115 124 125.5 128",
        &told("b4"),
        "105:cached_token/certain 115:cached_token/certain 124:cached_token/certain \
         125:cached_token/possible 128:cached_token/possible",
    );
    check("X100 P130", "90 129.5", "129:unexplained/possible");
    // By a clock that is four minutes ahead 133 is 129, and by one that is behind 98 is 102.
    check_told("D100 E130", "90 133 135", &told("a4"), "133:within_slack/possible");
    check_told("D100 E130", "90 131 135", &told("b4"), "");
    check_told(
        "D100 E130 D132",
        "90 133.5 140",
        &told("a4"),
        "133:within_slack/possible 140:ambiguous/certain",
    );
    let behind = |changes| {
        let classed = settled(&cuts(changes), &requests("90 98"), &told("b4"));
        classed.iter().map(|c| c.speaks.grounds().collect()).collect::<Vec<Vec<_>>>()
    };
    assert_eq!(behind("D100 E130"), [[Ground::ClockBehind]]);
    assert_eq!(behind("D100 E102"), [[Ground::EnabledSoonAfter, Ground::ClockBehind]]);
    check(
        "D100 E130..150",
        "90 120 129.5 131",
        "120:ambiguous/certain 129:ambiguous/possible 131:ambiguous/possible",
    );
}

#[test]
fn a_refusal_shortly_before_the_change_was_perhaps_of_the_old_password() {
    let refused_late = "90 99.5x 102 110 120x";
    check(
        "R100",
        refused_late,
        "102:cached_token/possible 110:cached_token/possible 120:refused/no",
    );
    check("R100", "90 98x 103 120x", "103:cached_token/certain 120:refused/no");
    check_told(
        "R100",
        "90 95.5x 103 120x",
        &told("b4"),
        "103:cached_token/possible 120:refused/no",
    );
    // Nor does it accuse of what was before it, under an earlier change.
    check(
        "R50 R100",
        "45 55 65 75 99.5x",
        "55:cached_token/likely 65:cached_token/likely 75:cached_token/likely 99:refused/no",
    );
}

#[test]
fn a_clock_that_is_ahead_widens_the_slack() {
    let story = "90 103 104.5 106";
    check(
        "D100",
        story,
        "103:cached_token/certain 104:cached_token/certain 106:cached_token/certain",
    );
    let expect = "103:within_slack/possible 104:within_slack/possible 106:cached_token/certain";
    check_told("D100", story, &told("a4"), expect);
    // One that is behind makes nothing certain earlier; but 98 is 102 by the domain controllers.
    let expect = "98:within_slack/possible 103:cached_token/certain";
    check_told("D100", "90 96.5 98 103", &told("b4"), expect);
    check_told("D100", "90 98+5 99d", &told("b4"), "98:within_slack/possible 99:refused/no");
    check_told(
        "R10 D100",
        "5 75 88 98",
        &told("b4"),
        "75:new_logon/no 88:new_logon/no 98:within_slack/possible",
    );
    check("D100", "90 98 103", "103:cached_token/certain");
}

#[test]
fn a_clock_that_is_behind_shows_a_new_logon_as_one_from_before() {
    let story = "50 98 110 120x";
    check("R100", story, "110:cached_token/certain 120:refused/no");
    check_told(
        "R100",
        story,
        &told("b4"),
        "98:within_slack/possible 110:ambiguous/likely 120:refused/no",
    );
    // A logon by such a clock may have been after the change.
    check_told(
        "R100",
        "90 98 110 120",
        &told("l98 s"),
        "110:cached_token/certain 120:cached_token/certain",
    );
    let expect = "98:within_slack/possible 110:ambiguous/possible 120:ambiguous/possible";
    check_told("R100", "90 98 110 120", &told("l98 s b4"), expect);
}

fn certain(cuts: &[Cut], list: &[Request], told: &Told) -> Vec<usize> {
    let verdicts = settled(cuts, list, told).into_iter();
    verdicts.filter(|c| c.residual == Residual::Certain).map(|c| c.request).collect()
}

/// Logons on record, or restarts: where a restart says that there was a logon and the record has none, another time of
/// the change can take that contradiction away.
fn any_told() -> impl Strategy<Value = Told> {
    let list = proptest::collection::vec((0..400u32, 0..4u32), 0..5);
    (list, any::<bool>()).prop_map(|(mut list, has_log)| {
        list.sort_unstable();
        let word = move |(at, kind): &(u32, u32)| match kind {
            0 if !has_log => format!("r{at}k{} ", at % 3),
            1 if !has_log => format!("h{at} "),
            _ => format!("l{at} "),
        };
        told(&(list.iter().map(word).collect::<String>() + if has_log { "s" } else { "" }))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// What is certain though the time is not, is so for each time that it can be.
    #[test]
    fn what_is_certain_is_so_at_each_time(
        mut list in proptest::collection::vec(any_request(), 0..30),
        kind in prop::sample::select(vec!["D", "R", "C"]),
        at in 100..200u32,
        length in 1..90u32,
        evidence in any_told(),
    ) {
        list.sort_by_key(|r| r.start);
        let until = at + length;
        let cut = |at: u32| cuts(&format!("{kind}{at}"));
        let disputed = certain(&cuts(&format!("{kind}{at}..{until}")), &list, &evidence);
        let (early, late) = (cut(at), cut(until));
        for alone in [&early, &late] {
            let alone = certain(alone, &list, &evidence);
            prop_assert!(disputed.iter().all(|it| alone.contains(it)), "{:?} {:?}", disputed, alone);
        }
        // A clock that is off by so much is another time of the change.
        let off = |clocks| certain(&early, &list, &Told { clocks, ..evidence.clone() });
        let length = TimeDelta::minutes(i64::from(length));
        let ahead = off(vec![Clock { ahead: length, ..Clock::default() }]);
        let alone = certain(&late, &list, &evidence);
        prop_assert!(ahead.iter().all(|it| alone.contains(it)), "{:?} {:?}", ahead, alone);
        let behind = off(vec![Clock { behind: length, ..Clock::default() }]);
        let alone = certain(&early, &list, &evidence);
        prop_assert!(ahead.iter().all(|it| alone.contains(it)), "{:?} {:?}", ahead, alone);
        prop_assert!(behind.iter().all(|it| alone.contains(it)), "{:?} {:?}", behind, alone);
    }
}
