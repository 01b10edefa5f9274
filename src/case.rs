//! One account's rows to classed rows, findings and paths.

mod design;
mod path;

pub use path::{Path, State};

use crate::account::{AccountId, Accounts, Resolution};
use crate::change::{Change, Design};
use crate::collect::book::{Access, Book};
use crate::correlate::coverage::Coverage;
use crate::correlate::{
    self, Auth, Class, Classed, Clock, Cut, Evidence, Logon, Logons, Residual, Restarts, Rules,
    Speaks, Strangers,
};
use crate::schemes::{By, Setting};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use stillin_parsers::event::{ChangeKind, Pos, Precision};
use stillin_parsers::exchange::{self, Scheme};

/// Indexes that the whole run shares.
pub struct World<'a> {
    /// All accounts.
    pub accounts: &'a Accounts,
    /// All changes, by time.
    pub changes: &'a [Change],
    /// The disables that are by design, as indexes of changes.
    pub by_design: &'a BTreeMap<usize, Design>,
    /// Disabled accounts of which a source says, and not of when, that they are enabled.
    pub enabled_since_unknown: &'a BTreeMap<AccountId, (usize, Pos)>,
    /// All rows and their texts.
    pub book: &'a Book,
    /// For each key of the book its server's index in the coverage.
    pub server_of_key: &'a [u32],
    /// For each key of the book its server and pool, an index into the restarts.
    pub pool_of_key: &'a [u32],
    /// For each client of the book the number of its address, as in the logons.
    pub address_of_client: &'a [Option<u32>],
    /// For each client of the book, which device or which address and user agent it is.
    pub identity_of_client: &'a [u32],
    /// What the logs can speak about.
    pub coverage: &'a Coverage,
    /// When workers ended.
    pub restarts: &'a Restarts,
    /// Logons by account, each in order of time.
    pub logons: &'a BTreeMap<AccountId, Vec<Logon>>,
    /// Logons under names that no source ties to anybody.
    pub strangers: &'a Strangers,
    /// Within which spans a server's Security log would show a logon.
    pub logon_coverage: &'a Coverage,
    /// For each server of the coverage how far its clock is off.
    pub clocks: &'a [Clock],
    /// For each key of the book what its pool lets clients log on with, where that is known.
    pub settings: &'a [Option<Setting>],
    /// The rules.
    pub rules: Rules,
    /// Requests that ended before are evidence of chains, and nothing more.
    pub since: Option<DateTime<Utc>>,
    /// What came later is not looked at: it changes nothing for the requests until then, and not what they left.
    pub until: Option<DateTime<Utc>>,
}

/// What one account's requests came to.
pub struct Case {
    /// Whose.
    pub account: AccountId,
    /// Classed rows, in order of start.
    pub rows: Vec<Row>,
    /// Residual access, by change.
    pub findings: Vec<Finding>,
    /// What is none because the account is disabled by design.
    pub by_design: Vec<Finding>,
}

/// A classed row.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The request.
    pub access: Access,
    /// The change in effect, an index into all changes.
    pub change: usize,
    /// Class.
    pub class: Class,
    /// Residual, seen from the end of its run.
    pub residual: Residual,
    /// What speaks for and against.
    pub speaks: Speaks,
    /// What its pool lets clients log on with, as far as that is known.
    pub scheme: Scheme,
}

/// One change with residual access.
pub struct Finding {
    /// Index of the change.
    pub change: usize,
    /// Its paths, by key.
    pub paths: Vec<Path>,
}

/// Judges one account. `changes` are the indexes of its changes that bear on access, `accesses` its rows in order of
/// start, source and line.
pub fn judge(
    account: AccountId,
    changes: &[usize],
    accesses: &[Access],
    world: &World<'_>,
) -> Case {
    let cuts: Vec<Cut> = changes
        .iter()
        .map(|&change| &world.changes[change])
        .map(|change| Cut {
            kind: change.kind,
            at: change.at,
            precision: change.precision,
            disputed_until: change.disputed_until,
            is_reset_by_other: change.kind == ChangeKind::PasswordReset
                && !is_by_itself(change, world.accounts),
        })
        .collect();
    let requests = accesses.iter().map(|access| request(access, world));
    let mut classed: Vec<Classed> = Vec::with_capacity(accesses.len());
    let logons = world.logons.get(&account).map_or(&[][..], Vec::as_slice);
    let evidence = Evidence {
        coverage: world.coverage,
        restarts: world.restarts,
        logons: Logons {
            list: logons,
            coverage: world.logon_coverage,
            strangers: may_be_stranger(account, world).then_some(world.strangers),
        },
        clocks: world.clocks,
    };
    let runs = correlate::correlate(&cuts, requests, &evidence, &world.rules, |c| classed.push(c));
    // Rows are large: no room that grows step by step.
    let mut rows: Vec<Row> = Vec::with_capacity(classed.len());
    let kept = classed
        .into_iter()
        .filter(|c| world.since.is_none_or(|since| accesses[c.request].end >= since))
        .map(|c| correlate::settle(c, &runs))
        .map(|c| if may_be_enabled(account, &c, changes, world) { c.perhaps_enabled() } else { c })
        .map(|c| Row {
            access: accesses[c.request],
            change: changes[c.change],
            class: c.class,
            residual: c.residual,
            speaks: c.speaks,
            scheme: scheme(&accesses[c.request], world),
        });
    rows.extend(kept);
    let by_design = design::set_apart(&mut rows, changes, world);
    let mut findings = path::findings(&rows, world);
    findings.iter_mut().for_each(|finding| restore(finding, changes, world));
    Case { account, rows, findings, by_design }
}

/// Where the account was enabled again after the last access, there is nothing to be cut any more.
fn restore(finding: &mut Finding, changes: &[usize], world: &World<'_>) {
    let restores = |&&change: &&usize| {
        let change = &world.changes[change];
        matches!(change.kind, ChangeKind::Enabled | ChangeKind::Prolonged)
            && change.precision == Precision::Exact
    };
    let cut = &world.changes[finding.change];
    for path in finding.paths.iter_mut().filter(|_| cut.kind.disables()) {
        let server = world.server_of_key[path.key as usize] as usize;
        let ahead = world.clocks.get(server).copied().unwrap_or_default().ahead;
        let after = |at: &DateTime<Utc>| {
            *at > cut.at
                && *at + ahead >= path.goes_on.start
                && world.until.is_none_or(|until| *at <= until)
        };
        let times = changes.iter().filter(restores).map(|&change| &world.changes[change]);
        let times = times.map(|change| change.disputed_until.unwrap_or(change.at));
        path.restored = times.filter(after).min();
        let is_over = match path.state {
            State::Refused => true,
            State::Recycled => path.restart.map(|restart| restart.at) < path.restored,
            _ => false,
        };
        if path.restored.is_some() && !is_over {
            path.state = State::Expired;
        }
    }
}

/// The actor is the account: with the right to, a user can reset the own password as an administrator would.
fn is_by_itself(change: &Change, accounts: &Accounts) -> bool {
    change.actor.as_deref().is_some_and(|actor| {
        accounts.resolve(actor, Some(change.at)) == Resolution::One(change.account)
    })
}

/// A Security log gives a SID and `DOMAIN\sam`: of an account of which neither is known it may name another for all that
/// the sources say.
fn may_be_stranger(account: AccountId, world: &World<'_>) -> bool {
    let known = world.accounts.list.get(account);
    known.is_some_and(|known| known.sid.is_none()) && world.accounts.could_be(r"?\?", account)
}

fn request(access: &Access, world: &World<'_>) -> correlate::Request {
    correlate::Request {
        start: access.start,
        end: access.end,
        is_start_known: access.is_start_known,
        key: access.key,
        server: world.server_of_key[access.key as usize],
        pool: world.pool_of_key[access.key as usize],
        client: world.identity_of_client[access.client as usize],
        is_device: !world.book.clients.get(access.client).device.is_empty(),
        // Of HttpProxy it may be the one that a proxy forwarded, which the worker did not see.
        address: world.address_of_client[access.client as usize].filter(|_| !access.is_proxied),
        refusal: access.refusal,
        is_claimed: access.is_claimed,
        is_ambiguous: access.is_ambiguous || design::may_be_masters(access, world),
        contradiction: access.contradiction,
        auth: auth(access, world),
    }
}

/// The scheme of a request: as HttpProxy tells it, else by what its pool lets clients log on with, for W3C does not
/// tell.
fn auth(access: &Access, world: &World<'_>) -> Auth {
    match access.auth {
        exchange::Auth::Basic | exchange::Auth::Forms => return Auth::Token,
        exchange::Auth::Ntlm => return Auth::Ntlm,
        exchange::Auth::Negotiate => return Auth::Negotiate,
        exchange::Auth::Kerberos => return Auth::Kerberos,
        exchange::Auth::Bearer => return Auth::Bearer,
        exchange::Auth::Other | exchange::Auth::None => {}
    }
    match scheme(access, world) {
        Scheme::Basic | Scheme::Forms => Auth::MayBeToken,
        Scheme::BasicAndWindows => Auth::MayBeBoth,
        // Exchange's default, which an administrator may have changed.
        Scheme::Windows | Scheme::Unknown if setting(access, world).is_none() => Auth::MayBeWindows,
        Scheme::Windows | Scheme::Unknown => Auth::Other,
    }
}

/// What the pool of a request lets clients log on with, by default where nothing better is known.
fn scheme(access: &Access, world: &World<'_>) -> Scheme {
    let by_default = world.book.keys.get(access.key).scheme;
    setting(access, world).map_or(by_default, |setting| setting.scheme)
}

/// What the pool of a request lets clients log on with, where that is known. The front end of what only a back end
/// logged may be another server, with a configuration of its own.
fn setting(access: &Access, world: &World<'_>) -> Option<Setting> {
    let setting = world.settings.get(access.key as usize).copied().flatten();
    setting.filter(|setting| setting.by == By::Option || !access.is_back_end)
}

/// Where nothing but an enable explains that a disabled account was served, a source that knows it as enabled, and does not
/// say when, may be right.
fn may_be_enabled(
    account: AccountId,
    classed: &Classed,
    changes: &[usize],
    world: &World<'_>,
) -> bool {
    let kind_of = |change: usize| world.changes[changes[change]].kind;
    let is_undone =
        || (classed.change..changes.len()).any(|later| kind_of(later) == ChangeKind::Enabled);
    classed.class == Class::Unexplained
        && kind_of(classed.change) == ChangeKind::Disabled
        && world.enabled_since_unknown.contains_key(&account)
        && !is_undone()
}

/// The changes of each account that bear on access, by time: those that cut and those that restore.
/// Password changes from before `passwords_from` are left out: a token would have had to live on through
/// a day that no log shows (KB 3035228 speaks of 8 to 24 hours).
pub fn cuts_by_account(
    changes: &[Change],
    passwords_from: Option<DateTime<Utc>>,
) -> BTreeMap<AccountId, Vec<usize>> {
    let mut by_account: BTreeMap<AccountId, Vec<usize>> = BTreeMap::new();
    for (index, change) in changes.iter().enumerate() {
        let is_old = change.kind.sets_password()
            && passwords_from.is_none_or(|from| change.at < from - OLDEST_TOKEN);
        let list = by_account.entry(change.account).or_default();
        let restores = match change.kind {
            ChangeKind::Enabled | ChangeKind::Prolonged => true,
            // The name is another account's from then on.
            ChangeKind::Created => {
                list.iter().any(|&before| changes[before].kind == ChangeKind::Deleted)
            }
            _ => false,
        };
        if (change.kind.cuts() && !is_old) || restores {
            list.push(index);
        }
    }
    by_account.retain(|_, list| list.iter().any(|&index| changes[index].kind.cuts()));
    by_account
}

/// How long a token is believed to live on where nobody sees it.
pub const OLDEST_TOKEN: TimeDelta = TimeDelta::hours(24);

#[cfg(test)]
mod tests;
