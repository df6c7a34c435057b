//! The listener's first look at HTTP/1.1: heads that two servers could read in two ways (K07, RFC 9112 §6).

mod head;
mod refusal;
mod scan;
mod watch;

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

pub use refusal::Refusal;
use scan::{Followed, MAX_HEAD, Scan, State};
pub use watch::Watch;

/// How long, and how much, a refused client may go on to send. A socket closed with bytes unread is reset, and the
/// client would lose the answer with it.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 1024 * 1024;
const PIECE: usize = 4096;
/// How long a client that will send no more is taken to wait for its answer, from the last byte of it that it took. Nobody can tell
/// one that only closed its sending half from one that left, until it does not take what is written.
const HALF_OPEN: Duration = Duration::from_secs(1);

/// A client's connection that delivers only whole and unambiguous request heads.
///
/// hyper repairs what should be refused: of Content-Length beside Transfer-Encoding it drops the first, of
/// two equal Content-Lengths the second, and it takes a bare LF for a line's end. A server or proxy on either
/// side of us may choose otherwise, and then one request hides inside another. So this type reads along, and
/// keeps a head until it is complete. In place of one that it refuses, and of everything after it, the server gets
/// a request that says so ([`Refusal::of`]), to be answered in its turn.
///
/// It follows bodies only to find the next head; where the framing of one breaks, reading fails with
/// [`io::ErrorKind::InvalidData`]. It steps aside for HTTP/2, and when the server tells its [`Watch`] of a 101.
/// The end of what a client sends is kept from the server for a moment while it is owed an answer (half-close, RFC 9293 §3.6).
/// A client that sends no first head (or preface of HTTP/2) in time is given up, with an answer if it began one.
#[derive(Debug)]
pub struct StrictHeads<T> {
    io: T,
    scan: Scan,
    watch: Watch,
    /// What was read and did not pass yet.
    held: Vec<u8>,
    /// So much of it may pass, and so much has.
    ready: usize,
    given: usize,
    /// Something has passed.
    begun: bool,
    patience: Duration,
    /// Until the first head has come, then until a refused client has stopped sending, or one that sends no more has its answer.
    timer: Option<Pin<Box<Sleep>>>,
    lingered: usize,
    /// Something was written since the timer began.
    wrote: bool,
    shut: bool,
}

impl<T> StrictHeads<T> {
    /// Wraps a connection of which nothing has been read, and whose first head must be complete in time.
    pub fn new(io: T, patience: Duration) -> Self {
        Self {
            io,
            scan: Scan::default(),
            watch: Watch::default(),
            held: Vec::new(),
            ready: 0,
            given: 0,
            begun: false,
            patience,
            timer: None,
            lingered: 0,
            wrote: false,
            shut: false,
        }
    }

    /// The connection.
    pub const fn inner(&self) -> &T {
        &self.io
    }

    /// Where the server must report every answer.
    pub fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// What the answers so far mean for the bytes to come.
    fn consult(&mut self, cx: &Context<'_>) {
        if !self.scan.asked {
            return;
        }
        self.watch.wait(cx.waker());
        if self.watch.upgraded() {
            self.scan.step_aside();
        } else if self.watch.answers() >= self.scan.heads {
            self.scan.go_on();
        } else {
            return;
        }
        if !self.held.is_empty() {
            self.review();
        }
    }

    /// Judges what is held.
    fn review(&mut self) {
        let Followed { safe, refused } = self.scan.follow(&self.held);
        self.ready = safe;
        self.settle(refused);
    }

    fn settle(&mut self, refused: Option<Refusal>) {
        if let Some(refusal) = refused {
            self.held.truncate(self.ready);
            self.held.extend_from_slice(&refusal.head());
            self.ready = self.held.len();
        }
        if self.scan.state == State::Aside && !self.begun {
            self.watch.set_http2();
        }
    }

    /// Hands out what may pass.
    fn give(&mut self, buf: &mut ReadBuf<'_>) {
        let rest = self.held.get(self.given..self.ready).unwrap_or_default();
        let part = rest.get(..buf.remaining()).unwrap_or(rest);
        buf.put_slice(part);
        self.given += part.len();
        if self.given == self.ready {
            if self.ready == self.held.len() {
                self.held = Vec::new();
            } else {
                self.held.drain(..self.ready);
            }
            (self.given, self.ready) = (0, 0);
        }
        self.begun = true;
        self.timer = None;
    }

    /// Nothing more is there: whether that is so for too long. A head that has begun is refused then; of others
    /// nobody waits for an answer.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.begun {
            return Poll::Pending;
        }
        let patience = self.patience;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(timer.as_mut().poll(cx));
        if !self.scan.give_up() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.settle(Some(Refusal::TooSlow));
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> StrictHeads<T> {
    /// Reads into the server's own buffer, and takes back an incomplete head; whether anything is left for it.
    fn poll_through(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let new = buf.filled().get(before..).unwrap_or_default();
        if new.is_empty() {
            return self.poll_owed(cx).map(|()| Ok(true));
        }
        let Followed { safe, refused } = self.scan.follow(new);
        if let Some(kept) = new.get(safe..).filter(|kept| !kept.is_empty()) {
            if refused.is_none() {
                self.held.extend_from_slice(kept);
            }
            buf.set_filled(before + safe);
        }
        self.settle(refused);
        Poll::Ready(Ok(safe > 0))
    }

    /// The client sends no more: whether that is to be told, because nothing is owed to it, or it takes nothing.
    fn poll_owed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.scan.state == State::RequestLine && self.watch.ended() < self.scan.heads {
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(HALF_OPEN)));
            ready!(timer.as_mut().poll(cx));
            self.timer = None;
            if !std::mem::take(&mut self.wrote) {
                break;
            }
        }
        Poll::Ready(())
    }

    /// Reads behind what is held; whether there was anything.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut piece = [MaybeUninit::uninit(); PIECE];
        let mut piece = ReadBuf::uninit(&mut piece);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut piece))?;
        self.held.extend_from_slice(piece.filled());
        Poll::Ready(Ok(!piece.filled().is_empty()))
    }

    /// Takes what a refused client still sends, for a while.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        while timer.as_mut().poll(cx).is_pending() && self.lingered < LINGER_BYTES {
            let mut piece = [MaybeUninit::uninit(); PIECE];
            let mut piece = ReadBuf::uninit(&mut piece);
            match ready!(Pin::new(&mut self.io).poll_read(cx, &mut piece)) {
                Ok(()) if !piece.filled().is_empty() => self.lingered += piece.filled().len(),
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for StrictHeads<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if this.given < this.ready {
                this.give(buf);
                return Poll::Ready(Ok(()));
            }
            this.consult(cx);
            if this.given < this.ready {
                continue;
            }
            match this.scan.state {
                State::Aside => return Pin::new(&mut this.io).poll_read(cx, buf),
                // The answer is on its way, or an earlier one.
                State::Refused => return Poll::Pending,
                State::Broken => {
                    let broken = io::Error::new(io::ErrorKind::InvalidData, "malformed chunk");
                    return Poll::Ready(Err(broken));
                }
                // The answer wakes us.
                State::Waiting if this.held.len() >= MAX_HEAD => return Poll::Pending,
                _ => {}
            }
            // The first buffer that hyper's detection of versions brings is too small for any head.
            if this.begun && this.held.is_empty() && this.scan.state != State::Waiting {
                if ready!(this.poll_through(cx, buf))? {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            match this.poll_more(cx) {
                Poll::Pending => {
                    ready!(this.poll_patience(cx))?;
                    continue;
                }
                Poll::Ready(more) => {
                    // What is held at the end is no request.
                    if !more? {
                        return Poll::Ready(Ok(()));
                    }
                }
            }
            this.review();
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for StrictHeads<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, buf))?;
        self.wrote = true;
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bufs))?;
        self.wrote = true;
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.shut {
            ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
            this.shut = true;
        }
        match this.scan.state {
            State::Refused | State::Broken => this.poll_linger(cx).map(Ok),
            _ => Poll::Ready(Ok(())),
        }
    }
}
