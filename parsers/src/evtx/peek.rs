//! The event id and the time of a record, read from its BinXML without building the XML, and whether
//! its bytes hold what every event of interest with that id holds. A record is a reference to a
//! template and the values to put into it: the template, once per chunk, tells which value is the id.
//! Whatever is not plainly of that shape gives none, and is rendered instead.
//! (Layout: MS-EVEN6 2.2.12 and the `evtx` crate.)

use crate::event::Pos;
use crate::windows::Event;
use crate::windows::marks::may_tell_utf16;
use crate::windows::validations::Sought;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

const CHUNK_HEADER: usize = 512;
/// Magic, size, record id, time of writing.
pub(super) const RECORD_HEADER: usize = 24;

/// What is known of a record without rendering it.
pub(super) struct Peek {
    pub record_id: u64,
    pub event_id: u32,
    /// It can be of interest.
    pub may_tell: bool,
    time: DateTime<Utc>,
}

impl Peek {
    /// As an event, of which nobody will ask more.
    pub fn event(&self) -> Event {
        let mut event = Event::new(Pos::Record(self.record_id), self.event_id);
        event.time = Some(self.time);
        event
    }
}

/// The templates of a chunk by offset; none for those that are not understood.
#[derive(Default)]
pub(super) struct Known<'a> {
    templates: BTreeMap<u32, Option<Template>>,
    /// Validations are looked for, and nothing else.
    sought: Option<&'a Sought>,
}

impl<'a> Known<'a> {
    /// None yet.
    pub fn new(sought: Option<&'a Sought>) -> Self {
        Known { templates: BTreeMap::new(), sought }
    }
}

/// Where a template wants the values that matter here.
#[derive(Clone, Copy)]
struct Template {
    event_id: Slot,
    /// Index of the value of `TimeCreated/@SystemTime`.
    time: Option<u16>,
}

#[derive(Clone, Copy)]
enum Slot {
    /// Index of a value.
    Value(u16),
    /// The same id for all its records.
    Literal(u32),
}

/// All records of a chunk, or none when one of them is in doubt. The walk is that of the `evtx` crate
/// over a chunk without damage.
pub(super) fn all(chunk: &[u8], known: &mut Known<'_>) -> Option<Vec<Peek>> {
    let mut header = Bytes { data: chunk, at: 32 };
    let last_id = header.u64()?;
    header.at = 48;
    let end = usize::try_from(header.u32()?).ok()?.min(chunk.len());
    let mut peeks = Vec::new();
    let mut start = CHUNK_HEADER;
    while start < end {
        let (peek, next) = at(chunk, start, known)?;
        let last = peek.record_id == last_id;
        peeks.push(peek);
        if last {
            break;
        }
        start = next;
    }
    Some(peeks)
}

/// The record that begins at `start`, and where the next one does.
pub(super) fn at(chunk: &[u8], start: usize, known: &mut Known<'_>) -> Option<(Peek, usize)> {
    let mut header = Bytes { data: chunk, at: start };
    if header.take(4)? != b"\x2a\x2a\0\0" {
        return None;
    }
    let size = usize::try_from(header.u32()?).ok()?;
    let record_id = header.u64()?;
    let written = filetime(header.u64()?)?;
    let end = start.checked_add(size)?;
    // The size stands once more at the end.
    let mut body = Bytes { data: chunk.get(..end)?, at: header.at };
    let limit = end.checked_sub(4).filter(|limit| *limit >= header.at)?;
    if body.take(5)? != b"\x0f\x01\x01\0\x0c" {
        return None;
    }
    body.skip(5)?;
    let definition = body.u32()?;
    if u32::try_from(body.at).ok()? == definition {
        body.skip(20)?;
        let length = usize::try_from(body.u32()?).ok()?;
        body.skip(length)?;
    }
    let template = (*known.templates.entry(definition).or_insert_with(|| scan(chunk, definition)))?;
    let count = usize::try_from(body.u32()?).ok()?;
    let descriptors = body.take(count.checked_mul(4)?)?;
    let (mut event_id, mut time) = (None, None);
    if let Slot::Literal(id) = template.event_id {
        event_id = Some(id);
    }
    for (index, descriptor) in descriptors.as_chunks::<4>().0.iter().enumerate() {
        let [low, high, kind, _] = *descriptor;
        let value = body.take(usize::from(u16::from_le_bytes([low, high])))?;
        let index = u16::try_from(index).ok()?;
        if matches!(template.event_id, Slot::Value(slot) if slot == index) {
            // UInt16 and nothing else.
            let value = (kind == 0x06).then(|| value.try_into().ok())??;
            event_id = Some(u32::from(u16::from_le_bytes(value)));
        }
        if template.time == Some(index) && kind == 0x11 {
            time = filetime(u64::from_le_bytes(value.try_into().ok()?));
        }
    }
    if body.at > limit {
        return None;
    }
    let event_id = event_id?;
    let (time, record) = (time.unwrap_or(written), body.data.get(header.at..limit)?);
    let may_tell = match known.sought {
        Some(sought) => sought.may_be(event_id, time, record),
        None => may_tell_utf16(event_id, record),
    };
    Some((Peek { record_id, event_id, may_tell, time }, end))
}

/// Finds `EventID` and `TimeCreated/@SystemTime` in a template definition.
fn scan(chunk: &[u8], definition: u32) -> Option<Template> {
    let mut header = Bytes { data: chunk, at: usize::try_from(definition).ok()? };
    header.skip(20)?;
    let length = usize::try_from(header.u32()?).ok()?;
    let data = chunk.get(..header.at.checked_add(length)?)?;
    let mut tokens = Bytes { data, at: header.at };
    let (mut element, mut attribute) = (Vec::new(), Vec::new());
    let (mut open, mut event_id) = (false, None);
    loop {
        match tokens.u8()? {
            0x0f => tokens.skip(3)?,
            token @ (0x01 | 0x41) => {
                tokens.skip(6)?;
                element = tokens.name(chunk)?;
                (open, attribute) = (false, Vec::new());
                if token == 0x41 {
                    tokens.skip(4)?;
                }
            }
            0x06 | 0x46 => attribute = tokens.name(chunk)?,
            0x02 => open = true,
            0x03 | 0x04 => {
                // Both stand at the beginning of System, and what follows is of any length.
                if element == b"TimeCreated" {
                    return Some(Template { event_id: event_id?, time: None });
                }
            }
            0x05 | 0x45 => {
                let text = tokens.text()?;
                if open && element == b"EventID" {
                    let id = str::from_utf8(&text).ok()?.parse().ok()?;
                    event_id = Some(Slot::Literal(id));
                }
            }
            0x0d | 0x0e => {
                let index = tokens.u16()?;
                tokens.skip(1)?;
                if open && element == b"EventID" && event_id.is_none() {
                    event_id = Some(Slot::Value(index));
                }
                if !open && element == b"TimeCreated" && attribute == b"SystemTime" {
                    return Some(Template { event_id: event_id?, time: Some(index) });
                }
            }
            _ => return None,
        }
    }
}

/// 100 ns since 1601, up to the year 9999 as in the `evtx` crate.
fn filetime(ticks: u64) -> Option<DateTime<Utc>> {
    if ticks >= 2_650_466_808_000_000_000 {
        return None;
    }
    let seconds = i64::try_from(ticks / 10_000_000).ok()? - 11_644_473_600;
    let nanos = u32::try_from(ticks % 10_000_000).ok()? * 100;
    DateTime::from_timestamp(seconds, nanos)
}

/// Little-endian numbers one after the other; none at the end.
struct Bytes<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.data.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(|_| ())
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// A name: its offset in the chunk, where the name itself may follow at once.
    fn name(&mut self, chunk: &[u8]) -> Option<Vec<u8>> {
        let offset = usize::try_from(self.u32()?).ok()?;
        let mut name = Bytes { data: chunk, at: offset };
        name.skip(6)?;
        let text = name.utf16()?;
        if offset == self.at {
            self.at = name.at.checked_add(2)?;
        }
        Some(text)
    }

    /// A literal value; only strings occur.
    fn text(&mut self) -> Option<Vec<u8>> {
        (self.u8()? == 0x01).then_some(())?;
        self.utf16()
    }

    /// Length and UTF-16; what is not ASCII becomes `?`, since only ASCII is compared.
    fn utf16(&mut self) -> Option<Vec<u8>> {
        let units = usize::from(self.u16()?);
        let text = self.take(units * 2)?;
        Some(
            text.as_chunks::<2>()
                .0
                .iter()
                .map(|[low, high]| if *high == 0 { *low } else { b'?' })
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_without_rendering() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/ad/events.evtx");
        let file = std::fs::read(path).unwrap();
        let chunk = &file[4096..];
        let peeks = all(chunk, &mut Known::new(None)).unwrap();
        let ids: Vec<(u64, u32)> = peeks.iter().map(|p| (p.record_id, p.event_id)).collect();
        let expect = [4624, 4725, 4738, 4724, 4738, 4742, 4723];
        assert_eq!(ids, (88_201..).zip(expect).collect::<Vec<_>>());
        assert_eq!(peeks[1].time.to_rfc3339(), "2026-03-02T09:00:00.250+00:00");

        // What is not plain is left to the renderer: a token that is no token, a size that leads
        // out of the chunk, a chunk that ends.
        let known = &mut Known::new(None);
        let mut odd = chunk.to_vec();
        odd[512 + 24] = 0x0e;
        assert!(all(&odd, known).is_none());
        let mut odd = chunk.to_vec();
        odd[512 + 4..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(all(&odd, known).is_none());
        assert!(all(&chunk[..600], known).is_none());
        assert!(at(chunk, usize::MAX, known).is_none());
    }
}
