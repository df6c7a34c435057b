//! The answer's body on its way to the client.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use crate::hygiene::clean_trailers;
use crate::pool::{Lease, Pressure};
use crate::upload::Upload;
use crate::{BodyError, Live, Protected, Stop, StopReason};

/// What is still in use while an answer's body streams.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) lease: Lease,
    pub(crate) upload: Option<Arc<Upload>>,
    pub(crate) reusable: bool,
}

impl Exchange {
    /// The answer is complete. The connection serves another request only if this one was complete too: an
    /// upstream that answered early may still be reading it.
    fn finish(self) {
        if self.reusable && self.upload.is_none_or(|upload| upload.finished()) {
            self.lease.give_back();
        }
    }
}

/// An answer's body. Dropped before its end, it closes the upstream's connection.
pub struct ProxyBody {
    incoming: Option<Incoming>,
    exchange: Option<Exchange>,
    protected: Option<Arc<Protected>>,
    between: Option<Duration>,
    /// Made when the upstream first pauses, so that an answer that comes in one piece costs no timer.
    pause: Option<Pin<Box<Sleep>>>,
    /// Something came since `pause` was set.
    moved: bool,
    events: bool,
    live: Option<Arc<dyn Live>>,
    stop: Option<Stop>,
}

impl ProxyBody {
    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            incoming: None,
            exchange: None,
            protected: None,
            between: None,
            pause: None,
            moved: false,
            events: false,
            live: None,
            stop: None,
        }
    }

    pub(crate) fn new(
        incoming: Incoming,
        exchange: Exchange,
        between: Option<Duration>,
        events: bool,
        live: Option<Arc<dyn Live>>,
        protected: Arc<Protected>,
    ) -> Self {
        if incoming.is_end_stream() {
            exchange.finish();
            return Self { incoming: Some(incoming), ..Self::empty() };
        }
        // A body of known length is a page or a file; only one without an end in sight is a stream to be
        // stopped.
        let live = live.filter(|_| incoming.size_hint().exact().is_none());
        Self {
            incoming: Some(incoming),
            exchange: Some(exchange),
            protected: Some(protected),
            between,
            events,
            live,
            ..Self::empty()
        }
    }

    /// How scarce the connection is that this body keeps from others; none if it keeps none.
    #[must_use]
    pub fn pressure(&self) -> Option<Pressure> {
        self.exchange.as_ref().map(|exchange| exchange.lease.pressure())
    }

    fn finish(&mut self) {
        if let Some(exchange) = self.exchange.take() {
            exchange.finish();
        }
        self.pause = None;
        self.stop = None;
        self.live = None;
    }

    /// Closes the upstream's connection.
    fn cut(&mut self) {
        self.exchange = None;
        self.incoming = None;
        self.finish();
    }

    /// Nothing came: whether that is so for too long, or the exchange was ended.
    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(live) = self.live.take() {
            self.stop = Some(live.stopped());
        }
        if let Some(stop) = &mut self.stop
            && let Poll::Ready(reason) = stop.as_mut().poll(cx)
        {
            if reason == StopReason::Shutdown && !self.events {
                // A page that streams may finish within the server's drain; an event stream never would.
                self.stop = None;
            } else {
                self.cut();
                // The end of an event stream is nothing unusual. Anything else must not look complete.
                return Poll::Ready((!self.events).then_some(Err(BodyError::Stopped)));
            }
        }
        let Some(between) = self.between else { return Poll::Pending };
        let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(between)));
        if std::mem::take(&mut self.moved) {
            pause.as_mut().reset(Instant::now() + between);
        }
        while pause.as_mut().poll(cx).is_ready() {
            // As long as the request still moves, the upstream may well be waiting for more of it.
            let upload = self.exchange.as_ref().and_then(|exchange| exchange.upload.as_deref());
            let crowded = self.exchange.as_ref().is_some_and(|exchange| exchange.lease.pressure().is_high());
            let moving = upload.filter(|upload| !(upload.finished() || crowded && upload.drips()));
            let still = moving.map(Upload::still_for);
            match still.and_then(|still| between.checked_sub(still)).filter(|rest| !rest.is_zero()) {
                Some(rest) => pause.as_mut().reset(Instant::now() + rest),
                None => {
                    self.cut();
                    return Poll::Ready(Some(Err(BodyError::TimedOut)));
                }
            }
        }
        Poll::Pending
    }
}

impl http_body::Body for ProxyBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        match Pin::new(&mut *incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let ended = frame.is_trailers() || incoming.is_end_stream();
                self.moved = true;
                let frame = match (frame.into_trailers(), &self.protected) {
                    (Ok(mut trailers), Some(protected)) => {
                        clean_trailers(&mut trailers, protected);
                        Frame::trailers(trailers)
                    }
                    (Ok(trailers), None) => Frame::trailers(trailers),
                    (Err(frame), _) => frame,
                };
                if ended {
                    self.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.cut();
                Poll::Ready(Some(Err(BodyError::Broken(error))))
            }
            Poll::Ready(None) => {
                self.finish();
                Poll::Ready(None)
            }
            Poll::Pending => self.poll_pause(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl fmt::Debug for ProxyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyBody")
            .field("incoming", &self.incoming)
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}
