//! Clients that ask and then take nothing (CVE-2019-9511, -9517): what they hold is taken from them.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use countersign_core::domain::route::{RouteAuth, RouteRule};
use countersign_testkit::{TestSite, TestUpstream};

use crate::frames::{DATA, END_HEADERS, END_STREAM, HEADERS, Http2, RST_STREAM, WINDOW_UPDATE, block};
use crate::scene::{Scene, honest, limit};

/// SETTINGS_INITIAL_WINDOW_SIZE.
const WINDOW: u16 = 4;

/// K07: a client whose window stays shut holds streams and an upstream's connections for a while, where those are
/// scarce for a short one; then its streams are reset and others are served.
#[tokio::test]
async fn k07_streams_that_take_nothing_are_reset() {
    let scene = Scene::with(|settings| {
        limit(settings, 4);
        settings.write_stall = Duration::from_secs(8);
    })
    .await;
    let mut shut = Http2::connect(scene.address(), &[(WINDOW, 0)]).await;
    for number in 0..6 {
        shut.get(1 + 2 * number, "/big?bytes=300000").await;
    }
    sleep(Duration::from_millis(300)).await;
    assert_eq!(scene.arrived(), 4, "all connections are held");
    let began = Instant::now();
    honest(scene.address(), "/honest").await;
    let waited = began.elapsed();
    assert!(waited < Duration::from_secs(5), "{waited:?}");
    let frames = shut.all(Duration::from_secs(10)).await;
    let resets = frames.iter().filter(|frame| frame.kind == RST_STREAM).count();
    assert_eq!(resets, 6, "{frames:?}");
    assert!(!frames.iter().any(|frame| frame.kind == DATA && !frame.payload.is_empty()));
    // The connection itself did nothing wrong.
    shut.get(101, "/empty").await;
    assert!(shut.next(Duration::from_secs(2)).await.is_some());
}

/// K07: where an upstream's connections are scarce, one connection of a client gets a share of them; the rest of its
/// requests wait, and others are served. (A trusted proxy's connection stands for many, and has no share.)
#[tokio::test]
async fn k07_one_connection_gets_a_share() {
    let upstream = TestUpstream::start().await;
    let mut open = RouteRule::protected(0);
    open.auth = RouteAuth::None;
    let site = TestSite::development()
        .upstream(upstream.origin())
        .route("/*", open)
        .settings(|settings| limit(settings, 16))
        .start()
        .await;
    let authority = site.origin().strip_prefix("http://").unwrap().to_owned();
    let ask =
        |path| block(&[(":method", "GET"), (":scheme", "http"), (":authority", &authority), (":path", path)]);
    let mut greedy = Http2::connect(site.address(), &[]).await;
    for number in 0..16 {
        greedy.send(HEADERS, END_STREAM | END_HEADERS, 1 + 2 * number, &ask("/long?delay_ms=2000")).await;
    }
    sleep(Duration::from_millis(500)).await;
    let arrived = upstream.seen().len();
    assert!((9..=10).contains(&arrived), "{arrived}");
    let mut other = Http2::connect(site.address(), &[]).await;
    other.send(HEADERS, END_STREAM | END_HEADERS, 1, &ask("/short")).await;
    assert_eq!(other.answer(1).await.unwrap().0, 200);
    let answers = greedy.all(Duration::from_secs(4)).await;
    let ended = answers.iter().filter(|frame| frame.kind == DATA && frame.flags & END_STREAM != 0).count();
    assert_eq!(ended, 16, "all are served in the end");
}

/// Slow is not stalled: a piece now and then is enough, for as long as it takes.
#[tokio::test]
async fn slow_streams_are_kept() {
    let scene = Scene::with(|settings| settings.write_stall = Duration::from_secs(1)).await;
    let mut slow = Http2::connect(scene.address(), &[(WINDOW, 0)]).await;
    slow.get(1, "/big?bytes=131072").await;
    let (mut taken, mut ended) = (0, false);
    for _ in 0..10 {
        for stream in [0, 1] {
            slow.send(WINDOW_UPDATE, 0, stream, &16_384_u32.to_be_bytes()).await;
        }
        for frame in slow.all(Duration::from_millis(400)).await {
            assert_ne!(frame.kind, RST_STREAM, "after {taken} bytes");
            if frame.kind == DATA {
                taken += frame.payload.len();
                ended |= frame.flags & END_STREAM != 0;
            }
        }
    }
    assert_eq!((taken, ended), (131_072, true));
}
