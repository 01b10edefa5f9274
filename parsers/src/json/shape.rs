//! One JSON value to events: which key holds what, for every shipper that is known (DOMAIN.md 4.2).

use crate::event::{Pos, Reason};
use crate::time::LocalTime;
use crate::windows::marks::message_rules_out;
use crate::windows::stamp::Zone;
use crate::windows::{Event, Outcome, outcome_of, positions};
use crate::xml;
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// Wrappers in wrappers are followed this deep.
const DEPTH: usize = 4;

/// The events of a value: one, or those of the answer of a search.
pub(super) fn events(
    pos: Pos,
    value: Value,
    local: &LocalTime,
    on: &mut dyn FnMut(Result<Event, Reason>),
) {
    let Value::Object(object) = value else {
        return on(Err(Reason::Format("no JSON object".to_owned())));
    };
    // The answer of an Elasticsearch search, and what PowerShell 5.1 makes of an array in a variable.
    let hits = object.get("hits").and_then(|hits| hits.get("hits"));
    let list = hits.or_else(|| object.get("value").filter(|_| object.contains_key("Count")));
    if let Some(Value::Array(list)) = list {
        return list.iter().for_each(|item| on(event(pos, item, local, 0)));
    }
    on(event(pos, &Value::Object(object), local, 0));
}

fn event(pos: Pos, value: &Value, local: &LocalTime, depth: usize) -> Result<Event, Reason> {
    let Value::Object(object) = value else {
        return Err(Reason::Format("no JSON object".to_owned()));
    };
    if let Some(Value::Object(inner)) = object.get("Event") {
        return system(pos, inner);
    }
    if find(object, "winlog.event_id").is_some() || find(object, "winlog.event_data").is_some() {
        return winlogbeat(pos, object, "winlog.");
    }
    if object.contains_key("event_id") {
        return winlogbeat(pos, object, "");
    }
    if let Some(id) = first(object, &["EventID", "EventId", "EventIdentifier", "EventCode", "Id"]) {
        return flat(pos, object, id, local);
    }
    if depth < DEPTH {
        for key in ["_source", "result", "fields"] {
            if let Some(inner @ Value::Object(_)) = object.get(key) {
                return event(pos, inner, local, depth + 1);
            }
        }
    }
    for key in ["_raw", "body", "raw", "event.original", "message"] {
        let Some(Value::String(text)) = find(object, key) else { continue };
        let text = text.trim();
        if text.starts_with('<') {
            return xml::event(pos, text);
        }
        if depth < DEPTH && text.starts_with('{') {
            let inner = serde_json::from_str(text)
                .map_err(|error| Reason::Format(format!("JSON in {key}: {error}")))?;
            return event(pos, &inner, local, depth + 1);
        }
    }
    Err(Reason::Missing("EventID"))
}

/// `{"System": …, "EventData": …}`: `evtx_dump` and whatever else turns the XML into JSON.
fn system(pos: Pos, object: &Object) -> Result<Event, Reason> {
    let empty = Map::new();
    let system = object.get("System").and_then(Value::as_object).unwrap_or(&empty);
    let id = system.get("EventID").and_then(scalar).ok_or(Reason::Missing("EventID"))?;
    let mut event = Event::new(pos, number(&id)?);
    event.provider = attribute(system, "Provider", "Name");
    event.channel = system.get("Channel").and_then(scalar);
    event.computer = system.get("Computer").and_then(scalar);
    event.record_id =
        system.get("EventRecordID").and_then(scalar).and_then(|text| text.parse().ok());
    if let Some(keywords) = system.get("Keywords").and_then(scalar) {
        event.outcome = outcome_of(&keywords);
    }
    if let Some(time) = attribute(system, "TimeCreated", "SystemTime") {
        event.stamp(&time, Zone::Utc);
    }
    if let Some(Value::Object(data)) = object.get("EventData") {
        event.data = payload(event.event_id, data);
    }
    Ok(event)
}

/// The values of an `EventData`: named keys, or the XML's `<Data>` as they come out of converters.
fn payload(event_id: u32, data: &Object) -> Vec<(String, String)> {
    let mut named = Vec::new();
    let mut unnamed = Vec::new();
    for (key, value) in data {
        if key.starts_with(['#', '@']) || key.ends_with("_attributes") || key == "xmlns" {
            continue;
        }
        if key != "Data" {
            named.extend(scalar(value).map(|value| (key.clone(), value)));
            continue;
        }
        // One `<Data>` is an object or a string, several are an array, and evtx_dump puts the
        // texts of nameless ones into one `#text`.
        let items = match value {
            Value::Object(item) if item.get("#text").is_some_and(Value::is_array) => {
                item.get("#text").unwrap_or(value)
            }
            _ => value,
        };
        let one = std::slice::from_ref(items);
        for item in items.as_array().map_or(one, Vec::as_slice) {
            match item.as_object().and_then(data_name) {
                Some(name) => named.push((name, scalar(item).unwrap_or_default())),
                None => unnamed.push(scalar(item).unwrap_or_default()),
            }
        }
    }
    let names = positions(event_id, unnamed.len()).into_iter().map(str::to_owned);
    named.extend(names.zip(unnamed));
    named
}

fn data_name(item: &Object) -> Option<String> {
    let attributes = item.get("#attributes").and_then(Value::as_object).unwrap_or(item);
    ["Name", "@Name"].iter().find_map(|key| attributes.get(*key)).and_then(scalar)
}

/// Winlogbeat and Elastic Agent (`winlog.` before each key, nested or dotted); before version 7 the
/// same keys stood at the top.
fn winlogbeat(pos: Pos, object: &Object, under: &str) -> Result<Event, Reason> {
    let get = |key: &str| find(object, &format!("{under}{key}")).and_then(scalar);
    let top = |key: &str| find(object, key).and_then(scalar);
    let id = get("event_id").or_else(|| top("event.code")).ok_or(Reason::Missing("event_id"))?;
    let mut event = Event::new(pos, number(&id)?);
    event.provider =
        get("provider_name").or_else(|| get("source_name")).or_else(|| top("event.provider"));
    event.channel = get("channel").or_else(|| get("log_name"));
    event.computer = get("computer_name");
    let record_id = get("record_id").or_else(|| get("record_number"));
    event.record_id = record_id.and_then(|text| text.parse().ok());
    let outcomes = [get("outcome"), top("event.outcome"), get("keywords")];
    event.outcome = known(outcomes.iter().flatten().map(|text| outcome_of(text)));
    if let Some(time) = get("time_created").or_else(|| top("@timestamp")) {
        event.stamp(&time, Zone::Utc);
    }
    let prefix = format!("{under}event_data");
    match find(object, &prefix) {
        Some(Value::Object(data)) => event.data = payload(event.event_id, data),
        _ => {
            let prefix = format!("{prefix}.");
            let data = object.iter().filter_map(|(key, value)| {
                Some((key.strip_prefix(&prefix)?.to_owned(), scalar(value)?))
            });
            event.data = data.collect();
        }
    }
    if matches!(event.event_id, 4624 | 4625) {
        for group in RENAMED {
            if !group.iter().any(|(name, _)| event.has(name)) {
                let told = |(name, key): &(&str, &str)| Some(((*name).to_owned(), top(key)?));
                event.data.extend(group.iter().filter_map(told));
            }
        }
    }
    Ok(event)
}

/// Where Winlogbeat's security module puts values of a logon instead: what is whose, together or not at all.
const RENAMED: &[&[(&str, &str)]] = &[
    &[
        ("TargetUserName", "user.name"),
        ("TargetDomainName", "user.domain"),
        ("TargetUserSid", "user.id"),
    ],
    &[("ProcessName", "process.executable"), ("ProcessId", "process.pid")],
    &[("IpAddress", "source.ip")],
];

/// Everything at the top: NXLog, Sentinel, EvtxECmd, PowerShell, WMI.
fn flat(pos: Pos, object: &Object, id: &Value, local: &LocalTime) -> Result<Event, Reason> {
    let get = |names: &[&str]| first(object, names).and_then(scalar);
    let id = scalar(id).ok_or(Reason::Missing("EventID"))?;
    let mut event = Event::new(pos, number(&id)?);
    event.provider = get(&["ProviderName", "SourceName", "EventSourceName", "Provider", "Source"]);
    event.channel = get(&["Channel", "LogName", "Logfile", "Log"]);
    event.computer = get(&["MachineName", "Computer", "ComputerName", "Hostname"]);
    let record_id = get(&["RecordId", "EventRecordId", "EventRecordID", "RecordNumber", "Index"]);
    event.record_id = record_id.and_then(|text| text.parse().ok());
    event.outcome = flat_outcome(object);
    // EvtxECmd writes UTC without saying so, PowerShell and NXLog local time.
    let times = ["TimeCreated", "EventTime", "TimeGenerated", "@timestamp", "TimeWritten"];
    let evtxecmd = object.contains_key("Payload") || object.contains_key("MapDescription");
    let zone = if evtxecmd { Zone::Utc } else { Zone::Local(local) };
    if let Some(time) = get(&times) {
        event.stamp(&time, zone);
    }
    event.data = flat_data(event.event_id, object)?;
    Ok(event)
}

fn flat_outcome(object: &Object) -> Outcome {
    let words = ["Keywords", "EventType", "Type"].iter().filter_map(|key| object.get(*key));
    let said = words.filter_map(scalar).map(|text| outcome_of(&text));
    // WMI's EventType (4 success, 5 failure) and Get-EventLog's EntryType (8 and 16).
    let kind = |key: &str, success: &str, failure: &str| {
        let text = object.get(key).and_then(scalar).unwrap_or_default();
        match text.as_str() {
            text if text == success => Outcome::Success,
            text if text == failure => Outcome::Failure,
            text => outcome_of(text),
        }
    };
    let wmi = object.contains_key("InsertionStrings");
    let event_type = if wmi { kind("EventType", "4", "5") } else { Outcome::Unknown };
    let shown = object.get("KeywordsDisplayNames").and_then(scalar).unwrap_or_default();
    known(said.chain([event_type, kind("EntryType", "8", "16"), outcome_of(&shown)]))
}

fn flat_data(event_id: u32, object: &Object) -> Result<Vec<(String, String)>, Reason> {
    if let Some(Value::String(text)) = object.get("Payload") {
        return evtxecmd(event_id, text);
    }
    let lists = ["Properties", "InsertionStrings", "ReplacementStrings"];
    if let Some(Value::Array(list)) = first(object, &lists) {
        let values: Vec<String> =
            list.iter().map(|value| scalar(value).unwrap_or_default()).collect();
        if values.iter().any(|text| text.starts_with("System.Diagnostics.Eventing")) {
            let message = object.get("Message").and_then(scalar).unwrap_or_default();
            if message_rules_out(event_id, &message) {
                return Ok(Vec::new());
            }
            let text = "ConvertTo-Json left the Properties out; use -Depth 3";
            return Err(Reason::Format(text.to_owned()));
        }
        let names = positions(event_id, values.len()).into_iter().map(str::to_owned);
        return Ok(names.zip(values).collect());
    }
    // Sentinel: the XML in a column; the columns beside it hold only some of the values.
    if let Some(Value::String(text)) = object.get("EventData")
        && text.trim_start().starts_with('<')
    {
        return xml::event_data(text);
    }
    if let Some(Value::Object(data)) = object.get("EventData") {
        return Ok(payload(event_id, data));
    }
    let named = object.iter().filter_map(|(key, value)| Some((key.clone(), scalar(value)?)));
    Ok(named.collect())
}

/// The `Payload` of EvtxECmd: `{"EventData":{"Data":[{"@Name":…,"#text":…}]}}` as text.
pub(crate) fn evtxecmd(event_id: u32, text: &str) -> Result<Vec<(String, String)>, Reason> {
    let bad = |error| Reason::Format(format!("JSON in Payload: {error}"));
    let value: Value = serde_json::from_str(text).map_err(bad)?;
    match value.get("EventData") {
        Some(Value::Object(data)) => Ok(payload(event_id, data)),
        _ => Ok(Vec::new()),
    }
}

/// The first of these keys that is there.
fn first<'a>(object: &'a Object, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().find_map(|key| object.get(*key))
}

/// `a.b.c` as nested objects, as one dotted key, or as anything between.
fn find<'a>(object: &'a Object, path: &str) -> Option<&'a Value> {
    if let Some(value) = object.get(path) {
        return Some(value);
    }
    path.match_indices('.').find_map(|(at, _)| {
        let (key, rest) = (path.get(..at)?, path.get(at + 1..)?);
        find(object.get(key)?.as_object()?, rest)
    })
}

/// An attribute of a converted element: `#attributes`, plain, `@`, or `Element_attributes`.
fn attribute(parent: &Object, element: &str, name: &str) -> Option<String> {
    let beside = parent.get(&format!("{element}_attributes")).and_then(Value::as_object);
    let inside = parent.get(element).and_then(Value::as_object);
    let below = inside.and_then(|node| node.get("#attributes")).and_then(Value::as_object);
    let marked = format!("@{name}");
    [beside, below, inside]
        .into_iter()
        .flatten()
        .find_map(|node| node.get(name).or_else(|| node.get(&marked)))
        .and_then(scalar)
}

/// The text of a value: of a number, of an element (`#text`, `text`), of a .NET object (`Value`), of
/// the first item of a list (Kibana's `fields`).
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Object(object) => {
            first(object, &["#text", "text", "Value", "value"]).and_then(scalar)
        }
        Value::Array(list) => list.first().and_then(scalar),
        Value::Null => None,
    }
}

fn number(text: &str) -> Result<u32, Reason> {
    text.trim().parse().map_err(|_| Reason::BadNumber("EventID"))
}

/// The first outcome that is one; a failure anywhere wins.
fn known(outcomes: impl Iterator<Item = Outcome>) -> Outcome {
    outcomes.fold(Outcome::Unknown, |before, next| match (before, next) {
        (Outcome::Failure, _) | (_, Outcome::Failure) => Outcome::Failure,
        (Outcome::Success, _) => Outcome::Success,
        (Outcome::Unknown, next) => next,
    })
}
