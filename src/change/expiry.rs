//! What several sources say of when an account expires to the expiries that came about.

use super::{Change, SAME_ACT};
use crate::account::AccountId;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use stillin_parsers::event::{ChangeKind, Pos, Precision};

/// What one source says of when the account expires.
pub struct Expiry {
    /// None is never.
    pub at: Option<DateTime<Utc>>,
    /// The source is not older than that.
    pub changed: Option<DateTime<Utc>>,
    /// Where it stands.
    pub evidence: (usize, Pos),
}

/// Exports of different days can tell of different expiries. One that was put off before it bit is no change; one that
/// may have been put off afterwards is over then or before. Says no where nothing tells which export is the newer one:
/// then none of them is a change.
pub fn settle(account: AccountId, merged: &mut Vec<Change>, told: &[Expiry]) -> bool {
    let mut is_settled = true;
    let mut prolonged: Vec<Change> = Vec::new();
    let others = merged.clone();
    merged.retain(|change| {
        if change.kind != ChangeKind::Expired {
            return true;
        }
        let is_same = |expiry: &&Expiry| {
            expiry.at.is_some_and(|at| (change.at - at).abs() <= SAME_ACT || change.at > at)
        };
        let (same, later): (Vec<_>, Vec<_>) = told.iter().partition(is_same);
        let known = same.iter().filter_map(|expiry| expiry.changed).max();
        // Another source tells of a later one: which was set last, and so whether this one bit, is only known where
        // exports are dated (see below), or where an event tells that it was put off after it had bitten.
        let is_dated = |other: &Change| {
            known.is_some() && told.iter().any(|e| e.at == Some(other.at) && e.changed.is_some())
        };
        let contradicts = |other: &Change| {
            other.kind == ChangeKind::Expired
                && other.at > change.at + SAME_ACT
                && sources(other).is_disjoint(&sources(change))
                && !is_dated(other)
        };
        let was_prolonged =
            |other: &Change| other.kind == ChangeKind::Prolonged && other.at > change.at;
        if others.iter().any(contradicts) && !others.iter().any(was_prolonged) {
            is_settled = false;
            return false;
        }
        for expiry in later {
            match (known, expiry.changed) {
                (Some(known), Some(changed)) if changed < known => {}
                (Some(_), Some(changed)) if changed > change.at => prolonged.push(Change {
                    account,
                    kind: ChangeKind::Prolonged,
                    at: changed,
                    precision: Precision::AtLatest,
                    disputed_until: None,
                    actor: None,
                    evidence: BTreeSet::from([expiry.evidence]),
                }),
                (Some(_), Some(_)) => return false,
                _ if same.is_empty() => {}
                _ => {
                    is_settled = false;
                    return false;
                }
            }
        }
        true
    });
    merged.extend(prolonged);
    is_settled
}

fn sources(change: &Change) -> BTreeSet<usize> {
    change.evidence.iter().map(|(source, _)| *source).collect()
}
