//! POST `/auth/introspect` (RFC 7662).

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::domain::user::Email;
use countersign_core::service::Context;
use countersign_testkit::{Client, Mode, PASSWORD, Request, Sender, TestSite};
use serde_json::{Value, json};

use crate::{DAY, MINUTE, assert_event, damaged, seconds};

const ADA: &str = "ada@example.com";
const API: &str = "api@example.com";

struct Scene {
    site: TestSite,
    ada: Client,
    /// The key of a service that asks.
    service: String,
}

impl Scene {
    async fn new() -> Self {
        let site = TestSite::production().start().await;
        let ada = site.signed_in(ADA).await;
        site.add_user(API, &[]).await;
        let service = site.api_key(API, &["introspect"], &[]).await;
        Self { site, ada, service }
    }

    fn request(&self, fields: &[(&str, &str)]) -> Request {
        self.site.client().post("/auth/introspect").bearer(&self.service).form(fields)
    }

    async fn ask(&self, token: &str) -> Value {
        self.request(&[("token", token)]).expect_status(200).await.sets_no_cookie().json()
    }

    /// H02: one member and no reason.
    async fn dead(&self, token: &str) {
        assert_eq!(self.ask(token).await, json!({ "active": false }), "{token}");
    }

    fn access(&self) -> String {
        self.ada.cookie(CookieKind::Access).unwrap()
    }

    fn refresh(&self) -> String {
        self.ada.cookie(CookieKind::Refresh).unwrap()
    }
}

/// H02: what an access token is worth, with nothing that could be presented.
#[tokio::test]
async fn h02_access_tokens() {
    let scene = Scene::new().await;
    let token = scene.access();
    let session = scene.ada.get("/auth/session").expect_status(200).await.json();
    let now = scene.site.site.engine().now().as_secs();
    let answer =
        scene.request(&[("token", &token), ("token_type_hint", "refresh_token")]).expect_status(200).await;
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(
        answer.json(),
        json!({
            "active": true, "purpose": "access", "token_type": "Bearer", "env": "production",
            "iss": scene.site.origin(), "aud": "app", "client_id": "countersign",
            "sub": session["user"]["id"], "sid": session["session"]["id"],
            "iat": now, "exp": now + 900, "auth_time": now, "amr": ["pwd"],
        })
    );
    scene.site.advance(MINUTE * 15 + seconds(4));
    assert_eq!(scene.ask(&token).await["active"], true, "within leeway");
    scene.site.advance(seconds(1));
    scene.dead(&token).await;
}

/// H02, RFC 7662 §2.2: the audience is the token's own, also where a client's is narrower than all that we accept; scopes are listed if
/// there are any.
#[tokio::test]
async fn h02_audience_and_scope_are_the_tokens_own() {
    use countersign_core::domain::client::{Client as Registered, ClientId, Clients, Transport};
    let client = |id: &str, audience: Option<&[&str]>| Registered {
        id: ClientId::parse(id).unwrap(),
        transport: Transport::Body,
        audience: audience.map(|names| names.iter().map(|name| (*name).into()).collect()),
        scope: None,
    };
    let clients = vec![
        client("one", Some(&["reports"])),
        client("two", Some(&["reports", "mail"])),
        client("all", None),
    ];
    let site = TestSite::production()
        .policy(move |policy| {
            policy.access.audience = vec!["app".into(), "reports".into(), "mail".into()];
            policy.clients = Clients::new(clients);
        })
        .start()
        .await;
    site.add_user(ADA, &["read", "write"]).await;
    site.add_user(API, &[]).await;
    let service = site.api_key(API, &["introspect"], &[]).await;
    for (id, audience) in [
        ("one", json!("reports")),
        ("two", json!(["reports", "mail"])),
        ("all", json!(["app", "reports", "mail"])),
    ] {
        let body = json!({ "email": ADA, "password": PASSWORD, "client_id": id });
        let tokens = site
            .client()
            .post("/auth/login")
            .sender(Sender::Bare)
            .json(&body)
            .expect_status(200)
            .await
            .json();
        for (kind, client) in [("access_token", true), ("refresh_token", false)] {
            let form = [("token", tokens[kind].as_str().unwrap())];
            let told = site
                .client()
                .post("/auth/introspect")
                .bearer(&service)
                .form(&form)
                .expect_status(200)
                .await
                .json();
            assert_eq!((&told["client_id"], &told["scope"]), (&json!(id), &json!("read write")), "{told}");
            assert_eq!(told.get("aud"), client.then_some(&audience), "{told}");
        }
    }
}

/// H02: a refresh token is judged as if it were presented, and nothing rotates or ends by asking.
#[tokio::test]
async fn h02_refresh_tokens() {
    let scene = Scene::new().await;
    let first = scene.refresh();
    let session = scene.ada.get("/auth/session").expect_status(200).await.json();
    let answer = scene.ask(&first).await;
    assert_eq!((&answer["active"], &answer["purpose"]), (&json!(true), &json!("refresh")));
    // Whoever looks at the type alone must not take it for a credential (RFC 6749 §7.1).
    assert_eq!((&answer["client_id"], answer.get("token_type")), (&json!("countersign"), None));
    assert_eq!((&answer["sub"], &answer["sid"]), (&session["user"]["id"], &session["session"]["id"]));
    drop(scene.site.outside.store.take_writes());
    for _ in 0..3 {
        scene.site.advance(MINUTE);
        assert_eq!(scene.ask(&first).await["active"], true);
    }
    assert!(scene.site.outside.store.take_writes().is_empty());
    scene.ada.refresh().await.expect_status(200);
    let second = scene.refresh();
    assert_ne!(second, first);
    assert_eq!(
        scene.ask(&first).await["active"],
        true,
        "the answer may have been lost: it would be replayed"
    );
    scene.ada.get("/auth/session").expect_status(200).await;
    scene.site.advance(MINUTE);
    scene.dead(&first).await;
    scene.ada.get("/auth/session").expect_status(200).await;
    assert_eq!(scene.ask(&second).await["active"], true, "asking about a spent token ends nothing");
    scene.site.advance(DAY * 8);
    scene.dead(&second).await;
}

/// H02: dead, unknown, of another environment or deployment, or noise: all the same.
#[tokio::test]
async fn h02_dead_and_unknown() {
    let scene = Scene::new().await;
    let (access, refresh) = (scene.access(), scene.refresh());
    let staging = TestSite::production().environment("staging").start().await;
    let foreign = staging.signed_in(ADA).await;
    let foreign_key = staging.api_key(ADA, &[], &[]).await;
    let flipped = damaged(&access);
    for token in [
        "x",
        "a.b.c",
        "null",
        "csr_production_x",
        "csk_production_x",
        &foreign.cookie(CookieKind::Access).unwrap(),
        &foreign.cookie(CookieKind::Refresh).unwrap(),
        &foreign_key,
        &flipped,
        &"A".repeat(9000),
        &scene.ada.csrf_token().unwrap(),
    ] {
        scene.dead(token).await;
    }
    assert_eq!(scene.ask(&access).await["active"], true);
    scene.ada.log_out().await.expect_status(204);
    scene.dead(&access).await;
    scene.dead(&refresh).await;
}

/// H02, G04, G08: keys, with what they may do now.
#[tokio::test]
async fn h02_api_keys() {
    let scene = Scene::new().await;
    let site = &scene.site;
    site.add_user("bob@example.com", &["read", "write"]).await;
    let key = site.api_key("bob@example.com", &["read"], &[]).await;
    let answer = scene.ask(&key).await;
    assert_eq!(
        (&answer["active"], &answer["purpose"], &answer["scope"]),
        (&json!(true), &json!("api_key"), &json!("read"))
    );
    assert!(answer.get("sid").is_none());
    let id = answer["client_id"].as_str().unwrap();
    assert!(key.len() > id.len() && !answer.to_string().contains(&key[key.len() - 30..]));
    // Bound to addresses: only whoever says from where it was presented is told anything.
    let bound = site.api_key("bob@example.com", &[], &["192.0.2.0/24"]).await;
    scene.dead(&bound).await;
    for (address, active) in [("192.0.2.9", true), ("192.0.3.9", false)] {
        let fields = [("token", bound.as_str()), ("client_address", address)];
        assert_eq!(scene.request(&fields).expect_status(200).await.json()["active"], active, "{address}");
    }
    scene.request(&[("token", &bound), ("client_address", "x")]).expect(400, "invalid_request").await;
    let bob = Email::parse("bob@example.com").unwrap();
    site.site.engine().set_disabled(&bob, true, &Context::default()).await.unwrap();
    scene.dead(&key).await;
}

/// H02: only who holds a key with the scope is told anything; sessions and cookies open nothing here.
#[tokio::test]
async fn h02_callers_are_authenticated() {
    let scene = Scene::new().await;
    let site = &scene.site;
    let form = [("token", "x")];
    let ask = |client: &Client| client.post("/auth/introspect").form(&form);
    ask(&site.client()).expect(401, "token_missing").await;
    ask(&scene.ada).with_csrf().expect(401, "token_missing").await;
    ask(&site.client()).bearer(&scene.access()).expect(401, "wrong_purpose").await;
    ask(&site.client()).bearer(&scene.refresh()).expect(401, "wrong_purpose").await;
    ask(&site.client()).bearer("csk_production_x").expect(401, "token_invalid").await;
    ask(&scene.ada).bearer("csk_production_x").expect(401, "token_invalid").await;
    ask(&site.client()).header("authorization", "Basic YTpi").expect(401, "token_missing").await;
    for other in [&["revoke"][..], &["revocations:read"], &[]] {
        let key = site.api_key(API, other, &[]).await;
        ask(&site.client()).bearer(&key).expect(403, "insufficient_scope").await;
    }
    assert_event(site, EventName::AuthzFail, "insufficient_scope").await;
    let staging = TestSite::production().environment("staging").start().await;
    staging.add_user(API, &[]).await;
    let key = staging.api_key(API, &["introspect"], &[]).await;
    ask(&site.client()).bearer(&key).expect(401, "wrong_environment").await;
    // A scope of the user is none of the key: only an operator grants this one.
    site.add_user("carl@example.com", &["introspect"]).await;
    let key = site.api_key("carl@example.com", &[], &[]).await;
    ask(&site.client()).bearer(&key).expect(403, "insufficient_scope").await;
}

/// RFC 7662 §2.1: a form, and each field once.
#[tokio::test]
async fn requests() {
    let scene = Scene::new().await;
    let token = scene.access();
    let json = scene.site.client().post("/auth/introspect").bearer(&scene.service);
    json.clone().json(&json!({ "token": token })).expect(415, "unsupported_media_type").await;
    json.expect(415, "unsupported_media_type").await;
    scene.request(&[("x", "y")]).expect(400, "invalid_request").await;
    scene.request(&[("token", "")]).expect(400, "invalid_request").await;
    scene.request(&[("token", "x"), ("token", &token)]).expect(400, "invalid_request").await;
    scene.site.client().get("/auth/introspect").bearer(&scene.service).expect(405, "invalid_request").await;
    // Cookies are not read: not even planted ones are in the way.
    let doubled = format!("{0}=x; {0}=y", scene.site.cookie_name(CookieKind::Access));
    let request = scene.request(&[("token", &token)]).header("cookie", doubled);
    assert_eq!(request.expect_status(200).await.json()["active"], true);
}

/// K11: without the store nobody is told that a token is good.
#[tokio::test]
async fn k11_a_failing_store() {
    let scene = Scene::new().await;
    let (access, refresh) = (scene.access(), scene.refresh());
    scene.site.outside.store.set(Mode::Unavailable);
    for token in [&access, &refresh, &scene.service] {
        scene.request(&[("token", token)]).expect(503, "store_unavailable").await;
    }
}
