//! Bytes on a socket: what a well-behaved client library refuses to send, and connections that outlive a request.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest time that anything here waits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A request head as the trusted proxy in front of a production site sends it.
pub(crate) fn head(method: &str, target: &str, fields: &[(&str, &str)]) -> String {
    let mut head =
        format!("{method} {target} HTTP/1.1\r\nHost: app.countersign.test\r\nX-Forwarded-Proto: https\r\n");
    for (name, value) in fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head
}

/// One connection.
pub(crate) struct Raw(TcpStream);

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// Reads a head, byte by byte so that what follows stays unread.
    pub(crate) async fn read_head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = timeout(PATIENCE, self.0.read_u8()).await.expect("the answer came in time");
            head.push(byte.unwrap_or_else(|e| panic!("{e} after {:?}", String::from_utf8_lossy(&head))));
        }
        String::from_utf8(head).unwrap()
    }

    /// Reads what is there until these bytes have come.
    pub(crate) async fn read_until(&mut self, wanted: &str) -> String {
        let mut text = String::new();
        while !text.contains(wanted) {
            let mut buffer = [0; 4096];
            let read = timeout(PATIENCE, self.0.read(&mut buffer)).await.expect("it came in time").unwrap();
            assert!(read > 0, "the connection ended before {wanted:?} came: {text}");
            text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        text
    }

    /// Reads to the end of the connection. A reset counts as the end.
    pub(crate) async fn read_to_end(&mut self) -> String {
        let mut bytes = Vec::new();
        drop(timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await.expect("the connection ended in time"));
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Sends bytes on a connection of their own and reads the answer's head.
pub(crate) async fn ask(address: SocketAddr, bytes: &[u8]) -> String {
    let mut raw = Raw::connect(address).await;
    raw.send(bytes).await;
    raw.read_head().await
}

/// The status of a head.
pub(crate) fn status(head: &str) -> u16 {
    head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("no status: {head:?}"))
}

/// A WebSocket that the upstream echoes (RFC 6455).
pub(crate) struct WebSocket(Raw);

/// A text frame with a mask of zeroes.
fn frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
}

impl WebSocket {
    /// Asks for the upgrade; the answer's head, and the connection behind it.
    pub(crate) async fn ask(address: SocketAddr, path: &str, fields: &[(&str, &str)]) -> (String, Self) {
        let upgrade = [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let fields = [&upgrade[..], fields].concat();
        let mut raw = Raw::connect(address).await;
        raw.send(head("GET", path, &fields).as_bytes()).await;
        (raw.read_head().await, Self(raw))
    }

    /// Opens one with these cookies, as a page of the site does.
    pub(crate) async fn open(address: SocketAddr, path: &str, cookies: &str) -> Self {
        let origin = ("Origin", "https://app.countersign.test");
        let (head, socket) = Self::ask(address, path, &[("Cookie", cookies), origin]).await;
        assert_eq!(status(&head), 101, "{head}");
        socket
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.0.send(&frame(text)).await;
    }

    /// The next frame: opcode and payload. `None` at the end of the connection.
    pub(crate) async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let stream = &mut self.0.0;
        let mut start = [0; 2];
        timeout(PATIENCE, stream.read_exact(&mut start)).await.expect("a frame came in time").ok()?;
        let mut payload = vec![0; usize::from(start[1] & 0x7f)];
        stream.read_exact(&mut payload).await.unwrap();
        Some((start[0] & 0x0f, payload))
    }

    /// Sends a text and reads its echo.
    pub(crate) async fn echo(&mut self, text: &str) {
        self.send(text).await;
        assert_eq!(self.next().await, Some((1, text.as_bytes().to_vec())));
    }

    /// Reads the close frame that ends the connection; its code.
    pub(crate) async fn close_code(&mut self) -> u16 {
        match self.next().await {
            Some((8, payload)) => u16::from_be_bytes([payload[0], payload[1]]),
            other => panic!("no close frame but {other:?}"),
        }
    }
}
