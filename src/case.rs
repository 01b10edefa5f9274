//! One account's rows to classed rows, findings and paths.

use crate::account::{AccountId, Accounts, Resolution};
use crate::change::Change;
use crate::collect::book::{Access, Book};
use crate::correlate::coverage::Coverage;
use crate::correlate::{self, Class, Classed, Cut, Residual, Rules, Speaks};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::event::{ChangeKind, Precision};
use stillin_parsers::exchange::Scheme;

/// Indexes that the whole run shares.
pub struct World<'a> {
    /// All accounts.
    pub accounts: &'a Accounts,
    /// All changes, by time.
    pub changes: &'a [Change],
    /// All rows and their texts.
    pub book: &'a Book,
    /// For each key of the book its server's index in the coverage.
    pub server_of_key: &'a [u32],
    /// For each client of the book, which device or which address and user agent it is.
    pub identity_of_client: &'a [u32],
    /// What the logs can speak about.
    pub coverage: &'a Coverage,
    /// The rules.
    pub rules: Rules,
    /// Requests that ended before are evidence of chains, and nothing more.
    pub since: Option<DateTime<Utc>>,
}

/// What one account's requests came to.
pub struct Case {
    /// Whose.
    pub account: AccountId,
    /// Classed rows, in order of start.
    pub rows: Vec<Row>,
    /// Residual access, by change.
    pub findings: Vec<Finding>,
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
}

/// One change with residual access.
pub struct Finding {
    /// Index of the change.
    pub change: usize,
    /// Its paths, by key.
    pub paths: Vec<Path>,
}

/// One key with residual access.
#[derive(Debug, Clone)]
pub struct Path {
    /// Index into the book's keys.
    pub key: u32,
    /// Class of most of its gravest requests.
    pub class: Class,
    /// Gravest residual.
    pub residual: Residual,
    /// Whether the token may still be alive.
    pub state: State,
    /// First residual request.
    pub first: Access,
    /// Last residual request.
    pub last: Access,
    /// The refusal after it.
    pub refused: Option<Access>,
    /// Residual requests.
    pub requests: u64,
    /// Those that moved mailbox data.
    pub data_requests: u64,
    /// Indexes into the book's clients.
    pub clients: BTreeSet<u32>,
    /// What speaks for and against.
    pub speaks: Speaks,
    /// When the account was enabled again, if that is known and came after the last access.
    pub restored: Option<DateTime<Utc>>,
    /// Logged by the back end only.
    pub is_back_end: bool,
}

/// What became of the token of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The last access is within the TTL of the end of coverage.
    Open,
    /// The logs do not reach far enough.
    Unknown,
    /// Idle for longer than the TTL, then nothing.
    Expired,
    /// The client was refused after the last access.
    Refused,
}

impl State {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Unknown => "unknown",
            State::Expired => "expired",
            State::Refused => "refused",
        }
    }
}

/// Judges one account. `changes` are the indexes of its changes that bear on access, `accesses` its rows.
pub fn judge(
    account: AccountId,
    changes: &[usize],
    mut accesses: Vec<Access>,
    world: &World<'_>,
) -> Case {
    accesses.sort_by_key(|access| (access.start, access.source, access.line));
    let cuts: Vec<Cut> = changes
        .iter()
        .map(|&change| &world.changes[change])
        .map(|change| Cut {
            kind: change.kind,
            at: change.at,
            precision: change.precision,
            is_reset_by_other: change.kind == ChangeKind::PasswordReset
                && !is_by_itself(change, world.accounts),
        })
        .collect();
    let requests = accesses.iter().map(|access| request(access, world));
    let mut classed: Vec<Classed> = Vec::new();
    let runs =
        correlate::correlate(&cuts, requests, world.coverage, &world.rules, |c| classed.push(c));
    let rows: Vec<Row> = classed
        .into_iter()
        .filter(|c| world.since.is_none_or(|since| accesses[c.request].end >= since))
        .map(|c| Row {
            access: accesses[c.request],
            change: changes[c.change],
            class: c.class,
            residual: correlate::residual(&c, &runs),
            speaks: c.run.map_or(c.speaks, |run| c.speaks.and(runs[run].speaks)),
        })
        .collect();
    let mut findings = findings(&rows, world);
    findings.iter_mut().for_each(|finding| restore(finding, changes, world));
    Case { account, rows, findings }
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
        let after = |at: &DateTime<Utc>| *at > cut.at && *at >= path.last.start;
        let times = changes.iter().filter(restores).map(|&change| world.changes[change].at);
        path.restored = times.filter(after).min();
        if path.restored.is_some() && path.state != State::Refused {
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

fn request(access: &Access, world: &World<'_>) -> correlate::Request {
    let key = world.book.keys.get(access.key);
    correlate::Request {
        start: access.start,
        end: access.end,
        is_start_known: access.is_start_known,
        key: access.key,
        server: world.server_of_key[access.key as usize],
        client: world.identity_of_client[access.client as usize],
        refusal: access.refusal,
        is_claimed: access.is_claimed,
        is_ambiguous: access.is_ambiguous,
        may_be_windows: !matches!(key.scheme, Scheme::Basic | Scheme::Forms),
    }
}

/// One path for each key, or two: what is only possible of one client must not lengthen what is certain of another.
fn findings(rows: &[Row], world: &World<'_>) -> Vec<Finding> {
    let identity = |row: &Row| world.identity_of_client[row.access.client as usize];
    let residual = || rows.iter().filter(|row| row.residual > Residual::No);
    let mut gravest: BTreeMap<(usize, u32, u32), Residual> = BTreeMap::new();
    for row in residual() {
        let of_client =
            gravest.entry((row.change, row.access.key, identity(row))).or_insert(Residual::No);
        *of_client = row.residual.max(*of_client);
    }
    let mut paths: BTreeMap<usize, BTreeMap<(u32, Residual), Vec<&Row>>> = BTreeMap::new();
    for row in residual() {
        let key = row.access.key;
        let of_client = gravest[&(row.change, key, identity(row))];
        paths.entry(row.change).or_default().entry((key, of_client)).or_default().push(row);
    }
    let path = |rows_of_path: Vec<&Row>| path(&rows_of_path, rows, world);
    paths
        .into_iter()
        .map(|(change, keys)| Finding { change, paths: keys.into_values().map(path).collect() })
        .collect()
}

/// `residual` are the residual rows of one change and key, `all` every row of the account.
fn path(residual: &[&Row], all: &[Row], world: &World<'_>) -> Path {
    let gravest = residual.iter().map(|row| row.residual).max().unwrap_or(Residual::No);
    let mut classes: BTreeMap<Class, u64> = BTreeMap::new();
    for row in residual.iter().filter(|row| row.residual == gravest) {
        *classes.entry(row.class).or_default() += 1;
    }
    let most = classes.values().max();
    let class =
        classes.iter().find(|(_, n)| Some(*n) == most).map_or(Class::Ambiguous, |(c, _)| *c);
    let place = |access: &Access| (access.end, access.source, access.line);
    let accesses = || residual.iter().map(|row| row.access);
    let first = accesses().min_by_key(place).unwrap_or(residual[0].access);
    let last = accesses().max_by_key(place).unwrap_or(residual[0].access);
    let clients: BTreeSet<u32> = accesses().map(|access| access.client).collect();
    let identity = |access: &Access| world.identity_of_client[access.client as usize];
    // Whoever sent the right password and was turned down all the same had no token to find, whichever client.
    // A wrong password says that of the client that sent it; the end of a session says it of nobody.
    let ends_it = |access: &Access| {
        access.refusal.is_some_and(|refusal| {
            let is_its_own = identity(access) == identity(&last) && !refusal.may_be_session_end();
            is_its_own || refusal.proves_right_password()
        })
    };
    let refused = all
        .iter()
        .filter(|row| row.class == Class::Refused && row.access.key == first.key)
        .map(|row| row.access)
        .filter(|access| place(access) > place(&last) && ends_it(access))
        .min_by_key(place);
    let server = world.server_of_key[first.key as usize];
    Path {
        key: first.key,
        class,
        residual: gravest,
        state: state(server, last.end, refused.is_some(), world),
        first,
        last,
        refused,
        requests: residual.len() as u64,
        data_requests: accesses().filter(|access| access.moved_data).count() as u64,
        clients,
        speaks: residual.iter().fold(Speaks::default(), |sum, row| sum.and(row.speaks)),
        restored: None,
        is_back_end: accesses().all(|access| access.is_back_end),
    }
}

fn state(server: u32, last: DateTime<Utc>, is_refused: bool, world: &World<'_>) -> State {
    let Some(span) = world.coverage.of(server) else { return State::Unknown };
    if is_refused {
        State::Refused
    } else if span.to - last <= world.rules.ttl {
        State::Open
    } else if world.coverage.is_blind(server, last, last + world.rules.ttl) {
        State::Unknown
    } else {
        State::Expired
    }
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
