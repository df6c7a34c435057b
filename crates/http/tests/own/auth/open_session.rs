//! POST `/auth/sessions`: an application that logs users in itself.

use countersign_core::domain::api_key::{AddressList, ApiKey};
use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::domain::id::UserId;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::secret::SecretArray;
use countersign_core::domain::token;
use countersign_core::port::Store;
use countersign_testkit::{Answer, Client, Request, Sender, TestSite};
use serde_json::{Value, json};

use crate::{DAY, MINUTE, assert_event};

const ADA: &str = "ada@example.com";
const APP: &str = "app@example.com";
const ISSUER: &str = "https://login.example.com";
const HERE: &[&str] = &["192.0.2.0/24", "203.0.113.0/24", "198.51.100.0/24", "127.0.0.0/8"];

async fn scene() -> (TestSite, String) {
    let site = TestSite::production()
        .policy(|policy| {
            policy.applications.issuers = vec![ISSUER.into()];
            policy.applications.create_users = true;
        })
        .start()
        .await;
    site.add_user(APP, &[]).await;
    site.add_user(ADA, &["read", "write"]).await;
    let key = site.api_key(APP, &["sessions:open"], HERE).await;
    (site, key)
}

fn ask(site: &TestSite, key: &str, body: &Value) -> Request {
    site.client().post("/auth/sessions").sender(Sender::Bare).bearer(key).json(body)
}

fn by_email() -> Value {
    json!({ "email": ADA, "email_verified": true })
}

/// A browser with the cookies that the application set.
fn browser(site: &TestSite, answer: &Answer) -> Client {
    let browser = site.client();
    for cookie in answer.json()["cookies"].as_array().unwrap() {
        let (name, value) = cookie.as_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
        for kind in CookieKind::ALL {
            if site.cookie_name(kind) == name {
                browser.put_cookie(kind, value);
            }
        }
    }
    browser
}

fn claims(client: &Client) -> Value {
    let token = client.cookie(CookieKind::Access).unwrap();
    let part = data_encoding::BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    serde_json::from_slice(&part).unwrap()
}

#[tokio::test]
async fn an_application_opens_a_session() {
    let (site, key) = scene().await;
    let body = json!({ "user": by_email(), "amr": ["pwd", "otp"], "auth_time": "2026-09-21T14:00:00Z",
        "scope": "read admin", "ip": "192.0.2.7", "user_agent": "Browser/1" });
    let answer = ask(&site, &key, &body).expect_status(201).await.sets_no_cookie();
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(answer.json()["user"]["email"], ADA);
    assert_eq!(answer.json()["session"]["auth_time"], "2026-09-21T14:00:00Z");
    assert!(answer.json().get("access_token").is_none());
    let cookies: Vec<String> =
        answer.json()["cookies"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
    assert_eq!(cookies.len(), 4);
    for cookie in &cookies {
        assert!(
            cookie.contains("; Path=/; ") && cookie.contains("; Secure") && cookie.contains("SameSite="),
            "{cookie}"
        );
    }
    let ada = browser(&site, &answer);
    let said = claims(&ada);
    assert_eq!((&said["scope"], &said["amr"]), (&json!("read"), &json!(["pwd", "otp"])));
    assert_eq!(said["client_id"], "countersign");
    ada.csrf().await;
    let listed = ada.get("/auth/sessions").expect_status(200).await;
    assert_eq!(listed.json()["sessions"][0]["user_agent"], "Browser/1");
    assert_eq!(listed.json()["sessions"][0]["ip"], "192.0.2.7");
    site.advance(MINUTE);
    ada.refresh().await.expect_status(200);
    assert_eq!(claims(&ada)["scope"], "read");
    assert_event(&site, EventName::LoginSuccess, "by_application").await;
    assert_event(&site, EventName::SessionCreated, "by_application").await;
}

/// G06: a key with this scope, only this scope, from a listed address; nothing else opens a session.
#[tokio::test]
async fn g06_only_by_such_a_key() {
    let (site, key) = scene().await;
    let body = json!({ "user": by_email() });
    let other = site.api_key(APP, &["introspect"], &[]).await;
    ask(&site, &other, &body).expect(403, "insufficient_scope").await;
    let elsewhere = site.api_key(APP, &["sessions:open"], &["10.99.0.0/16"]).await;
    ask(&site, &elsewhere, &body).expect(403, "insufficient_scope").await;
    let eve = site.signed_in("eve@example.com").await;
    eve.post("/auth/sessions").with_csrf().json(&body).expect(401, "token_missing").await;
    ask(&site, &eve.cookie(CookieKind::Access).unwrap(), &body).expect(401, "wrong_purpose").await;
    // Nor is the key good for anything else.
    site.client().get("/auth/session").sender(Sender::Bare).bearer(&key).expect(401, "wrong_purpose").await;
    ask(&site, &key, &body)
        .body("application/x-www-form-urlencoded", "user=1")
        .expect(415, "unsupported_media_type")
        .await;
}

/// G06: a key that may do more is refused at the door, however it came to be in the store: none is granted so, but a row may be
/// older than the rule, or restored, or written by hand. So is the right key from elsewhere.
#[tokio::test]
async fn g06_the_scope_stands_alone_at_the_end_point_too() {
    let (site, key) = scene().await;
    let body = json!({ "user": by_email() });
    let engine = site.site.engine();
    let id = token::api_key::find(&key).unwrap();
    let held = site.outside.store.api_key(id).await.unwrap().unwrap();
    let with = async |seed: u8, scope: &str, list: &[&str]| {
        let minted = token::api_key::mint(engine.environment(), &SecretArray::new([seed; 36]));
        let scope = ScopeSet::parse(scope).unwrap();
        let addresses = AddressList::parse(list.iter().copied()).unwrap();
        let (id, hash, last4) = (minted.id, minted.hash, minted.last4);
        let row = ApiKey { id, hash, last4, scope, addresses, ..held.key.clone() };
        site.outside.store.create_api_key(&row, 9).await.unwrap();
        minted.text.expose().to_owned()
    };
    let alone = with(1, "sessions:open", HERE).await;
    ask(&site, &alone, &body).expect_status(201).await;
    for (seed, scope) in
        [(2, "introspect sessions:open"), (3, "revoke sessions:open"), (4, "revocations:read sessions:open")]
    {
        let wide = with(seed, scope, HERE).await;
        drop(site.outside.store.take_writes());
        ask(&site, &wide, &body).expect(403, "insufficient_scope").await.sets_no_cookie();
        assert!(!site.outside.store.take_writes().contains(&"open_session"), "{scope}");
    }
    let elsewhere = with(5, "sessions:open", &["10.99.0.0/16"]).await;
    ask(&site, &elsewhere, &body).expect(403, "insufficient_scope").await;
    assert_event(&site, EventName::ApiKeyRefused, "address_not_in_list").await;
}

/// A21: an address alone names nobody.
#[tokio::test]
async fn a21_addresses_are_verified_on_both_sides() {
    let (site, key) = scene().await;
    ask(&site, &key, &json!({ "user": { "email": ADA } })).expect(400, "invalid_request").await;
    // Somebody brings a user of an issuer, whose address nobody here verified.
    let new = json!({ "user": { "iss": ISSUER, "sub": "7", "email": "eve@example.com" } });
    let created = ask(&site, &key, &new).expect_status(201).await;
    assert_eq!(created.json()["user"]["email_verified"], false);
    assert_event(&site, EventName::UserCreated, "by_application").await;
    let again = ask(&site, &key, &new).expect_status(201).await;
    assert_eq!(created.json()["user"]["id"], again.json()["user"]["id"]);
    let by_address = json!({ "user": { "email": "eve@example.com", "email_verified": true } });
    ask(&site, &key, &by_address).expect(404, "not_found").await;
    // Another subject does not get at an account by its address.
    let rival = json!({ "user": { "iss": ISSUER, "sub": "8", "email": ADA } });
    ask(&site, &key, &rival).expect(409, "invalid_request").await;
    let nameless = json!({ "user": { "iss": ISSUER, "sub": "9" } });
    ask(&site, &key, &nameless).expect(400, "invalid_request").await;
    let stranger = json!({ "user": { "iss": "https://evil.example.com", "sub": "7" } });
    ask(&site, &key, &stranger).expect(400, "invalid_request").await;
}

/// D06, D13: an old login stays old, and does not live longer by a new session.
#[tokio::test]
async fn d06_auth_time() {
    let (site, key) = scene().await;
    let opened = |auth_time: &str| ask(&site, &key, &json!({ "user": by_email(), "auth_time": auth_time }));
    let old = opened("2026-09-01T00:00:00Z").expect_status(201).await;
    assert_eq!(old.json()["session"]["expires_at"], "2026-10-01T00:00:00Z");
    for bad in ["2026-09-21T14:14:00Z", "2026-08-01T00:00:00Z", "yesterday"] {
        opened(bad).expect(400, "invalid_request").await;
    }
    let misspelt = json!({ "user": by_email(), "authtime": "2026-09-01T00:00:00Z" });
    ask(&site, &key, &misspelt).expect(400, "invalid_request").await;
}

/// D11, H04: nobody opens a session for a disabled user, or for nobody.
#[tokio::test]
async fn d11_not_for_everybody() {
    let (site, key) = scene().await;
    let by_id = |id: &str| json!({ "user": { "id": id } });
    let first = ask(&site, &key, &json!({ "user": by_email() })).expect_status(201).await;
    let id = first.json()["user"]["id"].as_str().unwrap().to_owned();
    ask(&site, &key, &by_id(&id)).expect_status(201).await;
    ask(&site, &key, &by_id("nobody")).expect(404, "not_found").await;
    for bad in [
        json!({}),
        json!({ "user": {} }),
        json!({ "user": { "id": "a b" } }),
        json!({ "user": { "id": id, "email": ADA } }),
        json!({ "user": by_email(), "amr": ["a b"] }),
        json!({ "user": by_email(), "scope": "a\"b" }),
        json!([]),
    ] {
        ask(&site, &key, &bad).expect(400, "invalid_request").await;
    }
    let user = UserId::parse(&id).unwrap();
    site.outside.store.set_disabled(&user, true, site.site.engine().now()).await.unwrap();
    ask(&site, &key, &by_id(&id)).expect(404, "not_found").await;
    ask(&site, &key, &json!({ "user": by_email() })).expect(404, "not_found").await;
    assert_event(&site, EventName::AuthzFail, "open_session_for_nobody").await;
}

/// The operator's limit on what such sessions may do.
#[tokio::test]
async fn the_operator_limits_the_scope() {
    let site = TestSite::production()
        .policy(|p| p.applications.scope = Some(ScopeSet::parse("read").unwrap()))
        .start()
        .await;
    site.add_user(APP, &[]).await;
    site.add_user(ADA, &["read", "write"]).await;
    let key = site.api_key(APP, &["sessions:open"], HERE).await;
    for body in [json!({ "user": by_email() }), json!({ "user": by_email(), "scope": "read write" })] {
        let answer = ask(&site, &key, &body).expect_status(201).await;
        assert_eq!(claims(&browser(&site, &answer))["scope"], "read");
    }
    site.advance(DAY);
}
