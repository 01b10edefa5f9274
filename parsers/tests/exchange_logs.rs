//! Every sample of a log of Exchange itself, and every real one where the folder of real files is there, with what it
//! is taken for, what becomes of its lines, and what its rows say.

mod pinned;

use pinned::{Counts, Pinned, counted, folder, misfits, names, read, real};
use std::path::Path;
use stillin_parsers::exchange::{back_end, proxied, request_id};
use stillin_parsers::exchange_log::{Column, Row, State, scan};
use stillin_parsers::kind::{self, Kind};

const PROXY: Kind = Kind::HttpProxy;

#[rustfmt::skip]
const SAMPLES: &[Pinned] = &[
    ("autodiscover-back-end.log",              Kind::Unknown,  [ 6,  1,  5,  0,  0,  0,  0], ""),
    ("cmdlet.log",                             Kind::Unknown,  [ 6,  1,  5,  0,  0,  0,  0], ""),
    ("ecp-activity.log",                       Kind::Unknown,  [ 6,  0,  5,  0,  1,  0,  0], "6: DateTime is missing"),
    ("ews.log",                                Kind::EwsLog,   [10,  5,  5,  0,  0,  0,  0], ""),
    ("http-proxy-2013.log",                    PROXY,          [ 8,  3,  5,  0,  0,  3,  0], ""),
    ("http-proxy-addresses.log",               PROXY,          [12,  7,  5,  0,  0,  0,  0], ""),
    ("http-proxy-bare-header-first.log",       PROXY,          [ 8,  2,  6,  0,  0,  0,  0], ""),
    ("http-proxy-bare-header-last.log",        PROXY,          [ 8,  2,  6,  0,  0,  0,  0], ""),
    ("http-proxy-bare-header-only.log",        PROXY,          [ 2,  1,  1,  0,  0,  0,  0], ""),
    ("http-proxy-cut-short.log",               PROXY,          [13,  3,  5,  1,  4,  1,  0], "1: data before any #Fields line; is the head of the file cut off?"),
    ("http-proxy-eas.log",                     PROXY,          [10,  5,  5,  0,  0,  0,  0], ""),
    ("http-proxy-fields-before-software.log",  PROXY,          [ 6,  1,  5,  0,  0,  0,  0], ""),
    ("http-proxy-header-only.log",             PROXY,          [ 5,  0,  5,  0,  0,  0,  0], ""),
    ("http-proxy-hostile-text.log",            PROXY,          [11,  6,  5,  0,  0,  0,  0], ""),
    ("http-proxy-joined.log",                  PROXY,          [14,  3, 11,  0,  0,  0,  0], ""),
    ("http-proxy-nul-run.log",                 PROXY,          [14,  3, 10,  0,  1,  0,  2], "13: 16 values for 74 fields (#Fields at line 11)"),
    ("http-proxy-owa.log",                     PROXY,          [11,  6,  5,  0,  0,  0,  0], ""),
    ("http-proxy-quoted.log",                  PROXY,          [ 9,  3,  5,  0,  1,  0,  0], "7: a quote is not closed"),
    ("http-proxy-schemes.log",                 PROXY,          [12,  7,  5,  0,  0,  0,  0], ""),
    ("http-proxy-stray-commas.log",            PROXY,          [ 9,  2,  5,  0,  2,  2,  0], "7: HttpStatus is no number"),
    ("http-proxy-wrong-times.log",             PROXY,          [17,  5,  5,  0,  7,  0,  0], "6: `2026-02-30T08:00:01.000Z` is no time"),
    ("mapi-http.log",                          Kind::MapiLog,  [10,  4,  6,  0,  0,  0,  0], ""),
];

/// The same of the real files.
#[rustfmt::skip]
const REAL: &[Pinned] = &[
    ("Autodiscover_HttpProxy_2023010919-1.LOG", PROXY, [6, 1, 5, 0, 0, 0, 0], ""),
    ("ECPActivity_11500_20230111-1.LOG", Kind::Unknown, [7, 0, 5, 0, 2, 0, 0], "6: DateTime is missing"),
    ("ECPServer20230111-1.LOG",        Kind::Unknown, [6, 0, 5, 0, 1, 0, 0], "6: DateTime is missing"),
    ("Eas_HttpProxy_2023011116-1.LOG",          PROXY, [6, 1, 5, 0, 0, 0, 0], ""),
    ("Ecp_HttpProxy_2023010611-1.LOG",          PROXY, [6, 1, 5, 0, 0, 0, 0], ""),
    ("Ews_2023010616-1.LOG",             Kind::EwsLog, [6, 1, 5, 0, 0, 0, 0], ""),
    ("Ews_HttpProxy_2023010601-1.LOG",          PROXY, [6, 1, 5, 0, 0, 0, 0], ""),
    ("Mapi_HttpProxy_2023010601-1.LOG",         PROXY, [8, 3, 5, 0, 0, 0, 0], ""),
    ("Owa_HttpProxy_2023010602-1.LOG",          PROXY, [6, 1, 5, 0, 0, 0, 0], ""),
    ("PowerShell_HttpProxy_2023011116-1.LOG",   PROXY, [7, 2, 5, 0, 0, 0, 0], ""),
    ("RpcHttp_HttpProxy_2023010708-1.LOG",      PROXY, [6, 1, 5, 0, 0, 0, 0], ""),
    ("Rps_Cmdlet_2023011116-1.LOG",    Kind::Unknown, [6, 1, 5, 0, 0, 0, 0], ""),
    ("audit20230111-1.LOG",            Kind::Unknown, [6, 0, 5, 0, 1, 0, 0], "6: DateTime is missing"),
];

fn tally(log: &[u8]) -> Counts {
    let mut n_rows = 0;
    let (tally, _) = scan(log, &State::default(), |_| n_rows += 1);
    counted(&tally, n_rows)
}

#[test]
fn every_sample_is_what_it_is_pinned_as() {
    assert_eq!(misfits(&folder("exchange"), SAMPLES, tally), Vec::<String>::new());
}

#[test]
fn every_sample_has_a_row() {
    let rows: Vec<_> = SAMPLES.iter().map(|row| row.0).collect();
    assert_eq!(names(&folder("exchange")), rows);
}

/// Line, user, scheme, protocol, outcome, milliseconds, last number of the SID, noise; each row has an id.
fn shown(row: &Row<'_>) -> String {
    let user = proxied::user(row).map_or("-".into(), String::from_utf8_lossy);
    let taken = proxied::time_taken(row).map_or("?".to_owned(), |taken| taken.to_string());
    let sid = proxied::own_sid(row).and_then(|sid| sid.rsplit('-').next()).unwrap_or("-");
    let has_id = row.value(Column::RequestId).is_none_or(|id| request_id(id).is_some());
    let (protocol, outcome) = (proxied::route(row).protocol, proxied::outcome(row));
    let noise = proxied::noise(row).map_or("", |noise| noise.word());
    let auth = proxied::auth(row).word();
    assert!(has_id, "line {}", row.number);
    format!("{} {user} {auth} {protocol} {outcome:?} {taken} {sid} {noise}", row.number)
        .trim_end()
        .to_owned()
}

fn check(log: &Path, show: fn(&Row<'_>) -> String, expect: &[&str]) {
    let mut rows = Vec::new();
    scan(&read(log), &State::default(), |row| rows.push(show(row)));
    assert_eq!(rows, expect, "{}", log.display());
}

fn check_sample(name: &str, expect: &[&str]) {
    check(&folder("exchange").join(name), shown, expect);
}

#[test]
fn rows_of_samples_say_what_happened() {
    check_sample(
        "http-proxy-eas.log",
        &[
            r"6 FABRIKAM\ada basic eas Served 890121 1104",
            r"7 FABRIKAM\ada basic eas Served 223 1104",
            r"8 FABRIKAM\HealthMailbox83d6781 basic eas Served 0 1142 probe",
            "9 - none eas NotAuthenticated 9 -",
            r"10 FABRIKAM\bob basic eas Served 600 1105",
        ],
    );
    check_sample(
        "http-proxy-owa.log",
        &[
            r"6 FABRIKAM\ada forms owa Served 250 1104",
            "7 - none owa Refused(OwaNoSession) 1 -",
            "8 - none owa Refused(OwaTimeout) 1 -",
            "9 - none owa Refused(OwaForm) 100 -",
            "10 - none owa Refused(Owa) 10 -",
            "11 - none owa Other 10 -",
        ],
    );
    check_sample(
        "http-proxy-schemes.log",
        &[
            r"6 FABRIKAM\ada negotiate mapi Served 100 -",
            r"7 FABRIKAM\ada negotiate mapi Served 60000 -",
            r"8 FABRIKAM\ada ntlm ews Served 100 1104",
            "9 ada@fabrikam.example bearer mapi Served 10 -",
            r"10 FABRIKAM\admin1 kerberos powershell Served 10 -",
            r"11 FABRIKAM\ada other autodiscover Served 10 1104",
            "12 - none rpc NotAuthenticated 1 -",
        ],
    );
    check_sample(
        "http-proxy-2013.log",
        &[
            r"6 FABRIKAM\grace basic eas Served 396 1110",
            r"7 FABRIKAM\grace basic eas Served 217 1110",
            "8 - none eas NotAuthenticated 1 -",
        ],
    );
    check_sample(
        "http-proxy-joined.log",
        &[
            r"6 FABRIKAM\ada basic eas Served 500 1104",
            r"12 FABRIKAM\ada basic eas Served 500 1104",
            r"14 FABRIKAM\ada basic eas Served ? -",
        ],
    );
    check_sample(
        "http-proxy-cut-short.log",
        &[
            r"7 FABRIKAM\ada basic eas Served 500 1104",
            r"8 FABRIKAM\ada basic eas Served ? 1104",
            r"12 FABRIKAM\bob basic eas Served 500 1105",
        ],
    );
    check_sample(
        "http-proxy-stray-commas.log",
        &[r"6 FABRIKAM\ada basic eas Served ? -", r"9 FABRIKAM\ada basic eas Served ? -"],
    );
    check_sample(
        "http-proxy-wrong-times.log",
        &[
            r"13 FABRIKAM\ada basic eas Other 500 1104",
            r"14 FABRIKAM\ada basic eas Served 500 1104",
            r"15 FABRIKAM\ada basic eas Served ? 1104",
            r"16 FABRIKAM\ada basic eas Served 1500 1104",
            r"17 FABRIKAM\ada basic eas Served ? 1104",
        ],
    );
    check_sample(
        "http-proxy-hostile-text.log",
        &[
            r"6 FABRIKAM\ada basic eas Served 500 1104",
            r"7 FABRIKAM\ada basic eas Served 500 1104",
            r"8 FABRIKAM\ada basic ews Served 500 -",
            r"9 FABRIKAM\ada basic eas Served 500 1104",
            r"10 FABRIKAM\ada basic eas Served 500 1104",
            r"11 FABRIKAM\ada basic eas Served 500 1104",
        ],
    );
}

#[test]
fn cells_of_samples_are_what_was_sent() {
    let agent = |row: &Row<'_>| String::from_utf8_lossy(row.text(Column::UserAgent)).into_owned();
    let log = folder("exchange").join("http-proxy-quoted.log");
    check(&log, agent, &["iPhone \"14\", red", "half\"quoted", "Apple-iPhone14C5/2104.5033"]);
    let address = |row: &Row<'_>| String::from_utf8_lossy(proxied::client_ip(row)).into_owned();
    check(
        &folder("exchange").join("http-proxy-addresses.log"),
        address,
        &[
            "203.0.113.7",
            "203.0.113.7",
            "2001:db8::7",
            "2001:db8::7",
            "fe80::acb6:98d2:41f9:66c7%3",
            "203.0.113.7",
            "",
        ],
    );
}

/// User, who is acted for, operation, worker, milliseconds.
fn behind(row: &Row<'_>) -> String {
    let text = |text: Option<&[u8]>| {
        text.map_or("-".into(), |text| String::from_utf8_lossy(text).into_owned())
    };
    let [user, acted_as, operation] =
        [back_end::user(row), back_end::acted_as(row), back_end::operation(row)].map(text);
    let process_id = back_end::process_id(row).map_or("-".to_owned(), |id| id.to_string());
    let taken = proxied::time_taken(row).map_or("?".to_owned(), |taken| taken.to_string());
    format!("{} {user} {acted_as} {operation} {process_id} {taken}", row.number)
}

#[test]
fn rows_of_the_back_end_say_what_the_front_end_cannot() {
    check(
        &folder("exchange").join("ews.log"),
        behind,
        &[
            "6 svc-archive@fabrikam.example ada@fabrikam.example FindItem 9716 23",
            "7 svc-archive@fabrikam.example ada@fabrikam.example GetItem 9716 10",
            r"8 FABRIKAM\bob bob.builder@fabrikam.example GetItem 9716 10",
            "9 bob@fabrikam.example - GetStreamingEvents 9716 1800000",
            "10 - - - 9716 0",
        ],
    );
    check(
        &folder("exchange").join("mapi-http.log"),
        behind,
        &[
            r"7 FABRIKAM\ada - Connect - 16",
            "8 ada@fabrikam.example - Execute - 11",
            "9 ada.lovelace@fabrikam.example - NotificationWait - 300000",
            "10 - - Execute - 2",
        ],
    );
}

#[test]
fn real_logs_are_what_they_are_pinned_as() {
    let Some(real) = real("exchange/artefacts.help") else { return };
    assert_eq!(misfits(&real, REAL, tally), Vec::<String>::new());
    let rows: Vec<_> = REAL.iter().map(|row| row.0).collect();
    assert_eq!(names(&real), rows);
    for (name, kind, ..) in REAL.iter().filter(|row| row.1 == Kind::Unknown) {
        assert!(kind::why_unknown(&read(&real.join(name))).contains("Exchange"), "{name}: {kind}");
    }
    for (name, expect) in [
        (
            "Autodiscover_HttpProxy_2023010919-1.LOG",
            &[r"6 DOMAIN\username ntlm autodiscover Served 14 4343"][..],
        ),
        ("Eas_HttpProxy_2023011116-1.LOG", &[r"6 DOMAIN\username basic eas Served 19068 4343"]),
        ("Ecp_HttpProxy_2023010611-1.LOG", &["6 - none ecp NotAuthenticated 29 -"]),
        (
            "Ews_HttpProxy_2023010601-1.LOG",
            &[r"6 DOMAIN\HealthMailboxXXX negotiate ews Served 1 1142"],
        ),
        (
            "Mapi_HttpProxy_2023010601-1.LOG",
            &[
                r"6 DOMAIN\HealthMailboxXXX negotiate mapi Served 17 -",
                r"7 DOMAIN\HealthMailboxXXX negotiate mapi Served 12 -",
                r"8 DOMAIN\HealthMailboxXXX negotiate mapi Served 6 -",
            ],
        ),
        ("Owa_HttpProxy_2023010602-1.LOG", &["6 - none owa Refused(OwaNoSession) 1 -"]),
        (
            "PowerShell_HttpProxy_2023011116-1.LOG",
            &[
                r"6 DOMAIN\HealthMailboxXXX kerberos powershell Served 13 -",
                r"7 DOMAIN\HealthMailboxXXX kerberos powershell Served 24 -",
            ],
        ),
        ("RpcHttp_HttpProxy_2023010708-1.LOG", &["6 - none rpc NotAuthenticated 1 -"]),
    ] {
        check(&real.join(name), shown, expect);
    }
    check(
        &real.join("Ews_2023010616-1.LOG"),
        behind,
        &["6 HealthMailboxXXX@domain.test - GetFolder 9716 23"],
    );
}
