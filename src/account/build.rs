//! All identities that the evidence tells of, brought together to accounts.

use super::domain::Domains;
use super::{Account, AccountId, Accounts, Bearers};
use hashbrown::HashMap;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::event::Identity;

/// Accounts out of identities; the second part says for each identity which account it is.
///
/// Identities with a SID found the accounts; the others join by weaker names, one kind of name after the other,
/// and only where that names a single account: two SIDs under one name are two accounts (deleted and made again).
/// `links` are indexes of identities: accounts of linked mailboxes, each with its master.
pub fn build(identities: &[&Identity], links: &[(usize, usize)]) -> (Accounts, Vec<AccountId>) {
    let domains = Domains::learn(
        identities.iter().map(|identity| (identity.domain.as_deref(), identity.sid.as_deref())),
    );
    let mut groups = Groups::new(identities);
    type KeysOf<'a> = &'a (dyn Fn(&Identity) -> Vec<String> + Sync);
    let steps: [KeysOf<'_>; 6] = [
        &|i| i.sid.iter().map(|sid| sid.to_lowercase()).collect(),
        &|i| i.guid.iter().map(|guid| guid.to_lowercase()).collect(),
        &|i| i.distinguished_name.iter().map(|dn| dn.to_lowercase()).collect(),
        &|i| upns(i).collect(),
        &|i| qualified(i, &domains),
        &|i| mails(i),
    ];
    // Who shares which names does not depend on who was united before.
    let shared: Vec<_> = steps.into_par_iter().map(|keys_of| groups.sharing(keys_of)).collect();
    for shared in shared {
        groups.join(shared);
    }
    groups.join_bare();
    groups.join_masters(links);
    groups.finish(domains)
}

fn lower<'a>(names: impl IntoIterator<Item = &'a String>) -> impl Iterator<Item = String> {
    names.into_iter().map(|name| name.to_lowercase())
}

fn upns(identity: &Identity) -> impl Iterator<Item = String> {
    lower(identity.user_principal_name.iter().chain(&identity.former_user_principal_names))
}

fn sams(identity: &Identity) -> impl Iterator<Item = String> {
    lower(identity.sam_account_name.iter().chain(&identity.former_sam_account_names))
}

/// Domain and sam; for an identity without a domain, those of its UPN, unless another account claims that UPN.
fn qualified(identity: &Identity, domains: &Domains) -> Vec<String> {
    if let Some(domain) = identity.domain.as_deref().and_then(|domain| domains.find(domain)) {
        return sams(identity).map(|sam| format!("{domain}\\{sam}")).collect();
    }
    let sam: Vec<String> = sams(identity).collect();
    upns(identity)
        // A list of mailboxes tells sam and UPN, but neither domain nor SID.
        .filter(|upn| sam.is_empty() || sam.iter().any(|sam| Some(sam.as_str()) == local(upn)))
        .filter_map(|upn| {
            let (local, suffix) = upn.rsplit_once('@')?;
            let domain = domains.find(suffix).or_else(|| domains.perhaps(suffix))?;
            Some(format!("{domain}\\{local}"))
        })
        .collect()
}

fn local(upn: &str) -> Option<&str> {
    upn.rsplit_once('@').map(|(local, _)| local)
}

/// Mail addresses; an `@` name of a change list may be one.
fn mails(identity: &Identity) -> Vec<String> {
    let only_upn = identity.sid.is_none() && identity.sam_account_name.is_none();
    lower(&identity.smtp).chain(upns(identity).filter(|_| only_upn)).collect()
}

/// Sets of identities, one an account.
struct Groups<'a> {
    identities: &'a [&'a Identity],
    parent: Vec<usize>,
    sid: Vec<Option<String>>,
}

impl<'a> Groups<'a> {
    fn new(identities: &'a [&'a Identity]) -> Self {
        let sid = identities.iter().map(|i| i.sid.as_ref().map(|sid| sid.to_lowercase())).collect();
        Groups { identities, parent: (0..identities.len()).collect(), sid }
    }

    fn root(&mut self, mut of: usize) -> usize {
        while self.parent[of] != of {
            self.parent[of] = self.parent[self.parent[of]];
            of = self.parent[of];
        }
        of
    }

    /// The earlier root stays, so that accounts keep the order of their first mention.
    fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        let (first, second) = (a.min(b), a.max(b));
        if first != second {
            self.parent[second] = first;
            let sid = self.sid[second].take();
            self.sid[first] = self.sid[first].take().or(sid);
        }
    }

    /// The identities that share a name of one kind, name by name.
    fn sharing(&self, keys_of: &(dyn Fn(&Identity) -> Vec<String> + Sync)) -> Vec<Vec<usize>> {
        let keys = |(index, identity): (usize, &&Identity)| {
            keys_of(identity).into_iter().filter(|key| !key.is_empty()).map(move |key| (key, index))
        };
        shared(self.identities.iter().enumerate().flat_map(keys).collect())
    }

    fn join(&mut self, shared: Vec<Vec<usize>>) {
        for group in shared {
            let roots: BTreeSet<usize> = group.iter().map(|&index| self.root(index)).collect();
            self.unite_all(&roots);
        }
    }

    /// Unites what no SID tells apart; with several SIDs only those without one come together.
    fn unite_all(&mut self, roots: &BTreeSet<usize>) {
        let sids: BTreeSet<_> = roots.iter().filter_map(|&root| self.sid[root].clone()).collect();
        let fit = |groups: &Self, root: usize| sids.len() < 2 || groups.sid[root].is_none();
        let fitting: Vec<_> = roots.iter().copied().filter(|&root| fit(self, root)).collect();
        for pair in fitting.windows(2) {
            self.unite(pair[0], pair[1]);
        }
    }

    /// A name without any domain joins the only account that has it as its sam.
    fn join_bare(&mut self) {
        let identities = self.identities;
        let is_bare = |i: &Identity| {
            i.sid.is_none()
                && i.domain.is_none()
                && i.guid.is_none()
                && i.distinguished_name.is_none()
                && i.user_principal_name.is_none()
        };
        let keys =
            |(index, identity)| sams(identity).map(move |sam| (sam, index)).collect::<Vec<_>>();
        for group in shared(identities.iter().copied().enumerate().flat_map(keys).collect()) {
            let bare: Vec<_> = group.iter().copied().filter(|&i| is_bare(identities[i])).collect();
            for pair in bare.windows(2) {
                self.unite(pair[0], pair[1]);
            }
            let full: BTreeSet<_> =
                group.iter().filter(|&&i| !is_bare(identities[i])).copied().collect();
            let roots: BTreeSet<usize> = full.into_iter().map(|index| self.root(index)).collect();
            if let (Some(&bare), 1) = (bare.first(), roots.len()) {
                self.unite(bare, *roots.first().unwrap_or(&bare));
            }
        }
    }

    /// A mailbox has one master: what one source calls by its SID alone, and another one by its name, is one account.
    fn join_masters(&mut self, links: &[(usize, usize)]) {
        let mut masters: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for &(mailbox, master) in links {
            let (mailbox, master) = (self.root(mailbox), self.root(master));
            masters.entry(mailbox).or_default().insert(master);
        }
        masters.retain(|_, of_mailbox| of_mailbox.len() == 2);
        if masters.is_empty() {
            return;
        }
        let identities = self.identities.iter().enumerate();
        let has_name = |(_, identity): &(usize, &&Identity)| {
            identity.sam_account_name.is_some() || identity.user_principal_name.is_some()
        };
        let named: Vec<usize> = identities.filter(has_name).map(|(index, _)| index).collect();
        let named: BTreeSet<usize> = named.into_iter().map(|index| self.root(index)).collect();
        for of_mailbox in masters.into_values() {
            let (by_name, by_sid): (Vec<usize>, Vec<usize>) =
                of_mailbox.into_iter().partition(|root| named.contains(root));
            if let ([by_name], [by_sid]) = (&by_name[..], &by_sid[..]) {
                self.unite_all(&BTreeSet::from([*by_name, *by_sid]));
            }
        }
    }

    fn finish(mut self, domains: Domains) -> (Accounts, Vec<AccountId>) {
        let mut id_of_root: BTreeMap<usize, AccountId> = BTreeMap::new();
        let mut members: Vec<Vec<&Identity>> = Vec::new();
        let mut ids = Vec::with_capacity(self.identities.len());
        for index in 0..self.identities.len() {
            let root = self.root(index);
            let id = *id_of_root.entry(root).or_insert_with(|| {
                members.push(Vec::new());
                members.len() - 1
            });
            ids.push(id);
            members[id].push(self.identities[index]);
        }
        let list: Vec<Account> =
            members.par_iter().map(|identities| account(identities, &domains)).collect();
        let ((by_sid, by_sam), ((by_upn, by_smtp), by_local)) = rayon::join(
            || {
                rayon::join(
                    || bearers(&list, |a| a.sid.iter().map(|sid| sid.to_lowercase())),
                    || bearers(&list, |a| a.sam_account_names.iter().cloned()),
                )
            },
            || {
                rayon::join(
                    || {
                        let upns = bearers(&list, |a| a.user_principal_names.iter().cloned());
                        (upns, bearers(&list, |a| a.smtp.iter().cloned()))
                    },
                    || bearers(&list, Account::local_parts),
                )
            },
        );
        let (by_typed, learnt) = (HashMap::new(), BTreeSet::new());
        let accounts =
            Accounts { list, domains, by_sid, by_sam, by_upn, by_smtp, by_local, by_typed, learnt };
        (accounts, ids)
    }
}

/// Whose each name is, in the order of the accounts.
fn bearers<'a, I: Iterator<Item = String>>(
    list: &'a [Account],
    names: impl Fn(&'a Account) -> I,
) -> Bearers {
    let mut bearers = Bearers::with_capacity(list.len());
    for (id, account) in list.iter().enumerate() {
        for name in names(account) {
            let ids = bearers.entry(name).or_insert_with(|| Vec::with_capacity(1));
            if ids.last() != Some(&id) {
                ids.push(id);
            }
        }
    }
    bearers
}

/// The indexes that share a key, key by key; most keys are borne once and are not worth sorting.
fn shared(mut keys: Vec<(String, usize)>) -> Vec<Vec<usize>> {
    let is_shared: Vec<bool> = {
        let mut n_bearers: HashMap<&str, u32> = HashMap::with_capacity(keys.len());
        keys.iter().for_each(|(key, _)| *n_bearers.entry(key).or_default() += 1);
        keys.iter().map(|(key, _)| n_bearers[key.as_str()] > 1).collect()
    };
    let mut is_shared = is_shared.into_iter();
    keys.retain(|_| is_shared.next().unwrap_or(true));
    keys.sort_unstable();
    let groups = keys.chunk_by(|(a, _), (b, _)| a == b).filter(|group| group.len() > 1);
    groups.map(|group| group.iter().map(|(_, index)| *index).collect()).collect()
}

/// The account that some identities are.
fn account(identities: &[&Identity], domains: &Domains) -> Account {
    let mut account = Account::default();
    for identity in identities {
        account.sid = account.sid.take().or_else(|| identity.sid.clone());
        let domain = || domains.find(identity.domain.as_deref()?);
        account.domain = account.domain.or_else(domain);
        account.sam_account_names.extend(sams(identity));
        account.user_principal_names.extend(upns(identity));
        account.smtp.extend(lower(&identity.smtp));
        account.distinguished_names.extend(lower(&identity.distinguished_name));
    }
    let Account { sam_account_names, user_principal_names, smtp, distinguished_names, .. } =
        &mut account;
    for names in [sam_account_names, user_principal_names, smtp, distinguished_names] {
        names.sort_unstable();
        names.dedup();
    }
    // The spelling of the first mention is kept for the eye.
    let mut sams = identities.iter().filter_map(|i| i.sam_account_name.as_deref());
    let sam = sams.find(|sam| !sam.is_empty()).unwrap_or_default();
    account.display = display(&account, sam, domains);
    account
}

fn display(account: &Account, sam: &str, domains: &Domains) -> String {
    match account.domain {
        Some(domain) if !sam.is_empty() => format!("{}\\{sam}", domains.display(domain)),
        None if !sam.is_empty() => match account.user_principal_names.first() {
            Some(upn) => upn.clone(),
            None => sam.to_owned(),
        },
        _ => {
            let names = account.user_principal_names.first();
            let names = names.or(account.distinguished_names.first()).or(account.sid.as_ref());
            names.cloned().unwrap_or_else(|| "(no name)".into())
        }
    }
}
