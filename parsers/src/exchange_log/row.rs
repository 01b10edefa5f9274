//! One row of a log of Exchange: its cells by column.

use super::layout::{Column, Layout};
use crate::lines::{Values, whole_number};
use chrono::{DateTime, Utc};

/// A row whose time was understood. Everything borrows from the log; quotes are undone.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The columns in force.
    pub layout: &'a Layout,
    /// Line number within the chunk, from 1.
    pub number: u64,
    /// `DateTime`, that is the end of the request, in seconds since 1970.
    pub seconds: i64,
    /// Fraction of that second.
    pub nanos: u32,
    pub(super) text: &'a [u8],
    pub(super) values: Values<'a>,
}

impl<'a> Row<'a> {
    /// The cell of a column; empty where a row that was cut short has none, `None` where the log has no such column.
    #[inline(always)]
    pub fn value(&self, column: Column) -> Option<&'a [u8]> {
        Some(self.values.nth(self.layout.place(column)?, self.text))
    }

    /// The cell of a column, `None` where it is empty as well.
    #[inline]
    pub fn present(&self, column: Column) -> Option<&'a [u8]> {
        self.value(column).filter(|value| !value.is_empty())
    }

    /// The cell of a column as a whole number.
    pub fn number_in(&self, column: Column) -> Option<u64> {
        whole_number(self.present(column)?)
    }

    /// The cell of a column as text; empty where there is none.
    #[inline]
    pub fn text(&self, column: Column) -> &'a [u8] {
        self.value(column).unwrap_or_default()
    }

    /// Time of the row.
    pub fn time(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.seconds, self.nanos).unwrap_or_default()
    }
}
