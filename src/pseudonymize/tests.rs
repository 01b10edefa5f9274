//! Names in any form, and sentences with hostile ones.

use super::text::Words;
use super::*;
use crate::account::{build, named};
use proptest::prelude::*;
use std::collections::BTreeSet;
use stillin_parsers::event::Identity;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

fn accounts() -> Accounts {
    let ada = Identity {
        sid: Some("S-1-5-21-1-2-3-1104".into()),
        domain: Some("FABRIKAM".into()),
        sam_account_name: Some("ada".into()),
        user_principal_name: Some("ada@fabrikam.example".into()),
        smtp: vec!["ada.lovelace@fabrikam.example".into(), "ada@elsewhere.example".into()],
        ..Identity::default()
    };
    let bob = named("FABRIKAM\\bob");
    // The SIDs tell that both names of the domain are one's.
    let carl = Identity {
        sid: Some("S-1-5-21-1-2-3-1106".into()),
        domain: Some("fabrikam.example".into()),
        sam_account_name: Some("carl".into()),
        ..Identity::default()
    };
    let (accounts, _) = build(&[&ada, &bob, &carl], &[]);
    accounts
}

/// Pseudonyms of a run that knows these names.
fn pseudonyms<'a>(accounts: &'a Accounts, names: &[&str]) -> Pseudonyms<'a> {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let clear = Clear {
        names,
        domains: BTreeSet::from(["FABRIKAM".to_owned(), "fabrikam.example".to_owned()]),
        sids: BTreeSet::from(["S-1-5-21-1-2-3-1104".to_owned()]),
        addresses: BTreeSet::from(["203.0.113.7".to_owned()]),
        devices: BTreeSet::from(["ApplDNQX7K2M0F17".to_owned()]),
        kept: BTreeSet::from(["EX01".to_owned(), "MSExchangeSyncAppPool".to_owned()]),
        paths: BTreeSet::from(["iis/ada/EX01/u_ex260302.log".to_owned()]),
    };
    Pseudonyms::new(key::of_bytes(KEY).unwrap(), accounts, &clear)
}

#[test]
fn one_account_has_one_token_in_every_form() {
    let accounts = accounts();
    let all = pseudonyms(&accounts, &[]);
    let user = all.name("ada");
    let dom = all.domain("fabrikam");
    assert!(user.starts_with("user-") && user.len() == 17, "{user}");
    assert_eq!(all.name("FABRIKAM\\ada"), format!("{dom}\\{user}"));
    assert_eq!(all.name("fabrikam\\ADA"), format!("{dom}\\{user}"));
    assert_eq!(all.name("Ada@Fabrikam.Example"), format!("{user}@{dom}"));
    // Another local part is another spelling of the same account.
    let long = all.name("ada.lovelace@fabrikam.example");
    assert!(long.starts_with(&format!("{user}.")) && long.ends_with(&format!("@{dom}")), "{long}");
    let mail = all.name("ada@elsewhere.example");
    assert!(mail.starts_with(&format!("{user}@dom-")) && !mail.ends_with(&dom), "{mail}");
    assert_ne!(all.name("bob"), user);
    assert_eq!(all.name("S-1-5-21-1-2-3-1104"), all.sid("s-1-5-21-1-2-3-1104"));
    assert!(all.name("S-1-5-21-1-2-3-1104").starts_with("sid-"));
    assert_eq!(all.address("::ffff:a"), all.address("::FFFF:A"));
    assert_eq!(all.address("2001:db8::1"), all.address("2001:0db8:0:0::1"));
    // A server stays, but for its domain.
    assert_eq!(all.server("EX01"), "EX01");
    assert_eq!(all.server("EX01.fabrikam.example"), format!("EX01.{dom}"));
    let distinguished = all.name("CN=Lovelace\\, Ada,OU=x,DC=fabrikam,DC=example");
    assert!(distinguished.starts_with("user-") && distinguished.len() == 17, "{distinguished}");
    for empty in ["", "-", " "] {
        assert_eq!(all.name(empty), empty);
    }
    assert_eq!((all.device(""), all.address(""), all.sid("")), Default::default());
}

#[test]
fn parts_of_names_stand_in_what_others_wrote_and_not_in_our_sentences() {
    let accounts = accounts();
    let all = pseudonyms(&accounts, &["change.lovelace@fabrikam.example", "Hopper, Grace"]);
    let (lovelace, hopper) = (all.token("name", "lovelace"), all.token("name", "hopper"));
    let grace = all.token("name", "grace");
    for (text, expect) in [
        ("Lovelace’s iPhone", format!("{lovelace}’s iPhone")),
        ("phone_of_lovelace", format!("phone_of_{lovelace}")),
        ("Grace+Hopper (iOS)", format!("{grace}+{hopper} (iOS)")),
        // A German's.
        ("Hoppers+iPad", format!("{hopper}s+iPad")),
        ("Hoppersy", "Hoppersy".to_owned()),
        ("203-0-113-7.dyn.example", format!("{}.dyn.example", all.address("203.0.113.7"))),
    ] {
        assert_eq!(all.text(text, Words::Theirs), expect);
    }
    let ours = "the change to grace, of lovelace: 3";
    assert_eq!(all.text(ours, Words::Ours), ours);
    assert_eq!(all.text(ours, Words::About), ours);
}

/// Where no source tells the name that Windows gives a domain, it may be the first label.
#[test]
fn a_first_label_is_a_name_of_a_domain() {
    let accounts = accounts();
    let all = pseudonyms(&accounts, &["eve@contoso.example", "eve@mail.example", "eve@ad.example"]);
    let contoso = all.domain("contoso.example");
    for (text, expect) in [
        ("CONTOSO%5Ceve", format!("{contoso}\\{}", all.name("eve"))),
        ("contoso-logs/EX01", format!("{contoso}-logs/EX01")),
        ("Contoso\\ghost", format!("{contoso}\\{}", all.name("ghost"))),
        ("mail/ad/x", "mail/ad/x".to_owned()),
    ] {
        assert_eq!(all.text(text, Words::Theirs), expect);
    }
    assert_eq!(all.text("of contoso", Words::Ours), "of contoso");
}

#[test]
fn another_key_gives_others() {
    let accounts = accounts();
    let all = pseudonyms(&accounts, &[]);
    let other = key::of_bytes(b"another key that is long enough for that").unwrap();
    let other = Pseudonyms::new(other, &accounts, &Clear::default());
    assert_ne!(all.name("ada"), other.name("ada"));
    assert_ne!(all.of_key(), other.of_key());
}

#[test]
fn keys_that_are_none() {
    let check = |bytes: &[u8], expect: &str| {
        let error = key::of_bytes(bytes).err().map(|error| error.to_string());
        assert!(error.unwrap_or_default().starts_with(expect), "{expect}");
    };
    check(b"", "a key of 0 bytes can be guessed, 32 are needed; `openssl rand -hex 32 > FILE`");
    check(&KEY[..31], "a key of 31 bytes can be guessed");
    check(&[0; 64], "one byte over and over is no key");
    check(&vec![1; (1 << 20) + 1], "too large for a key");
    check(KEY, "");
    assert!(key::of_bytes(KEY).is_ok());
}

#[test]
fn texts() {
    let accounts = accounts();
    let names = ["FABRIKAM\\ada", "ada@fabrikam.example", "ada", "Ada Lovelace", "b.o'b", "4711"];
    let all = pseudonyms(&accounts, &names);
    let (ada, dom) = (all.name("ada"), all.domain("FABRIKAM"));
    let check = |text: &str, words: Words, expect: String| {
        assert_eq!(all.text(text, words), expect, "{text}");
    };
    let about = Words::About;
    check("FABRIKAM\\ada: disabled", about, format!("{dom}\\{ada}: disabled"));
    check("fabrikam\\Ada, FABRIKAM\\ghost and 2 more: x", about, {
        format!("{dom}\\{ada}, {} and 2 more: x", all.name("FABRIKAM\\ghost"))
    });
    check("by nobody@nowhere.example.", about, {
        format!("by {}.", all.name("nobody@nowhere.example"))
    });
    check("have SID S-1-5-21-9-9-9-500 in", about, {
        format!("have SID {} in", all.sid("S-1-5-21-9-9-9-500"))
    });
    check(
        "may be those of ada or EX01, and no",
        about,
        format!("may be those of {ada} or EX01, and no"),
    );
    check(
        "203.0.113.7: several users",
        about,
        format!("{}: several users", all.address("203.0.113.7")),
    );
    check("203.0.113.77: several users", about, "203.0.113.77: several users".into());
    check(
        "4711 requests by `4711` may",
        about,
        format!("4711 requests by `{}` may", all.name("4711")),
    );
    check("Ada Lovelace's own", about, format!("{}'s own", all.name("Ada Lovelace")));
    check("so B.O'B's is", about, format!("so {}'s is", all.name("b.o'b")));
    check("iis/ada/EX01/u_ex260302.log:12: x", Words::Ours, {
        format!("iis/{ada}/EX01/u_ex260302.log:12: x")
    });
    check("Outlook (Ada) ApplDNQX7K2M0F17", Words::Theirs, {
        format!("Outlook ({ada}) {}", all.device("ApplDNQX7K2M0F17"))
    });
    check("Canada, adage, ada1", Words::Theirs, "Canada, adage, ada1".into());
    check("", about, String::new());
    check("İada\u{130}", Words::Theirs, "İada\u{130}".into());
}

/// What a client sends may be encoded, once or more, and stand beside anything.
#[test]
fn names_that_are_encoded() {
    let accounts = accounts();
    let all = pseudonyms(&accounts, &["FABRIKAM\\ada", "Ada Lovelace", "josé"]);
    let (ada, dom) = (all.name("ada"), all.domain("FABRIKAM"));
    let (jose, long) = (all.name("josé"), all.name("Ada Lovelace"));
    let (whole, mail) = (format!("{dom}\\{ada}"), all.name("ada@fabrikam.example"));
    let (ghost, device) = (all.name("FABRIKAM\\ghost"), all.device("ApplDNQX7K2M0F17"));
    let check = |text: &str, expect: &str| {
        assert_eq!(all.text(text, Words::Theirs), expect, "{text}");
    };
    check("Outlook (FABRIKAM%5Cada)", &format!("Outlook ({whole})"));
    check("fabrikam%5cADA/1.0", &format!("{whole}/1.0"));
    check("FABRIKAM%255Cada", &whole);
    check("FABRIKAM%25255Cada", &whole);
    check("FABRIKAM%u005Cada", &whole);
    check("x=%61%64%61;", &format!("x={ada};"));
    check("x=%2561da", &format!("x={ada}"));
    check("User%3Dada%26x", &format!("User%3D{ada}%26x"));
    check("ada%40fabrikam.example", &mail);
    check("Mail/ADA%40Fabrikam%2EExample", &format!("Mail/{mail}"));
    // Of these nobody knows.
    check("FABRIKAM%5Cghost", &ghost);
    check("nobody%40nowhere.example", &all.name("nobody@nowhere.example"));
    check("Ada+Lovelace", &long);
    check("Ada%20Lovelace, Ada%2BLovelace", &format!("{long}, {long}"));
    check("jos%C3%A9 jos%e9", &format!("{jose} {jose}"));
    // What looks encoded and is none.
    check("100%ada", &format!("100%{ada}"));
    check("%ada", &format!("%{ada}"));
    check("100% %zz %5", "100% %zz %5");
    check("Can%61da, 50%25", "Can%61da, 50%25");
    // What is called like nothing else is meant wherever it stands.
    check("ApplDNQX7K2M0F17x", &format!("{device}x"));
    check("idapplDNQX7K2M0F1712", &format!("id{device}12"));
    check("xFABRIKAM\\ada", &format!("x{whole}"));
    let (address, sid) = (all.address("203.0.113.7"), all.sid("S-1-5-21-1-2-3-1104"));
    check("ip203.0.113.7x", &format!("ip{address}x"));
    check("xS-1-5-21-1-2-3-1104y", &format!("x{sid}y"));
    check("203.0.113.77, 1203.0.113.7", "203.0.113.77, 1203.0.113.7");
    assert_eq!(all.command("Sync"), "Sync");
    assert_eq!(all.command("ada"), ada);
    assert_eq!(all.command("FABRIKAM%5Cada"), whole);
}

/// Somebody may be called like a command.
#[test]
fn commands_that_are_known_stay() {
    let accounts = accounts();
    let all = pseudonyms(&accounts, &["ping", "getitem", "propfind", "autodiscover"]);
    for word in ["Ping", "GetItem", "PROPFIND"] {
        assert_eq!(all.command(word), word);
    }
    assert_eq!(all.command("autodiscover.xml"), format!("{}.xml", all.name("autodiscover")));
}

/// Sentences as `analyze` makes them, with the place of a name.
const SENTENCES: &[&str] = &[
    "{}: disabled, and no source says since when; add event logs of the domain controllers or the replication metadata",
    "{}, {} and 3 more: cut off when the logs had ended, so that is not judged; add newer logs",
    "12 requests by `{}` may be those of {} or {}, and no source ties the name to it; add a directory export with its \
     UPN, SID and addresses",
    "2 request(s) by `{}` have SID - in HttpProxy, which no source knows and which is not {}'s: of an account made again \
     under the name, or of another forest, so not taken for {}'s; add a directory export",
    "{} made 3 request(s) of EWS with the rights of {} (-): that is not {}'s own access, and no change to {} ends it",
    "--account {}: no source tells of a change to it, so there is nothing to judge; add the evidence, or a change list",
    "{}: no request under that name since the day before the change, and no source tells the UPN and addresses with \
     which it may log on; add a directory export",
];

/// Words of these sentences, which somebody may be called.
fn words() -> Vec<String> {
    let words = SENTENCES.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    let words: BTreeSet<&str> = words.filter(|word| !word.is_empty()).collect();
    words.into_iter().map(str::to_owned).collect()
}

#[test]
fn whoever_is_called_like_a_word_of_ours() {
    let accounts = Accounts::default();
    let more = ["user", "a", "no", "change", "x1", "1", "the", "account's", "or", "ex01"];
    for name in words().iter().map(String::as_str).chain(more) {
        let all = pseudonyms(&accounts, &[name]);
        if all.text(name, Words::Theirs) == name {
            assert_eq!(name, "ex01", "is not known");
            continue;
        }
        for sentence in SENTENCES {
            let expect = sentence.replace("{}", &all.name(name));
            assert_eq!(all.text(&sentence.replace("{}", name), Words::About), expect, "{name}");
        }
    }
}

proptest! {
    /// Whatever somebody is called, and whatever others are called.
    #[test]
    fn no_name_stays(
        names in prop::collection::vec("[ab.ß\\-é ]{0,3}[abÄ1]{1,3}(@[ab]{1,2}\\.x)?|[AB]{1,2}\\\\[ab\\$]{1,3}[a1]", 1..6),
        number in 0..SENTENCES.len(),
    ) {
        let accounts = accounts();
        let names: Vec<&str> = names.iter().map(|name| name.trim()).collect();
        let all = pseudonyms(&accounts, &names);
        let sentence = SENTENCES[number];
        for name in &names {
            let freed = all.text(&sentence.replace("{}", name), Words::About);
            // What is not a name is as it was.
            let mut pieces = sentence.split("{}").filter(|piece| piece.len() > 6);
            prop_assert!(pieces.all(|piece| freed.contains(piece.trim_matches([' ', '\'']))), "{name}: {freed}");
            // Somebody may be called like a domain.
            let n_pseudonyms = freed.matches("user-").count() + freed.matches("dom-").count();
            prop_assert!(n_pseudonyms >= sentence.matches("{}").count(), "{name}: {freed}");
        }
        let listed = names.join(", ");
        let freed = all.text(&listed, Words::Theirs).to_lowercase();
        for name in &names {
            let name = name.to_lowercase();
            let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let found = freed.match_indices(&name).any(|(at, _)| {
                !is_word(freed[..at].chars().next_back())
                    && !is_word(freed[at + name.len()..].chars().next())
            });
            prop_assert!(!found, "{name:?} in {freed:?}");
        }
    }

    /// Whatever of a name is encoded, and how often.
    #[test]
    fn no_encoded_name_stays(
        name in "[aé]b[1cÄ]{1,3}(@[ab]{1,2}\\.x)?|[AB]{1,2}\\\\[ab]{1,3}1",
        is_encoded in any::<u32>(),
        rounds in 1..3,
    ) {
        let accounts = accounts();
        let all = pseudonyms(&accounts, &[&name]);
        let mut text = name.clone();
        for _ in 0..rounds {
            let signs = text.chars().enumerate().map(|(index, char)| {
                let bytes = char.to_string().into_bytes();
                let encoded = || bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
                let is_meant = char == '%' || is_encoded >> (index % 32) & 1 == 1;
                if is_meant { encoded() } else { char.to_string() }
            });
            text = signs.collect();
        }
        let freed = all.text(&format!("x/{text};"), Words::Theirs);
        prop_assert_eq!(freed, format!("x/{};", all.name(&name)), "{}", text);
    }

    /// Any text, any name: no panic, and the ends of a text that has none of it are the same.
    #[test]
    fn any_text(text in any::<String>(), name in any::<String>()) {
        let accounts = accounts();
        let all = pseudonyms(&accounts, &[&name]);
        for words in [Words::Ours, Words::About, Words::Theirs] {
            all.text(&text, words);
        }
        all.name(&name);
        all.path(&text);
    }
}
