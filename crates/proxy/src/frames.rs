//! Where one WebSocket frame ends and the next begins (RFC 6455 §5.2).

/// Follows the frames of one direction of a tunnel, without reading what is in them.
///
/// A close frame may be written between two frames only; in the middle of one it would be taken for payload.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    head: [u8; 14],
    /// Bytes of `head` that are there.
    seen: usize,
    /// Bytes of payload still to come.
    payload: u64,
    /// A close frame went by: nothing may follow it.
    closed: bool,
}

const CLOSE: u8 = 8;

impl Frames {
    /// Notes bytes that were passed on.
    pub(crate) fn advance(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.payload > 0 {
                let step = usize::try_from(self.payload).unwrap_or(usize::MAX).min(bytes.len());
                self.payload -= step as u64;
                bytes = bytes.get(step..).unwrap_or_default();
                continue;
            }
            if let (Some(slot), Some((first, rest))) = (self.head.get_mut(self.seen), bytes.split_first()) {
                *slot = *first;
                bytes = rest;
            }
            self.seen += 1;
            if self.seen >= self.head_length() {
                self.payload = self.payload_length();
                self.closed |= self.head[0] & 0x0f == CLOSE;
                self.seen = 0;
            }
        }
    }

    /// Whether a frame of ours may come next.
    pub(crate) const fn at_boundary(&self) -> bool {
        self.seen == 0 && self.payload == 0 && !self.closed
    }

    /// As far as it is known: at least 2.
    fn head_length(&self) -> usize {
        if self.seen < 2 {
            return 2;
        }
        let extended = match self.head[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        2 + extended + mask
    }

    fn payload_length(&self) -> u64 {
        let [_, short, a, b, c, d, e, f, g, h, ..] = self.head;
        match short & 0x7f {
            126 => u64::from(u16::from_be_bytes([a, b])),
            127 => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            short => u64::from(short),
        }
    }
}

/// A close frame from a server: unmasked, with a code and no reason.
pub(crate) fn close(code: u16) -> [u8; 4] {
    let [high, low] = code.to_be_bytes();
    [0x80 | CLOSE, 2, high, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize, masked: bool) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut bytes = vec![0x82];
        match length {
            0..=125 => bytes.push(mask | length as u8),
            126..=65535 => {
                bytes.push(mask | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(mask | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        if masked {
            bytes.extend([1, 2, 3, 4]);
        }
        bytes.resize(bytes.len() + length, 0x88);
        bytes
    }

    /// However the bytes are cut, the boundaries are where the frames end and nowhere else.
    #[test]
    fn boundaries_are_found_in_any_chunking() {
        for masked in [false, true] {
            let mut all = Vec::new();
            let mut ends = vec![0];
            for length in [0, 1, 125, 126, 127, 300, 65535, 65536] {
                all.extend(frame(length, masked));
                ends.push(all.len());
            }
            for step in [1, 2, 3, 7, 100, 4096] {
                let mut frames = Frames::default();
                let mut at = 0;
                for chunk in all.chunks(step) {
                    frames.advance(chunk);
                    at += chunk.len();
                    assert_eq!(frames.at_boundary(), ends.contains(&at), "step {step} at {at}");
                }
            }
        }
    }

    #[test]
    fn nothing_may_follow_a_close_frame() {
        let mut frames = Frames::default();
        frames.advance(&close(1000));
        assert!(!frames.at_boundary());
    }

    #[test]
    fn close_frames_carry_their_code() {
        assert_eq!(close(1008), [0x88, 2, 0x03, 0xf0]);
        assert_eq!(close(1012), [0x88, 2, 0x03, 0xf4]);
    }
}
