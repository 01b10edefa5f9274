//! Entries that tell a time and no day, as where a log has no `date` column: the day is that of `#Date`, and goes on at
//! midnight.

use crate::lines::{DISORDER, day_number, second_of_day};

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// By how many seconds entries may go back within a day.
const BACK: i64 = 2 * 3600;

/// 9999-12-31: what comes later no report can write down.
const LAST_DAY: i64 = 2_932_896;

/// Which day it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Undated {
    /// Days since 1970.
    day: Option<i64>,
    /// The second of its day in which `#Date` was written.
    begun: Option<i64>,
    /// The latest entry behind it, seconds since 1970.
    latest: Option<i64>,
}

impl Undated {
    /// Behind a `#Date` line of that text.
    pub(super) fn since(date: &[u8]) -> Option<Undated> {
        let (date, time) = date.split_at_checked(10).unwrap_or((date, b""));
        let begun = second_of_day(time.trim_ascii()).map(|(second, _)| second);
        Some(Undated { day: Some(day_number(date)?), begun, latest: None })
    }

    /// An entry of that second of the day, in seconds since 1970; `None` where no `#Date` stands before it.
    ///
    /// `#Date` is only written where a log begins: an entry that goes back by more than a clock is set back is one of the next
    /// day. Buffers are not written in order (DOMAIN.md 1.3), so that one of the last seconds of a day may stand among the
    /// first of the next.
    pub(super) fn seconds(&mut self, second: i64) -> Option<i64> {
        let day = self.day?;
        let seconds = day * DAY + second;
        let before = self.latest.or(self.begun.map(|begun| day * DAY + begun));
        let is_straggler = before.is_some_and(|before| seconds > before + DAY - DISORDER);
        let is_back = match self.latest {
            Some(latest) => seconds < latest - BACK,
            // `#Date` was written in the last seconds of its day.
            None => before.is_some_and(|begun| seconds < begun - (DAY - DISORDER)),
        };
        let is_next_day = is_back && day < LAST_DAY;
        let seconds = match (is_straggler, is_next_day) {
            (true, _) => seconds - DAY,
            (_, true) => {
                self.day = Some(day + 1);
                seconds + DAY
            }
            _ => seconds,
        };
        self.latest = self.latest.max(Some(seconds));
        Some(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_on_at_midnight() {
        let check = |date: &str, times: &str, expected: &str| {
            let mut undated = Undated::since(date.as_bytes()).unwrap();
            let first = undated.day.unwrap();
            let days = times.split(' ').map(|time| {
                let (second, _) = second_of_day(time.as_bytes()).unwrap();
                (undated.seconds(second).unwrap().div_euclid(DAY) - first).to_string()
            });
            assert_eq!(days.collect::<Vec<_>>().join(" "), expected, "{date}, {times}");
        };
        let midnight = "2026-03-02 00:00:00";
        check(midnight, "00:00:01 08:00:00 23:59:59", "0 0 0");
        check("2026-03-02 23:00:00", "23:00:00 23:59:59 00:00:00 00:10:00", "0 0 1 1");
        check(midnight, "23:00:00 01:00:00 23:00:00 01:00:00", "0 1 1 2");
        // Stragglers, of the day before the log as well.
        check(midnight, "23:59:59 00:00:00 23:59:58 00:00:01 12:00:00", "-1 0 -1 0 0");
        check(midnight, "23:59:58 23:59:59 00:00:01 23:59:59 00:00:02", "-1 -1 0 -1 0");
        check(midnight, "08:00:00 23:59:59 00:00:00 23:59:59 00:00:01", "0 0 1 0 1");
        check("2026-03-02 23:59:59", "00:00:00 08:00:00 20:00:00 09:00:00", "1 1 1 2");
        check("9999-12-31 08:00:00", "20:00:00 08:00:00", "0 0");
        // A minute or an hour back is disorder, or another clock.
        check(midnight, "12:00:00 11:00:00 12:30:00", "0 0 0");
        check("2026-03-02", "23:59:59 00:00:00", "0 1");
        assert_eq!(Undated::default().seconds(1), None);
        assert_eq!(Undated::since(b"yesterday"), None);
    }
}
