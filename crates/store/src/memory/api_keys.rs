//! API keys in memory.

use std::cmp::Reverse;

use countersign_core::domain::api_key::{ApiKey, ApiKeyId, HeldKey};
use countersign_core::domain::id::UserId;
use countersign_core::domain::time::Timestamp;
use countersign_core::port::{KeyCreated, KeyUse, StoreError};

use super::state::{State, drawn_twice};
use crate::networks::merge;

impl State {
    pub(super) fn create_api_key(&mut self, key: &ApiKey, limit: u32) -> Result<KeyCreated, StoreError> {
        if self.user(&key.owner).is_none_or(|user| user.disabled_at.is_some()) {
            return Ok(KeyCreated::NoOwner);
        }
        let live = self.api_keys.values().filter(|other| {
            other.owner == key.owner && other.revoked_at.is_none() && other.expires_at > key.created_at
        });
        if live.count() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            return Ok(KeyCreated::LimitReached);
        }
        if self.api_keys.contains_key(&key.id) {
            return Err(drawn_twice());
        }
        self.api_keys.insert(key.id, key.clone());
        Ok(KeyCreated::Created)
    }

    pub(super) fn api_key(&self, id: ApiKeyId) -> Option<HeldKey> {
        let key = self.api_keys.get(&id)?.clone();
        let owner = self.user(&key.owner)?;
        Some(HeldKey { key, owner })
    }

    pub(super) fn list_api_keys(&self, owner: Option<&UserId>) -> Vec<HeldKey> {
        let ids = self.api_keys.values().filter(|key| owner.is_none_or(|owner| key.owner == *owner));
        let mut found: Vec<HeldKey> = ids.filter_map(|key| self.api_key(key.id)).collect();
        found.sort_by_key(|held| (Reverse(held.key.created_at), held.key.id));
        found.truncate(1000);
        found
    }

    pub(super) fn revoke_api_key(
        &mut self,
        id: ApiKeyId,
        owner: Option<&UserId>,
        at: Timestamp,
    ) -> Option<ApiKey> {
        let key = self.api_keys.get_mut(&id).filter(|key| owner.is_none_or(|owner| key.owner == *owner))?;
        key.revoked_at = key.revoked_at.or(Some(at));
        Some(key.clone())
    }

    pub(super) fn revoke_api_keys_of(&mut self, owner: &UserId, at: Timestamp) -> Vec<ApiKeyId> {
        let live = self.api_keys.values_mut().filter(|key| key.owner == *owner && key.revoked_at.is_none());
        live.map(|key| {
            key.revoked_at = Some(at);
            key.id
        })
        .collect()
    }

    pub(super) fn note_key_uses(&mut self, uses: &[KeyUse]) {
        for used in uses {
            let Some(key) = self.api_keys.get_mut(&used.id) else { continue };
            key.last_used_at = key.last_used_at.max(used.at);
            key.networks = merge(std::mem::take(&mut key.networks), &used.networks);
        }
    }
}
