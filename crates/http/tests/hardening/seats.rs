//! The limit on connections: who counts, and who must go when there are too many.

use std::sync::Arc;
use std::time::Duration;

use countersign_http::{Listeners, Shutdown, serve};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout};

use crate::scene::{Raw, Scene, get, honest};

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: app.countersign.test\r\nX-Forwarded-Proto: https\r\n\
    Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://app.countersign.test\r\n\r\n";

async fn crowded(connections: usize) -> Scene {
    Scene::with(move |settings| {
        settings.connections = connections;
        settings.head_timeout = Duration::from_secs(60);
    })
    .await
}

/// K07: connections that ask for nothing do not lock others out: the one that has been silent for longest goes, and
/// none that is in a request.
#[tokio::test]
async fn k07_silent_connections_give_way() {
    let scene = crowded(4).await;
    let address = scene.address();
    let mut busy = Raw::send(address, &get("/busy?delay_ms=1500")).await;
    let mut silent = Vec::new();
    for start in ["", "GET /half HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n"] {
        sleep(Duration::from_millis(50)).await;
        silent.push(Raw::send(address, start).await);
    }
    sleep(Duration::from_millis(50)).await;
    let began = Instant::now();
    let _kept = honest(address, "/honest").await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(silent[0].rest().await, "");
    silent[1].write("Host: app.countersign.test\r\nX-Forwarded-Proto: https\r\n\r\n").await;
    assert!(silent[1].until("\"query\"").await.contains("\"path\":\"/half\""));
    assert!(busy.until("\"query\"").await.contains("\"path\":\"/busy\""));
}

/// K07: asking once is no right to a place for ever; but a request that runs is.
#[tokio::test]
async fn k07_idle_connections_give_way_and_requests_do_not() {
    let scene = crowded(1).await;
    let address = scene.address();
    let mut idle = honest(address, "/first").await;
    let mut busy = Raw::send(address, &get("/busy?delay_ms=700")).await;
    assert_eq!(idle.rest().await, "");
    sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    honest(address, "/third").await;
    assert!(began.elapsed() > Duration::from_millis(300), "{:?}", began.elapsed());
    assert!(busy.until("\"query\"").await.contains("\"path\":\"/busy\""));
}

/// K07: an upgraded connection still is one.
#[tokio::test]
async fn k07_tunnels_count_as_connections() {
    let scene = crowded(2).await;
    let address = scene.address();
    let mut tunnels = Vec::new();
    for _ in 0..2 {
        let mut tunnel = Raw::send(address, UPGRADE).await;
        assert!(tunnel.until("\r\n\r\n").await.starts_with("HTTP/1.1 101"));
        tunnels.push(tunnel);
    }
    let mut waiting = Raw::send(address, &get("/third")).await;
    let early = timeout(Duration::from_millis(500), waiting.until("HTTP")).await;
    assert!(early.is_err(), "a third connection was served");
    tunnels.pop();
    assert!(waiting.until("\"query\"").await.contains("\"path\":\"/third\""));
}

/// A listener that nobody connects to keeps no place from another.
#[tokio::test]
async fn idle_listeners_hold_no_places() {
    let scene = crowded(1).await;
    let mut public = Vec::new();
    for _ in 0..3 {
        public.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
    }
    let addresses: Vec<_> = public.iter().map(|listener| listener.local_addr().unwrap()).collect();
    let listeners = Listeners { public, tls: None, admin: None, health: None, threads: 0 };
    let shutdown = Shutdown { unready: Duration::ZERO, drain: Duration::ZERO };
    let site = Arc::clone(&scene.site.site);
    tokio::spawn(async move { Box::pin(serve(site, listeners, std::future::pending(), shutdown)).await });
    for address in addresses.into_iter().rev() {
        drop(honest(address, "/a").await);
    }
}
