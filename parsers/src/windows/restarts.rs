//! Events of the System log to the end of worker processes, and of every token they had cached: recycles of
//! application pools, stops and starts of IIS, starts and shutdowns of the machine (DOMAIN.md 6.1, 6.2).

use super::{Event, number};
use crate::event::{Fact, Reason, Restart, Restarted};

/// What an event id of a provider speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The pool that is named among its values.
    Pool,
    /// All of IIS.
    Iis,
    /// The service that is named among its values.
    Service,
    Machine,
    /// The pool that is named among its values, of which a recycle failed.
    Kept,
}

const WAS: &[&str] = &["Microsoft-Windows-WAS", "WAS"];
const IIS_RESET: &[&str] = &["Microsoft-Windows-IIS-IISReset", "IIS-IISReset", "IISReset"];
const CONTROL: &[&str] = &["Service Control Manager"];
const EVENT_LOG: &[&str] = &["EventLog", "Microsoft-Windows-Eventlog"];
const POWER: &[&str] = &["Microsoft-Windows-Kernel-Power"];

/// The event ids that are read, with the providers whose they are: every provider has numbers of its own.
///
/// 5074 to 5081 and 5117 are recycles for whatever reason, 5186 is the idle time-out, 5009 a crash, 5002 the end of
/// a pool that crashed too often. 3201 and 3202 are start and stop of IIS, and which is which does not matter here.
/// 5070 and 5093 say that WAS could not do what a recycle before them asked for: its workers may live on, some or all.
/// 6005 is the start of the machine, 6006 its shutdown, 6008 and 41 tell at the next start that nobody ordered it.
///
/// Left out, because the worker that holds the tokens may live on: 5010 and 5011 (no answer to a ping, which may
/// leave an orphan), 5012 (a worker that never started), 5013 (the former worker of a recycle takes too long to
/// end, when the new one has long had tokens of its own), 1074 (a shutdown that can be called off).
const MEANINGS: &[(u32, &[&str], Scope)] = &[
    (41, POWER, Scope::Machine),
    (3201, IIS_RESET, Scope::Iis),
    (3202, IIS_RESET, Scope::Iis),
    (5002, WAS, Scope::Pool),
    (5009, WAS, Scope::Pool),
    (5070, WAS, Scope::Kept),
    (5074, WAS, Scope::Pool),
    (5075, WAS, Scope::Pool),
    (5076, WAS, Scope::Pool),
    (5077, WAS, Scope::Pool),
    (5078, WAS, Scope::Pool),
    (5079, WAS, Scope::Pool),
    (5080, WAS, Scope::Pool),
    (5081, WAS, Scope::Pool),
    (5093, WAS, Scope::Kept),
    (5117, WAS, Scope::Pool),
    (5186, WAS, Scope::Pool),
    (6005, EVENT_LOG, Scope::Machine),
    (6006, EVENT_LOG, Scope::Machine),
    (6008, EVENT_LOG, Scope::Machine),
    (7031, CONTROL, Scope::Service),
    (7034, CONTROL, Scope::Service),
    (7036, CONTROL, Scope::Service),
];

/// Those that somebody's command leaves.
const BY_COMMAND: &[u32] = &[3201, 3202, 5079, 7036];

/// Services without which no worker runs, by their own names, which stand in UTF-16 in `Binary`.
///
/// IISADMIN is none of them: since IIS 7 it only serves old scripts, and before that W3SVC stopped with it.
const OF_IIS: &[&str] = &["W3SVC", "WAS"];

/// The same in the language of the server: English, German, French, Spanish. When WAS stops, W3SVC stops with it,
/// so that in other languages than these only W3SVC's name need be known, and `Binary` tells where that is not.
const SHOWN: &[&str] = &[
    "World Wide Web Publishing Service",
    "Windows Process Activation Service",
    "WWW-Publishingdienst",
    "Windows-Prozessaktivierungsdienst",
    "Service de publication World Wide Web",
    "Servicio de publicación World Wide Web",
];

/// What stands in every event of the Service Control Manager that is about these services: of the names that part
/// which is ASCII, and hexadecimal what stands in UTF-16 (`W3SVC`, `WAS`).
pub(super) const MARKS: &[&str] = &[
    "World Wide Web",
    "Windows Process Activation",
    "WWW-Publishing",
    "Windows-Prozessaktivierung",
    "W3SVC",
    "WAS",
    "57003300530056004300",
    "570041005300",
];

/// Can an event of this id tell of a restart?
pub(super) fn of_interest(event_id: u32) -> bool {
    MEANINGS.iter().any(|(id, ..)| *id == event_id)
}

/// What the event says of a restart; `None` where it is an event of another kind.
pub(super) fn told(event: &Event) -> Option<Result<Vec<Fact>, Reason>> {
    let provider = event.provider.as_deref()?.trim();
    let (.., scope) = MEANINGS.iter().find(|(id, providers, _)| {
        *id == event.event_id && providers.iter().any(|name| name.eq_ignore_ascii_case(provider))
    })?;
    let what = match scope {
        Scope::Pool | Scope::Kept => match (event.owned("AppPoolID"), scope) {
            (Some(pool), Scope::Kept) => Restarted::Kept(pool),
            (Some(pool), _) => Restarted::Pool(pool),
            (None, _) => return Some(Err(Reason::Missing("AppPoolID"))),
        },
        Scope::Service if !is_of_iis(event) => return Some(Ok(Vec::new())),
        Scope::Service | Scope::Iis => Restarted::Iis,
        Scope::Machine => Restarted::Machine,
    };
    let time = event.time.ok_or_else(|| event.no_time());
    Some(time.map(|time| {
        let (pos, computer) = (event.pos, event.computer.clone());
        // Shippers without a place of its own for the process that wrote the event put 0 there.
        let process_id = if *scope == Scope::Pool { event.get("ProcessID") } else { None };
        let process_id = process_id.and_then(number).filter(|id| *id != 0);
        let is_by_command = BY_COMMAND.contains(&event.event_id);
        vec![Fact::Restart(Restart { pos, time, computer, what, process_id, is_by_command })]
    }))
}

/// Whether the Service Control Manager speaks of IIS. Without a name it most likely speaks of another service, of which
/// there are a hundred.
fn is_of_iis(event: &Event) -> bool {
    let is_one = |names: &[&str], name: &str| names.iter().any(|n| n.eq_ignore_ascii_case(name));
    let own = event.get("Binary").and_then(service);
    // Without a name to show, Windows shows the service's own.
    own.is_some_and(|name| OF_IIS.contains(&name.as_str()))
        || event.get("param1").is_some_and(|name| is_one(SHOWN, name) || is_one(OF_IIS, name))
}

/// `W3SVC` out of `57003300530056004300…`: the service's name, in UTF-16 and hexadecimal, up to a slash or a zero.
fn service(binary: &str) -> Option<String> {
    let digits: Option<Vec<u32>> = binary.chars().map(|c| c.to_digit(16)).collect();
    let (units, _) = digits.as_deref()?.as_chunks::<4>();
    let units = units.iter().map(|[b, a, d, c]| (d << 12) | (c << 8) | (b << 4) | a);
    let name: Option<String> =
        units.take_while(|unit| !matches!(unit, 0 | 0x2f)).map(char::from_u32).collect();
    name.filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{event, told};
    use super::*;

    const W3SVC: &str = "570033005300560043002F0034000000";

    #[test]
    fn by_command_or_by_itself() {
        let pool = [("AppPoolID", "MSExchangeSyncAppPool"), ("ProcessID", "6640")];
        for (id, expect) in [(5079, true), (5074, false), (5076, false), (5186, false)] {
            let facts = super::told(&of("WAS", id, &pool)).unwrap().unwrap();
            let [Fact::Restart(restart)] = facts.as_slice() else { panic!("{facts:?}") };
            assert_eq!(restart.is_by_command, expect, "{id}");
        }
    }

    #[test]
    fn pools_and_machines() {
        let pool = [("AppPoolID", "MSExchangeSyncAppPool"), ("ProcessID", "6640")];
        for (provider, id, data, expect) in [
            ("Microsoft-Windows-WAS", 5079, &pool[..1], "MSExchangeSyncAppPool"),
            ("WAS", 5074, &pool, "MSExchangeSyncAppPool 6640"),
            ("Microsoft-Windows-WAS ", 5186, &pool, "MSExchangeSyncAppPool 6640"),
            ("microsoft-windows-was", 5002, &[("AppPoolID", "Cafe")], "Cafe"),
            ("Microsoft-Windows-WAS", 5009, &[("AppPoolID", "1"), ("ProcessID", "0")], "1"),
            ("Microsoft-Windows-WAS", 5117, &pool[1..], "reject: AppPoolID is missing"),
            ("Microsoft-Windows-WAS", 5070, &pool[..1], "Kept(\"MSExchangeSyncAppPool\")"),
            ("WAS", 5093, &pool[..1], "Kept(\"MSExchangeSyncAppPool\")"),
            ("WAS", 5070, &[], "reject: AppPoolID is missing"),
            ("Microsoft-Windows-WAS", 5013, &pool, ""),
            ("Microsoft-Windows-WAS", 5057, &pool, ""),
            ("Microsoft-Windows-Backup", 5079, &pool, ""),
            ("Microsoft-Windows-IIS-IISReset", 3201, &[("", "FABRIKAM\\helpdesk")], "Iis"),
            ("IIS-IISReset", 3202, &[], "Iis"),
            ("Microsoft-Windows-IIS-IISReset", 3203, &[], ""),
            ("EventLog", 6005, &[], "Machine"),
            ("EventLog", 6006, &[], "Machine"),
            ("EventLog", 6008, &[], "Machine"),
            ("EventLog", 6013, &[], ""),
            ("Microsoft-Windows-Kernel-Power", 41, &[], "Machine"),
            ("Microsoft-Windows-Security-Auditing", 6006, &[], ""),
        ] {
            assert_eq!(told(&of(provider, id, data)), expect, "{provider} {id}");
        }
        let mut nobody = of("", 5079, &pool);
        nobody.provider = None;
        assert_eq!(told(&nobody), "", "an id without its provider says nothing");
        let mut timeless = of("WAS", 5079, &pool);
        timeless.time = None;
        assert_eq!(told(&timeless), "reject: TimeCreated is missing");
    }

    #[test]
    fn services() {
        for (data, expect) in [
            (&[("param1", "World Wide Web Publishing Service"), ("param2", "stopped")][..], "Iis"),
            (&[("param1", "world wide web publishing service"), ("param2", "running")], "Iis"),
            (&[("param1", "Windows Process Activation Service")], "Iis"),
            (&[("param1", "WWW-Publishingdienst"), ("param2", "beendet")], "Iis"),
            (&[("param1", "Servicio de publicación World Wide Web")], "Iis"),
            (&[("param1", "W3SVC")], "Iis"),
            (&[("param1", "Servizio Pubblicazione sul Web"), ("Binary", W3SVC)], "Iis"),
            (&[("Binary", "5700410053002f0031000000")], "Iis"),
            // The service that runs what was written for IIS 6 ends no worker.
            (&[("param1", "IIS Admin Service"), ("Binary", "49004900530041")], ""),
            (&[("param1", "Windows Update"), ("param2", "running")], ""),
            (&[("param1", "World Wide Web Publishing Service Watcher")], ""),
            (&[("param1", "x"), ("Binary", "no hex")], ""),
            (&[("param2", "running")], ""),
        ] {
            for id in [7031, 7034, 7036] {
                assert_eq!(told(&of("Service Control Manager", id, data)), expect, "{data:?}");
            }
        }
    }

    #[test]
    fn every_name_of_a_service_has_a_mark() {
        for name in SHOWN.iter().chain(OF_IIS) {
            assert!(MARKS.iter().any(|mark| name.contains(mark)), "{name}");
        }
    }

    fn of(provider: &str, id: u32, data: &[(&str, &str)]) -> Event {
        let mut event = event(id, data);
        event.provider = Some(provider.to_owned());
        event
    }
}
