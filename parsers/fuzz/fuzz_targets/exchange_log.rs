//! Any bytes as a log of Exchange: each line is a row, a directive, blank or rejected, wherever the log is cut; nobody
//! is served without a name or by a 401; and the vector code finds the commas that the plain code finds.
#![no_main]

use stillin_parsers::exchange::{Outcome, back_end, cafe_req_id, proxied, request_id};
use stillin_parsers::exchange_log::{Column, Row};
use stillin_parsers::vectors::Separators;
use stillin_parsers_fuzz::scan_rows;

fn look(row: &Row<'_>) {
    let served = proxied::outcome(row) == Outcome::Served;
    assert!(!served || (proxied::user(row).is_some() && proxied::status(row) != Some(401)));
    assert!(proxied::time_taken(row).is_none_or(|taken| taken <= 86_400_000));
    let id = request_id(row.text(Column::RequestId));
    let query = [b"&cafeReqId=", row.text(Column::RequestId), b";"].concat();
    assert!(id.is_none() || cafe_req_id(&query) == id);
    let _ = (proxied::own_sid(row), proxied::noise(row), proxied::route(row), proxied::auth(row));
    let _ = (back_end::user(row), back_end::acted_as(row), back_end::operation(row));
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let size = bytes.first().map_or(1, |&byte| usize::from(byte) + 1);
    assert_eq!(scan_rows(bytes, size, look), scan_rows(bytes, usize::MAX, look));

    let (mut fast, mut plain) = (Separators::default(), Separators::default());
    fast.find_commas(bytes);
    plain.find_commas_portable(bytes);
    assert_eq!(fast.places(), plain.places());
    assert_eq!(fast.line_ends(), plain.line_ends());
    assert_eq!(fast.odd(), plain.odd());
});
