//! EVTX to events: 64 KiB chunks of records, each read for itself. Most records of a Security log are
//! of no interest, and `peek` tells that from the bytes; only what is left is rendered, by the `evtx`
//! crate, to the XML that Windows would show.
//!
//! Nothing here keeps more than one chunk's records, and chunks are borrowed from the input, so a
//! mapped file of any size costs no memory of its own.

mod peek;

use crate::event::{Fact, Pos, Reason, Reject, Validation};
use crate::evidence::{Sink, Tally};
use crate::windows::directory_service::Seen;
use crate::windows::validations::{self, Sought};
use crate::windows::{Event, facts as said, tell};
use crate::xml;
use evtx::err::EvtxError;
use evtx::{EvtxChunk, EvtxChunkHeader, EvtxRecord, ParserSettings};
use peek::Known;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::ops::Range;
use std::sync::Arc;

const FILE_HEADER: usize = 4096;
const CHUNK: usize = 65_536;

/// Reads a whole file.
pub fn facts(bytes: &[u8], sink: &mut Sink<'_>) -> Tally {
    facts_of_chunks(bytes, 0..chunk_count(bytes), sink)
}

/// Is it EVTX?
pub fn sniff(head: &[u8]) -> bool {
    head.starts_with(b"ElfFile\0")
}

/// Chunks of the file, the last one perhaps cut short. The header has a number of its own, which is
/// wrong in a file that was copied while open and too small (16 bits) for a large one.
pub fn chunk_count(bytes: &[u8]) -> usize {
    bytes.len().saturating_sub(FILE_HEADER).div_ceil(CHUNK).max(1)
}

/// Reads some of the chunks; ranges that cover the file give together what `facts` gives, whatever
/// runs them.
pub fn facts_of_chunks(bytes: &[u8], range: Range<usize>, sink: &mut Sink<'_>) -> Tally {
    read_chunks(bytes, range, false, sink)
}

/// What those of a file's chunks say of validations of logons that are sought. Everything else was told before.
pub fn validations_of_chunks(
    bytes: &[u8],
    range: Range<usize>,
    sought: &Sought,
    on: &mut dyn FnMut(Validation),
) {
    let mut seen = Seen::default();
    for number in range {
        visit(bytes, number, false, Known::new(Some(sought)), &mut |event| {
            let is_one = |event: &Event| validations::of_interest(event.event_id);
            let facts = event.ok().filter(is_one).and_then(|event| said(&event, &mut seen).ok());
            for fact in facts.unwrap_or_default() {
                if let Fact::Validation(validation) = fact {
                    on(validation);
                }
            }
        });
    }
}

/// Renders `every` record, or only those that can be of interest: what they tell is the same.
fn read_chunks(bytes: &[u8], range: Range<usize>, every: bool, sink: &mut Sink<'_>) -> Tally {
    let mut tally = Tally::default();
    let mut seen = Seen::default();
    // The first half of a 5136 pair may end the chunk before.
    if let Some(before) = range.start.checked_sub(1) {
        let mut unheard = |_| {};
        let mut uncounted = Tally::default();
        let mut on =
            |event| tell(without_validations(event), &mut seen, &mut uncounted, &mut unheard);
        visit(bytes, before, every, Known::new(None), &mut on);
        seen.turn();
    }
    for number in range {
        visit(bytes, number, every, Known::new(None), &mut |event| {
            tell(without_validations(event), &mut seen, &mut tally, sink);
        });
        seen.turn();
    }
    tally
}

/// Validations are told by themselves, whichever way their record was read.
fn without_validations(event: Result<Event, Reject>) -> Result<Event, Reject> {
    event.map(|event| match validations::of_interest(event.event_id) {
        true => Event { data: Vec::new(), ..event },
        false => event,
    })
}

/// Sound records by `Channel:EventID`. Renders every record: for `inspect` and tests, not for use on
/// large files.
pub fn census(bytes: &[u8]) -> BTreeMap<String, u64> {
    let mut ids = BTreeMap::new();
    for number in 0..chunk_count(bytes) {
        if let Chunk::Records(chunk, _) = chunk_at(bytes, number) {
            rendered(number, &chunk, &mut Known::new(None), true, &mut |event| {
                if let Ok(event) = event {
                    let channel = event.channel.unwrap_or_default();
                    *ids.entry(format!("{channel}:{}", event.event_id)).or_insert(0) += 1;
                }
            });
        }
    }
    ids
}

/// What stands at a chunk's place.
enum Chunk<'a> {
    /// A chunk, and whether the file ends inside it.
    Records(Cow<'a, [u8]>, bool),
    /// Zeroes: space that was set aside.
    Empty,
    Bad(Reason),
}

fn chunk_at(bytes: &[u8], number: usize) -> Chunk<'_> {
    if !sniff(bytes) {
        return Chunk::Bad(Reason::Format("no EVTX file: its header is not ElfFile".to_owned()));
    }
    if bytes.len() < FILE_HEADER {
        return Chunk::Bad(Reason::Truncated);
    }
    let start = number.saturating_mul(CHUNK).saturating_add(FILE_HEADER);
    let rest = bytes.get(start..).unwrap_or_default();
    let data = rest.get(..CHUNK).unwrap_or(rest);
    if data.iter().all(|b| *b == 0) {
        return Chunk::Empty;
    }
    if !data.starts_with(b"ElfChnk\0") {
        let reason = format!("chunk {number} at {start:#x} has no chunk header");
        return Chunk::Bad(Reason::Format(reason));
    }
    if data.len() == CHUNK {
        return Chunk::Records(data.into(), false);
    }
    // The records before the cut are sound; zeroes stand for the rest.
    let mut whole = data.to_vec();
    whole.resize(CHUNK, 0);
    Chunk::Records(whole.into(), true)
}

/// Hands on every record of a chunk, in the order of the chunk.
fn visit(
    bytes: &[u8],
    number: usize,
    every: bool,
    mut known: Known<'_>,
    on: &mut dyn FnMut(Result<Event, Reject>),
) {
    let (chunk, cut) = match chunk_at(bytes, number) {
        Chunk::Records(chunk, cut) => (chunk, cut),
        Chunk::Empty => return,
        Chunk::Bad(reason) => {
            // No record, so no record's number.
            return on(Err(Reject { pos: Pos::Record(0), reason }));
        }
    };
    match peek::all(&chunk, &mut known) {
        Some(peeks) if !every && !peeks.iter().any(|peek| peek.may_tell) => {
            peeks.iter().for_each(|peek| on(Ok(peek.event())));
        }
        _ => rendered(number, &chunk, &mut known, every, on),
    }
    if cut {
        on(Err(Reject { pos: Pos::Record(0), reason: Reason::Truncated }));
    }
}

/// Hands on every record of a chunk in which not all is plain and of no interest, rendered where that
/// is not certain of the record; or all of them.
fn rendered(
    number: usize,
    chunk: &[u8],
    known: &mut Known<'_>,
    every: bool,
    on: &mut dyn FnMut(Result<Event, Reject>),
) {
    let bad = |error: &dyn Error| {
        let reason = Reason::Format(format!("chunk {number}: {}", causes(error)));
        Err(Reject { pos: Pos::Record(0), reason })
    };
    let header = match EvtxChunkHeader::from_bytes(chunk) {
        Ok(header) => header,
        Err(error) => return on(bad(&error)),
    };
    let mut records = match EvtxChunk::new(chunk, &header, Arc::new(ParserSettings::default())) {
        Ok(records) => records,
        Err(error) => return on(bad(&error)),
    };
    for record in records.iter() {
        on(match record {
            Ok(record) => {
                let start = usize::try_from(record.binxml_offset).unwrap_or(usize::MAX);
                let start = start.saturating_sub(peek::RECORD_HEADER);
                match peek::at(chunk, start, known) {
                    Some((peek, _)) if !every && !peek.may_tell => Ok(peek.event()),
                    _ => read(record),
                }
            }
            Err(error) => Err(reject(&error)),
        });
    }
}

fn read(record: EvtxRecord<'_>) -> Result<Event, Reject> {
    let pos = Pos::Record(record.event_record_id);
    let text = record.into_xml().map_err(|error| reject(&error))?;
    xml::event(pos, &text.data).map_err(|reason| Reject { pos, reason })
}

fn reject(error: &EvtxError) -> Reject {
    let id = match error {
        EvtxError::FailedToParseRecord { record_id, .. } => *record_id,
        _ => 0,
    };
    Reject { pos: Pos::Record(id), reason: Reason::Format(causes(error)) }
}

/// An error and what brought it about, on one line.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{}: {error}", text.trim_end_matches('.'));
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
