//! A certification authority of this machine's own, for development over HTTPS.
//!
//! Whoever steals its key can impersonate nothing but local names: the certificate carries critical name constraints
//! (RFC 5280 §4.2.1.10) for `localhost`, `*.localhost`, `*.test` and loopback addresses, may not sign other CAs, and is
//! for servers only. The key is made once and has mode 0600.

use std::fmt;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use countersign_core::domain::time::Timestamp;
use countersign_core::port::Entropy;
use data_encoding::HEXLOWER;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType,
    SerialNumber,
};
use rustls::server::ParsedCertificate;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use zeroize::Zeroizing;

use super::TlsError;
use super::expiry::not_after;
use crate::files::{CreateError, Reach, create_private, create_public, read_private};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Ten years.
const CA_LIFE: Duration = Duration::from_secs(3652 * 24 * 60 * 60);
/// Below the 398 days that browsers accept.
const LEAF_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The local CA: its certificate, and the key that signs for local names only.
pub struct LocalCa {
    directory: PathBuf,
    key: KeyPair,
    certificate: CertificateDer<'static>,
}

impl fmt::Debug for LocalCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCa").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl LocalCa {
    /// Opens the CA in a directory (mode 0700), or makes it there: `ca.pem` and `ca-key.pem`.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn open_or_create(
        directory: &Path,
        entropy: &impl Entropy,
        now: Timestamp,
    ) -> Result<Self, TlsError> {
        let failed = |source| CreateError { path: directory.into(), source };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        // The key first: of two processes that start at once, both use the key that was there first, and a
        // certificate that is missing is made again from it.
        let key_path = directory.join("ca-key.pem");
        if !key_path.exists() {
            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(library)?;
            create_private(&key_path, Zeroizing::new(key.serialize_pem()).as_bytes())?;
        }
        let unusable = |path: &Path, reason: String| TlsError::Unusable { path: path.into(), reason };
        let pem = read_private(&key_path, Reach::Owner)?;
        let key = std::str::from_utf8(&pem).ok().and_then(|pem| KeyPair::from_pem(pem).ok());
        let key = key.ok_or_else(|| unusable(&key_path, "not a private key".into()))?;
        let path = directory.join("ca.pem");
        if !path.exists() {
            let mut params = ca_params(&key);
            params.serial_number = Some(serial(entropy));
            (params.not_before, params.not_after) = (at(now.minus(DAY))?, at(now.plus(CA_LIFE))?);
            create_public(&path, params.self_signed(&key).map_err(library)?.pem().as_bytes())?;
        }
        let pem = read_private(&path, Reach::Everyone)?;
        let certificate = CertificateDer::from_pem_slice(&pem).map_err(|e| unusable(&path, e.to_string()))?;
        let parsed = ParsedCertificate::try_from(&certificate).map_err(|e| unusable(&path, e.to_string()))?;
        if *parsed.subject_public_key_info() != *key.subject_public_key_info() {
            return Err(TlsError::Mismatch { certificate: path, key: key_path });
        }
        // A leaf must not outlive its issuer.
        if not_after(&certificate).is_none_or(|end| end < now.plus(LEAF_LIFE)) {
            return Err(TlsError::CaExpired { directory: directory.into() });
        }
        Ok(Self { directory: directory.into(), key, certificate })
    }

    /// The certificate, in PEM: what browsers and programs must be told to trust.
    #[must_use]
    pub fn certificate_path(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// The certificate, in DER.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Name and number by which people find it in a list of authorities.
    #[must_use]
    pub fn name(&self) -> String {
        common_name(&self.key)
    }

    /// Until when it is good.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        not_after(&self.certificate).unwrap_or_default()
    }

    /// A certificate for localhost, loopback and `names`, good for 90 days.
    pub(super) fn leaf(
        &self,
        leaf_key: &KeyPair,
        names: &[String],
        entropy: &impl Entropy,
        now: Timestamp,
    ) -> Result<CertificateDer<'static>, TlsError> {
        let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(String::from).into();
        for name in names {
            if !is_local(name) {
                return Err(TlsError::NotLocal(name.clone()));
            }
            if !all.contains(name) {
                all.push(name.clone());
            }
        }
        self.issue(leaf_key, &all, entropy, now)
    }

    /// Signs for any name. What is not local is refused by whoever checks it, not here.
    fn issue(
        &self,
        leaf_key: &KeyPair,
        names: &[String],
        entropy: &impl Entropy,
        now: Timestamp,
    ) -> Result<CertificateDer<'static>, TlsError> {
        let mut params = CertificateParams::default();
        for name in names {
            params.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(name.as_str().try_into().map_err(library)?),
            });
        }
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Countersign development server");
        // Random: browsers refuse two certificates of one issuer with one number, and a renewed one has the same key.
        params.serial_number = Some(serial(entropy));
        (params.not_before, params.not_after) = (at(now.minus(DAY))?, at(now.plus(LEAF_LIFE))?);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let issuer = Issuer::new(ca_params(&self.key), &self.key);
        let leaf = params.signed_by(leaf_key, &issuer).map_err(library)?;
        Ok(leaf.der().clone())
    }
}

/// Everything but the dates and the number follows from the key.
fn ca_params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Countersign");
    params.distinguished_name.push(DnType::CommonName, common_name(key));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".into()),
            GeneralSubtree::DnsName("test".into()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(
                [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                128,
            )),
        ],
        excluded_subtrees: Vec::new(),
    });
    params
}

/// Several machines, or several projects, each have their own: the number keeps them apart.
fn common_name(key: &KeyPair) -> String {
    let hash = digest(&SHA256, &key.subject_public_key_info());
    format!("Countersign local CA {}", HEXLOWER.encode(hash.as_ref().get(..4).unwrap_or_default()))
}

pub(super) fn is_local(name: &str) -> bool {
    match name.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => ["localhost", "test"].iter().any(|top| {
            name == *top
                || name.strip_suffix(top).is_some_and(|below| below.len() > 1 && below.ends_with('.'))
        }),
    }
}

/// A positive number of 127 random bits (RFC 5280 §4.1.2.2).
fn serial(entropy: &impl Entropy) -> SerialNumber {
    let number = u128::from_be_bytes(entropy.bytes()) >> 1;
    SerialNumber::from_slice(&number.to_be_bytes())
}

fn at(instant: Timestamp) -> Result<time::OffsetDateTime, TlsError> {
    time::OffsetDateTime::from_unix_timestamp(instant.as_secs()).map_err(|e| TlsError::Library(e.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "a map_err argument")]
pub(super) fn library(error: rcgen::Error) -> TlsError {
    TlsError::Library(error.to_string())
}

#[cfg(test)]
mod tests;
