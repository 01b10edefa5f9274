//! 5136 and 5141, the directory's own view of a change, to facts. A replaced value is two events,
//! *deleted* and then *added*, joined by `OpCorrelationID`; only both together tell what changed.

use super::Event;
use crate::event::{Change, ChangeKind, Fact, Identity, Precision, Reason};
use crate::evidence::{Sink, Tally};
use crate::noise_name::is_of_exchange;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// `OpCorrelationID`, object, attribute.
type Key = (String, String, String);

/// What earlier events of a source said that later ones need.
#[derive(Debug, Default)]
pub struct Seen {
    /// Values deleted, waiting for the value added in their place.
    deleted: BTreeMap<Key, String>,
    /// The same, of the stretch before the last `turn`.
    deleted_before: BTreeMap<Key, String>,
    /// Every `accountExpires` that was set.
    expiries: Vec<Expiry>,
}

/// `accountExpires` of one object was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    object: String,
    set_at: DateTime<Utc>,
    ahead: Option<Ahead>,
}

/// An expiry that lay ahead when it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ahead {
    fact: Fact,
    until: DateTime<Utc>,
    /// Its record has told something else already.
    told: bool,
}

impl Seen {
    /// A stretch of the source ends. What was deleted stays known for one more stretch: the two
    /// halves of a change are neighbours, and memory must not grow with the source.
    pub fn turn(&mut self) {
        self.deleted_before = std::mem::take(&mut self.deleted);
    }

    /// Something that will be told at the end only?
    pub fn holds_expiries(&self) -> bool {
        self.expiries.iter().any(|e| e.ahead.is_some())
    }

    /// The settings of `accountExpires` so far.
    pub fn take_expiries(&mut self) -> Vec<Expiry> {
        std::mem::take(&mut self.expiries)
    }

    fn add(&mut self, key: Key, value: &str) {
        if self.deleted.len() >= 4096 {
            self.turn();
        }
        self.deleted.insert(key, value.to_owned());
    }

    fn old(&mut self, key: &Key) -> Option<String> {
        self.deleted.remove(key).or_else(|| self.deleted_before.remove(key))
    }
}

/// Tells the expiries that lay ahead, except those that were put off or taken back in time: an
/// account whose contract was prolonged did not expire. `all` are the settings of the whole source.
pub fn tell_expiries(ahead: Vec<Expiry>, all: &[Expiry], tally: &mut Tally, sink: &mut Sink<'_>) {
    let mut settings: BTreeMap<&str, Vec<DateTime<Utc>>> = BTreeMap::new();
    for expiry in all {
        settings.entry(&expiry.object).or_default().push(expiry.set_at);
    }
    settings.values_mut().for_each(|times| times.sort_unstable());
    for expiry in ahead {
        let Expiry { object, set_at, ahead: Some(ahead) } = expiry else { continue };
        let times = settings.get(object.as_str()).map_or(&[][..], Vec::as_slice);
        let again = times.get(times.partition_point(|time| *time <= set_at));
        if again.is_some_and(|time| *time < ahead.until) {
            continue;
        }
        if !ahead.told {
            // Its record was counted as of no interest when it was read.
            tally.of_no_interest = tally.of_no_interest.saturating_sub(1);
            tally.told += 1;
        }
        sink(Ok(ahead.fact));
    }
}

/// 5141
pub(super) fn deleted(event: &Event, time: DateTime<Utc>) -> Result<Vec<Fact>, Reason> {
    Ok(match user(event)? {
        Some(account) => vec![event.change(time, ChangeKind::Deleted, account)],
        None => Vec::new(),
    })
}

/// 5136
pub(super) fn attribute(
    event: &Event,
    time: DateTime<Utc>,
    seen: &mut Seen,
) -> Result<Vec<Fact>, Reason> {
    let attribute = event
        .get("AttributeLDAPDisplayName")
        .ok_or(Reason::Missing("AttributeLDAPDisplayName"))?
        .to_ascii_lowercase();
    if !READ.contains(&attribute.as_str()) {
        return Ok(Vec::new());
    }
    let Some(account) = user(event)? else { return Ok(Vec::new()) };
    let value = event.raw("AttributeValue").unwrap_or_default();
    let object = account.guid.clone().or_else(|| account.distinguished_name.clone());
    let object = object.ok_or(Reason::Missing("ObjectGUID"))?;
    let op = event.get("OpCorrelationID").unwrap_or_default().to_ascii_lowercase();
    let key = (op, object, attribute);
    match event.get("OperationType").ok_or(Reason::Missing("OperationType"))? {
        DELETED => {
            seen.add(key, value);
            Ok(Vec::new())
        }
        ADDED => {
            let old = seen.old(&key);
            added(event, time, account, &key, old.as_deref(), value, seen)
        }
        other => Err(Reason::Format(format!("OperationType {other} is neither added nor deleted"))),
    }
}

const ADDED: &str = "%%14674";
const DELETED: &str = "%%14675";

/// Attributes that are read, in lower case.
const READ: &[&str] = &[
    "useraccountcontrol",
    "samaccountname",
    "userprincipalname",
    "accountexpires",
    "pwdlastset",
    "unicodepwd",
];

fn added(
    event: &Event,
    time: DateTime<Utc>,
    account: Identity,
    key: &Key,
    old: Option<&str>,
    new: &str,
    seen: &mut Seen,
) -> Result<Vec<Fact>, Reason> {
    let (_, object, attribute) = key;
    Ok(match attribute.as_str() {
        "useraccountcontrol" => flags(event, time, account, old, new)?,
        "samaccountname" | "userprincipalname" => names(event, time, account, attribute, old, new),
        "accountexpires" => expires(event, time, account, object, old, new, seen)?,
        // 0 makes the user choose a password at the next logon, it sets none.
        "pwdlastset" if new == "0" => Vec::new(),
        _ => vec![event.change(time, ChangeKind::PasswordSet, account)],
    })
}

/// The LDAP bit 0x2 (not the SAM bit of 4738). With the old value the turn of the bit is known to the
/// instant. Without it (creation, a filtered or a newest-first export) only the state is: the account
/// was disabled, or enabled, then or before.
fn flags(
    event: &Event,
    time: DateTime<Utc>,
    account: Identity,
    old: Option<&str>,
    new: &str,
) -> Result<Vec<Fact>, Reason> {
    let bit = |text: &str| text.parse::<i64>().ok().map(|flags| flags & 2 != 0);
    let new = bit(new).ok_or(Reason::BadNumber("AttributeValue"))?;
    let old = old.and_then(bit);
    if old == Some(new) {
        return Ok(Vec::new());
    }
    let kind = if new { ChangeKind::Disabled } else { ChangeKind::Enabled };
    let precision = if old.is_some() { Precision::Exact } else { Precision::AtLatest };
    let (pos, actor) = (event.pos, event.actor());
    Ok(vec![Fact::Change(Change { pos, time, precision, kind, account, actor })])
}

/// A rename when both names are known; else the name is only learnt.
fn names(
    event: &Event,
    time: DateTime<Utc>,
    mut account: Identity,
    attribute: &str,
    old: Option<&str>,
    new: &str,
) -> Vec<Fact> {
    if new.is_empty() || [Some(new), old].into_iter().flatten().any(noise) {
        return Vec::new();
    }
    let (name, former) = if attribute == "samaccountname" {
        (&mut account.sam_account_name, &mut account.former_sam_account_names)
    } else {
        (&mut account.user_principal_name, &mut account.former_user_principal_names)
    };
    *name = Some(new.to_owned());
    match old.filter(|old| !old.is_empty() && *old != new) {
        Some(old) => {
            former.push(old.to_owned());
            vec![event.change(time, ChangeKind::Renamed, account)]
        }
        None => vec![Fact::Account {
            pos: event.pos,
            account,
            enabled: None,
            changed: None,
            expires: None,
            mailbox: None,
        }],
    }
}

/// An expiry makes no event when it bites (DOMAIN.md 4.4): it is a change at that instant, told once
/// the whole source has been read, since it can be put off until then. One set back in time bites
/// when it is set.
fn expires(
    event: &Event,
    time: DateTime<Utc>,
    account: Identity,
    object: &str,
    old: Option<&str>,
    new: &str,
    seen: &mut Seen,
) -> Result<Vec<Fact>, Reason> {
    let instant = |text: &str| -> Result<Option<DateTime<Utc>>, Reason> {
        let ticks: i64 = text.parse().map_err(|_| Reason::BadNumber("AttributeValue"))?;
        Ok(filetime(ticks))
    };
    let until = instant(new)?;
    if let Some(until) = until
        && until <= time
    {
        seen.expiries.push(Expiry { object: object.to_owned(), set_at: time, ahead: None });
        return Ok(vec![event.change(time, ChangeKind::Expired, account)]);
    }
    let expired_before =
        old.is_some_and(|old| matches!(instant(old), Ok(Some(was)) if was <= time));
    let mut facts = Vec::new();
    if expired_before {
        facts.push(event.change(time, ChangeKind::Prolonged, account.clone()));
    }
    let ahead = until.map(|until| Ahead {
        fact: event.change(until, ChangeKind::Expired, account),
        until,
        told: !facts.is_empty(),
    });
    seen.expiries.push(Expiry { object: object.to_owned(), set_at: time, ahead });
    Ok(facts)
}

/// 100 ns since 1601 (DOMAIN.md 4.3); none for never (0 and the largest number).
fn filetime(ticks: i64) -> Option<DateTime<Utc>> {
    if ticks <= 0 || ticks == i64::MAX {
        return None;
    }
    let nanos = u32::try_from(ticks % 10_000_000).ok()? * 100;
    DateTime::from_timestamp(ticks / 10_000_000 - 11_644_473_600, nanos)
}

/// The user that `Object*` names; none for other classes, other directories (AD LDS) and noise.
fn user(event: &Event) -> Result<Option<Identity>, Reason> {
    let class = event.get("ObjectClass").ok_or(Reason::Missing("ObjectClass"))?;
    let is_user = class.eq_ignore_ascii_case("user") || class.eq_ignore_ascii_case("inetOrgPerson");
    if !is_user || event.get("DSType") == Some("%%14677") {
        return Ok(None);
    }
    let distinguished_name = event.owned("ObjectDN");
    let guid = event.get("ObjectGUID").and_then(guid);
    if distinguished_name.is_none() && guid.is_none() {
        return Err(Reason::Missing("ObjectDN"));
    }
    let common_name = distinguished_name.as_deref().and_then(first_rdn);
    if common_name.is_some_and(noise) {
        return Ok(None);
    }
    let domain = event.owned("DSName");
    Ok(Some(Identity { guid, domain, distinguished_name, ..Identity::default() }))
}

/// The class has told users from computers by now, so a `$` says nothing.
fn noise(name: &str) -> bool {
    is_of_exchange(name.as_bytes())
}

fn first_rdn(dn: &str) -> Option<&str> {
    dn.split(',').next()?.split_once('=').map(|(_, value)| value.trim())
}

/// `{6000000A-200F-4005-B009-30000000005C}` to the usual spelling.
fn guid(text: &str) -> Option<String> {
    let text = text.trim_matches(['{', '}', '%']).to_ascii_lowercase();
    let sound = text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
    (sound && text.bytes().any(|b| !b"0-".contains(&b))).then_some(text)
}
