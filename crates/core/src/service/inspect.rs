//! What a token is worth now, told to an operator who found one, without using it: nothing is noted, nothing rotates, and
//! asking about a stolen one ends nothing.

use super::engine::{Engine, ServiceError};
use crate::domain::api_key::{AddressList, ApiKeyId};
use crate::domain::id::{PublicId, UserId};
use crate::domain::rotation::{Presented, Verdict, judge};
use crate::domain::scope::ScopeSet;
use crate::domain::session::Liveness;
use crate::domain::time::Timestamp;
use crate::domain::token::access;
use crate::domain::token::api_key::ApiKeyToken;
use crate::domain::token::refresh::RefreshToken;
use crate::domain::token::trust::Trusted;
use crate::port::{Outside, Store};

/// What a token that works is worth.
#[derive(Clone, Debug)]
pub struct Worth {
    /// Whose it is.
    pub user: UserId,
    /// What it may do.
    pub scope: ScopeSet,
    /// Until when, at the latest.
    pub expires_at: Timestamp,
    /// Of which session.
    pub session: Option<PublicId>,
    /// Which API key it is, and from where it works.
    pub key: Option<(ApiKeyId, AddressList)>,
}

impl<O: Outside> Engine<O> {
    /// Looks at an access token, a refresh token or an API key. `None` for one that is dead, unknown, noise, or of another
    /// environment or issuer.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn inspect(&self, token: &str) -> Result<Option<Worth>, ServiceError> {
        if let Ok(key) = ApiKeyToken::parse(token, self.environment()) {
            return self.inspect_key(&key).await;
        }
        if let Ok(refresh) = RefreshToken::parse(token, self.environment()) {
            return self.inspect_refresh(&refresh).await;
        }
        self.inspect_access(token).await
    }

    async fn inspect_key(&self, token: &ApiKeyToken) -> Result<Option<Worth>, ServiceError> {
        let found = self.outside.store().api_key(token.id()).await?;
        let Some(held) = found.filter(|held| token.matches(&held.key.hash)) else { return Ok(None) };
        // From where it is used plays no part: who found it has to know that it works somewhere.
        let anywhere = held.key.addresses.iter().next().map(ipnet::IpNet::addr);
        if self.judge_key(&held, anywhere, self.now()).is_err() {
            return Ok(None);
        }
        let scope = held.scope();
        let key = held.key;
        Ok(Some(Worth {
            user: key.owner,
            scope,
            expires_at: key.expires_at,
            session: None,
            key: Some((key.id, key.addresses)),
        }))
    }

    async fn inspect_refresh(&self, token: &RefreshToken) -> Result<Option<Worth>, ServiceError> {
        let Some(mut held) = self.genuine_refresh(token).await? else { return Ok(None) };
        let now = self.now();
        let session = &mut held.session;
        self.memory.overlay(session.sid, &mut session.rotation, &mut session.seen_at);
        let generation = token.authenticate(&self.keyring, session.master_key, &session.salt);
        let lives = !self.memory.knows_ended(session.sid)
            && held.liveness(&self.policy.session, now) == Liveness::Live;
        let Some(generation) = generation.filter(|_| lives) else { return Ok(None) };
        let verdict =
            judge(&self.policy.rotation, &held.session.rotation, Presented::from_jar(generation), now);
        if matches!(verdict, Verdict::Deny | Verdict::Reuse) {
            return Ok(None);
        }
        let session = &held.session;
        Ok(Some(Worth {
            scope: session.scope.intersection(&held.user.scope),
            // The owner's visits put the idle limit off, and so do a thief's.
            expires_at: session.expires_at,
            user: session.user.clone(),
            session: Some(session.public_id.clone()),
            key: None,
        }))
    }

    async fn inspect_access(&self, token: &str) -> Result<Option<Worth>, ServiceError> {
        let keys = self.active_keys();
        let trusted = Trusted::only(&self.policy.access.issuer, &keys.verifying);
        let Ok(statement) = access::check(token, &self.policy.access, &trusted, self.now()) else {
            return Ok(None);
        };
        let subject = statement.subject();
        let (standing, held) = self.stored(&subject).await?;
        let stands = subject.judge(standing).is_ok() && subject.judge(self.remembered(&subject)).is_ok();
        let Some(held) = held.filter(|_| stands) else { return Ok(None) };
        let Ok(proven) = statement.stands(standing) else { return Ok(None) };
        let claims = proven.into_claims();
        Ok(Some(Worth {
            user: claims.user,
            scope: claims.scope,
            expires_at: claims.expires_at,
            session: Some(held.session.public_id),
            key: None,
        }))
    }
}
