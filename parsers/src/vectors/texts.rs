//! Two texts to one number.

use super::{Kind, Vectors, WEIGHTS, finish, words};

/// Others for the sums themselves.
const FINAL_WEIGHTS: [u64; 8] = [
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

/// Each of eight sums takes the words of its column, block by block. What differs in high bits alone must not stay there,
/// or sums that differ would make up for each other: so they are folded down after each product, and weighed once more.
fn hash_portable(texts: [&[u8]; 2]) -> u64 {
    let mut sums = [0u64; 8];
    for block in texts.iter().flat_map(|text| text.chunks(64)) {
        for ((sum, weight), word) in sums.iter_mut().zip(WEIGHTS).zip(words(block)) {
            let product = (*sum ^ word).wrapping_mul(weight);
            *sum = product ^ product >> 32;
        }
    }
    let [a, b] = texts.map(|text| text.len() as u64);
    let weighed = sums.iter().zip(FINAL_WEIGHTS).map(|(sum, weight)| sum.wrapping_mul(weight));
    finish(weighed.fold(0, u64::wrapping_add), a << 32 | b)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,bmi1,bmi2,lzcnt,popcnt")]
fn hash_avx512(first: &[u8], second: &[u8]) -> u64 {
    use super::lowest;
    use std::arch::x86_64::{
        _mm512_loadu_si512, _mm512_mask_mullo_epi64, _mm512_mask_xor_epi64,
        _mm512_maskz_loadu_epi8, _mm512_mullo_epi64, _mm512_reduce_add_epi64, _mm512_setzero_si512,
        _mm512_srli_epi64, _mm512_xor_si512,
    };
    // SAFETY: both arrays are 64 readable bytes.
    let [weights, final_weights] = unsafe {
        [&WEIGHTS, &FINAL_WEIGHTS].map(|weights| _mm512_loadu_si512(weights.as_ptr().cast()))
    };
    let mut sums = _mm512_setzero_si512();
    for text in [first, second] {
        let mut rest = text;
        while !rest.is_empty() {
            let (block, after) = rest.split_at(rest.len().min(64));
            // SAFETY: a masked load touches the bytes of its mask alone, which are those of the block.
            let bytes =
                unsafe { _mm512_maskz_loadu_epi8(lowest(block.len()), block.as_ptr().cast()) };
            let lanes = lowest(block.len().div_ceil(8)) as u8;
            let product =
                _mm512_mask_mullo_epi64(sums, lanes, _mm512_xor_si512(sums, bytes), weights);
            let folded = _mm512_srli_epi64::<32>(product);
            sums = _mm512_mask_xor_epi64(product, lanes, product, folded);
            rest = after;
        }
    }
    let sum = _mm512_reduce_add_epi64(_mm512_mullo_epi64(sums, final_weights)) as u64;
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
