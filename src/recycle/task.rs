//! A plan to tasks: what is to be done to which server, and what is not, and why. A plan is a file, and files are hostile:
//! its names are checked here, once, before they stand in any command. Pure.

use super::via::Via;
use crate::cli::Recycle;
use crate::collect::names::is_one_host;
use crate::journal::Action;
use anyhow::bail;
use std::collections::BTreeSet;
use stillin_parsers::exchange;
use stillin_reports::plan::{Plan, is_host, is_pool};
use stillin_reports::report::Step;

/// One thing to do: recycle a pool of a server, or restart IIS there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Number of the step in the plan; of several that one `iisreset` does, the first.
    pub step: u64,
    /// Server.
    pub server: String,
    /// Pool; empty for all of them.
    pub pool: String,
    /// What is done.
    pub action: Action,
    /// Accounts whose tokens go.
    pub accounts: Vec<String>,
    /// Other users who are known to be hit; with `iisreset` more are.
    pub other_users: u64,
    /// Ids of findings.
    pub why: Vec<String>,
    /// Whether it may be done.
    pub standing: Standing,
}

/// Whether a task may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Go,
    /// It was done before, for this plan.
    Done(String),
    /// It was begun before, and may be done.
    Uncertain(String),
    /// It may not.
    Refused(String),
}

impl Standing {
    /// Why it is not done now, if so.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Standing::Go => None,
            Standing::Done(text) | Standing::Uncertain(text) | Standing::Refused(text) => {
                Some(text)
            }
        }
    }
}

/// The tasks of a plan, as far as they were asked for; those of one server stand together.
pub fn tasks(plan: &Plan, args: &Recycle, host: &str) -> anyhow::Result<Vec<Task>> {
    is_of_one_piece(plan)?;
    let known: BTreeSet<u64> = plan.plan.iter().map(|step| step.step).collect();
    for (option, number) in
        args.step.iter().map(|n| ("--step", n)).chain(args.again.iter().map(|n| ("--again", n)))
    {
        if !known.contains(number) {
            bail!(
                "{option} {number}: the plan has no such step; it has {}",
                steps_in_words(known.len())
            );
        }
    }
    for server in &args.server {
        if !plan.plan.iter().any(|step| is_one_host(&step.server, server)) {
            bail!("--server {server}: the plan has no step for it");
        }
    }
    let is_asked_for = |step: &&Step| {
        let is_named = |name: &String| is_one_host(name, &step.server);
        (args.step.is_empty() || args.step.contains(&step.step))
            && (args.server.is_empty() || args.server.iter().any(is_named))
    };
    let mut tasks: Vec<Task> = Vec::new();
    for step in plan.plan.iter().filter(is_asked_for) {
        let same = |task: &&mut Task| {
            args.action == Action::Iisreset && is_one_host(&task.server, &step.server)
        };
        match tasks.iter_mut().find(same) {
            Some(task) => join(task, step),
            None => tasks.push(task(step, args, host)),
        }
    }
    let first = |server: &str| plan.plan.iter().position(|step| is_one_host(&step.server, server));
    tasks.sort_by_key(|task| (first(&task.server), task.step));
    Ok(tasks)
}

/// Whether two tasks are for one server.
pub fn is_one_server(a: &Task, b: &Task) -> bool {
    is_one_host(&a.server, &b.server)
}

/// Refuses a plan that contradicts itself: it was put together by somebody else than this program.
fn is_of_one_piece(plan: &Plan) -> anyhow::Result<()> {
    let is_one_place = |a: &Step, b: &Step| {
        is_one_host(&a.server, &b.server) && a.pool.to_lowercase() == b.pool.to_lowercase()
    };
    for (index, step) in plan.plan.iter().enumerate() {
        let number = step.step;
        let of_findings = plan.findings.iter().filter(|finding| step.why.contains(&finding.id));
        let of_findings: BTreeSet<&str> =
            of_findings.map(|finding| finding.account.as_str()).collect();
        if step.accounts.iter().map(String::as_str).collect::<BTreeSet<_>>() != of_findings {
            bail!(
                "step {number} names other accounts than its findings do; was the plan edited? write it anew"
            );
        }
        if plan.plan[..index].iter().any(|other| is_one_place(other, step)) {
            bail!(
                "step {number} names a pool that another step names as well; was the plan edited? write it anew"
            );
        }
    }
    Ok(())
}

fn steps_in_words(n: usize) -> String {
    match n {
        0 => "none".to_owned(),
        1 => "only step 1".to_owned(),
        n => format!("steps 1 to {n}"),
    }
}

fn task(step: &Step, args: &Recycle, host: &str) -> Task {
    let is_reset = args.action == Action::Iisreset;
    let pool = if is_reset { String::new() } else { step.pool.clone() };
    let refusal = refusal(step, &pool, args, host);
    Task {
        step: step.step,
        server: step.server.clone(),
        pool,
        action: args.action,
        accounts: step.accounts.clone(),
        other_users: step.other_users,
        why: step.why.clone(),
        standing: refusal.map_or(Standing::Go, Standing::Refused),
    }
}

/// One restart does for all steps of a server. Who uses two pools is counted twice, which is not known here.
fn join(task: &mut Task, step: &Step) {
    task.other_users = task.other_users.saturating_add(step.other_users);
    for account in
        step.accounts.iter().filter(|account| !task.accounts.contains(account)).collect::<Vec<_>>()
    {
        task.accounts.push(account.clone());
    }
    for finding in step.why.iter().filter(|finding| !task.why.contains(finding)).collect::<Vec<_>>()
    {
        task.why.push(finding.clone());
    }
}

fn refusal(step: &Step, pool: &str, args: &Recycle, host: &str) -> Option<String> {
    let Step { server, .. } = step;
    if !is_host(server) {
        return Some(format!(
            "`{server}` is no name of a server that a command may hold; analyze the logs with --server NAME"
        ));
    }
    if args.action == Action::Recycle {
        if !is_pool(pool) {
            return Some(format!(
                "`{pool}` is no name of a pool that a command may hold; recycle it by hand"
            ));
        }
        let is_named = args.pool.iter().any(|name| name.eq_ignore_ascii_case(pool));
        if !(exchange::has_pool(pool) || is_named) {
            return Some(format!(
                "`{pool}` is none of Exchange's front-end pools; name it with --pool if it is to be recycled"
            ));
        }
    }
    let via: &Via = &args.via;
    via.refuses(server, pool, args.action, host)
}

#[cfg(test)]
mod tests;
