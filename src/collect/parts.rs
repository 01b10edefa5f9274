//! A name as logged to its local part, sixteen bytes at a time: it is done for every line of every log.

use stillin_parsers::separators::places_of;

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

impl Parts {
    /// Takes a name apart.
    #[inline(always)]
    pub fn of(name: &[u8]) -> Parts {
        let (mut slashes, mut ats, mut odd, mut high) = (0, 0, 0, 0);
        let mut take = |bytes: u128, at: usize| {
            slashes |= places_of(bytes, b'\\') << at;
            ats |= places_of(bytes, b'@') << at;
            odd |= places_of(bytes, b'$') | places_of(bytes, b'/');
            high |= bytes & u128::from_le_bytes([0x80; 16]);
        };
        // What is taken twice does no harm.
        match (name.first_chunk(), name.last_chunk(), name.first_chunk(), name.last_chunk()) {
            (Some(first), Some(last), ..) if name.len() <= 32 => {
                take(u128::from_le_bytes(*first), 0);
                take(u128::from_le_bytes(*last), name.len() - 16);
            }
            (Some(_), Some(last), ..) if name.len() <= 64 => {
                for (n, chunk) in name.as_chunks().0.iter().enumerate() {
                    take(u128::from_le_bytes(*chunk), 16 * n);
                }
                take(u128::from_le_bytes(*last), name.len() - 16);
            }
            (None, None, Some(first), Some(last)) => {
                let first = u128::from(u64::from_le_bytes(*first));
                take(first, 0);
                take(u128::from(u64::from_le_bytes(*last)), name.len() - 8);
            }
            _ => return Parts::of_odd_length(name),
        }
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
        let hash = match (local.first_chunk(), local.last_chunk(), local.last_chunk::<4>()) {
            (Some(first), Some(last), _) => {
                let hash = mix(start, u64::from_le_bytes(*first));
                let between = local.as_chunks().0.iter().skip(1).filter(|_| local.len() > 16);
                let hash = between.fold(hash, |hash, word| mix(hash, u64::from_le_bytes(*word)));
                mix(hash, u64::from_le_bytes(*last))
            }
            (None, _, Some(last)) => {
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
        let first = |at: usize| name.get(at).map_or(0, |letter| letter & 0x1f);
        let is = |letter: u8, letters: &[u8]| {
            letters.iter().fold(0u32, |set, other| set | 1 << (other & 0x1f)) >> letter & 1 == 1
        };
        // Without a branch for each: which letter a name begins with cannot be foretold.
        let own_domain = (self.from >= 10) & is(first(0), b"ni");
        let of_its_own = first(self.from);
        let own_name = (len >= 8) & is(of_its_own, b"s") | (len >= 15) & is(of_its_own, b"hedm");
        self.is_odd | own_domain | own_name | !self.is_ascii
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
