//! `stillin verify`: a plan, the journal of `recycle` and the logs since to whether access is over, or the request that
//! says it is not. Judged by the same reading and the same correlation as `analyze`.

mod assemble;
mod journals;
mod judge;
mod recycled;
mod wanted;
mod watch;
mod words;

use crate::analyze::outputs::{self, Outputs};
use crate::analyze::since::{self, Beside, Since};
use crate::cli::{self, Analyze, Verify};
use crate::input::{self, refused};
use crate::journal::Action;
use crate::messages::Messages;
use crate::source::{Origin, Source};
use crate::workers::Pool;
use anyhow::{Context, anyhow, bail};
use chrono::{DateTime, Utc};
use journals::{Journals, Record};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use stillin_parsers::event::{Pos, Restart, Restarted};
use stillin_reports::report::Rules;
use stillin_reports::verify as report;
use stillin_reports::{Output, verify_page};
use wanted::Wanted;

/// Runs the verb.
pub fn run(args: &Verify) -> anyhow::Result<ExitCode> {
    let messages = Messages::new(args.reading.quiet);
    let task = Task::new(args)?;
    let outputs = outputs::create(&task.arguments)?;
    outputs.take_only(&[Output::Terminal, Output::Json], ".txt or .json")?;
    for path in std::iter::once(&args.plan).chain(&args.journal) {
        outputs.spare(&as_source(path))?;
    }
    let verdict = match args.watch {
        true => watch::watch(&task, &outputs, &messages)?,
        false => task.check(&outputs, &messages, None)?,
    };
    outputs.write_drawn(|output, style| verify_page(&verdict, output, style))?;
    let is_good = matches!(verdict.state, "proven" | "no_contradiction");
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    std::fs::read(path).map_err(refused).with_context(cannot)
}

fn as_input(path: String, bytes: &[u8]) -> report::Input {
    report::Input { path, sha256: input::sha256(bytes) }
}

fn as_source(path: &Path) -> Source {
    let (path, fs_path) = (path.display().to_string(), path.to_owned());
    Source { path, fs_path, origin: Origin::File }
}

/// What is to be verified, and how to read.
struct Task<'a> {
    args: &'a Verify,
    arguments: Analyze,
    wanted: Wanted,
    /// The plan as a file.
    plan: report::Input,
}

/// What there is to judge by.
struct Known<'a> {
    task: &'a Task<'a>,
    journals: Journals,
    since: Since,
    now: Option<DateTime<Utc>>,
}

impl<'a> Task<'a> {
    fn new(args: &'a Verify) -> anyhow::Result<Self> {
        if args.watch && args.paths.iter().any(|path| path.as_os_str() == "-") {
            bail!("-: cannot be watched, because it can be read only once; name files or folders");
        }
        let name = args.plan.display().to_string();
        let bytes = read(&args.plan)?;
        let wanted = wanted::read(&bytes).map_err(|what| anyhow!("{name}: {what}"))?;
        let arguments = arguments(args, &wanted.rules).map_err(|what| anyhow!("{name}: {what}"))?;
        let plan = as_input(name, &bytes);
        Ok(Task { args, arguments, wanted, plan })
    }

    /// Reads everything and judges it. `now` is the present, where logs are watched as they grow.
    fn check(
        &self,
        outputs: &Outputs<'_>,
        messages: &Messages,
        now: Option<DateTime<Utc>>,
    ) -> anyhow::Result<report::Verify> {
        let journals = journals::read(&self.args.journal, self.args.watch)?;
        for (path, line) in &journals.torn {
            messages.note(&format!("{path}:{line}: cut short, because that run was killed"));
        }
        let beside = Beside {
            readings: None,
            facts: self.wanted.facts.clone(),
            restarts: journals.records.iter().filter_map(restart).collect(),
        };
        let since = since::since(&self.arguments, beside, &self.pools(), outputs, messages)?;
        let notes = words::notes(&self.wanted, &since);
        notes.iter().for_each(|note| messages.note(note));
        let known = Known { task: self, journals, since, now };
        Ok(assemble::verify(known, notes))
    }

    /// Every pool that the plan or its findings name.
    fn pools(&self) -> BTreeSet<Pool> {
        let of_steps = self.wanted.steps.iter().map(|step| step.pool.clone());
        let paths = self.wanted.findings.iter().flat_map(|finding| &finding.paths);
        of_steps.chain(paths.map(|path| path.pool.clone())).collect()
    }
}

/// The rules of the plan: it has to be verified under the rules it was made under.
fn arguments(args: &Verify, rules: &Rules) -> Result<Analyze, String> {
    Ok(Analyze {
        output: args.output.clone(),
        format: args.format,
        ttl: cli::rule(rules.ttl_seconds)?,
        slack: cli::rule(rules.slack_seconds)?,
        auth: rules.auth.iter().map(|text| cli::pool_and_scheme(text)).collect::<Result<_, _>>()?,
        ..Analyze::for_inspect(&args.paths, &args.reading)
    })
}

/// A step that was done is a restart like one that an event tells of.
fn restart(record: &Record) -> Option<Restart> {
    let step = &record.step;
    let time = step.ended_at.filter(|_| recycled::is_done(step))?;
    Some(Restart {
        pos: Pos::Line(step.line),
        time,
        computer: Some(step.server.clone()),
        what: match step.action {
            Action::Recycle if !step.pool.is_empty() => Restarted::Pool(step.pool.clone()),
            _ => Restarted::Iis,
        },
        is_by_command: true,
        process_id: step.workers_before.first().map(|id| u64::from(*id)),
    })
}
