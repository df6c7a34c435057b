//! A user's own sessions.

use super::engine::{Engine, ServiceError};
use super::principal::{SessionPrincipal, SessionView};
use crate::domain::id::{Sid, UserId};
use crate::domain::session::{Liveness, Session};
use crate::port::{Outside, Store};

impl<O: Outside> Engine<O> {
    /// The principal's session as it is now. `None` if it is gone.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn session_view(
        &self,
        principal: &SessionPrincipal,
    ) -> Result<Option<SessionView>, ServiceError> {
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

    /// Whose a session is, if it lives: a dead one speaks for nobody.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn live_owner(&self, sid: Sid) -> Result<Option<UserId>, ServiceError> {
        let Some(mut held) = self.outside.store().session(sid).await? else { return Ok(None) };
        let session = &mut held.session;
        self.memory.overlay(session.sid, &mut session.rotation, &mut session.seen_at);
        let lives = held.liveness(&self.policy.session, self.now()) == Liveness::Live
            && !self.memory.knows_ended(sid);
        Ok(lives.then_some(held.user.id))
    }
}
