//! Every sample of a directory export, with what it tells and what it cannot tell; and what holds
//! for any bytes.

use proptest::prelude::*;
use stillin_parsers::event::{Fact, Identity, Precision};
use stillin_parsers::evidence::{Tally, facts};
use stillin_parsers::kind::{Kind, sniff};
use stillin_parsers::time::LocalTime;
use stillin_parsers::{ad_csv, change_list, ldif, repl_metadata};

/// Takes a file for its own.
type Sniff = fn(&[u8]) -> bool;

const KINDS: &[(Kind, Sniff)] = &[
    (Kind::AdCsv, ad_csv::sniff),
    (Kind::ChangeList, change_list::sniff),
    (Kind::ReplMetadata, repl_metadata::sniff),
    (Kind::Ldif, ldif::sniff),
];

fn sample(name: &str) -> Vec<u8> {
    let path = format!("{}/../samples/ad/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn zone(name: &str) -> LocalTime {
    LocalTime { zone: name.parse().ok(), date_order: None }
}

fn kinds(bytes: &[u8]) -> Vec<Kind> {
    KINDS.iter().filter(|(_, sniff)| sniff(bytes)).map(|(kind, _)| *kind).collect()
}

fn read(kind: Kind, bytes: &[u8], local: &LocalTime) -> (Tally, Vec<String>) {
    let mut lines = Vec::new();
    let mut n_rejects = 0;
    let tally = facts(kind, bytes, local, &mut |item| {
        lines.push(match item {
            Ok(fact) => shown(&fact),
            Err(reject) => {
                n_rejects += 1;
                format!("{}! {}", reject.pos.number(), reject.reason)
            }
        });
    });
    assert_eq!(tally.records, tally.told + tally.of_no_interest + tally.rejected, "{tally:?}");
    assert_eq!(tally.rejected, n_rejects, "each rejected record is one reject");
    (tally, lines)
}

/// Line, account, what happened when; `<=` where it may have happened before.
fn shown(fact: &Fact) -> String {
    match fact {
        Fact::Change(change) => {
            let bound = if change.precision == Precision::Exact { "" } else { "<= " };
            let actor =
                change.actor.as_deref().map_or(String::new(), |actor| format!(" by {actor}"));
            let time = change.time.format("%FT%T%.fZ");
            let (pos, who, what) = (change.pos.number(), who(&change.account), change.kind.word());
            format!("{pos} {who} {what} {bound}{time}{actor}")
        }
        Fact::Account { pos, account, enabled, mailbox, .. } => {
            let state =
                enabled.map_or("unknown", |enabled| if enabled { "enabled" } else { "disabled" });
            let mailbox = mailbox.map_or(String::new(), |mailbox| format!(", mailbox {mailbox:?}"));
            format!("{} {} is {state}{mailbox}", pos.number(), who(account))
        }
        Fact::Linked { pos, account, master } => {
            let (sid, domain) = (master.sid.as_deref(), master.domain.as_deref());
            let told = sid.or(domain).unwrap_or_default();
            format!("{} {} is linked to {told} {}", pos.number(), who(account), who(master))
        }
        Fact::UserAccountControlSet { pos, time, account, version } => {
            format!("{} {} uac v{version} {}", pos.number(), who(account), time.format("%FT%T%.fZ"))
        }
        Fact::AccountExpiresSet { pos, time, account } => {
            let time = time.format("%FT%T%.fZ");
            format!("{} {} accountExpires written {time}", pos.number(), who(account))
        }
        Fact::Restart(_) | Fact::Logon(_) | Fact::Validation(_) | Fact::VirtualDirectory(_) => {
            panic!("a directory does not say that")
        }
    }
}

/// One of its names.
fn who(account: &Identity) -> String {
    let names = [
        &account.sam_account_name,
        &account.user_principal_name,
        &account.distinguished_name,
        &account.sid,
        &account.guid,
    ];
    names.into_iter().flatten().next().or(account.smtp.first()).cloned().unwrap_or_default()
}

/// Kind, `records told of_no_interest rejected`, and what was told.
fn check(name: &str, local: &LocalTime, expect_kind: Kind, counts: [u64; 4], expect: &[&str]) {
    let bytes = sample(name);
    assert_eq!(kinds(&bytes), [expect_kind], "{name}");
    let (tally, lines) = read(expect_kind, &bytes, local);
    assert_eq!(lines, expect, "{name}");
    let told = [tally.records, tally.told, tally.of_no_interest, tally.rejected];
    assert_eq!(told, counts, "{name}");
}

const NONE: LocalTime = LocalTime { zone: None, date_order: None };
const NO_ZONE: &str = "has no zone; say with --tz which zone the exporting machine was in";

#[test]
fn get_aduser() {
    // New York's clock is given away by the moments that are also told as FILETIME.
    check(
        "get-aduser.csv",
        &NONE,
        Kind::AdCsv,
        [4, 3, 1, 0],
        &[
            "3 ada is disabled",
            "3 ada created 2021-09-14T14:00:00Z",
            "3 ada password_set 2026-02-05T14:12:44.531Z",
            "3 ada disabled <= 2026-03-02T13:00:00Z",
            "4 bob is enabled",
            "4 bob created 2021-09-14T14:00:00Z",
            "4 bob password_set 2025-07-01T12:30:00.250Z",
            "6 carol is enabled",
            "6 carol created 2021-09-14T14:00:00Z",
            "6 carol locked_out 2026-02-27T21:05:06.125Z",
            "6 carol expired 2026-03-01T05:00:00Z",
        ],
    );
    let paris = |text: &str, offset: &str| {
        format!(
            "{text} is also told as UTC, {offset} from it, but --tz is Europe/Paris; \
             leave --tz out or name the zone of the exporting machine"
        )
    };
    check(
        "get-aduser.csv",
        &zone("Europe/Paris"),
        Kind::AdCsv,
        [4, 0, 1, 3],
        &[
            "3 ada is disabled",
            "3 ada password_set 2026-02-05T14:12:44.531Z",
            &format!("3! {}", paris("2/5/2026 9:12:44 AM", "-05:00")),
            "4 bob is enabled",
            "4 bob password_set 2025-07-01T12:30:00.250Z",
            &format!("4! {}", paris("7/1/2025 8:30:00 AM", "-04:00")),
            "6 carol is enabled",
            "6 carol locked_out 2026-02-27T21:05:06.125Z",
            "6 carol expired 2026-03-01T05:00:00Z",
            &format!("6! {}", paris("3/1/2026 12:00:00 AM", "-05:00")),
        ],
    );
}

#[test]
fn get_aduser_of_other_cultures() {
    check(
        "get-aduser-semicolon-dmy.csv",
        &zone("Europe/Paris"),
        Kind::AdCsv,
        [2, 2, 0, 0],
        &[
            "2 ada is disabled",
            "2 ada created 2021-09-14T14:00:00Z",
            "2 ada password_set 2026-02-05T14:12:44Z",
            "2 ada disabled <= 2026-03-02T13:00:00Z",
            "3 bob is enabled",
            "3 bob created 2021-09-14T14:00:00Z",
            "3 bob password_set 2025-07-01T12:30:00Z",
        ],
    );
    check(
        "get-aduser-semicolon-dmy.csv",
        &NONE,
        Kind::AdCsv,
        [2, 0, 0, 2],
        &[
            "2 ada is disabled",
            &format!("2! 2026-02-05 15:12:44 {NO_ZONE}"),
            "3 bob is enabled",
            &format!("3! 2025-07-01 14:30:00 {NO_ZONE}"),
        ],
    );
    check(
        "get-aduser-no-zone.csv",
        &NONE,
        Kind::AdCsv,
        [2, 1, 0, 1],
        &["2 ada is disabled", &format!("2! 2026-02-05 14:12:44 {NO_ZONE}"), "3 carol is disabled"],
    );
    check(
        "get-aduser-ascii-and-spreadsheet.csv",
        &NONE,
        Kind::AdCsv,
        [5, 1, 1, 3],
        &[
            "2 S-1-5-21-1004336348-1177238915-682003330-1120 is disabled",
            "2 S-1-5-21-1004336348-1177238915-682003330-1120 password_set 2026-02-05T18:12:44.531Z",
            "3! the names hold `?` where letters were; export again with -Encoding UTF8",
            "4 bob is enabled",
            "4! 1.34148E+17 was a time until a spreadsheet rounded it; export it again",
            "6! 2 cells for 6 columns (header at line 1)",
        ],
    );
}

#[test]
fn search_adaccount_has_no_time_of_a_disable() {
    check(
        "search-adaccount.csv",
        &zone("America/New_York"),
        Kind::AdCsv,
        [3, 2, 1, 0],
        &["3 ada is disabled", "5 carol is disabled", "5 carol expired 2026-03-01T05:00:00Z"],
    );
}

/// Mailboxes of which all but a user's are disabled by design.
#[test]
fn mailboxes_in_every_form() {
    let accounts = [
        ("ada", "disabled", "User"),
        ("bob", "enabled", "User"),
        ("linda", "disabled", "Linked"),
        ("info", "disabled", "Shared"),
        ("room1", "disabled", "Room"),
        ("beamer", "disabled", "Equipment"),
    ];
    for (name, kind, counts) in [
        ("get-aduser-mailboxes.csv", Kind::AdCsv, [6, 6, 0, 0]),
        ("get-mailbox.csv", Kind::AdCsv, [7, 6, 1, 0]),
        ("csvde-mailboxes.csv", Kind::AdCsv, [6, 6, 0, 0]),
        ("ldifde-mailboxes.ldf", Kind::Ldif, [7, 7, 0, 0]),
    ] {
        let bytes = sample(name);
        assert_eq!((kinds(&bytes), sniff(&bytes)), (vec![kind], kind), "{name}");
        let (tally, lines) = read(kind, &bytes, &NONE);
        let told = [tally.records, tally.told, tally.of_no_interest, tally.rejected];
        assert_eq!(told, counts, "{name}");
        let master = match name {
            "get-mailbox.csv" => "CONTOSO linda",
            _ => {
                "S-1-5-21-2052111302-1957994488-725345543-1104 S-1-5-21-2052111302-1957994488-725345543-1104"
            }
        };
        let linked = lines.iter().filter(|line| line.contains(" is linked to "));
        let linked: Vec<&str> = linked.filter_map(|line| Some(line.split_once(' ')?.1)).collect();
        assert_eq!(
            linked.first(),
            Some(&format!("linda is linked to {master}").as_str()),
            "{name}"
        );
        for (account, state, mailbox) in accounts {
            let expect = format!("{account} is {state}, mailbox {mailbox}");
            assert!(
                lines.iter().any(|line| line.ends_with(&expect)),
                "{name}: {expect}: {lines:?}"
            );
        }
    }
    let (_, lines) = read(Kind::Ldif, &sample("ldifde-mailboxes.ldf"), &NONE);
    assert!(
        lines.iter().any(|line| line.ends_with("lars is disabled, mailbox Linked")),
        "{lines:?}"
    );
}

#[test]
fn names_of_get_mailbox() {
    let mut accounts = Vec::new();
    facts(Kind::AdCsv, &sample("get-mailbox.csv"), &NONE, &mut |item| match item {
        // Its times are those of the mailbox, and local.
        Ok(Fact::Account { account, changed: None, expires: None, .. }) => accounts.push(account),
        Ok(Fact::Linked { .. }) => {}
        other => panic!("{other:?}"),
    });
    let ada = &accounts[0];
    assert_eq!(ada.sam_account_name.as_deref(), Some("ada"), "not the alias");
    assert_eq!(ada.user_principal_name.as_deref(), Some("ada@fabrikam.example"));
    assert_eq!(ada.smtp, ["ada@fabrikam.example", "ada.b@old.fabrikam.example"]);
}

#[test]
fn get_recipient_tells_groups_from_accounts() {
    check(
        "get-recipient.csv",
        &NONE,
        Kind::AdCsv,
        [5, 3, 2, 0],
        &[
            "2 ada is unknown, mailbox User",
            "3 info is unknown, mailbox Shared",
            "6 discovery@fabrikam.example is unknown, mailbox System",
        ],
    );
}

#[test]
fn csvde() {
    check(
        "csvde.csv",
        &NONE,
        Kind::AdCsv,
        [4, 2, 2, 0],
        &[
            "2 ada is disabled",
            "2 ada created 2021-09-14T14:00:00Z",
            "2 ada password_set 2026-02-05T14:12:44.531Z",
            "2 ada disabled <= 2026-03-02T13:00:00Z",
            "3 jürgen is enabled",
            "3 jürgen created 2021-09-14T14:00:00Z",
        ],
    );
}

#[test]
fn ldif_of_ldifde_and_ldapsearch() {
    check(
        "ldifde.ldf",
        &NONE,
        Kind::Ldif,
        [4, 2, 2, 0],
        &[
            "1 ada is disabled",
            "1 ada created 2021-09-14T14:00:00Z",
            "1 ada password_set 2026-02-05T14:12:44.531Z",
            "1 ada disabled <= 2026-03-02T13:00:00Z",
            "22 bob is enabled",
            "22 bob created 2021-09-14T14:00:00Z",
            "22 bob password_set 2025-07-01T12:30:00.250Z",
            "22 bob expired 2026-03-01T05:00:00Z",
        ],
    );
    check(
        "ldapsearch-replmetadata.ldif",
        &NONE,
        Kind::Ldif,
        [3, 3, 0, 0],
        &[
            "10 ada is disabled",
            "10 ada created 2021-09-14T14:00:00Z",
            "10 ada disabled 2026-03-02T13:00:00Z",
            "10 ada password_set 2026-02-05T14:12:44Z",
            "79 robert is enabled",
            "79 robert uac v2 2021-09-14T14:00:01Z",
            "79 robert password_set 2026-02-20T08:00:00Z",
            "79 robert renamed 2026-01-15T09:00:00Z",
            "119 CN=Carol,OU=Staff,DC=fabrikam,DC=example is unknown",
            "119 CN=Carol,OU=Staff,DC=fabrikam,DC=example uac v4 2026-02-28T17:00:00Z",
        ],
    );
}

#[test]
fn ldif_that_is_odd_or_bad() {
    check(
        "ldif-folded-base64.ldif",
        &NONE,
        Kind::Ldif,
        [2, 2, 0, 0],
        &["4 jürgen is disabled", "4 jürgen disabled <= 2026-03-02T13:00:00Z", "17 bob is enabled"],
    );
    check(
        "ldif-bad-record.ldif",
        &NONE,
        Kind::Ldif,
        [6, 1, 0, 5],
        &[
            "1! line 4 is no `attribute: value`",
            "7! line 7: dn is no base64",
            "10! dn is missing",
            "13 carol is unknown",
            "13! userAccountControl is no number",
            "19 bob is disabled",
            "19 bob disabled <= 2026-03-03T12:15:00Z",
            "25! the search ended with `4 Size limit exceeded`: entries are missing; export again",
        ],
    );
    let carol = "CN=Carol\\0ADEL:8e3cf6c7-5a30-4d2e-9f74-2c3d4e5f6071,CN=Deleted Objects,DC=fabrikam,DC=example";
    check(
        "ldif-deleted-object.ldif",
        &NONE,
        Kind::Ldif,
        [2, 2, 0, 0],
        &[
            "1 ada is disabled",
            "1 ada disabled <= 2026-03-05T09:00:00Z",
            "1 ada deleted <= 2026-03-05T09:00:00Z",
            &format!("12 {carol} is unknown"),
            &format!("12 {carol} deleted 2026-03-05T10:00:00Z"),
        ],
    );
}

#[test]
fn repadmin() {
    check(
        "showobjmeta.txt",
        &zone("Europe/Paris"),
        Kind::ReplMetadata,
        [13, 3, 8, 2],
        &[
            "10 CN=Ada,OU=Staff,DC=fabrikam,DC=example uac v5 2026-03-02T13:00:00Z",
            "12 CN=Ada,OU=Staff,DC=fabrikam,DC=example password_set 2026-02-05T14:12:44Z",
            "23! DsReplicaGetInfo() failed with status 8453 (0x2105):",
            "34 CN=Bob,OU=Staff,DC=fabrikam,DC=example renamed 2026-01-15T09:00:00Z",
            "35! `2026-01-15 25:00:00` is no time",
        ],
    );
    let nobody =
        "nothing says whose metadata this is; write the object's DN on a line of its own above it";
    let rejects: Vec<String> = (8..=13).map(|line| format!("{line}! {nobody}")).collect();
    let rejects: Vec<&str> = rejects.iter().map(String::as_str).collect();
    check(
        "showobjmeta-no-dn.txt",
        &zone("Europe/Paris"),
        Kind::ReplMetadata,
        [8, 0, 2, 6],
        &rejects,
    );
}

#[test]
fn get_adreplicationattributemetadata() {
    check(
        "repl-metadata.csv",
        &NONE,
        Kind::ReplMetadata,
        [14, 9, 4, 1],
        &[
            "3 ada is unknown",
            "5 ada disabled 2026-03-02T13:00:00Z",
            "5 ada is disabled",
            "6 ada password_set 2026-02-05T14:12:44Z",
            "9 ada locked_out 2026-02-27T21:05:06.125Z",
            // When it expires: never.
            "10 ada is unknown",
            "12 CN=Bob,OU=Staff,DC=fabrikam,DC=example uac v3 2021-09-14T14:00:01Z",
            "12 CN=Bob,OU=Staff,DC=fabrikam,DC=example is enabled",
            "13 CN=Bob,OU=Staff,DC=fabrikam,DC=example password_set 2025-07-01T12:30:00Z",
            "14 CN=Bob,OU=Staff,DC=fabrikam,DC=example expired 2026-03-01T05:00:00Z",
            "14 CN=Bob,OU=Staff,DC=fabrikam,DC=example is unknown",
            "15 CN=Carol,OU=Staff,DC=fabrikam,DC=example uac v4 2026-02-28T17:00:00Z",
            "16! `someday` is no time",
        ],
    );
    let (tally, _) = read(Kind::ReplMetadata, &sample("repl-metadata.csv"), &zone("Europe/Paris"));
    assert_eq!((tally.told, tally.rejected), (0, 13), "not one time fits that zone");
}

#[test]
fn change_lists() {
    check(
        "change-list.csv",
        &zone("Europe/Paris"),
        Kind::ChangeList,
        [7, 4, 1, 2],
        &[
            "2 ada disabled 2026-03-02T13:00:00Z by FABRIKAM\\helpdesk",
            "3 bob@fabrikam.example password_reset 2026-03-02T13:05:00Z",
            "4 S-1-5-21-1004336348-1177238915-682003330-1106 deleted 2026-03-02T13:10:00Z by hr",
            "5 CN=Dan,OU=Staff,DC=fabrikam,DC=example expired 2026-03-02T13:20:00Z",
            "7! `disabeld` is no change; did you mean disabled?",
            "8! 2026-03-02 has no time of day; write it as 2024-08-01T14:30:00+02:00",
        ],
    );
    check(
        "change-list-tab-former.csv",
        &zone("+01:00"),
        Kind::ChangeList,
        [1, 1, 0, 0],
        &["2 ada renamed 2026-02-14T08:00:00Z"],
    );
    check(
        "change-list-misspelt.csv",
        &NONE,
        Kind::ChangeList,
        [1, 0, 0, 1],
        &[
            "1! no column is called account; `acount` is unknown, did you mean account? (2 rows not read)",
        ],
    );
}

#[test]
fn every_sample_is_pinned() {
    let here = include_str!("directory.rs");
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/ad")).unwrap();
    for file in folder {
        let name = file.unwrap().file_name().into_string().unwrap();
        // Samples of other kinds have their own tests.
        let ours = !kinds(&sample(&name)).is_empty();
        assert!(!ours || here.contains(&format!("\"{name}\"")), "{name}");
    }
}

#[test]
fn one_disable_is_one_time_in_every_form() {
    for (name, local) in [
        ("get-aduser.csv", NONE),
        ("get-aduser-semicolon-dmy.csv", zone("Europe/Paris")),
        ("csvde.csv", NONE),
        ("ldifde.ldf", NONE),
        ("ldapsearch-replmetadata.ldif", NONE),
        ("repl-metadata.csv", NONE),
        ("change-list.csv", NONE),
    ] {
        let bytes = sample(name);
        let (_, lines) = read(kinds(&bytes)[0], &bytes, &local);
        let disabled: Vec<&String> =
            lines.iter().filter(|line| line.contains(" ada disabled ")).collect();
        assert_eq!(disabled.len(), 1, "{name}");
        assert!(disabled[0].contains(" 2026-03-02T13:00:00Z"), "{name}: {disabled:?}");
    }
}

#[test]
fn files_of_others_are_left_alone() {
    let real = std::env::var("STILLIN_REAL")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/real").to_owned());
    for text in [
        "",
        "\0\0\0\0",
        "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time cs-username sc-status\n",
        "#Software: Microsoft Exchange Server\n#Version: 15.1\nDateTime,RequestId,AuthenticatedUser\n",
        "DateTime,RequestId,MajorVersion,AuthenticatedUser,HttpStatus\n",
        "RecordNumber,EventRecordId,TimeCreated,EventId,Level,Provider,Channel,ProcessId,ThreadId,Computer,ChunkNumber,\
         UserId,MapDescription,UserName,RemoteHost,PayloadData1,Payload\n",
        "path,line,server,pool,protocol,account,change,kind,start,end,status,win32,name,client_ip\n",
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>\n",
        "{\"Event\":{\"System\":{\"EventID\":4725}}}\n",
        "DistinguishedName,ExchangeGuid,SamAccountName,WhenChanged\n",
        "name,age,city\nada,36,London\n",
    ] {
        assert_eq!(kinds(text.as_bytes()), [], "{text}");
    }
    let mut folders = vec![std::path::PathBuf::from(real)];
    if !folders[0].is_dir() {
        #[expect(clippy::print_stdout, reason = "a test that does nothing says so")]
        {
            println!("skipped");
        }
        return;
    }
    let mut n_files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let mut bytes = std::fs::read(&path).unwrap();
                bytes.truncate(64 * 1024);
                assert_eq!(kinds(&bytes), [], "{}", path.display());
                n_files += 1;
            }
        }
    }
    assert!(n_files > 0);
}

fn any_kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![Kind::AdCsv, Kind::ChangeList, Kind::ReplMetadata, Kind::Ldif])
}

/// A sample with a few bytes replaced, or cut anywhere.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let names = [
        "get-aduser.csv",
        "get-mailbox.csv",
        "csvde-mailboxes.csv",
        "ldifde-mailboxes.ldf",
        "csvde.csv",
        "ldapsearch-replmetadata.ldif",
        "showobjmeta.txt",
        "repl-metadata.csv",
        "change-list.csv",
    ];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8);
    (prop::sample::select(names.to_vec()), edits, any::<prop::sample::Index>()).prop_map(
        |(name, edits, end)| {
            let mut bytes = sample(name);
            for (at, byte) in edits {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(end.index(bytes.len() + 1));
            bytes
        },
    )
}

/// Anything, dates with something behind them, numbers.
const TIME_LIKE: &str = concat!(
    "\\PC{0,40}",
    "|[0-9]{1,4}[-/.][0-9]{1,4}[-/.][0-9]{1,4}[ T][0-9:.]{1,12}[ AaPpMm.Zz+-]{0,8}[0-9:]{0,6}",
    "|-?[0-9]{1,20}",
);

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn any_bytes_are_counted_and_none_panics(kind in any_kind(), bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        kinds(&bytes);
        read(kind, &bytes, &NONE);
    }

    #[test]
    fn damage_is_counted_and_none_panics(kind in any_kind(), bytes in damaged()) {
        kinds(&bytes);
        read(kind, &bytes, &NONE);
        read(kind, &bytes, &zone("America/New_York"));
    }

    #[test]
    fn any_text_is_a_time_or_none(text in TIME_LIKE) {
        let told = zone("Europe/Paris").when(&text);
        // Whatever is read can be written and read again.
        if let Ok(Some((time, _))) = told {
            prop_assert_eq!(NONE.utc(&time.to_rfc3339()), Ok(Some(time)));
        }
    }
}
