//! Certificates, and clients that trust them.

use std::path::Path;
use std::sync::Arc;

use rcgen::generate_simple_self_signed;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Both ends of a TLS connection to `localhost`.
pub(crate) fn pair() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let names = [String::from("localhost"), String::from("127.0.0.1")];
    let made = generate_simple_self_signed(names).expect("self-signed certificate");
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("certificate and key");
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (Arc::new(server), trusting(certificate))
}

/// Writes a certificate for a host as `cert.pem`, its key as `key.pem`, and one after the other as `site.pem`; gives what trusts it.
pub(crate) fn files(directory: &Path, host: &str) -> Arc<ClientConfig> {
    let made = generate_simple_self_signed([host.to_owned()]).expect("self-signed certificate");
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let both = format!("{certificate}{key}");
    for (name, text) in [("cert.pem", certificate), ("key.pem", key), ("site.pem", both)] {
        std::fs::write(directory.join(name), text).expect("a file for TLS");
    }
    trusting(made.cert.der().clone())
}

fn trusting(certificate: CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("root");
    let client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(client)
}
