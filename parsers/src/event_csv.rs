//! Windows events as CSV to events: EvtxECmd with its `Payload` column, and tables whose columns bear
//! the names of `EventData` (Sentinel's `SecurityEvent`, a saved query). `Get-WinEvent | Export-Csv`
//! keeps no values, so its rows of interest are rejects that say what to do (DOMAIN.md 4.2).

use crate::event::{Pos, Reason, Reject};
use crate::evidence::{Sink, Tally};
use crate::json::evtxecmd;
use crate::time::LocalTime;
use crate::windows::directory_service::{Seen, tell_added};
use crate::windows::marks::{may_tell, message_rules_out};
use crate::windows::stamp::Zone;
use crate::windows::{Event, outcome_of, tell};
use csv::{ByteRecord, ReaderBuilder};
use memchr::{memchr, memchr_iter};

/// Reads a source of event CSV.
pub fn facts(bytes: &[u8], local: &LocalTime, sink: &mut Sink<'_>) -> Tally {
    let mut tally = Tally::default();
    let mut seen = Seen::in_any_order();
    let (skipped, text) = body(bytes);
    let mut reader =
        ReaderBuilder::new().flexible(true).delimiter(delimiter(text)).from_reader(text);
    let columns: Vec<String> = match reader.byte_headers() {
        Ok(header) => header.iter().map(|name| lossy(name).trim().to_owned()).collect(),
        Err(_) => Vec::new(),
    };
    if columns.iter().any(|name| name.contains('\n')) {
        // It may have swallowed the whole file.
        let reason = Reason::Format("a quoted column name runs on over several lines".to_owned());
        let pos = Pos::Line(1 + skipped);
        tell(Err(Reject { pos, reason }), &mut seen, &mut tally, sink);
    }
    let mut row = ByteRecord::new();
    let (mut line, mut counted) = (1 + skipped, 0);
    loop {
        // Lines are counted here: the reader's own count lags by the blank lines that it skips, and
        // by the line feed of a CRLF.
        let at = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        let rest = text.get(at..).unwrap_or_default();
        let at = at.saturating_add(rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count());
        line += memchr_iter(b'\n', text.get(counted..at).unwrap_or_default()).count() as u64;
        counted = at;
        let pos = Pos::Line(line);
        let event = match reader.read_byte_record(&mut row) {
            Ok(false) => break,
            Ok(true) => event(pos, &columns, &row, local),
            Err(error) => Err(Reason::Format(format!("CSV: {error}"))),
        };
        tell(event.map_err(|reason| Reject { pos, reason }), &mut seen, &mut tally, sink);
    }
    tell_added(seen, &mut tally, sink);
    tally
}

/// Is it a table of Windows events?
pub fn sniff(head: &[u8]) -> bool {
    let (_, text) = body(head);
    let line = text.get(..memchr(b'\n', text).unwrap_or(text.len())).unwrap_or_default();
    let mut reader =
        ReaderBuilder::new().flexible(true).delimiter(delimiter(text)).from_reader(line);
    let Ok(header) = reader.byte_headers() else { return false };
    let has =
        |name: &str| header.iter().any(|n| n.trim_ascii().eq_ignore_ascii_case(name.as_bytes()));
    let id = ID.iter().any(|name| has(name));
    let rest = [
        ["Payload", "Provider"],
        ["TargetUserName", "Computer"],
        ["TargetUserName", "Hostname"],
        ["ProviderName", "LogName"],
    ];
    id && rest.iter().any(|names| names.iter().all(|name| has(name)))
}

const ID: &[&str] = &["EventId", "EventID", "Id"];

/// Behind a BOM and the `#TYPE` line of PowerShell 5.1, and how many lines that were.
fn body(bytes: &[u8]) -> (u64, &[u8]) {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if !text.starts_with(b"#TYPE") {
        return (0, text);
    }
    let end = memchr(b'\n', text).map_or(text.len(), |at| at + 1);
    (1, text.get(end..).unwrap_or_default())
}

fn delimiter(text: &[u8]) -> u8 {
    let line = text.get(..memchr(b'\n', text).unwrap_or(text.len())).unwrap_or_default();
    let count = |sign: u8| line.iter().filter(|b| **b == sign).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|sign| count(*sign)).unwrap_or(b',')
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn event(
    pos: Pos,
    columns: &[String],
    row: &ByteRecord,
    local: &LocalTime,
) -> Result<Event, Reason> {
    let get = |names: &[&str]| {
        let named =
            |name: &&str| columns.iter().position(|column| column.eq_ignore_ascii_case(name));
        let value = row.get(names.iter().find_map(named)?)?;
        Some(lossy(value)).filter(|text| !text.trim().is_empty())
    };
    if row.len() < columns.len() {
        let (got, want) = (row.len(), columns.len());
        return Err(Reason::Format(format!("{got} values for {want} columns")));
    }
    let id = get(ID).ok_or(Reason::Missing("EventId"))?;
    let mut event = Event::new(pos, id.trim().parse().map_err(|_| Reason::BadNumber("EventId"))?);
    event.provider = get(&["Provider", "ProviderName", "EventSourceName", "SourceName", "Source"]);
    event.channel = get(&["Channel", "LogName"]);
    event.computer = get(&["Computer", "MachineName", "Hostname"]);
    event.record_id = get(&["EventRecordId", "RecordId"]).and_then(|text| text.trim().parse().ok());
    let shown = [get(&["KeywordsDisplayName"]), get(&["Keywords"]), get(&["EventType"])];
    let mut outcomes = shown.iter().flatten().map(|text| outcome_of(text));
    event.outcome = outcomes.find(|outcome| *outcome != Default::default()).unwrap_or_default();
    let payload = get(&["Payload"]);
    // EvtxECmd escapes line feeds: a quote that was never closed has swallowed the rows after it.
    if payload.as_ref().is_some_and(|text| text.contains('\n')) {
        return Err(Reason::Format("a quoted value runs on over several lines".to_owned()));
    }
    let zone = if payload.is_some() { Zone::Utc } else { Zone::Local(local) };
    let times = ["TimeCreated", "TimeGenerated", "TimeGenerated [UTC]", "EventTime"];
    if let Some(time) = get(&times) {
        event.stamp(&time, zone);
    }
    if !may_tell(event.event_id, row.as_slice()) {
        return Ok(event);
    }
    event.data = match payload {
        Some(text) => evtxecmd(event.event_id, &text)?,
        None if get(&["Properties"]).is_some_and(|text| text.starts_with("System.")) => {
            if message_rules_out(event.event_id, &get(&["Message"]).unwrap_or_default()) {
                return Ok(event);
            }
            let text = "Export-Csv keeps no values of an event; export with wevtutil qe /f:xml, or \
                        ConvertTo-Json -Depth 3";
            return Err(Reason::Format(text.to_owned()));
        }
        None => columns.iter().cloned().zip(row.iter().map(lossy)).collect(),
    };
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let check = |text: &str, expect: &str| {
            assert!(sniff(text.as_bytes()), "{text}");
            let mut said = Vec::new();
            let tally = facts(text.as_bytes(), &LocalTime::default(), &mut |item| {
                if let Err(reject) = item {
                    said.push(format!("{} {}", reject.pos, reject.reason));
                }
            });
            said.insert(0, format!("{}/{}/{}", tally.told, tally.of_no_interest, tally.rejected));
            assert_eq!(said.join("; "), expect, "{text}");
        };
        let head = "TimeGenerated;EventID;Computer;TargetUserName;Keywords\n";
        check(&format!("{head}2026-03-02T09:00:00Z;4725;DC1;ada;0x8020000000000000\n"), "1/0/0");
        check(&format!("{head}2026-03-02T09:00:00Z;4624;DC1;ada;\r\n"), "0/1/0");
        check(&format!("{head}2026-03-02T09:00:00Z;4725\n"), "0/0/1; :2 2 values for 5 columns");
        check(
            &format!("{head}x;4725;DC1;ada;y\n\n;;;;\n"),
            "0/0/2; :2 `x` is no time; :4 EventId is missing",
        );
        let head = "TimeCreated,EventId,Provider,Payload\n";
        check(
            &format!(
                "{head}2026-03-02 09:00:00,4624,P,\"{{\"\"EventData\"\":1}}\n2026-03-02 09:00:00,4725,P,x\n"
            ),
            "0/0/1; :2 a quoted value runs on over several lines",
        );
        check(
            "EventId,Provider,Payload,\"x\n4725,P,{},\n",
            "0/0/1; :1 a quoted column name runs on over several lines",
        );
        check(
            &format!("{head}2026-03-02 09:00:00,4725,Microsoft-Windows-Security-Auditing,{{oops\n"),
            "0/0/1; :2 JSON in Payload: key must be a string at line 1 column 2",
        );
    }
}
