//! A report to the part of the summary that lists accounts which are disabled by design: what was served under their
//! names, without a verdict.

use crate::Style;
use crate::page::{Ink, line};
use crate::report::{ByDesign, Report, Seen};
use crate::terminal::{
    DETAILS, Kinds, PATHS, access, client, entries, entry, heading, more, seen_at, when_changed,
};
use crate::text::{count, safe};

/// Accounts that are shown.
const ACCOUNTS: usize = 20;

/// The whole part; nothing where nothing was served.
pub fn by_design(out: &mut String, style: Style, report: &Report) {
    let all = report.by_design.len();
    if all == 0 {
        return;
    }
    let shown = all.min(ACCOUNTS);
    heading(out, style, "Disabled by design, and no finding", shown, all);
    let kinds: Kinds = report.sources.iter().map(|s| (s.path.as_str(), s.kind)).collect();
    for account in report.by_design.iter().take(shown) {
        one_account(out, style, &kinds, report, account);
    }
    if shown < all {
        out.push('\n');
        more(out, style, 0, shown, all);
    }
}

fn one_account(out: &mut String, style: Style, kinds: &Kinds, report: &Report, account: &ByDesign) {
    out.push('\n');
    let name = [
        (Ink::Strong, safe(&account.account)),
        (Ink::Plain, format!("  {} mailbox", safe(account.mailbox))),
    ];
    line(out, style, (0, 4), &name);
    let change = report.changes.iter().find(|change| change.id == account.change);
    when_changed(out, style, kinds, "disabled", &account.at, change);
    let requests = count(account.requests, "request", "requests");
    let served = format!("{requests} under its names since");
    line(out, style, (4, 6), &[(Ink::Plain, served)]);
    for why in account.why.iter().take(DETAILS) {
        line(out, style, (4, 6), &[(Ink::Plain, safe(why))]);
    }
    for seen in account.paths.iter().take(PATHS) {
        one_path(out, style, kinds, seen);
    }
    if account.paths.len() > PATHS {
        more(out, style, 4, PATHS, account.paths.len());
    }
}

fn one_path(out: &mut String, style: Style, kinds: &Kinds, seen: &Seen) {
    let place = [
        (Ink::Strong, format!("{}  {}", safe(&seen.server), safe(&seen.pool))),
        (Ink::Plain, format!("  {}", safe(seen.protocol))),
    ];
    line(out, style, (4, 6), &place);
    let access = access(seen.requests, seen.data_requests, &seen.first, &seen.last);
    entry(out, style, 6, "access", vec![(Ink::Plain, access)]);
    entry(out, style, 6, "name", vec![(Ink::Plain, safe(&seen.name))]);
    entries(out, style, 6, "client", DETAILS, seen.clients.iter().map(client));
    let places = seen.evidence.iter().map(|e| vec![(Ink::Faint, seen_at(kinds, &e.path, e.line))]);
    entries(out, style, 6, "see", DETAILS, places);
}
