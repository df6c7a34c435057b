//! What an operator changes about a user while their sessions live: scopes (G04), and whether there is one.

use super::admin::AddUserError;
use super::engine::{Context, Engine, NewEvent, ServiceError};
use crate::domain::event::EventName;
use crate::domain::user::{Email, User};
use crate::port::{Notice, Outside, ScopeChange, ScopeChanged, Store};

/// A user who is no more.
#[derive(Debug)]
pub struct Removed {
    /// As they were.
    pub user: User,
    /// How many sessions ended.
    pub sessions: usize,
    /// How many API keys worked until then, or would have but for their expiry.
    pub api_keys: usize,
}

impl<O: Outside> Engine<O> {
    /// Gives a user scopes and takes others. A user who lost one has to sign in again: tokens carry scopes, and whoever checks
    /// them elsewhere would go by the old ones until they expire. Open sessions gain nothing (D07). API keys follow at once.
    ///
    /// # Errors
    /// [`AddUserError::NoUser`] and [`AddUserError::Service`].
    pub async fn change_scope(
        &self,
        email: &Email,
        change: &ScopeChange,
        context: &Context,
    ) -> Result<ScopeChanged, AddUserError> {
        let user = self.find_user(email).await?.ok_or(AddUserError::NoUser)?;
        let changed = self.outside.store().change_scope(&user.id, change, self.now()).await;
        let changed = changed.map_err(ServiceError::from)?.ok_or(AddUserError::NoUser)?;
        if let Some(revoked) = &changed.revoked {
            self.announce_user(&user.id, revoked);
        }
        if changed.changed {
            let reason = if changed.revoked.is_some() { "scope_reduced" } else { "scope_extended" };
            let detail = match changed.user.scope.to_string() {
                none if none.is_empty() => String::from("no scope is left"),
                scope => format!("scope is now: {scope}"),
            };
            let event = NewEvent::done(EventName::UserUpdated, reason).user(&user.id);
            self.record(event.detail(&detail), context);
        }
        Ok(changed)
    }

    /// Erases a user with sessions, API keys, identities elsewhere and open invitations. Events keep their opaque id; nothing says
    /// any more whose it was. What they hold is refused at once, here and by verifiers elsewhere.
    ///
    /// # Errors
    /// [`AddUserError::NoUser`] and [`AddUserError::Service`].
    pub async fn remove_user(&self, email: &Email, context: &Context) -> Result<Removed, AddUserError> {
        let user = self.find_user(email).await?.ok_or(AddUserError::NoUser)?;
        let at = self.now();
        let removed = self.outside.store().remove_user(&user.id, at).await;
        let removed = removed.map_err(ServiceError::from)?.ok_or(AddUserError::NoUser)?;
        self.announce_user(&user.id, &removed.revoked);
        for id in &removed.api_keys {
            self.announce(Notice::ApiKeyRevoked { id: *id, at });
        }
        self.record(NewEvent::done(EventName::UserRemoved, "by_operator").user(&user.id), context);
        Ok(Removed { user, sessions: removed.revoked.ended.len(), api_keys: removed.api_keys.len() })
    }
}
