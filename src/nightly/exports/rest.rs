//! An export of evidence and the one that replaced it, to what the older one alone tells and what still holds of it.

use crate::change::Voice;
use crate::read::{Evidence, voice};
use crate::readings::pack::packed;
use crate::workers::logons::Logons;
use std::collections::BTreeSet;
use stillin_parsers::event::{Change, ChangeKind, Fact, Identity, Pos, Restart};
use stillin_parsers::evidence::Tally;
use stillin_parsers::kind::Kind;

/// What of `old`, of that kind, counts on beside `new`; `None` if nothing does.
///
/// * Events are acts: what rolled out of an export has happened all the same.
/// * Of an export of what is, the rows of accounts that the new one does not name, and of them what nothing can have
///   undone since: names, times of passwords, that somebody was enabled. Whoever was disabled, deleted or expired may be
///   back by now, and a wrong accusation is worse than a missed one (`nightly::judged` tells that it is not known any more).
/// * Of a list nothing: it is somebody's word, and who strikes a line out takes it back.
/// * Of the configuration of a server nothing: it is another one now.
pub fn rest(old: Evidence, new: &Evidence, kind: Kind) -> Option<Evidence> {
    let (facts, restarts, logons) = match voice(kind) {
        _ if kind == Kind::IisConfig => return None,
        Voice::List => return None,
        Voice::State => (of_others(old.facts, &new.facts), Vec::new(), Logons::default()),
        Voice::Event => {
            let restarts = restarts_without(old.restarts, &new.restarts);
            (acts_without(old.facts, &new.facts), restarts, old.logons.without(&new.logons))
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
    let (directories, rejects, error) = (Vec::new(), Vec::new(), None);
    Some(Evidence { facts, restarts, logons, tally, directories, rejects, error, ..old })
}

const NOWHERE: Pos = Pos::Line(0);

fn acts_without(old: Vec<Fact>, new: &[Fact]) -> Vec<Fact> {
    let act = |fact: &Fact| packed(&fact.clone().at(NOWHERE));
    let told: BTreeSet<Vec<u8>> = new.iter().map(act).collect();
    old.into_iter().filter(|fact| !told.contains(&act(fact))).collect()
}

fn restarts_without(old: Vec<Restart>, new: &[Restart]) -> Vec<Restart> {
    let act = |restart: &Restart| packed(&Restart { pos: NOWHERE, ..restart.clone() });
    let told: BTreeSet<Vec<u8>> = new.iter().map(act).collect();
    old.into_iter().filter(|restart| !told.contains(&act(restart))).collect()
}

/// Facts of accounts that the others do not name, as far as they still hold.
fn of_others(old: Vec<Fact>, new: &[Fact]) -> Vec<Fact> {
    let mut names = Names::default();
    new.iter().for_each(|fact| names.take(fact));
    let of_others = old.into_iter().filter(|fact| !names.has(fact));
    of_others.filter_map(still_true).collect()
}

fn still_true(fact: Fact) -> Option<Fact> {
    match fact {
        Fact::Change(Change {
            kind: ChangeKind::Disabled | ChangeKind::Deleted | ChangeKind::Expired,
            ..
        })
        // When flags were written last is half of when somebody was disabled.
        | Fact::UserAccountControlSet { .. } => None,
        Fact::Account { pos, account, enabled, changed, expires, mailbox } => {
            let enabled = enabled.filter(|is_enabled| *is_enabled);
            Some(Fact::Account { pos, account, enabled, changed, expires, mailbox })
        }
        fact => Some(fact),
    }
}

/// Names of accounts, in lower case. Whoever bears one of them may be named: a name that passed on to another account
/// says nothing of the old one any more.
#[derive(Default)]
struct Names {
    all: BTreeSet<String>,
    /// `sAMAccountName`s that are told without a domain.
    without_domain: BTreeSet<String>,
    /// All of them.
    sams: BTreeSet<String>,
}

impl Names {
    fn take(&mut self, fact: &Fact) {
        let Some(identity) = identity(fact) else { return };
        self.all.extend(names(identity));
        for sam in sams(identity) {
            match &identity.domain {
                Some(domain) => _ = self.all.insert(qualified(domain, &sam)),
                None => _ = self.without_domain.insert(sam.clone()),
            }
            self.sams.insert(sam);
        }
    }

    fn has(&self, fact: &Fact) -> bool {
        let Some(identity) = identity(fact) else { return false };
        let has_sam = |sam: String| match &identity.domain {
            Some(domain) => {
                self.without_domain.contains(&sam) || self.all.contains(&qualified(domain, &sam))
            }
            None => self.sams.contains(&sam),
        };
        names(identity).any(|name| self.all.contains(&name)) || sams(identity).any(has_sam)
    }
}

fn identity(fact: &Fact) -> Option<&Identity> {
    match fact {
        Fact::Change(Change { account, .. })
        | Fact::Account { account, .. }
        | Fact::Linked { account, .. }
        | Fact::UserAccountControlSet { account, .. } => Some(account),
        Fact::Restart(_) | Fact::Logon(_) | Fact::Validation(_) | Fact::VirtualDirectory(_) => None,
    }
}

fn names(identity: &Identity) -> impl Iterator<Item = String> {
    let Identity { sid, guid, user_principal_name, smtp, distinguished_name, .. } = identity;
    let former = &identity.former_user_principal_names;
    let one = [sid, guid, user_principal_name, distinguished_name].into_iter().flatten();
    one.chain(smtp).chain(former).map(|name| name.to_lowercase())
}

fn sams(identity: &Identity) -> impl Iterator<Item = String> {
    let sams = identity.sam_account_name.iter().chain(&identity.former_sam_account_names);
    sams.map(|sam| sam.to_lowercase())
}

fn qualified(domain: &str, sam: &str) -> String {
    format!("{}\\{sam}", domain.to_lowercase())
}
