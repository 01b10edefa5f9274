//! Logons on servers and their validations by domain controllers to how far the clocks of the two are apart: requests bear
//! the time of the server, changes that of a domain controller (DOMAIN.md 4.4, 7.7).

use crate::account::local_part;
use crate::collect::book::Table;
use crate::collect::names::host_name;
use crate::correlate::Clock;
use crate::readings::pack::{Pack, pack_struct};
use crate::workers::logons::Logons;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use stillin_parsers::event::Validation;
use stillin_parsers::windows::validations::Sought;

/// So many pairs make an estimate.
const ENOUGH: usize = 5;

/// Pairs agree if most of them (four of five) are no further from their median.
const AGREE: TimeDelta = TimeDelta::seconds(5);

/// Logons of one server whose validations are looked for in EVTX.
const SOUGHT: usize = 64;

/// Who asked a domain controller: 4776 has a name, 4768 an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Asker {
    Host(String),
    Address(IpAddr),
    Unknown,
}

/// The validations of a source, each text written once.
#[derive(Debug, Default)]
pub struct Validations {
    list: Vec<Entry>,
    names: Table<String>,
    controllers: Table<String>,
    askers: Table<Asker>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    at: DateTime<Utc>,
    name: u32,
    controller: u32,
    asker: u32,
    is_success: bool,
}

pack_struct! {
    Validations { list, names, controllers, askers }
    Entry { at, name, controller, asker, is_success }
}

impl Pack for Asker {
    fn pack(&self, to: &mut Vec<u8>) {
        match self {
            Asker::Host(name) => (Some(name.clone()), None),
            Asker::Address(address) => (None, Some(*address)),
            Asker::Unknown => (None, None),
        }
        .pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Asker> {
        Some(match Pack::unpack(from)? {
            (Some(name), _) => Asker::Host(name),
            (None, Some(address)) => Asker::Address(address),
            (None, None) => Asker::Unknown,
        })
    }
}

impl Validations {
    /// Takes a validation.
    pub fn take(&mut self, validation: Validation) {
        let Some(controller) = validation.computer.as_deref().map(host_name) else { return };
        let asker = match (validation.workstation, validation.address) {
            (Some(name), _) => Asker::Host(host_name(&name)),
            (None, Some(address)) => Asker::Address(address),
            (None, None) => Asker::Unknown,
        };
        self.list.push(Entry {
            at: validation.time,
            name: self.names.number(local_part(&validation.name).to_lowercase()),
            controller: self.controllers.number(controller),
            asker: self.askers.number(asker),
            is_success: validation.is_success,
        });
    }
}

/// A logon on a server.
type At = (DateTime<Utc>, String, bool);

/// Logons by name, in order of time.
fn by_name<'a>(
    logons: impl Iterator<Item = &'a Logons>,
    fallback: Option<&str>,
) -> BTreeMap<String, Vec<At>> {
    let mut by_name: BTreeMap<String, Vec<At>> = BTreeMap::new();
    for (who, at, server, is_success) in logons.flat_map(|logons| logons.each(fallback)) {
        let name = who.sam_account_name.as_deref().or(who.user_principal_name.as_deref());
        let name = local_part(name.unwrap_or_default()).to_lowercase();
        by_name.entry(name).or_default().push((at, server, is_success));
    }
    for list in by_name.values_mut() {
        list.sort();
        // The log of a server may lie there twice.
        list.dedup();
    }
    by_name
}

/// Those that are the only one of their name for a while: only of them it can be told which validation is theirs.
fn alone(list: &[At]) -> impl Iterator<Item = &At> {
    list.iter()
        .enumerate()
        .filter(|(n, (at, ..))| {
            let is_far = |other: Option<&At>| {
                other.is_none_or(|(other, ..)| (*other - *at).abs() > Sought::WINDOW)
            };
            is_far(n.checked_sub(1).and_then(|n| list.get(n))) && is_far(list.get(n + 1))
        })
        .map(|(_, logon)| logon)
}

/// Logons to look for the validations of: some of each server, all over the time.
pub fn sought<'a>(logons: impl Iterator<Item = &'a Logons>, fallback: Option<&str>) -> Sought {
    let mut by_server: BTreeMap<String, Vec<(DateTime<Utc>, String)>> = BTreeMap::new();
    for (name, list) in by_name(logons, fallback) {
        for (at, server, _) in alone(&list) {
            by_server.entry(server.clone()).or_default().push((*at, name.clone()));
        }
    }
    let some = by_server.into_values().flat_map(|mut list| {
        list.sort();
        let every = list.len().div_ceil(SOUGHT).max(1);
        list.into_iter().step_by(every)
    });
    Sought::new(some)
}

/// How the clock of a server stands to that of a domain controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offset {
    /// The server.
    pub server: String,
    /// The domain controller.
    pub controller: String,
    /// Logons that both have.
    pub n_pairs: usize,
    /// By so much the server is ahead, and how far pairs are from that (their median); `None` where they do not agree.
    pub ahead: Option<(TimeDelta, TimeDelta)>,
}

/// The offset of each server to each domain controller that have pairs enough, by name.
pub fn offsets<'a>(
    logons: impl Iterator<Item = &'a Logons>,
    validations: impl Iterator<Item = &'a Validations>,
    fallback: Option<&str>,
) -> Vec<Offset> {
    let logons = by_name(logons, fallback);
    let mut differences: BTreeMap<(&str, &str), BTreeMap<&Asker, Vec<TimeDelta>>> = BTreeMap::new();
    let validations = by_asker(validations, &logons);
    for ((name, controller, asker), times) in &validations {
        let Some(list) = logons.get(*name) else { continue };
        for (at, server, is_success) in alone(list) {
            if matches!(asker, Asker::Host(host) if host != server) {
                continue;
            }
            let Some((time, of_time)) = only_near(times, *at) else { continue };
            if of_time == *is_success && is_only_near(list, time) {
                let of_pair = differences.entry((server, controller)).or_default();
                of_pair.entry(asker).or_default().push(*at - time);
            }
        }
    }
    let offset = |((server, controller), by_asker): ((&str, &str), BTreeMap<_, Vec<TimeDelta>>)| {
        let estimates = by_asker.into_values().filter(|list| list.len() >= ENOUGH).map(estimate);
        // The server itself has asked for most; of other askers the times are of no order.
        let (n_pairs, ahead) = estimates.max_by_key(|(n, ahead)| (ahead.is_some(), *n))?;
        let (server, controller) = (server.to_owned(), controller.to_owned());
        Some(Offset { server, controller, n_pairs, ahead })
    };
    differences.into_iter().filter_map(offset).collect()
}

/// Times of validations and whether they succeeded, by name, domain controller and asker.
type ByAsker<'a> = BTreeMap<(&'a str, &'a str, &'a Asker), Vec<(DateTime<Utc>, bool)>>;

/// Validations under the names of logons; each of them once, though the log may lie there twice.
fn by_asker<'a>(
    validations: impl Iterator<Item = &'a Validations>,
    logons: &BTreeMap<String, Vec<At>>,
) -> ByAsker<'a> {
    let mut by_asker: ByAsker<'a> = BTreeMap::new();
    for of_source in validations {
        let is_wanted: Vec<bool> =
            of_source.names.iter().map(|name| logons.contains_key(name)).collect();
        for entry in of_source.list.iter().filter(|entry| is_wanted[entry.name as usize]) {
            let name = of_source.names.get(entry.name).as_str();
            let controller = of_source.controllers.get(entry.controller).as_str();
            let key = (name, controller, of_source.askers.get(entry.asker));
            by_asker.entry(key).or_default().push((entry.at, entry.is_success));
        }
    }
    for list in by_asker.values_mut() {
        list.sort();
        list.dedup();
    }
    by_asker
}

fn only_near(times: &[(DateTime<Utc>, bool)], at: DateTime<Utc>) -> Option<(DateTime<Utc>, bool)> {
    let from = times.partition_point(|(time, _)| *time < at - Sought::WINDOW);
    let to = times.partition_point(|(time, _)| *time <= at + Sought::WINDOW);
    match times.get(from..to)? {
        [one] => Some(*one),
        _ => None,
    }
}

fn is_only_near(list: &[At], time: DateTime<Utc>) -> bool {
    let from = list.partition_point(|(at, ..)| *at < time - Sought::WINDOW);
    let to = list.partition_point(|(at, ..)| *at <= time + Sought::WINDOW);
    to - from == 1
}

/// Number, median, and median distance from it, if they agree.
fn estimate(mut list: Vec<TimeDelta>) -> (usize, Option<(TimeDelta, TimeDelta)>) {
    let median = median(&mut list);
    let mut distances: Vec<TimeDelta> = list.iter().map(|d| (*d - median).abs()).collect();
    let n_agreeing = distances.iter().filter(|distance| **distance <= AGREE).count();
    let agree = n_agreeing * 5 >= list.len() * 4;
    (list.len(), agree.then(|| (median, self::median(&mut distances))))
}

fn median(list: &mut [TimeDelta]) -> TimeDelta {
    list.sort_unstable();
    list.get(list.len() / 2).copied().unwrap_or_default()
}

/// To whole seconds, as logs have them.
pub fn seconds(delta: TimeDelta) -> i64 {
    (delta.num_milliseconds() + 500).div_euclid(1000)
}

/// How far the clock of a server may be off. Which domain controller dated a change is not always known, and others may
/// have taken part, so the largest offset counts: it widens what is allowed for, and never narrows it.
pub fn of_server(offsets: &[Offset], server: &str) -> Clock {
    let of_server = offsets.iter().filter(|offset| offset.server == server);
    let known: BTreeSet<i64> =
        of_server.filter_map(|offset| Some(seconds(offset.ahead?.0))).collect();
    let most = |n: Option<i64>| TimeDelta::seconds(n.unwrap_or_default().max(0));
    Clock { ahead: most(known.last().copied()), behind: most(known.first().map(|n| -n)) }
}

#[cfg(test)]
mod tests;
