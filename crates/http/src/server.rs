//! Listening: TLS, HTTP/1.1 and HTTP/2, limits on heads and connections, graceful shutdown (design §7, §9).

mod activity;
mod conversation;
mod plain;
mod seat;
mod stream;
mod worker;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use countersign_core::port::Outside;
use countersign_proxy::{ClientConnection, Refusal};
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_rustls::TlsAcceptor;

use activity::Activity;
use conversation::{converse, guard};
use seat::{Seat, Seats};
use stream::Streams;
use worker::Workers;

use crate::dispatch::dispatch;
use crate::route;
use crate::site::Site;
use crate::wire::body::Answer;

/// Largest request head; above, 431.
const MAX_HEAD: usize = 64 * 1024;
/// What an HTTP/2 stream may hold that its client does not take.
const MAX_UNSENT: usize = 64 * 1024;
/// Longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Open connections to each of the listeners for operators at most.
const ADMIN_CONNECTIONS: usize = 64;
/// Time for their next request head to be complete, and for an answer to be taken.
const ADMIN_HEAD: Duration = Duration::from_secs(10);
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
    /// Threads that serve browsers, each with a runtime of its own; 0 serves them on the runtime of the caller.
    pub threads: usize,
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
    builder: Builder<Streams>,
    seats: Arc<Seats>,
    closed: watch::Receiver<bool>,
    /// Dropped with the last connection.
    open: mpsc::Sender<()>,
}

/// Serves until `stop` completes, then shuts down gracefully: not ready, then no new requests, WebSockets closed with 1012, then the end.
///
/// # Errors
/// The system gives no threads for it.
pub async fn serve<O: Outside>(
    site: Arc<Site<O>>,
    listeners: Listeners,
    stop: impl Future<Output = ()> + Send,
    shutdown: Shutdown,
) -> io::Result<()> {
    let (closing, closed) = watch::channel(false);
    let (open, mut all_closed) = mpsc::channel::<()>(1);
    let following = tokio::spawn(Arc::clone(&site.live).follow(Arc::clone(&site.engine)));
    let router = route::router(&site);
    let seats = Seats::new(site.settings.connections);
    let workers = Workers::none();
    for listener in listeners.public {
        let door = Arc::new(Door {
            site: Arc::clone(&site),
            router: router.clone(),
            tls: listeners.tls.clone().map(TlsAcceptor::from),
            builder: builder(site.settings.head_timeout, site.settings.write_stall),
            seats: Arc::clone(&seats),
            closed: closed.clone(),
            open: open.clone(),
        });
        if listeners.threads == 0 {
            tokio::spawn(door.accept(listener));
        } else {
            workers.start(&door, listener, listeners.threads)?;
        }
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
    workers.end().await;
    following.abort();
    for task in admin {
        task.abort();
    }
    Ok(())
}

fn builder(head_timeout: Duration, stall: Duration) -> Builder<Streams> {
    let mut builder = Builder::new(Streams::new(stall));
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        // Heads that are too large never get here, so that we answer them and not the parser.
        .max_buf_size(MAX_HEAD + 4096)
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .max_concurrent_streams(100)
        .max_send_buf_size(MAX_UNSENT)
        .keep_alive_interval(Some(Duration::from_secs(60)))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

impl<O: Outside> Door<O> {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut closed = self.closed.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = closing(&mut closed) => return,
            };
            match accepted {
                Ok((stream, peer)) => {
                    // Only now: a listener that nobody connects to must not keep the last places.
                    let seat = tokio::select! {
                        seat = self.seats.take() => seat,
                        () = closing(&mut closed) => return,
                    };
                    let door = Arc::clone(&self);
                    tokio::spawn(async move { door.connection(stream, peer.ip(), seat).await });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn connection(&self, mut stream: TcpStream, peer: IpAddr, seat: Seat) {
        let _open = self.open.clone();
        // Small answers must not wait for more. Failing costs latency only.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
        match &self.tls {
            None => self.http(stream, peer, seat).await,
            Some(acceptor) => {
                let handshake = async {
                    if plain::is_plain(&stream).await? {
                        plain::point_to(&mut stream, &self.site.settings.public_origin).await?;
                        return Ok(None);
                    }
                    acceptor.accept(stream).await.map(Some)
                };
                let handshake = tokio::select! {
                    ended = tokio::time::timeout(HANDSHAKE, handshake) => ended,
                    () = seat.activity.eviction() => return,
                };
                match handshake {
                    Ok(Ok(Some(stream))) => self.http(stream, peer, seat).await,
                    Ok(Ok(None)) => tracing::debug!("plain HTTP where TLS is spoken"),
                    Ok(Err(error)) => tracing::debug!(%error, "TLS handshake"),
                    Err(_elapsed) => tracing::debug!("TLS handshake took too long"),
                }
            }
        }
    }

    async fn http<T>(&self, stream: T, peer: IpAddr, seat: Seat)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let settings = &self.site.settings;
        let stream = guard(stream, settings.head_timeout, settings.write_stall);
        let activity = Arc::clone(&seat.activity);
        let connection = if settings.trusted.contains(peer) {
            ClientConnection::of_proxy(Arc::new(seat))
        } else {
            ClientConnection::of_client(Arc::new(seat))
        };
        let answer = |mut request: Request<Incoming>| {
            request.extensions_mut().insert(connection.clone());
            dispatch(Arc::clone(&self.site), self.router.clone(), request, peer)
        };
        let mut closed = self.closed.clone();
        converse(&self.builder, stream, answer, &activity, closing(&mut closed)).await;
    }
}

/// Completes when no new requests are taken. (The watch's guard must not live across an await.)
async fn closing(closed: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _gone = closed.wait_for(|c| *c).await.is_err();
}

/// Plain HTTP for operators: few connections, small heads, no secrets.
async fn accept_admin<O: Outside>(site: Arc<Site<O>>, listener: TcpListener, metrics: bool) {
    let builder = builder(ADMIN_HEAD, ADMIN_HEAD);
    let limit = Arc::new(Semaphore::new(ADMIN_CONNECTIONS));
    while let Ok(permit) = Arc::clone(&limit).acquire_owned().await {
        let Ok((stream, _peer)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (site, builder) = (Arc::clone(&site), builder.clone());
        tokio::spawn(async move {
            let answer = |request| admin_answer(Arc::clone(&site), request, metrics);
            let (stream, activity) = (guard(stream, ADMIN_HEAD, ADMIN_HEAD), Arc::<Activity>::default());
            converse(&builder, stream, answer, &activity, std::future::pending()).await;
            drop(permit);
        });
    }
}

async fn admin_answer<O: Outside>(site: Arc<Site<O>>, request: Request<Incoming>, metrics: bool) -> Answer {
    let (parts, _body) = request.into_parts();
    match Refusal::of(&parts) {
        None => route::admin::answer(&site, &parts.method, parts.uri.path(), metrics).await,
        Some(refusal) => {
            let mut answer = Answer::new(format!("{refusal}\n").into());
            *answer.status_mut() = refusal.status();
            answer
        }
    }
}
