//! Any text as a time: what is read from it is read from its own RFC 3339 spelling again.
#![no_main]

use stillin_parsers::{time::LocalTime, windows::stamp};
use stillin_parsers_fuzz::columns;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let [text, zone, order] = columns(text.as_bytes()).map(|piece| str::from_utf8(piece).unwrap());
    let local = LocalTime { zone: zone.parse().ok(), date_order: order.parse().ok() };
    for zone in [stamp::Zone::Utc, stamp::Zone::Local(&local)] {
        let _ = stamp::utc(text, zone);
    }
    if let Ok(Some(time)) = local.utc(text)
        && (0..=9999).contains(&chrono::Datelike::year(&time))
    {
        assert_eq!(LocalTime::default().utc(&time.to_rfc3339()), Ok(Some(time)));
    }
});
