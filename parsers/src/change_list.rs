//! The plain change list, CSV with the columns `time,account,change,actor` in any order (`actor`
//! may be missing, and `former` may hold the name before a rename), to facts.

use crate::csv::{Row, Table};
use crate::directory::names;
use crate::event::{Change, ChangeKind, Fact, Identity, Pos, Reason, Reject};
use crate::evidence::{Sink, Tally};
use crate::time::{Clock, Hints, LocalTime};

#[cfg(test)]
mod tests;

const NEEDED: &[&str] = &["time", "account", "change"];
const COLUMNS: &[&str] = &["time", "account", "change", "actor", "former"];

/// Is it a change list? A header with a slip is one too, so that the slip can be named.
pub fn sniff(head: &[u8]) -> bool {
    let table = Table::open(head);
    let whole = NEEDED.iter().filter(|name| table.has(name)).count();
    // Our own tables have these columns among many.
    if table.has("line") || table.has("exposure_seconds") || table.has("state") {
        return false;
    }
    let near =
        NEEDED.iter().all(|name| table.columns.iter().any(|column| distance(name, column) <= 2));
    whole == 3 || (table.columns.len() <= COLUMNS.len() && ((near && whole > 0) || whole == 2))
}

/// The change of each row.
pub fn facts(bytes: &[u8], local: &LocalTime, sink: &mut Sink<'_>) -> Tally {
    let table = Table::open(bytes);
    let mut tally = Tally::default();
    if let Some(reason) = misnamed(&table) {
        (tally.records, tally.rejected) = (1, 1);
        sink(Err(Reject { pos: Pos::Line(table.header_line), reason }));
        return tally;
    }
    let mut hints = Hints::default();
    for row in table.rows().flatten() {
        row.get("time").into_iter().for_each(|text| hints.see(text));
    }
    let clock = hints.clock(*local);
    for row in table.rows() {
        tally.records += 1;
        match row.and_then(|row| {
            if row.is_empty() {
                Ok(None)
            } else {
                change(&row, &clock).map(Some).map_err(|reason| Reject { pos: row.pos, reason })
            }
        }) {
            Ok(Some(change)) => {
                tally.told += 1;
                tally.saw(change.time);
                sink(Ok(Fact::Change(change)));
            }
            Ok(None) => tally.of_no_interest += 1,
            Err(reject) => {
                tally.rejected += 1;
                sink(Err(reject));
            }
        }
    }
    tally
}

fn change(row: &Row<'_>, clock: &Clock) -> Result<Change, Reason> {
    let time = row.get("time").ok_or(Reason::Missing("time"))?;
    let name = row.get("account").ok_or(Reason::Missing("account"))?;
    let word = row.get("change").ok_or(Reason::Missing("change"))?;
    let kind = kind(word)?;
    let mut account = identity(name)?;
    if let Some(former) = row.get("former") {
        let former = identity(former)?;
        account.former_sam_account_names.extend(former.sam_account_name);
        account.former_user_principal_names.extend(former.user_principal_name);
    }
    let (time, precision) = clock.when(time)?.ok_or_else(|| Reason::BadTime(time.to_owned()))?;
    let actor = row.get("actor").map(str::to_owned);
    Ok(Change { pos: row.pos, time, precision, kind, account, actor })
}

/// The kind of a word; `password-reset` and `Password reset` are meant as they sound.
fn kind(word: &str) -> Result<ChangeKind, Reason> {
    let plain = word.trim().to_lowercase().replace(['-', ' '], "_");
    if let Some(kind) = ChangeKind::from_word(&plain) {
        return Ok(kind);
    }
    let words = ChangeKind::WORDS.iter().map(|(_, word)| *word);
    let cure = match nearest(&plain, words.clone()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("write one of {}", words.collect::<Vec<_>>().join(", ")),
    };
    Err(Reason::Format(format!("`{}` is no change; {cure}", shown(word))))
}

/// A name of any kind to the part of an identity that it is.
fn identity(name: &str) -> Result<Identity, Reason> {
    let mut account = Identity::default();
    if let Some(sid) = names::sid(name.as_bytes()).filter(|_| name.len() > 4) {
        account.sid = Some(sid);
    } else if let Some(address) = names::smtp(name) {
        account.smtp.push(address);
    } else if names::is_dn(name) {
        account.domain = names::dns_domain(name);
        account.distinguished_name = Some(name.to_owned());
    } else if let Some((domain, sam)) = name.split_once('\\') {
        account.domain =
            Some(domain.to_owned()).filter(|domain| !domain.is_empty() && domain != ".");
        account.sam_account_name = Some(sam.to_owned());
    } else if name.contains('@') {
        account.user_principal_name = Some(name.to_owned());
    } else if let Some(guid) = names::guid(name.as_bytes()).filter(|_| name.len() >= 36) {
        account.guid = Some(guid);
    } else {
        account.sam_account_name = Some(name.to_owned());
    }
    // What no sAMAccountName may hold (`[MS-SAMR]` 3.1.1.6): another kind of name, or letters that
    // were lost.
    let sam = account.sam_account_name.as_deref();
    if sam.is_some_and(|sam| {
        sam.is_empty()
            || sam.contains([
                '"', '/', '\\', '[', ']', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>',
                '\u{fffd}',
            ])
    }) {
        return Err(Reason::Format(format!(
            "`{}` names no account; write a SID, DOMAIN\\sam, a UPN, an address, a DN or a bare sam",
            shown(name)
        )));
    }
    Ok(account)
}

/// Why the header does not do, with the cure.
fn misnamed(table: &Table<'_>) -> Option<Reason> {
    let missing = NEEDED.iter().find(|name| !table.has(name))?;
    let strange = || {
        table
            .columns
            .iter()
            .map(String::as_str)
            .filter(|c| !COLUMNS.iter().any(|known| known.eq_ignore_ascii_case(c)))
    };
    let cure = match nearest(missing, strange()) {
        Some(column) => format!("`{}` is unknown, did you mean {missing}?", shown(column)),
        None => format!("the header is {}", shown(&table.columns.join(","))),
    };
    let rows = table.rows().count();
    Some(Reason::Format(format!("no column is called {missing}; {cure} ({rows} rows not read)")))
}

/// The word that a slip of the pen was meant to be.
fn nearest<'w>(slip: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let (n, word) = words.map(|word| (distance(slip, word), word)).min()?;
    if n <= 3 && n * 2 <= word.chars().count().max(slip.chars().count()) {
        Some(word)
    } else {
        None
    }
}

/// Letters to insert, drop or replace, or neighbours to swap, between two words in any case.
fn distance(a: &str, b: &str) -> usize {
    let lower = |word: &str| word.trim().to_lowercase().chars().take(40).collect::<Vec<_>>();
    let (a, b) = (lower(a), lower(b));
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX / 2);
    for (i, from) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let mut least = at(&row, j) + usize::from(from != to);
            least = least.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(to) && b.get(j - 1) == Some(from);
            if swapped {
                least = least.min(at(&before, j - 1) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    at(&row, b.len())
}

/// Quoted text stays short in a message.
fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}
