//! `stillin nightly`: what changed since the last night to a report over everything that was ever read, and to what is
//! known of it on the next one.
//!
//! The verdict is always made anew, by the pipeline of `analyze`, out of the readings of all sources; only the readings
//! are kept. So many nights come to what one run over everything comes to.

mod copies;
mod exclude;
mod findings;
pub mod history;
mod outputs;
pub mod settings;
mod sources;
mod state;
mod trend;

use crate::analyze::night::{self, Details};
use crate::analyze::{self, outputs::print};
use crate::cli::{Color, HashWord, Nightly};
use crate::config;
use crate::input::{Hash, sha256};
use crate::messages::Messages;
use crate::readings::pack::{FORM, packed};
use crate::readings::{Left, OfFile, Readings, compressed};
use anyhow::bail;
use chrono::{DateTime, Utc};
use copies::Copies;
use findings::{Counts, Past};
use rusqlite::{Transaction, params};
use settings::Settings;
use sources::{Found, Tonight};
use state::{Asked, Next, State};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use stillin_reports::report::Report;
use stillin_reports::{Content, Output};

/// What one night works with.
struct Night<'a> {
    settings: &'a Settings,
    state: &'a State,
    outputs: Vec<(PathBuf, Output)>,
    now: DateTime<Utc>,
    begun: Instant,
    messages: &'a Messages,
}

/// What of the report of a night is written down, so that a night without news can tell it again.
const REPORT: &str = "report";
const SAID: &str = "said";
const QUESTION: &str = "question";
const FORMAT: &str = "format";

/// Runs the verb.
pub fn run(args: &Nightly) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let now = args.now.unwrap_or_else(Utc::now);
    let settings = settings::read(&config::file_or_here(args.config.as_deref()))?;
    let outputs = outputs::named(&settings.outputs, now)?;
    let messages = Messages::new(args.quiet);
    let state = state::open(&settings.state)?;
    outputs::clear(&outputs);
    let threads = settings.analyze.reading.threads;
    let (settings, state, messages) = (&settings, &state, &messages);
    let night = Night { settings, state, outputs, now, begun, messages };
    let (line, status) = analyze::with_threads(threads, || night.go())?;
    if !args.quiet {
        print(format!("{line}\n").as_bytes(), Color::Never)?;
    }
    Ok(status)
}

/// How findings stand before a night and after it, and what is told.
struct Standing {
    before: Vec<Past>,
    after: Vec<Past>,
    counts: Counts,
    told: Report,
}

/// What a night leaves of the sources: themselves, and the sets of names that were looked for.
type Leaves = (Vec<Next>, Asked);

impl Night<'_> {
    /// The line that sums the night up, and the exit status.
    fn go(&self) -> anyhow::Result<(String, ExitCode)> {
        let reading = &self.settings.analyze.reading;
        let hash = if reading.hash == HashWord::None { Hash::None } else { Hash::Sha256 };
        let format = format(self.settings);
        let is_of_this_version = self.state.meta(FORMAT)?.as_deref() == Some(format.as_bytes());
        let found = sources::find(self.settings, self.state, self.now, hash, self.messages)?;
        if found.sources.iter().all(|source| source.seen.is_none()) {
            bail!("nothing to read: the settings name no file that is there");
        }
        let question = question(self.settings, &found.problems);
        let is_asked = self.state.meta(QUESTION)?.as_deref() == Some(question.as_bytes());
        let n_files = found.sources.iter().filter(|source| source.gone_since.is_none()).count();
        let is_known = found.is_unchanged && is_of_this_version && is_asked;
        let last = if is_known { self.last_night(&found.problems)? } else { None };
        let (report, details, leaves, n_read, standing, copies) = match last {
            Some((report, standing, copies)) => {
                (report, Details::default(), None, 0, standing, copies)
            }
            None => {
                let (report, details, leaves, n_read) = self.judge(found, is_of_this_version)?;
                let standing = self.standing(&report)?;
                (report, details, Some(leaves), n_read, standing, Copies::new())
            }
        };
        let Standing { before, after, counts, told } = standing;
        let written = outputs::write(&self.outputs, &told, &details, &copies)?;
        let marks = copies::marks(&told, &written.stamps())?;
        let (status, code) = analyze::status(&self.settings.analyze, &told, self.messages);
        let report = leaves.is_some().then_some(&report);
        self.state.replace(|to| {
            if let (Some((next, asked)), Some(report)) = (&leaves, report) {
                state::set_sources(to, next, asked)?;
                self.keep(to, report, &question, &format)?;
            }
            let oldest = self.now - self.settings.retention;
            findings::write(to, &before, &after, self.now, oldest)?;
            marks.iter().try_for_each(|(key, value)| state::set_meta(to, key, value))?;
            self.log(to, code, (n_files, n_read), counts)
        })?;
        // A run that ends before has a state that knows of it: the next one writes everything anew.
        written.put()?;
        Ok((self.line(counts, told.excluded, n_files, n_read), status))
    }

    /// What is told of a report.
    fn told(&self, report: &Report) -> Report {
        exclude::without(report.clone(), &self.settings.excludes, self.now.date_naive())
    }

    /// How findings stand by a report, and what is told of it.
    fn standing(&self, report: &Report) -> anyhow::Result<Standing> {
        let before = self.state.read(findings::read)?;
        let excludes = &self.settings.excludes;
        let (after, counts) = findings::after(before.clone(), report, excludes, self.now);
        let mut steps = self.state.read(trend::steps)?;
        steps.extend(findings::steps(&before, &after, self.now));
        let mut told = self.told(report);
        told.trend = trend::weeks(&after, &steps, self.now);
        Ok(Standing { before, after, counts, told })
    }

    /// The report of the last night, if all of tonight's outputs can be made of it and of the last ones.
    fn last_night(
        &self,
        problems: &[String],
    ) -> anyhow::Result<Option<(Report, Standing, Copies)>> {
        let (Some(report), Some(said)) = (self.state.meta(REPORT)?, self.state.meta(SAID)?) else {
            return Ok(None);
        };
        let report = zstd::decode_all(report.as_slice()).ok();
        let said = crate::readings::pack::unpacked::<Vec<String>>(&said);
        // What is damaged is made anew.
        let (Some(report), Some(said)) = (report, said) else { return Ok(None) };
        let Ok(report) = stillin_reports::read(&report) else { return Ok(None) };
        let standing = self.standing(&report)?;
        let Some(copies) = copies::copies(self.state, &self.outputs, &standing.told)? else {
            return Ok(None);
        };
        let more = said.iter().filter(|text| !problems.contains(text));
        more.for_each(|text| self.messages.partial(text));
        Ok(Some((report, standing, copies)))
    }

    /// Reads what is new and judges everything.
    fn judge(
        &self,
        found: Found,
        is_of_this_version: bool,
    ) -> anyhow::Result<(Report, Details, Leaves, usize)> {
        let mut kept = self.state.readings()?;
        let asked = if is_of_this_version { self.state.asked()? } else { Asked::default() };
        let of_file = |source: &Tonight| OfFile {
            is_gone: source.gone_since.is_some(),
            stored: source.seen.as_ref().and_then(|seen| seen.stored.clone()),
            kept: source
                .known
                .filter(|_| is_of_this_version)
                .and_then(|id| kept.remove(&id))
                .unwrap_or_default(),
        };
        let (sources, lost): (Vec<Tonight>, Vec<Tonight>) = found
            .sources
            .into_iter()
            .partition(|source| source.gone_since.is_none() || is_of_this_version);
        for Tonight { file, .. } in lost {
            self.messages.partial(&format!(
                "{}: is gone, and what another version or other settings read of it is of no use; it is left out",
                file.source.path
            ));
        }
        let of_files = sources.iter().map(of_file).collect();
        let readings = Readings::new(of_files, asked, self.state.fetch());
        let mut next = Vec::new();
        let mut files = Vec::new();
        for Tonight { file, seen, known, gone_since } in sources {
            let path = file.source.path.clone();
            let seen = seen.map(|seen| packed(&seen));
            next.push((known, path, seen, gone_since));
            files.push(file);
        }
        let args = &self.settings.analyze;
        let told = |report: &Report| self.told(report);
        let wants_details = outputs::want_details(&self.outputs);
        let told = wants_details.then_some(&told as &dyn Fn(&Report) -> Report);
        let (report, details) =
            night::report_of(args, files, found.problems, &readings, self.messages, told)?;
        let n_read = readings.n_read();
        let (mut left, asked) = readings.leave();
        let next =
            next.into_iter().enumerate().filter_map(|(index, (from, path, seen, gone_since))| {
                let left: Left = left.remove(&index).unwrap_or_default();
                Some(Next { from, path, seen: seen?, gone_since, left })
            });
        Ok((report, details, (next.collect(), asked), n_read))
    }

    fn keep(
        &self,
        to: &Transaction<'_>,
        report: &Report,
        question: &str,
        format: &str,
    ) -> rusqlite::Result<()> {
        let mut text = Vec::new();
        let plan = stillin_reports::plan::Plan::of(report);
        let written = stillin_reports::write(
            Content::of(report, &plan),
            Output::Json,
            Default::default(),
            &mut text,
        );
        let packed_text = written.and_then(|()| compressed(&text));
        // Without it the next night judges anew.
        findings::write_changes(to, report, self.now)?;
        state::set_meta(to, REPORT, &packed_text.unwrap_or_default())?;
        state::set_meta(to, SAID, &packed(&self.messages.partials()))?;
        state::set_meta(to, QUESTION, question.as_bytes())?;
        state::set_meta(to, FORMAT, format.as_bytes())
    }

    fn log(
        &self,
        to: &Transaction<'_>,
        code: u8,
        (n_files, n_read): (usize, usize),
        counts: Counts,
    ) -> rusqlite::Result<()> {
        let milliseconds = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let at = self.now.to_rfc3339();
        let Counts { open, new, closed, .. } = counts;
        to.execute(
            "insert or replace into run values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                at,
                code,
                n_files as i64,
                n_read as i64,
                open as i64,
                new as i64,
                closed as i64,
                milliseconds
            ],
        )?;
        Ok(())
    }

    /// `2026-11-29: 2 open, 1 new, 3 closed, 1 excluded; 4 of 210 files read; report in reports/2026-11-29.html`
    fn line(&self, counts: Counts, excluded: u64, n_files: usize, n_read: usize) -> String {
        let Counts { open, new, closed, recurred } = counts;
        let day = self.now.date_naive();
        let recurred = if recurred > 0 { format!(", {recurred} recurred") } else { String::new() };
        let excluded = if excluded > 0 { format!(", {excluded} excluded") } else { String::new() };
        let report =
            self.outputs.first().map(|(path, _)| path.to_string_lossy().replace('\\', "/"));
        let report = report.map_or(String::new(), |path| format!("; report in {path}"));
        format!(
            "{day}: {open} open, {new} new{recurred}, {closed} closed{excluded}; {n_read} of {n_files} files read{report}"
        )
    }
}

/// What readings depend on beside the files and the accounts.
fn format(settings: &Settings) -> String {
    let reading = &settings.analyze.reading;
    let (version, tz, order) = (env!("CARGO_PKG_VERSION"), reading.tz, reading.date_order);
    format!("{version} {FORM} {tz:?} {order:?} {:?}", reading.hash)
}

/// What a report depends on beside the sources; the same question about the same sources has the same answer.
fn question(settings: &Settings, problems: &[String]) -> String {
    let Settings { analyze, servers, .. } = settings;
    sha256(format!("{analyze:?} {servers:?} {problems:?}").as_bytes())
}
