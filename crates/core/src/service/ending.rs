//! Why a session is over: the answer to "why was I logged out?", for the person who held it.

use super::engine::{Engine, ServiceError};
use crate::domain::farewell;
use crate::domain::id::{Sid, UserId};
use crate::domain::secret::SecretString;
use crate::domain::session::{Ended, Held, Liveness, Session};
use crate::domain::time::Timestamp;
use crate::domain::token::refresh::RefreshToken;
use crate::port::{Outside, Store};

/// How a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Somebody or something ended it.
    Ended(Ended),
    /// Nobody used it for as long as sessions may rest.
    Idle {
        /// The deadline.
        at: Timestamp,
    },
    /// It reached the greatest age of a session.
    Aged {
        /// The deadline.
        at: Timestamp,
    },
}

impl Ending {
    /// When.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Ended(ended) => ended.at,
            Self::Idle { at } | Self::Aged { at } => *at,
        }
    }
}

/// A session that is over.
#[derive(Clone, Debug)]
pub struct PastSession {
    /// As it was.
    pub session: Session,
    /// How it ended.
    pub ending: Ending,
}

/// What a genuine refresh token says about its session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It lives.
    Lives,
    /// It is over.
    Over(Ending),
}

impl<O: Outside> Engine<O> {
    /// What became of a refresh token's session; `None` unless the token is genuine: a guess learns nothing. Reads only, and
    /// judges no generation: a spent token is found out where it is presented to be renewed.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn fate(&self, token: &RefreshToken) -> Result<Option<Fate>, ServiceError> {
        let held = self.genuine_refresh(token).await?;
        Ok(held.and_then(|mut held| self.fate_of(&mut held)))
    }

    /// How the session ended that a [`farewell`] speaks of; `None` for one that we did not write.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn farewell_ending(&self, text: &str) -> Result<Option<Ending>, ServiceError> {
        let Some(sid) = farewell::read(&self.keyring, text, self.now()) else { return Ok(None) };
        let held = self.outside.store().session(sid).await?;
        Ok(held.and_then(|mut held| self.fate_of(&mut held)).and_then(|fate| match fate {
            Fate::Over(ending) => Some(ending),
            Fate::Lives => None,
        }))
    }

    /// What a browser keeps of a session whose cookies it loses.
    #[must_use]
    pub fn farewell(&self, sid: Sid) -> Option<SecretString> {
        farewell::write(&self.keyring, sid, self.now())
    }

    /// A user's sessions that are over and still on record (90 days), the last one to end first. Of all that a theft ended, and
    /// the newest of the others, 200 in all, live ones included.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn past_sessions(&self, user: &UserId) -> Result<Vec<PastSession>, ServiceError> {
        let Some(user) = self.outside.store().user(user).await? else { return Ok(Vec::new()) };
        let sessions = self.outside.store().sessions_of(&user.id, true).await?;
        let past = sessions.into_iter().filter_map(|session| {
            let mut held = Held { session, user: user.clone() };
            match self.fate_of(&mut held)? {
                Fate::Over(ending) => Some(PastSession { session: held.session, ending }),
                Fate::Lives => None,
            }
        });
        let mut past: Vec<_> = past.collect();
        past.sort_by_key(|p| std::cmp::Reverse(p.ending.at()));
        Ok(past)
    }

    /// `None` where this node knows that it ended, and the store does not know how.
    fn fate_of(&self, held: &mut Held) -> Option<Fate> {
        let session = &mut held.session;
        self.memory.overlay(session.sid, &mut session.rotation, &mut session.seen_at);
        match held.liveness(&self.policy.session, self.now()) {
            Liveness::Revoked(ended) => Some(Fate::Over(Ending::Ended(ended))),
            Liveness::Expired { at } if at < held.session.expires_at => Some(Fate::Over(Ending::Idle { at })),
            Liveness::Expired { at } => Some(Fate::Over(Ending::Aged { at })),
            Liveness::Live if self.memory.knows_ended(held.session.sid) => None,
            Liveness::Live => Some(Fate::Lives),
        }
    }
}
