//! The logs that Exchange writes itself (HttpProxy, the back ends of EWS and MAPI): bytes to rows of cells
//! (DOMAIN.md 3.1, 3.2).
//!
//! Syntax only: what a cell means is said in `exchange::proxied` and `exchange::back_end`.
//! A row is a line: Exchange escapes line breaks inside a cell, so that a quote that is left open costs its own line
//! and no other, and a log can be read in chunks that end at line ends, each with the [`State`] that the chunk before
//! left behind, as a W3C log is.

mod cells;
pub mod layout;
pub mod row;
pub mod scan;

pub use crate::lines::chunks;
pub use layout::{Column, Layout};
pub use row::Row;
pub use scan::{Scanner, State, Tally, scan};

#[cfg(test)]
mod tests;
