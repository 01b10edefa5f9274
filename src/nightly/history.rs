//! `stillin history`: what the nights have found, as a table, JSON or CSV.

use super::findings::{self, Past};
use super::{settings, state};
use crate::analyze::outputs::print;
use crate::cli::{Color, History, Listing};
use crate::config;
use serde::Serialize;
use std::process::ExitCode;
use stillin_reports::csv_cell;
use stillin_reports::report::rfc3339;
use stillin_reports::text::safe;

/// A finding as it is listed.
#[derive(Debug, Serialize)]
struct Listed {
    account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    kind: String,
    at: String,
    status: &'static str,
    excluded: bool,
    residual: String,
    first: String,
    last: String,
    exposure_seconds: i64,
    pools: Vec<String>,
    first_seen: String,
    last_seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<String>,
}

/// Runs the verb.
pub fn run(args: &History) -> anyhow::Result<ExitCode> {
    let path = match &args.state {
        Some(path) => path.clone(),
        None => settings::read(&config::file_or_here(args.config.as_deref()))?.state,
    };
    let db = state::open_to_read(&path)?;
    let all = findings::read(&db)
        .map_err(|error| anyhow::anyhow!("{}: {error}; put a copy back", path.display()))?;
    let is_named = |past: &Past| {
        let is = |name: &String| {
            name.eq_ignore_ascii_case(&past.account)
                || past.sid.as_ref().is_some_and(|sid| name.eq_ignore_ascii_case(sid))
        };
        args.account.is_empty() || args.account.iter().any(is)
    };
    let mut list: Vec<Past> = all
        .into_iter()
        .filter(is_named)
        .filter(|past| args.status.is_none_or(|status| fits(past, status)))
        .filter(|past| args.since.is_none_or(|since| since <= past.last_seen))
        .collect();
    list.sort_by_key(|past| (std::cmp::Reverse(past.at), past.key.clone()));
    let listed: Vec<Listed> = list.into_iter().map(listed).collect();
    let text = match args.format {
        Listing::Terminal => table(&listed),
        Listing::Json => {
            let mut text = serde_json::to_string_pretty(&serde_json::json!({
                "schema": "stillin/history/1", "findings": listed
            }))?;
            text.push('\n');
            text
        }
        Listing::Csv => csv(&listed),
    };
    print(text.as_bytes(), Color::Auto)?;
    Ok(ExitCode::SUCCESS)
}

/// Whoever asks for what is open means what is new or came back as well.
fn fits(past: &Past, status: crate::cli::Status) -> bool {
    past.status == status || status == crate::cli::Status::Open && past.status.is_open()
}

fn listed(past: Past) -> Listed {
    Listed {
        account: past.account,
        sid: past.sid,
        kind: past.kind,
        at: rfc3339(&past.at),
        status: past.status.word(),
        excluded: past.is_excluded,
        residual: past.residual,
        first: rfc3339(&past.first),
        last: rfc3339(&past.last),
        exposure_seconds: past.exposure_seconds,
        pools: past.pools,
        first_seen: rfc3339(&past.first_seen),
        last_seen: rfc3339(&past.last_seen),
        closed_at: past.closed_at.as_ref().map(rfc3339),
    }
}

fn table(list: &[Listed]) -> String {
    if list.is_empty() {
        return "no findings\n".to_owned();
    }
    let head = ["status", "account", "change", "at", "last access", "seen first", "pools"];
    let mut rows = vec![head.map(str::to_owned)];
    let day = |time: &str| time.chars().take(10).collect::<String>();
    rows.extend(list.iter().map(|past| {
        let status =
            if past.excluded { format!("{}*", past.status) } else { past.status.to_owned() };
        [
            status,
            safe(&past.account).to_string(),
            past.kind.replace('_', " "),
            past.at.clone(),
            past.last.clone(),
            day(&past.first_seen),
            safe(&past.pools.join(", ")).to_string(),
        ]
    }));
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    if list.iter().any(|past| past.excluded) {
        text.push_str("* left out of the verdict\n");
    }
    text
}

fn csv(list: &[Listed]) -> String {
    let mut text = String::from(
        "account,sid,kind,at,status,excluded,residual,first,last,exposure_seconds,pools,first_seen,last_seen,closed_at\n",
    );
    for past in list {
        let cells = [
            past.account.clone(),
            past.sid.clone().unwrap_or_default(),
            past.kind.clone(),
            past.at.clone(),
            past.status.to_owned(),
            past.excluded.to_string(),
            past.residual.clone(),
            past.first.clone(),
            past.last.clone(),
            past.exposure_seconds.to_string(),
            past.pools.join(" "),
            past.first_seen.clone(),
            past.last_seen.clone(),
            past.closed_at.clone().unwrap_or_default(),
        ];
        text.push_str(&cells.map(|text| csv_cell(&text)).join(","));
        text.push('\n');
    }
    text
}
