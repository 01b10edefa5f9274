//! The names of an account in the spellings of directory exports, to the spellings of `Identity`.

use crate::event::Identity;
use crate::noise_name::is_of_exchange;
use std::collections::BTreeSet;

/// The DNS domain of the `DC=` parts at the end of a DN, in lower case: `fabrikam.example`.
pub fn dns_domain(dn: &str) -> Option<String> {
    // Nearly every DN is plain, and its parts need not be listed.
    let mut labels: Vec<&str> = match dn.contains(['\\', '"']) {
        false => dn.rsplit(',').map_while(label).collect(),
        true => parts(dn).into_iter().rev().map_while(label).collect(),
    };
    labels.reverse();
    (!labels.is_empty()).then(|| labels.join(".").to_lowercase())
}

/// `fabrikam` of `DC=fabrikam`.
fn label(part: &str) -> Option<&str> {
    let (key, label) = part.trim().split_at_checked(3)?;
    key.eq_ignore_ascii_case("DC=").then(|| label.trim())
}

/// Looks like `CN=…,DC=…`: what stands there is a DN, not another kind of name.
pub fn is_dn(text: &str) -> bool {
    let keyed = parts(text).first().is_some_and(|part| {
        part.split_once('=').is_some_and(|(key, _)| {
            !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
    });
    keyed && dns_domain(text).is_some()
}

/// The parts of a DN between commas that are neither escaped nor quoted.
pub fn parts(dn: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut escaped, mut quoted) = (Vec::new(), 0, false, false);
    for (at, byte) in dn.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                parts.extend(dn.get(begin..at));
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(dn.get(begin..));
    parts
}

/// The address of `smtp:ada@fabrikam.example`; `SMTP:` marks the primary one.
pub fn smtp(address: &str) -> Option<String> {
    let (prefix, address) = address.trim().split_at_checked(5)?;
    let sound = prefix.eq_ignore_ascii_case("smtp:") && address.contains('@');
    if sound { Some(address.to_owned()) } else { None }
}

/// Leaves out addresses that stand there already, in any case.
pub fn distinct(addresses: &[String]) -> Vec<String> {
    let mut known = BTreeSet::new();
    let new = |address: &&String| known.insert(address.to_lowercase());
    addresses.iter().filter(new).cloned().collect()
}

/// `objectSid` as text or as its bytes.
pub fn sid(value: &[u8]) -> Option<String> {
    if let Ok(text) = str::from_utf8(value) {
        let text = text.trim().to_ascii_uppercase();
        let parts = text.strip_prefix("S-1-").map(|rest| rest.split('-'));
        if parts.is_some_and(|mut parts| parts.all(|part| part.parse::<u64>().is_ok())) {
            return Some(text);
        }
    }
    let (head, rest) = value.split_at_checked(8)?;
    let [1, count, authority @ ..] = head else { return None };
    let (parts, remainder) = rest.as_chunks::<4>();
    if !remainder.is_empty() || parts.len() != usize::from(*count) || parts.len() > 15 {
        return None;
    }
    let authority = authority.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let parts = parts.iter().map(|part| format!("-{}", u32::from_le_bytes(*part)));
    Some(format!("S-1-{authority}{}", parts.collect::<String>()))
}

/// `objectGUID` as text, braced or not, or as its bytes (the first three parts little-endian), in
/// lower case.
pub fn guid(value: &[u8]) -> Option<String> {
    if let [a, b, c, d, e, f, g, h, rest @ ..] = value
        && let Ok([i, j, k, l, m, n, o, p]) = <[u8; 8]>::try_from(rest)
    {
        let first = u32::from_le_bytes([*a, *b, *c, *d]);
        let (second, third) = (u16::from_le_bytes([*e, *f]), u16::from_le_bytes([*g, *h]));
        let fourth = u16::from_be_bytes([i, j]);
        let fifth = u64::from_be_bytes([0, 0, k, l, m, n, o, p]);
        return Some(format!("{first:08x}-{second:04x}-{third:04x}-{fourth:04x}-{fifth:012x}"));
    }
    let text = str::from_utf8(value).ok()?.trim();
    let text = text.trim_start_matches('{').trim_end_matches('}');
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let is_sound = |(at, byte): (usize, u8)| match HYPHENS.contains(&at) {
        true => byte == b'-',
        false => byte.is_ascii_hexdigit(),
    };
    let sound = text.len() == 36 && text.bytes().enumerate().all(is_sound);
    sound.then(|| text.to_ascii_lowercase())
}

/// Nothing in it by which an account could be known; a domain alone is none.
pub fn is_empty(account: &Identity) -> bool {
    let domain = account.domain.clone();
    *account == Identity { domain, ..Identity::default() }
}

/// A name that Exchange made for itself (DOMAIN.md 2.5).
pub fn is_noise(account: &Identity) -> bool {
    let name = account.sam_account_name.as_deref().or(account.user_principal_name.as_deref());
    name.is_some_and(|name| is_of_exchange(name.as_bytes()))
}
