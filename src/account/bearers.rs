//! Whose a name is: names themselves stand in the accounts, here only their numbers.

use super::AccountId;

/// Who may bear a name. A number may be that of several names, so whoever is found is asked for the name itself.
#[derive(Debug, Default)]
pub struct Bearers {
    /// Number of a name and who has it, in order.
    list: Vec<(u64, AccountId)>,
}

impl Bearers {
    /// Of names, each with an account that bears it.
    pub fn new<'a>(names: impl Iterator<Item = (&'a str, AccountId)>) -> Bearers {
        let mut list: Vec<_> = names.map(|(name, id)| (number(name), id)).collect();
        list.sort_unstable();
        list.dedup();
        Bearers { list }
    }

    /// The bearers of a name in the order of the accounts. `has` says whether it is really an account's.
    pub fn of(&self, name: &str, has: impl Fn(AccountId) -> bool) -> Vec<AccountId> {
        let number = number(name);
        let from = self.list.partition_point(|(other, _)| *other < number);
        let may_be = self.list.get(from..).unwrap_or_default().iter();
        let may_be = may_be.take_while(|(other, _)| *other == number).map(|(_, id)| *id);
        may_be.filter(|&id| has(id)).collect()
    }
}

/// A number of a name, the same in any case; hardly any other name has it. Accounts are told of by the thousand, and to
/// make their names small first would be dearer than all else that is done with most of them.
pub fn number(name: &str) -> u64 {
    match name.is_ascii() {
        true => number_of(name.as_bytes()),
        false => number_of(name.to_lowercase().as_bytes()),
    }
}

fn number_of(name: &[u8]) -> u64 {
    // Capitals become small letters, and what becomes of the rest becomes of it everywhere.
    const LOWER: u64 = u64::from_ne_bytes([0x20; 8]);
    let mix = |number: u64, word: u64| {
        let mixed = (number ^ (word | LOWER)).wrapping_mul(0x9fb2_1c65_1e98_df25);
        mixed ^ mixed >> 32
    };
    let (words, rest) = name.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    words.fold(name.len() as u64, mix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_asked_for_itself() {
        let names = ["Ada", "bob", "ADA", "ŁUKASZ"];
        let bearers = Bearers::new(names.into_iter().zip(0..));
        let of = |name: &str| bearers.of(name, |id| names[id].to_lowercase() == name);
        assert_eq!(of("ada"), [0, 2]);
        assert_eq!(of("łukasz"), [3]);
        assert!(bearers.of("bob", |_| false).is_empty());
        assert!(of("eve").is_empty());
    }

    proptest! {
        #[test]
        fn case_does_not_matter(name in "[a-zA-Z0-9.@\\\\äÖßİK -]{0,30}") {
            prop_assert_eq!(number(&name.to_lowercase()), number(&name));
            prop_assert_eq!(number(&name.to_ascii_uppercase()), number(&name));
        }
    }
}
