//! Mail through a server (RFC 5321), in the background: the answer to a request neither waits for it nor tells by its
//! timing whether anything was sent (F06).

use std::sync::Arc;
use std::time::Duration;

use countersign_core::domain::secret::SecretString;
use countersign_core::port::{Mail, MailError};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::sync::Semaphore;

use super::compose::{Sender, compose};

/// Messages accepted and not yet delivered.
const QUEUE: u32 = 256;
/// Connections to the server at a time.
const CONNECTIONS: usize = 4;
/// Waits before the second and later attempts: some servers refuse a stranger's first one for a minute.
const BACK_OFF: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(15), Duration::from_secs(75), Duration::from_secs(300)];

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SmtpSecurity {
    /// TLS from the first byte (`smtps://`, RFC 8314).
    Implicit,
    /// STARTTLS (RFC 3207); nothing is sent if the server does not offer it.
    StartTls,
    /// Plain text: a relay on this machine.
    LoopbackPlain,
}

/// A mail server.
#[derive(Debug)]
pub struct SmtpConfig {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected. Certificates are checked against the system's store.
    pub security: SmtpSecurity,
    /// User name and password.
    pub credentials: Option<(String, SecretString)>,
    /// Who mail comes from.
    pub from: Sender,
}

/// Delivers through a mail server.
#[derive(Debug)]
pub struct Smtp {
    delivery: Arc<Delivery>,
    from: Sender,
    room: Arc<Semaphore>,
}

#[derive(Debug)]
struct Delivery {
    server: AsyncSmtpTransport<Tokio1Executor>,
    connections: Semaphore,
    back_off: [Duration; 4],
}

impl Smtp {
    /// Prepares delivery; connects to nothing yet.
    ///
    /// # Errors
    /// [`MailError::Transport`] if the host cannot be used for TLS or the system's certificates cannot be read.
    pub fn new(config: &SmtpConfig) -> Result<Self, MailError> {
        Self::with_back_off(config, BACK_OFF)
    }

    fn with_back_off(config: &SmtpConfig, back_off: [Duration; 4]) -> Result<Self, MailError> {
        let failed = |e: lettre::transport::smtp::Error| MailError::Transport(e.to_string());
        let parameters = || TlsParameters::new(config.host.clone()).map_err(failed);
        let tls = match config.security {
            SmtpSecurity::Implicit => Tls::Wrapper(parameters()?),
            SmtpSecurity::StartTls => Tls::Required(parameters()?),
            SmtpSecurity::LoopbackPlain => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(config.host.as_str())
            .port(config.port)
            .tls(tls)
            .hello_name(ClientId::Domain(config.from.domain().to_owned()))
            .timeout(Some(Duration::from_secs(30)));
        if let Some((user, password)) = &config.credentials {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        Ok(Self {
            delivery: Arc::new(Delivery {
                server: builder.build(),
                connections: Semaphore::new(CONNECTIONS),
                back_off,
            }),
            from: config.from.clone(),
            room: Arc::new(Semaphore::new(QUEUE as usize)),
        })
    }

    /// Accepts a message; must be called within a runtime.
    pub(super) fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let message = compose(&self.from, mail)?;
        let place = Arc::clone(&self.room).try_acquire_owned();
        let place = place.map_err(|_full| MailError::Transport("too much mail is waiting".into()))?;
        let delivery = Arc::clone(&self.delivery);
        tokio::spawn(async move {
            delivery.deliver(message).await;
            drop(place);
        });
        Ok(())
    }

    /// Waits for all that was accepted; see [`super::Transport::drain`].
    pub(super) async fn drain(&self, patience: Duration) -> bool {
        tokio::time::timeout(patience, self.room.acquire_many(QUEUE)).await.is_ok()
    }
}

impl Delivery {
    /// Tries, and tries again unless the server said that it is no use. Log lines name no recipient.
    async fn deliver(&self, message: Message) {
        let mut waits = self.back_off.iter();
        loop {
            let attempt = match self.connections.acquire().await {
                Ok(_connection) => self.server.send(message.clone()).await,
                Err(_closed) => return,
            };
            let error = match attempt {
                Ok(_accepted) => return,
                Err(error) => error,
            };
            match waits.next() {
                Some(wait) if !error.is_permanent() => {
                    tracing::warn!(%error, retry_in = ?wait, "mail was not accepted");
                    tokio::time::sleep(*wait).await;
                }
                _ => {
                    tracing::error!(%error, "mail is given up");
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
