//! `Get-ADReplicationAttributeMetadata | Export-Csv` to rows of metadata, with the values that it
//! tells.

use super::{Entry, Object, nobody, of_no_interest, tell};
use crate::csv::{Row, Table};
use crate::directory::ACCOUNTDISABLE;
use crate::directory::metadata::{self, Written};
use crate::directory::names;
use crate::event::{Change, ChangeKind, Fact, Identity, Pos, Reason, Reject};
use crate::evidence::{Sink, Tally};
use crate::time::{Clock, Hints, LocalTime};

/// Facts of the whole table. Rows of one object stand together, once for each server that was
/// asked.
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
    let mut object = Object::default();
    let mut known = (None, None);
    for row in table.rows() {
        let row = match row {
            Ok(row) => row,
            Err(reject) => {
                object.rejects.push(reject);
                continue;
            }
        };
        let key =
            (row.get("Object").map(str::to_lowercase), row.get("Server").map(str::to_lowercase));
        if key != known {
            tell(&named(object), &mut tally, sink);
            (object, known) = (Object::default(), key);
        }
        match take(&row, &clock, &mut object) {
            Ok(true) => {}
            Ok(false) => of_no_interest(&mut tally),
            Err(reason) => object.rejects.push(Reject { pos: row.pos, reason }),
        }
    }
    tell(&named(object), &mut tally, sink);
    tally
}

/// The names may stand in rows below what the values tell: they are filled in when all are known.
fn named(mut object: Object) -> Object {
    for entry in &mut object.entries {
        if let Some(Fact::Change(change)) = &mut entry.told {
            change.account = object.account.clone();
        }
    }
    object
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
        Some(text) => value(attribute, text, row.pos, clock, object)?,
        None => None,
    };
    let attribute = attribute.to_owned();
    object
        .entries
        .push(Entry { written: Written { pos: row.pos, attribute, version, when }, told });
    Ok(true)
}

/// What the value of an attribute tells by itself; names and state go to the object.
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
        "accountexpires" => return at(ChangeKind::Expired),
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
