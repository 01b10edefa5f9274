//! A name of several words to those by which a person is called.

/// What stands in names of accounts without being anybody's, and in user agents and paths without meaning anybody.
const NOBODYS: &[&str] = &[
    "account",
    "admin",
    "administrator",
    "android",
    "app",
    "apple",
    "autodiscover",
    "backup",
    "building",
    "conf",
    "conference",
    "contact",
    "default",
    "dept",
    "device",
    "domain",
    "equipment",
    "exchange",
    "external",
    "floor",
    "guest",
    "helpdesk",
    "iis",
    "info",
    "ios",
    "ipad",
    "iphone",
    "ldap",
    "linux",
    "local",
    "log",
    "logs",
    "mac",
    "mail",
    "mailbox",
    "mapi",
    "meeting",
    "microsoft",
    "mobile",
    "monitor",
    "office",
    "operator",
    "outlook",
    "phone",
    "printer",
    "relay",
    "room",
    "samsung",
    "scan",
    "scanner",
    "server",
    "service",
    "services",
    "shared",
    "support",
    "svc",
    "sync",
    "system",
    "tablet",
    "team",
    "temp",
    "test",
    "the",
    "user",
    "users",
    "web",
    "windows",
];

/// The words of a name that has several, in lower case: `ada` and `lovelace`.
pub fn of_name(name: &str) -> Vec<String> {
    let name = name.to_lowercase();
    let words: Vec<&str> =
        name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_ones = |word: &&str| {
        word.chars().count() > 2 && word.chars().all(char::is_alphabetic) && !NOBODYS.contains(word)
    };
    let is_distinguished = name.contains('=');
    let words = words.iter().copied().filter(|_| words.len() > 1 && !is_distinguished);
    words.filter(is_ones).map(str::to_owned).collect()
}

/// The first label of the DNS name of a domain, in lower case.
pub fn label(domain: &str) -> Option<String> {
    let (label, _) = domain.split_once('.')?;
    let label = label.trim().to_lowercase();
    let is_one = label.chars().count() > 2 && label.chars().any(char::is_alphabetic);
    (is_one && !NOBODYS.contains(&label.as_str())).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_called_what() {
        for (name, expect) in [
            ("Ada Lovelace", &["ada", "lovelace"][..]),
            ("Lovelace, Ada M.", &["lovelace", "ada"]),
            ("ada.lovelace", &["ada", "lovelace"]),
            ("svc-scan_ada2", &[]),
            ("jürgen-óg o'neill", &["jürgen", "neill"]),
            ("ada", &[]),
            ("CN=Ada,OU=Staff,DC=fabrikam,DC=example", &[]),
            ("", &[]),
        ] {
            assert_eq!(of_name(name), expect, "{name}");
        }
    }
}
