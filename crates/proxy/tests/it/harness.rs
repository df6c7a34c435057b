//! A scripted upstream, a gateway that does nothing but forward, and a raw client.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use countersign_proxy::{
    BadRequest, Body, ForwardContext, ForwardError, Live, Origin, Protected, ProxyBody, PublicOrigin,
    StrictHeads, Upstream, UpstreamConfig, WriteStall, hygiene,
};
use http::{Request, Response};
use http_body_util::{BodyExt, Either, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const SOON: Duration = Duration::from_secs(5);
/// How long a gateway waits for a first head.
pub(crate) const PATIENCE: Duration = Duration::from_millis(1500);

/// Fails the test instead of hanging it.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.expect("in time")
}

/// An upstream that does with each connection what the script says.
pub(crate) struct Scripted {
    pub(crate) origin: Origin,
    accepted: Arc<AtomicUsize>,
}

impl Scripted {
    pub(crate) async fn start<F, Fut>(script: F) -> Self
    where
        F: Fn(usize, TcpStream) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let number = count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(script(number, stream));
            }
        });
        Self { origin, accepted }
    }

    /// Every connection answers every request with the same bytes.
    pub(crate) async fn always(answer: &'static str) -> Self {
        Self::start(move |_, mut stream| async move {
            while !read_head(&mut stream).await.is_empty() {
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        })
        .await
    }

    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    pub(crate) fn config(&self) -> UpstreamConfig {
        UpstreamConfig::new("app", self.origin.clone())
    }

    pub(crate) fn upstream(&self) -> Upstream {
        Upstream::new(self.config())
    }
}

/// One head, up to and with the empty line; empty at the end of the connection.
pub(crate) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// What comes until the connection ends, in either way.
pub(crate) async fn read_rest(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    let _ended = stream.read_to_end(&mut rest).await;
    String::from_utf8_lossy(&rest).into_owned()
}

/// Reads until this text has come; what came so far.
pub(crate) async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(text) {
        match stream.read_u8().await {
            Ok(byte) => seen.push(byte),
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&seen)),
        }
    }
    String::from_utf8_lossy(&seen).into_owned()
}

/// Cleans and forwards, as a caller does.
pub(crate) async fn forward<B: Into<Body>>(
    upstream: &Upstream,
    mut request: Request<B>,
    live: Option<Arc<dyn Live>>,
) -> Result<Response<ProxyBody>, ForwardError> {
    let public = PublicOrigin::parse("https://app.example.com").unwrap();
    let cleaned = hygiene::clean_request(request.headers_mut(), &Protected::default());
    let context = ForwardContext {
        cleaned,
        client: [192, 0, 2, 7].into(),
        public: &public,
        timeouts: upstream.timeouts(),
        live,
    };
    upstream.forward(request, context).await
}

/// Forwards a request without a body.
pub(crate) async fn get(upstream: &Upstream, path: &str) -> Result<Response<ProxyBody>, ForwardError> {
    let request = Request::get(path).header("host", "app.example.com").body(Body::empty()).unwrap();
    soon(forward(upstream, request, None)).await
}

/// The whole text of an answer.
pub(crate) async fn text(answer: Response<ProxyBody>) -> String {
    let body = soon(answer.into_body().collect()).await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// A server in front of one upstream; errors become a status and their name in the body.
pub(crate) struct Gateway {
    address: std::net::SocketAddr,
}

impl Gateway {
    pub(crate) async fn start(upstream: Upstream) -> Self {
        Self::with_live(upstream, None).await
    }

    pub(crate) async fn with_live(upstream: Upstream, live: Option<Arc<dyn Live>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let upstream = Arc::new(upstream);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let (upstream, live) = (Arc::clone(&upstream), live.clone());
                tokio::spawn(async move {
                    let io = StrictHeads::new(WriteStall::new(stream, Duration::from_secs(60)), PATIENCE);
                    let watch = io.watch();
                    let service = service_fn(|request| {
                        let (upstream, live, watch) = (Arc::clone(&upstream), live.clone(), watch.clone());
                        async move {
                            let answer = answer(forward(&upstream, request, live).await);
                            watch.answered(answer.status());
                            Ok::<_, Infallible>(answer)
                        }
                    });
                    let io = TokioIo::new(io);
                    let server = auto::Builder::new(TokioExecutor::new());
                    let _ended = server.serve_connection_with_upgrades(io, service).await;
                });
            }
        });
        Self { address }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Sends raw bytes on a new connection.
    pub(crate) async fn send(&self, text: &str) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// Everything that comes back for raw bytes that end with a request to close.
    pub(crate) async fn exchange(&self, text: &str) -> String {
        let mut stream = self.send(text).await;
        soon(read_rest(&mut stream)).await
    }
}

type Answer = Response<Either<ProxyBody, Full<Bytes>>>;

fn answer(result: Result<Response<ProxyBody>, ForwardError>) -> Answer {
    let (status, name) = match result {
        Ok(answer) => return answer.map(Either::Left),
        Err(ForwardError::BadRequest(BadRequest::Head(refusal))) => (refusal.status().as_u16(), "Head"),
        Err(ForwardError::BadRequest(_)) => (400, "BadRequest"),
        Err(ForwardError::ClientGone) => (408, "ClientGone"),
        Err(ForwardError::Saturated) => (503, "Saturated"),
        Err(ForwardError::TimedOut(_)) => (504, "TimedOut"),
        Err(ForwardError::Connect(_)) => (502, "Connect"),
        Err(ForwardError::Upstream(_)) => (502, "Upstream"),
        Err(ForwardError::BrokenUpstream(_)) => (502, "BrokenUpstream"),
    };
    Response::builder().status(status).body(Either::Right(Full::from(name))).unwrap()
}
