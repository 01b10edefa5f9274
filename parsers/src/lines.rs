//! What the logs that are read line by line have in common, whatever stands between their values: a log to
//! chunks, a block to windows, a line to values, digits to times; and what became of the lines.

mod tally;
mod windows;

use chrono::NaiveDate;
pub(crate) use tally::kept_once;
pub use tally::{DISORDER, Header, REJECTS_KEPT, Tally};
pub(crate) use windows::{Endless, WINDOW, Window, Windows};

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
