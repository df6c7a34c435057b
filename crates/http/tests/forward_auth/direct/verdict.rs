//! What a proxy is told: who it is, what may pass on, and why not.

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::environment::Environment;
use countersign_core::domain::secret::SecretArray;
use countersign_core::domain::token::api_key;
use countersign_http::ForwardingProxy::{Caddy, Envoy, Nginx};
use countersign_testkit::{Cookies, Sender};
use serde_json::Value;

use crate::scene::{ADA, Desk, HOST};

/// The identity is that of the gateway: headers, and an assertion for the route's upstream (K02).
#[tokio::test]
async fn k02_identity() {
    let desk = Desk::new(Nginx).await;
    desk.site.add_user("root@example.test", &["admin", "read"]).await;
    let browser = desk.site.client();
    browser.log_in("root@example.test", countersign_testkit::PASSWORD).await.expect_status(200);
    let answer = desk.ask(&browser, "GET", "/admin/a").expect_status(200).await.sets_no_cookie();
    let session = browser.get("/auth/session").expect_status(200).await.json();
    assert_eq!(answer.header("x-auth-user").as_deref(), session["user"]["id"].as_str());
    assert_eq!(answer.header("x-auth-email").as_deref(), Some("root@example.test"));
    assert_eq!(answer.header("x-auth-session").as_deref(), session["session"]["id"].as_str());
    assert_eq!(answer.header("x-auth-scopes").as_deref(), Some("admin read"));
    let assertion = answer.header("countersign-assertion").unwrap();
    let claims = assertion.split('.').nth(1).unwrap();
    let claims: Value =
        serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap()).unwrap();
    assert_eq!((&claims["aud"][0], &claims["purpose"]), (&Value::from("app"), &Value::from("assertion")));
    assert!(answer.body().is_empty());
}

/// B09: the cookies that the application may see are the others, in one line, byte for byte.
#[tokio::test]
async fn b09_our_cookies_are_left_out() {
    let desk = Desk::new(Caddy).await;
    let browser = desk.site.signed_in(ADA).await;
    let ours: Vec<String> = browser.cookies().iter().map(|c| format!("{}={}", c.name, c.value)).collect();
    let mixed = format!("theme=dark; {}; sid=\"a b\"", ours.join("; "));
    let answer = desk.ask(&browser, "GET", "/a").cookies(Cookies::Exactly(mixed)).expect_status(200).await;
    assert_eq!(answer.header("cookie").as_deref(), Some("theme=dark; sid=\"a b\""));
    let answer = desk.ask(&browser, "GET", "/a").expect_status(200).await;
    assert_eq!(answer.header("cookie"), None, "nothing but ours");
    // Where cookies are not read, ours go no further either.
    let mixed = format!("{}; theme=dark", ours.join("; "));
    let answer = desk.ask(&browser, "GET", "/open/a").header("cookie", mixed).header("cookie", "b=2");
    assert_eq!(answer.expect_status(200).await.header("cookie").as_deref(), Some("theme=dark; b=2"));
    // B04: and doubled ones are nobody's.
    let twice = format!("{0}; {0}", ours.join("; "));
    let answer = desk.ask(&browser, "GET", "/maybe/a").cookies(Cookies::Exactly(twice));
    answer.expect(401, "token_invalid").await.clears_nothing();
}

/// A token of ours is a credential here as at the gateway, and goes no further; other schemes do.
#[tokio::test]
async fn authorization() {
    let desk = Desk::new(Caddy).await;
    let browser = desk.site.signed_in(ADA).await;
    let access = browser.cookie(CookieKind::Access).unwrap();
    let nobody = desk.site.client();
    let answer = desk.ask(&nobody, "POST", "/a").bearer(&access).expect_status(200).await;
    assert!(answer.header("x-auth-user").is_some());
    assert_eq!(answer.header("authorization"), None);
    let answer =
        desk.ask(&browser, "GET", "/a").header("authorization", "Basic YTpi").expect_status(200).await;
    assert_eq!(answer.header("authorization").as_deref(), Some("Basic YTpi"));
    let answer = desk.ask(&nobody, "GET", "/open/a").bearer(&access).expect_status(200).await;
    assert_eq!(answer.header("authorization"), None);
    assert_eq!(answer.header("x-auth-user"), None);
    // An open route may have tokens of its own.
    let answer = desk.ask(&nobody, "GET", "/open/a").bearer("theirs").expect_status(200).await;
    assert_eq!(answer.header("authorization").as_deref(), Some("Bearer theirs"));
    // Ours do not pass in another scheme either, nor the word that stands for a token that was taken away.
    for value in [format!("Token {access}"), String::from("Bearer countersign")] {
        let answer = desk.ask(&nobody, "GET", "/open/a").header("authorization", &value);
        assert_eq!(answer.expect_status(200).await.header("authorization"), None, "{value}");
    }
    // K02: an assertion is no credential, and what is refused is not made good by cookies.
    let assertion = desk.ask(&browser, "GET", "/a").expect_status(200).await.header("countersign-assertion");
    desk.ask(&browser, "GET", "/a").bearer(&assertion.unwrap()).expect(401, "wrong_purpose").await;
    desk.ask(&browser, "GET", "/maybe/a").bearer("nonsense").expect(401, "token_invalid").await;
}

/// J04, C11: what the application's answer depends on.
#[tokio::test]
async fn j04_what_may_be_kept() {
    let desk = Desk::new(Nginx).await;
    let browser = desk.site.signed_in(ADA).await;
    let nobody = desk.site.client();
    let vary = Some("Cookie, Sec-Fetch-Site, Origin".to_owned());
    for (client, target, cache, varies) in [
        (&browser, "/a", Some("no-store".to_owned()), vary.clone()),
        (&browser, "/maybe/a", Some("no-store".to_owned()), vary.clone()),
        (&nobody, "/maybe/a", None, vary.clone()),
        (&browser, "/open/a", None, None),
    ] {
        let answer = desk.ask(client, "GET", target).expect_status(200).await;
        assert_eq!(
            (answer.header("countersign-cache"), answer.header("countersign-vary")),
            (cache, varies),
            "{target}"
        );
    }
}

/// Envoy is told in the answer what to take away from the request.
#[tokio::test]
async fn envoy_removes_what_is_not_said() {
    let desk = Desk::new(Envoy).await;
    let removed = |answer: &countersign_testkit::Answer| {
        let names = answer.header("x-envoy-auth-headers-to-remove").unwrap();
        names.split(',').map(str::to_owned).collect::<Vec<_>>()
    };
    let nobody = desk.site.client();
    let answer = desk.ask(&nobody, "GET", "/open/a").expect_status(200).await;
    for name in ["cookie", "authorization", "dpop", "countersign-assertion", "x-auth-user", "x-auth-email"] {
        assert!(removed(&answer).iter().any(|n| n == name), "{name}");
    }
    let browser = desk.site.signed_in(ADA).await;
    let answer =
        desk.ask(&browser, "GET", "/a").header("authorization", "Basic YTpi").expect_status(200).await;
    for name in ["authorization", "countersign-assertion", "x-auth-user"] {
        assert!(!removed(&answer).iter().any(|n| n == name) && answer.header(name).is_some(), "{name}");
    }
    assert!(removed(&answer).iter().any(|n| n == "cookie"), "ours were all");
}

/// The proxy gets 401 and 403; the redirects and pages of the gateway stay for those who ask for them.
#[tokio::test]
async fn refusals_for_proxies_and_for_browsers() {
    let desk = Desk::new(Caddy).await;
    let nobody = desk.site.client();
    let typed = |client: bool| {
        let asked = if client {
            desk.ask_for_client(&nobody, "GET", "/a?x=1")
        } else {
            desk.ask(&nobody, "GET", "/a?x=1")
        };
        asked.sender(Sender::Typed)
    };
    let login = Some("/auth/login?return_to=/a%3Fx%3D1".to_owned());
    let answer = typed(false).expect_status(401).await;
    assert_eq!(answer.header("location"), login);
    let answer = typed(true).expect_status(303).await;
    assert_eq!(answer.header("location"), login);
    desk.ask_for_client(&nobody, "GET", "/a").expect(401, "token_missing").await;

    let browser = desk.site.signed_in(ADA).await;
    desk.ask(&browser, "GET", "/admin/a").sender(Sender::OwnLink).expect_status(403).await;
    let recent = desk.ask(&browser, "GET", "/recent/a").expect_status(200).await;
    assert!(recent.header("x-auth-user").is_some());
    desk.site.advance(std::time::Duration::from_secs(11 * 60));
    let answer = desk.ask(&browser, "GET", "/recent/a").expect(401, "step_up_required").await;
    assert!(answer.header("www-authenticate").unwrap().contains("insufficient_user_authentication"));
    let answer = desk.ask(&browser, "GET", "/recent/a").sender(Sender::OwnLink).expect_status(401).await;
    assert_eq!(answer.header("location").as_deref(), Some("/auth/login?return_to=/recent/a"));
}

/// C01, C05: the forwarded Origin and Fetch Metadata count; C02: the CSRF token comes in the header only.
#[tokio::test]
async fn c01_isolation_and_csrf() {
    let desk = Desk::new(Nginx).await;
    let browser = desk.site.signed_in(ADA).await;
    for sender in [Sender::ForeignForm, Sender::SiblingFetch, Sender::ForeignFetch] {
        let asked = desk.ask(&browser, "POST", "/a").sender(sender).cookies(Cookies::All);
        asked.expect_status(403).await;
    }
    for sender in [Sender::ForeignImage, Sender::ForeignFrame] {
        let asked = desk.ask(&browser, "GET", "/maybe/a").sender(sender).cookies(Cookies::All);
        assert_eq!(asked.expect_status(200).await.header("x-auth-user"), None, "{sender:?}");
    }
    desk.ask(&browser, "POST", "/a").expect_status(200).await;
    let form = || desk.ask(&browser, "POST", "/form/a");
    form().expect(403, "csrf_failed").await;
    form().header("x-csrf-token", "guess").expect(403, "csrf_failed").await;
    form().with_csrf().expect_status(200).await;
    desk.ask(&browser, "GET", "/form/a").expect_status(200).await;
}

/// K10: a WebSocket needs an allowed origin, although no proxy passes `Upgrade` on.
#[tokio::test]
async fn k10_websockets() {
    let desk = Desk::new(Nginx).await;
    let browser = desk.site.signed_in(ADA).await;
    let open = || {
        let asked =
            desk.ask(&browser, "GET", "/ws").sender(Sender::Bare).header("sec-websocket-version", "13");
        asked.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    };
    open().expect(403, "origin_denied").await;
    open().header("origin", "https://evil.example").expect(403, "origin_denied").await;
    open().header("origin", format!("https://{HOST}")).expect_status(200).await;
}

/// C10: preflights pass without identity and are never 401: the application, or the proxy, answers them.
#[tokio::test]
async fn c10_preflights_pass() {
    for proxy in [Nginx, Envoy] {
        let desk = Desk::new(proxy).await;
        let nobody = desk.site.client();
        let asked = desk.ask(&nobody, "OPTIONS", "/a").header("origin", "https://evil.example");
        let answer = asked.header("access-control-request-method", "PUT").expect_status(200).await;
        assert_eq!(answer.header("x-auth-user"), None);
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

/// A link from another site: the same page that reloads, for who asks for it; 401 for who does not.
#[tokio::test]
async fn bounce() {
    let desk = Desk::new(Nginx).await;
    let browser = desk.site.signed_in(ADA).await;
    desk.ask(&browser, "GET", "/a").sender(Sender::ForeignLink).losing_cookies().expect_status(401).await;
    let answer =
        desk.ask_for_client(&browser, "GET", "/a").sender(Sender::ForeignLink).expect_status(401).await;
    assert!(answer.text().contains("location.reload()"), "{}", answer.text());
    let bounced = desk.site.cookie_name(CookieKind::Bounced);
    assert!(answer.set_cookie(bounced).is_some());
    // Not where that is off, and not twice.
    let api = desk.ask_for_client(&browser, "GET", "/api/a").sender(Sender::ForeignLink).send().await;
    assert_eq!(api.status(), 303);
    let again = desk.ask_for_client(&browser, "GET", "/a").sender(Sender::ForeignLink).send().await;
    assert_eq!(again.status(), 303, "it carries the mark now");
}

/// Revocation holds for the next question (design §6).
#[tokio::test]
async fn revocation_is_immediate() {
    let desk = Desk::new(Nginx).await;
    let browser = desk.site.signed_in(ADA).await;
    desk.ask(&browser, "GET", "/a").expect_status(200).await;
    let thief = browser.copy();
    browser.log_out().await.expect_status(204);
    desk.ask(&thief, "GET", "/a").expect(401, "session_revoked").await.clears_nothing();
    let answer = desk.ask(&thief, "GET", "/maybe/a").expect_status(200).await;
    assert_eq!(answer.header("x-auth-user"), None);
    assert_eq!(answer.header("countersign-cache").as_deref(), Some("no-store"));
}

/// G06: an API key in a URL is refused here as at the gateway; a parameter of the application's own is not.
#[tokio::test]
async fn g06_api_keys_in_urls() {
    let minted = api_key::mint(&Environment::parse("production").unwrap(), &SecretArray::new([9; 36]));
    for proxy in [Nginx, Envoy] {
        let desk = Desk::new(proxy).await;
        let browser = desk.site.signed_in(ADA).await;
        let target = format!("/a?x={}", minted.text.expose());
        desk.ask(&browser, "GET", &target).expect(400, "invalid_request").await;
        desk.ask(&browser, "GET", "/a?api_key=mine").expect_status(200).await;
    }
}
