//! 4624 and 4625 of an Exchange server's Security log to the logons of its worker processes: each is a token that was
//! not in the cache (DOMAIN.md 4.1).

use super::{Event, account_sid, is_security, number};
use crate::event::{Fact, Identity, Logon, LogonPackage, LogonResult, Reason};
use crate::exchange::refusal_of_status;
use crate::noise_name::is_of_exchange;
use std::net::IpAddr;

/// NetworkCleartext: a name and a password, as Basic and forms authentication have them.
const CLEARTEXT: u64 = 8;

/// The worker process of IIS.
pub(super) const WORKER: &str = "w3wp.exe";

/// Can an event of this id tell of a logon?
///
/// 4634, the logoff, is not read: that it marks the end of a cached token is nowhere written, and it comes without
/// the worker's name.
pub(super) fn of_interest(event_id: u32) -> bool {
    matches!(event_id, 4624 | 4625)
}

/// What the event says of a logon; `None` where it is an event of another kind.
pub(super) fn told(event: &Event) -> Option<Result<Vec<Fact>, Reason>> {
    if !of_interest(event.event_id) || !is_security(event) {
        return None;
    }
    let process = event.get("ProcessName").unwrap_or_default();
    let is_worker =
        process.rsplit(['\\', '/']).next().is_some_and(|n| n.eq_ignore_ascii_case(WORKER));
    if !is_worker {
        return Some(Ok(Vec::new()));
    }
    Some(match event.get("LogonType").map(number) {
        Some(Some(CLEARTEXT)) => logon(event).map(|logon| vec![Fact::Logon(logon)]),
        Some(Some(_)) => Ok(Vec::new()),
        Some(None) => Err(Reason::BadNumber("LogonType")),
        None => Err(Reason::Missing("LogonType")),
    })
}

fn logon(event: &Event) -> Result<Logon, Reason> {
    let result = match event.event_id {
        4624 => LogonResult::Succeeded,
        _ => refusal(event)?,
    };
    Ok(Logon {
        pos: event.pos,
        time: event.time.ok_or_else(|| event.no_time())?,
        computer: event.computer.as_deref().map(Box::from),
        account: account(event)?.map(Box::new),
        result,
        address: event.get("IpAddress").and_then(address),
        process_id: process_id(event),
        package: package(event),
    })
}

/// `SubStatus` says more than `Status` where it says anything.
fn refusal(event: &Event) -> Result<LogonResult, Reason> {
    let mut known = false;
    for name in ["SubStatus", "Status"] {
        let Some(status) = event.get(name).and_then(ntstatus) else { continue };
        known = true;
        if let Some(refusal) = refusal_of_status(status) {
            return Ok(LogonResult::Refused(refusal));
        }
        // The general `Status` must not speak for a reason that `SubStatus` names and nobody knows.
        if status != 0 {
            return Ok(LogonResult::Technical);
        }
    }
    if known { Ok(LogonResult::Technical) } else { Err(Reason::Missing("Status")) }
}

/// `0xc000006d`; .NET writes the same 32 bits as a signed number.
fn ntstatus(text: &str) -> Option<u64> {
    let signed = || text.trim().parse::<i32>().ok().map(|n| u64::from(n.cast_unsigned()));
    number(text).or_else(signed)
}

/// The account; none for probes, and for a try without a name.
fn account(event: &Event) -> Result<Option<Identity>, Reason> {
    if !event.has("TargetUserName") {
        return Err(Reason::Missing("TargetUserName"));
    }
    let Some(name) = event.get("TargetUserName") else { return Ok(None) };
    let (domain, name) = match name.split_once('\\') {
        Some((domain, name)) => (Some(domain.to_owned()), name),
        None => (event.owned("TargetDomainName"), name),
    };
    if name.is_empty() || is_of_exchange(name.as_bytes()) {
        return Ok(None);
    }
    let mut account = Identity {
        sid: event.get("TargetUserSid").and_then(account_sid),
        domain,
        ..Identity::default()
    };
    let is_upn = name.contains('@');
    let place =
        if is_upn { &mut account.user_principal_name } else { &mut account.sam_account_name };
    *place = Some(name.to_owned());
    Ok(Some(account))
}

/// Only under this very spelling: at the top of a flat export `ProcessID` is the process that wrote the event.
fn process_id(event: &Event) -> Option<u64> {
    let (_, id) = event.data.iter().find(|(name, _)| name == "ProcessId")?;
    number(id).filter(|id| *id != 0)
}

/// `203.0.113.7`, `::ffff:203.0.113.7`, `fe80::1%12`.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let bare = text.split('%').next()?;
    bare.parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// `LmPackageName` is set where NTLM did it, whoever was asked.
fn package(event: &Event) -> Option<LogonPackage> {
    if event.get("LmPackageName").is_some() {
        return Some(LogonPackage::Ntlm);
    }
    match event.get("AuthenticationPackageName")?.to_ascii_lowercase().as_str() {
        "negotiate" => Some(LogonPackage::Negotiate),
        "kerberos" => Some(LogonPackage::Kerberos),
        "ntlm" | "microsoft_authentication_package_v1_0" => Some(LogonPackage::Ntlm),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
