//! Bodies without an end in sight, and large ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use countersign_proxy::{BodyError, Live, Stop, StopReason, Upstream};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::harness::{Gateway, Scripted, forward, read_head, read_rest, read_until, soon};

/// A session that a test can end.
pub(crate) struct Session {
    end: watch::Sender<Option<StopReason>>,
    pub(crate) inbound: AtomicU64,
    pub(crate) asked: AtomicUsize,
}

impl Session {
    pub(crate) fn new() -> Arc<Self> {
        let (end, _) = watch::channel(None);
        Arc::new(Self { end, inbound: AtomicU64::new(0), asked: AtomicUsize::new(0) })
    }

    pub(crate) fn end(&self, reason: StopReason) {
        self.end.send_replace(Some(reason));
    }
}

impl Live for Session {
    fn inbound(&self) {
        self.inbound.fetch_add(1, Ordering::SeqCst);
    }

    fn stopped(&self) -> Stop {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut end = self.end.subscribe();
        Box::pin(async move { end.wait_for(Option::is_some).await.unwrap().unwrap() })
    }
}

fn request(path: &str) -> http::Request<countersign_proxy::Body> {
    http::Request::get(path).header("host", "a").body(countersign_proxy::Body::empty()).unwrap()
}

/// An upstream that sends one event, then the next only when told; and says when its connection is gone.
async fn events(
    kind: &'static str,
) -> (Scripted, watch::Sender<bool>, tokio::sync::mpsc::UnboundedReceiver<()>) {
    let (next, gate) = watch::channel(false);
    let (gone, is_gone) = tokio::sync::mpsc::unbounded_channel();
    let scripted = Scripted::start(move |_, mut stream| {
        let (mut gate, gone) = (gate.clone(), gone.clone());
        async move {
            read_head(&mut stream).await;
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(b"9\r\ndata: 1\n\n\r\n").await.unwrap();
            tokio::select! {
                _ = gate.wait_for(|open| *open) => {}
                _ = read_rest(&mut stream) => { gone.send(()).unwrap(); return }
            }
            stream.write_all(b"9\r\ndata: 2\n\n\r\n").await.unwrap();
            read_rest(&mut stream).await;
            let _unheard = gone.send(());
        }
    })
    .await;
    (scripted, next, is_gone)
}

/// The first event is there before the second is sent, and silence within a stream is no error.
#[tokio::test]
async fn events_are_not_buffered_and_not_timed() {
    let (scripted, next, _gone) = events("text/event-stream; charset=utf-8").await;
    let mut config = scripted.config();
    config.timeouts.between_bytes = Some(Duration::from_millis(30));
    let gateway = Gateway::start(Upstream::new(config)).await;
    let mut client = gateway.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    soon(read_until(&mut client, "data: 1\n\n")).await;
    sleep(Duration::from_millis(120)).await;
    next.send_replace(true);
    soon(read_until(&mut client, "data: 2\n\n")).await;
}

/// K10: revocation ends an event stream cleanly, and its connection to the upstream.
#[tokio::test]
async fn k10_event_streams_end_with_their_session() {
    let (scripted, _next, mut gone) = events("text/event-stream").await;
    let session = Session::new();
    let live: Arc<dyn Live> = Arc::clone(&session) as _;
    let gateway = Gateway::with_live(scripted.upstream(), Some(live)).await;
    let mut client = gateway.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    soon(read_until(&mut client, "data: 1\n\n")).await;
    session.end(StopReason::Revoked);
    let rest = soon(read_until(&mut client, "0\r\n\r\n")).await;
    assert!(!rest.contains("data: 2"), "{rest}");
    soon(gone.recv()).await.unwrap();
}

/// K10: a session that ended before the stream began ends it as well; other streams must not look complete.
#[tokio::test]
async fn k10_other_streams_break_off_with_their_session() {
    let (scripted, _next, mut gone) = events("application/x-ndjson").await;
    let session = Session::new();
    session.end(StopReason::Revoked);
    let live: Arc<dyn Live> = Arc::clone(&session) as _;
    let answer = soon(forward(&scripted.upstream(), request("/"), Some(live))).await.unwrap();
    let broken = soon(answer.into_body().collect()).await.unwrap_err();
    assert!(matches!(broken, BodyError::Stopped), "{broken:?}");
    soon(gone.recv()).await.unwrap();
}

/// A server that stops lets a page that streams finish.
#[tokio::test]
async fn other_streams_may_finish_when_the_server_stops() {
    let scripted = Scripted::start(|_, mut stream| async move {
        read_head(&mut stream).await;
        let head =
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nha\r\n";
        stream.write_all(head).await.unwrap();
        sleep(Duration::from_millis(100)).await;
        stream.write_all(b"2\r\nlf\r\n0\r\n\r\n").await.unwrap();
    })
    .await;
    let session = Session::new();
    session.end(StopReason::Shutdown);
    let live: Arc<dyn Live> = Arc::clone(&session) as _;
    let answer = soon(forward(&scripted.upstream(), request("/"), Some(live))).await.unwrap();
    assert_eq!(soon(answer.into_body().collect()).await.unwrap().to_bytes(), "half");
}

/// Nothing is asked of the session for an ordinary page.
#[tokio::test]
async fn ordinary_answers_never_ask_for_the_session() {
    let scripted = Scripted::start(|_, mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha").await.unwrap();
        sleep(Duration::from_millis(50)).await;
        stream.write_all(b"lf").await.unwrap();
    })
    .await;
    let session = Session::new();
    let live: Arc<dyn Live> = Arc::clone(&session) as _;
    let answer = soon(forward(&scripted.upstream(), request("/"), Some(live))).await.unwrap();
    assert_eq!(soon(answer.into_body().collect()).await.unwrap().to_bytes(), "half");
    assert_eq!(session.asked.load(Ordering::SeqCst), 0);
}

const LARGE: usize = 64 * 1024 * 1024;

/// Reads this many bytes, all of this value; the most memory that the process had meanwhile.
async fn expect(stream: &mut (impl AsyncReadExt + Unpin), byte: u8, mut left: usize) -> usize {
    let wanted = vec![byte; 65536];
    let mut buffer = vec![0; 65536];
    let mut most = 0;
    while left > 0 {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0 && buffer[..read] == wanted[..read], "{left} bytes are missing");
        left -= read;
        most = most.max(resident());
    }
    most
}

async fn fill(stream: &mut (impl AsyncWriteExt + Unpin), byte: u8) {
    let block = vec![byte; 65536];
    for _ in 0..LARGE / block.len() {
        stream.write_all(&block).await.unwrap();
    }
}

/// 64 MiB up, then 64 MiB down; the memory of the process stays where it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_stream_both_ways_in_flat_memory() {
    let scripted = Scripted::start(|_, mut stream| async move {
        read_head(&mut stream).await;
        expect(&mut stream, 1, LARGE).await;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        fill(&mut stream, 2).await;
    })
    .await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let before = resident();
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {LARGE}\r\n\r\n");
    let mut client = gateway.send(&head).await;
    fill(&mut client, 1).await;
    let head = read_head(&mut client).await;
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    let most = expect(&mut client, 2, LARGE).await;
    // Other tests run in this process too, but none of them holds tens of megabytes.
    assert!(most.saturating_sub(before) < 40 * 1024, "grew by {} kB", most.saturating_sub(before));
}

/// kB, as Linux counts them.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A client that does not read holds the upstream back: nothing is piled up in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_slows_the_upstream() {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let scripted = Scripted::start(move |_, mut stream| {
        let count = Arc::clone(&count);
        async move {
            read_head(&mut stream).await;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let block = vec![0; 65536];
            while stream.write_all(&block).await.is_ok() {
                count.fetch_add(block.len(), Ordering::SeqCst);
            }
        }
    })
    .await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let _idle = gateway.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut last = usize::MAX;
    while last != sent.load(Ordering::SeqCst) || last == 0 {
        last = sent.load(Ordering::SeqCst);
        sleep(Duration::from_millis(200)).await;
    }
    assert!(last < LARGE / 2, "{last} bytes went somewhere");
}

/// Both directions at once, as some protocols over HTTP/1.1 do.
#[tokio::test]
async fn request_and_answer_may_interleave() {
    let scripted = Scripted::start(|_, mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
        for text in ["one", "two", "end"] {
            read_until(&mut stream, text).await;
            stream.write_all(format!("3\r\n{text}\r\n").as_bytes()).await.unwrap();
        }
        read_until(&mut stream, "0\r\n\r\n").await;
        stream.write_all(b"0\r\n\r\n").await.unwrap();
    })
    .await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let mut client = gateway.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    for text in ["one", "two", "end"] {
        client.write_all(format!("3\r\n{text}\r\n").as_bytes()).await.unwrap();
        soon(read_until(&mut client, text)).await;
    }
    client.write_all(b"0\r\n\r\n").await.unwrap();
    soon(read_until(&mut client, "0\r\n\r\n")).await;
}
