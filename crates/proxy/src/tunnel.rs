//! Connections that have left HTTP: bytes to and fro until somebody ends it.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::frames::{Frames, close};
use crate::pool::Lease;
use crate::{ClientConnection, Live, StopReason};

/// How long the last words to a client may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long the two sides may take to leave HTTP once the upstream has agreed to.
const HANDOVER: Duration = Duration::from_secs(30);
const BUFFER: usize = 8 * 1024;

/// An upgraded exchange.
pub(crate) struct Tunnel {
    pub(crate) client: OnUpgrade,
    pub(crate) upstream: OnUpgrade,
    /// Counts against the upstream's cap as long as the tunnel lives.
    pub(crate) lease: Lease,
    /// And against what its client is counted by.
    pub(crate) connection: Option<ClientConnection>,
    pub(crate) live: Option<Arc<dyn Live>>,
    pub(crate) websocket: bool,
    /// How long one direction may stay silent when the other has ended.
    pub(crate) half_open: Duration,
}

impl Tunnel {
    pub(crate) async fn run(self) {
        let Self { client, upstream, lease, connection, live, websocket, half_open } = self;
        match timeout(HANDOVER, async { tokio::try_join!(client, upstream) }).await {
            Ok(Ok((client, upstream))) => {
                let ended = carry(client, upstream, live.as_deref(), websocket, half_open).await;
                tracing::debug!(?ended, "tunnel ended");
            }
            Ok(Err(error)) => tracing::debug!(%error, "upgrade failed"),
            Err(_) => tracing::debug!("upgrade took too long"),
        }
        drop((lease, connection));
    }
}

async fn carry(
    client: Upgraded,
    upstream: Upgraded,
    live: Option<&dyn Live>,
    websocket: bool,
    half_open: Duration,
) -> io::Result<()> {
    let (from_client, mut to_client) = split(TokioIo::new(client));
    let (from_upstream, to_upstream) = split(TokioIo::new(upstream));
    let mut frames = Frames::default();
    let stop = async {
        match live {
            Some(live) => live.stopped().await,
            None => pending().await,
        }
    };
    let reason: StopReason = {
        let both = async {
            let half = HalfOpen { ended: Semaphore::new(0), patience: half_open };
            let inbound = pump(from_client, to_upstream, &half, |_| {
                if let Some(live) = live {
                    live.inbound();
                }
            });
            let outbound = pump(from_upstream, &mut to_client, &half, |bytes| frames.advance(bytes));
            tokio::try_join!(inbound, outbound).map(|((), ())| ())
        };
        tokio::select! {
            biased;
            reason = stop => reason,
            ended = both => return ended,
        }
    };
    // Without a word a page would take it for a network error and connect again at once.
    let farewell = async {
        if websocket && frames.at_boundary() {
            to_client.write_all(&close(reason.close_code())).await?;
        }
        to_client.shutdown().await
    };
    timeout(FAREWELL, farewell).await.unwrap_or(Ok(()))
}

/// One direction may end long before the other (half-close), but the other does not get for ever then.
struct HalfOpen {
    /// Closed when a direction has ended; never has a permit.
    ended: Semaphore,
    patience: Duration,
}

impl HalfOpen {
    /// Resolves when the other direction has ended and this one has been silent for too long.
    async fn expired(&self) {
        if self.ended.acquire().await.is_err() {
            sleep(self.patience).await;
        }
    }
}

async fn pump<R, W>(mut from: R, mut to: W, half: &HalfOpen, mut passed: impl FnMut(&[u8])) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = tokio::select! {
            biased;
            read = from.read(&mut buffer) => read?,
            () = half.expired() => 0,
        };
        let mut rest = buffer.get(..read).unwrap_or_default();
        if rest.is_empty() {
            half.ended.close();
            return to.shutdown().await;
        }
        // Write by write, so that what was passed on is known exactly if a stop comes in between.
        while !rest.is_empty() {
            let written = to.write(rest).await?;
            let Some((done, left)) = rest.split_at_checked(written).filter(|(done, _)| !done.is_empty())
            else {
                return Err(io::ErrorKind::WriteZero.into());
            };
            passed(done);
            rest = left;
        }
        to.flush().await?;
    }
}
