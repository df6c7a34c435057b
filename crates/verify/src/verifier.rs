//! One call that cannot be half used: credential in, proof out.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::domain::environment::Environment;
use countersign_core::domain::id::Epoch;
use countersign_core::domain::secret::SecretString;
use countersign_core::domain::token::access::{self, AccessProfile};
use countersign_core::domain::token::assertion::{self, AssertionProfile};
use countersign_core::domain::token::jws::{JwsRefusal, KeySet};
use countersign_core::domain::token::refusal::TokenRefusal;
use countersign_core::domain::token::standing::Standing;
use countersign_core::domain::token::trust::Trusted;
use http::HeaderMap;
use tokio::task::AbortHandle;

use crate::config::{Builder, Clock};
use crate::credential::{Accepts, Presented};
use crate::feed::{self, Feed, Heard, Subject};
use crate::fetch::Door;
use crate::keys::{KeyTimes, Keys};
use crate::layer::VerifyLayer;
use crate::principal::{Credential, Principal, Verified};
use crate::refusal::Refusal;

/// Verifies what requests present. Clones share keys and revocations; the background work ends with the last one.
#[derive(Clone, Debug)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    access: AccessProfile,
    assertion: AssertionProfile,
    accepts: Accepts,
    keys: Arc<Keys>,
    feed: Option<Arc<Feed>>,
    clock: Clock,
    tasks: Vec<AbortHandle>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("issuer", &self.access.issuer)
            .field("audience", &self.access.audience)
            .finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A checked configuration.
pub(crate) struct Parts {
    pub(crate) issuer: Box<str>,
    pub(crate) environment: Environment,
    pub(crate) audience: Vec<Box<str>>,
    pub(crate) accepts: Accepts,
    pub(crate) leeway: Duration,
    pub(crate) max_staleness: Duration,
    pub(crate) keys: KeyTimes,
    pub(crate) door: Door,
    pub(crate) key: Option<SecretString>,
    pub(crate) clock: Clock,
}

impl Verifier {
    /// Describes a verifier for the tokens of `issuer` (the `public_url` of Countersign) in `environment`, both as configured there.
    pub fn builder(issuer: &str, environment: &str) -> Builder {
        Builder::new(issuer, environment)
    }

    pub(crate) fn spawn(parts: Parts) -> Self {
        let keys = Arc::new(Keys::new(parts.door.clone(), parts.keys));
        let feed = parts
            .key
            .map(|key| Arc::new(Feed::new(parts.door, key, parts.issuer.clone(), parts.max_staleness)));
        let mut tasks = vec![tokio::spawn(Arc::clone(&keys).follow()).abort_handle()];
        if let Some(feed) = &feed {
            tasks.push(tokio::spawn(feed::follow(Arc::clone(feed))).abort_handle());
        }
        let access = AccessProfile {
            issuer: parts.issuer.clone(),
            audience: parts.audience.clone(),
            environment: parts.environment.clone(),
            leeway: parts.leeway,
        };
        let assertion = AssertionProfile {
            audience: parts.audience,
            environment: parts.environment,
            leeway: parts.leeway,
        };
        Self(Arc::new(Inner {
            access,
            assertion,
            accepts: parts.accepts,
            keys,
            feed,
            clock: parts.clock,
            tasks,
        }))
    }

    /// A tower layer that lets only verified requests through.
    #[must_use]
    pub fn layer(&self) -> VerifyLayer {
        VerifyLayer::new(self.clone())
    }

    /// Whether requests can be judged now: keys are there, and the revocation feed (if any) is fresh. For health checks.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.keys.current().is_some() && self.0.feed.as_ref().is_none_or(|feed| feed.is_fresh())
    }

    /// Waits until [`Verifier::is_ready`]; for ever, if the issuer never answers.
    pub async fn ready(&self) {
        while !self.is_ready() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Verifies the one credential of a request.
    ///
    /// # Errors
    /// [`Refusal`]; [`Problem`](crate::Problem) says what the client is told.
    pub async fn verify_headers(&self, headers: &HeaderMap) -> Result<Principal, Refusal> {
        let Presented { credential, token } = self.0.accepts.find(headers)?;
        match credential {
            Credential::AccessToken => self.access_token(token).await,
            Credential::Assertion => self.assertion(token).await,
        }
    }

    /// Verifies an access token: kind, key, signature, issuer, audience, environment, purpose, times, and that its session, user and
    /// generation were not revoked.
    ///
    /// # Errors
    /// [`Refusal`]; also for every access token if they are not accepted here.
    pub async fn verify_access_token(&self, token: &str) -> Result<Principal, Refusal> {
        if self.0.accepts.access_tokens {
            self.access_token(token).await
        } else {
            Err(TokenRefusal::Purpose.into())
        }
    }

    /// Verifies an assertion: kind, key, signature, issuer, audience, environment, purpose, times. It lives 60 s and carries no session
    /// id, so the feed cannot speak of it: an ended session is good for those 60 s more.
    ///
    /// # Errors
    /// [`Refusal`]; also for every assertion if they are not accepted here.
    pub async fn verify_assertion(&self, token: &str) -> Result<Principal, Refusal> {
        if self.0.accepts.assertions {
            self.assertion(token).await
        } else {
            Err(TokenRefusal::Purpose.into())
        }
    }

    /// Whether a principal may still act: to be asked from time to time on connections that outlive their request (WebSocket, event
    /// streams). The credential's own expiry does not end them, its session's end does (design §6). An assertion stands as long as its
    /// connection: the gateway ends that with the session.
    #[must_use]
    pub fn still_stands(&self, principal: &Principal) -> bool {
        match (principal.subject(), &self.0.feed) {
            (Some(subject), Some(feed)) => feed.heard_of(subject) == Heard::Nothing,
            _ => true,
        }
    }

    async fn access_token(&self, token: &str) -> Result<Principal, Refusal> {
        let (profile, now) = (&self.0.access, (self.0.clock)());
        let statement = self.by_key(|trusted| access::check(token, profile, trusted, now)).await?;
        let subject = Subject::of(&statement.subject());
        let standing = match self.0.feed.as_ref().map(|feed| feed.heard_of(&subject)) {
            // Nothing against it, or by choice nobody to ask.
            None | Some(Heard::Nothing) => Standing::Live { epoch: Epoch(0) },
            Some(Heard::Revoked) => Standing::Revoked,
            Some(Heard::Stale) => return Err(Refusal::Stale),
        };
        let proven = statement.stands(standing)?;
        let claims = proven.claims().clone();
        Ok(Principal::new(Verified {
            credential: Credential::AccessToken,
            user: claims.user,
            session: None,
            api_key: None,
            client: Some(claims.client),
            email: None,
            scope: claims.scope,
            auth_time: Some(claims.auth_time),
            amr: claims.amr,
            expires_at: claims.expires_at,
            verified_at: now,
            subject: Some(subject),
        }))
    }

    async fn assertion(&self, token: &str) -> Result<Principal, Refusal> {
        let (profile, now) = (&self.0.assertion, (self.0.clock)());
        let claims = self.by_key(|trusted| assertion::verify(token, profile, trusted, now)).await?;
        Ok(Principal::new(Verified {
            credential: Credential::Assertion,
            user: claims.user,
            session: claims.session,
            api_key: claims.api_key,
            client: None,
            email: claims.email,
            scope: claims.scope,
            auth_time: claims.auth_time,
            amr: claims.amr,
            expires_at: claims.expires_at,
            verified_at: now,
            subject: None,
        }))
    }

    /// Verifies with the keys at hand, and once more with newer ones if the key is not among them.
    async fn by_key<T>(
        &self,
        verify: impl Fn(&Trusted<'_>) -> Result<T, TokenRefusal>,
    ) -> Result<T, Refusal> {
        let with = |keys: &KeySet| verify(&Trusted::only(&self.0.access.issuer, keys));
        let at_hand = self.0.keys.current();
        match at_hand.as_deref().map(with) {
            None | Some(Err(TokenRefusal::Jws(JwsRefusal::UnknownKey))) => {}
            Some(outcome) => return Ok(outcome?),
        }
        let newer = self.0.keys.newer(at_hand.as_ref()).await.ok_or(Refusal::NoKeys)?;
        Ok(with(&newer)?)
    }
}
