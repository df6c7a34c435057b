//! From a [`Mail`] to RFC 5322.

use countersign_core::port::{Entropy, Mail, MailError};
use data_encoding::HEXLOWER;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};

use crate::entropy::SystemEntropy;

/// The address that mail comes from.
#[derive(Clone, Debug)]
pub struct Sender(Mailbox);

/// Text that is no sender.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not a mail address; write \"app@example.com\" or \"App <app@example.com>\"")]
pub struct InvalidSender {
    text: String,
}

impl Sender {
    /// Reads `app@example.com` or `App <app@example.com>`.
    ///
    /// # Errors
    /// [`InvalidSender`].
    pub fn parse(text: &str) -> Result<Self, InvalidSender> {
        text.parse().map(Self).map_err(|_no_address| InvalidSender { text: text.into() })
    }

    /// The domain: what we call ourselves towards a mail server.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.email.domain()
    }
}

/// Writes the message. Header values are encoded by the library, so that no line break in one starts another header.
pub(super) fn compose(from: &Sender, mail: &Mail) -> Result<Message, MailError> {
    let failed = |what: String| MailError::Transport(what);
    let to = mail.to.as_str().parse().map_err(|e| failed(format!("recipient: {e}")))?;
    // A name of its own: the library would take the machine's, which is nobody's business.
    let id = format!("<{}@{}>", HEXLOWER.encode(&SystemEntropy.bytes::<16>()), from.domain());
    Message::builder()
        .from(from.0.clone())
        .to(Mailbox::new(None, to))
        .subject(mail.subject.as_str())
        .message_id(Some(id))
        .header(ContentType::TEXT_PLAIN)
        .body(mail.body.expose().to_owned())
        .map_err(|e| failed(e.to_string()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use countersign_core::domain::secret::SecretString;
    use countersign_core::domain::user::Email;

    pub(crate) fn mail(body: &str) -> Mail {
        Mail {
            to: Email::parse("ada@example.com").unwrap(),
            subject: "Confirm your address".into(),
            body: SecretString::new(body.into()),
        }
    }

    pub(crate) fn sender() -> Sender {
        Sender::parse("The App <app@mail.example>").unwrap()
    }

    fn text(mail: &Mail) -> String {
        String::from_utf8(compose(&sender(), mail).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_message_has_what_servers_want() {
        let text = text(&mail("Open https://app.example/confirm"));
        for wanted in [
            "From: \"The App\" <app@mail.example>\r\n",
            "To: ada@example.com\r\n",
            "Subject: Confirm your address\r\n",
            "@mail.example>\r\n",
            "Date: ",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "\r\n\r\nOpen https://app.example/confirm",
        ] {
            assert!(text.contains(wanted), "{wanted:?} in {text}");
        }
    }

    /// A line break in a subject must not start a header of its own.
    #[test]
    fn a_subject_cannot_add_headers() {
        let mut mail = mail("x");
        mail.subject = "Hello\r\nBcc: thief@example.com".into();
        let text = text(&mail);
        assert!(!text.lines().any(|line| line.starts_with("Bcc:")), "{text}");
    }

    #[test]
    fn senders() {
        assert_eq!(Sender::parse("app@example.com").unwrap().domain(), "example.com");
        for bad in ["", "app", "a b@c", "App <app>", "a@b\r\nBcc: c@d"] {
            assert!(Sender::parse(bad).is_err(), "{bad:?}");
        }
    }
}
