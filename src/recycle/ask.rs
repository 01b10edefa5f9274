//! A server and what is to be done to it to a question, and what was typed to yes or no.

use super::others_in_words;
use super::task::Task;
use crate::journal::Action;
use std::io::{BufRead, IsTerminal, Write};

/// Whether there is anybody to ask.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks, and waits for the answer.
pub fn agrees(tasks: &[&Task]) -> std::io::Result<bool> {
    write!(std::io::stderr(), "{} [y/N] ", question(tasks))?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(is_yes(&answer))
}

/// The names were checked, so they steer no terminal.
fn question(tasks: &[&Task]) -> String {
    let server = tasks.first().map_or("", |task| task.server.as_str());
    let what = |task: &&Task| match task.action {
        Action::Recycle => format!("{} ({})", task.pool, others_in_words(task)),
        Action::Iisreset => others_in_words(task),
    };
    let whats: Vec<String> = tasks.iter().map(what).collect();
    match tasks.first().map(|task| task.action) {
        Some(Action::Iisreset) => format!("{server}: restart IIS? ({})", whats.join(", ")),
        _ => format!("{server}: recycle {}?", whats.join(", ")),
    }
}

/// Anything but a clear yes is a no.
fn is_yes(answer: &str) -> bool {
    ["y", "yes"].iter().any(|yes| answer.trim().eq_ignore_ascii_case(yes))
}

#[cfg(test)]
mod tests {
    use super::super::task::Standing;
    use super::*;

    #[test]
    fn answers() {
        let check = |answer: &str, expect: bool| assert_eq!(is_yes(answer), expect, "{answer:?}");
        check("y\n", true);
        check(" Yes\r\n", true);
        check("", false);
        check("\n", false);
        check("n\n", false);
        check("yy\n", false);
        check("yes, but\n", false);
    }

    #[test]
    fn questions() {
        let task = |pool: &str, action, other_users| Task {
            step: 1,
            server: "EX01".to_owned(),
            pool: pool.to_owned(),
            action,
            accounts: Vec::new(),
            other_users,
            why: Vec::new(),
            standing: Standing::Go,
        };
        let (sync, owa) = (task("Sync", Action::Recycle, 1234), task("OWA", Action::Recycle, 0));
        let expect = "EX01: recycle Sync (1,234 others will log on again), OWA (nobody else was active there)?";
        assert_eq!(question(&[&sync, &owa]), expect);
        let reset = question(&[&task("", Action::Iisreset, 112)]);
        assert!(reset.starts_with("EX01: restart IIS? (everybody on this server"), "{reset}");
        assert!(reset.contains("112 users besides"), "{reset}");
    }
}
