//! `stillin analyze`: sources to a report. The table of contents of the program.

mod assemble;
mod by_design;
pub mod chain;
mod clear;
mod doubts;
mod find;
mod fronts;
mod judge;
mod learn;
pub mod night;
mod notes;
pub mod outputs;
mod refusals;
pub mod since;
mod sources;
mod timeline;

use crate::account::{AccountId, Resolution};
use crate::case::{self, Case};
use crate::change::{self, Directory, Told};
use crate::cli::{Analyze, FailOn, HashWord, Reading};
use crate::clocks::{self, Offset};
use crate::collect::again::Look;
use crate::collect::chunk::Wanted;
use crate::collect::log::Log;
use crate::collect::watch::Watch;
use crate::collect::{self, Collected};
use crate::input::Hash;
use crate::messages::Messages;
use crate::pseudonymize::{self, Pseudonyms};
use crate::read::{self, Evidence, File, is_exchange_log};
use crate::readings::{Readings, Slot};
use crate::schemes::Settings;
use crate::source;
use anyhow::{Context, bail};
pub use assemble::pool_word;
use chrono::{DateTime, Utc};
use fronts::Fronts;
pub use fronts::HELD_BACK;
use rayon::prelude::*;
use since::Beside;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;
use stillin_parsers::event::Restart;
use stillin_parsers::kind::Kind;
use stillin_reports::report::{self, Report};
use stillin_reports::{Content, Requests};

/// Everything that was read, and what it came to.
struct Run<'a> {
    args: &'a Analyze,
    /// What was read before; None reads everything.
    readings: Option<&'a Readings>,
    files: Vec<File>,
    evidence: BTreeMap<usize, Evidence>,
    /// What the evidence says, fact by fact.
    told: Vec<Told>,
    /// Restarts that are known beside the sources.
    restarts_beside: Vec<Restart>,
    directory: Directory,
    /// Names in lower case that HttpProxy has beside SIDs and no source knows; the last facts of `told` are theirs.
    learnt: Vec<String>,
    /// Names that only the logs tie to an account, in lower case, each with a name of it that the evidence knows.
    typed: BTreeMap<String, String>,
    /// The same of names that turned out to be somebody else's as well: they are nobody's.
    shared: BTreeMap<String, String>,
    /// Ids of requests that W3C has under a name of another account than HttpProxy.
    denied: BTreeSet<u128>,
    watched: BTreeSet<AccountId>,
    /// The accounts that `--account` names; None for all.
    asked: Option<BTreeSet<AccountId>>,
    passwords_from: Option<DateTime<Utc>>,
    /// How the clocks of servers stand to those of domain controllers.
    offsets: Vec<Offset>,
    collected: Collected,
    /// What the logs can speak about.
    fronts: Fronts,
    /// What the pools of the keys let clients log on with.
    settings: Settings,
    cases: Vec<Case>,
    /// When each watched account was last served, as far as it surely was.
    served: BTreeMap<AccountId, DateTime<Utc>>,
    notes: Vec<String>,
}

/// Runs the verb.
pub fn run(args: &Analyze) -> anyhow::Result<ExitCode> {
    let args = &with_local(args)?;
    let messages = Messages::new(args.reading.quiet);
    if let (Some(since), Some(until)) = (args.since, args.until)
        && since > until
    {
        bail!("--since is later than --until: no request can lie between them");
    }
    for (pool, scheme) in &args.auth {
        if args.auth.iter().any(|(other, word)| other == pool && word != scheme) {
            bail!("--auth says two things of {pool}; say one");
        }
    }
    let key = args.pseudonymize.as_deref().map(pseudonymize::read_key).transpose()?;
    let outputs = outputs::create(args)?;
    let hash = hash(args.reading.hash);
    let (files, problems) = find::find(args, hash, &outputs, &messages)?;
    messages.begin(files.iter().map(|file| file.bytes).sum());
    let report = {
        let mut run = judged(args, files, Beside::default(), hash, &messages)?;
        run.notes.splice(0..0, problems);
        notes::say(&mut run, &messages);
        let report = assemble::report(&run);
        let accounts = &run.directory.accounts;
        let pseudonyms =
            key.map(|key| Pseudonyms::new(key, accounts, &clear::clear(&run, &report)));
        let report = match &pseudonyms {
            Some(pseudonyms) => pseudonyms.report(report),
            None => report,
        };
        let plan = outputs.plan(&report, &messages)?;
        let row = |row| match &pseudonyms {
            Some(pseudonyms) => pseudonyms.row(row),
            None => row,
        };
        let requests = |order| -> Requests<'_> { Box::new(assemble::rows(&run, order).map(row)) };
        let timelines = || {
            let timelines = timeline::timelines(&run, &report);
            match &pseudonyms {
                Some(pseudonyms) => pseudonyms.timelines(timelines),
                None => timelines,
            }
        };
        let (requests, timelines) = (&requests, &timelines);
        outputs.write(Content { report: &report, plan: &plan, requests, timelines })?;
        drop(pseudonyms);
        // The program is about to end: giving back every small text by itself would only take time.
        std::mem::forget(run);
        report
    };
    Ok(status(args, &report, &messages).0)
}

/// Everything that is read and judged.
fn judged<'a>(
    args: &'a Analyze,
    files: Vec<File>,
    beside: Beside<'a>,
    hash: Hash,
    messages: &Messages,
) -> anyhow::Result<Run<'a>> {
    let mut run = read_changes(args, files, beside, hash, messages)?;
    run.read_logs(hash, messages)?;
    run.judge();
    messages.end();
    Ok(run)
}

/// The arguments, with the places of this server's logs where they are asked for. What names no server is this one's.
fn with_local(args: &Analyze) -> anyhow::Result<Analyze> {
    let mut args = args.clone();
    if args.local {
        args.paths.extend(source::local::of_this_computer().map_err(anyhow::Error::msg)?);
        args.reading.server = args.reading.server.or(std::env::var("COMPUTERNAME").ok());
    }
    Ok(args)
}

/// The word of `--hash`.
pub fn hash(word: HashWord) -> Hash {
    match word {
        HashWord::Sha256 => Hash::Sha256,
        HashWord::None => Hash::None,
    }
}

/// The exit status of a report, and its number.
pub fn status(args: &Analyze, report: &Report, messages: &Messages) -> (ExitCode, u8) {
    let paths = || report.findings.iter().flat_map(|finding| &finding.paths);
    let fails = match args.fail_on {
        Some(FailOn::Residual) => !report.findings.is_empty(),
        Some(FailOn::Open) => paths().any(|path| path.state == "open"),
        None => false,
    };
    let number = match (fails, messages.is_partial()) {
        (true, _) => 3,
        (false, true) => 1,
        (false, false) => 0,
    };
    (ExitCode::from(number), number)
}

/// Changes come first: they say whom to look for in the logs.
fn read_changes<'a>(
    args: &'a Analyze,
    mut files: Vec<File>,
    beside: Beside<'a>,
    hash: Hash,
    messages: &Messages,
) -> anyhow::Result<Run<'a>> {
    let local = args.reading.local();
    let mut evidence: BTreeMap<usize, Evidence> = files
        .par_iter_mut()
        .enumerate()
        .filter(|(_, file)| file.kind.is_change_evidence() || file.kind == Kind::IisConfig)
        .map(|(index, file)| {
            let read = match beside.readings {
                Some(known) => known.evidence(index, || read::evidence(file, hash, &local)),
                None => read::evidence(file, hash, &local),
            };
            messages.read(file.bytes);
            (index, read)
        })
        .collect();
    let server = args.reading.server.as_deref();
    let offsets = offsets(&files, &mut evidence, server, beside.readings);
    let mut told: Vec<Told> = Vec::new();
    for (&index, evidence) in &mut evidence {
        told.extend(read::told(std::mem::take(&mut evidence.facts), index, files[index].kind));
    }
    // What no source tells stands behind the last of them.
    let n_sources = files.len();
    let behind = |told: Told| Told { source: n_sources + told.source, ..told };
    told.extend(beside.facts.into_iter().map(behind));
    let passwords_from = files.iter().filter_map(|file| file.first_entry).min();
    let mut run = Run {
        args,
        readings: beside.readings,
        files,
        evidence,
        told,
        restarts_beside: beside.restarts,
        directory: Directory::default(),
        learnt: Vec::new(),
        typed: BTreeMap::new(),
        shared: BTreeMap::new(),
        denied: BTreeSet::new(),
        watched: BTreeSet::new(),
        asked: None,
        passwords_from,
        offsets,
        collected: Collected::default(),
        fronts: Fronts::default(),
        settings: Settings::default(),
        cases: Vec::new(),
        served: BTreeMap::new(),
        notes: Vec::new(),
    };
    // Whoever asks for an account and gets an empty report must not take that for an answer.
    for note in run.know()? {
        messages.partial(&note);
        run.notes.push(note);
    }
    Ok(run)
}

/// How the clocks stand. A domain controller's log may be large, and is read again only where logons are known.
fn offsets(
    files: &[File],
    evidence: &mut BTreeMap<usize, Evidence>,
    server: Option<&str>,
    readings: Option<&Readings>,
) -> Vec<Offset> {
    let has_some = |evidence: &Evidence| evidence.tally.validations > 0;
    if !evidence.values().any(has_some) {
        return Vec::new();
    }
    let sought = clocks::sought(evidence.values().map(|evidence| &evidence.logons), server);
    for (index, evidence) in evidence.iter_mut().filter(|(_, evidence)| has_some(evidence)) {
        if files[*index].kind != Kind::Evtx || sought.is_empty() {
            continue;
        }
        let read = || read::validations(&files[*index], &sought).map_err(|e| format!("{e:#}"));
        let validations = match readings {
            None => read(),
            Some(known) => {
                let question = format!("{sought:?}");
                known.recall(*index, Slot::Validations, question.as_bytes(), Result::is_ok, read)
            }
        };
        match validations {
            Ok(validations) => evidence.validations = validations,
            // Clocks are not compared by it.
            Err(_) if files[*index].is_gone => {}
            Err(error) => evidence.error = Some(error),
        }
    }
    let logons = evidence.values().map(|evidence| &evidence.logons);
    let validations = evidence.values().map(|evidence| &evidence.validations);
    clocks::offsets(logons, validations, server)
}

/// Accounts that `--account` names.
fn asked_for(
    names: &[String],
    directory: &Directory,
    notes: &mut Vec<String>,
) -> anyhow::Result<BTreeSet<AccountId>> {
    let mut asked = BTreeSet::new();
    for name in names {
        match directory.accounts.resolve(name, None) {
            Resolution::One(id) => _ = asked.insert(id),
            Resolution::Ambiguous(ids) => {
                // What may be any bearer's is nobody's rival, and may be this one's.
                let may_be_any = |id: &&AccountId| directory.accounts.may_be_any_bearer(**id);
                if ids.len() - ids.iter().filter(may_be_any).count() == 1 {
                    asked.extend(ids);
                    continue;
                }
                let names: Vec<_> =
                    ids.iter().map(|&id| directory.accounts.list[id].display.as_str()).collect();
                bail!("--account {name}: several accounts bear it: {}; say which", names.join(", "));
            }
            Resolution::Nobody => notes.push(format!(
                "--account {name}: no source tells of a change to it, so there is nothing to judge; add the \
                 evidence, or a change list (time,account,change,actor)"
            )),
        }
    }
    Ok(asked)
}

impl Run<'_> {
    /// Accounts and changes out of what was told, and whom to look for. Returns what `--account` names in vain.
    fn know(&mut self) -> anyhow::Result<Vec<String>> {
        self.directory = change::merge(&self.told);
        let beside = self.changes_beside().map(|change| change.at).min();
        // What an earlier report found did outlive the time that its logs did not show.
        self.passwords_from = self.passwords_from.into_iter().chain(beside).min();
        let cuts = case::cuts_by_account(&self.directory.changes, self.passwords_from);
        self.watched = cuts.into_keys().collect();
        if beside.is_some() {
            let told = self.changes_beside().map(|change| change.account);
            let told: BTreeSet<AccountId> = told.collect();
            self.watched.retain(|id| told.contains(id));
        }
        self.tie_typed();
        let mut notes = Vec::new();
        if !self.args.account.is_empty() {
            let asked = asked_for(&self.args.account, &self.directory, &mut notes)?;
            self.watched.retain(|id| asked.contains(id));
            self.asked = Some(asked);
        }
        Ok(notes)
    }

    fn collect(&mut self, hash: Hash, messages: &Messages) {
        let changes = &self.directory.changes;
        let cuts = case::cuts_by_account(changes, self.passwords_from);
        let first_cut = |list: &[usize]| {
            let cuts = list.iter().map(|&change| &changes[change]).filter(|c| c.kind.cuts());
            cuts.map(|change| change.at).min()
        };
        let cut_at: BTreeMap<AccountId, DateTime<Utc>> =
            self.watched.iter().filter_map(|id| Some((*id, first_cut(cuts.get(id)?)?))).collect();
        let first_cut = cut_at.values().min().copied();
        let long_before = |at| at - case::OLDEST_TOKEN;
        let since_of = cut_at.into_iter().map(|(id, at)| (id, long_before(at)));
        let watch = Watch::new(&self.directory.accounts, since_of.collect());
        let long_before = first_cut.map(long_before);
        let wanted = Wanted {
            watch: &watch,
            // What began before `--since` is asked for all the same: the chain may reach back to the change.
            from: long_before,
            until: self.args.until,
            wants_ids: self.files.iter().any(|file| is_exchange_log(file.kind)),
            nameless_from: first_cut,
            progress: &|bytes| messages.read(bytes),
            readings: self.readings,
        };
        let server = self.args.reading.server.as_deref();
        self.collected = collect::collect(&mut self.files, hash, server, &wanted);
    }
}

/// The logs of requests, to look into again.
fn looks<'a>(run: &'a Run<'_>) -> Vec<Look<'a>> {
    let look = |(&index, log): (&usize, &'a Log)| {
        let server = run.collected.server_of_log.get(&index).map(String::as_str);
        let readings = run.readings.map(|readings| (readings, index));
        let (is_uniform, is_ordered) = (log.is_uniform, !log.tally.is_unordered);
        let (file, span) = (&run.files[index], log.tally.span?);
        Some(Look { file, server, span, is_uniform, is_ordered, readings })
    };
    run.collected.logs.iter().filter_map(look).collect()
}

/// Reads everything for `inspect`, judging nothing.
pub fn inspect(
    paths: &[PathBuf],
    reading: &Reading,
    messages: &Messages,
) -> anyhow::Result<Vec<report::Source>> {
    let hash = hash(reading.hash);
    let files = find::look(paths, reading, hash, messages)?;
    let args = Analyze::for_inspect(paths, reading);
    let mut run = read_changes(&args, files, Beside::default(), hash, messages)?;
    run.watched.clear();
    run.read_logs(hash, messages)?;
    messages.end();
    Ok((0..run.files.len()).map(|index| sources::inspected(&run, index)).collect())
}

/// A thread pool of the size that was asked for.
pub fn with_threads<T: Send>(
    threads: u16,
    work: impl FnOnce() -> anyhow::Result<T> + Send,
) -> anyhow::Result<T> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build();
    pool.context("cannot start threads; try --threads 1")?.install(work)
}
