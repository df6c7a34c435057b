//! The one body type of all our answers.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use countersign_proxy::ProxyBody;
use http_body::{Body, Frame, SizeHint};

use crate::gateway::retrofit::Passing;

/// Our own bytes, an upstream's stream, or what the router made.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    /// Our own bytes.
    Full(Option<Bytes>),
    /// An upstream's answer.
    Proxy(Box<ProxyBody>),
    /// An upstream's answer of which a part was read, or that is watched.
    Passing(Box<Passing>),
    /// The router's answer.
    Route(axum::body::Body),
}

/// What ends a body early.
pub(crate) type BodyFailure = Box<dyn std::error::Error + Send + Sync>;

/// An answer on its way out.
pub(crate) type Answer = http::Response<AnswerBody>;

impl AnswerBody {
    /// No body.
    #[must_use]
    pub(crate) const fn empty() -> Self {
        Self::Full(None)
    }
}

impl<T: Into<Bytes>> From<T> for AnswerBody {
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        Self::Full((!bytes.is_empty()).then_some(bytes))
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyFailure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFailure>>> {
        match &mut *self {
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Self::Proxy(body) => Pin::new(&mut **body).poll_frame(cx).map_err(Into::into),
            Self::Passing(body) => Pin::new(&mut **body).poll_frame(cx),
            Self::Route(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_none(),
            Self::Proxy(body) => body.is_end_stream(),
            Self::Passing(body) => body.is_end_stream(),
            Self::Route(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Proxy(body) => body.size_hint(),
            Self::Passing(body) => body.size_hint(),
            Self::Route(body) => body.size_hint(),
        }
    }
}
