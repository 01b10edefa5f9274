//! `Get-ADReplicationAttributeMetadata | Export-Csv` to rows of metadata, with the values that it
//! tells.

use super::{Entry, Object, nobody, of_no_interest, tell};
use crate::csv::{Row, Table};
use crate::directory::ACCOUNTDISABLE;
use crate::directory::metadata::{self, Written};
use crate::directory::names;
use crate::event::{Change, ChangeKind, Fact, Identity, Pos, Reason, Reject};
use crate::evidence::{Sink, Tally};
use crate::time::{Clock, Hints, LocalTime, When};
use std::collections::BTreeMap;

/// Facts of the whole table: of each object, once for each server that was asked.
pub fn facts(table: &Table<'_>, local: &LocalTime, sink: &mut Sink<'_>) -> Tally {
    let mut hints = Hints::default();
    for row in table.rows().flatten() {
        let Some(time) = row.get("LastOriginatingChangeTime") else { continue };
        hints.see(time);
        // A new password writes the same moment into the value of pwdLastSet: that gives the zone
        // away.
        if row.get("AttributeName").is_some_and(|name| name.eq_ignore_ascii_case("pwdLastSet"))
            && let Some(value) = row.get("AttributeValue")
        {
            hints.see_pair(time, value, local.date_order);
        }
    }
    let clock = hints.clock(*local);

    let mut tally = Tally::default();
    // Rows of one object stand together as they come, and anywhere once somebody sorted them.
    let mut objects: Vec<Object> = Vec::new();
    let mut places: BTreeMap<Whose, usize> = BTreeMap::new();
    let mut counts: BTreeMap<(Whose, String), usize> = BTreeMap::new();
    let (mut unread, mut run, mut before) = (Object::default(), 0, None);
    for row in table.rows() {
        let row = match row {
            Ok(row) => row,
            Err(reject) => {
                unread.rejects.push(reject);
                continue;
            }
        };
        let lower = |column| row.get(column).map(str::to_lowercase);
        let key = (lower("Object"), lower("Server"));
        run += usize::from(before.as_ref() != Some(&key));
        before = Some(key.clone());
        // Two people may have a DN that lost letters: there only neighbours are one object.
        let is_whole = row.get("Object").is_some_and(|dn| whole(dn).is_some());
        let whose = Whose { key, run: if is_whole { 0 } else { run }, export: 0 };
        // A second row of one attribute is that of another export.
        let count =
            lower("AttributeName").map(|name| counts.entry((whose.clone(), name)).or_default());
        let export = count.map_or(0, |count| {
            *count += 1;
            *count
        });
        let place = *places.entry(Whose { export, ..whose }).or_insert(objects.len());
        if place == objects.len() {
            objects.push(Object::default());
        }
        let Some(object) = objects.get_mut(place) else { continue };
        match take(&row, &clock, object) {
            Ok(true) => {}
            Ok(false) => of_no_interest(&mut tally),
            Err(reason) => object.rejects.push(Reject { pos: row.pos, reason }),
        }
    }
    objects.iter().chain([&unread]).for_each(|object| tell(object, &mut tally, sink));
    tally
}

/// Takes one row; false if it tells of no account.
fn take(row: &Row<'_>, clock: &Clock, object: &mut Object) -> Result<bool, Reason> {
    let is_link = row.get("IsLinkValue").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    if is_link || row.is_empty() {
        return Ok(false);
    }
    let attribute = row.get("AttributeName").ok_or(Reason::Missing("AttributeName"))?;
    if !metadata::is_of_interest(attribute) {
        return Ok(false);
    }
    let dn = row.get("Object").ok_or_else(nobody)?;
    object.account.domain = names::dns_domain(dn);
    object.account.distinguished_name = whole(dn);
    let version = row.get("Version").ok_or(Reason::Missing("Version"))?;
    let version = version.parse().map_err(|_| Reason::BadNumber("Version"))?;
    let time = row.get("LastOriginatingChangeTime");
    let time = time.ok_or(Reason::Missing("LastOriginatingChangeTime"))?;
    let when = clock.when(time)?.ok_or_else(|| Reason::BadTime(time.to_owned()))?;

    let told = match row.get("AttributeValue") {
        // "Must change at next logon" was set: no new password.
        Some("0" | "-1") if attribute.eq_ignore_ascii_case("pwdLastSet") => return Ok(false),
        Some(text) if attribute.eq_ignore_ascii_case("accountExpires") => {
            expiry(clock.when(text)?, when, row.pos)
        }
        Some(text) => value(attribute, text, row.pos, clock, object)?.into_iter().collect(),
        None => Vec::new(),
    };
    let attribute = attribute.to_owned();
    object
        .entries
        .push(Entry { written: Written { pos: row.pos, attribute, version, when }, told });
    Ok(true)
}

/// Rows that are of one object, asked of one server once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Whose {
    /// Object and server.
    key: (Option<String>, Option<String>),
    /// Which stretch of such rows, where the name does not tell.
    run: usize,
    /// Which export of several.
    export: usize,
}

/// What `accountExpires` tells: until when, since when that is so, and when it bites: not before it was set.
fn expiry(expires: Option<When>, set: When, pos: Pos) -> Vec<Fact> {
    let account = Identity::default;
    let bites = expires.map(|(until, precision)| {
        let (kind, time) = (ChangeKind::Expired, until.max(set.0));
        Fact::Change(Change { pos, time, precision, kind, account: account(), actor: None })
    });
    let told = Fact::expiry(pos, account(), set.0, expires.map(|(until, _)| until));
    bites.into_iter().chain([told]).collect()
}

/// What the value of another attribute tells by itself; names and state go to the object.
fn value(
    attribute: &str,
    text: &str,
    pos: Pos,
    clock: &Clock,
    object: &mut Object,
) -> Result<Option<Fact>, Reason> {
    let account = &mut object.account;
    let at = |kind| {
        let change = |(time, precision)| {
            Fact::Change(Change {
                pos,
                time,
                precision,
                kind,
                account: Identity::default(),
                actor: None,
            })
        };
        clock.when(text).map(|when| when.map(change))
    };
    match attribute.to_ascii_lowercase().as_str() {
        "lockouttime" => return at(ChangeKind::LockedOut),
        "useraccountcontrol" => {
            let bits: i64 = text.parse().map_err(|_| Reason::BadNumber("userAccountControl"))?;
            object.state.disabled = Some(bits & ACCOUNTDISABLE != 0);
        }
        "isdeleted" => object.state.deleted = Some(text.eq_ignore_ascii_case("true")),
        "samaccountname" => account.sam_account_name = whole(text),
        "userprincipalname" => account.user_principal_name = whole(text),
        "objectsid" => account.sid = names::sid(text.as_bytes()),
        "mail" if text.contains('@') => account.smtp.extend(whole(text)),
        _ => {}
    }
    Ok(None)
}

/// A name that lost no letters to an encoding.
fn whole(name: &str) -> Option<String> {
    if name.contains(['?', '\u{fffd}']) { None } else { Some(name.to_owned()) }
}
