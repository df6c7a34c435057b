//! What a route asks for: nothing, identity if there is one, identity, scopes, a recent sign-in.

use std::time::Duration;

use countersign_core::domain::event::EventName;
use countersign_core::domain::route::RouteRule;
use countersign_testkit::{Cookies, PASSWORD, Sender};

use crate::scene::{LAPSE, Scene, cookie_header};

/// J04, B09: cookies are not read, nothing is set, caching is untouched; ours stay away from the application all the same.
#[tokio::test]
async fn auth_none_reads_and_sets_nothing() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    for _ in 0..2 {
        let target = "/open/a?header=cache-control:public%2C%20max-age%3D60&header=set-cookie:theme%3Ddark";
        let cookies = format!("{}; theme=light", cookie_header(&browser));
        let answer = browser.get(target).cookies(Cookies::Exactly(cookies)).losing_cookies().send().await;
        let answer = answer.expect_status(200);
        assert_eq!(answer.header("cache-control").as_deref(), Some("public, max-age=60"));
        assert_eq!(answer.header("set-cookie").as_deref(), Some("theme=dark"));
        assert_eq!(answer.header("vary"), None);
        let seen = scene.upstream.last();
        assert_eq!(seen.header("cookie").as_deref(), Some("theme=light"));
        assert_eq!(seen.header("x-auth-user"), None);
        assert_eq!(seen.header("countersign-assertion"), None);
        // The second time with a stale session: not rotated.
        scene.site.advance(LAPSE);
    }
    let doubled = format!("{0}; {0}", cookie_header(&browser));
    browser.get("/open/a").cookies(Cookies::Exactly(doubled)).expect_status(200).await;
    browser.post("/open/hook").sender(Sender::ForeignForm).expect_status(200).await;
}

#[tokio::test]
async fn auth_optional_passes_identity_if_there_is_one() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    browser.get("/maybe/a").expect_status(200).await;
    assert!(scene.upstream.last().header("x-auth-user").is_some());

    scene.site.client().get("/maybe/a").expect_status(200).await.sets_no_cookie();
    assert_eq!(scene.upstream.last().header("x-auth-user"), None);

    // A session that is dead is nobody's, and its cookies stay where they are.
    browser.copy().log_out().await.expect_status(204);
    let answer = browser.get("/maybe/a").expect_status(200).await.sets_no_cookie();
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    let seen = scene.upstream.last();
    assert_eq!((seen.header("x-auth-user"), seen.header("cookie")), (None, None));
}

#[tokio::test]
async fn auth_required_without_a_session() {
    let scene = Scene::new().await;
    let nobody = scene.site.client();
    let answer = nobody.get("/a").expect(401, "token_missing").await;
    assert_eq!(answer.header("www-authenticate").as_deref(), Some("Bearer"));
    nobody.post("/a").expect(401, "token_missing").await;
    nobody.get("/a").sender(Sender::ForeignFrame).expect(401, "token_missing").await;
    nobody.get("/a").sender(Sender::Bare).expect(401, "token_missing").await;

    let answer = nobody.get("/a?b=c&d=e").sender(Sender::Typed).expect_status(303).await;
    assert_eq!(answer.header("location").as_deref(), Some("/auth/login?return_to=/a%3Fb%3Dc%26d%3De"));
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    // An older browser says what it wants by Accept alone.
    let old = nobody.get("/a").sender(Sender::Bare).header("accept", "text/html");
    assert_eq!(old.expect_status(303).await.header("location").as_deref(), Some("/auth/login?return_to=/a"));
    assert_eq!(scene.arrived(), 0);
}

#[tokio::test]
async fn routes_with_a_scope_ask_for_it() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    browser.get("/admin/a").expect(403, "insufficient_scope").await.sets_no_cookie();
    assert_eq!(scene.arrived(), 0);
    assert!(scene.site.event_names().await.contains(&EventName::AuthzFail));

    scene.site.add_user("root@example.test", &["admin", "audit"]).await;
    let root = scene.site.client();
    root.log_in("root@example.test", PASSWORD).await.expect_status(200);
    root.get("/admin/a").expect_status(200).await;
    let scopes = scene.upstream.last().header("x-auth-scopes").unwrap();
    assert_eq!(scopes.split(' ').collect::<std::collections::BTreeSet<_>>(), ["admin", "audit"].into());
    scene.site.client().get("/admin/a").expect(401, "token_missing").await;
}

/// D13: what is sensitive wants a recent sign-in, however fresh the tokens are (RFC 9470).
#[tokio::test]
async fn routes_with_a_max_auth_age_ask_for_a_recent_sign_in() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    browser.get("/recent/a").expect_status(200).await;
    scene.site.advance(Duration::from_secs(601));
    let answer = browser.get("/recent/a").expect(401, "step_up_required").await;
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.contains("insufficient_user_authentication"), "{challenge}");
    assert!(challenge.contains("max_age=600"), "{challenge}");
    scene.site.advance(LAPSE);
    browser.get("/a").expect_status(200).await;
    browser.get("/recent/a").expect(401, "step_up_required").await;
    browser.log_in("ada@example.test", PASSWORD).await.expect_status(200);
    browser.get("/recent/a").expect_status(200).await;
}

/// D13: a page load is sent to sign in again, from the start page too: the sign-in page must not take it for a detour.
#[tokio::test]
async fn a_page_that_wants_a_recent_sign_in_leads_to_the_form() {
    let rule = RouteRule { max_auth_age: Some(Duration::from_secs(600)), ..RouteRule::protected(0) };
    let scene = Scene::with(|builder| builder.route("/", rule)).await;
    let browser = scene.browser().await;
    scene.site.advance(Duration::from_secs(601));
    for (request, back) in [
        (browser.get("/recent/a?b=c").sender(Sender::Typed), "/recent/a%3Fb%3Dc"),
        (browser.get("/").sender(Sender::Typed), "/"),
        (browser.post("/recent/a").sender(Sender::OwnForm), "/"),
    ] {
        let location = request.expect_status(303).await.header("location").unwrap();
        assert_eq!(location, format!("/auth/login?return_to={back}"));
        let page = browser.get(&location).sender(Sender::OwnLink).expect_status(200).await;
        assert!(page.text().contains("type=\"password\""));
    }
    assert_eq!(scene.arrived(), 0);
}

/// C07, K05: no spelling of a path is exempt that the application would read as a protected one.
#[tokio::test]
async fn c07_k05_paths_that_read_in_two_ways_lead_nowhere() {
    let scene = Scene::new().await;
    let nobody = scene.site.client();
    for odd in [
        "/open/../admin/a",
        "/open/%2e%2e/admin/a",
        "/open/..%2fadmin/a",
        "/open/..;/admin/a",
        "/open/%252e%252e/admin/a",
        "/open/..%5cadmin/a",
        "//open/a",
        "/open%2fa",
        "/%6fpen/a",
        "/open;x/a",
        "/open/%00",
    ] {
        let answer = nobody.get(odd).send().await;
        assert!(matches!(answer.status().as_u16(), 401 | 404), "{odd}: {}", answer.status());
    }
    for plain in ["/OPEN/a", "/open", "/opens", "/open%20/a", "/a?x=/open/", "/a?/open/a"] {
        nobody.get(plain).expect(401, "token_missing").await;
    }
    assert_eq!(scene.arrived(), 0);
}

/// K06: no header of a client's opens a door.
#[tokio::test]
async fn k06_claims_of_internal_calls_do_not_count() {
    let scene = Scene::new().await;
    for (name, value) in [
        ("user-agent", "kube-probe/1.30"),
        ("user-agent", "GoogleHC/1.0"),
        ("x-middleware-subrequest", "middleware:middleware:middleware"),
        ("x-internal", "1"),
        ("x-original-url", "/open/a"),
        ("x-rewrite-url", "/open/a"),
        ("x-http-method-override", "OPTIONS"),
    ] {
        scene.site.client().get("/a").header(name, value).expect(401, "token_missing").await;
    }
    assert_eq!(scene.arrived(), 0);
}
