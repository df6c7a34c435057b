//! Principals: proof that a credential was verified. Only [`Verifier`](crate::Verifier) makes one.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::domain::id::{PublicId, UserId};
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::time::Timestamp;

use crate::feed::Subject;
use crate::problem::Problem;

/// How a request said who it acts for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Credential {
    /// `Authorization: Bearer` with an access token.
    AccessToken,
    /// `Countersign-Assertion`, from the gateway or from a service behind it.
    Assertion,
}

/// Who a verified request acts for. Cheap to clone.
///
/// As an extractor of axum it refuses with 401 `token_missing` where nobody is signed in (on optional routes); `Option<Principal>`
/// is `None` there.
#[derive(Clone, Debug)]
pub struct Principal(Arc<Verified>);

#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) credential: Credential,
    pub(crate) user: UserId,
    pub(crate) session: Option<PublicId>,
    pub(crate) api_key: Option<PublicId>,
    pub(crate) client: Option<Box<str>>,
    pub(crate) email: Option<Box<str>>,
    pub(crate) scope: ScopeSet,
    pub(crate) auth_time: Option<Timestamp>,
    pub(crate) amr: Vec<Box<str>>,
    pub(crate) expires_at: Timestamp,
    pub(crate) verified_at: Timestamp,
    /// What the revocation feed would call it; none for assertions.
    pub(crate) subject: Option<Subject>,
}

impl Principal {
    pub(crate) fn new(verified: Verified) -> Self {
        Self(Arc::new(verified))
    }

    pub(crate) fn subject(&self) -> Option<&Subject> {
        self.0.subject.as_ref()
    }

    /// The user: `sub`, opaque and stable. The key for tables of your own, together with the issuer; never the address (A21).
    #[must_use]
    pub fn user(&self) -> &str {
        self.0.user.as_str()
    }

    /// The session's public id, for logs; assertions only. It grants nothing.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.0.session.as_ref().map(PublicId::as_str)
    }

    /// The public id of the API key that asked, where one did.
    #[must_use]
    pub fn api_key(&self) -> Option<&str> {
        self.0.api_key.as_ref().map(PublicId::as_str)
    }

    /// The client that the token was issued to; access tokens only.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        self.0.client.as_deref()
    }

    /// The address, only if somebody vouched for it; assertions only.
    #[must_use]
    pub fn verified_email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// What the principal may do.
    #[must_use]
    pub fn scope(&self) -> &ScopeSet {
        &self.0.scope
    }

    /// When the user proved who they are; `None` for an API key.
    #[must_use]
    pub fn auth_time(&self) -> Option<Timestamp> {
        self.0.auth_time
    }

    /// How they did (RFC 8176).
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        self.0.amr.iter().map(|method| &**method)
    }

    /// When the credential expires; not when the session ends.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.0.expires_at
    }

    /// How the request said so.
    #[must_use]
    pub fn credential(&self) -> Credential {
        self.0.credential
    }

    /// Goes on only with a scope: `principal.require("orders:write")?`. Several are separated by spaces; all are needed.
    ///
    /// # Errors
    /// 403 `insufficient_scope`. So does a name that is no scope: nobody has it.
    pub fn require(&self, scope: &str) -> Result<(), Problem> {
        match ScopeSet::parse(scope) {
            Ok(wanted) if !wanted.is_empty() && self.0.scope.covers(&wanted) => Ok(()),
            _ => Err(Problem::insufficient_scope(scope)),
        }
    }

    /// Goes on only if the user proved who they are within `max_age` (D13).
    ///
    /// # Errors
    /// 401 `step_up_required` with the challenge of RFC 9470.
    pub fn require_recent(&self, max_age: Duration) -> Result<(), Problem> {
        match self.0.auth_time {
            Some(at) if self.0.verified_at.since(at) <= max_age => Ok(()),
            _ => Err(Problem::step_up(max_age)),
        }
    }
}
