//! Password hashing and asymmetric keys.

use crate::domain::password::Password;
use crate::domain::secret::{SecretArray, SecretBytes};
use crate::domain::signing_key::Algorithm;
use crate::domain::user::PasswordHash;

/// Password hashing could not be done.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The queue is full (F05): answer 503 and let the client try again.
    #[error("too many passwords are being hashed at once")]
    Busy,
    /// The stored hash is not one of ours; the text is for operators.
    #[error("password hash cannot be used: {0}")]
    Unusable(String),
}

/// What a comparison found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordMatch {
    /// Wrong password.
    No,
    /// Right password, current parameters.
    Yes,
    /// Right password, weaker parameters than we hash with now: hash it again (F04).
    YesOutdated,
}

/// A bounded pool that hashes passwords with Argon2id and a pepper (F04, F05).
pub trait PasswordHasher: Send + Sync {
    /// Hashes.
    ///
    /// # Errors
    /// [`HashError::Busy`] when the queue is full.
    fn hash(
        &self,
        password: &Password,
        pepper: &SecretArray<32>,
    ) -> impl Future<Output = Result<PasswordHash, HashError>> + Send;

    /// Compares. `None` stands for an unknown user: it takes the time of a comparison with a dummy and says
    /// [`PasswordMatch::No`] (F06).
    ///
    /// # Errors
    /// [`HashError`].
    fn verify(
        &self,
        password: &Password,
        hash: Option<&PasswordHash>,
        pepper: &SecretArray<32>,
    ) -> impl Future<Output = Result<PasswordMatch, HashError>> + Send;
}

/// An asymmetric key could not be made, read or used; the text is for operators and holds no key material.
#[derive(Debug, thiserror::Error)]
#[error("signing key: {0}")]
pub struct KeyError(pub String);

/// Makes and loads private keys.
pub trait SignatureKeys: Send + Sync {
    /// A new private key in PKCS #8 DER.
    ///
    /// # Errors
    /// [`KeyError`].
    fn generate(&self, algorithm: Algorithm) -> Result<SecretBytes, KeyError>;

    /// Loads a private key.
    ///
    /// # Errors
    /// [`KeyError`] when it is not a key of that algorithm.
    fn load(&self, algorithm: Algorithm, pkcs8: &SecretBytes) -> Result<Box<dyn Signer>, KeyError>;
}

/// A private key ready to sign.
pub trait Signer: Send + Sync {
    /// Its algorithm.
    fn algorithm(&self) -> Algorithm;
    /// Raw public key: 32 bytes for Ed25519, the 65-byte uncompressed point for P-256.
    fn public(&self) -> &[u8];
    /// Signs: 64 bytes, for ES256 as r ‖ s (RFC 7518 §3.4).
    ///
    /// # Errors
    /// [`KeyError`].
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError>;
}
