//! A name as logged to what a scan does with its line: the path of every line, so a few nanoseconds must do.

use super::watch::{Meant, Watch, decode};
use hashbrown::HashMap;
use stillin_parsers::exchange;
use stillin_parsers::w3c::Line;

/// What a scan does with the line of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Nobody who is watched.
    Stranger,
    /// A probe, a computer, a service.
    Noise,
    /// A watched account, or one that may be; see [`Names::meant`].
    Watched,
}

/// Watched names that were met, so that each is resolved once.
pub struct Names<'a> {
    watch: &'a Watch<'a>,
    /// Only looked up, never walked.
    known: HashMap<Vec<u8>, Meant>,
    last: Meant,
}

impl<'a> Names<'a> {
    /// For one log, or a part of it.
    pub fn new(watch: &'a Watch<'a>) -> Self {
        Names { watch, known: HashMap::new(), last: Meant::Nobody }
    }

    /// What to do with a line of this name.
    #[inline(always)]
    pub fn sort(&mut self, cs_username: &[u8]) -> Sort {
        let parts = Parts::of(cs_username);
        if parts.may_be_noise(cs_username) && exchange::noise(cs_username, b"", b"", b"").is_some()
        {
            Sort::Noise
        } else if self.watch.may_mean(&parts, cs_username) {
            Sort::Watched
        } else {
            Sort::Stranger
        }
    }

    /// As [`Watch::meant`], remembered where the time of the line cannot matter.
    pub fn meant(&mut self, cs_username: &[u8], line: &Line<'_>) -> &Meant {
        if !self.known.contains_key(cs_username) {
            let meant = self.watch.meant(cs_username, line);
            // The filter lets a few strangers through; what attackers typed must not fill the memory.
            if self.watch.depends_on_time(cs_username) || self.known.len() > 10_000 {
                self.last = meant;
                return &self.last;
            }
            self.known.insert(cs_username.to_vec(), meant);
        }
        self.known.get(cs_username).unwrap_or(&Meant::Nobody)
    }
}

/// Where the local part of a name stands: behind the last `\` and before the first `@`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    from: usize,
    to: usize,
    /// `$` or `/` in it, or a `\\` behind the first `@`: what computers have, and nobody else.
    is_odd: bool,
    is_ascii: bool,
}

/// In every byte that.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// A bit for each byte of a word that is `byte`; the lowest for the first.
#[inline(always)]
fn bits(word: u64, byte: u8) -> u64 {
    let differs = word ^ each(byte);
    // The highest bit of each byte that is 0, exactly: no carry goes from byte to byte.
    let zeros = !(((differs & each(0x7f)) + each(0x7f)) | differs | each(0x7f));
    // Brings the eight bits together in the highest byte.
    (zeros >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

impl Parts {
    /// Takes a name apart, eight bytes at a time.
    #[inline(always)]
    pub fn of(name: &[u8]) -> Parts {
        let Some(last) = name.last_chunk::<8>().filter(|_| name.len() <= 64) else {
            return Parts::of_odd_length(name);
        };
        let (mut slashes, mut ats, mut odd, mut high) = (0, 0, 0, 0);
        let mut take = |chunk: &[u8; 8], at: usize| {
            let word = u64::from_le_bytes(*chunk);
            slashes |= bits(word, b'\\') << at;
            ats |= bits(word, b'@') << at;
            odd |= bits(word, b'$') | bits(word, b'/');
            high |= word & each(0x80);
        };
        for (n, chunk) in name.as_chunks::<8>().0.iter().enumerate() {
            take(chunk, 8 * n);
        }
        // Overlaps the one before, which does no harm.
        take(last, name.len() - 8);
        let to = match ats {
            0 => name.len(),
            ats => ats.trailing_zeros() as usize,
        };
        let before = slashes & 1u64.checked_shl(to as u32).unwrap_or(0).wrapping_sub(1);
        let from = 64 - before.leading_zeros() as usize;
        Parts { from, to, is_odd: odd != 0 || before != slashes, is_ascii: high == 0 }
    }

    /// The same for names that are shorter than 8 bytes or longer than 64.
    #[inline(never)]
    fn of_odd_length(name: &[u8]) -> Parts {
        let to = name.iter().position(|&byte| byte == b'@').unwrap_or(name.len());
        let from = name[..to].iter().rposition(|&byte| byte == b'\\').map_or(0, |at| at + 1);
        let is_odd = name.contains(&b'$') || name.contains(&b'/') || name[to..].contains(&b'\\');
        Parts { from, to, is_odd, is_ascii: name.is_ascii() }
    }

    /// Hash of the local part, the same for capitals; `None` beyond ASCII.
    #[inline(always)]
    pub fn hash(&self, name: &[u8]) -> Option<u64> {
        const LOWER: u64 = each(0x20);
        let mix = |hash: u64, word: u64| {
            (hash.rotate_left(23) ^ (word | LOWER)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        };
        let local = name.get(self.from..self.to).filter(|_| self.is_ascii)?;
        let start = local.len() as u64;
        let hash = match (local.last_chunk::<8>(), local.last_chunk::<4>()) {
            (Some(last), _) => {
                let words = local.as_chunks::<8>().0.iter();
                let hash = words.fold(start, |hash, word| mix(hash, u64::from_le_bytes(*word)));
                mix(hash, u64::from_le_bytes(*last))
            }
            (None, Some(last)) => {
                let first = local.first_chunk::<4>().unwrap_or(last);
                let halves = [u32::from_le_bytes(*first), u32::from_le_bytes(*last)];
                mix(start, u64::from(halves[0]) << 32 | u64::from(halves[1]))
            }
            _ => local.iter().fold(start, |hash, &byte| mix(hash, u64::from(byte))),
        };
        Some(hash ^ hash >> 32)
    }

    /// Cheap test before the real one: the names that Exchange and Windows make for themselves (see `exchange::noise`).
    #[inline(always)]
    fn may_be_noise(&self, name: &[u8]) -> bool {
        let len = self.to - self.from;
        let first = |at: usize| name.get(at).map_or(0, |letter| letter | 0x20);
        let own_domain = self.from >= 10 && matches!(first(0), b'n' | b'i');
        let own_name = match first(self.from) {
            b's' => len >= 8,
            b'h' | b'e' | b'd' | b'm' => len >= 15,
            _ => false,
        };
        self.is_odd || own_domain || own_name || !self.is_ascii
    }
}

/// The short host name in capitals, so that `ex01.fabrikam.example` and `EX01` are one server.
pub fn host_name(name: &str) -> String {
    let is_address = name.parse::<std::net::IpAddr>().is_ok() || name.contains(':');
    let short = if is_address { name } else { name.split('.').next().unwrap_or(name) };
    let short = short.trim().to_uppercase();
    if short == "-" { String::new() } else { short }
}

/// [`host_name`] of a value of `s-computername`.
pub fn logged_host_name(s_computername: &[u8]) -> String {
    host_name(&decode(s_computername))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(name: &str, local: &str) {
        let parts = Parts::of(name.as_bytes());
        assert_eq!(&name[parts.from..parts.to], local, "{name}");
    }

    #[test]
    fn local_parts() {
        check("FABRIKAM\\ada", "ada");
        check("ada", "ada");
        check("", "");
        check("ada.lovelace@fabrikam.example", "ada.lovelace");
        check("a\\b\\margaret.hamilton@fabrikam.example", "margaret.hamilton");
        check("ada@fabrikam.example\\bob", "ada");
        check("FABRIKAM\\", "");
        check("\\\\\\\\\\\\\\\\", "");
        check(&format!("{}\\ada", "x".repeat(60)), "ada");
        check(&format!("{}\\ada", "x".repeat(61)), "ada");
        check(&"x".repeat(64), &"x".repeat(64));
    }

    /// Names as they come, and as nobody should have them.
    fn names() -> impl Strategy<Value = Vec<u8>> {
        let word = prop_oneof![
            "[a-zA-Z0-9._$@/\\\\-]{0,20}",
            "(?i)(healthmailbox|sm_|extest_|migration\\.)[0-9a-f]{5,32}",
            "(?i)(nt|iis)[ +](authority|service|apppool)",
            "S-1-5-(18|19|20|21)",
            "[a-z]{2,12}",
        ];
        let text = (word.clone(), prop_oneof!["", "\\\\", "@", "/", "\\$@"], word);
        prop_oneof![
            text.prop_map(|(a, between, b)| format!("{a}{between}{b}").into_bytes()),
            proptest::collection::vec(any::<u8>(), 0..80),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn fast_and_plain_agree(name in names()) {
            prop_assert_eq!(Parts::of(&name), Parts::of_odd_length(&name));
        }

        #[test]
        fn no_noise_is_passed_over(name in names()) {
            let is_noise = exchange::noise(&name, b"", b"", b"").is_some();
            prop_assert!(!is_noise || Parts::of(&name).may_be_noise(&name) || name.is_empty());
        }

        #[test]
        fn case_and_domain_do_not_matter(local in "[a-zA-Z0-9._-]{1,40}", domain in "[A-Z]{0,30}") {
            let hash = |name: &str| Parts::of(name.as_bytes()).hash(name.as_bytes());
            let plain = hash(&local);
            prop_assert!(plain.is_some());
            prop_assert_eq!(hash(&format!("{domain}\\{}", local.to_uppercase())), plain);
            prop_assert_eq!(hash(&format!("{}@{domain}", local.to_lowercase())), plain);
        }
    }
}
