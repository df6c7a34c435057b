//! Reaching a node: the one that runs, else one of our own on the store.

use crate::admin::{self, Client, Reply, Request};
use crate::compose::{self, Opened, Presence, Wired, sqlite_path};
use crate::config::Settings;
use anyhow::{anyhow, bail};
use countersign_core::port::Outside;
use countersign_core::service::Engine;
use countersign_store::OpenError;
use std::time::Duration;

/// A server that has just taken the lock needs a moment to its socket.
const PATIENCE: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);
/// How long a mail server may take to accept what a command sends.
const MAIL_PATIENCE: Duration = Duration::from_secs(30);

/// Who answers.
pub(super) enum Node {
    /// A running server, by its socket.
    Running(Client),
    /// An engine in this process, under the store's exclusive lock.
    Own(Box<Engine<Wired>>),
}

impl Node {
    /// The running server, or an engine of our own where none runs.
    pub(super) async fn reach(settings: &Settings) -> anyhow::Result<Self> {
        let mut rest = PATIENCE;
        loop {
            if let Some(client) = running(settings).await? {
                return Ok(Self::Running(client));
            }
            match compose::open(settings, Presence::Required).await {
                Ok(Opened { engine, .. }) => return Ok(Self::Own(Box::new(engine))),
                Err(error) if is_locked(&error) && rest > 0 => rest -= 1,
                Err(error) if is_locked(&error) => {
                    let socket = admin::socket_path(settings);
                    return Err(error.context(format!(
                        "a process has the store, but answers no commands at {}",
                        socket.display()
                    )));
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Asks one thing.
    pub(super) async fn ask(&mut self, request: Request) -> anyhow::Result<Reply> {
        let answer = match self {
            Self::Running(client) => client.ask(&request).await?,
            Self::Own(engine) => {
                let answer = admin::handle(engine, request).await;
                // The events and the mail that it caused wait in memory, and this process is about to end.
                engine.flush().await?;
                if !engine.outside().mailer().drain(MAIL_PATIENCE).await {
                    let patience = MAIL_PATIENCE.as_secs();
                    bail!(
                        "the mail did not leave within {patience} s: look at [mail] in the configuration, then try again"
                    );
                }
                answer
            }
        };
        Ok(answer?)
    }
}

/// The running server.
pub(super) async fn running(settings: &Settings) -> anyhow::Result<Option<Client>> {
    let store = sqlite_path(settings)?;
    Ok(Client::connect(&admin::socket_path(settings), Some(store)).await?)
}

/// Asks one thing of whoever answers.
pub(super) fn ask(settings: &Settings, request: Request) -> anyhow::Result<Reply> {
    runtime()?.block_on(async { Node::reach(settings).await?.ask(request).await })
}

/// A runtime for one command.
pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

fn is_locked(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<OpenError>(), Some(OpenError::Locked { .. }))
}

/// For answers that do not fit their question; both ends are of one version, so this is a defect of ours.
pub(super) fn unexpected<T>(reply: &Reply) -> anyhow::Result<T> {
    bail!(anyhow!("the node answered something else than was asked: {reply:?}"))
}
