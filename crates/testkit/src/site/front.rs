//! A real proxy before a site: what it needs, and browsers that come through it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use countersign_core::domain::cookie::CookiePolicy;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::TestSite;
use crate::client::{Client, Door};
use crate::tls;

/// The public side of a site that stands behind a proxy with TLS of its own.
#[derive(Debug)]
pub struct Front {
    origin: String,
    cookies: CookiePolicy,
    tls: Arc<ClientConfig>,
}

impl TestSite {
    /// Writes `cert.pem`, `key.pem` and `site.pem` (both in one) for the site's public host into a directory, for the proxy.
    #[must_use]
    pub fn front(&self, directory: &Path) -> Front {
        let host = self.door.origin.split("://").nth(1).expect("an origin");
        Front {
            origin: self.door.origin.clone(),
            cookies: self.door.cookies.clone(),
            tls: tls::files(directory, host),
        }
    }
}

impl Front {
    /// Whether a proxy with this certificate answers at an address.
    pub async fn answers(&self, address: SocketAddr) -> bool {
        self.connect(address).await.is_ok()
    }

    /// Sends bytes over TLS to a proxy with this certificate, and gives all that comes back until it closes.
    pub async fn raw(&self, address: SocketAddr, request: &str) -> String {
        let mut stream = self.connect(address).await.expect("TLS");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        // Many close without saying so in TLS; what came until then counts.
        drop(stream.read_to_end(&mut answer).await);
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn connect(&self, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let host = self.origin.split("://").nth(1).expect("an origin").to_owned();
        let name = ServerName::try_from(host).expect("name");
        TlsConnector::from(Arc::clone(&self.tls)).connect(name, TcpStream::connect(address).await?).await
    }

    /// A new browser that reaches the site by way of the proxy at an address.
    #[must_use]
    pub fn client(&self, address: SocketAddr) -> Client {
        Client::new(Arc::new(Door {
            address,
            origin: self.origin.clone(),
            cookies: self.cookies.clone(),
            tls: Some(Arc::clone(&self.tls)),
            proxied: false,
        }))
    }
}
