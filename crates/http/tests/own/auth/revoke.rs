//! POST `/auth/revoke` (RFC 7009).

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_testkit::{Client, Request, TestSite};
use serde_json::json;

use crate::{DAY, MINUTE, assert_event, damaged, seconds};

const ADA: &str = "ada@example.com";
const API: &str = "api@example.com";

struct Scene {
    site: TestSite,
    ada: Client,
    service: String,
}

impl Scene {
    async fn new() -> Self {
        let site = TestSite::production().start().await;
        let ada = site.signed_in(ADA).await;
        site.add_user(API, &[]).await;
        let service = site.api_key(API, &["revoke"], &[]).await;
        Self { site, ada, service }
    }

    fn request(&self, fields: &[(&str, &str)]) -> Request {
        self.site.client().post("/auth/revoke").bearer(&self.service).form(fields)
    }

    /// H01: 200 and nothing else, whatever the token was.
    async fn revoke(&self, token: &str) {
        let answer = self.request(&[("token", token)]).expect_status(200).await.sets_no_cookie();
        assert!(answer.body().is_empty());
    }

    async fn alive(&self) {
        self.ada.get("/auth/session").expect_status(200).await;
    }

    async fn dead(&self) {
        self.ada.get("/auth/session").expect(401, "session_revoked").await;
        self.ada.copy().refresh().await.expect(401, "session_revoked");
    }
}

/// H01: either token takes the whole grant with it, at once.
#[tokio::test]
async fn h01_either_token_ends_the_session() {
    for kind in [CookieKind::Access, CookieKind::Refresh] {
        for hint in ["access_token", "refresh_token", "nonsense"] {
            let scene = Scene::new().await;
            scene.alive().await;
            let token = scene.ada.cookie(kind).unwrap();
            scene.request(&[("token", &token), ("token_type_hint", hint)]).expect_status(200).await;
            scene.dead().await;
            scene.revoke(&token).await;
            assert_event(&scene.site, EventName::TokenRevoked, "token_revoked").await;
            let events = scene.site.events().await;
            let told: Vec<_> = events.iter().filter(|e| e.name == EventName::TokenRevoked).collect();
            assert!(told.len() == 1 && told[0].user.is_some() && told[0].session.is_some(), "{told:?}");
        }
    }
}

/// H01: an expired access token and a spent refresh token still name their session.
#[tokio::test]
async fn h01_old_tokens_still_name_their_session() {
    let scene = Scene::new().await;
    let expired = scene.ada.cookie(CookieKind::Access).unwrap();
    scene.site.advance(MINUTE * 30);
    scene.ada.refresh().await.expect_status(200);
    scene.alive().await;
    scene.revoke(&expired).await;
    scene.dead().await;

    let scene = Scene::new().await;
    let spent = scene.ada.cookie(CookieKind::Refresh).unwrap();
    scene.site.advance(MINUTE);
    scene.ada.refresh().await.expect_status(200);
    scene.alive().await;
    scene.site.advance(seconds(30));
    scene.revoke(&spent).await;
    scene.dead().await;
}

/// H01: what is no token of ours is 200 too, and ends nothing; so is one of a session long gone.
#[tokio::test]
async fn h01_unknown_tokens() {
    let scene = Scene::new().await;
    let access = scene.ada.cookie(CookieKind::Access).unwrap();
    let staging = TestSite::production().environment("staging").start().await;
    let foreign = staging.signed_in(ADA).await;
    let flipped = damaged(&access);
    for token in [
        "x",
        "a.b.c",
        "csr_production_x",
        "csk_production_x",
        &flipped,
        &foreign.cookie(CookieKind::Access).unwrap(),
        &foreign.cookie(CookieKind::Refresh).unwrap(),
        &staging.api_key(ADA, &[], &[]).await,
    ] {
        scene.revoke(token).await;
    }
    scene.alive().await;
    scene.site.advance(DAY * 29);
    scene.revoke(&access).await;
}

/// G08: a key ends whoever presents it whole, and for good.
#[tokio::test]
async fn g08_api_keys() {
    let scene = Scene::new().await;
    let key = scene.site.api_key(ADA, &["introspect"], &[]).await;
    let ask = |key: &str| scene.site.client().post("/auth/introspect").bearer(key).form(&[("token", "x")]);
    ask(&key).expect_status(200).await;
    // The right id with a wrong secret is nobody's key.
    let other = scene.site.api_key(ADA, &["introspect"], &[]).await;
    scene.revoke(&format!("{}{}", &key[..key.len() - 20], &other[other.len() - 20..])).await;
    ask(&key).expect_status(200).await;
    scene.revoke(&key).await;
    ask(&key).expect(401, "token_invalid").await;
    scene.revoke(&key).await;
    ask(&other).expect_status(200).await;
    scene.alive().await;
    assert_event(&scene.site, EventName::TokenRevoked, "api_key_presented").await;
    assert_event(&scene.site, EventName::ApiKeyRefused, "api_key_revoked").await;
    // Its own, too.
    scene.revoke(&scene.service).await;
    scene.request(&[("token", "x")]).expect(401, "token_invalid").await;
}

/// H01: the caller is authenticated, by a key with the scope and nothing else.
#[tokio::test]
async fn h01_callers_are_authenticated() {
    let scene = Scene::new().await;
    let token = scene.ada.cookie(CookieKind::Access).unwrap();
    let form = [("token", token.as_str())];
    let ask = |client: &Client| client.post("/auth/revoke").form(&form);
    ask(&scene.site.client()).expect(401, "token_missing").await;
    ask(&scene.ada).with_csrf().expect(401, "token_missing").await;
    ask(&scene.site.client()).bearer(&token).expect(401, "wrong_purpose").await;
    let key = scene.site.api_key(API, &["introspect", "revocations:read"], &[]).await;
    ask(&scene.site.client()).bearer(&key).expect(403, "insufficient_scope").await;
    let json = scene.site.client().post("/auth/revoke").bearer(&scene.service);
    json.json(&json!({ "token": token })).expect(415, "unsupported_media_type").await;
    scene.request(&[("x", "y")]).expect(400, "invalid_request").await;
    scene.request(&[("token", &token), ("token", "x")]).expect(400, "invalid_request").await;
    scene.alive().await;
}
