//! One log to what is kept of it: chunks read at the same time, brought together in order.

use super::blocks::Chunk;
use super::chunk::{Scan, Wanted};
use super::clients::SESSION;
use super::copies::FirstRequest;
use super::gather::Gatherer;
use super::seats::Seats;
use crate::input::{Body, HEAD, Hash, Map, Opened, Stored, Stream};
use std::io::Read;
use stillin_parsers::w3c::{self, State};

pub use super::gather::Log;

/// Bytes read as one task. A chunk has texts of its own, so that many small ones cost more than a few large ones.
const CHUNK: usize = 4 << 20;
const LARGEST_CHUNK: usize = 16 << 20;
/// How many times its packed size a log has, about.
const PACKED: u64 = 12;

/// Reads an opened W3C log to its end.
pub fn read(opened: Opened, hash: Hash, wanted: &Wanted<'_>) -> Log {
    let (guess, first_request) = first_look(&opened.head);
    let is_packed = matches!(opened.body, Body::Stream(_));
    let log_bytes = opened.stored_bytes.saturating_mul(if is_packed { PACKED } else { 1 });
    let seats = Seats::new(log_bytes);
    let seats_from = match wanted.nameless_from {
        Some(from) if !wanted.watch.is_empty() => (from - SESSION).timestamp(),
        _ => i64::MAX,
    };
    let scan = Scan { wanted, seats: &seats, seats_from };
    let log = match opened.body {
        Body::Mapped(map) => read_map(&map, hash, &guess, &scan),
        Body::Stream(stream) => read_stream(stream, &guess, &scan),
    };
    Log { first_request, seats, ..log }
}

/// The columns that hold after the first lines, which mostly hold for the whole file, and the first request.
fn first_look(head: &[u8]) -> (State, Option<FirstRequest>) {
    let is_whole = head.len() < HEAD;
    let lines = match memchr::memrchr(b'\n', head) {
        Some(at) if !is_whole => &head[..at],
        _ => head,
    };
    let mut first = None;
    let (_, state) = w3c::scan(lines, &State::default(), |_, line| {
        first.get_or_insert((line.number, line.seconds));
    });
    let request = |(line, seconds): (u64, i64)| {
        let text = lines.split(|&byte| byte == b'\n').nth(usize::try_from(line - 1).ok()?)?;
        Some(FirstRequest { line, seconds, text: text.trim_ascii().to_vec() })
    };
    (state, first.and_then(request))
}

fn read_map(map: &Map, hash: Hash, guess: &State, scan: &Scan<'_>) -> Log {
    let text: &[u8] = map;
    let mut end = 0;
    let chunks: Vec<Chunk<'_>> = w3c::chunks(text, (text.len() / 64).clamp(CHUNK, LARGEST_CHUNK))
        .into_iter()
        .map(|chunk| {
            let start = end;
            end += chunk.len();
            Chunk::Mapped(map, start..end)
        })
        .collect();
    let parse = || {
        let guesses = (0..).map(|n| if n == 0 { State::default() } else { guess.clone() });
        let mut gatherer = Gatherer::default();
        gatherer.take_all(&chunks, guesses.take(chunks.len()).collect(), scan);
        gatherer.finish()
    };
    let (mut log, sha256) = match hash {
        Hash::None => (parse(), None),
        Hash::Sha256 => rayon::join(parse, || map.sha256().ok()),
    };
    log.stored = Some(Stored { bytes: map.stored().len() as u64, sha256, damage: map.damage() });
    log
}

/// A stream is read block by block, as many at a time as there are threads.
fn read_stream(mut stream: Stream, guess: &State, scan: &Scan<'_>) -> Log {
    let mut gatherer = Gatherer::default();
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
        let start = gatherer.state.clone();
        let guesses = (0..blocks.len()).map(|n| match n {
            n if n > 0 && is_first => guess.clone(),
            _ => start.clone(),
        });
        let chunks: Vec<Chunk<'_>> = blocks.iter().map(|block| Chunk::Text(block)).collect();
        gatherer.take_all(&chunks, guesses.collect(), scan);
        is_first = false;
        if is_done {
            break;
        }
    }
    let mut log = gatherer.finish();
    log.stored = Some(stream.finish());
    log
}
