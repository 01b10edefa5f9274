//! Any bytes as EVTX: nothing is lost, and the chunks read one by one give what the file gives.
#![no_main]

use stillin_parsers::{evtx, kind::Kind};
use stillin_parsers_fuzz::{conserves, read};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    read(Kind::Evtx, bytes);
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    let mut rest = evtx::facts(bytes, &mut |item| whole.push(item)).records;
    for number in 0..evtx::chunk_count(bytes) {
        let part = evtx::facts_of_chunks(bytes, number..number + 1, &mut |item| parts.push(item));
        conserves(&part);
        rest -= part.records;
    }
    assert_eq!((rest, parts.len()), (0, whole.len()));
});
