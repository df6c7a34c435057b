//! Master secrets while a node runs: listed, rotated, re-sealed under, removed (design §4). In this order nobody is logged
//! out: the new secret is durable before anything uses it, and the old one goes only when nothing needs it.

use std::collections::{BTreeMap, HashSet};

use super::engine::{Context, Engine, NewEvent, ServiceError};
use super::keys;
use crate::domain::event::EventName;
use crate::domain::id::KeyId;
use crate::domain::key::{Keyring, KeyringError, Unsealable, sealed_under};
use crate::domain::secret::SecretArray;
use crate::domain::signing_key::{KeyState, SigningKey};
use crate::domain::time::Timestamp;
use crate::port::{
    Entropy, MasterKeys, MasterKeysError, Outside, SealedPlace, SealedValue, Store, StoreError,
};

/// A master secret and what needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MasterKeyUse {
    /// Which one.
    pub id: KeyId,
    /// Whether new sessions are opened with it.
    pub current: bool,
    /// Whether this node has it. What needs one that is missing cannot be used.
    pub held: bool,
    /// Live sessions that were opened with it.
    pub sessions: u64,
    /// When the last of them expires, if nobody ends it before.
    pub until: Option<Timestamp>,
    /// Values sealed under it, those of dead signing keys left out.
    pub sealed: u64,
}

/// What re-sealing did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resealed {
    /// The master secret that everything is sealed under now.
    pub under: KeyId,
    /// How many values were sealed anew.
    pub values: u64,
}

/// Master secrets were not changed.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The place where they are kept.
    #[error(transparent)]
    Kept(#[from] MasterKeysError),
    /// They cannot be used.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A sealed value would be lost, or is.
    #[error(transparent)]
    Unsealable(#[from] Unsealable),
    /// All 256 ids are taken.
    #[error("all ids from 0 to 255 are in use: remove old master secrets first")]
    NoneFree,
    /// There is none of that id.
    #[error("there is no master secret {}", .0.0)]
    Unknown(KeyId),
    /// New sessions are opened with it.
    #[error("master secret {} is the current one: rotate first", .0.0)]
    Current(KeyId),
    /// Values are sealed under it.
    #[error("{values} sealed value(s) need master secret {}: re-seal first", id.0)]
    Sealed {
        /// Which one.
        id: KeyId,
        /// How many.
        values: u64,
    },
    /// Its sessions would be logged out.
    #[error("{sessions} live session(s) need master secret {}, the last until {}", id.0, until.rfc3339())]
    InUse {
        /// Which one.
        id: KeyId,
        /// How many.
        sessions: u64,
        /// When the last of them expires.
        until: Timestamp,
    },
    /// The engine cannot answer.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for MasterKeyError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

impl<O: Outside> Engine<O> {
    /// Every master secret that this node has or that something needs, by id.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn master_keys(&self) -> Result<Vec<MasterKeyUse>, ServiceError> {
        // The last uses of sessions wait in memory, and decide whether they are live.
        self.flush().await?;
        let current = self.keyring.current();
        let unused = |id| MasterKeyUse {
            id,
            current: id == current,
            held: false,
            sessions: 0,
            until: None,
            sealed: 0,
        };
        let mut found: BTreeMap<KeyId, MasterKeyUse> = BTreeMap::new();
        for id in self.keyring.ids() {
            found.entry(id).or_insert_with(|| unused(id)).held = true;
        }
        let (store, now) = (self.outside.store(), self.now());
        for opened in store.sessions_by_master_key(now, now.minus(self.policy.session.idle_ttl)).await? {
            let of = found.entry(opened.master_key).or_insert_with(|| unused(opened.master_key));
            (of.sessions, of.until) = (opened.sessions, Some(opened.until));
        }
        let dead = dead(&self.signing_keys());
        for value in store.sealed_values().await?.iter().filter(|value| !is_dead(value, &dead)) {
            if let Some(id) = sealed_under(&value.value) {
                found.entry(id).or_insert_with(|| unused(id)).sealed += 1;
            }
        }
        for (id, tokens) in store.upstream_tokens_by_master_key().await? {
            found.entry(id).or_insert_with(|| unused(id)).sealed += tokens;
        }
        Ok(found.into_values().collect())
    }

    /// Adds a new master secret, makes it current and seals everything under it. The old ones stay: their sessions live on.
    /// If it stops half way, nothing is lost: [`Self::reseal`] does the rest.
    ///
    /// # Errors
    /// [`MasterKeyError`].
    pub async fn rotate_master_key(&self, context: &Context) -> Result<Resealed, MasterKeyError> {
        let known: HashSet<KeyId> = self.master_keys().await?.iter().map(|known| known.id).collect();
        let start = self.keyring.current().0;
        let free = (1..=u8::MAX).map(|step| KeyId(start.wrapping_add(step))).find(|id| !known.contains(id));
        let id = free.ok_or(MasterKeyError::NoneFree)?;
        let secret = SecretArray::new(self.outside.entropy().bytes());
        // Durable before anything depends on it.
        self.outside.master_keys().put_first(id, &secret)?;
        self.record(
            NewEvent::done(EventName::KeyRotated, "master_secret_added").detail(&id.0.to_string()),
            context,
        );
        self.reseal(context).await
    }

    /// Reads the master secrets again, and seals everything under the current one. What is sealed under it already stays.
    ///
    /// # Errors
    /// [`MasterKeyError`]. Secrets that some sealed value needs cannot be left out: those in use stay then.
    pub async fn reseal(&self, context: &Context) -> Result<Resealed, MasterKeyError> {
        self.take_over_master_keys().await?;
        self.reload_keys().await?;
        let (store, dead) = (self.outside.store(), dead(&self.signing_keys()));
        let under = self.keyring.current();
        let mut values = 0;
        for old in store.sealed_values().await?.iter().filter(|old| sealed_under(&old.value) != Some(under)) {
            let name = sealed_name(old);
            let plain = match self.keyring.unseal(&name, &old.value) {
                Ok(plain) => plain,
                // Nobody will ever need it again.
                Err(_) if is_dead(old, &dead) => continue,
                Err(error) => return Err(error.into()),
            };
            let sealed = self.keyring.seal(&name, self.outside.entropy().bytes(), &plain);
            let sealed = sealed.ok_or_else(|| ServiceError::Signing(String::from("sealing failed")))?;
            // Another node may have been first.
            values += u64::from(store.reseal(old, &sealed).await?);
        }
        for (id, _) in store.upstream_tokens_by_master_key().await? {
            // Without its secret nobody can open them; that is said where they are needed.
            if id != under && self.keyring.holds(id) {
                values += self.reseal_upstream_tokens(id).await?;
            }
        }
        self.reload_keys().await?;
        let detail = format!("{values} value(s) under {}", under.0);
        self.record(NewEvent::done(EventName::KeyRotated, "resealed").detail(&detail), context);
        Ok(Resealed { under, values })
    }

    /// Reads the master secrets again. A set that lacks what a sealed value or a live session needs is refused.
    pub(super) async fn take_over_master_keys(&self) -> Result<(), MasterKeyError> {
        let fresh = Keyring::new(self.environment().clone(), self.outside.master_keys().load()?)?;
        let store = self.outside.store();
        // Not by the keys in use: they may be older, where another node has sealed anew under what this one is to learn of.
        let rows = store.signing_keys().await?;
        let dead = dead(&keys::listed(&rows, self.policy.longest_access(), self.now()));
        require_openable(&fresh, &store.sealed_values().await?, &dead)?;
        for gone in self.master_keys().await?.iter().filter(|known| known.held && !fresh.holds(known.id)) {
            require_unused(gone)?;
            let tokens = store.upstream_tokens_by_master_key().await?;
            if let Some((_, values)) = tokens.into_iter().find(|(id, _)| *id == gone.id) {
                return Err(MasterKeyError::Sealed { id: gone.id, values });
            }
        }
        self.keyring.replace(&fresh);
        Ok(())
    }

    /// Removes a master secret that nothing needs any more, for good.
    ///
    /// # Errors
    /// [`MasterKeyError`]; nothing changes then.
    pub async fn remove_master_key(&self, id: KeyId, context: &Context) -> Result<(), MasterKeyError> {
        let uses = self.master_keys().await?;
        let found =
            uses.iter().find(|found| found.id == id && found.held).ok_or(MasterKeyError::Unknown(id))?;
        if found.current {
            return Err(MasterKeyError::Current(id));
        }
        if found.sealed > 0 {
            return Err(MasterKeyError::Sealed { id, values: found.sealed });
        }
        require_unused(found)?;
        let kept = self.outside.master_keys();
        kept.remove(id)?;
        self.keyring.replace(&Keyring::new(self.environment().clone(), kept.load()?)?);
        let event = NewEvent::done(EventName::KeyRotated, "master_secret_removed");
        self.record(event.detail(&id.0.to_string()), context);
        Ok(())
    }
}

/// Refuses what would log somebody out.
fn require_unused(found: &MasterKeyUse) -> Result<(), MasterKeyError> {
    match (found.sessions, found.until) {
        (sessions @ 1.., Some(until)) => Err(MasterKeyError::InUse { id: found.id, sessions, until }),
        _ => Ok(()),
    }
}

/// Refuses a keyring that cannot open what is sealed: with it, the next restart, login or rotation would fail.
pub(super) fn require_openable(
    keyring: &Keyring,
    values: &[SealedValue],
    dead: &HashSet<Box<str>>,
) -> Result<(), Unsealable> {
    let mut needed = values.iter().filter(|value| !is_dead(value, dead));
    needed.try_for_each(|value| keyring.unseal(&sealed_name(value), &value.value).map(drop))
}

/// The ids of the signing keys that will never sign again.
pub(super) fn dead(listed: &[(SigningKey, KeyState)]) -> HashSet<Box<str>> {
    let over = listed.iter().filter(|(_, state)| matches!(state, KeyState::Gone | KeyState::Revoked));
    over.map(|(key, _)| key.kid.clone()).collect()
}

fn is_dead(value: &SealedValue, dead: &HashSet<Box<str>>) -> bool {
    value.place == SealedPlace::SigningKey && dead.contains(&value.name)
}

fn sealed_name(value: &SealedValue) -> String {
    match value.place {
        SealedPlace::SigningKey => keys::name_of(&value.name),
        SealedPlace::Value => value.name.to_string(),
    }
}
