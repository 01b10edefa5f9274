//! What tests of logs have in common: files that are pinned to what becomes of their lines.

#![allow(dead_code)] // each test uses a part
#![allow(clippy::print_stdout)] // says what it skipped

use std::path::{Path, PathBuf};
use stillin_parsers::kind::{self, Kind};
use stillin_parsers::lines::Tally;

/// `lines requests directives blank rejected repaired nul_runs`, first reject as `line: reason`.
pub type Counts = ([u64; 7], String);

/// Name, kind, and [`Counts`].
pub type Pinned = (&'static str, Kind, [u64; 7], &'static str);

/// The folder of samples of that name.
pub fn folder(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../samples")).join(name)
}

/// The real file or folder of that name, or `None` where this checkout has none.
pub fn real(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("STILLIN_REAL").map_or_else(
        || Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/real")).to_owned(),
        PathBuf::from,
    );
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not here", path.display());
    None
}

/// A file that must be there.
pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a folder holds, in order.
pub fn names(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The counts of a log of which so many lines were handed over.
pub fn counted<L>(tally: &Tally<L>, n_lines: u64) -> Counts {
    assert_eq!(n_lines, tally.requests, "each request is handed over once");
    assert_eq!(tally.lines, tally.requests + tally.directives + tally.blank + tally.rejected);
    let counts = [
        tally.lines,
        tally.requests,
        tally.directives,
        tally.blank,
        tally.rejected,
        tally.repaired,
        tally.nul_runs,
    ];
    let reject = tally.rejects.first().map(|(line, reason)| format!("{line}: {reason}"));
    (counts, reject.unwrap_or_default())
}

/// All that does not fit, so that one run tells everything.
pub fn misfits(folder: &Path, pinned: &[Pinned], counts: fn(&[u8]) -> Counts) -> Vec<String> {
    let misfit = |&(name, kind, expect, first): &Pinned| {
        let log = read(&folder.join(name));
        let got = (kind::sniff(&log), counts(&log));
        (got != (kind, (expect, first.to_owned()))).then(|| format!("{name}: {got:?}"))
    };
    pinned.iter().filter_map(misfit).collect()
}
