//! A source to its bytes: mapped where that is sound, else a stream that is unpacked and decoded while it is read.
//!
//! What a source is packed with (gzip, zstd) and how its text is encoded (UTF-8, UTF-16, bytes of an ANSI code page)
//! is told from its first bytes, never from its name. A plain file is mapped, so that a log of any size is read in
//! parallel and in place. All else is a stream of owned bytes: packed and UTF-16 files, pipes, members of an archive,
//! and files that are empty, special or cannot be mapped. Places count the bytes of the text, after all that.
//!
//! Errors say what is wrong and what to do, but not where: the caller knows the source and puts its path in front.

mod archive;
mod guard;
mod stream;
mod whole;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use sha2::Digest;

use crate::source::{Origin, Source, What, not_a_file};

pub use archive::{Member, expand, is_own_workbook};
pub use guard::Map;
pub use stream::Stream;
use whole::MAX_WHOLE;

/// How much of a text is looked at to tell what it is.
pub const HEAD: usize = 64 << 10;

/// A source that was opened.
#[derive(Debug)]
pub struct Opened {
    /// Its size as stored: of a packed file packed, of a member of an archive unpacked. 0 for a pipe: not known yet.
    pub stored_bytes: u64,
    /// What it is packed with.
    pub packing: Packing,
    /// How its text is encoded.
    pub encoding: Encoding,
    /// How the text begins: at most [`HEAD`] bytes, hardly fewer unless it is shorter.
    pub head: Vec<u8>,
    /// The whole text, with the head again.
    pub body: Body,
}

/// The text of a source: unpacked, without byte-order mark, UTF-16 as UTF-8, everything else as it is.
#[derive(Debug)]
pub enum Body {
    /// A plain file.
    Mapped(Map),
    /// Anything else.
    Stream(Stream),
}

/// What is known of a source as stored, once it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its size; see [`Opened::stored_bytes`].
    pub bytes: u64,
    /// Of the same bytes; of a member of an archive, of the member. None when not asked for, or not all could be read.
    pub sha256: Option<String>,
    /// Why the text ends early, or cannot be trusted.
    pub damage: Option<String>,
}

/// Whether the SHA-256 of sources is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hash {
    /// `--hash sha256`
    #[default]
    Sha256,
    /// `--hash none`
    None,
}

/// What a source is packed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Packing {
    /// Nothing.
    Plain,
    /// gzip, of one member or several.
    Gzip,
    /// Zstandard, of one frame or several.
    Zstd,
}

/// How a text is encoded, by its first [`HEAD`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encoding {
    /// UTF-8, or ASCII.
    Utf8,
    /// UTF-8 behind a byte-order mark.
    Utf8Bom,
    /// UTF-16, low byte first: what Windows PowerShell 5.1 writes with `>`.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// Not UTF-8, so an ANSI code page that nobody can name, or no text at all: kept byte by byte (DOMAIN.md 1.3).
    Bytes,
}

/// Opens a source, for reading only.
///
/// The error does not hold the path. Open late and drop early: a source that is open keeps a file open.
pub fn open(source: &Source, hash: Hash) -> anyhow::Result<Opened> {
    match &source.origin {
        Origin::Stdin => bail!("can be read only once"),
        Origin::Member(member) => {
            let size = member.size();
            stream::open(member.raw(hash), size)
        }
        Origin::File => open_file(&source.fs_path, hash),
    }
}

/// Reads the standard input or a named pipe to its end, into a file without a name that is gone with its last handle:
/// unlike the pipe it can be mapped, and read twice.
pub fn keep(source: &Source) -> anyhow::Result<File> {
    let mut kept =
        tempfile::tempfile().context("cannot be kept in the folder for temporary files")?;
    let copied = match &source.origin {
        Origin::Stdin => io::copy(&mut io::stdin().lock(), &mut kept),
        _ => io::copy(&mut File::open(&source.fs_path).map_err(refused)?, &mut kept),
    };
    copied.context(
        "cannot be read, or not be kept in the folder for temporary files; write it to a file first",
    )?;
    Ok(kept)
}

/// Opens what [`keep`] kept.
pub fn open_kept(kept: &File, hash: Hash) -> anyhow::Result<Opened> {
    let mut file = kept.try_clone()?;
    file.seek(SeekFrom::Start(0))?;
    let len = file.metadata()?.len();
    open_regular(Path::new(""), file, len, hash)
}

fn open_file(path: &Path, hash: Hash) -> anyhow::Result<Opened> {
    let metadata = fs::metadata(path).map_err(refused)?;
    // Asked before opening: to open a device can rewind a tape.
    match not_a_file(&metadata) {
        None | Some("a pipe") => {}
        Some(kind) => bail!("{}", What::NotAFile(kind)),
    }
    // On Windows, std opens files so that others may go on writing to them, rename and delete them.
    let file = File::open(path).map_err(refused)?;
    let len = if metadata.is_file() { file.metadata().map_err(refused)?.len() } else { 0 };
    open_regular(path, file, len, hash)
}

fn open_regular(path: &Path, mut file: File, len: u64, hash: Hash) -> anyhow::Result<Opened> {
    // Files in /proc say 0 and hold more.
    if len > 0 {
        let mut head = Vec::new();
        (&file).take(HEAD as u64).read_to_end(&mut head).map_err(refused)?;
        if let Some(mapped) = map(path, &file, len, head)? {
            return Ok(mapped);
        }
        file.seek(SeekFrom::Start(0)).context("cannot be read from its beginning")?;
    }
    let file = Arc::new(file);
    let mut raw = stream::Raw::new(Box::new(Arc::clone(&file)), hash);
    if len > 0 {
        raw = raw.intact_if(move || match file.metadata()?.len() {
            is if is < len => Err(guard::shrank(len, is)),
            _ => Ok(()),
        });
    }
    stream::open(raw, len)
}

/// A file with these first bytes, mapped. None: it must be read.
fn map(path: &Path, file: &File, len: u64, mut head: Vec<u8>) -> anyhow::Result<Option<Opened>> {
    if Packing::of(&head)? != Packing::Plain {
        return Ok(None);
    }
    let (encoding, n_mark) = Encoding::of(&head);
    if matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be) {
        return Ok(None);
    }
    let Ok(map) = map_file(path, file, n_mark) else {
        return Ok(None);
    };
    head.drain(..n_mark);
    let body = Body::Mapped(map);
    Ok(Some(Opened { stored_bytes: len, packing: Packing::Plain, encoding, head, body }))
}

/// [`Map::new`] where that is sound; an error is no verdict on the file.
fn map_file(path: &Path, file: &File, text_at: usize) -> io::Result<Map> {
    if is_on_a_share(path) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    Map::new(file.try_clone()?, text_at)
}

/// Whether a lost connection could end the process (see `guard`).
fn is_on_a_share(path: &Path) -> bool {
    cfg!(windows)
        && fs::canonicalize(path)
            .is_ok_and(|path| path.to_string_lossy().to_ascii_uppercase().starts_with(r"\\?\UNC\"))
}

/// The words of [`What`] for a refusal of the system.
pub fn refused(error: io::Error) -> anyhow::Error {
    anyhow::anyhow!("{}", What::from(&error))
}

impl Packing {
    /// By the first bytes; the error names a packing that is not read here.
    fn of(bytes: &[u8]) -> anyhow::Result<Packing> {
        let unreadable = match bytes {
            [0x1f, 0x8b, 0x08, ..] => return Ok(Packing::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => return Ok(Packing::Zstd),
            // A frame to be skipped, which parallel packers put first.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => return Ok(Packing::Zstd),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => {
                "a zip archive inside another file or from a pipe"
            }
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "packed with xz",
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => {
                "packed with bzip2"
            }
            [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => "a 7z archive",
            [b'R', b'a', b'r', b'!', 0x1a, 0x07, ..] => "a rar archive",
            [b'M', b'S', b'C', b'F', 0, 0, 0, 0, ..] => "a cab archive",
            _ if bytes.get(257..262) == Some(b"ustar") => "a tar archive",
            _ => return Ok(Packing::Plain),
        };
        bail!("{unreadable}, which is not read here; unpack it first")
    }

    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Packing::Plain => "plain",
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        }
    }
}

impl Encoding {
    /// By the first bytes, and how many of them are the byte-order mark.
    fn of(bytes: &[u8]) -> (Encoding, usize) {
        match bytes {
            [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8Bom, 3),
            [0xff, 0xfe, ..] => (Encoding::Utf16Le, 2),
            [0xfe, 0xff, ..] => (Encoding::Utf16Be, 2),
            _ if looks_like_utf16le(bytes) => (Encoding::Utf16Le, 0),
            _ => match std::str::from_utf8(bytes) {
                Ok(_) => (Encoding::Utf8, 0),
                // The head may end within a letter.
                Err(error) if error.error_len().is_none() => (Encoding::Utf8, 0),
                Err(_) => (Encoding::Bytes, 0),
            },
        }
    }

    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Utf8Bom => "utf-8-bom",
            Encoding::Utf16Le => "utf-16le",
            Encoding::Utf16Be => "utf-16be",
            Encoding::Bytes => "bytes",
        }
    }
}

/// UTF-16 without a byte-order mark, as a tool writes that appends to what was empty.
///
/// The first eight letters must all be ASCII with a zero after each, and nine in ten of the first 4 KiB, with no
/// letter U+0000 among them. A log with a run of NULs, which a crash leaves (DOMAIN.md 1.3), has no such alternation,
/// and neither has the header of an event log.
fn looks_like_utf16le(bytes: &[u8]) -> bool {
    let letters = bytes.get(..4096).unwrap_or(bytes).chunks_exact(2);
    let is_ascii = |pair: &[u8]| matches!(pair, [b'\t' | b'\n' | b'\r' | b' '..=b'~', 0]);
    let n_letters = letters.len();
    let n_ascii = letters.clone().filter(|pair| is_ascii(pair)).count();
    n_letters >= 2
        && letters.clone().take(8).all(is_ascii)
        && !letters.clone().any(|pair| pair == [0, 0])
        && n_ascii * 10 >= n_letters * 9
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// SHA-256 while the bytes come. The processor's own instructions are used where it has them.
struct Hasher(sha2::Sha256);

impl Hasher {
    fn new() -> Hasher {
        Hasher(sha2::Sha256::new())
    }

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn hex(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// How many bytes the text of a source has, unpacked, where that is told without reading it.
pub fn text_bytes(source: &Source, opened: &Opened) -> Option<u64> {
    let is_file = matches!(source.origin, Origin::File);
    match (opened.packing, opened.encoding) {
        (_, Encoding::Utf16Le | Encoding::Utf16Be) => None,
        _ if !is_file => None,
        (Packing::Plain, Encoding::Utf8Bom) => opened.stored_bytes.checked_sub(3),
        (Packing::Plain, _) => Some(opened.stored_bytes),
        (_, Encoding::Utf8Bom) => None,
        (Packing::Gzip, _) => {
            let mut file = File::open(&source.fs_path).ok()?;
            file.seek(SeekFrom::End(-4)).ok()?;
            let mut last = [0; 4];
            file.read_exact(&mut last).ok()?;
            Some(u32::from_le_bytes(last).into())
        }
        (Packing::Zstd, _) => {
            let mut first = Vec::new();
            File::open(&source.fs_path).ok()?.take(64).read_to_end(&mut first).ok()?;
            zstd::zstd_safe::get_frame_content_size(&first).ok()?
        }
    }
}

/// What a file is as stored: its size and its SHA-256, without looking what it holds.
pub fn stored(path: &Path, hash: Hash) -> io::Result<Stored> {
    let mut file = stream::HashingReader::new(File::open(path)?, hash);
    io::copy(&mut file, &mut io::sink())?;
    let (bytes, sha256) = (file.n_bytes(), file.take_sha256());
    Ok(Stored { bytes, sha256, damage: None })
}

/// The SHA-256 of the first bytes of a file and so many NULs behind them; `None` where the file is shorter.
pub fn sha256_of_first(path: &Path, bytes: u64, nuls: u64) -> io::Result<Option<String>> {
    let mut text = File::open(path)?.take(bytes).chain(io::repeat(0).take(nuls));
    let (mut hasher, mut read) = (Hasher::new(), 0);
    let mut block = vec![0; 1 << 20];
    loop {
        match text.read(&mut block)? {
            0 => break,
            n => {
                hasher.update(&block[..n]);
                read += n as u64;
            }
        }
    }
    Ok((read == bytes + nuls).then(|| hasher.hex()))
}

/// How many NULs stand at the end of a file, as far as one looks.
pub fn zeros_at_end(path: &Path) -> io::Result<u64> {
    const LOOKED_AT: u64 = 1 << 20;
    let mut file = File::open(path)?;
    let (bytes, mut block, mut zeros) = (file.metadata()?.len(), 512, 0);
    // Mostly there are none: what is looked at grows with what is found.
    while zeros < bytes && zeros < LOOKED_AT {
        let end = bytes - zeros;
        let from = end.saturating_sub(block);
        file.seek(SeekFrom::Start(from))?;
        let mut tail = vec![0; (end - from) as usize];
        file.read_exact(&mut tail)?;
        let own = tail.iter().rev().take_while(|byte| **byte == 0).count();
        zeros += own as u64;
        if own < tail.len() {
            break;
        }
        block = LOOKED_AT / 16;
    }
    Ok(zeros)
}

/// The SHA-256 of bytes, in lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    hasher.hex()
}
