//! A report and its judged requests as one line of time, in the import form of Timesketch: JSON lines with `message`,
//! `datetime` (ISO 8601 with +00:00), `timestamp` (microseconds since 1970) and `timestamp_desc`
//! (timesketch.org, "Import data from JSON or CSV"), `data_type` as Plaso has it, and fields of our own.

use std::io::{self, BufWriter, Write};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::report::{Change, Coverage, Finding, Path, Report, RequestRow, Step, Word};
use crate::text::{count, duration, plain, visible};

/// Something that happened.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Moment {
    /// When, ISO 8601 with `+00:00`.
    #[schemars(regex(pattern = r"\+00:00$"))]
    pub datetime: String,
    /// The same, in microseconds since 1970.
    pub timestamp: i64,
    /// What the time is of, a phrase of a closed list.
    pub timestamp_desc: Word,
    /// `stillin:change`, `stillin:request`, `stillin:access`, `stillin:log`, `stillin:plan`.
    pub data_type: Word,
    /// What happened, in a sentence; characters that steer a terminal are shown as escapes.
    pub message: String,
    /// What else is known.
    #[serde(flatten)]
    pub known: Known,
}

/// What is known of a moment; what does not apply is left out.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Known {
    /// Account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// SID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Who made a change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Id of the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// Kind of the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Word>,
    /// Id of the finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Front-end application pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Protocol word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Word>,
    /// The name as logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Word>,
    /// How sure it is that it should not have been served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residual: Option<Word>,
    /// Whether access may go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Word>,
    /// `sc-status` and `sc-substatus`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Command of the protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Authentication scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
    /// Address of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<String>,
    /// EAS `DeviceId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// `cs(User-Agent)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Where it stands: source and line, or record.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}

/// Writes all moments in order of time; the requests must come in order of time.
pub fn write(
    report: &Report,
    requests: impl Iterator<Item = RequestRow>,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut to = BufWriter::new(to);
    let mut told = of_report(report).into_iter().peekable();
    let mut line = |moment: &Moment| -> io::Result<()> {
        serde_json::to_writer(&mut to, moment)?;
        to.write_all(b"\n")
    };
    for request in requests {
        let moment = of_request(&request);
        // What the report tells of a moment comes before the requests of that moment.
        while let Some(other) = told.next_if(|other| other.timestamp <= moment.timestamp) {
            line(&other)?;
        }
        line(&moment)?;
    }
    told.try_for_each(|moment| line(&moment))?;
    to.flush()
}

/// What the report alone tells, in order of time.
fn of_report(report: &Report) -> Vec<Moment> {
    let mut moments: Vec<Moment> = report.changes.iter().map(of_change).collect();
    for finding in &report.findings {
        moments.extend(finding.paths.iter().flat_map(|path| of_path(finding, path)));
    }
    moments.extend(report.coverage.iter().flat_map(of_coverage));
    moments.extend(report.plan.iter().filter_map(|step| of_step(report, step)));
    // A stable sort: what is told of one moment stays in the order of the report.
    moments.sort_by_key(|moment| moment.timestamp);
    moments
}

fn moment(
    at: &DateTime<Utc>,
    data_type: Word,
    timestamp_desc: Word,
    message: &str,
    known: Known,
) -> Moment {
    Moment {
        datetime: at.to_rfc3339(),
        timestamp: at.timestamp_micros(),
        timestamp_desc,
        data_type,
        message: visible(message),
        known,
    }
}

fn of_change(change: &Change) -> Moment {
    let by = change.actor.as_ref().map(|actor| format!(" by {actor}")).unwrap_or_default();
    let latest = if change.precision == "at_latest" { ", then or before" } else { "" };
    let message = format!("{}: {}{by}{latest}", change.account, plain(change.kind));
    let known = Known {
        account: Some(change.account.clone()),
        sid: change.sid.clone(),
        actor: change.actor.clone(),
        change: Some(change.id.clone()),
        kind: Some(change.kind),
        evidence: change.evidence.iter().map(|place| place_of(&place.path, place.pos)).collect(),
        ..Known::default()
    };
    moment(&change.at, "stillin:change", "Account changed", &message, known)
}

fn of_request(row: &RequestRow) -> Moment {
    let is_refused = row.class == "refused";
    let what = if is_refused { "refused" } else { "served" };
    let judged = match row.residual {
        "no" => String::new(),
        residual => format!(", {residual} residual access"),
    };
    let command = if row.command.is_empty() { row.protocol } else { &row.command };
    let message = format!(
        "{}: {command} {what} with {} by {} ({}{judged})",
        row.account,
        row.status,
        row.server,
        plain(row.class)
    );
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let known = Known {
        account: some(&row.account),
        change: some(&row.change),
        kind: Some(row.kind),
        server: some(&row.server),
        pool: some(&row.pool),
        protocol: Some(row.protocol),
        name: some(&row.name),
        class: Some(row.class),
        residual: Some(row.residual),
        status: some(&row.status),
        command: some(&row.command),
        auth: some(&row.auth),
        client_ip: some(&row.client_ip),
        device: some(&row.device),
        user_agent: some(&row.user_agent),
        evidence: vec![place_of(&row.path, row.line)],
        ..Known::default()
    };
    let of = if is_refused { "Request refused" } else { "Request ended" };
    moment(&row.end, "stillin:request", of, &message, known)
}

fn of_path(finding: &Finding, path: &Path) -> [Moment; 2] {
    let known = Known {
        account: Some(finding.account.clone()),
        change: Some(finding.change.clone()),
        kind: Some(finding.kind),
        finding: Some(finding.id.clone()),
        server: Some(path.server.clone()),
        pool: Some(path.pool.clone()),
        protocol: Some(path.protocol),
        name: Some(path.name.clone()),
        class: Some(path.class),
        residual: Some(path.residual),
        state: Some(path.state),
        evidence: path.evidence.iter().map(|line| place_of(&line.path, line.line)).collect(),
        ..Known::default()
    };
    let whose = format!(
        "{}, {} on {}, pool {} ({}, {})",
        finding.account,
        path.protocol,
        path.server,
        path.pool,
        plain(path.class),
        path.residual
    );
    let (what, since) = ("stillin:access", duration((path.last - finding.at).num_seconds()));
    let requests = count(path.requests, "request", "requests");
    let first = format!("First residual access: {whose}");
    let last = format!(
        "Last residual access: {whose}, {requests}, {} after the change; {}",
        plain(&since),
        path.state
    );
    [
        moment(&path.first, what, "First residual access", &first, known.clone()),
        moment(&path.last, what, "Last residual access", &last, known),
    ]
}

fn of_coverage(coverage: &Coverage) -> Vec<Moment> {
    let log = match coverage.protocol {
        Some(protocol) => format!("{} {} {protocol}", coverage.server, coverage.kind),
        None => format!("{} {}", coverage.server, coverage.kind),
    };
    let known = || Known {
        server: Some(coverage.server.clone()),
        protocol: coverage.protocol,
        ..Known::default()
    };
    let at = |at: &DateTime<Utc>, of: Word, what: &str| {
        moment(at, "stillin:log", of, &format!("{log}: {what}"), known())
    };
    let mut moments = vec![at(&coverage.from, "Log begins", "the log begins")];
    for gap in &coverage.gaps {
        moments.push(at(&gap.from, "Log falls silent", "a hole in the log begins"));
        moments.push(at(&gap.to, "Log goes on", "the log goes on after a hole"));
    }
    moments.push(at(&coverage.to, "Log ends", "the log ends"));
    moments
}

/// A step is told where the logs of its server end: that is how far it is known to be needed.
fn of_step(report: &Report, step: &Step) -> Option<Moment> {
    let of_server = report.coverage.iter().filter(|coverage| coverage.server == step.server);
    let at = of_server.map(|coverage| coverage.to).max()?;
    let message = format!(
        "To be recycled on {}: pool {} (evicts {}; for {})",
        step.server,
        step.pool,
        step.accounts.join(", "),
        step.why.join(", ")
    );
    let known = Known {
        server: Some(step.server.clone()),
        pool: Some(step.pool.clone()),
        ..Known::default()
    };
    Some(moment(&at, "stillin:plan", "Recycle is due", &message, known))
}

fn place_of(path: &str, pos: u64) -> String {
    format!("{path}:{pos}")
}
