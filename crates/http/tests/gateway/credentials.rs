//! Credentials on proxied routes (design §7): a bearer token judges its request alone; cookies come once each.

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_testkit::{Cookies, Sender, TestSite};

use crate::scene::{LAPSE, Scene, cookie_header};

#[tokio::test]
async fn an_access_token_as_bearer() {
    let scene = Scene::new().await;
    let access = scene.browser().await.cookie(CookieKind::Access).unwrap();
    let api = scene.site.client();
    for scheme in ["Bearer", "bearer", "DPoP", "Bearer ", "Bearer\t"] {
        let request =
            api.get("/a").sender(Sender::Bare).header("authorization", format!("{scheme} {access}"));
        let answer = request.header("dpop", "proof").expect_status(200).await.sets_no_cookie();
        assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
        let seen = scene.upstream.last();
        assert!(seen.header("x-auth-user").is_some());
        assert_eq!((seen.header("authorization"), seen.header("dpop")), (None, None));
    }
    // Not a cookie: no site can cause it, so there is no origin to check.
    api.post("/a").sender(Sender::ForeignForm).bearer(&access).expect_status(200).await;
    scene.site.advance(LAPSE);
    api.get("/a").bearer(&access).expect(401, "token_expired").await;
}

/// Invalid is 401, never a fall-through to cookies; a page load too is told, and not sent to sign in.
#[tokio::test]
async fn a_bad_bearer_is_never_mended_by_cookies() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    for value in ["Bearer nonsense", "Bearer", "bearer ", "DPoP x", "Bearer a.b.c", "Bearer\tnonsense"] {
        for target in ["/a", "/maybe/a"] {
            let answer =
                browser.get(target).header("authorization", value).expect(401, "token_invalid").await;
            assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
        }
        let page = browser.get("/a").sender(Sender::Typed).header("authorization", value);
        page.expect_status(401).await.sets_no_cookie();
    }
    let access = browser.cookie(CookieKind::Access).unwrap();
    let twice = browser.get("/a").bearer(&access).bearer(&access);
    twice.expect(401, "token_invalid").await;
    assert_eq!(scene.arrived(), 0);
}

/// K02: only access tokens open doors: what an upstream was given, and what it may log, does not.
#[tokio::test]
async fn k02_other_tokens_are_refused() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    browser.get("/a").expect_status(200).await;
    let assertion = scene.upstream.last().header("countersign-assertion").unwrap();
    let refresh = browser.cookie(CookieKind::Refresh).unwrap();
    let api = scene.site.client();
    api.get("/a").bearer(&assertion).expect(401, "wrong_purpose").await;
    api.get("/a").bearer(&refresh).expect(401, "wrong_purpose").await;
    let thief = scene.site.client();
    thief.put_cookie(CookieKind::Access, &assertion);
    thief.get("/a").expect(401, "wrong_purpose").await;
    thief.put_cookie(CookieKind::Access, &refresh);
    thief.get("/a").expect(401, "token_invalid").await;
    let key = "csk_production_0000000000000000000000000000000000000000000000000";
    api.get("/a").bearer(&format!("{key}000000")).expect(401, "token_invalid").await;
    // Neither as header of its own, nor in the query.
    api.get("/a").header("countersign-assertion", &assertion).expect(401, "token_missing").await;
    let access = browser.cookie(CookieKind::Access).unwrap();
    api.get(&format!("/a?access_token={access}")).expect(401, "token_missing").await;
}

/// A13: another environment's tokens are named as such.
#[tokio::test]
async fn tokens_of_another_environment() {
    let scene = Scene::new().await;
    let staging = TestSite::production().environment("staging").start().await;
    let other = staging.signed_in("ada@example.test").await;
    let access = other.cookie(CookieKind::Access).unwrap();
    scene.site.client().get("/a").bearer(&access).expect(401, "wrong_environment").await;
    let lost = scene.site.client();
    lost.put_cookie(CookieKind::Access, &access);
    lost.get("/a").expect(401, "wrong_environment").await;
    lost.put_cookie(CookieKind::Refresh, &other.cookie(CookieKind::Refresh).unwrap());
    lost.get("/a").expect(401, "wrong_environment").await;
    lost.drop_cookie(CookieKind::Access);
    lost.get("/a").expect(401, "wrong_environment").await.clears_nothing();
    // Not mended by a good refresh token either: whoever mixed them up must hear of it.
    let mixed = scene.browser().await;
    mixed.put_cookie(CookieKind::Access, &access);
    mixed.get("/a").expect(401, "wrong_environment").await.sets_no_cookie();
    assert!(scene.site.event_names().await.contains(&EventName::WrongEnvironment));
}

/// Other schemes belong to the application, and identity comes from the cookies beside them.
#[tokio::test]
async fn other_schemes_pass() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    for value in ["Basic dXNlcjpwYXNz", "Digest username=\"x\"", "Token abc", "Negotiate YII="] {
        browser.get("/a").header("authorization", value).expect_status(200).await;
        let seen = scene.upstream.last();
        assert_eq!(seen.header("authorization").as_deref(), Some(value));
        assert!(seen.header("x-auth-user").is_some());
    }
    scene
        .site
        .client()
        .get("/a")
        .header("authorization", "Basic dXNlcjpwYXNz")
        .expect(401, "token_missing")
        .await;
}

/// Ours never reach an open route, where nothing else is read; the application's own bearer tokens do.
#[tokio::test]
async fn our_tokens_do_not_reach_open_routes() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    browser.get("/a").expect_status(200).await;
    let ours = [
        browser.cookie(CookieKind::Access).unwrap(),
        browser.cookie(CookieKind::Refresh).unwrap(),
        scene.upstream.last().header("countersign-assertion").unwrap(),
        String::from("csk_production_0000000000000000000000000000000000000000000000000000000"),
    ];
    let open = |value: String| scene.site.client().get("/open/a").header("authorization", value);
    for token in &ours {
        for scheme in ["Bearer", "bearer", "DPoP", "Bearer\t"] {
            open(format!("{scheme} {token}")).expect_status(200).await;
            assert_eq!(scene.upstream.last().header("authorization"), None, "{scheme}");
        }
    }
    // Whatever the scheme, and on routes that read cookies too.
    let browser = scene.browser_again().await;
    for token in &ours {
        for value in [format!("Basic {token}"), format!("Token token=\"{token}\", a=1"), format!("X {token}")]
        {
            open(value.clone()).expect_status(200).await;
            assert_eq!(scene.upstream.last().header("authorization"), None, "{value}");
            browser.get("/a").header("authorization", &value).expect_status(200).await;
            assert_eq!(scene.upstream.last().header("authorization"), None, "{value}");
        }
    }
    for theirs in ["Bearer opaque", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "Basic dXNlcjpwYXNz"]
    {
        open(theirs.to_owned()).expect_status(200).await;
        assert_eq!(scene.upstream.last().header("authorization").as_deref(), Some(theirs));
    }
}

/// The placeholder of a retrofitted application is no credential, and never passes for one upstream.
#[tokio::test]
async fn placeholders_count_as_absent() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    for value in ["Bearer countersign", "Bearer eyJhbGciOiJIUzI1NiJ9.e30.countersign"] {
        for target in ["/a", "/open/a"] {
            browser.get(target).header("authorization", value).expect_status(200).await;
            assert_eq!(scene.upstream.last().header("authorization"), None);
        }
        scene.site.client().get("/a").header("authorization", value).expect(401, "token_missing").await;
    }
}

/// B04: two cookies of one name, or a case variant: somebody planted one. Refused, recorded, and nothing is cleared.
#[tokio::test]
async fn b04_doubled_cookies() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let (all, access) = (cookie_header(&browser), scene.name(CookieKind::Access));
    for cookies in [
        format!("{all}; {access}=evil"),
        format!("{access}=evil; {all}"),
        format!("{all}; {}=evil", access.to_ascii_lowercase()),
        format!("{}=evil; {all}", scene.name(CookieKind::Csrf).to_ascii_uppercase()),
        format!("{all}; {0}=1; {0}=1", scene.name(CookieKind::Hint)),
    ] {
        let send = |sender| browser.get("/a").sender(sender).cookies(Cookies::Exactly(cookies.clone()));
        send(Sender::OwnFetch).expect(401, "token_invalid").await.sets_no_cookie();
        send(Sender::Typed).expect_status(401).await.sets_no_cookie();
        let optional = browser.get("/maybe/a").cookies(Cookies::Exactly(cookies.clone()));
        optional.expect(401, "token_invalid").await.sets_no_cookie();
    }
    assert_eq!(scene.arrived(), 0);
    assert!(scene.site.event_names().await.contains(&EventName::CookieTossed));
}

/// B05, B09: a nameless cookie is nobody's, and the application's own cookies arrive byte for byte.
#[tokio::test]
async fn b05_b09_cookies_of_the_application() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let nameless = format!("={}=evil", scene.name(CookieKind::Access));
    let cookies = format!("a=1; {}; {nameless}; b=\"x y\"; =odd; c", cookie_header(&browser));
    browser.get("/a").cookies(Cookies::Exactly(cookies)).expect_status(200).await;
    let cookie = scene.upstream.last().header("cookie").unwrap();
    assert_eq!(cookie, format!("a=1; {nameless}; b=\"x y\"; =odd; c"));
}
