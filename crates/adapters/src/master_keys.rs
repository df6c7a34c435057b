//! Where the master secrets are kept: a file, or text that was handed over at start.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use countersign_core::domain::id::KeyId;
use countersign_core::domain::key::MasterSecrets;
use countersign_core::domain::secret::{SecretArray, SecretString};
use countersign_core::port::{MasterKeys, MasterKeysError};

use crate::files::master_key::{self, MasterKeyError};

/// Where this node's master secrets come from.
#[derive(Debug)]
pub enum MasterKeySource {
    /// The file `master.key`.
    File {
        /// Its path.
        path: PathBuf,
        /// Held from reading to writing, so that of two changes none is lost.
        changing: Mutex<()>,
    },
    /// Text in the same format, such as the value of an environment variable: nobody can change it here.
    Text {
        /// What it is called in messages.
        origin: &'static str,
        /// The text.
        text: SecretString,
    },
}

impl MasterKeySource {
    /// A file.
    #[must_use]
    pub const fn file(path: PathBuf) -> Self {
        Self::File { path, changing: Mutex::new(()) }
    }

    fn change(
        &self,
        change: impl FnOnce(&std::path::Path) -> Result<(), MasterKeyError>,
    ) -> Result<(), MasterKeysError> {
        match self {
            Self::File { path, changing } => {
                let _alone = changing.lock().unwrap_or_else(PoisonError::into_inner);
                change(path).map_err(|error| failed(&error))
            }
            Self::Text { origin, .. } => Err(MasterKeysError::ReadOnly(format!(
                "the master secrets come from {origin}, which only you can change: put a new entry (ID:64 hexadecimal digits, made with \
                 `openssl rand -hex 32`) before the others and a comma after it, or take an old one out, and restart the server"
            ))),
        }
    }
}

fn failed(error: &MasterKeyError) -> MasterKeysError {
    MasterKeysError::Failed(error.to_string())
}

impl MasterKeys for MasterKeySource {
    fn load(&self) -> Result<MasterSecrets, MasterKeysError> {
        match self {
            Self::File { path, .. } => master_key::load(path).map_err(|error| failed(&error)),
            Self::Text { origin, text } => {
                master_key::parse(text.expose(), origin).map_err(|error| failed(&error))
            }
        }
    }

    fn put_first(&self, id: KeyId, secret: &SecretArray<32>) -> Result<(), MasterKeysError> {
        self.change(|path| master_key::put_first(path, id, secret))
    }

    fn remove(&self, id: KeyId) -> Result<(), MasterKeysError> {
        self.change(|path| master_key::remove(path, id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;
    use countersign_core::port::Entropy;

    fn ids(source: &MasterKeySource) -> Vec<u8> {
        source.load().unwrap().iter().map(|(id, _)| id.0).collect()
    }

    #[test]
    fn of_changes_at_once_none_is_lost() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.key");
        master_key::create(&path, &SystemEntropy).unwrap();
        let source = MasterKeySource::file(path);
        std::thread::scope(|scope| {
            for id in 1..=8 {
                let source = &source;
                scope.spawn(move || {
                    source.put_first(KeyId(id), &SecretArray::new(SystemEntropy.bytes())).unwrap()
                });
            }
        });
        let mut found = ids(&source);
        found.sort_unstable();
        assert_eq!(found, (0..=8).collect::<Vec<u8>>());
    }

    /// I01: what is said of a variable tells what to do, and holds no digit of it.
    #[test]
    fn a_variable_is_the_operators() {
        let digits = data_encoding::HEXLOWER.encode(&SystemEntropy.bytes::<32>());
        let text = SecretString::new(format!("5:{digits}"));
        let source = MasterKeySource::Text { origin: "A_VARIABLE", text };
        assert_eq!(ids(&source), [5]);
        let error = source.put_first(KeyId(6), &SecretArray::new(SystemEntropy.bytes())).unwrap_err();
        assert!(matches!(error, MasterKeysError::ReadOnly(_)));
        assert!(error.to_string().contains("A_VARIABLE"), "{error}");
        assert!(source.remove(KeyId(5)).is_err());
        assert!(!format!("{source:?} {error}").contains(digits.get(..8).unwrap()));
    }
}
