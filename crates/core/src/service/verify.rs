//! Verifying an access token: one call that cannot be half used, and returns a proof that only it can make.

use std::sync::Arc;

use aws_lc_rs::digest;

use super::engine::{Context, Engine, NewEvent};
use super::keys::ActiveKeys;
use super::memory::Refusal;
use super::principal::{Principal, SessionPrincipal};
use crate::domain::event::EventName;
use crate::domain::id::Sid;
use crate::domain::session::{EndReason, Liveness};
use crate::domain::time::Timestamp;
use crate::domain::token::access::{self, AccessClaims, AccessRefusal};
use crate::port::{Bus, Notice, Outside, Store, StoreError};

/// Why a request is not let in by its access token.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The token itself.
    #[error(transparent)]
    Refused(#[from] AccessRefusal),
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

impl<O: Outside> Engine<O> {
    /// Verifies an access token: kind, key, signature, issuer, audience, environment, purpose, times, revocation, epoch,
    /// abandoned generations. A token seen before costs a hash and some look-ups; expiry and revocation are checked each time.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub async fn verify_access(&self, token: &str, context: &Context) -> Result<Arc<SessionPrincipal>, VerifyError> {
        let now = self.now();
        let digest = Self::digest(token);
        let known = digest.and_then(|d| self.seen.get(&d));
        let principal = match known {
            Some(principal) => {
                if now >= principal.claims().expires_at.plus(self.policy.access.leeway) {
                    return Err(AccessRefusal::Expired.into());
                }
                if now >= principal.session_expires_at() {
                    return Err(VerifyError::SessionExpired);
                }
                self.check_memory(&principal, context).await?;
                if !self.is_fresh(now) {
                    // This node has not heard of revocations for too long: ask, or refuse (design §6).
                    Box::pin(self.check_store(principal.claims(), context)).await?;
                }
                principal
            }
            None => {
                let keys = self.active_keys();
                let claims = access::verify(token, &self.policy.access, &keys.verifying, now)?;
                let principal = Arc::new(Box::pin(self.check_store(&claims, context)).await?);
                self.check_memory(&principal, context).await?;
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
        access::verify(token, &self.policy.access, &keys.verifying, issued).ok().map(|claims| claims.sid)
    }

    /// Whether the principal still may act, as far as this node knows: asked for long-lived connections.
    pub fn stands(&self, principal: &Principal) -> bool {
        match principal {
            Principal::Session(session) => self.still_stands(session),
            Principal::ApiKey(key) => self.key_stands(key),
        }
    }

    /// Whether the session still may act, as far as this node knows: asked again before anything is handed out.
    pub fn still_stands(&self, principal: &SessionPrincipal) -> bool {
        let claims = principal.claims();
        self.memory.refuses(&claims.user, claims.epoch, claims.sid, claims.generation).is_none()
    }

    pub(super) fn digest(token: &str) -> Option<[u8; 32]> {
        digest::digest(&digest::SHA256, token.as_bytes()).as_ref().try_into().ok()
    }

    async fn check_memory(&self, principal: &SessionPrincipal, context: &Context) -> Result<(), VerifyError> {
        let claims = principal.claims();
        match self.memory.refuses(&claims.user, claims.epoch, claims.sid, claims.generation) {
            None => Ok(()),
            Some(Refusal::Revoked) => Err(VerifyError::Revoked),
            Some(Refusal::Abandoned) => {
                self.caught(claims, context).await?;
                Err(VerifyError::Reused)
            }
        }
    }

    async fn check_store(&self, claims: &AccessClaims, context: &Context) -> Result<SessionPrincipal, VerifyError> {
        let Some(mut held) = self.outside.store().session(claims.sid).await? else {
            return Err(VerifyError::Revoked);
        };
        if held.session.user != claims.user || claims.epoch < held.user.epoch {
            return Err(VerifyError::Revoked);
        }
        let session = &mut held.session;
        self.memory.overlay(session.sid, &mut session.rotation, &mut session.seen_at);
        match held.liveness(&self.policy.session, self.now()) {
            Liveness::Live => {}
            Liveness::Revoked(_) => return Err(VerifyError::Revoked),
            Liveness::Expired { .. } => return Err(VerifyError::SessionExpired),
        }
        if held.session.rotation.is_abandoned(claims.generation) {
            self.caught(claims, context).await?;
            return Err(VerifyError::Reused);
        }
        Ok(SessionPrincipal::new(claims.clone(), &held))
    }

    async fn caught(&self, claims: &AccessClaims, context: &Context) -> Result<(), StoreError> {
        let event = NewEvent::refused(EventName::TokenReuse, "abandoned_access_token").user(&claims.user);
        self.record(event.tag(self.keyring.log_tag(&claims.sid)), context);
        self.end(claims.sid, EndReason::Reuse).await.map(|_| ())
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
