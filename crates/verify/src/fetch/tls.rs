//! TLS towards the issuer: the system's certificate authorities, or exactly those that were named.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use tokio_rustls::TlsConnector;

/// Trusts `only`, or without it what the system trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` are heeded).
///
/// `None` when a certificate is unusable, or the system has none.
pub(crate) fn client(only: Option<&[CertificateDer<'static>]>) -> Option<TlsConnector> {
    let mut roots = RootCertStore::empty();
    if only.is_none() {
        let (_added, _ignored) =
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    for certificate in only.unwrap_or_default() {
        roots.add(certificate.clone()).ok()?;
    }
    if roots.is_empty() {
        return None;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Some(TlsConnector::from(Arc::new(config)))
}
