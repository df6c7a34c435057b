//! The ways in which upstreams read one path.

use std::borrow::Cow;

use crate::domain::cost;

/// Whether every reader agrees on what the path is.
pub(super) fn is_plain(path: &str) -> bool {
    let odd = |b: &u8| matches!(b, b'%' | b'\\' | b';') || b.is_ascii_control();
    !path.as_bytes().iter().any(odd) && !path.contains("//") && !path.contains("/.")
}

/// What readers without regard to case and to a final slash may take a path for, in lower case.
pub(super) fn variants(path: &str) -> impl Iterator<Item = String> {
    let lower = path.to_lowercase();
    let slash = match lower.strip_suffix('/') {
        Some("") => None,
        Some(shorter) => Some(shorter.to_owned()),
        None => Some(format!("{lower}/")),
    };
    slash.into_iter().chain([lower])
}

/// The path as the most eager upstream would read it: decoded, parameters dropped, slashes collapsed, dot segments resolved. `None` if it
/// does not start with `/` or holds control characters once decoded.
#[must_use]
pub fn normalise(raw: &str) -> Option<String> {
    Reader { decodes: 2, drops_parameters: true, merges_slashes: true, backslash: true }.read(raw)
}

/// The path with what lax decoders accept for ASCII written as that: overlong UTF-8 (`%c0%ae` for a dot, RFC 3629 §10) and the
/// `%u002e` of old scripts. As it was if there is none.
pub(super) fn lax(raw: &str) -> Cow<'_, str> {
    let lower = raw.to_ascii_lowercase();
    if !["%c0", "%c1", "%e0%8", "%e0%9", "%f0%80", "%25", "%u"].iter().any(|odd| lower.contains(odd)) {
        return Cow::Borrowed(raw);
    }
    // A second decoding must not bring them back.
    let rest = unescape_percent(raw);
    let mut out = String::with_capacity(rest.len());
    let mut text = rest.as_str();
    while let Some(at) = text.find('%') {
        let (before, escape) = text.split_at(at);
        out.push_str(before);
        let (ascii, length) = overlong(escape).unwrap_or(('%', 1));
        out.push(ascii);
        text = escape.get(length..).unwrap_or_default();
    }
    out.push_str(text);
    Cow::Owned(out)
}

/// The path with `%25`, `%2525` … as `%`. In one pass: level by level, `%252525…` costs the square of its length.
fn unescape_percent(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut text = raw;
    while let Some(at) = cost::find(text, |c| c == '%') {
        let (before, escape) = text.split_at(at);
        out.push_str(before);
        out.push('%');
        let rest = escape.strip_prefix('%').unwrap_or_default();
        text = rest.trim_start_matches("25");
        cost::looked(rest.len() - text.len() + 1);
    }
    out.push_str(text);
    out
}

/// The character that an escape means to a lax decoder, and the escape's length.
fn overlong(escape: &str) -> Option<(char, usize)> {
    let digits = escape.strip_prefix("%u").or_else(|| escape.strip_prefix("%U"));
    if let Some(digits) = digits.and_then(|rest| rest.get(..4)) {
        let character = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
        // What a "best fit" conversion makes of other slashes and dots.
        let ascii = match character {
            '\u{2215}' | '\u{2044}' | '\u{ff0f}' => '/',
            '\u{2216}' | '\u{ff3c}' => '\\',
            '\u{ff0e}' | '\u{2024}' => '.',
            other => other,
        };
        return Some((ascii, 6));
    }
    let lead = byte(escape)?;
    // Lead bytes whose payload fits fewer bytes, with that payload; and how many bytes follow.
    let (start, following) = match lead {
        0xc0 | 0xc1 => (u32::from(lead & 0x1f), 1),
        0xe0 => (0, 2),
        0xf0 => (0, 3),
        _ => return None,
    };
    let mut value = start;
    for n in 1..=following {
        let next = byte(escape.get(3 * n..)?)?;
        if next & 0xc0 != 0x80 {
            return None;
        }
        value = value << 6 | u32::from(next & 0x3f);
    }
    let ascii = char::from_u32(value).filter(char::is_ascii)?;
    Some((ascii, 3 * (following + 1)))
}

/// The byte of `%xx`.
fn byte(escape: &str) -> Option<u8> {
    u8::from_str_radix(escape.strip_prefix('%')?.get(..2)?, 16).ok()
}

/// One way of reading a path. Upstreams differ in each of these.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    /// How often percent-encoding is undone: some stacks do it twice.
    decodes: u8,
    /// Whether `;x` is cut off before dot segments are resolved (servlets).
    drops_parameters: bool,
    /// Whether empty segments vanish (nginx) or count (RFC 3986 §5.2.4).
    merges_slashes: bool,
    /// Whether `\` is a slash (WHATWG URL, Windows).
    backslash: bool,
}

impl Reader {
    /// Those that may read this path differently from each other: most paths with an escape have no `;` and no `\`.
    pub(super) fn of(raw: &str) -> impl Iterator<Item = Self> + use<> {
        let once = percent_encoding::percent_decode_str(raw).decode_utf8_lossy();
        let twice = percent_encoding::percent_decode_str(&once).decode_utf8_lossy();
        let holds = |part| [raw, &*once, &*twice].iter().any(|text| text.contains(part));
        let (parameters, backslashes) = (holds(";"), holds("\\"));
        let empty = parameters || backslashes || holds("//");
        let decodes = if raw.contains('%') { 3 } else { 1 };
        (0..8 * decodes)
            .map(|n: u8| Self {
                decodes: n / 8,
                drops_parameters: n & 1 != 0,
                merges_slashes: n & 2 != 0,
                backslash: n & 4 != 0,
            })
            .filter(move |reader| {
                (parameters || !reader.drops_parameters)
                    && (backslashes || !reader.backslash)
                    && (empty || !reader.merges_slashes)
            })
    }

    pub(super) fn read(self, raw: &str) -> Option<String> {
        let mut text = raw.to_owned();
        for _ in 0..self.decodes {
            // Bytes that are no UTF-8 (older file names) decide between no two routes.
            text = percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned();
        }
        if self.backslash {
            text = text.replace('\\', "/");
        }
        if text.chars().any(char::is_control) {
            return None;
        }
        let mut segments = text.strip_prefix('/')?.split('/').peekable();
        let mut kept: Vec<&str> = Vec::new();
        while let Some(segment) = segments.next() {
            let last = segments.peek().is_none();
            let name =
                if self.drops_parameters { segment.split(';').next().unwrap_or_default() } else { segment };
            if name == ".." {
                kept.pop();
            }
            match name {
                "." | ".." if last => kept.push(""),
                "." | ".." => {}
                "" if self.merges_slashes && !last => {}
                name => kept.push(name),
            }
        }
        Some(format!("/{}", kept.join("/")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As level by level, for the cost of reading it a few times.
    #[test]
    fn c07_escaped_percent_signs_are_read_once() {
        for raw in ["/a", "/%252525c0", "/%2%255", "/%%252525%", "/%25", "/%2525 25%c0%25ae", "/ä%25ä"] {
            let mut slowly = raw.to_owned();
            while slowly.contains("%25") {
                slowly = slowly.replace("%25", "%");
            }
            assert_eq!(unescape_percent(raw), slowly, "{raw}");
        }
        for hostile in ["25", "25%", "%25"] {
            let path = format!("/open/%{}", hostile.repeat(20_000));
            let looked = cost::of(|| drop(lax(&path)));
            assert!((path.len()..4 * path.len()).contains(&looked), "{hostile}: {looked} for {}", path.len());
        }
    }

    /// C07, K05: what lax decoders make of a character in more bytes than it needs, and of other slashes and dots.
    #[test]
    fn c07_overlong_escapes() {
        for (escape, read) in [
            ("%c0%af", Some(('/', 6))),
            ("%c0%ae", Some(('.', 6))),
            ("%c1%9c", Some(('\\', 6))),
            ("%e0%80%af", Some(('/', 9))),
            ("%f0%80%80%af", Some(('/', 12))),
            ("%u2215x", Some(('/', 6))),
            ("%c0%2f", None),
            ("%e2%82%ac", None),
            ("%f0%9f%98%80", None),
            ("%c0", None),
        ] {
            assert_eq!(overlong(escape), read, "{escape}");
        }
    }
}
