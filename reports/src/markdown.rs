//! A report to Markdown for a ticket: the verdict, what to recycle, a table of findings, and their evidence.
//!
//! Text of a log is never markup. What is a name or a place stands in a code span, where neither links nor mentions
//! nor HTML are looked for; of a sentence, every word that is not plainly a word or a number does. A backslash would
//! not do: mentions and addresses are looked for after the backslashes are gone.

use std::io::{self, Write};

use crate::case;
use crate::report::{Change, Client, Finding, Path, Report};
use crate::text::{TIE, count, duration, number, plain, safe, time};
use crate::verdict::verdict;

/// Findings in the table.
const ROWS: usize = 200;
/// Findings that are told with their evidence.
const FINDINGS: usize = 50;
/// Paths of one finding, clients of a path, places of evidence, steps, pieces of advice, notes: each.
const ITEMS: usize = 20;

/// Writes the ticket.
pub fn write(report: &Report, to: &mut dyn Write) -> io::Result<()> {
    let mut out = String::from("# Residual access, as stillin found it\n\n");
    out += &format!("**{}**\n", prose(&verdict(report).1));
    recycle(&mut out, report);
    table(&mut out, report);
    for finding in report.findings.iter().take(FINDINGS) {
        one_finding(&mut out, report, finding);
    }
    rest(&mut out, FINDINGS, report.findings.len(), "\nOf");
    advice(&mut out, report);
    by_design(&mut out, report);
    what_was_read(&mut out, report);
    to.write_all(out.as_bytes())?;
    to.flush()
}

fn recycle(out: &mut String, report: &Report) {
    if report.plan.is_empty() {
        return;
    }
    *out += "\n## Recycle now, one server at a time\n\n";
    for step in report.plan.iter().take(ITEMS) {
        let accounts: Vec<String> =
            step.accounts.iter().take(ITEMS).map(|name| code(name)).collect();
        let more = step.accounts.len().saturating_sub(ITEMS) as u64;
        *out += &format!(
            "{}. {}, pool {}: evicts {}{}; {} will log on again; for {}\n",
            step.step,
            code(&step.server),
            code(&step.pool),
            accounts.join(", "),
            if more > 0 { format!(" and {} more", number(more)) } else { String::new() },
            count(step.other_users, "other user", "other users"),
            prose(&step.why.join(", ")),
        );
    }
    rest(out, ITEMS, report.plan.len(), "\nOf the plan");
}

fn table(out: &mut String, report: &Report) {
    if report.findings.is_empty() {
        return;
    }
    *out += "\n## Findings\n\n\
        | | Account | Change | Residual access | Served for another | Until | Requests | May go on |\n\
        |---|---|---|---|---|---|---|---|\n";
    for finding in report.findings.iter().take(ROWS) {
        let cells = [
            prose(&finding.id),
            code(&finding.account),
            format!("{} {}", plain(finding.kind), plain(&time(&finding.at))),
            finding.residual.to_owned(),
            plain(&duration(finding.exposure_seconds)),
            plain(&time(&finding.last)),
            number(finding.requests),
            goes_on(finding),
        ];
        *out += &format!("| {} |\n", cells.join(" | "));
    }
    rest(out, ROWS, report.findings.len(), "\nOf the table");
}

fn goes_on(finding: &Finding) -> String {
    match case::open_paths(finding) {
        (0, 0) if case::state(finding) == "unknown" => "unknown".to_owned(),
        (0, 0) => "no".to_owned(),
        (0, maybe) => format!("possibly, on {}", count(maybe, "path", "paths")),
        (sure, 0) => format!("on {}", count(sure, "path", "paths")),
        (sure, maybe) => {
            format!("on {}, possibly on {} more", count(sure, "path", "paths"), number(maybe))
        }
    }
}

fn one_finding(out: &mut String, report: &Report, finding: &Finding) {
    let change = report.changes.iter().find(|change| change.id == finding.change);
    let by =
        change.and_then(|change| change.actor.as_ref()).map(|actor| format!(" by {}", code(actor)));
    *out += &format!(
        "\n### {} {}: {}\n\n{} {}{}.\nServed for another {}, until {}: {}.\n\n",
        prose(&finding.id),
        code(&finding.account),
        finding.residual,
        capital(&plain(finding.kind)),
        plain(&time(&finding.at)),
        by.unwrap_or_default(),
        plain(&duration(finding.exposure_seconds)),
        plain(&time(&finding.last)),
        count(finding.requests, "request", "requests"),
    );
    let places = change.map(|change| evidence_of(report, change)).unwrap_or_default();
    list(out, "- The change is told by ", &places, "");
    for path in finding.paths.iter().take(ITEMS) {
        one_path(out, path);
    }
    rest(out, ITEMS, finding.paths.len(), "\nOf the paths");
}

fn evidence_of(report: &Report, change: &Change) -> Vec<String> {
    let kind =
        |path: &str| report.sources.iter().find(|source| source.path == path).map(|s| s.kind);
    let sign = |path: &str| if kind(path) == Some("evtx") { '#' } else { ':' };
    let places = change.evidence.iter();
    places.map(|place| code(&format!("{}{}{}", place.path, sign(&place.path), place.pos))).collect()
}

fn one_path(out: &mut String, path: &Path) {
    *out += &format!(
        "- {}, pool {}, {}: **{}**, {}, {}\n  - {}, {} with data, {} to {}, under {}\n",
        code(&path.server),
        code(&path.pool),
        path.protocol,
        path.state,
        code(path.class),
        path.residual,
        count(path.requests, "request", "requests"),
        number(path.data_requests),
        plain(&time(&path.first)),
        plain(&time(&path.last)),
        code(&path.name),
    );
    let clients: Vec<String> = path.clients.iter().map(client).collect();
    list(out, "  - Client: ", &clients, "");
    let why: Vec<String> = path.why.iter().map(|why| prose(why)).collect();
    list(out, "  - Why: ", &why, "");
    let places = path.evidence.iter().map(|line| code(&format!("{}:{}", line.path, line.line)));
    list(out, "  - See ", &places.collect::<Vec<_>>(), "");
}

fn client(client: &Client) -> String {
    let parts = [&client.device, &client.ip, &client.user_agent];
    let parts: Vec<String> = parts.into_iter().flatten().map(|part| code(part)).collect();
    if parts.is_empty() { "not known".to_owned() } else { parts.join(", ") }
}

fn advice(out: &mut String, report: &Report) {
    if report.advice.is_empty() {
        return;
    }
    *out += "\n## What else to do\n\n";
    for advice in report.advice.iter().take(ITEMS) {
        let (server, account) = (code(&advice.server), code(&advice.account));
        *out += &format!("- {account} on {server}: {}\n", prose(&advice.text));
    }
    rest(out, ITEMS, report.advice.len(), "\nOf the advice");
}

fn by_design(out: &mut String, report: &Report) {
    if report.by_design.is_empty() {
        return;
    }
    *out += "\n## Disabled by design, and met in the logs\n\n";
    for account in report.by_design.iter().take(ITEMS) {
        let requests = count(account.requests, "request", "requests");
        let last = plain(&time(&account.last));
        let whose = code(&account.account);
        *out += &format!("- {whose}, {} mailbox: {requests} until {last}\n", account.mailbox);
    }
    rest(out, ITEMS, report.by_design.len(), "\nOf these accounts");
}

fn what_was_read(out: &mut String, report: &Report) {
    let records = report.sources.iter().map(|source| source.records).sum();
    *out += &format!(
        "\n## What was read\n\n- {}, {}, {}\n",
        count(report.sources.len() as u64, "source", "sources"),
        count(records, "record", "records"),
        count(report.changes.len() as u64, "change", "changes"),
    );
    let whole = report.sources.iter().filter(|source| !crate::read::read_whole(source));
    let not_whole: Vec<String> = whole.map(|source| code(&source.path)).collect();
    list(out, "- Not read whole: ", &not_whole, "");
    let reach = report.coverage.iter().map(|coverage| {
        let gaps = match coverage.gaps.len() as u64 {
            0 => String::new(),
            n => format!(", with {}", count(n, "hole", "holes")),
        };
        let (from, to) = (plain(&time(&coverage.from)), plain(&time(&coverage.to)));
        let log = coverage.protocol.map(|word| format!(" {word}")).unwrap_or_default();
        format!("{} {}{log}: {from} to {to}{gaps}", code(&coverage.server), coverage.kind)
    });
    list(out, "- ", &reach.collect::<Vec<_>>(), "");
    let notes: Vec<String> = report.notes.iter().map(|note| prose(note)).collect();
    list(out, "- Note: ", &notes, "");
    *out += &format!("\nWritten by {} {}.\n", report.tool.name, prose(&report.tool.version));
}

/// One line for each, the first of them.
fn list(out: &mut String, before: &str, items: &[String], after: &str) {
    for item in items.iter().take(ITEMS) {
        *out += &format!("{before}{item}{after}\n");
    }
    if items.len() > ITEMS {
        *out +=
            &format!("{before}{} more; the JSON has all\n", number((items.len() - ITEMS) as u64));
    }
}

/// Says what a list that was cut leaves out.
fn rest(out: &mut String, shown: usize, all: usize, of: &str) {
    if all > shown {
        *out += &format!(
            "{of} {} more are left out here; the JSON has all.\n",
            number((all - shown) as u64)
        );
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Text in a code span, its fence longer than every run of backticks in it. A bar is shown as an escape, because
/// renderers do not agree on which backslash before it counts in a table; so is whatever steers or breaks a line.
fn code(text: &str) -> String {
    let text = safe(text).replace('|', "\\x7c");
    if text.trim().is_empty() {
        return format!("`\"{text}\"`");
    }
    let mut longest = 0;
    let mut run = 0;
    for char in text.chars() {
        run = if char == '`' { run + 1 } else { 0 };
        longest = run.max(longest);
    }
    let fence = "`".repeat(longest + 1);
    // One space at each end is taken off again by whoever renders it.
    let pads = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    let pad = if pads { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A sentence, in which every word that is not plainly a word or a number stands in a code span.
fn prose(text: &str) -> String {
    let words = text.split([' ', TIE]).filter(|word| !word.is_empty()).enumerate();
    let word = |(i, word): (usize, &str)| {
        let is_list_mark = i == 0 && word.starts_with(|c: char| c.is_ascii_digit());
        if is_plain(word) && !(is_list_mark && word.ends_with(['.', ')'])) {
            return word.to_owned();
        }
        // What ends a sentence or opens a bracket is ours, and no markup.
        let end = word.trim_end_matches([',', '.', ';', ':', ')']);
        let start = end.trim_start_matches('(');
        let (before, after) = (&end[..end.len() - start.len()], &word[end.len()..]);
        if start.is_empty() { code(word) } else { format!("{before}{}{after}", code(start)) }
    };
    words.map(word).collect::<Vec<_>>().join(" ")
}

/// Letters with hyphens or apostrophes between them, or digits with `,.:-` between them; brackets around, and
/// punctuation behind. `f1` and `c2`, which are ours, as well.
fn is_plain(word: &str) -> bool {
    let core = word.trim_start_matches('(').trim_end_matches([',', '.', ';', ':', ')', '?', '!']);
    let parts = |separators: &[char], is_part: fn(&str) -> bool| {
        core.split(|c| separators.contains(&c)).all(|part| !part.is_empty() && is_part(part))
    };
    let letters: fn(&str) -> bool = |part| part.chars().all(char::is_alphabetic);
    let digits: fn(&str) -> bool = |part| part.chars().all(|c| c.is_ascii_digit());
    let is_id = core.strip_prefix(['f', 'c']).is_some_and(digits) && core.len() < 12;
    parts(&['-', '\''], letters)
        || parts(&[',', '.', ':', '-'], digits)
        || (is_id && core.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_hold_their_text() {
        let check = |text: &str, expect: &str| assert_eq!(code(text), expect, "{text:?}");
        check("FABRIKAM\\ada", "`FABRIKAM\\ada`");
        check("a`b``c", "```a`b``c```");
        check("`", "`` ` ``");
        check(" a ", "`  a  `");
        check("", "`\"\"`");
        check("  ", "`\"  \"`");
        check("a|b\\|c", "`a\\x7cb\\\\x7cc`");
        check("a\nb\x1b[31m\u{202e}", "`a\\x0ab\\x1b[31m\\u{202e}`");
    }

    #[test]
    fn sentences_keep_what_is_plain() {
        let check = |text: &str, expect: &str| assert_eq!(prose(text), expect, "{text:?}");
        check("went on; it may be, now.", "went on; it may be, now.");
        check(
            "ended: refused at 2026-03-02 09:41:12 UTC (401.1, account disabled)",
            "ended: refused at 2026-03-02 09:41:12 UTC (401.1, account disabled)",
        );
        check("of FABRIKAM\\ada, and @all.", "of `FABRIKAM\\ada`, and `@all`.");
        check("see http://evil.example/x <b>now</b>", "see `http://evil.example/x` `<b>now</b>`");
        check(
            "www.evil.example #12 GH-12 a_b *x* f12",
            "`www.evil.example` `#12` `GH-12` `a_b` `*x*` f12",
        );
        check("1. one", "`1`. one");
        check("- # > +", "`-` `#` `>` `+`");
        check("client's -- ``` ~~~", "client's `--` ```` ``` ```` `~~~`");
        check("[x](y) ![x](y) (http://x)", "`[x](y`) `![x](y`) (`http://x`)");
    }
}
