//! Event XML to events: one document, many documents in a row, or `<Event>` after `<Event>` without
//! a root, as `wevtutil`, Event Viewer, `ToXml()` and python-evtx write them (DOMAIN.md 4.2). Each
//! `<Event>` stands for itself, so a damaged one costs the others nothing.

use crate::event::{Pos, Reason, Reject};
use crate::evidence::{Sink, Tally};
use crate::windows::directory_service::{Seen, tell_added};
use crate::windows::marks::may_tell;
use crate::windows::stamp::Zone;
use crate::windows::{Event, outcome_of, positions, tell};
use memchr::{memchr, memchr_iter, memmem};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event as Token};
use quick_xml::{Reader, XmlVersion};

/// Reads a source of event XML.
pub fn facts(bytes: &[u8], sink: &mut Sink<'_>) -> Tally {
    let mut tally = Tally::default();
    let mut seen = Seen::in_any_order();
    for (line, piece) in Pieces::new(bytes) {
        let pos = Pos::Line(line);
        let event = match piece {
            Piece::Event(text) => quick(pos, text),
            Piece::Torn => Err(Reason::Truncated),
        };
        tell(event.map_err(|reason| Reject { pos, reason }), &mut seen, &mut tally, sink);
    }
    tell_added(seen, &mut tally, sink);
    tally
}

/// Is it event XML?
pub fn sniff(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = head.trim_ascii_start();
    let Some(event) = next_event(text, 0).and_then(|at| text.get(at..)) else { return false };
    if text.starts_with(b"<") {
        return memmem::find(event, b"<System").is_some();
    }
    // Amid other text (a Splunk export, notes) only with its namespace, and never in what is JSON
    // or an IIS log: a log line holds whatever a client sent.
    let other = [&b"{"[..], b"[", b"#Software", b"#Version", b"#Date", b"#Fields"];
    let namespace = b"http://schemas.microsoft.com/win/2004/08/events/event";
    !other.iter().any(|start| text.starts_with(start))
        && [&b"<Event xmlns='"[..], b"<Event xmlns=\""]
            .iter()
            .any(|start| event.strip_prefix(*start).is_some_and(|r| r.starts_with(namespace)))
}

/// One `<Event>…</Event>`, or something that was one.
enum Piece<'a> {
    Event(&'a [u8]),
    /// Cut off at its beginning or its end.
    Torn,
}

/// Walks over the pieces, counting lines.
struct Pieces<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
    /// Up to where lines are counted.
    counted: usize,
}

impl<'a> Pieces<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Pieces { bytes, at: 0, line: 1, counted: 0 }
    }

    fn line_of(&mut self, at: usize) -> u64 {
        let passed = self.bytes.get(self.counted..at).unwrap_or_default();
        self.line += memchr_iter(b'\n', passed).count() as u64;
        self.counted = self.counted.max(at);
        self.line
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = (u64, Piece<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let start = next_event(self.bytes, self.at);
        let gap = self.bytes.get(self.at..start.unwrap_or(self.bytes.len()))?;
        // Roots, prologs and the text of a wrapper stand between events; pieces of one must not
        // be passed over in silence.
        let rest = [&b"</Event>"[..], b"<EventID", b"<Data ", b"<System>"];
        if let Some(at) = rest.iter().filter_map(|mark| memmem::find(gap, mark)).min() {
            let line = self.line_of(self.at + at);
            self.at += gap.len();
            return Some((line, Piece::Torn));
        }
        let start = start?;
        let line = self.line_of(start);
        let next = next_event(self.bytes, start + 6).unwrap_or(self.bytes.len());
        let text = self.bytes.get(start..next)?;
        let Some(end) = memmem::find(text, b"</Event>") else {
            self.at = next;
            return Some((line, Piece::Torn));
        };
        self.at = start + end + 8;
        Some((line, Piece::Event(text.get(..end + 8)?)))
    }
}

/// Where the next `<Event` begins that is not `<Events>`, `<EventID>` or `<EventData>`.
fn next_event(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memmem::find(text.get(at..)?, b"<Event")?;
        match text.get(at + 6) {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'>' | b'/') => return Some(at),
            Some(_) => at += 6,
        }
    }
}

/// An event; no more than its id and time when it is of no interest, which most are.
fn quick(pos: Pos, text: &[u8]) -> Result<Event, Reason> {
    if let Some(id) = event_id(text).filter(|id| !may_tell(*id, text)) {
        let mut event = Event::new(pos, id);
        event.stamp(system_time(text).unwrap_or_default(), Zone::Utc);
        return Ok(event);
    }
    event(pos, &String::from_utf8_lossy(text))
}

/// The number in `<EventID …>4725</EventID>`.
fn event_id(text: &[u8]) -> Option<u32> {
    let rest = text.get(memmem::find(text, b"<EventID")?..)?;
    let rest = rest.get(memchr(b'>', rest)? + 1..)?;
    let digits = rest.get(..memchr(b'<', rest)?)?.trim_ascii();
    str::from_utf8(digits).ok()?.parse().ok()
}

fn system_time(text: &[u8]) -> Option<&str> {
    let rest = text.get(memmem::find(text, b"SystemTime=")? + 11..)?;
    let (quote, rest) = rest.split_first().filter(|(q, _)| matches!(q, b'"' | b'\''))?;
    str::from_utf8(rest.get(..memchr(*quote, rest)?)?).ok()
}

/// One `<Event>` element, whole.
pub fn event(pos: Pos, text: &str) -> Result<Event, Reason> {
    let Fields { mut event, has_id, unnamed } = read(pos, text)?;
    if !has_id {
        return Err(Reason::Missing("EventID"));
    }
    let names = positions(event.event_id, unnamed.len());
    event.data.extend(names.into_iter().map(str::to_owned).zip(unnamed));
    Ok(event)
}

/// The `<Data>` of an `<EventData>` alone (Sentinel keeps it in a column).
pub fn event_data(text: &str) -> Result<Vec<(String, String)>, Reason> {
    Ok(read(Pos::Line(0), &format!("<Event>{text}</Event>"))?.event.data)
}

/// What has been read of an `<Event>`.
struct Fields {
    event: Event,
    has_id: bool,
    /// `<Data>` without `Name`, in order.
    unnamed: Vec<String>,
}

fn read(pos: Pos, text: &str) -> Result<Fields, Reason> {
    let mut reader = Reader::from_str(text);
    let mut fields = Fields { event: Event::new(pos, 0), has_id: false, unnamed: Vec::new() };
    // Names of the open elements: Event, System or EventData, and the one that holds the value.
    let mut path: Vec<String> = Vec::new();
    let mut value = String::new();
    let mut name = None;
    loop {
        match reader.read_event().map_err(bad)? {
            Token::Start(tag) => {
                path.push(local(&tag));
                if path.len() == 3 {
                    value.clear();
                    name = attributes(&path, &tag, &mut fields.event)?;
                }
            }
            Token::Empty(tag) => {
                path.push(local(&tag));
                if path.len() == 3 {
                    let name = attributes(&path, &tag, &mut fields.event)?;
                    close(&path, name, String::new(), &mut fields)?;
                }
                path.pop();
            }
            Token::End(_) => {
                if path.len() == 3 {
                    close(&path, name.take(), std::mem::take(&mut value), &mut fields)?;
                }
                path.pop();
                if path.is_empty() {
                    return Ok(fields);
                }
            }
            Token::Text(text) if path.len() == 3 => value.push_str(&text.xml10_content()),
            Token::CData(text) if path.len() == 3 => value.push_str(&text.xml10_content()),
            Token::GeneralRef(entity) if path.len() == 3 => {
                match entity.resolve_char_ref().map_err(bad)? {
                    Some(c) => value.push(c),
                    None => value.push_str(
                        resolve_predefined_entity(&entity).ok_or_else(|| bad("unknown entity"))?,
                    ),
                }
            }
            Token::Eof => return Err(Reason::Truncated),
            _ => {}
        }
    }
}

fn bad(error: impl std::fmt::Display) -> Reason {
    Reason::Format(format!("XML: {error}"))
}

fn local(tag: &BytesStart<'_>) -> String {
    tag.local_name().as_ref().to_owned()
}

/// Takes what stands in the attributes of an element; gives the `Name` of a `<Data>`.
fn attributes(
    path: &[String],
    tag: &BytesStart<'_>,
    event: &mut Event,
) -> Result<Option<String>, Reason> {
    let attribute = |name: &str| -> Result<Option<String>, Reason> {
        let Some(found) = tag.try_get_attribute(name).map_err(bad)? else { return Ok(None) };
        let value = found.normalized_value(XmlVersion::Implicit1_0).map_err(bad)?;
        Ok(Some(value.into_owned()))
    };
    match (parent(path), element(path)) {
        ("System", "Provider") => event.provider = attribute("Name")?,
        ("System", "TimeCreated") => {
            if let Some(time) = attribute("SystemTime")? {
                event.stamp(&time, Zone::Utc);
            }
        }
        ("EventData", "Data") => return attribute("Name"),
        _ => {}
    }
    Ok(None)
}

/// Takes the text of an element.
fn close(
    path: &[String],
    name: Option<String>,
    value: String,
    fields: &mut Fields,
) -> Result<(), Reason> {
    let event = &mut fields.event;
    match (parent(path), element(path)) {
        ("System", "EventID") => {
            event.event_id = value.trim().parse().map_err(|_| Reason::BadNumber("EventID"))?;
            fields.has_id = true;
        }
        ("System", "Keywords") => event.outcome = outcome_of(&value),
        ("System", "EventRecordID") => event.record_id = value.trim().parse().ok(),
        ("System", "Channel") => event.channel = Some(value),
        ("System", "Computer") => event.computer = Some(value),
        ("EventData", "Data") => match name {
            Some(name) => event.data.push((name, value)),
            None => fields.unnamed.push(value),
        },
        ("EventData", "Binary") => event.data.push(("Binary".to_owned(), value)),
        _ => {}
    }
    Ok(())
}

fn parent(path: &[String]) -> &str {
    path.get(1).map_or("", String::as_str)
}

fn element(path: &[String]) -> &str {
    path.get(2).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_stream() {
        let check = |text: &str, expect: &str| {
            let got: Vec<String> = Pieces::new(text.as_bytes())
                .map(|(line, piece)| match piece {
                    Piece::Event(text) => format!("{line}:{}", text.len()),
                    Piece::Torn => format!("{line}!"),
                })
                .collect();
            assert_eq!(got.join(" "), expect, "{text:?}");
        };
        check("", "");
        check("<Events>\n</Events>", "");
        check("<Event></Event>\n<Event x='y'></Event>", "1:15 2:21");
        check("<?xml?>\n<Events><Event></Event><Event>\n</Event>\n</Events>\n", "2:15 2:16");
        check("<Event>\n<Event></Event>", "1! 2:15");
        check("<Event></Event>\n<Event>\n<Sys", "1:15 2!");
        // The end of an event whose beginning is not there.
        check("a\n</Data></EventData></Event>\n<Event></Event>", "2! 3:15");
        check("<Event></Event>\n<Data Name='x'>", "1:15 2!");
    }

    #[test]
    fn values_of_an_event() {
        let read = |inner: &str| {
            let text = format!(
                "<Event><System><EventID Qualifiers=''>4725</EventID><Keywords>0x8020000000000000\
                 </Keywords><TimeCreated SystemTime=\"2018-09-10 13:03:34.075348\"></TimeCreated>\
                 </System>{inner}</Event>"
            );
            event(Pos::Line(1), &text).map(|event| event.data)
        };
        let data = |pairs: &[(&str, &str)]| {
            Ok(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
        };
        assert_eq!(
            read(
                "<EventData><Data Name='TargetUserName'>a&amp;b&#x41;<![CDATA[<c>]]></Data></EventData>"
            ),
            data(&[("TargetUserName", "a&bA<c>")])
        );
        // By position, as an event looks whose provider is not registered.
        assert_eq!(
            read("<EventData><Data>ada</Data><Data/></EventData>"),
            data(&[("TargetUserName", "ada"), ("TargetDomainName", "")])
        );
        // What stands elsewhere is not of the event.
        assert_eq!(
            read("<UserData><EventData><Data Name='x'>y</Data></EventData></UserData>"),
            data(&[])
        );
        assert!(read("<EventData><Data Name='x'>&bomb;</Data></EventData>").is_err());
        assert!(read("<EventData><Data Name='x'>y</EventData>").is_err());
        assert!(event(Pos::Line(1), "<Event></Event>").is_err());
    }
}
