//! Evidence that is taken away may raise doubt, never an accusation.

use super::properties::cuts_within;
use super::*;
use proptest::prelude::*;

/// A story with evidence, and which part of that evidence is left.
#[derive(Debug, Clone)]
struct Story {
    cuts: Vec<Cut>,
    requests: Vec<Request>,
    told: Told,
    left: Left,
}

/// What is left of the evidence. Holes are minutes.
#[derive(Debug, Clone)]
struct Left {
    restarts: Vec<bool>,
    schemes: Vec<bool>,
    /// In the log of the second server, or of both.
    hole: (u32, u32),
    spares_first: bool,
    loses_lines: bool,
    logon_hole: (u32, u32),
    has_logons: bool,
}

/// Stories are short and busy, so that rules meet: minutes up to this.
const END: u32 = 240;

fn any_restart() -> impl Strategy<Value = (u32, bool)> {
    (0..END, any::<bool>())
}

/// One of two clients at one of three pools of two servers; one of four is refused.
fn busy_request() -> impl Strategy<Value = Request> {
    let kind = prop_oneof![
        6 => Just(None),
        2 => Just(Some(Refusal::WrongPassword)),
        1 => Just(Some(Refusal::Unknown)),
        1 => Just(Some(Refusal::Disabled)),
    ];
    let scheme = prop_oneof![
        4 => Just(None),
        1 => Just(Some(Auth::Ntlm)),
        1 => Just(Some(Auth::Kerberos)),
        2 => Just(Some(Auth::Token)),
    ];
    let is_start_known = proptest::bool::weighted(0.9);
    let place = (0..3u32, 0..2u32, proptest::option::of(0..2u32));
    (0..END, 0..4u32, place, kind, scheme, is_start_known).prop_map(
        |(start, taken, (key, client, address), refusal, scheme, is_start_known)| Request {
            start: minute(f64::from(start)),
            end: minute(f64::from(start + if is_start_known { taken } else { 0 })),
            is_start_known,
            key,
            server: server_of(key),
            pool: key,
            client,
            address,
            refusal,
            is_claimed: false,
            is_device: client == 0,
            is_ambiguous: false,
            contradiction: None,
            auth: scheme.unwrap_or(default_of(key)),
        },
    )
}

fn any_told() -> impl Strategy<Value = Told> {
    let restarts = proptest::collection::vec(any_restart(), 0..4);
    let pools = proptest::collection::vec(restarts, POOLS);
    let logons =
        proptest::collection::vec((0..END, proptest::option::of(0..2u32), 0..4u32, 0..2u32), 0..4);
    let from = prop_oneof![Just(-1000.0), Just(10_000.0), (0..END).prop_map(f64::from)];
    (pools, logons, from, 0..END, 0..40u32).prop_map(|(pools, mut logons, from, hole, length)| {
        let pool = |mut list: Vec<(u32, bool)>| {
            list.sort();
            list.into_iter().map(|(at, is_sure)| restart(minute(f64::from(at)), is_sure)).collect()
        };
        logons.sort();
        let logon = |(at, address, kind, server): (u32, Option<u32>, u32, u32)| Logon {
            at: minute(f64::from(at)),
            server,
            address,
            refusal: (kind == 0).then_some(Refusal::WrongPassword),
        };
        Told {
            coverage: twice(&covered(&[(f64::from(hole), f64::from(hole + length))])),
            restarts: Restarts::new(pools.into_iter().map(pool).collect()),
            logons: logons.into_iter().map(logon).collect(),
            strangers: Vec::new(),
            logon_coverage: twice(&Coverage { servers: vec![Some(span(minute(from), &[]))] }),
            clocks: Vec::new(),
        }
    })
}

/// The same for both servers.
fn twice(coverage: &Coverage) -> Coverage {
    Coverage { servers: [&coverage.servers[..], &coverage.servers[..]].concat() }
}

fn any_left() -> impl Strategy<Value = Left> {
    let kept = || proptest::collection::vec(any::<bool>(), 60);
    let hole = || (0..END, 0..60u32).prop_map(|(from, length)| (from, from + length));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (kept(), kept(), hole(), hole(), flags).prop_map(
        |(restarts, schemes, hole, logon_hole, (spares_first, loses_lines, has_logons))| Left {
            restarts,
            schemes,
            hole,
            spares_first,
            loses_lines,
            logon_hole,
            has_logons,
        },
    )
}

prop_compose! {
    fn any_story()(
        list in proptest::collection::vec(busy_request(), 0..24),
        cuts in cuts_within(END / 2),
        told in any_told(),
        left in any_left(),
    ) -> Story {
        let mut requests = list;
        requests.sort_by_key(|r| r.start);
        Story { cuts, requests, told, left }
    }
}

/// Two servers; the first has two pools.
fn server_of(key: u32) -> u32 {
    key / 2
}

/// What the virtual directory takes by default.
fn default_of(key: u32) -> Auth {
    match key {
        2 => Auth::MayBeWindows,
        1 => Auth::MayBeBoth,
        _ => Auth::MayBeToken,
    }
}

fn is_inside(at: DateTime<Utc>, (from, to): (u32, u32)) -> bool {
    minute(f64::from(from)) < at && at < minute(f64::from(to))
}

/// The same story with less evidence. A hole in a log takes what stood in it along, or not.
fn blinded(story: &Story) -> (Vec<usize>, Vec<Request>, Told) {
    let Story { requests, told, left, .. } = story;
    let first_with_hole = u32::from(left.spares_first);
    let is_lost = |r: &Request| r.server >= first_with_hole && is_inside(r.end, left.hole);
    let kept: Vec<usize> =
        (0..requests.len()).filter(|&i| !left.loses_lines || !is_lost(&requests[i])).collect();
    let request = |&i: &usize| match left.schemes[i] {
        true => requests[i],
        false => Request { auth: default_of(requests[i].key), ..requests[i] },
    };
    let restarts = |pool| {
        let of_pool = told.restarts.since(pool as u32, DateTime::<Utc>::MIN_UTC);
        let kept = of_pool.iter().zip(&left.restarts[4 * pool..]).filter(|(_, kept)| **kept);
        kept.map(|(restart, _)| *restart).collect()
    };
    let with_hole = |coverage: &Coverage, first: u32, (from, to): (u32, u32)| {
        let mut coverage = coverage.clone();
        let gap = (minute(f64::from(from)), minute(f64::from(to)));
        let spans = coverage.servers.iter_mut().skip(first as usize).flatten();
        spans.for_each(|span| span.gaps.push(gap));
        coverage
    };
    let logons = told.logons.iter().filter(|logon| !is_inside(logon.at, left.logon_hole));
    let (logons, logon_coverage) = match left.has_logons {
        true => (logons.copied().collect(), with_hole(&told.logon_coverage, 0, left.logon_hole)),
        false => (Vec::new(), Coverage::default()),
    };
    let blind = Told {
        coverage: with_hole(&told.coverage, first_with_hole, left.hole),
        restarts: Restarts::new((0..POOLS).map(restarts).collect()),
        logons,
        strangers: Vec::new(),
        logon_coverage,
        clocks: Vec::new(),
    };
    (kept.clone(), kept.iter().map(request).collect(), blind)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn evidence_that_is_missing_accuses_nobody(story in any_story()) {
        let (kept, requests, told) = blinded(&story);
        let seeing = settled(&story.cuts, &story.requests, &story.told);
        let blind = settled(&story.cuts, &requests, &told);
        for blind in blind {
            let at = kept[blind.request];
            let seeing = seeing.iter().find(|c| c.request == at).unwrap();
            prop_assert_eq!(seeing.change, blind.change);
            prop_assert_eq!(seeing.class == Class::Refused, blind.class == Class::Refused);
            let is_accused = seeing.residual == Residual::No && blind.residual == Residual::Certain;
            prop_assert!(!is_accused, "{:?} became {:?}", seeing, blind);
            if story.cuts[blind.change].kind.disables() {
                prop_assert_eq!(seeing.residual, blind.residual);
            }
        }
    }
}
