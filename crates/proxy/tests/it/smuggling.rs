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
