//! A second look at a log that was read before: its lines, as far as they are of a time that matters.

use crate::input::{Body, Hash};
use crate::read::File;
use rayon::prelude::*;
use std::io::Read;
use stillin_parsers::w3c::{self, Line, State};

/// A log to look into.
pub struct Look<'a> {
    /// The log.
    pub file: &'a File,
    /// Its server, where it has only one; else `s-computername` decides.
    pub server: Option<&'a str>,
    /// Its first and last entry, seconds since 1970.
    pub span: (i64, i64),
}

/// Bytes read as one task.
const CHUNK: usize = 4 << 20;

/// Gives `each` the lines of a log, with their names, but for chunks whose first and last entry leave no room for what
/// `is_timely` asks for; what chunks gave is brought `together`. What cannot be opened again gives nothing.
pub fn look<T: Default + Send>(
    look: &Look<'_>,
    is_timely: &(dyn Fn((i64, i64)) -> bool + Sync),
    each: &(dyn Fn(&[u8], &Line<'_>, &mut T) + Sync),
    together: &(dyn Fn(T, T) -> T + Sync),
) -> T {
    let Ok(opened) = look.file.open(Hash::None) else { return T::default() };
    let read = |text: &[u8], state: &State, given: &mut T| {
        w3c::scan(text, state, |name, line| each(name, line, given)).1
    };
    match opened.body {
        Body::Mapped(map) => {
            let text: &[u8] = &map;
            let guess = w3c::scan(&opened.head, &State::default(), |_, _| ()).1;
            let chunk = |chunk: &[u8]| {
                let mut given = T::default();
                if edges(chunk, &guess).is_none_or(is_timely) {
                    read(chunk, &guess, &mut given);
                    // To give pages back interrupts every core: only for what was read whole.
                    let start = chunk.as_ptr() as usize - text.as_ptr() as usize;
                    map.release(start..start + chunk.len());
                }
                given
            };
            let chunks = w3c::chunks(text, CHUNK).into_par_iter();
            chunks.map(chunk).reduce(T::default, together)
        }
        Body::Stream(mut stream) => {
            let (mut given, mut text) = (T::default(), Vec::new());
            let mut state = State::default();
            loop {
                let took = (&mut stream).take(CHUNK as u64).read_to_end(&mut text);
                let is_done = matches!(took, Ok(0) | Err(_));
                let cut = match memchr::memrchr(b'\n', &text) {
                    _ if is_done => text.len(),
                    at => at.map_or(0, |at| at + 1),
                };
                let rest = text.split_off(cut);
                state = read(&text, &state, &mut given);
                text = rest;
                if is_done {
                    return given;
                }
            }
        }
    }
}

/// The times of the first and the last lines of a chunk.
fn edges(chunk: &[u8], guess: &State) -> Option<(i64, i64)> {
    const EDGE: usize = 8 << 10;
    let head = &chunk[..chunk.len().min(EDGE)];
    let tail = &chunk[chunk.len().saturating_sub(EDGE)..];
    let tail = memchr::memchr(b'\n', tail).map_or(tail, |at| &tail[at + 1..]);
    let span = |text: &[u8]| w3c::scan(text, guess, |_, _| ()).0.span;
    Some((span(head)?.0, span(tail)?.1))
}
