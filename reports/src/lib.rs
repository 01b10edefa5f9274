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
mod trend;
mod verdict;
pub mod verify;

pub use csv::cell as csv_cell;
use std::io::{self, Write};

use plan::Plan;
use report::{Report, Source};
pub use rows::{COLUMNS, RowWriter, Rows};

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// A summary that a tired administrator understands at a glance.
    Terminal,
    /// The whole report, schema [`report::SCHEMA`].
    Json,
    /// The plan alone, schema [`plan::SCHEMA`].
    Plan,
    /// The plan as a PowerShell script.
    PowerShell,
    /// The plan as a script of cmd.exe.
    Appcmd,
    /// The plan as an Ansible playbook.
    Ansible,
}

impl Output {
    /// Every output with the word that names it on a command line.
    pub const WORDS: &'static [(&'static str, Output)] = &[
        ("terminal", Output::Terminal),
        ("json", Output::Json),
        ("plan", Output::Plan),
        ("powershell", Output::PowerShell),
        ("appcmd", Output::Appcmd),
        ("ansible", Output::Ansible),
    ];

    /// The output that a word names.
    pub fn from_word(word: &str) -> Option<Output> {
        Output::WORDS.iter().find(|(name, _)| *name == word).map(|(_, output)| *output)
    }

    /// The output that the name of a file asks for by its end, in any case: `report.json` is the report, `plan.json` and
    /// `ex01.plan.json` are the plan.
    pub fn from_file_name(name: &str) -> Option<Output> {
        let name = name.to_ascii_lowercase();
        let (stem, extension) = name.rsplit_once('.')?;
        match extension {
            "txt" => Some(Output::Terminal),
            "json" if stem == "plan" || stem.ends_with(".plan") => Some(Output::Plan),
            "json" => Some(Output::Json),
            "ps1" => Some(Output::PowerShell),
            "cmd" | "bat" => Some(Output::Appcmd),
            "yml" | "yaml" => Some(Output::Ansible),
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

/// Writes a report, or its plan; `style` matters to the terminal only.
pub fn write(
    report: &Report,
    plan: &Plan,
    output: Output,
    style: Style,
    to: &mut dyn Write,
) -> io::Result<()> {
    match output {
        Output::Terminal => to.write_all(terminal::summary(report, style).as_bytes())?,
        Output::Json => json::write(report, to)?,
        Output::Plan => json::write(plan, to)?,
        Output::PowerShell => to.write_all(plan::powershell::script(plan).as_bytes())?,
        Output::Appcmd => to.write_all(plan::appcmd::script(plan).as_bytes())?,
        Output::Ansible => to.write_all(plan::ansible::script(plan).as_bytes())?,
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

/// What `verify` found out, for a reader or as JSON.
pub fn verify_page(verify: &verify::Verify, output: Output, style: Style) -> io::Result<Vec<u8>> {
    let mut to = Vec::new();
    match output {
        Output::Json => json::write(verify, &mut to)?,
        _ => to.extend(verify::page(verify, style).into_bytes()),
    }
    Ok(to)
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
