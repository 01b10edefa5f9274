//! Any bytes of unknown kind: what they are taken for can be read, and what is not read has a reason.
#![no_main]

use stillin_parsers::kind::{Kind, sniff, why_unknown};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    assert!(!why_unknown(bytes).is_empty());
    let kind = sniff(bytes);
    assert_eq!(kind == Kind::Evtx, bytes.starts_with(b"ElfFile\0"));
    stillin_parsers_fuzz::read(kind, bytes);
});
