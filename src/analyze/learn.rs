//! Logs that teach names: read again with what they tell of whose a name is.
//!
//! HttpProxy has the account of a request by its SID; the name beside it, and the name that W3C has for the same request,
//! are its names as well. Without them what W3C has under such a name would be a stranger's, refusals above all, which
//! HttpProxy does not know.

use super::{Run, doubts, looks};
use crate::account::{AccountId, Resolution, local_part};
use crate::analyze::fronts::Fronts;
use crate::change::{Told, Voice};
use crate::collect::book::Book;
use crate::collect::{Collected, typed};
use crate::correlate::Contradiction;
use crate::input::Hash;
use crate::messages::Messages;
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::event::{Fact, Pos};

impl Run<'_> {
    /// Reads the logs; once more where they teach names, and a last time where one of those turns out to be somebody
    /// else's as well.
    pub(super) fn read_logs(&mut self, hash: Hash, messages: &Messages) -> anyhow::Result<()> {
        self.collect(hash, messages);
        let is_typed = self.learn_typed();
        if self.learn() | is_typed {
            self.know()?;
            // The rows bear the numbers of accounts of before.
            self.collect(hash, messages);
            if self.unlearn_shared() {
                self.know()?;
                self.collect(hash, messages);
            }
        }
        doubts::sole_bearers(&mut self.collected, &self.directory.accounts);
        self.contradict();
        doubts::several_sids(&mut self.collected);
        doubts::shared_since(&mut self.collected);
        doubts::homeless(&mut self.collected, &self.directory.accounts);
        doubts::former(&mut self.collected, &self.directory.accounts, self.args.ttl);
        self.fronts = Fronts::new(&self.collected, self.args.until);
        let (accounts, ttl) = (&self.directory.accounts, self.args.ttl);
        doubts::passed_on(&mut self.collected, accounts, &self.fronts, ttl);
        Ok(())
    }

    /// Adds the names that HttpProxy has beside SIDs to what was told, and says whether there are any.
    fn learn(&mut self) -> bool {
        let learned = std::mem::take(&mut self.collected.learned);
        let is_any = !learned.is_empty();
        let accounts = &self.directory.accounts;
        self.learnt.extend(learned.keys().map(|(_, name)| name.to_lowercase()));
        self.told.extend(learned.into_iter().map(|((id, name), (source, line))| {
            let account = accounts.under_another_name(id, &name);
            let (pos, voice) = (Pos::Line(line), Voice::State);
            let (enabled, changed, expires, mailbox) = (None, None, None, None);
            let fact = Fact::Account { pos, account, enabled, changed, expires, mailbox };
            Told { source, voice, fact }
        }));
        is_any
    }

    /// Learns the names that W3C has for requests of which HttpProxy says whose they are, and says whether there are any.
    /// A name that is somebody's, or several accounts', teaches nothing, nor does another name of the account's own domain,
    /// nor a request that W3C has twice, under different names.
    fn learn_typed(&mut self) -> bool {
        let (collected, accounts) = (&self.collected, &self.directory.accounts);
        let by_id = typed::names(&collected.book, looks(self));
        let mut owners: BTreeMap<String, BTreeSet<AccountId>> = BTreeMap::new();
        for &(account, name) in &collected.ties {
            let name = collected.book.texts.get(name).to_lowercase();
            owners.entry(name).or_default().insert(account);
        }
        let mut denied = BTreeSet::new();
        let rows = if by_id.is_empty() { &[] } else { collected.book.accesses.as_slice() };
        for access in rows.iter().filter(|access| access.is_proxied) {
            let Some(names) = by_id.get(&access.request_id) else { continue };
            let as_resolved = access.name.map(|name| collected.book.texts.get(name).to_lowercase());
            let is_as_resolved = |name: &str| {
                as_resolved.as_deref().is_some_and(|own| local_part(own) == local_part(name))
            };
            let is_other = |name: &String| match accounts.resolve(name, Some(access.end)) {
                // HttpProxy may know of a rename that no source tells.
                Resolution::Nobody => {
                    !is_as_resolved(name) && accounts.is_another_at_home(name, access.account)
                }
                Resolution::One(id) => id != access.account,
                Resolution::Ambiguous(ids) => !ids.contains(&access.account),
            };
            if names.iter().any(is_other) {
                denied.insert(access.request_id);
                continue;
            }
            if let (Some(name), 1) = (names.first(), names.len()) {
                owners.entry(name.clone()).or_default().insert(access.account);
            }
        }
        let told: BTreeSet<String> =
            collected.learned.keys().map(|(_, name)| name.to_lowercase()).collect();
        let typed = owners.into_iter().filter_map(|(name, owners)| {
            let is_new =
                accounts.resolve(&name, None) == Resolution::Nobody && !told.contains(&name);
            let owner = owners.first().filter(|_| is_new && owners.len() == 1)?;
            Some((name, self.name_of(*owner)?))
        });
        self.typed = typed.collect();
        self.denied = denied;
        !self.typed.is_empty()
    }

    /// A name of an account that will mean it whatever else is learnt.
    fn name_of(&self, id: AccountId) -> Option<String> {
        let accounts = &self.directory.accounts;
        let account = accounts.list.get(id)?;
        let name = account.sid.clone().unwrap_or_else(|| account.display.clone());
        (accounts.resolve(&name, None) == Resolution::One(id)).then_some(name)
    }

    /// Ties the learnt names to the accounts of the directory.
    pub(super) fn tie_typed(&mut self) {
        let accounts = &mut self.directory.accounts;
        accounts.learnt.extend(self.learnt.iter().cloned());
        for (name, owner) in &self.typed {
            // What was told since may know the name itself.
            let is_free = accounts.resolve(name, None) == Resolution::Nobody;
            if let (true, Resolution::One(id)) = (is_free, accounts.resolve(owner, None)) {
                accounts.tie(name, id);
            }
        }
    }

    /// Gives up the names under which the logs have requests of others as well, and says whether there are any.
    fn unlearn_shared(&mut self) -> bool {
        let Collected { book, strange, .. } = &self.collected;
        let w3c = book.accesses.iter().filter(|access| !access.is_proxied);
        let denied = w3c.filter(|access| access.contradiction.is_some());
        let denied: BTreeSet<&str> =
            denied.map(|access| book.keys.get(access.key).name.as_str()).collect();
        let strange: BTreeSet<String> =
            strange.keys().map(|strange| strange.name.to_lowercase()).collect();
        let (shared, typed) = std::mem::take(&mut self.typed)
            .into_iter()
            .partition(|(name, _)| denied.contains(name.as_str()) || strange.contains(name));
        (self.shared, self.typed) = (shared, typed);
        let facts = self.told.split_off(self.told.len() - self.learnt.len());
        for (name, fact) in std::mem::take(&mut self.learnt).into_iter().zip(facts) {
            if strange.contains(&name) {
                self.shared.insert(name, String::new());
            } else {
                self.learnt.push(name);
                self.told.push(fact);
            }
        }
        !self.shared.is_empty()
    }

    /// A request that W3C has under another account's name is contradicted, though W3C's own row is not kept.
    fn contradict(&mut self) {
        if self.denied.is_empty() && self.shared.is_empty() {
            return;
        }
        let is_denied = |id: u128| self.denied.contains(&id);
        let accesses = self.collected.book.accesses.iter_mut();
        let alone = accesses.filter(|access| access.is_proxied && access.twin.is_none());
        for access in alone.filter(|access| is_denied(access.request_id)) {
            access.contradiction = Some(Contradiction::OtherUser);
            self.collected.joined.contradicted += 1;
        }
        // What the SID alone says of a name that goes with other SIDs as well is one word against another.
        let Book { accesses, texts, .. } = &mut self.collected.book;
        for access in accesses.iter_mut().filter(|access| access.is_proxied) {
            let name = access.name.map(|name| texts.get(name).to_lowercase());
            access.is_ambiguous |= name.is_some_and(|name| self.shared.contains_key(&name));
        }
    }
}
