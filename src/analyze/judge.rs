//! What was collected to judged cases: rows by account, and the indexes that all of them share.

use super::Run;
use crate::account::AccountId;
use crate::case::{self, World};
use crate::clocks;
use crate::collect;
use crate::collect::book::{Access, Table};
use crate::collect::clients::{self, Claim};
use crate::collect::minutes::Presence;
use crate::collect::names::{host_name, is_one_host};
use crate::correlate::{Clock, Logon, Rules, Strangers};
use crate::read::Evidence;
use crate::schemes::{self, Configuration, Settings};
use crate::workers::{self, Pool, logons};
use chrono::{DateTime, Utc};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use stillin_parsers::event::Restart;

impl Run<'_> {
    /// Judges every account that the logs know.
    pub(super) fn judge(&mut self) {
        let identities = clients::identities(&self.collected.book);
        // None of them depends on another one.
        let (crowded, (claims, settings)) = rayon::join(
            || self.crowded(&identities),
            || rayon::join(|| self.claims(), || self.settings()),
        );
        self.settings = settings;
        let mut accesses = std::mem::take(&mut self.collected.book.accesses);
        crowded.into_iter().for_each(|row| accesses[row].is_claimed = true);
        accesses.extend(claims.into_iter().map(claimed));
        clients::mark_typed(&mut accesses, &identities);
        let order = by_account_and_time(&accesses);
        let by_account: Vec<&[Ordered]> = order.chunk_by(|a, b| a.account == b.account).collect();
        let book = &self.collected.book;
        let mut pools: Table<Pool> = Table::default();
        let pool_of_key: Vec<u32> =
            book.keys.iter().map(|key| pools.number((key.server.clone(), key.pool))).collect();
        let mut addresses: Table<IpAddr> = Table::default();
        let address_of_client: Vec<Option<u32>> = book
            .clients
            .iter()
            .map(|client| Some(addresses.number(address(&client.c_ip)?)))
            .collect();
        let fallback = self.args.reading.server.as_deref();
        let logon_presence = self.logon_presence();
        let restarts = self.restarts();
        let servers = self.fronts.server_of.iter();
        let clocks: Vec<Clock> =
            servers.map(|server| clocks::of_server(&self.offsets, server)).collect();
        let world = World {
            accounts: &self.directory.accounts,
            changes: &self.directory.changes,
            by_design: &self.directory.by_design,
            enabled_since_unknown: &self.directory.enabled_since_unknown,
            book,
            server_of_key: &book
                .keys
                .iter()
                .map(|key| self.fronts.index_of(key))
                .collect::<Vec<_>>(),
            pool_of_key: &pool_of_key,
            identity_of_client: &identities,
            coverage: &self.fronts.coverage,
            restarts: &workers::restarts(&restarts, &self.collected.hints, fallback, &pools),
            logons: &self.logons(&addresses),
            strangers: &self.strangers(&addresses),
            address_of_client: &address_of_client,
            logon_coverage: &self.fronts.coverage_of(&logon_presence),
            rules: Rules { ttl: self.args.ttl, slack: self.args.slack },
            since: self.args.since,
            until: self.args.until,
            settings: &self.settings.of_key,
            clocks: &clocks,
        };
        let cuts = case::cuts_by_account(&self.directory.changes, self.passwords_from);
        let is_sure = |row: &&Access| row.refusal.is_none() && !row.is_ambiguous;
        let judged: Vec<_> = by_account
            .into_par_iter()
            .filter_map(|of_account| {
                let account = of_account.first()?.account;
                let rows: Vec<Access> = of_account.iter().map(|at| accesses[at.row()]).collect();
                let served = rows.iter().filter(is_sure).map(|row| row.end).max();
                let case = cuts.get(&account);
                let case = case.map(|cuts| case::judge(account, cuts, &rows, &world));
                Some((served.map(|served| (account, served)), case))
            })
            .collect();
        let (served, cases): (Vec<_>, Vec<_>) = judged.into_iter().unzip();
        self.served = served.into_iter().flatten().collect();
        self.cases = cases.into_iter().flatten().collect();
        self.collected.book.accesses = accesses;
    }

    /// Restarts that events tell of; the source of those known beside the sources stands behind the last of them.
    pub(super) fn restarts(&self) -> Vec<workers::Told> {
        let hosts = self.hosts();
        let of = |(&source, evidence): (&usize, &Evidence)| {
            let told = |restart: Restart| workers::Told {
                source,
                may_be_anothers: restart.computer.as_ref().is_some_and(|name| {
                    hosts
                        .get(&host_name(name))
                        .is_some_and(|known| !known.iter().any(|known| is_one_host(known, name)))
                }),
                restart,
            };
            evidence.restarts.clone().into_iter().map(told).collect::<Vec<_>>()
        };
        let beside = self.restarts_beside.iter().map(|restart| workers::Told {
            source: self.files.len(),
            restart: restart.clone(),
            may_be_anothers: false,
        });
        self.evidence.iter().flat_map(of).chain(beside).collect()
    }

    /// The names that folders and the user give the logs of each server, by their first label.
    pub(super) fn hosts(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut hosts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let of_all = self.args.reading.server.as_deref();
        for name in self.files.iter().filter_map(|file| collect::named(file, of_all)) {
            let full = name.trim_end_matches('.').to_uppercase();
            hosts.entry(host_name(&name)).or_default().insert(full);
        }
        hosts
    }

    /// When each server's Security log wrote logons by workers.
    pub(super) fn logon_presence(&self) -> BTreeMap<String, Presence> {
        let sources = self.evidence.values().map(|evidence| &evidence.logons);
        logons::presence(sources, self.args.reading.server.as_deref())
    }

    /// What the pools let clients log on with.
    fn settings(&self) -> Settings {
        let read: Vec<_> = self
            .evidence
            .iter()
            .filter(|(_, evidence)| !evidence.directories.is_empty())
            .map(|(&source, evidence)| Configuration {
                source,
                path: &self.files[source].source.path,
                directories: &evidence.directories,
            })
            .collect();
        let collected = &self.collected;
        let by_web = collected.presence.keys().map(|(server, _)| server);
        let by_proxy = collected.fronts.keys().map(|(server, _)| server);
        let servers = by_web.chain(by_proxy).chain(&collected.back_ends).map(String::as_str);
        let servers: BTreeSet<&str> = servers.collect();
        let fallback = self.args.reading.server.as_deref();
        schemes::settings(&self.args.auth, &read, &servers, fallback, &collected.book)
    }

    /// Logons of watched accounts, with the servers and addresses that requests are judged with.
    fn logons(&self, addresses: &Table<IpAddr>) -> BTreeMap<AccountId, Vec<Logon>> {
        let sources = self.evidence.values().map(|evidence| &evidence.logons);
        let fallback = self.args.reading.server.as_deref();
        let accounts = &self.directory.accounts;
        let of_accounts = logons::of_accounts(sources, accounts, &self.watched, fallback);
        of_accounts
            .into_iter()
            .map(|(id, list)| {
                (id, list.into_iter().flat_map(|logon| self.logon(logon, addresses)).collect())
            })
            .collect()
    }

    /// The same of those under names that no source ties to anybody.
    fn strangers(&self, addresses: &Table<IpAddr>) -> Strangers {
        let sources = self.evidence.values().map(|evidence| &evidence.logons);
        let fallback = self.args.reading.server.as_deref();
        let list = logons::of_strangers(sources, &self.directory.accounts, fallback);
        Strangers::new(list.into_iter().flat_map(|logon| self.logon(logon, addresses)))
    }

    /// A logon with the servers and the address that requests are judged with.
    fn logon(&self, logon: logons::OfAccount, addresses: &Table<IpAddr>) -> Vec<Logon> {
        let address = logon.address.and_then(|address| addresses.place(&unmapped(address)));
        // From an address that no request has: somebody else's, which still asked for the password.
        let address = if logon.address.is_some() { address.or(Some(u32::MAX)) } else { None };
        let (at, refusal) = (logon.at, logon.refusal);
        let of = |server| Logon { at, server, address, refusal };
        self.fronts.indexes_of(&logon.server).map(of).collect()
    }
}

/// Where a row comes among those of its account.
#[derive(Clone, Copy)]
struct Ordered {
    account: AccountId,
    start: DateTime<Utc>,
    row: u32,
}

impl Ordered {
    /// Index of the row.
    fn row(self) -> usize {
        self.row as usize
    }
}

/// The order of rows by account, start and place. A row is large: what it is sorted by is taken out of it once.
fn by_account_and_time(rows: &[Access]) -> Vec<Ordered> {
    let n_accounts = rows.iter().map(|row| row.account + 1).max().unwrap_or(0);
    // Where those of each account end, and before they are written down, where they begin.
    let mut ends = vec![0_usize; n_accounts + 1];
    rows.iter().for_each(|row| ends[row.account + 1] += 1);
    (1..ends.len()).for_each(|account| ends[account] += ends[account - 1]);
    let Some(first) = rows.first() else { return Vec::new() };
    let of = |row: &Access, number| Ordered { account: row.account, start: row.start, row: number };
    let mut order = vec![of(first, 0); rows.len()];
    for (row, number) in rows.iter().zip(0..) {
        let end = &mut ends[row.account];
        order[*end] = of(row, number);
        *end += 1;
    }
    let place = |at: &Ordered| {
        let row = &rows[at.row()];
        (row.source, row.line, row.is_claimed, at.row)
    };
    order.par_chunk_by_mut(|a, b| a.account == b.account).for_each(|of_account| {
        of_account
            .sort_unstable_by(|a, b| a.start.cmp(&b.start).then_with(|| place(a).cmp(&place(b))));
    });
    order
}

/// Rows by account, start and place.
pub(super) fn sorted(rows: &[Access]) -> Vec<Access> {
    by_account_and_time(rows).into_iter().map(|at| rows[at.row()]).collect()
}

/// The refusal as one of the client that was served there before.
fn claimed(Claim { refusal, served, is_by_device }: Claim) -> Access {
    let (account, key, client) = (served.account, served.key, served.client);
    Access { account, key, client, is_claimed: !is_by_device, ..refusal }
}

/// An address as logged, without zone and port.
fn address(c_ip: &str) -> Option<IpAddr> {
    let text = c_ip.split('%').next()?;
    Some(unmapped(text.parse().ok()?))
}

/// `::ffff:203.0.113.7` is `203.0.113.7`.
fn unmapped(address: IpAddr) -> IpAddr {
    address.to_canonical()
}
