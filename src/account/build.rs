//! All identities that the evidence tells of, brought together to accounts.

use super::domain::Domains;
use super::{Account, AccountId, Accounts, Bearers};
use hashbrown::HashMap;
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::event::Identity;

/// Accounts out of identities; the second part says for each identity which account it is.
///
/// Identities with a SID found the accounts; the others join by weaker names, one kind of name after the other,
/// and only where that names a single account: two SIDs under one name are two accounts (deleted and made again).
pub fn build(identities: &[&Identity]) -> (Accounts, Vec<AccountId>) {
    let domains = Domains::learn(
        identities.iter().map(|identity| (identity.domain.as_deref(), identity.sid.as_deref())),
    );
    let mut groups = Groups::new(identities);
    type KeysOf<'a> = &'a dyn Fn(&Identity) -> Vec<String>;
    let steps: [KeysOf<'_>; 6] = [
        &|i| i.sid.iter().map(|sid| sid.to_lowercase()).collect(),
        &|i| i.guid.iter().map(|guid| guid.to_lowercase()).collect(),
        &|i| i.distinguished_name.iter().map(|dn| dn.to_lowercase()).collect(),
        &|i| upns(i).collect(),
        &|i| qualified(i, &domains),
        &|i| mails(i),
    ];
    for keys_of in steps {
        groups.join(keys_of);
    }
    groups.join_bare();
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

/// Domain and sam; for an identity that is only a UPN, the sam it has unless another account claims that UPN.
fn qualified(identity: &Identity, domains: &Domains) -> Vec<String> {
    if let Some(domain) = identity.domain.as_deref().and_then(|domain| domains.find(domain)) {
        return sams(identity).map(|sam| format!("{domain}\\{sam}")).collect();
    }
    if identity.sam_account_name.is_some() {
        return Vec::new();
    }
    upns(identity)
        .filter_map(|upn| {
            let (local, suffix) = upn.rsplit_once('@')?;
            Some(format!("{}\\{local}", domains.find(suffix)?))
        })
        .collect()
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

    fn join(&mut self, keys_of: &dyn Fn(&Identity) -> Vec<String>) {
        let keys = |(index, identity): (usize, &&Identity)| {
            keys_of(identity).into_iter().filter(|key| !key.is_empty()).map(move |key| (key, index))
        };
        for group in shared(self.identities.iter().enumerate().flat_map(keys).collect()) {
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

    fn finish(mut self, domains: Domains) -> (Accounts, Vec<AccountId>) {
        let mut accounts = Accounts { domains, ..Accounts::default() };
        let mut id_of_root: BTreeMap<usize, AccountId> = BTreeMap::new();
        let mut ids = Vec::with_capacity(self.identities.len());
        for index in 0..self.identities.len() {
            let root = self.root(index);
            let id = *id_of_root.entry(root).or_insert_with(|| {
                accounts.list.push(Account::default());
                accounts.list.len() - 1
            });
            ids.push(id);
            add(&mut accounts.list[id], self.identities[index], &accounts.domains);
        }
        for id in 0..accounts.list.len() {
            index_names(&mut accounts, id);
            for part in accounts.local_parts(id) {
                accounts.by_local.entry(part).or_default().push(id);
            }
        }
        (accounts, ids)
    }
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

fn add(account: &mut Account, identity: &Identity, domains: &Domains) {
    account.sid = account.sid.take().or_else(|| identity.sid.clone());
    let domain = identity.domain.as_deref().and_then(|domain| domains.find(domain));
    account.domain = account.domain.or(domain);
    account.sam_account_names.extend(sams(identity));
    account.user_principal_names.extend(upns(identity));
    account.smtp.extend(lower(&identity.smtp));
    account.distinguished_names.extend(lower(&identity.distinguished_name));
    // The spelling of the first mention is kept for the eye.
    if account.display.is_empty()
        && let Some(sam) = &identity.sam_account_name
    {
        account.display = sam.clone();
    }
}

fn index_names(accounts: &mut Accounts, id: AccountId) {
    let account = &mut accounts.list[id];
    let put = |bearers: &mut Bearers, name: &String| bearers.entry_ref(name).or_default().push(id);
    account.sid.iter().for_each(|sid| put(&mut accounts.by_sid, &sid.to_lowercase()));
    account.sam_account_names.iter().for_each(|sam| put(&mut accounts.by_sam, sam));
    account.user_principal_names.iter().for_each(|upn| put(&mut accounts.by_upn, upn));
    account.smtp.iter().for_each(|mail| put(&mut accounts.by_smtp, mail));
    account.display = match (account.domain, account.display.as_str()) {
        (Some(domain), sam) if !sam.is_empty() => {
            format!("{}\\{sam}", accounts.domains.display(domain))
        }
        (None, sam) if !sam.is_empty() => match account.user_principal_names.first() {
            Some(upn) => upn.clone(),
            None => sam.to_owned(),
        },
        _ => {
            let names = account.user_principal_names.first();
            let names = names.or(account.distinguished_names.first()).or(account.sid.as_ref());
            names.cloned().unwrap_or_else(|| "(no name)".into())
        }
    };
}
