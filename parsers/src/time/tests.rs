//! Spellings of times to UTC, or to the reason why not.

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn local(zone: &str, order: &str) -> LocalTime {
    LocalTime { zone: zone.parse().ok(), date_order: order.parse().ok() }
}

#[test]
fn instants() {
    let check = |input: &str, expect: &str| {
        assert_eq!(LocalTime::default().utc(input), Ok(Some(at(expect))), "{input}");
    };
    check("2024-08-01T12:00:00Z", "2024-08-01T12:00:00Z");
    check("2024-08-01t12:00:00z", "2024-08-01T12:00:00Z");
    check("2024-08-01T12:00:00.1234567+02:00", "2024-08-01T10:00:00.1234567Z");
    check("2024-08-01 12:00:00.1234567 -03:30", "2024-08-01T15:30:00.1234567Z");
    check("2024-08-01 12:00:00 UTC", "2024-08-01T12:00:00Z");
    check("2024-08-01T12:00:00.123456789012Z", "2024-08-01T12:00:00.123456789Z");
    check("2024-08-01T12:00Z", "2024-08-01T12:00:00Z");
    check("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z");
    check("20240801120000.0Z", "2024-08-01T12:00:00Z");
    check("20240801120000Z", "2024-08-01T12:00:00Z");
    check("20240801120000.5+0200", "2024-08-01T10:00:00.5Z");
    check("133456789012345678", "2023-11-28T21:01:41.2345678Z");
    check("/Date(1722513600000)/", "2024-08-01T12:00:00Z");
    check("\\/Date(1722513600123+0200)\\/", "2024-08-01T12:00:00.123Z");
    check("/Date(-1000)/", "1969-12-31T23:59:59Z");
    for never in ["0", "-1", "9223372036854775807", "2650467744000000000"] {
        assert_eq!(LocalTime::default().utc(never), Ok(None), "{never}");
    }
}

#[test]
fn local_spellings() {
    let check = |order: &str, input: &str, expect: &str| {
        assert_eq!(local("UTC", order).utc(input), Ok(Some(at(expect))), "{input}");
    };
    check("", "2024-08-14 15:12:01", "2024-08-14T15:12:01Z");
    check("", "2024-08-14T15:12:01", "2024-08-14T15:12:01Z");
    check("", "2024/08/14 15:12:01", "2024-08-14T15:12:01Z");
    check("", "14.06.2017 16:55:58", "2017-06-14T16:55:58Z");
    check("", "4.6.2017 6:55:58", "2017-06-04T06:55:58Z");
    check("", "14. 6. 2017 16:55:58", "2017-06-14T16:55:58Z");
    check("", "2017. 06. 14. 16:55:58", "2017-06-14T16:55:58Z");
    check("", "14.6.2017 16.55.58", "2017-06-14T16:55:58Z");
    check("", "8/14/2024 3:12:01 PM", "2024-08-14T15:12:01Z");
    check("", "8/14/2024 3:12:01\u{202f}PM", "2024-08-14T15:12:01Z");
    check("", "\u{200e}8/\u{200e}14/\u{200e}2024 3:12 PM", "2024-08-14T15:12:00Z");
    check("", "14/08/2024 15:12:01", "2024-08-14T15:12:01Z");
    check("", "14/08/2024 3:12:01 p. m.", "2024-08-14T15:12:01Z");
    check("", "14-08-2024 3:12:01 a.m.", "2024-08-14T03:12:01Z");
    check("", "8/8/2024 12:00:00 AM", "2024-08-08T00:00:00Z");
    check("", "8/8/2024, 12:00:00 PM", "2024-08-08T12:00:00Z");
    check("dmy", "7/8/2024 12:00:00", "2024-08-07T12:00:00Z");
    check("mdy", "7/8/2024 12:00:00", "2024-07-08T12:00:00Z");
}

#[test]
fn zones() {
    let check = |zone: &str, input: &str, expect: &str, precision| {
        assert_eq!(local(zone, "").when(input), Ok(Some((at(expect), precision))), "{input}");
    };
    check("+02:00", "2024-01-01 12:00:00", "2024-01-01T10:00:00Z", Precision::Exact);
    check("Europe/Paris", "2024-01-01 12:00:00", "2024-01-01T11:00:00Z", Precision::Exact);
    check("europe/paris", "2024-07-01 12:00:00", "2024-07-01T10:00:00Z", Precision::Exact);
    // 02:30 came twice that night: at 00:30 and at 01:30 UTC.
    check("Europe/Paris", "2024-10-27 02:30:00", "2024-10-27T01:30:00Z", Precision::AtLatest);
    let skipped = local("Europe/Paris", "").utc("2024-03-31 02:30:00").unwrap_err().to_string();
    assert_eq!(
        skipped,
        "2024-03-31 02:30:00 was skipped in Europe/Paris: the clocks were put forward; check --tz"
    );
    let noon = at("2024-07-01T12:00:00Z").naive_utc();
    assert_eq!(local("Europe/Paris", "").to_utc(noon), Ok(at("2024-07-01T10:00:00Z")));
}

#[test]
fn refusals() {
    let check = |local: LocalTime, input: &str, expect: &str| {
        assert_eq!(local.utc(input).unwrap_err().to_string(), expect, "{input}");
    };
    let none = LocalTime::default();
    check(
        none,
        "2024-08-14 15:12:01",
        "2024-08-14 15:12:01 has no zone; say with --tz which zone the exporting machine was in",
    );
    check(
        none,
        "7/8/2024 12:00:00",
        "7/8/2024 12:00:00 may begin with the day or with the month; say with --date-order dmy or mdy",
    );
    check(
        local("UTC", "mdy"),
        "14/8/2024 12:00:00",
        "14/8/2024 12:00:00 does not fit the date order mdy; check --date-order",
    );
    check(
        none,
        "2024-08-14",
        "2024-08-14 has no time of day; write it as 2024-08-01T14:30:00+02:00",
    );
    check(
        none,
        "1,33457E+17",
        "1,33457E+17 was a time until a spreadsheet rounded it; export it again",
    );
    for bad in [
        "",
        " ",
        "-",
        "never",
        "12",
        "-5",
        "1722513600",
        "99999999999999999999",
        "2024-13-01T00:00:00Z",
        "2024-02-30 00:00:00",
        "2024-01-01T25:00:00Z",
        "2024-01-01T00:00:00X",
        "2024-01-01T00:00:00+99:00",
        "13/13/2024 00:00:00",
        "1/2/24 00:00:00",
        "8/14/2024 13:00:00 PM",
        "20240801120000",
        "20240801120000.Z",
        "20249901120000Z",
        "/Date(99999999999999999999)/",
        "/Date()/",
        "/Date(",
        "2024-08-01T12:00:00.Z",
        "٢٠٢٤-08-01T12:00:00Z",
        "2024-08-01T12:00:00 P",
        "8/14/2024 3:12:01 Pé",
    ] {
        assert_eq!(none.utc(bad), Err(Reason::BadTime(bad.into())), "{bad}");
    }
}

#[test]
fn words_of_options() {
    assert_eq!("Z".parse(), Ok(Zone::Fixed(FixedOffset::east_opt(0).unwrap())));
    assert_eq!("-0330".parse(), Ok(Zone::Fixed(FixedOffset::west_opt(12_600).unwrap())));
    assert_eq!("Europe/Paris".parse(), Ok(Zone::Named(Tz::Europe__Paris)));
    for bad in ["", "+", "+25:00", "+1:2", "Paris", "W. Europe Standard Time"] {
        let error = bad.parse::<Zone>().unwrap_err();
        assert!(error.contains("is no time zone; write an offset"), "{error}");
    }
    assert_eq!("DMY".parse(), Ok(DateOrder::Dmy));
    assert!("day".parse::<DateOrder>().is_err());
}

fn clock(texts: &[&str], pairs: &[(&str, &str)], told: LocalTime) -> Clock {
    let mut hints = Hints::default();
    texts.iter().for_each(|text| hints.see(text));
    pairs.iter().for_each(|(text, filetime)| hints.see_pair(text, filetime, told.date_order));
    hints.clock(told)
}

/// 2024-01-10T12:00:00.5Z and 2024-07-10T12:00:00.5Z.
const WINTER: &str = "133493616005000000";
const SUMMER: &str = "133650864005000000";

#[test]
fn the_order_of_a_column() {
    let utc = local("UTC", "");
    let read = |texts: &[&str], told, input| clock(texts, &[], told).when(input);
    let expect = |text| Ok(Some((at(text), Precision::Exact)));
    assert_eq!(
        read(&["13/1/2024 0:00:00"], utc, "7/8/2024 12:00:00"),
        expect("2024-08-07T12:00:00Z")
    );
    assert_eq!(
        read(&["1/13/2024 0:00:00"], utc, "7/8/2024 12:00:00"),
        expect("2024-07-08T12:00:00Z")
    );
    assert!(read(&["1/13/2024 0:00:00", "13/1/2024 0:00:00"], utc, "7/8/2024 12:00:00").is_err());
    assert!(read(&["1/2/2024 0:00:00", "13.1.2024 0:00:00"], utc, "7/8/2024 12:00:00").is_err());
    assert_eq!(
        read(&["1/13/2024 0:00:00"], local("UTC", "dmy"), "7/8/2024 12:00:00"),
        expect("2024-08-07T12:00:00Z")
    );
    // A FILETIME tells the order where no day above 12 does.
    let told_twice = clock(&[], &[("10/7/2024 14:00:00", SUMMER)], LocalTime::default());
    assert_eq!(told_twice.date_order(), Some(DateOrder::Dmy));
}

#[test]
fn the_zone_of_an_export() {
    let both = [("2024-01-10 13:00:00", WINTER), ("2024-07-10 14:00:00", SUMMER)];
    let none = LocalTime::default();
    let paris = clock(&[], &both, none);
    let exact = |text| Ok(Some((at(text), Precision::Exact)));
    let at_latest = |text| Ok(Some((at(text), Precision::AtLatest)));
    assert_eq!(paris.when("2024-02-01 12:00:00"), exact("2024-02-01T11:00:00Z"));
    assert_eq!(paris.when("2024-08-01 12:00:00"), exact("2024-08-01T10:00:00Z"));
    let skipped = paris.when("2024-03-31 02:30:00").unwrap_err().to_string();
    assert!(skipped.contains("was skipped: the clocks were put forward"), "{skipped}");

    // +01:00 in winter is Paris, or Lagos without summer time: the later instant, as an upper
    // bound.
    let winter = clock(&[], &[both[0]], none);
    assert_eq!(winter.when("2024-08-01 12:00:00"), at_latest("2024-08-01T11:00:00Z"));
    let minutes_only = clock(&[], &[("2024-07-10 14:00", "133650864455000000")], none);
    assert_eq!(minutes_only.when("2024-07-11 12:00:00"), exact("2024-07-11T10:00:00Z"));

    // No zone is at +01:00 and at -08:00 in one winter: two machines.
    let two = clock(&[], &[both[0], ("2024-01-10 04:00:00", WINTER)], none);
    assert!(two.when("2024-01-10 12:00:00").is_err());
    let mut row = Hints::default();
    row.see_pair(both[0].0, both[0].1, None);
    assert_eq!(
        two.of_row(|| row).unwrap().when("2024-01-11 12:00:00"),
        exact("2024-01-11T11:00:00Z")
    );
    assert!(paris.of_row(Hints::default).is_none());

    // Not one moment told twice, so no hint.
    let apart = clock(&[], &[("2024-01-10 13:07:00", WINTER)], none);
    assert!(apart.when("2024-01-10 12:00:00").is_err());
}

#[test]
fn a_zone_that_cannot_be() {
    let tokyo = clock(&[], &[("2024-07-10 14:00:00", SUMMER)], local("Asia/Tokyo", ""));
    let why = tokyo.contradiction("2024-07-10 14:00:00", SUMMER).unwrap().to_string();
    assert!(why.contains("+02:00 from it, but --tz is Asia/Tokyo; "), "{why}");
    let why = tokyo.when("2024-07-11 14:00:00").unwrap_err().to_string();
    assert!(why.ends_with("none fits --tz Asia/Tokyo; leave --tz out"), "{why}");
    let paris = clock(&[], &[("2024-07-10 14:00:00", SUMMER)], local("Europe/Paris", ""));
    assert!(paris.when("2024-07-11 14:00:00").is_ok());
    assert_eq!(paris.contradiction("2024-07-10 14:00:00", SUMMER), None);
    assert_eq!(paris.contradiction("2024-07-10 14:00:00", "0"), None);
}
