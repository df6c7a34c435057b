//! Which certificate a connection gets, and how it is replaced while the listener runs.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use countersign_core::domain::time::Timestamp;
use countersign_core::port::Clock;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::expiry::not_after;
use super::files::{Content, Files};
use super::local_ca::{LocalCa, is_local, library};
use super::{Reload, TlsError};
use crate::clock::SystemClock;
use crate::entropy::SystemEntropy;

/// What is left of a local certificate when it is renewed.
const RENEW_BEFORE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Local names remembered besides the ones in the first certificate.
const MORE_NAMES: usize = 64;

/// Hands certificates to connections.
pub(super) struct Resolver {
    current: RwLock<Arc<CertifiedKey>>,
    source: Source,
}

pub(super) enum Source {
    Files { files: Files, content: Mutex<Content>, provider: Arc<CryptoProvider> },
    Local(Box<Local>),
}

/// Signs for local names as clients ask for them: neither browsers nor libraries take `*.localhost` or `*.test`, because a
/// wildcard may not stand right below a top-level name.
pub(super) struct Local {
    pub(super) ca: LocalCa,
    key: KeyPair,
    names: Vec<String>,
    more: Mutex<HashMap<String, Arc<CertifiedKey>>>,
    provider: Arc<CryptoProvider>,
}

impl Resolver {
    pub(super) fn of_files(files: Files, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let read = files.read(None, &provider)?;
        let (certified, content) = read.ok_or_else(|| TlsError::NoCertificate(files.certificate.clone()))?;
        let source = Source::Files { files, content: Mutex::new(content), provider };
        Ok(Self { current: RwLock::new(Arc::new(certified)), source })
    }

    pub(super) fn of_local_ca(
        ca: LocalCa,
        names: Vec<String>,
        provider: Arc<CryptoProvider>,
        now: Timestamp,
    ) -> Result<Self, TlsError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(library)?;
        let local = Local { ca, key, names, more: Mutex::default(), provider };
        let first = local.sign(&local.names, now)?;
        Ok(Self { current: RwLock::new(Arc::new(first)), source: Source::Local(Box::new(local)) })
    }

    pub(super) const fn source(&self) -> &Source {
        &self.source
    }

    /// The certificate that connections get, unless they ask for another local name.
    pub(super) fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        self.current().cert.first().and_then(|leaf| not_after(leaf))
    }

    pub(super) fn reload(&self, now: Timestamp) -> Result<Reload, TlsError> {
        let fresh = match &self.source {
            Source::Files { files, content, provider } => {
                let mut content = content.lock().unwrap_or_else(PoisonError::into_inner);
                let Some((certified, read)) = files.read(Some(*content), provider)? else {
                    return Ok(Reload::Unchanged);
                };
                *content = read;
                certified
            }
            Source::Local(local) => {
                if self.expires_at().is_some_and(|end| end >= now.plus(RENEW_BEFORE)) {
                    return Ok(Reload::Unchanged);
                }
                let fresh = local.sign(&local.names, now)?;
                // None of these is older than the first one was.
                local.more.lock().unwrap_or_else(PoisonError::into_inner).clear();
                fresh
            }
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(Reload::Replaced)
    }
}

impl Local {
    fn sign(&self, names: &[String], now: Timestamp) -> Result<CertifiedKey, TlsError> {
        let leaf = self.ca.leaf(&self.key, names, &SystemEntropy, now)?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        CertifiedKey::from_der(vec![leaf], der, &self.provider).map_err(|e| TlsError::Library(e.to_string()))
    }

    /// A certificate for a local name that the first one does not have.
    fn another(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let name = name.to_ascii_lowercase();
        if name == "localhost" || self.names.contains(&name) || !is_local(&name) {
            return None;
        }
        let mut more = self.more.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = more.get(&name) {
            return Some(Arc::clone(known));
        }
        let made = Arc::new(self.sign(std::slice::from_ref(&name), SystemClock.now()).ok()?);
        // Bounded, whatever names a client makes up.
        if more.len() >= MORE_NAMES {
            more.clear();
        }
        more.insert(name, Arc::clone(&made));
        Some(made)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Files { files, .. } => f.debug_tuple("Resolver").field(files).finish(),
            Source::Local(local) => f.debug_tuple("Resolver").field(&local.ca).field(&local.names).finish(),
        }
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let another = match (&self.source, hello.server_name()) {
            (Source::Local(local), Some(name)) => local.another(name),
            _ => None,
        };
        Some(another.unwrap_or_else(|| self.current()))
    }
}
