//! Certificate chain and private key from PEM files.

use std::path::PathBuf;

use aws_lc_rs::digest::{Context, SHA256};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem};

use super::TlsError;
use crate::files::{Reach, read_private};

/// Where chain and key are.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// What the files held when they were read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Content([u8; 32]);

impl Files {
    /// Reads both; `None` if they hold what they held before.
    pub(super) fn read(
        &self,
        before: Option<Content>,
        provider: &CryptoProvider,
    ) -> Result<Option<(CertifiedKey, Content)>, TlsError> {
        let chain = read_private(&self.certificate, Reach::Everyone)?;
        let key = read_private(&self.key, Reach::Group)?;
        let content = Content::of(&chain, &key);
        if before == Some(content) {
            return Ok(None);
        }
        let chain = CertificateDer::pem_slice_iter(&chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| TlsError::Unusable { path: self.certificate.clone(), reason: e.to_string() })?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate(self.certificate.clone()));
        }
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(|e| match e {
            pem::Error::NoItemsFound => TlsError::NoKey(self.key.clone()),
            other => TlsError::Unusable { path: self.key.clone(), reason: other.to_string() },
        })?;
        let key = provider
            .key_provider
            .load_private_key(key)
            .map_err(|e| TlsError::Unusable { path: self.key.clone(), reason: e.to_string() })?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Ok(()) => Ok(Some((certified, content))),
            Err(rustls::Error::InconsistentKeys(_)) => {
                Err(TlsError::Mismatch { certificate: self.certificate.clone(), key: self.key.clone() })
            }
            Err(e) => Err(TlsError::Unusable { path: self.certificate.clone(), reason: e.to_string() }),
        }
    }
}

impl Content {
    fn of(chain: &[u8], key: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in [chain, key] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        Self(out)
    }
}
