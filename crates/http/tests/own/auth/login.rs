//! POST `/auth/login`.

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::domain::user::Email;
use countersign_core::service::Context;
use countersign_testkit::{Client, Cookies, Mode, PASSWORD, Sender, TestSite};
use serde_json::json;

use crate::assert_event;

const ADA: &str = "ada@example.com";

async fn site() -> TestSite {
    let site = TestSite::production().start().await;
    site.add_user(ADA, &[]).await;
    site
}

/// Design §7: the session body, with times in RFC 3339 UTC, and no token but the CSRF token.
#[tokio::test]
async fn answers_the_session_body() {
    let site = site().await;
    let answer = site.client().log_in(ADA, PASSWORD).await.expect_status(200);
    let body = answer.json();
    let keys = |v: &serde_json::Value| -> Vec<String> { v.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(keys(&body), ["access_expires_at", "csrf_token", "session", "user"]);
    assert_eq!(keys(&body["user"]), ["email", "email_verified", "id"]);
    assert_eq!(
        keys(&body["session"]),
        ["auth_time", "bound", "created_at", "expires_at", "id", "idle_expires_at"]
    );
    assert_eq!(body["user"]["email"], ADA);
    assert_eq!(body["user"]["email_verified"], true, "an operator vouched for it");
    assert_eq!(body["session"]["bound"], false);
    assert_eq!(body["session"]["created_at"], "2026-09-21T14:13:20Z");
    assert_eq!(body["session"]["auth_time"], "2026-09-21T14:13:20Z");
    assert_eq!(body["session"]["expires_at"], "2026-10-21T14:13:20Z");
    assert_eq!(body["session"]["idle_expires_at"], "2026-09-28T14:13:20Z");
    assert_eq!(body["access_expires_at"], "2026-09-21T14:28:20Z");
    assert_event(&site, EventName::LoginSuccess, "password").await;
}

/// I06: one answer outward; the reason is inside.
#[tokio::test]
async fn i06_wrong_unknown_and_disabled_look_the_same() {
    let site = site().await;
    site.add_user("gone@example.com", &[]).await;
    let gone = Email::parse("gone@example.com").unwrap();
    site.site.engine().set_disabled(&gone, true, &Context::default()).await.unwrap();
    for (email, password, reason) in [
        (ADA, "not the right password", "wrong_password"),
        ("nobody@example.com", PASSWORD, "unknown_user"),
        ("gone@example.com", PASSWORD, "user_disabled"),
        ("not an address", PASSWORD, "unknown_user"),
    ] {
        let answer = site.client().log_in(email, password).await.expect(401, "invalid_credentials");
        assert!(!answer.text().contains(reason), "{reason} is for insiders");
        answer.sets_no_cookie();
        assert_event(&site, EventName::LoginFail, reason).await;
    }
    let long = "x".repeat(1100);
    site.client().log_in(ADA, &long).await.expect(401, "invalid_credentials");
    site.client().log_in(ADA, "").await.expect(401, "invalid_credentials");
}

/// C09: the pre-session's own token is needed, its cookie alone is not enough, and both end at login.
#[tokio::test]
async fn c09_login_needs_the_pre_session_token() {
    let site = site().await;
    let body = json!({ "email": ADA, "password": PASSWORD });
    let bare = site.client();
    bare.post("/auth/login").json(&body).expect(403, "csrf_failed").await;

    let client = site.client();
    let token = client.csrf().await;
    client.post("/auth/login").json(&body).expect(403, "csrf_failed").await;
    client.post("/auth/login").header("x-csrf-token", "").json(&body).expect(403, "csrf_failed").await;
    // A token in the body of a JSON request, or in the URL, is not read.
    let in_body = json!({ "email": ADA, "password": PASSWORD, "_csrf": token });
    client.post("/auth/login").json(&in_body).expect(403, "csrf_failed").await;
    client.post(&format!("/auth/login?_csrf={token}")).json(&body).expect(403, "csrf_failed").await;

    // A pair that somebody else was given, planted as a cookie of another name or as a header only.
    let other = site.client();
    let foreign = other.csrf().await;
    let planted = client.post("/auth/login").header("x-csrf-token", &foreign).json(&body);
    planted.expect(403, "csrf_failed").await;
    let headers_only = client.post("/auth/login").with_csrf().without_cookies().json(&body);
    headers_only.expect(403, "csrf_failed").await;

    assert!(client.cookie(CookieKind::PreSession).is_some());
    client.post("/auth/login").with_csrf().json(&body).expect_status(200).await;
    assert_eq!(client.cookie(CookieKind::PreSession), None, "destroyed at login, never upgraded");
    // C03: what was good before login is not good for the session.
    client.post("/auth/refresh").header("x-csrf-token", &token).expect(403, "csrf_failed").await;
    client.csrf().await;
    client.refresh().await.expect_status(200);
}

/// C09, B08: signing a victim in as somebody else from another site.
#[tokio::test]
async fn c09_cross_site_login_is_refused() {
    let site = site().await;
    let client = site.client();
    let token = client.csrf().await;
    for sender in [Sender::ForeignForm, Sender::ForeignFetch, Sender::SiblingForm, Sender::SiblingFetch] {
        let form = [("email", ADA), ("password", PASSWORD), ("_csrf", token.as_str())];
        let request = client.post("/auth/login").sender(sender).form(&form).cookies(Cookies::All);
        let answer = request.header("accept", "*/*").header("sec-fetch-dest", "empty").send().await;
        answer.expect(403, "origin_denied").sets_no_cookie();
        // As browsers really send it: without the Strict cookies, and so without a pre-session.
        let honest = client.post("/auth/login").sender(sender).form(&form).without_cookies();
        honest.expect_status(403).await.sets_no_cookie();
    }
    assert!(site.events().await.iter().all(|e| e.name != EventName::SessionCreated));
}

/// D09: new ids at each login; what a client sends is never adopted, and the session it held ends.
#[tokio::test]
async fn d09_session_ids_are_always_new() {
    let site = site().await;
    let client = site.client();
    client.log_in(ADA, PASSWORD).await.expect_status(200);
    let before = client.copy();
    let first = client.cookie(CookieKind::Refresh).unwrap();
    client.log_in(ADA, PASSWORD).await.expect_status(200);
    assert_ne!(client.cookie(CookieKind::Refresh).unwrap()[..20], first[..20], "the sid is at the front");
    before.get("/auth/session").expect(401, "session_revoked").await;
    before.refresh().await.expect(401, "session_revoked");
    client.get("/auth/session").expect_status(200).await;

    // A planted session: the victim's login does not continue it.
    let thief = site.signed_in("eve@example.com").await;
    let victim = site.client();
    for kind in [CookieKind::Access, CookieKind::Refresh] {
        victim.put_cookie(kind, &thief.cookie(kind).unwrap());
    }
    victim.log_in(ADA, PASSWORD).await.expect_status(200);
    let me = victim.get("/auth/session").expect_status(200).await.json();
    assert_eq!(me["user"]["email"], ADA);
    assert_ne!(victim.cookie(CookieKind::Refresh), thief.cookie(CookieKind::Refresh));
    thief.get("/auth/session").expect(401, "session_revoked").await;
}

/// D17: an answer that hands out tokens is never stored.
#[tokio::test]
async fn d17_token_answers_are_no_store() {
    let site = site().await;
    let client = site.client();
    let answer = client.log_in(ADA, PASSWORD).await.expect_status(200);
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    for answer in [client.refresh().await, client.get("/auth/csrf").send().await] {
        assert_eq!(answer.expect_status(200).header("cache-control").as_deref(), Some("no-store"));
    }
}

/// F02: the same password typed on another keyboard.
#[tokio::test]
async fn f02_nfc_and_nfd_are_one_password() {
    let site = TestSite::development().start().await;
    let composed = "pâté à la crème brûlée";
    let decomposed = "pa\u{302}te\u{301} a\u{300} la cre\u{300}me bru\u{302}le\u{301}e";
    assert_ne!(composed, decomposed);
    site.client().sign_up(ADA, composed).await.expect_status(201);
    site.client().log_in(ADA, decomposed).await.expect_status(200);
    site.client().log_in(ADA, "pate a la creme brulee").await.expect(401, "invalid_credentials");
}

/// F04: a login makes an outdated hash stronger, and changes nothing for the user.
#[tokio::test]
async fn f04_rehash_on_login() {
    let site = site().await;
    site.outside.hasher.strengthen();
    drop(site.outside.store.take_writes());
    site.client().log_in(ADA, PASSWORD).await.expect_status(200);
    assert!(site.outside.store.take_writes().contains(&"upgrade_password"));
    site.client().log_in(ADA, PASSWORD).await.expect_status(200);
    assert!(!site.outside.store.take_writes().contains(&"upgrade_password"));
}

/// F05: a full hashing queue says so, and lets nobody in.
#[tokio::test]
async fn f05_a_busy_hasher_is_503() {
    let site = site().await;
    site.outside.hasher.set_busy(true);
    let answer = site.client().log_in(ADA, PASSWORD).await.expect(503, "store_unavailable");
    assert!(answer.header("retry-after").is_some());
    answer.sets_no_cookie();
    site.outside.hasher.set_busy(false);
    site.client().log_in(ADA, PASSWORD).await.expect_status(200);
}

/// K11: with the store down nobody gets in, and nothing is cleared.
#[tokio::test]
async fn store_down_is_503() {
    let site = site().await;
    let client: Client = site.client();
    let csrf = client.csrf().await;
    site.outside.store.set(Mode::Unavailable);
    let body = json!({ "email": ADA, "password": PASSWORD });
    let request = client.post("/auth/login").header("x-csrf-token", csrf).json(&body);
    let answer = request.expect(503, "store_unavailable").await;
    assert!(answer.header("retry-after").is_some());
    answer.sets_no_cookie();
}

/// The form of our page: a redirect to an own path, and never to another origin (K08).
#[tokio::test]
async fn the_form_redirects_to_own_paths_only() {
    let site = site().await;
    for (wanted, given) in [
        ("/inbox?x=1", "/inbox?x=1"),
        ("", "/"),
        ("//evil.test", "/"),
        ("/\\evil.test", "/"),
        ("/\t/evil.test", "/"),
        ("https:evil.test", "/"),
        ("javascript:alert(1)", "/"),
        ("/%5cevil.test", "/"),
        ("/..//evil.test", "/"),
    ] {
        let client = site.client();
        let csrf = client.csrf().await;
        let form = [("email", ADA), ("password", PASSWORD), ("_csrf", &csrf), ("return_to", wanted)];
        let request = client.post("/auth/login").sender(Sender::OwnForm).form(&form);
        let answer = request.expect_status(303).await;
        assert_eq!(answer.header("location").as_deref(), Some(given), "{wanted}");
        client.get("/auth/session").expect_status(200).await;
    }
    let client = site.client();
    let csrf = client.csrf().await;
    let form = [("email", ADA), ("password", "wrong wrong wrong wrong"), ("_csrf", &csrf)];
    let page = client.post("/auth/login").sender(Sender::OwnForm).form(&form).expect_status(401).await;
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.text().contains("The address or the password is wrong."));
    assert!(!page.text().contains("wrong wrong"), "a password is never written back");
}

/// Bad input is a listed problem.
#[tokio::test]
async fn bad_bodies() {
    let site = site().await;
    let client = site.client();
    client.csrf().await;
    for body in
        ["", "{", "[]", "null", "{}", r#"{"email":1,"password":"x"}"#, r#"{"email":"a@b.c"}"#, "\u{0}"]
    {
        let request = client.post("/auth/login").with_csrf().body("application/json", body.to_owned());
        let answer = request.expect(400, "invalid_request").await;
        assert!(!answer.text().contains("a@b.c"));
    }
    client.post("/auth/login").with_csrf().expect(415, "unsupported_media_type").await;
}
