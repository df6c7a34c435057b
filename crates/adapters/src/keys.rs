//! Signing keys on aws-lc-rs: Ed25519 (RFC 8037) and ECDSA on P-256 with the fixed-size encoding (RFC 7518 §3.4).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use countersign_core::domain::secret::SecretBytes;
use countersign_core::domain::signing_key::Algorithm;
use countersign_core::port::{KeyError, SignatureKeys, Signer};

/// Makes and loads private keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsLcKeys;

impl SignatureKeys for AwsLcKeys {
    fn generate(&self, algorithm: Algorithm) -> Result<SecretBytes, KeyError> {
        let refused = |_unspecified| KeyError(format!("{} key could not be made", algorithm.as_str()));
        let document = match algorithm {
            Algorithm::EdDsa => Ed25519KeyPair::generate().and_then(|key| key.to_pkcs8()),
            Algorithm::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).and_then(|key| key.to_pkcs8v1())
            }
        };
        Ok(SecretBytes::new(document.map_err(refused)?.as_ref().to_vec()))
    }

    fn load(&self, algorithm: Algorithm, pkcs8: &SecretBytes) -> Result<Box<dyn Signer>, KeyError> {
        // The library's reason names a field at most, never key material.
        let rejected = |reason| KeyError(format!("not a {} key in PKCS #8: {reason}", algorithm.as_str()));
        let der = pkcs8.expose();
        Ok(match algorithm {
            Algorithm::EdDsa => Box::new(Ed25519(Ed25519KeyPair::from_pkcs8(der).map_err(rejected)?)),
            Algorithm::Es256 => Box::new(P256 {
                pair: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map_err(rejected)?,
                random: random(),
            }),
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "ECDSA draws its nonce inside the library; the handle has no state"
)]
fn random() -> SystemRandom {
    SystemRandom::new()
}

struct Ed25519(Ed25519KeyPair);

impl Signer for Ed25519 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDsa
    }

    fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

struct P256 {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Signer for P256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Es256
    }

    fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.pair.sign(&self.random, message);
        Ok(signature.map_err(|_unspecified| KeyError("ES256 signature failed".into()))?.as_ref().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};

    #[test]
    fn keys_sign_what_their_public_part_verifies() {
        let cases: [(Algorithm, usize, &'static dyn VerificationAlgorithm); 2] =
            [(Algorithm::EdDsa, 32, &ED25519), (Algorithm::Es256, 65, &ECDSA_P256_SHA256_FIXED)];
        for (algorithm, length, verification) in cases {
            let private = AwsLcKeys.generate(algorithm).unwrap();
            let signer = AwsLcKeys.load(algorithm, &private).unwrap();
            assert_eq!(signer.algorithm(), algorithm);
            assert_eq!(signer.public().len(), length);
            let signature = signer.sign(b"message").unwrap();
            assert_eq!(signature.len(), 64);
            let public = UnparsedPublicKey::new(verification, signer.public());
            assert!(public.verify(b"message", &signature).is_ok());
            assert!(public.verify(b"massage", &signature).is_err());
        }
    }

    /// A02: a key belongs to one algorithm.
    #[test]
    fn a02_a_key_of_another_algorithm_is_refused() {
        let ed = AwsLcKeys.generate(Algorithm::EdDsa).unwrap();
        let p256 = AwsLcKeys.generate(Algorithm::Es256).unwrap();
        assert!(AwsLcKeys.load(Algorithm::Es256, &ed).is_err());
        assert!(AwsLcKeys.load(Algorithm::EdDsa, &p256).is_err());
        assert!(AwsLcKeys.load(Algorithm::EdDsa, &SecretBytes::new(vec![])).is_err());
    }
}
