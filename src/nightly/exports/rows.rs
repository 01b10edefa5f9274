//! Rows of an export of what is (users, metadata) and those of the one that replaced it, to what counts on of the old ones.
//!
//! * Names are never forgotten: who bore one and bears it no more may still be served under it, and whose it is now may not
//!   be taken for who used it then.
//! * That a password was set then is an act.
//! * That somebody was disabled or deleted by then counts on where the new export says the same, or since when that is
//!   over; where it does not name the account, the account may be enabled by now, and a wrong accusation is worse than a missed one
//!   (`nightly::judged` tells that it is not known any more).
//! * What else was, was until then.

use crate::change::identity;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::event::{Change, ChangeKind, Fact, Identity, Pos};

/// What of the old rows counts on beside the new ones.
pub fn rest(old: Vec<Fact>, new: &[Fact]) -> Vec<Fact> {
    let mut index = Index::default();
    new.iter().for_each(|fact| index.take(fact));
    // Which of two exports with dates is right about an expiry, is settled where they are merged.
    let is_dated = |fact: &Fact| match fact {
        Fact::Account { pos, account, changed: Some(_), expires: Some(expires), .. } => {
            let now = index.of(account)?.expiries?;
            (!now.contains(expires)).then_some(*pos)
        }
        _ => None,
    };
    let expiries: BTreeSet<Pos> = old.iter().filter_map(is_dated).collect();
    let rest = |fact: Fact| match identity(&fact).and_then(|identity| index.of(identity)) {
        Some(now) => of_named(fact, &now, &expiries),
        None => still_true(fact),
    };
    old.into_iter().filter_map(rest).collect()
}

/// Of a row of an account that the new export names as well.
fn of_named(fact: Fact, now: &Now, expiries: &BTreeSet<Pos>) -> Option<Fact> {
    match fact {
        Fact::Change(change) => {
            let counts = match change.kind {
                ChangeKind::PasswordSet => !now.passwords.contains(&change.time),
                ChangeKind::Disabled => {
                    let is_enabled_since = now.enabled_at.is_some_and(|at| at > change.time);
                    (now.is_disabled || is_enabled_since) && !now.disables.contains(&change.time)
                }
                ChangeKind::Deleted => now.is_deleted && !now.disables.contains(&change.time),
                ChangeKind::Expired => expiries.contains(&change.pos),
                _ => false,
            };
            counts.then_some(Fact::Change(change))
        }
        Fact::Account { pos, account, enabled, changed, expires, .. } => {
            let has_new_name = names(&account).any(|name| !now.names.contains(&name));
            // Between two disables.
            let enabled = enabled.filter(|is_on| *is_on && changed.is_some() && now.is_disabled);
            let expires = expires.filter(|_| expiries.contains(&pos));
            let changed = changed.filter(|_| enabled.is_some() || expires.is_some());
            let counts = has_new_name || changed.is_some();
            counts.then_some(Fact::Account {
                pos,
                account,
                enabled,
                changed,
                expires,
                mailbox: None,
            })
        }
        _ => None,
    }
}

/// Of a row of an account that the new export does not name, what nothing can have undone since.
fn still_true(fact: Fact) -> Option<Fact> {
    match fact {
        Fact::Change(Change {
            kind: ChangeKind::Disabled | ChangeKind::Deleted | ChangeKind::Expired,
            ..
        })
        // When flags were written last is half of when somebody was disabled.
        | Fact::UserAccountControlSet { .. } => None,
        Fact::Account { pos, account, enabled, changed, expires, mailbox } => {
            let enabled = enabled.filter(|is_enabled| *is_enabled);
            Some(Fact::Account { pos, account, enabled, changed, expires, mailbox })
        }
        fact => Some(fact),
    }
}

/// What the new export says of an account.
#[derive(Default, Clone)]
struct Now {
    names: BTreeSet<String>,
    passwords: BTreeSet<DateTime<Utc>>,
    disables: BTreeSet<DateTime<Utc>>,
    is_disabled: bool,
    is_deleted: bool,
    /// When it was enabled at the latest.
    enabled_at: Option<DateTime<Utc>>,
    /// Those that a dated row tells.
    expiries: Option<BTreeSet<Option<DateTime<Utc>>>>,
}

/// The accounts of the new export, under each of their names.
#[derive(Default)]
struct Index {
    accounts: Vec<Now>,
    by_sid: BTreeMap<String, usize>,
    /// Whose a name is: accounts, and whether they have an SID.
    by_name: BTreeMap<String, BTreeSet<(usize, bool)>>,
}

impl Index {
    fn take(&mut self, fact: &Fact) {
        let Some(identity) = identity(fact) else { return };
        let number = self.number(identity);
        for name in names(identity) {
            let bearers = self.by_name.entry(name.clone()).or_default();
            bearers.insert((number, identity.sid.is_some()));
            self.accounts[number].names.insert(name);
        }
        let now = &mut self.accounts[number];
        match fact {
            Fact::Change(change) => match change.kind {
                ChangeKind::PasswordSet => _ = now.passwords.insert(change.time),
                ChangeKind::Disabled => {
                    now.disables.insert(change.time);
                    now.is_disabled = true;
                }
                ChangeKind::Deleted => {
                    now.disables.insert(change.time);
                    now.is_deleted = true;
                }
                _ => {}
            },
            Fact::Account { enabled, changed, expires, .. } => {
                now.is_disabled |= *enabled == Some(false);
                now.enabled_at = now.enabled_at.max(changed.filter(|_| *enabled == Some(true)));
                if let (Some(expires), Some(_)) = (expires, changed) {
                    now.expiries.get_or_insert_default().insert(*expires);
                }
            }
            _ => {}
        }
    }

    /// The number of the account of a row: by its SID, else by any of its names that no SID tells from it.
    fn number(&mut self, identity: &Identity) -> usize {
        let sid = identity.sid.as_ref().map(|sid| sid.to_lowercase());
        let known = match &sid {
            Some(sid) => self.by_sid.get(sid).copied(),
            None => names(identity).find_map(|name| {
                let bearers = self.by_name.get(&name)?;
                bearers.iter().find(|(_, has_sid)| !has_sid).map(|(number, _)| *number)
            }),
        };
        let number = known.unwrap_or(self.accounts.len());
        if known.is_none() {
            self.accounts.push(Now::default());
        }
        sid.into_iter().for_each(|sid| _ = self.by_sid.insert(sid, number));
        number
    }

    /// What is said of the account of an old row; `None` if it is not named. One of another SID is another account, though
    /// it may bear a name that passed on to it.
    fn of(&self, identity: &Identity) -> Option<Now> {
        let own = identity.sid.as_ref().map(|sid| self.by_sid.get(&sid.to_lowercase()));
        if let Some(Some(&number)) = own {
            return self.accounts.get(number).cloned();
        }
        let bearers = names(identity).filter_map(|name| self.by_name.get(&name)).flatten();
        let may_be: BTreeSet<usize> = bearers
            .filter(|(_, has_sid)| identity.sid.is_none() || !has_sid)
            .map(|(number, _)| *number)
            .collect();
        let may_be = may_be.into_iter().filter_map(|number| self.accounts.get(number)).cloned();
        may_be.reduce(|a, b| Now {
            names: &a.names | &b.names,
            passwords: &a.passwords | &b.passwords,
            disables: &a.disables | &b.disables,
            is_disabled: a.is_disabled && b.is_disabled,
            is_deleted: a.is_deleted && b.is_deleted,
            enabled_at: a.enabled_at.min(b.enabled_at),
            expiries: None,
        })
    }
}

/// Every name, in lower case; a `sAMAccountName` with its domain, where that is told.
fn names(identity: &Identity) -> impl Iterator<Item = String> {
    let Identity { guid, user_principal_name, smtp, distinguished_name, domain, .. } = identity;
    let former = &identity.former_user_principal_names;
    let one = [guid, user_principal_name, distinguished_name].into_iter().flatten();
    let whole = one.chain(smtp).chain(former).map(|name| name.to_lowercase());
    let sams = identity.sam_account_name.iter().chain(&identity.former_sam_account_names);
    let domain = domain.as_deref().unwrap_or_default().to_lowercase();
    whole.chain(sams.map(move |sam| format!("{domain}\\{}", sam.to_lowercase())))
}
