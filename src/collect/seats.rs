//! Where others sat: address and user agent of every request under a name that is not watched, as bits.
//!
//! A refusal without a name may be a stranger's who came from the same address with the same user agent, from behind
//! one gateway for instance. The rows that are kept do not tell, because they are those of watched accounts only. So
//! every log keeps bits that say of a seat "nobody else, for sure" or "somebody else, in all likelihood": a few bytes
//! for each hundred kilobytes of log, and a few nanoseconds for each line.

use super::gather::lock;
use crate::readings::pack::Pack;
use std::sync::Mutex;
use stillin_parsers::vectors::{Vectors, prefetch};
use stillin_parsers::w3c::{Column, Line};

/// Number of an address and a user agent. `-` is no value, as an empty one.
pub fn seat<'a>(c_ip: &'a [u8], cs_user_agent: &'a [u8], vectors: Vectors) -> u64 {
    let present = |text: &'a [u8]| if text.is_empty() { b"-" } else { text };
    vectors.hash(&[present(c_ip), b" ", present(cs_user_agent)].concat())
}

/// The seat of a line: mostly both stand there as one text.
#[inline(always)]
pub fn seat_of(line: &Line<'_>, vectors: Vectors) -> u64 {
    match line.address_and_agent() {
        Some(text) => vectors.hash(text),
        None => {
            let copy = *line;
            scattered_seat(&copy, vectors)
        }
    }
}

#[cold]
fn scattered_seat(line: &Line<'_>, vectors: Vectors) -> u64 {
    let value = |column| line.value(column).unwrap_or_default();
    seat(value(Column::CIp), value(Column::CsUserAgent), vectors)
}

/// A set of seats that may say yes wrongly, about once in 100,000 times, and never no.
#[derive(Debug, Default)]
pub struct Seats {
    /// Four bits of one word for each seat.
    words: Vec<u64>,
}

impl Seats {
    /// Room for the seats of a log of so many bytes.
    pub fn new(log_bytes: u64) -> Self {
        let bytes = (log_bytes / 2048).clamp(16 << 10, 128 << 10);
        let words = (bytes / 8).next_power_of_two() as usize;
        Seats { words: vec![0; words] }
    }

    /// Fetches what [`Self::insert`] will look at: the table is larger than what the log that streams by leaves
    /// of the processor's caches.
    #[inline(always)]
    pub fn expect(&self, seat: u64) {
        prefetch(&self.words[self.place(seat).0]);
    }

    /// Adds a seat.
    #[inline(always)]
    pub fn insert(&mut self, seat: u64) {
        let (place, bits) = self.place(seat);
        self.words[place] |= bits;
    }

    /// Adds those of another set of that size.
    pub fn absorb(&mut self, other: &Seats) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// Whether somebody may have sat there.
    pub fn contains(&self, seat: u64) -> bool {
        if self.words.is_empty() {
            return false;
        }
        let (place, bits) = self.place(seat);
        self.words[place] & bits == bits
    }

    #[inline(always)]
    fn place(&self, seat: u64) -> (usize, u64) {
        let bits = [0, 6, 12, 18].iter().fold(0, |bits, by| bits | 1 << (seat >> by & 63));
        ((seat >> 24) as usize & (self.words.len() - 1), bits)
    }
}

/// Empty sets for the chunks of one log. Each chunk has its own, for one that is read again under other columns may have taken
/// anything for a seat.
#[derive(Debug)]
pub struct Spare {
    log_bytes: u64,
    sets: Mutex<Vec<Seats>>,
}

impl Spare {
    /// For a log of so many bytes.
    pub fn new(log_bytes: u64) -> Spare {
        Spare { log_bytes, sets: Mutex::default() }
    }

    /// An empty set.
    pub fn take(&self) -> Seats {
        let used = lock(&self.sets).pop();
        used.unwrap_or_else(|| Seats::new(self.log_bytes))
    }

    /// A set that nobody needs any more.
    pub fn give_back(&self, mut seats: Seats) {
        seats.words.fill(0);
        lock(&self.sets).push(seats);
    }
}

impl Pack for Seats {
    fn pack(&self, to: &mut Vec<u8>) {
        self.words.len().pack(to);
        self.words.iter().for_each(|word| to.extend_from_slice(&word.to_le_bytes()));
    }

    fn unpack(from: &mut &[u8]) -> Option<Seats> {
        let n_words = usize::unpack(from)?;
        let (bytes, rest) = from.split_at_checked(n_words.checked_mul(8)?)?;
        *from = rest;
        let words = bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word));
        Some(Seats { words: words.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stillin_parsers::w3c;

    fn number(c_ip: &[u8], cs_user_agent: &[u8]) -> u64 {
        seat(c_ip, cs_user_agent, Vectors::best())
    }

    #[test]
    fn who_sat_there_is_found_and_hardly_anybody_else() {
        let mut seats = Seats::new(8 << 20);
        let number = |n: u32| number(&n.to_le_bytes(), b"Mozilla/5.0+(Windows+NT+10.0)");
        (0..2_000).for_each(|n| seats.insert(number(n)));
        assert!((0..2_000).all(|n| seats.contains(number(n))));
        let wrong = (2_000..202_000).filter(|&n| seats.contains(number(n))).count();
        assert!(wrong < 40, "{wrong} of 200,000");
        assert!(!Seats::default().contains(number(1)));
    }

    /// However a log writes the two, the number is that of their values.
    #[test]
    fn the_seat_of_a_line_is_that_of_its_values() {
        let long = format!("Mozilla/5.0+({})", "x".repeat(400));
        let agents = ["Outlook/16.0", "-", "\"-\"", "\"an agent\"", "\"open", "a\"", &long, ""];
        let addresses = ["203.0.113.7", "::1", "-", "\"::1\"", ""];
        let pairs =
            || addresses.iter().flat_map(|c_ip| agents.iter().map(move |agent| (c_ip, agent)));
        let mut n_lines = 0;
        for (columns, line) in [
            ("cs-username c-ip cs(User-Agent) sc-status", "ada C A 200"),
            ("cs-username sc-status c-ip cs(User-Agent)", "ada 200 C A"),
            ("cs-username c-ip sc-status cs(User-Agent)", "ada C 200 A"),
            ("cs(User-Agent) c-ip cs-username sc-status", "A C ada 200"),
            ("cs-username c-ip sc-status", "ada C 200"),
            ("cs-username cs(User-Agent) sc-status", "ada A 200"),
        ] {
            for (c_ip, agent) in pairs() {
                let line = line.replace('C', c_ip).replace('A', agent);
                let log = format!("#Fields: date time {columns}\r\n2026-03-02 08:00:00 {line}\r\n");
                w3c::scan(log.as_bytes(), &w3c::State::default(), |_, line| {
                    let value = |column| line.value(column).unwrap_or_default();
                    let expect = number(value(Column::CIp), value(Column::CsUserAgent));
                    assert_eq!(seat_of(line, Vectors::best()), expect, "{log}");
                    assert_eq!(seat_of(line, Vectors::none()), expect, "{log}");
                    n_lines += 1;
                });
            }
        }
        assert!(n_lines > 200, "{n_lines} lines were read");
    }

    #[test]
    fn no_value_is_no_value() {
        assert_eq!(number(b"203.0.113.7", b"-"), number(b"203.0.113.7", b""));
        assert_ne!(number(b"203.0.113.7", b"a"), number(b"203.0.113.7a", b""));
    }
}
