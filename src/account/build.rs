//! All identities that the evidence tells of, brought together to accounts.

use super::bearers::{Bearers, number};
use super::domain::{self, DomainId, Domains};
use super::{Account, AccountId, Accounts};
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
    let mut groups = Groups::new(identities, &domains);
    let steps: [NamesOf<'_>; 6] = [
        &|i, _, each| i.sid.iter().for_each(|sid| each((None, sid))),
        &|i, _, each| i.guid.iter().for_each(|guid| each((None, guid))),
        &|i, _, each| i.distinguished_name.iter().for_each(|dn| each((None, dn))),
        &|i, _, each| upns(i).for_each(|upn| each((None, upn))),
        &|i, home, each| qualified(i, home, &domains, each),
        &|i, _, each| mails(i).for_each(|mail| each((None, mail))),
    ];
    // Who shares which names does not depend on who was united before.
    let shared: Vec<_> = steps.into_par_iter().map(|names_of| groups.sharing(names_of)).collect();
    for shared in shared {
        groups.join(shared);
    }
    groups.join_bare();
    groups.join_masters(links);
    groups.finish(domains)
}

/// A name in any case, within a domain where it means nothing without.
type Name<'a> = (Option<DomainId>, &'a str);

/// Calls a function with each name of one kind that an identity of some domain has.
type NamesOf<'a> = &'a (dyn Fn(&Identity, Option<DomainId>, &mut dyn FnMut(Name<'_>)) + Sync);

fn upns(identity: &Identity) -> impl Iterator<Item = &String> {
    identity.user_principal_name.iter().chain(&identity.former_user_principal_names)
}

fn sams(identity: &Identity) -> impl Iterator<Item = &String> {
    identity.sam_account_name.iter().chain(&identity.former_sam_account_names)
}

/// Domain and sam; for an identity without a domain, those of its UPN, unless another account claims that UPN.
fn qualified(
    identity: &Identity,
    home: Option<DomainId>,
    domains: &Domains,
    each: &mut dyn FnMut(Name<'_>),
) {
    if home.is_some() {
        return sams(identity).for_each(|sam| each((home, sam)));
    }
    let sam: Vec<String> = lower(sams(identity)).collect();
    let upns = lower(upns(identity))
        // A list of mailboxes tells sam and UPN, but neither domain nor SID.
        .filter(|upn| sam.is_empty() || sam.iter().any(|sam| Some(sam.as_str()) == local(upn)));
    for upn in upns {
        let Some((local, suffix)) = upn.rsplit_once('@') else { continue };
        let domain = domains.find(suffix).or_else(|| domains.perhaps(suffix));
        if domain.is_some() {
            each((domain, local));
        }
    }
}

fn lower<'a>(names: impl Iterator<Item = &'a String>) -> impl Iterator<Item = String> {
    names.map(|name| name.to_lowercase())
}

fn local(upn: &str) -> Option<&str> {
    upn.rsplit_once('@').map(|(local, _)| local)
}

/// Mail addresses; an `@` name of a change list may be one.
fn mails(identity: &Identity) -> impl Iterator<Item = &String> {
    let only_upn = identity.sid.is_none() && identity.sam_account_name.is_none();
    identity.smtp.iter().chain(upns(identity).filter(move |_| only_upn))
}

/// Sets of identities, one an account.
struct Groups<'a> {
    identities: &'a [&'a Identity],
    /// The domain of each.
    homes: Vec<Option<DomainId>>,
    parent: Vec<usize>,
    sid: Vec<Option<&'a str>>,
}

impl<'a> Groups<'a> {
    fn new(identities: &'a [&'a Identity], domains: &Domains) -> Self {
        let sid = identities.iter().map(|identity| identity.sid.as_deref()).collect();
        let mut known: Option<(&str, Option<DomainId>)> = None;
        let mut home = |name: &'a str| match known {
            // Most are of the same domain as the one before.
            Some((other, home)) if other == name => home,
            _ => known.insert((name, domains.find(name))).1,
        };
        let homes = identities.iter().map(|i| i.domain.as_deref().and_then(&mut home)).collect();
        Groups { identities, homes, parent: (0..identities.len()).collect(), sid }
    }

    fn root(&mut self, of: usize) -> usize {
        domain::root(&mut self.parent, of)
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

    /// The identities that share a name of one kind, name by name. Most names are borne once: that tells their number, and
    /// only the others are looked at themselves.
    fn sharing(&self, names_of: NamesOf<'_>) -> Vec<Vec<usize>> {
        let each = |take: &mut dyn FnMut(usize, u64, Name<'_>)| {
            for (index, (identity, home)) in self.identities.iter().zip(&self.homes).enumerate() {
                names_of(identity, *home, &mut |(domain, name)| {
                    if domain.is_some() || !name.is_empty() {
                        let of_domain = domain.map_or(0, |domain| domain as u64 + 1);
                        take(index, number(name) ^ of_domain.rotate_right(16), (domain, name));
                    }
                });
            }
        };
        let mut numbers = Vec::with_capacity(self.identities.len());
        each(&mut |_, number, _| numbers.push(number));
        numbers.sort_unstable();
        let repeated = numbers.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        let repeated: BTreeSet<u64> = repeated.collect();
        let mut keys = Vec::new();
        if !repeated.is_empty() {
            each(&mut |index, number, name| {
                keys.extend(repeated.contains(&number).then(|| (key(name), index)));
            });
        }
        keys.sort_unstable();
        let groups = keys.chunk_by(|(a, _), (b, _)| a == b).filter(|group| group.len() > 1);
        groups.map(|group| group.iter().map(|(_, index)| *index).collect()).collect()
    }

    fn join(&mut self, shared: Vec<Vec<usize>>) {
        for group in shared {
            let roots: BTreeSet<usize> = group.iter().map(|&index| self.root(index)).collect();
            self.unite_all(&roots);
        }
    }

    /// Unites what no SID tells apart; with several SIDs only those without one come together.
    fn unite_all(&mut self, roots: &BTreeSet<usize>) {
        let sids = roots.iter().filter_map(|&root| Some(self.sid[root]?.to_lowercase()));
        let sids: BTreeSet<String> = sids.collect();
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
        if !identities.iter().copied().any(is_bare) {
            return;
        }
        for group in self.sharing(&|i, _, each| sams(i).for_each(|sam| each((None, sam)))) {
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
        let mut id_of_root: Vec<Option<AccountId>> = vec![None; self.identities.len()];
        let mut members: Vec<Vec<&Identity>> = Vec::new();
        let mut ids = Vec::with_capacity(self.identities.len());
        for index in 0..self.identities.len() {
            let root = self.root(index);
            let id = *id_of_root[root].get_or_insert_with(|| {
                members.push(Vec::new());
                members.len() - 1
            });
            ids.push(id);
            members[id].push(self.identities[index]);
        }
        let list: Vec<Account> =
            members.par_iter().map(|identities| account(identities, &domains)).collect();
        let all = || list.iter().enumerate();
        let ((by_sid, by_sam), ((by_upn, by_smtp), by_local)) = rayon::join(
            || {
                let sids = all().filter_map(|(id, a)| Some((a.sid.as_deref()?, id)));
                let sams = all().flat_map(|(id, a)| borne(id, &a.sam_account_names));
                (Bearers::new(sids), Bearers::new(sams))
            },
            || {
                let upns = all().flat_map(|(id, a)| borne(id, &a.user_principal_names));
                let smtp = all().flat_map(|(id, a)| borne(id, &a.smtp));
                let locals = all().flat_map(|(id, a)| {
                    a.local_names().chain(a.sid.as_deref()).map(move |name| (name, id))
                });
                ((Bearers::new(upns), Bearers::new(smtp)), Bearers::new(locals))
            },
        );
        let mut bare: BTreeMap<String, Vec<AccountId>> = BTreeMap::new();
        for (id, account) in all().filter(|(_, a)| a.is_bare() && a.domain.is_none()) {
            for name in account.sam_account_names.iter().chain(&account.smtp) {
                bare.entry(name.clone()).or_default().push(id);
            }
        }
        let accounts = Accounts {
            list,
            domains,
            by_sid,
            by_sam,
            by_upn,
            by_smtp,
            by_local,
            bare,
            ..Accounts::default()
        };
        (accounts, ids)
    }
}

fn borne(id: AccountId, names: &[String]) -> impl Iterator<Item = (&str, AccountId)> {
    names.iter().map(move |name| (name.as_str(), id))
}

/// A name as it is compared.
fn key((domain, name): Name<'_>) -> String {
    let name = name.to_lowercase();
    domain.map_or_else(|| name.clone(), |domain| format!("{domain}\\{name}"))
}

/// Names in lower case, in order, each once. There are thousands of such lists, most of one name: no room for more.
fn names<'a, I: Iterator<Item = &'a String>>(of: impl Fn() -> I) -> Vec<String> {
    let mut names = Vec::with_capacity(of().count());
    names.extend(lower(of()));
    names.sort_unstable();
    names.dedup();
    names
}

/// The account that some identities are.
fn account(identities: &[&Identity], domains: &Domains) -> Account {
    let all = || identities.iter();
    let mut account = Account {
        sid: all().find_map(|identity| identity.sid.clone()),
        domain: all().find_map(|identity| domains.find(identity.domain.as_deref()?)),
        sam_account_names: names(|| all().flat_map(|identity| sams(identity))),
        user_principal_names: names(|| all().flat_map(|identity| upns(identity))),
        smtp: names(|| all().flat_map(|identity| &identity.smtp)),
        distinguished_names: names(|| all().flat_map(|identity| &identity.distinguished_name)),
        ..Account::default()
    };
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
            let names = account.user_principal_names.first().or(account.smtp.first());
            let names = names.or(account.distinguished_names.first()).or(account.sid.as_ref());
            names.cloned().unwrap_or_else(|| "(no name)".into())
        }
    }
}
