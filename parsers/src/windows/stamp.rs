//! The times Windows events are exported with to UTC (DOMAIN.md 4.2). What has no zone is either UTC
//! by the rules of its format or left to `time.rs`.

use crate::event::Reason;
use crate::time::LocalTime;
use chrono::{DateTime, NaiveDateTime, Utc};

/// What a time without a zone means.
#[derive(Debug, Clone, Copy)]
pub enum Zone<'a> {
    /// UTC, by the rules of the format (`SystemTime`, EvtxECmd's `TimeCreated`).
    Utc,
    /// The local time of the machine that wrote it.
    Local(&'a LocalTime),
}

/// Spellings without a zone: `wevtutil`, python-evtx, NXLog, Kibana.
const NAIVE: &[&str] = &["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%b %d, %Y @ %H:%M:%S%.f"];

/// Any spelling to UTC.
pub fn utc(text: &str, zone: Zone<'_>) -> Result<DateTime<Utc>, Reason> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Reason::Missing("TimeCreated"));
    }
    if let Some(time) = json_date(text).or_else(|| cim(text)) {
        return Ok(time);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    // An offset without a colon (Logstash, NXLog).
    if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z") {
        return Ok(time.to_utc());
    }
    let zulu = text.strip_suffix('Z');
    let bare = zulu.unwrap_or(text).trim_end();
    let naive = NAIVE.iter().find_map(|form| NaiveDateTime::parse_from_str(bare, form).ok());
    match (naive, zone) {
        (None, _) => Err(Reason::BadTime(shown(text))),
        (Some(naive), Zone::Utc) => Ok(naive.and_utc()),
        (Some(naive), Zone::Local(_)) if zulu.is_some() => Ok(naive.and_utc()),
        (Some(naive), Zone::Local(local)) => local.to_utc(naive),
    }
}

/// `/Date(1722513600000)/`: milliseconds of UTC, whatever offset follows (PowerShell 5.1).
fn json_date(text: &str) -> Option<DateTime<Utc>> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let sign = usize::from(inner.starts_with('-'));
    let end = inner.get(sign..)?.find(['+', '-']).map_or(inner.len(), |at| at + sign);
    DateTime::from_timestamp_millis(inner.get(..end)?.parse().ok()?)
}

/// `20131014124857.000000-000`, the last part being minutes from UTC (WMI's `CIM_DATETIME`).
fn cim(text: &str) -> Option<DateTime<Utc>> {
    let (stamp, offset) = (text.get(..21)?, text.get(21..)?);
    let minutes: i64 = offset.parse().ok()?;
    let naive = NaiveDateTime::parse_from_str(stamp, "%Y%m%d%H%M%S%.f").ok()?;
    let offset = chrono::TimeDelta::try_minutes(minutes)?;
    naive.and_utc().checked_sub_signed(offset)
}

/// Hostile text, cut to a length that a message can hold.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let local = LocalTime::default();
        let check = |text: &str, zone: Zone<'_>, expect: &str| {
            let got = match utc(text, zone) {
                Ok(time) => time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
                Err(reason) => reason.to_string(),
            };
            assert_eq!(got, expect, "{text}");
        };
        let zoneless = "2024-08-01 12:00:00 has no zone; say with --tz which zone the exporting machine was in";
        for (text, expect) in [
            ("2024-08-01T12:00:00.1234567Z", "2024-08-01T12:00:00.123456700Z"),
            ("2014-06-04T12:58:03.810866000Z", "2014-06-04T12:58:03.810866Z"),
            ("2024-08-01T14:00:00.1234567+02:00", "2024-08-01T12:00:00.123456700Z"),
            ("2024-08-01T14:00:00+0200", "2024-08-01T12:00:00Z"),
            ("2024-08-01 12:00:00Z", "2024-08-01T12:00:00Z"),
            ("/Date(1722513600000)/", "2024-08-01T12:00:00Z"),
            ("/Date(1722513600000+0200)/", "2024-08-01T12:00:00Z"),
            ("/Date(-1)/", "1969-12-31T23:59:59.999Z"),
            ("20240801140000.000000+120", "2024-08-01T12:00:00Z"),
            ("20131014124857.000000-000", "2013-10-14T12:48:57Z"),
            ("14.06.2017 16:55:58", "`14.06.2017 16:55:58` is no time"),
            ("/Date()/", "`/Date()/` is no time"),
            ("", "TimeCreated is missing"),
        ] {
            check(text, Zone::Utc, expect);
            check(text, Zone::Local(&local), expect);
        }
        for (text, expect) in [
            ("2018-09-10 13:03:34.075348", "2018-09-10T13:03:34.075348Z"),
            ("2024-08-01T12:00:00", "2024-08-01T12:00:00Z"),
            ("Aug 1, 2024 @ 12:00:00.000", "2024-08-01T12:00:00Z"),
        ] {
            check(text, Zone::Utc, expect);
        }
        check("2024-08-01 12:00:00", Zone::Local(&local), zoneless);
        check("2024-08-01T12:00:00", Zone::Local(&local), zoneless);
        check("Aug 1, 2024 @ 12:00:00.000", Zone::Local(&local), zoneless);
    }
}
