//! The command line's end of `admin.sock`.

use super::protocol::{Answer, Answered, Envelope, MAX_ANSWER, Request, VERSION, VersionOnly};
use super::server::other_version;
use super::socket;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

/// A server that says nothing for this long is stuck: an operator who revokes in an emergency has to know.
const PATIENCE: Duration = Duration::from_secs(10);
/// A backup takes as long as the disk does.
const PATIENCE_WITH_BACKUPS: Duration = Duration::from_secs(3600);
/// Between two attempts to connect to a server whose queue is full.
const PAUSE: Duration = Duration::from_millis(50);

/// The running server could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// Somebody else's socket.
    #[error(
        "{} is served by another user (uid {uid}), so nothing was sent: run this as the user that runs the server, and see who can write to that directory", .path.display()
    )]
    Foreign {
        /// The socket.
        path: PathBuf,
        /// Who serves it.
        uid: u32,
    },
    /// No access.
    #[error("{} belongs to another user: run this as the user that runs the server, or as root", .0.display())]
    Forbidden(PathBuf),
    /// Another version.
    #[error("{}", other_version(.server, VERSION))]
    Version {
        /// Version of the server.
        server: String,
    },
    /// The server went away.
    #[error("the server closed {} without an answer: see its log", .0.display())]
    Closed(PathBuf),
    /// The server is stuck.
    #[error(
        "the server at {} did not answer within {seconds} s, and what was asked may still happen: see its log, and if it is \
         stuck, stop it and try again (commands work without a server too)", .path.display()
    )]
    Silent {
        /// The socket.
        path: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The connection failed.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A connection to a running server.
#[derive(Debug)]
pub(crate) struct Client {
    stream: BufReader<UnixStream>,
    path: PathBuf,
    store: String,
}

impl Client {
    /// Connects. `None` if no server answers there; `store` is the file whose owner counts as the server's user.
    ///
    /// # Errors
    /// [`ClientError`] if there is a server that must not or cannot be asked.
    pub(crate) async fn connect(path: &Path, store: Option<&Path>) -> Result<Option<Self>, ClientError> {
        let stream = match timeout(PATIENCE, queue(path)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                return match error.kind() {
                    ErrorKind::NotFound | ErrorKind::ConnectionRefused => Ok(None),
                    ErrorKind::PermissionDenied => Err(ClientError::Forbidden(path.to_owned())),
                    _ => Err(ClientError::Io { path: path.to_owned(), source: error }),
                };
            }
            Err(_) => return Err(ClientError::silent(path, PATIENCE)),
        };
        let peer = stream.peer_cred().map_err(|source| ClientError::Io { path: path.to_owned(), source })?;
        if !socket::may_serve(peer.uid(), store) {
            return Err(ClientError::Foreign { path: path.to_owned(), uid: peer.uid() });
        }
        let store = store.map(socket::identity).unwrap_or_default();
        Ok(Some(Self { stream: BufReader::new(stream), path: path.to_owned(), store }))
    }

    /// Asks one thing.
    ///
    /// # Errors
    /// [`ClientError`] if no answer came.
    pub(crate) async fn ask(&mut self, request: &Request) -> Result<Answer, ClientError> {
        let patience =
            if matches!(request, Request::Backup { .. }) { PATIENCE_WITH_BACKUPS } else { PATIENCE };
        self.ask_within(patience, request).await
    }

    async fn ask_within(&mut self, patience: Duration, request: &Request) -> Result<Answer, ClientError> {
        match timeout(patience, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(ClientError::silent(&self.path, patience)),
        }
    }

    async fn exchange(&mut self, request: &Request) -> Result<Answer, ClientError> {
        let mut line = Zeroizing::new(Vec::with_capacity(4096));
        let envelope = Envelope { version: VERSION.to_owned(), store: self.store.clone(), request };
        serde_json::to_writer(&mut *line, &envelope).map_err(|error| self.failed(error.into()))?;
        line.push(b'\n');
        match self.stream.write_all(&line).await {
            // A server that closed without listening may have said why.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(self.failed(error)),
            _ => {}
        }
        let mut text = Vec::new();
        let mut limited = (&mut self.stream).take(MAX_ANSWER as u64);
        if let Err(error) = limited.read_until(b'\n', &mut text).await {
            return Err(self.failed(error));
        }
        if text.last() != Some(&b'\n') {
            return Err(ClientError::Closed(self.path.clone()));
        }
        let unreadable = |error: serde_json::Error| self.failed(error.into());
        let VersionOnly { version } = serde_json::from_slice(&text).map_err(unreadable)?;
        if version != VERSION {
            return Err(ClientError::Version { server: version });
        }
        let Answered { answer, .. } = serde_json::from_slice(&text).map_err(unreadable)?;
        Ok(answer)
    }

    fn failed(&self, source: io::Error) -> ClientError {
        if matches!(source.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) {
            return ClientError::Closed(self.path.clone());
        }
        ClientError::Io { path: self.path.clone(), source }
    }
}

impl ClientError {
    fn silent(path: &Path, patience: Duration) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self::Silent { path, seconds: patience.as_secs() }
    }
}

/// Connects, and waits where the server has more connections to accept than its queue holds.
async fn queue(path: &Path) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == ErrorKind::WouldBlock => sleep(PAUSE).await,
            connected => return connected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UnixListener;

    /// A server that is stuck accepts nothing, or accepts and says nothing.
    #[tokio::test]
    async fn a_silent_server_is_given_up_with_a_message() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let mut client = Client::connect(&path, None).await.unwrap().unwrap();
        let patience = Duration::from_millis(20);
        for _ in 0..2 {
            let error = client.ask_within(patience, &Request::RevokeAll).await.unwrap_err();
            assert!(matches!(error, ClientError::Silent { .. }), "{error}");
        }
        drop(listener);
    }
}
