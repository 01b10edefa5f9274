//! `AuthenticationType` of Exchange's own logs to the scheme by which somebody logged on (DOMAIN.md 3.1).

/// How the account of a request logged on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Auth {
    /// Basic: IIS caches the token.
    Basic,
    /// Forms (`FBA`), which are Basic behind the front end: IIS caches the token.
    Forms,
    /// NTLM.
    Ntlm,
    /// Negotiate: Kerberos or NTLM, the log does not say which.
    Negotiate,
    /// Kerberos.
    Kerberos,
    /// OAuth.
    Bearer,
    /// Somebody logged on in a way that nothing is known of here: certificates, ADFS, Live ID.
    Other,
    /// Nobody logged on.
    None,
}

/// The word in reports, and how logs spell the scheme; the first spelling is Exchange's.
const WORDS: &[(Auth, &str, &[&str])] = &[
    (Auth::Basic, "basic", &["Basic"]),
    (Auth::Forms, "forms", &["FBA", "Forms"]),
    (Auth::Ntlm, "ntlm", &["NTLM"]),
    (Auth::Negotiate, "negotiate", &["Negotiate"]),
    (Auth::Kerberos, "kerberos", &["Kerberos"]),
    (Auth::Bearer, "bearer", &["Bearer", "OAuth"]),
    (Auth::Other, "other", &[]),
    (Auth::None, "none", &[]),
];

impl Auth {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        WORDS.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The scheme of a cell that says how somebody did log on.
    pub fn of(authentication_type: &[u8]) -> Auth {
        let spelt = |row: &&(Auth, &str, &[&str])| {
            row.2.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(authentication_type))
        };
        WORDS.iter().find(spelt).map_or(Auth::Other, |row| row.0)
    }

    /// Whether IIS caches the token of who logs on like that; `None`: not known.
    pub fn uses_token_cache(self) -> Option<bool> {
        match self {
            Auth::Basic | Auth::Forms => Some(true),
            Auth::Ntlm | Auth::Negotiate | Auth::Kerberos | Auth::Bearer => Some(false),
            Auth::Other | Auth::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes() {
        for (cell, word, cached) in [
            ("Basic", "basic", Some(true)),
            ("FBA", "forms", Some(true)),
            ("fba", "forms", Some(true)),
            ("NTLM", "ntlm", Some(false)),
            ("Negotiate", "negotiate", Some(false)),
            ("Kerberos", "kerberos", Some(false)),
            ("Bearer", "bearer", Some(false)),
            ("OAuth", "bearer", Some(false)),
            ("LiveIdBasic", "other", None),
            ("AdfsFederation", "other", None),
            ("Logon", "other", None),
            ("", "other", None),
        ] {
            let auth = Auth::of(cell.as_bytes());
            assert_eq!((auth.word(), auth.uses_token_cache()), (word, cached), "{cell}");
        }
        let words: std::collections::BTreeSet<_> = WORDS.iter().map(|row| row.0.word()).collect();
        assert_eq!(words.len(), 8);
    }
}
