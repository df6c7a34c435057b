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

/// Names whose values are secrets wherever they stand (I01).
const SECRET_NAMES: [&str; 22] = [
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
    let mut out = String::new();
    let mut copied = 0;
    let mut secret_until_line_end = false;
    let mut secret_next = false;
    for (start, word) in words(text) {
        let gap = text.get(copied..start).unwrap_or_default();
        if gap.contains('\n') {
            secret_until_line_end = false;
            secret_next = false;
        }
        let end = start + word.len();
        let label = if secret_until_line_end || secret_next {
            Some("secret")
        } else {
            shape(word).map(TokenShape::as_str)
        };
        if let Some(label) = label {
            out.push_str(gap);
            out.push_str("[redacted ");
            out.push_str(label);
            out.push(']');
            copied = end;
        } else {
            out.push_str(text.get(copied..end).unwrap_or_default());
            copied = end;
        }
        let rest = text.get(end..).unwrap_or_default();
        secret_next = false;
        if is_secret_name(word) {
            let after = rest.trim_start_matches(['"', '\'', ' ', '\\']);
            if after.starts_with(':') || after.starts_with('=') {
                // A header's value goes on to the end of the line, another value to the next separator.
                secret_until_line_end = is_header(word);
                secret_next = true;
            }
        }
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

fn is_secret_name(word: &str) -> bool {
    SECRET_NAMES.iter().any(|name| name.eq_ignore_ascii_case(word))
}

fn is_header(word: &str) -> bool {
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "dpop"]
        .iter()
        .any(|n| n.eq_ignore_ascii_case(word))
}

/// Runs of characters that tokens and names are made of.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| {
        c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '+' | '%' | '!' | '$' | '@' | '/')
    };
    let mut rest = 0;
    std::iter::from_fn(move || {
        let tail = text.get(rest..)?;
        let start = rest + tail.find(is_word)?;
        let word = text.get(start..)?;
        let end = start + word.find(|c| !is_word(c)).unwrap_or(word.len());
        rest = end;
        Some((start, text.get(start..end)?))
    })
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
