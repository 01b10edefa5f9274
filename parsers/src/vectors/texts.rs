//! Two texts to one number.

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
    /// A number of two texts, the same on every processor; hardly any others have it.
    #[inline(always)]
    pub fn hash(self, texts: [&[u8]; 2]) -> u64 {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has said that it has the features the function is compiled for.
            Kind::Avx512 => unsafe { hash_avx512(texts[0], texts[1]) },
            _ => hash_portable(texts),
        }
    }
}

/// Each of eight sums takes the words of its column, block by block; an empty text is an empty block.
fn hash_portable(texts: [&[u8]; 2]) -> u64 {
    let (mut sums, mut keys) = ([0u64; 8], KEYS);
    for text in texts {
        let mut rest = text;
        loop {
            let (block, after) = rest.split_at(rest.len().min(64));
            for ((sum, key), word) in sums.iter_mut().zip(keys).zip(words(block)) {
                *sum = sum.wrapping_add(mix(word, key));
            }
            keys.iter_mut().zip(STEPS).for_each(|(key, step)| *key = key.wrapping_add(step));
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
    }
    // What makes up for another column's must be one in many.
    let weighed = sums.iter().zip(STEPS).map(|(sum, weight)| sum.wrapping_mul(weight));
    let [a, b] = texts.map(|text| text.len() as u64);
    finish(weighed.fold(0, u64::wrapping_add), a << 32 | b)
}

/// The first block of the first text and the first two of the second are taken whether they hold something or not: how long
/// a user agent is no processor can foretell.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi2,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
fn hash_avx512(first: &[u8], second: &[u8]) -> u64 {
    use super::mix_avx512;
    use std::arch::x86_64::{
        _bzhi_u64, _mm512_add_epi64, _mm512_loadu_si512, _mm512_maskz_loadu_epi8,
        _mm512_mullo_epi64, _mm512_reduce_add_epi64, _mm512_setzero_si512,
    };
    // SAFETY: both arrays are 64 readable bytes.
    let [mut keys, steps] =
        unsafe { [&KEYS, &STEPS].map(|words| _mm512_loadu_si512(words.as_ptr().cast())) };
    let mut sums = _mm512_setzero_si512();
    let mut take = |text: &[u8], from: usize| {
        let len = text.len().saturating_sub(from).min(64);
        let block = text.as_ptr().wrapping_add(from);
        // SAFETY: a masked load touches the bytes of its mask alone, which are those of the text from there on.
        let bytes =
            unsafe { _mm512_maskz_loadu_epi8(_bzhi_u64(u64::MAX, len as u32), block.cast()) };
        sums = _mm512_add_epi64(sums, mix_avx512(bytes, keys, len.div_ceil(8)));
        keys = _mm512_add_epi64(keys, steps);
    };
    take(first, 0);
    (64..first.len()).step_by(64).for_each(|from| take(first, from));
    take(second, 0);
    take(second, 64);
    (128..second.len()).step_by(64).for_each(|from| take(second, from));
    let sum = _mm512_reduce_add_epi64(_mm512_mullo_epi64(sums, steps)) as u64;
    finish(sum, (first.len() as u64) << 32 | second.len() as u64)
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
                numbers.insert(Vectors::best().hash([&text[..13], &text[13..]]));
            }
            assert_eq!(numbers.len(), 1 << 16, "{first}, {second}");
        }
    }

    proptest! {
        #[test]
        fn vector_and_scalar_count_alike(
            a in proptest::collection::vec(any::<u8>(), 0..150),
            b in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            prop_assert_eq!(Vectors::best().hash([&a, &b]), Vectors::none().hash([&a, &b]));
        }

        #[test]
        fn every_byte_counts(mut a in proptest::collection::vec(any::<u8>(), 1..200), at: usize, bit in 0u8..8) {
            let hash = |a: &[u8]| Vectors::best().hash([&a[..a.len() / 3], &a[a.len() / 3..]]);
            let before = hash(&a);
            let at = at % a.len();
            a[at] ^= 1 << bit;
            prop_assert_ne!(hash(&a), before);
        }

        #[test]
        fn where_one_text_ends_counts(a in "[a-z.0-9]{2,90}", at in 1usize..90) {
            let (a, at) = (a.as_bytes(), at.min(a.len() - 1));
            let split = [&a[..at], &a[at..]];
            prop_assert_ne!(Vectors::best().hash(split), Vectors::best().hash([a, b""]));
        }
    }
}
