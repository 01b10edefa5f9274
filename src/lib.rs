//! stillin: who is still in? The shell and the analysis; see ARCHITECTURE.md for the map.

pub mod cli;

mod analyze;
mod explain;
mod inspect;
mod journal;
mod nightly;
mod recycle;
mod verify;

mod input;
mod read;
mod source;

pub mod account;
mod case;
mod change;
mod clocks;
mod collect;
pub mod correlate;
mod plan;
mod readings;
mod schemes;
mod words;
mod workers;

mod messages;

use clap::CommandFactory;
use cli::{Cli, Verb};
use std::process::ExitCode;

/// Runs what the command line asks for.
pub fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    match &cli.verb {
        Verb::Analyze(args) => analyze::with_threads(args.reading.threads, || analyze::run(args)),
        Verb::Explain(args) => analyze::with_threads(args.reading.threads, || explain::run(args)),
        Verb::Inspect(args) => analyze::with_threads(args.reading.threads, || inspect::run(args)),
        Verb::Recycle(args) => recycle::run(args),
        Verb::Verify(args) => analyze::with_threads(args.reading.threads, || verify::run(args)),
        Verb::Nightly(args) => nightly::run(args),
        Verb::History(args) => nightly::history::run(args),
        Verb::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "stillin", &mut text);
            analyze::outputs::print(&text, cli::Color::Never)?;
            Ok(ExitCode::SUCCESS)
        }
        Verb::Man => {
            analyze::outputs::print(&manual()?, cli::Color::Always)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The manual page of the program, and those of its verbs behind it: `stillin man | man -l -`.
fn manual() -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    clap_mangen::Man::new(program.clone()).render(&mut text)?;
    for verb in program.get_subcommands() {
        clap_mangen::Man::new(verb.clone()).render(&mut text)?;
    }
    Ok(text)
}

/// Prints an error that ended the run.
pub fn report_error(error: &anyhow::Error) {
    messages::Messages::new(true).partial(&format!("{error:#}"));
}
