//! What was read of the sources on an earlier night to what need not be read again: readings of files, each with what it
//! was read for.
//!
//! A reading is only taken where reading the file again would give the very same (see `question`); in doubt the file is
//! read again, which is slow and never wrong. Only of a file that is gone the last reading is taken, and it is said.

pub mod pack;
pub mod question;
mod types;

use crate::input::Stored;
use crate::read::Evidence;
use pack::{Pack, packed, unpacked};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// What of a source was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// A log of requests.
    Log,
    /// A source of change evidence.
    Evidence,
    /// Of an event log, the validations of some logons.
    Validations,
    /// Of a log, the names under which it has some requests.
    Typed,
    /// Of a log, who else used some pools.
    Census,
}

impl Slot {
    /// Every slot with its word in the state.
    pub const WORDS: [(Slot, &'static str); 5] = [
        (Slot::Log, "log"),
        (Slot::Evidence, "evidence"),
        (Slot::Validations, "validations"),
        (Slot::Typed, "typed"),
        (Slot::Census, "census"),
    ];
}

/// One reading that was kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Of what.
    pub slot: Slot,
    /// What it was read for.
    pub question: Vec<u8>,
    /// What it gave, packed.
    pub value: Value,
}

/// Where the bytes of a reading are.
#[derive(Debug, Clone)]
pub enum Value {
    /// Here.
    Bytes(Vec<u8>),
    /// In the state, under that number.
    Row(i64),
}

impl Kept {
    /// Of what a source gave, packed. `None` where that cannot be kept: then it is read again.
    pub fn of(slot: Slot, question: Vec<u8>, packed: &[u8]) -> Option<Kept> {
        Some(Kept { slot, question, value: Value::Bytes(compressed(packed).ok()?) })
    }
}

impl Value {
    /// What was packed. A page that was damaged fails its checksum here, and the file is read again.
    pub fn bytes(&self, fetch: &Fetch) -> Option<Vec<u8>> {
        match self {
            Value::Bytes(bytes) => zstd::decode_all(bytes.as_slice()).ok(),
            Value::Row(row) => zstd::decode_all(fetch(*row)?.as_slice()).ok(),
        }
    }
}

/// What was kept of one source.
#[derive(Debug, Default)]
pub struct OfFile {
    /// It is gone; nothing can be read again.
    pub is_gone: bool,
    /// Where it was moved or packed since: what it is as stored now.
    pub stored: Option<Stored>,
    /// The readings, the last one first.
    pub kept: Vec<Kept>,
    /// What was read of it tonight already.
    pub fresh: Vec<Kept>,
}

/// What one night leaves to the next of a source.
#[derive(Debug, Default)]
pub struct Left {
    /// Rows of the state that are still of use.
    pub rows: BTreeSet<i64>,
    /// What is new.
    pub fresh: Vec<Kept>,
    /// It was read, whole.
    pub is_read: bool,
}

/// Gets the bytes of a row of the state; `None` where they are damaged.
pub type Fetch = Box<dyn Fn(i64) -> Option<Vec<u8>> + Send + Sync>;

/// All of it, by the index of the source.
pub struct Readings {
    files: Vec<OfFile>,
    fetch: Fetch,
    left: Mutex<BTreeMap<usize, Left>>,
    /// Sets of names that were looked for, by their digest.
    asked: Mutex<BTreeMap<String, BTreeSet<String>>>,
    /// Sources that are gone and would have to be read again.
    stale: Mutex<BTreeSet<usize>>,
}

impl Readings {
    /// What the state has of the sources, in their order.
    pub fn new(
        mut files: Vec<OfFile>,
        asked: BTreeMap<String, BTreeSet<String>>,
        fetch: Fetch,
    ) -> Readings {
        let left = |(index, file): (usize, &mut OfFile)| {
            let fresh = std::mem::take(&mut file.fresh);
            let is_read = !fresh.is_empty() && !file.is_gone;
            (index, Left { fresh, is_read, ..Left::default() })
        };
        let left = Mutex::new(files.iter_mut().enumerate().map(left).collect());
        Readings { files, fetch, left, asked: Mutex::new(asked), stale: Mutex::default() }
    }

    /// What the night leaves to the next one: of each source, and the sets of names.
    pub fn leave(self) -> (BTreeMap<usize, Left>, BTreeMap<String, BTreeSet<String>>) {
        let left = self.left.into_inner().unwrap_or_else(PoisonError::into_inner);
        (left, self.asked.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sources that are gone, and of which more would have to be known than what was read of them.
    pub fn stale(&self) -> BTreeSet<usize> {
        self.stale.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many sources were read whole.
    pub fn n_read(&self) -> usize {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.values().filter(|left| left.is_read).count()
    }

    /// What a source gave when it was read for the same; read now if it never was. What is not sound may be
    /// tomorrow, and is only taken when it is gone.
    pub fn recall<T: Pack>(
        &self,
        index: usize,
        slot: Slot,
        question: &[u8],
        is_sound: impl Fn(&T) -> bool,
        read: impl FnOnce() -> T,
    ) -> T {
        if let Some((value, _)) = self.find(index, slot, &|kept| kept == question) {
            return value;
        }
        if self.is_gone(index) {
            // Nobody can look again; the last look is better than none, but not where it was at another time.
            let last = self.find(index, slot, &|_| slot != Slot::Census);
            return last.map_or_else(read, |(value, _)| value);
        }
        let value = read();
        // As long as it is there nobody asks so.
        let unsound: Vec<u8> = [question, b"\0unsound"].concat();
        let question = if is_sound(&value) { question.to_vec() } else { unsound };
        self.keep(index, slot, question, &value);
        value
    }

    /// What a source of change evidence tells.
    pub fn evidence(&self, index: usize, read: impl FnOnce() -> Evidence) -> Evidence {
        let is_whole = |evidence: &Evidence| evidence.fault().is_none();
        let evidence = self.recall(index, Slot::Evidence, b"", is_whole, read);
        let stored = self.stored(index).or_else(|| evidence.stored.clone());
        Evidence { stored, ..evidence }
    }

    fn is_gone(&self, index: usize) -> bool {
        self.files.get(index).is_some_and(|file| file.is_gone)
    }

    /// The first reading that fits, and what it was read for.
    fn find<T: Pack>(
        &self,
        index: usize,
        slot: Slot,
        fits: &dyn Fn(&[u8]) -> bool,
    ) -> Option<(T, Vec<u8>)> {
        // What is asked of a reading takes its time, and others wait for the lock.
        let fresh: Vec<Kept> = {
            let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = left.get(&index).map_or(&[][..], |left| &left.fresh);
            fresh.iter().filter(|kept| kept.slot == slot).cloned().collect()
        };
        let known = self.files.get(index).map_or(&[][..], |file| &file.kept);
        let known = known.iter().filter(|kept| kept.slot == slot);
        let kept = fresh.iter().chain(known).find(|kept| fits(&kept.question))?;
        Some((self.unpack(index, &kept.value)?, kept.question.clone()))
    }

    fn unpack<T: Pack>(&self, index: usize, value: &Value) -> Option<T> {
        let bytes = value.bytes(&self.fetch)?;
        if let Value::Row(row) = value {
            let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
            left.entry(index).or_default().rows.insert(*row);
        }
        unpacked(&bytes)
    }

    /// Keeps what a source gave.
    fn keep<T: Pack>(&self, index: usize, slot: Slot, question: Vec<u8>, value: &T) {
        let Some(kept) = Kept::of(slot, question, &packed(value)) else { return };
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let left = left.entry(index).or_default();
        left.fresh.push(kept);
        left.is_read |= matches!(slot, Slot::Log | Slot::Evidence);
    }

    /// What the source is as stored, where it was moved or packed since it was read.
    fn stored(&self, index: usize) -> Option<Stored> {
        self.files.get(index)?.stored.clone()
    }
}

/// Bytes in zstd, with a checksum.
pub fn compressed(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    const LEVEL: i32 = 3;
    let mut to = zstd::Encoder::new(Vec::new(), LEVEL)?;
    to.include_checksum(true)?;
    to.write_all(bytes)?;
    to.finish()
}
