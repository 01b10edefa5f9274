//! Logons and validations in words of a few letters, and the offsets they give.

use super::*;
use stillin_parsers::event::{Identity, Logon, LogonResult, Pos};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_400_000 + seconds, 0).unwrap()
}

/// `ada@100` a logon of Ada at second 100 on EX01, `ada!100` one that failed.
fn logons(text: &str) -> Logons {
    let mut logons = Logons::default();
    for word in text.split_whitespace() {
        let (name, seconds) = word.split_once(['@', '!']).unwrap();
        let result = match word.contains('!') {
            true => LogonResult::Refused(stillin_parsers::exchange::Refusal::WrongPassword),
            false => LogonResult::Succeeded,
        };
        let sam_account_name = Some(name.to_uppercase());
        logons.take(Logon {
            pos: Pos::Line(1),
            time: at(seconds.parse().unwrap()),
            computer: Some("EX01.fabrikam.example".into()),
            account: Some(Box::new(Identity { sam_account_name, ..Identity::default() })),
            result,
            address: None,
            process_id: None,
            package: None,
        });
    }
    logons
}

/// `ada@100` Ada's password is checked for EX01 at second 100, `ada!100` and is wrong; `/7` for the address 10.0.0.7,
/// `/PC` for another machine.
fn validations(text: &str) -> Validations {
    let mut validations = Validations::default();
    for word in text.split_whitespace() {
        let (what, asker) = word.split_once('/').unwrap_or((word, "EX01"));
        let (name, seconds) = what.split_once(['@', '!']).unwrap();
        let address = asker.parse::<u8>().ok().map(|n| IpAddr::from([10, 0, 0, n]));
        validations.take(Validation {
            pos: Pos::Line(1),
            time: at(seconds.parse().unwrap()),
            computer: Some("DC1.fabrikam.example".into()),
            name: format!("{name}@fabrikam.example").into(),
            workstation: address.is_none().then(|| asker.into()),
            address,
            is_success: !word.contains('!'),
        });
    }
    validations
}

/// `n pairs, ahead +- spread`, or why not.
fn check(of_server: &str, of_controller: &str, expect: &str) {
    let (logons, validations) = (logons(of_server), validations(of_controller));
    let got = offsets([&logons].into_iter(), [&validations, &validations].into_iter(), None);
    let word = |offset: &Offset| {
        assert_eq!((offset.server.as_str(), offset.controller.as_str()), ("EX01", "DC1"));
        match offset.ahead {
            Some((ahead, spread)) => {
                format!("{} {:+}+-{}", offset.n_pairs, seconds(ahead), seconds(spread))
            }
            None => format!("{} ?", offset.n_pairs),
        }
    };
    let got: Vec<String> = got.iter().map(word).collect();
    assert_eq!(got.join(","), expect, "{of_server} | {of_controller}");
}

#[test]
fn pairs_that_agree_are_an_estimate() {
    let five = "ada@10000 bob@11000 eve@12000 ivan@13000 ada@14000";
    check(five, "ada@9760 bob@10760 eve@11760 ivan@12760 ada@13759", "5 +240+-0");
    check(five, "ada@10300 bob@11300 eve@12302 ivan@13300 ada@14300", "5 -300+-0");
    check(five, "ada@10000 bob@11000 eve@12000 ivan@13000 ada@14000", "5 +0+-0");
    // One is out of line.
    check(five, "ada@9760 bob@10760 eve@12000 ivan@12760 ada@13760", "5 +240+-0");
    check(five, "ada@9760 bob@10700 eve@12000 ivan@12760 ada@13760", "5 ?");
    check(five, "ada@9760 bob@10760 eve@11760 ivan@12760", "");
    check(five, "ada@9760 bob@10760 eve@11760 ivan@12760 carol@13760", "");
    // Further off than anything looked for.
    check(five, "ada@9000 bob@10000 eve@11000 ivan@12000 ada@13000", "");
}

#[test]
fn only_what_is_sure_to_be_a_pair_counts() {
    let five = "ada@10000 bob@11000 eve@12000 ivan@13000 ada@14000";
    // The same name twice within ten minutes, on either side.
    check(&format!("{five} bob@11200"), "ada@9760 bob@10760 eve@11760 ivan@12760 ada@13760", "");
    check(five, "ada@9760 bob@10760 bob@10770 eve@11760 ivan@12760 ada@13760", "");
    // One that failed is none that succeeded.
    check(five, "ada@9760 bob!10760 eve@11760 ivan@12760 ada@13760", "");
    check(
        &five.replace("bob@", "bob!"),
        "ada@9760 bob!10760 eve@11760 ivan@12760 ada@13760",
        "5 +240+-0",
    );
    // For another machine.
    check(five, "ada@9760/PC bob@10760/PC eve@11760/PC ivan@12760/PC ada@13760/PC", "");
    // Whose address is whose is not known: the one that agrees.
    check(
        five,
        "ada@9760/7 bob@10760/7 eve@11760/7 ivan@12760/7 ada@13760/7 ada@9800/9 bob@10700/9 eve@11900/9 ivan@13000/9 \
         ada@13700/9",
        "5 +240+-0",
    );
}

#[test]
fn the_largest_offset_counts() {
    let offset = |controller: &str, ahead: Option<i64>| Offset {
        server: "EX01".into(),
        controller: controller.into(),
        n_pairs: 5,
        ahead: ahead.map(|ahead| (TimeDelta::seconds(ahead), TimeDelta::zero())),
    };
    let all = [offset("DC1", Some(240)), offset("DC2", Some(-20)), offset("DC3", None)];
    let clock = |n: usize, server: &str| {
        let Clock { ahead, behind } = of_server(&all[..n], server);
        (ahead.num_seconds(), behind.num_seconds())
    };
    assert_eq!(clock(3, "EX01"), (240, 20));
    assert_eq!(clock(1, "EX01"), (240, 0));
    assert_eq!(clock(0, "EX01"), (0, 0));
    assert_eq!(clock(3, "EX02"), (0, 0));
    for (milliseconds, expect) in [(49, 0), (499, 0), (500, 1), (-499, 0), (-1600, -2)] {
        assert_eq!(seconds(TimeDelta::milliseconds(milliseconds)), expect);
    }
}

#[test]
fn some_logons_of_each_server_are_sought() {
    let many: String = (0..1000).map(|n| format!("ada@{} ", n * 1000)).collect();
    assert!(sought([&logons("ada@100 ada@200")].into_iter(), None).is_empty());
    assert!(!sought([&logons(&many)].into_iter(), None).is_empty());
}
