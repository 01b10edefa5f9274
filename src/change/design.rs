//! What all sources say of one account to whether a disable of it is by design: then there never was an access that it
//! should have ended (DOMAIN.md 4.4).

use super::{Heard, SAME_ACT, Voice};
use crate::account::AccountId;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use stillin_parsers::event::{ChangeKind, Mailbox, Pos, Precision};

/// Why a disable is by design.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Design {
    /// Exchange made the account, and made it disabled.
    SinceMade,
    /// The mailbox is linked: an account of another forest logs on.
    Linked,
    /// The same, but the account here was enabled until this disable.
    LinkedLater,
}

/// Exchange makes an account and disables it in one go; a person's was enabled in between.
const ONE_GO: TimeDelta = TimeDelta::minutes(1);

/// Why a disable of the account is by design. The kind of the mailbox alone says little: that of a leaver is often made
/// a shared one on the day of the disable. So nothing may say that the account ever was enabled, all sources have to
/// agree on the mailbox, and of any but a linked one they have to show that the account was made disabled.
pub(super) fn of(heard: &Heard) -> Option<Design> {
    let kinds: BTreeSet<Mailbox> = heard.mailboxes.iter().map(|(mailbox, _)| *mailbox).collect();
    let mailbox = kinds.first().filter(|_| kinds.len() == 1)?;
    if !mailbox.is_disabled_by_design() || was_enabled(heard) {
        None
    } else if was_cut_off(heard) {
        (*mailbox == Mailbox::Linked).then_some(Design::LinkedLater)
    } else if was_made_disabled(heard) {
        Some(Design::SinceMade)
    } else {
        (*mailbox == Mailbox::Linked).then_some(Design::Linked)
    }
}

/// The account of another forest that logs on to its linked mailbox instead of it, where sources agree on one.
pub(super) fn master(heard: &Heard, design: Option<Design>) -> Option<AccountId> {
    let is_linked = heard.mailboxes.iter().any(|(mailbox, _)| *mailbox == Mailbox::Linked);
    let master = heard.masters.first().filter(|_| heard.masters.len() == 1)?;
    (is_linked && design.is_some()).then_some(*master)
}

/// Something says so: a state, an enable, a password that the user changed, or a disable of what was disabled already.
fn was_enabled(heard: &Heard) -> bool {
    let disables = || heard.changes.iter().filter(|(_, c)| c.kind == ChangeKind::Disabled);
    let first = disables().map(|(_, c)| c.at).min();
    let last_act = disables().filter(|(voice, _)| *voice != Voice::State).map(|(_, c)| c.at).max();
    let is_used =
        |kind: ChangeKind| matches!(kind, ChangeKind::Enabled | ChangeKind::PasswordChanged);
    heard.states.iter().any(|state| state.enabled)
        || heard.changes.iter().any(|(_, c)| is_used(c.kind))
        || first.zip(last_act).is_some_and(|(first, last)| last - first > SAME_ACT)
}

/// Only what is enabled can be disabled, so the event of a disable says that it was, but for the one with which the account
/// was made.
fn was_cut_off(heard: &Heard) -> bool {
    let of_kind = |kind| heard.changes.iter().filter(move |(_, c)| c.kind == kind);
    let made = of_kind(ChangeKind::Created).map(|(_, c)| c.at).min();
    of_kind(ChangeKind::Disabled).any(|(voice, c)| {
        *voice == Voice::Event && !made.is_some_and(|made| is_in_one_go(made, c.at))
    })
}

/// Whether what happened then was one act with the making of the account.
fn is_in_one_go(made: DateTime<Utc>, at: DateTime<Utc>) -> bool {
    made - SAME_ACT <= at && at <= made + ONE_GO
}

/// An export that tells the mailbox shows that the flags of the account were not written since it was made, and no
/// source can know of a later write. An export from before there was a mailbox shows nothing: accounts of people who
/// are still to come are disabled as well.
fn was_made_disabled(heard: &Heard) -> bool {
    let of_kind = |kind| heard.changes.iter().map(|(_, c)| c).filter(move |c| c.kind == kind);
    let Some(made) = of_kind(ChangeKind::Created).map(|c| c.at).min() else { return false };
    let source = |evidence: &BTreeSet<(usize, Pos)>| evidence.first().map(|(source, _)| *source);
    let disables = of_kind(ChangeKind::Disabled);
    let disables = disables.map(|c| (c.at, c.precision == Precision::Exact, source(&c.evidence)));
    let flags = heard.control_set.iter().map(|(at, (source, _))| (*at, true, Some(*source)));
    let (then, later): (Vec<_>, Vec<_>) =
        disables.chain(flags).partition(|(at, ..)| is_in_one_go(made, *at));
    let tells_mailbox = |source: &usize| heard.mailboxes.iter().any(|(_, of)| of == source);
    let changed = |source: usize| {
        let states = heard.states.iter().filter(|state| state.evidence.0 == source);
        states.filter_map(|state| state.changed).max()
    };
    let shown = then.into_iter().filter_map(|(at, _, source)| {
        let source = source.filter(tells_mailbox)?;
        Some(changed(source).map_or(at, |changed| changed.max(at)))
    });
    shown.max().is_some_and(|until| later.iter().all(|(at, is_exact, _)| !is_exact && *at <= until))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::tests::told;
    use crate::change::{Told, merge};

    /// Each inner list is what one source tells, in the words of [`told`].
    fn design(sources: &[&[&str]]) -> Option<Design> {
        let of_source = |(source, facts): (usize, &&[&str])| {
            told(facts).into_iter().map(move |told| Told { source, ..told })
        };
        let told: Vec<Told> = sources.iter().enumerate().flat_map(of_source).collect();
        merge(&told).by_design.into_values().next()
    }

    fn check(sources: &[&[&str]], expect: Option<Design>) {
        assert_eq!(design(sources), expect, "{sources:?}");
    }

    /// A state of minute 900, as exports without metadata tell it.
    const STATE: [&str; 2] = ["!-900", "!~D900"];

    #[test]
    fn the_kind_of_the_mailbox_alone_says_little() {
        let [off, disabled] = STATE;
        for mailbox in ["Muser", "Mshared", "Mroom", "Mequipment", "Msystem"] {
            check(&[&[mailbox, "!C0", off, disabled]], None);
            check(&[&[mailbox, off, disabled]], None);
            check(&[&[mailbox], &["D700"]], None);
        }
        // Nobody makes a leaver's mailbox a linked one.
        check(&[&["Mlinked", "!C0", off, disabled]], Some(Design::Linked));
        check(&[&["Mlinked"], &[off, disabled]], Some(Design::Linked));
        check(&[&["Mlinked", "!C0", "!D-5000"]], Some(Design::Linked));
    }

    #[test]
    fn made_disabled() {
        for mailbox in ["Mlinked", "Mshared", "Mroom", "Mequipment", "Msystem"] {
            // By metadata, and by an export that is hardly older than the account.
            check(&[&[mailbox, "!C0", "!-900", "!D0.1"]], Some(Design::SinceMade));
            check(&[&[mailbox, "!C0", "!-0.5", "!~D0.5"]], Some(Design::SinceMade));
            let linked = (mailbox == "Mlinked").then_some(Design::Linked);
            check(&[&[mailbox, "!C0", "!-900"], &["!u0.1"]], linked);
        }
        check(&[&["Muser", "!C0", "!-900", "!D0.1"]], None);
        // A later export without metadata cannot know better, if it is not newer.
        let by_metadata: &[&str] = &["Mshared", "!C0", "!-900", "!D0.1"];
        check(&[by_metadata, &STATE], Some(Design::SinceMade));
        check(&[by_metadata, &["!-901", "!~D901"]], None);
        // The flags were written since, or the source cannot have known of the mailbox.
        check(&[&["Mshared", "!C0", "!-900", "!D2"]], None);
        check(&[by_metadata, &["u300"]], None);
        check(&[&["!C0", "!-900", "!D0.1"], &["Mshared"]], None);
        check(&[&["Mshared"], &["C0", "D0.1"]], None);
    }

    #[test]
    fn whoever_was_enabled_once_is_not() {
        let made_disabled: &[&str] = &["Mshared", "!C0", "!-900", "!D0.1"];
        let linked: &[&str] = &["Mlinked", "!-900", "!~D900"];
        for sources in [made_disabled, linked] {
            check(&[sources, &["!+500"]], None);
            check(&[sources, &["e500"]], None);
            check(&[sources, &["c500"]], None);
            check(&[sources, &["Muser"]], None);
            check(&[sources, &["Mroom"]], None);
            // Others set passwords of whatever account; a disable of a disabled one shows an enable in between.
            assert!(design(&[sources, &["r500"]]).is_some());
        }
        check(&[made_disabled, &["D700"]], None);
        // Only what is enabled can be disabled; but for the disable with which Exchange makes an account.
        check(&[&["Mlinked", "!C0", "!-900", "!D900"], &["D900"]], Some(Design::LinkedLater));
        check(&[linked, &["D900"]], Some(Design::LinkedLater));
        check(&[&["Mshared", "!C0", "!-900", "!D900"], &["D900"]], None);
        check(&[&["Mlinked", "!C0", "!-900", "!D0.1"], &["C0", "D0.1"]], Some(Design::SinceMade));
        check(&[linked, &["D700", "D800"]], None);
        check(&[linked, &["D950"]], None);
    }
}
