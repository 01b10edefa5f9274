//! What `verify` found out to a page: one sentence, a row for each step, and the findings with the lines that tell.

use std::collections::{BTreeMap, BTreeSet};

use super::{Access, Finding, Path, Step, Verify};
use crate::Style;
use crate::page::{Ink, Span, line, pad, width};
use crate::read;
use crate::terminal::{Kinds, access, client, entries, entry, grade, heading, names, seen_at};
use crate::text::{count, number, place, safe, time};

/// Paths of a finding that are shown.
const PATHS: usize = 20;

/// The whole page.
pub fn page(verify: &Verify, style: Style) -> String {
    let mut out = String::new();
    let (ink, words) = verdict(verify);
    line(&mut out, style, (0, 0), &[(ink, words)]);
    let kinds: Kinds = verify.sources.iter().map(|s| (s.path.as_str(), s.kind)).collect();
    steps(&mut out, style, &kinds, verify);
    heading(&mut out, style, "Findings", 0, 0);
    for finding in &verify.findings {
        one_finding(&mut out, style, &kinds, finding);
    }
    heading(&mut out, style, "What was read", 0, 0);
    read::sources(&mut out, style, &verify.sources);
    read::coverage(&mut out, style, &verify.coverage);
    read::what_was_not(&mut out, style, &verify.sources, &verify.notes);
    out
}

/// The one sentence that must be read, or two.
fn verdict(verify: &Verify) -> (Ink, String) {
    let of = |state: &str| {
        let found = verify.findings.iter().filter(|finding| finding.state == state);
        found.map(|finding| finding.reason.account.clone()).collect::<BTreeSet<_>>()
    };
    let accounts = |state: &str| names(&of(state).into_iter().collect::<Vec<_>>());
    let were = |state: &str| if of(state).len() == 1 { "was" } else { "were" };
    let (ink, text) = match verify.state {
        "failed" if of("failed").is_empty() => {
            let text = "Somebody was served again, and the log that told so is gone, see below";
            (Ink::Bad, format!("{text}: access is not over."))
        }
        "failed" => {
            let text = format!("{} {} served again", accounts("failed"), were("failed"));
            let place = first_access(verify).map(|place| format!(" ({place})"));
            (Ink::Bad, format!("{text}{}: access is not over.", place.unwrap_or_default()))
        }
        "not_recycled" => {
            let open = verify.steps.iter().filter(|step| step.state == "not_recycled").count();
            let which = match (open, verify.steps.len()) {
                (1, 1) => "the step was".to_owned(),
                (open, all) if open == all => "any step was".to_owned(),
                (1, all) => format!("1 of {} steps was", number(all as u64)),
                (open, all) => {
                    format!("{} of {} steps were", number(open as u64), number(all as u64))
                }
            };
            (Ink::Doubt, format!("Nothing tells that {which} carried out."))
        }
        "no_coverage" => {
            let text = "The logs cannot tell yet whether access is over";
            let what = match of("no_coverage").is_empty() {
                true => "not all that was named is there, see below".to_owned(),
                false => accounts("no_coverage"),
            };
            let n = count(unclear(verify), "request is", "requests are");
            let unclear =
                if unclear(verify) > 0 { format!(" {n} unclear.") } else { String::new() };
            (Ink::Doubt, format!("{text}: {what}.{unclear}"))
        }
        "no_contradiction" if unclear(verify) > 0 => {
            let n = count(unclear(verify), "request is", "requests are");
            let text = "Nobody was served since who should not be, as far as can be told";
            let who = accounts("no_contradiction");
            let but = "so nothing proves that access is over";
            (Ink::Doubt, format!("{text}: {n} unclear, {but}: {who}."))
        }
        "no_contradiction" => {
            let text = "Nobody was served since who should not be, as far as the logs reach";
            let who = accounts("no_contradiction");
            let but = "but without a refusal nothing proves that access is over";
            (Ink::Good, format!("{text}; {but}: {who}."))
        }
        _ => (
            Ink::Good,
            format!("Access is over: {} {} refused since.", accounts("proven"), were("proven")),
        ),
    };
    let partly = verify.sources.iter().filter(|source| !read::read_whole(source)).count();
    if partly == 0 {
        return match ink == Ink::Good && !verify.notes.is_empty() {
            true => (Ink::Doubt, format!("{text} But see below for what would make it surer.")),
            false => (ink, text),
        };
    }
    let sources = count(partly as u64, "source was", "sources were");
    let ink = if ink == Ink::Good { Ink::Doubt } else { ink };
    (ink, format!("{text} {sources} not read whole: see below."))
}

/// How many requests may have been right, each counted once where several findings of an account have it.
fn unclear(verify: &Verify) -> u64 {
    let mut most: BTreeMap<(&str, &str, &str, Option<&str>), u64> = BTreeMap::new();
    for finding in &verify.findings {
        for path in &finding.paths {
            let name = path.name.as_deref();
            let key = (finding.reason.account.as_str(), &*path.server, &*path.pool, name);
            let n = path.unclear.as_ref().map_or(0, |unclear| unclear.requests);
            let known = most.entry(key).or_default();
            *known = n.max(*known);
        }
    }
    most.values().sum()
}

/// Where the first access stands that says that it is not over.
fn first_access(verify: &Verify) -> Option<String> {
    let paths = verify.findings.iter().flat_map(|finding| &finding.paths);
    let first = paths.filter_map(|path| path.access.as_ref()).min_by_key(|access| access.first)?;
    first.evidence.first().map(|evidence| place(&evidence.path, evidence.line, "iis-w3c"))
}

/// A state as it is shown.
fn shown(state: &str) -> Span {
    let ink = match state {
        "failed" => Ink::Bad,
        "proven" | "no_contradiction" => Ink::Good,
        _ => Ink::Doubt,
    };
    let words = safe(state).replace('_', " ");
    (ink, if ink == Ink::Bad { words.to_uppercase() } else { words })
}

fn steps(out: &mut String, style: Style, kinds: &Kinds, verify: &Verify) {
    if !verify.steps.is_empty() {
        heading(out, style, "Steps", 0, 0);
    }
    let wide = |text: fn(&Step) -> String| {
        verify.steps.iter().map(|step| width(&text(step))).max().unwrap_or(0)
    };
    let numbers = wide(|step| number(step.step));
    let (servers, pools) = (wide(|step| safe(&step.server)), wide(|step| safe(&step.pool)));
    for step in &verify.steps {
        let hang = 2 + numbers + 2;
        let mut spans = vec![
            (Ink::Plain, format!("{}  ", pad(&number(step.step), numbers))),
            (Ink::Strong, format!("{}  ", pad(&safe(&step.server), servers))),
            (Ink::Strong, format!("{}  ", pad(&safe(&step.pool), pools))),
            shown(step.state),
        ];
        let mut words = format!("  ({}", names(&step.accounts));
        if let Some(at) = &step.recycled {
            let places: Vec<String> =
                step.evidence.iter().map(|e| seen_at(kinds, &e.path, e.pos)).collect();
            words += &format!("; recycled {}, {}", time(at), places.join(", "));
        }
        spans.push((Ink::Plain, words + ")"));
        line(out, style, (2, hang), &spans);
        for note in &step.notes {
            line(out, style, (hang, hang + 2), &[(Ink::Doubt, safe(note))]);
        }
    }
}

fn one_finding(out: &mut String, style: Style, kinds: &Kinds, finding: &Finding) {
    out.push('\n');
    let spans = [
        (Ink::Plain, format!("{}  ", safe(&finding.reason.id))),
        (Ink::Strong, format!("{}  ", safe(&finding.reason.account))),
        shown(finding.state),
    ];
    line(out, style, (0, 4), &spans);
    let kind = safe(finding.reason.kind).replace('_', " ");
    let mut what = format!("{kind} {}", time(&finding.reason.at));
    if finding.reason.residual != "certain" {
        what += &format!("; {} when the plan was made", safe(finding.reason.residual));
    }
    line(out, style, (4, 6), &[(Ink::Plain, what)]);
    let looked_for = format!("looked for as {}", names(&finding.names));
    line(out, style, (4, 6), &[(Ink::Plain, looked_for)]);
    for path in finding.paths.iter().take(PATHS) {
        one_path(out, style, kinds, path);
    }
    if finding.paths.len() > PATHS {
        let more = number((finding.paths.len() - PATHS) as u64);
        line(
            out,
            style,
            (4, 4),
            &[(Ink::Plain, format!("… and {more} more; -o verify.json has all"))],
        );
    }
}

fn one_path(out: &mut String, style: Style, kinds: &Kinds, path: &Path) {
    let protocol = path.protocol.map(|word| format!("  {}", safe(word))).unwrap_or_default();
    let spans = [
        (Ink::Strong, format!("{}  {}", safe(&path.server), safe(&path.pool))),
        (Ink::Plain, format!("{protocol}  ")),
        shown(path.state),
    ];
    line(out, style, (4, 6), &spans);
    if let Some(name) = &path.name {
        entry(out, style, 6, "name", vec![(Ink::Plain, safe(name))]);
    }
    let used = [("access", &path.access), ("unclear", &path.unclear), ("anew", &path.new_logon)];
    for (label, used) in used {
        if let Some(used) = used {
            one_access(out, style, label, used);
        }
    }
    let why = path.why.iter().map(|why| vec![(Ink::Plain, safe(why))]);
    entries(out, style, 6, "why", usize::MAX, why);
    let mut seen: Vec<String> = Vec::new();
    for used in [&path.access, &path.unclear, &path.new_logon].into_iter().flatten() {
        seen.extend(used.evidence.iter().map(|e| seen_at(kinds, &e.path, e.line)));
    }
    seen.extend(path.refusal.iter().map(|r| seen_at(kinds, &r.evidence.path, r.evidence.line)));
    let places = seen.into_iter().map(|place| vec![(Ink::Faint, place)]).collect::<Vec<_>>();
    entries(out, style, 6, "see", usize::MAX, places.into_iter());
}

fn one_access(out: &mut String, style: Style, label: &str, used: &Access) {
    let words = access(used.requests, 0, &used.first, &used.last);
    let mut spans = vec![(Ink::Plain, words)];
    if used.residual != "no" {
        spans.push((Ink::Plain, ", ".to_owned()));
        spans.push((grade(used.residual), safe(used.residual)));
    }
    entry(out, style, 6, label, spans);
    entry(out, style, 6, "client", client(&used.client));
}
