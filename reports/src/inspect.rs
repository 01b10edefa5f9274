//! Sources to what `inspect` tells a reader of each: what it is, how much of it was understood, and
//! where it was not. The answer to "why is the report empty?".

use crate::Style;
use crate::page::{Ink, line};
use crate::read::{Tally, rejects};
use crate::report::Source;
use crate::terminal::entry;
use crate::text::{count, number, safe, time};

/// Rejects of one source that are shown.
const REJECTS: usize = 20;
/// Columns of one source that are shown.
const COLUMNS: usize = 100;

/// One block a source.
pub fn blocks(sources: &[Source], style: Style) -> String {
    let mut out = String::new();
    if sources.is_empty() {
        line(&mut out, style, (0, 0), &[(Ink::Doubt, "No source was found.".to_owned())]);
    }
    for (i, source) in sources.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        block(&mut out, style, source);
    }
    out
}

fn block(out: &mut String, style: Style, source: &Source) {
    line(out, style, (0, 2), &[(Ink::Strong, safe(&source.path))]);
    let ink = if source.kind == "unknown" { Ink::Doubt } else { Ink::Strong };
    let mut what = String::new();
    if let Some(encoding) = source.encoding {
        what += &format!(", {}", safe(encoding));
    }
    what += &format!(", {}", count(source.bytes, "byte", "bytes"));
    entry(out, style, 2, "kind", vec![(ink, safe(source.kind)), (Ink::Plain, what)]);
    if let Some(server) = &source.server {
        entry(out, style, 2, "server", vec![(Ink::Plain, safe(server))]);
    }
    let span = match (&source.first, &source.last) {
        (Some(first), Some(last)) => format!("{} to {}", time(first), time(last)),
        (Some(one), None) | (None, Some(one)) => time(one),
        (None, None) => "none: no record with a time".to_owned(),
    };
    entry(out, style, 2, "span", vec![(Ink::Plain, span)]);
    let mut tally = Tally::default();
    tally.add(source);
    let ink = if source.rejected > 0 { Ink::Doubt } else { Ink::Plain };
    let records = vec![(Ink::Plain, number(source.records)), (ink, tally.beside())];
    entry(out, style, 2, "records", records);
    if let Some(columns) = &source.columns {
        let mut words: Vec<String> = columns.iter().take(COLUMNS).map(|name| safe(name)).collect();
        if columns.len() > COLUMNS {
            words.push(format!("and {} more", number((columns.len() - COLUMNS) as u64)));
        }
        entry(out, style, 2, "columns", vec![(Ink::Plain, words.join(", "))]);
    }
    rejects(out, style, 2, source, REJECTS);
    if let Some(sha256) = &source.sha256 {
        entry(out, style, 2, "sha256", vec![(Ink::Faint, safe(sha256))]);
    }
    if let Some(error) = &source.error {
        entry(out, style, 2, "error", vec![(Ink::Bad, safe(error))]);
    }
}
