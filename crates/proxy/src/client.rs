//! The connection that a request came by.

use std::any::Any;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// Exchanges that one client connection may have with an upstream whose connections are getting scarce: about as
/// many as browsers open connections of HTTP/1.1 to one host.
const SHARE: usize = 8;

/// A client's connection, to be put into the extensions of each request that comes by it.
///
/// HTTP/2 lets one connection ask a hundred things at once. A few such clients, who never read, would have all
/// connections to an upstream to themselves; so where those are scarce, each client connection gets a share.
#[derive(Debug, Clone)]
pub struct ClientConnection {
    pub(crate) share: Option<Arc<Semaphore>>,
    /// Kept by what outlives the connection's HTTP: it still is a connection.
    _held: Arc<dyn Any + Send + Sync>,
}

impl ClientConnection {
    /// A client's own connection. `held` is kept as long as anything goes on that came by it, tunnels included.
    #[must_use]
    pub fn of_client(held: Arc<dyn Any + Send + Sync>) -> Self {
        Self { share: Some(Arc::new(Semaphore::new(SHARE))), _held: held }
    }

    /// One that stands for many clients: a trusted proxy's. It has no share.
    #[must_use]
    pub fn of_proxy(held: Arc<dyn Any + Send + Sync>) -> Self {
        Self { share: None, _held: held }
    }
}
