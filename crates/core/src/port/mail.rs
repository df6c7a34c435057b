//! Outgoing mail.

use crate::domain::secret::SecretString;
use crate::domain::user::Email;

/// A message. The body may hold a single-use link, so it is a secret.
#[derive(Debug)]
pub struct Mail {
    /// Recipient.
    pub to: Email,
    /// Subject line, without control characters.
    pub subject: String,
    /// Plain-text body.
    pub body: SecretString,
}

/// A message could not be handed over.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// No mail transport is configured.
    #[error("no [mail] section is configured")]
    NotConfigured,
    /// The transport failed; the text is for operators.
    #[error("mail could not be handed over: {0}")]
    Transport(String),
}

/// Hands mail over.
pub trait Mailer: Send + Sync {
    /// Accepts a message for delivery. Returns once it is queued, so that the time an answer takes does not tell
    /// whether an address is known (F06).
    ///
    /// # Errors
    /// [`MailError`].
    fn send(&self, mail: Mail) -> impl Future<Output = Result<(), MailError>> + Send;
}
