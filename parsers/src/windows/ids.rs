//! Event ids to what they mean, and positions to the names of `EventData`: the only place that knows
//! either (DOMAIN.md 4.1).

use super::{logons, restarts, validations};
use crate::event::ChangeKind;

/// What an event id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// One change of the account named by `Target*`.
    Account(ChangeKind),
    /// An attempt that is logged whether it succeeds or not.
    Attempt(ChangeKind),
    /// 4738: several attributes in one event.
    Changed,
    /// 4781: `OldTargetUserName`, `NewTargetUserName`.
    Renamed,
    /// 5136: one value of one attribute.
    Attribute,
    /// 5141: an object is gone.
    ObjectDeleted,
}

/// The event ids that are read; every other one is of no interest (DOMAIN.md 4.1).
/// 5138 (undeleted) is not among them: an account comes back from the recycle bin disabled, and its
/// enabling has an event of its own.
pub(super) const MEANINGS: &[(u32, Meaning)] = &[
    (4720, Meaning::Account(ChangeKind::Created)),
    (4722, Meaning::Account(ChangeKind::Enabled)),
    (4723, Meaning::Attempt(ChangeKind::PasswordChanged)),
    (4724, Meaning::Attempt(ChangeKind::PasswordReset)),
    (4725, Meaning::Account(ChangeKind::Disabled)),
    (4726, Meaning::Account(ChangeKind::Deleted)),
    (4738, Meaning::Changed),
    (4740, Meaning::Account(ChangeKind::LockedOut)),
    (4767, Meaning::Account(ChangeKind::Unlocked)),
    (4781, Meaning::Renamed),
    (5136, Meaning::Attribute),
    (5141, Meaning::ObjectDeleted),
];

const TARGET: &[&str] = &[
    "TargetUserName",
    "TargetDomainName",
    "TargetSid",
    "SubjectUserSid",
    "SubjectUserName",
    "SubjectDomainName",
    "SubjectLogonId",
    "PrivilegeList",
];

/// 4720; 4738 has a `Dummy` before it.
const ATTRIBUTES: &[&str] = &[
    "TargetUserName",
    "TargetDomainName",
    "TargetSid",
    "SubjectUserSid",
    "SubjectUserName",
    "SubjectDomainName",
    "SubjectLogonId",
    "PrivilegeList",
    "SamAccountName",
    "DisplayName",
    "UserPrincipalName",
    "HomeDirectory",
    "HomePath",
    "ScriptPath",
    "ProfilePath",
    "UserWorkstations",
    "PasswordLastSet",
    "AccountExpires",
    "PrimaryGroupId",
    "AllowedToDelegateTo",
    "OldUacValue",
    "NewUacValue",
    "UserAccountControl",
    "UserParameters",
    "SidHistory",
    "LogonHours",
];

const RENAME: &[&str] = &[
    "OldTargetUserName",
    "NewTargetUserName",
    "TargetDomainName",
    "TargetSid",
    "SubjectUserSid",
    "SubjectUserName",
    "SubjectDomainName",
    "SubjectLogonId",
    "PrivilegeList",
];

/// 5136; 5141 is the same up to `ObjectClass`.
const OBJECT: &[&str] = &[
    "OpCorrelationID",
    "AppCorrelationID",
    "SubjectUserSid",
    "SubjectUserName",
    "SubjectDomainName",
    "SubjectLogonId",
    "DSName",
    "DSType",
    "ObjectDN",
    "ObjectGUID",
    "ObjectClass",
    "AttributeLDAPDisplayName",
    "AttributeSyntaxOID",
    "AttributeValue",
    "OperationType",
];

/// Of whoever asks for a logon: 4624, 4625.
const SUBJECT: &[&str] =
    &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId"];

const LOGON: &[&str] = &[
    "TargetUserSid",
    "TargetUserName",
    "TargetDomainName",
    "TargetLogonId",
    "LogonType",
    "LogonProcessName",
    "AuthenticationPackageName",
    "WorkstationName",
    "LogonGuid",
    "TransmittedServices",
    "LmPackageName",
    "KeyLength",
    "ProcessId",
    "ProcessName",
    "IpAddress",
    "IpPort",
];

const FAILED_LOGON: &[&str] = &[
    "TargetUserSid",
    "TargetUserName",
    "TargetDomainName",
    "Status",
    "FailureReason",
    "SubStatus",
    "LogonType",
    "LogonProcessName",
    "AuthenticationPackageName",
    "WorkstationName",
    "TransmittedServices",
    "LmPackageName",
    "KeyLength",
    "ProcessId",
    "ProcessName",
    "IpAddress",
    "IpPort",
];

const TICKET: &[&str] = &[
    "TargetUserName",
    "TargetDomainName",
    "TargetSid",
    "ServiceName",
    "ServiceSid",
    "TicketOptions",
    "Status",
    "TicketEncryptionType",
    "PreAuthType",
    "IpAddress",
    "IpPort",
];

/// Names of the values of exports that give them by position only: `Get-WinEvent | ConvertTo-Json`
/// and the insertion strings of WMI.
pub fn positions(event_id: u32, count: usize) -> Vec<&'static str> {
    let (before, names): (&[&str], &[&str]) = match event_id {
        4738 => (&["Dummy"], ATTRIBUTES),
        4720 => (&[], ATTRIBUTES),
        4781 => (&[], RENAME),
        5136 => (&[], OBJECT),
        5141 => (&[], OBJECT.get(..11).unwrap_or(OBJECT)),
        4624 => (SUBJECT, LOGON),
        4625 => (SUBJECT, FAILED_LOGON),
        4768 => (&[], TICKET),
        4776 => (&[], &["PackageName", "TargetUserName", "Workstation", "Status"]),
        5074..=5078 | 5117 | 5186 => (&[], &["ProcessID", "AppPoolID"]),
        5002 | 5009 | 5070 | 5079..=5081 | 5093 => (&[], &["AppPoolID", "ProcessID"]),
        7031 | 7034 | 7036 => (&[], &["param1", "param2"]),
        _ if MEANINGS.iter().any(|(id, _)| *id == event_id) => (&[], TARGET),
        _ => (&[], &[]),
    };
    before.iter().chain(names).copied().take(count).collect()
}

/// Can an event of this id say anything of an account, a logon or a restart?
pub(super) fn of_interest(event_id: u32) -> bool {
    MEANINGS.iter().any(|(id, _)| *id == event_id)
        || logons::of_interest(event_id)
        || restarts::of_interest(event_id)
        || validations::of_interest(event_id)
}
