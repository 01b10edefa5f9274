//! A name as logged to its local part, eight bytes at a time: it is done for every line of every log.

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
    pub fn may_be_noise(&self, name: &[u8]) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stillin_parsers::exchange;

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
