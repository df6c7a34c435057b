//! Token paths and other sites.

use countersign_core::domain::event::EventName;
use countersign_core::domain::retrofit::WORD;
use countersign_testkit::{Cookies, Sender};
use serde_json::json;

use crate::scene::{Scene, rules, with_refresh};

/// C09, C12: no other site signs a browser in, out, or has its token renewed, with or without cookies.
#[tokio::test]
async fn c09_c12_token_paths_demand_the_origin() {
    let scene = Scene::new(with_refresh("json:/token")).await;
    let client = scene.browser().await;
    let before = scene.upstream.seen().len();
    for path in ["/api/login", "/api/signup", "/api/logout", "/api/refresh"] {
        for sender in [
            Sender::ForeignForm,
            Sender::ForeignFetch,
            Sender::SiblingForm,
            Sender::SiblingFetch,
            Sender::Bare,
        ] {
            for cookies in [Cookies::All, Cookies::Exactly(String::new())] {
                let request =
                    client.post(path).sender(sender).cookies(cookies).json(&json!({"user": "mallory"}));
                request.expect_status(403).await.sets_no_cookie();
            }
        }
    }
    assert_eq!(scene.upstream.seen().len(), before);
    assert!(scene.has_event(EventName::MaliciousCsrf, "origin_denied").await);
    assert_eq!(client.get("/api/me").expect_status(200).await.json()["me"], "7");
    // Only the configured methods are meant.
    scene.site.client().get("/api/login").sender(Sender::ForeignLink).expect_status(401).await;
}

/// C07: whatever spelling an upstream takes for its login is one for us, or nothing at all.
#[tokio::test]
async fn c07_no_spelling_gets_a_token_out() {
    let scene = Scene::new(rules("json:/token")).await;
    for path in [
        "/API/Login",
        "/api/login/",
        "/api/login?x=1",
        "//api/login",
        "/api/%6Cogin",
        "/api/./login",
        "/api/x/../login",
        "/api/login;a=b",
    ] {
        let client = scene.site.client();
        let answer = client.post(path).json(&json!({"user": "7"})).send().await;
        let signatures: Vec<String> = scene
            .app
            .good
            .lock()
            .unwrap()
            .keys()
            .map(|token| token.rsplit('.').next().unwrap().to_owned())
            .collect();
        assert!(
            signatures.iter().all(|signature| !answer.text().contains(signature)),
            "{path}: {}",
            answer.text()
        );
    }
    assert!(scene.app.good.lock().unwrap().len() >= 3, "some of them reached it");
}

/// The placeholder is no credential, on no route; it neither helps nor harms.
#[tokio::test]
async fn the_placeholder_counts_as_absent() {
    let scene = Scene::new(rules("json:/token")).await;
    let client = scene.browser().await;
    for target in ["/api/me", "/open/x", "/other/x", "/required/x"] {
        for scheme in ["Bearer", "bearer", "Token"] {
            client.get(target).header("authorization", format!("{scheme} {WORD}")).send().await;
            let sent = scene.upstream.last().header("authorization").unwrap_or_default();
            assert!(!sent.contains(WORD), "{target}: {sent}");
        }
    }
}

/// No Set-Cookie of ours comes from an upstream, on a token path either.
#[tokio::test]
async fn our_cookies_are_ours() {
    use countersign_core::domain::cookie::CookieKind;
    use countersign_testkit::TestUpstream;
    let upstream = TestUpstream::app(|_, _| {
        let mut answer = crate::scene::said(200, &json!({"token": "opaque-token-of-theirs"}));
        let planted = "__Host-Http-cs-access=evil; Path=/; Secure; HttpOnly";
        answer.headers_mut().append("set-cookie", planted.parse().unwrap());
        answer
    })
    .await;
    let site = crate::scene::before(&upstream, rules("json:/token")).start().await;
    let client = site.client();
    let answer = client.post("/api/login").json(&json!({})).expect_status(200).await;
    assert_ne!(client.cookie(CookieKind::Access).as_deref(), Some("evil"));
    assert_eq!(answer.json()["token"], WORD);
}
