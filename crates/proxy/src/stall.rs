//! Clients that ask and then do not read.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// A client's connection that fails when it has taken nothing for too long.
///
/// A server does not ask a body for more while its own writes are blocked, so no limit inside a body can see
/// such a client; each would hold a connection to an upstream for ever.
#[derive(Debug)]
pub struct WriteStall<T> {
    io: T,
    limit: Duration,
    /// Made when a write first blocks.
    patience: Option<Pin<Box<Sleep>>>,
    blocked: bool,
}

impl<T> WriteStall<T> {
    /// Writes may block for this long.
    pub const fn new(io: T, limit: Duration) -> Self {
        Self { io, limit, patience: None, blocked: false }
    }

    /// Counts only the time from the first write that blocks to the next that does not.
    fn watch<R>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if polled.is_ready() {
            self.blocked = false;
            return polled;
        }
        let limit = self.limit;
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(limit)));
        if !std::mem::replace(&mut self.blocked, true) {
            patience.as_mut().reset(Instant::now() + limit);
        }
        patience.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for WriteStall<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for WriteStall<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, buf);
        self.watch(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.watch(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_flush(cx);
        // A socket has nothing to flush and says so at once, also while its writes block: only a flush that
        // waits says anything about the client.
        if polled.is_ready() { polled } else { self.watch(cx, polled) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_shutdown(cx);
        self.watch(cx, polled)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (ours, _theirs) = duplex(4);
        let mut ours = WriteStall::new(ours, Duration::from_secs(60));
        let began = Instant::now();
        let failed = ours.write_all(b"more than fits").await.unwrap_err();
        assert_eq!((failed.kind(), began.elapsed().as_secs()), (io::ErrorKind::TimedOut, 60));
    }

    /// Slow is not stalled: what counts is the time between two bytes, and idle time between writes does not.
    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_a_little_now_and_then_is_kept() {
        let (ours, mut theirs) = duplex(4);
        let mut ours = WriteStall::new(ours, Duration::from_secs(60));
        let writer = tokio::spawn(async move {
            ours.write_all(b"0123456789").await.unwrap();
            sleep(Duration::from_secs(600)).await;
            ours.write_all(b"abcdefghij").await
        });
        let mut buffer = [0; 20];
        for slot in buffer.chunks_mut(2) {
            sleep(Duration::from_secs(50)).await;
            theirs.read_exact(slot).await.unwrap();
        }
        writer.await.unwrap().unwrap();
        assert_eq!(&buffer, b"0123456789abcdefghij");
    }
}
