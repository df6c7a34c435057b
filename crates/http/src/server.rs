//! Listening: TLS, HTTP/1.1 and HTTP/2, limits on heads and connections, graceful shutdown (design §7, §9).

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use countersign_core::port::Outside;
use countersign_proxy::{StrictHeads, WriteStall};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_rustls::TlsAcceptor;

use crate::dispatch::dispatch;
use crate::route;
use crate::site::Site;
use crate::wire::body::Answer;

/// Largest request head; above, 431.
const MAX_HEAD: usize = 64 * 1024;
/// Longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a client may take nothing of an answer.
const WRITE_STALL: Duration = Duration::from_secs(60);
/// After a failed accept (out of descriptors, mostly): time for connections to end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// TLS settings. Certificates may change while serving, by the resolver in them.
pub type TlsConfig = Arc<rustls::ServerConfig>;

/// Where to listen.
#[derive(Debug)]
pub struct Listeners {
    /// For browsers.
    pub public: Vec<TcpListener>,
    /// TLS for them; none where the site's transport is plain.
    pub tls: Option<TlsConfig>,
    /// `/healthz`, `/readyz`, `/metrics`: plain HTTP.
    pub admin: Option<TcpListener>,
    /// `/healthz`, `/readyz` elsewhere.
    pub health: Option<TcpListener>,
}

/// How to stop.
#[derive(Clone, Copy, Debug)]
pub struct Shutdown {
    /// Not ready, but still serving, so that balancers look away.
    pub unready: Duration,
    /// Requests may finish.
    pub drain: Duration,
}

/// What every connection of a listener shares.
struct Door<O: Outside> {
    site: Arc<Site<O>>,
    router: Router,
    tls: Option<TlsAcceptor>,
    builder: Builder<TokioExecutor>,
    limit: Arc<Semaphore>,
    closed: watch::Receiver<bool>,
    /// Dropped with the last connection.
    open: mpsc::Sender<()>,
}

/// Serves until `stop` completes, then shuts down gracefully: not ready, then no new requests, WebSockets closed with 1012, then the end.
pub async fn serve<O: Outside>(
    site: Arc<Site<O>>,
    listeners: Listeners,
    stop: impl Future<Output = ()> + Send,
    shutdown: Shutdown,
) {
    let (closing, closed) = watch::channel(false);
    let (open, mut all_closed) = mpsc::channel::<()>(1);
    let following = tokio::spawn(Arc::clone(&site.live).follow(Arc::clone(&site.engine)));
    let router = route::router(&site);
    let limit = Arc::new(Semaphore::new(site.settings.connections));
    for listener in listeners.public {
        let door = Arc::new(Door {
            site: Arc::clone(&site),
            router: router.clone(),
            tls: listeners.tls.clone().map(TlsAcceptor::from),
            builder: builder(site.settings.head_timeout),
            limit: Arc::clone(&limit),
            closed: closed.clone(),
            open: open.clone(),
        });
        tokio::spawn(door.accept(listener));
    }
    let mut admin = Vec::new();
    for (listener, metrics) in [(listeners.admin, true), (listeners.health, false)] {
        if let Some(listener) = listener {
            admin.push(tokio::spawn(accept_admin(Arc::clone(&site), listener, metrics)));
        }
    }
    drop((open, closed));
    stop.await;
    site.ready.store(false, Ordering::Relaxed);
    tokio::time::sleep(shutdown.unready).await;
    closing.send_replace(true);
    site.live.shut_down();
    // A tunnel outlives the connection it came by, and must still write its close frame.
    let drained = async {
        all_closed.recv().await;
        site.live.all_gone().await;
    };
    if tokio::time::timeout(shutdown.drain, drained).await.is_err() {
        tracing::warn!(
            seconds = shutdown.drain.as_secs(),
            "requests were still running at the end of the drain"
        );
    }
    following.abort();
    for task in admin {
        task.abort();
    }
}

fn builder(head_timeout: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(MAX_HEAD)
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .max_concurrent_streams(100)
        .keep_alive_interval(Some(Duration::from_secs(60)))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

impl<O: Outside> Door<O> {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut closed = self.closed.clone();
        loop {
            let permit = tokio::select! {
                permit = Arc::clone(&self.limit).acquire_owned() => permit,
                () = closing(&mut closed) => return,
            };
            let Ok(permit) = permit else { return };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = closing(&mut closed) => return,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let door = Arc::clone(&self);
                    tokio::spawn(async move {
                        door.connection(stream, peer.ip()).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn connection(&self, stream: TcpStream, peer: IpAddr) {
        let _open = self.open.clone();
        // Small answers must not wait for more. Failing costs latency only.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
        match &self.tls {
            None => self.http(guard(stream), peer).await,
            Some(acceptor) => match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => self.http(guard(stream), peer).await,
                Ok(Err(error)) => tracing::debug!(%error, "TLS handshake"),
                Err(_elapsed) => tracing::debug!("TLS handshake took too long"),
            },
        }
    }

    async fn http<T>(&self, stream: T, peer: IpAddr)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(|request| {
            let (site, router) = (Arc::clone(&self.site), self.router.clone());
            async move { Ok::<_, std::convert::Infallible>(dispatch(site, router, request, peer).await) }
        });
        let connection = self.builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let mut closed = self.closed.clone();
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = closing(&mut closed) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection");
        }
    }
}

/// What a client's connection may not do: send heads that two servers read differently (K07), or take nothing for ever.
fn guard<T>(stream: T) -> StrictHeads<WriteStall<T>> {
    StrictHeads::new(WriteStall::new(stream, WRITE_STALL))
}

/// Completes when no new requests are taken. (The watch's guard must not live across an await.)
async fn closing(closed: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _gone = closed.wait_for(|c| *c).await.is_err();
}

/// Plain HTTP for operators: few connections, small heads, no secrets.
async fn accept_admin<O: Outside>(site: Arc<Site<O>>, listener: TcpListener, metrics: bool) {
    let builder = builder(Duration::from_secs(10));
    loop {
        let Ok((stream, _peer)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (site, builder) = (Arc::clone(&site), builder.clone());
        tokio::spawn(async move {
            let service = service_fn(|request: http::Request<hyper::body::Incoming>| {
                let site = Arc::clone(&site);
                async move {
                    let answer: Answer =
                        route::admin::answer(&site, request.method(), request.uri().path(), metrics).await;
                    Ok::<_, std::convert::Infallible>(answer)
                }
            });
            if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "admin connection");
            }
        });
    }
}
