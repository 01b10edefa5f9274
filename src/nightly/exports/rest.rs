//! An export of evidence and the one that replaced it, to what the older one alone tells and what still holds of it.

use super::rows;
use crate::change::Voice;
use crate::input::Stored;
use crate::read::{Evidence, voice};
use crate::readings::pack::{Pack, packed};
use crate::workers::logons::Logons;
use std::collections::BTreeSet;
use stillin_parsers::event::{Pos, Restart};
use stillin_parsers::evidence::Tally;
use stillin_parsers::kind::Kind;

/// What of `old`, of that kind, counts on beside `new`; `None` if nothing does.
///
/// * Events are acts: what rolled out of an export has happened all the same.
/// * Of an export of what is, see [`rows`].
/// * Of a list nothing: it is somebody's word, and who strikes a line out takes it back.
/// * Of the configuration of a server nothing: it is another one now.
pub fn rest(old: Evidence, new: &Evidence, kind: Kind) -> Option<Evidence> {
    let (facts, restarts, logons) = match voice(kind) {
        _ if kind == Kind::IisConfig => return None,
        Voice::List => return None,
        Voice::State => (rows::rest(old.facts, &new.facts), Vec::new(), Logons::default()),
        Voice::Event => {
            let facts = without(old.facts, &new.facts, |fact, pos| fact.clone().at(pos));
            let restart_at = |restart: &Restart, pos| Restart { pos, ..restart.clone() };
            let restarts = without(old.restarts, &new.restarts, restart_at);
            (facts, restarts, old.logons.without(&new.logons))
        }
    };
    // Which validations they are is not known before logons are sought; the span tells whether there may be others.
    let is_within = |new: &Tally| new.first <= old.tally.first && old.tally.last <= new.last;
    let has_validations = old.tally.validations > 0 && !is_within(&new.tally);
    if facts.is_empty() && restarts.is_empty() && logons.is_empty() && !has_validations {
        return None;
    }
    let n_facts = (facts.len() + restarts.len()) as u64;
    let tally =
        Tally { records: n_facts, told: n_facts, of_no_interest: 0, rejected: 0, ..old.tally };
    // What was wrong with it was told then.
    let (directories, rejects, error) = (Vec::new(), Vec::new(), None);
    let stored = old.stored.map(|stored| Stored { damage: None, ..stored });
    Some(Evidence { facts, restarts, logons, tally, directories, rejects, stored, error, ..old })
}

/// Acts that the new export does not tell, wherever in it they would stand.
fn without<T: Pack>(old: Vec<T>, new: &[T], at: impl Fn(&T, Pos) -> T) -> Vec<T> {
    let act = |told: &T| packed(&at(told, Pos::Line(0)));
    let told: BTreeSet<Vec<u8>> = new.iter().map(act).collect();
    old.into_iter().filter(|old| !told.contains(&act(old))).collect()
}
