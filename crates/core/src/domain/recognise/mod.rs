//! What a token of ours looks like, and how to take it out of text.
//!
//! One set of patterns for the log's second line of defence and for scanners (G10).

mod hidden;
mod search;
mod value;

use std::borrow::Cow;

use search::Search;
pub use value::is_secret_name;

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

/// Bytes beyond what is kept of a text that are looked at: a whole opaque token, and most JWTs, that begin in what is kept. Longer ones
/// end out of sight, and go by their beginning.
const AHEAD: usize = 768;

/// Bytes of the shortest JWT.
const SHORTEST_JWT: usize = 20;
/// The placeholder that the retrofit leaves in place of a token is signed with this word and is no token.
const PLACEHOLDER_END: &str = ".countersign";

/// Stands where text was cut.
const CUT: &str = "[cut]";

/// Recognises one whole word.
#[must_use]
pub fn shape(word: &str) -> Option<TokenShape> {
    if word.starts_with("csk_") {
        return api_key::environment_of(word).map(|_| TokenShape::ApiKey);
    }
    if word.starts_with("csr_") {
        return checksum::strip(word).map(|_| TokenShape::Refresh);
    }
    (jws::looks_like_jws(word) && !word.ends_with(PLACEHOLDER_END) && word.len() >= SHORTEST_JWT)
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
    for found in Search::new(text) {
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
/// Percent-encoding is looked behind, however often it was applied: if what it hides holds a secret, nothing of the text is left.
#[must_use]
pub fn redact_and_cut(text: &str, longest: usize) -> Cow<'_, str> {
    // What lies beyond is never looked at: requests choose how long it is.
    let window = text.get(..text.floor_char_boundary(longest + AHEAD)).unwrap_or_default();
    let is_cut = window.len() < text.len();
    let is_secret =
        |decoded: &str| matches!(redact(decoded), Cow::Owned(_)) || (is_cut && unfinished(decoded).is_some());
    if hidden::hides(window, is_secret) {
        return Cow::Borrowed("[redacted]");
    }
    let redacted = redact(window);
    if redacted.len() <= longest && !is_cut {
        return redacted;
    }
    let room = longest.saturating_sub(CUT.len());
    let kept = redacted.get(..redacted.floor_char_boundary(room)).unwrap_or_default();
    let kept = unfinished(kept).and_then(|at| kept.get(..at)).unwrap_or(kept);
    Cow::Owned(format!("{kept}{CUT}"))
}

/// Where a token begins whose end may be out of sight.
fn unfinished(text: &str) -> Option<usize> {
    let run = text.len() - text.bytes().rev().take_while(|b| search::in_run(*b)).count();
    let tail = text.get(run..)?;
    ["eyJ", "csr_", "csk_"].iter().filter_map(|start| tail.find(start)).min().map(|at| run + at)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{base62, cost};

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

    /// Text costs no more than other text of its length, however many beginnings of secrets it holds. Counted, not timed.
    #[test]
    fn hostile_runs_are_read_once() {
        for hostile in [
            "eyJ",
            "eyJ.",
            "eyJ.a.",
            "eyJ.a.countersign.",
            "eyJ ",
            "eyJ.a ",
            "code=&",
            "code=\"\"&",
            "code='&",
            "code=\\\"",
            "code ",
            "cookie:\n",
            "password= ",
            "password=",
            "csr_",
            "csr_a_",
            "csr_a_csr_a_",
            "csr_a_/",
            "csr_a_B",
            "csk_",
            "csk_production_",
            "csk_a_0123456789012345678901234567 ",
            "csr_a_0123456789012345678901234567890 ",
            "c",
            "-",
        ] {
            for before in ["", "_csr_", "eyJ.", "csr_a_", "code='"] {
                // The end makes it suspect, whatever it is made of.
                let text = format!("{before}{} :", hostile.repeat(100_000 / hostile.len()));
                let looked = cost::of(|| drop(redact(&text)));
                assert!(
                    looked >= 1 && looked <= 30 * text.len(),
                    "{before}{hostile}: {looked} for {}",
                    text.len()
                );
            }
        }
        let dotted = format!("{}.a.b", "eyJ".repeat(100_000));
        assert_eq!(redact(&dotted), "[redacted JWT]");
    }

    /// I01: what follows a token without a gap goes with it; names and values behind it are still known.
    #[test]
    fn i01_what_follows_goes_too() {
        let jwt = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";
        let token = refresh();
        for (text, redacted) in [
            (format!("a eyJ.a.{jwt} b"), "a [redacted JWT] b"),
            (format!("eyJ.eyJ.{jwt}.{jwt}"), "[redacted JWT]"),
            (
                format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1XzEifQ.countersign.{jwt}"),
                "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1XzEifQ.countersign.[redacted JWT]",
            ),
            (format!("csr_production_{}.{jwt} b", "7".repeat(40)), "[redacted refresh token] b"),
            (format!("csr_production_{}/{token} b", "aB".repeat(20)), "[redacted refresh token] b"),
            (format!("{jwt}.password=hunter2"), "[redacted JWT]password=[redacted secret]"),
            (
                format!("{};password=hunter2", token.get(..70).unwrap()),
                "[redacted refresh token]password=[redacted secret]",
            ),
        ] {
            assert_eq!(redact(&text), redacted, "{text}");
        }
    }

    /// I01: most of a refresh token's or API key's digits are as good as all: the checksum is public, and few digits are guessed.
    #[test]
    fn i01_cut_opaque_tokens_go() {
        let token = refresh();
        let digits = token.strip_prefix("csr_production_").unwrap();
        let key = format!("csk_production_{}", digits.get(..49).unwrap());
        let at = |n: usize| digits.split_at(n);
        for text in [
            token.get(..token.len() - checksum::DIGITS).unwrap().to_owned(),
            token.get(..token.len() - 20).unwrap().to_owned(),
            token.get(..15 + 30).unwrap().to_owned(),
            key.clone(),
            key.get(..key.len() - 12).unwrap().to_owned(),
            format!("csr_production_{}/{}", at(40).0, at(40).1),
            format!("csr_production_{}/{}", at(10).0, at(10).1),
            format!("csr_production_/{digits}"),
            format!("csr_production_{}\\{}-{}", at(20).0, at(20).1.get(..20).unwrap(), at(40).1),
        ] {
            let redacted = redact_and_cut(&text, 512);
            assert!(redacted.starts_with("[redacted "), "{text}: {redacted}");
            for piece in text.split(['/', '\\', '-']).filter(|piece| piece.len() >= 10) {
                assert!(!redacted.contains(piece), "{text}: {redacted}");
            }
        }
        for harmless in
            ["csr_production_nonsense", "/csr_order_items/by/customer/and/some/more/names", "csr_7_x", "csr_"]
        {
            assert!(matches!(redact(harmless), Cow::Borrowed(_)), "{harmless}");
        }
    }

    /// I01: percent-encoding hides nothing, however often it is applied; also not a token whose end is out of sight.
    #[test]
    fn i01_encoded_often() {
        let token = refresh();
        for times in 1..12 {
            let percent = format!("%{}", "25".repeat(times));
            for text in [
                token.replace("csr_", &format!("csr{percent}5F")),
                format!("eyJ{percent}68bGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"),
                format!("/a/{percent}65yJhbGciOiJFZERTQSJ9.{}", "QUJD".repeat(600)),
            ] {
                assert_eq!(redact_and_cut(&text, 512), "[redacted]", "{text}");
            }
        }
        let percents = format!("/open/%{}", "25".repeat(600));
        assert_eq!(redact_and_cut(&percents, 2048), percents);
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
