//! What a run knows in clear, as `--pseudonymize` has to know it: names of accounts in every spelling, SIDs, addresses,
//! devices, and what stays.

use super::Run;
use crate::pseudonymize::Clear;
use std::collections::BTreeSet;
use stillin_parsers::directory::names;
use stillin_parsers::event::{Fact, Identity};
use stillin_reports::report::Report;

/// All of it.
pub fn clear(run: &Run<'_>, report: &Report) -> Clear {
    let mut clear = Clear::default();
    for told in &run.told {
        match &told.fact {
            Fact::Change(change) => {
                identity(&mut clear, &change.account);
                clear.names.extend(change.actor.clone());
            }
            Fact::Account { account, .. }
            | Fact::UserAccountControlSet { account, .. }
            | Fact::AccountExpiresSet { account, .. } => {
                identity(&mut clear, account);
            }
            Fact::Linked { account, master, .. } => {
                identity(&mut clear, account);
                identity(&mut clear, master);
            }
            // Of these nobody is in the report.
            Fact::Restart(_) | Fact::Logon(_) | Fact::Validation(_) | Fact::VirtualDirectory(_) => {
            }
        }
    }
    for account in &run.directory.accounts.list {
        clear.names.insert(account.display.clone());
        clear.names.extend(account.typed.iter().chain(account.former.keys()).cloned());
        clear.sids.extend(account.sid.clone());
    }
    logs(&mut clear, run);
    clear.names.extend(run.args.account.iter().chain(&run.learnt).cloned());
    clear.names.extend(run.typed.keys().chain(run.shared.keys()).cloned());
    clear.paths.extend(report.sources.iter().map(|source| source.path.clone()));
    clear.paths.extend(run.args.paths.iter().map(|path| path.display().to_string()));
    kept(&mut clear, report);
    clear
}

fn identity(clear: &mut Clear, identity: &Identity) {
    let Identity {
        sid,
        guid,
        domain,
        sam_account_name,
        user_principal_name,
        smtp,
        distinguished_name,
        former_sam_account_names,
        former_user_principal_names,
    } = identity;
    clear.sids.extend(sid.clone());
    clear.names.extend(guid.clone());
    clear.domains.extend(domain.clone());
    let qualified = |sam: &String| match domain {
        Some(domain) => format!("{domain}\\{sam}"),
        None => sam.clone(),
    };
    clear.names.extend(sam_account_name.iter().chain(former_sam_account_names).map(qualified));
    clear.names.extend(user_principal_name.iter().chain(former_user_principal_names).cloned());
    clear.names.extend(smtp.iter().cloned());
    if let Some(name) = distinguished_name {
        clear.names.insert(name.clone());
        distinguished(clear, name);
    }
}

/// The name of the person, and the domain, out of `CN=Ada Lovelace,OU=…,DC=fabrikam,DC=example`.
fn distinguished(clear: &mut Clear, name: &str) {
    let parts = names::parts(name);
    let labels = parts.iter().filter_map(|part| part.trim().split_once('='));
    let of = |kind: &str| -> Vec<&str> {
        let is_of_kind = |(key, _): &(&str, &str)| key.eq_ignore_ascii_case(kind);
        labels.clone().filter(is_of_kind).map(|(_, value)| value).collect()
    };
    // `Lovelace\, Ada` is written without the backslash everywhere else.
    clear.names.extend(of("CN").first().map(|name| name.replace("\\,", ",")));
    let domain = of("DC").join(".");
    clear.domains.extend(Some(domain).filter(|domain| !domain.is_empty()));
}

fn logs(clear: &mut Clear, run: &Run<'_>) {
    let collected = &run.collected;
    let book = &collected.book;
    for access in &book.accesses {
        clear.names.extend(access.name.map(|name| book.texts.get(name).clone()));
    }
    clear.names.extend(book.keys.iter().map(|key| key.name.clone()));
    for client in book.clients.iter() {
        clear.devices.insert(client.device.clone());
        clear.addresses.extend([client.c_ip.clone(), client.forwarded.clone()]);
    }
    for log in collected.logs.values() {
        clear.names.extend(log.namesakes.keys().cloned());
    }
    for strange in collected.strange.keys() {
        clear.names.insert(strange.name.clone());
        clear.sids.insert(strange.sid.clone());
    }
    clear.sids.extend(collected.sids.values().flatten().cloned());
    for who in collected.impersonated.keys() {
        clear.names.extend([who.user.clone(), who.acted_as.clone()]);
    }
}

/// Servers and pools, without which nobody could act on the plan.
fn kept(clear: &mut Clear, report: &Report) {
    let of_sources = report.sources.iter().filter_map(|source| source.server.clone());
    let of_coverage = report.coverage.iter().map(|coverage| coverage.server.clone());
    let mut kept: BTreeSet<String> = of_sources.chain(of_coverage).collect();
    for clock in &report.clocks {
        kept.extend([clock.server.clone(), clock.controller.clone()]);
    }
    for path in report.findings.iter().flat_map(|finding| &finding.paths) {
        kept.extend([path.server.clone(), path.pool.clone()]);
    }
    clear.kept = kept;
}
