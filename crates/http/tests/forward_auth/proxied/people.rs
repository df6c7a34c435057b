//! What people and programs are told through a real proxy.

use countersign_core::domain::cookie::CookieKind;
use countersign_testkit::{Cookies, Sender};
use std::time::Duration;

use crate::proxy::{Kind, SECRET};
use crate::scene::{Scene, before_each_proxy};

before_each_proxy! {
    refusals_reach_the_browser_whole
    links_from_other_sites_are_bounced_in
    a_recent_sign_in
    requests_of_other_sites_act_as_nobody
    verify_is_not_there_for_browsers
}

/// Problems for programs with all that they say, pages for people.
async fn refusals_reach_the_browser_whole(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let nobody = scene.client();
    let answer = nobody.get("/a").expect(401, "token_missing").await;
    assert_eq!(answer.header("www-authenticate").as_deref(), Some("Bearer"));
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    nobody.post("/a").json(&serde_json::json!({})).expect(401, "token_missing").await;
    let browser = scene.browser().await;
    browser.get("/admin/a").expect(403, "insufficient_scope").await;
    let page = browser.get("/admin/a").sender(Sender::OwnLink).expect_status(403).await;
    assert_eq!(page.header("content-type").as_deref(), Some("text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").unwrap().contains("nonce-"));
    assert!(page.text().contains("admin"), "{}", page.text());
    let head = browser.request(http::Method::HEAD, "/admin/a").expect_status(403).await;
    assert!(head.body().is_empty());
    assert!(scene.upstream.seen().is_empty());
    scene.site.add_user("root@example.test", &["admin"]).await;
    let root = scene.client();
    root.log_in("root@example.test", countersign_testkit::PASSWORD).await.expect_status(200);
    root.get("/admin/a").expect_status(200).await;
    assert_eq!(scene.arrived(0).header("x-auth-scopes").as_deref(), Some("admin"));
}

/// A link of another site brings no Strict cookie; the page in between reloads, and the reload does.
async fn links_from_other_sites_are_bounced_in(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.browser().await;
    let page = browser.get("/a?x=1").sender(Sender::ForeignLink).expect_status(401).await;
    assert!(page.text().contains("location.reload()"), "{}", page.text());
    assert!(page.header("content-security-policy").unwrap().contains("nonce-"));
    assert!(page.set_cookie(&scene.name(CookieKind::Bounced)).is_some());
    assert_eq!(page.header("cache-control").as_deref(), Some("no-store"));
    browser.get("/a?x=1").sender(Sender::OwnLink).expect_status(200).await;
    assert!(scene.arrived(0).header("x-auth-user").is_some());
    let again = browser.get("/a").sender(Sender::ForeignLink).expect_status(303).await;
    assert_eq!(again.header("location").as_deref(), Some("/auth/login?return_to=/a"));
}

async fn a_recent_sign_in(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.browser().await;
    browser.get("/recent/a").expect_status(200).await;
    scene.site.advance(Duration::from_secs(11 * 60));
    let answer = browser.get("/recent/a").expect(401, "step_up_required").await;
    let challenge = answer.header("www-authenticate").unwrap();
    assert_eq!(challenge.matches("Bearer").count(), 1, "{challenge}");
    assert!(challenge.contains("insufficient_user_authentication"), "{challenge}");
    let answer = browser.get("/recent/a").sender(Sender::OwnLink).expect_status(303).await;
    assert_eq!(answer.header("location").as_deref(), Some("/auth/login?return_to=/recent/a"));
    browser.get("/a").expect_status(200).await;
}

/// C01, C05: `<img src="/maybe/a">` of another site acts as nobody, its forms are refused.
async fn requests_of_other_sites_act_as_nobody(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.browser().await;
    browser.get("/maybe/a").sender(Sender::ForeignImage).cookies(Cookies::All).expect_status(200).await;
    let seen = scene.arrived(0);
    assert_eq!((seen.header("x-auth-user"), seen.header("countersign-assertion")), (None, None));
    for sender in [Sender::ForeignForm, Sender::SiblingForm] {
        browser
            .post("/maybe/a")
            .sender(sender)
            .cookies(Cookies::All)
            .form(&[("a", "1")])
            .expect_status(403)
            .await;
    }
    assert_eq!(scene.upstream.seen().len(), 1);
}

/// Through the proxy, whose word is trusted, `/auth/verify` looks like any path that is not there, also to who knows the secret.
async fn verify_is_not_there_for_browsers(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.browser().await;
    for path in ["/auth/verify", "/auth/verify?for=client", "/auth/nobody", "/auth/verify/a"] {
        let asked = browser.get(path).header("countersign-forward-auth", SECRET);
        asked
            .header("x-original-method", "GET")
            .header("x-original-uri", "/open/a")
            .expect(404, "not_found")
            .await;
    }
    browser.get("/countersign-question").expect_status(if kind == Kind::Nginx { 404 } else { 200 }).await;
}
