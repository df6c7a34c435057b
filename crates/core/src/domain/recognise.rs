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

/// Bytes of the longest token that a verifier here would look at (A16), and some.
const LONGEST_TOKEN: usize = 8 * 1024 + 256;

/// Stands where text was cut.
const CUT: &str = "[cut]";

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

/// Redacts text that a client chose, then cuts it to at most `longest` bytes. In this order: half a token is no
/// token to a scanner, and worth as much as a whole one to a thief who knows where it was cut.
///
/// Percent-encoding is looked behind: if what it hides holds a secret, nothing of the text is left.
#[must_use]
pub fn redact_and_cut(text: &str, longest: usize) -> Cow<'_, str> {
    // Long enough for a token that begins in what is kept; what lies beyond is never looked at.
    let window = text.get(..text.floor_char_boundary(longest + LONGEST_TOKEN)).unwrap_or_default();
    if hides_a_secret(window) {
        return Cow::Borrowed("[redacted]");
    }
    let redacted = redact(window);
    if redacted.len() <= longest && window.len() == text.len() {
        return redacted;
    }
    let room = longest.saturating_sub(CUT.len());
    let kept = redacted.get(..redacted.floor_char_boundary(room)).unwrap_or_default();
    // A token longer than any that we know, whose end is out of sight.
    let run = kept.rfind(|c: char| !c.is_ascii() || run_len(c.encode_utf8(&mut [0; 4])) == 0);
    let run = run.and_then(|at| kept.get(at..)?.chars().next().map(|c| at + c.len_utf8())).unwrap_or(0);
    let tail = kept.get(run..).unwrap_or_default();
    let begins = ["eyJ", "csr_", "csk_"].iter().filter_map(|start| tail.find(start)).min();
    let end = begins.map_or(kept.len(), |at| run + at);
    Cow::Owned(format!("{}{CUT}", kept.get(..end).unwrap_or_default()))
}

/// Whether percent-decoding, once or twice, brings a secret to light that was not there before.
fn hides_a_secret(text: &str) -> bool {
    let mut decoded = Cow::Borrowed(text);
    for _ in 0..2 {
        if !decoded.contains('%') {
            return false;
        }
        let once = percent_encoding::percent_decode_str(&decoded).decode_utf8_lossy().into_owned();
        if matches!(redact(&once), Cow::Owned(_)) {
            return true;
        }
        decoded = Cow::Owned(once);
    }
    false
}

/// Whether the value of a member, field or header of this name is a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    SECRET_NAMES.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// Whether text could hold any secret at all. Cheap: every value that is logged comes by here.
fn is_suspect(text: &str) -> bool {
    let bytes = text.as_bytes();
    let preceded = |at: usize, by: [&[u8]; 2]| {
        bytes.get(..at).is_some_and(|before| by.iter().any(|end| before.ends_with(end)))
    };
    // A name and its value; the `_` of `csr_` and `csk_`, which user agents are full of by itself; the beginning of a
    // JSON object in base64url.
    memchr::memchr2(b':', b'=', bytes).is_some()
        || memchr::memchr_iter(b'_', bytes).any(|at| preceded(at, [b"csr", b"csk"]))
        || memchr::memchr_iter(b'J', bytes).any(|at| preceded(at, [b"ey", b"ey"]))
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
    // Up to here no JWT can begin: looked for once a run, so that `eyJeyJeyJ…` costs no more than other text.
    let mut barren = from;
    for (offset, c) in text.get(from..)?.char_indices() {
        let start = from + offset;
        let rest = text.get(start..)?;
        // Every log line comes by here: most characters must cost next to nothing.
        if c == 'c'
            && let Some((token, label)) = token_at(rest)
        {
            return Some(Found { start, end: start + token.len(), label });
        }
        if c == 'e' && start >= barren && rest.starts_with("eyJ") {
            match jwt_at(rest) {
                Ok(token) => {
                    let label = TokenShape::Jwt.as_str();
                    return Some(Found { start, end: start + token.len(), label });
                }
                Err(run) => barren = start + run,
            }
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

/// The JWT that a text begins with, whatever follows it; else how many bytes of the text cannot hold one.
fn jwt_at(rest: &str) -> Result<&str, usize> {
    let run = rest.get(..run_len(rest)).unwrap_or_default();
    let mut dots = run.match_indices('.').map(|(at, _)| at).skip(1);
    if dots.next().is_none() {
        return Err(run.len());
    }
    let token = run.get(..dots.next().unwrap_or(run.len())).unwrap_or_default();
    // Too short, or the placeholder: what stands behind it may be one.
    if shape(token).is_some() { Ok(token) } else { Err(3) }
}

/// How many bytes of what tokens are made of a text begins with.
fn run_len(text: &str) -> usize {
    let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    text.bytes().position(|b| !part(b)).unwrap_or(text.len())
}

/// The refresh token or API key that a text begins with, whatever follows it.
fn token_at(rest: &str) -> Option<(&str, &'static str)> {
    let digits = match rest.get(..4)? {
        "csr_" => REFRESH_DIGITS,
        "csk_" => API_KEY_DIGITS,
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

    /// I01: what is cut is redacted first, whatever the token's length and place, and behind percent-encoding too.
    #[test]
    fn i01_nothing_survives_a_cut() {
        let jwt = format!("eyJhbGciOiJFZERTQSJ9.eyJzaWQiOiJzZWNyZXQifQ{}.c2lnbmF0dXJl", "A".repeat(700));
        let huge = format!("eyJhbGciOiJFZERTQSJ9.{}.c2ln", "QUJD".repeat(4000));
        for token in [
            jwt,
            huge,
            refresh(),
            refresh().replace("csr_", "%63sr%5f"),
            refresh().replace("csr_", "csr%255F"),
        ] {
            for before in [0, 100, 440, 505, 512] {
                let text = format!("/{}/{token}/after", "p".repeat(before));
                let kept = redact_and_cut(&text, 512);
                assert!(kept.len() <= 512, "{}", kept.len());
                let secret = token.get(30..60).unwrap();
                assert!(
                    !kept.contains(secret) && !kept.contains("eyJ") && !kept.contains("sr_p"),
                    "{before}: {kept}"
                );
            }
        }
        assert_eq!(redact_and_cut("/cb/code%3dSECRET", 512), "[redacted]");
        for harmless in ["/a%20b/c", "/people/42", "/100%", "/ümläut"] {
            assert!(
                matches!(redact_and_cut(harmless, 512), Cow::Borrowed(same) if same == harmless),
                "{harmless}"
            );
        }
        assert_eq!(redact_and_cut(&"ä".repeat(300), 512), format!("{}[cut]", "ä".repeat(253)));
    }

    /// Runs without a token cost no more than other text, however many beginnings of one they hold.
    #[test]
    fn hostile_runs_are_read_once() {
        let text = "eyJ".repeat(400_000);
        assert!(matches!(redact(&text), Cow::Borrowed(_)));
        let dotted = format!("{}.a.b", "eyJ".repeat(100_000));
        assert!(redact(&dotted).starts_with("[redacted JWT]"));
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
