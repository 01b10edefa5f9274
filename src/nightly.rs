//! `stillin nightly`: what changed since the last night to a report over everything that was ever read, and to what is
//! known of it on the next one.
//!
//! The verdict is always made anew, by the pipeline of `analyze`, out of the readings of all sources; only the readings
//! are kept. So many nights come to what one run over everything comes to.

mod again;
mod copies;
mod exclude;
mod exports;
mod findings;
mod format;
pub mod gone;
pub mod history;
mod judged;
mod outputs;
pub mod settings;
mod sources;
mod state;
mod trend;

use crate::analyze::night::{self, Details, Judged};
use crate::analyze::{self, outputs::print};
use crate::cli::{Color, HashWord, Nightly};
use crate::config;
use crate::input::{Hash, Stored, sha256};
use crate::messages::Messages;
use crate::pseudonymize;
use crate::readings::pack::packed;
use crate::readings::{Left, OfFile, Readings, compressed};
use anyhow::bail;
use chrono::{DateTime, Utc};
use copies::Copies;
use findings::{Counts, Past};
use format::{Format, Usable};
use rusqlite::{Transaction, params};
use settings::Settings;
use sources::{Found, Seen, Tonight};
use state::{Asked, Next, State};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
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
    /// What tells the key of the pseudonyms from any other.
    key: Option<String>,
    now: DateTime<Utc>,
    begun: Instant,
    messages: &'a Messages,
}

/// What of the report of a night is written down, so that a night without news can tell it again.
const REPORT: &str = "report";
const SAID: &str = "said";
const QUESTION: &str = "question";

/// Runs the verb.
pub fn run(args: &Nightly) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let now = args.now.unwrap_or_else(Utc::now);
    let mut settings = settings::read(&config::file_or_here(args.config.as_deref()))?;
    settings.analyze.pseudonymize = args.pseudonymize.clone().or(settings.analyze.pseudonymize);
    let key_file = settings.analyze.pseudonymize.as_deref();
    let key = key_file.map(pseudonymize::read_key).transpose()?;
    let key = key.map(|key| key.hash("key", ""));
    let outputs = outputs::named(&settings.outputs, now)?;
    let unsaid = settings.analyze.reading.unsaid.file.as_deref();
    let needed = [
        (Some(settings.state.as_path()), "the state"),
        (key_file, "the key of the pseudonyms"),
        (unsaid, "the file of the settings"),
    ];
    outputs::spare(&outputs, needed.into_iter().filter_map(|(path, what)| Some((path?, what))))?;
    let messages = Messages::new(args.quiet);
    let state = state::open(&settings.state)?;
    outputs::clear(&outputs);
    let threads = settings.analyze.reading.threads;
    let (settings, state, messages) = (&settings, &state, &messages);
    let night = Night { settings, state, outputs, key, now, begun, messages };
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
    /// Old keys of findings, and their new ones.
    renamed: Vec<(String, String)>,
    /// What is open and could not be judged.
    doubts: Vec<String>,
    /// Changes that no source tells any more.
    forgotten: Vec<String>,
}

/// What a night leaves of the sources: themselves, and the sets of names that were looked for.
type Leaves = (Vec<Next>, Asked);

impl Night<'_> {
    /// The line that sums the night up, and the exit status.
    fn go(&self) -> anyhow::Result<(String, ExitCode)> {
        let reading = &self.settings.analyze.reading;
        let hash = if reading.hash == HashWord::None { Hash::None } else { Hash::Sha256 };
        let format = Format::of(self.settings);
        let usable = format.usable(self.state)?;
        let found = sources::find(self.settings, self.state, self.now, hash, self.messages)?;
        let there = found.sources.iter().filter(|source| source.gone_since.is_none());
        let there = there.map(|source| (source.file.source.fs_path.as_path(), "also an input"));
        outputs::spare(&self.outputs, there)?;
        if found.sources.iter().all(|source| source.seen.is_none()) {
            bail!("nothing to read: the settings name no file that is there");
        }
        let question = question(self.settings, &found.problems);
        let is_asked = self.state.meta(QUESTION)?.as_deref() == Some(question.as_bytes());
        let n_files = found.sources.iter().filter(|source| source.gone_since.is_none()).count();
        let is_known = found.is_unchanged && usable.is_all() && is_asked;
        let last = if is_known { self.last_night(&found.problems)? } else { None };
        let (judged, leaves, n_read, standing, copies) = match last {
            Some((report, standing, copies)) => {
                let judged = Judged { report, details: Details::default(), hidden: None };
                (judged, None, 0, standing, copies)
            }
            None => {
                let (judged, standing, leaves, n_read) = self.judge(found, usable)?;
                (judged, Some(leaves), n_read, standing, Copies::new())
            }
        };
        let Judged { report, details, hidden } = judged;
        let Standing { before, after, counts, told, renamed, doubts, forgotten } = standing;
        // What is said of findings may not hold on the next night.
        let said = self.messages.partials();
        let doubts_to_say = doubts.iter().chain(&forgotten).filter(|text| !said.contains(text));
        doubts_to_say.for_each(|text| self.messages.partial(text));
        let written =
            outputs::write(&self.outputs, hidden.as_ref().unwrap_or(&told), &details, &copies)?;
        let marks = copies::marks(&told, self.key.as_deref(), &written.stamps())?;
        let (status, code) = match (self.settings.analyze.fail_on, doubts.is_empty()) {
            // It is open as far as anybody knows.
            (Some(_), false) => (ExitCode::from(3), 3),
            _ => analyze::status(&self.settings.analyze, &told, self.messages),
        };
        let report = leaves.is_some().then_some(&report);
        let keep = |to: &Transaction<'_>| {
            if let (Some((next, asked)), Some(report)) = (&leaves, report) {
                state::set_sources(to, next, asked)?;
                self.keep(to, report, &said, (&question, &format))?;
            }
            let oldest = self.now - self.settings.retention;
            findings::write(to, (&before, &after), &renamed, (oldest, self.now))?;
            marks.iter().try_for_each(|(key, value)| state::set_meta(to, key, value))?;
            self.log(to, code, (n_files, n_read), counts)
        };
        // What is told comes first: whatever ends the run before the state knows of it, the next one tells it again.
        let mut placed = None;
        let replaced = self.state.replace(keep, || {
            placed = Some(written.put()?);
            Ok(())
        });
        if let (Err(_), Some(placed)) = (&replaced, placed) {
            placed.take_back();
        }
        replaced?;
        Ok((self.line(counts, told.excluded, n_files, n_read), status))
    }

    /// What is told of a report.
    fn told(&self, report: &Report) -> Report {
        exclude::without(report.clone(), &self.settings.excludes, self.now.date_naive())
    }

    /// Names that notes may have, though no source of tonight does.
    fn names(&self) -> anyhow::Result<BTreeSet<String>> {
        let past = self.state.read(findings::read)?.into_iter();
        let past = past.flat_map(|past| [Some(past.account), past.sid]).flatten();
        let excluded = self.settings.excludes.iter().map(|exclude| exclude.account.clone());
        Ok(past.chain(excluded).collect())
    }

    /// How findings stand by a report, and what is told of it.
    fn standing(&self, report: &Report) -> anyhow::Result<Standing> {
        let before = self.state.read(findings::read)?;
        let changes = self.state.read(judged::changes)?;
        let (excludes, oldest) = (&self.settings.excludes, self.now - self.settings.retention);
        let findings::After { all: after, counts, unjudged, renamed } =
            findings::after(before.clone(), report, &changes, excludes, (oldest, self.now));
        let doubts: Vec<String> = unjudged.iter().map(judged::doubt).collect();
        let left_out = (excludes.as_slice(), self.now.date_naive());
        let forgotten = judged::forgotten(&changes, report, &unjudged, left_out, oldest);
        let mut steps = self.state.read(trend::steps)?;
        for step in &mut steps {
            if let Some((_, new)) = renamed.iter().find(|(old, _)| *old == step.finding) {
                step.finding.clone_from(new);
            }
        }
        steps.extend(findings::steps(&before, &after, &renamed, self.now));
        let mut told = self.told(report);
        told.trend = trend::weeks(&after, &steps, self.now);
        told.undecided = (doubts.len() + forgotten.len()) as u64;
        told.notes.splice(0..0, doubts.iter().chain(&forgotten).cloned());
        Ok(Standing { before, after, counts, told, renamed, doubts, forgotten })
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
        let Some(copies) =
            copies::copies(self.state, &self.outputs, &standing.told, self.key.as_deref())?
        else {
            return Ok(None);
        };
        let more = said.iter().filter(|text| !problems.contains(text));
        more.for_each(|text| self.messages.partial(text));
        Ok(Some((report, standing, copies)))
    }

    /// Reads what is new and judges everything.
    fn judge(
        &self,
        Found { sources, mut problems, .. }: Found,
        usable: Usable,
    ) -> anyhow::Result<(Judged, Standing, Leaves, usize)> {
        let args = &self.settings.analyze;
        let mut kept = self.state.readings()?;
        let asked = if usable.form { self.state.asked()? } else { Asked::default() };
        let (mut sources, lost): (Vec<Tonight>, Vec<Tonight>) = sources
            .into_iter()
            .partition(|source| source.gone_since.is_none() || usable.is_last(source.file.kind));
        for Tonight { file, .. } in lost {
            self.messages.partial(&format!(
                "{}: is gone, and what another version or other settings read of it is of no use; it is left out",
                file.source.path
            ));
        }
        for source in &sources {
            let is_gone = source.gone_since.is_some();
            if let Some(id) = source.known.filter(|_| !is_gone && !usable.is(source.file.kind)) {
                kept.remove(&id);
            }
            if let Some((id, seen)) = &source.before
                && !usable.is_last(seen.kind)
                && kept.remove(id).is_some()
            {
                self.messages.partial(&format!(
                    "{}: is another export than before, and what another version or other settings read of that one is of \
                     no use; what it alone told is not known any more",
                    source.file.source.path
                ));
            }
        }
        let fetch = self.state.fetch();
        let (local, hash) = (args.reading.local(), analyze::hash(args.reading.hash));
        let useless = exports::settle(&mut sources, (&kept, &fetch), &local, hash, self.now);
        useless.iter().for_each(|text| self.messages.partial(text));
        problems.splice(0..0, useless);
        let of_file = |source: &mut Tonight| OfFile {
            is_gone: source.file.is_gone,
            stored: source.seen.as_ref().and_then(|seen| seen.stored.clone()),
            kept: source.known.and_then(|id| kept.remove(&id)).unwrap_or_default(),
            fresh: std::mem::take(&mut source.fresh),
        };
        let of_files = sources.iter_mut().map(of_file).collect();
        let readings = Readings::new(of_files, asked, fetch);
        let mut next = Vec::new();
        let mut files = Vec::new();
        for Tonight { file, seen, known, gone_since, .. } in sources {
            next.push((known, file.source.path.clone(), seen, gone_since));
            files.push(file);
        }
        let standing = OnceCell::new();
        let told = |report: &Report| {
            let stands = self.standing(report)?;
            let told = stands.told.clone();
            let _ = standing.set(stands);
            Ok(told)
        };
        let key = args.pseudonymize.as_deref().map(pseudonymize::read_key).transpose()?;
        let key = key.map(|key| anyhow::Ok((key, self.names()?))).transpose()?;
        let has_details = outputs::want_details(&self.outputs);
        let wanted = night::Wanted { told: &told, has_details, key };
        let judged = night::report_of(args, files, problems, &readings, self.messages, wanted)?;
        let standing = match standing.into_inner() {
            Some(standing) => standing,
            None => self.standing(&judged.report)?,
        };
        let n_read = readings.n_read();
        let (mut left, asked) = readings.leave();
        let stored = stored(&judged.report);
        let damaged = judged.report.sources.iter().filter(|source| source.error.is_some());
        let damaged: BTreeSet<&str> = damaged.map(|source| source.path.as_str()).collect();
        let next = next.into_iter().enumerate();
        let next = next.filter_map(|(index, (from, path, seen, gone_since))| {
            let left: Left = left.remove(&index).unwrap_or_default();
            let seen: Seen = seen?;
            let stored = seen.stored.or(stored.get(&path).cloned());
            let seen = Seen { stored, is_damaged: damaged.contains(path.as_str()), ..seen };
            Some(Next { from, path, seen: packed(&seen), gone_since, left })
        });
        let next: Vec<Next> = next.collect();
        Ok((judged, standing, (next, asked), n_read))
    }

    fn keep(
        &self,
        to: &Transaction<'_>,
        report: &Report,
        said: &Vec<String>,
        (question, format): (&str, &Format),
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
        state::set_meta(to, SAID, &packed(said))?;
        state::set_meta(to, QUESTION, question.as_bytes())?;
        format.write(to)
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

/// What the sources are as stored, as far as they were read whole.
fn stored(report: &Report) -> BTreeMap<String, Stored> {
    let whole = report.sources.iter().filter(|source| source.error.is_none());
    let stored = whole.filter_map(|source| {
        let sha256 = Some(source.sha256.clone()?);
        Some((source.path.clone(), Stored { bytes: source.bytes, sha256, damage: None }))
    });
    stored.collect()
}

/// What a report depends on beside the sources; the same question about the same sources has the same answer.
fn question(settings: &Settings, problems: &[String]) -> String {
    let Settings { analyze, servers, .. } = settings;
    sha256(format!("{analyze:?} {servers:?} {problems:?}").as_bytes())
}
