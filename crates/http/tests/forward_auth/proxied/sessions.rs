//! Sessions through a real proxy: signing in, a refresh on the way, signing out.

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_testkit::{Mode, PASSWORD, Sender};

use crate::proxy::Kind;
use crate::scene::{ADA, LAPSE, Scene, before_each_proxy};

before_each_proxy! {
    a_visit_from_sign_in_to_sign_out
    page_loads_are_refreshed_on_the_way
    scripts_refresh_for_themselves
    sign_out_is_effective_at_once
    long_dead_cookies_are_cleared
    theft_is_found
    k11_store_down
}

async fn a_visit_from_sign_in_to_sign_out(kind: Kind) {
    let scene = Scene::behind(kind).await;
    scene.site.add_user(ADA, &[]).await;
    let browser = scene.client();
    let sent = browser.get("/a?x=1").sender(Sender::Typed).expect_status(303).await;
    let login = sent.header("location").unwrap();
    assert_eq!(login, "/auth/login?return_to=/a%3Fx%3D1");
    let page = browser.get(&login).sender(Sender::Typed).expect_status(200).await;
    assert!(page.text().contains("<form"), "{}", page.text());
    let answer = browser.log_in(ADA, PASSWORD).await.expect_status(200);
    // Several Set-Cookie headers, one by one.
    assert!(answer.set_cookies().len() >= 5, "{:?}", answer.set_cookies());
    browser.get("/a?x=1").sender(Sender::OwnLink).expect_status(200).await;
    assert!(scene.arrived(0).header("x-auth-user").is_some());
    let answer = browser.log_out().await.expect_status(204);
    assert_eq!(answer.deleted().len(), 4);
    browser.get("/a").expect(401, "token_missing").await;
    assert_eq!(scene.upstream.seen().len(), 1);
}

/// Stale access, good refresh: redirect, several new cookies, back, signed in. Nothing rotates in the question itself.
async fn page_loads_are_refreshed_on_the_way(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.stale().await;
    let before = browser.cookie(CookieKind::Refresh);
    let answer = browser.get("/a?x=1&y=2").sender(Sender::OwnLink).expect_status(303).await.sets_no_cookie();
    let refresh = answer.header("location").unwrap();
    assert_eq!(refresh, "/auth/refresh?return_to=/a%3Fx%3D1%26y%3D2");
    assert_eq!(scene.rotations(), 0);
    let answer = browser.get(&refresh).sender(Sender::OwnLink).expect_status(303).await;
    assert_eq!(answer.header("location").as_deref(), Some("/a?x=1&y=2"));
    let mut names: Vec<String> = answer.set_cookies().into_iter().map(|c| c.name).collect();
    let mut expected = CookieKind::SESSION.map(|kind| scene.name(kind)).to_vec();
    names.sort();
    expected.sort();
    assert_eq!(names, expected);
    assert_eq!(scene.rotations(), 1);
    assert_ne!(browser.cookie(CookieKind::Refresh), before);
    browser.get("/a?x=1&y=2").sender(Sender::OwnLink).expect_status(200).await.sets_no_cookie();
    let seen = scene.arrived(0);
    assert_eq!(seen.target, "/a?x=1&y=2");
    assert!(seen.header("x-auth-user").is_some());
}

async fn scripts_refresh_for_themselves(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.stale().await;
    browser.get("/api/a").expect(401, "token_expired").await.sets_no_cookie();
    browser.post("/api/a").json(&serde_json::json!({"a": 1})).expect(401, "token_expired").await;
    assert_eq!(scene.rotations(), 0);
    browser.refresh().await.expect_status(200);
    let answer = browser.post("/api/a").json(&serde_json::json!({"a": 1})).expect_status(200).await;
    assert_eq!(answer.json()["body"], "{\"a\":1}");
}

/// A copy of the jar is worth nothing from the moment that the owner's sign-out is answered.
async fn sign_out_is_effective_at_once(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.browser().await;
    let thief = browser.copy();
    thief.get("/a").expect_status(200).await;
    browser.log_out().await.expect_status(204);
    thief.get("/a").expect(401, "session_revoked").await.clears_nothing();
    thief.get("/a").sender(Sender::OwnLink).expect_status(303).await;
    thief.get("/maybe/a").expect_status(200).await;
    let seen = scene.arrived(1);
    assert_eq!((seen.target.as_str(), seen.header("x-auth-user")), ("/maybe/a", None));
}

/// Four deletions in one refusal, all of them at the browser.
async fn long_dead_cookies_are_cleared(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.browser().await;
    browser.copy().log_out().await.expect_status(204);
    scene.site.advance(LAPSE);
    let answer = browser.get("/a").sender(Sender::OwnLink).expect_status(303).await;
    assert_eq!(answer.deleted().len(), 4, "{:?}", answer.set_cookies());
    assert_eq!(answer.header("location").as_deref(), Some("/auth/login?return_to=/a"));
}

/// D01: a thief who comes second ends the session for both, as without a proxy.
async fn theft_is_found(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.stale().await;
    let thief = browser.copy();
    browser.refresh().await.expect_status(200);
    browser.get("/a").expect_status(200).await;
    scene.site.advance(LAPSE);
    let sent = thief.get("/a").sender(Sender::OwnLink).expect_status(303).await;
    let refresh = sent.header("location").unwrap();
    let sent = thief.get(&refresh).sender(Sender::OwnLink).expect_status(303).await;
    assert!(sent.header("location").unwrap().starts_with("/auth/login"));
    assert!(scene.site.event_names().await.contains(&EventName::TokenReuse));
    browser.get("/a").expect(401, "session_revoked").await;
    assert_eq!(scene.upstream.seen().len(), 1);
}

/// K11: a store that does not answer closes the gate, and says so; what needs no session stays open.
async fn k11_store_down(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.stale().await;
    scene.site.outside.store.set(Mode::Unavailable);
    let answer = browser.get("/a").expect(503, "store_unavailable").await.clears_nothing();
    assert!(answer.header("retry-after").is_some());
    browser.get("/maybe/a").expect(503, "store_unavailable").await;
    assert!(scene.upstream.seen().is_empty());
    browser.get("/open/a").expect_status(200).await;
}
