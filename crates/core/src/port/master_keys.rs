//! Where the master secrets are kept: outside the store, so that a dump of it is worth nothing (design §4).

use crate::domain::id::KeyId;
use crate::domain::key::MasterSecrets;
use crate::domain::secret::SecretArray;

/// The master secrets could not be read or changed. No text holds any part of one.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeysError {
    /// They come from a place that a program cannot write to, such as an environment variable: an operator has to.
    #[error("{0}")]
    ReadOnly(String),
    /// The file is not as it should be, or the system refused; the text says what to do.
    #[error("{0}")]
    Failed(String),
}

/// Reads and changes the master secrets. What it does is durable when it returns, and never leaves half a file.
pub trait MasterKeys: Send + Sync {
    /// Reads all, the current one first.
    ///
    /// # Errors
    /// [`MasterKeysError::Failed`].
    fn load(&self) -> Result<MasterSecrets, MasterKeysError>;

    /// Puts a new one before all others: it is current from then on.
    ///
    /// # Errors
    /// [`MasterKeysError`]; also if the id is taken. Nothing changes then.
    fn put_first(&self, id: KeyId, secret: &SecretArray<32>) -> Result<(), MasterKeysError>;

    /// Takes one out for good. Nothing changes if there is none of that id.
    ///
    /// # Errors
    /// [`MasterKeysError`]; also if it is the only one. Nothing changes then.
    fn remove(&self, id: KeyId) -> Result<(), MasterKeysError>;
}
