//! A chunk of a log of Exchange to its rows: the path of every line of such a log.

use super::cells::{is_vouched, left, split};
use super::layout::{Column, Layout, is_bare_header, is_header};
use super::row::Row;
use crate::event::Reason;
use crate::lines::{
    self, Endless, Piece, Values, WINDOW, Window, Windows, between_nuls, day_number, nanos,
    second_of_day,
};
use crate::vectors::{Separators, Vectors, Work, prefetch_behind};
use std::sync::Arc;

/// What became of the lines of a chunk. `requests` are rows; header rows count as directives.
pub type Tally = lines::Tally<Layout>;

/// What a chunk leaves to the next one.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The columns in force.
    pub layout: Option<Arc<Layout>>,
    /// Line of that header in the file; within a scan 0 says that it came from an earlier chunk.
    pub fields_line: u64,
}

impl State {
    /// Whether a chunk reads the same with either state.
    pub fn reads_like(&self, other: &State) -> bool {
        self.layout == other.layout
    }
}

/// Reads a chunk that begins at a line start; `each` gets every row. Returns the tally, and the state for the next
/// chunk.
pub fn scan(chunk: &[u8], state: &State, mut each: impl FnMut(&Row<'_>)) -> (Tally, State) {
    let mut scanner = Scanner::new(state);
    scanner.read(chunk, true, &mut each);
    scanner.finish()
}

/// Reads a chunk block by block, for those who do not have it in memory as a whole.
pub struct Scanner {
    windows: Windows,
    reader: Reader,
}

impl Scanner {
    /// Before the first block.
    pub fn new(state: &State) -> Self {
        let reader = Reader {
            state: State { layout: state.layout.clone(), fields_line: 0 },
            tally: Tally::default(),
            clock: Clock::default(),
            buffer: Vec::new(),
            ranges: Vec::new(),
        };
        Scanner { windows: Windows::new(Separators::find_commas), reader }
    }

    /// Reads the lines of a block, and returns how many bytes they are: the next block begins behind them.
    ///
    /// A line that the block does not end is left for the next one, which has to hold more of it, unless the block is
    /// the last one or the line is longer than 1 MiB.
    pub fn read(&mut self, block: &[u8], is_last: bool, each: &mut impl FnMut(&Row<'_>)) -> usize {
        Vectors::best().run(Block { scanner: self, block, is_last, each })
    }

    /// What became of the lines, and the state for the next chunk.
    pub fn finish(self) -> (Tally, State) {
        (self.reader.tally, self.reader.state)
    }
}

/// A block to be read, as [`Scanner::read`] says.
struct Block<'a, E> {
    scanner: &'a mut Scanner,
    block: &'a [u8],
    is_last: bool,
    each: &'a mut E,
}

impl<E: FnMut(&Row<'_>)> Work for Block<'_, E> {
    type Result = usize;

    #[inline(always)]
    fn run(self) -> usize {
        let Block { scanner: Scanner { windows, reader }, block, is_last, each } = self;
        let mut rest = block;
        while let Some(window) = windows.next(&mut rest, is_last) {
            match window {
                Window::Lines(window, separators) => reader.window(window, separators, each),
                Window::Endless(line) => reader.refuse(&line),
            }
        }
        block.len() - rest.len()
    }
}

struct Reader {
    state: State,
    tally: Tally,
    clock: Clock,
    /// A line whose quotes are undone, and the places of its cells.
    buffer: Vec<u8>,
    ranges: Vec<(usize, usize)>,
}

impl Reader {
    #[inline(always)]
    fn window(&mut self, window: &[u8], separators: &Separators, each: &mut impl FnMut(&Row<'_>)) {
        let mut layout = self.state.layout.clone();
        let mut first = 0;
        for &last in separators.line_ends() {
            let places = separators.places().get(first as usize..=last as usize);
            let Some(places @ [before, .., behind]) = places else { break };
            first = last;
            self.tally.line_ends += 1;
            let piece = Piece::between(*before, *behind, window, self.tally.line_ends);
            prefetch_behind(piece.text(), WINDOW);
            // Quotes are rare, but one in a user agent must not slow down all rows around it.
            let odd = separators.odd() && memchr::memchr2(b'"', 0, piece.text()).is_some();
            // No closure: it would not be compiled with the loop.
            let simple = match layout.as_deref() {
                Some(layout) if !odd => self.simple_row(&piece, places, layout, each).is_some(),
                _ => false,
            };
            if !simple {
                // A copy, as in the scanner of W3C.
                self.any_line(&piece.clone(), each);
                layout.clone_from(&self.state.layout);
            }
        }
        let start = separators.places().get(first as usize).map_or(0, |lf| lf.wrapping_add(1));
        if (start as usize) < window.len() {
            // The last line has no line end yet.
            let (start, end) = (start as usize, window.len());
            self.any_line(&Piece { window, start, end, number: self.tally.line_ends + 1 }, each);
        }
    }

    /// The common case: as many commas as it takes, a well-formed time and status.
    /// `None` where anything else has to be done; nothing has been changed then.
    #[inline(always)]
    fn simple_row(
        &mut self,
        piece: &Piece<'_>,
        places: &[u32],
        header: &Layout,
        each: &mut impl FnMut(&Row<'_>),
    ) -> Option<()> {
        let layout = header.fitting(places.len() - 1)?;
        let end = piece.end_of_values()?;
        let values = Values::Separated { places, end };
        let (number, text) = (piece.number, piece.window);
        let mut row = Row { layout, number, seconds: 0, nanos: 0, text, values };
        if !is_status(&row) {
            return None;
        }
        self.clock.set(&mut row).ok()?;
        self.tally.lines += 1;
        self.tally.repaired += u64::from(layout.len() != header.len());
        self.count(&row, each);
        Some(())
    }

    /// Any other line, with all that may be odd about it.
    #[cold]
    #[inline(never)]
    fn any_line(&mut self, piece: &Piece<'_>, each: &mut impl FnMut(&Row<'_>)) {
        for part in between_nuls(piece.text()) {
            match part {
                Some(line) => self.line(line, piece.number, each),
                None => self.nul_run(),
            }
        }
    }

    /// One line between line ends and NUL runs.
    fn line(&mut self, text: &[u8], number: u64, each: &mut impl FnMut(&Row<'_>)) {
        // Logs that were put together have their mark in mid-file.
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let text = lines::without_crs(text);
        self.tally.lines += 1;
        let trimmed = text.trim_ascii();
        if trimmed.is_empty() {
            self.tally.blank += 1;
        } else if trimmed.starts_with(b"#") || is_bare_header(trimmed) {
            self.tally.directives += 1;
            self.directive(trimmed, number);
        } else if let Err(reason) = self.data(text, number, each) {
            self.tally.reject(number, reason);
        }
    }

    fn data(
        &mut self,
        text: &[u8],
        number: u64,
        each: &mut impl FnMut(&Row<'_>),
    ) -> Result<(), Reason> {
        let header = self.state.layout.clone().ok_or(Reason::NoFields)?;
        let (mut buffer, mut ranges) =
            (std::mem::take(&mut self.buffer), std::mem::take(&mut self.ranges));
        let result = split(text, &mut buffer, &mut ranges).and_then(|text| {
            let (want, got) = (header.len(), ranges.len());
            let unfit = || Reason::FieldCount { want, got, fields_line: self.state.fields_line };
            let fitting = header.fitting(got);
            if fitting.is_none() {
                left(&header, &mut ranges).ok_or_else(unfit)?;
            }
            let (layout, values) = (fitting.unwrap_or(&header), Values::Ranges(&ranges));
            let mut row = Row { layout, number, seconds: 0, nanos: 0, text, values };
            self.clock.set(&mut row)?;
            if !is_status(&row) {
                return Err(Reason::BadNumber("HttpStatus"));
            }
            if fitting.is_none() && got > want && !is_vouched(&row) {
                return Err(unfit());
            }
            self.tally.repaired += u64::from(want != got);
            self.count(&row, each);
            Ok(())
        });
        (self.buffer, self.ranges) = (buffer, ranges);
        result
    }

    #[inline(always)]
    fn count(&mut self, row: &Row<'_>, each: &mut impl FnMut(&Row<'_>)) {
        self.tally.requests += 1;
        if self.clock.last != Some(row.seconds) {
            self.clock.last = Some(row.seconds);
            self.tally.saw(row.seconds);
        }
        each(row);
    }

    /// The row after it closes the hole, whatever its time.
    fn nul_run(&mut self) {
        self.tally.nul_run();
        self.clock.last = None;
    }

    fn refuse(&mut self, line: &Endless) {
        self.tally.refuse(line);
        self.clock.last = None;
    }

    fn directive(&mut self, text: &[u8], number: u64) {
        if is_header(text) {
            let layout = lines::kept_once(self.state.layout.take(), Layout::parse(text));
            self.tally.header(number, layout.clone());
            self.state = State { layout: Some(layout), fields_line: number };
        } else if let Some(software) = text.strip_prefix(b"#Software:") {
            self.tally.software(software);
        }
    }
}

/// Three digits or nothing, which is what a request that was broken off leaves, or no such column.
#[inline(always)]
fn is_status(row: &Row<'_>) -> bool {
    match row.value(Column::HttpStatus) {
        None | Some([] | b"0") => true,
        Some([a, b, c]) => a.is_ascii_digit() && b.is_ascii_digit() && c.is_ascii_digit(),
        Some(_) => false,
    }
}

/// Remembers the last second read: neighbours in a log mostly share theirs.
#[derive(Default)]
struct Clock {
    /// `2026-03-02T09:15:02`, and what that is in seconds since 1970.
    stamp: Option<([u8; 19], i64)>,
    /// The second of the row before.
    last: Option<i64>,
}

impl Clock {
    #[inline(always)]
    fn set(&mut self, row: &mut Row<'_>) -> Result<(), Reason> {
        let text = row.value(Column::DateTime).ok_or(Reason::Missing("DateTime"))?;
        (row.seconds, row.nanos) = self.read(text).ok_or_else(|| bad_time(text))?;
        Ok(())
    }

    /// `2026-03-02T09:15:02.250Z`. Exchange writes UTC and says so; what says nothing may be local time.
    #[inline(always)]
    fn read(&mut self, text: &[u8]) -> Option<(i64, u32)> {
        let (stamp, rest) = text.split_first_chunk::<19>()?;
        let nanos = nanos(rest.strip_suffix(b"Z")?)?;
        match self.stamp {
            Some((known, seconds)) if known == *stamp => Some((seconds, nanos)),
            _ => Some((self.stamped(stamp)?, nanos)),
        }
    }

    #[inline(never)]
    fn stamped(&mut self, stamp: &[u8; 19]) -> Option<i64> {
        let seconds = seconds(stamp)?;
        self.stamp = Some((*stamp, seconds));
        Some(seconds)
    }
}

/// `2026-03-02T09:15:02` to seconds since 1970.
fn seconds(stamp: &[u8; 19]) -> Option<i64> {
    let (date, time) = stamp.split_at_checked(10)?;
    let (second, _) = second_of_day(time.strip_prefix(b"T")?)?;
    Some(day_number(date)? * 86_400 + second)
}

/// `2026-03-02T09:15:02.250Z`, as it stands in other cells as well, to seconds and nanoseconds.
pub fn instant(text: &[u8]) -> Option<(i64, u32)> {
    let (stamp, rest) = text.split_first_chunk::<19>()?;
    Some((seconds(stamp)?, nanos(rest.strip_suffix(b"Z")?)?))
}

#[cold]
fn bad_time(text: &[u8]) -> Reason {
    let text = text.get(..60).unwrap_or(text);
    Reason::BadTime(String::from_utf8_lossy(text).trim().to_owned())
}
