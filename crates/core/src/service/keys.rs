//! Signing keys in use: loaded from the store, unsealed, ready.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::engine::{Engine, ServiceError};
use crate::domain::key::Keyring;
use crate::domain::secret::SecretBytes;
use crate::domain::signing_key::{Algorithm, KeyState, SigningKey, states};
use crate::domain::time::Timestamp;
use crate::domain::token::jwk::{VerifyingKey, thumbprint};
use crate::domain::token::jws::{self, KeySet};
use crate::port::{Entropy, Outside, SignatureKeys, Signer, Store};

/// The active signer, and every key that still verifies. Never changes: a newer one takes its place.
pub(super) struct ActiveKeys {
    pub(super) kid: Box<str>,
    pub(super) signer: Box<dyn Signer>,
    pub(super) verifying: KeySet,
    pub(super) jwks: Arc<str>,
    pub(super) listed: Vec<(SigningKey, KeyState)>,
}

/// What the private part of a signing key is sealed as.
pub(super) fn name_of(kid: &str) -> String {
    format!("signing-key/{kid}")
}

impl<O: Outside> Engine<O> {
    /// The JWKS document: every key that verifies or will (H08). Private parts are never in it.
    pub fn jwks(&self) -> Arc<str> {
        Arc::clone(&self.active_keys().jwks)
    }

    /// All signing keys with their states.
    pub fn signing_keys(&self) -> Vec<(SigningKey, KeyState)> {
        self.active_keys().listed.clone()
    }

    pub(super) fn active_keys(&self) -> Arc<ActiveKeys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn sign(&self, typ: &str, claims: &impl serde::Serialize) -> Result<String, ServiceError> {
        let keys = self.active_keys();
        let input = jws::signing_input(keys.signer.algorithm(), &keys.kid, typ, claims);
        let signature =
            keys.signer.sign(input.as_bytes()).map_err(|e| ServiceError::Signing(e.to_string()))?;
        Ok(jws::assemble(input, &signature))
    }

    /// Reads the keys again: another process may have rotated them, or `next` became due. Cheap where nothing changed.
    ///
    /// # Errors
    /// [`ServiceError`]; the keys in use stay.
    pub async fn reload_keys(&self) -> Result<(), ServiceError> {
        let rows = self.outside.store().signing_keys().await?;
        let (longest, now) = (self.policy.longest_access(), self.now());
        let used = self.active_keys();
        if listed(&rows, longest, now) == used.listed {
            return Ok(());
        }
        let fresh = load(&self.outside, &self.keyring, &rows, longest, now).map_err(ServiceError::Signing)?;
        let fresh = Arc::new(fresh);
        if fresh.kid != used.kid {
            tracing::info!(kid = %fresh.kid, "signing with a new key");
        }
        let distrusts = used.verifying.keys().any(|kid| !fresh.verifying.contains_key(kid));
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        if distrusts {
            // After the exchange: whatever was verified with the keys before is judged again, see `Engine::remember`.
            self.seen.clear();
            self.assertions.clear();
        }
        Ok(())
    }
}

/// A new key, sealed.
pub(super) fn make<O: Outside>(
    outside: &O,
    keyring: &Keyring,
    algorithm: Algorithm,
    now: Timestamp,
    active_at: Timestamp,
) -> Result<SigningKey, String> {
    let private = outside.keys().generate(algorithm).map_err(|e| e.to_string())?;
    let signer = outside.keys().load(algorithm, &private).map_err(|e| e.to_string())?;
    let kid = thumbprint(algorithm, signer.public());
    let sealed = keyring
        .seal(&name_of(&kid), outside.entropy().bytes(), &private)
        .ok_or_else(|| String::from("sealing failed"))?;
    Ok(SigningKey {
        kid,
        algorithm,
        public: signer.public().to_vec(),
        sealed,
        created_at: now,
        active_at,
        revoked_at: None,
    })
}

/// Keys with their states.
pub(super) fn listed(rows: &[SigningKey], longest: Duration, now: Timestamp) -> Vec<(SigningKey, KeyState)> {
    rows.iter().cloned().zip(states(rows, longest, now)).collect()
}

/// Unseals and loads what is in use.
pub(super) fn load<O: Outside>(
    outside: &O,
    keyring: &Keyring,
    rows: &[SigningKey],
    longest: Duration,
    now: Timestamp,
) -> Result<ActiveKeys, String> {
    let listed = listed(rows, longest, now);
    let (active, _) = listed
        .iter()
        .find(|(_, s)| *s == KeyState::Active)
        .ok_or_else(|| String::from("all signing keys of the store are revoked"))?;
    let private: SecretBytes =
        keyring.unseal(&name_of(&active.kid), &active.sealed).map_err(|e| e.to_string())?;
    let signer = outside.keys().load(active.algorithm, &private).map_err(|e| e.to_string())?;
    let mut verifying: KeySet = HashMap::new();
    let mut documents = Vec::new();
    for (key, state) in &listed {
        if state.verifies() {
            let public = VerifyingKey::new(key.algorithm, &key.public).map_err(|e| e.to_string())?;
            documents.push(public.to_jwk());
            verifying.insert(public.kid().into(), public);
        }
    }
    let jwks = serde_json::json!({ "keys": documents }).to_string();
    Ok(ActiveKeys { kid: active.kid.clone(), signer, verifying, jwks: jwks.into(), listed })
}
