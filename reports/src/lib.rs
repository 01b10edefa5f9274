//! A report to files: a `Report` becomes a summary for the terminal, JSON, a workbook, tables, lines for other tools or
//! a ticket, and classed requests become rows of JSON lines, CSV or Parquet.
//! Knows nothing of logs or of how the report came about.
//! A closed set of outputs is a `match`: a new one is a file here and an arm in `write`.
#![forbid(unsafe_code)]

mod by_design;
pub mod case;
pub mod chain;
mod csv;
pub mod ecs;
pub mod exposure;
pub mod fields;
pub mod findings;
mod html;
mod inspect;
mod json;
mod markdown;
mod output;
mod page;
mod parquet;
pub mod plan;
mod read;
pub mod report;
mod rows;
pub mod schema;
pub mod settings;
mod sheets;
pub mod table;
mod terminal;
pub mod text;
pub mod timeline;
pub mod timesketch;
mod trend;
mod verdict;
pub mod verify;

pub use csv::cell as csv_cell;
use std::io::{self, Write};

pub use output::{Output, Tabular};
use plan::Plan;
use report::RequestRow;
use report::{Report, Source};
pub use rows::{COLUMNS, RowWriter, Rows};
use settings::Settings;
use timeline::Timelines;

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

/// In which order an output takes the judged requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By source and line.
    Place,
    /// By the time of their end, then by source and line.
    Time,
}

/// Judged requests, one after the other.
pub type Requests<'a> = Box<dyn Iterator<Item = RequestRow> + 'a>;

/// What there is to write.
#[derive(Clone, Copy)]
pub struct Content<'a> {
    /// The report.
    pub report: &'a Report,
    /// Its plan.
    pub plan: &'a Plan,
    /// The judged requests, from the first on each time it is called.
    pub requests: &'a dyn Fn(Order) -> Requests<'a>,
    /// What a page draws.
    pub timelines: &'a dyn Fn() -> Timelines,
}

impl<'a> Content<'a> {
    /// A report and its plan, where no single request is known.
    pub fn of(report: &'a Report, plan: &'a Plan) -> Content<'a> {
        Content {
            report,
            plan,
            requests: &|_| Box::new(std::iter::empty()),
            timelines: &Timelines::default,
        }
    }
}

/// Writes a report, or what an output takes of it; `style` matters to the terminal only.
pub fn write(
    content: Content<'_>,
    output: Output,
    style: Style,
    to: &mut (dyn Write + Send),
) -> io::Result<()> {
    let Content { report, plan, requests, timelines } = content;
    match output {
        Output::Terminal => to.write_all(terminal::summary(report, style).as_bytes())?,
        Output::Json => json::write(report, to)?,
        Output::Plan => json::write(plan, to)?,
        Output::PowerShell => to.write_all(plan::powershell::script(plan).as_bytes())?,
        Output::Appcmd => to.write_all(plan::appcmd::script(plan).as_bytes())?,
        Output::Ansible => to.write_all(plan::ansible::script(plan).as_bytes())?,
        Output::Markdown => markdown::write(report, to)?,
        Output::Xlsx => sheets::write(report, requests(Order::Place), to)?,
        Output::Findings(Tabular::Jsonl) => findings::jsonl(report, to)?,
        Output::Findings(Tabular::Csv) => findings::table(report)?.csv(to)?,
        Output::Findings(Tabular::Parquet) => findings::table(report)?.parquet(to)?,
        Output::Exposure(Tabular::Jsonl) => exposure::jsonl(report, to)?,
        Output::Exposure(Tabular::Csv) => exposure::table(report).csv(to)?,
        Output::Exposure(Tabular::Parquet) => exposure::table(report).parquet(to)?,
        Output::Timeline => timesketch::write(report, requests(Order::Time), to)?,
        Output::Ecs => ecs::write(report, requests(Order::Time), to)?,
        Output::Html => html::write(report, &timelines(), to)?,
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

/// The settings in force, for a reader or as JSON.
pub fn settings_page(settings: &Settings, output: Output, style: Style) -> io::Result<Vec<u8>> {
    let mut to = Vec::new();
    match output {
        Output::Json => json::write(settings, &mut to)?,
        _ => to.extend(settings::page(settings, style).into_bytes()),
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
