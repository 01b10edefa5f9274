//! 5136 and 5141, the directory's own view of a change, to facts. A replaced value is two events,
//! *deleted* and then *added*, joined by `OpCorrelationID`; only both together tell what changed.

use super::Event;
use crate::event::{Change, ChangeKind, Fact, Identity, Pos, Precision, Reason};
use crate::evidence::{Sink, Tally};
use crate::noise_name::is_of_exchange;
use crate::time::LAST_OF_9999;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// `OpCorrelationID`, object, attribute.
type Key = (String, String, String);

/// What other events of a source said that the two halves of a change need.
#[derive(Debug, Default)]
pub struct Seen {
    /// Values deleted, waiting for the value added in their place.
    deleted: BTreeMap<Key, String>,
    /// The same, of the stretch before the last `turn`.
    deleted_before: BTreeMap<Key, String>,
    /// Values added, waiting for what was deleted in their place; `None` where nothing is waited for.
    added: Option<BTreeMap<Key, Added>>,
}

/// One value that was added.
#[derive(Debug)]
struct Added {
    pos: Pos,
    time: DateTime<Utc>,
    account: Identity,
    actor: Option<String>,
    value: String,
}

impl Seen {
    /// For sources that may have the newest event first, as `Get-WinEvent` writes them: there a value is added before the one in
    /// its place is deleted.
    pub fn in_any_order() -> Seen {
        Seen { added: Some(BTreeMap::new()), ..Seen::default() }
    }

    /// A stretch of the source ends. What was deleted stays known for one more stretch: the two
    /// halves of a change are neighbours, and memory must not grow with the source.
    pub fn turn(&mut self) {
        self.deleted_before = std::mem::take(&mut self.deleted);
    }

    fn delete(&mut self, key: Key, value: &str) {
        if self.deleted.len() >= 4096 {
            self.turn();
        }
        self.deleted.insert(key, value.to_owned());
    }

    fn old(&mut self, key: &Key) -> Option<String> {
        self.deleted.remove(key).or_else(|| self.deleted_before.remove(key))
    }
}

/// Tells the values that were added in nobody's place, once the source was read to its end.
pub fn tell_added(seen: Seen, tally: &mut Tally, sink: &mut Sink<'_>) {
    let mut rest: Vec<(Key, Added)> = seen.added.into_iter().flatten().collect();
    rest.sort_by_key(|(_, added)| added.pos);
    for ((_, _, attribute), added) in rest {
        // Whether it can be read was asked when it came.
        let facts = added.facts(&attribute, None).unwrap_or_default();
        if !facts.is_empty() {
            // Its record was counted as of no interest then.
            tally.of_no_interest = tally.of_no_interest.saturating_sub(1);
            tally.told += 1;
        }
        facts.into_iter().for_each(|fact| sink(Ok(fact)));
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
        DELETED => match seen.added.as_mut().and_then(|added| added.remove(&key)) {
            Some(added) => added.facts(&key.2, Some(value)),
            None => {
                seen.delete(key, value);
                Ok(Vec::new())
            }
        },
        ADDED => {
            let (pos, actor, value) = (event.pos, event.actor(), value.to_owned());
            let added = Added { pos, time, account, actor, value };
            let old = seen.old(&key);
            let facts = added.facts(&key.2, old.as_deref())?;
            // Without the id nothing ties the halves together but their order.
            match seen.added.as_mut().filter(|_| old.is_none() && !key.0.is_empty()) {
                Some(waiting) => {
                    let attribute = key.2.clone();
                    let before = waiting.insert(key, added);
                    before.map_or(Ok(Vec::new()), |before| before.facts(&attribute, None))
                }
                None => Ok(facts),
            }
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

impl Added {
    /// What it says in the place of `old`, as far as that is known.
    fn facts(&self, attribute: &str, old: Option<&str>) -> Result<Vec<Fact>, Reason> {
        Ok(match attribute {
            "useraccountcontrol" => self.flags(old)?,
            "samaccountname" | "userprincipalname" => self.names(attribute, old),
            "accountexpires" => self.expires(old)?,
            // 0 makes the user choose a password at the next logon, it sets none.
            "pwdlastset" if self.value == "0" => Vec::new(),
            _ => vec![self.change(self.time, ChangeKind::PasswordSet, self.account.clone())],
        })
    }

    fn change(&self, time: DateTime<Utc>, kind: ChangeKind, account: Identity) -> Fact {
        let (pos, actor) = (self.pos, self.actor.clone());
        Fact::Change(Change { pos, time, precision: Precision::Exact, kind, account, actor })
    }

    /// The LDAP bit 0x2 (not the SAM bit of 4738). With the old value the turn of the bit is known to the
    /// instant. Without it (creation, a filtered export) only the state is: the account was disabled, or enabled,
    /// then or before.
    fn flags(&self, old: Option<&str>) -> Result<Vec<Fact>, Reason> {
        let bit = |text: &str| text.parse::<i64>().ok().map(|flags| flags & 2 != 0);
        let new = bit(&self.value).ok_or(Reason::BadNumber("AttributeValue"))?;
        let old = old.and_then(bit);
        if old == Some(new) {
            return Ok(Vec::new());
        }
        let kind = if new { ChangeKind::Disabled } else { ChangeKind::Enabled };
        let precision = if old.is_some() { Precision::Exact } else { Precision::AtLatest };
        let (pos, time, actor) = (self.pos, self.time, self.actor.clone());
        let account = self.account.clone();
        Ok(vec![Fact::Change(Change { pos, time, precision, kind, account, actor })])
    }

    /// A rename when both names are known; else the name is only learnt.
    fn names(&self, attribute: &str, old: Option<&str>) -> Vec<Fact> {
        let new = self.value.as_str();
        if new.is_empty() || [Some(new), old].into_iter().flatten().any(noise) {
            return Vec::new();
        }
        let mut account = self.account.clone();
        let (name, former) = if attribute == "samaccountname" {
            (&mut account.sam_account_name, &mut account.former_sam_account_names)
        } else {
            (&mut account.user_principal_name, &mut account.former_user_principal_names)
        };
        *name = Some(new.to_owned());
        match old.filter(|old| !old.is_empty() && *old != new) {
            Some(old) => {
                former.push(old.to_owned());
                vec![self.change(self.time, ChangeKind::Renamed, account)]
            }
            None => vec![Fact::names(self.pos, account)],
        }
    }

    /// An expiry makes no event when it bites (DOMAIN.md 4.4): it is a change at that instant, unless another setting puts it
    /// off until then, which may stand anywhere in the evidence. One set back in time bites when it is set.
    fn expires(&self, old: Option<&str>) -> Result<Vec<Fact>, Reason> {
        let instant = |text: &str| -> Result<Option<DateTime<Utc>>, Reason> {
            let ticks: i64 = text.parse().map_err(|_| Reason::BadNumber("AttributeValue"))?;
            Ok(filetime(ticks))
        };
        let (time, until) = (self.time, instant(&self.value)?);
        let old = old.and_then(|old| instant(old).ok());
        let mut facts = vec![Fact::expiry(self.pos, self.account.clone(), time, until)];
        if old == Some(until) {
            return Ok(facts);
        }
        let has_bitten = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= time);
        if old.is_some_and(has_bitten) && !has_bitten(until) {
            facts.push(self.change(time, ChangeKind::Prolonged, self.account.clone()));
        }
        let bites = until.map(|until| until.max(time));
        let expired = |at| self.change(at, ChangeKind::Expired, self.account.clone());
        facts.extend(bites.map(expired));
        Ok(facts)
    }
}

/// 100 ns since 1601 (DOMAIN.md 4.3); none for never (0, the largest number, and what no report can write down).
fn filetime(ticks: i64) -> Option<DateTime<Utc>> {
    if ticks <= 0 || ticks > LAST_OF_9999 {
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
