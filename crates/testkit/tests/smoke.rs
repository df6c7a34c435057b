//! The kit itself: a site of each kind answers, and the client behaves as a browser would.

use countersign_core::domain::cookie::CookieKind;
use countersign_testkit::{Cookies, PASSWORD, Sender, TestSite, TestUpstream};

#[tokio::test]
async fn a_production_site_signs_in() {
    let site = TestSite::production().start().await;
    let client = site.signed_in("ada@example.com").await;
    let me = client.get("/auth/session").expect_status(200).await;
    assert_eq!(me.json()["user"]["email"], "ada@example.com");
    assert!(client.cookie(CookieKind::Refresh).is_some());
    client.refresh().await.expect_status(200);
    client.log_out().await.expect_status(204);
    assert_eq!(client.cookie(CookieKind::Refresh), None);
    client.get("/auth/session").expect(401, "token_missing").await.sets_no_cookie();
}

#[tokio::test]
async fn development_and_tls_sites_sign_up() {
    let sites = [TestSite::development().start().await, TestSite::development().tls().start().await];
    for site in sites {
        let client = site.client();
        client.sign_up("ada@example.com", PASSWORD).await.expect_status(201);
        client.get("/auth/session").expect_status(200).await;
    }
}

#[tokio::test]
async fn the_gateway_reaches_the_application() {
    let upstream = TestUpstream::start().await;
    let site = TestSite::production().upstream(upstream.origin()).start().await;
    let client = site.signed_in("ada@example.com").await;
    let seen = client.get("/hello?a=b").expect_status(200).await.json();
    assert_eq!((&seen["path"], &seen["query"]), (&"/hello".into(), &"a=b".into()));
    assert!(upstream.last().header("x-auth-user").is_some());
    site.client().get("/hello").expect(401, "token_missing").await;
}

#[tokio::test]
async fn same_site_rules_decide_what_comes_along() {
    let site = TestSite::production().start().await;
    let client = site.signed_in("ada@example.com").await;
    client.get("/auth/session").sender(Sender::ForeignImage).expect(401, "token_missing").await;
    // Sent all the same, they still act for nobody.
    let all = client.get("/auth/session").sender(Sender::ForeignImage).cookies(Cookies::All);
    all.expect(401, "token_missing").await;
}
