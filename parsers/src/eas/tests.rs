//! Both forms of the query, the vectors of DOMAIN.md 2.2, and whatever else a client may send.

use super::*;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use proptest::prelude::*;

fn text(value: &Option<Cow<'_, [u8]>>) -> Option<String> {
    value.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// Command, device, type, user.
fn check(query: &str, expect: Option<(Option<Command>, &str, &str, &str)>) {
    let got = parse(query.as_bytes());
    let shown = got.as_ref().map(|q| {
        let part = |value| text(value).unwrap_or_default();
        (q.command, part(&q.device_id), part(&q.device_type), part(&q.user))
    });
    let expect = expect.map(|(c, d, t, u)| (c, d.to_owned(), t.to_owned(), u.to_owned()));
    assert_eq!(shown, expect, "{query}");
    assert_eq!(command(query.as_bytes()), got.and_then(|q| q.command), "{query}");
}

#[test]
fn the_plain_form() {
    use Command::*;
    #[rustfmt::skip]
    let table: &[(&str, Option<Command>, &str, &str, &str)] = &[
        ("Cmd=Sync&User=FABRIKAM%5Cada&DeviceId=ApplDN6&DeviceType=iPhone", Some(Sync), "ApplDN6", "iPhone", "FABRIKAM\\ada"),
        ("User=johndoe&DeviceId=Appl2312SDKJ2313&DeviceType=iPhone&Cmd=Ping", Some(Ping), "Appl2312SDKJ2313", "iPhone", "johndoe"),
        ("CMD=sendmail&user=ada&DEVICEID=x&devicetype=y&SaveInSent=T", Some(SendMail), "x", "y", "ada"),
        // Encoded twice.
        ("Cmd=Sync&User=FABRIKAM%255Cada&DeviceId=A%2520B&DeviceType=a%252fb", Some(Sync), "A B", "a/b", "FABRIKAM\\ada"),
        ("User=100%25&DeviceId=%zz&DeviceType=%4", None, "%zz", "%4", "100%"),
        // What Exchange appends; the first of a key is the client's.
        ("Cmd=Ping&DeviceId=x&DeviceType=y&User=u&CorrelationID=<empty>;&cafeReqId=1&DeviceId=z&Cmd=Sync", Some(Ping), "x", "y", "u"),
        ("Cmd=Teapot&DeviceId=x", None, "x", "", ""),
        ("DeviceId=x", None, "x", "", ""),
        ("Cmd=&DeviceId=&User=&DeviceType=", None, "", "", ""),
        ("&Cmd=Options", Some(Options), "", "", ""),
    ];
    for &(query, command, device_id, device_type, user) in table {
        check(query, Some((command, device_id, device_type, user)));
    }
}

#[test]
fn the_base64_form() {
    use Command::*;
    let guid = "A81F31E18BC6F962B3674D98788A7C9A";
    #[rustfmt::skip]
    let table: &[(&str, Command, &str, &str)] = &[
        ("jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l", Sync, "v140Device", "SmartPhone"),
        ("jAkHBBCoHzHhi8b5YrNnTZh4inyaBAAAAAACV1A=", FolderSync, guid, "WP"),
        ("jBMHBBCoHzHhi8b5YrNnTZh4inyaBAAAAAACV1AHAQI=", ItemOperations, guid, "WP"),
        // Padding lost, re-encoded; what Exchange appends.
        ("jAkHBBCoHzHhi8b5YrNnTZh4inyaBAAAAAACV1A", FolderSync, guid, "WP"),
        ("jAkHBBCoHzHhi8b5YrNnTZh4inyaBAAAAAACV1A%3D", FolderSync, guid, "WP"),
        ("jAkHBBCoHzHhi8b5YrNnTZh4inyaBAAAAAACV1A=&CorrelationID=<empty>;&cafeReqId=1;", FolderSync, guid, "WP"),
        ("jAkHBBCoHzHhi8b5YrNnTZh4inyaBAAAAAACV1A=&Log=V140_Fc1_", FolderSync, guid, "WP"),
    ];
    for &(query, command, device_id, device_type) in table {
        check(query, Some((Some(command), device_id, device_type, "")));
    }
    let query = parse(b"jAkHBBCoHzHhi8b5YrNnTZh4inyaBAAAAAACV1A=").unwrap();
    assert_eq!(query.protocol_version, Some(140));
    assert_eq!(query.locale, Some(0x0407));
    assert_eq!(query.policy_key, Some(0));
    assert_eq!(parse(b"jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l").unwrap().policy_key, None);
}

#[test]
fn neither_form() {
    for query in [
        "",
        "-",
        "&",
        "&CorrelationID=<empty>;&cafeReqId=f736da3c-edea-4b41-a45d-a9770fa14a53;",
        "Log=V2TCoSSC:0A0C0D0FS:",
        // Base64, but of something else: too short, version 0, no device, policy key of 3 bytes.
        "jAAJ",
        "AAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l",
        "jAAJBAAA",
        "jAAJBAF4AwAAAAA=",
        "jAkHBBCoHzHhi8b5YrNnTZh4",
        "jAkH=BBCoHzHhi8b5YrNnTZh4inyaBAAAAAACV1A",
        "jAkHBBCoHzHhi8b5YrNnTZh4inyaBAAAAAACV1A=x",
        "<script>",
    ] {
        assert_eq!(parse(query.as_bytes()), None, "{query}");
    }
}

/// The encoder of a client, for round trips.
fn encoded(version: u8, code: u8, device_id: &[u8], key: Option<u32>, user: &[u8]) -> Vec<u8> {
    let mut bytes = vec![version, code, 7, 4, device_id.len() as u8];
    bytes.extend(device_id);
    match key {
        Some(key) => {
            bytes.push(4);
            bytes.extend(key.to_le_bytes());
        }
        None => bytes.push(0),
    }
    bytes.extend(b"\x02WP");
    bytes.extend([7, 1, 2, 8, user.len() as u8]);
    bytes.extend(user);
    bytes
}

proptest! {
    #[test]
    fn the_device_is_the_same_asked_for_alone(
        pieces in prop::collection::vec("(?i)(Cmd|User|DeviceId|DeviceType|x)?=?[a-c%0-9=]{0,5}", 0..6),
    ) {
        let query = pieces.join("&");
        let parsed = parse(query.as_bytes()).and_then(|parsed| parsed.device_id);
        prop_assert_eq!(device_id(query.as_bytes()), parsed);
    }

    #[test]
    fn every_spelling_of_base64_reads_the_same(
        code in prop::sample::select(COMMANDS.iter().filter_map(|row| row.0).collect::<Vec<_>>()),
        device_id in "[A-Za-z0-9]{1,32}",
        key in any::<Option<u32>>(),
        // A long one does not fit the room on the stack.
        user in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            prop::collection::vec(any::<u8>(), 100..250),
        ],
    ) {
        let bytes = encoded(161, code, device_id.as_bytes(), key, &user);
        let standard = BASE64_STANDARD.encode(&bytes);
        let spellings = [
            standard.clone(),
            standard.trim_end_matches('=').to_owned(),
            standard.replace('+', "%2B").replace('/', "%2f").replace('=', "%3D"),
            BASE64_URL_SAFE_NO_PAD.encode(&bytes),
            format!("{standard}&Log=V161_Error:X_&User=somebody"),
        ];
        // `User=` of the last spelling would be the plain form.
        for spelling in spellings.iter().map(|s| s.trim_end_matches("&User=somebody")) {
            let query = parse(spelling.as_bytes()).unwrap();
            prop_assert_eq!(query.command.map(|c| c.word()), Command::from_code(code).map(|c| c.word()));
            prop_assert_eq!(command(spelling.as_bytes()), query.command);
            prop_assert_eq!(text(&query.device_id), Some(device_id.clone()));
            prop_assert_eq!(super::device_id(spelling.as_bytes()), query.device_id.clone());
            prop_assert_eq!(query.policy_key, key);
            prop_assert_eq!(query.protocol_version, Some(161));
            prop_assert_eq!(query.user.as_deref(), Some(&user[..]));
        }
    }

    #[test]
    fn keys_stand_before_the_first_equals_sign(query in "([a&=]|Cmd|User|deviceid|DeviceType){0,12}") {
        let query = query.as_bytes();
        let plain = query.split(|&byte| byte == b'&').filter_map(|piece| {
            let at = piece.iter().position(|&byte| byte == b'=')?;
            Some((Key::of(&piece[..at])?, &piece[at + 1..]))
        });
        prop_assert!(key_values(query).eq(plain));
    }

    #[test]
    fn no_bytes_are_too_odd(query in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (command(&query), log_field(&query));
        prop_assert_eq!(device_id(&query), parse(&query).and_then(|parsed| parsed.device_id));
    }

    #[test]
    fn no_header_is_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = header(&bytes);
        let mut bytes = bytes;
        bytes.insert(0, 141);
        // Where the header is whole, so is the answer of the short cut.
        let query = BASE64_STANDARD.encode(&bytes);
        if let Some(parsed) = parse(query.as_bytes()) {
            prop_assert_eq!(command(query.as_bytes()), parsed.command);
            prop_assert_eq!(device_id(query.as_bytes()), parsed.device_id);
        }
    }

    #[test]
    fn whatever_follows_the_device_is_known(
        id in "[a-zA-Z0-9]{1,30}",
        behind in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let head = [&[140, 0, 9, 4, id.len() as u8], id.as_bytes(), &[0, 2], b"WP"].concat();
        let query = BASE64_STANDARD.encode([head, behind].concat());
        let parsed = parse(query.as_bytes()).and_then(|parsed| parsed.device_id);
        prop_assert_eq!(parsed.as_deref(), Some(id.as_bytes()));
        prop_assert_eq!(device_id(query.as_bytes()), parsed);
    }
}

/// A line may end in the middle of a parameter: what stands before it is known all the same.
#[test]
fn a_parameter_that_is_cut_off() {
    let query = parse(b"jAAJBAp2MTQwRGV2aWNlAAJXUAjIYWRh").unwrap();
    assert_eq!((query.command, query.user), (Some(Command::Sync), None));
    assert_eq!(query.device_id.as_deref(), Some(&b"v140Device"[..]));
    assert_eq!(device_id(b"jAAJBAp2MTQwRGV2aWNlAAJXUAjIYWRh"), query.device_id);
}

#[test]
fn every_command_has_one_word_and_one_code() {
    for row in COMMANDS {
        assert_eq!(Command::from_word(row.1.to_uppercase().as_bytes()), Some(row.2));
        assert_eq!(row.2.word(), row.1);
        if let Some(code) = row.0 {
            assert_eq!(Command::from_code(code), Some(row.2));
        }
    }
    assert_eq!(Command::from_code(5), None);
    assert_eq!(Command::from_word(b""), None);
}

#[test]
fn the_log_field() {
    let field = |client_items, server_items, mails_sent, error: Option<&'static str>| {
        let error = error.map(str::as_bytes);
        Some(LogField { client_items, server_items, mails_sent, error, ..LogField::default() })
    };
    #[rustfmt::skip]
    let table: &[(&str, Option<LogField<'_>>)] = &[
        ("Cmd=Sync&Log=V141_Fc1_Fid:21_Ty:Em_Filt3_St:S_Sk:15_Cli:0A0C0D0F0E_Srv:6a0c0d0s0e0r0A0sd_Budget:x_", field(Some(0), Some(6), None, None)),
        ("Cmd=Sync&Log=V121_Cli:0a0c0d0f0e_Srv:0a0c3d2s0e0r9A0sd_", field(Some(0), Some(0), None, None)),
        ("Cmd=Sync&Log=V121_Fid:1_Srv:1a2c0d_Fid:2_Srv:4a0c0d_Cli:0a1c1d1f5e", field(Some(3), Some(7), None, None)),
        ("Cmd=Sync&Log=V120_Svr:2A0C2D1F1E", field(None, Some(3), None, None)),
        ("Cmd=SendMail&Log=V120_Ms1_Mbx:ex01.fabrikam.example_MsgSize", field(None, None, Some(1), None)),
        ("Cmd=Ping&log=V161_Error:DeviceNotProvisioned_As:BlockedP", field(None, None, None, Some("DeviceNotProvisioned"))),
        // The client's own comes first.
        ("Cmd=Sync&Log=Srv:9a&DeviceId=x&Log=V161_Srv:0a0c_", field(None, Some(0), None, None)),
        ("Cmd=Sync&Log=", field(None, None, None, None)),
        ("Cmd=Sync&Log=Srv:_Cli:x_Srv:6_Srv:-1a_Srv:99999999999999999999999a", field(None, None, None, None)),
        ("Cmd=Sync&Log=Srv:18446744073709551615a_Srv:9a", field(None, Some(u64::MAX), None, None)),
        ("Cmd=Sync&Blog=Srv:9a", None),
        ("-", None),
        ("", None),
    ];
    for &(query, expect) in table {
        assert_eq!(log_field(query.as_bytes()), expect, "{query}");
    }
}

#[test]
fn the_log_field_names_servers() {
    for (query, expect) in [
        (
            "Cmd=Ping&Log=SC1:1_PrxFrom:10.0.0.12_Ver1:161_HH:mail_Cafe:EX02.FABRIKAM.EXAMPLE_Dc:dc1",
            &["EX02.FABRIKAM.EXAMPLE"][..],
        ),
        ("Cmd=Sync&Log=PrxFrom:fe80%3a%3a1%2512_V141_HH:mail%3a444", &["fe80::1%12"]),
        ("Cmd=Sync&Log=PrxFrom:fe80::1%12_V141", &["fe80::1%12"]),
        (
            "Cmd=Sync&Log=V140_prxto:ex03.fabrikam.example_PrxFrom:10.0.0.12",
            &["10.0.0.12", "ex03.fabrikam.example"],
        ),
        ("Cmd=Sync&Log=V141_PrxFrom:_PrxTo:_Cafe:", &[]),
        ("Cmd=Sync&Log=Cafe:typed&Log=V141_Fc1", &[]),
    ] {
        let field = log_field(query.as_bytes()).unwrap();
        let servers = field.servers().map(|name| String::from_utf8_lossy(&name).into_owned());
        assert_eq!(servers.collect::<Vec<_>>(), expect, "{query}");
    }
}
