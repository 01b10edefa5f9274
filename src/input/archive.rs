//! Zip archives to their members: each file in one becomes a source of its own, `archive.zip!folder/file`, and what
//! cannot be read in it a problem.
//!
//! The list of members is read by the `zip` crate; a member is unpacked here, over a slice of the mapped archive, so
//! that any number of them can be read at once. The SHA-256 of a member is that of its unpacked bytes, which is what
//! an examiner who unpacks the archive can check.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::ops::Deref;
use std::sync::Arc;

use zip::{CompressionMethod, ZipArchive};

use super::stream::Raw;
use super::{Hash, MAX_WHOLE, Map, map_file};
use crate::source::{Origin, Problem, Source, What, sort};

/// A file in a zip archive.
#[derive(Clone)]
pub struct Member {
    archive: Arc<Archive>,
    start: usize,
    end: usize,
    method: Method,
    size: u64,
    crc32: u32,
}

/// How members are packed that are read here; others are problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Stored,
    Deflate,
    Zstd,
}

/// The bytes of a zip archive.
#[derive(Debug)]
enum Archive {
    Mapped(Map),
    Owned(Vec<u8>),
}

/// The sources with each zip archive replaced by its members, in order again, and what is wrong with the archives.
///
/// Told by content: an archive of any name is opened. A source that cannot be looked at stays as it is, [`super::open`]
/// will say why. An archive stays mapped as long as one of its members is kept.
pub fn expand(sources: Vec<Source>) -> (Vec<Source>, Vec<Problem>) {
    let mut expanded = Vec::new();
    let mut problems = Vec::new();
    for source in sources {
        if !is_zip(&source) || is_own_workbook(&source) {
            expanded.push(source);
            continue;
        }
        match Archive::read(&source) {
            Ok(archive) => members(&source, &Arc::new(archive), &mut expanded, &mut problems),
            Err(error) => problems.push(Problem::new(source.path, What::from(&error))),
        }
    }
    sort(&mut expanded);
    problems.sort();
    (expanded, problems)
}

/// Whether a source begins as a zip archive does. Takes nothing away from standard input.
fn is_zip(source: &Source) -> bool {
    let is_magic = |bytes: &[u8]| matches!(bytes, [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..]);
    match source.origin {
        Origin::Member(_) => false,
        Origin::Stdin => io::BufRead::fill_buf(&mut io::stdin().lock()).is_ok_and(is_magic),
        // Looking into a pipe would take from it.
        Origin::File => {
            let mut first = Vec::new();
            fs::metadata(&source.fs_path).is_ok_and(|metadata| metadata.is_file())
                && File::open(&source.fs_path)
                    .and_then(|file| file.take(4).read_to_end(&mut first))
                    .is_ok()
                && is_magic(&first)
        }
    }
}

/// Whether a source is a workbook that this program wrote: it says so, and has nothing but the parts of a workbook.
pub fn is_own_workbook(source: &Source) -> bool {
    let is_part = |name: &str| {
        name == "[Content_Types].xml"
            || ["_rels/", "docProps/", "xl/"].iter().any(|folder| name.starts_with(folder))
    };
    let of_file = || {
        let mut zip = ZipArchive::new(File::open(&source.fs_path).ok()?).ok()?;
        if !zip.file_names().all(|name| name.is_ok_and(|name| is_part(&name))) {
            return None;
        }
        let mut said = String::new();
        let properties = zip.by_name("docProps/core.xml").ok()?;
        properties.take(4096).read_to_string(&mut said).ok()?;
        Some(said.contains("<dc:subject>stillin/report/"))
    };
    matches!(source.origin, Origin::File) && is_zip(source) && of_file().unwrap_or(false)
}

impl Archive {
    fn read(source: &Source) -> io::Result<Archive> {
        let file = match source.origin {
            Origin::Stdin | Origin::Member(_) => return Archive::hold(io::stdin()),
            Origin::File => File::open(&source.fs_path)?,
        };
        match map_file(&source.fs_path, &file, 0) {
            Ok(map) => Ok(Archive::Mapped(map)),
            Err(_) => Archive::hold(file),
        }
    }

    /// The list of members is at the end, so what cannot be mapped must be held.
    fn hold(reader: impl Read) -> io::Result<Archive> {
        let mut bytes = Vec::new();
        reader.take(MAX_WHOLE + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_WHOLE {
            return Err(io::Error::other("a zip archive of more than 2 GiB that cannot be mapped"));
        }
        Ok(Archive::Owned(bytes))
    }

    fn check(&self) -> io::Result<()> {
        match self {
            Archive::Mapped(map) => map.check(),
            Archive::Owned(_) => Ok(()),
        }
    }
}

impl Deref for Archive {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Archive::Mapped(map) => map,
            Archive::Owned(bytes) => bytes,
        }
    }
}

fn members(
    source: &Source,
    archive: &Arc<Archive>,
    sources: &mut Vec<Source>,
    problems: &mut Vec<Problem>,
) {
    let bytes: &[u8] = archive;
    let mut zip = match ZipArchive::new(Cursor::new(bytes)) {
        Ok(zip) => zip,
        Err(error) => {
            let what = match archive.check() {
                Ok(()) => What::BadZip(error.to_string()),
                Err(error) => What::from(&error),
            };
            return problems.push(Problem::new(&source.path, what));
        }
    };
    if zip.has_duplicate_names() {
        problems.push(Problem::new(&source.path, What::DuplicateMembers));
    }
    let mut n_files = 0usize;
    for index in 0..zip.len() {
        let (name, member) = member(&mut zip, index, archive);
        let path = format!("{}!{}", source.path, name.replace('\\', "/"));
        match member {
            Ok(None) => continue,
            Ok(Some(member)) => {
                let (fs_path, origin) = (source.fs_path.clone(), Origin::Member(member));
                sources.push(Source { path, fs_path, origin });
            }
            Err(what) => problems.push(Problem::new(path, what)),
        }
        n_files += 1;
    }
    if n_files == 0 {
        problems.push(Problem::new(&source.path, What::EmptyZip));
    }
}

/// The name of a member, and where it lies; None for a folder.
fn member(
    zip: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    archive: &Arc<Archive>,
) -> (String, Result<Option<Member>, What>) {
    let nameless = || format!("#{}", index + 1);
    // The entry that is asked without looking at the member itself: a name for what is damaged.
    let (name, is_encrypted) = match zip.by_index_data(index) {
        Ok(entry) => {
            let name = entry.name().map_or_else(
                |_| String::from_utf8_lossy(entry.name_raw()).into_owned(),
                |name| name.into_owned(),
            );
            (name, entry.encrypted())
        }
        Err(error) => return (nameless(), Err(What::BadMember(error.to_string()))),
    };
    if is_encrypted {
        return (name, Err(What::Encrypted));
    }
    let file = match zip.by_index_raw(index) {
        Ok(file) => file,
        Err(error) => return (name, Err(What::BadMember(error.to_string()))),
    };
    if file.is_dir() {
        return (name, Ok(None));
    }
    if file.is_symlink() {
        return (name, Err(What::NotAFile("a symbolic link")));
    }
    let method = match file.compression() {
        CompressionMethod::STORE => Method::Stored,
        CompressionMethod::DEFLATE => Method::Deflate,
        CompressionMethod::ZSTD => Method::Zstd,
        // What Windows makes of files above 2 GiB.
        CompressionMethod::DEFLATE64 => return (name, Err(What::Method("Deflate64".to_string()))),
        other => return (name, Err(What::Method(other.to_string()))),
    };
    let place = file.data_start().and_then(|start| {
        let end = start.checked_add(file.compressed_size())?;
        let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
        archive.get(start..end).map(|_| (start, end))
    });
    let Some((start, end)) = place else {
        return (name, Err(What::BadMember("it ends beyond the end of the archive".to_string())));
    };
    let (size, crc32) = (file.size(), file.crc32());
    (name, Ok(Some(Member { archive: Arc::clone(archive), start, end, method, size, crc32 })))
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({}..{}, {:?})", self.start, self.end, self.method)
    }
}

impl Member {
    /// Its size unpacked, as the archive says.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn raw(&self, hash: Hash) -> Raw {
        let slice = Slice { archive: Arc::clone(&self.archive), start: self.start, end: self.end };
        let unpacked: Box<dyn Read + Send> = match self.method {
            Method::Stored => Box::new(slice),
            Method::Deflate => Box::new(flate2::read::DeflateDecoder::new(slice)),
            Method::Zstd => match zstd::stream::read::Decoder::new(slice) {
                Ok(decoder) => Box::new(decoder),
                Err(error) => Box::new(super::stream::Failed(Some(error))),
            },
        };
        let checked = Checked {
            unpacked,
            crc: flate2::Crc::new(),
            n_bytes: 0,
            size: self.size,
            crc32: self.crc32,
        };
        let archive = Arc::clone(&self.archive);
        Raw::new(Box::new(checked), hash)
            .intact_if(move || archive.check())
            .packed_in((self.end - self.start) as u64)
    }
}

/// The packed bytes of a member.
struct Slice {
    archive: Arc<Archive>,
    start: usize,
    end: usize,
}

impl Read for Slice {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let mut left = self.archive.get(self.start..self.end).unwrap_or_default();
        let n = left.read(to)?;
        self.start += n;
        Ok(n)
    }
}

/// The unpacked bytes of a member, held against the size and the checksum in the archive's list.
struct Checked {
    unpacked: Box<dyn Read + Send>,
    crc: flate2::Crc,
    n_bytes: u64,
    size: u64,
    crc32: u32,
}

impl Read for Checked {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let wrong = |what: &str| {
            let text = format!(
                "{what}; what stands before byte {} was read, ask for the archive again",
                self.n_bytes
            );
            Err(io::Error::new(io::ErrorKind::InvalidData, text))
        };
        let n = match self.unpacked.read(to) {
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return wrong(&format!("damaged in the archive ({error})")),
        };
        if n == 0 && !to.is_empty() {
            if self.n_bytes < self.size {
                return wrong("cut short in the archive");
            }
            if self.crc.sum() != self.crc32 {
                return wrong("its checksum is not the one in the archive");
            }
        }
        // Also the end of a bomb that lies about its size.
        if self.n_bytes + n as u64 > self.size {
            return wrong("longer than the archive says");
        }
        self.crc.update(to.get(..n).unwrap_or_default());
        self.n_bytes += n as u64;
        Ok(n)
    }
}
