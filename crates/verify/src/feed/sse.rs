//! Server-sent events (HTML Standard §9.2.6), as much as the feed uses.

/// The longest event, in bytes: 1000 entries need a tenth of it.
const MAX_EVENT: usize = 1 << 20;

/// An event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: String,
}

/// An event, or a line, that is longer than [`MAX_EVENT`], or bytes that are not UTF-8.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Unreadable;

/// Takes bytes as they come, gives whole events.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    after_return: bool,
}

impl Parser {
    /// The events that end in `bytes`.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, Unreadable> {
        let mut events = Vec::new();
        for &byte in bytes {
            let line_feed_of_pair = byte == b'\n' && self.after_return;
            self.after_return = byte == b'\r';
            match byte {
                b'\n' if line_feed_of_pair => {}
                b'\n' | b'\r' => events.extend(self.end_line()?),
                _ if self.line.len() >= MAX_EVENT => return Err(Unreadable),
                _ => self.line.push(byte),
            }
        }
        Ok(events)
    }

    fn end_line(&mut self) -> Result<Option<Event>, Unreadable> {
        let line = std::mem::take(&mut self.line);
        let line = std::str::from_utf8(&line).map_err(|_invalid| Unreadable)?;
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return Ok(std::mem::take(&mut self.has_data).then_some(event));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if self.event.data.len() + value.len() > MAX_EVENT {
                    return Err(Unreadable);
                }
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
            }
            // Comments, `retry`, `id` (the cursor is in the data too) and what may come later.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str) -> Event {
        Event { name: name.into(), data: data.into() }
    }

    #[test]
    fn events_in_any_pieces() {
        let text = "retry: 1000\n\nevent: changes\ndata: {\"a\":\ndata:1}\n\n: comment\nevent: heartbeat\r\nid: 7\r\ndata: x\r\n\r\nevent: none\n\n";
        let wanted = vec![event("changes", "{\"a\":\n1}"), event("heartbeat", "x")];
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let mut got = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                got.extend(parser.push(piece).unwrap());
            }
            assert_eq!(got, wanted, "pieces of {size}");
        }
    }

    #[test]
    fn an_event_that_does_not_end_is_no_event() {
        assert_eq!(Parser::default().push(b"event: heartbeat\ndata: x\n").unwrap(), []);
    }

    #[test]
    fn endless_lines_and_events_are_refused() {
        let long = vec![b'x'; MAX_EVENT + 1];
        assert_eq!(Parser::default().push(&long), Err(Unreadable));
        let mut parser = Parser::default();
        let line = [b"data: ".as_slice(), &long[..MAX_EVENT / 2], b"\n"].concat();
        let third = parser.push(&line).and_then(|_| parser.push(&line)).and_then(|_| parser.push(&line));
        assert_eq!(third, Err(Unreadable));
        assert_eq!(Parser::default().push(b"data: \xff\n"), Err(Unreadable));
    }
}
