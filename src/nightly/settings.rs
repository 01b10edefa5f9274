//! `stillin.toml` to what a night is to do; every slip of the pen is an error with its line.

use crate::cli::Analyze;
use crate::config;
use anyhow::bail;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use stillin_reports::Output;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What the file says.
#[derive(Debug)]
pub struct Settings {
    /// How everything is read and judged; its paths are those of all servers, and of the changes.
    pub analyze: Analyze,
    /// The state.
    pub state: PathBuf,
    /// Outputs, with signs for the date.
    pub outputs: Vec<String>,
    /// For how long readings of logs that are gone are kept, and closed findings.
    pub retention: TimeDelta,
    /// The servers.
    pub servers: Vec<Server>,
    /// Accounts that are left out of the verdict.
    pub excludes: Vec<Exclude>,
}

/// One server and its logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Files, folders, patterns.
    pub logs: Vec<PathBuf>,
}

/// An account that is left out, why, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclude {
    /// The account, as reports call it, or its SID.
    pub account: String,
    /// Why.
    pub reason: String,
    /// The last day.
    pub until: NaiveDate,
}

const NIGHTLY: &[&str] =
    &["state", "outputs", "retention", "pseudonymize", "changes", "server", "exclude"];
const SERVER: &[&str] = &["name", "logs"];
const EXCLUDE: &[&str] = &["account", "reason", "until"];

type Table<'a> = &'a DeTable<'a>;
type Value<'a> = &'a Spanned<DeValue<'a>>;

/// The file, for errors that say where.
struct File<'a> {
    name: String,
    text: &'a str,
}

/// Reads the file.
pub fn read(path: &Path) -> anyhow::Result<Settings> {
    let name = path.display().to_string();
    let text = config::text(path)?;
    let analyze = config::analyze_by(path)?;
    let file = File { name, text: &text };
    let table = DeTable::parse(file.text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        file.error(at, &format!("{}; correct it", error.message().trim_end_matches('.')))
    })?;
    let Some(nightly) = table.get_ref().get("nightly") else {
        bail!("{}: no [nightly]: nothing is said of logs and outputs; see the README", file.name)
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let settings = settings(&file, file.table(nightly)?, folder)?(analyze);
    if settings.analyze.paths.is_empty() {
        bail!(
            "{}: no [[nightly.server]] and no changes: nothing to read; see the README",
            file.name
        );
    }
    Ok(settings)
}

/// What is wrong with the table, for verbs that have no use for it: whoever tries the file out hears of a slip before
/// the night does.
pub fn check(name: &str, text: &str, nightly: Table<'_>) -> anyhow::Result<()> {
    let file = File { name: name.to_owned(), text };
    settings(&file, nightly, Path::new("")).map(|_| ())
}

/// What the table says, once it is known what holds for all verbs.
fn settings(
    file: &File<'_>,
    nightly: Table<'_>,
    folder: &Path,
) -> anyhow::Result<impl FnOnce(Analyze) -> Settings> {
    file.known(nightly, NIGHTLY)?;
    let in_folder = |value: Value<'_>| -> anyhow::Result<PathBuf> {
        let text = file.text_of(value)?;
        if text.trim().is_empty() {
            return Err(file.error(value.span().start, "is empty; name a file"));
        }
        Ok(PathBuf::from(below(folder, &text, false)))
    };
    let state = match nightly.get("state") {
        Some(value) => in_folder(value)?,
        None => folder.join("stillin-state.db"),
    };
    // Signs of a date are meant in what the file says, not in the name of its folder.
    let no_date = PathBuf::from(folder.to_string_lossy().replace('%', "%%"));
    let dated_output = |text: &str| {
        output(text, DateTime::UNIX_EPOCH)?;
        Ok(below(&no_date, text, false))
    };
    let outputs = file.texts(nightly.get("outputs"), dated_output)?;
    let retention = match nightly.get("retention") {
        Some(value) => file.parsed(value, |text| crate::cli::duration_of(text, 100 * 366))?,
        None => TimeDelta::days(400),
    };
    let pattern = |text: &str| Ok(PathBuf::from(below(folder, &dated(text)?, true)));
    let changes = file.texts(nightly.get("changes"), pattern)?;
    let mut servers = Vec::new();
    for value in file.list(nightly.get("server"))? {
        let table = file.table(value)?;
        file.known(table, SERVER)?;
        let name = file.text_of(file.needed(value, table, "name")?)?;
        file.needed(value, table, "logs")?;
        servers.push(Server { name, logs: file.texts(table.get("logs"), pattern)? });
    }
    let mut excludes = Vec::new();
    for value in file.list(nightly.get("exclude"))? {
        let table = file.table(value)?;
        file.known(table, EXCLUDE)?;
        let text = |key| file.text_of(file.needed(value, table, key)?);
        let until = file.needed(value, table, "until")?;
        excludes.push(Exclude {
            account: text("account")?,
            // The number of a ticket.
            reason: file
                .parsed(file.needed(value, table, "reason")?, |text| Ok(text.to_owned()))?,
            until: file.parsed(until, |text| {
                text.parse().map_err(|_| "is no date; say 2026-12-31".to_owned())
            })?,
        });
    }
    let paths: Vec<PathBuf> =
        servers.iter().flat_map(|server| &server.logs).chain(&changes).cloned().collect();
    let pseudonymize = nightly.get("pseudonymize").map(in_folder).transpose()?;
    Ok(move |analyze| {
        let analyze = Analyze { paths, pseudonymize, ..analyze };
        Settings { analyze, state, outputs, retention, servers, excludes }
    })
}

/// Where an output goes on a day, and what it is by its name; an error says what is wrong with it.
pub fn output(pattern: &str, now: DateTime<Utc>) -> Result<(PathBuf, Output), String> {
    let mut name = String::new();
    if write!(name, "{}", now.format(pattern)).is_err() {
        return Err(
            "has a sign that is none of a date; say %Y-%m-%d, and %% for a percent sign".into()
        );
    }
    let path = PathBuf::from(&name);
    let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let output = Output::from_file_name(file_name).ok_or(
        "the name tells no format; name it .html, .json, .txt, .md, .xlsx, findings.csv, plan.ps1 and so on",
    )?;
    Ok((path, output))
}

/// A path of the file, below its folder unless it is absolute; a folder is no pattern.
fn below(folder: &Path, text: &str, is_pattern: bool) -> String {
    let is_pattern = is_pattern && text.contains(['*', '?', '[']);
    if folder.as_os_str().is_empty() || Path::new(text).is_absolute() {
        return text.to_owned();
    }
    let folder = folder.to_string_lossy();
    let folder = if is_pattern { glob::Pattern::escape(&folder) } else { folder.into_owned() };
    format!("{}/{text}", folder.trim_end_matches('/'))
}

/// A pattern for names with a date in them: a log of any day.
fn dated(text: &str) -> Result<String, String> {
    let mut pattern = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            pattern.push(letter);
            continue;
        }
        let digits = match letters.next() {
            Some('Y') => 4,
            Some('j') => 3,
            Some('y' | 'm' | 'd' | 'H' | 'M' | 'S') => 2,
            Some('%') => {
                pattern.push('%');
                continue;
            }
            sign => {
                let sign = sign.map(String::from).unwrap_or_default();
                return Err(format!(
                    "`%{sign}` is no sign of a date here; say %Y, %y, %m, %d, %H or %j"
                ));
            }
        };
        pattern.push_str(&"[0-9]".repeat(digits));
    }
    Ok(pattern)
}

impl File<'_> {
    fn error(&self, at: usize, what: &str) -> anyhow::Error {
        let line = self.text.as_bytes().iter().take(at).filter(|&&byte| byte == b'\n').count() + 1;
        anyhow::anyhow!("{}:{line}: {what}", self.name)
    }

    /// Unknown keys are errors, with the one that was meant.
    fn known(&self, table: Table<'_>, known: &[&str]) -> anyhow::Result<()> {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let cure = match config::meant(name, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("one of {}", known.join(", ")),
            };
            return Err(self.error(key.span().start, &format!("unknown setting `{name}`; {cure}")));
        }
        Ok(())
    }

    fn needed<'a>(&self, of: Value<'_>, table: Table<'a>, key: &str) -> anyhow::Result<Value<'a>> {
        table
            .get(key)
            .ok_or_else(|| self.error(of.span().start, &format!("`{key}` is missing; add it")))
    }

    fn table<'a>(&self, value: Value<'a>) -> anyhow::Result<Table<'a>> {
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.wrong(value, "a table"));
        };
        Ok(table)
    }

    fn list<'a>(&self, value: Option<Value<'a>>) -> anyhow::Result<Vec<Value<'a>>> {
        let Some(value) = value else { return Ok(Vec::new()) };
        let DeValue::Array(list) = value.get_ref() else { return Err(self.wrong(value, "a list")) };
        Ok(list.iter().collect())
    }

    fn text_of(&self, value: Value<'_>) -> anyhow::Result<String> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.wrong(value, "a text")),
        }
    }

    fn texts<T>(
        &self,
        value: Option<Value<'_>>,
        make: impl Fn(&str) -> Result<T, String>,
    ) -> anyhow::Result<Vec<T>> {
        let text = |value| self.made(value, &self.text_of(value)?, &make);
        self.list(value)?.into_iter().map(text).collect()
    }

    /// What a text says, or a number or a date as one.
    fn parsed<T>(
        &self,
        value: Value<'_>,
        make: impl Fn(&str) -> Result<T, String>,
    ) -> anyhow::Result<T> {
        match value.get_ref() {
            DeValue::Integer(number) => self.made(value, number.as_str(), make),
            DeValue::Datetime(time) => self.made(value, &time.to_string(), make),
            _ => self.made(value, &self.text_of(value)?, make),
        }
    }

    fn made<T>(
        &self,
        value: Value<'_>,
        text: &str,
        make: impl Fn(&str) -> Result<T, String>,
    ) -> anyhow::Result<T> {
        make(text).map_err(|what| self.error(value.span().start, &format!("`{text}`: {what}")))
    }

    fn wrong(&self, value: Value<'_>, wanted: &str) -> anyhow::Error {
        let is = match value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(value.span().start, &format!("{is} stands where {wanted} is wanted; correct it"))
    }
}

#[cfg(test)]
mod tests;
