//! Nights under pseudonyms: reports without a name in clear, and none that another key, or none, made.

use super::{LIST, nightly, settings, statuses};
use crate::support::{Folder, Ran, run, stillin};
use std::fs;

const OUTPUTS: [&str; 4] = ["report.json", "report.html", "report.xlsx", "timeline.jsonl"];

fn night(folder: &Folder, day: &str, words: &[&str]) -> Ran {
    let mut command = stillin();
    command.current_dir(folder.path()).args(["nightly", "--now", day]).args(words);
    run(&mut command, b"")
}

fn read(folder: &Folder, name: &str) -> String {
    String::from_utf8_lossy(&fs::read(folder.join(name)).unwrap()).to_lowercase()
}

#[test]
fn nobody_is_named() {
    let ada = "2026-03-02T09:00:00Z,FABRIKAM\\ada,disabled,FABRIKAM\\helpdesk\n";
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/iis", "logs/iis");
    folder.write("ad/list.csv", format!("{LIST}{ada}"));
    folder.write("key", "a key that is long enough for anybody to use");
    folder.write("other", "another key that is long enough for anybody");
    let exclude = "[[nightly.exclude]]\naccount = 'FABRIKAM\\mallory'\nreason = \"known\"\nuntil = 2026-03-10\n";
    let outputs =
        "outputs = [\"report.json\", \"report.html\", \"report.xlsx\", \"timeline.jsonl\"]";
    settings(&folder, "", exclude);
    let config = fs::read_to_string(folder.join("stillin.toml")).unwrap();
    let config = config.replace("outputs = [\"report.json\"]", outputs);
    folder.write("stillin.toml", &config);
    let is_clear = |name: &str| {
        let text = read(&folder, name);
        ["ada\"", "\\ada", "mallory", "fabrikam", "203.0.113.7"]
            .iter()
            .any(|clear| text.contains(clear))
    };
    let with_key = ["--pseudonymize", "key"];
    let ran = night(&folder, "2026-03-03", &with_key);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(OUTPUTS.iter().all(|name| !is_clear(name)), "{}", read(&folder, "report.json"));
    assert_eq!(statuses(&folder)[0], ("FABRIKAM\\ada".to_owned(), "new".to_owned()));
    let first = OUTPUTS.map(|name| read(&folder, name));
    // Nothing changed: copies, all of them.
    let ran = night(&folder, "2026-03-04", &with_key);
    assert!(ran.stdout.contains("; 0 of 3 files"), "{}", ran.stdout);
    assert_eq!(first, OUTPUTS.map(|name| read(&folder, name)));
    // Another key, and none: nothing of before is used.
    fs::copy(folder.join("other"), folder.join("key")).unwrap();
    assert_eq!(night(&folder, "2026-03-05", &with_key).status, 0);
    for (before, name) in first.iter().zip(OUTPUTS) {
        assert!(*before != read(&folder, name) && !is_clear(name), "{name}");
    }
    assert_eq!(nightly(&folder, "2026-03-06").status, 0);
    assert!(["report.json", "report.html", "timeline.jsonl"].iter().all(|name| is_clear(name)));
    // By the settings, and in a note on somebody whom no source knows any more.
    folder.write("stillin.toml", config.replace("[nightly]", "[nightly]\npseudonymize = \"key\""));
    folder.write("ad/list.csv", LIST.replace("bob", "carol"));
    let ran = nightly(&folder, "2026-03-07");
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("FABRIKAM\\ada: disabled at "), "{}", ran.stderr);
    assert!(read(&folder, "report.json").contains("tonight's sources do not speak of it"));
    assert!(OUTPUTS.iter().all(|name| !is_clear(name)), "{}", read(&folder, "report.json"));
    folder.write("stillin.toml", config.replace("report.xlsx", "key.txt"));
    fs::copy(folder.join("other"), folder.join("key.txt")).unwrap();
    let ran = night(&folder, "2026-03-08", &["--pseudonymize", "key.txt"]);
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("key.txt: is the key of the pseudonyms"), "{}", ran.stderr);
}
