//! The members of one JSON object from hostile bytes, read in one pass and without building a tree.
//!
//! As strict as [`super::json`]: a name that comes twice, at any depth and in any spelling, and nesting that is too deep
//! are errors (A15, A16). Known members land in slots; unknown ones are read just as strictly and forgotten.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::json::MAX_DEPTH;

/// A member's value, as far as tokens have a use for it. Borrowed from the input unless it was written with escapes.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Field<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A number that was written as an integer and fits.
    Integer(i64),
    /// An array of nothing but strings; the empty array is one.
    Texts(Vec<Cow<'a, str>>),
    /// `true` or `false`.
    Flag(bool),
    /// Anything else: `null`, fractions, numbers that do not fit, objects, mixed arrays. Never "absent" (A10).
    Other,
}

/// Where known members go.
pub(super) trait Slots<'a> {
    /// The slot of a name, or `None` if nobody reads it.
    fn slot(&mut self, name: &str) -> Option<&mut Option<Field<'a>>>;
}

/// Makes a struct of slots: one field a member, with its name.
macro_rules! slots {
    ($(#[$meta:meta])* $name:ident { $($field:ident: $member:literal,)* }) => {
        $(#[$meta])*
        #[derive(Default, Debug)]
        pub(super) struct $name<'a> {
            $(pub(super) $field: Option<$crate::domain::token::members::Field<'a>>,)*
        }

        impl<'a> $crate::domain::token::members::Slots<'a> for $name<'a> {
            fn slot(&mut self, name: &str) -> Option<&mut Option<$crate::domain::token::members::Field<'a>>> {
                match name {
                    $($member => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }
    };
}
pub(super) use slots;

/// Reads exactly one object. `None` for anything off; the reason would only help a prober.
pub(super) fn read<'a>(bytes: &'a [u8], slots: &mut impl Slots<'a>) -> Option<()> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    deserializer.deserialize_map(Top { slots }).ok()?;
    deserializer.end().ok()
}

struct Top<'s, S> {
    slots: &'s mut S,
}

impl<'de, S: Slots<'de>> Visitor<'de> for Top<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = Value { depth: 1 };
        let mut others = Names::default();
        while let Some(name) = map.next_key_seed(Name)? {
            match self.slots.slot(&name) {
                None => {
                    map.next_value_seed(inner)?;
                    others.add(name);
                }
                Some(slot) if slot.is_none() => *slot = Some(map.next_value_seed(inner)?),
                // Two readers of one token must never see two different members of one name.
                Some(_) => return Err(A::Error::custom("duplicate member")),
            }
        }
        others.distinct()
    }
}

/// Names that have no slot. Sorted once at the end: a token full of short names costs no quadratic time.
#[derive(Default)]
struct Names<'a>(Vec<Cow<'a, str>>);

impl<'a> Names<'a> {
    fn add(&mut self, name: Cow<'a, str>) {
        self.0.push(name);
    }

    fn distinct<E: Error>(mut self) -> Result<(), E> {
        self.0.sort_unstable();
        let twice = self.0.iter().zip(self.0.iter().skip(1)).any(|(a, b)| a == b);
        if twice { Err(E::custom("duplicate member")) } else { Ok(()) }
    }
}

/// A member's name, borrowed where it can be.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(v.to_owned()))
    }
}

/// A value `depth` containers deep.
#[derive(Clone, Copy)]
struct Value {
    depth: u8,
}

impl Value {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom("too deep"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Field<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Field<'de>, E> {
        Ok(Field::Flag(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Field<'de>, E> {
        Ok(Field::Integer(v))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Field<'de>, E> {
        Ok(i64::try_from(v).map_or(Field::Other, Field::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Field<'de>, E> {
        Ok(Field::Other)
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Borrowed(v)))
    }

    fn visit_str<E>(self, v: &str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Owned(v.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Field<'de>, E> {
        Ok(Field::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Field<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut texts = Some(Vec::new());
        while let Some(item) = seq.next_element_seed(inner)? {
            match (&mut texts, item) {
                (Some(texts), Field::Text(text)) => texts.push(text),
                _ => texts = None,
            }
        }
        Ok(texts.map_or(Field::Other, Field::Texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut names = Names::default();
        while let Some(name) = map.next_key_seed(Name)? {
            map.next_value_seed(inner)?;
            names.add(name);
        }
        names.distinct()?;
        Ok(Field::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    slots! {
        Two { a: "a", b: "b", }
    }

    fn of(text: &str) -> Option<Two<'_>> {
        let mut two = Two::default();
        read(text.as_bytes(), &mut two).map(|()| two)
    }

    #[test]
    fn values_by_type() {
        let two = of(r#" {"a":"x","c":{"d":[1,{"e":null}]},"b":["p","\u0071"]} "#).unwrap();
        assert_eq!(two.a, Some(Field::Text("x".into())));
        assert_eq!(two.b, Some(Field::Texts(vec!["p".into(), "q".into()])));
        for (text, field) in [
            ("1", Field::Integer(1)),
            ("-9223372036854775808", Field::Integer(i64::MIN)),
            ("9223372036854775808", Field::Other),
            ("1.0", Field::Other),
            ("1e3", Field::Other),
            ("-0", Field::Other),
            ("null", Field::Other),
            ("true", Field::Flag(true)),
            ("[]", Field::Texts(vec![])),
            ("[\"a\",1]", Field::Other),
            ("[null]", Field::Other),
            ("{}", Field::Other),
        ] {
            assert_eq!(of(&format!(r#"{{"a":{text}}}"#)).unwrap().a, Some(field), "{text}");
        }
    }

    /// A15: duplicate members, known and unknown, at any depth, in any spelling.
    #[test]
    fn a15_duplicates() {
        for bad in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"z":1,"y":2,"z":3}"#,
            r#"{"z":1,"\u007a":3}"#,
            r#"{"z":{"a":1,"a":2}}"#,
            r#"{"a":[{"q":1,"r":2,"q":1}]}"#,
            r#"{"a":null,"a":1}"#,
        ] {
            assert!(of(bad).is_none(), "{bad}");
        }
    }

    /// A16: depth, also below members that nobody reads. The object itself is the first level.
    #[test]
    fn a16_depth() {
        let nested = |levels: usize| format!(r#"{{"z":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        assert!(of(&nested(7)).is_some());
        assert!(of(&nested(8)).is_none());
        assert!(of(&format!("{}{}", "[".repeat(4000), "]".repeat(4000))).is_none());
        assert!(of(&r#"{"a":"#.repeat(1000)).is_none());
    }

    #[test]
    fn nothing_but_one_object() {
        for bad in [
            "",
            " ",
            "null",
            "[]",
            "\"a\"",
            "1",
            "{} {}",
            "{},",
            "{\"a\":1,}",
            "{'a':1}",
            "\u{feff}{}",
            "{\"a\":1e400}",
            "{\"a\":01}",
            "{\"a\":NaN}",
        ] {
            assert!(of(bad).is_none(), "{bad:?}");
        }
        let mut two = Two::default();
        assert!(read(b"{\"a\":\"\xff\"}", &mut two).is_none(), "not UTF-8");
        assert!(read(b"{\"a\":\"\\ud800\"}", &mut two).is_none(), "half a surrogate pair");
    }
}
