//! A log to chunks, and a chunk to its bytes: in place where that is known to be fastest, else in blocks that fit the
//! processor's second-level cache, one after the other in one buffer.

use crate::input::{HEAD, Map};
use std::ops::Range;
use stillin_parsers::lines;

/// Bytes of a block; with what is computed of it, it leaves room in 1 MiB.
const BLOCK: usize = 512 << 10;

/// Whether a mapped log is looked at in place. To map the pages of a chunk costs less than to copy them, and what lies in
/// place can be fetched ahead; but that was measured on Linux alone.
const IN_PLACE: bool = cfg!(target_os = "linux");

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

/// Cuts a mapped log into chunks of about as many bytes as `size` says, which gets how many there are still.
pub fn cut(map: &Map, size: impl Fn(usize) -> usize) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut chunks = Vec::new();
    while start < map.len() {
        let size = size(map.len() - start);
        let Some(end) = line_end(map, (start + size.max(1)).min(map.len()) - 1) else {
            // What cannot be read is passed over where it is looked at in place.
            for chunk in lines::chunks(&map[start..], size) {
                chunks.push(start..start + chunk.len());
                start += chunk.len();
            }
            break;
        };
        chunks.push(start..end);
        start = end;
    }
    chunks
}

/// Where the line ends that the byte at a place belongs to; `None` where that cannot be read.
fn line_end(map: &Map, mut at: usize) -> Option<usize> {
    let mut text = [0; 4 << 10];
    while at < map.len() {
        let wanted = text.len().min(map.len() - at);
        let got = map.read_at(&mut text[..wanted], at);
        if let Some(lf) = memchr::memchr(b'\n', &text[..got]) {
            return Some(at + lf + 1);
        }
        if got < wanted {
            return None;
        }
        at += got;
    }
    Some(map.len())
}

/// The lines of the head of a log, without one that its end cuts in two.
pub fn whole_lines(head: &[u8]) -> &[u8] {
    match memchr::memrchr(b'\n', head) {
        Some(at) if head.len() >= HEAD => &head[..at],
        _ => head,
    }
}

/// How much of its beginning and its end tells of when a chunk is.
pub const EDGE: usize = 4 << 10;

/// The first and the last bytes of a chunk, as many as there is room for.
pub fn edges<'a>(
    map: &Map,
    chunk: &Range<usize>,
    [head, tail]: &'a mut [[u8; EDGE]; 2],
) -> [&'a [u8]; 2] {
    let len = chunk.len().min(EDGE);
    let n_head = map.read_at(&mut head[..len], chunk.start);
    let n_tail = map.read_at(&mut tail[..len], chunk.end - len);
    [&head[..n_head], &tail[..n_tail]]
}

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
            Chunk::Mapped(map, range) if IN_PLACE => {
                map.expect(range.clone());
                take(&map[range.clone()], true);
                map.release(range.clone());
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn mapped(text: &[u8]) -> Map {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        Map::new(file, 0).unwrap()
    }

    /// Lines of all lengths, those beyond one look for a line end as well.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            prop::collection::vec(b'a'..=b'z', 0..60),
            prop::collection::vec(b'a'..=b'z', 4000..9000),
            Just(Vec::new()),
        ];
        (prop::collection::vec(line, 1..8), any::<bool>()).prop_map(|(lines, ends)| {
            let mut text = lines.join(&b'\n');
            text.extend(ends.then_some(b'\n'));
            if text.is_empty() { b"\n".to_vec() } else { text }
        })
    }

    proptest! {
        #[test]
        fn a_mapped_log_is_cut_as_one_in_memory(text in text(), size in 0usize..9000) {
            let map = mapped(&text);
            let ranges = cut(&map, |_| size);
            let (mut in_place, mut in_blocks) = (Vec::new(), Vec::new());
            for range in ranges {
                let (mut chunk, mut copied) = (Vec::new(), Vec::new());
                Chunk::Mapped(&map, range.clone()).each_block(&mut Room::default(), |block, _| {
                    chunk.extend_from_slice(block);
                    block.len()
                });
                read(&map, range, &mut Room::default(), |block, _| {
                    copied.extend_from_slice(block);
                    block.len()
                });
                in_place.push(chunk);
                in_blocks.push(copied);
            }
            prop_assert_eq!(&in_place, &lines::chunks(&text, size));
            prop_assert_eq!(&in_blocks, &in_place);
        }

        #[test]
        fn edges_are_where_the_chunk_begins_and_ends(text in text(), size in 1usize..20_000) {
            let map = mapped(&text);
            for range in cut(&map, |_| size) {
                let chunk = &text[range.clone()];
                let len = chunk.len().min(EDGE);
                let plain = [&chunk[..len], &chunk[chunk.len() - len..]];
                let mut room = [[0; EDGE]; 2];
                prop_assert_eq!(edges(&map, &range, &mut room), plain);
            }
        }
    }
}
