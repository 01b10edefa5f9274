//! Names as sources tell them and logs write them, and whose they are.

use super::*;
use stillin_parsers::event::Identity;

/// `sid=…,dom=…,sam=…,upn=…,smtp=…,dn=…,was=…` for an identity.
fn identity(text: &str) -> Identity {
    let mut identity = Identity::default();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap();
        let value = value.replace(';', ",");
        match name {
            "sid" => identity.sid = Some(value),
            "dom" => identity.domain = Some(value),
            "sam" => identity.sam_account_name = Some(value),
            "upn" => identity.user_principal_name = Some(value),
            "smtp" => identity.smtp.push(value),
            "dn" => identity.distinguished_name = Some(value),
            "was" => identity.former_sam_account_names.push(value),
            other => panic!("{other}"),
        }
    }
    identity
}

/// Says of each name which account's display name it resolves to.
fn check(identities: &[&str], names: &[(&str, &str)]) {
    let identities: Vec<_> = identities.iter().map(|text| identity(text)).collect();
    let (accounts, _) = build(&identities.iter().collect::<Vec<_>>(), &[]);
    for (name, expect) in names {
        let got = match accounts.resolve(name, None) {
            Resolution::Nobody => "nobody".to_owned(),
            Resolution::One(id) => accounts.list[id].display.clone(),
            Resolution::Ambiguous(ids) => {
                let names: Vec<_> =
                    ids.iter().map(|&id| accounts.list[id].display.as_str()).collect();
                format!("? {}", names.join(" "))
            }
        };
        assert_eq!(got, *expect, "{name}");
    }
}

const ADA: &str = "sid=S-1-5-21-1-2-3-1104,dom=FABRIKAM,sam=Ada";

#[test]
fn one_account_under_all_its_names() {
    check(
        &[
            ADA,
            "sid=S-1-5-21-1-2-3-1104,dom=fabrikam.example,sam=ada,upn=ada@fabrikam.example,smtp=a.l@mail.example",
        ],
        &[
            ("FABRIKAM\\ADA", "FABRIKAM\\Ada"),
            ("fabrikam.example\\ada", "FABRIKAM\\Ada"),
            ("ada@fabrikam.example", "FABRIKAM\\Ada"),
            ("A.L@mail.example", "FABRIKAM\\Ada"),
            ("ada@fabrikam", "FABRIKAM\\Ada"),
            ("ada", "FABRIKAM\\Ada"),
            ("S-1-5-21-1-2-3-1104", "FABRIKAM\\Ada"),
            ("CONTOSO\\ada", "nobody"),
            ("ada@contoso.example", "nobody"),
            ("adam", "nobody"),
        ],
    );
}

#[test]
fn domains_meet_by_sid_where_their_names_differ() {
    check(
        &[
            "sid=S-1-5-21-1-2-3-1104,dom=FAB,sam=ada",
            "sid=S-1-5-21-1-2-3-1105,dom=corp.example,sam=bob",
        ],
        &[
            ("FAB\\bob", "FAB\\bob"),
            ("corp.example\\ada", "FAB\\ada"),
            ("bob@corp.example", "FAB\\bob"),
        ],
    );
}

/// Says of each name whether it is the only account's, could be, or is another one's.
fn check_own(identities: &[&str], names: &[(&str, &str)]) {
    let identities: Vec<_> = identities.iter().map(|text| identity(text)).collect();
    let (accounts, _) = build(&identities.iter().collect::<Vec<_>>(), &[]);
    assert_eq!(accounts.list.len(), 1);
    for (name, expect) in names {
        let got = match accounts.resolve(name, None) {
            Resolution::Nobody if accounts.could_be(name, 0) => "could be",
            Resolution::Nobody => "another",
            _ => "own",
        };
        assert_eq!(got, *expect, "{name}");
    }
}

#[test]
fn a_first_label_does_not_make_a_suffix_the_domain() {
    // Nothing but the NetBIOS name is told, as by events.
    check_own(
        &[ADA],
        &[
            ("FABRIKAM\\ada", "own"),
            ("ada@fabrikam", "own"),
            ("ada@fabrikam.com", "could be"),
            ("FABRIKAM.COM\\Ada", "could be"),
            ("fabrikam.local\\ada", "could be"),
            ("FABRIKAM.COM\\ada.smith", "another"),
            ("CONTOSO.COM\\ada", "another"),
        ],
    );
    // With the DNS name and a UPN, other suffixes are others'.
    let known = "sid=S-1-5-21-1-2-3-1104,dom=fabrikam.local,sam=ada,upn=ada.smith@fabrikam.com";
    check_own(
        &[ADA, known],
        &[
            ("ada.smith@fabrikam.com", "own"),
            ("ada@fabrikam.local", "own"),
            ("FABRIKAM.LOCAL\\ada", "own"),
            ("ada@fabrikam.com", "another"),
            ("FABRIKAM.COM\\ada", "another"),
        ],
    );
    // A UPN alone does not say what the domain is called in DNS: the other name may be the one that every account has.
    let upn = "sid=S-1-5-21-1-2-3-1104,sam=ada,upn=ada.smith@fabrikam.com";
    check_own(&[ADA, upn], &[("ada@fabrikam.com", "could be"), ("ada@fabrikam.org", "could be")]);
    // The NetBIOS name mostly is the first label, and there is but one.
    check_own(&[known], &[("FABRIKAM\\ada", "own"), ("FAB\\ada", "another")]);
    check_own(
        &[known, "sid=S-1-5-21-1-2-3-1104,dom=FAB,sam=ada"],
        &[("FAB\\ada", "own"), ("FABRIKAM\\ada", "another")],
    );
}

#[test]
fn a_sam_of_two_domains_is_ambiguous_only_when_bare() {
    check(
        &[ADA, "sid=S-1-5-21-9-9-9-1104,dom=CONTOSO,sam=ada"],
        &[
            ("FABRIKAM\\ada", "FABRIKAM\\Ada"),
            ("CONTOSO\\ada", "CONTOSO\\ada"),
            ("ada", "? FABRIKAM\\Ada CONTOSO\\ada"),
        ],
    );
}

#[test]
fn a_rename_keeps_the_old_name() {
    check(
        &["sid=S-1-5-21-1-2-3-1104,dom=FABRIKAM,sam=ada.king,was=ada"],
        &[("FABRIKAM\\ada", "FABRIKAM\\ada.king"), ("ada.king", "FABRIKAM\\ada.king")],
    );
}

#[test]
fn names_of_a_change_list_join_what_they_name() {
    check(
        &[ADA, "sam=ada", "upn=ada@fabrikam.example", "dom=FABRIKAM,sam=ada"],
        &[("ada", "FABRIKAM\\Ada"), ("ada@fabrikam.example", "FABRIKAM\\Ada")],
    );
    check(&["sam=bob"], &[("FABRIKAM\\bob", "bob"), ("bob", "bob")]);
    // A list that tells no more may mean either.
    let two = "sid=S-1-5-21-9-8-7-1104,dom=CONTOSO,sam=ada,upn=ada@contoso.example";
    check(
        &[ADA, two, "sam=ada"],
        &[
            ("FABRIKAM\\ada", "? FABRIKAM\\Ada ada"),
            ("ada@contoso.example", "? CONTOSO\\ada ada"),
            ("S-1-5-21-9-8-7-1104", "? CONTOSO\\ada ada"),
            ("ada", "? FABRIKAM\\Ada CONTOSO\\ada ada"),
            ("THIRD\\ada", "ada"),
        ],
    );
    // Nor is an address that is a UPN surely the mailbox's.
    check(
        &[two, "smtp=ada@contoso.example"],
        &[
            ("ada@contoso.example", "? CONTOSO\\ada ada@contoso.example"),
            ("CONTOSO\\ada", "? CONTOSO\\ada ada@contoso.example"),
        ],
    );
    check(&["dom=FABRIKAM,sam=ada king"], &[("FABRIKAM\\ada+king", "FABRIKAM\\ada king")]);
}

#[test]
fn two_sids_under_one_name_are_two_accounts() {
    let again = "sid=S-1-5-21-1-2-3-2200,dom=FABRIKAM,sam=ada";
    check(&[ADA, again], &[("FABRIKAM\\ada", "? FABRIKAM\\Ada FABRIKAM\\ada")]);
    let identities = [identity(ADA), identity(again)];
    let (mut accounts, _) = build(&identities.iter().collect::<Vec<_>>(), &[]);
    let at = |hour: i64| DateTime::from_timestamp(hour * 3600, 0);
    accounts.list[0].deleted = at(10);
    accounts.list[1].created = at(12);
    assert_eq!(accounts.resolve("FABRIKAM\\ada", at(11)), Resolution::One(0));
    // A token of the deleted one may live on.
    assert_eq!(accounts.resolve("FABRIKAM\\ada", at(13)), Resolution::Ambiguous(vec![0, 1]));
    assert_eq!(accounts.passed_on(0, "fabrikam\\ADA"), at(12));
    assert_eq!(accounts.passed_on(1, "fabrikam\\ADA"), None);
    assert_eq!(accounts.passed_on(0, "FABRIKAM\\bob"), None);
    accounts.list[1].created = at(9);
    assert_eq!(accounts.passed_on(0, "fabrikam\\ADA"), None);
}

#[test]
fn nobody_bears_a_name_before_being_created() {
    let again = "sid=S-1-5-21-1-2-3-2200,dom=FABRIKAM,sam=ada";
    let renamed = "sid=S-1-5-21-1-2-3-1104,dom=FABRIKAM,sam=ada.old,was=ada";
    let identities = [identity(renamed), identity(again)];
    let (mut accounts, _) = build(&identities.iter().collect::<Vec<_>>(), &[]);
    let at = |hour: i64| DateTime::from_timestamp(hour * 3600, 0);
    accounts.list[1].created = at(12);
    assert_eq!(accounts.resolve("FABRIKAM\\ada", at(11)), Resolution::One(0));
    assert_eq!(accounts.resolve("FABRIKAM\\ada", at(13)), Resolution::Ambiguous(vec![0, 1]));
}

#[test]
fn a_name_of_its_own_has_the_domain_and_the_sam() {
    let identities =
        ["sid=S-1-5-21-1-1-1-1120,dom=fabrikam.example,sam=Linda,upn=linda@fabrikam.example"];
    let identities: Vec<_> = identities.iter().map(|text| identity(text)).collect();
    let (accounts, _) = build(&identities.iter().collect::<Vec<_>>(), &[]);
    for (name, expect) in [
        ("FABRIKAM\\linda", true),
        ("fabrikam.example\\LINDA", true),
        ("CONTOSO\\linda", false),
        ("FABRIKAM\\lin", false),
        ("linda@fabrikam.example", false),
        ("linda", false),
    ] {
        assert_eq!(accounts.is_own_name(name, 0), expect, "{name}");
    }
    assert!(!accounts.is_own_name("FABRIKAM\\linda", 1));
}

#[test]
fn a_mailbox_has_one_master() {
    // The mailbox is told of first, then its masters.
    let check = |masters: &[&str], n_accounts: usize| {
        let identities = [&["sid=S-1-5-21-1-2-3-1120,dom=FABRIKAM,sam=linda"], masters].concat();
        let identities: Vec<_> = identities.iter().map(|text| identity(text)).collect();
        let links: Vec<_> = (1..identities.len()).map(|master| (0, master)).collect();
        let (accounts, ids) = build(&identities.iter().collect::<Vec<_>>(), &links);
        assert_eq!(accounts.list.len(), n_accounts, "{masters:?}");
        assert_ne!(ids[0], ids[1], "{masters:?}");
    };
    let (sid, name) = ("sid=S-1-5-21-9-8-7-1104", "dom=CONTOSO,sam=linda");
    check(&[sid], 2);
    check(&[sid, name], 2);
    check(&[name, sid, name], 2);
    check(&[name, "sid=S-1-5-21-9-8-7-1104,dom=contoso.example,sam=linda"], 2);
    // Sources of different times, perhaps.
    check(&[name, "sid=S-1-5-21-9-8-7-1104,dom=CONTOSO,sam=lin"], 3);
    check(&[name, sid, "dom=CONTOSO,sam=lin"], 4);
    check(&[sid, "sid=S-1-5-21-9-8-7-2200"], 3);
}
