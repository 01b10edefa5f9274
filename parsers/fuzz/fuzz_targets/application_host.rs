//! Any bytes as a configuration of IIS: it is read whole, or it is one reject.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    stillin_parsers_fuzz::read(stillin_parsers::kind::Kind::IisConfig, bytes);
});
