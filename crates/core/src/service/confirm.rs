//! The link of a sign-up mail (F06, F08, F09). Opening it shows that somebody reads the mail; the password shows that they are the
//! one who signed up. Without the second, whoever signs up with a stranger's address and is confirmed by them has an account with
//! that address, and its password.

use super::engine::{Context, Engine, NewEvent, ServiceError};
use super::sign_up::hash;
use crate::domain::event::EventName;
use crate::domain::password::Password;
use crate::domain::throttle::Admission;
use crate::domain::time::Timestamp;
use crate::domain::user::Email;
use crate::port::{CodeKind, Outside, PasswordHasher, PasswordMatch, Store};

/// A code from a mail, and who redeems it.
#[derive(Debug)]
pub struct Confirm<'a> {
    /// The code.
    pub code: &'a str,
    /// The password chosen at sign-up; `None` if what was typed cannot be one.
    pub password: Option<&'a Password>,
}

/// No account.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// Unknown, used or expired: the same answer for all.
    #[error("unknown or expired code")]
    Unknown,
    /// Not the password that was chosen with this code. The code stays good.
    #[error("wrong password")]
    WrongPassword,
    /// Too many attempts; the code stays good.
    #[error("rate limited")]
    RateLimited {
        /// When to try again.
        retry_at: Timestamp,
    },
    /// The engine cannot answer.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl<O: Outside> Engine<O> {
    /// The address that the code of a sign-up mail is for, while it works. Changes nothing; whoever asks holds 256 random bits.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn confirmable(&self, code: &str) -> Result<Option<Email>, ServiceError> {
        let found = self.outside.store().code(&hash(code), CodeKind::SignUp, self.now()).await?;
        Ok(found.map(|code| code.email))
    }

    /// Redeems the code of a sign-up mail: creates the account, does not sign in.
    ///
    /// # Errors
    /// [`ConfirmError`].
    pub async fn confirm(&self, request: &Confirm<'_>, context: &Context) -> Result<(), ConfirmError> {
        let (hash, store) = (hash(request.code), self.outside.store());
        let found = store.code(&hash, CodeKind::SignUp, self.now()).await.map_err(ServiceError::from)?;
        let Some(code) = found else { return Err(self.dead_code(context)) };
        // Whoever reads the mail of the address could guess: counted before hashing, like a sign-in (F08).
        let account = self.keyring.throttle_key("confirm", &[code.email.as_str().as_bytes()]);
        let network = self.network_key(context);
        let rules = [(account, self.policy.account_throttle), (network, self.policy.network_throttle)];
        let admitted = store.admit_attempt(&rules, self.now()).await.map_err(ServiceError::from)?;
        if let Admission::Refused { retry_at } = admitted {
            self.record(NewEvent::refused(EventName::RateLimit, "sign_up_password"), context);
            return Err(ConfirmError::RateLimited { retry_at });
        }
        let matched = match request.password {
            Some(password) => {
                let hasher = self.outside.hasher();
                let matched = hasher.verify(password, code.password.as_ref(), &self.pepper).await;
                matched.map_err(ServiceError::from)?
            }
            None => PasswordMatch::No,
        };
        if matched == PasswordMatch::No {
            self.record(NewEvent::refused(EventName::LoginFail, "sign_up_password"), context);
            return Err(ConfirmError::WrongPassword);
        }
        store.clear_attempts(&[account]).await.map_err(ServiceError::from)?;
        store.forgive_attempt(network).await.map_err(ServiceError::from)?;
        let taken = store.consume_code(&hash, CodeKind::SignUp, self.now()).await;
        let Some(code) = taken.map_err(ServiceError::from)? else { return Err(self.dead_code(context)) };
        // Taken meanwhile (two mails, one of them used): the account exists, which is what the link promised.
        self.create_hashed(&code.email, code.password, code.scope, context).await?;
        Ok(())
    }

    fn dead_code(&self, context: &Context) -> ConfirmError {
        self.record(NewEvent::refused(EventName::InputValidationFail, "sign_up_code"), context);
        ConfirmError::Unknown
    }
}
