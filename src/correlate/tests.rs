//! Stories in words of a few letters, judged: what the tests of each theme are written in.

use super::coverage::Span;
use super::*;
use stillin_parsers::event::{ChangeKind, Pos, Precision};

mod doubt;
mod evidence;
mod properties;
mod robust;
mod stories;

fn minute(minute: f64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_400_000 + (minute * 60.0) as i64, 0).unwrap()
}

/// `D100` disabled at minute 100, `X` expired, `G` deleted (gone), `E` enabled (`e` at the latest), `P` prolonged,
/// `N` created anew, `R` reset, `C` changed by the user.
fn cuts(text: &str) -> Vec<Cut> {
    text.split_whitespace()
        .map(|word| {
            let (letter, at) = word.split_at(1);
            let kind = match letter {
                "D" => ChangeKind::Disabled,
                "X" => ChangeKind::Expired,
                "P" => ChangeKind::Prolonged,
                "G" => ChangeKind::Deleted,
                "N" => ChangeKind::Created,
                "E" | "e" => ChangeKind::Enabled,
                "R" => ChangeKind::PasswordReset,
                "C" => ChangeKind::PasswordChanged,
                other => panic!("{other}"),
            };
            let precision = if letter == "e" { Precision::AtLatest } else { Precision::Exact };
            let is_reset_by_other = kind == ChangeKind::PasswordReset;
            // `D100..120`: sources disagree.
            let (at, until) =
                at.split_once("..").map_or((at, None), |(at, until)| (at, Some(until)));
            let disputed_until = until.map(|until| minute(until.parse().unwrap()));
            let at = minute(at.parse().unwrap());
            Cut { kind, at, precision, disputed_until, is_reset_by_other }
        })
        .collect()
}

/// `90+5` a request from minute 90 to 95; after it `x` wrong password, `d` told disabled, `t` timed out,
/// `u` refused for a reason that is not told, `f` in the logon form, `o` sent back to it, `k1` key 1, `c1` client 1, `i1` from address 1,
/// `w` perhaps Windows authentication, `b` perhaps both, `T` known to be Basic or forms, `N` NTLM, `K` Kerberos,
/// `m` of a client that is no device, `?` a shared name, `!` another SID in the front end's log, `~` a start that is not known, `a` claimed by its address.
fn requests(text: &str) -> Vec<Request> {
    let mut list: Vec<_> = text.split_whitespace().map(request).collect();
    list.sort_by_key(|r| r.start);
    list
}

fn request(word: &str) -> Request {
    let end_of_number = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
    let (start, marks) = word.split_at(end_of_number);
    let start: f64 = start.parse().unwrap();
    let taken: f64 = match marks.strip_prefix('+') {
        Some(rest) => rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap(),
        None => 0.0,
    };
    let digit_after = |mark: char| {
        let digit = marks.split_once(mark).and_then(|(_, rest)| rest.chars().next());
        digit.and_then(|digit| digit.to_digit(10))
    };
    let after = |mark| digit_after(mark).unwrap_or(0);
    let auth = [
        ('w', Auth::MayBeWindows),
        ('b', Auth::MayBeBoth),
        ('T', Auth::Token),
        ('N', Auth::Ntlm),
        ('K', Auth::Kerberos),
    ]
    .into_iter()
    .find(|(mark, _)| marks.contains(*mark))
    .map_or(Auth::MayBeToken, |(_, auth)| auth);
    let refusal = [
        ('x', Refusal::WrongPassword),
        ('d', Refusal::Disabled),
        ('t', Refusal::OwaTimeout),
        ('n', Refusal::OwaNoSession),
        ('u', Refusal::Unknown),
        ('f', Refusal::OwaForm),
        ('o', Refusal::Owa),
    ]
    .into_iter()
    .find(|(mark, _)| marks.contains(*mark))
    .map(|(_, refusal)| refusal);
    Request {
        start: minute(start),
        end: minute(start + taken),
        key: after('k'),
        server: 0,
        pool: after('k'),
        client: after('c'),
        is_device: !marks.contains('m'),
        address: digit_after('i'),
        is_start_known: !marks.contains('~'),
        refusal,
        is_claimed: marks.contains('a'),
        is_ambiguous: marks.contains('?'),
        contradiction: marks.contains('!').then_some(Contradiction::OtherSid),
        auth,
    }
}

/// Evidence beside the requests.
#[derive(Debug, Clone)]
struct Told {
    coverage: Coverage,
    restarts: Restarts,
    logons: Vec<Logon>,
    strangers: Vec<Logon>,
    logon_coverage: Coverage,
    clocks: Vec<Clock>,
}

/// Pools that the stories know.
const POOLS: usize = 4;

/// `r95` a sure restart of every pool, `r95k1` of pool 1, `h95` a hint, `l95` a logon, `l95i1` one from address 1,
/// `f95` one that failed, `n95` one under a name that nobody knows, `s` the server's Security log supplied, `s95` from then on, `a4` the server's clock ahead by 4 minutes, `b4` behind.
fn told(text: &str) -> Told {
    let mut pools = vec![Vec::new(); POOLS];
    let (mut logons, mut logon_coverage) = (Vec::new(), Coverage::default());
    let (mut strangers, mut clocks) = (Vec::new(), Vec::new());
    for word in text.split_whitespace() {
        let (letter, rest) = word.split_at(1);
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (at, marks) = rest.split_at(end);
        let at = minute(at.parse().unwrap_or(-1000.0));
        let mark = |mark| marks.strip_prefix(mark).map(|n: &str| n.parse::<u32>().unwrap());
        match letter {
            "r" | "h" => {
                let restart = restart(at, letter == "r");
                let is_of = |pool: &usize| mark('k').is_none_or(|only| only as usize == *pool);
                (0..POOLS).filter(is_of).for_each(|pool| pools[pool].push(restart));
            }
            "l" | "f" => {
                let refusal = (letter == "f").then_some(Refusal::WrongPassword);
                logons.push(Logon { at, server: 0, address: mark('i'), refusal });
            }
            "n" => strangers.push(Logon { at, server: 0, address: mark('i'), refusal: None }),
            "s" => logon_coverage = Coverage { servers: vec![Some(span(at, &[]))] },
            "a" => clocks.push(Clock { ahead: at - minute(0.0), ..Clock::default() }),
            "b" => clocks.push(Clock { behind: at - minute(0.0), ..Clock::default() }),
            other => panic!("{other}"),
        }
    }
    let (coverage, restarts) = (covered(&[]), Restarts::new(pools));
    Told { coverage, restarts, logons, strangers, logon_coverage, clocks }
}

fn restart(at: DateTime<Utc>, is_sure: bool) -> Restart {
    Restart { at, is_sure, scope: Scope::Pool, source: 0, pos: Pos::Line(1) }
}

fn span(from: DateTime<Utc>, gaps: &[(f64, f64)]) -> Span {
    let gaps = gaps.iter().map(|&(from, to)| (minute(from), minute(to))).collect();
    Span { from, to: minute(10_000.0), gaps }
}

fn covered(gaps: &[(f64, f64)]) -> Coverage {
    Coverage { servers: vec![Some(span(minute(-1000.0), gaps))] }
}

fn settled(cuts: &[Cut], requests: &[Request], told: &Told) -> Vec<Classed> {
    let strangers = Strangers::new(told.strangers.iter().copied());
    let (list, coverage, strangers) = (&told.logons, &told.logon_coverage, Some(&strangers));
    let logons = Logons { list, coverage, strangers };
    let (coverage, restarts, clocks) = (&told.coverage, &told.restarts, &told.clocks[..]);
    let evidence = Evidence { coverage, restarts, logons, clocks };
    let mut classed = Vec::new();
    let rules = Rules::default();
    let runs = correlate(cuts, requests.iter().copied(), &evidence, &rules, |c| classed.push(c));
    classed.into_iter().map(|c| settle(c, &runs)).collect()
}

fn judge(cuts: &[Cut], requests: &[Request], coverage: &Coverage) -> Vec<(usize, Class, Residual)> {
    let told = Told { coverage: coverage.clone(), ..told("") };
    let verdict = |c: Classed| (c.request, c.class, c.residual);
    settled(cuts, requests, &told).into_iter().map(verdict).collect()
}

fn check_told(changes: &str, story: &str, told: &Told, expect: &str) {
    let requests = requests(story);
    let got: Vec<_> = settled(&cuts(changes), &requests, told)
        .into_iter()
        .map(|c| {
            let start = (requests[c.request].start - minute(0.0)).num_minutes();
            format!("{start}:{}/{}", c.class.word(), c.residual.word())
        })
        .collect();
    let expect = expect.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(got.join(" "), expect, "{changes} | {story}");
}

fn check_covered(changes: &str, story: &str, coverage: &Coverage, expect: &str) {
    check_told(changes, story, &Told { coverage: coverage.clone(), ..told("") }, expect);
}

fn check(changes: &str, story: &str, expect: &str) {
    check_told(changes, story, &told(""), expect);
}
