//! Judged by webpki, the verifier of a real client.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use super::*;
use crate::clock::SystemClock;
use crate::entropy::SystemEntropy;
use countersign_core::port::Clock;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::{CertificateError, RootCertStore};
use rustls_pki_types::{ServerName, UnixTime};

fn ca(directory: &Path) -> LocalCa {
    LocalCa::open_or_create(directory, &SystemEntropy, SystemClock.now()).unwrap()
}

/// What a client that trusts the CA says to a certificate when it wanted to talk to `name`.
fn judge(ca: &LocalCa, leaf: &CertificateDer<'_>, name: &str, now: Timestamp) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.certificate().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs().unsigned_abs()));
    verifier.verify_server_cert(leaf, &[], &name, &[], now).map(drop)
}

#[test]
fn local_names_verify() {
    let place = tempfile::tempdir().unwrap();
    let ca = ca(place.path());
    let key = KeyPair::generate().unwrap();
    let names = ["app.test".to_owned(), "shop.localhost".to_owned(), "127.0.0.2".to_owned()];
    let now = SystemClock.now();
    let leaf = ca.leaf(&key, &names, &SystemEntropy, now).unwrap();
    for name in ["localhost", "shop.localhost", "app.test", "127.0.0.1", "127.0.0.2", "::1"] {
        judge(&ca, &leaf, name, now).unwrap();
    }
    for name in ["other.test", "any.localhost", "example.com", "127.0.0.3"] {
        assert!(judge(&ca, &leaf, name, now).is_err(), "{name}");
    }
    assert!(judge(&ca, &leaf, "localhost", now.plus(91 * DAY)).is_err());
}

/// Whoever steals the key of the CA can impersonate nobody: clients refuse what it signs for other names.
#[test]
fn name_constraints_hold_for_a_stolen_key() {
    let place = tempfile::tempdir().unwrap();
    let ca = ca(place.path());
    let key = KeyPair::generate().unwrap();
    let now = SystemClock.now();
    for name in ["example.com", "localhost.example.com", "nottest", "10.0.0.1", "2001:db8::1", "::2"] {
        let leaf = ca.issue(&key, &[name.to_owned()], &SystemEntropy, now).unwrap();
        let refused = judge(&ca, &leaf, name, now).unwrap_err();
        let rustls::Error::InvalidCertificate(CertificateError::Other(reason)) = &refused else {
            panic!("{name}: {refused:?}");
        };
        assert!(format!("{reason:?}").contains("NameConstraintViolation"), "{name}: {reason:?}");
        assert!(matches!(ca.leaf(&key, &[name.to_owned()], &SystemEntropy, now), Err(TlsError::NotLocal(_))));
    }
}

#[test]
fn what_counts_as_local() {
    for good in ["localhost", "a.localhost", "a.b.test", "127.9.9.9", "::1"] {
        assert!(is_local(good), "{good}");
    }
    for bad in ["", ".localhost", "alocalhost", "example.com", "localhost.com", "10.0.0.1", "::2", "atest"] {
        assert!(!is_local(bad), "{bad}");
    }
}

#[test]
fn made_once_and_kept_private() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("ca");
    let first = ca(&directory);
    let mode = |name: &str| std::fs::metadata(directory.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("ca-key.pem"), 0o600);
    assert_eq!(std::fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
    let again = ca(&directory);
    assert_eq!(first.certificate(), again.certificate());
    assert_eq!(first.name(), again.name());
    assert!(first.expires_at() > SystemClock.now().plus(3600 * DAY));
    // A lost certificate is made again from the key; what it signed before stays good.
    let leaf = first.leaf(&KeyPair::generate().unwrap(), &[], &SystemEntropy, SystemClock.now()).unwrap();
    std::fs::remove_file(directory.join("ca.pem")).unwrap();
    judge(&ca(&directory), &leaf, "localhost", SystemClock.now()).unwrap();
}

#[test]
fn damage_is_named() {
    let place = tempfile::tempdir().unwrap();
    let open = |now| LocalCa::open_or_create(place.path(), &SystemEntropy, now).map(drop);
    let now = SystemClock.now();
    open(now).unwrap();
    assert!(matches!(open(now.plus(CA_LIFE)), Err(TlsError::CaExpired { .. })));
    let key = place.path().join("ca-key.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(open(now).unwrap_err().to_string().contains("chmod 600"));
    std::fs::remove_file(&key).unwrap();
    // A new key is made, to which the old certificate does not belong.
    assert!(matches!(open(now), Err(TlsError::Mismatch { .. })));
    std::fs::write(&key, "nothing").unwrap();
    assert!(open(now).unwrap_err().to_string().contains("ca-key.pem"));
}
