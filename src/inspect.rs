//! `stillin inspect`: what every file is, what is in it, and what was refused.

use crate::analyze::{self, outputs};
use crate::cli::Inspect;
use crate::messages::Messages;
use std::process::ExitCode;
use stillin_reports::{Output, inspect_json, inspect_terminal};

/// Runs the verb.
pub fn run(args: &Inspect) -> anyhow::Result<ExitCode> {
    let messages = Messages::new(args.reading.quiet);
    let sources = analyze::inspect(&args.paths, &args.reading, &messages)?;
    let mut text = Vec::new();
    if args.format == Output::Json {
        inspect_json(&sources, &mut text)?;
    } else {
        inspect_terminal(&sources, outputs::style(args.reading.color), &mut text)?;
    }
    outputs::print(&text, args.reading.color)?;
    let is_whole = sources.iter().all(|source| source.error.is_none() && source.rejected == 0);
    Ok(if is_whole && !messages.is_partial() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
