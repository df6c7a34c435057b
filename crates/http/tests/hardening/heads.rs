//! Heads that are too slow or too many (K07), and what a refusal says.

use std::time::Duration;

use crate::frames::{Http2, REQUEST, block};
use crate::scene::{Raw, Scene, honest};

/// K07: whoever began to ask and does not go on is told so, as a problem, and nothing reaches the application.
#[tokio::test]
async fn k07_a_slow_first_head_is_408() {
    let scene = Scene::with(|settings| settings.head_timeout = Duration::from_secs(1)).await;
    let mut raw = Raw::send(scene.address(), "GET /a HTTP/1.1\r\nHost: app.countersign.test\r\n").await;
    let answer = raw.rest().await.to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 408"), "{answer}");
    assert!(
        answer.contains("content-type: application/problem+json") && answer.contains("connection: close")
    );
    assert_eq!(scene.arrived(), 0);
}

/// K09: the methods that 405 names are those that pass.
#[tokio::test]
async fn k09_allow_names_every_method_that_passes() {
    let scene = Scene::with(|_| {}).await;
    let head = |method: &str| {
        format!(
            "{method} /a HTTP/1.1\r\nHost: app.countersign.test\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n"
        )
    };
    let refused = Raw::send(scene.address(), &head("TRACE")).await.rest().await;
    assert!(refused.starts_with("HTTP/1.1 405"), "{refused}");
    let allow = refused.lines().find_map(|line| line.strip_prefix("allow: ")).unwrap().to_owned();
    assert!(allow.contains("PROPFIND") && !allow.contains("TRACE"), "{allow}");
    for method in allow.split(", ") {
        let answer = Raw::send(scene.address(), &head(method)).await.rest().await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{method}: {answer}");
    }
}

/// Design §7 "Request heads": more than 100 fields are 431 over HTTP/2 too, with a problem; crumbs of cookies are none.
#[tokio::test]
async fn k07_too_many_fields_over_http2() {
    let scene = Scene::with(|_| {}).await;
    for (name, status) in [("cookie", 200), ("x-odd", 431)] {
        let mut client = Http2::connect(scene.address(), &[]).await;
        let many = vec![(name, "a=1"); 150];
        let fields = block(&[&[(":path", "/a")], &REQUEST[..], &many].concat());
        client.send(1, 5, 1, &fields).await;
        let (seen, body) = client.answer(1).await.unwrap();
        assert_eq!(seen, status, "{body}");
        assert_eq!(body.contains("invalid_request"), status == 431, "{body}");
        // The connection goes on.
        client.send(1, 5, 3, &block(&[&[(":path", "/canary")], &REQUEST[..]].concat())).await;
        assert!(client.answer(3).await.unwrap().1.contains("/canary"));
    }
    assert_eq!(scene.arrived(), 3);
    honest(scene.address(), "/honest").await;
}
