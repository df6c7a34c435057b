//! K10: WebSocket and server-sent events through the gateway: opened by an allowed origin only, ended with their session.

use std::time::Duration;

use countersign_core::service::{Context, Target};
use countersign_testkit::{Client, PASSWORD};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::raw::{self, PATIENCE, WebSocket};
use crate::scene::{LAPSE, Scene, cookie_header};

/// At once, and not only when the server next looks at deadlines, or when the access token runs out.
const BOUND: Duration = Duration::from_millis(500);

async fn open(scene: &Scene, browser: &Client) -> WebSocket {
    let mut socket = WebSocket::open(scene.site.address(), "/ws", &cookie_header(browser)).await;
    socket.echo("hello").await;
    socket
}

/// Any page may open a WebSocket with our cookies, so the origin decides, whatever Fetch Metadata says.
#[tokio::test]
async fn k10_upgrades_need_an_allowed_origin() {
    let scene = Scene::new().await;
    let cookies = cookie_header(&scene.browser().await);
    let cookies = ("Cookie", cookies.as_str());
    for fields in [
        &[cookies][..],
        &[cookies, ("Origin", "null")],
        &[cookies, ("Origin", "https://evil.test")],
        &[cookies, ("Origin", "https://app.countersign.test.evil.test")],
        &[cookies, ("Sec-Fetch-Site", "same-origin")],
        &[cookies, ("Sec-Fetch-Site", "none"), ("Origin", "https://evil.test")],
        &[
            cookies,
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-Dest", "document"),
        ],
    ] {
        let (head, _) = WebSocket::ask(scene.site.address(), "/ws", fields).await;
        assert_eq!(raw::status(&head), 403, "{fields:?}: {head}");
    }
    let own = ("Origin", "https://app.countersign.test");
    let (head, _) = WebSocket::ask(scene.site.address(), "/ws", &[own]).await;
    assert_eq!(raw::status(&head), 401, "nobody");
    assert_eq!(scene.arrived(), 0);
    let (head, _) = WebSocket::ask(scene.site.address(), "/ws", &[cookies, own]).await;
    assert_eq!(raw::status(&head), 101);
    assert!(scene.upstream.last().header("x-auth-user").is_some());
    assert_eq!(scene.upstream.last().header("cookie"), None);
}

/// A stale session is renewed by the handshake too.
#[tokio::test]
async fn the_handshake_rotates() {
    let scene = Scene::new().await;
    let cookies = cookie_header(&scene.stale().await);
    let fields = [("Cookie", cookies.as_str()), ("Origin", "https://app.countersign.test")];
    let (head, _) = WebSocket::ask(scene.site.address(), "/ws", &fields).await;
    assert_eq!(raw::status(&head), 101, "{head}");
    assert!(head.contains("__Host-Http-cs-refresh=csr_"), "{head}");
    assert_eq!(scene.rotations(), 1);
}

/// Revoked: closed with 1008 at once, whoever revoked; the session of somebody else stays open.
#[tokio::test]
async fn k10_websockets_are_closed_on_revoke() {
    let scene = Scene::new().await;
    let ada = scene.browser().await;
    scene.site.add_user("eve@example.test", &[]).await;
    let eve = scene.site.client();
    eve.log_in("eve@example.test", PASSWORD).await.expect_status(200);
    let mut others = open(&scene, &eve).await;

    let mut socket = open(&scene, &ada).await;
    ada.copy().log_out().await.expect_status(204);
    assert_eq!(timeout(BOUND, socket.close_code()).await.expect("closed in time"), 1008);
    assert_eq!(socket.next().await, None);

    let login = async || {
        let browser = scene.site.client();
        let body = browser.log_in("ada@example.test", PASSWORD).await.expect_status(200).json();
        (browser, body)
    };
    // By the operator: one session, one user, everybody.
    let engine = scene.site.site.engine();
    for step in 0..3 {
        let (browser, _) = login().await;
        let mut socket = open(&scene, &browser).await;
        browser.get("/a").expect_status(200).await;
        let seen = scene.upstream.last();
        let target = match step {
            0 => {
                let id = seen.header("x-auth-session").unwrap();
                Target::Session(countersign_core::domain::id::PublicId::parse(&id).unwrap())
            }
            1 => {
                let id = seen.header("x-auth-user").unwrap();
                Target::User(countersign_core::domain::id::UserId::parse(&id).unwrap())
            }
            _ => {
                others.echo("still here").await;
                Target::Everyone
            }
        };
        engine.revoke(&target, &Context::default()).await.unwrap();
        assert_eq!(timeout(BOUND, socket.close_code()).await.expect("closed in time"), 1008, "step {step}");
    }
    assert_eq!(timeout(BOUND, others.close_code()).await.expect("closed in time"), 1008);
}

/// Theft found by a request ends the connections of the session too.
#[tokio::test]
async fn k10_websockets_are_closed_on_reuse() {
    let scene = Scene::new().await;
    let browser = scene.stale().await;
    let thief = browser.copy();
    browser.get("/a").expect_status(200).await;
    let mut socket = open(&scene, &browser).await;
    scene.site.advance(Duration::from_secs(11));
    thief.get("/a").expect(401, "refresh_reused").await;
    assert_eq!(timeout(BOUND, socket.close_code()).await.expect("closed in time"), 1008);
}

/// Not with the access token but with the session: at the absolute deadline, or when nobody used it for too long.
#[tokio::test]
async fn k10_websockets_end_with_their_session() {
    let hour = Duration::from_secs(3600);
    let scene =
        Scene::with(|builder| builder.policy(|p| p.session.absolute_ttl = Duration::from_secs(4 * 3600)))
            .await;
    let browser = scene.browser().await;
    let mut socket = open(&scene, &browser).await;
    scene.site.advance(LAPSE);
    scene.site.advance(2 * hour);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    socket.echo("long after the access token").await;
    scene.site.advance(2 * hour);
    assert_eq!(timeout(6 * BOUND, socket.close_code()).await.expect("closed in time"), 1008);
}

/// Inbound frames are use, what the application sends is not: a session that only listens ends when it has been idle for too long.
#[tokio::test]
async fn idle_counts_inbound_frames() {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let scene = Scene::with(move |builder| builder.policy(move |p| p.session.idle_ttl = minutes(40))).await;
    let active = scene.browser().await;
    let silent = scene.site.client();
    silent.log_in("ada@example.test", PASSWORD).await.expect_status(200);
    let mut spoken = open(&scene, &active).await;
    let mut unspoken = open(&scene, &silent).await;
    for _ in 0..3 {
        scene.site.advance(minutes(30));
        spoken.echo("still here").await;
        scene.site.tick().await;
        // Time for the server to look at deadlines.
        tokio::time::sleep(Duration::from_millis(1200)).await;
    }
    assert_eq!(unspoken.close_code().await, 1008);
    spoken.echo("and still").await;
    active.get("/a").expect_status(200).await;
    silent.get("/a").expect(401, "session_expired").await;
}

async fn events(scene: &Scene, browser: &Client) -> Incoming {
    let _ = scene;
    let answer = browser.get("/sse").open().await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let mut body = answer.into_body();
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains("data: 1") {
        let frame = timeout(PATIENCE, body.frame()).await.expect("events flow").unwrap().unwrap();
        read.extend_from_slice(&frame.into_data().unwrap_or_default());
    }
    body
}

/// Whether the stream ends within the time.
async fn ends(body: Incoming, within: Duration) -> bool {
    let mut body = body;
    timeout(within, async move { while let Some(Ok(_)) = body.frame().await {} }).await.is_ok()
}

/// Event streams end on revoke, and flow on when another session of the user ends.
#[tokio::test]
async fn k10_event_streams_end_on_revoke() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let stream = events(&scene, &browser).await;
    let other = scene.site.client();
    other.log_in("ada@example.test", PASSWORD).await.expect_status(200);
    let others = events(&scene, &other).await;
    other.log_out().await.expect_status(204);
    assert!(ends(others, BOUND).await);
    assert!(!ends(stream, Duration::from_millis(300)).await, "somebody else's session");
    let stream = events(&scene, &browser).await;
    browser.copy().log_out().await.expect_status(204);
    assert!(ends(stream, BOUND).await);
}

/// What the bus did not tell, a poll of the store does: revoked by another node.
#[tokio::test]
async fn k10_revocations_found_by_polling_end_connections() {
    use countersign_core::domain::session::EndReason;
    use countersign_core::port::{Clock, Store};
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let mut socket = open(&scene, &browser).await;
    browser.get("/a").expect_status(200).await;
    let id = scene.upstream.last().header("x-auth-session").unwrap();
    let id = countersign_core::domain::id::PublicId::parse(&id).unwrap();
    let store = &scene.site.outside.store;
    let sid = store.session_by_public_id(&id).await.unwrap().unwrap().session.sid;
    // Behind this node's back.
    store.revoke_session(sid, EndReason::EndedByOperator, scene.site.outside.clock.now()).await.unwrap();
    socket.echo("not known yet").await;
    scene.site.tick().await;
    assert_eq!(timeout(6 * BOUND, socket.close_code()).await.expect("closed in time"), 1008);
}
