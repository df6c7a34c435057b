//! Plain HTTP on the port that speaks TLS: somebody typed the address without its `https:`.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long such a client may take to send, and then to read what is said to it.
const PATIENCE: Duration = Duration::from_secs(2);
/// What is read of its request. A socket closed with bytes unread is reset, and the answer would be lost with it.
const READ: usize = 16 * 1024;

/// Whether the first byte is a letter: a method's. A TLS handshake begins with 22 (RFC 8446 §5.1). Waits for the byte.
pub(super) async fn is_plain(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    Ok(stream.peek(&mut first).await? == 1 && first.iter().all(u8::is_ascii_alphabetic))
}

/// Points to the address. Never anything of the request: nobody has looked at it.
pub(super) async fn point_to(stream: &mut TcpStream, origin: &str) -> io::Result<()> {
    let mut request = vec![0; READ];
    // Whatever came in one piece is enough: it is not answered for what it says.
    let _ignored = timeout(PATIENCE, stream.read(&mut request)).await;
    let body = format!("This port speaks HTTPS. Go to {origin}/\n");
    // 307, so that no browser remembers it.
    let answer = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {origin}/\r\ncontent-type: text/plain; charset=utf-8\r\n\
         cache-control: no-store\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
