//! Heads that no server should have to interpret, and connections that say nothing: what a socket can do to us (K07).

use std::time::Duration;

use countersign_core::domain::route::{RouteAuth, RouteRule};
use countersign_testkit::TestSite;
use tokio::time::Instant;

use crate::raw::{Raw, head, status};
use crate::scene::Scene;

/// A problem of a listed code, with all that our own answers carry.
fn assert_problem(answer: &str, expected: u16) {
    assert_eq!(status(answer), expected, "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    for field in [
        "content-type: application/problem+json",
        "connection: close",
        "strict-transport-security: ",
        "x-request-id: ",
        "x-content-type-options: nosniff",
    ] {
        assert!(head.contains(field), "{field}: {answer}");
    }
    let problem: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {answer}"));
    assert_eq!(problem["type"], "urn:countersign:problem:invalid_request");
    assert_eq!(problem["code"], "invalid_request");
    assert_eq!(problem["status"], expected);
    assert!(problem["request_id"].as_str().is_some_and(|id| head.contains(&id.to_ascii_lowercase())));
}

async fn exchange(scene: &Scene, bytes: &str) -> String {
    let mut raw = Raw::connect(scene.site.address()).await;
    raw.send(bytes.as_bytes()).await;
    raw.read_to_end().await
}

/// K07: whatever is wrong with a head, the answer is a problem, and it comes at once, also where the head never ends.
#[tokio::test]
async fn k07_refused_heads_get_a_problem() {
    let scene = Scene::new().await;
    let began = Instant::now();
    for fields in [
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "X: 1\r\n folded\r\n",
        "Transfer-Encoding: gzip\r\n",
        "X : 1\r\n",
        "X\r\n",
        "X: \0\r\n",
        "X: 1\n",
    ] {
        let text = format!("POST /open/a HTTP/1.1\r\nHost: app.countersign.test\r\n{fields}");
        assert_problem(&exchange(&scene, &text).await, 400);
    }
    for text in [
        "nonsense\r\n",
        "GET /a HTTP/2.0\r\n",
        "G(T / HTTP/1.1\r\n",
        "\x16\x03\x01\r\n",
        "MALFORMED /x HTTP/1.1\r\n\r\n",
    ] {
        assert_problem(&exchange(&scene, text).await, 400);
    }
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let start = head("GET", "/open/a", &[]);
    let start = start.trim_end();
    assert_problem(&exchange(&scene, &format!("{start}\r\nX: {}", "x".repeat(70_000))).await, 431);
    assert_problem(&exchange(&scene, &format!("{start}\r\n{}\r\n", "X: 1\r\n".repeat(150))).await, 431);
    assert_eq!(scene.arrived(), 0);
}

/// K07: behind an answer that is under way, the refusal comes after it.
#[tokio::test]
async fn k07_a_refusal_waits_its_turn() {
    let scene = Scene::new().await;
    let first = head("GET", "/open/a?delay_ms=200", &[]);
    let answers = exchange(&scene, &format!("{first}GET /open/b HTTP/1.1\r\n folded\r\n")).await;
    assert_eq!(status(&answers), 200, "{answers}");
    let second = answers.rfind("HTTP/1.1 400").unwrap_or_else(|| panic!("{answers}"));
    assert_problem(&answers[second..], 400);
    assert_eq!(scene.arrived(), 1);
}

/// K07: nobody stays who says nothing, or only how HTTP/2 begins; and then there is room for others.
#[tokio::test]
async fn k07_silent_connections_make_room() {
    let scene = Scene::with(|builder| {
        builder.settings(|settings| {
            settings.head_timeout = Duration::from_secs(1);
            settings.connections = 4;
        })
    })
    .await;
    let mut silent = Vec::new();
    for start in ["", "P", "PRI * HTTP/2.0\r\n", "GET /open/a HTTP/1.1\r\n"] {
        let mut raw = Raw::connect(scene.site.address()).await;
        raw.send(start.as_bytes()).await;
        silent.push(raw);
    }
    let answer = crate::raw::ask(scene.site.address(), head("GET", "/open/a", &[]).as_bytes()).await;
    assert_eq!(status(&answer), 200, "{answer}");
    for (number, raw) in silent.iter_mut().enumerate() {
        let answer = raw.read_to_end().await;
        // Who began to ask is told.
        assert!(if number < 3 { answer.is_empty() } else { answer.starts_with("HTTP/1.1 408") }, "{answer}");
    }
}

/// K07: the listener for operators is no way to hold all descriptors either.
#[tokio::test]
async fn k07_the_admin_listener_is_limited() {
    let site = TestSite::production().start().await;
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(Raw::connect(site.admin()).await);
    }
    let mut late = Raw::connect(site.admin()).await;
    late.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let early = tokio::time::timeout(Duration::from_millis(500), late.read_head()).await;
    assert!(early.is_err(), "{early:?}");
    drop(silent);
    assert_eq!(status(&late.read_head().await), 200);
    let mut bad = Raw::connect(site.admin()).await;
    bad.send(b"GET / HTTP/1.1\r\n folded\r\n").await;
    assert_eq!(status(&bad.read_to_end().await), 400);
}

/// K07: a body that quotes a 101 ends no watch, and a chunk that lies about its size hides no request.
#[tokio::test]
async fn k07_nothing_is_smuggled_behind_a_body() {
    let open = RouteRule { auth: RouteAuth::None, ..RouteRule::protected(0) };
    let scene = Scene::with(|builder| builder.route("/open/*", open)).await;
    let upgrade = [("Connection", "Upgrade"), ("Upgrade", "x"), ("X-Echo", "HTTP/1.1 101 x")];
    let mut raw = Raw::connect(scene.site.address()).await;
    raw.send(head("GET", "/open/a?HTTP/1.1%20101%20", &upgrade).as_bytes()).await;
    raw.read_until("\"query\"").await;
    let bad = [("Content-Length", "5"), ("Transfer-Encoding", "chunked")];
    raw.send(head("POST", "/open/b", &bad).as_bytes()).await;
    let answer = raw.read_to_end().await;
    assert!(answer.contains("HTTP/1.1 400"), "{answer}");
    assert_eq!(scene.arrived(), 1);

    let mut raw = Raw::connect(scene.site.address()).await;
    raw.send(head("POST", "/open/c", &[("Transfer-Encoding", "chunked")]).as_bytes()).await;
    raw.send("0".repeat(120).as_bytes()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    raw.send(format!("1a\r\n\r\n{}", head("GET", "/open/hidden", &[])).as_bytes()).await;
    let answer = raw.read_to_end().await;
    assert_problem(&answer, 400);
    assert!(!scene.upstream.seen().iter().any(|seen| format!("{seen:?}").contains("/open/hidden")));
}
