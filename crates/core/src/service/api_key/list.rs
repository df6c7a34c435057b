//! The keys of one user, or of all.

use crate::domain::api_key::{ApiKeyId, HeldKey};
use crate::domain::id::UserId;
use crate::port::{Outside, Store};
use crate::service::engine::{Engine, ServiceError};

impl<O: Outside> Engine<O> {
    /// Keys, newest first, dead ones too for as long as they are on record.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn api_keys(&self, owner: Option<&UserId>) -> Result<Vec<HeldKey>, ServiceError> {
        Ok(self.outside.store().api_keys(owner).await?)
    }

    /// One of the user's own keys. `None` if it is not theirs or there is none: a prober learns nothing.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn own_api_key(&self, owner: &UserId, id: ApiKeyId) -> Result<Option<HeldKey>, ServiceError> {
        Ok(self.outside.store().api_key(id).await?.filter(|held| held.key.owner == *owner))
    }
}
