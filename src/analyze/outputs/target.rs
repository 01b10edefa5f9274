//! A path that was named into a file that is open, emptied only when there is something to write, and taken away again
//! where it was new and nothing came.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

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

impl Opened {
    /// Opens it, and writes nothing yet.
    pub fn new(path: &Path) -> io::Result<Opened> {
        let is_new = !path.exists();
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        let canonical = std::fs::canonicalize(path)?;
        let identity = same_file::Handle::from_path(path)?;
        Ok(Opened { file: Some(file), canonical, identity, is_new })
    }

    /// The file, emptied of what an earlier run wrote. A device or a pipe has nothing to be emptied of.
    pub fn emptied(mut self) -> io::Result<File> {
        let file = self.file.take().ok_or(io::ErrorKind::NotFound)?;
        if file.metadata()?.is_file() {
            file.set_len(0)?;
        }
        Ok(file)
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

/// Why a file cannot be opened for writing: in words of our own where there is a cure.
pub fn not_writable(error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::NotFound => anyhow::anyhow!("no such folder; make it first"),
        _ => error.into(),
    }
}
