//! What operators do from the command line.

use super::engine::{Context, Engine, NewEvent, ServiceError};
use crate::domain::event::{Event, EventFilter, EventName};
use crate::domain::id::{PublicId, UserId};
use crate::domain::password::{Password, WeakPassword};
use crate::domain::scope::ScopeSet;
use crate::domain::session::{EndReason, Held, Liveness, Session};
use crate::domain::user::{Email, User};
use crate::port::{NewPassword, Outside, Page, PasswordHasher, Store};

/// A user that an operator adds. The operator vouches for the address.
#[derive(Debug)]
pub struct AddUser<'a> {
    /// Account name.
    pub email: &'a Email,
    /// Initial password.
    pub password: &'a Password,
    /// What the user may do.
    pub scope: ScopeSet,
}

/// The user was not added or changed.
#[derive(Debug, thiserror::Error)]
pub enum AddUserError {
    /// The address is taken.
    #[error("a user with this address exists")]
    Taken,
    /// The password is refused.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// No such user.
    #[error("there is no such user")]
    NoUser,
    /// The engine cannot answer.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl<O: Outside> Engine<O> {
    /// Adds a user.
    ///
    /// # Errors
    /// [`AddUserError`].
    pub async fn add_user(&self, request: AddUser<'_>, context: &Context) -> Result<User, AddUserError> {
        self.policy.password.judge(request.password, request.email)?;
        let hash =
            self.outside.hasher().hash(request.password, &self.pepper).await.map_err(ServiceError::from)?;
        let user = self.create_hashed(request.email, Some(hash), request.scope, context).await?;
        user.ok_or(AddUserError::Taken)
    }

    /// Sets a user's password and ends all their sessions (D11).
    ///
    /// # Errors
    /// [`AddUserError`].
    pub async fn reset_password(
        &self,
        email: &Email,
        password: &Password,
        context: &Context,
    ) -> Result<(), AddUserError> {
        self.policy.password.judge(password, email)?;
        let user = self.find_user(email).await?.ok_or(AddUserError::NoUser)?;
        let hash = self.outside.hasher().hash(password, &self.pepper).await.map_err(ServiceError::from)?;
        let new = NewPassword { user: user.id.clone(), hash, at: self.now(), asked_by: None };
        let revoked = self.outside.store().set_password(new).await.map_err(ServiceError::from)?;
        self.announce_user(&user.id, &revoked.ok_or(AddUserError::NoUser)?);
        self.record(NewEvent::done(EventName::PasswordChange, "by_operator").user(&user.id), context);
        Ok(())
    }

    /// Disables a user and ends all their sessions, or enables again (D11).
    ///
    /// # Errors
    /// [`AddUserError`].
    pub async fn set_disabled(
        &self,
        email: &Email,
        disabled: bool,
        context: &Context,
    ) -> Result<(), AddUserError> {
        let user = self.find_user(email).await?.ok_or(AddUserError::NoUser)?;
        let changed = self.outside.store().set_disabled(&user.id, disabled, self.now()).await;
        let revoked = changed.map_err(ServiceError::from)?.ok_or(AddUserError::NoUser)?;
        if disabled {
            self.announce_user(&user.id, &revoked);
        }
        let reason = if disabled { "disabled" } else { "enabled" };
        self.record(NewEvent::done(EventName::UserUpdated, reason).user(&user.id), context);
        Ok(())
    }

    /// A user by address.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn find_user(&self, email: &Email) -> Result<Option<User>, ServiceError> {
        Ok(self.outside.store().user_by_email(email).await?)
    }

    /// A user by id.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn user(&self, id: &UserId) -> Result<Option<User>, ServiceError> {
        Ok(self.outside.store().user(id).await?)
    }

    /// Users by address.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn users(&self, after: Option<&Email>, limit: u32) -> Result<Page<User>, ServiceError> {
        Ok(self.outside.store().users(after, limit).await?)
    }

    /// A user's sessions with the ended ones, newest first.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn all_sessions(&self, user: &UserId) -> Result<Vec<Session>, ServiceError> {
        Ok(self.outside.store().sessions_of(user, true).await?)
    }

    /// A session by public id, and whether it lives. Answers "why was I logged out?".
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn explain_session(&self, id: &PublicId) -> Result<Option<(Held, Liveness)>, ServiceError> {
        let Some(held) = self.outside.store().session_by_public_id(id).await? else { return Ok(None) };
        let liveness = held.liveness(&self.policy.session, self.now());
        Ok(Some((held, liveness)))
    }

    /// Events.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<(u64, Event)>, ServiceError> {
        // What was just recorded waits in memory up to a second; whoever asks wants to see it.
        self.flush().await?;
        Ok(self.outside.store().events(filter).await?)
    }

    /// Ends all of a user's sessions, found by address.
    ///
    /// # Errors
    /// [`AddUserError`].
    pub async fn revoke_by_email(&self, email: &Email, context: &Context) -> Result<usize, AddUserError> {
        let user = self.find_user(email).await?.ok_or(AddUserError::NoUser)?;
        let ended =
            self.revoke_user(&user.id, EndReason::EndedByOperator, EventName::AuthzAdmin, context).await?;
        ended.ok_or(AddUserError::NoUser)
    }
}
