//! What the logs that are read line by line have in common, whatever stands between their values: a log to
//! chunks, a block to windows, a line to values, digits to times; and what became of the lines.

mod windows;

use crate::event::Reason;
use chrono::NaiveDate;
use std::sync::Arc;
pub(crate) use windows::{Endless, WINDOW, Window, Windows};

/// Rejects kept with place and reason for each chunk; all of them are counted.
pub const REJECTS_KEPT: usize = 100;

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
        self.span =
            Some(self.span.map_or((seconds, seconds), |(a, b)| (a.min(seconds), b.max(seconds))));
        self.ends = Some(self.ends.map_or((seconds, seconds), |(first, _)| (first, seconds)));
        for hole in self.holes.iter_mut().rev().take_while(|(_, after)| after.is_none()) {
            hole.1 = Some(seconds);
        }
        for header in self.layouts.iter_mut().rev().take_while(|h| h.between.1.is_none()) {
            header.between.1 = Some(seconds);
        }
        self.reject_is_before(seconds);
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

/// The log cut into pieces of about `size` bytes, each ending at a line end.
pub fn chunks(log: &[u8], size: usize) -> Vec<&[u8]> {
    let mut rest = log;
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let from = size.clamp(1, rest.len()) - 1;
        let tail = rest.get(from..).unwrap_or_default();
        let end = memchr::memchr(b'\n', tail).map_or(rest.len(), |at| from + at + 1);
        let (chunk, after) = rest.split_at(end);
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

/// A line and where it stands in its window.
#[derive(Clone)]
pub(crate) struct Piece<'a> {
    pub(crate) window: &'a [u8],
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Within the chunk, from 1.
    pub(crate) number: u64,
}

impl<'a> Piece<'a> {
    /// The line between two places of line feeds.
    #[inline(always)]
    pub(crate) fn between(before: u32, behind: u32, window: &'a [u8], number: u64) -> Self {
        Piece { window, start: before.wrapping_add(1) as usize, end: behind as usize, number }
    }

    pub(crate) fn text(&self) -> &'a [u8] {
        self.window.get(self.start..self.end).unwrap_or_default()
    }

    /// Where its values end: before the CR. `None` where more than one stands there.
    #[inline(always)]
    pub(crate) fn end_of_values(&self) -> Option<usize> {
        let cr = self.end > self.start && self.window.get(self.end - 1) == Some(&b'\r');
        let end = self.end - usize::from(cr);
        let two = cr && end > self.start && self.window.get(end - 1) == Some(&b'\r');
        (!two).then_some(end)
    }
}

/// What stands between the NUL runs of a line, `None` for each run; a line without any is one piece. After a crash a
/// log holds NUL bytes, and the next header or line stands behind them (DOMAIN.md 1.3).
pub(crate) fn between_nuls(line: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let is_whole = memchr::memchr(0, line).is_none();
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        loop {
            let text = rest?;
            if text.first() == Some(&0) {
                let run = text.iter().take_while(|&&byte| byte == 0).count();
                rest = text.get(run..);
                return Some(None);
            }
            let nul = memchr::memchr(0, text);
            let (before, after) = text.split_at(nul.unwrap_or(text.len()));
            rest = nul.is_some().then_some(after);
            if is_whole || !before.trim_ascii().is_empty() {
                return Some(Some(before));
            }
        }
    })
}

/// Without the CRs at its end: a copy in text mode doubles them, and left at the last value they would spoil it.
pub(crate) fn without_crs(line: &[u8]) -> &[u8] {
    let n_crs = line.iter().rev().take_while(|&&byte| byte == b'\r').count();
    line.get(..line.len() - n_crs).unwrap_or_default()
}

/// Where the values of a line stand.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Values<'a> {
    /// Between separators, from that before the first value to that behind the last one, which `end` stands before where a CR
    /// does: the common case.
    Separated { places: &'a [u32], end: usize },
    /// In ranges of the text: quoted or repaired lines.
    Ranges(&'a [(usize, usize)]),
}

impl Values<'_> {
    /// The nth value in `text`, from 0; empty where there is none.
    #[inline(always)]
    pub(crate) fn nth(self, nth: usize, text: &[u8]) -> &[u8] {
        let (from, to) = match self {
            Values::Ranges(ranges) => ranges.get(nth).copied().unwrap_or_default(),
            Values::Separated { places, end } => {
                let around = places.get(nth..).and_then(<[u32]>::first_chunk);
                let Some([before, behind]) = around else { return &[] };
                (before.wrapping_add(1) as usize, end.min(*behind as usize))
            }
        };
        text.get(from..to).unwrap_or_default()
    }
}

/// Places of known columns among the names of a header, in any case; the first spelling that a log uses wins.
pub(crate) fn places<C: Copy, const N: usize>(
    names: &[String],
    known: &[(&str, C)],
    number: impl Fn(C) -> usize,
) -> [Option<usize>; N] {
    let mut places = [None; N];
    for (name, column) in known {
        if let Some(place) = places.get_mut(number(*column))
            && place.is_none()
        {
            *place = names.iter().position(|n| n.eq_ignore_ascii_case(name));
        }
    }
    places
}

/// Digits to a whole number.
pub(crate) fn whole_number(digits: &[u8]) -> Option<u64> {
    // So many cannot be too many, as hardly any number has.
    let (first, rest) = digits.split_at(digits.len().min(19));
    let mut number = 0u64;
    for byte in first {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    rest.iter().try_fold(number, |number, &byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 { None } else { number.checked_mul(10)?.checked_add(u64::from(digit)) }
    })
}

/// `2026-03-02` to days since 1970.
pub(crate) fn day_number(date: &[u8]) -> Option<i64> {
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
pub(crate) fn second_of_day(time: &[u8]) -> Option<(i64, u32)> {
    let (clock, fraction) = time.split_at_checked(8)?;
    let [h0, h1, b':', m0, m1, b':', s0, s1] = clock else { return None };
    let (h, m, s) = (number(&[*h0, *h1])?, number(&[*m0, *m1])?, number(&[*s0, *s1])?);
    if h > 23 || m > 59 || s > 59 {
        return None;
    }
    Some((i64::from(h * 3600 + m * 60 + s), nanos(fraction)?))
}

/// What follows the seconds: nothing, or a fraction of them.
#[inline(always)]
pub(crate) fn nanos(fraction: &[u8]) -> Option<u32> {
    match fraction {
        [] => Some(0),
        [b'.' | b',', digits @ ..] if (1..=9).contains(&digits.len()) => {
            Some(number(digits)? * 10u32.pow(9 - digits.len() as u32))
        }
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |n, byte| {
        byte.is_ascii_digit().then(|| n.checked_mul(10)?.checked_add(u32::from(byte - b'0')))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers() {
        for (digits, expect) in [
            ("", Some(0)),
            ("200", Some(200)),
            ("00000000000000000000000000007", Some(7)),
            ("9999999999999999999", Some(9_999_999_999_999_999_999)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("99999999999999999999", None),
            ("000000000000000000018446744073709551616", None),
            ("-1", None),
            ("1x", None),
            ("1234567890123456789x", None),
        ] {
            assert_eq!(whole_number(digits.as_bytes()), expect, "{digits}");
        }
    }
}
