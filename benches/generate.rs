//! A size and a seed to Exchange front-end logs and the change list of their watched accounts, for
//! the benchmark and the memory test. Run without arguments for the usage.

#[path = "generate/background.rs"]
mod background;
#[path = "generate/clients.rs"]
mod clients;
#[path = "generate/http_proxy.rs"]
mod http_proxy;
#[path = "generate/lines.rs"]
mod lines;
#[path = "generate/logs.rs"]
mod logs;
#[path = "generate/people.rs"]
mod people;
#[path = "generate/rng.rs"]
mod rng;
#[path = "generate/rows.rs"]
mod rows;
#[path = "generate/stories.rs"]
mod stories;

use background::Crowd;
use http_proxy::HttpProxy;
use lines::At;
use logs::{DAY, Log};
use people::Person;
use rng::Rng;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;
use stories::Stories;

const USAGE: &str = "\
usage: generate --out DIR [--size 1GiB] [--servers 2] [--days 3] [--users 5000] [--watched 200]
                [--seed 1] [--one-file] [--header-change] [--http-proxy]

Writes DIR/iis/EX<nn>/W3SVC1/u_ex<yymmdd>.log for each server and day, DIR/ad/changes.csv and
DIR/ad/users.csv. --one-file writes one log of one server, named by its month. --header-change adds
two columns and a new head in the middle of each file. --http-proxy writes what Exchange logs of the
same requests as well, to DIR/httpproxy/EX<nn>/<Protocol>/HttpProxy_<yyyymmddhh>-<n>.LOG; --size is
then that of all logs, two ninths of which are W3C, as they are without for that size.
Same arguments, same bytes. Probes and watched accounts are written in any case: far below 1 MiB a
day the logs may come out larger than asked for.
";

/// How busy the hours of the day are.
const HOURS: [u32; 24] =
    [3, 2, 2, 2, 2, 3, 5, 9, 12, 12, 11, 11, 10, 11, 11, 11, 10, 9, 7, 6, 5, 5, 4, 3];

/// About as long as a line is, for the estimate of how many there will be.
const LINE: u64 = 340;

/// How much of the logs is W3C where HttpProxy is written as well, about: a row is more than three
/// lines long.
const W3C_OF_ALL: (u64, u64) = (2, 9);

struct Args {
    out: PathBuf,
    /// Of the W3C logs.
    size: u64,
    servers: u32,
    days: u32,
    users: u32,
    watched: u32,
    seed: u64,
    one_file: bool,
    header_change: bool,
    http_proxy: bool,
}

fn main() -> ExitCode {
    let (words, stderr) = (std::env::args().skip(1), &mut io::stderr());
    let (text, code) = match run(words) {
        Ok(bytes) => (format!("generate: {bytes} bytes of logs"), ExitCode::SUCCESS),
        Err(what) => (format!("generate: {what}"), ExitCode::from(2)),
    };
    let _ = writeln!(stderr, "{text}");
    code
}

/// Does what the arguments say; the number of bytes of logs.
pub fn run(words: impl Iterator<Item = String>) -> Result<u64, String> {
    let args = args(words).map_err(|what| format!("{what}\n\n{USAGE}"))?;
    generate(&args).map_err(|e| format!("{}: {e}", args.out.display()))
}

fn args(mut words: impl Iterator<Item = String>) -> Result<Args, String> {
    let mut args = Args {
        out: PathBuf::new(),
        size: 1 << 30,
        servers: 0,
        days: 3,
        users: 5000,
        watched: 200,
        seed: 1,
        one_file: false,
        header_change: false,
        http_proxy: false,
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--out" => args.out = PathBuf::from(value()?),
            "--size" => args.size = size(&value()?)?,
            "--servers" => args.servers = count(&word, &value()?, 1..=99)?,
            "--days" => args.days = count(&word, &value()?, 1..=3_650)?,
            "--users" => args.users = count(&word, &value()?, 1..=1_000_000)?,
            "--watched" => args.watched = count(&word, &value()?, 0..=1_000_000)?,
            "--seed" => args.seed = count(&word, &value()?, 0..=u32::MAX)?.into(),
            "--one-file" => args.one_file = true,
            "--header-change" => args.header_change = true,
            "--http-proxy" => args.http_proxy = true,
            _ => return Err(format!("`{word}` is unknown")),
        }
    }
    if args.out.as_os_str().is_empty() {
        return Err("--out is missing".to_string());
    }
    if args.watched >= args.users {
        return Err("--watched must be less than --users".to_string());
    }
    if args.one_file && args.servers > 1 {
        return Err("--one-file is the log of one server".to_string());
    }
    if args.servers == 0 {
        args.servers = if args.one_file { 1 } else { 2 };
    }
    if args.http_proxy {
        args.size = args.size / W3C_OF_ALL.1 * W3C_OF_ALL.0;
    }
    Ok(args)
}

fn count(word: &str, value: &str, range: RangeInclusive<u32>) -> Result<u32, String> {
    let fits = value.parse().ok().filter(|n| range.contains(n));
    let (least, most) = (range.start(), range.end());
    fits.ok_or_else(|| format!("{word}: `{value}` is no number from {least} to {most}"))
}

fn size(value: &str) -> Result<u64, String> {
    let digits = value.trim_end_matches(|c: char| !c.is_ascii_digit());
    let shift = match &value[digits.len()..] {
        "" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        unit => return Err(format!("--size: `{unit}` is none of KiB, MiB, GiB")),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(1 << shift));
    bytes.ok_or(format!("--size: `{value}` is no size"))
}

/// Writes everything; says how many bytes of logs there are.
fn generate(args: &Args) -> io::Result<u64> {
    let rng = &mut Rng::new(args.seed);
    let span = args.days * DAY;
    let people = people::people(args.users, rng);
    let watched: Vec<u32> = (0..args.watched)
        .map(|i| (u64::from(i) * u64::from(args.users) / u64::from(args.watched)) as u32)
        .collect();
    let others = (0..args.users).filter(|i| watched.binary_search(i).is_err()).collect();
    let strangers = (0..40).map(|i| format!("198.51.100.{}", 10 + 3 * i).into_bytes()).collect();

    // In a small log the watched accounts are shown for some hours only, else they would be all of it.
    let share = args.size / LINE / 25;
    let a_day = u64::from(args.watched.max(1)) * stories::LINES_A_DAY;
    let width = (share * u64::from(DAY) / a_day).clamp(3_600, u64::from(span)) as u32;
    let stories = stories::stories(&watched, &people, args.servers as usize, span, width, rng);
    write_ad(args, &people, &stories, rng)?;
    let crowd = Crowd { people, others, strangers };
    let numbers = crowd.people.iter().map(|person| (person.sam.as_str(), person.number)).collect();
    let mut logs = logs(args, &numbers)?;
    write_logs(args, span, &crowd, stories, &mut logs, rng)?;
    let written = |log: &Log| log.written() + log.http_proxy.as_ref().map_or(0, HttpProxy::written);
    Ok(logs.iter().map(written).sum())
}

/// The log of each server, nothing written yet.
fn logs<'a>(args: &Args, people: &'a BTreeMap<&'a str, u32>) -> io::Result<Vec<Log<'a>>> {
    let log = |n| {
        let http_proxy = args.http_proxy.then(|| HttpProxy::new(&args.out, n, people, args.seed));
        Log::new(&args.out, n, http_proxy.transpose()?)
    };
    (0..args.servers).map(log).collect()
}

fn write_logs(
    args: &Args,
    span: u32,
    crowd: &Crowd,
    mut stories: Stories,
    logs: &mut [Log],
    rng: &mut Rng,
) -> io::Result<()> {
    let mailbox = [b"HealthMailbox", &rng::hex32(rng)[..], b"@fabrikam.example"].concat();
    // The heartbeat of an Exchange server is denser than one a minute, where there is room for it.
    let minutes = u64::from(args.servers) * u64::from(span / 60);
    let probe_every = 60 / (args.size / LINE / minutes / 20).clamp(1, 6) as u32;
    for second in 0..span {
        if second == 0 || (second % DAY == 0 && !args.one_file) {
            logs.iter_mut().try_for_each(|log| log.roll(second, args.one_file))?;
        }
        let middle = if args.one_file { second == span / 2 } else { second % DAY == DAY / 2 };
        if args.header_change && middle {
            logs.iter_mut().for_each(|log| log.widen(second));
        }
        stories.step(second, &crowd.people, logs, rng);
        let (clock, late) = (&logs::clock(second), &logs::clock(second.saturating_sub(1)));
        let target = target(args, second);
        for log in logs.iter_mut() {
            let flushed = log.written() - log.out.len() as u64;
            let at = At { clock, s_ip: log.s_ip.as_bytes(), wide: log.wide };
            if second % probe_every == 0 {
                let turn = (second / probe_every) as usize;
                background::probe(&mut log.out, &at, &mailbox, turn, rng);
            }
            while flushed + (log.out.len() as u64) < target {
                // Buffers of several processors: some lines come a second late (DOMAIN.md 1.3).
                let at = At { clock: if rng.chance(20) { late } else { clock }, ..at };
                background::request(&mut log.out, &at, crowd, rng);
            }
            log.flush_if_full()?;
        }
    }
    logs.iter_mut().try_for_each(Log::flush)
}

/// How many bytes the log of each server has at the end of this second.
fn target(args: &Args, second: u32) -> u64 {
    let of_day = second % DAY;
    let hour = (of_day / 3600) as usize;
    let all: u32 = HOURS.iter().sum::<u32>() * 3600;
    let done = HOURS[..hour].iter().sum::<u32>() * 3600 + HOURS[hour] * (of_day % 3600 + 1);
    let days = f64::from(second / DAY) + f64::from(done) / f64::from(all);
    (args.size as f64 / f64::from(args.servers) * days / f64::from(args.days)) as u64
}

fn write_ad(args: &Args, people: &[Person], stories: &Stories, rng: &mut Rng) -> io::Result<()> {
    let dir = args.out.join("ad");
    fs::create_dir_all(&dir)?;
    let mut changes = BufWriter::new(File::create(dir.join("changes.csv"))?);
    stories.write_changes(&mut changes, people)?;
    changes.flush()?;
    let mut users = BufWriter::new(File::create(dir.join("users.csv"))?);
    people::write_directory(&mut users, people, |number| stories.enabled(number), rng)?;
    users.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, expect) in [
            ("512", Some(512)),
            ("64MiB", Some(64 << 20)),
            ("1GiB", Some(1 << 30)),
            ("1GB", None),
            ("", None),
            ("GiB", None),
        ] {
            assert_eq!(size(text).ok(), expect, "{text}");
        }
    }

    #[test]
    fn arguments_that_contradict_each_other_are_refused() {
        let parse = |line: &str| args(line.split(' ').map(str::to_string)).is_ok();
        assert!(parse("--out x"));
        assert!(!parse("--size 1GiB"));
        assert!(!parse("--out x --one-file --servers 2"));
        assert!(!parse("--out x --users 10 --watched 10"));
        assert!(!parse("--out x --days 0"));
    }
}
