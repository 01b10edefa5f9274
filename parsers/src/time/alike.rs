//! Many names of zones to the few clocks that differ: of 600 zones some forty fit an export from Paris,
//! and within the years of the export most of them never show another time than one of the others.

use super::Zone;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::collections::BTreeSet;

/// Of some zones, one of each that show another time somewhere between two local times.
#[derive(Debug, Clone)]
pub(super) struct Alike {
    from: NaiveDateTime,
    to: NaiveDateTime,
    /// In the order of the zones compared.
    pub zones: Vec<Tz>,
}

/// Years that are compared; outside of them every zone is asked. No zone changes its offset twice
/// within less than a week in any of them.
const YEARS: (i32, i32) = (1990, 2050);
const STEP: i64 = 5 * 86_400;

/// Compares zones between two local times, as far as these lie within the years.
pub(super) fn alike(zones: &[Tz], from: NaiveDateTime, to: NaiveDateTime) -> Option<Alike> {
    let new_year = |year| NaiveDate::from_ymd_opt(year, 1, 1)?.and_hms_opt(0, 0, 0);
    let (from, to) = (from.max(new_year(YEARS.0)?), to.min(new_year(YEARS.1)?));
    if from > to {
        return None;
    }
    // A local time is less than two days away from UTC.
    let seconds =
        |local: NaiveDateTime, days| (local + TimeDelta::days(days)).and_utc().timestamp();
    let (first, last) = (seconds(from, -2), seconds(to, 2));
    let mut known = BTreeSet::new();
    let zones = zones.iter().copied().filter(|tz| known.insert(offsets(*tz, first, last)));
    Some(Alike { from, to, zones: zones.collect() })
}

impl Alike {
    /// These times were compared.
    pub fn covers(&self, from: NaiveDateTime, to: NaiveDateTime) -> bool {
        self.from <= from && to <= self.to
    }
}

/// The offset at the beginning, and each later one with the second at which it begins.
fn offsets(tz: Tz, from: i64, to: i64) -> Vec<(i64, i32)> {
    let at = |second| {
        let time = DateTime::<Utc>::from_timestamp(second, 0).unwrap_or_default();
        Zone::Named(tz).seconds_east(time)
    };
    let mut now = at(from);
    let mut offsets = vec![(from, now)];
    let mut second = from;
    while second < to {
        let next = second + STEP;
        let then = at(next);
        if then != now {
            let (mut before, mut after) = (second, next);
            while after - before > 1 {
                let middle = before + (after - before) / 2;
                *(if at(middle) == now { &mut before } else { &mut after }) = middle;
            }
            offsets.push((after, then));
        }
        (second, now) = (next, then);
    }
    offsets
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use chrono_tz::TZ_VARIANTS;

    #[test]
    fn the_few_show_what_all_show() {
        let day = |year, month, day| {
            NaiveDate::from_ymd_opt(year, month, day).unwrap().and_hms_opt(0, 0, 0).unwrap()
        };
        let (from, to) = (day(2015, 9, 1), day(2016, 11, 15));
        let few = alike(&TZ_VARIANTS, from, to).unwrap().zones;
        assert!(few.len() < TZ_VARIANTS.len() / 3, "{}", few.len());
        let shown = |zones: &[Tz], local| -> BTreeSet<_> {
            zones.iter().map(|tz| Zone::Named(*tz).instant(local)).collect()
        };
        let mut local = from;
        while local <= to {
            assert_eq!(shown(&few, local), shown(&TZ_VARIANTS, local), "{local}");
            local += TimeDelta::minutes(19 * 60 + 45);
        }
        // Paris and its aliases; London is another.
        let zones = [Tz::Europe__Paris, Tz::Europe__Monaco, Tz::Europe__London, Tz::Europe__Paris];
        let two = [Tz::Europe__Paris, Tz::Europe__London];
        assert_eq!(alike(&zones, from, to).unwrap().zones, two);
        // Times that no directory holds cost nothing, and are not covered.
        let all = alike(&zones, NaiveDateTime::MIN, NaiveDateTime::MAX).unwrap();
        assert_eq!(all.zones, two);
        assert!(all.covers(from, to) && !all.covers(from, NaiveDateTime::MAX));
        assert!(alike(&zones, NaiveDateTime::MAX, NaiveDateTime::MAX).is_none());
        assert!(alike(&zones, NaiveDateTime::MIN, NaiveDateTime::MIN).is_none());
    }
}
