//! What a token is worth now, told to a service that cannot tell by itself (RFC 7662, H02).

use std::net::IpAddr;
use std::sync::Arc;

use super::api_key::KeyError;
use super::engine::{Context, Engine, ServiceError};
use super::principal::SessionPrincipal;
use super::verify::VerifyError;
use crate::domain::api_key::HeldKey;
use crate::domain::device::Device;
use crate::domain::rotation::{Presented, Verdict, judge};
use crate::domain::session::{Held, Liveness};
use crate::domain::token::refresh::RefreshToken;
use crate::port::Outside;

/// What a token is worth.
#[derive(Clone, Debug)]
pub enum Introspected {
    /// Nothing: dead, unknown, of another environment, or noise. Which of these is nobody's business.
    Inactive,
    /// A good access token.
    Access(Arc<SessionPrincipal>),
    /// A refresh token that would be accepted now.
    Refresh(Box<Held>),
    /// An API key that works.
    ApiKey(Box<HeldKey>),
}

impl<O: Outside> Engine<O> {
    /// Looks at a token of any kind. `client` is the address of whoever presented it to the service that asks: without it a key
    /// with a list of addresses counts as dead, since nobody could say that the list was kept to.
    ///
    /// An access token or a key that a service was handed was used, and that is noted; nothing rotates.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn introspect(
        &self,
        token: &str,
        client: Option<IpAddr>,
        context: &Context,
    ) -> Result<Introspected, ServiceError> {
        if token.starts_with("csk_") {
            return self.introspect_key(token, client, context).await;
        }
        if token.starts_with("csr_") {
            return self.introspect_refresh(token).await;
        }
        match self.verify_access(token, context).await {
            Ok(principal) => Ok(Introspected::Access(principal)),
            Err(
                VerifyError::Refused(_)
                | VerifyError::Revoked
                | VerifyError::SessionExpired
                | VerifyError::Reused,
            ) => Ok(Introspected::Inactive),
            Err(VerifyError::Store(error)) => Err(error.into()),
        }
    }

    async fn introspect_key(
        &self,
        token: &str,
        client: Option<IpAddr>,
        context: &Context,
    ) -> Result<Introspected, ServiceError> {
        let held = match self.held_api_key(token, context).await {
            Ok(Some(held)) => held,
            Ok(None) | Err(KeyError::Token(_) | KeyError::Unknown | KeyError::Refused(_)) => {
                return Ok(Introspected::Inactive);
            }
            Err(KeyError::Store(error)) => return Err(error.into()),
        };
        let now = self.now();
        if self.judge_key(&held, client, now).is_err() {
            return Ok(Introspected::Inactive);
        }
        // Used from where its holder is, not from where the service that asks is.
        let user_agent = Box::default();
        let holder = Context { device: Device { ip: client, user_agent }, ..context.clone() };
        self.note_key_use(&held, now, &holder);
        Ok(Introspected::ApiKey(Box::new(held)))
    }

    /// By the verdict that a presentation would get now; nothing of it is written, so asking about a spent token ends nothing.
    async fn introspect_refresh(&self, token: &str) -> Result<Introspected, ServiceError> {
        let Ok(token) = RefreshToken::parse(token, self.environment()) else {
            return Ok(Introspected::Inactive);
        };
        let Some(mut held) = self.genuine_refresh(&token).await? else { return Ok(Introspected::Inactive) };
        let now = self.now();
        let session = &mut held.session;
        self.memory.overlay(session.sid, &mut session.rotation, &mut session.seen_at);
        let generation = token.authenticate(&self.keyring, session.master_key, &session.salt);
        let lives = !self.memory.knows_ended(session.sid)
            && held.liveness(&self.policy.session, now) == Liveness::Live;
        let Some(generation) = generation.filter(|_| lives) else { return Ok(Introspected::Inactive) };
        let presented = Presented::from_jar(generation);
        match judge(&self.policy.rotation, &held.session.rotation, presented, now) {
            Verdict::Deny | Verdict::Reuse => Ok(Introspected::Inactive),
            Verdict::Keep { .. }
            | Verdict::Rotate { .. }
            | Verdict::Replay { .. }
            | Verdict::Reissue { .. }
            | Verdict::Heal { .. } => Ok(Introspected::Refresh(Box::new(held))),
        }
    }
}
