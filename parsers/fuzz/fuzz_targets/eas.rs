//! Any bytes as the query of an ActiveSync request: both readers of the command agree.
#![no_main]

use stillin_parsers::eas;

libfuzzer_sys::fuzz_target!(|query: &[u8]| {
    if let Some(read) = eas::parse(query) {
        assert_eq!(eas::command(query), read.command);
    }
    if let Some(field) = eas::log_field(query) {
        assert!(field.error.is_none_or(|error| !error.is_empty()));
    }
});
