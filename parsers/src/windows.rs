//! A Windows event, whatever it was exported as, to what it says of an account, a logon or a restart:
//! one meaning for EVTX, XML, JSON and CSV. Its tables are in `ids.rs` (DOMAIN.md 4.1).

pub mod directory_service;
mod ids;
mod logons;
pub mod marks;
mod restarts;
pub mod stamp;
pub mod validations;

use crate::event::{Change, ChangeKind, Fact, Identity, Pos, Precision, Reason, Reject};
use crate::evidence::{Sink, Tally};
use crate::noise_name::is_of_exchange;
use chrono::{DateTime, Utc};
use directory_service::Seen;
pub use ids::positions;
use ids::{MEANINGS, Meaning};
use stamp::{Zone, utc};

/// What all exports of one event have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where it stands in its source.
    pub pos: Pos,
    /// `System/EventID`
    pub event_id: u32,
    /// `System/Provider/@Name`, where the export tells it.
    pub provider: Option<String>,
    /// `System/Channel`, where the export tells it.
    pub channel: Option<String>,
    /// `System/Computer`: who wrote the event.
    pub computer: Option<String>,
    /// `System/TimeCreated/@SystemTime`
    pub time: Option<DateTime<Utc>>,
    /// Why a time that is told could not be read.
    pub bad_time: Option<Reason>,
    /// `System/EventRecordID`
    pub record_id: Option<u64>,
    /// What `System/Keywords` say of success.
    pub outcome: Outcome,
    /// `EventData` by name, in the order of the export.
    pub data: Vec<(String, String)>,
}

/// Whether the audited attempt succeeded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outcome {
    /// Audit Success.
    Success,
    /// Audit Failure: nothing was changed.
    Failure,
    /// The export does not tell.
    #[default]
    Unknown,
}

impl Event {
    /// An event of which nothing but its id is known yet.
    pub fn new(pos: Pos, event_id: u32) -> Event {
        Event {
            pos,
            event_id,
            provider: None,
            channel: None,
            computer: None,
            time: None,
            bad_time: None,
            record_id: None,
            outcome: Outcome::Unknown,
            data: Vec::new(),
        }
    }

    /// Takes the time of the export.
    pub fn stamp(&mut self, text: &str, zone: Zone<'_>) {
        match utc(text, zone) {
            Ok(time) => self.time = Some(time),
            Err(reason) => self.bad_time = Some(reason),
        }
    }

    /// Why it has no time.
    fn no_time(&self) -> Reason {
        self.bad_time.clone().unwrap_or(Reason::Missing("TimeCreated"))
    }

    /// The value of that name; none for what the event marks as absent: empty, `-`, `%%1793`
    /// (not set), `%%1794` (never).
    fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|v| !matches!(*v, "" | "-" | "%%1793" | "%%1794"))
    }

    /// There is a value of that name, though it may be empty.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// The value of that name as it stands there.
    fn raw(&self, name: &str) -> Option<&str> {
        let (_, value) = self.data.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        Some(value.trim())
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// `SubjectDomainName\SubjectUserName`
    fn actor(&self) -> Option<String> {
        let user = self.get("SubjectUserName")?;
        Some(match self.get("SubjectDomainName") {
            Some(domain) => format!("{domain}\\{user}"),
            None => user.to_owned(),
        })
    }

    fn change(&self, time: DateTime<Utc>, kind: ChangeKind, account: Identity) -> Fact {
        let (pos, actor) = (self.pos, self.actor());
        Fact::Change(Change { pos, time, precision: Precision::Exact, kind, account, actor })
    }
}

/// Counts one event, or the reject that stands in its place, and hands on what it says.
pub fn tell(event: Result<Event, Reject>, seen: &mut Seen, tally: &mut Tally, sink: &mut Sink<'_>) {
    tally.records += 1;
    let (pos, facts) = match event {
        Ok(event) => {
            if let Some(time) = event.time {
                tally.saw(time);
            }
            tally.validations += u64::from(validations::of_interest(event.event_id));
            (event.pos, facts(&event, seen))
        }
        Err(reject) => (reject.pos, Err(reject.reason)),
    };
    match facts {
        Ok(facts) if facts.is_empty() => tally.of_no_interest += 1,
        Ok(facts) => {
            tally.told += 1;
            facts.into_iter().for_each(|fact| sink(Ok(fact)));
        }
        Err(reason) => {
            tally.rejected += 1;
            sink(Err(Reject { pos, reason }));
        }
    }
}

/// What an event says; nothing, when it is sound and of no interest.
pub fn facts(event: &Event, seen: &mut Seen) -> Result<Vec<Fact>, Reason> {
    if let Some(told) = told_by_server(event) {
        return told;
    }
    let Some((_, meaning)) = MEANINGS.iter().find(|(id, _)| *id == event.event_id) else {
        return Ok(Vec::new());
    };
    if !is_security(event) || event.outcome == Outcome::Failure {
        return Ok(Vec::new());
    }
    let time = event.time.ok_or_else(|| event.no_time())?;
    match *meaning {
        Meaning::Account(kind) => one_change(event, time, kind),
        // Logged for failures as well: without Keywords it cannot be known whether the password
        // is a new one.
        Meaning::Attempt(_) if event.outcome == Outcome::Unknown => match target(event)? {
            Some(_) => Err(Reason::Missing("Keywords")),
            None => Ok(Vec::new()),
        },
        Meaning::Attempt(kind) => one_change(event, time, kind),
        Meaning::Changed => changed(event, time),
        Meaning::Renamed => renamed(event, time),
        Meaning::Attribute => directory_service::attribute(event, time, seen),
        Meaning::ObjectDeleted => directory_service::deleted(event, time),
    }
}

/// What a server says of its workers, of logons, or of passwords that it checked.
fn told_by_server(event: &Event) -> Option<Result<Vec<Fact>, Reason>> {
    restarts::told(event).or_else(|| logons::told(event)).or_else(|| validations::told(event))
}

/// Other providers reuse the ids (a `Microsoft-Windows-TaskScheduler` 4725 disables nobody).
fn is_security(event: &Event) -> bool {
    match (&event.provider, &event.channel) {
        (Some(provider), _) => {
            provider.trim().eq_ignore_ascii_case("Microsoft-Windows-Security-Auditing")
        }
        (None, Some(channel)) => channel.trim().eq_ignore_ascii_case("Security"),
        (None, None) => true,
    }
}

/// The account of `Target*`; none for computers, Exchange's own mailboxes and builtin groups.
fn target(event: &Event) -> Result<Option<Identity>, Reason> {
    let name = event.owned("TargetUserName");
    let raw_sid = event.get("TargetSid");
    let sid = raw_sid.and_then(account_sid);
    let Some(name) = name else {
        // A name can be empty (a reset of an account that a local SAM does not hold); a SID is enough.
        return match sid {
            Some(sid) => Ok(Some(Identity { sid: Some(sid), ..Identity::default() })),
            None => Err(Reason::Missing("TargetUserName")),
        };
    };
    let builtin = raw_sid.is_some_and(|s| s.starts_with("S-1-5-32-"));
    if builtin || is_of_exchange(name.as_bytes()) || is_computer(event, &name) {
        return Ok(None);
    }
    // 4740 puts the name of the calling computer there (DOMAIN.md 4.1).
    let domain = if event.event_id == 4740 { None } else { event.owned("TargetDomainName") };
    Ok(Some(Identity { sid, domain, sam_account_name: Some(name), ..Identity::default() }))
}

/// The SAM flags of a 4720 or 4738 say that `x$` is trusted as a domain, workstation or server
/// (0x40, 0x80, 0x100; DOMAIN.md 4.1).
///
/// Without them `x$` is told as an account. It may well be a computer, for computers share 4722, 4724
/// and 4725 with users: then it costs a line among the changes. Passed over, it could hide a user
/// whose maker named it like a computer.
fn is_computer(event: &Event, name: &str) -> bool {
    let flags = sam_flags(event, "NewUacValue").or_else(|| sam_flags(event, "OldUacValue"));
    name.ends_with('$') && flags.is_some_and(|flags| flags & 0x1c0 != 0)
}

fn sam_flags(event: &Event, name: &str) -> Option<u32> {
    event.get(name).and_then(number).and_then(|flags| u32::try_from(flags).ok())
}

/// `0x19f0`, `0x00000000000019f0` or `6640`.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn one_change(event: &Event, time: DateTime<Utc>, kind: ChangeKind) -> Result<Vec<Fact>, Reason> {
    let Some(mut account) = target(event)? else { return Ok(Vec::new()) };
    if kind == ChangeKind::Created {
        account.user_principal_name = event.owned("UserPrincipalName");
    }
    Ok(vec![event.change(time, kind, account)])
}

/// 4738. `AccountExpires` is text in the domain controller's language and local time: not read.
fn changed(event: &Event, time: DateTime<Utc>) -> Result<Vec<Fact>, Reason> {
    let Some(mut account) = target(event)? else { return Ok(Vec::new()) };
    account.user_principal_name = event.owned("UserPrincipalName");
    if let Some(sam) = event.owned("SamAccountName") {
        let old = account.sam_account_name.replace(sam.clone());
        account.former_sam_account_names.extend(old.filter(|old| !old.eq_ignore_ascii_case(&sam)));
    }
    let mut facts = Vec::new();
    if let Some(disabled) = disabled_now(event) {
        let kind = if disabled { ChangeKind::Disabled } else { ChangeKind::Enabled };
        facts.push(event.change(time, kind, account.clone()));
    }
    // A member server or workstation fills in every value, changed or not; only a domain controller
    // writes `-` for what stayed. A group and a sam name that both "changed" tell the first kind,
    // whose PasswordLastSet may be years old.
    let snapshot = event.get("SamAccountName").is_some() && event.get("PrimaryGroupId").is_some();
    if !snapshot && event.get("PasswordLastSet").is_some() {
        facts.push(event.change(time, ChangeKind::PasswordSet, account.clone()));
    }
    let teaches = account.user_principal_name.is_some() || event.get("SamAccountName").is_some();
    if facts.is_empty() && teaches {
        facts.push(Fact::names(event.pos, account));
    }
    Ok(facts)
}

/// Did a 4738 turn the disabled bit, and which way? The insertion strings list what changed:
/// `%%2080` set, `%%2048` cleared; else the SAM flags (not the LDAP ones), bit 0x1 (DOMAIN.md 4.1).
fn disabled_now(event: &Event) -> Option<bool> {
    let listed = event.get("UserAccountControl").unwrap_or_default();
    for word in listed.split_whitespace() {
        match word {
            "%%2080" => return Some(true),
            "%%2048" => return Some(false),
            _ => {}
        }
    }
    let bit = |name| Some(sam_flags(event, name)? & 1 != 0);
    let (old, new) = (bit("OldUacValue")?, bit("NewUacValue")?);
    (old != new).then_some(new)
}

/// 4781
fn renamed(event: &Event, time: DateTime<Utc>) -> Result<Vec<Fact>, Reason> {
    let old = event.owned("OldTargetUserName").ok_or(Reason::Missing("OldTargetUserName"))?;
    let new = event.owned("NewTargetUserName").ok_or(Reason::Missing("NewTargetUserName"))?;
    let raw_sid = event.get("TargetSid");
    let builtin = raw_sid.is_some_and(|s| s.starts_with("S-1-5-32-"));
    if old == new || builtin || [&old, &new].iter().any(|name| is_of_exchange(name.as_bytes())) {
        return Ok(Vec::new());
    }
    let account = Identity {
        sid: raw_sid.and_then(account_sid),
        domain: event.owned("TargetDomainName"),
        sam_account_name: Some(new),
        former_sam_account_names: vec![old],
        ..Identity::default()
    };
    Ok(vec![event.change(time, ChangeKind::Renamed, account)])
}

/// Only SIDs of a domain or a machine name an account; `S-1-0-0`, `S-1-5-18` and the like do not.
/// Rendered events write `%{S-1-5-21-…}`.
fn account_sid(text: &str) -> Option<String> {
    let text = text.trim_start_matches("%{").trim_end_matches('}').trim();
    let sid = text.to_ascii_uppercase();
    let rest = sid.strip_prefix("S-1-5-21-")?;
    rest.bytes().all(|b| b.is_ascii_digit() || b == b'-').then_some(sid)
}

/// `Keywords` as number, hex text or words to an outcome: the audit bits are
/// 0x0010000000000000 (failure) and 0x0020000000000000 (success).
pub fn outcome_of(keywords: &str) -> Outcome {
    let text = keywords.trim();
    let bits = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        // .NET and NXLog write the same 64 bits as a signed number.
        None => text.parse().ok().or_else(|| text.parse::<i64>().ok().map(i64::cast_unsigned)),
    };
    if let Some(bits) = bits {
        return match (bits & (1 << 52) != 0, bits & (1 << 53) != 0) {
            (true, _) => Outcome::Failure,
            (false, true) => Outcome::Success,
            (false, false) => Outcome::Unknown,
        };
    }
    let word = text.to_ascii_lowercase().replace([' ', '_'], "");
    match word.as_str() {
        "auditfailure" | "failureaudit" | "failure" | "failed" => Outcome::Failure,
        "auditsuccess" | "successaudit" | "success" => Outcome::Success,
        _ => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests;
