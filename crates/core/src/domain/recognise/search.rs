//! Where in a text secrets stand. Everything hostile is read here, on each request: no byte more often than a few times.

use super::value::{is_name_char, secret_value};
use super::{PLACEHOLDER_END, SHORTEST_JWT, TokenShape};
use crate::domain::cost;
use crate::domain::environment::Environment;
use crate::domain::token::checksum;

/// Base62 digits of a refresh token before its checksum (design §4).
const REFRESH_DIGITS: usize = 72;
/// Base62 digits of an API key before its checksum (design §4).
const API_KEY_DIGITS: usize = 49;

/// So many digits of an opaque token are worth hiding: what is cut off may be guessed or, as the checksum, computed.
const CUT_DIGITS: usize = 30;
/// Bytes in which the digits of an opaque token must stand, if something stands between them.
const LONGEST_SPLIT: usize = 256;
/// What may stand between the digits of an opaque token that something took apart.
const JOINTS: &[u8] = b"._-/\\+~:,;|";

/// A part of a text that has to go, as byte offsets. Never empty.
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) label: &'static str,
}

/// Finds the secrets of a text, from left to right.
pub(super) struct Search<'t> {
    text: &'t str,
    /// Where to go on.
    at: usize,
    /// End of the run of token characters in which a JWT was last looked for. Remembered, so that `eyJ.eyJ.eyJ.…` does not have it
    /// measured at each beginning.
    run_end: usize,
    /// Before this no JWT begins.
    barren: usize,
}

impl<'t> Search<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, at: 0, run_end: 0, barren: 0 }
    }

    /// Where the JWT that begins at `start` ends, with all that follows without a gap.
    ///
    /// All of it: in `eyJ.a.<JWT>` the first three segments look like a token, and the real one's payload and signature follow.
    /// For the same reason the first beginning of a run decides: if there is too little behind it, there is less behind the next.
    fn jwt_end(&mut self, start: usize) -> Option<usize> {
        if start >= self.run_end {
            self.run_end = start + run_len(self.text.get(start..)?);
        }
        let run = self.text.get(start..self.run_end)?;
        let mut dots = memchr::memchr_iter(b'.', run.as_bytes()).skip(1);
        let second = dots.next();
        let third = dots.next().unwrap_or(run.len());
        cost::looked(third);
        if second.is_none() || run.len() < SHORTEST_JWT {
            self.barren = self.run_end;
            return None;
        }
        // The placeholder goes as a whole, too, into what is kept: its second segment begins like a token.
        if run.get(..third)?.ends_with(PLACEHOLDER_END) {
            self.barren = start + third;
            return None;
        }
        Some(self.run_end)
    }

    /// `end`, moved on to where nothing follows without a gap; but a secret's name stays, or its value would no longer be known as one.
    fn swallow(&self, end: usize) -> Option<usize> {
        let end = end + run_len(self.text.get(end..)?);
        let before = self.text.get(..end)?;
        let word = before.rfind(|c| !is_name_char(c)).map_or(0, |at| at + 1);
        cost::looked(end - word);
        if self.text.is_char_boundary(word) && secret_value(self.text.get(word..)?).is_some() {
            return Some(word);
        }
        Some(end)
    }
}

impl Iterator for Search<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let from = self.at;
        let mut in_name = self.text.get(..from)?.ends_with(is_name_char);
        for (offset, c) in self.text.get(from..)?.char_indices() {
            cost::looked(1);
            let start = from + offset;
            let rest = self.text.get(start..)?;
            // Every log line comes by here: most characters must cost next to nothing.
            let token = match c {
                'c' => opaque_at(rest).map(|(len, shape)| (start + len, shape)),
                'e' if start >= self.barren && rest.starts_with("eyJ") => {
                    self.jwt_end(start).map(|end| (end, TokenShape::Jwt))
                }
                _ => None,
            };
            if let Some((end, shape)) = token {
                self.at = self.swallow(end)?;
                return Some(Found { start, end: self.at, label: shape.as_str() });
            }
            let starts_name = is_name_char(c) && !in_name;
            in_name = is_name_char(c);
            if starts_name && let Some((skipped, value)) = secret_value(rest) {
                let start = start + skipped;
                self.at = start + value.len();
                return Some(Found { start, end: self.at, label: "secret" });
            }
        }
        self.at = self.text.len();
        None
    }
}

/// How many bytes of what tokens are made of a text begins with.
fn run_len(text: &str) -> usize {
    let len = text.bytes().position(|b| !in_run(b)).unwrap_or(text.len());
    cost::looked(len);
    len
}

/// Whether tokens are made of it.
pub(super) const fn in_run(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')
}

/// How many bytes of the refresh token or API key a text begins with. Whatever its checksum: it may be cut, and to whoever has
/// all other digits, the checksum is no secret. Also in pieces, if they do not look like words.
fn opaque_at(rest: &str) -> Option<(usize, TokenShape)> {
    let (shape, digits) = match rest.get(..4)? {
        "csr_" => (TokenShape::Refresh, REFRESH_DIGITS),
        "csk_" => (TokenShape::ApiKey, API_KEY_DIGITS),
        _ => return None,
    };
    // No environment's label is longer than 12 bytes.
    let label = rest.bytes().skip(4).take(13).position(|b| b == b'_')?;
    Environment::parse(rest.get(4..4 + label)?).ok()?;
    let (mut first, mut seen, mut end, mut whole) = (0, 0, 0, true);
    let (mut upper, mut lower) = (false, false);
    for (at, b) in rest.bytes().enumerate().skip(4 + label + 1).take(LONGEST_SPLIT) {
        cost::looked(1);
        if b.is_ascii_alphanumeric() {
            seen += 1;
            first += usize::from(whole);
            upper |= b.is_ascii_uppercase();
            lower |= b.is_ascii_lowercase();
            end = at + 1;
        } else if JOINTS.contains(&b) {
            whole = false;
        } else {
            break;
        }
        if seen == digits + checksum::DIGITS {
            break;
        }
    }
    (first >= CUT_DIGITS || seen >= CUT_DIGITS && upper && lower).then_some((end, shape))
}
