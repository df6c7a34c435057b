//! What a long-lived exchange hangs on: who ends it, and who hears that its client is still there.

use std::pin::Pin;

/// Resolves when a long-lived exchange must end.
pub type Stop = Pin<Box<dyn Future<Output = StopReason> + Send>>;

/// Why a long-lived exchange must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// What entitled the client to it has ended: WebSocket close code 1008 (RFC 6455 §7.4.1).
    Revoked,
    /// The server goes away and the client may come back: 1012.
    Shutdown,
}

impl StopReason {
    /// The WebSocket close code.
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Revoked => 1008,
            Self::Shutdown => 1012,
        }
    }
}

/// The caller's end of upgraded connections and streamed answers.
///
/// Nothing is called for an ordinary short answer, so that it costs the hot path nothing.
pub trait Live: Send + Sync + 'static {
    /// Bytes came from the client over an upgraded connection. Called for each read: keep it to an atomic
    /// store.
    fn inbound(&self);

    /// Called once per long-lived exchange, when it has turned out to be one. The future must be ready at
    /// once if the end came before this call: the check that let the request in may be older than a
    /// revocation.
    fn stopped(&self) -> Stop;
}
