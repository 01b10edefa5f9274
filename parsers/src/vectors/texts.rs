//! Two texts to one number.

use super::{Kind, Vectors, WEIGHTS, finish, words};

impl Vectors {
    /// A number of two texts, the same on every processor; others have it about once in 2⁶⁴ times.
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

fn hash_portable(texts: [&[u8]; 2]) -> u64 {
    let mut sums = [0u64; 8];
    for block in texts.iter().flat_map(|text| text.chunks(64)) {
        for ((sum, weight), word) in sums.iter_mut().zip(WEIGHTS).zip(words(block)) {
            *sum = (*sum ^ word).wrapping_mul(weight);
        }
    }
    let [a, b] = texts.map(|text| text.len() as u64);
    finish(sums.iter().fold(0, |all, sum| all.wrapping_add(*sum)), a << 32 | b)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,bmi1,bmi2,lzcnt,popcnt")]
fn hash_avx512(first: &[u8], second: &[u8]) -> u64 {
    use super::lowest;
    use std::arch::x86_64::{
        _mm512_loadu_si512, _mm512_mask_mullo_epi64, _mm512_maskz_loadu_epi8,
        _mm512_reduce_add_epi64, _mm512_setzero_si512, _mm512_xor_si512,
    };
    // SAFETY: the array is 64 readable bytes.
    let weights = unsafe { _mm512_loadu_si512(WEIGHTS.as_ptr().cast()) };
    let mut sums = _mm512_setzero_si512();
    for text in [first, second] {
        let mut rest = text;
        while !rest.is_empty() {
            let (block, after) = rest.split_at(rest.len().min(64));
            // SAFETY: a masked load touches the bytes of its mask alone, which are those of the block.
            let bytes =
                unsafe { _mm512_maskz_loadu_epi8(lowest(block.len()), block.as_ptr().cast()) };
            let lanes = lowest(block.len().div_ceil(8)) as u8;
            sums = _mm512_mask_mullo_epi64(sums, lanes, _mm512_xor_si512(sums, bytes), weights);
            rest = after;
        }
    }
    let sum = _mm512_reduce_add_epi64(sums) as u64;
    finish(sum, (first.len() as u64) << 32 | second.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
