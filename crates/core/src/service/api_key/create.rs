//! Making an API key: by its owner from a recent sign-in, or by an operator.

use std::time::Duration;

use crate::domain::api_key::{AddressList, ApiKey, GrantError, Grantor, HeldKey, KeyName};
use crate::domain::event::EventName;
use crate::domain::scope::ScopeSet;
use crate::domain::secret::{SecretArray, SecretString};
use crate::domain::time::Timestamp;
use crate::domain::token::api_key::mint;
use crate::domain::user::{Email, User};
use crate::port::{Entropy, KeyCreated, Outside, Store};
use crate::service::engine::{Context, Engine, NewEvent, ServiceError};
use crate::service::principal::SessionPrincipal;

/// How recently the user must have signed in to make a key: a stolen session must not outlive itself as one (D13).
pub const STEP_UP: Duration = Duration::from_secs(600);

/// A key to make.
#[derive(Debug)]
pub struct CreateKey {
    /// What its owner calls it.
    pub name: KeyName,
    /// What it may do; nothing if empty.
    pub scope: ScopeSet,
    /// From where; everywhere if empty.
    pub addresses: AddressList,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A key was made.
#[derive(Debug)]
pub struct CreatedKey {
    /// The key itself: shown once, kept nowhere (G03).
    pub text: SecretString,
    /// As stored, with its owner.
    pub held: HeldKey,
}

/// No key was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// The sign-in is too long ago (D13).
    #[error("this needs a sign-in within the last {} minutes", STEP_UP.as_secs() / 60)]
    StepUp,
    /// The session ended meanwhile.
    #[error("session ended")]
    SessionEnded,
    /// Too much, or for too long.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// The user has as many keys as allowed.
    #[error("the user has as many keys as allowed ({0}): revoke one that is not needed any more")]
    TooMany(u32),
    /// There is no such user, or it is disabled.
    #[error("there is no such user, or it is disabled")]
    NoOwner,
    /// The engine cannot answer.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl<O: Outside> Engine<O> {
    /// Makes a key for the session's user, within what the session may do (G04, G07).
    ///
    /// # Errors
    /// [`CreateKeyError`].
    pub async fn create_own_api_key(
        &self,
        principal: &SessionPrincipal,
        request: CreateKey,
        context: &Context,
    ) -> Result<CreatedKey, CreateKeyError> {
        if self.now().since(principal.claims().auth_time) > STEP_UP {
            return Err(CreateKeyError::StepUp);
        }
        // A key outlives the session by months: the session is asked for where it is kept, not only in its token.
        let view = self.session_view(principal).await?.ok_or(CreateKeyError::SessionEnded)?;
        let grantor = Grantor::Owner { session: principal.scope() };
        self.create_api_key(view.held.user, request, grantor, context).await
    }

    /// Makes a key for a user, as an operator. Only here are the machines' scopes granted.
    ///
    /// # Errors
    /// [`CreateKeyError`].
    pub async fn create_api_key_for(
        &self,
        owner: &Email,
        request: CreateKey,
        context: &Context,
    ) -> Result<CreatedKey, CreateKeyError> {
        let owner = self.find_user(owner).await?.ok_or(CreateKeyError::NoOwner)?;
        self.create_api_key(owner, request, Grantor::Operator, context).await
    }

    async fn create_api_key(
        &self,
        owner: User,
        request: CreateKey,
        grantor: Grantor<'_>,
        context: &Context,
    ) -> Result<CreatedKey, CreateKeyError> {
        let (now, policy) = (self.now(), &self.policy.api_keys);
        let span = (now, request.expires_at);
        policy.grant(&request.scope, &request.addresses, span, &owner, grantor)?;
        let minted = mint(self.environment(), &SecretArray::new(self.outside.entropy().bytes()));
        let key = ApiKey {
            id: minted.id,
            owner: owner.id.clone(),
            name: request.name,
            hash: minted.hash,
            last4: minted.last4,
            scope: request.scope,
            addresses: request.addresses,
            created_at: now,
            expires_at: request.expires_at,
            revoked_at: None,
            last_used_at: None,
            networks: Vec::new(),
        };
        let stored = self.outside.store().create_api_key(&key, policy.max_per_user).await;
        match stored.map_err(ServiceError::from)? {
            KeyCreated::Created => {}
            KeyCreated::LimitReached => return Err(CreateKeyError::TooMany(policy.max_per_user)),
            KeyCreated::NoOwner => return Err(CreateKeyError::NoOwner),
        }
        let reason = match grantor {
            Grantor::Owner { .. } => "api_key_by_owner",
            Grantor::Operator => "api_key_by_operator",
        };
        let detail = format!("{} scope: {}", key.id, key.scope);
        self.record(NewEvent::done(EventName::TokenCreated, reason).user(&owner.id).detail(&detail), context);
        Ok(CreatedKey { text: minted.text, held: HeldKey { key, owner } })
    }
}
