//! Opening sessions and making their tokens.

use std::sync::Arc;

use super::engine::{Context, Engine, NewEvent, ServiceError};
use super::principal::{SessionPrincipal, SessionView};
use crate::domain::client::Client;
use crate::domain::device::Device;
use crate::domain::event::EventName;
use crate::domain::id::{Generation, PublicId, Sid, TokenId};
use crate::domain::rotation::RotationRecord;
use crate::domain::scope::ScopeSet;
use crate::domain::secret::SecretString;
use crate::domain::session::{EndReason, Held, Liveness, Session};
use crate::domain::time::Timestamp;
use crate::domain::token::access::{self, AccessClaims, AccessProfile, COOKIE_CLIENT};
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

/// A session to open for a user who has proved who they are.
#[derive(Debug)]
pub(super) struct NewSession<'a> {
    pub(super) user: &'a User,
    /// How the user proved it.
    pub(super) amr: &'a [&'a str],
    /// When, if not now. The absolute deadline counts from there: an old login does not become young by a new session.
    pub(super) auth_time: Option<Timestamp>,
    /// The session that the same browser held; it ends in the same step.
    pub(super) replaces: Option<Sid>,
    /// When it ends at the latest, if that is before the absolute deadline.
    pub(super) until: Option<Timestamp>,
    /// For whom, if not for cookies alone.
    pub(super) client: Option<&'a Client>,
    /// What it may do at most.
    pub(super) scope: Option<&'a ScopeSet>,
    /// The device that will hold it, if that is not the one that asks.
    pub(super) device: Option<&'a Device>,
    /// Why, for the event.
    pub(super) reason: &'a str,
}

impl<'a> NewSession<'a> {
    /// By a login here and now, for cookies.
    pub(super) const fn login(user: &'a User, amr: &'a [&'a str]) -> Self {
        Self {
            user,
            amr,
            auth_time: None,
            replaces: None,
            until: None,
            client: None,
            scope: None,
            device: None,
            reason: "login",
        }
    }
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
    /// Opens a session in cookies for a user who has just proved who they are by `amr`. `replaces` is the session that the same
    /// browser held; it ends in the same step.
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
        self.open_session(&NewSession { replaces, ..NewSession::login(user, amr) }, context).await
    }

    /// Opens a session. Ids are always new: what a client sends is never adopted (D09).
    pub(super) async fn open_session(
        &self,
        new: &NewSession<'_>,
        context: &Context,
    ) -> Result<Opened, OpenError> {
        let NewSession { user, replaces, client, .. } = *new;
        let now = self.now();
        let auth_time = new.auth_time.map_or(now, |at| at.min(now));
        let limits = [client.and_then(|c| c.scope.as_ref()), new.scope];
        let scope = limits.into_iter().flatten().fold(user.scope.clone(), |all, most| all.intersection(most));
        let deadline = auth_time.plus(self.policy.session.absolute_ttl);
        let session = Session {
            sid: Sid::from_bytes(self.random16()),
            public_id: PublicId::from_random(self.random16()),
            user: user.id.clone(),
            epoch: user.epoch,
            master_key: self.keyring.current(),
            salt: self.outside.entropy().bytes(),
            created_at: now,
            auth_time,
            seen_at: now,
            expires_at: new.until.map_or(deadline, |until| until.min(deadline)),
            amr: new.amr.iter().map(|m| (*m).into()).collect(),
            scope,
            client: client.map(|c| c.id.clone()),
            device: new.device.unwrap_or(&context.device).clone(),
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
        self.record(self.about(&held, NewEvent::done(EventName::SessionCreated, new.reason)), context);
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
        let client = session.client.as_ref().and_then(|id| self.policy.clients.find(id));
        let scope = session.scope.intersection(&held.user.scope);
        let claims = AccessClaims {
            user: session.user.clone(),
            sid: session.sid,
            generation,
            epoch: session.epoch,
            // A user or a client who lost a scope loses it at the next rotation; nobody gains one (D07).
            scope: match client.and_then(|c| c.scope.as_ref()) {
                Some(most) => scope.intersection(most),
                None => scope,
            },
            auth_time: session.auth_time,
            amr: session.amr.clone(),
            client: session.client.as_ref().map_or(COOKIE_CLIENT, |id| id.as_str()).into(),
            id: TokenId::from_random(self.random16()),
            issued_at: Timestamp::from_secs(now.as_secs()),
            expires_at: Timestamp::from_secs(session.access_expiry(&self.policy.session, now).as_secs()),
        };
        let keys = self.active_keys();
        // A client's audience is part of what we accept ourselves; the configuration sees to it (D07).
        let narrowed = client
            .and_then(|c| c.audience.clone())
            .map(|audience| AccessProfile { audience, ..self.policy.access.clone() });
        let profile = narrowed.as_ref().unwrap_or(&self.policy.access);
        let access = self.sign(access::TYP, &access::to_json(&claims, profile))?;
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
