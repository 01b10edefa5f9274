//! `--pseudonymize`: names, SIDs, addresses and devices into pseudonyms under a key, so that a report can leave the house.
//!
//! A pseudonym is a keyed hash (HMAC-SHA-256) of what it stands for, so that it is the same in every report that is made
//! with the same key, and tells nothing to whoever has not the key. Names keep their form, and all names of an account
//! have the token of its own one: `FABRIKAM\ada` is `dom-1a2b…\user-3f9a…`, `ada@fabrikam.example` is
//! `user-3f9a…@dom-1a2b…`. Servers and pools stay, or nobody could act on the plan.

mod encoding;
mod key;
mod report;
mod text;
mod timelines;
mod words;

pub use key::{Key, read as read_key};

use crate::account::{Accounts, Resolution};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

/// What a run knows in clear, from which texts are freed.
#[derive(Debug, Default)]
pub struct Clear {
    /// Names of accounts in any spelling.
    pub names: BTreeSet<String>,
    /// Domains by themselves.
    pub domains: BTreeSet<String>,
    /// SIDs.
    pub sids: BTreeSet<String>,
    /// Addresses of clients.
    pub addresses: BTreeSet<String>,
    /// Ids of devices.
    pub devices: BTreeSet<String>,
    /// Paths of sources, and those that the user named.
    pub paths: BTreeSet<String>,
    /// What stays: servers and pools.
    pub kept: BTreeSet<String>,
}

/// Pseudonyms of one run.
pub struct Pseudonyms<'a> {
    key: Key,
    accounts: &'a Accounts,
    /// What is replaced in texts, in lower case, and by what.
    known: BTreeMap<String, Known>,
    /// The domains among it.
    domains: BTreeSet<String>,
    /// First labels of domains, and those.
    labels: BTreeMap<String, String>,
    /// Texts that repeat from row to row.
    texts: RefCell<BTreeMap<String, String>>,
}

/// What is replaced wherever it stands apart.
struct Known {
    pseudonym: String,
    apart: Apart,
    /// A given name or a surname, which may be a word as well: not looked for in sentences of ours.
    is_part: bool,
}

/// What must not go on across the ends of something that is known, or it is something else: `ada` in `Canada`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Apart {
    /// A word.
    Word,
    /// A number: another address, another SID.
    Number,
    /// A hexadecimal number.
    Hexadecimal,
    /// It is so much its own that it is meant wherever it stands.
    Nothing,
}

/// Devices of so many signs with a digit among them, and of so many without, are called like nothing else.
const OWN_WITH_DIGIT: usize = 8;
const OWN: usize = 16;

impl Apart {
    fn of_address(address: &str) -> Apart {
        match address.trim().parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => Apart::Number,
            Ok(IpAddr::V6(_)) => Apart::Hexadecimal,
            Err(_) => Apart::Word,
        }
    }

    fn of_device(device: &str) -> Apart {
        let n = device.trim().chars().count();
        let has_digit = device.chars().any(|char| char.is_ascii_digit());
        let is_own = n >= OWN || n >= OWN_WITH_DIGIT && has_digit;
        if is_own { Apart::Nothing } else { Apart::Word }
    }

    fn of_name(name: &str) -> Apart {
        if is_sid(name) {
            return Apart::Number;
        }
        let Parts { domain, local, .. } = parts(name);
        let is_some = |text: &str| text.chars().any(char::is_alphanumeric);
        match domain {
            Some(domain) if is_some(domain) && is_some(local) => Apart::Nothing,
            _ => Apart::Word,
        }
    }
}

impl<'a> Pseudonyms<'a> {
    /// With all that is known in clear.
    pub fn new(key: Key, accounts: &'a Accounts, clear: &Clear) -> Self {
        let (known, domains, labels, texts) = Default::default();
        let mut all = Pseudonyms { key, accounts, known, domains, labels, texts };
        all.learn(clear);
        all
    }

    fn learn(&mut self, clear: &Clear) {
        let kept: BTreeSet<String> = clear.kept.iter().map(|name| name.to_lowercase()).collect();
        let learn = |all: &mut Self, text: &str, pseudonym: String, apart: Apart| {
            let text = text.trim().to_lowercase();
            if text.chars().any(char::is_alphanumeric) && !kept.contains(&text) {
                all.known.entry(text).or_insert(Known { pseudonym, apart, is_part: false });
            }
        };
        for domain in &clear.domains {
            let pseudonym = self.domain(domain);
            learn(self, domain, pseudonym, Apart::Word);
            self.domains.insert(domain.trim().to_lowercase());
        }
        for sid in &clear.sids {
            let pseudonym = self.sid(sid);
            learn(self, sid, pseudonym, Apart::Number);
        }
        for address in &clear.addresses {
            let pseudonym = self.address(address);
            // As names of hosts have it: `203-0-113-7.example`.
            if address.trim().parse::<Ipv4Addr>().is_ok() {
                learn(self, &address.replace('.', "-"), pseudonym.clone(), Apart::Number);
            }
            learn(self, address, pseudonym, Apart::of_address(address));
        }
        for device in &clear.devices {
            let pseudonym = self.device(device);
            learn(self, device, pseudonym, Apart::of_device(device));
        }
        for name in &clear.names {
            let pseudonym = self.name(name);
            learn(self, name, pseudonym, Apart::of_name(name));
            if let Parts { domain: Some(domain), .. } = parts(name) {
                let pseudonym = self.domain(domain);
                learn(self, domain, pseudonym, Apart::Word);
                self.domains.insert(domain.trim().to_lowercase());
            }
        }
        // A local part alone is the last to be learnt: the whole of a text may be another one's name.
        for name in &clear.names {
            let Parts { local, .. } = parts(name);
            let pseudonym = self.user(name, local);
            learn(self, local, pseudonym, Apart::Word);
        }
        // `Ada's iPhone` of `Ada Lovelace` or `ada.lovelace`: whose of several, nobody knows.
        for part in clear.names.iter().flat_map(|name| words::of_name(parts(name).local)) {
            if !kept.contains(&part) {
                let pseudonym = self.token("name", &part);
                let known = Known { pseudonym, apart: Apart::Word, is_part: true };
                self.known.entry(part).or_insert(known);
            }
        }
        self.learn_labels(&kept);
        // A path is freed by the names above.
        for path in &clear.paths {
            let pseudonym = self.path(path);
            if pseudonym != *path {
                learn(self, path, pseudonym, Apart::Word);
            }
        }
    }

    /// `contoso` of `contoso.example`: the name that Windows gives a domain, unless somebody says another one.
    fn learn_labels(&mut self, kept: &BTreeSet<String>) {
        let labels =
            self.domains.iter().filter_map(|name| Some((words::label(name)?, name.clone())));
        let labels: BTreeMap<String, String> =
            labels.filter(|(label, _)| !kept.contains(label)).collect();
        self.labels.clone_from(&labels);
        for label in labels.into_keys() {
            let (pseudonym, apart) = (self.domain(&label), Apart::Word);
            let known = Known { pseudonym, apart, is_part: true };
            self.known.entry(label.clone()).or_insert(known);
            self.domains.insert(label);
        }
    }

    /// Which key it was: the same for all reports that can be compared.
    pub fn of_key(&self) -> String {
        self.token("key", "")
    }

    /// The name of an account in any spelling, in the same form.
    pub fn name(&self, name: &str) -> String {
        if !name.chars().any(char::is_alphanumeric) {
            return name.to_owned();
        }
        if is_sid(name) {
            return self.sid(name);
        }
        let Parts { domain, local, is_mail } = parts(name);
        let user = self.user(name, local);
        match domain {
            None => user,
            Some(domain) if is_mail => format!("{user}@{}", self.domain(domain)),
            Some(domain) => format!("{}\\{user}", self.domain(domain)),
        }
    }

    /// A security identifier.
    pub fn sid(&self, sid: &str) -> String {
        self.token("sid", sid)
    }

    /// The address of a client, which may be anything that a header said.
    pub fn address(&self, address: &str) -> String {
        match address.trim().parse::<IpAddr>() {
            Ok(parsed) => self.token("addr", &parsed.to_string()),
            Err(_) => self.token("addr", address),
        }
    }

    /// The id of a device.
    pub fn device(&self, device: &str) -> String {
        self.token("device", device)
    }

    /// A domain under any of its names, where sources tie them.
    fn domain(&self, domain: &str) -> String {
        let own = self.accounts.domain_name(domain.trim());
        let of_label = || self.labels.get(&domain.trim().to_lowercase()).cloned();
        self.token("dom", own.or_else(of_label).as_deref().unwrap_or(domain))
    }

    /// A name without its domain: the token of the account's own name, and what this spelling has beside it.
    fn user(&self, whole: &str, local: &str) -> String {
        let own = match self.accounts.resolve(whole, None) {
            Resolution::One(id) => own_part(&self.accounts.list[id].display),
            _ => None,
        };
        let local = local.trim().to_lowercase();
        match own {
            Some(own) if own != local => {
                let spelling = self.token("", &local);
                format!("{}.{}", self.token("user", &own), &spelling[1..=SPELLING])
            }
            _ => self.token("user", &local),
        }
    }

    fn token(&self, kind: &str, text: &str) -> String {
        if !kind.is_empty() && kind != "key" && text.trim().is_empty() {
            return String::new();
        }
        format!("{kind}-{}", self.key.hash(kind, &text.trim().to_lowercase()))
    }
}

/// Signs that tell one spelling of an account from the others.
const SPELLING: usize = 4;

/// A name in its parts.
struct Parts<'a> {
    domain: Option<&'a str>,
    local: &'a str,
    is_mail: bool,
}

fn parts(name: &str) -> Parts<'_> {
    let is_distinguished = name.trim_start().to_lowercase().starts_with("cn=");
    if let Some((domain, local)) = name.split_once('\\').filter(|_| !is_distinguished) {
        // `FABRIKAM\ada@fabrikam.example` is seen, too; its suffix is no name of a domain of its own.
        return Parts { domain: Some(domain), local, is_mail: false };
    }
    match name.rsplit_once('@').filter(|_| !is_distinguished) {
        Some((local, domain)) => Parts { domain: Some(domain), local, is_mail: true },
        None => Parts { domain: None, local: name, is_mail: false },
    }
}

/// What stands for an account among its names: its own name, without the domain.
fn own_part(display: &str) -> Option<String> {
    let own = parts(display).local.trim().to_lowercase();
    (!own.is_empty()).then_some(own)
}

fn is_sid(text: &str) -> bool {
    let text = text.trim();
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("S-1-"))
        && text[4..].chars().all(|c| c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests;
