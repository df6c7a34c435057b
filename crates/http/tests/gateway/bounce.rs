//! The bounce (design §4): a link from another site brings no Strict cookie, a reload from our own page does.

use countersign_core::domain::cookie::CookieKind;
use countersign_testkit::{Request, Sender};
use http::Method;

use crate::scene::{AFTER_GRACE, LAPSE, Scene};

/// A page that reloads itself once, from our own origin; the fragment stays in the address bar.
#[tokio::test]
async fn a_link_from_another_site_is_bounced_in() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let page = browser.get("/a?b=c").sender(Sender::ForeignLink).expect_status(401).await;
    assert_eq!(scene.arrived(), 0);
    assert_eq!(page.header("content-type").as_deref(), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control").as_deref(), Some("no-store"));
    let vary = page.header("vary").unwrap().to_ascii_lowercase();
    assert!(vary.contains("cookie") && vary.contains("sec-fetch-site"), "{vary}");
    let text = page.text();
    assert!(text.contains("location.reload()"), "{text}");
    let policy = page.header("content-security-policy").unwrap();
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    assert!(text.contains(&format!("nonce=\"{nonce}\"")), "{policy}\n{text}");

    let name = scene.name(CookieKind::Bounced);
    let bounced = page.set_cookie(&name).unwrap();
    assert_eq!(bounced.attribute("SameSite"), Some("Lax"));
    assert_eq!(bounced.attribute("Max-Age"), Some("10"));
    assert!(bounced.attribute("HttpOnly").is_some() && bounced.attribute("Secure").is_some());
    assert_eq!(page.set_cookies().len(), 1);

    let reload = browser.get("/a?b=c").sender(Sender::OwnLink).expect_status(200).await;
    assert!(scene.upstream.last().header("x-auth-user").is_some());
    assert_eq!(scene.upstream.last().header("cookie"), None);
    reload.sets_no_cookie();
}

/// Nothing loops: whoever comes back without Strict cookies goes to sign in.
#[tokio::test]
async fn a_bounced_request_is_not_bounced_again() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    browser.get("/a").sender(Sender::ForeignLink).expect_status(401).await;
    let again = browser.get("/a").sender(Sender::ForeignLink).expect_status(303).await;
    assert_eq!(again.header("location").as_deref(), Some("/auth/login?return_to=/a"));
}

/// Each condition by itself.
#[tokio::test]
async fn everything_else_is_not_bounced() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let link = |target: &str| browser.get(target).sender(Sender::ForeignLink).losing_cookies();
    let bounces = async |request: Request| {
        let answer = request.send().await;
        answer.status() == 401 && answer.text().contains("location.reload()")
    };
    assert!(bounces(link("/a")).await);
    assert!(bounces(link("/maybe/a")).await, "optional identity is identity");
    assert!(bounces(link("/a").header("sec-fetch-site", "same-site")).await);
    assert!(bounces(link("/a").header("sec-fetch-site", "none")).await);
    assert!(bounces(link("/a").header("sec-fetch-dest", "empty")).await, "by a service worker");

    assert!(!bounces(link("/open/a")).await, "auth none");
    assert!(!bounces(link("/api/a")).await, "bounce off");
    assert!(!bounces(link("/a").header("sec-fetch-site", "same-origin")).await);
    assert!(!bounces(link("/a").header("accept", "application/json")).await);
    assert!(!bounces(link("/a").header("sec-fetch-mode", "cors")).await);
    for dest in ["iframe", "frame", "embed", "object", "image"] {
        assert!(!bounces(link("/a").header("sec-fetch-dest", dest)).await, "{dest}");
    }
    assert!(!bounces(link("/a").without_header("sec-fetch-mode")).await);
    let method = |method| browser.request(method, "/a").sender(Sender::ForeignLink).losing_cookies();
    assert!(!bounces(method(Method::POST)).await);
    assert!(!bounces(method(Method::HEAD)).await);
    let hintless = browser.copy();
    hintless.drop_cookie(CookieKind::Hint);
    assert!(!bounces(hintless.get("/a").sender(Sender::ForeignLink)).await);
    let name = scene.name(CookieKind::Hint);
    for kind in [CookieKind::Csrf, CookieKind::Refresh, CookieKind::Device, CookieKind::PreSession] {
        let both = format!("{name}=1; {}=x", scene.name(kind));
        let request = link("/a").cookies(countersign_testkit::Cookies::Exactly(both));
        assert!(!bounces(request).await, "a Strict cookie came along: {kind:?}");
    }
}

/// The bounce renews a stale session too, and the reload after a sign-out ends at the sign-in page.
#[tokio::test]
async fn the_reload_rotates_or_signs_in() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    scene.site.advance(LAPSE);
    browser.get("/a").sender(Sender::ForeignLink).expect_status(401).await;
    browser.get("/a").sender(Sender::OwnLink).expect_status(200).await;
    browser.copy().log_out().await.expect_status(204);
    scene.site.advance(AFTER_GRACE);
    browser.drop_cookie(CookieKind::Bounced);
    browser.get("/a").sender(Sender::ForeignLink).expect_status(401).await;
    browser.get("/a").sender(Sender::OwnLink).expect_status(303).await;
    assert_eq!(browser.cookie(CookieKind::Hint), None, "no bounce for a browser that is signed out");
}
