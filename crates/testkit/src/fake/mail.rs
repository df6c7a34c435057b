//! A mailer that keeps what it was given.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use countersign_core::port::{Mail, MailError, Mailer};

/// A message as handed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// Recipient.
    pub to: String,
    /// Subject line.
    pub subject: String,
    /// Text.
    pub body: String,
}

impl Sent {
    /// The value of `code=` in the mail's link.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.value("code=").or_else(|| self.value("invitation="))
    }

    fn value(&self, key: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(key)?;
        rest.split(|c: char| c.is_whitespace() || c == '&').next()
    }
}

/// Accepts everything unless told to fail. Clones share the outbox.
#[derive(Clone, Debug, Default)]
pub struct RecordingMailer {
    sent: Arc<Mutex<Vec<Sent>>>,
    failing: Arc<AtomicBool>,
}

impl RecordingMailer {
    /// Everything accepted so far.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The last message to an address.
    #[must_use]
    pub fn last_to(&self, address: &str) -> Option<Sent> {
        self.sent().into_iter().rev().find(|mail| mail.to == address)
    }

    /// From now on nothing is accepted, or everything again.
    pub fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }
}

impl Mailer for RecordingMailer {
    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(MailError::Transport(String::from("told to fail")));
        }
        let sent = Sent {
            to: mail.to.as_str().to_owned(),
            subject: mail.subject.clone(),
            body: mail.body.expose().to_owned(),
        };
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
        Ok(())
    }
}
