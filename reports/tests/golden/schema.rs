//! Schemas: that of the report stands in the repository, and each says what every field is.

use std::path::Path;

use serde_json::Value;
use stillin_reports::schema::{schema, words};

fn of(word: &str) -> String {
    schema(word).unwrap().unwrap()
}

#[test]
fn the_schema_of_the_report_is_in_the_repository() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/report-1.json");
    if std::env::var_os("STILLIN_BLESS").is_some() {
        std::fs::write(&path, of("report")).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    assert!(
        expected == of("report"),
        "reports/schema/report-1.json differs: STILLIN_BLESS=1 writes it anew"
    );
}

/// A schema without a description of a field would be one that nobody can use.
#[test]
fn every_field_is_described() {
    fn check(word: &str, name: &str, value: &Value) {
        if let Some(properties) = value.get("properties").and_then(Value::as_object) {
            for (property, about) in properties {
                assert!(about.get("description").is_some(), "{word}: {name}.{property}");
            }
        }
    }
    let mut n_words = 0;
    for word in words() {
        let schema: Value = serde_json::from_str(&of(word)).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{word}");
        check(word, word, &schema);
        for (name, of) in schema["$defs"].as_object().into_iter().flatten() {
            check(word, name, of);
        }
        n_words += 1;
    }
    assert_eq!(n_words, 10);
    assert!(schema("nothing").is_none());
}

#[test]
fn words_are_closed_lists() {
    let schema: Value = serde_json::from_str(&of("report")).unwrap();
    let words = schema["$defs"]["Class"]["enum"].as_array().unwrap();
    assert!(words.contains(&"cached_token".into()), "{words:?}");
    assert_eq!(schema["properties"]["schema"]["const"], "stillin/report/1");
    assert_eq!(schema["$defs"]["Time"]["format"], "date-time");
}
