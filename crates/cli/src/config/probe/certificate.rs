//! Certificate and key of the listener: whether they can be used, and for the host that browsers show.

use super::{quoted, show};
use crate::config::Settings;
use crate::config::finding::Findings;
use countersign_adapters::tls::{Tls, TlsError};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use std::path::Path;
use url::Url;

/// Loads both as the listener would. What it would refuse stops the start in any environment.
pub(super) fn probe(cert_file: &Path, key_file: &Path, settings: &Settings, found: &mut Findings) {
    let Err(error) = Tls::from_files(cert_file, key_file) else {
        return names(cert_file, &settings.public_url, found);
    };
    let about_key = match &error {
        TlsError::NoKey(_) | TlsError::Mismatch { .. } => true,
        TlsError::Unusable { path, .. } => path == key_file,
        _ => false,
    };
    let message = error.to_string();
    if about_key {
        let remedy =
            "name the private key of the first certificate in tls.cert_file, in PEM and without a passphrase";
        found.refuse("tls.key_file", quoted(key_file), &message, remedy);
    } else {
        let remedy = "name a certificate chain in PEM, the server's own certificate first";
        found.refuse("tls.cert_file", quoted(cert_file), &message, remedy);
    }
}

/// A proxy in front that passes TLS on under another name is possible, so this is no more than a warning.
fn names(cert_file: &Path, public_url: &Url, found: &mut Findings) {
    let host = public_url.host_str().unwrap_or_default();
    let Ok(name) = ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']')) else { return };
    let Ok(certificate) = CertificateDer::from_pem_file(cert_file) else { return };
    let Ok(certificate) = ParsedCertificate::try_from(&certificate) else { return };
    if verify_server_name(&certificate, &name).is_err() {
        let message = format!(
            "the certificate is not for the host of public_url ({}): browsers refuse it",
            show::quoted(host)
        );
        let remedy = "take a certificate that has this host among its names (subjectAltName)";
        found.warn("tls.cert_file", quoted(cert_file), &message, remedy);
    }
}
