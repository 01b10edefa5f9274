//! A name as logged to its local part: it is done for every line of every log.

use super::{KEYS, Kind, Vectors, finish, lowest, mix, places_of, words};
use std::iter::repeat;

/// Where the local part of a name stands: behind the last `\` and before the first `@`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalPart {
    /// Where it begins, and 32 bits higher where it ends.
    place: u64,
    /// Of its first 32 bytes and its length, the same for capitals; instead of the two highest bits [`ODD`] and
    /// [`NOT_ASCII`]: two words come back from a call in registers.
    hash: u64,
}

/// `$` or `/` in the name, or a `\` behind the first `@`: what computers have, and nobody else.
const ODD: u64 = 1 << 63;
const NOT_ASCII: u64 = 1 << 62;

/// In every byte of a word that.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Makes small letters of capitals, and what it makes of the rest it makes of it everywhere.
const LOWER: u64 = each(0x20);

/// So many bytes of a local part are hashed: hardly any two of one length differ only behind them.
const HASHED: usize = 32;

#[inline(always)]
fn hash(name: &[u8], from: usize, to: usize) -> u64 {
    let local = name.get(from..to).unwrap_or_default();
    let words = words(local.get(..HASHED).unwrap_or(local)).chain(repeat(0));
    let words = words.zip(KEYS).take(HASHED / 8);
    let sum = words.fold(0u64, |sum, (word, key)| sum.wrapping_add(mix(word | LOWER, key)));
    finish(sum, local.len() as u64)
}

/// For each first letter of a name, by its lowest five bits, how many bytes the domain before it has at least, the `\` with
/// it, if it is one of Windows' own: `NT AUTHORITY`, `IIS APPPOOL`.
const OWN_DOMAINS: [u8; 32] = lengths(&[(b'n', 10), (b'i', 10)]);

/// For each first letter of a local part, how long it is at least, if Exchange made it.
const OWN_NAMES: [u8; 32] = lengths(&[(b's', 8), (b'h', 15), (b'e', 15), (b'd', 15), (b'm', 15)]);

/// As a table, for which letter a name begins with no processor can foretell.
const fn lengths(of_letters: &[(u8, u8)]) -> [u8; 32] {
    let mut lengths = [u8::MAX; 32];
    let mut rest = of_letters;
    while let [(letter, length), after @ ..] = rest {
        let (_, behind) = lengths.split_at_mut((*letter & 0x1f) as usize);
        if let [of_letter, ..] = behind {
            *of_letter = *length;
        }
        rest = after;
    }
    lengths
}

#[inline(always)]
fn length_by(lengths: &[u8; 32], first: u8) -> usize {
    usize::from(lengths.get(usize::from(first & 0x1f)).copied().unwrap_or(u8::MAX))
}

impl LocalPart {
    /// Takes a name apart.
    #[inline(always)]
    pub fn of(name: &[u8], vectors: Vectors) -> LocalPart {
        match vectors.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has said that it has the features the function is compiled for.
            Kind::Avx512 if name.len() <= 64 => unsafe { Self::of_avx512(name) },
            _ => Self::of_portable(name),
        }
    }

    /// Hash of the local part, the same for capitals; `None` where a name is not ASCII: letters beyond that change case by
    /// rules of their own.
    #[inline(always)]
    pub fn hash(&self) -> Option<u64> {
        (self.hash & NOT_ASCII == 0).then_some(self.hash & !(ODD | NOT_ASCII))
    }

    /// Cheap test before the real one: the names that Exchange and Windows make for themselves (see `exchange::noise`).
    #[inline(always)]
    pub fn may_be_noise(&self, name: &[u8]) -> bool {
        let (from, to) = self.place();
        let first = |at: usize| name.get(at).copied().unwrap_or_default();
        let own_domain = from >= length_by(&OWN_DOMAINS, first(0));
        let own_name = to - from >= length_by(&OWN_NAMES, first(from));
        (self.hash & (ODD | NOT_ASCII) != 0) | own_domain | own_name
    }

    #[inline(always)]
    fn new(from: usize, to: usize, hash: u64, is_odd: bool, is_ascii: bool) -> LocalPart {
        let marks = u64::from(is_odd) << 63 | u64::from(!is_ascii) << 62;
        LocalPart {
            place: from as u64 | (to as u64) << 32,
            hash: hash & !(ODD | NOT_ASCII) | marks,
        }
    }

    #[inline(always)]
    fn place(&self) -> (usize, usize) {
        (self.place as u32 as usize, (self.place >> 32) as usize)
    }

    /// Sixteen bytes at a time.
    #[inline(always)]
    fn of_portable(name: &[u8]) -> LocalPart {
        let (mut slashes, mut ats, mut odd, mut high) = (0, 0, 0, 0);
        let mut take = |bytes: &[u8; 16], at: usize| {
            slashes |= places_of(bytes, [b'\\']) << at;
            ats |= places_of(bytes, [b'@']) << at;
            odd |= places_of(bytes, [b'$', b'/']);
            high |= u128::from_le_bytes(*bytes) & u128::from_le_bytes([0x80; 16]);
        };
        // What is taken twice does no harm.
        match (name.first_chunk(), name.last_chunk(), name.first_chunk(), name.last_chunk()) {
            (Some(first), Some(last), ..) if name.len() <= 32 => {
                take(first, 0);
                take(last, name.len() - 16);
            }
            (Some(_), Some(last), ..) if name.len() <= 64 => {
                for (n, chunk) in name.as_chunks().0.iter().enumerate() {
                    take(chunk, 16 * n);
                }
                take(last, name.len() - 16);
            }
            (None, None, Some(first), Some(last)) => {
                let wide = |bytes: &[u8; 8]| u128::from(u64::from_le_bytes(*bytes)).to_le_bytes();
                take(&wide(first), 0);
                take(&wide(last), name.len() - 8);
            }
            _ => return Self::of_odd_length(name),
        }
        let to = (ats.trailing_zeros() as usize).min(name.len());
        let before = slashes & lowest(to);
        let from = 64 - before.leading_zeros() as usize;
        LocalPart::new(from, to, hash(name, from, to), odd != 0 || before != slashes, high == 0)
    }

    /// The same for names that are shorter than 8 bytes or longer than 64.
    #[inline(never)]
    fn of_odd_length(name: &[u8]) -> LocalPart {
        let to = memchr::memchr(b'@', name).unwrap_or(name.len());
        let (before, behind) = name.split_at(to);
        let from = memchr::memrchr(b'\\', before).map_or(0, |at| at + 1);
        let is_odd =
            memchr::memchr2(b'$', b'/', name).is_some() || memchr::memchr(b'\\', behind).is_some();
        LocalPart::new(from, to, hash(name, from, to), is_odd, name.is_ascii())
    }

    /// The same for a name of 64 bytes at most, without a branch: how names are spelt no processor can foretell.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(
        enable = "avx512f,avx512bw,avx512dq,avx512vbmi2,avx512vl,bmi1,bmi2,lzcnt,popcnt"
    )]
    fn of_avx512(name: &[u8]) -> LocalPart {
        use std::arch::x86_64::{
            _bzhi_u64, _mm_add_epi64, _mm_cvtsi128_si64, _mm_unpackhi_epi64, _mm256_add_epi64,
            _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_loadu_si256, _mm256_mul_epu32,
            _mm256_or_si256, _mm256_ror_epi64, _mm256_set1_epi8, _mm256_srli_epi64,
            _mm256_xor_si256, _mm512_castsi512_si256, _mm512_cmpeq_epi8_mask,
            _mm512_maskz_compress_epi8, _mm512_maskz_loadu_epi8, _mm512_movepi8_mask,
            _mm512_set1_epi8,
        };
        let lowest = |n: usize| _bzhi_u64(u64::MAX, n as u32);
        let whole = lowest(name.len());
        // SAFETY: a masked load touches the bytes of its mask alone, which are those of the name.
        let bytes = unsafe { _mm512_maskz_loadu_epi8(whole, name.as_ptr().cast()) };
        let places_of = |byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte as i8));
        let (slashes, ats) = (places_of(b'\\'), places_of(b'@'));
        let until = ats.wrapping_sub(1) & !ats & whole;
        let before = slashes & until;
        let from = 64 - before.leading_zeros() as usize;
        let local = until & !lowest(from);
        let is_odd = (places_of(b'$') | places_of(b'/') | slashes & !before) != 0;
        let is_ascii = _mm512_movepi8_mask(bytes) == 0;
        let words = _mm512_castsi512_si256(_mm512_maskz_compress_epi8(local, bytes));
        // SAFETY: of the array of keys the first 32 bytes are read.
        let keys = unsafe { _mm256_loadu_si256(KEYS.as_ptr().cast()) };
        let words = _mm256_or_si256(words, _mm256_set1_epi8(0x20));
        let mixed = _mm256_xor_si256(words, keys);
        let product = _mm256_mul_epu32(mixed, _mm256_srli_epi64::<32>(mixed));
        let sums = _mm256_add_epi64(product, _mm256_ror_epi64::<32>(words));
        let halves = (_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
        let sums = _mm_add_epi64(halves.0, halves.1);
        let sum = _mm_cvtsi128_si64(_mm_add_epi64(sums, _mm_unpackhi_epi64(sums, sums)));
        let len = local.count_ones();
        let hash = finish(sum as u64, u64::from(len));
        LocalPart::new(from, from + len as usize, hash, is_odd, is_ascii)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange;
    use proptest::prelude::*;

    fn check(name: &str, local: &str) {
        let part = LocalPart::of(name.as_bytes(), Vectors::best());
        assert_eq!(&name[part.place().0..part.place().1], local, "{name}");
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
        fn vector_and_scalar_take_names_apart_alike(name in names()) {
            prop_assert_eq!(LocalPart::of(&name, Vectors::best()), LocalPart::of(&name, Vectors::none()));
        }

        #[test]
        fn no_noise_is_passed_over(name in names()) {
            let is_noise = exchange::noise(&name, b"", b"", b"").is_some();
            prop_assert!(!is_noise || LocalPart::of(&name, Vectors::best()).may_be_noise(&name) || name.is_empty());
        }

        #[test]
        fn case_and_domain_do_not_matter(local in "[a-zA-Z0-9._-]{1,40}", domain in "[A-Z]{0,30}") {
            let hash = |name: &str| LocalPart::of(name.as_bytes(), Vectors::best()).hash();
            let plain = hash(&local);
            prop_assert!(plain.is_some());
            prop_assert_eq!(hash(&format!("{domain}\\{}", local.to_uppercase())), plain);
            prop_assert_eq!(hash(&format!("{}@{domain}", local.to_lowercase())), plain);
        }
    }
}
