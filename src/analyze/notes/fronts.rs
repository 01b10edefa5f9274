//! What the logs of the front ends leave open: servers that were seen and not supplied, what HttpProxy alone cannot
//! show, and where two logs of one request differ.

use super::super::Run;
use crate::account::Resolution;
use crate::collect::Strange;
use crate::collect::names::host_name;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Notes of one kind, each about a name.
const MOST: usize = 20;

/// One sentence each.
pub fn notes(run: &Run<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(without_w3c(run));
    notes.extend(not_supplied(run));
    notes.extend(disagreeing(run));
    notes.extend(strange(run));
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

/// Servers that requests were passed on to, or came from, and that may be front ends themselves.
pub fn not_supplied(run: &Run<'_>) -> Option<String> {
    let is_known = |name: &String| {
        run.fronts.servers.contains(name)
            || run.collected.fronts.keys().any(|(server, _)| server == name)
            || run.collected.back_ends.contains(name)
    };
    let seen = run.collected.targets.iter().map(|name| host_name(name));
    let missing: BTreeSet<String> =
        seen.filter(|name| !name.is_empty() && !is_known(name)).collect();
    let names: Vec<&str> = missing.iter().map(String::as_str).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{}: named by other servers as one of theirs, but no log of it was supplied: whoever was served there is \
             not seen; add its W3SVC1 folder if clients can reach it",
            super::first_few(&names)
        )
    })
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
