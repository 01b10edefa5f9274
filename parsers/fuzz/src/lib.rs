//! What every target asserts, whatever bytes it is fed: nothing panics, nothing is lost, nothing is
//! counted twice.

use chrono::FixedOffset;
use stillin_parsers::event::Fact;
use stillin_parsers::evidence::{self, Tally};
use stillin_parsers::exchange::Status;
use stillin_parsers::kind::Kind;
use stillin_parsers::time::{DateOrder, LocalTime, Zone};
use stillin_parsers::{exchange_log, lines, w3c};

/// Reads a source of change evidence twice, with and without a zone told, and holds its tally
/// against what it handed on.
pub fn read(kind: Kind, bytes: &[u8]) {
    let zone = FixedOffset::east_opt(3600).map(Zone::Fixed);
    for local in [LocalTime::default(), LocalTime { zone, date_order: Some(DateOrder::Dmy) }] {
        let (mut facts, mut rejects) = (0, 0);
        let tally = evidence::facts(kind, bytes, &local, &mut |item| match item {
            Ok(fact) => {
                sound(&fact);
                facts += 1;
            }
            Err(reject) => {
                assert!(!reject.reason.to_string().is_empty());
                rejects += 1;
            }
        });
        conserves(&tally);
        assert_eq!(tally.rejected, rejects, "each reject is told once");
        assert!(facts >= tally.told, "who told has said something");
    }
}

/// `records = told + of_no_interest + rejected`
pub fn conserves(tally: &Tally) {
    assert_eq!(tally.records, tally.told + tally.of_no_interest + tally.rejected, "{tally:?}");
    assert_eq!(tally.first.is_some(), tally.last.is_some());
    assert!(tally.first <= tally.last);
}

/// A change names somebody.
fn sound(fact: &Fact) {
    if let Fact::Change(change) = fact {
        let who = &change.account;
        let named = who.sid.is_some()
            || who.guid.is_some()
            || who.sam_account_name.is_some()
            || who.user_principal_name.is_some()
            || who.distinguished_name.is_some()
            || !who.smtp.is_empty();
        assert!(named, "{change:?}");
    }
}

/// The columns of a line, as many as are asked for: the pieces between line feeds.
pub fn columns<const N: usize>(bytes: &[u8]) -> [&[u8]; N] {
    let mut pieces = bytes.splitn(N, |&byte| byte == b'\n');
    std::array::from_fn(|_| pieces.next().unwrap_or_default())
}

/// What a log gives: counts, span, and each request.
pub type Read = ([u64; 7], Option<(i64, i64)>, Vec<Vec<u8>>);

/// What a W3C log gives that is read in pieces of about this size.
pub fn scan(log: &[u8], size: usize) -> Read {
    let (mut sum, mut state) = (Read::default(), w3c::State::default());
    for chunk in lines::chunks(log, size) {
        let (tally, next) = w3c::scan(chunk, &state, |name, line| {
            sum.2.push([name, b"\0", line.time().to_rfc3339().as_bytes()].concat());
        });
        state = next;
        add(&mut sum, &tally);
    }
    sum
}

/// The same of a log of Exchange, `each` looking at every row.
pub fn scan_rows(log: &[u8], size: usize, each: impl Fn(&exchange_log::Row<'_>)) -> Read {
    let (mut sum, mut state) = (Read::default(), exchange_log::State::default());
    for chunk in lines::chunks(log, size) {
        let (tally, next) = exchange_log::scan(chunk, &state, |row| {
            each(row);
            let name = row.text(exchange_log::Column::AuthenticatedUser);
            sum.2.push([name, b"\0", row.time().to_rfc3339().as_bytes()].concat());
        });
        state = next;
        add(&mut sum, &tally);
    }
    sum
}

fn add<L: std::fmt::Debug>(sum: &mut Read, tally: &lines::Tally<L>) {
    let known = tally.requests + tally.directives + tally.blank + tally.rejected;
    assert_eq!(tally.lines, known, "{tally:?}");
    assert!(tally.repaired <= tally.requests);
    let each = [
        tally.lines,
        tally.requests,
        tally.directives,
        tally.blank,
        tally.rejected,
        tally.nul_runs,
        tally.line_ends,
    ];
    sum.0.iter_mut().zip(each).for_each(|(sum, count)| *sum += count);
    sum.1 = wider(sum.1, tally.span);
    assert_eq!(sum.0[1], sum.2.len() as u64, "each request is handed on once");
}

fn wider(a: Option<(i64, i64)>, b: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        _ => a.or(b),
    }
}

/// A request: three lines of status, and its other columns.
pub fn request(bytes: &[u8]) -> (Status, [&[u8]; 6]) {
    fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
        str::from_utf8(text).ok()?.parse().ok()
    }
    let [code, sub, win32, rest] = columns(bytes);
    let sc_status = number(code).unwrap_or(0);
    let status = Status { sc_status, sc_substatus: number(sub), sc_win32_status: number(win32) };
    (status, columns(rest))
}
