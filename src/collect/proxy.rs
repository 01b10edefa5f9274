//! One log of HttpProxy, the front end's own, to the rows of watched accounts, and of the requests that W3C has under
//! their names (DOMAIN.md 3.1).

use super::access::begin;
use super::blocks::Room;
use super::book::{Access, Other};
use super::desk::{ClientTexts, Desk};
use super::ids::Ids;
use super::log::{Log, Met};
use super::minutes::Presence;
use super::names::{Names, Sort, logged_host_name};
use super::rows::{self, Reader};
use super::seats::seat;
use super::sheet::{Numbers, Sheet};
use super::watch::{Meant, Watch, decode};
use crate::account::{AccountId, Accounts, Resolution};
use crate::input::{Hash, Opened};
use chrono::{DateTime, Utc};
use hashbrown::HashMap;
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::exchange::{self, Outcome, Protocol, Refusal, proxied};
use stillin_parsers::exchange_log::{Column, Row};

/// What a reading of HttpProxy is after.
pub struct Asked<'a> {
    /// Whose requests.
    pub watch: &'a Watch<'a>,
    /// Whether a request that ended then may matter.
    pub is_within: &'a (dyn Fn(DateTime<Utc>) -> bool + Sync),
    /// Ids of the requests that W3C has under watched names.
    pub ids: &'a Ids,
    /// Whose the SIDs of the evidence are.
    pub sids: &'a Sids,
    /// Called with the number of bytes read.
    pub progress: &'a (dyn Fn(u64) + Sync),
    /// The reading is to be kept.
    pub is_kept: bool,
}

/// A server, and the protocol whose log it is: each has one of its own, which says nothing of the others.
pub type Front = (String, Protocol);

/// One log, read.
#[derive(Default)]
pub struct ProxyLog {
    /// What it has in common with other logs.
    pub log: Log,
    /// When it had entries.
    pub presence: BTreeMap<Front, Presence>,
    /// Names that go with the SID of a watched account and that no other source ties to it, each with its first line.
    pub learned: BTreeMap<(AccountId, String), u64>,
    /// SIDs under the names of accounts of which no source tells one.
    pub sids: BTreeSet<(AccountId, String)>,
    /// Servers that requests were passed on to, as logged.
    pub targets: BTreeSet<String>,
}

/// Targets kept of one log: there are as many as servers, unless the log is not what it seems.
pub const MOST_TARGETS: usize = 256;

/// Whose a SID is. Only looked up, never walked.
pub type Sids = HashMap<Vec<u8>, Option<AccountId>>;

/// Whose the SIDs of accounts are, as logs spell them: nearly every row has one, and there are many logs.
pub fn sids(accounts: &Accounts) -> Sids {
    let told = accounts.list.iter().filter_map(|account| account.sid.as_deref());
    let sids = told.map(str::to_ascii_uppercase);
    let whose = sids.map(|sid| {
        let id = of_sid(&sid, accounts);
        (sid.into_bytes(), id)
    });
    whose.collect()
}

fn of_sid(sid: &str, accounts: &Accounts) -> Option<AccountId> {
    match accounts.resolve(sid, None) {
        Resolution::One(id) => Some(id),
        _ => None,
    }
}

/// What the SID of a row says of its user.
#[derive(Clone, Copy)]
enum Sid<'a> {
    /// There is none.
    Untold,
    /// An account of the evidence has it.
    Known(AccountId),
    /// No account of the evidence has it.
    Strange(&'a str),
}

/// What a thread keeps from chunk to chunk.
struct Bench<'a> {
    names: Names<'a>,
    /// Others that were looked up.
    sids: Sids,
    room: Room,
}

/// Reads an opened log to its end.
pub fn read(opened: Opened, hash: Hash, asked: &Asked<'_>) -> ProxyLog {
    let mut log = ProxyLog::default();
    let reader = Reader {
        bench: &|| Bench {
            names: Names::new(asked.watch),
            sids: Sids::new(),
            room: Room::default(),
        },
        chunk: &|chunk, state, bench: &mut Bench<'_>| {
            let mut scanned = Scanned::default();
            let Bench { names, sids, room } = bench;
            let (tally, next) =
                rows::scan(chunk, state, room, |row| scanned.row(row, asked, names, sids));
            let sheet = scanned.desk.take_sheet();
            (tally, next, (scanned, sheet))
        },
        progress: asked.progress,
    };
    let read = rows::read(opened, hash, &reader, &mut |(scanned, sheet), lines_before| {
        log.take(scanned, sheet, lines_before);
    });
    let rows::Read { columns, is_uniform, first_request, .. } = read;
    let tally = read.sum.finish(log.presence.values_mut());
    let stored = Some(read.stored);
    log.log = Log { tally, columns, is_uniform, first_request, stored, ..log.log };
    log
}

impl ProxyLog {
    fn take(&mut self, scanned: Scanned, sheet: Sheet, lines_before: u64) {
        let Scanned {
            presence, place_of_front, noise, learned, namesakes, sids, targets, met, ..
        } = scanned;
        self.log.met.absorb(met);
        self.sids.extend(sids);
        self.log.book.copy_in(sheet, &mut Numbers::default(), lines_before);
        for (name, n) in namesakes {
            *self.log.namesakes.entry(name).or_default() += n;
        }
        self.log.noise += noise;
        for ((server, protocol), place) in place_of_front {
            let front = (logged_host_name(&server), protocol);
            self.presence.entry(front).or_default().extend(&presence[place]);
        }
        for (name, line) in learned {
            self.learned.entry(name).or_insert(line + lines_before);
        }
        let room = MOST_TARGETS.saturating_sub(self.targets.len());
        self.targets.extend(targets.iter().map(|name| logged_host_name(name)).take(room));
    }
}

/// What the rows of one chunk gave.
#[derive(Default)]
struct Scanned {
    desk: Desk,
    /// When each front end had entries; mostly there is one.
    presence: Vec<Presence>,
    place_of_front: BTreeMap<(Vec<u8>, Protocol), usize>,
    /// `ServerHostName`, `UrlStem` and `Protocol` of the last row that was asked, and where its front end is, so that
    /// neighbours cost nothing.
    front: Option<([Vec<u8>; 3], usize)>,
    noise: u64,
    learned: BTreeMap<(AccountId, String), u64>,
    namesakes: BTreeMap<String, u64>,
    sids: BTreeSet<(AccountId, String)>,
    targets: BTreeSet<Vec<u8>>,
    second: Option<i64>,
    /// The last minute in which a probe was noted.
    probe: Option<i64>,
    /// Names that were looked at more closely.
    met: Met,
}

impl Scanned {
    /// Every row of every log comes through here.
    #[inline(always)]
    fn row(&mut self, row: &Row<'_>, asked: &Asked<'_>, names: &mut Names<'_>, sids: &mut Sids) {
        if self.second != Some(row.seconds) {
            self.moved(row);
        }
        let Some(user) = proxied::user(row) else { return };
        let sort = names.sort(user);
        if sort == Sort::Noise {
            self.noise(row);
            return;
        }
        let sid = match proxied::own_sid(row) {
            None => Sid::Untold,
            Some(sid) => whose(sid, asked, sids).map_or(Sid::Strange(sid), Sid::Known),
        };
        let is_asked = !asked.ids.is_empty() && asked.ids.has(request_id(row), row.seconds);
        let is_watched = matches!(sid, Sid::Known(id) if asked.watch.has(id));
        if sort == Sort::Watched || is_asked || is_watched {
            self.of_interest(row, user, sid, is_asked, asked, names);
        }
    }

    /// Another second: notes that the log has an entry, and where requests are passed on to.
    #[inline(never)]
    fn moved(&mut self, row: &Row<'_>) {
        self.second = Some(row.seconds);
        self.here(row).saw(row.seconds);
        let target = row.text(Column::TargetServer);
        if !target.is_empty() && self.targets.len() < MOST_TARGETS && !self.targets.contains(target)
        {
            self.targets.insert(target.to_vec());
        }
    }

    fn here(&mut self, row: &Row<'_>) -> &mut Presence {
        let cells = [Column::ServerHostName, Column::UrlStem, Column::Protocol];
        let cells = cells.map(|column| row.text(column));
        let known = self.front.as_ref().filter(|(known, _)| *known == cells);
        let place = known.map(|(_, place)| *place).unwrap_or_else(|| {
            let front = (cells[0].to_vec(), proxied::route(row).protocol);
            let place = *self.place_of_front.entry(front).or_insert_with(|| {
                self.presence.push(Presence::default());
                self.presence.len() - 1
            });
            self.front = Some((cells.map(<[u8]>::to_vec), place));
            place
        });
        &mut self.presence[place]
    }

    #[cold]
    fn noise(&mut self, row: &Row<'_>) {
        self.noise += 1;
        let minute = row.seconds.div_euclid(60);
        if self.probe.replace(minute) != Some(minute) {
            self.here(row).probes.insert(minute);
        }
    }

    /// A row of a watched account, by its SID or else by its name, or of a request that W3C has under its name.
    #[cold]
    fn of_interest(
        &mut self,
        row: &Row<'_>,
        user: &[u8],
        sid: Sid<'_>,
        is_asked: bool,
        asked: &Asked<'_>,
        names: &mut Names<'_>,
    ) {
        let time = row.time();
        let refusal = match proxied::outcome(row) {
            Outcome::Served => None,
            Outcome::Refused(refusal) => Some(refusal),
            // It says nothing of an account.
            _ => return,
        };
        if !(asked.is_within)(time) {
            return;
        }
        if asked.is_kept {
            self.met.take(user, proxied::own_sid(row));
        }
        let by_name = &asked.watch.by_then(names.meant(user, || time), time);
        let accounts = asked.watch.accounts();
        let is_bearers = || match (sid, accounts.resolve(&decode(user), Some(time))) {
            (Sid::Known(id), Resolution::Ambiguous(ids)) => ids.contains(&id),
            _ => false,
        };
        let is_told = || accounts.resolve(&decode(user), Some(time)) != Resolution::Nobody;
        match (sid, by_name) {
            (Sid::Known(id), Meant::Nobody | Meant::Namesake(_))
                if asked.watch.has(id) && asked.watch.is_since(id, time) && !is_told() =>
            {
                self.learned.entry((id, decode(user))).or_insert(row.number);
            }
            (Sid::Untold | Sid::Strange(_), Meant::Namesake(_))
                if self.namesakes.len() < 1000 && refusal.is_none() =>
            {
                *self.namesakes.entry(decode(user)).or_default() += 1;
            }
            _ => {}
        }
        let (mut ids, is_ambiguous) = owners(sid, by_name, asked.watch);
        ids.retain(|&id| asked.watch.is_since(id, time));
        // The SID of another row does not say whose this one is.
        let is_ambiguous =
            is_ambiguous || matches!(sid, Sid::Untold) && accounts.is_learnt(&decode(user));
        let named = by_name.first().filter(|_| ids.is_empty() && matches!(sid, Sid::Strange(_)));
        if ids.is_empty() && !is_asked && named.is_none() {
            return;
        }
        let access = self.access(row, user, refusal);
        if ids.is_empty() {
            let strange_sid = match sid {
                Sid::Strange(sid) => Some(self.desk.text(sid.as_bytes())),
                _ => None,
            };
            self.desk.others.push(Other {
                row: Access { account: named.unwrap_or_default(), ..access },
                is_named: named.is_some(),
                // A name that no source knows may be the same account's.
                is_known: is_told() || matches!(sid, Sid::Known(_)),
                is_bearers: is_bearers(),
                strange_sid,
            });
        }
        if let (Sid::Strange(sid), [id], false) = (sid, &ids[..], is_ambiguous) {
            self.sids.insert((*id, sid.to_owned()));
        }
        for account in ids {
            self.desk.accesses.push(Access { account, is_ambiguous, ..access });
        }
    }

    /// The row, for account 0 until the caller says whose it is.
    fn access(&mut self, row: &Row<'_>, user: &[u8], refusal: Option<Refusal>) -> Access {
        let route = proxied::route(row);
        let (method, stem) = (row.text(Column::Method), row.text(Column::UrlStem));
        let query = proxied::query(row);
        let device = exchange::device_id(route.protocol, query).unwrap_or_default();
        let command = exchange::command(route.protocol, method, stem, query);
        let sc_status = proxied::status(row).unwrap_or_default();
        let moved =
            exchange::moves_data(route.protocol, command, method, stem, query, sc_status).moved();
        let end = row.time();
        let taken = proxied::time_taken(row).and_then(|ms| i64::try_from(ms).ok());
        let (start, is_start_known) = begin(end, taken);
        let desk = &mut self.desk;
        let name = Some(desk.text(user));
        // As W3C writes it, but for commas, which Exchange made blanks.
        let agent = row.text(Column::UserAgent).iter();
        let agent: Vec<u8> = agent.map(|&b| if b == b' ' { b'+' } else { b }).collect();
        let (c_ip, user_agent) = (proxied::client_ip(row), agent.as_slice());
        let client = ClientTexts { device: &device, user_agent, c_ip, forwarded: b"" };
        Access {
            account: 0,
            is_ambiguous: false,
            source: 0,
            line: row.number,
            start,
            is_start_known,
            end,
            key: desk.key(row.text(Column::ServerHostName), &route, name),
            client: desk.client(client, |vectors| seat(client.c_ip, client.user_agent, vectors)),
            name,
            command: desk.text(command),
            refusal,
            is_claimed: false,
            auth: proxied::auth(row),
            request_id: request_id(row),
            is_proxied: true,
            twin: None,
            contradiction: None,
            moved_data: moved,
            is_back_end: false,
            sc_status,
            sc_substatus: None,
            sc_win32_status: None,
        }
    }
}

/// Whose a row is: by its SID, else by its name, which is not enough where the SID is another one than the account's.
fn owners(sid: Sid<'_>, by_name: &Meant, watch: &Watch<'_>) -> (Vec<AccountId>, bool) {
    let accounts = &watch.accounts().list;
    let may_be = |id: &AccountId| match sid {
        Sid::Strange(_) => accounts.get(*id).is_none_or(|account| account.sid.is_none()),
        _ => true,
    };
    match (sid, by_name) {
        (Sid::Known(id), _) if watch.has(id) => (vec![id], false),
        (Sid::Known(_), _) | (_, Meant::Nobody | Meant::Namesake(_)) => (Vec::new(), false),
        (_, Meant::One(id)) => match watch.with_master(*id) {
            Meant::Ambiguous(ids) => (ids.into_iter().filter(may_be).collect(), true),
            _ => (Some(*id).filter(may_be).into_iter().collect(), false),
        },
        (_, Meant::Ambiguous(ids)) => (ids.iter().copied().filter(may_be).collect(), true),
    }
}

/// 0: none.
fn request_id(row: &Row<'_>) -> u128 {
    exchange::request_id(row.text(Column::RequestId)).unwrap_or(0)
}

/// SIDs remembered: what attackers typed must not fill the memory.
const MOST_SIDS: usize = 100_000;

/// Whose a SID is, if any account's of the evidence.
fn whose(sid: &str, asked: &Asked<'_>, known: &mut Sids) -> Option<AccountId> {
    let told = asked.sids.get(sid.as_bytes());
    if let Some(&id) = told.or_else(|| known.get(sid.as_bytes())) {
        return id;
    }
    let id = of_sid(sid, asked.watch.accounts());
    if known.len() < MOST_SIDS {
        known.insert(sid.as_bytes().to_vec(), id);
    }
    id
}
