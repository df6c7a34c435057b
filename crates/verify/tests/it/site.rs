//! Against the real server: its keys, its tokens, its gateway.

use std::time::Duration;

use countersign_core::domain::cookie::CookieKind;
use countersign_core::service::Audience;
use countersign_testkit::{Client, TestSite, TestUpstream};
use countersign_verify::{Builder, Credential, Verifier};

use crate::issuer::{asserted, bearer, outcome, ready, until};

/// A site whose first upstream `web` forwards to `api`, somebody signed in, and what the upstream receives.
struct Scene {
    site: TestSite,
    web: TestUpstream,
    ada: Client,
}

impl Scene {
    async fn new() -> Self {
        let web = TestUpstream::start().await;
        let site = TestSite::development()
            .upstream(web.origin())
            .settings(|settings| {
                settings.upstreams[0].audience =
                    Audience { index: 0, names: vec!["web".into(), "api".into()] };
            })
            .start()
            .await;
        let ada = site.signed_in("ada@example.com").await;
        Self { site, web, ada }
    }

    /// A verifier with this site's clock.
    fn builder(&self, audience: &str) -> Builder {
        let site = std::sync::Arc::clone(&self.site.site);
        Verifier::builder(self.site.origin(), "development")
            .audience(audience)
            .clock(move || site.engine().now())
    }

    /// The assertion that the upstream gets.
    async fn assertion(&self) -> String {
        self.ada.get("/page").expect_status(200).await;
        self.web.last().header("countersign-assertion").unwrap()
    }
}

/// Access tokens of the real server, with its real keys.
#[tokio::test]
async fn access_tokens_of_the_real_server() {
    let scene = Scene::new().await;
    let token = scene.ada.cookie(CookieKind::Access).unwrap();
    let direct = |audience| scene.builder(audience).access_tokens().dangerous().without_revocations();
    let verifier = ready(direct("app")).await;
    let principal = verifier.verify_access_token(&token).await.unwrap();
    let session = scene.ada.get("/auth/session").expect_status(200).await.json();
    assert_eq!(session["user"]["id"], principal.user());
    assert_eq!(principal.client(), Some("countersign"));
    assert_eq!(outcome(&ready(direct("api")).await, &bearer(&token)).await, "wrong_audience");
}

/// K02: a renderer behind the gateway passes the assertion on, the API accepts it (`forwards_to`), a third service does not, and
/// the gateway takes it for no credential, in whatever header it comes.
#[tokio::test]
async fn k02_the_renderers_assertion() {
    let scene = Scene::new().await;
    let assertion = scene.assertion().await;
    let api = ready(scene.builder("api").assertions()).await;
    let principal = api.verify_headers(&asserted(&assertion)).await.unwrap();
    let session = scene.ada.get("/auth/session").expect_status(200).await.json();
    assert_eq!(principal.credential(), Credential::Assertion);
    assert_eq!(session["user"]["id"], principal.user());
    assert_eq!(session["session"]["id"], principal.session().unwrap());
    assert_eq!(principal.verified_email(), Some("ada@example.com"));
    assert_eq!(outcome(&ready(scene.builder("web").assertions()).await, &asserted(&assertion)).await, "ok");
    let third = ready(scene.builder("billing").assertions()).await;
    assert_eq!(outcome(&third, &asserted(&assertion)).await, "wrong_audience");

    let stranger = scene.site.client();
    stranger.get("/page").bearer(&assertion).expect(401, "wrong_purpose").await;
    stranger.get("/auth/session").bearer(&assertion).expect(401, "wrong_purpose").await;
    stranger.get("/page").header("countersign-assertion", &assertion).expect(401, "token_missing").await;
    stranger.put_cookie(CookieKind::Access, &assertion);
    stranger.get("/page").expect(401, "wrong_purpose").await;
}

/// A08, A09: nor is an access token an assertion.
#[tokio::test]
async fn a09_kinds_of_the_real_server() {
    let scene = Scene::new().await;
    let both =
        |audience| scene.builder(audience).assertions().access_tokens().dangerous().without_revocations();
    let verifier = ready(both("app").audience("api")).await;
    let (token, assertion) = (scene.ada.cookie(CookieKind::Access).unwrap(), scene.assertion().await);
    assert_eq!(outcome(&verifier, &bearer(&token)).await, "ok");
    assert_eq!(outcome(&verifier, &asserted(&assertion)).await, "ok");
    assert_eq!(outcome(&verifier, &asserted(&token)).await, "wrong_purpose");
    assert_eq!(outcome(&verifier, &bearer(&assertion)).await, "wrong_purpose");
    scene.site.advance(Duration::from_secs(66));
    assert_eq!(outcome(&verifier, &asserted(&assertion)).await, "token_expired");
}

/// H03, H04: through the real feed, and before the sign-out is a second old.
#[tokio::test]
async fn h03_sign_out_at_the_real_server() {
    let scene = Scene::new().await;
    let key = scene.site.api_key("ada@example.com", &["revocations:read"], &[]).await;
    let verifier = ready(scene.builder("app").access_tokens().revocations(&key)).await;
    let token = bearer(&scene.ada.cookie(CookieKind::Access).unwrap());
    let other = scene.site.signed_in("bea@example.com").await;
    assert_eq!(outcome(&verifier, &token).await, "ok");
    scene.ada.log_out().await.expect_status(204);
    let took = until(&verifier, &token, "session_revoked", Duration::from_secs(1)).await;
    println!("{took:?}");
    let kept = bearer(&other.cookie(CookieKind::Access).unwrap());
    assert_eq!(outcome(&verifier, &kept).await, "ok");
    other.csrf().await;
    other.post("/auth/logout/all").with_csrf().expect_status(204).await;
    until(&verifier, &kept, "session_revoked", Duration::from_secs(1)).await;
}

/// A key without the scope hears nothing, and nothing passes.
#[tokio::test]
async fn k11_key_without_the_scope() {
    let scene = Scene::new().await;
    let key = scene.site.api_key("ada@example.com", &["introspect"], &[]).await;
    let verifier = scene.builder("app").access_tokens().revocations(&key).start().unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let token = bearer(&scene.ada.cookie(CookieKind::Access).unwrap());
    assert_eq!(outcome(&verifier, &token).await, "store_unavailable");
}
