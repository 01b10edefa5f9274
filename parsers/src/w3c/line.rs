//! One data line: its values by column.

use super::layout::{Column, Layout};
use crate::separators::Walk;
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
    pub(super) found: Found<'a>,
}

/// What every line is asked for, found once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found<'a> {
    /// `cs-username`, empty where the log has none.
    pub(super) cs_username: &'a [u8],
    /// `sc-status`, where the log has it.
    pub(super) sc_status: Option<&'a [u8]>,
    /// A walk that has passed the end of the name, and that end.
    behind_name: Option<(Walk<'a>, usize)>,
}

/// Where the values of a line stand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Values<'a> {
    /// Between separators: the common case, for which nothing is computed before it is asked for.
    Separated { start: usize, masks: &'a [u64], end: usize },
    /// In ranges of `text`: quoted or repaired lines.
    Ranges(&'a [(usize, usize)]),
}

impl<'a> Line<'a> {
    /// The value of a column as logged, without quotes around it; `None` where the log has no such column.
    #[inline]
    pub fn value(&self, column: Column) -> Option<&'a [u8]> {
        Some(unquoted(self.nth(self.layout.place(column)?)))
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

    /// The first 20 bytes of a line without quotes: date and time, each with the blank behind it, in a log of IIS.
    #[inline(always)]
    pub(super) fn stamp(&self) -> Option<&'a [u8; 20]> {
        match self.values {
            Values::Separated { start, .. } => self.text.get(start..)?.first_chunk(),
            Values::Ranges(_) => None,
        }
    }

    /// `sc-status` as logged, empty where the log has none.
    #[inline]
    pub fn sc_status(&self) -> &'a [u8] {
        self.found.sc_status.unwrap_or_default()
    }

    /// `c-ip` and `cs(User-Agent)` as logged, empty where the log has none.
    /// In the order of IIS they stand right behind the name.
    #[inline(always)]
    pub fn address_and_agent(&self) -> (&'a [u8], &'a [u8]) {
        if let (Some((mut walk, name_to)), Values::Separated { end, .. }) =
            (self.found.behind_name, self.values)
            && self.layout.is_agent_behind_name()
        {
            let mut next = || walk.nth(0).map_or(end, |at| at.min(end));
            let (address_to, agent_to) = (next(), next());
            let address = self.text.get(name_to + 1..address_to).unwrap_or_default();
            let agent = self.text.get(address_to + 1..agent_to).unwrap_or_default();
            return (unquoted(address), unquoted(agent));
        }
        let text = |column| self.value(column).unwrap_or_default();
        (text(Column::CIp), text(Column::CsUserAgent))
    }

    /// Finds what every line is asked for, in one walk where it stands in the order of IIS.
    #[inline(always)]
    pub(super) fn find(&mut self) {
        if let (Values::Separated { start, masks, end }, Some((to_name, to_status))) =
            (self.values, self.layout.name_then_status())
        {
            let mut walk = Walk::new(masks, start);
            let next = |walk: &mut Walk<'_>, skip| walk.nth(skip).map_or(end, |at| at.min(end));
            let (name_from, name_to) = (next(&mut walk, to_name) + 1, next(&mut walk, 0));
            let behind_name = walk;
            let status_from = next(&mut walk, to_status) + 1;
            let status_to = next(&mut walk, 0);
            self.found = Found {
                cs_username: unquoted(self.text.get(name_from..name_to).unwrap_or_default()),
                sc_status: self.text.get(status_from..status_to),
                behind_name: Some((behind_name, name_to)),
            };
            return;
        }
        self.found = Found {
            cs_username: self.value(Column::CsUsername).unwrap_or_default(),
            sc_status: self.layout.place(Column::ScStatus).map(|status| self.nth(status)),
            behind_name: None,
        };
    }

    /// The nth value, from 0; empty where there is none.
    #[inline]
    pub(super) fn nth(&self, nth: usize) -> &'a [u8] {
        let (from, to) = match self.values {
            Values::Ranges(ranges) => ranges.get(nth).copied().unwrap_or_default(),
            Values::Separated { start, masks, end } => {
                let mut walk = Walk::new(masks, start);
                let from = match nth {
                    0 => start,
                    _ => walk.nth(nth - 1).map_or(end, |at| (at + 1).min(end)),
                };
                (from, walk.nth(0).map_or(end, |at| at.min(end)))
            }
        };
        self.text.get(from..to).unwrap_or_default()
    }
}

/// Without the quotes around it.
#[inline(always)]
fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    }
}
