//! HTTP/2 by hand: frames that no client library would send (RFC 9113 §4, §6).

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::scene::PATIENCE;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

/// What a trusted proxy's request begins with.
pub(crate) const REQUEST: [(&str, &str); 4] = [
    (":method", "GET"),
    (":scheme", "https"),
    (":authority", "app.countersign.test"),
    ("x-forwarded-proto", "https"),
];

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// A frame's bytes.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Fields as literals without a table and without Huffman's code (RFC 7541 §6.2.2).
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            let mut length = text.len();
            if length < 127 {
                block.push(u8::try_from(length).unwrap());
            } else {
                block.push(127);
                length -= 127;
                while length >= 128 {
                    block.push(u8::try_from(length % 128).unwrap() | 128);
                    length /= 128;
                }
                block.push(u8::try_from(length).unwrap());
            }
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// A request's fields for this path.
pub(crate) fn ask(path: &str) -> Vec<u8> {
    block(&[&[(":path", path)], &REQUEST[..]].concat())
}

/// A connection.
pub(crate) struct Http2(TcpStream);

impl Http2 {
    /// Connects with these settings (identifier, value).
    pub(crate) async fn connect(address: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let mut this = Self(TcpStream::connect(address).await.unwrap());
        this.0.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        let payload: Vec<u8> = settings
            .iter()
            .flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        assert!(this.send(SETTINGS, 0, 0, &payload).await);
        this
    }

    /// Sends a frame; whether the connection took it.
    pub(crate) async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        self.raw(&frame(kind, flags, stream, payload)).await
    }

    /// Sends bytes; whether the connection took them.
    pub(crate) async fn raw(&mut self, bytes: &[u8]) -> bool {
        matches!(timeout(PATIENCE, self.0.write_all(bytes)).await, Ok(Ok(())))
    }

    /// Asks for a path without a body.
    pub(crate) async fn get(&mut self, stream: u32, path: &str) -> bool {
        self.send(HEADERS, END_STREAM | END_HEADERS, stream, &ask(path)).await
    }

    /// The next frame, if one comes within this time and the connection lives. Settings and pings are answered.
    pub(crate) async fn next(&mut self, wait: Duration) -> Option<Frame> {
        timeout(wait, async {
            loop {
                let mut head = [0; 9];
                self.0.read_exact(&mut head).await.ok()?;
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
                let mut payload = vec![0; usize::try_from(length).unwrap()];
                self.0.read_exact(&mut payload).await.ok()?;
                let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & 0x7fff_ffff;
                let frame = Frame { kind: head[3], flags: head[4], stream, payload };
                match (frame.kind, frame.flags & ACK) {
                    (SETTINGS, 0) => drop(self.send(SETTINGS, ACK, 0, &[]).await),
                    (PING, 0) => drop(self.send(PING, ACK, 0, &frame.payload).await),
                    _ => return Some(frame),
                }
            }
        })
        .await
        .ok()
        .flatten()
    }

    /// All frames that come until nothing does for this long, or the connection ends.
    pub(crate) async fn all(&mut self, wait: Duration) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next(wait).await {
            frames.push(frame);
        }
        frames
    }

    /// The answer on a stream: its status and body. None if the stream or the connection ends before.
    pub(crate) async fn answer(&mut self, stream: u32) -> Option<(u16, String)> {
        let (mut code, mut body) = (None, Vec::new());
        loop {
            let frame = self.next(PATIENCE).await?;
            if frame.kind == GOAWAY || (frame.kind == RST_STREAM && frame.stream == stream && code.is_none())
            {
                return None;
            }
            if frame.stream != stream {
                continue;
            }
            match frame.kind {
                HEADERS if code.is_none() => code = Some(status(&frame.payload)),
                DATA => body.extend_from_slice(&frame.payload),
                _ => {}
            }
            if matches!(frame.kind, DATA | HEADERS) && frame.flags & END_STREAM != 0
                || frame.kind == RST_STREAM
            {
                return Some((code?, String::from_utf8_lossy(&body).into_owned()));
            }
        }
    }
}

/// `:status`, which comes first: from the static table, or three digits in Huffman's code (RFC 7541, appendices A, B).
/// Of a connection's first answer with it, that is; then it would be in the dynamic table.
fn status(block: &[u8]) -> u16 {
    match block[0] {
        0x88 => 200,
        0x89 => 204,
        0x8b => 304,
        0x8c => 400,
        0x8d => 404,
        0x8e => 500,
        0x48 if block[1] & 0x80 != 0 => {
            let length = usize::from(block[1] & 0x7f);
            let bits: String = block[2..2 + length].iter().map(|byte| format!("{byte:08b}")).collect();
            digits(&bits)
        }
        0x48 => std::str::from_utf8(&block[2..5]).unwrap().parse().unwrap(),
        other => panic!("an unknown form of :status: {other:#x}"),
    }
}

fn digits(mut bits: &str) -> u16 {
    let mut number = 0;
    for _ in 0..3 {
        let (digit, length) = match u16::from_str_radix(&bits[..5], 2).unwrap() {
            short @ 0..=2 => (short, 5),
            _ => (u16::from_str_radix(&bits[..6], 2).unwrap() - 0b01_1001 + 3, 6),
        };
        number = number * 10 + digit;
        bits = &bits[length..];
    }
    number
}
