//! A chunk of a log to its lines: the path of every line of every log.

use super::layout::{Column, Layout};
use super::line::{Found, Line, Values};
use super::values::{Split, split};
use crate::event::Reason;
use crate::separators::Separators;
use chrono::NaiveDate;
use std::sync::Arc;

/// Bytes looked at in one go: small enough that places and bytes stay in the first-level cache.
const WINDOW: usize = 16 << 10;
/// A line longer than that is no line (IIS cuts at 64 KiB): it is refused without being taken apart.
const LONGEST_LINE: usize = 1 << 20;
/// Rejects kept with place and reason for each chunk; all of them are counted.
pub const REJECTS_KEPT: usize = 100;

/// What a chunk leaves to the next one.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The columns in force.
    pub layout: Option<Arc<Layout>>,
    /// Line of that `#Fields` in the file; within a scan 0 says that it came from an earlier chunk.
    pub fields_line: u64,
    /// The day of `#Date`, for logs without a `date` column; days since 1970.
    pub day: Option<i64>,
}

impl State {
    /// Whether a chunk reads the same with either state.
    pub fn reads_like(&self, other: &State) -> bool {
        let dated = self.layout.as_ref().is_none_or(|l| l.place(Column::Date).is_some());
        self.layout == other.layout && (dated || self.day == other.day)
    }
}

/// What became of the lines of a chunk: `lines = requests + directives + blank + rejected`.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Pieces between line ends and NUL runs.
    pub lines: u64,
    /// Data lines understood.
    pub requests: u64,
    /// Lines that begin with `#`.
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
    /// Earliest and latest entry, seconds since 1970.
    pub span: Option<(i64, i64)>,
    /// Last entry before and first entry after each NUL run; `None` where it lies in another chunk.
    pub holes: Vec<(Option<i64>, Option<i64>)>,
    /// First and last entry as they stand in the log, whatever their time.
    pub ends: Option<(i64, i64)>,
    /// Every `#Fields` seen, with its line within the chunk.
    pub layouts: Vec<(u64, Arc<Layout>)>,
    /// `#Software` lines seen, each text once.
    pub software: Vec<String>,
}

/// Reads a chunk that begins at a line start. `each` gets every data line with its `cs-username`, which is
/// empty where the log has no such column. Returns the tally, and the state for the next chunk.
pub fn scan(chunk: &[u8], state: &State, mut each: impl FnMut(&[u8], &Line<'_>)) -> (Tally, State) {
    let mut scanner = Scanner::new(state);
    scanner.read(chunk, true, &mut each);
    scanner.finish()
}

/// Reads a chunk block by block, for those who do not have it in memory as a whole.
pub struct Scanner {
    reader: Reader,
    separators: Separators,
    /// A line without an end so far that is longer than any log writes.
    endless: Option<Endless>,
}

impl Scanner {
    /// Before the first block.
    pub fn new(state: &State) -> Self {
        let reader = Reader {
            state: State { layout: state.layout.clone(), fields_line: 0, day: state.day },
            tally: Tally::default(),
            clock: Clock::default(),
            ranges: Vec::new(),
        };
        Scanner { reader, separators: Separators::default(), endless: None }
    }

    /// Reads the lines of a block, and returns how many bytes they are: the next block begins behind them.
    ///
    /// A line that the block does not end is left for the next one, which has to hold more of it, unless the block is
    /// the last one or the line is longer than 1 MiB.
    pub fn read(
        &mut self,
        block: &[u8],
        is_last: bool,
        each: &mut impl FnMut(&[u8], &Line<'_>),
    ) -> usize {
        let mut rest = self.go_on_endless(block, is_last);
        while !rest.is_empty() {
            // From its first byte to its last, as memory likes it: where the last line ends is known afterwards.
            let piece = rest.get(..WINDOW).unwrap_or(rest);
            self.separators.find(piece);
            let end = match self.separators.line_ends().last() {
                _ if is_last && piece.len() == rest.len() => rest.len(),
                Some(&(lf, _)) => lf as usize + 1,
                None => match memchr::memchr(b'\n', rest) {
                    Some(at) => at + 1,
                    None if is_last => rest.len(),
                    None if rest.len() > LONGEST_LINE => {
                        self.endless = Some(Endless::default());
                        rest = self.go_on_endless(rest, is_last);
                        continue;
                    }
                    None => break,
                },
            };
            let (window, after) = rest.split_at(end);
            rest = after;
            if window.len() > LONGEST_LINE {
                let mut endless = Endless::default();
                endless.take(window);
                self.reader.refuse(endless);
                continue;
            }
            if window.len() > WINDOW {
                self.separators.find(window);
            }
            self.reader.window(window, &self.separators, each);
        }
        block.len() - rest.len()
    }

    /// What became of the lines, and the state for the next chunk.
    pub fn finish(self) -> (Tally, State) {
        (self.reader.tally, self.reader.state)
    }

    /// Takes the rest of an endless line off the beginning of a block.
    fn go_on_endless<'a>(&mut self, block: &'a [u8], is_last: bool) -> &'a [u8] {
        let Some(mut endless) = self.endless.take() else { return block };
        let end = memchr::memchr(b'\n', block).map(|at| at + 1);
        let (line, rest) = block.split_at(end.unwrap_or(block.len()));
        endless.take(line);
        match end.is_some() || is_last {
            true => self.reader.refuse(endless),
            false => self.endless = Some(endless),
        }
        rest
    }
}

/// What is known of a line that no log writes.
#[derive(Default)]
struct Endless {
    bytes: usize,
    has_end: bool,
    has_text: bool,
}

impl Endless {
    fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.has_end = bytes.ends_with(b"\n");
        self.has_text |= !bytes.iter().all(|&byte| byte == 0 || byte.is_ascii_whitespace());
    }
}

struct Reader {
    state: State,
    tally: Tally,
    clock: Clock,
    ranges: Vec<(usize, usize)>,
}

impl Reader {
    fn window(
        &mut self,
        window: &[u8],
        separators: &Separators,
        each: &mut impl FnMut(&[u8], &Line<'_>),
    ) {
        let (mut start, mut first) = (0, 0);
        let mut layout = self.state.layout.clone();
        for &(lf, before) in separators.line_ends() {
            self.tally.line_ends += 1;
            let number = self.tally.line_ends;
            let line = Piece { window, start, end: lf as usize, number };
            let n_values = (before - first) as usize + 1;
            let places = separators.places().get(first as usize..before as usize);
            let simple = !separators.odd()
                && layout.as_deref().zip(places).is_some_and(|(layout, places)| {
                    n_values == layout.len() && self.simple_line(&line, places, layout, each)
                });
            if !simple {
                self.any_line(&line, separators.odd(), each);
                layout.clone_from(&self.state.layout);
            }
            start = lf as usize + 1;
            first = before + 1;
        }
        if start < window.len() {
            // The last line has no line end yet.
            let number = self.tally.line_ends + 1;
            let line = Piece { window, start, end: window.len(), number };
            self.any_line(&line, separators.odd(), each);
        }
    }

    /// The common case: as many blanks as it takes, a known or well-formed time, a three-digit status.
    /// Says no where anything else has to be done, and has then changed nothing.
    #[inline(always)]
    fn simple_line(
        &mut self,
        piece: &Piece<'_>,
        places: &[u32],
        layout: &Layout,
        each: &mut impl FnMut(&[u8], &Line<'_>),
    ) -> bool {
        let text = piece.window;
        if text.get(piece.start) == Some(&b'#') {
            return false;
        }
        let cr = piece.end > piece.start && text.get(piece.end - 1) == Some(&b'\r');
        let end = piece.end - usize::from(cr);
        if cr && end > piece.start && text.get(end - 1) == Some(&b'\r') {
            return false;
        }
        let values = Values::Separated { start: piece.start, places, end };
        let found = Found::default();
        let mut line =
            Line { layout, number: piece.number, seconds: 0, nanos: 0, text, values, found };
        line.find();
        if !is_status(line.found.sc_status) || self.clock.set(&mut line, self.state.day).is_err() {
            return false;
        }
        self.tally.lines += 1;
        self.count(&line, each);
        true
    }

    /// Any other line, with all that may be odd about it.
    #[cold]
    #[inline(never)]
    fn any_line(&mut self, piece: &Piece<'_>, odd: bool, each: &mut impl FnMut(&[u8], &Line<'_>)) {
        let text = piece.window.get(piece.start..piece.end).unwrap_or_default();
        if !odd || !text.contains(&0) {
            self.line(text, piece.number, each);
            return;
        }
        // After a crash a log holds NUL bytes, and the next header or line stands behind them (DOMAIN.md 1.3).
        let mut rest = text;
        while let Some(nul) = memchr::memchr(0, rest) {
            let (before, after) = rest.split_at(nul);
            if !before.trim_ascii().is_empty() {
                self.line(before, piece.number, each);
            }
            self.nul_run();
            let run = after.iter().take_while(|&&byte| byte == 0).count();
            rest = after.get(run..).unwrap_or_default();
        }
        if !rest.trim_ascii().is_empty() {
            self.line(rest, piece.number, each);
        }
    }

    /// One line between line ends and NUL runs.
    fn line(&mut self, text: &[u8], number: u64, each: &mut impl FnMut(&[u8], &Line<'_>)) {
        // A copy in text mode doubles the CR; left at the last value it would spoil time-taken.
        let n_crs = text.iter().rev().take_while(|&&byte| byte == b'\r').count();
        let text = text.get(..text.len() - n_crs).unwrap_or_default();
        self.tally.lines += 1;
        let trimmed = text.trim_ascii();
        if trimmed.is_empty() {
            self.tally.blank += 1;
        } else if trimmed.starts_with(b"#") {
            self.tally.directives += 1;
            self.directive(trimmed, number);
        } else if let Err(reason) = self.data(text, number, each) {
            self.reject(number, reason);
        }
    }

    fn data(
        &mut self,
        text: &[u8],
        number: u64,
        each: &mut impl FnMut(&[u8], &Line<'_>),
    ) -> Result<(), Reason> {
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
            self.clock.set(&mut line, self.state.day)?;
            self.tally.repaired += u64::from(split == Split::Repaired);
            self.count(&line, each);
            Ok(())
        })();
        self.ranges = ranges;
        result
    }

    #[inline(always)]
    fn count(&mut self, line: &Line<'_>, each: &mut impl FnMut(&[u8], &Line<'_>)) {
        self.tally.requests += 1;
        if self.clock.moved {
            self.clock.moved = false;
            self.tally.saw(line.seconds);
        }
        each(line.found.cs_username, line);
    }

    fn directive(&mut self, text: &[u8], number: u64) {
        let after = |name: &[u8]| {
            let (head, rest) = text.split_at_checked(name.len())?;
            head.eq_ignore_ascii_case(name).then_some(rest)
        };
        if let Some(fields) = after(b"#Fields:") {
            let layout = Arc::new(Layout::parse(fields));
            self.tally.layouts.push((number, layout.clone()));
            self.state.layout = Some(layout);
            self.state.fields_line = number;
            self.clock.forget();
        } else if let Some(date) = after(b"#Date:").or_else(|| after(b"#Start-Date:")) {
            let date = date.trim_ascii();
            let date = date.get(..10).unwrap_or(date);
            if let Some(day) = day_number(date) {
                self.state.day = Some(day);
                self.clock.forget();
            }
        } else if let Some(software) = after(b"#Software:") {
            let software = String::from_utf8_lossy(software.trim_ascii()).into_owned();
            if !self.tally.software.contains(&software) && self.tally.software.len() < 16 {
                self.tally.software.push(software);
            }
        }
    }

    fn reject(&mut self, number: u64, reason: Reason) {
        self.tally.rejected += 1;
        if self.tally.rejects.len() < REJECTS_KEPT {
            self.tally.rejects.push((number, reason));
        }
    }

    /// Nobody knows how much was lost there: the log has a hole from the entry before to the entry after.
    fn nul_run(&mut self) {
        self.tally.nul_runs += 1;
        self.tally.holes.push((self.tally.ends.map(|(_, last)| last), None));
        self.clock.moved = true;
    }

    /// A line that is refused without being taken apart.
    fn refuse(&mut self, line: Endless) {
        let number = self.tally.line_ends + 1;
        self.tally.line_ends += u64::from(line.has_end);
        self.tally.lines += 1;
        if !line.has_text {
            self.tally.blank += 1;
            self.nul_run();
            return;
        }
        let reason = format!("a line of {} bytes; no log writes lines that long", line.bytes);
        self.reject(number, Reason::Format(reason));
    }
}

impl Tally {
    fn saw(&mut self, seconds: i64) {
        self.span =
            Some(self.span.map_or((seconds, seconds), |(a, b)| (a.min(seconds), b.max(seconds))));
        self.ends = Some(self.ends.map_or((seconds, seconds), |(first, _)| (first, seconds)));
        for hole in self.holes.iter_mut().rev().take_while(|(_, after)| after.is_none()) {
            hole.1 = Some(seconds);
        }
    }
}

/// A line and where it stands in its window.
struct Piece<'a> {
    window: &'a [u8],
    start: usize,
    end: usize,
    number: u64,
}

/// Three digits, `-`, or no such column.
#[inline(always)]
fn is_status(status: Option<&[u8]>) -> bool {
    match status {
        None | Some(b"-") => true,
        Some([a, b, c] | [b'"', a, b, c, b'"']) => {
            a.is_ascii_digit() && b.is_ascii_digit() && c.is_ascii_digit()
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
    fn set(&mut self, line: &mut Line<'_>, day: Option<i64>) -> Result<(), Reason> {
        if self.stamp.is_none() || line.stamp() != self.stamp.as_ref() {
            self.read(line, day)?;
        }
        line.seconds = self.seconds;
        line.nanos = self.nanos;
        Ok(())
    }

    #[inline(never)]
    fn read(&mut self, line: &Line<'_>, day: Option<i64>) -> Result<(), Reason> {
        let date = line.value(Column::Date);
        let time = line.value(Column::Time).ok_or(Reason::Missing("time (UTC)"))?;
        let bad = || bad_time(date.unwrap_or_default(), time);
        let day = match date {
            Some(date) => self.day(date).ok_or_else(bad)?,
            None => day.ok_or(Reason::Missing("date"))?,
        };
        let (seconds, nanos) = second_of_day(time).ok_or_else(bad)?;
        (self.seconds, self.nanos, self.moved) = (day * 86_400 + seconds, nanos, true);
        let leads = line.layout.place(Column::Date) == Some(0)
            && line.layout.place(Column::Time) == Some(1)
            && time.len() == 8;
        self.stamp = line.stamp().filter(|_| leads).copied();
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

fn bad_time(date: &[u8], time: &[u8]) -> Reason {
    let text = [date, time].join(&b' ');
    let text = text.get(..60).unwrap_or(&text);
    Reason::BadTime(String::from_utf8_lossy(text).trim().to_owned())
}

/// `2026-03-02` to days since 1970.
fn day_number(date: &[u8]) -> Option<i64> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = date else { return None };
    let year = number(&[*y0, *y1, *y2, *y3])?;
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(year).ok()?,
        number(&[*m0, *m1])?,
        number(&[*d0, *d1])?,
    )?;
    Some(date.signed_duration_since(NaiveDate::default()).num_days())
}

/// `09:15:02`, with or without a fraction, to seconds and nanoseconds.
fn second_of_day(time: &[u8]) -> Option<(i64, u32)> {
    let (clock, fraction) = time.split_at_checked(8)?;
    let [h0, h1, b':', m0, m1, b':', s0, s1] = clock else { return None };
    let (h, m, s) = (number(&[*h0, *h1])?, number(&[*m0, *m1])?, number(&[*s0, *s1])?);
    if h > 23 || m > 59 || s > 59 {
        return None;
    }
    let nanos = match fraction {
        [] => 0,
        [b'.' | b',', digits @ ..] if (1..=9).contains(&digits.len()) => {
            number(digits)? * 10u32.pow(9 - digits.len() as u32)
        }
        _ => return None,
    };
    Some((i64::from(h * 3600 + m * 60 + s), nanos))
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |n, byte| {
        byte.is_ascii_digit().then(|| n.checked_mul(10)?.checked_add(u32::from(byte - b'0')))?
    })
}
