//! Requests to log lines: the writer of one W3C line and the pieces that Exchange's lines are made
//! of.

use super::people::{self, Command, Person};
use super::rng::{self, Rng};

/// Status, substatus and win32 status as they stand in a line.
pub const SERVED: &[u8] = b" 200 0 0 ";
/// The challenge to a request without credentials.
pub const CHALLENGE: &[u8] = b" 401 2 5 ";
/// The first leg of an NTLM or Negotiate handshake.
pub const HANDSHAKE: &[u8] = b" 401 1 2148074254 ";
/// A wrong password.
pub const LOGON_FAILURE: &[u8] = b" 401 1 1326 ";

/// User agent of Outlook over MAPI and EWS.
pub const OUTLOOK: &[u8] =
    b"Microsoft+Office/16.0+(Windows+NT+10.0;+Microsoft+Outlook+16.0.17328;+Pro)";
/// User agent of Outlook for Mac.
pub const MAC_OUTLOOK: &[u8] = b"MacOutlook/16.83.24031120+(Intelx64+Mac+OS+X+Version+14.4)";
/// User agent of Outlook Anywhere.
pub const MSRPC: &[u8] = b"MSRPC";
const BROWSERS: [&[u8]; 3] = [
    b"Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+AppleWebKit/537.36+(KHTML,+like+Gecko)+Chrome/122.0.0.0+Safari/537.36",
    b"Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64;+rv:123.0)+Gecko/20100101+Firefox/123.0",
    b"Mozilla/5.0+(Macintosh;+Intel+Mac+OS+X+10_15_7)+AppleWebKit/605.1.15+(KHTML,+like+Gecko)+Version/17.3+Safari/605.1.15",
];
/// What the browser says it came from.
pub const OWA_REFERER: &[u8] = b"https://mail.fabrikam.example/owa/";
/// What a browser asks of OWA, and how often.
const OWA_ACTIONS: [(u32, &[u8]); 7] = [
    (30, b"FindItem"),
    (25, b"GetItem"),
    (15, b"FindConversation"),
    (10, b"UpdateItem"),
    (5, b"CreateItem"),
    (10, b"GetFolder"),
    (5, b"SubscribeToNotification"),
];

const RPC_IN: &[u8] = b"RPC_IN_DATA /rpc/rpcproxy.dll ";
const RPC_OUT: &[u8] = b"RPC_OUT_DATA /rpc/rpcproxy.dll ";

/// What all lines of one moment on one server share.
pub struct At<'a> {
    /// `2026-03-02 08:00:01 `
    pub clock: &'a [u8; 20],
    /// Address of the server.
    pub s_ip: &'a [u8],
    /// The administrator has added `cs-host` and `X-Forwarded-For`.
    pub wide: bool,
}

/// Who asks.
#[derive(Clone, Copy)]
pub struct Who<'a> {
    /// `cs-username`
    pub name: &'a [u8],
    /// `c-ip`
    pub ip: &'a [u8],
    /// `cs(User-Agent)`
    pub agent: &'a [u8],
    /// `cs(Referer)`
    pub referer: &'a [u8],
}

impl Who<'_> {
    /// The same client before it shows who it is.
    pub fn nameless(self) -> Self {
        Who { name: b"-", ..self }
    }
}

/// Begins a line, up to the query; `request` is method and stem, each with a blank behind.
pub fn open(out: &mut Vec<u8>, at: &At, request: &[u8]) {
    out.extend_from_slice(at.clock);
    out.extend_from_slice(at.s_ip);
    out.push(b' ');
    out.extend_from_slice(request);
}

/// Ends a line, from the port on; `outcome` is the three status columns, `taken` is milliseconds.
pub fn close(out: &mut Vec<u8>, at: &At, who: Who, outcome: &[u8], taken: u32) {
    out.extend_from_slice(b" 443 ");
    out.extend_from_slice(who.name);
    out.push(b' ');
    out.extend_from_slice(who.ip);
    out.push(b' ');
    out.extend_from_slice(who.agent);
    out.push(b' ');
    out.extend_from_slice(who.referer);
    if at.wide {
        out.extend_from_slice(b" mail.fabrikam.example");
    }
    out.extend_from_slice(outcome);
    number(out, taken);
    if at.wide {
        out.push(b' ');
        out.extend_from_slice(who.ip);
    }
    out.extend_from_slice(b"\r\n");
}

/// What the front end appends to every query that it proxies (DOMAIN.md 2.6).
pub fn append(out: &mut Vec<u8>, rng: &mut Rng) {
    out.extend_from_slice(b"&CorrelationID=<empty>;&cafeReqId=");
    out.extend_from_slice(&rng::guid(rng));
    out.push(b';');
}

/// The same for a client that has a `ClientId` cookie.
pub fn append_client(out: &mut Vec<u8>, client_id: &[u8], rng: &mut Rng) {
    out.extend_from_slice(b"&CorrelationID=<empty>;&ClientId=");
    out.extend_from_slice(client_id);
    out.extend_from_slice(b"&cafeReqId=");
    out.extend_from_slice(&rng::guid(rng));
    out.push(b';');
}

/// Begins a line with an ActiveSync request.
pub fn open_eas(out: &mut Vec<u8>, at: &At, person: &Person, command: Command, rng: &mut Rng) {
    open(out, at, b"POST /Microsoft-Server-ActiveSync/default.eas ");
    people::eas_query(out, person, command);
    append(out, rng);
}

/// Begins a line with an EWS request.
pub fn open_ews(out: &mut Vec<u8>, at: &At, person: &Person, rng: &mut Rng) {
    open(out, at, b"POST /EWS/Exchange.asmx ");
    append_client(out, &person.client_id, rng);
}

/// Begins a line with a MAPI request.
pub fn open_mapi(out: &mut Vec<u8>, at: &At, person: &Person, rng: &mut Rng) {
    open(out, at, b"POST /mapi/emsmdb/ ");
    out.extend_from_slice(b"MailboxId=");
    out.extend_from_slice(&person.mailbox);
    append_client(out, &person.client_id, rng);
}

/// Begins a line with a channel of Outlook Anywhere.
pub fn open_rpc(out: &mut Vec<u8>, at: &At, inbound: bool, person: &Person, rng: &mut Rng) {
    open(out, at, if inbound { RPC_IN } else { RPC_OUT });
    out.extend_from_slice(&person.mailbox);
    out.extend_from_slice(b":6001&CorrelationID=<empty>;&RequestId=");
    out.extend_from_slice(&rng::guid(rng));
    append(out, rng);
}

/// Begins a line with something a browser does.
pub fn open_owa(out: &mut Vec<u8>, at: &At, person: &Person, rng: &mut Rng) {
    open(out, at, b"POST /owa/service.svc ");
    out.extend_from_slice(b"action=");
    let action = *rng.weighted(&OWA_ACTIONS);
    out.extend_from_slice(action);
    out.extend_from_slice(b"&EP=1&ID=-");
    number(out, rng.between(1, 400));
    out.extend_from_slice(b"&AC=1");
    append_client(out, &person.client_id, rng);
}

/// Begins a line with the logon page, which is told why it is shown.
pub fn open_logon(out: &mut Vec<u8>, at: &At, reason: &[u8], person: &Person, rng: &mut Rng) {
    open(out, at, b"GET /owa/auth/logon.aspx ");
    out.extend_from_slice(b"url=https%3a%2f%2fmail.fabrikam.example%2fowa%2f&reason=");
    out.extend_from_slice(reason);
    append_client(out, &person.client_id, rng);
}

/// The browser of a person.
pub fn browser(person: &Person) -> &'static [u8] {
    BROWSERS[person.number as usize % BROWSERS.len()]
}

fn number(out: &mut Vec<u8>, mut n: u32) {
    let mut digits = [0; 10];
    let mut i = digits.len();
    loop {
        i -= 1;
        digits[i] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[i..]);
}
