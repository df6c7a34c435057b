//! Signing in with a password (F05-F08).

use super::engine::{Context, Engine, NewEvent, ServiceError};
use super::open::{NewSession, OpenError, Opened};
use crate::domain::client::Client;
use crate::domain::event::EventName;
use crate::domain::id::{Sid, UserId};
use crate::domain::password::Password;
use crate::domain::throttle::{Admission, ThrottleKey};
use crate::domain::time::Timestamp;
use crate::domain::user::{Email, User};
use crate::port::{Outside, PasswordHasher, PasswordMatch, Store};

/// Credentials as typed.
#[derive(Debug)]
pub struct LogIn<'a> {
    /// Account name; `None` if it does not even look like an address.
    pub email: Option<&'a Email>,
    /// Password; `None` if it cannot be one.
    pub password: Option<&'a Password>,
    /// The value of the browser's device cookie.
    pub device_cookie: Option<&'a str>,
    /// The session this browser holds.
    pub replaces: Option<Sid>,
    /// For whom the session is, if not for cookies alone.
    pub client: Option<&'a Client>,
}

/// Not signed in.
#[derive(Debug, thiserror::Error)]
pub enum LogInError {
    /// Unknown user, wrong password or disabled account: one answer for all (F06).
    #[error("invalid credentials")]
    InvalidCredentials,
    /// Too many attempts (F07).
    #[error("rate limited")]
    RateLimited {
        /// When to try again.
        retry_at: Timestamp,
    },
    /// The session could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The engine cannot answer.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl<O: Outside> Engine<O> {
    /// Signs in.
    ///
    /// # Errors
    /// [`LogInError`].
    pub async fn log_in(&self, request: &LogIn<'_>, context: &Context) -> Result<Opened, LogInError> {
        let user = match request.email {
            Some(email) => self.outside.store().user_by_email(email).await.map_err(ServiceError::from)?,
            None => None,
        };
        let name = request.email.map_or("", |e| e.as_str());
        let user = self.check_password(name, user, request.password, request.device_cookie, context).await?;
        let new = NewSession {
            replaces: request.replaces,
            client: request.client,
            ..NewSession::login(&user, &["pwd"])
        };
        let opened = self.open_session(&new, context).await?;
        self.record(NewEvent::done(EventName::LoginSuccess, "password").user(&user.id), context);
        Ok(opened)
    }

    /// Checks a password under throttling, without opening anything. Takes the same time whether the user exists (F06).
    pub(super) async fn check_password(
        &self,
        name: &str,
        user: Option<User>,
        password: Option<&Password>,
        device_cookie: Option<&str>,
        context: &Context,
    ) -> Result<User, LogInError> {
        let devices = self.device_keys(user.as_ref().map(|u| &u.id), device_cookie, context);
        let known = match &user {
            Some(user) => {
                let all: Vec<ThrottleKey> = devices.iter().flatten().copied().collect();
                self.outside.store().known_device(&user.id, &all).await.map_err(ServiceError::from)?
            }
            None => None,
        };
        // A device that signed in before has a counter of its own: guessing from elsewhere does not lock the owner out (F07).
        let device: &[u8] = known.as_ref().map_or(&[], |k| &k.0);
        let account = self.keyring.throttle_key("account", &[name.as_bytes(), device]);
        let network = self.network_key(context);
        let both = [(account, self.policy.account_throttle), (network, self.policy.network_throttle)];
        // Nor does it lock out everybody of their network: office, campus, a provider's translated addresses.
        let rules = if known.is_some() { both.get(..1).unwrap_or(&both) } else { &both };
        let store = self.outside.store();
        if let Admission::Refused { retry_at } =
            store.admit_attempt(rules, self.now()).await.map_err(ServiceError::from)?
        {
            let event = NewEvent::refused(EventName::LoginLock, "throttled");
            self.record(with_user(event, user.as_ref()), context);
            return Err(LogInError::RateLimited { retry_at });
        }
        let hash = user.as_ref().and_then(|u| u.password.as_ref());
        let hasher = self.outside.hasher();
        let matched = match password {
            Some(password) => {
                hasher.verify(password, hash, &self.pepper).await.map_err(ServiceError::from)?
            }
            None => PasswordMatch::No,
        };
        let mut user = match (matched, user) {
            (PasswordMatch::Yes | PasswordMatch::YesOutdated, Some(user)) if user.disabled_at.is_none() => {
                user
            }
            (matched, user) => {
                let reason = match (matched, &user) {
                    (_, None) => "unknown_user",
                    (PasswordMatch::No, Some(_)) => "wrong_password",
                    (_, Some(_)) => "user_disabled",
                };
                let event = NewEvent::refused(EventName::LoginFail, reason);
                self.record(with_user(event, user.as_ref()), context);
                return Err(LogInError::InvalidCredentials);
            }
        };
        store.clear_attempts(&[account]).await.map_err(ServiceError::from)?;
        // A guesser who owns an account must not clear the network's counter by signing in between.
        if known.is_none() {
            store.forgive_attempt(network).await.map_err(ServiceError::from)?;
        }
        if let (PasswordMatch::YesOutdated, Some(password), Some(old)) = (matched, password, &user.password) {
            let new = hasher.hash(password, &self.pepper).await.map_err(ServiceError::from)?;
            store.upgrade_password(&user.id, old, &new).await.map_err(ServiceError::from)?;
            user.password = Some(new);
        }
        for device in devices.iter().filter_map(|keys| keys.first().copied()) {
            store.remember_device(&user.id, device, self.now()).await.map_err(ServiceError::from)?;
        }
        Ok(user)
    }

    /// Counts an attempt against the network it comes from only (sign-up).
    pub(super) async fn admit_network(&self, context: &Context) -> Result<Admission, ServiceError> {
        let rules = [(self.network_key(context), self.policy.network_throttle)];
        Ok(self.outside.store().admit_attempt(&rules, self.now()).await?)
    }

    pub(super) fn network_key(&self, context: &Context) -> ThrottleKey {
        let network = context.device.network().map(|n| n.to_string()).unwrap_or_default();
        self.keyring.throttle_key("network", &[network.as_bytes()])
    }

    /// What would make a device known: its cookie, or the place it signs in from. Each under every master secret, the current
    /// one's first: a device stays known when the secret is rotated.
    fn device_keys(
        &self,
        user: Option<&UserId>,
        cookie: Option<&str>,
        context: &Context,
    ) -> Vec<Vec<ThrottleKey>> {
        let user = user.map_or("", |u| u.as_str()).as_bytes();
        let cookie = cookie.map(|c| self.keyring.throttle_keys("device", &[user, c.as_bytes()]));
        let place = context.device.network().map(|n| {
            let agent = context.device.user_agent.as_bytes();
            self.keyring.throttle_keys("place", &[user, n.to_string().as_bytes(), agent])
        });
        cookie.into_iter().chain(place).collect()
    }
}

fn with_user<'a>(event: NewEvent<'a>, user: Option<&'a User>) -> NewEvent<'a> {
    match user {
        Some(user) => event.user(&user.id),
        None => event,
    }
}
