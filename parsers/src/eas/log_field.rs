//! The `&Log=` field that Exchange appends to the query of an ActiveSync request, to what the request moved and which
//! servers had it (DOMAIN.md 2.2).

use super::unescaped;
use crate::exchange::pieces;

/// What the `&Log=` field says of the mailbox and the servers (2007 and 2010; later only in back-end logs).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogField<'a> {
    /// Adds, changes, deletes and fetches of the client, over all folders; `None`: not told.
    pub client_items: Option<u64>,
    /// Adds, changes and fetched items the server sent, over all folders; `None`: not told.
    /// Deletes carry no content.
    pub server_items: Option<u64>,
    /// Mails sent; `None`: not told.
    pub mails_sent: Option<u64>,
    /// The error behind a status of 200, as logged.
    pub error: Option<&'a [u8]>,
    /// `Cafe`: name of the front end that the request came through.
    pub front_end: Option<&'a [u8]>,
    /// `PrxFrom`: address of the server that passed it on.
    pub proxied_from: Option<&'a [u8]>,
    /// `PrxTo`: the server that it was passed on to.
    pub proxied_to: Option<&'a [u8]>,
}

impl<'a> LogField<'a> {
    /// The other servers that had the request: the one before by its name, or else by its address, and the one after.
    pub fn servers(&self) -> impl Iterator<Item = Vec<u8>> + use<'a> {
        let before = self.front_end.or(self.proxied_from);
        // Encoded once; the `%` of a zone that is left must stay, as in an address that was not encoded at all.
        let decoded = |text: &[u8]| match memchr::memchr(b':', text) {
            Some(_) => text.to_vec(),
            None => unescaped(text).collect(),
        };
        before.into_iter().chain(self.proxied_to).map(decoded)
    }
}

/// Reads the `&Log=` field; `None`: there is none.
///
/// The last one counts: a client can send one of its own, and the server appends. Tokens are
/// separated by `_` (`%5f` inside values); unknown ones are skipped. Microsoft's page spells
/// `Svr:`, the logs `Srv:`.
pub fn log_field(cs_uri_query: &[u8]) -> Option<LogField<'_>> {
    let text = pieces(cs_uri_query)
        .filter(|piece| piece.get(..4).is_some_and(|key| key.eq_ignore_ascii_case(b"Log=")))
        .last()?
        .get(4..)?;
    let mut field = LogField::default();
    for token in text.split(|&b| b == b'_') {
        if let Some(at) = memchr::memchr(b':', token) {
            let (name, value) = (token.get(..at)?, token.get(at + 1..)?);
            let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes()) && !value.is_empty();
            if name.eq_ignore_ascii_case(b"Cli") {
                add(&mut field.client_items, counted(value, "acdf"));
            } else if name.eq_ignore_ascii_case(b"Srv") || name.eq_ignore_ascii_case(b"Svr") {
                add(&mut field.server_items, counted(value, "acf"));
            } else if is("Error") {
                field.error = Some(value);
            } else if is("Cafe") {
                field.front_end = Some(value);
            } else if is("PrxFrom") {
                field.proxied_from = Some(value);
            } else if is("PrxTo") {
                field.proxied_to = Some(value);
            }
        } else if let Some(number) = token.strip_prefix(b"Ms") {
            let number = std::str::from_utf8(number).ok().and_then(|text| text.parse().ok());
            add(&mut field.mails_sent, number);
        }
    }
    Some(field)
}

fn add(total: &mut Option<u64>, more: Option<u64>) {
    if let Some(more) = more {
        *total = Some(total.unwrap_or(0).saturating_add(more));
    }
}

/// The sum of those counters of `6a0c0d0s0e` that have one of these names; `None`: no such text.
/// The first of a name counts: later builds append an `A` of another meaning to `Srv:`.
fn counted(text: &[u8], names: &str) -> Option<u64> {
    let mut sum = 0u64;
    let mut open = [true; 26];
    let mut rest = text;
    while !rest.is_empty() {
        let (number, name, tail) = counter(rest)?;
        rest = tail;
        let [letter] = name else { continue };
        let lower = letter.to_ascii_lowercase();
        let slot = open.get_mut(usize::from(lower.wrapping_sub(b'a')))?;
        if *slot && names.bytes().any(|want| want == lower) {
            sum = sum.saturating_add(number);
        }
        *slot = false;
    }
    (!text.is_empty()).then_some(sum)
}

/// `6a` and what follows it.
fn counter(text: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (number, rest) = text.split_at_checked(text.iter().position(|b| !b.is_ascii_digit())?)?;
    let letters = rest.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let (name, rest) = rest.split_at_checked(letters).filter(|(name, _)| !name.is_empty())?;
    Some((std::str::from_utf8(number).ok()?.parse().ok()?, name, rest))
}
