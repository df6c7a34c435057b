//! Password hashing: Argon2id with a pepper (F04) in a bounded pool (F05).

mod argon;
mod params;
mod pool;

use std::fmt;
use std::num::NonZero;
use std::time::Duration;

use countersign_core::domain::password::Password;
use countersign_core::domain::secret::SecretArray;
use countersign_core::domain::user::PasswordHash;
use countersign_core::port::{Entropy, HashError, PasswordHasher, PasswordMatch};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

pub use params::{Params, ParamsError};

use crate::entropy::SystemEntropy;
use argon::Guess;
use pool::{Ask, Bounds, Job, Pool};

/// Size of a hashing pool.
#[derive(Clone, Copy, Debug)]
pub struct HasherConfig {
    /// Cost of a new hash. Memory in use is at most this times [`HasherConfig::workers`].
    pub params: Params,
    /// Hashes computed at a time; `None` is one a processor.
    pub workers: Option<NonZero<usize>>,
    /// Jobs that may wait; `None` is 64 a worker. More get [`HashError::Busy`].
    pub queue: Option<usize>,
    /// How long a worker without work keeps its thread and memory.
    pub release_after: Duration,
}

impl Default for HasherConfig {
    fn default() -> Self {
        Self { params: Params::FLOOR, workers: None, queue: None, release_after: Duration::from_secs(5) }
    }
}

/// A bounded pool of Argon2id workers.
pub struct Argon2Hasher(Pool);

impl fmt::Debug for Argon2Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Argon2Hasher").field(self.0.bounds()).finish()
    }
}

impl Argon2Hasher {
    /// A pool. No thread and no memory is taken before the first password comes.
    #[must_use]
    pub fn new(config: &HasherConfig) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
        let workers = config.workers.map_or_else(cores, NonZero::get);
        Self(Pool::new(Bounds {
            params: config.params,
            workers,
            queue: config.queue.unwrap_or(workers.saturating_mul(64)),
            release_after: config.release_after,
        }))
    }

    async fn ask<T>(
        &self,
        password: &Password,
        pepper: &SecretArray<32>,
        ask: impl FnOnce(oneshot::Sender<Result<T, HashError>>) -> Ask,
    ) -> Result<T, HashError> {
        let (sender, answer) = oneshot::channel();
        let guess = Guess {
            password: Zeroizing::new(password.expose().as_bytes().to_vec()),
            pepper: Zeroizing::new(*pepper.expose()),
        };
        self.0.submit(Job { guess, ask: ask(sender) })?;
        // A worker that died without an answer: the client may try again.
        answer.await.unwrap_or(Err(HashError::Busy))
    }
}

impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: &Password, pepper: &SecretArray<32>) -> Result<PasswordHash, HashError> {
        let salt = SystemEntropy.bytes();
        self.ask(password, pepper, |answer| Ask::Hash { salt, answer }).await
    }

    async fn verify(
        &self,
        password: &Password,
        hash: Option<&PasswordHash>,
        pepper: &SecretArray<32>,
    ) -> Result<PasswordMatch, HashError> {
        let stored = hash.cloned();
        self.ask(password, pepper, |answer| Ask::Verify { stored, answer }).await
    }
}

#[cfg(test)]
mod tests;
