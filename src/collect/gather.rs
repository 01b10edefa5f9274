//! The chunks of a log, read at the same time, to what they gave, in the order of the file.

use super::blocks::{self, Chunk};
use crate::input::{Body, Hash, Map, Stored, Stream};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes read as one task: so few that no thread waits long for the last one, and so many that beginning is cheap.
const CHUNK: usize = 4 << 20;
const LARGEST_CHUNK: usize = 32 << 20;

/// What a log is read into.
pub trait Gather: Send {
    /// What a chunk leaves to the next one: the columns in force.
    type State: Clone + Send + Sync;

    /// What the next chunk begins with.
    fn state(&self) -> Self::State;

    /// Reads chunks, each with the state that it is guessed to begin with, and takes what they give in their order.
    fn take_all(&mut self, chunks: &[Chunk<'_>], guesses: Vec<Self::State>);
}

/// Reads a log to its end. `guess` is the state that holds after its first lines, which mostly holds for all of it.
pub fn read<G: Gather>(body: Body, hash: Hash, gatherer: &mut G, guess: &G::State) -> Stored {
    match body {
        Body::Mapped(map) => read_map(&map, hash, gatherer, guess),
        Body::Stream(stream) => read_stream(stream, gatherer, guess),
    }
}

fn read_map<G: Gather>(map: &Map, hash: Hash, gatherer: &mut G, guess: &G::State) -> Stored {
    // Smaller ones towards the end, so that no thread waits long for the last one.
    let ranges = blocks::cut(map, |rest| (rest / 16).clamp(CHUNK, LARGEST_CHUNK));
    let chunks: Vec<_> = ranges.into_iter().map(|range| Chunk::Mapped(map, range)).collect();
    let mut parse = || {
        let start = gatherer.state();
        let guesses = (0..).map(|n| if n == 0 { start.clone() } else { guess.clone() });
        gatherer.take_all(&chunks, guesses.take(chunks.len()).collect());
    };
    let sha256 = match hash {
        Hash::None => {
            parse();
            None
        }
        Hash::Sha256 => rayon::join(parse, || map.sha256().ok()).1,
    };
    Stored { bytes: map.stored().len() as u64, sha256, damage: map.damage() }
}

/// A stream is read block by block, as many at a time as there are threads.
fn read_stream<G: Gather>(mut stream: Stream, gatherer: &mut G, guess: &G::State) -> Stored {
    let mut rest = Vec::new();
    let mut is_first = true;
    loop {
        let mut blocks = Vec::new();
        let mut is_done = false;
        while blocks.len() < rayon::current_num_threads() && !is_done {
            let before = rest.len();
            // An error ends the text; the stream remembers it as its damage.
            is_done =
                matches!((&mut stream).take(CHUNK as u64).read_to_end(&mut rest), Ok(0) | Err(_))
                    || rest.len() == before;
            let cut = if is_done {
                rest.len()
            } else {
                memchr::memrchr(b'\n', &rest).map_or(0, |at| at + 1)
            };
            let tail = rest.split_off(cut);
            let block = std::mem::replace(&mut rest, tail);
            if !block.is_empty() {
                blocks.push(block);
            }
        }
        let start = gatherer.state();
        let guesses = (0..blocks.len()).map(|n| match n {
            n if n > 0 && is_first => guess.clone(),
            _ => start.clone(),
        });
        let chunks: Vec<Chunk<'_>> = blocks.iter().map(|block| Chunk::Text(block)).collect();
        gatherer.take_all(&chunks, guesses.collect());
        is_first = false;
        if is_done {
            return stream.finish();
        }
    }
}

/// Reads `n` pieces at the same time and takes each as soon as those before it are taken. `bench` makes what a thread
/// keeps from piece to piece, which costs more to make than to hand on.
pub fn in_order<B: Send, P: Send>(
    n: usize,
    bench: impl Fn() -> B + Sync,
    read: impl Fn(usize, &mut B) -> P + Sync,
    take: impl FnMut(usize, P) + Send,
) {
    let next_piece = AtomicUsize::new(0);
    let waiting = Mutex::new((take, 0, BTreeMap::new()));
    let n_threads = rayon::current_num_threads().min(n);
    (0..n_threads).into_par_iter().with_max_len(1).for_each(|_| {
        let mut mine = None;
        loop {
            let at = next_piece.fetch_add(1, Ordering::Relaxed);
            if at >= n {
                return;
            }
            let piece = read(at, mine.get_or_insert_with(&bench));
            // Whoever brings the next piece takes what can be taken.
            let (take, next, pieces) = &mut *lock(&waiting);
            pieces.insert(at, piece);
            while let Some(piece) = pieces.remove(next) {
                take(*next, piece);
                *next += 1;
            }
        }
    });
}

/// Locks: whoever panicked with the lock ends the run anyway.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
