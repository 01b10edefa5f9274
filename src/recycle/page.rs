//! Tasks to the page of a dry run: what would be done where, in what order, and what not.

use super::task::{Standing, Task, is_one_server};
use super::via::{self, LIST_POOLS, LIST_WORKERS, Program, Via};
use super::{others_in_words, span};
use crate::cli::Recycle;
use crate::journal::Action;
use std::fmt::Write;
use stillin_reports::text::{safe, visible};

/// What is said when there is nothing to do.
pub const NOTHING: &str = "Nothing to recycle: there is no step to take.\n";

/// The page.
pub fn dry(args: &Recycle, tasks: &[Task]) -> anyhow::Result<String> {
    let mut page = String::new();
    let go: Vec<&Task> = tasks.iter().filter(|task| task.standing == Standing::Go).collect();
    page.push_str(match (tasks, go.as_slice()) {
        ([], _) => NOTHING,
        (_, []) => "Nothing would be done.\n",
        _ => "A dry run: this is what --execute would do, and nothing was done.\n",
    });
    let servers = go.chunk_by(|a, b| is_one_server(a, b));
    for (tasks, number) in servers.zip(0..) {
        if number > 0 && !args.pause.is_zero() {
            _ = writeln!(page, "\nA pause of {}", span(args.pause));
        }
        let by = match &args.via {
            Via::Local => "on this computer",
            Via::Winrm => "over WinRM",
            Via::Command(_) => "by a command",
        };
        _ = writeln!(page, "\n{}, {by}", safe(&tasks[0].server));
        tasks.iter().try_for_each(|task| write_task(&mut page, args, task))?;
    }
    let rest: Vec<&Task> = tasks.iter().filter(|task| task.standing != Standing::Go).collect();
    if !rest.is_empty() {
        page.push_str("\nNot taken\n");
    }
    for task in rest {
        let reason = task.standing.reason().unwrap_or_default();
        _ = writeln!(page, "  {}: {}", place(task), visible(reason));
    }
    Ok(page)
}

/// A task for a reader.
pub fn place(task: &Task) -> String {
    let what = if task.action == Action::Iisreset { "iisreset" } else { &task.pool };
    format!("step {}  {}  {}", task.step, safe(&task.server), safe(what))
}

fn write_task(page: &mut String, args: &Recycle, task: &Task) -> anyhow::Result<()> {
    let what = if task.action == Action::Iisreset { "iisreset" } else { &task.pool };
    let accounts: Vec<String> = task.accounts.iter().map(|account| safe(account)).collect();
    let why: Vec<String> = task.why.iter().map(|id| safe(id)).collect();
    _ = writeln!(
        page,
        "  step {}  {what}  (evicts {}; {}; for {})",
        task.step,
        accounts.join(", "),
        others_in_words(task),
        why.join(", ")
    );
    let (program, words) = via::action(task.action, &task.pool);
    let look = |list: &[&str]| args.via.command(&task.server, Program::Appcmd, list);
    if task.action == Action::Recycle {
        _ = writeln!(page, "    look  {}", shown(&look(&LIST_POOLS)?));
    }
    _ = writeln!(page, "    look  {}", shown(&look(&LIST_WORKERS)?));
    let command = args.via.command(&task.server, program, &words)?;
    _ = writeln!(page, "    run   {}", shown(&command));
    _ = writeln!(page, "    look  {}", shown(&look(&LIST_WORKERS)?));
    Ok(())
}

/// Words so that one sees where each begins and ends.
fn shown(words: &[String]) -> String {
    let is_bare = |word: &str| {
        !word.is_empty()
            && !word.contains(|char: char| char.is_whitespace() || matches!(char, '"' | '\''))
    };
    let word = |word: &String| match is_bare(word) {
        true => visible(word),
        false => format!("\"{}\"", visible(word)),
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}
