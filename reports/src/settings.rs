//! The settings in force to what `config` prints of them: a line each, with where its value comes from, or JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::Style;
use crate::fields::{ConfigSchema, SettingFrom};
use crate::page::{Ink, line, pad, width};
use crate::report::Word;
use crate::text::safe;

/// The schema that [`Settings`] follows.
pub const SCHEMA: &str = "stillin/config/1";

/// What `config` found out.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Settings {
    /// Always [`SCHEMA`].
    #[serde(with = "ConfigSchema")]
    pub schema: Word,
    /// The file that is in force, as the user named it, with `/`.
    pub file: Option<String>,
    /// Every setting, by key.
    pub settings: Vec<Setting>,
}

/// One setting.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Setting {
    /// The flag, with `_` for `-`.
    pub key: String,
    /// Its values as they were written; more than one for lists only, none where nothing is set.
    pub values: Vec<String>,
    /// `flag`, `environment`, `file` or `default`.
    #[serde(with = "SettingFrom")]
    pub from: Word,
    /// The flag, the variable, or file and line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// For a reader.
pub fn page(settings: &Settings, style: Style) -> String {
    let mut out = String::new();
    let file = match &settings.file {
        Some(file) => format!("Settings of {}, and what overrides them", safe(file)),
        None => "No file of settings: none is named, and there is no stillin.toml here".to_owned(),
    };
    line(&mut out, style, (0, 2), &[(Ink::Strong, file)]);
    let value = |setting: &Setting| match setting.values.as_slice() {
        [] => "not set".to_owned(),
        values => values.iter().map(|value| safe(value)).collect::<Vec<_>>().join(", "),
    };
    let column = |text: &dyn Fn(&Setting) -> String| {
        settings.settings.iter().map(|setting| width(&text(setting))).max().unwrap_or(0)
    };
    let (keys, values) = (column(&|setting| setting.key.clone()), column(&value).min(VALUE));
    for setting in &settings.settings {
        let place = setting.place.as_deref().unwrap_or(setting.from);
        let ink = if setting.from == "default" { Ink::Faint } else { Ink::Strong };
        let spans = [
            (Ink::Plain, format!("{}  ", pad(&setting.key, keys))),
            (ink, format!("{}  ", pad(&value(setting), values))),
            (Ink::Faint, safe(place)),
        ];
        line(&mut out, style, (2, 2 + keys + 2), &spans);
    }
    out
}

/// Columns that values get at most.
const VALUE: usize = 40;
