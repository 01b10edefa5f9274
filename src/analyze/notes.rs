//! What stands between the reader and certainty, said on the error stream and in the report.

pub mod fronts;

use super::Run;
use crate::account::{Account, AccountId};
use crate::case::OLDEST_TOKEN;
use crate::change::{Change, Directory};
use crate::messages::Messages;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::event::{ChangeKind, Pos};
use stillin_parsers::kind::Kind;

/// Rejects printed for each source.
const PRINTED: usize = 5;

/// Prints what was not read, and notes what else the reader has to know.
pub fn say(run: &mut Run<'_>, messages: &Messages) {
    damage_and_columns(run, messages);
    change_evidence(run, messages);
    logs(run, messages);
    copies(run, messages);
    window(run, messages);
    let mut notes = of_logs(run);
    notes.extend(changes(run));
    say_all(run, notes, messages);
}

/// The same, where what is judged is known beside the sources.
pub fn say_of_logs(run: &mut Run<'_>, messages: &Messages) {
    damage_and_columns(run, messages);
    logs(run, messages);
    copies(run, messages);
    let mut notes = of_logs(run);
    notes.extend(perhaps_enabled(run));
    say_all(run, notes, messages);
}

fn damage_and_columns(run: &mut Run<'_>, messages: &Messages) {
    rejects(run, messages);
    damage(run, messages);
    columns(run, messages);
}

fn of_logs(run: &Run<'_>) -> Vec<String> {
    let mut notes = names(run);
    notes.extend(back_ends(run));
    notes.extend(fronts::notes(run));
    notes.extend(run.settings.notes.clone());
    notes
}

fn say_all(run: &mut Run<'_>, notes: Vec<String>, messages: &Messages) {
    notes.iter().for_each(|note| messages.note(note));
    run.notes.extend(notes);
}

/// Whether any log tells who was served in the time that is asked for.
fn is_covered(run: &Run<'_>) -> bool {
    let reaches = |to| run.args.since.is_none_or(|since| since <= to);
    run.fronts.coverage.servers.iter().flatten().any(|span| reaches(span.to))
}

/// Servers of which only the back end is known.
fn back_ends(run: &Run<'_>) -> Option<String> {
    let is_seen = |server: &&String| run.fronts.servers.contains(server);
    let alone: Vec<_> = run.collected.back_ends.iter().filter(|s| !is_seen(s)).cloned().collect();
    (!alone.is_empty()).then(|| {
        format!(
            "{}: only logs of the back end, so nobody is seen at its front end; add those of site 1 (W3SVC1)",
            alone.join(", ")
        )
    })
}

fn copies(run: &Run<'_>, messages: &Messages) {
    for (&copy, &original) in &run.collected.originals {
        let path = |index: u32| &run.files[index as usize].source.path;
        messages.note(&format!(
            "{}: begins like {}, so it is taken for a copy: what both hold is counted once",
            path(copy),
            path(original)
        ));
    }
}

/// Where nothing was looked at, nothing was found.
fn window(run: &mut Run<'_>, messages: &Messages) {
    if !run.fronts.coverage.servers.is_empty() && !is_covered(run) {
        let note = "no entry of any log lies between --since and --until, so nobody can be seen being served";
        messages.partial(note);
        run.notes.push(note.to_owned());
    }
}

fn rejects(run: &Run<'_>, messages: &Messages) {
    for (index, file) in run.files.iter().enumerate() {
        let path = &file.source.path;
        let (first, rejected) = super::sources::rejects(run, index);
        for (place, reason) in first.iter().take(PRINTED) {
            messages.partial(&format!("{path}{place}: {reason}"));
        }
        let more = rejected.saturating_sub(first.len().min(PRINTED) as u64);
        if more > 0 {
            messages.partial(&format!("{path}: and {more} more rejects (see `stillin inspect`)"));
        }
    }
}

/// Files that could not be opened again, were cut, or whose packing is broken.
fn damage(run: &Run<'_>, messages: &Messages) {
    for (index, file) in run.files.iter().enumerate() {
        if let Some(error) = super::sources::error(run, index)
            && file.problem.is_none()
        {
            messages.partial(&format!("{}: {error}", file.source.path));
        }
    }
}

/// Without these columns a log cannot say who was served.
fn columns(run: &mut Run<'_>, messages: &Messages) {
    for (&index, log) in &run.collected.logs {
        let file = &run.files[index];
        if file.kind != Kind::IisW3c || log.missing.is_empty() {
            continue;
        }
        let path = &file.source.path;
        let lacks = log.missing.join(" and ");
        if log.missing.contains(&"cs-username") || log.missing.contains(&"sc-status") {
            let note = format!(
                "{path}: no {lacks}: such lines cannot say who was served; switch the field on in IIS"
            );
            messages.partial(&note);
            run.notes.push(note);
        } else {
            let note =
                format!("{path}: no {lacks}: every request is taken to have begun when it ended");
            messages.note(&note);
            run.notes.push(note);
        }
    }
}

fn change_evidence(run: &mut Run<'_>, messages: &Messages) {
    if !run.files.iter().any(|file| file.kind.is_change_evidence()) {
        messages.partial(
            "no change evidence among the sources, so there is nothing to judge; add an event log, a directory \
             export, or a change list (time,account,change,actor)",
        );
    } else if !run.directory.changes.iter().any(|change| change.kind.cuts()) {
        let note = "no source tells of a change that should have ended anybody's access";
        messages.note(note);
        run.notes.push(note.to_owned());
    }
}

fn logs(run: &Run<'_>, messages: &Messages) {
    let has = |kind| run.collected.logs.keys().any(|&index| run.files[index].kind == kind);
    if !has(Kind::IisW3c) && !has(Kind::HttpProxy) {
        messages.partial(
            "no IIS log among the sources, so nobody can be seen being served; add the W3SVC1 folders of all servers",
        );
    } else if run.collected.logs.values().all(|log| log.tally.requests == 0) {
        messages.partial(
            "no IIS log has an entry, so nobody can be seen being served; add the logs of the days that matter",
        );
    }
}

/// Names that cannot be tied to one account.
fn names(run: &Run<'_>) -> Vec<String> {
    let mut namesakes: BTreeMap<&str, u64> = BTreeMap::new();
    for log in run.collected.logs.values() {
        log.namesakes.iter().for_each(|(name, n)| *namesakes.entry(name).or_default() += n);
    }
    let note = |(name, n): (&str, u64)| {
        let accounts = &run.directory.accounts;
        let bearers: Vec<_> = accounts
            .namesakes(name)
            .into_iter()
            .filter(|id| run.watched.contains(id))
            .map(|id| accounts.list[id].display.as_str())
            .collect();
        format!(
            "{n} requests by `{name}` may be those of {}, and no source ties the name to it; add a directory export \
             with its UPN, SID and addresses",
            bearers.join(" or ")
        )
    };
    let mut notes: Vec<String> =
        namesakes.iter().take(20).map(|(name, n)| note((name, *n))).collect();
    if namesakes.len() > 20 {
        notes.push(format!(
            "and {} more names that no source ties to an account",
            namesakes.len() - 20
        ));
    }
    notes
}

fn changes(run: &Run<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let directory = &run.directory;
    let nameless: Vec<_> = run
        .watched
        .iter()
        .map(|&id| &directory.accounts.list[id])
        .filter(|account| account.has_no_log_name())
        .map(|account| account.display.as_str())
        .collect();
    if !nameless.is_empty() {
        notes.push(format!(
            "{}: no source tells under which name the logs know it; add a directory export with its sam and UPN",
            first_few(&nameless)
        ));
    }
    let end = run.fronts.coverage.servers.iter().flatten().map(|span| span.to).max();
    let cuts = || {
        let cuts = directory.changes.iter().filter(|change| change.kind.cuts());
        cuts.filter(|change| run.watched.contains(&change.account))
    };
    let is_late = |at| end.is_some_and(|end| end < at);
    // An expiry to come is no change yet.
    let late: Vec<_> = cuts()
        .filter(|change| change.kind != ChangeKind::Expired && is_late(change.at))
        .map(|change| directory.accounts.list[change.account].display.as_str())
        .collect();
    if !late.is_empty() {
        notes.push(format!(
            "{}: cut off when the logs had ended, so that is not judged; add newer logs",
            first_few(&late)
        ));
    }
    // The first cut of each, for after that one nobody has to be served any more.
    let mut judged: BTreeMap<AccountId, DateTime<Utc>> = BTreeMap::new();
    for change in cuts().filter(|change| !is_late(change.at)) {
        judged.entry(change.account).or_insert(change.at);
    }
    if is_covered(run) {
        notes.extend(other_names(run, &judged));
    }
    let display = |ids: &[AccountId]| -> Vec<&str> {
        ids.iter().map(|&id| directory.accounts.list[id].display.as_str()).collect()
    };
    notes.extend(since_unknown(directory));
    notes.extend(perhaps_enabled(run));
    notes.extend(disputed(run));
    let unknown = display(&directory.expiry_unknown);
    if !unknown.is_empty() {
        notes.push(format!(
            "{}: sources contradict each other on when it expires, so that is not judged; add whenChanged to the \
             exports, or events 5136",
            first_few(&unknown)
        ));
    }
    if let Some(from) = run.passwords_from {
        let old = directory
            .changes
            .iter()
            .filter(|c| c.kind.sets_password() && c.at < from - OLDEST_TOKEN);
        let old = old.count();
        if old > 0 {
            notes.push(format!(
                "not judged, because older than the logs by more than a day: {old} password change(s)"
            ));
        }
    }
    notes
}

/// Accounts that may have been served under names that no source tells. `judged` has the first cut of each.
fn other_names(run: &Run<'_>, judged: &BTreeMap<AccountId, DateTime<Utc>>) -> Vec<String> {
    let display = |is_meant: &dyn Fn(AccountId, DateTime<Utc>, &Account) -> bool| -> Vec<&str> {
        let accounts = judged.iter().map(|(&id, &at)| (id, at, &run.directory.accounts.list[id]));
        let named = accounts.filter(|(_, _, account)| !account.has_no_log_name());
        let meant = named.filter(|(id, at, account)| is_meant(*id, *at, account));
        meant.map(|(_, _, account)| account.display.as_str()).collect()
    };
    let found = run.cases.iter().filter(|case| !case.findings.is_empty());
    let found: BTreeSet<AccountId> = found.map(|case| case.account).collect();
    let is_known = |id, at: DateTime<Utc>| {
        found.contains(&id) || run.served.get(&id).is_some_and(|last| *last >= at - OLDEST_TOKEN)
    };
    let unserved = display(&|id, at, account| account.may_have_other_names() && !is_known(id, at));
    let without_sam = display(&|_, _, account| account.has_no_sam());
    let notes = [
        (
            unserved,
            "not surely served under that name since the day before the change, and no source tells the UPN and \
             addresses with which it may log on; add a directory export",
        ),
        (
            without_sam,
            "no source tells its DOMAIN\\sam, under which a logon by NTLM or Kerberos is logged, whatever was typed; \
             add a directory export",
        ),
    ];
    let is_any = |(names, _): &(Vec<&str>, &str)| !names.is_empty();
    let note = |(names, words): (Vec<&str>, &str)| format!("{}: {words}", first_few(&names));
    notes.into_iter().filter(is_any).map(note).collect()
}

/// Changes of which the time is disputed. Which one it was cannot be known; of what this means each finding says so.
fn disputed(run: &Run<'_>) -> Vec<String> {
    const SHOWN: usize = 5;
    let directory = &run.directory;
    let changes = directory.changes.iter().filter(|change| run.watched.contains(&change.account));
    let note = |change: &Change| {
        let account = &directory.accounts.list[change.account].display;
        let time = |at: DateTime<Utc>| at.format("%F %T UTC");
        Some(format!(
            "{account}: {} at {} by one source and at {} by another, or twice with nothing between that undid it; \
             what was served between the two is no more than possible; see `stillin explain`",
            change.kind.word().replace('_', " "),
            time(change.at),
            time(change.disputed_until?)
        ))
    };
    let mut notes: Vec<String> = changes.filter_map(note).collect();
    let more = notes.len().saturating_sub(SHOWN);
    if more > 0 {
        notes.truncate(SHOWN);
        notes.push(format!("and {more} more changes that sources put at different times"));
    }
    notes
}

/// Disabled accounts without a time. There may be hundreds that are so by the kind of the mailbox, which must not hide a leaver.
fn since_unknown(directory: &Directory) -> Vec<String> {
    let accounts = directory.disabled_since_unknown.iter().map(|&id| &directory.accounts.list[id]);
    let is_of_kind = |account: &&Account| {
        account.mailbox().is_some_and(|mailbox| mailbox.is_disabled_by_design())
    };
    let (of_kind, others): (Vec<&Account>, Vec<&Account>) = accounts.partition(is_of_kind);
    let notes = [
        (
            others,
            "disabled, and no source says since when; add event logs of the domain controllers or the replication \
             metadata",
        ),
        (
            of_kind,
            "disabled, as accounts of linked, shared and resource mailboxes mostly are, and no source says since when, \
             so not looked for; if one was a person's before, add event logs or the replication metadata",
        ),
    ];
    let note = |(accounts, words): (Vec<&Account>, &str)| {
        let names: Vec<&str> = accounts.iter().map(|account| account.display.as_str()).collect();
        (!names.is_empty()).then(|| format!("{}: {words}", first_few(&names)))
    };
    notes.into_iter().filter_map(note).collect()
}

/// An export that knows a disabled account as enabled, and does not say since when.
fn perhaps_enabled(run: &Run<'_>) -> Vec<String> {
    const SHOWN: usize = 5;
    let directory = &run.directory;
    let told = directory.enabled_since_unknown.iter().filter(|(id, _)| run.watched.contains(id));
    let note = |(&id, &(source, pos)): (&AccountId, &(usize, Pos))| {
        let (account, path) =
            (&directory.accounts.list[id].display, &run.files.get(source)?.source.path);
        Some(format!(
            "{account}: {path}{pos} says enabled, and not since when: it is older than the disable, or there was an enable \
             that no source tells of; add an export with whenChanged"
        ))
    };
    let more = told.clone().count().saturating_sub(SHOWN);
    let more = (more > 0).then(|| {
        format!("and {more} more accounts that an export says are enabled, and not since when")
    });
    told.take(SHOWN).filter_map(note).chain(more).collect()
}

/// The first five names, and how many more.
pub(super) fn first_few(names: &[&str]) -> String {
    let more = names.len().saturating_sub(5);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names[..names.len().min(5)].join(", "))
}
