//! What several sources say of when an account expires to the expiries that came about.

use super::{Change, SAME_ACT};
use crate::account::AccountId;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use stillin_parsers::event::{ChangeKind, Pos, Precision};

/// Source and place.
type Evidence = (usize, Pos);

/// What one source says of when the account expires.
pub struct Expiry {
    /// None is never.
    pub at: Option<DateTime<Utc>>,
    /// The source is not older than that.
    pub changed: Option<DateTime<Utc>>,
    /// An event: it was set at that very time.
    pub is_set_then: bool,
    /// Where it stands.
    pub evidence: Evidence,
}

impl Expiry {
    fn is_at(&self, time: DateTime<Utc>) -> bool {
        self.at.is_some_and(|at| (time - at).abs() <= SAME_ACT)
    }

    fn is_told_by(&self, time: DateTime<Utc>) -> bool {
        self.changed.is_some_and(|changed| changed <= time)
    }
}

/// Metadata tells when the date was last set (DOMAIN.md 4.3). One that had passed by then bites then; where another date was
/// told before, it was perhaps put off; where nothing is dated, it may have bitten at either time.
pub fn set_late(
    account: AccountId,
    merged: &mut Vec<Change>,
    told: &[Expiry],
    last_set: Option<&(DateTime<Utc>, Evidence)>,
) {
    let Some(&(set, evidence)) = last_set else { return };
    let mut prolonged = Vec::new();
    let late = |change: &&mut Change| {
        let is_expiry = change.kind == ChangeKind::Expired && change.disputed_until.is_none();
        is_expiry && change.at + SAME_ACT < set
    };
    for change in merged.iter_mut().filter(late) {
        let own = || told.iter().filter(|expiry| expiry.at == Some(change.at));
        let is_after = |expiry: &Expiry| expiry.changed.is_some_and(|changed| changed >= set);
        if own().any(is_after) {
            if own().any(|expiry| expiry.is_told_by(change.at)) {
                continue;
            }
            change.at = set;
            change.evidence.insert(evidence);
        } else if own().any(|expiry| expiry.changed.is_none()) {
            change.disputed_until = Some(set);
            change.evidence.insert(evidence);
        } else if own().next().is_some() {
            prolonged.push(prolonged_by(account, set, evidence));
        }
    }
    merged.extend(prolonged);
}

/// Sources of different days can tell of different expiries. One that was put off before it bit, or moved forward, is no
/// change; one that may have been put off afterwards is over then or before. Says no where nothing tells which source is the
/// newer one: then none of them is a change.
pub fn settle(account: AccountId, merged: &mut Vec<Change>, told: &[Expiry]) -> bool {
    let mut is_settled = true;
    let mut prolonged: Vec<Change> = Vec::new();
    let others = merged.clone();
    let world = World::new(&others, told);
    merged.retain(|change| {
        if change.kind != ChangeKind::Expired {
            return true;
        }
        let fate = world.fate(change);
        is_settled &= !matches!(fate, Fate::Unknown);
        if let Fate::Over(since, evidence) = fate {
            // Where an event tells the instant, that is known.
            let is_told = |at: &DateTime<Utc>| change.at < *at && *at <= since + SAME_ACT;
            let is_told = world.prolonged.iter().any(is_told);
            prolonged.extend((!is_told).then(|| prolonged_by(account, since, evidence)));
        }
        matches!(fate, Fate::Stands | Fate::Over(..))
    });
    merged.extend(prolonged);
    is_settled
}

/// The account no longer expired then, since then or before.
fn prolonged_by(account: AccountId, at: DateTime<Utc>, evidence: Evidence) -> Change {
    Change {
        account,
        kind: ChangeKind::Prolonged,
        at,
        precision: Precision::AtLatest,
        disputed_until: None,
        actor: None,
        evidence: BTreeSet::from([evidence]),
    }
}

/// What became of an expiry.
enum Fate {
    Stands,
    /// Put off since, then or before.
    Over(DateTime<Utc>, Evidence),
    /// Put off before it bit, or moved to another time.
    Moved,
    Unknown,
}

/// Everything that is told of one account's expiries.
struct World<'a> {
    told: &'a [Expiry],
    expired: Vec<Expired<'a>>,
    prolonged: BTreeSet<DateTime<Utc>>,
}

/// An expiry, and what those say that tell of it.
struct Expired<'a> {
    change: &'a Change,
    sources: BTreeSet<usize>,
    dates: BTreeSet<DateTime<Utc>>,
    is_dated: bool,
}

impl<'a> World<'a> {
    fn new(others: &'a [Change], told: &'a [Expiry]) -> Self {
        let of_kind = |kind| others.iter().filter(move |change| change.kind == kind);
        let expired = |change: &'a Change| {
            let tells = || {
                told.iter().filter(|expiry| {
                    expiry.at == Some(change.at) || change.evidence.contains(&expiry.evidence)
                })
            };
            Expired {
                change,
                sources: sources(change),
                dates: tells().filter_map(|expiry| expiry.at).collect(),
                is_dated: tells().any(|expiry| expiry.changed.is_some()),
            }
        };
        World {
            told,
            expired: of_kind(ChangeKind::Expired).map(expired).collect(),
            prolonged: of_kind(ChangeKind::Prolonged).map(|change| change.at).collect(),
        }
    }

    fn fate(&self, change: &Change) -> Fate {
        // One that was set to the same date when that had passed is another expiry.
        let is_later =
            |expiry: &Expiry| expiry.is_set_then && !expiry.is_told_by(change.at + SAME_ACT);
        // One place can tell of several settings: a source may stand on one line.
        let is_set_late = |expiry: &Expiry| {
            expiry.at.is_some_and(|at| at < change.at)
                && expiry.changed.is_none_or(|changed| change.at <= changed + SAME_ACT)
                && change.evidence.contains(&expiry.evidence)
        };
        let is_own = |expiry: &&Expiry| {
            (expiry.is_at(change.at) || is_set_late(expiry)) && !is_later(expiry)
        };
        let (own, else_told): (Vec<&Expiry>, Vec<&Expiry>) = self.told.iter().partition(is_own);
        // What is told of it later was perhaps set anew.
        let is_first = |expiry: &&&Expiry| expiry.is_set_then || expiry.is_told_by(change.at);
        let changed = |expiry: &&Expiry| expiry.changed;
        let known = own.iter().filter(is_first).filter_map(changed).max();
        let known = known.or(own.iter().filter_map(changed).max());
        let source = sources(change);
        let another = || {
            self.expired.iter().filter(|other| {
                other.change.at > change.at + SAME_ACT && other.sources.is_disjoint(&source)
            })
        };
        let is_set_back = |other: &Expired<'_>| {
            let near = change.at - SAME_ACT..=change.at + SAME_ACT;
            other.dates.range(near).next().is_some()
        };
        let has_bitten = own.iter().any(|expiry| expiry.is_told_by(change.at));
        if !has_bitten && another().any(is_set_back) {
            return Fate::Moved;
        }
        // Another source tells of a later one: which was set last, and so whether this one bit, is only known where they
        // are dated (see below), or where an event tells that it was put off after it had bitten.
        let was_prolonged = self.prolonged.last().is_some_and(|at| *at > change.at);
        if !was_prolonged && another().any(|other| known.is_none() || !other.is_dated) {
            return Fate::Unknown;
        }
        let may_be_over = known.is_some() || own.is_empty();
        let mut over: Option<(DateTime<Utc>, Evidence)> = None;
        for expiry in else_told {
            let is_same = expiry.is_at(change.at);
            let is_earlier = expiry.at.is_some_and(|at| at < change.at);
            match (known, expiry.changed) {
                // Set anew when it had passed.
                _ if is_same => {}
                (Some(known), Some(changed)) if changed < known => {}
                (Some(known), Some(changed)) if is_earlier => {
                    if known < changed && changed <= change.at {
                        return Fate::Moved;
                    }
                }
                (_, Some(changed)) if changed > change.at && !is_earlier && may_be_over => {
                    let since = (changed, expiry.evidence);
                    over = over.filter(|(earliest, _)| *earliest <= changed).or(Some(since));
                }
                (Some(_), Some(_)) => return Fate::Moved,
                // A list, or an event of an expiry that nobody set, stands by itself.
                _ if own.is_empty() || is_earlier => {}
                _ => return Fate::Unknown,
            }
        }
        over.map_or(Fate::Stands, |(since, evidence)| Fate::Over(since, evidence))
    }
}

fn sources(change: &Change) -> BTreeSet<usize> {
    change.evidence.iter().map(|(source, _)| *source).collect()
}
