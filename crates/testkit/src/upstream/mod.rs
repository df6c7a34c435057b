//! An application to stand behind the gateway: says what it received, and does what the path and query tell it.
//!
//! | path | does |
//! |---|---|
//! | `/sse` | sends `data: <n>` every 50 ms until the connection ends |
//! | `/ws` | echoes WebSocket frames |
//! | `/redirect` | 302 to `/landed` on its own origin |
//! | `/big?bytes=N` | streams N bytes |
//! | `/slow-body` | takes the request's body in, and answers with its length |
//! | anything else | 200 and JSON: `{method, path, query, headers: [[name, value], …], body}` |
//!
//! Knobs in the query of the last: `status=404`, `delay_ms=50`, `header=name:value` (percent-encoded, repeatable).

mod answer;
mod websocket;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// All headers, in the order and spelling of HTTP/1.1 after parsing.
    pub headers: HeaderMap,
}

impl Seen {
    /// The value of a header that came once. Panics if it came twice.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        assert!(values.len() < 2, "{name} came {} times", values.len());
        values.first().map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned())
    }
}

/// What an application of a test's own answers.
type App = Arc<dyn Fn(&Seen, &Bytes) -> Response<Bytes> + Send + Sync>;

pub(crate) type Log = Arc<Mutex<Vec<Seen>>>;

/// A running application. Ends when dropped.
#[derive(Debug)]
pub struct TestUpstream {
    origin: String,
    log: Log,
    serving: AbortHandle,
}

impl TestUpstream {
    /// Starts on a free loopback port.
    pub async fn start() -> Self {
        Self::serving(None).await
    }

    /// Starts an application of the test's own: it is told what came, with the whole body, and says what goes back.
    pub async fn app(answer: impl Fn(&Seen, &Bytes) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        Self::serving(Some(Arc::new(answer))).await
    }

    async fn serving(app: Option<App>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("address"));
        let log = Log::default();
        let serving = tokio::spawn(accept(listener, origin.clone(), Arc::clone(&log), app)).abort_handle();
        Self { origin, log, serving }
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Every request so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The last request. Panics if there was none.
    #[must_use]
    pub fn last(&self) -> Seen {
        self.seen().pop().expect("the upstream was asked")
    }

    /// Stops: connections break, new ones are refused.
    pub fn stop(&self) {
        self.serving.abort();
    }
}

impl Drop for TestUpstream {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn accept(listener: TcpListener, origin: String, log: Log, app: Option<App>) {
    // Dropped with this task, and the connections with it.
    let mut connections = JoinSet::new();
    while let Ok((stream, _peer)) = listener.accept().await {
        let (origin, log, app) = (origin.clone(), Arc::clone(&log), app.clone());
        connections.spawn(async move {
            let service = service_fn(move |request| {
                answer::answer(request, origin.clone(), Arc::clone(&log), app.clone())
            });
            // Clients that hang up are part of tests.
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await);
        });
        while connections.try_join_next().is_some() {}
    }
}
