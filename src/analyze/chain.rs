//! The sources of an earlier report to what it does not hold of one finding: every request around the change, and what
//! happened between them.

use super::notes::fronts;
use super::since::Beside;
use super::{Run, assemble, hash, judged};
use crate::account::AccountId;
use crate::case::{Case, Finding, Path, Row};
use crate::cli::Analyze;
use crate::collect::book::{Access, Place, Table};
use crate::collect::names::host_name;
use crate::correlate::Restarts;
use crate::correlate::coverage::Span;
use crate::messages::Messages;
use crate::read;
use crate::source::Source;
use crate::words;
use crate::workers::{self, Pool, logons};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::event::{ChangeKind, Fact, Pos, Precision};
use stillin_parsers::exchange::Auth;
use stillin_reports::chain::{Chain, Event, Line, Request};
use stillin_reports::report::{self, ChangeEvidence, Report, Word};

/// Requests from before the change that are shown.
const BEFORE: usize = 10;

/// What the sources say when they are judged again.
pub struct Again {
    /// The whole report.
    pub report: Report,
    /// For each piece of evidence of the change the time that it tells itself and its precision.
    pub told: Vec<Option<(DateTime<Utc>, Word)>>,
    /// The chains of the finding, in the order of its paths; none if there is no such finding now.
    pub chains: Vec<Chain>,
    /// Servers of which restarts are on record.
    pub restarts: BTreeSet<String>,
    /// Says so where other servers are known of which no log was supplied.
    pub other_servers: Vec<String>,
}

/// Reads and judges sources as `args` say, for one finding of an earlier report.
pub fn again(
    args: &Analyze,
    sources: Vec<Source>,
    finding: &report::Finding,
    messages: &Messages,
) -> anyhow::Result<Again> {
    let hash = hash(args.reading.hash);
    let (files, _) = read::look(sources, hash);
    messages.begin(files.iter().map(|file| file.bytes).sum());
    let run = judged(args, files, Beside::default(), hash, messages)?;
    let report = assemble::report(&run);
    let found = run.cases.iter().find_map(|case| {
        let is_it = |found: &&Finding| is_same(&run, case, found, finding);
        Some((case, case.findings.iter().find(is_it)?))
    });
    let told = found.map_or_else(Vec::new, |(_, found)| told(&run, found));
    let chains = found.map_or_else(Vec::new, |(case, found)| chains(&run, case, found));
    let told_by = run.evidence.values().flat_map(|evidence| &evidence.restarts);
    let fallback = args.reading.server.as_deref();
    let computers = told_by.filter_map(|restart| restart.computer.as_deref().or(fallback));
    let restarts = computers.map(host_name).collect();
    let other_servers = fronts::not_supplied(&run);
    Ok(Again { report, told, chains, restarts, other_servers })
}

fn is_same(run: &Run<'_>, case: &Case, found: &Finding, finding: &report::Finding) -> bool {
    let change = &run.directory.changes[found.change];
    let account = &run.directory.accounts.list[case.account].display;
    (account, change.kind.word(), change.at) == (&finding.account, finding.kind, finding.at)
}

fn at(run: &Run<'_>, source: usize, pos: Pos) -> ChangeEvidence {
    ChangeEvidence { path: run.files[source].source.path.clone(), pos: pos.number() }
}

/// A line of a source, as the report names it.
pub(super) fn at_line(run: &Run<'_>, place: Place) -> ChangeEvidence {
    at(run, place.source as usize, Pos::Line(place.line))
}

/// What each piece of evidence says of the time of the change, for sources may differ.
fn told(run: &Run<'_>, found: &Finding) -> Vec<Option<(DateTime<Utc>, Word)>> {
    let change = &run.directory.changes[found.change];
    let of = |(source, pos): &(usize, Pos)| {
        let facts = run.told.iter().filter(|told| told.source == *source).map(|told| &told.fact);
        let times = facts.filter_map(|fact| time_of(fact, *pos, change.kind));
        times.min_by_key(|(at, precision)| (*precision, (*at - change.at).abs()))
    };
    let word = |(at, precision): (DateTime<Utc>, Precision)| (at, precision.word());
    change.evidence.iter().map(|place| of(place).map(word)).collect()
}

/// The time that a fact at `pos` tells of a change of that kind: flags are written at some time, a state holds since then
/// or before.
fn time_of(fact: &Fact, pos: Pos, kind: ChangeKind) -> Option<(DateTime<Utc>, Precision)> {
    let is_of_flags = !kind.sets_password();
    match fact {
        Fact::Change(change) if change.pos == pos => {
            let both_set = kind.sets_password() && change.kind.sets_password();
            (change.kind == kind || both_set).then_some((change.time, change.precision))
        }
        Fact::UserAccountControlSet { pos: at, time, .. }
        | Fact::AccountExpiresSet { pos: at, time, .. }
            if *at == pos && is_of_flags =>
        {
            Some((*time, Precision::Exact))
        }
        Fact::Account { pos: at, changed: Some(changed), .. } if *at == pos && is_of_flags => {
            Some((*changed, Precision::AtLatest))
        }
        _ => None,
    }
}

/// A chain for each key of the finding.
fn chains(run: &Run<'_>, case: &Case, found: &Finding) -> Vec<Chain> {
    let mut paths: Vec<&Path> = found.paths.iter().collect();
    assemble::sort_paths(run, &mut paths);
    let mut keys: Vec<u32> = Vec::new();
    paths.iter().for_each(|path| keys.extend(Some(path.key).filter(|key| !keys.contains(key))));
    keys.into_iter().map(|key| chain(run, case, found, key)).collect()
}

fn chain(run: &Run<'_>, case: &Case, found: &Finding, number: u32) -> Chain {
    let book = &run.collected.book;
    let key = book.keys.get(number);
    let verdicts: BTreeMap<Place, &Row> =
        case.rows.iter().map(|row| (own_place(&row.access), row)).collect();
    let is_ours = |access: &&Access| access.account == case.account && access.key == number;
    let mut all: Vec<&Access> = book.accesses.iter().filter(is_ours).collect();
    all.sort_by_key(|access| (access.start, access.source, access.line, access.is_claimed));
    let is_near = |n: usize, _: &Access| n < BEFORE;
    let window = Window::new(run, found, number, &all, &verdicts, is_near);
    let mut clients: Vec<u32> = Vec::new();
    let mut lines: Vec<(DateTime<Utc>, Line)> = events(run, case, found, number, &window);
    for access in &all[window.rows.clone()] {
        let client = clients.iter().position(|client| *client == access.client);
        let client = client.unwrap_or_else(|| {
            clients.push(access.client);
            clients.len() - 1
        });
        let row = verdicts.get(&own_place(access)).copied();
        lines.push((access.start, Line::Request(request(run, access, client, row))));
    }
    // What happened in the moment in which a request began stands before it.
    lines.sort_by_key(|(at, _)| *at);
    let name = all.iter().find_map(|access| access.name);
    Chain {
        server: key.server.clone(),
        pool: assemble::pool_word(key.pool).to_owned(),
        protocol: key.protocol.word(),
        name: name.map(|name| book.texts.get(name).clone()).unwrap_or_default(),
        clients: clients.into_iter().map(|client| assemble::client(book, client)).collect(),
        lines: lines.into_iter().map(|(_, line)| line).collect(),
    }
}

/// Where the log of a request has it.
pub(super) fn own_place(access: &Access) -> Place {
    Place { source: access.source, line: access.line }
}

/// Which of a key's requests belong to the case, and the time they span.
pub(super) struct Window<'a> {
    pub rows: std::ops::Range<usize>,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    /// The log of the server.
    pub log: Option<&'a Span>,
    /// The case lasts as long as the log.
    lasts: bool,
}

impl<'a> Window<'a> {
    /// From the last requests before the change that can have kept one token in use, and at least one, to the refusal
    /// that ended it, else to the end of the log. `is_near` says whether a request before the change is one too many; its
    /// number counts from the change.
    pub fn new(
        run: &'a Run<'_>,
        found: &Finding,
        key: u32,
        all: &[&Access],
        verdicts: &BTreeMap<Place, &Row>,
        is_near: impl Fn(usize, &Access) -> bool,
    ) -> Self {
        let change = &run.directory.changes[found.change];
        let life = run.args.ttl * 2;
        // In order of start: what ended before the change, but for requests that were under way for long.
        let first = all.partition_point(|access| access.start < change.at);
        let mut from = first.saturating_sub(1);
        let is_linked = |from: usize| all[from].start - all[from - 1].end <= life;
        while from > 0 && is_near(first - from, all[from - 1]) && is_linked(from) {
            from -= 1;
        }
        let paths: Vec<&Path> = found.paths.iter().filter(|path| path.key == key).collect();
        let refused: Vec<Place> =
            paths.iter().filter_map(|path| path.refused.as_ref()).map(own_place).collect();
        let is_over = refused.len() == paths.len();
        let is_last = |access: &&Access| match is_over {
            true => refused.contains(&own_place(access)),
            false => verdicts.get(&own_place(access)).is_some_and(|row| row.change == found.change),
        };
        let to = all.iter().rposition(is_last).map_or(first, |last| last + 1).max(first);
        let log = run.fronts.coverage.of(run.fronts.index_of(run.collected.book.keys.get(key)));
        let rows = from..to;
        let begin = all[rows.clone()].first().map_or(change.at, |access| access.start);
        let last = all[rows.clone()].iter().map(|access| access.end).max().unwrap_or(change.at);
        let end = log.filter(|_| !is_over).map_or(last, |log| log.to.max(last));
        Window { rows, from: begin.min(change.at), to: end.max(change.at), log, lasts: !is_over }
    }

    pub fn holds(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at <= self.to
    }
}

/// A request as a chain shows it.
pub(super) fn request(run: &Run<'_>, access: &Access, client: usize, row: Option<&Row>) -> Request {
    Request {
        start: access.is_start_known.then_some(access.start),
        end: access.end,
        is_refused: access.refusal.is_some(),
        status: words::status(access.sc_status, access.sc_substatus),
        client,
        command: run.collected.book.texts.get(access.command).clone(),
        verdict: row.map(|row| (row.class.word(), row.residual.word())),
        place: at_line(run, own_place(access)),
        auth: Some(access.auth).filter(|auth| *auth != Auth::None).map(Auth::word),
        twin: access.twin.map(|place| at_line(run, place)),
        contradiction: access.contradiction.map(words::contradiction),
    }
}

/// Changes, restarts, logons, holes, and the ends of the log.
fn events(
    run: &Run<'_>,
    case: &Case,
    found: &Finding,
    key: u32,
    window: &Window<'_>,
) -> Vec<(DateTime<Utc>, Line)> {
    let of_key = run.collected.book.keys.get(key);
    let server = of_key.server.as_str();
    let mut events = changes(run, case.account, found.change, window);
    let mut pools: Table<Pool> = Table::default();
    let pool = pools.number((of_key.server.clone(), of_key.pool));
    let of_pools = restarts_of(run, &pools);
    for is_sure in [true, false] {
        events.extend(restarts(run, &of_pools, pool, window, is_sure));
    }
    let logons = logons_of(run, &BTreeSet::from([case.account])).remove(&case.account);
    events.extend(logons_at(run, &logons.unwrap_or_default(), server, window));
    if let Some(log) = window.log {
        let event = |at, until, text| Event { at, until, text, place: None, is_the_change: false };
        let holes = log.gaps.iter().filter(|(from, to)| *from <= window.to && window.from <= *to);
        events.extend(holes.map(|&(from, to)| {
            event(
                from,
                Some(to),
                format!("a hole in the log of {server}: whoever was served is not seen"),
            )
        }));
        if window.holds(log.from) {
            events.push(event(log.from, None, format!("the log of {server} begins")));
        }
        let web = run.fronts.web(server).filter(|web| web.to < log.to && window.holds(web.to));
        events.extend(web.map(|web| {
            let text = format!(
                "the IIS log of {server} ends; HttpProxy goes on, and does not show who was turned down"
            );
            event(web.to, None, text)
        }));
        if window.lasts {
            events.push(event(log.to, None, format!("the log of {server} ends")));
        }
    }
    events.into_iter().map(|event| (event.at, Line::Event(event))).collect()
}

/// Changes of the account within a window, and the one of the case.
pub(super) fn changes(
    run: &Run<'_>,
    account: AccountId,
    number: usize,
    window: &Window<'_>,
) -> Vec<Event> {
    let all = run.directory.changes.iter().enumerate();
    let of_account = all.filter(|(_, change)| change.account == account);
    of_account
        .filter(|(n, change)| *n == number || window.holds(change.at))
        .map(|(n, change)| {
            let kind = change.kind.word().replace('_', " ");
            let at_latest = change.precision == Precision::AtLatest;
            let by = change.actor.as_ref().map(|actor| format!(" by {actor}")).unwrap_or_default();
            Event {
                at: change.at,
                until: None,
                text: format!("{kind}{}{by}", if at_latest { " then or before" } else { "" }),
                place: change.evidence.first().map(|&(source, pos)| at(run, source, pos)),
                is_the_change: n == number,
            }
        })
        .collect()
}

/// The restarts of pools, by their number.
pub(super) fn restarts_of(run: &Run<'_>, pools: &Table<Pool>) -> Restarts {
    let fallback = run.args.reading.server.as_deref();
    workers::restarts(&run.restarts(), &run.collected.hints, fallback, pools)
}

/// The restarts of one pool within a window: those that events tell of, or those that something hints at.
pub(super) fn restarts(
    run: &Run<'_>,
    restarts: &Restarts,
    pool: u32,
    window: &Window<'_>,
    is_sure: bool,
) -> Vec<Event> {
    restarts
        .since(pool, window.from)
        .iter()
        .take_while(|restart| restart.at <= window.to)
        .filter(|restart| restart.is_sure == is_sure)
        .map(|restart| Event {
            at: restart.at,
            until: None,
            text: match is_sure {
                true => words::of_restart(restart.scope).to_owned(),
                false => words::of_hinted(restart.scope).to_owned(),
            },
            place: Some(at(run, restart.source as usize, restart.pos)),
            is_the_change: false,
        })
        .collect()
}

/// Logons of an account, each with the source that tells of it.
pub(super) type Logons = Vec<(usize, logons::OfAccount)>;

/// The logons of accounts.
pub(super) fn logons_of(run: &Run<'_>, only: &BTreeSet<AccountId>) -> BTreeMap<AccountId, Logons> {
    let fallback = run.args.reading.server.as_deref();
    let mut by_account: BTreeMap<AccountId, Logons> = BTreeMap::new();
    for (&source, evidence) in &run.evidence {
        let told = std::iter::once(&evidence.logons);
        let list = logons::of_accounts(told, &run.directory.accounts, only, fallback);
        for (account, list) in list {
            by_account.entry(account).or_default().extend(list.into_iter().map(|l| (source, l)));
        }
    }
    by_account
}

/// The logons at one server within a window.
pub(super) fn logons_at(
    run: &Run<'_>,
    logons: &Logons,
    server: &str,
    window: &Window<'_>,
) -> Vec<Event> {
    let mut events: BTreeMap<(DateTime<Utc>, String), Event> = BTreeMap::new();
    let is_here = |logon: &logons::OfAccount| logon.server == server && window.holds(logon.at);
    for (source, logon) in logons.iter().filter(|(_, logon)| is_here(logon)) {
        let from = logon.address.map(|address| format!(" from {address}")).unwrap_or_default();
        let text = match logon.refusal {
            None => format!("logon{from}: the password was asked for, and right"),
            Some(refusal) => format!("logon{from} failed: {}", words::refusal_word(refusal)),
        };
        let place = Some(at(run, *source, logon.pos));
        let event = Event { at: logon.at, until: None, text, place, is_the_change: false };
        // The log of a server may lie there twice.
        events.entry((event.at, event.text.clone())).or_insert(event);
    }
    events.into_values().collect()
}
