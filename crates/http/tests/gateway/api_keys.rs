//! API keys at the gateway: judged alone, on each request (requirements §G, design §7 "Credentials").

use std::time::Duration;

use countersign_core::domain::api_key::ApiKeyId;
use countersign_core::domain::event::EventName;
use countersign_core::domain::token::api_key;
use countersign_core::domain::user::Email;
use countersign_core::port::{Notice, Store};
use countersign_core::service::Context;
use countersign_testkit::{Cookies, Mode, Sender};
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use tokio::time::timeout;

use crate::raw::{self, WebSocket};
use crate::scene::Scene;

const BOT: &str = "bot@example.test";
/// At once, and not only when somebody next looks.
const BOUND: Duration = Duration::from_millis(500);
const DAY: Duration = Duration::from_secs(86_400);

async fn key(scene: &Scene, owned: &[&str], granted: &[&str], addresses: &[&str]) -> String {
    scene.site.add_user(BOT, owned).await;
    scene.site.api_key(BOT, granted, addresses).await
}

fn id(key: &str) -> ApiKeyId {
    api_key::find(key).unwrap()
}

async fn revoke(scene: &Scene, key: &str) {
    let engine = scene.site.site.engine();
    assert!(engine.revoke_api_key(id(key), &Context::default()).await.unwrap());
}

/// The application learns the owner, the key's scopes and the key's id; no session, and nothing that could be presented.
#[tokio::test]
async fn identity_of_a_key() {
    let scene = Scene::new().await;
    let key = key(&scene, &["read", "write"], &["read"], &[]).await;
    let owner = scene.site.outside.store.user_by_email(&Email::parse(BOT).unwrap()).await.unwrap().unwrap();
    scene.site.client().get("/a").sender(Sender::Bare).bearer(&key).expect_status(200).await.sets_no_cookie();
    let seen = scene.upstream.last();
    assert_eq!(seen.header("x-auth-user").as_deref(), Some(owner.id.as_str()));
    assert_eq!(seen.header("x-auth-scopes").as_deref(), Some("read"));
    assert_eq!(seen.header("x-auth-email").as_deref(), Some(BOT));
    assert_eq!((seen.header("x-auth-session"), seen.header("authorization")), (None, None));
    let assertion = seen.header("countersign-assertion").unwrap();
    let claims = assertion.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap()).unwrap();
    assert_eq!(claims["sub"], owner.id.as_str());
    assert_eq!(claims["scope"], "read");
    assert_eq!(claims["api_key"], id(&key).to_string());
    for absent in ["session", "auth_time", "amr", "sid"] {
        assert!(claims.get(absent).is_none(), "{absent} in {claims}");
    }
    assert!(!format!("{seen:?}").contains(&key[key.len() - 30..]));
    // No CSRF token, no origin: no cookie is looked at, so no site can act through a browser.
    for target in ["/a", "/form/a"] {
        let post = scene.site.client().post(target).sender(Sender::Bare).bearer(&key);
        post.expect_status(200).await;
    }
}

/// Judged alone: a bad key is 401 beside the best cookies, and never reaches the application on an open route.
#[tokio::test]
async fn no_fall_through() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let key = key(&scene, &[], &[], &[]).await;
    let damaged = format!("{}0", &key[..key.len() - 1]);
    let unknown = api_key::mint(
        &countersign_core::domain::environment::Environment::parse("production").unwrap(),
        &countersign_core::domain::secret::SecretArray::new([7; 36]),
    );
    let arrived = scene.arrived();
    for bad in [&damaged, unknown.text.expose(), "csk_production_", "csk_"] {
        for target in ["/a", "/maybe/a", "/api/a"] {
            browser.get(target).bearer(bad).expect(401, "token_invalid").await.sets_no_cookie();
        }
    }
    let staging = key.replacen("production", "staging", 1);
    browser.get("/a").bearer(&staging).expect(401, "wrong_environment").await;
    assert_eq!(scene.arrived(), arrived);
    scene.site.client().get("/open/a").bearer(&key).expect_status(200).await;
    let seen = scene.upstream.last();
    assert_eq!((seen.header("authorization"), seen.header("x-auth-user")), (None, None));
    // The right id with another key's secret.
    let other = scene.site.api_key(BOT, &[], &[]).await;
    let mut mixed = format!("{}{}", &key[..key.len() - 30], &other[other.len() - 30..other.len() - 6]);
    let crc = countersign_core::domain::token::checksum::of(&mixed);
    mixed.push_str(&crc);
    browser.get("/a").bearer(&mixed).expect(401, "token_invalid").await;
    let events = scene.site.events().await;
    assert!(events.iter().any(|e| &*e.reason == "api_key_unknown"));
    // And of the two, each alone is good.
    browser.get("/a").bearer(&key).expect_status(200).await;
    assert_ne!(scene.upstream.last().header("x-auth-email").as_deref(), Some("ada@example.test"));
}

/// G04: a route's scope is the key's to have; a recent sign-in is nobody's who uses a key.
#[tokio::test]
async fn g04_routes_ask_for_scopes() {
    let scene = Scene::new().await;
    let without = key(&scene, &["admin"], &[], &[]).await;
    let with = scene.site.api_key(BOT, &["admin"], &[]).await;
    let app = scene.site.client();
    app.get("/admin/a").bearer(&without).expect(403, "insufficient_scope").await;
    app.get("/admin/a").bearer(&with).expect_status(200).await;
    app.get("/recent/a").bearer(&with).expect(401, "step_up_required").await;
}

/// G05: past its expiry a key is dead, to the second.
#[tokio::test]
async fn g05_expiry() {
    let scene = Scene::new().await;
    let key = key(&scene, &[], &[], &[]).await;
    scene.site.advance(DAY * 30 - Duration::from_secs(1));
    scene.site.client().get("/a").bearer(&key).expect_status(200).await;
    scene.site.advance(Duration::from_secs(1));
    scene.site.client().get("/a").bearer(&key).expect(401, "token_expired").await;
    assert!(scene.site.events().await.iter().any(|e| &*e.reason == "api_key_expired"));
}

/// G08: revoked, or its owner disabled: in effect on the next request, here and on another node.
#[tokio::test]
async fn g08_next_request() {
    let scene = Scene::new().await;
    let outside = scene.site.outside.clone();
    let origin = scene.upstream.origin().to_owned();
    let node = countersign_testkit::TestSite::production().outside(outside).upstream(&origin).start().await;
    let first = key(&scene, &[], &[], &[]).await;
    let second = scene.site.api_key(BOT, &[], &[]).await;
    for client in [scene.site.client(), node.client()] {
        client.get("/a").bearer(&first).expect_status(200).await;
        client.get("/a").bearer(&second).expect_status(200).await;
    }
    revoke(&scene, &first).await;
    for client in [scene.site.client(), node.client()] {
        client.get("/a").bearer(&first).expect(401, "token_invalid").await;
        client.get("/a").bearer(&second).expect_status(200).await;
    }
    let bot = Email::parse(BOT).unwrap();
    let engine = scene.site.site.engine();
    engine.set_disabled(&bot, true, &Context::default()).await.unwrap();
    for client in [scene.site.client(), node.client()] {
        client.get("/a").bearer(&second).expect(401, "token_invalid").await;
    }
    engine.set_disabled(&bot, false, &Context::default()).await.unwrap();
    scene.site.client().get("/a").bearer(&second).expect_status(200).await;
    scene.site.client().get("/a").bearer(&first).expect(401, "token_invalid").await;
    // Ending the owner's sessions is not ending the owner's keys.
    engine.log_out_everywhere(&scene_user(&scene).await, &Context::default()).await.unwrap();
    scene.site.client().get("/a").bearer(&second).expect_status(200).await;
    assert_eq!(engine.revoke_api_keys_of(&scene_user(&scene).await, &Context::default()).await.unwrap(), 1);
    scene.site.client().get("/a").bearer(&second).expect(401, "token_invalid").await;
}

/// G08: what this node has heard of stays revoked, also if the store does not know it (any more).
#[tokio::test]
async fn g08_a_store_that_went_back_revives_no_key() {
    let scene = Scene::new().await;
    let key = key(&scene, &[], &[], &[]).await;
    let other = scene.site.api_key(BOT, &[], &[]).await;
    let engine = scene.site.site.engine();
    engine.hear(&Notice::ApiKeyRevoked { id: id(&key), at: engine.now() });
    assert_eq!(scene.site.outside.store.api_key(id(&key)).await.unwrap().unwrap().key.revoked_at, None);
    scene.site.client().get("/a").bearer(&key).expect(401, "token_invalid").await;
    scene.site.client().get("/a").bearer(&other).expect_status(200).await;
}

async fn scene_user(scene: &Scene) -> countersign_core::domain::id::UserId {
    scene.site.outside.store.user_by_email(&Email::parse(BOT).unwrap()).await.unwrap().unwrap().id
}

/// G04: a list of addresses holds for the resolved client address, and its breach is told.
#[tokio::test]
async fn g04_addresses() {
    let scene = Scene::new().await;
    let key = key(&scene, &[], &[], &["198.51.100.0/24", "2001:db8::/32"]).await;
    for (address, good) in
        [("198.51.100.9", true), ("2001:db8::9", true), ("198.51.101.9", false), ("2001:db9::9", false)]
    {
        let request = scene.site.client().at(address).get("/a").bearer(&key);
        if good {
            request.expect_status(200).await;
        } else {
            request.expect(403, "insufficient_scope").await;
        }
    }
    let events = scene.site.events().await;
    let told = events.iter().find(|e| e.name == EventName::ApiKeyRefused).unwrap();
    assert_eq!((&*told.reason, &*told.detail), ("address_not_in_list", id(&key).to_string().as_str()));
}

/// The first use from a network that is new to the key is told, once; its last use is noted.
#[tokio::test]
async fn g05_new_networks_and_last_use() {
    let scene = Scene::new().await;
    let key = key(&scene, &[], &[], &[]).await;
    let from = async |address: &str| {
        scene.site.client().at(address).get("/a").bearer(&key).expect_status(200).await;
    };
    let told = async || {
        let events = scene.site.events().await;
        let new = events.into_iter().filter(|e| e.name == EventName::ApiKeyNewPlace);
        new.map(|e| (e.reason.to_string(), e.ip.unwrap().to_string())).collect::<Vec<_>>()
    };
    let entry = |reason: &str, ip: &str| (reason.to_owned(), ip.to_owned());
    from("198.51.100.1").await;
    from("198.51.100.2").await;
    assert_eq!(told().await, [entry("first_use", "198.51.100.1")]);
    scene.site.tick().await;
    from("198.51.100.3").await;
    from("203.0.113.1").await;
    from("203.0.113.2").await;
    scene.site.tick().await;
    from("198.51.100.1").await;
    from("203.0.113.3").await;
    assert_eq!(told().await, [entry("first_use", "198.51.100.1"), entry("new_network", "203.0.113.1")]);

    let last = async || {
        scene.site.tick().await;
        scene.site.outside.store.api_key(id(&key)).await.unwrap().unwrap().key.last_used_at.unwrap()
    };
    let began = last().await;
    scene.site.advance(Duration::from_secs(59));
    from("203.0.113.3").await;
    assert_eq!(last().await, began, "at most once a minute");
    scene.site.advance(Duration::from_secs(1));
    from("203.0.113.3").await;
    assert_eq!(last().await, began.plus(Duration::from_secs(60)));
}

/// G06: in a query or a cookie a key of ours is refused on every route, good or not; an application's own parameters pass.
#[tokio::test]
async fn g06_never_by_query_or_cookie() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let key = key(&scene, &[], &[], &[]).await;
    let arrived = scene.arrived();
    for target in ["/a", "/open/a", "/maybe/a"] {
        for query in
            [format!("api_key={key}"), format!("x=1&k={key}"), String::from("api_key=csk_production_x")]
        {
            browser.get(&format!("{target}?{query}")).expect(400, "invalid_request").await.clears_nothing();
        }
        let cookies = Cookies::Exactly(format!("theme=dark; k={key}"));
        browser.get(target).cookies(cookies).expect(400, "invalid_request").await;
    }
    assert_eq!(scene.arrived(), arrived);
    browser.get("/a?api_key=theirs&about=csk_").expect_status(200).await;
    let events = scene.site.events().await;
    for reason in ["api_key_in_query", "api_key_in_cookie"] {
        let event = events.iter().find(|e| &*e.reason == reason).unwrap();
        assert_eq!((event.name, &*event.detail), (EventName::InputValidationFail, &*id(&key).to_string()));
    }
}

/// K11: without the store no key is good.
#[tokio::test]
async fn k11_a_failing_store() {
    let scene = Scene::new().await;
    let key = key(&scene, &[], &[], &[]).await;
    scene.site.client().get("/a").bearer(&key).expect_status(200).await;
    scene.site.outside.store.set(Mode::Unavailable);
    scene.site.client().get("/a").bearer(&key).expect(503, "store_unavailable").await;
    scene.site.client().get("/maybe/a").bearer(&key).expect(503, "store_unavailable").await;
}

/// A WebSocket that a key opened.
async fn open(scene: &Scene, key: &str) -> WebSocket {
    let bearer = format!("Bearer {key}");
    let (head, mut socket) =
        WebSocket::ask(scene.site.address(), "/ws", &[("Authorization", bearer.as_str())]).await;
    assert_eq!(raw::status(&head), 101, "{head}");
    socket.echo("hello").await;
    socket
}

/// K10, G08: a WebSocket of a key ends with the key, at once; another key's stays.
#[tokio::test]
async fn k10_open_connections_end_with_the_key() {
    let scene = Scene::new().await;
    let key = key(&scene, &[], &[], &[]).await;
    let other = scene.site.api_key(BOT, &[], &[]).await;
    let (mut socket, mut others) = (open(&scene, &key).await, open(&scene, &other).await);
    revoke(&scene, &key).await;
    assert_eq!(timeout(BOUND, socket.close_code()).await.expect("closed in time"), 1008);
    others.echo("still here").await;
    let engine = scene.site.site.engine();
    engine.set_disabled(&Email::parse(BOT).unwrap(), true, &Context::default()).await.unwrap();
    assert_eq!(timeout(BOUND, others.close_code()).await.expect("closed in time"), 1008);
}

/// K10: a revocation that no notice told of is found in the store, which is asked every few seconds.
#[tokio::test]
async fn k10_open_connections_are_asked_about() {
    let scene = Scene::new().await;
    let key = key(&scene, &[], &[], &["127.0.0.0/8", "203.0.113.0/24"]).await;
    let other = scene.site.api_key(BOT, &[], &[]).await;
    let (mut socket, mut others) = (open(&scene, &key).await, open(&scene, &other).await);
    let (store, now) = (&scene.site.outside.store, scene.site.site.engine().now());
    store.revoke_api_key(id(&key), None, now).await.unwrap();
    scene.site.advance(Duration::from_secs(6));
    let closed = timeout(Duration::from_secs(5), socket.close_code()).await;
    assert_eq!(closed.expect("closed in time"), 1008);
    others.echo("still here").await;
}
