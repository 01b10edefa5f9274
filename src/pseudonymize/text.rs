//! A text into the same without anything that is known in clear: the longest known name at each place, whole words only.

use super::encoding::{self, Folded};
use super::{Apart, Known, Pseudonyms, is_sid};
use std::ops::Bound;

/// Whose words a text is made of. A name may be a word like `no` or `change`: it must not be found in sentences of this
/// program, where it would spoil them and tell by that what the name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Sentences in which no name of an account stands, but perhaps a path.
    Ours,
    /// Sentences about accounts: names that may be words are where such sentences have names.
    About,
    /// Somebody else's: paths, user agents.
    Theirs,
}

/// What stands before a name in a sentence of ours, and behind it.
const BEFORE: &[&str] = &[", ", "`", " of ", " or ", " by ", "--account ", "--server ", " (", "/"];
const BEHIND: &[&str] = &[":", ",", "`", " or ", "'s", " made ", ")", " (", "/"];
/// Words of ours that are not letters alone.
const FIELDS: &[&str] = &[
    "cs-method",
    "cs-uri-stem",
    "cs-username",
    "sc-status",
    "time-taken",
    "w3c",
    "x-forwarded-for",
];

/// A piece of a text: what is still to be looked through, or a pseudonym.
enum Piece {
    Clear(String),
    Pseudonym(String),
}

impl Pseudonyms<'_> {
    /// The text without what is known in clear, as it stands there or percent-encoded.
    pub fn text(&self, text: &str, words: Words) -> String {
        // What is encoded most often first: `FABRIKAM%5Cghost` is a name as a whole, and else only a domain.
        let mut pieces = vec![Piece::Clear(text.to_owned())];
        for rounds in (0..=encoding::rounds(text)).rev() {
            pieces =
                pieces.into_iter().flat_map(|piece| self.freed(piece, rounds, words)).collect();
        }
        let text = |piece| match piece {
            Piece::Clear(text) | Piece::Pseudonym(text) => text,
        };
        pieces.into_iter().map(text).collect()
    }

    /// A piece, with its encoding undone so many times, into pieces.
    fn freed(&self, piece: Piece, rounds: usize, words: Words) -> Vec<Piece> {
        let text = match piece {
            Piece::Clear(text) => text,
            pseudonym => return vec![pseudonym],
        };
        let folded = Folded::new(&text, rounds);
        let mut pieces = Vec::new();
        let (mut index, mut done) = (0, 0);
        while index < folded.chars.len() {
            let Some((end, pseudonym)) = self.at(&text, &folded, index, words) else {
                index += 1;
                continue;
            };
            pieces.push(Piece::Clear(text[done..folded.at[index]].to_owned()));
            pieces.push(Piece::Pseudonym(pseudonym));
            done = folded.at.get(end).copied().unwrap_or(text.len());
            index = end;
        }
        pieces.push(Piece::Clear(text[done..].to_owned()));
        pieces
    }

    /// What begins at a place, and where it ends.
    fn at(
        &self,
        text: &str,
        folded: &Folded,
        start: usize,
        words: Words,
    ) -> Option<(usize, String)> {
        let byte = |index: usize| folded.at.get(index).copied().unwrap_or(text.len());
        let known = self.longest(folded, start, words, |key, known, end| {
            let is_meant = || is_name_there(&text[..byte(start)], &text[byte(end)..]);
            match words {
                Words::Theirs => true,
                _ if known.is_part => false,
                Words::About => !may_be_word(key) || is_meant(),
                Words::Ours => !may_be_word(key),
            }
        });
        if !folded.is_edge(start, Apart::Word) {
            return known;
        }
        // Of whom nobody knows, but who is somebody by the form of the name.
        let end = (start..folded.chars.len()).find(|&index| !is_of_name(folded.chars[index]));
        let mut end = end.unwrap_or(folded.chars.len());
        while end > start && matches!(folded.chars[end - 1], '.' | ':' | '-' | '\'') {
            end -= 1;
        }
        if end >= start + 2 && folded.chars[end - 2..end] == ['\'', 's'] {
            end -= 2;
        }
        let is_longer = known.as_ref().is_none_or(|(known_end, _)| *known_end < end);
        let shaped = || folded.chars[start..end].iter().collect::<String>();
        match is_longer.then(shaped).filter(|shaped| self.is_shaped(shaped)) {
            Some(shaped) => Some((end, self.name(&shaped))),
            None => known,
        }
    }

    /// The longest thing that is known to begin there and that fits.
    fn longest(
        &self,
        folded: &Folded,
        start: usize,
        words: Words,
        fits: impl Fn(&str, &Known, usize) -> bool,
    ) -> Option<(usize, String)> {
        let as_it_is = self.longest_of(folded, start, |char| char, words, &fits);
        // IIS writes a blank as `+`, and so do queries.
        let spaced = |char| if char == '+' { ' ' } else { char };
        let spaced = (words == Words::Theirs)
            .then(|| self.longest_of(folded, start, spaced, words, &fits))
            .flatten();
        let end = |found: &Option<(usize, String)>| found.as_ref().map(|(end, _)| *end);
        if end(&spaced) > end(&as_it_is) { spaced } else { as_it_is }
    }

    fn longest_of(
        &self,
        folded: &Folded,
        start: usize,
        read: impl Fn(char) -> char,
        words: Words,
        fits: impl Fn(&str, &Known, usize) -> bool,
    ) -> Option<(usize, String)> {
        let mut prefix = String::new();
        let mut found = None;
        for end in start..folded.chars.len() {
            prefix.push(read(folded.chars[end]));
            let next = self
                .known
                .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
                .next();
            let Some((key, known)) = next.filter(|(key, _)| key.starts_with(&prefix)) else {
                break;
            };
            // `Konrads iPad`, as a German phone is called.
            let is_owner = || {
                words == Words::Theirs
                    && known.apart == Apart::Word
                    && end - start >= 2
                    && folded.chars.get(end + 1).is_some_and(|char| matches!(char, 's' | 'S'))
                    && folded.is_edge(end + 2, known.apart)
            };
            let is_apart = || {
                folded.is_edge(start, known.apart)
                    && (folded.is_edge(end + 1, known.apart) || is_owner())
            };
            if *key == prefix && is_apart() && fits(key, known, end + 1) {
                found = Some((end + 1, known.pseudonym.clone()));
            }
        }
        found
    }

    /// `S-1-5-21-…`, `somebody@anywhere`, `DOMAIN\somebody` of a domain that is known.
    fn is_shaped(&self, text: &str) -> bool {
        let is_some = |text: &str| text.chars().any(char::is_alphanumeric);
        if let Some((domain, local)) = text.split_once('\\') {
            return is_some(local) && self.domains.contains(&domain.to_lowercase());
        }
        match text.split_once('@') {
            Some((local, domain)) => is_some(local) && is_some(domain),
            None => is_sid(text) && text.len() > "S-1-5-32-544".len(),
        }
    }
}

fn is_of_name(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '@' | '\\' | '.' | '-' | '_' | '+' | '$' | '\'')
}

/// A name that a sentence may have as a word, or as a number.
fn may_be_word(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphabetic())
        || name.chars().all(|c| c.is_ascii_digit())
        || FIELDS.contains(&name)
}

/// Whether a sentence of ours has a name between these two.
fn is_name_there(before: &str, behind: &str) -> bool {
    let is_counted = || {
        let rest = behind.strip_prefix(" and ").unwrap_or_default();
        rest.starts_with(|c: char| c.is_ascii_digit())
    };
    let begins = before.is_empty() || BEFORE.iter().any(|word| before.ends_with(word));
    let ends = behind.is_empty() || BEHIND.iter().any(|word| behind.starts_with(word));
    let is_owner = behind.starts_with("'s") && before.ends_with(' ');
    let is_changed = before.ends_with(" change to ") && behind.starts_with(" ends");
    (begins && (ends || is_counted())) || is_owner || is_changed
}
