//! Starting an engine: pepper, signing keys and memory come from the store.

use std::sync::{Arc, RwLock};

use quick_cache::sync::Cache;

use super::engine::Engine;
use super::memory::Memory;
use super::{keys, master_keys};
use crate::domain::key::{Keyring, Unsealable};
use crate::domain::policy::Policy;
use crate::domain::secret::{SecretArray, SecretBytes};
use crate::domain::signing_key::{KeyState, SigningKey};
use crate::domain::time::Timestamp;
use crate::port::{AddKey, Clock, Entropy, Outside, Store, StoreError};

const PEPPER: &str = "pepper";
/// Principals remembered. About 700 bytes each.
const SEEN: usize = 32_768;

/// Why an engine cannot start. Each stops the process with one clear message.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master secret is not the one that the store was made with.
    #[error(transparent)]
    WrongMaster(#[from] Unsealable),
    /// A signing key cannot be made or loaded.
    #[error("signing key: {0}")]
    Keys(String),
}

impl<O: Outside> Engine<O> {
    /// Starts: creates pepper and first signing key in an empty store, loads them otherwise, fills memory.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(outside: O, keyring: Keyring, policy: Policy) -> Result<Self, StartError> {
        let pepper = pepper(&outside, &keyring).await?;
        let now = outside.clock().now();
        let rows = with_signer(&outside, &keyring, &policy, now).await?;
        let dead = master_keys::dead(&keys::listed(&rows, policy.longest_access(), now));
        master_keys::require_openable(&keyring, &outside.store().sealed_values().await?, &dead)?;
        let active =
            keys::load(&outside, &keyring, &rows, policy.longest_access(), now).map_err(StartError::Keys)?;
        let engine = Self {
            outside,
            policy,
            keyring,
            pepper,
            keys: RwLock::new(Arc::new(active)),
            memory: Memory::default(),
            seen: Cache::new(SEEN),
            assertions: Cache::new(SEEN),
            kept: Cache::new(SEEN),
        };
        engine.refill(engine.revocation_horizon(now)).await.map_err(StartError::Store)?;
        Ok(engine)
    }
}

/// All signing keys, one of which signs. A new store has none; one that was restored may have none left, if the key of its time was
/// retired since.
async fn with_signer<O: Outside>(
    outside: &O,
    keyring: &Keyring,
    policy: &Policy,
    now: Timestamp,
) -> Result<Vec<SigningKey>, StartError> {
    let rows = outside.store().signing_keys().await?;
    let listed = keys::listed(&rows, policy.longest_access(), now);
    if listed.iter().any(|(_, state)| *state == KeyState::Active) {
        return Ok(rows);
    }
    if let Some((next, _)) = listed.iter().find(|(_, state)| *state == KeyState::Next) {
        outside.store().hasten_signing_key(&next.kid, now).await?;
    } else {
        let first = keys::make(outside, keyring, policy.algorithm, now, now).map_err(StartError::Keys)?;
        // Of nodes that start at once, one makes it: a key of any time that is not revoked is one too many.
        let if_none = AddKey::IfNoneAfter(Timestamp::from_millis(i64::MIN));
        outside.store().add_signing_key(&first, if_none).await?;
    }
    Ok(outside.store().signing_keys().await?)
}

async fn pepper<O: Outside>(outside: &O, keyring: &Keyring) -> Result<SecretArray<32>, StartError> {
    let stored = match outside.store().sealed(PEPPER).await? {
        Some(stored) => stored,
        None => {
            let fresh = SecretBytes::new(outside.entropy().bytes::<32>().to_vec());
            let sealed = keyring
                .seal(PEPPER, outside.entropy().bytes(), &fresh)
                .ok_or_else(|| StartError::Keys(String::from("sealing failed")))?;
            // Two nodes may start on an empty store at once: whoever was first wins, both use the same.
            outside.store().put_sealed_if_absent(PEPPER, &sealed).await?
        }
    };
    let plain = keyring.unseal(PEPPER, &stored)?;
    let bytes: [u8; 32] =
        plain.expose().try_into().map_err(|_wrong_length| Unsealable::Wrong { name: PEPPER.to_owned() })?;
    Ok(SecretArray::new(bytes))
}
