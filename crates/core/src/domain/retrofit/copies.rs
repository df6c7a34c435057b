//! Copies of a token elsewhere in an answer, however they are spelt: a token that is half removed is not removed.

use memchr::memmem;
use percent_encoding::percent_decode;

use super::rewrite::{Document, Edits};
use crate::domain::secret::SecretString;

/// Shorter strings are words, not tokens: they may stand in an answer for other reasons, and only count where they stand alone.
const SHORTEST: usize = 8;
/// How often a text is decoded: JSON in a string of JSON, percent-encoded twice.
const DEEPEST: usize = 4;

/// Tokens that were caught, with what stands in their place.
#[derive(Default)]
pub struct Copies {
    texts: Vec<(SecretString, String)>,
}

impl std::fmt::Debug for Copies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Copies").field("texts", &self.texts.len()).finish()
    }
}

impl Copies {
    /// Adds a token, as it stood and as it is without percent-encoding (the value of a cookie, say).
    pub fn add(&mut self, token: &str, placeholder: &str) {
        let decoded = percent_decode(token.as_bytes()).decode_utf8_lossy();
        for text in [token, &*decoded, decoded.trim_matches('"')] {
            if !text.is_empty() && self.texts.iter().all(|(known, _)| known.expose() != text) {
                self.texts.push((SecretString::new(text.to_owned()), placeholder.to_owned()));
            }
        }
    }

    /// Whether nothing was caught.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Whether a text holds one, in any spelling. Short ones are not looked for.
    #[must_use]
    pub fn are_in(&self, text: &[u8]) -> bool {
        self.text_in(text).is_some()
    }

    /// Whether a text is one, all of it and as it stands.
    #[must_use]
    pub fn include(&self, text: &[u8]) -> bool {
        self.whole(text).is_some()
    }

    /// The body without them, if there are any: in strings of JSON, else wherever they stand.
    #[must_use]
    pub fn out_of(&self, body: &[u8]) -> Option<Vec<u8>> {
        if self.is_empty() {
            return None;
        }
        if let Some(document) = Document::parse(body) {
            let edits = self.edits(&document);
            return (!edits.is_empty()).then(|| document.replaced(edits));
        }
        if let Some(placeholder) = self.whole(body.trim_ascii()) {
            return Some(placeholder.as_bytes().to_vec());
        }
        self.text_in(body)?;
        let plain = self.without(body);
        if self.text_in(&plain).is_none() {
            return Some(plain);
        }
        // Spelt in another way: all that stands between two delimiters goes.
        let delimits = |b: &u8| b.is_ascii_whitespace() || b"\"'`<>&;,".contains(b);
        let mut out = Vec::with_capacity(plain.len());
        for piece in plain.split_inclusive(delimits) {
            match self.text_in(piece) {
                Some(placeholder) => {
                    out.extend_from_slice(placeholder.as_bytes());
                    out.extend(piece.last().filter(|b| delimits(b)));
                }
                None => out.extend_from_slice(piece),
            }
        }
        // An encoded delimiter within the token: nothing of such a body can be kept.
        Some(match self.text_in(&out) {
            Some(placeholder) => placeholder.as_bytes().to_vec(),
            None => out,
        })
    }

    /// What to replace in a document: strings that hold a token, names of members included, and strings that are a short one.
    #[must_use]
    pub fn edits(&self, document: &Document<'_>) -> Edits {
        let mut edits = Edits::new();
        if self.is_empty() {
            return edits;
        }
        for (span, raw, is_name) in document.all_strings() {
            let text = unescaped(raw);
            if !is_name && let Some(placeholder) = self.whole(&text) {
                edits.push((span, placeholder.to_owned()));
            } else if self.text_in(&text).is_some() {
                let rest = self.without(&text);
                let rest = match self.text_in(&rest) {
                    Some(placeholder) => placeholder.to_owned(),
                    None => String::from_utf8_lossy(&rest).into_owned(),
                };
                edits.push((span, rest));
            }
        }
        edits
    }

    /// The placeholder of the token that a text is, all of it.
    fn whole(&self, text: &[u8]) -> Option<&str> {
        let found = self.texts.iter().find(|(token, _)| token.expose().as_bytes() == text)?;
        Some(&found.1)
    }

    /// The placeholder of a token of some length that a text holds in any spelling.
    fn text_in(&self, text: &[u8]) -> Option<&str> {
        let mut text = std::borrow::Cow::Borrowed(text);
        for _ in 0..DEEPEST {
            let found =
                self.long().find(|(token, _)| memmem::find(&text, token.expose().as_bytes()).is_some());
            if let Some((_, placeholder)) = found {
                return Some(placeholder);
            }
            let next = unescaped(&percent_decode(&text).collect::<Vec<u8>>());
            if *next == *text {
                return None;
            }
            text = next.into();
        }
        None
    }

    fn long(&self) -> impl Iterator<Item = &(SecretString, String)> {
        self.texts.iter().filter(|(token, _)| token.expose().len() >= SHORTEST)
    }

    /// The text with the placeholders, where the tokens stand as they are.
    fn without(&self, text: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        for (token, placeholder) in self.long() {
            let token = token.expose().as_bytes();
            let mut out = Vec::with_capacity(text.len());
            let mut copied = 0;
            for at in memmem::find_iter(&text, token) {
                out.extend_from_slice(text.get(copied..at).unwrap_or_default());
                out.extend_from_slice(placeholder.as_bytes());
                copied = at + token.len();
            }
            out.extend_from_slice(text.get(copied..).unwrap_or_default());
            text = out;
        }
        text
    }
}

/// Undoes the escapes of JSON (RFC 8259 §7). What is none stays; halves of surrogate pairs become U+FFFD.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, escape) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        let (byte, length) = match escape.get(1) {
            Some(b'u') => match unit(escape) {
                Some(unit) => {
                    let low = escape.get(6..).and_then(self::unit);
                    let pair: Vec<u16> = std::iter::once(unit).chain(low).collect();
                    let read = char::decode_utf16(pair).next().and_then(Result::ok);
                    let length = if read.is_some_and(|c| c.len_utf16() == 2) { 12 } else { 6 };
                    let c = read.unwrap_or(char::REPLACEMENT_CHARACTER);
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    (None, length)
                }
                None => (Some(b'\\'), 1),
            },
            Some(b'b') => (Some(8), 2),
            Some(b'f') => (Some(12), 2),
            Some(b'n') => (Some(b'\n'), 2),
            Some(b'r') => (Some(b'\r'), 2),
            Some(b't') => (Some(b'\t'), 2),
            Some(same @ (b'"' | b'\\' | b'/')) => (Some(*same), 2),
            _ => (Some(b'\\'), 1),
        };
        out.extend(byte);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

/// The code unit of an escape at the beginning of a text: `\u002F`.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    let digits =
        std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    const TOKEN: &str = "9f/aB+cDeFgHiJk==";

    fn copies(token: &str) -> Copies {
        let mut copies = Copies::default();
        copies.add(token, "P");
        copies
    }

    fn out(token: &str, body: &str) -> Option<String> {
        copies(token).out_of(body.as_bytes()).map(|body| String::from_utf8(body).unwrap())
    }

    /// D19: as it stands, as PHP writes it, as a character's number, in JSON within JSON, for an address.
    #[test]
    fn d19_every_spelling_of_a_copy() {
        for (body, rest) in [
            (r#"{"n":1e400, "a":"9f/aB+cDeFgHiJk=="}"#, r#"{"n":1e400, "a":"P"}"#),
            (r#"{"a":"Bearer 9f\/aB+cDeFgHiJk=="}"#, r#"{"a":"Bearer P"}"#),
            (r#"{"a":"\u0039f/aB\u002BcDeFgHiJk=\u003d"}"#, r#"{"a":"P"}"#),
            (r#"{"a":"{\"t\":\"9f\\/aB+cDeFgHiJk==\"}"}"#, r#"{"a":"P"}"#),
            (r#"{"a":"/next?t=9f%2FaB%2BcDeFgHiJk%3D%3D"}"#, r#"{"a":"P"}"#),
            (r#"{"a":"9f%252FaB%252BcDeFgHiJk%253D%253d"}"#, r#"{"a":"P"}"#),
            (r#"{"a":"\ud800 9f/aB+cDeFgHiJk== \"x\""}"#, "{\"a\":\"\u{fffd} P \\\"x\\\"\"}"),
            (r#"{"9f\/aB+cDeFgHiJk==":[true]}"#, r#"{"P":[true]}"#),
            ("<p>9f/aB+cDeFgHiJk==</p>", "<p>P</p>"),
            ("t='9f\\/aB+cDeFgHiJk=='; u=1", "t='P'; u=1"),
            ("<a href=\"/?t=9f%2faB%2BcDeFgHiJk%3D%3D\">x", "<a href=\"P\">x"),
        ] {
            assert_eq!(out(TOKEN, body).as_deref(), Some(rest), "{body}");
        }
        for other in [r#"{"a":"9f/aB+cDeFgHiJk="}"#, "{}", "<p>9f/aB", r#""\\u0039""#, ""] {
            assert_eq!(out(TOKEN, other), None, "{other}");
        }
    }

    /// A cookie's value is encoded, its copy in the body is not.
    #[test]
    fn of_a_cookie_that_is_percent_encoded() {
        let body = r#"{"session":"s:abcdef.gh/i"}"#;
        assert_eq!(out("s%3Aabcdef.gh%2Fi", body).as_deref(), Some(r#"{"session":"P"}"#));
        assert_eq!(out("\"s:abcdef.gh/i\"", body).as_deref(), Some(r#"{"session":"P"}"#));
    }

    /// Short ones only where they are all of a string, and never as a member's name.
    #[test]
    fn short_tokens_go_where_they_stand_alone() {
        assert_eq!(
            out("abc1", r#"{"abc1":"xabc1","b":["abc\u0031"]}"#).as_deref(),
            Some(r#"{"abc1":"xabc1","b":["P"]}"#)
        );
        assert_eq!((out("abc1", "abc1 abc1"), out("abc1", "abc1\n").as_deref()), (None, Some("P")));
        assert!(copies("abc1").include(b"abc1") && !copies("abc1").include(b"abc12"));
        assert!(copies("").is_empty());
    }

    /// A delimiter that is encoded within the token: the body goes.
    #[test]
    fn what_cannot_be_cut_out_goes_whole() {
        assert_eq!(out("abcd;efgh\"ij", "x abcd;efgh%22ij y").as_deref(), Some("P"));
    }

    #[test]
    fn i03_they_do_not_print() {
        assert!(!format!("{:?}", copies(TOKEN)).contains("aB"));
    }

    proptest! {
        /// Whatever the body: nothing of the token is left in it, and JSON stays JSON.
        #[test]
        fn nothing_is_left(before in any::<Vec<u8>>(), after in any::<Vec<u8>>()) {
            let body = [before.as_slice(), TOKEN.as_bytes(), after.as_slice()].concat();
            let rest = copies(TOKEN).out_of(&body).unwrap();
            assert!(memmem::find(&rest, TOKEN.as_bytes()).is_none());
        }

        #[test]
        fn escapes_are_undone_as_by_a_parser(text in "\\PC{0,20}[\"\\\\/\u{8}\n😀]{0,4}") {
            let json = serde_json::to_string(&text).unwrap();
            let inner = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap();
            assert_eq!(unescaped(inner.as_bytes()), text.as_bytes());
            let utf16: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            assert_eq!(unescaped(utf16.as_bytes()), text.as_bytes());
        }
    }
}
