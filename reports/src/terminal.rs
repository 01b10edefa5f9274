//! A report to the summary for a terminal: the verdict first, then the gravest findings, what to
//! recycle, what else to do, and how far what was read reaches. Long lists are cut, saying by how
//! much: the whole is in the JSON.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::Style;
use crate::by_design;
use crate::page::{Ink, Span, line, pad, width};
use crate::read;
use crate::report::{Change, Client, Finding, Path, Report, Step};
use crate::text::{count, duration, number, place, safe, time};
use crate::trend;
use crate::verdict::{rank, verdict};

/// Findings that are shown.
const FINDINGS: usize = 20;
/// Paths of a finding that are shown.
pub(crate) const PATHS: usize = 10;
/// Clients, reasons and places of a path that are shown, each.
pub(crate) const DETAILS: usize = 8;
/// Steps of the plan and pieces of advice that are shown, each.
const STEPS: usize = 50;
/// Names in a row.
const NAMES: usize = 6;

/// The whole summary.
pub fn summary(report: &Report, style: Style) -> String {
    let mut out = String::new();
    let (ink, words) = verdict(report);
    line(&mut out, style, (0, 0), &[(strong(ink), words)]);
    findings(&mut out, style, report);
    by_design::by_design(&mut out, style, report);
    plan(&mut out, style, report);
    advice(&mut out, style, report);
    trend::trend(&mut out, style, report);
    read::what_was_read(&mut out, style, report);
    read::what_was_not(&mut out, style, &report.sources, &report.notes);
    out
}

/// A heading, with what is left out in brackets.
pub(crate) fn heading(out: &mut String, style: Style, words: &str, shown: usize, all: usize) {
    out.push('\n');
    let mut spans = vec![(Ink::Strong, words.to_owned())];
    if shown < all {
        let of = format!(" ({} of {})", number(shown as u64), number(all as u64));
        spans.push((Ink::Plain, of));
    }
    line(out, style, (0, 2), &spans);
}

/// The line that ends a list that was cut.
pub(crate) fn more(out: &mut String, style: Style, indent: usize, shown: usize, all: usize) {
    if shown < all {
        let words = format!("… and {} more; -o report.json has all", number((all - shown) as u64));
        line(out, style, (indent, indent), &[(Ink::Plain, words)]);
    }
}

/// A line of a block: a label of its own column, then text that wraps beside it.
pub(crate) fn entry(out: &mut String, style: Style, indent: usize, label: &str, spans: Vec<Span>) {
    const LABEL: usize = 9;
    let mut line_spans = vec![(Ink::Faint, pad(label, LABEL))];
    line_spans.extend(spans);
    line(out, style, (indent, indent + LABEL), &line_spans);
}

/// Several lines of a block under one label, the first `limit` of them.
pub(crate) fn entries(
    out: &mut String,
    style: Style,
    indent: usize,
    label: &str,
    limit: usize,
    lines: impl ExactSizeIterator<Item = Vec<Span>>,
) {
    let all = lines.len();
    for (i, spans) in lines.take(limit).enumerate() {
        entry(out, style, indent, if i == 0 { label } else { "" }, spans);
    }
    if all > limit {
        let words = format!("… and {} more", number((all - limit) as u64));
        entry(out, style, indent, "", vec![(Ink::Plain, words)]);
    }
}

/// Names in a row, the first of them.
pub(crate) fn names(names: &[String]) -> String {
    let mut words: Vec<String> = names.iter().take(NAMES).map(|name| safe(name)).collect();
    if names.len() > NAMES {
        words.push(format!("{} more", number((names.len() - NAMES) as u64)));
    }
    words.join(", ")
}

fn strong(ink: Ink) -> Ink {
    if ink == Ink::Plain { Ink::Strong } else { ink }
}

pub(crate) fn grade(residual: &str) -> Ink {
    match rank(residual) {
        3 => Ink::Bad,
        0 => Ink::Plain,
        _ => Ink::Doubt,
    }
}

fn findings(out: &mut String, style: Style, report: &Report) {
    let all = report.findings.len();
    if all == 0 {
        return;
    }
    let shown = all.min(FINDINGS);
    heading(out, style, "Residual access, the gravest first", shown, all);
    let kinds: Kinds = report.sources.iter().map(|s| (s.path.as_str(), s.kind)).collect();
    for finding in report.findings.iter().take(shown) {
        let change = report.changes.iter().find(|change| change.id == finding.change);
        one_finding(out, style, &kinds, finding, change);
    }
    if shown < all {
        out.push('\n');
        more(out, style, 0, shown, all);
    }
}

fn one_finding(
    out: &mut String,
    style: Style,
    kinds: &Kinds,
    finding: &Finding,
    change: Option<&Change>,
) {
    out.push('\n');
    let id = pad(&safe(&finding.id), 4);
    line(
        out,
        style,
        (0, 4),
        &[
            (Ink::Plain, format!("{id}{}", if id.ends_with(' ') { "" } else { " " })),
            (Ink::Strong, safe(&finding.account)),
            (Ink::Plain, "  ".to_owned()),
            (grade(finding.residual), safe(finding.residual).to_uppercase()),
        ],
    );
    let is_vague = change.is_some_and(|change| change.precision == "at_latest")
        || finding.exposure_seconds < (finding.last - finding.at).num_seconds();
    when_changed(out, style, kinds, finding.kind, &finding.at, change);
    let served = [
        (Ink::Plain, format!("served for {}another ", if is_vague { "at least " } else { "" })),
        (Ink::Strong, duration(finding.exposure_seconds)),
        (Ink::Plain, format!(", until {}: ", time(&finding.last))),
        (Ink::Plain, count(finding.requests, "request", "requests")),
    ];
    line(out, style, (4, 6), &served);
    for path in finding.paths.iter().take(PATHS) {
        one_path(out, style, kinds, path);
    }
    if finding.paths.len() > PATHS {
        more(out, style, 4, PATHS, finding.paths.len());
    }
}

/// What was changed, when, by whom, and where that stands.
pub(crate) fn when_changed(
    out: &mut String,
    style: Style,
    kinds: &Kinds,
    kind: &str,
    at: &DateTime<Utc>,
    change: Option<&Change>,
) {
    let mut what = format!("{} ", safe(kind).replace('_', " "));
    if change.is_some_and(|change| change.precision == "at_latest") {
        what += "at the latest ";
    }
    what += &time(at);
    what += &change.map(disputed).unwrap_or_default();
    if let Some(actor) = change.and_then(|change| change.actor.as_deref()) {
        what += &format!(" by {}", safe(actor));
    }
    line(out, style, (4, 6), &[(Ink::Plain, what), (Ink::Faint, told(kinds, change))]);
}

/// The latest time of a change on which sources do not agree.
pub(crate) fn disputed(change: &Change) -> String {
    change.disputed_until.map(|at| format!(" or as late as {}", time(&at))).unwrap_or_default()
}

/// Where a change stands, in brackets.
fn told(kinds: &Kinds, change: Option<&Change>) -> String {
    let evidence = change.map_or(&[][..], |change| &change.evidence);
    let mut places: Vec<String> =
        evidence.iter().take(NAMES).map(|e| seen_at(kinds, &e.path, e.pos)).collect();
    if evidence.len() > NAMES {
        places.push(format!("{} more", number((evidence.len() - NAMES) as u64)));
    }
    if places.is_empty() { String::new() } else { format!(" ({})", places.join(", ")) }
}

/// Kind words of the sources by path: they tell lines from records.
pub(crate) type Kinds<'a> = BTreeMap<&'a str, &'static str>;

pub(crate) fn seen_at(kinds: &Kinds, path: &str, pos: u64) -> String {
    place(path, pos, kinds.get(path).copied().unwrap_or("unknown"))
}

/// What became of the token of a path, or of what it has instead.
pub(crate) fn state(path: &Path) -> (Ink, &'static str) {
    let (ink, state) = match path.state {
        "open" if path.class == "other_auth" => (Ink::Bad, "OPEN: it may go on now"),
        "open" => (Ink::Bad, "OPEN: the token may be alive now"),
        "expired" => (Ink::Good, "expired: idle for longer than a token lives"),
        "refused" => (Ink::Good, "refused since"),
        "recycled" => (Ink::Good, "recycled since"),
        _ => (Ink::Doubt, "unknown: the logs do not reach far enough"),
    };
    (if ink == Ink::Bad && rank(path.residual) < 3 { Ink::Doubt } else { ink }, state)
}

pub(crate) fn one_path(out: &mut String, style: Style, kinds: &Kinds, path: &Path) {
    let (ink, state) = state(path);
    line(
        out,
        style,
        (4, 6),
        &[
            (Ink::Strong, format!("{}  {}", safe(&path.server), safe(&path.pool))),
            (Ink::Plain, format!("  {}  ", safe(path.protocol))),
            (ink, state.to_owned()),
        ],
    );
    let access = access(path.requests, path.data_requests, &path.first, &path.last);
    entry(out, style, 6, "access", vec![(Ink::Plain, access)]);
    entry(
        out,
        style,
        6,
        "class",
        vec![
            (Ink::Plain, format!("{}, ", safe(path.class))),
            (grade(path.residual), safe(path.residual)),
        ],
    );
    entry(out, style, 6, "name", vec![(Ink::Plain, safe(&path.name))]);
    entries(out, style, 6, "client", DETAILS, path.clients.iter().map(client));
    let why = path.why.iter().map(|why| vec![(Ink::Plain, safe(why))]);
    entries(out, style, 6, "why", DETAILS, why);
    let places = path
        .evidence
        .iter()
        .map(|evidence| vec![(Ink::Faint, seen_at(kinds, &evidence.path, evidence.line))]);
    entries(out, style, 6, "see", DETAILS, places);
}

/// How many requests, and when.
pub(crate) fn access(
    requests: u64,
    with_data: u64,
    first: &DateTime<Utc>,
    last: &DateTime<Utc>,
) -> String {
    let mut words = count(requests, "request", "requests");
    if with_data > 0 {
        words += &format!(", {} with data", number(with_data));
    }
    let when = if first == last {
        format!(", at {}", time(first))
    } else {
        format!(", {} to {}", time(first), time(last))
    };
    words + &when
}

pub(crate) fn client(client: &Client) -> Vec<Span> {
    let parts = [&client.device, &client.ip, &client.user_agent];
    let words: Vec<String> = parts.into_iter().flatten().map(|part| safe(part)).collect();
    vec![(Ink::Plain, if words.is_empty() { "unknown".to_owned() } else { words.join("  ") })]
}

fn plan(out: &mut String, style: Style, report: &Report) {
    let all = report.plan.len();
    if all == 0 {
        return;
    }
    let shown = &report.plan[..all.min(STEPS)];
    heading(out, style, "Recycle now, one server at a time", shown.len(), all);
    let findings: BTreeMap<&str, &Finding> =
        report.findings.iter().map(|finding| (finding.id.as_str(), finding)).collect();
    let column =
        |text: fn(&Step) -> String| shown.iter().map(|step| width(&text(step))).max().unwrap_or(0);
    let (steps, servers, pools) = (
        column(|step| number(step.step)),
        column(|step| safe(&step.server)),
        column(|step| safe(&step.pool)),
    );
    for step in shown {
        let mut words = format!("(evicts {}; ", names(&step.accounts));
        words += &match step.other_users {
            0 => "nobody else is active there".to_owned(),
            n => format!("{} will log on again", count(n, "other user", "others")),
        };
        if !step.why.is_empty() {
            words += &format!("; for {}", names(&step.why));
        }
        words.push(')');
        let mut spans = vec![
            (Ink::Plain, format!("{}  ", pad(&number(step.step), steps))),
            (Ink::Strong, format!("{}  ", pad(&safe(&step.server), servers))),
            (Ink::Strong, format!("{}  ", pad(&safe(&step.pool), pools))),
            (Ink::Plain, words),
        ];
        spans.extend(doubt(step, &findings).map(|doubt| (Ink::Doubt, format!(" {doubt}"))));
        line(out, style, (2, 2 + steps + 2 + servers + 2), &spans);
    }
    more(out, style, 2, shown.len(), all);
}

/// Says so where no path that a step cuts is certain.
pub(crate) fn doubt(step: &Step, findings: &BTreeMap<&str, &Finding>) -> Option<&'static str> {
    let why = || step.why.iter().filter_map(|id| findings.get(id.as_str()));
    let mut paths = why()
        .flat_map(|finding| &finding.paths)
        .filter(|path| path.server == step.server && path.pool == step.pool)
        .peekable();
    let is_doubtful = paths.peek().is_some() && !paths.any(|path| rank(path.residual) == 3);
    let has_password = why().any(|finding| finding.kind.starts_with("password"));
    is_doubtful.then_some(match has_password {
        true => "not certain: the client may hold the new password",
        false => "not certain",
    })
}

fn advice(out: &mut String, style: Style, report: &Report) {
    let all = report.advice.len();
    if all == 0 {
        return;
    }
    let shown = all.min(STEPS);
    heading(out, style, "What else to do", shown, all);
    for advice in report.advice.iter().take(shown) {
        line(
            out,
            style,
            (2, 4),
            &[
                (Ink::Strong, format!("{}  {}", safe(&advice.server), safe(&advice.account))),
                (Ink::Plain, format!("  {}: {}", safe(advice.class), safe(&advice.text))),
            ],
        );
    }
    more(out, style, 2, shown, all);
}
