//! Every output of fixed reports, compared byte by byte with the files in `tests/expected`.
//! `STILLIN_BLESS=1` writes those files anew, for a reader to look at in the diff.

mod by_design;
mod case;
mod html;
mod inspect;
mod json;
mod outputs;
mod plan;
mod rows;
mod schema;
mod scripts;
mod story;
mod tables;
mod terminal;
mod verify;

use std::path::Path;

/// Compares what was written with the file of that name.
fn golden(name: &str, written: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected").join(name);
    if std::env::var_os("STILLIN_BLESS").is_some() {
        std::fs::write(&path, written).unwrap();
    }
    let expected = std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(
        expected == written,
        "{name} differs; written was:\n{}",
        String::from_utf8_lossy(written)
    );
}

/// No character steers the terminal but line ends and, with colour, SGR sequences.
fn harmless(written: &str, color: bool) {
    let mut rest = written.to_owned();
    if color {
        for code in ["0", "1", "2", "31", "32", "33"] {
            rest = rest.replace(&format!("\x1b[{code}m"), "");
        }
    }
    for char in rest.chars().filter(|char| *char != '\n') {
        let steers = matches!(char, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!char.is_control() && !steers, "{char:?} in {rest}");
    }
}
