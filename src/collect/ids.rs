//! Ids of the requests that are kept to what another log is asked for: the same request, at about the same time.

use super::book::Book;
use hashbrown::HashMap;

/// No client waits longer for an answer (see `correlate`), and all logs write the end of a request.
const NEAR: i64 = 3600;

/// The ids, each with the seconds since 1970 of its first and its last row: a client can write an id of its own, and what
/// another log has under it a day later is no twin. Only looked up, never walked.
#[derive(Debug, Default)]
pub struct Ids {
    ids: HashMap<u128, (i64, i64)>,
    /// By time, for those who ask what lies in a span.
    list: Vec<(i64, i64, u128)>,
}

impl Ids {
    /// Ids of all rows that have one.
    pub fn of(book: &Book) -> Ids {
        let mut ids: HashMap<u128, (i64, i64)> = HashMap::new();
        let rows = book.accesses.iter().chain(&book.nameless);
        for row in rows.filter(|row| row.request_id != 0) {
            let end = row.end.timestamp();
            let (from, to) = ids.entry(row.request_id).or_insert((end, end));
            (*from, *to) = ((*from).min(end), (*to).max(end));
        }
        let mut list: Vec<(i64, i64, u128)> =
            ids.iter().map(|(id, (from, to))| (*from, *to, *id)).collect();
        list.sort_unstable();
        Ids { ids, list }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Whether a row at that time may be of one of the requests.
    pub fn has(&self, id: u128, seconds: i64) -> bool {
        self.ids.get(&id).is_some_and(|(from, to)| (from - NEAR..=to + NEAR).contains(&seconds))
    }

    /// Everything that [`Self::has`] can find in a span of time, in order.
    pub fn within(&self, (from, to): (i64, i64)) -> impl Iterator<Item = &(i64, i64, u128)> {
        let until = self.list.partition_point(|(first, ..)| first - NEAR <= to);
        self.list[..until].iter().filter(move |(_, last, _)| last + NEAR >= from)
    }
}
