//! W3C extended log format (IIS, HTTPERR, Advanced Logging): bytes to lines of values (DOMAIN.md 1).
//!
//! Syntax only: what a value means on an Exchange server is said in `exchange`.
//! A log is read in chunks that end at line ends, each with the [`State`] that the chunk before left behind,
//! so that chunks can be read at the same time with a guessed state and again where the guess was wrong.

pub mod layout;
pub mod line;
pub mod scan;
mod undated;
mod values;

pub use crate::lines::chunks;
pub use layout::{Column, Layout};
pub use line::Line;
pub use scan::{Scanner, State, TakeLine, Tally, scan};
pub use undated::Undated;

#[cfg(test)]
mod tests;
