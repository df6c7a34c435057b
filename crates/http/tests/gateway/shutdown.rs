//! Stopping (design §9): requests finish, WebSockets are told to come back, nothing new is taken.

use std::time::Duration;

use http_body_util::BodyExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::raw::{Raw, WebSocket, head, status};
use crate::scene::{Scene, cookie_header};

#[tokio::test]
async fn a_stopping_server_drains() {
    drains(0).await;
}

/// On threads of its own too: each keeps its connections until they are drained.
#[tokio::test]
async fn threads_drain() {
    drains(3).await;
}

async fn drains(threads: usize) {
    let mut scene = Scene::with(|builder| builder.threads(threads)).await;
    let browser = scene.browser().await;
    let address = scene.site.address();
    let mut socket = WebSocket::open(address, "/ws", &cookie_header(&browser)).await;
    socket.echo("hello").await;
    let mut events = browser.get("/sse").open().await.into_body();
    events.frame().await.unwrap().unwrap();
    // A connection that is kept open for later, and a request under way.
    let mut idle = Raw::connect(address).await;
    idle.send(head("GET", "/open/a", &[]).as_bytes()).await;
    assert_eq!(status(&idle.read_until("\"query\"").await), 200);
    let running = tokio::spawn(browser.get("/a?delay_ms=500").send());
    let before = scene.arrived();
    while scene.arrived() == before {
        sleep(Duration::from_millis(5)).await;
    }

    scene.site.stop();
    assert_eq!(socket.close_code().await, 1012);
    assert_eq!(socket.next().await, None);
    let ended = async { while let Some(Ok(_)) = events.frame().await {} };
    timeout(Duration::from_secs(2), ended).await.expect("the event stream ends");
    assert_eq!(timeout(Duration::from_secs(2), idle.read_to_end()).await.expect("closed"), "");
    running.await.unwrap().expect_status(200);
    // The listener is gone.
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(5), refused).await.expect("no new connections");
}

/// Anonymous WebSockets of open routes end as well.
#[tokio::test]
async fn open_routes_are_told_too() {
    use countersign_core::domain::route::{RouteAuth, RouteRule};
    let open = RouteRule { auth: RouteAuth::None, ..RouteRule::protected(0) };
    let mut scene = Scene::with(|builder| builder.route("/ws", open)).await;
    let (answer, mut socket) = WebSocket::ask(scene.site.address(), "/ws", &[]).await;
    assert_eq!(status(&answer), 101, "{answer}");
    socket.echo("hello").await;
    scene.site.stop();
    assert_eq!(socket.close_code().await, 1012);
}
