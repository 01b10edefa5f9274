//! Windows events from outside: our samples with what each tells, the files of others, hostile bytes.
#![allow(clippy::print_stdout)]

mod evtx_writer;

use chrono::SecondsFormat;
use evtx_writer::Record;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use stillin_parsers::event::{Fact, Identity, Logon, Precision, Reject, Restart, Validation};
use stillin_parsers::evidence::Tally;
use stillin_parsers::time::LocalTime;
use stillin_parsers::{event_csv, evtx, json, xml};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/ad");

/// The folder of real files; none where it is not supplied.
fn real() -> Option<PathBuf> {
    let beside = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/real").into();
    let folder: PathBuf = std::env::var_os("STILLIN_REAL").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        println!("skipped: no folder of real files");
        return None;
    }
    Some(folder)
}

/// Which of the four syntaxes take a file for theirs.
fn sniffed(bytes: &[u8]) -> Vec<&'static str> {
    let head = &bytes[..bytes.len().min(65_536)];
    let all = [
        ("evtx", evtx::sniff(head)),
        ("xml", xml::sniff(head)),
        ("json", json::sniff(head)),
        ("csv", event_csv::sniff(head)),
    ];
    all.into_iter().filter(|(_, yes)| *yes).map(|(name, _)| name).collect()
}

struct Read {
    tally: Tally,
    facts: Vec<Fact>,
    rejects: Vec<Reject>,
}

/// Reads bytes as that syntax and checks that no record is lost.
fn read(kind: &str, bytes: &[u8]) -> Read {
    let (mut facts, mut rejects) = (Vec::new(), Vec::new());
    let mut sink = |item: Result<Fact, Reject>| match item {
        Ok(fact) => facts.push(fact),
        Err(reject) => rejects.push(reject),
    };
    let local = LocalTime::default();
    let tally = match kind {
        "evtx" => evtx::facts(bytes, &mut sink),
        "xml" => xml::facts(bytes, &mut sink),
        "json" => json::facts(bytes, &local, &mut sink),
        _ => event_csv::facts(bytes, &local, &mut sink),
    };
    assert_eq!(tally.records, tally.told + tally.of_no_interest + tally.rejected);
    assert_eq!(tally.rejected, rejects.len() as u64);
    assert!(facts.len() as u64 >= tally.told);
    Read { tally, facts, rejects }
}

/// One of its names.
fn name(account: &Identity) -> String {
    let name = account.sam_account_name.clone();
    let name = name.or_else(|| account.user_principal_name.clone());
    let name = name.or_else(|| account.distinguished_name.clone()).unwrap_or_default();
    match &account.domain {
        Some(domain) => format!("{domain}\\{name}"),
        None => name,
    }
}

/// A fact on one line.
fn shown(fact: &Fact) -> String {
    match fact {
        Fact::Change(change) => {
            let time = change.time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            let about = if change.precision == Precision::AtLatest { " or before" } else { "" };
            let former = [
                &change.account.former_sam_account_names[..],
                &change.account.former_user_principal_names[..],
            ]
            .concat();
            let former = if former.is_empty() {
                String::new()
            } else {
                format!(" once {}", former.join(","))
            };
            let actor = change.actor.as_deref().unwrap_or("?");
            let (pos, word) = (change.pos, change.kind.word());
            format!("{pos} {time}{about} {word} {}{former} by {actor}", name(&change.account))
        }
        Fact::Account { pos, account, enabled, .. } => {
            format!("{pos} {} {enabled:?}", name(account))
        }
        Fact::Linked { .. }
        | Fact::UserAccountControlSet { .. }
        | Fact::AccountExpiresSet { .. }
        | Fact::VirtualDirectory(_) => {
            panic!("events do not say that")
        }
        Fact::Restart(Restart { pos, time, computer, what, process_id, .. }) => {
            let worker = process_id.map_or(String::new(), |id| format!(" worker {id}"));
            let time = time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            format!("{pos} {time} restart {what:?}{worker} on {}", computer.as_deref().unwrap())
        }
        Fact::Logon(logon) => shown_logon(logon),
        Fact::Validation(Validation {
            pos, time, name, workstation, address, is_success, ..
        }) => {
            let time = time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            let address = address.map(|address| address.to_string());
            let asker = workstation.as_deref().map(str::to_owned).or(address).unwrap_or_default();
            format!("{pos} {time} validation of {name} by {asker} {is_success}")
        }
    }
}

fn shown_logon(logon: &Logon) -> String {
    let time = logon.time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let who = logon.account.as_deref().map_or("nobody".to_owned(), name);
    let sid = logon.account.as_ref().and_then(|account| account.sid.as_deref());
    let rid =
        sid.and_then(|sid| sid.rsplit('-').next()).map_or(String::new(), |r| format!("({r})"));
    let from = logon.address.map_or(String::new(), |address| format!(" from {address}"));
    let worker = logon.process_id.map_or(String::new(), |id| format!(" worker {id}"));
    let (result, package) = (logon.result, logon.package.unwrap());
    let on = logon.computer.as_deref().unwrap();
    format!("{} {time} {result:?} {who}{rid}{from}{worker} by {package:?} on {on}", logon.pos)
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(SAMPLES).join(name)).unwrap()
}

/// Name, syntax, and how many records there are, told, of no interest, rejected.
const COUNTS: &[(&str, &str, [u64; 4])] = &[
    ("event-csv-evtxecmd-exchange.csv", "csv", [12, 9, 3, 0]),
    ("event-csv-evtxecmd.csv", "csv", [8, 5, 3, 0]),
    ("event-csv-export-csv.csv", "csv", [2, 0, 1, 1]),
    ("event-failure-4724.xml", "xml", [2, 0, 2, 0]),
    ("event-json-convertto-depth.json", "json", [1, 0, 0, 1]),
    ("event-json-convertto-exchange.json", "json", [12, 9, 3, 0]),
    ("event-json-convertto-ps51.json", "json", [5, 4, 1, 0]),
    ("event-json-convertto-ps7.json", "json", [1, 1, 0, 0]),
    ("event-json-evtx-dump-pretty.json", "json", [7, 5, 2, 0]),
    ("event-json-evtx-dump-separate.jsonl", "json", [7, 5, 2, 0]),
    ("event-json-evtx-dump.jsonl", "json", [7, 5, 2, 0]),
    ("event-json-nxlog-exchange.jsonl", "json", [12, 9, 3, 0]),
    ("event-json-nxlog.jsonl", "json", [4, 2, 1, 1]),
    ("event-json-torn-line.jsonl", "json", [5, 3, 0, 2]),
    ("event-json-winlogbeat-exchange.jsonl", "json", [12, 9, 3, 0]),
    ("event-json-winlogbeat.jsonl", "json", [5, 4, 1, 0]),
    ("event-json-wmi.json", "json", [2, 2, 0, 0]),
    ("event-xml-bad-event.xml", "xml", [4, 2, 0, 2]),
    ("event-xml-directory-service.xml", "xml", [11, 5, 6, 0]),
    ("event-xml-exchange.xml", "xml", [12, 9, 3, 0]),
    ("event-xml-no-root.xml", "xml", [7, 5, 2, 0]),
    ("event-xml-python-evtx.xml", "xml", [4, 4, 0, 0]),
    ("event-xml-rendered.xml", "xml", [2, 2, 0, 0]),
    ("event-xml-restarts.xml", "xml", [15, 10, 4, 1]),
    ("event-xml-root.xml", "xml", [7, 5, 2, 0]),
    ("events-exchange.evtx", "evtx", [12, 9, 3, 0]),
    ("events.evtx", "evtx", [7, 5, 2, 0]),
];

#[test]
fn counts_of_samples() {
    for (name, kind, expect) in COUNTS {
        let bytes = sample(name);
        assert_eq!(sniffed(&bytes), [*kind], "{name}");
        let t = read(kind, &bytes).tally;
        assert_eq!([t.records, t.told, t.of_no_interest, t.rejected], *expect, "{name}");
    }
    let mut event_samples: Vec<String> = std::fs::read_dir(SAMPLES)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("event"))
        .collect();
    event_samples.sort();
    let named: Vec<&str> = COUNTS.iter().map(|(name, _, _)| *name).collect();
    assert_eq!(event_samples, named, "a sample without a row, or the other way round");
}

/// The same story in every syntax.
#[test]
fn story_of_samples() {
    let story = [
        "2026-03-02T09:00:00.250Z disabled FABRIKAM\\ada by FABRIKAM\\helpdesk",
        "2026-03-02T09:00:00.260Z disabled FABRIKAM\\ada by FABRIKAM\\helpdesk",
        "2026-03-02T09:05:10Z password_reset FABRIKAM\\bob by FABRIKAM\\helpdesk",
        "2026-03-02T09:05:10.010Z password_set FABRIKAM\\bob by FABRIKAM\\helpdesk",
        "2026-03-02T09:10:00Z password_changed FABRIKAM\\carol by FABRIKAM\\carol",
    ];
    for (name, kind, places) in [
        ("event-xml-no-root.xml", "xml", ":2 :3 :5 :6 :8"),
        ("event-xml-root.xml", "xml", ":5 :8 :12 :15 :21"),
        ("event-json-evtx-dump.jsonl", "json", ":2 :3 :4 :5 :7"),
        ("event-json-evtx-dump-pretty.json", "json", ":52 :99 :166 :213 :323"),
        ("event-json-evtx-dump-separate.jsonl", "json", ":2 :3 :4 :5 :7"),
        ("event-csv-evtxecmd.csv", "csv", ":3 :4 :5 :6 :8"),
        ("events.evtx", "evtx", "#88202 #88203 #88204 #88205 #88207"),
    ] {
        let expect: Vec<String> =
            places.split(' ').zip(story).map(|(pos, text)| format!("{pos} {text}")).collect();
        let got: Vec<String> = read(kind, &sample(name)).facts.iter().map(shown).collect();
        assert_eq!(got, expect, "{name}");
    }
    let sids = |kind, name| -> Vec<Option<String>> {
        let facts = read(kind, &sample(name)).facts;
        facts.iter().map(|fact| account(fact).and_then(|a| a.sid.clone())).collect()
    };
    // SIDs are objects there.
    let expect = sids("xml", "event-xml-no-root.xml");
    assert_eq!(sids("json", "event-json-convertto-ps51.json"), expect[..4]);
    assert!(expect.iter().all(Option::is_some));
}

fn account(fact: &Fact) -> Option<&Identity> {
    match fact {
        Fact::Change(change) => Some(&change.account),
        Fact::Account { account, .. }
        | Fact::Linked { account, .. }
        | Fact::UserAccountControlSet { account, .. }
        | Fact::AccountExpiresSet { account, .. } => Some(account),
        Fact::Logon(logon) => logon.account.as_deref(),
        Fact::Restart(_) | Fact::Validation(_) | Fact::VirtualDirectory(_) => None,
    }
}

/// What an Exchange server's own logs say, in every syntax.
#[test]
fn logons_and_restarts_of_samples() {
    let sync = "Pool(\"MSExchangeSyncAppPool\")";
    let owa = "Pool(\"MSExchangeOWAAppPool\")";
    let story = [
        "08:31:02.500Z Succeeded FABRIKAM\\ada(1104) from 203.0.113.7 worker 6640 by Negotiate",
        "08:32:00Z Succeeded nobody from 127.0.0.1 worker 6640 by Negotiate",
        "08:40:10Z Refused(WrongPassword) bob@fabrikam.example from 203.0.113.20 worker 6640 by Negotiate",
        &format!("09:10:00Z restart {sync}"),
        &format!("09:11:00Z restart {owa} worker 7124"),
        "09:12:30Z Succeeded FABRIKAM\\ada(1104) from 203.0.113.7 worker 10772 by Negotiate",
        "09:30:00Z restart Iis",
        "09:31:00Z restart Machine",
        "09:45:00Z Refused(Disabled) FABRIKAM\\carol from 203.0.113.21 worker 2844 by Negotiate",
    ];
    for (name, kind) in [
        ("event-csv-evtxecmd-exchange.csv", "csv"),
        ("event-json-convertto-exchange.json", "json"),
        ("event-json-nxlog-exchange.jsonl", "json"),
        ("event-json-winlogbeat-exchange.jsonl", "json"),
        ("event-xml-exchange.xml", "xml"),
        ("events-exchange.evtx", "evtx"),
    ] {
        let got = read(kind, &sample(name)).facts;
        assert_eq!(got.len(), story.len(), "{name}");
        for (fact, expect) in got.iter().zip(story) {
            let shown = shown(fact);
            let (_, told) = shown.split_once(' ').unwrap();
            // NXLog tells no process that is not the one that wrote the event.
            let expect = if name.contains("nxlog") {
                expect.replace(" worker 7124", "")
            } else {
                expect.to_owned()
            };
            assert_eq!(told, format!("2026-03-02T{expect} on EX01.fabrikam.example"), "{name}");
        }
    }
}

#[test]
fn facts_and_rejects_of_odd_samples() {
    let check = |kind: &str, name: &str, expect: &[&str]| {
        let Read { facts, rejects, .. } = read(kind, &sample(name));
        let mut got: Vec<String> = facts.iter().map(shown).collect();
        got.extend(rejects.iter().map(|r| format!("{} ! {}", r.pos, r.reason)));
        assert_eq!(got, expect, "{name}");
    };
    let dn = "fabrikam.example\\CN=Ada Byron,OU=Staff,DC=fabrikam,DC=example";
    check(
        "xml",
        "event-xml-directory-service.xml",
        &[
            &format!(":2 2026-03-02T09:00:00.240Z disabled {dn} by FABRIKAM\\helpdesk"),
            ":6 2026-03-02T09:02:00Z renamed fabrikam.example\\ada.byron@fabrikam.example \
             once ada@fabrikam.example by FABRIKAM\\helpdesk",
            // When it expires, and since when that is so, is told beside each expiry: Carol's was put off.
            ":7 fabrikam.example\\CN=Bob,OU=Staff,DC=fabrikam,DC=example None",
            ":7 2026-04-01T00:00:00Z expired \
             fabrikam.example\\CN=Bob,OU=Staff,DC=fabrikam,DC=example by FABRIKAM\\helpdesk",
            ":8 fabrikam.example\\CN=Carol,OU=Staff,DC=fabrikam,DC=example None",
            ":8 2026-05-01T00:00:00Z expired \
             fabrikam.example\\CN=Carol,OU=Staff,DC=fabrikam,DC=example by FABRIKAM\\helpdesk",
            ":9 fabrikam.example\\CN=Carol,OU=Staff,DC=fabrikam,DC=example None",
        ],
    );
    let on = "on EX01.fabrikam.example";
    let restart =
        |pos: u32, time: &str, what: &str| format!(":{pos} 2026-03-02T{time}Z restart {what} {on}");
    let restarts = [
        restart(1, "07:00:00", "Pool(\"MSExchangeECPAppPool\") worker 7124"),
        restart(2, "07:01:00", "Pool(\"Cafe\") worker 7130"),
        restart(6, "07:05:00", "Iis"),
        restart(7, "07:05:20", "Iis"),
        restart(8, "07:05:21", "Iis"),
        restart(10, "07:05:23", "Iis"),
        restart(11, "07:06:00", "Iis"),
        restart(13, "07:09:00", "Machine"),
        restart(14, "07:09:05", "Machine"),
        restart(15, "07:09:05", "Machine"),
        ":4 ! AppPoolID is missing".to_owned(),
    ];
    check("xml", "event-xml-restarts.xml", &restarts.each_ref().map(String::as_str));
    check(
        "xml",
        "event-xml-bad-event.xml",
        &[
            ":1 2026-03-02T09:00:00.250Z disabled FABRIKAM\\ada by FABRIKAM\\helpdesk",
            ":4 2026-03-02T09:10:00Z password_changed FABRIKAM\\carol by FABRIKAM\\carol",
            ":2 ! XML: ill-formed document: expected `</Data>`, but `</Dat>` was found",
            ":3 ! cut short",
        ],
    );
    check(
        "json",
        "event-json-torn-line.jsonl",
        &[
            ":1 2026-03-02T09:00:00.250Z disabled FABRIKAM\\ada by FABRIKAM\\helpdesk",
            ":3 2026-03-02T09:05:10Z password_reset FABRIKAM\\bob by FABRIKAM\\helpdesk",
            ":5 2026-03-02T09:10:00Z password_changed FABRIKAM\\carol by FABRIKAM\\carol",
            ":2 ! cut short",
            ":4 ! text between JSON objects",
        ],
    );
    check(
        "json",
        "event-json-convertto-depth.json",
        &[":1 ! ConvertTo-Json left the Properties out; use -Depth 3"],
    );
    check(
        "csv",
        "event-csv-export-csv.csv",
        &[":3 ! Export-Csv keeps no values of an event; export with wevtutil qe /f:xml, or \
            ConvertTo-Json -Depth 3"],
    );
    let nxlog = read("json", &sample("event-json-nxlog.jsonl"));
    assert!(nxlog.rejects[0].reason.to_string().contains("--tz"), "{:?}", nxlog.rejects);
}

#[test]
fn what_is_no_windows_event() {
    for text in [
        "",
        "{}",
        "[]",
        "{\"schema\": \"stillin/report/1\", \"x\": {\"Event\":1,\"System\":2,\"EventID\":3}}",
        "{\"level\":\"info\",\"msg\":\"hello\"}",
        "#Software: Microsoft Internet Information Services 10.0\n2024-08-01 12:00:00 GET / \
         <Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>\n",
        "dn: CN=Ada,DC=fabrikam,DC=example\nsAMAccountName: ada\n",
        "SamAccountName,Enabled,SID\nada,True,S-1-5-21-1-2-3-4\n",
        "time,account,change,actor\n2026-03-02T09:00:00Z,ada,disabled,helpdesk\n",
        "<?xml version=\"1.0\"?><Events><Eventual/></Events>",
        "<html><body>4725</body></html>",
    ] {
        assert_eq!(sniffed(text.as_bytes()), [""; 0], "{text}");
    }
}

const SECURITY: &str = "Microsoft-Windows-Security-Auditing";

/// Milliseconds after 2026-03-02T08:30:00Z as FILETIME.
fn filetime(after: u64) -> u64 {
    134_169_138_000_000_000 + after * 10_000
}

/// The file of these records, and the sample must be that.
fn blessed(name: &str, records: &[Record<'_>]) -> Vec<u8> {
    let made = evtx_writer::file(records);
    let path = Path::new(SAMPLES).join(name);
    if std::env::var_os("STILLIN_BLESS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    assert!(made == std::fs::read(&path).unwrap(), "{name} is not what the writer makes");
    made
}

/// An Exchange server's two logs in one file, as a collector may keep them.
#[test]
fn evtx_sample_of_exchange_is_made_by_the_writer() {
    let xml = String::from_utf8(sample("event-xml-exchange.xml")).unwrap();
    let between = |text: &str, start: &str, end: &str| -> String {
        let (_, rest) = text.split_once(start).unwrap();
        rest.split_once(end).unwrap().0.to_owned()
    };
    // The same events as in the sample of XML.
    let told: Vec<_> = xml
        .lines()
        .map(|line| {
            let data: Vec<(String, String)> = line
                .split("<Data Name='")
                .skip(1)
                .map(|data| {
                    (between(&format!("!{data}"), "!", "'>"), between(data, "'>", "</Data>"))
                })
                .collect();
            let time = between(line, "SystemTime='", "'").parse::<chrono::DateTime<chrono::Utc>>();
            (line, time.unwrap().timestamp_millis() - 1_772_440_200_000, data)
        })
        .collect();
    let data: Vec<Data<'_>> = told
        .iter()
        .map(|(_, _, data)| data.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect())
        .collect();
    let provider: Vec<_> = told.iter().map(|t| between(t.0, "Provider Name='", "'")).collect();
    let channel: Vec<_> = told.iter().map(|t| between(t.0, "<Channel>", "<")).collect();
    let records: Vec<Record<'_>> = (0..told.len())
        .map(|n| Record {
            record_id: 412_001 + n as u64,
            event_id: between(told[n].0, "<EventID>", "<").parse().unwrap(),
            provider: &provider[n],
            channel: &channel[n],
            keywords: u64::from_str_radix(&between(told[n].0, "<Keywords>0x", "<"), 16).unwrap(),
            time: filetime(told[n].1 as u64),
            computer: "EX01.fabrikam.example",
            data: &data[n],
        })
        .collect();
    blessed("events-exchange.evtx", &records);
}

/// `EventData` by name.
type Data<'a> = Vec<(&'a str, &'a str)>;

/// The sample is made here: `STILLIN_BLESS=1 cargo test` writes it anew.
#[test]
fn evtx_sample_is_made_by_the_writer() {
    let domain = "S-1-5-21-1004336348-1177238915-682003330-";
    let sid = |rid: &str| format!("{domain}{rid}");
    let (ada, bob, carol, helpdesk) = (sid("1104"), sid("1105"), sid("1106"), sid("1150"));
    let target = |name, sid| {
        [("TargetUserName", name), ("TargetDomainName", "FABRIKAM"), ("TargetSid", sid)]
    };
    let subject = |name, sid| {
        [
            ("SubjectUserSid", sid),
            ("SubjectUserName", name),
            ("SubjectDomainName", "FABRIKAM"),
            ("SubjectLogonId", "0x3e7a1"),
        ]
    };
    let by = subject("helpdesk", helpdesk.as_str());
    let of_ada = target("ada", ada.as_str());
    let of_bob = target("bob", bob.as_str());
    let attributes =
        |password: &'static str, old: &'static str, new: &'static str, list: &'static str| {
            [
                ("PrivilegeList", "-"),
                ("SamAccountName", "-"),
                ("DisplayName", "-"),
                ("UserPrincipalName", "-"),
                ("PasswordLastSet", password),
                ("AccountExpires", "-"),
                ("PrimaryGroupId", "-"),
                ("OldUacValue", old),
                ("NewUacValue", new),
                ("UserAccountControl", list),
            ]
        };
    let dummy = [("Dummy", "-")];
    let flags = attributes("-", "0x10", "0x11", "\n\t\t%%2080");
    let password = attributes("3/2/2026 10:05:10 AM", "-", "-", "-");
    let logon = [("TargetUserName", "ada"), ("LogonType", "8"), ("LogonProcessName", "Advapi  ")];
    let machine = target("EX01$", ada.as_str());
    let of_carol = target("carol", carol.as_str());
    let by_carol = subject("carol", carol.as_str());
    // Milliseconds after 2026-03-02T08:30:00Z.
    let story: [(u16, u64, Data<'_>); 7] = [
        (4624, 125, logon.to_vec()),
        (4725, 1_800_250, [&of_ada[..], &by].concat()),
        (4738, 1_800_260, [&dummy[..], &of_ada, &by, &flags].concat()),
        (4724, 2_110_000, [&of_bob[..], &by].concat()),
        (4738, 2_110_010, [&dummy[..], &of_bob, &by, &password].concat()),
        (4742, 2_160_000, machine.to_vec()),
        (4723, 2_400_000, [&of_carol[..], &by_carol].concat()),
    ];
    let records: Vec<Record<'_>> = story
        .iter()
        .zip(88_201..)
        .map(|((event_id, after, data), record_id)| Record {
            record_id,
            event_id: *event_id,
            provider: SECURITY,
            channel: "Security",
            keywords: 0x8020_0000_0000_0000,
            time: filetime(*after),
            computer: "DC1.fabrikam.example",
            data,
        })
        .collect();
    let made = blessed("events.evtx", &records);
    let ids = evtx::census(&made);
    let expect = [("4624", 1), ("4723", 1), ("4724", 1), ("4725", 1), ("4738", 2), ("4742", 1)];
    let expect = expect.map(|(id, count)| (format!("Security:{id}"), count));
    assert_eq!(ids, BTreeMap::from(expect));
}

/// Files whose damage ends the census early: it stops at the first piece it cannot read, where we go
/// on. Sound records and rejects as read here.
const DAMAGED: &[(&str, [u64; 2])] = &[
    ("RdpCoreTS%4Operational.evtx", [1910, 4]),
    ("RemoteConnectionManager%4Operational.evtx", [1795, 2]),
    ("sample-with-zero-data-size-event.evtx", [449, 1]),
    ("sample_with_a_bad_chunk_magic.evtx", [301, 3]),
    ("sysmon.evtx", [358, 8]),
];

#[test]
fn census_of_real_evtx() {
    let Some(folder) = real() else { return };
    let census = std::fs::read_to_string(folder.join("evtx/census.jsonl")).unwrap();
    let mut damaged = 0;
    for line in census.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = entry["file"].as_str().unwrap();
        let bytes = std::fs::read(folder.join(name)).unwrap();
        assert_eq!(sniffed(&bytes), ["evtx"], "{name}");
        let whole = read("evtx", &bytes);
        let t = whole.tally;
        let ids = evtx::census(&bytes);
        assert_eq!(ids.values().sum::<u64>(), t.records - t.rejected, "{name}");
        let expect: BTreeMap<String, u64> = entry["ids"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(id, count)| (id.replace("None:", ":"), count.as_u64().unwrap()))
            .collect();
        let counted = [&entry["records"], &entry["unreadable"]].map(|n| n.as_u64().unwrap());
        if counted[1] == 0 {
            assert_eq!([t.records - t.rejected, t.rejected], counted, "{name}");
            assert_eq!(ids, expect, "{name}");
        } else {
            damaged += 1;
            let (_, ours) = DAMAGED.iter().find(|(end, _)| name.ends_with(end)).unwrap();
            assert_eq!([t.records - t.rejected, t.rejected], *ours, "{name}");
            assert!(expect.iter().all(|(id, count)| ids.get(id) >= Some(count)), "{name}");
        }
        in_ranges(name, &bytes, &whole);
    }
    assert_eq!(damaged, DAMAGED.len());
}

/// Ranges of chunks give together what the whole file gives.
fn in_ranges(name: &str, bytes: &[u8], whole: &Read) {
    let count = evtx::chunk_count(bytes);
    for size in [1, 2, 5] {
        let (mut facts, mut rejects) = (Vec::new(), Vec::new());
        let mut records = 0;
        for start in (0..count).step_by(size) {
            let range = start..(start + size).min(count);
            let tally = evtx::facts_of_chunks(bytes, range, &mut |item| match item {
                Ok(fact) => facts.push(fact),
                Err(reject) => rejects.push(reject),
            });
            records += tally.records;
        }
        assert_eq!(records, whole.tally.records, "{name}");
        assert_eq!(facts, whole.facts, "{name}");
        assert_eq!(rejects, whole.rejects, "{name}");
    }
}

#[test]
fn changes_in_real_evtx() {
    let Some(folder) = real() else { return };
    let folder = folder.join("evtx/account-changes/mdecrevoisier");
    for (name, expect) in [
        (
            "ID4720-4726 Fast created-deleted user.evtx",
            &[
                "#1 2020-07-12T05:10:08.442192900Z created OFFSEC\\admin-kriss by OFFSEC\\lambda-user",
                "#2 2020-07-12T05:11:26.431601500Z deleted OFFSEC\\admin-kriss by OFFSEC\\lambda-user",
            ][..],
        ),
        (
            "ID4724-5145-password reset with setNTLM (Mimikatz).evtx",
            &[
                "#6 2021-12-04T22:09:13.680127400Z password_reset OFFSEC\\hacker2 by OFFSEC\\admmig",
                "#7 2021-12-04T22:09:13.680793700Z password_set OFFSEC\\hacker2 by OFFSEC\\admmig",
            ],
        ),
        (
            "ID4781-4738-User renamed to admin or likely.evtx",
            &[
                "#1 OFFSEC\\adminupn42 None",
                "#2 2021-04-26T08:46:53.026833700Z renamed OFFSEC\\adminupn42 once hacker42 by OFFSEC\\admmig",
            ],
        ),
        (
            // Named like a computer, so that lists of users leave it out.
            "ID472, 4728 Hidden user creation.evtx",
            &[
                "#6 2022-01-24T17:03:25.002561700Z created FS03VULN\\3teamssixf$ by OFFSEC\\admmig",
                "#7 2022-01-24T17:03:25.002561700Z enabled FS03VULN\\3teamssixf$ by OFFSEC\\admmig",
                "#8 2022-01-24T17:03:25.002561700Z enabled FS03VULN\\3teamssixf$ by OFFSEC\\admmig",
                "#9 2022-01-24T17:03:25.002561700Z password_reset FS03VULN\\3teamssixf$ by OFFSEC\\admmig",
                "#16 2022-01-24T17:03:25.009874100Z deleted FS03VULN\\3teamssixf$ by OFFSEC\\admmig",
                "#20 FS03VULN\\3teamssixf$ None",
            ],
        ),
    ] {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let got: Vec<String> = read("evtx", &bytes).facts.iter().map(shown).collect();
        assert_eq!(got, expect, "{name}");
    }
}

#[test]
fn changes_in_real_xml() {
    let Some(folder) = real() else { return };
    let folder = folder.join("events");
    let user = "CONTOSO\\dadmin";
    let mut files = 0;
    for entry in std::fs::read_dir(folder.join("ez-evtxecmd-maps")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(sniffed(&bytes), ["xml"], "{path:?}");
        let got = read("xml", &bytes);
        assert_eq!((got.tally.records, got.tally.rejected), (1, 0), "{path:?}");
        let facts: Vec<String> = got.facts.iter().map(shown).collect();
        let expect = match path.file_stem().unwrap().to_str().unwrap() {
            "4723" => format!(":1 2015-08-22T01:32:51.494558Z password_changed {user} by {user}"),
            "4724" => {
                format!(":1 2015-08-22T01:58:21.725864900Z password_reset CONTOSO\\User1 by {user}")
            }
            "4725" => {
                format!(":1 2015-08-21T23:55:07.657358900Z disabled CONTOSO\\Auditor by {user}")
            }
            "4726" => {
                format!(":1 2015-08-22T00:52:25.104613800Z deleted CONTOSO\\ksmith by {user}")
            }
            "4740" => {
                ":1 2020-10-03T08:22:47.875Z locked_out username by DOMAIN\\DOMAIN$".to_owned()
            }
            "4776" => ":1 2018-07-11T05:42:11.176833100Z validation of tdungan by BASE-RD-01 false"
                .to_owned(),
            // SM_… is Exchange's own, 4781 a builtin group, 5136 only the value that went, 5141 a computer.
            _ => String::new(),
        };
        assert_eq!(facts.join("\n"), expect, "{path:?}");
        files += 1;
    }
    assert_eq!(files, 20);
    let mut told = Vec::new();
    for entry in std::fs::read_dir(folder.join("ipban")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(sniffed(&bytes), ["xml"], "{path:?}");
        let Read { tally: t, facts, .. } = read("xml", &bytes);
        assert_eq!(t.rejected, 0, "{path:?}");
        assert_eq!(t.records as usize, bytes.windows(8).filter(|w| w == b"</Event>").count());
        told.extend(facts.iter().map(shown));
    }
    told.sort();
    let validation = ":1 2025-10-29T20:48:38.001732500Z validation of user1 by 110.125.1.22 false";
    assert_eq!(told, [validation, IPBAN]);
}

/// An attempt with a name that nobody has, at an Exchange server.
const IPBAN: &str = ":202 2020-04-05T19:12:41.597844900Z Refused(NoSuchUser) example.com\\testuser \
    from 21.25.29.33 worker 9136 by Negotiate on srv-xch03.example.com";

/// The authors of open-xp-rules say what they read from each event: `*.norm.json`.
#[test]
fn changes_in_real_json() {
    let Some(folder) = real() else { return };
    let folder = folder.join("events/open-xp-rules");
    let mut told = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".norm.json") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(sniffed(&bytes), ["json"], "{name}");
        let got = read("json", &bytes);
        if ["wmi_4723_raw_2.txt", "wmi_4724_raw_2.txt", "wmi_4726_raw_1.txt"]
            .contains(&name.as_str())
        {
            // Successes whose time has no zone.
            assert!(got.rejects[0].reason.to_string().contains("--tz"), "{name}");
            continue;
        }
        assert_eq!(got.tally.rejected, 0, "{name}: {:?}", got.rejects);
        let norm = folder.join(name.replace("_raw_", "_norm_").replace(".txt", ".norm.json"));
        let Ok(norm) = std::fs::read(norm) else { continue };
        let norm: serde_json::Value = serde_json::from_slice(&norm).unwrap();
        let text = |key: &str| norm[key].as_str().unwrap_or_default().to_owned();
        let expect = if text("status") == "failure" {
            ""
        } else {
            word(&text("msgid"), &text("object.new_value"))
        };
        let changes: Vec<&str> = got
            .facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Change(change) => Some(change),
                _ => None,
            })
            .map(|change| {
                let lower = |text: &Option<String>| text.clone().unwrap_or_default().to_lowercase();
                let at = change.time.to_rfc3339_opts(SecondsFormat::Millis, true);
                assert_eq!(at, text("time"), "{name}");
                assert_eq!(lower(&change.account.sam_account_name), text("object.account.name"));
                assert_eq!(change.account.sid.clone().unwrap(), text("object.account.id"));
                let by =
                    format!("{}\\{}", text("subject.account.domain"), text("subject.account.name"));
                assert_eq!(lower(&change.actor), by, "{name}");
                change.kind.word()
            })
            .collect();
        assert_eq!(changes.join(" "), expect, "{name}");
        *told.entry(expect).or_insert(0) += changes.len();
    }
    for kind in ["created", "enabled", "disabled", "deleted", "password_changed", "password_reset"]
    {
        assert!(told.get(kind) > Some(&0), "no {kind} among them: {told:?}");
    }
}

/// What a norm.json should come to. No 4738 there is of a domain controller that set a password, and
/// the 4781 is of a builtin group.
fn word(msgid: &str, new_value: &str) -> &'static str {
    match msgid {
        "4720" => "created",
        "4722" => "enabled",
        "4723" => "password_changed",
        "4724" => "password_reset",
        "4725" => "disabled",
        "4726" => "deleted",
        "4738" if new_value.contains("Account disable: enabled") => "disabled",
        "4738" if new_value.contains("Account disable: disabled") => "enabled",
        _ => "",
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// `read` checks that nothing is lost; here, that nothing panics either.
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let mut file = b"ElfFile\0".to_vec();
        file.resize(4096, 0);
        file.extend(b"ElfChnk\0");
        file.extend(&bytes);
        read("evtx", &file);
        for kind in ["evtx", "xml", "json", "csv"] {
            sniffed(&bytes);
            read(kind, &bytes);
        }
    }

    /// Text that looks like events comes further than noise does.
    #[test]
    fn any_fragments(parts in proptest::collection::vec(0..FRAGMENTS.len(), 0..60)) {
        let text: String = parts.iter().map(|part| FRAGMENTS[*part]).collect();
        for kind in ["xml", "json", "csv"] {
            sniffed(text.as_bytes());
            read(kind, text.as_bytes());
        }
    }

    #[test]
    fn mutated_samples(
        which in 0..COUNTS.len(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
        shorten in any::<bool>(),
    ) {
        let (name, kind, _) = COUNTS[which];
        let mut bytes = sample(name);
        // Most of an EVTX chunk is free space.
        let busy = if kind == "evtx" { bytes.len().min(14_000) } else { bytes.len() };
        for (at, byte) in edits {
            bytes[at.index(busy)] = byte;
        }
        if shorten {
            bytes.truncate(cut.index(busy));
        }
        sniffed(&bytes);
        read(kind, &bytes);
    }
}

const FRAGMENTS: &[&str] = &[
    "<Event>",
    "</Event>",
    "<Event xmlns='x'>",
    "<System>",
    "</System>",
    "<EventID>4725</EventID>",
    "<EventID>4624</EventID>",
    "<EventData>",
    "</EventData>",
    "<Data Name='TargetUserName'>",
    "ada",
    "</Data>",
    "<TimeCreated SystemTime='2026-03-02T09:00:00Z'/>",
    "&amp;",
    "&x;",
    "&#0;",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?xml",
    "\n",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    ":",
    ",",
    "\"Event\":",
    "\"System\":",
    "\"EventID\":4725",
    "\"EventData\":",
    "\"TargetUserName\":\"ada\"",
    "Record 1\n",
    "\"TimeCreated\":\"/Date(1)/\"",
    "\"Id\":4738",
    "\"Properties\":[",
    "{\"Value\":\"x\"}",
    "null",
    "\"_source\":",
    "\"_raw\":\"<Event>\"",
    "EventId,Payload,Provider\n",
    "4725,",
    "\"\"",
    "'",
    "é",
    "\u{0}",
];

/// The damaged files of others, damaged further.
#[test]
fn mutated_real_evtx() {
    let Some(folder) = real() else { return };
    let folder = folder.join("evtx/account-changes/mdecrevoisier");
    let mut seed = 0x5111_u64;
    let mut random = |below: usize| {
        // xorshift: the same run every time.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    for name in
        ["ID4720-4726 Fast created-deleted user.evtx", "ID472, 4728 Hidden user creation.evtx"]
    {
        let sound = std::fs::read(folder.join(name)).unwrap();
        let cases = std::env::var("STILLIN_CASES").map_or(200, |n| n.parse().unwrap());
        for _ in 0..cases {
            let mut bytes = sound.clone();
            for _ in 0..=random(20) {
                let at = 4096 + random(30_000);
                bytes[at] = random(256) as u8;
            }
            if random(4) == 0 {
                bytes.truncate(4096 + random(65_536));
            }
            read("evtx", &bytes);
        }
    }
}
