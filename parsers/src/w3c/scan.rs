//! A chunk of a log to its lines: the path of every line of every log.

use super::layout::{Column, Layout};
use super::line::{Found, Line};
use super::undated::{DAY, Undated};
use super::values::{Split, split};
use crate::event::Reason;
use crate::lines::{
    self, Endless, Piece, Values, WINDOW, Window, Windows, between_nuls, day_number, second_of_day,
};
use crate::vectors::{Separators, Vectors, Work, prefetch_behind};
use std::sync::Arc;

pub use crate::lines::REJECTS_KEPT;

/// What became of the lines of a chunk.
pub type Tally = lines::Tally<Layout>;

/// What a chunk leaves to the next one.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The columns in force.
    pub layout: Option<Arc<Layout>>,
    /// Line of that `#Fields` in the file; within a scan 0 says that it came from an earlier chunk.
    pub fields_line: u64,
    /// What `#Date` says, for logs without a `date` column.
    pub undated: Undated,
}

impl State {
    /// Whether a chunk reads the same with either state.
    pub fn reads_like(&self, other: &State) -> bool {
        self.layout == other.layout && (self.tells_the_day() || self.undated == other.undated)
    }

    /// Whether an entry tells its day itself: `#Date` is not asked.
    pub fn tells_the_day(&self) -> bool {
        self.layout.as_ref().is_none_or(|layout| layout.place(Column::Date).is_some())
    }
}

/// Reads a chunk that begins at a line start. `each` gets every data line with its `cs-username`, which is
/// empty where the log has no such column. Returns the tally, and the state for the next chunk.
pub fn scan(chunk: &[u8], state: &State, mut each: impl FnMut(&[u8], &Line<'_>)) -> (Tally, State) {
    let mut scanner = Scanner::new(state);
    scanner.read(chunk, true, &mut each);
    scanner.finish()
}

/// Whoever takes lines: mostly a closure. Only a method can be told to become part of the loop over the lines, and to be
/// compiled with it for all that the processor has.
///
/// What is not inlined there gets a copy of the line: one that nobody borrows from the loop is written down only on the way
/// to such a call.
pub trait TakeLine {
    /// Takes the next data line with its `cs-username`, which is empty where the log has no such column.
    fn line(&mut self, cs_username: &[u8], line: &Line<'_>);
}

impl<F: FnMut(&[u8], &Line<'_>)> TakeLine for F {
    #[inline(always)]
    fn line(&mut self, cs_username: &[u8], line: &Line<'_>) {
        self(cs_username, line);
    }
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
            state: State { fields_line: 0, ..state.clone() },
            tally: Tally::default(),
            clock: Clock::default(),
            ranges: Vec::new(),
        };
        Scanner { windows: Windows::new(Separators::find), reader }
    }

    /// Reads the lines of a block, and returns how many bytes they are: the next block begins behind them.
    ///
    /// A line that the block does not end is left for the next one, which has to hold more of it, unless the block is
    /// the last one or the line is longer than 1 MiB.
    pub fn read(&mut self, block: &[u8], is_last: bool, each: &mut impl TakeLine) -> usize {
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

impl<E: TakeLine> Work for Block<'_, E> {
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
    ranges: Vec<(usize, usize)>,
}

impl Reader {
    #[inline(always)]
    fn window(&mut self, window: &[u8], separators: &Separators, each: &mut impl TakeLine) {
        let mut layout = self.state.layout.clone();
        let (mut first, mut n_simple) = (0, 0);
        for &last in separators.line_ends() {
            let places = separators.places().get(first as usize..=last as usize);
            let Some(places @ [before, .., behind]) = places else { break };
            first = last;
            self.tally.line_ends += 1;
            let line = Piece::between(*before, *behind, window, self.tally.line_ends);
            prefetch_behind(line.text(), WINDOW);
            // No closure: it would not be compiled with the loop.
            let simple = match layout.as_deref() {
                Some(layout) if places.len() == layout.len() + 1 && !separators.odd() => {
                    self.simple_line(&line, places, layout, each)
                }
                _ => false,
            };
            if simple {
                n_simple += 1;
            } else {
                self.any_line(&line.clone(), each);
                layout.clone_from(&self.state.layout);
            }
        }
        self.tally.lines += n_simple;
        self.tally.requests += n_simple;
        let start = separators.places().get(first as usize).map_or(0, |lf| lf.wrapping_add(1));
        if (start as usize) < window.len() {
            // The last line has no line end yet.
            let (start, end) = (start as usize, window.len());
            self.any_line(&Piece { window, start, end, number: self.tally.line_ends + 1 }, each);
        }
    }

    /// The common case: as many blanks as it takes, a known or well-formed time, a three-digit status; whoever calls counts it.
    /// Says no where anything else has to be done, and has then changed nothing.
    #[inline(always)]
    fn simple_line(
        &mut self,
        piece: &Piece<'_>,
        places: &[u32],
        layout: &Layout,
        each: &mut impl TakeLine,
    ) -> bool {
        let text = piece.window;
        if text.get(piece.start) == Some(&b'#') {
            return false;
        }
        let Some(end) = piece.end_of_values() else { return false };
        let values = Values::Separated { places, end };
        let found = Found::default();
        let mut line =
            Line { layout, number: piece.number, seconds: 0, nanos: 0, text, values, found };
        line.find();
        if !is_status(line.found.sc_status)
            || self.clock.set(&mut line, &mut self.state.undated).is_err()
        {
            return false;
        }
        self.hand_on(&line, each);
        true
    }

    /// Any other line, with all that may be odd about it.
    #[cold]
    #[inline(never)]
    fn any_line(&mut self, piece: &Piece<'_>, each: &mut impl TakeLine) {
        for part in between_nuls(piece.text()) {
            match part {
                Some(line) => self.line(line, piece.number, each),
                None => self.nul_run(),
            }
        }
    }

    /// One line between line ends and NUL runs.
    fn line(&mut self, text: &[u8], number: u64, each: &mut impl TakeLine) {
        // Logs that were put together have their mark in mid-file.
        let text = lines::without_crs(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text));
        self.tally.lines += 1;
        let trimmed = text.trim_ascii();
        if trimmed.is_empty() {
            self.tally.blank += 1;
        } else if trimmed.starts_with(b"#") {
            self.tally.directives += 1;
            self.directive(trimmed, number);
        } else if let Err(reason) = self.data(text, number, each) {
            self.tally.reject(number, reason);
        }
    }

    fn data(&mut self, text: &[u8], number: u64, each: &mut impl TakeLine) -> Result<(), Reason> {
        let layout = self.state.layout.clone().ok_or(Reason::NoFields)?;
        let mut ranges = std::mem::take(&mut self.ranges);
        let split = split(text, &layout, &mut ranges);
        let result = (|| {
            if let Split::Unfit(got) = split {
                let fields_line = self.state.fields_line;
                return Err(Reason::FieldCount { want: layout.len(), got, fields_line });
            }
            let values = Values::Ranges(&ranges);
            let (layout, found) = (&layout, Found::default());
            let mut line = Line { layout, number, seconds: 0, nanos: 0, text, values, found };
            line.find();
            if !is_status(line.found.sc_status) {
                return Err(Reason::BadNumber("sc-status"));
            }
            self.clock.set(&mut line, &mut self.state.undated)?;
            self.tally.repaired += u64::from(split == Split::Repaired);
            self.tally.requests += 1;
            self.hand_on(&line, each);
            Ok(())
        })();
        self.ranges = ranges;
        result
    }

    #[inline(always)]
    fn hand_on(&mut self, line: &Line<'_>, each: &mut impl TakeLine) {
        if self.clock.moved {
            self.clock.moved = false;
            self.tally.saw(line.seconds);
        }
        each.line(line.found.cs_username, line);
    }

    fn directive(&mut self, text: &[u8], number: u64) {
        let after = |name: &[u8]| {
            let (head, rest) = text.split_at_checked(name.len())?;
            head.eq_ignore_ascii_case(name).then_some(rest)
        };
        if let Some(fields) = after(b"#Fields:") {
            let layout = lines::kept_once(self.state.layout.take(), Layout::parse(fields));
            self.tally.header(number, layout.clone());
            self.state.layout = Some(layout);
            self.state.fields_line = number;
            self.clock.forget();
        } else if let Some(date) = after(b"#Date:").or_else(|| after(b"#Start-Date:")) {
            if let Some(undated) = Undated::since(date.trim_ascii()) {
                self.state.undated = undated;
                self.clock.forget();
            }
        } else if let Some(software) = after(b"#Software:") {
            self.tally.software(software);
        }
    }

    /// The entry after it closes the hole, whatever its time.
    fn nul_run(&mut self) {
        self.tally.nul_run();
        self.clock.moved = true;
    }

    fn refuse(&mut self, line: &Endless) {
        self.tally.refuse(line);
        self.clock.moved = true;
    }
}

/// Three digits, `-`, or no such column.
#[inline(always)]
fn is_status(status: Option<&[u8]>) -> bool {
    match status {
        None | Some(b"-") => true,
        // Without a branch for each.
        Some([a, b, c] | [b'"', a, b, c, b'"']) => {
            a.is_ascii_digit() & b.is_ascii_digit() & c.is_ascii_digit()
        }
        Some(_) => false,
    }
}

/// Remembers the last time read: neighbours in a log mostly share their second.
#[derive(Default)]
struct Clock {
    /// `2026-03-02 09:15:02 `, where lines begin with that, as IIS writes them.
    stamp: Option<[u8; 20]>,
    /// The last date read, and its day.
    date: Option<([u8; 10], i64)>,
    seconds: i64,
    nanos: u32,
    /// The time is another one than that of the line before.
    moved: bool,
}

impl Clock {
    fn forget(&mut self) {
        self.stamp = None;
    }

    #[inline(always)]
    fn set(&mut self, line: &mut Line<'_>, undated: &mut Undated) -> Result<(), Reason> {
        match (line.stamp(), &mut self.stamp) {
            (Some(stamp), Some(known)) if stamp == known => {}
            (Some(stamp), Some(known)) if let Some(later) = seconds_later(known, stamp) => {
                self.seconds += later;
                self.moved = true;
                *known = *stamp;
            }
            _ => {
                let copy = *line;
                self.read(&copy, undated)?;
            }
        }
        line.seconds = self.seconds;
        line.nanos = self.nanos;
        Ok(())
    }

    #[inline(never)]
    fn read(&mut self, line: &Line<'_>, undated: &mut Undated) -> Result<(), Reason> {
        let date = line.value(Column::Date);
        let time = line.value(Column::Time).ok_or(Reason::Missing("time (UTC)"))?;
        let bad = || bad_time(date.unwrap_or_default(), time);
        let (second, nanos) = second_of_day(time).ok_or_else(bad)?;
        let seconds = match date {
            Some(date) => self.day(date).ok_or_else(bad)? * DAY + second,
            None => undated.seconds(second).ok_or(Reason::Missing("date"))?,
        };
        (self.seconds, self.nanos, self.moved) = (seconds, nanos, true);
        // As they are logged: behind quotes the stamp would end in the middle of the time.
        let leads = line.layout.place(Column::Date) == Some(0)
            && line.layout.place(Column::Time) == Some(1)
            && line.nth(0).len() == 10
            && line.nth(1).len() == 8;
        let ends = |stamp: &&[u8; 20]| stamp[10] == b' ' && stamp[19] == b' ';
        self.stamp = line.stamp().filter(|_| leads).filter(ends).copied();
        Ok(())
    }

    fn day(&mut self, date: &[u8]) -> Option<i64> {
        let date: [u8; 10] = date.try_into().ok()?;
        if let Some((known, day)) = self.date
            && known == date
        {
            return Some(day);
        }
        let day = day_number(&date)?;
        self.date = Some((date, day));
        Some(day)
    }
}

/// How much later a stamp is than another one of the same minute. Buffers of several processors make the second of a log
/// go to and fro.
#[inline(always)]
fn seconds_later(stamp: &[u8; 20], later: &[u8; 20]) -> Option<i64> {
    let second = |stamp: &[u8; 20]| {
        let [tens, ones] = [stamp[17], stamp[18]].map(|digit| digit.wrapping_sub(b'0'));
        (tens < 6 && ones < 10).then_some(i64::from(tens) * 10 + i64::from(ones))
    };
    let is_same_minute = stamp[..17] == later[..17] && later[19] == b' ';
    if is_same_minute { Some(second(later)? - second(stamp)?) } else { None }
}

fn bad_time(date: &[u8], time: &[u8]) -> Reason {
    let text = [date, time].join(&b' ');
    let text = text.get(..60).unwrap_or(&text);
    Reason::BadTime(String::from_utf8_lossy(text).trim().to_owned())
}
