//! Sessions that an application opens for users whom it logged in itself (design §7 `POST /auth/sessions`).
//!
//! A key that may do this acts as everybody. So the application says who it is by an id, by an address that both sides have
//! verified, or by (issuer, subject); never by an address alone, which somebody else may have claimed (A21).

use super::engine::{Context, Engine, NewEvent, ServiceError};
use super::open::{NewSession, OpenError, Opened};
use super::principal::KeyPrincipal;
use crate::domain::device::Device;
use crate::domain::event::EventName;
use crate::domain::id::UserId;
use crate::domain::identity::Identity;
use crate::domain::scope::ScopeSet;
use crate::domain::time::Timestamp;
use crate::domain::user::{Email, User};
use crate::port::{Identified, NewUser, Outside, Store};

/// Who logged in.
#[derive(Debug)]
pub enum NamedUser {
    /// By our id.
    Id(UserId),
    /// By an address that the application has verified. Only an account whose address we know to be verified too is meant.
    VerifiedEmail(Email),
    /// As another system names them, with the address for a new account.
    Identity(Identity, Option<Email>),
}

/// A session to open.
#[derive(Debug)]
pub struct OpenFor {
    /// For whom.
    pub user: NamedUser,
    /// How the user proved it (RFC 8176 values).
    pub amr: Vec<Box<str>>,
    /// When, if not now.
    pub auth_time: Option<Timestamp>,
    /// What it may do at most.
    pub scope: Option<ScopeSet>,
    /// The browser that will hold it.
    pub device: Device,
}

/// No session was opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenForError {
    /// There is no such user, the address is not verified here, or the user is disabled: one answer for all.
    #[error("no such user")]
    NoUser,
    /// The issuer is not one of `open_sessions.issuers`.
    #[error("issuer not listed")]
    Issuer,
    /// The user is new here, and came without an address for the account.
    #[error("a new user needs an address")]
    EmailMissing,
    /// The user is new here, and the address is another user's.
    #[error("address taken")]
    EmailTaken,
    /// The login lies in the future, or so far back that a session would have ended.
    #[error("auth_time")]
    AuthTime,
    /// The session could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The engine cannot answer.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl<O: Outside> Engine<O> {
    /// Opens a session in cookies, as the application of a key asks.
    ///
    /// # Errors
    /// [`OpenForError`].
    pub async fn open_for(
        &self,
        key: &KeyPrincipal,
        request: &OpenFor,
        context: &Context,
    ) -> Result<Opened, OpenForError> {
        let (now, policy) = (self.now(), &self.policy);
        if let Some(at) = request.auth_time
            && (at > now.plus(policy.session.leeway) || at.plus(policy.session.absolute_ttl) <= now)
        {
            return Err(OpenForError::AuthTime);
        }
        let id = key.id().to_string();
        let user = match self.named(&request.user, context).await {
            Ok(user) => user,
            Err(error) => {
                let event = NewEvent::refused(EventName::AuthzFail, "open_session_for_nobody");
                self.record(event.user(key.owner()).detail(&id), context);
                return Err(error);
            }
        };
        let most = match (&request.scope, &policy.applications.scope) {
            (Some(asked), Some(most)) => Some(asked.intersection(most)),
            (asked, most) => asked.clone().or_else(|| most.clone()),
        };
        let amr: Vec<&str> = request.amr.iter().map(|word| &**word).collect();
        let new = NewSession {
            auth_time: request.auth_time,
            scope: most.as_ref(),
            device: Some(&request.device),
            reason: "by_application",
            ..NewSession::login(&user, &amr)
        };
        let opened = self.open_session(&new, context).await?;
        let event = NewEvent::done(EventName::LoginSuccess, "by_application").user(&user.id).detail(&id);
        self.record(event.session(&opened.view.held.session.public_id), context);
        Ok(opened)
    }

    async fn named(&self, named: &NamedUser, context: &Context) -> Result<User, OpenForError> {
        let store = self.outside.store();
        let found = match named {
            NamedUser::Id(id) => store.user(id).await.map_err(ServiceError::from)?,
            // Whoever signed up here with somebody else's address must not be handed that person's logins.
            NamedUser::VerifiedEmail(email) => {
                let found = store.user_by_email(email).await.map_err(ServiceError::from)?;
                found.filter(|user| user.email_verified)
            }
            NamedUser::Identity(identity, email) => {
                Some(self.identified(identity, email.as_ref(), context).await?)
            }
        };
        found.filter(|user| user.disabled_at.is_none()).ok_or(OpenForError::NoUser)
    }

    async fn identified(
        &self,
        identity: &Identity,
        email: Option<&Email>,
        context: &Context,
    ) -> Result<User, OpenForError> {
        let (store, policy) = (self.outside.store(), &self.policy.applications);
        if !policy.issuers.iter().any(|issuer| **issuer == *identity.issuer()) {
            return Err(OpenForError::Issuer);
        }
        if let Some(known) = store.user_by_identity(identity).await.map_err(ServiceError::from)? {
            return Ok(known);
        }
        if !policy.create_users {
            return Err(OpenForError::NoUser);
        }
        let email = email.ok_or(OpenForError::EmailMissing)?;
        // The application's word is no mail of ours, nor an operator's: the address is not verified (design §7).
        let user = User { email_verified: false, ..self.new_user(email, None, ScopeSet::default()) };
        match store.identify(identity, NewUser { user }).await.map_err(ServiceError::from)? {
            Identified::Known(user) => Ok(user),
            Identified::Created(user) => {
                self.record(NewEvent::done(EventName::UserCreated, "by_application").user(&user.id), context);
                Ok(user)
            }
            Identified::EmailTaken => Err(OpenForError::EmailTaken),
        }
    }
}
