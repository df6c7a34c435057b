//! Reuse, staleness, cancellation, caps and time limits.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign_proxy::{
    Body, ClientConnection, ForwardError, Phase, PoolLimits, ProxyBody, Timeouts, Upstream,
};
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::harness::{Scripted, forward, get, read_head, read_rest, soon, text};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async fn request(upstream: &Upstream, method: Method, body: Body) -> Result<String, ForwardError> {
    let request = Request::builder().method(method).uri("/").header("host", "a").body(body).unwrap();
    Ok(text(soon(forward(upstream, request, None)).await?).await)
}

#[tokio::test]
async fn connections_are_reused() {
    let scripted = Scripted::always(OK).await;
    let upstream = scripted.upstream();
    for _ in 0..20 {
        assert_eq!(text(get(&upstream, "/").await.unwrap()).await, "ok");
    }
    assert_eq!(scripted.accepted(), 1);
}

/// A connection that the upstream closes on the second request without a word.
async fn closes_on_second_request() -> (Scripted, Arc<AtomicUsize>) {
    let heads = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&heads);
    let scripted = Scripted::start(move |number, mut stream: TcpStream| {
        let count = Arc::clone(&count);
        async move {
            for turn in 0.. {
                if read_head(&mut stream).await.is_empty() {
                    return;
                }
                count.fetch_add(1, Ordering::SeqCst);
                if number == 0 && turn == 1 {
                    return;
                }
                stream.write_all(OK.as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    (scripted, heads)
}

/// RFC 9110 §9.2.2: what is idempotent, and has no body, is sent again over a fresh connection.
#[tokio::test]
async fn a_stale_connection_is_retried_once_for_idempotent_requests() {
    for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE] {
        let (scripted, heads) = closes_on_second_request().await;
        let upstream = scripted.upstream();
        request(&upstream, Method::GET, Body::empty()).await.unwrap();
        request(&upstream, method.clone(), Body::empty()).await.unwrap();
        assert_eq!((scripted.accepted(), heads.load(Ordering::SeqCst)), (2, 3), "{method}");
    }
}

/// What may have happened already must not happen twice.
#[tokio::test]
async fn nothing_else_is_sent_twice() {
    let bodies = [
        (Method::POST, Body::empty()),
        (Method::PATCH, Body::empty()),
        (Method::PUT, Body::full("x".into())),
    ];
    for (method, body) in bodies {
        let (scripted, heads) = closes_on_second_request().await;
        let upstream = scripted.upstream();
        request(&upstream, Method::GET, Body::empty()).await.unwrap();
        let refused = request(&upstream, method.clone(), body).await.expect_err(method.as_str());
        assert!(matches!(refused, ForwardError::Upstream(_)), "{method}: {refused:?}");
        assert_eq!((scripted.accepted(), heads.load(Ordering::SeqCst)), (1, 2), "{method}");
    }
}

/// A fresh connection that closes is not stale.
#[tokio::test]
async fn a_fresh_connection_that_fails_is_not_retried() {
    let scripted = Scripted::start(|_, mut stream| async move {
        read_head(&mut stream).await;
    })
    .await;
    let refused = get(&scripted.upstream(), "/").await.unwrap_err();
    assert!(matches!(refused, ForwardError::Upstream(_)), "{refused:?}");
    assert_eq!(scripted.accepted(), 1);
}

/// An upstream that closed while the connection was idle is noticed before the next request, POST or not.
#[tokio::test]
async fn connections_closed_while_idle_are_not_used() {
    let scripted = Scripted::start(|_, mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.unwrap();
    })
    .await;
    let upstream = scripted.upstream();
    for _ in 0..5 {
        assert_eq!(request(&upstream, Method::POST, Body::full("x".into())).await.unwrap(), "ok");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(scripted.accepted(), 5);
}

#[tokio::test]
async fn idle_connections_are_closed_after_their_time() {
    let (sender, mut closed) = tokio::sync::mpsc::unbounded_channel();
    let scripted = Scripted::start(move |_, mut stream| {
        let sender = sender.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(OK.as_bytes()).await.unwrap();
            read_rest(&mut stream).await;
            sender.send(()).unwrap();
        }
    })
    .await;
    let mut config = scripted.config();
    config.limits.idle_timeout = Duration::from_millis(50);
    let upstream = Upstream::new(config);
    assert_eq!(text(get(&upstream, "/").await.unwrap()).await, "ok");
    soon(closed.recv()).await.unwrap();
}

/// J07: a cancelled exchange closes its connection, whether cancelled before or in the middle of the answer.
#[tokio::test]
async fn j07_cancelled_exchanges_discard_their_connection() {
    let (sender, mut closed) = tokio::sync::mpsc::unbounded_channel();
    let scripted = Scripted::start(move |number, mut stream| {
        let sender = sender.clone();
        async move {
            read_head(&mut stream).await;
            match number {
                0 => {}
                1 => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nsecret").await.unwrap(),
                _ => stream.write_all(OK.as_bytes()).await.unwrap(),
            }
            read_rest(&mut stream).await;
            sender.send(number).unwrap();
        }
    })
    .await;
    let upstream = scripted.upstream();
    let waiting = tokio::time::timeout(Duration::from_millis(50), get(&upstream, "/")).await;
    assert!(waiting.is_err());
    assert_eq!(soon(closed.recv()).await, Some(0));

    let mut answer = get(&upstream, "/").await.unwrap();
    assert_eq!(soon(answer.body_mut().frame()).await.unwrap().unwrap().into_data().unwrap(), "secret");
    drop(answer);
    assert_eq!(soon(closed.recv()).await, Some(1));

    assert_eq!(text(get(&upstream, "/").await.unwrap()).await, "ok");
    assert_eq!(scripted.accepted(), 3);
}

/// J07: many users at once, many of whom give up at any moment; every answer is its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j07_answers_never_reach_another_request() {
    let scripted = Scripted::start(|_, mut stream| async move {
        loop {
            let head = read_head(&mut stream).await;
            let Some(marker) = head.split(' ').nth(1) else { return };
            let number: u64 = marker[1..].parse().unwrap();
            sleep(Duration::from_millis(number % 7)).await;
            let half = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{marker}", 2 * marker.len());
            if stream.write_all(half.as_bytes()).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(number % 5)).await;
            if stream.write_all(marker.as_bytes()).await.is_err() {
                return;
            }
        }
    })
    .await;
    let mut config = scripted.config();
    config.limits.connections = 16;
    let upstream = Arc::new(Upstream::new(config));
    let tasks: Vec<_> = (0..300_u64)
        .map(|number| {
            let upstream = Arc::clone(&upstream);
            tokio::spawn(async move {
                let marker = format!("/{number}");
                // Every third gives up somewhere between the first byte sent and the last received.
                let patience =
                    if number % 3 == 0 { Duration::from_millis(number % 11) } else { Duration::from_secs(9) };
                let whole = async {
                    let request = Request::get(&marker).header("host", "a").body(Body::empty()).unwrap();
                    text(forward(&upstream, request, None).await.unwrap()).await
                };
                let answer = tokio::time::timeout(patience, whole).await.ok()?;
                assert_eq!(answer, format!("{marker}{marker}"));
                Some(number)
            })
        })
        .collect();
    let mut answered = HashSet::new();
    for task in tasks {
        answered.extend(task.await.unwrap());
    }
    assert!(answered.len() >= 200, "{}", answered.len());
}

/// The cap bounds connections and the queue bounds waiting; both say so at once.
#[tokio::test]
async fn caps_queue_and_refuse() {
    let now = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (inside, peak) = (Arc::clone(&now), Arc::clone(&most));
    let scripted = Scripted::start(move |_, mut stream| {
        let (inside, peak) = (Arc::clone(&inside), Arc::clone(&peak));
        async move {
            while !read_head(&mut stream).await.is_empty() {
                peak.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                sleep(Duration::from_millis(100)).await;
                inside.fetch_sub(1, Ordering::SeqCst);
                stream.write_all(OK.as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    let mut config = scripted.config();
    config.limits = PoolLimits { connections: 2, queue: 2, ..PoolLimits::default() };
    let upstream = Arc::new(Upstream::new(config));
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let upstream = Arc::clone(&upstream);
            tokio::spawn(async move { request(&upstream, Method::GET, Body::empty()).await })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    let saturated = results.iter().filter(|result| matches!(result, Err(ForwardError::Saturated))).count();
    assert_eq!((saturated, results.iter().filter(|result| result.is_ok()).count()), (2, 4));
    assert_eq!((most.load(Ordering::SeqCst), scripted.accepted()), (2, 2));
}

#[tokio::test]
async fn a_wait_in_the_queue_ends() {
    let scripted = Scripted::start(|_, mut stream| async move {
        read_head(&mut stream).await;
        read_rest(&mut stream).await;
    })
    .await;
    let mut config = scripted.config();
    config.limits =
        PoolLimits { connections: 1, queue_timeout: Duration::from_millis(50), ..PoolLimits::default() };
    let upstream = Arc::new(Upstream::new(config));
    let other = Arc::clone(&upstream);
    let holder = tokio::spawn(async move { request(&other, Method::GET, Body::empty()).await });
    while scripted.accepted() == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let refused = request(&upstream, Method::GET, Body::empty()).await.unwrap_err();
    assert!(matches!(refused, ForwardError::Saturated), "{refused:?}");
    holder.abort();
}

/// First byte, then between bytes; each is an error of its own, and the connection is gone.
#[tokio::test]
async fn silence_is_limited_before_and_within_an_answer() {
    let scripted = Scripted::start(|number, mut stream| async move {
        read_head(&mut stream).await;
        if number == 1 {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await.unwrap();
        }
        read_rest(&mut stream).await;
    })
    .await;
    let mut config = scripted.config();
    let limit = Duration::from_millis(60);
    config.timeouts = Timeouts { first_byte: limit, between_bytes: Some(limit) };
    let upstream = Upstream::new(config);
    let refused = get(&upstream, "/").await.unwrap_err();
    assert!(matches!(refused, ForwardError::TimedOut(Phase::FirstByte)), "{refused:?}");
    let answer = get(&upstream, "/").await.unwrap();
    let broken = soon(answer.into_body().collect()).await.unwrap_err();
    assert!(matches!(broken, countersign_proxy::BodyError::TimedOut), "{broken:?}");
}

/// Slow is not silent: an answer may take many times the limit in all.
#[tokio::test]
async fn a_slow_answer_that_moves_is_not_cut() {
    let scripted = Scripted::start(|_, mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n").await.unwrap();
        for _ in 0..8 {
            sleep(Duration::from_millis(40)).await;
            stream.write_all(b"x").await.unwrap();
        }
    })
    .await;
    let mut config = scripted.config();
    config.timeouts.between_bytes = Some(Duration::from_millis(150));
    assert_eq!(text(get(&Upstream::new(config), "/").await.unwrap()).await, "xxxxxxxx");
}

/// A limit of for ever is a limit that never passes, not an overflow.
#[tokio::test]
async fn limits_may_be_as_long_as_one_likes() {
    let scripted = Scripted::start(|_, mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no").await.unwrap();
        sleep(Duration::from_millis(20)).await;
        stream.write_all(b"k").await.unwrap();
    })
    .await;
    let mut config = scripted.config();
    config.timeouts = Timeouts { first_byte: Duration::MAX, between_bytes: Some(Duration::MAX) };
    assert_eq!(request(&Upstream::new(config), Method::POST, Body::full("x".into())).await.unwrap(), "ok");
}

/// K07: where connections are scarce, one client's connection gets a share of them and its other requests wait, outside
/// the queue that others need. A trusted proxy's stands for many and may have all.
#[tokio::test]
async fn k07_one_client_connection_gets_a_share() {
    for (shared, arrive) in [(true, 9..=10), (false, 16..=16)] {
        let scripted = Scripted::start(|_, mut stream| async move {
            while read_head(&mut stream).await.contains(" /short ") {
                stream.write_all(OK.as_bytes()).await.unwrap();
            }
            read_rest(&mut stream).await;
        })
        .await;
        let mut config = scripted.config();
        config.limits = PoolLimits { connections: 16, queue: 2, ..PoolLimits::default() };
        let upstream = Arc::new(Upstream::new(config));
        let of = |shared: bool| {
            if shared {
                ClientConnection::of_client(Arc::new(()))
            } else {
                ClientConnection::of_proxy(Arc::new(()))
            }
        };
        let greedy = of(shared);
        let mut greed = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let (upstream, connection) = (Arc::clone(&upstream), greedy.clone());
            greed.spawn(async move { over(&upstream, "/long", connection).await });
        }
        sleep(Duration::from_millis(200)).await;
        assert!(arrive.contains(&scripted.accepted()), "{shared}: {}", scripted.accepted());
        if shared {
            let answer = over(&upstream, "/short", of(true)).await.unwrap();
            assert_eq!(text(answer).await, "ok");
        }
    }
}

async fn over(
    upstream: &Upstream,
    target: &str,
    connection: ClientConnection,
) -> Result<Response<ProxyBody>, ForwardError> {
    let mut request = Request::get(target).header("host", "a").body(Body::empty()).unwrap();
    request.extensions_mut().insert(connection);
    soon(forward(upstream, request, None)).await
}
