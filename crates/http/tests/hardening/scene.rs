//! A production site with one open application, and sockets to it.

use std::net::SocketAddr;
use std::time::Duration;

use countersign_core::domain::route::{RouteAuth, RouteRule};
use countersign_http::Settings;
use countersign_proxy::{PoolLimits, Upstream, UpstreamConfig};
use countersign_testkit::{TestSite, TestUpstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest time that anything here waits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Scene {
    pub(crate) site: TestSite,
    pub(crate) upstream: TestUpstream,
}

impl Scene {
    /// Every path but those under `/mine` is open.
    pub(crate) async fn with(tune: impl FnOnce(&mut Settings) + Send + 'static) -> Self {
        let upstream = TestUpstream::start().await;
        let mut open = RouteRule::protected(0);
        open.auth = RouteAuth::None;
        let site = TestSite::production()
            .upstream(upstream.origin())
            .route("/*", open)
            .route("/mine/*", RouteRule::protected(0))
            .settings(tune)
            .start()
            .await;
        Self { site, upstream }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.site.address()
    }

    /// How many requests reached the application.
    pub(crate) fn arrived(&self) -> usize {
        self.upstream.seen().len()
    }
}

/// Limits the connections to the application.
pub(crate) fn limit(settings: &mut Settings, connections: usize) {
    let origin = settings.upstreams[0].upstream.origin().clone();
    let limits = PoolLimits { connections, ..PoolLimits::default() };
    settings.upstreams[0].upstream =
        Upstream::new(UpstreamConfig { limits, ..UpstreamConfig::new("app", origin) });
}

/// A GET as the trusted proxy sends it.
pub(crate) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: app.countersign.test\r\nX-Forwarded-Proto: https\r\n\r\n")
}

/// A connection.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) async fn send(address: SocketAddr, text: &str) -> Self {
        let mut raw = Self(TcpStream::connect(address).await.unwrap());
        raw.write(text).await;
        raw
    }

    pub(crate) async fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// The head of an answer and what came with it, up to this text.
    pub(crate) async fn until(&mut self, wanted: &str) -> String {
        let mut seen = String::new();
        while !seen.contains(wanted) {
            let mut buffer = [0; 4096];
            let read = timeout(PATIENCE, self.0.read(&mut buffer)).await.expect("in time").unwrap();
            assert!(read > 0, "the connection ended before {wanted:?}: {seen}");
            seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        seen
    }

    /// Everything to the end. A reset counts as the end.
    pub(crate) async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        drop(timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await.expect("the connection ended in time"));
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Asks on a new connection, and must get this path's answer.
pub(crate) async fn honest(address: SocketAddr, path: &str) -> Raw {
    let mut raw = Raw::send(address, &get(path)).await;
    let answer = raw.until("\"query\"").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(&format!("\"path\":\"{path}\"")), "{answer}");
    raw
}
