//! Outgoing mail: through a server, into a directory, or not at all.

mod compose;
mod directory;
mod smtp;

use std::time::Duration;

use countersign_core::port::{Mail, MailError, Mailer};

pub use compose::{InvalidSender, Sender};
pub use directory::Directory;
pub use smtp::{Smtp, SmtpConfig, SmtpSecurity};

/// How mail leaves.
#[derive(Debug)]
pub enum Transport {
    /// Through a mail server.
    Smtp(Smtp),
    /// As files: development, tests, or another program's pick-up.
    Directory(Directory),
    /// Not at all: every message is refused.
    None,
}

impl Transport {
    /// Waits until everything that was accepted has been delivered or given up, at most so long. `false` if some is left.
    pub async fn drain(&self, patience: Duration) -> bool {
        match self {
            Self::Smtp(smtp) => smtp.drain(patience).await,
            Self::Directory(_) | Self::None => true,
        }
    }
}

impl Mailer for Transport {
    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        match self {
            Self::Smtp(smtp) => smtp.send(&mail),
            Self::Directory(directory) => directory.send(mail).await,
            Self::None => Err(MailError::NotConfigured),
        }
    }
}
