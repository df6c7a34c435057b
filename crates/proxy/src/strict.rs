//! The listener's first look at HTTP/1.1: heads that two servers could read in two ways (K07, RFC 9112 §6).

mod scan;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use scan::Scan;

/// A client's connection on which an ambiguous request head becomes a malformed one.
///
/// hyper repairs what should be refused: of Content-Length beside Transfer-Encoding it drops the first, of
/// two equal Content-Lengths the second, and it takes a bare LF for a line's end. A server or proxy on either
/// side of us may choose otherwise, and then one request hides inside another. So this type reads along, and
/// where such a line ends it puts a NUL: hyper answers 400 and closes the connection.
///
/// It follows bodies only to find the next head, and steps aside for HTTP/2 and after a 101.
#[derive(Debug)]
pub struct StrictHeads<T> {
    io: T,
    scan: Scan,
}

impl<T> StrictHeads<T> {
    /// Wraps a connection of which nothing has been read.
    pub fn new(io: T) -> Self {
        Self { io, scan: Scan::default() }
    }

    /// The connection.
    pub const fn inner(&self) -> &T {
        &self.io
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for StrictHeads<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let Self { io, scan } = &mut *self;
        ready!(Pin::new(io).poll_read(cx, buf))?;
        if let Some(new) = buf.filled_mut().get_mut(before..) {
            scan.read(new);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for StrictHeads<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.scan.written(buf);
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        for buf in bufs {
            self.scan.written(buf);
        }
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
