//! What a log is read for, to whether a reading of it still is what reading it again would give.
//!
//! A log is read for the requests of watched accounts, so another night asks something else of it. But of what is asked
//! only that matters which falls into the time of the log: an account is watched from the day before its first cut on, and
//! before that its requests are a stranger's. So a reading holds where the names that were met then mean the same tonight,
//! and no local part is looked for that was not, from a time on that the log reaches.

use super::pack::{Pack, pack_struct, packed, unpacked};
use super::{Readings, Slot};
use crate::account::{AccountId, Accounts, Resolution};
use crate::collect::back_end::BackEndLog;
use crate::collect::chunk::Wanted;
use crate::collect::clients::SESSION;
use crate::collect::ids::Ids;
use crate::collect::log::Log;
use crate::collect::proxy::ProxyLog;
use crate::collect::watch::{Meant, Watch};
use crate::input::sha256;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

/// A log of any kind, as it is kept.
pub trait Reading: Pack {
    /// What all of them have.
    fn log(&mut self) -> &mut Log;
    /// Gives every account another number.
    fn renumber(&mut self, number: &dyn Fn(AccountId) -> AccountId);
}

impl Reading for Log {
    fn log(&mut self) -> &mut Log {
        self
    }

    fn renumber(&mut self, number: &dyn Fn(AccountId) -> AccountId) {
        // Of those without a name it is not known yet.
        self.book.accesses.iter_mut().for_each(|row| row.account = number(row.account));
        let named = self.book.others.iter_mut().filter(|other| other.is_named);
        named.for_each(|other| other.row.account = number(other.row.account));
    }
}

impl Reading for ProxyLog {
    fn log(&mut self) -> &mut Log {
        &mut self.log
    }

    fn renumber(&mut self, number: &dyn Fn(AccountId) -> AccountId) {
        self.log.renumber(number);
        let learned = std::mem::take(&mut self.learned).into_iter();
        self.learned = learned.map(|((id, name), line)| ((number(id), name), line)).collect();
        let sids = std::mem::take(&mut self.sids).into_iter();
        self.sids = sids.map(|(id, sid)| (number(id), sid)).collect();
    }
}

impl Reading for BackEndLog {
    fn log(&mut self) -> &mut Log {
        &mut self.log
    }

    fn renumber(&mut self, _: &dyn Fn(AccountId) -> AccountId) {}
}

/// What one log was read for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    /// First and last entry of the log, seconds since 1970.
    span: Option<(i64, i64)>,
    /// The digest of the local parts that were looked for.
    parts: String,
    /// What holds for every line.
    limits: Limits,
    /// The digest of the ids that were asked for.
    ids: String,
    /// Each name that was met, the SID beside it, and what they meant.
    met: Vec<((String, Option<String>), String)>,
    /// The accounts that rows bear the numbers of.
    who: Vec<(AccountId, String)>,
    /// It was read to its end. If not it may be whole tomorrow, and is read again as long as it is there.
    is_whole: bool,
}

/// What holds for every line of a log, as far as it falls into the time of the log; seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Limits {
    wants_ids: bool,
    until: Option<i64>,
    nameless_from: Option<i64>,
    seats_from: Option<i64>,
}

pack_struct! {
    Question { span, parts, limits, ids, met, who, is_whole }
    Limits { wants_ids, until, nameless_from, seats_from }
}

/// What tonight asks of the logs.
pub struct Asking<'a> {
    readings: &'a Readings,
    wanted: &'a Wanted<'a>,
    ids: Option<&'a Ids>,
    /// The digest of the local parts that are looked for.
    parts: String,
    /// For each set of local parts of before, from when on one is looked for that is not among them.
    new_from: BTreeMap<String, DateTime<Utc>>,
    /// Accounts by what tells them from all others.
    known: BTreeMap<String, Option<AccountId>>,
}

impl<'a> Asking<'a> {
    /// `None` where nothing is kept.
    pub fn new(wanted: &'a Wanted<'a>, ids: Option<&'a Ids>) -> Option<Asking<'a>> {
        let readings = wanted.readings?;
        let own: BTreeMap<&str, DateTime<Utc>> = wanted.watch.parts().collect();
        let names: BTreeSet<String> = own.keys().map(|part| (*part).to_owned()).collect();
        let parts = digest(&names);
        let mut asked = readings.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let new_from = |before: &BTreeSet<String>| {
            let new = own.iter().filter(|(part, _)| !before.contains(**part));
            new.map(|(_, since)| *since).min().unwrap_or(DateTime::<Utc>::MAX_UTC)
        };
        let new_from = asked.iter().map(|(digest, parts)| (digest.clone(), new_from(parts)));
        let mut new_from: BTreeMap<String, DateTime<Utc>> = new_from.collect();
        new_from.insert(parts.clone(), DateTime::<Utc>::MAX_UTC);
        asked.insert(parts.clone(), names);
        let mut known = BTreeMap::new();
        for id in 0..wanted.watch.accounts().list.len() {
            let who = identity(wanted.watch.accounts(), id);
            known.entry(who).and_modify(|id| *id = None).or_insert(Some(id));
        }
        Some(Asking { readings, wanted, ids, parts, new_from, known })
    }

    /// The log as it was read before, or else as it is read now.
    pub fn log<T: Reading>(
        &self,
        index: usize,
        bytes: u64,
        read: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let is_gone = self.readings.is_gone(index);
        let fits = |question: &[u8]| {
            unpacked(question).is_some_and(|question: Question| {
                (question.is_whole || is_gone) && self.is_answered_by(&question)
            })
        };
        if let Some(log) = self.recall(index, &fits) {
            (self.wanted.progress)(bytes);
            return Ok(log);
        }
        if is_gone && let Some(log) = self.recall(index, &|_| true) {
            let stale = &self.readings.stale;
            stale.lock().unwrap_or_else(PoisonError::into_inner).insert(index);
            return Ok(log);
        }
        let mut log = read()?;
        let met = std::mem::take(&mut log.log().met);
        if !met.is_cut {
            let question = self.question(&mut log, &met.names);
            self.readings.keep(index, Slot::Log, packed(&question), &log);
        }
        Ok(log)
    }

    fn recall<T: Reading>(&self, index: usize, fits: &dyn Fn(&[u8]) -> bool) -> Option<T> {
        let (mut log, question): (T, _) = self.readings.find(index, Slot::Log, fits)?;
        let question: Question = unpacked(&question)?;
        let numbers: BTreeMap<AccountId, AccountId> = question
            .who
            .into_iter()
            .filter_map(|(id, who)| Some((id, self.known.get(&who).copied().flatten()?)))
            .collect();
        // Of a log that is gone, rows of an account that nobody knows any more are nobody's.
        let book = &mut log.log().book;
        book.accesses.retain(|row| numbers.contains_key(&row.account));
        book.others.retain(|other| !other.is_named || numbers.contains_key(&other.row.account));
        log.renumber(&|id| numbers.get(&id).copied().unwrap_or_default());
        if let Some(stored) = self.readings.stored(index) {
            log.log().stored = Some(stored);
        }
        Some(log)
    }

    fn question<T: Reading>(
        &self,
        log: &mut T,
        met: &BTreeSet<(String, Option<String>)>,
    ) -> Question {
        let span = log.log().tally.span;
        let class = |met: &(String, Option<String>)| (met.clone(), self.class(met, span));
        let mut who = BTreeSet::new();
        // Nothing is changed: that is how all numbers are seen.
        let seen = std::sync::Mutex::new(&mut who);
        log.renumber(&|id| {
            seen.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
            id
        });
        let accounts = self.wanted.watch.accounts();
        Question {
            span,
            parts: self.parts.clone(),
            limits: self.limits(span),
            ids: self.ids(span),
            met: met.iter().map(class).collect(),
            who: who.into_iter().map(|id| (id, identity(accounts, id))).collect(),
            is_whole: log.log().stored.as_ref().is_none_or(|stored| stored.damage.is_none()),
        }
    }

    /// Whether reading the log again would give what it gave for that.
    fn is_answered_by(&self, question: &Question) -> bool {
        let Question { span, parts, limits, ids, met, who, .. } = question;
        let Some((_, to)) = *span else { return true };
        let is_met = self.new_from.get(parts).is_some_and(|from| from.timestamp() > to);
        is_met
            && *limits == self.limits(*span)
            && *ids == self.ids(*span)
            && who.iter().all(|(_, who)| self.known.get(who).is_some_and(Option::is_some))
            && met.iter().all(|(met, class)| *class == self.class(met, *span))
    }

    fn limits(&self, span: Option<(i64, i64)>) -> Limits {
        // `from` is that of the account that is watched first.
        let Wanted { watch, until, wants_ids, nameless_from, .. } = self.wanted;
        let nameless_from = nameless_from.filter(|_| !watch.is_empty());
        Limits {
            wants_ids: *wants_ids,
            until: until.map(|until| until.timestamp()),
            nameless_from: nameless_from.and_then(|from| clipped(from, span)),
            seats_from: nameless_from.and_then(|from| clipped(from - SESSION, span)),
        }
    }

    /// The ids that the log is asked for and may have.
    fn ids(&self, span: Option<(i64, i64)>) -> String {
        let (Some(ids), Some(span)) = (self.ids, span) else { return String::new() };
        let mut text = Vec::new();
        ids.within(span).for_each(|id| (id.0, id.1, id.2).pack(&mut text));
        sha256(&text)
    }

    /// What a name, and the SID beside it, means in the time of a log: everything that a reading asks of it, in words.
    fn class(&self, (name, sid): &(String, Option<String>), span: Option<(i64, i64)>) -> String {
        let watch = self.wanted.watch;
        let accounts = watch.accounts();
        let mut class = match accounts.resolve(name, None) {
            Resolution::Ambiguous(ids) => {
                let bearer = |id: &AccountId| {
                    let account = &accounts.list[*id];
                    let is_own = accounts.is_own_name(name, *id);
                    let (born, gone) = (account.created, account.deleted);
                    format!(
                        "{} {born:?} {gone:?} {is_own}",
                        self.who(*id, span).unwrap_or_default()
                    )
                };
                format!("by time: {}", ids.iter().map(bearer).collect::<Vec<_>>().join(", "))
            }
            _ => self.by_then(&watch.meant(name.as_bytes(), DateTime::<Utc>::default), span),
        };
        if self.ids.is_some() {
            let is_told = accounts.resolve(name, None) != Resolution::Nobody;
            let of_sid = sid.as_ref().map(|sid| match accounts.resolve(sid, None) {
                Resolution::One(id) => self.who(id, span).unwrap_or("known".to_owned()),
                _ => "strange".to_owned(),
            });
            class += &format!("; {is_told} {} {of_sid:?}", accounts.is_learnt(name));
        }
        class
    }

    fn by_then(&self, meant: &Meant, span: Option<(i64, i64)>) -> String {
        let all = |ids: &[AccountId], word: &str| {
            let by_then: Vec<String> = ids.iter().filter_map(|&id| self.who(id, span)).collect();
            match by_then.is_empty() {
                true => String::new(),
                false => format!("{word}: {}", by_then.join(", ")),
            }
        };
        match meant {
            Meant::Nobody => String::new(),
            Meant::One(id) => all(&[*id], "one"),
            Meant::Ambiguous(ids) => all(ids, "any of"),
            Meant::Namesake(ids) => all(ids, "a namesake of"),
        }
    }

    /// An account, from when on it is watched in the time of the log, and who else may log on to its mailbox; `None` where
    /// it is not watched by then.
    fn who(&self, id: AccountId, span: Option<(i64, i64)>) -> Option<String> {
        let watch: &Watch<'_> = self.wanted.watch;
        let accounts = watch.accounts();
        let from = clipped(watch.since(id)?, span)?;
        let master = accounts.list.get(id).and_then(|account| account.master);
        let master = master.map(|master| identity(accounts, master));
        Some(format!("{}@{from} {master:?}", identity(accounts, id)))
    }
}

/// What a time is to a log: nothing where the log ends before, and one and the same where it begins later.
fn clipped(time: DateTime<Utc>, span: Option<(i64, i64)>) -> Option<i64> {
    let (from, to) = span?;
    match time.timestamp() {
        seconds if seconds > to => None,
        seconds if seconds < from => Some(i64::MIN),
        _ => Some(time.timestamp_nanos_opt().unwrap_or_default()),
    }
}

/// What tells an account from all others, whatever its number tonight.
fn identity(accounts: &Accounts, id: AccountId) -> String {
    let Some(account) = accounts.list.get(id) else { return String::new() };
    account.sid.clone().unwrap_or_else(|| format!("\n{}", account.display))
}

fn digest(parts: &BTreeSet<String>) -> String {
    sha256(&packed(parts))
}
