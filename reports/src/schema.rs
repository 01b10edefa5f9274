//! The types that are promised to others, as JSON Schemas (2020-12) of what is written.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

use crate::ecs::Document;
use crate::exposure::Exposure;
use crate::findings::FindingRow;
use crate::plan::Plan;
use crate::report::{Inspection, Report, RequestRow};
use crate::settings::Settings;
use crate::timesketch::Moment;
use crate::verify::Verify;

/// A word, and how the schema that it names is made.
type Named = (&'static str, fn() -> Schema);

/// What there is a schema of, and how it is made; of JSON lines, each line follows it.
const SCHEMAS: &[Named] = &[
    ("report", of::<Report>),
    ("plan", of::<Plan>),
    ("verify", of::<Verify>),
    ("inspect", of::<Inspection<'_>>),
    ("config", of::<Settings>),
    ("requests", of::<RequestRow>),
    ("findings", of::<FindingRow<'_>>),
    ("exposure", of::<Exposure<'_>>),
    ("timeline", of::<Moment>),
    ("ecs", of::<Document<'_>>),
];

/// The words that name a schema, the report's first.
pub fn words() -> impl Iterator<Item = &'static str> {
    SCHEMAS.iter().map(|(word, _)| *word)
}

/// The schema that a word names, as JSON.
pub fn schema(word: &str) -> Option<serde_json::Result<String>> {
    let (_, schema) = SCHEMAS.iter().find(|(name, _)| *name == word)?;
    let mut schema = schema().to_value();
    // Whether JSON keeps an order is up to what else is built with it: this one is the same everywhere.
    schema.sort_all_objects();
    Some(serde_json::to_string_pretty(&schema).map(|text| text + "\n"))
}

fn of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}
