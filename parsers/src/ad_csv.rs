//! `Get-ADUser`, `Search-ADAccount`, `csvde` and `Get-Mailbox` CSV to facts. PowerShell writes times as local text
//! in the culture of the exporting machine; where the same moment also stands there as FILETIME,
//! that gives the zone away.

use crate::csv::{Mark, Row, Table};
use crate::directory::{self, Object};
use crate::event::Reason;
use crate::evidence::{Sink, Tally};
use crate::time::{Clock, Hints, LocalTime};
use std::borrow::Cow;

#[cfg(test)]
mod tests;

/// LDAP attribute in lower case and the columns that hold it, best first: FILETIME before the local text of the
/// same moment. `whenChanged` is last, because only the state says whether it is needed.
const COLUMNS: &[(&str, &[&str])] = &[
    ("distinguishedname", &["DistinguishedName", "DN"]),
    ("samaccountname", &["SamAccountName"]),
    ("userprincipalname", &["UserPrincipalName"]),
    ("objectsid", &["SID", "objectSid"]),
    ("objectguid", &["ObjectGUID"]),
    ("mail", &["mail", "EmailAddress", "PrimarySmtpAddress", "WindowsEmailAddress"]),
    ("proxyaddresses", &["proxyAddresses", "EmailAddresses"]),
    ("objectclass", &["objectClass"]),
    ("useraccountcontrol", &["userAccountControl"]),
    ("enabled", &["Enabled"]),
    ("accountdisabled", &["AccountDisabled"]),
    ("isdeleted", &["isDeleted", "Deleted"]),
    ("pwdlastset", &["pwdLastSet", "PasswordLastSet"]),
    ("accountexpires", &["accountExpires", "AccountExpirationDate"]),
    ("lockouttime", &["lockoutTime", "AccountLockoutTime"]),
    ("msexchrecipienttypedetails", &["msExchRecipientTypeDetails", "RecipientTypeDetails"]),
    ("msexchmasteraccountsid", &["msExchMasterAccountSid"]),
    ("linkedmasteraccount", &["LinkedMasterAccount"]),
    ("islinked", &["IsLinked"]),
    ("isshared", &["IsShared"]),
    ("resourcetype", &["ResourceType"]),
    ("isresource", &["IsResource"]),
    ("whencreated", &["whenCreated", "Created", "createTimeStamp"]),
    ("whenchanged", &["whenChanged", "Modified", "modifyTimeStamp"]),
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
    // Tables of events, of metadata, of our own.
    const OTHERS: &[&str] = &["EventId", "Event ID", "LastOriginatingChangeTime", "line"];
    let table = Table::open(head);
    let has = |names: &[&str]| names.iter().any(|name| table.has(name));
    if has(OTHERS) {
        return false;
    }
    if is_of_mailboxes(&table) {
        return (has(NAMES) || has(&["PrimarySmtpAddress"]))
            && has(&["RecipientTypeDetails", "AccountDisabled"]);
    }
    has(NAMES) && has(STATE)
}

/// What Exchange writes of its mailboxes, not the directory of its accounts: `Get-Mailbox`, `Get-Recipient`.
fn is_of_mailboxes(table: &Table<'_>) -> bool {
    table.has("RecipientTypeDetails") || table.has("ExchangeGuid")
}

/// Attributes that are times. Those of a mailbox are not the account's.
fn is_time(attribute: &str) -> bool {
    let times = ["pwdlastset", "accountexpires", "lockouttime", "whencreated", "whenchanged"];
    times.contains(&attribute)
}

/// Places of the columns that matter, in the order of [`COLUMNS`], [`PAIRS`] and [`TIMES`].
struct Places {
    attributes: Vec<(&'static str, Vec<usize>)>,
    pairs: Vec<(usize, Option<usize>)>,
    times: Vec<usize>,
}

impl Places {
    fn of(table: &Table<'_>) -> Self {
        let of = |names: &[&str]| names.iter().filter_map(|name| table.place(name)).collect();
        if is_of_mailboxes(table) {
            let timeless = COLUMNS.iter().filter(|(attribute, _)| !is_time(attribute));
            let attributes = timeless.map(|(attribute, names)| (*attribute, of(names))).collect();
            return Places { attributes, pairs: Vec::new(), times: Vec::new() };
        }
        let attributes = COLUMNS.iter().map(|(attribute, names)| (*attribute, of(names)));
        let pair =
            |(text, filetime): &(&str, &str)| Some((table.place(text)?, table.place(filetime)));
        Places {
            attributes: attributes.collect(),
            pairs: PAIRS.iter().filter_map(pair).collect(),
            times: of(TIMES),
        }
    }
}

/// Facts of each row. A row of which a time could not be read counts as rejected, and tells the
/// rest all the same.
pub fn facts(bytes: &[u8], local: &LocalTime, sink: &mut Sink<'_>) -> Tally {
    let export = Export::open(bytes, local);
    let mut tally = Tally::default();
    (0..export.n_parts()).for_each(|part| tally.add(export.facts_of(part, sink)));
    tally
}

/// An export, looked through for the clock that wrote it. After that each part of it stands for itself.
pub struct Export<'a> {
    table: Table<'a>,
    places: Places,
    local: LocalTime,
    clock: Clock,
    /// Where the parts begin.
    marks: Vec<Mark>,
}

/// Rows of a part: many enough that one is worth the while of a thread.
const PART: usize = 512;

impl<'a> Export<'a> {
    /// Reads the header, and what the times of all rows say of their clock.
    pub fn open(bytes: &'a [u8], local: &LocalTime) -> Self {
        let table = Table::open(bytes);
        let places = Places::of(&table);
        let mut hints = Hints::default();
        // Without times there is nothing to look at but where rows begin.
        let is_timeless = places.pairs.is_empty() && places.times.is_empty();
        let by_lines = if is_timeless { table.marks(PART) } else { None };
        let marks = by_lines.unwrap_or_else(|| {
            let mut rows = table.rows();
            let mut marks = vec![rows.mark()];
            for n in 1.. {
                let Some(row) = rows.next() else { break };
                row.iter().for_each(|row| look(row, &places, local, &mut hints));
                if n % PART == 0 {
                    marks.push(rows.mark());
                }
            }
            marks
        });
        let clock = hints.clock(*local);
        Export { table, places, local: *local, clock, marks }
    }

    /// How many parts there are, one at least.
    pub fn n_parts(&self) -> usize {
        self.marks.len()
    }

    /// Facts of the rows of a part.
    pub fn facts_of(&self, part: usize, sink: &mut Sink<'_>) -> Tally {
        let mut tally = Tally::default();
        for row in self.table.part(&self.marks, part) {
            match row {
                Ok(row) => {
                    let own = self.clock.of_row(|| {
                        let mut hints = Hints::default();
                        look(&row, &self.places, &self.local, &mut hints);
                        hints
                    });
                    let clock = own.as_ref().unwrap_or(&self.clock);
                    let (object, unread) = object(&row, &self.places, clock);
                    directory::tell(object, row.pos, unread, &mut tally, sink);
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
}

/// What the times of a row say of the clock that wrote them.
fn look(row: &Row<'_>, places: &Places, local: &LocalTime, hints: &mut Hints) {
    for (text, filetime) in &places.pairs {
        let Some(text) = row.cell(*text) else { continue };
        hints.see(text);
        if let Some(filetime) = filetime.and_then(|filetime| row.cell(filetime)) {
            hints.see_pair(text, filetime, local.date_order);
        }
    }
    places.times.iter().filter_map(|&time| row.cell(time)).for_each(|text| hints.see(text));
}

/// The object of a row, and why part of it could not be read.
fn object(row: &Row<'_>, places: &Places, clock: &Clock) -> (Object, Option<Reason>) {
    let mut object = Object::default();
    let mut unread = places
        .pairs
        .iter()
        .find_map(|&(text, filetime)| clock.contradiction(row.cell(text)?, row.cell(filetime?)?));
    let contradicted = unread.is_some();
    let blind = Clock::default();
    for (attribute, columns) in &places.attributes {
        // Of an account that is not cut off it only says how fresh the export is: good to have, not needed.
        let needed = *attribute != "whenchanged" || directory::is_cut_off(&object);
        let clock = if contradicted { &blind } else { clock };
        let mut failed = None;
        for value in columns.iter().filter_map(|&column| row.cell(column)) {
            let value = binary(value).map_or(Cow::Borrowed(value.as_bytes()), Cow::Owned);
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
