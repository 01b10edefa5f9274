//! Lines of one server's W3C log to the HttpProxy logs that Exchange writes beside it: a folder per
//! protocol, a file per hour and per 10 MiB (DOMAIN.md 3.1).

use super::logs;
use super::rng::Rng;
use super::rows::{self, FIELDS, Line, Stamp, VERSION};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const HOUR: u64 = 3_600_000;
const LARGEST: u64 = 10 << 20;

/// The HttpProxy logs of one server.
pub struct HttpProxy<'a> {
    server: String,
    dir: PathBuf,
    people: &'a BTreeMap<&'a str, u32>,
    rng: Rng,
    protocols: BTreeMap<&'static str, Hourly>,
    written: u64,
}

/// The file that one protocol is logged to.
#[derive(Default)]
struct Hourly {
    /// Since 1970.
    hour: u64,
    /// Which file of the hour.
    number: u32,
    flushed: u64,
    out: Vec<u8>,
}

impl<'a> HttpProxy<'a> {
    /// The logs of the server with this number, under `<root>/httpproxy/EX<nn>`; replaces older
    /// logs. `people` are numbers by `sAMAccountName`.
    pub fn new(
        root: &Path,
        number: u32,
        people: &'a BTreeMap<&'a str, u32>,
        seed: u64,
    ) -> io::Result<Self> {
        let server = format!("EX{:02}", number + 1);
        let dir = root.join("httpproxy").join(&server);
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        // Numbers of its own: the W3C log does not hang on whether this one is written.
        let rng = Rng::new(!seed ^ u64::from(number) << 32);
        Ok(HttpProxy { server, dir, people, rng, protocols: BTreeMap::new(), written: 0 })
    }

    /// Writes a row for every request among these whole lines that reached Exchange.
    pub fn follow(&mut self, lines: &[u8]) -> io::Result<()> {
        let lines = lines.split(|&byte| byte == b'\n').filter_map(|line| str::from_utf8(line).ok());
        for mut line in lines.filter_map(Line::of).filter(|line| !line.is_challenge()) {
            // W3C drops the milliseconds.
            line.end += u64::from(self.rng.below(1_000));
            let protocol = line.protocol();
            let dir = self.dir.join(protocol);
            let log = self.protocols.entry(protocol).or_default();
            self.written += log.turn(&dir, line.end)?;
            let row = rows::row(&line, &self.server, self.people, &mut self.rng);
            log.out.extend_from_slice(row.as_bytes());
        }
        for (protocol, log) in &mut self.protocols {
            self.written += log.flush(&self.dir.join(protocol))?;
        }
        Ok(())
    }

    /// Bytes of all its files so far.
    pub fn written(&self) -> u64 {
        self.written
    }
}

impl Hourly {
    /// Goes on in the next file if this one is full or a later hour has begun; the bytes that it
    /// wrote. A row that comes late stays in the file that is open.
    fn turn(&mut self, dir: &Path, now: u64) -> io::Result<u64> {
        let later = now / HOUR > self.hour;
        if !later && self.flushed + (self.out.len() as u64) < LARGEST {
            return Ok(0);
        }
        let written = self.flush(dir)?;
        let number = if later { 1 } else { self.number + 1 };
        let hour = self.hour.max(now / HOUR);
        let head = format!(
            "#Software: Microsoft Exchange Server\r\n#Version: {VERSION}\r\n\
             #Log-type: HttpProxy Logs\r\n#Date: {}\r\n#Fields: {FIELDS}\r\n",
            Stamp(now)
        );
        *self = Hourly { hour, number, flushed: 0, out: head.into_bytes() };
        Ok(written)
    }

    /// Writes what has gathered; says how many bytes that are.
    fn flush(&mut self, dir: &Path) -> io::Result<u64> {
        if self.out.is_empty() {
            return Ok(0);
        }
        fs::create_dir_all(dir)?;
        let name = format!("HttpProxy_{}-{}.LOG", self.digits(), self.number);
        File::options().create(true).append(true).open(dir.join(name))?.write_all(&self.out)?;
        let written = self.out.len() as u64;
        self.flushed += written;
        self.out.clear();
        Ok(written)
    }

    /// `2026030208`
    fn digits(&self) -> String {
        let clock = logs::utc((self.hour * HOUR / 1_000) as u32);
        clock.iter().filter(|byte| byte.is_ascii_digit()).take(10).map(|&b| b as char).collect()
    }
}
