//! One data line: its values by column.

use super::layout::{Column, Layout};
use crate::lines::{Values, whole_number};
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
}

impl<'a> Line<'a> {
    /// The value of a column as logged, without quotes around it; `None` where the log has no such column.
    #[inline(always)]
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
        whole_number(self.present(column)?)
    }

    /// Time of the entry.
    pub fn time(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.seconds, self.nanos).unwrap_or_default()
    }

    /// The first 20 bytes of a line without quotes: date and time, each with the blank behind it, in a log of IIS.
    #[inline(always)]
    pub(super) fn stamp(&self) -> Option<&'a [u8; 20]> {
        match self.values {
            Values::Separated { places, .. } => {
                let start = places.first()?.wrapping_add(1);
                self.text.get(start as usize..)?.first_chunk()
            }
            Values::Ranges(_) => None,
        }
    }

    /// `sc-status` as logged, empty where the log has none.
    #[inline]
    pub fn sc_status(&self) -> &'a [u8] {
        self.found.sc_status.unwrap_or_default()
    }

    /// `c-ip` and `cs(User-Agent)` as one text, with the blank between them; `None` where they do not stand there so, for
    /// want of a column, between others, empty, quoted, or in a line that is out of the ordinary elsewhere.
    #[inline(always)]
    pub fn address_and_agent(&self) -> Option<&'a [u8]> {
        let Values::Separated { places, end } = self.values else { return None };
        let around = places.get(self.layout.address_before_agent()?..)?.first_chunk();
        let [before, blank, behind] = around.map(|around| around.map(|place| place as usize))?;
        let (from, to) = ((before as u32).wrapping_add(1) as usize, end.min(behind));
        let (text, agent) = (self.text.get(from..to)?, self.text.get(blank + 1..to)?);
        let begins_plainly = |text: &[u8]| !matches!(text, [] | [b'"' | b' ', ..]);
        (begins_plainly(text) && begins_plainly(agent)).then_some(text)
    }

    /// Finds what every line is asked for.
    #[inline(always)]
    pub(super) fn find(&mut self) {
        self.found = Found {
            cs_username: self.value(Column::CsUsername).unwrap_or_default(),
            sc_status: self.layout.place(Column::ScStatus).map(|status| self.nth(status)),
        };
    }

    /// The nth value, from 0; empty where there is none.
    #[inline(always)]
    pub(super) fn nth(&self, nth: usize) -> &'a [u8] {
        self.values.nth(nth, self.text)
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
