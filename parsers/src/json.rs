//! JSON to events: a splitter that finds the values of a stream (JSON lines, pretty objects one after
//! the other, one array) and survives a damaged one; what a value says is `json/shape.rs`.

mod shape;
mod skim;

use crate::event::{Pos, Reason, Reject};
use crate::evidence::{Sink, Tally};
use crate::time::LocalTime;
use crate::windows::directory_service::{Seen, tell_added};
use crate::windows::marks::may_tell;
use crate::windows::{Event, tell};
use memchr::{memchr, memchr_iter, memmem};

pub(crate) use shape::evtxecmd;

/// Reads a source of event JSON.
pub fn facts(bytes: &[u8], local: &LocalTime, sink: &mut Sink<'_>) -> Tally {
    let mut tally = Tally::default();
    let mut seen = Seen::in_any_order();
    for (line, piece) in Values::new(bytes) {
        let pos = Pos::Line(line);
        let mut on = |event: Result<Event, Reason>| {
            let event = event.map_err(|reason| Reject { pos, reason });
            tell(event, &mut seen, &mut tally, sink);
        };
        match piece {
            Ok(text) => events(pos, text, local, &mut on),
            Err(reason) => on(Err(reason)),
        }
    }
    tell_added(seen, &mut tally, sink);
    tally
}

/// Is it Windows events as JSON?
pub fn sniff(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = head.trim_ascii_start();
    if !(text.starts_with(b"{") || text.starts_with(b"[") || banner(text).is_some()) {
        return false;
    }
    let has = |what: &[u8]| memmem::find(text, what).is_some();
    // Our own report quotes evidence, but says at once what it is.
    let start = text.get(..256).unwrap_or(text);
    if memmem::find(start, b"\"stillin/report").is_some() {
        return false;
    }
    MARKS.iter().any(|marks| marks.iter().all(|mark| has(mark.as_bytes())))
}

/// Words that only Windows events have together, one row a shape.
const MARKS: &[&[&str]] = &[
    &["\"Event\"", "\"System\"", "\"EventID\""],
    &["\"winlog\"", "\"event_id\""],
    &["\"winlog.event_id\""],
    &["\"event_id\"", "\"event_data\""],
    &["\"EventID\"", "\"SourceName\""],
    &["\"EventID\"", "\"Channel\""],
    &["\"EventID\"", "\"EventSourceName\""],
    &["\"EventID\"", "\"ReplacementStrings\""],
    &["\"Id\"", "\"ProviderName\"", "\"LogName\""],
    &["\"EventId\"", "\"Provider\"", "\"Payload\""],
    &["\"EventIdentifier\"", "\"InsertionStrings\""],
    // A collector that keeps the event as text.
    &["\\\"Event\\\"", "\\\"System\\\"", "\\\"EventID\\\""],
    &["\"_raw\"", "<Event", "<System"],
];

/// The events of one object, read whole only where one of them is of interest.
fn events(pos: Pos, text: &[u8], local: &LocalTime, on: &mut dyn FnMut(Result<Event, Reason>)) {
    let text = String::from_utf8_lossy(text);
    if let Some(value) = skim::value(&text) {
        let (mut found, mut plain) = (Vec::new(), true);
        shape::events(pos, value, local, &mut |event| match event {
            Ok(event) if !may_tell(event.event_id, text.as_bytes()) => found.push(event),
            _ => plain = false,
        });
        if plain {
            return found.into_iter().for_each(|event| on(Ok(event)));
        }
    }
    match serde_json::from_str(&text) {
        Ok(value) => shape::events(pos, value, local, on),
        Err(error) => on(Err(Reason::Format(format!("JSON: {error}")))),
    }
}

/// `Record 17`, which `evtx_dump` prints before each object: its length.
fn banner(text: &[u8]) -> Option<usize> {
    let end = memchr(b'\n', text).unwrap_or(text.len());
    let line = text.get(..end)?.trim_ascii_end();
    let number = line.strip_prefix(b"Record ")?;
    let number = number.strip_suffix(b" (recovered)").unwrap_or(number);
    (!number.is_empty() && number.iter().all(u8::is_ascii_digit)).then_some(end)
}

/// The objects of a stream, each with the line it begins on.
struct Values<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
    /// Up to where lines are counted.
    counted: usize,
    /// Behind the last line feed before that.
    line_start: usize,
}

impl<'a> Values<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Values { bytes, at, line: 1, counted: 0, line_start: 0 }
    }

    fn line_of(&mut self, at: usize) -> u64 {
        let passed = self.bytes.get(self.counted..at).unwrap_or_default();
        self.line += memchr_iter(b'\n', passed).count() as u64;
        if let Some(feed) = memchr::memrchr(b'\n', passed) {
            self.line_start = self.counted + feed + 1;
        }
        self.counted = self.counted.max(at);
        self.line
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = (u64, Result<&'a [u8], Reason>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            match rest.first()? {
                // An array of events is read like a stream of them. NUL: padding of a file that
                // was preallocated.
                b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']' | 0 | 0x1e => self.at += 1,
                b'{' => {
                    let line = self.line_of(self.at);
                    let (length, whole) = object(rest, self.at - self.line_start);
                    self.at += length;
                    let text = rest.get(..length).unwrap_or_default();
                    return Some((line, if whole { Ok(text) } else { Err(Reason::Truncated) }));
                }
                _ => {
                    if let Some(length) = banner(rest) {
                        self.at += length;
                        continue;
                    }
                    let line = self.line_of(self.at);
                    self.at += memchr(b'\n', rest).unwrap_or(rest.len());
                    let reason = Reason::Format("text between JSON objects".to_owned());
                    return Some((line, Err(reason)));
                }
            }
        }
    }
}

/// Length of the object at the start of `text`, and whether it ends. A line that begins an object
/// no deeper than this one began (`column`) is the next event, so this one was cut off: whoever
/// prints objects over several lines indents what is inside.
fn object(text: &[u8], column: usize) -> (usize, bool) {
    let (mut depth, mut quoted, mut at) = (0_usize, false, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b'\n' => {
                let line = text.get(at + 1..).unwrap_or_default();
                let indent = line.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
                let next = line.get(indent..).unwrap_or_default();
                if (indent <= column && next.starts_with(b"{")) || banner(next).is_some() {
                    return (at, false);
                }
            }
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return (at + 1, true);
                }
            }
            _ => {}
        }
        at += 1;
    }
    (text.len(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_stream() {
        let check = |text: &str, expect: &str| {
            let got: Vec<String> = Values::new(text.as_bytes())
                .map(|(line, value)| match value {
                    Ok(value) => format!("{line}:{}", String::from_utf8_lossy(value)),
                    Err(reason) => format!("{line}!{reason}"),
                })
                .collect();
            assert_eq!(got.join(" "), expect, "{text:?}");
        };
        check("", "");
        check("{\"a\":1}\n{\"b\":2}", "1:{\"a\":1} 2:{\"b\":2}");
        check("\u{feff}[{\"a\":1},\r\n {\"b\":2}]", "1:{\"a\":1} 2:{\"b\":2}");
        check("Record 1\n{\"a\":1}\nRecord 2 (recovered)\n{}\n", "2:{\"a\":1} 4:{}");
        check("{\"a\":\"}\\\"{\"} {}", "1:{\"a\":\"}\\\"{\"} 1:{}");
        check(
            "{\n  \"a\": [\n    {\n    }\n  ]\n}\n{}",
            "1:{\n  \"a\": [\n    {\n    }\n  ]\n} 7:{}",
        );
        // Cut off: the next line begins anew, and the rest is read.
        check("{\"a\":{\n{}\n{}", "1!cut short 2:{} 3:{}");
        check("{\"a\":\"\n{}", "1!cut short 2:{}");
        check("[\n  {\"a\":\n  {},\n  {}\n]", "2!cut short 3:{} 4:{}");
        check("{\"a\":1,\nRecord 2\n{}", "1!cut short 3:{}");
        check("{\"a\":1", "1!cut short");
        check("oops\n{}", "1!text between JSON objects 2:{}");
    }

    #[test]
    fn shapes() {
        let check = |text: &str, expect: &str| {
            let (mut told, mut rejects) = (0, Vec::new());
            let tally = facts(text.as_bytes(), &LocalTime::default(), &mut |item| match item {
                Ok(_) => told += 1,
                Err(reject) => rejects.push(reject.reason.to_string()),
            });
            let counts = format!("{} of {}", tally.told, tally.records);
            assert_eq!(counts + &rejects.join(";"), expect, "{text}");
        };
        let core =
            r#""EventID":4725,"TargetUserName":"ada","TimeGenerated":"2026-03-02T09:00:00Z""#;
        check(&format!("{{{core}}}"), "1 of 1");
        check(&format!("{{\"result\":{{{core}}}}}"), "1 of 1");
        check(
            &format!("{{\"hits\":{{\"hits\":[{{\"_source\":{{{core}}}}},{{}}]}}}}"),
            "1 of 2EventID is missing",
        );
        check(&format!("{{\"value\":[{{{core}}},{{{core}}}],\"Count\":2}}"), "2 of 2");
        check(r#"{"_raw":"<Event><System><EventID>4624</EventID></System></Event>"}"#, "0 of 1");
        check(r#"{"body":"{\"EventID\":1}"}"#, "0 of 1");
        check(r#"{"body":"{oops"}"#, "0 of 1JSON in body: key must be a string at line 1 column 2");
        check(r#"{"EventID":"x"}"#, "0 of 1EventID is no number");
        check(r#"{"EventID":4725,"TargetUserName":"ada"}"#, "0 of 1TimeCreated is missing");
        // What is of no interest is not read to its last value, but it has to be JSON.
        check(r#"{"EventID":4624,"EventData":{"x":"\ud800"}}"#, "0 of 1");
        check(
            r#"{"EventID":4624,"EventData":{"x":?}}"#,
            "0 of 1JSON: expected value at line 1 column 34",
        );
        check(
            r#"{"EventID":4725,"EventData":{"x":"\ud800"}}"#,
            "0 of 1JSON: unexpected end of hex escape at line 1 column 41",
        );
        // Sentinel: the whole event in one column.
        let data = "<EventData><Data Name='TargetUserName'>ada</Data></EventData>";
        check(
            &format!(
                r#"{{"EventID":4725,"EventData":"{data}","TimeGenerated":"2026-03-02T09:00:00Z"}}"#
            ),
            "1 of 1",
        );
        // A converter that keeps `<Data>` as a list, one that keeps nameless texts.
        let event = |data: &str| {
            format!(
                r##"{{"Event":{{"System":{{"EventID":{{"#text":4725}},"TimeCreated":{{"@SystemTime":"2026-03-02T09:00:00Z"}}}},"EventData":{{"Data":{data}}}}}}}"##
            )
        };
        check(&event(r##"[{"@Name":"TargetUserName","#text":"ada"}]"##), "1 of 1");
        check(&event(r##"{"#text":["ada","FABRIKAM"]}"##), "1 of 1");
        check(&event(r#"["ada","FABRIKAM"]"#), "1 of 1");
        check(&event(r#"[null]"#), "0 of 1TargetUserName is missing");
    }
}
