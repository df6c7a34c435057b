//! A user's own sessions.

use super::engine::{Engine, ServiceError};
use super::principal::{Principal, SessionView};
use crate::domain::id::UserId;
use crate::domain::session::{Held, Liveness, Session};
use crate::port::{Outside, Store};

impl<O: Outside> Engine<O> {
    /// The principal's session as it is now. `None` if it is gone.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn session_view(&self, principal: &Principal) -> Result<Option<SessionView>, ServiceError> {
        let Some(mut held) = self.outside.store().session(principal.claims().sid).await? else {
            return Ok(None);
        };
        let session = &mut held.session;
        self.memory.overlay(session.sid, &mut session.rotation, &mut session.seen_at);
        if held.liveness(&self.policy.session, self.now()) != Liveness::Live {
            return Ok(None);
        }
        Ok(Some(SessionView::new(held, &self.policy.session)))
    }

    /// A user's live sessions, newest first (D12).
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn live_sessions(&self, user: &UserId) -> Result<Vec<Session>, ServiceError> {
        let now = self.now();
        let mut sessions = self.outside.store().sessions_of(user, false).await?;
        for session in &mut sessions {
            self.memory.overlay(session.sid, &mut session.rotation, &mut session.seen_at);
        }
        sessions.retain(|s| !self.memory.knows_ended(s.sid) && now < s.deadline(&self.policy.session));
        Ok(sessions)
    }

    /// Whether a session that ended was followed by a login in the same browser: then its late answers must clear no cookie
    /// of the new one.
    #[must_use]
    pub fn was_replaced(held: &Held) -> bool {
        held.session.ended.is_some_and(|e| e.reason == crate::domain::session::EndReason::Replaced)
    }
}
