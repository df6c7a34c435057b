//! What the listener uses.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use countersign_core::domain::time::Timestamp;
use countersign_core::port::Clock;
use data_encoding::BASE64;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ParsedCertificate, ResolvesServerCert};

use super::TlsError;
use super::files::Files;
use super::local_ca::LocalCa;
use super::resolver::{Resolver, Source};
use crate::clock::SystemClock;

/// How often files are read again, and the end of a local certificate is looked at.
const EVERY: Duration = Duration::from_secs(30);

/// What a reload did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reload {
    /// New connections get another certificate.
    Replaced,
    /// All is as it was.
    Unchanged,
}

/// TLS for a listener.
#[derive(Debug)]
pub struct Tls {
    config: Arc<ServerConfig>,
    resolver: Arc<Resolver>,
}

impl Tls {
    /// A certificate chain (the server's own first) and its key, both PEM. The key must not be readable by others than its
    /// owner and group.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let provider = provider();
        let files = Files { certificate: certificate.into(), key: key.into() };
        Self::new(Resolver::of_files(files, Arc::clone(&provider))?, provider)
    }

    /// A certificate of the local CA for localhost, loopback and `names` (each below `localhost` or `test`, or a loopback
    /// address); other local names get theirs when a client asks. Key and certificates stay in memory.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn from_local_ca(ca: LocalCa, names: Vec<String>, now: Timestamp) -> Result<Self, TlsError> {
        let provider = provider();
        Self::new(Resolver::of_local_ca(ca, names, Arc::clone(&provider), now)?, provider)
    }

    fn new(resolver: Resolver, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let resolver = Arc::new(resolver);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|e| TlsError::Library(e.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&resolver) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), resolver })
    }

    /// For the acceptor. Follows reloads by itself.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// The local CA, if that is where the certificate comes from.
    #[must_use]
    pub fn local_ca(&self) -> Option<&LocalCa> {
        match self.resolver.source() {
            Source::Local(local) => Some(&local.ca),
            Source::Files { .. } => None,
        }
    }

    /// Until when the certificate in use is good.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.resolver.expires_at()
    }

    /// SHA-256 of the certificate's public key in base64, as browsers' pinning flags want it. The same for all certificates
    /// of the local CA that this process serves.
    #[must_use]
    pub fn spki_sha256_base64(&self) -> Option<String> {
        let current = self.resolver.current();
        let leaf = ParsedCertificate::try_from(current.cert.first()?).ok()?;
        Some(BASE64.encode(digest(&SHA256, &leaf.subject_public_key_info()).as_ref()))
    }

    /// Reads the files again, or renews a local certificate with less than 30 days left.
    ///
    /// # Errors
    /// [`TlsError`]; the certificate in use stays.
    pub fn reload(&self, now: Timestamp) -> Result<Reload, TlsError> {
        self.resolver.reload(now)
    }

    /// Reloads every 30 seconds, for ever. A failure is logged when it begins and when it changes; the old certificate stays.
    pub async fn watch(self: Arc<Self>) {
        let mut failure = None;
        loop {
            tokio::time::sleep(EVERY).await;
            let tls = Arc::clone(&self);
            // Files may lie on a network: not on the runtime's threads.
            let reloaded = tokio::task::spawn_blocking(move || tls.reload(SystemClock.now())).await;
            let now_failing = match reloaded {
                Ok(Ok(Reload::Replaced)) => {
                    tracing::info!(expires = ?self.expires_at(), "TLS certificate replaced");
                    None
                }
                Ok(Ok(Reload::Unchanged)) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(error) => Some(error.to_string()),
            };
            if let Some(error) = now_failing.as_ref().filter(|now| failure.as_ref() != Some(*now)) {
                tracing::error!(error, "TLS certificate not reloaded; the old one stays in use");
            }
            failure = now_failing;
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

#[cfg(test)]
mod tests;
