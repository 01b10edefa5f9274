//! W3C extended log format (IIS, HTTPERR, Advanced Logging): bytes to lines of values (DOMAIN.md 1).
//!
//! Syntax only: what a value means on an Exchange server is said in `exchange`.
//! A log is read in chunks that end at line ends, each with the [`State`] that the chunk before left behind,
//! so that chunks can be read at the same time with a guessed state and again where the guess was wrong.

pub mod layout;
pub mod line;
pub mod scan;
mod values;

pub use layout::{Column, Layout};
pub use line::Line;
pub use scan::{Scanner, State, Tally, scan};

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

#[cfg(test)]
mod tests;
