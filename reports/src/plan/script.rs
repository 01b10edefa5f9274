//! What the scripts of a plan share: which steps can stand in one, and what they tell a reader.

use std::net::IpAddr;

use crate::Output;
use crate::plan::{Plan, SCHEMA};
use crate::report::{Step, rfc3339};
use crate::terminal::names;
use crate::text::{count, number, safe};

/// Longest name that DNS has for a host; and that IIS takes for a pool.
const HOST: usize = 253;
const POOL: usize = 64;

/// Whether a step can stand in a script. Servers are named by logs, which are hostile text, and a plan can be any file:
/// what a script acts on is therefore more than quoted, it has to be a name (DESIGN.md section 5, rule 7).
pub fn can_stand(step: &Step, output: Output) -> bool {
    match output {
        Output::Terminal | Output::Json | Output::Html | Output::Plan => true,
        Output::PowerShell | Output::Ansible => is_host(&step.server) && is_pool(&step.pool),
        // It asks the computer for its name, and a computer does not know itself by an address.
        Output::Appcmd => {
            is_host(&step.server) && step.server.parse::<IpAddr>().is_err() && is_pool(&step.pool)
        }
    }
}

/// Whether it is a name of a server that a command may hold.
pub fn is_host(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    name.len() <= HOST && name.chars().all(is_allowed) && begins_and_ends_well(name)
}

/// Whether it is a name of a pool that a command may hold.
pub fn is_pool(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-');
    name.len() <= POOL && name.chars().all(is_allowed) && begins_and_ends_well(name)
}

/// Not like an option of a command, and not like a name that Windows would cut.
fn begins_and_ends_well(name: &str) -> bool {
    let is_well = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    is_well(name.chars().next()) && is_well(name.chars().last())
}

/// The steps that stand in a script.
pub fn steps(plan: &Plan, output: Output) -> Vec<&Step> {
    plan.plan.iter().filter(|step| can_stand(step, output)).collect()
}

/// What stands at the head of every script, line by line, before it is made harmless for its language.
/// The first line tells this program's own files from evidence.
pub fn head(plan: &Plan, output: Output) -> Vec<String> {
    let mut lines = vec![
        format!("{SCHEMA}, written by {} {}", plan.tool.name, safe(&plan.tool.version)),
        "Recycles the application pools that may hold the tokens of these accounts:".to_owned(),
    ];
    if plan.plan.is_empty() {
        lines[1] = NOTHING.to_owned();
    }
    lines.extend(plan.findings.iter().map(|finding| {
        format!(
            "  {}  {}  {} {}  {}",
            safe(&finding.id),
            safe(&finding.account),
            finding.kind.replace('_', " "),
            rfc3339(&finding.at),
            finding.residual
        )
    }));
    lines.extend(left_out(plan, output));
    lines
}

/// What a script of an empty plan says. It is no acquittal: that is for the report to say.
pub const NOTHING: &str = "The report plans no recycle: there is nothing to do.";

/// What a script says of which no step can be carried out.
pub const NONE: &str = "No step of the plan can stand in this script: nothing was done.";

/// The sentence about steps that are not in a script, by their numbers alone.
pub fn left_out(plan: &Plan, output: Output) -> Option<String> {
    let steps = plan.plan.iter().filter(|step| !can_stand(step, output));
    let numbers: Vec<String> = steps.map(|step| number(step.step)).collect();
    let n = count(numbers.len() as u64, "step is", "steps are");
    (!numbers.is_empty()).then(|| {
        format!(
            "{n} left out, because the name of the server or pool cannot stand here: {}",
            numbers.join(", ")
        )
    })
}

/// What a step does, for a reader; not yet harmless in any language.
pub fn reason(step: &Step) -> String {
    let others = match step.other_users {
        0 => "nobody else is active there".to_owned(),
        n => format!("{} will log on again", count(n, "other user", "others")),
    };
    format!("evicts {}; {others}; for {}", names(&step.accounts), names(&step.why))
}

/// Text in printable ASCII, everything else as escapes: neither a code page nor a quote of any alphabet turns it into
/// something else.
pub fn ascii(text: &str) -> String {
    let escape = |c: char| match c {
        ' '..='~' => c.to_string(),
        c => format!("\\u{{{:x}}}", u32::from(c)),
    };
    text.chars().map(escape).collect()
}
