//! GET `/auth/csrf`.

use countersign_core::domain::cookie::CookieKind;
use countersign_testkit::{PASSWORD, Sender, TestSite};
use serde_json::json;

const ADA: &str = "ada@example.com";

/// A pre-session token signed out, a session token signed in; differs each time, and every one stays good (C02, C03).
#[tokio::test]
async fn c02_c03_tokens_differ_and_survive_refresh() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let (first, second) = (client.csrf().await, client.csrf().await);
    assert_ne!(first, second);
    client.refresh().await.expect_status(200);
    for token in [&first, &second] {
        client.post("/auth/refresh").header("x-csrf-token", token).expect_status(200).await;
    }
    // C03: a new login is another session.
    client.log_in(ADA, PASSWORD).await.expect_status(200);
    client.post("/auth/refresh").header("x-csrf-token", &first).expect(403, "csrf_failed").await;
    client.refresh().await.expect_status(200);
}

/// C02: another session's token, the cookie alone, a forged pair, a damaged token.
#[tokio::test]
async fn c02_tokens_are_bound_to_the_session() {
    let site = TestSite::production().start().await;
    let (a, b) = (site.signed_in(ADA).await, site.signed_in("bob@example.com").await);
    let foreign = b.csrf().await;
    a.post("/auth/refresh").header("x-csrf-token", &foreign).expect(403, "csrf_failed").await;
    a.post("/auth/refresh").expect(403, "csrf_failed").await;
    // A forged pair: the attacker plants their own token as cookie and sends it as header.
    a.put_cookie(CookieKind::Csrf, &foreign);
    a.post("/auth/refresh").header("x-csrf-token", &foreign).expect(403, "csrf_failed").await;
    let good = a.csrf().await;
    for damaged in [&good[1..], &good[..good.len() - 1], &good.to_lowercase(), &format!("{good}A"), "AAAA"] {
        a.post("/auth/refresh").header("x-csrf-token", damaged).expect(403, "csrf_failed").await;
    }
    let twice = a.post("/auth/refresh").header("x-csrf-token", &good).header("x-csrf-token", &good);
    twice.expect(403, "csrf_failed").await;
    // Tabs hold different ones: it need not equal the cookie.
    a.post("/auth/refresh").header("x-csrf-token", &good).expect_status(200).await;
}

/// The pre-session cookie lives an hour, is kept, and is never set for somebody with a session.
#[tokio::test]
async fn pre_session_cookie() {
    let site = TestSite::production().start().await;
    let client = site.client();
    let answer = client.get("/auth/csrf").expect_status(200).await;
    let cookie = answer.set_cookie("__Host-Http-cs-pre").unwrap();
    let attributes = ["Path=/", "Max-Age=3600", "Secure", "HttpOnly", "SameSite=Strict"];
    assert_eq!(cookie.attributes, attributes);
    let again = client.get("/auth/csrf").expect_status(200).await;
    assert_eq!(
        again.set_cookie("__Host-Http-cs-pre").unwrap().value,
        cookie.value,
        "one pre-session a browser"
    );

    let client = site.signed_in(ADA).await;
    client.get("/auth/csrf").expect_status(200).await.sets_no_cookie();
}

/// A foreign page gets no token of the session, even if cookies came along.
#[tokio::test]
async fn other_sites_get_no_session_token() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let foreign = client.get("/auth/csrf").sender(Sender::ForeignFetch);
    let answer = foreign.cookies(countersign_testkit::Cookies::All).losing_cookies().expect_status(200).await;
    let token = answer.json()["csrf_token"].as_str().unwrap().to_owned();
    client.post("/auth/refresh").header("x-csrf-token", &token).expect(403, "csrf_failed").await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

/// C02: the header's name is configurable; then the usual one is not read.
#[tokio::test]
async fn the_header_is_configurable() {
    let site = TestSite::production()
        .settings(|s| s.csrf_header = http::HeaderName::from_static("x-own-token"))
        .start()
        .await;
    site.add_user(ADA, &[]).await;
    let client = site.client();
    let token = client.csrf().await;
    let body = json!({ "email": ADA, "password": PASSWORD });
    client.post("/auth/login").with_csrf().json(&body).expect(403, "csrf_failed").await;
    client.post("/auth/login").header("x-own-token", token).json(&body).expect_status(200).await;
}
