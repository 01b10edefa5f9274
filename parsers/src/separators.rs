//! A block of log to the places where its values and lines end.
//!
//! This is the innermost loop of the program: every byte of every log goes through it once.
//! It is also the only unsafe code of this crate: the AVX2 loads, and the call into code compiled for AVX2
//! after the processor was asked for it. Without AVX2 the scalar loop gives the same answer.
//!
//! What is kept is a bit for each byte, and for each line its end and the number of separators before it.
//! Writing out the place of every separator takes twice as long, and most places are never asked for.

#![allow(unsafe_code)]

/// Places in one block; the buffers are kept from block to block.
#[derive(Debug, Default)]
pub struct Separators {
    /// A bit for each byte: blanks, line feeds and control characters other than CR.
    masks: Vec<u64>,
    /// For each line feed its place and the number of separators before it.
    line_ends: Vec<(u32, u32)>,
    /// Whether a control character other than LF and CR is among them.
    odd: bool,
}

impl Separators {
    /// Finds the separators of `block`, which must be shorter than 4 GiB.
    pub fn find(&mut self, block: &[u8]) {
        self.prepare(block.len());
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("popcnt")
        {
            // SAFETY: the processor has just said that it has the features the function is compiled for.
            unsafe { self.find_avx2(block) };
            return;
        }
        self.find_scalar(block, 0, 0);
    }

    /// Same as [`Self::find`] without vector instructions; public so that tests can hold both side by side.
    pub fn find_portable(&mut self, block: &[u8]) {
        self.prepare(block.len());
        self.find_scalar(block, 0, 0);
    }

    /// A bit for each byte, 64 to a word.
    #[inline]
    pub fn masks(&self) -> &[u64] {
        &self.masks
    }

    /// For each line feed its place and the number of separators before it.
    #[inline]
    pub fn line_ends(&self) -> &[(u32, u32)] {
        &self.line_ends
    }

    /// Whether the block holds a control character other than LF and CR.
    #[inline]
    pub fn odd(&self) -> bool {
        self.odd
    }

    fn prepare(&mut self, len: usize) {
        self.odd = false;
        self.line_ends.clear();
        self.masks.clear();
        self.masks.reserve(len / 64 + 1);
    }

    /// Whole words from byte `from` on, which is a multiple of 64.
    fn find_scalar(&mut self, block: &[u8], from: usize, mut before: u32) {
        let rest = block.get(from..).unwrap_or_default();
        for (word, bytes) in rest.chunks(64).enumerate() {
            let (mut separators, mut line_feeds) = (0u64, 0u64);
            for (bit, &byte) in bytes.iter().enumerate() {
                if byte > b' ' || byte == b'\r' {
                    continue;
                }
                separators |= 1 << bit;
                match byte {
                    b'\n' => line_feeds |= 1 << bit,
                    b' ' => {}
                    _ => self.odd = true,
                }
            }
            self.take_masks((from + 64 * word) as u32, separators, line_feeds, &mut before);
        }
    }

    /// Takes over 64 bytes as bit masks.
    #[inline(always)]
    fn take_masks(&mut self, base: u32, separators: u64, line_feeds: u64, before: &mut u32) {
        let mut rest = line_feeds;
        while rest != 0 {
            let here = separators & (rest & rest.wrapping_neg()).wrapping_sub(1);
            self.line_ends.push((base + rest.trailing_zeros(), *before + here.count_ones()));
            rest &= rest - 1;
        }
        *before += separators.count_ones();
        self.masks.push(separators);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,popcnt")]
    fn find_avx2(&mut self, block: &[u8]) {
        use std::arch::x86_64::{
            __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
            _mm256_set1_epi8,
        };
        let blank = _mm256_set1_epi8(b' ' as i8);
        let cr = _mm256_set1_epi8(b'\r' as i8);
        let lf = _mm256_set1_epi8(b'\n' as i8);
        let (mut odd, mut before) = (0u64, 0u32);
        let (blocks, rest) = block.as_chunks::<64>();
        for (number, bytes) in blocks.iter().enumerate() {
            let [mut separators, mut line_feeds, mut blanks] = [0u64; 3];
            for half in 0..2 {
                // SAFETY: both halves of a 64-byte array are 32 readable bytes; the load asks for no alignment.
                let v =
                    unsafe { _mm256_loadu_si256(bytes.as_ptr().add(32 * half).cast::<__m256i>()) };
                let mask = |v: __m256i| u64::from(_mm256_movemask_epi8(v) as u32) << (32 * half);
                let low = mask(_mm256_cmpeq_epi8(_mm256_min_epu8(v, blank), v));
                separators |= low & !mask(_mm256_cmpeq_epi8(v, cr));
                line_feeds |= mask(_mm256_cmpeq_epi8(v, lf));
                blanks |= mask(_mm256_cmpeq_epi8(v, blank));
            }
            odd |= separators & !(line_feeds | blanks);
            self.take_masks(64 * number as u32, separators, line_feeds, &mut before);
        }
        self.odd = odd != 0;
        self.find_scalar(block, block.len() - rest.len(), before);
    }
}

/// Walks over the separators of a line, forward.
#[derive(Debug, Clone, Copy)]
pub struct Walk<'a> {
    masks: &'a [u64],
    word: usize,
    /// What is left of that word.
    rest: u64,
}

impl<'a> Walk<'a> {
    /// Begins at byte `start`.
    #[inline(always)]
    pub fn new(masks: &'a [u64], start: usize) -> Self {
        let word = start / 64;
        let rest = masks.get(word).copied().unwrap_or_default() & (!0 << (start % 64));
        Walk { masks, word, rest }
    }

    /// Place of the separator behind `skip` others; `None` behind the last one of the block.
    #[inline(always)]
    pub fn nth(&mut self, mut skip: usize) -> Option<usize> {
        loop {
            let here = self.rest.count_ones() as usize;
            if skip < here {
                for _ in 0..skip {
                    self.rest &= self.rest.wrapping_sub(1);
                }
                let place = self.word * 64 + self.rest.trailing_zeros() as usize;
                self.rest &= self.rest.wrapping_sub(1);
                return Some(place);
            }
            skip -= here;
            self.word += 1;
            self.rest = *self.masks.get(self.word)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn both(block: &[u8]) -> (Separators, Separators) {
        let (mut fast, mut plain) = (Separators::default(), Separators::default());
        // A first, longer block must leave nothing behind.
        fast.find(&[b' '; 300]);
        fast.find(block);
        plain.find_portable(block);
        (fast, plain)
    }

    fn places(found: &Separators) -> Vec<usize> {
        let mut walk = Walk::new(found.masks(), 0);
        std::iter::from_fn(|| walk.nth(0)).collect()
    }

    #[test]
    fn finds_values_and_lines() {
        let (fast, _) = both(b"a b\r\nc\td\n");
        assert_eq!(places(&fast), [1, 4, 6, 8]);
        assert_eq!(fast.line_ends(), [(4, 1), (8, 3)]);
        assert!(fast.odd());
        let (fast, _) = both(b"a b\r\n");
        assert!(!fast.odd());
    }

    proptest! {
        #[test]
        fn vector_and_scalar_agree(
            block in proptest::collection::vec(
                prop_oneof![Just(b' '), Just(b'\n'), Just(b'\r'), Just(0u8), any::<u8>()], 0..700),
            start in 0usize..700, skip in 0usize..20,
        ) {
            let (fast, plain) = both(&block);
            prop_assert_eq!(fast.masks(), plain.masks());
            prop_assert_eq!(fast.line_ends(), plain.line_ends());
            prop_assert_eq!(fast.odd(), plain.odd());
            let expect: Vec<usize> = (0..block.len())
                .filter(|&i| block[i] <= b' ' && block[i] != b'\r').collect();
            prop_assert_eq!(&places(&fast), &expect);
            let behind: Vec<usize> = expect.iter().copied().filter(|&at| at >= start).collect();
            prop_assert_eq!(Walk::new(fast.masks(), start).nth(skip), behind.get(skip).copied());
            for &(place, before) in fast.line_ends() {
                prop_assert_eq!(block[place as usize], b'\n');
                prop_assert_eq!(before as usize, expect.iter().filter(|&&at| at < place as usize).count());
            }
        }
    }
}
