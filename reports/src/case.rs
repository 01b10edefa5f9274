//! One finding to a case that an examiner can read: the change and what tells of it, who was served since, the requests
//! around it line by line, what would have to be true otherwise, and what is missing to be sure.

use chrono::{DateTime, Utc};

use crate::Style;
use crate::chain::{Chain, one_chain};
use crate::page::{Ink, Span, line};
use crate::report::{Change, ChangeEvidence, Finding, Report, Word};
use crate::terminal::{Kinds, disputed, entry, grade, heading, more, one_path, seen_at};
use crate::text::{count, duration, safe, time};
use crate::verdict::{excluded, rank};

/// Other changes of the account that are shown.
const CHANGES: usize = 12;
/// How far apart two sources may be before each one's time is told.
const APART: i64 = 1_000;

/// A finding with everything that explains it.
#[derive(Debug)]
pub struct Case<'a> {
    /// The report.
    pub report: &'a Report,
    /// The finding.
    pub finding: &'a Finding,
    /// For each piece of evidence of the change the time that it tells itself and its precision, where that is known.
    pub told: Vec<Option<(DateTime<Utc>, Word)>>,
    /// Why the case is not told in full, or not as the report has it.
    pub caveats: Vec<String>,
    /// The requests, a chain for each server, pool and spelling of the name; none where they cannot be shown.
    pub chains: Vec<Chain>,
    /// What would have to be true otherwise.
    pub otherwise: Vec<String>,
    /// What is missing to be sure.
    pub missing: Vec<String>,
}

/// The case as a page.
pub fn page(case: &Case<'_>, style: Style) -> String {
    let mut out = String::new();
    let Case { report, finding, .. } = case;
    let kinds: Kinds = report.sources.iter().map(|s| (s.path.as_str(), s.kind)).collect();
    let title = [
        (Ink::Plain, format!("Case {}  ", safe(&finding.id))),
        (Ink::Strong, safe(&finding.account)),
        (Ink::Plain, "  ".to_owned()),
        (grade(finding.residual), safe(finding.residual).to_uppercase()),
    ];
    line(&mut out, style, (0, 2), &title);
    for caveat in &case.caveats {
        line(&mut out, style, (2, 4), &[(Ink::Doubt, safe(caveat))]);
    }
    the_change(&mut out, style, case, &kinds);
    heading(&mut out, style, "Who was served after it", 0, 0);
    for path in &finding.paths {
        one_path(&mut out, style, &kinds, path);
    }
    if !case.chains.is_empty() {
        heading(&mut out, style, "Line by line (all times UTC)", 0, 0);
        let ttl = report.rules.ttl_seconds;
        for (n, chain) in case.chains.iter().enumerate() {
            if n > 0 {
                out.push('\n');
            }
            one_chain(&mut out, style, &kinds, chain, ttl);
        }
    }
    sentences(&mut out, style, "It would be otherwise if", &case.otherwise);
    sentences(&mut out, style, "To be sure", &case.missing);
    out
}

fn sentences(out: &mut String, style: Style, words: &str, sentences: &[String]) {
    if sentences.is_empty() {
        return;
    }
    heading(out, style, words, 0, 0);
    for sentence in sentences {
        line(out, style, (2, 4), &[(Ink::Plain, format!("- {}", safe(sentence)))]);
    }
}

fn the_change(out: &mut String, style: Style, case: &Case<'_>, kinds: &Kinds) {
    let Case { report, finding, .. } = case;
    heading(out, style, "The change", 0, 0);
    let change = report.changes.iter().find(|change| change.id == finding.change);
    let Some(change) = change else {
        let what = format!("{} {}", kind(finding.kind), time(&finding.at));
        return line(out, style, (2, 4), &[(Ink::Plain, what)]);
    };
    line(out, style, (2, 4), &[(Ink::Strong, what(change))]);
    if change.precision == "at_latest" {
        let words = "made then or before: no source tells the time itself";
        line(out, style, (2, 4), &[(Ink::Doubt, words.to_owned())]);
    }
    if change.disputed_until.is_some() {
        let words = "sources contradict each other, or it was undone in between: before the latest of the times it is \
                     no more than possible";
        line(out, style, (2, 4), &[(Ink::Doubt, words.to_owned())]);
    }
    let access = format!(
        "served for another {}, until {}: {}",
        duration(finding.exposure_seconds),
        time(&finding.last),
        count(finding.requests, "request", "requests"),
    );
    line(out, style, (2, 4), &[(Ink::Plain, access)]);
    let mut told = case.told.iter();
    for (n, evidence) in change.evidence.iter().enumerate() {
        let label = if n == 0 { "told by" } else { "" };
        entry(out, style, 2, label, evidence_of(kinds, change, evidence, told.next()));
    }
    let of_account = |other: &&Change| other.account == change.account && other.id != change.id;
    let others: Vec<&Change> = report.changes.iter().filter(of_account).collect();
    for (n, other) in others.iter().take(CHANGES).enumerate() {
        let place = other.evidence.first().map(|e| format!("  {}", seen_at(kinds, &e.path, e.pos)));
        let spans = vec![(Ink::Plain, what(other)), (Ink::Faint, place.unwrap_or_default())];
        entry(out, style, 2, if n == 0 { "also" } else { "" }, spans);
    }
    more(out, style, 2, others.len().min(CHANGES), others.len());
}

/// Where a change stands, and when it was according to that place, if that is another time.
fn evidence_of(
    kinds: &Kinds,
    change: &Change,
    evidence: &ChangeEvidence,
    told: Option<&Option<(DateTime<Utc>, Word)>>,
) -> Vec<Span> {
    let mut spans = vec![(Ink::Faint, seen_at(kinds, &evidence.path, evidence.pos))];
    let differs = |at: &DateTime<Utc>| (*at - change.at).num_milliseconds().abs() > APART;
    if let Some((at, precision)) = told.copied().flatten().filter(|(at, _)| differs(at)) {
        let at_latest = if precision == "at_latest" { "at the latest " } else { "" };
        spans.push((Ink::Doubt, format!("  says {at_latest}{}", time(&at))));
    }
    spans
}

/// The state of a finding that only paths keep open which are less sure than itself.
pub(crate) const MAYBE_OPEN: Word = "may be open";

/// What became of a finding: the state of its paths that are as sure as itself, the least settled first. What is less
/// sure must not make it look open, nor what is open or unknown look over.
pub(crate) fn state(finding: &Finding) -> Word {
    let is_any = |state: &str| finding.paths.iter().any(|path| path.state == state);
    let is_sure = |state: &str| {
        let mut paths = finding.paths.iter().filter(|path| path.residual == finding.residual);
        paths.any(|path| path.state == state)
    };
    match () {
        () if is_sure("open") => "open",
        () if is_any("open") => MAYBE_OPEN,
        () if is_any("unknown") => "unknown",
        () => {
            let words = ["expired", "recycled", "refused"];
            words.into_iter().find(|word| is_sure(word)).unwrap_or("unknown")
        }
    }
}

/// Paths of a finding that may go on: those that are as sure as itself, and the others.
pub(crate) fn open_paths(finding: &Finding) -> (u64, u64) {
    let open = || finding.paths.iter().filter(|path| path.state == "open");
    let sure = open().filter(|path| path.residual == finding.residual).count();
    (sure as u64, (open().count() - sure) as u64)
}

pub(crate) fn kind(word: &str) -> String {
    safe(word).replace('_', " ")
}

/// A change in words.
pub(crate) fn what(change: &Change) -> String {
    let at_latest = if change.precision == "at_latest" { "at the latest " } else { "" };
    let actor = change.actor.as_deref().map(|actor| format!(" by {}", safe(actor)));
    let (actor, until) = (actor.unwrap_or_default(), disputed(change));
    format!("{} {at_latest}{}{until}{actor}", kind(change.kind), time(&change.at))
}

/// The findings of a report, a line each.
pub fn list(report: &Report, name: &str, style: Style) -> String {
    let mut out = String::new();
    let n = count(report.findings.len() as u64, "finding", "findings");
    let n = n + &excluded(report).map(|n| format!(", beyond {n}")).unwrap_or_default();
    line(&mut out, style, (0, 2), &[(Ink::Plain, format!("Cases of {}: {n}", safe(name)))]);
    for finding in &report.findings {
        let state = state(finding);
        let ink =
            if state == "open" && rank(finding.residual) == 3 { Ink::Bad } else { Ink::Plain };
        let what = format!(
            "  {} {}, served for another {}, ",
            kind(finding.kind),
            time(&finding.at),
            duration(finding.exposure_seconds)
        );
        let spans = [
            (Ink::Plain, format!("{}  ", safe(&finding.id))),
            (Ink::Strong, format!("{}  ", safe(&finding.account))),
            (grade(finding.residual), safe(finding.residual).to_uppercase()),
            (Ink::Plain, what),
            (ink, state.to_owned()),
        ];
        line(&mut out, style, (2, 6), &spans);
    }
    out
}
