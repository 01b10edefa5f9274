//! stillin: who is still in? The shell and the analysis; see ARCHITECTURE.md for the map.

pub mod cli;
mod config;

mod analyze;
mod explain;
mod inspect;
mod journal;
mod nightly;
mod recycle;
mod verify;

mod beside;
mod input;
mod read;
mod source;
mod stop;

pub mod account;
mod case;
mod change;
mod clocks;
mod collect;
pub mod correlate;
mod plan;
mod pseudonymize;
mod readings;
mod schemes;
mod words;
mod workers;

mod messages;

use anyhow::Context;
use clap::CommandFactory;
use cli::{Cli, Verb};
use std::process::ExitCode;
use stillin_reports::schema;

/// Runs what the command line of this process asks for.
pub fn run() -> anyhow::Result<ExitCode> {
    let words: Vec<_> = std::env::args_os().collect();
    let line = config::command_line(&words, &config::Variables::of_process());
    let line = line.map_err(|error| match error.downcast::<clap::Error>() {
        Ok(error) => error.exit(),
        Err(error) => error,
    })?;
    line.tell();
    match &line.cli.verb {
        Verb::Config(args) => line.print(args),
        Verb::Analyze(args) => analyze::with_threads(args.reading.threads, || analyze::run(args)),
        Verb::Explain(args) => analyze::with_threads(args.reading.threads, || explain::run(args)),
        Verb::Inspect(args) => analyze::with_threads(args.reading.threads, || inspect::run(args)),
        Verb::Recycle(args) => recycle::run(args),
        Verb::Verify(args) => analyze::with_threads(args.reading.threads, || verify::run(args)),
        Verb::Schema { of } => {
            let schema = schema::schema(of).context("no such schema")??;
            analyze::outputs::print(schema.as_bytes(), cli::Color::Never)?;
            Ok(ExitCode::SUCCESS)
        }
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
