//! An application behind the gateway.

use std::sync::Arc;
use std::time::Duration;

use crate::pool::Pool;
use crate::{Origin, Protected, Timeouts};

/// Which Host an upstream sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostHeader {
    /// The one the client asked for.
    #[default]
    Preserve,
    /// The upstream's own.
    Upstream,
}

/// Bounds on the connections to one upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolLimits {
    /// Exchanges at a time, upgraded and streamed ones included; so also connections.
    pub connections: usize,
    /// Requests that may wait for one; the next is refused at once.
    pub queue: usize,
    /// How long each may wait.
    pub queue_timeout: Duration,
    /// Connections kept open for later.
    pub idle: usize,
    /// For how long. Below what common application servers choose (5 s), so that we close first and a request
    /// rarely meets a connection that the other side is just closing.
    pub idle_timeout: Duration,
    /// For a TCP connection, name look-up included.
    pub connect_timeout: Duration,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            queue: 1024,
            queue_timeout: Duration::from_secs(10),
            idle: 256,
            idle_timeout: Duration::from_secs(4),
            connect_timeout: Duration::from_secs(5),
        }
    }
}

/// What describes an upstream.
#[derive(Debug, Clone)]
pub struct UpstreamConfig {
    /// For logs and for the caller.
    pub name: String,
    /// Where it listens.
    pub origin: Origin,
    /// Which Host it sees.
    pub host: HostHeader,
    /// Its connections.
    pub limits: PoolLimits,
    /// Its defaults, for the caller to put into a [`ForwardContext`](crate::ForwardContext) or override
    /// there.
    pub timeouts: Timeouts,
    /// Whether a connection serves another request after one with a body (POST, PUT and PATCH, answered without an
    /// error; no other method's ever does). A server that answers without reading the body takes it for the next
    /// request, which is somebody else's: set it to false for one that does.
    pub reuse_after_body: bool,
    /// The names that must not come in by trailers either; the same value that cleans the headers.
    pub protected: Arc<Protected>,
}

impl UpstreamConfig {
    /// An upstream with the defaults.
    #[must_use]
    pub fn new(name: impl Into<String>, origin: Origin) -> Self {
        Self {
            name: name.into(),
            origin,
            host: HostHeader::default(),
            limits: PoolLimits::default(),
            timeouts: Timeouts::default(),
            reuse_after_body: true,
            protected: Arc::default(),
        }
    }
}

/// An upstream with its connections.
#[derive(Debug)]
pub struct Upstream {
    pub(crate) config: UpstreamConfig,
    pub(crate) pool: Arc<Pool>,
}

impl Upstream {
    /// Connects to nothing yet.
    #[must_use]
    pub fn new(config: UpstreamConfig) -> Self {
        let pool = Arc::new(Pool::new(config.origin.clone(), config.limits.clone()));
        Self { config, pool }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Where it listens.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.config.origin
    }

    /// Its default limits.
    #[must_use]
    pub const fn timeouts(&self) -> Timeouts {
        self.config.timeouts
    }
}
