//! One connection to an upstream.

use std::thread::{self, ThreadId};
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::origin::Dial;
use crate::upload::SentBody;
use crate::{ForwardError, Origin, Phase};

/// The longest answer head, and the most that is buffered of an answer at once.
const MAX_HEAD: usize = 64 * 1024;

/// A connection whose task dies with it: dropping it in the middle of an exchange closes the socket, so that
/// nothing of a cancelled exchange is ever seen by the next one (J07).
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) sender: SendRequest<SentBody>,
    /// Whose runtime drives it. From another thread it can be used too, but each step then wakes this one.
    pub(crate) home: ThreadId,
    driver: AbortHandle,
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

pub(crate) async fn connect(origin: &Origin, limit: Duration) -> Result<Conn, ForwardError> {
    let dial = async {
        match &origin.host {
            Dial::Address(address) => TcpStream::connect(address).await,
            Dial::Name(name) => TcpStream::connect((&**name, origin.port)).await,
        }
    };
    let stream = timeout(limit, dial)
        .await
        .map_err(|_elapsed| ForwardError::TimedOut(Phase::Connect))?
        .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
        .map_err(ForwardError::Connect)?;
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .max_header_size(MAX_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(ForwardError::Upstream)?;
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "upstream connection ended");
        }
    });
    Ok(Conn { sender, home: thread::current().id(), driver: driver.abort_handle() })
}
