//! What must not change a verdict.

use super::*;
use proptest::prelude::*;

pub(super) fn any_request() -> impl Strategy<Value = Request> {
    (0..400u32, 0..30u32, 0..3u32, 0..3u32, 0..6u32).prop_map(
        |(start, taken, key, client, kind)| Request {
            start: minute(f64::from(start)),
            end: minute(f64::from(start + taken)),
            is_start_known: true,
            is_claimed: false,
            is_device: client == 0,
            key,
            server: 0,
            pool: key,
            client,
            address: None,
            refusal: match kind {
                0 => Some(Refusal::WrongPassword),
                1 => Some(Refusal::Disabled),
                _ => None,
            },
            is_ambiguous: false,
            contradiction: None,
            auth: if key == 2 { Auth::MayBeWindows } else { Auth::MayBeToken },
        },
    )
}

fn any_cuts() -> impl Strategy<Value = Vec<Cut>> {
    cuts_within(400)
}

/// Up to three changes within so many minutes.
pub(super) fn cuts_within(minutes: u32) -> impl Strategy<Value = Vec<Cut>> {
    let kind = prop_oneof![Just('D'), Just('E'), Just('R'), Just('C')];
    proptest::collection::vec((0..minutes, kind), 0..4).prop_map(|mut list| {
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
        let span = Span { to: minute(10_000.0) + by, ..span(minute(-1000.0) + by, &[]) };
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
