//! stillin: who is still in?

use std::process::ExitCode;

fn main() -> ExitCode {
    match stillin::run() {
        Ok(status) => status,
        Err(error) => {
            stillin::report_error(&error);
            ExitCode::from(2)
        }
    }
}
