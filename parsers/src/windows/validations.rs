//! 4776 and 4768 of a domain controller to validations: the other end of a logon on a server, by another clock
//! (DOMAIN.md 4.1, 4.4). A domain controller writes one for every logon in the domain, so of a large log only those are
//! read that can belong to a logon that is known.

use super::logons::address;
use super::marks::holds;
use super::{Event, is_security, number};
use crate::event::{Fact, Reason, Validation};
use crate::noise_name::is_of_exchange;
use chrono::{DateTime, TimeDelta, Utc};

/// Can an event of this id tell of a validation?
pub(crate) fn of_interest(event_id: u32) -> bool {
    matches!(event_id, 4768 | 4776)
}

/// What the event says of a validation; `None` where it is an event of another kind. One without a name, of a computer
/// or of a probe tells nothing.
pub(super) fn told(event: &Event) -> Option<Result<Vec<Fact>, Reason>> {
    if !of_interest(event.event_id) || !is_security(event) {
        return None;
    }
    let is_user = |name: &&str| !name.ends_with('$') && !is_of_exchange(name.as_bytes());
    let Some(name) = event.get("TargetUserName").filter(is_user) else {
        return Some(Ok(Vec::new()));
    };
    let Some(time) = event.time else { return Some(Err(event.no_time())) };
    Some(Ok(vec![Fact::Validation(Validation {
        pos: event.pos,
        time,
        computer: event.computer.as_deref().map(Box::from),
        name: name.into(),
        workstation: event.get("Workstation").map(|name| name.trim_start_matches('\\').into()),
        address: event.get("IpAddress").and_then(address),
        is_success: event.get("Status").and_then(number) == Some(0),
    })]))
}

/// Logons whose validations are looked for in EVTX.
#[derive(Debug, Default)]
pub struct Sought(Vec<(DateTime<Utc>, String)>);

impl Sought {
    /// As far from the logon a validation is looked for: no clock is further off than ten minutes where Kerberos works at
    /// all (5 minutes by default).
    pub const WINDOW: TimeDelta = TimeDelta::minutes(10);

    /// Out of times and names without a domain; names beyond ASCII are left out.
    pub fn new(logons: impl Iterator<Item = (DateTime<Utc>, String)>) -> Sought {
        let mut list: Vec<_> =
            logons.filter(|(_, name)| name.is_ascii() && !name.is_empty()).collect();
        list.sort();
        Sought(list)
    }

    /// There is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Can the bytes of a record of EVTX be a validation of one of the logons? A yes may be wrong.
    pub(crate) fn may_be(&self, event_id: u32, time: DateTime<Utc>, record: &[u8]) -> bool {
        if !of_interest(event_id) {
            return false;
        }
        let from = self.0.partition_point(|(at, _)| *at < time - Sought::WINDOW);
        let to = self.0.partition_point(|(at, _)| *at <= time + Sought::WINDOW);
        let near = self.0.get(from..to).unwrap_or_default();
        near.iter().any(|(_, name)| holds(record, name.as_bytes(), 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Pos;

    fn event(event_id: u32, data: &[(&str, &str)]) -> Event {
        let mut event = Event::new(Pos::Line(1), event_id);
        event.provider = Some("Microsoft-Windows-Security-Auditing".to_owned());
        event.time = Some(DateTime::default());
        event.computer = Some("DC1.fabrikam.example".to_owned());
        event.data = data.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        event
    }

    fn check(event_id: u32, data: &[(&str, &str)], expect: &str) {
        let word = |fact: &Fact| match fact {
            Fact::Validation(v) => {
                let asker = v.address.map(|address| address.to_string());
                let asker = v.workstation.as_deref().map(str::to_owned).or(asker);
                format!("{} by {} {}", v.name, asker.as_deref().unwrap_or("?"), v.is_success)
            }
            other => panic!("{other:?}"),
        };
        let said = match told(&event(event_id, data)) {
            None => "another".to_owned(),
            Some(Ok(facts)) => facts.iter().map(word).collect(),
            Some(Err(reason)) => reason.to_string(),
        };
        assert_eq!(said, expect, "{event_id} {data:?}");
    }

    #[test]
    fn who_was_validated_for_whom() {
        let (name, ok) = (("TargetUserName", "ada"), ("Status", "0x0"));
        check(4776, &[name, ("Workstation", "EX01"), ok], "ada by EX01 true");
        check(4776, &[name, ("Workstation", r"\\EX01"), ok], "ada by EX01 true");
        check(4776, &[name, ("Workstation", ""), ("Status", "0xc000006a")], "ada by ? false");
        check(4768, &[name, ("IpAddress", "::ffff:10.0.0.11"), ok], "ada by 10.0.0.11 true");
        check(4768, &[name, ("IpAddress", "::1"), ("Status", "0x18")], "ada by ::1 false");
        check(4776, &[("TargetUserName", "EX01$"), ok], "");
        check(4776, &[("TargetUserName", "HealthMailbox83d6781"), ok], "");
        // A record of EVTX that was not rendered.
        check(4776, &[], "");
        check(4769, &[name, ok], "another");
        let mut timeless = event(4776, &[name, ok]);
        timeless.time = None;
        assert!(matches!(told(&timeless), Some(Err(Reason::Missing(_)))));
    }

    #[test]
    fn what_is_sought() {
        let at = |minute: i64| DateTime::from_timestamp(minute * 60, 0).unwrap_or_default();
        let logons = [(at(100), "ada".to_owned()), (at(200), "bob".to_owned())];
        let sought = Sought::new(logons.into_iter());
        let record: Vec<u8> = "-Ada-".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (id, minute, expect) in [
            (4776, 100, true),
            (4768, 90, true),
            (4776, 110, true),
            (4776, 111, false),
            (4776, 89, false),
            (4776, 200, false),
            (4725, 100, false),
        ] {
            assert_eq!(sought.may_be(id, at(minute), &record), expect, "{id} {minute}");
        }
        assert!(Sought::new([(at(1), "jürgen".to_owned())].into_iter()).is_empty());
    }
}
