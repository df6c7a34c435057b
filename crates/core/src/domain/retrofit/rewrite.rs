//! Strings in a JSON document, found by pointer and replaced in its bytes: all else stays as the upstream wrote it, large
//! numbers, order and white space included.

use std::ops::Range;

use memchr::memchr;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::pointer::Pointer;
use crate::domain::secret::SecretString;

/// A byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Spans of a document, quotes included, and the strings to write there.
pub type Edits = Vec<(Range<usize>, String)>;

/// A well-formed JSON document.
#[derive(Clone, Copy)]
pub struct Document<'b> {
    bytes: &'b [u8],
}

impl std::fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document").field("bytes", &self.bytes.len()).finish()
    }
}

impl<'b> Document<'b> {
    /// `None` if the bytes are no JSON. A byte order mark may stand before it, as browsers accept it.
    #[must_use]
    pub fn parse(bytes: &'b [u8]) -> Option<Self> {
        let text = bytes.strip_prefix(MARK).unwrap_or(bytes);
        serde_json::from_slice::<IgnoredAny>(text).ok()?;
        Some(Self { bytes })
    }

    /// The strings at a place, with where each stands, quotes included. More than one if a member's name comes twice: readers
    /// differ on which counts, so none may be left. Empty strings are none.
    #[must_use]
    pub fn strings(&self, pointer: &Pointer) -> Vec<(Range<usize>, SecretString)> {
        let start = if self.bytes.starts_with(MARK) { MARK.len() } else { 0 };
        let mut walk = Walk { bytes: self.bytes, at: start };
        let mut spans = Vec::new();
        walk.find(pointer.steps(), &mut spans);
        let read = |span: Range<usize>| {
            let text: String = serde_json::from_slice(self.bytes.get(span.clone())?).ok()?;
            (!text.is_empty()).then(|| (span, SecretString::new(text)))
        };
        spans.into_iter().filter_map(read).collect()
    }

    /// Every string: where it stands, quotes included, what is between them as it is spelt, and whether it names a member.
    pub(super) fn all_strings(&self) -> Vec<(Range<usize>, &'b [u8], bool)> {
        let mut walk = Walk { bytes: self.bytes, at: 0 };
        let mut found = Vec::new();
        while let Some(next) = self.bytes.get(walk.at..).and_then(|rest| memchr(b'"', rest)) {
            walk.at += next;
            let span = walk.string();
            let spelt = self.bytes.get(span.start + 1..span.end.saturating_sub(1)).unwrap_or_default();
            found.push((span, spelt, walk.peek() == Some(b':')));
        }
        found
    }

    /// The document with some spans replaced by strings. Spans may come in any order; of two for one span the first counts.
    #[must_use]
    pub fn replaced(&self, mut edits: Edits) -> Vec<u8> {
        edits.sort_by_key(|(span, _)| span.start);
        let mut out = Vec::with_capacity(self.bytes.len());
        let mut copied = 0;
        for (span, text) in edits {
            if span.start < copied {
                continue;
            }
            out.extend_from_slice(self.bytes.get(copied..span.start).unwrap_or_default());
            // A string always has a JSON text.
            out.extend(serde_json::to_vec(&text).unwrap_or_default());
            copied = span.end;
        }
        out.extend_from_slice(self.bytes.get(copied..).unwrap_or_default());
        out
    }
}

/// An object that holds one string at a place: `/a/b` gives `{"a":{"b":text}}`, the empty pointer the string itself.
#[must_use]
pub fn object_at(pointer: &Pointer, text: &str) -> Value {
    let wrap = |inner: Value, name: &str| Value::Object(Map::from_iter([(name.to_owned(), inner)]));
    pointer.steps().iter().rev().fold(Value::from(text), |inner, name| wrap(inner, name))
}

/// Walks over a document that is known to be well formed.
struct Walk<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Walk<'_> {
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.bytes.get(self.at) {
            if !byte.is_ascii_whitespace() {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Passes a string. The cursor is on its quote.
    fn string(&mut self) -> Range<usize> {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.bytes.get(self.at) {
            self.at += match byte {
                b'\\' => 2,
                b'"' => {
                    self.at += 1;
                    return start..self.at;
                }
                _ => 1,
            };
        }
        start..self.at
    }

    /// Passes a value, however deep.
    fn skip(&mut self) {
        let mut depth = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string();
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                b',' | b':' => {
                    self.at += 1;
                    continue;
                }
                _ => self.scalar(),
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Passes a number or a word.
    fn scalar(&mut self) {
        let end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b':') || byte.is_ascii_whitespace();
        self.at += 1;
        while self.bytes.get(self.at).is_some_and(|byte| !end(byte)) {
            self.at += 1;
        }
    }

    /// Collects the strings at a place below the value under the cursor, and passes it.
    fn find(&mut self, steps: &[Box<str>], found: &mut Vec<Range<usize>>) {
        let Some((step, rest)) = steps.split_first() else {
            if self.peek() == Some(b'"') {
                found.push(self.string());
            } else {
                self.skip();
            }
            return;
        };
        match self.peek() {
            Some(b'{') => self.members(step, rest, found),
            Some(b'[') => self.items(step, rest, found),
            _ => self.skip(),
        }
    }

    fn members(&mut self, name: &str, rest: &[Box<str>], found: &mut Vec<Range<usize>>) {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'"') => {
                    let span = self.string();
                    // However it is spelt: "token" is the same name to every reader.
                    let same = self
                        .bytes
                        .get(span)
                        .and_then(|raw| serde_json::from_slice::<String>(raw).ok())
                        .is_some_and(|decoded| decoded == name);
                    if self.peek() == Some(b':') {
                        self.at += 1;
                    }
                    if same { self.find(rest, found) } else { self.skip() }
                }
                _ => {
                    self.at += 1;
                    return;
                }
            }
        }
    }

    fn items(&mut self, index: &str, rest: &[Box<str>], found: &mut Vec<Range<usize>>) {
        let wanted: Option<usize> = index.parse().ok().filter(|_| index == "0" || !index.starts_with('0'));
        self.at += 1;
        let mut position = 0;
        loop {
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    position += 1;
                }
                Some(b']') | None => {
                    self.at += 1;
                    return;
                }
                Some(_) => {
                    if Some(position) == wanted {
                        self.find(rest, found)
                    } else {
                        self.skip()
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};

    use super::*;

    fn swap(json: &str, pointer: &str) -> (Vec<String>, String) {
        let document = Document::parse(json.as_bytes()).unwrap();
        let found = document.strings(&Pointer::parse(pointer).unwrap());
        let values = found.iter().map(|(_, value)| value.expose().to_owned()).collect();
        let edits = found.into_iter().map(|(span, _)| (span, String::from("X"))).collect();
        (values, String::from_utf8(document.replaced(edits)).unwrap())
    }

    #[test]
    fn strings_are_replaced_where_they_stand() {
        for (json, pointer, value, after) in [
            (r#"{"token":"abc"}"#, "/token", "abc", r#"{"token":"X"}"#),
            (
                r#" { "n" : 1e400 , "token" :  "a\"b" , "z":[1, {}] } "#,
                "/token",
                "a\"b",
                r#" { "n" : 1e400 , "token" :  "X" , "z":[1, {}] } "#,
            ),
            (
                r#"{"a":{"b":[0,{"t":"v"}]},"t":"no"}"#,
                "/a/b/1/t",
                "v",
                r#"{"a":{"b":[0,{"t":"X"}]},"t":"no"}"#,
            ),
            (r#""whole""#, "", "whole", r#""X""#),
            (r#"{"\u0074oken":"abc"}"#, "/token", "abc", r#"{"\u0074oken":"X"}"#),
            (r#"{"x":"}\\","token":"abc"}"#, "/token", "abc", r#"{"x":"}\\","token":"X"}"#),
            (r#"[[],[],"t"]"#, "/2", "t", r#"[[],[],"X"]"#),
        ] {
            assert_eq!(swap(json, pointer), (vec![value.to_owned()], after.to_owned()), "{json}");
        }
        let marked = format!("\u{feff}{}", r#"{"token":"abc"}"#);
        assert_eq!(swap(&marked, "/token").0, ["abc"]);
    }

    /// A name that comes twice: one reader takes the first, another the last. Both go.
    #[test]
    fn doubled_members_all_go() {
        let (values, after) = swap(r#"{"token":"a","token":"b","t":{"token":"c"}}"#, "/token");
        assert_eq!(
            (values, after.as_str()),
            (vec!["a".into(), "b".into()], r#"{"token":"X","token":"X","t":{"token":"c"}}"#)
        );
    }

    #[test]
    fn what_is_no_string_there_stays() {
        for json in [
            r#"{"token":1}"#,
            r#"{"token":{"a":"b"}}"#,
            r#"{"token":""}"#,
            r#"{"token":null}"#,
            "{}",
            "[]",
            "1",
            r#""x""#,
            r#"{"a":"token"}"#,
        ] {
            let (values, after) = swap(json, "/token");
            assert!(values.is_empty() && after == json, "{json}");
        }
        for bad in ["", "{", "{\"token\":\"a\"", "token=a", ")]}',\n{}", "{} x"] {
            assert!(Document::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,8}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c\"\\\\]{0,2}", inner, 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// What the walk finds is what a parser finds; what is written back is the same document but for that string.
        #[test]
        fn agrees_with_a_parser(document in json(), steps in prop::collection::vec("[a-c]|0|1", 0..4)) {
            let text = serde_json::to_string_pretty(&document).unwrap();
            let pointer: String = steps.iter().map(|step| format!("/{step}")).collect();
            let expected = document.pointer(&pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
            let (values, after) = swap(&text, &pointer);
            assert_eq!(values.first().map(String::as_str), expected);
            let mut swapped = document.clone();
            if expected.is_some() {
                *swapped.pointer_mut(&pointer).unwrap() = Value::from("X");
            }
            assert_eq!(serde_json::from_str::<Value>(&after).unwrap(), swapped);
        }

        /// Hostile bytes never panic and never come out longer than they went in plus what was put in.
        #[test]
        fn hostile_bytes(bytes in any::<Vec<u8>>()) {
            if let Some(document) = Document::parse(&bytes) {
                let found = document.strings(&Pointer::parse("/a").unwrap());
                assert_eq!(found.is_empty(), document.replaced(found.iter().map(|(span, _)| (span.clone(), String::new())).collect()) == bytes);
            }
        }
    }

    #[test]
    fn bodies_are_made_by_pointer() {
        let of = |pointer| object_at(&Pointer::parse(pointer).unwrap(), "t").to_string();
        assert_eq!(
            (of("/a/b").as_str(), of("/t").as_str(), of("").as_str()),
            (r#"{"a":{"b":"t"}}"#, r#"{"t":"t"}"#, r#""t""#)
        );
    }
}
