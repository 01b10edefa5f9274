//! Every sample of a configuration of IIS, with what it tells.

use std::collections::BTreeMap;
use std::path::PathBuf;
use stillin_parsers::application_host::config;
use stillin_parsers::event::Fact;
use stillin_parsers::evidence::facts;
use stillin_parsers::kind::{Kind, sniff};
use stillin_parsers::time::LocalTime;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/config"))
}

/// The text as the program hands it on: UTF-8.
fn text(bytes: &[u8]) -> Vec<u8> {
    let Some(words) = bytes.strip_prefix(b"\xff\xfe") else { return bytes.to_vec() };
    let units = words.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
    char::decode_utf16(units).map(Result::unwrap).collect::<String>().into_bytes()
}

/// Records, told, of no interest, rejected; then each fact or reject.
fn read(bytes: &[u8]) -> (String, Vec<String>) {
    let mut lines = Vec::new();
    let tally = facts(Kind::IisConfig, bytes, &LocalTime::default(), &mut |item| {
        lines.push(match item {
            Ok(Fact::VirtualDirectory(directory)) => {
                let methods = directory.methods;
                let on = [
                    (methods.anonymous, "anonymous"),
                    (methods.basic, "basic"),
                    (methods.windows, "windows"),
                    (methods.negotiate, "negotiate"),
                    (methods.ntlm, "ntlm"),
                    (methods.auth_persist_non_ntlm, "persists"),
                ];
                let on = on.iter().filter(|(is_on, _)| *is_on).map(|(_, word)| *word);
                let on = on.collect::<Vec<_>>().join(" ");
                let place = directory.pos.number();
                format!("{place} {} {}: {on}", directory.path, directory.pool)
            }
            Ok(other) => panic!("a configuration does not say {other:?}"),
            Err(reject) => format!("{}! {}", reject.pos.number(), reject.reason),
        });
    });
    let counts = [tally.records, tally.told, tally.of_no_interest, tally.rejected];
    (counts.map(|n| n.to_string()).join(" "), lines)
}

const EXCHANGE_2019: [&str; 9] = [
    "26 /owa MSExchangeOWAAppPool: anonymous basic negotiate ntlm",
    "29 /owa/Integrated MSExchangeOWAAppPool: windows negotiate ntlm",
    "32 /ecp MSExchangeECPAppPool: anonymous basic negotiate ntlm",
    "35 /Microsoft-Server-ActiveSync MSExchangeSyncAppPool: basic negotiate ntlm",
    "38 /EWS MSExchangeServicesAppPool: anonymous windows negotiate ntlm",
    "41 /mapi MSExchangeMapiFrontEndAppPool: windows negotiate ntlm persists",
    "44 /rpc MSExchangeRpcProxyFrontEndAppPool: basic windows negotiate ntlm",
    "47 /Autodiscover MSExchangeAutodiscoverAppPool: anonymous basic windows negotiate ntlm",
    "50 /OAB MSExchangeOABAppPool: windows negotiate ntlm",
];

const CURE: &str = r"; copy it again, from %windir%\System32\inetsrv\config";

#[test]
fn each_sample_tells_what_it_is_pinned_to() {
    let ews_basic = EXCHANGE_2019.map(|line| match line.contains("/EWS") {
        true => line.replace("anonymous windows", "anonymous basic windows"),
        false => line.to_owned(),
    });
    let cut_short = format!("118! cut short{CURE}");
    let bad_flag = format!("80! enabled is neither true nor false{CURE}");
    let pinned: BTreeMap<&str, (&str, Vec<&str>)> = BTreeMap::from([
        ("exchange-2019.config", ("12 9 3 0", EXCHANGE_2019.to_vec())),
        ("ews-basic-utf16le.config", ("12 9 3 0", ews_basic.iter().map(String::as_str).collect())),
        ("cut-short.config", ("1 0 0 1", vec![&cut_short])),
        ("bad-flag.config", ("1 0 0 1", vec![&bad_flag])),
        (
            "inherited.config",
            (
                "5 4 1 0",
                vec![
                    "9 /EWS MailPool: windows negotiate",
                    "10 /Microsoft-Server-ActiveSync Own: basic windows negotiate",
                    "11 /rpc DefaultAppPool: basic windows negotiate",
                    "44 /ews/bulk MailPool: basic windows negotiate",
                ],
            ),
        ),
        ("hostile-text.config", ("1 1 0 0", vec![r"7 /EWS x'; Remove-Item C:\: anonymous"])),
    ]);
    let mut files: Vec<_> =
        std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap()).collect();
    files.sort_by_key(|file| file.file_name());
    for file in &files {
        let name = file.file_name().into_string().unwrap();
        let bytes = text(&std::fs::read(file.path()).unwrap());
        assert_eq!(sniff(&bytes), Kind::IisConfig, "{name}");
        let (counts, lines) = read(&bytes);
        let pin = pinned.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no row"));
        assert_eq!((counts.as_str(), lines.iter().map(String::as_str).collect()), *pin, "{name}");
    }
    assert_eq!(files.len(), pinned.len());
}

#[test]
fn sites_with_ids_ports_and_folders() {
    let sites = |name: &str| {
        let bytes = std::fs::read(folder().join(name)).unwrap();
        let sites = config(&bytes).unwrap().sites.into_iter();
        let site = |site: stillin_parsers::application_host::Site| {
            (site.name, site.id, site.ports, site.log_directory.unwrap_or_default())
        };
        sites.map(site).collect::<Vec<_>>()
    };
    let logs = r"%SystemDrive%\inetpub\logs\LogFiles".to_owned();
    assert_eq!(
        sites("exchange-2019.config"),
        [
            ("Default Web Site".to_owned(), 1, vec![80, 443], logs.clone()),
            ("Exchange Back End".to_owned(), 2, vec![81, 444], logs),
        ]
    );
    assert_eq!(
        sites("inherited.config"),
        [("Mail & More".to_owned(), 7, vec![443], r"D:\logs".to_owned())]
    );
}
