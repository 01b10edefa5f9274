//! Logs and events that others wrote, where they lie: `STILLIN_REAL`, else `../shared/real`.

use crate::support::{root, run, stillin};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// The folder; none on a machine without it.
#[allow(clippy::print_stdout, reason = "a test that did nothing has to say so")]
fn real() -> Option<PathBuf> {
    let beside = || root().join("../shared/real");
    let folder = std::env::var_os("STILLIN_REAL").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        println!("skipped: no {}", folder.display());
        return None;
    }
    Some(folder)
}

/// All sources as `inspect` sees them, by path below the folder.
fn inspected(folder: &PathBuf) -> BTreeMap<String, Value> {
    let ran = run(stillin().current_dir(folder).args(["inspect", "--format", "json", "."]), b"");
    assert!(matches!(ran.status, 0 | 1), "status {}: {}", ran.status, ran.stderr);
    let mut report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let sources = report["sources"].as_array_mut().unwrap();
    let path =
        |source: &Value| source["path"].as_str().unwrap().trim_start_matches("./").to_owned();
    sources.iter_mut().map(|source| (path(source), source.take())).collect()
}

/// What lies in each folder: number of files, records and rejects of each kind.
const KINDS: &[(&str, &str, [u64; 3])] = &[
    ("events/ez-evtxecmd-maps", "event-xml", [20, 20, 0]),
    ("events/ipban", "event-xml", [7, 68, 0]),
    // The rejects: times of WMI that no zone is told of.
    ("events/open-xp-rules", "event-json", [93, 98, 3]),
    // What another program made of the events beside them.
    ("events/open-xp-rules", "unknown", [80, 0, 0]),
    ("evtx/account-changes", "evtx", [38, 209, 0]),
    ("evtx/logons", "evtx", [33, 3343, 0]),
    ("iis/brianary-scripts", "iis-w3c", [4, 53, 4]),
    // IIS's own format, a firewall's log, a text.
    ("iis/brianary-scripts", "unknown", [3, 0, 0]),
    ("iis/crowdsec-hub", "event-xml", [1, 1, 0]),
    // Lines without #Fields.
    ("iis/ipban", "unknown", [1, 0, 0]),
    ("iis/lnav", "iis-w3c", [8, 233, 5]),
    ("iis/open-xp-rules", "unknown", [38, 0, 0]),
    ("iis/plaso", "iis-w3c", [7, 47, 0]),
];

#[test]
fn kinds() {
    let Some(folder) = real() else { return };
    let mut found: BTreeMap<(String, String), [u64; 3]> = BTreeMap::new();
    for (path, source) in inspected(&folder) {
        let kind = source["kind"].as_str().unwrap().to_owned();
        let error = source.get("error").and_then(Value::as_str).unwrap_or("");
        assert!(kind != "unknown" || !error.is_empty(), "{path}: neither a kind nor a reason");
        assert!(!error.contains("panic"), "{path}: {error}");
        let rejected = source["rejected"].as_u64().unwrap();
        let n_reasons =
            source.get("rejects").map_or(0, |rejects| rejects.as_array().unwrap().len());
        assert_eq!(rejected > 0, n_reasons > 0, "{path}: rejects without a reason");
        let folders: Vec<&str> = path.split('/').take(2).collect();
        let [files, records, rejects] = found.entry((folders.join("/"), kind)).or_default();
        *files += 1;
        *records += source["records"].as_u64().unwrap();
        *rejects += rejected;
    }
    for (folder, kind, expected) in KINDS {
        let got = found.get(&((*folder).to_owned(), (*kind).to_owned()));
        assert_eq!(got, Some(expected), "{folder}: {kind}");
    }
    // Exchange's own logs are known for what they are.
    let exchange = |kind: &str| found[&("exchange/artefacts.help".to_owned(), kind.to_owned())][0];
    assert_eq!((exchange("http-proxy"), exchange("ews-log")), (8, 1));
}

/// Against the counts of another reader, which stops at the first damage of a file.
#[test]
fn every_evtx_record() {
    let Some(folder) = real() else { return };
    let sources = inspected(&folder);
    let census = fs::read_to_string(folder.join("evtx/census.jsonl")).unwrap();
    let mut n_files = 0;
    for line in census.lines() {
        let census: Value = serde_json::from_str(line).unwrap();
        let path = census["file"].as_str().unwrap();
        let source = &sources[path];
        assert_eq!(source["kind"], "evtx", "{path}");
        let rejected = source["rejected"].as_u64().unwrap();
        let read = source["records"].as_u64().unwrap() - rejected;
        let expected = census["records"].as_u64().unwrap();
        if census["unreadable"] == 0 {
            assert_eq!((read, rejected), (expected, 0), "{path}");
        } else {
            assert!(read >= expected && rejected > 0, "{path}: {read} read, {rejected} rejected");
        }
        n_files += 1;
    }
    let n_evtx = sources.values().filter(|source| source["kind"] == "evtx").count();
    assert_eq!(n_files, n_evtx, "a file is not in the census");
}

/// The whole pile as evidence of one case: a report, whatever the threads.
#[test]
fn all_of_it_at_once() {
    let Some(folder) = real() else { return };
    let report = |threads: &str| {
        let words = ["analyze", ".", "-q", "-o", "-", "--format", "json", "--threads", threads];
        let ran = run(stillin().current_dir(&folder).args(words), b"");
        assert_eq!(ran.status, 1, "{}", ran.stderr);
        ran.stdout
    };
    let one = report("1");
    let parsed: Value = serde_json::from_str(&one).unwrap();
    let changes = parsed["changes"].as_array().unwrap();
    assert!(changes.len() > 20, "only {} changes", changes.len());
    assert!(report("8") == one);
}
