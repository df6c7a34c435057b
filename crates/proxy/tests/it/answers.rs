//! Heads, framing, trailers, redirects, and answers that must not be passed on.

use http::Request;
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;

use crate::harness::{Gateway, Scripted, forward, get, read_head, read_rest, read_until, soon, text};
use countersign_proxy::{Body, ForwardError, HostHeader, Malformed, Upstream};

/// What an upstream sees of a plain request; K04: the forwarding headers are ours.
#[tokio::test]
async fn k04_upstreams_see_host_and_forwarding_headers_of_ours() {
    for (host, expected) in [(HostHeader::Preserve, "app.example.com"), (HostHeader::Upstream, "127.0.0.1:")]
    {
        let scripted = Scripted::start(|_, mut stream| async move {
            let head = read_head(&mut stream).await;
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{head}", head.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let mut config = scripted.config();
        config.host = host;
        let gateway = Gateway::start(Upstream::new(config)).await;
        let seen = gateway
            .exchange(
                "GET /a?b=c HTTP/1.1\r\nHost: app.example.com\r\nX-Forwarded-For: 6.6.6.6\r\nX_Auth_User: root\r\n\
                 Connection: close, X-Forwarded-Proto, x-custom\r\nX-Custom: 1\r\n\r\n",
            )
            .await
            .to_lowercase();
        assert!(seen.contains("get /a?b=c http/1.1\r\n"), "{seen}");
        assert!(seen.contains(&format!("\r\nhost: {expected}")), "{seen}");
        for line in ["for: 192.0.2.7", "proto: https", "host: app.example.com", "port: 443"] {
            assert!(seen.contains(&format!("\r\nx-forwarded-{line}\r\n")), "{line} in {seen}");
        }
        for gone in ["6.6.6.6", "root", "x-custom", "content-length: 0", "transfer-encoding"] {
            assert!(!seen.contains(gone), "{gone} in {seen}");
        }
    }
}

/// HEAD, 204 and 304 have no body whatever they say about one, and the connection goes on.
#[tokio::test]
async fn bodiless_answers_keep_their_connection() {
    let scripted = Scripted::start(|_, mut stream| async move {
        loop {
            let head = read_head(&mut stream).await;
            let answer = match head.split(' ').nth(1) {
                Some("/head") => "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nETag: \"x\"\r\n\r\n",
                Some("/head-chunked") => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                Some("/204") => "HTTP/1.1 204 No Content\r\n\r\n",
                Some("/304") => "HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\nETag: \"x\"\r\n\r\n",
                Some("/empty") => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                _ => return,
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let mut client = gateway.connect().await;
    for (method, path, expected) in [
        ("HEAD", "/head", "HTTP/1.1 200 OK"),
        ("HEAD", "/head-chunked", "HTTP/1.1 200 OK"),
        ("GET", "/204", "HTTP/1.1 204 No Content"),
        ("GET", "/304", "HTTP/1.1 304 Not Modified"),
        ("GET", "/empty", "HTTP/1.1 200 OK"),
        ("HEAD", "/head", "HTTP/1.1 200 OK"),
    ] {
        client.write_all(format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
        let head = soon(read_head(&mut client)).await;
        assert!(head.starts_with(expected), "{path}: {head}");
        let length = head.to_lowercase().contains("content-length: 1234");
        assert_eq!(length, path == "/head", "{head}");
    }
    assert_eq!(scripted.accepted(), 1);
}

/// Trailers travel both ways where the client understands them, and carry nothing they must not (K01).
#[tokio::test]
async fn k01_trailers_travel_both_ways_cleaned() {
    let scripted = Scripted::start(|_, mut stream| async move {
        let head = read_head(&mut stream).await.to_lowercase();
        assert!(head.contains("\r\nte: trailers\r\n") && head.contains("\r\nconnection: te\r\n"), "{head}");
        assert!(head.contains("\r\ntransfer-encoding: chunked\r\n"), "{head}");
        let body = read_until(&mut stream, "\r\n\r\n").await.to_lowercase();
        assert!(body.contains("x-checksum: up") && !body.contains("x-auth-user"), "{body}");
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Checksum, X-Auth-User\r\n\r\n\
                      2\r\nhi\r\n0\r\nX-Checksum: down\r\nX-Auth-User: root\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let answer = gateway
        .exchange(
            "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE, close\r\nTrailer: X-Checksum, X-Auth-User\r\n\
             Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Checksum: up\r\nX-Auth-User: root\r\n\r\n",
        )
        .await
        .to_lowercase();
    assert!(answer.contains("x-checksum: down") && !answer.contains("root"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

/// A client that does not understand trailers gets the body without them.
#[tokio::test]
async fn trailers_are_left_out_for_clients_that_did_not_ask() {
    let scripted = Scripted::always(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n",
    )
    .await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let answer = gateway.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer.ends_with("2\r\nhi\r\n0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn locations_that_name_the_upstream_are_rewritten() {
    let scripted = Scripted::start(|_, mut stream| async move {
        let here = stream.local_addr().unwrap();
        read_head(&mut stream).await;
        let answer =
            format!("HTTP/1.1 302 Found\r\nLocation: http://{here}/next?x\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let answer = get(&scripted.upstream(), "/").await.unwrap();
    assert_eq!(answer.headers()["location"], "https://app.example.com/next?x");
}

/// Interim answers are not the answer.
#[tokio::test]
async fn interim_answers_are_skipped() {
    let scripted = Scripted::always(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    )
    .await;
    let upstream = scripted.upstream();
    for _ in 0..2 {
        let answer = get(&upstream, "/").await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers().contains_key("link")), (200, false));
        assert_eq!(text(answer).await, "hi");
    }
}

/// An upstream's framing is not believed either; what it sends after its answer is never another's answer
/// (J07).
#[tokio::test]
async fn j07_malformed_answers_are_refused_and_their_connection_closed() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
    ] {
        let scripted = Scripted::start(move |number, mut stream| async move {
            read_head(&mut stream).await;
            let answer =
                if number == 0 { answer } else { "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine" };
            stream.write_all(answer.as_bytes()).await.unwrap();
            // Open until the other side closes it.
            read_rest(&mut stream).await;
        })
        .await;
        let upstream = scripted.upstream();
        let refused = get(&upstream, "/").await.expect_err(answer);
        assert!(matches!(refused, ForwardError::BrokenUpstream(_)), "{answer:?}: {refused:?}");
        assert_eq!(text(get(&upstream, "/").await.unwrap()).await, "fine");
        assert_eq!(scripted.accepted(), 2, "{answer:?}");
    }
}

#[tokio::test]
async fn answer_heads_are_limited() {
    let scripted = Scripted::start(|_, mut stream| async move {
        read_head(&mut stream).await;
        let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(70_000));
        // The other side may close before it has all.
        let _sent = stream.write_all(long.as_bytes()).await;
    })
    .await;
    let refused = get(&scripted.upstream(), "/").await.unwrap_err();
    assert!(matches!(refused, ForwardError::BrokenUpstream(Malformed::Http(_))), "{refused:?}");
}

/// J07: bytes after the end of an answer belong to nobody.
#[tokio::test]
async fn j07_bytes_after_an_answer_are_not_the_next_one() {
    let scripted = Scripted::start(|number, mut stream| async move {
        while !read_head(&mut stream).await.is_empty() {
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
            );
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    })
    .await;
    let upstream = scripted.upstream();
    for number in 0..5 {
        assert_eq!(text(get(&upstream, "/").await.unwrap()).await, number.to_string());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// An answer that breaks off is an error at the client too, never a shorter answer.
#[tokio::test]
async fn broken_bodies_are_broken_for_the_client() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let scripted = Scripted::start(move |_, mut stream| async move {
            read_head(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let answer = get(&scripted.upstream(), "/").await.unwrap();
        assert!(soon(answer.into_body().collect()).await.is_err());
        let gateway = Gateway::start(scripted.upstream()).await;
        let seen = gateway.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert!(seen.contains("half") && !seen.ends_with("0\r\n\r\n"), "{seen}");
    }
}

/// HTTP/1.0 upstreams: until the end of the connection, and not reused.
#[tokio::test]
async fn http10_answers_are_served_and_their_connection_is_not_reused() {
    let scripted =
        Scripted::always("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi").await;
    let upstream = scripted.upstream();
    for _ in 0..2 {
        let answer = get(&upstream, "/").await.unwrap();
        assert_eq!(answer.version(), http::Version::HTTP_11);
        assert_eq!(text(answer).await, "hi");
    }
    assert_eq!(scripted.accepted(), 2);
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_a_connect_error() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let config =
        countersign_proxy::UpstreamConfig::new("gone", countersign_proxy::Origin::parse(&origin).unwrap());
    let request = Request::post("/").header("host", "a").body(Body::full("x".into())).unwrap();
    let refused = soon(forward(&Upstream::new(config), request, None)).await.unwrap_err();
    assert!(matches!(refused, ForwardError::Connect(_)), "{refused:?}");
}
