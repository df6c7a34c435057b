//! Routes with `csrf = "token"`: header, urlencoded field or first multipart field within 64 KiB (design §7).

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_testkit::{Answer, Client, Cookies, PASSWORD, Sender};
use http::{HeaderName, Method};

use crate::raw::{self, Raw};
use crate::scene::{LAPSE, Scene, cookie_header};

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=B";

/// The body that the application received.
fn received(answer: &Answer) -> String {
    answer.json()["body"].as_str().unwrap().to_owned()
}

async fn signed_in(scene: &Scene) -> (Client, String) {
    let browser = scene.browser().await;
    let token = browser.csrf().await;
    (browser, token)
}

/// C01, C02: the header, bound to the session; never the cookie alone.
#[tokio::test]
async fn c02_a_token_of_the_session_in_the_header() {
    let scene = Scene::new().await;
    let (browser, token) = signed_in(&scene).await;
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let request = || browser.request(method.clone(), "/form/a");
        request().header("x-csrf-token", &token).expect_status(200).await;
        request().expect(403, "csrf_failed").await;
        request().header("x-csrf-token", "").expect(403, "csrf_failed").await;
        request().header("x-csrf-token", &token[1..]).expect(403, "csrf_failed").await;
    }
    assert_eq!(scene.arrived(), 4, "what was refused did not arrive");
    let twice = browser.post("/form/a").header("x-csrf-token", &token).header("x-csrf-token", &token);
    twice.expect(403, "csrf_failed").await;
    // Another token of the same session is as good, and need not equal the cookie: tabs hold different ones.
    let other = browser.csrf().await;
    assert_ne!(other, token);
    browser.post("/form/a").header("x-csrf-token", &other).expect_status(200).await;

    scene.site.add_user("eve@example.test", &[]).await;
    let eve = scene.site.client();
    eve.log_in("eve@example.test", PASSWORD).await.expect_status(200);
    browser.post("/form/a").header("x-csrf-token", eve.csrf().await).expect(403, "csrf_failed").await;
    // A forged pair: token and cookie agree, the session does not.
    browser.put_cookie(CookieKind::Csrf, &eve.csrf().await);
    let forged = eve.csrf_token().unwrap();
    browser.post("/form/a").header("x-csrf-token", forged).expect(403, "csrf_failed").await;
    assert!(scene.site.event_names().await.contains(&EventName::MaliciousCsrf));

    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        browser.request(method, "/form/a").expect_status(200).await;
    }
}

/// C03: a token survives rotations of its session, and dies with it at the next login.
#[tokio::test]
async fn c03_tokens_survive_rotation_not_a_new_login() {
    let scene = Scene::new().await;
    let (browser, token) = signed_in(&scene).await;
    scene.site.advance(LAPSE);
    let answer = browser.post("/form/a").header("x-csrf-token", &token).expect_status(200).await;
    assert!(answer.set_cookie(&scene.name(CookieKind::Refresh)).is_some(), "rotated on the way");
    browser.post("/form/a").header("x-csrf-token", &token).expect_status(200).await;
    browser.log_in("ada@example.test", PASSWORD).await.expect_status(200);
    browser.post("/form/a").header("x-csrf-token", &token).expect(403, "csrf_failed").await;
}

/// The field may stand anywhere in a urlencoded form, and the form arrives as it was sent.
#[tokio::test]
async fn a_urlencoded_field() {
    let scene = Scene::new().await;
    let (browser, token) = signed_in(&scene).await;
    let post = |body: String| browser.post("/form/a").sender(Sender::OwnForm).body(FORM, body);
    let filler = "x".repeat(200_000);
    for body in [
        format!("_csrf={token}"),
        format!("a=1&b=2&_csrf={token}&c=3"),
        format!("a=1&_csrf={token}"),
        format!("_csrf={token}&text={filler}"),
        format!("text={}&_csrf={token}", "x".repeat(60_000)),
    ] {
        let answer = post(body.clone()).expect_status(200).await;
        assert!(received(&answer) == body, "the body of {} bytes arrived changed", body.len());
    }
    let arrived = scene.arrived();
    for body in [
        String::new(),
        String::from("_csrf="),
        format!("x_csrf={token}"),
        format!("_csrf=wrong&_csrf={token}"),
        format!("text={filler}&_csrf={token}"),
    ] {
        post(body).expect_status(403).await;
    }
    let json = browser.post("/form/a").json(&serde_json::json!({ "_csrf": token }));
    json.expect(403, "csrf_failed").await;
    let query = browser.post(&format!("/form/a?_csrf={token}"));
    query.expect(403, "csrf_failed").await;
    assert_eq!(scene.arrived(), arrived);
}

/// The first field of a multipart form; a file of any size may follow.
#[tokio::test]
async fn a_first_multipart_field() {
    let scene = Scene::new().await;
    let (browser, token) = signed_in(&scene).await;
    let part = |name: &str, value: &str| {
        format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"_csrf\"\r\n\r\n";
    let body = format!("{}{file}{}\r\n--B--\r\n", part("_csrf", &token), "y".repeat(300_000));
    let answer = browser.post("/form/a").body(MULTIPART, body.clone()).expect_status(200).await;
    assert!(received(&answer) == body, "the body arrived changed");

    let arrived = scene.arrived();
    for body in [
        format!("{}{}--B--\r\n", part("a", "1"), part("_csrf", &token)),
        format!("{}--B--\r\n", part("_csrf", "wrong")),
        format!("{file}{token}\r\n--B--\r\n"),
    ] {
        browser.post("/form/a").body(MULTIPART, body).expect(403, "csrf_failed").await;
    }
    assert_eq!(scene.arrived(), arrived);
}

/// What is looked at in a streamed body is put back in front of it.
#[tokio::test]
async fn a_chunked_form_arrives_whole() {
    let scene = Scene::new().await;
    let (browser, token) = signed_in(&scene).await;
    let cookies = cookie_header(&browser);
    let fields = [
        ("Cookie", cookies.as_str()),
        ("Sec-Fetch-Site", "same-origin"),
        ("Content-Type", MULTIPART),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
    ];
    let body = format!(
        "--B\r\nContent-Disposition: form-data; name=\"_csrf\"\r\n\r\n{token}\r\n--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nthe rest\r\n--B--\r\n"
    );
    let mut raw = Raw::connect(scene.site.address()).await;
    raw.send(raw::head("POST", "/form/a", &fields).as_bytes()).await;
    for piece in body.as_bytes().chunks(50) {
        raw.send(format!("{:x}\r\n", piece.len()).as_bytes()).await;
        raw.send(piece).await;
        raw.send(b"\r\n").await;
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    raw.send(b"0\r\n\r\n").await;
    let answer = raw.read_to_end().await;
    assert_eq!(raw::status(&answer), 200, "{answer}");
    let json = answer.split("\r\n\r\n").nth(1).unwrap();
    let json = json.trim_start_matches(|c| c != '{').rsplit_once('}').unwrap().0.to_owned() + "}";
    let seen: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(seen["body"], body.as_str());
}

/// No cookies, no CSRF: a bearer token judges the request alone.
#[tokio::test]
async fn bearers_need_no_token() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let access = browser.cookie(CookieKind::Access).unwrap();
    let api = scene.site.client();
    api.post("/form/a").sender(Sender::Bare).bearer(&access).expect_status(200).await;
    browser.post("/form/a").sender(Sender::ForeignForm).bearer(&access).expect_status(200).await;
}

/// Order of checks: doubled cookies, origin, genuineness, CSRF token, verdict.
#[tokio::test]
async fn order_of_checks() {
    let scene = Scene::new().await;
    let (browser, token) = signed_in(&scene).await;
    let all = cookie_header(&browser);
    let form = |cookies: &str| browser.post("/form/a").cookies(Cookies::Exactly(cookies.to_owned()));

    let doubled = format!("{all}; {}=x", scene.name(CookieKind::Access));
    form(&doubled).sender(Sender::ForeignFetch).expect(401, "token_invalid").await;
    let forged = format!("{}=csr_production_forged", scene.name(CookieKind::Refresh));
    form(&forged).sender(Sender::ForeignFetch).expect(403, "origin_denied").await;
    form(&forged).expect(401, "token_invalid").await;
    form(&all).expect(403, "csrf_failed").await;

    // In whatever state the session is, the token is checked against it before its state is told.
    browser.copy().log_out().await.expect_status(204);
    form(&all).expect(403, "csrf_failed").await;
    form(&all).header("x-csrf-token", &token).expect(401, "session_revoked").await.clears_nothing();
    assert_eq!(scene.arrived(), 0);
}

/// The header's name is configurable.
#[tokio::test]
async fn another_header() {
    let name = HeaderName::from_static("x-xsrf-token");
    let scene =
        Scene::with(|builder| builder.settings(|s| s.csrf_header = HeaderName::from_static("x-xsrf-token")))
            .await;
    // The kit signs in with the usual header, so this session is opened beside it.
    scene.site.add_user("ada@example.test", &[]).await;
    let browser = scene.site.client();
    let entry = browser.csrf().await;
    let body = serde_json::json!({ "email": "ada@example.test", "password": PASSWORD });
    browser.post("/auth/login").header(name.as_str(), &entry).json(&body).expect_status(200).await;
    let token = browser.csrf().await;
    browser.post("/form/a").header(name.as_str(), &token).expect_status(200).await;
    browser.post("/form/a").header("x-csrf-token", &token).expect(403, "csrf_failed").await;
}
