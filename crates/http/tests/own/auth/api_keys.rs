//! `/auth/api-keys`: a user's own keys (requirements §G).

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::port::Store;
use countersign_testkit::{Answer, Client, Cookies, PASSWORD, Sender, TestSite};
use serde_json::{Value, json};

use crate::{DAY, assert_event, seconds};

const ADA: &str = "ada@example.com";

/// A user with these scopes, signed in.
async fn signed_in(site: &TestSite, email: &str, scopes: &[&str]) -> Client {
    site.add_user(email, scopes).await;
    let client = site.client();
    client.log_in(email, PASSWORD).await.expect_status(200);
    client
}

async fn create(client: &Client, body: Value) -> Answer {
    client.post("/auth/api-keys").with_csrf().json(&body).send().await
}

/// A key that lives for a day, with these scopes.
async fn key(client: &Client, scope: &str) -> Value {
    let body = json!({ "name": "ci", "scope": scope, "expires_in": 86_400 });
    create(client, body).await.expect_status(201).json()
}

async fn listed(client: &Client) -> Vec<Value> {
    let answer = client.get("/auth/api-keys").expect_status(200).await;
    answer.json()["api_keys"].as_array().unwrap().clone()
}

/// G01, G02, G03: the key is in the answer that made it and nowhere else, ever.
#[tokio::test]
async fn g03_shown_once() {
    let site = TestSite::production().start().await;
    let ada = signed_in(&site, ADA, &["read"]).await;
    let made = key(&ada, "read").await;
    let text = made["key"].as_str().unwrap();
    assert!(text.starts_with("csk_production_"));
    assert_eq!(text.len(), "csk_production_".len() + 49 + 6);
    assert_eq!(made["last4"], text[text.len() - 4..]);
    assert_eq!(
        (&made["name"], &made["scope"], &made["revoked_at"]),
        (&json!("ci"), &json!("read"), &Value::Null)
    );
    let keys = listed(&ada).await;
    assert_eq!(keys.len(), 1);
    assert_eq!((&keys[0]["id"], &keys[0]["last4"]), (&made["id"], &made["last4"]));
    let id = made["id"].as_str().unwrap();
    let shown = ada.get(&format!("/auth/api-keys/{id}")).expect_status(200).await;
    assert_eq!(shown.json(), keys[0]);
    // The digits of the secret, however the key is cut.
    let secret = &text["csk_production_".len() + 20..text.len() - 6];
    let stored = format!("{:?}", site.outside.store.api_keys(None).await.unwrap());
    let events = format!("{:?}", site.events().await);
    for dump in [shown.text(), serde_json::to_string(&keys).unwrap(), stored, events] {
        assert!(!dump.contains(text) && !dump.contains(secret), "{dump}");
    }
    assert_event(&site, EventName::TokenCreated, "api_key_by_owner").await;
}

/// G05: no key without an expiry, none beyond the maximum.
#[tokio::test]
async fn g05_expiry_is_mandatory() {
    let site = TestSite::production().start().await;
    let ada = signed_in(&site, ADA, &[]).await;
    for bad in [
        json!({ "name": "x" }),
        json!({ "name": "x", "expires_in": null }),
        json!({ "name": "x", "expires_in": 0 }),
        json!({ "name": "x", "expires_in": 90 * 86_400 + 1 }),
        json!({ "name": "x", "expires_in": u64::MAX }),
        json!({ "name": "x", "expires_in": -1 }),
        json!({ "name": "x", "expires_in": 60, "expires_at": "2026-10-01T00:00:00Z" }),
        json!({ "name": "x", "expires_at": "tomorrow" }),
        json!({ "name": "x", "expires_at": "2020-01-01T00:00:00Z" }),
        json!({ "name": "x", "expires_at": "9999-01-01T00:00:00Z" }),
    ] {
        create(&ada, bad.clone()).await.expect(400, "invalid_request");
    }
    assert!(listed(&ada).await.is_empty());
    let most =
        create(&ada, json!({ "name": "x", "expires_in": 90 * 86_400 })).await.expect_status(201).json();
    let at = site.site.engine().now().plus(DAY * 90);
    assert_eq!(most["expires_at"], json!(at));
    create(&ada, json!({ "name": "x", "expires_at": at.rfc3339() })).await.expect_status(201);
}

/// G04: default none; never beyond the owner; the machines' scopes are an operator's to grant.
#[tokio::test]
async fn g04_scopes() {
    let site = TestSite::production().start().await;
    let ada = signed_in(&site, ADA, &["read", "write", "introspect"]).await;
    let wanting = |scope: Value| json!({ "name": "x", "scope": scope, "expires_in": 60 });
    let made = create(&ada, json!({ "name": "x", "expires_in": 60 })).await.expect_status(201).json();
    assert_eq!(made["scope"], "");
    for good in [json!("write read"), json!(["write", "read"])] {
        let made = create(&ada, wanting(good)).await.expect_status(201).json();
        assert_eq!((&made["scope"], &made["effective_scope"]), (&json!("read write"), &json!("read write")));
    }
    for beyond in [json!("admin"), json!("read admin"), json!(["read", "admin"])] {
        create(&ada, wanting(beyond)).await.expect(403, "insufficient_scope");
    }
    for machine in ["introspect", "revoke", "revocations:read", "sessions:open"] {
        let answer = create(&ada, wanting(json!(machine))).await.expect(403, "insufficient_scope");
        assert!(answer.text().contains("operator"), "{machine}");
    }
    for nonsense in [json!("a\"b"), json!(["a b"]), json!(7), json!({ "a": 1 })] {
        create(&ada, wanting(nonsense)).await.expect(400, "invalid_request");
    }
    assert_eq!(listed(&ada).await.len(), 3);
}

/// What is misspelt is refused: without its addresses a key would work everywhere.
#[tokio::test]
async fn bad_bodies() {
    let site = TestSite::production().start().await;
    let ada = signed_in(&site, ADA, &[]).await;
    for bad in [
        json!({ "name": "x", "expires_in": 60, "adresses": ["192.0.2.1"] }),
        json!({ "name": "x", "expires_in": 60, "addresses": ["everywhere"] }),
        json!({ "name": "x", "expires_in": 60, "addresses": "192.0.2.1" }),
        json!({ "name": "", "expires_in": 60 }),
        json!({ "name": "a\nb", "expires_in": 60 }),
        json!({ "name": "x".repeat(65), "expires_in": 60 }),
        json!({ "expires_in": 60 }),
        json!([]),
        json!(null),
    ] {
        create(&ada, bad).await.expect(400, "invalid_request");
    }
    let form = ada.post("/auth/api-keys").with_csrf().form(&[("name", "x")]);
    form.expect(415, "unsupported_media_type").await;
    ada.post("/auth/api-keys").with_csrf().expect(415, "unsupported_media_type").await;
    let made = json!({ "name": "x", "expires_in": 60, "addresses": ["192.0.2.77/24", "2001:db8::1"] });
    let made = create(&ada, made).await.expect_status(201).json();
    assert_eq!(made["addresses"], json!(["192.0.2.0/24", "2001:db8::1/128"]));
}

/// G07: a live session, and its user; whatever the body says.
#[tokio::test]
async fn g07_the_owner_is_the_session() {
    let site = TestSite::production().start().await;
    let ada = signed_in(&site, ADA, &[]).await;
    let eve = signed_in(&site, "eve@example.com", &[]).await;
    let id = key(&ada, "").await["id"].as_str().unwrap().to_owned();
    let user = ada.get("/auth/session").expect_status(200).await.json()["user"]["id"].clone();
    let naming = |member: &str| json!({ "name": "x", "expires_in": 60, member: user });
    let one = format!("/auth/api-keys/{id}");
    for member in ["user_id", "userId", "user", "owner", "sub"] {
        let stranger = site.client();
        stranger.csrf().await;
        create(&stranger, naming(member)).await.expect(401, "token_missing");
        create(&eve, naming(member)).await.expect(400, "invalid_request");
    }
    assert!(listed(&eve).await.is_empty());
    for target in [&one, "/auth/api-keys/00000000000000000", "/auth/api-keys/x", "/auth/api-keys/%00"] {
        eve.get(target).expect(404, "not_found").await;
        eve.delete(target).with_csrf().expect(404, "not_found").await;
        site.client().get(target).expect(401, "token_missing").await;
        site.client().delete(target).expect(401, "token_missing").await;
    }
    site.client().get("/auth/api-keys").expect(401, "token_missing").await;
    assert_eq!(listed(&ada).await[0]["revoked_at"], Value::Null);
    // A session that has ended makes nothing any more.
    let gone = ada.copy();
    ada.log_out().await.expect_status(204);
    create(&gone, json!({ "name": "x", "expires_in": 60 })).await.expect(401, "session_revoked");
}

/// C01: changes by cookies need a CSRF token and an own origin; a bearer token needs neither.
#[tokio::test]
async fn c01_csrf_and_origin() {
    let site = TestSite::production().start().await;
    let ada = signed_in(&site, ADA, &[]).await;
    let id = key(&ada, "").await["id"].as_str().unwrap().to_owned();
    let body = json!({ "name": "x", "expires_in": 60 });
    let one = format!("/auth/api-keys/{id}");
    ada.post("/auth/api-keys").json(&body).expect(403, "csrf_failed").await;
    ada.delete(&one).expect(403, "csrf_failed").await;
    for sender in [Sender::ForeignFetch, Sender::SiblingFetch, Sender::Bare] {
        let post = ada.post("/auth/api-keys").with_csrf().json(&body).sender(sender).cookies(Cookies::All);
        post.expect(403, "origin_denied").await;
        let delete = ada.delete(&one).with_csrf().sender(sender).cookies(Cookies::All);
        delete.expect(403, "origin_denied").await;
    }
    assert_eq!(listed(&ada).await.len(), 1);
    let token = ada.cookie(CookieKind::Access).unwrap();
    let app = site.client();
    app.post("/auth/api-keys").bearer(&token).json(&body).expect_status(201).await;
    app.delete(&one).bearer(&token).expect_status(204).await;
}

/// D13: a key outlives a stolen session, so making one needs a recent sign-in; ending one does not.
#[tokio::test]
async fn d13_making_a_key_needs_a_recent_sign_in() {
    let site = TestSite::production().start().await;
    let ada = signed_in(&site, ADA, &[]).await;
    site.advance(seconds(600));
    let id = key(&ada, "").await["id"].as_str().unwrap().to_owned();
    site.advance(seconds(1));
    let answer = create(&ada, json!({ "name": "x", "expires_in": 60 })).await.expect(401, "step_up_required");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.contains("insufficient_user_authentication") && challenge.contains("max_age=600"));
    // A refresh is no sign-in.
    site.advance(seconds(300));
    ada.refresh().await.expect_status(200);
    create(&ada, json!({ "name": "x", "expires_in": 60 })).await.expect(401, "step_up_required");
    ada.delete(&format!("/auth/api-keys/{id}")).with_csrf().expect_status(204).await;
    ada.log_in(ADA, PASSWORD).await.expect_status(200);
    key(&ada, "").await;
}

/// G08: revoked once and for all, and told once.
#[tokio::test]
async fn g08_revoke() {
    let site = TestSite::production().start().await;
    let ada = signed_in(&site, ADA, &[]).await;
    let id = key(&ada, "").await["id"].as_str().unwrap().to_owned();
    let one = format!("/auth/api-keys/{id}");
    ada.delete(&one).with_csrf().expect_status(204).await.sets_no_cookie();
    let at = listed(&ada).await[0]["revoked_at"].clone();
    assert!(at.is_string());
    site.advance(seconds(60));
    ada.delete(&one).with_csrf().expect_status(204).await;
    assert_eq!(listed(&ada).await[0]["revoked_at"], at);
    let events = site.events().await;
    let told =
        events.iter().filter(|e| e.name == EventName::TokenRevoked && &*e.reason == "api_key_by_owner");
    assert_eq!(told.count(), 1);
}

/// A user has so many keys that work, and no more.
#[tokio::test]
async fn the_number_of_keys_is_limited() {
    let site = TestSite::production().policy(|p| p.api_keys.max_per_user = 2).start().await;
    let ada = signed_in(&site, ADA, &[]).await;
    let id = key(&ada, "").await["id"].as_str().unwrap().to_owned();
    key(&ada, "").await;
    create(&ada, json!({ "name": "x", "expires_in": 60 })).await.expect(409, "invalid_request");
    ada.delete(&format!("/auth/api-keys/{id}")).with_csrf().expect_status(204).await;
    key(&ada, "").await;
}

/// G06: a key is no session, however good it is: where a session is asked for, it opens nothing and changes nothing.
#[tokio::test]
async fn g06_a_key_is_no_session() {
    let site = TestSite::production().start().await;
    let ada = signed_in(&site, ADA, &["read"]).await;
    let made = key(&ada, "read").await;
    let text = made["key"].as_str().unwrap();
    let session = ada.get("/auth/session").expect_status(200).await.json()["session"]["id"].clone();
    let session = session.as_str().unwrap();
    let own = format!("/auth/api-keys/{}", made["id"].as_str().unwrap());
    drop(site.outside.store.take_writes());
    let app = site.client();
    for get in ["/auth/session", "/auth/sessions", "/auth/api-keys", &own] {
        app.get(get).bearer(text).expect(401, "wrong_purpose").await;
    }
    for delete in [&format!("/auth/sessions/{session}"), &own] {
        app.delete(delete).bearer(text).expect(401, "wrong_purpose").await;
    }
    let body = json!({ "name": "x", "expires_in": 60 });
    app.post("/auth/api-keys").bearer(text).json(&body).expect(401, "wrong_purpose").await;
    for post in ["/auth/logout", "/auth/logout/all", "/auth/account/sessions/end-others"] {
        app.post(post).bearer(text).expect(401, "wrong_purpose").await;
    }
    let passwords = [("current_password", PASSWORD), ("new_password", "another long enough password")];
    let change = app.post("/auth/account/password").bearer(text).form(&passwords);
    change.expect(401, "wrong_purpose").await;
    // In place of a session's cookies it is nothing at all, see `g06_never_in_a_cookie`; and it signs nobody in.
    app.post("/auth/refresh").bearer(text).expect(401, "token_missing").await;
    assert!(site.outside.store.take_writes().is_empty());
    ada.get("/auth/session").expect_status(200).await;
}

/// G06: in a URL a key is refused, good or not, with an event that does not repeat it.
#[tokio::test]
async fn g06_never_in_a_query() {
    let site = TestSite::production().start().await;
    let ada = signed_in(&site, ADA, &["read"]).await;
    let made = key(&ada, "read").await;
    let (text, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    for target in [
        format!("/auth/session?api_key={text}"),
        format!("/auth/session?x=1&token={text}"),
        String::from("/auth/session?api_key=whatever"),
        String::from("/auth/session?api_key="),
        format!("/.well-known/jwks.json?api_key={text}"),
    ] {
        ada.get(&target).expect(400, "invalid_request").await.clears_nothing();
        ada.get(&target).without_cookies().bearer(text).expect(400, "invalid_request").await;
    }
    ada.get("/auth/session?my_api_key=1&api_keys=2").expect_status(200).await;
    let events = site.events().await;
    let event = events.iter().find(|e| &*e.reason == "api_key_in_query").unwrap();
    assert_eq!((event.name, &*event.detail), (EventName::InputValidationFail, id));
}

/// G06: nor in a cookie, under whatever name: every site could have it sent along.
#[tokio::test]
async fn g06_never_in_a_cookie() {
    let site = TestSite::production().start().await;
    let ada = signed_in(&site, ADA, &["read"]).await;
    let made = key(&ada, "read").await;
    let text = made["key"].as_str().unwrap();
    for name in ["api_key", "session", "__Host-Http-cs-access", "__Host-Http-cs-refresh"] {
        let request = ada.get("/auth/session").cookies(Cookies::Exactly(format!("a=b; {name}={text}")));
        request.expect(400, "invalid_request").await.clears_nothing();
    }
    assert_event(&site, EventName::InputValidationFail, "api_key_in_cookie").await;
}
