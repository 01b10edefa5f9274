//! `stillin explain`: one finding of a report to a case, told from the sources that the report names where they are still
//! what they were, else from the report alone.

mod again;
mod words;

use crate::analyze::chain::{self, Again};
use crate::analyze::outputs::{self, Outputs};
use crate::cli::{self, Analyze, Explain};
use crate::input::refused;
use crate::messages::Messages;
use anyhow::{Context, anyhow};
use std::path::PathBuf;
use std::process::ExitCode;
use stillin_reports::case::Case;
use stillin_reports::report::{Finding, Report};
use stillin_reports::{Output, case_list, case_page};

/// Runs the verb.
pub fn run(args: &Explain) -> anyhow::Result<ExitCode> {
    let messages = Messages::new(args.reading.quiet);
    let name = args.report.display().to_string();
    let bytes = std::fs::read(&args.report)
        .map_err(refused)
        .with_context(|| format!("cannot read {name}"))?;
    let report = stillin_reports::read(&bytes).map_err(|what| {
        anyhow!("{name}: {what}; `stillin analyze PATH -o report.json` writes one")
    })?;
    let arguments = arguments(args, &report).with_context(|| name.clone())?;
    let outputs = outputs::create(&arguments)?;
    outputs.take_only(&[Output::Terminal], ".txt")?;
    let Some(number) = args.finding else {
        outputs.write_text(|style| case_list(&report, &name, style))?;
        return Ok(ExitCode::SUCCESS);
    };
    let finding = find(&report, number, &name)?;
    let told = tell(args, &arguments, &outputs, &report, finding, &messages)?;
    let case = case(&report, finding, told);
    case.caveats.iter().for_each(|caveat| messages.partial(&format!("{name}: {caveat}")));
    outputs.write_text(|style| case_page(&case, style))?;
    Ok(if messages.is_partial() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn find<'a>(report: &'a Report, number: u64, name: &str) -> anyhow::Result<&'a Finding> {
    let id = format!("f{number}");
    let has = match report.findings.as_slice() {
        [] => "has no findings".to_owned(),
        [one] => format!("has only {}", one.id),
        [first, .., last] => format!("has {} to {}", first.id, last.id),
    };
    let found = report.findings.iter().find(|finding| finding.id == id);
    found.with_context(|| format!("{name}: no finding {id}; the report {has}"))
}

/// What `analyze` was told when it wrote the report, as far as the report tells.
fn arguments(args: &Explain, report: &Report) -> anyhow::Result<Analyze> {
    let rules = &report.rules;
    let rule = |seconds| cli::rule(seconds).map_err(|what| anyhow!(what));
    let paths: [PathBuf; 1] = [args.report.clone()];
    Ok(Analyze {
        output: args.output.iter().cloned().collect(),
        format: Some(Output::Terminal),
        account: rules.accounts.clone(),
        since: rules.since,
        until: rules.until,
        ttl: rule(rules.ttl_seconds)?,
        slack: rule(rules.slack_seconds)?,
        auth: args.auth.clone(),
        ..Analyze::for_inspect(&paths, &args.reading)
    })
}

/// What the sources tell beside the report, and why not all of it.
struct Told {
    again: Option<Again>,
    caveats: Vec<String>,
}

/// Judges the sources again, if every one of them is what it was.
fn tell(
    args: &Explain,
    arguments: &Analyze,
    outputs: &Outputs<'_>,
    report: &Report,
    finding: &Finding,
    messages: &Messages,
) -> anyhow::Result<Told> {
    if report.rules.pseudonyms.is_some() {
        let caveat = "told from the report alone: its names are pseudonyms, which no source knows; explain a report that \
                      was made without --pseudonymize";
        return Ok(Told { again: None, caveats: vec![caveat.to_owned()] });
    }
    let (sources, missing) = again::sources(report, args.root.as_deref());
    for source in &sources {
        outputs.spare(source)?;
    }
    if !missing.is_empty() {
        return Ok(Told { again: None, caveats: from_the_report_alone(missing) });
    }
    let again = chain::again(arguments, sources, finding, messages)?;
    let changed = again::changed(report, &again.report);
    if !changed.is_empty() {
        return Ok(Told { again: None, caveats: from_the_report_alone(changed) });
    }
    let caveats = Vec::from_iter(again::judged_otherwise(report, finding, &again.report));
    Ok(Told { again: Some(again), caveats })
}

/// Sources that are not what they were, told and what follows from it.
fn from_the_report_alone(problems: Vec<String>) -> Vec<String> {
    const SHOWN: usize = 20;
    let more = problems.len().saturating_sub(SHOWN);
    let mut caveats: Vec<String> = problems.into_iter().take(SHOWN).collect();
    if more > 0 {
        caveats.push(format!("and {more} more sources that are not what they were"));
    }
    let what = "told from the report alone: without its sources the requests cannot be shown; put them back, or name \
                the folder they are below with --root";
    caveats.push(what.to_owned());
    caveats
}

fn case<'a>(report: &'a Report, finding: &'a Finding, Told { again, caveats }: Told) -> Case<'a> {
    let otherwise = words::otherwise(report, finding);
    let missing = words::missing(report, finding, again.as_ref());
    let (told, chains) = again.map(|again| (again.told, again.chains)).unwrap_or_default();
    Case { report, finding, told, caveats, chains, otherwise, missing }
}
