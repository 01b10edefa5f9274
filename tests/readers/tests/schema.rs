//! Every JSON that the program writes follows the schema that it prints of it, and has no field besides.

mod program;

use jsonschema::Validator;
use program::{analyze, list, stillin, stories};
use serde_json::{Value, json};

/// The validator of what a word names. Schemas are open to fields that a later version adds; here they are closed, so
/// that a field that is written and not described is found.
fn validator(word: &str) -> Validator {
    let ran = stillin(&["schema", word]);
    assert!(ran.status.success(), "{word}: {}", String::from_utf8_lossy(&ran.stderr));
    let mut schema: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert!(jsonschema::meta::is_valid(&schema), "{word}");
    close(&mut schema);
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            if fields.contains_key("properties") && fields.get("type") == Some(&json!("object")) {
                fields.insert("additionalProperties".into(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn check(validator: &Validator, name: &str, value: &Value) {
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}");
}

#[test]
fn every_output_of_every_story() {
    let whole = ["report", "plan"].map(|word| (validator(word), format!("{word}.json")));
    let lines = ["requests", "findings", "exposure", "timeline", "ecs"]
        .map(|word| (validator(word), format!("{word}.jsonl")));
    let mut n_lines = [0; 5];
    for story in stories() {
        let written = analyze(&format!("samples/scenarios/{story}"));
        for (validator, name) in &whole {
            check(validator, &format!("{story} {name}"), &written.json(name));
        }
        for ((validator, name), n) in lines.iter().zip(&mut n_lines) {
            for line in written.lines(name) {
                check(validator, &format!("{story} {name}"), &line);
                *n += 1;
            }
        }
    }
    assert!(n_lines.iter().all(|n| *n > 20), "{n_lines:?}");
}

#[test]
fn the_reports_of_the_repository() {
    let report = validator("report");
    for story in stories() {
        let path = program::root().join("samples/scenarios").join(&story).join("expected.json");
        let text = std::fs::read_to_string(path).unwrap();
        check(&report, &story, &serde_json::from_str(&text).unwrap());
    }
}

#[test]
fn inspect() {
    let validator = validator("inspect");
    for folder in ["samples/iis", "samples/ad", "samples/exchange", "samples/scenarios/leaver"] {
        let ran = stillin(&["inspect", folder, "-q", "--format", "json", "--tz", "UTC"]);
        let value: Value = serde_json::from_slice(&ran.stdout).unwrap();
        assert!(!list(&value["sources"]).is_empty(), "{folder}");
        check(&validator, folder, &value);
    }
}

#[test]
fn config() {
    let ran = stillin(&["config", "-q", "--format", "json"]);
    let value: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert!(!list(&value["settings"]).is_empty());
    check(&validator("config"), "config", &value);
}

#[test]
fn verify() {
    let validator = validator("verify");
    let mut n_findings = 0;
    for story in stories() {
        let folder = format!("samples/scenarios/{story}");
        let report = format!("{folder}/expected.json");
        let ran = stillin(&["verify", "--plan", &report, &folder, "-q", "--format", "json"]);
        // A story whose plan is empty has nothing to verify.
        if ran.stdout.is_empty() {
            continue;
        }
        let value: Value = serde_json::from_slice(&ran.stdout).unwrap();
        check(&validator, &story, &value);
        n_findings += list(&value["findings"]).len();
    }
    assert!(n_findings > 10, "{n_findings}");
}

/// The validator would notice: a schema that takes everything proves nothing.
#[test]
fn what_is_no_report_is_refused() {
    let validator = validator("report");
    let mut report = analyze("samples/scenarios/leaver").json("report.json");
    check(&validator, "whole", &report);
    let mut refuse = |pointer: &str, value: Value| {
        let place = report.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}"));
        let before = std::mem::replace(place, value);
        assert!(!validator.is_valid(&report), "{pointer}");
        *report.pointer_mut(pointer).unwrap() = before;
    };
    refuse("/schema", json!("stillin/report/2"));
    refuse("/findings/0/at", json!("2026-03-02 09:00"));
    refuse("/findings/0/residual", json!("perhaps"));
    refuse("/findings/0/paths/0/state", json!("ajar"));
    refuse("/findings/0/paths/0/requests", json!(-1));
    refuse("/findings/0/paths/0/clients", json!(null));
    refuse("/tool", json!({ "name": "stillin" }));
    report["surprise"] = json!(1);
    assert!(!validator.is_valid(&report));
}
