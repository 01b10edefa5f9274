//! Replication metadata of one object (which attribute was last written when, and how often) to
//! facts: the exact originating times of its changes (DOMAIN.md 4.3).

use crate::application_host::VirtualDirectory;
use crate::event::{
    Change, ChangeKind, Fact, Identity, Logon, Pos, Precision, Reason, Restart, Validation,
};
use crate::time::{LocalTime, When};
use chrono::{DateTime, Utc};

/// The last write of one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where that is told.
    pub pos: Pos,
    /// Its LDAP name.
    pub attribute: String,
    /// How often it was written; 1 is the creation.
    pub version: u64,
    /// When, at the domain controller where it was written.
    pub when: When,
}

/// What is known of the object besides its metadata; `None` where nothing is.
#[derive(Debug, Clone, Copy, Default)]
pub struct State {
    /// `userAccountControl` has the bit that disables.
    pub disabled: Option<bool>,
    /// `isDeleted`
    pub deleted: Option<bool>,
}

/// Attributes that every change of a password writes, best first. `pwdLastSet` is the last resort:
/// "must change at next logon" and its revocation write it without a new password (DOMAIN.md 4.4).
const PASSWORD: &[&str] = &[
    "unicodePwd",
    "dBCSPwd",
    "ntPwdHistory",
    "lmPwdHistory",
    "supplementalCredentials",
    "pwdLastSet",
];

/// Attributes besides those of the password that tell something.
const OTHERS: &[&str] = &[
    "userAccountControl",
    "isDeleted",
    "sAMAccountName",
    "userPrincipalName",
    "accountExpires",
    "lockoutTime",
    "groupType",
    "dNSHostName",
    "operatingSystem",
    "objectSid",
    "mail",
];

/// Whether a write of this attribute tells something of an account; of the others not even the time
/// is read.
pub fn is_of_interest(attribute: &str) -> bool {
    PASSWORD.iter().chain(OTHERS).any(|told| told.eq_ignore_ascii_case(attribute))
}

/// The metadata speaks of this attribute.
pub fn has(written: &[Written], attribute: &str) -> bool {
    find(written, attribute).is_some()
}

/// When the attribute was last written, as far as the metadata speaks of it.
pub fn when(written: &[Written], attribute: &str) -> Option<DateTime<Utc>> {
    find(written, attribute).map(|w| w.when.0)
}

/// The metadata tells when the password was written.
pub fn has_password(written: &[Written]) -> bool {
    PASSWORD.iter().any(|attribute| has(written, attribute))
}

/// The last write of the attribute, as far as the metadata speaks of it.
pub fn find<'w>(written: &'w [Written], attribute: &str) -> Option<&'w Written> {
    written.iter().find(|w| w.attribute.eq_ignore_ascii_case(attribute))
}

/// The facts, each where the write stands that tells it. A disabled account whose
/// `userAccountControl` was last written at T was disabled at T, or before if another flag was set
/// later; it is told as exact, as the same change is in the events of the domain controller.
pub fn facts(account: &Identity, written: &[Written], state: State) -> Vec<Fact> {
    let change = |kind, w: &Written| {
        let (pos, (time, precision), account) = (w.pos, w.when, account.clone());
        Fact::Change(Change { pos, time, precision, kind, account, actor: None })
    };
    let mut facts = Vec::new();
    if let Some(w) = find(written, "userAccountControl") {
        match state.disabled {
            Some(true) => facts.push(change(ChangeKind::Disabled, w)),
            // With the state, it tells since when at the latest the account has been enabled.
            Some(false) | None => {
                let (pos, time, version, account) = (w.pos, w.when.0, w.version, account.clone());
                facts.push(Fact::UserAccountControlSet { pos, time, account, version });
            }
        }
    }
    // One change for all that it wrote; the first version is the creation.
    let password = PASSWORD.iter().find_map(|attribute| find(written, attribute));
    facts.extend(password.filter(|w| w.version > 1).map(|w| change(ChangeKind::PasswordSet, w)));
    // Restoring an object writes the attribute as well, so odd versions are deletions.
    let deleted =
        find(written, "isDeleted").filter(|w| state.deleted.unwrap_or(w.version % 2 == 1));
    facts.extend(deleted.map(|w| change(ChangeKind::Deleted, w)));
    let mut renamed: Option<When> = None;
    for attribute in ["sAMAccountName", "userPrincipalName"] {
        if let Some(w) = find(written, attribute).filter(|w| w.version > 1)
            && renamed.replace(w.when) != Some(w.when)
        {
            facts.push(change(ChangeKind::Renamed, w));
        }
    }
    facts
}

/// Where a fact stands.
pub fn pos(fact: &Fact) -> Pos {
    match fact {
        Fact::Change(Change { pos, .. })
        | Fact::Restart(Restart { pos, .. })
        | Fact::Logon(Logon { pos, .. })
        | Fact::Validation(Validation { pos, .. })
        | Fact::Account { pos, .. }
        | Fact::Linked { pos, .. }
        | Fact::UserAccountControlSet { pos, .. }
        | Fact::AccountExpiresSet { pos, .. }
        | Fact::VirtualDirectory(VirtualDirectory { pos, .. }) => *pos,
    }
}

/// The values of `msDS-ReplAttributeMetaData`: fragments of XML without a root, one for each
/// attribute, with a line end and a NUL behind it.
pub fn of_xml(text: &str) -> Result<Vec<Written>, Reason> {
    const TAG: &str = "DS_REPL_ATTR_META_DATA";
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    let mut written = Vec::new();
    for fragment in text.split_inclusive(&format!("</{TAG}>")) {
        let fragment = fragment.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        if fragment.is_empty() {
            continue;
        }
        let whole = fragment
            .strip_prefix(&format!("<{TAG}>"))
            .and_then(|f| f.strip_suffix(&format!("</{TAG}>")));
        let inner = whole.ok_or_else(|| {
            let what = if fragment.starts_with(&format!("<{TAG}>")) {
                "is cut short"
            } else {
                "is no XML"
            };
            Reason::Format(format!("msDS-ReplAttributeMetaData {what}"))
        })?;
        written.extend(of_fragment(inner)?);
    }
    Ok(written)
}

/// One fragment; nothing where the attribute was never written.
fn of_fragment(inner: &str) -> Result<Option<Written>, Reason> {
    let element = |name: &'static str| {
        let (_, rest) = inner.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(value, _)| value.trim())
    };
    let attribute =
        element("pszAttributeName").ok_or(Reason::Missing("pszAttributeName"))?.to_owned();
    let version = element("dwVersion").ok_or(Reason::Missing("dwVersion"))?;
    let version = version.parse().map_err(|_| Reason::BadNumber("dwVersion"))?;
    let time = element("ftimeLastOriginatingChange")
        .ok_or(Reason::Missing("ftimeLastOriginatingChange"))?;
    // The attribute is UTC by definition; some tools drop the Z.
    let utc = LocalTime { zone: "Z".parse().ok(), date_order: None };
    let Some(time) = utc.utc(time)?.filter(|time| time.timestamp() > 0) else { return Ok(None) };
    let when = (time, Precision::Exact);
    Ok(Some(Written { pos: Pos::Line(0), attribute, version, when }))
}
