//! A chunk of a log to blocks that fit the processor's second-level cache, one after the other in one buffer.
//!
//! A mapped log is read into that buffer, not looked at in place: to fault a page in costs more than to copy it (85 ms
//! against 38 ms for 1 GiB on two cores), and what was copied is then near.

use crate::input::Map;
use std::ops::Range;

/// Bytes of a block; with what is computed of it, it leaves room in 1 MiB.
const BLOCK: usize = 512 << 10;

/// A piece of a log that begins at a line start and ends at a line end.
pub enum Chunk<'a> {
    /// In memory.
    Text(&'a [u8]),
    /// A range of a mapped log.
    Mapped(&'a Map, Range<usize>),
}

/// The room that a chunk is read in, for one after the other.
#[derive(Default)]
pub struct Room(Vec<u8>);

impl Chunk<'_> {
    /// Its size.
    pub fn len(&self) -> usize {
        match self {
            Chunk::Text(text) => text.len(),
            Chunk::Mapped(_, range) => range.len(),
        }
    }

    /// Hands it out block by block, the last one marked; `take` says how much it took, and gets the rest again with
    /// what follows.
    pub fn each_block(&self, room: &mut Room, mut take: impl FnMut(&[u8], bool) -> usize) {
        match self {
            Chunk::Text(text) => _ = take(text, true),
            Chunk::Mapped(map, range) => read(map, range.clone(), room, take),
        }
    }
}

fn read(
    map: &Map,
    range: Range<usize>,
    Room(buffer): &mut Room,
    mut take: impl FnMut(&[u8], bool) -> usize,
) {
    let (mut at, mut held) = (range.start, 0);
    loop {
        if held == buffer.len() {
            buffer.resize((held * 2).max(BLOCK), 0);
        }
        let room = &mut buffer[held..];
        let wanted = room.len().min(range.end - at);
        let got = map.read_at(&mut room[..wanted], at);
        at += got;
        held += got;
        // What cannot be read ends the chunk; the map remembers it as damage.
        let is_last = at == range.end || got < wanted;
        let taken = take(&buffer[..held], is_last);
        if is_last {
            return;
        }
        buffer.copy_within(taken..held, 0);
        held -= taken;
    }
}
