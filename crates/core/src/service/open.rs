//! Opening sessions and making their tokens.

use std::sync::Arc;

use super::engine::{Context, Engine, NewEvent, ServiceError};
use super::principal::{SessionPrincipal, SessionView};
use crate::domain::event::EventName;
use crate::domain::id::{Generation, PublicId, Sid, TokenId};
use crate::domain::rotation::RotationRecord;
use crate::domain::secret::SecretString;
use crate::domain::session::{EndReason, Held, Liveness, Session};
use crate::domain::time::Timestamp;
use crate::domain::token::access::{self, AccessClaims, COOKIE_CLIENT};
use crate::domain::token::refresh;
use crate::domain::token::standing::Proven;
use crate::domain::user::User;
use crate::port::{Entropy, Notice, Opening, Outside, Store};

/// What a cookie holds besides its name: 4096 bytes in all (RFC 6265bis §5.6), 32 of them for the name.
const LONGEST_ACCESS_TOKEN: usize = 4064;

/// What is handed out for one generation.
#[derive(Debug)]
pub struct Tokens {
    /// Signed access token.
    pub access: SecretString,
    /// When it expires.
    pub access_expires_at: Timestamp,
    /// The generation's refresh token; none where the client keeps the one it has.
    pub refresh: Option<SecretString>,
    /// Which generation these are.
    pub generation: Generation,
}

/// A session was opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Proof of who it acts for.
    pub principal: Arc<SessionPrincipal>,
    /// What to hand out.
    pub tokens: Arc<Tokens>,
    /// As its owner may see it.
    pub view: SessionView,
}

/// A session was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The user has as many sessions as allowed (D14).
    #[error("too many sessions")]
    LimitReached,
    /// The user was disabled or everything was revoked beside the opening.
    #[error("user revoked")]
    Revoked,
    /// The engine cannot answer.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl<O: Outside> Engine<O> {
    /// Opens a session for a user who has just proved who they are by `amr`. Ids are always new: what a client sends is never adopted
    /// (D09). `replaces` is the session that the same browser held; it ends in the same step.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(
        &self,
        user: &User,
        amr: &[&str],
        replaces: Option<Sid>,
        context: &Context,
    ) -> Result<Opened, OpenError> {
        let now = self.now();
        let session = Session {
            sid: Sid::from_bytes(self.random16()),
            public_id: PublicId::from_random(self.random16()),
            user: user.id.clone(),
            epoch: user.epoch,
            master_key: self.keyring.current(),
            salt: self.outside.entropy().bytes(),
            created_at: now,
            auth_time: now,
            seen_at: now,
            expires_at: now.plus(self.policy.session.absolute_ttl),
            amr: amr.iter().map(|m| (*m).into()).collect(),
            scope: user.scope.clone(),
            device: context.device.clone(),
            rotation: RotationRecord::opened(now),
            ended: None,
        };
        let limit = self.policy.session_limit.map(|l| (l.max, l.end_oldest));
        let opening =
            self.outside.store().open_session(&session, replaces, limit).await.map_err(ServiceError::from)?;
        let (user, ended) = match opening {
            Opening::Opened { user, ended } => (user, ended),
            Opening::LimitReached => {
                let event = NewEvent::refused(EventName::AuthzFail, "session_limit").user(&user.id);
                self.record(event, context);
                return Err(OpenError::LimitReached);
            }
            Opening::NoUser => return Err(OpenError::Revoked),
        };
        for sid in replaces.into_iter().chain(ended.iter().copied()) {
            self.announce(Notice::SessionEnded { sid, at: now });
        }
        let held = Held { session, user };
        // Whatever raised the epoch beside us must win (P4).
        if let Liveness::Revoked(end) = held.liveness(&self.policy.session, now) {
            self.end(held.session.sid, end.reason).await.map_err(ServiceError::from)?;
            return Err(OpenError::Revoked);
        }
        if !ended.is_empty() {
            let detail = format!("{} older session(s) ended", ended.len());
            let event =
                NewEvent::done(EventName::TokenRevoked, EndReason::SessionLimit.as_str()).detail(&detail);
            self.record(self.about(&held, event), context);
        }
        self.record(self.about(&held, NewEvent::done(EventName::SessionCreated, "login")), context);
        let (principal, tokens) = self.mint(&held, now, true)?;
        if !self.still_stands(&principal) {
            // Revoked between the write and here: nothing is minted after revoke has returned (P4).
            return Err(OpenError::Revoked);
        }
        let view = SessionView::new(held, &self.policy.session);
        Ok(Opened { principal, tokens: Arc::new(tokens), view })
    }

    /// Makes the tokens of a session's current generation.
    pub(super) fn mint(
        &self,
        held: &Held,
        now: Timestamp,
        with_refresh: bool,
    ) -> Result<(Arc<SessionPrincipal>, Tokens), ServiceError> {
        let session = &held.session;
        let generation = session.rotation.current;
        let claims = AccessClaims {
            user: session.user.clone(),
            sid: session.sid,
            generation,
            epoch: session.epoch,
            // A user who lost a scope loses it at the next rotation; nobody gains one (D07).
            scope: session.scope.intersection(&held.user.scope),
            auth_time: session.auth_time,
            amr: session.amr.clone(),
            client: COOKIE_CLIENT.into(),
            id: TokenId::from_random(self.random16()),
            issued_at: Timestamp::from_secs(now.as_secs()),
            expires_at: Timestamp::from_secs(session.access_expiry(&self.policy.session, now).as_secs()),
        };
        let keys = self.active_keys();
        let access = self.sign(access::TYP, &access::to_json(&claims, &self.policy.access))?;
        // Browsers drop a longer cookie in silence, and the user would be signed out again at once (B11).
        if access.len() > LONGEST_ACCESS_TOKEN {
            let what = format!(
                "the access token has {} bytes and cookies hold {LONGEST_ACCESS_TOKEN}: the user has too many scopes",
                access.len()
            );
            return Err(ServiceError::Signing(what));
        }
        let refresh = if with_refresh {
            let token =
                refresh::derive(&self.keyring, session.master_key, session.sid, &session.salt, generation);
            Some(token.ok_or_else(|| ServiceError::Signing("the session's master secret is gone".into()))?)
        } else {
            None
        };
        let access_expires_at = claims.expires_at;
        let principal = Arc::new(SessionPrincipal::new(Proven::minted(claims), held));
        self.remember(Self::digest(&access), &principal, &keys);
        Ok((principal, Tokens { access: SecretString::new(access), access_expires_at, refresh, generation }))
    }
}
