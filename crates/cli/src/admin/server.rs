//! The node's end of `admin.sock`.

use super::handle;
use super::protocol::{Answer, Answered, Envelope, Fault, MAX_REQUEST, Request, VERSION, VersionOnly};
use super::socket::{self, SocketError};
use countersign_core::port::Outside;
use countersign_core::service::Engine;
use countersign_store::AnyStore;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// Commands that are answered at a time. Operators are few.
const AT_ONCE: usize = 16;
/// Connections at a time, silent ones included: whoever watches events keeps one.
const CONNECTIONS: usize = 128;
/// For a connection too many to take the answer that says so.
const REFUSAL: Duration = Duration::from_secs(1);
/// A connection that asks nothing for this long is closed.
const SILENCE: Duration = Duration::from_secs(60);
/// After an accept that failed (too many open files), so that the loop does not spin.
const BREATH: Duration = Duration::from_millis(100);

/// The bound socket. Its file goes when this is dropped.
#[derive(Debug)]
pub(crate) struct AdminServer {
    listener: UnixListener,
    path: PathBuf,
    store: Arc<str>,
}

impl AdminServer {
    /// Binds the socket with mode 0600, for commands that mean this store.
    ///
    /// # Errors
    /// [`SocketError`] names what is in the way.
    pub(crate) fn bind(path: &Path, store: &Path) -> Result<Self, SocketError> {
        let store = socket::identity(store).into();
        Ok(Self { listener: socket::bind(path)?, path: path.to_owned(), store })
    }

    /// Answers until it is dropped.
    pub(crate) async fn serve<O: Outside<Store = AnyStore>>(self, engine: Arc<Engine<O>>) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let connections = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "admin.sock: accept failed");
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
            };
            if !is_operator(&stream) {
                continue;
            }
            let Ok(connection) = Arc::clone(&connections).try_acquire_owned() else {
                tracing::warn!(CONNECTIONS, "admin.sock: refused a connection too many");
                tokio::spawn(timeout(REFUSAL, refuse(stream)));
                continue;
            };
            let (engine, places, store) = (Arc::clone(&engine), Arc::clone(&places), Arc::clone(&self.store));
            tokio::spawn(async move {
                if let Err(error) = converse(stream, &engine, &store, &places).await {
                    tracing::debug!(%error, "admin.sock: connection ended");
                }
                drop(connection);
            });
        }
    }
}

impl Drop for AdminServer {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "admin.sock was gone already");
        }
    }
}

/// The mode of the file keeps others out where the system honours it; the kernel's word keeps them out everywhere.
fn is_operator(stream: &UnixStream) -> bool {
    match stream.peer_cred() {
        Ok(peer) if socket::may_command(peer.uid()) => true,
        Ok(peer) => {
            tracing::warn!(uid = peer.uid(), "admin.sock: refused a command of another user");
            false
        }
        Err(error) => {
            tracing::warn!(%error, "admin.sock: refused a client that the system does not name");
            false
        }
    }
}

async fn converse<O: Outside<Store = AnyStore>>(
    stream: UnixStream,
    engine: &Engine<O>,
    store: &str,
    places: &Semaphore,
) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    loop {
        // The line may hold a password.
        let mut line = Zeroizing::new(Vec::with_capacity(4096));
        let mut limited = (&mut read).take(MAX_REQUEST as u64);
        match timeout(SILENCE, limited.read_until(b'\n', &mut line)).await {
            Ok(Ok(0)) | Err(_) => return Ok(()),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error),
        }
        let whole = line.last() == Some(&b'\n');
        let answer = if whole {
            answer(&line, engine, store, places).await
        } else {
            Err(Fault::new("the request is too long"))
        };
        timeout(SILENCE, write.write_all(&told(answer)?)).await??;
        if !whole {
            return Ok(());
        }
    }
}

/// Without waiting for the question: whoever holds all connections may never ask one.
async fn refuse(mut stream: UnixStream) -> std::io::Result<()> {
    let message = format!(
        "{CONNECTIONS} operators are connected already: end some `events --follow`, or wait {} s for silent ones to be closed",
        SILENCE.as_secs()
    );
    stream.write_all(&told(Err(Fault::new(message)))?).await
}

fn told(answer: Answer) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(&Answered { version: VERSION.to_owned(), answer })?;
    text.push(b'\n');
    Ok(text)
}

async fn answer<O: Outside<Store = AnyStore>>(
    line: &[u8],
    engine: &Engine<O>,
    store: &str,
    places: &Semaphore,
) -> Answer {
    let malformed = |error: serde_json::Error| Fault::new(format!("the request cannot be read: {error}"));
    let VersionOnly { version } = serde_json::from_slice(line).map_err(malformed)?;
    if version != VERSION {
        return Err(Fault::new(other_version(VERSION, &version)));
    }
    let Envelope { request, store: meant, .. } =
        serde_json::from_slice::<Envelope<Request>>(line).map_err(malformed)?;
    if meant != store {
        return Err(Fault::new(other_store(store, &meant)));
    }
    // What stops an attack waits for nobody: not for backups, and not for passwords that are being hashed. Others hold a
    // place while they are answered, never while their client thinks.
    let _place = if request.stops_an_attack() { None } else { places.acquire().await.ok() };
    handle(engine, request).await
}

/// What to say to a command for another store.
fn other_store(served: &str, meant: &str) -> String {
    format!(
        "the server running in this directory serves {served}, and the configuration of this command names {meant}, so nothing \
         was done: name the server's configuration with --config, or give each store a directory of its own"
    )
}

/// What to say when the two ends differ.
pub(super) fn other_version(server: &str, client: &str) -> String {
    format!(
        "the running server is countersign {server} and this command is {client}: use the same program for both, or restart the server"
    )
}
