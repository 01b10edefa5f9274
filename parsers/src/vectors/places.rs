//! A text to where certain bytes stand in it.

use super::{lowest, places_of};

/// Where one of some bytes stands in a text, from the first to the last.
#[inline]
pub fn places<const N: usize>(text: &[u8], of: [u8; N]) -> impl Iterator<Item = usize> {
    let (mut base, mut bits) = (0, word(text, 0, of));
    std::iter::from_fn(move || {
        while bits == 0 {
            base += WORD;
            if base >= text.len() {
                return None;
            }
            bits = word(text, base, of);
        }
        let at = base + bits.trailing_zeros() as usize;
        bits &= bits - 1;
        Some(at)
    })
}

/// So many bytes are looked at together.
const WORD: usize = 64;

/// A bit for each byte of the word that begins at `base`.
#[inline]
fn word<const N: usize>(text: &[u8], base: usize, of: [u8; N]) -> u64 {
    let rest = text.get(base..).unwrap_or_default();
    if let Some(word) = rest.first_chunk::<WORD>() {
        let parts = word.as_chunks::<16>().0.iter().enumerate();
        return parts.fold(0, |bits, (n, part)| bits | places_of(part, of) << (16 * n));
    }
    let (whole, tail) = rest.as_chunks::<16>();
    let parts = whole.iter().enumerate();
    let bits = parts.fold(0, |bits, (n, part)| bits | places_of(part, of) << (16 * n));
    if tail.is_empty() {
        return bits;
    }
    let mut last = [0; 16];
    last.iter_mut().zip(tail).for_each(|(to, from)| *to = *from);
    bits | (places_of(&last, of) & lowest(tail.len())) << (16 * whole.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_are_where_they_are(
            text in proptest::collection::vec(prop_oneof![Just(b'&'), Just(b'='), Just(0u8), any::<u8>()], 0..200),
            other: u8,
        ) {
            for of in [[b'&', b'='], [0, other], [other, other]] {
                let plain: Vec<usize> = (0..text.len()).filter(|&at| of.contains(&text[at])).collect();
                prop_assert_eq!(places(&text, of).collect::<Vec<_>>(), plain);
            }
        }
    }
}
