//! Tallies of the pieces of a log to that of the log, in the order of the file.

use super::minutes::Presence;
use stillin_parsers::event::Reason;
use stillin_parsers::lines::{Header, REJECTS_KEPT, Tally};

/// A tally whose headers were looked at.
pub type Counted = Tally<()>;

/// What the pieces so far came to.
#[derive(Debug, Default)]
pub struct Sum {
    tally: Counted,
    /// A NUL run at the end of a chunk is a hole until the next entry.
    open_holes: bool,
    last_entry: Option<i64>,
}

impl Sum {
    /// Line ends so far, which is what line numbers count.
    pub fn line_ends(&self) -> u64 {
        self.tally.line_ends
    }

    /// Adds the next piece, which begins under the header at line `fields_line` of the file; returns its own headers, as
    /// they stand in the file.
    pub fn take<L>(&mut self, tally: Tally<L>, fields_line: u64) -> Vec<Header<L>> {
        let sum = &mut self.tally;
        let lines_before = sum.line_ends;
        sum.lines += tally.lines;
        sum.requests += tally.requests;
        sum.directives += tally.directives;
        sum.blank += tally.blank;
        sum.rejected += tally.rejected;
        sum.repaired += tally.repaired;
        sum.nul_runs += tally.nul_runs;
        sum.line_ends += tally.line_ends;
        for (line, reason) in tally.rejects {
            if sum.rejects.len() < REJECTS_KEPT {
                sum.rejects.push((line + lines_before, in_file(reason, lines_before, fields_line)));
            }
        }
        let first_entry = tally.ends.map(|(first, _)| first);
        first_entry.into_iter().for_each(|first| sum.reject_is_before(first));
        for (line, after) in tally.last_rejects {
            sum.last_reject(line + lines_before, after);
        }
        sum.is_unordered |= tally.is_unordered;
        tally.span.into_iter().for_each(|span| sum.spans(span));
        if let (true, Some(after)) = (self.open_holes, first_entry) {
            sum.holes.push((self.last_entry, Some(after)));
            self.open_holes = false;
        }
        for (before, after) in tally.holes {
            let before = before.or(self.last_entry);
            match (before, after) {
                (Some(_), Some(_)) => sum.holes.push((before, after)),
                (_, None) => self.open_holes = true,
                (None, Some(_)) => sum.holes.push((None, after)),
            }
        }
        let before = self.last_entry;
        self.last_entry = tally.ends.map(|(_, last)| last).or(before);
        let in_file = |header: Header<L>| {
            let between = (header.between.0.or(before), header.between.1);
            Header { line: header.line + lines_before, between, ..header }
        };
        tally.layouts.into_iter().map(in_file).collect()
    }

    /// The tally of the whole log; its holes are holes of every presence in it.
    pub fn finish<'a>(mut self, presences: impl Iterator<Item = &'a mut Presence>) -> Counted {
        if self.open_holes {
            self.tally.holes.push((self.last_entry, None));
        }
        for presence in presences {
            for hole in &self.tally.holes {
                match *hole {
                    (Some(before), Some(after)) => _ = presence.holes.insert((before, after)),
                    (Some(before), None) => _ = presence.holes_after.insert(before),
                    (None, Some(after)) => _ = presence.holes_before.insert(after),
                    (None, None) => {}
                }
            }
        }
        self.tally
    }
}

/// A reason with the line of the header as it stands in the file.
fn in_file(reason: Reason, lines_before: u64, inherited: u64) -> Reason {
    match reason {
        Reason::FieldCount { want, got, fields_line } => {
            let fields_line = if fields_line == 0 { inherited } else { fields_line + lines_before };
            Reason::FieldCount { want, got, fields_line }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stillin_parsers::lines::{DISORDER, chunks};
    use stillin_parsers::w3c;

    proptest! {
        #[test]
        fn a_log_is_in_order_as_a_whole(
            seconds in prop::collection::vec(0u32..150, 1..20),
            is_sorted: bool,
            size in 1usize..400,
        ) {
            let mut seconds = seconds;
            if is_sorted {
                seconds.sort_unstable();
            }
            let mut log = "#Fields: date time cs-username sc-status\r\n".to_owned();
            for second in &seconds {
                log += &format!("2026-03-02 08:{:02}:{:02} ada 200\r\n", second / 60, second % 60);
            }
            let (mut sum, mut state) = (Sum::default(), w3c::State::default());
            for chunk in chunks(log.as_bytes(), size) {
                let (tally, next) = w3c::scan(chunk, &state, |_, _| ());
                sum.take(tally, state.fields_line);
                state = next;
            }
            let pairs = (0..seconds.len()).flat_map(|n| (n..seconds.len()).map(move |m| (n, m)));
            let is_late = |(n, m)| i64::from(seconds[n]) - i64::from(seconds[m]) > DISORDER;
            let tally = sum.finish(std::iter::empty());
            prop_assert_eq!(tally.requests, seconds.len() as u64);
            prop_assert_eq!(tally.is_unordered, { pairs }.any(is_late));
        }
    }
}
