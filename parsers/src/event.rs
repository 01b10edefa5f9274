//! The vocabulary: what the parsers make out of bytes.

use crate::application_host::VirtualDirectory;
use crate::exchange::Refusal;
use chrono::{DateTime, Utc};
use std::fmt;
use std::net::IpAddr;

/// Where in its source something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pos {
    /// Line of the decoded text, from 1.
    Line(u64),
    /// `EventRecordID` of an EVTX record.
    Record(u64),
}

impl Pos {
    /// The bare number, as the report prints it.
    pub fn number(self) -> u64 {
        match self {
            Pos::Line(n) | Pos::Record(n) => n,
        }
    }
}

impl fmt::Display for Pos {
    /// As it follows a path: `u_ex260302.log:1042`, `dc1.evtx#88213`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pos::Line(n) => write!(f, ":{n}"),
            Pos::Record(n) => write!(f, "#{n}"),
        }
    }
}

/// A piece that was not understood; reading goes on after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Where the piece begins.
    pub pos: Pos,
    /// Why it was refused.
    pub reason: Reason,
}

/// Why a line or a record was refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A data line stands before any `#Fields`.
    NoFields,
    /// Another number of values than `#Fields` names, and no repair fits.
    FieldCount {
        /// Columns that `#Fields` names.
        want: usize,
        /// Values on the line.
        got: usize,
        /// Line of that `#Fields`.
        fields_line: u64,
    },
    /// The time is missing or no time.
    BadTime(String),
    /// The named column holds no number.
    BadNumber(&'static str),
    /// The named column or attribute is needed and absent.
    Missing(&'static str),
    /// The piece ends before it is whole.
    Truncated,
    /// Anything else, in words.
    Format(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NoFields => {
                write!(f, "data before any #Fields line; is the head of the file cut off?")
            }
            Reason::FieldCount { want, got, fields_line } => {
                write!(f, "{got} values for {want} fields (#Fields at line {fields_line})")
            }
            Reason::BadTime(text) => write!(f, "`{text}` is no time"),
            Reason::BadNumber(column) => write!(f, "{column} is no number"),
            Reason::Missing(column) => write!(f, "{column} is missing"),
            Reason::Truncated => write!(f, "cut short"),
            Reason::Format(text) => f.write_str(text),
        }
    }
}

/// What happened to an account (DESIGN.md section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// The account was disabled.
    Disabled,
    /// The account was enabled again.
    Enabled,
    /// The expiry was put off or lifted when it had bitten: the account is no longer expired, be it disabled or not.
    Prolonged,
    /// The account was deleted.
    Deleted,
    /// The user changed the password (4723).
    PasswordChanged,
    /// Somebody else reset the password (4724).
    PasswordReset,
    /// The password was set, by whom is unknown (directory state, metadata).
    PasswordSet,
    /// The account expired.
    Expired,
    /// The account was locked out; a cached token survives that.
    LockedOut,
    /// The lock-out ended.
    Unlocked,
    /// The account got another name.
    Renamed,
    /// The account was created.
    Created,
}

impl ChangeKind {
    /// Every kind with its word in reports and change lists.
    pub const WORDS: &'static [(ChangeKind, &'static str)] = &[
        (ChangeKind::Disabled, "disabled"),
        (ChangeKind::Enabled, "enabled"),
        (ChangeKind::Deleted, "deleted"),
        (ChangeKind::PasswordChanged, "password_changed"),
        (ChangeKind::PasswordReset, "password_reset"),
        (ChangeKind::PasswordSet, "password_set"),
        (ChangeKind::Expired, "expired"),
        (ChangeKind::LockedOut, "locked_out"),
        (ChangeKind::Unlocked, "unlocked"),
        (ChangeKind::Renamed, "renamed"),
        (ChangeKind::Created, "created"),
    ];

    /// The word in reports and change lists.
    pub fn word(self) -> &'static str {
        // To the reader the account was enabled.
        let told = if self == ChangeKind::Prolonged { ChangeKind::Enabled } else { self };
        Self::WORDS.iter().find(|(kind, _)| *kind == told).map_or("", |(_, word)| word)
    }

    /// The kind of a word, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, w)| w.eq_ignore_ascii_case(word.trim())).map(|(kind, _)| *kind)
    }

    /// Takes the account away: disabled, deleted, expired.
    pub fn disables(self) -> bool {
        matches!(self, ChangeKind::Disabled | ChangeKind::Deleted | ChangeKind::Expired)
    }

    /// Makes another password the right one.
    pub fn sets_password(self) -> bool {
        matches!(
            self,
            ChangeKind::PasswordChanged | ChangeKind::PasswordReset | ChangeKind::PasswordSet
        )
    }

    /// Should have ended access.
    pub fn cuts(self) -> bool {
        self.disables() || self.sets_password()
    }
}

/// How well the time of a change is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// The change was made at that time.
    Exact,
    /// The change was made then or before.
    AtLatest,
}

impl Precision {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Precision::Exact => "exact",
            Precision::AtLatest => "at_latest",
        }
    }
}

/// Everything one record tells about which account it speaks of; each part may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// `S-1-5-21-…`
    pub sid: Option<String>,
    /// `objectGUID` in its usual spelling, lower case.
    pub guid: Option<String>,
    /// Domain as told: NetBIOS (`FABRIKAM`) or DNS (`fabrikam.example`) name.
    pub domain: Option<String>,
    /// `sAMAccountName`
    pub sam_account_name: Option<String>,
    /// `userPrincipalName`
    pub user_principal_name: Option<String>,
    /// `mail` and the `smtp:` values of `proxyAddresses`, without the prefix.
    pub smtp: Vec<String>,
    /// `distinguishedName`
    pub distinguished_name: Option<String>,
    /// `sAMAccountName`s it had before a rename.
    pub former_sam_account_names: Vec<String>,
    /// `userPrincipalName`s it had before a rename.
    pub former_user_principal_names: Vec<String>,
}

/// One change to one account, as one record tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where the record stands.
    pub pos: Pos,
    /// When, UTC.
    pub time: DateTime<Utc>,
    /// How well `time` is known.
    pub precision: Precision,
    /// What.
    pub kind: ChangeKind,
    /// To whom.
    pub account: Identity,
    /// By whom, `DOMAIN\sam`.
    pub actor: Option<String>,
}

/// The kind of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mailbox {
    /// The account logs on and reads it.
    User,
    /// An account of another forest logs on and reads it; the one here is disabled.
    Linked,
    /// Several people read it, each under the own account.
    Shared,
    /// Of a room.
    Room,
    /// Of a car, a projector.
    Equipment,
    /// Exchange's own.
    System,
}

impl Mailbox {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Mailbox::User => "user",
            Mailbox::Linked => "linked",
            Mailbox::Shared => "shared",
            Mailbox::Room => "room",
            Mailbox::Equipment => "equipment",
            Mailbox::System => "system",
        }
    }

    /// Exchange disables the account when it makes the mailbox, and nobody is meant to log on with it. That says
    /// nothing against a leaver's mailbox that somebody made a shared one: the account was a person's before.
    pub fn is_disabled_by_design(self) -> bool {
        self != Mailbox::User
    }
}

/// Worker processes ended, and with them every token they had cached (DOMAIN.md 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// Where the record stands.
    pub pos: Pos,
    /// When, UTC.
    pub time: DateTime<Utc>,
    /// `System/Computer`, where the export tells it.
    pub computer: Option<String>,
    /// Whose workers.
    pub what: Restarted,
    /// The worker that ended, where the record names one.
    pub process_id: Option<u64>,
    /// It is what a command of an administrator leaves (5079, IISReset, a service that was stopped), and not a recycle by
    /// schedule, memory, idleness or the like.
    pub is_by_command: bool,
}

/// Whose workers ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Restarted {
    /// Those of one application pool.
    Pool(String),
    /// All of IIS.
    Iis,
    /// All of the machine.
    Machine,
    /// None, it may be: what was to end those of this application pool failed.
    Kept(String),
}

/// A worker process of IIS asked Windows for the token of a name and a password: it had none in its cache
/// (DOMAIN.md 4.1). There may be millions, most of them probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logon {
    /// Where the record stands.
    pub pos: Pos,
    /// When, UTC.
    pub time: DateTime<Utc>,
    /// `System/Computer`, where the export tells it.
    pub computer: Option<Box<str>>,
    /// Who logged on, or tried to: then the names are what the client typed, and there need be no such account.
    /// `None`: nobody, which is a probe of Exchange or a try without a name. It still shows that logons are logged.
    pub account: Option<Box<Identity>>,
    /// What Windows said.
    pub result: LogonResult,
    /// `IpAddress`: the client, as the worker saw it.
    pub address: Option<IpAddr>,
    /// `ProcessId` of the worker.
    pub process_id: Option<u64>,
    /// Who checked the password, where that is told.
    pub package: Option<LogonPackage>,
}

/// What Windows said to a name and a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogonResult {
    /// 4624
    Succeeded,
    /// 4625: turned down for a reason that lies in the account or its password.
    Refused(Refusal),
    /// 4625 for another reason, which says nothing of the account: no domain controller, trusts, clocks.
    Technical,
}

/// Who checked a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogonPackage {
    /// `Negotiate`: Kerberos or NTLM.
    Negotiate,
    /// `Kerberos`
    Kerberos,
    /// NTLM of any version: a domain controller takes the former password for an hour (DOMAIN.md 4.4).
    Ntlm,
}

/// A domain controller checked a name and a password (4776), or gave a first ticket for them (4768): the other end of a
/// logon elsewhere, which has another clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// Where the record stands.
    pub pos: Pos,
    /// When, UTC.
    pub time: DateTime<Utc>,
    /// `System/Computer`: the domain controller, where the export tells it.
    pub computer: Option<Box<str>>,
    /// `TargetUserName`
    pub name: Box<str>,
    /// `Workstation` of 4776: who asked.
    pub workstation: Option<Box<str>>,
    /// `IpAddress` of 4768: who asked.
    pub address: Option<IpAddr>,
    /// The name and the password were right.
    pub is_success: bool,
}

/// One thing a record of change evidence says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// An account was changed.
    Change(Change),
    /// An account exists under these names (directory state); nothing changed.
    Account {
        /// Where the record stands.
        pos: Pos,
        /// Its names.
        account: Identity,
        /// `Enabled` / `userAccountControl`, where the record tells it.
        enabled: Option<bool>,
        /// `whenChanged`: the export is not older than that.
        changed: Option<DateTime<Utc>>,
        /// `accountExpires`, where the record tells it; `None` within is never.
        expires: Option<Option<DateTime<Utc>>>,
        /// What kind of mailbox it has, where the record tells it.
        mailbox: Option<Mailbox>,
    },
    /// The mailbox of an account is that of another forest's account, its master, which logs on to it
    /// (DOMAIN.md 4.4); nothing changed.
    Linked {
        /// Where the record stands.
        pos: Pos,
        /// The account of the mailbox.
        account: Identity,
        /// The other one.
        master: Box<Identity>,
    },
    /// `userAccountControl` was last written then; metadata does not say which bit.
    /// Together with a source that says the account is disabled, that is the exact time of the disable
    /// or of any later flag (DOMAIN.md 4.3).
    UserAccountControlSet {
        /// Where the record stands.
        pos: Pos,
        /// Originating time, UTC.
        time: DateTime<Utc>,
        /// The account.
        account: Identity,
        /// How often the attribute was written; 1 is the creation.
        version: u64,
    },
    /// `accountExpires` was last written then, to whatever value.
    AccountExpiresSet {
        /// Where the record stands.
        pos: Pos,
        /// Originating time, UTC.
        time: DateTime<Utc>,
        /// The account.
        account: Identity,
    },
    /// Workers ended; no account was changed.
    Restart(Restart),
    /// A worker asked for a token; no account was changed.
    Logon(Logon),
    /// A domain controller checked a password; no account was changed.
    Validation(Validation),
    /// What clients of a front end may log on with; no account was changed.
    VirtualDirectory(VirtualDirectory),
}

impl Fact {
    /// Names of an account, and no more.
    pub fn names(pos: Pos, account: Identity) -> Fact {
        Fact::Account { pos, account, enabled: None, changed: None, expires: None, mailbox: None }
    }

    /// Until when an account was good as it was set then; `None` is forever.
    pub fn expiry(
        pos: Pos,
        account: Identity,
        set: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
    ) -> Fact {
        let (changed, expires) = (Some(set), Some(until));
        Fact::Account { pos, account, enabled: None, changed, expires, mailbox: None }
    }

    /// The same, as if it stood elsewhere.
    pub fn at(mut self, place: Pos) -> Fact {
        let pos = match &mut self {
            Fact::Change(change) => &mut change.pos,
            Fact::Account { pos, .. }
            | Fact::Linked { pos, .. }
            | Fact::UserAccountControlSet { pos, .. }
            | Fact::AccountExpiresSet { pos, .. } => pos,
            Fact::Restart(restart) => &mut restart.pos,
            Fact::Logon(logon) => &mut logon.pos,
            Fact::Validation(validation) => &mut validation.pos,
            Fact::VirtualDirectory(directory) => &mut directory.pos,
        };
        *pos = place;
        self
    }
}
