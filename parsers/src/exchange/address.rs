//! What a log has for the address of a client to the address itself, without a port.

use std::net::IpAddr;

/// The first of several addresses, between commas or blanks, without its port and brackets.
pub fn first(text: &[u8]) -> &[u8] {
    // IIS writes `+` for a blank.
    let is_between = |byte: &u8| matches!(byte, b',' | b' ' | b'+');
    let text = text.split(is_between).next().unwrap_or_default();
    if let Some(inner) = text.strip_prefix(b"[") {
        return inner.split(|&byte| byte == b']').next().unwrap_or_default();
    }
    let mut parts = text.split(|&byte| byte == b':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(address), Some(_port), None) => address,
        _ => text,
    }
}

/// The address that a load balancer says the client has: the first of `X-Forwarded-For`, if it is an address at all. It
/// is the client's own text where the balancer only adds to what it got.
pub fn forwarded(x_forwarded_for: &[u8]) -> Option<&[u8]> {
    let address = first(x_forwarded_for);
    // Copied first: a log may change while it is looked at. No address is longer.
    let mut room = [0; 45];
    let text = room.get_mut(..address.len())?;
    text.copy_from_slice(address);
    let text = str::from_utf8(text).ok()?;
    text.parse::<IpAddr>().is_ok().then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_an_address() {
        for (text, expect) in [
            ("203.0.113.7", Some("203.0.113.7")),
            ("203.0.113.7,+198.51.100.1:443", Some("203.0.113.7")),
            ("203.0.113.7:50001,198.51.100.1", Some("203.0.113.7")),
            ("[2001:db8::7]:50001", Some("2001:db8::7")),
            ("2001:db8::7", Some("2001:db8::7")),
            ("unknown,+198.51.100.1", None),
            ("=cmd", None),
            ("203.0.113.700", None),
            ("-", None),
            ("", None),
        ] {
            let got = forwarded(text.as_bytes()).map(String::from_utf8_lossy);
            assert_eq!(got.as_deref(), expect, "{text}");
        }
    }
}
