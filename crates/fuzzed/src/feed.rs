//! The revocation feed as `crates/verify` reads it.

#[allow(dead_code, reason = "compiled in from its own crate, which uses all of it")]
#[rustfmt::skip]
#[path = "../../verify/src/feed/sse.rs"]
mod sse;
#[allow(dead_code, reason = "compiled in from its own crate, which uses all of it")]
#[rustfmt::skip]
#[path = "../../verify/src/feed/wire.rs"]
mod wire;

use sse::{Event, Parser};
use wire::{Changes, Heartbeat};

/// Server-sent events: the same however the bytes are cut, and as a reader of whole texts reads them; cursors that we send back hold
/// nothing that a header or query could mistake.
pub fn feed(data: &[u8]) {
    let whole = Parser::default().push(data);
    let size = usize::from(data.first().copied().unwrap_or(0) % 17) + 1;
    let mut parser = Parser::default();
    let mut pieces = Ok(Vec::new());
    for piece in data.chunks(size) {
        pieces = pieces.and_then(|mut events: Vec<Event>| {
            events.extend(parser.push(piece)?);
            Ok(events)
        });
    }
    assert_eq!(whole, pieces, "another meaning in pieces of {size}");
    let Ok(events) = whole else { return };
    // A line that is not finished is not read, so it may be no text.
    let end = data.iter().rposition(|b| matches!(b, b'\n' | b'\r')).map_or(0, |at| at + 1);
    let Some(Ok(text)) = data.get(..end).map(std::str::from_utf8) else {
        unreachable!("accepted, but no text")
    };
    assert_eq!(events, reference(text), "another meaning");
    for event in events {
        if let Ok(changes) = serde_json::from_str::<Changes>(&event.data) {
            plain(changes.cursor.as_str());
        }
        if let Ok(heartbeat) = serde_json::from_str::<Heartbeat>(&event.data) {
            plain(heartbeat.cursor.as_str());
        }
    }
}

fn plain(cursor: &str) {
    assert!((1..=64).contains(&cursor.len()));
    assert!(cursor.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')), "{cursor:?}");
}

/// HTML Standard §9.2.6 over a whole text that ends with a line's end.
fn reference(text: &str) -> Vec<Event> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut events = Vec::new();
    let (mut name, mut data) = (String::new(), Vec::new());
    for line in text.split_terminator('\n') {
        if line.is_empty() {
            let (name, data) = (std::mem::take(&mut name), std::mem::take(&mut data));
            if !data.is_empty() {
                events.push(Event { name, data: data.join("\n") });
            }
        } else if let Some(value) = field(line, "data") {
            data.push(value);
        } else if let Some(value) = field(line, "event") {
            value.clone_into(&mut name);
        }
    }
    events
}

fn field<'t>(line: &'t str, name: &str) -> Option<&'t str> {
    let rest = line.strip_prefix(name)?;
    if rest.is_empty() {
        return Some("");
    }
    let value = rest.strip_prefix(':')?;
    Some(value.strip_prefix(' ').unwrap_or(value))
}
