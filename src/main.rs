//! stillin: who is still in?

use clap::Parser;
use std::process::ExitCode;
use stillin::cli::Cli;

fn main() -> ExitCode {
    match stillin::run(&Cli::parse()) {
        Ok(status) => status,
        Err(error) => {
            stillin::report_error(&error);
            ExitCode::from(2)
        }
    }
}
