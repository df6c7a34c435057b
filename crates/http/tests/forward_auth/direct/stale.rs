//! Nothing rotates in a question: what is stale is sent to be refreshed where the browser can take new cookies (design §5, §7).

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_http::ForwardingProxy::{Caddy, Nginx};
use countersign_testkit::{Client, Mode, Sender};

use crate::scene::{ADA, Desk, LAPSE};

async fn stale(desk: &Desk) -> Client {
    let browser = desk.site.signed_in(ADA).await;
    desk.site.advance(LAPSE);
    drop(desk.site.outside.store.take_writes());
    browser
}

fn rotations(desk: &Desk) -> usize {
    desk.site.outside.store.take_writes().iter().filter(|verb| **verb == "rotate_if_current").count()
}

#[tokio::test]
async fn page_loads_go_by_way_of_a_refresh() {
    let desk = Desk::new(Nginx).await;
    let browser = stale(&desk).await;
    let refresh = Some("/auth/refresh?return_to=/a%3Fx%3D1".to_owned());
    for sender in [Sender::OwnLink, Sender::Typed] {
        let answer =
            desk.ask(&browser, "GET", "/a?x=1").sender(sender).expect_status(401).await.sets_no_cookie();
        assert_eq!(answer.header("location"), refresh);
        let answer = desk.ask_for_client(&browser, "GET", "/a?x=1").sender(sender).expect_status(303).await;
        assert_eq!(answer.header("location"), refresh);
    }
    // Optional routes too: to go on as nobody would sign the user out in the middle of a visit.
    desk.ask_for_client(&browser, "GET", "/maybe/a").sender(Sender::OwnLink).expect_status(303).await;
    // In a frame of our own as well.
    let framed =
        desk.ask_for_client(&browser, "GET", "/a").sender(Sender::OwnLink).header("sec-fetch-dest", "iframe");
    framed.expect_status(303).await;
    assert_eq!(rotations(&desk), 0);
    let back =
        browser.get("/auth/refresh?return_to=/a%3Fx%3D1").sender(Sender::OwnLink).expect_status(303).await;
    assert_eq!(back.header("location").as_deref(), Some("/a?x=1"));
    desk.ask(&browser, "GET", "/a?x=1").expect_status(200).await;
}

#[tokio::test]
async fn scripts_are_told_to_refresh() {
    let desk = Desk::new(Caddy).await;
    let browser = stale(&desk).await;
    for method in ["GET", "POST"] {
        desk.ask_for_client(&browser, method, "/a").expect(401, "token_expired").await.sets_no_cookie();
    }
    browser.drop_cookie(CookieKind::Access);
    desk.ask(&browser, "GET", "/maybe/a").expect(401, "token_expired").await;
    assert_eq!(rotations(&desk), 0);
    browser.refresh().await.expect_status(200);
    desk.ask(&browser, "POST", "/a").expect_status(200).await;
}

/// A form that comes too late is not lost on the way through a redirect without a word.
#[tokio::test]
async fn forms_are_told_that_they_are_late() {
    let desk = Desk::new(Caddy).await;
    let browser = stale(&desk).await;
    let answer = desk.ask_for_client(&browser, "POST", "/a").sender(Sender::OwnForm).expect_status(401).await;
    assert!(answer.text().contains("Go back"), "{}", answer.text());
    assert_eq!(answer.header("location"), None);
}

/// A damaged access cookie is mended like a stale one; damaged refresh cookies are nobody's.
#[tokio::test]
async fn damaged_cookies() {
    let desk = Desk::new(Caddy).await;
    let browser = stale(&desk).await;
    browser.put_cookie(CookieKind::Access, "damaged");
    desk.ask(&browser, "GET", "/a").expect(401, "token_expired").await;
    let refresh = browser.cookie(CookieKind::Refresh).unwrap();
    browser.put_cookie(CookieKind::Refresh, "damaged");
    desk.ask(&browser, "GET", "/a").expect(401, "token_invalid").await;
    browser.drop_cookie(CookieKind::Refresh);
    desk.ask(&browser, "GET", "/a").expect(401, "token_invalid").await;
    browser.put_cookie(CookieKind::Refresh, &refresh);
    desk.ask(&browser, "GET", "/a").expect(401, "token_expired").await;
}

/// Spent refresh tokens are looked at, and not judged: that is for where the browser brings them.
#[tokio::test]
async fn questions_change_nothing() {
    let desk = Desk::new(Caddy).await;
    let browser = stale(&desk).await;
    let thief = browser.copy();
    for _ in 0..3 {
        desk.site.advance(LAPSE);
        browser.refresh().await.expect_status(200);
    }
    drop(desk.site.outside.store.take_writes());
    desk.ask(&thief, "GET", "/a").expect(401, "token_expired").await;
    desk.ask(&browser, "GET", "/a").expect_status(200).await;
    let names = desk.site.event_names().await;
    assert!(!names.contains(&EventName::TokenReuse));
    assert_eq!(rotations(&desk), 0);
    thief.refresh().await.expect(401, "refresh_reused");
    desk.ask(&browser, "GET", "/a").expect(401, "session_revoked").await;
}

/// A dead session is not sent round in circles: to the sign-in page, or on as nobody. Its cookies go only when it is long dead.
#[tokio::test]
async fn dead_sessions() {
    let desk = Desk::new(Caddy).await;
    let browser = stale(&desk).await;
    browser.copy().log_out().await.expect_status(204);
    desk.ask(&browser, "GET", "/a").expect(401, "session_revoked").await;
    let load = || desk.ask_for_client(&browser, "GET", "/a").sender(Sender::OwnLink).expect_status(303);
    let answer = load().await.clears_nothing();
    assert_eq!(answer.header("location").as_deref(), Some("/auth/login?return_to=/a"));
    desk.ask(&browser, "GET", "/maybe/a").sender(Sender::OwnLink).expect_status(200).await;
    desk.site.advance(LAPSE);
    let answer = load().await;
    assert_eq!(answer.deleted().len(), 4, "{:?}", answer.set_cookies());
}

#[tokio::test]
async fn d06_expired_sessions() {
    let desk = Desk::new(Caddy).await;
    let browser = desk.site.signed_in(ADA).await;
    desk.site.advance(8 * 24 * 4 * LAPSE);
    desk.ask(&browser, "GET", "/a").expect(401, "session_expired").await;
    let answer = desk.ask_for_client(&browser, "GET", "/a").sender(Sender::OwnLink).expect_status(303).await;
    assert_eq!(answer.header("location").as_deref(), Some("/auth/login?return_to=/a"));
}

/// nginx asks a second time what to say. If the request would pass by then, the browser is sent there once more, and no further.
#[tokio::test]
async fn a_refusal_that_no_longer_holds() {
    let desk = Desk::new(Nginx).await;
    let browser = desk.site.signed_in(ADA).await;
    let again = |target: &'static str| desk.ask_for_client(&browser, "GET", target).sender(Sender::OwnLink);
    let answer = again("/a?x=1").expect_status(303).await;
    assert_eq!(answer.header("location").as_deref(), Some("/a?x=1"));
    assert_eq!(answer.header("countersign-assertion"), None);
    // K08: a path to nginx, a host to the browser.
    for target in ["//evil.example/a", "/%5cevil.example", "/\\evil.example"] {
        let location = again(target).expect_status(303).await.header("location");
        assert!(location.as_deref() == Some("/"), "{target}: {location:?}");
    }
    desk.ask_for_client(&browser, "POST", "/a").expect(401, "token_expired").await;
}

/// K11: a node that has not heard of revocations for too long asks the store; no answer is no, and not "nobody".
#[tokio::test]
async fn k11_store_down_while_the_token_is_fresh() {
    let desk = Desk::new(Caddy).await;
    let browser = desk.site.signed_in(ADA).await;
    desk.site.advance(std::time::Duration::from_secs(10));
    desk.site.outside.store.set(Mode::Unavailable);
    for target in ["/a", "/maybe/a"] {
        desk.ask(&browser, "GET", target).expect(503, "store_unavailable").await.clears_nothing();
    }
}

/// K11: without the store nothing passes that needs it.
#[tokio::test]
async fn k11_store_down() {
    let desk = Desk::new(Caddy).await;
    let browser = stale(&desk).await;
    desk.site.outside.store.set(Mode::Unavailable);
    for target in ["/a", "/maybe/a"] {
        let answer = desk.ask(&browser, "GET", target).expect(503, "store_unavailable").await;
        assert!(answer.header("retry-after").is_some());
    }
    desk.ask(&browser, "GET", "/open/a").expect_status(200).await;
}
