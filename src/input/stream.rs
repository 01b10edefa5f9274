//! Any reader to a [`Stream`] of text: hashed as it comes in, unpacked, decoded, its byte-order mark gone.
//!
//! What can be read is delivered before any error, and nothing after one. [`Stream::finish`] says at the end what was
//! wrong, and the SHA-256 of the source, which is of all its stored bytes even if unpacking stopped early.

use std::fmt;
use std::io::{self, BufReader, Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};

use encoding_rs::{CoderResult, Decoder};

use super::{Body, Encoding, HEAD, Hash, Hasher, Opened, Packing, Stored};

/// How many bytes are asked of a file at a time.
const BLOCK: usize = 256 << 10;
/// A text longer than this must not be more than [`MAX_RATIO`] times what it was unpacked from.
const RATIO_FROM: u64 = 1 << 30;
/// Deflate reaches 1032, and only for one byte again and again; logs reach 20 with gzip and 50 with zstd.
/// More is a bomb, or packed twice.
const MAX_RATIO: u64 = 1100;

/// A reader that counts and hashes what passes.
pub struct HashingReader<R> {
    inner: R,
    hasher: Option<Hasher>,
    n_bytes: u64,
}

impl<R: Read> HashingReader<R> {
    /// Over `inner`; with [`Hash::None`] it only counts.
    pub fn new(inner: R, hash: Hash) -> HashingReader<R> {
        let hasher = (hash == Hash::Sha256).then(Hasher::new);
        HashingReader { inner, hasher, n_bytes: 0 }
    }

    /// How many bytes passed.
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Their SHA-256, unless it was not asked for or was taken before.
    pub fn take_sha256(&mut self) -> Option<String> {
        self.hasher.take().map(Hasher::hex)
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(to)?;
        if let (Some(hasher), Some(passed)) = (&mut self.hasher, to.get(..n)) {
            hasher.update(passed);
        }
        self.n_bytes += n as u64;
        Ok(n)
    }
}

type Source = HashingReader<Box<dyn Read + Send>>;
type Intact = Box<dyn Fn() -> io::Result<()> + Send>;

/// The stored bytes of a source: read by the decoders, and drained to their end when these stop early.
pub(super) struct Raw {
    source: Arc<Mutex<Source>>,
    intact: Option<Intact>,
    /// The size in an archive, if it is smaller there.
    packed: Option<u64>,
}

impl Raw {
    pub(super) fn new(inner: Box<dyn Read + Send>, hash: Hash) -> Raw {
        let source = Arc::new(Mutex::new(HashingReader::new(inner, hash)));
        Raw { source, intact: None, packed: None }
    }

    /// With a question that is asked at the end: are the bytes still those of the source?
    pub(super) fn intact_if(self, intact: impl Fn() -> io::Result<()> + Send + 'static) -> Raw {
        Raw { intact: Some(Box::new(intact)), ..self }
    }

    pub(super) fn packed_in(self, n_bytes: u64) -> Raw {
        Raw { packed: Some(n_bytes), ..self }
    }

    fn reader(&self) -> Shared {
        Shared(Arc::clone(&self.source))
    }

    fn n_stored(&self) -> u64 {
        let read = lock(&self.source).n_bytes();
        self.packed.map_or(read, |packed| packed.min(read))
    }
}

struct Shared(Arc<Mutex<Source>>);

impl Read for Shared {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        lock(&self.0).read(to)
    }
}

/// A reader that panicked left a counter behind, nothing that could be half done.
fn lock(source: &Mutex<Source>) -> std::sync::MutexGuard<'_, Source> {
    source.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A text that is read once, from its beginning to its end.
pub struct Stream {
    text: Box<dyn Read + Send>,
    raw: Raw,
    packing: Packing,
    n_text: u64,
    ratio_from: u64,
    is_done: bool,
    damage: Option<String>,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({}, {} bytes read)", self.packing, self.n_text)
    }
}

/// Looks at the first bytes and puts the decoders together.
pub(super) fn open(raw: Raw, stored_bytes: u64) -> anyhow::Result<Opened> {
    let mut reader: Box<dyn Read + Send> = Box::new(raw.reader());
    let (first, error) = fill(&mut reader, 512);
    let packing = Packing::of(&first)?;
    let reader = again(first, error, reader);
    let mut reader: Box<dyn Read + Send> = match packing {
        Packing::Plain => reader,
        Packing::Gzip => {
            Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(BLOCK, reader)))
        }
        // Frames that need more than 128 MiB of memory are refused by zstd itself.
        Packing::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(
            BufReader::with_capacity(BLOCK, reader),
        )?),
    };
    let (mut head, error) = fill(&mut reader, HEAD);
    // Only one layer is taken off: a member that is packed again, but not a bomb of layers.
    if packing != Packing::Plain && Packing::of(&head)? != Packing::Plain {
        anyhow::bail!("packed twice; unpack it once first");
    }
    let (encoding, n_mark) = Encoding::of(&head);
    head.drain(..n_mark);
    let decoder = match encoding {
        Encoding::Utf16Le => Some(encoding_rs::UTF_16LE),
        Encoding::Utf16Be => Some(encoding_rs::UTF_16BE),
        Encoding::Utf8 | Encoding::Utf8Bom | Encoding::Bytes => None,
    };
    let (head, text) = match decoder {
        None => (head.clone(), again(head, error, reader)),
        Some(encoding) => {
            let mut text: Box<dyn Read + Send> = Box::new(Utf16 {
                bytes: BufReader::with_capacity(BLOCK, again(head, error, reader)),
                decoder: encoding.new_decoder_without_bom_handling(),
                text: Cursor::new(Vec::new()),
                is_done: false,
            });
            let (head, error) = fill(&mut text, HEAD);
            (head.clone(), again(head, error, text))
        }
    };
    let body = Body::Stream(Stream {
        text,
        raw,
        packing,
        n_text: 0,
        ratio_from: RATIO_FROM,
        is_done: false,
        damage: None,
    });
    Ok(Opened { stored_bytes, packing, encoding, head, body })
}

/// Reads until `limit`, the end or an error; what came before an error is kept.
fn fill(reader: &mut dyn Read, limit: usize) -> (Vec<u8>, Option<io::Error>) {
    let mut bytes = Vec::new();
    // read_to_end keeps what it has read when it fails, and tries again when it is interrupted.
    let error = reader.take(limit as u64).read_to_end(&mut bytes).err();
    (bytes, error)
}

/// A reader of which `first` was read before, and then perhaps an error.
fn again(
    first: Vec<u8>,
    error: Option<io::Error>,
    rest: Box<dyn Read + Send>,
) -> Box<dyn Read + Send> {
    match error {
        None => Box::new(Cursor::new(first).chain(rest)),
        Some(error) => Box::new(Cursor::new(first).chain(Failed(Some(error)))),
    }
}

/// A reader that has nothing to give but an error, once.
pub(super) struct Failed(pub(super) Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

impl Read for Stream {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.is_done || to.is_empty() {
            return Ok(0);
        }
        let result = loop {
            match self.text.read(to) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        let error = match result {
            Ok(0) => match self.intact() {
                Ok(()) => {
                    self.is_done = true;
                    return Ok(0);
                }
                Err(error) => error,
            },
            Ok(n) => {
                self.n_text += n as u64;
                if !self.is_bomb() {
                    return Ok(n);
                }
                let text = format!(
                    "unpacks to more than {MAX_RATIO} times its size; unpack it yourself if it is meant so"
                );
                io::Error::new(io::ErrorKind::InvalidData, text)
            }
            // A file that was cut explains why its packing is broken.
            Err(error) => self.intact().err().unwrap_or_else(|| self.explain(error)),
        };
        self.is_done = true;
        self.damage = Some(error.to_string());
        Err(error)
    }
}

impl Stream {
    /// Reads what is left of the source, so that its size and SHA-256 are those of all of it.
    /// The damage is the error that reading ended with, if it did.
    pub fn finish(mut self) -> Stored {
        let mut source = lock(&self.raw.source);
        let rest = io::copy(&mut *source, &mut io::sink());
        let bytes = source.n_bytes();
        let sha256 = source.take_sha256();
        drop(source);
        let rest = rest.map(|_| ()).and_then(|()| self.intact());
        let is_whole = rest.is_ok();
        if let (None, Err(error)) = (&self.damage, rest) {
            self.damage = Some(error.to_string());
        }
        Stored { bytes, sha256: sha256.filter(|_| is_whole), damage: self.damage }
    }

    /// Why there is not even a first byte of a text, if it is not that of an empty file.
    pub fn damage_of_nothing(mut self) -> Option<String> {
        let read = io::copy(&mut self, &mut io::sink());
        self.finish().damage.or_else(|| read.err().map(|error| error.to_string()))
    }

    fn intact(&self) -> io::Result<()> {
        self.raw.intact.as_ref().map_or(Ok(()), |intact| intact())
    }

    fn is_bomb(&self) -> bool {
        self.n_text > self.ratio_from && self.n_text / MAX_RATIO > self.raw.n_stored()
    }

    /// Other limits, for tests: nobody wants to unpack a gigabyte there.
    #[cfg(test)]
    pub(super) fn with_ratio_from(self, ratio_from: u64) -> Stream {
        Stream { ratio_from, ..self }
    }

    fn explain(&self, error: io::Error) -> io::Error {
        let (packing, at, kind) = (self.packing, self.n_text, error.kind());
        let cure = "what stands before was read; ask for the file again";
        let text = match (packing, kind) {
            (Packing::Plain, _) => return error,
            (_, io::ErrorKind::UnexpectedEof) => {
                format!("the {packing} data is cut short after {at} unpacked bytes; {cure}")
            }
            _ => format!(
                "the {packing} data is damaged, or followed by something else, after {at} unpacked bytes ({error}); {cure}"
            ),
        };
        io::Error::new(kind, text)
    }
}

/// UTF-16 to UTF-8. A half surrogate, and a last odd byte, become U+FFFD: they were no letters.
struct Utf16 {
    bytes: BufReader<Box<dyn Read + Send>>,
    decoder: Decoder,
    text: Cursor<Vec<u8>>,
    is_done: bool,
}

impl Read for Utf16 {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.text.read(to)?;
            if n > 0 || to.is_empty() || self.is_done {
                return Ok(n);
            }
            let bytes = io::BufRead::fill_buf(&mut self.bytes)?;
            let is_last = bytes.is_empty();
            let mut text = std::mem::take(&mut self.text).into_inner();
            // Room for all of the block. (None is an overflow, which a block of this size is far from.)
            text.resize(self.decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(BLOCK * 2), 0);
            let (result, n_read, n_written, _) =
                self.decoder.decode_to_utf8(bytes, &mut text, is_last);
            text.truncate(n_written);
            self.text = Cursor::new(text);
            self.is_done = is_last && result == CoderResult::InputEmpty;
            io::BufRead::consume(&mut self.bytes, n_read);
        }
    }
}
