//! A crowd to the traffic of everybody who is not watched: phones, Outlook, browsers, probes,
//! challenges, and strangers who guess passwords.

use super::lines::{self, At, Who};
use super::people::{COMMANDS, PING, Person};
use super::rng::Rng;

const PROBE_AGENT: &[u8] = b"AMProbe/Local/ClientAccess";
const PROBE_PATHS: [&[u8]; 8] = [
    b"GET /mapi/healthcheck.htm ",
    b"POST /EWS/Exchange.asmx ",
    b"POST /Autodiscover/Autodiscover.xml ",
    b"OPTIONS /Microsoft-Server-ActiveSync/ ",
    b"GET /owa/healthcheck.htm ",
    b"RPC_IN_DATA /rpc/rpcproxy.dll ",
    b"GET /OAB/ ",
    b"POST /mapi/emsmdb/ ",
];
const GUESSED: [&[u8]; 6] =
    [b"administrator", b"admin", b"scanner", b"test", b"FABRIKAM\\info", b"backup"];

/// Everybody who may show up in a log.
pub struct Crowd {
    /// All people, watched or not.
    pub people: Vec<Person>,
    /// Numbers of those who are not watched.
    pub others: Vec<u32>,
    /// Addresses that passwords are guessed from.
    pub strangers: Vec<Vec<u8>>,
}

fn one_of<'a, T>(all: &'a [T], rng: &mut Rng) -> &'a T {
    &all[rng.below(all.len() as u32) as usize]
}

/// One request of somebody nobody watches (for some two lines: the challenge and the answer).
pub fn request(out: &mut Vec<u8>, at: &At, crowd: &Crowd, rng: &mut Rng) {
    let person = &crowd.people[*one_of(&crowd.others, rng) as usize];
    match rng.below(1000) {
        0..340 => phone(out, at, person, rng),
        340..540 => {
            lines::open_mapi(out, at, person, rng);
            let waits = rng.chance(300);
            let taken = if waits { rng.between(60_000, 300_000) } else { rng.between(8, 400) };
            lines::close(out, at, desk(person, lines::OUTLOOK), lines::SERVED, taken);
        }
        540..590 => {
            lines::open_rpc(out, at, rng.chance(500), person, rng);
            let taken = rng.between(300_000, 7_200_000);
            lines::close(out, at, desk(person, lines::MSRPC), lines::SERVED, taken);
        }
        590..700 => ews(out, at, person, rng),
        700..930 => browser(out, at, person, rng),
        930..980 => {
            lines::open(out, at, b"POST /Autodiscover/Autodiscover.xml ");
            lines::append(out, rng);
            let who = desk(person, lines::OUTLOOK);
            let first_leg = rng.chance(300);
            let (who, outcome) =
                if first_leg { (who.nameless(), lines::CHALLENGE) } else { (who, lines::SERVED) };
            lines::close(out, at, who, outcome, rng.between(5, 200));
        }
        980..994 => {
            lines::open(out, at, b"GET /OAB/ec72003d-f96d-4aa7-9297-f6b8790094a8/oab.xml ");
            lines::append(out, rng);
            let who = desk(person, b"Microsoft+BITS/7.8");
            lines::close(out, at, who, lines::SERVED, rng.between(5, 90));
        }
        _ => stranger(out, at, crowd, rng),
    }
}

fn desk<'a>(person: &'a Person, agent: &'a [u8]) -> Who<'a> {
    Who { name: &person.windows_name, ip: &person.office_ip, agent, referer: b"-" }
}

fn phone(out: &mut Vec<u8>, at: &At, person: &Person, rng: &mut Rng) {
    let who = Who {
        name: &person.phone_name,
        ip: &person.phone_ip,
        agent: person.phone_agent,
        referer: b"-",
    };
    if rng.chance(400) {
        lines::open_eas(out, at, person, PING, rng);
        lines::close(out, at, who, lines::SERVED, rng.between(60_000, 960_000));
        return;
    }
    let command = *rng.weighted(&COMMANDS);
    if rng.chance(60) {
        lines::open_eas(out, at, person, command, rng);
        lines::close(out, at, who.nameless(), lines::CHALLENGE, rng.between(0, 20));
    }
    lines::open_eas(out, at, person, command, rng);
    lines::close(out, at, who, lines::SERVED, rng.between(30, 900));
}

fn ews(out: &mut Vec<u8>, at: &At, person: &Person, rng: &mut Rng) {
    let mac = rng.chance(300);
    let who = desk(person, if mac { lines::MAC_OUTLOOK } else { lines::OUTLOOK });
    if rng.chance(150) {
        lines::open_ews(out, at, person, rng);
        lines::close(out, at, who.nameless(), lines::HANDSHAKE, rng.between(1, 20));
    }
    lines::open_ews(out, at, person, rng);
    lines::close(out, at, who, lines::SERVED, rng.between(10, 1_500));
}

fn browser(out: &mut Vec<u8>, at: &At, person: &Person, rng: &mut Rng) {
    let who = Who {
        name: &person.owa_name,
        ip: &person.office_ip,
        agent: lines::browser(person),
        referer: lines::OWA_REFERER,
    };
    match rng.below(100) {
        0..80 => {
            lines::open_owa(out, at, person, rng);
            lines::close(out, at, who, lines::SERVED, rng.between(10, 600));
        }
        80..90 => {
            lines::open(out, at, b"POST /owa/ev.owa2 ");
            out.extend_from_slice(b"ns=PendingRequest&ev=FinishNotificationRequest&UA=0");
            lines::append_client(out, &person.client_id, rng);
            lines::close(out, at, who, lines::SERVED, rng.between(10_000, 1_800_000));
        }
        _ => {
            lines::open_logon(out, at, b"0", person, rng);
            lines::close(out, at, who.nameless(), lines::SERVED, rng.between(1, 40));
        }
    }
}

/// Somebody guesses: names that are always tried, and names that are known, watched ones as well.
fn stranger(out: &mut Vec<u8>, at: &At, crowd: &Crowd, rng: &mut Rng) {
    let known = rng.chance(400);
    let sam = one_of(&crowd.people, rng).sam.as_bytes();
    let name = if known { sam } else { one_of(&GUESSED, rng) };
    let ip = one_of(&crowd.strangers, rng);
    lines::open(out, at, b"POST /EWS/Exchange.asmx ");
    lines::append(out, rng);
    let who = Who { name, ip, agent: b"python-requests/2.31.0", referer: b"-" };
    lines::close(out, at, who, lines::LOGON_FAILURE, rng.between(20, 3_000));
}

/// One probe of Managed Availability, the heartbeat of a front end (DOMAIN.md 2.5).
pub fn probe(out: &mut Vec<u8>, at: &At, mailbox: &[u8], turn: usize, rng: &mut Rng) {
    let who = Who { name: mailbox, ip: b"::1", agent: PROBE_AGENT, referer: b"-" };
    lines::open(out, at, PROBE_PATHS[turn % PROBE_PATHS.len()]);
    lines::append(out, rng);
    lines::close(out, at, who, lines::SERVED, rng.between(1, 60));
}
