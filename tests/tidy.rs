//! Habits of the project that no compiler holds.

use crate::support::{files_under, name_of, root};
use std::fs;
use std::path::PathBuf;

/// Files of the project: what is tracked and what is about to be, not what was built.
fn files(extension: &str) -> Vec<PathBuf> {
    let folders = ["src", "parsers", "reports", "tests", "benches", "samples", ".ci"];
    let below = folders.iter().flat_map(|folder| files_under(&root().join(folder)));
    let top = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    // In a worktree `.git` is a file that names a folder of the machine.
    let top = top.filter(|path| path.is_file() && !path.ends_with(".git"));
    let all = below.chain(top);
    let is_built = |path: &PathBuf| {
        let name = name_of(path);
        ["/target/", "fuzz/corpus/", "fuzz/artifacts/", "fuzz/coverage/"]
            .iter()
            .any(|folder| name.contains(folder))
    };
    let mut files: Vec<PathBuf> = all.filter(|path| !is_built(path)).collect();
    files.retain(|path| {
        extension.is_empty() || path.extension().is_some_and(|other| other == extension)
    });
    files.sort();
    assert!(!files.is_empty(), "no {extension} files");
    files
}

fn read(path: &PathBuf) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}

/// Code that runs outside tests.
fn is_test(name: &str) -> bool {
    name.starts_with("tests/") || name.contains("/tests/") || name.ends_with("/tests.rs")
}

/// A file without the tests at its end.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

#[test]
fn every_file_says_what_it_is() {
    for path in files("rs") {
        let text = read(&path);
        // A fuzz target begins with its attribute.
        let first = text.lines().find(|line| !line.starts_with("#![")).unwrap_or_default();
        assert!(first.starts_with("//! "), "{}: does not open with //!", name_of(&path));
    }
}

#[test]
fn files_stay_small() {
    for path in files("rs") {
        let name = name_of(&path);
        let text = read(&path);
        let n_lines = without_tests(&text).lines().count();
        assert!(is_test(&name) || n_lines <= 500, "{name}: {n_lines} lines");
    }
}

#[test]
fn printing_stays_in_its_place() {
    for path in files("rs") {
        let name = name_of(&path);
        // These macros are spelt in two pieces, or this file would find itself.
        for what in ["println", "eprintln", "print", "eprint", "dbg", "todo", "unimplemented"] {
            let call = format!("{what}!(");
            let text = read(&path);
            let is_called = |line: &str| {
                let before = line.split(&call).next().unwrap_or_default();
                line.contains(&call)
                    && !before.trim_start().starts_with("//")
                    && !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
            };
            let may_print = is_test(&name) || name.starts_with("benches/");
            let may_never = matches!(what, "dbg" | "todo" | "unimplemented");
            let code = if may_print { text.as_str() } else { without_tests(&text) };
            let found = code.lines().find(|line| is_called(line));
            if may_never || !(may_print || name == "src/messages.rs") {
                assert_eq!(found, None, "{name}");
            }
        }
    }
}

/// `| file | ... |` rows below a heading, and the files of the folder, are the same.
#[test]
fn every_sample_is_described() {
    let text = fs::read_to_string(root().join("samples/README.md")).unwrap();
    for (folder, at_least) in [("iis", 20), ("ad", 20), ("config", 5)] {
        let heading = format!("## {folder}");
        let section = text.split("\n## ").find(|part| format!("## {part}").starts_with(&heading));
        let rows = section.unwrap_or_default().lines().filter_map(|line| line.strip_prefix("| `"));
        let mut described: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
        described.sort_unstable();
        let below = root().join("samples").join(folder);
        let files = files_under(&below);
        let files: Vec<String> = files
            .iter()
            .map(|file| file.strip_prefix(&below).unwrap().to_string_lossy().replace('\\', "/"))
            .collect();
        let mut files: Vec<&str> = files.iter().map(String::as_str).collect();
        files.sort_unstable();
        assert!(files.len() > at_least, "samples/{folder}: {} files", files.len());
        assert_eq!(described, files, "samples/README.md and samples/{folder}");
    }
    for story in crate::scenarios::stories() {
        assert!(text.contains(&format!("| `{story}` |")), "samples/README.md: no row for {story}");
    }
}

/// A case that is not a case would never be run.
#[test]
fn every_case_is_run() {
    for path in files_under(&root().join("tests/cmd")) {
        let name = name_of(&path);
        assert!(name.ends_with(".toml"), "{name}: is no case");
        let text = read(&path);
        assert!(text.starts_with("# "), "{name}: does not say what it shows");
        assert!(text.contains("[[run]]\n"), "{name}: runs nothing");
    }
}

/// The map of the code names every file.
#[test]
fn architecture_names_every_file() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for path in files("rs") {
        let name = name_of(&path);
        let Some((_, below)) = name.split_once("src/") else { continue };
        let file = below.rsplit('/').next().unwrap_or(below);
        let is_named = map.contains(&format!("`{below}`")) || map.contains(&format!("`{file}`"));
        assert!(is_named || is_test(&name) || name.contains("fuzz/"), "ARCHITECTURE.md: no {name}");
    }
}

/// Nothing of the machine it was written on.
#[test]
fn no_absolute_paths() {
    let home = std::env::var("HOME").unwrap_or_default();
    // Spelt in pieces, or this file would find itself.
    let mut paths = vec![["/", "work/"].concat(), ["/", "tmp/"].concat()];
    // A home like `/root` or `/` may stand in a text for other reasons.
    paths.extend(Some(home).filter(|home| home.split('/').count() > 2));
    for path in files("") {
        let text = read(&path);
        let found = paths.iter().find(|what| text.contains(what.as_str()));
        assert_eq!(found, None, "{}", name_of(&path));
    }
}
