//! All findings to the charts over them: rows of bars, which are tables with a bar in each row, and columns over time.
//! Whatever a bar shows stands in words beside it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{grade_ink, plain};
use crate::report::{Finding, Report, Week};
use crate::text::{count, duration, minute, number, safe};
use crate::timeline::{SPELL, Spell};
use crate::verdict::rank;

/// Bars of one chart.
const BARS: usize = 8;
/// Columns of one chart.
const COLUMNS: i64 = 96;
/// There is room for so many in any case.
const FEWEST: u64 = 24;
/// Height of the tallest column.
const HEIGHT: u64 = 100;
/// Spans that a column may stand for, with what it is then called.
const SPANS: [(i64, &str); 9] = [
    (SPELL, "5 minutes"),
    (2 * SPELL, "10 minutes"),
    (6 * SPELL, "half hour"),
    (3_600, "hour"),
    (3 * 3_600, "3 hours"),
    (6 * 3_600, "6 hours"),
    (12 * 3_600, "12 hours"),
    (86_400, "day"),
    (7 * 86_400, "week"),
];

/// Bars under each other.
pub struct Bars {
    pub name: &'static str,
    /// What each of them is one of.
    pub of: &'static str,
    pub bars: Vec<Bar>,
    /// What is left out.
    pub more: String,
}

/// One of them.
pub struct Bar {
    pub label: String,
    pub value: String,
    /// Of a hundred.
    pub length: u64,
    pub ink: &'static str,
}

/// Columns beside each other.
#[derive(Default)]
pub struct Columns {
    pub id: &'static str,
    pub name: &'static str,
    /// What the darker part is.
    pub solid: &'static str,
    pub columns: Vec<Column>,
    pub width: u64,
    /// What one stands for.
    pub each: &'static str,
    pub from: String,
    pub to: String,
    pub most: String,
}

/// One of them.
pub struct Column {
    pub x: u64,
    /// From above, and down to the line.
    pub y: u64,
    pub height: u64,
    /// The part of it that moved data.
    pub data: u64,
    pub data_y: u64,
    pub words: String,
}

/// The longest bars of a list of labels, values, their words and inks.
fn bars(
    name: &'static str,
    of: &'static str,
    what: &str,
    mut list: Vec<(String, i64, String, &'static str)>,
) -> Bars {
    list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let most = list.first().map_or(1, |(_, value, ..)| *value).max(1);
    let more = list.len().saturating_sub(BARS) as u64;
    let bar = |(label, value, words, ink): (String, i64, String, &'static str)| Bar {
        label: plain(label),
        value: plain(words),
        length: (value.max(0) as u64 * 100 / most as u64).max(1),
        ink,
    };
    Bars {
        name,
        of,
        bars: list.into_iter().take(BARS).map(bar).collect(),
        more: if more > 0 { format!("and {} more {what}", number(more)) } else { String::new() },
    }
}

fn residual(report: &Report) -> impl Iterator<Item = &Finding> {
    report.findings.iter().filter(|finding| rank(finding.residual) > 0)
}

/// The longest exposure of each account.
pub fn by_account(report: &Report) -> Bars {
    let mut accounts: BTreeMap<&str, (i64, &'static str)> = BTreeMap::new();
    for finding in residual(report) {
        let of = accounts
            .entry(&finding.account)
            .or_insert((finding.exposure_seconds, finding.residual));
        if finding.exposure_seconds > of.0 {
            *of = (finding.exposure_seconds, finding.residual);
        }
    }
    let bar = |(account, (seconds, residual)): (&str, (i64, &'static str))| {
        let words = format!("{}, {residual}", duration(seconds));
        (safe(account), seconds, words, grade_ink(residual))
    };
    let list = accounts.into_iter().map(bar).collect();
    bars("Longest exposure by account", "Account", "accounts", list)
}

/// The longest exposure at each server and pool, and the requests there.
pub fn by_pool(report: &Report) -> Bars {
    let mut pools: BTreeMap<(&str, &str), (i64, u64, &'static str)> = BTreeMap::new();
    for finding in residual(report) {
        // What is less sure is no part of the exposure, there as here.
        for path in finding.paths.iter().filter(|path| path.residual == finding.residual) {
            let seconds = (path.last - finding.at).num_seconds();
            let seconds = seconds.clamp(0, finding.exposure_seconds.max(0));
            let of = pools.entry((&path.server, &path.pool)).or_insert((0, 0, path.residual));
            of.0 = of.0.max(seconds);
            of.1 += path.requests;
            if rank(path.residual) > rank(of.2) {
                of.2 = path.residual;
            }
        }
    }
    let bar =
        |((server, pool), (seconds, n, residual)): ((&str, &str), (i64, u64, &'static str))| {
            let words = format!("{}, {}", duration(seconds), count(n, "request", "requests"));
            (format!("{} {}", safe(server), safe(pool)), seconds, words, grade_ink(residual))
        };
    let list = pools.into_iter().map(bar).collect();
    bars("Longest exposure by pool", "Server and pool", "pools", list)
}

/// The residual requests by spells, or by longer spans where that would be too many.
pub fn by_time(spells: &[Spell]) -> Columns {
    let (Some(first), Some(last)) = (spells.first(), spells.last()) else {
        return Columns::default();
    };
    let long = (last.at - first.at).num_seconds() + SPELL;
    let (size, each) = SPANS
        .iter()
        .find(|(size, _)| long / size < COLUMNS)
        .copied()
        .unwrap_or((28 * 86_400, "4 weeks"));
    let begin = |at: &DateTime<Utc>| at.timestamp().div_euclid(size);
    let mut bins: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
    // Beyond the years that there are logs of, a clock was wrong; no column for it is better than a page full of them.
    for spell in spells.iter().filter(|spell| begin(&spell.at) - begin(&first.at) < 4 * COLUMNS) {
        let bin = bins.entry(begin(&spell.at)).or_default();
        bin.0 += spell.requests;
        bin.1 += spell.data_requests;
    }
    let most = bins.values().map(|(n, _)| *n).max().unwrap_or(1).max(1);
    let start = begin(&first.at);
    let end = bins.keys().last().copied().unwrap_or(start);
    let time = |bin: i64| DateTime::from_timestamp(bin * size, 0).unwrap_or_default();
    let column = |(bin, (n, data)): (i64, (u64, u64))| {
        let words = format!(
            "from {}: {}, {} with data",
            minute(&time(bin)),
            count(n, "request", "requests"),
            number(data)
        );
        column((bin - start) as u64, n, data, most, words)
    };
    Columns {
        id: "times",
        name: "Requests after the change",
        solid: "moved mailbox data",
        columns: bins.into_iter().map(column).collect(),
        width: wide((end - start + 1) as u64),
        each,
        from: plain(minute(&time(start))),
        to: plain(minute(&time((end + 1).max(start + FEWEST as i64)))),
        most: count(most, "request", "requests"),
    }
}

/// Few columns must not become walls.
fn wide(columns: u64) -> u64 {
    columns.max(FEWEST) * 10
}

fn column(place: u64, n: u64, data: u64, most: u64, words: String) -> Column {
    let high = |n: u64| if n == 0 { 0 } else { (n * HEIGHT / most).max(2) };
    let (height, of_data) = (high(n), high(data));
    Column {
        x: place * 10,
        y: HEIGHT - height,
        height,
        data: of_data,
        data_y: HEIGHT - of_data,
        words: plain(words),
    }
}

/// Findings that are open at the end of each week.
pub fn trend(weeks: &[Week]) -> Columns {
    let (Some(first), Some(last)) = (weeks.first(), weeks.last()) else {
        return Columns::default();
    };
    let most = weeks.iter().map(|week| week.open).max().unwrap_or(1).max(1);
    let of_week = |(place, week): (u64, &Week)| {
        let words = format!(
            "week of {}: {} open, {} new, {} closed",
            safe(&week.monday),
            number(week.open),
            number(week.new),
            number(week.closed)
        );
        column(place, week.open, week.new.min(week.open), most, words)
    };
    Columns {
        id: "trend",
        name: "Findings that are or may be open",
        solid: "is new in that week",
        columns: (0..).zip(weeks).map(of_week).collect(),
        width: wide(weeks.len() as u64),
        each: "week",
        from: safe(&first.monday),
        to: safe(&last.monday),
        most: count(most, "finding", "findings"),
    }
}
