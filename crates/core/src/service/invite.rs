//! Invitations (design §9: `accounts.signup = "invite"`): made by an operator, accepted once by whoever holds the link.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;

use super::engine::{Context, Engine, NewEvent, ServiceError};
use super::sign_up::{SignUpError, SignUpOutcome, SignUpRequest, hash};
use crate::domain::event::EventName;
use crate::domain::policy::SignUp;
use crate::domain::scope::ScopeSet;
use crate::domain::secret::SecretString;
use crate::domain::time::Timestamp;
use crate::domain::user::Email;
use crate::port::{
    Accepted, Code, CodeKind, Entropy, Mail, MailError, Mailer, NewUser, Outside, PasswordHasher, Store,
};

/// Days that an invitation works: nobody waits for it, so it has to outlive a holiday weekend. The half hour of F09 is for
/// codes that open an account which exists.
const DAYS: u64 = 7;
/// How long an invitation works.
pub const INVITATION_TTL: Duration = Duration::from_secs(DAYS * 24 * 60 * 60);

/// An invitation was made.
#[derive(Debug)]
pub struct Invited {
    /// Until when it works.
    pub expires_at: Timestamp,
    /// How it gets to the invited person.
    pub delivery: Delivery,
}

/// How an invitation gets to the invited person.
#[derive(Debug)]
pub enum Delivery {
    /// The link was handed over to be mailed.
    Mailed,
    /// No mail is configured: the operator hands this link over. It is a secret until it was used.
    ByOperator(SecretString),
}

/// Nobody was invited; nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// Sign-up is closed, or open to everybody: the link would lead nowhere, or its scopes would not count.
    #[error("accounts are not made by invitation here")]
    NotByInvitation,
    /// The address is taken.
    #[error("a user with this address exists")]
    Taken,
    /// The mail could not be handed over.
    #[error(transparent)]
    Mail(MailError),
    /// The engine cannot answer.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl<O: Outside> Engine<O> {
    /// Invites whoever reads the mail of an address to make an account with this scope, by a link that works once within
    /// [`INVITATION_TTL`] and for this address only. Earlier invitations to the address stop working.
    ///
    /// # Errors
    /// [`InviteError`].
    pub async fn invite(
        &self,
        email: &Email,
        scope: ScopeSet,
        context: &Context,
    ) -> Result<Invited, InviteError> {
        if self.policy.sign_up != SignUp::Invite {
            return Err(InviteError::NotByInvitation);
        }
        if self.find_user(email).await?.is_some() {
            return Err(InviteError::Taken);
        }
        let code = SecretString::new(BASE64URL_NOPAD.encode(&self.outside.entropy().bytes::<32>()));
        let hash = hash(code.expose());
        let expires_at = self.now().plus(INVITATION_TTL);
        let row =
            Code { hash, kind: CodeKind::Invite, email: email.clone(), password: None, scope, expires_at };
        self.outside.store().put_code(row).await.map_err(ServiceError::from)?;
        let origin = &self.policy.access.issuer;
        let link = SecretString::new(format!("{origin}/auth/signup?invitation={}", code.expose()));
        let delivery = match self.outside.mailer().send(self.invitation_mail(email, &link)).await {
            Ok(()) => Delivery::Mailed,
            Err(MailError::NotConfigured) => Delivery::ByOperator(link),
            Err(error) => {
                // Nobody will ever hold the code.
                let withdrawn = self.outside.store().consume_code(&hash, CodeKind::Invite, self.now()).await;
                withdrawn.map_err(ServiceError::from)?;
                return Err(InviteError::Mail(error));
            }
        };
        self.record(NewEvent::done(EventName::AuthzAdmin, "invited").detail(email.as_str()), context);
        Ok(Invited { expires_at, delivery })
    }

    /// Whether an invitation still works, for whoever holds its link: 256 random bits, so nobody learns it by asking. Changes
    /// nothing.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn invitation_stands(&self, code: &str) -> Result<bool, ServiceError> {
        Ok(self.outside.store().code(&hash(code), CodeKind::Invite, self.now()).await?.is_some())
    }

    /// Creates the account that an invitation is for, and signs in: the code came by mail to that address.
    pub(super) async fn accept_invitation(
        &self,
        request: &SignUpRequest<'_>,
        context: &Context,
    ) -> Result<SignUpOutcome, SignUpError> {
        let code = request.invitation.ok_or(SignUpError::Closed)?;
        // Before the code is looked at: where hashing is busy the invitation stays good, and a guessed code takes as long as
        // a real one.
        let hashed = self.outside.hasher().hash(request.password, &self.pepper).await;
        let hashed = hashed.map_err(ServiceError::from)?;
        let new = NewUser { user: self.new_user(request.email, Some(hashed), ScopeSet::default()) };
        let accepted = self.outside.store().accept_invitation(&hash(code), new, self.now()).await;
        match accepted.map_err(ServiceError::from)? {
            Accepted::Created(user) => {
                self.record(NewEvent::done(EventName::UserCreated, "by_invitation").user(&user.id), context);
                let opened = self.open_session(&request.session(&user), context).await?;
                Ok(SignUpOutcome::Opened(Box::new(opened)))
            }
            Accepted::Taken => Err(SignUpError::Taken),
            Accepted::NoInvitation => {
                self.record(NewEvent::refused(EventName::InputValidationFail, "invitation"), context);
                Err(SignUpError::Invitation)
            }
        }
    }
    fn invitation_mail(&self, email: &Email, link: &SecretString) -> Mail {
        let (product, origin) = (&self.policy.product, &self.policy.access.issuer);
        let body = format!(
            "You are invited to create an account at {product} ({origin}).\n\n\
             Open this link within {DAYS} days, and sign up with the address {email}:\n\n{}\n\n\
             The link works once, and for this address only. If you do not want an account, ignore this mail.\n",
            link.expose()
        );
        let subject = format!("Your invitation to {product}");
        Mail { to: email.clone(), subject, body: SecretString::new(body) }
    }
}
