//! What the kind of a mailbox says of access, and what it does not, in the report's words (DOMAIN.md 4.4).

use crate::change::Design;
use std::collections::BTreeSet;
use stillin_parsers::event::Mailbox;

/// Why requests under the name of an account that is disabled by design are no finding, and what would make them one.
pub fn by_design(design: Design, mailbox: Mailbox) -> Vec<String> {
    let made_disabled = "the account was made disabled, and nothing shows that it ever was enabled: there was no \
                         access that the disable should have ended";
    let is_linked = "an account of another forest logs on to a linked mailbox, and the one here is disabled for that; \
                     who was served under a name that both may bear is taken for the other one";
    let nobody = "nobody should be served under its name all the same: people open such a mailbox with their own \
                  accounts; see whether another account has this UPN or address, or whether somebody enabled this one \
                  for a time and knows its password";
    let if_linked = "it would be a finding if the name were DOMAIN\\sam of this account, as the front end logs it, or if \
                     an export or an enable showed this one enabled; to judge the other account, add the evidence of \
                     its forest";
    let if_enabled = "it would be a finding if a source told that the account was enabled before: look for events 4722 \
                      and 4724 of it";
    let is_back_end_s = "an account of another forest logs on to a linked mailbox, and the back end logs what it does there \
                         under the name of the account here, which is disabled for that; what the back end alone tells \
                         is taken for the other one's";
    let if_client_s = "it would be a finding if the front end logged it under a name of this account; to judge the other \
                       account, add the evidence of its forest";
    let why = match (design, mailbox) {
        (Design::Linked, _) => [is_linked, if_linked].to_vec(),
        (Design::LinkedLater, _) => [is_back_end_s, if_client_s].to_vec(),
        (Design::SinceMade, Mailbox::Linked) => [made_disabled, is_linked, if_enabled].to_vec(),
        (Design::SinceMade, _) => [made_disabled, nobody, if_enabled].to_vec(),
    };
    why.into_iter().map(str::to_owned).collect()
}

/// Why the kind of the mailbox is no excuse for access after a disable, where it might be taken for one. `is_own` says
/// that nobody but the account itself bears the name.
pub fn of_mailbox(
    mailboxes: &BTreeSet<Mailbox>,
    design: Option<Design>,
    is_own: bool,
) -> Option<String> {
    mailboxes.iter().find(|mailbox| mailbox.is_disabled_by_design())?;
    let words: Vec<&str> = mailboxes.iter().map(|mailbox| mailbox.word()).collect();
    Some(match words[..] {
        _ if design == Some(Design::SinceMade) => {
            "the account was made disabled, but that does not explain access after it was deleted or had expired".into()
        }
        ["linked"] if is_own => {
            "the mailbox is a linked one, to which an account of another forest logs on; but this is the own name of the \
             account here, which should never log on"
                .into()
        }
        ["linked"] => {
            "against: the mailbox is a linked one, to which an account of another forest logs on, and that may bear this \
             name"
                .into()
        }
        [word] => format!(
            "the mailbox is of the kind `{word}`, and such accounts are disabled by design; but nothing shows that this \
             one was made disabled: a leaver's mailbox is often made a shared one"
        ),
        _ => format!(
            "sources disagree on the kind of the mailbox ({}): the account may have been a person's, so it is judged like \
             any other",
            words.join(", ")
        ),
    })
}
