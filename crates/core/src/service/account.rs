//! What users change on their own account.

use super::engine::{Context, Engine, NewEvent, ServiceError};
use super::log_in::LogInError;
use super::open::Opened;
use super::principal::SessionPrincipal;
use crate::domain::event::EventName;
use crate::domain::password::{Password, WeakPassword};
use crate::port::{AskedBy, NewPassword, Outside, PasswordHasher, Store};

/// A wish for another password.
#[derive(Debug)]
pub struct ChangePassword<'a> {
    /// The current one: a stolen session alone must not take the account over.
    pub current: Option<&'a Password>,
    /// The new one.
    pub new: &'a Password,
    /// The value of the browser's device cookie.
    pub device_cookie: Option<&'a str>,
}

/// The password stays.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The new one is refused.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// The session ended, the user was disabled or the password changed while the change was on its way.
    #[error("the session has ended")]
    Ended,
    /// The current one is wrong, or one of the ways a login fails.
    #[error(transparent)]
    LogIn(#[from] LogInError),
}

impl<O: Outside> Engine<O> {
    /// Changes the password, ends every session (D11) and opens a new one for this device (D09).
    ///
    /// # Errors
    /// [`ChangePasswordError`].
    pub async fn change_password(
        &self,
        principal: &SessionPrincipal,
        request: &ChangePassword<'_>,
        context: &Context,
    ) -> Result<Opened, ChangePasswordError> {
        self.policy.password.judge(request.new, principal.email())?;
        let user = self
            .outside
            .store()
            .user(principal.user())
            .await
            .map_err(|e| LogInError::from(ServiceError::from(e)))?;
        let name = principal.email().as_str();
        let user = self.check_password(name, user, request.current, request.device_cookie, context).await?;
        let service = |e: ServiceError| LogInError::Service(e);
        let hash =
            self.outside.hasher().hash(request.new, &self.pepper).await.map_err(|e| service(e.into()))?;
        // A thief with the old password must not win against a revocation, or the owner's own change, that came in between (P4).
        let Some(old) = user.password.clone() else { return Err(LogInError::InvalidCredentials.into()) };
        let claims = principal.claims();
        let asked_by = Some(AskedBy { sid: claims.sid, epoch: claims.epoch, old });
        let new = NewPassword { user: user.id.clone(), hash, at: self.now(), asked_by };
        let revoked = self.outside.store().set_password(new).await.map_err(|e| service(e.into()))?;
        let Some(revoked) = revoked else { return Err(ChangePasswordError::Ended) };
        self.announce_user(&user.id, &revoked);
        self.record(NewEvent::done(EventName::PasswordChange, "by_user").user(&user.id), context);
        let renewed = crate::domain::user::User { epoch: revoked.epoch, ..user };
        Ok(self.open(&renewed, &["pwd"], None, context).await.map_err(LogInError::from)?)
    }
}
