//! A report to one page for a browser, complete in itself: what must be read at once, and a table of the findings, stand
//! in the page; each finding in full, with its timelines, is drawn by a script out of data when it is asked for.
//!
//! Nothing but its own style and script can act in the page: both are named by hash in its policy, and no text of a log
//! is ever read as markup. What the template shows is escaped by it; what the script shows it sets as text.

mod chart;
mod data;
mod reach;
mod tiles;
mod view;

use std::io::{self, Write};

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::case::MAYBE_OPEN;
use crate::page::Ink;
use crate::report::Report;
use crate::text::TIE;
use crate::timeline::Timelines;

const STYLE: &str = include_str!("../templates/report.css");
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("../templates/element.js"),
    include_str!("../templates/timeline.js"),
    include_str!("../templates/finding.js"),
    include_str!("../templates/table.js"),
    include_str!("../templates/page.js"),
    "})();\n",
);

/// The page around what it shows.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    policy: String,
    style: &'a str,
    script: &'a str,
    data: String,
    view: view::View,
}

/// Writes the page.
pub fn write(report: &Report, timelines: &Timelines, to: &mut dyn Write) -> io::Result<()> {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    let page = Page {
        policy,
        style: STYLE,
        script: SCRIPT,
        data: data::json(report, timelines)?,
        view: view::View::of(report, timelines),
    };
    page.write_into(to).map_err(io::Error::other)
}

/// Text with spaces that do not break where it has ties.
fn plain(text: impl AsRef<str>) -> String {
    text.as_ref().replace(TIE, "\u{a0}")
}

/// The word of an ink in the style sheet.
fn ink(ink: Ink) -> &'static str {
    match ink {
        Ink::Bad => "bad",
        Ink::Doubt => "doubt",
        Ink::Good => "good",
        Ink::Plain | Ink::Strong | Ink::Faint => "plain",
    }
}

/// What a state is called where there is room for a word or two.
fn state_word(state: &str) -> &'static str {
    match state {
        "open" => "open",
        MAYBE_OPEN => MAYBE_OPEN,
        "expired" => "ended: idle",
        "recycled" => "ended: recycled",
        "refused" => "ended: refused",
        _ => "unknown",
    }
}

/// The ink of a state.
fn state_ink(state: &str, residual: &str) -> &'static str {
    match (state, residual) {
        ("open", "certain") => "bad",
        ("expired" | "recycled" | "refused", _) => "good",
        _ => "doubt",
    }
}

/// The ink of how sure something is.
fn grade_ink(residual: &str) -> &'static str {
    ink(crate::terminal::grade(residual))
}

/// A class in words that need no manual.
fn class_words(class: &str) -> &'static str {
    match class {
        "in_flight" => "under way when the change was made",
        "within_slack" => "so soon after the change that replication or clocks may explain it",
        "cached_token" => "a logon from before the change was still cached",
        "other_auth" => "logged on without a cached token (Kerberos, NTLM or OAuth)",
        "unexplained" => "served, though no cached logon explains it",
        "new_logon" => "logged on with the new password",
        "refused" => "refused",
        _ => "by which logon cannot be told from the logs",
    }
}
