//! What the logs of the front ends leave open: servers that were seen and not supplied, what HttpProxy alone cannot
//! show, and where two logs of one request differ.

use super::super::Run;
use super::super::fronts::HELD_BACK;
use crate::account::Resolution;
use crate::collect::Strange;
use crate::collect::names::host_name;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Notes of one kind, each about a name.
const MOST: usize = 20;

/// One sentence each.
pub fn notes(run: &Run<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(without_w3c(run));
    notes.extend(after_w3c(run));
    notes.extend(not_supplied(run));
    notes.extend(of_two_domains(run));
    notes.extend(disagreeing(run));
    notes.extend(crowded(run));
    notes.extend(forwarded(run));
    notes.extend(strange(run));
    notes.extend(several_sids(run));
    notes.extend(shared(run));
    notes.extend(impersonated(run));
    notes
}

/// IIS turns down a wrong password before Exchange sees the request.
fn without_w3c(run: &Run<'_>) -> Option<String> {
    let servers: BTreeSet<&str> = run
        .collected
        .fronts
        .keys()
        .map(|(server, _)| server.as_str())
        .filter(|server| !run.fronts.servers.iter().any(|known| known == server))
        .collect();
    let names = servers.into_iter().collect::<Vec<_>>().join(", ");
    (!names.is_empty()).then(|| {
        format!(
            "{names}: only logs of HttpProxy: a logon that was turned down is anonymous there, so it cannot be seen \
             whether somebody was refused since, nor how often; add the IIS logs of site 1 (W3SVC1)"
        )
    })
}

/// The same where HttpProxy goes on after the end of the web log.
fn after_w3c(run: &Run<'_>) -> Vec<String> {
    let mut ends: BTreeMap<&str, DateTime<Utc>> = BTreeMap::new();
    for (server, _) in run.collected.fronts.keys() {
        let Some(web) = run.fronts.web(server) else { continue };
        let goes_on = |index: u32| {
            let span = run.fronts.coverage.of(index);
            span.is_some_and(|span| span.to - web.to > HELD_BACK)
        };
        if run.fronts.indexes_of(server).any(goes_on) {
            ends.insert(server, web.to);
        }
    }
    let note = |(server, end): (&str, DateTime<Utc>)| {
        format!(
            "{server}: the IIS log ends at {}, and HttpProxy goes on: since then a logon that was turned down cannot be \
             seen; add newer IIS logs",
            end.format("%F %T UTC")
        )
    };
    ends.into_iter().map(note).collect()
}

/// Servers that requests were passed on to, or came from, and that may be front ends themselves.
pub fn not_supplied(run: &Run<'_>) -> Vec<String> {
    let is_known = |name: &str| {
        run.fronts.servers.iter().any(|known| known == name)
            || run.collected.fronts.keys().any(|(server, _)| server == name)
            || run.collected.back_ends.contains(name)
    };
    let named = run.collected.targets.iter().map(|name| host_name(name));
    let named: BTreeSet<String> =
        named.filter(|name| !name.is_empty() && !is_known(name)).collect();
    let (addresses, names): (Vec<&str>, Vec<&str>) =
        named.iter().map(String::as_str).partition(|name| address(name).is_some());
    let own: BTreeSet<IpAddr> = run
        .collected
        .logs
        .values()
        .flat_map(|log| log.addresses.keys())
        .filter_map(|s_ip| address(s_ip))
        .collect();
    let is_strange = |text: &&str| {
        address(text).is_some_and(|address| tells_a_server(address) && !own.contains(&address))
    };
    let addresses: Vec<&str> = addresses.into_iter().filter(is_strange).collect();
    let by_name = (!names.is_empty()).then(|| {
        format!(
            "{}: named by other servers as one of theirs, but no log of it was supplied: whoever was served there is \
             not seen; add its W3SVC1 folder if clients can reach it",
            super::first_few(&names)
        )
    });
    let by_address = (!addresses.is_empty()).then(|| {
        format!(
            "{}: requests were passed on from there, and no IIS log that was supplied is of that address: if it is \
             another server, whoever was served there is not seen; add its W3SVC1 folder",
            super::first_few(&addresses)
        )
    });
    by_name.into_iter().chain(by_address).collect()
}

/// An address as logged, without a zone.
fn address(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.split('%').next()?.parse().ok()?;
    Some(address.to_canonical())
}

/// Each server has loopback and link-local addresses, and passes requests on to itself by them.
fn tells_a_server(address: IpAddr) -> bool {
    !address.is_loopback()
        && match address {
            IpAddr::V4(address) => !address.is_link_local(),
            IpAddr::V6(address) => !address.is_unicast_link_local(),
        }
}

/// Addresses where a refusal may be any client's of an account.
fn crowded(run: &Run<'_>) -> Option<String> {
    let clients = &run.collected.book.clients;
    let rows = run.cases.iter().flat_map(|case| &case.rows);
    let doubtful = rows.filter(|row| row.access.may_be_another_clients());
    let addresses: BTreeSet<&str> =
        doubtful.map(|row| clients.get(row.access.client).address().as_str()).collect();
    let addresses: Vec<&str> = addresses.into_iter().filter(|text| !text.is_empty()).collect();
    (!addresses.is_empty()).then(|| {
        format!(
            "{}: several users come from there with the same user agent, as from behind a load balancer, so that a \
             client without a device id cannot be told from others, and a refusal is no proof of what it was served \
             before; log X-Forwarded-For in IIS",
            super::first_few(&addresses)
        )
    })
}

/// A client can write the header itself, so nothing is more than told apart by it.
fn forwarded(run: &Run<'_>) -> Option<String> {
    let clients = &run.collected.book.clients;
    // Clients are fewer than rows.
    if clients.iter().all(|client| client.forwarded.is_empty()) {
        return None;
    }
    let rows = run.cases.iter().flat_map(|case| &case.rows);
    let mut told = rows.map(|row| clients.get(row.access.client));
    told.any(|client| !client.forwarded.is_empty()).then(|| {
        "addresses of clients are those that X-Forwarded-For tells, where IIS logs it: a load balancer writes it, but \
         a client can too; they tell clients apart, and prove nothing"
            .to_owned()
    })
}

/// Servers that only their domain tells apart, which a web log does not have.
fn of_two_domains(run: &Run<'_>) -> Vec<String> {
    let mut hosts = run.hosts();
    let events = run.evidence.values().flat_map(|evidence| &evidence.restarts);
    for name in events.filter_map(|restart| restart.computer.as_ref()) {
        if let Some(known) = hosts.get_mut(&host_name(name)) {
            known.insert(name.trim_end_matches('.').to_uppercase());
        }
    }
    let note = |(short, names): (&String, &BTreeSet<String>)| {
        let full: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| name.contains('.')).collect();
        (full.len() > 1 && !is_address(short)).then(|| {
            format!(
                "{short}: sources name it {}, and if these are several servers, they are taken for one: analyze each domain \
                 by itself",
                super::first_few(&full)
            )
        })
    };
    hosts.iter().filter_map(note).collect()
}

fn is_address(name: &str) -> bool {
    address(name).is_some()
}

fn disagreeing(run: &Run<'_>) -> Option<String> {
    let n = run.collected.joined.contradicted;
    (n > 0).then(|| {
        format!(
            "{n} request(s) are one user's in the IIS log and another one's in HttpProxy: they are told as possible only"
        )
    })
}

/// Requests under an account's name that are another account's by their SID.
fn strange(run: &Run<'_>) -> Vec<String> {
    let strange = &run.collected.strange;
    let note = |(strange, (n, _)): (&Strange, &(u64, DateTime<Utc>))| {
        let display = run.directory.accounts.list[strange.account].display.as_str();
        let (name, sid) = (&strange.name, &strange.sid);
        format!(
            "{n} request(s) by `{name}` have SID {sid} in HttpProxy, which no source knows and which is not {display}'s: of an \
             account made again under the name, or of another forest, so not taken for {display}'s; add a directory export"
        )
    };
    let mut notes: Vec<String> = strange.iter().take(MOST).map(note).collect();
    if strange.len() > MOST {
        notes.push(format!(
            "and {} more names with a SID that no source knows",
            strange.len() - MOST
        ));
    }
    notes
}

/// Accounts of which only their name is known, which HttpProxy shows to be several accounts'.
fn several_sids(run: &Run<'_>) -> impl Iterator<Item = String> {
    let several = run.collected.sids.iter().filter(|(_, sids)| sids.len() > 1);
    several.take(MOST).map(|(&account, sids)| {
        let display = run.directory.accounts.list[account].display.as_str();
        let sids: Vec<&str> = sids.iter().map(String::as_str).collect();
        format!(
            "{display}: HttpProxy has several SIDs under its names ({}), and no source tells which one is its own, so whatever \
             was served under them is told as possible only; add a directory export",
            super::first_few(&sids)
        )
    })
}

/// Names that clients of several accounts typed.
fn shared(run: &Run<'_>) -> Option<String> {
    let names: Vec<&str> = run.shared.keys().map(String::as_str).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{}: by HttpProxy several accounts log on with it, so what only the IIS log has under it, as refusals, is taken \
             for nobody's",
            super::first_few(&names)
        )
    })
}

/// Rights of a watched account in the hands of somebody else, which is not its own access (DOMAIN.md 3.2).
fn impersonated(run: &Run<'_>) -> Vec<String> {
    let accounts = &run.directory.accounts;
    let who = |name: &str| match accounts.resolve(name, None) {
        Resolution::One(id) => Some(id),
        _ => None,
    };
    let mut by_pair: BTreeMap<(String, &str), (usize, u64)> = BTreeMap::new();
    for (told, &(source, n)) in &run.collected.impersonated {
        let (Some(owner), user) = (who(&told.acted_as), who(&told.user)) else { continue };
        // EWS writes the user of every request there, in whatever spelling.
        if user == Some(owner) || !run.watched.contains(&owner) {
            continue;
        }
        let user = user.map_or(told.user.clone(), |id| accounts.list[id].display.clone());
        let display = accounts.list[owner].display.as_str();
        by_pair.entry((user, display)).or_insert((source, 0)).1 += n;
    }
    let note = |((user, owner), (source, n)): ((String, &str), (usize, u64))| {
        format!(
            "{user} made {n} request(s) of EWS with the rights of {owner} ({}): that is not {owner}'s own access, and no \
             change to {owner} ends it",
            run.files[source].source.path
        )
    };
    by_pair.into_iter().map(note).collect()
}
