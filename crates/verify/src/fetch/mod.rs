//! Fetching from the issuer: one pinned origin, HTTPS, no redirects, caps on time and size (H09).

mod door;
mod origin;
mod tls;

use countersign_core::domain::token::jwks::JwksRefusal;

pub(crate) use door::{Door, Get};
pub use origin::InvalidOrigin;
pub(crate) use origin::Origin;
pub(crate) use tls::client as tls_client;

/// Why something could not be fetched. For logs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// No connection.
    #[error("cannot connect: {0}")]
    Connect(#[source] std::io::Error),
    /// The TLS handshake failed; an untrusted or wrong certificate among other things.
    #[error("TLS handshake failed: {0}")]
    Tls(#[source] std::io::Error),
    /// It took longer than allowed.
    #[error("took too long")]
    TimedOut,
    /// HTTP went wrong.
    #[error("exchange failed: {0}")]
    Exchange(#[from] hyper::Error),
    /// A status other than 200. Redirects are never followed: they would move the trust to wherever they point (H09).
    #[error("answered {0}")]
    Status(http::StatusCode),
    /// Another content type than the one asked for.
    #[error("answered with another content type")]
    ContentType,
    /// The body is longer than allowed.
    #[error("answer is too long")]
    TooLong,
    /// The keys are no set that may be used.
    #[error(transparent)]
    Keys(JwksRefusal),
    /// The body is not what it should be.
    #[error("answer cannot be read: {0}")]
    Unreadable(&'static str),
}
