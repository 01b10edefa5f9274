//! The clock of an exporting machine, as far as its export gives it away: the order of day and
//! month from a day above 12, and the zone from moments that the export tells twice, once local and
//! once as FILETIME (DOMAIN.md 4.3).

use super::alike::{Alike, alike};
use super::{DateOrder, LocalTime, Spelling, When, Zone, spelling};
use crate::event::{Precision, Reason};
use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use std::collections::BTreeMap;

/// What the times of an export say of the clock that wrote them.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// A day above 12 stood first; second.
    day_first: bool,
    day_second: bool,
    /// Seconds east of UTC, and an instant of each day at which that was seen.
    offsets: BTreeMap<(i64, i32), DateTime<Utc>>,
    /// Local times that were looked at, and the first and last of them, in either order of day and
    /// month.
    n_local: usize,
    span: Option<(NaiveDateTime, NaiveDateTime)>,
}

/// With more local times than that it pays to compare the zones first.
const MANY: usize = 1000;

/// How the local times of one export are to be read.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    local: LocalTime,
    /// Every zone in which all moments told twice fit; not used if the user named one.
    zones: Vec<Tz>,
    /// One of each of them (of every zone, where none fits) that differ in the years of the export.
    alike: Option<Alike>,
    /// No zone fits: the rows come from several machines.
    mixed: bool,
    /// Moments are told twice, and not one of them fits the zone that the user named.
    contradicted: bool,
}

impl Hints {
    /// Looks at a time for the order of its parts.
    pub fn see(&mut self, text: &str) {
        let Some(spelled) = spelling(text) else { return };
        let readings = (spelled.local(DateOrder::Dmy), spelled.local(DateOrder::Mdy));
        match readings {
            (Some(_), None) => self.day_first = true,
            (None, Some(_)) => self.day_second = true,
            _ => {}
        }
        self.n_local += usize::from(readings != (None, None));
        for local in [readings.0, readings.1].into_iter().flatten() {
            let (from, to) = self.span.unwrap_or((local, local));
            self.span = Some((from.min(local), to.max(local)));
        }
    }

    /// Looks at a moment that is told twice, as local time and as FILETIME; texts of other kinds
    /// say nothing.
    pub fn see_pair(&mut self, local_text: &str, filetime: &str, order: Option<DateOrder>) {
        let (Some(local), Some(Spelling::Instant(time))) =
            (spelling(local_text), spelling(filetime))
        else {
            return;
        };
        let two = matches!(local, Spelling::TwoParts { .. });
        let orders = [DateOrder::Dmy, DateOrder::Mdy]
            .into_iter()
            .filter(|o| !two || order.is_none_or(|told| told == *o));
        let readings: Vec<_> =
            orders.filter_map(|o| Some((o, offset_between(local.local(o)?, time)?))).collect();
        let Some((order, seconds)) = readings.first().copied() else { return };
        if two && readings.len() == 1 {
            match order {
                DateOrder::Dmy => self.day_first = true,
                _ => self.day_second = true,
            }
        }
        self.offsets.insert((time.timestamp().div_euclid(86_400), seconds), time);
    }

    /// The clock that these hints speak of, within what the user said.
    pub fn clock(&self, local: LocalTime) -> Clock {
        let mut clock = self.clock_among(&TZ_VARIANTS, local);
        if self.n_local >= MANY
            && let Some((from, to)) = self.span
        {
            let zones = if clock.mixed { &TZ_VARIANTS[..] } else { &clock.zones };
            clock.alike = alike(zones, from, to);
        }
        clock
    }

    fn clock_among(&self, zones: &[Tz], local: LocalTime) -> Clock {
        let learnt = match (self.day_first, self.day_second) {
            (true, false) => Some(DateOrder::Dmy),
            (false, true) => Some(DateOrder::Mdy),
            _ => None,
        };
        let fit = |tz: &&Tz| {
            let mut seen = self.offsets.iter();
            seen.all(|((_, seconds), time)| Zone::Named(**tz).seconds_east(*time) == *seconds)
        };
        let zones = match local.zone {
            None if !self.offsets.is_empty() => zones.iter().filter(fit).copied().collect(),
            _ => Vec::new(),
        };
        let zones = without_ramadan(zones);
        let fits = |zone: Zone| self.offsets.iter().any(|((_, s), t)| zone.seconds_east(*t) == *s);
        let known = !self.offsets.is_empty();
        let mixed = known && local.zone.is_none() && zones.is_empty();
        let contradicted = known && local.zone.is_some_and(|zone| !fits(zone));
        let local = LocalTime { date_order: local.date_order.or(learnt), ..local };
        Clock { local, zones, alike: None, mixed, contradicted }
    }
}

impl Clock {
    /// A clock of which nothing is known but what the user said.
    pub fn new(local: LocalTime) -> Self {
        Clock { local, ..Clock::default() }
    }

    /// The clock of one row of an export that was put together on several machines.
    pub fn of_row(&self, hints: impl FnOnce() -> Hints) -> Option<Clock> {
        if !self.mixed {
            return None;
        }
        let hints = hints();
        let zones = match (&self.alike, hints.span) {
            (Some(alike), Some((from, to))) if alike.covers(from, to) => &alike.zones,
            _ => &TZ_VARIANTS[..],
        };
        Some(hints.clock_among(zones, self.local))
    }

    /// The order of day and month, told or learnt.
    pub fn date_order(&self) -> Option<DateOrder> {
        self.local.date_order
    }

    /// Why a moment that is told twice cannot be true in the zone that the user named.
    pub fn contradiction(&self, local_text: &str, filetime: &str) -> Option<Reason> {
        let zone = self.local.zone?;
        let Some(Spelling::Instant(time)) = spelling(filetime) else { return None };
        let local = self.naive(local_text).ok()??;
        let seconds = offset_between(local, time)?;
        if zone.seconds_east(time) == seconds {
            return None;
        }
        let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
        let (h, m) = (minutes / 60, minutes % 60);
        Some(Reason::Format(format!(
            "{local_text} is also told as UTC, {sign}{h:02}:{m:02} from it, but --tz is {zone}; \
             leave --tz out or name the zone of the exporting machine"
        )))
    }

    /// Any accepted spelling to an instant; `None` is a FILETIME that means never. Where several
    /// zones fit, it is the latest instant of any of them, `AtLatest`: one machine gives its winter
    /// away but not its summer.
    pub fn when(&self, text: &str) -> Result<Option<When>, Reason> {
        match spelling(text) {
            Some(Spelling::Instant(time)) => return Ok(Some((time, Precision::Exact))),
            Some(Spelling::Never) => return Ok(None),
            _ => {}
        }
        let Some(local) = self.naive(text)? else { return Ok(None) };
        if let Some(zone) = self.local.zone.filter(|_| self.contradicted) {
            return Err(Reason::Format(format!(
                "{local}: the same export also tells times as UTC, and none fits --tz {zone}; \
                 leave --tz out"
            )));
        }
        if self.local.zone.is_some() || self.zones.is_empty() {
            return self.local.local_when(local).map(Some);
        }
        let zones = match &self.alike {
            Some(alike) if alike.covers(local, local) => &alike.zones,
            _ => &self.zones,
        };
        let mut found: Option<When> = None;
        for (time, precision) in zones.iter().filter_map(|tz| Zone::Named(*tz).instant(local)) {
            found = Some(match found {
                None => (time, precision),
                Some((known, p)) if known == time => (known, p.max(precision)),
                Some((known, _)) => (known.max(time), Precision::AtLatest),
            });
        }
        let skipped = || {
            Reason::Format(format!("{local} was skipped: the clocks were put forward; say --tz"))
        };
        found.map(Some).ok_or_else(skipped)
    }

    /// The local time of a text; `None` where the text is an instant.
    fn naive(&self, text: &str) -> Result<Option<NaiveDateTime>, Reason> {
        let spelled = spelling(text).ok_or_else(|| no_time(text))?;
        if matches!(spelled, Spelling::Instant(_) | Spelling::Never) {
            return Ok(None);
        }
        let (dmy, mdy) = (spelled.local(DateOrder::Dmy), spelled.local(DateOrder::Mdy));
        match (self.local.date_order, dmy, mdy) {
            _ if dmy == mdy => Ok(dmy),
            (Some(order), _, _) => spelled.local(order).map(Some).ok_or_else(|| {
                Reason::Format(format!(
                    "{text} does not fit the date order {order}; check --date-order"
                ))
            }),
            (None, Some(local), None) | (None, None, Some(local)) => Ok(Some(local)),
            _ => Err(Reason::Format(format!(
                "{text} may begin with the day or with the month; say with --date-order dmy or mdy"
            ))),
        }
    }
}

/// Without the clocks that are put back for the month of Ramadan, unless only they fit: a day of winter fits them as
/// well as all of Central Europe, and would make every time of that month uncertain by an hour. A machine in Morocco
/// has to be named with `--tz`.
fn without_ramadan(zones: Vec<Tz>) -> Vec<Tz> {
    let is_one = |tz: &Tz| matches!(tz, Tz::Africa__Casablanca | Tz::Africa__El_Aaiun);
    let others: Vec<Tz> = zones.iter().copied().filter(|tz| !is_one(tz)).collect();
    if others.is_empty() { zones } else { others }
}

fn no_time(text: &str) -> Reason {
    let digits = |t: &str| t.starts_with(|c: char| c.is_ascii_digit());
    if digits(text) && text.to_ascii_uppercase().contains("E+") {
        return Reason::Format(format!(
            "{text} was a time until a spreadsheet rounded it; export it again"
        ));
    }
    if digits(text) && (8..=10).contains(&text.len()) && text.contains(['-', '/', '.']) {
        return Reason::Format(format!(
            "{text} has no time of day; write it as 2024-08-01T14:30:00+02:00"
        ));
    }
    // What is quoted in a message stays short, whatever stands in the export.
    Reason::BadTime(text.chars().take(60).collect())
}

/// Seconds east of UTC, if the two tell one moment: zones differ by quarters of an hour, exports
/// cut fractions, seconds or (spreadsheets) whole minutes.
fn offset_between(local: NaiveDateTime, time: DateTime<Utc>) -> Option<i32> {
    let seconds = local.signed_duration_since(time.naive_utc()).num_milliseconds();
    let quarter = 15 * 60 * 1000;
    let offset = (seconds + 60_000).div_euclid(quarter) * quarter;
    let rest = seconds - offset;
    let whole_minute = local.and_utc().timestamp() % 60 == 0;
    let sound = (-2_000..=2_000).contains(&rest) || (whole_minute && (-60_000..0).contains(&rest));
    if sound && offset.abs() <= 14 * 3_600_000 { i32::try_from(offset / 1000).ok() } else { None }
}
