//! Any bytes as a W3C log: each line is a request, a directive, blank or rejected, wherever the log
//! is cut; and the vector code finds the separators that the plain code finds.
#![no_main]

use stillin_parsers::vectors::Separators;
use stillin_parsers_fuzz::scan;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let size = bytes.first().map_or(1, |&byte| usize::from(byte) + 1);
    assert_eq!(scan(bytes, size), scan(bytes, usize::MAX));

    let (mut fast, mut plain) = (Separators::default(), Separators::default());
    fast.find(bytes);
    plain.find_portable(bytes);
    assert_eq!(fast.places(), plain.places());
    assert_eq!(fast.line_ends(), plain.line_ends());
    assert_eq!(fast.odd(), plain.odd());
});
