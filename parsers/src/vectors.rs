//! What is done for every line of every log with vector instructions, chosen at run time: the only unsafe code of this
//! crate.
//!
//! It is vector loads and stores, the calls into code compiled for AVX-512 or AVX2 after the processor was asked for it,
//! and SSE2 and prefetches, which every processor has that this is compiled for. Without any of them scalar code gives
//! the same answers, which tests hold against each other.

#![allow(unsafe_code)]

mod local_part;
mod places;
mod separators;
mod texts;

pub use local_part::LocalPart;
pub use places::places;
pub use separators::Separators;

/// What the processor has for the work. To ask it costs as much as the work on a short text: who has many asks once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vectors(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    None,
}

impl Vectors {
    /// The best that it has.
    pub fn best() -> Vectors {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("popcnt") {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vbmi2")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
            {
                return Vectors(Kind::Avx512);
            }
            if is_x86_feature_detected!("avx2") {
                return Vectors(Kind::Avx2);
            }
        }
        Vectors(Kind::None)
    }

    /// Does some work in code that is compiled for all that the processor has.
    #[inline(always)]
    pub fn run<W: Work>(self, work: W) -> W::Result {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has said that it has the features the function is compiled for.
            Kind::Avx512 => unsafe { run_avx512(work) },
            _ => work.run(),
        }
    }

    /// None of it, for tests that hold both side by side.
    pub fn none() -> Vectors {
        Vectors(Kind::None)
    }
}

/// Work to be compiled for one processor or another. [`Self::run`] has to be inlined always, and so has all that it calls on
/// the way of every line: what is not is compiled for any processor. That is why it is no closure.
pub trait Work {
    /// What it comes to.
    type Result;

    /// Does it.
    fn run(self) -> Self::Result;
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi2,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
fn run_avx512<W: Work>(work: W) -> W::Result {
    work.run()
}

/// The lowest `n` bits.
#[inline(always)]
fn lowest(n: usize) -> u64 {
    if n >= 64 { u64::MAX } else { (1 << n) - 1 }
}

/// For each of eight words a key to mix it with.
const KEYS: [u64; 8] = [
    0x9e37_79b9_7f4a_7c15,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
    0x85eb_ca77_c2b2_ae63,
    0x27d4_eb2f_1656_67c5,
    0xd6e8_feb8_6659_fd93,
    0xa076_1d64_78bd_642f,
    0xe703_7ed1_a0b4_28db,
];

/// A word to a number that hardly any other word has: the product of its halves, and the word itself turned by half.
#[inline(always)]
fn mix(word: u64, key: u64) -> u64 {
    let mixed = word ^ key;
    (mixed & 0xffff_ffff).wrapping_mul(mixed >> 32).wrapping_add(word.rotate_right(32))
}

/// A sum of mixed words, and a length, to a hash of which every bit can be used.
#[inline(always)]
fn finish(sum: u64, len: u64) -> u64 {
    let hash = sum ^ len.wrapping_add(1).wrapping_mul(0x8ebc_6af0_9c88_c6e3);
    let hash = (hash ^ hash >> 32).wrapping_mul(0x9fb2_1c65_1e98_df25);
    hash ^ hash >> 29
}

/// The words of a text of 64 bytes at most, the last one filled up with NUL.
#[inline(always)]
fn words(text: &[u8]) -> impl Iterator<Item = u64> {
    let (whole, rest) = text.as_chunks::<8>();
    let last = match (text.last_chunk::<8>(), rest.len()) {
        (_, 0) => None,
        // Its last eight bytes hold the rest: a shift is faster than to gather bytes.
        (Some(last), n) => Some(u64::from_le_bytes(*last) >> (8 * (8 - n))),
        (None, _) => Some(rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))),
    };
    whole.iter().map(|word| u64::from_le_bytes(*word)).chain(last)
}

/// Asks for a value that will be needed soon, so that nobody waits for it then.
#[inline(always)]
pub fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing that the program could see, and SSE is part of x86-64.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// Asks for as many bytes as a text has, and some more, so much behind it, be they anybody's or not. Who goes through memory
/// and has something to do on the way finds there what he comes to.
#[inline(always)]
pub fn prefetch_behind(text: &[u8], ahead: usize) {
    #[cfg(target_arch = "x86_64")]
    for block in 0..text.len().div_ceil(512) {
        // Eight lines of the cache at once: how many a log line touches no processor can foretell.
        for line in 0..8 {
            let address = text.as_ptr().wrapping_add(ahead + 512 * block + 64 * line);
            // SAFETY: a prefetch reads nothing that the program could see, never faults, and SSE is part of x86-64.
            unsafe {
                use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
                _mm_prefetch::<_MM_HINT_T0>(address.cast());
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (text, ahead);
}

/// A bit for each byte that is one of some, the lowest for the lowest.
#[inline(always)]
fn places_of<const N: usize>(bytes: &[u8; 16], of: [u8; N]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{
            _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
            _mm_setzero_si128,
        };
        // SAFETY: the array is 16 readable bytes, the load asks for no alignment, and SSE2 is part of x86-64.
        unsafe {
            let bytes = _mm_loadu_si128(bytes.as_ptr().cast());
            let equal = of.iter().fold(_mm_setzero_si128(), |equal, &byte| {
                _mm_or_si128(equal, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8)))
            });
            u64::from(_mm_movemask_epi8(equal) as u32)
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    places_of_portable(bytes, of)
}

#[cfg(any(test, not(target_arch = "x86_64")))]
fn places_of_portable<const N: usize>(bytes: &[u8; 16], of: [u8; N]) -> u64 {
    let bytes = bytes.iter().enumerate();
    bytes.fold(0, |bits, (at, byte)| bits | u64::from(of.contains(byte)) << at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn vector_and_scalar_find_the_same_bytes(bytes: [u8; 16], nth in 0usize..16, other: u8) {
            for of in [[bytes[nth], other], [other, other]] {
                prop_assert_eq!(places_of(&bytes, of), places_of_portable(&bytes, of));
            }
        }

        #[test]
        fn words_are_the_text(text in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut bytes: Vec<u8> = words(&text).flat_map(u64::to_le_bytes).collect();
            prop_assert_eq!(bytes.len(), text.len().next_multiple_of(8));
            prop_assert!(bytes.split_off(text.len()).iter().all(|&byte| byte == 0));
            prop_assert_eq!(bytes, text);
        }
    }
}
