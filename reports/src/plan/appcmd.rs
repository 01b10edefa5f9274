//! A plan to a script of cmd.exe that runs appcmd, on each server by itself.

use std::fmt::Write;

use super::script::{NONE, NOTHING, head, reason, steps};
use crate::Output;
use crate::plan::Plan;
use crate::report::Step;

/// Longest name that a computer knows itself by (`%COMPUTERNAME%` is its NetBIOS name).
const NETBIOS: usize = 15;

/// The script, with the line ends that cmd.exe needs to find its labels.
pub fn script(plan: &Plan) -> String {
    let mut out = String::new();
    for line in head(plan, Output::Appcmd) {
        _ = writeln!(out, "@rem {}", harmless(&line));
    }
    out += "@echo off\nsetlocal EnableExtensions DisableDelayedExpansion\n";
    let steps = steps(plan, Output::Appcmd);
    match steps.as_slice() {
        [] if plan.plan.is_empty() => _ = writeln!(out, "echo {NOTHING}\nexit /b 0"),
        [] => _ = writeln!(out, "echo {NONE}\nexit /b 1"),
        steps => {
            out += "rem Run it on each server, as an administrator: it does the steps of that server.\nset \"ran=\"\n";
            let servers = steps.chunk_by(|a, b| a.server == b.server);
            (1..).zip(servers).for_each(|(n, steps)| out += &block(n, steps));
            out += END;
        }
    }
    out.replace('\n', "\r\n")
}

const END: &str = "
if defined ran exit /b 0
echo No step of this plan is for %COMPUTERNAME%: nothing was done.
exit /b 1

:failed
echo Stopped: appcmd failed. The steps after it were not done.
exit /b 1
";

/// What is done on one server, if it is this one.
fn block(number: u64, steps: &[&Step]) -> String {
    let Some(first) = steps.first() else { return String::new() };
    let host = first.server.split('.').next().unwrap_or_default();
    let host: String = host.chars().take(NETBIOS).collect();
    let mut out = format!(
        "\nrem {}\nif /i not \"%COMPUTERNAME%\"==\"{host}\" goto after{number}\nset \"ran=1\"\n",
        first.server
    );
    for step in steps {
        let pool = format!("/apppool.name:\"{}\"", step.pool);
        _ = write!(
            out,
            "echo Step {}: {}, {}\n\
             {APPCMD} list wp {pool}\n\
             {APPCMD} recycle apppool {pool}\n\
             if errorlevel 1 goto failed\n\
             if not errorlevel 0 goto failed\n\
             {APPCMD} list wp {pool}\n",
            step.step,
            step.pool,
            harmless(&reason(step)),
        );
    }
    _ = writeln!(out, ":after{number}");
    out
}

const APPCMD: &str = "%windir%\\system32\\inetsrv\\appcmd.exe";

/// Text for `rem` and `echo`. Nothing can be quoted there, and `%` is expanded even in a remark, so all but a few
/// characters are left out.
pub fn harmless(text: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || " ._-@\\/,;:".contains(c);
    text.chars().map(|c| if is_allowed(c) { c } else { '_' }).collect()
}
