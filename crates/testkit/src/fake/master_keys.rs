//! Master secrets in memory.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_core::domain::id::KeyId;
use countersign_core::domain::key::MasterSecrets;
use countersign_core::domain::secret::SecretArray;
use countersign_core::port::{MasterKeys, MasterKeysError};

/// What stands for `master.key`. Clones share it; all tests start with the same one secret, of id 7, so that two sites can be
/// nodes of one.
#[derive(Clone, Debug)]
pub struct FakeMasterKeys(Arc<Mutex<MasterSecrets>>);

impl FakeMasterKeys {
    /// Exchanges all of them, as an operator who edits the file does.
    pub fn set(&self, secrets: impl IntoIterator<Item = (u8, [u8; 32])>) {
        *self.lock() = secrets.into_iter().map(|(id, bytes)| (KeyId(id), SecretArray::new(bytes))).collect();
    }

    /// Their ids, the current one first.
    #[must_use]
    pub fn ids(&self) -> Vec<u8> {
        self.lock().iter().map(|(id, _)| id.0).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, MasterSecrets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for FakeMasterKeys {
    fn default() -> Self {
        let secret = std::array::from_fn(|i| u8::try_from(i * 7).unwrap_or(0));
        Self(Arc::new(Mutex::new(vec![(KeyId(7), SecretArray::new(secret))])))
    }
}

impl MasterKeys for FakeMasterKeys {
    fn load(&self) -> Result<MasterSecrets, MasterKeysError> {
        Ok(self.lock().iter().map(|(id, secret)| (*id, SecretArray::new(*secret.expose()))).collect())
    }

    fn put_first(&self, id: KeyId, secret: &SecretArray<32>) -> Result<(), MasterKeysError> {
        let mut secrets = self.lock();
        if secrets.iter().any(|(taken, _)| *taken == id) {
            return Err(MasterKeysError::Failed(format!("{} is taken", id.0)));
        }
        secrets.insert(0, (id, SecretArray::new(*secret.expose())));
        Ok(())
    }

    fn remove(&self, id: KeyId) -> Result<(), MasterKeysError> {
        self.lock().retain(|(other, _)| *other != id);
        Ok(())
    }
}
