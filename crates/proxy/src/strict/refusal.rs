//! Heads that are not passed on, and how the server behind hears of them.

use http::request::Parts;
use http::{StatusCode, Version};
use thiserror::Error;

/// The method of the request that stands in for a refused head. A client that sends it is refused too.
const METHOD: &str = "MALFORMED";

/// Why [`StrictHeads`](crate::StrictHeads) refused a request head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Not `method target HTTP/1.x`, or a target that is none.
    #[error("The request line is malformed.")]
    RequestLine,
    /// No name, bytes that may not be there, a folded line (RFC 9112 §5.2), or one that ends without CRLF.
    #[error("A header field is malformed.")]
    Field,
    /// Two servers could disagree where the request ends (RFC 9112 §6).
    #[error("Content-Length or Transfer-Encoding is malformed, repeated or contradicted.")]
    Framing,
    /// The first head on its connection began, and was not complete in time.
    #[error("The request head took too long.")]
    TooSlow,
    /// More than 64 kB, or than 100 fields.
    #[error("The request head is larger than 64 kB or has more than 100 fields.")]
    TooLarge,
}

impl Refusal {
    const ALL: [Self; 5] = [Self::RequestLine, Self::Field, Self::Framing, Self::TooSlow, Self::TooLarge];

    /// The refusal that a request stands for, if it is no client's own.
    #[must_use]
    pub fn of(parts: &Parts) -> Option<Self> {
        if parts.version == Version::HTTP_2 || parts.method.as_str() != METHOD {
            return None;
        }
        let named = Self::ALL.into_iter().find(|refusal| parts.uri.path() == refusal.target());
        Some(named.unwrap_or(Self::RequestLine))
    }

    /// 400, 408 or 431.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::RequestLine | Self::Field | Self::Framing => StatusCode::BAD_REQUEST,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        }
    }

    /// What an access log shows of it.
    const fn target(self) -> &'static str {
        match self {
            Self::RequestLine => "/request-line",
            Self::Field => "/field",
            Self::Framing => "/framing",
            Self::TooSlow => "/too-slow",
            Self::TooLarge => "/too-large",
        }
    }

    /// The request that a server gets instead; after its answer the connection closes.
    pub(super) fn head(self) -> Vec<u8> {
        format!("{METHOD} {} HTTP/1.1\r\nConnection: close\r\n\r\n", self.target()).into_bytes()
    }
}
