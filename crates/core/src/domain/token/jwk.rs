//! Public keys that we verify with, and their JWK form (RFC 7517, RFC 7638).

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self, ParsedPublicKey};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::domain::signing_key::Algorithm;

/// A public key bound to exactly one algorithm (A02), parsed once.
#[derive(Debug)]
pub struct VerifyingKey {
    kid: Box<str>,
    algorithm: Algorithm,
    raw: Vec<u8>,
    parsed: ParsedPublicKey,
}

/// Bytes that are no public key of the algorithm.
#[derive(Debug, thiserror::Error)]
#[error("not a public key for {algorithm}")]
pub struct InvalidKey {
    algorithm: &'static str,
}

impl VerifyingKey {
    /// From raw bytes: 32 for Ed25519, the 65-byte uncompressed point for P-256.
    ///
    /// # Errors
    /// [`InvalidKey`].
    pub fn new(algorithm: Algorithm, raw: &[u8]) -> Result<Self, InvalidKey> {
        let bad = || InvalidKey { algorithm: algorithm.as_str() };
        let scheme: &'static dyn signature::VerificationAlgorithm = match algorithm {
            Algorithm::EdDsa if raw.len() == 32 => &signature::ED25519,
            Algorithm::Es256 if raw.len() == 65 => &signature::ECDSA_P256_SHA256_FIXED,
            Algorithm::EdDsa | Algorithm::Es256 => return Err(bad()),
        };
        let parsed = ParsedPublicKey::new(scheme, raw).map_err(|_rejected| bad())?;
        Ok(Self { kid: thumbprint(algorithm, raw), algorithm, raw: raw.to_vec(), parsed })
    }

    /// RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its only algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether the signature is good.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }

    /// The public JWK with `use`, `alg` and `kid`.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        let mut jwk = members(self.algorithm, &self.raw);
        if let Value::Object(map) = &mut jwk {
            map.insert("use".into(), "sig".into());
            map.insert("alg".into(), self.algorithm.as_str().into());
            map.insert("kid".into(), (&*self.kid).into());
        }
        jwk
    }
}

fn members(algorithm: Algorithm, raw: &[u8]) -> Value {
    let text = |bytes: Option<&[u8]>| BASE64URL_NOPAD.encode(bytes.unwrap_or_default());
    // serde_json orders members by name, which is what RFC 7638 §3.3 asks of the thumbprint's input.
    match algorithm {
        Algorithm::EdDsa => json!({"crv": "Ed25519", "kty": "OKP", "x": text(Some(raw))}),
        Algorithm::Es256 => {
            json!({"crv": "P-256", "kty": "EC", "x": text(raw.get(1..33)), "y": text(raw.get(33..65))})
        }
    }
}

/// RFC 7638 thumbprint, base64url.
#[must_use]
pub fn thumbprint(algorithm: Algorithm, raw: &[u8]) -> Box<str> {
    let input = members(algorithm, raw).to_string();
    BASE64URL_NOPAD.encode(digest::digest(&digest::SHA256, input.as_bytes()).as_ref()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037 appendix A.3.
    #[test]
    fn thumbprint_of_the_rfc_8037_key() {
        let x = BASE64URL_NOPAD.decode(b"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(&*thumbprint(Algorithm::EdDsa, &x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn wrong_lengths_are_refused() {
        assert!(VerifyingKey::new(Algorithm::EdDsa, &[1; 31]).is_err());
        assert!(VerifyingKey::new(Algorithm::Es256, &[4; 65]).is_err());
    }
}
