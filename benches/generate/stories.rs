//! Watched accounts to changes and to the requests of their clients, which go on as long as the
//! worker process has their token and end in refusals. Nothing is drawn by class: each request asks
//! the same three questions as IIS (is the token cached, is the worker the same, does AD say yes), so
//! that what the analysis finds can be right or wrong.

use super::clients::{self, Asks, Protocol};
use super::lines::{self, At};
use super::logs::{DAY, Log, clock};
use super::people::{COMMANDS, Command, DOMAIN, PING, Person};
use super::rng::Rng;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};

const HOUR: u32 = 3_600;
/// `UserTokenTTL`: how long an idle token stays (DOMAIN.md 0).
const TTL: u32 = 900;
/// Requests that an account makes on a day, about; for the share of the log that they may take.
pub const LINES_A_DAY: u64 = 700;

/// A change, and from which to which second after the first one it comes.
type Turn = (&'static str, u32, u32);

/// What happens to an account, and how often.
const PLOTS: [(u32, &[Turn]); 9] = [
    (45, &[("disabled", 0, 1)]),
    (10, &[("disabled", 0, 1), ("password_reset", 60, 900)]),
    (15, &[("password_reset", 0, 1)]),
    (15, &[("password_changed", 0, 1)]),
    (2, &[("password_set", 0, 1)]),
    (4, &[("deleted", 0, 1)]),
    (3, &[("expired", 0, 1)]),
    (4, &[("disabled", 0, 1), ("enabled", 2 * HOUR, 6 * HOUR)]),
    (2, &[("locked_out", 0, 1), ("unlocked", 600, 2 * HOUR)]),
];

/// In how many of 1000 accounts each protocol is in use.
const PROTOCOLS: [(Protocol, u32); 5] = [
    (Protocol::Eas, 900),
    (Protocol::Mapi, 450),
    (Protocol::Owa, 250),
    (Protocol::Rpc, 150),
    (Protocol::Ews, 100),
];

/// A row of the change list.
struct Change {
    at: u32,
    word: &'static str,
    actor: String,
}

struct Account {
    person: u32,
    changes: Vec<Change>,
    /// When its clients are switched off for good.
    to: u32,
}

struct Client {
    account: usize,
    protocol: Protocol,
    home: usize,
    /// The load balancer does not keep it at home (DOMAIN.md 7.5).
    roams: bool,
    /// Start and end of the last use of the token at each server; none, if there is no token.
    token: Vec<Option<(u32, u32)>>,
    /// Since when it has the password that it sends.
    password_since: u32,
    /// When it is given the new password unasked.
    learns_at: Option<u32>,
    /// After how many refusals it is given the new password.
    learns_after: Option<u32>,
    refusals: u32,
    patience: u32,
    heartbeat: u32,
    naps: u32,
    start: u32,
    taken: u32,
    server: usize,
    command: Command,
}

/// All watched accounts and their clients.
pub struct Stories {
    accounts: Vec<Account>,
    clients: Vec<Client>,
    due: BinaryHeap<Reverse<(u32, usize)>>,
    /// When the worker of each server and pool was restarted.
    restarts: Vec<Vec<u32>>,
    span: u32,
}

/// Writes a story for each of these people, who come in order; `width` is how many seconds of it the log shows.
pub fn stories(
    watched: &[u32],
    people: &[Person],
    servers: usize,
    span: u32,
    width: u32,
    rng: &mut Rng,
) -> Stories {
    let mut all = Stories {
        accounts: Vec::new(),
        clients: Vec::new(),
        due: BinaryHeap::new(),
        restarts: (0..servers * PROTOCOLS.len()).map(|_| restarts(span, rng)).collect(),
        span,
    };
    for &person in watched {
        let open_at_end = rng.chance(60);
        let (at, from, to) = window(open_at_end, span, width, rng);
        let changes: Vec<_> = rng
            .weighted(&PLOTS)
            .iter()
            .map(|&(word, low, high)| {
                let actor = match word {
                    "expired" | "locked_out" => String::new(),
                    "password_changed" => format!("{DOMAIN}\\{}", people[person as usize].sam),
                    _ if rng.chance(500) => format!("{DOMAIN}\\helpdesk"),
                    _ => format!("{DOMAIN}\\svc-idm"),
                };
                Change { at: at + rng.between(low, high), word, actor }
            })
            .collect();
        all.accounts.push(Account { person, changes, to });
        for (protocol, share) in PROTOCOLS {
            let first = protocol == Protocol::Eas;
            if rng.chance(share) || (first && open_at_end) {
                let client = client(&all.accounts, protocol, servers, rng);
                all.clients.push(client);
                let from = from + rng.below(width.min(HOUR / 2));
                all.schedule(all.clients.len() - 1, from, rng);
            }
        }
    }
    all
}

/// When the change is, and from when to when its account is in the log.
fn window(open_at_end: bool, span: u32, width: u32, rng: &mut Rng) -> (u32, u32, u32) {
    let at = if open_at_end {
        span - rng.between(HOUR / 3, 3 * HOUR)
    } else {
        rng.below(span / DAY) * DAY + rng.between(7 * HOUR, 17 * HOUR)
    };
    if width >= span {
        return (at, 0, span);
    }
    let to = if open_at_end { span } else { (at + width / 10 * 7).min(span) };
    (at, at.saturating_sub(width / 10 * 3), to)
}

/// Several a day, but none in the last hours, where some accounts are to be open still.
fn restarts(span: u32, rng: &mut Rng) -> Vec<u32> {
    let mut at = rng.below(5 * HOUR);
    let mut out = Vec::new();
    while at + 4 * HOUR < span {
        out.push(at);
        at += rng.between(3 * HOUR, 10 * HOUR);
    }
    out
}

fn client(accounts: &[Account], protocol: Protocol, servers: usize, rng: &mut Rng) -> Client {
    let account = accounts.len() - 1;
    let changed = accounts[account].changes.iter().find(|c| c.word == "password_changed");
    let learns_at = changed.filter(|_| rng.chance(200)).map(|c| c.at + rng.between(60, 1_800));
    Client {
        account,
        protocol,
        home: rng.below(servers as u32) as usize,
        roams: rng.chance(250),
        token: vec![None; servers],
        // Who changes his own password does so at his desk, and Windows there has it at once.
        password_since: if changed.is_some() && protocol == Protocol::Mapi { u32::MAX } else { 0 },
        learns_at,
        learns_after: rng.chance(650).then(|| rng.between(2, 6)),
        refusals: 0,
        patience: if rng.chance(500) { rng.between(5, 40) } else { rng.between(40, 400) },
        heartbeat: rng.between(180, 840),
        naps: rng.below(8),
        start: 0,
        taken: 0,
        server: 0,
        command: PING,
    }
}

impl Stories {
    /// Writes every request that ended at or before this second.
    pub fn step(&mut self, now: u32, people: &[Person], logs: &mut [Log], rng: &mut Rng) {
        while let Some(&Reverse((end, i))) = self.due.peek() {
            if end > now {
                break;
            }
            self.due.pop();
            let refused = self.request(i, end, people, logs, rng);
            let client = &self.clients[i];
            if refused && client.refusals >= client.patience {
                continue;
            }
            let pause = if refused { rng.between(20, 600) } else { 0 };
            self.schedule(i, end + pause, rng);
        }
    }

    /// Writes one request; says whether it was refused.
    fn request(
        &mut self,
        i: usize,
        end: u32,
        people: &[Person],
        logs: &mut [Log],
        rng: &mut Rng,
    ) -> bool {
        let servers = logs.len();
        let client = &mut self.clients[i];
        let account = &self.accounts[client.account];
        let person = &people[account.person as usize];
        let Log { out, s_ip, wide, .. } = &mut logs[client.server];
        let at = At { clock: &clock(end), s_ip: s_ip.as_bytes(), wide: *wide };

        if client.learns_at.is_some_and(|at| client.start >= at) {
            client.password_since = client.start;
            client.learns_at = None;
            client.token = vec![None; servers];
        }
        let restarts = &self.restarts[client.server * PROTOCOLS.len() + client.protocol as usize];
        let restarted = |from: u32, to: u32| restarts.iter().any(|&t| from < t && t <= to);
        let start = client.start;
        // A restart lets a hanging request end, but the next one meets a worker without tokens.
        let cached = client.token[client.server]
            .is_some_and(|(since, used)| start <= used + TTL && !restarted(since, start));
        let refusal = refusal(account, client.password_since, start).filter(|_| !cached);
        let asks = Asks { protocol: client.protocol, command: client.command, taken: client.taken };
        let Some(outcome) = refusal else {
            client.token[client.server] = Some((start, end));
            let cut = restarted(start, end);
            clients::served(out, &at, asks, person, cut, rng);
            return false;
        };
        client.token[client.server] = None;
        client.refusals += 1;
        if client.learns_after.is_some_and(|n| client.refusals >= n) {
            client.password_since = end;
        }
        clients::refused(out, &at, asks, person, outcome, rng);
        true
    }

    /// Plans the next request of a client, from this second on.
    fn schedule(&mut self, i: usize, from: u32, rng: &mut Rng) {
        let client = &mut self.clients[i];
        let (mut start, taken) = match client.protocol {
            Protocol::Eas => {
                let pings = client.command != PING;
                client.command = if pings { PING } else { *rng.weighted(&COMMANDS) };
                let gap = if rng.chance(client.naps) { rng.between(HOUR / 2, 3 * HOUR) } else { 0 };
                // New mail ends a Ping before its heartbeat does.
                let longest = client.heartbeat * 1_000;
                let early = rng.chance(300);
                let ping =
                    if early { rng.between(5_000, longest) } else { longest + rng.below(99) };
                (from + gap + rng.below(3), if pings { ping } else { rng.between(40, 900) })
            }
            Protocol::Mapi => {
                let waits = rng.chance(600);
                let taken = if waits { rng.between(60_000, 300_000) } else { rng.between(8, 400) };
                let gap = if rng.chance(4) { rng.between(HOUR / 2, HOUR) } else { rng.below(60) };
                (from + gap, taken)
            }
            Protocol::Owa => {
                let leaves = rng.chance(15);
                let gap =
                    if leaves { rng.between(HOUR / 2, 2 * HOUR) } else { rng.between(3, 120) };
                (from + gap, rng.between(10, 600))
            }
            Protocol::Rpc => (from + rng.below(30), rng.between(300_000, 5_400_000)),
            Protocol::Ews => (from + rng.between(120, 600), rng.between(10, 1_500)),
        };
        if client.protocol != Protocol::Eas {
            start = in_office(start, rng);
        }
        client.server = client.home;
        if client.roams && rng.chance(100) {
            client.server = rng.below(client.token.len() as u32) as usize;
        }
        (client.start, client.taken) = (start, taken);
        let end = start + taken.div_ceil(1_000);
        if end < self.span && start < self.accounts[client.account].to {
            self.due.push(Reverse((end, i)));
        }
    }

    /// Writes the plain change list, in order of time.
    pub fn write_changes(&self, to: &mut dyn Write, people: &[Person]) -> io::Result<()> {
        let mut rows: Vec<_> = self
            .accounts
            .iter()
            .flat_map(|a| a.changes.iter().map(move |c| (c, a.person)))
            .collect();
        rows.sort_by_key(|(change, person)| (change.at, *person));
        to.write_all(b"time,account,change,actor\r\n")?;
        for (Change { at, word, actor }, person) in rows {
            let time = String::from_utf8_lossy(&clock(*at)).trim_end().replace(' ', "T");
            let sam = &people[person as usize].sam;
            write!(to, "{time}Z,{DOMAIN}\\{sam},{word},{actor}\r\n")?;
        }
        Ok(())
    }

    /// Whether a person's account is enabled at the end; `None` if it was deleted.
    pub fn enabled(&self, person: u32) -> Option<bool> {
        let Ok(i) = self.accounts.binary_search_by_key(&person, |account| account.person) else {
            return Some(true);
        };
        self.accounts[i].changes.iter().try_fold(true, |state, change| match change.word {
            "disabled" => Some(false),
            "enabled" => Some(true),
            "deleted" => None,
            _ => Some(state),
        })
    }
}

/// What AD says to a logon at this second, if it says no (DOMAIN.md 1.6).
fn refusal(account: &Account, password_since: u32, second: u32) -> Option<&'static [u8]> {
    let (mut state, mut locked, mut stale) = (None, false, false);
    for change in account.changes.iter().filter(|c| c.at <= second) {
        match change.word {
            "disabled" => state = Some(b" 401 1 1331 ".as_slice()),
            "expired" => state = Some(b" 401 1 1793 ".as_slice()),
            "deleted" => state = Some(lines::LOGON_FAILURE),
            "enabled" => state = None,
            "locked_out" => locked = true,
            "unlocked" => locked = false,
            _ => stale |= change.at > password_since,
        }
    }
    // AD names the reason only to whoever has the right password.
    if stale {
        return Some(lines::LOGON_FAILURE);
    }
    if locked { Some(b" 401 1 1909 ") } else { state }
}

fn in_office(second: u32, rng: &mut Rng) -> u32 {
    let of_day = second % DAY;
    if (7 * HOUR..18 * HOUR).contains(&of_day) {
        return second;
    }
    let day = second / DAY + u32::from(of_day >= 18 * HOUR);
    day * DAY + 7 * HOUR + rng.below(2 * HOUR)
}
