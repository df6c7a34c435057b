//! What the caller says about one request.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::{Cleaned, Live, PublicOrigin};

/// How long an exchange may stand still. An upstream has defaults; a route may override them for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From the last byte of the request to the first of the answer.
    pub first_byte: Duration,
    /// Between two bytes in either direction; `None` is unlimited.
    /// Upgraded connections and `text/event-stream` are unlimited whatever it says.
    pub between_bytes: Option<Duration>,
}

impl Timeouts {
    /// A year at most: what a configuration calls for ever must not overflow a clock.
    pub(crate) fn bounded(self) -> Self {
        const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
        Self {
            first_byte: self.first_byte.min(YEAR),
            between_bytes: self.between_bytes.map(|between| between.min(YEAR)),
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { first_byte: Duration::from_secs(120), between_bytes: Some(Duration::from_secs(60)) }
    }
}

/// What [`Upstream::forward`](crate::Upstream::forward) needs beside the request.
pub struct ForwardContext<'a> {
    /// Proof that the client's headers were cleaned.
    pub cleaned: Cleaned,
    /// The resolved client, for `X-Forwarded-For`.
    pub client: IpAddr,
    /// Where clients reach us, for `X-Forwarded-Proto`, `-Host` and `-Port` and for `Location`.
    pub public: &'a PublicOrigin,
    /// This route's limits.
    pub timeouts: Timeouts,
    /// Who may end the exchange if it lives long.
    pub live: Option<Arc<dyn Live>>,
}

impl fmt::Debug for ForwardContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardContext")
            .field("cleaned", &self.cleaned)
            .field("client", &self.client)
            .field("public", &self.public)
            .field("timeouts", &self.timeouts)
            .field("live", &self.live.is_some())
            .finish()
    }
}
