//! A line of HTTP.sys's error log to the application pool that went away, or whose worker did (DOMAIN.md 1.7, 6.3).

use crate::w3c::{Column, Line};

/// What ended, then or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ended {
    /// The pool was stopped or disabled, and took requests no more: no worker of it is left.
    Pool,
    /// A worker gave up a request that it had begun, or that waited for it. Most likely it was told to go, and after
    /// 90 s killed; but it may only have been taken out of use.
    Worker,
}

/// What the reason of a request's death says of a pool, and the name of the pool.
pub fn restart_hint<'a>(line: &Line<'a>) -> Option<(Ended, &'a [u8])> {
    Some((ended(line.present(Column::SReason)?)?, line.present(Column::SQueuename)?))
}

/// The reasons that come of the end of a pool or a worker. The others come of clients and of load (`QueueFull`,
/// `AppPoolTimer`, `Timer_…`).
fn ended(s_reason: &[u8]) -> Option<Ended> {
    const REASONS: &[(&str, Ended)] = &[
        ("AppShutdown", Ended::Pool),
        ("AppOffline", Ended::Pool),
        ("Disabled", Ended::Pool),
        ("Connection_Abandoned_By_AppPool", Ended::Worker),
        ("Connection_Abandoned_By_ReqQueue", Ended::Worker),
    ];
    let row = REASONS.iter().find(|(reason, _)| s_reason.eq_ignore_ascii_case(reason.as_bytes()));
    row.map(|(_, ended)| *ended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::w3c::{State, scan};

    #[test]
    fn reasons_and_queues() {
        use Ended::*;
        let sync = "MSExchangeSyncAppPool";
        for (values, expect) in [
            ("AppShutdown MSExchangeSyncAppPool", Some((Pool, sync))),
            ("AppOffline MSExchangeSyncAppPool", Some((Pool, sync))),
            ("disabled MSExchangeSyncAppPool", Some((Pool, sync))),
            ("Connection_Abandoned_By_AppPool MSExchangeSyncAppPool", Some((Worker, sync))),
            ("CONNECTION_ABANDONED_BY_REQQUEUE MSExchangeSyncAppPool", Some((Worker, sync))),
            ("Connection_Abandoned_By_ReqQueue -", None),
            ("AppOffline ", None),
            ("AppPoolTimer MSExchangeSyncAppPool", None),
            ("QueueFull MSExchangeSyncAppPool", None),
            ("Connection_Dropped MSExchangeSyncAppPool", None),
            ("Timer_ConnectionIdle -", None),
            ("- MSExchangeSyncAppPool", None),
        ] {
            let fields = "#Fields: date time sc-status s-reason s-queuename";
            let log = format!("{fields}\n2026-03-02 09:15:00 503 {values}\n");
            let mut hints = Vec::new();
            scan(log.as_bytes(), &State::default(), |_, line| {
                let hint = restart_hint(line);
                hints.push(hint.map(|(e, pool)| (e, String::from_utf8_lossy(pool).into_owned())));
            });
            assert_eq!(hints, [expect.map(|(e, pool)| (e, pool.to_owned()))], "{values}");
        }
        let mut n_lines = 0;
        scan(
            b"#Fields: date time cs-username sc-status\n2026-03-02 09:15:00 ada 200\n",
            &State::default(),
            |_, line| {
                assert_eq!(restart_hint(line), None, "a log of another kind");
                n_lines += 1;
            },
        );
        assert_eq!(n_lines, 1);
    }
}
