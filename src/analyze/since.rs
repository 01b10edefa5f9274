//! The logs since a plan to what `verify` needs of them: the requests of its accounts, class by class, when its pools
//! were restarted, and what the logs can speak about.

mod lost;

pub use lost::{Lost, is_nameless};

use super::find::find;
use super::outputs::Outputs;
use super::{Run, assemble, hash, judged, notes, sources};
use crate::account::AccountId;
use crate::case::Row;
use crate::change::{Change, Told};
use crate::cli::Analyze;
use crate::collect::book::{Place, Table};
use crate::collect::names::host_name;
use crate::correlate::coverage::Span;
use crate::correlate::{Class, Ground, Residual};
use crate::messages::Messages;
use crate::readings::Readings;
use crate::workers::{self, Pool};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::event::{self, ChangeKind, Pos, Precision, Restarted};
use stillin_parsers::exchange::{self, Auth, Refusal};
use stillin_reports::report::{self, ChangeEvidence, Client, Evidence, Word};

/// What is known beside the sources. Where it has facts, only the accounts that they tell of are looked for.
#[derive(Clone, Default)]
pub struct Beside<'a> {
    /// What was read of the sources before, so that it need not be read again.
    pub readings: Option<&'a Readings>,
    /// What an earlier report says of accounts and their changes; its sources are counted from 0.
    pub facts: Vec<Told>,
    /// Restarts that somebody else keeps a record of.
    pub restarts: Vec<event::Restart>,
}

/// One request of an account of the plan, under a change that cuts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Whose.
    pub account: AccountId,
    /// The change in effect.
    pub change: usize,
    /// When it was made.
    pub change_at: DateTime<Utc>,
    /// That change takes the account away; else it gives it another password.
    pub disables: bool,
    /// Server and front-end pool.
    pub pool: Pool,
    /// Protocol word.
    pub protocol: Word,
    /// The name in lower case, that of the client where the request has none.
    pub name: String,
    /// The name as logged.
    pub logged: String,
    /// When it began.
    pub start: DateTime<Utc>,
    /// The log tells when it began; else that is when it ended.
    pub is_start_known: bool,
    /// When it ended.
    pub end: DateTime<Utc>,
    /// Served, or refused for that reason.
    pub refusal: Option<Refusal>,
    /// Class.
    pub class: Class,
    /// Residual.
    pub residual: Residual,
    /// The account was perhaps enabled by then.
    pub may_be_enabled: bool,
    /// How it was authenticated, as far as that is known.
    pub auth: Auth,
    /// Who sent it.
    pub client: Client,
    /// Where it stands, in the order of the sources; of one second that tells what came first.
    pub order: Place,
    /// The same for the reader.
    pub place: Evidence,
    /// Logged by the back end.
    pub is_back_end: bool,
    /// Of another account under the same name, it may be.
    pub may_be_anothers: bool,
}

/// An account that was enabled again, or made anew under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enabled {
    /// When.
    pub at: DateTime<Utc>,
    /// What tells of it; no path where it is only told beside the sources.
    pub place: ChangeEvidence,
    /// That is the latest time; it may have been before.
    pub is_at_latest: bool,
    /// Made anew.
    pub is_new: bool,
    /// When it was taken away again.
    pub until: Option<DateTime<Utc>>,
}

/// A restart that is sure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// When.
    pub at: DateTime<Utc>,
    /// What tells of it.
    pub place: ChangeEvidence,
    /// An administrator's command leaves such an event.
    pub is_by_command: bool,
}

/// What the logs have since.
pub struct Since {
    /// The requests, in order of end.
    pub uses: Vec<Use>,
    /// For each fact of a change that was told beside the sources, by its line, the account and the change that it is.
    pub told: BTreeMap<u64, (AccountId, usize)>,
    /// When accounts were enabled again, or made anew, in order.
    pub enabled: BTreeMap<AccountId, Vec<Enabled>>,
    /// Sure restarts of the pools that were asked for, in order.
    pub restarts: BTreeMap<Pool, Vec<Restart>>,
    /// What the logs can speak about of the pools that were asked for, or that have requests.
    pub spans: BTreeMap<Pool, Span>,
    /// The same by server and kind of log.
    pub coverage: Vec<report::Coverage>,
    /// What was read.
    pub sources: Vec<report::Source>,
    /// What may tell of access, and was not understood or not read to its end.
    pub lost: Vec<Lost>,
    /// Recycles that failed, by what WAS says, of the pools that were asked for.
    pub kept: BTreeMap<Pool, Vec<Restart>>,
    /// What was named and is not there, or cannot be read; it is in the notes as well.
    pub problems: Vec<String>,
    /// What else the reader has to know.
    pub notes: Vec<String>,
}

/// Reads and judges the logs for the accounts that are told beside them.
pub fn since(
    args: &Analyze,
    beside: Beside<'_>,
    pools: &BTreeSet<Pool>,
    outputs: &Outputs<'_>,
    messages: &Messages,
) -> anyhow::Result<Since> {
    let hash = hash(args.reading.hash);
    let (files, problems) = find(args, hash, outputs, messages)?;
    messages.begin(files.iter().map(|file| file.bytes).sum());
    let mut run = judged(args, files, beside, hash, messages)?;
    run.notes.splice(0..0, problems.iter().cloned());
    notes::say_of_logs(&mut run, messages);
    let uses = uses(&run);
    let all: BTreeSet<&Pool> =
        pools.iter().chain(uses.iter().map(|request| &request.pool)).collect();
    let span = |pool: &&Pool| {
        let protocols: Vec<_> = exchange::protocols(pool.1).into_iter().collect();
        Some(((*pool).clone(), run.fronts.span_of(&pool.0, &protocols)?.clone()))
    };
    Ok(Since {
        told: told(&run),
        enabled: enabled(&run),
        problems,
        restarts: restarts(&run, pools),
        lost: lost::lost(&run),
        kept: kept(&run, pools),
        spans: all.iter().filter_map(span).collect(),
        coverage: assemble::coverage(&run),
        sources: (0..run.files.len()).map(|index| sources::source(&run, index)).collect(),
        notes: std::mem::take(&mut run.notes),
        uses,
    })
}

impl Run<'_> {
    /// The changes that are told beside the sources, be it by them as well.
    pub(super) fn changes_beside(&self) -> impl Iterator<Item = &Change> {
        let is_beside = |change: &&Change| {
            change.evidence.iter().any(|(source, _)| *source >= self.files.len())
        };
        self.directory.changes.iter().filter(is_beside)
    }
}

fn told(run: &Run<'_>) -> BTreeMap<u64, (AccountId, usize)> {
    let n_sources = run.files.len();
    let mut told = BTreeMap::new();
    for (index, change) in run.directory.changes.iter().enumerate() {
        let beside = change.evidence.iter().filter(|(source, _)| *source == n_sources);
        told.extend(beside.map(|(_, pos)| (pos.number(), (change.account, index))));
    }
    told
}

fn enabled(run: &Run<'_>) -> BTreeMap<AccountId, Vec<Enabled>> {
    let mut enabled: BTreeMap<AccountId, Vec<Enabled>> = BTreeMap::new();
    for change in &run.directory.changes {
        let all = enabled.entry(change.account).or_default();
        match change.kind {
            ChangeKind::Enabled | ChangeKind::Created => {
                let Some((source, pos)) = change.evidence.first() else { continue };
                let place = ChangeEvidence { path: path(run, *source), pos: pos.number() };
                let is_new = change.kind == ChangeKind::Created;
                let is_at_latest = change.precision == Precision::AtLatest;
                all.push(Enabled { at: change.at, place, is_at_latest, is_new, until: None });
            }
            kind if kind.disables() => {
                let open = all.iter_mut().filter(|enabled| enabled.until.is_none());
                open.for_each(|enabled| enabled.until = Some(change.at));
            }
            _ => {}
        }
    }
    enabled
}

fn uses(run: &Run<'_>) -> Vec<Use> {
    let of_case = |case: &crate::case::Case| {
        let account = case.account;
        case.rows.iter().map(move |row| a_use(run, account, row)).collect::<Vec<_>>()
    };
    let mut uses: Vec<Use> = run.cases.iter().flat_map(of_case).collect();
    uses.sort_by_key(|request| (request.end, request.order));
    uses
}

/// What says that an account was perhaps enabled.
const ENABLED: [Ground; 3] =
    [Ground::MaybeEnabled, Ground::EnabledSoonAfter, Ground::EnabledShortlyBefore];

fn a_use(run: &Run<'_>, account: AccountId, row: &Row) -> Use {
    let (book, access) = (&run.collected.book, &row.access);
    let key = book.keys.get(access.key);
    let order = Place { source: access.source, line: access.line };
    Use {
        account,
        change: row.change,
        change_at: run.directory.changes[row.change].at,
        disables: run.directory.changes[row.change].kind.disables(),
        pool: (key.server.clone(), key.pool),
        protocol: key.protocol.word(),
        name: key.name.clone(),
        logged: access.name.map(|name| book.texts.get(name).clone()).unwrap_or_default(),
        start: access.start,
        is_start_known: access.is_start_known,
        end: access.end,
        refusal: access.refusal,
        class: row.class,
        residual: row.residual,
        may_be_enabled: ENABLED.into_iter().any(|ground| row.speaks.has(ground)),
        auth: access.auth,
        client: assemble::client(book, access.client),
        order,
        place: Evidence { path: path(run, order.source as usize), line: order.line },
        is_back_end: access.is_back_end,
        may_be_anothers: access.is_ambiguous || access.contradiction.is_some(),
    }
}

fn path(run: &Run<'_>, source: usize) -> String {
    run.files.get(source).map(|file| file.source.path.clone()).unwrap_or_default()
}

fn restarts(run: &Run<'_>, pools: &BTreeSet<Pool>) -> BTreeMap<Pool, Vec<Restart>> {
    let mut table: Table<Pool> = Table::default();
    pools.iter().for_each(|pool| _ = table.number(pool.clone()));
    let fallback = run.args.reading.server.as_deref();
    let told = run.restarts();
    let by_command: BTreeSet<(usize, u64)> = told
        .iter()
        .filter(|told| told.restart.is_by_command)
        .map(|told| (told.source, told.restart.pos.number()))
        .collect();
    let all = workers::restarts(&told, &run.collected.hints, fallback, &table);
    let of = |pool: &Pool| {
        let number = table.place(pool).unwrap_or(u32::MAX);
        let sure = all.since(number, DateTime::<Utc>::MIN_UTC).iter().filter(|r| r.is_sure);
        // What is known beside the sources is no evidence of its own.
        let told = sure.filter(|restart| (restart.source as usize) < run.files.len());
        let place = |source: u32, pos: Pos| ChangeEvidence {
            path: path(run, source as usize),
            pos: pos.number(),
        };
        told.map(|r| {
            let is_by_command = by_command.contains(&(r.source as usize, r.pos.number()));
            Restart { at: r.at, place: place(r.source, r.pos), is_by_command }
        })
        .collect()
    };
    pools.iter().map(|pool| (pool.clone(), of(pool))).collect()
}

/// What WAS says of recycles that it could not do.
fn kept(run: &Run<'_>, pools: &BTreeSet<Pool>) -> BTreeMap<Pool, Vec<Restart>> {
    let fallback = run.args.reading.server.as_deref();
    let mut kept: BTreeMap<Pool, Vec<Restart>> = BTreeMap::new();
    for told in run.restarts().iter().filter(|told| told.source < run.files.len()) {
        let Restarted::Kept(named) = &told.restart.what else { continue };
        let computer = told.restart.computer.as_deref().or(fallback).map(host_name);
        let is_it = |(server, pool): &&Pool| {
            computer.as_ref() == Some(server) && named.eq_ignore_ascii_case(pool)
        };
        let place = ChangeEvidence { path: path(run, told.source), pos: told.restart.pos.number() };
        for pool in pools.iter().filter(is_it) {
            let event =
                Restart { at: told.restart.time, place: place.clone(), is_by_command: false };
            kept.entry(pool.clone()).or_default().push(event);
        }
    }
    kept.values_mut().for_each(|events| events.sort_by_key(|event| event.at));
    kept
}
