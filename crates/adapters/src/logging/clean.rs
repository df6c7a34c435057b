//! The second line of defence: no token and no secret leaves in a log line (I01), and no line holds what steers a
//! terminal or forges another line (I04). The first line is that secrets cannot print.

use std::borrow::Cow;

use countersign_core::domain::recognise::redact;

/// Longest line in bytes, without the line end.
pub(super) const LONGEST: usize = 16 * 1024;
/// Longest event that is looked at; what lies beyond is left out unseen.
pub(super) const LONGEST_RAW: usize = 64 * 1024;

/// One event as the formatter wrote it for people → one line that may be written, without its line end.
pub(super) fn clean(raw: &str) -> String {
    let raw = raw.strip_suffix('\n').unwrap_or(raw);
    cut(escape(&redact_escaped(raw)).into_owned())
}

/// Redacts text in which control characters may stand as `\n`, `\u001b` …: the letters of such an escape would otherwise
/// look like the beginning of the token behind it, and hide it.
pub(super) fn redact_escaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return redact(text);
    }
    let spaced = space_escapes(text);
    match redact(&spaced) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(redacted) => Cow::Owned(redacted),
    }
}

/// Puts a space behind each escape.
fn space_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        let length = escape_length(escape);
        let (escape, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        out.push_str(before);
        out.push_str(escape);
        out.push(' ');
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Bytes of the escape that a text begins with: `\n`, `\x1b`, `\u001b`, `\u{1b}`, or `\` and whatever follows.
fn escape_length(text: &str) -> usize {
    let mut chars = text.chars().skip(1);
    let digits =
        |chars: std::str::Chars<'_>, most| chars.take(most).take_while(char::is_ascii_hexdigit).count();
    match chars.next() {
        None => 1,
        Some('x') => 2 + digits(text.get(2..).unwrap_or_default().chars(), 2),
        Some('u') => match chars.next() {
            Some('{') => text.find('}').filter(|end| *end < 12).map_or(3, |end| end + 1),
            _ => 2 + digits(text.get(2..).unwrap_or_default().chars(), 4),
        },
        Some(other) => 1 + other.len_utf8(),
    }
}

/// Control characters, line and paragraph separators, and those that reverse the reading direction.
pub(super) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Replaces what steers a terminal.
fn escape(text: &str) -> Cow<'_, str> {
    // Nearly every line is plain ASCII, and every line comes by here.
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) || !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if steers(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

pub(super) fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push_str(" [cut]");
    }
    text
}

/// The beginning of an event that is too long to look at. What remains ends at a blank: half a token is not recognised.
pub(super) fn head(raw: &[u8]) -> Cow<'_, str> {
    let Some(head) = raw.get(..LONGEST_RAW) else { return String::from_utf8_lossy(raw) };
    let end = head.iter().rposition(|byte| matches!(byte, b' ' | b'\n')).unwrap_or(0);
    String::from_utf8_lossy(head.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlc2lnbmF0dXJl";

    /// I01: tokens and values of secret names go, whatever stands around them.
    #[test]
    fn i01_tokens_are_taken_out() {
        for around in
            ["x {} y", "a={}", "line\\n{}", "line\\\\n{}", "\\u001b{}", "\\u{1b}{}", "\\x1b{}", "\n{}"]
        {
            let text = clean(&around.replace("{}", JWT));
            assert!(!text.contains("eyJ") && text.contains("[redacted JWT]"), "{around}: {text}");
        }
        for line in [
            "request password=hunter2hunter2 done",
            r"first\npassword=hunter2hunter2",
            r"a\u{1b}csrf_token: hunter2",
        ] {
            let text = clean(line);
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    /// I04: one event is one line, and nothing in it steers a terminal.
    #[test]
    fn i04_control_characters_are_escaped() {
        let evil = "a\r\nFAKE line\u{1b}[2J\0\u{7f}\u{9b}31m\u{202e}b\u{2028}c\n";
        let line = clean(evil);
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}' || c == '\u{2028}'), "{line:?}");
        assert!(line.contains("a\\r\\nFAKE line\\u{1b}[2J"), "{line}");
    }

    /// I04: lengths are capped.
    #[test]
    fn i04_length_caps() {
        let long = "ä".repeat(40_000);
        let line = clean(&long);
        assert!(line.len() < LONGEST + 16 && line.ends_with("[cut]"));
        let raw = format!("{} {JWT}", "x".repeat(LONGEST_RAW - 30));
        assert!(!head(raw.as_bytes()).contains("eyJ"));
    }

    #[test]
    fn harmless_lines_are_left_alone() {
        for line in
            ["2026-01-01T00:00:00Z  INFO countersign: listening address=127.0.0.1:8443", r"path C:\new\table"]
        {
            assert_eq!(clean(line), line);
        }
    }
}
