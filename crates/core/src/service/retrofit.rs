//! Sessions of upstreams that keep their own login (design §7 "Retrofit").

use std::sync::Arc;

use super::assert::Audience;
use super::engine::{Context, Engine, NewEvent, ServiceError};
use super::open::{NewSession, OpenError, Opened};
use super::upstream_token::Kept;
use crate::domain::event::EventName;
use crate::domain::id::{Sid, UserId};
use crate::domain::identity::Identity;
use crate::domain::retrofit::{Holder, UpstreamToken};
use crate::domain::scope::ScopeSet;
use crate::domain::session::EndReason;
use crate::domain::time::Timestamp;
use crate::domain::user::{Email, User};
use crate::port::{Identified, NewUser, Outside, Store};

/// How the user proved who they are: to the upstream.
const METHOD: &str = "upstream";

/// An upstream handed out a token: the user has signed in there.
#[derive(Debug)]
pub struct UpstreamLogin<'a> {
    /// Where.
    pub upstream: &'a Audience,
    /// What it calls the user, if that is configured and known; else the user is new with each session.
    pub subject: Option<&'a str>,
    /// The token.
    pub token: UpstreamToken,
    /// When the session ends at the latest, because nothing renews the token.
    pub until: Option<Timestamp>,
    /// The session that the same browser held; it ends in the same step.
    pub replaces: Option<Sid>,
}

impl<O: Outside> Engine<O> {
    /// Opens a session in cookies for somebody who signed in at an upstream, and keeps the upstream's token beside it. A session without
    /// its token is never handed out.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open_at_upstream(
        &self,
        login: UpstreamLogin<'_>,
        context: &Context,
    ) -> Result<(Opened, Arc<Kept>), OpenError> {
        let UpstreamLogin { upstream, subject, token, until, replaces } = login;
        let user = self.upstream_user(upstream, subject, context).await?;
        let new =
            NewSession { replaces, until, reason: "upstream_login", ..NewSession::login(&user, &[METHOD]) };
        let opened = self.open_session(&new, context).await?;
        let session = &opened.view.held.session;
        let holder = Holder::Session(session.sid);
        let kept = self.keep_upstream_token(holder, upstream, token, None, session.expires_at).await;
        let kept = match kept {
            Ok(Some(kept)) => kept,
            Ok(None) => return Err(OpenError::Revoked),
            Err(error) => {
                // Nobody will ever hold its cookies. If the store fails here too, it is idle until it expires.
                drop(self.end(session.sid, EndReason::Upstream).await);
                return Err(error.into());
            }
        };
        let event = NewEvent::done(EventName::LoginSuccess, METHOD).user(&user.id).detail(upstream.name());
        self.record(event.session(&session.public_id), context);
        Ok((opened, kept))
    }

    /// Ends a session because its upstream's has ended. Harmless on one that has ended.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn end_with_upstream(&self, sid: Sid, context: &Context) -> Result<(), ServiceError> {
        self.end_and_tell(sid, EndReason::Upstream, context).await
    }

    async fn upstream_user(
        &self,
        upstream: &Audience,
        subject: Option<&str>,
        context: &Context,
    ) -> Result<User, OpenError> {
        let store = self.outside.store();
        let issuer = format!("retrofit:{}", upstream.name());
        let identity = subject.and_then(|subject| Identity::parse(&issuer, subject));
        let random = self.random16();
        let id = if identity.is_some() { UserId::from_random(random) } else { UserId::passing(random) };
        // No address of anybody's: what an upstream says about addresses proves nothing here (A21). RFC 2606 keeps the domain free.
        let email = Email::parse(&format!("{id}@upstream.invalid"))
            .map_err(|error| ServiceError::Signing(error.to_string()))?;
        let new = User { id, email_verified: false, ..self.new_user(&email, None, ScopeSet::default()) };
        let (user, created) = match identity {
            Some(identity) => {
                let found =
                    store.identify(&identity, NewUser { user: new }).await.map_err(ServiceError::from)?;
                match found {
                    Identified::Known(user) => (user, false),
                    Identified::Created(user) => (user, true),
                    Identified::EmailTaken => return Err(drawn_twice()),
                }
            }
            None => {
                let user = new.clone();
                if !store.create_user(NewUser { user: new }).await.map_err(ServiceError::from)? {
                    return Err(drawn_twice());
                }
                (user, true)
            }
        };
        if created {
            self.record(NewEvent::done(EventName::UserCreated, METHOD).user(&user.id), context);
        }
        if user.disabled_at.is_some() {
            let event = NewEvent::refused(EventName::LoginFail, "user_disabled").user(&user.id);
            self.record(event, context);
            return Err(OpenError::Revoked);
        }
        Ok(user)
    }
}

fn drawn_twice() -> OpenError {
    OpenError::Service(ServiceError::Signing(String::from("an identifier was drawn twice")))
}
