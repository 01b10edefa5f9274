//! What the attributes of a directory object say of an account, whatever export they come from: its
//! names, its state, and the changes of which the directory kept the time (DOMAIN.md 4.3).

use crate::event::{Change, ChangeKind, Fact, Identity, Pos, Precision, Reason, Reject};
use crate::evidence::{Sink, Tally};
use crate::time::{Clock, When};
use std::borrow::Cow;

pub mod mailbox;
pub mod metadata;
pub mod names;
#[cfg(test)]
mod tests;

use metadata::Written;

/// What an export tells of one object.
#[derive(Debug, Clone, Default)]
pub struct Object {
    /// Its names.
    pub account: Identity,
    /// A name stood there whose characters an encoding had destroyed.
    lost_name: bool,
    object_class: Vec<String>,
    user_account_control: Option<i64>,
    enabled: Option<bool>,
    is_deleted: bool,
    when_created: Option<When>,
    when_changed: Option<When>,
    pwd_last_set: Option<When>,
    /// Where told; `None` within is never.
    account_expires: Option<Option<When>>,
    lockout_time: Option<When>,
    mailbox: mailbox::Traits,
    written: Vec<Written>,
}

/// Bits of `userAccountControl` as LDAP shows it (event 4738 shows those of SAM, which are others).
pub const ACCOUNTDISABLE: i64 = 0x2;
/// Trusts, workstations, domain controllers.
const MACHINES: i64 = 0x0800 | 0x1000 | 0x2000;

/// Takes one value of an attribute under its LDAP name in lower case; attributes that tell nothing
/// are passed over.
pub fn take(
    object: &mut Object,
    attribute: &str,
    value: &[u8],
    clock: &Clock,
) -> Result<(), Reason> {
    // Nearly always it is UTF-8, which is told at once.
    let text = str::from_utf8(value).map_or_else(|_| String::from_utf8_lossy(value), Cow::Borrowed);
    let text = text.trim();
    if text.is_empty() {
        return Ok(());
    }
    let mut name = || {
        // `?` is no character of these names: PowerShell 5.1 writes it for every letter that is not
        // ASCII.
        let lost = is_lost(text);
        object.lost_name |= lost;
        if lost { None } else { Some(text.to_owned()) }
    };
    let account = &mut object.account;
    match attribute {
        "distinguishedname" => {
            account.domain = names::dns_domain(text).or(account.domain.take());
            account.distinguished_name = name();
        }
        "samaccountname" => account.sam_account_name = name(),
        "userprincipalname" => account.user_principal_name = name(),
        "mail" if text.contains('@') => account.smtp.extend(name()),
        "proxyaddresses" => {
            // Joined by whoever exported them; `ADPropertyValueCollection` holds none.
            for address in text.split([';', ',', '|', ' ', '\n']).filter_map(names::smtp) {
                let lost = is_lost(&address);
                account.smtp.extend(Some(address).filter(|_| !lost));
            }
        }
        "objectsid" => {
            account.sid = Some(names::sid(value).ok_or_else(|| unsound("objectSid"))?);
        }
        "objectguid" => {
            account.guid = Some(names::guid(value).ok_or_else(|| unsound("objectGUID"))?);
        }
        "objectclass" => {
            // `{top, person, user}` as well; a name with a dot is that of a type of .NET, which holds no class.
            let classes = text.split([';', ',', ' ', '{', '}']).map(str::trim);
            let classes = classes.filter(|class| !class.is_empty() && !class.contains('.'));
            object.object_class.extend(classes.map(str::to_lowercase));
        }
        // `NormalAccount, AccountDisabled`, as Exchange's Get-User writes it.
        "useraccountcontrol" if text.contains("NormalAccount") => {
            object.enabled = Some(!text.contains("AccountDisabled"));
        }
        "useraccountcontrol" => {
            let number = text.parse().map_err(|_| Reason::BadNumber("userAccountControl"))?;
            object.user_account_control = Some(number);
        }
        "enabled" => object.enabled = Some(truth(text, "Enabled")?),
        "accountdisabled" => object.enabled = Some(!truth(text, "AccountDisabled")?),
        "isdeleted" => object.is_deleted = truth(text, "isDeleted")?,
        "whencreated" => object.when_created = clock.when(text)?,
        "whenchanged" => object.when_changed = clock.when(text)?,
        "pwdlastset" => object.pwd_last_set = clock.when(text)?,
        "accountexpires" => object.account_expires = Some(clock.when(text)?),
        "lockouttime" => object.lockout_time = clock.when(text)?,
        "msds-replattributemetadata" => object.written.extend(metadata::of_xml(text)?),
        _ => mailbox::take(&mut object.mailbox, attribute, value, text),
    }
    Ok(())
}

/// Tells the facts of an object, and counts it once: without interest, as told, or as rejected
/// where part of it could not be read (what could be read is told all the same).
pub fn tell(
    mut object: Object,
    pos: Pos,
    unread: Option<Reason>,
    tally: &mut Tally,
    sink: &mut Sink<'_>,
) {
    tally.records += 1;
    if !is_account(&object) {
        tally.of_no_interest += 1;
        return;
    }
    let unread = unread.or_else(|| unnamed(&object));
    let account = std::mem::take(&mut object.account);
    if !names::is_empty(&account) {
        for fact in facts(account, &object, pos) {
            if let Fact::Change(change) = &fact
                && change.kind != ChangeKind::Expired
            {
                tally.saw(change.time);
            }
            sink(Ok(fact));
        }
    }
    match unread {
        Some(reason) => {
            tally.rejected += 1;
            sink(Err(Reject { pos, reason }));
        }
        None => tally.told += 1,
    }
}

/// Why an object is nobody's.
fn unnamed(object: &Object) -> Option<Reason> {
    match (names::is_empty(&object.account), object.lost_name) {
        (false, _) => None,
        (true, false) => Some(Reason::Missing("a name of the account")),
        (true, true) => Some(Reason::Format(
            "the names hold `?` where letters were; export again with -Encoding UTF8".to_owned(),
        )),
    }
}

/// A person's account: neither a machine, a contact or a group, nor one Exchange keeps for itself
/// (DOMAIN.md 2.5).
fn is_account(object: &Object) -> bool {
    const OTHERS: &[&str] = &["computer", "contact", "group", "foreignsecurityprincipal"];
    const PEOPLE: &[&str] = &["user", "person", "inetorgperson"];
    let is = |classes: &[&str]| object.object_class.iter().any(|c| classes.contains(&c.as_str()));
    let account = &object.account;
    let uac = object.user_account_control.unwrap_or(0);
    let by_class = if object.object_class.is_empty() { has_state(object) } else { is(PEOPLE) };
    let is_other = is(OTHERS) || object.mailbox.is_no_account();
    by_class && !is_other && uac & MACHINES == 0 && !names::is_noise(account)
}

/// Without a class, what only accounts have must speak for it.
fn has_state(object: &Object) -> bool {
    let account = &object.account;
    account.sam_account_name.is_some()
        || account.user_principal_name.is_some()
        || account.sid.is_some()
        || object.lost_name
        || object.enabled.is_some()
        || object.user_account_control.is_some()
        || object.pwd_last_set.is_some()
        || object.mailbox.mailbox().is_some()
        || !object.written.is_empty()
}

/// Disabled or deleted: then, and only then, `whenChanged` matters.
pub fn is_cut_off(object: &Object) -> bool {
    object.is_deleted || enabled(object) == Some(false)
}

fn enabled(object: &Object) -> Option<bool> {
    object.enabled.or(object.user_account_control.map(|bits| bits & ACCOUNTDISABLE == 0))
}

/// The facts, in a fixed order. Where replication metadata is there it gives the exact time, else
/// `whenChanged` an upper bound, as any attribute moves that; without either, the state alone is
/// told, for no time is invented.
fn facts(account: Identity, object: &Object, pos: Pos) -> Vec<Fact> {
    let smtp = names::distinct(&account.smtp);
    let account = Identity { smtp, ..account };
    let enabled = enabled(object);
    let disabled = enabled.map(|enabled| !enabled);
    let state = metadata::State { disabled, deleted: Some(object.is_deleted) };
    let changed = object.when_changed.map(|(time, _)| time);
    let expires = object.account_expires.map(|when| when.map(|(time, _)| time));
    // The metadata of an object stands in its record.
    let written: Vec<Written> =
        object.written.iter().map(|w| Written { pos, ..w.clone() }).collect();
    let by_metadata = metadata::facts(&account, &written, state);
    let mut facts = Vec::new();
    let change = |kind, (time, precision): When| {
        Fact::Change(Change { pos, time, precision, kind, account: account.clone(), actor: None })
    };
    let mut tell = |kind, when: Option<When>| facts.extend(when.map(|when| change(kind, when)));
    tell(ChangeKind::Created, object.when_created);
    if !metadata::has_password(&object.written) {
        tell(ChangeKind::PasswordSet, object.pwd_last_set);
    }
    tell(ChangeKind::LockedOut, object.lockout_time);
    // An expiry that is set back in time bites when it is set.
    let set = metadata::when(&object.written, "accountExpires");
    let bites = |(time, precision): When| (set.map_or(time, |set| set.max(time)), precision);
    tell(ChangeKind::Expired, object.account_expires.flatten().map(bites));
    let at_latest = object.when_changed.map(|(time, _)| (time, Precision::AtLatest));
    if disabled == Some(true) && !metadata::has(&object.written, "userAccountControl") {
        tell(ChangeKind::Disabled, at_latest);
    }
    if object.is_deleted && !metadata::has(&object.written, "isDeleted") {
        tell(ChangeKind::Deleted, at_latest);
    }
    facts.extend(by_metadata);
    let master = object.mailbox.master().map(|master| Box::new(master.clone()));
    facts.extend(master.map(|master| Fact::Linked { pos, account: account.clone(), master }));
    let mailbox = object.mailbox.mailbox();
    // That one was enabled when it was deleted says nothing.
    let enabled = enabled.filter(|enabled| !enabled || !object.is_deleted);
    facts.insert(0, Fact::Account { pos, account, enabled, changed, expires, mailbox });
    facts
}

/// An encoding has destroyed some of its letters.
fn is_lost(name: &str) -> bool {
    name.contains('?') || !name.is_ascii() && name.contains('\u{fffd}')
}

fn unsound(attribute: &str) -> Reason {
    Reason::Format(format!("{attribute} is not one"))
}

/// `True`, `FALSE`
fn truth(text: &str, attribute: &'static str) -> Result<bool, Reason> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") || is("1") {
        Ok(true)
    } else if is("false") || is("0") {
        Ok(false)
    } else {
        Err(Reason::Format(format!("{attribute} is neither True nor False")))
    }
}
