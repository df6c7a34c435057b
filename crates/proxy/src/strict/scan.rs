//! Follows the requests on one connection, byte for byte but line by line.

use memchr::memchr;

use super::Refusal;
use super::head::Head;

/// Largest request head, empty lines in front included.
pub(super) const MAX_HEAD: usize = 64 * 1024;
/// More than any 64-bit number needs. A server that counts in fewer bits would read the rest of a longer one as
/// another number.
const MAX_DIGITS: usize = 16;
/// What is kept of a line inside a body that came in several pieces: a size, and what ends it.
const KEPT: usize = 24;
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Debug)]
pub(super) struct Scan {
    pub(super) state: State,
    /// What this head has said so far.
    head: Head,
    /// How many bytes of the data to come are complete lines of an incomplete head, judged already.
    judged: usize,
    /// And up to where there is no end of a line.
    looked: usize,
    line: Line,
    /// Heads that passed.
    pub(super) heads: u64,
    /// The last of them asks to leave HTTP: what follows its body is a request only if that is denied.
    pub(super) asked: bool,
}

/// The beginning of a line in a body that is not complete yet.
#[derive(Debug, Default)]
struct Line {
    kept: [u8; KEPT],
    /// Its length, which may exceed what is kept.
    length: usize,
    last: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing came, or the beginning of HTTP/2's preface.
    Preface,
    RequestLine,
    Field,
    /// Bytes of body, and of the CRLF after a chunk, to skip; then this.
    Skip(u64, After),
    ChunkSize,
    Trailer,
    /// For the answer to a request to leave HTTP.
    Waiting,
    /// HTTP/2, or an upgraded connection.
    Aside,
    /// A head was refused: nothing that follows can be understood.
    Refused,
    /// The same inside a body.
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Request,
    Chunk,
}

/// What a look at some data came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Followed {
    /// So many bytes may pass. The others belong in front of the next data, unless the state is a last one.
    pub(super) safe: usize,
    pub(super) refused: Option<Refusal>,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            state: State::Preface,
            head: Head::default(),
            judged: 0,
            looked: 0,
            line: Line::default(),
            heads: 0,
            asked: false,
        }
    }
}

impl Scan {
    /// Looks at what came from the client, beginning with what did not pass the last time.
    pub(super) fn follow(&mut self, data: &[u8]) -> Followed {
        let mut safe = 0;
        let mut at = self.judged;
        let mut looked = self.looked;
        let mut refused = None;
        loop {
            let rest = data.get(at..).unwrap_or_default();
            match self.state {
                State::Aside => {
                    (safe, at) = (data.len(), data.len());
                    break;
                }
                State::Waiting | State::Refused | State::Broken => break,
                _ if rest.is_empty() => break,
                State::Preface => {
                    let both = rest.len().min(PREFACE.len());
                    if rest.get(..both) != PREFACE.get(..both) {
                        self.state = State::RequestLine;
                    } else if both == PREFACE.len() {
                        self.state = State::Aside;
                    } else {
                        break;
                    }
                }
                State::Skip(left, after) => {
                    let step = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    let left = left - step as u64;
                    self.state = match (left, after) {
                        (0, After::Request) => self.next_request(),
                        (0, After::Chunk) => State::ChunkSize,
                        _ => State::Skip(left, after),
                    };
                    at += step;
                    safe = at;
                }
                State::ChunkSize | State::Trailer => {
                    let Some(end) = memchr(b'\n', rest) else {
                        self.line.keep(rest);
                        (safe, at) = (data.len(), data.len());
                        break;
                    };
                    self.line.keep(rest.get(..end).unwrap_or_default());
                    if !self.body_line() {
                        self.state = State::Broken;
                        break;
                    }
                    at += end + 1;
                    safe = at;
                }
                State::RequestLine | State::Field => {
                    let from = looked.max(at);
                    let found = memchr(b'\n', data.get(from..).unwrap_or_default());
                    let end = found.map_or(data.len(), |end| from + end);
                    let judged = if end - safe >= MAX_HEAD {
                        Err(Refusal::TooLarge)
                    } else if found.is_none() {
                        looked = end;
                        break;
                    } else {
                        self.head_line(data.get(at..end).unwrap_or_default())
                    };
                    match judged {
                        Ok(complete) => {
                            at = end + 1;
                            if complete {
                                safe = at;
                            }
                        }
                        Err(refusal) => {
                            self.state = State::Refused;
                            refused = Some(refusal);
                            break;
                        }
                    }
                }
            }
        }
        self.judged = at.saturating_sub(safe);
        self.looked = looked.saturating_sub(safe);
        Followed { safe, refused }
    }

    /// The first head will not be waited for any longer; whether one has begun.
    pub(super) const fn give_up(&mut self) -> bool {
        let begun = matches!(self.state, State::RequestLine | State::Field);
        if begun {
            self.state = State::Refused;
        }
        begun
    }

    /// The request to leave HTTP was granted.
    pub(super) const fn step_aside(&mut self) {
        self.state = State::Aside;
        self.asked = false;
    }

    /// It was denied.
    pub(super) fn go_on(&mut self) {
        self.asked = false;
        if self.state == State::Waiting {
            self.state = State::RequestLine;
        }
    }

    const fn next_request(&self) -> State {
        if self.asked { State::Waiting } else { State::RequestLine }
    }

    /// Judges a complete line of a head, without its LF; whether it is the last one.
    fn head_line(&mut self, line: &[u8]) -> Result<bool, Refusal> {
        let (line, cr) = match line.split_last() {
            Some((b'\r', line)) => (line, true),
            _ => (line, false),
        };
        if self.state == State::RequestLine {
            // A server may skip empty lines before a request (RFC 9112 §2.2).
            if line.is_empty() {
                return Ok(false);
            }
            self.head = Head::begin(line)?;
            self.state = State::Field;
            return if cr { Ok(false) } else { Err(Refusal::RequestLine) };
        }
        if !cr {
            return Err(Refusal::Field);
        }
        if !line.is_empty() {
            return self.head.field(line).map(|()| false);
        }
        self.heads += 1;
        self.asked = self.head.upgrade;
        self.state = match (self.head.chunked, self.head.length) {
            (true, _) => State::ChunkSize,
            (false, Some(length)) if length > 0 => State::Skip(length, After::Request),
            (false, _) => self.next_request(),
        };
        Ok(true)
    }

    /// Judges a complete line of a body.
    fn body_line(&mut self) -> bool {
        let line = std::mem::take(&mut self.line);
        let cr = line.last == b'\r' && line.length > 0;
        let length = line.length.saturating_sub(1);
        if self.state == State::Trailer {
            if length == 0 {
                self.state = self.next_request();
            }
            return cr;
        }
        let kept = line.kept.get(..length.min(KEPT)).unwrap_or(&line.kept);
        let Some(size) = chunk_size(kept) else { return false };
        self.state = match size.checked_add(2) {
            Some(2) => State::Trailer,
            Some(size) => State::Skip(size, After::Chunk),
            None => return false,
        };
        cr
    }
}

impl Line {
    fn keep(&mut self, piece: &[u8]) {
        if let Some(last) = piece.last() {
            self.last = *last;
        }
        for (slot, byte) in self.kept.iter_mut().skip(self.length).zip(piece) {
            *slot = *byte;
        }
        self.length = self.length.saturating_add(piece.len());
    }
}

/// The size in front of a chunk, without its extensions (RFC 9112 §7.1). `line` holds all of it, or so much that
/// its digits are too many.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let (size, rest) = line.split_at_checked(end)?;
    let fits = size.len() <= MAX_DIGITS && matches!(rest.first(), None | Some(b';' | b' ' | b'\t'));
    u64::from_str_radix(std::str::from_utf8(size).ok().filter(|_| fits)?, 16).ok()
}

#[cfg(test)]
#[path = "scan/tests.rs"]
mod tests;
