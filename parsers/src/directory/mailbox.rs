//! What Exchange's attributes say of an object to the kind of its mailbox: many accounts are disabled by design
//! (DOMAIN.md 4.4).

use super::names;
use crate::event::{Identity, Mailbox};

/// What an export tells of it.
#[derive(Debug, Clone, Default)]
pub struct Traits {
    /// The type, where it is told and known.
    recipient: Option<Recipient>,
    /// What other attributes come to.
    implied: Option<Mailbox>,
    /// The account of another forest that logs on to it.
    master: Option<Box<Identity>>,
}

/// What an object is to Exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recipient {
    Mailbox(Mailbox),
    /// A group, a contact, a computer: nobody logs on with a mailbox under its name.
    NoAccount,
}

impl Traits {
    /// The kind of the mailbox; none where nothing tells of one.
    pub fn mailbox(&self) -> Option<Mailbox> {
        match self.recipient {
            Some(Recipient::Mailbox(mailbox)) => Some(mailbox),
            _ => self.implied,
        }
    }

    /// The account of another forest that logs on to it, as far as it is told.
    pub fn master(&self) -> Option<&Identity> {
        self.master.as_deref().filter(|master| !names::is_empty(master))
    }

    /// It is surely none.
    pub fn is_no_account(&self) -> bool {
        self.recipient == Some(Recipient::NoAccount)
    }
}

/// Takes one value of an attribute under its name in lower case; others than Exchange's are passed over.
pub fn take(traits: &mut Traits, attribute: &str, value: &[u8], text: &str) {
    let is_true = text.eq_ignore_ascii_case("true");
    let implied = match attribute {
        "msexchrecipienttypedetails" => {
            traits.recipient = recipient(text);
            None
        }
        "msexchmasteraccountsid" => names::sid(value).and_then(|sid| of_master(&sid, traits)),
        "linkedmasteraccount" => of_master(text, traits),
        "islinked" => is_true.then_some(Mailbox::Linked),
        "isshared" => is_true.then_some(Mailbox::Shared),
        "resourcetype" if text.eq_ignore_ascii_case("Equipment") => Some(Mailbox::Equipment),
        "resourcetype" => text.eq_ignore_ascii_case("Room").then_some(Mailbox::Room),
        "isresource" => is_true.then_some(Mailbox::Room),
        _ => None,
    };
    // Of a resource `ResourceType`, which comes first, says more.
    traits.implied = traits.implied.or(implied);
}

/// An account of another forest is the master of a linked mailbox. Shared mailboxes and resources, and user mailboxes
/// whose account somebody disabled, have SELF there (S-1-5-10), which says nothing of design: `NT AUTHORITY\SELF`,
/// `NT-AUTORITÄT\SELBST`, `AUTORITE NT\SELF`.
fn of_master(master: &str, traits: &mut Traits) -> Option<Mailbox> {
    let sid = Some(master.to_ascii_uppercase()).filter(|sid| sid.starts_with("S-1-5-21-"));
    let is_nt = |domain: &str| domain.split([' ', '-']).any(|word| word.eq_ignore_ascii_case("NT"));
    let name = master.split_once('\\').filter(|(domain, _)| !is_nt(domain));
    if sid.is_none() && name.is_none() {
        return None;
    }
    let told = traits.master.get_or_insert_default();
    // Letters that are not ASCII may be lost.
    if let Some((domain, sam)) = name.filter(|_| !master.contains(['?', '\u{fffd}'])) {
        told.domain = Some(domain.to_owned());
        told.sam_account_name = Some(sam.to_owned());
    }
    told.sid = sid.or(told.sid.take());
    Some(Mailbox::Linked)
}

/// `msExchRecipientTypeDetails` as LDAP has it, and the word that Exchange shows for it. Whatever is not here says
/// nothing: an account without a mailbox (`User`, `MailUser`, `DisabledUser`), or a type of which nobody knows.
#[rustfmt::skip]
const TYPES: &[(u64, &str, Recipient)] = {
    use Mailbox::*;
    use Recipient::{Mailbox as Of, NoAccount};
    &[
        (1,                   "UserMailbox",                    Of(User)),
        (2,                   "LinkedMailbox",                  Of(Linked)),
        (4,                   "SharedMailbox",                  Of(Shared)),
        (8,                   "LegacyMailbox",                  Of(User)),
        (16,                  "RoomMailbox",                    Of(Room)),
        (32,                  "EquipmentMailbox",               Of(Equipment)),
        (64,                  "MailContact",                    NoAccount),
        (256,                 "MailUniversalDistributionGroup", NoAccount),
        (512,                 "MailNonUniversalGroup",          NoAccount),
        (1024,                "MailUniversalSecurityGroup",     NoAccount),
        (2048,                "DynamicDistributionGroup",       NoAccount),
        (4096,                "PublicFolder",                   NoAccount),
        (8192,                "SystemAttendantMailbox",         Of(System)),
        (16_384,              "SystemMailbox",                  Of(System)),
        (32_768,              "MailForestContact",              NoAccount),
        (131_072,             "Contact",                        NoAccount),
        (262_144,             "UniversalDistributionGroup",     NoAccount),
        (524_288,             "UniversalSecurityGroup",         NoAccount),
        (1_048_576,           "NonUniversalGroup",              NoAccount),
        (8_388_608,           "ArbitrationMailbox",             Of(System)),
        (268_435_456,         "RoomList",                       NoAccount),
        (536_870_912,         "DiscoveryMailbox",               Of(System)),
        (1_073_741_824,       "RoleGroup",                      NoAccount),
        (2_147_483_648,       "RemoteUserMailbox",              Of(User)),
        (4_294_967_296,       "Computer",                       NoAccount),
        (8_589_934_592,       "RemoteRoomMailbox",              Of(Room)),
        (17_179_869_184,      "RemoteEquipmentMailbox",         Of(Equipment)),
        (34_359_738_368,      "RemoteSharedMailbox",            Of(Shared)),
        (68_719_476_736,      "PublicFolderMailbox",            Of(System)),
        (137_438_953_472,     "TeamMailbox",                    Of(Shared)),
        (274_877_906_944,     "RemoteTeamMailbox",              Of(Shared)),
        (549_755_813_888,     "MonitoringMailbox",              Of(System)),
        (2_199_023_255_552,   "LinkedRoomMailbox",              Of(Room)),
        (4_398_046_511_104,   "AuditLogMailbox",                Of(System)),
    ]
};

fn recipient(text: &str) -> Option<Recipient> {
    let number: Option<u64> = text.parse().ok();
    let is_it = |(value, word, _): &&(u64, &str, Recipient)| {
        number == Some(*value) || word.eq_ignore_ascii_case(text)
    };
    TYPES.iter().find(is_it).map(|(.., recipient)| *recipient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Mailbox::*;

    fn traits(attributes: &[(&str, &str)]) -> Traits {
        let mut traits = Traits::default();
        for (attribute, text) in attributes {
            take(&mut traits, attribute, text.as_bytes(), text);
        }
        traits
    }

    #[test]
    fn types() {
        for (text, expect) in [
            ("1", Some(User)),
            ("2", Some(Linked)),
            ("LinkedMailbox", Some(Linked)),
            ("4", Some(Shared)),
            ("sharedmailbox", Some(Shared)),
            ("16", Some(Room)),
            ("EquipmentMailbox", Some(Equipment)),
            ("DiscoveryMailbox", Some(System)),
            ("549755813888", Some(System)),
            ("34359738368", Some(Shared)),
            ("MailUser", None),
            ("65536", None),
            ("3", None),
            ("-1", None),
            ("Mailbox", None),
        ] {
            let traits = traits(&[("msexchrecipienttypedetails", text)]);
            assert_eq!(traits.mailbox(), expect, "{text}");
            assert!(!traits.is_no_account(), "{text}");
        }
        for text in
            ["MailContact", "MailUniversalSecurityGroup", "262144", "DynamicDistributionGroup"]
        {
            let traits = traits(&[("msexchrecipienttypedetails", text)]);
            assert!(traits.is_no_account() && traits.mailbox().is_none(), "{text}");
        }
        let design: Vec<_> = [User, Linked, Shared, Room, Equipment, System]
            .into_iter()
            .filter(|mailbox| mailbox.is_disabled_by_design())
            .collect();
        assert_eq!(design, [Linked, Shared, Room, Equipment, System]);
    }

    #[test]
    fn what_other_attributes_imply() {
        for (attributes, expect) in [
            (&[("msexchmasteraccountsid", "S-1-5-21-9-8-7-1104")][..], Some(Linked)),
            (&[("msexchmasteraccountsid", "S-1-5-10")], None),
            (&[("msexchmasteraccountsid", "garbage")], None),
            (&[("linkedmasteraccount", "CONTOSO\\ada")], Some(Linked)),
            (&[("linkedmasteraccount", "s-1-5-21-9-8-7-1104")], Some(Linked)),
            (&[("linkedmasteraccount", "NT AUTHORITY\\SELF")], None),
            (&[("linkedmasteraccount", "NT-AUTORITÄT\\SELBST")], None),
            (&[("linkedmasteraccount", "AUTORITE NT\\SELF")], None),
            (&[("islinked", "True")], Some(Linked)),
            (&[("islinked", "False"), ("isshared", "True")], Some(Shared)),
            (&[("resourcetype", "Equipment"), ("isresource", "True")], Some(Equipment)),
            (&[("resourcetype", "Room"), ("isresource", "True")], Some(Room)),
            (&[("isresource", "True")], Some(Room)),
            (&[("isresource", "Wahr")], None),
            // The type says more.
            (&[("msexchrecipienttypedetails", "1"), ("isshared", "True")], Some(User)),
            (&[("msexchrecipienttypedetails", "MailUser"), ("islinked", "True")], Some(Linked)),
        ] {
            assert_eq!(traits(attributes).mailbox(), expect, "{attributes:?}");
        }
    }

    #[test]
    fn masters() {
        const SID: &str = "S-1-5-21-9-8-7-1104";
        for (attributes, expect) in [
            (&[("msexchmasteraccountsid", SID)][..], Some((Some(SID), None, None))),
            (&[("linkedmasteraccount", "s-1-5-21-9-8-7-1104")], Some((Some(SID), None, None))),
            (
                &[("linkedmasteraccount", "CONTOSO\\ada")],
                Some((None, Some("CONTOSO"), Some("ada"))),
            ),
            (
                &[("linkedmasteraccount", "CONTOSO\\ada"), ("msexchmasteraccountsid", SID)],
                Some((Some(SID), Some("CONTOSO"), Some("ada"))),
            ),
            // A room can be linked as well.
            (
                &[("msexchrecipienttypedetails", "2199023255552"), ("msexchmasteraccountsid", SID)],
                Some((Some(SID), None, None)),
            ),
            (&[("linkedmasteraccount", "CONTOSO\\m?ller")], None),
            (&[("linkedmasteraccount", "NT AUTHORITY\\SELF")], None),
            (&[("msexchmasteraccountsid", "S-1-5-10")], None),
            (&[("islinked", "True")], None),
        ] {
            let traits = traits(attributes);
            let told = traits.master().map(|master| {
                let name = (master.domain.as_deref(), master.sam_account_name.as_deref());
                (master.sid.as_deref(), name.0, name.1)
            });
            assert_eq!(told, expect, "{attributes:?}");
        }
    }
}
