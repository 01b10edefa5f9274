//! A text into the same without anything that is known in clear: the longest known name at each place, whole words only.

use super::{Pseudonyms, is_sid};
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

/// A text in lower case, and where each of its characters was.
struct Folded {
    chars: Vec<char>,
    /// Byte at which the original of each begins.
    at: Vec<usize>,
}

impl Folded {
    fn new(text: &str) -> Folded {
        let (mut chars, mut at) = (Vec::new(), Vec::new());
        for (place, char) in text.char_indices() {
            for lower in char.to_lowercase() {
                chars.push(lower);
                at.push(place);
            }
        }
        Folded { chars, at }
    }

    /// No word goes on across this place, nor does a character.
    fn is_edge(&self, index: usize) -> bool {
        let is_word = |index: Option<usize>| {
            index.and_then(|index| self.chars.get(index)).is_some_and(|c| c.is_alphanumeric())
        };
        let is_between =
            index == 0 || index >= self.at.len() || self.at[index] != self.at[index - 1];
        is_between && !(is_word(index.checked_sub(1)) && is_word(Some(index)))
    }
}

impl Pseudonyms<'_> {
    /// The text without what is known in clear.
    pub fn text(&self, text: &str, words: Words) -> String {
        let folded = Folded::new(text);
        let mut out = String::with_capacity(text.len());
        let (mut index, mut done) = (0, 0);
        while index < folded.chars.len() {
            let found = folded.is_edge(index).then(|| self.at(text, &folded, index, words));
            let Some((end, pseudonym)) = found.flatten() else {
                index += 1;
                continue;
            };
            out.push_str(&text[done..folded.at[index]]);
            out.push_str(&pseudonym);
            done = folded.at.get(end).copied().unwrap_or(text.len());
            index = end;
        }
        out.push_str(&text[done..]);
        out
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
        let known = self.longest(folded, start, |key, end| {
            let is_meant = || is_name_there(&text[..byte(start)], &text[byte(end)..]);
            match words {
                Words::Theirs => true,
                Words::About => !may_be_word(key) || is_meant(),
                Words::Ours => !may_be_word(key),
            }
        });
        // Of whom nobody knows, but who is somebody by the form of the name.
        let end = (start..folded.chars.len()).find(|&index| !is_of_name(folded.chars[index]));
        let mut end = end.unwrap_or(folded.chars.len());
        while end > start && matches!(folded.chars[end - 1], '.' | ':' | '-' | '\'') {
            end -= 1;
        }
        if end >= start + 2 && folded.chars[end - 2..end] == ['\'', 's'] {
            end -= 2;
        }
        let shaped = &text[byte(start)..byte(end)];
        let is_longer = known.as_ref().is_none_or(|(known_end, _)| *known_end < end);
        if is_longer && self.is_shaped(shaped) {
            return Some((end, self.name(shaped)));
        }
        known
    }

    /// The longest thing that is known to begin there and that fits.
    fn longest(
        &self,
        folded: &Folded,
        start: usize,
        fits: impl Fn(&str, usize) -> bool,
    ) -> Option<(usize, String)> {
        let mut prefix = String::new();
        let mut found = None;
        for end in start..folded.chars.len() {
            prefix.push(folded.chars[end]);
            let next = self
                .known
                .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
                .next();
            let Some((key, pseudonym)) = next.filter(|(key, _)| key.starts_with(&prefix)) else {
                break;
            };
            if *key == prefix && folded.is_edge(end + 1) && fits(key, end + 1) {
                found = Some((end + 1, pseudonym.clone()));
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
