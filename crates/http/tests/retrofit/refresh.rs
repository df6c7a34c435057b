//! The refresh call: before the end, after a 401, for a front end; once at a time.

use std::sync::atomic::Ordering;
use std::time::Duration;

use countersign_core::domain::event::EventName;
use serde_json::json;

use crate::scene::{Scene, everything, rules, with_refresh};

/// A 401 to a request that carried the token: one refresh call, and the request again.
#[tokio::test]
async fn a_401_is_mended_once() {
    let scene = Scene::new(with_refresh("json:/token")).await;
    let client = scene.browser().await;
    scene.app.forget_tokens();
    assert_eq!(client.get("/api/me").expect_status(200).await.json()["me"], "7");
    assert_eq!(scene.app.refreshed.load(Ordering::SeqCst), 1);
    let refresh = scene.upstream.seen().into_iter().find(|seen| seen.target == "/api/refresh").unwrap();
    assert_eq!(refresh.header("authorization"), None, "the refresh token speaks for itself");
    assert_eq!(refresh.header("host").as_deref(), Some("app.countersign.test"));
    assert!(scene.has_event(EventName::SessionRenewed, "upstream_token").await);
    // A body is gone by then: the client hears the 401, and the next request has the fresh token.
    scene.app.forget_tokens();
    client.post("/api/things").json(&json!({"a": 1})).expect_status(401).await;
    assert_eq!(client.post("/api/things").json(&json!({"a": 1})).expect_status(200).await.json()["me"], "7");
    assert_eq!(scene.app.refreshed.load(Ordering::SeqCst), 2);
}

/// Refused: asked once, not with every request; the session lives on until the token's own end.
#[tokio::test]
async fn a_refusal_is_asked_for_once() {
    let scene = Scene::new(with_refresh("json:/token")).await;
    let now = scene.site.site.engine().now().as_secs();
    *scene.app.expires.lock().unwrap() = Some(now + 600);
    let client = scene.browser().await;
    scene.app.forget_tokens();
    scene.app.refresh.lock().unwrap().clear();
    for _ in 0..3 {
        client.get("/api/me").expect_status(401).await;
    }
    assert_eq!(scene.app.refreshed.load(Ordering::SeqCst), 1);
    assert!(scene.has_event(EventName::RetrofitRefreshRefused, "unauthorized").await);
    client.get("/auth/session").expect_status(200).await;
    scene.site.advance(Duration::from_secs(601));
    client.get("/required/x").expect(401, "session_expired").await;
    client.get("/auth/session").expect_status(401).await;
}

/// Many requests at once with a token that is over: one call (refresh tokens work once), one fresh token for all.
#[tokio::test]
async fn a_crowd_shares_one_call() {
    let scene = Scene::new(with_refresh("json:/token")).await;
    let client = scene.browser().await;
    scene.app.forget_tokens();
    let crowd: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn({
                let client = client.clone();
                async move { client.get("/api/me").send().await }
            })
        })
        .collect();
    for answer in crowd {
        answer.await.unwrap().expect_status(200);
    }
    assert_eq!(scene.app.refreshed.load(Ordering::SeqCst), 1);
}

/// Renewed ahead of its end: nobody sees a 401.
#[tokio::test]
async fn renewed_before_it_ends() {
    let scene = Scene::new(with_refresh("json:/token")).await;
    let now = scene.site.site.engine().now().as_secs();
    *scene.app.expires.lock().unwrap() = Some(now + 600);
    let client = scene.browser().await;
    scene.site.advance(Duration::from_secs(560));
    client.get("/api/me").expect_status(200).await;
    assert_eq!(scene.app.refreshed.load(Ordering::SeqCst), 0);
    *scene.app.expires.lock().unwrap() = Some(now + 6000);
    scene.site.advance(Duration::from_secs(15));
    client.post("/api/things").json(&json!({})).expect_status(200).await;
    assert_eq!(scene.app.refreshed.load(Ordering::SeqCst), 1);
    // The session outlives the first token by far.
    scene.site.advance(Duration::from_secs(1000));
    client.get("/required/x").expect_status(200).await;
}

/// A front end that refreshes by itself holds placeholders; the gateway asks with the real one, and hands out placeholders.
#[tokio::test]
async fn a_front_end_refreshes_with_its_placeholder() {
    let scene = Scene::new(with_refresh("json:/token")).await;
    let client = scene.browser().await;
    let old = scene.token();
    for _ in 0..2 {
        let answer = client
            .post("/api/refresh")
            .json(&json!({"refresh_token": "countersign"}))
            .expect_status(200)
            .await;
        assert_eq!(answer.json()["refresh_token"], "countersign");
        assert!(answer.json()["token"].as_str().unwrap().ends_with(".countersign"));
        let good = scene.app.good.lock().unwrap().clone();
        assert!(good.keys().all(|token| !everything(&answer).contains(token.rsplit('.').next().unwrap())));
        assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    }
    client.get("/api/me").expect_status(200).await;
    assert_ne!(scene.upstream.last().header("authorization"), Some(format!("Bearer {old}")));
    // Refused: the upstream's own answer, and the session lives (never on a token path).
    scene.app.refresh.lock().unwrap().clear();
    client.post("/api/refresh").json(&json!({})).expect_status(401).await;
    client.get("/required/x").expect_status(200).await;
}

/// An upstream that is away refuses nothing: nobody is signed out by it.
#[tokio::test]
async fn an_outage_ends_no_session() {
    let scene = Scene::new(with_refresh("json:/token")).await;
    let client = scene.browser().await;
    scene.upstream.stop();
    client.get("/api/me").send().await;
    client.post("/api/refresh").json(&json!({})).expect_status(502).await;
    client.get("/auth/session").expect_status(200).await;
}

/// Without a refresh call there is none.
#[tokio::test]
async fn no_call_without_configuration() {
    let scene = Scene::new(rules("json:/token")).await;
    let client = scene.browser().await;
    scene.app.forget_tokens();
    client.get("/api/me").expect_status(401).await;
    assert_eq!(scene.app.refreshed.load(Ordering::SeqCst), 0);
}
