//! Request heads and chunk framing, as the listener lets them pass.

#[allow(dead_code, reason = "compiled in from its own crate, which uses all of it")]
#[rustfmt::skip]
#[path = "../../proxy/src/strict/head.rs"]
mod head;
#[allow(dead_code, unreachable_pub, rustdoc::broken_intra_doc_links, reason = "compiled in from its own crate, which has all of it")]
#[rustfmt::skip]
#[path = "../../proxy/src/strict/refusal.rs"]
mod refusal;
#[allow(dead_code, reason = "compiled in from its own crate, which uses all of it")]
#[rustfmt::skip]
#[path = "../../proxy/src/strict/scan.rs"]
mod scan;

use refusal::Refusal;
use scan::{After, Scan, State};

/// What passes, in pieces of a size, and how it ends.
fn through(data: &[u8], size: usize) -> (usize, State, Option<Refusal>, u64) {
    let mut scan = Scan::default();
    let (mut held, mut passed, mut refused) = (Vec::new(), 0, None);
    for piece in data.chunks(size) {
        held.extend_from_slice(piece);
        let followed = scan.follow(&held);
        refused = refused.or(followed.refused);
        held.drain(..followed.safe);
        passed += followed.safe;
    }
    // How much of a broken line has passed before depends on how it is cut.
    let passed = if scan.state == State::Broken { 0 } else { passed };
    (passed, scan.state, refused, scan.heads)
}

/// Feeds byte by byte until `done`; how many bytes that took.
fn until(scan: &mut Scan, data: &[u8], done: impl Fn(&Scan) -> bool) -> Option<usize> {
    let mut held = Vec::new();
    for (at, byte) in data.iter().enumerate() {
        held.push(*byte);
        let safe = scan.follow(&held).safe;
        held.drain(..safe);
        if done(scan) {
            return Some(at + 1);
        }
    }
    None
}

/// Heads: the same however the bytes are cut; one that passes is complete to an independent parser at the same byte, with at most one
/// statement about its body's length, the same as ours (K07).
pub fn heads(data: &[u8]) {
    let whole = through(data, data.len().max(1));
    for size in [1, 2, 7, 64] {
        assert_eq!(through(data, size), whole, "another meaning in pieces of {size}");
    }
    let mut scan = Scan::default();
    let Some(end) = until(&mut scan, data, |scan| scan.heads == 1) else { return };
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut head = httparse::Request::new(&mut fields);
    let parsed = head.parse(data.get(..end).unwrap_or_default());
    assert_eq!(parsed, Ok(httparse::Status::Complete(end)), "passed, but another parser refuses it");
    let values = |name: &str| {
        let named = head.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
        named.map(|field| field.value.trim_ascii()).collect::<Vec<_>>()
    };
    let (lengths, encodings) = (values("content-length"), values("transfer-encoding"));
    let expected = match (lengths.as_slice(), encodings.as_slice()) {
        ([], []) => None,
        ([], [chunked]) => {
            assert!(chunked.eq_ignore_ascii_case(b"chunked") && head.version == Some(1));
            assert_eq!(scan.state, State::ChunkSize);
            return;
        }
        ([length], []) => std::str::from_utf8(length).ok().and_then(|length| length.parse::<u64>().ok()),
        _ => unreachable!("an ambiguous head passed"),
    };
    assert_eq!(lengths.is_empty(), expected.is_none(), "a length that is no number passed");
    match scan.state {
        State::Skip(left, After::Request) => assert_eq!(Some(left), expected),
        State::RequestLine | State::Waiting => assert_eq!(expected.unwrap_or(0), 0),
        other => unreachable!("a head without chunks led to {other:?}"),
    }
}

/// Chunked bodies: the same however the bytes are cut; one that ends, ends at the byte where an independent reader of chunk sizes sees
/// the end (K07).
pub fn chunks(data: &[u8]) {
    let head: &[u8] = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let all = [head, data].concat();
    let whole = through(&all, all.len());
    for size in [1, 2, 7, 64] {
        assert_eq!(through(&all, size), whole, "another meaning in pieces of {size}");
    }
    let mut scan = Scan::default();
    scan.follow(head);
    assert_eq!(scan.state, State::ChunkSize);
    let end = until(&mut scan, data, |scan| scan.state == State::RequestLine);
    if let (Some(end), Ok(other)) = (end, reference(data)) {
        assert_eq!(Some(end), other, "the next request begins elsewhere");
    }
}

/// Where a chunked body ends by the sizes that `httparse` reads; an error where it refuses one.
fn reference(data: &[u8]) -> Result<Option<usize>, httparse::InvalidChunkSize> {
    let mut at = 0;
    loop {
        let rest = data.get(at..).unwrap_or_default();
        let httparse::Status::Complete((line, size)) = httparse::parse_chunk_size(rest)? else {
            return Ok(None);
        };
        at += line;
        if size == 0 {
            break;
        }
        let Some(next) = usize::try_from(size).ok().and_then(|size| at.checked_add(size)?.checked_add(2))
        else {
            return Ok(None);
        };
        at = next;
    }
    loop {
        let rest = data.get(at..).unwrap_or_default();
        let Some(line) = rest.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
        at += line + 1;
        if rest.get(..line) == Some(b"\r") {
            return Ok(Some(at));
        }
    }
}
