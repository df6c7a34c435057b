//! HTTP/2 that costs the server more than the client (CVE-2019-9512, -9515, CVE-2023-44487, the CONTINUATION floods of
//! 2024): bounded, and others on the same server go on.

use std::time::Duration;

use crate::frames::{
    CONTINUATION, END_HEADERS, END_STREAM, GOAWAY, HEADERS, Http2, PING, RST_STREAM, SETTINGS, ask, block,
    frame,
};
use crate::scene::{Scene, honest};

const SOON: Duration = Duration::from_secs(2);

/// CVE-2023-44487: requests that are cancelled as they are made. The connection ends; hardly any reach the application.
#[tokio::test]
async fn k07_rapid_reset() {
    let scene = Scene::with(|_| {}).await;
    let mut evil = Http2::connect(scene.address(), &[]).await;
    let (mut sent, mut taken) = (0_u32, true);
    while taken && sent < 5000 {
        let mut burst = Vec::new();
        for _ in 0..50 {
            let stream = 1 + 2 * sent;
            burst.extend(frame(HEADERS, END_STREAM | END_HEADERS, stream, &ask("/reset?delay_ms=500")));
            burst.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
            sent += 1;
        }
        taken = evil.raw(&burst).await;
    }
    let frames = evil.all(SOON).await;
    assert!(!taken || frames.iter().any(|frame| frame.kind == GOAWAY), "{} frames", frames.len());
    assert!(scene.arrived() < 200, "{} requests arrived", scene.arrived());
    honest(scene.address(), "/honest").await;
}

/// The same in step with the server, so that each is begun: a client that wants none of its answers is sent away.
#[tokio::test]
async fn k07_paced_resets() {
    let scene = Scene::with(|_| {}).await;
    let mut evil = Http2::connect(scene.address(), &[]).await;
    let mut ended = false;
    for number in 0..2000 {
        let stream = 1 + 2 * number;
        let asked = evil.get(stream, "/reset?delay_ms=500").await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        ended = !(asked && evil.send(RST_STREAM, 0, stream, &8_u32.to_be_bytes()).await);
        if ended {
            break;
        }
    }
    let frames = evil.all(SOON).await;
    assert!(ended || frames.iter().any(|frame| frame.kind == GOAWAY), "{} frames", frames.len());
    assert!(scene.arrived() < 600, "{} requests arrived", scene.arrived());
    honest(scene.address(), "/honest").await;
}

/// A head without an end, in CONTINUATION frames.
#[tokio::test]
async fn k07_continuation_flood() {
    let scene = Scene::with(|_| {}).await;
    let mut evil = Http2::connect(scene.address(), &[]).await;
    evil.send(HEADERS, END_STREAM, 1, &ask("/continued")).await;
    let piece = block(&[("x-odd", &"x".repeat(8000))]);
    let mut sent = 0;
    while sent < 5000 && evil.send(CONTINUATION, 0, 1, &piece).await {
        sent += 1;
    }
    assert!(sent < 5000, "40 MB of one head were taken");
    assert_eq!(scene.arrived(), 0);
    honest(scene.address(), "/honest").await;
}

/// Frames that want an answer each, from a client that does not read them.
#[tokio::test]
async fn k07_floods_of_pings_and_settings() {
    for (kind, payload) in [(PING, vec![0; 8]), (SETTINGS, vec![0, 4, 0, 1, 0, 0])] {
        let scene = Scene::with(|settings| settings.write_stall = Duration::from_secs(1)).await;
        let mut evil = Http2::connect(scene.address(), &[]).await;
        let burst: Vec<u8> = std::iter::repeat_n(frame(kind, 0, 0, &payload), 1000).flatten().collect();
        let mut bursts = 0;
        // It reads nothing: at some point nothing is taken from it any more, and then it is given up.
        while bursts < 4000 && evil.raw(&burst).await {
            bursts += 1;
        }
        assert!(bursts < 4000, "4 million of {kind} were taken");
        honest(scene.address(), "/honest").await;
    }
}

/// A small head that is large when unpacked: the table's one large entry, named a thousand times (RFC 7541 §7.3).
#[tokio::test]
async fn k07_hpack_bomb() {
    let scene = Scene::with(|_| {}).await;
    let mut evil = Http2::connect(scene.address(), &[]).await;
    let mut bomb = ask("/bomb");
    // A literal that is kept: name and value of 4000 bytes together, then its index, again and again.
    bomb.push(0x40);
    bomb.extend_from_slice(&block(&[("x-bomb", &"x".repeat(3900))])[1..]);
    bomb.extend(std::iter::repeat_n(0x80 | 62, 10_000));
    evil.send(HEADERS, END_STREAM | END_HEADERS, 1, &bomb).await;
    let status = evil.answer(1).await.map(|(status, _)| status);
    assert!(matches!(status, None | Some(431)), "{status:?}");
    assert_eq!(scene.arrived(), 0);
    honest(scene.address(), "/honest").await;
}
