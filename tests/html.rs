//! The page: its data tells what the report tells, it is one file of its own, and the same bytes whatever the threads.

use crate::scenarios::{more, stories};
use crate::support::{Folder, run_words};
use serde_json::Value;
use std::fs;

/// The report of a story as JSON and as a page.
fn written(story: &str, words: &[&str]) -> (Value, String) {
    let out = Folder::new();
    let (json, page) = (out.join("report.json"), out.join("report.html"));
    let folder = format!("samples/scenarios/{story}");
    let outputs = ["-o", json.to_str().unwrap(), "-o", page.to_str().unwrap()];
    let words = ["analyze", &folder, "--quiet"].into_iter().chain(outputs).chain(words.to_vec());
    let ran = run_words(words.chain(more(story).to_vec()));
    assert_eq!(ran.status, 0, "{story}: {}", ran.stderr);
    let json = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    (json, fs::read_to_string(page).unwrap())
}

/// What the page's script draws from.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once(r#"<script type="application/json" id="data">"#).unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Every residual request of a finding is in the runs of its timelines, and every timeline has the change.
#[test]
fn timelines_hold_what_the_report_counts() {
    let mut seen = 0;
    for story in stories() {
        let (report, page) = written(&story, &[]);
        let data = data(&page);
        assert_eq!(list(&data["findings"]).len(), list(&report["findings"]).len(), "{story}");
        for (finding, drawn) in list(&report["findings"]).iter().zip(list(&data["findings"])) {
            let what = format!("{story} {}", finding["id"]);
            assert_eq!(finding["id"], drawn["id"], "{what}");
            let mut paths: Vec<u64> = Vec::new();
            for line in list(&drawn["lines"]) {
                let of_line: Vec<u64> =
                    list(&line["paths"]).iter().map(|n| n.as_u64().unwrap()).collect();
                let told = of_line.iter().map(|&n| &finding["paths"][n as usize]);
                let sum =
                    |key: &str| told.clone().map(|path| path[key].as_u64().unwrap()).sum::<u64>();
                let residual = || {
                    list(&line["runs"]).iter().filter(|run| run[5] == "bad" || run[5] == "doubt")
                };
                let drawn =
                    |at: usize| residual().map(|run| run[at].as_u64().unwrap()).sum::<u64>();
                assert_eq!(line["out"], serde_json::json!([0, 0]), "{what}");
                assert_eq!((drawn(2), drawn(3)), (sum("requests"), sum("data_requests")), "{what}");
                let marks = list(&line["marks"]);
                assert_eq!(
                    marks.iter().filter(|mark| mark[1] == "the-change").count(),
                    1,
                    "{what}"
                );
                for run in list(&line["runs"]) {
                    let (from, to) = (run[0].as_i64().unwrap(), run[1].as_i64().unwrap());
                    assert!(from <= to && to <= line["to"].as_i64().unwrap(), "{what}: {run}");
                }
                paths.extend(of_line);
                seen += 1;
            }
            paths.sort_unstable();
            let all: Vec<u64> = (0..list(&finding["paths"]).len() as u64).collect();
            assert_eq!(paths, all, "{what}: each path has its timeline");
            // What the evidence names is quoted, but for restarts, which are no requests.
            for path in list(&drawn["paths"]) {
                let see = list(&path["see"]);
                assert!(
                    see.iter().filter(|place| place[1].is_null()).count() <= 1,
                    "{what}: {see:?}"
                );
            }
        }
    }
    assert!(seen >= 30, "{seen} timelines");
}

#[test]
fn columns_hold_every_residual_request() {
    for story in ["leaver", "logons-settle-it", "outlook-anywhere-night", "reset-old-password"] {
        let (report, page) = written(story, &[]);
        let paths = list(&report["findings"]).iter().flat_map(|finding| list(&finding["paths"]));
        let told: u64 = paths.map(|path| path["requests"].as_u64().unwrap()).sum();
        let (_, chart) = page.split_once(r#"aria-labelledby="times""#).unwrap();
        let titles = chart.split_once("</svg>").unwrap().0.split("<title>from ").skip(1);
        let drawn = titles.map(|title| {
            let (_, words) = title.split_once("UTC: ").unwrap();
            words.split(' ').next().unwrap().replace(',', "").parse::<u64>().unwrap()
        });
        assert_eq!(drawn.sum::<u64>(), told, "{story}");
    }
}

#[test]
fn same_bytes_for_any_threads() {
    for story in ["leaver", "logons-settle-it", "same-sam-two-domains"] {
        let (_, one) = written(story, &["--threads", "1"]);
        let (_, many) = written(story, &["--threads", "7"]);
        assert!(one == many, "{story}");
    }
}

/// The page is left out where it lies among the sources, as every other report is.
#[test]
fn a_page_among_the_sources_is_left_out() {
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/iis", "evidence/iis");
    folder.copy("samples/scenarios/leaver/ad", "evidence/ad");
    let logs = folder.join("evidence");
    let (_, page) = written("leaver", &[]);
    fs::write(logs.join("report.html"), page).unwrap();
    let ran = run_words(["analyze", logs.to_str().unwrap()]);
    assert!(ran.stderr.contains("report.html: a report of stillin; left out"), "{}", ran.stderr);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
}

/// What is no report must not lie in a file that a browser would read as a page.
#[test]
fn a_text_is_not_written_as_a_page() {
    let folder = Folder::new();
    let (report, case) = (folder.join("report.json"), folder.join("case.html"));
    let (report, case) = (report.to_str().unwrap(), case.to_str().unwrap());
    run_words(["analyze", "samples/scenarios/leaver", "-o", report]);
    for words in [
        vec!["explain", report, "f1", "-o", case],
        vec!["verify", "--plan", report, "samples/scenarios/leaver/iis", "-o", case],
    ] {
        let ran = run_words(&words);
        assert_eq!(ran.status, 2, "{words:?}");
        assert!(ran.stderr.contains(": is written as .txt "), "{}", ran.stderr);
        assert!(!fs::exists(case).unwrap(), "{words:?}: left a file behind");
    }
}
