//! What a token of ours looks like, and how to take it out of text.
//!
//! One set of patterns for the log's second line of defence and for scanners (G10).

use std::borrow::Cow;

use super::token::{api_key, checksum, jws};

/// What was recognised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenShape {
    /// `csr_…` with a good checksum.
    Refresh,
    /// `csk_…` with a good checksum.
    ApiKey,
    /// A compact JWS, signed by anybody.
    Jwt,
}

impl TokenShape {
    /// Word for what takes its place.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refresh => "refresh token",
            Self::ApiKey => "API key",
            Self::Jwt => "JWT",
        }
    }
}

/// Base62 digits of a refresh token before its checksum (design §4).
const REFRESH_DIGITS: usize = 72;
/// Base62 digits of an API key before its checksum (design §4).
const API_KEY_DIGITS: usize = 49;

/// Names whose values are secrets wherever they stand (I01).
const SECRET_NAMES: [&str; 23] = [
    "password",
    "passwd",
    "current_password",
    "new_password",
    "_csrf",
    "csrf_token",
    "x-csrf-token",
    "access_token",
    "refresh_token",
    "id_token",
    "api_key",
    "apikey",
    "client_secret",
    "secret",
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "dpop",
    "code",
    "invitation",
    "countersign-assertion",
    "countersign-forward-auth",
];

/// Recognises one whole word.
#[must_use]
pub fn shape(word: &str) -> Option<TokenShape> {
    if word.starts_with("csk_") {
        return api_key::environment_of(word).map(|_| TokenShape::ApiKey);
    }
    if word.starts_with("csr_") {
        return checksum::strip(word).map(|_| TokenShape::Refresh);
    }
    // The placeholder that the retrofit leaves in place of a token is signed with the word itself and is no token.
    (jws::looks_like_jws(word) && !word.ends_with(".countersign") && word.len() >= 20)
        .then_some(TokenShape::Jwt)
}

/// Replaces every token and every value of a secret name. Text without any is returned as it is.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    if !is_suspect(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut copied = 0;
    while let Some(found) = next_secret(text, copied) {
        out.push_str(text.get(copied..found.start).unwrap_or_default());
        out.push_str("[redacted ");
        out.push_str(found.label);
        out.push(']');
        copied = found.end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// Whether the value of a member, field or header of this name is a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    SECRET_NAMES.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// Whether text could hold any secret at all. Cheap: every value that is logged comes by here.
fn is_suspect(text: &str) -> bool {
    let bytes = text.as_bytes();
    // A name and its value, the `_` of `csr_` and `csk_`, the beginning of a JSON object in base64url.
    memchr::memchr3(b':', b'=', b'_', bytes).is_some()
        || memchr::memchr_iter(b'J', bytes).any(|at| bytes.get(..at).is_some_and(|b| b.ends_with(b"ey")))
}

/// A part of a text that has to go, as byte offsets.
struct Found {
    start: usize,
    end: usize,
    label: &'static str,
}

/// The first secret that starts at or after `from`. Never empty, so a search that goes on behind it ends.
fn next_secret(text: &str, from: usize) -> Option<Found> {
    let mut in_name = text.get(..from)?.ends_with(is_name_char);
    for (offset, c) in text.get(from..)?.char_indices() {
        let start = from + offset;
        let rest = text.get(start..)?;
        // Every log line comes by here: most characters must cost next to nothing.
        if matches!(c, 'c' | 'e')
            && let Some((token, label)) = token_at(rest)
        {
            return Some(Found { start, end: start + token.len(), label });
        }
        let starts_name = is_name_char(c) && !in_name;
        in_name = is_name_char(c);
        if starts_name && let Some((skipped, value)) = secret_value(rest) {
            let start = start + skipped;
            return Some(Found { start, end: start + value.len(), label: "secret" });
        }
    }
    None
}

/// The token that a text begins with, whatever follows it.
fn token_at(rest: &str) -> Option<(&str, &'static str)> {
    let digits = match rest.get(..4)? {
        "csr_" => REFRESH_DIGITS,
        "csk_" => API_KEY_DIGITS,
        start if start.starts_with("eyJ") => {
            let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            let run = rest.find(|c| !part(c) && c != '.').map_or(Some(rest), |end| rest.get(..end))?;
            let end = run.match_indices('.').nth(2).map_or(run.len(), |(third, _)| third);
            let token = run.get(..end)?;
            return shape(token).map(|shape| (token, shape.as_str()));
        }
        _ => return None,
    };
    let label = rest.get(4..)?.find('_')?;
    let token = rest.get(..4 + label + 1 + digits + checksum::DIGITS)?;
    shape(token).map(|shape| (token, shape.as_str()))
}

/// The value, and how far behind the start of the name it begins, if a text begins with a secret name and its value.
fn secret_value(rest: &str) -> Option<(usize, &str)> {
    let name = rest.find(|c| !is_name_char(c)).map_or(Some(rest), |end| rest.get(..end))?;
    if !is_secret_name(name) {
        return None;
    }
    let after = rest.get(name.len()..)?.trim_start_matches(['"', '\'', ' ', '\\', ']']);
    let value = after.strip_prefix([':', '='])?.trim_start_matches([' ', '\t']);
    if is_header(name) {
        let end = value.find(['\r', '\n']).unwrap_or(value.len());
        return spanned(rest, value, end);
    }
    let quote = value.find(['"', '\'', '\\']).filter(|at| {
        // Nothing, or what `Debug` and JSON put before a quoted value.
        value.get(..*at).is_some_and(|before| ["", "Some(", "Ok(", "[", "(", "b"].contains(&before))
    });
    let Some(quote) = quote else {
        // Commas and brackets may be part of it: better too much than half a password.
        return spanned(rest, value, bare_len(value));
    };
    // The opening quote with its escapes: text that was quoted twice closes with the same.
    let quoted = value.get(quote..)?;
    let content = quoted.trim_start_matches('\\');
    let opener = quoted.get(..quoted.len() - content.len() + 1)?;
    let content = content.get(1..)?;
    let closed = content.match_indices(opener).map(|(at, _)| at).find(|at| {
        let escapes = content.get(..*at).unwrap_or_default();
        (escapes.len() - escapes.trim_end_matches('\\').len()).is_multiple_of(2)
    });
    let end = match closed {
        // An apostrophe may also be the first character of a form value.
        _ if opener == "'" => closed.unwrap_or(0).max(bare_len(content)),
        Some(end) => end,
        None => content.len(),
    };
    spanned(rest, content, end)
}

/// How long a value without quotes is.
fn bare_len(value: &str) -> usize {
    value.find(|c: char| c.is_whitespace() || matches!(c, '&' | '"')).unwrap_or(value.len())
}

/// `value` is a tail of `rest`: how far behind its start, and its first `len` bytes. `None` for an empty one.
fn spanned<'t>(rest: &'t str, value: &'t str, len: usize) -> Option<(usize, &'t str)> {
    let value_only = value.get(..len).filter(|v| !v.is_empty())?;
    Some((rest.len() - value.len(), value_only))
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

fn is_header(word: &str) -> bool {
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "dpop"]
        .iter()
        .any(|n| n.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::base62;

    fn refresh() -> String {
        let mut t = format!("csr_production_{}", base62::encode(&[0xab; 53], 72));
        t.push_str(&checksum::of(&t));
        t
    }

    /// G10: the published shapes. The retrofit's placeholder is none.
    #[test]
    fn g10_shapes() {
        assert_eq!(shape(&refresh()), Some(TokenShape::Refresh));
        assert_eq!(shape("csr_production_nonsense"), None);
        assert_eq!(shape("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln"), Some(TokenShape::Jwt));
        assert_eq!(shape("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.countersign"), None);
        assert_eq!(shape("hello"), None);
    }

    /// I01: tokens and values of secret names never survive.
    #[test]
    fn i01_redaction() {
        let token = refresh();
        let jwt = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";
        for (text, gone) in [
            (format!("got {token} there"), token.as_str()),
            (format!("authorization: Bearer {jwt}\nnext"), jwt),
            ("Cookie: a=b; theme=dark\nnext".to_owned(), "dark"),
            (r#"{"password":"hunter2 is my pass"}"#.to_owned(), "hunter2"),
            ("/cb?code=abcdef&x=1".to_owned(), "abcdef"),
            ("_csrf=Zm9vYmFy&email=a".to_owned(), "Zm9vYmFy"),
        ] {
            let redacted = redact(&text);
            assert!(!redacted.contains(gone), "{redacted}");
            assert!(redacted.contains("[redacted"), "{redacted}");
        }
        assert!(redact("Cookie: a=b\nnext line stays").contains("next line stays"));
        assert!(matches!(redact("nothing to see, move on"), Cow::Borrowed(_)));
    }
}
