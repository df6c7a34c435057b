//! One client's connection, from its first byte to its end.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use countersign_proxy::{StrictHeads, Watch, WriteStall};
use http::{Request, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};

use super::activity::{Activity, Running};
use super::stream::{Pulse, Streams};
use crate::wire::body::{Answer, AnswerBody, BodyFailure};

/// The longest wait for a connection's first request head. Whoever opens a connection has something to say.
const FIRST_HEAD: Duration = Duration::from_secs(10);
/// What is given to an HTTP/2 stream at a time: a frame. So a client that takes little is seen to take something.
const PIECE: usize = 16 * 1024;

/// A client's connection that may not send heads that two servers read differently (K07), be silent from its
/// beginning, or take nothing for ever.
pub(super) fn guard<T>(stream: T, head_timeout: Duration, stall: Duration) -> StrictHeads<WriteStall<T>> {
    StrictHeads::new(WriteStall::new(stream, stall), head_timeout.min(FIRST_HEAD))
}

/// Serves a connection until it ends, is idle for too long, its place is needed, or `closing` completes and its last
/// request is answered.
pub(super) async fn converse<T, F, Fut>(
    builder: &Builder<Streams>,
    stream: StrictHeads<WriteStall<T>>,
    answer: F,
    activity: &Arc<Activity>,
    closing: impl Future<Output = ()>,
) where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Incoming>) -> Fut,
    Fut: Future<Output = Answer> + Send + 'static,
{
    let watch = stream.watch();
    let service = service_fn(|request| {
        let running = Running::begin(activity);
        let (watch, answer, activity) = (watch.clone(), answer(request), Arc::clone(activity));
        async move {
            let answer = answer.await;
            watch.answered(answer.status());
            if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                activity.leave_http();
            }
            let end = Finish(watch);
            Ok::<_, std::convert::Infallible>(answer.map(|body| Counted::new(body, running.answered(), end)))
        }
    });
    let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = activity.abuse() => {
            tracing::debug!("a client gave up too many of its requests");
            return;
        }
        () = spare(activity, &watch) => {
            if !activity.has_begun() {
                return;
            }
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

/// Completes when nobody would miss the connection, or somebody needs its place more.
async fn spare(activity: &Activity, watch: &Watch) {
    tokio::select! {
        () = activity.idle(watch) => {}
        () = activity.eviction() => {}
    }
}

/// An answer's body, with the request that it belongs to.
struct Counted {
    body: AnswerBody,
    /// What is left of a frame that was given in part.
    rest: Bytes,
    pulse: Option<Arc<Pulse>>,
    _running: Running,
    _end: Finish,
}

/// Tells the connection when an answer is over.
struct Finish(Watch);

impl Drop for Finish {
    fn drop(&mut self) {
        self.0.finished();
    }
}

impl Counted {
    fn new(body: AnswerBody, running: Running, end: Finish) -> Self {
        let pulse = Pulse::of_stream();
        let upstream = match &body {
            AnswerBody::Proxy(body) => Some(&**body),
            AnswerBody::Passing(body) => Some(body.inner()),
            AnswerBody::Full(_) | AnswerBody::Route(_) => None,
        };
        if let (Some(pulse), Some(body)) = (&pulse, upstream) {
            pulse.press(body.pressure());
        }
        Self { body, rest: Bytes::new(), pulse, _running: running, _end: end }
    }

    /// The next frame, in pieces.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFailure>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)).transpose()?.map(Frame::into_data) {
                Some(Ok(data)) => self.rest = data,
                Some(Err(trailers)) => return Poll::Ready(Some(Ok(trailers))),
                None => return Poll::Ready(None),
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

impl Body for Counted {
    type Data = Bytes;
    type Error = BodyFailure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFailure>>> {
        let Some(pulse) = self.pulse.clone() else { return Pin::new(&mut self.body).poll_frame(cx) };
        pulse.asked();
        let piece = ready!(self.poll_piece(cx));
        if piece.is_some() {
            pulse.gave(!self.body.is_end_stream());
        }
        Poll::Ready(piece)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(rest));
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use http_body_util::{BodyExt, Empty};
    use hyper::client::conn::http2::{SendRequest, handshake};
    use hyper_util::rt::{TokioExecutor, TokioTimer};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::task::JoinHandle;
    use tokio::time::{Instant, sleep};

    use super::*;

    const STALL: Duration = Duration::from_secs(60);

    /// A client of HTTP/2 that answers pings, and the server's side of its connection.
    async fn connected(wait: Duration) -> (SendRequest<Empty<Bytes>>, JoinHandle<()>) {
        let (ours, theirs) = duplex(64 * 1024);
        let server = tokio::spawn(async move {
            let mut builder = Builder::new(Streams::new(STALL));
            builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(Duration::from_secs(60)));
            let answer = |_request| async move {
                sleep(wait).await;
                Answer::new(AnswerBody::from("done"))
            };
            let ours = guard(ours, Duration::from_secs(10), STALL);
            converse(&builder, ours, answer, &Arc::default(), pending()).await;
        });
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(theirs)).await.unwrap();
        tokio::spawn(async move { drop(connection.await) });
        (sender, server)
    }

    /// A connection over HTTP/1.1 whose answer takes `wait`, and whether its request still runs.
    fn half_closed(wait: Duration) -> (DuplexStream, Arc<()>, JoinHandle<()>) {
        let (ours, theirs) = duplex(64 * 1024);
        let runs = Arc::new(());
        let held = Arc::clone(&runs);
        let server = tokio::spawn(async move {
            let mut builder = Builder::new(Streams::new(STALL));
            builder.http1().timer(TokioTimer::new());
            let answer = |_request| {
                let held = Arc::clone(&held);
                async move {
                    sleep(wait).await;
                    drop(held);
                    Answer::new(AnswerBody::from("done"))
                }
            };
            let ours = guard(ours, Duration::from_secs(10), STALL);
            converse(&builder, ours, answer, &Arc::default(), pending()).await;
        });
        (theirs, runs, server)
    }

    /// RFC 9293 §3.6: who closed only their sending half reads the answer.
    #[tokio::test(start_paused = true)]
    async fn half_closed_clients_are_answered() {
        let (mut client, _runs, server) = half_closed(Duration::from_millis(900));
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
        server.await.unwrap();
    }

    /// J07: who left is not waited for: the request, and with it the upstream's connection, goes within a second.
    #[tokio::test(start_paused = true)]
    async fn j07_clients_that_left_are_not_waited_for() {
        let began = Instant::now();
        let (mut client, runs, server) = half_closed(Duration::from_secs(60));
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        client.shutdown().await.unwrap();
        server.await.unwrap();
        assert_eq!(Arc::strong_count(&runs), 1, "its request was dropped");
        assert!(began.elapsed() <= Duration::from_millis(1100), "{:?}", began.elapsed());
    }

    /// Nothing is owed between requests: such a connection ends with its client.
    #[tokio::test(start_paused = true)]
    async fn clients_that_are_owed_nothing_end_at_once() {
        let (mut client, _runs, server) = half_closed(Duration::ZERO);
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut answer = [0; 15];
        client.read_exact(&mut answer).await.unwrap();
        let began = Instant::now();
        drop(client);
        server.await.unwrap();
        assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
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
