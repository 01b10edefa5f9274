//! A source to one slice: for change evidence, whose formats refer back and forth. Mapped, or unpacked into memory.

use std::io::{self, Read};
use std::ops::Deref;

use super::{Body, Hash, Map, Opened, Stored};

/// How long a text may be that has to be held in memory: 2 GiB. A zip bomb ends here.
/// A plain file is mapped and may be longer.
pub const MAX_WHOLE: u64 = 2 << 30;

/// All of a text; derefs to its bytes.
#[derive(Debug)]
pub struct Whole(Bytes);

#[derive(Debug)]
enum Bytes {
    Mapped(Map),
    Owned(Vec<u8>, Stored),
}

impl Opened {
    /// The whole text. One that is damaged is given as far as it goes: see [`Stored::damage`].
    /// One that is longer than [`MAX_WHOLE`] unpacked is an error.
    pub fn whole(self) -> io::Result<Whole> {
        self.whole_within(MAX_WHOLE)
    }

    pub(super) fn whole_within(self, limit: u64) -> io::Result<Whole> {
        let mut stream = match self.body {
            Body::Mapped(map) => return Ok(Whole(Bytes::Mapped(map))),
            Body::Stream(stream) => stream,
        };
        let mut bytes = Vec::new();
        let read = stream.by_ref().take(limit.saturating_add(1)).read_to_end(&mut bytes);
        if bytes.len() as u64 > limit {
            let text = format!(
                "more than {limit} bytes when unpacked; unpack it to a file first, which may have any size"
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        let mut stored = stream.finish();
        if let Err(error) = read {
            // The stream's own error, or there was not enough memory.
            stored.damage.get_or_insert(error.to_string());
        }
        Ok(Whole(Bytes::Owned(bytes, stored)))
    }
}

impl Whole {
    /// What is known of the source as stored. To be asked after reading: a mapped file is hashed and checked now.
    /// (A stream was hashed while it was read, as [`super::open`] was asked to.)
    pub fn stored(&self, hash: Hash) -> Stored {
        match &self.0 {
            Bytes::Owned(_, stored) => stored.clone(),
            Bytes::Mapped(map) => {
                let sha256 = match hash {
                    Hash::Sha256 => map.sha256().ok(),
                    Hash::None => None,
                };
                Stored { bytes: map.stored().len() as u64, sha256, damage: map.damage() }
            }
        }
    }
}

impl Deref for Whole {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Mapped(map) => map,
            Bytes::Owned(bytes, _) => bytes,
        }
    }
}
