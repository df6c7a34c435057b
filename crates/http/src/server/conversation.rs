//! One client's connection, from its first byte to its end.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use countersign_proxy::{StrictHeads, Watch, WriteStall};
use http::Request;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep;

use crate::wire::body::{Answer, AnswerBody, BodyFailure};

/// How long a client may take nothing of an answer.
const WRITE_STALL: Duration = Duration::from_secs(60);
/// How often an HTTP/2 connection is looked at, and how many looks in a row without a request end it: after 75 to
/// 100 s. It answers pings for ever; HTTP/1.1 has the time-out of its next head.
const LOOK: Duration = Duration::from_secs(25);
const LOOKS: usize = 3;
/// How long it then has to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

/// A client's connection that may not send heads that two servers read differently (K07), be silent from its
/// beginning, or take nothing for ever.
pub(super) fn guard<T>(stream: T, head_timeout: Duration) -> StrictHeads<WriteStall<T>> {
    StrictHeads::new(WriteStall::new(stream, WRITE_STALL), head_timeout)
}

/// Serves a connection until it ends, is idle for too long, or `closing` completes and its last request is answered.
pub(super) async fn converse<T, F, Fut>(
    builder: &Builder<TokioExecutor>,
    stream: StrictHeads<WriteStall<T>>,
    answer: F,
    closing: impl Future<Output = ()>,
) where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Incoming>) -> Fut,
    Fut: Future<Output = Answer> + Send + 'static,
{
    let watch = stream.watch();
    let activity = Arc::new(Activity::default());
    let service = service_fn(|request| {
        let running = Running::begin(&activity);
        let (watch, answer) = (watch.clone(), answer(request));
        async move {
            let answer = answer.await;
            watch.answered(answer.status());
            Ok::<_, std::convert::Infallible>(answer.map(|body| Counted { body, _running: running }))
        }
    });
    let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = activity.idle(&watch) => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = activity.over() => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection");
    }
}

/// What happens on a connection.
#[derive(Debug, Default)]
struct Activity {
    running: AtomicUsize,
    begun: AtomicUsize,
}

impl Activity {
    /// Completes when an HTTP/2 connection has had no request for a while.
    async fn idle(&self, watch: &Watch) {
        let (mut looks, mut seen) = (0, 0);
        while looks < LOOKS {
            sleep(LOOK).await;
            let begun = self.begun.load(Ordering::Acquire);
            let quiet = watch.is_http2() && self.running.load(Ordering::Acquire) == 0 && begun == seen;
            looks = if quiet { looks + 1 } else { 0 };
            seen = begun;
        }
    }

    /// Completes when the time to say goodbye has passed and no request is running.
    async fn over(&self) {
        loop {
            sleep(GOODBYE).await;
            if self.running.load(Ordering::Acquire) == 0 {
                return;
            }
        }
    }
}

/// A request, until the last byte of its answer is taken or nobody wants it any more.
#[derive(Debug)]
struct Running(Arc<Activity>);

impl Running {
    fn begin(activity: &Arc<Activity>) -> Self {
        activity.begun.fetch_add(1, Ordering::AcqRel);
        activity.running.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(activity))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

/// An answer's body, with the request that it belongs to.
struct Counted {
    body: AnswerBody,
    _running: Running,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = BodyFailure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFailure>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use http_body_util::{BodyExt, Empty};
    use hyper::client::conn::http2::{SendRequest, handshake};
    use hyper_util::rt::TokioTimer;
    use tokio::io::duplex;
    use tokio::task::JoinHandle;
    use tokio::time::Instant;

    use super::*;

    /// A client of HTTP/2 that answers pings, and the server's side of its connection.
    async fn connected(wait: Duration) -> (SendRequest<Empty<Bytes>>, JoinHandle<()>) {
        let (ours, theirs) = duplex(64 * 1024);
        let server = tokio::spawn(async move {
            let mut builder = Builder::new(TokioExecutor::new());
            builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(Duration::from_secs(60)));
            let answer = |_request| async move {
                sleep(wait).await;
                Answer::new(AnswerBody::from("done"))
            };
            converse(&builder, guard(ours, Duration::from_secs(10)), answer, pending()).await;
        });
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(theirs)).await.unwrap();
        tokio::spawn(async move { drop(connection.await) });
        (sender, server)
    }

    /// K07: whoever only answers pings does not keep a connection for ever.
    #[tokio::test(start_paused = true)]
    async fn k07_idle_http2_connections_end() {
        let began = Instant::now();
        let (_sender, server) = connected(Duration::ZERO).await;
        server.await.unwrap();
        let lasted = began.elapsed().as_secs();
        assert!((75..=106).contains(&lasted), "{lasted} s");
    }

    /// A request that takes longer than that is no idleness.
    #[tokio::test(start_paused = true)]
    async fn long_requests_are_not_idle() {
        let (mut sender, server) = connected(Duration::from_secs(600)).await;
        let answer = sender.send_request(Request::new(Empty::new())).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "done");
        assert!(!server.is_finished());
        server.await.unwrap();
    }
}
