//! A block of log to the places where its values and lines end.
//!
//! This is the innermost loop of the program: every byte of every log goes through it once.
//!
//! W3C logs are separated by blanks, the logs of Exchange by commas: the masks differ, and what is made of them does not.
//!
//! What is kept is the place of every separator, and for each line which of them ends it: a value is then found by its
//! number, between two separators, without a branch that no processor can predict.

use super::{Kind, Vectors};

/// Places written at once, whether there are so many or not: most words of 64 bytes hold fewer.
const AT_ONCE: usize = 4;

/// Places in one block; the buffers are kept from block to block.
#[derive(Debug, Default)]
pub struct Separators {
    /// [`BEFORE`], then the places of separators, and behind the first `n` what is no place.
    places: Vec<u32>,
    n: usize,
    /// For each line feed its number among the places, and behind the first `n_lines` what is none.
    line_ends: Vec<u32>,
    n_lines: usize,
    /// Whether there is a byte that needs a second look.
    odd: bool,
}

/// The place before the first byte, as if a separator stood there: one more than it is 0.
const BEFORE: u32 = u32::MAX;

/// Separators of W3C: blanks, line feeds and, odd as they are, control characters other than CR.
const BLANKS: bool = false;
/// Separators of CSV: commas and line feeds; quotes and NUL are odd.
const COMMAS: bool = true;

impl Separators {
    /// Finds blanks, line feeds and control characters other than CR in `block`, which must be shorter than 4 GiB.
    /// Control characters are odd.
    pub fn find(&mut self, block: &[u8]) {
        self.find_any::<BLANKS>(block);
    }

    /// Finds commas and line feeds. Quotes and NUL are odd, and no separators.
    pub fn find_commas(&mut self, block: &[u8]) {
        self.find_any::<COMMAS>(block);
    }

    /// Same as [`Self::find`] without vector instructions; public so that tests can hold both side by side.
    pub fn find_portable(&mut self, block: &[u8]) {
        self.prepare(block.len());
        self.find_scalar::<BLANKS>(block, 0);
    }

    /// Same as [`Self::find_commas`] without vector instructions.
    pub fn find_commas_portable(&mut self, block: &[u8]) {
        self.prepare(block.len());
        self.find_scalar::<COMMAS>(block, 0);
    }

    #[inline(always)]
    fn find_any<const BY: bool>(&mut self, block: &[u8]) {
        self.prepare(block.len());
        match Vectors::best().0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has just said that it has the features the function is compiled for.
            Kind::Avx512 => unsafe { self.find_avx512::<BY>(block) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the same.
            Kind::Avx2 => unsafe { self.find_avx2::<BY>(block) },
            Kind::None => self.find_scalar::<BY>(block, 0),
        }
    }

    /// The place before the first byte, as if a separator stood there (one more than it is 0), and the places of separators, in
    /// order.
    #[inline]
    pub fn places(&self) -> &[u32] {
        self.places.get(..self.n).unwrap_or_default()
    }

    /// For each line feed its number among the places.
    #[inline]
    pub fn line_ends(&self) -> &[u32] {
        self.line_ends.get(..self.n_lines).unwrap_or_default()
    }

    /// Whether the block holds a byte that needs a second look.
    #[inline]
    pub fn odd(&self) -> bool {
        self.odd
    }

    fn prepare(&mut self, len: usize) {
        (self.odd, self.n, self.n_lines) = (false, 1, 0);
        if self.places.len() < len + 65 {
            self.places.resize(len + 65, BEFORE);
            self.line_ends.resize(len + 65, 0);
        }
    }

    /// Whole words from byte `from` on, which is a multiple of 64.
    fn find_scalar<const BY: bool>(&mut self, block: &[u8], from: usize) {
        let rest = block.get(from..).unwrap_or_default();
        for (word, bytes) in rest.chunks(64).enumerate() {
            let (mut separators, mut line_feeds) = (0u64, 0u64);
            for (bit, &byte) in bytes.iter().enumerate() {
                if BY == COMMAS && byte != b',' && byte != b'\n' {
                    self.odd |= byte == b'"' || byte == 0;
                    continue;
                }
                if BY == BLANKS && (byte > b' ' || byte == b'\r') {
                    continue;
                }
                separators |= 1 << bit;
                match byte {
                    b'\n' => line_feeds |= 1 << bit,
                    b' ' | b',' => {}
                    _ => self.odd = true,
                }
            }
            self.take_masks((from + 64 * word) as u32, separators, line_feeds);
        }
    }

    /// Takes over 64 bytes as bit masks.
    #[inline(always)]
    fn take_masks(&mut self, base: u32, separators: u64, line_feeds: u64) {
        self.take_line_feeds(separators, line_feeds);
        let mut rest = separators;
        let mut at = self.n;
        self.n += separators.count_ones() as usize;
        while at < self.n {
            let Some(room) = self.places.get_mut(at..).and_then(|room| room.first_chunk_mut())
            else {
                return;
            };
            let room: &mut [u32; AT_ONCE] = room;
            for place in room {
                *place = base + rest.trailing_zeros();
                rest &= rest.wrapping_sub(1);
            }
            at += AT_ONCE;
        }
    }

    /// One line end is written whether there is one or not: lines are longer than 64 bytes, and whether a word holds
    /// the end of one no processor can foretell.
    #[inline(always)]
    fn take_line_feeds(&mut self, separators: u64, line_feeds: u64) {
        let mut rest = line_feeds;
        loop {
            let lowest = rest & rest.wrapping_neg();
            let here = separators & lowest.wrapping_sub(1);
            let Some(room) = self.line_ends.get_mut(self.n_lines) else { return };
            *room = self.n as u32 + here.count_ones();
            self.n_lines += usize::from(rest != 0);
            rest ^= lowest;
            if rest == 0 {
                return;
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,popcnt")]
    fn find_avx512<const BY: bool>(&mut self, block: &[u8]) {
        use std::arch::x86_64::{
            _mm512_add_epi32, _mm512_castsi512_si128, _mm512_cmpeq_epi8_mask,
            _mm512_cmple_epu8_mask, _mm512_cvtepu8_epi32, _mm512_extracti32x4_epi32,
            _mm512_loadu_si512, _mm512_maskz_compress_epi8, _mm512_set1_epi8, _mm512_set1_epi32,
            _mm512_storeu_si512,
        };
        let numbers: [u8; 64] = std::array::from_fn(|n| n as u8);
        let [blank, cr, lf, comma, quote, nul] =
            [b' ', b'\r', b'\n', b',', b'"', 0].map(|byte| _mm512_set1_epi8(byte as i8));
        // SAFETY: the array is 64 readable bytes; the load asks for no alignment.
        let numbers = unsafe { _mm512_loadu_si512(numbers.as_ptr().cast()) };
        let mut odd = 0u64;
        let (blocks, rest) = block.as_chunks::<64>();
        // Counted on where it is needed: to bring a number there is dearer.
        let mut bases = _mm512_set1_epi32(-64);
        for bytes in blocks {
            bases = _mm512_add_epi32(bases, _mm512_set1_epi32(64));
            // SAFETY: as above.
            let v = unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) };
            let line_feeds = _mm512_cmpeq_epi8_mask(v, lf);
            let separators = if BY == COMMAS {
                odd |= _mm512_cmpeq_epi8_mask(v, quote) | _mm512_cmpeq_epi8_mask(v, nul);
                _mm512_cmpeq_epi8_mask(v, comma) | line_feeds
            } else {
                let low = _mm512_cmple_epu8_mask(v, blank) & !_mm512_cmpeq_epi8_mask(v, cr);
                odd |= low & !(line_feeds | _mm512_cmpeq_epi8_mask(v, blank));
                low
            };
            let count = separators.count_ones() as usize;
            let room = self.places.get_mut(self.n..).and_then(|room| room.first_chunk_mut());
            let Some(room): Option<&mut [u32; 64]> = room else { break };
            let within = _mm512_maskz_compress_epi8(separators, numbers);
            let write = |quarter, room: &mut [u32]| {
                let Some(room): Option<&mut [u32; 16]> = room.first_chunk_mut() else { return };
                let places = _mm512_add_epi32(_mm512_cvtepu8_epi32(quarter), bases);
                // SAFETY: the array is 64 writable bytes; the store asks for no alignment.
                unsafe { _mm512_storeu_si512(room.as_mut_ptr().cast(), places) };
            };
            // Each from its register: out of an array of them the processor would wait for memory. Sixteen are enough
            // but where empty cells stand side by side.
            write(_mm512_castsi512_si128(within), room);
            if count > 16 {
                write(_mm512_extracti32x4_epi32::<1>(within), &mut room[16..]);
                write(_mm512_extracti32x4_epi32::<2>(within), &mut room[32..]);
                write(_mm512_extracti32x4_epi32::<3>(within), &mut room[48..]);
            }
            self.take_line_feeds(separators, line_feeds);
            self.n += count;
        }
        self.odd = odd != 0;
        self.find_scalar::<BY>(block, block.len() - rest.len());
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,popcnt")]
    fn find_avx2<const BY: bool>(&mut self, block: &[u8]) {
        use std::arch::x86_64::{
            __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
            _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256,
        };
        let blank = _mm256_set1_epi8(b' ' as i8);
        let cr = _mm256_set1_epi8(b'\r' as i8);
        let lf = _mm256_set1_epi8(b'\n' as i8);
        let comma = _mm256_set1_epi8(b',' as i8);
        let quote = _mm256_set1_epi8(b'"' as i8);
        let nul = _mm256_setzero_si256();
        let mut odd = 0u64;
        let (blocks, rest) = block.as_chunks::<64>();
        for (number, bytes) in blocks.iter().enumerate() {
            let [mut separators, mut line_feeds, mut blanks] = [0u64; 3];
            for half in 0..2 {
                // SAFETY: both halves of a 64-byte array are 32 readable bytes; the load asks for no alignment.
                let v =
                    unsafe { _mm256_loadu_si256(bytes.as_ptr().add(32 * half).cast::<__m256i>()) };
                let mask = |v: __m256i| u64::from(_mm256_movemask_epi8(v) as u32) << (32 * half);
                let is_lf = _mm256_cmpeq_epi8(v, lf);
                line_feeds |= mask(is_lf);
                if BY == COMMAS {
                    separators |= mask(_mm256_or_si256(_mm256_cmpeq_epi8(v, comma), is_lf));
                    let is_quote = _mm256_cmpeq_epi8(v, quote);
                    odd |= mask(_mm256_or_si256(is_quote, _mm256_cmpeq_epi8(v, nul)));
                } else {
                    let low = mask(_mm256_cmpeq_epi8(_mm256_min_epu8(v, blank), v));
                    separators |= low & !mask(_mm256_cmpeq_epi8(v, cr));
                    blanks |= mask(_mm256_cmpeq_epi8(v, blank));
                }
            }
            if BY == BLANKS {
                odd |= separators & !(line_feeds | blanks);
            }
            self.take_masks(64 * number as u32, separators, line_feeds);
        }
        self.odd = odd != 0;
        self.find_scalar::<BY>(block, block.len() - rest.len());
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
        same(&fast, &plain);
        #[cfg(target_arch = "x86_64")]
        if Vectors::best() != Vectors::none() {
            let mut narrow = Separators::default();
            narrow.prepare(block.len());
            // SAFETY: whatever processor has vectors at all has AVX2.
            unsafe { narrow.find_avx2::<BLANKS>(block) };
            same(&narrow, &plain);
        }
        (fast, plain)
    }

    fn same(one: &Separators, other: &Separators) {
        assert_eq!(one.places(), other.places());
        assert_eq!(one.line_ends(), other.line_ends());
        assert_eq!(one.odd(), other.odd());
    }

    #[test]
    fn finds_values_and_lines() {
        let (fast, _) = both(b"a b\r\nc\td\n");
        assert_eq!(fast.places(), [BEFORE, 1, 4, 6, 8]);
        assert_eq!(fast.line_ends(), [2, 4]);
        assert!(fast.odd());
        let (fast, _) = both(b"a b\r\n");
        assert!(!fast.odd());
    }

    #[test]
    fn finds_cells_and_rows() {
        for (block, odd) in
            [(&b"a b,,c\r\n\t,\n"[..], false), (b"a\",,c\r\n.,\n", true), (b"a\0,,c\r\n.,\n", true)]
        {
            for find in [Separators::find_commas, Separators::find_commas_portable] {
                let mut found = Separators::default();
                find(&mut found, block);
                let at = block.len() - 8;
                assert_eq!(
                    found.places()[1..],
                    [at, at + 1, at + 4, at + 6, at + 7].map(|at| at as u32)
                );
                assert_eq!(found.line_ends(), [3, 5]);
                assert_eq!(found.odd(), odd);
            }
        }
    }

    proptest! {
        #[test]
        fn vector_and_scalar_agree(
            block in proptest::collection::vec(
                prop_oneof![Just(b' '), Just(b'\n'), Just(b'\r'), Just(0u8), any::<u8>()], 0..700),
        ) {
            let (fast, _) = both(&block);
            let expect: Vec<u32> = (0..block.len())
                .filter(|&i| block[i] <= b' ' && block[i] != b'\r').map(|i| i as u32).collect();
            prop_assert_eq!(&fast.places()[1..], &expect);
            let line_feeds = block.iter().zip(0..).filter(|(byte, _)| **byte == b'\n');
            let ends = fast.line_ends().iter().map(|&end| fast.places()[end as usize]);
            prop_assert!(ends.eq(line_feeds.map(|(_, at)| at)));
        }

        #[test]
        fn vector_and_scalar_agree_on_commas(
            block in proptest::collection::vec(
                prop_oneof![Just(b','), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..700),
            odd: bool,
        ) {
            let strange = |&byte: &u8| byte == b'"' || byte == 0;
            let block: Vec<u8> = block.into_iter().filter(|byte| odd || !strange(byte)).collect();
            let (mut fast, mut plain) = (Separators::default(), Separators::default());
            // A first, longer block of another kind must leave nothing behind.
            fast.find(&[b'\t'; 900]);
            fast.find_commas(&block);
            plain.find_commas_portable(&block);
            same(&fast, &plain);
            #[cfg(target_arch = "x86_64")]
            if Vectors::best() != Vectors::none() {
                let mut narrow = Separators::default();
                narrow.prepare(block.len());
                // SAFETY: as above.
                unsafe { narrow.find_avx2::<COMMAS>(&block) };
                same(&narrow, &plain);
            }
            prop_assert_eq!(fast.odd(), block.iter().any(strange));
            let expect: Vec<u32> = (0..block.len())
                .filter(|&i| b",\n".contains(&block[i])).map(|i| i as u32).collect();
            prop_assert_eq!(&fast.places()[1..], &expect);
            prop_assert_eq!(fast.line_ends().len(), block.iter().filter(|&&b| b == b'\n').count());
        }
    }
}
