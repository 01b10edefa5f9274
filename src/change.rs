//! Facts of all change evidence to changes: one act seen in several sources is one change with all its evidence.

mod design;
mod expiry;

use crate::account::{Account, AccountId, Accounts, build, local_part};
use chrono::{DateTime, TimeDelta, Utc};
pub use design::Design;
use expiry::Expiry;
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::event::{ChangeKind, Fact, Identity, Mailbox, Pos, Precision};

/// Sources write the time of one act with their own resolution and rounding, and 4738 stands milliseconds
/// beside 4725: what is closer together than this is one act.
const SAME_ACT: TimeDelta = TimeDelta::seconds(5);

/// No clock, zone or hand is further off: what sources put further apart are two acts.
const DISPUTE: TimeDelta = TimeDelta::days(1);

/// What kind of source tells something, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Voice {
    /// Events: each is an act.
    Event,
    /// A list that somebody wrote.
    List,
    /// Directory state or metadata, which tells what is, not what happened.
    State,
}

/// A fact and where it comes from.
#[derive(Debug, Clone)]
pub struct Told {
    /// Index of the source.
    pub source: usize,
    /// What kind of source.
    pub voice: Voice,
    /// What it says.
    pub fact: Fact,
}

/// One change to one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// To whom.
    pub account: AccountId,
    /// What.
    pub kind: ChangeKind,
    /// When.
    pub at: DateTime<Utc>,
    /// How well `at` is known.
    pub precision: Precision,
    /// The latest time that a source gives, where sources contradict each other; `at` is the earliest.
    pub disputed_until: Option<DateTime<Utc>>,
    /// By whom.
    pub actor: Option<String>,
    /// Every record that tells of it: source and place, in order.
    pub evidence: BTreeSet<(usize, Pos)>,
}

/// All accounts and changes that the evidence tells of.
#[derive(Debug, Default)]
pub struct Directory {
    /// The accounts.
    pub accounts: Accounts,
    /// The changes by time, account, kind.
    pub changes: Vec<Change>,
    /// Disables that are by design, as indexes of changes.
    pub by_design: BTreeMap<usize, Design>,
    /// Accounts that are disabled since nobody knows when.
    pub disabled_since_unknown: Vec<AccountId>,
    /// Disabled accounts of which a source says, and not of when, that they are enabled, with the first such record.
    pub enabled_since_unknown: BTreeMap<AccountId, (usize, Pos)>,
    /// Accounts of whose expiry sources contradict each other, without a time that settles it.
    pub expiry_unknown: Vec<AccountId>,
}

/// What one source says of whether the account is enabled.
struct State {
    enabled: bool,
    changed: Option<DateTime<Utc>>,
    evidence: (usize, Pos),
}

/// Everything told of one account.
#[derive(Default)]
struct Heard {
    /// Changes, and what kind of source tells them.
    changes: Vec<(Voice, Change)>,
    states: Vec<State>,
    expiries: Vec<Expiry>,
    /// Writes of `userAccountControl`, of whatever bit.
    control_set: Vec<(DateTime<Utc>, (usize, Pos))>,
    /// Writes of `accountExpires`, of whatever value.
    expires_set: Vec<(DateTime<Utc>, (usize, Pos))>,
    /// Kinds of mailboxes, and the sources that tell them.
    mailboxes: BTreeSet<(Mailbox, usize)>,
    /// Accounts of other forests that log on to its mailbox.
    masters: BTreeSet<AccountId>,
}

/// Brings facts together.
pub fn merge(told: &[Told]) -> Directory {
    let (told, mut identities): (Vec<&Told>, Vec<&Identity>) =
        told.iter().filter_map(|told| Some((told, identity(&told.fact)?))).unzip();
    let links = links(&told, &mut identities);
    let reversed = newest_first(&told);
    let (mut accounts, ids) = build(&identities, &links);
    let mut heard: Vec<Heard> = accounts.list.iter().map(|_| Heard::default()).collect();
    for &(mailbox, master) in &links {
        heard[ids[mailbox]].masters.insert(ids[master]);
    }
    for (told, &account) in told.iter().zip(&ids) {
        hear(&mut heard[account], told, account);
    }
    for (told, &account) in told.iter().zip(&ids) {
        learn_former(&mut accounts.list[account], &told.fact);
    }
    let (mut changes, mut unknown) = (Vec::new(), Unknown::default());
    let mut designs: BTreeMap<AccountId, Design> = BTreeMap::new();
    for (account, heard) in heard.into_iter().enumerate() {
        let design = design::of(&heard);
        designs.extend(design.map(|design| (account, design)));
        accounts.list[account].master = design::master(&heard, design).filter(|id| *id != account);
        let mailboxes = heard.mailboxes.iter().map(|(mailbox, _)| *mailbox);
        accounts.list[account].mailboxes = mailboxes.collect();
        let merged = merge_account(account, heard, &reversed, &mut unknown);
        let time_of = |kind| merged.iter().filter(move |c| c.kind == kind).map(|c| c.at);
        accounts.list[account].created = time_of(ChangeKind::Created).min();
        accounts.list[account].deleted = time_of(ChangeKind::Deleted).max();
        changes.extend(merged);
    }
    changes.sort_by(|a, b| {
        // Hardly any two have the same time: names are made small only where they do.
        let name = |c: &Change| accounts.list[c.account].display.to_lowercase();
        let by_name = || name(a).cmp(&name(b)).then(a.account.cmp(&b.account));
        a.at.cmp(&b.at).then_with(by_name).then(a.kind.cmp(&b.kind))
    });
    as_told(&mut changes, &reversed);
    let by_design = |(index, change): (usize, &Change)| {
        let design = designs.get(&change.account)?;
        (change.kind == ChangeKind::Disabled).then_some((index, *design))
    };
    let by_design = changes.iter().enumerate().filter_map(by_design).collect();
    let Unknown { disabled_since_unknown, enabled_since_unknown, expiry_unknown } = unknown;
    Directory {
        accounts,
        changes,
        by_design,
        disabled_since_unknown,
        enabled_since_unknown,
        expiry_unknown,
    }
}

/// The accounts of linked mailboxes, each with its master, which becomes an identity of its own.
fn links<'a>(told: &[&'a Told], identities: &mut Vec<&'a Identity>) -> Vec<(usize, usize)> {
    let mut links = Vec::new();
    for (mailbox, told) in told.iter().enumerate() {
        if let Fact::Linked { master, .. } = &told.fact {
            links.push((mailbox, identities.len()));
            identities.push(master);
        }
    }
    links
}

/// Accounts of which something cannot be known.
#[derive(Default)]
struct Unknown {
    disabled_since_unknown: Vec<AccountId>,
    enabled_since_unknown: BTreeMap<AccountId, (usize, Pos)>,
    expiry_unknown: Vec<AccountId>,
}

/// A rename tells from when on a name may be another account's. One that only changes case or the suffix of the UPN
/// gives no name away.
fn learn_former(account: &mut Account, fact: &Fact) {
    let Fact::Change(change) = fact else { return };
    let local = |name: &String| local_part(&name.to_lowercase()).to_owned();
    let told = &change.account;
    let now: Vec<String> =
        told.sam_account_name.iter().chain(&told.user_principal_name).map(local).collect();
    let former = told.former_sam_account_names.iter().chain(&told.former_user_principal_names);
    for name in former.map(local).filter(|name| !now.contains(name)) {
        let lost = account.former.entry(name).or_insert(change.time);
        *lost = change.time.max(*lost);
    }
}

/// The account that a fact speaks of.
pub fn identity(fact: &Fact) -> Option<&Identity> {
    match fact {
        Fact::Change(change) => Some(&change.account),
        Fact::Account { account, .. }
        | Fact::Linked { account, .. }
        | Fact::UserAccountControlSet { account, .. }
        | Fact::AccountExpiresSet { account, .. } => Some(account),
        Fact::Restart(_) | Fact::Logon(_) | Fact::Validation(_) | Fact::VirtualDirectory(_) => None,
    }
}

fn hear(heard: &mut Heard, told: &Told, account: AccountId) {
    match &told.fact {
        Fact::Change(change) => heard.changes.push((
            told.voice,
            Change {
                account,
                kind: change.kind,
                at: change.time,
                precision: change.precision,
                disputed_until: None,
                actor: change.actor.clone(),
                evidence: BTreeSet::from([(told.source, change.pos)]),
            },
        )),
        Fact::Account { pos, enabled, changed, expires, mailbox, .. } => {
            heard.mailboxes.extend(mailbox.map(|mailbox| (mailbox, told.source)));
            let (changed, evidence) = (*changed, (told.source, *pos));
            heard.states.extend(enabled.map(|enabled| State { enabled, changed, evidence }));
            let is_set_then = told.voice == Voice::Event;
            heard.expiries.extend(expires.map(|at| Expiry { at, changed, is_set_then, evidence }));
        }
        Fact::UserAccountControlSet { pos, time, version, .. } => {
            if *version > 1 {
                heard.control_set.push((*time, (told.source, *pos)));
            }
        }
        Fact::AccountExpiresSet { pos, time, .. } => {
            heard.expires_set.push((*time, (told.source, *pos)));
        }
        // Masters are accounts of their own.
        Fact::Linked { .. } => {}
        Fact::Restart(_) | Fact::Logon(_) | Fact::Validation(_) | Fact::VirtualDirectory(_) => {}
    }
}

fn merge_account(
    account: AccountId,
    mut heard: Heard,
    reversed: &BTreeSet<usize>,
    unknown: &mut Unknown,
) -> Vec<Change> {
    // What happened comes before what is, the exact before the approximate: later ones join earlier ones.
    heard.changes.extend(flags_of_disable(account, &heard).map(|change| (Voice::State, change)));
    heard.changes.sort_by(|(a_voice, a), (b_voice, b)| {
        let key = |voice: &Voice, c: &Change| (*voice, c.precision, c.at, c.kind);
        key(a_voice, a).cmp(&key(b_voice, b)).then_with(|| a.evidence.cmp(&b.evidence))
    });
    let mut merged: Vec<Change> = Vec::new();
    for (voice, change) in &heard.changes {
        let homes = merged.iter_mut();
        let homes = homes.filter(|home| is_same_act(home, change, *voice, &heard.changes));
        match homes.min_by_key(|home| (home.at - change.at).abs()) {
            Some(home) => join(home, change.clone()),
            None => merged.push(change.clone()),
        }
    }
    let says = |wanted: bool| heard.states.iter().filter(move |state| state.enabled == wanted);
    let control_set = heard.control_set.iter().max();
    let is_told = |c: &Change| matches!(c.kind, ChangeKind::Disabled | ChangeKind::Deleted);
    if says(false).next().is_some() && !merged.iter().any(is_told) {
        // The flags may have been written last to enable it again.
        let contradicts = |at| says(true).any(|state| state.changed.is_none_or(|told| told >= at));
        match control_set.filter(|(at, _)| !contradicts(*at)) {
            // The state says disabled, the metadata says when the flags were last written (DOMAIN.md 4.3).
            Some(&(at, evidence)) => {
                let state = says(false).map(|state| state.evidence);
                merged.push(disabled_by_flags(account, at, state.chain([evidence]).collect()));
            }
            None => unknown.disabled_since_unknown.push(account),
        }
    }
    expiry::set_late(account, &mut merged, &heard.expiries, heard.expires_set.iter().max());
    if !expiry::settle(account, &mut merged, &heard.expiries) {
        unknown.expiry_unknown.push(account);
    }
    merged.extend(enabled_since(account, &merged, says(true), control_set));
    dispute(&mut merged, reversed);
    // Such a source may be older than the disable, or tell of an enable that no other one tells of.
    let timeless = says(true).filter(|state| state.changed.is_none()).map(|state| state.evidence);
    let decides = |c: &&Change| {
        let restores = matches!(c.kind, ChangeKind::Enabled | ChangeKind::Created);
        restores || matches!(c.kind, ChangeKind::Disabled | ChangeKind::Deleted)
    };
    let is_off =
        merged.iter().rfind(decides).is_some_and(|change| change.kind == ChangeKind::Disabled);
    unknown
        .enabled_since_unknown
        .extend(timeless.min().filter(|_| is_off).map(|evidence| (account, evidence)));
    merged
}

/// Where a source says that the account is disabled and another one when, metadata that tells when the flags were last
/// written has a say in that as well (DOMAIN.md 4.3).
fn flags_of_disable(account: AccountId, heard: &Heard) -> Option<Change> {
    let &(at, evidence) = heard.control_set.iter().max()?;
    let is_told = |c: &Change| c.kind == ChangeKind::Disabled && (c.at - at).abs() <= DISPUTE;
    let is_on = |state: &State| state.enabled && state.changed.is_none_or(|told| told >= at);
    let is_meant = heard.changes.iter().any(|(_, change)| is_told(change))
        && heard.states.iter().any(|state| !state.enabled)
        && !heard.states.iter().any(is_on);
    is_meant.then(|| disabled_by_flags(account, at, BTreeSet::from([evidence])))
}

/// A disable at the time when the flags were last written.
fn disabled_by_flags(
    account: AccountId,
    at: DateTime<Utc>,
    evidence: BTreeSet<(usize, Pos)>,
) -> Change {
    Change {
        account,
        kind: ChangeKind::Disabled,
        at,
        precision: Precision::Exact,
        disputed_until: None,
        actor: None,
        evidence,
    }
}

/// Sources that have the newest change first.
fn newest_first(told: &[&Told]) -> BTreeSet<usize> {
    let mut last: BTreeMap<usize, (Pos, DateTime<Utc>)> = BTreeMap::new();
    let mut backwards: BTreeMap<usize, i64> = BTreeMap::new();
    for Told { source, voice, fact } in told {
        let Fact::Change(change) = fact else { continue };
        if *voice == Voice::State {
            continue;
        }
        let now = (change.pos, change.time);
        if let Some(before) = last.insert(*source, now)
            && before.0 != now.0
        {
            let is_forward = (before.0 < now.0) == (before.1 < now.1);
            let step = i64::from(before.1 != now.1);
            *backwards.entry(*source).or_default() += if is_forward { -step } else { step };
        }
    }
    backwards.into_iter().filter(|(_, n)| *n > 0).map(|(source, _)| source).collect()
}

/// Of one instant a source tells in order what came after what; of several nothing does, and the kinds keep their order.
fn as_told(sorted: &mut [Change], reversed: &BTreeSet<usize>) {
    let place = |change: &Change| change.evidence.first().copied();
    for one in sorted.chunk_by_mut(|a, b| a.at == b.at && a.account == b.account) {
        let source = |change: &Change| place(change).map(|(source, _)| source);
        if one.iter().all(|change| source(change) == source(&one[0])) {
            one.sort_by_key(place);
            if source(&one[0]).is_some_and(|source| reversed.contains(&source)) {
                one.reverse();
            }
        }
    }
}

/// Who is disabled once more had been enabled in between, and nothing tells when; or the sources mean one act.
fn dispute(merged: &mut [Change], reversed: &BTreeSet<usize>) {
    merged.sort_by_key(|change| (change.at, change.kind));
    as_told(merged, reversed);
    for kind in [ChangeKind::Disabled, ChangeKind::Deleted] {
        let mut open: Option<usize> = None;
        for at in 0..merged.len() {
            let change = &merged[at];
            let latest = change.disputed_until.unwrap_or(change.at);
            if undoes(change.kind, kind) {
                open = None;
            } else if change.kind == kind {
                let first = *open.get_or_insert(at);
                if change.precision == Precision::Exact && latest > merged[first].at + SAME_ACT {
                    merged[first].disputed_until = merged[first].disputed_until.max(Some(latest));
                }
            }
        }
    }
}

fn undoes(kind: ChangeKind, done: ChangeKind) -> bool {
    match done {
        ChangeKind::Enabled => kind == ChangeKind::Disabled,
        ChangeKind::Disabled => matches!(kind, ChangeKind::Enabled | ChangeKind::Created),
        ChangeKind::Deleted => matches!(kind, ChangeKind::Enabled | ChangeKind::Created),
        _ => false,
    }
}

/// Whether `change` is the act that `home` is already. `all` is everything told of the account.
fn is_same_act(home: &Change, change: &Change, voice: Voice, all: &[(Voice, Change)]) -> bool {
    let is_alike = home.kind == change.kind
        || (home.kind.sets_password()
            && change.kind.sets_password()
            && (home.kind == ChangeKind::PasswordSet || change.kind == ChangeKind::PasswordSet));
    if !is_alike {
        return false;
    }
    let (from, to) = (home.at.min(change.at), home.at.max(change.at));
    // «Is disabled» said later than the disable, with no enable between, is that disable: its flags were
    // written again for another reason, or `whenChanged` moved with another attribute.
    let is_lasting = matches!(change.kind, ChangeKind::Disabled | ChangeKind::Deleted)
        && voice == Voice::State
        && home.at <= change.at;
    let may_be = to - from <= SAME_ACT
        || is_lasting
        || (to - from <= DISPUTE && may_be_disputed(home, change, voice));
    let is_undone =
        |other: &Change| undoes(other.kind, home.kind) && from <= other.at && other.at <= to;
    may_be && !all.iter().any(|(_, other)| is_undone(other))
}

/// Sources of different kinds that put one act at different times: a list is written by hand, a zone or a clock is wrong.
/// Two events are two acts, and so are two entries of one source. The password that a directory knows is the last one,
/// perhaps of another act.
fn may_be_disputed(home: &Change, change: &Change, voice: Voice) -> bool {
    let is_off = matches!(home.kind, ChangeKind::Disabled | ChangeKind::Deleted);
    let may_differ = match voice {
        Voice::Event => false,
        Voice::List => home.kind.sets_password() || home.kind == ChangeKind::Enabled || is_off,
        Voice::State => is_off,
    };
    let sources = |c: &Change| -> BTreeSet<usize> { c.evidence.iter().map(|(s, _)| *s).collect() };
    may_differ
        && home.precision == Precision::Exact
        && change.precision == Precision::Exact
        && sources(home).is_disjoint(&sources(change))
}

fn join(home: &mut Change, change: Change) {
    if home.kind == ChangeKind::PasswordSet {
        home.kind = change.kind;
    }
    if home.precision == change.precision {
        let latest = home.disputed_until.unwrap_or(home.at).max(change.at);
        home.at = home.at.min(change.at);
        // What is further off than that was written for another reason.
        let is_disputed = latest > home.at + SAME_ACT && latest <= home.at + DISPUTE;
        if home.precision == Precision::Exact && is_disputed {
            home.disputed_until = Some(latest);
        }
    }
    home.actor = home.actor.take().or(change.actor);
    home.evidence.extend(change.evidence);
}

/// A source that says *enabled* later than the last disable contradicts it: the account was enabled again
/// then or before, though no event tells of it. An export older than the disable contradicts nothing.
fn enabled_since<'a>(
    account: AccountId,
    merged: &[Change],
    states: impl Iterator<Item = &'a State>,
    control_set: Option<&(DateTime<Utc>, (usize, Pos))>,
) -> Option<Change> {
    let is_off = |c: &&Change| matches!(c.kind, ChangeKind::Disabled | ChangeKind::Deleted);
    let disabled = merged.iter().filter(is_off).map(|c| c.at).max()?;
    if merged.iter().any(|c| c.kind == ChangeKind::Enabled && c.at >= disabled) {
        return None;
    }
    let contradicting = states
        .filter_map(|state| Some((state.changed?, state.evidence)))
        .filter(|(at, _)| *at > disabled + SAME_ACT);
    let (at, evidence) = contradicting.min()?;
    let flags = control_set.filter(|(set, _)| disabled + SAME_ACT < *set && *set <= at);
    Some(Change {
        account,
        kind: ChangeKind::Enabled,
        at: flags.map_or(at, |(set, _)| *set),
        precision: Precision::AtLatest,
        disputed_until: None,
        actor: None,
        evidence: flags.map(|(_, evidence)| *evidence).into_iter().chain([evidence]).collect(),
    })
}

#[cfg(test)]
mod tests;
