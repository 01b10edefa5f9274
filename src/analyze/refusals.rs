//! Refusals to whose they are: those without a name to the client that was served there before, and those at an address
//! that others share to nobody for certain.

use super::Run;
use crate::collect::Collected;
use crate::collect::book::Book;
use crate::collect::clients::{self, Claim};
use crate::collect::log::Log;
use chrono::{DateTime, Utc};

impl Run<'_> {
    /// Nameless refusals of watched clients, but for those where strangers sat as well.
    pub(super) fn claims(&self) -> Vec<Claim> {
        let book = &self.collected.book;
        let is_alone = |claim: &Claim| {
            let clients = [claim.served.client, claim.refusal.client];
            !clients.iter().any(|&client| {
                has_strangers(&self.collected, book, claim.served.key, client, claim.refusal.end)
            })
        };
        clients::claims(book).into_iter().filter(is_alone).collect()
    }

    /// Refusals that may be another client's, as indexes of rows.
    pub(super) fn crowded(&self, identities: &[u32]) -> Vec<usize> {
        let book = &self.collected.book;
        clients::crowded(book, identities, |refusal| {
            has_strangers(&self.collected, book, refusal.key, refusal.client, refusal.end)
        })
    }
}

/// Whether a stranger sat at the seat of a client, in the day before.
fn has_strangers(
    collected: &Collected,
    book: &Book,
    key: u32,
    client: u32,
    until: DateTime<Utc>,
) -> bool {
    let (server, seat) = (&book.keys.get(key).server, book.clients.get(client).seat);
    let until = until.timestamp();
    let from = until - clients::SESSION.num_seconds();
    let may_tell = |(index, log): &(&usize, &Log)| {
        let is_of_server = collected.server_of_log.get(index).is_none_or(|name| name == server);
        is_of_server && log.tally.span.is_some_and(|(a, b)| a <= until && from <= b)
    };
    collected.logs.iter().filter(may_tell).any(|(_, log)| log.seats.contains(seat))
}
