//! Principals: proof that a credential was verified. Only [`super::Engine`] makes one (style rule 9).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::domain::api_key::{ApiKeyId, HeldKey};
use crate::domain::id::{Epoch, PublicId, UserId};
use crate::domain::scope::ScopeSet;
use crate::domain::session::{Held, SessionPolicy};
use crate::domain::time::Timestamp;
use crate::domain::token::access::AccessClaims;
use crate::domain::token::standing::{Proven, Subject};
use crate::domain::token::trust;
use crate::domain::user::Email;

/// Who a verified request acts for.
///
/// What only a session may do takes a [`SessionPrincipal`]: a key can neither sign in nor mint keys nor change
/// credentials, because nothing makes one of it (G06).
#[derive(Clone, Debug)]
pub enum Principal {
    /// A user, by an access token of a session.
    Session(Arc<SessionPrincipal>),
    /// A user, by an API key.
    ApiKey(Arc<KeyPrincipal>),
    /// A user of another issuer that the configuration trusts (A04): no session of ours stands behind it.
    Foreign(Arc<ForeignPrincipal>),
}

impl Principal {
    /// The user: `sub`. Of a key, its owner.
    #[must_use]
    pub fn user(&self) -> &UserId {
        match self {
            Self::Session(session) => session.user(),
            Self::ApiKey(key) => key.owner(),
            Self::Foreign(foreign) => &foreign.claims().user,
        }
    }

    /// What the principal may do.
    #[must_use]
    pub fn scope(&self) -> &ScopeSet {
        match self {
            Self::Session(session) => session.scope(),
            Self::ApiKey(key) => key.scope(),
            Self::Foreign(foreign) => &foreign.claims().scope,
        }
    }

    /// The user's address, only if somebody vouched for it.
    #[must_use]
    pub fn verified_email(&self) -> Option<&Email> {
        match self {
            Self::Session(session) => session.verified_email(),
            Self::ApiKey(key) => key.email.as_ref(),
            // Whom another issuer vouches for, nobody here does (A21).
            Self::Foreign(_) => None,
        }
    }

    /// The session's public id; a key has no session.
    #[must_use]
    pub fn session(&self) -> Option<&PublicId> {
        match self {
            Self::Session(session) => Some(session.session()),
            Self::ApiKey(_) => None,
            Self::Foreign(foreign) => Some(&foreign.session),
        }
    }

    /// When the user last proved who they are. With a key nobody did.
    #[must_use]
    pub fn auth_time(&self) -> Option<Timestamp> {
        match self {
            Self::Session(session) => Some(session.claims().auth_time),
            Self::ApiKey(_) => None,
            Self::Foreign(foreign) => Some(foreign.claims().auth_time),
        }
    }

    /// How the user proved who they are (`amr`). With a key nobody did.
    #[must_use]
    pub fn methods(&self) -> Option<&[Box<str>]> {
        match self {
            Self::Session(session) => Some(&session.claims().amr),
            Self::ApiKey(_) => None,
            Self::Foreign(foreign) => Some(&foreign.claims().amr),
        }
    }

    /// When it certainly ends. Of another issuer's session nobody here knows more than its token says.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        match self {
            Self::Session(session) => session.session_expires_at(),
            Self::ApiKey(key) => key.expires_at(),
            Self::Foreign(foreign) => foreign.claims().expires_at,
        }
    }
}

/// A request of an API key: alone, without a session.
#[derive(Debug)]
pub struct KeyPrincipal {
    id: ApiKeyId,
    owner: UserId,
    email: Option<Email>,
    epoch: Epoch,
    scope: ScopeSet,
    expires_at: Timestamp,
}

impl KeyPrincipal {
    pub(super) fn new(held: HeldKey) -> Self {
        let scope = held.scope();
        let HeldKey { key, owner } = held;
        Self {
            id: key.id,
            owner: key.owner,
            email: owner.email_verified.then_some(owner.email),
            epoch: owner.epoch,
            scope,
            expires_at: key.expires_at,
        }
    }

    /// The key's public id.
    #[must_use]
    pub const fn id(&self) -> ApiKeyId {
        self.id
    }

    /// For whom it acts.
    #[must_use]
    pub const fn owner(&self) -> &UserId {
        &self.owner
    }

    /// What it may do now.
    #[must_use]
    pub const fn scope(&self) -> &ScopeSet {
        &self.scope
    }

    /// From then on it is dead.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    pub(super) const fn epoch(&self) -> Epoch {
        self.epoch
    }
}

/// A request with another issuer's access token.
#[derive(Debug)]
pub struct ForeignPrincipal {
    proven: Proven,
    session: PublicId,
}

impl ForeignPrincipal {
    /// `None` for a token of the home issuer: that has a session here, and takes the way that asks for it.
    pub(super) fn new(proven: Proven) -> Option<Self> {
        let session = trust::session_of(proven.foreign_issuer()?, &proven.claims().sid);
        Some(Self { proven, session })
    }

    /// The verified claims; the user is called by the name that they have here.
    #[must_use]
    pub const fn claims(&self) -> &AccessClaims {
        self.proven.claims()
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        self.proven.subject()
    }
}

/// A user's verified session.
#[derive(Debug)]
pub struct SessionPrincipal {
    proven: Proven,
    session: PublicId,
    email: Email,
    email_verified: bool,
    session_expires_at: Timestamp,
    /// When a use was last noted, in milliseconds: at most once a minute (design §5 "Idle").
    noted_at: AtomicI64,
    /// Whether the first use of this token is news: nobody has yet seen its generation in use.
    unconfirmed: AtomicBool,
}

impl SessionPrincipal {
    pub(super) fn new(proven: Proven, held: &Held) -> Self {
        let rotation = &held.session.rotation;
        // A session that never rotated has no predecessor whose owner could be told apart by a confirmation.
        let unconfirmed = rotation.current == proven.claims().generation
            && rotation.from.is_some()
            && rotation.confirmed_at.is_none();
        Self {
            proven,
            session: held.session.public_id.clone(),
            email: held.user.email.clone(),
            email_verified: held.user.email_verified,
            session_expires_at: held.session.expires_at,
            noted_at: AtomicI64::new(held.session.seen_at.as_millis()),
            unconfirmed: AtomicBool::new(unconfirmed),
        }
    }

    /// The verified claims.
    #[must_use]
    pub const fn claims(&self) -> &AccessClaims {
        self.proven.claims()
    }

    /// What to look up when the session must still stand.
    pub(super) fn subject(&self) -> Subject<'_> {
        self.proven.subject()
    }

    /// The user: `sub`.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        &self.claims().user
    }

    /// The session's public id.
    #[must_use]
    pub const fn session(&self) -> &PublicId {
        &self.session
    }

    /// The account name.
    #[must_use]
    pub const fn email(&self) -> &Email {
        &self.email
    }

    /// The address, only if somebody vouched for it.
    #[must_use]
    pub const fn verified_email(&self) -> Option<&Email> {
        if self.email_verified { Some(&self.email) } else { None }
    }

    /// What the principal may do.
    #[must_use]
    pub const fn scope(&self) -> &ScopeSet {
        &self.claims().scope
    }

    /// The session's absolute deadline.
    #[must_use]
    pub const fn session_expires_at(&self) -> Timestamp {
        self.session_expires_at
    }

    /// Whether this is the first use of an unconfirmed generation. True once.
    pub(super) fn take_unconfirmed(&self) -> bool {
        self.unconfirmed.load(Ordering::Relaxed) && self.unconfirmed.swap(false, Ordering::Relaxed)
    }

    /// Whether a use at `now` should be noted; at most once a minute.
    pub(super) fn should_note(&self, now: Timestamp) -> bool {
        let last = self.noted_at.load(Ordering::Relaxed);
        now.as_millis() - last >= 60_000
            && self
                .noted_at
                .compare_exchange(last, now.as_millis(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

/// A session as its owner may see it: design §7 "Session body".
#[derive(Clone, Debug)]
pub struct SessionView {
    /// The session and its user.
    pub held: Held,
    /// When it ends if nobody uses it.
    pub idle_expires_at: Timestamp,
}

impl SessionView {
    pub(super) fn new(held: Held, policy: &SessionPolicy) -> Self {
        let idle_expires_at = held.session.idle_expires_at(policy);
        Self { held, idle_expires_at }
    }
}
