//! JSON text to a value without the parts that only matter once an event is of interest: most are not,
//! and those parts are most of the text. They are passed over as syntax, which costs no allocation.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Keys, at any depth, whose values tell neither the id nor the time of an event.
const SKIPPED: &[&str] = &["EventData", "event_data", "message", "Message"];

/// The value with `null` under each skipped key; `None`: no JSON.
pub(super) fn value(text: &str) -> Option<Value> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Skim.deserialize(&mut json).ok()?;
    json.end().ok()?;
    Some(value)
}

struct Skim;

impl<'de> DeserializeSeed<'de> for Skim {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skim {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(truth.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Skim)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = if SKIPPED.contains(&key.as_str()) {
                entries.next_value::<IgnoredAny>().map(|_| Value::Null)?
            } else {
                entries.next_value_seed(Skim)?
            };
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn all_but_what_is_skipped() {
        let check = |text: &str, expect: &str| {
            assert_eq!(value(text).map(|v| v.to_string()).unwrap_or_default(), expect, "{text}");
        };
        check(r#"{"a":[1,-2,2.5,true,null,"x\u0041"]}"#, r#"{"a":[1,-2,2.5,true,null,"xA"]}"#);
        check(r#"{"EventData":{"x":[{}]}}"#, r#"{"EventData":null}"#);
        check(r#"{"winlog":{"event_data":1,"id":2}}"#, r#"{"winlog":{"event_data":null,"id":2}}"#);
        check(r#"{"a":1}{"#, "");
        check(r#"{"EventData":{]}"#, "");
        check("", "");
    }
}
