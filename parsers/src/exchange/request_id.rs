//! What ties the logs of one request together: the id that the front end gives it, and writes into its own log, into
//! the query of the W3C line and into the log of the back end (DOMAIN.md 2.6).

use super::{pieces_from_the_end, strip_prefix};

/// `RequestId` of a log of Exchange, with or without dashes; `None` where it is no GUID, or the empty one.
#[inline]
pub fn request_id(cell: &[u8]) -> Option<u128> {
    let digits = match cell.len() {
        32 => *cell.first_chunk::<32>()?,
        36 => without_dashes(cell.first_chunk::<36>()?)?,
        _ => return None,
    };
    let id = hex(digits)?;
    (id != 0).then_some(id)
}

/// The same id from the query of a W3C line: `...&cafeReqId=<guid>;`.
///
/// The last one counts: a client can write one of its own, and the server appends. A line that IIS answered before
/// Exchange saw it has none of the server's, so what is told of the other log has to fit the line besides.
#[inline]
pub fn cafe_req_id(cs_uri_query: &[u8]) -> Option<u128> {
    let value =
        pieces_from_the_end(cs_uri_query).find_map(|piece| strip_prefix(piece, "cafeReqId="))?;
    request_id(value.strip_suffix(b";").unwrap_or(value))
}

/// `01234567-89ab-cdef-0123-456789abcdef`
#[inline]
fn without_dashes(guid: &[u8; 36]) -> Option<[u8; 32]> {
    let mut digits = [0; 32];
    for (to, from, len) in [(0, 0, 8), (8, 9, 4), (12, 14, 4), (16, 19, 4), (20, 24, 12)] {
        digits.get_mut(to..to + len)?.copy_from_slice(guid.get(from..from + len)?);
    }
    let [_, _, _, _, _, _, _, _, a, _, _, _, _, b, _, _, _, _, c, _, _, _, _, d, ..] = guid;
    [a, b, c, d].iter().all(|&&byte| byte == b'-').then_some(digits)
}

/// Thirty-two digits to their number, without a branch for each: digits and letters follow each other as they like.
#[inline]
fn hex(digits: [u8; 32]) -> Option<u128> {
    let values = digits.map(|byte| {
        let digit = byte.wrapping_sub(b'0');
        let letter = (byte | 0x20).wrapping_sub(b'a');
        let value = if letter < 6 { letter + 10 } else { NONE };
        if digit < 10 { digit } else { value }
    });
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(values.as_chunks::<2>().0) {
        let [high, low] = pair;
        *byte = high << 4 | low;
    }
    let all = values.iter().fold(0, |all, value| all | value);
    (all < NONE).then_some(u128::from_be_bytes(bytes))
}

/// No hex digit; every digit is less, and so are all of them together.
const NONE: u8 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: u128 = 0x823d_6c00_01f1_4067_9002_18ff_1cf2_e5d9;

    #[test]
    fn ids() {
        for (cell, expect) in [
            ("823d6c00-01f1-4067-9002-18ff1cf2e5d9", Some(ID)),
            ("823D6C0001F14067900218FF1CF2E5D9", Some(ID)),
            ("823d6c00-01f1-4067-9002-18ff1cf2e5d", None),
            ("823d6c00-01f1-4067-9002-18ff1cf2e5dg", None),
            ("823d6c0001f1-4067-9002-18ff1cf2-e5d9", None),
            ("823d6c00-01f1-4067-9002018ff1cf2e5d9", None),
            ("------------------------------------", None),
            ("00000000-0000-0000-0000-000000000000", None),
            ("\u{10}23d6c0001f14067900218ff1cf2e5d9", None),
            ("", None),
        ] {
            assert_eq!(request_id(cell.as_bytes()), expect, "{cell}");
        }
    }

    #[test]
    fn ids_of_queries() {
        let id = "823d6c00-01f1-4067-9002-18ff1cf2e5d9";
        let other = "00000000-01f1-4067-9002-18ff1cf2e5d9";
        for (query, expect) in [
            (format!("Cmd=Ping&CorrelationID=<empty>;&cafeReqId={id};"), Some(ID)),
            (format!("&CAFEREQID={id}"), Some(ID)),
            (format!("cafeReqId={id};"), Some(ID)),
            // The client's own stands before the server's.
            (format!("&cafeReqId={other};&ClientId=X&cafeReqId={id};"), Some(ID)),
            (format!("&cafeReqId={id};&LogoffReason=NoCookiesPost"), Some(ID)),
            (format!("&cafeReqId={id};&cafeReqId=<empty>;"), None),
            (format!("xcafeReqId={id}"), None),
            (format!("url=%26cafeReqId={id}"), None),
            (format!("&cafeReqId={id};;"), None),
            ("&cafeReqId=".into(), None),
            ("-".into(), None),
            (String::new(), None),
        ] {
            assert_eq!(cafe_req_id(query.as_bytes()), expect, "{query}");
        }
    }

    proptest! {
        #[test]
        fn every_id_is_read_in_every_spelling(id in 1u128.., upper: bool, dashes: bool) {
            let mut text = format!("{id:032x}");
            if dashes {
                [8, 13, 18, 23].into_iter().for_each(|at| text.insert(at, '-'));
            }
            let text = if upper { text.to_uppercase() } else { text };
            prop_assert_eq!(request_id(text.as_bytes()), Some(id));
            prop_assert_eq!(cafe_req_id(format!("a&cafeReqId={text};").as_bytes()), Some(id));
        }

        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = (request_id(&bytes), cafe_req_id(&bytes));
            prop_assert_eq!(cafe_req_id(&[&bytes, &b"&cafeReqId="[..]].concat()), None);
        }
    }
}
