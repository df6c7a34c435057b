//! Follows the requests on one connection, byte for byte but line by line.

use memchr::{memchr, memmem};

/// What is kept of a line that came in several pieces. Longer lines are not the ones we look for.
const KEPT: usize = 96;

#[derive(Debug)]
pub(super) struct Scan {
    state: State,
    /// What this head has said so far.
    head: Head,
    /// The beginning of a line that is not complete yet.
    line: [u8; KEPT],
    /// Its length, which may exceed what is kept.
    length: usize,
    /// Its last byte.
    last: u8,
    /// An upgrade was asked for and may be granted.
    upgrading: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    RequestLine,
    Field,
    /// Bytes of body, and of the CRLF after a chunk, to skip; then this.
    Skip(u64, After),
    ChunkSize,
    Trailer,
    /// HTTP/2, an upgraded connection, or a refused one.
    Aside,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Request,
    Chunk,
}

#[derive(Debug, Default)]
struct Head {
    length: Option<u64>,
    chunked: bool,
    upgrade: bool,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            state: State::RequestLine,
            head: Head::default(),
            line: [0; KEPT],
            length: 0,
            last: 0,
            upgrading: false,
        }
    }
}

impl Scan {
    /// Notes what came from the client, and spoils the end of a line that must not pass.
    pub(super) fn read(&mut self, mut data: &mut [u8]) {
        while !data.is_empty() {
            match self.state {
                State::Aside => return,
                State::Skip(left, after) => {
                    let step = usize::try_from(left).unwrap_or(usize::MAX).min(data.len());
                    let left = left - step as u64;
                    self.state = match (left, after) {
                        (0, After::Request) => State::RequestLine,
                        (0, After::Chunk) => State::ChunkSize,
                        _ => State::Skip(left, after),
                    };
                    data = data.split_at_mut(step).1;
                }
                State::RequestLine | State::Field | State::ChunkSize | State::Trailer => {
                    let Some(end) = memchr(b'\n', data) else {
                        self.keep(data);
                        return;
                    };
                    let (line, rest) = data.split_at_mut(end);
                    let Some((newline, rest)) = rest.split_first_mut() else { return };
                    if !self.line_ends(line) {
                        *newline = 0;
                        self.state = State::Aside;
                    }
                    data = rest;
                }
            }
        }
    }

    /// Notes what goes to the client. After a 101 the connection is no longer HTTP.
    pub(super) fn written(&mut self, data: &[u8]) {
        if self.upgrading && memmem::find(data, b"HTTP/1.1 101 ").is_some() {
            self.state = State::Aside;
            self.upgrading = false;
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        if let Some(last) = piece.last() {
            self.last = *last;
        }
        for (slot, byte) in self.line.iter_mut().skip(self.length).zip(piece) {
            *slot = *byte;
        }
        self.length = self.length.saturating_add(piece.len());
    }

    /// Judges a complete line, of which `piece` is the last part without its LF; whether it may pass.
    fn line_ends(&mut self, piece: &[u8]) -> bool {
        if self.length == 0 {
            // The whole line is here, as nearly always.
            let (line, cr) = match piece.split_last() {
                Some((b'\r', line)) => (line, true),
                _ => (piece, false),
            };
            return self.judge(line, line.len(), cr);
        }
        self.keep(piece);
        let cr = self.last == b'\r';
        let length = self.length - usize::from(cr);
        let line = self.line;
        self.length = 0;
        self.judge(line.get(..length.min(KEPT)).unwrap_or(&line), length, cr)
    }

    /// `line` is the line or, if `length` is more, the first part of it.
    fn judge(&mut self, line: &[u8], length: usize, cr: bool) -> bool {
        match self.state {
            // A server may skip empty lines before a request (RFC 9112 §2.2).
            State::RequestLine if length == 0 => true,
            State::RequestLine => {
                if line == b"PRI * HTTP/2.0" {
                    self.state = State::Aside;
                } else {
                    self.head = Head::default();
                    self.state = State::Field;
                }
                cr
            }
            State::Field if length == 0 => {
                self.upgrading |= self.head.upgrade;
                self.state = match (self.head.chunked, self.head.length) {
                    (true, _) => State::ChunkSize,
                    (false, Some(length)) if length > 0 => State::Skip(length, After::Request),
                    (false, _) => State::RequestLine,
                };
                cr
            }
            State::Field => cr && self.head.field(line, length),
            State::ChunkSize => {
                let Some(size) = chunk_size(line) else { return false };
                self.state = match size.checked_add(2) {
                    Some(2) => State::Trailer,
                    Some(size) => State::Skip(size, After::Chunk),
                    None => return false,
                };
                cr
            }
            State::Trailer => {
                if length == 0 {
                    self.state = State::RequestLine;
                }
                cr
            }
            State::Skip(..) | State::Aside => true,
        }
    }
}

impl Head {
    fn field(&mut self, line: &[u8], length: usize) -> bool {
        // Few names begin with one of these letters; a blank is a folded line (RFC 9112 §5.2).
        match line.first() {
            Some(b' ' | b'\t') => return false,
            Some(b'c' | b'C' | b't' | b'T' | b'u' | b'U') => {}
            _ => return true,
        }
        if value(line, b"content-length").is_some() || value(line, b"transfer-encoding").is_some() {
            // A longer line is not all here to be judged; nobody honest pads a number so.
            if length > KEPT || self.length.is_some() || self.chunked {
                return false;
            }
        }
        if let Some(text) = value(line, b"content-length") {
            let Some(number) = digits(text) else { return false };
            self.length = Some(number);
        } else if let Some(text) = value(line, b"transfer-encoding") {
            self.chunked = text.eq_ignore_ascii_case(b"chunked");
            return self.chunked;
        } else if value(line, b"upgrade").is_some() {
            self.upgrade = true;
        }
        true
    }
}

/// The value of a field, if that is its name. `name` is in lower case.
fn value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = line.split_at_checked(name.len())?;
    let value = rest.strip_prefix(b":")?;
    head.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

fn digits(text: &[u8]) -> Option<u64> {
    // `parse` alone would take a sign.
    let number = text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| number)?.parse().ok()
}

/// The size in front of a chunk, without its extensions (RFC 9112 §7.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let (size, rest) = line.split_at_checked(end)?;
    let fits = matches!(rest.first(), None | Some(b';' | b' ' | b'\t'));
    u64::from_str_radix(std::str::from_utf8(size).ok().filter(|_| fits)?, 16).ok()
}

#[cfg(test)]
mod tests;
