//! A report and its judged requests as documents of the Elastic Common Schema, one a line: an alert for each finding,
//! then an event for each request.
//!
//! Fields and allowed values after ECS 8.17 (elastic.co/guide/en/ecs/8.17): `event.kind`, `event.category` and
//! `event.type` have closed lists, `event.duration` counts nanoseconds, `source.ip` holds nothing but an address, and
//! `source.address` what was logged. What ECS has no field for stands below `stillin`, which ECS leaves to us.

use std::io::{self, BufWriter, Write};
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::fields::{MaybeTime, Time};
use crate::findings::changes;
use crate::report::{Change, Finding, Report, RequestRow, Word};
use crate::text::{count, duration, plain, visible};

/// The version of ECS that the documents follow.
pub const ECS_VERSION: &str = "8.17.0";

/// One document.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Document<'a> {
    /// End of the request; of a finding, its last residual access.
    #[serde(rename = "@timestamp", with = "Time")]
    pub timestamp: DateTime<Utc>,
    /// The version of ECS.
    pub ecs: Ecs,
    /// What happened.
    pub event: Event<'a>,
    /// In a sentence; characters that steer a terminal are shown as escapes.
    pub message: String,
    /// Whose account.
    pub user: User<'a>,
    /// The server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Named<'a>>,
    /// The front-end application pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Named<'a>>,
    /// Where the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Origin<'a>>,
    /// The device, where ActiveSync names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Device<'a>>,
    /// The program of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<UserAgent<'a>>,
    /// What was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Log<'a>>,
    /// The class, as the rule by which it was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// Everything by which documents of one thing are found.
    pub related: Related<'a>,
    /// Words to filter by.
    pub labels: Labels,
    /// What ECS has no field for.
    pub stillin: Own<'a>,
}

/// `ecs.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Ecs {
    /// `ecs.version`
    pub version: Word,
}

/// `event.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Event<'a> {
    /// `stillin`
    pub module: Word,
    /// `stillin.requests`, `stillin.findings`
    pub dataset: Word,
    /// `event`; `alert` for a finding.
    pub kind: Word,
    /// Words of ECS: `web`, `authentication`.
    pub category: &'static [Word],
    /// Words of ECS: `access`, `start`, `info`.
    #[serde(rename = "type")]
    pub types: &'static [Word],
    /// What the request wanted; of a finding `residual-access`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<&'a str>,
    /// Of a request: `success`, `failure`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Word>,
    /// Begin of the request; of a finding, its first residual access.
    #[serde(with = "Time")]
    pub start: DateTime<Utc>,
    /// Its end.
    #[serde(with = "Time")]
    pub end: DateTime<Utc>,
    /// From start to end, nanoseconds.
    pub duration: i64,
    /// Of a finding: 99 certain, 73 likely, 47 possible, as detection rules grade risk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<u8>,
}

/// `user.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct User<'a> {
    /// `sAMAccountName`, or what is known instead.
    pub name: &'a str,
    /// What stands before `\`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<&'a str>,
    /// SID, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
}

/// `host.name`, `service.name`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Named<'a> {
    /// Its name.
    pub name: &'a str,
}

/// `source.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Origin<'a> {
    /// As logged.
    pub address: &'a str,
    /// The same, where it is an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
}

/// `device.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Device<'a> {
    /// EAS `DeviceId`
    pub id: &'a str,
}

/// `user_agent.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct UserAgent<'a> {
    /// As logged.
    pub original: &'a str,
}

/// `http.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Http {
    /// `http.response.*`
    pub response: Response,
}

/// `http.response.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Response {
    /// `sc-status`
    pub status_code: u16,
}

/// `log.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Log<'a> {
    /// `log.file.*`
    pub file: LogFile<'a>,
}

/// `log.file.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct LogFile<'a> {
    /// The source, as in the report.
    pub path: &'a str,
}

/// `rule.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Rule {
    /// The class.
    pub name: Word,
    /// `stillin`
    pub ruleset: Word,
}

/// `related.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Related<'a> {
    /// Accounts, names as logged, SIDs.
    pub user: Vec<&'a str>,
    /// Servers.
    pub hosts: Vec<&'a str>,
    /// Addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ip: Vec<String>,
}

/// `labels.*`
#[derive(Debug, Serialize, JsonSchema)]
pub struct Labels {
    /// How sure it is that it should not have been served.
    pub residual: Word,
    /// Kind of the change.
    pub change: Word,
}

/// `stillin.*`
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Own<'a> {
    /// Id of the finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<&'a str>,
    /// Id of the change.
    pub change: &'a str,
    /// Time of the change.
    #[serde(with = "MaybeTime", skip_serializing_if = "Option::is_none")]
    pub change_at: Option<DateTime<Utc>>,
    /// Who made the change, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<&'a str>,
    /// The account, as in the report.
    pub account: &'a str,
    /// The name as logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// Protocol word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Word>,
    /// Authentication scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<&'a str>,
    /// `sc-status` and `sc-substatus`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'a str>,
    /// `sc-win32-status`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub win32: Option<u64>,
    /// Line of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Of a finding: how long it lasted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure_seconds: Option<i64>,
    /// Of a finding: its requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Of a finding: its paths that may go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_paths: Option<u64>,
}

/// Writes the findings, then the requests.
pub fn write(
    report: &Report,
    requests: impl Iterator<Item = RequestRow>,
    to: &mut dyn Write,
) -> io::Result<()> {
    let changes = changes(report);
    let mut to = BufWriter::new(to);
    for finding in &report.findings {
        let change = changes.get(finding.change.as_str()).copied();
        serde_json::to_writer(&mut to, &of_finding(finding, change))?;
        to.write_all(b"\n")?;
    }
    for row in requests {
        let change = changes.get(row.change.as_str()).copied();
        serde_json::to_writer(&mut to, &of_request(&row, change))?;
        to.write_all(b"\n")?;
    }
    to.flush()
}

fn of_request<'a>(row: &'a RequestRow, change: Option<&'a Change>) -> Document<'a> {
    let is_refused = row.class == "refused";
    let some = |text: &'a String| Some(text.as_str()).filter(|text| !text.is_empty());
    let ip = address(&row.client_ip);
    let action = some(&row.command).unwrap_or(row.protocol);
    let status = row.status.split('.').next().and_then(|code| code.parse().ok());
    let user = user(&row.account, change);
    let message = format!(
        "{}: {action} {} with {} by {} ({}, residual access: {})",
        row.account,
        if is_refused { "refused" } else { "served" },
        row.status,
        row.server,
        plain(row.class),
        row.residual,
    );
    Document {
        timestamp: row.end,
        ecs: Ecs { version: ECS_VERSION },
        event: Event {
            module: "stillin",
            dataset: "stillin.requests",
            kind: "event",
            category: if is_refused { &["authentication", "web"] } else { &["web"] },
            types: if is_refused { &["access", "start"] } else { &["access"] },
            action: Some(action),
            outcome: Some(if is_refused { "failure" } else { "success" }),
            start: row.start,
            end: row.end,
            duration: nanoseconds(row.start, row.end),
            severity: None,
        },
        message: visible(&message),
        related: Related {
            user: distinct([Some(user.name), some(&row.account), some(&row.name), user.id]),
            hosts: distinct([some(&row.server)]),
            ip: ip.clone().into_iter().collect(),
        },
        user,
        host: some(&row.server).map(|name| Named { name }),
        service: some(&row.pool).map(|name| Named { name }),
        source: some(&row.client_ip).map(|address| Origin { address, ip }),
        device: some(&row.device).map(|id| Device { id }),
        user_agent: some(&row.user_agent).map(|original| UserAgent { original }),
        http: status.map(|status_code| Http { response: Response { status_code } }),
        log: Some(Log { file: LogFile { path: &row.path } }),
        rule: Some(Rule { name: row.class, ruleset: "stillin" }),
        labels: Labels { residual: row.residual, change: row.kind },
        stillin: Own {
            change: &row.change,
            change_at: change.map(|change| change.at),
            actor: change.and_then(|change| change.actor.as_deref()),
            account: &row.account,
            name: some(&row.name),
            protocol: Some(row.protocol),
            auth: some(&row.auth),
            status: some(&row.status),
            win32: row.win32,
            line: Some(row.line),
            ..Own::default()
        },
    }
}

fn of_finding<'a>(finding: &'a Finding, change: Option<&'a Change>) -> Document<'a> {
    let user = user(&finding.account, change);
    let names = finding.paths.iter().map(|path| Some(path.name.as_str()));
    let servers = finding.paths.iter().map(|path| Some(path.server.as_str()));
    let clients = finding.paths.iter().flat_map(|path| &path.clients);
    let open = finding.paths.iter().filter(|path| path.state == "open").count();
    let mut ips: Vec<String> =
        clients.filter_map(|client| client.ip.as_deref().and_then(address)).collect();
    ips.sort();
    ips.dedup();
    let message = format!(
        "{}: {}, then served for another {}, {} ({})",
        finding.account,
        plain(finding.kind),
        plain(&duration(finding.exposure_seconds)),
        count(finding.requests, "request", "requests"),
        finding.residual,
    );
    Document {
        timestamp: finding.last,
        ecs: Ecs { version: ECS_VERSION },
        event: Event {
            module: "stillin",
            dataset: "stillin.findings",
            kind: "alert",
            category: &["authentication", "web"],
            types: &["info"],
            action: Some("residual-access"),
            outcome: None,
            start: finding.first,
            end: finding.last,
            duration: nanoseconds(finding.first, finding.last),
            severity: Some(severity(finding.residual)),
        },
        message: visible(&message),
        related: Related {
            user: distinct(
                [Some(user.name), Some(finding.account.as_str()), user.id].into_iter().chain(names),
            ),
            hosts: distinct(servers),
            ip: ips,
        },
        user,
        host: None,
        service: None,
        source: None,
        device: None,
        user_agent: None,
        http: None,
        log: None,
        rule: finding.paths.first().map(|path| Rule { name: path.class, ruleset: "stillin" }),
        labels: Labels { residual: finding.residual, change: finding.kind },
        stillin: Own {
            finding: Some(&finding.id),
            change: &finding.change,
            change_at: Some(finding.at),
            actor: change.and_then(|change| change.actor.as_deref()),
            account: &finding.account,
            exposure_seconds: Some(finding.exposure_seconds),
            requests: Some(finding.requests),
            open_paths: Some(open as u64),
            ..Own::default()
        },
    }
}

/// Elastic's own detection rules grade risk so: 47 is medium, 73 high, 99 critical.
fn severity(residual: &str) -> u8 {
    match residual {
        "certain" => 99,
        "likely" => 73,
        _ => 47,
    }
}

fn user<'a>(account: &'a str, change: Option<&'a Change>) -> User<'a> {
    let id = change.and_then(|change| change.sid.as_deref());
    match account.split_once('\\') {
        Some((domain, name)) => User { name, domain: Some(domain), id },
        None => User { name: account, domain: None, id },
    }
}

/// An address as Elasticsearch takes it: what is none would have the whole document refused.
fn address(text: &str) -> Option<String> {
    text.parse::<IpAddr>().ok().map(|address| address.to_string())
}

fn nanoseconds(start: DateTime<Utc>, end: DateTime<Utc>) -> i64 {
    (end - start).num_nanoseconds().unwrap_or(i64::MAX).max(0)
}

/// What is there, in order of first appearance, each once.
fn distinct<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for text in texts.into_iter().flatten() {
        if !text.is_empty() && !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
}
