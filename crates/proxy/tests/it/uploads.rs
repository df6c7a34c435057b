//! Request bodies: framing, early answers, Expect, clients that stall or leave.

use std::time::Duration;

use countersign_proxy::{Body, Upstream, UpstreamConfig};
use http::{Method, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use crate::harness::{Gateway, Scripted, forward, get, read_head, read_rest, read_until, soon, text};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// An upstream that sends back, raw, what it got: the head, and the body until `end`.
async fn echo(end: &'static str) -> Scripted {
    Scripted::start(move |_, mut stream| async move {
        let mut seen = read_head(&mut stream).await;
        if !end.is_empty() {
            seen.push_str(&read_until(&mut stream, end).await);
        }
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{seen}", seen.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        read_rest(&mut stream).await;
    })
    .await
}

#[tokio::test]
async fn bodies_keep_the_framing_they_came_with() {
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for request in [chunked.to_owned(), chunked.replace("POST", "GET"), chunked.replace("POST", "DELETE")] {
        let gateway = Gateway::start(echo("0\r\n\r\n").await.upstream()).await;
        let seen = gateway.exchange(&request).await.to_lowercase();
        assert!(
            seen.contains("transfer-encoding: chunked\r\n") && seen.ends_with("3\r\nabc\r\n0\r\n\r\n"),
            "{seen}"
        );
    }
    let gateway = Gateway::start(echo("abc").await.upstream()).await;
    let sized = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc";
    let seen = gateway.exchange(sized).await.to_lowercase();
    assert!(
        seen.matches("content-length: 3\r\n").count() == 1 && !seen.contains("transfer-encoding"),
        "{seen}"
    );
    let gateway = Gateway::start(echo("").await.upstream()).await;
    let bare = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let seen = gateway.exchange(bare).await.to_lowercase();
    let head = seen.split_once("\r\n\r\n").unwrap().1;
    assert!(!head.contains("content-length") && !head.contains("transfer-encoding"), "{head}");
}

/// What the caller has read already is put back in front.
#[tokio::test]
async fn replayed_bytes_are_sent_like_any_body() {
    let scripted = echo("a=b").await;
    let request = Request::post("/").header("host", "a").body(Body::full("a=b".into())).unwrap();
    let answer = soon(forward(&scripted.upstream(), request, None)).await.unwrap();
    assert!(text(answer).await.to_lowercase().contains("content-length: 3\r\n"));
}

/// A client that asks first gets its 100, then its answer; one whose upstream refuses at once gets that.
#[tokio::test]
async fn expectations_are_met_end_to_end() {
    let gateway = Gateway::start(echo("abc").await.upstream()).await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    let mut client = gateway.send(head).await;
    assert_eq!(soon(read_head(&mut client)).await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"abc").await.unwrap();
    let answer = soon(read_rest(&mut client)).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && !answer.to_lowercase().contains("expect:"), "{answer}");

    let refusing = Scripted::start(|_, mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
        read_rest(&mut stream).await;
    })
    .await;
    let gateway = Gateway::start(refusing.upstream()).await;
    let mut client = gateway.send(head).await;
    let answer = soon(read_until(&mut client, "\r\n\r\nno")).await;
    assert!(answer.contains("HTTP/1.1 413"), "{answer}");
}

/// J07: an early answer is passed on while the body still streams, and the connection serves nobody else.
#[tokio::test]
async fn j07_early_answers_are_passed_on_and_their_connection_is_closed() {
    let (sender, mut closed) = tokio::sync::mpsc::unbounded_channel();
    let scripted = Scripted::start(move |number, mut stream| {
        let sender = sender.clone();
        async move {
            let head = read_head(&mut stream).await;
            if head.starts_with("POST") {
                stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nearly").await.unwrap();
            } else {
                stream.write_all(OK.as_bytes()).await.unwrap();
            }
            read_rest(&mut stream).await;
            let _gone = sender.send(number);
        }
    })
    .await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let mut client = gateway.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nsome").await;
    let answer = soon(read_until(&mut client, "early")).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    // The server may have closed the connection by now.
    let _late = client.write_all(b"remain").await;
    assert_eq!(soon(closed.recv()).await, Some(0), "the body was not complete when the answer was");
    let answer = gateway.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer.ends_with("ok"), "{answer}");
    assert_eq!(scripted.accepted(), 2);
}

/// Sends a body that looks like a request, then a request: over how many connections. Errors are answered at `/4..`.
///
/// This upstream reads bodies. One that does not would answer the hidden request, sooner or later, and only sometimes is
/// that seen in time.
async fn connections_after_a_body(method: &str, target: &str, reuse_after_body: bool) -> usize {
    const HIDDEN: &str = "GET /forged HTTP/1.1\r\n\r\n";
    let scripted = Scripted::start(|_, mut stream| async move {
        loop {
            let head = read_head(&mut stream).await;
            let Some(target) = head.split(' ').nth(1) else { return };
            if head.to_lowercase().contains("content-length") {
                stream.read_exact(&mut [0; HIDDEN.len()]).await.unwrap();
            }
            let status = target.strip_prefix("/").filter(|target| target.starts_with('4')).unwrap_or("200");
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{target}", target.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let upstream = Upstream::new(UpstreamConfig { reuse_after_body, ..scripted.config() });
    let body = Body::full(HIDDEN.into());
    let request = Request::builder().method(method).uri(target).header("host", "a").body(body).unwrap();
    assert_eq!(text(soon(forward(&upstream, request, None)).await.unwrap()).await, target, "{method}");
    assert_eq!(text(get(&upstream, "/2").await.unwrap()).await, "/2");
    scripted.accepted()
}

/// J07: what an upstream makes of a body that it need not expect nobody knows, so nobody else uses that connection.
#[tokio::test]
async fn j07_an_unexpected_body_is_the_last_on_its_connection() {
    for method in ["GET", "OPTIONS", "DELETE", "QUERY", "PROPFIND", "REPORT", "LOCK"] {
        assert_eq!(connections_after_a_body(method, "/1", true).await, 2, "{method}");
    }
}

/// J07: whoever refuses a request may not have read its body; and of an upstream that never does, one can say so.
#[tokio::test]
async fn j07_refused_and_unread_bodies_are_the_last_on_their_connection() {
    for method in ["POST", "PUT", "PATCH"] {
        for status in ["/400", "/401", "/413"] {
            assert_eq!(connections_after_a_body(method, status, true).await, 2, "{method} {status}");
        }
        assert_eq!(connections_after_a_body(method, "/1", false).await, 2, "{method}");
        assert_eq!(connections_after_a_body(method, "/1", true).await, 1, "{method}");
    }
}

/// An upload may take for ever as long as it moves; one that stands still is the client's fault.
#[tokio::test]
async fn slow_uploads_pass_and_stalled_ones_are_the_clients_fault() {
    let scripted = Scripted::start(|_, mut stream| async move {
        let head = read_head(&mut stream).await;
        let length: usize = head
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .unwrap()
            .split('\r')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        if stream.read_exact(&mut vec![0; length]).await.is_ok() {
            stream.write_all(OK.as_bytes()).await.unwrap();
        }
    })
    .await;
    let mut config = scripted.config();
    config.timeouts.between_bytes = Some(Duration::from_millis(150));
    config.timeouts.first_byte = Duration::from_millis(200);
    let gateway = Gateway::start(Upstream::new(config)).await;
    let mut client =
        gateway.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n").await;
    for _ in 0..10 {
        sleep(Duration::from_millis(50)).await;
        client.write_all(b"x").await.unwrap();
    }
    assert!(soon(read_rest(&mut client)).await.ends_with("ok"));

    let mut client =
        gateway.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\nx").await;
    let answer = soon(read_until(&mut client, "ClientGone")).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

/// An upstream that does not read is its own fault.
#[tokio::test]
async fn upstreams_that_do_not_read_time_out() {
    let scripted = Scripted::start(|_, mut stream| async move {
        read_head(&mut stream).await;
        sleep(Duration::from_secs(60)).await;
    })
    .await;
    let mut config = scripted.config();
    config.timeouts.between_bytes = Some(Duration::from_millis(150));
    let gateway = Gateway::start(Upstream::new(config)).await;
    let mut client = gateway.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\n").await;
    let (mut reading, mut writing) = client.split();
    let flood = async {
        let block = vec![b'x'; 65536];
        while writing.write_all(&block).await.is_ok() {}
    };
    let mut answer = vec![0; 12];
    tokio::select! {
        biased;
        read = soon(reading.read_exact(&mut answer)) => { read.unwrap(); }
        () = flood => {}
    }
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 504");
}

/// J07: a client that leaves in the middle of its body takes the upstream's connection with it.
#[tokio::test]
async fn j07_clients_that_leave_close_the_upstreams_connection() {
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let scripted = Scripted::start(move |_, mut stream| {
        let sender = sender.clone();
        async move {
            read_head(&mut stream).await;
            sender.send(read_rest(&mut stream).await).unwrap();
        }
    })
    .await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let mut client =
        gateway.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n").await;
    sleep(Duration::from_millis(50)).await;
    client.shutdown().await.unwrap();
    drop(client);
    let body = soon(seen.recv()).await.unwrap();
    assert!(!body.contains("0\r\n\r\n"), "a broken body must not look complete: {body:?}");
}

/// Bodies that were sent completely leave the connection to the next request, where a body is what is expected.
#[tokio::test]
async fn completed_uploads_keep_their_connection() {
    let scripted = Scripted::start(|_, mut stream| async move {
        while !read_head(&mut stream).await.is_empty() {
            let mut body = [0; 3];
            stream.read_exact(&mut body).await.unwrap();
            stream.write_all(OK.as_bytes()).await.unwrap();
        }
    })
    .await;
    let upstream = scripted.upstream();
    for method in [Method::POST, Method::PUT, Method::PATCH] {
        let request = Request::builder()
            .method(method)
            .uri("/")
            .header("host", "a")
            .body(Body::full("abc".into()))
            .unwrap();
        assert_eq!(text(soon(forward(&upstream, request, None)).await.unwrap()).await, "ok");
    }
    assert_eq!(scripted.accepted(), 1);
}

/// K07: uploads that are announced and never begin leave connections to the upstream for others, and are served
/// when they do begin.
#[tokio::test]
async fn k07_uploads_without_a_byte_leave_room() {
    let scripted = Scripted::start(|_, mut stream| async move {
        loop {
            let head = read_head(&mut stream).await;
            if head.is_empty() {
                return;
            }
            if head.starts_with("POST") {
                drop(read_until(&mut stream, "abc").await);
            }
            stream.write_all(OK.as_bytes()).await.unwrap();
        }
    })
    .await;
    let mut config = scripted.config();
    config.limits.connections = 8;
    let gateway = Gateway::start(Upstream::new(config)).await;
    let mut slow = Vec::new();
    for framing in ["Content-Length: 3", "Transfer-Encoding: chunked"].repeat(10) {
        slow.push(gateway.send(&format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n")).await);
    }
    sleep(Duration::from_millis(100)).await;
    for _ in 0..3 {
        let answer = gateway.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }
    assert!(scripted.accepted() < 8, "{}", scripted.accepted());
    for (number, client) in slow.iter_mut().enumerate() {
        let body: &[u8] = if number % 2 == 0 { b"abc" } else { b"3\r\nabc\r\n0\r\n\r\n" };
        client.write_all(body).await.unwrap();
        let answer = soon(read_until(client, "ok")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }
}

/// Where connections are scarce, a body may still be nothing but trailers, or nothing.
#[tokio::test]
async fn crowded_bodies_may_be_empty() {
    for (rest, trailer) in [("0\r\n\r\n", false), ("0\r\nX-T: 1\r\n\r\n", true)] {
        let scripted = Scripted::start(move |_, mut stream| async move {
            let head = read_head(&mut stream).await;
            if head.starts_with("POST") {
                let seen = if trailer { read_until(&mut stream, "x-t: 1").await } else { String::new() };
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{seen}", seen.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            read_rest(&mut stream).await;
        })
        .await;
        let mut config = scripted.config();
        config.limits.connections = 2;
        let gateway = Gateway::start(Upstream::new(config)).await;
        // These two leave one of two.
        let _holder = gateway.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let _other = gateway.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n").await;
        sleep(Duration::from_millis(50)).await;
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
        let mut client = gateway.send(head).await;
        sleep(Duration::from_millis(50)).await;
        client.write_all(rest.as_bytes()).await.unwrap();
        drop(_other);
        let answer = soon(read_rest(&mut client)).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }
}

/// Where connections are scarce, an upload of a byte now and then does not keep one for ever; elsewhere it may.
#[tokio::test]
async fn k07_dripping_uploads_leave_room() {
    for (connections, status) in [(2, "408"), (64, "200")] {
        let scripted = echo("end").await;
        let mut config = scripted.config();
        config.limits.connections = connections;
        let gateway = Gateway::start(Upstream::new(config)).await;
        let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100\r\n\r\n";
        let (mut dripping, mut other) = (gateway.send(head).await, gateway.send(head).await);
        for _ in 0..24 {
            sleep(Duration::from_millis(500)).await;
            let _cut = (dripping.write_all(b".").await, other.write_all(b".").await);
        }
        let _cut = dripping.write_all(&[b'e'; 73]).await;
        let _cut = dripping.write_all(b"end").await;
        let answer = soon(read_rest(&mut dripping)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{connections}: {answer}");
    }
}
