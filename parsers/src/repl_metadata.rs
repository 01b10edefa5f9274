//! Replication metadata of accounts (`repadmin /showobjmeta` text,
//! `Get-ADReplicationAttributeMetadata` CSV) to facts. A record is one row: one attribute of one
//! object.

use crate::csv::Table;
use crate::directory::metadata::{self, State, Written};
use crate::directory::names;
use crate::event::{Change, ChangeKind, Fact, Identity, Pos, Reason, Reject};
use crate::evidence::{Sink, Tally};
use crate::time::LocalTime;
use std::collections::BTreeMap;

mod powershell;
mod repadmin;
#[cfg(test)]
mod tests;

/// One row of metadata, and what its value says if that is told.
#[derive(Debug, Clone)]
struct Entry {
    written: Written,
    /// What the value says by itself (a time at which the account expires, is locked out).
    told: Vec<Fact>,
}

/// The rows of one object, as one domain controller has them.
#[derive(Debug, Default)]
struct Object {
    account: Identity,
    state: State,
    entries: Vec<Entry>,
    rejects: Vec<Reject>,
}

/// Is it replication metadata?
pub fn sniff(head: &[u8]) -> bool {
    repadmin::sniff(head) || is_table(&Table::open(head))
}

fn is_table(table: &Table<'_>) -> bool {
    ["AttributeName", "LastOriginatingChangeTime", "Version"].iter().all(|column| table.has(column))
}

/// Facts of both forms.
pub fn facts(bytes: &[u8], local: &LocalTime, sink: &mut Sink<'_>) -> Tally {
    let table = Table::open(bytes);
    if is_table(&table) {
        powershell::facts(&table, local, sink)
    } else {
        repadmin::facts(bytes, local, sink)
    }
}

/// Tells the facts of one object in the order of its rows, and counts those: what tells something,
/// and the others.
fn tell(object: &Object, tally: &mut Tally, sink: &mut Sink<'_>) {
    let account = &object.account;
    let mut rejects = object.rejects.clone();
    let mut by_row: BTreeMap<Pos, Vec<Fact>> = BTreeMap::new();
    if names::is_empty(account) {
        let nobody = |row: &Entry| Reject { pos: row.written.pos, reason: nobody() };
        rejects.extend(object.entries.iter().map(nobody));
    } else {
        by_row = told(object);
        object.entries.iter().for_each(|row| tally.saw(row.written.when.0));
    }
    tally.records += (rejects.len() + by_row.len()) as u64;
    tally.rejected += rejects.len() as u64;
    for facts in by_row.values() {
        *(if facts.is_empty() { &mut tally.of_no_interest } else { &mut tally.told }) += 1;
    }
    let facts = by_row.into_values().flatten().map(Ok);
    let mut items: Vec<Result<Fact, Reject>> = facts.chain(rejects.into_iter().map(Err)).collect();
    items.sort_by_key(|item| item.as_ref().map_or_else(|reject| reject.pos, metadata::pos));
    items.into_iter().for_each(sink);
}

/// What each row tells; nothing is of no interest.
fn told(object: &Object) -> BTreeMap<Pos, Vec<Fact>> {
    let (account, state) = (&object.account, object.state);
    let written: Vec<Written> = object.entries.iter().map(|row| row.written.clone()).collect();
    let mut by_row: BTreeMap<Pos, Vec<Fact>> =
        written.iter().map(|w| (w.pos, Vec::new())).collect();
    // Only groups and computers have these attributes.
    let others = ["groupType", "dNSHostName", "operatingSystem"];
    if names::is_noise(account) || others.iter().any(|other| metadata::has(&written, other)) {
        return by_row;
    }
    let mut facts = metadata::facts(account, &written, state);
    // The names in the values are worth a fact: the changes are known by them in the logs.
    const NAMES: &[&str] = &["objectSid", "sAMAccountName", "userPrincipalName", "mail"];
    let named = |w: &&Written| NAMES.iter().any(|name| w.attribute.eq_ignore_ascii_case(name));
    let only_dn = Identity {
        domain: account.domain.clone(),
        distinguished_name: account.distinguished_name.clone(),
        ..Identity::default()
    };
    if let Some(w) = written.iter().find(named).filter(|_| *account != only_dn) {
        facts.insert(0, Fact::names(w.pos, account.clone()));
    }
    // The flags are as they were written then; that one was enabled when it was deleted says nothing.
    let is_deletion =
        |fact: &Fact| matches!(fact, Fact::Change(c) if c.kind == ChangeKind::Deleted);
    let is_deleted = facts.iter().any(is_deletion);
    let disabled = state.disabled.filter(|disabled| *disabled || !is_deleted);
    let flags = metadata::find(&written, "userAccountControl");
    facts.extend(disabled.zip(flags).map(|(disabled, w)| {
        let (pos, account, enabled, changed) =
            (w.pos, account.clone(), Some(!disabled), Some(w.when.0));
        Fact::Account { pos, account, enabled, changed, expires: None, mailbox: None }
    }));
    facts.extend(object.entries.iter().flat_map(|row| row.told.clone()).map(|mut fact| {
        // A row tells something before it is known whose it is.
        if let Fact::Change(Change { account: whose, .. })
        | Fact::Account { account: whose, .. }
        | Fact::AccountExpiresSet { account: whose, .. } = &mut fact
        {
            whose.clone_from(account);
        }
        fact
    }));
    for fact in facts {
        by_row.entry(metadata::pos(&fact)).or_default().push(fact);
    }
    by_row
}

/// Counts a row that tells nothing.
fn of_no_interest(tally: &mut Tally) {
    tally.records += 1;
    tally.of_no_interest += 1;
}

/// Why rows without a DN say nothing of anybody.
fn nobody() -> Reason {
    let text =
        "nothing says whose metadata this is; write the object's DN on a line of its own above it";
    Reason::Format(text.to_owned())
}
