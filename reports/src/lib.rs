//! A report to files: a `Report` becomes a summary for the terminal or JSON, and classed requests
//! become rows of JSON lines, CSV or Parquet.
//! Knows nothing of logs or of how the report came about.
//! A closed set of outputs is a `match`: a new one is a file here and an arm in `write`.
#![forbid(unsafe_code)]

mod by_design;
pub mod case;
pub mod chain;
mod csv;
pub mod fields;
mod inspect;
mod json;
mod page;
mod parquet;
pub mod plan;
mod read;
pub mod report;
mod rows;
mod terminal;
pub mod text;
mod verdict;

use std::io::{self, Write};

use report::{Report, Source};
pub use rows::{COLUMNS, RowWriter, Rows};

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// A summary that a tired administrator understands at a glance.
    Terminal,
    /// The whole report, schema [`report::SCHEMA`].
    Json,
}

impl Output {
    /// Every output with the word that names it on a command line.
    pub const WORDS: &'static [(&'static str, Output)] =
        &[("terminal", Output::Terminal), ("json", Output::Json)];

    /// The output that a word names.
    pub fn from_word(word: &str) -> Option<Output> {
        Output::WORDS.iter().find(|(name, _)| *name == word).map(|(_, output)| *output)
    }

    /// The output that the extension of a file asks for, in any case and without the dot.
    pub fn from_extension(extension: &str) -> Option<Output> {
        match extension.to_ascii_lowercase().as_str() {
            "txt" => Some(Output::Terminal),
            "json" => Some(Output::Json),
            _ => None,
        }
    }
}

/// How text looks in a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Colours are used, beside the words that say the same.
    pub color: bool,
    /// Columns to wrap at; less than 40 counts as 40.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Style {
        Style { color: false, width: 100 }
    }
}

/// Writes a report; `style` matters to the terminal only.
pub fn write(report: &Report, output: Output, style: Style, to: &mut dyn Write) -> io::Result<()> {
    match output {
        Output::Terminal => to.write_all(terminal::summary(report, style).as_bytes())?,
        Output::Json => json::write(report, to)?,
    }
    to.flush()
}

/// One finding as a page for a reader.
pub fn case_page(case: &case::Case<'_>, style: Style) -> String {
    case::page(case, style)
}

/// The findings of a report that goes by that name, a line each.
pub fn case_list(report: &Report, name: &str, style: Style) -> String {
    case::list(report, name, style)
}

/// Reads a report that was written as JSON; the error says what it is instead.
pub fn read(bytes: &[u8]) -> Result<Report, String> {
    json::read(bytes)
}

/// Writes what `inspect` found as `{"sources": [...]}`.
pub fn inspect_json(sources: &[Source], to: &mut dyn Write) -> io::Result<()> {
    json::write(&report::Inspection { sources }, to)?;
    to.flush()
}

/// Writes what `inspect` found for a reader: one block a source.
pub fn inspect_terminal(sources: &[Source], style: Style, to: &mut dyn Write) -> io::Result<()> {
    to.write_all(inspect::blocks(sources, style).as_bytes())?;
    to.flush()
}
