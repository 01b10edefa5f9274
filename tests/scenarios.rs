//! Every story of `samples/scenarios` to its report and its classed requests, byte for byte,
//! whatever the number of threads and the order of the sources. `STILLIN_BLESS=1` writes the
//! expected files anew.

use crate::support::{Folder, Ran, files_under, name_of, root, run_words};
use serde_json::Value;
use std::fs;

/// Arguments that a story needs beyond its folder.
const MORE: &[(&str, &[&str])] = &[("forms/repadmin", &["--tz", "UTC"])];

/// The stories: folders with change evidence.
pub fn stories() -> Vec<String> {
    let folder = root().join("samples/scenarios");
    let logs = files_under(&folder).into_iter().filter_map(|file| {
        let name = file.strip_prefix(&folder).unwrap().to_string_lossy().replace('\\', "/");
        Some(name.split_once("/ad/")?.0.to_owned())
    });
    let mut stories: Vec<String> = logs.collect();
    stories.dedup();
    assert!(stories.len() >= 15, "{stories:?}");
    stories
}

/// Arguments that a story needs beyond its folder.
pub fn more(story: &str) -> &'static [&'static str] {
    MORE.iter().find(|(name, _)| *name == story).map_or(&[], |(_, words)| words)
}

/// Its report and its requests.
fn analyze(story: &str, paths: &[String], words: &[&str]) -> (Ran, String, String) {
    let out = Folder::new();
    let (report, requests) = (out.join("report.json"), out.join("requests.jsonl"));
    let outputs = ["-o", report.to_str().unwrap(), "--requests", requests.to_str().unwrap()];
    let paths = paths.iter().map(String::as_str);
    let ran = run_words(
        ["analyze"]
            .into_iter()
            .chain(paths)
            .chain(outputs)
            .chain(more(story).to_vec())
            .chain(words.to_vec()),
    );
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    (ran, read(&report), read(&requests))
}

/// The sources of a story, one by one.
fn sources(story: &str) -> Vec<String> {
    let files = files_under(&root().join("samples/scenarios").join(story));
    let names = files.iter().map(|file| name_of(file));
    names.filter(|name| !name.contains("/expected")).collect()
}

#[test]
fn expected_files() {
    let is_blessed = std::env::var_os("STILLIN_BLESS").is_some();
    let mut wrong = Vec::new();
    for story in stories() {
        let folder = format!("samples/scenarios/{story}");
        let (ran, report, requests) = analyze(&story, std::slice::from_ref(&folder), &[]);
        assert_eq!(ran.status, 0, "{story}: {}", ran.stderr);
        for (name, got) in [("expected.json", report), ("expected-requests.jsonl", requests)] {
            let path = root().join(&folder).join(name);
            let expected = fs::read_to_string(&path).unwrap_or_default();
            if got == expected {
                continue;
            }
            if is_blessed {
                fs::write(&path, got).unwrap();
            } else {
                wrong.push(first_difference(&name_of(&path), &expected, &got));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n(STILLIN_BLESS=1 writes them anew)", wrong.join("\n"));
}

fn first_difference(name: &str, expected: &str, got: &str) -> String {
    let mut lines = expected.lines().zip(got.lines()).zip(1..);
    let place = lines.find(|((expected, got), _)| expected != got);
    match place {
        Some(((expected, got), line)) => {
            format!("{name}:{line}:\n  expected {expected}\n  got      {got}")
        }
        None => format!(
            "{name}: {} lines expected, {} got",
            expected.lines().count(),
            got.lines().count()
        ),
    }
}

#[test]
fn any_threads_any_order() {
    for story in stories() {
        let folder = vec![format!("samples/scenarios/{story}")];
        let (_, report, requests) = analyze(&story, &folder, &[]);
        assert!(report.len() > 100, "{story}: no report");
        let mut one_by_one = sources(&story);
        assert!(one_by_one.len() >= 2, "{story}: {one_by_one:?}");
        let mut runs: Vec<(Vec<String>, &str)> =
            ["1", "2", "8"].map(|threads| (folder.clone(), threads)).to_vec();
        one_by_one.reverse();
        runs.push((one_by_one.clone(), "2"));
        one_by_one.rotate_left(1);
        one_by_one.swap(0, 1);
        runs.push((one_by_one.clone(), "8"));
        // A file that is named twice is read once.
        one_by_one.extend(folder.clone());
        runs.push((one_by_one, "1"));
        for (paths, threads) in runs {
            let (ran, other, other_requests) = analyze(&story, &paths, &["--threads", threads]);
            assert_eq!(ran.status, 0, "{story} {paths:?}: {}", ran.stderr);
            assert!(
                other == report,
                "{}",
                first_difference(
                    &format!("{story} {paths:?} --threads {threads}"),
                    &report,
                    &other
                )
            );
            assert_eq!(other_requests, requests, "{story} {paths:?} --threads {threads}");
        }
    }
}

/// The same disable told by five kinds of evidence is the same finding: directory state knows no
/// actor, names the domain by its DNS name, and stands elsewhere.
#[test]
fn five_forms_one_finding() {
    let of_form = |form: &str| -> Value {
        let path = root().join("samples/scenarios/forms").join(form).join("expected.json");
        let report: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let text =
            serde_json::to_string(&[&report["findings"], &report["plan"], &report["advice"]]);
        let text = text.unwrap().replace("fabrikam.example\\\\judy", "FABRIKAM\\\\judy");
        serde_json::from_str(&text.replace(&format!("forms/{form}/"), "forms/FORM/")).unwrap()
    };
    let forms: Vec<String> = stories()
        .iter()
        .filter_map(|story| Some(story.strip_prefix("forms/")?.to_owned()))
        .collect();
    assert_eq!(forms, ["csv", "jsonl", "ldif", "repadmin", "xml"]);
    let xml = of_form("xml");
    assert_eq!(xml[0].as_array().map(Vec::len), Some(1), "{xml:#}");
    for form in &forms {
        assert_eq!(of_form(form), xml, "{form}");
    }
}
