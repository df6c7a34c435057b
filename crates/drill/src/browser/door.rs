//! Keeps the browser from every host that was not named: redirects, forms, images, popups, workers and web sockets alike.
//!
//! All that is not for the target's host and port is sent to a proxy, and the proxy is a door that closes at once. That is below
//! everything that a page can do, so no way of asking can be forgotten. The attacker's sites are answered inside of the browser, before
//! a connection is needed.

use std::io;

use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::target::Target;

/// A listener on loopback that accepts and closes. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct ClosedDoor {
    port: u16,
    closing: AbortHandle,
}

impl Drop for ClosedDoor {
    fn drop(&mut self) {
        self.closing.abort();
    }
}

impl ClosedDoor {
    /// Begins to listen.
    ///
    /// # Errors
    /// Of the operating system.
    pub(super) async fn open() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let closing = tokio::spawn(async move {
            // Even where the system is out of descriptors nothing gets past it: then nobody answers.
            while let Ok((stream, _peer)) = listener.accept().await {
                drop(stream);
            }
        });
        Ok(Self { port, closing: closing.abort_handle() })
    }

    /// What Chromium is told: the proxy also for loopback, only the target without it; no name but the target's is looked up; no
    /// WebRTC, which would go past a proxy.
    pub(super) fn flags(&self, target: &Target) -> [String; 5] {
        let origin = target.origin();
        let bare = origin.host.trim_matches(['[', ']']);
        [
            format!("--proxy-server=http://127.0.0.1:{}", self.port),
            format!("--proxy-bypass-list=<-loopback>;{}:{}", origin.host, origin.port),
            format!("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE {bare}"),
            "--force-webrtc-ip-handling-policy=disable_non_proxied_udp".to_owned(),
            "--webrtc-ip-handling-policy=disable_non_proxied_udp".to_owned(),
        ]
    }
}
