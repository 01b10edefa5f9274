//! Spellings of domains: `FABRIKAM`, `fabrikam.example` and the SIDs of one domain are one domain.

use std::collections::{BTreeMap, BTreeSet};

/// Index of a domain.
pub type DomainId = usize;

/// One domain under all its names, in lower case.
#[derive(Debug, Clone, Default)]
struct Domain {
    names: BTreeSet<String>,
    sid_prefixes: BTreeSet<String>,
}

impl Domain {
    fn absorb(&mut self, other: Domain) {
        self.names.extend(other.names);
        self.sid_prefixes.extend(other.sid_prefixes);
    }
}

/// All domains that any source told of.
#[derive(Debug, Default)]
pub struct Domains {
    list: Vec<Domain>,
    by_name: BTreeMap<String, DomainId>,
    by_label: Labels,
}

impl Domains {
    /// Learns from pairs of a domain name and the SID of an account in it; either may be missing.
    pub fn learn<'a>(told: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>) -> Domains {
        let mut list: Vec<Domain> = Vec::new();
        let mut known = BTreeSet::new();
        for (name, sid) in told {
            let Some(name) = name.filter(|name| !name.is_empty()) else { continue };
            let prefix = sid.and_then(sid_prefix);
            if known.insert((name, prefix)) {
                list.push(Domain {
                    names: BTreeSet::from([name.to_lowercase()]),
                    sid_prefixes: prefix.map(str::to_owned).into_iter().collect(),
                });
            }
        }
        let list = unite_alike(unite_sharing(list));
        let (mut by_name, mut by_label) = (BTreeMap::new(), Labels::new());
        for (id, domain) in list.iter().enumerate() {
            by_name.extend(domain.names.iter().map(|name| (name.clone(), id)));
            learn_labels(&mut by_label, id, domain);
        }
        Domains { list, by_name, by_label }
    }

    /// The domain that a source calls so.
    pub fn told(&self, name: &str) -> Option<DomainId> {
        self.by_name.get(name).copied()
    }

    /// The domain of a name: as told, or of a NetBIOS name the one that goes by it in DNS, where no source tells another
    /// NetBIOS name of that.
    pub fn find(&self, name: &str) -> Option<DomainId> {
        let name = name.to_lowercase();
        self.told(&name).or_else(|| self.alike(&name).filter(|_| !name.contains('.')))
    }

    /// The domain whose DNS name, which no source tells, a name may be. What stands behind `@` may as well be any suffix that
    /// somebody gave to a UPN, and there is `fabrikam.com` beside `fabrikam.local`.
    pub fn perhaps(&self, name: &str) -> Option<DomainId> {
        let name = name.to_lowercase();
        self.alike(&name).filter(|_| name.contains('.') && self.told(&name).is_none())
    }

    /// The only domain with that first label, if no source tells a name of the same form for it.
    fn alike(&self, name: &str) -> Option<DomainId> {
        let alike = self.by_label.get(&opposite(name))?;
        let id = *alike.first().filter(|_| alike.len() == 1)?;
        let is_of_form = |other: &String| other.contains('.') == name.contains('.');
        (!self.list[id].names.iter().any(is_of_form)).then_some(id)
    }

    /// The name to print: NetBIOS in capitals, else DNS.
    pub fn display(&self, id: DomainId) -> String {
        let names = self.list.get(id).map(|domain| &domain.names);
        let netbios = names.into_iter().flatten().find(|name| !name.contains('.'));
        let any = names.into_iter().flatten().next();
        netbios.map(|name| name.to_uppercase()).or(any.cloned()).unwrap_or_default()
    }
}

/// The first of a set, where each but that knows one that is nearer to it.
pub(super) fn root(parent: &mut [usize], mut of: usize) -> usize {
    while parent[of] != of {
        parent[of] = parent[parent[of]];
        of = parent[of];
    }
    of
}

/// Brings together what shares a name or a SID prefix, in the order of their first mention.
fn unite_sharing(list: Vec<Domain>) -> Vec<Domain> {
    let mut parent: Vec<usize> = (0..list.len()).collect();
    let mut first: BTreeMap<(bool, &str), usize> = BTreeMap::new();
    for (id, domain) in list.iter().enumerate() {
        let names = domain.names.iter().map(|name| (false, name.as_str()));
        let prefixes = domain.sid_prefixes.iter().map(|prefix| (true, prefix.as_str()));
        for key in names.chain(prefixes) {
            let other = *first.entry(key).or_insert(id);
            let (a, b) = (root(&mut parent, other), root(&mut parent, id));
            parent[a.max(b)] = a.min(b);
        }
    }
    let roots: Vec<usize> = (0..list.len()).map(|id| root(&mut parent, id)).collect();
    let mut united: BTreeMap<usize, Domain> = BTreeMap::new();
    for (domain, root) in list.into_iter().zip(roots) {
        united.entry(root).or_default().absorb(domain);
    }
    united.into_values().collect()
}

/// Brings together what shares a first label (`FABRIKAM` and `fabrikam.example`) that no third domain shares and no SID
/// contradicts.
fn unite_alike(list: Vec<Domain>) -> Vec<Domain> {
    let mut labels = Labels::new();
    for (id, domain) in list.iter().enumerate() {
        learn_labels(&mut labels, id, domain);
    }
    let only_alike = |id: usize| {
        let names = list[id].names.iter();
        let alike = names.filter_map(|name| labels.get(&opposite(name))).flatten().copied();
        let alike: BTreeSet<usize> = alike.filter(|other| *other != id).collect();
        alike.first().copied().filter(|_| alike.len() == 1)
    };
    let pair = |a: usize| {
        let b = only_alike(a).filter(|&b| a < b && only_alike(b) == Some(a))?;
        let told_apart = [a, b].iter().all(|&id| !list[id].sid_prefixes.is_empty());
        (!told_apart).then_some((b, a))
    };
    let pairs: BTreeMap<usize, usize> = (0..list.len()).filter_map(pair).collect();
    let mut united: BTreeMap<usize, Domain> = BTreeMap::new();
    for (id, domain) in list.into_iter().enumerate() {
        united.entry(pairs.get(&id).copied().unwrap_or(id)).or_default().absorb(domain);
    }
    united.into_values().collect()
}

/// By first label, and whether it is a DNS name's, the domains that have it.
type Labels = BTreeMap<(String, bool), BTreeSet<DomainId>>;

fn learn_labels(labels: &mut Labels, id: DomainId, domain: &Domain) {
    for name in &domain.names {
        labels.entry((first_label(name), name.contains('.'))).or_default().insert(id);
    }
}

/// Where those stand that a name may go by in its other form: a NetBIOS name by the first label of a DNS name.
fn opposite(name: &str) -> (String, bool) {
    (first_label(name), !name.contains('.'))
}

fn first_label(name: &str) -> String {
    name.split('.').next().unwrap_or_default().to_owned()
}

/// `S-1-5-21-a-b-c` of `S-1-5-21-a-b-c-1104`.
fn sid_prefix(sid: &str) -> Option<&str> {
    sid.starts_with("S-1-5-21-").then(|| sid.rsplit_once('-').map(|(prefix, _)| prefix)).flatten()
}
