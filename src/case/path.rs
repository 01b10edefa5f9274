//! The residual requests of a change to paths: one for each key, with what became of its token.

use super::{Finding, OLDEST_TOKEN, Row, World, auth, setting};
use crate::collect::book::Access;
use crate::correlate::{Auth, Class, Ground, Residual, Restart, Rules, Speaks};
use crate::schemes::Setting;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::event::ChangeKind;
use stillin_parsers::exchange::Refusal;

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
    /// The last one that its clients had of the same token: another path has it where times are disputed, or where less is
    /// sure of it.
    pub goes_on: Access,
    /// The refusal after it.
    pub refused: Option<Access>,
    /// The first restart after it that is sure, else the first hint at one.
    pub restart: Option<Restart>,
    /// How its requests were authenticated, as far as that is known.
    pub schemes: BTreeSet<Auth>,
    /// What its pool lets clients log on with, where that is known.
    pub setting: Option<Setting>,
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
    /// The worker was restarted after the last access.
    Recycled,
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
            State::Recycled => "recycled",
            State::Refused => "refused",
        }
    }
}

/// A Kerberos ticket lives up to 10 hours, used or not; other schemes live shorter (DOMAIN.md 5.2).
pub const LIFE_OF_TICKET: TimeDelta = TimeDelta::hours(10);

impl Path {
    /// A cached token may be behind it, as far as the schemes are known.
    pub fn may_hang_on_token(&self) -> bool {
        !self.schemes.iter().all(|scheme| scheme.uses_no_token())
    }

    /// A Kerberos ticket may be behind it as well, which neither a restart of the worker nor a pause ends.
    pub fn may_hang_on_ticket(&self) -> bool {
        let may_be = |scheme: &Auth| matches!(scheme, Auth::MayBeWindows | Auth::MayBeBoth);
        self.schemes.iter().any(may_be)
    }

    /// How long after its last access it may still be alive, unless something is seen to end it.
    pub fn life(&self, rules: &Rules) -> TimeDelta {
        if self.may_hang_on_token() { rules.ttl } else { LIFE_OF_TICKET }
    }
}

/// One path for each key, or more: what is only possible must not lengthen what is certain, of another client or later,
/// what was perhaps before the change must not lengthen what was not, what no recycle cuts is no path of what one does, and
/// what may be somebody else's is none of what is surely its own.
pub(super) fn findings(rows: &[Row], world: &World<'_>) -> Vec<Finding> {
    let identity = |row: &Row| world.identity_of_client[row.access.client as usize];
    let residual = || rows.iter().filter(|row| row.residual > Residual::No);
    let group = |row: &Row| {
        let (uses_no_token, is_early) = (uses_no_token(row, world), is_too_early(row));
        (row.access.key, uses_no_token, is_early, is_doubtful(&row.access))
    };
    // Of one client, what comes before is as sure as what comes after it, and not the other way round: it may have
    // logged on anew in between.
    let mut by_time: Vec<&Row> = residual().collect();
    by_time.sort_by_key(|row| std::cmp::Reverse(place(&row.access)));
    let mut since: BTreeMap<_, Residual> = BTreeMap::new();
    let mut paths: BTreeMap<usize, BTreeMap<_, Vec<&Row>>> = BTreeMap::new();
    for row in by_time {
        let of_client =
            since.entry((row.change, group(row), identity(row))).or_insert(Residual::No);
        *of_client = row.residual.max(*of_client);
        paths.entry(row.change).or_default().entry((group(row), *of_client)).or_default().push(row);
    }
    let path = |rows_of_path: Vec<&Row>| path(&rows_of_path, rows, world);
    paths
        .into_iter()
        .map(|(change, keys)| Finding { change, paths: keys.into_values().map(path).collect() })
        .collect()
}

fn uses_no_token(row: &Row, world: &World<'_>) -> bool {
    auth(&row.access, world).uses_no_token()
}

/// Perhaps before the change: before the latest of the times at which sources put it, or by another clock, or because the
/// log does not tell when it began; or perhaps after its end.
fn is_too_early(row: &Row) -> bool {
    [
        Ground::TimesDisagree,
        Ground::ClockAhead,
        Ground::ClockBehind,
        Ground::StartUnknown,
        Ground::EnabledShortlyBefore,
    ]
    .into_iter()
    .any(|ground| row.speaks.has(ground))
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
    let accesses = || residual.iter().map(|row| &row.access);
    let first = *accesses().min_by_key(|access| place(access)).unwrap_or(&residual[0].access);
    let last = *accesses().max_by_key(|access| place(access)).unwrap_or(&residual[0].access);
    let clients: BTreeSet<u32> = accesses().map(|access| access.client).collect();
    let lasts = lasts(residual, all, world);
    let goes_on = lasts.values().copied().max_by_key(place).unwrap_or(last);
    let mut path = Path {
        key: first.key,
        class,
        residual: gravest,
        state: State::Unknown,
        first,
        last,
        goes_on,
        refused: refusal_after(residual, &lasts, all, world),
        restart: None,
        schemes: accesses().map(|access| auth(access, world)).collect(),
        setting: setting(&first, world),
        requests: residual.len() as u64,
        data_requests: accesses().filter(|access| access.moved_data).count() as u64,
        clients,
        speaks: speaks(residual, gravest),
        restored: None,
        is_back_end: accesses().all(|access| access.is_back_end),
    };
    // No restart ends what is not the worker's.
    if path.may_hang_on_token() {
        let latest = accesses().map(|access| access.start).max().unwrap_or(last.start);
        let latest = latest.max(goes_on.start);
        path.restart = restart_after(latest, goes_on.is_proxied, first.key, world);
    }
    path.state = state(&path, all, world);
    path
}

/// What speaks for and against any of some rows; that there was no logon, only where it is so up to the last of the gravest.
fn speaks(residual: &[&Row], gravest: Residual) -> Speaks {
    let all = residual.iter().fold(Speaks::default(), |sum, row| sum.and(row.speaks));
    let mut grave = residual.iter().filter(|row| row.residual == gravest);
    match grave.all(|row| row.speaks.has(Ground::NoLogon)) {
        true => all,
        false => all.without(Ground::NoLogon),
    }
}

/// The last residual request that each client of some rows had under the same change and key, by identity.
fn lasts(residual: &[&Row], all: &[Row], world: &World<'_>) -> BTreeMap<u32, Access> {
    let Some(one) = residual.first() else { return BTreeMap::new() };
    let identity = |row: &Row| world.identity_of_client[row.access.client as usize];
    let clients: BTreeSet<u32> = residual.iter().map(|row| identity(row)).collect();
    let is_meant = |row: &&Row| {
        row.residual > Residual::No
            && (row.change, row.access.key) == (one.change, one.access.key)
            && clients.contains(&identity(row))
            && uses_no_token(row, world) == uses_no_token(one, world)
            && is_doubtful(&row.access) == is_doubtful(&one.access)
    };
    let mut lasts: BTreeMap<u32, &Access> = BTreeMap::new();
    for row in all.iter().filter(is_meant) {
        let last = lasts.entry(identity(row)).or_insert(&row.access);
        if place(last) <= place(&row.access) {
            *last = &row.access;
        }
    }
    lasts.into_iter().map(|(identity, access)| (identity, *access)).collect()
}

/// Whose a request is may be doubted.
fn is_doubtful(access: &Access) -> bool {
    access.is_ambiguous || access.contradiction.is_some()
}

fn place(access: &Access) -> (DateTime<Utc>, u32, u64) {
    (access.end, access.source, access.line)
}

/// The first refusal after which no token is left, of the clients that had one within its life before the last access.
///
/// A wrong password says that of the client that sent it alone; the end of a session, and what was typed into a logon form,
/// say it of nobody; and while the account is off a wrong one says it only where another one may have been set. Whoever sent
/// the right password and was turned down all the same found no token, whichever client it was; but a token is kept by its
/// password, so where another one may have been set since it was made, the right one is not the one behind it.
fn refusal_after(
    residual: &[&Row],
    lasts: &BTreeMap<u32, Access>,
    all: &[Row],
    world: &World<'_>,
) -> Option<Access> {
    let life = world.rules.ttl;
    let takes_turns = residual.iter().any(|row| row.speaks.has(Ground::ByTurns));
    let kind = residual.first().map(|row| world.changes[row.change].kind)?;
    let last = lasts.values().max_by_key(|access| place(access))?;
    let identity = |access: &Access| world.identity_of_client[access.client as usize];
    let password_set = world.changes.iter().filter(|change| {
        let latest = change.disputed_until.unwrap_or(change.at);
        change.account == last.account
            && change.kind.sets_password()
            && latest >= last.start - OLDEST_TOKEN
    });
    let password_set = password_set.map(|change| change.at).min();
    let of_key = all.iter().filter(|row| row.class == Class::Refused);
    let mut refusals: Vec<Access> =
        of_key.map(|row| row.access).filter(|access| access.key == last.key).collect();
    refusals.sort_by_key(place);
    let says = |access: &Access, what: fn(Refusal) -> bool| access.refusal.is_some_and(what);
    let ends_all = |access: &&Access| {
        says(access, Refusal::proves_right_password)
            && place(access) > place(last)
            && password_set.is_none_or(|password_set| access.end < password_set)
    };
    // No other password than that of the token is known of: whoever sent one has not asked for the token.
    let is_of_another = |access: &Access| {
        let is_gone = kind.sets_password() || kind == ChangeKind::Deleted;
        let is_set = password_set.is_some_and(|password_set| password_set <= access.end);
        says(access, Refusal::proves_wrong_password) && !is_gone && !is_set
    };
    let ends_its = |access: &&Access| {
        let last = lasts.get(&identity(access));
        !takes_turns
            && last.is_some_and(|last| place(access) > place(last))
            && !says(access, Refusal::may_be_session_end)
            && access.refusal != Some(Refusal::OwaForm)
            && !is_of_another(access)
            && !access.may_be_another_clients()
    };
    let of_anybody = refusals.iter().find(ends_all).copied();
    let mut own: BTreeMap<u32, Access> = BTreeMap::new();
    for access in refusals.iter().filter(ends_its) {
        own.entry(identity(access)).or_insert(*access);
    }
    let is_live = |(_, access): &(&u32, &Access)| access.end + life >= last.start;
    let of_each: Option<Vec<Access>> =
        lasts.iter().filter(is_live).map(|(client, _)| own.get(client).copied()).collect();
    let of_all = of_each.and_then(|refusals| refusals.into_iter().max_by_key(place));
    of_anybody.into_iter().chain(of_all).min_by_key(place)
}

/// The first sure restart of a key's worker after `latest`, else the first hint at one. W3C writes whole seconds: within the
/// same one a request may have begun in the worker after.
fn restart_after(
    latest: DateTime<Utc>,
    is_exact: bool,
    key: u32,
    world: &World<'_>,
) -> Option<Restart> {
    let pool = world.pool_of_key[key as usize];
    let is_within = |restart: &&Restart| world.until.is_none_or(|until| restart.at <= until);
    let since = |gap| world.restarts.since(pool, latest + gap).iter().filter(is_within);
    let (moment, second) = (TimeDelta::nanoseconds(1), TimeDelta::seconds(1));
    let mut sure = since(if is_exact { moment } else { second });
    let hint = || since(moment).find(|restart| !restart.is_sure);
    sure.find(|restart| restart.is_sure).or_else(hint).copied()
}

/// HttpProxy tells who was served, not under which spelling of the name: what it alone has of the account may have used
/// the token of any. And so may have used it whoever came under its name and may be somebody else.
fn is_in_use_perhaps(path: &Path, all: &[Row], world: &World<'_>) -> bool {
    let pool = |key: u32| world.pool_of_key[key as usize];
    let (end, life) = (path.last.end, path.life(&world.rules));
    all.iter().map(|row| &row.access).any(|access| {
        let is_perhaps_its = match access.key == path.key {
            true => access.is_ambiguous && access.contradiction.is_none(),
            false => access.is_proxied && pool(access.key) == pool(path.key),
        };
        is_perhaps_its
            && access.refusal.is_none()
            && (end..=end + life).contains(&access.start)
            && !auth(access, world).uses_no_token()
    })
}

fn state(path: &Path, all: &[Row], world: &World<'_>) -> State {
    let server = world.server_of_key[path.key as usize];
    let (last, life) = (path.goes_on.end, path.life(&world.rules));
    if path.refused.is_some() && world.coverage.of(server).is_some() {
        return State::Refused;
    }
    let span = world.coverage.of(server);
    let may_be_ticket =
        path.may_hang_on_ticket() && span.is_none_or(|span| span.to - last <= LIFE_OF_TICKET);
    if path.restart.is_some_and(|restart| restart.is_sure) {
        return if may_be_ticket { State::Unknown } else { State::Recycled };
    }
    let Some(span) = span else { return State::Unknown };
    if span.to - last <= life {
        State::Open
    } else if may_be_ticket
        || world.coverage.is_blind(server, last, last + life)
        || is_in_use_perhaps(path, all, world)
    {
        State::Unknown
    } else {
        State::Expired
    }
}
