//! Handshakes in memory between our configuration and a real client.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::*;
use crate::entropy::SystemEntropy;
use rcgen::KeyPair;
use rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, ServerConnection,
    SupportedProtocolVersion,
};
use rustls_pki_types::{CertificateDer, ServerName};
use tempfile::TempDir;

const DAY: Duration = Duration::from_secs(86_400);

/// What a client saw.
struct Seen {
    leaf: CertificateDer<'static>,
    protocol: Vec<u8>,
    version: ProtocolVersion,
}

fn handshake(
    tls: &Tls,
    root: &CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
) -> Result<Seen, rustls::Error> {
    handshake_for("localhost", tls, root, version)
}

fn handshake_for(
    name: &'static str,
    tls: &Tls,
    root: &CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
) -> Result<Seen, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    let name = ServerName::try_from(name).unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name)?;
    let mut server = ServerConnection::new(tls.config())?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut wire = wire.as_slice();
        while !wire.is_empty() {
            server.read_tls(&mut wire).unwrap();
            server.process_new_packets()?;
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut wire = wire.as_slice();
        while !wire.is_empty() {
            client.read_tls(&mut wire).unwrap();
            client.process_new_packets()?;
        }
    }
    Ok(Seen {
        leaf: client.peer_certificates().unwrap()[0].clone().into_owned(),
        protocol: client.alpn_protocol().unwrap().to_vec(),
        version: client.protocol_version().unwrap(),
    })
}

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A self-signed certificate for localhost; its key goes to the other file.
    fn write(&self, certificate: &str, key: &str) -> CertificateDer<'static> {
        let pair = KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let made = params.self_signed(&pair).unwrap();
        std::fs::write(self.path(certificate), made.pem()).unwrap();
        std::fs::write(self.path(key), pair.serialize_pem()).unwrap();
        std::fs::set_permissions(self.path(key), std::fs::Permissions::from_mode(0o600)).unwrap();
        made.der().clone()
    }

    fn open(&self) -> Result<Tls, TlsError> {
        Tls::from_files(&self.path("cert.pem"), &self.path("key.pem"))
    }

    fn message(&self) -> String {
        self.open().unwrap_err().to_string()
    }
}

#[test]
fn both_versions_and_protocols() {
    let place = Place::new();
    let root = place.write("cert.pem", "key.pem");
    let tls = place.open().unwrap();
    for (version, wanted) in [
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let seen = handshake(&tls, &root, version).unwrap();
        assert_eq!((seen.version, &*seen.protocol), (wanted, &b"h2"[..]));
    }
}

#[test]
fn files_are_reloaded_and_broken_ones_are_not() {
    let place = Place::new();
    let first = place.write("cert.pem", "key.pem");
    let tls = place.open().unwrap();
    let now = SystemClock.now();
    let serves = |root: &CertificateDer<'static>| handshake(&tls, root, &rustls::version::TLS13).is_ok();
    assert_eq!(tls.reload(now).unwrap(), Reload::Unchanged);
    // Half of an update: the new certificate with the old key.
    let second = place.write("cert.pem", "new-key.pem");
    assert!(matches!(tls.reload(now), Err(TlsError::Mismatch { .. })));
    assert!(serves(&first) && !serves(&second));
    // The other half.
    std::fs::rename(place.path("new-key.pem"), place.path("key.pem")).unwrap();
    assert_eq!(tls.reload(now).unwrap(), Reload::Replaced);
    assert!(serves(&second) && !serves(&first));
    assert_eq!(tls.reload(now).unwrap(), Reload::Unchanged);
    // Gone.
    std::fs::remove_file(place.path("cert.pem")).unwrap();
    assert!(tls.reload(now).is_err());
    assert!(serves(&second));
}

#[test]
fn errors_name_the_file() {
    let place = Place::new();
    let (cert, key) = (place.path("cert.pem"), place.path("key.pem"));
    assert!(place.message().contains(&format!("{} does not exist", cert.display())));
    place.write("cert.pem", "key.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(place.message().contains(&format!("chmod 600 {}", key.display())));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(place.open().is_ok());
    std::fs::write(&key, "no key").unwrap();
    assert!(place.message().contains(&format!("{} holds no private key", key.display())));
    std::fs::write(&cert, "no certificate").unwrap();
    assert!(place.message().contains(&format!("{} holds no certificate", cert.display())));
    place.write("cert.pem", "other.pem");
    place.write("other-cert.pem", "key.pem");
    let message = place.message();
    assert!(message.contains("does not belong to") && message.contains("key.pem"), "{message}");
}

fn local_tls(place: &Place, now: Timestamp) -> Tls {
    let ca = LocalCa::open_or_create(&place.path("ca"), &SystemEntropy, now).unwrap();
    Tls::from_local_ca(ca, vec!["app.test".into()], now).unwrap()
}

#[test]
fn local_certificates_serve_and_are_renewed_under_the_same_key() {
    let place = Place::new();
    let now = SystemClock.now();
    let tls = local_tls(&place, now);
    let root = tls.local_ca().unwrap().certificate().clone();
    let pin = tls.spki_sha256_base64().unwrap();
    let before = handshake(&tls, &root, &rustls::version::TLS13).unwrap().leaf;
    assert_eq!(tls.reload(now.plus(59 * DAY)).unwrap(), Reload::Unchanged);
    assert_eq!(tls.reload(now.plus(61 * DAY)).unwrap(), Reload::Replaced);
    assert_eq!(tls.expires_at().unwrap().as_secs(), now.plus(151 * DAY).as_secs());
    assert_eq!(tls.spki_sha256_base64().unwrap(), pin);
    assert_eq!(pin.len(), 44);
    assert!(handshake(&local_tls(&place, now), &root, &rustls::version::TLS12).unwrap().leaf != before);
}

/// Every name below localhost and test works, though no wildcard for them would; other names get no certificate of theirs.
#[test]
fn local_names_get_certificates_when_asked_for() {
    let place = Place::new();
    let tls = local_tls(&place, SystemClock.now());
    let root = tls.local_ca().unwrap().certificate().clone();
    let ask = |name| handshake_for(name, &tls, &root, &rustls::version::TLS13);
    for name in ["localhost", "app.test", "any.localhost", "a.b.test", "ANY.localhost", "127.0.0.1"] {
        assert!(ask(name).is_ok(), "{name}");
    }
    assert_eq!(ask("any.localhost").unwrap().leaf, ask("any.localhost").unwrap().leaf);
    for name in ["example.com", "127.0.0.9"] {
        assert!(ask(name).is_err(), "{name}");
    }
}

/// Names that are not local are refused before anything is signed.
#[test]
fn the_local_ca_signs_for_nobody_else() {
    let place = Place::new();
    let now = SystemClock.now();
    let ca = LocalCa::open_or_create(&place.path("ca"), &SystemEntropy, now).unwrap();
    let refused = Tls::from_local_ca(ca, vec!["app.example.com".into()], now).unwrap_err();
    assert!(matches!(&refused, TlsError::NotLocal(name) if name == "app.example.com"));
}
