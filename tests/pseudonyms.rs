//! `--pseudonymize` over every story and every output: nothing that the sources know in clear stands in what is written.

use crate::scenarios::{more, stories};
use crate::support::{Folder, Ran, files_under, root, run_words};
use bstr::ByteSlice;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

/// Every output, by the name of its file.
const OUTPUTS: &[&str] = &[
    "r.json",
    "r.txt",
    "plan.json",
    "r.ps1",
    "r.cmd",
    "r.yml",
    "r.html",
    "r.md",
    "r.xlsx",
    "findings.csv",
    "exposure.jsonl",
    "timeline.jsonl",
    "ecs.jsonl",
];
const ROWS: &[&str] = &["rows.csv", "rows.jsonl", "rows.parquet"];

/// Runs a story into a folder, under a key or in clear.
fn analyze(folder: &Folder, story: &str, key: Option<&Path>, rows: &str) -> Ran {
    analyze_path(folder, &format!("samples/scenarios/{story}"), more(story), key, rows)
}

fn analyze_path(folder: &Folder, path: &str, more: &[&str], key: Option<&Path>, rows: &str) -> Ran {
    let mut words: Vec<String> = vec!["analyze".into(), path.into(), "-q".into()];
    for name in OUTPUTS {
        words.extend(["-o".into(), folder.join(name).display().to_string()]);
    }
    words.extend(["--requests".into(), folder.join(rows).display().to_string()]);
    words.extend(more.iter().map(|word| (*word).to_owned()));
    if let Some(key) = key {
        words.extend(["--pseudonymize".into(), key.display().to_string()]);
    }
    run_words(words)
}

/// Texts under these keys, anywhere in a report.
fn texts(value: &Value, keys: &[&str], found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if keys.contains(&key.as_str()) => {
                        found.insert(text.clone());
                    }
                    Value::Array(list) if keys.contains(&key.as_str()) => {
                        found.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => {}
                }
                texts(value, keys, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| texts(value, keys, found)),
        _ => {}
    }
}

/// Names in the change evidence of a story: what has the form of one, and the values of the usual attributes.
fn names_of_exports(story: &str) -> BTreeSet<String> {
    const MARKS: &[&str] = &[
        "Name=\"TargetUserName\">",
        "Name=\"SubjectUserName\">",
        "Name=\"TargetDomainName\">",
        "Name=\"MemberName\">",
        "sAMAccountName: ",
        "userPrincipalName: ",
        "mail: ",
        "cn: ",
    ];
    let mut names = BTreeSet::new();
    for file in files_under(&root().join("samples/scenarios").join(story).join("ad")) {
        let bytes = fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let word = |c: char| !(c.is_alphanumeric() || "@\\.-_$".contains(c));
        for token in text.split(word).map(|token| token.trim_matches(['.', '-'])) {
            let is_name = token.contains('@') && !token.starts_with('@') && !token.ends_with('@')
                || token.starts_with("S-1-5-21-")
                || token.split_once('\\').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty());
            if is_name {
                names.insert(token.to_owned());
            }
        }
        for mark in MARKS {
            let behind = text.split(mark).skip(1);
            names.extend(
                behind.filter_map(|rest| Some(rest.split(['<', '\r', '\n']).next()?.to_owned())),
            );
        }
    }
    names
}

/// All that must not be found: names whole and in parts, SIDs, addresses, devices.
fn clear(story: &str, report: &Value) -> BTreeSet<String> {
    let mut clear = BTreeSet::new();
    texts(report, &["account", "accounts", "actor", "name", "sid", "device", "ip"], &mut clear);
    clear.remove("stillin");
    clear.extend(names_of_exports(story));
    let parts = clear.iter().flat_map(|name| name.split(['\\', '@'])).map(str::to_owned);
    let mut all: BTreeSet<String> = parts.chain(clear.iter().cloned()).collect();
    all = all.into_iter().map(|name| name.trim().to_lowercase()).collect();
    // Servers stay, and so does what Windows has everywhere.
    let mut servers = BTreeSet::new();
    texts(report, &["server", "controller"], &mut servers);
    let servers: BTreeSet<String> = servers.into_iter().map(|name| name.to_lowercase()).collect();
    let is_common = |name: &str| {
        let host = name.trim_end_matches('$');
        servers.contains(host) || ["", "-", "system", "nt authority"].contains(&name)
    };
    all.retain(|name| !is_common(name) && name.len() > 1);
    all
}

/// A text as it is looked through: as UTF-8 and as it stands, both in lower case.
struct Haystack {
    lower: Vec<u8>,
    plain: Vec<u8>,
}

impl Haystack {
    fn new(bytes: &[u8]) -> Haystack {
        let lower = String::from_utf8_lossy(bytes).to_lowercase().into_bytes();
        Haystack { lower, plain: bytes.to_ascii_lowercase() }
    }

    /// Whether a text stands in it, as UTF-8 or UTF-16, in any case; a short one as a word of its own.
    fn has(&self, name: &str) -> bool {
        let is_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let is_apart = |at: usize| {
            !is_word(at.checked_sub(1).map(|at| &self.lower[at]))
                && !is_word(self.lower.get(at + name.len()))
        };
        self.lower.find_iter(name).any(|at| name.len() >= 5 || is_apart(at))
            || self.plain.find(&wide).is_some()
    }
}

/// What stands in an output: a workbook is unpacked, and of a page that is left out which is the same in every one.
fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    match path.extension().and_then(|end| end.to_str()) {
        Some("xlsx") => {
            let mut workbook = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
            let mut all = Vec::new();
            for index in 0..workbook.len() {
                workbook.by_index(index).unwrap().read_to_end(&mut all).unwrap();
            }
            all
        }
        Some("html") => {
            let mut page = String::from_utf8(bytes).unwrap();
            for (from, to) in [("<style>", "</style>"), ("<script>", "</script>")] {
                let from = page.find(from).unwrap();
                let to = from + page[from..].find(to).unwrap();
                page.replace_range(from..to, "");
            }
            page.into_bytes()
        }
        // `info` is a word of ECS, and somebody's name.
        _ if path.ends_with("ecs.jsonl") => bytes.replace(br#""type":["info"]"#, ""),
        _ => bytes,
    }
}

/// Bytes with their percent encoding undone.
fn decoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some((&first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| first == b'%');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &behind[2..];
            }
            None => {
                out.push(first);
                rest = behind;
            }
        }
    }
    out
}

/// Names of clear ones that an output has, as they are or encoded.
fn found(bytes: &[u8], clear: &BTreeSet<String>) -> Vec<String> {
    let once = decoded(bytes);
    let twice = decoded(&once);
    let mut all = vec![Haystack::new(bytes)];
    all.extend((once != bytes).then(|| Haystack::new(&once)));
    all.extend((twice != once).then(|| Haystack::new(&twice)));
    let stands = |name: &&String| all.iter().any(|haystack| haystack.has(name));
    clear.iter().filter(stands).cloned().collect()
}

/// What clients send of themselves: every spelling in which a name may stand there.
#[test]
fn nothing_that_clients_sent_in_clear() {
    const AGENTS: &[&str] = &[
        "Mail/1(FABRIKAM%5Cada)",
        "Mail/1(fabrikam%5cADA)",
        "Mail/1(FABRIKAM%255Cada)",
        "Mail/1(ada%40fabrikam.example)",
        "Mail/1(%61%64%61)",
        "Mail/1+ada+x",
        "ApplDNQX7K2M0F17x",
        "xApplDNQX7K2M0F17",
        "ip203.0.113.7x",
        "Mail/1(FABRIKAM%5Cghost)",
        "ghost%40fabrikam.example",
    ];
    const COMMANDS: &[&str] =
        &["ada", "Ada", "FABRIKAM%5Cada", "ada%40fabrikam.example", "fabrikam"];
    let folder = Folder::new();
    let key = folder.write("key", "0123456789abcdef0123456789abcdef");
    folder.copy("samples/scenarios/leaver/ad", "story/ad");
    for log in files_under(&root().join("samples/scenarios/leaver/iis")) {
        let text = fs::read_to_string(&log).unwrap();
        let mut agents = AGENTS.iter().cycle();
        let mut commands = COMMANDS.iter().cycle();
        let mut line = |line: &str| {
            let agent = "Apple-iPhone14C5/2104.5033";
            let command = "Cmd=Sync&User=FABRIKAM%5Cada";
            let mut line = line.to_owned();
            if line.contains(agent) {
                line = line.replace(agent, agents.next().unwrap());
            }
            // A ping stays one, so that both are met.
            if line.contains(command) {
                let other = format!("Cmd={}&User=FABRIKAM%5Cada", commands.next().unwrap());
                line = line.replace(command, &other);
            }
            line
        };
        let text: Vec<String> = text.lines().map(&mut line).collect();
        let name = log.strip_prefix(root().join("samples/scenarios/leaver")).unwrap();
        folder.write(Path::new("story").join(name), text.join("\r\n") + "\r\n");
    }
    let story = folder.join("story").display().to_string();
    let mut clear = BTreeSet::new();
    for rows in ["rows.csv", "rows.jsonl"] {
        let ran = analyze_path(&folder, &story, &[], None, rows);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        let report = fs::read(folder.join("r.json")).unwrap();
        let report: Value = serde_json::from_slice(&report).unwrap();
        assert_eq!(report["findings"].as_array().unwrap().len(), 1);
        clear.extend(self::clear("leaver", &report));
        clear.extend(
            ["ghost", "fabrikam\\ghost", "ghost@fabrikam.example", "ada@fabrikam.example"]
                .map(str::to_owned),
        );
        // All of it is there to be found.
        let bytes = read(&folder.join(rows));
        for name in ["fabrikam\\ada", "ada@fabrikam.example", "fabrikam\\ghost", "appldnqx7k2m0f17"]
        {
            assert!(found(&bytes, &clear).contains(&name.to_owned()), "{name}");
        }
        let text = String::from_utf8_lossy(&bytes);
        for sent in AGENTS.iter().chain(COMMANDS) {
            assert!(text.contains(sent), "{sent}");
        }
        let ran = analyze_path(&folder, &story, &[], Some(&key), rows);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        for output in OUTPUTS.iter().chain([&rows]) {
            let bytes = read(&folder.join(output));
            let found = found(&bytes, &clear);
            let text = String::from_utf8_lossy(&bytes);
            assert!(found.is_empty(), "{output}: {found:?}\n{text}");
            let device = text.to_lowercase().contains("appldnqx7k2m0f17");
            assert!(!device && !text.contains("203.0.113.7"), "{output}: {text}");
        }
    }
}

#[test]
fn nothing_in_clear() {
    let folder = Folder::new();
    let key = folder.write("key", "0123456789abcdef0123456789abcdef");
    let mut n_names = 0;
    for (story, rows) in stories().iter().zip(ROWS.iter().cycle()) {
        let ran = analyze(&folder, story, None, rows);
        assert!(matches!(ran.status, 0 | 1), "{story}: {}", ran.stderr);
        let report = fs::read(folder.join("r.json")).unwrap();
        let clear = clear(story, &serde_json::from_slice(&report).unwrap());
        assert!(clear.len() >= 4, "{story}: {clear:?}");
        // The search finds what is there.
        assert!(found(&report, &clear).len() >= 3, "{story}");
        n_names += clear.len();
        let ran = analyze(&folder, story, Some(&key), rows);
        assert!(matches!(ran.status, 0 | 1), "{story}: {}", ran.stderr);
        // Parquet packs its pages, so little of it could be found; its rows are those of the other forms.
        for output in OUTPUTS.iter().chain([rows]) {
            let bytes = read(&folder.join(output));
            let found = found(&bytes, &clear);
            let text = String::from_utf8_lossy(&bytes);
            assert!(found.is_empty(), "{story}: {output}: {found:?}\n{text}");
        }
    }
    assert!(n_names > 200, "only {n_names} names");
}

/// Words of a text that are pseudonyms.
fn pseudonyms(text: &str) -> BTreeSet<String> {
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
    let kinds = ["user-", "dom-", "sid-", "addr-", "device-", "key-"];
    let words = text.split(word).filter(|word| kinds.iter().any(|kind| word.starts_with(kind)));
    words.filter(|word| word.len() >= 15).map(str::to_owned).collect()
}

#[test]
fn the_key_alone_tells_which() {
    let folder = Folder::new();
    let key = folder.write("key", "0123456789abcdef0123456789abcdef");
    let other = folder.write("other", "fedcba9876543210fedcba9876543210");
    let mut all = Vec::new();
    for key in [&key, &key, &other] {
        let ran = analyze(&folder, "leaver", Some(key), "rows.jsonl");
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        all.push((read("r.json"), read("rows.jsonl")));
    }
    assert_eq!(all[0], all[1]);
    let (one, two) = (pseudonyms(&all[0].0), pseudonyms(&all[2].0));
    assert!(one.len() >= 5 && one.len() == two.len(), "{one:?} {two:?}");
    assert!(one.is_disjoint(&two), "{one:?} {two:?}");
    // Another report with the same key tells of the same account.
    let ran = analyze(&folder, "schemes-w3c", Some(&key), "rows.jsonl");
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let again = pseudonyms(&fs::read_to_string(folder.join("r.json")).unwrap());
    assert!(one.intersection(&again).any(|word| word.starts_with("user-")), "{one:?} {again:?}");
}

/// What was found is the same, in the same order, under other names.
#[test]
fn the_findings_are_the_same() {
    let folder = Folder::new();
    let key = folder.write("key", "0123456789abcdef0123456789abcdef");
    for story in stories() {
        let mut shapes = Vec::new();
        for key in [None, Some(key.as_path())] {
            let ran = analyze(&folder, &story, key, "rows.jsonl");
            let report: Value =
                serde_json::from_slice(&fs::read(folder.join("r.json")).unwrap()).unwrap();
            let finding = |finding: &Value| {
                let paths = finding["paths"].as_array().unwrap().iter();
                let paths: Vec<Value> = paths
                    .map(|path| {
                        Value::from_iter([
                            path["server"].clone(),
                            path["state"].clone(),
                            path["last"].clone(),
                        ])
                    })
                    .collect();
                (finding["id"].clone(), finding["residual"].clone(), finding["at"].clone(), paths)
            };
            let findings: Vec<_> =
                report["findings"].as_array().unwrap().iter().map(finding).collect();
            let steps: Vec<_> = report["plan"]
                .as_array()
                .unwrap()
                .iter()
                .map(|step| {
                    (
                        step["server"].clone(),
                        step["pool"].clone(),
                        step["why"].clone(),
                        step["accounts"].as_array().unwrap().len(),
                    )
                })
                .collect();
            let rows = fs::read_to_string(folder.join("rows.jsonl")).unwrap().lines().count();
            shapes.push((ran.status, findings, steps, rows));
        }
        assert_eq!(shapes[0], shapes[1], "{story}");
    }
}
