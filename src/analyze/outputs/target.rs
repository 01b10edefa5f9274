//! A path that was named into a file that is open, and takes the place of what stands there when it is whole; taken away
//! again where it was new and nothing came.

use crate::beside::{RUN, folder, temporary};
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Where one output goes.
pub struct Target<'a> {
    /// As the user named it.
    pub path: &'a Path,
    /// None for stdout.
    pub file: Option<Opened>,
}

/// An output file that is open and not yet written.
pub struct Opened {
    file: Option<File>,
    canonical: PathBuf,
    pub identity: same_file::Handle,
    is_new: bool,
}

/// An output that is being written.
pub struct Begun {
    opened: Opened,
    /// What is written, where that is not the file itself.
    beside: Option<NamedTempFile>,
}

impl Opened {
    /// Opens it, and writes nothing yet.
    pub fn new(path: &Path) -> io::Result<Opened> {
        let is_new = !path.exists();
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        // A pipe has no other name.
        let canonical = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let identity = same_file::Handle::from_path(path)?;
        Ok(Opened { file: Some(file), canonical, identity, is_new })
    }

    /// A file to write to: one beside it, so that what an earlier run wrote stays until this one is whole; or itself, where
    /// it is a device or a pipe, or where another file would not be the same to others.
    pub fn begin(self) -> io::Result<(File, Begun)> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok((file.try_clone()?, Begun { opened: self, beside: None }));
        }
        let beside = temporary(folder(&self.canonical), RUN).ok().and_then(|beside| {
            let is_alike = self.is_new || is_alike(&metadata, beside.as_file()).ok()?;
            is_alike.then_some(beside)
        });
        let to = match &beside {
            Some(beside) => beside.as_file().try_clone()?,
            None => {
                file.set_len(0)?;
                file.try_clone()?
            }
        };
        Ok((to, Begun { opened: self, beside }))
    }
}

impl Begun {
    /// Puts it in its place.
    pub fn put(self) -> io::Result<()> {
        let Begun { mut opened, beside } = self;
        opened.file = None;
        let (place, is_new) = (opened.canonical.clone(), opened.is_new);
        // Windows replaces no file that is open.
        drop(opened);
        let Some(beside) = beside else { return Ok(()) };
        // What something is mounted on, or somebody holds open, cannot be replaced, but perhaps written to.
        let put = beside.persist(&place).map(|_| ()).or_else(|error| {
            let mut whole = error.file.reopen()?;
            let mut to = OpenOptions::new().write(true).truncate(true).open(&place)?;
            io::copy(&mut whole, &mut to).map(|_| ())
        });
        if put.is_err() && is_new {
            let _ = std::fs::remove_file(&place);
        }
        put
    }
}

impl Drop for Opened {
    /// A run that failed leaves no empty file behind.
    fn drop(&mut self) {
        if self.is_new && self.file.take().is_some() {
            // It cannot be told to anybody any more, and an empty file does no harm.
            let _ = std::fs::remove_file(&self.canonical);
        }
    }
}

/// Whether another file may take the place of one: it has the same owner, and gets the same rights; and no other name
/// leads to the old one.
#[cfg(unix)]
fn is_alike(old: &Metadata, new: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    new.set_permissions(old.permissions())?;
    let is_owned = |new: &Metadata| (old.uid(), old.gid()) == (new.uid(), new.gid());
    Ok(old.nlink() == 1 && is_owned(&new.metadata()?))
}

/// On Windows a file has the rights of its folder.
#[cfg(not(unix))]
fn is_alike(old: &Metadata, _: &File) -> io::Result<bool> {
    Ok(!old.permissions().readonly())
}

/// Why a file cannot be opened for writing: in words of our own where there is a cure.
pub fn not_writable(error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::NotFound => anyhow::anyhow!("no such folder; make it first"),
        _ => error.into(),
    }
}
