//! LDIF (`ldifde`, `ldapsearch`, `ldbsearch`; RFC 2849) to facts. Lines are unfolded, records stand
//! between blank lines, and a record that cannot be read is a reject at its `dn` line; the next one
//! goes on.

use crate::directory::{self, Object};
use crate::event::{Pos, Reason, Reject};
use crate::evidence::{Sink, Tally};
use crate::time::Clock;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::combinator::{opt, rest, value};
use nom::sequence::preceded;
use nom::{IResult, Parser};
use std::borrow::Cow;

#[cfg(test)]
mod tests;

/// A line after unfolding, and the line it began at.
#[derive(Debug, Clone)]
struct Line<'a> {
    number: u64,
    text: Cow<'a, [u8]>,
}

/// How the value of a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `attr: text`
    Plain,
    /// `attr:: base64`
    Base64,
    /// `attr:< file:///…`; never fetched.
    Url,
}

/// Is it LDIF? Its first lines are comments, `version:` or a `dn`.
pub fn sniff(head: &[u8]) -> bool {
    let mut lines = head.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end);
    let telling = lines.find(|line| {
        !line.is_empty()
            && !line.starts_with(b"#")
            && !line.starts_with(b" ")
            && !begins(line, b"version:")
    });
    telling.is_some_and(|line| begins(line, b"dn:"))
        && !crate::repl_metadata::sniff(head)
        && !["#Fields:", "#Software:"]
            .iter()
            .any(|word| head.trim_ascii_start().starts_with(word.as_bytes()))
}

fn begins(line: &[u8], word: &[u8]) -> bool {
    line.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

/// Facts of each record. Those that only change (`changetype: modify`, `delete`, `modrdn`) have no
/// time and are of no interest; `changetype: add` is what `ldifde -f` writes for what is there.
pub fn facts(bytes: &[u8], sink: &mut Sink<'_>) -> Tally {
    let mut tally = Tally::default();
    let mut lines = Unfolded::new(bytes);
    let mut record: Vec<Line<'_>> = Vec::new();
    loop {
        match lines.next() {
            Some(line) if !line.text.is_empty() => record.push(line),
            end => {
                if !record.is_empty() {
                    tell(&record, &mut tally, sink);
                    record.clear();
                }
                if end.is_none() {
                    return tally;
                }
            }
        }
    }
}

/// Tells the facts of one record, counted once.
fn tell(record: &[Line<'_>], tally: &mut Tally, sink: &mut Sink<'_>) {
    let mut lines = record.iter().filter(|line| !begins(&line.text, b"version:")).peekable();
    let Some(first) = lines.peek() else { return };
    let pos = Pos::Line(first.number);
    let mut object = Object::default();
    match read(lines, &mut object) {
        Ok(Read::Object(unread)) => directory::tell(object, pos, unread, tally, sink),
        Ok(Read::Trailer) => {}
        Ok(Read::OfNoInterest) => {
            tally.records += 1;
            tally.of_no_interest += 1;
        }
        Err(reason) => {
            tally.records += 1;
            tally.rejected += 1;
            sink(Err(Reject { pos, reason }));
        }
    }
}

/// What a block of lines is.
enum Read {
    /// An object, and why part of it could not be read.
    Object(Option<Reason>),
    /// A change without a time.
    OfNoInterest,
    /// What ldapsearch says of the search itself: no record.
    Trailer,
}

/// Reads the lines of one block.
fn read<'l>(
    lines: impl Iterator<Item = &'l Line<'l>>,
    object: &mut Object,
) -> Result<Read, Reason> {
    let clock = Clock::default();
    let (mut unread, mut trailer) = (None, false);
    for (at, Line { number, text }) in lines.enumerate() {
        let (_, (attribute, option, form, raw)) = line(text)
            .map_err(|_| Reason::Format(format!("line {number} is no `attribute: value`")))?;
        let attribute = attribute.to_ascii_lowercase();
        if at == 0 {
            match attribute.as_slice() {
                b"dn" => {}
                b"search" | b"result" | b"ref" | b"control" => trailer = true,
                _ => return Err(Reason::Missing("dn")),
            }
        }
        if trailer {
            match attribute.as_slice() {
                b"result" => return result(raw),
                _ => continue,
            }
        }
        let value = || {
            decoded(form, raw).ok_or_else(|| {
                let why = match form {
                    Form::Url => "stands in another file; export again without -t",
                    Form::Plain | Form::Base64 => "is no base64",
                };
                let attribute = String::from_utf8_lossy(&attribute);
                Reason::Format(format!("line {number}: {attribute} {why}"))
            })
        };
        match attribute.as_slice() {
            b"changetype" if !raw.trim_ascii().eq_ignore_ascii_case(b"add") => {
                return Ok(Read::OfNoInterest);
            }
            b"dn" if at == 0 => directory::take(object, "distinguishedname", &value()?, &clock)?,
            b"dn" => {
                return Err(Reason::Format(format!(
                    "line {number}: a second dn; a blank line is missing"
                )));
            }
            b"msds-replattributemetadata" if option.eq_ignore_ascii_case(b"binary") => {
                let text =
                    "msDS-ReplAttributeMetaData;binary is not read; export it without ;binary";
                unread = unread.or(Some(Reason::Format(text.to_owned())));
            }
            name if TOLD.iter().any(|told| told.as_bytes().eq_ignore_ascii_case(name)) => {
                let name = String::from_utf8_lossy(name);
                let taken =
                    value().and_then(|value| directory::take(object, &name, &value, &clock));
                unread = unread.or(taken.err());
            }
            _ => {}
        }
    }
    if trailer { Ok(Read::Trailer) } else { Ok(Read::Object(unread)) }
}

/// The attributes that are looked at; others may hold anything.
const TOLD: &[&str] = &[
    "sAMAccountName",
    "userPrincipalName",
    "objectSid",
    "objectGUID",
    "mail",
    "proxyAddresses",
    "objectClass",
    "userAccountControl",
    "isDeleted",
    "whenCreated",
    "whenChanged",
    "pwdLastSet",
    "accountExpires",
    "lockoutTime",
    "msExchRecipientTypeDetails",
    "msExchMasterAccountSid",
    "msDS-ReplAttributeMetaData",
];

/// `result: 0 Success`; with any other the export is not whole.
fn result(raw: &[u8]) -> Result<Read, Reason> {
    let text = String::from_utf8_lossy(raw);
    let text: String = text.trim().chars().take(60).collect();
    if text == "0" || text.starts_with("0 ") {
        return Ok(Read::Trailer);
    }
    Err(Reason::Format(format!(
        "the search ended with `{text}`: entries are missing; export again"
    )))
}

/// Attribute, option, form and value of a line.
type Parts<'a> = (&'a [u8], &'a [u8], Form, &'a [u8]);

/// `attribute;option: value`, in one of its three forms.
fn line(text: &[u8]) -> IResult<&[u8], Parts<'_>> {
    let (text, attribute) =
        take_while1(|b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b)).parse(text)?;
    let (text, option) = opt(preceded(tag(";"), take_while(|b| b != b':'))).parse(text)?;
    let (text, form) = alt((
        value(Form::Base64, tag("::")),
        value(Form::Url, tag(":<")),
        value(Form::Plain, tag(":")),
    ))
    .parse(text)?;
    let (text, raw) = preceded(take_while(|b| b == b' '), rest).parse(text)?;
    Ok((text, (attribute, option.unwrap_or_default(), form, raw)))
}

/// The bytes of a value.
fn decoded(form: Form, raw: &[u8]) -> Option<Cow<'_, [u8]>> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
    match form {
        Form::Plain => Some(Cow::Borrowed(raw)),
        Form::Base64 => BASE64.decode(raw.trim_ascii()).ok().map(Cow::Owned),
        Form::Url => None,
    }
}

/// The lines of a text after unfolding (a line that begins with a blank continues the one before),
/// without comments.
struct Unfolded<'a> {
    bytes: &'a [u8],
    at: usize,
    number: u64,
    /// What ends a line: LF, or CR where no LF stands anywhere.
    end: u8,
}

impl<'a> Unfolded<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let end = if memchr::memchr(b'\n', bytes).is_some() { b'\n' } else { b'\r' };
        Unfolded { bytes, at: 0, number: 0, end }
    }

    /// The next line; an empty one stands between records.
    fn next(&mut self) -> Option<Line<'a>> {
        loop {
            let text = self.physical()?;
            let mut line = Line { number: self.number, text: Cow::Borrowed(text) };
            while !line.text.is_empty() && self.bytes.get(self.at) == Some(&b' ') {
                let more = self.physical().unwrap_or_default();
                line.text.to_mut().extend_from_slice(more.get(1..).unwrap_or_default());
            }
            if !line.text.starts_with(b"#") {
                return Some(line);
            }
        }
    }

    /// The next line as it stands, without its end; a NUL behind it is none of it.
    fn physical(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = memchr::memchr(self.end, rest).unwrap_or(rest.len());
        self.at += (length + 1).min(rest.len());
        self.number += 1;
        let line = rest.get(..length)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}
