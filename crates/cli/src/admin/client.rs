//! The command line's end of `admin.sock`.

use super::protocol::{Answer, Answered, Envelope, MAX_ANSWER, Request, VERSION, VersionOnly};
use super::server::other_version;
use super::socket;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use zeroize::Zeroizing;

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
}

impl Client {
    /// Connects. `None` if no server answers there; `store` is the file whose owner counts as the server's user.
    ///
    /// # Errors
    /// [`ClientError`] if there is a server that must not or cannot be asked.
    pub(crate) async fn connect(path: &Path, store: Option<&Path>) -> Result<Option<Self>, ClientError> {
        let stream = match UnixStream::connect(path).await {
            Ok(stream) => stream,
            Err(error) => {
                return match error.kind() {
                    ErrorKind::NotFound | ErrorKind::ConnectionRefused => Ok(None),
                    ErrorKind::PermissionDenied => Err(ClientError::Forbidden(path.to_owned())),
                    _ => Err(ClientError::Io { path: path.to_owned(), source: error }),
                };
            }
        };
        let peer = stream.peer_cred().map_err(|source| ClientError::Io { path: path.to_owned(), source })?;
        if !socket::may_serve(peer.uid(), store) {
            return Err(ClientError::Foreign { path: path.to_owned(), uid: peer.uid() });
        }
        Ok(Some(Self { stream: BufReader::new(stream), path: path.to_owned() }))
    }

    /// Asks one thing.
    ///
    /// # Errors
    /// [`ClientError`] if no answer came.
    pub(crate) async fn ask(&mut self, request: &Request) -> Result<Answer, ClientError> {
        let mut line = Zeroizing::new(Vec::with_capacity(4096));
        let envelope = Envelope { version: VERSION.to_owned(), request };
        serde_json::to_writer(&mut *line, &envelope).map_err(|error| self.failed(error.into()))?;
        line.push(b'\n');
        if let Err(error) = self.stream.write_all(&line).await {
            return Err(self.failed(error));
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
