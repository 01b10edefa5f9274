//! One data line: its values by column.

use super::layout::{Column, Layout};
use chrono::{DateTime, Utc};

/// A data line with as many values as `#Fields` names. Everything borrows from the log.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// The columns in force.
    pub layout: &'a Layout,
    /// Line number within the chunk, from 1.
    pub number: u64,
    /// Time of the entry, that is the end of the request, in seconds since 1970.
    pub seconds: i64,
    /// Fraction of that second.
    pub nanos: u32,
    pub(super) text: &'a [u8],
    pub(super) values: Values<'a>,
}

/// Where the values of a line stand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Values<'a> {
    /// Between separators: the common case, for which nothing is computed before it is asked for.
    Separated { start: usize, separators: &'a [u32], end: usize },
    /// In ranges of `text`: quoted or repaired lines.
    Ranges(&'a [(usize, usize)]),
}

impl<'a> Line<'a> {
    /// The value of a column as logged, without quotes around it; `None` where the log has no such column.
    #[inline]
    pub fn value(&self, column: Column) -> Option<&'a [u8]> {
        let value = self.nth(self.layout.place(column)?);
        match value {
            [b'"', inner @ .., b'"'] => Some(inner),
            _ => Some(value),
        }
    }

    /// The value of a column, `None` for `-` and the empty value as well.
    #[inline]
    pub fn present(&self, column: Column) -> Option<&'a [u8]> {
        self.value(column).filter(|value| !value.is_empty() && *value != b"-")
    }

    /// The value of a column as a whole number.
    pub fn number_in(&self, column: Column) -> Option<u64> {
        std::str::from_utf8(self.present(column)?).ok()?.parse().ok()
    }

    /// Time of the entry.
    pub fn time(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.seconds, self.nanos).unwrap_or_default()
    }

    /// The nth value, from 0; empty where there is none.
    #[inline]
    pub(super) fn nth(&self, nth: usize) -> &'a [u8] {
        let (from, to) = match self.values {
            Values::Ranges(ranges) => ranges.get(nth).copied().unwrap_or_default(),
            Values::Separated { start, separators, end } => {
                let from = match nth {
                    0 => start,
                    _ => separators.get(nth - 1).map_or(end, |&at| at as usize + 1),
                };
                (from, separators.get(nth).map_or(end, |&at| at as usize))
            }
        };
        self.text.get(from..to).unwrap_or_default()
    }
}
