//! Files that are written beside their places, and put there when they are whole.

use std::io;
use std::path::Path;
use tempfile::NamedTempFile;

/// How files are named that are not yet whole: of any run, and of one night, beside which there is no other.
const PREFIX: &str = ".stillin-";
pub const RUN: &str = ".stillin-run-";
pub const NIGHT: &str = ".stillin-night-";
const SUFFIX: &str = ".tmp";

/// An empty file in a folder. Others may read a report as they may read any other new file.
#[cfg(unix)]
pub fn temporary(folder: &Path, of: &str) -> io::Result<NamedTempFile> {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    let permissions = fs::Permissions::from_mode(0o666);
    builder(of).permissions(permissions).tempfile_in(folder)
}

/// An empty file in a folder, with the rights of that.
#[cfg(not(unix))]
pub fn temporary(folder: &Path, of: &str) -> io::Result<NamedTempFile> {
    builder(of).tempfile_in(folder)
}

fn builder(of: &str) -> tempfile::Builder<'_, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(of).suffix(SUFFIX);
    builder
}

/// Whether a file is named like one that was not yet whole when a run was killed.
pub fn is_left_over(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// The folder of a path.
pub fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}
