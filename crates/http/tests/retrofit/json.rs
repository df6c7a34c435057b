//! A token in JSON: out of the answer, into a session, back to the upstream.

use std::time::Duration;

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::domain::session::EndReason;
use countersign_core::port::Store;
use serde_json::json;

use crate::scene::{Scene, everything, rules, subject, with_refresh};

/// D19, D08: the browser gets a placeholder, the upstream its token, and nobody else either.
#[tokio::test]
async fn d19_a_login_hands_out_a_placeholder_only() {
    let scene = Scene::new(with_refresh("json:/token")).await;
    let client = scene.site.client();
    let answer = scene.log_in(&client, "7").await.expect_status(200);
    let (token, body) = (scene.token(), answer.json());
    let placeholder = body["token"].as_str().unwrap();
    let mut parts = token.split('.').zip(placeholder.split('.'));
    assert_eq!(parts.next().map(|(a, b)| a == b), Some(true), "the same header");
    assert!(placeholder.ends_with(".countersign"));
    assert_eq!(body["refresh_token"], "countersign");
    // Byte for byte but for the two: a number that no double holds is as it was.
    assert!(answer.text().contains("12345678901234567890"), "{}", answer.text());
    let signature = token.rsplit('.').next().unwrap();
    let refresh = scene.app.refresh.lock().unwrap().keys().next().unwrap().clone();
    let handed_out = everything(&answer);
    assert!(!handed_out.contains(signature) && !handed_out.contains(&refresh), "{handed_out}");
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(answer.header("content-length"), Some(answer.body().len().to_string()));
    for kind in CookieKind::SESSION {
        assert!(client.cookie(kind).is_some(), "{kind:?}");
    }
    // What the page sends is worth nothing; what the upstream gets is the real one.
    let me = client.get("/api/me").bearer(placeholder).expect_status(200).await;
    assert_eq!(me.json()["me"], "7");
    let seen = scene.upstream.last();
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {token}")));
    assert!(seen.header("x-auth-user").is_some() && seen.header("countersign-assertion").is_some());
    assert!(seen.header("cookie").is_none());
    // At rest it is sealed.
    let held = scene
        .site
        .outside
        .store
        .upstream_tokens_under(countersign_core::domain::id::KeyId(7), 10)
        .await
        .unwrap();
    assert_eq!(held.len(), 1);
    let sealed = &held[0].sealed;
    assert!(!sealed.windows(8).any(|part| token.as_bytes().windows(8).any(|other| part == other)));
}

/// The token goes to its own upstream only, and only where there is identity.
#[tokio::test]
async fn injected_only_where_it_belongs() {
    let scene = Scene::new(rules("json:/token")).await;
    let client = scene.browser().await;
    let bearer = || scene.upstream.last().header("authorization");
    client.get("/api/me").expect_status(200).await;
    assert!(bearer().is_some());
    client.get("/other/x").send().await;
    assert_eq!(
        (bearer(), scene.upstream.last().header("x-auth-user").is_some()),
        (None, true),
        "another upstream"
    );
    client.get("/open/x").send().await;
    assert_eq!(bearer(), None, "cookies are not read");
    use countersign_testkit::{Cookies, Sender};
    client.get("/api/me").sender(Sender::ForeignImage).cookies(Cookies::All).send().await;
    assert_eq!(bearer(), None, "without identity");
    scene.site.client().get("/api/me").expect_status(401).await;
    assert_eq!(bearer(), None, "nobody");
}

/// A token that was stolen before, or out of the upstream's log, opens nothing from outside.
#[tokio::test]
async fn a_stolen_token_is_worth_nothing() {
    let scene = Scene::new(with_refresh("json:/token")).await;
    scene.browser().await;
    let token = scene.token();
    let thief = scene.site.client();
    thief.get("/api/me").bearer(&token).expect(401, "token_invalid").await;
    for target in ["/open/x", "/open/y"] {
        thief.get(target).bearer(&token).send().await;
        assert_eq!(scene.upstream.last().header("authorization"), None, "{target}");
    }
    // The commonest way to read it is `authorization.split(' ')[1]`, whatever the scheme.
    for sent in [format!("Basic {token}"), format!("Token {token}"), format!("Bearer:{token}"), token.clone()]
    {
        thief.get("/api/me").header("authorization", &sent).send().await;
        assert_eq!(scene.upstream.last().header("authorization"), None, "{sent}");
    }
    thief.get("/api/me").header("authorization", "Basic dXNlcjpwYXNzd29yZA==").send().await;
    assert_eq!(scene.upstream.last().header("authorization").as_deref(), Some("Basic dXNlcjpwYXNzd29yZA=="));
    let refresh = scene.app.refresh.lock().unwrap().keys().next().unwrap().clone();
    let before = scene.upstream.seen().len();
    let call = thief.post("/api/refresh").json(&json!({"refresh_token": refresh}));
    call.expect(401, "token_missing").await;
    assert_eq!(scene.upstream.seen().len(), before, "it was not even asked");
}

/// D10: our logout, the application's, or an operator's: the token is of no use from then on, and gone from the store.
#[tokio::test]
async fn d10_the_end_of_a_session() {
    let scene = Scene::new(rules("json:/token")).await;
    let tokens = || async { scene.site.outside.store.upstream_tokens_by_master_key().await.unwrap() };
    // The application's own.
    let client = scene.browser().await;
    let thief = client.copy();
    client.post("/api/logout").expect_status(200).await;
    let said = scene.upstream.last();
    assert!(said.header("authorization").is_some(), "the upstream hears of it, with its token");
    for browser in [&client, &thief] {
        browser.get("/api/me").expect_status(401).await;
        assert_eq!(scene.upstream.last().header("authorization"), None);
        browser.get("/required/x").expect(401, "session_revoked").await;
    }
    assert!(tokens().await.is_empty());
    // Ours.
    let client = scene.browser().await;
    client.csrf().await;
    client.log_out().await.expect_status(204);
    assert!(tokens().await.is_empty());
    client.get("/api/me").expect_status(401).await;
}

/// D09: a login takes the place of the session that the browser had.
#[tokio::test]
async fn d09_a_login_replaces_the_session() {
    let scene = Scene::new(rules("json:/token")).await;
    let client = scene.browser().await;
    let before = client.copy();
    let old = client.cookie(CookieKind::Refresh).unwrap();
    scene.log_in(&client, "8").await.expect_status(200);
    assert_ne!(client.cookie(CookieKind::Refresh).unwrap(), old);
    assert_eq!(client.get("/api/me").expect_status(200).await.json()["me"], "8");
    before.get("/required/x").expect(401, "session_revoked").await;
    assert_eq!(scene.site.outside.store.upstream_tokens_by_master_key().await.unwrap()[0].1, 1);
    // A login that fails costs nobody their session.
    client.post("/api/login").json(&json!({})).expect_status(401).await;
    assert_eq!(client.get("/api/me").expect_status(200).await.json()["me"], "8");
}

/// `sub`: the same user by the configured claim, else another with each session; never an address.
#[tokio::test]
async fn a21_who_the_user_is() {
    for (rules, same) in [(subject(rules("json:/token")), true), (rules("json:/token"), false)] {
        let scene = Scene::new(rules).await;
        let mut users = Vec::new();
        for user in ["7", "7", "8"] {
            let client = scene.site.client();
            scene.log_in(&client, user).await.expect_status(200);
            client.get("/api/me").expect_status(200).await;
            let seen = scene.upstream.last();
            assert_eq!(seen.header("x-auth-email"), None);
            users.push(seen.header("x-auth-user").unwrap());
        }
        assert_eq!((users[0] == users[1], users[1] == users[2]), (same, false));
    }
}

/// The session ends with the token, where nothing renews it.
#[tokio::test]
async fn the_session_ends_with_the_token() {
    let scene = Scene::new(rules("json:/token")).await;
    let now = scene.site.site.engine().now().as_secs();
    *scene.app.expires.lock().unwrap() = Some(now + 600);
    let client = scene.browser().await;
    let session = client.get("/auth/session").expect_status(200).await.json();
    let view = countersign_core::domain::time::Timestamp::parse_rfc3339(
        session["session"]["expires_at"].as_str().unwrap(),
    );
    assert_eq!(view.unwrap().as_secs(), now + 600);
    scene.site.advance(Duration::from_secs(599));
    client.get("/required/x").expect_status(200).await;
    scene.site.advance(Duration::from_secs(1));
    client.get("/required/x").expect(401, "session_expired").await;
    client.get("/api/me").expect_status(401).await;
    assert_eq!(scene.upstream.last().header("authorization"), None);
}

/// A 401 ends a session only if the operator says so: a wrong password, or a missing right, is one too.
#[tokio::test]
async fn a_401_ends_a_session_only_if_that_is_meant() {
    for end_on_401 in [false, true] {
        let scene =
            Scene::new(countersign_core::domain::retrofit::Retrofit { end_on_401, ..rules("json:/token") })
                .await;
        let client = scene.browser().await;
        // Never on a token path.
        client.post("/api/login").json(&json!({})).expect_status(401).await;
        client.get("/required/x").expect_status(200).await;
        scene.app.forget_tokens();
        client.get("/api/me").expect_status(401).await;
        let after = client.get("/required/x").send().await;
        assert_eq!(after.code(), if end_on_401 { "session_revoked" } else { "" });
        let ended =
            scene.site.events().await.into_iter().any(|event| *event.reason == *EndReason::Upstream.as_str());
        assert_eq!(ended, end_on_401);
    }
}

/// A rotated access token of ours does not lose the upstream's.
#[tokio::test]
async fn rotation_keeps_the_token() {
    let scene = Scene::new(rules("json:/token")).await;
    let client = scene.browser().await;
    for _ in 0..3 {
        scene.site.advance(Duration::from_secs(16 * 60));
        client.get("/api/me").expect_status(200).await;
    }
}

/// A token that could not be kept is not handed out either: no answer at all is better than half of one.
#[tokio::test]
async fn a_store_that_is_down_leaks_nothing() {
    let scene = Scene::new(rules("json:/token")).await;
    scene.site.outside.store.set(countersign_testkit::Mode::Unavailable);
    let client = scene.site.client();
    let answer = scene.log_in(&client, "7").await.expect(503, "store_unavailable");
    assert!(!everything(&answer).contains(scene.token().rsplit('.').next().unwrap()));
    assert!(client.cookies().is_empty());
}

/// A JWT in another answer is told of: somebody should configure it away.
#[tokio::test]
async fn a_token_elsewhere_raises_an_event() {
    let scene = Scene::new(rules("json:/token")).await;
    let client = scene.browser().await;
    client.get("/api/me").expect_status(200).await;
    assert!(!scene.has_event(EventName::RetrofitTokenSeen, "json_answer").await);
    client.get("/api/leak").expect_status(200).await;
    assert!(scene.has_event(EventName::RetrofitTokenSeen, "json_answer").await);
}

/// I01: what an upstream hands out is in no log at any level, whatever goes wrong.
#[tokio::test]
async fn i01_tokens_are_in_no_log() {
    let (captured, guard) = countersign_testkit::capture();
    let scene = Scene::new(with_refresh("json:/token")).await;
    let client = scene.browser().await;
    let (token, refresh) = (scene.token(), scene.app.refresh.lock().unwrap().keys().next().unwrap().clone());
    client.get("/api/me").expect_status(200).await;
    scene.app.forget_tokens();
    client.get("/api/me").expect_status(200).await;
    scene.app.forget_tokens();
    scene.app.refresh.lock().unwrap().clear();
    client.get("/api/me").expect_status(401).await;
    scene.site.client().get("/api/me").bearer(&token).expect_status(401).await;
    client.get("/api/leak").expect_status(200).await;
    scene.upstream.stop();
    client.get("/api/me").send().await;
    client.post("/api/logout").send().await;
    drop(guard);
    let log = captured.text();
    assert!(log.contains("cs_retrofit_refresh_refused") && log.contains("cs_retrofit_token_seen"));
    for secret in [token.rsplit('.').next().unwrap(), refresh.as_str(), &format!("{refresh}+")] {
        assert!(!log.contains(secret), "{secret}");
    }
}
