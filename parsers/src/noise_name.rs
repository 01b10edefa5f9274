//! The name of an account to whether Exchange made it for itself (DOMAIN.md 2.5): the one place that
//! knows those shapes, for web logs, events and directory exports alike.

/// A mailbox that Exchange keeps for itself; what follows an `@` is passed over.
///
/// Whoever is taken for one is not looked at any more, so this is narrower than the pattern of
/// DOMAIN.md: what follows the prefix must be what Exchange puts there. `SM_Smith`,
/// `migration.team` and `HealthMailboxOwner` are people.
///
/// A name that ends with `$` is no noise by that alone. Computers have such names, but so can a user
/// object whose maker wants it overlooked; a source that tells objects apart has to say that it is a
/// computer (`objectClass`, `userAccountControl`). Only web logs, which tell nothing of the object,
/// go by the `$`.
pub fn is_of_exchange(name: &[u8]) -> bool {
    let name = memchr::memchr(b'@', name).and_then(|at| name.get(..at)).unwrap_or(name);
    let after = |prefix: &[u8]| {
        let (head, tail) = name.split_at_checked(prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then_some(tail)
    };
    let hex = |prefix: &[u8], least: usize| {
        after(prefix)
            .is_some_and(|tail| tail.len() >= least && tail.iter().all(u8::is_ascii_hexdigit))
    };
    // Braced, not braced, or cut to the 20 characters of a `sAMAccountName`.
    let guid = |prefix: &[u8]| {
        let Some(tail) = after(prefix) else { return false };
        let tail = tail.strip_prefix(b"{").unwrap_or(tail);
        let Some((first, rest)) = tail.split_at_checked(8) else { return false };
        first.iter().all(u8::is_ascii_hexdigit)
            && rest.iter().all(|b| b.is_ascii_hexdigit() || b"-}".contains(b))
    };
    // Its first letter rules out nearly every name.
    match name.first().map(u8::to_ascii_lowercase) {
        Some(b'h') => hex(b"HealthMailbox", 5),
        Some(b's') => hex(b"SM_", 8) || guid(b"SystemMailbox"),
        Some(b'e') => hex(b"extest_", 8),
        Some(b'm') => guid(b"Migration."),
        Some(b'd') => {
            guid(b"DiscoverySearchMailbox")
                || guid(b"DiscoverySearchMailbox ")
                // As a web log spells the blank.
                || guid(b"DiscoverySearchMailbox+")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_of_exchange;

    #[test]
    fn names() {
        for (name, expect) in [
            ("HealthMailbox83d6781", true),
            ("healthmailbox0123456789abcdef0123456789abcdef@fabrikam.example", true),
            ("SM_0123456789abcdef0", true),
            ("extest_7f3b0c1d2e3f4", true),
            ("SystemMailbox{1f05a927-89c0-4725-adca-4527114196a1}", true),
            ("SystemMailbox{1f05a9", false),
            ("Migration.8f3e7716-2", true),
            ("Migration.8f3e7716-2011-43e4-96b1-aba62d229136", true),
            ("DiscoverySearchMailbox {D919BA05-46A6-415f-80AD-7E09334BB852}", true),
            ("DiscoverySearchMailbox+{D919BA05-46A6-415f-80AD-7E09334BB852}", true),
            ("DiscoverySearchMailboxD919BA05", true),
            ("SM_Smith", false),
            ("SM_Dad", false),
            ("sm_deadbeef.smith", false),
            ("migration.team", false),
            ("Migration.deadbeef-smith", false),
            ("extest_ernal", false),
            ("HealthMailbox", false),
            ("HealthMailboxOwner", false),
            ("HealthMailbox-EX01", false),
            ("FABRIKAM\\HealthMailbox83d6781", false),
            ("EX01$", false),
            ("Ünal", false),
            ("@HealthMailbox83d6781", false),
            ("", false),
        ] {
            assert_eq!(is_of_exchange(name.as_bytes()), expect, "{name}");
        }
    }
}
