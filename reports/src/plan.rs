//! The plan of a report by itself, for whoever carries it out: a report to a plan, a plan to JSON and back, and to the
//! scripts that do it.

pub mod ansible;
pub mod appcmd;
pub mod powershell;
mod script;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fields::{ChangeKind, MaybeTime, PlanSchema, Residual, Time};
use crate::json;
use crate::report::{self, Coverage, Finding, Report, Rules, Step, Tool, Word};

pub use script::{can_stand, is_host, is_pool, left_out};

/// The schema that `Plan` follows.
pub const SCHEMA: &str = "stillin/plan/1";

/// What to recycle, and for which findings.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Always [`SCHEMA`].
    #[serde(with = "PlanSchema")]
    pub schema: Word,
    /// The program that wrote the report.
    pub tool: Tool,
    /// SHA-256 of the report as JSON, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_sha256: Option<String>,
    /// The rules that the report was made under.
    pub rules: Rules,
    /// How far the logs reach at least that it was made from, of the servers of its steps: what was open then may be
    /// over now.
    #[serde(with = "MaybeTime", default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<DateTime<Utc>>,
    /// The findings that its steps are for.
    pub findings: Vec<Reason>,
    /// What to recycle, in order.
    pub plan: Vec<Step>,
}

/// A finding that a step is for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// `f1`, as in the report.
    pub id: String,
    /// The account.
    pub account: String,
    /// Kind of the change.
    #[serde(with = "ChangeKind")]
    pub kind: Word,
    /// Time of the change.
    #[serde(with = "Time")]
    pub at: DateTime<Utc>,
    /// `certain`, `likely`, `possible`.
    #[serde(with = "Residual")]
    pub residual: Word,
}

impl Reason {
    /// What a plan says of a finding.
    pub fn of(finding: &Finding) -> Reason {
        Reason {
            id: finding.id.clone(),
            account: finding.account.clone(),
            kind: finding.kind,
            at: finding.at,
            residual: finding.residual,
        }
    }
}

impl Plan {
    /// The plan of a report.
    pub fn of(report: &Report) -> Plan {
        let is_why = |id: &String| report.plan.iter().any(|step| step.why.contains(id));
        let findings = report.findings.iter().filter(|finding| is_why(&finding.id));
        Plan {
            schema: SCHEMA,
            tool: report.tool.clone(),
            report_sha256: None,
            rules: report.rules.clone(),
            as_of: as_of(report),
            findings: findings.map(Reason::of).collect(),
            plan: report.plan.clone(),
        }
    }
}

/// The least of the ends: a clock that is ahead, or one line of another year, must not make old logs of others look new.
fn as_of(report: &Report) -> Option<DateTime<Utc>> {
    let is_of_steps = |coverage: &&Coverage| {
        report.plan.iter().any(|step| step.server.eq_ignore_ascii_case(&coverage.server))
    };
    report.coverage.iter().filter(is_of_steps).map(|coverage| coverage.to).min()
}

/// Reads a plan, or the plan of a report; the error says what it is instead.
/// A plan is acted on, so it has to be one that this version understands in full.
pub fn read(bytes: &[u8]) -> Result<Plan, String> {
    #[derive(Deserialize)]
    struct Any {
        schema: String,
        tool: Option<AnyTool>,
    }
    #[derive(Deserialize)]
    struct AnyTool {
        version: Option<String>,
    }
    let any: Option<Any> = serde_json::from_slice(bytes).ok();
    let known = any.filter(|any| [SCHEMA, report::SCHEMA].contains(&any.schema.as_str()));
    let Some(any) = known else {
        return Err(format!(
            "neither a report ({}) nor a plan ({SCHEMA}) of stillin",
            report::SCHEMA
        ));
    };
    // Asked first: what a newer version writes need not be understood here.
    of_no_newer_version(any.tool.and_then(|tool| tool.version).unwrap_or_default().as_str())?;
    if any.schema == SCHEMA {
        let plan = serde_json::from_slice(bytes)
            .map_err(|error| format!("a plan that is not whole: {error}"))?;
        is_in_order(&plan)?;
        return Ok(plan);
    }
    let report = json::read(bytes)?;
    let plan = Plan::of(&report);
    is_in_order(&plan)?;
    is_covered(&report)?;
    Ok(plan)
}

fn of_no_newer_version(version: &str) -> Result<(), String> {
    const OURS: &str = env!("CARGO_PKG_VERSION");
    match (numbers(version), numbers(OURS)) {
        (Some(theirs), Some(ours)) if theirs <= ours => Ok(()),
        (Some(_), _) => Err(format!(
            "written by stillin {version}, which is newer than this one ({OURS}); use that one"
        )),
        (None, _) => {
            Err(format!("`{version}` is no version of stillin; have the report written anew"))
        }
    }
}

/// `0.1.0` as numbers; what follows `-` or `+` is of no interest.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let version = version.split(['-', '+']).next()?;
    let numbers: Vec<u64> = version.split('.').map(|n| n.parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

/// Every step of a report ends something that one of its findings tells of that very pool.
fn is_covered(report: &Report) -> Result<(), String> {
    for step in &report.plan {
        let is_there = |path: &report::Path| {
            path.server.eq_ignore_ascii_case(&step.server)
                && path.pool.eq_ignore_ascii_case(&step.pool)
        };
        let mut findings = report.findings.iter().filter(|finding| step.why.contains(&finding.id));
        if !findings.any(|finding| finding.paths.iter().any(is_there)) {
            return Err(format!(
                "no finding of step {} of the plan tells of that pool; was it edited? have it written anew",
                step.step
            ));
        }
    }
    Ok(())
}

/// What no plan of this program is without: steps that can be told apart, and that say what they are for.
fn is_in_order(plan: &Plan) -> Result<(), String> {
    for (step, number) in plan.plan.iter().zip(1..) {
        if step.step != number {
            return Err(format!(
                "step {} of the plan stands where step {number} should",
                step.step
            ));
        }
        if step.why.is_empty() || step.accounts.is_empty() {
            return Err(format!(
                "step {number} of the plan is for nobody; was it edited? have it written anew"
            ));
        }
        let is_known = |id: &&String| plan.findings.iter().any(|finding| finding.id == **id);
        if let Some(id) = step.why.iter().find(|id| !is_known(id)) {
            return Err(format!("step {number} of the plan is for {id}, which it does not have"));
        }
    }
    Ok(())
}
