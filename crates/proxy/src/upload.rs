//! The request body on its way out, and what is known about its progress.

use std::error::Error as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;

use crate::hygiene::clean_trailers;
use crate::{Body, Protected};

/// Bytes a second, on average, below which an upload is too slow for a connection that others wait for; and from
/// which second on that is judged.
const DRIP_RATE: u64 = 512;
const DRIP_FROM: u64 = 10;

/// The progress of a request body. The connection's task writes it, the exchange reads it.
#[derive(Debug)]
pub(crate) struct Upload {
    began: Instant,
    /// Milliseconds from `began` to the last frame taken.
    last: AtomicU64,
    /// Bytes taken.
    taken: AtomicU64,
    finished: AtomicBool,
    failed: AtomicBool,
    malformed: AtomicBool,
    /// The upstream takes more, the client has not sent it.
    starved: AtomicBool,
}

impl Upload {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            last: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            finished: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            malformed: AtomicBool::new(false),
            starved: AtomicBool::new(false),
        }
    }

    /// The connection took the last of it.
    pub(crate) fn finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// The client's side of it broke.
    pub(crate) fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Its chunks cannot be told apart.
    pub(crate) fn malformed(&self) -> bool {
        self.malformed.load(Ordering::Acquire)
    }

    /// It is the client that everybody waits for.
    pub(crate) fn starved(&self) -> bool {
        self.starved.load(Ordering::Acquire)
    }

    /// The client sends so little at a time that it can only mean to hold the connection.
    pub(crate) fn drips(&self) -> bool {
        let seconds = self.began.elapsed().as_secs();
        let enough = seconds.saturating_mul(DRIP_RATE);
        seconds >= DRIP_FROM
            && self.starved()
            && !self.finished()
            && self.taken.load(Ordering::Acquire) < enough
    }

    /// How long ago the last frame was taken.
    pub(crate) fn still_for(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.last.load(Ordering::Acquire)))
    }

    fn touch(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Release);
        self.starved.store(false, Ordering::Release);
    }
}

/// A request body as a pooled connection sends it.
#[derive(Debug)]
pub(crate) struct SentBody {
    body: Body,
    /// Only a body that streams has progress to report; without one nothing is allocated.
    tracked: Option<(Arc<Upload>, Arc<Protected>)>,
}

impl SentBody {
    pub(crate) const fn empty() -> Self {
        Self { body: Body::empty(), tracked: None }
    }

    pub(crate) fn new(body: Body, protected: &Arc<Protected>) -> Self {
        let tracked = (!body.is_end_stream()).then(|| (Arc::new(Upload::new()), Arc::clone(protected)));
        Self { body, tracked }
    }

    pub(crate) fn upload(&self) -> Option<Arc<Upload>> {
        self.tracked.as_ref().map(|(upload, _)| Arc::clone(upload))
    }
}

impl http_body::Body for SentBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Self { body, tracked } = &mut *self;
        let Some((upload, protected)) = tracked else { return Pin::new(body).poll_frame(cx) };
        let polled = Pin::new(&mut *body).poll_frame(cx);
        if polled.is_pending() {
            upload.starved.store(true, Ordering::Release);
        }
        let frame = match ready!(polled) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                upload.malformed.store(is_malformed(&error), Ordering::Release);
                upload.failed.store(true, Ordering::Release);
                return Poll::Ready(Some(Err(error)));
            }
            None => {
                upload.touch();
                upload.finished.store(true, Ordering::Release);
                return Poll::Ready(None);
            }
        };
        upload.touch();
        let taken = frame.data_ref().map_or(0, Bytes::len) as u64;
        upload.taken.fetch_add(taken, Ordering::AcqRel);
        let frame = match frame.into_trailers() {
            Ok(trailers) => Frame::trailers(cleaned(trailers, protected)),
            Err(frame) => frame,
        };
        // The connection polls no further after either of these.
        if frame.is_trailers() || body.is_end_stream() {
            upload.finished.store(true, Ordering::Release);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whether it is what was sent that is wrong, not that it stopped.
pub(crate) fn is_malformed(error: &hyper::Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return matches!(io.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput);
        }
        source = cause.source();
    }
    false
}

fn cleaned(mut trailers: HeaderMap, protected: &Protected) -> HeaderMap {
    clean_trailers(&mut trailers, protected);
    trailers
}
