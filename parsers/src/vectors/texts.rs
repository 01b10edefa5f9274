//! A text to a number.

use super::{KEYS, Kind, Vectors, finish, mix, words};

/// How the keys of a block differ from those of the block before, and what the sums are weighed with: they are odd.
const STEPS: [u64; 8] = [
    0x8648_dbdb_64c8_5a9d,
    0xb492_b66f_be98_f273,
    0x9ae1_6a3b_2f90_404f,
    0xc3a5_c85c_97cb_3127,
    0xff51_afd7_ed55_8ccd,
    0xc4ce_b9fe_1a85_ec53,
    0xbf58_476d_1ce4_e5b9,
    0x94d0_49bb_1331_11eb,
];

impl Vectors {
    /// A number of a text, the same on every processor; hardly any other text has it.
    #[inline(always)]
    pub fn hash(self, text: &[u8]) -> u64 {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has said that it has the features the function is compiled for.
            Kind::Avx512 => unsafe { hash_avx512(text) },
            _ => hash_portable(text),
        }
    }
}

/// So many bytes are taken whether the text has them or not: how long one is no processor can foretell.
const AT_LEAST: usize = 128;

/// Each of eight sums takes the words of its column, block by block; what the text does not fill is NUL.
fn hash_portable(text: &[u8]) -> u64 {
    let (mut sums, mut keys) = ([0u64; 8], KEYS);
    for from in (0..text.len().max(AT_LEAST)).step_by(64) {
        let rest = text.get(from..).unwrap_or_default();
        let block = rest.get(..64).unwrap_or(rest);
        let words = words(block).chain(std::iter::repeat(0));
        for ((sum, key), word) in sums.iter_mut().zip(keys).zip(words) {
            *sum = sum.wrapping_add(mix(word, key));
        }
        keys.iter_mut().zip(STEPS).for_each(|(key, step)| *key = key.wrapping_add(step));
    }
    // What makes up for another column's must be one in many.
    let weighed = sums.iter().zip(STEPS).map(|(sum, weight)| sum.wrapping_mul(weight));
    finish(weighed.fold(0, u64::wrapping_add), text.len() as u64)
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi2,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
fn hash_avx512(text: &[u8]) -> u64 {
    use std::arch::x86_64::{
        __m512i, _bzhi_u64, _mm512_add_epi64, _mm512_loadu_si512, _mm512_maskz_loadu_epi8,
        _mm512_mul_epu32, _mm512_mullo_epi64, _mm512_reduce_add_epi64, _mm512_ror_epi64,
        _mm512_srli_epi64, _mm512_xor_si512,
    };
    // SAFETY: both arrays are 64 readable bytes.
    let [keys, steps] =
        unsafe { [&KEYS, &STEPS].map(|words| _mm512_loadu_si512(words.as_ptr().cast())) };
    let mixed = |from: usize, keys: __m512i| {
        let len = text.len().saturating_sub(from).min(64);
        let block = text.as_ptr().wrapping_add(from);
        // SAFETY: a masked load touches the bytes of its mask alone, which are those of the text from there on.
        let words =
            unsafe { _mm512_maskz_loadu_epi8(_bzhi_u64(u64::MAX, len as u32), block.cast()) };
        let mixed = _mm512_xor_si512(words, keys);
        let product = _mm512_mul_epu32(mixed, _mm512_srli_epi64::<32>(mixed));
        _mm512_add_epi64(product, _mm512_ror_epi64::<32>(words))
    };
    let mut keys_behind = _mm512_add_epi64(keys, steps);
    let mut sums = _mm512_add_epi64(mixed(0, keys), mixed(64, keys_behind));
    for from in (AT_LEAST..text.len()).step_by(64) {
        keys_behind = _mm512_add_epi64(keys_behind, steps);
        sums = _mm512_add_epi64(sums, mixed(from, keys_behind));
    }
    let sum = _mm512_reduce_add_epi64(_mm512_mullo_epi64(sums, steps)) as u64;
    finish(sum, text.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Addresses and versions differ in a few places, often in the last byte of a word.
    #[test]
    fn what_differs_in_two_bytes_has_two_numbers() {
        let (c_ip, agent) = (
            *b"203.0.113.255",
            *b"Microsoft+Office/16.0+(Windows+NT+10.0;+Microsoft+Outlook+16.0.17328;+Pro)",
        );
        for (first, second) in
            [(7, 13 + 7), (7, 13 + 71), (13 + 7, 13 + 15), (13 + 6, 13 + 63), (0, 13)]
        {
            let mut numbers = std::collections::BTreeSet::new();
            for (a, b) in (0..=255u8).flat_map(|a| (0..=255u8).map(move |b| (a, b))) {
                let mut text = [&c_ip[..], &agent[..]].concat();
                (text[first], text[second]) = (a, b);
                numbers.insert(Vectors::best().hash(&text));
            }
            assert_eq!(numbers.len(), 1 << 16, "{first}, {second}");
        }
    }

    proptest! {
        #[test]
        fn vector_and_scalar_count_alike(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(Vectors::best().hash(&text), Vectors::none().hash(&text));
        }

        #[test]
        fn every_byte_counts(mut a in proptest::collection::vec(any::<u8>(), 1..200), at: usize, bit in 0u8..8) {
            let before = Vectors::best().hash(&a);
            let at = at % a.len();
            a[at] ^= 1 << bit;
            prop_assert_ne!(Vectors::best().hash(&a), before);
        }

        #[test]
        fn nuls_at_the_end_count(mut a in proptest::collection::vec(any::<u8>(), 0..200), n in 1usize..140) {
            let before = Vectors::best().hash(&a);
            a.resize(a.len() + n, 0);
            prop_assert_ne!(Vectors::best().hash(&a), before);
        }
    }
}
