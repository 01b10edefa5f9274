//! The requests around a change to lines: each with its times, its client and its place, the pauses between them, and
//! what else happened at its time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use crate::Style;
use crate::page::{Ink, Span, line, pad, width};
use crate::report::{ChangeEvidence, Client, Word};
use crate::terminal::{Kinds, client, entries};
use crate::text::{TIE, count, duration, place, safe};
use crate::verdict::rank;

/// A chain of this many lines is shown whole.
const WHOLE: usize = 60;
/// Of a longer one, lines from its beginning.
const FIRST: usize = 30;
/// And from its end.
const LAST: usize = 20;
/// A pause of more seconds than this is worth a line.
const PAUSE: i64 = 60;
/// Columns that a command may take before what follows is moved.
const COMMAND: usize = 18;
/// Clients and files that are named.
const NAMED: usize = 20;

/// The requests under one server, pool and spelling of the name, with what happened around them.
#[derive(Debug)]
pub struct Chain {
    /// Server.
    pub server: String,
    /// Front-end application pool.
    pub pool: String,
    /// Protocol word.
    pub protocol: Word,
    /// The name as logged.
    pub name: String,
    /// Who sent them.
    pub clients: Vec<Client>,
    /// In order of time.
    pub lines: Vec<Line>,
}

/// One line of a chain.
#[derive(Debug)]
pub enum Line {
    /// A request.
    Request(Request),
    /// What else happened.
    Event(Event),
}

/// A request of the account.
#[derive(Debug, Clone)]
pub struct Request {
    /// When it began, where the log tells.
    pub start: Option<DateTime<Utc>>,
    /// When it ended.
    pub end: DateTime<Utc>,
    /// Turned down, so it used no token.
    pub is_refused: bool,
    /// `sc-status` and `sc-substatus`.
    pub status: String,
    /// Index into the clients.
    pub client: usize,
    /// What was asked for.
    pub command: String,
    /// Class and residual; none before the change.
    pub verdict: Option<(Word, Word)>,
    /// Where it stands.
    pub place: ChangeEvidence,
    /// The scheme, where a log of Exchange tells it.
    pub auth: Option<Word>,
    /// Where a log of Exchange has the same request.
    pub twin: Option<ChangeEvidence>,
    /// How the two logs contradict each other on whose it is.
    pub contradiction: Option<&'static str>,
}

/// A change, a restart, a logon, a hole in the log.
#[derive(Debug)]
pub struct Event {
    /// When.
    pub at: DateTime<Utc>,
    /// Until when, of a hole.
    pub until: Option<DateTime<Utc>>,
    /// In words.
    pub text: String,
    /// Where that stands.
    pub place: Option<ChangeEvidence>,
    /// The change that the case is about.
    pub is_the_change: bool,
}

/// Widths of the columns that differ from chain to chain.
struct Columns {
    status: usize,
    client: usize,
    command: usize,
    verdict: usize,
}

/// A line with the pause before it.
type Paused<'a> = (Option<Pause>, &'a Line);

/// Idle time before a request.
#[derive(Clone, Copy)]
struct Pause {
    seconds: i64,
    /// The log has a hole in it: nobody knows whether it was one.
    is_blind: bool,
}

/// One chain as a block.
pub(crate) fn one_chain(out: &mut String, style: Style, kinds: &Kinds, chain: &Chain, ttl: i64) {
    let head = [
        (Ink::Strong, format!("{}  {}", safe(&chain.server), safe(&chain.pool))),
        (Ink::Plain, format!("  {}  {}", safe(chain.protocol), safe(&chain.name))),
    ];
    line(out, style, (2, 4), &head);
    let lines = paused(&chain.lines);
    let (first, cut, last) = match lines.len() {
        n if n > WHOLE => (&lines[..FIRST], &lines[FIRST..n - LAST], &lines[n - LAST..]),
        n => (&lines[..n], &lines[n..], &lines[n..]),
    };
    let shown = || first.iter().chain(last).map(|(_, line)| *line);
    let files = tails(shown().flat_map(places).map(|place| place.path.as_str()));
    let clients = chain.clients.iter().enumerate().map(|(n, of)| {
        let mut spans = vec![(Ink::Strong, format!("{}  ", n + 1))];
        spans.extend(client(of));
        spans
    });
    entries(out, style, 4, "client", NAMED, clients);
    let long = files.iter().filter(|(path, tail)| path != tail);
    let long: Vec<Vec<Span>> = long.map(|(path, _)| vec![(Ink::Faint, safe(path))]).collect();
    entries(out, style, 4, "file", NAMED, long.into_iter());
    let columns = Columns::of(shown());
    let mut page = Page { style, kinds, files, columns, ttl, day: None };
    first.iter().for_each(|paused| page.line(out, paused));
    if !cut.is_empty() {
        line(out, style, (4, 6), &[(Ink::Doubt, left_out(cut))]);
    }
    last.iter().for_each(|paused| page.line(out, paused));
}

/// The idle time before each request, from the latest end of those that were served before it; of several refusals in
/// a row before the first one.
fn paused(lines: &[Line]) -> Vec<Paused<'_>> {
    let (mut latest, mut is_blind): (Option<DateTime<Utc>>, bool) = (None, false);
    let mut was_refused = false;
    lines
        .iter()
        .map(|line| {
            let Line::Request(request) = line else {
                is_blind |= matches!(line, Line::Event(event) if event.until.is_some());
                return (None, line);
            };
            let start = request.start.unwrap_or(request.end);
            let seconds = latest.map(|end| (start - end).num_seconds());
            let pause = seconds.map(|seconds| Pause { seconds, is_blind });
            let is_told = std::mem::replace(&mut was_refused, request.is_refused) && was_refused;
            if !request.is_refused {
                (latest, is_blind) = (latest.max(Some(request.end)), false);
            }
            (pause.filter(|pause| pause.seconds > PAUSE && !is_told), line)
        })
        .collect()
}

fn left_out(cut: &[Paused<'_>]) -> String {
    let requests = cut.iter().filter(|(_, line)| matches!(line, Line::Request(_))).count();
    let mut words = format!("… {}", count(requests as u64, "request", "requests"));
    if requests < cut.len() {
        let others = (cut.len() - requests) as u64;
        words += &format!(" and {}", count(others, "other line", "other lines"));
    }
    words += " between";
    if let Some(longest) = cut.iter().filter_map(|(pause, _)| Some((*pause)?.seconds)).max() {
        words += &format!(", the longest pause {}", duration(longest));
    }
    words + "; `analyze --requests` writes all that came after the change"
}

fn places(line: &Line) -> impl Iterator<Item = &ChangeEvidence> {
    let (own, twin) = match line {
        Line::Request(request) => (Some(&request.place), request.twin.as_ref()),
        Line::Event(event) => (event.place.as_ref(), None),
    };
    own.into_iter().chain(twin)
}

/// Each path with the shortest end of it that no other one has.
fn tails<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, &'a str> {
    let paths: BTreeSet<&str> = paths.collect();
    let ends = |path: &'a str| {
        let cuts = path.rmatch_indices('/').map(|(at, _)| at + 1);
        cuts.chain([0]).map(move |at| &path[at..])
    };
    let mut bearers: BTreeMap<&str, u32> = BTreeMap::new();
    for end in paths.iter().flat_map(|path| ends(path)) {
        *bearers.entry(end).or_default() += 1;
    }
    let tail = |path: &'a str| ends(path).find(|end| bearers[end] == 1).unwrap_or(path);
    paths.iter().map(|path| (*path, tail(path))).collect()
}

impl Columns {
    fn of<'a>(lines: impl Iterator<Item = &'a Line>) -> Columns {
        let mut columns = Columns { status: 0, client: 0, command: 0, verdict: 0 };
        for line in lines {
            let Line::Request(request) = line else { continue };
            let wider = |column: &mut usize, text: &str| *column = (*column).max(width(text));
            wider(&mut columns.status, &request.status);
            wider(&mut columns.client, &(request.client + 1).to_string());
            wider(&mut columns.command, &safe(&request.command));
            wider(&mut columns.verdict, &verdict(request));
        }
        Columns { command: columns.command.min(COMMAND), ..columns }
    }
}

fn verdict(request: &Request) -> String {
    match request.verdict {
        None => "before".to_owned(),
        Some((class, "no")) => class.to_owned(),
        Some((class, residual)) => format!("{class}, {residual}"),
    }
}

/// What the lines of a chain share.
struct Page<'a> {
    style: Style,
    kinds: &'a Kinds<'a>,
    files: BTreeMap<&'a str, &'a str>,
    columns: Columns,
    ttl: i64,
    day: Option<NaiveDate>,
}

impl Page<'_> {
    fn line(&mut self, out: &mut String, (pause, what): &Paused<'_>) {
        if let Some(pause) = pause {
            line(out, self.style, (4, 7), &[self.pause(*pause)]);
        }
        let day = match what {
            Line::Request(request) => request.start.unwrap_or(request.end),
            Line::Event(event) => event.at,
        };
        if self.day.replace(day.date_naive()) != Some(day.date_naive()) {
            line(out, self.style, (4, 6), &[(Ink::Strong, day.format("%F").to_string())]);
        }
        match what {
            Line::Request(request) => self.request(out, request),
            Line::Event(event) => self.event(out, event),
        }
    }

    fn pause(&self, Pause { seconds, is_blind }: Pause) -> Span {
        let long = duration(seconds);
        let (one, two) = (duration(self.ttl), duration(self.ttl.saturating_mul(2)));
        if seconds <= self.ttl {
            (Ink::Faint, format!("   pause of {long}"))
        } else if is_blind {
            (
                Ink::Doubt,
                format!("   PAUSE of {long}, as far as is known: the log has a hole in it"),
            )
        } else if seconds <= self.ttl.saturating_mul(2) {
            (
                Ink::Doubt,
                format!("   PAUSE of {long}: more than {one}, so a token may have been flushed"),
            )
        } else {
            (
                Ink::Doubt,
                format!("   PAUSE of {long}: more than {two}, which no idle token outlives"),
            )
        }
    }

    fn request(&self, out: &mut String, request: &Request) {
        let Columns { status, client, command, verdict: wide } = self.columns;
        let clock = |at: &DateTime<Utc>| at.format("%T").to_string();
        let start = request.start.as_ref().map_or_else(|| pad("?", 8), clock);
        let times = format!("{start}  {}  ", clock(&request.end));
        let what = format!(
            "{}  {}  {}  ",
            pad(&safe(&request.status), status),
            pad(&(request.client + 1).to_string(), client),
            pad(&safe(&request.command), command)
        );
        let ink = match request.verdict {
            Some((_, residual)) if rank(residual) == 3 => Ink::Bad,
            Some((_, residual)) if rank(residual) > 0 => Ink::Doubt,
            Some(("refused", _)) => Ink::Good,
            _ => Ink::Plain,
        };
        let mut spans = vec![
            (Ink::Plain, times + &what),
            (ink, pad(&verdict(request), wide)),
            (Ink::Faint, format!("  {}", self.place(&request.place))),
        ];
        spans.extend(request.auth.map(|auth| (Ink::Plain, format!("  {auth}"))));
        let twin = request.twin.as_ref();
        spans.extend(twin.map(|twin| (Ink::Faint, format!("  {}", self.place(twin)))));
        let words = request.contradiction;
        spans.extend(words.map(|words| (Ink::Doubt, format!("  {words}"))));
        line(out, self.style, (4, 14), &spans);
    }

    fn event(&self, out: &mut String, event: &Event) {
        let mut times = event.at.format("%T").to_string();
        if let Some(until) = event.until {
            let is_same_day = until.date_naive() == event.at.date_naive();
            times += &until.format(if is_same_day { " to %T" } else { " to %F %T" }).to_string();
        }
        let text = safe(&event.text);
        let (ink, text) = match event.is_the_change {
            true => (Ink::Bad, format!("  ===== {} =====", text)),
            false => (Ink::Strong, format!("  --- {}", text)),
        };
        let mut spans = vec![(Ink::Plain, times.replace(' ', &TIE.to_string())), (ink, text)];
        let place = event.place.as_ref();
        spans.extend(place.map(|place| (Ink::Faint, format!("  {}", self.place(place)))));
        line(out, self.style, (4, 14), &spans);
    }

    fn place(&self, at: &ChangeEvidence) -> String {
        let tail = self.files.get(at.path.as_str()).copied().unwrap_or(&at.path);
        place(tail, at.pos, self.kinds.get(at.path.as_str()).copied().unwrap_or("unknown"))
    }
}
