//! How fast a log is taken apart, on one core: `cargo bench -p stillin-parsers`.
//!
//! Throughput is of bytes of log. The portable loop is what a processor without AVX2 runs.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use stillin_parsers::separators::Separators;
use stillin_parsers::w3c::{self, Column, State};

fn main() {
    divan::main();
}

/// A few MiB in the default columns of IIS 10, some 320 bytes a line, as Exchange fills them.
fn log() -> Vec<u8> {
    let mut log = b"#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n\
        #Date: 2026-03-02 08:00:00\r\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username \
        c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\r\n"
        .to_vec();
    let mut random = 1u64;
    for n in 0..16_000u64 {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (user, second) = (random >> 52, n / 40);
        let line = format!(
            "2026-03-02 08:{:02}:{:02} 10.0.0.11 POST /Microsoft-Server-ActiveSync/default.eas \
             Cmd=Ping&User=FABRIKAM%5Cuser{user}&DeviceId=Appl{random:016X}&DeviceType=iPhone\
             &Log=PrxTo:ex01.fabrikam.example_LdapC1_Cpo3412_Fet500021_ 443 FABRIKAM\\user{user} 203.0.113.{} \
             Apple-iPhone14C5/2104.5033 - 200 0 0 {}\r\n",
            second / 60,
            second % 60,
            user % 250,
            random >> 46,
        );
        log.extend_from_slice(line.as_bytes());
    }
    log
}

/// In pieces that fit the first-level cache, as a scan does it.
const WINDOW: usize = 32 << 10;

#[divan::bench]
fn separators(bencher: Bencher<'_, '_>) {
    let log = log();
    let mut separators = Separators::default();
    bencher.counter(BytesCount::of_slice(&log)).bench_local(|| {
        log.chunks(WINDOW).for_each(|window| separators.find(black_box(window)));
    });
}

#[divan::bench]
fn separators_without_avx2(bencher: Bencher<'_, '_>) {
    let log = log();
    let mut separators = Separators::default();
    bencher.counter(BytesCount::of_slice(&log)).bench_local(|| {
        log.chunks(WINDOW).for_each(|window| separators.find_portable(black_box(window)));
    });
}

/// Every line with its time, name and status found and looked at.
#[divan::bench]
fn lines(bencher: Bencher<'_, '_>) {
    let log = log();
    bencher.counter(BytesCount::of_slice(&log)).bench_local(|| {
        let mut sum = 0;
        w3c::scan(black_box(&log), &State::default(), |name, line| {
            sum += name.len() + line.sc_status().len() + line.seconds as usize;
        });
        sum
    });
}

/// The same, with address and user agent of every line.
#[divan::bench]
fn lines_with_address_and_agent(bencher: Bencher<'_, '_>) {
    let log = log();
    bencher.counter(BytesCount::of_slice(&log)).bench_local(|| {
        let mut sum = 0;
        w3c::scan(black_box(&log), &State::default(), |_, line| {
            let (address, agent) = line.address_and_agent();
            sum += address.len() + agent.len();
        });
        sum
    });
}

/// Every column of every line, one by one: what a watched line costs and others do not.
#[divan::bench]
fn every_value(bencher: Bencher<'_, '_>) {
    let log = log();
    let columns = [
        Column::SIp,
        Column::CsMethod,
        Column::CsUriStem,
        Column::CsUriQuery,
        Column::SPort,
        Column::CsUsername,
        Column::CIp,
        Column::CsUserAgent,
        Column::ScStatus,
        Column::ScSubstatus,
        Column::ScWin32Status,
        Column::TimeTaken,
    ];
    bencher.counter(BytesCount::of_slice(&log)).bench_local(|| {
        let mut sum = 0;
        w3c::scan(black_box(&log), &State::default(), |_, line| {
            sum += columns
                .iter()
                .filter_map(|&column| line.value(column))
                .map(<[u8]>::len)
                .sum::<usize>();
        });
        sum
    });
}
