//! A plan to a PowerShell script, for Windows PowerShell 5.1 and PowerShell 7.

use std::fmt::Write;

use super::script::{NONE, NOTHING, ascii, head, reason, steps};
use crate::Output;
use crate::plan::Plan;
use crate::report::Step;

/// What the script does, the same for every plan; a line of it is where the steps go.
const RECYCLE: &str = include_str!("recycle.ps1");
const STEPS: &str = "    # The steps of the plan.\n";

const USAGE: &str = "\
#
# .\\plan.ps1 -WhatIf          shows what would be done
# .\\plan.ps1                  asks before each step
# .\\plan.ps1 -Confirm:$false  does not ask
#
# It needs the rights of an administrator on the servers, and PowerShell remoting to those that it is not run on.
#Requires -Version 5.1

";

/// The script. It is ASCII: 5.1 reads a file without a mark in the code page of the machine, where bytes of other
/// alphabets can come out as quotes.
pub fn script(plan: &Plan) -> String {
    let mut out = String::new();
    for line in head(plan, Output::PowerShell) {
        _ = writeln!(out, "# {}", ascii(&line));
    }
    let steps = steps(plan, Output::PowerShell);
    match (steps.as_slice(), RECYCLE.split_once(STEPS)) {
        ([_, ..], Some((before, after))) => {
            out += USAGE;
            out += before;
            steps.into_iter().for_each(|step| out += &row(step));
            out += after;
        }
        _ if plan.plan.is_empty() => {
            _ = writeln!(out, "\nWrite-Output {}\nexit 0", literal(NOTHING))
        }
        _ => _ = writeln!(out, "\nthrow {}", literal(NONE)),
    }
    out
}

fn row(step: &Step) -> String {
    format!(
        "    [pscustomobject] @{{ Step = {}; Server = {}; Pool = {}; Reason = {} }}\n",
        step.step,
        literal(&step.server),
        literal(&step.pool),
        literal(&reason(step))
    )
}

/// Text as a single-quoted literal, in which nothing but the quote has a meaning. PowerShell takes the quotes of
/// typography for quotes as well, so these are told by their numbers like all that is not ASCII.
pub fn literal(text: &str) -> String {
    format!("'{}'", ascii(text).replace('\'', "''"))
}
