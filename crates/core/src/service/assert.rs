//! Assertions for upstreams (design §4, K02).

use std::sync::Arc;

use super::engine::{Engine, ServiceError};
use super::principal::Principal;
use crate::domain::id::{PublicId, Sid, TokenId};
use crate::domain::time::Timestamp;
use crate::domain::token::assertion::{self, AssertionClaims};
use crate::port::Outside;

/// An upstream as an audience: its name and those it forwards to.
#[derive(Clone, Debug)]
pub struct Audience {
    /// Position in the configuration, to tell upstreams apart cheaply.
    pub index: u32,
    /// Names for the claim `aud`.
    pub names: Vec<Box<str>>,
}

impl Audience {
    /// The upstream's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.names.first().map_or("", |name| name)
    }
}

/// Same access token, same upstream: same claims.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct AssertionKey {
    sid: Sid,
    generation: u32,
    issued_at: Timestamp,
    upstream: u32,
}

#[derive(Debug)]
pub(super) struct Made {
    at: Timestamp,
    token: Arc<str>,
}

impl<O: Outside> Engine<O> {
    /// The assertion for a principal and an upstream; one made within the last 30 s is used again.
    ///
    /// # Errors
    /// [`ServiceError::Signing`].
    pub fn assertion(&self, principal: &Principal, audience: &Audience) -> Result<Arc<str>, ServiceError> {
        let session = match principal {
            Principal::Session(session) => session,
            // What a key may do is decided anew on each request, so nothing is reused; other issuers' tokens are rare.
            Principal::ApiKey(_) | Principal::Foreign(_) => {
                return Ok(self.assert(principal, audience, self.now())?.into());
            }
        };
        let now = self.now();
        let claims = session.claims();
        let key = AssertionKey {
            sid: claims.sid,
            generation: claims.generation.0,
            issued_at: claims.issued_at,
            upstream: audience.index,
        };
        if let Some(made) = self.assertions.get(&key)
            && now >= made.at
            && now.since(made.at) < assertion::REUSE
        {
            return Ok(Arc::clone(&made.token));
        }
        let keys = self.active_keys();
        let token: Arc<str> = self.assert(principal, audience, now)?.into();
        self.assertions.insert(key, Arc::new(Made { at: now, token: Arc::clone(&token) }));
        if !Arc::ptr_eq(&keys, &self.active_keys()) {
            // Its key may have been revoked meanwhile.
            self.assertions.remove(&key);
        }
        Ok(token)
    }

    fn assert(
        &self,
        principal: &Principal,
        audience: &Audience,
        now: Timestamp,
    ) -> Result<String, ServiceError> {
        let key = match principal {
            Principal::Session(_) | Principal::Foreign(_) => None,
            Principal::ApiKey(key) => Some(key.id().to_string()),
        };
        let (iat, exp) = assertion::times(now);
        let jti = TokenId::from_random(self.random16());
        let email = principal.verified_email().map(|e| e.as_str());
        let claims = AssertionClaims {
            iss: &self.policy.access.issuer,
            sub: principal.user().as_str(),
            aud: &audience.names,
            exp,
            iat,
            jti: jti.as_str(),
            session: principal.session().map(PublicId::as_str),
            api_key: key.as_deref(),
            env: self.environment().as_str(),
            purpose: assertion::PURPOSE,
            scope: principal.scope().to_string(),
            auth_time: principal.auth_time().map(Timestamp::as_secs),
            amr: principal.methods(),
            email,
            email_verified: email.map(|_| true),
        };
        self.sign(assertion::TYP, &claims)
    }
}
