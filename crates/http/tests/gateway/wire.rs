//! Requests that are refused by their bytes (K07, K09): methods, framing, sizes.

use crate::raw::{Raw, ask, head, status};
use crate::scene::Scene;

/// K09: TRACE shows a script the cookies that it cannot read.
#[tokio::test]
async fn k09_unsupported_methods() {
    let scene = Scene::new().await;
    for method in ["TRACE", "TRACK", "trace", "DEBUG", "get", "FOO"] {
        for target in ["/open/a", "/a"] {
            let answer = ask(scene.site.address(), head(method, target, &[]).as_bytes()).await;
            assert_eq!(status(&answer), 405, "{answer}");
            assert!(answer.to_ascii_lowercase().contains("\r\nallow: get, "), "{answer}");
        }
    }
    let connect = "CONNECT app.countersign.test:443 HTTP/1.1\r\nHost: app.countersign.test\r\nX-Forwarded-Proto: https\r\n\r\n";
    let answer = ask(scene.site.address(), connect.as_bytes()).await;
    assert!(matches!(status(&answer), 400 | 405 | 421), "{answer}");
    assert_eq!(scene.arrived(), 0);
}

/// K07: framing that two servers could read in two ways is 400, and the connection ends: what follows is not a second request.
#[tokio::test]
async fn k07_smuggling() {
    let scene = Scene::new().await;
    let smuggled = head("GET", "/open/smuggled", &[]);
    for fields in [
        &[("Content-Length", "5"), ("Transfer-Encoding", "chunked")][..],
        &[("Transfer-Encoding", "chunked"), ("Content-Length", "5")],
        &[("Content-Length", "5"), ("Content-Length", "6")],
        &[("Content-Length", "5"), ("Content-Length", "5")],
        &[("Content-Length", "5, 5")],
        &[("Content-Length", "+5")],
        &[("Transfer-Encoding", "xchunked")],
        &[("Transfer-Encoding", "gzip, chunked")],
        &[("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "identity")],
        &[("Transfer-Encoding ", "chunked")],
        &[("X-Odd", "a\r\n folded")],
        &[("X-Odd", "a\nContent-Length: 5")],
        &[("X-Odd", "a\rb")],
        &[("X-Odd", "a\0b")],
    ] {
        let mut raw = Raw::connect(scene.site.address()).await;
        let request = format!("{}0\r\n\r\n{smuggled}", head("POST", "/open/a", fields));
        raw.send(request.as_bytes()).await;
        let all = raw.read_to_end().await;
        assert_eq!(status(&all), 400, "{fields:?}: {all}");
        assert_eq!(all.matches("HTTP/1.1 ").count(), 1, "{fields:?}: {all}");
    }
    assert_eq!(scene.arrived(), 0);
    scene.site.client().get("/open/a").expect_status(200).await;
}

/// K07: after a well-framed request, the next one on the same connection is its own.
#[tokio::test]
async fn k07_a_reused_connection_stays_in_step() {
    let scene = Scene::new().await;
    let mut raw = Raw::connect(scene.site.address()).await;
    for n in 0..5 {
        let chunked = head("POST", &format!("/open/{n}"), &[("Transfer-Encoding", "chunked")]);
        raw.send(format!("{chunked}3\r\nabc\r\n0\r\n\r\n").as_bytes()).await;
        assert_eq!(status(&raw.read_until("\"query\"").await), 200);
        assert_eq!(scene.upstream.last().target, format!("/open/{n}"));
    }
}

/// Design §7 "Request heads": 64 kB at most, else 431. Just below is no trouble.
#[tokio::test]
async fn heads_above_64_kb_are_431() {
    let scene = Scene::new().await;
    let answer =
        ask(scene.site.address(), head("GET", "/open/a", &[("X-Big", &"x".repeat(60_000))]).as_bytes()).await;
    assert_eq!(status(&answer), 200);
    for fields in
        [&[("X-Big", "x".repeat(70_000))][..], &[("X-A", "x".repeat(40_000)), ("X-B", "x".repeat(40_000))]]
    {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let mut raw = Raw::connect(scene.site.address()).await;
        raw.send(head("GET", "/open/a", &fields).as_bytes()).await;
        assert_eq!(status(&raw.read_head().await), 431);
    }
    let long = format!("/open/{}", "x".repeat(70_000));
    let mut raw = Raw::connect(scene.site.address()).await;
    raw.send(head("GET", &long, &[]).as_bytes()).await;
    assert!(matches!(status(&raw.read_head().await), 414 | 431));
    assert_eq!(scene.arrived(), 1);
}

/// What is no HTTP at all ends its own connection and nothing else.
#[tokio::test]
async fn garbage_is_400() {
    let scene = Scene::new().await;
    for garbage in ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\x01 HTTP/1.1\r\n\r\n"]
    {
        let mut raw = Raw::connect(scene.site.address()).await;
        raw.send(garbage.as_bytes()).await;
        let answer = raw.read_to_end().await;
        assert!(answer.is_empty() || status(&answer) == 400, "{garbage:?}: {answer}");
    }
    let hostless = "GET /open/a HTTP/1.1\r\nX-Forwarded-Proto: https\r\n\r\n";
    assert_eq!(status(&ask(scene.site.address(), hostless.as_bytes()).await), 400);
    assert_eq!(scene.arrived(), 0);
}

/// Somebody typed the address without its `https:`: pointed to it, and nothing of the request is looked at.
#[tokio::test]
async fn plain_http_on_the_tls_port_is_pointed_to_https() {
    let scene = Scene::with(|builder| builder.tls()).await;
    let mut raw = Raw::connect(scene.site.address()).await;
    raw.send(head("GET", "/evil\r\nx: y", &[("X-Evil", "1")]).as_bytes()).await;
    let answer = raw.read_to_end().await;
    let origin = format!("https://localhost:{}", scene.site.address().port());
    assert_eq!(status(&answer), 307, "{answer}");
    assert!(answer.contains(&format!("location: {origin}/\r\n")) && !answer.contains("evil"), "{answer}");
    assert_eq!(scene.arrived(), 0);
}
