//! The request bodies that can be forwarded.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;

/// A request body: as it comes from the client, or with what the caller has already read of it put back in
/// front.
#[derive(Debug)]
pub struct Body(Kind);

#[derive(Debug)]
enum Kind {
    /// The bytes are never empty.
    Prefixed(Bytes, Option<Incoming>),
    Incoming(Incoming),
    /// All that was left of it.
    Trailers(HeaderMap),
    Empty,
}

impl Body {
    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// These bytes.
    #[must_use]
    pub fn full(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::empty() } else { Self(Kind::Prefixed(bytes, None)) }
    }

    /// What was read already, then the rest as it comes.
    #[must_use]
    pub fn prefixed(prefix: Bytes, rest: Incoming) -> Self {
        if prefix.is_empty() { Self::from(rest) } else { Self(Kind::Prefixed(prefix, Some(rest))) }
    }

    /// Waits until some of it has come, or its end. Nothing is lost if the wait is given up.
    pub(crate) async fn begin(&mut self) -> Result<(), hyper::Error> {
        while let Kind::Incoming(incoming) = &mut self.0 {
            let frame = poll_fn(|cx| Pin::new(&mut *incoming).poll_frame(cx)).await;
            let Some(frame) = frame.transpose()? else {
                self.0 = Kind::Empty;
                return Ok(());
            };
            match frame.into_data().map_err(Frame::into_trailers) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => {
                    if let Kind::Incoming(rest) = std::mem::replace(&mut self.0, Kind::Empty) {
                        self.0 = Kind::Prefixed(bytes, Some(rest));
                    }
                }
                Err(Ok(trailers)) => self.0 = Kind::Trailers(trailers),
                Err(Err(_unknown)) => {}
            }
        }
        Ok(())
    }
}

impl From<Incoming> for Body {
    fn from(incoming: Incoming) -> Self {
        if incoming.is_end_stream() { Self::empty() } else { Self(Kind::Incoming(incoming)) }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Incoming(incoming) => {
                let frame = ready!(Pin::new(incoming).poll_frame(cx));
                if frame.is_none() {
                    // Polled again, a body that has ended must say so again.
                    self.0 = Kind::Empty;
                }
                Poll::Ready(frame)
            }
            Kind::Trailers(trailers) => {
                let trailers = std::mem::take(trailers);
                self.0 = Kind::Empty;
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
            Kind::Prefixed(prefix, rest) => {
                let prefix = std::mem::take(prefix);
                self.0 = rest.take().map_or(Kind::Empty, Kind::Incoming);
                Poll::Ready(Some(Ok(Frame::data(prefix))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Incoming(incoming) => incoming.is_end_stream(),
            Kind::Prefixed(..) | Kind::Trailers(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Incoming(incoming) => incoming.size_hint(),
            // Of chunks nobody says a length, nor whether there are any.
            Kind::Trailers(_) => SizeHint::new(),
            Kind::Prefixed(prefix, rest) => {
                let known = prefix.len() as u64;
                let rest = rest.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint);
                let mut hint = SizeHint::new();
                hint.set_lower(rest.lower().saturating_add(known));
                if let Some(upper) = rest.upper() {
                    hint.set_upper(upper.saturating_add(known));
                }
                hint
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn bytes_come_once_and_then_the_end() {
        let mut body = Body::full(Bytes::from_static(b"abc"));
        assert_eq!((body.is_end_stream(), body.size_hint().exact()), (false, Some(3)));
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
        assert!(body.is_end_stream() && body.frame().await.is_none());
        assert!(Body::full(Bytes::new()).is_end_stream());
    }
}
