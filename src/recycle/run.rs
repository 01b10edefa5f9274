//! Tasks to what was done: one server at a time, one step at a time, looked at before and after, written down before and
//! after, and nothing more after the first failure.

use super::appcmd::{self, Worker};
use super::page::{NOTHING, place};
use super::process::{self, Ran};
use super::task::{Standing, Task, is_one_server};
use super::via::{self, LIST_POOLS, LIST_WORKERS, Program};
use super::{ask, now, say_torn, span, status, with_past, workers_in_words};
use crate::analyze::outputs;
use crate::cli::{Color, Recycle};
use crate::journal::{
    self, Action, Begun, Closed, Ended, Event, Opened, Outcome, PlanFile, Skipped, Writer,
};
use crate::messages::Messages;
use crate::stop::Stop;
use anyhow::{Context, anyhow, bail};
use chrono::TimeDelta;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use stillin_reports::report::Tool;
use stillin_reports::text::safe;

/// How long to look for other workers: a recycle is overlapped, and lazy without requests (DOMAIN.md 6.3).
const LOOK: Duration = Duration::from_secs(5);

/// Between two looks.
const BETWEEN: Duration = Duration::from_millis(250);

/// A restart of IIS takes minutes, and one that is killed half way leaves IIS stopped (DOMAIN.md 6.4).
const RESET: TimeDelta = TimeDelta::minutes(10);

/// Why steps are not begun after Ctrl-C.
const STOPPED: &str = "not begun, because the run was stopped by Ctrl-C";

/// A run with its journal.
struct Run<'a> {
    args: &'a Recycle,
    name: String,
    writer: Writer,
    messages: &'a Messages,
    stop: Stop,
    has_begun: bool,
    /// A step was begun, and failed: not one that was only looked at.
    has_failed: bool,
}

/// Does what is to be done.
pub fn execute(
    args: &Recycle,
    file: PlanFile,
    tasks: Vec<Task>,
    host: String,
    messages: &Messages,
) -> anyhow::Result<ExitCode> {
    if tasks.is_empty() {
        say(NOTHING)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.yes && !ask::can_ask() {
        bail!(
            "no terminal to ask at; say --yes to be asked nothing, or leave --execute out to see what would be done"
        );
    }
    let (journal, writer) = journal::open(&args.journal)?;
    say_torn(&journal, args, messages);
    let mut tasks = with_past(tasks, &journal, &file, args);
    let name = format!("{}-{}", now().format("%Y%m%dT%H%M%S%.3fZ"), std::process::id());
    let (has_begun, has_failed) = (false, false);
    let mut run =
        Run { args, name, writer, messages, stop: Stop::on_ctrl_c()?, has_begun, has_failed };
    run.open(file, host)?;
    for task in tasks.iter().filter(|task| task.standing != Standing::Go) {
        run.skip(task)?;
    }
    let is_whole = run.servers(&mut tasks).and_then(|is_whole| run.close().map(|()| is_whole));
    match is_whole {
        Ok(true) => Ok(status(&tasks, messages.is_partial())),
        Ok(false) if run.has_failed => Ok(ExitCode::from(3)),
        Ok(false) => Ok(ExitCode::from(if run.has_begun { 1 } else { 2 })),
        Err(error) if run.has_begun => {
            messages.partial(&format!("{error:#}"));
            Ok(ExitCode::from(3))
        }
        Err(error) => Err(error),
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    outputs::print(text.as_bytes(), Color::Never)
}

impl Run<'_> {
    fn open(&mut self, plan: PlanFile, host: String) -> anyhow::Result<()> {
        self.writer.append(Event::Opened(Opened {
            at: now(),
            run: self.name.clone(),
            operator: via::operator(),
            host,
            tool: Tool::this(),
            plan,
            via: self.args.via.word(),
        }))
    }

    fn close(&mut self) -> anyhow::Result<()> {
        self.writer.append(Event::Closed(Closed { at: now(), run: self.name.clone() }))?;
        say(&format!("Written down in {}\n", safe(&self.args.journal.display().to_string())))
    }

    /// One server after the other. Whether no step failed.
    fn servers(&mut self, tasks: &mut [Task]) -> anyhow::Result<bool> {
        let mut is_first = true;
        let mut failed: Option<u64> = None;
        for tasks in tasks.chunk_by_mut(is_one_server) {
            let go: Vec<&Task> =
                tasks.iter().filter(|task| task.standing == Standing::Go).collect();
            let Some(server) = go.first().map(|task| task.server.clone()) else { continue };
            if let Some(step) = failed {
                self.refuse(tasks, &format!("not begun, because step {step} failed"))?;
                continue;
            }
            if !is_first && !self.args.pause.is_zero() {
                say(&format!("A pause of {} before {server}\n", span(self.args.pause)))?;
                self.stop.sleep(self.args.pause.to_std().unwrap_or_default());
            }
            if self.stop.is_wanted() {
                self.refuse(tasks, STOPPED)?;
                continue;
            }
            if !self.args.yes && !self.stop.or_end(|| ask::agrees(&go))? {
                self.refuse(tasks, "declined by the operator")?;
                continue;
            }
            is_first = false;
            failed = self.server(tasks)?;
        }
        Ok(failed.is_none())
    }

    /// The steps of one server; the one that failed.
    fn server(&mut self, tasks: &mut [Task]) -> anyhow::Result<Option<u64>> {
        for index in 0..tasks.len() {
            let task = &tasks[index];
            if task.standing != Standing::Go {
                continue;
            }
            match self.step(task) {
                Ok(Standing::Go) => {
                    self.refuse(tasks, STOPPED)?;
                    return Ok(None);
                }
                Ok(standing) => {
                    let text = standing.reason().unwrap_or_default();
                    say(&format!("{}  {text}\n", place(task)))?;
                    if let Standing::Uncertain(text) = &standing {
                        self.messages.partial(&format!("{}: {text}", place(task)));
                    }
                    tasks[index].standing = standing;
                }
                Err(error) => {
                    self.messages.partial(&format!("{}: {error:#}", place(task)));
                    let step = task.step;
                    tasks[index].standing = Standing::Refused(format!("{error:#}"));
                    self.refuse(tasks, &format!("not begun, because step {step} failed"))?;
                    return Ok(Some(step));
                }
            }
        }
        Ok(None)
    }

    /// Tasks that were to be done, and will not be.
    fn refuse(&mut self, tasks: &mut [Task], reason: &str) -> anyhow::Result<()> {
        for task in tasks.iter_mut().filter(|task| task.standing == Standing::Go) {
            task.standing = Standing::Refused(reason.to_owned());
            self.skip(task)?;
        }
        Ok(())
    }

    /// Says and writes down why a task is not begun.
    fn skip(&mut self, task: &Task) -> anyhow::Result<()> {
        let reason = task.standing.reason().unwrap_or_default();
        let text = format!("{}: {reason}", place(task));
        match task.standing {
            Standing::Done(_) => self.messages.note(&text),
            _ => self.messages.partial(&text),
        }
        self.write_skipped(task, reason)
    }

    fn write_skipped(&mut self, task: &Task, reason: &str) -> anyhow::Result<()> {
        self.writer.append(Event::Skipped(Skipped {
            at: now(),
            run: self.name.clone(),
            step: task.step,
            server: task.server.clone(),
            pool: task.pool.clone(),
            reason: reason.to_owned(),
        }))
    }

    /// One step; what came of it, or that it may still be done, if the user wants to stop.
    fn step(&mut self, task: &Task) -> anyhow::Result<Standing> {
        if self.stop.is_wanted() {
            return Ok(Standing::Go);
        }
        let looked = self.look(task);
        if let Err(error) = &looked {
            self.write_skipped(task, &format!("{error:#}"))?;
        }
        let (pool, before) = looked?;
        // That may have taken its time.
        if self.stop.is_wanted() {
            return Ok(Standing::Go);
        }
        let (program, words) = via::action(task.action, &pool);
        let command = self.args.via.command(&task.server, program, &words)?;
        self.write_begun(task, &command, &before)?;
        let limit = self.limit(program);
        let ran = process::run(&command, limit.to_std().unwrap_or_default());
        let says = match &ran {
            Ok(ran) if ran.is_late => Outcome::TimedOut,
            Ok(ran) if ran.exit == Some(0) && error(ran).is_none() => Outcome::Done,
            _ => Outcome::Failed,
        };
        let is_done = says == Outcome::Done;
        let after = if is_done { self.workers_after(task, &before) } else { None };
        let outcome = match is_done && !is_proven(task.action, &before, after.as_deref()) {
            true => Outcome::Unproven,
            false => says,
        };
        self.has_failed |= matches!(outcome, Outcome::Failed | Outcome::TimedOut);
        self.write_ended(task, outcome, &ran, &after)
            .context("the command was run, but what came of it is not written down")?;
        let ran = ran?;
        match outcome {
            Outcome::Done => {
                Ok(Standing::Done(done(&before, after.as_deref().unwrap_or_default())))
            }
            Outcome::Unproven => Ok(Standing::Uncertain(unproven(&before, after.as_deref()))),
            Outcome::TimedOut => bail!(
                "took longer than {} and was killed; it may have been done all the same",
                span(limit)
            ),
            Outcome::Failed => bail!("{}", failure(program, &ran)),
        }
    }

    fn write_begun(
        &mut self,
        task: &Task,
        command: &[String],
        workers: &[u32],
    ) -> anyhow::Result<()> {
        self.writer.append(Event::Begun(Begun {
            at: now(),
            run: self.name.clone(),
            step: task.step,
            server: task.server.clone(),
            pool: task.pool.clone(),
            action: task.action,
            command: command.to_vec(),
            workers: workers.to_vec(),
        }))?;
        self.has_begun = true;
        Ok(())
    }

    fn write_ended(
        &mut self,
        task: &Task,
        outcome: Outcome,
        ran: &anyhow::Result<Ran>,
        workers: &Option<Vec<u32>>,
    ) -> anyhow::Result<()> {
        self.writer.append(Event::Ended(Ended {
            at: now(),
            run: self.name.clone(),
            step: task.step,
            server: task.server.clone(),
            pool: task.pool.clone(),
            outcome,
            exit: ran.as_ref().ok().and_then(|ran| ran.exit),
            output: ran.as_ref().map_or_else(|error| format!("{error:#}"), Ran::output),
            workers: workers.clone(),
        }))
    }

    fn limit(&self, program: Program) -> TimeDelta {
        match program {
            Program::Appcmd => self.args.timeout,
            Program::Iisreset => self.args.timeout.max(RESET),
        }
    }

    /// The pool as the server spells it, and its workers, once it is sure that it can be recycled.
    fn look(&self, task: &Task) -> anyhow::Result<(String, Vec<u32>)> {
        let mut name = task.pool.clone();
        if task.action == Action::Recycle {
            let ran = self.list(&task.server, &LIST_POOLS)?;
            let pools =
                appcmd::pools(&ran.stdout).map_err(|line| unexpected(&LIST_POOLS, &line))?;
            let pool = pools.into_iter().find(|pool| pool.name.eq_ignore_ascii_case(&task.pool));
            let pool = pool.context("there is no such pool on the server")?;
            if pool.state != "Started" {
                bail!("the pool is not started but {}; there is nothing to recycle", pool.state);
            }
            name = pool.name;
        }
        Ok((name, self.workers(task)?))
    }

    /// Process ids of the workers that a task ends.
    fn workers(&self, task: &Task) -> anyhow::Result<Vec<u32>> {
        let ran = self.list(&task.server, &LIST_WORKERS)?;
        let workers =
            appcmd::workers(&ran.stdout).map_err(|line| unexpected(&LIST_WORKERS, &line))?;
        let is_hit = |worker: &Worker| {
            task.action == Action::Iisreset || worker.pool.eq_ignore_ascii_case(&task.pool)
        };
        let mut ids: Vec<u32> =
            workers.into_iter().filter(is_hit).map(|worker| worker.id).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    fn list(&self, server: &str, words: &[&str]) -> anyhow::Result<Ran> {
        let command = self.args.via.command(server, Program::Appcmd, words)?;
        let limit = self.limit(Program::Appcmd);
        let ran = process::run(&command, limit.to_std()?)?;
        if ran.is_late {
            bail!("appcmd {} took longer than {}", words.join(" "), span(limit));
        }
        // A list of nothing: appcmd prints nothing, and its status is 1.
        let is_empty = ran.exit == Some(1) && ran.output().trim().is_empty();
        if (ran.exit != Some(0) && !is_empty) || error(&ran).is_some() {
            bail!("cannot look, appcmd {}: {}", words.join(" "), failure(Program::Appcmd, &ran));
        }
        Ok(ran)
    }

    /// The workers after a recycle, as soon as they have changed; none if they cannot be listed.
    fn workers_after(&self, task: &Task, before: &[u32]) -> Option<Vec<u32>> {
        let started = Instant::now();
        loop {
            let after = self.workers(task).ok()?;
            if before.is_empty()
                || journal::is_changed(task.action, before, &after)
                || started.elapsed() > LOOK
            {
                return Some(after);
            }
            std::thread::sleep(BETWEEN);
        }
    }
}

/// Whether the workers show that it was done: other ones are the proof (DOMAIN.md 6.4), and without any there was no token.
fn is_proven(action: Action, before: &[u32], after: Option<&[u32]>) -> bool {
    after.map_or(before.is_empty(), |after| journal::is_changed(action, before, after))
}

/// What the workers say of a step that was done.
fn done(before: &[u32], after: &[u32]) -> String {
    let (was, now) = (workers_in_words(before), workers_in_words(after));
    if before.is_empty() {
        "done; it had no worker, and so no token".to_owned()
    } else if after.is_empty() {
        format!("done; {was} {} gone, and the next request starts another", is_or_are(before))
    } else if before.iter().any(|id| after.contains(id)) {
        format!("done; {was} before, {now} now, until what is old has ended")
    } else {
        format!("done; {was} before, {now} now")
    }
}

/// What the workers say of a step that is said to be done.
fn unproven(before: &[u32], after: Option<&[u32]>) -> String {
    let (was, is) = (workers_in_words(before), is_or_are(before));
    match after {
        Some(after) if before.is_empty() => format!(
            "not proven: it was done, says the server; but no worker was listed before, and {} now, which may have been \
             there all the time",
            workers_in_words(after)
        ),
        Some(after) => {
            let left: Vec<u32> = before.iter().filter(|id| after.contains(id)).copied().collect();
            let (was, is) = (workers_in_words(&left), is_or_are(&left));
            let came = if after.len() > left.len() { "" } else { ", and no other came" };
            format!("not proven: it was done, says the server; but {was} {is} still there{came}")
        }
        None => format!(
            "not proven: it was done, says the server; whether {was} {is} gone could not be seen"
        ),
    }
}

fn is_or_are(workers: &[u32]) -> &'static str {
    if workers.len() == 1 { "is" } else { "are" }
}

fn unexpected(words: &[&str], line: &str) -> anyhow::Error {
    anyhow!("appcmd {} printed what is not understood: `{line}`", words.join(" "))
}

/// The line that says that it failed; a wrapper may take it to the other stream.
fn error(ran: &Ran) -> Option<&str> {
    appcmd::error(&ran.stdout).or_else(|| appcmd::error(&ran.stderr))
}

fn failure(program: Program, ran: &Ran) -> String {
    let output = ran.output();
    let how = match ran.exit {
        Some(exit) => format!("{} ended with {exit}", program.name()),
        None => format!("{} was killed", program.name()),
    };
    format!(
        "{how}: {}{}",
        error(ran).unwrap_or(appcmd::first_line(&output)),
        appcmd::cure(ran.exit, &output)
    )
}
