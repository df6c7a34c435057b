//! Spent tokens through the gateway (design §5): thieves are found, stale copies are only refused.

use std::time::Duration;

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_testkit::{Client, Sender};

use crate::scene::{AFTER_GRACE, LAPSE, Scene};

/// A browser that has moved on, and somebody with a copy of its jar from before.
async fn left_behind(scene: &Scene) -> (Client, Client) {
    let browser = scene.stale().await;
    let copy = browser.copy();
    browser.get("/a").expect_status(200).await;
    // In use: confirmed.
    browser.get("/a").expect_status(200).await;
    scene.site.advance(AFTER_GRACE);
    (browser, copy)
}

/// D01: a spent token ends the session, live access tokens included.
#[tokio::test]
async fn d01_reuse_through_the_gateway_ends_the_session() {
    let scene = Scene::new().await;
    let (browser, thief) = left_behind(&scene).await;
    thief.get("/a").expect(401, "refresh_reused").await.sets_no_cookie();
    browser.get("/a").expect(401, "session_revoked").await.clears_nothing();
    let access = browser.cookie(CookieKind::Access).unwrap();
    scene.site.client().get("/a").bearer(&access).expect(401, "session_revoked").await;
    assert!(scene.site.event_names().await.contains(&EventName::TokenReuse));
}

/// Slower parallel requests of the same browser are no thieves: within the grace they are replayed.
#[tokio::test]
async fn slower_requests_within_the_grace_are_replayed() {
    let scene = Scene::new().await;
    let browser = scene.stale().await;
    let slower = browser.copy();
    browser.get("/a").expect_status(200).await;
    browser.get("/a").expect_status(200).await;
    scene.site.advance(Duration::from_secs(9));
    slower.get("/a").expect_status(200).await;
    assert_eq!(slower.cookie(CookieKind::Refresh), browser.cookie(CookieKind::Refresh));
}

/// Players, download managers and copied commands hold stale copies: 401, an event, and nothing changes.
#[tokio::test]
async fn stale_copies_are_denied_without_harm() {
    let scene = Scene::new().await;
    let (browser, copy) = left_behind(&scene).await;
    let range = copy.get("/video").header("range", "bytes=0-");
    range.expect(401, "token_expired").await.sets_no_cookie();
    let command = copy.get("/a").sender(Sender::Bare).header("accept", "*/*");
    command.expect(401, "token_expired").await.sets_no_cookie();
    assert_eq!(scene.rotations(), 1, "only the browser's own");
    let names = scene.site.event_names().await;
    assert!(names.contains(&EventName::SpentRefused));
    assert!(!names.contains(&EventName::TokenReuse));
    browser.get("/a").expect_status(200).await.sets_no_cookie();

    // A POST is none of these, and a page load is not either.
    let page = copy.get("/a").sender(Sender::Bare).header("accept", "text/html");
    page.expect_status(303).await;
    browser.get("/a").expect(401, "session_revoked").await;
}

/// Forging cannot log anybody out: an unknown token changes nothing.
#[tokio::test]
async fn forged_refresh_tokens_change_nothing() {
    let scene = Scene::new().await;
    let browser = scene.stale().await;
    let forger = browser.copy();
    let mut token = browser.cookie(CookieKind::Refresh).unwrap();
    let last = token.pop().unwrap();
    token.push(if last == '0' { '1' } else { '0' });
    forger.put_cookie(CookieKind::Refresh, &token);
    forger.get("/a").expect(401, "token_invalid").await.sets_no_cookie();
    assert_eq!(scene.rotations(), 0);
    browser.get("/a").expect_status(200).await;
}

/// No honest jar ever holds an abandoned generation: its use is theft whatever the request looks like. The silent thief.
#[tokio::test]
async fn abandoned_generations_are_reuse_even_for_stale_copies() {
    for by_access_token in [false, true] {
        let scene = Scene::new().await;
        let browser = scene.stale().await;
        let thief = browser.copy();
        // Rotates ahead, and keeps quiet.
        thief.get("/a").expect_status(200).await;
        scene.site.advance(Duration::from_secs(31));
        browser.get("/a").expect_status(200).await;
        if by_access_token {
            thief.get("/a").header("range", "bytes=0-").expect(401, "refresh_reused").await;
        } else {
            scene.site.advance(LAPSE);
            thief.get("/a").header("range", "bytes=0-").expect(401, "refresh_reused").await;
        }
        browser.get("/a").expect(401, "session_revoked").await;
    }
}

/// J06, design §4 "Clearing": a page load of a session that ended long ago loses its cookies; nothing else does.
#[tokio::test]
async fn cookies_are_cleared_by_page_loads_long_after_the_end_only() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    browser.copy().log_out().await.expect_status(204);
    let load = || browser.get("/a").sender(Sender::Typed);
    load().expect_status(303).await.clears_nothing();
    scene.site.advance(AFTER_GRACE);
    browser.get("/a").expect(401, "session_revoked").await.clears_nothing();
    browser.get("/a").sender(Sender::ForeignFrame).expect_status(401).await.clears_nothing();
    browser.post("/a").sender(Sender::OwnForm).expect_status(303).await.clears_nothing();
    let mut expected = CookieKind::SESSION.map(|kind| scene.name(kind)).to_vec();
    expected.sort_unstable();
    assert_eq!(load().expect_status(303).await.deleted(), expected);
}
