//! Signing keys in use: loaded from the store, unsealed, ready.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use super::engine::{Engine, NewEvent, ServiceError};
use crate::domain::event::EventName;
use crate::domain::secret::SecretBytes;
use crate::domain::signing_key::{KeyState, SigningKey, states};
use crate::domain::time::Timestamp;
use crate::domain::token::jwk::{VerifyingKey, thumbprint};
use crate::domain::token::jws::{self, KeySet};
use crate::port::{Entropy, Outside, SignatureKeys, Signer, Store};
use crate::service::Context;

/// The active signer, and every key that still verifies.
pub(super) struct ActiveKeys {
    pub(super) kid: Box<str>,
    pub(super) signer: Box<dyn Signer>,
    pub(super) verifying: KeySet,
    pub(super) jwks: Arc<str>,
    pub(super) listed: Vec<(SigningKey, KeyState)>,
}

fn name_of(kid: &str) -> String {
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

    /// Reads the keys again: another process may have rotated them, or `next` became due.
    ///
    /// # Errors
    /// [`ServiceError`]; the keys in use stay.
    pub async fn reload_keys(&self) -> Result<(), ServiceError> {
        let rows = self.outside.store().signing_keys().await?;
        let fresh = load(&self.outside, &self.keyring, rows, self.policy.longest_access(), self.now())
            .map_err(ServiceError::Signing)?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if fresh.kid != keys.kid {
            tracing::info!(kid = %fresh.kid, "signing with a new key");
        }
        if fresh.listed.iter().any(|(_, s)| *s == KeyState::Revoked) {
            // Principals verified under a revoked key must be judged again.
            self.seen.clear();
        }
        *keys = Arc::new(fresh);
        Ok(())
    }

    /// Makes a new key, published now and signing after the pre-publication time (or at once).
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn rotate_signing_key(
        &self,
        at_once: bool,
        context: &Context,
    ) -> Result<SigningKey, ServiceError> {
        let now = self.now();
        let active_at = if at_once { now } else { now.plus(self.policy.prepublish) };
        let key = make(&self.outside, &self.keyring, self.policy.algorithm, now, active_at)
            .map_err(ServiceError::Signing)?;
        self.outside.store().add_signing_key(&key, false).await?;
        self.reload_keys().await?;
        self.record(NewEvent::done(EventName::KeyRotated, "signing_key_added").detail(&key.kid), context);
        Ok(key)
    }

    /// Emergency: from now on nothing that the key signed is accepted. If it was the active one and no other is
    /// usable, a new key is made first and signs at once.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn revoke_signing_key(&self, kid: &str, context: &Context) -> Result<bool, ServiceError> {
        let listed = self.signing_keys();
        if !listed.iter().any(|(k, _)| &*k.kid == kid) {
            return Ok(false);
        }
        let was_active = listed.iter().any(|(k, s)| &*k.kid == kid && *s == KeyState::Active);
        if was_active {
            self.rotate_signing_key(true, context).await?;
        }
        let done = self.outside.store().revoke_signing_key(kid, self.now()).await?;
        self.reload_keys().await?;
        self.record(NewEvent::done(EventName::KeyRotated, "signing_key_revoked").detail(kid), context);
        Ok(done)
    }
}

/// A new key, sealed.
pub(super) fn make<O: Outside>(
    outside: &O,
    keyring: &crate::domain::key::Keyring,
    algorithm: crate::domain::signing_key::Algorithm,
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

/// Unseals and loads what is in use.
pub(super) fn load<O: Outside>(
    outside: &O,
    keyring: &crate::domain::key::Keyring,
    rows: Vec<SigningKey>,
    longest: std::time::Duration,
    now: Timestamp,
) -> Result<ActiveKeys, String> {
    let states = states(&rows, longest, now);
    let listed: Vec<_> = rows.into_iter().zip(states).collect();
    let (active, _) = listed
        .iter()
        .find(|(_, s)| *s == KeyState::Active)
        .ok_or_else(|| String::from("the store has no active signing key"))?;
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
