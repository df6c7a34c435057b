//! K07 over raw sockets: a hyper server behind `StrictHeads`, with a canary on the connection to the
//! upstream.

use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt;

use crate::harness::{Gateway, Scripted, read_head, read_rest, soon};

/// An upstream that notes the target of every request it sees.
async fn noting() -> (Scripted, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let scripted = Scripted::start(move |_, mut stream| {
        let notes = Arc::clone(&notes);
        async move {
            loop {
                let head = read_head(&mut stream).await;
                let Some(target) = head.split(' ').nth(1) else { return };
                notes.lock().unwrap().push(target.to_owned());
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
            }
        }
    })
    .await;
    (scripted, seen)
}

/// K07: each is answered with 400 and a closed connection, and nothing of it reaches the upstream.
#[tokio::test]
async fn k07_ambiguous_requests_get_400_and_reach_no_upstream() {
    let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    let heads = [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Content-Length: 0\r\nContent-Length: 35\r\n",
        "Content-Length: 0\r\nContent-Length: 0\r\n",
        "Content-Length: +0\r\n",
        "Content-Length: 0, 0\r\n",
        "Content-Length: 0\rTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: \x0bchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Content-Length : 4\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: 1\r\n Content-Length: 4\r\n",
        "X: 1\nContent-Length: 0\r\n",
        "X: 1\rY: 2\r\n",
        "X: \0\r\n",
    ];
    for head in heads {
        let (scripted, seen) = noting().await;
        let gateway = Gateway::start(scripted.upstream()).await;
        let text = format!("POST /outer HTTP/1.1\r\nHost: a\r\n{head}\r\n0\r\n\r\n{hidden}");
        let answer = gateway.exchange(&text).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{head:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{head:?}: {answer}");
        assert!(seen.lock().unwrap().is_empty(), "{head:?}");
    }
}

/// K07: the same on a connection that has served requests before, after bodies of either framing.
#[tokio::test]
async fn k07_later_requests_on_a_connection_are_refused_too() {
    for first in [
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ] {
        let (scripted, seen) = noting().await;
        let gateway = Gateway::start(scripted.upstream()).await;
        let mut client = gateway.send(first).await;
        soon(crate::harness::read_until(&mut client, "ok")).await;
        let bad =
            "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
        client.write_all(bad.as_bytes()).await.unwrap();
        let answer = soon(read_rest(&mut client)).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert_eq!(*seen.lock().unwrap(), ["/1"]);
    }
}

/// K07: pipelined and chunked requests that are plain still work through the filter.
#[tokio::test]
async fn k07_plain_pipelines_work() {
    let (scripted, seen) = noting().await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let answer = gateway
        .exchange(
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n\
             GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        )
        .await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 3, "{answer}");
    assert_eq!(*seen.lock().unwrap(), ["/1", "/2", "/3"]);
}

/// K07: what the engine itself refuses, whoever the server is.
#[tokio::test]
async fn k07_ambiguous_hosts_get_400() {
    let (scripted, seen) = noting().await;
    let gateway = Gateway::start(scripted.upstream()).await;
    for head in ["Host: a\r\nHost: b", "Host:", "X: 1", "Host: u@a"] {
        let answer =
            gateway.exchange(&format!("GET / HTTP/1.1\r\n{head}\r\nConnection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{head:?}: {answer}");
    }
    let answer = gateway.exchange("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(seen.lock().unwrap().is_empty());
}

/// K07: a body that quotes the head of a 101 does not end the watch over its connection, nor does an upgrade
/// that was asked for and denied.
#[tokio::test]
async fn k07_an_echoed_101_does_not_disarm() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let scripted = Scripted::start(move |_, mut stream| {
        let notes = Arc::clone(&notes);
        async move {
            loop {
                let head = read_head(&mut stream).await;
                let Some(target) = head.split(' ').nth(1) else { return };
                notes.lock().unwrap().push(target.to_owned());
                let echo = b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\nHTTP/1.1 101 x\r\n\r\n";
                stream.write_all(echo).await.unwrap();
            }
        }
    })
    .await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let mut client =
        gateway.send("GET /1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n").await;
    soon(crate::harness::read_until(&mut client, "101 x\r\n\r\n")).await;
    client.write_all(b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    soon(crate::harness::read_until(&mut client, "101 x\r\n\r\n")).await;
    let bad =
        "POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    client.write_all(bad.as_bytes()).await.unwrap();
    let answer = soon(read_rest(&mut client)).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(*seen.lock().unwrap(), ["/1", "/2"]);
}

/// K07: a request right behind one for an upgrade that is denied waits for that answer, and then is served.
#[tokio::test]
async fn k07_a_request_behind_a_denied_upgrade_is_served() {
    let (scripted, seen) = noting().await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let answer = gateway
        .exchange(
            "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\
             GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        )
        .await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
    assert_eq!(*seen.lock().unwrap(), ["/1", "/2"]);
}

/// K07: a chunk's size behind more zeros than are remembered, in two pieces, hides no request.
#[tokio::test]
async fn k07_a_padded_chunk_size_hides_nothing() {
    let (scripted, seen) = noting().await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut client = gateway
        .send(&format!(
            "POST /outer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{}",
            "0".repeat(120)
        ))
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let rest = format!("{:x}\r\n\r\n{hidden}\r\n0\r\n\r\n", hidden.len() + 2);
    client.write_all(rest.as_bytes()).await.unwrap();
    let answer = soon(read_rest(&mut client)).await;
    // Its answer may have come before the body broke.
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    assert!(!seen.lock().unwrap().iter().any(|target| target == "/hidden"));
}

/// K07: malformed chunks are the client's fault and no time-out.
#[tokio::test]
async fn k07_malformed_chunks_get_400() {
    let scripted = Scripted::start(|_, mut stream| async move {
        drop(read_rest(&mut stream).await);
    })
    .await;
    let gateway = Gateway::start(scripted.upstream()).await;
    for body in ["x\r\n", "3\r\nabc\r\n00000000000000003\r\nabc\r\n0\r\n\r\n", "3\nabc", "3\r\nabcd"] {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let answer = gateway.exchange(&format!("{head}{body}")).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.ends_with("BadRequest"), "{body:?}: {answer}");
    }
}

/// K07: heads that are refused are answered at once, alone on a connection or behind others, and also where the
/// client does not finish them.
#[tokio::test]
async fn k07_refused_heads_are_answered_at_once() {
    let (scripted, seen) = noting().await;
    let gateway = Gateway::start(scripted.upstream()).await;
    for (head, status) in [
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n", "400"),
        ("GET / HTTP/1.1\r\nX: 1\r\n folded\r\n", "400"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n", "400"),
        ("GET / HTTP/1.1\nHost: a", "400"),
        ("nonsense\r\n", "400"),
        ("GET / HTTP/3.0\r\n", "400"),
    ] {
        let answer = gateway.exchange(head).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.ends_with("Head"),
            "{head:?}: {answer}"
        );
    }
    for head in [
        format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(90_000)),
        format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: 1\r\n".repeat(150)),
    ] {
        let answer = gateway.exchange(&head).await;
        assert!(answer.starts_with("HTTP/1.1 431") && answer.ends_with("Head"), "{answer}");
    }
    assert!(seen.lock().unwrap().is_empty());
    let behind = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n folded\r\n";
    let answer = gateway.exchange(behind).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("HTTP/1.1 400"), "{answer}");
    assert_eq!(*seen.lock().unwrap(), ["/1"]);
}

/// A head of almost 64 kB passes, in whatever pieces it comes.
#[tokio::test]
async fn a_large_head_passes() {
    let (scripted, seen) = noting().await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let head =
        format!("GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: {}\r\n\r\n", "x".repeat(60_000));
    let mut client = gateway.connect().await;
    for piece in head.as_bytes().chunks(1000) {
        client.write_all(piece).await.unwrap();
    }
    let answer = soon(read_rest(&mut client)).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert_eq!(*seen.lock().unwrap(), ["/1"]);
}

/// K07: connections on which no request begins, or none of a version that can be told, are closed in time.
#[tokio::test]
async fn k07_silent_connections_end() {
    let (scripted, seen) = noting().await;
    let gateway = Gateway::start(scripted.upstream()).await;
    for silent in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let began = tokio::time::Instant::now();
        let answer = gateway.exchange(silent).await;
        // Whoever began to ask is told.
        let told = answer.starts_with("HTTP/1.1 408") && answer.matches("HTTP/1.1").count() == 1;
        assert_eq!(
            (answer.is_empty(), told),
            (!silent.starts_with("G"), silent.starts_with("G")),
            "{answer}"
        );
        assert!(began.elapsed() >= crate::harness::PATIENCE, "{silent:?}");
    }
    assert!(seen.lock().unwrap().is_empty());
}
