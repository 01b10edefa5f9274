//! The query of an ActiveSync request, plain or base64 (MS-ASHTTP 2.2.1.1.1, DOMAIN.md 2.2), to the
//! command and the device.

mod log_field;

pub use log_field::{LogField, log_field};

use crate::exchange::pieces;
use crate::vectors::places;
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use nom::combinator::{complete, verify};
use nom::multi::{length_data, many0};
use nom::number::complete::{le_u8, le_u16, le_u32};
use nom::{IResult, Parser};
use std::borrow::Cow;

/// The commands of ActiveSync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the words of MS-ASCMD
pub enum Command {
    Sync,
    SendMail,
    SmartForward,
    SmartReply,
    GetAttachment,
    GetHierarchy,
    CreateCollection,
    DeleteCollection,
    MoveCollection,
    FolderSync,
    FolderCreate,
    FolderDelete,
    FolderUpdate,
    MoveItems,
    GetItemEstimate,
    MeetingResponse,
    Search,
    Settings,
    Ping,
    ItemOperations,
    Provision,
    ResolveRecipients,
    ValidateCert,
    Find,
    /// No command of the protocol: what HttpProxy calls a request with the verb OPTIONS.
    Options,
}

/// Code in the base64 form, word in the plain form, in the order of the commands. 5 to 8 are of version 2.5 and never in base64.
#[rustfmt::skip]
static COMMANDS: &[(Option<u8>, &str, Command)] = &[
    (Some(0),  "Sync",              Command::Sync),
    (Some(1),  "SendMail",          Command::SendMail),
    (Some(2),  "SmartForward",      Command::SmartForward),
    (Some(3),  "SmartReply",        Command::SmartReply),
    (Some(4),  "GetAttachment",     Command::GetAttachment),
    (None,     "GetHierarchy",      Command::GetHierarchy),
    (None,     "CreateCollection",  Command::CreateCollection),
    (None,     "DeleteCollection",  Command::DeleteCollection),
    (None,     "MoveCollection",    Command::MoveCollection),
    (Some(9),  "FolderSync",        Command::FolderSync),
    (Some(10), "FolderCreate",      Command::FolderCreate),
    (Some(11), "FolderDelete",      Command::FolderDelete),
    (Some(12), "FolderUpdate",      Command::FolderUpdate),
    (Some(13), "MoveItems",         Command::MoveItems),
    (Some(14), "GetItemEstimate",   Command::GetItemEstimate),
    (Some(15), "MeetingResponse",   Command::MeetingResponse),
    (Some(16), "Search",            Command::Search),
    (Some(17), "Settings",          Command::Settings),
    (Some(18), "Ping",              Command::Ping),
    (Some(19), "ItemOperations",    Command::ItemOperations),
    (Some(20), "Provision",         Command::Provision),
    (Some(21), "ResolveRecipients", Command::ResolveRecipients),
    (Some(22), "ValidateCert",      Command::ValidateCert),
    (Some(23), "Find",              Command::Find),
    (None,     "Options",           Command::Options),
];

impl Command {
    /// The word of the protocol.
    pub fn word(self) -> &'static str {
        COMMANDS.get(self as usize).map_or("", |row| row.1)
    }

    /// The command of a word, in any case.
    pub fn from_word(word: &[u8]) -> Option<Self> {
        COMMANDS.iter().find(|row| row.1.as_bytes().eq_ignore_ascii_case(word)).map(|row| row.2)
    }

    /// The command of a code of the base64 form.
    pub fn from_code(code: u8) -> Option<Self> {
        COMMANDS.iter().find(|row| row.0 == Some(code)).map(|row| row.2)
    }
}

/// What the query of an ActiveSync request says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EasQuery<'a> {
    /// The command; `None`: the query has none, or one that nobody has described.
    pub command: Option<Command>,
    /// `DeviceId`; a GUID of the base64 form as 32 upper-case hex digits.
    pub device_id: Option<Cow<'a, [u8]>>,
    /// `DeviceType`
    pub device_type: Option<Cow<'a, [u8]>>,
    /// `User`: text the client chose. Never the account that was authenticated; that is
    /// `cs-username`.
    pub user: Option<Cow<'a, [u8]>>,
    /// 121 for 12.1; the plain form has it in a header that is not logged.
    pub protocol_version: Option<u8>,
    /// Key of the policy the device follows; only in the base64 form.
    pub policy_key: Option<u32>,
    /// Language of the device, LCID; only in the base64 form.
    pub locale: Option<u16>,
}

/// Reads a query in either form; `None`: it is neither, for example that of OPTIONS.
pub fn parse(cs_uri_query: &[u8]) -> Option<EasQuery<'_>> {
    parse_plain(cs_uri_query).or_else(|| base64_piece(cs_uri_query).and_then(parse_base64))
}

/// Only the command, without an allocation: the one thing that is asked of every line.
pub fn command(cs_uri_query: &[u8]) -> Option<Command> {
    let mut is_plain = false;
    for (key, value) in key_values(cs_uri_query) {
        if key == Key::Cmd {
            return Command::from_word(value);
        }
        is_plain = true;
    }
    if is_plain {
        return None;
    }
    // Version and code are in the first two bytes, that is in the first three symbols.
    let mut symbols = symbols(base64_piece(cs_uri_query)?);
    let head = [symbols.next()?, symbols.next()?, symbols.next()?, b'A'];
    symbols.next()?;
    let mut bytes = [0; 3];
    BASE64.decode_slice_unchecked(head, &mut bytes).ok()?;
    let [version, code, _] = bytes;
    is_version(version).then_some(())?;
    Command::from_code(code)
}

/// Only the device, as [`parse`] tells it.
pub fn device_id(cs_uri_query: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut is_plain = false;
    for (key, value) in key_values(cs_uri_query) {
        if key == Key::DeviceId {
            return Some(percent_decoded(value)).filter(|id| !id.is_empty());
        }
        is_plain = true;
    }
    if is_plain {
        return None;
    }
    decoded(base64_piece(cs_uri_query)?, |bytes| {
        let (_, head) = head(bytes).ok()?;
        Some(Cow::Owned(readable(head.device_id).into_owned()))
    })
}

/// What Exchange appends stands behind the first `&`. A `=` is padding, or this is no base64.
fn base64_piece(cs_uri_query: &[u8]) -> Option<&[u8]> {
    let piece = pieces(cs_uri_query).next()?;
    piece.iter().skip_while(|&&b| b != b'=').all(|&b| b == b'=').then_some(piece)
}

/// The keys of the plain form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Cmd,
    User,
    DeviceId,
    DeviceType,
}

/// The known keys of a query with their values: each stands between two `&`, before the first `=` there.
fn key_values(cs_uri_query: &[u8]) -> impl Iterator<Item = (Key, &[u8])> {
    let end = cs_uri_query.len();
    let mut marks = places(cs_uri_query, [b'&', b'=']).chain([end]);
    let (mut start, mut equals) = (0, None);
    std::iter::from_fn(move || {
        loop {
            let at = marks.next()?;
            if cs_uri_query.get(at) == Some(&b'=') {
                equals.get_or_insert(at);
                continue;
            }
            let key = equals.and_then(|equals| Key::of(cs_uri_query.get(start..equals)?));
            let value = equals.take().and_then(|equals| cs_uri_query.get(equals + 1..at));
            start = at + 1;
            if let (Some(key), Some(value)) = (key, value) {
                return Some((key, value));
            }
        }
    })
}

impl Key {
    fn of(name: &[u8]) -> Option<Key> {
        let (word, key) = match name.len() {
            3 => ("Cmd", Key::Cmd),
            4 => ("User", Key::User),
            8 => ("DeviceId", Key::DeviceId),
            10 => ("DeviceType", Key::DeviceType),
            _ => return None,
        };
        name.eq_ignore_ascii_case(word.as_bytes()).then_some(key)
    }
}

/// `Cmd=Sync&User=...&DeviceId=...&DeviceType=...` in any case and order; the first of a key
/// counts, as what the client sent stands before what the server appends.
fn parse_plain(cs_uri_query: &[u8]) -> Option<EasQuery<'_>> {
    let mut query = EasQuery::default();
    let mut seen = 0u8;
    for (key, value) in key_values(cs_uri_query) {
        let bit = 1 << key as u8;
        if seen & bit != 0 {
            continue;
        }
        seen |= bit;
        let text = || Some(percent_decoded(value)).filter(|text| !text.is_empty());
        match key {
            Key::Cmd => query.command = Command::from_word(value),
            Key::User => query.user = text(),
            Key::DeviceId => query.device_id = text(),
            Key::DeviceType => query.device_type = text(),
        }
    }
    (seen != 0).then_some(query)
}

/// Undoes percent encoding once, and once more where that leaves encoding (DOMAIN.md 2.2).
fn percent_decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !has_escape(text) {
        return Cow::Borrowed(text);
    }
    let once: Vec<u8> = unescaped(text).collect();
    Cow::Owned(if has_escape(&once) { unescaped(&once).collect() } else { once })
}

fn has_escape(text: &[u8]) -> bool {
    memchr::memchr_iter(b'%', text)
        .any(|at| text.get(at..).is_some_and(|rest| escaped_byte(rest).is_some()))
}

/// The byte that `%2B` and the like stand for.
fn escaped_byte(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

/// The bytes of a text with its percent encoding undone once; what is no encoding stays.
fn unescaped(mut text: &[u8]) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let (&first, rest) = text.split_first()?;
        let (byte, rest) = match escaped_byte(text) {
            Some(byte) => (byte, text.get(3..).unwrap_or_default()),
            None => (first, rest),
        };
        text = rest;
        Some(byte)
    })
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The symbols of the standard alphabet that a piece stands for: percent encoding undone, URL-safe
/// letters replaced, padding dropped. A blank was a `+` that something on the way decoded.
fn symbols(piece: &[u8]) -> impl Iterator<Item = u8> {
    unescaped(piece).take_while(|&b| b != b'=').map(|b| match b {
        b'-' | b' ' => b'+',
        b'_' => b'/',
        b => b,
    })
}

/// Only 12.1 and later have the base64 form; the byte is the version times ten.
fn is_version(byte: u8) -> bool {
    (120..=199).contains(&byte)
}

fn parse_base64(piece: &[u8]) -> Option<EasQuery<'static>> {
    decoded(piece, |bytes| {
        let owned = |text: Cow<'_, [u8]>| Cow::Owned(text.into_owned());
        let (_, query) = header(bytes).ok()?;
        Some(EasQuery {
            device_id: query.device_id.map(owned),
            device_type: query.device_type.map(owned),
            user: query.user.map(owned),
            ..query
        })
    })
}

/// Decodes a piece for `read`; on the stack, for hardly any is longer.
fn decoded<T>(piece: &[u8], read: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
    let mut bytes = [0; 192];
    // As most clients write it, there is nothing to be undone.
    let plain = piece.split(|&b| b == b'=').next().unwrap_or_default();
    if let Ok(n_bytes) = BASE64.decode_slice(plain, &mut bytes) {
        return read(bytes.get(..n_bytes)?);
    }
    let (mut text, mut n_symbols) = ([0; 256], 0);
    for symbol in symbols(piece) {
        let Some(room) = text.get_mut(n_symbols) else {
            let text: Vec<u8> = symbols(piece).collect();
            return read(&BASE64.decode(text).ok()?);
        };
        *room = symbol;
        n_symbols += 1;
    }
    let n_bytes = BASE64.decode_slice(text.get(..n_symbols)?, &mut bytes).ok()?;
    read(bytes.get(..n_bytes)?)
}

/// What stands in the base64 form whatever the command.
struct Head<'a> {
    version: u8,
    code: u8,
    locale: u16,
    device_id: &'a [u8],
    policy_key: Option<u32>,
    device_type: &'a [u8],
}

/// The first part of the layout of MS-ASHTTP 2.2.1.1.1.1.
fn head(bytes: &[u8]) -> IResult<&[u8], Head<'_>> {
    let fields = (
        verify(le_u8, |&byte| is_version(byte)),
        le_u8,
        le_u16,
        verify(length_data(le_u8), |id: &[u8]| !id.is_empty()),
        policy_key,
        length_data(le_u8),
    );
    fields
        .map(|(version, code, locale, device_id, policy_key, device_type)| Head {
            version,
            code,
            locale,
            device_id,
            policy_key,
            device_type,
        })
        .parse(bytes)
}

/// All of it. Command parameters that are cut off are left out: the line may end at 64 KiB, and the device stands before
/// them.
fn header(bytes: &[u8]) -> IResult<&[u8], EasQuery<'_>> {
    let (rest, head) = head(bytes)?;
    let (rest, parameters) = many0(complete((le_u8, length_data(le_u8)))).parse(rest)?;
    // Tag 8 is the user, again the client's word.
    let user = parameters.iter().find(|(tag, _)| *tag == 8).map(|&(_, value)| value);
    let device_type = Some(head.device_type).filter(|text: &&[u8]| !text.is_empty());
    let query = EasQuery {
        command: Command::from_code(head.code),
        device_id: Some(readable(head.device_id)),
        device_type: device_type.map(readable),
        user: user.map(Cow::Borrowed),
        protocol_version: Some(head.version),
        policy_key: head.policy_key,
        locale: Some(head.locale),
    };
    Ok((rest, query))
}

/// A length of 0 or 4, then the key.
fn policy_key(bytes: &[u8]) -> IResult<&[u8], Option<u32>> {
    let (rest, length) = verify(le_u8, |&length| length == 0 || length == 4).parse(bytes)?;
    if length == 0 {
        return Ok((rest, None));
    }
    le_u32.map(Some).parse(rest)
}

/// Text as it is; a GUID, or whatever else is no text, as upper-case hex.
fn readable(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.iter().all(u8::is_ascii_graphic) {
        return Cow::Borrowed(bytes);
    }
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| HEX.get(usize::from(value)).copied().unwrap_or(b'0');
    bytes.iter().flat_map(|&b| [digit(b >> 4), digit(b & 15)]).collect()
}

#[cfg(test)]
mod tests;
