//! What became of the lines of a log, or of a chunk of it.

use super::Endless;
use crate::event::Reason;
use std::sync::Arc;

/// Rejects kept with place and reason for each chunk; all of them are counted.
pub const REJECTS_KEPT: usize = 100;

/// Seconds by which an entry may be older than one before it in a log that is in order: each is written when its request is
/// over, but not at once.
pub const DISORDER: i64 = 60;

/// What became of the lines of a chunk: `lines = requests + directives + blank + rejected`. `L` is what a header says.
#[derive(Debug, Clone, Default)]
pub struct Tally<L> {
    /// Pieces between line ends and NUL runs.
    pub lines: u64,
    /// Data lines understood.
    pub requests: u64,
    /// Lines that begin with `#`, and header rows without one.
    pub directives: u64,
    /// Empty lines.
    pub blank: u64,
    /// Data lines not understood.
    pub rejected: u64,
    /// Data lines understood after a repair; they count as requests.
    pub repaired: u64,
    /// Runs of NUL bytes.
    pub nul_runs: u64,
    /// Line ends, which is what line numbers count.
    pub line_ends: u64,
    /// The first rejects: line within the chunk, reason.
    pub rejects: Vec<(u64, Reason)>,
    /// The last two rejects, of which one may be a line that is still being written: line within the chunk, and the time of
    /// the first entry behind it, seconds since 1970, if there is one.
    pub last_rejects: Vec<(u64, Option<i64>)>,
    /// Earliest and latest entry, seconds since 1970.
    pub span: Option<(i64, i64)>,
    /// Some entry is older than one before it by more than [`DISORDER`].
    pub is_unordered: bool,
    /// Last entry before and first entry after each NUL run; `None` where it lies in another chunk.
    pub holes: Vec<(Option<i64>, Option<i64>)>,
    /// First and last entry as they stand in the log, whatever their time.
    pub ends: Option<(i64, i64)>,
    /// Every header seen.
    pub layouts: Vec<Header<L>>,
    /// `#Software` lines seen, each text once.
    pub software: Vec<String>,
}

/// A header, and the entries it stands between.
#[derive(Debug, Clone)]
pub struct Header<L> {
    /// Line within the chunk.
    pub line: u64,
    /// What it says.
    pub layout: Arc<L>,
    /// Times of the last entry before it and of the first one after it, seconds since 1970; `None` where that lies in
    /// another chunk, if anywhere.
    pub between: (Option<i64>, Option<i64>),
}

/// A header, which is kept once as long as it is only repeated: logs hold it again and again.
pub(crate) fn kept_once<L: PartialEq>(known: Option<Arc<L>>, layout: L) -> Arc<L> {
    known.filter(|known| **known == layout).unwrap_or_else(|| Arc::new(layout))
}

impl<L> Tally<L> {
    pub(crate) fn header(&mut self, line: u64, layout: Arc<L>) {
        let before = self.ends.map(|(_, last)| last);
        self.layouts.push(Header { line, layout, between: (before, None) });
    }

    /// An entry, unless it has the second of the entry before.
    pub(crate) fn saw(&mut self, seconds: i64) {
        self.spans((seconds, seconds));
        self.ends = Some(self.ends.map_or((seconds, seconds), |(first, _)| (first, seconds)));
        for hole in self.holes.iter_mut().rev().take_while(|(_, after)| after.is_none()) {
            hole.1 = Some(seconds);
        }
        for header in self.layouts.iter_mut().rev().take_while(|h| h.between.1.is_none()) {
            header.between.1 = Some(seconds);
        }
        self.reject_is_before(seconds);
    }

    /// Entries of that time come next.
    pub fn spans(&mut self, (from, to): (i64, i64)) {
        let (first, last) = self.span.unwrap_or((from, from));
        self.is_unordered |= from < last.saturating_sub(DISORDER);
        self.span = Some((first.min(from), last.max(to)));
    }

    /// An entry comes behind whatever was rejected.
    pub fn reject_is_before(&mut self, seconds: i64) {
        for reject in self.last_rejects.iter_mut().filter(|(_, after)| after.is_none()) {
            reject.1 = Some(seconds);
        }
    }

    /// Keeps the last two rejects.
    pub fn last_reject(&mut self, number: u64, after: Option<i64>) {
        if self.last_rejects.len() > 1 {
            self.last_rejects.remove(0);
        }
        self.last_rejects.push((number, after));
    }

    pub(crate) fn software(&mut self, text: &[u8]) {
        let software = String::from_utf8_lossy(text.trim_ascii()).into_owned();
        if !self.software.contains(&software) && self.software.len() < 16 {
            self.software.push(software);
        }
    }

    pub(crate) fn reject(&mut self, number: u64, reason: Reason) {
        self.rejected += 1;
        self.last_reject(number, None);
        if self.rejects.len() < REJECTS_KEPT {
            self.rejects.push((number, reason));
        }
    }

    /// Nobody knows how much was lost there: the log has a hole from the entry before to the entry after.
    pub(crate) fn nul_run(&mut self) {
        self.nul_runs += 1;
        self.holes.push((self.ends.map(|(_, last)| last), None));
    }

    /// A line that is refused without being taken apart.
    pub(crate) fn refuse(&mut self, line: &Endless) {
        let number = self.line_ends + 1;
        self.line_ends += u64::from(line.has_end);
        self.lines += 1;
        if !line.has_text {
            self.blank += 1;
            self.nul_run();
            return;
        }
        let reason = format!("a line of {} bytes; no log writes lines that long", line.bytes);
        self.reject(number, Reason::Format(reason));
    }
}
