//! Revoking API keys: in effect on the next request (G08, H04).

use super::verify::KeyError;
use crate::domain::api_key::ApiKeyId;
use crate::domain::event::EventName;
use crate::domain::id::UserId;
use crate::port::{Notice, Outside, Store};
use crate::service::engine::{Context, Engine, NewEvent, ServiceError};

impl<O: Outside> Engine<O> {
    /// Revokes one of the user's own keys. `false` if it is not theirs or there is none.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn revoke_own_api_key(
        &self,
        owner: &UserId,
        id: ApiKeyId,
        context: &Context,
    ) -> Result<bool, ServiceError> {
        self.revoke_key(id, Some(owner), "api_key_by_owner", context).await
    }

    /// Revokes a key, as an operator. `false` without such a key.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn revoke_api_key(&self, id: ApiKeyId, context: &Context) -> Result<bool, ServiceError> {
        self.revoke_key(id, None, "api_key_by_operator", context).await
    }

    /// Revokes all keys of a user, as an operator. Returns how many worked until then, or would have but for their expiry.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn revoke_api_keys_of(&self, owner: &UserId, context: &Context) -> Result<usize, ServiceError> {
        let at = self.now();
        let revoked = self.outside.store().revoke_api_keys_of(owner, at).await?;
        for id in &revoked {
            self.announce(Notice::ApiKeyRevoked { id: *id, at });
        }
        let detail = format!("{} key(s)", revoked.len());
        let event = NewEvent::done(EventName::TokenRevoked, "api_keys_by_operator").user(owner);
        self.record(event.detail(&detail), context);
        Ok(revoked.len())
    }

    /// Revokes the key that a text names, whoever presents it: who holds a whole key may end it. `false` if it names none.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn revoke_presented_api_key(
        &self,
        text: &str,
        context: &Context,
    ) -> Result<bool, ServiceError> {
        match self.held_api_key(text, context).await {
            Ok(Some(held)) => self.revoke_key(held.key.id, None, "api_key_presented", context).await,
            Ok(None) | Err(KeyError::Token(_) | KeyError::Unknown | KeyError::Refused(_)) => Ok(false),
            Err(KeyError::Store(error)) => Err(error.into()),
        }
    }

    async fn revoke_key(
        &self,
        id: ApiKeyId,
        owner: Option<&UserId>,
        reason: &str,
        context: &Context,
    ) -> Result<bool, ServiceError> {
        let at = self.now();
        let Some(key) = self.outside.store().revoke_api_key(id, owner, at).await? else { return Ok(false) };
        // Whatever the store says about an earlier revocation, this node refuses the key from here on.
        self.announce(Notice::ApiKeyRevoked { id, at });
        if key.revoked_at == Some(at) {
            let detail = id.to_string();
            let event = NewEvent::done(EventName::TokenRevoked, reason).user(&key.owner);
            self.record(event.detail(&detail), context);
        }
        Ok(true)
    }
}
