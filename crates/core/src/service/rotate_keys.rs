//! Rotating signing keys: on schedule, by an operator, in an emergency (design §4, H08).

use std::time::Duration;

use super::engine::{Context, Engine, NewEvent, ServiceError};
use super::keys;
use crate::domain::event::EventName;
use crate::domain::signing_key::{KeyState, SigningKey};
use crate::domain::time::Timestamp;
use crate::port::{AddKey, Outside, Store};

/// Signing keys were not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateKeysError {
    /// The next key has not been published for long enough: verifiers that cache the list may not know it.
    #[error("the next signing key {kid} was published too short a time ago")]
    TooEarly {
        /// The next key.
        kid: Box<str>,
        /// From when on everybody knows it.
        known_at: Timestamp,
        /// From when on it signs without further ado.
        active_at: Timestamp,
    },
    /// The engine cannot answer.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl<O: Outside> Engine<O> {
    /// Takes over what other processes changed, and makes the next key when it is due. Call about once a second.
    ///
    /// # Errors
    /// [`ServiceError`]; the keys in use stay, and the next call tries again.
    pub async fn tend_keys(&self) -> Result<(), ServiceError> {
        if let Err(error) = self.reload_keys().await {
            // Another node may have sealed them under a master secret that was added since this one started.
            if !matches!(error, ServiceError::Signing(_)) || self.take_over_master_keys().await.is_err() {
                return Err(error);
            }
            self.reload_keys().await?;
        }
        let now = self.now();
        let listed = self.signing_keys();
        let Some(active_at) = self.policy.signing_keys().due(&listed, now) else { return Ok(()) };
        // Of nodes that find it due at once, one makes it.
        let when = AddKey::IfNoneAfter(active_since(&listed).unwrap_or(now));
        if let Some(key) = self.add_key(now, active_at, when).await? {
            let event = NewEvent::done(EventName::KeyRotated, "signing_key_due").detail(&key.kid);
            self.record(event, &Context::default());
            tracing::info!(kid = %key.kid, active_at = %key.active_at.rfc3339(), "published the next signing key");
        }
        Ok(())
    }

    /// Rotates: the next key signs from now on if it has been published for long enough. Where there is none, it is made and
    /// published now, and signs in time by itself. `force` does not wait: a next key, or else a new one, signs at once, and
    /// verifiers that cache the list refuse its tokens until they fetch it again. Returns the key that is or will be active.
    ///
    /// # Errors
    /// [`RotateKeysError`].
    pub async fn rotate_signing_key(
        &self,
        force: bool,
        context: &Context,
    ) -> Result<SigningKey, RotateKeysError> {
        self.reload_keys().await?;
        let now = self.now();
        let listed = self.signing_keys();
        let Some(next) = next_of(&listed) else {
            let active_at = if force { takeover(&listed, now) } else { now.plus(self.policy.prepublish) };
            let added = self.add_key(now, active_at, AddKey::Always).await?;
            let key = added
                .ok_or_else(|| ServiceError::Signing(String::from("a new key has the id of an old one")))?;
            self.record(NewEvent::done(EventName::KeyRotated, "signing_key_added").detail(&key.kid), context);
            return Ok(key);
        };
        let known_at = next.created_at.plus(self.policy.prepublish);
        if known_at > now && !force {
            return Err(RotateKeysError::TooEarly {
                kid: next.kid.clone(),
                known_at,
                active_at: next.active_at,
            });
        }
        let active_at = takeover(&listed, now);
        self.hasten(next, active_at).await?;
        self.record(
            NewEvent::done(EventName::KeyRotated, "signing_key_activated").detail(&next.kid),
            context,
        );
        Ok(SigningKey { active_at: next.active_at.min(active_at), ..next.clone() })
    }

    /// Emergency: from now on nothing that the key signed is accepted. If it was the active one, the next one takes over, or
    /// a new one where there is none; sessions live on by their refresh tokens. `false` without such a key.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn revoke_signing_key(&self, kid: &str, context: &Context) -> Result<bool, ServiceError> {
        self.reload_keys().await?;
        let listed = self.signing_keys();
        let Some((_, state)) = listed.iter().find(|(key, _)| &*key.kid == kid) else { return Ok(false) };
        if *state == KeyState::Active {
            // First the heir, so that there is never nobody to sign.
            let now = self.now();
            let active_at = takeover(&listed, now);
            match next_of(&listed) {
                Some(next) => self.hasten(next, active_at).await?,
                None => drop(self.add_key(now, active_at, AddKey::Always).await?),
            }
        }
        let done = self.outside.store().revoke_signing_key(kid, self.now()).await?;
        self.reload_keys().await?;
        self.record(NewEvent::done(EventName::KeyRotated, "signing_key_revoked").detail(kid), context);
        Ok(done)
    }

    async fn add_key(
        &self,
        now: Timestamp,
        active_at: Timestamp,
        when: AddKey,
    ) -> Result<Option<SigningKey>, ServiceError> {
        let key = keys::make(&self.outside, &self.keyring, self.policy.algorithm, now, active_at)
            .map_err(ServiceError::Signing)?;
        let added = self.outside.store().add_signing_key(&key, when).await?;
        self.reload_keys().await?;
        Ok(added.then_some(key))
    }

    async fn hasten(&self, key: &SigningKey, active_at: Timestamp) -> Result<(), ServiceError> {
        self.outside.store().hasten_signing_key(&key.kid, active_at).await?;
        self.reload_keys().await
    }
}

/// Since when the active key signs.
fn active_since(listed: &[(SigningKey, KeyState)]) -> Option<Timestamp> {
    listed.iter().find(|(_, state)| *state == KeyState::Active).map(|(key, _)| key.active_at)
}

/// When a key that signs "now" takes over: after the active one, also where this node's clock is behind.
fn takeover(listed: &[(SigningKey, KeyState)], now: Timestamp) -> Timestamp {
    active_since(listed).map_or(now, |since| now.max(since.plus(Duration::from_millis(1))))
}

/// The first key that is to sign later.
fn next_of(listed: &[(SigningKey, KeyState)]) -> Option<&SigningKey> {
    let next = listed.iter().filter(|(_, state)| *state == KeyState::Next).map(|(key, _)| key);
    next.min_by_key(|key| (key.active_at, key.created_at))
}
