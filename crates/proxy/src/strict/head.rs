//! One request head, line by line. At least as strict as hyper, so that no head gets an answer from there.

use http::Uri;

use super::Refusal;

/// As many as hyper takes without allocating.
const MAX_FIELDS: usize = 100;

/// What the lines so far have said.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) length: Option<u64>,
    pub(super) chunked: bool,
    pub(super) upgrade: bool,
    /// HTTP/1.0, which has no chunks.
    old: bool,
    fields: usize,
}

impl Head {
    /// Begins with a request line (RFC 9112 §3).
    pub(super) fn begin(line: &[u8]) -> Result<Self, Refusal> {
        let mut words = line.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Refusal::RequestLine);
        };
        let old = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            _ => return Err(Refusal::RequestLine),
        };
        if !is_token(method) || !is_target(target) {
            return Err(Refusal::RequestLine);
        }
        Ok(Self { old, ..Self::default() })
    }

    /// Takes a field line without its CRLF.
    pub(super) fn field(&mut self, line: &[u8]) -> Result<(), Refusal> {
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            return Err(Refusal::TooLarge);
        }
        let colon = memchr::memchr(b':', line).ok_or(Refusal::Field)?;
        let (name, value) = line.split_at_checked(colon).ok_or(Refusal::Field)?;
        // A folded line begins with a blank (RFC 9112 §5.2), which no name has.
        if !is_token(name) || !is_text(value) {
            return Err(Refusal::Field);
        }
        // Few names begin with one of these letters.
        if !matches!(name.first(), Some(b'c' | b'C' | b't' | b'T' | b'u' | b'U')) {
            return Ok(());
        }
        let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
        let (length, encoding) =
            (name.eq_ignore_ascii_case(b"content-length"), name.eq_ignore_ascii_case(b"transfer-encoding"));
        if (length || encoding) && (self.length.is_some() || self.chunked) {
            return Err(Refusal::Framing);
        }
        if length {
            self.length = Some(digits(value).ok_or(Refusal::Framing)?);
        } else if encoding {
            self.chunked = value.eq_ignore_ascii_case(b"chunked") && !self.old;
            return if self.chunked { Ok(()) } else { Err(Refusal::Framing) };
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            self.upgrade = true;
        }
        Ok(())
    }
}

/// Which bytes a token is made of (RFC 9110 §5.6.2): every byte of every name comes by here.
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        #[expect(clippy::indexing_slicing, reason = "within the loop's bound, and at compile time")]
        let slot = &mut table[byte];
        *slot = matches!(
            byte as u8,
            b'0'..=b'9'
                | b'A'..=b'Z'
                | b'a'..=b'z'
                | b'!'
                | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        );
        byte += 1;
    }
    table
};

fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| TOKEN.get(usize::from(*byte)) == Some(&true))
}

/// No control characters. Without a short cut, so that it is many bytes at a time.
fn is_text(text: &[u8]) -> bool {
    text.iter().fold(true, |fine, byte| fine & ((*byte >= b' ' && *byte != 0x7f) || *byte == b'\t'))
}

fn is_target(text: &[u8]) -> bool {
    let plain = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'/' | b'?' | b'=' | b'&' | b'%' | b'-' | b'.' | b'_' | b'~' | b'+' | b',' | b':'
            )
    };
    let usual = text.first() == Some(&b'/') && text.iter().all(plain);
    usual || (is_text(text) && !text.contains(&b'\t') && Uri::try_from(text).is_ok())
}

/// A length that fits any signed counter too.
fn digits(text: &[u8]) -> Option<u64> {
    // `parse` alone would take a sign.
    let number = text.iter().all(u8::is_ascii_digit);
    let length: i64 = std::str::from_utf8(text).ok().filter(|_| number)?.parse().ok()?;
    u64::try_from(length).ok()
}
