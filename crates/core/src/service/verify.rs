//! Verifying an access token: one call that cannot be half used, and returns a proof that only it can make.

use std::borrow::Cow;
use std::sync::Arc;

use aws_lc_rs::digest;

use super::engine::{Context, Engine, NewEvent};
use super::keys::ActiveKeys;
use super::memory::Refusal;
use super::principal::{Principal, SessionPrincipal};
use crate::domain::event::EventName;
use crate::domain::id::Sid;
use crate::domain::session::{EndReason, Held, Liveness};
use crate::domain::time::Timestamp;
use crate::domain::token::jws::{JwsRefusal, MAX_TOKEN};
use crate::domain::token::standing::{Fallen, Standing, Subject};
use crate::domain::token::trust::Trusted;
use crate::domain::token::{TokenRefusal, access};
use crate::port::{Bus, Notice, Outside, Store, StoreError};

/// Why a request is not let in by its access token.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The token itself.
    #[error(transparent)]
    Refused(#[from] TokenRefusal),
    /// Its session ended.
    #[error("session revoked")]
    Revoked,
    /// Its session is past a deadline.
    #[error("session expired")]
    SessionExpired,
    /// Its generation was abandoned: somebody else holds it. The session is dead now.
    #[error("abandoned generation presented")]
    Reused,
    /// The store is needed and does not answer: never pass through (K11).
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl VerifyError {
    /// The reason code for events: exact, where the answer says less (I06).
    #[must_use]
    pub fn reason(&self) -> Cow<'static, str> {
        match self {
            Self::Refused(refusal) => refusal.reason(),
            Self::Revoked => Fallen::Revoked.reason().into(),
            Self::SessionExpired => Fallen::Expired.reason().into(),
            Self::Reused => Fallen::Abandoned.reason().into(),
            Self::Store(_) => "store_unavailable".into(),
        }
    }
}

impl From<Fallen> for VerifyError {
    fn from(fallen: Fallen) -> Self {
        match fallen {
            Fallen::Revoked => Self::Revoked,
            Fallen::Expired => Self::SessionExpired,
            Fallen::Abandoned => Self::Reused,
        }
    }
}

impl<O: Outside> Engine<O> {
    /// Verifies an access token: kind, key, signature, issuer, audience, environment, purpose, times, revocation, epoch,
    /// abandoned generations. A token seen before costs a hash and some look-ups; expiry and revocation are checked each time.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub async fn verify_access(
        &self,
        token: &str,
        context: &Context,
    ) -> Result<Arc<SessionPrincipal>, VerifyError> {
        // Before a megabyte of garbage is hashed (A16).
        if token.len() > MAX_TOKEN {
            return Err(TokenRefusal::Jws(JwsRefusal::TooLong).into());
        }
        let now = self.now();
        let digest = Self::digest(token);
        let principal = match digest.and_then(|d| self.seen.get(&d)) {
            Some(principal) => {
                if self.policy.access.has_expired(principal.claims().expires_at, now) {
                    return Err(TokenRefusal::Expired.into());
                }
                if now >= principal.session_expires_at() {
                    return Err(VerifyError::SessionExpired);
                }
                let subject = principal.subject();
                self.demand(&subject, self.remembered(&subject), context).await?;
                if !self.is_fresh(now) {
                    // This node has not heard of revocations for too long: ask, or refuse (design §6).
                    let (standing, _) = Box::pin(self.stored(&subject)).await?;
                    self.demand(&subject, standing, context).await?;
                }
                principal
            }
            None => {
                let keys = self.active_keys();
                let principal = Arc::new(Box::pin(self.first_sight(token, &keys, now, context)).await?);
                self.remember(digest, &principal, &keys);
                principal
            }
        };
        self.note(&principal, now);
        Ok(principal)
    }

    /// The session an access token belongs to, if we signed it, whatever its age and the session's state. Good for nothing but
    /// checking a CSRF token and logging out.
    pub fn genuine_access(&self, token: &str) -> Option<Sid> {
        let keys = self.active_keys();
        // An expired token is still genuine: verify it as of its own time.
        let issued = access::issued_at_unverified(token)?;
        let trusted = Trusted::only(&self.policy.access.issuer, &keys.verifying);
        let statement = access::check(token, &self.policy.access, &trusted, issued).ok()?;
        Some(statement.subject().sid)
    }

    /// Whether the principal still may act, as far as this node knows: asked for long-lived connections.
    pub fn stands(&self, principal: &Principal) -> bool {
        match principal {
            Principal::Session(session) => self.still_stands(session),
            Principal::ApiKey(key) => self.key_stands(key),
            Principal::Foreign(foreign) => self.foreign_stands(foreign),
        }
    }

    /// Whether the session still may act, as far as this node knows: asked again before anything is handed out.
    pub fn still_stands(&self, principal: &SessionPrincipal) -> bool {
        let subject = principal.subject();
        subject.judge(self.remembered(&subject)).is_ok()
    }

    pub(super) fn digest(token: &str) -> Option<[u8; 32]> {
        digest::digest(&digest::SHA256, token.as_bytes()).as_ref().try_into().ok()
    }

    /// A token that this node has not seen: its own statements, then the session's row, then what came in meanwhile.
    async fn first_sight(
        &self,
        token: &str,
        keys: &ActiveKeys,
        now: Timestamp,
        context: &Context,
    ) -> Result<SessionPrincipal, VerifyError> {
        let trusted = Trusted::only(&self.policy.access.issuer, &keys.verifying);
        let statement = access::check(token, &self.policy.access, &trusted, now)?;
        let (standing, held) = self.stored(&statement.subject()).await?;
        self.demand(&statement.subject(), standing, context).await?;
        self.demand(&statement.subject(), self.remembered(&statement.subject()), context).await?;
        let held = held.ok_or(VerifyError::Revoked)?;
        Ok(SessionPrincipal::new(statement.stands(standing)?, &held))
    }

    /// How a session stands as far as this node's memory knows.
    pub(super) fn remembered(&self, subject: &Subject<'_>) -> Standing {
        match self.memory.refuses(subject.user, subject.epoch, subject.sid, subject.generation) {
            None => Standing::Live { epoch: subject.epoch },
            Some(Refusal::Revoked) => Standing::Revoked,
            Some(Refusal::Abandoned) => Standing::Abandoned,
        }
    }

    /// How a session stands in the store, with what waits to be written.
    pub(super) async fn stored(&self, subject: &Subject<'_>) -> Result<(Standing, Option<Held>), StoreError> {
        let found = self.outside.store().session(subject.sid).await?;
        let Some(mut held) = found.filter(|held| held.session.user == *subject.user) else {
            return Ok((Standing::Revoked, None));
        };
        let session = &mut held.session;
        self.memory.overlay(session.sid, &mut session.rotation, &mut session.seen_at);
        let standing = match held.liveness(&self.policy.session, self.now()) {
            // A raised epoch is told before theft and before deadlines: it ended the session, whatever is presented.
            _ if subject.epoch < held.user.epoch => Standing::Revoked,
            Liveness::Revoked(_) => Standing::Revoked,
            Liveness::Expired { .. } => Standing::Expired,
            Liveness::Live if held.session.rotation.is_abandoned(subject.generation) => Standing::Abandoned,
            Liveness::Live => Standing::Live { epoch: held.user.epoch },
        };
        Ok((standing, Some(held)))
    }

    /// Goes on only if the session stands. An abandoned generation is theft: the session dies of it.
    async fn demand(
        &self,
        subject: &Subject<'_>,
        standing: Standing,
        context: &Context,
    ) -> Result<(), VerifyError> {
        let Err(fallen) = subject.judge(standing) else { return Ok(()) };
        if fallen == Fallen::Abandoned {
            let event = NewEvent::refused(EventName::TokenReuse, fallen.reason()).user(subject.user);
            self.record(event.tag(self.keyring.log_tag(&subject.sid)), context);
            self.end(subject.sid, EndReason::Reuse).await?;
        }
        Err(fallen.into())
    }

    /// Notes that the session was used, and that the generation arrived.
    pub(super) fn note(&self, principal: &SessionPrincipal, now: Timestamp) {
        let claims = principal.claims();
        if principal.take_unconfirmed() {
            let notice = Notice::Confirmed { sid: claims.sid, generation: claims.generation, at: now };
            self.memory.apply(&notice, now);
            self.outside.bus().publish(notice);
        }
        if principal.should_note(now) {
            self.memory.note_use(claims.sid, Some(now), None);
        }
    }

    /// Notes activity on a connection that outlives its request (an inbound WebSocket frame).
    pub fn note_activity(&self, principal: &SessionPrincipal) {
        self.note(principal, self.now());
    }

    /// Remembers who a token stands for, by its digest. `keys` are those that vouched for it: a key that was revoked meanwhile
    /// emptied the memory before this entry came, so it must not stay (see [`Self::reload_keys`]).
    pub(super) fn remember(
        &self,
        digest: Option<[u8; 32]>,
        principal: &Arc<SessionPrincipal>,
        keys: &Arc<ActiveKeys>,
    ) {
        let Some(digest) = digest else { return };
        self.seen.insert(digest, Arc::clone(principal));
        if !Arc::ptr_eq(keys, &self.active_keys()) {
            self.seen.remove(&digest);
        }
    }

    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        now.since(self.memory.fresh_at()) <= self.policy.max_staleness
    }
}
