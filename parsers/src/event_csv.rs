//! Windows events as CSV to events: EvtxECmd with its `Payload` column, and tables whose columns bear
//! the names of `EventData` (Sentinel's `SecurityEvent`, a saved query). `Get-WinEvent | Export-Csv`
//! keeps no values, so its rows of interest are rejects that say what to do (DOMAIN.md 4.2).

use crate::event::{Pos, Reason, Reject};
use crate::evidence::{Sink, Tally};
use crate::json::evtxecmd;
use crate::time::LocalTime;
use crate::windows::directory_service::{Seen, tell_expiries};
use crate::windows::stamp::Zone;
use crate::windows::{Event, of_interest, outcome_of, tell};
use csv::{ByteRecord, ReaderBuilder};
use memchr::memchr;

/// Reads a source of event CSV.
pub fn facts(bytes: &[u8], local: &LocalTime, sink: &mut Sink<'_>) -> Tally {
    let mut tally = Tally::default();
    let mut seen = Seen::default();
    let (skipped, text) = body(bytes);
    let mut reader =
        ReaderBuilder::new().flexible(true).delimiter(delimiter(text)).from_reader(text);
    let columns: Vec<String> = match reader.byte_headers() {
        Ok(header) => header.iter().map(|name| lossy(name).trim().to_owned()).collect(),
        Err(_) => Vec::new(),
    };
    let mut row = ByteRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_byte_record(&mut row) {
            Ok(false) => break,
            Ok(true) => {
                let pos = Pos::Line(row.position().map_or(line, csv::Position::line) + skipped);
                let event = event(pos, &columns, &row, local);
                let event = event.map_err(|reason| Reject { pos, reason });
                tell(event, &mut seen, &mut tally, sink);
            }
            Err(error) => {
                let (pos, reason) =
                    (Pos::Line(line + skipped), Reason::Format(format!("CSV: {error}")));
                tell(Err(Reject { pos, reason }), &mut seen, &mut tally, sink);
                if error.is_io_error() {
                    break;
                }
            }
        }
    }
    let all = seen.take_expiries();
    tell_expiries(all.clone(), &all, &mut tally, sink);
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
        return Err(Reason::FieldCount { want: columns.len(), got: row.len(), fields_line: 1 });
    }
    let id = get(ID).ok_or(Reason::Missing("EventId"))?;
    let mut event = Event::new(pos, id.trim().parse().map_err(|_| Reason::BadNumber("EventId"))?);
    event.provider = get(&["Provider", "ProviderName", "EventSourceName", "SourceName"]);
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
    if !of_interest(event.event_id) {
        return Ok(event);
    }
    event.data = match payload {
        Some(text) => evtxecmd(event.event_id, &text)?,
        None if get(&["Properties"]).is_some_and(|text| text.starts_with("System.")) => {
            let text = "Export-Csv keeps no values of an event; export with wevtutil qe /f:xml, or \
                        ConvertTo-Json -Depth 3";
            return Err(Reason::Format(text.to_owned()));
        }
        None => columns.iter().cloned().zip(row.iter().map(lossy)).collect(),
    };
    Ok(event)
}
