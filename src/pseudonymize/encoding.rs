//! A text into its characters in lower case, percent encoding undone as often as one likes, each with its place.

use super::Apart;

/// Rounds of encoding that are undone. Clients encode once, proxies once more.
const ROUNDS: usize = 4;

/// A text in lower case, and where each of its characters was.
pub struct Folded {
    pub chars: Vec<char>,
    /// Byte at which the original of each begins.
    pub at: Vec<usize>,
}

/// A character and where its original begins.
type Placed = (char, usize);

/// How often the encoding of a text can be undone.
pub fn rounds(text: &str) -> usize {
    let mut placed = placed(text);
    let undo = |_: &usize| match decoded(&placed) {
        Some(decoded) => {
            placed = decoded;
            true
        }
        None => false,
    };
    (0..ROUNDS).take_while(undo).count()
}

fn placed(text: &str) -> Vec<Placed> {
    text.char_indices().map(|(place, char)| (char, place)).collect()
}

/// One round of encoding undone, `%5C` and `%u005C`; nothing if there is none.
fn decoded(text: &[Placed]) -> Option<Vec<Placed>> {
    let digit = |index: usize| text.get(index).and_then(|(char, _)| char.to_digit(16));
    let digits = |from: usize, n: usize| {
        (from..from + n).try_fold(0, |value, index| Some(value * 16 + digit(index)?))
    };
    let byte = |index: usize| match text.get(index) {
        Some(('%', _)) => digits(index + 1, 2).and_then(|value| u8::try_from(value).ok()),
        _ => None,
    };
    let wide = |index: usize| match (text.get(index), text.get(index + 1)) {
        (Some(('%', _)), Some(('u' | 'U', _))) => digits(index + 2, 4).and_then(char::from_u32),
        _ => None,
    };
    let mut out = Vec::with_capacity(text.len());
    let mut is_encoded = false;
    let mut index = 0;
    while let Some(&(char, place)) = text.get(index) {
        if let Some(char) = wide(index) {
            out.push((char, place));
            (index, is_encoded) = (index + 6, true);
            continue;
        }
        let bytes: Vec<u8> = (index..).step_by(3).map_while(byte).take(4).collect();
        let Some(&first) = bytes.first() else {
            out.push((char, place));
            index += 1;
            continue;
        };
        // UTF-8, else what Windows had before.
        let of_utf8 = |n: &usize| std::str::from_utf8(bytes.get(..*n)?).ok()?.chars().next();
        let found = (1..=bytes.len()).find_map(|n| Some((n, of_utf8(&n)?)));
        let (n, char) = found.unwrap_or((1, first.into()));
        out.push((char, place));
        (index, is_encoded) = (index + 3 * n, true);
    }
    is_encoded.then_some(out)
}

impl Folded {
    /// With its encoding undone so many times.
    pub fn new(text: &str, rounds: usize) -> Folded {
        let mut all = placed(text);
        for _ in 0..rounds {
            all = decoded(&all).unwrap_or(all);
        }
        let (mut chars, mut at) = (Vec::new(), Vec::new());
        for (char, place) in all {
            for lower in char.to_lowercase() {
                chars.push(lower);
                at.push(place);
            }
        }
        Folded { chars, at }
    }

    /// Whether something may begin or end at this place.
    pub fn is_edge(&self, index: usize, apart: Apart) -> bool {
        let is_between =
            index == 0 || index >= self.at.len() || self.at[index] != self.at[index - 1];
        let goes_on = |is_of_it: fn(char) -> bool| {
            let has = |index: Option<usize>| {
                index.and_then(|index| self.chars.get(index)).is_some_and(|char| is_of_it(*char))
            };
            has(index.checked_sub(1)) && has(Some(index))
        };
        is_between
            && match apart {
                Apart::Word => !goes_on(char::is_alphanumeric),
                Apart::Number => !goes_on(|char| char.is_ascii_digit()),
                Apart::Hexadecimal => !goes_on(|char| char.is_ascii_hexdigit()),
                Apart::Nothing => true,
            }
    }
}
