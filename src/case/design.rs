//! Requests under the names of accounts that are disabled by design, set apart from residual access (DOMAIN.md 4.4).

use super::{Finding, Row, World, path};
use crate::change::Design;
use crate::collect::book::Access;
use crate::correlate::Residual;
use stillin_parsers::event::{ChangeKind, Mailbox};

/// Takes what is by design out of the residual access and returns it by change. `changes` are those of the account.
pub(super) fn set_apart(rows: &mut [Row], changes: &[usize], world: &World<'_>) -> Vec<Finding> {
    let is_apart: Vec<bool> = rows.iter().map(|row| is_apart(row, changes, world)).collect();
    if !is_apart.contains(&true) {
        return Vec::new();
    }
    let mut apart = rows.to_vec();
    for ((row, apart), is_apart) in rows.iter_mut().zip(&mut apart).zip(is_apart) {
        let other = if is_apart { row } else { apart };
        other.residual = Residual::No;
    }
    path::findings(&apart, world)
}

fn is_apart(row: &Row, changes: &[usize], world: &World<'_>) -> bool {
    // The design explains nothing after that.
    let is_gone = |&index: &usize| {
        let change = &world.changes[index];
        matches!(change.kind, ChangeKind::Deleted | ChangeKind::Expired)
            && change.at <= row.access.end
    };
    let is_of_design = match world.by_design.get(&row.change) {
        Some(Design::SinceMade) => true,
        Some(Design::Linked) => may_be_masters(&row.access, world),
        // It was this one's own access that the disable should have ended, so no name that a client sent is excused.
        Some(Design::LinkedLater) => {
            !is_of_client(&row.access) && may_be_masters(&row.access, world)
        }
        None => false,
    };
    is_of_design && !changes.iter().any(is_gone)
}

/// The request of a linked mailbox may be that of its master account in the other forest: that logs on with a UPN or an
/// address that this one bears as well, or with a bare name. Not so `DOMAIN\sam` of this one, where IIS took it from
/// the client; the back end and Exchange's own logs may show it for the master account, which nobody documents.
pub(super) fn may_be_masters(access: &Access, world: &World<'_>) -> bool {
    let account = world.accounts.list.get(access.account);
    if !account.is_some_and(|account| account.mailboxes.contains(&Mailbox::Linked)) {
        return false;
    }
    let name = &world.book.keys.get(access.key).name;
    !is_of_client(access) || !world.accounts.is_own_name(name, access.account)
}

/// The name is the one that IIS had from the client.
fn is_of_client(access: &Access) -> bool {
    !access.is_back_end && !access.is_proxied
}
