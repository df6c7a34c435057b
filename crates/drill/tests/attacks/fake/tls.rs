//! TLS with a certificate of its own making, and old versions of it where that is the mistake.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

#[derive(Clone)]
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    pub(super) pem: String,
}

impl Tls {
    pub(super) fn new(host: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), pem: made.cert.pem() }
    }

    /// The handshake; `old` also agrees to TLS 1.0 and 1.1, as far as the first words of it.
    pub(super) async fn shake(&self, mut stream: TcpStream, old: bool) -> Option<TlsStream<TcpStream>> {
        if old && let Some(version) = old_version(&stream).await {
            // A ServerHello of that version (RFC 2246 §7.4.1.3), with one of the client's ciphers.
            let mut hello = vec![0x16, 3, version, 0, 42, 2, 0, 0, 38, 3, version];
            hello.extend_from_slice(&[0x24; 32]);
            hello.extend_from_slice(&[0, 0xc0, 0x14, 0]);
            drop(stream.write_all(&hello).await);
            return None;
        }
        self.acceptor.accept(stream).await.ok()
    }
}

/// The second number of a ClientHello's version, if it is of TLS 1.0 or 1.1.
async fn old_version(stream: &TcpStream) -> Option<u8> {
    let mut head = [0; 11];
    while stream.peek(&mut head).await.ok()? < head.len() {
        tokio::task::yield_now().await;
    }
    (head[9] == 3 && head[10] < 3).then_some(head[10])
}
