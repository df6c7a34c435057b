//! Registered clients (design §7): tokens in a body, each session for its own client and transport only.

use countersign_core::domain::client::{Client as Registered, ClientId, Clients, Transport};
use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::domain::scope::ScopeSet;
use countersign_testkit::{Answer, Client, Cookies, PASSWORD, Request, Sender, TestSite};
use serde_json::{Value, json};

use crate::{MINUTE, assert_event, seconds};

const ADA: &str = "ada@example.com";

fn client(id: &str, transport: Transport) -> Registered {
    Registered { id: ClientId::parse(id).unwrap(), transport, audience: None, scope: None }
}

async fn site() -> TestSite {
    let ios = Registered {
        audience: Some(vec!["app".into()]),
        scope: Some(ScopeSet::parse("read").unwrap()),
        ..client("ios", Transport::Body)
    };
    let clients = Clients::new(vec![client("web", Transport::Memory), ios, client("tv", Transport::Body)]);
    let site = TestSite::production()
        .policy(|policy| {
            policy.clients = clients;
            policy.access.audience = vec!["app".into(), "api".into()];
        })
        .start()
        .await;
    site.add_user(ADA, &["read", "write"]).await;
    site
}

/// A native application: no browser, no cookies.
fn native(browser: &Client, path: &str, body: &Value) -> Request {
    browser.post(path).sender(Sender::Bare).without_cookies().json(body)
}

fn credentials(client: &str) -> Value {
    json!({ "email": ADA, "password": PASSWORD, "client_id": client })
}

async fn refresh(browser: &Client, token: &str, client: &str) -> Answer {
    native(browser, "/auth/refresh", &json!({ "refresh_token": token, "client_id": client })).send().await
}

fn text(answer: &Answer, member: &str) -> String {
    answer.json()[member].as_str().unwrap_or_else(|| panic!("no {member}: {}", answer.text())).to_owned()
}

fn claims(token: &str) -> Value {
    let part = data_encoding::BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    serde_json::from_slice(&part).unwrap()
}

/// Both tokens in the body, no cookie and no CSRF token; renewed, used and signed out by them alone.
#[tokio::test]
async fn a_native_application_lives_without_cookies() {
    let site = site().await;
    let app = site.client();
    let opened = native(&app, "/auth/login", &credentials("ios")).expect_status(200).await.sets_no_cookie();
    assert_eq!(opened.json()["token_type"], "Bearer");
    assert_eq!(opened.json()["user"]["email"], ADA);
    assert_eq!(opened.header("cache-control").as_deref(), Some("no-store"));
    let (access, first) = (text(&opened, "access_token"), text(&opened, "refresh_token"));
    assert_eq!(claims(&access)["client_id"], "ios");
    app.get("/auth/session").sender(Sender::Bare).bearer(&access).expect_status(200).await;

    site.advance(MINUTE);
    let renewed = refresh(&app, &first, "ios").await.expect_status(200).sets_no_cookie();
    let second = text(&renewed, "refresh_token");
    assert_ne!(first, second);
    // Keep: a fresh access token, and the refresh token that the client has.
    site.advance(seconds(30));
    let kept = refresh(&app, &second, "ios").await.expect_status(200);
    assert!(kept.json().get("refresh_token").is_none(), "{}", kept.text());
    assert_ne!(text(&kept, "access_token"), text(&renewed, "access_token"));

    app.post("/auth/logout")
        .sender(Sender::Bare)
        .bearer(&text(&kept, "access_token"))
        .expect_status(204)
        .await;
    refresh(&app, &second, "ios").await.expect(401, "session_revoked").sets_no_cookie();
}

/// D01: theft is found without cookies too.
#[tokio::test]
async fn d01_a_spent_token_in_a_body_is_theft() {
    let site = site().await;
    let app = site.client();
    let opened = native(&app, "/auth/login", &credentials("tv")).expect_status(200).await;
    let first = text(&opened, "refresh_token");
    let second = text(&refresh(&app, &first, "tv").await.expect_status(200), "refresh_token");
    // The successor is confirmed by its use, and then the grace passes.
    refresh(&app, &second, "tv").await.expect_status(200);
    site.advance(seconds(11));
    refresh(&app, &first, "tv").await.expect(401, "refresh_reused").sets_no_cookie();
    refresh(&app, &second, "tv").await.expect(401, "session_revoked");
}

/// D07: a client narrows what its tokens may do and whom they are for.
#[tokio::test]
async fn d07_a_client_narrows() {
    let site = site().await;
    let app = site.client();
    let ios = native(&app, "/auth/login", &credentials("ios")).expect_status(200).await;
    let said = claims(&text(&ios, "access_token"));
    assert_eq!((&said["scope"], &said["aud"]), (&json!("read"), &json!("app")));
    let tv = native(&app, "/auth/login", &credentials("tv")).expect_status(200).await;
    let said = claims(&text(&tv, "access_token"));
    assert_eq!((&said["scope"], &said["aud"]), (&json!("read write"), &json!(["app", "api"])));
    site.advance(MINUTE);
    let wider = json!({ "refresh_token": text(&ios, "refresh_token"), "client_id": "ios", "scope": "read write", "audience": "api" });
    let renewed = native(&app, "/auth/refresh", &wider).expect_status(200).await;
    let said = claims(&text(&renewed, "access_token"));
    assert_eq!((&said["scope"], &said["aud"]), (&json!("read"), &json!("app")));
}

/// A session belongs to its client: every other way of presenting its refresh token is 401 and changes nothing.
#[tokio::test]
async fn no_session_changes_its_client_or_transport() {
    let site = site().await;
    let browser = site.client();
    browser.log_in(ADA, PASSWORD).await.expect_status(200);
    let cookie = browser.cookie(CookieKind::Refresh).unwrap();
    let app = site.client();
    let opened = native(&app, "/auth/login", &credentials("ios")).expect_status(200).await;
    let native_token = text(&opened, "refresh_token");
    site.advance(MINUTE);

    // A stolen cookie does not become a native session, nor one client's token another's.
    for (token, id) in [(&cookie, "ios"), (&cookie, "tv"), (&native_token, "tv")] {
        refresh(&app, token, id).await.expect(401, "token_invalid").sets_no_cookie();
    }
    assert_event(&site, EventName::InputValidationFail, "refresh_token_of_another_client").await;
    // A native token does not become a cookie session.
    let other = site.client();
    other.log_in(ADA, PASSWORD).await.expect_status(200);
    let csrf = other.csrf().await;
    other.put_cookie(CookieKind::Refresh, &native_token);
    other.drop_cookie(CookieKind::Access);
    other
        .post("/auth/refresh")
        .header("x-csrf-token", &csrf)
        .expect(403, "csrf_failed")
        .await
        .sets_no_cookie();
    let csrf = other.csrf().await;
    other
        .post("/auth/refresh")
        .header("x-csrf-token", &csrf)
        .expect(401, "token_invalid")
        .await
        .sets_no_cookie();
    // A cookie session says it is nobody's client.
    let named = json!({ "client_id": "web" });
    browser
        .post("/auth/refresh")
        .with_csrf()
        .json(&named)
        .expect(401, "token_invalid")
        .await
        .sets_no_cookie();

    // All of this changed nothing.
    browser.refresh().await.expect_status(200);
    refresh(&app, &native_token, "ios").await.expect_status(200);
}

/// A front end: the access token in the body, the refresh token in the cookie alone.
#[tokio::test]
async fn a_front_end_holds_the_access_token_only() {
    let site = site().await;
    let page = site.client();
    page.csrf().await;
    let opened = page.post("/auth/login").with_csrf().json(&credentials("web")).expect_status(200).await;
    let access = text(&opened, "access_token");
    assert_eq!(claims(&access)["client_id"], "web");
    assert!(opened.json().get("refresh_token").is_none());
    let refresh_cookie = page.cookie(CookieKind::Refresh).unwrap();
    assert!(!opened.text().contains(&refresh_cookie));
    page.get("/auth/session").sender(Sender::Bare).without_cookies().bearer(&access).expect_status(200).await;
    site.advance(MINUTE);
    page.csrf().await;
    for body in [json!({}), json!({ "client_id": "web" })] {
        let renewed = page.post("/auth/refresh").with_csrf().json(&body).expect_status(200).await;
        assert!(renewed.json().get("refresh_token").is_none());
        assert_ne!(text(&renewed, "access_token"), access);
    }
    let other = json!({ "client_id": "ios" });
    page.post("/auth/refresh").with_csrf().json(&other).expect(401, "token_invalid").await;
    // Its cookie is no token for a body.
    refresh(&page, &page.cookie(CookieKind::Refresh).unwrap(), "ios").await.expect(401, "token_invalid");
}

/// D19: sessions without a client have no token in any body.
#[tokio::test]
async fn d19_cookies_only_without_a_client() {
    let site = site().await;
    let browser = site.client();
    let opened = browser.log_in(ADA, PASSWORD).await.expect_status(200);
    let access = browser.cookie(CookieKind::Access).unwrap();
    site.advance(MINUTE);
    for answer in [opened, browser.refresh().await.expect_status(200)] {
        assert!(
            answer.json().get("access_token").is_none() && !answer.text().contains("eyJ"),
            "{}",
            answer.text()
        );
    }
    assert_eq!(claims(&access)["client_id"], "countersign");
}

/// C01, C09: without cookies there is nothing to forge, but pages of other sites are refused all the same, and a browser that
/// brings cookies of ours is judged as one.
#[tokio::test]
async fn c09_a_browser_is_no_native_application() {
    let site = site().await;
    let browser = site.client();
    let anonymous =
        |sender| browser.post("/auth/login").sender(sender).without_cookies().json(&credentials("ios"));
    for sender in [Sender::ForeignFetch, Sender::SiblingFetch] {
        anonymous(sender).expect(403, "origin_denied").await;
    }
    native(&browser, "/auth/login", &credentials("ios"))
        .header("origin", "null")
        .expect(403, "origin_denied")
        .await;
    let token = json!({ "refresh_token": "csr_x", "client_id": "ios" });
    browser
        .post("/auth/refresh")
        .sender(Sender::ForeignFetch)
        .without_cookies()
        .json(&token)
        .expect(403, "origin_denied")
        .await;

    browser.log_in(ADA, PASSWORD).await.expect_status(200);
    let with_jar = |request: Request| request.cookies(Cookies::All).json(&credentials("ios"));
    with_jar(browser.post("/auth/login")).expect(403, "csrf_failed").await;
    with_jar(browser.post("/auth/login").sender(Sender::ForeignFetch)).expect(403, "origin_denied").await;
    // With its token a page may ask; the browser keeps the session that it has.
    with_jar(browser.post("/auth/login").with_csrf()).expect_status(200).await.sets_no_cookie();
    browser.get("/auth/session").expect_status(200).await;
    // One or the other, never both.
    browser
        .post("/auth/refresh")
        .with_csrf()
        .json(&token)
        .expect(400, "invalid_request")
        .await
        .sets_no_cookie();
}

#[tokio::test]
async fn requests_that_name_no_client() {
    let site = site().await;
    let app = site.client();
    for id in ["android", "", "countersign", "a b"] {
        native(&app, "/auth/login", &credentials(id)).expect(400, "invalid_request").await;
        native(&app, "/auth/signup", &credentials(id)).expect(400, "invalid_request").await;
        refresh(&app, "csr_x", id).await.expect(400, "invalid_request");
    }
    refresh(&app, "csr_x", "web").await.expect(400, "invalid_request");
    refresh(&app, "csr_x", "ios").await.expect(401, "token_invalid");
    let no_client = json!({ "refresh_token": "csr_x" });
    native(&app, "/auth/refresh", &no_client).expect(400, "invalid_request").await;
    native(&app, "/auth/refresh", &json!({})).expect(401, "token_missing").await;
    native(&app, "/auth/refresh", &json!({ "refresh_token": 5 })).expect(400, "invalid_request").await;
    native(&app, "/auth/login", &json!({ "email": ADA, "password": "wrong", "client_id": "ios" }))
        .expect(401, "invalid_credentials")
        .await;
}

/// A client that is no longer registered loses its sessions.
#[tokio::test]
async fn a_removed_client_loses_its_sessions() {
    let site = site().await;
    let app = site.client();
    let opened = native(&app, "/auth/login", &credentials("tv")).expect_status(200).await;
    let without = TestSite::production()
        .outside(site.outside.clone())
        .policy(|p| p.clients = Clients::new(vec![client("ios", Transport::Body)]))
        .start()
        .await;
    let moved = without.client();
    let token = text(&opened, "refresh_token");
    refresh(&moved, &token, "tv").await.expect(400, "invalid_request");
    refresh(&moved, &token, "ios").await.expect(401, "token_invalid");
    site.advance(MINUTE);
    refresh(&app, &token, "tv").await.expect_status(200);
}

/// D07: a client whose configuration was narrowed gets less from the next rotation on, in sessions that live already.
#[tokio::test]
async fn d07_a_client_that_was_narrowed_gets_less() {
    let site = site().await;
    let app = site.client();
    let opened = native(&app, "/auth/login", &credentials("tv")).expect_status(200).await;
    assert_eq!(claims(&text(&opened, "access_token"))["scope"], "read write");
    let token = text(&opened, "refresh_token");
    site.advance(MINUTE);
    let narrow =
        Registered { scope: Some(ScopeSet::parse("read admin").unwrap()), ..client("tv", Transport::Body) };
    let restarted = TestSite::production()
        .outside(site.outside.clone())
        .policy(|policy| policy.clients = Clients::new(vec![narrow]))
        .start()
        .await;
    let app = restarted.client();
    let renewed = refresh(&app, &token, "tv").await.expect_status(200);
    assert_eq!(claims(&text(&renewed, "access_token"))["scope"], "read");
}
