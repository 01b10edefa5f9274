//! Lines to files: one log per server and day (or one for everything), with its directives, and the
//! dates they are named by.

use super::http_proxy::HttpProxy;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Seconds in a day.
pub const DAY: u32 = 86_400;
/// 2026-03-02, a Monday, in seconds since 1970-01-01.
const FIRST: u32 = 20_514 * DAY;
const FLUSH: usize = 1 << 20;

const FIELDS: &str = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
                      cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken";
const WIDE_FIELDS: &str = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username \
                           c-ip cs(User-Agent) cs(Referer) cs-host sc-status sc-substatus \
                           sc-win32-status time-taken X-Forwarded-For";

/// The log of one server.
pub struct Log<'a> {
    /// Lines that are not in the file yet.
    pub out: Vec<u8>,
    /// Address of the server.
    pub s_ip: String,
    /// The later field set is in use.
    pub wide: bool,
    /// What Exchange writes of the same requests, if that is wanted.
    pub http_proxy: Option<HttpProxy<'a>>,
    dir: PathBuf,
    file: Option<File>,
    flushed: u64,
}

impl<'a> Log<'a> {
    /// The log of the server with this number, under `<root>/iis/EX<nn>/W3SVC1`; replaces older logs.
    pub fn new(root: &Path, number: u32, http_proxy: Option<HttpProxy<'a>>) -> io::Result<Log<'a>> {
        let dir = root.join(format!("iis/EX{:02}/W3SVC1", number + 1));
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir_all(&dir)?;
        let (out, s_ip) = (Vec::with_capacity(2 * FLUSH), format!("192.0.2.{}", 11 + number % 240));
        Ok(Log { out, s_ip, wide: false, http_proxy, dir, file: None, flushed: 0 })
    }

    /// Goes on in the file that is named by this second: of its day, or of its month.
    pub fn roll(&mut self, second: u32, monthly: bool) -> io::Result<()> {
        self.flush()?;
        let (year, month, day) = date(FIRST + second);
        let day = if monthly { String::new() } else { format!("{day:02}") };
        let path = self.dir.join(format!("u_ex{:02}{month:02}{day}.log", year % 100));
        self.file = Some(File::create(path)?);
        self.wide = false;
        self.directives(second);
        Ok(())
    }

    /// Writes the block that stands at the head of a log, and again after a restart of the service.
    fn directives(&mut self, second: u32) {
        let fields = if self.wide { WIDE_FIELDS } else { FIELDS };
        let date = String::from_utf8_lossy(clock(second).trim_ascii_end()).into_owned();
        let block = format!(
            "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n\
             #Date: {date}\r\n#Fields: {fields}\r\n"
        );
        self.out.extend_from_slice(block.as_bytes());
    }

    /// Goes on with two columns more.
    pub fn widen(&mut self, second: u32) {
        self.wide = true;
        self.directives(second);
    }

    /// Bytes of all its files so far.
    pub fn written(&self) -> u64 {
        self.flushed + self.out.len() as u64
    }

    /// Writes what has gathered, if that is worth a call.
    pub fn flush_if_full(&mut self) -> io::Result<()> {
        if self.out.len() < FLUSH { Ok(()) } else { self.flush() }
    }

    /// Writes what has gathered.
    pub fn flush(&mut self) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(&self.out)?;
        }
        if let Some(http_proxy) = &mut self.http_proxy {
            http_proxy.follow(&self.out)?;
        }
        self.flushed += self.out.len() as u64;
        self.out.clear();
        Ok(())
    }
}

/// `2026-03-02 08:00:01 `, of a second since the begin of the logs.
pub fn clock(second: u32) -> [u8; 20] {
    utc(FIRST + second)
}

/// `2026-03-02 08:00:01 `, of a second since 1970.
pub fn utc(second: u32) -> [u8; 20] {
    let (year, month, day) = date(second);
    let of_day = second % DAY;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let mut out = *b"0000-00-00 00:00:00 ";
    put(&mut out[0..2], year / 100);
    for (at, value) in
        [(2, year % 100), (5, month), (8, day), (11, hour), (14, minute), (17, second)]
    {
        put(&mut out[at..at + 2], value);
    }
    out
}

fn put(two: &mut [u8], value: u32) {
    two[0] = b'0' + (value / 10 % 10) as u8;
    two[1] = b'0' + (value % 10) as u8;
}

/// The second since 1970 of a date and a time as [`utc`] writes them.
pub fn second(date: &str, time: &str) -> Option<u32> {
    let numbers = |text: &str, at: [usize; 3]| -> Option<[u32; 3]> {
        let [a, b, c] = at.map(|at| text.get(at..)?.split(['-', ':']).next()?.parse().ok());
        Some([a?, b?, c?])
    };
    let [year, month, day] = numbers(date, [0, 5, 8])?;
    let [hour, minute, second] = numbers(time, [0, 3, 6])?;
    // The inverse of `date`: a year begins on 1 March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + of_year - 719_468;
    Some(days * DAY + hour * 3600 + minute * 60 + second)
}

/// Year, month and day of a second since 1970 (Gregorian, counted from 1 March).
fn date(second: u32) -> (u32, u32, u32) {
    let days = second / DAY + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    (era * 400 + year + u32::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_counts_from_the_first_monday() {
        for (second, expect) in [
            (0, "2026-03-02 00:00:00 "),
            (DAY - 1, "2026-03-02 23:59:59 "),
            (30 * DAY + 3_661, "2026-04-01 01:01:01 "),
            (305 * DAY, "2027-01-01 00:00:00 "),
            (728 * DAY, "2028-02-28 00:00:00 "),
            (729 * DAY, "2028-02-29 00:00:00 "),
        ] {
            assert_eq!(String::from_utf8_lossy(&clock(second)), expect);
            assert_eq!(super::second(&expect[..10], &expect[11..19]), Some(FIRST + second));
        }
    }
}
