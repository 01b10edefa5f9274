//! A request of a watched account's client and its outcome to lines.

use super::lines::{self, At, Who};
use super::people::{Command, Person};
use super::rng::Rng;

/// What a client speaks; each has an application pool of its own.
#[derive(Clone, Copy, PartialEq)]
pub enum Protocol {
    /// A phone, with Basic.
    Eas,
    /// Outlook, with Windows authentication.
    Mapi,
    /// A browser, with forms.
    Owa,
    /// Outlook Anywhere, with Basic.
    Rpc,
    /// Outlook for Mac, with Basic.
    Ews,
}

/// What a client asks.
#[derive(Clone, Copy)]
pub struct Asks {
    /// In which protocol.
    pub protocol: Protocol,
    /// The command, of a phone.
    pub command: Command,
    /// Milliseconds that it takes if it is served.
    pub taken: u32,
}

fn who(protocol: Protocol, person: &Person) -> Who<'_> {
    let (name, ip, agent): (&[u8], &[u8], &[u8]) = match protocol {
        Protocol::Eas => (&person.phone_name, &person.phone_ip, person.phone_agent),
        Protocol::Mapi => (&person.windows_name, &person.office_ip, lines::OUTLOOK),
        Protocol::Owa => (&person.owa_name, &person.office_ip, lines::browser(person)),
        Protocol::Rpc => (&person.windows_name, &person.office_ip, lines::MSRPC),
        Protocol::Ews => (&person.owa_name, &person.office_ip, lines::MAC_OUTLOOK),
    };
    let referer = if protocol == Protocol::Owa { lines::OWA_REFERER } else { b"-" };
    Who { name, ip, agent, referer }
}

fn open(out: &mut Vec<u8>, at: &At, asks: Asks, person: &Person, rng: &mut Rng) {
    match asks.protocol {
        Protocol::Eas => lines::open_eas(out, at, person, asks.command, rng),
        Protocol::Mapi => lines::open_mapi(out, at, person, rng),
        Protocol::Owa => lines::open_owa(out, at, person, rng),
        Protocol::Rpc => lines::open_rpc(out, at, false, person, rng),
        Protocol::Ews => lines::open_ews(out, at, person, rng),
    }
}

/// Writes a request that was served; `cut` if its worker was restarted while it ran.
pub fn served(out: &mut Vec<u8>, at: &At, asks: Asks, person: &Person, cut: bool, rng: &mut Rng) {
    let outcome = if cut { b" 200 0 64 " } else { lines::SERVED };
    let who = who(asks.protocol, person);
    open(out, at, asks, person, rng);
    lines::close(out, at, who, outcome, asks.taken);
    if asks.protocol == Protocol::Rpc {
        lines::open_rpc(out, at, true, person, rng);
        lines::close(out, at, who, outcome, asks.taken);
    }
}

/// Writes a request that was refused: with a name and `outcome` for Basic, without a name for Windows
/// authentication, and in OWA's disguise (DOMAIN.md 1.5, 2.4).
pub fn refused(
    out: &mut Vec<u8>,
    at: &At,
    asks: Asks,
    person: &Person,
    outcome: &[u8],
    rng: &mut Rng,
) {
    let who = who(asks.protocol, person);
    let taken = rng.between(2, 900);
    match asks.protocol {
        Protocol::Owa => {
            lines::open(out, at, b"POST /owa/service.svc ");
            out.extend_from_slice(b"action=FindItem&EP=1&ID=-7&AC=1&LogoffReason=LoginTimeoutPost");
            lines::append_client(out, &person.client_id, rng);
            lines::close(out, at, who.nameless(), b" 440 0 0 ", taken);
            lines::open_logon(out, at, b"2", person, rng);
            lines::close(out, at, who.nameless(), lines::SERVED, taken);
        }
        Protocol::Mapi => {
            open(out, at, asks, person, rng);
            lines::close(out, at, who.nameless(), b" 401 1 2148074252 ", taken);
        }
        Protocol::Eas | Protocol::Rpc | Protocol::Ews => {
            open(out, at, asks, person, rng);
            lines::close(out, at, who.nameless(), lines::CHALLENGE, taken);
            open(out, at, asks, person, rng);
            lines::close(out, at, who, outcome, taken);
        }
    }
}
