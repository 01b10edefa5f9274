//! Whose a refusal without a name is.

use super::*;
use crate::collect::book::Key;
use proptest::prelude::*;
use stillin_parsers::exchange::{Protocol, Refusal, Scheme};

fn hour(hour: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_442_000, 0).unwrap() + TimeDelta::hours(hour)
}

/// What was served at one seat, as hour, account and whether the name is shared, and refusals there by their hour.
fn book(served: &[(i64, usize, bool)], refused: &[i64]) -> Book {
    let mut book = Book::default();
    let (pool, name) = ("MSExchangeServicesAppPool", String::new());
    let (server, protocol, scheme) = ("EX01".to_owned(), Protocol::Ews, Scheme::Windows);
    let key = book.keys.number(Key { server, pool, protocol, scheme, name });
    let (device, user_agent, c_ip) = (String::new(), "Outlook".into(), "203.0.113.7".into());
    let client =
        book.clients.number(Client { device, user_agent, c_ip, forwarded: String::new(), seat: 0 });
    let at = |end: i64, line| Access { key, client, line, ..Access::served(hour(end)) };
    book.accesses = (1..)
        .zip(served)
        .map(|(line, &(end, account, is_ambiguous))| Access {
            account,
            is_ambiguous,
            ..at(end, line)
        })
        .collect();
    let refusal = Some(Refusal::WrongPassword);
    book.nameless =
        (1000..).zip(refused).map(|(line, &end)| Access { refusal, ..at(end, line) }).collect();
    book
}

/// For each claim the line of the refusal, and the account.
fn claimed(book: &Book) -> Vec<(u64, usize)> {
    claims(book).iter().map(|claim| (claim.refusal.line, claim.served.account)).collect()
}

#[test]
fn a_refusal_is_the_one_account_s_that_sat_there_within_a_day() {
    for (served, expect) in [
        (&[(1, 0, false), (2, 0, false)][..], Some(0)),
        (&[(1, 1, false), (2, 0, false)], None),
        (&[(1, 0, false), (2, 0, true)], None),
        (&[(1, 0, true), (2, 0, false)], None),
        // Longer ago than a session lives.
        (&[(-30, 1, false), (2, 0, false)], Some(0)),
        (&[(-30, 0, true), (2, 0, false)], Some(0)),
        (&[(-30, 0, false)], None),
        (&[(4, 0, false)], None),
        (&[], None),
    ] {
        let accounts: Vec<_> = claimed(&book(served, &[3])).into_iter().map(|(_, id)| id).collect();
        assert_eq!(accounts, Vec::from_iter(expect), "{served:?}");
    }
}

proptest! {
    /// As if all that was served within the day were looked through for each refusal.
    #[test]
    fn claims_are_those_of_a_look_at_every_request(
        served in proptest::collection::vec((0..80i64, 0..2usize, proptest::bool::weighted(0.1)), 0..12),
        refused in proptest::collection::vec(0..80i64, 1..6),
    ) {
        let mut expect = Vec::new();
        for (line, &at) in (1000..).zip(&refused) {
            let recent = served.iter().filter(|(end, ..)| (at - 24..=at).contains(end));
            let recent: Vec<_> = recent.collect();
            let one = recent.first().map(|(_, account, _)| *account);
            if let Some(one) = one && recent.iter().all(|(_, id, shared)| *id == one && !shared) {
                expect.push((line, one));
            }
        }
        prop_assert_eq!(claimed(&book(&served, &refused)), expect);
    }
}

#[test]
fn a_logon_page_that_comes_back_for_what_was_typed_is_no_session_s() {
    let served = Access::served(hour(0));
    let at = |seconds: i64, refusal| {
        let end = hour(0) + TimeDelta::seconds(seconds);
        Access { refusal: Some(refusal), end, ..served }
    };
    let mut accesses: Vec<Access> = [
        at(0, Refusal::Owa),
        at(59, Refusal::Owa),
        at(60, Refusal::OwaForm),
        at(61, Refusal::Owa),
        at(61, Refusal::OwaNoSession),
        at(90, Refusal::Owa),
        Access { client: 1, ..at(61, Refusal::Owa) },
        Access { account: 1, ..at(61, Refusal::Owa) },
    ]
    .into();
    mark_typed(&mut accesses, &[0, 1]);
    let typed: Vec<bool> =
        accesses.iter().map(|access| access.refusal == Some(Refusal::OwaForm)).collect();
    assert_eq!(typed, [false, true, true, true, false, false, false, false]);
}
