//! A report and its judged requests as documents of the Elastic Common Schema, one a line: an alert for each finding,
//! then an event for each request.
//!
//! Fields and allowed values after ECS 8.17 (elastic.co/guide/en/ecs/8.17): `event.kind`, `event.category` and
//! `event.type` have closed lists, `event.duration` counts nanoseconds, `source.ip` holds nothing but an address, and
//! `source.address` what was logged. What ECS has no field for stands below `stillin`, which ECS leaves to us.

mod document;

pub use document::Document;

use std::io::{self, BufWriter, Write};
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use document::{
    Device, Ecs, Event, Http, Labels, Log, LogFile, Named, Origin, Own, Related, Response, Rule,
    User, UserAgent,
};

use crate::findings::changes;
use crate::report::{Change, Finding, Report, RequestRow};
use crate::text::{count, duration, plain, visible};

/// The version of ECS that the documents follow.
pub const ECS_VERSION: &str = "8.17.0";

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
