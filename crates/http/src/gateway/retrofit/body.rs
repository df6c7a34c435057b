//! Bodies of answers: read whole up to a limit, or watched as they pass by.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use countersign_core::domain::retrofit::JwtScan;
use countersign_proxy::{BodyError, ProxyBody};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

use crate::wire::body::BodyFailure;

/// A body that was read.
pub(super) enum Read {
    /// All of it.
    Whole(Bytes),
    /// It is longer than the limit: what was read, and the rest.
    Longer(Bytes, ProxyBody),
}

/// Reads a body up to a limit.
pub(super) async fn read(mut body: ProxyBody, limit: usize) -> Result<Read, BodyError> {
    if body.size_hint().lower() > limit as u64 {
        return Ok(Read::Longer(Bytes::new(), body));
    }
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        // Trailers of a body that is written anew belong to nothing.
        if let Ok(data) = frame?.into_data() {
            read.extend_from_slice(&data);
        }
        if read.len() > limit {
            return Ok(Read::Longer(read.freeze(), body));
        }
    }
    Ok(Read::Whole(read.freeze()))
}

/// What is told when a token was seen.
type Tell = Box<dyn FnOnce() + Send + Sync>;

/// An upstream's body on its way to the client, with what was read of it before in front.
pub(crate) struct Passing {
    prefix: Bytes,
    body: ProxyBody,
    watch: Option<(JwtScan, Tell)>,
    /// Bytes that are still looked at.
    left: usize,
}

impl std::fmt::Debug for Passing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passing").field("body", &self.body).finish_non_exhaustive()
    }
}

impl Passing {
    /// A body, with what was read of it put back.
    pub(super) fn new(prefix: Bytes, body: ProxyBody) -> Self {
        Self { prefix, body, watch: None, left: 0 }
    }

    /// A body in which a token is looked for, `limit` bytes of it at most.
    pub(super) fn watched(body: ProxyBody, limit: usize, tell: Tell) -> Self {
        Self { prefix: Bytes::new(), body, watch: Some((JwtScan::default(), tell)), left: limit }
    }

    /// The upstream's part.
    pub(crate) const fn inner(&self) -> &ProxyBody {
        &self.body
    }

    fn look(&mut self, data: &[u8], ended: bool) {
        let Some((scan, _)) = &mut self.watch else { return };
        let seen = data.get(..self.left.min(data.len())).unwrap_or_default();
        self.left -= seen.len();
        let found = scan.feed(seen) || (ended && scan.end());
        if (found || self.left == 0 || ended)
            && let Some((_, tell)) = self.watch.take()
            && found
        {
            tell();
        }
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = BodyFailure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFailure>>> {
        if !self.prefix.is_empty() {
            let prefix = std::mem::take(&mut self.prefix);
            return Poll::Ready(Some(Ok(Frame::data(prefix))));
        }
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if self.watch.is_some()
            && let Poll::Ready(frame) = &polled
        {
            match frame {
                Some(Ok(frame)) => {
                    let ended = self.body.is_end_stream();
                    let data = frame.data_ref().cloned().unwrap_or_default();
                    self.look(&data, ended);
                }
                Some(Err(_)) | None => self.look(&[], true),
            }
        }
        polled.map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.prefix.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (known, rest) = (self.prefix.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(known));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(known));
        }
        hint
    }
}
