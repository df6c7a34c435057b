//! JSON for hostile bytes: duplicate member names and deep nesting are errors (A15, A16).

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Deepest nesting of arrays and objects.
pub const MAX_DEPTH: u8 = 8;

/// Parses one JSON value strictly. `None` for anything off; the reason would only help a prober.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(value)
}

#[derive(Clone, Copy)]
struct Strict {
    depth: u8,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom("too deep"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Value, E> {
        Number::from_f64(v).map(Value::Number).ok_or_else(|| E::custom("number"))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = map.next_key::<Name>()? {
            let value = map.next_value_seed(inner)?;
            // Two readers of one token must never see two different members of one name.
            if members.insert(name.0, value).is_some() {
                return Err(A::Error::custom("duplicate member"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[derive(Deserialize)]
struct Name(String);

#[cfg(test)]
mod tests {
    use super::*;

    /// A15: strict about the form, and faithful to what it says.
    #[test]
    fn a15_values_are_what_they_were() {
        let text = r#"{"a":true,"b":false,"c":null,"d":-2,"e":18446744073709551615,"f":1.5,"g":"x","h":[1,{"i":"y"}]}"#;
        assert_eq!(parse(text.as_bytes()), serde_json::from_str(text).ok());
    }

    /// A15: duplicate members, at any depth. A16: depth.
    #[test]
    fn a15_a16_strictness() {
        assert!(parse(br#"{"a":1,"b":[true,null,-2,"x"]}"#).is_some());
        assert!(parse(br#"{"a":1,"a":1}"#).is_none());
        assert!(parse(br#"{"a":{"b":1,"b":2}}"#).is_none());
        assert!(parse(br#"{"a":1,"\u0061":2}"#).is_none(), "escaped spelling of the same name");
        assert!(parse(b"{} x").is_none());
        assert!(parse("[".repeat(9).as_bytes()).is_none());
        let at_limit = format!("{}{}", "[".repeat(8), "]".repeat(8));
        assert!(parse(at_limit.as_bytes()).is_some());
        assert!(parse(format!("[{at_limit}]").as_bytes()).is_none());
        assert!(parse(b"1e400").is_none());
    }
}
