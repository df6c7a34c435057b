//! Creating an account (F01-F03, F06).

use std::time::Duration;

use aws_lc_rs::digest;
use data_encoding::BASE64URL_NOPAD;

use super::engine::{Context, Engine, NewEvent, ServiceError};
use super::open::{NewSession, OpenError, Opened};
use crate::domain::client::Client;
use crate::domain::event::EventName;
use crate::domain::id::{Epoch, Sid, UserId};
use crate::domain::password::{Password, WeakPassword};
use crate::domain::policy::SignUp;
use crate::domain::scope::ScopeSet;
use crate::domain::secret::SecretString;
use crate::domain::throttle::{Admission, ThrottleRule};
use crate::domain::time::Timestamp;
use crate::domain::user::{Email, PasswordHash, User};
use crate::port::{Code, CodeKind, Entropy, Mail, Mailer, NewUser, Outside, PasswordHasher, Store};

/// A wish for an account.
#[derive(Debug)]
pub struct SignUpRequest<'a> {
    /// Account name.
    pub email: &'a Email,
    /// Chosen password.
    pub password: &'a Password,
    /// Code of an invitation.
    pub invitation: Option<&'a str>,
    /// The session this browser holds.
    pub replaces: Option<Sid>,
    /// For whom the session is, if not for cookies alone.
    pub client: Option<&'a Client>,
}

impl SignUpRequest<'_> {
    /// The session that its user is signed in with.
    pub(super) fn session<'a>(&'a self, user: &'a User) -> NewSession<'a> {
        let Self { replaces, client, .. } = *self;
        NewSession { replaces, client, ..NewSession::login(user, &["pwd"]) }
    }
}

/// What came of it.
#[derive(Debug)]
pub enum SignUpOutcome {
    /// The account exists and its owner is signed in.
    Opened(Box<Opened>),
    /// A mail is on its way; the answer is the same for a taken address (F06).
    Mailed,
}

/// No account.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// Nobody may sign up, or not without an invitation.
    #[error("sign-up is closed")]
    Closed,
    /// The invitation is unknown, used, expired or for another address: the same answer for all.
    #[error("the invitation is not good")]
    Invitation,
    /// The password is refused, with the reason (F03).
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// The address is taken. Said only where sign-up is immediate (development), and to whoever was invited.
    #[error("address taken")]
    Taken,
    /// Too many attempts.
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

/// Mails to one address: nobody can have a stranger's inbox filled from many networks. It counts by the hour.
const MAILS: ThrottleRule = ThrottleRule {
    free: 3,
    first_delay: Duration::ZERO,
    longest_delay: Duration::ZERO,
    cap: 3,
    window: Duration::from_secs(60 * 60),
};

impl<O: Outside> Engine<O> {
    /// Creates an account, or sends the mail that does.
    ///
    /// # Errors
    /// [`SignUpError`].
    pub async fn sign_up(
        &self,
        request: &SignUpRequest<'_>,
        context: &Context,
    ) -> Result<SignUpOutcome, SignUpError> {
        if self.policy.sign_up == SignUp::Off {
            return Err(SignUpError::Closed);
        }
        self.policy.password.judge(request.password, request.email)?;
        if let Admission::Refused { retry_at } = self.admit_network(context).await? {
            self.record(NewEvent::refused(EventName::RateLimit, "sign_up"), context);
            return Err(SignUpError::RateLimited { retry_at });
        }
        match self.policy.sign_up {
            SignUp::Off => Err(SignUpError::Closed),
            SignUp::Invite => self.accept_invitation(request, context).await,
            SignUp::Mailed => self.mail_sign_up(request, context).await,
            SignUp::Immediate => {
                let user = self.create(request.email, request.password, ScopeSet::default(), context).await?;
                let user = user.ok_or(SignUpError::Taken)?;
                let opened = self.open_session(&request.session(&user), context).await?;
                Ok(SignUpOutcome::Opened(Box::new(opened)))
            }
        }
    }

    async fn create(
        &self,
        email: &Email,
        password: &Password,
        scope: ScopeSet,
        context: &Context,
    ) -> Result<Option<User>, ServiceError> {
        let hash = self.outside.hasher().hash(password, &self.pepper).await?;
        self.create_hashed(email, Some(hash), scope, context).await
    }

    pub(super) async fn create_hashed(
        &self,
        email: &Email,
        password: Option<PasswordHash>,
        scope: ScopeSet,
        context: &Context,
    ) -> Result<Option<User>, ServiceError> {
        let user = self.new_user(email, password, scope);
        if !self.outside.store().create_user(NewUser { user: user.clone() }).await? {
            return Ok(None);
        }
        self.record(NewEvent::done(EventName::UserCreated, "created").user(&user.id), context);
        Ok(Some(user))
    }

    /// A user who is not stored yet. Every way here vouches for the address: a mail, an operator, or development.
    pub(super) fn new_user(&self, email: &Email, password: Option<PasswordHash>, scope: ScopeSet) -> User {
        User {
            id: UserId::from_random(self.random16()),
            email: email.clone(),
            email_verified: true,
            scope,
            epoch: Epoch(1),
            password,
            created_at: self.now(),
            disabled_at: None,
        }
    }

    /// The same work and the same answer for a free and a taken address (F06): hash, store or not, one mail.
    async fn mail_sign_up(
        &self,
        request: &SignUpRequest<'_>,
        context: &Context,
    ) -> Result<SignUpOutcome, SignUpError> {
        let hashed =
            self.outside.hasher().hash(request.password, &self.pepper).await.map_err(ServiceError::from)?;
        let recipient = self.keyring.throttle_key("sign_up", &[request.email.as_str().as_bytes()]);
        let counted = self.outside.store().admit_attempt(&[(recipient, MAILS)], self.now()).await;
        let earlier = match counted.map_err(ServiceError::from)? {
            Admission::Admitted(state) => state.count > 1,
            Admission::Refused { .. } => {
                // The same answer: it would tell a prober that somebody signs up with this address.
                self.record(NewEvent::refused(EventName::RateLimit, "sign_up_mail"), context);
                return Ok(SignUpOutcome::Mailed);
            }
        };
        let known = self.outside.store().user_by_email(request.email).await.map_err(ServiceError::from)?;
        let (product, origin) = (&self.policy.product, &self.policy.access.issuer);
        let body = if known.is_some() {
            format!(
                "Somebody, probably you, wanted to create an account at {product} ({origin}) with this address.\n\n\
                 You already have one: sign in at {origin}/auth/login.\nIf it was not you, there is nothing to do.\n"
            )
        } else {
            let code = BASE64URL_NOPAD.encode(&self.outside.entropy().bytes::<32>());
            let row = Code {
                hash: hash(&code),
                kind: CodeKind::SignUp,
                email: request.email.clone(),
                password: Some(hashed),
                scope: ScopeSet::default(),
                expires_at: self.now().plus(self.policy.code_ttl),
            };
            self.outside.store().put_code(row).await.map_err(ServiceError::from)?;
            let minutes = self.policy.code_ttl.as_secs() / 60;
            // A stranger who signs the owner up meanwhile waits for them to open the wrong mail.
            let before = if earlier {
                "\nThis address was used to sign up before, within the last hour. If you asked once only, somebody else \
                 asked too:\nkeep to the link that takes the password that you chose.\n"
            } else {
                ""
            };
            format!(
                "Welcome. To create your account at {product} ({origin}), open this link within {minutes} minutes, and\n\
                 enter the password that you chose:\n\n{origin}/auth/confirm?code={code}\n{before}\n\
                 If it was not you, ignore this mail: no account is created.\n"
            )
        };
        let mail = Mail {
            to: request.email.clone(),
            subject: format!("Your account at {product}"),
            body: SecretString::new(body),
        };
        if let Err(error) = self.outside.mailer().send(mail).await {
            // The answer stays the same: a mail that failed must not tell an unknown address from a known one.
            tracing::error!(%error, "sign-up mail was not handed over");
        }
        Ok(SignUpOutcome::Mailed)
    }
}

/// SHA-256 of a single-use code: 256 random bits need no slow hash.
pub(super) fn hash(code: &str) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest::digest(&digest::SHA256, code.as_bytes()).as_ref()) {
        *to = *from;
    }
    out
}
