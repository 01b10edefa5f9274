//! `Get-ADUser`, `Search-ADAccount` and `csvde` CSV to facts. PowerShell writes times as local text
//! in the culture of the exporting machine; where the same moment also stands there as FILETIME,
//! that gives the zone away.

use crate::csv::{Row, Table};
use crate::directory::{self, Object};
use crate::event::Reason;
use crate::evidence::{Sink, Tally};
use crate::time::{Clock, Hints, LocalTime};

#[cfg(test)]
mod tests;

/// LDAP attribute and the columns that hold it, best first: FILETIME before the local text of the
/// same moment. `whenChanged` is last, because only the state says whether it is needed.
const COLUMNS: &[(&str, &[&str])] = &[
    ("distinguishedName", &["DistinguishedName", "DN"]),
    ("sAMAccountName", &["SamAccountName"]),
    ("userPrincipalName", &["UserPrincipalName"]),
    ("objectSid", &["SID", "objectSid"]),
    ("objectGUID", &["ObjectGUID"]),
    ("mail", &["mail", "EmailAddress"]),
    ("proxyAddresses", &["proxyAddresses"]),
    ("objectClass", &["objectClass"]),
    ("userAccountControl", &["userAccountControl"]),
    ("enabled", &["Enabled"]),
    ("isDeleted", &["isDeleted", "Deleted"]),
    ("pwdLastSet", &["pwdLastSet", "PasswordLastSet"]),
    ("accountExpires", &["accountExpires", "AccountExpirationDate"]),
    ("lockoutTime", &["lockoutTime", "AccountLockoutTime"]),
    ("whenCreated", &["whenCreated", "Created", "createTimeStamp"]),
    ("whenChanged", &["whenChanged", "Modified", "modifyTimeStamp"]),
];

/// Columns that tell one moment twice: local text, FILETIME.
const PAIRS: &[(&str, &str)] = &[
    ("PasswordLastSet", "pwdLastSet"),
    ("AccountExpirationDate", "accountExpires"),
    ("AccountLockoutTime", "lockoutTime"),
    ("LastLogonDate", "lastLogonTimestamp"),
    ("LastBadPasswordAttempt", "badPasswordTime"),
];

/// Columns that only tell the order of day and month.
const TIMES: &[&str] =
    &["whenCreated", "Created", "createTimeStamp", "whenChanged", "Modified", "modifyTimeStamp"];

/// Is it a table of directory objects? It names accounts and tells their state.
pub fn sniff(head: &[u8]) -> bool {
    const NAMES: &[&str] =
        &["DN", "DistinguishedName", "SamAccountName", "UserPrincipalName", "SID", "objectSid"];
    const STATE: &[&str] = &[
        "Enabled",
        "userAccountControl",
        "pwdLastSet",
        "PasswordLastSet",
        "accountExpires",
        "AccountExpirationDate",
        "lockoutTime",
        "objectClass",
        "whenChanged",
        "whenCreated",
        "Modified",
        "Created",
    ];
    // Tables of events, of metadata, of mailboxes (whose dates are not those of the account), of
    // our own.
    const OTHERS: &[&str] =
        &["EventId", "Event ID", "LastOriginatingChangeTime", "ExchangeGuid", "line"];
    let table = Table::open(head);
    let has = |names: &[&str]| names.iter().any(|name| table.has(name));
    has(NAMES) && has(STATE) && !has(OTHERS)
}

/// Facts of each row. A row of which a time could not be read counts as rejected, and tells the
/// rest all the same.
pub fn facts(bytes: &[u8], local: &LocalTime, sink: &mut Sink<'_>) -> Tally {
    let table = Table::open(bytes);
    let mut hints = Hints::default();
    for row in table.rows().flatten() {
        look(&row, local, &mut hints);
    }
    let clock = hints.clock(*local);

    let mut tally = Tally::default();
    for row in table.rows() {
        match row {
            Ok(row) => {
                let own = clock.of_row(|| {
                    let mut hints = Hints::default();
                    look(&row, local, &mut hints);
                    hints
                });
                let (object, unread) = object(&row, own.as_ref().unwrap_or(&clock));
                directory::tell(&object, row.pos, unread, &mut tally, sink);
            }
            Err(reject) => {
                tally.records += 1;
                tally.rejected += 1;
                sink(Err(reject));
            }
        }
    }
    tally
}

/// What the times of a row say of the clock that wrote them.
fn look(row: &Row<'_>, local: &LocalTime, hints: &mut Hints) {
    for (text, filetime) in PAIRS {
        let Some(text) = row.get(text) else { continue };
        hints.see(text);
        if let Some(filetime) = row.get(filetime) {
            hints.see_pair(text, filetime, local.date_order);
        }
    }
    TIMES.iter().filter_map(|column| row.get(column)).for_each(|text| hints.see(text));
}

/// The object of a row, and why part of it could not be read.
fn object(row: &Row<'_>, clock: &Clock) -> (Object, Option<Reason>) {
    let mut object = Object::default();
    let mut unread = PAIRS
        .iter()
        .find_map(|(text, filetime)| clock.contradiction(row.get(text)?, row.get(filetime)?));
    let contradicted = unread.is_some();
    let blind = Clock::default();
    for (attribute, columns) in COLUMNS {
        // Of an account that is not cut off it only says how fresh the export is: good to have, not needed.
        let needed = *attribute != "whenChanged" || directory::is_cut_off(&object);
        let clock = if contradicted { &blind } else { clock };
        let mut failed = None;
        for value in columns.iter().filter_map(|column| row.get(column)) {
            let value = binary(value).unwrap_or_else(|| value.as_bytes().to_vec());
            failed = directory::take(&mut object, attribute, &value, clock).err();
            if failed.is_none() {
                break;
            }
        }
        unread = unread.or(failed.filter(|_| needed));
    }
    (object, unread)
}

/// The bytes of `X'0105…'`, as csvde writes SIDs, GUIDs and text that is not ASCII.
fn binary(value: &str) -> Option<Vec<u8>> {
    let hex = value.strip_prefix("X'").or_else(|| value.strip_prefix("x'"))?.strip_suffix('\'')?;
    let digits: Option<Vec<u32>> = hex.chars().map(|c| c.to_digit(16)).collect();
    let (pairs, odd) = digits.as_deref()?.as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| u8::try_from(high * 16 + low).ok());
    if odd.is_empty() { bytes.collect() } else { None }
}
