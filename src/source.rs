//! Arguments to sources: files, folders, globs and `-` become a sorted list of [`Source`], each file once,
//! and every argument that gives nothing becomes a [`Problem`] that says what to do.

pub mod local;
mod server;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf, absolute};

use crate::input::Member;

pub use server::{is_in_site_folder, server_of};

/// One thing to read.
#[derive(Debug, Clone)]
pub struct Source {
    /// As the user named it: a folder joined with the path below it, always with `/`;
    /// a member of an archive is `archive.zip!path/in/it`. Not exact for names that are not UTF-8.
    pub path: String,
    /// The path to open; for a member, the path of its archive.
    pub fs_path: PathBuf,
    /// Where the bytes come from.
    pub origin: Origin,
}

/// Where the bytes of a source come from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A file, or a named pipe that the user named.
    File,
    /// `-`
    Stdin,
    /// One file inside a zip archive.
    Member(Member),
}

/// Something the user named that cannot be read, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// As in [`Source::path`].
    pub path: String,
    /// What is wrong with it.
    pub what: What,
}

/// What is wrong with a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// There is no such file or folder.
    Missing,
    /// The system refuses.
    NoPermission,
    /// A folder without a file in it or below it.
    EmptyFolder,
    /// A glob that matches nothing.
    NoMatch,
    /// Neither a path nor a valid glob.
    BadGlob(String),
    /// A device, a socket, a pipe in a folder.
    NotAFile(&'static str),
    /// Any other refusal of the system, in its words.
    Unreadable(String),
    /// The list of members of a zip archive cannot be read.
    BadZip(String),
    /// A zip archive without a file in it.
    EmptyZip,
    /// A zip archive names a member twice, and only one of them can be reached.
    DuplicateMembers,
    /// A member of a zip archive that wants a password.
    Encrypted,
    /// A member of a zip archive packed in a way that is not read here.
    Method(String),
    /// A member of a zip archive whose place in it cannot be right.
    BadMember(String),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Missing => f.write_str("no such file or folder; check the spelling"),
            What::NoPermission => f.write_str(
                "no permission to read it; run as a user who may, or give a copy that you own",
            ),
            What::EmptyFolder => f.write_str("the folder holds no files; name the one that does"),
            What::NoMatch => f.write_str("the pattern matches nothing; check it, or name a folder"),
            What::BadGlob(why) => {
                write!(f, "neither a path nor a pattern: {why}; name the folder instead")
            }
            What::NotAFile(kind) => write!(f, "{kind}, not a file; name a file, a folder or -"),
            What::Unreadable(why) => write!(f, "cannot be read: {why}; give a copy of it"),
            What::BadZip(why) => {
                write!(f, "not a sound zip archive: {why}; unpack it with a tool that repairs")
            }
            What::EmptyZip => f.write_str("the zip archive holds no files; make it again"),
            What::DuplicateMembers => f.write_str(
                "the zip archive has several members of one name and only the last of each is read; \
                 unpack it first",
            ),
            What::Encrypted => f.write_str("encrypted; unpack the archive with its password first"),
            What::Method(method) => {
                write!(f, "packed with {method}, which is not read here; unpack the archive first")
            }
            What::BadMember(why) => {
                write!(f, "damaged in the archive: {why}; ask for the archive again")
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

impl Problem {
    /// A problem of `path`.
    pub fn new(path: impl Into<String>, what: What) -> Problem {
        Problem { path: path.into(), what }
    }
}

impl From<&io::Error> for What {
    fn from(error: &io::Error) -> What {
        match error.kind() {
            // On Windows, a path below a file is missing, and a name that no file can have is invalid.
            io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::InvalidFilename => What::Missing,
            io::ErrorKind::PermissionDenied => What::NoPermission,
            _ => What::Unreadable(error.to_string()),
        }
    }
}

/// Every file that the arguments name, once, sorted by [`Source::path`], and what is wrong with the rest.
///
/// Neither list depends on the order of the arguments. Zip archives are still one source each here:
/// see [`crate::input::expand`].
pub fn sources(args: &[PathBuf]) -> (Vec<Source>, Vec<Problem>) {
    let mut found = Found::default();
    for arg in args {
        if arg.as_os_str() == "-" {
            found.stdin = true;
            continue;
        }
        let arg = &rooted(arg);
        match fs::metadata(arg) {
            Ok(metadata) => named(arg, &metadata, &mut found),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                found.problem(display(arg), arg, What::NoPermission);
            }
            // A name such as `u_ex[1].log` that exists was taken above: its literal meaning wins.
            Err(error) => match arg.to_str().filter(|text| text.contains(['*', '?', '['])) {
                Some(pattern) => expand_glob(pattern, &mut found),
                None => found.problem(display(arg), arg, What::from(&error)),
            },
        }
    }
    found.into_lists()
}

/// A path of Windows that begins with a drive and no `\`, from its root on: `D:` is the current folder of that drive,
/// but `D:/a`, which is how the report would name what lies there, is below the root.
fn rooted(path: &Path) -> PathBuf {
    let has_drive = matches!(path.components().next(), Some(Component::Prefix(_)));
    match has_drive && !path.has_root() {
        true => absolute(path).unwrap_or_else(|_| path.to_path_buf()),
        false => path.to_path_buf(),
    }
}

/// What was found so far, by [`identity`], so that what is named twice, or reached by links, counts once.
/// Of several names for one thing the first in sorting order stays, whatever the order of the arguments.
#[derive(Default)]
struct Found {
    files: BTreeMap<PathBuf, (String, PathBuf)>,
    problems: BTreeMap<(PathBuf, What), String>,
    stdin: bool,
}

impl Found {
    fn file(&mut self, path: String, fs_path: &Path) {
        let name = (path, fs_path.to_path_buf());
        let known = self.files.entry(identity(fs_path)).or_insert_with(|| name.clone());
        if name < *known {
            *known = name;
        }
    }

    fn problem(&mut self, path: String, fs_path: &Path, what: What) {
        let key = (identity(fs_path), what);
        let known = self.problems.entry(key).or_insert_with(|| path.clone());
        if path < *known {
            *known = path;
        }
    }

    fn into_lists(self) -> (Vec<Source>, Vec<Problem>) {
        let mut sources: Vec<Source> = self
            .files
            .into_values()
            .map(|(path, fs_path)| Source { path, fs_path, origin: Origin::File })
            .collect();
        if self.stdin {
            sources.push(Source {
                path: "-".to_string(),
                fs_path: PathBuf::from("-"),
                origin: Origin::Stdin,
            });
        }
        sort(&mut sources);
        let mut problems: Vec<Problem> =
            self.problems.into_iter().map(|((_, what), path)| Problem { path, what }).collect();
        problems.sort();
        (sources, problems)
    }
}

/// What tells things on a disk apart, whatever their names.
fn identity(path: &Path) -> PathBuf {
    // What is missing, and a pipe of a shell's `<(…)`, have no canonical path; the folder of the former has.
    fs::canonicalize(path).unwrap_or_else(|_| match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => {
            fs::canonicalize(folder).map_or_else(|_| path.to_path_buf(), |folder| folder.join(name))
        }
        _ => path.to_path_buf(),
    })
}

/// The order of sources everywhere.
pub(crate) fn sort(sources: &mut [Source]) {
    sources.sort_by(|a, b| (&a.path, &a.fs_path).cmp(&(&b.path, &b.fs_path)));
}

/// A path that the user, or a glob of the user, named.
fn named(path: &Path, metadata: &fs::Metadata, found: &mut Found) {
    if metadata.is_dir() {
        walk(path, found);
    } else {
        match not_a_file(metadata) {
            // Named outright, a pipe is meant to be read: `mkfifo`, or `<(zcat …)` of a shell.
            Some("a pipe") | None => found.file(display(path), path),
            Some(kind) => found.problem(display(path), path, What::NotAFile(kind)),
        }
    }
}

/// Every file below a folder. Hidden ones count as well: only `.git` is left out.
/// Links are followed; one that leads back to a folder above it is not, that folder is being walked already.
fn walk(root: &Path, found: &mut Found) {
    let mut n_entries = 0usize;
    let entries = walkdir::WalkDir::new(root)
        .follow_links(true)
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git");
    for entry in entries {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => {
                n_entries += 1;
                let path = below(root, entry.path());
                match entry.metadata().map(|metadata| not_a_file(&metadata)) {
                    Ok(None) => found.file(path, entry.path()),
                    Ok(Some(kind)) => found.problem(path, entry.path(), What::NotAFile(kind)),
                    Err(error) => found.problem(path, entry.path(), walk_error(&error)),
                }
            }
            Err(error) if error.loop_ancestor().is_some() => {}
            Err(error) => {
                n_entries += 1;
                let path = error.path().unwrap_or(root).to_path_buf();
                found.problem(below(root, &path), &path, walk_error(&error));
            }
        }
    }
    if n_entries == 0 {
        found.problem(display(root), root, What::EmptyFolder);
    }
}

fn walk_error(error: &walkdir::Error) -> What {
    match error.io_error() {
        Some(error) => What::from(error),
        None => What::Unreadable(error.to_string()),
    }
}

fn expand_glob(pattern: &str, found: &mut Found) {
    let named_as = display(Path::new(pattern));
    // Windows shells leave globs to the program, and its file systems do not tell cases apart.
    let options = glob::MatchOptions { case_sensitive: !cfg!(windows), ..Default::default() };
    let paths = match glob::glob_with(pattern, options) {
        Ok(paths) => paths,
        Err(error) => {
            return found.problem(named_as, Path::new(pattern), What::BadGlob(error.to_string()));
        }
    };
    let mut n_matches = 0usize;
    for path in paths {
        n_matches += 1;
        match path {
            Ok(path) => match fs::metadata(&path) {
                Ok(metadata) => named(&path, &metadata, found),
                Err(error) => found.problem(display(&path), &path, What::from(&error)),
            },
            Err(error) => {
                found.problem(display(error.path()), error.path(), What::from(error.error()));
            }
        }
    }
    if n_matches == 0 {
        found.problem(named_as, Path::new(pattern), What::NoMatch);
    }
}

/// What something is that is neither file nor folder; to open it could block, or act.
pub(crate) fn not_a_file(metadata: &fs::Metadata) -> Option<&'static str> {
    if metadata.is_file() {
        return None;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return Some("a pipe");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
        if kind.is_char_device() || kind.is_block_device() {
            return Some("a device");
        }
    }
    Some(if metadata.is_dir() { "a folder" } else { "something special" })
}

/// A path as the user wrote it, with `/` only.
fn display(path: &Path) -> String {
    let text = path.to_string_lossy();
    // Elsewhere a backslash is a letter like any other.
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() };
    match text.trim_end_matches('/') {
        "" => text,
        trimmed => trimmed.to_string(),
    }
}

/// A path below a folder: the folder as the user wrote it, then the rest.
fn below(root: &Path, path: &Path) -> String {
    let mut text = display(root);
    for part in path.strip_prefix(root).unwrap_or(path).components() {
        if !text.ends_with('/') {
            text.push('/');
        }
        text.push_str(&part.as_os_str().to_string_lossy());
    }
    text
}
