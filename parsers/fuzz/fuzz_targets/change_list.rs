//! Any bytes as a change list: each row is told, of no interest or rejected.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    stillin_parsers_fuzz::read(stillin_parsers::kind::Kind::ChangeList, bytes);
});
