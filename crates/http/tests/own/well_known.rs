//! `/.well-known/jwks.json` and `/.well-known/countersign`.

use countersign_core::domain::signing_key::Algorithm;
use countersign_core::service::Context;
use countersign_testkit::{Mode, TestSite};

use crate::DAY;

async fn kids(site: &TestSite) -> Vec<String> {
    let answer = site.client().get("/.well-known/jwks.json").without_cookies().expect_status(200).await;
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    keys.iter().map(|k| k["kid"].as_str().unwrap().to_owned()).collect()
}

/// H08: public parts only, one algorithm a key, cacheable for less than a key is published ahead.
#[tokio::test]
async fn h08_jwks() {
    for (algorithm, alg, members) in [
        (Algorithm::EdDsa, "EdDSA", &["alg", "crv", "kid", "kty", "use", "x"][..]),
        (Algorithm::Es256, "ES256", &["alg", "crv", "kid", "kty", "use", "x", "y"]),
    ] {
        let site = TestSite::production().policy(move |p| p.algorithm = algorithm).start().await;
        let answer = site.client().get("/.well-known/jwks.json").expect_status(200).await.sets_no_cookie();
        assert_eq!(answer.header("cache-control").as_deref(), Some("public, max-age=300"));
        let keys = answer.json()["keys"].as_array().unwrap().clone();
        assert_eq!(keys.len(), 1);
        let key = keys[0].as_object().unwrap();
        assert_eq!(key.keys().map(String::as_str).collect::<Vec<_>>(), members);
        assert_eq!((key["alg"].as_str(), key["use"].as_str()), (Some(alg), Some("sig")));
    }
}

/// H08, design §4: next is published before it signs; the old one is served until its last token has expired.
#[tokio::test]
async fn h08_rotation_over_time() {
    let site = TestSite::production().start().await;
    let client = site.signed_in("ada@example.com").await;
    let first = kids(&site).await;
    let engine = site.site.engine();
    let next = engine.rotate_signing_key(false, &Context::default()).await.unwrap();
    assert_eq!(kids(&site).await.len(), 2);
    client.get("/auth/session").expect_status(200).await;
    site.advance(DAY - crate::MINUTE);
    engine.reload_keys().await.unwrap();
    client.refresh().await.expect_status(200);
    site.advance(crate::MINUTE);
    engine.reload_keys().await.unwrap();
    // Signed by the old key a minute ago: still good.
    client.get("/auth/session").expect_status(200).await;
    assert_eq!(kids(&site).await.len(), 2);
    site.advance(DAY);
    engine.reload_keys().await.unwrap();
    let left = kids(&site).await;
    assert_eq!(left, [next.kid.to_string()]);
    assert!(!left.contains(&first[0]));
    client.refresh().await.expect_status(200);
    client.get("/auth/session").expect_status(200).await;
}

#[tokio::test]
async fn discovery() {
    let site = TestSite::production().start().await;
    let answer = site.client().get("/.well-known/countersign").expect_status(200).await.sets_no_cookie();
    let body = answer.json();
    assert_eq!(body["issuer"], "https://app.countersign.test");
    assert_eq!(body["environment"], "production");
    assert_eq!(body["jwks_uri"], "https://app.countersign.test/.well-known/jwks.json");
    assert_eq!(body["csrf_header"], "x-csrf-token");
    for member in ["login_url", "csrf_endpoint", "session_endpoint", "refresh_endpoint", "logout_endpoint"] {
        let url = body[member].as_str().unwrap();
        let path = url.strip_prefix("https://app.countersign.test").unwrap();
        assert!(countersign_http::own_routes().iter().any(|r| r.path == path), "{member}: {path}");
    }
}

/// Design §7: with the store down, JWKS and discovery still answer.
#[tokio::test]
async fn store_down() {
    let site = TestSite::production().start().await;
    site.outside.store.set(Mode::Unavailable);
    site.client().get("/.well-known/jwks.json").expect_status(200).await;
    site.client().get("/.well-known/countersign").expect_status(200).await;
    site.client().get("/.well-known/other").expect_status(404).await;
}

/// Everybody may read them: no cookie of anybody changes the answer.
#[tokio::test]
async fn the_same_for_everybody() {
    let site = TestSite::production().start().await;
    let client = site.signed_in("ada@example.com").await;
    for target in ["/.well-known/jwks.json", "/.well-known/countersign"] {
        let (mine, nobodys) = (client.get(target).send().await, site.client().get(target).send().await);
        assert_eq!(mine.body(), nobodys.body());
        mine.sets_no_cookie();
    }
}
