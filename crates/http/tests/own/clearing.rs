//! Clearing (design §4): the four session cookies go where the contract says, and nowhere else.

use countersign_core::domain::cookie::CookieKind;
use countersign_testkit::{Client, PASSWORD, Sender, TestSite};

use crate::{DAY, MINUTE, seconds};

const ADA: &str = "ada@example.com";
const SESSION: [&str; 4] =
    ["__Host-Http-cs-access", "__Host-Http-cs-refresh", "__Host-cs-csrf", "__Host-cs-hint"];

async fn revoked(site: &TestSite) -> Client {
    let client = site.signed_in(ADA).await;
    let dead = client.copy();
    client.log_out().await.expect_status(204);
    dead
}

/// `/auth/refresh` clears only when the session ended more than `reuse_grace` ago.
#[tokio::test]
async fn refresh_clears_the_long_dead_only() {
    let site = TestSite::production().start().await;
    let dead = revoked(&site).await;
    dead.copy().refresh().await.expect(401, "session_revoked").sets_no_cookie();
    site.advance(seconds(10));
    dead.copy().refresh().await.expect(401, "session_revoked").sets_no_cookie();
    site.advance(seconds(1));
    let answer = dead.copy().refresh().await.expect(401, "session_revoked");
    assert_eq!(answer.deleted(), SESSION);
    let page = dead.copy();
    let answer = page.get("/auth/refresh?return_to=/").sender(Sender::OwnLink).expect_status(303).await;
    assert_eq!(answer.deleted(), SESSION);
}

/// So does a session that expired.
#[tokio::test]
async fn refresh_clears_the_long_expired_only() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    site.advance(DAY * 7 + seconds(10));
    client.refresh().await.expect(401, "session_expired").sets_no_cookie();
    site.advance(seconds(1));
    let answer = client.refresh().await.expect(401, "session_expired");
    assert_eq!(answer.deleted(), SESSION);
}

/// A session that a login replaced is never a reason: a late answer must not take the new one's cookies away.
#[tokio::test]
async fn a_replaced_session_clears_nothing() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let old = client.copy();
    client.log_in(ADA, PASSWORD).await.expect_status(200);
    site.advance(MINUTE);
    old.refresh().await.expect(401, "session_revoked").sets_no_cookie();
    let page = old.get("/auth/refresh?return_to=/").sender(Sender::OwnLink);
    page.expect_status(303).await.sets_no_cookie();
}

/// A document navigation clears, an API call with the same dead cookies does not.
#[tokio::test]
async fn documents_clear_and_calls_do_not() {
    let site = TestSite::production().start().await;
    let dead = revoked(&site).await;
    site.advance(MINUTE);
    for target in ["/auth/session", "/auth/sessions", "/auth/csrf", "/auth/account"] {
        dead.get(target).send().await.clears_nothing();
    }
    dead.delete("/auth/sessions/x").with_csrf().expect(401, "session_revoked").await.sets_no_cookie();
    // The page has a dead access cookie; the refresh it is sent to clears.
    let answer = dead.get("/auth/account").sender(Sender::OwnLink).expect_status(303).await;
    if answer.deleted().is_empty() {
        let target = answer.header("location").unwrap();
        assert!(target.starts_with("/auth/refresh") || target.starts_with("/auth/login"), "{target}");
    } else {
        assert_eq!(answer.deleted(), SESSION);
    }
}

/// Everything that can go wrong, with cookies in the jar: nothing else ever clears.
#[tokio::test]
async fn no_error_clears() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let reused = client.copy();
    client.refresh().await.expect_status(200);
    client.get("/auth/session").expect_status(200).await;
    site.advance(seconds(30));
    reused.refresh().await.expect(401, "refresh_reused").sets_no_cookie();
    let client = site.signed_in("bob@example.com").await;
    client
        .log_in("bob@example.com", "wrong wrong wrong wrong")
        .await
        .expect(401, "invalid_credentials")
        .clears_nothing();
    let damaged = client.copy();
    damaged.put_cookie(CookieKind::Refresh, "damaged");
    damaged.refresh().await.expect(401, "token_invalid").sets_no_cookie();
    damaged.log_out().await.expect(401, "token_invalid").sets_no_cookie();
    for route in countersign_http::own_routes() {
        let method = http::Method::from_bytes(route.method.as_bytes()).unwrap();
        let target = route.path.replace("{id}", "x").replace("{name}", "x");
        if target.starts_with("/auth/logout") {
            continue;
        }
        for request in [
            damaged.request(method.clone(), &target),
            damaged.request(method.clone(), &target).with_csrf(),
            damaged.request(method.clone(), &target).body("text/plain", "x"),
            damaged.request(method.clone(), &target).bearer("x"),
        ] {
            request.send().await.clears_nothing();
        }
    }
    client.get("/auth/session").expect_status(200).await;
}
