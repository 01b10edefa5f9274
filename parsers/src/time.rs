//! Every accepted spelling of a time to UTC. Time without a zone never leaves this file and its
//! clock: what the text does not say (`--tz`, `--date-order`) is asked for, never assumed
//! (DOMAIN.md 4.3).

use crate::event::{Precision, Reason};
use chrono::offset::LocalResult;
use chrono::{
    DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::{TZ_VARIANTS, Tz};
use std::fmt;
use std::str::FromStr;

mod alike;
mod clock;
#[cfg(test)]
mod tests;

pub use clock::{Clock, Hints};

/// How times without a zone are to be understood (`--tz`, `--date-order`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LocalTime {
    /// The zone of the exporting machine, where the user told it.
    pub zone: Option<Zone>,
    /// The order of day and month in dates with slashes, where the user told it.
    pub date_order: Option<DateOrder>,
}

/// A time zone as `--tz` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// `+02:00`, `UTC`, `Z`
    Fixed(FixedOffset),
    /// `Europe/Paris`: with summer time.
    Named(Tz),
}

/// The order of the parts of a date, as `--date-order` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DateOrder {
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
    /// Year, month, day.
    Ymd,
}

/// An instant, and whether it is that instant or only its upper bound.
pub type When = (DateTime<Utc>, Precision);

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.trim();
        if let Some(offset) = offset(name) {
            return Ok(Zone::Fixed(offset));
        }
        let named = TZ_VARIANTS.iter().find(|tz| tz.name().eq_ignore_ascii_case(name));
        named.map(|tz| Zone::Named(*tz)).ok_or_else(|| {
            let cure = "write an offset (+02:00), UTC, or a name such as Europe/Paris";
            format!("`{}` is no time zone; {cure}", name.chars().take(60).collect::<String>())
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Zone::Fixed(offset) => write!(f, "{offset}"),
            Zone::Named(tz) => f.write_str(tz.name()),
        }
    }
}

impl Zone {
    /// Seconds east of UTC at an instant.
    fn seconds_east(self, time: DateTime<Utc>) -> i32 {
        match self {
            Zone::Fixed(offset) => offset.local_minus_utc(),
            Zone::Named(tz) => {
                tz.offset_from_utc_datetime(&time.naive_utc()).fix().local_minus_utc()
            }
        }
    }

    /// The instants that show this time on a clock there: the last one, and whether it was the only
    /// one.
    fn instant(self, local: NaiveDateTime) -> Option<When> {
        let found = match self {
            Zone::Fixed(offset) => offset.from_local_datetime(&local).map(|t| t.to_utc()),
            Zone::Named(tz) => tz.from_local_datetime(&local).map(|t| t.to_utc()),
        };
        match found {
            LocalResult::Single(time) => Some((time, Precision::Exact)),
            // The hour that summer time repeats: of two readings the later, because a change taken
            // for earlier than it was would accuse requests that were rightly served.
            LocalResult::Ambiguous(a, b) => Some((a.max(b), Precision::AtLatest)),
            LocalResult::None => None,
        }
    }
}

impl FromStr for DateOrder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "dmy" => Ok(DateOrder::Dmy),
            "mdy" => Ok(DateOrder::Mdy),
            "ymd" => Ok(DateOrder::Ymd),
            other => Err(format!("`{other}` is no date order; write dmy, mdy or ymd")),
        }
    }
}

impl fmt::Display for DateOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DateOrder::Dmy => "dmy",
            DateOrder::Mdy => "mdy",
            DateOrder::Ymd => "ymd",
        })
    }
}

impl LocalTime {
    /// Any accepted spelling to an instant; `None` is a FILETIME that means never.
    pub fn utc(&self, text: &str) -> Result<Option<DateTime<Utc>>, Reason> {
        Ok(self.when(text)?.map(|(time, _)| time))
    }

    /// As `utc`, with `AtLatest` where the clocks showed the time twice.
    pub fn when(&self, text: &str) -> Result<Option<When>, Reason> {
        Clock::new(*self).when(text)
    }

    /// A local time to an instant: the later one if summer time repeats it, none if it skips it.
    pub fn to_utc(&self, local: NaiveDateTime) -> Result<DateTime<Utc>, Reason> {
        self.local_when(local).map(|(time, _)| time)
    }

    fn local_when(&self, local: NaiveDateTime) -> Result<When, Reason> {
        let zone = self.zone.ok_or_else(|| {
            Reason::Format(format!(
                "{local} has no zone; say with --tz which zone the exporting machine was in"
            ))
        })?;
        zone.instant(local).ok_or_else(|| {
            Reason::Format(format!(
                "{local} was skipped in {zone}: the clocks were put forward; check --tz"
            ))
        })
    }
}

/// A time as its text tells it; private to this file and its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// With a zone, or of a kind that is UTC by definition.
    Instant(DateTime<Utc>),
    /// Local, in known order.
    Local(NaiveDateTime),
    /// Local, day and month in unknown order.
    TwoParts { first: u32, second: u32, year: i32, time: NaiveTime },
    /// A FILETIME that stands for never.
    Never,
}

impl Spelling {
    /// The local time, when its parts stand in this order.
    fn local(self, order: DateOrder) -> Option<NaiveDateTime> {
        match (self, order) {
            (Spelling::Local(local), _) => Some(local),
            (Spelling::TwoParts { first, second, year, time }, DateOrder::Dmy) => {
                Some(NaiveDate::from_ymd_opt(year, second, first)?.and_time(time))
            }
            (Spelling::TwoParts { first, second, year, time }, DateOrder::Mdy) => {
                Some(NaiveDate::from_ymd_opt(year, first, second)?.and_time(time))
            }
            _ => None,
        }
    }
}

/// The last FILETIME that .NET can hold and RFC 3339 can write down.
pub(crate) const LAST_OF_9999: i64 = 2_650_467_743_999_999_999;

/// FILETIME, 100 ns since 1601: `None` where it means never (0, -1, and whatever no `DateTime` of
/// .NET can hold, as 9223372036854775807), `Err` where it is no time.
fn filetime(ticks: i64) -> Result<Option<DateTime<Utc>>, ()> {
    match ticks {
        0 | -1 => Ok(None),
        t if t > LAST_OF_9999 => Ok(None),
        // Before 1970 no directory was there: a number of another unit.
        t if t < 116_444_736_000_000_000 => Err(()),
        t => {
            let seconds = t / 10_000_000 - 11_644_473_600;
            let nanos = u32::try_from(t % 10_000_000 * 100).map_err(|_| ())?;
            DateTime::from_timestamp(seconds, nanos).map(Some).ok_or(())
        }
    }
}

/// The spelling of a text, or nothing where it is no time.
fn spelling(text: &str) -> Option<Spelling> {
    // Newer .NET writes U+202F before PM; some cultures wrap dates in direction marks.
    let plain: String;
    let text = if text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        text
    } else {
        plain = text
            .chars()
            .filter(|c| !matches!(c, '\u{200e}' | '\u{200f}' | '\u{feff}'))
            .map(|c| if c.is_whitespace() { ' ' } else { c })
            .collect();
        &plain
    };
    let text = text.trim();
    if let Some(ms) = text.strip_prefix("/Date(").or_else(|| text.strip_prefix("\\/Date(")) {
        // PowerShell 5.1 ConvertTo-Json; an offset behind the number is for display only.
        let number = ms.split(')').next()?;
        let end = number.char_indices().skip(1).find(|(_, c)| !c.is_ascii_digit());
        let number = end.map_or(Some(number), |(at, _)| number.get(..at))?;
        return DateTime::from_timestamp_millis(number.parse().ok()?).map(Spelling::Instant);
    }
    let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if n_digits == 14 && text.len() > 14 {
        return generalized_time(text).map(Spelling::Instant);
    }
    if let Ok(ticks) = text.parse::<i64>() {
        return Some(filetime(ticks).ok()?.map_or(Spelling::Never, Spelling::Instant));
    }
    date_and_time(text)
}

/// `20240801120000.0Z`, `20240801120000+0200`; without a zone it is none of a directory.
fn generalized_time(text: &str) -> Option<DateTime<Utc>> {
    let (digits, rest) = text.split_at_checked(14)?;
    let part = |from, to| digits.get(from..to)?.parse::<u32>().ok();
    let date = NaiveDate::from_ymd_opt(i32::try_from(part(0, 4)?).ok()?, part(4, 6)?, part(6, 8)?)?;
    let mut time = clock_time(part(8, 10)?, part(10, 12)?, part(12, 14)?, 0)?;
    let mut rest = rest;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let (nanos, after) = fraction_of_second(fraction)?;
        time = time.overflowing_add_signed(TimeDelta::nanoseconds(i64::from(nanos))).0;
        rest = after;
    }
    instant(date.and_time(time), offset(rest)?)
}

/// A date, blanks or `T`, a time of day, `AM` or `PM`, a zone.
fn date_and_time(text: &str) -> Option<Spelling> {
    let (a, rest) = number(text)?;
    let separator = rest.chars().next().filter(|c| matches!(c, '-' | '/' | '.'))?;
    let next = |rest| Some(str::trim_start(str::strip_prefix(rest, separator)?));
    let (b, rest) = number(next(rest)?)?;
    let (c, rest) = number(next(rest)?)?;
    // Hungarian ends its dates with the separator; ISO has T, JavaScript a comma.
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    let rest = rest.strip_prefix(',').unwrap_or(rest);
    let rest = rest.strip_prefix(['T', 't', ' '])?.trim_start();

    let (hour, rest) = number(rest)?;
    let colon = rest.chars().next().filter(|c| matches!(c, ':' | '.'))?;
    let (minute, rest) = number(rest.strip_prefix(colon)?)?;
    let (second, mut rest) = match rest.strip_prefix(colon) {
        Some(rest) => number(rest)?,
        None => ("0", rest),
    };
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        (nanos, rest) = fraction_of_second(fraction)?;
    }
    let (hour, rest) = half_of_day(hour.parse().ok()?, rest.trim_start())?;
    let time = clock_time(hour, minute.parse().ok()?, second.parse().ok()?, nanos)?;

    let spelled = if a.len() == 4 {
        let (month, day) = (b.parse().ok()?, c.parse().ok()?);
        Spelling::Local(NaiveDate::from_ymd_opt(a.parse().ok()?, month, day)?.and_time(time))
    } else if c.len() == 4 {
        let (first, second, year) = (a.parse().ok()?, b.parse().ok()?, c.parse().ok()?);
        let two = Spelling::TwoParts { first, second, year, time };
        let (dmy, mdy) = (two.local(DateOrder::Dmy), two.local(DateOrder::Mdy));
        match separator {
            // Dots stand between day and month in every culture that uses them.
            '.' => Spelling::Local(dmy?),
            _ if dmy.is_none() && mdy.is_none() => return None,
            _ => two,
        }
    } else {
        // Two digits of a year are not enough of one.
        return None;
    };
    let rest = rest.trim_start();
    match spelled {
        _ if rest.is_empty() => Some(spelled),
        Spelling::Local(local) => instant(local, offset(rest)?).map(Spelling::Instant),
        _ => None,
    }
}

/// Digits at the head of a text, four at most, and what follows.
fn number(text: &str) -> Option<(&str, &str)> {
    let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=4).contains(&n_digits) { text.split_at_checked(n_digits) } else { None }
}

/// Nanoseconds of the digits at the head of a text (seven from .NET, any number elsewhere), and
/// what follows.
fn fraction_of_second(text: &str) -> Option<(u32, &str)> {
    let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(n_digits)?;
    let nanos = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanos = nanos.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    if n_digits == 0 { None } else { Some((nanos, rest)) }
}

/// The hour of the day, after `AM`, `p.m.`, `a. m.` in any case, and what follows.
fn half_of_day(hour: u32, rest: &str) -> Option<(u32, &str)> {
    let mut chars = rest.char_indices().filter(|(_, c)| !matches!(c, '.' | ' '));
    let (half, m) = (chars.next().map(|(_, c)| c), chars.next());
    let afternoon = match half {
        Some('A' | 'a') => false,
        Some('P' | 'p') => true,
        _ => return Some((hour, rest)),
    };
    let (at, _) = m.filter(|(_, m)| matches!(m, 'M' | 'm'))?;
    let rest = rest.get(at + 1..)?;
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    match hour {
        12 => Some((if afternoon { 12 } else { 0 }, rest)),
        1..=11 => Some((if afternoon { hour + 12 } else { hour }, rest)),
        _ => None,
    }
}

/// A time of day; a leap second counts as the second before it.
fn clock_time(hour: u32, minute: u32, second: u32, nanos: u32) -> Option<NaiveTime> {
    NaiveTime::from_hms_nano_opt(hour, minute, if second == 60 { 59 } else { second }, nanos)
}

/// `Z`, `UTC`, `+02:00`, `-0330`, `+2`
fn offset(text: &str) -> Option<FixedOffset> {
    if ["Z", "UTC", "GMT"].iter().any(|name| name.eq_ignore_ascii_case(text)) {
        return FixedOffset::east_opt(0);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
        Some(_) => return None,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let two = |text: &str| {
        let sound = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if sound { text.parse::<i32>().ok() } else { None }
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    if hours > 15 || minutes > 59 {
        return None;
    }
    FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60))
}

fn instant(local: NaiveDateTime, offset: FixedOffset) -> Option<DateTime<Utc>> {
    local.checked_sub_offset(offset).map(|time| time.and_utc())
}
