//! `stillin recycle`: the plan of a report to pools that are recycled, or, without `--execute`, to a page that says what
//! would be done. Every step is looked at before and after, and written down before and after (DOMAIN.md 6).

mod appcmd;
mod ask;
mod page;
mod past;
mod process;
mod run;
mod task;
pub mod via;

use crate::analyze::outputs;
use crate::cli::{Color, Recycle};
use crate::input;
use crate::journal::{self, Journal, PlanFile};
use crate::messages::Messages;
use anyhow::{Context, anyhow, bail};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::process::ExitCode;
use stillin_reports::plan::{self, Plan};
use stillin_reports::text;
use task::{Standing, Task};

/// Logs that ended longer ago do not tell who is open now.
const MAX_AGE: TimeDelta = TimeDelta::hours(24);

/// Clocks may differ by as much as Kerberos forgives.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// Runs the verb.
pub fn run(args: &Recycle) -> anyhow::Result<ExitCode> {
    let messages = Messages::new(false);
    let host = via::this_host()?;
    let (plan, file) = read_plan(args)?;
    let tasks = task::tasks(&plan, args, &host).with_context(|| file.path.clone())?;
    let too_old = too_old(&plan, args, now()).map(|what| format!("{}: {what}", file.path));
    if args.execute {
        if let Some(what) = too_old {
            bail!("{what}");
        }
        return run::execute(args, file, tasks, host, &messages);
    }
    too_old.iter().for_each(|what| messages.partial(what));
    if journal::is_at_work(&args.journal) {
        let name = args.journal.display();
        messages.partial(&format!(
            "{name}: another run is at work with this journal, and what it has begun is not over; wait until it is"
        ));
    }
    let journal =
        if args.journal.exists() { journal::read(&args.journal)? } else { Journal::default() };
    let tasks = with_past(tasks, &journal, &file, args);
    say_torn(&journal, args, &messages);
    let text = page::dry(args, &tasks)?;
    outputs::print(text.as_bytes(), Color::Never)?;
    Ok(status(&tasks, messages.is_partial()))
}

fn read_plan(args: &Recycle) -> anyhow::Result<(Plan, PlanFile)> {
    let path = args.plan.display().to_string();
    let bytes = std::fs::read(&args.plan)
        .map_err(input::refused)
        .with_context(|| format!("cannot read {path}"))?;
    let plan = plan::read(&bytes).map_err(|what| {
        anyhow!("{path}: {what}; `stillin analyze PATH -o report.json` writes one")
    })?;
    let report_sha256 = plan.report_sha256.clone();
    Ok((plan, PlanFile { path, sha256: input::sha256(&bytes), report_sha256 }))
}

/// Why a plan is not acted on any more: tokens that idled are gone by themselves, others were made.
fn too_old(plan: &Plan, args: &Recycle, now: DateTime<Utc>) -> Option<String> {
    let age = match plan.as_of {
        _ if plan.plan.is_empty() => return None,
        Some(as_of) => now - as_of,
        None if args.max_age.is_some() => return None,
        None => {
            return Some(
                "how far its logs reach is not told, and who is open now is not known; analyze the logs anew, or say \
                 --max-age if they are new"
                    .to_owned(),
            );
        }
    };
    if age < -AHEAD {
        return Some(format!(
            "its logs end {} from now, by this computer's clock, so how old they are is not known; see to the clocks and \
             analyze newer logs",
            span(-age)
        ));
    }
    (age > args.max_age.unwrap_or(MAX_AGE)).then(|| {
        format!(
            "its logs end {} ago, and who is open now is not known; analyze newer logs, or say another --max-age",
            span(age)
        )
    })
}

/// Tasks, after what was done before.
fn with_past(tasks: Vec<Task>, journal: &Journal, file: &PlanFile, args: &Recycle) -> Vec<Task> {
    let mut tasks = tasks;
    for task in tasks.iter_mut().filter(|task| task.standing == Standing::Go) {
        task.standing = past::standing(task, journal.steps(), file.identity(), args, now());
    }
    tasks
}

fn say_torn(journal: &Journal, args: &Recycle, messages: &Messages) {
    for line in journal.torn_lines() {
        messages.note(&format!(
            "{}:{line}: cut short when a run was killed; nothing had been done that is not told elsewhere",
            args.journal.display()
        ));
    }
}

/// What came of it, or would.
fn status(tasks: &[Task], is_partial: bool) -> ExitCode {
    let is_left =
        |task: &&Task| matches!(task.standing, Standing::Refused(_) | Standing::Uncertain(_));
    let n_left = tasks.iter().filter(is_left).count();
    let is_refused = |task: &Task| matches!(task.standing, Standing::Refused(_));
    if !tasks.is_empty() && tasks.iter().all(is_refused) {
        ExitCode::from(2)
    } else if n_left > 0 || is_partial {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    }
}

/// The present, to the millisecond.
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

/// A span of time, in plain blanks: these texts go to messages and journals as well.
fn span(span: TimeDelta) -> String {
    text::duration(span.num_seconds()).replace(text::TIE, " ")
}

/// `worker 1234`, `workers 1234 and 5678`
fn workers_in_words(workers: &[u32]) -> String {
    let ids: Vec<String> = workers.iter().map(u32::to_string).collect();
    match ids.as_slice() {
        [] => "no worker".to_owned(),
        [one] => format!("worker {one}"),
        [first @ .., last] => format!("workers {} and {last}", first.join(", ")),
    }
}

/// Whom else a task hits.
fn others_in_words(task: &Task) -> String {
    match (task.pool.is_empty(), task.other_users) {
        (true, n) => format!(
            "everybody on this server is cut off for minutes: {} besides in the pools of the plan; those of its other \
             pools were not counted",
            text::count(n, "user", "users")
        ),
        (false, 0) => "nobody else was active there".to_owned(),
        (false, 1) => "1 other will log on again".to_owned(),
        (false, n) => format!("{} others will log on again", text::number(n)),
    }
}
