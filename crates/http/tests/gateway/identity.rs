//! Who it is, told to the application (design §7), and what a client must not tell it.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::id::UserId;
use countersign_core::domain::route::RouteRule;
use countersign_core::domain::user::Email;
use countersign_core::port::{NewUser, Store};
use countersign_proxy::Protected;
use countersign_testkit::{PASSWORD, TestUpstream};
use data_encoding::BASE64URL_NOPAD;
use http::HeaderName;
use serde_json::Value;

use crate::raw;
use crate::scene::{Scene, cookie_header};

/// Header and claims of a token whose signature one of the published keys made.
async fn verified(scene: &Scene, token: &str) -> (Value, Value) {
    let jwks = scene.site.client().get("/.well-known/jwks.json").expect_status(200).await.json();
    let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let header: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).expect("a published key");
    let public = decode(key["x"].as_str().unwrap());
    let signed = format!("{}.{}", parts[0], parts[1]);
    let key = UnparsedPublicKey::new(&ED25519, public);
    key.verify(signed.as_bytes(), &decode(parts[2])).expect("the signature holds");
    (header, serde_json::from_slice(&decode(parts[1])).unwrap())
}

/// K02: identity goes upstream as a short signed JWT with its own `typ` and audience, and in plain headers.
#[tokio::test]
async fn k02_assertion_and_identity_headers() {
    let scene =
        Scene::with(|builder| builder.settings(|s| s.upstreams[0].audience.names.push("api".into()))).await;
    scene.site.add_user("root@example.test", &["admin"]).await;
    let browser = scene.site.client();
    let login = browser.log_in("root@example.test", PASSWORD).await.expect_status(200).json();
    browser.get("/a").expect_status(200).await;
    let seen = scene.upstream.last();
    let assertion = seen.header("countersign-assertion").unwrap();
    let (header, claims) = verified(&scene, &assertion).await;
    assert_eq!(header["typ"], "cs-assertion+jwt");
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(claims["purpose"], "assertion");
    assert_eq!(claims["iss"], scene.site.origin());
    assert_eq!(claims["aud"], serde_json::json!(["app", "api"]));
    assert_eq!(claims["env"], "production");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
    assert_eq!(claims["sub"], login["user"]["id"]);
    assert_eq!(claims["email"], "root@example.test");
    assert_eq!(claims["scope"], "admin");
    assert_eq!(seen.header("x-auth-user").as_deref(), login["user"]["id"].as_str());
    assert_eq!(seen.header("x-auth-email").as_deref(), Some("root@example.test"));
    assert_eq!(seen.header("x-auth-session").as_deref(), login["session"]["id"].as_str());
    assert_eq!(seen.header("x-auth-scopes").as_deref(), Some("admin"));
    // Nothing that could be presented goes along.
    assert_eq!((seen.header("cookie"), seen.header("authorization")), (None, None));
    assert!(claims.get("sid").is_none(), "{claims}");
}

/// One assertion serves the same session for 30 s, and no other session.
#[tokio::test]
async fn assertions_are_used_again_for_half_a_minute() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let assertion = async |browser: &countersign_testkit::Client| {
        browser.get("/a").expect_status(200).await;
        scene.upstream.last().header("countersign-assertion").unwrap()
    };
    let first = assertion(&browser).await;
    scene.site.advance(Duration::from_secs(29));
    assert_eq!(assertion(&browser).await, first);
    scene.site.advance(Duration::from_secs(1));
    let second = assertion(&browser).await;
    assert_ne!(second, first);
    let other = scene.site.client();
    other.log_in("ada@example.test", PASSWORD).await.expect_status(200);
    assert_ne!(assertion(&other).await, second);
}

/// K02: an assertion is for one upstream. Used again for another, it would be one application's word at the other's door.
#[tokio::test]
async fn k02_each_upstream_gets_an_assertion_of_its_own() {
    let second = TestUpstream::start().await;
    let origin = second.origin().to_owned();
    let scene =
        Scene::with(|builder| builder.upstream(&origin).route("/second/*", RouteRule::protected(1))).await;
    let browser = scene.browser().await;
    let mut told = Vec::new();
    // Back and forth within the half minute in which one is used again.
    for (target, upstream, name) in [
        ("/a", &scene.upstream, "app"),
        ("/second/a", &second, "app1"),
        ("/b", &scene.upstream, "app"),
        ("/second/b", &second, "app1"),
    ] {
        browser.get(target).expect_status(200).await;
        let assertion = upstream.last().header("countersign-assertion").unwrap();
        let (_, claims) = verified(&scene, &assertion).await;
        assert_eq!(claims["aud"], serde_json::json!([name]), "{target}");
        told.push(assertion);
    }
    assert_eq!((&told[0], &told[1]), (&told[2], &told[3]), "each is used again, where it is good");
    assert_ne!(told[0], told[1]);
}

/// Only an address that somebody vouched for is passed on, in the header and in the assertion.
#[tokio::test]
async fn only_verified_addresses_are_told() {
    let scene = Scene::new().await;
    scene.site.add_user("ada@example.test", &[]).await;
    let store = &scene.site.outside.store;
    let mut user = store.user_by_email(&Email::parse("ada@example.test").unwrap()).await.unwrap().unwrap();
    user.id = UserId::from_random([9; 16]);
    user.email = Email::parse("boss@example.test").unwrap();
    user.email_verified = false;
    assert!(store.create_user(NewUser { user }).await.unwrap());
    let browser = scene.site.client();
    browser.log_in("boss@example.test", PASSWORD).await.expect_status(200);
    browser.get("/a").expect_status(200).await;
    let seen = scene.upstream.last();
    assert!(seen.header("x-auth-user").is_some());
    assert_eq!(seen.header("x-auth-email"), None);
    let (_, claims) = verified(&scene, &seen.header("countersign-assertion").unwrap()).await;
    assert!(!claims.to_string().contains("boss@example.test"), "{claims}");
}

const SPOOFED: [&str; 24] = [
    "X-Auth-User",
    "x-auth-user",
    "X_Auth_User",
    "x_auth-email",
    "X-Auth-Email",
    "X.Auth.Email",
    "X-Auth-Session",
    "X-AUTH-SCOPES",
    "Countersign-Assertion",
    "countersign_assertion",
    "Countersign-Forward-Auth",
    "Countersign-Anything",
    "X-Remote-User",
    "x_remote_user",
    "Forwarded",
    "X-Real-IP",
    "X_Real_IP",
    "X-Forwarded-User",
    "X-Forwarded-Prefix",
    "X_Forwarded_Host",
    "X-Original-URL",
    "x_original_uri",
    "X-Rewrite-URL",
    "X_Rewrite_Url",
];

async fn scene_with_remote_user() -> Scene {
    Scene::with(|builder| {
        builder.settings(|s| {
            s.upstreams[0].identity.user = Some(HeaderName::from_static("x-remote-user"));
            s.protected = Arc::new(Protected::new(["x-remote-user"]));
        })
    })
    .await
}

/// K01: identity headers of a client's are removed on all routes, in every spelling (CVE-2025-64484).
#[tokio::test]
async fn k01_spoofed_headers_in_all_spellings_on_all_routes() {
    let scene = scene_with_remote_user().await;
    let browser = scene.browser().await;
    for target in ["/open/a", "/maybe/a", "/a", "/theirs/a"] {
        for name in SPOOFED {
            for client in [&browser, &scene.site.client()] {
                let request = client.get(target).header(name, "spoofed").header(name, "spoofed twice");
                if request.send().await.status() != 200 {
                    continue;
                }
                let seen = scene.upstream.last();
                for (name, value) in &seen.headers {
                    let value = String::from_utf8_lossy(value.as_bytes());
                    assert!(!value.contains("spoofed"), "{target}: {name}: {value}");
                }
            }
        }
    }
    assert!(scene.arrived() >= 6 * SPOOFED.len());
}

/// The names that an application expects, beside ours; never one without the other.
#[tokio::test]
async fn configured_identity_headers() {
    let scene = scene_with_remote_user().await;
    let browser = scene.browser().await;
    browser.get("/a").expect_status(200).await;
    let seen = scene.upstream.last();
    assert_eq!(seen.header("x-remote-user"), seen.header("x-auth-user"));
    assert!(seen.header("x-remote-user").is_some());
    scene.site.client().get("/maybe/a").header("x-remote-user", "root").expect_status(200).await;
    assert_eq!(scene.upstream.last().header("x-remote-user"), None);
}

/// K03: what `Connection` nominates is removed before ours is added, and cannot be one of the headers that decide (CVE-2024-45410).
#[tokio::test]
async fn k03_connection_cannot_nominate_ours() {
    let scene = Scene::new().await;
    let cookies = cookie_header(&scene.browser().await);
    let fields = [
        ("Cookie", cookies.as_str()),
        (
            "Connection",
            "close, X-Auth-User, X-Auth-Email, Countersign-Assertion, Cookie, Origin, Sec-Fetch-Site, X-Forwarded-For, X-Forwarded-Proto, X-Hop",
        ),
        ("X-Hop", "gone"),
        ("X-Stays", "here"),
    ];
    let answer = raw::ask(scene.site.address(), raw::head("GET", "/a", &fields).as_bytes()).await;
    assert_eq!(raw::status(&answer), 200, "{answer}");
    let seen = scene.upstream.last();
    for name in
        ["x-auth-user", "x-auth-email", "countersign-assertion", "x-forwarded-for", "x-forwarded-proto"]
    {
        assert!(seen.header(name).is_some(), "{name}");
    }
    assert_eq!(seen.header("x-hop"), None);
    assert_eq!(seen.header("x-stays").as_deref(), Some("here"));

    // Nor can a nomination hide where a request comes from.
    let hidden = [
        ("Cookie", cookies.as_str()),
        ("Sec-Fetch-Site", "cross-site"),
        ("Origin", "https://evil.test"),
        ("Connection", "close, Sec-Fetch-Site, Origin"),
        ("Content-Length", "0"),
    ];
    let answer = raw::ask(scene.site.address(), raw::head("POST", "/a", &hidden).as_bytes()).await;
    assert_eq!(raw::status(&answer), 403, "{answer}");
}

/// D19, B09: what the application gets and may show to script holds no token that opens a door here.
#[tokio::test]
async fn d19_no_token_reaches_script_through_the_application() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let echo = browser.get("/a").header("authorization", "Basic x").expect_status(200).await.text();
    for kind in [CookieKind::Access, CookieKind::Refresh, CookieKind::Csrf] {
        assert!(!echo.contains(&browser.cookie(kind).unwrap()), "{kind:?}");
    }
}
