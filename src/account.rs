//! What a record or a log calls an account to which account it is.
//!
//! Order of trust: SID, UPN, `DOMAIN\sam`, SMTP address, bare sam; case-insensitively, across renames.
//! A name that several accounts bear is said to be ambiguous and never guessed.

mod bearers;
mod build;
mod domain;

pub use build::build;

use bearers::Bearers;
use chrono::{DateTime, Utc};
use domain::{DomainId, Domains};
use hashbrown::HashMap;
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::event::{Identity, Mailbox};

/// Index of an account in [`Accounts`].
pub type AccountId = usize;

/// One principal, with every name any source gave it. Names are in lower case, in order, each once.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// How reports call it: `DOMAIN\sam`, or the best name known.
    pub display: String,
    /// `S-1-5-21-…`
    pub sid: Option<String>,
    pub(crate) domain: Option<DomainId>,
    pub(crate) sam_account_names: Vec<String>,
    pub(crate) user_principal_names: Vec<String>,
    pub(crate) smtp: Vec<String>,
    pub(crate) distinguished_names: Vec<String>,
    /// Whole names, as clients typed them, that logs tie to it and no source of names does.
    pub(crate) typed: Vec<String>,
    /// Sams and UPNs it no longer has, without their domains, and when it lost them.
    pub former: BTreeMap<String, DateTime<Utc>>,
    /// The name came into this account's hands not before (it was created then).
    pub created: Option<DateTime<Utc>>,
    /// The account was deleted then; another may bear its names since.
    pub deleted: Option<DateTime<Utc>>,
    /// The account of another forest that logs on to its mailbox, where this one is disabled for that.
    pub master: Option<AccountId>,
    /// Every kind of mailbox that any source says it has: more than one is a contradiction.
    pub mailboxes: BTreeSet<Mailbox>,
}

/// All accounts that any source told of.
#[derive(Debug, Default)]
pub struct Accounts {
    /// The accounts, in the order of their first mention.
    pub list: Vec<Account>,
    domains: Domains,
    by_sid: Bearers,
    by_sam: Bearers,
    by_upn: Bearers,
    by_smtp: Bearers,
    by_local: Bearers,
    /// By sam or mail address, the accounts of which nothing else is known: they may be any account that bears it, or that
    /// has it as its UPN.
    bare: BTreeMap<String, Vec<AccountId>>,
    /// Names that logs tie to one account.
    by_typed: HashMap<String, AccountId>,
    /// Names in lower case that HttpProxy alone knows, beside SIDs.
    pub learnt: BTreeSet<String>,
}

impl Account {
    /// Known by SID, GUID or distinguished name only, which no IIS log writes for a user.
    pub fn has_no_log_name(&self) -> bool {
        self.sam_account_names.is_empty()
            && self.user_principal_names.is_empty()
            && self.smtp.is_empty()
    }

    /// No source tells its UPN or an address, so a user who logs on with one is not recognised.
    pub fn may_have_other_names(&self) -> bool {
        self.user_principal_names.is_empty() && self.smtp.is_empty()
    }

    /// Neither a source nor a log tells its sam: a logon by NTLM or Kerberos, which is logged as `DOMAIN\sam`, is not
    /// recognised.
    pub fn has_no_sam(&self) -> bool {
        self.sam_account_names.is_empty() && !self.typed.iter().any(|name| name.contains('\\'))
    }

    /// What a log may write of it behind `\` or before `@`, in lower case.
    fn local_parts(&self) -> impl Iterator<Item = String> {
        let sid = self.sid.iter().map(|sid| sid.to_lowercase());
        let typed = self.typed.iter().map(|name| local_part(name));
        self.local_names().chain(typed).map(str::to_owned).chain(sid)
    }

    /// The same as sources tell it, but for its SID.
    fn local_names(&self) -> impl Iterator<Item = &str> {
        let mails = self.user_principal_names.iter().chain(&self.smtp);
        let locals = mails.filter_map(|name| name.split_once('@').map(|(local, _)| local));
        self.sam_account_names.iter().map(String::as_str).chain(locals)
    }

    /// Whether its SID is that one, in lower case.
    fn has_sid(&self, sid: &str) -> bool {
        self.sid.as_ref().is_some_and(|own| own.to_lowercase() == sid)
    }

    /// The kind of its mailbox, where all sources that tell one agree.
    pub fn mailbox(&self) -> Option<Mailbox> {
        self.mailboxes.first().copied().filter(|_| self.mailboxes.len() == 1)
    }

    /// Known by a bare sam only.
    pub fn is_bare(&self) -> bool {
        self.sid.is_none()
            && self.user_principal_names.is_empty()
            && self.distinguished_names.is_empty()
    }
}

/// Whose name it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resolution {
    /// No account of the evidence.
    Nobody,
    /// That account.
    One(AccountId),
    /// Any of these.
    Ambiguous(Vec<AccountId>),
}

impl Accounts {
    /// Whose name `name` was at `time`, as a log or a user spells it.
    pub fn resolve(&self, name: &str, time: Option<DateTime<Utc>>) -> Resolution {
        let name = name.trim().to_lowercase();
        let spaced = name.replace('+', " ");
        let found = match self.find(&name) {
            found if found.is_empty() && spaced != name => self.find(&spaced),
            found => found,
        };
        let mut alive: Vec<_> =
            found.iter().copied().filter(|&id| self.could_bear_names(id, &found, time)).collect();
        match alive.len() {
            0 => Resolution::Nobody,
            // One that may be any bearer's is nobody's for sure beside others.
            1 if found.len() == 1 || !self.may_be_any_bearer(alive[0]) => {
                Resolution::One(alive.remove(0))
            }
            _ => Resolution::Ambiguous(alive),
        }
    }

    /// Takes a name for an account's that no source of names knows. Only as a whole: what else stands before that domain or
    /// behind that suffix is not known any better.
    pub fn tie(&mut self, name: &str, id: AccountId) {
        let name = name.to_lowercase();
        if let Some(account) = self.list.get_mut(id) {
            account.typed.push(name.clone());
            self.by_typed.insert(name, id);
        }
    }

    /// Whether an account is one of which a source tells a bare sam or a mail address that several bear: it may be any of them,
    /// so that it is nobody's rival.
    pub fn may_be_any_bearer(&self, id: AccountId) -> bool {
        !self.bare.is_empty()
            && self.list.get(id).is_some_and(|a| a.is_bare() && a.domain.is_none())
    }

    /// Whether several accounts bear a name, and all but this one only may be any bearer.
    pub fn is_sole_bearer(&self, id: AccountId, name: &str, time: DateTime<Utc>) -> bool {
        let Resolution::Ambiguous(ids) = self.resolve(name, Some(time)) else { return false };
        let is_rival = |other: &AccountId| *other != id && !self.may_be_any_bearer(*other);
        ids.contains(&id) && !ids.iter().any(is_rival)
    }

    /// Whether a name is somebody's by the logs alone.
    pub fn is_learnt(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.learnt.contains(&name) || self.by_typed.contains_key(&name)
    }

    /// The one name that stands for a domain, in lower case, under whatever name it is known.
    pub fn domain_name(&self, name: &str) -> Option<String> {
        self.domains.find(name).map(|id| self.domains.display(id).to_lowercase())
    }

    /// The domain of a spelling.
    pub fn domain(&self, name: &str) -> Option<DomainId> {
        self.domains.find(name)
    }

    /// The account under a name that a source beside the evidence ties to it.
    pub fn under_another_name(&self, id: AccountId, name: &str) -> Identity {
        let sid = self.list.get(id).and_then(|account| account.sid.clone());
        Identity { sid, ..named(name) }
    }

    /// Whether a name is the account's own and no other one's: `DOMAIN\sam` of its domain.
    pub fn is_own_name(&self, name: &str, id: AccountId) -> bool {
        let name = name.to_lowercase();
        let (Some(account), Some((domain, sam))) = (self.list.get(id), name.split_once('\\'))
        else {
            return false;
        };
        let is_home = account.domain.is_some() && self.domains.find(domain) == account.domain;
        is_home && account.sam_account_names.iter().any(|own| own == sam)
    }

    /// Whether a name is another one where the account is at home: in its domain, or behind the suffix of its UPN. Nobody
    /// who is the account typed that.
    pub fn is_another_at_home(&self, name: &str, id: AccountId) -> bool {
        let name = name.to_lowercase();
        let Some(account) = self.list.get(id) else { return false };
        let suffix = |upn: &str| upn.rsplit_once('@').map(|(_, suffix)| suffix.to_owned());
        let is_home = match (name.split_once('\\'), suffix(&name)) {
            (Some((domain, _)), _) => self.domains.find(domain) == account.domain,
            (None, Some(home)) => {
                self.domains.told(&home) == account.domain
                    || account
                        .user_principal_names
                        .iter()
                        .any(|upn| suffix(upn).as_ref() == Some(&home))
            }
            (None, None) => false,
        };
        let is_known = account.domain.is_some() && !account.sam_account_names.is_empty();
        is_known && is_home && !account.local_parts().any(|own| own == local_part(&name))
    }

    /// Every lower-case name part by which a log could mean `id`: what stands behind `\` or before `@`.
    pub fn local_parts(&self, id: AccountId) -> BTreeSet<String> {
        let Some(account) = self.list.get(id) else { return BTreeSet::new() };
        let mut parts: BTreeSet<String> = account.local_parts().collect();
        if self.may_be_any_bearer(id) {
            let names = account.sam_account_names.iter().chain(&account.smtp);
            let bearers = names.flat_map(|name| {
                let has = |names: &[String]| names.contains(name);
                let of_upn = self.bearers(&self.by_upn, name, |a| has(&a.user_principal_names));
                let of_smtp = self.bearers(&self.by_smtp, name, |a| has(&a.smtp));
                self.by_sam(name).into_iter().chain(of_upn).chain(of_smtp)
            });
            parts.extend(bearers.filter_map(|id| self.list.get(id)).flat_map(Account::local_parts));
        }
        parts
    }

    /// Before an account existed others had its names. After a deletion both may be meant, the account that was made later
    /// and the deleted one, whose tokens live on (see [`Accounts::passed_on`]).
    fn could_bear_names(
        &self,
        id: AccountId,
        rivals: &[AccountId],
        time: Option<DateTime<Utc>>,
    ) -> bool {
        let (Some(account), Some(time)) = (self.list.get(id), time) else { return true };
        let rivals = rivals.iter().filter(|id| !self.may_be_any_bearer(**id));
        rivals.count() < 2 || account.created.is_none_or(|born| born <= time)
    }

    /// Since when another account bears a name of this one, which had been deleted by then.
    pub fn passed_on(&self, id: AccountId, name: &str) -> Option<DateTime<Utc>> {
        let deleted = self.list.get(id)?.deleted?;
        let Resolution::Ambiguous(ids) = self.resolve(name, None) else { return None };
        let others = ids.into_iter().filter(|other| *other != id);
        let born = others.filter_map(|other| self.list.get(other)?.created);
        born.filter(|born| deleted <= *born).min()
    }

    fn find(&self, name: &str) -> Vec<AccountId> {
        let mut found = self.find_named(name);
        if !self.bare.is_empty() {
            let accounts = found.iter().filter_map(|id| self.list.get(*id));
            let names = accounts.flat_map(|account| {
                let addresses = account.user_principal_names.iter().chain(&account.smtp);
                account.sam_account_names.iter().chain(addresses)
            });
            let bare: Vec<AccountId> =
                names.filter_map(|name| self.bare.get(name)).flatten().copied().collect();
            found.extend(bare);
            found.sort_unstable();
            found.dedup();
        }
        found
    }

    fn find_named(&self, name: &str) -> Vec<AccountId> {
        if let Some(&id) = self.by_typed.get(name) {
            return vec![id];
        }
        if name.starts_with("s-1-") {
            return self.bearers(&self.by_sid, name, |account| account.has_sid(name));
        }
        if let Some((domain, sam)) = name.split_once('\\') {
            return self.with_domain(domain, sam);
        }
        let Some((local, suffix)) = name.rsplit_once('@') else { return self.by_sam(name) };
        // An explicit UPN wins, then a mail address, then the UPN every account has: sam@domain.
        let has = |names: &[String]| names.iter().any(|own| own == name);
        let by_upn = self.bearers(&self.by_upn, name, |a| has(&a.user_principal_names));
        if !by_upn.is_empty() {
            return by_upn;
        }
        let by_smtp = self.bearers(&self.by_smtp, name, |a| has(&a.smtp));
        if by_smtp.is_empty() { self.with_domain(suffix, local) } else { by_smtp }
    }

    fn bearers(
        &self,
        bearers: &Bearers,
        name: &str,
        has: impl Fn(&Account) -> bool,
    ) -> Vec<AccountId> {
        bearers.of(name, |id| self.list.get(id).is_some_and(&has))
    }

    fn by_sam(&self, sam: &str) -> Vec<AccountId> {
        self.bearers(&self.by_sam, sam, |a| a.sam_account_names.iter().any(|own| own == sam))
    }

    /// `DOMAIN\sam`: accounts of that domain, or, where the domain of an account is not known, that account.
    fn with_domain(&self, domain: &str, sam: &str) -> Vec<AccountId> {
        let bearers = self.by_sam(sam);
        let wanted = self.domains.find(domain);
        let of = |id: &AccountId| self.list.get(*id).and_then(|account| account.domain);
        let same: Vec<_> =
            bearers.iter().copied().filter(|id| wanted.is_some() && of(id) == wanted).collect();
        if !same.is_empty() {
            return same;
        }
        bearers.into_iter().filter(|id| of(id).is_none()).collect()
    }

    /// Accounts with this local part under another domain or suffix than any source tells: a log name that
    /// may be theirs and cannot be tied to them.
    pub fn namesakes(&self, name: &str) -> Vec<AccountId> {
        let local = local_part(&name.trim().to_lowercase()).to_owned();
        let has = |account: &Account| {
            account.has_sid(&local) || account.local_names().any(|own| own == local)
        };
        self.bearers(&self.by_local, &local, has)
    }

    /// Whether a name may well be the account's, for lack of evidence and not against it: no source tells the
    /// account's domain, or the DNS name of that, or the name is a UPN and no source tells the account's.
    pub fn could_be(&self, name: &str, id: AccountId) -> bool {
        let Some(account) = self.list.get(id) else { return false };
        let name = name.to_lowercase();
        let parts = name.split_once('\\').map(|(domain, sam)| (sam, domain));
        let is_perhaps_at_home = |(sam, domain): (&str, &str)| {
            self.domains.perhaps(domain).is_some_and(|domain| account.domain == Some(domain))
                && account.sam_account_names.iter().any(|own| own == sam)
        };
        if parts.or_else(|| name.rsplit_once('@')).is_some_and(is_perhaps_at_home) {
            return true;
        }
        let knows_domain = account.domain.is_some() && !account.sam_account_names.is_empty();
        let knows_upn = !account.user_principal_names.is_empty() || !account.smtp.is_empty();
        match (name.contains('\\'), name.contains('@')) {
            (true, _) => !knows_domain,
            (false, true) => !knows_upn,
            (false, false) => account.sam_account_names.is_empty(),
        }
    }
}

/// What a name says of whose it is.
pub fn named(name: &str) -> Identity {
    let some = |text: &str| Some(text.to_owned());
    match name.split_once('\\') {
        Some((domain, sam)) => {
            Identity { domain: some(domain), sam_account_name: some(sam), ..Identity::default() }
        }
        None if name.contains('@') => {
            Identity { user_principal_name: some(name), ..Identity::default() }
        }
        None => Identity { sam_account_name: some(name), ..Identity::default() },
    }
}

/// What stands behind `\` and before `@`.
pub(crate) fn local_part(name: &str) -> &str {
    let local = name.rsplit('\\').next().unwrap_or(name);
    local.split('@').next().unwrap_or(local)
}

#[cfg(test)]
mod tests;
