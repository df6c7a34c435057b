//! Revocation: in effect here when the call returns (design §6, D10, H04).

use super::engine::{Context, Engine, NewEvent, ServiceError};
use crate::domain::event::EventName;
use crate::domain::id::{PublicId, Sid, UserId};
use crate::domain::session::{EndReason, Ended};
use crate::port::{Bus, Notice, Outside, Store, StoreError, UserRevoked};

/// What an operator revokes.
#[derive(Clone, Debug)]
pub enum Target {
    /// One session, by its public id.
    Session(PublicId),
    /// All of a user's.
    User(UserId),
    /// Everybody's.
    Everyone,
}

impl<O: Outside> Engine<O> {
    /// Makes a notice true here, then tells everybody else.
    pub(super) fn announce(&self, notice: Notice) {
        self.memory.apply(&notice, self.now());
        self.outside.bus().publish(notice);
    }

    /// Ends one session. Whatever the store says about an earlier end, this node refuses it afterwards.
    pub(super) async fn end(&self, sid: Sid, reason: EndReason) -> Result<Option<Ended>, StoreError> {
        let at = self.now();
        let ended = self.outside.store().revoke_session(sid, reason, at).await?;
        self.announce(Notice::SessionEnded { sid, at });
        Ok(ended)
    }

    pub(super) fn announce_user(&self, user: &UserId, revoked: &UserRevoked) {
        let at = self.now();
        self.announce(Notice::EpochRaised { user: user.clone(), epoch: revoked.epoch, at });
        for sid in &revoked.ended {
            self.announce(Notice::SessionEnded { sid: *sid, at });
        }
    }

    /// Signs a device out. Harmless on a session that has ended.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn log_out(&self, sid: Sid, context: &Context) -> Result<(), ServiceError> {
        self.end_and_tell(sid, EndReason::Logout, context).await
    }

    /// Ends a session and says whose it was. Harmless on one that has ended.
    pub(super) async fn end_and_tell(
        &self,
        sid: Sid,
        reason: EndReason,
        context: &Context,
    ) -> Result<(), ServiceError> {
        if self.end(sid, reason).await?.is_none() {
            return Ok(());
        }
        let event = NewEvent::done(EventName::TokenRevoked, reason.as_str()).tag(self.keyring.log_tag(&sid));
        // Whose it was answers "why was I logged out?"; a store that fails now does not undo the revocation.
        let held = self.outside.store().session(sid).await.ok().flatten();
        let event = match &held {
            Some(held) => self.about(held, event),
            None => event,
        };
        self.record(event, context);
        Ok(())
    }

    /// Signs a user out everywhere.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn log_out_everywhere(&self, user: &UserId, context: &Context) -> Result<(), ServiceError> {
        self.revoke_user(user, EndReason::LogoutAll, EventName::TokenRevoked, context).await.map(|_| ())
    }

    /// Ends one of the user's own sessions by public id. `false` if it is not theirs or there is none: a prober learns nothing.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn end_own_session(
        &self,
        user: &UserId,
        id: &PublicId,
        context: &Context,
    ) -> Result<bool, ServiceError> {
        let Some(held) = self.outside.store().session_by_public_id(id).await?.filter(|h| h.user.id == *user)
        else {
            return Ok(false);
        };
        if self.end(held.session.sid, EndReason::EndedByUser).await?.is_some() {
            let event = NewEvent::done(EventName::TokenRevoked, EndReason::EndedByUser.as_str());
            self.record(self.about(&held, event), context);
        }
        Ok(true)
    }

    /// Ends all of the user's sessions but one. Returns how many.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn end_other_sessions(
        &self,
        user: &UserId,
        keep: Sid,
        context: &Context,
    ) -> Result<usize, ServiceError> {
        let at = self.now();
        let ended =
            self.outside.store().revoke_other_sessions(user, keep, EndReason::EndedByUser, at).await?;
        for sid in &ended {
            self.announce(Notice::SessionEnded { sid: *sid, at });
        }
        let event = NewEvent::done(EventName::TokenRevoked, "ended_others").user(user);
        self.record(event, context);
        Ok(ended.len())
    }

    /// An operator's revocation. Returns how many sessions ended; `None` when there is no such session or user.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn revoke(&self, target: &Target, context: &Context) -> Result<Option<usize>, ServiceError> {
        match target {
            Target::Session(id) => {
                let Some(held) = self.outside.store().session_by_public_id(id).await? else {
                    return Ok(None);
                };
                let ended = self.end(held.session.sid, EndReason::EndedByOperator).await?;
                let event = NewEvent::done(EventName::AuthzAdmin, "session_revoked");
                self.record(self.about(&held, event), context);
                Ok(Some(usize::from(ended.is_some())))
            }
            Target::User(user) => {
                self.revoke_user(user, EndReason::EndedByOperator, EventName::AuthzAdmin, context).await
            }
            Target::Everyone => {
                let at = self.now();
                let ended = self.outside.store().revoke_everyone(EndReason::EndedByOperator, at).await?;
                for sid in &ended {
                    self.announce(Notice::SessionEnded { sid: *sid, at });
                }
                // Epochs rose too: principals verified before must be judged against the store again.
                self.seen.clear();
                self.record(NewEvent::done(EventName::AuthzAdmin, "everyone_revoked"), context);
                Ok(Some(ended.len()))
            }
        }
    }

    pub(super) async fn revoke_user(
        &self,
        user: &UserId,
        reason: EndReason,
        name: EventName,
        context: &Context,
    ) -> Result<Option<usize>, ServiceError> {
        let Some(revoked) = self.outside.store().revoke_user(user, reason, self.now()).await? else {
            return Ok(None);
        };
        self.announce_user(user, &revoked);
        self.record(NewEvent::done(name, reason.as_str()).user(user), context);
        Ok(Some(revoked.ended.len()))
    }
}
