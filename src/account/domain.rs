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

/// All domains that any source told of.
#[derive(Debug, Default)]
pub struct Domains {
    list: Vec<Domain>,
    by_name: BTreeMap<String, DomainId>,
}

impl Domains {
    /// Learns from pairs of a domain name and the SID of an account in it; either may be missing.
    pub fn learn<'a>(told: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>) -> Domains {
        let mut list: Vec<Domain> = Vec::new();
        let mut last = None;
        for (name, sid) in told {
            let Some(name) = name.filter(|name| !name.is_empty()) else { continue };
            // Most accounts are of the same domain as the one before.
            let told = Some((name, sid.and_then(sid_prefix)));
            if last == told {
                continue;
            }
            last = told;
            let name = name.to_lowercase();
            let prefix = sid.and_then(sid_prefix).map(str::to_owned);
            let home = list.iter().position(|domain| {
                domain.names.contains(&name)
                    || prefix.as_ref().is_some_and(|prefix| domain.sid_prefixes.contains(prefix))
            });
            let home = home.unwrap_or_else(|| {
                list.push(Domain::default());
                list.len() - 1
            });
            list[home].names.insert(name);
            list[home].sid_prefixes.extend(prefix);
        }
        let mut domains = Domains { list: unite(list), by_name: BTreeMap::new() };
        for (id, domain) in domains.list.iter().enumerate() {
            domains.by_name.extend(domain.names.iter().map(|name| (name.clone(), id)));
        }
        domains
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
        let mut alike = (0..self.list.len())
            .filter(|&id| self.list[id].names.iter().any(|other| same_label(name, other)));
        let id = alike.next().filter(|_| alike.next().is_none())?;
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

/// Brings together what shares a name, a SID prefix, or a first label (`FABRIKAM` and `fabrikam.example`) that
/// no third domain shares and no SID contradicts.
fn unite(mut list: Vec<Domain>) -> Vec<Domain> {
    loop {
        let pair = (0..list.len()).find_map(|a| {
            (a + 1..list.len()).find(|&b| belong_together(&list, a, b)).map(|b| (a, b))
        });
        let Some((a, b)) = pair else { return list };
        let other = list.remove(b);
        list[a].names.extend(other.names);
        list[a].sid_prefixes.extend(other.sid_prefixes);
    }
}

fn belong_together(list: &[Domain], a: usize, b: usize) -> bool {
    let (left, right) = (&list[a], &list[b]);
    if !left.names.is_disjoint(&right.names) || !left.sid_prefixes.is_disjoint(&right.sid_prefixes)
    {
        return true;
    }
    let told_apart = !left.sid_prefixes.is_empty() && !right.sid_prefixes.is_empty();
    let alike = |x: &Domain, y: &Domain| {
        x.names.iter().any(|name| y.names.iter().any(|other| same_label(name, other)))
    };
    let third = (0..list.len())
        .any(|c| c != a && c != b && (alike(left, &list[c]) || alike(right, &list[c])));
    !told_apart && alike(left, right) && !third
}

/// A NetBIOS name and the first label of a DNS name.
fn same_label(a: &str, b: &str) -> bool {
    let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    a.contains('.') != b.contains('.') && first(a) == first(b)
}

/// `S-1-5-21-a-b-c` of `S-1-5-21-a-b-c-1104`.
fn sid_prefix(sid: &str) -> Option<&str> {
    sid.starts_with("S-1-5-21-").then(|| sid.rsplit_once('-').map(|(prefix, _)| prefix)).flatten()
}
