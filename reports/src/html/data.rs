//! Findings and their timelines to the data that the page's script draws from: JSON that cannot end the element it
//! stands in. Texts that repeat stand once, and are asked for by number; what is too long is cut, saying by how much.

use std::collections::BTreeMap;
use std::io;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::view;
use super::{class_words, grade_ink, ink, plain, state_ink, state_word};
use crate::case;
use crate::chain::Request;
use crate::report::{Advice, Change, Finding, Path, Report};
use crate::terminal::{Kinds, access, client, seen_at, state};
use crate::text::{count, duration, number, safe, time};
use crate::timeline::{Mark, Run, Timeline, Timelines, What};
use crate::verdict::rank;

/// Paths of a finding, and clients, reasons and places of a path.
const SHOWN: usize = 30;

/// Number of a text.
type Text = usize;

#[derive(Serialize)]
struct Data<'a> {
    ttl: i64,
    texts: &'a [String],
    findings: &'a [One],
}

#[derive(Serialize)]
struct One {
    id: String,
    account: Text,
    /// How sure, and how that is inked.
    grade: (Text, &'static str),
    state: (Text, &'static str),
    kind: Text,
    change: Text,
    caveats: Vec<Text>,
    told: Vec<Text>,
    others: Vec<Text>,
    advice: Vec<Text>,
    served: Text,
    /// Change, last access (seconds since 1970), exposure (seconds), requests, rank of certainty, rank of state.
    sort: [i64; 6],
    servers: Vec<Text>,
    /// Where, and how many requests moved data, as the row of the table says it.
    place: Text,
    data: u64,
    paths: Vec<OfPath>,
    lines: Vec<Line>,
    more: usize,
}

#[derive(Serialize)]
struct OfPath {
    server: Text,
    pool: Text,
    protocol: Text,
    name: Text,
    state: (Text, &'static str),
    grade: (Text, &'static str),
    class: Text,
    access: Text,
    requests: u64,
    data: u64,
    clients: Vec<Text>,
    why: Vec<Text>,
    /// Where it stands, and what stands there.
    see: Vec<(Text, Option<Text>)>,
}

#[derive(Serialize)]
struct Line {
    paths: Vec<usize>,
    /// Seconds since 1970; every other time of the line counts from here.
    from: i64,
    to: i64,
    change: i64,
    /// From, to, requests, of them with data, class, ink, and which token is behind it: 0 none of before the change, 1
    /// one of before it, 2 possibly one.
    runs: Vec<(i64, i64, u64, u64, Text, &'static str, u8)>,
    /// At, what, words, how often, place.
    marks: Vec<(i64, &'static str, Text, u64, Option<Text>)>,
    log: Option<[i64; 2]>,
    holes: Vec<[i64; 2]>,
    out: [u64; 2],
}

/// Texts, each once.
#[derive(Default)]
struct Texts {
    list: Vec<String>,
    numbers: BTreeMap<String, Text>,
}

impl Texts {
    fn number(&mut self, text: impl AsRef<str>) -> Text {
        let text = plain(text);
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        self.list.push(text.clone());
        self.numbers.insert(text, self.list.len() - 1);
        self.list.len() - 1
    }

    /// The first of some texts, and how many more there are.
    fn some<T: AsRef<str>>(&mut self, texts: impl ExactSizeIterator<Item = T>) -> Vec<Text> {
        let more = texts.len().saturating_sub(SHOWN);
        let mut numbers: Vec<Text> = texts.take(SHOWN).map(|text| self.number(text)).collect();
        if more > 0 {
            numbers
                .push(self.number(format!("and {} more, in the JSON report", number(more as u64))));
        }
        numbers
    }
}

/// The data as JSON without `<`, `>` and `&`.
pub fn json(report: &Report, timelines: &Timelines) -> io::Result<String> {
    let kinds: Kinds = report.sources.iter().map(|s| (s.path.as_str(), s.kind)).collect();
    let changes: BTreeMap<&str, &Change> =
        report.changes.iter().map(|c| (c.id.as_str(), c)).collect();
    let mut of_account: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in &report.changes {
        of_account.entry(&change.account).or_default().push(change);
    }
    let mut advice: BTreeMap<&str, Vec<&Advice>> = BTreeMap::new();
    for one in &report.advice {
        advice.entry(&one.account).or_default().push(one);
    }
    let mut lines: BTreeMap<&str, Vec<&Timeline>> = BTreeMap::new();
    for timeline in &timelines.list {
        lines.entry(&timeline.finding).or_default().push(timeline);
    }
    let mut texts = Texts::default();
    let findings: Vec<One> = report
        .findings
        .iter()
        .map(|finding| {
            let change = changes.get(finding.change.as_str()).copied();
            let others = of_account.get(finding.account.as_str()).map_or(&[][..], Vec::as_slice);
            let lines = lines.get(finding.id.as_str()).map_or(&[][..], Vec::as_slice);
            let advice = advice.get(finding.account.as_str()).map_or(&[][..], Vec::as_slice);
            One {
                advice: of_advice(&mut texts, finding, advice),
                ..one(&mut texts, &kinds, finding, change, others, lines)
            }
        })
        .collect();
    let data = Data { ttl: report.rules.ttl_seconds, texts: &texts.list, findings: &findings };
    let json = serde_json::to_string(&data)?;
    // Outside of strings JSON has none of these.
    let json = json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    Ok(json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
}

fn one(
    texts: &mut Texts,
    kinds: &Kinds,
    finding: &Finding,
    change: Option<&Change>,
    of_account: &[&Change],
    lines: &[&Timeline],
) -> One {
    let state = case::state(finding);
    let what = match change {
        Some(change) => case::what(change),
        None => format!("{} {}", case::kind(finding.kind), time(&finding.at)),
    };
    let is_vague = change.is_some_and(|change| change.precision == "at_latest")
        || finding.exposure_seconds < (finding.last - finding.at).num_seconds();
    let served = format!(
        "served for {}another {}, until {}: {}",
        if is_vague { "at least " } else { "" },
        duration(finding.exposure_seconds),
        time(&finding.last),
        count(finding.requests, "request", "requests")
    );
    let evidence = change.map_or(&[][..], |change| &change.evidence);
    let others: Vec<String> = of_account
        .iter()
        .filter(|other| other.id != finding.change)
        .map(|other| case::what(other))
        .collect();
    let mut servers: Vec<&str> = finding.paths.iter().map(|path| path.server.as_str()).collect();
    servers.sort_unstable();
    servers.dedup();
    let shown = &finding.paths[..finding.paths.len().min(SHOWN)];
    let quoted = |n: usize| {
        lines.iter().filter(move |line| line.paths.contains(&n)).flat_map(|line| &line.quoted)
    };
    let order = ["open", case::MAYBE_OPEN, "unknown", "expired", "recycled", "refused"];
    let of_state = order.iter().position(|word| *word == state).unwrap_or_default();
    One {
        id: safe(&finding.id),
        account: texts.number(safe(&finding.account)),
        grade: (texts.number(safe(finding.residual)), grade_ink(finding.residual)),
        state: (texts.number(state_word(state)), state_ink(state, finding.residual)),
        kind: texts.number(case::kind(finding.kind)),
        change: texts.number(what),
        caveats: texts.some(change.map(caveats).unwrap_or_default().into_iter()),
        told: texts.some(evidence.iter().map(|e| seen_at(kinds, &e.path, e.pos))),
        others: texts.some(others.iter()),
        advice: Vec::new(),
        served: texts.number(served),
        sort: [
            finding.at.timestamp(),
            finding.last.timestamp(),
            finding.exposure_seconds,
            i64::try_from(finding.requests).unwrap_or(i64::MAX),
            i64::from(rank(finding.residual)),
            order.len() as i64 - 1 - of_state as i64,
        ],
        servers: servers.iter().map(|server| texts.number(safe(server))).collect(),
        place: texts.number(view::place(finding)),
        data: view::moved(finding),
        paths: shown
            .iter()
            .enumerate()
            .map(|(n, path)| of_path(texts, kinds, path, quoted(n)))
            .collect(),
        lines: lines.iter().map(|line| of_line(texts, kinds, line, finding.at)).collect(),
        more: finding.paths.len() - shown.len(),
    }
}

/// What else to do of an account, at the servers of the finding.
fn of_advice(texts: &mut Texts, finding: &Finding, advice: &[&Advice]) -> Vec<Text> {
    let is_here = |advice: &&&Advice| finding.paths.iter().any(|path| path.server == advice.server);
    let words: Vec<String> = advice
        .iter()
        .filter(is_here)
        .map(|advice| format!("at {}: {}", safe(&advice.server), safe(&advice.text)))
        .collect();
    texts.some(words.iter())
}

fn caveats(change: &Change) -> Vec<&'static str> {
    let mut caveats = Vec::new();
    if change.precision == "at_latest" {
        caveats.push("made then or before: no source tells the time itself");
    }
    if change.disputed_until.is_some() {
        caveats.push(
            "sources contradict each other, or it was undone in between: before the latest of the times access is no \
             more than possible",
        );
    }
    caveats
}

fn of_path<'a>(
    texts: &mut Texts,
    kinds: &Kinds,
    path: &Path,
    quoted: impl Iterator<Item = &'a Request>,
) -> OfPath {
    let (state_ink, state_text) = state(path);
    let clients = path
        .clients
        .iter()
        .map(|of| client(of).into_iter().map(|(_, text)| text).collect::<String>());
    let quoted: Vec<&Request> = quoted.collect();
    let see: Vec<(Text, Option<Text>)> = path
        .evidence
        .iter()
        .take(SHOWN)
        .map(|evidence| {
            let is_it = |at: &crate::report::ChangeEvidence| {
                at.path == evidence.path && at.pos == evidence.line
            };
            let request = quoted.iter().find(|request| is_it(&request.place));
            let twin = || quoted.iter().find(|request| request.twin.as_ref().is_some_and(is_it));
            let facts = match request {
                Some(request) => Some(texts.number(facts(request))),
                None => twin().map(|_| texts.number("the same request, in Exchange's own log")),
            };
            (texts.number(seen_at(kinds, &evidence.path, evidence.line)), facts)
        })
        .collect();
    OfPath {
        server: texts.number(safe(&path.server)),
        pool: texts.number(safe(&path.pool)),
        protocol: texts.number(safe(path.protocol)),
        name: texts.number(safe(&path.name)),
        state: (texts.number(state_text), ink(state_ink)),
        grade: (texts.number(safe(path.residual)), grade_ink(path.residual)),
        class: texts.number(format!("{} ({})", class_words(path.class), safe(path.class))),
        access: texts.number(access(path.requests, path.data_requests, &path.first, &path.last)),
        requests: path.requests,
        data: path.data_requests,
        clients: texts.some(clients),
        why: texts.some(path.why.iter().map(|why| safe(why))),
        see,
    }
}

/// What the line of a log says, as far as it matters here.
fn facts(request: &Request) -> String {
    let mut words = match &request.start {
        Some(start) if *start != request.end => {
            format!("{} to {}", time(start), request.end.format("%H:%M:%S"))
        }
        _ => time(&request.end),
    };
    let command = safe(&request.command);
    let auth = request.auth.unwrap_or_default();
    let outcome = if request.is_refused { "refused" } else { "served" };
    for part in [command.as_str(), &format!("{outcome} ({})", safe(&request.status)), auth] {
        if !part.is_empty() {
            words += &format!(", {part}");
        }
    }
    words
}

fn of_line(texts: &mut Texts, kinds: &Kinds, line: &Timeline, change: DateTime<Utc>) -> Line {
    let since = |at: &DateTime<Utc>| at.timestamp() - line.from.timestamp();
    let mut run = |run: &Run| {
        let (class, ink) = match run.verdict {
            Some((class, residual)) if rank(residual) > 0 => {
                (format!("{}, {residual}", class_words(class)), grade_ink(residual))
            }
            Some((class, _)) => (class_words(class).to_owned(), "good"),
            None => ("before the change".to_owned(), "plain"),
        };
        let token = match run.verdict {
            Some(("other_auth" | "new_logon", _)) => 0,
            // What is less than certain may be another client's, which keeps no token of this one alive.
            Some((_, "likely" | "possible")) => 2,
            _ => 1,
        };
        let (from, to) = (since(&run.from), since(&run.to));
        (from, to, run.requests, run.data_requests, texts.number(class), ink, token)
    };
    let runs = line.runs.iter().map(&mut run).collect();
    let mut mark = |mark: &Mark| {
        let what = match mark.what {
            What::TheChange => "the-change",
            What::Change => "change",
            What::Refusal => "refusal",
            What::Restart => "restart",
            What::Hint => "hint",
            What::Logon => "logon",
        };
        let place = mark.place.as_ref().map(|at| texts.number(seen_at(kinds, &at.path, at.pos)));
        (since(&mark.at), what, texts.number(safe(&mark.text)), mark.times, place)
    };
    Line {
        paths: line.paths.clone(),
        from: line.from.timestamp(),
        to: since(&line.to),
        change: since(&change),
        runs,
        marks: line.marks.iter().map(&mut mark).collect(),
        log: line.log.as_ref().map(|log| [since(&log.from), since(&log.to)]),
        holes: line.holes.iter().map(|hole| [since(&hole.from), since(&hole.to)]).collect(),
        out: [line.left_out, line.marks_left_out],
    }
}
